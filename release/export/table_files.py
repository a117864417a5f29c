"""Write the rows of an export as .csv, .xlsx, .jsonl or .parquet, some thousand rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from corpus.errors import StanceError
from train.predict.formula_cells import defused_rows
from train.predict.output_files import row_writer

ENDINGS = (".csv", ".xlsx", ".jsonl", ".parquet")
SHEET_ROWS = 1_048_576
SHEET_COLUMNS = 16_384
CELL = 32_767
"""Most rows and columns of a sheet, and most characters of a cell, that Excel reads."""
PIECE = 2_000
"""Rows that become Python objects at a time."""
BOM = b"\xef\xbb\xbf"

Write = Callable[[pa.RecordBatch], int]
"""Appends rows; returns the number of cells that were defused."""


def check_sheet(out: Path, rows: int, columns: int) -> None:
    """Refuse a workbook that Excel could not open.

    Raises:
        StanceError: there are more rows or columns than a sheet holds.
    """
    if out.suffix.lower() != ".xlsx":
        return
    if rows + 1 > SHEET_ROWS:
        raise StanceError(
            f"--to {out}: a sheet holds {SHEET_ROWS:,} rows with the header, and there are {rows:,} rows to export; "
            "name a .csv, .jsonl or .parquet file"
        )
    if columns > SHEET_COLUMNS:
        raise StanceError(
            f"--to {out}: a sheet holds {SHEET_COLUMNS:,} columns, and there are {columns:,}; use --long, which has a "
            "row for each answer, or name a .csv, .jsonl or .parquet file"
        )


@contextmanager
def table_writer(path: Path, schema: pa.Schema) -> Iterator[Write]:
    """A function that appends rows to a new file, in the format of its ending."""
    ending = path.suffix.lower()
    if ending == ".csv":
        with _csv(path, schema) as write:
            yield lambda batch: _defused(batch, write)
    elif ending == ".xlsx":
        with _xlsx(path, schema) as write:
            yield lambda batch: _defused(batch, write)
    else:
        with row_writer(path, schema) as append:

            def unchanged(batch: pa.RecordBatch) -> int:
                for piece in [batch] if ending == ".parquet" else _pieces(batch):
                    append(piece)
                return 0

            yield unchanged


def _defused(batch: pa.RecordBatch, write: Callable[[pa.RecordBatch], None]) -> int:
    """Write a batch whose texts no spreadsheet program runs; returns the number of texts that were changed for it."""
    rows, count = defused_rows(batch)
    write(rows)
    return count


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    return (batch.slice(start, PIECE) for start in range(0, batch.num_rows, PIECE))


@contextmanager
def _csv(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """Commas, all texts in quotation marks, UTF-8 with the mark by which Excel recognises it; null is an empty cell."""
    import pyarrow.csv

    with path.open("wb") as file:
        file.write(BOM)
        with pyarrow.csv.CSVWriter(file, schema) as table:
            yield table.write_batch


@contextmanager
def _xlsx(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A sheet with a header that stays in sight, written row by row; texts are cells of text, never formulas."""
    from datetime import datetime

    import xlsxwriter
    from xlsxwriter.exceptions import XlsxFileError

    book = xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": str(path.parent), "use_zip64": True})
    book.set_properties({"created": datetime(2000, 1, 1)})  # equal rows give equal bytes
    sheet = book.add_worksheet("stance")
    bold = book.add_format({"bold": True})
    for column, name in enumerate(schema.names):
        sheet.write_string(0, column, name, bold)
    sheet.freeze_panes(1, 0)
    row = 0

    def write(batch: pa.RecordBatch) -> None:
        nonlocal row
        for piece in _pieces(batch):
            for values in zip(*(column.to_pylist() for column in piece.columns), strict=True):
                row += 1
                for column, value in enumerate(values):
                    if isinstance(value, str):
                        # -2: the text is longer than Excel's limit, which counts characters beyond U+FFFF twice.
                        if sheet.write_string(row, column, value) == -2:
                            raise StanceError(
                                f"an Excel cell holds {CELL:,} characters, and {schema.names[column]} of the sentence "
                                f"{values[0]} has {len(value):,}; nothing was written: name a .csv, .jsonl or .parquet "
                                "file"
                            )
                    elif isinstance(value, bool):
                        sheet.write_boolean(row, column, value)
                    elif value is not None and value == value:  # not NaN, which a sheet cannot hold
                        sheet.write_number(row, column, value)

    try:
        yield write
    finally:
        try:
            book.close()
        except XlsxFileError as error:  # such as a full disk
            raise OSError(0, str(error), str(path)) from error
