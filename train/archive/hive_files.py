"""Write rows to Parquet files by month and outlet, in folders named as in Hive: `month=…/outlet=…`.

One file is open at a time, whatever the number of outlets. An outlet's name is data: it never forms a path as it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, count, groupby, islice, pairwise
from operator import itemgetter
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.digests import digest

GROUP = 100_000
"""Rows a row group, at most: what is held in memory."""
GROUPS = 10
"""Row groups a file, at most."""
LONGEST = 200
"""Bytes of a folder's name, at most; file systems take 255."""
SPECIAL = frozenset("\"#%'*/:=?\\{}[]^`<>|&;$!~")
"""Characters that Hive, URLs, shells or Windows give a meaning; `~` is ours, of names that were cut."""
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""What readers take for no value at all; an outlet that is called so is written in another way."""

Key = tuple[str, str]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was written: its path below the folder, what is in it, how many rows and bytes."""

    path: str
    month: str
    outlet: str
    rows: int
    size: int


def write_parts(batches: Iterable[pa.RecordBatch], folder: Path) -> list[Part]:
    """Write rows that come sorted by month and outlet.

    Args:
        batches: record batches with the columns `month` and `outlet`, without nulls; they go to the path, not into the
        file.
        folder: a new one, or an empty one.

    Returns:
        The files, in the order of the rows. Equal rows give equal bytes, however they are batched.
    """
    parts: list[Part] = []
    for (month, outlet), pieces in groupby(_runs(batches), itemgetter(0)):
        place = f"month={encoded(month)}/outlet={encoded(outlet)}"
        # Some file systems take names for one that differ in case alone.
        (folder / place).mkdir(parents=True, exist_ok=True)
        tables = _regrouped(piece for _, piece in pieces)
        for number in count():
            taken = islice(tables, GROUPS)
            first = next(taken, None)
            if first is None:
                break
            path = f"{place}/part-{digest(month, outlet)[:8]}-{number:05}.parquet"
            rows = 0
            with pq.ParquetWriter(folder / path, first.schema, compression="zstd") as out:
                for table in chain([first], taken):
                    out.write_table(table)
                    rows += table.num_rows
            size = (folder / path).stat().st_size
            parts.append(Part(path=path, month=month, outlet=outlet, rows=rows, size=size))
    return parts


def encoded(value: str) -> str:
    """A name as part of a path: characters that are special there as %XX, which readers of Hive folders undo.

    The empty name is no value: readers give null. Other letters stay, as Spark decodes no UTF-8. A name that is too
    long is cut, and its digest put behind a `~`: it differs from all others, but no longer says the whole name.
    """
    if not value:
        return NO_VALUE
    if value == NO_VALUE:
        return f"%5F{value[1:]}"
    text = ""
    for sign in value:
        special = sign in SPECIAL or unicodedata.category(sign) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
        more = "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "surrogatepass")) if special else sign
        if len((text + more).encode()) > LONGEST - 24:
            return f"{text}~{digest(value)[:16]}"
        text += more
    return text


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """Slices of one month and outlet each, without these columns."""
    for batch in batches:
        if not batch.num_rows:
            continue
        month, outlet = batch.column("month"), batch.column("outlet")
        new = pc.or_(*(pc.not_equal(column[1:], column[:-1]) for column in (month, outlet)))
        starts = [0, *(np.flatnonzero(new.to_numpy(zero_copy_only=False)) + 1).tolist(), batch.num_rows]
        rest = batch.drop_columns(["month", "outlet"])
        for start, end in pairwise(starts):
            yield (month[start].as_py(), outlet[start].as_py()), rest.slice(start, end - start)


def _regrouped(pieces: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows as tables of GROUP rows, but for the last one."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for piece in pieces:
        while rows + piece.num_rows >= GROUP:
            taken = GROUP - rows
            yield pa.Table.from_batches([*held, piece.slice(0, taken)])
            held, rows, piece = [], 0, piece.slice(taken)
        if piece.num_rows:
            held.append(piece)
            rows += piece.num_rows
    if held:
        yield pa.Table.from_batches(held)
