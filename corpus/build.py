"""Build the tables of a corpus (articles, sentences and spans) from articles, at any scale.

An engine (`corpus.engine`) cuts the input shard by shard (`corpus.shards`) and finds near-duplicates in one global
step; then this process streams the shards into the tables. Nothing holds the corpus in memory.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from corpus import near_duplicates
from corpus.digests import code_digest, digest
from corpus.duplicates.article_groups import count_groups
from corpus.engine import Engine, Local
from corpus.errors import SourceError, StanceError
from corpus.ids.article_ids import Settled, settle
from corpus.ids.changes import Changes, Left, compare, write_left
from corpus.ids.labelled_sentences import MOVED, look_up, remember, remembered, write_fingerprints, write_moved
from corpus.ids.repeats import without_repeats
from corpus.numbers import number
from corpus.reading.exports.split import exporter
from corpus.reading.sidecars import SIDECARS
from corpus.reading.source_files import apart
from corpus.rebuild.source_changes import look, note
from corpus.rebuild.take_over import PAIRS, Standing, keep, take_over
from corpus.rebuild.write_tables import Written, stamps, write_all
from corpus.records import CorpusSettings, Noted, Skipped
from corpus.shards import Progress, Shard, cut_shards, place, plan
from corpus.staging import put_in_place, remove_staged, staging
from corpus.store import read_json_if_whole, read_jsonl, table_path, write_bytes, write_jsonl, written_to

LIBRARIES = ("duckdb", "pyarrow", "rapidfuzz")
"""Libraries whose version may change a cluster or a byte of a table; shards have their own list."""
TABLES = ("spans.parquet", "articles.parquet", "sentences.parquet", "skipped.jsonl")
FILES = (*TABLES, "notes.jsonl")


class BuildSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a build made: counts, what it skipped, and whether any file changed.

    `cut` counts the articles that were newly cut; `copies` the sentences beyond the first of their copy group;
    `clusters` the clusters of two sentences or more; `groups` the groups of articles that share a cluster, 0 if an
    earlier version did not count them; `notes` the notes on articles that were read, by kind; `by_text`
    the articles that are known by their text alone, by the file that they stand in; `by_name` the articles that are
    known by their file's name alone. `exports` has, by the name of a database, how many files were exported from it and
    how many articles they hold. `apart` lists the folders among the sources that were not searched because this
    build writes to them. `unused` has the columns of tables that hold no field, each with the field that its name seems
    to mean, "" for none, and `unused_in` has these tables. `described_by` is the name of the table that describes
    files, "" if none does.
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
    by_text: dict[str, int] = {}
    by_name: int = 0
    exports: dict[str, tuple[int, int]] = {}
    groups: int = 0
    apart: list[str] = []
    unused: dict[str, str] = {}
    unused_in: list[str] = []
    described_by: str = ""
    changes: Changes = Changes()


class _Done(msgspec.Struct, frozen=True, kw_only=True):
    """What the last finished build was made from: where each of its shards began, and the shard's key.

    `unplaced` is a digest of the labelled sentences that it could not find; see `corpus.ids.labelled_sentences`.
    `tables` says what its tables hold of each shard.
    """

    key: str
    shards: list[tuple[str, int, str]]
    summary: BuildSummary
    unplaced: str = ""
    tables: Standing | None = None


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
        sources: files, folders, globs, or `-` for standard input; see `corpus.reading.articles`.
        out: the folder of the tables; none of them is touched unless all could be made.
        settings: `[corpus]` of stance.toml.
        force: whether to go on even if more than a tenth of the labelled sentences would vanish.
        strict: whether an article that has to be skipped is an error.
        workers: number of processes; by default one for each core. It changes no result.
        progress: function that is called with finished shards, all shards, articles and sentences.
        engine: function that opens an engine, called if there is something to do; by default the engine is `workers`
            processes and DuckDB. It changes no result.

    Raises:
        SourceError: no article was found, or none of them has prose; two articles have the same id; or, with `strict`,
            an article was skipped.
        StanceError: labelled sentences would vanish, another build runs, or the disk is full.
    """
    state = out / ".build"
    made = None if state.exists() else next((one for one in reversed(state.parents) if not one.exists()), state)
    seen = look(sources, out)
    shards = plan(sources, out, settings)
    try:
        state.mkdir(parents=True, exist_ok=True)
        with FileLock(state / "lock", timeout=0):
            done = _build(
                shards, out, state, settings, force, strict, engine or (lambda: nullcontext(Local(workers))), progress
            )
            note(state, seen)
        unused, unused_in = _unused(shards)
        return msgspec.structs.replace(
            done,
            apart=apart(sources, written_to(out)),
            described_by=_described_by(shards, seen.files),
            unused=unused,
            unused_in=unused_in,
        )
    except Timeout as error:
        raise StanceError(f"another build is writing to {out}; wait for it, or name another --out") from error
    except OSError as error:
        if made and not any((state / "shards").glob("*")):  # finished shards are kept, for the next build to go on with
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
    if last is not None and not (strict and last.summary.skipped) and _is_whole(last, shards, out):
        placed = look_up(out)
        if placed.unplaced == last.unplaced:
            if not placed.all_remembered:
                remember(out)
            changes = Changes(labelled=placed.labelled, missing=placed.missing)
            return msgspec.structs.replace(last.summary, cut=0, changed=False, changes=changes)
    folder = state.resolve() / "shards"
    folder.mkdir(exist_ok=True)
    remove_staged(state)
    remove_staged(folder)
    with engine() as running:
        newly_cut = cut_shards(shards, folder, last.shards if last else [], settings, running.cut, progress)
        folders = without_repeats([folder / shard.key for shard in shards])
        skipped = [row for one in folders for row in read_jsonl(one / "skipped.jsonl", Skipped, "stance build")]
        unused = [row for row in skipped if row.article_id]  # the others were never taken for articles
        if strict and unused:
            first = unused[0]
            raise SourceError(
                f"{number(len(unused), 'article')} cannot be used, the first: {first.source}: {first.reason}"
            )
        settled, changes, missing = _identify(shards, folders, out, skipped, force)
        with staging(state.resolve()) as new:
            summary, written = _tables(running, settled.folders, new, out, last, skipped)
            # What labels need is written first: if the tables then cannot be written, the next build gives the same.
            fingerprints = remembered(new, out)
            (state / "done.json").unlink(missing_ok=True)
            write_fingerprints(out, fingerprints)
            write_moved(out, settled.moved)
            (state / PAIRS).unlink(missing_ok=True)
            if (new / PAIRS).is_file():
                put_in_place(new / PAIRS, state / PAIRS)
            changed = [put_in_place(new / table, out / table) for table in FILES]
            write_left(out, missing)
    summary = msgspec.structs.replace(
        summary,
        cut=newly_cut,
        changed=any(changed),
        by_text=settled.by_text,
        by_name=settled.by_name,
        changes=changes,
    )
    done = _Done(
        key=_key(shards, out),
        shards=[(*place(shard.units[0]), shard.key) for shard in shards],
        summary=msgspec.structs.replace(summary, changes=Changes()),
        unplaced=look_up(out).unplaced,
        tables=Standing(shards=written, stamps=stamps(out)),
    )
    write_bytes(state / "done.json", msgspec.json.encode(done))
    used = {shard.key for shard in shards} | {one.name for one in (*folders, *settled.folders)}
    for stale in {path.name for path in folder.iterdir()} - used:
        shutil.rmtree(folder / stale, ignore_errors=True)
    return summary


def _described_by(shards: Iterable[Shard], files: Iterable[str]) -> str:
    """The name of the table that describes files; "" if none does. A table above all sources is not among the files."""
    if not any(unit.metadata for shard in shards for unit in shard.units):
        return ""
    names = {Path(file).name for file in files}
    return next((name for name in SIDECARS if name in names), SIDECARS[0])


def _unused(shards: Iterable[Shard]) -> tuple[dict[str, str], list[str]]:
    """The columns of tables that hold no field, each with the field that it seems to mean; and those tables."""
    columns: dict[str, str] = {}
    tables: list[str] = []
    for unit in (unit for shard in shards for unit in shard.units if unit.unused):
        tables.append(unit.source)
        for column, field in unit.unused.items():
            columns[column] = columns.get(column) or field
    return columns, tables


def _is_whole(last: _Done, shards: list[Shard], out: Path) -> bool:
    """Whether the tables exist and were made from the same shards and ids."""
    return last.key == _key(shards, out) and all((out / name).is_file() for name in FILES)


def _key(shards: list[Shard], out: Path) -> str:
    """A digest of everything that the tables are made from: the shards, and the ids that articles keep."""
    moved = table_path(out, MOVED)
    return digest(
        code_digest([__name__], LIBRARIES),
        *(shard.key for shard in shards),
        moved.read_text("utf-8") if moved.is_file() else "",
    )


def _identify(
    shards: list[Shard], folders: list[Path], out: Path, skipped: list[Skipped], force: bool
) -> tuple[Settled, Changes, list[Left]]:
    """Give every article its id, and find what that changes; this runs on this machine, whatever the engine."""
    units = [unit for shard in shards for unit in shard.units]
    with (
        staging(folders[0].parent) as spill,
        Local(None).database(spill) as tables,
    ):
        settled = settle(tables, folders, spill, out, units)
        if not tables.ask("SELECT count(*) FROM own")[0][0]:
            first = sorted(skipped, key=lambda row: not row.article_id)[:5]
            names = ", ".join(f"{row.source} ({row.reason})" for row in first)
            raise SourceError(f"no article has any prose: {names}; expected at least one full sentence")
        changes, missing = compare(tables, spill, settled, out, skipped, force=force)
    return settled, changes, missing


def _tables(
    running: Engine, folders: list[Path], new: Path, out: Path, last: _Done | None, skipped: list[Skipped]
) -> tuple[BuildSummary, list[Written]]:
    """Write the tables into `new`, from the shards in their order, and what the next build may take over."""
    rules = code_digest([__name__], LIBRARIES)
    taken = take_over(folders, new, out, new.parent, rules, last.tables) if last else None
    if last and taken:
        copies, clusters = last.summary.copies + taken.copies, last.summary.clusters + taken.clusters
        written = taken.written
    else:
        with running.database(new) as tables:
            tables.read("piece", folders, "pieces.parquet")
            tables.view(
                "keyed",
                "SELECT file, place, sentence_id, node, words, key FROM piece WHERE sentence_id IS NOT NULL",
            )
            copies, clusters = near_duplicates.label(tables)
            written = write_all(folders, new, near_duplicates.labelled(tables), running.threads)
            keep(tables, new, rules, folders)
    counts = sum((Counter(one.counts) for one in written), Counter[str]())
    write_jsonl(new / "skipped.jsonl", skipped)
    notes = [row for one in folders for row in read_jsonl(one / "notes.jsonl", Noted, "stance build")]
    write_jsonl(new / "notes.jsonl", notes)
    languages, exports = _origins(folders)
    summary = BuildSummary(
        articles=counts["articles"],
        sentences=counts["sentence"],
        cut=0,
        copies=copies,
        clusters=clusters,
        groups=count_groups(new, counts["articles"]),
        spans={kind: count for kind, count in sorted(counts.items()) if kind not in ("articles", "sentence")},
        # What follows a colon is a detail of one article; skipped.jsonl has it.
        skipped=dict(Counter(row.reason.partition(":")[0] for row in skipped).most_common()),
        exports=exports,
        notes=dict(Counter(row.note.partition(":")[0] for row in notes).most_common()),
        languages=dict(languages.most_common()),
        changed=False,
    )
    return summary, written


def _origins(folders: list[Path]) -> tuple[Counter[str], dict[str, tuple[int, int]]]:
    """Number of articles in each language but English; and, by database, of exported files and of articles in them."""
    languages: Counter[str] = Counter()
    files: dict[str, set[str]] = defaultdict(set)
    articles: Counter[str] = Counter()
    for folder in folders:
        table = pq.read_table(folder / "articles.parquet", columns=["extractor", "source", "language"])
        for row in table.to_pylist():
            if row["language"] not in ("", "en"):
                languages[row["language"]] += 1
            if name := exporter(row["extractor"]):
                files[name].add(re.sub(r":\d+$", "", row["source"]))
                articles[name] += 1
    return languages, {name: (len(files[name]), count) for name, count in sorted(articles.items())}


def _last(state: Path) -> _Done | None:
    return read_json_if_whole(state / "done.json", _Done)


def _clear(state: Path, made: Path) -> None:
    """Leave no trace of a first build that failed: `made` is the topmost folder that it made."""
    shutil.rmtree(state, ignore_errors=True)
    with suppress(OSError):  # what somebody else put there in the meantime stays
        for folder in state.parents[: len(state.parts) - len(made.parts)]:
            folder.rmdir()
