"""The starter corpus as a project of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import ConfigError
from release.contents.proof import prove
from tests.conftest import Run
from train.settings import read_settings
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


def test_the_demos_codebook_can_be_in_a_release_without_text(tmp_path: Path) -> None:
    write_starter(tmp_path)
    Run(tmp_path)("build")
    rows = pq.read_table(tmp_path / "work" / "articles.parquet").to_pylist()
    articles = {row["article_id"]: f"{row['title'] or ''}\n{row['text']}" for row in rows}
    (tmp_path / "release").mkdir()
    shutil.copy(tmp_path / "docs" / "codebook.md", tmp_path / "release")
    target = read_settings(tmp_path, required=True).target.name
    pq.write_table(pa.table({"target": [target]}), tmp_path / "release" / "gold.parquet")
    assert prove(tmp_path / "release", articles).articles == len(articles) == 30
