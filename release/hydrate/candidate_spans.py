"""Stretches of a text that may be a sentence, even if other rules than stance's decided where sentences end."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

LENGTHS = 0.25, 20
"""How much the length of a sentence may have changed: by this share of the length, plus this number of characters.

Quotation marks of two characters, accents that are characters of their own, and dots for an ellipsis change it.
"""
BETWEEN_WORDS = 0.03, 4
"""The same for stretches between any two words, which are too many for wider limits than line ends and some quotation
marks need."""
SEARCHED = 20_000_000
"""The largest number of characters that all stretches of one search have together.

A text of a thousand words in which ten sentences are missing needs a tenth of it. To digest that many characters takes
a few seconds.
"""

_MARKS = re.compile(r"(?=[^\w\s])([.!?…]*+)[^\w\s]*+")
_LINE = re.compile(r"\S[^\r\n]*+")
_WORD = re.compile(r"\S++")
_SOLID = re.compile(r"\S")


def pairs(
    text: str, gaps: Iterable[tuple[int, int]], lengths: Sequence[int], *, words: bool
) -> Iterator[tuple[int, int]]:
    """Stretches of a text that may be a sentence of about one of the given lengths.

    Args:
        text: text to search.
        gaps: stretches of the text that are searched, without white space at their ends.
        lengths: lengths in characters; if empty, there are no such stretches.
        words: whether stretches lie between any two words; otherwise, only between line ends and punctuation.
    """
    share, more = BETWEEN_WORDS if words else LENGTHS
    lengths = sorted(lengths)
    longest = lengths[-1] * (1 + share) + more if lengths else 0
    left = SEARCHED
    for low, high in gaps if lengths else ():
        starts, ends = _bounds(text, low, high, words=words)
        for start in starts:
            for end in ends[bisect_right(ends, start) :]:
                size = end - start
                if size > longest:
                    break
                nearest = bisect_left(lengths, (size - more) / (1 + share))
                if nearest < len(lengths) and lengths[nearest] * (1 - share) - more <= size:
                    left -= size
                    if left < 0:
                        return
                    yield start, end


def _bounds(text: str, low: int, high: int, *, words: bool) -> tuple[list[int], list[int]]:
    """Where sentences may begin, and where they may end: at line ends, and before, in and after punctuation."""
    ends = {high}
    for line in _LINE.finditer(text, low, high):
        ends |= {line.start(), line.start() + len(line[0].rstrip())}
    for marks in _MARKS.finditer(text, low, high):
        at, last = marks.start(), marks.end()
        # Hyphens and apostrophes within a word are passed over: there are many of them, and no sentence ends there.
        if not (last - at == 1 and text[at - 1 : at].isalnum() and text[last : last + 1].isalnum()) or marks[1]:
            ends |= {at, marks.end(1), last}
    if words:
        ends.update(word.end() for word in _WORD.finditer(text, low, high))
    starts = {match.start() for end in {low, *ends} if (match := _SOLID.search(text, end, high))}
    return sorted(starts), sorted(ends)
