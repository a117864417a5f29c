"""Draw a round of sentences from the tables of an archive, which are read part by part and never held as a whole.

A unit is a group of exact copies, as in rounds of the corpus (`labeling.sampling.sample`), and chance comes from the
same digests of the seed, the round and the id. In memory are one part of the table, the units that come first so far
and, for strata, one number for each article.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import StanceError
from corpus.records import ARTICLES, SENTENCES
from corpus.tables import read_table, strings, table_parts
from labeling.sampling.archive_sentences import SHOWN, ArchivedSentence
from labeling.sampling.pool import PART, digest, first_by_digest
from labeling.sampling.sample import in_order, proportional
from labeling.sampling.sample_table import Draw

ArchiveBy = Literal["random", "stratified"]
"""The ways of drawing from an archive: both give every sentence a known probability."""
IDS = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "copy_id")])
STRATA = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "copy_id", "article_id")])
MADE_BY = "stance predict MODEL SOURCE… --out FOLDER"


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of an archive, the digest of its sentences, and the model that has scored them."""

    tables: Path
    digest: str
    model: str


class ArchiveRound(msgspec.Struct, frozen=True, kw_only=True):
    """A round of an archive: its draws in the order to label them, what annotators are shown, and the units left."""

    draws: list[Draw]
    sentences: list[ArchivedSentence]
    left: int


def archive_digest(tables: Path) -> str:
    """A digest of the ids of an archive's sentences and of their copy groups, in their order.

    Raises:
        TableError: the table is missing or malformed.
    """
    hashed = hashlib.blake2b(digest_size=16)
    for part in table_parts(tables / "sentences.parquet", IDS, MADE_BY):
        for name in IDS.names:
            hashed.update(b"\0".join(part[name].cast(pa.binary()).to_pylist()) + b"\n")
    return hashed.hexdigest()


def draw_from_archive(
    archive: Archive, limit: int, by: ArchiveBy, earlier: Sequence[Draw], drawn: Collection[str], seed: int
) -> ArchiveRound:
    """Draw a round of exactly `limit` units from an archive, or of all that are left if there are fewer.

    Args:
        archive: the archive.
        limit: number of units to draw.
        by: `random`: a simple random sample; `stratified`: one from each outlet, in proportion to its size, with at
            least one unit.
        earlier: draws of all earlier rounds, for the round's number.
        drawn: sentences that earlier rounds drew from this archive.
        seed: `[labeling] seed` of stance.toml.

    Returns:
        The round. The probability of each unit is the number drawn from its stratum by the number that was left there.

    Raises:
        ConfigError: `limit` is too small for one unit from each outlet.
        StanceError: earlier rounds have drawn everything.
        TableError: a table is missing or malformed.
    """
    number = max((row.round for row in earlier), default=0) + 1
    outlet_of = _outlets(archive.tables) if by == "stratified" else {}
    of: Counter[str] = Counter()
    for outlet, ids in _units(archive.tables, outlet_of, drawn):
        of[outlet] += len(ids)
    left = of.total()
    if not left:
        raise StanceError("earlier rounds have drawn every sentence of this archive: there is nothing left to draw")
    size = min(limit, left)
    if by == "stratified":
        ties = {outlet: digest(seed, number, "outlet", outlet) for outlet in of}
        sizes = proportional(of, size, ties)
    else:
        sizes = {"": size}
    first: dict[str, list[str]] = {outlet: [] for outlet in of}
    for outlet, ids in _units(archive.tables, outlet_of, drawn):
        candidates = pa.chunked_array([strings(first[outlet]), *ids.chunks], pa.string())
        first[outlet] = first_by_digest(candidates, sizes[outlet], seed, number, "archive")
    draws = in_order(
        [
            Draw(sentence_id=id_, round=number, by="archive", probability=sizes[outlet] / of[outlet])
            for outlet, ids in first.items()
            for id_ in ids
        ],
        number,
        seed,
    )
    return ArchiveRound(draws=draws, sentences=_shown(archive, draws), left=left - size)


def _outlets(tables: Path) -> dict[str, str]:
    """The outlet of each article of the archive."""
    schema = pa.schema([ARTICLES.field(name) for name in ("article_id", "outlet")])
    outlet_of: dict[str, str] = {}
    names: dict[str, str] = {}  # each name is held once
    for part in table_parts(tables / "articles.parquet", schema, MADE_BY):
        for article_id, outlet in zip(*(part[name].to_pylist() for name in schema.names), strict=True):
            outlet_of[article_id] = names.setdefault(outlet or "", outlet or "")
    return outlet_of


def _units(tables: Path, outlet_of: dict[str, str], drawn: Collection[str]) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """The ids of the first copies that no round drew, in blocks of one outlet each; "" without outlets."""
    before = strings(sorted(drawn))
    held: list[pa.Table] = []
    rows = 0
    for part in table_parts(tables / "sentences.parquet", STRATA if outlet_of else IDS, MADE_BY):
        is_first = pc.equal(part["sentence_id"], part["copy_id"])
        is_left = pc.invert(pc.is_in(part["sentence_id"], value_set=before))
        held.append(part.filter(pc.and_(is_first, is_left)))
        rows += held[-1].num_rows
        if rows >= PART:
            yield from _by_outlet(pa.concat_tables(held), outlet_of)
            held, rows = [], 0
    if rows:
        yield from _by_outlet(pa.concat_tables(held), outlet_of)


def _by_outlet(block: pa.Table, outlet_of: dict[str, str]) -> Iterator[tuple[str, pa.ChunkedArray]]:
    ids = block["sentence_id"]
    if not outlet_of:
        yield "", ids
        return
    outlets = np.array([outlet_of[name] for name in block["article_id"].to_pylist()], dtype=object)
    for outlet in sorted(set(outlets.tolist())):
        yield outlet, ids.take(pa.array(np.flatnonzero(outlets == outlet)))


def _shown(archive: Archive, draws: Sequence[Draw]) -> list[ArchivedSentence]:
    """What annotators are shown of the drawn sentences, in the order of the draws."""
    about = pa.schema([ARTICLES.field(n) for n in ("article_id", "title", "outlet", "published", "language", "url")])
    schema = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "article_id", "text", "before", "after")])
    where = ("sentence_id", {row.sentence_id for row in draws})
    rows = read_table(archive.tables / "sentences.parquet", schema, MADE_BY, where).to_pylist()
    articles = ("article_id", {row["article_id"] for row in rows})
    found = read_table(archive.tables / "articles.parquet", about, MADE_BY, articles).to_pylist()
    of = {row["article_id"]: row for row in found}
    whole: dict[str, dict[str, Any]] = {row["sentence_id"]: row | of[row["article_id"]] for row in rows}
    return [
        ArchivedSentence(
            **{name: whole[row.sentence_id][name] or "" for name in SHOWN},
            archive=archive.digest,
            model=archive.model,
            round=row.round,
        )
        for row in draws
    ]
