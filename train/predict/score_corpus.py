"""Predict every sentence of a corpus on all cores of this computer, with the results in the order of the sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import joblib
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus.engine import on_processes
from corpus.records import SENTENCES
from corpus.tables import open_table
from train.predict.judge import BATCH, MADE_BY, Judge

PIECE = 20_000
"""Least number of sentences that a worker process is given at once; they take about half a second."""

Progress = Callable[[int, int], None]


class Judges(msgspec.Struct, frozen=True, kw_only=True):
    """The model and, for shares that verdicts correct, one refitted model for each fold; see `train.predict.cross_fit`.

    Without the model, only those of the folds are asked.
    """

    model: Judge | None
    of_fold: dict[int, Judge]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Row groups of the table of sentences.

    Attributes:
        table: path of the table.
        groups: positions of the row groups.
        judges: path of the file with the Judges.
        start: position of the first sentence in the table.
        rows: number of sentences.
        folds: the fold of each sentence; empty where no other model than the first is asked.
    """

    table: Path
    groups: list[int]
    judges: Path
    start: int
    rows: int
    folds: NDArray[np.int8]


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """The probabilities of the sentences of a piece, and what the models of their folds say (positions of labels)."""

    piece: Piece
    chances: NDArray[np.float64]
    held: NDArray[np.int8]


def score_corpus(
    tables: Path, judges: Judges, folds: NDArray[np.int8], folder: Path, progress: Progress
) -> Iterator[Scored]:
    """Predict every sentence of a corpus.

    Args:
        tables: folder of the corpus' tables.
        judges: the models.
        folds: the fold of each sentence; used only if there are models of folds.
        folder: private folder for the models, which the worker processes map into their memory.
        progress: function that is called with the number of sentences of each finished piece, and of all.

    Yields:
        The pieces, in the order of the table.

    Raises:
        TableError: the table of sentences is missing, or lacks a column.
        StanceError: worker processes were killed again and again.
    """
    path = folder / "judges"
    joblib.dump(judges, path)
    pa.default_memory_pool().release_unused()  # the worker processes need it now
    pieces = list(_pieces(tables / "sentences.parquet", path, folds if judges.of_fold else np.zeros(0, np.int8)))
    waiting: dict[int, Scored] = {}
    next_one, total = 0, pq.read_metadata(tables / "sentences.parquet").num_rows
    for scored in on_processes(score_piece, {str(piece.start): piece for piece in pieces}, None):
        progress(scored.piece.rows, total)
        waiting[scored.piece.start] = scored
        while next_one < len(pieces) and (first := waiting.pop(pieces[next_one].start, None)):
            yield first
            next_one += 1


def score_piece(piece: Piece) -> Scored:
    """Predict the sentences of a piece."""
    judges = _judges(piece.judges)
    chances: list[NDArray[np.float64]] = []
    held: list[NDArray[np.int8]] = []
    done = 0
    for batch in piece_batches(piece, ["text"]):
        texts = batch.column(0).to_pylist()
        if judges.model:
            chances.append(judges.model.chances(texts))
        if len(piece.folds):
            mine = piece.folds[done : done + len(texts)]
            held.append(np.zeros(len(texts), np.int8))
            for fold in np.unique(mine).tolist():
                places = np.flatnonzero(mine == fold)
                given = judges.of_fold[fold].chances([texts[place] for place in places])
                held[-1][places] = given.argmax(axis=1)
        done += len(texts)
    return Scored(
        piece=piece,
        chances=np.concatenate([np.zeros((0, len(judges.model.labels) if judges.model else 0)), *chances]),
        held=np.concatenate([np.zeros(0, np.int8), *held]),
    )


def piece_batches(piece: Piece, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a piece, some thousand at a time."""
    with pq.ParquetFile(piece.table) as file:
        yield from file.iter_batches(BATCH, row_groups=piece.groups, columns=columns, use_threads=False)


@lru_cache(1)
def _judges(path: Path) -> Judges:
    """The models, mapped into memory, so that all worker processes share one copy of their arrays."""
    found: Judges = joblib.load(path, mmap_mode="r")
    return found


def _pieces(table: Path, judges: Path, folds: NDArray[np.int8]) -> Iterator[Piece]:
    with open_table(table, pa.schema([SENTENCES.field("text")]), MADE_BY) as file:
        counts = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    groups: list[int] = []
    start = rows = 0
    for group, count in enumerate(counts):
        groups.append(group)
        rows += count
        if rows and (rows >= PIECE or group == len(counts) - 1):
            mine = folds[start : start + rows]
            yield Piece(table=table, groups=groups, judges=judges, start=start, rows=rows, folds=mine)
            start, rows, groups = start + rows, 0, []
