"""The files that no command can make again, and the folder that they lie in."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import TableError
from corpus.store import KEPT, move_kept, table_path
from tests.conftest import Run


def test_what_cannot_be_made_again_lies_beside_the_folder_work(tmp_path: Path) -> None:
    for name in KEPT:
        assert table_path(tmp_path / "work", name) == tmp_path / "labels" / name
    assert table_path(tmp_path / "work", "sentences.parquet") == tmp_path / "work" / "sentences.parquet"
    assert table_path(tmp_path / "tables", "annotations.jsonl") == tmp_path / "tables" / "annotations.jsonl"


def test_an_older_project_is_moved_over_once(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "annotations.jsonl").write_text("a\n")
    (work / "sample.parquet").write_text("b\n")
    (work / "sentences.parquet").write_text("c\n")
    assert move_kept(work) == ["annotations.jsonl", "sample.parquet"]
    assert move_kept(work) == []
    assert sorted(path.name for path in work.iterdir()) == ["sentences.parquet"]
    found = {path.name: path.read_text() for path in (tmp_path / "labels").iterdir()}
    assert found.pop("README.md").startswith("# What no command can make again")
    assert found == {"annotations.jsonl": "a\n", "sample.parquet": "b\n"}


def test_two_unlike_files_of_one_name_stop_the_move(tmp_path: Path) -> None:
    work, labels = tmp_path / "work", tmp_path / "labels"
    for folder, text in ((work, "old\n"), (labels, "new\n")):
        folder.mkdir()
        (folder / "annotations.jsonl").write_text(text)
    (work / "sample.parquet").write_text("b\n")
    with pytest.raises(TableError, match=r"both there and differ; .*labels/annotations.jsonl is the one that counts"):
        move_kept(work)
    assert (work / "sample.parquet").exists()
    assert (labels / "annotations.jsonl").read_text() == "new\n"
    (work / "annotations.jsonl").write_text("new\n")
    move_kept(work)
    assert not (work / "annotations.jsonl").exists()


def test_the_folder_work_can_be_deleted_and_made_again(stance: Run) -> None:
    import shutil

    stance("build", "news")
    stance("push", "--limit", "3", "--to", "tasks.json")
    before = (stance.project / "labels" / "sample.parquet").read_bytes()
    shutil.rmtree(stance.project / "work")
    stance("build", "news")
    stance("push", "--limit", "0", "--to", "tasks.json")
    assert (stance.project / "labels" / "sample.parquet").read_bytes() == before
