"""Tables are read by column and row, part by part, and give what reading everything would give."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import tables
from corpus.errors import TableError
from corpus.store import table_path, write_table
from corpus.tables import read_table, strings, table_parts, truths
from labeling.copy_groups import read_groups
from labeling.sampling.pool import digest, first_by_digest
from labeling.sampling.sample_table import SAMPLE, Draw, write_sample
from labeling.studio.tasks import Corpus
from tests.support.corpora import corpus_of

SCHEMA = pa.schema([("key", pa.string()), ("number", pa.int64())])


@given(
    st.lists(st.tuples(st.text("abc", max_size=2), st.integers(0, 9)), max_size=40),
    st.sets(st.text("abcd", max_size=2)),
    st.integers(1, 9),
    st.integers(1, 9),
)
@settings(deadline=None)
def test_rows_are_those_of_the_whole_table_in_its_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]], asked: set[str], group: int, part: int
) -> None:
    path = tmp_path_factory.mktemp("tables") / "t.parquet"
    table = pa.table([[key for key, _ in rows], [n for _, n in rows]], schema=SCHEMA)
    pq.write_table(table.append_column("more", [["x"] * len(rows)]), path, row_group_size=group)
    numbers = pa.schema([SCHEMA.field("number")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "PART", part)
        assert read_table(path, SCHEMA, "").equals(table)
        found = read_table(path, numbers, "", ("key", asked))
        assert found.schema == numbers
        assert found["number"].to_pylist() == [n for key, n in rows if key in asked]
        sizes = [len(one) for one in table_parts(path, SCHEMA, "")]
    assert all(part <= size < part + group for size in sizes[:-1])


def test_a_row_group_without_such_a_row_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pa.table([[f"k{n}" for n in range(100)], list(range(100))], schema=SCHEMA)
    pq.write_table(rows, tmp_path / "t.parquet", row_group_size=10)
    read: list[tuple[list[int], list[str]]] = []
    columns = tables._columns

    def watched(file: pq.ParquetFile, groups: list[int], names: list[str]) -> pa.Table:
        read.append((groups, names))
        return columns(file, groups, names)

    monkeypatch.setattr(tables, "_columns", watched)
    assert read_table(tmp_path / "t.parquet", SCHEMA, "", ("key", ["k42"]))["number"].to_pylist() == [42]
    assert read == [(list(range(10)), ["key"]), ([4], ["key", "number"])]


def test_a_missing_column_to_ask_by_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"number": [1]}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match=r"found: .*no column key.*run `make` again"):
        read_table(tmp_path / "t.parquet", pa.schema([SCHEMA.field("number")]), "make", ("key", ["k"]))


@given(st.lists(st.text(), max_size=20))
def test_strings_are_those_of_arrow(values: list[str]) -> None:
    values = [value.encode("utf-8", "ignore").decode() for value in values]
    assert strings(values).equals(pa.array(values, pa.string()))


@given(st.lists(st.lists(st.booleans(), max_size=20), max_size=4), st.integers(0, 5))
def test_truths_are_those_of_arrow_in_pieces_and_slices_too(pieces: list[list[bool]], start: int) -> None:
    column = pa.chunked_array(pieces, pa.bool_()).slice(start)
    assert truths(column).tolist() == column.to_pylist()


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1), st.data())
@settings(deadline=None, max_examples=40)
def test_groups_of_copies_are_those_of_the_whole_corpus(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], data: st.DataObject
) -> None:
    group = {id_: data.draw(st.sampled_from("xyz")) for id_ in ids}
    copy_of = {id_: min(other for other in ids if group[other] == group[id_]) for id_ in ids}
    asked = data.draw(st.sets(st.sampled_from("abcdefghz")))
    preferred = data.draw(st.sets(st.sampled_from("abcdefghz")))
    work = tmp_path_factory.mktemp("work")
    corpus = corpus_of(work, copy_of)
    found = read_groups(work, asked, by_article=True)
    here = asked & set(ids)
    assert found.copy_of == {id_: copy_of[id_] for id_ in here}
    assert found.article_of == dict.fromkeys(here | {copy_of[id_] for id_ in here}, "a")
    assert found.sizes == {name: list(copy_of.values()).count(name) for name in set(found.copy_of.values())}
    assert found.total == len(set(copy_of.values())) == found.first_copies["a"]
    stands = {
        name: min({id_ for id_ in ids if copy_of[id_] == name} & preferred, default=name) for name in copy_of.values()
    }
    assert corpus.chosen(preferred).to_pylist() == [id_ for id_ in ids if stands[copy_of[id_]] == id_]
    assert corpus.standing(asked, preferred) == {id_: stands[copy_of[id_]] for id_ in here}
    assert corpus.present(asked) == [id_ for id_ in ids if id_ in asked]
    assert [unit.sentence_id for unit in Corpus(work).units(corpus.chosen())] == [
        id_ for id_ in ids if copy_of[id_] == id_
    ]


@given(
    st.lists(st.one_of(st.text("abc019", min_size=1), st.text("a'é|\\", max_size=3)), unique=True), st.integers(0, 30)
)
def test_the_first_by_digest_are_the_first_of_all_sorted_by_digest(ids: list[str], count: int) -> None:
    wanted = sorted(ids, key=lambda id_: digest(3, 1, id_))[:count]
    assert first_by_digest(pa.chunked_array([strings(ids)]), count, 3, 1) == wanted


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.text("abc", max_size=3), st.sampled_from([None, 0.25, 1.0])), max_size=9))
def test_the_sample_has_the_bytes_that_arrow_gives_its_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float | None]]
) -> None:
    work = tmp_path_factory.mktemp("project") / "work"
    draws = [
        Draw(sentence_id=name, round=n + 1, by="random", probability=chance) for n, (name, chance) in enumerate(rows)
    ]
    write_sample(work, draws)
    expected = pa.Table.from_pylist([msgspec.structs.asdict(row) for row in draws], schema=SAMPLE)
    write_table(work / "expected.parquet", expected)
    assert table_path(work, "sample.parquet").read_bytes() == (work / "expected.parquet").read_bytes()
