"""Make paragraphs of the lines that are printed on pages, and tell running heads, page numbers and headings by rule."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from corpus.reading.documents.lines import Line

RUNNING_HEAD, PAGE_NUMBER, TURNED = "running head", "page number", "turned text"
_EDGE = 3
"""Rows of text at the top and at the bottom of a page that may be running heads."""
_PAGE = re.compile(
    r"(?:page|seite|p\.|s\.|página|pagina)?\s*[-–—|\[(]?\s*(?:\d{1,4}|[ivxl]{1,7})\s*[-–—|\])]?"
    r"(?:\s*(?:of|von|de|di|/)\s*\d{1,4})?",
    re.I,
)
_FINAL = re.compile(r"[.!?…:][”’\"'»)\]\d]{0,3}$")
_WORD = re.compile(r"[^\W\d_]+(?:[-‐][^\W\d_]+)*")
_BROKEN_WORD = re.compile(r"([^\W\d_]+)[-‐\xad]$")
_NEXT_WORD = re.compile(r"[^\W\d_]+")
_ITEM = re.compile(r"(?:[•▪●‣◦·]|[-–*]\s|\(?\d{1,2}[.)]\s)")
_HEADLINE = 300
"""Characters: no headline is longer."""


class PrintedLine(msgspec.Struct):
    """A line on a page: its text, its left and (estimated) right end, its height on the page, and its type size.

    `turned` counts quarters of a turn; `letters` is the length of the piece of text that the size is of; `kind` is
    set once the line is known to be no part of the article.
    """

    text: str
    left: float
    right: float
    y: float
    size: float
    turned: int = 0
    letters: int = 0
    kind: str = ""


def paragraphs(pages: Sequence[list[PrintedLine]]) -> list[Line]:
    """The paragraphs on pages, which may go on across columns and pages.

    What was printed around the text stands between the paragraphs, where it does not interrupt one.

    Args:
        pages: the lines of each page, in the order in which they are drawn; their kind is set here.
    """
    _mark_edges(pages)
    words = Counter(word.lower() for page in pages for line in page for word in _WORD.findall(line.text))
    body = _body_size(pages)
    found: list[Line] = []
    held: list[Line] = []
    open_lines: list[PrintedLine] = []
    pitch = _pitch(pages)
    first = next((page for page in pages if page), [])
    top = max((line.size for line in first if not line.kind), default=0.0)

    def close() -> None:
        if open_lines:
            untitled = any(one is open_lines[0] for one in first) and not any(line.kind == "title" for line in found)
            found.append(_paragraph(open_lines, words, body, top if untitled else math.inf))
            open_lines.clear()
        found.extend(held)
        held.clear()

    for page in pages:
        right = _right_edge(page)
        for line in _in_columns(page):
            if line.kind:
                held.append(Line(line.text, "other", line.kind))
                continue
            if open_lines and not _goes_on(open_lines, line, pitch, right):
                close()
            open_lines.append(line)
    close()
    return found


def title_of(lines: Sequence[Line], stated: str) -> str:
    """The title of an article: that which the file states where it says more than the largest type, or else that."""
    printed = next((line.text for line in lines if line.kind == "title"), "")
    return stated if stated and (not printed or stated.lower().startswith(printed.lower())) else printed or stated


def _mark_edges(pages: Sequence[list[PrintedLine]]) -> None:
    """Set the kind of running heads, page numbers, and of text that is turned another way than the page."""
    seen: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    edges: list[tuple[str, list[list[PrintedLine]]]] = []
    for number, page in enumerate(pages):
        upright = page[0].turned if page else 0
        rows: defaultdict[int, list[PrintedLine]] = defaultdict(list)
        for line in page:
            if line.turned != upright:
                line.kind = TURNED
            else:
                rows[round(line.y)].append(line)
        downwards = [rows[y] for y in sorted(rows, reverse=True)]
        for side, chosen in (("top", downwards[:_EDGE]), ("bottom", downwards[::-1][:_EDGE])):
            edges.append((side, chosen))
            for line in (line for row in chosen for line in row):
                seen[side, _pattern(line.text)].add(number)
    for side, chosen in edges:
        # Once a row belongs to the article, so do those behind it: a refrain is no running head.
        for row in chosen:
            for line in row:
                if _PAGE.fullmatch(line.text):
                    line.kind = PAGE_NUMBER
                elif len(seen[side, _pattern(line.text)]) > 1 and len(line.text) <= _HEADLINE:
                    line.kind = RUNNING_HEAD
            if not any(line.kind for line in row):
                break


def _pattern(text: str) -> str:
    """A line without its numbers and spaces, which differ from page to page."""
    return re.sub(r"\d+", "#", re.sub(r"\s+", "", text)).lower()


def _body_size(pages: Sequence[list[PrintedLine]]) -> float:
    """The type size of most letters."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            if not line.kind:
                sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 1.0


def _pitch(pages: Sequence[list[PrintedLine]]) -> float:
    """The usual distance of a line from the next, in units of the type size."""
    steps = Counter(
        round((one.y - other.y) / one.size, 1)
        for page in pages
        for one, other in pairwise(page)
        if 0.8 < (one.y - other.y) / one.size < 2.5 and abs(one.size - other.size) < 0.5
    )
    return steps.most_common(1)[0][0] if steps else 1.2


def _right_edge(page: Sequence[PrintedLine]) -> dict[int, float]:
    """How far the lines of each column reach, by the place of the column's left edge."""
    widths: defaultdict[int, list[float]] = defaultdict(list)
    for line in page:
        widths[_column(line)].append(line.right)
    return {column: sorted(ends)[len(ends) * 3 // 4] for column, ends in widths.items()}


def _column(line: PrintedLine) -> int:
    return round(line.left / 40)


def _in_columns(page: list[PrintedLine]) -> list[PrintedLine]:
    """The lines of a page in the order of reading.

    The order in which they are drawn nearly always is that order. Only a program that draws a page row by row, across
    the columns, needs another: then the lines left of the gutter are read before those right of it.
    """
    body = [line for line in page if not line.kind]
    width = max((line.right for line in body), default=0) - min((line.left for line in body), default=0)
    pairs = [
        (one, other)
        for one, other in pairwise(body)
        if abs(one.y - other.y) < 0.3 * one.size and other.left > one.left + 0.3 * width
    ]
    # Cells of a table are shorter than lines of prose.
    long = [pair for pair in pairs if all(len(line.text) > 25 for line in pair)]
    if len(long) < 5 or len(long) * 2 < len(pairs):
        return page
    gutter = min(other.left for _, other in long) - 1
    paired = {id(line) for pair in pairs for line in pair}
    ordered: list[PrintedLine] = []
    right: list[PrintedLine] = []
    for line in page:
        if line.left >= gutter and not line.kind:
            right.append(line)
        elif id(line) in paired or line.right < gutter + 0.1 * width:
            ordered.append(line)
        else:  # a line across both columns
            ordered += [*right, line]
            right = []
    return ordered + right


def _goes_on(before: Sequence[PrintedLine], line: PrintedLine, pitch: float, right: dict[int, float]) -> bool:
    """Whether a line belongs to the paragraph before it."""
    last = before[-1]
    if abs(last.size - line.size) > 0.12 * max(last.size, line.size) and len(line.text) > 3 < len(last.text):
        return False
    ended = _FINAL.search(last.text) is not None
    step = (last.y - line.y) / line.size
    if not -0.5 < step <= 4 or (step < 0.5 and line.left > last.right):  # another column or page
        return not ended and (line.text[0].islower() or _BROKEN_WORD.search(last.text) is not None or len(before) > 2)
    if abs(step) < 0.5:  # the same row
        return True
    if step > 1.3 * pitch or _ITEM.match(line.text):
        return False
    edge = before[1].left if len(before) > 1 else last.left
    if line.left > edge + 0.7 * line.size and line.left > last.left + 0.7 * line.size:  # indented
        return not ended and line.text[0].islower()
    full = last.right >= right.get(_column(last), last.right) - 0.25 * (last.right - last.left)
    return not ended or full


def _paragraph(lines: Sequence[PrintedLine], words: Counter[str], body: float, top: float) -> Line:
    text = lines[0].text
    for line in lines[1:]:
        text = _joined(text, line.text, words)
    size = max(line.size for line in lines)
    if size < 1.15 * body or len(text) > _HEADLINE:
        return Line(text)
    if size >= max(1.3 * body, 0.95 * top):
        return Line(text, "title", "largest type")
    return Line(text, "heading", "larger type")


def _joined(text: str, following: str, words: Counter[str]) -> str:
    """Two lines as one. A hyphen between them goes, unless the document has the word with it elsewhere."""
    broken, rest = _BROKEN_WORD.search(text), _NEXT_WORD.match(following)
    if not broken or not rest or not rest[0][0].islower():
        return f"{text} {following}" if not text.endswith("\xad") else text[:-1] + following
    with_hyphen = f"{broken[1]}-{rest[0]}".lower()
    if text[-1] != "\xad" and words[with_hyphen] > words[with_hyphen.replace("-", "")]:
        return text + following
    return text[:-1] + following
