"""Plan a push: compare the rounds to label with what the server holds."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import StudioError
from corpus.store import read_jsonl, table_path
from labeling.codebook import Codebook
from labeling.overlap import in_share
from labeling.records import Annotation, LabelingSettings, Task, Unsettled
from labeling.sampling.rounds import Drawn, draw_round
from labeling.sampling.sample import By
from labeling.studio.client import Project, Studio, StudioTask
from labeling.studio.project_page import INTERFACE, QUEUE, instruction, page
from labeling.studio.tasks import Corpus, Prediction, data, read_predictions

MADE_BY = "Made by stance; interface"


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

    @property
    def server_only(self) -> int:
        """Tasks whose sentence the corpus no longer has."""
        return self.answered + len(self.stale)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a push was asked for.

    Attributes:
        limit: number of sentences of a new round; 0 draws no new round; None takes all that are left if no round was
            drawn yet.
        by: way of drawing them.
        control: number of settled sentences to repeat.
        everything: whether to draw all that are left, whatever was drawn before.
        prune: whether to remove unanswered tasks whose sentence left the corpus.
        predictions: whether to show annotators the model's predictions.
        force: whether to restore stance's interface where it was changed by hand.
    """

    limit: int | None = None
    by: By = "random"
    control: int = 0
    everything: bool = False
    prune: bool = False
    predictions: bool = False
    force: bool = False


class PushPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a push will do: to the labelling projects, and to the queue where there is one."""

    asked: Asked
    drawn: Drawn
    projects: list[ProjectPlan]
    queue: ProjectPlan | None
    predictions: dict[str, Prediction]


def plan_push(
    studio: Studio,
    work: Path,
    settings: LabelingSettings,
    target: str,
    codebook: Codebook,
    asked: Asked,
) -> PushPlan:
    """Compare what the server holds with what it should hold.

    Args:
        studio: the server.
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.
        target: what the stance is toward.
        codebook: the codebook, which the page shows.
        asked: what the push was asked for.

    Raises:
        StudioError: a project holds tasks, but none that a push made.
        ConfigError: the round can't be drawn as asked.
        TableError: a table is missing or malformed.
    """
    corpus = Corpus(work)
    predictions = read_predictions(work) if asked.predictions else {}
    projects = [(title, studio.find_project(title)) for title in settings.titles]
    held = [(title, at_server, studio.tasks(at_server.id) if at_server else []) for title, at_server in projects]
    for title, _, tasks in held:
        if tasks and all(task.key is None for task in tasks):
            raise StudioError(
                f"{studio.url} has a project {title!r} with {len(tasks)} tasks that `stance push` didn't make: set "
                "another [labeling] title; `stance pull --from EXPORT` takes over the labels of that one"
            )
    ids = {task.key[0] for _, _, tasks in held for task in tasks if task.key and not task.key[1]}
    drawn = draw_round(
        corpus,
        work,
        ids,
        settings,
        target,
        limit=asked.limit,
        by=asked.by,
        control=asked.control,
        everything=asked.everything,
    )
    plans: list[ProjectPlan] = []
    for number, (title, at_server, tasks) in enumerate(held):
        keys = [
            (id_, control)
            for id_, control in drawn.keys
            if not settings.blind or number == 0 or control or in_share(id_, settings.overlap_share)
        ]
        plan = compare(title, at_server, tasks, corpus.tasks(keys, target))
        wanted = {
            "expert_instruction": instruction(codebook),
            # If shown at every visit, its window would cover the first sentence, and hotkeys would act behind it.
            "show_instruction": False,
            "show_collab_predictions": asked.predictions,
            "maximum_annotations": 1 if settings.blind else settings.overlap,
            "overlap_cohort_percentage": 100 if settings.blind else round(settings.overlap_share * 100),
        }
        plan = _with_settings(plan, INTERFACE, wanted, asked.force)
        lacking = [
            (task.id, task.key[0])
            for task in tasks
            if task.key and task.key[0] in predictions and not task.total_predictions
        ]
        plans.append(msgspec.structs.replace(plan, predict=lacking))
    queue = _plan_queue(studio, work, corpus, settings, target, codebook, asked.force)
    return PushPlan(asked=asked, drawn=drawn, projects=plans, queue=queue, predictions=predictions)


def _plan_queue(
    studio: Studio,
    work: Path,
    corpus: Corpus,
    settings: LabelingSettings,
    target: str,
    codebook: Codebook,
    force: bool,
) -> ProjectPlan | None:
    """What the queue's project should hold: what `stance adjudicate` left open, lowest agreement first."""
    project = studio.find_project(settings.queue_title)
    path = work / "queue.jsonl"
    unsettled = read_jsonl(path, Unsettled, "stance adjudicate") if path.is_file() else []
    if project is None and not unsettled:
        return None
    said = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "stance pull") if unsettled else []
    tasks = studio.tasks(project.id) if project else []
    plan = compare(settings.queue_title, project, tasks, corpus.queue(unsettled, said, target))
    # Tasks with answers are not updated: what the adjudicator saw when answering is part of the answer.
    answered = {task.id for task in tasks if task.total_annotations}
    update = [(id_, new) for id_, new in plan.update if id_ not in answered]
    plan = msgspec.structs.replace(plan, update=update, unchanged=plan.unchanged + len(plan.update) - len(update))
    wanted = {"expert_instruction": instruction(codebook), "show_instruction": False, "maximum_annotations": 1}
    return _with_settings(plan, QUEUE, wanted, force)


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


def _with_settings(plan: ProjectPlan, interface: Path, wanted: dict[str, Any], force: bool) -> ProjectPlan:
    """Add what has to change in the project's settings; the interface only if nobody changed it at the server.

    The project's description says which interface and instruction a push gave it last: somebody may have changed the
    interface since, and the server rewrites the instruction.
    """
    text = page(interface)
    shown = _digest(wanted["expert_instruction"])
    everything = {"label_config": text, **wanted, "description": f"{MADE_BY} {_digest(text)}, instruction {shown}"}
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
        everything["description"] = f"{kept}, instruction {shown}"
    changes = {name: value for name, value in everything.items() if getattr(plan.project, name) != value}
    return msgspec.structs.replace(plan, settings=changes, by_hand=by_hand)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
