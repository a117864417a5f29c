"""Every layout of a database gives back what it was written from, and a damaged file loses nothing in silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.articles import read
from corpus.reading.dates import iso_date
from corpus.reading.exports.lines import FEWER, OUTSIDE
from corpus.reading.exports.split import articles_of
from corpus.reading.source_files import units
from corpus.reading.web.html_page import read_page
from corpus.records import ARTICLES_AS_READ, Article, CorpusSettings, Noted, Skipped
from corpus.sentences.cut_articles import cut_articles
from tests.support.database_layouts import PAGES, TEXTS, Story

WORDS = st.sampled_from(
    "Town council sends boats to islands Union warns of storm risk Late ferry Prices rise 12".split()
)
TITLES = st.lists(WORDS, min_size=3, max_size=9).map(lambda words: " ".join(["Harbor", *words]))
SENTENCES = st.sampled_from(
    [
        "The council voted on Monday to send two boats to the northern islands after weeks of debate.",
        "“We will not wait for the harbor board,” a member told reporters.",
        "It rained.",
        "The clerk has 1 of 3 documents, and the mayor has 2 of 3 documents, she said on January 11, 2031.",
        "TD Bank lent the town a boat.",
        "IN ALL, 30 people came to the pier.",
        "Length: 3 metres is what the boat has, and the title: nobody knows.",
        "Language: that is what the islands lack, she said.",
        "Subject: boats, the letter began.",
        "The body was never found, said the end of the document.",
        "He read an abstract & 5% of the full text: it was long.",
        "The article named 155 words that nobody uses.",
        "By the time the ferry left, J. A. Holm had gone home, and he never came back to Lake Harbor or to us.",
    ]
)
PARAGRAPHS = st.lists(SENTENCES, min_size=1, max_size=3).map(" ".join)
STORY = st.builds(
    Story,
    title=TITLES,
    outlet=st.sampled_from(["The Harbor Herald", "Northern Gazette", "Süd-Kurier am Sonntag"]),
    day=st.integers(10, 28),
    body=st.lists(PARAGRAPHS, min_size=1, max_size=4).map(tuple),
)
STORIES = st.lists(STORY, min_size=1, max_size=4)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("layout", TEXTS)
@given(stories=STORIES, end=st.sampled_from(["\n", "\r\n"]))
@QUIET
def test_a_text_gives_back_the_articles_that_it_was_written_from(layout: str, stories: list[Story], end: str) -> None:
    articles = articles_of(TEXTS[layout](stories).replace("\n", end))
    assert articles is not None
    _compare(articles, stories)


@pytest.mark.parametrize("layout", PAGES)
@given(stories=STORIES)
@QUIET
def test_a_page_gives_back_the_articles_that_it_was_written_from(layout: str, stories: list[Story]) -> None:
    if layout == "LexisNexis" and len(stories) == 1:
        stories = [*stories, *stories]
    extracted, _ = read_page(PAGES[layout](stories).encode(), exports="")
    _compare(extracted.articles, stories)


def _compare(articles: Sequence[ArticleInFile], stories: Sequence[Story]) -> None:
    assert len(articles) == len(stories)
    for one, story in zip(articles, stories, strict=True):
        assert not one.fault
        assert (one.fields["title"], one.fields["outlet"]) == (story.title, story.outlet)
        assert iso_date(one.fields["published"])[0][:10] == story.date
        assert _flat(_unmarked(one)) == _flat(" ".join(story.body))
        _check_covered(one)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _unmarked(one: ArticleInFile) -> str:
    parts, place = [], 0
    for mark in one.marks:
        assert place <= mark.start < mark.end <= len(one.text)
        parts.append(one.text[place : mark.start])
        place = mark.end
    return "".join([*parts, one.text[place:]])


def _check_covered(one: ArticleInFile) -> None:
    """Each character but white space is in one sentence or span, and no sentence has a part of a marked line."""
    values: dict[str, list[str]] = {name: [""] for name in ARTICLES_AS_READ.names}
    values |= {"article_id": ["a"], "title": [one.fields.get("title", "")], "text": [one.text]}
    values |= {"extractor": [one.extractor], "marks": [msgspec.json.encode(one.marks).decode()]}
    batch = pa.RecordBatch.from_pydict(values, schema=ARTICLES_AS_READ)
    pieces = cut_articles(batch, CorpusSettings()).to_pylist()
    covered = [0] * len(one.text)
    for piece in pieces:
        for place in range(piece["start"], piece["end"]):
            covered[place] += 1
        if piece["kind"] == "sentence":
            assert not [m for m in one.marks if m.start < piece["end"] and piece["start"] < m.end], piece
    assert max(covered) == 1
    assert all(covered[place] or letter.isspace() for place, letter in enumerate(one.text))


@pytest.mark.parametrize("layout", TEXTS)
@given(
    stories=st.lists(STORY, min_size=2, max_size=3),
    cuts=st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(["drop", "twice", "swap", "half"])), max_size=4),
)
@QUIET
def test_a_damaged_text_never_raises_and_never_loses_a_line_in_silence(
    layout: str, stories: list[Story], cuts: list[tuple[int, str]], tmp_path: Path
) -> None:
    lines = TEXTS[layout](stories).split("\n")
    for place, cut in cuts:
        n = place % len(lines)
        if cut == "drop":
            lines[n : n + 1] = []
        elif cut == "twice":
            lines.insert(n, lines[n])
        elif cut == "swap":
            lines[n], lines[n - 1] = lines[n - 1], lines[n]
        else:
            lines[n] = lines[n][: len(lines[n]) // 2]
        lines = lines or [""]
    _check_nothing_lost("\n".join(lines), tmp_path)


def test_a_field_that_an_entry_has_twice_is_a_line_each_time(tmp_path: Path) -> None:
    fields = ("author = {Ada}", "author = {Ben}", "abstract = {Boats came.}", "abstract = {They left.}")
    text = "@article{one,\n  " + ",\n  ".join(fields) + "\n}\n"
    (article,) = articles_of(text) or []
    assert article.text.split("\n") == [
        *("@article one", "author = Ada", "author = Ben", "abstract = They left.", "abstract =", "", "Boats came."),
    ]
    _check_nothing_lost(text, tmp_path)


@pytest.mark.parametrize("layout", TEXTS)
def test_a_text_that_lacks_any_one_line_never_joins_articles_in_silence(layout: str, tmp_path: Path) -> None:
    stories = [
        Story(title=f"Harbor story {n} of the week", day=10 + n, body=(f"Marker{n}x was here.", f"Marker{n}y left."))
        for n in range(3)
    ]
    lines = TEXTS[layout](stories).split("\n")
    for n in range(len(lines)):
        items = _check_nothing_lost("\n".join([*lines[:n], *lines[n + 1 :]]), tmp_path)
        joined = [
            one for one in items if isinstance(one, Article) and len(set(re.findall(r"Marker(\d)", one.text))) > 1
        ]
        assert not joined or any(isinstance(one, Noted) and one.note.startswith(FEWER) for one in items), lines[n]


def _check_nothing_lost(text: str, folder: Path) -> list[Article | Skipped | Noted]:
    path = folder / "a.txt"
    path.write_text(text, "utf-8")
    chosen = CorpusSettings(root=str(folder))
    items = [item for unit in units([path], chosen) for item in read(unit, chosen)]
    if any(isinstance(one, Skipped) for one in items):
        return items
    if any(isinstance(one, Noted) and one.note.startswith(OUTSIDE) for one in items):
        return items
    whole = _flat(" ".join(one.text for one in items if isinstance(one, Article)))
    for line in text.split("\n"):
        between = re.fullmatch(r"\s*(?:\d+ of \d+ DOCUMENTS?|End of Document|Document \d+ of \d+|_{20,})\s*", line)
        assert between or _tidy(line) in _tidy(whole), line
    return items


def _tidy(text: str) -> str:
    """The letters and digits alone: BibTeX loses its braces, and codes get a line of their own."""
    return "".join(letter for letter in text if letter.isalnum())
