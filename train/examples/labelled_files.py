"""Read the rows of other people's labelled data from a file, a published dataset's folder, or the Hub."""

from __future__ import annotations

import codecs
from collections import Counter
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import ExamplesError, SourceError
from corpus.reading.tables.csv_lines import csv_encoding
from corpus.reading.tables.csv_table import Broken, CsvTable
from corpus.reading.text_encoding import is_encodable

Rows = list[dict[str, object]]
ENDINGS = (".jsonl", ".csv", ".parquet")


class FileRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a file, and notes on how they were read."""

    rows: Rows
    notes: list[str] = []


def file_rows(path: Path) -> FileRows:
    """The rows of a `.jsonl`, `.csv` or `.parquet` file; every value of a CSV file is text.

    Raises:
        ExamplesError: the file has another ending, or cannot be read.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ExamplesError(f"{path}: expected .jsonl, .csv, .parquet or a dataset's folder")
    try:
        if ending == ".jsonl":
            return FileRows(rows=_lines(path))
        if ending == ".csv":
            return _csv(path)
        return FileRows(rows=pq.read_table(path).to_pylist())
    except SourceError as error:
        raise ExamplesError(str(error)) from error
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ExamplesError(f"{path}: cannot be read: {error}") from error


def _lines(path: Path) -> Rows:
    rows: Rows = []
    # Windows programs begin a file with a byte-order mark.
    for number, line in enumerate(path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines(), 1):
        try:
            rows += [msgspec.json.decode(line, type=dict[str, object])] if line.strip() else []
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ExamplesError(f"{path}: line {number} cannot be read: {error}") from error
    return rows


def _csv(path: Path) -> FileRows:
    """Read a CSV file; all its cells stay text, as labels such as 0, 1, 2 are looked up as they were written."""
    rows: Rows = []
    broken: list[Broken] = []
    notes: Counter[str] = Counter()
    with CsvTable(path, csv_encoding(path)) as table:
        for row in table.rows():
            if isinstance(row, Broken):
                broken.append(row)
                continue
            if not all(map(is_encodable, row.fields)):
                raise ExamplesError(f"{path}, line {row.line}: some bytes cannot be text in its encoding")
            rows.append(dict(zip(table.header, row.fields, strict=True)))
            if row.note:
                notes[row.note] += 1
    if broken:
        shown = "".join(f"\n  {one}" for one in broken[:5])
        raise ExamplesError(f"{path}: malformed CSV in {len(broken)} places; put them right or remove them:{shown}")
    return FileRows(rows=rows, notes=[f"{path}: {note} ({count} rows)" for note, count in notes.items()])


def published_rows(name: str) -> Rows:
    """The rows of a published dataset's config `gold`, without copies, with labels as names, and with their split.

    Args:
        name: path of the dataset's folder, or its name at the Hub.

    Raises:
        ExamplesError: the dataset cannot be opened.
    """
    from datasets import ClassLabel, load_dataset

    try:
        opened = load_dataset(name, "gold")
    except Exception as error:  # the library raises many kinds; all mean that it cannot be opened
        raise ExamplesError(f"{name}: cannot be opened as a published dataset: {error}") from error
    rows: Rows = []
    for name_of, part in opened.items():
        feature = part.features.get("label")
        names = feature.names if isinstance(feature, ClassLabel) else None
        for row in part:
            if row.get("copy_of") is None:
                code = row.get("label")
                # A test split without labels has -1. A code without a name stays as it is, and is refused later on
                # with the message for unknown labels.
                known = {"label": names[code]} if names and isinstance(code, int) and 0 <= code < len(names) else {}
                rows.append({**row, **known, "split": name_of, "group": row.get("group")})
    return rows
