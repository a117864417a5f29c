"""What the tests share: one real Label Studio for the session, a small project, the shared data."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from httpx import create_ssl_context
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from corpus.store import table_path
from labeling.codebook import Change, Codebook
from labeling.records import Annotation
from labeling.scheme import Stance
from labeling.studio.connection import Server
from labeling.studio.local_server import running
from tests.support.studio import with_database, without_delay

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPO = Path(__file__).parent.parent

# An example may take as long as it likes: how long depends on what else the machine does. The examples are the same in
# every run, so that a change is judged by itself; HYPOTHESIS_PROFILE=random looks for new ones, and `few`, which
# `make test` uses, tries a third of them. Numbers of a test's own follow with `tests.support.examples`.
QUIET = hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("same", QUIET, derandomize=True)
hypothesis_settings.register_profile("few", QUIET, derandomize=True, max_examples=33)
hypothesis_settings.register_profile("random", QUIET)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

TARGET = "sending Western troops to Ukraine"
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
NEWS = {
    "gazette/visit": (
        "Minister visits the port\n\nBy Ada Lorne\n\n"
        "The minister of Brennia visited the port of Ostrel on Monday morning. "
        "She spoke with the dockers for an hour.\n\n"
        '"We will send instructors and nobody else," she said. "That is the whole of the plan."\n\n'
        "ADVERTISEMENT\n\nThe opposition called the visit a waste of public money. It wants a debate in the house.\n"
    ),
    "cwa/visit": (
        "OSTREL (CWA) - The minister of Brennia visited the port of Ostrel on Monday morning. "
        "Several ships lay idle in the harbour at the time.\n\n"
        '"We will send instructors and nobody else," she said.\n'
    ),
    "sentinel/bill": (
        "Senators argued over the aid bill until midnight. "
        "Sen. Bill Haskett refused to send a single soldier abroad.\n\n"
        "Others said that allies should go if they wish to. The vote was put off until Friday.\n"
    ),
}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Spare the garbage collector what is imported: it would go through it hundreds of times, to free nothing."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_unconfigure() -> None:
    """Let the interpreter free everything at its end, or extensions complain of leaks."""
    gc.unfreeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With STANCE_NO_SKIPS a skipped test is a failure: CI has everything that a test can need."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("STANCE_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("STANCE_NO_SKIPS is set, and tests were skipped: that is a failure here")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session", autouse=True)
def _without_waiting_for_the_disk() -> Iterator[None]:
    """No test is about computers that lose power: what a process has written outlives it without this."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _without_workers_unless_named() -> Iterator[None]:
    """Commands in this process start no worker processes, which takes them a second, unless a test names a number.

    Commands that tests start as programs still use every core.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("corpus.engine.os", SimpleNamespace(cpu_count=lambda: 1))
        yield


@pytest.fixture(scope="session", autouse=True)
def _without_reading_certificates_again() -> Iterator[None]:
    """Every client of the tests speaks plain HTTP, and httpx would read a hundred certificates for each of them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("httpx._transports.default.create_ssl_context", cache(create_ssl_context))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public test data that stays out of the repository."""
    folder = os.environ.get("STANCE_TEST_DATA")
    if not folder:
        pytest.skip("STANCE_TEST_DATA is not set: it names the folder of the public test data")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real Label Studio on SQLite, started once for the session."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("PYTHONPATH", str(without_delay(tmp_path_factory.mktemp("site"))))
            server = stack.enter_context(running(with_database(tmp_path_factory.mktemp("studio"))))
        yield server


# While it runs, its event loop is the thread's: tests of other modules could start none of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by playwright."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def write_news(folder: Path) -> None:
    """Write the three short articles as text files."""
    for name, text in NEWS.items():
        path = folder / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


@pytest.fixture(scope="session")
def news_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the three short articles, to copy: for tests that are not about how they are made."""
    folder = tmp_path_factory.mktemp("tables")
    write_news(folder / "news")
    Run(folder)("build", "news", "--workers", "1")
    return folder / "work"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with three short articles; its title is its own, so tests share the server."""
    write_news(tmp_path / "news")
    (tmp_path / "stance.toml").write_text(
        f'[target]\nname = "{TARGET}"\n[corpus]\nroot = "news"\n'
        f'[labeling]\ntitle = "{tmp_path.name[-40:]}"\noverlap = 2\n'
        '[publish]\nlicence = "cc0-1.0"\n',
        "utf-8",
    )
    (tmp_path / "codebook.md").write_text("# Codebook\n\nVersion 1.0\n", "utf-8")
    return tmp_path


@pytest.fixture
def stance(project: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a `stance` command in the project, against the session's server."""
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
    return Run(project)


@pytest.fixture
def annotating(project: Path, news_tables: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run commands in a project with a corpus, without a chat server in the environment."""
    shutil.copytree(news_tables, project / "work")
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return Run(project)


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client library wait milliseconds between its tries, not seconds."""
    import openai._base_client

    monkeypatch.setattr(openai._base_client, "INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr(openai._base_client, "MAX_RETRY_DELAY", 0.02)


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The project of `finished`, and the digest of each of its files."""
    project = tmp_path_factory.mktemp("finished")
    finish(project)
    return project, file_digests(project)


@pytest.fixture(scope="session")
def finished(_finished: tuple[Path, dict[str, str]]) -> Path:
    """A project that is labelled and trained, to read only: see `finish` and `_finished_stays`."""
    return _finished[0]


@pytest.fixture(scope="module")
def searched_once() -> Iterator[None]:
    """Trainings cross-validate their recipes once, not three times: for modules that train again and again."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("train.model.search.REPEATS", 1)
        yield


@pytest.fixture(autouse=True)
def _finished_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that writes into `finished` fails, since what it leaves there would change what other tests see."""
    yield
    if "_finished" not in request.fixturenames:
        return
    project, before = request.getfixturevalue("_finished")
    after = file_digests(project)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    for name in changed:
        if name not in before:
            (project / name).unlink()
    assert not changed, f"this test has written into the project that all tests share: {', '.join(changed)}"


def file_digests(folder: Path) -> dict[str, str]:
    """The digest of each file below a folder, by its path from there."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def finish(project: Path) -> None:
    """Make a project that is labelled and trained: 30 articles, two annotators who differ now and then."""
    import numpy as np

    from corpus.build import build
    from corpus.records import SENTENCES, CorpusSettings
    from corpus.store import write_bytes, write_jsonl
    from corpus.tables import read_table
    from labeling.adjudicate import adjudicate
    from labeling.records import LabelingSettings
    from labeling.scheme import DEFAULT
    from tests.support.labelled_texts import WORDS
    from train.examples.from_verdicts import from_verdicts
    from train.settings import TrainSettings
    from train.train_model import FromVerdicts, train

    random = np.random.default_rng(2)
    everything = [word for words in WORDS.values() for word in words]
    for n in range(30):
        lines = []
        for m in range(5):
            own = WORDS[DEFAULT.names[(n + m) % 3]]
            words = [*random.choice(own, 5), *random.choice(everything, 4), f"item{n}x{m}"]
            lines.append("Report: " + " ".join(words) + ".")
        if n in (3, 17):
            lines.append("Exactly the same sentence stands in two of the articles.")
        outlet = HOSTILE if n == 0 else "plain"
        write_bytes(project / "news" / f"{n:02}.txt", "\n\n".join(lines).encode())
        with (project / "news" / "articles.csv").open("a") as file:
            if n == 0:
                file.write("file,outlet,published\n")
            file.write(f'{n:02}.txt,"{outlet}",2031-03-{n + 1:02}\n')
    write_bytes(project / "codebook.md", b"# Codebook\n\nVersion 1.0\n")
    write_bytes(project / "stance.toml", b'[target]\nname = "a target <b>"\n[corpus]\nroot = "news"\n')
    work = project / "work"
    build([str(project / "news")], work, CorpusSettings(root=str(project / "news")))
    rows = read_table(work / "sentences.parquet", SENTENCES, "").to_pylist()
    answers: list[Annotation] = []
    for row in rows:
        if row["copy_id"] != row["sentence_id"]:
            continue
        kinds = [stance for stance in DEFAULT.names for word in row["text"].split() if word.strip(".") in WORDS[stance]]
        label = max(DEFAULT.names, key=kinds.count)
        other = "none" if random.random() < 0.1 else label
        answers += [vote(row["sentence_id"], "A1", label), vote(row["sentence_id"], "A2", other)]
    answers.append(vote(answers[0].sentence_id, "A3", None))
    write_jsonl(table_path(work, "annotations.jsonl"), answers)
    adjudicate(work, LabelingSettings())
    examples, splits = from_verdicts(work, "a target <b>", TrainSettings())
    train(examples, work / "model", TrainSettings(), project=FromVerdicts(work=work, splits=splits))


def copy_tables(work: Path, to: Path) -> None:
    """Copy a project's folder of tables, and what lies in `labels` beside it."""
    shutil.copytree(work, to)
    shutil.copytree(work.parent / "labels", to.parent / "labels")


def copy_project(project: Path, to: Path) -> Path:
    """Copy a project, as `finish` makes it, into a new folder; its articles stay where they are."""
    to.mkdir()
    copy_tables(project / "work", to / "work")
    for name in ("stance.toml", "codebook.md"):
        shutil.copy(project / name, to / name)
    return to


class Run:
    """Commands as a user types them, in this process; a known error raises as it is."""

    def __init__(self, project: Path) -> None:
        self.project = project

    def __call__(self, *arguments: str) -> str:
        from stance.command_line import cli

        here = Path.cwd()
        try:
            result: Result = CliRunner().invoke(cli, ["-C", str(self.project), *arguments], catch_exceptions=False)
        finally:
            os.chdir(here)
        assert result.exit_code == 0, result.output
        return result.output


def vote(sentence_id: str, annotator: str, stance: Stance | None, **more: object) -> Annotation:
    """An annotation with only what a test cares about."""
    return Annotation(sentence_id=sentence_id, annotator=annotator, stance=stance, **more)  # type: ignore[arg-type]


def book(version: str, *changes: Change) -> Codebook:
    """A codebook of this version, with only what a test cares about."""
    return Codebook(text=f"Version {version}\n", version=version, changes=changes)
