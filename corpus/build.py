"""The stage: articles to the tables `articles`, `sentences` and `spans`, at any scale.

An engine (`corpus.engine`) cuts the input shard by shard (`corpus.shards`) and finds near-duplicates in one global
step; then this process streams the shards into the tables. Nothing holds the corpus in memory.
"""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from corpus import duplicates
from corpus.database import Database
from corpus.engine import Engine, Local
from corpus.records import (
    ARTICLES,
    SENTENCES,
    SPANS,
    CorpusSettings,
    Noted,
    Skipped,
    SourceError,
    StanceError,
)
from corpus.recrawls import without_recrawls
from corpus.shards import Progress, Shard, cut_shards, digest, place, plan
from corpus.store import read_jsonl, write_bytes, write_jsonl, write_table

VANISHED_AT_MOST = 0.1
"""Share of labelled sentences that a build may make vanish without `force`."""

ROWS = 50_000
TABLES = ("spans.parquet", "articles.parquet", "sentences.parquet", "skipped.jsonl")
FILES = (*TABLES, "notes.jsonl")


class BuildSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a build made: counts, what it skipped, and whether any file changed.

    `cut` counts the articles that were cut anew; `copies` the sentences beyond the first of their copy group;
    `clusters` those of two sentences and more; `notes` what there is to know of articles that were read.
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
    notes: dict[str, int] = {}


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
    engine: Callable[[], AbstractContextManager[Engine]] | None = None,
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
        engine: opened where there is something to do; without, `workers` processes and DuckDB. It changes no result.

    Raises:
        SourceError: no article, none with prose, two with one id, or a skipped one under `strict`.
        StanceError: labelled sentences would vanish, another build runs, or the disk is full.
    """
    state = out / ".build"
    made = None if state.exists() else next((one for one in reversed(state.parents) if not one.exists()), state)
    shards = plan(sources, out, settings)
    try:
        state.mkdir(parents=True, exist_ok=True)
        with FileLock(state / "lock", timeout=0):
            return _build(
                shards, out, state, settings, force, strict, engine or (lambda: nullcontext(Local(workers))), progress
            )
    except Timeout as error:
        raise StanceError(f"another build is writing to {out}; wait for it, or name another --out") from error
    except OSError as error:
        if made and not any((state / "shards").glob("*")):  # finished ones are kept, for the next build to go on with
            _clear(state, made)
        raise StanceError(
            f"{out}: cannot be written: {error.strerror or error}; its tables are as they were"
        ) from error
    except Exception:
        if made:
            _clear(state, made)
        raise


def _build(
    shards: list[Shard],
    out: Path,
    state: Path,
    settings: CorpusSettings,
    force: bool,
    strict: bool,
    engine: Callable[[], AbstractContextManager[Engine]],
    progress: Progress,
) -> BuildSummary:
    last = _last(state)
    key = digest(*(shard.key for shard in shards))
    whole = last is not None and last.key == key and all((out / name).is_file() for name in FILES)
    if last is not None and whole and not (strict and last.summary.skipped):
        return msgspec.structs.replace(last.summary, cut=0, changed=False)
    folder = state.resolve() / "shards"
    folder.mkdir(exist_ok=True)
    for left in (*state.glob("new.*"), *folder.glob("half.*")):  # by a build that was killed
        shutil.rmtree(left, ignore_errors=True)
    with engine() as running:
        cut_anew = cut_shards(shards, folder, last.shards if last else [], settings, running.cut, progress)
        folders = without_recrawls([folder / shard.key for shard in shards])
        skipped = [row for one in folders for row in read_jsonl(one / "skipped.jsonl", Skipped, "stance build")]
        unused = [row for row in skipped if row.article_id]  # the others were never taken for articles
        if strict and unused:
            first = unused[0]
            raise SourceError(f"{len(unused)} articles cannot be used, the first: {first.source}: {first.reason}")
        with tempfile.TemporaryDirectory(dir=state, prefix="new.") as name:
            new = Path(name).resolve()
            with running.database(new) as tables:
                summary = _tables(tables, shards, folders, new, out, skipped, force)
            (state / "done.json").unlink(missing_ok=True)
            changed = [_bring(new / table, out / table) for table in FILES]
    summary = msgspec.structs.replace(summary, cut=cut_anew, changed=any(changed))
    done = _Done(key=key, shards=[(*place(shard.units[0]), shard.key) for shard in shards], summary=summary)
    write_bytes(state / "done.json", msgspec.json.encode(done))
    used = {shard.key for shard in shards} | {one.name for one in folders}
    for stale in {path.name for path in folder.iterdir()} - used:
        shutil.rmtree(folder / stale, ignore_errors=True)
    return summary


# --- the global step


def _tables(
    tables: Database,
    shards: list[Shard],
    folders: list[Path],
    new: Path,
    out: Path,
    skipped: list[Skipped],
    force: bool,
) -> BuildSummary:
    """Write the tables into `new`, from the shards in their order."""
    tables.read("article", folders, "articles.parquet")
    _check_ids(tables, shards)
    tables.read("piece", folders, "pieces.parquet")
    tables.view(
        "keyed",
        "SELECT file, place, sentence_id, node, words, key FROM piece WHERE sentence_id IS NOT NULL",
    )
    total = tables.ask("SELECT count(*) FROM keyed")[0][0]
    if not total:
        first = sorted(skipped, key=lambda row: not row.article_id)[:5]
        names = ", ".join(f"{row.source} ({row.reason})" for row in first)
        raise SourceError(f"no article has any prose: {names}; expected at least one full sentence")
    if not force:
        _check_labelled(tables, new, out)
    copies, clusters = duplicates.label(tables)
    counts = _write(folders, new, duplicates.labelled(tables))
    write_jsonl(new / "skipped.jsonl", skipped)
    notes = [row for one in folders for row in read_jsonl(one / "notes.jsonl", Noted, "stance build")]
    write_jsonl(new / "notes.jsonl", notes)
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
        notes=dict(Counter(row.note.partition(":")[0] for row in notes).most_common()),
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
                articles.write_batch(batch.select(ARTICLES.names))
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
                # In one piece: pages end where chunks do, and those of `ids` are the engine's.
                sentences.write_table(mine.select(SENTENCES.names).cast(SENTENCES).combine_chunks())
    return counts


def _check_ids(tables: Database, shards: list[Shard]) -> None:
    twice = tables.ask(
        "SELECT article_id, min(source), max(source), count(*) OVER () FROM article "
        "GROUP BY article_id HAVING count(*) > 1 ORDER BY article_id LIMIT 1"
    )
    if twice:
        article_id, first, second, doubled = twice[0]
        # Outside of the root a file's source is its name alone, and two may share that.
        paths = [unit.path for shard in shards for unit in shard.units if unit.source == first == second]
        if len(paths) > 1:
            first, second = paths[:2]
        more = f" ({doubled - 1} more ids are doubled)" if doubled > 1 else ""
        raise SourceError(
            f"two articles have the id {article_id[:200]!r}: {first} and {second}{more}; rename one, "
            "or set [corpus] root to a folder above both"
        )


def _check_labelled(tables: Database, new: Path, out: Path) -> None:
    annotations = out / "annotations.jsonl"
    if not annotations.is_file():
        return
    labelled = sorted({row.sentence_id for row in read_jsonl(annotations, _Labelled, "stance pull")})
    (new / "labelled").mkdir()
    write_table(new / "labelled" / "labelled.parquet", pa.table({"sentence_id": pa.array(labelled, pa.string())}))
    tables.read("labelled", [new / "labelled"], "labelled.parquet")
    kept = tables.ask("SELECT DISTINCT keyed.sentence_id FROM keyed JOIN labelled USING (sentence_id)")
    gone = set(labelled) - {row[0] for row in kept}
    if len(gone) <= VANISHED_AT_MOST * len(labelled):
        return
    lines = "".join(f"\n  {article}: {text[:80]}" for article, text in _first(out / "sentences.parquet", gone))
    raise StanceError(
        f"{len(gone)} of {len(labelled)} labelled sentences would vanish from the corpus; nothing was written. "
        f"Build with --force if that is meant.{lines}"
    )


def _first(sentences: Path, ids: set[str], limit: int = 10) -> list[tuple[str, str]]:
    """Article and text of some of the last build's sentences, by article and place."""
    if not sentences.is_file():
        return []
    wanted = pa.array(sorted(ids), pa.string())
    columns = ["sentence_id", "article_id", "start", "text"]
    rows = [
        (row["article_id"], row["start"], row["text"])
        for batch in pq.ParquetFile(sentences).iter_batches(ROWS, columns=columns)
        for row in batch.filter(pc.is_in(batch.column("sentence_id"), value_set=wanted)).to_pylist()
    ]
    return [(article, text) for article, _, text in sorted(rows)[:limit]]


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


def _clear(state: Path, made: Path) -> None:
    """Leave no trace of a first build that failed: `made` is the topmost folder that it made."""
    shutil.rmtree(state, ignore_errors=True)
    with suppress(OSError):  # what somebody else put there meanwhile stays
        for folder in state.parents[: len(state.parts) - len(made.parts)]:
            folder.rmdir()
