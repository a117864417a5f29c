"""`stance predict`: a real small model over a corpus and over new articles."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from click import UsageError

from corpus.build import build
from corpus.engine import on_processes
from corpus.errors import ExamplesError, SourceError, StanceError, TableError
from corpus.records import CorpusSettings
from corpus.store import write_bytes, write_jsonl
from labeling.records import LabelingSettings, Verdict
from labeling.sampling.sample import draw, draw_all
from labeling.sampling.sample_table import read_certainty, read_sample, write_sample
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.statistics.intervals import Estimate
from labeling.studio.tasks import Corpus, read_predictions
from tests.support.commands import run_command
from train.examples.from_verdicts import from_verdicts
from train.messages import predicted
from train.model import tfidf_logistic
from train.model.files import load_model, save
from train.model.joint import joined
from train.predict import cross_fit, judge, score_corpus
from train.predict.judge import judge_of, open_model
from train.predict.predict import predict_articles, predict_corpus
from train.predict.sentence_arrays import FOLDS, read_layout, read_verdicts
from train.predict.shares import PredictionShares
from train.records import Example, Recipe, read_metrics
from train.settings import TrainSettings
from train.train_model import train

WORDS = {
    "favor": "send soldiers now brave help allies deploy needed".split(),
    "against": "never refuse danger escalation risk war wrong warn".split(),
    "none": "harvest bridge museum weather market council price report".split(),
}
TARGET = "sending Western troops to Ukraine"
ARTICLES = 60


def _sentence(chance: random.Random, stance: Stance) -> str:
    others = [word for words in WORDS.values() for word in words]
    words = [*chance.sample(WORDS[stance], 2), *chance.sample(others, 4)]
    return f"The {' '.join(words)} of day {chance.randrange(10**6)} in town."


def _news(folder: Path, articles: int, seed: int) -> None:
    """Articles of two outlets and two months, with one story that both carry."""
    chance = random.Random(seed)
    wire = [_sentence(chance, stance) for stance in DEFAULT.names]
    rows = []
    for n in range(articles):
        texts = [_sentence(chance, DEFAULT.names[chance.choice([0, 1, 1, 2, 2, 2])]) for _ in range(6)]
        rows.append(
            {
                "id": f"{seed}-{n}",
                "outlet": ["Gazette", "Sentinel"][n % 2],
                "published": f"2024-0{4 + n % 3 // 2}-1{n % 10}" if n else "",
                "text": "\n\n".join(texts + (wire if n % 20 < 2 else [])),
            }
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "news.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _true(text: str) -> Stance:
    """What a person would say: the first word's stance, with a hard case that the words don't tell."""
    if text.split()[-3][-1] in "012":
        return "none"
    return next(stance for stance in DEFAULT.names if text.split()[1] in WORDS[stance])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with 150 randomly sampled verdicts, and a model that was trained on them."""
    folder = tmp_path_factory.mktemp("project")
    work = folder / "work"
    (folder / "stance.toml").write_text(f'[target]\nname = "{TARGET}"\n')
    _news(folder / "news", ARTICLES, 1)
    build([folder / "news"], work, CorpusSettings(root=str(folder / "news")))
    corpus = Corpus(work)
    pool = corpus.units(corpus.chosen())
    draws = draw(pool, "random", 150, earlier=[], settings=LabelingSettings(), target=TARGET)
    write_sample(work, draws)
    text = {unit.sentence_id: unit.text for unit in pool}
    write_jsonl(
        work / "verdicts.jsonl",
        [
            Verdict(sentence_id=row.sentence_id, stance=_true(text[row.sentence_id]), how="single", votes={})
            for row in draws
        ],
    )
    examples, _ = from_verdicts(work, TARGET, TrainSettings())
    train(examples, work / "model", TrainSettings())
    return folder


def _sentences(work: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(work / "sentences.parquet").to_pylist()
    return rows


# --- the corpus


def test_every_sentence_of_the_corpus_is_predicted_once_and_others_read_it(project: Path) -> None:
    work = project / "work"
    out = run_command(project, "predict")
    rows = pq.read_table(work / "predictions.parquet").to_pylist()
    assert [row["sentence_id"] for row in rows] == [row["sentence_id"] for row in _sentences(work)]
    model = load_model(work / "model")
    chances = tfidf_logistic.probabilities(model, [row["text"] for row in _sentences(work)])
    for row, expected in zip(rows, chances, strict=True):
        assert [row[stance] for stance in DEFAULT.names] == pytest.approx(list(expected), abs=1e-6)
        assert sum(expected) == pytest.approx(1)
        assert row["stance"] == DEFAULT.names[int(expected.argmax())]
        assert row["model"] == open_model(work / "model", TARGET).version
    assert len(rows[0]["model"]) == 16
    assert list(rows[0]) == ["sentence_id", "stance", *DEFAULT.names, "model"]
    certainty, read = read_certainty(work), read_predictions(work)
    assert set(certainty) == set(read) == {row["sentence_id"] for row in rows}
    assert all(certainty[name] == one.probability for name, one in read.items())
    counts = Counter(row["stance"] for row in rows)
    assert f"{len(rows)} sentences predicted: " + ", ".join(f"{counts[name]} {name}" for name in DEFAULT.names) in out
    assert "wrote work/predictions.parquet, work/shares.json" in out


def test_uncertainty_rounds_take_what_the_model_is_least_sure_of(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "copy")
    work = tmp_path / "copy" / "work"
    run_command(tmp_path / "copy", "predict")
    run_command(tmp_path / "copy", "push", "--to", "tasks.json", "--limit", "20", "--by", "uncertainty")
    drawn = read_sample(work)
    picks = {row.sentence_id for row in drawn if row.by == "uncertainty"}
    assert len(picks) == 16
    corpus, sure = Corpus(work), read_certainty(work)
    names = {row.sentence_id for row in drawn}
    left = {unit.sentence_id for unit in corpus.units(corpus.chosen(names))} - names
    assert max(sure[name] for name in picks) <= min(sure[name] for name in left)


def test_the_same_again_writes_the_same_bytes_and_says_unchanged(project: Path, tmp_path: Path) -> None:
    work = project / "work"
    assert run_command(project, "predict")
    files = [work / "predictions.parquet", work / "shares.json"]
    before = [path.read_bytes() for path in files]
    assert "unchanged: work/predictions.parquet" in run_command(project, "predict")
    for path in files:
        path.unlink()
    assert predict_corpus(work, TARGET).changed
    assert [path.read_bytes() for path in files] == before
    assert not [path for path in work.iterdir() if path.name.startswith(".predictions")]


def test_batches_do_not_show(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predict_corpus(project / "work", TARGET)
    rows = pq.read_table(project / "work" / "predictions.parquet").to_pylist()
    shares = (project / "work" / "shares.json").read_bytes()
    monkeypatch.setattr(score_corpus, "BATCH", 7)
    steps: list[tuple[int, int]] = []
    predict_corpus(project / "work", TARGET, lambda *step: steps.append(step))
    file = pq.ParquetFile(project / "work" / "predictions.parquet")
    assert file.num_row_groups > 10
    assert file.read().to_pylist() == rows
    assert (project / "work" / "shares.json").read_bytes() == shares
    assert sum(done for done, _ in steps) == len(rows) == steps[0][1]


def test_predictions_do_not_depend_on_the_processes(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = project / "work"
    predict_corpus(work, TARGET)
    rows, shares = pq.read_table(work / "predictions.parquet"), (work / "shares.json").read_bytes()
    copy = shutil.copytree(work, tmp_path / "work", symlinks=True)
    shutil.copytree(project / "labels", tmp_path / "labels")
    pq.write_table(pq.read_table(work / "sentences.parquet"), copy / "sentences.parquet", row_group_size=40)
    pieces: list[str] = []

    def backwards(function: Any, work_of: dict[str, Any], workers: int | None) -> Any:
        pieces.extend(work_of)
        yield from reversed(list(on_processes(function, work_of, workers or 2)))

    monkeypatch.setattr(score_corpus, "PIECE", 100)
    monkeypatch.setattr(score_corpus, "on_processes", backwards)  # any order, such as the last piece first
    predict_corpus(copy, TARGET)
    assert len(pieces) > 2
    assert pq.read_table(copy / "predictions.parquet").equals(rows)
    assert (copy / "shares.json").read_bytes() == shares


def test_a_model_that_is_not_covered_is_used_as_it_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [row["text"] for row in _sentences(project / "work")]
    fast = open_model(project / "work" / "model", TARGET)
    monkeypatch.setattr(judge, "scorer", lambda pipeline: None)
    slow = open_model(project / "work" / "model", TARGET)
    assert [type(one).__name__ for one in (*fast.judges, *slow.judges)] == ["Scorer", "Pipeline"]
    wanted = tfidf_logistic.probabilities(load_model(project / "work" / "model"), texts)
    assert (slow.chances(texts) == wanted).all()
    np.testing.assert_allclose(fast.chances(texts), wanted, atol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
def test_a_target_of_its_own_and_an_unseen_one_are_predicted_as_the_model_does(masked: bool) -> None:
    chance = random.Random(3)
    rows = [
        Example(sentence_id=str(n), text=f"{_sentence(chance, stance)} [T]Ann[/T] said", label=stance, target=target)
        for n, (stance, target) in enumerate((stance, target) for stance in DEFAULT.names * 9 for target in ("a", "b"))
    ]
    model = msgspec.structs.replace(tfidf_logistic.fit(Recipe(features="char", c=3.0), rows), masked=masked)
    texts = [row.text for row in rows]
    for target in ("a", "b", "c"):
        wanted = tfidf_logistic.probabilities(model, texts, [target] * len(texts))
        np.testing.assert_allclose(judge_of(model, target).chances(texts), wanted, atol=1e-6)


@pytest.mark.parametrize("features", tfidf_logistic.JOINT)
def test_a_joint_model_is_scored_and_refitted_as_it_reads(features: str) -> None:
    chance, targets = random.Random(4), ["more bridges", "the weather"]
    rows = [
        Example(sentence_id=str(n), text=_sentence(chance, stance), label=stance, target=targets[n // 2 % 2])
        for n, stance in enumerate(DEFAULT.names[:2] * 20)
    ]
    read = [msgspec.structs.replace(row, text=joined(row.text, row.target), target="") for row in rows]
    recipe = Recipe(features=features, c=3.0)
    model = msgspec.structs.replace(tfidf_logistic.fit(recipe, read), joint=targets)
    texts = [row.text for row in rows]
    for target in (*targets, "never seen"):
        ready = judge_of(model, target)
        assert [type(one).__name__ for one in ready.judges] == ["Scorer"]
        wanted = tfidf_logistic.probabilities(model, texts, [target] * len(texts))
        np.testing.assert_allclose(ready.chances(texts), wanted, atol=1e-6)
        assert (wanted[:, 2] == 0).all(), "no example has the last label"
    mine = [row for row in rows if row.target == targets[0]]
    again = cross_fit.refit(judge_of(model, targets[0]), mine, DEFAULT)
    alone = tfidf_logistic.fit(recipe, [row for row, given in zip(read, rows, strict=True) if given in mine])
    wanted = tfidf_logistic.probabilities(msgspec.structs.replace(alone, joint=targets[:1]), texts)
    np.testing.assert_allclose(again.chances(texts), wanted, atol=1e-6)


def test_shares_are_corrected_by_the_sampled_verdicts(project: Path) -> None:
    work = project / "work"
    out = run_command(project, "predict")
    written = msgspec.json.decode((work / "shares.json").read_bytes(), type=PredictionShares)
    assert 0 <= (written.power or 0) <= 1
    assert "corrected by 150 randomly sampled verdicts" in out
    assert {(row.kind, row.name) for row in written.rows} == {
        ("all", ""), ("outlet", "Gazette"), ("outlet", "Sentinel"),
        ("month", "2024-04"), ("month", "2024-05"), ("month", "unknown"),
    }  # fmt: skip
    truth = Counter(_true(row["text"]) for row in _sentences(work))
    for row in written.rows[:3]:
        assert row.labelled == 150
        assert row.corrected is not None
        share = truth[row.stance] / truth.total()
        assert row.corrected.low <= share <= row.corrected.high
    for outlet in (row for row in written.rows if row.kind == "outlet"):
        assert outlet.labelled >= 50
        assert outlet.corrected is not None
    unknown = [row for row in written.rows if row.name == "unknown"]
    assert unknown[0].n < 12
    assert unknown[0].corrected is None


def test_no_sentence_is_predicted_from_its_own_label(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = project / "work"
    seen: list[set[str]] = []
    refit = cross_fit.refit

    def watched(judge: Any, training: list[Example], scheme: Scheme) -> Any:
        seen.append({row.text for row in training})
        return refit(judge, training, scheme)

    monkeypatch.setattr(cross_fit, "refit", watched)
    predict_corpus(work, TARGET)
    layout = read_layout(work)
    texts = [row["text"] for row in _sentences(work)]
    folds = layout.folds()
    assert len(seen) == FOLDS == len(set(folds.tolist()))
    for fold, training in enumerate(seen):
        assert training
        assert not training & {text for text, own in zip(texts, folds, strict=True) if own == fold}
    # A story that several articles carry has one home, hence one fold.
    homes: dict[str, set[int]] = {}
    for row, home in zip(_sentences(work), layout.home.tolist(), strict=True):
        homes.setdefault(row["copy_id"], set()).add(home)
    assert all(len(found) == 1 for found in homes.values())
    assert max(Counter(row["copy_id"] for row in _sentences(work)).values()) > 3


def test_without_a_random_sample_there_is_no_correction_and_the_page_says_why(project: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for name in ("articles.parquet", "sentences.parquet"):
        (work / name).symlink_to(project / "work" / name)
    (work / "model").symlink_to(project / "work" / "model")
    assert "there are no verdicts on this corpus yet" in run_command(tmp_path, "predict")
    verdicts = (project / "work" / "verdicts.jsonl").read_bytes()
    (work / "verdicts.jsonl").write_bytes(verdicts)
    done = predict_corpus(work, TARGET)
    assert "of 150 verdicts 0 speak for the corpus" in done.shares.notes[0]
    assert all(row.corrected is None for row in done.shares.rows)
    corpus = Corpus(work)
    # All were pushed and few are labelled: their beginning is no sample.
    write_sample(work, draw_all(corpus.units(corpus.chosen()), []))
    assert "of 150 verdicts 0 speak" in predict_corpus(work, TARGET).shares.notes[0]
    write_sample(
        work, draw(corpus.units(corpus.chosen()), "random", 150, earlier=[], settings=LabelingSettings(), target="")
    )
    rows = [msgspec.json.decode(line, type=Verdict) for line in verdicts.splitlines()]
    one_sided = [msgspec.structs.replace(row, stance="favor") for row in rows]
    write_jsonl(work / "verdicts.jsonl", one_sided)
    assert "no verdict is against or none" in predict_corpus(work, TARGET).shares.notes[0]


def test_a_verdict_stands_for_all_copies_with_its_weight(project: Path) -> None:
    work = project / "work"
    layout = read_layout(work)
    known = read_verdicts(work, layout, TARGET)
    assert known is not None
    units = len(set(layout.unit.tolist()))
    drawn = {row.sentence_id for row in read_sample(work)}
    copies = {row["copy_id"] for row in _sentences(work) if row["sentence_id"] in drawn}
    assert len(copies) == len(drawn) == 150
    for row, weight, chosen in zip(_sentences(work), known.weight, known.by_chance, strict=True):
        assert chosen == (row["copy_id"] in copies)
        assert weight == pytest.approx(units / 150 if chosen else 0)
    assert known.by_chance.sum() > 150, "a story that several articles carry is among them"
    assert len(known.examples) == 150


# --- new articles


@pytest.mark.parametrize(
    "ending", ["parquet", *(pytest.param(ending, marks=pytest.mark.slow) for ending in ("csv", "jsonl"))]
)
def test_new_articles_are_cut_as_build_does_and_predicted_without_a_project(
    project: Path, tmp_path: Path, ending: str
) -> None:
    _news(tmp_path / "new", 5, 2)
    (tmp_path / "new" / "empty.txt").write_text(" ")
    file = tmp_path / "made" / f"out.{ending}"
    arguments = ("predict", str(project / "work" / "model"), "new", "--out", f"made/out.{ending}")
    out = run_command(tmp_path, *arguments)
    assert "skipped: 1 × no text in it" in out
    assert f"wrote made/out.{ending}, made/out.shares.json" in out
    build([tmp_path / "new"], tmp_path / "work", CorpusSettings(root=str(tmp_path)))
    expected = _sentences(tmp_path / "work")
    if ending == "parquet":
        rows = pq.read_table(file).to_pylist()
    elif ending == "csv":
        with file.open(newline="") as opened:
            rows = list(csv.DictReader(opened))
    else:
        rows = [json.loads(line) for line in file.read_text().splitlines()]
    names = [
        "sentence_id",
        "article_id",
        "outlet",
        "published",
        "start",
        "end",
        "text",
        "stance",
        *DEFAULT.names,
        "model",
    ]
    assert list(rows[0]) == names
    for row, sentence in zip(rows, expected, strict=True):
        assert all(str(row[name]) == str(sentence[name]) for name in ("sentence_id", "article_id", "start", "text"))
        assert row["outlet"] in ("Gazette", "Sentinel")
        assert sum(float(row[stance]) for stance in DEFAULT.names) == pytest.approx(1)
    shares = msgspec.json.decode((tmp_path / "made" / "out.shares.json").read_bytes(), type=PredictionShares)
    assert shares.rows[0].n == len(rows)
    assert shares.power is None
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [f"out.{ending}", "out.shares.json"]
    before = file.read_bytes()
    assert f"unchanged: made/out.{ending}" in run_command(tmp_path, *arguments)
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "new", "work"]


# --- what people settled


def test_the_settled_labels_stand_beside_the_models_shares(project: Path) -> None:
    work = project / "work"
    out = run_command(project, "predict")
    rows = msgspec.json.decode((work / "shares.json").read_bytes(), type=PredictionShares).rows
    article = {row["article_id"]: row["outlet"] for row in pq.read_table(work / "articles.parquet").to_pylist()}
    settled = {
        row["sentence_id"]: row["stance"] for row in map(json.loads, (work / "verdicts.jsonl").read_text().splitlines())
    }
    sentences = _sentences(work)
    of_copies = {row["copy_id"]: settled[row["sentence_id"]] for row in sentences if row["sentence_id"] in settled}
    for outlet in ("Gazette", "Sentinel"):
        units = {row["copy_id"] for row in sentences if article[row["article_id"]] == outlet} & of_copies.keys()
        for row in rows:
            if (row.kind, row.name) == ("outlet", outlet):
                assert row.settled is not None
                assert row.settled_labels == len(units)
                assert row.settled.value == pytest.approx(
                    sum(of_copies[unit] == row.stance for unit in units) / len(units)
                )
    assert sum(" settled " in line for line in out.splitlines()) >= 5


@pytest.mark.parametrize("better", [True, False])
def test_a_model_that_is_not_shown_to_be_better_than_one_label_is_called_so(
    project: Path, tmp_path: Path, better: bool
) -> None:
    _news(tmp_path / "news", 3, 3)
    shutil.copytree(project / "work" / "model", tmp_path / "model")
    metrics = read_metrics(tmp_path / "model")
    high = Estimate(value=0.9, low=0.8, high=0.95)
    low = Estimate(value=0.2, low=0.1, high=0.3 if better else 0.85)
    test = msgspec.structs.replace(
        metrics.test, f_avg=high, majority=msgspec.structs.replace(metrics.test.majority, f_avg=low)
    )
    (tmp_path / "model" / "metrics.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(metrics, test=test)))
    done = predict_articles([tmp_path / "news"], tmp_path / "model", tmp_path / "out.csv", CorpusSettings())
    said = "\n".join(predicted(done))
    assert ("not show that the model is better than always giving" in said) is not better
    assert ("So the raw shares are no findings." in said) is not better
    (tmp_path / "model" / "metrics.json").unlink()
    again = predict_articles([tmp_path / "news"], tmp_path / "model", tmp_path / "out.csv", CorpusSettings())
    assert "no findings" not in "\n".join(predicted(again)), "a model without scores predicts all the same"


def test_texts_that_a_spreadsheet_could_run_are_defused_in_csv_alone(project: Path, tmp_path: Path) -> None:
    write_bytes(tmp_path / "news" / "a.txt", b'=HYPERLINK("https://evil.example","here") is what he wrote on Monday.\n')
    for ending, sign in (("csv", "'"), ("jsonl", "")):
        out = tmp_path / f"out.{ending}"
        done = predict_articles([tmp_path / "news"], project / "work" / "model", out, CorpusSettings())
        lines = out.read_text("utf-8").splitlines()
        (row,) = csv.DictReader(lines) if sign else map(json.loads, lines)
        assert row["text"].startswith(f"{sign}=HYPERLINK")
        said = "1 cell that a spreadsheet could run as formulas begins with an apostrophe in out.csv"
        assert (said in "\n".join(predicted(done))) is bool(sign)


# --- what cannot be


def test_failures_are_one_message_and_leave_nothing(project: Path, tmp_path: Path) -> None:
    model, news, out = project / "work" / "model", tmp_path / "news", tmp_path / "out.csv"
    _news(news, 3, 3)
    settings = CorpusSettings()
    with pytest.raises(ExamplesError, match=r"model\.json is not there: run `stance train` first"):
        predict_articles([news], tmp_path, out, settings)
    with pytest.raises(SourceError, match=r"out\.txt: expected a file that ends in \.parquet, \.csv or \.jsonl"):
        predict_articles([news], model, tmp_path / "out.txt", settings)
    with pytest.raises(SourceError, match="no such file or folder"):
        predict_articles([tmp_path / "gone"], model, tmp_path / "new" / "out.csv", settings)
    (tmp_path / "none.txt").write_text("ADVERTISEMENT\n")
    with pytest.raises(SourceError, match="no article has any prose"):
        predict_articles([tmp_path / "none.txt"], model, out, settings)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "model").symlink_to(model)
    with pytest.raises(TableError, match="run `stance build` first"):
        predict_corpus(tmp_path / "empty", TARGET)
    with pytest.raises(UsageError, match="expected MODEL, SOURCES and --out"):
        run_command(tmp_path, "predict", str(model))
    predict_articles([news], model, news / "out.csv", settings)
    before = (news / "out.csv").read_bytes()
    with pytest.raises(SourceError, match=r"out\.csv: it is one of the sources itself"):
        predict_articles([news], model, news / "out.csv", settings)
    assert (news / "out.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "news", "none.txt"]
    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["model"]


def test_a_model_of_another_version_is_one_message(project: Path, tmp_path: Path) -> None:
    _news(tmp_path / "news", 3, 3)
    model = load_model(project / "work" / "model")
    (pipeline,) = model.pipelines.values()
    pipeline.named_steps["logistic"].classes_ = np.array(["con", "none", "pro"])
    save(model, tmp_path / "model")
    with pytest.raises(ExamplesError, match="expected classes of favor, against, none"):
        predict_articles([tmp_path / "news"], tmp_path / "model", tmp_path / "out.csv", CorpusSettings())
    (tmp_path / "model" / "model.skops").write_bytes(b"PK nothing")
    with pytest.raises(ExamplesError, match="cannot be opened"):
        predict_articles([tmp_path / "news"], tmp_path / "model", tmp_path / "out.csv", CorpusSettings())
    assert not (tmp_path / "out.csv").exists()


def test_a_failure_halfway_keeps_the_last_predictions(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = project / "work"
    predict_corpus(work, TARGET)
    files = sorted(path for path in work.iterdir())
    before = (work / "predictions.parquet").read_bytes()

    def fail(_done: int, _total: int) -> None:
        raise StanceError("stop")

    with pytest.raises(StanceError, match="stop"):
        predict_corpus(work, TARGET, fail)
    assert sorted(work.iterdir()) == files
    assert (work / "predictions.parquet").read_bytes() == before
