"""Hide the marked mention of the target in a text, and mark the words on either side of it."""

from __future__ import annotations

import re

from corpus import words

MENTION = re.compile(r"\[T\](.*?)\[/T\]", re.DOTALL)
WORD = re.compile(words.PATTERN)
NAME = "targetmention"
_TOUCHED = re.compile(rf"(?<=[{words.UNSPACED}])(?={NAME})|(?<={NAME})(?=[{words.UNSPACED}])")
_SIDES = re.compile(r"(?: \S+_[lr])+\Z")
NEAR = 3
"""Number of words on each side that get their own features: what is said about the target is mostly next to it."""


def masked(text: str) -> str:
    """A text as a model with `[train] mask = true` reads it.

    Every marked mention, `[T]…[/T]`, becomes the same word, so that the model learns nothing about who is mentioned.
    The NEAR words on each side of the first mention are repeated at the end with their side: "no_l" and "no_r" are two
    features. A text without marks, such as one that is masked already, is returned unchanged. In scripts without
    spaces between words, pairs of characters stand for words, and the mention is set apart with spaces.

    >>> masked("They refuse [T]Macron[/T] any help")
    'They refuse targetmention any help they_l refuse_l any_r help_r'
    >>> masked("他们拒绝[T]马克龙[/T]的帮助。")
    '他们拒绝 targetmention 的帮助。 他们_l 们拒_l 拒绝_l 的帮_r 帮助_r'
    """
    first = MENTION.search(text)
    if first is None:
        return text
    left = _near(text[: first.start()])[-NEAR:]
    right = _near(text[first.end() :])[:NEAR]
    sides = [f"{word}_l" for word in left] + [f"{word}_r" for word in right]
    return " ".join([_hidden(text), *sides])


def without_sides(text: str) -> str:
    """A masked text without the words that `masked` added at its end; any other text is returned unchanged.

    >>> without_sides(masked("They refuse [T]Macron[/T] any help"))
    'They refuse targetmention any help'
    """
    return _SIDES.sub("", text) if NAME in text else text


def _hidden(text: str) -> str:
    """A text with the mask in place of its mentions, which no letter of a script without spaces touches."""
    return _TOUCHED.sub(" ", MENTION.sub(NAME, text))


def _near(text: str) -> list[str]:
    """The words of a part of a text, or pairs of characters in scripts without spaces between words."""
    return [piece for word in WORD.findall(_hidden(text).lower()) for piece in words.pieces(word)]
