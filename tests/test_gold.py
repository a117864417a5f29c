"""Rows and their types: order, labels as numbers, sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import PublishError
from corpus.store import read_jsonl, write_jsonl
from labeling.records import Verdict
from labeling.scheme import DEFAULT
from release.contents.rows import ANNOTATION, GOLD, annotation_rows, encoded, features, gold_rows, parquet
from tests.conftest import copy_tables, vote
from train.examples.from_verdicts import read_examples

stances = st.sampled_from(DEFAULT.names)


def _row(**values: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(GOLD, "x") | {
        "start": 0,
        "end": 1,
        "label": "favor",
        "copy_of": None,
        "votes": [],
    }
    return row | values


@settings(deadline=None)  # the first example pays for loading the library
@given(st.lists(st.tuples(stances, st.lists(stances, max_size=3)), max_size=6))
def test_labels_come_back_as_they_went_in(labels: list[tuple[str, list[str]]]) -> None:
    rows = [
        _row(label=label, votes=[{"annotator": f"A{n}", "stance": one} for n, one in enumerate(votes)])
        for label, votes in labels
    ]
    kinds = features("gold")
    data, _ = parquet(encoded("gold", rows, kinds), kinds)
    back = pq.read_table(pa.BufferReader(data)).to_pylist()
    assert [
        (DEFAULT.names[row["label"]], [DEFAULT.names[vote["stance"]] for vote in row["votes"]]) for row in back
    ] == labels
    assert parquet(encoded("gold", rows, kinds), kinds)[0] == data


@pytest.mark.parametrize("label", ["pro", "Favor", "", None, 0, 3, -1])
def test_a_label_that_is_no_stance_never_becomes_a_number(label: object) -> None:
    for row in (_row(label=label), _row(votes=[{"annotator": "A1", "stance": label}])):
        with pytest.raises(PublishError, match=r"sentence x has the (label|votes) .* expected favor, against, none"):
            encoded("gold", [row], features("gold"))
    answer = dict.fromkeys(ANNOTATION, "x") | {"stance": label, "unsure": False, "seconds": 1.0}
    if label is None:
        assert encoded("annotations", [answer], features("annotations"))[0]["stance"] is None
    else:
        with pytest.raises(PublishError, match="expected favor, against, none"):
            encoded("annotations", [answer], features("annotations"))


def test_a_row_with_other_columns_is_refused() -> None:
    with pytest.raises(PublishError, match=r"expected the columns sentence_id, .*; found .*, more"):
        encoded("gold", [_row(more="x")], features("gold"))
    with pytest.raises(PublishError, match=r"expected the columns sentence_id, .*; found"):
        encoded("gold", [{"label": "favor"}], features("gold"))


@given(st.permutations([(key, who) for key in ("a", "b", "c") for who in ("A1", "A2")]))
def test_the_order_of_answers_does_not_matter(order: list[tuple[str, str]]) -> None:
    rows = annotation_rows(vote(key, who, "favor") for key, who in order)
    assert [(row["sentence_id"], row["annotator"]) for row in rows] == sorted(order)


def test_gold_rows_go_by_article_and_place(finished: Path) -> None:
    for rows in gold_rows(finished / "work", read_examples(finished / "work")).values():
        places = [(row["article_id"], row["start"]) for row in rows]
        assert len(places) > 3
        assert places == sorted(places)


def test_copies_have_the_label_of_the_settled_one_and_say_so(finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    copy_tables(finished / "work", work)
    examples = read_examples(work)
    copies = {row["copy_of"]: row for rows in gold_rows(work, examples).values() for row in rows if row["copy_of"]}
    ((settled, copy),) = copies.items()
    other: dict[str, Any] = {"sentence_id": copy["sentence_id"], "text": copy["text"]}
    for example in list(examples):
        if example.sentence_id == settled:
            assert (copy["label"], copy["group"]) == (example.label, example.group)
            examples.append(msgspec.structs.replace(example, **other))
    # Where people settled both, both stand for themselves.
    verdicts = read_jsonl(work / "verdicts.jsonl", Verdict, "")
    both = [row for row in verdicts if row.sentence_id == settled]
    write_jsonl(work / "verdicts.jsonl", [*verdicts, msgspec.structs.replace(both[0], sentence_id=copy["sentence_id"])])
    rows = [row for part in gold_rows(work, examples).values() for row in part]
    assert [row["copy_of"] for row in rows if row["sentence_id"] in (settled, copy["sentence_id"])] == [None, None]


@pytest.mark.parametrize("standoff", [False, True])
def test_sizes_are_those_that_load_dataset_counts(standoff: bool, tmp_path: Path) -> None:
    from datasets import load_dataset

    kinds = features("gold", standoff)
    row = {name: value for name, value in (_row() | dict.fromkeys(kinds, "é")).items() if name in kinds}
    row |= {"start": 0, "end": 1, "label": 2, "votes": [{"annotator": "A1", "stance": 1}]}
    rows = [row | {"copy_of": None if n % 2 else "x", "votes": row["votes"] * (n % 3)} for n in range(11)]
    data, num_bytes = parquet(rows, kinds)
    (tmp_path / "train.parquet").write_bytes(data)
    opened = load_dataset("parquet", data_files=str(tmp_path / "train.parquet"), cache_dir=str(tmp_path / "cache"))
    assert opened["train"].info.splits["train"].num_bytes == num_bytes
    assert opened["train"].features == kinds
