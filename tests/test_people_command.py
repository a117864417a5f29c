"""`stance people`: pseudonyms of one person are joined and separated again, on every computer that has the answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from corpus.errors import ConfigError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.identity.account_register import (
    FILE,
    Account,
    KnownServer,
    Person,
    Register,
    read_register,
    write_register,
)
from labeling.identity.pseudonyms import ignored
from labeling.records import Adjudication, Annotation, Superseded
from labeling.sync.known_answers import ADJUDICATIONS, ANNOTATIONS, HISTORY, read_known, write_known
from labeling.sync.people import join_people, known_people, separate_people
from tests.conftest import Run, vote
from tests.support.corpora import corpus_of

NOON = "2026-01-01T12:00:00.123456Z"


def _answer(key: str, who: str, stance: str, number: int) -> Annotation:
    return Annotation(
        sentence_id=key,
        annotator=who,
        stance=stance,
        studio_id=number,
        created_at=NOON,
        updated_at=NOON,
        source="p",
        task="1",
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Answers of A1 and A3, who are one person, and of A2; A3 has an edited answer, and one in the queue."""
    work = tmp_path / "work"
    corpus_of(work, {"s": "s", "t": "t", "u": "u"})
    rows = [
        _answer("s", "A1", "favor", 1),
        _answer("s", "A2", "against", 2),
        _answer("t", "A3", "none", 3),
        _answer("u", "A1", "favor", 4),
        _answer("u", "A3", "against", 5),
    ]
    write_jsonl(table_path(work, ANNOTATIONS), rows)
    write_jsonl(table_path(work, HISTORY), [Superseded(why="edited", answer=_answer("t", "A3", "favor", 3))])
    votes = {"A1": "favor", "A3": "against"}
    settled = [
        Adjudication(sentence_id="t", adjudicator="A2", stance="none", votes={"A3": "none"}, studio_id=8),
        Adjudication(sentence_id="u", adjudicator="A3", stance="none", votes=votes, studio_id=9),
    ]
    write_jsonl(table_path(work, ADJUDICATIONS), settled)
    place = KnownServer(
        url="http://127.0.0.1:8080",
        accounts={
            "1": Account(person="A1", addresses=["kim@old.example"]),
            "2": Account(person="A2"),
            "3": Account(person="A3", addresses=["kim@new.example"]),
        },
    )
    write_register(tmp_path, Register(places=[place], people={"A3": Person(names=["kim"])}))
    return work


def files(work: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((work.parent / "labels").glob("*.jsonl"))}


def whose(work: Path) -> list[str]:
    return [row.annotator for row in read_jsonl(table_path(work, ANNOTATIONS), Annotation, "")]


def test_people_are_listed_with_their_answers_and_what_the_private_file_knows(work: Path) -> None:
    first, second, third = known_people(work, work.parent)
    assert (first.pseudonym, first.answers, first.names) == ("A1", 2, ["kim@old.example"])
    assert (second.answers, second.settled) == (1, 1)
    assert third.names == ["kim@new.example", "kim"]
    assert third.accounts == ["account 3 at http://127.0.0.1:8080"]


def test_joining_renames_everywhere_and_separating_restores_every_byte(work: Path) -> None:
    before = files(work)
    done = join_people(work, work.parent, "A3", "A1")
    assert (done.keep, done.other, done.answers) == ("A1", "A3", 3)
    assert whose(work) == ["A1", "A2", "A1", "A1", "A1"]
    history = read_jsonl(table_path(work, HISTORY), Superseded, "")
    assert [row.answer.annotator for row in history] == ["A1"]
    settled = {row.sentence_id: row for row in read_jsonl(table_path(work, ADJUDICATIONS), Adjudication, "")}
    assert settled["u"].adjudicator == "A1"
    assert settled["u"].votes == {"A1": "favor", "A3": "against"}  # two votes stay two
    assert settled["t"].votes == {"A1": "none"}
    assert ignored(work.parent, ["kim@new.example"]) == {"A1"}
    (first, second) = known_people(work, work.parent)
    assert (first.answers, first.settled, first.joined, second.pseudonym) == (4, 1, {"A3": 3}, "A2")
    done = separate_people(work, work.parent, "A1", "A3")
    assert (done.keep, done.other, done.answers) == ("A1", "A3", 3)
    after = files(work)
    assert after.pop("joined.jsonl") == b""
    assert after == before


def test_a_colleague_without_the_private_file_sees_the_joined_people_and_can_separate_them(
    work: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = files(work)
    join_people(work, work.parent, "A1", "A3")
    joined = files(work)
    other = tmp_path_factory.mktemp("colleague")
    shutil.copytree(work.parent / "labels", other / "labels")
    register = read_register(other)
    known = read_known(other / "work", register)
    write_known(other / "work", other, register, known)
    assert files(other / "work") == joined  # what a pull does to the files, without anything new
    separate_people(other / "work", other, "A1", "A3")
    assert whose(other / "work") == ["A1", "A2", "A3", "A1", "A3"]
    assert {**files(other / "work"), "joined.jsonl": b""} == {**before, "joined.jsonl": b""}


def test_answers_given_after_two_people_were_joined_are_separated_too(work: Path) -> None:
    join_people(work, work.parent, "A1", "A3")
    register = read_register(work.parent)
    known = read_known(work, register)
    account = register.places[0].accounts["3"]
    new = _answer("s", account.person, "none", 6)
    write_known(work, work.parent, register, msgspec.structs.replace(known, annotations=[*known.annotations, new]))
    assert whose(work).count("A1") == 5
    separate_people(work, work.parent, "A3", "A1")
    rows = read_jsonl(table_path(work, ANNOTATIONS), Annotation, "")
    assert {row.studio_id: row.annotator for row in rows}[6] == "A3"


def test_answers_written_by_hand_are_separated_by_their_content(work: Path) -> None:
    rows = [
        Annotation(sentence_id="s", annotator="A1", stance="favor"),
        Annotation(sentence_id="s", annotator="A3", stance="against"),
    ]
    write_jsonl(table_path(work, ANNOTATIONS), rows)
    join_people(work, work.parent, "A1", "A3")
    assert whose(work) == ["A1", "A1"]
    separate_people(work, work.parent, "A1", "A3")
    assert read_jsonl(table_path(work, ANNOTATIONS), Annotation, "") == rows


def test_three_pseudonyms_of_one_person_are_joined_and_separated_one_by_one(work: Path) -> None:
    join_people(work, work.parent, "A2", "A3")
    join_people(work, work.parent, "A1", "A3")
    assert set(whose(work)) == {"A1"}
    separate_people(work, work.parent, "A2", "A1")
    assert whose(work) == ["A1", "A2", "A2", "A1", "A2"]
    with pytest.raises(
        ConfigError, match="A1 and A3 were not joined; these pseudonyms were joined to others: A3 to A2"
    ):
        separate_people(work, work.parent, "A1", "A3")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("A1", "A9"), "'A9': expected a pseudonym in use; these are: A1, A2, A3"),
        (("A1", "A1"), "A1 and A1 are one person already"),
    ],
)
def test_a_name_that_nobody_has_changes_nothing(work: Path, names: tuple[str, str], message: str) -> None:
    before = files(work)
    with pytest.raises(ConfigError, match=message):
        join_people(work, work.parent, *names)
    assert files(work) == before


def test_people_who_were_separated_are_not_joined_again_by_a_command(work: Path) -> None:
    join_people(work, work.parent, "A1", "A3")
    separate_people(work, work.parent, "A1", "A3")
    register = read_register(work.parent)
    assert register.are_apart("A3", "A1")
    place = register.places[0]
    other = KnownServer(accounts={"1": Account(person="A3")})
    register.places.append(other)
    assert register.absorb(place, other) == []
    assert register.same() == {}
    join_people(work, work.parent, "A1", "A3")  # unless a person says so
    assert set(whose(work)) == {"A1", "A2"}


def test_the_command_lists_joins_and_separates(work: Path) -> None:
    (work.parent / "stance.toml").write_text('[target]\nname = "a tunnel"\n', "utf-8")
    stance = Run(work.parent)
    assert "A3: 2 answers, 1 in the queue; kim@new.example, kim" in stance("people")
    said = stance("people", "--same", "A3", "A1")
    assert "A1 and A3 are one person, called A1 now: 3 answers were A3's; `stance people --apart A1 A3` undoes" in said
    assert "    joined: A3 with 3 answers" in stance("people")
    assert "A1 and A3 are two people again: 3 answers are A3's" in stance("people", "--apart", "A1", "A3")


def test_the_private_file_of_an_older_version_with_people_joined_by_hand_is_understood(work: Path) -> None:
    path = work.parent / FILE
    content = json.loads(path.read_bytes())
    content["people"]["A1"] = {"names": [], "also": ["A3"]}
    path.write_text(json.dumps(content))
    register = read_register(work.parent)
    known = read_known(work, register)
    write_known(work, work.parent, register, known)
    assert set(whose(work)) == {"A1", "A2"}
    assert vote("s", "A1", "favor").annotator == "A1"


def test_who_was_joined_by_mistake_gets_all_accounts_back_when_separated() -> None:
    """A2 was joined to A1 by mistake; then an export's account A3 turned out to be A2's account."""
    place, export = KnownServer(accounts={"2": Account(person="A2")}), KnownServer(accounts={"2": Account(person="A3")})
    register = Register(places=[place, export])
    register.join("A1", "A2")
    register.absorb(place, export)
    assert register.same() == {"A2": "A1", "A3": "A1"}
    assert register.separate("A1", "A2")
    assert register.same() == {"A3": "A2"}
    assert register.are_apart("A1", "A2")
    # The pair that counts can be separated, too, wherever it is kept.
    register.people.clear()
    register.join("A1", "A2")
    register.join("A2", "A3")
    assert register.separate("A1", "A3")
    assert register.same() == {"A2": "A1"}
    register.join("A2", "A4")
    assert register.separate("A2", "A4")
    assert register.same() == {"A2": "A1"}
    assert not register.separate("A1", "A9")
