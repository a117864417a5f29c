"""Take a round back that nobody has answered: its tasks at the server, and its draws in the sample."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec

from corpus.errors import StanceError
from corpus.numbers import agreeing
from corpus.numbers import number as counted
from corpus.store import read_jsonl_if_there, table_path
from labeling.records import Annotation, LabelingSettings
from labeling.sampling.sample_table import DRAWN, Draw, read_sample, write_sample
from labeling.studio.api_records import StudioTask
from labeling.studio.client import Studio
from labeling.studio.tasks import Corpus


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """What taking a round back will do.

    Attributes:
        number: number of the round.
        by: ways in which the round was drawn.
        drawn: number of sentences that the round drew.
        left: draws of all other rounds.
        tasks: ids of the round's tasks, by the id of their project at the server.
    """

    number: int
    by: list[str]
    drawn: int
    left: list[Draw]
    tasks: dict[int, list[int]]


def plan_withdrawal(studio: Studio | None, work: Path, settings: LabelingSettings, number: int) -> Withdrawal:
    """What taking a round back will do.

    Answers that were adopted from another project's export were not given to the round's tasks, so they do not prevent
    the round from being taken back.

    Args:
        studio: the server; None if the round's tasks were written to a file.
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.
        number: number of the round.

    Raises:
        StanceError: there is no such round, a later one was drawn from the sentences that it left, or somebody has
            answered one of its tasks, skipped it or begun to answer it.
        TableError: a table is missing or malformed.
    """
    draws = read_sample(work)
    rows = [row for row in draws if row.round == number]
    if not rows:
        there = ", ".join(str(known) for known in sorted({row.round for row in draws}))
        raise StanceError(
            f"there is no round {number} to take back: "
            + (f"the rounds drawn so far are {there}" if there else "no round has been drawn yet")
        )
    # Rounds of an archive and rounds of the corpus draw from different sentences, and do not count on each other.
    kinds = {row.is_of_corpus for row in rows if row.is_sampled}
    later = sorted({row.round for row in draws if row.round > number and row.is_sampled and row.is_of_corpus in kinds})
    if later:
        raise StanceError(
            f"round {number} can't be taken back before round {later[-1]}, whose probabilities count on it: first run "
            f"`stance push --withdraw {later[-1]}`"
        )
    left = [row for row in draws if row.round != number]
    projects = [
        (project.id, studio.tasks(project.id), {task.id for task in studio.tasks(project.id, "id", drafts=True)})
        for title in (settings.titles if studio else [])
        if studio and (project := studio.find_project(title))
    ]
    held = {task.key[0] for _, tasks, _ in projects for task in tasks if task.key and not task.key[1]}
    keys = _keys(rows, left, Corpus(work), held)
    ours = {project: [task for task in tasks if task.key in keys] for project, tasks, _ in projects}
    drafts = {id_ for _, _, ids in projects for id_ in ids}
    _check_untouched(number, len(rows), [task for tasks in ours.values() for task in tasks], drafts, work, keys)
    return Withdrawal(
        number=number,
        by=sorted({row.by for row in rows}),
        drawn=len(rows),
        left=left,
        tasks={project: [task.id for task in tasks] for project, tasks in ours.items() if tasks},
    )


def _keys(rows: Sequence[Draw], left: Sequence[Draw], corpus: Corpus, held: Collection[str]) -> set[tuple[str, int]]:
    """The tasks of a round, by sentence and control round, without those that another round has too.

    The task may be for another exact copy than the one drawn, if the server held that copy before.
    """
    group = {id_: ids for ids in corpus.copies.values() for id_ in ids}

    def of(draws: Sequence[Draw]) -> set[tuple[str, int]]:
        controls = {(row.sentence_id, row.round) for row in draws if row.by == "control"}
        drawn = [row.sentence_id for row in draws if row.by != "control"]
        return controls | {(id_, 0) for name in drawn for id_ in group.get(name, [name]) if id_ in held or id_ == name}

    return of(rows) - of(left)


def _check_untouched(
    number: int,
    drawn: int,
    tasks: Sequence[StudioTask],
    drafts: Collection[int],
    work: Path,
    keys: Collection[tuple[str, int]],
) -> None:
    answers = table_path(work, "annotations.jsonl")
    known = read_jsonl_if_there(answers, Annotation)
    answered = {(row.sentence_id, row.control) for row in known if not row.adopted} & set(keys)
    answered |= {task.key for task in tasks if task.key and task.total_annotations + task.cancelled_annotations}
    begun = {task.key for task in tasks if task.id in drafts} - answered
    counts = {"with an answer or a skip": len(answered), "with a draft": len(begun)}
    if said := " and ".join(f"{count:,} {what}" for what, count in counts.items() if count):
        raise StanceError(
            f"round {number} can't be taken back: among its {drawn:,} sentences are {said}. Nothing was changed: a "
            "round is taken back only as long as nobody has begun to label it"
        )


def show_withdrawal(plan: Withdrawal) -> str:
    """A plan as text for the terminal."""
    tasks = sum(map(len, plan.tasks.values()))
    ways = " and ".join(DRAWN.get(by, f"by {by}") for by in plan.by)
    return f"round {plan.number} ({plan.drawn:,} {ways}): {counted(tasks, 'task')} to remove, none answered"


def apply_withdrawal(studio: Studio, plan: Withdrawal, work: Path, progress: Callable[..., None]) -> int:
    """Remove the round's tasks, then its draws, so that it can be run again if it is interrupted in between.

    Args:
        studio: the server.
        plan: what to remove.
        work: the project's folder of tables, which keeps the sample.
        progress: function that is called first with the number of tasks, then with each one done.

    Returns:
        How many tasks were removed.

    Raises:
        StanceError: somebody answered in the meantime; then the round stays in the sample.
        StudioError: the server refused, or the connection broke.
    """
    progress(0, sum(map(len, plan.tasks.values())))
    removed = 0
    kept: set[int] = set()
    for project, ids in plan.tasks.items():
        removed += studio.remove_tasks(project, ids)
        progress(len(ids))
        kept |= {task.id for task in studio.tasks(project, "id")} & set(ids)
    if kept:
        raise StanceError(
            f"round {plan.number} can't be taken back: {len(kept):,} of its tasks "
            f"{agreeing(len(kept), 'were')} answered or begun meanwhile. It stays in "
            f"{table_path(work, 'sample.parquet')}, and `stance push` puts back what was removed "
            f"({counted(removed, 'task')})"
        )
    write_sample(work, plan.left)
    return removed
