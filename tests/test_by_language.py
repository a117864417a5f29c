"""A project in several languages: agreement and scores of each, where there is more than one."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from corpus.records import ARTICLES, CorpusSettings
from corpus.store import write_table
from corpus.tables import read_table
from labeling.messages.status import show_status
from labeling.scheme import DEFAULT
from labeling.status import read_status
from tests.conftest import copy_tables
from train.archive.predict_archive import predict_archive
from train.evaluate.mistakes import read_languages
from train.examples.from_verdicts import from_verdicts
from train.messages import trained
from train.predict.predict import predict_corpus
from train.predict.shares_table import show
from train.report.page import report
from train.settings import TrainSettings
from train.train_model import FromVerdicts, train


def _in_two_languages(tables: Path, tmp_path: Path) -> Path:
    """The tables of a finished project whose articles are by turns in German and in a language that is not known."""
    work = tmp_path / "work"
    copy_tables(tables, work)
    rows = read_table(work / "articles.parquet", ARTICLES, "").to_pylist()
    for n, row in enumerate(rows):
        row["language"] = "de" if n % 2 else ""
    write_table(work / "articles.parquet", pa.Table.from_pylist(rows, schema=ARTICLES))
    return work


def test_agreement_and_scores_are_given_by_language(finished: Path, tmp_path: Path) -> None:
    work = _in_two_languages(finished / "work", tmp_path)
    status = read_status(work)
    assert list(status.languages) == ["", "de"]
    assert sum(row.sentences for row in status.languages.values()) == status.agreement.sentences
    text = show_status(status)
    assert "language" in text
    assert "not known" in text
    examples, splits = from_verdicts(work, "t", TrainSettings())
    done = train(examples, work / "model", TrainSettings(), project=FromVerdicts(work=work, splits=splits))
    testing = [row.sentence_id for row in examples if row.split == "test"]
    languages = read_languages(work, testing)
    scores = done.analysis.languages
    assert {code: row.n for code, row in scores.items()} == {
        code: sum(languages[key] == code for key in testing) for code in ("", "de")
    }
    right = sum(row.accuracy * row.n for row in scores.values()) / len(testing)
    assert right == pytest.approx(done.metrics.test.accuracy.value)
    assert any(
        line.startswith("F_avg on test by language (sentences): not known") for line in trained(done, work, work)
    )
    report(work, "t")
    page = (work / "report.html").read_text("utf-8")
    assert "alpha, sentences in de" in page
    assert "By language of the article." in page


def test_a_project_in_one_language_has_no_such_table(finished: Path) -> None:
    assert (
        len({row["language"] for row in read_table(finished / "work" / "articles.parquet", ARTICLES, "").to_pylist()})
        == 1
    )
    assert read_status(finished / "work").languages == {}


def test_shares_are_given_by_language_by_projects_and_archives_alike(finished: Path, tmp_path: Path) -> None:
    one = predict_corpus(_copied(finished / "work", tmp_path / "one"), "t").shares
    assert {row.kind for row in one.rows} == {"all", "outlet", "month"}
    work = _in_two_languages(finished / "work", tmp_path)
    several = predict_corpus(work, "t").shares
    rows = [row for row in several.rows if row.kind == "language"]
    assert [row.name for row in rows] == ["", "", "", "de", "de", "de"]
    whole = [row for row in several.rows if row.kind == "all"]
    assert whole == [row for row in one.rows if row.kind == "all"]
    for stance, total in zip(DEFAULT.names, whole, strict=True):
        parts = [row for row in rows if row.stance == stance]
        assert sum(row.n * row.raw.value for row in parts) == pytest.approx(total.n * total.raw.value)
    assert "by language" in show(several)
    assert "not known" in show(several)
    archive = predict_archive([work], work / "model", tmp_path / "scores", CorpusSettings()).shares
    assert [(row.kind, row.name, row.stance, row.n, row.raw) for row in archive.rows] == [
        (row.kind, row.name, row.stance, row.n, row.raw) for row in several.rows
    ]


def _copied(tables: Path, project: Path) -> Path:
    project.mkdir()
    copy_tables(tables, project / "work")
    return project / "work"
