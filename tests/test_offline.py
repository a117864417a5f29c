"""Exports brought home, and pulls, where accounts, projects or the queue are not what they were."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from corpus.errors import ConfigError, StudioError, TableError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.adjudicate import adjudicate
from labeling.codebook import Codebook
from labeling.identity.account_register import FILE, read_register
from labeling.identity.pseudonyms import read_names
from labeling.records import Adjudication, Annotation, LabelingSettings, Superseded, Withdrawn
from labeling.studio.answers import chosen
from labeling.studio.api_records import StudioTask
from labeling.studio.client import Studio
from labeling.studio.tasks import Corpus
from labeling.sync.export_files import ExportSummary, read_export
from labeling.sync.known_answers import ADJUDICATIONS, ANNOTATIONS, HISTORY, WITHDRAWN, digest
from labeling.sync.pull import PullSummary, pull
from labeling.sync.server_changes import STATE
from tests.conftest import vote
from tests.support.corpora import corpus_of
from tests.support.fake_server import FakeServer

BOOK = Codebook(text="", version="1.0")
NOON = "2026-01-01T12:00:00Z"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A corpus of three sentences."""
    corpus_of(tmp_path / "work", {"s": "s", "t": "t", "u": "u"})
    return tmp_path / "work"


def _answer(id_: int, by: object, stance: str = "favor", at: str = NOON, **more: object) -> dict[str, Any]:
    times = {"created_at": at, "updated_at": at}
    return {"id": id_, "completed_by": by, "result": [chosen("stance", stance)], **times, **more}


def _task(data: dict[str, Any], *answers: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"id": 1, "data": data, "annotations": list(answers), **more}


def _read(work: Path, *tasks: dict[str, Any], name: str = "export.json", **how: Any) -> ExportSummary:
    path = work.parent / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(tasks))
    return read_export(path, Corpus(work), work, work.parent, BOOK, **how)


def _rows(work: Path) -> list[Annotation]:
    return read_jsonl(table_path(work, ANNOTATIONS), Annotation, "")


def _votes(work: Path) -> set[tuple[str, str, str | None]]:
    return {(row.sentence_id, row.annotator, row.stance) for row in _rows(work)}


def _who(work: Path) -> dict[int | None, str]:
    return {row.studio_id: row.annotator for row in _rows(work)}


def _machine(second: int, by: object, *stances: str, first: int = 1, **more: object) -> list[dict[str, Any]]:
    """The export of a Label Studio of one's own: numbers begin at 1 as everywhere, times are its own."""
    return [
        _task(
            {"sentence_id": key},
            _answer(first + n, by, stance, f"2026-01-02T12:{n:02}:{second:02}.{1000 + n:06}Z", **more),
            id=n + 1,
            created_at=f"2026-01-01T12:00:{second:02}.{n + 1:06}Z",
            project=1,
        )
        for n, (key, stance) in enumerate(zip("stu", stances, strict=False))
    ]


# --- exports of several machines


@pytest.mark.parametrize(
    ("alice", "bob"),
    [
        (1, 1),
        ({"id": 1, "email": "alice@lab.example"}, {"id": 1, "email": "bob@lab.example"}),
        ({"id": 1, "email": "owner@stance.example"}, {"id": 1, "email": "owner@stance.example"}),
        ({"id": 1, "email": "default_user@localhost"}, {"id": 1, "email": "default_user@localhost"}),
    ],
    ids=["numbers", "addresses", "the-address-of-every-serve", "label-studios-own"],
)
@pytest.mark.parametrize("names", [("alice.json", "bob.json"), ("alice/export.json", "bob/export.json")])
def test_the_same_tasks_labelled_on_two_machines_are_two_peoples_answers(
    work: Path, alice: object, bob: object, names: tuple[str, str]
) -> None:
    _read(work, *_machine(1, alice, "favor", "none", "none"), name=names[0])
    done = _read(work, *_machine(2, bob, "favor", "against"), name=names[1])
    assert (done.deleted, done.edited, done.missing) == (0, 0, 0)
    both = {
        ("s", "A1", "favor"),
        ("t", "A1", "none"),
        ("u", "A1", "none"),
        ("s", "A2", "favor"),
        ("t", "A2", "against"),
    }
    assert _votes(work) == both
    before = table_path(work, ANNOTATIONS).read_bytes()
    for name, at, by in ((names[0], 1, alice), (names[1], 2, bob)):
        stances = ("favor", "none", "none") if at == 1 else ("favor", "against")
        assert not _read(work, *_machine(at, by, *stances), name=name).changed
    assert table_path(work, ANNOTATIONS).read_bytes() == before


def test_two_exports_that_differ_in_nothing_but_the_answers_own_ids_are_two_projects(work: Path) -> None:
    for name in ("alice", "bob"):
        tasks = _machine(1, 1, "favor", "none")
        for n, task in enumerate(tasks):
            task["annotations"][0]["unique_id"] = f"{name}-{n}"
        _read(work, *tasks, name=f"{name}/export.json")
    assert sorted(who for _, who, _ in _votes(work)) == ["A1", "A1", "A2", "A2"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_older_and_a_later_export_of_a_project_are_one_whatever_their_names_and_order(
    work: Path, order: tuple[int, int]
) -> None:
    old = _machine(1, 1, "favor", "none", "none")
    new = _machine(1, 1, "favor", "none")
    edited = new[1]["annotations"][0]
    edited |= {"result": [chosen("stance", "against")], "updated_at": "2026-03-03T12:00:00.5Z"}
    for which in order:
        _read(work, *(old, new)[which], name=f"{which}.json")
    assert _votes(work) == {("s", "A1", "favor"), ("t", "A1", "against"), ("u", "A1", "none")}
    history = read_jsonl(table_path(work, HISTORY), Superseded, "")
    assert [(row.why, row.answer.sentence_id, row.answer.stance) for row in history] == [("edited", "t", "none")]


def test_what_an_export_no_longer_has_stays_until_the_user_says_otherwise(work: Path) -> None:
    _read(work, *_machine(9, 1, "none"), name="other.json")
    _read(work, *_machine(1, 1, "favor", "none", "none"))
    done = _read(work, *_machine(1, 1, "favor"))
    assert (done.missing, done.deleted) == (2, 0)
    assert len(_rows(work)) == 4
    done = _read(work, *_machine(1, 1, "favor"), replace=True)
    assert (done.missing, done.deleted) == (0, 2)
    assert _votes(work) == {("s", "A1", "none"), ("s", "A2", "favor")}
    assert {row.why for row in read_jsonl(table_path(work, HISTORY), Superseded, "")} == {"deleted"}
    _read(work, *_machine(1, 1, "favor", "none", "none"))  # a fuller export brings them back, as they were
    assert {(key, who) for key, who, _ in _votes(work)} == {("s", "A1"), ("s", "A2"), ("t", "A2"), ("u", "A2")}


def test_an_answer_that_comes_back_is_still_the_same_persons(work: Path) -> None:
    both = _machine(1, 1, "favor", "none")
    _read(work, *both)
    _read(work, both[0], replace=True)
    both[1]["annotations"][0]["completed_by"] = None  # the account has been deleted since
    _read(work, *both)
    assert _votes(work) == {("s", "A1", "favor"), ("t", "A1", "none")}


def test_the_history_of_two_parts_that_turn_out_to_be_one_project_is_one(work: Path) -> None:
    old, new = _machine(1, 1, "favor", "none"), _machine(1, 1, "against", "against")
    for task in new:
        task["annotations"][0]["updated_at"] = "2026-03-03T12:00:00.5Z"
    for part in (old[:1], old[1:], new[:1], new[1:], old):
        _read(work, *part)
    assert _votes(work) == {("s", "A1", "against"), ("t", "A1", "against")}
    history = read_jsonl(table_path(work, HISTORY), Superseded, "")
    assert [(row.answer.stance, row.answer.annotator) for row in history] == [("favor", "A1"), ("none", "A1")]
    assert {row.source for row in _rows(work)} == {row.answer.source for row in history}


def test_an_answer_given_again_is_the_same_persons_where_only_the_task_tells(work: Path) -> None:
    _read(work, *_machine(1, 1, "favor"))
    done = _read(work, *_machine(1, 1, "none", first=7), replace=True)
    assert done.deleted == 1
    assert _votes(work) == {("s", "A1", "none")}


def test_parts_of_one_project_that_share_nothing_are_one_when_a_third_joins_them(work: Path) -> None:
    first, second = _machine(1, 1, "favor", "none")
    _read(work, first, name="a.json")
    done = _read(work, second, name="b.json")
    assert any("account 1 is A2" in note for note in done.notes)
    done = _read(work, first, second, name="c.json")
    assert done.notes == ["A1 and A2 turn out to be account 1 of one Label Studio: A2 is called A1 now"]
    assert _votes(work) == {("s", "A1", "favor"), ("t", "A1", "none")}
    assert len({row.source for row in _rows(work)}) == 1
    assert not _read(work, first, second, name="c.json").changed


def test_each_blind_projects_export_keeps_the_others_answers(work: Path) -> None:
    _read(work, _task({"sentence_id": "s"}, _answer(1, 1)))
    _read(work, _task({"sentence_id": "s"}, _answer(2, 2, "none")))
    assert _votes(work) == {("s", "A1", "favor"), ("s", "A2", "none")}


def test_a_copied_label_studio_that_both_went_on_with_is_two_peoples(work: Path) -> None:
    """A colleague got the folder: what was labelled before is in both, and what came after has equal numbers."""
    shared, mine = _machine(1, 1, "favor", "none")
    theirs = json.loads(json.dumps(mine))
    theirs["annotations"][0] |= {"created_at": "2026-05-05T12:00:00.77Z", "updated_at": "2026-05-05T12:00:00.77Z"}
    _read(work, shared, mine, name="mine.json")
    _read(work, shared, theirs, name="theirs.json")
    assert _votes(work) == {("s", "A1", "favor"), ("t", "A1", "none"), ("t", "A2", "none")}


def test_the_queues_export_is_no_votes(work: Path) -> None:
    write_jsonl(table_path(work, ANNOTATIONS), [vote("s", "A1", "favor", studio_id=1)])
    with pytest.raises(TableError, match="export of the queue"):
        _read(work, _task({"sentence_id": "s", "given": {"A1": "favor"}}, _answer(9, 1, "none")))
    assert _votes(work) == {("s", "A1", "favor")}


@pytest.mark.parametrize("names", [("one.json", "two.json"), ("one/labels.json", "two/labels.json")])
def test_one_number_in_two_adopted_exports_is_two_people(work: Path, names: tuple[str, str]) -> None:
    text = {"text": "About s."}
    _read(work, _task(text, _answer(1, 1, "pro")), name=names[0])
    _read(work, _task(text, _answer(2, 1, "con")), name=names[1])
    assert _votes(work) == {("s", "A1", "favor"), ("s", "A2", "against")}
    _read(work, _task(text, _answer(1, 1, "pro"), _answer(3, 1, "con")), name="one-of-later.json")
    assert {who for _, who, _ in _votes(work)} == {"A1", "A2"}  # known by the answer that was there before


def test_equal_numbers_and_typed_times_are_two_projects_as_soon_as_anything_differs(work: Path) -> None:
    _read(work, _task({"sentence_id": "s"}, _answer(1, 1), _answer(2, 1)), name="one/export.json")
    _read(work, _task({"sentence_id": "s"}, _answer(1, 1), _answer(2, 1, "none")), name="two/export.json")
    assert sorted(who for _, who, _ in _votes(work)) == ["A1", "A2", "A2"]
    assert len(_rows(work)) == 4


def test_an_answer_that_stands_in_an_export_twice_is_one(work: Path) -> None:
    """Two exports of a project, put together by hand."""
    old, new = _machine(1, 1, "favor", "none"), _machine(1, 1, "favor", "none")
    new[1]["annotations"][0] |= {"result": [chosen("stance", "against")], "updated_at": "2026-03-03T12:00:00.5Z"}
    for tasks in ([*old, *new], [*new, *old]):
        _read(work, *tasks)
        assert _votes(work) == {("s", "A1", "favor"), ("t", "A1", "against")}
        assert len(_rows(work)) == 2


def test_a_malformed_export_writes_nothing_and_names_no_address(work: Path) -> None:
    kim = {"id": 3, "email": "kim@lab.example"}
    with pytest.raises(TableError, match="found completed_by, id") as caught:
        _read(work, _task({"sentence_id": "s"}, {"id": 1, "completed_by": kim}))
    assert "kim" not in str(caught.value)
    for answer in (_answer(1, kim, lead_time="soon"), _answer(1, kim) | {"result": ["x"]}):
        for data in ({"sentence_id": "s"}, {"text": "About s."}):
            with pytest.raises(StudioError, match="annotation 1"):
                _read(work, _task(data, answer))
    assert not table_path(work, ANNOTATIONS).exists()
    assert not (work.parent / FILE).exists()
    assert _read(work, _task({"sentence_id": "s", "control": "x"}, _answer(1, 1))).annotations == 0


# --- who gave an answer of an export


def test_a_name_makes_one_person_of_two_machines_accounts(work: Path) -> None:
    _read(work, *_machine(1, 1, "favor"), name="office.json", annotator="Alice ")
    _read(work, *_machine(2, 1, "none"), name="bob.json", annotator="bob")
    done = _read(work, *_machine(3, 1, "favor", "none"), name="home.json", annotator="alice")
    assert _votes(work) == {("s", "A1", "favor"), ("s", "A2", "none"), ("t", "A1", "none")}
    assert done.notes == []
    _read(work, *_machine(3, 1, "favor", "none", "none"), name="home.json")
    assert ("u", "A1", "none") in _votes(work)  # known from then on
    assert "alice" not in table_path(work, ANNOTATIONS).read_text().casefold()
    assert read_names(work.parent) == {"alice": "A1", "bob": "A2"}
    assert stat.S_IMODE((work.parent / FILE).stat().st_mode) == 0o600


def test_a_name_is_also_a_pseudonym_or_an_address_that_is_known(work: Path) -> None:
    _read(work, *_machine(1, {"id": 4, "email": "Kim@lab.example"}, "favor"))
    _read(work, *_machine(2, 1, "none"), name="b.json", annotator="kim@lab.example")
    _read(work, *_machine(3, 1, "none"), name="c.json", annotator="a1")
    assert {who for _, who, _ in _votes(work)} == {"A1"}
    for wrong in ("A7", " ", "unknown 1"):
        with pytest.raises(ConfigError, match="expected a person's name or a pseudonym in use; these are: A1"):
            _read(work, *_machine(4, 1, "none"), name="d.json", annotator=wrong)


def test_a_name_for_several_accounts_is_refused_and_nothing_is_written(work: Path) -> None:
    with pytest.raises(ConfigError, match="of 2 accounts: account 1, account 2"):
        _read(work, _task({"sentence_id": "s"}, _answer(1, 1), _answer(2, 2)), annotator="alice")
    assert not table_path(work, ANNOTATIONS).exists()
    assert not (work.parent / FILE).exists()


def test_a_name_takes_no_answer_from_somebody_who_is_known(work: Path) -> None:
    _read(work, *_machine(1, 1, "favor"))
    _read(work, *_machine(1, 1, "favor", "none"), annotator="bob")
    assert _votes(work) == {("s", "A1", "favor"), ("t", "A2", "none")}


def test_one_address_on_two_machines_is_one_person_and_said_aloud(work: Path) -> None:
    kim = {"id": 1, "email": "kim@lab.example"}
    _read(work, *_machine(1, kim, "favor"), name="a.json")
    done = _read(work, *_machine(2, {**kim, "id": 5}, "none", "none"), name="b.json")
    assert done.notes == ["account 5 has an address of A1: they are taken for one person"]
    assert {who for _, who, _ in _votes(work)} == {"A1"}


def test_an_address_that_is_told_later_joins_two_pseudonyms_of_one_person(work: Path) -> None:
    kim = {"id": 5, "email": "kim@lab.example"}
    _read(work, *_machine(1, 1, "favor"), name="a.json")
    _read(work, *_machine(2, kim, "none"), name="b.json")
    done = _read(work, *_machine(1, {**kim, "id": 1}, "favor"), name="a.json")
    assert done.notes == ["account 1 has an address of A2: they are taken for one person, and A1 with them"]
    assert _votes(work) == {("s", "A1", "favor"), ("s", "A1", "none")}
    assert not _read(work, *_machine(2, kim, "none"), name="b.json").changed


def test_answers_that_name_nobody_are_kept_each_as_somebody_else(work: Path) -> None:
    nobody: list[object] = [None, {}, {"id": None, "email": "Deleted"}, {"id": "x"}, True]
    answers = [_answer(n, by, at=f"2026-01-01T12:00:00.{n:06}Z") for n, by in enumerate(nobody, 1)]
    for _ in range(2):
        assert _read(work, _task({"sentence_id": "s"}, *answers)).unmatched == 0
        assert _who(work) == {n: f"unknown {n}" for n in range(1, 6)}
    more = [_answer(6, None, at="2026-01-01T12:00:00.6Z"), answers[0] | {"completed_by": 3}]
    _read(work, _task({"sentence_id": "s"}, *more, *answers[1:]))
    assert _who(work) == {1: "A1", 6: "unknown 6"} | {n: f"unknown {n}" for n in range(2, 6)}
    _read(work, _task({"sentence_id": "s"}, *answers))  # what was said once is not unsaid
    assert _who(work)[1] == "A1"


def test_an_account_is_known_by_its_number_or_its_address_alone(work: Path) -> None:
    forms: list[object] = [7, {"id": 7, "email": "kim@lab.example"}, {"email": "KIM@lab.example"}, "kim@lab.example"]
    answers = [_answer(n, by, at=f"2026-01-01T12:00:00.{n:06}Z") for n, by in enumerate(forms, 1)]
    for n in range(1, 5):
        _read(work, _task({"sentence_id": "s"}, *answers[:n], created_at="2026-01-01T12:00:00.5Z"))
    assert set(_who(work).values()) == {"A1"}


def test_an_exports_person_keeps_the_pseudonym_without_the_private_file(work: Path) -> None:
    _read(work, *_machine(1, 1, "favor"), name="a.json")
    _read(work, *_machine(2, 1, "favor"), name="b.json")
    (work.parent / FILE).unlink()
    _read(work, *_machine(3, 1, "none"), name="c.json")
    _read(work, *_machine(2, 1, "favor", "none"), name="b.json")
    assert _votes(work) == {("s", "A1", "favor"), ("s", "A2", "favor"), ("s", "A3", "none"), ("t", "A2", "none")}


def test_a_colleagues_pseudonyms_in_the_annotations_outweigh_the_private_file(work: Path) -> None:
    """Two colleagues pulled the same two exports in another order, and one took over the other's annotations."""
    _read(work, *_machine(1, 1, "favor"), name="a.json")
    _read(work, *_machine(2, 1, "favor"), name="b.json")
    swapped = {"A1": "A2", "A2": "A1"}
    theirs = [vote(row.sentence_id, swapped[row.annotator], row.stance) for row in _rows(work)]
    for row, name in zip(_rows(work), theirs, strict=True):
        assert row.annotator != name.annotator
    import msgspec

    write_jsonl(
        table_path(work, ANNOTATIONS),
        [msgspec.structs.replace(row, annotator=swapped[row.annotator]) for row in _rows(work)],
    )
    _read(work, *_machine(1, 1, "favor", "none"), name="a.json")
    assert ("t", "A2", "none") in _votes(work)


def test_two_pseudonyms_of_one_person_are_put_together_in_the_private_file(work: Path) -> None:
    _read(work, *_machine(1, 1, "favor"), name="a.json")
    _read(work, *_machine(2, 1, "none", "none"), name="b.json")
    path = work.parent / FILE
    content = json.loads(path.read_text())
    content["people"]["A1"] = {"also": ["A2"]}
    path.write_text(json.dumps(content))
    _read(work, *_machine(2, 1, "none", "none", "none"), name="b.json")
    assert {who for _, who, _ in _votes(work)} == {"A1"}


# --- what an older version left


def _old(work: Path, *rows: tuple[str, str, str, str, int], names: dict[str, str]) -> None:
    table_path(work, ANNOTATIONS).parent.mkdir(exist_ok=True)
    names_of = ("annotator", "sentence_id", "stance", "created_at", "updated_at", "studio_id")
    lines = [dict(zip(names_of, (who, key, stance, at, at, id_), strict=True)) for who, key, stance, at, id_ in rows]
    table_path(work, ANNOTATIONS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (work.parent / FILE).parent.mkdir(exist_ok=True)
    (work.parent / FILE).write_text(json.dumps(names))


def test_annotations_of_an_older_version_are_carried_over_and_none_is_doubled(work: Path) -> None:
    first, second = _machine(1, {"id": 1, "email": "Kim@lab.example"}, "favor", "none")
    at = [task["annotations"][0]["created_at"] for task in (first, second)]
    _old(
        work,
        ("A4", "s", "favor", at[0], 1),
        ("A2", "t", "against", "2025-05-05T05:05:05.5Z", 2),
        names={"kim@lab.example": "A4", "lee@lab.example": "A2"},
    )
    _read(work, first, second)
    assert _votes(work) == {("s", "A4", "favor"), ("t", "A2", "against"), ("t", "A4", "none")}
    assert [row.source != "" for row in _rows(work)] == [True, False, True]
    assert not _read(work, first, second).changed
    assert read_names(work.parent)["lee@lab.example"] == "A2"


def test_an_address_that_an_older_version_knew_is_still_the_same_person(work: Path) -> None:
    _old(work, ("A4", "s", "favor", NOON, 1), names={"Kim@lab.example": "A4", "account 1 in old.json": "A5"})
    _read(work, *_machine(1, {"id": 1, "email": "kim@lab.example"}, "none"))
    assert _votes(work) == {("s", "A4", "favor"), ("s", "A4", "none")}
    _read(work, *_machine(2, 1, "none", "none"), name="new.json")
    assert ("t", "A6", "none") in _votes(work)  # no pseudonym is given twice


def test_the_one_deleted_person_of_an_older_version_becomes_as_many_as_there_are_answers(work: Path) -> None:
    _old(
        work,
        ("deleted", "s", "favor", "2025-05-05T05:05:05.5Z", 1),
        ("deleted", "s", "favor", "2025-05-05T05:05:05.6Z", 2),
        ("A3", "t", "favor", "2025-05-05T05:05:05.7Z", 3),
        names={"Deleted": "A3", "kim@lab.example": "A1"},
    )
    _read(work, *_machine(1, 1, "none"))
    assert sorted(row.annotator for row in _rows(work)) == ["A4", "unknown 1", "unknown 2", "unknown 3"]


# --- pulls


def _pull(work: Path, server: FakeServer, title: str = "Stance") -> PullSummary:
    return pull(cast("Studio", server), LabelingSettings(title=title), work, work.parent, BOOK)


def _asked(key: str, *answers: dict[str, Any], id_: int = 1, **more: Any) -> StudioTask:
    return StudioTask(id=id_, data={"sentence_id": key}, annotations=list(answers), updated_at=NOON, **more)


def _queued(key: str, *answers: dict[str, Any], id_: int = 1, **more: Any) -> StudioTask:
    data = {"sentence_id": key, "given": {"A1": "favor", "A2": "none"}}
    return StudioTask(id=id_, data=data, annotations=list(answers), updated_at=NOON, **more)


def test_the_answer_of_a_deleted_account_keeps_its_person(work: Path) -> None:
    def server(*accounts: int | None) -> FakeServer:
        people = {by: f"{by}@x" for by in accounts if by}
        return FakeServer([_asked("s", *(_answer(id_, by) for id_, by in enumerate(accounts, 1)))], None, people)

    _pull(work, server(1, 2))
    (work.parent / STATE).unlink()
    _pull(work, server(1, None, None))  # the server forgets who gave the second; the third is new
    assert _who(work) == {1: "A1", 2: "A2", 3: "unknown 1"}


def test_an_address_changed_at_the_server_is_the_same_person(work: Path) -> None:
    task = _asked("s", _answer(1, 7), _answer(2, 8))
    _pull(work, FakeServer([task], None, {7: "kim@lab.example", 8: "lee@lab.example"}))
    later = [task, _asked("t", _answer(3, 7), _answer(4, 8), _answer(5, 9), id_=2)]
    # The two have changed their addresses for each other's, and somebody new has the third.
    people = {7: "lee@lab.example", 8: "lee.2@lab.example", 9: "kim@lab.example"}
    for _ in range(2):
        _pull(work, FakeServer(later, None, people))
        assert _who(work) == {1: "A1", 2: "A2", 3: "A1", 4: "A2", 5: "A3"}
        (work.parent / STATE).unlink()
    names = read_names(work.parent)
    assert (names["lee.2@lab.example"], names["lee@lab.example"], names["kim@lab.example"]) == ("A2", "A1", "A3")


def test_accounts_removed_at_the_server_stay_apart_by_their_numbers(work: Path) -> None:
    tasks = [_asked("s", _answer(1, 7), _answer(2, 8))]
    _pull(work, FakeServer(tasks, None, {7: "Deleted", 8: "Deleted"}))  # as Label Studio writes it
    assert _who(work) == {1: "A1", 2: "A2"}
    table_path(work, ANNOTATIONS).unlink()  # all that stance made is made again
    _pull(work, FakeServer([*tasks, _asked("t", _answer(3, 8), id_=2)], None, {7: "Deleted"}))
    assert _who(work) == {1: "A1", 2: "A2", 3: "A2"}
    assert read_names(work.parent) == {}


def test_an_account_made_again_with_its_address_is_the_same_person_and_said_aloud(work: Path) -> None:
    _pull(work, FakeServer([_asked("s", _answer(1, 7))], None, {7: "kim@x"}))
    (work.parent / STATE).unlink()
    done = _pull(
        work, FakeServer([_asked("s", _answer(1, None)), _asked("t", _answer(2, 9), id_=2)], None, {9: "kim@x"})
    )
    assert _who(work) == {1: "A1", 2: "A1"}
    assert "account 9 has the address that account 7 had: it is taken for A1" in done.notes


def test_two_accounts_of_nobody_never_agree_with_each_other(work: Path) -> None:
    from labeling.status import read_status

    tasks = [_asked(key, _answer(n, None), _answer(n + 10, None), id_=n) for n, key in enumerate("stu", 1)]
    _pull(work, FakeServer(tasks, None, {}))
    assert len(set(_who(work).values())) == 6
    status = read_status(work)
    assert (status.agreement.sentences, status.agreement.pairs) == (0, [])
    assert [(row.annotator, row.votes["favor"]) for row in status.annotators] == [("unknown", 6)]
    assert adjudicate(work, LabelingSettings()).annotators == ["6 unknown"]


def test_another_server_at_the_same_address_is_other_people(work: Path) -> None:
    one = FakeServer([_asked("s", _answer(1, 1, at="2026-01-02T12:00:00.1Z"))], None, {1: "a@x"})
    two = FakeServer([_asked("s", _answer(1, 1, "none", at="2026-02-02T12:00:00.1Z"))], None, {1: "a@x"})
    one.made, two.made = "2026-01-01T12:00:00.000001Z", "2026-02-01T12:00:00.000001Z"
    said = "http://127.0.0.1:1 is another Label Studio than it was: its accounts are taken for other people"
    assert _pull(work, one).notes == []
    for server in (two, one, two):
        assert said in _pull(work, server).notes
        assert _votes(work) == {("s", "A1", "favor"), ("s", "A2", "none")}
    assert _pull(work, two).notes == []


def test_the_answers_numbers_tell_another_server_where_nothing_else_does(work: Path) -> None:
    _pull(work, FakeServer([_asked("s", _answer(1, 1, at="2026-01-02T12:00:00.1Z"))], None, {1: "a@x"}))
    (work.parent / STATE).unlink()
    _pull(work, FakeServer([_asked("s", _answer(1, 1, "none", at="2026-02-02T12:00:00.1Z"))], None, {1: "a@x"}))
    assert _votes(work) == {("s", "A1", "favor"), ("s", "A2", "none")}


def test_a_server_that_moved_to_another_address_is_the_same_people(work: Path) -> None:
    made: Any = {"created_at": "2026-01-01T12:00:00.000001Z"}
    first = _asked("s", _answer(1, 1, at="2026-01-02T12:00:00.1Z"), **made)
    _pull(work, FakeServer([first], None, {1: "owner@stance.example"}))
    moved = FakeServer([first, _asked("t", _answer(2, 1, at="2026-01-03T12:00:00.1Z"), id_=2)], None, {1: "new@x"})
    moved.url = "http://127.0.0.1:2"
    _pull(work, moved)
    assert _who(work) == {1: "A1", 2: "A1"}


def test_a_pull_leaves_alone_what_came_from_elsewhere(work: Path) -> None:
    _read(work, *_machine(1, 1, "favor", "none"), name="alice.json")
    write_jsonl(table_path(work, ANNOTATIONS), [*_rows(work), vote("u", "A9", "none")])  # by hand
    _pull(work, FakeServer([_asked("s", _answer(1, 1, "against"))], None, {1: "kim@x"}))
    assert {(who, stance) for _, who, stance in _votes(work)} == {
        ("A1", "favor"), ("A1", "none"), ("A9", "none"), ("A10", "against"),
    }  # fmt: skip
    (work.parent / STATE).unlink()
    _pull(work, FakeServer([], None, {}))  # its answer was deleted at the server, the others never were there
    assert {who for _, who, _ in _votes(work)} == {"A1", "A9"}


def test_an_export_of_the_server_itself_is_the_same_project_and_people(work: Path) -> None:
    tasks = _machine(1, 1, "favor", "none")
    for task in tasks:
        task["annotations"][0]["unique_id"] = f"u{task['id']}"
    at_server = [
        StudioTask(id=task["id"], data=task["data"], annotations=task["annotations"], created_at=task["created_at"])
        for task in tasks
    ]
    for answer in (answer for task in at_server for answer in task.annotations):
        answer.pop("unique_id")  # the API doesn't tell it
    _pull(work, FakeServer(at_server, None, {1: "kim@lab.example"}))
    done = _read(work, *_machine(1, 1, "favor", "none", "none"))
    assert done.notes == []
    assert {who for _, who, _ in _votes(work)} == {"A1"}
    assert len(_rows(work)) == 3
    assert len(read_register(work.parent).places) == 1


def test_two_pseudonyms_stay_two_where_another_account_had_one_of_them(work: Path) -> None:
    at = [f"2026-01-02T12:00:00.{n:06}Z" for n in range(1, 6)]
    _old(
        work,
        ("A1", "s", "favor", at[0], 1),
        ("A3", "t", "favor", at[1], 2),
        ("A2", "s", "favor", at[2], 3),
        ("A2", "t", "favor", at[3], 4),
        ("A1", "u", "favor", at[4], 5),  # was given to another account at the server
        names={"kim@lab.example": "A1", "lee@lab.example": "A2", "kim.new@lab.example": "A3", "Deleted": "A9"},
    )
    tasks = [
        _asked("s", _answer(1, 7, at=at[0]), _answer(3, 8, at=at[2])),
        _asked("t", _answer(2, 7, at=at[1]), _answer(4, 8, at=at[3]), id_=2),
    ]
    people = {7: "kim.new@lab.example", 8: "lee@lab.example"}
    done = _pull(work, FakeServer([*tasks, _asked("u", _answer(5, 9, at=at[4]), id_=3)], None, people))
    assert _who(work) == {1: "A1", 2: "A3", 3: "A2", 4: "A2", 5: "A1"}
    assert done.notes == []


def test_what_was_deleted_at_the_server_since_an_older_version_pulled_is_deleted(work: Path) -> None:
    at = [f"2026-01-02T12:00:00.{n:06}Z" for n in range(1, 4)]
    _old(work, *(("A1", key, "favor", at[n], n + 1) for n, key in enumerate("stu")), names={"kim@x": "A1"})
    seen = {"1": {"updated_at": NOON, "answers": [1]}, "2": {"updated_at": NOON, "answers": [2]}}
    digested = digest(table_path(work, ANNOTATIONS))
    projects = {"1": {"clock": "2026-01-01T00:00:00Z", "tasks": seen}}
    state = {"url": "http://127.0.0.1:1", "digest": digested, "projects": projects}
    (work.parent / STATE).write_text(json.dumps(state))
    done = _pull(work, FakeServer([_asked("s", _answer(1, 7, at=at[0]))], None, {7: "new@x"}))
    assert (done.deleted, _who(work)) == (1, {1: "A1", 3: "A1"})  # the third came from an export, say
    assert [row.source != "" for row in _rows(work)] == [True, False]


def test_a_colleagues_name_of_the_project_stays(work: Path) -> None:
    import msgspec

    server = FakeServer([_asked("s", _answer(1, 7, at="2026-01-02T12:00:00.1Z"))], None, {7: "kim@x"})
    server.made = "2026-01-01T12:00:00.1Z"
    _pull(work, server)
    rows = [msgspec.structs.replace(row, source="theirs", annotator="A5") for row in _rows(work)]
    write_jsonl(table_path(work, ANNOTATIONS), rows)
    assert not _pull(work, server).changed
    server.held[1].append(_asked("t", _answer(2, 7, at="2026-01-03T12:00:00.1Z"), id_=2))
    (work.parent / STATE).unlink()
    _pull(work, server)
    assert {(row.source, row.annotator) for row in _rows(work)} == {("theirs", "A5")}


def test_two_pseudonyms_that_only_one_account_ever_had_become_one(work: Path) -> None:
    at = [f"2026-01-02T12:00:00.{n:06}Z" for n in range(1, 4)]
    names = {"kim@lab.example": "A1", "lee@lab.example": "A2", "kim.new@lab.example": "A3"}
    _old(
        work, ("A1", "s", "favor", at[0], 1), ("A3", "t", "favor", at[1], 2), ("A2", "s", "none", at[2], 3), names=names
    )
    tasks = [
        _asked("s", _answer(1, 7, at=at[0]), _answer(3, 8, at=at[2])),
        _asked("t", _answer(2, 7, at=at[1]), id_=2),
    ]
    people = {7: "kim.new@lab.example", 8: "lee@lab.example"}
    done = _pull(work, FakeServer(tasks, None, people))
    assert done.notes == ["A1 and A3 are both account 7: A3 is called A1 now"]
    assert _who(work) == {1: "A1", 2: "A1", 3: "A2"}
    done = _pull(work, FakeServer([*tasks, _asked("u", _answer(9, 7), id_=3)], None, people))
    assert (_who(work)[9], done.notes) == ("A1", [])


# --- the queue


def _settled(work: Path) -> list[Adjudication]:
    return read_jsonl(table_path(work, ADJUDICATIONS), Adjudication, "")


MADE: Any = {"created_at": "2026-01-01T12:00:00.000009Z"}


@pytest.mark.parametrize(
    ("queue", "title", "said"),
    [
        (None, "Stance", "has no project 'Stance - queue': 1 answer was fetched from a queue and will be kept"),
        (None, "Another title", "has no project 'Another title - queue'"),
        ([], "Stance", ""),
        ([_queued("t", id_=2)], "Stance", ""),
        # Made again: on SQLite, with the number that the first one had.
        ([_queued("s", created_at="2026-02-02T12:00:00.000009Z")], "Stance", ""),
    ],
    ids=["deleted-or-renamed", "other-title", "all-tasks-gone", "task-gone", "task-made-again"],
)
def test_only_a_person_takes_a_verdict_back(work: Path, queue: list[StudioTask] | None, title: str, said: str) -> None:
    labels = [_asked("s", _answer(1, 1), _answer(2, 2, "none"))]
    _pull(work, FakeServer(labels, [_queued("s", _answer(9, 1, "against"), **MADE)], {1: "a@x"}))
    settled = _settled(work)
    assert [(row.stance, row.adjudicator) for row in settled] == [("against", "A1")]
    assert adjudicate(work, LabelingSettings()).settled == {"adjudicated": 1}
    for _ in range(2):
        done = _pull(work, FakeServer(labels, queue, {1: "a@x"}), title=title)
        assert said in "\n".join(done.notes)
        assert (_settled(work), done.withdrawn) == (settled, 0)
        assert adjudicate(work, LabelingSettings()).reopened == 0
        (work.parent / STATE).unlink()
    assert not table_path(work, WITHDRAWN).exists()


def test_the_history_says_who_took_a_verdict_back_and_when(work: Path) -> None:
    labels = [_asked("s", _answer(1, 1), _answer(2, 2, "none"))]
    people = {1: "a@x", 2: "b@x", 3: "boss@x"}
    _pull(work, FakeServer(labels, [_queued("s", _answer(9, 1, "against"), **MADE)], people))
    later = "2026-04-04T12:00:00Z"
    edit = _answer(9, 1, "favor") | {"updated_at": later, "updated_by": 2}
    assert _pull(work, FakeServer(labels, [_queued("s", edit, **MADE)], people)).withdrawn == 1
    assert [row.stance for row in _settled(work)] == ["favor"]
    skip = edit | {"updated_at": "2026-05-05T12:00:00Z", "updated_by": 1, "was_cancelled": True, "result": []}
    _pull(work, FakeServer(labels, [_queued("s", skip, **MADE)], people))
    assert [row.stance for row in _settled(work)] == [None]
    assert adjudicate(work, LabelingSettings()).settled == {}
    task = StudioTask(
        id=1, data=_queued("s").data, updated_at="2026-06-06T12:00:00Z", updated_by=[{"user_id": 3}], **MADE
    )
    done = _pull(work, FakeServer(labels, [task], people))
    assert (_settled(work), done.withdrawn) == ([], 1)
    history = read_jsonl(table_path(work, WITHDRAWN), Withdrawn, "")
    assert [(row.why, row.by, row.at, row.answer.stance) for row in history] == [
        ("edited", "A2", later, "against"),
        ("edited", "A1", "2026-05-05T12:00:00Z", "favor"),
        ("deleted", "A3", "2026-06-06T12:00:00Z", None),
    ]
    assert _pull(work, FakeServer(labels, [task], people)).withdrawn == 0


def test_the_queue_of_another_server_takes_nothing_back(work: Path) -> None:
    labels = [_asked("s", _answer(1, 1), _answer(2, 2, "none"))]
    _pull(work, FakeServer(labels, [_queued("s", _answer(9, 1, "against"))], {1: "a@x"}))
    other = FakeServer([], [_queued("s")], {})  # whose task has the number of the first one's, and no date
    other.url = "http://127.0.0.1:2"
    assert (_pull(work, other).withdrawn, len(_settled(work))) == (0, 1)


def test_a_queue_that_was_begun_anew_keeps_the_first_ones_verdicts(work: Path) -> None:
    labels = [_asked("s", _answer(1, 1), _answer(2, 2, "none"))]
    _pull(work, FakeServer(labels, [_queued("s", _answer(9, 1, "against"), **MADE)], {1: "a@x"}))
    new = [_queued("t", _answer(10, 2, "none"), id_=5, created_at="2026-02-02T12:00:00.000009Z")]
    _pull(work, FakeServer(labels, new, {1: "a@x"}))
    assert [(row.sentence_id, row.stance) for row in _settled(work)] == [("s", "against"), ("t", "none")]


def test_verdicts_of_an_older_version_are_kept_too(work: Path) -> None:
    row = {"sentence_id": "s", "adjudicator": "A1", "stance": "against", "votes": {}, "studio_id": 9}
    old = row | {"created_at": "2025-01-01T12:00:00.1Z", "updated_at": "2025-01-01T12:00:00.1Z"}
    table_path(work, ADJUDICATIONS).parent.mkdir(exist_ok=True)
    table_path(work, ADJUDICATIONS).write_text(json.dumps(old) + "\n")
    _pull(work, FakeServer([], [_queued("t", **MADE)], {}))
    assert [row.stance for row in _settled(work)] == ["against"]
    answer = _answer(9, 4, "against", at="2025-01-01T12:00:00.1Z")
    _pull(work, FakeServer([], [_queued("s", answer, **MADE)], {4: "a@x"}))
    assert [(row.adjudicator, row.source != "") for row in _settled(work)] == [("A1", True)]
    _pull(work, FakeServer([], [_queued("s", **MADE)], {4: "a@x"}))
    assert _settled(work) == []
