"""Exports of several Label Studios in any order, and what happens in a queue, against a model that keeps everything."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.store import read_jsonl, table_path
from labeling.codebook import Codebook
from labeling.records import Adjudication, Annotation, LabelingSettings, Superseded, Withdrawn, is_unknown
from labeling.scheme import DEFAULT
from labeling.studio.answers import chosen
from labeling.studio.api_records import StudioTask
from labeling.studio.client import Studio
from labeling.studio.tasks import Corpus
from labeling.sync.export_files import read_export
from labeling.sync.known_answers import ADJUDICATIONS, ANNOTATIONS, HISTORY, WITHDRAWN
from labeling.sync.pull import pull
from tests.support.corpora import corpus_of
from tests.support.examples import examples
from tests.support.fake_server import FakeServer

BOOK = Codebook(text="", version="1.0")
KEYS = "stuv"


class Given(msgspec.Struct, frozen=True):
    """An answer at a Label Studio: its task and account, and the stances that it had, an edit a month."""

    task: int
    account: int
    stances: list[str]


class Machine(msgspec.Struct, frozen=True):
    """A Label Studio of somebody's own. All count from 1; the moments when things were made are their own."""

    second: int
    answers: list[Given]
    addresses: dict[int, str]

    def export(self, event: Event) -> list[dict[str, Any]]:
        """An export made in a month that shows some of the answers, perhaps without saying who gave them."""
        tasks: dict[int, dict[str, Any]] = {}
        for number in event.shown:
            answer = self.answers[number]
            task = tasks.setdefault(
                answer.task,
                {
                    "id": answer.task + 1,
                    "data": {"sentence_id": KEYS[answer.task]},
                    "created_at": f"2026-01-01T12:00:{self.second:02}.{answer.task + 1:06}Z",
                    "annotations": [],
                },
            )
            edits = min(event.month, len(answer.stances) - 1)
            address = self.addresses.get(answer.account) if event.addressed else None
            by: object = {"id": answer.account, "email": address} if address else answer.account
            task["annotations"].append(
                {
                    "id": number + 1,
                    "completed_by": by if event.named else None,
                    "result": [chosen("stance", answer.stances[edits])],
                    "created_at": f"2026-01-02T12:{number:02}:{self.second:02}.{number + 1:06}Z",
                    "updated_at": f"2026-{edits + 2:02}-02T12:{number:02}:{self.second:02}.{number + 1:06}Z",
                }
            )
        return list(tasks.values())


class Event(msgspec.Struct, frozen=True):
    """An export that is pulled: of which machine, made in which month, what it shows."""

    machine: int
    month: int
    shown: list[int]
    named: bool
    addressed: bool
    replace: bool = False


ANSWERS = st.builds(
    Given,
    st.integers(0, 3),
    st.integers(1, 2),
    st.lists(st.sampled_from(DEFAULT.names), min_size=1, max_size=3, unique=True),
)


@st.composite
def histories(draw: st.DrawFn, *, replace: bool = False) -> tuple[list[Machine], list[Event]]:
    """Machines whose accounts are known by number alone or by address too, and exports of them, in part or whole."""
    machines = [
        Machine(
            n,
            draw(st.lists(ANSWERS, min_size=1, max_size=6)),
            draw(
                st.dictionaries(st.integers(1, 2), st.sampled_from(["kim@lab.example", "lee@lab.example"]), max_size=2)
            )
            if draw(st.booleans())
            else {},
        )
        for n in range(draw(st.integers(1, 3)))
    ]
    # At one server no two accounts have one address.
    machines = [
        machine
        if len(set(machine.addresses.values())) == len(machine.addresses)
        else Machine(machine.second, machine.answers, {})
        for machine in machines
    ]
    events: list[Event] = []
    for _ in range(draw(st.integers(1, 6))):
        number = draw(st.integers(0, len(machines) - 1))
        places = range(len(machines[number].answers))
        shown = draw(st.lists(st.sampled_from(places), min_size=1, unique=True))
        named = draw(st.integers(0, 3)) > 0
        addressed, delete = draw(st.booleans()), replace and draw(st.booleans())
        events.append(Event(number, draw(st.integers(0, 2)), sorted(shown), named, addressed, delete))
    return machines, events


class Model:
    """What must be known: every answer that was shown, as the latest version of it that was, and whose it is."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = machines
        self.parts: list[tuple[int, set[int], set[int]]] = []
        self.shown: dict[tuple[int, int], int] = {}
        self.named: set[tuple[int, int]] = set()
        self.versions: set[tuple[int, int, int]] = set()
        self.addressed: list[tuple[int, int]] = []

    def take(self, event: Event) -> None:
        machine = self.machines[event.machine]
        tasks = {machine.answers[number].task for number in event.shown}
        # One project: exports of it that share a task, directly or by way of others. Of what shares nothing with
        # anything nobody can know.
        joined = (event.machine, tasks, set(event.shown))
        rest = []
        for part in self.parts:
            if part[0] == event.machine and part[1] & joined[1]:
                joined = (event.machine, part[1] | joined[1], part[2] | joined[2])
            else:
                rest.append(part)
        self.parts = [*rest, joined]
        for number in event.shown:
            version = min(event.month, len(machine.answers[number].stances) - 1)
            key = event.machine, number
            self.shown[key] = max(version, self.shown.get(key, 0))
            self.versions.add((*key, version))
            if event.named:
                self.named.add(key)
            if event.named and event.addressed:
                self.addressed.append(key)
        if event.replace:
            for number in joined[2] - set(event.shown):
                self.shown.pop((event.machine, number), None)

    def person(self, key: tuple[int, int]) -> object:
        """Who gave an answer: whoever has the address, or the account in what is known to be one project."""
        if key not in self.named:
            return "nobody", key  # nobody says so: it is nobody else's
        number, answer = key
        account = self.machines[number].answers[answer].account
        part = next(row for row in self.parts if row[0] == number and answer in row[2])
        told = any(
            at == number and other in part[2] and self.machines[at].answers[other].account == account
            for at, other in self.addressed
        )
        address = self.machines[number].addresses.get(account) if told else None
        return address or (self.parts.index(part), account)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A corpus of four sentences, which the exports' tasks are of."""
    work = tmp_path_factory.mktemp("corpus") / "work"
    corpus_of(work, {key: key for key in KEYS})
    return Corpus(work)


def run(corpus: Corpus, machines: Sequence[Machine], events: Iterable[Event], folder: Path) -> Path:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    for event in events:
        path = folder / f"{event.machine}" / "export.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(machines[event.machine].export(event)))
        read_export(path, corpus, work, folder, BOOK, replace=event.replace)
        before = table_path(work, ANNOTATIONS).read_bytes()
        assert not read_export(path, corpus, work, folder, BOOK, replace=event.replace).changed
        assert table_path(work, ANNOTATIONS).read_bytes() == before
    return work


def rows_of(work: Path) -> list[Annotation]:
    return read_jsonl(table_path(work, ANNOTATIONS), Annotation, "")


def history_of(work: Path) -> list[Superseded]:
    path = table_path(work, HISTORY)
    return read_jsonl(path, Superseded, "") if path.is_file() else []


def place(row: Annotation) -> tuple[int, int]:
    """The machine and the number of an answer, by the moment when it was made."""
    return int(row.created_at[17:19]), int(row.created_at[20:26]) - 1


def check(work: Path, model: Model) -> None:
    rows = rows_of(work)
    assert sorted(place(row) for row in rows) == sorted(model.shown)  # none is lost, none is there twice
    people: dict[object, set[str]] = {}
    for row in rows:
        number, answer = place(row)
        was = model.machines[number].answers[answer]
        assert (row.sentence_id, row.stance) == (KEYS[was.task], was.stances[model.shown[place(row)]])
        people.setdefault(model.person(place(row)), set()).add(row.annotator)
        assert is_unknown(row.annotator) == (place(row) not in model.named)
    assert all(len(names) == 1 for names in people.values())  # a person has one name
    assert len(set().union(*people.values())) == len(people)  # and no two have the same


LIMITS: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


@settings(max_examples=examples(25), **LIMITS)
@given(histories(), st.randoms(use_true_random=False))
def test_no_order_of_exports_loses_doubles_or_misnames_an_answer(
    corpus: Corpus, history: tuple[list[Machine], list[Event]], chance: Any
) -> None:
    orders(corpus, history, chance)


@pytest.mark.slow
@settings(max_examples=examples(400), **LIMITS)
@given(histories(), st.randoms(use_true_random=False))
def test_many_orders_of_exports_lose_double_or_misname_no_answer(
    corpus: Corpus, history: tuple[list[Machine], list[Event]], chance: Any
) -> None:
    orders(corpus, history, chance)


def orders(corpus: Corpus, history: tuple[list[Machine], list[Event]], chance: Any) -> None:
    machines, events = history
    model = Model(machines)
    for event in events:
        model.take(event)
    other = list(events)
    chance.shuffle(other)
    tables: list[set[object]] = []
    for order in (events, other):
        with tempfile.TemporaryDirectory() as folder:
            work = run(corpus, machines, order, Path(folder))
            check(work, model)
            kept = history_of(work)
            superseded = {(*place(row.answer), int(row.answer.updated_at[5:7]) - 2) for row in kept}
            assert superseded == {row for row in model.versions if row[2] != model.shown[row[:2]]}
            assert len(kept) == len(superseded)
            assert {row.why for row in kept} <= {"edited"}
            tables.append(
                {
                    (row.sentence_id, row.stance, row.created_at, row.updated_at, row.task, row.studio_id, row.codebook)
                    for row in rows_of(work)
                }
            )
    assert tables[0] == tables[1]


@settings(max_examples=examples(25), **LIMITS)
@given(histories(replace=True))
def test_replacing_deletes_what_the_project_lacks_and_nothing_else(
    corpus: Corpus, history: tuple[list[Machine], list[Event]]
) -> None:
    machines, events = history
    model = Model(machines)
    with tempfile.TemporaryDirectory() as folder:
        for event in events:
            model.take(event)
            work = run(corpus, machines, [event], Path(folder))
            check(work, model)
        gone = {place(row.answer) for row in history_of(work) if row.why == "deleted"}
        assert gone >= {row[:2] for row in model.versions} - model.shown.keys()


# --- the queue


class Queue:
    """A queue at a server, to which people do all that they can, and the verdicts that must be known after a pull."""

    def __init__(self) -> None:
        self.tasks: dict[int, StudioTask] | None = {}
        self.last = self.answers = self.clock = 0
        self.known: dict[int, str | None] = {}

    def moment(self) -> str:
        self.clock += 1
        return f"2026-01-01T12:{self.clock // 60:02}:{self.clock % 60:02}.000001Z"

    def do(self, what: str, which: int) -> None:
        if what == "delete the project":
            self.tasks = None
        elif what == "make a project":
            self.tasks = {} if self.tasks is None else self.tasks
        if self.tasks is None:
            return
        if what == "make a task":
            # As SQLite does: the number after the highest that there is, which a deleted one may have had.
            number = max(self.tasks, default=0) + 1
            data = {"sentence_id": KEYS[which % len(KEYS)], "given": {}}
            self.tasks[number] = StudioTask(id=number, data=data, created_at=self.moment())
        chosen_ = sorted(self.tasks)[which % len(self.tasks)] if self.tasks else None
        if chosen_ is None:
            return
        task = self.tasks[chosen_]
        if what == "delete a task":
            del self.tasks[chosen_]
        elif what == "answer":
            self.answers += 1
            now = self.moment()
            answer = {"id": self.answers, "completed_by": which % 2 + 1, "created_at": now, "updated_at": now}
            answer |= {"result": [chosen("stance", DEFAULT.names[which % 3])]}
            self._set(task, [*task.annotations, answer])
        elif what == "delete an answer" and task.annotations:
            self._set(task, task.annotations[1:])
        elif what in {"edit", "skip"} and task.annotations:
            change: dict[str, Any] = {"updated_at": self.moment(), "was_cancelled": what == "skip"}
            change |= {"result": [] if what == "skip" else [chosen("stance", DEFAULT.names[which % 3])]}
            self._set(task, [task.annotations[0] | change, *task.annotations[1:]])

    def _set(self, task: StudioTask, answers: list[dict[str, Any]]) -> None:
        assert self.tasks is not None
        self.tasks[task.id] = msgspec.structs.replace(task, annotations=answers)


WHAT = ["answer", "answer", "edit", "skip", "delete an answer", "make a task", "delete a task"]
DEEDS = st.tuples(st.sampled_from([*WHAT, "delete the project", "make a project", "pull", "pull"]), st.integers(0, 9))


@settings(max_examples=examples(40), **LIMITS)
@given(st.lists(DEEDS, min_size=5, max_size=30))
def test_whatever_happens_to_a_queue_only_a_person_takes_a_verdict_back(deeds: list[tuple[str, int]]) -> None:
    queue = Queue()
    seen: dict[int, tuple[str, str | None, str]] = {}  # answer → its task's making, stance, last edit
    taken_back: set[tuple[int, str]] = set()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        corpus_of(work, {key: key for key in KEYS})
        for what, which in [("make a task", 0), *deeds, ("pull", 0)]:
            if what != "pull":
                queue.do(what, which)
                continue
            held = None if queue.tasks is None else list(queue.tasks.values())
            server = FakeServer([], held, {1: "a@x", 2: "b@x"})
            pull(cast("Studio", server), LabelingSettings(), work, work.parent, BOOK)
            now: dict[int, tuple[str, str | None, str]] = {}
            for task in held or []:
                for answer in task.annotations:
                    stance = answer["result"][0]["value"]["choices"][0] if answer["result"] else None
                    now[answer["id"]] = (task.created_at, stance, answer["updated_at"])
            standing = {task.created_at for task in held or []}
            for number, row in list(seen.items()):
                if number in now and now[number] != row:
                    taken_back.add((number, row[2]))
                elif number not in now and row[0] in standing:
                    taken_back.add((number, row[2]))
                    del seen[number]
            seen |= now
            path = table_path(work, ADJUDICATIONS)
            known = read_jsonl(path, Adjudication, "") if path.is_file() else []
            assert {row.studio_id: (row.stance, row.updated_at) for row in known} == {
                number: row[1:] for number, row in seen.items()
            }
            path = table_path(work, WITHDRAWN)
            history = read_jsonl(path, Withdrawn, "") if path.is_file() else []
            assert {(row.answer.studio_id, row.answer.updated_at) for row in history} == taken_back
