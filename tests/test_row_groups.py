"""Joining row groups: the bytes are those that one writer writes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.rebuild.row_groups import Part, join
from tests.support.examples import examples

SCHEMA = pa.schema([("text", pa.string()), ("number", pa.int64()), ("flag", pa.bool_()), ("share", pa.float64())])
row = st.tuples(st.none() | st.text(max_size=8), st.none() | st.integers(-9, 9), st.none() | st.booleans(), st.floats())
group = st.lists(row, max_size=6)


def _write(path: Path, groups: list[list[tuple[object, ...]]]) -> None:
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for rows in groups:
            columns = [[one[n] for one in rows] for n in range(len(SCHEMA))]
            writer.write_table(pa.table(columns, schema=SCHEMA))


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(st.tuples(st.booleans(), group), min_size=1, max_size=20))
def test_row_groups_of_two_files_are_joined_as_one_writer_writes_them(
    tmp_path_factory: pytest.TempPathFactory, groups: list[tuple[bool, list[tuple[object, ...]]]]
) -> None:
    folder = tmp_path_factory.mktemp("joined")
    for wanted in (False, True):
        _write(folder / str(wanted), [rows for which, rows in groups if which is wanted])
    seen = {False: 0, True: 0}
    parts = []
    for which, _ in groups:
        parts.append(Part(folder / str(which), seen[which], seen[which] + 1))
        seen[which] += 1
    join(parts, folder / "joined")
    _write(folder / "whole", [rows for _, rows in groups])
    assert (folder / "joined").read_bytes() == (folder / "whole").read_bytes()


def test_many_neighbouring_row_groups_of_a_large_file_are_one_part(tmp_path: Path) -> None:
    groups: list[list[tuple[object, ...]]] = [[(f"{n} {m}", m, True, 0.5) for m in range(900)] for n in range(40)]
    _write(tmp_path / "old", groups)
    _write(tmp_path / "new", [[("one", 1, None, 1.5)]])
    join([Part(tmp_path / "old", 0, 17), Part(tmp_path / "new", 0, 1), Part(tmp_path / "old", 18, 40)], tmp_path / "j")
    groups[17] = [("one", 1, None, 1.5)]
    _write(tmp_path / "whole", groups)
    assert (tmp_path / "j").read_bytes() == (tmp_path / "whole").read_bytes()


def test_what_is_no_parquet_file_or_too_short_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("Not a table at all.")
    with pytest.raises(ValueError, match="not a Parquet file"):
        join([Part(tmp_path / "text", 0, 1)], tmp_path / "j")
    _write(tmp_path / "old", [[("one", 1, True, 1.0)]])
    with pytest.raises(ValueError, match="has 1 row groups; expected 2"):
        join([Part(tmp_path / "old", 0, 2)], tmp_path / "j")
