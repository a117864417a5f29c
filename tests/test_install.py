"""What a user installs: the wheel, by pip and by uv, in an environment that holds nothing else."""

from __future__ import annotations

import ast
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import REPO

PACKAGES = ("stance", "stance_command.py", "corpus", "labeling", "train", "release")
PYTHONS = ("3.11", "3.12", "3.13")
PROSE = (
    "The council of Lake Harbor voted on Monday to close the old bridge after weeks of debate among its members.",
    "Mayor Ruth Dane said the bridge had been unsafe since a storm in March and that repairs would cost too much.",
    "Opponents argued that the detour would add forty minutes to every trip and hurt the fishing trade.",
)


def _declared(*extras: str) -> set[str]:
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {_normal(re.split(r"[\s\[<>=!~;]", line, maxsplit=1)[0]) for line in lines}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imports(*folders: str) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        place = REPO / folder
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    yield from ((path, alias.name.split(".")[0]) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield path, node.module.split(".")[0]


@pytest.mark.parametrize(
    ("folders", "extras"),
    [(PACKAGES, ("spark",)), (("tests", "seeds"), ("spark", "test"))],
    ids=["packages", "tests"],
)
def test_every_library_that_is_imported_is_declared(folders: tuple[str, ...], extras: tuple[str, ...]) -> None:
    ours = {Path(package).stem for package in PACKAGES} | {"tests", "benchmarks", "seeds"}
    declared, homes = _declared(*extras), packages_distributions()
    optional = {"atheris"}  # tests/fuzz_read.py is run by hand, and says how to install it
    undeclared = {
        f"{path.relative_to(REPO)}: {name}"
        for path, name in _imports(*folders)
        if name not in ours | optional | set(sys.stdlib_module_names)
        and not {_normal(home) for home in homes.get(name, [name])} & declared
    }
    assert not undeclared


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=REPO)
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.slow
def test_a_wheel_that_plain_pip_installs_reads_every_kind_of_input(wheel: Path, tmp_path: Path) -> None:
    # The pip that CPython brings: older ones find no extra that is spelt with an underscore.
    _run(_interpreter("3.11") or sys.executable, "-m", "venv", str(tmp_path / "bare"), cwd=tmp_path)
    _run(str(tmp_path / "bare/bin/python"), "-m", "pip", "install", "--quiet", str(wheel), cwd=tmp_path)
    _check_reading(tmp_path)


@pytest.mark.slow
def test_a_wheel_that_uv_installs_reads_every_kind_of_input_on_every_python(
    wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    lacking = []
    for version in PYTHONS:
        interpreter = _interpreter(version)
        if interpreter is None:
            lacking.append(version)
            continue
        folder = tmp_path / version
        folder.mkdir()
        _run(uv, "venv", "--quiet", "--python", interpreter, str(folder / "bare"), cwd=folder)
        _run(uv, "pip", "install", "--quiet", "--python", str(folder / "bare/bin/python"), str(wheel), cwd=folder)
        _check_reading(folder)
    assert len(lacking) < len(PYTHONS)
    if lacking:
        with capsys.disabled():
            print(f"\nnot tried, since this machine has no Python {', '.join(lacking)}")  # noqa: T201


def _interpreter(version: str) -> str | None:
    """A Python of this version that runs: the one on the path, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
    for path in filter(None, found):
        done = subprocess.run([path, "--version"], capture_output=True, text=True)
        if done.stdout.startswith(f"Python {version}."):
            return path
    return None


def _check_reading(folder: Path) -> None:
    """Every kind of input, read by the command that is installed there, away from the clone."""
    news = folder / "news"
    news.mkdir()
    text = "\n\n".join(PROSE)
    page = f"<html><head><title>T</title></head><body><article><p>{'</p><p>'.join(PROSE)}</p></article></body></html>"
    (news / "a.txt").write_text(text, "utf-8")
    (news / "b.html").write_text(page, "utf-8")
    (news / "c.jsonl").write_text(json.dumps({"id": "c", "text": text}) + "\n", "utf-8")
    (news / "d.csv").write_text(f'id,text\nd,"{text}"\n', "utf-8")
    pq.write_table(pa.table({"id": ["e"], "text": [text]}), news / "e.parquet")
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}"
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: f\r\nContent-Length: {len(block)}\r\n\r\n"
    (news / "f.warc.gz").write_bytes(gzip.compress(f"{head}{block}\r\n\r\n".encode()))
    said = _run(str(folder / "bare/bin/stance"), "build", "news", "--strict", cwd=folder)
    assert "6 articles (6 newly cut), 18 sentences" in said
    rows = pq.read_table(folder / "work" / "articles.parquet").to_pylist()
    assert sorted(row["article_id"] for row in rows) == ["c", "d", "e", "f", "news/a", "news/b"]


def _run(*command: str, cwd: Path) -> str:
    """A command as a stranger runs it: nothing of this clone is on its path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=kept)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
