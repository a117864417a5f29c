"""Carry out a migration: first every answer is kept as it was given, then the server is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from labeling.migration.migrated_answers import Migrated, migrated_rows, write_migrated
from labeling.migration.plan import ProjectMigration
from labeling.studio.answers import relabelled
from labeling.studio.client import Studio

BATCH = 50
"""Answers after which the confirmed ones are written down; each takes the server about a tenth of a second."""


class MigrationDone(msgspec.Struct, frozen=True, kw_only=True):
    """How many answers were rewritten and removed, and how many were left because they had changed meanwhile."""

    rewritten: int
    removed: int
    changed: int


def migrate(
    studio: Studio, plans: Sequence[ProjectMigration], work: Path, progress: Callable[..., None]
) -> MigrationDone:
    """Rewrite and remove the answers of these plans.

    An answer that was changed at the server since it was fetched is left alone. If the migration is killed, the same
    command goes on: an answer that was rewritten, but not confirmed, is recognised by its label.

    Args:
        studio: the server.
        plans: what to do in each project.
        work: the project's folder of tables, whose `migrated.jsonl` keeps every answer.
        progress: function that is called first with the number of answers, then with each one done.

    Raises:
        StudioError: the server refused, or the connection broke; what was done until then is written down.
    """
    before = migrated_rows(work)
    todo = [row for plan in plans for row in (*plan.rewrite, *plan.again)]
    progress(0, len(todo))
    done: list[Migrated] = []
    changed: set[tuple[int, str]] = set()

    def keep() -> None:
        confirmed = {row.key: row for row in done}
        rows = [confirmed.get(row.key, row) for row in todo if row.key not in changed]
        write_migrated(work, [*before, *rows])

    if not todo:
        return MigrationDone(rewritten=0, removed=0, changed=0)
    keep()
    try:
        for number, row in enumerate(todo, 1):
            number_there = row.answer["id"]
            held = studio.held_answer(number_there)
            if held is None or held.updated_at != row.answer["updated_at"]:
                changed.add(row.key)
            elif row.now is None:
                studio.remove_answer(number_there)
                done.append(row)
            else:
                at = studio.rewrite_answer(number_there, relabelled(row.answer, row.now))
                done.append(msgspec.structs.replace(row, at=at))
            progress(1)
            if number % BATCH == 0:
                keep()
    finally:
        keep()
    removed = sum(row.now is None for row in done)
    return MigrationDone(rewritten=len(done) - removed, removed=removed, changed=len(changed))
