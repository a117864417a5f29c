"""Rounds of a scored archive: drawn by chance, labelled beside the corpus, and counted for the archive alone."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from click import UsageError
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.build import build
from corpus.errors import ConfigError, StanceError, TableError
from corpus.ids.labelled_sentences import look_up
from corpus.records import CorpusSettings
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.records import Annotation, Verdict
from labeling.sampling.archive_round import Archive, archive_digest, draw_from_archive
from labeling.sampling.archive_sentences import FILE, read_archived
from labeling.sampling.corpus_shares import weights
from labeling.sampling.sample_table import read_sample
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.status import read_status
from labeling.studio.answers import result
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from tests.conftest import Run, vote
from tests.support.commands import run_command
from train import input_digests
from train.archive.predict_archive import predict_archive
from train.archive.scored_archive import as_archive, scored_archive
from train.estimate.archive_inputs import read_archive_inputs
from train.examples.from_verdicts import plan_examples
from train.model import tfidf_logistic
from train.model.files import save
from train.records import Example, Recipe
from train.settings import TrainSettings

WORDS = {
    "favor": "send brave help".split(),
    "against": "never risk war".split(),
    "none": "harvest bridge price".split(),
}
TARGET = "sending troops"
ARTICLES, SENTENCES = 60, 4


def _text(stance: Stance, chance: random.Random) -> str:
    others = chance.sample([word for words in WORDS.values() for word in words], 4)
    return f"The {chance.choice(WORDS[stance])} {' '.join(others)} of day {chance.randrange(10**6)}."


def _true(text: str) -> Stance:
    return next(stance for stance in DEFAULT.names if text.split()[1] in WORDS[stance])


def _model(folder: Path, seed: int = 1) -> Path:
    chance = random.Random(seed)
    labels = [DEFAULT.names[n % 3] for n in range(90)]
    rows = [
        Example(sentence_id=str(n), text=_text(label, chance), label=label, target=TARGET)
        for n, label in enumerate(labels)
    ]
    save(tfidf_logistic.fit(Recipe(features="word", c=1.0), rows), folder)
    return folder


def _articles(path: Path, count: int, seed: int, name: str) -> Path:
    chance = random.Random(seed)
    wire = _text("none", chance)  # in every tenth article: one unit with several copies
    rows = []
    for n in range(count):
        texts = [_text(DEFAULT.names[chance.choice([0, 1, 2, 2])], chance) for _ in range(SENTENCES)]
        texts += [wire] if n % 10 == 0 else []
        outlet = ["Gazette", "Sentinel", "Courier"][min(n % 7, 2)]
        about = {"id": f"{name}{n}", "title": f"Title {n}", "outlet": outlet, "published": f"2024-0{4 + n % 2}-11"}
        rows.append(about | {"text": "\n\n".join(texts)})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a corpus of twelve articles, and an archive of sixty that a model has scored; to copy."""
    folder = tmp_path_factory.mktemp("made")
    _articles(folder / "corpus.jsonl", 12, 5, "c")
    build([folder / "corpus.jsonl"], folder / "work", CorpusSettings(root=str(folder)))
    _articles(folder / "archive.jsonl", ARTICLES, 6, "a")
    predict_archive([folder / "archive.jsonl"], _model(folder / "model"), folder / "scores", CorpusSettings())
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of the project, of this test alone."""
    folder = tmp_path / "project"
    shutil.copytree(made, folder)
    title = f"archive {tmp_path.name}"[:40]
    (folder / "stance.toml").write_text(f'[target]\nname = "{TARGET}"\n[labeling]\ntitle = "{title}"\n')
    (folder / "codebook.md").write_text("Version 1.0\n")
    return folder


def _push(project: Path, *options: str) -> str:
    return run_command(project, "push", "--from-archive", "scores", *options, "--to", "tasks.json")


def _label(project: Path, *, every: bool = True) -> None:
    """Answer every task of the file as it is, and settle the answers."""
    tasks = json.loads((project / "tasks.json").read_text())
    rows = [vote(task["data"]["sentence_id"], "A1", _true(task["data"]["text"])) for task in tasks]
    write_jsonl(table_path(project / "work", "annotations.jsonl"), rows if every else rows[: len(rows) // 2])
    run_command(project, "adjudicate")


def _archive(project: Path) -> Archive:
    return as_archive(scored_archive(project / "scores", DEFAULT))


def _sentences(tables: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(tables / "sentences.parquet").to_pylist()
    return rows


# --- drawing


def test_a_random_round_is_drawn_from_the_units_at_known_probability(made: Path) -> None:
    archive = _archive(made)
    rows = _sentences(archive.tables)
    units = {row["copy_id"] for row in rows}
    assert len(units) < len(rows)
    found = draw_from_archive(archive, 50, "random", [], (), seed=1)
    assert {row.probability for row in found.draws} == {50 / len(units)}
    assert {row.by for row in found.draws} == {"archive"}
    assert found.left == len(units) - 50
    ids = [row.sentence_id for row in found.draws]
    assert len(set(ids)) == 50
    assert set(ids) <= units
    assert ids == [row.sentence_id for row in draw_from_archive(archive, 50, "random", [], (), seed=1).draws]
    assert ids != [row.sentence_id for row in draw_from_archive(archive, 50, "random", [], (), seed=2).draws]
    by_id = {row["sentence_id"]: row for row in rows}
    for row in found.sentences:
        assert (row.text, row.before, row.after) == tuple(
            by_id[row.sentence_id][name] for name in ("text", "before", "after")
        )
        assert row.title.startswith("Title ")
        assert row.archive == archive.digest


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 5), st.integers(1, 80), st.sampled_from(["random", "stratified"]))
def test_rounds_take_the_whole_archive_once_and_count_all_of_it(made: Path, seed: int, limit: int, by: Any) -> None:
    archive = _archive(made)
    limit = max(limit, 3) if by == "stratified" else limit
    first = draw_from_archive(archive, limit, by, [], (), seed)
    drawn = {row.sentence_id for row in first.draws}
    second = draw_from_archive(archive, 10**6, "random", first.draws, drawn, seed)
    units = {row["copy_id"] for row in _sentences(archive.tables)}
    assert drawn | {row.sentence_id for row in second.draws} == units
    assert not drawn & {row.sentence_id for row in second.draws}
    assert sum(1 / (row.probability or 0) for row in first.draws) == pytest.approx(len(units))
    assert ({row.round for row in first.draws}, {row.round for row in second.draws}) == ({1}, {2})
    with pytest.raises(StanceError, match="nothing left to draw"):
        draw_from_archive(archive, 5, "random", [], units, seed)


def test_a_stratified_round_has_sentences_of_each_outlet_in_proportion(made: Path) -> None:
    archive = _archive(made)
    found = draw_from_archive(archive, 70, "stratified", [], (), seed=1)
    outlets = Counter(row.outlet for row in found.sentences)
    units = Counter(
        {"Gazette": 0, "Sentinel": 0, "Courier": 0}
        | Counter(
            ["Gazette", "Sentinel", "Courier"][min(int(row["article_id"][1:]) % 7, 2)]
            for row in _sentences(archive.tables)
            if row["copy_id"] == row["sentence_id"]
        )
    )
    for outlet, count in outlets.items():
        assert count == pytest.approx(70 * units[outlet] / units.total(), abs=1)
        chances = {d.probability for d, s in zip(found.draws, found.sentences, strict=True) if s.outlet == outlet}
        assert chances == {count / units[outlet]}
    with pytest.raises(ConfigError, match="one sentence an outlet at least, 3 in all; got a limit of 2"):
        draw_from_archive(archive, 2, "stratified", [], (), seed=1)


def test_every_unit_is_drawn_equally_often(made: Path) -> None:
    archive = _archive(made)
    counts = Counter(
        row.sentence_id for seed in range(60) for row in draw_from_archive(archive, 61, "random", [], (), seed).draws
    )
    units = len({row["copy_id"] for row in _sentences(archive.tables)})
    expected = 60 * 61 / units
    assert sum((counts[row] - expected) ** 2 for row in counts) / units < 2 * expected
    assert len(counts) == units


# --- the commands without a server


def test_a_round_is_pushed_labelled_and_counted_for_the_archive_alone(project: Path) -> None:
    work = project / "work"
    before = input_digests.of_labels(work, TARGET)
    assert "round 1: 150 of the archive scores, random; " in _push(project, "--limit", "150")
    tasks = json.loads((project / "tasks.json").read_text())
    assert len(tasks) == 150
    assert {"before", "after", "title", "outlet", "published"} <= set(tasks[0]["data"])
    assert "round 1 again, 150 of the archive scores: 150 of its sentences have no answer" in _push(
        project, "--limit", "150"
    )
    assert [row.by for row in read_sample(work)] == ["archive"] * 150
    _label(project)
    assert len(read_jsonl(work / "verdicts.jsonl", Verdict, "")) == 150
    status = read_status(work)
    assert (status.labelled, status.gone, status.shares) == (150, 0, None)
    assert input_digests.of_labels(work, TARGET) == before
    with pytest.raises(Exception, match="belongs to a sentence of the corpus"):
        plan_examples(work, TARGET, TrainSettings())
    out = run_command(project, "estimate", "--archive", "scores", "--by", "outlet", "--to", "shares.json")
    assert "150 of 150 sentences drawn from this archive have a verdict" in out
    groups = json.loads((project / "shares.json").read_text())["groups"]
    truth = Counter(_true(row["text"]) for row in _sentences(_archive(project).tables))
    for share in groups[0]["shares"]:
        assert share["ppi"]["low"] - 0.02 < truth[share["stance"]] / truth.total() < share["ppi"]["high"] + 0.02
    out = run_command(project, "estimate", "--archive", "scores", "--plan", "--width", "0.05")
    assert "from 150 labels drawn with a known probability" in out


def test_corpus_shares_and_rounds_are_as_if_there_were_no_archive(project: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(project, alone)
    run_command(alone, "push", "--limit", "20", "--to", "tasks.json")
    _label(alone)
    _push(project, "--limit", "30")
    run_command(project, "push", "--limit", "20", "--to", "tasks.json")
    _label(project)
    ours, theirs = read_status(project / "work"), read_status(alone / "work")
    assert ours.labelled == theirs.labelled + 30
    assert ours.shares is not None
    assert theirs.shares is not None
    assert (ours.shares.labelled, ours.shares.unlabelled) == (20, 0)
    assert ours.shares.weighted is not None
    draws = read_sample(project / "work")
    units = len({row["copy_id"] for row in _sentences(project / "work")})
    assert weights(draws, units) == weights([row for row in draws if row.by == "random"], units)
    examples = [row.sentence_id for row in plan_examples(project / "work", TARGET, TrainSettings()).examples]
    assert len(examples) == 20
    run_command(project, "report")
    page = (project / "work" / "report.html").read_text()
    assert "Settled: 20 single." in page


def test_a_build_keeps_the_archives_sentences_and_misses_none_of_them(project: Path) -> None:
    _push(project, "--limit", "60")
    _label(project)
    kept = read_archived(project / "work")
    shutil.rmtree(project / "work")
    run_command(project, "build", "corpus.jsonl")  # without --force: no labelled sentence has vanished
    assert read_archived(project / "work") == kept
    assert (look_up(project / "work").labelled, look_up(project / "work").missing) == (0, 0)
    assert (project / "labels" / FILE).is_file()
    run_command(project, "adjudicate")
    assert "60 of 60 sentences" in run_command(project, "estimate", "--archive", "scores")


def test_a_second_round_continues_and_both_count(project: Path) -> None:
    _push(project, "--limit", "60")
    _label(project)
    assert "round 2: 50 of the archive scores" in _push(project, "--limit", "50")
    assert len(json.loads((project / "tasks.json").read_text())) == 110
    _label(project)
    inputs = read_archive_inputs(project / "work", scored_archive(project / "scores", DEFAULT), [], DEFAULT)
    assert inputs.labels is not None
    assert inputs.notes[0].startswith("110 of 110")
    units = {int(unit): weight for unit, weight in zip(inputs.unit, inputs.labels.weight, strict=True) if weight}
    assert sum(units.values()) == pytest.approx(inputs.units)


def test_a_round_of_an_archive_can_be_taken_back(project: Path) -> None:
    _push(project, "--limit", "10")
    run_command(project, "push", "--limit", "5", "--to", "tasks.json")
    assert "took round 1 back" in run_command(project, "push", "--withdraw", "1", "--to", "tasks.json")
    assert [row.by for row in read_sample(project / "work")] == ["random"] * 5
    assert "round 3: 7 of" in _push(project, "--limit", "7")
    assert [row.round for row in read_archived(project / "work")] == [3] * 7


def test_a_limit_larger_than_the_archive_takes_all_and_says_so(project: Path) -> None:
    out = _push(project, "--limit", "100000")
    units = len({row["copy_id"] for row in _sentences(_archive(project).tables)})
    assert f"the archive has no more than these {units} left to draw" in out
    _label(project)
    run_command(project, "estimate", "--archive", "scores", "--to", "all.json")
    truth = Counter(_true(row["text"]) for row in _sentences(_archive(project).tables))
    shares = json.loads((project / "all.json").read_text())["groups"][0]["shares"]
    assert {row["stance"]: row["dsl"]["value"] for row in shares} == pytest.approx(
        {name: truth[name] / truth.total() for name in DEFAULT.names}
    )


def test_sentences_that_the_project_has_too_are_one_task_and_count_on_both_sides(project: Path) -> None:
    with (project / "corpus.jsonl").open("a") as file:  # half of the archive's articles are in the corpus, too
        file.writelines((project / "archive.jsonl").read_text().splitlines(keepends=True)[:30])
    run_command(project, "build", "corpus.jsonl")
    run_command(project, "push", "--limit", "60", "--to", "tasks.json")
    _push(project, "--limit", "100")
    draws = read_sample(project / "work")
    both = {row.sentence_id for row in draws if row.by == "random"} & {
        row.sentence_id for row in draws if row.by == "archive"
    }
    assert both
    keys = [task["data"]["sentence_id"] for task in json.loads((project / "tasks.json").read_text())]
    assert len(keys) == len(set(keys)) == 160 - len(both)
    _label(project)
    status = read_status(project / "work")
    assert status.shares is not None
    assert status.shares.weighted is not None
    assert status.shares.unlabelled == 0
    assert "100 of 100 sentences" in run_command(project, "estimate", "--archive", "scores")


def test_scores_of_another_model_are_corrected_by_the_same_labels(project: Path) -> None:
    _push(project, "--limit", "60")
    _label(project)
    predict_archive([project / "archive.jsonl"], _model(project / "other", 7), project / "scores", CorpusSettings())
    out = run_command(project, "estimate", "--archive", "scores")
    assert "the sample was drawn when the archive had been scored by the model " in out


def test_what_cannot_be_estimated_or_drawn_is_one_message(project: Path) -> None:
    with pytest.raises(StanceError, match=r"no sample was drawn\. `stance push --from-archive scores --limit 300`"):
        run_command(project, "estimate", "--archive", "scores")
    for options, said in (
        (("--by", "keyword", "--limit", "5"), "at random or --by stratified"),
        ((), "--from-archive needs --limit N"),
        (("--limit", "5", "--all"), "does not go with"),
    ):
        with pytest.raises(UsageError, match=said):
            _push(project, *options)
    with pytest.raises(UsageError, match="does not go with --coder"):
        run_command(project, "estimate", "--archive", "scores", "--coder", "gpt")
    with pytest.raises(StanceError, match=r"nowhere: expected a folder with the finished scores"):
        scored_archive(project / "nowhere", DEFAULT)
    with pytest.raises(StanceError, match="scored with the labels favor, against, none, and the project has pro, con"):
        scored_archive(project / "scores", Scheme(names=["pro", "con"]))
    _push(project, "--limit", "60")
    _label(project)
    _articles(project / "archive.jsonl", ARTICLES + 1, 6, "a")
    predict_archive([project / "archive.jsonl"], project / "model", project / "scores", CorpusSettings())
    with pytest.raises(StanceError, match="found samples of 1 other archives, or of earlier states of it"):
        run_command(project, "estimate", "--archive", "scores")


def test_an_archive_of_another_version_is_one_message(project: Path) -> None:
    state = project / "scores" / ".archive" / "scored.json"
    kept = state.read_bytes()
    state.unlink()
    with pytest.raises(StanceError, match="an earlier version of stance scored this archive; run `stance predict"):
        scored_archive(project / "scores", DEFAULT)
    state.write_bytes(kept.replace(msgspec.json.decode(kept)["key"].encode(), b"another"))
    with pytest.raises(StanceError, match="was interrupted"):
        scored_archive(project / "scores", DEFAULT)
    state.write_bytes(kept)
    manifest = project / "scores" / "manifest.json"
    manifest.write_text("{}")
    with pytest.raises(StanceError, match=r"manifest\.json: .*key.*; run `stance predict"):
        scored_archive(project / "scores", DEFAULT)


def test_tables_that_changed_after_scoring_are_noticed(project: Path) -> None:
    _push(project, "--limit", "60")
    _label(project)
    path = project / "scores" / ".archive" / "tables" / "sentences.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(0, len(table) - 1), path)
    with pytest.raises(StanceError, match="earlier states of it"):
        run_command(project, "estimate", "--archive", "scores")
    _push(project, "--limit", "30")
    with pytest.raises(StanceError, match="has changed since it was scored"):
        run_command(project, "estimate", "--archive", "scores")
    path.unlink()
    with pytest.raises(StanceError, match=r"sentences\.parquet is not there, which the archive's scores are of"):
        run_command(project, "estimate", "--archive", "scores")


def test_an_archive_of_a_built_corpus_is_drawn_from_that_corpus(project: Path, tmp_path: Path) -> None:
    build([project / "archive.jsonl"], tmp_path / "built", CorpusSettings())
    predict_archive([tmp_path / "built"], project / "model", project / "again", CorpusSettings())
    assert scored_archive(project / "again", DEFAULT).tables == tmp_path / "built"
    assert archive_digest(tmp_path / "built") == _archive(project).digest


def test_a_dry_round_is_not_kept_and_a_malformed_table_is_one_message(project: Path) -> None:
    assert "round 1: 5 of the archive" in _push(project, "--limit", "5", "--dry-run")
    assert not (project / "labels").exists()
    _push(project, "--limit", "5")
    (project / "labels" / FILE).write_text("no table")
    with pytest.raises(TableError, match=FILE):
        run_command(project, "status")


# --- with a real server


@pytest.mark.slow
def test_from_push_to_estimate_with_a_real_server(
    project: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
    stance = Run(project)
    out = stance("push", "--from-archive", "scores", "--limit", "80", "--by", "stratified")
    assert "round 1: 80 of the archive scores, stratified" in out
    assert "80 to create" in out
    title = msgspec.toml.decode((project / "stance.toml").read_bytes())["labeling"]["title"]
    with Studio(server) as studio:
        at_server = studio.find_project(title)
        assert at_server is not None
        for task in studio.tasks(at_server.id):
            studio.answer(task.id, result(vote("", "", _true(str(task.data["text"])))), seconds=3.0)
    assert "nothing to send, 80 unchanged" in stance("push", "--limit", "0")
    said = stance("pull")
    assert "the corpus doesn't have" not in said
    stance("adjudicate")
    assert {row.how for row in read_jsonl(project / "work" / "verdicts.jsonl", Verdict, "")} == {"single"}
    rows = read_jsonl(project / "labels" / "annotations.jsonl", Annotation, "")
    assert {row.sentence_id for row in rows} == {row.sentence_id for row in read_archived(project / "work")}
    out = stance("estimate", "--archive", "scores", "--by", "outlet")
    assert "80 of 80 sentences drawn from this archive have a verdict" in out
    assert "round 2: 5 of the archive" in stance("push", "--from-archive", "scores", "--limit", "5")
