"""The answers that were rewritten or removed at the server, as they were given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.store import read_jsonl_if_there, table_path, write_jsonl
from labeling.identity.answer_sources import Answer, AnswerRow
from labeling.scheme import Stance

FILE = "migrated.jsonl"


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that a migration rewrote or removed at the server.

    Attributes:
        studio_id: number of the answer, by which it is known here; if it was imported, it has another one at the server
            (see `answer`).
        created_at: time when it was made, by which it is known here; together with the number, this identifies it.
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
        """What identifies the answer here."""
        return self.studio_id, self.created_at

    @property
    def held(self) -> tuple[int, str]:
        """What identifies the answer at the server where it was migrated."""
        return self.answer.get("id", self.studio_id), self.answer.get("created_at", self.created_at)


class MigratedAnswers:
    """What all migrations did; each of them to one version of an answer, and the last one of each label counts."""

    def __init__(self, rows: Iterable[Migrated], known: Iterable[Answer] = ()) -> None:
        """Index the records, and the versions in which answers are known."""
        self._held: dict[tuple[int, str], dict[Stance | None, Migrated]] = defaultdict(dict)
        self._known: dict[tuple[int, str], dict[Stance | None, Migrated]] = defaultdict(dict)
        for row in rows:
            self._held[row.held][row.now] = self._known[row.key][row.now] = row
        self._version = {_key(row): row.updated_at for row in known}

    def as_given(self, row: AnswerRow) -> AnswerRow:
        """An answer that was read from the server, as it was given: with its label and version before the migration.

        An answer that its annotator has edited since is left as it is. A rewriting that the server did not confirm is
        recognised by the label, unless an edit is known already: then it is a later one that says the same.
        """
        found = self._held.get(_key(row), {}).get(row.stance)
        if found is None or found.now is None or found.at not in {"", row.updated_at}:
            return row
        if not found.at and self._version.get(found.key, found.updated_at) != found.updated_at:
            return row
        return msgspec.structs.replace(row, stance=found.was, codebook=found.codebook, updated_at=found.updated_at)

    def removed(self, row: Answer) -> bool:
        """Whether a migration removed this known answer at the server: it was not deleted by its annotator."""
        return self._did(row, None)

    def rewrote(self, row: Answer, stance: Stance | None) -> bool:
        """Whether a migration gave a known answer this label, with which it may have been exported."""
        return stance is not None and self._did(row, stance)

    def _did(self, row: Answer, now: Stance | None) -> bool:
        found = self._known.get(_key(row), {}).get(now)
        return found is not None and found.updated_at == row.updated_at


def _key(row: Answer) -> tuple[int, str]:
    return row.studio_id or 0, row.created_at


def read_migrated(work: Path, known: Iterable[Answer]) -> MigratedAnswers:
    """The migrated answers of a project; none if there was no migration.

    Args:
        work: the project's folder of tables.
        known: the answers as they are known.
    """
    return MigratedAnswers(migrated_rows(work), known)


def migrated_rows(work: Path) -> list[Migrated]:
    """The migrated answers as the file has them, in the order of the migrations."""
    path = table_path(work, FILE)
    return read_jsonl_if_there(path, Migrated)


def write_migrated(work: Path, rows: Sequence[Migrated]) -> bool:
    """Write all migrated answers; True if the file changed."""
    return write_jsonl(table_path(work, FILE), rows)
