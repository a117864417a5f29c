"""The examples of docs/model-elsewhere.md run as they stand, the second one without stance."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPO

BLOCKS = re.findall(r"```python\n(.*?)```", (REPO / "docs" / "model-elsewhere.md").read_text("utf-8"), re.S)


def test_the_page_has_two_examples() -> None:
    assert [block.splitlines()[0] for block in BLOCKS] == ["import stance", "import json"]


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished / "work" / "model", tmp_path / "work" / "model")
    return tmp_path


def test_an_example_prints_labels_and_probabilities(folder: Path) -> None:
    for block in BLOCKS:
        code = f"{block}\nimport sys\nprint('LOADED', *sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        printed, loaded = done.stdout.split("LOADED")
        assert "favor" in printed
        assert "0." in printed
        if block is BLOCKS[1]:
            names = {name.split(".")[0] for name in loaded.split()}
            assert not names & {"stance", "corpus", "labeling", "train", "release"}


def test_both_ways_give_the_same_labels(folder: Path) -> None:
    lines = []
    for block in BLOCKS:
        shown = re.sub(r"print\((\w+)\.predict\(texts\)\)", r"print('LABELS', *\1.predict(texts))", block)
        done = subprocess.run([sys.executable, "-c", shown], cwd=folder, capture_output=True, text=True, check=True)
        lines.append(next(line for line in done.stdout.splitlines() if line.startswith("LABELS")))
    assert lines[0] == lines[1]
