"""What `stance pull` prints, of a server and of an export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.numbers import number
from corpus.store import table_path, wrote

if TYPE_CHECKING:  # each command loads only what it does, not what all commands print about
    from labeling.freshness import Stale
    from labeling.settling.reopened import Reopened
    from labeling.sync.export_files import ExportSummary
    from labeling.sync.pull import PullSummary


def pulled(done: PullSummary, stale: Stale | None, work: Path, reopened: Reopened | None = None) -> list[str]:
    """What a pull fetched from a server, line by line.

    Args:
        done: what the pull did.
        stale: how far the verdicts are now behind the answers; None if they are not.
        work: the project's folder of tables.
        reopened: what a new version of the codebook asks for again, if anything.
    """
    skips = f", {done.skips:,} of them {'a skip' if done.skips == 1 else 'skips'}" if done.skips else ""
    lines = [
        f"{number(done.annotations, 'answer')} of {number(done.annotators, 'annotator')}{skips}",
        f"read {number(done.fetched, 'task')}: those that are new or have changed since the last pull"
        if done.fetched
        else "no task of the annotators is new or has changed since the last pull",
    ]
    if done.queued is not None:
        lines.append(f"read the queue: {number(done.queued, 'answer')} of adjudicators")
    if stale and stale.people:
        lines.append(
            f"decided in the queue: {number(stale.people, 'sentence')}; `{stale.due}` makes the decisions verdicts"
        )
    if reopened:
        lines.append(str(reopened))
    lines += _history(done.edited, done.deleted, work)
    if done.withdrawn:
        lines.append(
            f"{done.withdrawn:,} answers in the queue were edited or deleted there; what they were is in "
            f"{table_path(work, 'withdrawn.jsonl')}"
        )
    if done.without_sentence:
        lines.append(f"{done.without_sentence:,} of them are to sentences that the corpus doesn't have any more")
    if done.foreign:
        lines.append(f"{done.foreign:,} tasks there were not made by stance (no sentence_id): left out")
    return [*lines, _wrote(done.changed, work)]


def imported(done: ExportSummary, work: Path) -> list[str]:
    """What a pull read from an export, line by line.

    Args:
        done: what the pull did.
        work: the project's folder of tables.
    """
    lines = [
        *([f"read as an export of {done.tool}"] if done.tool not in {"Label Studio", "a table"} else []),
        f"{done.annotations:,} answers to tasks of this project, {done.adopted:,} adopted by their sentence's text, "
        f"of {done.annotators:,} annotators",
        *(f"read {written!r} as {name}" for written, name in done.aliases.items()),
        *_history(done.edited, done.deleted, work),
    ]
    if done.missing:
        lines.append(
            f"{done.missing:,} known answers of this project are not in the export: they stay; --replace deletes them"
        )
    return [*lines, _wrote(done.changed, work)]


def _wrote(changed: list[Path], work: Path) -> str:
    """Which files were written; where none was, the one that would have been."""
    return wrote(bool(changed), *(changed or [table_path(work, "annotations.jsonl")]))


def _history(edited: int, deleted: int, work: Path) -> list[str]:
    if not (edited or deleted):
        return []
    return [
        f"{edited:,} edited and {deleted:,} deleted since; what they were is in {table_path(work, 'history.jsonl')}"
    ]
