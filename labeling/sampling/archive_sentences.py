"""The sentences that rounds drew from archives, kept beside the labels with all that annotators are shown of them.

They are not part of the corpus: no build finds them, no model learns from them, and no share of the corpus counts them.
Their labels speak for the archive that they were drawn from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.records import SENTENCES
from corpus.store import once, table_path, write_table
from corpus.tables import read_table
from labeling.sampling.sample_table import Draw

FILE = "archive_sentences.parquet"
SHOWN = ("sentence_id", "article_id", "text", "before", "after", "title", "outlet", "published", "language", "url")
ARCHIVED = pa.schema([*((name, pa.string()) for name in (*SHOWN, "archive", "model")), ("round", pa.int64())])


class ArchivedSentence(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of an archive, its article's metadata, and the round that drew it.

    `archive` is a digest of the archive's sentences, by which the archive is recognised; `model` is the version of the
    model that had scored it when the sentence was drawn.
    """

    sentence_id: str
    article_id: str
    text: str
    before: str
    after: str
    title: str
    outlet: str
    published: str
    language: str
    url: str
    archive: str
    model: str
    round: int


def read_archived(work: Path) -> list[ArchivedSentence]:
    """The sentences that rounds drew from archives, in the order in which they were drawn.

    Args:
        work: the project's folder of tables.

    Raises:
        TableError: the file is malformed.
    """
    path = table_path(work, FILE)
    return once(path, _read) if path.is_file() else []


def _read(path: Path) -> list[ArchivedSentence]:
    return msgspec.convert(read_table(path, ARCHIVED, "stance push --from-archive").to_pylist(), list[ArchivedSentence])


def only_archived(work: Path) -> list[ArchivedSentence]:
    """The sentences that were drawn from an archive and are not in the corpus."""
    rows = read_archived(work)
    column = pa.schema([SENTENCES.field("sentence_id")])
    where = ("sentence_id", {row.sentence_id for row in rows})
    here = read_table(work / "sentences.parquet", column, "stance build", where) if rows else None
    known = set(here.column(0).to_pylist()) if here else set()
    return [row for row in rows if row.sentence_id not in known]


def keep_archived(work: Path, rows: Sequence[ArchivedSentence], draws: Iterable[Draw]) -> None:
    """Keep the sentences of a new round, and no longer those of rounds that were taken back.

    Args:
        work: the project's folder of tables.
        rows: sentences of the new round.
        draws: draws of all rounds, the new one included.
    """
    drawn = {(row.sentence_id, row.round) for row in draws if row.by == "archive"}
    new = {row.round for row in rows}
    before = [row for row in read_archived(work) if row.round not in new and (row.sentence_id, row.round) in drawn]
    table = pa.Table.from_pylist([msgspec.structs.asdict(row) for row in [*before, *rows]], schema=ARCHIVED)
    write_table(table_path(work, FILE), table)
