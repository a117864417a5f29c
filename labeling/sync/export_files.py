"""Write tasks to a file for Label Studio, and read answers from its exports, without a server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import ConfigError, TableError
from corpus.near_duplicates import normalise
from corpus.store import table_path, write_bytes, write_json, write_jsonl
from labeling.codebook import Codebook
from labeling.records import Annotation, Stance, Task, key_of
from labeling.sampling.sample import read_sample
from labeling.studio.answers import checked, foreign_stance, read_answer
from labeling.studio.project_page import INTERFACE, page
from labeling.studio.tasks import Corpus, data
from labeling.sync.account_register import read_register, write_register
from labeling.sync.answer_sources import Evidence, is_version, task_mark
from labeling.sync.known_answers import ANNOTATIONS, digest, read_known, write_known
from labeling.sync.known_places import Located, Reading, locate_export
from labeling.sync.merge_answers import give, is_named, known_names, later, merge, pair, superseded
from labeling.sync.pseudonyms import Naming, giver, listed, name_accounts, person_called

UNMATCHED = "unmatched.jsonl"


class Unmatched(msgspec.Struct, frozen=True, kw_only=True):
    """A task or answer of an export that could not be adopted for a sentence of the corpus, and why."""

    task: int
    text: str
    reason: str
    annotation: int | None = None


class ExportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an export held.

    Attributes:
        annotations: number of answers to tasks that stance made.
        adopted: number of answers to other tasks, matched by their text.
        unmatched: number of tasks and answers that matched nothing.
        annotators: number of people who gave the answers.
        edited: number of answers that are or were another version of one in the export.
        deleted: number of answers that the export no longer has and that were deleted.
        missing: number of answers that the export no longer has and that stay.
        notes: what else the user should know, a line each.
        aliases: spelling in other projects → stance that it was read as.
        changed: whether a file changed.
    """

    annotations: int
    adopted: int
    unmatched: int
    annotators: int
    edited: int
    deleted: int
    missing: int
    notes: list[str]
    aliases: dict[str, Stance]
    changed: bool


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    data: dict[str, Any]
    annotations: list[dict[str, Any]]
    created_at: Any = None
    project: Any = None

    @property
    def key(self) -> tuple[str, int] | None:
        return key_of(self.data)

    @property
    def mark(self) -> str:
        return task_mark(self.id, self.created_at if isinstance(self.created_at, str) else "")


def write_tasks(path: Path, tasks: Iterable[Task]) -> bool:
    """Write tasks in the form of Label Studio's import, and a file with the labelling page beside them.

    Returns:
        Whether a file changed.
    """
    shown = write_bytes(path.with_suffix(".xml"), page(INTERFACE).encode() + b"\n")
    return shown | write_json(path, [{"data": data(task)} for task in tasks])


def read_export(
    path: Path,
    corpus: Corpus,
    work: Path,
    project: Path,
    codebook: Codebook,
    *,
    annotator: str | None = None,
    replace: bool = False,
) -> ExportSummary:
    """Merge the answers of a Label Studio JSON export into `annotations.jsonl`.

    Tasks with a `sentence_id` are those of `stance push`. Other tasks are matched by their text with a group of
    exact copies, and their choices by the alias table; what does not match is listed in `unmatched.jsonl`.

    An export shows a part of one project at some time. So it adds answers, and edits that are later than the known
    versions; answers that it lacks stay, unless the user asks for `replace`. Its content shows which project it is of,
    and thereby whose its accounts are.

    Args:
        path: path of the export, in the format that Label Studio calls JSON (not JSON-MIN, which leaves out who
            answered).
        corpus: sentences of the corpus.
        work: the project's folder of tables.
        project: the project folder, whose private file says who is who.
        codebook: version of the codebook that new answers get.
        annotator: name or pseudonym of the person who gave the answers that nobody is known to have given.
        replace: whether known answers of this project that the export no longer has are deleted.

    Raises:
        TableError: the file is not such an export, or is an export of the queue.
        StudioError: an answer to a task that stance made has a choice that the codebook lacks.
        ConfigError: `annotator` cannot be a name, or the answers of unknown people are from several accounts.
            In all three cases nothing is written.
    """
    tasks = _read(path)
    register = read_register(project)
    register.apply_same()
    known = read_known(work, register)
    by_text = _by_text(
        corpus, {row.sentence_id for row in known.annotations}, {row.sentence_id for row in read_sample(work)}
    )
    taken = _take(tasks, by_text, codebook)
    givers = {key: "" for key in taken.keys if key}
    givers |= {who.key: who.address for task in tasks for row in task.annotations if (who := giver(row)).address}
    evidence = Evidence(taken.rows, {task.mark for task in tasks})
    number = next((task.project for task in tasks if isinstance(task.project, int)), 0)
    located = locate_export(register, Reading(number=number, evidence=evidence, known=known.answers()), givers, path)
    known = known.moved(located.change)
    answers = known.annotations
    fresh = [msgspec.structs.replace(row, source=located.sources[0]) for row in taken.rows]
    pairs = pair(answers, fresh)
    called = {}
    if annotator is not None:
        person = person_called(register, annotator, known.names)
        called = _called(path, person, taken.keys, pairs, answers)
    named = name_accounts(
        register,
        located.place,
        {key: givers[key] for key in taken.keys if key},
        known=known_names(answers, fresh, taken.keys, pairs),
        taken=known.names,
        in_step=bool(known.digest) and register.labels == known.digest,
        older=any(place is not None and not answers[place].source for place in pairs),
        called=called,
    )
    names = {**named.people, **called}
    fresh = give(fresh, taken.keys, pairs, names, [row.answer for row in known.history], known.names)
    held = {(answer["id"], answer.get("created_at") or "") for task in tasks for answer in task.annotations}
    read = set(pairs)
    missing = [
        row
        for place, row in enumerate(answers)
        if row.source == located.sources[0] and place not in read and (row.studio_id, row.created_at) not in held
    ]
    absent = {id(row) for row in missing}
    merged = merge(answers, fresh, pairs, lambda row: replace and id(row) in absent)
    history = superseded(merged, known.history)
    unmatched = write_jsonl(work / UNMATCHED, taken.unmatched)
    changed = write_known(work, register, merged.rows, [*known.history, *history], known.adjudications, known.withdrawn)
    register.labels = digest(table_path(work, ANNOTATIONS))
    write_register(project, register)
    return ExportSummary(
        annotations=sum(not row.adopted for row in fresh),
        adopted=sum(row.adopted for row in fresh),
        unmatched=len(taken.unmatched),
        annotators=len({row.annotator for row in fresh}),
        edited=sum(row.why == "edited" for row in history),
        deleted=sum(row.why == "deleted" for row in history),
        missing=0 if replace else len(missing),
        notes=[*located.notes, *named.notes, *_new(named, located, givers, annotator)],
        aliases=dict(sorted(taken.aliases.items())),
        changed=changed or unmatched,
    )


class _Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an export: answers without people and source, the account of each, and what matches nothing."""

    rows: list[Annotation]
    keys: list[str]
    unmatched: list[Unmatched]
    aliases: dict[str, Stance]


def _take(tasks: Iterable[_Task], by_text: Mapping[str, list[str]], codebook: Codebook) -> _Taken:
    """The answers of an export; of an answer that occurs several times, the latest version."""
    numbered: dict[int | None, list[int]] = defaultdict(list)
    taken = _Taken(rows=[], keys=[], unmatched=[], aliases={})
    for task in tasks:
        text, ids = _match(task, by_text)
        if task.key is None and len(ids) != 1:
            reason = (
                f"{len(ids)} different sentences have its text" if ids else "no sentence of the corpus has its text"
            )
            taken.unmatched.append(Unmatched(task=task.id, text=text, reason=reason))
            continue
        for answer in task.annotations:
            row, written = _answer(task, answer, codebook, ids[0] if ids else "")
            if row is None:
                taken.unmatched.append(Unmatched(task=task.id, text=text, reason=written, annotation=answer["id"]))
                continue
            unique = answer.get("unique_id")
            row = msgspec.structs.replace(row, task=task.mark, unique_id=unique if isinstance(unique, str) else "")
            again = [place for place in numbered[row.studio_id] if is_version(row, taken.rows[place])]
            if again:
                taken.rows[again[0]] = later(taken.rows[again[0]], row)
                taken.keys[again[0]] = taken.keys[again[0]] or giver(answer).key
            else:
                numbered[row.studio_id].append(len(taken.rows))
                taken.rows.append(row)
                taken.keys.append(giver(answer).key)
            if row.stance is not None and written not in {"", row.stance}:
                taken.aliases[written] = row.stance
    return taken


def _called(
    path: Path, person: str, keys: Sequence[str], pairs: Sequence[int | None], known: Sequence[Annotation]
) -> dict[str, str]:
    """The accounts whose answers are this person's: one account, and answers that name no account."""
    open_ = {key for key, place in zip(keys, pairs, strict=True) if place is None or not is_named(known[place])}
    accounts = sorted(open_ - {""})
    if len(accounts) > 1:
        raise ConfigError(
            f"{path}: --annotator names one person, and the answers that aren't known yet are of {len(accounts)} "
            f"accounts: {', '.join(map(listed, accounts))}. Without --annotator each account is a person"
        )
    return dict.fromkeys(open_, person)


def _new(named: Naming, located: Located, givers: Mapping[str, str], annotator: str | None) -> list[str]:
    """Notes for the user on accounts that were taken for new people by their number alone."""
    bare = [key for key in named.new if not givers[key]]
    if not bare or annotator is not None:
        return []
    people_ = ", ".join(f"{listed(key)} is {named.people[key]}" for key in bare)
    why = "no known answer comes from this export's project" if located.new else "new in this project"
    return [f"{why}: {people_}; if that is somebody who is known, pull it with --annotator NAME"]


def _read(path: Path) -> list[_Task]:
    if not path.is_file():
        raise TableError(f"{path}: no such file; --from takes an export of Label Studio in its format JSON")
    try:
        tasks = msgspec.json.decode(path.read_bytes(), type=list[_Task])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path}: expected a Label Studio export in the format JSON (a list of tasks, each with id, data and "
            f"annotations; JSON-MIN doesn't say who answered); found: {error}"
        ) from error
    for task in tasks:
        if "given" in task.data and task.key:
            raise TableError(
                f"{path}: this is the export of the queue, whose answers are not votes; `stance pull` has them"
            )
        for answer in task.annotations:
            if not isinstance(answer.get("id"), int) or not isinstance(answer.get("result"), list):
                # The values are not shown, as they name people.
                keys = ", ".join(sorted(answer)) or "nothing"
                raise TableError(f"{path}: task {task.id}: expected annotations with id and result; found {keys}")
    return tasks


def _by_text(corpus: Corpus, *preferred: set[str]) -> dict[str, list[str]]:
    """The sentences that stand for each group of exact copies, by their normalised text."""
    ids: dict[str, list[str]] = defaultdict(list)
    for unit in corpus.units(corpus.chosen(*preferred)):
        ids[normalise(unit.text)].append(unit.sentence_id)
    return ids


def _match(task: _Task, by_text: Mapping[str, list[str]]) -> tuple[str, list[str]]:
    """The text of a task, and the sentences that have it: the field `text`, or else the only field that matches."""
    fields = {name: value for name, value in task.data.items() if isinstance(value, str)}
    text = fields.get("text") or max(fields.values(), key=len, default="")
    if "text" in fields:
        return text, by_text.get(normalise(text), [])
    matches = {id_: value for value in fields.values() for id_ in by_text.get(normalise(value), [])}
    return next(iter(matches.values()), text), list(matches)


def _answer(task: _Task, answer: Mapping[str, Any], codebook: Codebook, matched: str) -> tuple[Annotation | None, str]:
    """An answer, and how an adopted one was spelled; or None, and the reason."""
    if task.key is not None:
        sentence_id, control = task.key
        return read_answer(answer, sentence_id, "", codebook.version, control=control), ""
    foreign = foreign_stance(answer)
    if foreign.reason:
        return None, foreign.reason
    row = Annotation(
        sentence_id=matched,
        annotator="",
        stance=foreign.stance,
        seconds=answer.get("lead_time"),
        created_at=answer.get("created_at") or "",
        updated_at=answer.get("updated_at") or "",
        codebook=codebook.version,
        studio_id=answer["id"],
        adopted=True,
    )
    return checked(row, answer), foreign.written
