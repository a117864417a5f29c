"""Labelled data of others, or published before, as rows: from a file, a folder or the Hub."""

from __future__ import annotations

import codecs
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.records import ExamplesError

Rows = list[dict[str, object]]
ENDINGS = (".jsonl", ".csv", ".parquet")
LARGEST_BLOCK = 2**31 - 1
"""Of the CSV reader, in bytes."""


def file_rows(path: Path) -> Rows:
    """The rows of a `.jsonl`, `.csv` or `.parquet` file; all that a CSV file holds is text.

    Raises:
        ExamplesError: another ending, or it cannot be read.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ExamplesError(f"{path}: expected .jsonl, .csv, .parquet or a dataset's folder")
    try:
        if ending == ".jsonl":
            return _lines(path)
        if ending == ".csv":
            return _csv(path)
        table: Rows = pq.read_table(path).to_pylist()
        return table
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


def _csv(path: Path) -> Rows:
    import pyarrow.csv

    # In one block: a row longer than a block, and one with line breaks that stands across two, cannot be read.
    read = pyarrow.csv.ReadOptions(block_size=min(path.stat().st_size + 1, LARGEST_BLOCK))
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    # Everything is text: a column of labels 0, 1, 2 must reach the alias table as it was written.
    with pyarrow.csv.open_csv(path, read_options=read, parse_options=parse) as opened:
        names = opened.schema.names
    convert = pyarrow.csv.ConvertOptions(column_types={name: pa.string() for name in names})
    table = pyarrow.csv.read_csv(path, read_options=read, parse_options=parse, convert_options=convert)
    found: Rows = table.to_pylist()
    return found


def published_rows(name: str) -> Rows:
    """The rows of a published dataset's config `gold`, copies left out, labels by name, with their split.

    Args:
        name: of its folder, or at the Hub.

    Raises:
        ExamplesError: it cannot be opened.
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
                # A test split without labels has -1; what is no name is left to the alias table's message.
                known = {"label": names[code]} if names and isinstance(code, int) and 0 <= code < len(names) else {}
                rows.append({**row, **known, "split": name_of, "group": row.get("group")})
    return rows
