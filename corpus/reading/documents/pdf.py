"""Read the text layer of PDF files, with pypdf: pure Python, BSD licence, released several times a year.

Where the lines stand on their pages tells paragraphs, running heads and headings: see `pdf_layout.py`.
"""

from __future__ import annotations

import io
import logging
import math
import re
from collections.abc import Sequence
from typing import Any

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.lines import article_of, clean
from corpus.reading.documents.pdf_layout import PrintedLine, paragraphs, title_of

NEEDS = "a document (.pdf), which is read after `pip install 'stance-corpus[documents]'`"
SCANNED = "no text layer: a scanned document, which would need text recognition"
UNMAPPED = "its fonts do not say which characters they show: the text layer is unreadable"
PAGES = 5_000
OPERATIONS = 3_000_000
"""Drawing operations that are followed in a document: a book has some 300,000; forms that call each other, billions."""
CHARACTERS = 20_000_000

_LIGATURES = str.maketrans(dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", "ff fi fl ffi ffl st st".split(), strict=True)))
_NO_CHARACTER = re.compile("[\ufffd\ue000-\uf8ff]")
_WIDTH = 0.5
"""Average width of a letter, in units of the type size; pypdf tells where a text begins, but not where it ends."""
_FILE_NAME = re.compile(r"Microsoft \w+ - |untitled\b|.*\.(?:docx?|indd|qxd|qxp|pdf|rtf|odt|tex|dvi|html?)$|\W*$", re.I)


def read_pdf(data: bytes) -> list[ArticleInFile]:
    """The article in a PDF file.

    Raises:
        UnreadableError: pypdf is missing, or the file is encrypted, broken or without text.
    """
    try:
        import pypdf
    except ImportError as error:
        raise UnreadableError(NEEDS) from error
    # What pypdf says of broken files becomes a fault or a note of the article.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    if b"%PDF-" not in data[:1024]:
        raise UnreadableError("expected a PDF file; found something else under this name")
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        locked = reader.is_encrypted
        if locked and not reader.decrypt(""):
            raise UnreadableError("encrypted: it needs a password")
        count = len(reader.pages)
    except UnreadableError:
        raise
    except pypdf.errors.DependencyError as error:
        raise UnreadableError("encrypted in a way that is not read here; save it without a password") from error
    except Exception as error:  # a broken file may make it raise anything
        raise UnreadableError(f"a broken PDF file: {type(error).__name__}: {error}"[:300]) from error
    if count > PAGES:
        raise UnreadableError(f"{count:,} pages; expected at most {PAGES:,}")
    notes = ["encrypted, but open without a password"] * locked
    pages, empty, broken = _pages(reader, count)
    text = "".join(line.text for page in pages for line in page)
    if not text.strip():
        raise UnreadableError(
            f"a broken PDF file: no page of {count} can be read" if broken and len(broken) == count else SCANNED
        )
    if 3 * len(_NO_CHARACTER.findall(text)) > len(text):
        raise UnreadableError(UNMAPPED)
    if empty:
        notes.append(f"no text on page {_numbers(empty)}: blank or scanned, and not read")
    if broken:
        notes.append(f"broken, and not read: page {_numbers(broken)}")
    lines = paragraphs(pages)
    return [article_of(lines, f"pypdf {pypdf.__version__}", {"title": title_of(lines, _title(reader))}, notes)]


def _pages(reader: Any, count: int) -> tuple[list[list[PrintedLine]], list[int], list[int]]:
    """The lines of each page, and the numbers of the pages that have no text and of those that are broken."""
    pages: list[list[PrintedLine]] = []
    empty: list[int] = []
    broken: list[int] = []
    budget, characters = _Budget(OPERATIONS), 0
    for number in range(1, count + 1):
        printed = _Printed(budget)
        try:
            reader.pages[number - 1].extract_text(visitor_text=printed.add, visitor_operand_before=budget.spend)
        except Exception:  # as above
            broken.append(number)
        if budget.left <= 0:
            raise UnreadableError(f"more than {OPERATIONS:,} drawing operations")
        lines = printed.lines()
        if not lines and number not in broken:
            empty.append(number)
        pages.append(lines)
        characters += sum(len(line.text) for line in lines)
        if characters > CHARACTERS:
            raise UnreadableError(f"more than {CHARACTERS:,} characters of text")
    return pages, empty, broken


class _Budget:
    """The drawing operations that may still be followed."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, *_operation: object) -> None:
        self.left -= 1
        if self.left <= 0:
            raise UnreadableError("too many drawing operations")


class _Printed:
    """Gathers the lines of a page from the pieces that pypdf finds, in the order in which they are drawn."""

    def __init__(self, budget: _Budget) -> None:
        self._budget = budget
        self._pieces: list[tuple[str, float, float, float, int]] = []

    def add(self, text: str, cm: Sequence[float], tm: Sequence[float], _font: object, size: float) -> None:
        """Take a piece of text, with the matrices that place it and the size of its font."""
        a, b = tm[0] * cm[0] + tm[1] * cm[2], tm[0] * cm[1] + tm[1] * cm[3]
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        quarters = round(math.atan2(b, a) / (math.pi / 2)) % 4
        for _ in range(quarters):  # turn the page until the text stands upright
            x, y = y, -x
        self._pieces.append((text, x, y, abs(size) * math.hypot(a, b) or 1.0, quarters))

    def lines(self) -> list[PrintedLine]:
        """The lines of the page, without empty ones; those that are turned another way than most come last."""
        lines: list[PrintedLine] = []
        open_line: PrintedLine | None = None
        for text, x, y, size, turned in self._pieces:
            place = x
            for number, piece in enumerate(text.translate(_LIGATURES).split("\n")):
                if number:  # pypdf found the end of a line
                    open_line = None
                if not piece.strip():
                    if open_line and piece:
                        open_line.text += " "
                    continue
                right = place + _WIDTH * size * len(piece)
                if open_line is None or _jumps(open_line, place, y, size, turned):
                    open_line = PrintedLine(
                        text=piece, left=place, right=right, y=y, size=size, turned=turned, letters=len(piece)
                    )
                    lines.append(open_line)
                    continue
                open_line.text += piece
                open_line.right = max(open_line.right, right)
                if len(piece) > open_line.letters:
                    open_line.size, open_line.letters = size, len(piece)
        for line in lines:
            line.text = clean(line.text)
        upright = _most([line.turned for line in lines for _ in line.text])
        return sorted((line for line in lines if line.text), key=lambda line: line.turned != upright)


def _jumps(line: PrintedLine, left: float, y: float, size: float, turned: int) -> bool:
    """Whether a piece of text stands elsewhere than behind the line: another row, or across a gutter."""
    if turned != line.turned or abs(y - line.y) > 0.7 * max(size, line.size):
        return True
    slack = 3 * size + 0.15 * (line.right - line.left)
    return left > line.right + slack or left < line.left - slack


def _most(values: list[int]) -> int:
    return max(set(values), key=values.count, default=0)


def _title(reader: Any) -> str:
    """The title in the file's properties; empty where it is only the name of the file that it was made from."""
    try:
        title = clean(str(reader.metadata.title or "")) if reader.metadata else ""
    except Exception:  # a broken property is none
        return ""
    return "" if _FILE_NAME.match(title) else title


def _numbers(pages: list[int]) -> str:
    """Numbers of pages as people write them: 1, 3-5."""
    runs: list[list[int]] = []
    for number in pages:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
