"""Compare push and pull with requests made by hand, in one run, on a Label Studio server that is started for it.

    python -m benchmarks.labeling [--tasks N]

The times of stance's commands and of the script with the SDK include the start of Python; the times called raw are
those of the requests only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from benchmarks.corpus import _load, write_articles
from labeling.studio.answers import chosen
from labeling.studio.connection import Server
from labeling.studio.local_server import running
from labeling.studio.project_page import INTERFACE, page

REPO = Path(__file__).parent.parent
ROUNDS = 3
SIZES = (500, 1000, 2000, 5000)
"""Batch sizes to compare; `labeling.sync.push.BATCH` was chosen from them."""


def main() -> None:
    """Print all tables, in Markdown."""
    parser = argparse.ArgumentParser(description="Measure push and pull beside raw requests.")
    parser.add_argument("--tasks", type=int, default=10_000)
    count: int = parser.parse_args().tasks
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; load {_load()}")
    with tempfile.TemporaryDirectory(prefix="stance-bench-") as folder:
        project = Path(folder)
        with running(project / "studio") as server:
            bench = Bench(server, project, count)
            bench.push()
            bench.pull()
    print(f"\nload after: {_load()}")


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _row(what: str, times: list[float], beside: float = 0.0) -> float:
    median = statistics.median(times)
    ratio = f"{median / beside:.2f}" if beside else ""
    print(f"| {what} | {median:.1f} | {', '.join(f'{one:.1f}' for one in times)} | {ratio} |", flush=True)
    return median


def _head(title: str) -> None:
    print(f"\n## {title}\n\n| | median s | runs, s | of the first line |\n|---|---|---|---|", flush=True)


class Bench:
    """A project with its tasks, and the server that receives them."""

    def __init__(self, server: Server, project: Path, count: int) -> None:
        """Build the corpus and write its tasks as JSON."""
        self.server = server
        self.project = project
        self.web = httpx.Client(base_url=server.url, headers={"Authorization": f"Token {server.api_key}"}, timeout=600)
        (project / "news").mkdir()
        write_articles(str(project / "news"), str(round(count * 1.02)))
        (project / "codebook.md").write_text("Version 1.0\n")
        self.title("first")
        self.stance("build", "news")
        self.stance("push", "--limit", str(count), "--by", "document", "--to", "tasks.json")
        self.tasks: list[dict[str, Any]] = json.loads((project / "tasks.json").read_text())

    def title(self, title: str) -> None:
        """Give the project a title that the server does not know, so that the server has none of its tasks."""
        text = f'[target]\nname = "a tunnel"\n[corpus]\nroot = "news"\n[labeling]\ntitle = "{title}"\noverlap = 1\n'
        (self.project / "stance.toml").write_text(text)

    def stance(self, *arguments: str) -> str:
        """Run a command of stance and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", "from stance.command_line import main; main()", "-C", str(self.project), *arguments],
            cwd=REPO,
            env={
                **os.environ,
                "LABEL_STUDIO_URL": self.server.url,
                "LABEL_STUDIO_API_KEY": self.server.api_key,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout

    def new_project(self, title: str) -> int:
        """Create a project on the server by a request, and return its id."""
        made = self.web.post("/api/projects", json={"title": title, "label_config": page(INTERFACE)})
        return int(made.raise_for_status().json()["id"])

    def send(self, project_id: int, tasks: list[dict[str, Any]]) -> None:
        """Send tasks to the server in one import request."""
        self.web.post(f"/api/projects/{project_id}/import", json=tasks).raise_for_status()

    def push(self) -> None:
        """Send all tasks in one request, in batches of several sizes, and by `stance push`, which then runs again."""
        _head(f"Push of {len(self.tasks):,} tasks")
        raw, scripts, ours = [], [], []
        for number in range(ROUNDS):  # in turn, so that other work on the computer affects all ways equally
            raw.append(_timed(partial(self._raw, f"raw {number}", len(self.tasks))))
            scripts.append(_timed(partial(self._script, f"script {number}")))
            self.title(f"ours {number}")
            ours.append(_timed(lambda: self.stance("push", "--limit", "0")))
        beside = _row("raw: one import of all in one body", raw)
        _row("the same by a script with the SDK", scripts, beside)
        _row("`stance push`", ours, beside)
        for size in SIZES:
            _row(f"raw: batches of {size:,}", [_timed(partial(self._raw, f"batches {size}", size))], beside)
        again = [_timed(lambda: self.stance("push", "--limit", "0")) for _ in range(ROUNDS)]
        _row("`stance push`, nothing to do", again, beside)

    def _script(self, title: str) -> None:
        """Push by a script that somebody could write with the SDK, in a separate process like stance's commands."""
        lines = (
            "import json, sys, label_studio_sdk as sdk",
            "client = sdk.LabelStudio(base_url=sys.argv[1], api_key=sys.argv[2])",
            "tasks = json.load(open(sys.argv[4]))",
            "client.projects.import_tasks(id=int(sys.argv[3]), request=tasks)",
        )
        where = [self.server.url, self.server.api_key, str(self.new_project(title))]
        tasks = str(self.project / "tasks.json")
        subprocess.run([sys.executable, "-c", "\n".join(lines), *where, tasks], check=True)

    def _raw(self, title: str, size: int) -> None:
        project_id = self.new_project(title)
        for start in range(0, len(self.tasks), size):
            self.send(project_id, self.tasks[start : start + size])

    def pull(self) -> None:
        """Pull tasks that all have an answer: by export, by the SDK's pages, and by `stance pull`.

        `stance pull` runs for the first time, with nothing new, and after ten changes.
        """
        self.title("answered")
        project_id = self.new_project("answered")
        answer = {"result": [chosen("stance", "favor")], "lead_time": 4.0, "completed_by": 1}
        for start in range(0, len(self.tasks), 1000):
            self.send(project_id, [{**task, "annotations": [answer]} for task in self.tasks[start : start + 1000]])
        _head(f"Pull of {len(self.tasks):,} tasks with one answer each")
        path = f"/api/projects/{project_id}/export?exportType=JSON&download_all_tasks=true"
        exported, whole = [], []
        for _ in range(ROUNDS):
            exported.append(_timed(lambda: self.web.get(path).raise_for_status()))
            (self.project / ".stance" / "pulled.json").unlink(missing_ok=True)
            whole.append(_timed(lambda: self.stance("pull")))
        beside = _row("raw: the server's export (JSON)", exported)
        _row("`stance pull`, whole", whole, beside)
        _row("the SDK's `tasks.list(page_size=100)`, all fields", [_timed(lambda: self._pages(project_id))], beside)
        _row("`stance pull`, nothing new", [_timed(lambda: self.stance("pull")) for _ in range(ROUNDS)], beside)
        changed: list[float] = []
        for number in range(ROUNDS):
            self._change(project_id, number)
            began = time.perf_counter()
            said = self.stance("pull")
            changed.append(time.perf_counter() - began)
            assert "4 edited and 4 deleted" in said, said  # two answers, and two with their tasks
        _row("`stance pull` after ten changes, two deleted answers and two deleted tasks among them", changed, beside)

    def _pages(self, project_id: int) -> None:
        from label_studio_sdk.client import LabelStudio

        client: Any = LabelStudio(base_url=self.server.url, api_key=self.server.api_key)  # type: ignore[no-untyped-call]
        read = sum(1 for _ in client.tasks.list(project=project_id, page_size=100, fields="all"))
        assert read == len(self.tasks)

    def _change(self, project_id: int, number: int) -> None:
        """Edit four answers, add two, delete two, and delete two tasks; each round changes other tasks."""
        params: dict[str, Any] = {"project": project_id, "page_size": 20, "page": 5 + number, "fields": "all"}
        tasks = self.web.get("/api/tasks/", params=params).raise_for_status().json()["tasks"]
        for task in tasks[:4]:
            path = f"/api/annotations/{task['annotations'][0]['id']}"
            self.web.patch(path, json={"result": [chosen("stance", "none")]}).raise_for_status()
        for task in tasks[4:6]:
            path = f"/api/tasks/{task['id']}/annotations/"
            self.web.post(path, json={"result": [chosen("stance", "against")]}).raise_for_status()
        for task in tasks[6:8]:
            self.web.delete(f"/api/annotations/{task['annotations'][0]['id']}").raise_for_status()
        for task in tasks[8:10]:
            self.web.delete(f"/api/tasks/{task['id']}").raise_for_status()


if __name__ == "__main__":
    main()
