"""Push, pull and serve against a real Label Studio, and every way in which talking to one can fail."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from corpus.errors import ConfigError, StudioError
from corpus.records import SENTENCES
from corpus.store import read_jsonl, table_path
from corpus.tables import read_table
from labeling.records import Annotation
from labeling.studio.answers import result
from labeling.studio.api_records import StudioTask
from labeling.studio.client import ANSWERS, KEYS, Studio
from labeling.studio.connection import Server, find_server
from labeling.studio.local_server import sign_up
from labeling.sync.replay import replay
from stance.signals import Stopping
from tests.conftest import Run, vote
from tests.support.processes import as_at_a_terminal
from tests.support.studio import with_database

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def _tasks(server: Server, stance: Run, *, annotations: bool = False) -> list[StudioTask]:
    with Studio(server) as studio:
        project = studio.find_project(stance.project.name[-40:])
        assert project is not None
        return studio.tasks(project.id, ANSWERS if annotations else KEYS)


def _answer(server: Server, task: StudioTask, row: Annotation) -> None:
    with Studio(server) as studio:
        studio.answer(task.id, result(row), seconds=row.seconds)


def _processes() -> str:
    """The command line of every process, whole; `ps` cuts them off."""
    lines: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return "\n".join(lines)


def test_three_pushes_make_each_task_once(stance: Run, server: Server) -> None:
    stance("build", "news")
    said = stance("push")
    assert "tasks: 12 to create\n" in said
    assert "done: 12 tasks created\n" in said
    for _ in range(2):
        assert "nothing to send, 12 unchanged" in stance("push")
    assert len(_tasks(server, stance)) == 12


def test_exact_copies_share_one_task(stance: Run, server: Server) -> None:
    stance("build", "news")
    rows = read_table(stance.project / "work" / "sentences.parquet", SENTENCES, "").to_pylist()
    copied = [row["sentence_id"] for row in rows if row["text"].startswith('"We will send')]
    assert len(copied) == 2
    stance("push")
    held = {task.data["sentence_id"] for task in _tasks(server, stance)}
    assert len(held & set(copied)) == 1
    assert len(rows) == 13


def test_a_dry_run_changes_nothing(stance: Run, server: Server) -> None:
    stance("build", "news")
    assert "12 to create" in stance("push", "--dry-run")
    with Studio(server) as studio:
        assert studio.find_project(stance.project.name[-40:]) is None


def test_one_inserted_sentence_is_one_new_task_and_keeps_the_labels(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    task = _tasks(server, stance)[0]
    _answer(server, task, vote("", "", "favor"))
    path = stance.project / "news" / "sentinel" / "bill.txt"
    path.write_text(path.read_text("utf-8").rstrip() + " Nobody in the gallery had expected that at all.\n", "utf-8")
    stance("build", "news")
    output = stance("push")
    assert "1 to create" in output
    held = _tasks(server, stance, annotations=True)
    assert len(held) == 13
    assert sum(len(task.annotations) for task in held) == 1


def test_new_metadata_updates_just_the_articles_tasks(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    (stance.project / "news" / "articles.csv").write_text("file,outlet\nsentinel/bill.txt,Carrow Sentinel\n")
    stance("build", "news")
    assert "4 to update, 8 unchanged" in stance("push")
    outlets = [task.data["outlet"] for task in _tasks(server, stance)]
    assert sorted(outlets) == [""] * 8 + ["Carrow Sentinel"] * 4


def test_answers_come_home_as_annotations_of_pseudonyms(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    tasks = _tasks(server, stance)
    other = Server(url=server.url, api_key=sign_up(server, "second@stance.example", "a-long-password"))
    _answer(server, tasks[0], vote("", "", "favor", seconds=4.5, unsure=True, holder="minister", comment="clear?"))
    _answer(other, tasks[0], vote("", "", "against"))
    _answer(other, tasks[1], vote("", "", None))
    assert "3 answers of 2 annotators, 1 of them a skip" in stance("pull")
    work = stance.project / "work"
    rows = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "")
    assert [row.stance for row in rows if row.sentence_id == tasks[0].data["sentence_id"]] == ["favor", "against"]
    first = next(row for row in rows if row.stance == "favor")
    assert (first.annotator, first.seconds, first.unsure, first.holder, first.comment, first.codebook) == (
        ("A1", 4.5, True, "minister", "clear?", "1.0")
    )
    assert next(row for row in rows if row.stance is None).annotator == "A2"
    private = stance.project / ".stance" / "annotators.json"
    assert private.stat().st_mode & 0o777 == 0o600
    assert "second@stance.example" not in table_path(work, "annotations.jsonl").read_text()
    assert "unchanged" in stance("pull")
    status = stance("status")
    assert "1 of 12 sentences labelled, 1 by two or more" in status
    assert "1 sentence open, listed in work/queue.jsonl" in stance("adjudicate")


@pytest.mark.slow
def test_a_label_keeps_the_codebook_version_that_it_was_made_under(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    tasks = _tasks(server, stance)
    _answer(server, tasks[0], vote("", "", "favor"))
    stance("pull")
    (stance.project / "codebook.md").write_text("Version 2.0\n")
    _answer(server, tasks[1], vote("", "", "none"))
    stance("pull")
    rows = read_jsonl(stance.project / "labels" / "annotations.jsonl", Annotation, "")
    assert {row.stance: row.codebook for row in rows} == {"favor": "1.0", "none": "2.0"}


def test_a_choice_that_the_codebook_lacks_is_named_and_nothing_is_written(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    task = _tasks(server, stance)[0]
    _answer(server, task, vote("", "", "pro"))
    with pytest.raises(StudioError, match=r"annotation \d+ .*found \['pro'\]"):
        stance("pull")
    assert not (stance.project / "labels" / "annotations.jsonl").exists()


@pytest.mark.slow
def test_recorded_answers_are_played_once_however_often(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    recorded = stance.project / "recorded.jsonl"
    lines = [
        json.dumps({"sentence_id": task.data["sentence_id"], "annotator": f"person-{n}", "stance": "none"})
        for task in _tasks(server, stance)[:4]
        for n in (1, 2)
    ]
    recorded.write_text("\n".join(lines))
    title = stance.project.name[-40:]
    seen: list[int] = []
    with Studio(server) as owner:
        assert replay(owner, server, title, recorded, lambda done, total=None: seen.append(done)) == 8
        assert sum(seen) == 8
        assert replay(owner, server, title, recorded, lambda *_: None) == 0
    assert sum(len(task.annotations) for task in _tasks(server, stance, annotations=True)) == 8


def test_a_local_server_is_private_and_runs_once(tmp_path_factory: pytest.TempPathFactory, server: Server) -> None:
    assert server.url.startswith("http://127.0.0.1:")
    assert server.api_key not in repr(server)
    folder = next(path for path in tmp_path_factory.getbasetemp().glob("studio*") if (path / ".stance").is_dir())
    key_file = folder / ".stance" / "server.json"
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert (folder / ".stance").stat().st_mode & 0o777 == 0o700
    assert (folder / ".stance" / ".gitignore").read_text() == "*\n"
    from labeling.studio.local_server import running

    with running(folder) as again:  # found, not started twice, and not stopped with this block
        assert again == server
    with Studio(server) as studio:
        assert studio.account == server.username
    log = (folder / ".stance" / "label-studio.log").read_text()
    assert server.api_key not in log


def test_the_key_is_in_no_process_list_and_in_no_file_but_its_own(
    tmp_path_factory: pytest.TempPathFactory, server: Server
) -> None:
    listed = _processes()
    assert f"--port {server.port}" in listed
    assert server.api_key not in listed
    key = server.api_key.encode()
    base = tmp_path_factory.getbasetemp()
    holders = {path.name for path in base.rglob("*") if path.is_file() and key in path.read_bytes()}
    assert holders - {"label_studio.sqlite3", "label_studio.sqlite3-wal", "label_studio.sqlite3-shm"} == {"server.json"}


def test_hotkeys_in_the_real_page_come_home(stance: Run, server: Server, browser: Browser) -> None:
    stance("build", "news")
    stance("push")
    with Studio(server) as studio:
        project = studio.find_project(stance.project.name[-40:])
    assert project is not None
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    page = context.new_page()
    page.goto(f"{server.url}/user/login/")
    page.fill("input[name=email]", server.username)
    page.fill("input[name=password]", server.password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/user/login" not in url)
    page.goto(f"{server.url}/projects/{project.id}/data?labeling=1")
    page.get_by_text("sending Western troops to Ukraine").wait_for()
    shown: list[str] = []
    for key in ("1", "2", "3"):
        page.locator(".stance-sentence .lsf-richtext__line").wait_for()
        page.wait_for_timeout(500)
        shown.append(page.locator(".stance-sentence").inner_text().strip())
        page.keyboard.press(key)
        with page.expect_response(lambda response: "/annotations" in response.url and response.ok):
            page.keyboard.press("Control+Enter")
        page.wait_for_function(
            "before => document.querySelector('.stance-sentence')?.innerText.trim() !== before", arg=shown[-1]
        )
    context.close()
    assert "3 answers of 1 annotator" in stance("pull")
    rows = {row.sentence_id: row for row in read_jsonl(stance.project / "labels" / "annotations.jsonl", Annotation, "")}
    texts = {task.data["sentence_id"]: str(task.data["text"]) for task in _tasks(server, stance)}
    assert {texts[key]: row.stance for key, row in rows.items()} == dict(
        zip(shown, ("favor", "against", "none"), strict=True)
    )
    assert all((row.seconds or 0) > 0 for row in rows.values())


# --- everything that can go wrong between us and a server


def test_no_server_known_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, or run `stance serve`"):
        find_server(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:1")
    with pytest.raises(ConfigError, match="LABEL_STUDIO_API_KEY is not set"):
        find_server(tmp_path)


@pytest.mark.slow
def test_nothing_listening_is_one_clear_error() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(StudioError, match="no Label Studio answers at http://127"):
        Studio(Server(url=url, api_key="0" * 40))


def test_a_wrong_key_is_one_clear_error_that_does_not_show_it(server: Server) -> None:
    key = "f" * 40
    with pytest.raises(StudioError, match="does not accept the API key") as caught:
        Studio(Server(url=server.url, api_key=key))
    assert key not in str(caught.value)


@contextmanager
def _answering(status: int, body: bytes, kind: str) -> Iterator[str]:
    """A server that gives one and the same answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_address[1]}"
        finally:
            http.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (200, b"<html>Welcome</html>", "text/html", "gave an answer that Label Studio doesn't give"),
        (200, b'{"hello": "world"}', "application/json", "gave an answer that Label Studio doesn't give"),
        (200, b'{"email": "a@', "application/json", "gave an answer that Label Studio doesn't give"),
        (403, b"{}", "application/json", "does not let this account do that"),
        (404, b"<html>Not here</html>", "text/html", "answered 404"),
    ],
)
def test_other_programs_and_refusals_are_one_clear_error(status: int, body: bytes, kind: str, message: str) -> None:
    with _answering(status, body, kind) as url, pytest.raises(StudioError, match=message):
        Studio(Server(url=url, api_key="0" * 40))


def test_pull_without_a_project_says_to_push(stance: Run) -> None:
    stance("build", "news")
    with pytest.raises(StudioError, match="run `stance push`"):
        stance("pull")


DROPPED = {
    "a finaliser": "bar = Bar(); del bar",
    "a library that catches everything": """
    try:
        come()
    except BaseException:
        pass""",
    "a library that has errors of its own": """
    try:
        come()
    except BaseException:
        error = RuntimeError("Query interrupted")
    raise error""",
}
"""Where Python or a library drops or changes the exception that a signal raises."""


@pytest.mark.parametrize("dropped", DROPPED)
def test_a_signal_whose_exception_is_dropped_still_stops_the_command(dropped: str) -> None:
    for status, done in _signalled(f"{DROPPED[dropped]}\n    time.sleep(20)\n    print('went on to its end')"):
        assert done.returncode == status, done.stderr
        assert "went on" not in done.stdout
        assert "RuntimeError" not in done.stderr


def test_a_signal_leaves_the_clean_up_the_time_that_it_takes() -> None:
    cleaning = """
    try:
        come()
    finally:
        try:
            raise OSError
        except OSError:
            time.sleep(1.5)
        time.sleep(1.5)
        print("cleaned up")"""
    for status, done in _signalled(cleaning):
        assert done.returncode == status, done.stderr
        assert done.stdout == "cleaned up\n"


def test_after_the_command_the_signals_are_as_before() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    Stopping().end()
    assert [signal.getsignal(number) for number in numbers] == before


def test_a_closed_terminal_stops_nothing_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stopping = Stopping()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        stopping.end()
    finally:
        signal.signal(signal.SIGHUP, before)


def _signalled(body: str) -> list[tuple[int, subprocess.CompletedProcess[str]]]:
    """Run a command that sends itself a signal by `come()`: for each signal, the status to expect, and what it did.

    They run side by side, since they mostly wait.
    """
    script = f"""
import os, sys, time, click
from stance import command_line as stance
def come():
    os.kill(os.getpid(), int(os.environ["SIGNAL"]))
    time.sleep(0.01)
class Bar:
    def __del__(self):
        come()
@stance.cli.command()
def wait():
    {body}
stance.main()
"""
    statuses = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", script, "wait"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=as_at_a_terminal,
            env=os.environ | {"SIGNAL": str(int(sign))},
        )
        for sign in statuses
    ]
    said = [command.communicate() for command in commands]
    done = [
        subprocess.CompletedProcess(one.args, one.returncode, *text) for one, text in zip(commands, said, strict=True)
    ]
    return list(zip(statuses.values(), done, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "sign"),
    [
        ("serve", signal.SIGINT),
        ("serve", signal.SIGHUP),
        ("serve", signal.SIGTERM),
        pytest.param("serve", signal.SIGKILL, marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux only")),
        ("demo", signal.SIGINT),
        ("demo", signal.SIGTERM),
    ],
)
def test_stopping_a_command_leaves_nothing_running(tmp_path: Path, command: str, sign: signal.Signals) -> None:
    with_database(tmp_path)
    command_line = [str(Path(sys.executable).with_name("stance")), "-C", str(tmp_path), command]
    with subprocess.Popen(
        command_line,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=as_at_a_terminal,
    ) as started:
        try:
            assert started.stdout is not None
            # `serve` then waits for ever; `demo` then spends minutes on playing answers in.
            said = next(line for line in started.stdout if "http://127.0.0.1:" in line)
            started.send_signal(sign)
            assert started.wait(timeout=60) == (-sign if sign == signal.SIGKILL else 128 + sign)
        finally:
            started.kill()
    port = said.split("http://127.0.0.1:")[1].split("/")[0].split()[0]
    # After a hard kill it is the system that ends the server, a moment later.
    deadline = time.monotonic() + (30 if sign == signal.SIGKILL else 0)
    while f"--port {port}" in (still := _processes()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert f"--port {port}" not in still
