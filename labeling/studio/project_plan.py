"""Compare the tasks and settings of one project at the server with what they should be."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from labeling.records import Task
from labeling.studio.api_records import Project, StudioTask
from labeling.studio.tasks import data

MADE_BY = "Made by stance; interface"
FOR_PEOPLE = "Sentences to label. `stance push` needs the rest of this line:"
"""How a project's description begins, which Label Studio shows in its list of projects."""


class ProjectPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a push will do to one project.

    Attributes:
        title: the project's title; `project` is None if the project will be made.
        create: tasks that the server lacks.
        update: new `data` of tasks, by the server's task id.
        unchanged: tasks that are as they should be.
        answered: tasks whose sentence left the corpus and that hold answers: they stay.
        stale: ids of tasks whose sentence left the corpus and that hold no answer.
        twice: ids of second tasks of a sentence, without answers: they are removed.
        doubled: sentences with two tasks that both hold answers: both stay, and both count.
        foreign: number of tasks that no push made.
        held: number of tasks on the server before.
        settings: attributes of the project that change.
        by_hand: whether the labelling interface was changed at the server, in which case it stays so.
        predict: tasks that get a prediction, by the server's task id, each with its sentence.
        held_back: number of tasks whose prediction is held back from annotators.
    """

    title: str
    project: Project | None
    create: list[Task]
    update: list[tuple[int, dict[str, Any]]]
    unchanged: int
    answered: int
    stale: list[int]
    twice: list[int]
    doubled: int
    foreign: int
    held: int
    settings: dict[str, Any]
    by_hand: bool
    predict: list[tuple[int, str]] = []
    held_back: int = 0

    @property
    def server_only(self) -> int:
        """Tasks whose sentence the corpus no longer has."""
        return self.answered + len(self.stale)


def compare(title: str, project: Project | None, tasks: Sequence[StudioTask], wanted: Sequence[Task]) -> ProjectPlan:
    """A plan for one project's tasks, its settings left as they are."""
    by_key: dict[tuple[str, int], list[StudioTask]] = defaultdict(list)
    for task in tasks:
        if task.key is not None:
            by_key[task.key].append(task)
    keep: dict[tuple[str, int], list[StudioTask]] = {}
    twice: list[int] = []
    for key, same in by_key.items():
        keep[key] = [task for task in same if _answered(task)] or [min(same, key=lambda task: task.id)]
        twice += [task.id for task in same if task not in keep[key]]
    keys = {(task.sentence_id, task.control) for task in wanted}
    update: list[tuple[int, dict[str, Any]]] = []
    unchanged = 0
    for wish in wanted:
        for at_server in keep.get((wish.sentence_id, wish.control), ()):
            # Fields that somebody added at the server stay.
            new = {**at_server.data, **data(wish)}
            if new != at_server.data:
                update.append((at_server.id, new))
            else:
                unchanged += 1
    left = [task for key, same in keep.items() if key not in keys for task in same]
    return ProjectPlan(
        title=title,
        project=project,
        create=[task for task in wanted if (task.sentence_id, task.control) not in keep],
        update=update,
        unchanged=unchanged,
        answered=sum(_answered(task) for task in left),
        stale=[task.id for task in left if not _answered(task)],
        twice=twice,
        doubled=sum(len(same) > 1 for same in keep.values()),
        foreign=sum(task.key is None for task in tasks),
        held=len(tasks),
        settings={},
        by_hand=False,
    )


def _answered(task: StudioTask) -> bool:
    return task.total_annotations + task.cancelled_annotations > 0


def with_settings(plan: ProjectPlan, text: str, wanted: dict[str, Any], force: bool) -> ProjectPlan:
    """Add what has to change in the project's settings; the interface, `text`, only if nobody changed it at the server.

    The project's description says which interface and instruction a push gave it last: somebody may have changed the
    interface since, and the server rewrites the instruction.
    """
    shown = _digest(wanted["expert_instruction"])
    everything = {"label_config": text, **wanted, "description": _described(f"{MADE_BY} {_digest(text)}", shown)}
    if plan.project is None:
        return msgspec.structs.replace(plan, settings=everything)
    said = plan.project.description or ""
    at_server = (plan.project.label_config or "").strip()
    by_hand = at_server != text and f"{MADE_BY} {_digest(at_server)}" not in said and not force
    if at_server == text or by_hand:
        del everything["label_config"]
    if f"instruction {shown}" in said:
        del everything["expert_instruction"]
    if by_hand:
        kept = said.partition(", instruction ")[0]
        everything["description"] = _described(kept.removeprefix(FOR_PEOPLE).strip(), shown)
    changes = {name: value for name, value in everything.items() if getattr(plan.project, name) != value}
    return msgspec.structs.replace(plan, settings=changes, by_hand=by_hand)


def _described(interface: str, instruction: str) -> str:
    return f"{FOR_PEOPLE} {interface}, instruction {instruction}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
