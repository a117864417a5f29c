"""Read the tables `articles.csv` and `articles.xlsx`, which describe the files in the same folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from corpus.errors import SourceError
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.tables.csv_lines import csv_encoding
from corpus.reading.tables.csv_table import SWALLOWED, Broken, CsvTable
from corpus.reading.tables.spreadsheets import first_table

SIDECARS = ("articles.csv", "articles.xlsx")
FIELDS = {"file", "url", "outlet", "title", "published", "language", "licence"}


class _Table(msgspec.Struct):
    """A sidecar: its name, each file's metadata, the number of its row, and the rows that describe no file."""

    name: str
    rows: dict[str, dict[str, str]] = {}
    numbers: dict[str, int] = {}
    loose: list[tuple[int, str]] = []


class Sidecars:
    """The sidecars of all folders, each read once, when it is first needed."""

    def __init__(self) -> None:
        """Begin without any sidecar."""
        self._read: dict[Path, _Table | None] = {}

    def is_one(self, path: Path) -> bool:
        """Whether a file is its folder's sidecar: it has the name of one, and a column `file`."""
        if path.name not in SIDECARS:
            return False
        table = self._table(path.parent)
        return table is not None and table.name == path.name

    def row(self, path: Path, base: Path) -> dict[str, str]:
        """The file's row in the nearest sidecar: in its folder, or in a folder above it up to `base`."""
        for folder in path.parents:
            table = self._table(folder)
            row = table.rows.get(path.relative_to(folder).as_posix()) if table else None
            if row or folder == base:
                return row or {}
        return {}

    def loose(self) -> Iterator[tuple[Path, int, str]]:
        """Rows whose file does not exist: the sidecar, the row's number, and what is wrong."""
        for folder, table in self._read.items():
            if table is None:
                continue
            for number, reason in table.loose:
                yield folder / table.name, number, reason
            for file, number in table.numbers.items():
                if not (folder / file).exists():
                    yield folder / table.name, number, f"a row of {table.name} for a file that is not there: {file}"

    def _table(self, folder: Path) -> _Table | None:
        if folder not in self._read:
            found = [table for name in SIDECARS if (table := _sidecar(folder / name)) is not None]
            if len(found) > 1:
                raise SourceError(f"{folder}: both {' and '.join(SIDECARS)} describe its files; keep one of them")
            self._read[folder] = found[0] if found else None
        return self._read[folder]


def _sidecar(path: Path) -> _Table | None:
    if not path.is_file():
        return None
    if path.suffix == ".xlsx":
        try:
            found = first_table(path, "file")
        except (UnreadableError, OSError):  # it is listed with the reason, as every file is that cannot be read
            return None
        if found is None:
            return None
        number, header, rows = found
        return _described(path, f"row {number}", header, rows)
    with CsvTable(path, csv_encoding(path), short=True) as opened:
        if "file" not in opened.header:
            return None
        return _described(path, "line 1", opened.header, _csv_rows(path, opened))


def _csv_rows(path: Path, opened: CsvTable) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(opened.rows(), 1):
        if isinstance(row, Broken) or row.note == SWALLOWED:
            raise SourceError(f"{path}: {row if isinstance(row, Broken) else f'line {row.line}: {row.note}'}")
        yield number, row.fields


def _described(path: Path, place: str, header: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]) -> _Table:
    if set(header) - FIELDS:
        raise SourceError(
            f"{path}, {place}: expected the columns file and any of {', '.join(sorted(FIELDS - {'file'}))}; "
            f"found {', '.join(header)}"
        )
    table = _Table(path.name)
    for number, cells in rows:
        columns = dict(zip(header, cells, strict=True))
        file = columns.pop("file")
        given = {name: value for name, value in columns.items() if value}
        if not file:
            table.loose.append((number, f"a row of {path.name} that names no file"))
            continue
        if file in table.rows and table.rows[file] != given:
            table.loose.append(
                (table.numbers[file], f"a row of {path.name} for a file that a later row is for: {file}")
            )
        table.rows[file], table.numbers[file] = given, number
    return table
