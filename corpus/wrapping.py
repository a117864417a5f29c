"""Which lines are one paragraph: in text that was wrapped to a width, the end of a line says nothing.

Whether text was wrapped is a property of a whole text, or of a block of lines, never of one line. A program that wraps
text ends a line where the next word no longer fits, so every line but a paragraph's last is *full*: with the first
word of the next line it would be wider than the widest line. The lines of a list or a poem are full only by chance.
The words are the second witness. A line that ends in "the", or that is followed by a word in lower case, *goes on*;
a line without final punctuation that is followed by "The" may be a heading.

Lines are joined only where no blank line stands between them, save where a blank line stands after every line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from corpus.words import ABBREVIATIONS, NEVER_LAST, PREPOSITIONS, SELDOM_LAST, SPEECH, STARTERS, TITLES

Place = tuple[int, int]

_WIDTHS = range(20, 121)  # columns: a newspaper's column has about 30, mail 72 to 78, an editor's window up to 120
_NARROW = 45  # columns: lines below are full by chance more often, so more of them must agree
_LONG = 40  # columns: a shorter line that ends in a preposition may be a heading ("Where we come from")
_WIDE = range(50, 101)  # columns: what plain text is nearly always wrapped at
_RAGGED = 20  # columns by which lines may differ where they were not filled by a rule that we know
_FINAL = re.compile(r"[.!?…:;][”’\"'»)\]*†‡\d]{0,4}$")
_CLOSING = ("”", '"', "’", "'", "»")
_OPENING = "“‘\"'«‹„(["
_UNFINISHED = (",", "(", "[", "“", "‘", "„", "–", "—", " -")
_BULLET = re.compile(r"[•▪●‣◦→»]\s?")
_ITEM = re.compile(r"(?:[•▪●‣◦·*→»–—-]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])\s")
_LINE = re.compile(r"\S[^\r\n]*+")
_DOTTED = re.compile(r"(?:[^\W\d_]\.){1,6}")
_CELLS = re.compile(r"\S(?:\s{3,}|\t)\S")


class _Line:
    """A line with a line right above or below it: where it ends on the page, and what its words tell."""

    __slots__ = ("bullet", "closed", "edge", "final", "first", "indent", "item", "last", "lower", "table", "words")

    def __init__(self, body: str, indent: int) -> None:
        self.indent = indent
        self.edge = indent + len(body)
        words = body.split()
        self.words = len(words)
        self.lower = sum(word[0].islower() for word in words)
        self.first, self.last = words[0], words[-1]
        self.closed = body.endswith(_CLOSING)
        self.final = _FINAL.search(body, max(0, len(body) - 8)) is not None and not _is_abbreviated(self.last)
        self.bullet = _BULLET.match(body) is not None
        self.item = _ITEM.match(body) is not None
        self.table = _CELLS.search(body) is not None

    @property
    def open(self) -> bool:
        """Whether nothing at its end says that a sentence, or a quotation, ends there."""
        return not self.final and not self.closed

    @property
    def never_last(self) -> bool:
        """Whether its last word always has another one behind it."""
        return self.last.strip(_OPENING).lower() in NEVER_LAST or self.last.strip(_OPENING + ".") in TITLES

    @property
    def seldom_last(self) -> bool:
        """Whether its last word, or a comma or dash, is followed by another word nearly always."""
        word = self.last.strip(_OPENING).lower()
        return word in SELDOM_LAST or word in SPEECH or self.last.endswith(_UNFINISHED)


class _Break:
    """The end of a line with a line right below it."""

    __slots__ = ("above", "below", "index")

    def __init__(self, index: int, above: _Line, below: _Line) -> None:
        self.index = index  # of the line below
        self.above = above
        self.below = below

    def is_full(self, width: int) -> bool:
        """Whether the first word below had no room above."""
        return self.above.edge + 1 + len(self.below.first) > width

    @property
    def lower(self) -> bool:
        """Whether the line below starts in lower case."""
        return self.below.first[0].islower()

    @property
    def goes_on(self) -> bool:
        """Whether the words say that a sentence goes on, provided that the line above is full."""
        return self.lower or self.above.never_last or self.above.seldom_last

    @property
    def starts(self) -> bool:
        """Whether the line below starts with a function word that is capitalised, as sentences do."""
        word = re.split("[’']", self.below.first.strip(_OPENING + ".,;:!?"))[0]
        return word in STARTERS and word != "I"

    @property
    def parts(self) -> bool:
        """Whether these are no lines of one paragraph: items, rows of a table, or an indented first line below."""
        above, below = self.above, self.below
        listed = below.bullet or (
            below.item and (above.item or above.final)
        )  # a dash, or "7.", may be within a sentence
        if above.table or below.table or (listed and not above.never_last):
            return True
        return below.indent > above.indent and (above.final or not (above.item or self.goes_on))


def places(text: str, start: int = 0, end: int | None = None) -> list[Place]:
    r"""Where the lines of a text, or of a part of it, are that are not blank, without the white space around them.

    Lines end at `\n`, `\r\n` and `\r` only.
    """
    found = _LINE.finditer(text, start, len(text) if end is None else end)
    return [(line.start(), line.start() + len(line[0].rstrip())) for line in found]


def paragraphs(
    text: str,
    lines: Sequence[Place],
    *,
    alone: Callable[[int], bool] = lambda _: False,
    begins: Callable[[int], bool] = lambda _: False,
    spaced: bool = False,
) -> list[list[Place]]:
    """The lines of a text by paragraph.

    Args:
        text: the text.
        lines: where its lines are, by `places`.
        alone: whether a line, by its number, is a paragraph of its own whatever stands around it.
        begins: whether a line starts a paragraph after a line with final punctuation.
        spaced: whether wrapped text may have a blank line after every line.

    Returns:
        The places of each paragraph's lines: one, but for wrapped text.
    """
    surely, maybe = _joined(text, lines, spaced=spaced)
    joined = {
        index
        for index in surely | maybe
        if not (alone(index - 1) or alone(index) or (begins(index) and _is_final(text, lines[index - 1])))
        and (index in surely or not begins(index - 1))
    }
    found: list[list[Place]] = []
    for index, place in enumerate(lines):
        if index in joined:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def _joined(text: str, lines: Sequence[Place], *, spaced: bool) -> tuple[set[int], set[int]]:
    """The numbers of the lines that go on the paragraph of the line before: in wrapped text, and elsewhere."""
    gaps = [_line_ends(text[one[1] : two[0]]) for one, two in pairwise(lines)]
    blocks = _blocks(text, lines, gaps, _usual(text, lines, gaps) if spaced else 1)
    width = _width(text, lines, blocks) if blocks else 0
    breaks = [one for block in blocks for one in block]
    wrapped = _is_wrapped(breaks, width)
    apart = _are_apart(breaks, width)
    surely: set[int] = set()
    maybe: set[int] = set()
    for block in blocks:
        own = max(one.above.edge for one in block)
        if wrapped:
            surely |= _filled(block, width, apart=apart)
        elif _is_wrapped(block, own) or _is_even(block, own):
            surely |= _filled(block, own, apart=apart)
        elif _is_ragged(block, own):
            surely |= _filled(block, own - _RAGGED, apart=apart)
        else:
            maybe |= {one.index for one in block if _is_cut(one) or (len(block) == 1 and _may_be_cut(one, width))}
    return surely, maybe


def _usual(text: str, lines: Sequence[Place], gaps: list[int]) -> int:
    """How many line ends stand between the lines of a paragraph: one, or as many as between all lines."""
    low = sum(text[start].islower() for start, _ in lines[1:])
    return min(gaps) if len(gaps) > 3 and 3 * low > len(gaps) else 1


def _blocks(text: str, lines: Sequence[Place], gaps: list[int], usual: int) -> list[list[_Break]]:
    """The breaks of each run of lines without a blank line between them; a longer line ends a run if it can."""
    blocks: list[list[_Break]] = []
    above: _Line | None = None
    for index, gap in enumerate(gaps, start=1):
        start, end = lines[index - 1]
        if not 0 < gap <= usual or (
            end - start >= _WIDTHS.stop and not (text[end - 1].isalnum() or text[end - 1] == ",")
        ):
            above = None
            continue
        if above is None:
            blocks.append([])
            above = _line(text, lines, index - 1)
        below = _line(text, lines, index)
        blocks[-1].append(_Break(index, above, below))
        above = below
    return blocks


def _line(text: str, lines: Sequence[Place], index: int) -> _Line:
    start, end = lines[index]
    before = text[lines[index - 1][1] if index else 0 : start]
    indent = re.split("[\n\r]", before)[-1].expandtabs(8)
    return _Line(text[start:end], len(indent))


def _line_ends(between: str) -> int:
    return between.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def _is_final(text: str, place: Place) -> bool:
    return _FINAL.search(text, max(place[0], place[1] - 8), place[1]) is not None


def _width(text: str, lines: Sequence[Place], blocks: list[list[_Break]]) -> int:
    """The column that lines go up to, but for one in twenty; titles and headings, which stand alone, don't count."""
    known = {one.index - 1 for block in blocks for one in block} | {block[-1].index for block in blocks}
    edges = [one.above.edge for block in blocks for one in block] + [block[-1].below.edge for block in blocks]
    edges += [end - start for n, (start, end) in enumerate(lines) if n not in known and _is_final(text, (start, end))]
    return sorted(edges)[-1 - len(edges) // 20]


def _is_wrapped(breaks: Sequence[_Break], width: int) -> bool:
    """Whether the lines of these breaks are full at a width, and most of them go on by their words.

    A line that isn't full may be a heading or the like: then the line above it is not full either, or has ended.
    """
    full = going = starting = short = headings = 0
    filled = -1  # the line below the last full one that is open
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
    enough = full >= (3 if width < _NARROW else 2) and width in _WIDTHS
    return enough and full >= 6 * short and full >= headings and 2 * going >= full >= 4 * starting


def _is_even(breaks: Sequence[_Break], width: int) -> bool:
    """Whether all lines of a block are full, and it reads like prose, though its words don't say that it goes on."""
    upper = [one.above for one in breaks]
    unfinished = [one for one in breaks if one.above.open]
    prose = 2 * sum(line.lower for line in upper) >= sum(line.words for line in upper)
    enough = len(unfinished) >= (3 if width < _NARROW else 2) and width in _WIDTHS and prose
    return (
        enough
        and breaks[-1].below.final
        and not any(one.parts or not one.is_full(width) or (one.starts and not one.goes_on) for one in unfinished)
    )


def _is_ragged(breaks: Sequence[_Break], width: int) -> bool:
    """Whether the lines of a block are nearly as wide as each other, and most start in lower case."""
    edges = [one.above.edge for one in breaks]
    even = len(edges) > 1 and width in _WIDE and width - min(edges) <= _RAGGED and breaks[-1].below.edge <= width
    return even and 2 * sum(one.lower for one in breaks) > len(breaks)


def _are_apart(breaks: Sequence[_Break], width: int) -> bool:
    """Whether paragraphs are set apart, by blank lines or an indented first line: no short line ends one otherwise."""
    ends = sum(one.above.final and not one.parts and not one.is_full(width) for one in breaks)
    return ends < 2 or 20 * ends < len(breaks)


def _filled(breaks: Sequence[_Break], width: int, *, apart: bool) -> set[int]:
    """The lines that go on a paragraph, in a block that was wrapped to a width, where paragraphs are set `apart`."""
    joined: set[int] = set()
    first = True  # whether the line above is the first of its sentence, as far as lines tell; a heading may be
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
    # A paragraph that has ended has no heading, and a quotation no speaker's name, for its last line.
    rest = 0  # lines of the paragraph from the line below on, if it ends without final punctuation
    for one in reversed(breaks):
        if one.index + 1 not in joined:
            rest = 0 if not one.below.open else 1
        elif rest:
            rest += 1
        if rest and (one.above.final or (one.above.closed and rest == 1 and not one.lower)):
            joined.discard(one.index)
    return joined


def _is_cut(one: _Break) -> bool:
    """Whether a line surely goes on below, in text that was not wrapped to a width, as far as can be told."""
    above = one.above
    if one.parts or not above.open or above.never_last:
        return above.open and not one.parts
    short = above.edge >= _LONG and one.below.edge in _WIDTHS
    return short and not one.starts and (above.last.endswith(",") or above.last.lower() in PREPOSITIONS)


def _may_be_cut(one: _Break, width: int) -> bool:
    """Whether the first of two lines goes on below, where nothing tells but that no line of the text is wider."""
    above = one.above
    prose = above.words > 8 and 2 * above.lower >= above.words and one.below.final
    fits = width in _WIDE and above.edge >= 60 and one.is_full(width)
    return prose and fits and above.open and one.index > 1 and not one.parts and not one.starts


def _is_abbreviated(word: str) -> bool:
    """Whether the full stop of a word may be that of an abbreviation: "Gov.", "Feb.", "J.", "U.S."."""
    bare = word.lstrip(_OPENING)
    return bare.endswith(".") and (bare[:-1] in ABBREVIATIONS or _DOTTED.fullmatch(bare) is not None)
