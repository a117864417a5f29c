"""Build a corpus on Apache Spark: executors cut the shards and run the queries for near-duplicates.

All machines must see the same files under the same paths: the sources, and the folder of the tables, where
executors write shards and intermediate results. This was tested on one machine, with `local[N]` and a standalone
cluster. The driver streams the final tables from the shards, a batch at a time: so they are the same as without Spark,
byte for byte, and are written whole or not at all.
"""

from __future__ import annotations

import os
import pickle
import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.build import BuildSummary, build
from corpus.database import BATCH, Database, Function
from corpus.errors import StanceError
from corpus.records import CorpusSettings
from corpus.shards import Job, Made, Progress, make_shard
from corpus.spark_session import PARTITIONS, session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WAVE = 16
"""Shards for each core that are handed out at once, as a wave: progress is reported, and the driver holds jobs, by
wave."""
SHUFFLE = 64 << 20
"""Bytes of input Parquet for each partition of a shuffle; the widest shuffle, of words, is about as large."""
MADE = "key string, articles long, sentences long, cut long"


def build_spark(
    sources: Sequence[Path | str],
    out: Path,
    settings: CorpusSettings,
    address: str,
    *,
    force: bool = False,
    strict: bool = False,
    progress: Progress = lambda done, total, articles, sentences: None,
) -> BuildSummary:
    """Build a corpus on Spark.

    The tables are those of `corpus.build.build`, byte for byte, and each engine goes on where the other one stopped.

    Args:
        sources: files and folders to read, which all machines must see under the same path.
        out: folder of the tables, which all machines must see under the same path.
        settings: `[corpus]` of stance.toml.
        address: address of Spark's master (see `corpus.spark_session.session`); a session is opened only if there is
            something to do.
        force: whether to go on if many labelled sentences would leave the corpus.
        strict: whether a skipped article is an error.
        progress: function that is called with the number of finished shards, of all shards, and of articles and
            sentences so far.

    Raises:
        StanceError: the build fails as `corpus.build.build` does, or there is no Spark session. What was finished is
            kept: run the build again.
    """

    @contextmanager
    def engine() -> Iterator[Cluster]:
        with session(address) as spark:
            yield Cluster(spark)

    return build(sources, out, settings, force=force, strict=strict, progress=progress, engine=engine)


class Cluster:
    """Spark's executors, as an `Engine`."""

    def __init__(self, spark: SparkSession) -> None:
        """Store an open session."""
        self._spark = spark
        self.threads = os.cpu_count() or 1

    def cut(self, jobs: list[Job]) -> Iterator[Made]:
        """See `Engine`."""
        cores = self._spark.sparkContext.defaultParallelism
        for start in range(0, len(jobs), WAVE * cores):
            # Pickled, as names of files need not be valid text; in one column, so that a job is one row.
            wave = pa.table({"job": [pickle.dumps(job) for job in jobs[start : start + WAVE * cores]]})
            frame = self._spark.createDataFrame(wave).repartition(wave.num_rows)
            for row in frame.mapInArrow(_made, MADE).collect():
                yield Made(**row.asDict())

    @contextmanager
    def database(self, folder: Path) -> Iterator[Database]:
        """See `Engine`."""
        yield SparkTables(self._spark, folder)


def _made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for data in batch.column("job").to_pylist():
            job: Job = pickle.loads(data)
            _check_shared(job)
            try:
                made = make_shard(job)
            except OSError as error:
                raise StanceError(f"{socket.gethostname()}: {job.folder} cannot be written: {error}") from error
            yield pa.RecordBatch.from_pylist([msgspec.structs.asdict(made)])


def _check_shared(job: Job) -> None:
    """Fail early if executors cannot see the articles: they would be skipped one by one, as missing."""
    paths = [job.folder, *(unit.path for unit in job.shard.units if unit.size)]
    for path in paths:
        if not Path(path).exists():
            raise StanceError(
                f"{path} is not there on {socket.gethostname()}; all machines of a cluster must see the sources and "
                "the tables under the same paths"
            )


class SparkTables:
    """Spark SQL as a `Database`: each table is written as Parquet and read back.

    So the loss of a machine costs only the current step, and a query plan never grows with the rounds before it.
    """

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        """Store a session, and a folder for the tables, which all executors see."""
        self._spark = spark
        self._folder = folder
        self._number = count()
        self._made: dict[str, Path] = {}

    def read(self, view: str, folders: Sequence[Path], name: str) -> None:
        """See `Database`."""
        from pyspark.sql.functions import broadcast

        files = [folder / name for folder in folders]
        rows = self._spark.read.parquet(*map(_pattern, files))
        order = pa.table(
            {"folder": [folder.name for folder in folders], "file": pa.array(range(len(files)), pa.int64())}
        )
        placed = rows.selectExpr(
            "*",
            "element_at(split(_metadata.file_path, '/'), -2) AS folder",
            "_metadata.row_index AS place",
        )
        placed.join(broadcast(self._spark.createDataFrame(order)), "folder").drop("folder").createOrReplaceTempView(
            view
        )
        partitions = sum(file.stat().st_size for file in files) // SHUFFLE
        cores = self._spark.sparkContext.defaultParallelism
        self._spark.conf.set("spark.sql.shuffle.partitions", max(PARTITIONS * cores, partitions))

    def view(self, view: str, query: str) -> None:
        """See `Database`."""
        self._spark.sql(query).createOrReplaceTempView(view)

    def make(self, table: str, query: str) -> None:
        """See `Database`."""
        self._write(table, self._spark.sql(query))

    def apply(self, function: Function, query: str, table: str) -> None:
        """See `Database`."""
        from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

        frame = self._spark.sql(query)
        empty = pa.RecordBatch.from_pylist([], schema=to_arrow_schema(frame.schema))
        schema = from_arrow_schema(function(empty).schema)
        self._write(table, frame.mapInArrow(lambda batches: map(function, batches), schema))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """See `Database`."""
        return [tuple(row) for row in self._spark.sql(query).collect()]

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """See `Database`."""
        self._write("stream", self._spark.sql(query))
        # A sort writes one file for each range of values; the files are numbered in this order.
        for file in sorted(self._made["stream"].glob("part-*.parquet")):
            yield from pq.ParquetFile(file).iter_batches(BATCH)

    def _write(self, table: str, frame: Any) -> None:
        path = self._folder / f"{table}.{next(self._number)}"
        frame.write.parquet(_uri(path))
        self._spark.read.schema(frame.schema).parquet(_pattern(path)).createOrReplaceTempView(table)
        if table in self._made:
            shutil.rmtree(self._made[table])
        self._made[table] = path


def _uri(path: Path) -> str:
    # Not `as_uri`, as Spark does the escaping itself.
    return f"file://{path}"


def _pattern(path: Path) -> str:
    """The path with glob characters escaped, as Spark reads paths as globs."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", _uri(path))
