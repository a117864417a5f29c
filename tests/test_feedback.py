"""What an annotator is shown about the own answers: differences from the verdicts, and nobody else's name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from click.testing import CliRunner

from corpus.errors import ConfigError
from corpus.records import SENTENCES
from corpus.store import table_path, write_jsonl, write_table
from corpus.tables import read_table
from labeling.adjudicate import adjudicate
from labeling.codebook import Change, Codebook
from labeling.feedback.annotator_page import write_page
from labeling.feedback.differences import Feedback, read_feedback, show_feedback
from labeling.records import Adjudication, LabelingSettings
from labeling.scheme import DEFAULT
from stance.command_line import cli
from tests.conftest import HOSTILE, Run, book, vote
from tests.support.corpora import corpus_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HEBREW = "הממשלה הודיעה שהיא תומכת בתוכנית החדשה."
NOTE = f"A2 and Mira@Example.org read it as A12 did {HOSTILE}"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Six sentences: A1 differs from the verdicts on s0, s1 and s2; s4 has the vote of A1 alone, s5 is open."""
    work = tmp_path / "work"
    corpus_of(work, {f"s{n}": f"s{n}" for n in range(6)})
    rows = read_table(work / "sentences.parquet", SENTENCES, "").to_pylist()
    rows = [row | {"text": HEBREW if n == 0 else f"{HOSTILE} {n}"} for n, row in enumerate(rows)]
    write_table(work / "sentences.parquet", pa.Table.from_pylist(rows, schema=SENTENCES))
    answers = [vote(f"s{n}", "A1", "neutral" if n < 4 else "favor", codebook="1.0") for n in range(6)]
    others = {"s0": "against", "s1": "favor", "s2": "favor", "s3": "none"}
    answers += [vote(key, who, label, codebook="1.1") for key, label in others.items() for who in ("A2", "A12")]
    write_jsonl(table_path(work, "annotations.jsonl"), [*answers, vote("s5", "A2", "none", codebook="1.1")])
    settled = Adjudication(
        sentence_id="s0", adjudicator="A2", stance="favor", votes={"A1": "neutral"}, note=NOTE, codebook="1.1"
    )
    write_jsonl(table_path(work, "adjudications.jsonl"), [settled])
    adjudicate(work, LabelingSettings(), codebook=_book())
    return work


def _book() -> Codebook:
    return book("1.1", Change(version="1.1", reopens=frozenset(), renames={"neutral": "none"}))


def _feedback(work: Path, annotator: str = "A1") -> Feedback:
    return read_feedback(work, annotator, ["mira@example.org", "A1"], _book(), DEFAULT)


def test_an_annotators_votes_are_compared_with_verdicts_that_others_had_a_part_in(work: Path) -> None:
    found = _feedback(work)
    assert (found.votes, found.compared, found.same) == (6, 4, 1)
    assert found.table["none"] == {"favor": 3, "against": 0, "none": 1}
    assert [(row.sentence_id, row.given, row.verdict, row.how) for row in found.differences] == [
        ("s0", "none", "favor", "adjudicated"),
        ("s1", "none", "favor", "majority"),
        ("s2", "none", "favor", "majority"),
    ]
    text = show_feedback(found)
    assert text.startswith(
        "A1 gave 6 votes, 5 of them on sentences that others labelled or settled, too\n"
        "the same label as others gave there: 2 of 9 votes (22.2 %)\n"
        "the same label as is settled: 1 of 4 (25.0 %), in which the votes of A1 count; 1 is open\n"
    )
    assert "voted none, settled as favor: 3" in text
    with pytest.raises(ConfigError, match=r"nobody called 'A7' has given an answer; these have: A1, A12, A2"):
        _feedback(work, "A7")


def test_what_two_annotators_left_open_is_not_taken_for_agreement(work: Path) -> None:
    """Where two people vote, what is settled is what they agree on: 100 % of it is no praise."""
    labels = ["none"] * 3 + ["favor"] * 3
    answers = [vote(f"s{n}", who, "none" if who == "A2" else labels[n]) for n in range(6) for who in ("A1", "A2")]
    write_jsonl(table_path(work, "annotations.jsonl"), answers)
    table_path(work, "adjudications.jsonl").unlink()
    write_jsonl(work / "verdicts.jsonl", [])
    assert show_feedback(_feedback(work)).endswith("none of these sentences is settled yet")
    adjudicate(work, LabelingSettings())
    assert show_feedback(_feedback(work)).startswith(
        "A1 gave 6 votes, 6 of them on sentences that others labelled or settled, too\n"
        "the same label as others gave there: 3 of 6 votes (50.0 %)\n"
        "the same label as is settled: 3 of 3 (100.0 %), in which the votes of A1 count; 3 are open"
    )


def test_the_page_names_nobody_else_and_loads_nothing(work: Path) -> None:
    changed, path = write_page(work, _feedback(work), DEFAULT, "a target")
    page = path.read_text("utf-8")
    assert changed
    assert path.name == "annotator-A1.html"
    assert not re.search(r"\bA2\b|\bA12\b|mira", page, re.IGNORECASE)
    assert "another annotator and another annotator read it as another annotator did" in page
    assert page.count('<p class="text" dir="auto">') == 3
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("Content-Security-Policy", "")
    assert not write_page(work, _feedback(work), DEFAULT, "a target")[0]


def test_the_page_shows_each_text_in_its_own_direction(work: Path, browser: Browser) -> None:
    _, path = write_page(work, _feedback(work), DEFAULT, "a target")
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    directions = page.locator("p.text").evaluate_all("rows => rows.map(row => getComputedStyle(row).direction)")
    assert directions == ["rtl", "ltr", "ltr"]
    assert page.title() == "Labels of A1 beside the verdicts"  # no markup of a text became the page's own
    assert page.locator("p.text").first.evaluate("row => getComputedStyle(row).fontWeight") == "600"  # the style counts
    assert said == []
    page.close()


def test_the_command_writes_the_page_and_says_where(work: Path) -> None:
    folder = work.parent
    (folder / "stance.toml").write_text('[target]\nname = "a tunnel"\n', "utf-8")
    front = "---\nversion: 1.1\nreopens: []\nrenames: {neutral: none}\n---\n# Codebook\n"
    (folder / "codebook.md").write_text(front, "utf-8")
    stance = Run(folder)
    said = stance("status", "--annotator", "a1", "--html")
    assert "the same label as is settled: 1 of 4 (25.0 %)" in said
    assert "work/annotator-A1.html" in said
    assert "unchanged" in stance("status", "--annotator", "A1", "--html")
    assert "voted none, settled as favor: 3" in stance("status", "--annotator", "A1")
    assert json.loads(stance("status", "--annotator", "A1", "--json"))["same"] == 1
    wrong = CliRunner().invoke(cli, ["-C", str(folder), "status", "--html"])
    assert wrong.exit_code == 2
    assert "goes with --annotator NAME" in wrong.output
