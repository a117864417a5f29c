"""Files and folders are put into place whole or not at all, and read in one state."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from corpus.staging import made_once, put_in_place, remove_staged, staging, swap
from corpus.store import one_state, read_jsonl, write_jsonl, write_table
from corpus.tables import read_table
from labeling.records import Target


def _folder(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def _content(path: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in path.iterdir()}


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), made_once(tmp_path / "shard") as half:
        (_folder(half / "rows") / "missing" / "file").write_text("1")
    assert not any(tmp_path.iterdir())


def test_of_two_that_make_a_folder_the_first_is_kept(tmp_path: Path) -> None:
    with made_once(tmp_path / "shard") as late:
        (late / "rows").write_text("late")
        with made_once(tmp_path / "shard") as early:
            (early / "rows").write_text("early")
    assert _content(tmp_path / "shard") == {"rows": "early"}
    assert [path.name for path in tmp_path.iterdir()] == ["shard"]


def test_only_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    _folder(tmp_path / "shard", rows="1")
    _folder(tmp_path / "half.abc", rows="1")
    remove_staged(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["shard"]


@pytest.mark.parametrize(
    ("old", "changed"),
    [({"a": "1"}, False), ({"a": "2"}, True), ({"a": "1", "b": "1"}, True), ({}, True), (None, True)],
)
def test_a_folder_takes_the_place_of_another_one_unless_it_holds_the_same(
    tmp_path: Path, old: dict[str, str] | None, changed: bool
) -> None:
    if old is not None:
        _folder(tmp_path / "place", **old)
    with staging(tmp_path) as folder:
        assert put_in_place(_folder(folder / "new", a="1"), tmp_path / "place") is changed
    assert _content(tmp_path / "place") == {"a": "1"}
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_an_older_folder_comes_back_where_the_new_one_cannot_be_renamed(tmp_path: Path) -> None:
    _folder(tmp_path / "place", a="old")
    with staging(tmp_path) as folder, pytest.raises(FileNotFoundError):
        swap(folder / "missing", tmp_path / "place")
    assert _content(tmp_path / "place") == {"a": "old"}


def test_within_a_block_of_one_state_a_table_does_not_change(tmp_path: Path) -> None:
    schema = pa.schema([("a", pa.string()), ("b", pa.int64())])
    write_table(tmp_path / "t.parquet", pa.table({"a": ["x"], "b": [1]}, schema=schema))
    write_jsonl(tmp_path / "t.jsonl", [Target(name="x")])

    def read() -> tuple[list[str], list[int], list[str]]:
        first = read_table(tmp_path / "t.parquet", pa.schema([schema.field("a")]), "")
        second = read_table(tmp_path / "t.parquet", pa.schema([schema.field("b")]), "")
        lines = read_jsonl(tmp_path / "t.jsonl", Target, "")
        return first["a"].to_pylist(), second["b"].to_pylist(), [row.name for row in lines]

    with one_state():
        before = read()
        write_table(tmp_path / "t.parquet", pa.table({"a": ["y"], "b": [2]}, schema=schema))
        write_jsonl(tmp_path / "t.jsonl", [Target(name="y")])
        assert read() == before == (["x"], [1], ["x"])
    assert read() == (["y"], [2], ["y"])
