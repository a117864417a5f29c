"""What `stance pull` prints, of a server and of an export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.numbers import agreeing, number
from corpus.store import table_path, wrote

if TYPE_CHECKING:  # each command loads only what it does, not what all commands print about
    from labeling.freshness import Stale
    from labeling.settling.reopened import Reopened
    from labeling.sync.export_files import ExportSummary
    from labeling.sync.pull import PullSummary

MOST_LABELS = 5
"""Most answers with unknown labels that a pull shows; the file of what was not adopted has all."""


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
            f"{number(done.withdrawn, 'answer')} in the queue {agreeing(done.withdrawn, 'were')} edited or deleted "
            f"there; what {'it was' if done.withdrawn == 1 else 'they were'} is in "
            f"{table_path(work, 'withdrawn.jsonl')}"
        )
    if done.without_sentence:
        to = "is to a sentence" if done.without_sentence == 1 else "are to sentences"
        lines.append(f"{done.without_sentence:,} of them {to} that the corpus doesn't have any more")
    if done.foreign:
        were = agreeing(done.foreign, "were")
        lines.append(f"{number(done.foreign, 'task')} there {were} not made by stance (no sentence_id): left out")
    return [*lines, _wrote(done.changed, work)]


def imported(done: ExportSummary, work: Path) -> list[str]:
    """What a pull read from an export, line by line.

    Args:
        done: what the pull did.
        work: the project's folder of tables.
    """
    lines = [
        *([f"read as an export of {done.tool}"] if done.tool not in {"Label Studio", "a table"} else []),
        f"{number(done.annotations, 'answer')} to tasks of this project, {done.adopted:,} adopted by the sentence's "
        f"text or id, of {number(done.annotators, 'annotator')}",
        *(f"read {written!r} as {name}" for written, name in done.aliases.items()),
        *_history(done.edited, done.deleted, work),
    ]
    if done.missing:
        stay = "it stays; --replace deletes it" if done.missing == 1 else "they stay; --replace deletes them"
        are = agreeing(done.missing, "are")
        lines.append(f"{number(done.missing, 'known answer')} of this project {are} not in the export: {stay}")
    return [*lines, _wrote(done.changed, work)]


def not_adopted(done: ExportSummary, listed: Path) -> list[str]:
    """What a pull could not use of an export: a line for each kind, and where all of it is listed.

    Args:
        done: what the pull did.
        listed: the file that lists it with the reasons.
    """
    unmatched = done.unmatched - done.left_out - len(done.unread) - done.ambiguous
    lines = []
    if done.ambiguous:
        lines.append(
            f"{number(done.ambiguous, 'record')} of the file {agreeing(done.ambiguous, 'have')} the text of several "
            "different sentences, and no sentence_id that says which one is meant"
        )
    if unmatched:
        lines.append(
            f"{number(unmatched, 'record')} of the file {agreeing(unmatched, 'have')} no sentence in the corpus"
        )
    if done.unread:
        rows = [f"{'line' if done.tool == 'a table' else 'task'} {row.task}: {row.reason}" for row in done.unread]
        more = f"; and {len(rows) - MOST_LABELS:,} more" if len(rows) > MOST_LABELS else ""
        lines.append(
            f"{number(len(rows), 'answer')} of the file {agreeing(len(rows), 'have')} not exactly one label of this "
            f"project ({'; '.join(rows[:MOST_LABELS])}{more})"
        )
    if done.left_out:
        lines.append(
            f"{number(done.left_out, 'record')} of the file {agreeing(done.left_out, 'have')} no answer to use"
        )
    return [f"not adopted: {line}; listed in {listed}" for line in lines]


def _wrote(changed: list[Path], work: Path) -> str:
    """Which files were written; where none was, the one that would have been."""
    return wrote(bool(changed), *(changed or [table_path(work, "annotations.jsonl")]))


def _history(edited: int, deleted: int, work: Path) -> list[str]:
    if not (edited or deleted):
        return []
    return [
        f"{edited:,} edited and {deleted:,} deleted since; what they were is in {table_path(work, 'history.jsonl')}"
    ]
