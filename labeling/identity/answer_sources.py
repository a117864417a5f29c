"""Recognise which Label Studio project answers come from, by what the project holds.

A file's name does not say whose server wrote it, a server's address can change or become somebody else's, and the
numbers of projects, tasks, answers and accounts begin at 1 on every server. What two servers cannot have in common is
the time, to the microsecond, at which each answer and each task was made, and the id that Label Studio's exports give
to each answer.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, TypeVar

from labeling.records import Adjudication, Annotation

Answer = Annotation | Adjudication
AnswerRow = TypeVar("AnswerRow", Annotation, Adjudication)
Verdict = Literal["same", "other", "unknown"]


def task_mark(number: int, made: str) -> str:
    """A task's mark, which tells it from any other: its number at its server and, if known, when it was made."""
    return f"{number}@{made}" if made else str(number)


def task_number(mark: str) -> int | None:
    """The number in a task's mark; None if the mark is empty."""
    number = mark.partition("@")[0]
    return int(number) if number.isdecimal() else None


@lru_cache(1 << 16)
def moment(time: str) -> datetime | None:
    """The time that Label Studio wrote as this text; None if the text is not a time."""
    try:
        parsed = datetime.fromisoformat(time)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def said(row: Answer) -> tuple[object, ...]:
    """The content of an answer, which only an edit can change."""
    if isinstance(row, Annotation):
        return row.sentence_id, row.control, row.stance, row.unsure, row.holder, row.comment
    return row.sentence_id, row.stance, row.confidence, row.note, row.codebook_should_say


def one_answer(first: Answer, second: Answer) -> bool:
    """Whether two rows of one project are the same answer, perhaps before and after an edit.

    The number alone does not show this: SQLite gives the number of a deleted answer to a later one.
    """
    if first.studio_id is None or first.studio_id != second.studio_id:
        return False
    if isinstance(first, Annotation) and isinstance(second, Annotation) and first.unique_id and second.unique_id:
        return first.unique_id == second.unique_id
    if first.created_at and second.created_at and first.created_at != second.created_at:
        one, two = moment(first.created_at), moment(second.created_at)
        return one is not None and one == two
    return True


def contradict(first: Answer, second: Answer) -> bool:
    """Whether two rows of one answer differ although neither is an edit of the other."""
    return first.updated_at == second.updated_at and said(first) != said(second)


def is_version(first: Answer, second: Answer) -> bool:
    """Whether two rows of one project are the same answer, without contradicting each other."""
    return one_answer(first, second) and not contradict(first, second)


class Telling:
    """Which of some times identify an answer or task: those to the microsecond that occur once."""

    def __init__(self, times: Iterable[str]) -> None:
        """Count how often each time occurs."""
        self._number = Counter(times)

    def __call__(self, time: str) -> bool:
        """Whether this time identifies its answer or task."""
        parsed = moment(time)
        return parsed is not None and parsed.microsecond != 0 and self._number[time] <= 1


class Evidence:
    """The answers and tasks of one reading of a project, whole or in part, to be compared with known projects.

    Attributes:
        rows: answers that were read.
        tasks: marks of the tasks that were read.
    """

    def __init__(self, rows: Sequence[Answer], tasks: Collection[str]) -> None:
        """Find which times of the answers and tasks identify them."""
        self.rows: list[Answer] = list(rows)
        self.tasks = set(tasks)
        self.telling = Telling(row.created_at for row in rows)
        made = {mark: mark.partition("@")[2] for mark in self.tasks}
        telling = Telling(made.values())
        self._marks = {mark for mark, time in made.items() if telling(time)}
        self._dated = {task_number(mark): mark for mark, time in made.items() if time}

    def compare(self, known: Sequence[Answer], *, readdressed: bool = False) -> Verdict:
        """Whether this is the project that some known answers come from.

        An answer in both says that it is; one number for two answers says that it is not. If both occur, a project was
        copied, and people continued in both copies. If no answer can be compared, the tasks decide.

        Args:
            known: known answers that come from one project.
            readdressed: whether an account has another address here than it had there. That speaks against a match by
                times that identify nothing, such as typed ones.
        """
        shared, against = self._answers(known)
        if against:
            return "other"
        if shared:
            unlike = sum(contradict(*both) for both in shared)
            if any(self.tells(*both) for both in shared):
                return "other" if 2 * unlike > len(shared) else "same"
            return "other" if unlike or readdressed else "same"
        marks = {row.task for row in known if "@" in row.task}
        alike = len(self._marks & marks)
        # On SQLite a task that is made later can get the number of one that was deleted.
        unlike = sum(self._dated.get(task_number(mark), mark) != mark for mark in marks)
        if unlike > alike:
            return "other"
        return "same" if alike else "unknown"

    def is_sure(self, known: Sequence[Answer]) -> bool:
        """Whether times or ids, and not just like answers, show that this is the project that known answers are of."""
        shared, _ = self._answers(known)
        return any(self.tells(*both) for both in shared) or bool(self._marks & {row.task for row in known})

    def shared(self, known: Sequence[Answer]) -> list[Answer]:
        """The known answers that are here, perhaps in another version."""
        return [there for _, there in self._answers(known)[0]]

    def conflicts(self, known: Sequence[Answer]) -> bool:
        """Whether most numbers of known answers stand for other answers here."""
        shared, against = self._answers(known)
        return against > len(shared)

    def _answers(self, known: Sequence[Answer]) -> tuple[list[tuple[Answer, Answer]], int]:
        """The known answers that are here, and how many numbers stand for one answer here and another there."""
        read = {row.studio_id for row in self.rows}
        numbered: dict[int | None, list[Answer]] = defaultdict(list)
        for row in known:
            if row.studio_id in read:
                numbered[row.studio_id].append(row)
        shared: list[tuple[Answer, Answer]] = []
        against = 0
        for row in self.rows:
            if row.studio_id is None or row.studio_id not in numbered:
                continue
            same = next((other for other in numbered[row.studio_id] if one_answer(row, other)), None)
            if same is None:
                against += 1
            else:
                shared.append((row, same))
        return shared, against

    def tells(self, row: Answer, known: Answer) -> bool:
        """Whether it cannot be chance that two rows look like one answer."""
        if isinstance(row, Annotation) and isinstance(known, Annotation) and row.unique_id and known.unique_id:
            return True
        return bool(known.created_at) and self.telling(row.created_at)

    def name(self, taken: Collection[str]) -> str:
        """A name for a new project, made from what it holds, so that every computer gives it the same one.

        Args:
            taken: names of other projects.
        """
        everything = sorted({*self.tasks, *(f"{row.studio_id} {row.created_at} {said(row)}" for row in self.rows)})
        earliest = min(self._marks, key=lambda mark: (mark.partition("@")[2], mark), default="")
        for text in (earliest, "\n".join(everything)):
            if text and (name := _digest(text)) not in taken:
                return name
        number = 1
        while (name := _digest(f"{number}\n" + "\n".join(everything))) in taken:
            number += 1
        return name


def by_source(rows: Iterable[Answer]) -> dict[str, list[Answer]]:
    """Answers by the project that they come from, without those whose project is not known."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    for row in rows:
        if row.source:
            answers[row.source].append(row)
    return dict(sorted(answers.items()))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
