"""Hide the marked mention of the target in a text, and mark the words on either side of it."""

from __future__ import annotations

import re

MENTION = re.compile(r"\[T\](.*?)\[/T\]", re.DOTALL)
WORD = re.compile(r"\w+")
NAME = "targetmention"
NEAR = 3
"""Number of words on each side that get their own features: what is said about the target is mostly next to it."""


def masked(text: str) -> str:
    """A text as a model with `[train] mask = true` reads it.

    Every marked mention, `[T]…[/T]`, becomes the same word, so that the model learns nothing about who is mentioned.
    The NEAR words on each side of the first mention are repeated at the end with their side: "no_l" and "no_r" are two
    features. A text without marks, such as one that is masked already, is returned unchanged.

    >>> masked("They refuse [T]Macron[/T] any help")
    'They refuse targetmention any help they_l refuse_l any_r help_r'
    """
    first = MENTION.search(text)
    if first is None:
        return text
    left = WORD.findall(MENTION.sub(NAME, text[: first.start()]).lower())[-NEAR:]
    right = WORD.findall(MENTION.sub(NAME, text[first.end() :]).lower())[:NEAR]
    sides = [f"{word}_l" for word in left] + [f"{word}_r" for word in right]
    return " ".join([MENTION.sub(NAME, text), *sides])
