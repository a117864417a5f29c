"""Lines that other people's texts have: wrapped, leading in, labels, links, markers of a truncated text."""

from __future__ import annotations

import textwrap

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.records import CorpusSettings, Span
from corpus.sentences import line_kinds
from corpus.sentences.cut_articles import cut_articles

HEAD = "Town closes old bridge\n\nThe bridge was shut on Monday.\n\n"
TAIL = "\n\nThe vote was seven to four."
STORY = [
    "The ferry Northern Star left the pier of Lake Harbor at dawn on Monday with Governor Ruth Moss, two aides and "
    "nine reporters on board for the islands of Saint Anne, where the cable was cut in May.",
    "The storm had passed, and the Berg company said that power would be back by Friday.",
]


def pieces(text: str) -> list[tuple[str, str]]:
    """The kind and text of each piece, after a check that each character is covered once."""
    batch = pa.RecordBatch.from_pydict({"article_id": ["a"], "title": [""], "extractor": ["plain"], "text": [text]})
    rows = cut_articles(batch, CorpusSettings()).to_pylist()
    covered = [0] * len(text)
    for row in rows:
        assert row["kind"] != "sentence" or row["text"] == text[row["start"] : row["end"]]
        for at in range(row["start"], row["end"]):
            covered[at] += 1
    assert all(
        count == 1 or (character.isspace() and not count) for count, character in zip(covered, text, strict=True)
    )
    return [(row["kind"], text[row["start"] : row["end"]]) for row in rows]


def sentences(text: str) -> list[str]:
    return [" ".join(body.split()) for kind, body in pieces(text) if kind == "sentence"]


@pytest.mark.parametrize("width", [30, 40, 65, 72, 78, 80])
@pytest.mark.parametrize("indent", ["", "   "])
def test_wrapped_text_has_the_sentences_of_the_same_text_unwrapped(width: int, indent: str) -> None:
    wrapped = textwrap.fill(" ".join(STORY), width, initial_indent=indent)
    assert sentences(f"Power still off\n\n{wrapped}\n") == STORY


def test_an_indented_first_line_starts_a_paragraph_of_wrapped_text() -> None:
    text = (
        "Town closes old bridge\n\n   Mayor Ruth Dane said the bridge had been unsafe since a storm in\n"
        "March and that repairs would cost too much. Nobody else spoke.\n   The vote was seven to four, with one "
        "member absent.\n"
    )
    assert len(sentences(text)) == 3
    assert sentences(text)[1:] == ["Nobody else spoke.", "The vote was seven to four, with one member absent."]


def test_a_name_above_a_wrapped_paragraph_stays_out_of_its_sentence() -> None:
    text = (
        "Singer leaves band\n\nKate Holm\nThe singer Kate Holm, who in 2008 won the\nNorthern Music Prize for the best "
        "song of the year, has left\nthe band that made her known.\n"
    )
    assert sentences(text)[-1].startswith("The singer Kate Holm, who in 2008 won the Northern Music Prize")


@pytest.mark.parametrize("heading", ["What comes next", "A bridge too far", "Costs", "Who pays for the ferry"])
def test_a_heading_between_paragraphs_stays_a_heading(heading: str) -> None:
    assert ("heading", heading) in pieces(f"{HEAD}{heading}\n\nIt rained on Tuesday.")


@pytest.mark.parametrize("line", ["Alluding to the storm, Mayor Dane declared,", "Then Jo Holm of the council said:"])
def test_a_line_that_leads_in_a_quotation_is_prose(line: str) -> None:
    assert line in " ".join(sentences(f"{HEAD}{line}\n\n“We have lost two boats.”{TAIL}"))


@pytest.mark.parametrize("label", ["Send To:", "Narrowed by:", "Read more:", "Search terms:", "SOURCE:"])
def test_a_label_that_ends_in_a_colon_is_no_sentence(label: str) -> None:
    assert label not in sentences(f"{HEAD}{label}{TAIL}")


@pytest.mark.parametrize("line", ["They want three things:", "The mayor gave two reasons for it:", "He said:"])
def test_a_sentence_with_a_verb_that_ends_in_a_colon_is_prose(line: str) -> None:
    assert line in " ".join(sentences(f"{HEAD}{line}\n\nThe first is money.{TAIL}"))


@pytest.mark.parametrize(
    "line",
    [
        "™ & © 2024 Harbor News Network, Inc., a Harbor Media Company. All rights reserved.",
        "TM and © 2024 Harbor News.",
        "(TM) & (C) 2024 Harbor News Network.",
        "® © Harbor News.",
        "© & ™ 2024 Harbor News.",
    ],
)
def test_a_copyright_line_with_a_trade_mark_is_a_credit(line: str) -> None:
    assert ("credit", line) in pieces(f"{HEAD}{line}")


@pytest.mark.parametrize("line", ["TM Holdings rose on Monday.", "Copyright law is changing fast."])
def test_a_sentence_about_a_trade_mark_is_prose(line: str) -> None:
    assert line in sentences(f"{HEAD}{line}{TAIL}")


def test_bullets_of_links_are_no_sentences_but_bullets_of_sentences_are() -> None:
    links = "- The Struggle to Save Lives Inside the Island Hospitals\n- Why the Governor Will Not Come to Town"
    assert sentences(f"{HEAD}More Must-Reads From the Herald\n{links}") == ["The bridge was shut on Monday."]
    listed = "1. The bridge is old.\n2. The ferry is slow."
    assert len(sentences(f"{HEAD}{listed}")) == 3


@pytest.mark.parametrize(
    "speaker", ["Anna Moss Lake Harbor Harbor Master", "Jo Holm Mayor of Sund", "– Ada Kern, voter"]
)
def test_the_speaker_below_a_pull_quote_is_no_part_of_its_sentence(speaker: str) -> None:
    quote = "“We must think of new ways to help, I am thinking of boats,”"
    assert quote in sentences(f"{HEAD}{quote}\n{speaker}\n\n“Some of it could need a presence there.”")


@pytest.mark.parametrize("marker", ["[+1234 chars]", "[1234 chars]", "[+1,234 characters]", "(more…)", "[Read more]"])
def test_the_marker_of_a_truncated_text_is_no_part_of_a_sentence(marker: str) -> None:
    assert pieces(f"{HEAD}Opponents in… {marker}")[-1] == ("other", marker)
    assert sentences(f"{HEAD}Opponents in… {marker}")[-1] == "Opponents in…"


def test_a_bracket_of_the_prose_is_no_marker() -> None:
    assert sentences(f"{HEAD}He wrote that it were [sic].")[-1].endswith("[sic].")


@given(
    st.lists(st.sampled_from(["The ferry left with", "Mayor", "it rained.", "[+12 chars]", "- A", "To:", "", "  x,"]))
)
def test_each_character_is_covered_once(parts: list[str]) -> None:
    pieces("\n".join(parts))


def test_what_a_reader_knows_about_lines_goes_before_the_rules() -> None:
    text = "12 January 2031\nThe bridge was shut. It will open again.\nThe Sund Post, page 3. All of it.\nNobody spoke."
    head, foot = text.index("The bridge"), text.index("The Sund")
    marks = [Span(0, head - 1, "other", "running head"), Span(foot, text.index("\nNobody"), "footer", "page number")]
    kinds = [(span.kind, span.reason, text[span.start : span.end]) for span in line_kinds.lines(text, marks=marks)]
    assert kinds == [
        ("other", "running head", "12 January 2031"),
        ("prose", "final punctuation", "The bridge was shut. It will open again."),
        ("footer", "page number", "The Sund Post, page 3. All of it."),
        ("prose", "final punctuation", "Nobody spoke."),
    ]


def test_the_wording_of_a_line_says_more_than_its_place_beside_the_article() -> None:
    text = "The bridge was closed at noon.\n\nRead also: Five roads that stay open this winter\n\nRain over the harbor"
    second, third = text.index("Read also"), text.index("Rain over")
    marks = [Span(second, third - 2, "other", "link"), Span(third, len(text), "other", "link")]
    assert [(span.kind, span.reason) for span in line_kinds.lines(text, marks=marks)] == [
        ("prose", "final punctuation"), ("ad", "recommended"), ("other", "link"),
    ]  # fmt: skip
    author = [Span(second, third - 2, "footer", "about the author")]
    assert line_kinds.lines(text, marks=author)[1].kind == "footer"
