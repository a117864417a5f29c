"""Cut the articles of the report into sentences, spans that are not prose, and the text between them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus.records import ARTICLES, SENTENCES, SPANS
from corpus.store import read_table
from labeling.records import NO_OUTLET, Stance

MOST_ARTICLES = 200
MOST_CHARACTERS = 1_500_000
"""Most characters of all shown articles together; with their marks they take about twice as many in the page."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of an article's text.

    Attributes:
        text: text of the piece, as in the article.
        kind: `sentence`, the kind of the span, or "" for text between them.
        reason: rule that made the piece a span.
        sentence_id: id of the sentence, if the piece is one.
        stance: verdict on the sentence or on an exact copy of it; None where there is none.
        twin: `copy` if the corpus has an exact copy of the sentence, `near` if it has only near-duplicates, else "".
    """

    text: str
    kind: str = ""
    reason: str = ""
    sentence_id: str = ""
    stance: Stance | None = None
    twin: str = ""


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """An article as it is shown.

    Attributes:
        article_id: id of the article.
        title: title, or "".
        outlet: outlet, or the name for a missing one.
        published: date, or "".
        link: URL of the article if it is a web address, otherwise "".
        pieces: pieces of the text, which are the whole text when joined.
        sentences: number of sentences.
        copies: number of sentences with an exact copy in the corpus.
        near: number of sentences that have only near-duplicates in the corpus.
        shared: ids of articles that share near-duplicates with this one, and in how many sentences; most first.
    """

    article_id: str
    title: str
    outlet: str
    published: str
    link: str
    pieces: list[Stretch]
    sentences: int
    copies: int
    near: int
    shared: list[tuple[str, int]]


class ShownCorpus(msgspec.Struct, frozen=True, kw_only=True):
    """The corpus in numbers, and the articles that are shown.

    Attributes:
        articles: number of articles.
        sentences: number of sentences of all articles.
        copies: number of these sentences that are an exact copy of an earlier one.
        clusters: number of clusters with two or more sentences, including exact copies.
        outlets: name and number of articles of each outlet, sorted by name.
        without_outlet: number of articles that name no outlet.
        dates: first and last date; empty where no article is dated.
        kinds: kinds of spans that are not prose and their numbers, most frequent first.
        drawn: articles that are shown, sorted by id: the first ones, at most MOST_ARTICLES with at most MOST_CHARACTERS
            together.
    """

    articles: int
    sentences: int
    copies: int
    clusters: int
    outlets: list[tuple[str, int]]
    without_outlet: int
    dates: list[str]
    kinds: list[tuple[str, int]]
    drawn: list[Drawn]


def read_corpus(work: Path, stances: Mapping[str, Stance]) -> ShownCorpus:
    """Read the corpus as the report shows it.

    Args:
        work: the project's folder of tables.
        stances: verdict on each sentence id.

    Raises:
        TableError: there is no corpus, or a table is malformed.
    """
    articles = read_table(work / "articles.parquet", ARTICLES, "stance build")
    spans = read_table(work / "spans.parquet", SPANS, "stance build")
    sentences = read_table(work / "sentences.parquet", SENTENCES, "stance build")
    facts = articles.select(["article_id", "outlet", "published"]).to_pylist()
    days = [row["published"] for row in facts if row["published"]]
    articles = articles.sort_by("article_id")
    total = pc.cumulative_sum(pc.cast(pc.utf8_length(pc.fill_null(articles["text"], "")), pa.int64()))
    rows = articles.filter(pc.less_equal(total, MOST_CHARACTERS)).slice(0, MOST_ARTICLES).to_pylist()
    drawn = {row["article_id"] for row in rows}

    keys = sentences.select(["article_id", "copy_id", "cluster_id"]).to_pylist()
    copies = Counter(row["copy_id"] for row in keys)
    clusters = Counter(row["cluster_id"] for row in keys)
    places: dict[str, set[str]] = defaultdict(set)
    for row in keys:
        places[row["cluster_id"]].add(row["article_id"])
    of_copy: dict[str, Stance] = {}
    inside: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sentences.select(["sentence_id", "copy_id"]).to_pylist():
        if row["sentence_id"] in stances:
            of_copy.setdefault(row["copy_id"], stances[row["sentence_id"]])
    for row in _of(sentences, drawn):
        inside[row["article_id"]].append(
            row
            | {
                "kind": "sentence",
                "stance": stances.get(row["sentence_id"], of_copy.get(row["copy_id"])),
                "twin": "copy" if copies[row["copy_id"]] > 1 else "near" if clusters[row["cluster_id"]] > 1 else "",
            }
        )
    for row in _of(spans, drawn):
        if row["kind"] != "prose":
            inside[row["article_id"]].append(row)
    return ShownCorpus(
        articles=len(facts),
        sentences=len(keys),
        copies=len(keys) - len(copies),
        clusters=sum(count > 1 for count in clusters.values()),
        outlets=sorted(Counter(row["outlet"] for row in facts if row["outlet"]).items()),
        without_outlet=sum(not row["outlet"] for row in facts),
        dates=[min(days), max(days)] if days else [],
        kinds=_most(Counter(row["kind"] for row in spans.select(["kind"]).to_pylist() if row["kind"] != "prose")),
        drawn=[_draw(row, inside[row["article_id"]], places) for row in rows],
    )


def web_link(url: str) -> str:
    """The URL if it is a web address, otherwise "": the page must not link to `javascript:` or `file:`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def pieces(text: str, marks: Sequence[Mapping[str, Any]]) -> list[Stretch]:
    """Cut a text into pieces.

    Args:
        text: text to cut.
        marks: sentences and spans, each with at least `start`, `end` and `kind`; of two that overlap, the earlier one
            keeps the shared part.

    Returns:
        The pieces, which are the whole text when joined.
    """
    stretches: list[Stretch] = []
    at = 0
    for mark in sorted(marks, key=lambda mark: (mark["start"], -mark["end"], mark["kind"])):
        start, end = max(mark["start"], at), min(mark["end"], len(text))
        if start >= end:
            continue
        if start > at:
            stretches.append(Stretch(text=text[at:start]))
        names = ("kind", "reason", "sentence_id", "stance", "twin")
        stretches.append(Stretch(text=text[start:end], **{name: mark[name] for name in names if name in mark}))
        at = end
    return [*stretches, Stretch(text=text[at:])] if at < len(text) else stretches


def _draw(row: Mapping[str, Any], marks: Sequence[Mapping[str, Any]], places: Mapping[str, set[str]]) -> Drawn:
    sentences = [mark for mark in marks if mark["kind"] == "sentence"]
    shared = Counter(other for mark in sentences for other in places[mark["cluster_id"]] if other != row["article_id"])
    return Drawn(
        article_id=row["article_id"],
        title=row["title"] or "",
        outlet=row["outlet"] or NO_OUTLET,
        published=row["published"] or "",
        link=web_link(row["url"] or ""),
        pieces=pieces(row["text"] or "", marks),
        sentences=len(sentences),
        copies=sum(mark["twin"] == "copy" for mark in sentences),
        near=sum(mark["twin"] == "near" for mark in sentences),
        shared=_most(shared),
    )


def _of(table: pa.Table, articles: set[str]) -> list[dict[str, Any]]:
    wanted = pa.array(sorted(articles), pa.string())
    rows: list[dict[str, Any]] = table.filter(pc.is_in(table["article_id"], value_set=wanted)).to_pylist()
    return rows


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
