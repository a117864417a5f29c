"""Read data files (.jsonl, .json, .csv, .parquet, .xlsx, .xls): their columns, and their rows in ranges."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import SourceError
from corpus.reading.tables import spreadsheets
from corpus.reading.tables.columns import (
    FIELDS,
    DataRow,
    check_columns,
    columns_of,
    in_table,
    unused_columns,
)
from corpus.reading.tables.columns import needed as needed_columns
from corpus.reading.tables.csv_lines import csv_encoding
from corpus.reading.tables.csv_table import Broken, CsvTable
from corpus.reading.tables.json_arrays import fault_of, looked_into, plain_fields, records, texts_in, value_of
from corpus.reading.tables.spreadsheets import SPREADSHEETS, Planned, parts_of_workbook, rows_of
from corpus.reading.text_encoding import ARTICLE_BYTES, BLOCK
from corpus.records import CorpusSettings, Unit

UNIT_BYTES = 8 << 20
"""Approximate size of a row range: about a thousand articles, a few seconds of work."""

PARQUET_ROWS = 64
"""Rows of a .parquet file that are in memory at a time."""

_BOM = b"\xef\xbb\xbf"


def parts_of_file(unit: Unit, settings: CorpusSettings, needed: str = "text") -> list[Unit]:
    """The row ranges of a data file, whose columns are checked here; the unit itself where it cannot be divided.

    Args:
        unit: the data file.
        settings: settings, which name the columns.
        needed: the field whose column every file must have; columns that the settings name must be there too.

    Raises:
        SourceError: the file cannot be read, or lacks a column.
    """
    if not unit.size:
        return [unit]
    if unit.kind == "json":
        return planned(unit, settings).parts or [unit]
    if unit.kind in SPREADSHEETS:
        return parts_of_workbook(unit, settings, needed)
    try:
        if unit.kind == "jsonl":
            return _cut_jsonl(unit, settings, needed)
        if unit.kind == "parquet":
            return _cut_parquet(unit, settings, needed)
    except OSError as error:
        raise SourceError(f"{unit.path}: cannot be read: {error.strerror or error}") from error
    encoding = csv_encoding(Path(unit.path))
    with CsvTable(Path(unit.path), encoding) as table:
        check_columns(unit.path, table.header, set(table.header), settings, needed)
        unused = unused_columns(table.header, in_table(settings, table.header))
    return [msgspec.structs.replace(unit, encoding=encoding, unused=unused)]


def rows(unit: Unit, settings: CorpusSettings) -> Iterator[DataRow]:
    """The rows of a unit one by one.

    Raises:
        SourceError: the file as a whole cannot be read.
    """
    names = {name: name if name in unit.own_names else settings.fields.get(name, name) for name in FIELDS}
    if unit.kind == "csv":
        yield from _csv(unit, settings)
        return
    if unit.kind in SPREADSHEETS:
        yield from rows_of(unit, settings)
        return
    read = {"jsonl": _jsonl, "json": _json, "parquet": _parquet}[unit.kind](unit, set(names.values()))
    for number, record in enumerate(read, unit.first):
        if record is None:
            continue
        if isinstance(record, str):
            yield DataRow(number=number, fault=record)
            continue
        try:
            fields = {name: _string(column, value_of(record, column)) for name, column in names.items()}
        except ValueError as error:
            yield DataRow(number=number, fault=str(error))
        else:
            texts = [] if fields["text"] or unit.kind == "parquet" else texts_in(record)
            yield DataRow(number=number, fields=fields, texts=texts)


def planned(unit: Unit, settings: CorpusSettings) -> Planned:
    """Why a .json file or a spreadsheet, either of which may hold anything, gives no articles; else a workbook's units.

    There is no reason for an empty file and for files of other kinds.
    """
    if unit.size and unit.kind == "json":
        found = looked_into(Path(unit.path), settings.fields)
        if found.why:
            return Planned(why=found.why)
        own = {field: name for field, name in settings.fields.items() if field not in found.own}
        unused = _unused(found.shown, msgspec.structs.replace(settings, fields=own))
        return Planned(parts=[msgspec.structs.replace(unit, own_names=found.own, unused=unused)])
    if unit.size and unit.kind in SPREADSHEETS:
        return spreadsheets.planned(unit, settings)
    return Planned()


def _cut_jsonl(unit: Unit, settings: CorpusSettings, needed: str) -> list[Unit]:
    """Byte ranges that begin at line starts. The file is read once to count its lines, as rows are numbered."""
    names = {name: _spellings(name) for name in needed_columns(settings, needed)}
    seen: set[str] = set()
    shown: dict[str, bool] = {}
    parts: list[Unit] = []
    start, first, position, line = 0, 1, 0, 1
    tail = b""
    with Path(unit.path).open("rb") as file:
        while block := file.read(UNIT_BYTES):
            if not position:
                shown = _fields(block)
            if names.keys() - seen:
                searched = tail + block
                seen |= {name for name in names.keys() - seen if _has_key(searched, names[name])}
                tail = block[-1000:]
            end = block.rfind(b"\n") + 1
            line += block.count(b"\n")
            if end:
                end += position
                parts.append(msgspec.structs.replace(unit, start=start, end=end, first=first, size=end - start))
                start, first = end, line
            position += len(block)
    if start < position:
        parts.append(msgspec.structs.replace(unit, start=start, end=position, first=first, size=position - start))
    if shown:  # otherwise no line is a record, and each line gives its own reason
        check_columns(unit.path, list(shown), seen | set(shown), settings, needed)
        own = in_table(settings, seen | set(shown))
        parts[0] = msgspec.structs.replace(parts[0], unused=_unused(shown, own))
        names_here = sorted(settings.fields.keys() - own.fields.keys())
        parts = [msgspec.structs.replace(part, own_names=names_here) for part in parts]
    return parts


def _fields(block: bytes) -> dict[str, bool]:
    """The fields of the first records of a .jsonl file, and whether their values are plain ones."""
    fields: dict[str, bool] = {}
    for line in block.removeprefix(_BOM).split(b"\n", 20)[:20]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            fields |= plain_fields(record)
    return fields


def _unused(shown: dict[str, bool], settings: CorpusSettings) -> dict[str, str]:
    """The fields of the first records that are not read, as `unused_columns` gives them."""
    return unused_columns(list(shown), settings, [name for name, plain in shown.items() if not plain])


def _has_key(data: bytes, keys: set[bytes]) -> bool:
    """Whether one of these strings stands before a colon: a value may be spelled in the same way."""
    return any(key in data and re.search(re.escape(key) + rb"\s*:", data) for key in keys)


def _spellings(name: str) -> set[bytes]:
    """A field's name as JSON writes it, with escapes and without: it may first appear in the millionth record."""
    keys = {name, name.rpartition(".")[2]}  # in an object within the record, only the last part of a path is a key
    return {
        json.dumps(key, ensure_ascii=plain).encode("utf-8", "surrogatepass") for key in keys for plain in (True, False)
    }


def _cut_parquet(unit: Unit, settings: CorpusSettings, needed: str) -> list[Unit]:
    """Runs of whole row groups, which can be read without what comes before them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(unit.path) as file:
            header = file.schema_arrow.names
            groups = [file.metadata.row_group(index) for index in range(file.metadata.num_row_groups)]
            sizes = [(group.num_rows, group.total_byte_size) for group in groups]
    except pa.ArrowException as error:
        raise SourceError(f"{unit.path}: expected a Parquet file; found: {error}") from error
    check_columns(unit.path, header, set(header), settings, needed)
    parts: list[Unit] = []
    own = in_table(settings, header)
    names_here = sorted(settings.fields.keys() - own.fields.keys())
    unit = msgspec.structs.replace(unit, own_names=names_here)
    start, first, count, size = 0, 1, 0, 0
    for index, (group_rows, group_size) in enumerate(sizes, 1):
        count, size = count + group_rows, size + group_size
        if size >= UNIT_BYTES or index == len(sizes):
            parts.append(msgspec.structs.replace(unit, start=start, end=index, first=first, size=size))
            start, first, count, size = index, first + count, 0, 0
    if parts:
        parts[0] = msgspec.structs.replace(parts[0], unused=unused_columns(header, own))
    return parts


def _jsonl(unit: Unit, _columns: set[str]) -> Iterator[dict[str, Any] | str | None]:
    """One record for each line, and None for a blank line, so that the row's number is the line's number."""
    try:
        with Path(unit.path).open("rb") as file:
            file.seek(len(_BOM) if unit.start == 0 and file.read(len(_BOM)) == _BOM else unit.start)
            while file.tell() < unit.end:
                line = file.readline(ARTICLE_BYTES)
                if len(line) == ARTICLE_BYTES and not line.endswith(b"\n"):
                    while (rest := file.readline(BLOCK)) and not rest.endswith(b"\n"):
                        pass
                    yield f"longer than {ARTICLE_BYTES >> 20} MB"
                    continue
                yield _record(line)
    except OSError as error:
        raise SourceError(f"{unit.path}: cannot be read: {error.strerror}") from error


def _json(unit: Unit, _columns: set[str]) -> Iterator[dict[str, Any] | str | None]:
    """One record for each element of the array; where the file goes wrong, a fault in place of the rest."""
    count = 0
    try:
        for record in records(Path(unit.path)):
            count += 1
            yield record if isinstance(record, dict) else f"expected a JSON object; found {type(record).__name__}"
    except OSError as error:
        raise SourceError(f"{unit.path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        yield fault_of(error, count)


def _record(line: bytes) -> dict[str, Any] | str | None:
    if not line.strip():
        return None
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} of the line is not UTF-8"
    except RecursionError:
        return "malformed JSON: nested too deeply"
    except ValueError as error:
        return f"malformed JSON: {error}"
    return record if isinstance(record, dict) else f"expected a JSON object; found {type(record).__name__}"


def _csv(unit: Unit, settings: CorpusSettings) -> Iterator[DataRow]:
    with CsvTable(Path(unit.path), unit.encoding) as table:
        columns = columns_of(table.header, settings)
        for number, row in enumerate(table.rows(), unit.first):
            if isinstance(row, Broken):
                # The number of lines goes before the colon, as it is not a detail of one row: it says how much is lost.
                lost = f", {row.last - row.first + 1} lines" if row.last > row.first else ""
                yield DataRow(number=number, fault=f"malformed CSV{lost}: {row}")
            else:
                fields, note = columns.fields(row.fields)
                note = "\n".join(filter(None, (row.note, note)))
                yield DataRow(number=number, fields=fields, note=note, extractor=columns.extractor)


def _parquet(unit: Unit, columns: set[str]) -> Iterator[dict[str, Any] | str | None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # With these settings it streams pages instead of holding a whole row group in memory (measured on a file of
        # 125 MB: 14 MB instead of 138).
        with pq.ParquetFile(unit.path, buffer_size=BLOCK, pre_buffer=False) as file:
            names = [name for name in file.schema_arrow.names if name in columns]
            groups = range(unit.start, unit.end)
            for batch in file.iter_batches(PARQUET_ROWS, groups, names, use_threads=False):
                for index in range(batch.num_rows):
                    yield _cells(names, batch, index)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{unit.path}: cannot be read: {error}") from error


def _cells(names: list[str], batch: Any, index: int) -> dict[str, Any] | str:
    """One row as Python values: a date in the year 40,000 or broken UTF-8 spoils this row only."""
    row: dict[str, Any] = {}
    for name in names:
        cell = batch.column(name)[index]
        try:
            # Nanoseconds would need pandas, and no publication date needs them.
            if str(cell.type).startswith("timestamp[ns"):
                cell = cell.cast(str(cell.type).replace("[ns", "[us"), safe=False)
            row[name] = cell.as_py()
        except (ValueError, OverflowError, LookupError) as error:
            return f"column {name}: {error}"
    return row


def _string(column: str, value: object) -> str:
    """A value as text: dates in ISO 8601; null and NaN (which pandas writes for null) as an empty string."""
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes | list | dict):
        raise ValueError(f"column {column}: expected text; found {type(value).__name__}")
    return str(value)
