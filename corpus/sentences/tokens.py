"""The words before and after a position in a text."""

from __future__ import annotations

import re

from corpus.sentences.english_words import OPENING, RUNNING, STARTERS

_WORD = re.compile(r"[^\W\d_]{1,24}+")


def last_word(text: str, left: int, at: int) -> str:
    """The word that ends at `at`, without opening marks before it or words joined to it by a hyphen."""
    words = text[max(left, at - 24) : at].rsplit(None, 1)
    token = words[-1] if words else ""
    if token.isalnum():
        return token
    token = token.lstrip(OPENING)
    for sign in "-–—/":
        if sign in token:
            token = token.rpartition(sign)[2]
    return token


def first_word(text: str, begin: int) -> str:
    """The letters that stand at `begin`; empty if no letter stands there."""
    word = _WORD.match(text, begin)
    return word[0] if word else ""


def is_starter(text: str, begin: int, *, loud: bool = False) -> bool:
    """Whether the word at `begin` is capitalised only because a sentence starts there.

    In a `loud` text, one in capitals, words that also stand within sentences are not enough.
    """
    word = first_word(text, begin)
    if not word.isupper():
        return word in STARTERS
    if loud and word.capitalize() in RUNNING:
        return False
    return word in STARTERS or word.capitalize() in STARTERS


def is_pronoun(text: str, begin: int) -> bool:
    """Whether the word at `begin` is "I", which has a capital anywhere: "I", "I’m"."""
    return text.startswith(("I ", "I’", "I'"), begin)
