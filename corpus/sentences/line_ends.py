"""The lines of a text, and whether a line is full or goes on in the next one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.sentences.english_words import (
    ABBREVIATIONS,
    NEVER_LAST,
    OPENING,
    SELDOM_LAST,
    SMALL,
    SPEECH,
    STARTERS,
    TITLES,
)

Extent = tuple[int, int]
"""Where a line starts and ends in its text, without the white space around it."""

WIDTHS = range(20, 121)
"""Widths that text is wrapped at: about 30 characters in a newspaper's column, 72 to 78 in mail, up to 120 in an
editor's window."""

STOPS_OF_ONE_MEANING = "։؟۔।॥。！？．｡།။።፧"
"""Marks of scripts other than Latin that end sentences and do nothing else."""
STOPS = f".!?…{STOPS_OF_ONE_MEANING}"
"""Marks that end a sentence, in any script."""
CLOSING = "”“’‘\"'»«›‹)]」』】）〕》〉］"
"""Marks that may close a quotation or a bracket, in any language: in German “ does."""
GAP = "(?:[ \u00a0\u2009\u202f](?=[»›]))?"
"""The space that French has before a mark that closes a quotation, or nothing, as a regular expression."""
_FINAL = re.compile(rf"[{STOPS}]{GAP}[”’\"'»)\]*†‡\d」』】）〕》〉］“«]{{0,4}}$")
_CLOSING = ("”", '"', "’", "'", "»", ":", "」", "』", "：")
_UNFINISHED = (",", ";", "(", "[", "“", "‘", "„", "–", "—", " -")
_BULLETS = "•⁃▪●‣◦→»"
_ITEM = re.compile(r"(?:[•⁃▪●‣◦·*→»–—-]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])\s")
_CELLS = re.compile(r"\S(?:\s{3,}|\t)\S")
_DOTTED = re.compile(r"(?:[^\W\d_]\.){1,6}")


def places(text: str, start: int = 0, end: int | None = None) -> list[Extent]:
    r"""The places of the lines of a text, or of a part of it, that are not blank.

    Lines end at `\n`, `\r\n` and `\r` only.
    """
    lines = []
    part = text[start:end]
    if "\r" in part:
        part = part.replace("\r", "\n")
    for line in part.split("\n"):  # four times as fast as a regular expression
        if body := line.lstrip():
            begin = start + len(line) - len(body)
            lines.append((begin, begin + len(body.rstrip())))
        start += len(line) + 1
    return lines


def count_ends(between: str) -> int:
    """The number of line ends in the white space between two lines: one, unless a line between them is blank."""
    if "\r" in between:
        between = between.replace("\r\n", "\n").replace("\r", "\n")
    return between.count("\n")


def is_final(text: str, place: Extent) -> bool:
    """Whether a line has final punctuation."""
    start, end = place
    return not text[end - 1].isalpha() and _FINAL.search(text, max(start, end - 8), end) is not None


class Line:
    """A line with a line right above or below it: where it ends on the page, and what its words show."""

    __slots__ = ("closed", "edge", "final", "first", "indent", "item", "last", "table", "words")

    def __init__(self, body: str, indent: int) -> None:
        """Measure a line.

        Args:
            body: the line without the white space around it.
            indent: width of the white space before it, in characters.
        """
        self.indent = indent
        self.edge = indent + len(body)
        self.words = words = body.split()
        self.first, self.last = words[0], words[-1]
        self.closed = body.endswith(_CLOSING)
        self.final = is_final(body, (0, len(body))) and not _is_abbreviated(self.last)
        self.item = not self.first.isalpha() and _ITEM.match(body) is not None
        self.table = ("   " in body or "\t" in body) and _CELLS.search(body) is not None

    @property
    def open(self) -> bool:
        """Whether nothing at its end shows that a sentence or a quotation ends there, or that a list begins."""
        return not self.final and not self.closed

    @property
    def lower(self) -> int:
        """The number of its words in lower case, without those that are in lower case even in titles."""
        return sum(len(word) > 2 and word[0].islower() and word not in SMALL for word in self.words)

    @property
    def never_last(self) -> bool:
        """Whether its last word is one that another word always follows."""
        return self.last.lstrip(OPENING).lower() in NEVER_LAST or self.last.strip(OPENING + ".") in TITLES

    @property
    def seldom_last(self) -> bool:
        """Whether it ends in a word, comma or dash that another word nearly always follows."""
        word = self.last.lstrip(OPENING).lower()
        return word in SELDOM_LAST or word in SPEECH or self.last.endswith(_UNFINISHED)


class Break:
    """The border between a line and the line right below it."""

    __slots__ = ("above", "below", "indented", "index")

    def __init__(self, index: int, above: Line, below: Line) -> None:
        """Store the lines above and below the border, and the number of the one below."""
        self.index = index  # of the line below
        self.above = above
        self.below = below
        self.indented = False  # whether the line below is the first of a paragraph, which is indented

    def is_full(self, width: int) -> bool:
        """Whether the first word of the line below would not have fitted on the line above."""
        return self.above.edge + 1 + len(self.below.first) > width

    @property
    def lower(self) -> bool:
        """Whether the line below starts in lower case."""
        return self.below.first[0].islower()

    @property
    def goes_on(self) -> bool:
        """Whether the words show that a sentence goes on, provided that the line above is full."""
        return self.lower or self.above.never_last or self.above.seldom_last

    @property
    def starts(self) -> bool:
        """Whether the line below starts with a function word that is capitalised, as sentences do."""
        word = re.split("[’']", self.below.first.strip(OPENING + ".,;:!?"))[0]
        return word in STARTERS and word != "I"

    @property
    def parts(self) -> bool:
        """Whether the lines are not of one paragraph: items, rows of a table, or an indented first line below."""
        above, below = self.above, self.below
        # A dash, or "7.", at the start of a line may be within a sentence, unless an item or a sentence's end is above.
        listed = below.first[0] in _BULLETS or (below.item and (above.item or above.final or above.closed))
        return above.table or below.table or self.indented or (listed and not above.never_last)


def blocks(text: str, lines: Sequence[Extent], gaps: Sequence[int], usual: int) -> list[list[Break]]:
    """The breaks in each run of lines without a blank line between them; a line too long to be wrapped ends a run.

    Args:
        text: the text.
        lines: where its lines are.
        gaps: number of line ends between each line and the next.
        usual: number of line ends between the lines of a run.
    """
    groups: list[list[Break]] = []
    above: Line | None = None
    for index, gap in enumerate(gaps, start=1):
        start, end = lines[index - 1]
        is_long = end - start >= WIDTHS.stop and not (text[end - 1].isalnum() or text[end - 1] == ",")
        if not 0 < gap <= usual or is_long:
            above = None
            continue
        if above is None:
            groups.append([])
            above = _line(text, lines, index - 1)
        below = _line(text, lines, index)
        groups[-1].append(Break(index, above, below))
        above = below
    for block in groups:
        _indent(block)
    return groups


def _line(text: str, lines: Sequence[Extent], index: int) -> Line:
    start, end = lines[index]
    if not start or text[start - 1] in "\r\n":  # the common case
        return Line(text[start:end], 0)
    before = text[lines[index - 1][1] if index else 0 : start]
    indent = before[max(before.rfind("\n"), before.rfind("\r")) + 1 :]
    return Line(text[start:end], len(indent.expandtabs(8)))


def _indent(block: list[Break]) -> None:
    """Mark the indented first lines of paragraphs, if it is these that are indented and not the other lines."""
    least = min(block[0].above.indent, *(one.below.indent for one in block))
    deep = [one for one in block if one.below.indent > least]
    firsts = 2 * sum(not one.above.open for one in deep) >= len(deep)
    for one in deep:
        one.indented = firsts


def _is_abbreviated(word: str) -> bool:
    """Whether the full stop of a word may belong to an abbreviation: "Gov.", "Feb.", "J.", "U.S."."""
    bare = word.lstrip(OPENING)
    return bare.endswith(".") and (bare[:-1] in ABBREVIATIONS or _DOTTED.fullmatch(bare) is not None)
