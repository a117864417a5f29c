"""Write a corpus's tables from its shards; row groups of shards that have not changed can be copied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.digests import stamp
from corpus.read_ahead import ahead
from corpus.rebuild.row_groups import Part, join
from corpus.records import ARTICLES, SENTENCES, SPANS
from corpus.staging import staging

ROWS = 50_000
LABELS = ("copy_id", "cluster_id")


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What the tables hold of one shard.

    Attributes:
        shard: name of the shard's folder.
        articles: number of its row groups in `articles.parquet`.
        pieces: number of its row groups in `sentences.parquet`, and in `spans.parquet`.
        counts: number of its articles and sentences, and of spans of each kind.
    """

    shard: str
    articles: int
    pieces: int
    counts: dict[str, int]


def write_all(folders: Iterable[Path], new: Path, ids: Iterator[pa.RecordBatch], threads: int = 1) -> list[Written]:
    """Stream shards into tables.

    Args:
        folders: the shards.
        new: folder for the tables.
        ids: `copy_id` and `cluster_id` of the sentences, in the order of the shards and of the sentences in each.
        threads: number of threads to use; with two or more, one reads while another writes.
    """
    written: list[Written] = []
    with (
        pq.ParquetWriter(new / "articles.parquet", ARTICLES, compression="zstd") as articles,
        pq.ParquetWriter(new / "spans.parquet", SPANS, compression="zstd") as spans,
        pq.ParquetWriter(new / "sentences.parquet", SENTENCES, compression="zstd") as sentences,
    ):
        writers = {"articles": articles, "spans": spans, "sentences": sentences}
        rows = _rows(folders, ids, written)
        for table, part in rows if threads == 1 else ahead(rows):
            writers[table].write_table(part)
    return written


def _rows(
    folders: Iterable[Path], ids: Iterator[pa.RecordBatch], written: list[Written]
) -> Iterator[tuple[str, pa.Table]]:
    """The row groups of the tables, each with its table's name; after a shard, what was written of it is appended."""
    waiting = pa.table({name: pa.array([], pa.string()) for name in LABELS})
    for folder in folders:
        counts: Counter[str] = Counter()
        groups: Counter[str] = Counter()
        for batch in pq.ParquetFile(folder / "articles.parquet").iter_batches(ROWS):
            yield "articles", pa.Table.from_batches([batch.select(ARTICLES.names)])
            counts["articles"] += batch.num_rows
            groups["articles"] += 1
        for batch in pq.ParquetFile(folder / "pieces.parquet").iter_batches(ROWS):
            for row in pc.value_counts(batch.column("kind")).to_pylist():
                counts[row["values"]] += row["counts"]
            groups["pieces"] += 1
            is_sentence = pc.equal(batch.column("kind"), "sentence")
            yield "spans", pa.Table.from_batches([batch.filter(pc.invert(is_sentence)).select(SPANS.names)])
            mine = pa.Table.from_batches([batch.filter(is_sentence)])
            while waiting.num_rows < mine.num_rows:
                waiting = pa.concat_tables([waiting, pa.Table.from_batches([next(ids)])])
            for name in LABELS:
                mine = mine.append_column(name, waiting.column(name).slice(0, mine.num_rows))
            waiting = waiting.slice(mine.num_rows)
            # As one chunk: a Parquet page ends where a chunk does, and the chunks of `ids` depend on the engine.
            yield "sentences", mine.select(SENTENCES.names).cast(SENTENCES).combine_chunks()
        written.append(
            Written(shard=folder.name, articles=groups["articles"], pieces=groups["pieces"], counts=dict(counts))
        )


def write_changed(
    folders: Sequence[Path],
    new: Path,
    last: Sequence[Written],
    out: Path,
    rewritten: Collection[int],
    ids: Callable[[Sequence[Path]], Iterator[pa.RecordBatch]],
) -> list[Written]:
    """Write the tables as `write_all` does, but copy what the tables of the last build hold already.

    Args:
        folders: the shards.
        new: folder for the tables.
        last: what the tables of the last build hold, in their order.
        out: folder of the tables of the last build.
        rewritten: places in `folders` of the shards whose rows are written again; the last build had all others.
        ids: function that gives, for the shards whose rows are written again, what `write_all` needs.
    """
    fresh = [folders[place] for place in sorted(rewritten)]
    with staging(new) as apart:
        made = write_all(fresh, apart, ids(fresh))
        sources = {one.shard: (out, one, first) for one, first in _placed(last)}
        sources |= {one.shard: (apart, one, first) for one, first in _placed(made)}
        for table in ("articles", "spans", "sentences"):
            parts: list[Part] = []
            for folder in folders:
                source, one, first = sources[folder.name]
                start, size = (first[0], one.articles) if table == "articles" else (first[1], one.pieces)
                part = Part(source / f"{table}.parquet", start, start + size)
                if parts and parts[-1].path == part.path and parts[-1].end == part.first:
                    part = parts.pop()._replace(end=part.end)
                parts.append(part)
            join(parts, new / f"{table}.parquet")
        return [sources[folder.name][1] for folder in folders]


def labels_in(out: Path, last: Sequence[Written], names: Collection[str]) -> dict[str, tuple[str, str]]:
    """Copy and cluster of the sentences of some shards, by `sentence_id`, from the tables of the last build."""
    groups = [n for one, first in _placed(last) if one.shard in names for n in range(first[1], first[1] + one.pieces)]
    with pq.ParquetFile(out / "sentences.parquet") as file:
        table = file.read_row_groups(groups, columns=["sentence_id", *LABELS])
    ids, copies, clusters = (table.column(name).to_pylist() for name in ("sentence_id", *LABELS))
    return dict(zip(ids, zip(copies, clusters, strict=True), strict=True))


def stamps(out: Path) -> list[str]:
    """What changes when somebody writes to one of the tables; not their path, as a project may be moved."""
    paths = [out / f"{table}.parquet" for table in ("articles", "spans", "sentences")]
    return [stamp(path).removeprefix(str(path)) for path in paths]


def _placed(written: Iterable[Written]) -> Iterator[tuple[Written, tuple[int, int]]]:
    """Each shard with the numbers of its first row groups: in the table of articles, and in the other two."""
    articles = pieces = 0
    for one in written:
        yield one, (articles, pieces)
        articles, pieces = articles + one.articles, pieces + one.pieces
