"""Datelines: what a wire's lead opens with, in the styles of agencies and papers, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.build import build
from corpus.near_duplicates import compared, group, near_duplicates, normalise
from corpus.records import SENTENCES, CorpusSettings
from corpus.sentences.datelines import without_dateline
from corpus.sentences.split import sentence_spans
from corpus.tables import read_table
from tests.support.copies import DATELINES

LEAD = "The council of Lake Harbor voted on Monday to close the old bridge after weeks of debate."


@pytest.mark.parametrize("dateline", DATELINES)
def test_a_lead_without_its_dateline_is_the_lead(dateline: str) -> None:
    assert without_dateline(dateline + LEAD) == LEAD
    assert without_dateline(f"{dateline}“We go,” they said.") == "“We go,” they said."


@pytest.mark.parametrize("dateline", DATELINES)
def test_a_dateline_stays_in_its_sentence(dateline: str) -> None:
    text = f"It rained. {dateline}{LEAD} It rained."
    assert [text[start:end] for start, end in sentence_spans(text)] == ["It rained.", dateline + LEAD, "It rained."]


@pytest.mark.parametrize(
    "text",
    [
        "The council – which met – voted on Monday.",
        "NATO – which met on Monday – voted.",
        "Ruth Holm, 43 – She voted – left the room.",
        "Dr. Ruth Holm, born in Sund in 1999 – A life.",
        "Holm – She voted.",
        "Holm, Moss and Berg – The three – left.",
        "Ruth Holm: The council voted.",
        "Ruth Holm (Bank of Sund): The council voted.",
        "Acme Co. (Japan) -- $100 million of bonds.",
        "Holm (Labour) voted on Monday.",
        "The Times (Reuters) said so.",
        "It fell (AP) and rose.",
        "By Monday – The day of the vote.",
        "On Monday, March 3 – The day of the vote – they met.",
        "In 2031 – The year of the vote.",
        "THE COUNCIL MEETS – IT WILL VOTE TODAY.",
        "Chicago-based Acme – The firm – fell.",
        "“PARIS – The talks” is a book.",
        "PARIS – ",
        "A – B is this.",
        "",
    ],
)
def test_what_only_looks_like_a_dateline_stays(text: str) -> None:
    assert without_dateline(text) == text


@given(
    st.lists(st.sampled_from([*DATELINES, "(", "[AP] ", "a, ", "– ", "PARIS", "By ", "3", LEAD]), max_size=6).map(
        "".join
    )
)
def test_only_the_start_of_a_text_goes(text: str) -> None:
    lead = without_dateline(text)
    assert text.endswith(lead)
    assert (lead == "") == (text == "")


def test_a_lead_is_near_the_same_lead_with_any_dateline() -> None:
    texts = [LEAD, *(dateline + LEAD for dateline in DATELINES), LEAD.replace("Monday", "Tuesday")]
    assert set(near_duplicates([*texts, "The council of Lake Harbor met on Monday."])[:-1]) == {0}


def test_a_wire_edited_under_many_datelines_is_one_cluster() -> None:
    # More than a block of a bucket holds, each with a place and a date of its own.
    letters = "ABCDEFGHIJKL"
    places = [f"LAKE {one}{two}O" for one in letters for two in letters]
    texts = [f"{place}, Jan. {1 + number % 28} (Reuters) - {LEAD}" for number, place in enumerate(places)]
    texts += [f"{place} (AP) — {LEAD.replace('old', f'old{place[5]}')}" for place in places[::12]]
    assert set(near_duplicates(texts)) == {0}


def test_a_dateline_joins_no_strangers() -> None:
    dateline = DATELINES[0]
    texts = [
        f"{dateline}{LEAD}",
        f"{dateline}Shares in Acme fell by a tenth after its chairman resigned without a word.",
        "Shares in Bolt rose by a third before its founder returned to applause.",
        f"{dateline}He left early.",
        "He left early.",
        f"{dateline}They stayed late.",
    ]
    assert near_duplicates(texts) == [0, 1, 2, 3, 4, 5]


def test_a_lead_with_a_dateline_is_no_copy() -> None:
    text = DATELINES[0] + LEAD
    assert normalise(text) != normalise(LEAD)
    assert compared(text, normalise(text)) == normalise(LEAD)


def test_a_lead_of_under_five_words_joins_its_equals_only() -> None:
    text = "PARIS, Jan. 11 (AP) — He left early."
    assert compared(text, normalise(text)) == ""
    assert near_duplicates(
        [text, text.replace("left", "came"), text + "!", "He left early.", "PARIS (AP) — He left early."]
    ) == [
        0,
        1,
        0,
        3,
        4,
    ]


def test_a_build_finds_the_leads_that_belong_together(tmp_path: Path) -> None:
    news = tmp_path / "news"
    news.mkdir()
    (news / "wire.txt").write_text(f"{DATELINES[0]}{LEAD} It rained on all who had come to watch.\n")
    (news / "paper.txt").write_text(f"{LEAD} Nobody in the hall had expected it.\n")
    build([str(news)], tmp_path / "out", CorpusSettings(root=str(news)), workers=1)
    rows = read_table(tmp_path / "out" / "sentences.parquet", SENTENCES, "").to_pylist()
    paper, _, wire, _ = rows
    assert (wire["text"], paper["text"]) == (DATELINES[0] + LEAD, LEAD)
    assert wire["cluster_id"] == paper["cluster_id"]
    assert wire["copy_id"] == wire["sentence_id"]
    found = group([row["sentence_id"] for row in rows], [row["text"] for row in rows])
    assert found == ([row["copy_id"] for row in rows], [row["cluster_id"] for row in rows])
