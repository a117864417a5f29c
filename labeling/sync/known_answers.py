"""Read and write the answers that a project has so far, in its `labels/` folder."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from corpus.store import Record, read_jsonl, table_path, write_jsonl
from labeling.records import Adjudication, Annotation, Superseded, Withdrawn
from labeling.sync.account_register import Register
from labeling.sync.answer_sources import Row
from labeling.sync.merge_answers import by, name_unknown, one_version, order, renamed, who

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
    """The known answers, each under the pseudonym that counts, or under its own if nobody knows whose it is.

    Raises:
        TableError: a file is malformed.
    """
    annotations, history = _rows(work, ANNOTATIONS, Annotation), _rows(work, HISTORY, Superseded)
    adjudications, withdrawn = _rows(work, ADJUDICATIONS, Adjudication), _rows(work, WITHDRAWN, Withdrawn)
    names = {who(row) for row in annotations} | {who(row.answer) for row in history}
    names |= {who(row) for row in adjudications} | {who(row.answer) for row in withdrawn}
    names |= {name for row in adjudications for name in row.votes} | {row.by for row in withdrawn}
    nobody = register.nobody()
    return Known(
        annotations=name_unknown(_unnamed(annotations, nobody), names),
        history=history,
        adjudications=name_unknown(_unnamed(adjudications, nobody), names),
        withdrawn=withdrawn,
        digest=digest(table_path(work, ANNOTATIONS)),
        names=names,
    )


def write_known(
    work: Path,
    register: Register,
    annotations: Sequence[Annotation],
    history: Sequence[Superseded],
    adjudications: Sequence[Adjudication],
    withdrawn: Sequence[Withdrawn],
) -> bool:
    """Write what is known now; histories first, so that a command that is killed here has lost nothing.

    Names that have been replaced are changed everywhere.

    Returns:
        Whether a file changed.
    """
    change = register.same()
    past = [msgspec.structs.replace(row, answer=renamed(row.answer, change)) for row in history]
    taken = [
        msgspec.structs.replace(row, answer=_votes(row.answer, change), by=change.get(row.by, row.by))
        for row in withdrawn
    ]
    past.sort(key=lambda row: (*order(row.answer), row.why))
    taken.sort(key=lambda row: (*order(row.answer), row.why))
    answers = sorted((renamed(row, change) for row in annotations), key=order)
    settled = sorted((_votes(row, change) for row in adjudications), key=order)
    changed = [_write(work, HISTORY, past), _write(work, WITHDRAWN, taken)]
    changed += [write_jsonl(table_path(work, ANNOTATIONS), answers), _write(work, ADJUDICATIONS, settled)]
    return any(changed)


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
    return read_jsonl(path, kind, "stance pull") if path.is_file() else []


def _write(work: Path, name: str, rows: Sequence[msgspec.Struct]) -> bool:
    """Write a table; no file is made if there is nothing to write and there was none."""
    path = table_path(work, name)
    return bool(rows or path.is_file()) and write_jsonl(path, rows)


def _unnamed(rows: Iterable[Row], nobody: Collection[str]) -> list[Row]:
    return [by(row, "") if who(row) in nobody else row for row in rows]


def _moved(row: Row, change: Mapping[str, str]) -> Row:
    return msgspec.structs.replace(row, source=change[row.source]) if row.source in change else row


def _votes(row: Adjudication, change: Mapping[str, str]) -> Adjudication:
    """An answer in the queue under the pseudonyms that count; two votes that would get the same name stay two."""
    names = [change.get(name, name) for name in row.votes]
    votes = dict(zip(names, row.votes.values(), strict=True)) if len(set(names)) == len(names) else row.votes
    return msgspec.structs.replace(renamed(row, change), votes=votes)
