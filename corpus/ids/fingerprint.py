"""The digest of an article's text, by which it is recognised after its file or row has moved."""

from __future__ import annotations

import hashlib

TEXT_ID = "text:"
"""Beginning of the id of an article that has no id or URL of its own; digits of the digest of its text follow."""
DIGITS = 16
"""Hexadecimal digits in such an id: among a million articles two share them by chance once in 30 million corpora."""


def fingerprint(text: str) -> str:
    r"""The SHA-256 of a text in which each run of white space counts as one space, as hexadecimal digits.

    So an article keeps its fingerprint when it is written with other line ends or moves from a file to a table.

    Args:
        text: the article's text, without any front matter.

    >>> fingerprint("It rained.\r\n") == fingerprint(" It  rained.")
    True
    """
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()


def text_id(digest: str) -> str:
    """The id of an article that is known by its text alone.

    Args:
        digest: the article's fingerprint.
    """
    return TEXT_ID + digest[:DIGITS]
