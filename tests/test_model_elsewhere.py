"""The examples of docs/model-elsewhere.md run as they stand, the second one without stance."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import REPO

BLOCKS = re.findall(r"```python\n(.*?)```", (REPO / "docs" / "model-elsewhere.md").read_text("utf-8"), re.S)


def test_the_page_has_two_examples() -> None:
    assert [block.splitlines()[0] for block in BLOCKS] == ["import stance", "import json"]


class Printed(NamedTuple):
    """What an example prints, the modules that it loads, and the labels that its model gives."""

    text: str
    loaded: list[str]
    labels: list[str]


@pytest.fixture(scope="module")
def printed(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Printed]:
    """Each example, run once with the model of the finished project."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(finished / "work" / "model", folder / "work" / "model")
    found = []
    for block in BLOCKS:
        (model,) = re.findall(r"print\((\w+)\.predict\(texts\)\)", block)
        more = f"import sys\nprint('LOADED', *sys.modules)\nprint('LABELS', *{model}.predict(texts))"
        done = subprocess.run([sys.executable, "-c", f"{block}\n{more}"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        text, rest = done.stdout.split("LOADED")
        loaded, labels = rest.split("LABELS")
        found.append(Printed(text, loaded.split(), labels.split()))
    return found


def test_an_example_prints_labels_and_probabilities(printed: list[Printed]) -> None:
    for one in printed:
        assert "favor" in one.text
        assert "0." in one.text
    names = {name.split(".")[0] for name in printed[1].loaded}
    assert not names & {"stance", "corpus", "labeling", "train", "release"}


def test_both_ways_give_the_same_labels(printed: list[Printed]) -> None:
    assert printed[0].labels
    assert printed[0].labels == printed[1].labels
