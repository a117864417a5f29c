"""A Label Studio whose answers a migration can rewrite and remove, for a project whose years are lived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from labeling.studio.api_records import Answer, StudioTask
from tests.support.fake_server import FakeServer


class Said(msgspec.Struct):
    """An answer: who really gave it, to which sentence, all that it ever said, and whether it was fetched.

    Attributes:
        person: who gave it.
        key: the sentence.
        stances: all labels that its annotator gave it.
        seconds: the time that it took, which is another one for each answer.
        number: its number at the present installation.
        before: its number at the installation from which it was imported; None if it was given at the present one.
        times: for each label the number of changes at the server before it, from which the answer's time is made.
        held: label that the server holds: the annotator's last one, or what a migration made of it.
        changes: number of changes at the server so far, the annotator's and those of migrations.
        versions: for each label, the versions of the codebook that it can be of: those at the pulls that saw it, of
            which a killed one may have kept it or not.
        fetched: place of the label that was fetched last, -1 if none was.
        written: labels that migrations gave to the label at place `at`, or meant to give; None for a removal.
        guessed: those of them of which no reply of the server was written down.
        lost_name: whether it came to another installation before it was fetched, so that nobody knows whose it is.
        deleted: whether its annotator deleted it, or its project is gone.
        removed: whether a migration removed it at the server.
        stays: whether it is kept although it is deleted.
    """

    person: str
    key: str
    stances: list[str]
    seconds: float
    number: int = 0
    before: int | None = None
    times: list[int] = msgspec.field(default_factory=lambda: [0])
    held: str = ""
    changes: int = 0
    versions: dict[int, set[str]] = {}
    fetched: int = -1
    at: int = -1
    written: set[str | None] = set()
    guessed: set[str | None] = set()
    lost_name: bool = False
    deleted: bool = False
    removed: bool = False
    stays: bool = False

    @property
    def is_held(self) -> bool:
        """Whether the server holds it."""
        return not self.deleted and not self.removed

    def say(self, label: str) -> None:
        """Its annotator gives it another label."""
        self.changes += 1
        self.stances.append(label)
        self.times.append(self.changes)
        self.held = label

    def plan(self, label: str | None, place: int) -> None:
        """A migration notes what it is about to do with it; of this the file keeps every note."""
        if self.at != place:
            self.at, self.written, self.guessed = place, set(), set()
        self.written.add(label)
        self.guessed.add(label)

    def unclear(self, label: str | None, place: int) -> bool:
        """Whether a change to a label, or a deletion, looks like what a migration did or meant to do.

        After an import nothing tells when the label was changed, nor whether it was.
        """
        if self.before is not None and place >= 0 and label == self.stances[place]:
            return True
        return self.at == place and label in (self.guessed if self.before is None else self.written)


class Kill(Exception):
    """A command that ends in the middle."""


class YearsServer(FakeServer):
    """A server that lets a migration change its answers; it is killed before the nth change, or right after it."""

    kill = 0
    after = False

    def __init__(self, tasks: list[StudioTask], people: dict[int, str], number: int, said: Mapping[int, Said]) -> None:
        """Hold these tasks; `said` are the answers by their number."""
        super().__init__(tasks, None, people, number)
        self._said, self._changes = said, 0

    def held_answer(self, answer_id: int) -> Answer | None:
        if not self._said[answer_id].is_held:
            return None
        every = [answer for task in self.tasks(self.number) for answer in task.annotations]
        return next(
            Answer(id=answer_id, created_at=row["created_at"], updated_at=row["updated_at"])
            for row in every
            if row["id"] == answer_id
        )

    def rewrite_answer(self, answer_id: int, result: list[dict[str, Any]]) -> str:
        row = self._said[answer_id]
        label = result[0]["value"]["choices"][0]
        self._dying()
        row.held = label
        row.changes += 1
        self._dead()
        row.guessed.discard(label)
        held = self.held_answer(answer_id)
        assert held is not None
        return updated(held.created_at, row.changes)

    def remove_answer(self, answer_id: int) -> None:
        self._dying()
        self._said[answer_id].removed = True
        self._dead()

    def _dying(self) -> None:
        self._changes += 1
        if self._changes == self.kill and not self.after:
            raise Kill

    def _dead(self) -> None:
        if self._changes == self.kill and self.after:
            raise Kill


def updated(made: str, changes: int) -> str:
    """The time of an answer's last change, from the time when it was made."""
    return f"{made[:14]}{changes:02}{made[16:]}"


def place_at(row: Said, time: str) -> int:
    """The place of the label that an answer had at a time."""
    changes = int(time[14:16])
    return max((place for place, when in enumerate(row.times) if when <= changes), default=-1)
