"""Fetch what people settled in the queue; such a verdict stays until a person withdraws it.

An adjudicator does so in the queue itself, by editing or skipping the answer there, or by deleting it while its task
stands. If a task or the whole project is missing, nothing is withdrawn: people clean a queue up when it is done, rename
it, or continue with another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from labeling.codebook import Codebook
from labeling.identity.pseudonyms import giver
from labeling.migration.migrated_answers import MigratedAnswers
from labeling.records import Adjudication, Withdrawn
from labeling.scheme import Scheme
from labeling.studio.answers import read_adjudication
from labeling.studio.api_records import StudioTask
from labeling.sync.merge_answers import Merged, merge


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an answer in the queue, and the key of the account that did it; empty if not known."""

    account: str
    withdrawn: Withdrawn


def read_queue(
    tasks: Sequence[StudioTask], codebook: Codebook, scheme: Scheme, migrated: MigratedAnswers
) -> tuple[list[Adjudication], list[str]]:
    """The answers to the queue's tasks, without their people, and the key of the account that gave each.

    Raises:
        StudioError: an answer has a choice that is not one of the project's labels.
    """
    rows: list[Adjudication] = []
    keys: list[str] = []
    for task in tasks:
        if task.key is None:
            continue
        for answer in task.annotations:
            given = task.data.get("given") or {}
            row = migrated.as_given(read_adjudication(answer, task.key[0], "", codebook, given, scheme))
            rows.append(msgspec.structs.replace(row, task=task.mark))
            keys.append(giver(answer).key)
    return rows, keys


def keep(
    known: Sequence[Adjudication],
    fresh: Sequence[Adjudication],
    pairs: Sequence[int | None],
    tasks: Sequence[StudioTask],
    source: str,
    migrated: MigratedAnswers,
) -> Merged[Adjudication]:
    """Merge the known answers in the queue with those that were read now.

    Args:
        known: answers so far.
        fresh: answers that were read, each with its person and `source`.
        pairs: position among the known answers of each answer that was read, as `merge_answers.pair` returns it.
        tasks: every task that the queue holds now.
        source: name of the queue's project; empty if it holds nothing.
        migrated: answers that a migration removed at the server; they stay.
    """
    held = {task.mark for task in tasks}
    return merge(
        known, fresh, pairs, lambda row: row.source == source and row.task in held and not migrated.removed(row)
    )


def changes(merged: Merged[Adjudication], tasks: Sequence[StudioTask]) -> list[Change]:
    """What people did to known answers in the queue: the earlier version, what happened, who did it, and when.

    The server says who edited an answer. It does not say who deleted one, but only who changed the task last.
    """
    held = {task.mark: task for task in tasks}
    editor = {answer["id"]: answer.get("updated_by") for task in tasks for answer in task.annotations}
    made = [
        Change(
            account=_key(editor.get(edit.now.studio_id)),
            withdrawn=Withdrawn(why="edited", by="", at=edit.now.updated_at, answer=edit.was),
        )
        for edit in merged.edits
    ]
    return made + [
        Change(
            account=_key(_changed_by(held[row.task])),
            withdrawn=Withdrawn(why="deleted", by="", at=held[row.task].updated_at, answer=row),
        )
        for row in merged.gone
    ]


def told(changes: Sequence[Change], names: Mapping[str, str]) -> list[Withdrawn]:
    """The changes for the history, each with the pseudonym of whoever made it."""
    return [msgspec.structs.replace(row.withdrawn, by=names.get(row.account, "")) for row in changes]


def _changed_by(task: StudioTask) -> object:
    """The account that changed a task last, for instance by giving, editing or deleting an answer."""
    last = task.updated_by[-1] if isinstance(task.updated_by, list) and task.updated_by else task.updated_by
    return last.get("user_id") if isinstance(last, dict) else last


def _key(number: object) -> str:
    return str(number) if isinstance(number, int) else ""
