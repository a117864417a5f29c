"""Score the sentences of an archive with a model, shard by shard; each shard is scored once and kept.

A shard is some row groups of `sentences.parquet`, identified by a digest of their bytes, so it stays finished when
another part of the table changes. A finished shard is a folder that was renamed into place.
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
from corpus.tables import open_table
from train.encoder.vectors import PLACE
from train.predict.judge import BATCH, MADE_BY, Judge, open_model

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHARD = 50_000
"""Least number of sentences in a shard, which take some seconds; so much work is lost when a worker is killed."""
WAVE = 16
"""Number of shards per core that Spark is given at once; progress is reported after each such wave."""
ATTEMPTS = 3
"""Number of times that work continues after a worker was killed."""
FILE = "scores.parquet"
READ = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "text")])
LIBRARIES = ("numpy", "pyarrow", "scikit-learn", "scipy")
OPTIONAL = ("onnxruntime", "tokenizers")


class ModelAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The model to use, and the target; `version` is a digest of its file, so that no other model is used instead."""

    folder: Path
    target: str
    trust: bool
    version: str


class ScoreShard(msgspec.Struct, frozen=True, kw_only=True):
    """Row groups of one Parquet file.

    `content` is a digest of their bytes, `key` one of their bytes and of everything else that the scores depend on.
    """

    key: str
    path: Path
    groups: list[int]
    rows: int
    content: str


class ScoreJob(msgspec.Struct, frozen=True, kw_only=True):
    """A shard to score, the model to use, and the folder of finished shards."""

    shard: ScoreShard
    asked: ModelAsked
    folder: Path


def scores(labels: int) -> pa.Schema:
    """The schema of a shard: the position of the predicted label, and the probability of each label by its position.

    An engine of queries could not read all labels as names of columns, such as one with a space; and it has a column
    `place` of its own for the rows of each file.
    """
    chances = [(f"p{n}", pa.float64()) for n in range(labels)]
    return pa.schema([READ.field("sentence_id"), ("label", pa.int32()), *chances])


def score(batch: pa.RecordBatch, judge: Judge) -> pa.RecordBatch:
    """Predict each sentence on its own, so that the result does not depend on how the rows are batched.

    Args:
        batch: record batch with the columns `sentence_id` and `text`.
        judge: model to use.

    Returns:
        Rows of the schema `scores`: probabilities that sum to 1, and the most probable label; of equally probable ones
        the first in the order of the model's labels.
    """
    chances = judge.chances(batch.column("text").to_pylist())
    columns = [batch.column("sentence_id"), pa.array(chances.argmax(axis=1).astype(np.int32))]
    return pa.RecordBatch.from_arrays([*columns, *map(pa.array, chances.T.copy())], schema=scores(chances.shape[1]))


def plan(tables: Path, asked: ModelAsked) -> list[ScoreShard]:
    """The shards of a corpus, in the order of its sentences.

    Raises:
        TableError: there is no table of sentences, or it lacks a column.
    """
    path = (tables / "sentences.parquet").resolve()
    by = rules(asked)
    shards: list[ScoreShard] = []
    with open_table(path, READ, MADE_BY) as file, path.open("rb") as data:
        groups: list[int] = []
        rows = 0
        for group in range(file.metadata.num_row_groups):
            groups.append(group)
            rows += file.metadata.row_group(group).num_rows
            if rows and (rows >= SHARD or group == file.metadata.num_row_groups - 1):
                content = _content(file, data, groups)
                shards.append(ScoreShard(key=digest(by, content), path=path, groups=groups, rows=rows, content=content))
                groups, rows = [], 0
    return shards


def rules(asked: ModelAsked) -> str:
    """A digest of what scores depend on besides the sentences: the model, the target, this code and its libraries."""
    return digest(
        asked.version,
        asked.target,
        code_digest([__name__], LIBRARIES, OPTIONAL),
        (asked.folder / "model.json").read_text("utf-8"),
    )


def _content(file: pq.ParquetFile, data: BufferedReader, groups: list[int]) -> str:
    """A digest of row groups' columns as the file stores them, which takes a fiftieth of the time of decoding."""
    hashed = hashlib.blake2b(digest_size=16)
    for group in groups:
        held = file.metadata.row_group(group)
        chunks = [held.column(n) for n in range(held.num_columns)]
        for chunk in (chunk for chunk in chunks if chunk.path_in_schema in READ.names):
            start = min(place for place in (chunk.dictionary_page_offset, chunk.data_page_offset) if place)
            data.seek(start)
            part = data.read(chunk.total_compressed_size)
            form = f"{chunk.path_in_schema} {chunk.physical_type} {chunk.compression} {held.num_rows} {len(part)} "
            hashed.update(form.encode() + part)
    return hashed.hexdigest()


def make(job: ScoreJob) -> int:
    """Score one shard and write it to `folder/KEY`, completely or not at all; returns its number of sentences.

    Raises:
        ExamplesError: the model has changed since the job was made.
        StanceError: the table has changed since the shards were planned.
    """
    shard, judge = job.shard, _judge(job.asked)
    if (job.folder / shard.key).is_dir():  # finished by another attempt
        return shard.rows
    with (
        made_once(job.folder / shard.key) as half,
        shard.path.open("rb") as data,
        pq.ParquetFile(data) as file,
    ):
        # The digest is of the open file, so a file that replaces it in the meantime cannot be scored instead.
        if _content(file, data, shard.groups) != shard.content:
            raise StanceError(f"{shard.path} changed while it was read; run it again")
        with pq.ParquetWriter(half / FILE, scores(len(judge.labels)), compression="zstd") as out:
            for batch in file.iter_batches(BATCH, row_groups=shard.groups, columns=READ.names):
                out.write_batch(score(batch.select(READ.names), judge))
    return shard.rows


_HELD: dict[ModelAsked, Judge] = {}
"""The model that this process has opened: opening one takes longer than scoring many shards."""


def _judge(asked: ModelAsked, files: Callable[[], dict[str, bytes]] | None = None) -> Judge:
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
        if judge.vectors:  # the scores of an archive are kept themselves
            judge = msgspec.structs.replace(judge, vectors=judge.vectors.unkept())
        _HELD[asked] = judge
    return _HELD[asked]


def on_spark(jobs: list[ScoreJob], spark: SparkSession) -> Iterator[int]:
    """Score shards on Spark's executors, which receive the model once and must see the same files under the same paths.

    Yields:
        The number of sentences of each finished shard.

    Raises:
        StanceError: an executor cannot use the model, see the table or write the shards.
    """
    if not jobs:
        return
    asked = jobs[0].asked
    names = ("model.json", "model.joblib" if asked.trust else "model.skops", PLACE)
    model = spark.sparkContext.broadcast(
        {name: (asked.folder / name).read_bytes() for name in names if (asked.folder / name).is_file()}
    )
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
        job: ScoreJob = pickle.loads(data)
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
