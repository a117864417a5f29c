"""Join lines into paragraphs, in text that was wrapped to a width.

Whether text was wrapped is a property of a whole text, or of a block of lines, never of one line. A program that wraps
text ends a line where the next word no longer fits, so every line except a paragraph's last is *full*: with the first
word of the next line it would be wider than the widest line. The lines of a list or a poem are full only by chance.
The words give further evidence. A line that ends in "the", or that is followed by a word in lower case, *goes on*;
a line without final punctuation that is followed by "The" may be a heading.

Lines are joined only where no blank line stands between them, unless a blank line stands after every line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from corpus.sentences.english_words import ASK_FOR_MORE, OPENING
from corpus.sentences.line_ends import WIDTHS, Break, Extent, blocks, count_ends, is_final

_NARROW = 45  # columns: narrower lines are full by chance more often, so more of them must agree
_USUAL = range(50, 101)  # columns: what plain text is nearly always wrapped at
_LONG = 40  # columns: a shorter line that ends in a preposition may be a heading ("Where we come from")


def paragraphs(
    text: str,
    lines: Sequence[Extent],
    *,
    alone: Callable[[int], bool] = lambda _: False,
    begins: Callable[[int], bool] = lambda _: False,
    spaced: bool = False,
) -> list[list[Extent]]:
    r"""The lines of a text by paragraph.

    Args:
        text: the text.
        lines: where its lines are.
        alone: whether a line, by its number, is a paragraph of its own whatever stands around it.
        begins: whether a line starts a paragraph after a line with final punctuation.
        spaced: whether wrapped text may have a blank line after every line.

    Returns:
        The places of each paragraph's lines: a single line unless the text was wrapped.

    >>> from corpus.sentences.line_ends import places
    >>> lines = [
    ...     "The ferry Northern Star left the pier of Lake Harbor at dawn on Monday with",
    ...     "Governor Ruth Moss, two aides and nine reporters on board for the islands",
    ...     "of Orrin, where the council had met.",
    ... ]
    >>> text = "\n".join(["Rain in Sund", *lines])
    >>> [len(lines) for lines in paragraphs(text, places(text))]
    [1, 3]
    """
    if len(lines) < 2:
        return [list(lines)] if lines else []
    surely, maybe = _joined(text, lines, spaced=spaced)
    if not (surely or maybe):
        return [[place] for place in lines]
    joined = set()
    lone: dict[int, bool] = {}
    for index in surely | maybe:
        for either in (index - 1, index):
            if either not in lone:
                lone[either] = alone(either)
        starts = is_final(text, lines[index - 1]) and begins(index)
        if not (lone[index - 1] or lone[index] or starts or (index in maybe and begins(index - 1))):
            joined.add(index)
    groups: list[list[Extent]] = []
    for index, place in enumerate(lines):
        if index in joined:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _joined(text: str, lines: Sequence[Extent], *, spaced: bool) -> tuple[set[int], set[int]]:
    """The numbers of the lines that continue the paragraph of the line before: in wrapped text, and elsewhere."""
    gaps = [count_ends(text[one[1] : two[0]]) for one, two in pairwise(lines)]
    runs = blocks(text, lines, gaps, _usual(text, lines, gaps) if spaced else 1)
    surely: set[int] = set()
    maybe: set[int] = set()
    if not runs:
        return surely, maybe
    breaks = [one for run in runs for one in run]
    width = _width(text, lines, runs)
    wrapped = _is_wrapped(breaks, width) or _is_even(runs, width)
    ragged = not wrapped and _is_ragged(breaks, width)
    apart = _are_apart(breaks, width)
    for run in runs:
        own = max([one.above.edge for one in run])
        if wrapped:
            surely |= _filled(run, width, apart=apart)
        elif len(run) > 1 and (_is_wrapped(run, own) or _is_even([run], own)):
            surely |= _filled(run, own, apart=apart)
        elif ragged or (len(run) > 1 and _is_ragged(run, own)):
            surely |= _filled(run, _least(width if ragged else own), apart=apart)
        else:
            even = all(one.is_full(width) for one in run)
            maybe |= {one.index for one in run if _is_cut(one) or (even and _may_be_cut(one, width))}
    return surely, maybe


def _usual(text: str, lines: Sequence[Extent], gaps: Sequence[int]) -> int:
    """The number of line ends between the lines of a paragraph: one, or as many as between all lines."""
    low = sum(text[start].islower() for start, _ in lines[1:])
    return min(gaps) if len(gaps) > 3 and 3 * low > len(gaps) else 1


def _width(text: str, lines: Sequence[Extent], runs: Sequence[Sequence[Break]]) -> int:
    """The width that nineteen in twenty lines keep to; titles and headings, which stand alone, don't count."""
    known = {one.index - 1 for run in runs for one in run} | {run[-1].index for run in runs}
    edges = [one.above.edge for run in runs for one in run] + [run[-1].below.edge for run in runs]
    edges += [end - start for n, (start, end) in enumerate(lines) if n not in known and is_final(text, (start, end))]
    return sorted(edges)[-1 - len(edges) // 20]


def _is_wrapped(breaks: Sequence[Break], width: int) -> bool:
    """Whether the lines of these breaks are full at a width, and the words show that most of them go on.

    A line that isn't full may be a heading or the like: then the line above it is not full either, or ends a sentence.
    """
    if width not in WIDTHS:
        return False
    full = going = starting = short = headings = 0
    filled = -1  # the line below the last one that is full and open
    for one in breaks:
        if one.parts or not one.above.open:
            continue
        if one.is_full(width):
            full, filled = full + 1, one.index
            going += one.goes_on
            starting += one.starts and not one.goes_on
        elif one.goes_on or one.index - 1 == filled:
            short += 1
        else:
            headings += 1
    enough = full >= (3 if width < _NARROW else 2)
    return enough and full >= 6 * short and full >= headings and 2 * going >= full >= 4 * starting


def _is_even(runs: Sequence[Sequence[Break]], width: int) -> bool:
    """Whether all lines are full and read like prose, unlike titles, though no words show that they go on."""
    unfinished = [one for run in runs for one in run if one.above.open]
    if len(unfinished) < (3 if width < _NARROW else 2) or width not in WIDTHS:
        return False
    if not all(one.is_full(width) and not one.parts for one in unfinished):
        return False
    if any(one.starts and not one.goes_on for one in unfinished) or not all(run[-1].below.final for run in runs):
        return False
    small = sum(one.above.lower for run in runs for one in run) + sum(run[-1].below.lower for run in runs)
    return small >= sum(map(len, runs))


def _is_ragged(breaks: Sequence[Break], width: int) -> bool:
    """Whether most lines go on in lower case, though they are not filled by a rule known here."""
    unfinished = [one for one in breaks if one.above.open and not one.parts]
    if len(unfinished) < (4 if width < _NARROW else 2) or width not in WIDTHS:
        return False
    wide = sum(one.is_full(_least(width)) for one in unfinished)
    return 10 * wide >= 9 * len(unfinished) and 2 * sum(one.lower for one in unfinished) >= len(unfinished)


def _least(width: int) -> int:
    """The least width at which a line without final punctuation is not a heading, where lines are ragged."""
    return width * 3 // 5


def _are_apart(breaks: Sequence[Break], width: int) -> bool:
    """Whether blank lines or indents set paragraphs apart: then hardly any short line within a run ends a sentence."""
    ends = sum(one.above.final and not one.parts and not one.is_full(width) for one in breaks)
    return ends < 2 or 20 * ends < len(breaks)


def _filled(breaks: Sequence[Break], width: int, *, apart: bool) -> set[int]:
    """The lines that continue a paragraph, in a run wrapped to a width; `apart` says that paragraphs are set apart."""
    joined: set[int] = set()
    first = True  # whether the line above is the first of its sentence, as far as lines show; a heading may be
    for one in breaks:
        if one.parts:
            goes_on = False
        elif not one.is_full(width):
            goes_on = one.above.open and (one.lower or one.above.never_last)
        elif one.above.open:
            goes_on = not (first and one.starts and not one.goes_on)
        else:
            goes_on = one.above.closed or apart
        if goes_on:
            joined.add(one.index)
        first = not (goes_on and one.above.open)
    # What follows final punctuation but ends without any is a heading, not the rest of the paragraph; one such line
    # after a quotation is the speaker's name.
    rest = 0  # number of lines of the paragraph from the line below on, if it ends without final punctuation
    for one in reversed(breaks):
        if one.index + 1 not in joined:
            rest = 1 if one.below.open else 0
        elif rest:
            rest += 1
        if rest and (one.above.final or (one.above.closed and rest == 1 and not one.lower)):
            joined.discard(one.index)
    return joined


def _is_cut(one: Break) -> bool:
    """Whether a line certainly goes on below, in text that does not seem to be wrapped to a width."""
    above = one.above
    if one.parts or not above.open or above.never_last:
        return above.open and not one.parts
    wide = above.edge >= _LONG and one.below.edge < WIDTHS.stop
    comma = above.last.endswith(",") and one.below.first[0] not in OPENING  # otherwise it may introduce a quotation
    return wide and not one.starts and (comma or above.last.lower() in ASK_FOR_MORE)


def _may_be_cut(one: Break, width: int) -> bool:
    """Whether a line goes on below, where the only signs are that it reads like prose and that no line is wider."""
    above = one.above
    prose = len(above.words) > 8 and above.lower > 0 and one.below.final
    fits = width in _USUAL and above.edge >= 60 and one.is_full(width)
    return prose and fits and above.open and one.index > 1 and not one.parts and not one.starts
