"""Write rows to Parquet files by month and outlet, in folders named as in Apache Hive: `month=…/outlet=…`.

Only one file is open at a time, whatever the number of outlets. An outlet's name may contain anything, so it is always
encoded before it becomes part of a path.
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
"""Most rows in a row group, which is held in memory."""
GROUPS = 10
"""Most row groups in a file."""
LONGEST = 200
"""Most bytes in a folder's name; file systems allow 255."""
SPECIAL = frozenset("\"#%'*/:=?\\{}[]^`<>|&;$!~")
"""Characters with a meaning in Hive, URLs, shells or Windows, and `~`, which marks names that were shortened here."""
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""The folder name that readers take for a missing value; an outlet of this name is encoded differently."""

Key = tuple[str, str]


class HivePart(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was written: its path below the folder, its month and outlet, its number of rows, and its bytes."""

    path: str
    month: str
    outlet: str
    rows: int
    size: int


def write_parts(batches: Iterable[pa.RecordBatch], folder: Path) -> list[HivePart]:
    """Write rows that come sorted by month and outlet.

    Args:
        batches: record batches whose columns `month` and `outlet` have no nulls; these two columns become part of the
            path and are left out of the file.
        folder: folder to write to, which is new or empty.

    Returns:
        The files, in the order of the rows. Equal rows give identical files, however the rows are batched.
    """
    parts: list[HivePart] = []
    for (month, outlet), pieces in groupby(_runs(batches), itemgetter(0)):
        place = f"month={encoded(month)}/outlet={encoded(outlet)}"
        # On some file systems, two names that differ only in case are one folder, which then exists already.
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
            parts.append(HivePart(path=path, month=month, outlet=outlet, rows=rows, size=size))
    return parts


def encoded(value: str) -> str:
    """Encode a name as part of a path: special characters become %XX, which readers of Hive folders decode.

    The empty name means a missing value, which readers return as null. All other characters stay, as Spark does not
    decode %XX to UTF-8. A name that is too long is shortened and gets `~` and its digest at the end, so that it still
    differs from all others.
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
    """Slices of the batches, each of one month and outlet, without these two columns."""
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
    """The same rows in tables of GROUP rows each, except for the last table, which may have fewer."""
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
