"""Which sentences a project has labels on, and how their articles are recognised.

A sentence matters when somebody has labelled or adjudicated it, or a round has drawn it. Two files in `labels/`, meant
to be kept in git, hold what must outlive the folder `work`: `fingerprints.jsonl` has the digests by which articles with
such sentences are recognised wherever they lie, and `moved.jsonl` the ids of those that have moved. Neither file holds
any text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.digests import digest
from corpus.errors import TableError
from corpus.ids.fingerprint import fingerprint
from corpus.reading.articles import front_matter_end
from corpus.store import read_jsonl, read_jsonl_if_there, table_path, write_jsonl
from corpus.tables import Rows, booleans, read_table, strings, table_parts

LABELLED = ("annotations.jsonl", "adjudications.jsonl")
SAMPLE = "sample.parquet"
ARCHIVED = "archive_sentences.parquet"
"""Sentences that were drawn from archives: no build needs to find those that no round drew from the corpus, too."""
MOVED = "moved.jsonl"
FINGERPRINTS = "fingerprints.jsonl"
MATTERING = pa.schema([("sentence_id", pa.string()), ("labelled", pa.bool_())])


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """An article whose id is not the one that its source gives it.

    Attributes:
        source_id: the id that the article's file or row would give it.
        article_id: the id that it has.
        sha256: its fingerprint (`corpus.ids.fingerprint`) when it was last seen.
    """

    source_id: str
    article_id: str
    sha256: str


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """An article with sentences that matter, as it was when it was last in the corpus.

    Attributes:
        article_id: its id.
        sha256: its fingerprint (`corpus.ids.fingerprint`).
        sentences: the ids of its sentences that mattered.
    """

    article_id: str
    sha256: str
    sentences: list[str]


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Which sentences that matter are in the corpus as it stands.

    Attributes:
        labelled: how many sentences somebody has labelled.
        missing: how many labelled sentences are not in the corpus.
        unplaced: a digest of the sentences that matter but are not in the corpus, and of what is known about their
            articles. As long as it stays the same, another build of the same sources would not find them either.
        all_remembered: whether `fingerprints.jsonl` has the articles of all other sentences that matter.
    """

    labelled: int
    missing: int
    unplaced: str
    all_remembered: bool


class _Labelled(msgspec.Struct, frozen=True):
    sentence_id: str


def mattering(out: Path) -> pa.Table:
    """The sentences that somebody has labelled or a round has drawn, each once, in the columns of MATTERING.

    Args:
        out: the project's folder of tables.

    Raises:
        TableError: a file of labels is malformed.
    """
    labelled: set[str] = set()
    for name in LABELLED:
        path = table_path(out, name)
        if path.is_file():
            labelled |= {row.sentence_id for row in read_jsonl(path, _Labelled, "stance pull")}
    drawn: set[str] = set()
    column = pa.schema([MATTERING.field("sentence_id")])
    if table_path(out, SAMPLE).is_file():
        by = read_table(table_path(out, SAMPLE), column.append(pa.field("by", pa.string())), "stance push")
        archived = pc.is_in(by["by"], value_set=strings(["archive"]))
        drawn = set(by.filter(pc.invert(archived)).column(0).to_pylist())
    if table_path(out, ARCHIVED).is_file():
        labelled -= set(read_table(table_path(out, ARCHIVED), column, "stance push").column(0).to_pylist()) - drawn
    drawn -= labelled
    ids = [*sorted(labelled), *sorted(drawn)]
    return pa.table([strings(ids), booleans(np.arange(len(ids)) < len(labelled))], schema=MATTERING)


def read_moved(out: Path) -> dict[str, Moved]:
    """The articles that keep an id, by the id that their source would give them.

    Raises:
        TableError: the file is malformed, or gives one article two ids, as after a merge by hand.
    """
    path = table_path(out, MOVED)
    moves: dict[str, tuple[int, Moved]] = {}
    for number, row in enumerate(read_jsonl_if_there(path, Moved), 1):
        if row.source_id in moves and moves[row.source_id][1].article_id != row.article_id:
            raise TableError(
                f"{path}: records {moves[row.source_id][0]} and {number} give the article {row.source_id!r} two ids, "
                f"{moves[row.source_id][1].article_id!r} and {row.article_id!r}; delete the one that is wrong"
            )
        moves[row.source_id] = number, row
    return {source_id: row for source_id, (_, row) in moves.items()}


def read_fingerprints(out: Path) -> list[Fingerprint]:
    """The articles with sentences that matter, as they were when they were last in the corpus.

    Raises:
        TableError: the file is malformed.
    """
    path = table_path(out, FINGERPRINTS)
    return read_jsonl_if_there(path, Fingerprint)


def remembered(tables: Path, out: Path) -> list[Fingerprint]:
    """The articles with sentences that matter: those in given tables, and remembered ones that are not in them.

    Args:
        tables: folder of the tables to look in.
        out: the project's folder of tables, which has the labels.

    Returns:
        One row for each article, by id. If the tables have the article but none of its sentences that matter, the row
        is the remembered one.
    """
    known = {row.article_id: row for row in read_fingerprints(out)}
    wanted = mattering(out).column("sentence_id").to_pylist()
    articles: dict[str, list[str]] = defaultdict(list)
    for part in parts(tables / "sentences.parquet", ["sentence_id", "article_id"], ("sentence_id", wanted)):
        for sentence_id, article_id in zip(*(column.to_pylist() for column in part.columns), strict=True):
            articles[article_id].append(sentence_id)
    for part in parts(tables / "articles.parquet", ["article_id", "text"], ("article_id", articles)):
        for article_id, text in zip(*(column.to_pylist() for column in part.columns), strict=True):
            known[article_id] = Fingerprint(
                article_id=article_id,
                sha256=fingerprint(text[front_matter_end(text) :]),
                sentences=sorted(articles[article_id]),
            )
    return [known[article_id] for article_id in sorted(known)]


def remember(work: Path) -> None:
    """Record the fingerprints of the project's articles that have sentences that matter.

    This is called after every command that adds labels or draws sentences: so the labels find their articles again
    after the folder `work` was deleted, and in a copy of the project whose articles lie elsewhere.

    Args:
        work: the project's folder of tables.
    """
    write_fingerprints(work, remembered(work, work))


def write_fingerprints(out: Path, rows: Iterable[Fingerprint]) -> None:
    """Write `fingerprints.jsonl`; there is no file if there are no rows."""
    _write(table_path(out, FINGERPRINTS), list(rows))


def write_moved(out: Path, rows: Iterable[Moved]) -> None:
    """Write `moved.jsonl`; there is no file if there are no rows."""
    _write(table_path(out, MOVED), list(rows))


def look_up(out: Path) -> Placed:
    """How many of the sentences that matter are in the corpus as it stands.

    Args:
        out: the project's folder of tables.
    """
    matter = mattering(out)
    missing = matter
    for part in parts(out / "sentences.parquet", ["sentence_id"]) if matter.num_rows else ():
        there = pc.is_in(missing.column("sentence_id"), value_set=part.column(0).combine_chunks())
        missing = missing.filter(pc.invert(there))
    ids = set(missing.column("sentence_id").to_pylist())
    rows = read_fingerprints(out) if matter.num_rows else []
    known = [f"{row.article_id} {row.sha256}" for row in rows if not ids.isdisjoint(row.sentences)]
    remembered_ = {sentence_id for row in rows for sentence_id in row.sentences}
    return Placed(
        labelled=pc.sum(matter.column("labelled")).as_py() or 0,
        missing=pc.sum(missing.column("labelled")).as_py() or 0,
        unplaced=digest(*sorted(ids), "", *sorted(known)),
        all_remembered=remembered_.issuperset(set(matter.column("sentence_id").to_pylist()) - ids),
    )


def parts(path: Path, columns: list[str], where: Rows | None = None) -> Iterator[pa.Table]:
    """Parts of a table of an earlier build; none if it is missing or damaged, since a build makes it again.

    Args:
        path: path of the table.
        columns: names of columns with text.
        where: rows to read, by the values of a column; all if None.
    """
    try:
        yield from table_parts(path, pa.schema([(name, pa.string()) for name in columns]), "stance build", where)
    except (OSError, TableError):
        return


def _write(path: Path, rows: list[Moved] | list[Fingerprint]) -> None:
    if rows:
        write_jsonl(path, rows)
    else:
        path.unlink(missing_ok=True)
