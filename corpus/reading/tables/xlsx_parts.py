"""What is in the two parts of an Excel workbook that can be long, found while they are parsed: sheets, shared texts."""

from __future__ import annotations

import re
from functools import lru_cache

from corpus.reading.documents.faults import UnreadableError
from corpus.reading.tables.cells import UNCOMPUTED, SheetRow, moment, number_text

COLUMNS, ROWS = 16_384, 1_048_576
"""The most columns and rows that a sheet can have."""

_PLACE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _name(element: str) -> str:
    return element.rpartition(" ")[2]


class StringsPart:
    """Collects the shared texts of a workbook, without the pronunciations that East Asian texts have."""

    def __init__(self) -> None:
        """Begin without any text."""
        self.count = 0
        self._found: list[str] = []
        self._pieces: list[str] = []
        self._in_text, self._spoken = False, False

    def start(self, element: str, _attributes: dict[str, str]) -> None:
        """Note that an element begins."""
        match _name(element):
            case "si":
                self._pieces.clear()
            case "rPh":
                self._spoken = True
            case "t":
                self._in_text = not self._spoken

    def end(self, element: str) -> None:
        """Note that an element ends."""
        match _name(element):
            case "si":
                self._found.append(_unescaped("".join(self._pieces)))
                self.count += 1
            case "rPh":
                self._spoken = False
            case "t":
                self._in_text = False

    def characters(self, text: str) -> None:
        """Keep text that is a cell's."""
        if self._in_text:
            self._pieces.append(text)

    def taken(self) -> list[str]:
        """What was found since the last call."""
        found, self._found = self._found, []
        return found


class SheetPart:
    """Collects the rows of a sheet.

    Raises UnreadableError where rows or columns stand where none can be, or a cell refers to a text that is missing.
    """

    def __init__(self, strings: list[str], moments: set[int], since_1904: bool) -> None:
        """Begin above the first row.

        Args:
            strings: the texts that the cells of the workbook share.
            moments: numbers of the styles that show a number as a date or a time.
            since_1904: whether the workbook counts days from 1904.
        """
        self._strings, self._moments, self._since_1904 = strings, moments, since_1904
        self._found: list[SheetRow] = []
        self._row, self._column = 0, -1
        self._cells: dict[int, str] = {}
        self._faults: dict[int, str] = {}
        self._pieces: list[str] = []
        self._open, self._spoken, self._computed = False, False, False
        self._type, self._style = "n", 0

    def start(self, element: str, attributes: dict[str, str]) -> None:
        """Note that an element begins."""
        match _name(element):
            case "row":
                self._begin_row(attributes.get("r", ""))
            case "c":
                self._begin_cell(attributes)
            case "f":
                self._computed = True
            case "v":
                self._open = self._type != "inlineStr"
            case "t":
                self._open = not self._spoken
            case "rPh":
                self._spoken = True

    def end(self, element: str) -> None:
        """Note that an element ends."""
        match _name(element):
            case "v" | "t":
                self._open = False
            case "rPh":
                self._spoken = False
            case "c":
                self._end_cell()
            case "row":
                if self._cells or self._faults:
                    self._found.append(SheetRow(self._row, self._cells, self._faults))
                    self._cells, self._faults = {}, {}

    def characters(self, text: str) -> None:
        """Keep text that is a cell's."""
        if self._open:
            self._pieces.append(text)

    def taken(self) -> list[SheetRow]:
        """What was found since the last call."""
        found, self._found = self._found, []
        return found

    def _begin_row(self, number: str) -> None:
        row = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else self._row + 1
        if not self._row < row <= ROWS:
            raise UnreadableError(f"a broken workbook: row {row} of a sheet stands behind row {self._row}")
        self._row, self._column = row, -1

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = _PLACE.fullmatch(attributes.get("r", ""))
        self._column = _column(place[1]) if place else self._column + 1
        if self._column >= COLUMNS:
            raise UnreadableError(f"a broken workbook: a row of a sheet has more than {COLUMNS:,} columns")
        self._type = attributes.get("t", "n")
        style = attributes.get("s", "0")
        self._style = int(style) if style.isascii() and style.isdigit() and len(style) < 8 else 0
        self._pieces.clear()
        self._computed = False

    def _end_cell(self) -> None:
        written = "".join(self._pieces)
        if self._computed and not written and self._type != "str":
            self._faults[self._column] = UNCOMPUTED
        elif written and (value := self._value(written)):
            self._cells[self._column] = value

    def _value(self, written: str) -> str:
        match self._type:
            case "s":
                try:
                    return self._strings[int(written.replace("-", "none"))]
                except (ValueError, IndexError) as error:
                    raise UnreadableError(
                        f"a broken workbook: row {self._row} refers to a text that is not in it"
                    ) from error
            case "inlineStr" | "str":
                return _unescaped(written)
            case "b":
                return {"0": "FALSE", "1": "TRUE"}.get(written.strip(), written)
            case "e":  # a value such as #N/A
                return ""
            case "n" if self._style in self._moments:
                return moment(written, since_1904=self._since_1904)
            case "n":
                return number_text(written)
        return written


@lru_cache(maxsize=COLUMNS)
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _unescaped(text: str) -> str:
    """The text with the characters that XML cannot hold, which workbooks write as `_x000D_`."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
