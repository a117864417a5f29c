"""The corpus as arrays: the outlet, month and article of each sentence, and its label if it has one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus.errors import TableError
from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl
from labeling.records import STANCES, Verdict
from labeling.sampling.corpus_shares import known_by, weights
from labeling.sampling.sample import read_sample
from train.predict.shares import UNKNOWN, Codes, Guesses
from train.records import Example

FOLDS = 5
"""Number of folds in cross-prediction: with five, each model learns from four fifths of the labels, and five models
are fitted."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The article and the copy group of each sentence of the corpus, in the order of `sentences.parquet`.

    Attributes:
        articles: rows of the articles without their text, sorted by id.
        article: position of each sentence's article in `articles`.
        home: position of the article that each sentence is counted with in intervals: the first one, by id, that has
            the sentence or a near-duplicate of it.
        unit: number of each sentence's copy group.
    """

    articles: list[dict[str, Any]]
    article: Codes
    home: Codes
    unit: Codes

    def guesses(self, stance: NDArray[np.int8]) -> Guesses:
        """The model's stances with the article, outlet and month of each; a missing outlet is "", a month `unknown`."""
        outlets, outlet = np.unique([row["outlet"] or "" for row in self.articles], return_inverse=True)
        months, month = np.unique([month_of(row["published"]) for row in self.articles], return_inverse=True)
        return Guesses(
            stance=stance,
            home=self.home,
            outlet=outlet.astype(np.int32)[self.article],
            month=month.astype(np.int32)[self.article],
            outlets=outlets.tolist(),
            months=months.tolist(),
        )

    def folds(self) -> NDArray[np.int8]:
        """The fold of each sentence: that of its `home` article, by a digest of the article's id."""
        return np.array([_fold(row["article_id"]) for row in self.articles], np.int8)[self.home]


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """The project's verdicts as arrays with one entry for each sentence of the corpus, including copies.

    Attributes:
        stance: position of the verdict in STANCES; arbitrary where there is no verdict.
        weight: weight of the verdict; 0 if there is none, or if it may not be used for an estimate.
        by_chance: whether the verdict's copy group was drawn with a known probability.
        examples: one example for each copy group with a verdict, and the position of its sentence in the corpus.
    """

    stance: NDArray[np.int8]
    weight: NDArray[np.float64]
    by_chance: NDArray[np.bool_]
    examples: list[tuple[int, Example]]


def opened(path: Path, schema: pa.Schema, made_by: str) -> pq.ParquetFile:
    """Open a table of an earlier stage, to be read in parts.

    Args:
        path: path of the table.
        schema: columns that the table must have.
        made_by: command that writes the table, for the message of an error.

    Raises:
        TableError: the table is missing, is not Parquet, or lacks one of the columns.
    """
    if not path.is_file():
        raise TableError(f"{path} is not there: run `{made_by}` first")
    try:
        file = pq.ParquetFile(path)
        missing = [field.name for field in schema if field not in list(file.schema_arrow)]
    except pa.ArrowException as error:
        raise TableError(f"{path}: expected a Parquet table; found: {error}. Run `{made_by}` again") from error
    if missing:
        raise TableError(
            f"{path}: expected the columns {', '.join(schema.names)}; "
            f"found none of that name and type for {', '.join(missing)}. Run `{made_by}` again"
        )
    return file


def read_layout(tables: Path) -> Layout:
    """Read the article and the copy group of each sentence: some 50 bytes per sentence, and no text.

    Raises:
        TableError: there is no corpus, or a sentence has no article.
    """
    names = ("article_id", "outlet", "published")
    schema = pa.schema([ARTICLES.field(name) for name in names])
    rows = opened(tables / "articles.parquet", schema, "stance build").read(columns=list(names)).to_pylist()
    articles = sorted(rows, key=lambda row: row["article_id"])
    schema = pa.schema([SENTENCES.field(name) for name in ("article_id", "cluster_id", "copy_id")])
    file = opened(tables / "sentences.parquet", schema, "stance build")
    ids = pa.array([row["article_id"] for row in articles], pa.string())
    article = pc.index_in(file.read(columns=["article_id"]).column(0), value_set=ids)
    if article.null_count:
        raise TableError(f"{tables}: a sentence's article is not in articles.parquet. Run `stance build` again")
    places = article.to_numpy().astype(np.int32)
    cluster, count = _numbered(file.read(columns=["cluster_id"]))
    first = np.full(count, len(articles), np.int32)
    np.minimum.at(first, cluster, places)
    return Layout(
        articles=articles,
        article=places,
        home=first[cluster],
        unit=_numbered(file.read(columns=["copy_id"]))[0],
    )


def read_verdicts(work: Path, layout: Layout, target: str) -> Verdicts | None:
    """The project's verdicts, weighted by the rounds that drew them; None before anything was adjudicated.

    Raises:
        TableError: a table is malformed.
    """
    path = work / "verdicts.jsonl"
    if not path.is_file():
        return None
    settled = {row.sentence_id: row.stance for row in read_jsonl(path, Verdict, "stance adjudicate")}
    draws = [row for row in read_sample(work) if row.by != "control"]
    places = _find(work / "sentences.parquet", settled.keys() | {row.sentence_id for row in draws})
    unit_of = {name: int(layout.unit[place]) for name, (place, _) in places.items()}
    _, stance_of = known_by(settled, draws, unit_of)
    units = int(layout.unit.max(initial=-1)) + 1
    stance_by, weight_by = np.zeros(units, np.int8), np.zeros(units)
    chance_by = np.zeros(units, np.bool_)
    for name, weight in weights(draws, units, stance_of.keys()).items():
        if name in stance_of:
            stance_by[unit_of[name]], weight_by[unit_of[name]] = STANCES.index(stance_of[name]), weight
    for row in draws:
        if row.probability is not None and row.sentence_id in stance_of:
            chance_by[unit_of[row.sentence_id]] = True
    return Verdicts(
        stance=stance_by[layout.unit],
        weight=weight_by[layout.unit],
        by_chance=chance_by[layout.unit],
        examples=[
            (places[name][0], Example(sentence_id=name, text=places[name][1], label=stance, target=target))
            for name, stance in sorted(stance_of.items())
        ],
    )


def _find(path: Path, names: Collection[str]) -> dict[str, tuple[int, str]]:
    """Position in the table and text of each of the named sentences."""
    wanted = pa.array(sorted(names), pa.string())
    places: dict[str, tuple[int, str]] = {}
    start = 0
    schema = pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field("text")])
    for batch in opened(path, schema, "stance build").iter_batches(columns=schema.names):
        chosen = np.flatnonzero(pc.is_in(batch.column("sentence_id"), value_set=wanted).to_numpy(zero_copy_only=False))
        part = batch.take(pa.array(chosen))
        for place, name, text in zip(chosen.tolist(), *(part.column(n).to_pylist() for n in schema.names), strict=True):
            places[name] = (start + place, text)
        start += batch.num_rows
    return places


def _numbered(table: pa.Table) -> tuple[Codes, int]:
    encoded = table.column(0).combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy(), len(encoded.dictionary)


def month_of(published: str | None) -> str:
    """The month of a date, such as 2024-05; `unknown` where the date has none."""
    match = re.match(r"\d{4}-(?:0[1-9]|1[0-2])(?!\d)", published or "")
    return match[0] if match else UNKNOWN


def _fold(article_id: str) -> int:
    return hashlib.blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()[0] % FOLDS
