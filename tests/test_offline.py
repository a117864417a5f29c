"""Exports brought home, and pulls, where accounts, projects or the queue are not what they were."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from corpus.records import StudioError, TableError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.answers import chosen
from labeling.offline import ExportSummary, read_export
from labeling.pull import ADJUDICATIONS, ANNOTATIONS, DELETED, pull
from labeling.records import Adjudication, Annotation, Codebook, LabelingSettings
from labeling.studio import Project, Studio, StudioTask
from labeling.tasks import Corpus
from tests.conftest import vote
from tests.test_rounds import corpus_of

BOOK = Codebook(text="", version="1.0")
NOON = "2026-01-01T12:00:00Z"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A corpus of two sentences."""
    corpus_of(tmp_path / "work", {"s": "s", "t": "t"})
    return tmp_path / "work"


def _answer(id_: int, by: object, stance: str = "favor", **more: object) -> dict[str, Any]:
    times = {"created_at": NOON, "updated_at": NOON}
    return {"id": id_, "completed_by": by, "result": [chosen("stance", stance)], **times, **more}


def _task(data: dict[str, Any], *answers: dict[str, Any]) -> dict[str, Any]:
    return {"id": 1, "data": data, "annotations": list(answers)}


def _read(work: Path, *tasks: dict[str, Any], name: str = "export.json", blind: bool = False) -> ExportSummary:
    path = work.parent / name
    path.write_text(json.dumps(tasks))
    return read_export(path, Corpus(work), work, work.parent, BOOK, blind=blind)


def _votes(work: Path) -> set[tuple[str, str, str | None]]:
    rows = read_jsonl(table_path(work, ANNOTATIONS), Annotation, "")
    return {(row.sentence_id, row.annotator, row.stance) for row in rows}


# --- exports


def test_each_blind_projects_export_keeps_the_others_answers(work: Path) -> None:
    _read(work, _task({"sentence_id": "s"}, _answer(1, 1)), blind=True)
    _read(work, _task({"sentence_id": "s"}, _answer(2, 2, "none")), blind=True)
    assert _votes(work) == {("s", "A1", "favor"), ("s", "A2", "none")}


def test_an_answer_that_the_projects_own_export_lacks_was_deleted(work: Path) -> None:
    _read(work, _task({"sentence_id": "s"}, _answer(1, 1)))
    assert _read(work, _task({"sentence_id": "s"}, _answer(2, 2, "none"))).deleted == 1
    assert _votes(work) == {("s", "A2", "none")}


def test_the_queues_export_is_no_votes(work: Path) -> None:
    write_jsonl(table_path(work, ANNOTATIONS), [vote("s", "A1", "favor", studio_id=1)])
    with pytest.raises(TableError, match="export of the queue"):
        _read(work, _task({"sentence_id": "s", "given": {"A1": "favor"}}, _answer(9, 1, "none")))
    assert _votes(work) == {("s", "A1", "favor")}


def test_one_number_at_two_servers_is_two_people(work: Path) -> None:
    text = {"text": "About s."}
    _read(work, _task(text, _answer(1, 1, "pro")), name="one.json")
    _read(work, _task(text, _answer(2, 1, "con")), name="two.json")
    assert _votes(work) == {("s", "A1", "favor"), ("s", "A2", "against")}
    _read(work, _task(text, _answer(1, 1, "pro"), _answer(3, 1, "con")), name="one-of-later.json")
    assert {who for _, who, _ in _votes(work)} == {"A1", "A2"}  # known by the answer that was there before


def test_a_malformed_export_writes_nothing_and_names_no_address(work: Path) -> None:
    kim = {"id": 3, "email": "kim@lab.example"}
    with pytest.raises(TableError, match="found completed_by, id") as caught:
        _read(work, _task({"sentence_id": "s"}, {"id": 1, "completed_by": kim}))
    assert "kim" not in str(caught.value)
    for answer in (_answer(1, kim, lead_time="soon"), _answer(1, kim) | {"result": ["x"]}):
        for data in ({"sentence_id": "s"}, {"text": "About s."}):
            with pytest.raises(StudioError, match="annotation 1"):
                _read(work, _task(data, answer))
    assert not (table_path(work, ANNOTATIONS)).exists()
    assert _read(work, _task({"sentence_id": "s"}, _answer(1, {"id": "x"}))).unmatched == 1
    assert _read(work, _task({"sentence_id": "s", "control": "x"}, _answer(1, 1))).annotations == 0


# --- pulls


class _Server:
    """What a pull asks of a server: one labelling project, with or without a queue."""

    url = "http://127.0.0.1:1"

    def __init__(self, tasks: list[StudioTask], queue: list[StudioTask] | None, accounts: dict[int, str]) -> None:
        self.held = {1: tasks, 2: queue or []}
        self.queue, self.people = queue is not None, accounts

    def find_project(self, title: str) -> Project | None:
        if title.endswith("queue"):
            return Project(id=2, title=title) if self.queue else None
        return Project(id=1, title=title)

    def clock(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def tasks(self, project_id: int, *_: object, **__: object) -> list[StudioTask]:
        return self.held[project_id]

    def task_number(self, project_id: int) -> int:
        return len(self.held[project_id])

    def answer_number(self, project_id: int) -> int:
        return sum(len(task.annotations) for task in self.held[project_id])

    def accounts(self) -> dict[int, str]:
        return self.people


def _pull(work: Path, server: _Server, title: str = "Stance") -> None:
    pull(cast("Studio", server), LabelingSettings(title=title), work, work.parent, BOOK)


def test_the_answer_of_a_deleted_account_keeps_its_pseudonym(work: Path) -> None:
    def server(*accounts: int | None) -> _Server:
        answers = [_answer(id_, by) for id_, by in enumerate(accounts, 1)]
        people = {by: f"{by}@x" for by in accounts if by}
        return _Server([StudioTask(id=1, data={"sentence_id": "s"}, annotations=answers)], None, people)

    _pull(work, server(1, 2))
    (work.parent / ".stance" / "pulled.json").unlink()
    _pull(work, server(1, None, None))  # the server forgets who gave the second; the third is new
    assert _votes(work) == {("s", "A1", "favor"), ("s", "A2", "favor"), ("s", DELETED, "favor")}


def test_without_its_queue_a_pull_takes_no_verdict_of_people_back(work: Path) -> None:
    queue = [StudioTask(id=1, data={"sentence_id": "s", "given": {}}, annotations=[_answer(1, 1)])]
    _pull(work, _Server([], queue, {1: "a@x"}))
    settled = read_jsonl(table_path(work, ADJUDICATIONS), Adjudication, "")
    assert [row.stance for row in settled] == ["favor"]
    _pull(work, _Server([], None, {1: "a@x"}), title="Another title")
    assert read_jsonl(table_path(work, ADJUDICATIONS), Adjudication, "") == settled
    _pull(work, _Server([], [StudioTask(id=1, data={"sentence_id": "s"})], {1: "a@x"}))
    assert (
        read_jsonl(table_path(work, ADJUDICATIONS), Adjudication, "") == []
    )  # the answer was deleted in the queue itself
