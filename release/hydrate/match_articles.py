"""Read the user's own copies of a release's articles, and match copies with articles, by id and by content."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus import words
from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.records import ARTICLES_AS_READ, Article, CorpusSettings, Noted, Skipped
from corpus.sentences.cut_articles import CONTEXT, cut_articles
from release.contents.five_word_runs import WORDS
from release.contents.text_free import public_id, text_sha256


class Copy(msgspec.Struct, frozen=True):
    """One of the user's articles, cut into sentences: `spans` and `keys` have the span and the key of each sentence."""

    article_id: str
    title: str
    text: str
    spans: list[tuple[int, int]]
    keys: list[str]

    def around(self, start: int, end: int) -> tuple[str, str]:
        """The context before and after a stretch of the text that `stance build` would give to a sentence there."""
        before = self.spans[: bisect_right(self.spans, start, key=lambda span: span[1])][-CONTEXT:]
        after = self.spans[bisect_left(self.spans, end, key=lambda span: span[0]) :][:CONTEXT]
        return self._joined(before), self._joined(after)

    def _joined(self, spans: Sequence[tuple[int, int]]) -> str:
        return words.joined([self.text[start:end] for start, end in spans])


def read_copies(
    sources: Sequence[Path | str],
    apart: Sequence[Path],
    settings: CorpusSettings,
    keys: Mapping[str, Counter[str]],
    skipped: Counter[str],
) -> Iterator[Copy]:
    """The articles among the sources that may be copies of the release's, in the order of the sources' names.

    Args:
        sources: sources in the forms that `corpus.build.build` takes.
        apart: folders that are not searched.
        settings: settings under `[corpus]` in stance.toml.
        keys: id of each article of the release → the keys of its sentences.
        skipped: counter of the articles that cannot be read, by reason; this function adds to it.

    Returns:
        The articles that have an id of the release, or one of its sentences of five words or more. They are read one by
        one, so that a large archive is never in memory as a whole.

    Raises:
        SourceError: a source cannot be read, as `corpus.reading.source_files.units` and `corpus.reading.articles.read`
            say.
    """
    wanted = set[str]().union(*keys.values())
    for unit in units(sources, settings, exclude=apart):
        for article in read(unit, settings):
            if isinstance(article, Noted):
                continue
            if isinstance(article, Skipped):
                # The words after a colon concern this article only.
                skipped[article.reason.partition(":")[0]] += 1
                continue
            copy, lengths = _as_copy(article, settings)
            known = any(count >= WORDS and key in wanted for key, count in zip(copy.keys, lengths, strict=True))
            if known or _names(copy) & keys.keys():
                yield copy


def _as_copy(article: Article, settings: CorpusSettings) -> tuple[Copy, list[int]]:
    batch = pa.RecordBatch.from_pylist([msgspec.structs.asdict(article)], schema=ARTICLES_AS_READ)
    pieces = [row for row in cut_articles(batch, settings).to_pylist() if row["kind"] == "sentence"]
    spans = [(row["start"], row["end"]) for row in pieces]
    keys = [text_sha256(row["key"]) for row in pieces]
    return Copy(article.article_id, article.title, article.text, spans, keys), [row["words"] for row in pieces]


def _names(copy: Copy) -> set[str]:
    return {copy.article_id, public_id(copy.article_id)}


def assigned(keys: Mapping[str, Counter[str]], copies: Sequence[Copy]) -> dict[str, Copy]:
    """The copy of each article of the release; no copy is given to two articles.

    Copies that have an article's id and hold half of its sentences or more are assigned first; then the other copies
    that hold half of its sentences or more, and those that have its id but hold fewer. In both groups, copies that hold
    more sentences come first. If two hold equally many, a copy with the article's id comes first, then the order of the
    article ids decides, then the order in which the copies were read.

    Args:
        keys: id of each article of the release → the keys of its sentences.
        copies: copies that `read_copies` found.
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
