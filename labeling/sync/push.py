"""Carry out the plan of a push: no task is made twice, and no answer is lost if it is interrupted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import StudioError
from corpus.store import private_folder, read_json, write_bytes
from labeling.feedback.qualification import write_qualifications
from labeling.machine.anchoring import Suggestion, add_suggestions
from labeling.migration.carry_out import MigrationDone, migrate
from labeling.sampling.sample_table import write_sample
from labeling.scheme import DEFAULT, Scheme
from labeling.studio.answers import chosen
from labeling.studio.client import Studio
from labeling.studio.connection import BrokenConnectionError
from labeling.studio.project_plan import ProjectPlan, compare
from labeling.studio.tasks import Prediction, data
from labeling.sync.push_plan import PushPlan

SENDING = Path(".stance") / "sending.json"
BATCH = 5000
"""Tasks per import: a sixth slower than all in one import; docs/benchmarks.md has the times of several sizes."""
SETTLE = 15.0
"""Seconds after which an import whose answer was lost has arrived or never will: 1,000 tasks take the server 0.6 s."""
RETRIES = 3


class _Sending(msgspec.Struct, frozen=True, kw_only=True):
    """An import that was sent: to which project, how many tasks were there before, how many it has, and when."""

    url: str
    project_id: int
    before: int
    tasks: int
    since: float


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of the projects at the server: those in which sentences are labelled, and the queue's where there is one.

    `qualifying` has the projects for qualification, by their titles; `migrated` says what a migration did.
    """

    labelling: list[int]
    queue: int | None
    qualifying: dict[str, int] = {}
    migrated: MigrationDone | None = None


def apply_push(
    studio: Studio,
    plan: PushPlan,
    work: Path,
    project: Path,
    progress: Callable[..., None],
    scheme: Scheme = DEFAULT,
) -> Pushed:
    """Carry out a plan, and make the projects that are not there yet.

    Args:
        studio: the server.
        plan: what to do.
        work: the project's folder of tables, which keeps the sample.
        project: the project folder, which keeps a note of an import that was sent.
        progress: function that is called first with the number of tasks, then with each one done.
        scheme: labels of the project.

    Raises:
        StudioError: the server refused, or the connection broke for good; the server keeps the tasks that it accepted,
            and the next push continues.
    """
    if plan.drawn.new:
        write_sample(work, plan.drawn.draws)
    if plan.asked.qualify:
        write_qualifications(work, plan.qualifications)
    done = migrate(studio, plan.migrations, work, progress) if plan.asked.migrate else None
    if plan.asked.predictions:
        # First what no annotator can have seen yet; of tasks that are there, after they have their prediction.
        created = {task.sentence_id for part in plan.projects for task in part.create}
        _note(studio, work, scheme, plan, {key: plan.predictions[key] for key in created & plan.predictions.keys()})
    every = [*plan.projects, *([plan.queue] if plan.queue else []), *plan.qualifying]
    progress(0, sum(len(part.create) + len(part.update) for part in every))
    labelling = [_apply(studio, part, project, progress, plan.asked.prune, plan.predictions) for part in plan.projects]
    if plan.asked.predictions:
        changed = {key for part in plan.projects for _, key in part.predict}
        _note(studio, work, scheme, plan, {key: plan.predictions[key] for key in changed})
    return Pushed(
        labelling=labelling,
        queue=_apply(studio, plan.queue, project, progress, True, {}) if plan.queue else None,
        qualifying={part.title: _apply(studio, part, project, progress, True, {}) for part in plan.qualifying},
        migrated=done,
    )


def _note(studio: Studio, work: Path, scheme: Scheme, plan: PushPlan, shown: Mapping[str, Prediction]) -> None:
    """Note which sentences show their prediction from now on, and which hold it back."""
    since = studio.clock().isoformat(timespec="seconds")
    pairs = [*((key, one, False) for key, one in plan.held_back.items()), *((k, shown[k], True) for k in sorted(shown))]
    add_suggestions(
        work,
        scheme,
        [
            Suggestion(sentence_id=key, stance=one.stance, model=one.model, shown=seen, since=since)
            for key, one, seen in pairs
        ],
    )


def _apply(
    studio: Studio,
    plan: ProjectPlan,
    project: Path,
    progress: Callable[..., None],
    prune: bool,
    said: Mapping[str, Prediction],
) -> int:
    if plan.project is None:
        project_id = studio.create_project(plan.title, **plan.settings)
    else:
        project_id = plan.project.id
        if plan.settings:
            studio.change_project(project_id, **plan.settings)
    payload = [
        {"data": data(task)}
        # Label Studio keeps this for every edition; only some of them refuse to skip the task then.
        | ({"allow_skip": False} if task.control else {})
        | ({"predictions": [_prediction(said[task.sentence_id])]} if task.sentence_id in said else {})
        for task in plan.create
    ]
    _send(studio, project_id, payload, plan.held, project, progress)
    for id_, new in plan.update:
        studio.update_task(id_, new)
        progress(1)
    if plan.predict:
        studio.predict(project_id, [{"task": id_, **_prediction(said[key])} for id_, key in plan.predict])
    removed = studio.remove_tasks(project_id, [*plan.twice, *(plan.stale if prune else [])])
    if plan.create and studio.task_number(project_id) != plan.held + len(plan.create) - removed:
        # Another computer pushed in the meantime, or a batch whose answer was lost arrived later than ever seen.
        studio.remove_tasks(project_id, compare(plan.title, plan.project, studio.tasks(project_id), plan.create).twice)
    return project_id


def _prediction(said: Prediction) -> dict[str, Any]:
    score = {} if said.probability is None else {"score": said.probability}
    return {"model_version": said.model, **score, "result": [chosen("stance", said.stance)]}


def _send(
    studio: Studio,
    project_id: int,
    payload: Sequence[dict[str, Any]],
    held: int,
    project: Path,
    progress: Callable[..., None],
) -> None:
    """Import tasks one batch at a time; if the connection breaks, check what arrived before sending again."""
    waiting = list(payload)
    if not waiting:
        return
    # Batches have about the same size, so that the last one of 10,001 tasks is not a single task.
    size = math.ceil(len(waiting) / math.ceil(len(waiting) / BATCH))
    failures = 0
    while waiting:
        batch = waiting[:size]
        note = _Sending(url=studio.url, project_id=project_id, before=held, tasks=len(batch), since=time.time())
        private_folder(project)
        write_bytes(project / SENDING, msgspec.json.encode(note), mode=0o600)
        try:
            studio.import_tasks(project_id, batch)
            arrived = len(batch)
            waiting = waiting[size:]
        except BrokenConnectionError as error:
            _settled(studio, note)
            there = {(task.data.get("sentence_id"), task.data.get("control", 0)) for task in studio.tasks(project_id)}
            left = [row for row in waiting if (row["data"]["sentence_id"], row["data"].get("control", 0)) not in there]
            arrived, waiting = len(waiting) - len(left), left
            failures = 0 if arrived else failures + 1
            if failures > RETRIES:
                raise StudioError(f"{error}. Nothing is lost: run the same command again") from error
        held += arrived
        progress(arrived)
    (project / SENDING).unlink(missing_ok=True)


def await_import(studio: Studio, project: Path) -> None:
    """Wait for an import that a killed push had sent, until it has arrived or cannot arrive any more."""
    path = project / SENDING
    if not path.is_file():
        return
    note = read_json(path, _Sending, advice="delete it and push again in a minute")
    if note.url == studio.url:
        _settled(studio, note)


def _settled(studio: Studio, note: _Sending) -> None:
    """Wait until an import whose answer was lost has arrived, or was sent too long ago to arrive."""
    since = min(note.since, time.time())
    while True:
        try:
            if studio.task_number(note.project_id) >= note.before + note.tasks:
                return
        except BrokenConnectionError:
            if time.time() - since > SETTLE:
                raise
        except StudioError:
            return  # the project is gone: nothing to wait for
        if time.time() - since > SETTLE:
            return
        time.sleep(0.5)
