"""What the tests share: one real Label Studio for the session, a small project, the shared data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from labeling.connection import Server
from labeling.records import Annotation, Stance
from labeling.server import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPO = Path(__file__).parent.parent

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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With STANCE_NO_SKIPS a skipped test is a failure: CI has everything that a test can need."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("STANCE_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("STANCE_NO_SKIPS is set, and tests were skipped: that is a failure here")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


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
    with running(tmp_path_factory.mktemp("studio")) as server:
        yield server


@pytest.fixture(scope="session")
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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with three short articles; its title is its own, so tests share the server."""
    for name, text in NEWS.items():
        path = tmp_path / "news" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "stance.toml").write_text(
        f'[corpus]\nroot = "news"\n[labeling]\ntitle = "{tmp_path.name[-40:]}"\noverlap = 2\n'
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


class Run:
    """Commands as a user types them, in this process; a known error raises as it is."""

    def __init__(self, project: Path) -> None:
        self.project = project

    def __call__(self, *arguments: str) -> str:
        from stance import cli

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
