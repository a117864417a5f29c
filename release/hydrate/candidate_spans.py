"""Where in a text a sentence may begin and end, by other rules than stance's, or by none."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

LENGTHS = 0.25, 20
"""By how much of itself, and how many characters more, a sentence may have changed its length: by quotes of two
characters, accents written apart, dots for an ellipsis."""
BETWEEN_WORDS = 0.03, 4
"""The same between any two words, of which there are too many to be as generous: line ends, some quotes."""
SEARCHED = 20_000_000
"""Characters that are given out at most in one search. A thousand words with ten sentences missing are a tenth of it;
measured, digesting so many takes about 1.5 s."""

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
        gaps: stretches of it to search, without white space at their ends.
        lengths: lengths in characters; if empty, there is no such stretch.
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
    """Where sentences may begin, and where they may end: at lines, and before, in and after punctuation."""
    ends = {high}
    for line in _LINE.finditer(text, low, high):
        ends |= {line.start(), line.start() + len(line[0].rstrip())}
    for marks in _MARKS.finditer(text, low, high):
        at, last = marks.start(), marks.end()
        # Hyphens and apostrophes in a word are too many, and end nothing.
        if not (last - at == 1 and text[at - 1 : at].isalnum() and text[last : last + 1].isalnum()) or marks[1]:
            ends |= {at, marks.end(1), last}
    if words:
        ends.update(word.end() for word in _WORD.finditer(text, low, high))
    starts = {match.start() for end in {low, *ends} if (match := _SOLID.search(text, end, high))}
    return sorted(starts), sorted(ends)
