"""What a user installs: the wheel, by pip and by uv, in an environment that holds nothing else."""

from __future__ import annotations

import ast
import email
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
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


EXTRAS = ("spark", "documents", "llm", "embeddings")


@pytest.mark.parametrize(
    ("folders", "extras"),
    [(PACKAGES, EXTRAS), (("tests", "seeds"), (*EXTRAS, "test"))],
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
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the wheel and the sdist, built as a release builds them: the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder), cwd=REPO)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as packed:
        packed.extractall(folder / "unpacked", filter="data")
    (clone,) = (folder / "unpacked").iterdir()
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=clone)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.mark.slow
def test_the_wheel_holds_the_packages_and_the_starter_corpus_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if not name.endswith("/")}
        info = f"{wheel.name.split('-py3')[0]}.dist-info"
        about = email.message_from_bytes(packed.read(f"{info}/METADATA"))
        assert (
            packed.read(f"{info}/entry_points.txt").split() == b"[console_scripts] stance = stance_command:main".split()
        )
    tracked = {Path(name) for name in _run("git", "ls-files", cwd=REPO).splitlines()}
    expected = {path.as_posix() for path in tracked if path.parts[0] in PACKAGES}
    starter = {"stance.toml", *(f"docs/{path.name}" for path in (REPO / "docs").glob("*.md"))}
    starter |= {path.as_posix() for path in tracked if path.parts[0] == "seeds"}
    expected |= {f"stance_starter/{name}" for name in starter}
    made = {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert names == expected | made
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    assert (about["Name"], about["Version"]) == (project["name"], project["version"])
    assert about["Requires-Python"] == ">=3.11"
    assert about["License-Expression"] == "Apache-2.0"
    assert set(about.get_all("Provides-Extra", [])) == {*project["optional-dependencies"]}
    assert about["Description-Content-Type"] == "text/markdown"
    assert about.get_payload() == (REPO / "README.md").read_text("utf-8")
    for version in PYTHONS:
        assert f"Programming Language :: Python :: {version}" in about.get_all("Classifier", [])


@pytest.mark.slow
def test_the_sdist_holds_what_a_clone_holds(built: Path) -> None:
    (source,) = built.glob("*.tar.gz")
    with tarfile.open(source) as packed:
        names = {Path(*Path(name).parts[1:]).as_posix() for name in packed.getnames()}
    tracked = {name for name in _run("git", "ls-files", cwd=REPO).splitlines() if not name.startswith(".ci/")}
    assert names == tracked | {"PKG-INFO"}


def _interpreter(version: str) -> str | None:
    """A Python of this version that runs: the one on the path, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
    for path in filter(None, found):
        done = subprocess.run([path, "--version"], capture_output=True, text=True)
        if done.stdout.startswith(f"Python {version}."):
            return path
    return None


FOUND = {version: path for version in PYTHONS if (path := _interpreter(version))}
"""The Pythons of this machine that stance is for."""
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def untried(capsys: pytest.CaptureFixture[str]) -> None:
    """Say aloud which Pythons this machine lacks."""
    if lacking := [version for version in PYTHONS if version not in FOUND]:
        with capsys.disabled():
            print(f"\nnot tried, since this machine has no Python {', '.join(lacking)}")  # noqa: T201


@pytest.mark.slow
def test_a_wheel_that_plain_pip_installs_does_what_the_clone_does(wheel: Path, tmp_path: Path) -> None:
    _run(FOUND[THIS], "-m", "venv", str(tmp_path / "bare"), cwd=tmp_path)
    _run(str(tmp_path / "bare/bin/python"), "-m", "pip", "install", "--quiet", str(wheel), cwd=tmp_path)
    _check_reading(tmp_path)
    _check_demo(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("untried")
@pytest.mark.parametrize("version", FOUND)
def test_a_wheel_that_uv_installs_reads_every_kind_of_input(version: str, wheel: Path, tmp_path: Path) -> None:
    uv, python = str(Path(sys.executable).with_name("uv")), str(tmp_path / "bare/bin/python")
    _run(FOUND[version], "-m", "venv", str(tmp_path / "bare"), cwd=tmp_path)
    by_pip = _by_pip(python, wheel, tmp_path)
    _run(uv, "pip", "install", "--quiet", "--python", python, str(wheel), cwd=tmp_path)
    listed = json.loads(_run(uv, "pip", "list", "--quiet", "--format", "json", "--python", python, cwd=tmp_path))
    installed = {(_normal(one["name"]), one["version"]) for one in listed}
    assert {row for row in installed if row[0] not in {"pip", "setuptools"}} <= by_pip <= installed
    _check_reading(tmp_path)


def _by_pip(python: str, wheel: Path, folder: Path) -> set[tuple[str, str]]:
    """What pip would install here, by name and version, without the minutes that installing takes.

    It is the pip that CPython brings: older ones find no extra that is spelt with an underscore.
    """
    report = folder / "report.json"
    _run(python, "-m", "pip", "install", "--quiet", "--dry-run", "--report", str(report), str(wheel), cwd=folder)
    found = [one["metadata"] for one in json.loads(report.read_bytes())["install"]]
    return {(_normal(one["name"]), one["version"]) for one in found}


def _check_demo(folder: Path) -> None:
    """Every step, from the invented articles to the report, with a Label Studio in an environment of its own."""
    stance = str(folder / "bare/bin/stance")
    studio = folder / "data" / "stance" / "label-studio"
    studio.parent.mkdir(parents=True)
    project = folder / "demo"
    project.mkdir()
    # Nothing of the clone is at hand, and nothing is installed without being asked for.
    refused = subprocess.run([stance, "serve"], cwd=project, capture_output=True, text=True, env=_bare(folder))
    assert refused.returncode == 1
    assert "stance serve --install" in refused.stderr
    assert not list(studio.parent.iterdir())
    studio.symlink_to(REPO / ".venv-studio")
    said = _run(stance, "demo", cwd=project, data=folder)
    assert "936 sentences in 30 articles" in said
    assert "done. Look at work/report.html" in said
    assert "936 sentences predicted" in said
    opened = 'from datasets import load_dataset; print(load_dataset("./work/dataset", "gold")["train"].num_rows)'
    assert int(_run(str(folder / "bare/bin/python"), "-c", opened, cwd=project, data=folder)) > 500
    assert _run(stance, "report", cwd=project, data=folder).startswith("unchanged: work/report.html\n")
    assert "936 sentences in 30 articles" in _run(stance, cwd=project, data=folder)
    checked = _run(stance, "doctor", cwd=project, data=folder)
    assert f"Label Studio: {studio / 'bin' / 'label-studio'}" in checked
    assert "pip install 'stance-corpus[spark]'` adds it" in checked
    assert "everything that was made is up to date" in checked
    with subprocess.Popen(
        [stance, "serve"], cwd=project, stdout=subprocess.PIPE, text=True, env=_bare(folder)
    ) as serving:
        assert serving.stdout is not None
        try:
            assert serving.stdout.readline().startswith("Label Studio is at http://127.0.0.1:")
        finally:
            serving.terminate()
            serving.wait(timeout=60)


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
    assert "18 sentences in 6 articles of 1 group: " in said
    rows = pq.read_table(folder / "work" / "articles.parquet").to_pylist()
    assert sorted(row["article_id"] for row in rows) == ["c", "d", "e", "f", "news/a", "news/b"]


def _run(*command: str, cwd: Path, data: Path | None = None) -> str:
    """A command as a stranger runs it: nothing of this clone is on its path."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=_bare(data))
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _bare(data: Path | None = None) -> dict[str, str]:
    """The environment without what leads to this clone, with the folder of the user's data, if one is given."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "LABEL_"))
    }
    if data is not None:
        kept |= {"XDG_DATA_HOME": str(data / "data"), "HOME": str(data), "PATH": "/usr/bin:/bin"}
    return kept
