"""Read the sheets of workbooks of Excel 97 to 2003 (.xls) with xlrd: pure Python, BSD licence, last release in 2025.

xlrd never computes a formula, and does not look at macros.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.reading.documents.faults import UnreadableError
from corpus.reading.tables.cells import Sheet, SheetRow, moment, number_text
from corpus.reading.text_encoding import ARTICLE_BYTES

NEEDS = "a workbook (.xls), which is read after `pip install 'stance-corpus[documents]'`"


class OldWorkbook:
    """A workbook that is open for reading, for use in a `with` statement.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        """Store the path, without opening the file."""
        self.sheets: list[Sheet] = []
        self._path = path
        self._read: list[Any] = []
        self._since_1904 = False

    def __enter__(self) -> OldWorkbook:
        """Open the file and read which sheets it has.

        Raises:
            UnreadableError: xlrd is missing, or the file is broken, encrypted or too big.
            OSError: it cannot be read.
        """
        try:
            import xlrd
        except ImportError as error:
            raise UnreadableError(NEEDS) from error
        with self._path.open("rb") as file:
            data = file.read(ARTICLE_BYTES + 1)
        if len(data) > ARTICLE_BYTES:
            raise UnreadableError(f"a workbook of more than {ARTICLE_BYTES >> 20} MB: divide it, or save it as .csv")
        try:
            with Path(os.devnull).open("w") as log:  # xlrd would write what it thinks of the file to standard output
                book = xlrd.open_workbook(
                    file_contents=data, ragged_rows=True, logfile=log, ignore_workbook_corruption=True
                )
        except Exception as error:  # a broken file may make it raise anything
            if "encrypted" in str(error):
                raise UnreadableError("encrypted: it needs a password") from error
            raise UnreadableError(f"a broken Excel workbook: {str(error) or type(error).__name__}"[:300]) from error
        self._read, self._since_1904 = book.sheets(), book.datemode == 1
        self.sheets = [Sheet(one.name, one.visibility != 0) for one in self._read]
        return self

    def __exit__(self, *_: object) -> None:
        """Forget what was read."""
        self._read = []

    def rows(self, number: int) -> Iterator[SheetRow]:
        """The rows of a sheet that have cells.

        Args:
            number: number of the sheet in `sheets`, from 0.
        """
        sheet = self._read[number]
        for place in range(sheet.nrows):
            values = zip(sheet.row_types(place), sheet.row_values(place), strict=True)
            texts = {column: self._text(kind, value) for column, (kind, value) in enumerate(values)}
            if cells := {column: text for column, text in texts.items() if text}:
                yield SheetRow(place + 1, cells, {})

    def _text(self, kind: int, value: Any) -> str:
        match kind:  # xlrd's numbers for text, numbers, dates and truth values; the others are blank cells and errors
            case 1:
                return str(value)
            case 2:
                return number_text(repr(value))
            case 3:
                return moment(repr(value), since_1904=self._since_1904)
            case 4:
                return "TRUE" if value else "FALSE"
        return ""
