"""Make the tables of a corpus from those of the last build, where only a few sentences have changed.

What is taken over is a cache: the tables as the last build wrote them, and the database with the tables of
`corpus.duplicates.update_pairs`. If any of it is missing, damaged, or was made from other shards or by other code,
nothing is taken over.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.database import Database, Duck
from corpus.digests import digest
from corpus.duplicates.update_pairs import KEPT, Relabelled, update
from corpus.engine import Local
from corpus.rebuild.write_tables import LABELS, Written, labels_in, stamps, write_changed
from corpus.staging import staging

PAIRS = "pairs.duckdb"
"""Name of the database that is kept between builds, with what is known of near-duplicates."""
MOST = 0.02
"""Greatest share of the sentences that may have changed; beyond it, a full search takes about as long."""

_SENTENCES = "SELECT file, place, sentence_id, node, words, key FROM {table} WHERE sentence_id IS NOT NULL"
_ROWS = "SELECT sentence_id, node, words, key FROM {table}"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of a corpus as a build left them: what they hold of each shard, and their stamps."""

    shards: list[Written]
    stamps: list[str]


class Taken(NamedTuple):
    """What was made: by how much the numbers of copies and clusters grew, and what the new tables hold."""

    copies: int
    clusters: int
    written: list[Written]


def keep(tables: Database, new: Path, rules: str, folders: Sequence[Path]) -> None:
    """Keep what a full search for near-duplicates found, if it was made on this machine.

    Args:
        tables: the database, after `near_duplicates.label`.
        new: folder of the file.
        rules: digest of the code that makes the tables.
        folders: the shards.
    """
    if not isinstance(tables, Duck):
        return
    tables.attach(new / PAIRS)
    for table, query in KEPT.items():
        tables.store(table, query)
    tables.store("made_from", f"SELECT '{_key(rules, [folder.name for folder in folders])}' AS key")


def take_over(
    folders: Sequence[Path], new: Path, out: Path, state: Path, rules: str, last: Standing | None
) -> Taken | None:
    """Make the tables and the kept database in a new folder; None if they have to be made from the beginning.

    Args:
        folders: the shards.
        new: folder for the tables and the database.
        out: folder of the tables of the last build.
        state: folder of its database; it has the folder of the shards, too.
        rules: digest of the code that makes the tables.
        last: the tables as the last build left them.
    """
    if last is None or last.stamps != stamps(out) or not (state / PAIRS).is_file():
        return None
    taken = None
    # A kept file may be damaged, and a shard of the last build missing.
    with suppress(OSError, ValueError, KeyError, pa.ArrowException):
        shutil.copyfile(state / PAIRS, new / PAIRS)
        with staging(new) as spill, Local(None).database(spill) as tables:
            taken = _taken(tables, folders, new, out, rules, last)
    if taken is None:
        (new / PAIRS).unlink(missing_ok=True)
    return taken


def _taken(tables: Duck, folders: Sequence[Path], new: Path, out: Path, rules: str, last: Standing) -> Taken | None:
    tables.attach(new / PAIRS)
    before = [one.shard for one in last.shards]
    if tables.ask("SELECT key FROM made_from") != [(_key(rules, before),)]:
        return None
    names = [folder.name for folder in folders]
    left = sorted(set(before) - set(names))
    came = sorted(set(names) - set(before))
    changes = Relabelled(0, 0, set())
    if left or came:
        home = folders[0].parent
        for table, some in (("was", before), ("now", names), ("left_over", left), ("newly_cut", came)):
            tables.read(f"{table}_piece", [home / name for name in some or names[:1]], "pieces.parquet")
            tables.view(table, _SENTENCES.format(table=f"{table}_piece") + ("" if some else " AND false"))
        old, fresh = _ROWS.format(table="left_over"), _ROWS.format(table="newly_cut")
        tables.make("changed", f"({old} EXCEPT {fresh}) UNION ALL ({fresh} EXCEPT {old})")
        if tables.ask("SELECT count(*) FROM changed")[0][0] > MOST * sum(
            one.counts.get("sentence", 0) for one in last.shards
        ):
            return None
        changes = update(tables)
    rewritten = {place for place, name in enumerate(names) if name in came} | changes.files

    def labels(fresh: Sequence[Path]) -> Iterator[pa.RecordBatch]:
        known = labels_in(out, last.shards, {*left, *(folder.name for folder in fresh)})
        if rewritten:
            files = ", ".join(map(str, sorted(rewritten)))
            rows = tables.ask(f"SELECT sentence_id, copy_id, cluster_id FROM found WHERE file IN ({files})")
            known |= {sentence_id: (copy_id, cluster_id) for sentence_id, copy_id, cluster_id in rows}
        for folder in fresh:
            ids = pq.read_table(folder / "pieces.parquet", columns=["sentence_id"]).column(0).drop_null()
            found = [known[sentence_id] for sentence_id in ids.to_pylist()]
            columns = [pa.array([one[n] for one in found], pa.string()) for n in range(len(LABELS))]
            yield pa.RecordBatch.from_arrays(columns, names=list(LABELS))

    written = write_changed(folders, new, last.shards, out, rewritten, labels)
    tables.exchange("made_from", ["key"], "SELECT key FROM made_from", f"SELECT '{_key(rules, names)}' AS key")
    return Taken(changes.copies, changes.clusters, written)


def _key(rules: str, names: Sequence[str]) -> str:
    return digest(rules, *names)
