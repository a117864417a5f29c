"""Read the rows of a file that may be a table, JSON, or JSON lines, whichever tool wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import SourceError, TableError
from corpus.reading.tables.whole_files import file_rows, json_lines

ENDINGS = (".json", ".jsonl", ".csv", ".tsv", ".txt", ".parquet", ".zip")
"""Endings of the files that `stance pull --from` reads; it reads folders too."""


class Row(msgspec.Struct, frozen=True):
    """A row: the number of its line or record, from 1, and its fields."""

    line: int
    fields: dict[str, Any]


def content_of(path: Path) -> Any:
    """The content of a .json file; of one that holds JSON lines, a list of them.

    Raises:
        TableError: the file is not JSON in UTF-8.
    """
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if data.lstrip()[:1] == b"{":  # several tools write JSON lines under this ending
            try:
                return json_lines(path).rows
            except SourceError as fault:
                raise TableError(str(fault)) from fault
        raise TableError(
            f"{path}: expected an export of Label Studio (JSON, JSON-MIN or CSV), Prodigy, doccano, Argilla or Potato, "
            f"or a table of texts, annotators and labels; found: {error}"
        ) from error


def rows_of(path: Path) -> list[Row]:
    """The rows of a table or of a file of JSON lines.

    Raises:
        TableError: the file cannot be read, or a line of it is malformed.
    """
    try:
        found = file_rows(path, ENDINGS)
    except SourceError as error:
        raise TableError(str(error)) from error
    return list(map(Row, found.lines, found.rows))


def arrow_rows(folder: Path) -> list[Row]:
    """The rows of a folder that the library `datasets` saved, from all its .arrow files in the order of their names.

    Raises:
        TableError: a file of it cannot be read.
    """
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    for path in sorted(folder.rglob("*.arrow")):
        try:
            with pa.memory_map(str(path)) as source:
                rows += pa.ipc.open_stream(source).read_all().to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{path}: expected a file that `datasets` saved; found: {error}") from error
    return numbered(rows)


def numbered(rows: Iterable[dict[str, Any]]) -> list[Row]:
    """The rows of a file without lines, numbered from 1."""
    return [Row(line, fields) for line, fields in enumerate(rows, 1)]
