"""The command runs our code, whatever files of the same names lie in the folder that it is typed in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import write_news

SCRIPT = [str(Path(sys.executable).with_name("stance"))]
MODULE = [sys.executable, "-m", "stance"]
TRAP = "import pathlib\npathlib.Path(__file__).with_name('executed').touch()\nraise SystemExit('the wrong one')\n"


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """A project with files that are named as our packages, and as libraries of ours."""
    write_news(tmp_path / "news")
    (tmp_path / "stance.toml").write_text('[corpus]\nroot = "news"\n[target]\nname = "sending instructors"\n')
    names = ["train.py", "labeling.py", "click.py", "msgspec.py", "joblib.py", "signal.py", "pyarrow.py"]
    for name in [*names, "corpus/__init__.py", "release/__init__.py"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TRAP)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "python_path"), [(SCRIPT, "."), (SCRIPT, ""), (SCRIPT, "here"), (MODULE, None), (MODULE, ".")]
)
def test_nothing_of_the_users_folder_is_executed(start: list[str], python_path: str | None, trapped: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if start is SCRIPT:
        (trapped / "stance.py").write_text(TRAP)
    if python_path is not None:
        environment["PYTHONPATH"] = str(trapped) if python_path == "here" else f"{python_path}{os.pathsep}{python_path}"
    for command in (["build", "news", "--workers", "2"], ["status"], ["train"]):
        done = subprocess.run([*start, *command], cwd=trapped, env=environment, capture_output=True, text=True)
        assert not list(trapped.rglob("executed")), done.stderr
        if command == ["train"]:
            assert "verdicts.jsonl is not there: run `stance adjudicate` first" in done.stderr
        else:
            assert done.returncode == 0, done.stderr
