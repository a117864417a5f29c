"""People, projects and queues that change at a real Label Studio: nobody's answer is lost or becomes another's."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from corpus.store import read_jsonl
from labeling.records import Adjudication, Annotation, Withdrawn
from labeling.studio.answers import chosen, result
from labeling.studio.api_records import Project, StudioTask
from labeling.studio.client import ANSWERS, Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import FOLDER, running, sign_up
from labeling.sync.known_answers import ADJUDICATIONS, ANNOTATIONS, WITHDRAWN
from labeling.sync.server_changes import STATE
from tests.conftest import Run, vote
from tests.support.requests import call
from tests.support.studio import with_database

pytestmark = pytest.mark.slow


class Team:
    """A project at a Label Studio of its own, in whose database one can do what its pages don't offer."""

    def __init__(self, server: Server, folder: Path, home: Path, tables: Path) -> None:
        self.server, self.home, self.title = server, home, folder.name[-40:]
        shutil.copytree(tables, folder / "work")
        (folder / "codebook.md").write_text("Version 1.0\n", "utf-8")
        self.settings(folder, self.title)
        self.stance = Run(folder)
        self.keys: dict[str, Server] = {}

    def settings(self, folder: Path, title: str) -> None:
        text = f'[target]\nname = "a tunnel"\n[labeling]\ntitle = "{title}"\n'
        (folder / "stance.toml").write_text(text, "utf-8")

    def person(self, address: str) -> Server:
        if address not in self.keys:
            key = sign_up(self.server, address, "a-long-password")
            self.keys[address] = Server(url=self.server.url, api_key=key)
        return self.keys[address]

    def project(self, ending: str = "") -> Project:
        with Studio(self.server) as studio:
            found = studio.find_project(self.title + ending)
        assert found is not None
        return found

    def tasks(self, ending: str = "") -> list[StudioTask]:
        with Studio(self.server) as studio:
            return studio.tasks(self.project(ending).id, ANSWERS)

    def say(self, address: str, task: StudioTask, stance: Any) -> int:
        row = result(vote("", "", stance))
        given = call(self.person(address), "POST", f"/api/tasks/{task.id}/annotations/", result=row)
        return int(given["id"])

    def account(self, address: str) -> int:
        with Studio(self.server) as studio:
            return next(number for number, known in studio.accounts().items() if known == address)

    def database(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.home / FOLDER / "label_studio.sqlite3", timeout=60)) as database, database:
            database.execute(statement, values)

    def export(self, name: str) -> Path:
        answer = httpx.get(
            f"{self.server.url}/api/projects/{self.project().id}/export",
            params={"exportType": "JSON"},
            headers={"Authorization": f"Token {self.server.api_key}"},
            timeout=60,
        )
        path = self.stance.project / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(answer.content)
        return path

    def rows(self) -> list[Annotation]:
        return read_jsonl(self.stance.project / "labels" / ANNOTATIONS, Annotation, "")

    def who(self) -> dict[int | None, str]:
        return {row.studio_id: row.annotator for row in self.rows()}

    def settled(self) -> list[Adjudication]:
        return read_jsonl(self.stance.project / "labels" / ADJUDICATIONS, Adjudication, "")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def studio_server(home: Path) -> Iterator[Server]:
    """A Label Studio of these tests' own, whose database they change."""
    with running(with_database(home)) as server:
        yield server


@pytest.fixture
def team(
    studio_server: Server,
    home: Path,
    tmp_path: Path,
    news_tables: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Team:
    monkeypatch.setenv("LABEL_STUDIO_URL", studio_server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", studio_server.api_key)
    team = Team(studio_server, tmp_path, home, news_tables)
    team.stance("push")
    return team


def test_an_address_changed_at_the_server_is_the_same_person(team: Team) -> None:
    first, second, *_ = team.tasks()
    one, two = team.say("kim@old.example", first, "favor"), team.say("lee@old.example", first, "none")
    team.stance("pull")
    assert team.who() == {one: "A1", two: "A2"}
    team.database("update htx_user set email = 'kim@new.example' where email = 'kim@old.example'")
    three = team.say("kim@old.example", second, "favor")  # with the key that the account keeps
    four = team.say("lee@old.example", second, "favor")
    team.stance("pull")
    assert team.who() == {one: "A1", two: "A2", three: "A1", four: "A2"}
    (team.stance.project / STATE).unlink()
    (team.stance.project / ".stance" / "annotators.json").unlink()
    assert "unchanged" in team.stance("pull")


def test_accounts_removed_and_deleted_at_the_server_stay_who_they_were(team: Team) -> None:
    first, second, third, *_ = team.tasks()
    people = [f"{name}@accounts.example" for name in ("removed", "other", "deleted", "gone")]
    known = [team.say(address, first, "favor") for address in people]
    team.stance("pull")
    assert team.who() == dict(zip(known, ("A1", "A2", "A3", "A4"), strict=True))
    new = [team.say(address, second, "none") for address in people]
    for address in people[:2]:
        call(team.server, "DELETE", f"/api/organizations/1/memberships/{team.account(address)}/")
    for address in people[2:]:
        call(team.server, "DELETE", f"/api/users/{team.account(address)}/")
    team.stance("pull")
    # Of accounts that were removed the number stays; those that were deleted are nobody, each answer for itself.
    later = dict(zip(new, ("A1", "A2", "unknown 1", "unknown 2"), strict=True))
    assert team.who() == dict(zip(known, ("A1", "A2", "A3", "A4"), strict=True)) | later
    assert "unchanged" in team.stance("pull")
    export = team.export("all.json")
    assert "0 edited" not in team.stance("pull", "--from", export.name)
    assert team.who() == dict(zip(known, ("A1", "A2", "A3", "A4"), strict=True)) | later
    status = json.loads(team.stance("status", "--json"))
    assert status["agreement"]["annotators"] == ["A1", "A2", "A3", "A4"]
    shutil.rmtree(team.stance.project / "labels")
    (team.stance.project / STATE).unlink()
    team.stance("pull")
    found = team.who()
    assert [found[id_] for id_ in (*known[:2], *new[:2])] == ["A1", "A2"] * 2
    assert len({found[id_] for id_ in (*known[2:], *new[2:])}) == 4
    assert third.annotations == []


def _with_a_verdict(team: Team) -> Adjudication:
    """Two people differ, a third settles it in the queue, and the verdict is home."""
    first = team.tasks()[0]
    team.say("kim@lab.example", first, "favor")
    team.say("lee@lab.example", first, "against")
    team.stance("pull")
    team.stance("adjudicate")
    team.stance("push")
    (queued,) = team.tasks(" - queue")
    team.say("boss@lab.example", queued, "none")
    team.stance("pull")
    assert "1 sentence settled: 1 adjudicated" in team.stance("adjudicate")
    (row,) = team.settled()
    return row


@pytest.mark.parametrize("deed", ["project deleted", "project renamed", "tasks cleaned up", "other title"])
def test_only_a_person_takes_a_verdict_back(team: Team, deed: str) -> None:
    row = _with_a_verdict(team)
    queue = team.project(" - queue")
    if deed == "project deleted":
        call(team.server, "DELETE", f"/api/projects/{queue.id}/")
    elif deed == "project renamed":
        call(team.server, "PATCH", f"/api/projects/{queue.id}/", title=f"{team.title} - q old")
    elif deed == "tasks cleaned up":
        call(team.server, "DELETE", f"/api/tasks/{team.tasks(' - queue')[0].id}/")
    else:
        team.title = f"{team.title[:30]} other"
        team.settings(team.stance.project, team.title)
        team.stance("push")
    said = team.stance("pull")
    missing = deed != "tasks cleaned up"
    assert (
        f"has no project '{team.title} - queue': 1 answer was fetched from a queue and will be kept" in said
    ) == missing
    assert team.settled() == [row]
    said = team.stance("adjudicate")
    assert "1 sentence settled: 1 adjudicated" in said
    assert "have none now" not in said
    assert len(team.rows()) == 2
    # A queue that is made again, with tasks that can have the numbers of the old ones, takes nothing back either.
    second = team.tasks()[1]
    team.say("kim@lab.example", second, "favor")
    team.say("lee@lab.example", second, "none")
    team.stance("pull")
    team.stance("adjudicate")
    team.stance("push")
    team.stance("pull")
    assert team.settled() == [row]
    assert not (team.stance.project / "labels" / WITHDRAWN).exists()


def test_a_person_takes_a_verdict_back_and_the_history_says_who_and_when(team: Team) -> None:
    row = _with_a_verdict(team)
    (task,) = team.tasks(" - queue")
    changed = result(vote("", "", "favor"))
    call(team.person("kim@lab.example"), "PATCH", f"/api/annotations/{row.studio_id}/", result=changed)
    assert "1 answer in the queue was edited or deleted there" in team.stance("pull")
    call(team.person("boss@lab.example"), "PATCH", f"/api/annotations/{row.studio_id}/", result=[], was_cancelled=True)
    team.stance("pull")
    assert [found.stance for found in team.settled()] == [None]
    call(team.server, "DELETE", f"/api/annotations/{row.studio_id}/")
    said = team.stance("pull")
    assert "1 answer in the queue was edited or deleted there" in said
    assert team.settled() == []
    history = read_jsonl(team.stance.project / "labels" / WITHDRAWN, Withdrawn, "")
    assert [(found.why, found.by, found.answer.stance) for found in history] == [
        ("edited", "A1", "none"),
        ("edited", "A3", "favor"),
        ("deleted", "A4", None),
    ]
    assert [found.at for found in history] == sorted(found.at for found in history)
    assert history[-1].at == next(found.updated_at for found in team.tasks(" - queue") if found.id == task.id)
    assert "1 sentence open, listed in" in team.stance("adjudicate")


@pytest.mark.parametrize("deed", ["deleted", "renamed"])
def test_a_labelling_project_that_is_missing_deletes_no_answer(team: Team, deed: str) -> None:
    first, second, *_ = team.tasks()
    team.say("kim@lab.example", first, "favor")
    team.stance("pull")
    before = team.rows()
    number = team.project().id
    if deed == "deleted":
        call(team.server, "DELETE", f"/api/projects/{number}/")
    else:
        call(team.server, "PATCH", f"/api/projects/{number}/", title=f"{team.title[:30]} renamed")
    from corpus.errors import StudioError

    with pytest.raises(StudioError, match=r"run `stance push`.* 1 answer fetched so far will be kept"):
        team.stance("pull")
    assert team.rows() == before
    team.stance("push")
    again = next(task for task in team.tasks() if task.key == second.key)
    team.say("kim@lab.example", again, "none")
    said = team.stance("pull")
    assert "1 answer came from projects of this Label Studio that [labeling] title doesn't name now" in said
    assert [(row.annotator, row.stance) for row in sorted(team.rows(), key=lambda row: row.created_at)] == [
        ("A1", "favor"),
        ("A1", "none"),
    ]


def test_real_exports_of_two_label_studios_are_two_peoples(
    team: Team,
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
    news_tables: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both are the owner, account 1, of a server that `stance serve` made, and export under one file name."""
    folder = tmp_path_factory.mktemp("colleague")
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
    other = Team(server, folder, folder, news_tables)
    other.stance("push")
    for one in (team, other):
        for task in one.tasks()[:3]:
            call(one.server, "POST", f"/api/tasks/{task.id}/annotations/", result=[chosen("stance", "favor")])
    alice, bob = team.export("alice/export.json"), other.export("bob/export.json")
    stance = Run(tmp_path_factory.mktemp("mine"))
    shutil.copytree(news_tables, stance.project / "work")
    (stance.project / "codebook.md").write_text("Version 1.0\n", "utf-8")
    (stance.project / "stance.toml").write_text('[target]\nname = "a tunnel"\n', "utf-8")
    stance("pull", "--from", str(alice), "--annotator", "Alice")
    said = stance("pull", "--from", str(bob))
    assert "note: no known answer comes from this export's project: account 1 is A2" in said
    rows = read_jsonl(stance.project / "labels" / ANNOTATIONS, Annotation, "")
    assert sorted(row.annotator for row in rows) == ["A1"] * 3 + ["A2"] * 3
    assert len({row.sentence_id for row in rows}) == 3
    later = other.tasks()[3]
    call(server, "POST", f"/api/tasks/{later.id}/annotations/", result=[chosen("stance", "none")])
    said = stance("pull", "--from", str(other.export("later.json")))
    assert "note: " not in said
    rows = read_jsonl(stance.project / "labels" / ANNOTATIONS, Annotation, "")
    assert sorted(row.annotator for row in rows) == ["A1"] * 3 + ["A2"] * 4
    for path in (alice, bob):
        stance("pull", "--from", str(path))
    assert read_jsonl(stance.project / "labels" / ANNOTATIONS, Annotation, "") == rows


def _moved(team: Team, other: Server, title: str, keep: int) -> None:
    """Export the team's project, and import it at another server as an administrator does in the browser."""
    with Studio(team.server) as studio:
        old = studio.find_project(team.title)
    assert old is not None
    tasks = json.loads(team.export("moving.json").read_bytes())
    with Studio(other) as studio:
        number = studio.create_project(title, label_config=old.label_config, maximum_annotations=3)
        for task in tasks:
            for answer in task["annotations"]:
                # What the old server's numbers mean here is chance: Label Studio refuses those that nobody has.
                answer["completed_by"] = keep
        studio.import_tasks(number, [{"data": row["data"], "annotations": row["annotations"]} for row in tasks])


def test_a_project_moved_to_a_new_installation_is_recognised_and_nobody_becomes_somebody_else(
    team: Team, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = team.tasks()
    for who, stance in (("kim@lab.example", "favor"), ("lee@lab.example", "against")):
        for task in tasks[:3]:
            team.say(who, task, stance)
    team.stance("pull")
    before = team.rows()
    assert {row.annotator for row in before} == {"A1", "A2"}
    team.say("kim@lab.example", tasks[3], "none")  # given after the last pull, and so not known
    with Studio(server) as studio:
        owner = next(iter(studio.accounts()))
    _moved(team, server, team.title, owner)
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
    said = team.stance("pull")
    assert f"note: 6 answers at {server.url} were imported there from a project that is known" in said
    rows = team.rows()
    assert [row for row in rows if row in before] == before
    (new,) = [row for row in rows if row not in before]
    assert (new.sentence_id, new.stance, new.annotator) == (tasks[3].data["sentence_id"], "none", "unknown 1")
    assert "imported" not in team.stance("pull")
    assert team.rows() == rows
    team.server = server  # labelling goes on there
    here = team.tasks()
    call(server, "POST", f"/api/tasks/{here[0].id}/annotations/", result=[chosen("stance", "none")])
    team.stance("pull")
    (here_only,) = [row for row in team.rows() if row not in rows]
    assert here_only.annotator == "A3"  # the owner of the new server, who imported the others' answers
    every = [answer for task in here for answer in task.annotations]
    moved = next(answer for answer in every if answer["import_id"] == before[0].studio_id)
    call(server, "PATCH", f"/api/annotations/{moved['id']}/", result=[chosen("stance", "none")])
    assert "1 edited" in team.stance("pull")
    edited = next(row for row in team.rows() if row.studio_id == before[0].studio_id)
    assert (edited.annotator, edited.stance, edited.source) == (before[0].annotator, "none", before[0].source)
    team.stance("push")
    keys = [task.key for task in team.tasks()]
    assert len(keys) == len(set(keys)) > len(here)  # the export held no task without an answer
    front = "version: 2.0\nreopens: [against]\nearlier: [{version: 1.0}]"
    (team.stance.project / "codebook.md").write_text(f"---\n{front}\n---\n# Codebook\n", "utf-8")
    rows = team.rows()
    again = sum(row.stance == "against" for row in rows)
    assert again
    assert f"rewrote 0 answers at the server and removed {again}" in team.stance("push", "--migrate")
    held = [answer for task in team.tasks() for answer in task.annotations]
    assert len(held) == len(rows) - again
    assert "unchanged" in team.stance("pull")
    assert team.rows() == rows


def test_a_control_item_is_sent_as_one_that_cannot_be_skipped_and_a_skip_of_it_is_counted(team: Team) -> None:
    """The free Label Studio keeps `allow_skip`, but its pages and its API let people skip all the same."""
    first = team.tasks()[0]
    team.say("kim@lab.example", first, "favor")
    team.stance("pull")
    team.stance("adjudicate")
    team.stance("push", "--control", "1", "--limit", "0")
    (control,) = [task for task in team.tasks() if task.key and task.key[1]]
    with closing(sqlite3.connect(team.home / FOLDER / "label_studio.sqlite3", timeout=60)) as database:
        (allowed,) = database.execute("select allow_skip from task where id = ?", (control.id,)).fetchone()
        (others,) = database.execute("select min(allow_skip) from task where id != ?", (control.id,)).fetchone()
    assert (bool(allowed), bool(others)) == (False, True)
    path = f"/api/tasks/{control.id}/annotations/"
    call(team.person("kim@lab.example"), "POST", path, result=[], was_cancelled=True)
    team.stance("pull")
    assert "control items: A1 skipped 1" in team.stance("status")
