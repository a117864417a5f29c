"""Run every command of `docs/tutorial.md`, write what they print into the page, and take the docs' pictures.

Run it with `python docs/run_tutorial.py`; the pictures need Chromium.

The tutorial's reader has a folder of articles, fills in the settings and the codebook, and lets three people label.
Here the articles, the codebook and the answers are those of the starter corpus.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

from corpus.store import read_jsonl
from labeling.records import Annotation
from labeling.studio.answers import result
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import running, sign_up

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(console|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = "Karsova tutorial"


def run(page: str, project: Path, server: Server) -> str:
    """The page with what its commands print now.

    Args:
        page: the page; blocks of "console" hold commands after "$ ", a block of "toml" holds settings.
        project: an empty folder; the commands are run in it.
        server: the Label Studio that the commands talk to.
    """
    copytree(ROOT / "seeds" / "articles", project / "news")
    parts: list[str] = []
    end = 0
    for block in BLOCK.finditer(page):
        parts.append(page[end : block.start()])
        end = block.end()
        if block.group(1) == "toml":
            _fill_in(project, block.group(2))
            parts.append(block.group())
        else:
            printed = "".join(_printed(command, project, server) for command in _commands(block.group(2)))
            parts.append(f"```console\n{printed}```")
    return "".join([*parts, page[end:]])


def _commands(block: str) -> Iterator[str]:
    return (line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ "))


def _fill_in(project: Path, settings: str) -> None:
    """Put the settings of the page into stance.toml, and the starter corpus' codebook beside it."""
    path = project / "stance.toml"
    text = path.read_text("utf-8")
    section = ""
    for line in settings.splitlines():
        if line.startswith("["):
            section = line
        elif line:
            key = line.split(" = ")[0]
            head, rest = text.split(f"{section}\n", 1)
            old = re.search(rf"^{key} = .*$", rest, re.MULTILINE)
            if old is None:
                raise RuntimeError(f"{path}: no key {key} in {section}")
            text = f"{head}{section}\n{rest[: old.start()]}{line}{rest[old.end() :]}"
    path.write_text(text, "utf-8")
    (project / "codebook.md").write_bytes((ROOT / "docs" / "codebook.md").read_bytes())


def _printed(command: str, project: Path, server: Server) -> str:
    """A command with what it prints, and what people do before it."""
    if command == "stance pull":
        with Studio(server) as owner:
            _answer(owner, server)
    stance = str(Path(sys.executable).with_name("stance"))
    environment = os.environ | {"LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.api_key}
    done = subprocess.run(
        [stance, *shlex.split(command)[1:]],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed: {done.stdout}")
    shown = done.stdout.replace(server.url, "http://127.0.0.1:8080")
    return f"$ {command}\n{shown}"


def _answer(owner: Studio, server: Server) -> None:
    """What the annotators do: the same tasks are imported again, with the recorded answers.

    Importing them takes seconds. Giving them one by one, as `stance demo` does, takes minutes.
    """
    answers: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    recorded = read_jsonl(ROOT / "seeds" / "annotations.jsonl", Annotation, "git clone")
    for name in sorted({row.annotator for row in recorded}):
        sign_up(server, f"{name}@stance.example", f"the password of {name}")
    for row in recorded:
        answer = {"completed_by": {"email": f"{row.annotator}@stance.example"}, "result": result(row)}
        answers[row.sentence_id].append(answer | {"was_cancelled": row.stance is None, "lead_time": row.seconds})
    project = owner.find_project(TITLE)
    if project is None:
        raise RuntimeError(f"no project is called {TITLE}: the title is the one that the page sets")
    tasks = owner.tasks(project.id)
    owner.remove_tasks(project.id, [task.id for task in tasks])
    data = [task.data for task in tasks]
    owner.import_tasks(project.id, [{"data": one, "annotations": answers[one["sentence_id"]]} for one in data])


if __name__ == "__main__":
    from take_pictures import take_pictures

    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        project = Path(folder) / "project"
        project.mkdir()
        PAGE.write_text(run(PAGE.read_text("utf-8"), project, server), "utf-8")
        take_pictures(project, Path(folder) / "pages", server)
