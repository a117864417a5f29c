"""Write tasks to a file for Label Studio, and read answers from its exports, without a server."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import ConfigError, TableError
from corpus.near_duplicates import normalise
from corpus.numbers import number
from corpus.store import write_bytes, write_json, write_jsonl
from labeling.adopt.exported import Export, ExportTask, Tool, Unmatched
from labeling.adopt.read_file import read_file
from labeling.codebook import Codebook
from labeling.identity.account_register import read_register
from labeling.identity.answer_sources import Evidence, is_version
from labeling.identity.pseudonyms import Naming, giver, listed, name_accounts, person_called
from labeling.migration.migrated_answers import read_migrated
from labeling.records import Annotation, Task
from labeling.sampling.sample_table import read_sample
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.studio.answers import checked, foreign_comment, foreign_stance, read_answer
from labeling.studio.project_page import INTERFACE, page
from labeling.studio.tasks import Corpus, data
from labeling.sync.imported_answers import place_imported
from labeling.sync.known_answers import read_known, write_known
from labeling.sync.known_places import Located, Reading, locate_export
from labeling.sync.merge_answers import give, is_named, known_names, later, merge, pair, superseded

UNMATCHED = "unmatched.jsonl"


class ExportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an export held.

    Attributes:
        tool: program that wrote it.
        annotations: number of answers to tasks that stance made.
        adopted: number of answers to other tasks, matched by their text.
        unmatched: number of tasks and answers that were not adopted.
        unread: those of them that matched a sentence, but have no label of this project, or several.
        ambiguous: those of them without an id whose text several different sentences have.
        left_out: those of them that hold no finished answer, or one that another contradicts.
        annotators: number of people who gave the answers.
        edited: number of answers that are or were another version of one in the export.
        deleted: number of answers that the export no longer has and that were deleted.
        missing: number of answers that the export no longer has and that stay.
        notes: what else the user should know, a line each.
        aliases: spelling in other projects → stance that it was read as.
        changed: files that changed.
    """

    tool: Tool
    annotations: int
    adopted: int
    unmatched: int
    unread: list[Unmatched]
    ambiguous: int
    left_out: int
    annotators: int
    edited: int
    deleted: int
    missing: int
    notes: list[str]
    aliases: dict[str, Stance]
    changed: list[Path]


def write_tasks(path: Path, tasks: Iterable[Task], scheme: Scheme = DEFAULT) -> bool:
    """Write tasks in the form of Label Studio's import, and a file with the labelling page beside them.

    Returns:
        Whether a file changed.
    """
    shown = write_bytes(path.with_suffix(".xml"), page(INTERFACE, scheme).encode() + b"\n")
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
    scheme: Scheme = DEFAULT,
    say: Callable[[str], None] = lambda _: None,
) -> ExportSummary:
    """Merge the answers of an export of Label Studio or of another tool into `annotations.jsonl`.

    Tasks with a `sentence_id` are those of `stance push`. Other tasks are matched by their text with a group of
    exact copies, and their choices by the labels and their aliases; what does not match is listed in `unmatched.jsonl`.

    An export shows a part of one project at some time. So it adds answers, and edits that are later than the known
    versions; answers that it lacks stay, unless the user asks for `replace`. Its content shows which project it is of,
    and thereby whose its accounts are.

    Args:
        path: path of the export, in one of the forms that `labeling.adopt.read_file` knows.
        corpus: sentences of the corpus.
        work: the project's folder of tables.
        project: the project folder, whose private file says who is who.
        codebook: version of the codebook that new answers get.
        annotator: name or pseudonym of the person who gave the answers that nobody is known to have given.
        replace: whether known answers of this project that the export no longer has are deleted, and whether answers
            that differ from those of an earlier file at this path are corrections, if no times tell.
        scheme: labels of the project.
        say: function that is told what will be deleted or replaced, before anything is.

    Raises:
        TableError: the file is not such an export, or is an export of the queue.
        StudioError: an answer to a task that stance made has a choice that the codebook lacks.
        ConfigError: `annotator` cannot be a name, or the answers of unknown people are from several accounts; or
            answers differ from those of an earlier file at this path, and nobody says why.
            In all these cases nothing is written.
    """
    export = _read(path, annotator, scheme)
    register = read_register(project)
    known = read_known(work, register)
    by_text = _by_text(
        corpus,
        export.tasks,
        {row.sentence_id for row in known.annotations},
        {row.sentence_id for row in read_sample(work)},
    )
    taken = _take(export, corpus, by_text, codebook, scheme)
    answers_held = [(task, row) for task in export.tasks for row in task.annotations]
    givers = {key: "" for key in taken.keys if key}
    givers |= {who.key: who.address for _, row in answers_held if (who := giver(row)).address}
    evidence = Evidence(taken.rows, {task.mark for task in export.tasks})
    number = next((task.project for task in export.tasks if isinstance(task.project, int)), 0)
    person = "" if annotator is None else person_called(register, annotator, known.names)
    reading = Reading(number=number, evidence=evidence, known=known.answers())
    located = locate_export(register, reading, givers, path, person=person, corrected=replace)
    if located.contradicts and annotator is None and export.tool != "Label Studio":
        raise ConfigError(
            f"{path}: an earlier file at this path gave other answers, and nothing in it says when answers were given. "
            "If these are corrections, pull it with --replace; if they are another person's, with --annotator NAME"
        )
    known = known.moved(located.change)
    answers = known.annotations
    migrated = read_migrated(work, answers)
    fresh = [msgspec.structs.replace(migrated.as_given(row), source=located.sources[0]) for row in taken.rows]
    pairs = pair(answers, fresh)
    placed = place_imported(answers, fresh, taken.keys, pairs, taken.before, register.origins(), migrated)
    fresh, keys, pairs = placed.rows, placed.keys, placed.pairs
    register.add_origins(placed.origins)
    called = _called(path, person, keys, pairs, answers) if person else {}
    named = name_accounts(
        register,
        located.place,
        {key: givers[key] for key in keys if key},
        known=known_names(answers, fresh, keys, pairs),
        taken=known.names,
        in_step=bool(known.digest) and register.labels == known.digest,
        source=located.sources[0],
        older=any(place is not None and not answers[place].source for place in pairs),
        called=called,
    )
    names = {**named.people, **called}
    fresh = give(fresh, keys, pairs, names, [row.answer for row in known.history], known.names)
    held = {(row["id"], row.get("created_at") or "") for _, row in answers_held}
    read = set(pairs)
    missing = [
        row
        for place, row in enumerate(answers)
        if row.source == located.sources[0] and place not in read and (row.studio_id, row.created_at) not in held
    ]
    absent = {id(row) for row in missing}
    merged = merge(answers, fresh, pairs, lambda row: replace and id(row) in absent)
    for line in _will(replace, missing, [edit.was for edit in merged.edits]):
        say(line)
    history = superseded(merged, known.history)
    not_used = sorted([*taken.unmatched, *taken.ambiguous, *taken.unread], key=lambda row: row.task)
    not_adopted = [*export.left_out, *not_used]
    unmatched = write_jsonl(work / UNMATCHED, not_adopted)
    now = msgspec.structs.replace(known, annotations=merged.rows, history=[*known.history, *history])
    changed = write_known(work, project, register, now)
    return ExportSummary(
        tool=export.tool,
        annotations=sum(not row.adopted for row in fresh),
        adopted=sum(row.adopted for row in fresh),
        unmatched=len(not_adopted),
        unread=taken.unread,
        ambiguous=len(taken.ambiguous),
        left_out=len(export.left_out),
        annotators=len({register.counts(name) for name in {row.annotator for row in fresh}}),
        edited=sum(row.why == "edited" for row in history),
        deleted=sum(row.why == "deleted" for row in history),
        missing=0 if replace else len(missing),
        notes=[*located.notes, *named.notes, *_new(named, located, givers, annotator)],
        aliases=dict(sorted(taken.aliases.items())),
        changed=[*changed, *([work / UNMATCHED] if unmatched else [])],
    )


def _will(replace: bool, missing: Sequence[Annotation], edited: Sequence[Annotation]) -> list[str]:
    """What a merge with `replace` is about to do to known answers, a line each."""
    lines: list[str] = []
    for doing, rows in (("deletes", missing), ("replaces by other versions", edited)):
        if replace and rows:
            people = Counter(row.annotator for row in rows)
            whose = ", ".join(f"{count:,} of {name}" for name, count in sorted(people.items()))
            lines.append(f"--replace {doing} {number(len(rows), 'known answer')} of this file's project: {whose}")
    return lines


class _Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an export: answers without people and source, and what matches nothing.

    `keys` are the accounts of the answers, and `before` the numbers that they had before they were imported, if any.
    """

    rows: list[Annotation]
    keys: list[str]
    before: list[int | None]
    unmatched: list[Unmatched]
    ambiguous: list[Unmatched]
    unread: list[Unmatched]
    aliases: dict[str, Stance]


def _take(
    export: Export, corpus: Corpus, by_text: Mapping[str, list[str]], codebook: Codebook, scheme: Scheme
) -> _Taken:
    """The answers of an export; of an answer that occurs several times, the latest version."""
    numbered: dict[int | None, list[int]] = defaultdict(list)
    taken = _Taken(rows=[], keys=[], before=[], unmatched=[], ambiguous=[], unread=[], aliases={})
    here = set(corpus.present({task.item for task in export.tasks if task.item}))
    for task in export.tasks:
        text, ids = _match(task, here, by_text)
        if task.key is None and len(ids) != 1:
            reason = (
                f"{len(ids):,} different sentences have its text" if ids else "no sentence of the corpus has its text"
            )
            if not text:
                reason = f"the file gives no text for it, and no sentence of the corpus has the id {task.item!r}"
            (taken.ambiguous if ids else taken.unmatched).append(Unmatched(task=task.id, text=text, reason=reason))
            continue
        for answer in task.annotations:
            row, written = _answer(task, answer, codebook, ids[0] if ids else "", scheme)
            if row is None:
                taken.unread.append(Unmatched(task=task.id, text=text, reason=written, annotation=answer["id"]))
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
                taken.before.append(answer.get("import_id"))
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
    known = "pull it with --annotator NAME, or join both with `stance people --same`"
    return [f"{why}: {people_}; if that is somebody who is known, {known}"]


def _read(path: Path, annotator: str | None, scheme: Scheme) -> Export:
    export = read_file(path, annotator, scheme)
    if any("given" in task.data and task.key for task in export.tasks):
        raise TableError(
            f"{path}: this is the export of the queue, whose answers are not votes; `stance pull` has them"
        )
    return export


def _by_text(corpus: Corpus, tasks: Iterable[ExportTask], *preferred: set[str]) -> dict[str, list[str]]:
    """The sentences whose normalised text is in a task that names no sentence; one for each group of exact copies."""
    foreign = [task for task in tasks if task.key is None]
    wanted = {normalise(value) for task in foreign for value in task.data.values() if isinstance(value, str)}
    return corpus.with_texts(wanted, *preferred)


def _match(task: ExportTask, here: Collection[str], by_text: Mapping[str, list[str]]) -> tuple[str, list[str]]:
    """The text of a task, and the sentences that it can be.

    A task is matched by its id if that is a sentence's, otherwise by the field `text`, or else by the only field that
    matches. `here` are the ids of tasks that are in the corpus.
    """
    if task.item in here:
        return str(task.data.get("text", "")), [task.item]
    fields = {name: value for name, value in task.data.items() if isinstance(value, str)}
    text = fields.get("text") or max(fields.values(), key=len, default="")
    if "text" in fields:
        return text, by_text.get(normalise(text), [])
    matches = {id_: value for value in fields.values() for id_ in by_text.get(normalise(value), [])}
    return next(iter(matches.values()), text), list(matches)


def _answer(
    task: ExportTask, answer: Mapping[str, Any], codebook: Codebook, matched: str, scheme: Scheme
) -> tuple[Annotation | None, str]:
    """An answer, and how an adopted one was spelled; or None, and the reason."""
    if task.key is not None:
        sentence_id, control = task.key
        return read_answer(answer, sentence_id, "", codebook, control=control, scheme=scheme), ""
    foreign = foreign_stance(answer, scheme)
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
        comment=foreign_comment(answer),
        adopted=True,
    )
    return checked(row, answer), foreign.written
