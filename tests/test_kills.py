"""Sync when processes die: killed at ten points of a push and of a pull of 3,000 tasks, and several at once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pytest

from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl, write_table
from corpus.tables import read_table
from labeling.records import Annotation, Superseded
from labeling.scheme import DEFAULT
from labeling.studio.answers import result
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import FOLDER, running, sign_up
from labeling.studio.project_page import INTERFACE, page
from labeling.studio.tasks import Corpus, data
from labeling.sync.known_answers import HISTORY
from labeling.sync.push import SENDING, SETTLE, _Sending
from labeling.sync.server_changes import STATE
from tests.conftest import REPO, Run, vote
from tests.support.studio import with_database

pytestmark = pytest.mark.slow

TASKS = 3000
POINTS = 10
BATCH = 1200  # less than a push takes by default: three imports give points within, between and after them
LOCK = Path(".stance") / "pull.lock"
WORDS = "port minister aid bill troops river winter vote senate tank village border price grain letter".split()


class Mortal:
    """A Label Studio of these tests' own, that can be killed and comes back with the same data at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        self.stack = ExitStack()
        self.server = self.stack.enter_context(running(self.folder))

    def kill(self) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if f"--port\0{self.server.port}\0".encode() in path.read_bytes():
                    os.killpg(int(path.parent.name), signal.SIGKILL)
        self.stack.close()


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    mortal = Mortal(with_database(tmp_path_factory.mktemp("mortal")))
    yield mortal
    mortal.stack.close()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a corpus of 3,000 sentences in 150 articles."""
    rng = random.Random(1)
    work = tmp_path_factory.mktemp("tables")
    articles = [dict.fromkeys(ARTICLES.names, "") | {"article_id": f"a{n}", "title": f"Title {n}"} for n in range(150)]
    ids = [f"{rng.getrandbits(128):032x}" for _ in range(TASKS)]
    sentences = [
        {
            "sentence_id": id_,
            "article_id": f"a{n // 20}",
            "index": n % 20,
            "start": 0,
            "end": 1,
            "text": " ".join(rng.choices(WORDS, k=rng.randint(5, 30))) + f" {n}.",
            "before": " ".join(rng.choices(WORDS, k=20)),
            "after": " ".join(rng.choices(WORDS, k=20)),
            "copy_id": id_,
            "cluster_id": id_,
        }
        for n, id_ in enumerate(ids)
    ]
    write_table(work / "articles.parquet", pa.Table.from_pylist(articles, schema=ARTICLES))
    write_table(work / "sentences.parquet", pa.Table.from_pylist(sentences, schema=SENTENCES))
    return work


def make(folder: Path, title: str, tables: Path, count: int = TASKS) -> Path:
    """A project folder with the first `count` sentences."""
    (folder / "work").mkdir(parents=True)
    shutil.copy(tables / "articles.parquet", folder / "work")
    rows = read_table(tables / "sentences.parquet", SENTENCES, "").slice(0, count)
    write_table(folder / "work" / "sentences.parquet", rows)
    (folder / "stance.toml").write_text(f'[target]\nname = "a tunnel"\n[labeling]\ntitle = "{title}"\n', "utf-8")
    (folder / "codebook.md").write_text("Version 1.0\n", "utf-8")
    return folder


def start(project: Path, server: Server, *arguments: str, settle: float = SETTLE) -> subprocess.Popen[str]:
    """A `stance` command as a process of its own, from the sources beside these tests."""
    code = (
        "import labeling.sync.push as p; from stance.command_line import main; "
        f"p.BATCH = {BATCH}; p.SETTLE = {settle}; main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, "-C", str(project), *arguments],
        cwd=REPO,
        env={**os.environ, "LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.api_key},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def run(project: Path, server: Server, *arguments: str) -> str:
    """A `stance` command undisturbed, in this process, which has all imported already."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LABEL_STUDIO_URL", server.url)
        patched.setenv("LABEL_STUDIO_API_KEY", server.api_key)
        return Run(project)(*arguments)


def sending(project: Path) -> _Sending | None:
    with suppress(FileNotFoundError):
        return msgspec.json.decode((project / SENDING).read_bytes(), type=_Sending)
    return None


def keys(server: Server, title: str) -> Counter[object]:
    with Studio(server) as studio:
        project = studio.find_project(title)
        return Counter(task.data["sentence_id"] for task in studio.tasks(project.id)) if project else Counter()


def ids(project: Path) -> Counter[object]:
    return Counter(read_table(project / "work" / "sentences.parquet", SENTENCES, "").column("sentence_id").to_pylist())


class Pace:
    """How an undisturbed push goes: the number of its imports, and the seconds until the first and in one."""

    def __init__(self, project: Path, server: Server) -> None:
        began = time.time()
        process, seen = start(project, server, "push"), {}
        while process.poll() is None:
            if note := sending(project):
                seen[note.before] = note.since
            time.sleep(0.005)
        assert process.returncode == 0
        end(process)
        self.befores = sorted(seen)
        self.first = seen[0] - began
        self.one = (time.time() - seen[0]) / len(seen)

    def points(self) -> list[tuple[int, float]]:
        """Ten points: the tasks that are there before an import begins (-1: while planning), and seconds from then."""
        fractions = [0.1, 0.3, 0.6]
        inside = [(before, part * self.one) for before in self.befores for part in fractions]
        return [(-1, self.first * 0.8), *inside][:POINTS]


def await_point(process: subprocess.Popen[str], project: Path, before: int, seconds: float) -> bool:
    """Wait for a point of a push; whether the push still runs then, in an import."""
    while before >= 0 and process.poll() is None:
        if (note := sending(project)) and note.before >= before:
            break
        time.sleep(0.002)
    time.sleep(seconds)
    return process.poll() is None and sending(project) is not None


@pytest.fixture(scope="module")
def pace(mortal: Mortal, tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Pace:
    project = make(tmp_path_factory.mktemp("pace"), "Undisturbed", tables)
    found = Pace(project, mortal.server)
    assert keys(mortal.server, "Undisturbed") == ids(project)
    return found


def held(mortal: Mortal, project_id: int) -> int:
    """How many tasks a project has in the database's file, whether the server runs or not."""
    with closing(sqlite3.connect(mortal.folder / FOLDER / "label_studio.sqlite3")) as database:
        return int(database.execute("select count(*) from task where project_id = ?", [project_id]).fetchone()[0])


@pytest.mark.parametrize("victim", ["server", "client"])
def test_a_push_killed_at_ten_points_and_run_again_makes_each_task_once(
    mortal: Mortal, tables: Path, pace: Pace, tmp_path: Path, victim: str
) -> None:
    assert len(pace.points()) == POINTS
    inside = before_commit = survived = 0
    for number, (before, seconds) in enumerate(pace.points()):
        title = f"Push, {victim} killed {number}"
        project = make(tmp_path / str(number), title, tables)
        # In every second case the server stays away for longer than a push waits for it.
        process = start(project, mortal.server, "push", settle=SETTLE if number % 2 else 3.0)
        importing = await_point(process, project, before, seconds)
        if victim == "server":
            mortal.kill()
        else:
            process.kill()
        if importing and (note := sending(project)):
            inside += 1
            before_commit += held(mortal, note.project_id) < note.before + note.tasks
        if victim == "server":
            mortal.start()
        status, output = end(process)
        assert status in {0, 1, -signal.SIGKILL}, output
        survived += status == 0
        run(project, mortal.server, "push")
        assert keys(mortal.server, title) == ids(project), (number, output)
    say(f"{victim} killed: {inside} of {POINTS} times in an import, {before_commit} of them before its commit")
    say(f"{survived} pushes got over it by themselves")
    assert inside >= POINTS // 2
    assert before_commit >= 2


class Labels:
    """A project of 3,000 tasks with the answers of three annotators, which change while somebody pulls."""

    title = "Pull, killed"

    def __init__(self, mortal: Mortal, tables: Path, folder: Path) -> None:
        self.project, self.twin = (make(folder / name, self.title, tables) for name in ("project", "twin"))
        server = mortal.server
        others = ["second@stance.example", "third@stance.example"]
        self.keys = [server.api_key, *(sign_up(server, address, "a-long-password") for address in others)]
        corpus = Corpus(self.project / "work")
        tasks = corpus.tasks([(str(id_), 0) for id_ in ids(self.project)], "the target")
        payload = [
            {
                "data": data(task),
                "annotations": [
                    {
                        "completed_by": {"email": [server.username, others[0]][n % 2]},
                        "result": result(vote("", "", DEFAULT.names[n % 3])) if n % 7 else [],
                        "was_cancelled": not n % 7,
                        "lead_time": n / 10,
                    }
                ],
            }
            for n, task in enumerate(tasks)
        ]
        with Studio(server) as studio:
            self.id = studio.create_project(self.title, label_config=page(INTERFACE))
        answer = self.call(server, 0, "POST", f"/api/projects/{self.id}/import", payload)
        assert answer["annotation_count"] == TASKS
        with Studio(server) as studio:
            self.tasks = [task.id for task in studio.tasks(self.id)]
        for project in (self.project, self.twin):
            run(project, server, "pull")
        self.rng = random.Random(3)
        self.round = 0
        self.gone: set[tuple[int | None, str]] = set()

    def call(self, server: Server, who: int, method: str, path: str, json: Any = None) -> Any:
        headers = {"Authorization": f"Token {self.keys[who]}"}
        answer = httpx.request(method, server.url + path, json=json, headers=headers, timeout=120)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def known(self) -> list[Annotation]:
        return read_jsonl(self.twin / "labels" / "annotations.jsonl", Annotation, "")

    def change(self, server: Server) -> None:
        """Edit, delete and add answers; from the fifth time on the third annotator answers too."""
        self.round += 1
        for project in (self.project, self.twin):
            (project / "codebook.md").write_text(f"Version 1.{self.round}\n", "utf-8")
        rows = self.rng.sample(self.known(), 6)
        for row in rows[:3]:
            stance = self.rng.choice([stance for stance in DEFAULT.names if stance != row.stance])
            change = {"result": result(vote("", "", stance)), "was_cancelled": False}
            self.call(server, 0, "PATCH", f"/api/annotations/{row.studio_id}/", change)
        self.call(server, 0, "DELETE", f"/api/annotations/{rows[3].studio_id}/")
        self.gone |= {(row.studio_id, row.updated_at) for row in rows[:4]}
        task = self.rng.choice(self.tasks)
        who = 2 if self.round > 4 else 1
        self.call(server, who, "POST", f"/api/tasks/{task}/annotations/", {"result": result(vote("", "", "favor"))})

    def check(self, server: Server, *, everything: bool = True) -> None:
        """What a pull of the project knows is what an undisturbed one gives in the twin, or one of everything."""
        if everything:
            (self.twin / STATE).unlink()
        run(self.twin, server, "pull")
        for name in ("labels/annotations.jsonl", "labels/history.jsonl", ".stance/annotators.json"):
            assert (self.project / name).read_bytes() == (self.twin / name).read_bytes(), (self.round, name)
        history = [row.answer for row in read_jsonl(self.project / "labels" / HISTORY, Superseded, "")]
        assert Counter((row.studio_id, row.updated_at) for row in history) == Counter(self.gone)
        rows = self.known()
        assert len(rows) == TASKS
        assert len({row.studio_id for row in rows}) == TASKS


@pytest.fixture(scope="module")
def labels(mortal: Mortal, tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Labels:
    return Labels(mortal, tables, tmp_path_factory.mktemp("labels"))


def began(process: subprocess.Popen[str], project: Path) -> float:
    """Wait until a pull has connected, and takes its lock."""
    while not (project / LOCK).exists() and process.poll() is None:
        time.sleep(0.002)
    return time.monotonic()


def start_pull(labels: Labels, server: Server, *, everything: bool) -> subprocess.Popen[str]:
    (labels.project / LOCK).unlink(missing_ok=True)
    if everything:
        (labels.project / STATE).unlink(missing_ok=True)
    return start(labels.project, server, "pull")


@pytest.mark.parametrize("victim", ["server", "client"])
def test_a_pull_killed_at_ten_points_and_run_again_brings_every_answer_once(
    mortal: Mortal, labels: Labels, victim: str
) -> None:
    lasts = {}
    for everything in (True, False):
        labels.change(mortal.server)
        process = start_pull(labels, mortal.server, everything=everything)
        since = began(process, labels.project)
        assert end(process)[0] == 0
        lasts[everything] = time.monotonic() - since
        labels.check(mortal.server, everything=False)
    inside = 0
    for number in range(POINTS):
        labels.change(mortal.server)
        everything = number % 3 == 0
        process = start_pull(labels, mortal.server, everything=everything)
        began(process, labels.project)
        # Over all of it: the reading takes most of the time, the files are written at the end.
        time.sleep(lasts[everything] * number / POINTS)
        running = process.poll() is None
        inside += running
        if not running:  # pulls take less time than when they were timed, as other work has ended
            lasts[everything] *= 0.7
        if victim == "server":
            mortal.kill()
            mortal.start()
        else:
            process.kill()
        status, output = end(process)
        assert status in {0, 1, -signal.SIGKILL}, output
        run(labels.project, mortal.server, "pull")
        # Reading everything again takes longest here: the last time, and where the project read only what changed.
        labels.check(mortal.server, everything=number % 3 == 2 or number == POINTS - 1)
    say(f"{victim} killed in a pull: {inside} of {POINTS} times while it ran; it takes {lasts[True]:.1f} s")
    assert inside >= POINTS // 2


def test_four_pushes_at_once_of_four_projects_lose_nothing(mortal: Mortal, tables: Path, tmp_path: Path) -> None:
    titles = [f"At once {n}" for n in range(4)]
    projects = [make(tmp_path / title, title, tables, 1200) for title in titles]
    processes = [start(project, mortal.server, "push") for project in projects]
    for process in processes:
        status, output = end(process)
        assert status == 0, output
    for title, project in zip(titles, projects, strict=True):
        assert keys(mortal.server, title) == ids(project)


def test_two_pushes_at_once_of_one_folder_are_one(mortal: Mortal, tables: Path, tmp_path: Path) -> None:
    project = make(tmp_path / "one", "One folder", tables, 1200)
    processes = [start(project, mortal.server, "push") for _ in range(2)]
    ended = sorted(end(process) for process in processes)
    assert [status for status, _ in ended] == [0, 1], ended
    assert "another `stance push` of this project is running" in ended[1][1]
    assert keys(mortal.server, "One folder") == ids(project)


def test_two_pushes_at_once_of_one_title_from_two_machines_make_each_task_once(
    mortal: Mortal, tables: Path, tmp_path: Path
) -> None:
    projects = [make(tmp_path / name, "Two machines", tables, 60) for name in ("a", "b")]
    processes = [start(project, mortal.server, "push") for project in projects]
    for process in processes:
        status, output = end(process)
        assert status == 0, output
    run(projects[0], mortal.server, "push")
    assert keys(mortal.server, "Two machines") == ids(projects[0])


def say(line: str) -> None:
    """Tell of the run: `pytest -s` or `-rP` shows it."""
    sys.stdout.write(f"{line}\n")
