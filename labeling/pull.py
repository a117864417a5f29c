"""The annotators' answers brought home: what changed since the last pull, merged into what is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from corpus.records import SENTENCES, StudioError
from corpus.store import locked, read_jsonl, read_table, table_path, write_bytes, write_jsonl
from labeling.accounts import pseudonyms
from labeling.answers import read_adjudication, read_answer
from labeling.records import Adjudication, Annotation, Codebook, LabelingSettings, Superseded
from labeling.studio import ANSWERS, TIMES, Project, Studio, StudioTask

ANNOTATIONS = "annotations.jsonl"
ADJUDICATIONS = "adjudications.jsonl"
HISTORY = "history.jsonl"
STATE = Path(".stance") / "pulled.json"
DELETED = "deleted"
"""Who gave an answer that was first seen when its account had been deleted: the server no longer says."""
LOOK_BACK = timedelta(seconds=60)
"""How long before the last pull is looked at again: a change that was being written then has an earlier time."""


class PullSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What is known after a pull, and what it brought.

    `fetched` counts the tasks that were read whole; `edited` and `deleted` the earlier answers that went to
    `history.jsonl`; `without_sentence` those to tasks whose sentence left the corpus.
    """

    annotations: int
    skips: int
    annotators: int
    adjudications: int
    fetched: int
    edited: int
    deleted: int
    without_sentence: int
    foreign: int
    changed: bool


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A task as the last pull saw it: when it had changed, and the ids of its answers."""

    updated_at: str
    answers: list[int]


class _Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """What the last pull saw of one project; `clock` is the server's time just before it."""

    clock: datetime
    tasks: dict[int, _Seen]


class _State(msgspec.Struct, frozen=True, kw_only=True):
    """The last pull: of which server, by id of project; `digest` is of the annotations that it wrote."""

    url: str
    digest: str
    projects: dict[int, _Pulled]


def pull(studio: Studio, settings: LabelingSettings, work: Path, project: Path, codebook: Codebook) -> PullSummary:
    """Bring every submitted answer home, as `annotations.jsonl`; drafts stay at the server.

    Only tasks that changed since the last pull are read whole. What that pull saw is kept in a private file,
    written last: a pull that was killed anywhere is made good by the next, which then reads everything.

    Args:
        studio: the server.
        settings: `[labeling]` of stance.toml.
        work: the project's folder of tables.
        project: the project folder, whose private files map accounts to pseudonyms and keep the last pull.
        codebook: answers that were not known before get its version.

    Raises:
        StudioError: there is no such project, or an answer has a choice that the codebook lacks; nothing is
            written then.
    """
    ids = read_table(work / "sentences.parquet", pa.schema([SENTENCES.field("sentence_id")]), "stance build")
    corpus = set(ids.column("sentence_id").to_pylist())
    with locked(project, "pull"):
        known = _known(table_path(work, ANNOTATIONS))
        last = _last_pull(project)
        state = _trusted(last, studio.url, table_path(work, ANNOTATIONS))
        pulled: dict[int, _Pulled] = {}
        fetched: list[StudioTask] = []
        for title in settings.titles:
            at_server = _project(studio, title)
            pulled[at_server.id], tasks = _changes(studio, at_server, state.projects.get(at_server.id))
            fetched += tasks
        asked = studio.find_project(settings.queue_title)
        queue = studio.tasks(asked.id, ANSWERS) if asked else []
        by = {answer["completed_by"] for task in [*fetched, *queue] for answer in task.annotations}
        names = pseudonyms(project, studio.accounts(), by - {None})
        fresh = _annotations(fetched, names, known, codebook)
        unread = _unread(last, studio.url, pulled)
        elsewhere = _answers(unread or {})
        gone = _dropped(state, pulled)
        kept = [
            row
            for row in known
            if row.adopted
            or unread is None
            or row.studio_id in elsewhere
            or (state.projects and row.studio_id not in gone)
        ]
        rows = merge(kept, fresh)
        before = read_adjudications(table_path(work, ADJUDICATIONS))
        # Another title in stance.toml, or a queue that was deleted, takes no verdict back.
        settled = _adjudications(queue, names, before, codebook) if asked else before
        history = superseded(known, rows)
        changed = [
            write_history(work, history),
            write_jsonl(table_path(work, ANNOTATIONS), rows),
            bool(settled or before) and write_jsonl(table_path(work, ADJUDICATIONS), settled),
        ]
        seen = {**(unread or {}), **pulled}
        state = _State(url=studio.url, digest=_digest(table_path(work, ANNOTATIONS)), projects=seen)
        write_bytes(project / STATE, msgspec.json.encode(state), mode=0o600)
    return PullSummary(
        annotations=len(rows),
        skips=sum(row.stance is None for row in rows),
        annotators=len({row.annotator for row in rows}),
        adjudications=len(settled),
        fetched=len(fetched),
        edited=sum(row.why == "edited" for row in history),
        deleted=sum(row.why == "deleted" for row in history),
        without_sentence=sum(row.sentence_id not in corpus for row in rows),
        foreign=sum(task.key is None for task in fetched),
        changed=any(changed),
    )


def _project(studio: Studio, title: str) -> Project:
    found = studio.find_project(title)
    if found is None:
        raise StudioError(f"{studio.url} has no project with the title {title!r}: run `stance push`")
    return found


def _changes(studio: Studio, project: Project, before: _Pulled | None) -> tuple[_Pulled, list[StudioTask]]:
    """What a project holds now, and those of its tasks that changed since `before`, with their answers."""
    clock = studio.clock()
    if before is None:
        tasks = studio.tasks(project.id, ANSWERS)
        _check_ours(studio, project, tasks)
        return _Pulled(clock=clock, tasks={task.id: _seen(task) for task in tasks}), tasks
    recent = studio.tasks(project.id, TIMES, since=before.clock - LOOK_BACK)
    moved = [
        task for task in recent if (seen := before.tasks.get(task.id)) is None or seen.updated_at != task.updated_at
    ]
    tasks = []
    if moved:
        earliest = datetime.fromisoformat(min(task.updated_at for task in moved)) - timedelta(microseconds=1)
        tasks = studio.tasks(project.id, ANSWERS, since=earliest)
    now = {**before.tasks, **{task.id: _seen(task) for task in tasks}}
    # Deleted tasks leave no trace but in the count: the tasks there are among those seen, so equal numbers mean
    # equal sets.
    number = studio.task_number(project.id)
    if number != len(now):
        gone = studio.gone(project.id, now)
        now = {id_: seen for id_, seen in now.items() if id_ not in gone}
        if number != len(now):
            return _changes(studio, project, None)
    # The server writes an answer first and the task's time after it, not as one: where it is killed between the two,
    # no time tells of the answer.
    if studio.answer_number(project.id) != sum(len(seen.answers) for seen in now.values()):
        return _changes(studio, project, None)
    return _Pulled(clock=clock, tasks=now), tasks


def _check_ours(studio: Studio, project: Project, tasks: list[StudioTask]) -> None:
    if tasks and all(task.key is None for task in tasks):
        raise StudioError(
            f"none of the {len(tasks)} tasks of {project.title!r} at {studio.url} has a sentence_id, so `stance push` "
            "didn't make them: set [labeling] title to a title of your own; to take over that project's labels, "
            "export it as JSON and run `stance pull --from EXPORT`"
        )


def _seen(task: StudioTask) -> _Seen:
    return _Seen(updated_at=task.updated_at, answers=[answer["id"] for answer in task.annotations])


def _answers(projects: Mapping[int, _Pulled]) -> set[int]:
    return {id_ for project in projects.values() for task in project.tasks.values() for id_ in task.answers}


def _dropped(state: _State, pulled: Mapping[int, _Pulled]) -> set[int]:
    """Ids of answers that the last pull saw in these projects and this one doesn't."""
    then = {id_: seen for id_, seen in state.projects.items() if id_ in pulled}
    return _answers(then) - _answers(pulled)


def _unread(last: _State | None, url: str, pulled: Mapping[int, _Pulled]) -> dict[int, _Pulled] | None:
    """The projects of the last pull that this one doesn't read: another title, or blind no more, deletes no answer.

    None where the last pull was of another server.
    """
    if last is None:
        return {}
    if last.url != url:
        return None
    return {id_: seen for id_, seen in last.projects.items() if id_ not in pulled}


def _annotations(
    tasks: Iterable[StudioTask], names: Mapping[int, str], known: Iterable[Annotation], codebook: Codebook
) -> list[Annotation]:
    before = {row.studio_id: row for row in known if not row.adopted}
    rows: list[Annotation] = []
    for task in tasks:
        if task.key is None:
            continue
        sentence_id, control = task.key
        for answer in task.annotations:
            seen = before.get(answer["id"])
            version = version_of(seen, answer, codebook)
            name = names.get(answer["completed_by"]) or (seen.annotator if seen else DELETED)
            rows.append(read_answer(answer, sentence_id, name, version, control=control))
    return rows


def version_of(before: Annotation | Adjudication | None, answer: Mapping[str, Any], codebook: Codebook) -> str:
    """The codebook's version that an answer was given under: the one it was first seen with, until it is edited."""
    if before is not None and before.updated_at == (answer.get("updated_at") or ""):
        return before.codebook
    return codebook.version


def _adjudications(
    tasks: Iterable[StudioTask], names: Mapping[int, str], known: Iterable[Adjudication], codebook: Codebook
) -> list[Adjudication]:
    before = {row.studio_id: row for row in known}
    rows: list[Adjudication] = []
    for task in tasks:
        if task.key is None:
            continue
        for answer in task.annotations:
            seen = before.get(answer["id"])
            version = version_of(seen, answer, codebook)
            name = names.get(answer["completed_by"]) or (seen.adjudicator if seen else DELETED)
            rows.append(read_adjudication(answer, task.key[0], name, version, task.data.get("given") or {}))
    return sorted(rows, key=lambda row: (row.sentence_id, row.studio_id or 0))


def read_adjudications(path: Path) -> list[Adjudication]:
    """What people settled so far; nothing where nobody did."""
    return read_jsonl(path, Adjudication, "stance pull") if path.is_file() else []


def merge(kept: Iterable[Annotation], fresh: Iterable[Annotation]) -> list[Annotation]:
    """Answers by their ids, the fresh ones over those that were kept, in the order of the file."""
    rows = {_identity(row): row for row in [*kept, *fresh]}
    return sorted(rows.values(), key=lambda row: (row.sentence_id, row.annotator, row.studio_id or 0))


def _identity(row: Annotation) -> tuple[object, ...]:
    """What stays the same in an answer; ids of several servers can be equal, and answers made by hand have none."""
    if row.studio_id is None:
        return row.adopted, row.created_at, row.sentence_id, row.annotator, row.control
    return row.adopted, row.created_at, row.studio_id


def superseded(before: Iterable[Annotation], now: Iterable[Annotation]) -> list[Superseded]:
    """The answers that were edited or deleted since."""
    current = {_identity(row): row for row in now}
    found: list[Superseded] = []
    for row in before:
        new = current.get(_identity(row))
        if new is None or new.updated_at != row.updated_at:
            found.append(Superseded(why="deleted" if new is None else "edited", answer=row))
    return found


def write_history(work: Path, found: Iterable[Superseded]) -> bool:
    """Add superseded answers to `history.jsonl`, each once."""
    path = table_path(work, HISTORY)
    rows = read_jsonl(path, Superseded, "stance pull") if path.is_file() else []
    # Not by `why`: after a pull that was killed here, an answer that it saw edited may be found deleted.
    kept = {(_identity(row.answer), row.answer.updated_at): row for row in rows}
    for row in found:
        kept.setdefault((_identity(row.answer), row.answer.updated_at), row)
    ordered = sorted(
        kept.values(),
        key=lambda row: (row.answer.sentence_id, row.answer.studio_id or 0, row.answer.updated_at, row.why),
    )
    return bool(kept) and write_jsonl(path, ordered)


def _known(path: Path) -> list[Annotation]:
    return read_jsonl(path, Annotation, "stance pull") if path.is_file() else []


def _last_pull(project: Path) -> _State | None:
    try:
        return msgspec.json.decode((project / STATE).read_bytes(), type=_State)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _trusted(last: _State | None, url: str, annotations: Path) -> _State:
    """What the last pull saw; nothing where the annotations are no longer those that it wrote."""
    if last and last.url == url and annotations.is_file() and last.digest == _digest(annotations):
        return last
    return _State(url=url, digest="", projects={})


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
