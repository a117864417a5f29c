"""The stage: articles to the tables `articles`, `sentences` and `spans`, at any scale of one machine.

Workers cut the input shard by shard (`corpus.shards`); then one global step finds near-duplicates and streams
the shards into the tables. Nothing holds the corpus in memory.
"""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from corpus import duplicates
from corpus.records import (
    ARTICLES,
    SENTENCES,
    SPANS,
    CorpusSettings,
    Skipped,
    SourceError,
    StanceError,
)
from corpus.shards import Progress, Shard, cut_shards, digest, place, plan
from corpus.store import read_jsonl, write_bytes, write_jsonl

if TYPE_CHECKING:
    import duckdb

VANISHED_AT_MOST = 0.1
"""Share of labelled sentences that a build may make vanish without `force`."""

ROWS = 50_000
MEMORY = "400MB"
"""Of the global step; a first build of a million sentences then peaks at 850 MB (docs/benchmarks.md)."""
TABLES = ("spans.parquet", "articles.parquet", "sentences.parquet", "skipped.jsonl")


class BuildSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a build made: counts, what it skipped, and whether any file changed.

    `cut` counts the articles that were cut anew; `copies` the sentences beyond the first of their copy group;
    `clusters` those of two sentences and more.
    """

    articles: int
    sentences: int
    cut: int
    copies: int
    clusters: int
    spans: dict[str, int]
    skipped: dict[str, int]
    languages: dict[str, int]
    changed: bool


class _Done(msgspec.Struct, frozen=True, kw_only=True):
    """What the last finished build was of: where each of its shards began, and the shard's key."""

    key: str
    shards: list[tuple[str, int, str]]
    summary: BuildSummary


class _Labelled(msgspec.Struct, frozen=True):
    sentence_id: str


def build(
    sources: Sequence[Path | str],
    out: Path,
    settings: CorpusSettings,
    *,
    force: bool = False,
    strict: bool = False,
    workers: int | None = None,
    progress: Progress = lambda done, total, articles, sentences: None,
) -> BuildSummary:
    """Build the corpus tables.

    Args:
        sources: files, folders, globs, or `-` for standard input; see `corpus.read`.
        out: the folder of the tables; none of them is touched unless all could be made.
        settings: `[corpus]` of stance.toml.
        force: go on even where more than a tenth of the labelled sentences would vanish.
        strict: an article that has to be skipped is an error.
        workers: processes; default one a core. Their number changes no result.
        progress: told of finished shards, all shards, articles and sentences so far.

    Raises:
        SourceError: no article, none with prose, two with one id, or a skipped one under `strict`.
        StanceError: labelled sentences would vanish, another build runs, or the disk is full.
    """
    state = out / ".build"
    fresh = not state.exists()
    shards = plan(sources, out, settings)
    try:
        state.mkdir(parents=True, exist_ok=True)
        with FileLock(state / "lock", timeout=0):
            return _build(shards, out, state, settings, force, strict, workers, progress)
    except Timeout as error:
        raise StanceError(f"another build is writing to {out}; wait for it, or name another --out") from error
    except StanceError:
        if fresh:
            _clear(out, state)
        raise
    except OSError as error:
        raise StanceError(
            f"{out}: cannot be written: {error.strerror or error}; its tables are as they were"
        ) from error


def _build(
    shards: list[Shard],
    out: Path,
    state: Path,
    settings: CorpusSettings,
    force: bool,
    strict: bool,
    workers: int | None,
    progress: Progress,
) -> BuildSummary:
    last = _last(state)
    key = digest(*(shard.key for shard in shards))
    whole = last is not None and last.key == key and all((out / name).is_file() for name in TABLES)
    if last is not None and whole and not (strict and last.summary.skipped):
        return msgspec.structs.replace(last.summary, cut=0, changed=False)
    folder = state / "shards"
    folder.mkdir(exist_ok=True)
    for left in (*state.glob("new.*"), *folder.glob("half.*")):  # by a build that was killed
        shutil.rmtree(left, ignore_errors=True)
    cut_anew = cut_shards(shards, folder, last.shards if last else [], settings, workers, progress)
    folders = [folder / shard.key for shard in shards]
    skipped = [row for one in folders for row in read_jsonl(one / "skipped.jsonl", Skipped, "stance build")]
    if strict and skipped:
        first = skipped[0]
        raise SourceError(f"{len(skipped)} articles cannot be used, the first: {first.source}: {first.reason}")
    with tempfile.TemporaryDirectory(dir=state, prefix="new.") as name:
        summary = _tables(shards, folders, Path(name), out, skipped, force)
        (state / "done.json").unlink(missing_ok=True)
        changed = [_bring(Path(name) / table, out / table) for table in TABLES]
    summary = msgspec.structs.replace(summary, cut=cut_anew, changed=any(changed))
    done = _Done(key=key, shards=[(*place(shard.units[0]), shard.key) for shard in shards], summary=summary)
    write_bytes(state / "done.json", msgspec.json.encode(done))
    for stale in {path.name for path in folder.iterdir()} - {shard.key for shard in shards}:
        shutil.rmtree(folder / stale)
    return summary


# --- the global step


def _tables(
    shards: list[Shard], folders: list[Path], new: Path, out: Path, skipped: list[Skipped], force: bool
) -> BuildSummary:
    """Write the tables into `new`, from the shards in their order."""
    import duckdb

    try:
        return _counted(shards, folders, new, out, skipped, force)
    except duckdb.Error as error:
        raise StanceError(f"{out}: cannot be written: {error}; its tables are as they were") from error


def _counted(
    shards: list[Shard],
    folders: list[Path],
    new: Path,
    out: Path,
    skipped: list[Skipped],
    force: bool,
) -> BuildSummary:
    import duckdb

    config: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": str(new), "preserve_insertion_order": False}
    with duckdb.connect(str(new / "ids.duckdb"), config=config) as connection:
        _check_ids(connection, shards, folders)
        pieces = [str(one / "pieces.parquet") for one in folders]
        total = connection.execute(
            "SELECT count(*) FROM read_parquet($1) WHERE kind = 'sentence'", [pieces]
        ).fetchall()[0][0]
        if not total:
            names = ", ".join(f"{row.source} ({row.reason})" for row in skipped[:5])
            raise SourceError(f"no article has any prose: {names}; expected at least one full sentence")
        _check_labelled(connection, pieces, out, force)
        copies, clusters = duplicates.label(connection, pieces)
        counts = _write(folders, new, duplicates.labelled(connection, pieces))
    write_jsonl(new / "skipped.jsonl", skipped)
    languages = Counter(
        row
        for one in folders
        for row in pq.read_table(one / "articles.parquet", columns=["language"]).column(0).to_pylist()
        if row not in ("", "en")
    )
    return BuildSummary(
        articles=counts["articles"],
        sentences=total,
        cut=0,
        copies=copies,
        clusters=clusters,
        spans={kind: count for kind, count in sorted(counts.items()) if kind not in ("articles", "sentence")},
        # What follows a colon is particular to the article; skipped.jsonl has it.
        skipped=dict(Counter(row.reason.partition(":")[0] for row in skipped).most_common()),
        languages=dict(languages.most_common()),
        changed=False,
    )


def _write(folders: list[Path], new: Path, ids: Iterator[pa.RecordBatch]) -> Counter[str]:
    """Stream the shards into the tables; `ids` gives copy and cluster of the sentences in the same order."""
    counts: Counter[str] = Counter()
    with (
        pq.ParquetWriter(new / "articles.parquet", ARTICLES, compression="zstd") as articles,
        pq.ParquetWriter(new / "spans.parquet", SPANS, compression="zstd") as spans,
        pq.ParquetWriter(new / "sentences.parquet", SENTENCES, compression="zstd") as sentences,
    ):
        waiting = pa.table({"copy_id": pa.array([], pa.string()), "cluster_id": pa.array([], pa.string())})
        for folder in folders:
            for batch in pq.ParquetFile(folder / "articles.parquet").iter_batches(ROWS):
                articles.write_batch(batch)
                counts["articles"] += batch.num_rows
            for batch in pq.ParquetFile(folder / "pieces.parquet").iter_batches(ROWS):
                for row in pc.value_counts(batch.column("kind")).to_pylist():
                    counts[row["values"]] += row["counts"]
                is_sentence = pc.equal(batch.column("kind"), "sentence")
                spans.write_batch(batch.filter(pc.invert(is_sentence)).select(SPANS.names))
                mine = pa.Table.from_batches([batch.filter(is_sentence)])
                while waiting.num_rows < mine.num_rows:
                    waiting = pa.concat_tables([waiting, pa.Table.from_batches([next(ids)])])
                for name in ("copy_id", "cluster_id"):
                    mine = mine.append_column(name, waiting.column(name).slice(0, mine.num_rows))
                waiting = waiting.slice(mine.num_rows)
                sentences.write_table(mine.select(SENTENCES.names).cast(SENTENCES))
    return counts


def _check_ids(connection: duckdb.DuckDBPyConnection, shards: list[Shard], folders: list[Path]) -> None:
    twice = connection.execute(
        "SELECT article_id, min(source), max(source), count(*) FROM read_parquet($1) "
        "GROUP BY article_id HAVING count(*) > 1 ORDER BY article_id",
        [[str(one / "articles.parquet") for one in folders]],
    ).fetchall()
    if twice:
        article_id, first, second, _ = twice[0]
        # Outside of the root a file's source is its name alone, and two may share that.
        paths = [unit.path for shard in shards for unit in shard.units if unit.source == first == second]
        if len(paths) > 1:
            first, second = paths[:2]
        more = f" ({len(twice) - 1} more ids are doubled)" if len(twice) > 1 else ""
        raise SourceError(
            f"two articles have the id {article_id[:200]!r}: {first} and {second}{more}; rename one, "
            "or set [corpus] root to a folder above both"
        )


def _check_labelled(connection: duckdb.DuckDBPyConnection, pieces: list[str], out: Path, force: bool) -> None:
    annotations = out / "annotations.jsonl"
    if force or not annotations.is_file():
        return
    labelled = sorted({row.sentence_id for row in read_jsonl(annotations, _Labelled, "stance pull")})
    kept = connection.execute(
        "SELECT count(DISTINCT sentence_id) FROM read_parquet($1) WHERE sentence_id IN (SELECT unnest($2))",
        [pieces, labelled],
    ).fetchall()[0][0]
    gone = len(labelled) - kept
    if gone <= VANISHED_AT_MOST * len(labelled):
        return
    lines: list[str] = []
    if (out / "sentences.parquet").is_file():
        rows = connection.execute(
            "SELECT article_id, left(text, 80) FROM read_parquet($1) WHERE sentence_id IN (SELECT unnest($2)) "
            "AND sentence_id NOT IN (SELECT sentence_id FROM read_parquet($3) WHERE kind = 'sentence') "
            'ORDER BY article_id, "index" LIMIT 10',
            [str(out / "sentences.parquet"), labelled, pieces],
        ).fetchall()
        lines = [f"\n  {article}: {text}" for article, text in rows]
    raise StanceError(
        f"{gone} of {len(labelled)} labelled sentences would vanish from the corpus; nothing was written. "
        f"Build with --force if that is meant.{''.join(lines)}"
    )


# --- files


def _last(state: Path) -> _Done | None:
    try:
        return msgspec.json.decode((state / "done.json").read_bytes(), type=_Done)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _bring(new: Path, path: Path) -> bool:
    """Rename a finished table into place, unless it holds the same bytes already."""
    if path.is_file() and filecmp.cmp(new, path, shallow=False):
        return False
    new.replace(path)
    return True


def _clear(out: Path, state: Path) -> None:
    """Leave no trace of a first build that failed."""
    shutil.rmtree(state, ignore_errors=True)
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()
