"""Sentences found again in another copy of their article: all that are there, and nothing that isn't."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.near_duplicates import normalise
from corpus.records import CorpusSettings
from corpus.sentences.cut_articles import cut_articles
from release.contents.text_free import text_key, text_sha256
from release.hydrate import candidate_spans
from release.hydrate.find_sentences import Place, Wanted, refind

SENTENCES = [
    "No.",
    "No!",
    "“We’ll see about that,” said Anna Holm.",
    "The café owner’s three sons stayed at home.",
    "It rained in Ostrel, as it had rained for all of the week.",
    "“Not one of ours will ever go there.",
    "They asked the ministers why they had voted for it.",
    "Nobody knew what the 3.5 million would be spent on…",
    "Lt. Gov. J. R. Holm left at 9 a.m. and said nothing.",
]
paragraphs = st.lists(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4), min_size=1, max_size=6)
EDITS: dict[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "line ends": lambda text: text.replace("\n", "\r\n"),
    "straight quotes": lambda text: text.translate({0x201C: '"', 0x201D: '"', 0x2019: "'"}),
    "spaces": lambda text: text.replace("e ", "e\u00a0"),
    "apart": lambda text: unicodedata.normalize("NFD", text),
    "ellipsis": lambda text: text.replace("…", "..."),
}


def cut_up(text: str, article_id: str = "a") -> list[dict[str, object]]:
    """The sentences of a text as `stance build` has them."""
    row = {"article_id": article_id, "title": "", "extractor": "plain 1", "text": text}
    return [
        row
        for row in cut_articles(pa.RecordBatch.from_pylist([row]), CorpusSettings()).to_pylist()
        if row["index"] is not None
    ]


def spans(text: str) -> list[tuple[int, int]]:
    return [(row["start"], row["end"]) for row in cut_up(text)]  # type: ignore[misc]


def wanted(text: str) -> list[Wanted]:
    return [
        Wanted(
            sentence_id=str(row["sentence_id"]),
            start=row["start"],  # type: ignore[arg-type]
            end=row["end"],  # type: ignore[arg-type]
            sha256=text_sha256(str(row["text"])),
            key=text_key(str(row["text"])),
        )
        for row in cut_up(text)
    ]


def joined(parts: list[list[str]]) -> str:
    return "\n\n".join(" ".join(part) for part in parts)


def found_in(rows: list[Wanted], text: str) -> list[Place | None]:
    return refind(rows, text, spans(text), ["a"])


def check(rows: list[Wanted], places: list[Place | None], text: str) -> None:
    """What holds of any answer: each place has the digest that its state claims, and no two share a character."""
    given_places = [place for place in places if place is not None]
    for row, place in zip(rows, places, strict=True):
        if place is not None:
            there = text[place.start : place.end]
            assert text_key(there) == row.key
            assert (text_sha256(there) == row.sha256) == place.exact
    assert all(a.end <= b.start for a, b in pairwise(sorted(given_places, key=lambda place: place.start)))


@settings(deadline=None)
@given(data=st.data(), parts=paragraphs)
def test_whatever_is_still_there_is_found_and_nothing_else(data: st.DataObject, parts: list[list[str]]) -> None:
    rows = [row for row in wanted(joined(parts)) if data.draw(st.booleans())]
    changed = data.draw(st.permutations(parts + data.draw(paragraphs)))[: data.draw(st.integers(1, 12))]
    text = EDITS[data.draw(st.sampled_from(sorted(EDITS)))](joined(changed))
    places = found_in(rows, text)
    check(rows, places, text)
    for digest, of in ((text_sha256, "sha256"), (text_key, "key")):
        there = Counter(digest(text[start:end]) for start, end in spans(text))
        asked = Counter(getattr(row, of) for row in rows)
        found = Counter(getattr(row, of) for row, place in zip(rows, places, strict=True) if place is not None)
        for value, count in asked.items():
            assert found[value] >= min(count, there[value])


@settings(deadline=None)
@given(data=st.data(), parts=paragraphs, edit=st.sampled_from(sorted(EDITS)))
def test_every_sentence_is_found_where_it_went(data: st.DataObject, parts: list[list[str]], edit: str) -> None:
    """Equal sentences too: paragraphs come in between, but none that has a sentence of the article."""
    old = joined(parts)
    rows = wanted(old)
    keep = [n for n in range(len(rows)) if data.draw(st.booleans())]
    new: list[list[str]] = []
    for n, part in enumerate(parts):
        if data.draw(st.booleans()):
            new.append([f"Paragraph {n} is one of those that were put in later.", "It is new."])
        new.append(part)
    text = EDITS[edit](joined(new))
    now = [span for span in spans(text) if "Paragraph" not in text[slice(*span)] and text[slice(*span)] != "It is new."]
    if [text_key(text[start:end]) for start, end in now] != [row.key for row in rows]:
        return  # cut otherwise now: the test above is of that
    places = found_in([rows[n] for n in keep], text)
    for n, place in zip(keep, places, strict=True):
        assert place is not None
        assert (place.start, place.end) == now[n]


@settings(deadline=None)
@given(text=st.text(max_size=200), rows=st.lists(st.tuples(st.integers(), st.integers(), st.text()), max_size=5))
def test_no_text_and_no_release_makes_it_fail(text: str, rows: list[tuple[int, int, str]]) -> None:
    asked = [Wanted(sentence_id=x, start=a, end=b, sha256=x, key=text_key(x)) for a, b, x in rows]
    places = refind(asked, text, [], ["a"])
    for row, place in zip(asked, places, strict=True):
        assert place is None or text_key(text[place.start : place.end]) == row.key


def asked(text: str, *parts: tuple[int, int]) -> list[Wanted]:
    """Sentences that a release of a text has at the given places, whatever it was cut by."""
    texts = [text[start:end] for start, end in parts]
    return [
        Wanted(sentence_id="", start=start, end=end, sha256=text_sha256(part), key=text_key(part))
        for (start, end), part in zip(parts, texts, strict=True)
    ]


def test_a_sentence_without_words_is_found_by_its_very_text_alone() -> None:
    rows = asked("It is. ???", (7, 10))
    assert refind(rows, "!!! So it is.", [(0, 3), (4, 13)]) == [None]
    found = refind(rows, "It is not. !!! ???", [(0, 10), (11, 14), (15, 18)])
    assert found == [Place(start=15, end=18, exact=True)]
    assert refind(rows, "It is. ???", [(0, 6), (7, 10)]) == [Place(start=7, end=10, exact=True)]


def test_another_one_of_several_equal_sentences_may_stand_where_one_stood() -> None:
    old, new = "No. No. No. They left.", "They. No. No. No. They left."
    rows = asked(old, (8, 11), (12, 22))
    spans = [(0, 5), (6, 9), (10, 13), (14, 17), (18, 28)]
    assert refind(rows, new, spans) == [Place(start=14, end=17, exact=True), Place(start=18, end=28, exact=True)]
    rows, new = asked(old, (4, 7), (12, 22)), "No. " + old
    spans = [(0, 3), (4, 7), (8, 11), (12, 15), (16, 26)]
    assert refind(rows, new, spans)[0] == Place(start=8, end=11, exact=True)


def test_what_was_cut_by_other_rules_is_found_beside_its_neighbours() -> None:
    old = "They left at nine and the house went home. It rained."
    rows = asked(old, (0, 17), (18, 42), (43, 53))
    places = refind(rows, f"Late news. {old}", [(0, 10), (11, 53), (54, 64)])
    assert [place and (place.start - 11, place.end - 11, place.exact) for place in places] == [
        (0, 17, True),
        (18, 42, True),
        (43, 53, True),
    ]


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_of_equal_sentences_the_one_is_taken_that_its_id_tells_of(kept: int) -> None:
    old = "\n\n".join(f"{start} No." for start in SENTENCES[5:9])
    no = [row for row in wanted(old) if row.key == text_key("No.")]
    new = "The first paragraph is new and so long that nothing is where it was.\n\n" + old.replace("\n\n", "\n")
    places = [span for span in spans(new) if new[slice(*span)] == "No."]
    (place,) = found_in([no[kept]], new)
    assert place is not None
    assert (place.start, place.end) == places[kept]


def test_equal_sentences_move_with_their_neighbours() -> None:
    """Also where one more before them makes the number in their ids wrong."""
    text = "They went home at nine. No. It rained all night."
    (_, no, _) = found_in(wanted(text), f"No. So it ended. {text}")
    assert no is not None
    assert f"No. So it ended. {text}"[no.start :] == "No. It rained all night."


def test_sentences_that_are_cut_otherwise_now_are_found() -> None:
    old = "The minister left, and then\n\nthe house went home. “We’ll see,” she said. It was late."
    rows = [
        Wanted(sentence_id="", start=start, end=start + len(part), sha256=text_sha256(part), key=text_key(part))
        for part in ("The minister left, and then\n\nthe house went home.", "“We’ll see,”", "she said. It was late.")
        for start in [old.index(part)]
    ]
    text = "New: the paper’s weekly page of letters\n\n" + old.replace("\n\n", "\n").replace("“", '"').replace("”", '"')
    places = found_in(rows, text)
    check(rows, places, text)
    assert all(place is not None for place in places)


def test_sentences_without_any_mark_around_them_are_found() -> None:
    old = "Weather\nIt rained for a week. They left at nine and the house went home"
    rows = asked(old, (8, 29), (30, 71))
    text = "8 months ago Weather It  rained for a week They left at nine and the house  went home Read on"
    places = refind(rows, text, [(0, len(text))])
    assert [place and text[place.start : place.end] for place in places] == [
        "It  rained for a week",
        "They left at nine and the house  went home",
    ]


def test_the_search_ends_on_a_long_text_of_equal_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidate_spans, "SEARCHED", 100_000)
    text = "No. It is so. " * 3000
    rows = wanted(text[:7000])
    gone = [Wanted(sentence_id="", start=n, end=n + 4000, sha256="x", key="x") for n in range(5)]
    places = found_in([*rows, *gone], "Yes.\n\n" + text)
    assert places[-5:] == [None] * 5
    assert None not in places[:-5]
    assert normalise("No.") == "no"
