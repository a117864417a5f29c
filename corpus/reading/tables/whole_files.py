"""Read the rows of a small data file whole: a table or JSON lines, whatever its columns are."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import SourceError
from corpus.numbers import number as counted
from corpus.numbers import spoken
from corpus.reading.tables.csv_lines import csv_encoding
from corpus.reading.tables.csv_table import Broken, CsvTable
from corpus.reading.text_encoding import is_encodable

Rows = list[dict[str, Any]]
ENDINGS = (".jsonl", ".csv", ".parquet")
_SPREADSHEETS = (".xlsx", ".xls", ".ods")


class FileRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a file or dataset, and notes on how they were read.

    `lines` are the numbers, from 1, of the lines that the rows begin on; in a file without lines, of the rows. `labels`
    are the names of a dataset's ClassLabel, in their order; empty where the labels are not of that type.
    """

    rows: Rows
    lines: Sequence[int] = ()
    notes: list[str] = []
    labels: list[str] = []


def file_rows(path: Path, endings: Sequence[str] = ENDINGS) -> FileRows:
    """The rows of a file of JSON lines, a Parquet file or, with any other ending, a CSV file, whose values are text.

    Args:
        path: the file.
        endings: the endings that are accepted.

    Raises:
        SourceError: the file has another ending, or cannot be read.
    """
    ending = path.suffix.lower()
    if ending not in endings:
        hint = "; save the spreadsheet as CSV (UTF-8) and give that" if ending in _SPREADSHEETS else ""
        raise SourceError(f"{path}: expected a file that ends in {spoken(endings, 'or')}{hint}")
    try:
        if ending == ".jsonl":
            return json_lines(path)
        return _parquet(path) if ending == ".parquet" else _csv(path)
    except (UnicodeDecodeError, OSError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error


def json_lines(path: Path) -> FileRows:
    """The rows of a file of JSON lines, whatever its ending.

    Raises:
        SourceError: a line is not a JSON object in UTF-8.
    """
    rows: Rows = []
    lines: list[int] = []
    # Windows programs begin a file with a byte-order mark.
    for number, line in enumerate(path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines(), 1):
        if line.strip():
            try:
                rows.append(msgspec.json.decode(line, type=dict[str, Any]))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise SourceError(f"{path}, line {number}: expected a JSON object in UTF-8; found: {error}") from error
            lines.append(number)
    return FileRows(rows=rows, lines=lines)


def _parquet(path: Path) -> FileRows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except pa.ArrowException as error:
        raise SourceError(f"{path}: expected a Parquet file; found: {error}") from error
    return FileRows(rows=rows, lines=range(1, len(rows) + 1))


def _csv(path: Path) -> FileRows:
    """Read a CSV file; all its cells stay text, as labels such as 0, 1, 2 are looked up as they were written."""
    rows: Rows = []
    lines: list[int] = []
    broken: list[Broken] = []
    notes: Counter[str] = Counter()
    with CsvTable(path, csv_encoding(path)) as table:
        header = [name.strip() for name in table.header]
        if len(set(header)) < len(header):
            twice = ", ".join(sorted({name for name in header if header.count(name) > 1}))
            raise SourceError(f"{path}: expected columns with different names; found these twice: {twice or '(empty)'}")
        for row in table.rows():
            if isinstance(row, Broken):
                broken.append(row)
                continue
            if not all(map(is_encodable, row.fields)):
                raise SourceError(f"{path}, line {row.line}: some bytes cannot be text in its encoding")
            rows.append(dict(zip(header, row.fields, strict=True)))
            lines.append(row.line)
            if row.note:
                notes[row.note] += 1
    if broken:
        shown = "".join(f"\n  {one}" for one in broken[:5])
        raise SourceError(
            f"{path}: malformed CSV in {counted(len(broken), 'place')}; put it right or remove it:{shown}"
        )
    told = [f"{path}: {note} ({counted(count, 'row')})" for note, count in notes.items()]
    return FileRows(rows=rows, lines=lines, notes=told)
