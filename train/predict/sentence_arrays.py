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
from numpy.typing import NDArray

from corpus.errors import TableError
from corpus.records import ARTICLES, SENTENCES
from corpus.tables import read_table, strings, table_parts
from labeling.records import Verdict
from labeling.sampling.corpus_shares import known_by, weights
from labeling.sampling.sample_table import read_sample
from labeling.scheme import DEFAULT, Scheme, read_labelled
from train.examples.soft_votes import enough_votes
from train.predict.shares import UNKNOWN, Codes, Guesses, Settled
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
        """The model's stances with the article, outlet, month and language of each.

        A missing outlet or language is "", a missing month `unknown`.
        """
        outlets, outlet = np.unique([row["outlet"] or "" for row in self.articles], return_inverse=True)
        months, month = np.unique([month_of(row["published"]) for row in self.articles], return_inverse=True)
        languages, language = np.unique([row["language"] or "" for row in self.articles], return_inverse=True)
        return Guesses(
            stance=stance,
            home=self.home,
            outlet=outlet.astype(np.int32)[self.article],
            month=month.astype(np.int32)[self.article],
            outlets=outlets.tolist(),
            months=months.tolist(),
            language=language.astype(np.int32)[self.article],
            languages=languages.tolist(),
        )

    def folds(self) -> NDArray[np.int8]:
        """The fold of each sentence: that of its `home` article, by a digest of the article's id."""
        return np.array([_fold(row["article_id"]) for row in self.articles], np.int8)[self.home]


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """The project's verdicts as arrays with one entry for each sentence of the corpus, including copies.

    Attributes:
        stance: position of the verdict in the scheme; arbitrary where there is no verdict.
        weight: weight of the verdict; 0 if there is none, or if it may not be used for an estimate.
        by_chance: whether the verdict's copy group was drawn with a known probability.
        settled: position of the verdict in the scheme, whether it may be used for an estimate or not; -1 where there is
            none.
        examples: one example for each copy group with a verdict, with its votes if there are three or more; and the
            position of its sentence in the corpus.
    """

    stance: NDArray[np.int8]
    weight: NDArray[np.float64]
    by_chance: NDArray[np.bool_]
    settled: NDArray[np.int8]
    examples: list[tuple[int, Example]]

    def as_settled(self, layout: Layout) -> Settled:
        """The verdicts as labels whose own shares are given."""
        stands = np.zeros(len(self.settled), np.bool_)
        stands[[place for place, _ in self.examples]] = True
        return Settled(stance=self.settled, unit=layout.unit, article=layout.article, stands=stands)


def read_layout(tables: Path) -> Layout:
    """Read the article and the copy group of each sentence: some 50 bytes per sentence, and no text.

    Raises:
        TableError: there is no corpus, or a sentence has no article.
    """
    names = ("article_id", "outlet", "published", "language")
    schema = pa.schema([ARTICLES.field(name) for name in names])
    rows = read_table(tables / "articles.parquet", schema, "stance build").to_pylist()
    articles = sorted(rows, key=lambda row: row["article_id"])
    ids = strings([row["article_id"] for row in articles])
    path = tables / "sentences.parquet"
    codes = [np.zeros(0, np.int32)]
    for part in table_parts(path, pa.schema([SENTENCES.field("article_id")]), "stance build"):
        article = pc.index_in(part.column(0), value_set=ids)
        if article.null_count:
            raise TableError(f"{tables}: a sentence's article is not in articles.parquet. Run `stance build` again")
        codes.append(article.to_numpy().astype(np.int32))
    places = np.concatenate(codes)
    cluster, count = _numbered(path, "cluster_id")
    first = np.full(count, len(articles), np.int32)
    np.minimum.at(first, cluster, places)
    return Layout(articles=articles, article=places, home=first[cluster], unit=_numbered(path, "copy_id")[0])


def read_verdicts(work: Path, layout: Layout, target: str, scheme: Scheme = DEFAULT) -> Verdicts | None:
    """The project's verdicts, weighted by the rounds that drew them; None before anything was adjudicated.

    Raises:
        TableError: a table is malformed.
    """
    path = work / "verdicts.jsonl"
    if not path.is_file():
        return None
    rows = read_labelled(path, Verdict, "stance adjudicate", scheme)
    settled = {row.sentence_id: row.stance for row in rows}
    votes = {row.sentence_id: enough_votes(row.votes.values()) for row in rows}
    draws = [row for row in read_sample(work) if row.is_of_corpus]
    places = find_sentences(work / "sentences.parquet", settled.keys() | {row.sentence_id for row in draws})
    unit_of = {name: int(layout.unit[place]) for name, (place, _) in places.items()}
    _, stance_of = known_by(settled, draws, unit_of)
    _, settled_as = known_by({name: name for name in settled}, draws, unit_of)
    units = int(layout.unit.max(initial=-1)) + 1
    stance_by, weight_by = np.zeros(units, np.int8), np.zeros(units)
    chance_by = np.zeros(units, np.bool_)
    for name, weight in weights(draws, units, stance_of.keys()).items():
        if name in stance_of:
            stance_by[unit_of[name]], weight_by[unit_of[name]] = scheme.names.index(stance_of[name]), weight
    settled_by = np.full(units, -1, np.int8)
    for name, stance in stance_of.items():
        settled_by[unit_of[name]] = scheme.names.index(stance)
    for row in draws:
        if row.probability is not None and row.sentence_id in stance_of:
            chance_by[unit_of[row.sentence_id]] = True
    return Verdicts(
        stance=stance_by[layout.unit],
        weight=weight_by[layout.unit],
        by_chance=chance_by[layout.unit],
        settled=settled_by[layout.unit],
        examples=[
            (
                places[name][0],
                Example(
                    sentence_id=name,
                    text=places[name][1],
                    label=stance,
                    target=target,
                    votes=votes[settled_as[name]],
                ),
            )
            for name, stance in sorted(stance_of.items())
        ],
    )


def find_sentences(path: Path, names: Collection[str]) -> dict[str, tuple[int, str]]:
    """Position in the table and text of each of the named sentences."""
    wanted = strings(sorted(names))
    places: dict[str, tuple[int, str]] = {}
    start = 0
    schema = pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field("text")])
    for part in table_parts(path, schema, "stance build"):
        chosen = pc.is_in(part.column("sentence_id"), value_set=wanted)
        mine = part.filter(chosen)
        for place, name, text in zip(
            np.flatnonzero(chosen.to_numpy()).tolist(), *(mine[n].to_pylist() for n in schema.names), strict=True
        ):
            places[name] = (start + place, text)
        start += len(part)
    return places


def _numbered(path: Path, name: str) -> tuple[Codes, int]:
    """A number for each value of a column of ids, in the order in which they first occur; and how many there are.

    Most sentences have their own id there. Only of the others are the values looked up, which takes a fifth of the
    memory of numbering all of them.
    """
    schema = pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field(name)])
    ids: list[pa.Array] = []
    own = [np.zeros(0, np.bool_)]
    others: list[pa.Array] = []
    for part in table_parts(path, schema, "stance build"):
        is_own = pc.equal(part["sentence_id"], part[name])
        own.append(is_own.to_numpy())
        ids += part["sentence_id"].chunks
        others += part[name].filter(pc.invert(is_own)).chunks
    values = pa.chunked_array(others, pa.string())
    unique = pc.unique(values)
    at = pc.fill_null(pc.index_in(pa.chunked_array(ids, pa.string()), value_set=unique), -1).to_numpy()
    places = np.flatnonzero(at >= 0)
    place_of = np.arange(len(unique)) + len(at)  # a value that is not the id of any sentence has a place of its own
    place_of[at[places]] = places
    codes = np.arange(len(at))
    codes[~np.concatenate(own)] = place_of[pc.index_in(values, value_set=unique).to_numpy()]
    _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[codes], len(first)


def month_of(published: str | None) -> str:
    """The month of a date, such as 2024-05; `unknown` where the date has none."""
    match = re.match(r"\d{4}-(?:0[1-9]|1[0-2])(?!\d)", published or "")
    return match[0] if match else UNKNOWN


def _fold(article_id: str) -> int:
    return hashlib.blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()[0] % FOLDS
