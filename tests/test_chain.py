"""The chain of stages: what each was made from, told by content, and the command that is due."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import PublishError
from corpus.store import read_jsonl, table_path, write_bytes, write_jsonl, write_table
from labeling.codebook import read_codebook
from labeling.records import Adjudication, Annotation, Unsettled, Verdict
from labeling.sampling.sample_table import Draw, write_sample
from labeling.scheme import DEFAULT
from release.contents.manifest import INPUTS
from release.freshness import COMMANDS, CONTENTS, STAGES, TRAINED, Project, Stage, compare, due
from stance.command_line import cli
from tests.conftest import vote
from train import input_digests
from train.evaluate.mistakes import Doubt, write_doubts
from train.records import Example, ModelCard, read_record
from train.settings import TrainSettings, read_settings

TOML = '[target]\nname = "a target <b>"\n[corpus]\nroot = "news"\n[publish]\nlicence = "cc0-1.0"\n'


def run(project: Path, *arguments: str) -> Result:
    here = Path.cwd()
    try:
        return CliRunner().invoke(cli, ["-C", str(project), *arguments], catch_exceptions=True)
    finally:
        os.chdir(here)


def said(project: Path, *arguments: str) -> str:
    """What a command that must succeed says on stderr."""
    done = run(project, *arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stderr


@pytest.fixture(scope="module")
def made(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which every stage has been run, to read only."""
    project = tmp_path_factory.mktemp("made") / "project"
    shutil.copytree(finished, project)
    write_bytes(project / "stance.toml", TOML.encode())
    for command in (["predict"], ["publish", "--allow-open"], ["report"]):
        assert said(project, *command) == ""
    return project


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def stale(project: Path, among: tuple[Stage, ...] = STAGES) -> list[Stage]:
    toml = read_settings(project, required=True)
    ignored = frozenset(toml.labeling.ignore)
    codebook = read_codebook(project / "codebook.md")
    return [
        row.stage
        for row in due(Project(work=project / "work", settings=toml, codebook=codebook, ignored=ignored), among)
    ]


# --- what changes


def answers(project: Path, change: Callable[[list[Annotation]], list[Annotation]]) -> None:
    path = table_path(project / "work", "annotations.jsonl")
    write_jsonl(path, change(read_jsonl(path, Annotation, "")))


def _another_vote(project: Path) -> None:
    answers(
        project, lambda rows: [*rows, vote(rows[0].sentence_id, "A4", "none" if rows[0].stance != "none" else "favor")]
    )


def _an_edited_vote(project: Path) -> None:
    answers(
        project,
        lambda rows: [
            msgspec.structs.replace(rows[0], stance="none" if rows[0].stance != "none" else "favor"),
            *rows[1:],
        ],
    )


def _a_deleted_vote(project: Path) -> None:
    answers(project, lambda rows: [row for row in rows if row.sentence_id != rows[0].sentence_id])


def _a_vote_under_another_codebook(project: Path) -> None:
    answers(project, lambda rows: [msgspec.structs.replace(row, codebook="0.9") for row in rows])


def _an_adjudication(project: Path) -> None:
    first = msgspec.json.decode((project / "work" / "queue.jsonl").read_bytes().splitlines()[0])
    row = Adjudication(sentence_id=first["sentence_id"], adjudicator="A1", stance="none", votes=first["votes"])
    write_jsonl(table_path(project / "work", "adjudications.jsonl"), [row])


def _toml(section: str, line: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        text = (project / "stance.toml").read_text()
        (project / "stance.toml").write_text(
            text.replace(f"[{section}]\n", f"[{section}]\n{line}\n")
            if f"[{section}]" in text
            else f"{text}[{section}]\n{line}\n"
        )

    change.__name__ = line
    return change


def _another_target(project: Path) -> None:
    (project / "stance.toml").write_text(TOML.replace("a target <b>", "another target"))


def _sentences(project: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    path = project / "work" / "sentences.parquet"
    table = pq.read_table(path)
    write_table(path, pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema))


def _another_text(project: Path) -> None:
    _sentences(project, lambda rows: [rows[0] | {"text": rows[0]["text"] + "!"}, *rows[1:]])


def _a_new_sentence(project: Path) -> None:
    new = {"sentence_id": "f" * 32, "copy_id": "f" * 32, "cluster_id": "f" * 32}
    _sentences(project, lambda rows: [*rows, rows[-1] | new])


def _near_duplicates_across_articles(project: Path) -> None:
    _sentences(project, lambda rows: [rows[0] | {"cluster_id": rows[-1]["cluster_id"]}, *rows[1:]])


def _another_split(project: Path) -> None:
    path = project / "work" / "examples.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["split"] = "train" if rows[0]["split"] == "test" else "test"
    write_table(path, pa.Table.from_pylist(rows, schema=table.schema))


def _a_model_of_an_earlier_version(project: Path) -> None:
    path = project / "work" / "model" / "model.json"
    card = read_record(path, ModelCard)
    write_bytes(path, msgspec.json.encode(msgspec.structs.replace(card, trained_on="")))


def _a_training_that_was_broken_off(project: Path) -> None:
    (project / "work" / "model" / "model.json").unlink()


def _another_model(project: Path) -> None:
    path = project / "work" / "model" / "model.skops"
    path.write_bytes(path.read_bytes() + b"\n")


def _a_round(project: Path) -> None:
    row = pq.read_table(project / "work" / "sentences.parquet").to_pylist()[0]
    write_sample(project / "work", [Draw(sentence_id=row["sentence_id"], round=1, by="random", probability=0.5)])


def _another_outlet(project: Path) -> None:
    path = project / "work" / "articles.parquet"
    table = pq.read_table(path)
    rows = [row | {"outlet": "another"} for row in table.to_pylist()]
    write_table(path, pa.Table.from_pylist(rows, schema=table.schema))


def _the_roots_whole_path(project: Path) -> None:
    (project / "stance.toml").write_text(TOML.replace('"news"', f'"{project / "news"}"'))


def _another_codebook_text(project: Path) -> None:
    (project / "codebook.md").write_text("# Codebook\n\nVersion 1.0\n\nA rule more.\n")


CHANGES: list[tuple[Callable[[Path], None], set[Stage]]] = [
    (_another_vote, {"verdicts", "dataset", "report"}),
    (_an_edited_vote, {"verdicts", "dataset", "report"}),
    (_a_deleted_vote, {"verdicts", "dataset", "report"}),
    (_a_vote_under_another_codebook, {"verdicts", "dataset", "report"}),
    (_an_adjudication, {"verdicts", "dataset", "report"}),
    (_toml("labeling", 'ignore = ["A2"]'), {"verdicts", "report"}),
    (_toml("labeling", 'verdicts = "dawid_skene"'), {"verdicts", "dataset", "report"}),
    (_another_target, {"examples", "predictions", "dataset", "report"}),
    (_another_text, {"examples", "predictions", "dataset", "report"}),
    (_near_duplicates_across_articles, {"examples", "dataset", "report"}),
    (_another_split, {"model", "dataset", "report"}),
    (_toml("train", "seed = 2"), {"model", "dataset", "report"}),
    (_toml("train", "mask = true"), {"model", "dataset", "report"}),
    (_a_model_of_an_earlier_version, {"model"}),
    (_a_training_that_was_broken_off, {"model"}),
    (_another_model, {"predictions", "report"}),
    (_a_new_sentence, {"predictions", "dataset", "report"}),
    (_a_round, {"predictions", "dataset", "report"}),
    (_another_outlet, {"predictions", "dataset", "report"}),
    (_another_codebook_text, {"dataset"}),
    (_the_roots_whole_path, set()),
    (_toml("publish", 'pay = "none"'), {"dataset", "report"}),
    (_toml("labeling", 'title = "Another title"'), {"report"}),
]


def test_right_after_every_stage_nothing_is_due(made: Path) -> None:
    assert stale(made) == []
    assert said(made, "status") == ""


def test_times_of_files_and_the_place_of_the_project_tell_nothing(project: Path) -> None:
    for n, path in enumerate(sorted(project.rglob("*"))):
        os.utime(path, (1e9 + n % 7, 1e9 + n % 7))
    assert stale(project) == []
    assert "unchanged" in run(project, "publish", "--allow-open").stdout


@pytest.mark.parametrize(("change", "stages"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_each_change_makes_what_is_made_from_it_due_and_nothing_else(
    project: Path, change: Callable[[Path], None], stages: set[Stage]
) -> None:
    change(project)
    assert stale(project) == [stage for stage in STAGES if stage in stages]


def test_a_dataset_names_what_has_changed_in_a_users_words(project: Path) -> None:
    def told() -> list[str]:
        toml, codebook = read_settings(project, required=True), read_codebook(project / "codebook.md")
        return [row.why for row in due(Project(work=project / "work", settings=toml, codebook=codebook), ["dataset"])]

    out = project / "work" / "dataset"
    _another_codebook_text(project)
    assert told() == [f"the codebook has changed since {out} was made"]
    _another_vote(project)
    _another_outlet(project)
    assert told() == [f"the articles, the answers and the codebook have changed since {out} was made"]
    assert {name for names in CONTENTS.values() for name in names} == {*INPUTS, "codebook", "configuration"}


@pytest.mark.parametrize(
    ("change", "commands"),
    [
        (_another_vote, "Run `stance adjudicate`, then `stance train`, then `stance publish"),
        (_toml("labeling", 'ignore = ["A2"]'), "Run `stance adjudicate`, then `stance train`, then"),
        (_another_target, r"\. Run `stance train`, then `stance publish"),
        (_near_duplicates_across_articles, r"are in groups that are one group now\).*Run `stance train`"),
        (_another_split, r"was trained on other labelled sentences .*Run `stance train`"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_publish_refuses_what_is_out_of_date_and_names_the_commands(
    project: Path, change: Callable[[Path], None], commands: str
) -> None:
    change(project)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    for arguments in (["publish"], ["publish", "--allow-open"], ["publish", "--standoff", "--out", "new"]):
        done = run(project, *arguments)
        assert isinstance(done.exception, PublishError)
        said = str(done.exception)
        if "--allow-open" not in arguments and "adjudicate" not in commands:  # sentences are open as well
            typed = shlex.join(["stance", *arguments])
            assert said.endswith(f"; or leave them out: `stance train`, then `{typed} --allow-open`")
            continue
        assert re.search(commands, said)
        assert said.endswith(f"then `{shlex.join(['stance', *arguments])}` again")
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_the_commands_that_are_named_put_it_right(project: Path) -> None:
    _another_vote(project)
    _an_adjudication(project)
    for command in ("adjudicate", "train", "predict"):
        said(project, command)
    assert stale(project, (*TRAINED, "predictions")) == []
    assert "wrote" in run(project, "publish", "--allow-open").stdout
    said(project, "report")
    assert stale(project) == []


def test_publish_prints_a_line_that_opens_what_it_wrote(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import load_dataset

    monkeypatch.chdir(project)
    done = CliRunner().invoke(cli, ["publish", "--allow-open", "--out", "csv"], catch_exceptions=False)
    line = done.stdout.splitlines()[done.stdout.splitlines().index("wrote csv (load_dataset opens it)") + 1]
    assert line == 'open it with load_dataset("./csv", "gold")'
    assert load_dataset("./csv", "gold", cache_dir=str(project / "cache"))["test"].num_rows
    assert 'load_dataset("csv") does not open this folder' in done.stderr


# --- every stage says so


def test_training_on_old_verdicts_is_warned_of(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import train.train_model

    def stop(*_: object, **__: object) -> None:
        raise PublishError("far enough")

    monkeypatch.setattr(train.train_model, "train", stop)
    assert run(project, "train").stderr == ""
    _another_vote(project)
    assert "run `stance adjudicate`" in run(project, "train").stderr
    data = project / "data.csv"
    data.write_text("text,label\na,favor\n")
    assert "adjudicate" not in run(project, "train", str(data)).stderr


def test_predicting_by_an_old_model_is_warned_of(project: Path) -> None:
    _another_split(project)
    assert "run `stance train`" in said(project, "predict")
    for model in ("work/model", str(project / "work" / "model")):
        assert "run `stance train`" in said(project, "predict", model, "news/05.txt", "--out", "05.csv")
    shutil.copytree(project / "work" / "model", project / "theirs")
    assert said(project, "predict", "theirs", "news/05.txt", "--out", "05.csv") == ""


def test_the_report_says_on_the_page_and_beside_it_what_is_out_of_date(project: Path) -> None:
    page = project / "work" / "report.html"
    assert "Out of date" not in page.read_text("utf-8")
    _another_vote(project)
    _another_model(project)
    told = said(project, "report")
    for command in ("stance adjudicate", "stance predict"):
        assert f"`{command}`" in told
        assert f"`{command}`, then <code>stance report</code>" in page.read_text("utf-8")
    assert "report" not in stale(project)


def test_status_names_every_stage_that_is_out_of_date(project: Path) -> None:
    _another_split(project)
    _another_model(project)
    told = said(project, "status")
    for stage in ("model", "predictions", "dataset", "report"):
        assert f"`{COMMANDS[stage]}`" in told
    assert said(project, "status", "--json") == told
    _another_vote(project)
    done = run(project, "status")
    assert "`stance adjudicate` is due" in done.stdout
    assert "adjudicate" not in done.stderr


def test_drawing_by_old_predictions_is_warned_of(project: Path) -> None:
    draw = ("push", "--limit", "3", "--by", "uncertainty", "--to", "tasks.json", "--dry-run")
    assert said(project, *draw) == ""
    _a_new_sentence(project)
    assert "`stance predict`" in said(project, *draw)
    assert said(project, *[word.replace("uncertainty", "random") for word in draw]) == ""


def test_a_doubt_about_an_older_verdict_is_not_queued(project: Path) -> None:
    verdicts = [row for row in read_jsonl(project / "work" / "verdicts.jsonl", Verdict, "") if row.how == "unanimous"]
    doubts = [
        Doubt(
            sentence_id=row.sentence_id,
            votes=row.votes,
            reason=f"the verdict is {row.stance}; a model says otherwise",
            label=row.stance,
            predicted="none",
            label_probability=0.1,
            margin=-0.5,
            text="",
        )
        for row in verdicts[:2]
    ]
    write_doubts(project / "work", doubts)
    first, second = (row.sentence_id for row in doubts)
    taken = run(project, "adjudicate", "--doubts", "2")
    assert taken.stderr == ""
    assert (
        "2 verdicts that the model doubts are taken back: these have no label until people decide them in the queue; "
        "`stance adjudicate` without --doubts restores them\n"
    ) in taken.stdout
    assert {first, second} == _doubted(project)
    assert "verdicts" not in stale(project), "a doubt in the queue makes no verdict old"
    other = next(stance for stance in DEFAULT.names if stance != doubts[0].label)
    answers(
        project,
        lambda rows: [
            msgspec.structs.replace(row, stance=other) if row.sentence_id == first and row.stance else row
            for row in rows
        ],
    )
    told = said(project, "adjudicate", "--doubts", "2")
    assert "left out: 1 doubt about verdicts that have changed since the training" in told
    assert "`stance train`" in told
    assert {second} == _doubted(project)


def _doubted(project: Path) -> set[str]:
    return {row.sentence_id for row in read_jsonl(project / "work" / "queue.jsonl", Unsettled, "") if row.doubted}


def test_an_old_model_is_not_uploaded_and_one_of_other_data_is(project: Path) -> None:
    _another_split(project)
    upload = ("publish", "--model", "--repo", "org/name")
    done = run(project, *upload)
    assert isinstance(done.exception, PublishError)
    assert "Run `stance train`" in str(done.exception)
    path = project / "work" / "model" / "analysis.json"
    path.write_bytes(path.read_bytes().replace(b'"outside": false', b'"outside": true'))
    done = run(project, *upload)
    assert "stance train" not in str(done.exception)


# --- digests and comparison

examples = st.lists(
    st.builds(
        Example,
        sentence_id=st.sampled_from("abcdef"),
        text=st.sampled_from(["x", "y"]),
        label=st.sampled_from(DEFAULT.names),
        target=st.sampled_from(["s", "t"]),
        group=st.sampled_from(["g", "h", "i"]),
        split=st.sampled_from(["train", "test"]),
    ),
    max_size=6,
    unique_by=lambda row: row.sentence_id,
)


@settings(deadline=None)
@given(examples, st.randoms())
def test_the_digest_of_examples_knows_every_field_and_no_order(rows: list[Example], random: Any) -> None:
    before = input_digests.of_examples(rows, TrainSettings())
    mixed = list(rows)
    random.shuffle(mixed)
    assert input_digests.of_examples(mixed, TrainSettings()) == before
    for other in (TrainSettings(seed=2), TrainSettings(mask=True)):
        assert input_digests.of_examples(rows, other) != before
    assert input_digests.of_examples(rows, TrainSettings(test=0.3, validation=0.1)) == before
    for field in Example.__struct_fields__ if rows else ():
        new = "against" if field == "label" and rows[0].label == "favor" else "favor" if field == "label" else "new"
        value = {"favor": 9} if field == "votes" else new
        changed = msgspec.structs.replace(rows[0], **{field: value})
        assert input_digests.of_examples([changed, *rows[1:]], TrainSettings()) != before


@settings(deadline=None)
@given(examples, examples)
def test_examples_are_as_of_now_only_if_each_is_and_no_group_was_joined(
    then: list[Example], now: list[Example]
) -> None:
    old, new = ({row.sentence_id: row for row in rows} for rows in (then, now))
    same = old.keys() == new.keys() and all(
        (old[key].text, old[key].label, old[key].target) == (new[key].text, new[key].label, new[key].target)
        for key in old
    )
    parted = any(
        new[a].group == new[b].group and old[a].group != old[b].group
        for a in old.keys() & new
        for b in old.keys() & new
    )
    assert (compare(then, now) == "") is (same and not parted)
    assert compare(then, then) == ""


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=9), st.integers(1, 4))
def test_the_digest_of_sentences_is_of_values_not_of_pieces(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], size: int
) -> None:
    table = pa.table(
        {"sentence_id": [a for a, _ in rows], "text": [b for _, b in rows]},
        schema=pa.schema([("sentence_id", pa.string()), ("text", pa.string())]),
    )
    found = []
    for pieces in (100, size):
        folder = tmp_path_factory.mktemp("work")
        pq.write_table(table, folder / "sentences.parquet", row_group_size=pieces)
        found.append(input_digests.of_sentences(folder))
    assert found[0] == found[1]


def test_a_kept_digest_of_sentences_counts_only_for_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sentences.parquet"
    pq.write_table(pa.table({"sentence_id": ["a"], "text": ["one"]}), path)
    first = input_digests.keep_sentences(tmp_path)
    pq.write_table(pa.table({"sentence_id": ["a"], "text": ["two"]}), path)
    second = input_digests.of_sentences(tmp_path)
    assert second != first
    assert input_digests.keep_sentences(tmp_path) == second
    monkeypatch.setattr(input_digests, "table_parts", None)  # the texts are not read again
    assert input_digests.of_sentences(tmp_path) == second


def test_the_status_and_the_verdicts_load_neither_pandas_nor_a_client_for_servers(
    finished: Path, tmp_path: Path
) -> None:
    project = shutil.copytree(finished, tmp_path / "project")
    for command in (["status"], ["adjudicate", "--dry-run"], ["push", "--limit", "1", "--to", "t.json"]):
        code = (
            "import sys; from stance.command_line import cli; "
            f"cli(['-C', {str(project)!r}, *{command!r}], standalone_mode=False); "
            "print('LOADED', *sorted({'pandas', 'httpx', 'sklearn'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "LOADED", command
