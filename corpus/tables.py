"""Read Parquet tables: only the columns and rows that are asked for, in parts, as Arrow data.

What a command needs in memory then follows from the rows that it asks for, not from the size of the corpus. All tables
of earlier stages are read here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus.errors import TableError
from corpus.store import once

PART = 4_000
"""Number of rows from which a part of a table is large enough."""
BYTES = 4_000_000
"""Number of bytes from which a part is large enough, too: a row of `articles.parquet` holds a whole article."""
M_MMAP_THRESHOLD = -3
"""The number by which `mallopt` of the C library knows the size from which a block is one of the system's."""
LARGEST_PART = 500_000
"""Number of rows that a part grows to where very many rows are asked for: each part looks all of them up."""

# Arrow's own allocator keeps 60 to 90 MB of what decoding needs for a moment. `corpus/__init__.py` chooses the system's
# for what Arrow does inside, too; this is for programs that imported pyarrow before stance.
pa.set_memory_pool(pa.system_memory_pool())
with suppress(OSError, AttributeError):  # only Linux's usual C library has it
    # Blocks of 4 MB or more go back to the system when they are freed; by default the C library soon begins to keep
    # blocks of up to 32 MB, in pieces that nothing else fits into. On a million sentences `train` takes 335 MB instead
    # of 363, `push` 298 instead of 342. From 1 MB on, it is 10 MB less for twice the system time (November 2026).
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 4_000_000)

Rows = tuple[str, Collection[str]]
"""A column and the values of it whose rows are asked for."""


def read_table(path: Path, schema: pa.Schema, made_by: str, where: Rows | None = None) -> pa.Table:
    """Read a Parquet table of an earlier stage.

    Args:
        path: the file.
        schema: the columns that the table must have; others are not read.
        made_by: the command that makes the file, for the message.
        where: the rows to read, by the values of a column; all if None.

    Returns:
        The rows, in the order of the file, with exactly the columns of `schema`.

    Raises:
        TableError: the file is missing, is not Parquet, or lacks a column.
    """
    parts = [part.to_batches() for part in table_parts(path, schema, made_by, where)]
    return pa.Table.from_batches([batch for part in parts for batch in part], schema)


def table_parts(path: Path, schema: pa.Schema, made_by: str, where: Rows | None = None) -> Iterator[pa.Table]:
    """Read a Parquet table of an earlier stage in parts of a few thousand rows; see `read_table`."""
    if not path.is_file():
        raise TableError(f"{path} is not there: run `{made_by}` first", missing=True)
    try:
        file = once(path, pq.ParquetFile)
        names = set(file.schema_arrow.names)
        if missing := [name for name in [*schema.names, *(where or ())[:1]] if name not in names]:
            raise KeyError(f"no column {', '.join(missing)}")
        if where is None:
            for groups in _groups(file, PART):
                yield _read(file, groups, schema)
            return
        wanted = strings(sorted(set(where[1])))
        for groups in _groups(file, min(max(PART, len(wanted)), LARGEST_PART)) if len(wanted) else ():
            asked = pc.is_in(_columns(file, groups, [where[0]]).column(0), value_set=wanted)
            # The other columns are read only of row groups that have such a row.
            some: list[int] = []
            masks: list[pa.ChunkedArray] = []
            start = 0
            for group in groups:
                mask = asked.slice(start, file.metadata.row_group(group).num_rows)
                start += len(mask)
                if pc.any(mask).as_py():
                    some.append(group)
                    masks += mask.chunks
            if some:
                yield _read(file, some, schema).filter(pa.chunked_array(masks, pa.bool_()))
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise TableError(
            f"{path}: expected a Parquet table with the columns {', '.join(schema.names)}; "
            f"found: {error}. Delete it and run `{made_by}` again"
        ) from error


def _read(file: pq.ParquetFile, groups: list[int], schema: pa.Schema) -> pa.Table:
    return _columns(file, groups, schema.names).select(schema.names).cast(schema)


def _columns(file: pq.ParquetFile, groups: list[int], names: list[str]) -> pa.Table:
    # In one thread: each thread keeps memory of its own, and decoding takes less time than handing it on.
    return file.read_row_groups(groups, names, use_threads=False)


def _groups(file: pq.ParquetFile, rows: int) -> Iterator[list[int]]:
    """Runs of row groups with at least so many rows together; where that is PART, also with as many BYTES."""
    groups: list[int] = []
    count = size = 0
    for group in range(file.metadata.num_row_groups):
        about = file.metadata.row_group(group)
        groups.append(group)
        count += about.num_rows
        size += about.total_byte_size
        if count >= rows or (rows == PART and size >= BYTES):
            yield groups
            groups, count, size = [], 0, 0
    if groups:
        yield groups


def strings(values: Sequence[str]) -> pa.StringArray:
    """The values as an Arrow array.

    `pyarrow.array` does the same, but it imports pandas where that is installed, to see whether the values are of
    pandas: that takes a quarter of a second and 30 MB, more than most commands need for their work.
    """
    encoded = [value.encode() for value in values]
    ends = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(value) for value in encoded], out=ends[1:])
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))


def booleans(values: NDArray[np.bool_]) -> pa.BooleanArray:
    """The values as an Arrow array, such as a mask for `filter`; see `strings`."""
    bits = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.BooleanArray.from_buffers(pa.bool_(), len(values), [None, bits])


def truths(values: pa.ChunkedArray) -> NDArray[np.bool_]:
    """A column of booleans without nulls as a NumPy array, the opposite of `booleans`; `to_numpy` imports pandas."""
    parts = [np.frombuffer(chunk.cast(pa.uint8()).buffers()[1], bool, len(chunk)) for chunk in values.chunks if chunk]
    return np.concatenate([np.zeros(0, bool), *parts])


def open_table(path: Path, schema: pa.Schema, made_by: str) -> pq.ParquetFile:
    """Open a table of an earlier stage, to be read row group by row group.

    Args:
        path: path of the table.
        schema: columns that the table must have, with these types.
        made_by: command that writes the table, for the message of an error.

    Raises:
        TableError: the table is missing, is not Parquet, or lacks one of the columns.
    """
    if not path.is_file():
        raise TableError(f"{path} is not there: run `{made_by}` first", missing=True)
    try:
        file = pq.ParquetFile(path)
        missing = [field.name for field in schema if field not in list(file.schema_arrow)]
    except pa.ArrowException as error:
        raise TableError(f"{path}: expected a Parquet table; found: {error}. Run `{made_by}` again") from error
    if missing:
        raise TableError(
            f"{path}: expected the columns {', '.join(schema.names)}; "
            f"found none of that name and type for {', '.join(missing)}. Run `{made_by}` again"
        )
    return file
