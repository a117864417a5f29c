"""Fetch the answers that changed at the server since the last pull, and merge them with the known ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from corpus.errors import StudioError
from corpus.numbers import number
from corpus.records import SENTENCES
from corpus.store import locked
from corpus.tables import open_table, read_table
from labeling.codebook import Codebook
from labeling.feedback.qualification import read_qualifications
from labeling.identity.account_register import Register, is_address, read_register
from labeling.identity.answer_sources import AnswerRow, Evidence
from labeling.identity.pseudonyms import giver, join_doubles, name_accounts
from labeling.migration.migrated_answers import MigratedAnswers, read_migrated
from labeling.records import Adjudication, Annotation, LabelingSettings
from labeling.sampling.archive_sentences import read_archived
from labeling.scheme import DEFAULT, Scheme
from labeling.studio.answers import read_answer
from labeling.studio.api_records import Project, StudioTask
from labeling.studio.client import ANSWERS, Studio
from labeling.sync.imported_answers import place_imported
from labeling.sync.known_answers import Known, add_withdrawn, read_known, write_known
from labeling.sync.known_places import (
    Located,
    Reading,
    imported_notes,
    locate_server,
    missing_notes,
    moved_notes,
)
from labeling.sync.merge_answers import give, known_names, merge, pair, superseded
from labeling.sync.queue_verdicts import changes, keep, read_queue, told
from labeling.sync.server_changes import FORM, Pulled, State, answers_of, changes_in, last_pull, trusted, write_state


class PullSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What is known after a pull, and what it fetched.

    Attributes:
        annotations: answers to sentences.
        skips: answers to sentences that are skips.
        annotators: number of people who gave them; each answer of an unknown person counts as one person.
        adjudications: answers in the queue, in this one and in earlier ones.
        queued: answers that the queue at the server holds now; None if there is no queue there.
        fetched: tasks of the annotators that were read whole.
        edited: earlier answers that were edited; their earlier versions went to `history.jsonl`.
        deleted: earlier answers that were deleted; they went to `history.jsonl`.
        withdrawn: answers in the queue that a person edited or deleted; their earlier versions went to
            `withdrawn.jsonl`.
        without_sentence: answers to sentences that left the corpus.
        foreign: tasks that stance did not make.
        notes: what else the user should know, a line each.
        changed: files of answers that changed.
    """

    annotations: int
    skips: int
    annotators: int
    adjudications: int
    queued: int | None
    fetched: int
    edited: int
    deleted: int
    withdrawn: int
    without_sentence: int
    foreign: int
    notes: list[str]
    changed: list[Path]


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull found: what each labelling project holds, those of its tasks that changed, and the whole queue.

    `rows` are the answers to each project's tasks, without people and source; `keys` are the accounts that gave them,
    and `before` are the numbers that they had where they were exported, if they were imported into these projects.
    """

    projects: list[Project]
    pulled: list[Pulled]
    tasks: list[list[StudioTask]]
    rows: list[list[Annotation]]
    keys: list[list[str]]
    before: list[int | None]
    queue: Project | None
    queued: list[StudioTask]
    migrated: MigratedAnswers


def pull(
    studio: Studio,
    settings: LabelingSettings,
    work: Path,
    project: Path,
    codebook: Codebook,
    scheme: Scheme = DEFAULT,
) -> PullSummary:
    """Fetch every submitted answer into `annotations.jsonl`; drafts stay at the server.

    Only tasks that changed since the last pull are read whole. What that pull saw is kept in a private file, which is
    written last: so if a pull is killed, the next one reads everything.

    An answer is deleted here if its project is at the server and no longer holds it. A project that is missing deletes
    nothing, and neither does another server: answers that came from elsewhere stay. What people settled in the queue
    stays until a person withdraws it there; see `labeling.sync.queue_verdicts`.

    Args:
        studio: the server.
        settings: `[labeling]` of stance.toml.
        work: the project's folder of tables.
        project: the project folder, whose private files say who is who and keep the last pull.
        codebook: version of the codebook that new answers get.
        scheme: labels of the project.

    Raises:
        StudioError: there is no such project, or an answer has a choice that the codebook lacks; nothing is
            written then.
    """
    sentences, ids = work / "sentences.parquet", pa.schema([SENTENCES.field("sentence_id")])
    open_table(sentences, ids, "stance build").close()  # without a corpus nothing is fetched
    with locked(project, "pull"):
        register = read_register(project)
        known = read_known(work, register)
        last = last_pull(project)
        in_step = bool(known.digest) and register.labels == known.digest
        state = trusted(last, studio.url, known.digest, register) if in_step else None
        held = _read(studio, settings, state, codebook, scheme, known, work)
        settled, settlers = read_queue(held.queued, codebook, scheme, held.migrated)
        seen_before = {name for place in register.places for name in place.sources}
        located = _locate(register, studio.url, held, known, settled)
        if located.another and state is not None:
            # What the last pull saw was another server's, so it does not show what has changed here.
            state = None
            held = _read(studio, settings, None, codebook, scheme, known, work)
            located = msgspec.structs.replace(_locate(register, studio.url, held, known, settled), another=True)
        sources = located.sources[: len(held.projects)]
        known = known.moved(located.change)
        keys = [key for part in held.keys for key in part]
        fresh = [
            msgspec.structs.replace(row, source=source)
            for source, rows in zip(sources, held.rows, strict=True)
            for row in rows
        ]
        queue = located.sources[-1] if held.queue else ""
        settled = [msgspec.structs.replace(row, source=queue) for row in settled]
        placed = place_imported(
            known.annotations,
            fresh,
            keys,
            pair(known.annotations, fresh),
            held.before,
            register.origins(),
            held.migrated,
        )
        fresh, keys, pairs = placed.rows, placed.keys, placed.pairs
        again = place_imported(
            known.adjudications,
            settled,
            settlers,
            pair(known.adjudications, settled),
            [row.get("import_id") for task in held.queued if task.key for row in task.annotations],
            register.origins(),
            held.migrated,
        )
        register.add_origins(placed.origins | again.origins)
        settled, settlers, settled_pairs = again.rows, again.keys, again.pairs
        names = _Names(studio, register, located, known, in_step=in_step, last=last)
        names.count(known.annotations, fresh, keys, pairs)
        names.count(known.adjudications, settled, settlers, settled_pairs)
        called = names.of({*keys, *settlers})
        past, past_settled = [row.answer for row in known.history], [row.answer for row in known.withdrawn]
        fresh = give(fresh, keys, pairs, called, past, known.names)
        settled = give(settled, settlers, settled_pairs, called, past_settled, known.names)
        merged = merge(
            known.annotations, fresh, pairs, _Gone(sources, held, fresh, _older(last, studio.url, known, held))
        )
        kept = keep(known.adjudications, settled, settled_pairs, held.queued, queue, held.migrated)
        happened = changes(kept, held.queued)
        called |= names.of({change.account for change in happened} - called.keys())
        notes = [
            *located.notes,
            *([] if seen_before & {*sources} else moved_notes(studio.url, placed.moved, again.moved)),
            *imported_notes(studio.url, 0 if placed.moved else placed.new),
            *names.notes,
            *missing_notes(studio.url, settings, held.queue, located, merged.rows, kept.rows),
        ]
        history = superseded(merged, known.history)
        withdrawn = add_withdrawn(known.withdrawn, told(happened, called))
        now_known = msgspec.structs.replace(
            known,
            annotations=merged.rows,
            history=[*known.history, *history],
            adjudications=kept.rows,
            withdrawn=withdrawn,
        )
        changed = write_known(work, project, register, now_known)
        seen = {found.id: pulled for found, pulled in zip(held.projects, held.pulled, strict=True)}
        now = State(
            url=studio.url, digest=register.labels, projects={**(state.projects if state else {}), **seen}, form=FORM
        )
        write_state(project, now)
    rows = merged.rows
    where = ("sentence_id", {row.sentence_id for row in rows})
    here = set(read_table(sentences, ids, "stance build", where).column(0).to_pylist())
    here |= {row.sentence_id for row in read_archived(work)}
    return PullSummary(
        annotations=len(rows),
        skips=sum(row.stance is None for row in rows),
        annotators=len({register.counts(name) for name in {row.annotator for row in rows}}),
        adjudications=len(kept.rows),
        queued=len(settled) if held.queue else None,
        fetched=sum(map(len, held.tasks)),
        edited=sum(row.why == "edited" for row in history),
        deleted=sum(row.why == "deleted" for row in history),
        withdrawn=len(happened),
        without_sentence=sum(row.sentence_id not in here for row in rows),
        foreign=sum(task.key is None for part in held.tasks for task in part),
        notes=notes,
        changed=changed,
    )


def _read(
    studio: Studio,
    settings: LabelingSettings,
    state: State | None,
    codebook: Codebook,
    scheme: Scheme,
    known: Known,
    work: Path,
) -> _Held:
    """Read what the server holds, without the tasks that have not changed since the last pull."""
    projects: list[Project] = []
    pulled: list[Pulled] = []
    tasks: list[list[StudioTask]] = []
    rows: list[list[Annotation]] = []
    keys: list[list[str]] = []
    before: list[int | None] = []
    migrated = read_migrated(work, [*known.annotations, *known.adjudications])
    qualifying = [settings.qualification_title(row.annotator) for row in read_qualifications(work)]
    found = [_project(studio, title, known) for title in settings.titles]
    for project in [*found, *filter(None, map(studio.find_project, dict.fromkeys(qualifying)))]:
        now, changed = changes_in(studio, project, state.projects.get(project.id) if state else None)
        read = [(task, answer) for task in changed if task.key for answer in task.annotations]
        projects.append(project)
        pulled.append(now)
        tasks.append(changed)
        rows.append([_row(task, answer, codebook, scheme, migrated) for task, answer in read])
        keys.append([giver(answer).key for _, answer in read])
        before += [answer.get("import_id") for _, answer in read]
    queue = studio.find_project(settings.queue_title)
    queued = studio.tasks(queue.id, ANSWERS) if queue else []
    return _Held(
        projects=projects,
        pulled=pulled,
        tasks=tasks,
        rows=rows,
        keys=keys,
        before=before,
        queue=queue,
        queued=queued,
        migrated=migrated,
    )


def _row(
    task: StudioTask, answer: Mapping[str, Any], codebook: Codebook, scheme: Scheme, migrated: MigratedAnswers
) -> Annotation:
    assert task.key is not None
    sentence_id, control = task.key
    row = read_answer(answer, sentence_id, "", codebook, control=control, task=task.mark, scheme=scheme)
    return migrated.as_given(row)


def _locate(register: Register, url: str, held: _Held, known: Known, settled: Sequence[Adjudication]) -> Located:
    readings = [
        Reading(
            number=project.id,
            made=project.created_at,
            title=project.title if len(held.projects) > 1 else "",
            evidence=Evidence(rows, {task.mark for task in tasks}),
            known=known.answers(),
        )
        for project, rows, tasks in zip(held.projects, held.rows, held.tasks, strict=True)
    ]
    if held.queue:
        evidence = Evidence(settled, {task.mark for task in held.queued})
        readings.append(
            Reading(number=held.queue.id, made=held.queue.created_at, evidence=evidence, known=known.settled())
        )
    return locate_server(register, url, readings)


class _Names:
    """The people behind a server's accounts; `notes` holds what the user should know of them."""

    def __init__(
        self, studio: Studio, register: Register, located: Located, known: Known, *, in_step: bool, last: State | None
    ) -> None:
        """Ask the server for its accounts' addresses."""
        self.notes: list[str] = []
        accounts = {str(number): address for number, address in studio.accounts().items()}
        self._live = {key: address.casefold() if is_address(address) else "" for key, address in accounts.items()}
        self._register, self._place, self._taken, self._in_step = register, located.place, known.names, in_step
        self._source = next(filter(None, located.sources), "")
        self._known: dict[str, Counter[str]] = {}
        # An older version's file is about the server that it pulled from last.
        self._older = not located.another and last is not None and last.url == studio.url

    def count(
        self, known: Sequence[AnswerRow], fresh: Sequence[AnswerRow], keys: Sequence[str], pairs: Sequence[int | None]
    ) -> None:
        """Find under which names the accounts' answers are known."""
        for key, counts in known_names(known, fresh, keys, pairs).items():
            self._known[key] = self._known.get(key, Counter()) + counts
        sourceless = [place is not None and not known[place].source for place in pairs]
        self._older |= any(sourceless)
        if self._register.before:
            before = [place if old else None for place, old in zip(pairs, sourceless, strict=True)]
            self.notes += join_doubles(self._register, known_names(known, fresh, keys, before))

    def of(self, keys: Collection[str]) -> dict[str, str]:
        """The pseudonym of each of these accounts."""
        naming = name_accounts(
            self._register,
            self._place,
            {key: self._live.get(key, "") for key in keys if key},
            known=self._known,
            taken=self._taken,
            in_step=self._in_step,
            source=self._source,
            older=self._older,
            live=self._live,
        )
        self.notes += naming.notes
        return naming.people


class _Gone:
    """Whether a known answer that was not read has been deleted: its project is there, and no longer holds it."""

    def __init__(
        self, sources: Sequence[str], held: _Held, fresh: Sequence[Annotation], older: Collection[int]
    ) -> None:
        """Collect what each project holds."""
        self._held = {
            source: {id_ for task in pulled.tasks.values() for id_ in task.answers}
            for source, pulled in zip(sources, held.pulled, strict=True)
            if source
        }
        self._read = {(row.source, row.studio_id) for row in fresh}
        self._older = older
        self._migrated = held.migrated

    def __call__(self, row: Annotation) -> bool:
        """Whether this answer was deleted; one whose number another answer has now was deleted too."""
        if self._migrated.removed(row):
            return False
        if not row.source:
            return not row.adopted and row.studio_id in self._older
        held = self._held.get(row.source)
        if held is None or row.studio_id is None:
            return False
        return row.studio_id not in held or (row.source, row.studio_id) in self._read


def _older(last: State | None, url: str, known: Known, held: _Held) -> set[int]:
    """Answers that an older version saw in these projects, and that are not there now.

    That version did not record where an answer comes from, but the annotations are still those that it wrote.
    """
    if last is None or last.form == FORM or last.url != url or last.digest != known.digest:
        return set()
    seen = {
        id_ for project in held.projects if project.id in last.projects for id_ in answers_of(last.projects[project.id])
    }
    times = Counter(row.studio_id for row in known.annotations if not row.source and not row.adopted)
    return {id_ for id_ in seen if times[id_] == 1} - {id_ for pulled in held.pulled for id_ in answers_of(pulled)}


def _project(studio: Studio, title: str, known: Known) -> Project:
    project = studio.find_project(title)
    if project is None:
        stay = f"; {number(len(known.annotations), 'answer')} fetched so far will be kept" if known.annotations else ""
        raise StudioError(
            f"{studio.url} has no project with the title {title!r}: run `stance push`, or if it was renamed there, "
            f"give it that title again or set [labeling] title to the new one{stay}"
        )
    return project
