"""Put the text back into a stand-off release, from the user's own copies of the articles."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import pyarrow as pa

from corpus.errors import SourceError
from corpus.numbers import number
from corpus.records import CorpusSettings
from release.contents.text_free import text_sha256
from release.hydrate.find_sentences import NO_WORDS, Place, refind
from release.hydrate.match_articles import Copy, assigned, read_copies
from release.hydrate.read_release import Row, read_release
from release.hydrate.write_release import check_out, write

State = Literal["matched", "drifted", "missing"]


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `hydrate.jsonl`: one sentence of the release, and where it is in the user's copies.

    Attributes:
        sentence_id: sentence's id in the release.
        article_id: article's id in the release.
        split: sentence's split in the release.
        state: `matched` if the exact text was found, `drifted` if only its normalised text was, else `missing`.
        found_article: id of the copy in which the sentence was found; null if the sentence is missing.
        found_start: offset of its first character in that copy's text, in code points; null if it is missing.
        found_end: offset behind its last character; null if it is missing.
        shift: `found_start` minus the release's `start`; null if the sentence is missing or was found in another file
            than its article's copy.
    """

    sentence_id: str
    article_id: str
    split: str
    state: State
    found_article: str | None = None
    found_start: int | None = None
    found_end: int | None = None
    shift: int | None = None


ABOUT = ("outlet", "published", "url")
"""Columns of a release that say which article is meant."""


class ArticleCount(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `hydrate-articles.jsonl`: an article of the release, its copy, and its sentences by state.

    `found_article` is the copy's id, or null if no sentence was found in a copy of this article. `elsewhere` counts
    those matched and drifted sentences that were found in a file that is not the copy of any article. `outlet`,
    `published` and `url` are those of the release, by which somebody can look for the article.
    """

    article_id: str
    found_article: str | None
    matched: int
    drifted: int
    missing: int
    elsewhere: int
    outlet: str | None = None
    published: str | None = None
    url: str | None = None


class Hydrated(msgspec.Struct, frozen=True, kw_only=True):
    """What was found again, in all and by article.

    `left_out` names the splits of which no sentence was found, `skipped` counts the articles that could not be read, by
    reason, and `changed` says whether the folder changed.
    """

    matched: int
    drifted: int
    missing: int
    articles: list[ArticleCount]
    left_out: list[str]
    skipped: dict[str, int]
    changed: bool


class _Found(msgspec.Struct, frozen=True):
    """Where a sentence is, and whether that is in its own article."""

    copy: Copy
    place: Place
    own: bool


def hydrate(
    dataset: Path,
    articles: Sequence[Path | str] | Path,
    out: Path,
    settings: CorpusSettings,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Hydrated:
    """Write a stand-off release with its sentences' text, context and titles, as far as the user's copies have them.

    A copy is recognised by the article's id, or by half of the article's sentences or more (see
    `release.hydrate.match_articles.assigned`); ids are compared, never made into paths. A sentence that is missing in
    its article's copy may be found in a file that is not the copy of any article, such as a second page. The text is
    that of the user's file, confirmed by a digest; context and title are those that `stance build` gives to the copy,
    and null for a sentence that was found in another file.

    In `out`, `gold` has the columns of the release, in which `start` and `end` are offsets in the original article, and
    in addition `text`, `before`, `after` and `title`. At its end are `state`, `found_article`, `found_start` and
    `found_end`, which are offsets in the copy. Missing sentences are left out of `gold`, and so is a split in which
    all are missing: `hydrate.jsonl` lists every sentence with its state, and `hydrate-articles.jsonl` every article.

    Args:
        dataset: folder of the release.
        articles: folder of copies, or several sources in the forms that `corpus.build.build` takes.
        out: folder to write, completely or not at all; a hydrated release that is there already is replaced, unless it
            has the same content.
        settings: settings under `[corpus]` in stance.toml.
        progress: function that is called with each copy that was read, and the number of the release's articles.

    Raises:
        TableError: `dataset` is not a stand-off release, is not as its manifest says, or holds its text already.
        SourceError: the sources hold no article, or no article has one of the sentences.
        StanceError: `out` holds something other than a hydrated release, or lies in the release or around it.
    """
    check_out(dataset, out)
    tables, rows = read_release(dataset)
    sources = [articles] if isinstance(articles, Path | str) else list(articles)
    by_article: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_article[row.article_id].append(row)
    keys = {article_id: Counter(row.wanted.key for row in of) for article_id, of in by_article.items()}
    skipped: Counter[str] = Counter()
    copies: list[Copy] = []
    for copy in read_copies(sources, [dataset, out], settings, keys, skipped):
        copies.append(copy)
        progress(1, len(by_article))
    placed = _found(by_article, copies, assigned(keys, copies))
    if not placed:
        raise SourceError(
            f"none of the {number(len(rows), 'sentence')} of {dataset} is in {', '.join(map(str, sources))}. "
            "Nothing was written. To get the articles, see their outlet, date and URL in the rows of the release"
        )
    located = [_located(row, placed.get((row.file, row.at))) for row in rows]
    counts = _counts(located, by_article, tables)
    restored: dict[str, list[tuple[int, dict[str, Any]]]] = {file: [] for file in tables}
    for row, where in zip(rows, located, strict=True):
        if here := placed.get((row.file, row.at)):
            restored[row.file].append((row.at, _texts(here) | msgspec.structs.asdict(where)))
    states = Counter[str](row.state for row in located)
    changed = write(dataset, out, tables, restored, located, counts, states)
    return Hydrated(
        matched=states["matched"],
        drifted=states["drifted"],
        missing=states["missing"],
        articles=counts,
        left_out=sorted({row.split for row in located} - {row.split for row in located if row.state != "missing"}),
        skipped=dict(skipped.most_common()),
        changed=changed,
    )


def _found(
    by_article: Mapping[str, list[Row]], copies: Sequence[Copy], taken: Mapping[str, Copy]
) -> dict[tuple[str, int], _Found]:
    """Find each sentence in its article's copy, or else in another file, such as an article's second page."""
    placed: dict[tuple[str, int], _Found] = {}
    for article_id, copy in taken.items():
        of = by_article[article_id]
        places = refind([row.wanted for row in of], copy.text, copy.spans, [article_id, copy.article_id])
        for row, place in zip(of, places, strict=True):
            if place is not None:
                placed[row.file, row.at] = _Found(copy, place, True)
    missing = [row for of in by_article.values() for row in of if (row.file, row.at) not in placed]
    keys = {row.wanted.key for row in missing} - {NO_WORDS}
    exact: dict[str, _Found] = {}
    alike: dict[str, _Found] = {}
    used = {id(copy) for copy in taken.values()}
    for copy in (copy for copy in copies if id(copy) not in used):
        for (start, end), key in zip(copy.spans, copy.keys, strict=True):
            if key in keys:
                place = Place(start=start, end=end, exact=True)
                exact.setdefault(text_sha256(copy.text[start:end]), _Found(copy, place, False))
                alike.setdefault(key, _Found(copy, msgspec.structs.replace(place, exact=False), False))
    for row in missing:
        if here := exact.get(row.wanted.sha256) or alike.get(row.wanted.key):
            placed[row.file, row.at] = here
    return placed


def _texts(placed: _Found) -> dict[str, str | None]:
    copy, place = placed.copy, placed.place
    before, after = copy.around(place.start, place.end) if placed.own else (None, None)
    text = copy.text[place.start : place.end]
    return {"text": text, "before": before, "after": after, "title": copy.title if placed.own else None}


def _located(row: Row, placed: _Found | None) -> Located:
    missing = Located(sentence_id=row.wanted.sentence_id, article_id=row.article_id, split=row.split, state="missing")
    if placed is None:
        return missing
    return msgspec.structs.replace(
        missing,
        state="matched" if placed.place.exact else "drifted",
        found_article=placed.copy.article_id,
        found_start=placed.place.start,
        found_end=placed.place.end,
        shift=placed.place.start - row.wanted.start if placed.own else None,
    )


def _counts(
    located: Sequence[Located], by_article: Mapping[str, list[Row]], tables: Mapping[str, pa.Table]
) -> list[ArticleCount]:
    about: dict[str, dict[str, str | None]] = {}
    for table in tables.values():
        known = table.select([name for name in ("article_id", *ABOUT) if name in table.column_names])
        about |= {row.pop("article_id"): row for row in known.to_pylist()}
    states: dict[str, Counter[str]] = {article_id: Counter() for article_id in by_article}
    copy_of: dict[str, str] = {}
    for row in located:
        states[row.article_id][row.state] += 1
        if row.found_article is not None and row.shift is not None:
            copy_of[row.article_id] = row.found_article
        elif row.found_article is not None:
            states[row.article_id]["elsewhere"] += 1
    return [
        ArticleCount(
            article_id=article_id,
            found_article=copy_of.get(article_id),
            matched=by["matched"],
            drifted=by["drifted"],
            missing=by["missing"],
            elsewhere=by["elsewhere"],
            **about.get(article_id, {}),
        )
        for article_id, by in sorted(states.items())
    ]
