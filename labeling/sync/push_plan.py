"""Plan a push: compare the rounds to label with what the server holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from corpus.errors import StudioError, TableError
from corpus.numbers import number as counted
from corpus.store import read_jsonl, read_jsonl_if_there, table_path
from labeling.codebook import Codebook
from labeling.feedback.qualification import Qualification, draw_qualification, read_qualifications
from labeling.machine.anchoring import is_shown
from labeling.machine.predictions import coder_predictions
from labeling.migration.plan import ProjectMigration, plan_migration
from labeling.overlap import in_share
from labeling.records import Annotation, LabelingSettings, Unsettled, Verdict
from labeling.sampling.rounds import Drawn, draw_round
from labeling.sampling.sample_table import By
from labeling.scheme import DEFAULT, Scheme, read_labelled, read_labelled_if_there
from labeling.studio.project_page import INTERFACE, QUEUE, instruction, page
from labeling.studio.project_plan import ProjectPlan, compare, with_settings
from labeling.studio.tasks import Corpus, Prediction, read_predictions

if TYPE_CHECKING:
    from labeling.studio.client import Studio


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a push was asked for.

    Attributes:
        limit: number of sentences of a new round; 0 draws no new round; None takes all that are left if no round was
            drawn yet.
        by: way of drawing them.
        control: number of settled sentences to repeat.
        everything: whether to draw all that are left, whatever was drawn before.
        migrate: whether to bring the answers at the server to the labels of the present codebook.
        qualify: pseudonym of a new annotator, who is to label `limit` settled sentences first; no round is drawn then.
        prune: whether to remove unanswered tasks whose sentence left the corpus.
        predictions: whether to show annotators the model's predictions.
        coder: machine coder whose labels are shown in place of the model's predictions; empty for the model's.
        force: whether to restore stance's interface where it was changed by hand.
    """

    limit: int | None = None
    by: By = "random"
    control: int = 0
    everything: bool = False
    migrate: bool = False
    qualify: str = ""
    prune: bool = False
    predictions: bool = False
    coder: str = ""
    force: bool = False


class PushPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a push will do: to the labelling projects, the queue where there is one, and projects for qualification.

    `qualifications` are those to be kept, the new one included; `qualifying` are their projects. `predictions` are
    those that are shown, by sentence, and `held_back` those that are held back.
    """

    asked: Asked
    drawn: Drawn
    projects: list[ProjectPlan]
    queue: ProjectPlan | None
    predictions: dict[str, Prediction]
    qualifications: list[Qualification] = []
    qualifying: list[ProjectPlan] = []
    notes: list[str] = []
    migrations: list[ProjectMigration] = []
    held_back: dict[str, Prediction] = {}


def plan_push(
    studio: Studio,
    work: Path,
    folder: Path,
    settings: LabelingSettings,
    target: str,
    codebook: Codebook,
    asked: Asked,
    scheme: Scheme = DEFAULT,
) -> PushPlan:
    """Compare what the server holds with what it should hold.

    Args:
        studio: the server.
        work: the project's folder of tables.
        folder: the project folder, whose private file says which projects hold imported answers.
        settings: `[labeling]` of stance.toml.
        target: what the stance is toward.
        codebook: the codebook, which the page shows.
        asked: what the push was asked for.
        scheme: labels of the project.

    Raises:
        StudioError: a project holds tasks, but none that a push made.
        ConfigError: the round can't be drawn as asked.
        TableError: a table is missing or malformed.
    """
    corpus = Corpus(work)
    given: dict[str, Prediction] = {}
    if asked.predictions:
        given = coder_predictions(work, asked.coder, scheme) if asked.coder else read_predictions(work, scheme)
    predictions = {key: one for key, one in given.items() if is_shown(key, settings.assist_share, settings.seed)}
    hidden = given.keys() - predictions.keys()
    projects = [(title, studio.find_project(title)) for title in settings.titles]
    held = [(title, at_server, studio.tasks(at_server.id) if at_server else []) for title, at_server in projects]
    for title, _, tasks in held:
        if tasks and all(task.key is None for task in tasks):
            raise StudioError(
                f"{studio.url} has a project {title!r} with {counted(len(tasks), 'task')} that `stance push` didn't "
                "make: set another [labeling] title; `stance pull --from EXPORT` takes over the labels of that one"
            )
    ids = {task.key[0] for _, _, tasks in held for task in tasks if task.key and not task.key[1]}
    drawn = draw_round(
        corpus,
        work,
        ids,
        settings,
        target,
        limit=0 if asked.qualify else asked.limit,
        by=asked.by,
        control=asked.control,
        everything=asked.everything,
        scheme=scheme,
    )
    if (again := len(drawn.draws) - drawn.new) and not any(at_server for _, at_server, _ in held):
        drawn.notes.append(
            f"{studio.url} has no project {settings.titles[0]!r}: one is made, and the sentences of earlier rounds "
            f"({again:,}) are sent to it, too. If they are at this server already, under another title, undo this: "
            "delete the new project, and set [labeling] title to the title that the old one has"
        )
    plans: list[ProjectPlan] = []
    held_back: set[str] = set()
    theirs = _assigned(settings, corpus, drawn)
    for number, (title, at_server, tasks) in enumerate(held):
        keys = [
            (id_, control)
            for id_, control in drawn.keys
            if (id_ in theirs[number] if theirs else not settings.blind or number == 0 or control)
            or (settings.blind and in_share(id_, settings.overlap_share))
        ]
        plan = compare(title, at_server, tasks, corpus.tasks(keys, target))
        wanted = {
            "expert_instruction": instruction(codebook),
            # If shown at every visit, its window would cover the first sentence, and hotkeys would act behind it.
            "show_instruction": False,
            "show_collab_predictions": asked.predictions,
            "maximum_annotations": settings.annotators_of_a_task,
            "overlap_cohort_percentage": 100 if settings.blind or theirs else round(settings.overlap_share * 100),
        }
        plan = with_settings(plan, page(INTERFACE, scheme), wanted, asked.force)
        lacking = [
            (task.id, task.key[0])
            for task in tasks
            if task.key and task.key[0] in predictions and not task.total_predictions
        ]
        # A task that shows its prediction since an earlier push goes on to show it.
        seen = {task.key[0] for task in tasks if task.key and task.total_predictions}
        back = {id_ for id_, control in keys if not control} & hidden - seen
        held_back |= back
        plans.append(msgspec.structs.replace(plan, predict=lacking, held_back=len(back)))
    queue = _plan_queue(studio, work, corpus, settings, target, codebook, scheme, asked.force)
    qualifications, notes = _qualifications(work, corpus, settings, asked, scheme, codebook)
    qualifying = _plan_qualifying(studio, qualifications, corpus, settings, target, codebook, scheme, asked)
    migrations = _migrations(
        studio, [*plans, *([queue] if queue else []), *qualifying], work, folder, settings, codebook, scheme
    )
    waiting = {row.title for row in migrations if row.blocking and not asked.migrate}
    return PushPlan(
        asked=asked,
        drawn=drawn,
        projects=[_keeping_page(plan) if plan.title in waiting else plan for plan in plans],
        queue=_keeping_page(queue) if queue and queue.title in waiting else queue,
        predictions=predictions,
        qualifications=qualifications,
        qualifying=[_keeping_page(plan) if plan.title in waiting else plan for plan in qualifying],
        notes=notes,
        migrations=migrations,
        held_back={key: given[key] for key in sorted(held_back)},
    )


def _migrations(
    studio: Studio,
    plans: Sequence[ProjectPlan],
    work: Path,
    folder: Path,
    settings: LabelingSettings,
    codebook: Codebook,
    scheme: Scheme,
) -> list[ProjectMigration]:
    """What a new version of the codebook does to the answers at the server.

    Without a change list, a new version reopens all labels; the server's answers are then read only if an answer that
    was pulled was given under another version.
    """
    if not codebook.changes:
        known = read_jsonl_if_there(table_path(work, "annotations.jsonl"), Annotation)
        if all(row.codebook in ("", codebook.version) for row in known):
            return []
    there = [plan.project for plan in plans if plan.project]
    found = [plan_migration(studio, project, work, folder, settings, codebook, scheme) for project in there]
    return [row for row in found if row.is_due]


def _keeping_page(plan: ProjectPlan) -> ProjectPlan:
    """The plan without the new labelling page: the server refuses it as long as answers have labels that it lacks."""
    kept = {name: value for name, value in plan.settings.items() if name not in {"label_config", "description"}}
    return msgspec.structs.replace(plan, settings=kept)


def _qualifications(
    work: Path, corpus: Corpus, settings: LabelingSettings, asked: Asked, scheme: Scheme, codebook: Codebook
) -> tuple[list[Qualification], list[str]]:
    """The qualifications so far, with a new one if one is asked for and due; and what the user should know."""
    earlier = read_qualifications(work)
    if not asked.qualify:
        return earlier, []
    verdicts = read_labelled(work / "verdicts.jsonl", Verdict, "stance adjudicate", scheme)
    path = table_path(work, "annotations.jsonl")
    answers = read_labelled_if_there(path, Annotation, scheme, codebook)
    name, count = asked.qualify, asked.limit or 0
    asked_before = {key for row in earlier for key, _ in row.keys}
    here = set(corpus.present({row.sentence_id for row in verdicts} | asked_before))
    new = draw_qualification(earlier, name, count, verdicts, answers, here, settings)
    if new is None:
        return earlier, [f"qualification of {name} again: not all of its sentences have been answered yet"]
    return [*earlier, new], [f"qualification {new.number}: {counted(count, 'settled sentence')} for {name}"]


def _plan_qualifying(
    studio: Studio,
    qualifications: Sequence[Qualification],
    corpus: Corpus,
    settings: LabelingSettings,
    target: str,
    codebook: Codebook,
    scheme: Scheme,
    asked: Asked,
) -> list[ProjectPlan]:
    """What the projects for qualification should hold; one that is gone at the server is made only if asked for."""
    keys: dict[str, list[tuple[str, int]]] = defaultdict(list)
    here = set(corpus.present({key for row in qualifications for key, _ in row.keys}))
    for row in qualifications:
        keys[row.annotator] += [key for key in row.keys if key[0] in here]
    plans: list[ProjectPlan] = []
    for annotator, wanted_keys in keys.items():
        title = settings.qualification_title(annotator)
        project = studio.find_project(title)
        if project is None and annotator != asked.qualify:
            continue
        tasks = studio.tasks(project.id) if project else []
        plan = compare(title, project, tasks, corpus.tasks(wanted_keys, target))
        # More than one answer is let in, so that nobody who opens the project by mistake uses the task up.
        wanted = {
            "expert_instruction": instruction(codebook),
            "show_instruction": False,
            "maximum_annotations": max(2, settings.overlap),
        }
        plans.append(with_settings(plan, page(INTERFACE, scheme), wanted, asked.force))
    return plans


def _assigned(settings: LabelingSettings, corpus: Corpus, drawn: Drawn) -> list[set[str]]:
    """The sentences of each annotator's project, where `[labeling] assign` says which; empty if it doesn't.

    A sentence that is assigned to nobody is counted in the notes of the round.
    """
    assignments = settings.assignments
    if assignments is None:
        return []
    rows = corpus.rows(list(dict.fromkeys(id_ for id_, _ in drawn.keys)))
    theirs = [assignments.of(name, rows) for name in assignments.rules]
    if nobodys := len(rows) - len(set().union(*theirs)):
        drawn.notes.append(f"sentences that [labeling] assign gives to nobody, and that are not sent: {nobodys:,}")
    return theirs


def _plan_queue(
    studio: Studio,
    work: Path,
    corpus: Corpus,
    settings: LabelingSettings,
    target: str,
    codebook: Codebook,
    scheme: Scheme,
    force: bool,
) -> ProjectPlan | None:
    """What the queue's project should hold: what `stance adjudicate` left open, lowest agreement first."""
    project = studio.find_project(settings.queue_title)
    path = work / "queue.jsonl"
    unsettled = read_jsonl_if_there(path, Unsettled)
    if earlier := {label for row in unsettled for label in row.votes.values()} - set(scheme.names):
        raise TableError(
            f"{path}: expected votes for {', '.join(scheme.names)}; found {', '.join(sorted(earlier))}, of an earlier "
            "codebook or [labels]: run `stance adjudicate`, which makes it again, and then push"
        )
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
    return with_settings(plan, page(QUEUE, scheme), wanted, force)
