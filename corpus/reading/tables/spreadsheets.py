"""Read spreadsheets as tables of articles: each sheet is a table, whose header is its first row that is not blank."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from corpus.errors import SourceError
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.office import compound
from corpus.reading.tables.cells import CELL, SheetRow
from corpus.reading.tables.columns import Columns, DataRow, columns_of, in_table, missing_columns, unused_columns
from corpus.reading.tables.xls import OldWorkbook
from corpus.reading.tables.xlsx import Workbook
from corpus.reading.text_encoding import ARTICLE_BYTES
from corpus.records import CorpusSettings, Unit

SPREADSHEETS = {"xlsx", "xls"}
"""Kinds of files that are spreadsheets; the content decides which of the two a file is."""
HIDDEN = "a sheet that is hidden: show it, and it is read"
NO_TABLE = "a sheet that is no table of articles"
CUT = f"the text is as long as a cell of Excel can be ({CELL:,} characters): its end may be missing"


def opened(path: Path) -> Workbook | OldWorkbook:
    """The workbook in a file, to be used in a `with` statement.

    Raises:
        UnreadableError: the file is no workbook, or an encrypted one.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(4096)
        if start.startswith(compound.MAGIC):
            kind = compound.kind_of_compound(start + file.read(ARTICLE_BYTES))
            if kind == "xls":
                return OldWorkbook(path)
            reason = compound.why_not_compound(kind)
            raise UnreadableError(reason if kind == "encrypted" else f"expected an Excel workbook; {reason}")
    if start.startswith(b"PK"):
        return Workbook(path)
    if start[:2] in (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08"):  # Excel 2 to 4, and 5 without a container
        return OldWorkbook(path)
    if re.search(rb"<(?:!doctype html|html|table|meta)\b", start, re.I):
        found = "a web page"
    elif start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml"):
        found = "XML"
    else:
        binary = b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff"))
        found = "a file of another kind" if binary else "plain text"
    raise UnreadableError(
        f"expected an Excel workbook; found {found} under this name: open it in a spreadsheet program and save it as "
        ".xlsx, or name it as what it is"
    )


class _Sheets(msgspec.Struct):
    """The sheets of a workbook.

    Attributes:
        names: names of all sheets.
        tables: numbers of those that are tables of articles.
        unused: the columns of each table that hold no field, as `unused_columns` gives them.
        reasons: why each of the others that have cells is none, by its number.
        no_table: what to say where none is.
    """

    names: list[str]
    tables: list[int] = []
    reasons: dict[int, str] = {}
    unused: dict[int, dict[str, str]] = {}
    no_table: str = "no sheet with a table in it"


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The units of work of a file that may hold anything, or why it gives no articles.

    Attributes:
        parts: the units; empty where there is a reason, and where another function makes them.
        why: the reason; empty where the file may have articles.
        known: whether it is known that the file has none; False if it cannot be read.
    """

    parts: list[Unit] = []
    why: str = ""
    known: bool = True


def planned(unit: Unit, settings: CorpusSettings) -> Planned:
    """The units of work of a workbook, as `parts_of_workbook` gives them, or why it gives no articles."""
    try:
        found = _sheets(unit, settings, "text")
    except (UnreadableError, OSError) as error:
        return Planned(why=_why(error), known=False)
    return Planned(parts=_parts(unit, found)) if found.tables else Planned(why=found.no_table)


def parts_of_workbook(unit: Unit, settings: CorpusSettings, needed: str = "text") -> list[Unit]:
    """A unit of work for each sheet that is a table of articles, and for each of the others one that says why not.

    Sheets without any cell give no unit.

    Args:
        unit: the file.
        settings: settings, which name the columns.
        needed: the field whose column every table must have.

    Raises:
        SourceError: the file cannot be read, or no sheet of it is a table of articles.
    """
    try:
        found = _sheets(unit, settings, needed)
    except (UnreadableError, OSError) as error:
        raise SourceError(f"{unit.path}: {_why(error)}") from error
    if not found.tables:
        raise SourceError(f"{unit.path}: {found.no_table}")
    return _parts(unit, found)


def _parts(unit: Unit, found: _Sheets) -> list[Unit]:
    names, tables, reasons = found.names, found.tables, found.reasons
    several = len(tables) > 1
    parts = [
        msgspec.structs.replace(
            unit,
            start=number,
            end=number + 1,
            source=f"{unit.source}:{names[number]}" if several else unit.source,
            article_id=f"{unit.article_id}#{names[number]}" if several else unit.article_id,
            unused=found.unused[number],
        )
        for number in tables
    ]
    others = [
        Unit(path=unit.path, kind="", article_id="", source=f"{unit.source}:{names[number]}", size=0, reason=reason)
        for number, reason in reasons.items()
    ]
    return parts + others


def _sheets(unit: Unit, settings: CorpusSettings, needed: str) -> _Sheets:
    with opened(Path(unit.path)) as workbook:
        found = _Sheets([sheet.name for sheet in workbook.sheets])
        for number, sheet in enumerate(workbook.sheets):
            header = next(workbook.rows(number), None)
            if header is None:
                continue
            shown = [name for name in _header(header) if name]
            reason = missing_columns(Path(unit.path).name, shown, set(shown), settings, needed)
            place = f"row {header.number}{f' of the sheet {sheet.name}' * (len(found.names) > 1)}"
            if reason:
                if not found.reasons:
                    found.no_table = f"{place}: {reason}"
                found.reasons[number] = f"{NO_TABLE}: {reason}"
            elif sheet.hidden:
                found.reasons[number] = HIDDEN
                found.no_table = f"{place}: {HIDDEN}"
            else:
                found.tables.append(number)
                found.unused[number] = unused_columns(shown, in_table(settings, shown))
    return found


def first_table(path: Path, column: str) -> tuple[int, list[str], list[tuple[int, list[str]]]] | None:
    """The first sheet of a workbook that is not hidden and has a column: the number of its header, it, and its rows.

    Each row has its number in the sheet, and a text for each column; cells to the right of the header are left out.

    Args:
        path: the workbook.
        column: name of the column.

    Raises:
        UnreadableError: the file is no workbook, or a broken one.
        OSError: it cannot be read.
    """
    with opened(path) as workbook:
        for number, sheet in enumerate(workbook.sheets):
            rows = workbook.rows(number)
            first = None if sheet.hidden else next(rows, None)
            header = _header(first) if first else []
            if first and column in header:
                width = range(len(header))
                return first.number, header, [(row.number, [row.cells.get(n, "") for n in width]) for row in rows]
    return None


def rows_of(unit: Unit, settings: CorpusSettings) -> Iterator[DataRow]:
    """The rows of a sheet below its header, with their numbers in the sheet.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        with opened(Path(unit.path)) as workbook:
            rows = workbook.rows(unit.start)
            header = _header(next(rows))
            columns = columns_of(header, settings)
            for row in rows:
                yield _row(row, columns, header)
    except (UnreadableError, OSError) as error:
        raise SourceError(f"{unit.path}: {_why(error)}") from error


def _row(row: SheetRow, columns: Columns, header: list[str]) -> DataRow:
    for place, fault in row.faults.items():
        if place < len(header) and [place] in columns.places.values():
            return DataRow(number=row.number, fault=f"column {header[place]}: {fault}")
    fields, note = columns.fields([row.cells.get(place, "") for place in range(len(header))])
    cut = CUT if len(fields["text"]) >= CELL else ""
    note = "\n".join(filter(None, (note, cut)))
    return DataRow(number=row.number, fields=fields, note=note, extractor=columns.extractor)


def _header(row: SheetRow) -> list[str]:
    """The names of the columns; empty for a column without one."""
    return [row.cells.get(place, "").strip() for place in range(max([*row.cells, *row.faults]) + 1)]


def _why(error: UnreadableError | OSError) -> str:
    return f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)
