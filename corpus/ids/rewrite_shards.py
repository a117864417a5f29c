"""Write finished shards again, without some of their articles or with other ids for some of them.

Both are decided when all shards are finished, and a shard is kept for as long as its input stays the same: so the
result is a folder beside it, named by the shard's own name and by what was changed, and a later build finds it there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.digests import digest
from corpus.records import Noted, Skipped
from corpus.sentences.cut_articles import sentence_id
from corpus.shards import begins_article
from corpus.staging import made_once
from corpus.store import read_jsonl, write_jsonl

BATCH = 10_000

Leaving = Mapping[int, Mapping[int, Skipped]]
"""By a shard's place in the list: the rows of its articles that are left out, each with its `Skipped`."""
Ids = Mapping[int, Mapping[int, str]]
"""By a shard's place in the list: the rows of its articles that get another id, and that id."""


def rewritten(shards: Sequence[Path], *, leaving: Leaving | None = None, ids: Ids | None = None) -> list[Path]:
    """The folders to read in place of some shards.

    Args:
        shards: folders of finished shards.
        leaving: articles to leave out.
        ids: articles to give another id; their sentences' ids, which are made from it, change with it.

    Returns:
        As many folders, in the same order: the shards themselves where nothing changes, otherwise new ones beside them.
        A folder that an earlier build made is used again.
    """
    folders: list[Path] = []
    for number, shard in enumerate(shards):
        out, named = (leaving or {}).get(number, {}), (ids or {}).get(number, {})
        name = shard.name
        if out or named:
            changes = [f"{place} {row!r}" for place, row in sorted({**out, **named}.items())]
            name += f".{digest(*changes)}"
        folders.append(shard.with_name(name))
        if not folders[-1].is_dir():
            with made_once(folders[-1]) as half:
                _write(shard, half, out, named)
    return folders


def _write(shard: Path, half: Path, leaving: Mapping[int, Skipped], ids: Mapping[int, str]) -> None:
    gone = np.fromiter(leaving, np.int64, len(leaving))
    renamed = np.fromiter(ids, np.int64, len(ids))
    for table in ("articles", "pieces"):
        old = pq.ParquetFile(shard / f"{table}.parquet")
        seen: Counter[tuple[int, str]] = Counter()
        with pq.ParquetWriter(half / f"{table}.parquet", old.schema_arrow, compression="lz4") as new:
            article = -1
            for batch in old.iter_batches(BATCH):
                first = pa.repeat(True, batch.num_rows) if table == "articles" else begins_article(batch)
                steps = pc.fill_null(first, False).cast(pa.int64()).to_numpy(zero_copy_only=False)
                places = np.cumsum(steps) + article
                article = int(places[-1])
                rows = np.flatnonzero(np.isin(places, renamed)).tolist()
                if rows:
                    batch = _with_ids(batch, rows, [int(place) for place in places[rows]], ids, seen)
                new.write_batch(batch.filter(pa.array(~np.isin(places, gone))))
    skipped = read_jsonl(shard / "skipped.jsonl", Skipped, "stance build")
    write_jsonl(half / "skipped.jsonl", [*skipped, *leaving.values()])
    write_jsonl(half / "notes.jsonl", _notes(shard, leaving, ids))


def _notes(shard: Path, leaving: Mapping[int, Skipped], ids: Mapping[int, str]) -> list[Noted]:
    """The shard's notes, with the new ids, and without those on articles that are left out.

    A note names its article by id and source, since articles that are known by their text may share an id.
    """
    notes = read_jsonl(shard / "notes.jsonl", Noted, "stance build")
    if not notes:
        return []
    named = pq.read_table(shard / "articles.parquet", columns=["article_id", "source"])
    keys = list(zip(*(column.to_pylist() for column in named.columns), strict=True))
    gone = {keys[place] for place in leaving}
    others = {keys[place]: article_id for place, article_id in ids.items()}
    return [
        msgspec.structs.replace(note, article_id=others.get(key, note.article_id))
        for note in notes
        if (key := (note.article_id, note.source)) not in gone
    ]


def _with_ids(
    batch: pa.RecordBatch,
    rows: Sequence[int],
    places: Sequence[int],
    ids: Mapping[int, str],
    seen: Counter[tuple[int, str]],
) -> pa.RecordBatch:
    """A batch of articles or pieces in which some rows have got another id.

    Args:
        batch: rows of one of the two tables.
        rows: numbers of the rows that get another id.
        places: the place of each row's article in the shard.
        ids: the new ids, by the article's place.
        seen: how often each key has occurred in each article so far.
    """
    articles = batch.column("article_id").to_pylist()
    for row, place in zip(rows, places, strict=True):
        articles[row] = ids[place]
    columns = {"article_id": pa.array(articles, pa.string())}
    if "sentence_id" in batch.schema.names:
        sentences, keys = batch.column("sentence_id").to_pylist(), batch.column("key").to_pylist()
        for row, place in zip(rows, places, strict=True):
            if sentences[row] is not None:
                sentences[row] = sentence_id(ids[place], keys[row], seen[place, keys[row]])
                seen[place, keys[row]] += 1
        columns["sentence_id"] = pa.array(sentences, pa.string())
    arrays = [columns.get(name, batch.column(name)) for name in batch.schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)
