"""Write prediction files, each of them completely or not at all."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import StanceError
from corpus.staging import staging
from train.predict.formula_cells import defused_rows


@contextmanager
def staged_file(out: Path) -> Iterator[Path]:
    """A path for a new file in a temporary folder on the file system of `out`; the folder is deleted at the end."""
    near = next(folder for folder in out.absolute().parents if folder.is_dir())
    try:
        with staging(near, f".{out.name}.") as folder:
            yield folder / out.name
    except OSError as error:
        raise StanceError(f"{out}: cannot be written: {error.strerror or error}; nothing was changed") from error


@contextmanager
def row_writer(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.RecordBatch], int]]:
    """A function that appends rows to a new file, in the format of its ending.

    It returns the number of cells that were changed so that no spreadsheet program runs them: some in .csv files alone.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        with pq.ParquetWriter(path, schema, compression="zstd") as parquet:

            def to_parquet(batch: pa.RecordBatch) -> int:
                parquet.write_batch(batch)
                return 0

            yield to_parquet
    elif ending == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(schema.names)

            def to_csv(batch: pa.RecordBatch) -> int:
                rows, changed = defused_rows(batch)
                lines.writerows(zip(*(column.to_pylist() for column in rows.columns), strict=True))
                return changed

            yield to_csv
    else:
        encoder = msgspec.json.Encoder()
        with path.open("wb") as lines_of_json:

            def to_jsonl(batch: pa.RecordBatch) -> int:
                lines_of_json.writelines(encoder.encode(row) + b"\n" for row in batch.to_pylist())
                return 0

            yield to_jsonl
