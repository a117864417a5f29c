"""The database that the build uses, DuckDB, and the operations that Spark must offer in its place.

Spark's side is in `corpus.spark_engine`. Both run the same SQL, so a query may only use what both understand alike:
signed 64-bit integers, strings that are compared by their bytes, and no name that is reserved in either.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.read_ahead import ahead

if TYPE_CHECKING:
    import duckdb

BATCH = 50_000
"""Rows in a batch: each distinct word in a batch of sentences is hashed once, which pays from about ten thousand."""

KEPT = "kept"
"""Name under which the file is known whose tables outlast a build."""

Function = Callable[[pa.RecordBatch], pa.RecordBatch]


class Database(Protocol):
    """Tables by name; queries are SQL strings that see all of them."""

    def read(self, view: str, folders: Sequence[Path], name: str) -> None:
        """Make a view of the Parquet files `name`, with one schema, in folders with different names (letters, digits).

        It has two more columns: `file`, the folder's place in the list, and `place`, the row's place in its file. Both
        count from 0.
        """

    def view(self, view: str, query: str) -> None:
        """Give a query a name; it is run where the name is used."""

    def make(self, table: str, query: str) -> None:
        """Make a table from a query's result; an older table of that name, which the query may read, is replaced."""

    def apply(self, function: Function, query: str, table: str) -> None:
        """Make a new table by applying a function to each batch of a query's rows, even if there are no rows."""

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows that a query gives, for a small number of rows."""

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """The rows that a query gives, in its order, for any number of rows."""


def give(tables: Database, folder: Path, view: str, rows: pa.Table) -> None:
    """Make a view of an Arrow table.

    Args:
        tables: the database.
        folder: where the rows are written, under a name of their own.
        view: the view's name.
        rows: the table.
    """
    own = Path(tempfile.mkdtemp(dir=folder, prefix=view))
    pq.write_table(rows, own / "rows.parquet")
    tables.read(view, [own], "rows.parquet")


def read_last(tables: Database, spill: Path, view: str, file: Path, schema: pa.Schema) -> bool:
    """Make a view of a table that the last build wrote; the view is empty if the table is missing or damaged.

    Args:
        tables: the database.
        spill: folder for temporary files, needed where the database cannot read the table in its place.
        view: name of the view.
        file: the table's Parquet file.
        schema: columns of the view where it is empty.

    Returns:
        Whether the table exists and can be read.
    """
    try:
        pq.read_schema(file)
    except (OSError, pa.ArrowException):
        give(tables, spill, view, schema.empty_table())
        return False
    tables.read(view, [file.parent], file.name)
    return True


def from_rows(schema: pa.Schema, rows: Sequence[Sequence[object]]) -> pa.Table:
    """An Arrow table made from rows of values."""
    return pa.table([[row[n] for row in rows] for n in range(len(schema))], schema=schema)


class Duck:
    """DuckDB: it runs on one machine, and uses the disk beyond its memory limit."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, threads: int | None = None) -> None:
        """Store a connection to an empty database, and the number of threads to use; `duck` opens one."""
        self._connection = connection
        self._ahead: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]] = iter if threads == 1 else ahead
        self._search_path = ""

    def read(self, view: str, folders: Sequence[Path], name: str) -> None:
        """See `Database`."""
        files = ", ".join("'" + str(folder / name).replace("'", "''") + "'" for folder in folders)
        self.view(view, f"SELECT *, file_index AS file, file_row_number AS place FROM read_parquet([{files}])")

    def view(self, view: str, query: str) -> None:
        """See `Database`."""
        self._connection.execute(f"CREATE OR REPLACE VIEW {view} AS {query}")

    def make(self, table: str, query: str) -> None:
        """See `Database`."""
        self._connection.execute(f"CREATE OR REPLACE TABLE {table} AS {query}")

    def apply(self, function: Function, query: str, table: str) -> None:
        """See `Database`."""
        with self._connection.cursor() as reader:  # it reads while the connection writes
            if self._search_path:  # a cursor has settings of its own
                reader.execute(self._search_path)
            batches = reader.sql(query).to_arrow_reader(BATCH)
            empty = pa.RecordBatch.from_pylist([], schema=batches.schema)
            self.fill(table, self._ahead(map(function, chain([empty], batches))))

    def fill(self, table: str, batches: Iterable[pa.RecordBatch]) -> None:
        """Make a new table from at least one batch; the batches may have no rows."""
        write = f"CREATE OR REPLACE TABLE {table} AS"
        for batch in batches:
            self._connection.register("batch", batch)
            self._connection.execute(f"{write} SELECT * FROM batch")
            write = f"INSERT INTO {table}"

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """See `Database`."""
        rows: list[tuple[Any, ...]] = self._connection.sql(query).fetchall()
        return rows

    def attach(self, path: Path) -> None:
        """Also use the tables in a database's file, which is made if missing; they are found by their names alone."""
        name = str(path).replace("'", "''")
        self._connection.execute(f"ATTACH '{name}' AS {KEPT}")
        own = self._connection.sql("SELECT current_database()").fetchall()[0][0]
        self._search_path = f"SET search_path = '{own}.main,{KEPT}.main'"
        self._connection.execute(self._search_path)

    def store(self, table: str, query: str) -> None:
        """Make a new table in the attached file."""
        self._connection.execute(f"CREATE TABLE {KEPT}.{table} AS {query}")

    def exchange(self, table: str, keys: Sequence[str], leaving: str, coming: str) -> None:
        """Change rows of a table in the attached file.

        Args:
            table: the table.
            keys: columns by which rows are named.
            leaving: query for the keys of rows to delete; there need not be any.
            coming: query for the rows to insert afterwards. Neither query may read the table.
        """
        same = " AND ".join(f"{KEPT}.{table}.{key} = leaving.{key}" for key in keys)
        self._connection.execute(f"DELETE FROM {KEPT}.{table} USING ({leaving}) AS leaving WHERE {same}")
        self._connection.execute(f"INSERT INTO {KEPT}.{table} {coming}")

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """See `Database`."""
        return iter(self._connection.sql(query).to_arrow_reader(BATCH))


@contextmanager
def duck(memory_limit: str, folder: Path | None = None, threads: int | None = None) -> Iterator[Duck]:
    """An empty DuckDB database.

    Args:
        memory_limit: memory beyond which it writes to disk, such as `400MB`.
        folder: folder of the tables and of what does not fit into memory; None for a temporary folder.
        threads: number of threads it may use; by default one for each core.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="duckdb-", dir=folder) as spill:
        config: dict[str, Any] = {
            "memory_limit": memory_limit,
            "temp_directory": spill,
            "preserve_insertion_order": False,
        }
        if threads:
            config["threads"] = threads
        path = str(folder / "tables.duckdb") if folder else ":memory:"
        with duckdb.connect(path, config=config) as connection:
            yield Duck(connection, threads)
