"""Open an archive that `stance predict MODEL SOURCE… --out FOLDER` has scored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import StanceError
from corpus.records import SENTENCES
from corpus.store import read_json
from corpus.tables import table_parts
from labeling.sampling.archive_round import Archive, archive_digest
from labeling.scheme import Scheme
from train.archive.predict_archive import MARKER, SCORED, SCORES, SHARDS, STATE, TABLES, ArchiveManifest, ScoredTables
from train.archive.score_shards import FILE
from train.predict.judge import MADE_BY

SCORE_AGAIN = "run `stance predict MODEL SOURCE… --out FOLDER` on it again: finished shards are kept"


class ScoredArchive(msgspec.Struct, frozen=True, kw_only=True):
    """A scored archive.

    Attributes:
        folder: folder that the scores were written to.
        tables: folder of the archive's articles and sentences.
        shards: folders of the scores, in the order of the sentences.
        labels: labels of the model, in its order.
        model: version of the model.
    """

    folder: Path
    tables: Path
    shards: list[Path]
    labels: list[str]
    model: str


def scored_archive(folder: Path, scheme: Scheme) -> ScoredArchive:
    """Open a scored archive.

    Args:
        folder: folder that the scores were written to.
        scheme: labels of the project.

    Raises:
        StanceError: the folder holds no finished scores, another version of stance wrote them, its tables are gone, or
            the model has other labels than the project.
    """
    marker = folder / SCORES / MARKER
    if not marker.is_file() or not (folder / "manifest.json").is_file():
        raise StanceError(
            f"{folder}: expected a folder with the finished scores of an archive, which `stance predict MODEL SOURCE… "
            f"--out FOLDER` writes; found no {SCORES}/{MARKER} and manifest.json in it"
        )
    manifest = read_json(folder / "manifest.json", ArchiveManifest, StanceError, SCORE_AGAIN)
    state = folder / STATE / SCORED
    if not state.is_file():
        raise StanceError(f"{folder}: an earlier version of stance scored this archive; {SCORE_AGAIN}")
    told = read_json(state, ScoredTables, StanceError, SCORE_AGAIN)
    if not told.key == manifest.key == marker.read_text().strip():
        raise StanceError(f"{folder}: the last `stance predict` was interrupted; {SCORE_AGAIN}")
    tables = Path(told.tables) if told.tables else folder / STATE / "tables"
    shards = [folder / STATE / SHARDS / name for name in told.shards]
    needed = [*(tables / name for name in TABLES), *(shard / FILE for shard in shards)]
    if missing := [path for path in needed if not path.is_file()]:
        raise StanceError(f"{folder}: {missing[0]} is not there, which the archive's scores are of; {SCORE_AGAIN}")
    labels = list(manifest.sentences)
    if labels != scheme.names:
        raise StanceError(
            f"{folder}: the archive was scored with the labels {', '.join(labels)}, and the project has "
            f"{', '.join(scheme.names)}: score it with a model of this project's labels"
        )
    return ScoredArchive(folder=folder, tables=tables, shards=shards, labels=labels, model=manifest.model)


def as_archive(scored: ScoredArchive) -> Archive:
    """The archive as rounds draw from it, with the digest of its sentences."""
    return Archive(tables=scored.tables, digest=archive_digest(scored.tables), model=scored.model)


def scored_labels(scored: ScoredArchive) -> NDArray[np.int8]:
    """The position of the predicted label of each sentence, in the order of the archive's table.

    Raises:
        StanceError: the scores are not of the sentences that the table has now.
    """
    given = [np.zeros(0, np.int8)]
    schema = pa.schema([SENTENCES.field("sentence_id"), ("label", pa.int32())])
    sentences = _ids(scored.tables)
    for shard in scored.shards:
        for part in table_parts(shard / FILE, schema, "stance predict"):
            if part["sentence_id"].to_pylist() != [next(sentences, "") for _ in range(part.num_rows)]:
                raise StanceError(f"{scored.tables} has changed since it was scored; {SCORE_AGAIN}")
            given.append(part["label"].to_numpy().astype(np.int8))
    if next(sentences, None) is not None:
        raise StanceError(f"{scored.tables} has changed since it was scored; {SCORE_AGAIN}")
    return np.concatenate(given)


def _ids(tables: Path) -> Iterator[str]:
    for part in table_parts(tables / "sentences.parquet", pa.schema([SENTENCES.field("sentence_id")]), MADE_BY):
        yield from part["sentence_id"].to_pylist()
