"""Read the tables `articles.csv`, which describe the files in the same folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from corpus.errors import SourceError
from corpus.reading.tables.csv_lines import csv_encoding
from corpus.reading.tables.csv_table import SWALLOWED, Broken, CsvTable

SIDECAR = "articles.csv"
FIELDS = {"file", "url", "outlet", "title", "published", "language", "licence"}


class _Table(msgspec.Struct):
    """A sidecar: each file's metadata, the number of its row, and the rows that describe no file."""

    rows: dict[str, dict[str, str]] = {}
    numbers: dict[str, int] = {}
    loose: list[tuple[int, str]] = []


class Sidecars:
    """The sidecars of all folders, each read once, when it is first needed."""

    def __init__(self) -> None:
        """Begin without any sidecar."""
        self._read: dict[Path, _Table | None] = {}

    def has(self, folder: Path) -> bool:
        """Whether the folder has a sidecar."""
        return self._table(folder) is not None

    def row(self, path: Path, base: Path) -> dict[str, str]:
        """The file's row in the nearest sidecar: in its folder, or in a folder above it up to `base`."""
        for folder in path.parents:
            table = self._table(folder)
            row = table.rows.get(path.relative_to(folder).as_posix()) if table else None
            if row or folder == base:
                return row or {}
        return {}

    def loose(self) -> Iterator[tuple[Path, int, str]]:
        """Rows whose file does not exist: the sidecar's folder, the row's number, and what is wrong."""
        for folder, table in self._read.items():
            if table is None:
                continue
            for number, reason in table.loose:
                yield folder, number, reason
            for file, number in table.numbers.items():
                if not (folder / file).exists():
                    yield folder, number, f"a row of {SIDECAR} that names no file: {file}"

    def _table(self, folder: Path) -> _Table | None:
        if folder not in self._read:
            path = folder / SIDECAR
            self._read[folder] = _sidecar(path) if path.is_file() else None
        return self._read[folder]


def _sidecar(path: Path) -> _Table | None:
    with CsvTable(path, csv_encoding(path), short=True) as opened:
        header = opened.header
        if "file" not in header:
            return None
        if set(header) - FIELDS:
            raise SourceError(
                f"{path}, line 1: expected the columns file and any of {', '.join(sorted(FIELDS - {'file'}))}; "
                f"found {', '.join(header)}"
            )
        table = _Table()
        for number, row in enumerate(opened.rows(), 1):
            if isinstance(row, Broken) or row.note == SWALLOWED:
                raise SourceError(f"{path}: {row if isinstance(row, Broken) else f'line {row.line}: {row.note}'}")
            columns = dict(zip(header, row.fields, strict=True))
            file = columns.pop("file")
            given = {name: value for name, value in columns.items() if value}
            if not file:
                table.loose.append((number, f"a row of {SIDECAR} that names no file"))
                continue
            if file in table.rows and table.rows[file] != given:
                table.loose.append(
                    (table.numbers[file], f"a row of {SIDECAR} for a file that a later row is for: {file}")
                )
            table.rows[file], table.numbers[file] = given, number
    return table
