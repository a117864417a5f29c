"""Read and write the answers that a project has so far, in its `labels/` folder."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from corpus.store import ATTRIBUTES, LABELS, Record, read_jsonl_if_there, table_path, write_bytes, write_jsonl
from labeling.identity.account_register import JOINED, MINTED, Joined, Register, write_register
from labeling.identity.answer_sources import AnswerRow
from labeling.records import Adjudication, Annotation, Superseded, Withdrawn
from labeling.sync.merge_answers import by, name_unknown, one_version, order, renamed, who
from labeling.sync.merged_files import history_once, one_each, settle_owners

ANNOTATIONS = "annotations.jsonl"
HISTORY = "history.jsonl"
ADJUDICATIONS = "adjudications.jsonl"
WITHDRAWN = "withdrawn.jsonl"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Every answer fetched so far, to sentences and in the queue, with its earlier versions.

    Attributes:
        annotations: answers to sentences.
        history: earlier versions of answers that were edited or deleted.
        adjudications: answers in the queue.
        withdrawn: earlier versions of answers in the queue that a person edited or deleted.
        digest: digest of the file of annotations as it was read; empty if there was none.
        names: every annotator's or adjudicator's name in them.
    """

    annotations: list[Annotation]
    history: list[Superseded]
    adjudications: list[Adjudication]
    withdrawn: list[Withdrawn]
    digest: str
    names: set[str]

    def answers(self) -> list[Annotation]:
        """All answers to sentences, with their earlier versions."""
        return self.annotations + [row.answer for row in self.history]

    def settled(self) -> list[Adjudication]:
        """All answers in the queue, with their earlier versions."""
        return self.adjudications + [row.answer for row in self.withdrawn]

    def moved(self, change: Mapping[str, str]) -> Known:
        """The same answers, each with the current name of the project that it comes from."""
        return msgspec.structs.replace(
            self,
            annotations=[_moved(row, change) for row in self.annotations],
            history=[msgspec.structs.replace(row, answer=_moved(row.answer, change)) for row in self.history],
            adjudications=[_moved(row, change) for row in self.adjudications],
            withdrawn=[msgspec.structs.replace(row, answer=_moved(row.answer, change)) for row in self.withdrawn],
        )


def read_known(work: Path, register: Register) -> Known:
    """The known answers, each under the pseudonym under which it was first read.

    If nobody knows whose an answer is, it has a name of its own.

    Raises:
        TableError: a file is malformed.
    """
    annotations, history = _rows(work, ANNOTATIONS, Annotation), _rows(work, HISTORY, Superseded)
    adjudications, withdrawn = _rows(work, ADJUDICATIONS, Adjudication), _rows(work, WITHDRAWN, Withdrawn)
    names = {who(row) for row in annotations} | {who(row.answer) for row in history}
    names |= {who(row) for row in adjudications} | {who(row.answer) for row in withdrawn}
    names |= {name for row in adjudications for name in row.votes} | {row.by for row in withdrawn}
    nobody = register.nobody()
    first = {_identity(row): row.was for row in _rows(work, JOINED, Joined)}
    annotations, adjudications = _first_names(annotations, first), _first_names(adjudications, first)
    history = [msgspec.structs.replace(row, answer=_first_names([row.answer], first)[0]) for row in history]
    withdrawn = [msgspec.structs.replace(row, answer=_first_names([row.answer], first)[0]) for row in withdrawn]
    names |= {*first.values()}
    found = settle_owners(register, names | register.names())
    annotations, earlier = one_each(annotations, found)
    adjudications, withdrawn_too = one_each(adjudications, found)
    history = history_once([*history, *(Superseded(why="edited", answer=row) for row in earlier)], found)
    withdrawn = add_withdrawn(
        (), [*withdrawn, *(Withdrawn(why="edited", by="", at="", answer=row) for row in withdrawn_too)]
    )
    adjudications = _first_votes(adjudications, annotations, register)
    names |= {who(row) for row in annotations} | {who(row) for row in adjudications}
    return Known(
        annotations=name_unknown(_unnamed(annotations, nobody), names),
        history=history,
        adjudications=name_unknown(_unnamed(adjudications, nobody), names),
        withdrawn=withdrawn,
        digest=digest(table_path(work, ANNOTATIONS)),
        names=names,
    )


def write_known(work: Path, project: Path, register: Register, known: Known) -> list[Path]:
    """Write what is known now; histories first, so that a command that is killed here has lost nothing.

    Names that have been replaced are changed everywhere. The private file comes last, and is in step with the answers.

    Args:
        work: the project's folder of tables.
        project: the project folder, which the private file is in.
        register: the private file's content.
        known: every answer, each under the pseudonym under which it was first read.

    Returns:
        The files of answers that changed.
    """
    change = register.same()
    every: list[Annotation | Adjudication] = known.answers() + known.settled()
    joined = sorted({_joined(row, change) for row in every if who(row) in change}, key=_joined_order)
    past = [msgspec.structs.replace(row, answer=renamed(row.answer, change)) for row in known.history]
    taken = [
        msgspec.structs.replace(row, answer=_votes(row.answer, change), by=change.get(row.by, row.by))
        for row in known.withdrawn
    ]
    past.sort(key=lambda row: (*order(row.answer), row.why))
    taken.sort(key=lambda row: (*order(row.answer), row.why))
    answers = sorted((renamed(row, change) for row in known.annotations), key=order)
    settled = sorted((_votes(row, change) for row in known.adjudications), key=order)
    # The old pseudonyms first: an answer under a pseudonym that counts does not say which one it had.
    written = {
        JOINED: _write(work, JOINED, joined),
        MINTED: _write(work, MINTED, register.minted),
        HISTORY: _write(work, HISTORY, past),
        WITHDRAWN: _write(work, WITHDRAWN, taken),
        ANNOTATIONS: write_jsonl(table_path(work, ANNOTATIONS), answers),
        ADJUDICATIONS: _write(work, ADJUDICATIONS, settled),
    }
    changed = [table_path(work, name) for name, did in written.items() if did]
    if changed and table_path(work, ANNOTATIONS).parent.name == LABELS:
        write_bytes(table_path(work, ANNOTATIONS).parent / ".gitattributes", ATTRIBUTES)
    register.labels = digest(table_path(work, ANNOTATIONS))
    write_register(project, register)
    return changed


def add_withdrawn(withdrawn: Iterable[Withdrawn], found: Iterable[Withdrawn]) -> list[Withdrawn]:
    """What people changed or withdrew in the queue, with what was found now; each version of an answer once."""
    every = list(withdrawn)
    for row in found:
        if not any(one_version(row.answer, other.answer) for other in every):
            every.append(row)
    return every


def digest(path: Path) -> str:
    """The digest of a file's content; empty if there is no file."""
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest() if path.is_file() else ""


def _rows(work: Path, name: str, kind: type[Record]) -> list[Record]:
    path = table_path(work, name)
    return read_jsonl_if_there(path, kind)


def _write(work: Path, name: str, rows: Sequence[msgspec.Struct]) -> bool:
    """Write a table; no file is made if there is nothing to write and there was none."""
    path = table_path(work, name)
    return bool(rows or path.is_file()) and write_jsonl(path, rows)


def _joined(row: Annotation | Adjudication, change: Mapping[str, str]) -> Joined:
    sentence_id, studio_id, made, source = _identity(row)
    return Joined(
        sentence_id=sentence_id,
        studio_id=studio_id,
        created_at=made,
        source=source,
        was=who(row),
        annotator=change[who(row)],
    )


def _identity(row: Joined | Annotation | Adjudication) -> tuple[str, int | None, str, str]:
    """What identifies an answer; one that was written by hand, without number and time, is known by its content."""
    made = row.created_at
    if row.studio_id is None and not made and not isinstance(row, Joined):
        nameless = {"annotator", "adjudicator"}
        said = {name: value for name, value in msgspec.to_builtins(row).items() if name not in nameless}
        made = hashlib.blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()
    return row.sentence_id, row.studio_id, made, row.source


def _joined_order(row: Joined) -> tuple[str, str, int, str, str]:
    return row.sentence_id, row.was, row.studio_id or 0, row.created_at, row.source


def _first_names(rows: Sequence[AnswerRow], first: Mapping[tuple[str, int | None, str, str], str]) -> list[AnswerRow]:
    """The answers under the pseudonyms under which they were first read."""
    if not first:
        return list(rows)
    return [row if (name := first.get(_identity(row))) is None else by(row, name) for row in rows]


def _first_votes(
    adjudications: Iterable[Adjudication], annotations: Iterable[Annotation], register: Register
) -> list[Adjudication]:
    """The answers in the queue, with the votes on their page under first pseudonyms where there is no doubt."""
    same = register.same()
    if not same:
        return list(adjudications)
    voters: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in annotations:
        voters[row.sentence_id, same.get(row.annotator, row.annotator)].add(row.annotator)
    found: list[Adjudication] = []
    for settled in adjudications:
        first = {name: voters[settled.sentence_id, name] for name in settled.votes}
        names = [min(first[name]) if len(first[name]) == 1 else name for name in settled.votes]
        votes = dict(zip(names, settled.votes.values(), strict=True))
        found.append(msgspec.structs.replace(settled, votes=votes) if len(votes) == len(names) else settled)
    return found


def _unnamed(rows: Iterable[AnswerRow], nobody: Collection[str]) -> list[AnswerRow]:
    return [by(row, "") if who(row) in nobody else row for row in rows]


def _moved(row: AnswerRow, change: Mapping[str, str]) -> AnswerRow:
    return msgspec.structs.replace(row, source=change[row.source]) if row.source in change else row


def _votes(row: Adjudication, change: Mapping[str, str]) -> Adjudication:
    """An answer in the queue under the pseudonyms that count; two votes that would get the same name stay two."""
    names = [change.get(name, name) for name in row.votes]
    votes = dict(zip(names, row.votes.values(), strict=True)) if len(set(names)) == len(names) else row.votes
    return msgspec.structs.replace(renamed(row, change), votes=votes)
