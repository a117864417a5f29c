"""Score the sentences of an archive with a model, shard by shard; each shard is finished once and kept.

A shard is some row groups of `sentences.parquet`, known by a digest of their bytes: where another part of the table
changed, it is still finished. A finished one is a folder that was renamed into place.
"""

from __future__ import annotations

import hashlib
import pickle
import socket
import tempfile
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.digests import code_digest, digest
from corpus.errors import ExamplesError, StanceError
from corpus.records import SENTENCES
from corpus.staging import made_once
from labeling.records import STANCES
from train.predict.judge import BATCH, MADE_BY, PREDICTIONS, Judge, open_model
from train.predict.sentence_arrays import opened

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHARD = 50_000
"""Sentences a shard, at least: seconds of work, which is what a killed worker loses."""
WAVE = 16
"""Shards a core that Spark is given at once, as `progress` is told of a wave."""
ATTEMPTS = 3
"""How often work goes on after a worker was killed."""
FILE = "scores.parquet"
READ = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "text")])
SCORES = pa.schema([PREDICTIONS.field(name) for name in ("sentence_id", "stance", *STANCES)])
LIBRARIES = ("numpy", "pyarrow", "scikit-learn", "scipy")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which model is asked, and about what; `version` digests its file, so that no other one slips in."""

    folder: Path
    target: str
    trust: bool
    version: str


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """Row groups of one Parquet file; `content` digests their bytes, `key` also what judges them."""

    key: str
    path: Path
    groups: list[int]
    rows: int
    content: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A shard to be made, by whom, and the folder of finished ones."""

    shard: Shard
    asked: Asked
    folder: Path


def score(batch: pa.RecordBatch, judge: Judge) -> pa.RecordBatch:
    """What the model says of each sentence: a pure function, row by row, so how rows are batched doesn't show.

    Args:
        batch: record batch with the columns `sentence_id` and `text`.
        judge: the model.

    Returns:
        SCORES: probabilities that sum to 1 in each row; `stance` has the largest one, the first in the order of
        STANCES where they are equal.
    """
    chances = judge.chances(batch.column("text").to_pylist())
    stance = np.array(STANCES, dtype=object)[chances.argmax(axis=1)]
    columns = [batch.column("sentence_id"), pa.array(stance, pa.string())]
    return pa.RecordBatch.from_arrays([*columns, *map(pa.array, chances.T.copy())], schema=SCORES)


def plan(tables: Path, asked: Asked) -> list[Shard]:
    """The shards of a corpus, in its order.

    Raises:
        TableError: there is no table of sentences, or it lacks a column.
    """
    path = (tables / "sentences.parquet").resolve()
    by = rules(asked)
    shards: list[Shard] = []
    with opened(path, READ, MADE_BY) as file, path.open("rb") as data:
        groups: list[int] = []
        rows = 0
        for group in range(file.metadata.num_row_groups):
            groups.append(group)
            rows += file.metadata.row_group(group).num_rows
            if rows and (rows >= SHARD or group == file.metadata.num_row_groups - 1):
                content = _content(file, data, groups)
                shards.append(Shard(key=digest(by, content), path=path, groups=groups, rows=rows, content=content))
                groups, rows = [], 0
    return shards


def rules(asked: Asked) -> str:
    """A digest of all that judges: the model's files, the target, this code and the libraries below it."""
    return digest(
        asked.version,
        asked.target,
        code_digest([__name__], LIBRARIES),
        (asked.folder / "model.json").read_text("utf-8"),
    )


def _content(file: pq.ParquetFile, data: BufferedReader, groups: list[int]) -> str:
    """A digest of row groups' columns as they stand in the file, which costs a fiftieth of what decoding does."""
    found = hashlib.blake2b(digest_size=16)
    for group in groups:
        held = file.metadata.row_group(group)
        chunks = [held.column(n) for n in range(held.num_columns)]
        for chunk in (chunk for chunk in chunks if chunk.path_in_schema in READ.names):
            start = min(place for place in (chunk.dictionary_page_offset, chunk.data_page_offset) if place)
            data.seek(start)
            part = data.read(chunk.total_compressed_size)
            form = f"{chunk.path_in_schema} {chunk.physical_type} {chunk.compression} {held.num_rows} {len(part)} "
            found.update(form.encode() + part)
    return found.hexdigest()


def make(job: Job) -> int:
    """Score one shard into `folder/KEY`, whole or not at all; returns its number of sentences.

    Raises:
        ExamplesError: the model is another one than was asked.
        StanceError: the table is another one than was planned.
    """
    shard, judge = job.shard, _judge(job.asked)
    if (job.folder / shard.key).is_dir():  # by another attempt
        return shard.rows
    with (
        made_once(job.folder / shard.key) as half,
        shard.path.open("rb") as data,
        pq.ParquetFile(data) as file,
    ):
        # Of the file that is open: one that is renamed over it meanwhile cannot slip in.
        if _content(file, data, shard.groups) != shard.content:
            raise StanceError(f"{shard.path} changed while it was read; run it again")
        with pq.ParquetWriter(half / FILE, SCORES, compression="zstd") as out:
            for batch in file.iter_batches(BATCH, row_groups=shard.groups, columns=READ.names):
                out.write_batch(score(batch.select(READ.names), judge))
    return shard.rows


_HELD: dict[Asked, Judge] = {}
"""The model of this process: opening it takes longer than scoring many a shard."""


def _judge(asked: Asked, files: Callable[[], dict[str, bytes]] | None = None) -> Judge:
    if asked not in _HELD:
        _HELD.clear()
        if files is None:
            judge = open_model(asked.folder, asked.target, trust=asked.trust)
        else:
            with tempfile.TemporaryDirectory(prefix="stance-model-") as name:
                for file, content in files().items():
                    (Path(name) / file).write_bytes(content)
                judge = open_model(Path(name), asked.target, trust=asked.trust)
        if judge.version != asked.version:
            raise ExamplesError(f"{asked.folder}: the model changed while it was in use; run it again")
        _HELD[asked] = judge
    return _HELD[asked]


# --- where it runs


def on_spark(jobs: list[Job], spark: SparkSession) -> Iterator[int]:
    """Make shards on Spark's executors, which get the model sent once and see the same files under the same paths.

    Yields:
        The number of sentences of each finished shard.

    Raises:
        StanceError: an executor cannot use the model, see the table or write the shards.
    """
    if not jobs:
        return
    asked = jobs[0].asked
    names = ("model.json", "model.joblib" if asked.trust else "model.skops")
    model = spark.sparkContext.broadcast({name: (asked.folder / name).read_bytes() for name in names})
    cores = spark.sparkContext.defaultParallelism

    def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            _judge(asked, lambda: model.value)
            yield _made(batch)

    for start in range(0, len(jobs), WAVE * cores):
        wave = pa.table({"job": [pickle.dumps(job) for job in jobs[start : start + WAVE * cores]]})
        frame = spark.createDataFrame(wave).repartition(wave.num_rows)
        rows: list[Any] = frame.mapInArrow(made, "rows long").collect()
        yield from (row.rows for row in rows)
    model.destroy()


def _made(batch: pa.RecordBatch) -> pa.RecordBatch:
    rows = []
    for data in batch.column("job").to_pylist():
        job: Job = pickle.loads(data)
        for path in (job.shard.path, job.folder):
            if not path.exists():
                raise StanceError(
                    f"{path} is not there on {socket.gethostname()}; all machines of a cluster must see the sources "
                    "and the tables under the same paths"
                )
        try:
            rows.append(make(job))
        except OSError as error:
            raise StanceError(f"{socket.gethostname()}: {job.folder} cannot be written: {error}") from error
    return pa.RecordBatch.from_pydict({"rows": pa.array(rows, pa.int64())})
