"""Find what changed at a server since the last pull."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from corpus.errors import StudioError
from corpus.numbers import number
from corpus.store import read_json_if_whole, write_bytes
from labeling.identity.account_register import Register
from labeling.studio.api_records import Project, StudioTask
from labeling.studio.client import ANSWERS, TIMES, Studio

STATE = Path(".stance") / "pulled.json"
FORM = 2
"""Version of that file's form: version 1 did not give the names of projects, so everything is read once more."""
LOOK_BACK = timedelta(seconds=60)
"""Time before the last pull that is read again: a change that was being written then has an earlier time."""


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A task as the last pull saw it: the time of its last change, and the ids of its answers."""

    updated_at: str
    answers: list[int]


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """What the last pull saw of one project; `clock` is the server's time just before it."""

    clock: datetime
    tasks: dict[int, Seen]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The last pull: its server, its projects by id, and the `digest` of the annotations that it wrote."""

    url: str
    digest: str
    projects: dict[int, Pulled]
    form: int = 1


def answers_of(pulled: Pulled) -> set[int]:
    """The ids of all answers that a project held."""
    return {id_ for task in pulled.tasks.values() for id_ in task.answers}


def changes_in(studio: Studio, project: Project, before: Pulled | None) -> tuple[Pulled, list[StudioTask]]:
    """What a project holds now, and those of its tasks that changed since `before`, with their answers."""
    clock = studio.clock()
    if before is None:
        tasks = studio.tasks(project.id, ANSWERS)
        _check_ours(studio, project, tasks)
        return Pulled(clock=clock, tasks={task.id: _seen(task) for task in tasks}), tasks
    recent = studio.tasks(project.id, TIMES, since=before.clock - LOOK_BACK)
    moved = [
        task for task in recent if (seen := before.tasks.get(task.id)) is None or seen.updated_at != task.updated_at
    ]
    tasks = []
    if moved:
        earliest = datetime.fromisoformat(min(task.updated_at for task in moved)) - timedelta(microseconds=1)
        tasks = studio.tasks(project.id, ANSWERS, since=earliest)
    now = {**before.tasks, **{task.id: _seen(task) for task in tasks}}
    # Deleted tasks show only in the count: the tasks there are among those seen, so equal numbers mean equal sets.
    number = studio.task_number(project.id)
    if number != len(now):
        gone = studio.gone(project.id, now)
        now = {id_: seen for id_, seen in now.items() if id_ not in gone}
        if number != len(now):
            return changes_in(studio, project, None)
    # The server writes an answer first and the task's time afterwards, not in one step: if it is killed in between,
    # no time shows the answer.
    if studio.answer_number(project.id) != sum(len(seen.answers) for seen in now.values()):
        return changes_in(studio, project, None)
    return Pulled(clock=clock, tasks=now), tasks


def _check_ours(studio: Studio, project: Project, tasks: list[StudioTask]) -> None:
    if tasks and all(task.key is None for task in tasks):
        raise StudioError(
            f"none of the {number(len(tasks), 'task')} of {project.title!r} at {studio.url} has a sentence_id, so "
            "`stance push` didn't make them: set [labeling] title to a title of your own; to take over that project's "
            "labels, export it as JSON and run `stance pull --from EXPORT`"
        )


def _seen(task: StudioTask) -> Seen:
    return Seen(updated_at=task.updated_at, answers=[answer["id"] for answer in task.annotations])


def last_pull(project: Path) -> State | None:
    """What the last pull into this project folder recorded; None if there was none."""
    return read_json_if_whole(project / STATE, State)


def trusted(last: State | None, url: str, digest: str, register: Register) -> State | None:
    """What the last pull saw; None if the annotations or the private file are no longer those that it wrote."""
    place = register.place_at(url)
    if last is None or place is None or (last.form, last.url, last.digest) != (FORM, url, digest):
        return None
    numbers = {source.number for source in place.sources.values()}
    return last if last.projects.keys() <= numbers else None


def write_state(project: Path, state: State) -> None:
    """Record what a pull saw, for the next one."""
    write_bytes(project / STATE, msgspec.json.encode(state), mode=0o600)
