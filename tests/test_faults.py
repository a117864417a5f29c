"""Sync when the network, the server or somebody at it misbehaves: one clear message, each task once, no answer lost."""

from __future__ import annotations

import base64
import os
import re
import shutil
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from corpus.errors import StudioError
from corpus.store import locked, read_jsonl, write_bytes
from labeling.records import Annotation, Superseded
from labeling.studio import client as studios
from labeling.studio.answers import result
from labeling.studio.api_records import StudioTask
from labeling.studio.client import ANSWERS, Studio
from labeling.studio.connection import KEY_FILE, Server
from labeling.studio.local_server import _csrf
from labeling.sync import push as pushing
from labeling.sync import server_changes as pulling
from labeling.sync.known_answers import HISTORY
from labeling.sync.merge_answers import Merged, superseded
from labeling.votes import latest_votes
from stance import command_line as front
from tests.conftest import Run, vote
from tests.support.faulty_proxy import Fault, behind
from tests.support.requests import call


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits of the SDK and of push, shorter; who waits for what stays as it is."""
    monkeypatch.setattr("label_studio_sdk.core.http_client.INITIAL_RETRY_DELAY_SECONDS", 0.01)
    monkeypatch.setattr("label_studio_sdk.core.http_client.MAX_RETRY_DELAY_SECONDS", 0.02)
    monkeypatch.setattr(pushing, "SETTLE", 0.4)


Fails = Callable[..., str]


@pytest.fixture
def fresh(stance: Run, news_tables: Path) -> Run:
    """A project with its tables, not pushed yet."""
    shutil.copytree(news_tables, stance.project / "work")
    return stance


@pytest.fixture(scope="module")
def pushed(news_tables: Path, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pushed")
    shutil.copytree(news_tables, folder / "work")
    (folder / "codebook.md").write_text("Version 1.0\n", "utf-8")
    (folder / "stance.toml").write_text(
        '[target]\nname = "a tunnel"\n[labeling]\ntitle = "Faults, pushed and pulled"\n', "utf-8"
    )
    with pytest.MonkeyPatch.context() as patched:
        use(patched, server)
        Run(folder)("push")
        Run(folder)("pull")
    return folder


@pytest.fixture
def settled(pushed: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A project that is pushed and pulled, for tests that change nothing."""
    use(monkeypatch, server)
    return Run(pushed)


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Fails:
    """Run a command that fails, as the console script does; its message, after what every message must be."""

    def run(stance: Run, server: Server, *arguments: str) -> str:
        monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
        monkeypatch.setattr(sys, "argv", ["stance", "-C", str(stance.project), *arguments])
        monkeypatch.setattr("signal.signal", lambda *_: None)
        here = Path.cwd()
        capfd.readouterr()
        try:
            with pytest.raises(SystemExit) as ended:
                front.main()
        finally:
            os.chdir(here)
        said = capfd.readouterr()
        assert ended.value.code == 1
        assert not server.api_key or server.api_key not in said.out + said.err
        lines = [line for line in said.err.splitlines() if not line.startswith("note: ")]
        assert len(lines) == 1, said.err
        assert lines[0].startswith("stance: ")
        assert len(lines[0]) < 600
        return lines[0]

    return run


def use(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)


def tasks(server: Server, stance: Run) -> list[StudioTask]:
    with Studio(server) as studio:
        project = studio.find_project(stance.project.name[-40:])
        return studio.tasks(project.id, ANSWERS) if project else []


def files(stance: Run) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for folder in ("work", "labels")
        for path in (stance.project / folder).rglob("*")
        if path.is_file()
    }


def keys(server: Server, stance: Run) -> Counter[object]:
    return Counter(task.data["sentence_id"] for task in tasks(server, stance))


def say(server: Server, task: StudioTask, stance: Any, **more: Any) -> int:
    row = vote("", "", stance, **more)
    given = call(server, "POST", f"/api/tasks/{task.id}/annotations/", result=result(row), was_cancelled=not stance)
    return int(given["id"])


def pulled(stance: Run) -> dict[int | None, str | None]:
    rows = read_jsonl(stance.project / "labels" / "annotations.jsonl", Annotation, "")
    return {row.studio_id: row.stance for row in rows}


def fetched(output: str) -> int:
    if "\nno task of the annotators is new or has changed since the last pull\n" in output:
        return 0
    found = re.search(r"^read (\d+) tasks?: those", output, re.MULTILINE)
    assert found
    return int(found.group(1))


# --- refusals and nonsense: one message, exit 1, nothing half done

HTML = b"<html><body><h1>Bad Gateway</h1>\n<p>nginx</p></body></html>"
ANSWERED: list[tuple[dict[str, Any], str]] = [
    ({"status": 401, "body": b'{"detail": "Invalid token."}'}, "does not accept the API key; take a valid one"),
    ({"status": 403, "body": b"{}"}, "does not let this account do that; use a key of an account"),
    ({"status": 404, "body": HTML}, "answered 404, not found: is that the address"),
    ({"status": 429, "body": b"{}", "headers": {"Retry-After": "30"}}, "too many requests; wait a minute and try"),
    (
        {"status": 500, "body": b'{"detail": "of\\nmany\\nlines"}'},
        "answered 500, a fault .* try again of many",
    ),
    ({"status": 502, "body": HTML}, "answered 502, a fault of its own or of what is in front of it; try again"),
    ({"status": 400, "body": b'{"validation_errors": {"a": ["b\\n"]}}'}, "answered 400: {'a'"),
    ({"status": 200, "body": HTML}, "gave an answer that Label Studio doesn't give .* try again"),
    ({"status": 200, "body": b'{"hello": "world"}'}, "gave an answer that Label Studio doesn't give .* try again"),
    ({"status": 200, "body": b'{"tasks": [{"id": 1'}, "gave an answer that Label Studio doesn't give .* try again"),
    ({"status": 200, "reaches": True, "cut": True}, "broke off in the middle .* try again"),
    ({"status": 0}, "broke off in the middle .* try again"),
    ({"status": 200, "slow": 0.9}, "did not answer in time; try again"),
]
NAMES = "401 403 404 429 500 502 400 html other-program truncated-json cut-off dropped time-out".split()


@pytest.mark.parametrize(("answer", "message"), ANSWERED, ids=NAMES)
@pytest.mark.parametrize(
    ("command", "path", "doing"),
    [("pull", "/whoami", "connecting"), ("push", "/api/tasks/", "reading the tasks")],
    ids=["connecting", "mid-way"],
)
def test_a_refusal_is_one_clear_message_and_changes_nothing(
    settled: Run,
    server: Server,
    fails: Fails,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, Any],
    message: str,
    command: str,
    path: str,
    doing: str,
) -> None:
    before = files(settled)
    monkeypatch.setattr(studios, "TIMEOUT", 0.4 if answer.get("slow") else 60.0)
    with behind(server, Fault("GET", path, **answer)) as (proxy, _):
        said = fails(settled, proxy, command)
    assert f"{doing}: {proxy.url} " in said
    assert re.search(message, said), said
    assert files(settled) == before


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:8080", "expected the address of a Label Studio, such as https://"),
        ("http://", "expected the address of a Label Studio, such as https://"),
        ("http://[::1", "expected the address of a Label Studio, such as https://"),
        ("http://127.0.0.1:99999", "expected the address of a Label Studio, such as https://"),
    ],
)
def test_an_address_that_is_none_is_refused(settled: Run, fails: Fails, url: str, message: str) -> None:
    assert message in fails(settled, Server(url=url, api_key="0" * 40), "pull")


@pytest.mark.parametrize("key", ["secret\r\nkey", "secret key", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(
    settled: Run, server: Server, fails: Fails, key: str
) -> None:
    assert "copy it again" in fails(settled, Server(url=server.url, api_key=key), "pull")


def test_a_line_break_after_key_or_address_is_taken_off(
    settled: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Server(url=f" {server.url}/\n", api_key=f"{server.api_key}\r\n"))
    assert "unchanged" in settled("push", "--dry-run")


@pytest.mark.slow
def test_a_failure_after_the_token_is_refused_half_way_loses_nothing(
    fresh: Run, server: Server, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "BATCH", 4)
    with behind(server, Fault("POST", "/import", 2, status=401, body=b"{}")) as (proxy, _):
        assert "creating tasks: " in fails(fresh, proxy, "push")
        assert len(keys(server, fresh)) == 4
        use(monkeypatch, proxy)
        assert "8 to create, 4 unchanged" in fresh("push")
    assert sorted(keys(server, fresh).values()) == [1] * 12


# --- an import of which nobody knows whether it arrived


LOST: list[dict[str, Any]] = [
    {"reaches": True, "status": 502, "body": HTML},
    {"reaches": True, "status": 0},
    {"reaches": True, "status": 201, "cut": True},
    {"reaches": True, "status": 200, "body": HTML},
    {"reaches": True, "status": 201, "slow": 1.5},
    {"status": 0},
    {"status": 500, "body": HTML},
    {"status": 429, "body": b"{}", "headers": {"Retry-After": "1"}},
]
LOST_NAMES = "taken-502 taken-dropped taken-cut taken-html taken-late dropped 500 429".split()


@pytest.mark.slow
@pytest.mark.parametrize("answer", LOST, ids=LOST_NAMES)
def test_an_import_whose_answer_is_lost_is_made_good_in_the_same_push(
    fresh: Run, server: Server, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    monkeypatch.setattr(pushing, "BATCH", 4)
    monkeypatch.setattr(studios, "TIMEOUT", 1.0 if answer.get("slow") else 60.0)
    with behind(server, Fault("POST", "/import", 2, **answer)) as (proxy, seen):
        use(monkeypatch, proxy)
        fresh("push")
    assert sorted(keys(server, fresh).values()) == [1] * 12
    # Two more would be a batch sent twice that had arrived.
    assert sum("/import" in line for line in seen) == (3 if answer.get("reaches") else 4)
    assert not (fresh.project / pushing.SENDING).exists()


@pytest.mark.parametrize("lost", [{"status": 502, "body": HTML}, {"status": 0}], ids=["502", "dropped"])
def test_an_answer_whose_reply_is_lost_is_not_given_twice(fresh: Run, server: Server, lost: dict[str, Any]) -> None:
    fresh("push")
    with Studio(server) as owner:
        project = owner.find_project(fresh.project.name[-40:])
        assert project is not None
        task = owner.tasks(project.id)[0]
        fault = Fault("POST", f"/tasks/{task.id}/annotations", 1, reaches=True, **lost)
        with behind(server, fault) as (proxy, _), Studio(proxy) as speaker, pytest.raises(StudioError):
            speaker.answer(task.id, result(vote("s", "A1", "favor")))
        assert owner.answer_number(project.id) == 1


# --- a request that the server carries out several times


def test_a_project_that_the_server_makes_three_times_is_one(
    fresh: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind(server, Fault("POST", r"/api/projects/$", 1, again=2)) as (proxy, seen):
        use(monkeypatch, proxy)
        fresh("push")
    assert sum(line == "POST /api/projects/" for line in seen) == 1
    assert sorted(keys(server, fresh).values()) == [1] * 12
    with behind(server, Fault("POST", "never")) as (proxy, seen):
        use(monkeypatch, proxy)
        fresh("push")
    assert not [line for line in seen if line.startswith("PATCH")], "the project's settings are as they should be"


def test_an_import_that_the_server_carries_out_twice_leaves_each_task_once(
    fresh: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "BATCH", 6)
    with behind(server, Fault("POST", "/import", 1, again=1)) as (proxy, _):
        use(monkeypatch, proxy)
        fresh("push")
    assert sorted(keys(server, fresh).values()) == [1] * 12


def test_an_answer_that_the_server_takes_twice_counts_once(fresh: Run, server: Server) -> None:
    fresh("push")
    task = tasks(server, fresh)[0]
    with (
        behind(server, Fault("POST", f"/tasks/{task.id}/annotations", 1, again=1)) as (proxy, _),
        Studio(proxy) as speaker,
    ):
        speaker.answer(task.id, result(vote("s", "A1", "favor")))
    assert len(tasks(server, fresh)[0].annotations) == 2
    fresh("pull")
    rows = read_jsonl(fresh.project / "labels" / "annotations.jsonl", Annotation, "")
    assert len(rows) == 2  # as the server holds them
    assert [list(votes.values()) for votes in latest_votes(rows).values()] == [["favor"]]


@pytest.mark.slow
def test_an_import_that_fails_for_good_says_so_and_the_next_push_goes_on(
    fresh: Run, server: Server, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "BATCH", 6)
    with behind(server, Fault("POST", "/import", *range(2, 99), status=502, body=HTML)) as (proxy, seen):
        assert "Nothing is lost: run the same command again" in fails(fresh, proxy, "push")
    assert sum("/import" in line for line in seen) == 1 + 1 + pushing.RETRIES
    assert len(keys(server, fresh)) == 6
    use(monkeypatch, server)
    assert "6 to create" in fresh("push")
    assert sorted(keys(server, fresh).values()) == [1] * 12


@pytest.mark.slow
def test_an_import_that_a_killed_push_left_on_its_way_is_waited_for(
    fresh: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "SETTLE", 10.0)

    class Killed(BaseException):
        """As SIGKILL: no handler of push runs."""

    sent: list[threading.Thread] = []
    real = Studio.import_tasks

    def dying(self: Studio, project_id: int, batch: Any) -> None:
        def late() -> None:  # the server is still at it when the next push begins
            time.sleep(1.5)
            with Studio(server) as studio:
                real(studio, project_id, batch)

        sent.append(threading.Thread(target=late))
        sent[0].start()
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Studio, "import_tasks", dying)
        with pytest.raises(Killed):
            fresh("push")
    assert "nothing to send, 12 unchanged" in fresh("push")
    sent[0].join()
    assert sorted(keys(server, fresh).values()) == [1] * 12


def test_a_project_whose_making_was_not_answered_is_found_by_the_next_push(
    fresh: Run, server: Server, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind(server, Fault("POST", "/api/projects/$", reaches=True, status=502, body=HTML)) as (proxy, _):
        assert "creating the project: " in fails(fresh, proxy, "push")
    use(monkeypatch, server)
    fresh("push")
    assert sorted(keys(server, fresh).values()) == [1] * 12


@pytest.mark.slow
def test_a_server_that_gives_smaller_pages_than_asked_for_hides_no_task(
    fresh: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh("push")
    say(server, tasks(server, fresh)[-1], "favor")
    # As with LABEL_STUDIO_TASK_API_PAGE_SIZE_MAX.
    with behind(server, Fault("GET", "/api/tasks/[?]", page=5)) as (proxy, _):
        use(monkeypatch, proxy)
        assert "nothing to send, 12 unchanged" in fresh("push")
        assert fetched(fresh("pull")) == 12
    assert len(pulled(fresh)) == 1


# --- somebody else's project, two pushes at once


@pytest.mark.parametrize("command", ["push", "pull"])
def test_a_project_of_somebody_else_is_left_alone(fresh: Run, server: Server, fails: Fails, command: str) -> None:
    with Studio(server) as studio:
        id_ = studio.create_project(
            fresh.project.name[-40:], label_config="<View><Text name='t' value='$text'/></View>"
        )
        studio.import_tasks(id_, [{"data": {"text": "theirs"}}] * 3)
    said = fails(fresh, server, command)
    assert server.url in said
    assert "title" in said
    with Studio(server) as studio:
        assert [task.data for task in studio.tasks(id_)] == [{"text": "theirs"}] * 3
    assert not (fresh.project / "labels" / "annotations.jsonl").exists()


def test_two_projects_of_one_title_are_refused(fresh: Run, server: Server, fails: Fails) -> None:
    for _ in range(2):
        call(server, "POST", "/api/projects/", title=fresh.project.name[-40:])
    assert "has 2 projects with the title" in fails(fresh, server, "push")


@pytest.mark.slow
def test_two_machines_that_make_the_project_at_once_share_the_first(
    fresh: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Studio.create_project

    def late(self: Studio, title: str, **attributes: Any) -> int:
        with monkeypatch.context() as patched:  # the other machine, between our plan and our project
            patched.setattr(Studio, "create_project", real)
            other = fresh.project.with_name(f"{fresh.project.name}-other")
            shutil.copytree(fresh.project, other)
            Run(other)("push")
        return real(self, title, **attributes)

    monkeypatch.setattr(Studio, "create_project", late)
    fresh("push")
    assert sorted(keys(server, fresh).values()) == [1] * 12
    monkeypatch.undo()


def test_a_second_task_that_another_push_removes_first_is_no_error(fresh: Run, server: Server) -> None:
    fresh("push")
    first, *others = tasks(server, fresh)
    with Studio(server) as studio:
        found = studio.find_project(fresh.project.name[-40:])
        assert found is not None
        assert studio.remove_tasks(found.id, [first.id]) == 1
        assert studio.remove_tasks(found.id, [first.id, others[0].id]) == 1


def test_a_second_push_of_one_folder_waits_its_turn(fresh: Run, server: Server, fails: Fails) -> None:
    with locked(fresh.project, "push"):
        assert "another `stance push` of this project is running" in fails(fresh, server, "push")
    assert keys(server, fresh) == Counter()


# --- answers: what changed, and what must not count


@pytest.mark.slow
def test_a_pull_reads_only_what_changed(fresh: Run, server: Server) -> None:
    fresh("push")
    held = tasks(server, fresh)
    answers = [say(server, task, "favor") for task in held[:4]]
    assert fetched(fresh("pull")) == 12
    assert fetched(fresh("pull")) == 0
    call(server, "PATCH", f"/api/annotations/{answers[0]}/", result=result(vote("", "", "against")))
    call(server, "DELETE", f"/api/annotations/{answers[1]}/")
    new, skip = say(server, held[4], "none"), say(server, held[5], None)
    call(server, "POST", f"/api/tasks/{held[6].id}/drafts", result=result(vote("", "", "favor")), lead_time=1)
    output = fresh("pull")
    assert fetched(output) == 4
    assert "1 edited and 1 deleted since" in output
    assert pulled(fresh) == {answers[0]: "against", answers[2]: "favor", answers[3]: "favor", new: "none", skip: None}
    call(server, "DELETE", f"/api/tasks/{held[2].id}/")
    output = fresh("pull")
    assert fetched(output) == 0
    assert "0 edited and 1 deleted since" in output
    history = read_jsonl(fresh.project / "labels" / HISTORY, Superseded, "")
    assert {(row.answer.studio_id, row.why, row.answer.stance) for row in history} == {
        (answers[0], "edited", "favor"),
        (answers[1], "deleted", "favor"),
        (answers[2], "deleted", "favor"),
    }
    everything = files(fresh)
    (fresh.project / pulling.STATE).unlink()
    assert fetched(fresh("pull")) == 11
    assert files(fresh) == everything


@pytest.mark.slow
def test_an_answer_that_was_being_written_during_the_last_pull_is_seen(fresh: Run, server: Server) -> None:
    fresh("push")
    held = tasks(server, fresh)
    answer = say(server, held[0], "favor")
    fresh("pull")
    call(server, "PATCH", f"/api/annotations/{answer}/", result=result(vote("", "", "against")))
    # The last pull, as if it had begun 40 s after the time that the edit bears, and not seen it yet.
    path = fresh.project / pulling.STATE
    state = msgspec.json.decode(path.read_bytes(), type=pulling.State)
    ((id_, before),) = state.projects.items()
    later = msgspec.structs.replace(before, clock=before.clock + timedelta(seconds=40))
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(state, projects={id_: later})))
    assert fetched(fresh("pull")) == 1
    assert pulled(fresh) == {answer: "against"}


@pytest.mark.slow
def test_an_answer_of_which_no_time_tells_is_found_by_number(
    fresh: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh("push")
    answers = [say(server, task, "favor") for task in tasks(server, fresh)[:2]]
    fresh("pull")
    real = Studio.tasks

    def unmoved(self: Studio, project_id: int, include: str = "", *, since: datetime | None = None) -> list[StudioTask]:
        """As after a kill between the answer and its task's time: nothing has moved."""
        return [] if since else real(self, project_id, include)

    monkeypatch.setattr(Studio, "tasks", unmoved)
    new = say(server, tasks(server, fresh)[5], "none")
    assert fetched(fresh("pull")) == 12
    call(server, "DELETE", f"/api/annotations/{answers[0]}/")
    assert fetched(fresh("pull")) == 12
    assert pulled(fresh) == {answers[1]: "favor", new: "none"}
    assert fetched(fresh("pull")) == 0


@pytest.mark.slow
def test_tasks_deleted_at_the_server_and_made_anew_keep_their_answers_apart(fresh: Run, server: Server) -> None:
    fresh("push")
    held = tasks(server, fresh)
    gone = say(server, held[0], "favor")
    fresh("pull")
    call(server, "DELETE", f"/api/tasks/{held[0].id}/")
    fresh("push")
    again = next(task for task in tasks(server, fresh) if task.key == held[0].key)
    new = say(server, again, "against")
    fresh("pull")
    assert pulled(fresh) == {new: "against"}
    assert [row.answer.studio_id for row in read_jsonl(fresh.project / "labels" / HISTORY, Superseded, "")] == [gone]


def test_a_superseded_answer_is_kept_once() -> None:
    """A pull that was killed after its history saw an answer edited; the next one finds it deleted."""
    row = vote("s", "A1", "favor", studio_id=1, updated_at="2026-01-01T00:00:00Z")
    gone = Merged(rows=[], edits=[], gone=[row])
    assert superseded(gone, [Superseded(why="edited", answer=row)]) == []
    assert [found.why for found in superseded(gone, [])] == ["deleted"]


@pytest.mark.slow
def test_a_choice_that_the_codebook_lacks_is_named_and_nothing_is_written(
    fresh: Run, server: Server, fails: Fails
) -> None:
    fresh("push")
    held = tasks(server, fresh)
    say(server, held[0], "favor")
    fresh("pull")
    before = files(fresh)
    wrong = say(server, held[1], "pro")
    said = fails(fresh, server, "pull")
    assert f"annotation {wrong} " in said
    assert "found ['pro']. Correct it at the server and pull again" in said
    assert files(fresh) == before
    call(server, "PATCH", f"/api/annotations/{wrong}/", result=result(vote("", "", "against")))
    fresh("pull")
    assert sorted(map(str, pulled(fresh).values())) == ["against", "favor"]


# --- keys and connections


# The SDK's own call of a pydantic method that pydantic has renamed.
@pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")
def test_a_personal_access_token_works_as_a_key(
    settled: Run, server: Server, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    with httpx.Client(base_url=server.url, follow_redirects=True) as web:
        login = {"email": server.username, "password": server.password}
        login["csrfmiddlewaretoken"] = _csrf(web, f"{server.url}/user/login/")
        web.post("/user/login/", data=login, headers={"Referer": f"{server.url}/user/login/"})
        answer = web.post("/api/token/", headers={"X-CSRFToken": web.cookies["csrftoken"], "Referer": server.url})
    token = answer.json()["token"]
    assert token.count(".") == 2
    use(monkeypatch, Server(url=server.url, api_key=token))
    assert "12 unchanged" in settled("push")
    settled("pull")
    with behind(server, Fault("POST", "/api/token/refresh", status=502, body=HTML)) as (proxy, _):
        said = fails(settled, Server(url=proxy.url, api_key=token), "pull")
    assert proxy.url in said
    assert holders(settled.project, token) == []
    head, _, signature = token.split(".")
    payload = base64.urlsafe_b64encode(b'{"exp": 1000000000, "token_type": "refresh"}').decode().rstrip("=")
    expired = Server(url=server.url, api_key=f"{head}.{payload}.{signature}")
    assert "does not accept the API key; take a valid one" in fails(settled, expired, "pull")


def test_a_key_file_that_others_can_read_is_refused(
    settled: Run, server: Server, fails: Fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = settled.project / KEY_FILE
    write_bytes(path, msgspec.json.encode(server), mode=0o600)
    try:
        nowhere = Server(url="", api_key="")
        use(monkeypatch, nowhere)
        settled("push", "--dry-run")
        path.chmod(0o644)
        monkeypatch.setenv("KEPT", server.api_key)
        said = fails(settled, nowhere, "pull")
        assert f"chmod 600 {KEY_FILE}" in said
        assert server.api_key not in said
        path.chmod(0o600)
        path.write_text("{")
        assert "restore it from a copy" in fails(settled, nowhere, "pull")
    finally:
        path.unlink()


def test_what_the_user_should_know_of_a_connection_is_a_note(
    settled: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "note: " not in settled("push", "--dry-run")
    release = b'{"release": "1.99.0"}'
    with behind(server, Fault("GET", "/api/version", status=200, body=release)) as (proxy, _):
        use(monkeypatch, proxy)
        said = settled("push", "--dry-run")
    assert f"note: {proxy.url} is Label Studio 1.99.0; stance was tested with " in said
    with Studio(server) as studio:
        assert studio.notes == []


def test_plain_http_to_another_machine_is_a_note(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **more: real("127.0.0.1", *rest, **more))
    with Studio(Server(url=f"http://studio.example:{server.port}", api_key=server.api_key)) as studio:
        assert [note for note in studio.notes if "plain http: the key and all answers travel unencrypted" in note]


def test_a_failing_command_leaves_the_key_nowhere(fresh: Run, server: Server, fails: Fails) -> None:
    fresh("push")
    with behind(server, Fault("GET", "/api/tasks/", status=500, body=HTML)) as (proxy, _):
        fails(fresh, proxy, "push")
        fails(fresh, proxy, "pull")
    assert holders(fresh.project, server.api_key) == []


def holders(folder: Path, key: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
