"""Give recorded answers to a server through its API, as the people who gave them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from corpus.errors import StudioError
from corpus.store import read_jsonl
from labeling.records import Annotation
from labeling.studio.answers import result
from labeling.studio.client import ANSWERS, Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import sign_up

THREADS = 8
"""Number of threads: 8 give 20 answers a second, one gives 6 (SQLite, two cores)."""
ROUNDS = 3


def replay(owner: Studio, server: Server, title: str, path: Path, progress: Callable[..., None]) -> int:
    """Give every recorded answer that the server lacks, each as its annotator.

    Under load, the server may fail a request although it kept the answer. So what it holds is read before each of up to
    three rounds, and nothing is sent twice.

    Args:
        owner: a conversation with the server as its owner.
        server: the server, one that `labeling.studio.local_server` made: accounts can be made there.
        title: title of the project.
        path: file of recorded annotations, one per line.
        progress: function that is called first with the number of answers, then with each one given.

    Returns:
        Number of answers that were given.

    Raises:
        StudioError: there is no such project, or answers still fail in the last round.
    """
    recorded = read_jsonl(path, Annotation, "git clone")
    project = owner.find_project(title)
    if project is None:
        raise StudioError(f"{server.url} has no project with the title {title!r}")
    emails = {name: f"{name}@stance.example" for name in sorted({row.annotator for row in recorded})}
    missing = _missing(owner, project.id, recorded, emails)
    given = 0
    if not missing:
        return given
    with ExitStack() as stack:
        speakers: dict[str, Studio] = {}
        for name, email in emails.items():
            key = sign_up(server, email, _password(server, name))
            speakers[name] = stack.enter_context(Studio(Server(url=server.url, api_key=key)))
        pool = ThreadPoolExecutor(THREADS)
        # Left as a context, the pool would wait for the answers under way: two minutes each, if the server is stuck.
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        for _ in range(ROUNDS):
            progress(0, len(missing))
            for done in pool.map(lambda job: _give(speakers[job[1].annotator], *job), missing):
                given += done
                progress(int(done))
            missing = _missing(owner, project.id, recorded, emails)
            if not missing:
                return given
    raise StudioError(f"{server.url} did not take {len(missing)} of {len(recorded)} answers; run the demo again")


def _missing(
    owner: Studio, project_id: int, recorded: list[Annotation], emails: dict[str, str]
) -> list[tuple[int, Annotation]]:
    accounts = owner.accounts()
    tasks = owner.tasks(project_id, ANSWERS)
    at = {str(task.data["sentence_id"]): task.id for task in tasks}
    held = {
        (task.data["sentence_id"], accounts.get(answer["completed_by"]))
        for task in tasks
        for answer in task.annotations
    }
    return [
        (at[row.sentence_id], row)
        for row in recorded
        if row.sentence_id in at and (row.sentence_id, emails[row.annotator]) not in held
    ]


def _give(speaker: Studio, task_id: int, row: Annotation) -> bool:
    try:
        speaker.answer(task_id, result(row), seconds=row.seconds)
    except StudioError:
        return False  # the next round shows whether the server kept it
    return True


def _password(server: Server, name: str) -> str:
    """The account's password, derived from the owner's, so that an interrupted run can log in again."""
    return hashlib.sha256(f"{server.password}:{name}".encode()).hexdigest()[:24]
