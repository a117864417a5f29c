"""Label Studio's own files, for where its API isn't: tasks to import there, and an export to bring home."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from corpus.duplicates import normalise
from corpus.records import TableError
from corpus.store import read_jsonl, table_path, write_bytes, write_jsonl
from labeling.accounts import pseudonyms
from labeling.answers import checked, foreign_stance, read_answer
from labeling.plan import INTERFACE, page
from labeling.pull import ANNOTATIONS, merge, superseded, version_of, write_history
from labeling.records import Annotation, Codebook, Stance, Task
from labeling.sample import read_sample
from labeling.studio import key_of
from labeling.tasks import Corpus, data

UNMATCHED = "unmatched.jsonl"


class Unmatched(msgspec.Struct, frozen=True, kw_only=True):
    """A task or an answer of an export that no sentence of the corpus could take over, and why."""

    task: int
    text: str
    reason: str
    annotation: int | None = None


class ExportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an export held: answers to our tasks, answers adopted by their text, and what matched nothing.

    `aliases` says which spellings of other projects were read as which stance.
    """

    annotations: int
    adopted: int
    unmatched: int
    annotators: int
    edited: int
    deleted: int
    aliases: dict[str, Stance]
    changed: bool


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    data: dict[str, Any]
    annotations: list[dict[str, Any]]

    @property
    def key(self) -> tuple[str, int] | None:
        return key_of(self.data)


def write_tasks(path: Path, tasks: Iterable[Task]) -> bool:
    """Write tasks as Label Studio's import takes them, and the labelling page beside them, as its settings take it.

    Returns:
        Whether a file changed.
    """
    shown = write_bytes(path.with_suffix(".xml"), page(INTERFACE).encode() + b"\n")
    return shown | write_bytes(
        path, msgspec.json.format(msgspec.json.encode([{"data": data(task)} for task in tasks])) + b"\n"
    )


def read_export(
    path: Path, corpus: Corpus, work: Path, project: Path, codebook: Codebook, *, blind: bool = False
) -> ExportSummary:
    """Bring the answers of a Label Studio JSON export home, into `annotations.jsonl`.

    Tasks with a `sentence_id` are ours: their answers in the export replace those that were known. Other tasks
    are matched by their text with one group of exact copies, their choice by the alias table; what doesn't match
    is listed in `unmatched.jsonl`.

    Args:
        path: the export, in the format that Label Studio calls JSON (not JSON-MIN, which leaves out who answered).
        corpus: the sentences.
        work: the project's folder of tables.
        project: the project folder, whose private file maps accounts to pseudonyms.
        codebook: answers that were not known before get its version.
        blind: there is a project an annotator, so that what one export lacks may stand in another's and stays.

    Raises:
        TableError: the file is no such export, or that of the queue.
        StudioError: an answer to a task of ours has a choice that the codebook lacks; nothing is written then.
    """
    tasks = _read(path)
    accounts = {
        account: email
        for task in tasks
        for answer in task.annotations
        if (account := _account(answer)) and (email := _email(answer))
    }
    answering = {account for task in tasks for answer in task.annotations if (account := _account(answer)) is not None}
    file = table_path(work, ANNOTATIONS)
    known = read_jsonl(file, Annotation, "stance pull") if file.is_file() else []
    before = {(row.adopted, row.studio_id, row.created_at): row for row in known}
    drawn = {row.sentence_id for row in read_sample(work)}
    by_text = _by_text(corpus, {row.sentence_id for row in known}, drawn)
    seen = {
        account: row.annotator
        for task in tasks
        for answer in task.annotations
        if (account := _account(answer)) is not None and (row := before.get(_id(task, answer)))
    }
    place = "" if any(task.key for task in tasks) else f" in {path.name}"
    names = pseudonyms(project, accounts, answering, known=seen, place=place)
    fresh: list[Annotation] = []
    unmatched: list[Unmatched] = []
    aliases: dict[str, Stance] = {}
    ours: set[tuple[str, int]] = set()
    for task in tasks:
        text, ids = _match(task, by_text)
        if task.key is None and len(ids) != 1:
            reason = (
                f"{len(ids)} different sentences have its text" if ids else "no sentence of the corpus has its text"
            )
            unmatched.append(Unmatched(task=task.id, text=text, reason=reason))
            continue
        if task.key:
            ours.add(task.key)
        for answer in task.annotations:
            row, said = _answer(task, answer, names, before, codebook, ids[0] if ids else "")
            if row is None:
                unmatched.append(Unmatched(task=task.id, text=text, reason=said, annotation=answer["id"]))
                continue
            fresh.append(row)
            if row.stance is not None and said not in {"", row.stance}:
                aliases[said] = row.stance
    kept = [row for row in known if blind or row.adopted or (row.sentence_id, row.control) not in ours]
    rows = merge(kept, fresh)
    history = superseded(known, rows)
    changed = [
        write_history(work, history),
        write_jsonl(work / UNMATCHED, unmatched),
        write_jsonl(file, rows),
    ]
    return ExportSummary(
        annotations=sum(not row.adopted for row in fresh),
        adopted=sum(row.adopted for row in fresh),
        unmatched=len(unmatched),
        annotators=len({row.annotator for row in fresh}),
        edited=sum(row.why == "edited" for row in history),
        deleted=sum(row.why == "deleted" for row in history),
        aliases=dict(sorted(aliases.items())),
        changed=any(changed),
    )


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
                f"{path}: this is the export of the queue, whose answers are no votes; `stance pull` has them"
            )
        for answer in task.annotations:
            if not isinstance(answer.get("id"), int) or not isinstance(answer.get("result"), list):
                # Not what is in them: that names people.
                found = ", ".join(sorted(answer)) or "nothing"
                raise TableError(f"{path}: task {task.id}: expected annotations with id and result; found {found}")
    return tasks


def _id(task: _Task, answer: Mapping[str, Any]) -> tuple[bool, int | None, str]:
    return task.key is None, answer["id"], answer.get("created_at") or ""


def _account(answer: Mapping[str, Any]) -> int | None:
    by = answer.get("completed_by")
    by = by.get("id") if isinstance(by, dict) else by
    return by if isinstance(by, int) else None


def _email(answer: Mapping[str, Any]) -> str:
    by = answer.get("completed_by")
    return str(by.get("email") or "") if isinstance(by, dict) else ""


def _by_text(corpus: Corpus, *preferred: set[str]) -> dict[str, list[str]]:
    """The sentences that stand for each group of exact copies, by their normalised text."""
    found: dict[str, list[str]] = defaultdict(list)
    for unit in corpus.units(corpus.chosen(*preferred)):
        found[normalise(unit.text)].append(unit.sentence_id)
    return found


def _match(task: _Task, by_text: Mapping[str, list[str]]) -> tuple[str, list[str]]:
    """The text of a task, and the sentences that have it: of the field `text`, else of the one field that matches."""
    fields = {name: value for name, value in task.data.items() if isinstance(value, str)}
    text = fields.get("text") or max(fields.values(), key=len, default="")
    if "text" in fields:
        return text, by_text.get(normalise(text), [])
    matches = {id_: value for value in fields.values() for id_ in by_text.get(normalise(value), [])}
    return next(iter(matches.values()), text), list(matches)


def _answer(
    task: _Task,
    answer: Mapping[str, Any],
    names: Mapping[int, str],
    before: Mapping[tuple[bool, int | None, str], Annotation],
    codebook: Codebook,
    matched: str,
) -> tuple[Annotation | None, str]:
    """An answer, and how an adopted one was written; or None, and why."""
    account, known = _account(answer), before.get(_id(task, answer))
    who = names[account] if account is not None else known.annotator if known else ""
    if not who:
        return None, "the answer doesn't say who gave it"
    version = version_of(known, answer, codebook)
    if task.key is not None:
        sentence_id, control = task.key
        return read_answer(answer, sentence_id, who, version, control=control), ""
    found = foreign_stance(answer)
    if found.reason:
        return None, found.reason
    row = Annotation(
        sentence_id=matched,
        annotator=who,
        stance=found.stance,
        seconds=answer.get("lead_time"),
        created_at=answer.get("created_at") or "",
        updated_at=answer.get("updated_at") or "",
        codebook=version,
        studio_id=answer["id"],
        adopted=True,
    )
    return checked(row, answer), found.written
