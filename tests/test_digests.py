"""Digests of the code follow imports: no module that matters is left out, whichever folder it lies in."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus import digests
from corpus.digests import code_digest, modules_behind
from tests.conftest import REPO


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package in which `a` imports `b` at once, `inner.c` in a function, and `d` for type checkers alone."""
    for name, text in {
        "corpus/__init__.py": "",
        "corpus/a.py": (
            "from typing import TYPE_CHECKING\nfrom corpus import b\n"
            "if TYPE_CHECKING:\n    from corpus.d import D\n"
            "def f():\n    from corpus.inner.c import g\n    return g\n"
        ),
        "corpus/b.py": "import json\n",
        "corpus/inner/__init__.py": "",
        "corpus/inner/c.py": "import corpus.inner.e\n",
        "corpus/inner/e.py": "",
        "corpus/d.py": "class D: ...\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(digests, "ROOT", tmp_path)
    modules_behind.cache_clear()
    yield tmp_path
    modules_behind.cache_clear()


def test_imports_are_followed_into_functions_and_sub_packages(package: Path) -> None:
    names = ["corpus", "corpus.a", "corpus.b", "corpus.inner", "corpus.inner.c", "corpus.inner.e"]
    assert list(modules_behind("corpus.a")) == names


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"corpus\.nothing is not one of our modules"):
        modules_behind("corpus.nothing")
    with pytest.raises(ModuleNotFoundError, match="json is not one of our modules"):
        modules_behind("json")


@pytest.mark.parametrize("name", ["a.py", "b.py", "inner/c.py", "inner/e.py", "inner/__init__.py"])
def test_an_edit_of_any_module_that_runs_changes_the_digest(package: Path, name: str) -> None:
    before = code_digest(["corpus.a"], ["pyarrow"])
    modules_behind.cache_clear()
    path = package / "corpus" / name
    path.write_text(path.read_text() + "# another rule\n")
    assert code_digest(["corpus.a"], ["pyarrow"]) != before


def test_an_edit_elsewhere_changes_no_digest(package: Path) -> None:
    before = code_digest(["corpus.a"], ["pyarrow"])
    (package / "corpus" / "d.py").write_text("# another type\n")
    (package / "corpus" / "new.py").write_text("# a module that nobody imports\n")
    assert code_digest(["corpus.a"], ["pyarrow"]) == before
    assert code_digest(["corpus.a"], []) != before


def test_a_library_that_may_be_missing_counts_and_so_does_its_absence(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = code_digest(["corpus.a"], [], ["no-such-library"])
    assert absent != code_digest(["corpus.a"], [])
    monkeypatch.setattr(digests, "version", lambda name: "1.0")
    assert code_digest(["corpus.a"], [], ["no-such-library"]) != absent


WORK = """
import sys, msgspec
from pathlib import Path
folder = Path(sys.argv[1])
(folder / "news").mkdir()
(folder / "news" / "a.txt").write_text("The mayor slept on Monday. It rained all day in the town.")
(folder / "news" / "b.html").write_text("<html><p>The mayor slept on Monday. It rained all day.</p></html>")
(folder / "news" / "c.csv").write_text("id,text\\n1,The mayor slept on Monday. It rained all day.\\n")
from corpus.records import CorpusSettings
{use}
print("LOADED", *sorted(name for name in sys.modules if name.partition(".")[0] in ("corpus", "labeling", "train")))
"""
CUT = """
from corpus.shards import cut_shards, make_shard, plan
shards = plan([folder / "news"], folder / "out", CorpusSettings())
(folder / "shards").mkdir()
assert cut_shards(shards, folder / "shards", [], CorpusSettings(), lambda jobs: map(make_shard, jobs), print)
"""
BUILD = """
from corpus.build import build
build([folder / "news"], folder / "out", CorpusSettings(), workers=1)
"""


@pytest.mark.parametrize(("use", "module"), [(CUT, "corpus.shards"), (BUILD, "corpus.build")])
def test_all_that_a_run_loads_is_behind_its_module(use: str, module: str, tmp_path: Path) -> None:
    code = WORK.replace("{use}", use)
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPO)
    loaded = set(done.stdout.rsplit("LOADED", 1)[1].split())
    assert module in loaded
    assert loaded <= modules_behind(module).keys()


def test_scoring_covers_who_judges_and_not_the_hub() -> None:
    scoring, archive = modules_behind("train.archive.score_shards"), modules_behind("train.archive.predict_archive")
    assert {
        "train.predict.judge",
        "train.model.tfidf_logistic",
        "train.model.mask",
        "train.model.files",
    } <= scoring.keys()
    assert (
        scoring.keys() | {"train.archive.score_tables", "train.archive.hive_files", "train.report.svg_plots"}
        <= archive.keys()
    )
    assert not [name for name in archive if "hub" in name or "card" in name or "publish" in name]


def test_executors_are_sent_what_they_run(tmp_path: Path) -> None:
    from corpus.spark_session import _package

    with zipfile.ZipFile(_package(tmp_path, ["train.archive.score_shards"])) as archive:
        sent = set(archive.namelist())
    assert {
        "corpus/__init__.py",
        "corpus/shards.py",
        "corpus/sentences/split.py",
        "train/archive/score_shards.py",
    } <= sent
    assert not [name for name in sent if "hub" in name]
