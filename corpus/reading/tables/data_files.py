"""Read data files (.jsonl, .csv, .parquet): their columns, and their rows in ranges."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import SourceError
from corpus.reading.tables.csv_lines import csv_encoding
from corpus.reading.tables.csv_table import Broken, CsvTable
from corpus.reading.text_encoding import ARTICLE_BYTES, BLOCK
from corpus.records import CorpusSettings, Unit

FIELDS = ("text", "id", "title", "url", "outlet", "published", "language", "licence")

UNIT_BYTES = 8 << 20
"""Approximate size of a row range: about a thousand articles, a few seconds of work."""

PARQUET_ROWS = 64
"""Rows of a .parquet file that are in memory at a time."""

_BOM = b"\xef\xbb\xbf"


def parts_of_file(unit: Unit, settings: CorpusSettings) -> list[Unit]:
    """The row ranges of a data file, whose columns are checked here; the unit itself where it cannot be divided.

    Raises:
        SourceError: the file cannot be read, or lacks a column.
    """
    if not unit.size:
        return [unit]
    try:
        if unit.kind == "jsonl":
            return _cut_jsonl(unit, settings)
        if unit.kind == "parquet":
            return _cut_parquet(unit, settings)
    except OSError as error:
        raise SourceError(f"{unit.path}: cannot be read: {error.strerror or error}") from error
    encoding = csv_encoding(Path(unit.path))
    with CsvTable(Path(unit.path), encoding) as table:
        _check_columns(unit, table.header, set(table.header), settings)
    return [msgspec.structs.replace(unit, encoding=encoding)]


class DataRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a data file.

    Attributes:
        number: the row's number in its file, from 1.
        fields: the row's text by stance's names of fields.
        fault: what is wrong with the row, which then has no fields; or an empty string.
        note: a note on how it was read; or an empty string.
    """

    number: int
    fields: dict[str, str] = {}
    fault: str = ""
    note: str = ""


def rows(unit: Unit, settings: CorpusSettings) -> Iterator[DataRow]:
    """The rows of a unit one by one.

    Raises:
        SourceError: the file as a whole cannot be read.
    """
    names = {name: settings.fields.get(name, name) for name in FIELDS}
    if unit.kind == "csv":
        yield from _csv(unit, names)
        return
    records = {"jsonl": _jsonl, "parquet": _parquet}[unit.kind](unit, set(names.values()))
    for number, record in enumerate(records, unit.first):
        if record is None:
            continue
        if isinstance(record, str):
            yield DataRow(number=number, fault=record)
            continue
        try:
            fields = {name: _string(column, record.get(column)) for name, column in names.items()}
        except ValueError as error:
            yield DataRow(number=number, fault=str(error))
        else:
            yield DataRow(number=number, fields=fields)


def _needed(settings: CorpusSettings) -> list[str]:
    return list(dict.fromkeys([settings.fields.get("text", "text"), *settings.fields.values()]))


def _check_columns(unit: Unit, shown: Sequence[str], columns: set[str], settings: CorpusSettings) -> None:
    missing = [name for name in _needed(settings) if name not in columns]
    if missing:
        raise SourceError(
            f"{unit.path}, line 1: expected the column{'s' * (len(missing) > 1)} {', '.join(missing)}; "
            f"found {', '.join(shown[:50]) or 'nothing'}. Say which column is which under [corpus.fields] in "
            'stance.toml, as in: text = "body"; an articles.csv that describes other files has a column file'
        )


def _cut_jsonl(unit: Unit, settings: CorpusSettings) -> list[Unit]:
    """Byte ranges that begin at line starts. The file is read once to count its lines, as rows are numbered."""
    names = {name: _spellings(name) for name in _needed(settings)}
    seen: set[str] = set()
    shown: dict[str, None] = {}
    parts: list[Unit] = []
    start, first, position, line = 0, 1, 0, 1
    tail = b""
    with Path(unit.path).open("rb") as file:
        while block := file.read(UNIT_BYTES):
            if not position:
                shown = _fields(block)
            if names.keys() - seen:
                searched = tail + block
                seen |= {name for name in names.keys() - seen if any(key in searched for key in names[name])}
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
        _check_columns(unit, list(shown), seen | set(shown), settings)
    return parts


def _fields(block: bytes) -> dict[str, None]:
    """The fields of the first records of a .jsonl file, for the message."""
    fields: dict[str, None] = {}
    for line in block.removeprefix(_BOM).split(b"\n", 20)[:20]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            fields |= dict.fromkeys(record)
    return fields


def _spellings(name: str) -> set[bytes]:
    """A field's name as JSON writes it, with escapes and without: it may first appear in the millionth record."""
    return {json.dumps(name, ensure_ascii=plain).encode("utf-8", "surrogatepass") for plain in (True, False)}


def _cut_parquet(unit: Unit, settings: CorpusSettings) -> list[Unit]:
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
    _check_columns(unit, header, set(header), settings)
    parts: list[Unit] = []
    start, first, count, size = 0, 1, 0, 0
    for index, (group_rows, group_size) in enumerate(sizes, 1):
        count, size = count + group_rows, size + group_size
        if size >= UNIT_BYTES or index == len(sizes):
            parts.append(msgspec.structs.replace(unit, start=start, end=index, first=first, size=size))
            start, first, count, size = index, first + count, 0, 0
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


def _csv(unit: Unit, names: dict[str, str]) -> Iterator[DataRow]:
    with CsvTable(Path(unit.path), unit.encoding) as table:
        columns = {column: place for place, column in enumerate(table.header)}
        places = [(name, columns.get(column, -1)) for name, column in names.items()]
        for number, row in enumerate(table.rows(), unit.first):
            if isinstance(row, Broken):
                # The number of lines goes before the colon, as it is not a detail of one row: it says how much is lost.
                lost = f", {row.last - row.first + 1} lines" if row.last > row.first else ""
                yield DataRow(number=number, fault=f"malformed CSV{lost}: {row}")
            else:
                cells = [*row.fields, ""]  # the last is read for columns that do not exist
                fields = {name: cells[place] for name, place in places}
                yield DataRow(number=number, fields=fields, note=row.note)


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
