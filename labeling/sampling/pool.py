"""The units that a round draws from; most ways of drawing need only their ids."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.records import ARTICLES, SENTENCES
from corpus.tables import read_table, strings, table_parts

PART = 50_000


class SamplingUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A group of exact copies, named by the sentence that stands for it; once drawn, that sentence never changes."""

    sentence_id: str
    article_id: str
    outlet: str
    text: str


class Pool(Sequence[SamplingUnit]):
    """Units of the corpus, in corpus order; their articles and texts are read when somebody goes through them."""

    def __init__(self, work: Path, ids: pa.ChunkedArray) -> None:
        """Keep the ids of the sentences that stand for the units."""
        self._work = work
        self.ids = ids

    def __len__(self) -> int:
        """The number of units."""
        return len(self.ids)

    def __iter__(self) -> Iterator[SamplingUnit]:
        """The units one after the other, read from the tables in parts."""
        schema = pa.schema([ARTICLES.field(name) for name in ("article_id", "outlet")])
        articles = read_table(self._work / "articles.parquet", schema, "stance build")
        outlets = dict(zip(*(articles[name].to_pylist() for name in schema.names), strict=True))
        schema = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "article_id", "text")])
        where = ("sentence_id", self.ids.to_pylist())
        for part in table_parts(self._work / "sentences.parquet", schema, "stance build", where):
            for sentence_id, article_id, text in zip(*(part[name].to_pylist() for name in schema.names), strict=True):
                outlet = outlets[article_id] or ""
                yield SamplingUnit(sentence_id=sentence_id, article_id=article_id, outlet=outlet, text=text)

    @overload
    def __getitem__(self, place: int) -> SamplingUnit: ...
    @overload
    def __getitem__(self, place: slice) -> Pool: ...
    def __getitem__(self, place: int | slice) -> SamplingUnit | Pool:
        """The unit at a place, or the units of a slice."""
        if isinstance(place, slice):
            return Pool(self._work, _array([self.ids[n].as_py() for n in range(*place.indices(len(self)))]))
        return next(iter(Pool(self._work, _array([self.ids[place].as_py()]))))


def ids_of(pool: Sequence[SamplingUnit]) -> pa.ChunkedArray:
    """The ids of the sentences that stand for some units."""
    return pool.ids if isinstance(pool, Pool) else _array([unit.sentence_id for unit in pool])


def _array(ids: Sequence[str]) -> pa.ChunkedArray:
    return pa.chunked_array([strings(ids)])


def digest(*parts: object) -> bytes:
    """A digest of some values, by which units are put in random order."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def first_by_digest(ids: pa.ChunkedArray, count: int, *parts: object) -> list[str]:
    """The ids that come first in the order of `digest(*parts, id)`, in this order.

    >>> first_by_digest(pa.chunked_array([["a", "b", "c"]]), 2, 1)
    ['b', 'c']
    """
    ranks = np.concatenate(
        [np.zeros((0, 2), ">u8"), *(_digests(ids.slice(start, PART), parts) for start in range(0, len(ids), PART))]
    )
    high, low = (ranks[:, column].astype(np.uint64) for column in (0, 1))
    near: NDArray[np.int64] = np.arange(len(ids))
    if 0 < count < len(ids):  # only those that may be among the first are sorted
        near = np.flatnonzero(high <= np.partition(high, count - 1)[count - 1])
    order = near[np.lexsort((low[near], high[near]))][:count]
    return [ids[place].as_py() for place in order.tolist()]


def _digests(ids: pa.ChunkedArray, parts: tuple[object, ...]) -> NDArray[np.uint64]:
    names: list[bytes] = ids.cast(pa.binary()).to_pylist()
    made: list[bytes] = []
    if b"".join(names).isalnum():  # then repr puts the id between quotes, and the rest is the same for all
        before, after = repr((*parts, "|")).encode().split(b"|")
        begun = hashlib.blake2b(before, digest_size=16)
        for name in names:
            one = begun.copy()
            one.update(name + after)
            made.append(one.digest())
    else:
        made = [digest(*parts, name.decode()) for name in names]
    return np.frombuffer(b"".join(made), ">u8").reshape(-1, 2)
