"""The user's own copies of a release's articles: which copy is of which article, by id and by content."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.records import ARTICLES, Article, CorpusSettings, Noted, Skipped
from corpus.sentences.cut_articles import CONTEXT, cut_articles
from release.contents.text_free import WORDS, public_id, text_sha256


class Copy(msgspec.Struct, frozen=True):
    """One of the user's articles, cut into sentences: each with its span, and the digest of its normalised text."""

    article_id: str
    title: str
    text: str
    spans: list[tuple[int, int]]
    keys: list[str]

    def around(self, start: int, end: int) -> tuple[str, str]:
        """The context before and after a stretch of the text, as `stance build` gives it to a sentence there."""
        before = self.spans[: bisect_right(self.spans, start, key=lambda span: span[1])][-CONTEXT:]
        after = self.spans[bisect_left(self.spans, end, key=lambda span: span[0]) :][:CONTEXT]
        return self._joined(before), self._joined(after)

    def _joined(self, spans: Sequence[tuple[int, int]]) -> str:
        return " ".join(self.text[start:end] for start, end in spans)


def read_copies(
    sources: Sequence[Path | str],
    apart: Sequence[Path],
    settings: CorpusSettings,
    keys: Mapping[str, Counter[str]],
    skipped: Counter[str],
) -> Iterator[Copy]:
    """The articles among the sources that may be of the release, in the order of the sources' names.

    Args:
        sources: as of `corpus.build.build`.
        apart: folders that are not searched.
        settings: `[corpus]` of stance.toml.
        keys: by the release's article id, its sentences' keys.
        skipped: is told of articles that cannot be read, by reason.

    Returns:
        Those that have an id of the release, or one of its sentences of five words or more; a large archive is never
        in memory as a whole.

    Raises:
        SourceError: as of `corpus.reading.source_files.units` and `corpus.reading.articles.read`.
    """
    wanted = set[str]().union(*keys.values())
    for unit in units(sources, settings, exclude=apart):
        for article in read(unit, settings):
            if isinstance(article, Noted):
                continue
            if isinstance(article, Skipped):
                # What follows a colon is particular to the article.
                skipped[article.reason.partition(":")[0]] += 1
                continue
            copy, words = _as_copy(article, settings)
            known = any(count >= WORDS and key in wanted for key, count in zip(copy.keys, words, strict=True))
            if known or _names(copy) & keys.keys():
                yield copy


def _as_copy(article: Article, settings: CorpusSettings) -> tuple[Copy, list[int]]:
    batch = pa.RecordBatch.from_pylist([msgspec.structs.asdict(article)], schema=ARTICLES)
    pieces = [row for row in cut_articles(batch, settings).to_pylist() if row["kind"] == "sentence"]
    spans = [(row["start"], row["end"]) for row in pieces]
    keys = [text_sha256(row["key"]) for row in pieces]
    return Copy(article.article_id, article.title, article.text, spans, keys), [row["words"] for row in pieces]


def _names(copy: Copy) -> set[str]:
    return {copy.article_id, public_id(copy.article_id)}


def assigned(keys: Mapping[str, Counter[str]], copies: Sequence[Copy]) -> dict[str, Copy]:
    """Which copy is taken for which article of the release, each at most once.

    First the copies with the article's own id that hold half of its sentences, the fullest of them; then, fullest
    first, any others that hold half of them, and whatever else has the id. Equal ones go by id and by the order of
    reading.

    Args:
        keys: by the release's article id, its sentences' keys.
        copies: of `read_copies`.
    """
    articles: dict[str, set[str]] = defaultdict(set)
    for article_id, held in keys.items():
        for key in held:
            articles[key].add(article_id)
    pairs: list[tuple[bool, int, bool, str, int]] = []
    for number, copy in enumerate(copies):
        has = Counter(copy.keys)
        own = _names(copy) & keys.keys()
        for article_id in own.union(*(articles.get(key, ()) for key in has)):
            held_here = (has & keys[article_id]).total()
            half = 2 * held_here >= keys[article_id].total()
            if half or article_id in own:
                pairs.append((not (half and article_id in own), -held_here, article_id not in own, article_id, number))
    taken: dict[str, Copy] = {}
    used: set[int] = set()
    for *_, article_id, number in sorted(pairs):
        if article_id not in taken and number not in used:
            taken[article_id] = copies[number]
            used.add(number)
    return taken
