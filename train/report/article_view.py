"""Cut the articles of the report into sentences, spans that are not prose, and the text between them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus.records import ARTICLES, SENTENCES, SPANS
from corpus.tables import read_table, strings, table_parts
from labeling.records import NO_OUTLET
from labeling.sampling.pool import first_by_digest
from labeling.scheme import Stance

ABOUT = ("article_id", "outlet", "published")
TWINS = ("sentence_id", "article_id", "copy_id", "cluster_id")
MOST_ARTICLES = 200
MOST_BYTES = 200_000
"""Most bytes of the text of all shown articles together; with their marks they take about twice as many in the page,
which is to stay below one megabyte."""


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
        without_date: number of articles without a date.
        dates: first and last date; empty where no article is dated.
        kinds: kinds of spans that are not prose and their numbers, most frequent first.
        drawn: articles that are shown, sorted by id: all, or a random sample of at most MOST_ARTICLES with at most
            MOST_BYTES together. The same corpus always has the same sample.
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
    without_date: int = 0


def read_corpus(work: Path, stances: Mapping[str, Stance], *, with_articles: bool = True) -> ShownCorpus:
    """Read the corpus as the report shows it.

    Args:
        work: the project's folder of tables.
        stances: verdict on each sentence id.
        with_articles: whether to read the articles that are shown.

    Raises:
        TableError: there is no corpus, or a table is malformed.
    """
    sentences_path, spans_path = work / "sentences.parquet", work / "spans.parquet"
    facts = read_table(work / "articles.parquet", _columns(ARTICLES, *ABOUT), "stance build").to_pylist()
    days = [row["published"] for row in facts if row["published"]]
    rows = _sampled_articles(work, [row["article_id"] for row in facts]) if with_articles else []
    drawn = {row["article_id"] for row in rows}
    schema = _columns(SENTENCES, "sentence_id", "article_id", "start", "end", "copy_id", "cluster_id")
    mine = read_table(sentences_path, schema, "stance build", ("article_id", drawn)).to_pylist()
    twins = _twins(sentences_path, mine, stances)
    inside: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in mine:
        several = twins.copies[row["copy_id"]] > 1
        inside[row["article_id"]].append(
            row
            | {
                "kind": "sentence",
                "stance": stances.get(row["sentence_id"], twins.stances.get(row["copy_id"])),
                "twin": "copy" if several else "near" if twins.clusters[row["cluster_id"]] > 1 else "",
            }
        )
    for row in read_table(spans_path, SPANS, "stance build", ("article_id", drawn)).to_pylist():
        if row["kind"] != "prose":
            inside[row["article_id"]].append(row)
    kinds: Counter[str] = Counter()
    for part in table_parts(spans_path, _columns(SPANS, "kind"), "stance build"):
        kinds.update({row["values"]: row["counts"] for row in pc.value_counts(part["kind"]).to_pylist()})
    del kinds["prose"]
    return ShownCorpus(
        articles=len(facts),
        sentences=twins.sentences,
        copies=twins.further_copies,
        clusters=twins.larger_clusters,
        outlets=sorted(Counter(row["outlet"] for row in facts if row["outlet"]).items()),
        without_outlet=sum(not row["outlet"] for row in facts),
        without_date=len(facts) - len(days),
        dates=[min(days), max(days)] if days else [],
        kinds=_most(kinds),
        drawn=[_draw(row, inside[row["article_id"]], twins.places) for row in rows],
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


def _columns(schema: pa.Schema, *names: str) -> pa.Schema:
    return pa.schema([schema.field(name) for name in names])


def _sampled_articles(work: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """A random sample of the articles, sorted by id; all of them where they are few and short enough.

    An article that alone is longer than all may be together is passed over.
    """
    schema = _columns(ARTICLES, *ABOUT, "title", "url", "text")
    sample = first_by_digest(pa.chunked_array([names], pa.string()), MOST_ARTICLES, "report")
    table = read_table(work / "articles.parquet", schema, "stance build", ("article_id", sample))
    by_id = {row["article_id"]: row for row in table.to_pylist()}
    sizes = {name: len((by_id[name]["text"] or "").encode()) for name in sample}
    fitting = [name for name in sample if sizes[name] <= MOST_BYTES]
    ends = accumulate(sizes[name] for name in fitting)
    return [by_id[name] for name in sorted(name for name, end in zip(fitting, ends, strict=True) if end <= MOST_BYTES)]


class _Twins(msgspec.Struct, frozen=True, kw_only=True):
    """Copies and near-duplicates: of the whole corpus in numbers, of the shown articles each.

    Attributes:
        sentences: number of sentences of the corpus.
        further_copies: number of these that are an exact copy of an earlier one.
        larger_clusters: number of clusters with two or more sentences.
        copies: number of sentences in each group of copies that is in the shown articles.
        clusters: number of sentences in each cluster that is in the shown articles.
        places: articles of each of these clusters.
        stances: verdict on each group of copies that has one.
    """

    sentences: int
    further_copies: int
    larger_clusters: int
    copies: Counter[str]
    clusters: Counter[str]
    places: dict[str, set[str]]
    stances: dict[str, Stance]


def _twins(path: Path, shown: Sequence[Mapping[str, Any]], stances: Mapping[str, Stance]) -> _Twins:
    """Go through the whole corpus once; `shown` are the sentences of the shown articles."""
    groups = strings(sorted({row["copy_id"] for row in shown}))
    near = strings(sorted({row["cluster_id"] for row in shown}))
    settled = strings(sorted(stances))
    copies: Counter[str] = Counter()
    clusters: Counter[str] = Counter()
    places: dict[str, set[str]] = defaultdict(set)
    of_copy: dict[str, Stance] = {}
    sentences = further = 0
    larger: set[str] = set()
    for part in table_parts(path, _columns(SENTENCES, *TWINS), "stance build"):
        ids, copy_ids, cluster_ids = (part[name] for name in ("sentence_id", "copy_id", "cluster_id"))
        sentences += len(part)
        further += pc.sum(pc.not_equal(ids, copy_ids)).as_py() or 0
        larger.update(cluster_ids.filter(pc.not_equal(ids, cluster_ids)).to_pylist())
        copies.update(copy_ids.filter(pc.is_in(copy_ids, value_set=groups)).to_pylist())
        for row in part.select(["article_id", "cluster_id"]).filter(pc.is_in(cluster_ids, value_set=near)).to_pylist():
            clusters[row["cluster_id"]] += 1
            places[row["cluster_id"]].add(row["article_id"])
        for row in part.select(["sentence_id", "copy_id"]).filter(pc.is_in(ids, value_set=settled)).to_pylist():
            of_copy.setdefault(row["copy_id"], stances[row["sentence_id"]])
    return _Twins(
        sentences=sentences,
        further_copies=further,
        larger_clusters=len(larger),
        copies=copies,
        clusters=clusters,
        places=places,
        stances=of_copy,
    )


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
