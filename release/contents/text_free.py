"""Make a stand-off release: offsets, digests and labels without the articles' text, as `proof.py` then checks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from corpus import words
from corpus.errors import PublishError
from corpus.near_duplicates import normalise
from release.contents.five_word_runs import WORDS, runs

COLUMNS = {
    "gold": (
        "sentence_id text_sha256 text_key label target article_id start end cluster_id copy_of group outlet "
        "published url how votes codebook"
    ).split(),
    "annotations": "sentence_id annotator stance unsure seconds codebook created_at updated_at".split(),
    "machine": (
        "sentence_id coder stance refused sample probabilities model prompt codebook temperature answered_by created_at"
    ).split(),
}
"""All columns that a stand-off release may have. A new column of the full release must be listed here or in DERIVED."""

DERIVED = {
    "gold": "text before after title note".split(),
    "annotations": "comment holder note".split(),
    "machine": [],
}
"""Columns that hold the articles' text, or words that people wrote while they read it."""
TEXT = frozenset(DERIVED["gold"] + DERIVED["annotations"])


def columns(config: str) -> list[str]:
    """The columns of a config, such as `gold`, of a stand-off release, in their order."""
    return list(COLUMNS[config])


def strip(config: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Make rows of a stand-off release from rows of the full release.

    Rows of `gold` get two digests: `text_sha256` of the exact sentence in UTF-8, and `text_key` of its normalised text.
    An article's id that could quote a headline becomes a digest (see `public_id`).

    Args:
        config: name of the config that the rows belong to.
        rows: rows with the columns of the full release.

    Returns:
        One row for each row given, in the same order, with exactly the columns that `columns(config)` lists.

    Raises:
        PublishError: a row has a column that neither COLUMNS nor DERIVED lists.
    """
    kept, derived = columns(config), DERIVED[config]
    return [_stripped(config, row, kept, derived) for row in rows]


def _stripped(config: str, row: Mapping[str, Any], kept: list[str], derived: list[str]) -> dict[str, Any]:
    unknown = sorted(row.keys() - kept - set(derived))
    if unknown:
        raise PublishError(
            f"{config}: it is not known whether {', '.join(unknown)} may be in a stand-off release: list it in "
            "COLUMNS or DERIVED of release/contents/text_free.py"
        )
    full = dict(row)
    if config == "gold":
        full |= {"text_sha256": text_sha256(row["text"]), "text_key": text_key(row["text"])}
        full |= {name: public_id(row[name]) for name in ("article_id", "group")}
    return {name: full[name] for name in kept}


def text_sha256(text: str) -> str:
    """SHA-256, in hexadecimal, of the exact text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def text_key(text: str) -> str:
    """SHA-256, in hexadecimal, of a text's normalised form.

    The digest is the same for texts that differ only in case, punctuation, quotation marks, spaces, line ends or
    Unicode form.
    """
    return text_sha256(normalise(text))


def public_id(article_id: str) -> str:
    """The id that a stand-off release gives to an article.

    An id that was made from a file's name or a URL is often the headline. An id with five words in a row, at most one
    of them a number, is replaced by its digest: so the release does not quote the headline, and anyone who has the
    article can still find it.

    >>> public_id("gazette/2031-03-14-army-town")
    'gazette/2031-03-14-army-town'
    >>> public_id("send-no-more-than-2000")
    'id-e17e7ed60f92748553cb698db34786e3'
    """
    parts = words.in_text(article_id)
    numbers = [part.isdecimal() for part in parts]
    quotes = any(sum(numbers[n : n + WORDS]) < 2 for n in range(len(numbers) - WORDS + 1))
    quotes = quotes or bool(runs(" ".join(filter(words.is_unspaced, parts))))
    return f"id-{text_sha256(article_id)[:32]}" if quotes else article_id
