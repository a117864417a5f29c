"""The starter corpus as a project of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import ConfigError
from tests.conftest import Run
from train.starter import write_starter


def test_the_demos_project_holds_all_that_a_later_build_needs(tmp_path: Path) -> None:
    assert write_starter(tmp_path).name == "annotations.jsonl"
    assert "936 sentences in 30 articles" in Run(tmp_path)("build")
    # The report names the folder as stance.toml does: a report after the demo's own would differ otherwise.
    Run(tmp_path)("report")
    assert "seeds/articles" in (tmp_path / "work" / "report.html").read_text("utf-8")


def test_what_was_edited_in_the_demos_project_stays(tmp_path: Path) -> None:
    write_starter(tmp_path)
    edited = next((tmp_path / "seeds" / "articles" / "courier").glob("*.txt"))
    edited.write_text("Edited.")
    gone = next((tmp_path / "seeds" / "articles" / "cwa").glob("*.txt"))
    gone.unlink()
    write_starter(tmp_path)
    assert edited.read_text() == "Edited."
    assert gone.exists()


@pytest.mark.parametrize("name", ["seeds/articles/articles.csv", "docs/codebook.md", "stance.toml"])
def test_the_demo_touches_no_files_of_somebody_else(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match="run the demo in an empty folder"):
        write_starter(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / name).read_text() == "mine"
