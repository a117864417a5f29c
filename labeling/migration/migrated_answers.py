"""The answers that were rewritten or removed at the server, as they were given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.store import read_jsonl_if_there, table_path, write_jsonl
from labeling.identity.answer_sources import AnswerRow
from labeling.scheme import Stance

FILE = "migrated.jsonl"


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that a migration rewrote or removed at the server.

    Attributes:
        studio_id: number of the answer at the server.
        created_at: time when it was made there; together with the number, this identifies it.
        updated_at: time of its last edit before the migration.
        was: its label as it was given.
        codebook: version of the codebook that it was given under.
        now: label that the server holds instead; None if the answer was removed, to be given again.
        to: version of the codebook that it was migrated to.
        at: time of the rewriting by the server's clock; empty if it was not confirmed, or the answer was removed.
        answer: the whole answer as the server held it.
    """

    studio_id: int
    created_at: str
    updated_at: str
    was: Stance
    codebook: str
    now: Stance | None
    to: str
    at: str = ""
    answer: dict[str, Any]

    @property
    def key(self) -> tuple[int, str]:
        """What identifies the answer."""
        return self.studio_id, self.created_at


class MigratedAnswers:
    """All migrated answers; of an answer that was migrated several times, the last time counts."""

    def __init__(self, rows: Iterable[Migrated]) -> None:
        """Index the answers."""
        self._last = {row.key: row for row in rows}

    def as_given(self, row: AnswerRow) -> AnswerRow:
        """An answer that was read from the server, as it was given: with its label and version before the migration.

        An answer that its annotator has edited since is left as it is.
        """
        found = self._last.get((row.studio_id or 0, row.created_at))
        if found is None or found.now is None or row.stance != found.now or found.at not in {"", row.updated_at}:
            return row
        return msgspec.structs.replace(row, stance=found.was, codebook=found.codebook, updated_at=found.updated_at)

    def removed(self, row: AnswerRow) -> bool:
        """Whether a migration removed this answer at the server: it was not deleted by its annotator."""
        found = self._last.get((row.studio_id or 0, row.created_at))
        return found is not None and found.now is None


def read_migrated(work: Path) -> MigratedAnswers:
    """The migrated answers of a project; none if there was no migration."""
    return MigratedAnswers(migrated_rows(work))


def migrated_rows(work: Path) -> list[Migrated]:
    """The migrated answers as the file has them, in the order of the migrations."""
    path = table_path(work, FILE)
    return read_jsonl_if_there(path, Migrated)


def write_migrated(work: Path, rows: Sequence[Migrated]) -> bool:
    """Write all migrated answers; True if the file changed."""
    return write_jsonl(table_path(work, FILE), rows)
