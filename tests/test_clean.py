"""Prose and the rest of a page, one test a class of lines; every example is invented."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.sentences import wordings
from corpus.sentences.line_kinds import lines
from tests.support.timing import least_seconds, takes_less

KINDS = {"prose", "title", "heading", "caption", "credit", "byline", "dateline", "ad", "footer", "other"}
STORY = "The council of Sund met on Monday.\n\n{}\n\n“We will build the bridge,” Mayor Jo Holm said afterwards."


def kinds(text: str, title: str = "") -> list[str]:
    return [span.kind for span in lines(text, title)]


def inside(line: str) -> str:
    """The kind of a line between two paragraphs of prose."""
    first, kind, last = kinds(STORY.format(line))
    assert first == last == "prose"
    return kind


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_a_span_is_a_line_without_the_space_around_it(end: str) -> None:
    text = f"  One is here. {end}\tTwo is\u2028here.\u00a0{end}"
    assert [text[span.start : span.end] for span in lines(text)] == ["One is here.", "Two is\u2028here."]


@pytest.mark.parametrize("title", ["A bridge for Sund?", "A Bridge for Sund", "“A bridge for Sund” – Sund Post"])
def test_the_given_title_is_found_on_any_line(title: str) -> None:
    assert kinds("Opinion\n\nIt rained.\n\nA bridge for Sund?\n\nIt rained.", title)[2] == "title"


def test_a_paragraph_that_equals_the_title_is_still_prose() -> None:
    paragraph = "The council of Sund met " + "and met again " * 10 + "on Monday."
    assert kinds(f"{paragraph}\n\nIt rained.", paragraph) == ["prose", "prose"]


def test_the_first_line_without_a_full_stop_is_the_title() -> None:
    assert kinds("Opinion\nSund wants a new bridge\n\nIt rained.") == ["heading", "title", "prose"]
    assert kinds("They Want No Bridge.\nBy Jo Holm\n\nIt rained.") == ["title", "byline", "prose"]
    assert kinds("Who needs a bridge?\nBy Jo Holm\n\nIt rained.\n\nIt poured.") == ["title", "byline", "prose", "prose"]


def test_a_first_paragraph_with_its_full_stop_is_no_title() -> None:
    assert kinds("It rained in Sund.\n\nADVERTISEMENT\n\nIt poured.") == ["prose", "ad", "prose"]


@pytest.mark.parametrize(
    "line", ["'Not our bridge'", "- 'Not our bridge' -", "- Who pays? -", "## Who pays?", "**Who pays?**", "The cost"]
)
def test_headings(line: str) -> None:
    assert inside(line) == "heading"


@pytest.mark.parametrize(
    "line",
    [
        "Mayor Jo Holm opens the bridge in Sund, Monday, March 3, 2031. (Ada Kern/Pool via CWA)",
        "Mayor Jo Holm speaks in Sund. Behind her stands Emil Rau. (Photo: Ada Kern)",
        "Workers rest on the bridge. (Ada Kern)",
        "Workers rest on the bridge in May (Photo: Ada Kern/Pool via CWA).",
        "Holm y Kern, el 1 de marzo, en Sund (Foto: Ada Kern).",
        "Workers rest on the bridge. (Presidential Office)",
        "FILE - Workers rest on the bridge in May.",
        "In this photo provided by the city of Sund, workers rest.",
    ],
)
def test_captions(line: str) -> None:
    assert inside(line) == "caption"


FURNITURE_LINES = [
    ("credit", "Copyright 2031 The Sund Post. All rights reserved."),
    ("credit", "© Sund Post"),
    ("credit", "Photo: Ada Kern"),
    ("byline", "By Jo Holm, Bridge Correspondent, and agencies"),
    ("byline", "by Oda Lund"),
    ("dateline", "SUND, Monday, March 3, 2031"),
    ("dateline", "3 March 2031, 6:40 p.m."),
    ("dateline", "SUND (CWA) —"),
    ("dateline", "Updated: March 3, 2031 at 7:30 a.m."),
    ("ad", "ADVERTISEMENT"),
    ("ad", "Story continues below advertisement"),
    ("ad", "Recommended Videos"),
    ("ad", "Also read: The bridge nobody wanted. A history"),
    ("ad", "Read the full article"),
    ("ad", "Sign up for our weekly letter."),
    ("ad", "Support independent journalism. Become a member today!"),
    ("ad", "Follow us on all channels."),
    ("ad", "Share this article"),
    ("footer", "This story has been corrected: the bridge is 3 km long."),
    ("footer", "An earlier version of this article misspelt Sund."),
    ("footer", "Post writer Ada Kern in Maarhaven contributed to this report."),
    ("footer", "Additional reporting by Ada Kern"),
    ("footer", "Follow the Post's coverage of bridges at"),
    ("footer", "Editor’s note: the bridge is long."),
    ("footer", "About the author: Jo Holm built bridges for ten years."),
    ("footer", "To suggest a correction, write to us here"),
    ("footer", "The views expressed here are her own."),
    ("footer", "(CWA) jt/ml"),
    ("other", "1 / 5"),
    ("other", "Full screen"),
    ("other", "___"),
    ("other", "3 hours ago"),
    ("other", "Loading comments..."),
    ("other", "From the section Bridges"),
    ("dateline", "posted on March 3, 2031, at 11:29 a.m."),
    ("dateline", "Posted: Monday, March 3, 2031. 10:11 pm CWT."),
    ("caption", "Workers rest on the bridge in Sund. (FILE)"),
    ("footer", "This version corrects the spelling of Sund."),
    ("footer", "This article originally appeared on Sund Daily."),
    ("footer", "Our Standards: The Sund Post Principles."),
    ("footer", "We want to hear what you think about this article. Submit a letter."),
    ("footer", "Submit your letter to the editor via this form."),
    ("footer", "For the latest stories from Sund download our apps."),
    ("ad", "Never miss the latest from Sund by signing up to our newsletter!"),
    ("ad", "[How to start the day: Get Sund Today in your inbox.]"),
    ("ad", "To view the full story, please subscribe to the Sund Post."),
    ("ad", "If you’re seeing this message but you’re already a subscriber, you can log in."),
    ("ad", "If you enjoyed reading this post – would you consider supporting us?"),
    ("ad", "Want to know more about bridges? Follow them on the radio."),
]


@pytest.mark.parametrize(("kind", "line"), FURNITURE_LINES)
def test_page_furniture(kind: str, line: str) -> None:
    assert inside(line) == kind


@given(
    line=st.sampled_from([line for _, line in FURNITURE_LINES]),
    flips=st.lists(st.booleans(), min_size=1, max_size=9),
    begin=st.sampled_from(["", "• ", "→ ", "» ", "“", "[", "- "]),
    rest=st.text(st.sampled_from("aZß İ.!?:…[]”’1©"), max_size=12),
)
def test_the_quick_look_at_a_line_misses_no_wording(line: str, flips: list[bool], begin: str, rest: str) -> None:
    body = begin + "".join(one.swapcase() if flip else one for one, flip in zip(line, cycle(flips))) + rest
    bare = body.lstrip("•▪●‣→» ")
    found = wordings._WORDING.match(bare) or wordings._WORDING.match(body)
    assert (wordings.wording(body) is not None) >= (found is not None)


@pytest.mark.parametrize(
    "line",
    [
        "Who pays for it?",
        "“We will build the bridge,”",
        "He read out three names:",
        "(Nobody was hurt.)",
        "“We will build it.” (Applause)",
        "The bridge, he said, is “ours”.",
        "It was over. ■",
        "It was over. – AFP",
        "A week ago, he resigned.",
        "By Monday, 40 had come.",
        "For more than 60 years people came to visit the bridge.",
        "Reporting by the Post showed otherwise.",
        "Research by three firms agreed.",
        "High tolls contributed to the decline.",
        "Jo Holm reported from Sund for three years before she was elected.",
        "The views expressed by the mayor were met with anger.",
        "Follow him at your peril, they say.",
        "Register by Friday, the city says.",
        "You may like it or not.",
        "An earlier version of the bridge fell.",
        "Support for the bridge fell.",
        "“Sign up for the bridge,” he said.",
        "“Advertisement,” he called it.",
        "• The first plan has 3 lanes",
        "Loading the ship took a day.",
        "He showed it (photo and film) to all (there were few).",
        "Posted at the gate, Holm waited.",
        "This article appeared to please nobody.",
        "Submit a plan or be silent, he said.",
        "We want to hear him, they shouted.",
        "If you liked this bridge, you will like the next.",
        "Never miss the boat, she says.",
        "To view the full bridge, please stand on the hill.",
        "Want to know more is no crime, he said.",
    ],
)
def test_prose_that_looks_like_furniture_stays_prose(line: str) -> None:
    assert inside(line) == "prose"


def test_a_line_after_a_quotation_is_prose_with_a_verb_of_speech_and_a_caption_without() -> None:
    text = "It rained.\n“We will build the bridge,”\n{}\nIt poured."
    assert kinds(text.format("Holm said.")) == ["prose"] * 4
    assert kinds(text.format("Jo Holm Mayor of Sund")) == ["prose", "prose", "caption", "prose"]


def test_a_note_on_the_author_is_a_footer_at_the_end_only() -> None:
    text = "Bridges\n\nBy Oda d’Arc-Lund\n\nIt rained.\n\n{}\n\nIt poured.\n\n{}"
    note = "Oda d’Arc-Lund is a historian of bridges."
    assert kinds(text.format(note, note))[-3:] == ["prose", "prose", "footer"]
    assert kinds("It rained.\n\nJo Holm covers bridges for the Post.") == ["prose", "footer"]


def test_wrapped_text_is_prose_though_its_lines_have_no_final_punctuation() -> None:
    text = (
        "The council of the town of Sund met on Monday in the old hall above\n"
        "Lake Orrin and voted for the bridge, which is to be paid for by the\n"
        "three villages on the other side and by a toll that nobody there\n"
        "wants to pay."
    )
    assert kinds(text) == ["prose"]  # one paragraph
    assert kinds("It rained.\nThe council met\nand voted.") == ["prose"] * 3


def test_a_long_line_without_final_punctuation_is_prose() -> None:
    assert inside("The council met " + "and met again " * 8 + "until it was over") == "prose"


def test_a_text_without_any_final_punctuation_is_kept_as_prose() -> None:
    assert kinds("no bridge for Sund\n\nno toll either") == ["prose", "prose"]


ANY_LINE = st.sampled_from(
    ["It rained.", "By Jo Holm", "1 / 5", "“So,”", "Sund", "and so", " ", "\r", "\u2028", "It is"]
)


@given(st.one_of(st.text(max_size=200), st.lists(ANY_LINE).map("\n".join)), st.text(max_size=10))
def test_spans_hold_every_character_once_and_cross_no_line_break(text: str, title: str) -> None:
    covered = [False] * len(text)
    previous = 0
    for span in lines(text, title):
        body = text[span.start : span.end]
        assert previous <= span.start < span.end
        assert body == body.strip()
        assert not set(body) & {"\n", "\r"}
        assert span.kind in KINDS
        assert span.reason
        covered[span.start : span.end] = [True] * len(body)
        previous = span.end
    assert all(seen or character.isspace() for seen, character in zip(covered, text, strict=True))


@pytest.mark.parametrize("unit", ["a", "A ", "By A ", "(", "1", "“", "A b\n", "Jo Holm\n", "’’ ", "A/"])
def test_time_is_linear_on_hostile_text(unit: str) -> None:
    small, large = ((unit * length)[:length] for length in (20_000, 160_000))
    assert takes_less(lambda: lines(large), 16 * max(least_seconds(lambda: lines(small)), 0.02))


# The lines of each saved page that are not prose, found by reading.
FURNITURE = {
    "000": {22, 50, 62, 63},
    "001": {1, 3, 4, 6, 8, 14, 73, 76, 78},
    "002": {5, 10, 17, 21},
    "003": {1, 3, 4, 19, 47, 61},
    "004": {36},
}


def test_the_saved_pages_lose_no_prose_and_keep_no_furniture(shared: Path) -> None:
    for path in sorted((shared / "seeds").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        found = {text.count("\n", 0, span.start) + 1 for span in lines(text) if span.kind != "prose"}
        assert found == FURNITURE[path.name[:3]], path.name
