"""Digests of the inputs of each stage, by which outdated results are recognised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus.records import ARTICLES, SENTENCES
from corpus.store import once, read_json_if_whole, read_jsonl_if_there, table_path, write_json
from corpus.tables import read_table, strings, table_parts
from labeling.records import Verdict
from labeling.sampling.archive_sentences import only_archived
from labeling.sampling.sample_table import read_sample
from labeling.scheme import DEFAULT, Scheme
from train.records import Example
from train.settings import Settings, TrainSettings, told

SENTENCES_KEY = b"sentences"
"""Key in the metadata of `predictions.parquet`: the digest of the sentences that were predicted."""
REPORTED = (
    *("articles.parquet", "spans.parquet", "sentences.parquet", "sample.parquet", "annotations.jsonl"),
    *("adjudications.jsonl", "verdicts.jsonl", "queue.jsonl", "examples.parquet", "model/model.skops"),
    *("model/metrics.json", "model/analysis.json", "model/mistakes.jsonl", "doubts.jsonl", "predictions.parquet"),
    *("shares.json", "machine.jsonl", "suggestions.jsonl"),
)
"""The files that the report is made from."""
KNOWN_SENTENCES = Path(".build", "sentences.json")
"""File in the folder of tables with the digest of the sentences that `stance predict` found there last."""
LENGTH = 32
"""Length of a digest in hexadecimal digits: 128 bits, as in the ids of sentences."""


def of_examples(examples: Iterable[Example], settings: TrainSettings, scheme: Scheme = DEFAULT) -> str:
    """The digest of what a model is trained on.

    It covers texts, labels, targets, groups and splits, and the settings that the fit depends on; also the votes where
    the model learns from them. The order of the examples does not matter.
    """
    rows = sorted((*msgspec.structs.astuple(row)[:-1], *map(list, sorted(row.votes.items()))) for row in examples)
    more = [] if scheme == DEFAULT else [scheme.names, scheme.scored]
    more += [] if settings.targets == TrainSettings().targets else [[settings.targets]]
    more += [] if settings.votes == TrainSettings().votes else [["votes", settings.votes]]
    more += [] if settings.features == TrainSettings().features else [[settings.features, settings.encoder]]
    return _digest([rows, settings.seed, settings.mask, *more])


class _KnownSentences(msgspec.Struct, frozen=True, kw_only=True):
    """The digest of the sentences in a table, and the SHA-256 of the table's file."""

    file: str
    digest: str


def of_sentences(work: Path) -> str:
    """The digest of what a model predicts: id and text of each sentence of the corpus, in their order.

    As long as the table's file has the same bytes as when `keep_sentences` was called, the texts are not read.

    Raises:
        TableError: there is no corpus.
    """
    known = read_json_if_whole(work / KNOWN_SENTENCES, _KnownSentences)
    path = work / "sentences.parquet"
    return known.digest if known and path.is_file() and known.file == of_file(path) else _of_sentences(path)


def keep_sentences(work: Path) -> str:
    """What `of_sentences` gives, which is kept for it in a file."""
    path = work / "sentences.parquet"
    digest = _of_sentences(path)
    write_json(work / KNOWN_SENTENCES, _KnownSentences(file=of_file(path), digest=digest))
    return digest


def _of_sentences(path: Path) -> str:
    hashed = hashlib.sha256()
    for name in ("sentence_id", "text"):
        # Value by value, so that the digest does not depend on the row groups that the table was written in.
        for part in table_parts(path, pa.schema([SENTENCES.field(name)]), "stance build"):
            for chunk in part.column(0).chunks:
                hashed.update(_ended(chunk))
    return hashed.hexdigest()[:LENGTH]


def _ended(values: pa.StringArray) -> pa.Buffer:
    """The bytes of the values, each with a NUL after it."""
    ended = pc.binary_join_element_wise(values, *strings(["\0", ""]))  # given as Python's strings they import pandas
    return ended.buffers()[2].slice(0, pc.sum(pc.binary_length(ended)).as_py() or 0)


def of_labels(work: Path, target: str) -> str:
    """The digest of what predicted shares depend on besides the predictions.

    These are verdicts, rounds, outlets, dates and, where there are several, languages.

    Raises:
        TableError: a table is missing or malformed.
    """
    path = work / "verdicts.jsonl"
    verdicts = read_jsonl_if_there(path, Verdict)
    columns = pa.schema([ARTICLES.field(name) for name in ("article_id", "outlet", "published", "language")])
    articles = read_table(work / "articles.parquet", columns, "stance build").to_pylist()
    # Shares by language are given only where there are several.
    several = len({row["language"] or "" for row in articles}) > 1
    archived = {row.sentence_id for row in only_archived(work)}
    draws = sorted(
        (row for row in read_sample(work) if row.by != "archive"), key=lambda row: (row.sentence_id, row.round, row.by)
    )
    return _digest(
        [
            target,
            sorted((row.sentence_id, row.stance) for row in verdicts if row.sentence_id not in archived),
            [msgspec.structs.astuple(row) for row in draws],
            sorted(
                [row["article_id"], row["outlet"] or "", row["published"] or "", *[row["language"] or ""] * several]
                for row in articles
            ),
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
    shown = told(settings)
    shown["corpus"]["root"] = Path(settings.corpus.root).name
    return _digest([sorted(files.items()), target, shown])


def of_file(path: Path) -> str:
    """A file's SHA-256 in hexadecimal digits; within `corpus.store.one_state` a file is read only once for it."""
    return once(path, _of_file)


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:LENGTH]
