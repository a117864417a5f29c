"""Digests of the inputs of each stage, by which outdated results are recognised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl, read_table, table_path
from labeling.records import Verdict
from labeling.sampling.sample import read_sample
from train.predict.sentence_arrays import opened
from train.records import Example
from train.settings import Settings, TrainSettings

SENTENCES_KEY = b"sentences"
"""Key in the metadata of `predictions.parquet`: the digest of the sentences that were predicted."""
REPORTED = (
    *("articles.parquet", "spans.parquet", "sentences.parquet", "sample.parquet", "annotations.jsonl"),
    *("adjudications.jsonl", "verdicts.jsonl", "queue.jsonl", "examples.parquet", "model/model.skops"),
    *("model/metrics.json", "model/analysis.json", "model/mistakes.jsonl", "doubts.jsonl", "predictions.parquet"),
    "shares.json",
)
"""The files that the report is made from."""
LENGTH = 32
"""Length of a digest in hexadecimal digits: 128 bits, as in the ids of sentences."""
BATCH = 50_000


def of_examples(examples: Iterable[Example], settings: TrainSettings) -> str:
    """The digest of what a model is trained on.

    It covers texts, labels, targets, groups and splits, and the settings that the fit depends on. The order of the
    examples does not matter.
    """
    rows = sorted(msgspec.structs.astuple(row) for row in examples)
    return _digest([rows, settings.seed, settings.mask])


def of_sentences(work: Path) -> str:
    """The digest of what a model predicts: id and text of each sentence of the corpus, in their order.

    Raises:
        TableError: there is no corpus.
    """
    columns = pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field("text")])
    file = opened(work / "sentences.parquet", columns, "stance build")
    hashed = hashlib.sha256()
    for name in columns.names:
        # Value by value, so that the digest does not depend on the row groups that the table was written in.
        for batch in file.iter_batches(BATCH, columns=[name]):
            hashed.update("".join(f"{value}\0" for value in batch.column(0).to_pylist()).encode())
    return hashed.hexdigest()[:LENGTH]


def of_labels(work: Path, target: str) -> str:
    """The digest of what predicted shares depend on besides the predictions: verdicts, rounds, outlets and dates.

    Raises:
        TableError: a table is missing or malformed.
    """
    path = work / "verdicts.jsonl"
    verdicts = read_jsonl(path, Verdict, "stance adjudicate") if path.is_file() else []
    columns = pa.schema([ARTICLES.field(name) for name in ("article_id", "outlet", "published")])
    articles = read_table(work / "articles.parquet", columns, "stance build").to_pylist()
    draws = sorted(read_sample(work), key=lambda row: (row.sentence_id, row.round, row.by))
    return _digest(
        [
            target,
            sorted((row.sentence_id, row.stance) for row in verdicts),
            [msgspec.structs.astuple(row) for row in draws],
            sorted([row["article_id"], row["outlet"] or "", row["published"] or ""] for row in articles),
        ]
    )


def of_model(file: Path) -> str:
    """A model's version, as predictions name it: the first 16 hexadecimal digits of its file's SHA-256."""
    return of_file(file)[:16]


def of_files(work: Path) -> dict[str, str]:
    """The SHA-256 of each file that the report is made from, of those that exist."""
    return {name: of_file(path) for name in REPORTED if (path := table_path(work, name)).is_file()}


def of_report(files: Mapping[str, str], target: str, settings: Settings) -> str:
    """The digest of what the report shows: the files of `of_files`, the target, and the settings but no local path."""
    shown: dict[str, dict[str, object]] = msgspec.to_builtins(settings)
    shown["corpus"]["root"] = Path(settings.corpus.root).name
    return _digest([sorted(files.items()), target, shown])


def of_file(path: Path) -> str:
    """A file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:LENGTH]
