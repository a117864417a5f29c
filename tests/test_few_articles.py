"""A project of few articles: no interval is written or drawn where there is none, and that is said once."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from corpus.build import build
from corpus.records import SENTENCES, CorpusSettings
from corpus.store import table_path, write_bytes, write_jsonl
from corpus.tables import read_table
from labeling.adjudicate import adjudicate
from labeling.records import LabelingSettings
from labeling.scheme import DEFAULT
from labeling.statistics.intervals import Estimate, percent, shown
from tests.conftest import vote
from tests.support.labelled_texts import WORDS
from train.evaluate.analysis import read_analysis
from train.evaluate.calibration import Bin, Calibration, Recalibration
from train.examples.from_verdicts import from_verdicts
from train.messages import trained
from train.predict.shares import PredictionShares, ShareRow, SharesOf
from train.report import corpus_sentences, methods, sentences, svg_plots, svg_shapes
from train.report.article_view import ShownCorpus
from train.report.page import report
from train.report.project_snapshot import gather
from train.settings import Settings, TrainSettings
from train.train_model import FromVerdicts, Trained, train

TARGET = "the bridge"
NONE = Estimate(value=0.25, low=0.0, high=1.0)
"""A score without an interval, as it is in files."""
SAID = "The scores have no intervals: the test split has 2 groups of articles, and an interval takes at least 5."


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    """A project of ten articles, of which two are in the test split."""
    folder = tmp_path_factory.mktemp("few")
    chance = np.random.default_rng(7)
    everything = [word for words in WORDS.values() for word in words]
    for n in range(10):
        lines = []
        for m in range(9):
            words = [*chance.choice(WORDS[DEFAULT.names[m % 3]], 4), *chance.choice(everything, 5), f"item{n}x{m}"]
            lines.append("Report: " + " ".join(words) + ".")
        write_bytes(folder / "news" / f"{n}.txt", "\n\n".join(lines).encode())
    build([str(folder / "news")], folder / "work", CorpusSettings(root=str(folder / "news")))
    work = folder / "work"
    rows_of = read_table(work / "sentences.parquet", SENTENCES, "").to_pylist()
    answers = [
        vote(row["sentence_id"], name, DEFAULT.names[int(chance.integers(3))] if n % 4 == 0 else _label(row["text"]))
        for n, row in enumerate(rows_of)
        for name in ("A1", "A2", "A3")
    ]
    write_jsonl(table_path(work, "annotations.jsonl"), answers)
    adjudicate(work, LabelingSettings())
    examples, splits = from_verdicts(work, TARGET, TrainSettings())
    done = train(examples, work / "model", TrainSettings(), project=FromVerdicts(work=work, splits=splits))
    cells: list[tuple[SharesOf, str]] = [("all", ""), ("outlet", "Gazette"), ("month", "2031-01")]
    rows = [
        ShareRow(kind=kind, name=name, n=9, stance=stance, raw=NONE, corrected=None, labelled=0)
        for kind, name in cells
        for stance in DEFAULT.names
    ]
    write_bytes(work / "shares.json", msgspec.json.encode(PredictionShares(model="m", power=None, notes=[], rows=rows)))
    return work, done


def _label(text: str) -> str:
    kinds = [stance for stance in DEFAULT.names for word in text.split() if word.strip(".") in WORDS[stance]]
    return max(DEFAULT.names, key=kinds.count)


def test_the_page_writes_no_interval_where_there_is_none(project: tuple[Path, Trained]) -> None:
    work, done = project
    assert done.metrics.test.groups == 2
    report(work, TARGET)
    page = (work / "report.html").read_text("utf-8")
    assert "[0.000, 1.000]" not in page
    assert "[0.0, 100.0]" not in page
    assert "[-100.0, +100.0]" not in page
    assert page.count("too few articles for an interval") == 0
    assert "intervals are wide" not in page
    assert "known to be too narrow" not in page
    assert "95 % intervals by bootstrap over groups" not in page
    assert SAID in page
    assert "without intervals, which take at least 5 articles" in page


def test_the_page_says_what_it_shows_in_words_that_stand_beside_labels(project: tuple[Path, Trained]) -> None:
    work, _ = project
    report(work, TARGET)
    page = (work / "report.html").read_text("utf-8")
    assert "90 prose sentences; none of them is an exact copy of another one." in page
    assert "No line was kept apart as not prose." in page
    assert not re.search(r"\d % against \d", page)
    assert re.search(r"\d\.\d % sure; (favor|against|none) \d+\.\d %", page)
    assert re.search(r"words that pushed it from (favor|against|none) to (favor|against|none): <code><bdi>", page)
    assert "nothing need be estimated" not in page


def test_copies_and_lines_that_are_not_prose_are_told_as_the_build_tells_them() -> None:
    corpus = ShownCorpus(
        articles=2,
        sentences=9,
        copies=1,
        clusters=1,
        outlets=[],
        without_outlet=2,
        dates=[],
        kinds=[("heading", 2), ("ad", 1)],
        drawn=[],
    )
    assert corpus_sentences.copies_sentence(corpus) == (
        "1 of them is an exact copy of another one: the same but for case, punctuation, and the kinds of spaces and "
        "quotation marks. Near-duplicates, exact copies included, form 1 cluster."
    )
    assert (
        corpus_sentences.not_prose_sentence(corpus) == "3 lines are not prose and are kept apart: 2 headings, 1 advert."
    )


@pytest.mark.parametrize(
    ("outlets", "without_outlet", "without_date", "said"),
    [
        (7, 0, 0, "10 articles from 7 outlets, 2024-02-27 to 2024-03-11"),
        (7, 3, 2, "10 articles (7 name one of 7 outlets, 2 have no date), 2024-02-27 to 2024-03-11"),
        (1, 9, 0, "10 articles (1 names an outlet), 2024-02-27 to 2024-03-11"),
        (1, 4, 1, "10 articles (6 name the same outlet, 1 has no date), 2024-02-27 to 2024-03-11"),
        (0, 10, 0, "10 articles, 2024-02-27 to 2024-03-11"),
        (2, 0, 10, "10 articles from 2 outlets"),
    ],
)
def test_outlets_and_dates_are_not_said_of_articles_that_name_none(
    outlets: int, without_outlet: int, without_date: int, said: str
) -> None:
    corpus = ShownCorpus(
        articles=10,
        sentences=90,
        copies=0,
        clusters=0,
        outlets=[(f"Outlet {n}", 1) for n in range(outlets)],
        without_outlet=without_outlet,
        without_date=without_date,
        dates=[] if without_date == 10 else ["2024-02-27", "2024-03-11"],
        kinds=[],
        drawn=[],
    )
    assert corpus_sentences.articles_words(corpus) == said


def test_each_segment_that_has_room_for_it_names_its_label() -> None:
    counts = {"favor": 20, "against": 20, "none": 60}
    drawn = svg_plots.stacked(counts, svg_shapes.tones(list(counts)), "Labels")
    shown = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert shown == ["favor", "20 %", "against", "20 %", "none 60 %"]


def test_the_files_keep_their_numbers(project: tuple[Path, Trained]) -> None:
    work, done = project
    assert (done.metrics.test.f_avg.low, done.metrics.test.f_avg.high) == (0, 1)
    curve = read_analysis(work / "model").curve
    assert curve is not None
    assert {(step.f_avg.low, step.f_avg.high) for step in curve.steps} == {(0, 1)}


def test_the_terminal_says_once_why_there_are_no_intervals(project: tuple[Path, Trained]) -> None:
    work, done = project
    lines = trained(done, work / "model", work / "doubts.jsonl")
    assert sum("interval" in line for line in lines) == 1
    assert f"({SAID})" in lines
    curve = next(line for line in lines if line.startswith("From "))
    assert " labels of train and validation (" in curve
    assert curve.endswith("points, but the test articles are too few to tell whether more labels would help.")


def test_train_and_validation_are_named_where_both_were_learned_from(project: tuple[Path, Trained]) -> None:
    work, done = project
    learned = sum(done.metrics.examples[name] for name in ("train", "validation"))
    groups = sum(done.metrics.groups[name] for name in ("train", "validation"))
    assert learned > done.metrics.examples["train"]
    both = f"train and validation ({learned} sentences in {groups} groups)"
    lines = trained(done, work / "model", work / "doubts.jsonl")
    assert lines[1].startswith(f"recipe that did best in cross-validation on {both}: ")
    assert re.search(
        r": (within-word character|(once-counted )?character|word|and| )+ n-grams, C = [\d.]+ "
        r"\(F_avg, the mean F1 of favor and against: 0\.\d{3}\)$",
        lines[1],
    )
    assert any("have a near-duplicate in train or validation" in line for line in lines)
    found = gather(work, TARGET, frozenset(), Settings())
    told = methods.methods(found)
    report(work, TARGET)
    page = (work / "report.html").read_text("utf-8")
    for text in (told.markdown.replace("\\", ""), told.latex, page):
        assert f"-fold cross-validation over the groups of {both}, with an F_avg of" in text.replace("\\_", "_")
        assert "the training data" not in text
        assert f"have a near-duplicate in train or validation (all {learned * done.metrics.test.n:,} pairs" in text
    assert f"recipes tried, by cross-validation on {both}" in page


def test_methods_of_few_articles_are_short(project: tuple[Path, Trained]) -> None:
    work, _ = project
    told = methods.methods(gather(work, TARGET, frozenset(), Settings()))
    assert 2 <= len(told.paragraphs) <= 3
    assert max(len(paragraph.split()) for paragraph in told.paragraphs) <= 125
    assert " ".join(told.paragraphs).count(SAID) == 1
    assert "The test set is small (" in " ".join(told.limits)
    assert not any("interval" in limit for limit in told.limits)
    scores = next(table for table in told.tables if table.caption.startswith("Scores on the test split"))
    assert scores.caption.endswith("groups), without intervals.")
    assert all("(" not in cell for row in scores.rows if row[0] == "model" for cell in row)


def test_nothing_is_drawn_where_there_is_no_interval(project: tuple[Path, Trained]) -> None:
    work, _ = project
    curve = read_analysis(work / "model").curve
    assert curve is not None
    drawn = svg_plots.learning(curve, "F_avg")
    assert "whisker" not in drawn
    assert "[" not in drawn
    calibration = msgspec.structs.replace(
        read_analysis(work / "model").calibration.before, bins=[Bin(confidence=0.5, accuracy=NONE, n=4)]
    )
    assert isinstance(calibration, Calibration)
    assert "thin" not in svg_plots.reliability(calibration, "Reliability", svg_shapes.ONE)
    assert "path" not in svg_plots.reliability(calibration, "Reliability", svg_shapes.ONE)
    point = svg_plots.point("2031-01", NONE)
    assert math.isnan(point.low)
    assert "thin" not in svg_plots.over_time({"favor": [point]}, svg_shapes.tones(["favor"]), "Shares")


def test_points_of_few_sentences_are_not_connected(project: tuple[Path, Trained]) -> None:
    found = read_analysis(project[0] / "model").calibration.before
    for least, connected in ((9, 0), (10, 1)):
        bins = [Bin(confidence=share, accuracy=Estimate(value=share), n=n) for share, n in ((0.5, 12), (0.7, least))]
        drawn = svg_plots.reliability(msgspec.structs.replace(found, bins=bins), "Reliability", svg_shapes.ONE)
        assert drawn.count("<polyline") == connected
        assert drawn.count("<circle") == 2


def test_page_and_json_have_the_same_intervals_and_the_page_says_why_one_is_missing(
    project: tuple[Path, Trained],
) -> None:
    work, _ = project
    report(work, TARGET)
    said = "A share without brackets, and a point without a whisker, has no interval: its sentences are of fewer than 5"
    page = (work / "report.html").read_text("utf-8")
    assert said in page
    assert "<details" not in page[page.index('<h2 id="calibration">') : page.index(said)], "beside the figures"
    numbers = json.loads((work / "report.json").read_bytes())
    bins = numbers["analysis"]["calibration"]["before"]["bins"]
    assert bins
    assert all(row["accuracy"] == {"value": row["accuracy"]["value"], "low": None, "high": None} for row in bins)
    for one in (numbers["metrics"]["test"]["f_avg"], numbers["shares"]["rows"][0]["raw"]):
        assert (one["low"], one["high"]) == (None, None)
    known = msgspec.structs.replace(
        read_analysis(work / "model").calibration.before,
        bins=[Bin(confidence=0.5, accuracy=Estimate(value=0.5, low=0.25, high=0.75), n=9)],
    )
    both = Recalibration(temperature=1.0, before=known, after=known)
    assert sentences.bins_sentence(both) == ""


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-1.0, 1.0), (math.nan, math.nan)])
def test_a_value_without_an_interval_stands_alone(ends: tuple[float, float]) -> None:
    one = Estimate(value=0.25, low=ends[0], high=ends[1])
    assert not one.is_known
    assert (shown(one), percent(one)) == ("0.250", "25.0 %")
