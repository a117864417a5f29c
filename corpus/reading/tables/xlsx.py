"""Read the sheets of Excel workbooks (.xlsx, .xlsm) row by row, by ECMA-376, with Python's zip and XML readers.

Nothing is computed: of a formula the value is read that the program stored with it. Macros are not looked at.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.office.packages import ZIP_FAULTS, attribute, local, part, xml_tree
from corpus.reading.tables.cells import Sheet, SheetRow, shows_moment
from corpus.reading.tables.xlsx_parts import SheetPart, StringsPart
from corpus.reading.text_encoding import ARTICLE_BYTES, BLOCK

UNPACKED = 4 * ARTICLE_BYTES
"""Bytes that the parts of a workbook may have together once unpacked."""
STRINGS = 5_000_000
"""Most texts that the cells of a workbook may share."""

_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
"""Numbers of built-in formats that show a date or a time."""


class Workbook:
    """A workbook that is open for reading, for use in a `with` statement.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        """Store the path, without opening the file."""
        self.sheets: list[Sheet] = []
        self._path = path
        self._parts: list[str] = []
        self._since_1904 = False
        self._package: zipfile.ZipFile
        self._strings: list[str] | None = None

    def __enter__(self) -> Workbook:
        """Open the file and read which sheets it has.

        Raises:
            UnreadableError: it is no workbook, or too big.
            OSError: it cannot be read.
        """
        try:
            self._package = zipfile.ZipFile(self._path)
        except ZIP_FAULTS as error:
            if isinstance(error, OSError):
                raise
            raise UnreadableError(f"expected an Excel workbook; found a broken one: {error}"[:300]) from error
        for info in self._package.infolist():  # some programs write the names of parts with backslashes
            self._package.NameToInfo.setdefault(info.filename.replace("\\", "/"), info)
        try:
            self._read_parts()
        except BaseException:
            self._package.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._package.close()

    def _read_parts(self) -> None:
        if sum(info.file_size for info in self._package.infolist()) > UNPACKED:
            raise UnreadableError(
                f"a workbook of more than {UNPACKED >> 20} MB once unpacked: divide it, or save it as .csv"
            )
        main = next((target for kind, target in _relations(self._package, "").values() if kind == "officeDocument"), "")
        if main.endswith(".bin"):
            raise UnreadableError("a workbook in Excel's binary format: save it as .xlsx")
        data = part(self._package, main) if main else b""
        book = xml_tree(data, "the workbook") if data else None
        if book is None or local(book) != "workbook":
            raise UnreadableError("expected an Excel workbook; found a zip package of another kind")
        related = _relations(self._package, main)
        for one in book.iter():
            if local(one) == "workbookPr":
                self._since_1904 = attribute(one, "date1904") in ("1", "true")
            elif local(one) == "sheet":
                kind, target = related.get(attribute(one, "id"), ("", ""))
                if kind == "worksheet":
                    self.sheets.append(Sheet(attribute(one, "name"), attribute(one, "state") not in ("", "visible")))
                    self._parts.append(target)
        self._shared = [target for kind, target in related.values() if kind == "sharedStrings"]
        self._styles = [target for kind, target in related.values() if kind == "styles"]

    def rows(self, number: int) -> Iterator[SheetRow]:
        """The rows of a sheet that have cells.

        Args:
            number: number of the sheet in `sheets`, from 0.

        Raises:
            UnreadableError: the sheet is broken.
        """
        if self._strings is None:
            names = (
                self._package.NameToInfo.keys()
            )  # programs without shared texts may still refer to the part for them
            self._strings = [text for name in self._shared[:1] if name in names for text in self._texts(name)]
            self._moments = {style for name in self._styles[:1] for style in _dated(part(self._package, name))}
        reader = SheetPart(self._strings, self._moments, self._since_1904)
        yield from self._parsed(self._parts[number], reader)

    def _texts(self, name: str) -> Iterator[str]:
        reader = StringsPart()
        for text in self._parsed(name, reader):
            yield text
            if reader.count > STRINGS:
                raise UnreadableError(f"more than {STRINGS:,} different texts in a workbook: divide it")

    def _parsed(self, name: str, reader: SheetPart | StringsPart) -> Iterator[Any]:
        """What a reader finds in a part, while the part is unpacked block by block."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = reader.start
        parser.EndElementHandler = reader.end
        parser.CharacterDataHandler = reader.characters
        parser.StartDoctypeDeclHandler = _refuse
        try:
            with self._package.open(name) as file:
                while block := file.read(BLOCK):
                    parser.Parse(block)
                    yield from reader.taken()
                parser.Parse(b"", True)
                yield from reader.taken()
        except UnreadableError:
            raise
        except KeyError as error:
            raise UnreadableError(f"a broken workbook: its part {name[:100]} is missing") from error
        except expat.ExpatError as error:
            raise UnreadableError(f"malformed XML in the workbook's part {name[:100]}: {error}") from error
        except ZIP_FAULTS as error:
            raise UnreadableError(f"the workbook cannot be unpacked: {error}"[:300]) from error


def _refuse(*_: object) -> None:
    raise UnreadableError("XML with a document type in a workbook: no program writes that")


def _relations(package: zipfile.ZipFile, name: str) -> dict[str, tuple[str, str]]:
    """The parts that a part refers to, by the id of the relation, each with the last word of the relation's type."""
    folder, file = posixpath.split(name)
    data = part(package, posixpath.join(folder, "_rels", f"{file}.rels"))
    found = {}
    for one in xml_tree(data, "the relations") if data else ():
        if one.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/")
            found[one.get("Id", "")] = (one.get("Type", "").rpartition("/")[2], target)
    return found


def _dated(data: bytes) -> Iterator[int]:
    """Numbers of the styles of cells that show a number as a date or a time."""
    if not data:
        return
    formats: dict[str, bool] = {str(number): True for number in _DATES}
    root = xml_tree(data, "the styles")
    for one in root.iter():
        if local(one) == "numFmt":
            formats[attribute(one, "numFmtId")] = shows_moment(attribute(one, "formatCode"))
    for cells in root:
        if local(cells) == "cellXfs":
            for number, one in enumerate(cells):
                if formats.get(attribute(one, "numFmtId")):
                    yield number
