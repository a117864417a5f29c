"""Mistakes by confidence, and verdicts to doubt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ExamplesError
from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl, write_table
from labeling.records import Unsettled
from labeling.scheme import DEFAULT, Stance
from train.evaluate.mistakes import Context, Doubt, doubts, mistakes, read_contexts, write_doubts
from train.records import Example


def _rows(labels: str) -> list[Example]:
    names: dict[str, Stance] = {"f": "favor", "a": "against", "n": "none"}
    return [
        Example(sentence_id=f"s{n}", text=f"text {n}", label=names[letter], group=f"g{n}")
        for n, letter in enumerate(labels)
    ]


def test_mistakes_stand_surest_first_with_context_and_votes() -> None:
    chances = np.array([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.4, 0.4, 0.2]])
    votes: dict[str, dict[str, Stance]] = {"s2": {"A": "none", "B": "against"}}
    found = mistakes(_rows("afna"), chances, {"s2": Context(before="Before.", title="A title")}, votes)
    # The last is a tie of favor and against: the first of DEFAULT.names is given, and wrong.
    assert [(row.sentence_id, row.label, row.predicted) for row in found] == [
        ("s1", "favor", "against"),
        ("s2", "none", "against"),
        ("s0", "against", "favor"),
        ("s3", "against", "favor"),
    ]
    assert [row.confidence for row in found] == [0.8, 0.7, 0.6, 0.4]
    assert (found[1].context.title, found[1].votes, found[1].label_probability) == ("A title", votes["s2"], 0.1)
    assert (found[0].context, found[0].votes) == (Context(), {})
    assert mistakes([], np.zeros((0, 3))) == []
    with pytest.raises(ExamplesError, match="expected probabilities of 4 examples"):
        mistakes(_rows("afna"), chances[:3])


def test_a_mistake_says_which_words_pushed_from_the_label_to_the_prediction() -> None:
    (row,) = _rows("f")
    by: list[tuple[str, dict[Stance, float]]] = [
        ("never", {"favor": -0.5, "against": 1.0, "none": 0.0}),
        ("mind", {"favor": 0.25, "against": 0.0, "none": 0.75}),
    ]
    (found,) = mistakes([row], np.array([[0.2, 0.7, 0.1]]), explained=lambda _: by)
    assert (found.label, found.predicted) == ("favor", "against")
    assert [(push.piece, push.weight) for push in found.pushes] == [("never", 1.5), ("mind", -0.25)]
    assert mistakes([row], np.array([[0.8, 0.1, 0.1]]), explained=lambda _: by) == []


def test_planted_wrong_labels_are_the_first_doubts() -> None:
    random = np.random.default_rng(1)
    codes = random.integers(0, 3, 300)
    chances = random.dirichlet([1, 1, 1], 300) * 0.4
    chances[np.arange(300), codes] += 0.6
    planted = {7, 70, 200}
    for n in planted:
        chances[n] = np.where(np.arange(3) == codes[n], 0.9, 0.05)
    rows = [
        Example(sentence_id=str(n), text="", label=DEFAULT.names[(codes[n] + 1) % 3 if n in planted else codes[n]])
        for n in range(300)
    ]
    found = doubts(rows, chances)
    assert {int(row.sentence_id) for row in found} == planted
    assert [row.margin for row in found] == sorted(row.margin for row in found)
    assert all(row.margin < 0 and row.predicted == DEFAULT.names[codes[int(row.sentence_id)]] for row in found)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("fan"), st.integers(0, 8), st.integers(0, 8)), max_size=25),
)
def test_doubts_are_the_off_diagonal_of_the_confident_joint(rows: list[tuple[str, int, int]]) -> None:
    # By hand, one sentence after the other, after Northcutt et al. (2021), equations 1 and 2.
    chances = np.array([[a, b, 16 - a - b] for _, a, b in rows]).reshape(-1, 3) / 16
    examples = _rows("".join(letter for letter, _, _ in rows))
    labels = [DEFAULT.names.index(row.label) for row in examples]
    limit = {k: np.mean([chances[n, k] for n, label in enumerate(labels) if label == k]) for k in set(labels)}
    expected = {}
    for n, label in enumerate(labels):
        sure = [k for k in limit if chances[n, k] >= limit[k]]
        if sure:
            best = max(chances[n, k] for k in sure)
            if best > chances[n, label]:
                expected[f"s{n}"] = best
    found = doubts(examples, chances)
    assert {row.sentence_id: row.confidence for row in found} == expected
    assert doubts(examples[::-1], chances[::-1]) == found


def test_doubts_are_lines_that_the_queue_reads(tmp_path: Path) -> None:
    chances = np.array([[0.9, 0.05, 0.05], [0.8, 0.1, 0.1], [0.05, 0.9, 0.05], [0.7, 0.2, 0.1]])
    votes: dict[str, dict[str, Stance]] = {"s3": {"A": "against", "B": "against", "C": "favor"}}
    found = doubts(_rows("ffaa"), chances, votes)
    assert [row.sentence_id for row in found] == []  # favor is confident from .85 up
    chances[3] = [0.86, 0.1, 0.04]
    found = doubts(_rows("ffaa"), chances, votes)
    assert write_doubts(tmp_path, found)
    assert not write_doubts(tmp_path, found)
    (line,) = read_jsonl(tmp_path / "doubts.jsonl", Unsettled, "stance train")
    assert line.sentence_id == "s3"
    assert (line.votes, line.confidence) == (votes["s3"], 0.86)
    assert line.agreement == pytest.approx(1 / 3)
    assert (
        line.reason == "the verdict is against; a model that had not seen the article says favor (86 %, against 10 %)"
    )
    (whole,) = read_jsonl(tmp_path / "doubts.jsonl", Doubt, "stance train")
    assert (whole.label, whole.predicted) == ("against", "favor")
    assert whole.margin == pytest.approx(-0.76)


def test_one_class_or_nothing_gives_no_doubt() -> None:
    assert doubts([], np.zeros((0, 3))) == []
    chances = np.array([[0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    assert doubts(_rows("ff"), chances) == []  # no other stance has a threshold


def test_contexts_come_from_the_projects_tables(tmp_path: Path) -> None:
    rows = [
        {"sentence_id": name, "article_id": "one", "index": 0, "start": 0, "end": 1, "text": name, "before": "b",
         "after": None, "copy_id": name, "cluster_id": name}
        for name in ("s0", "s1")
    ]  # fmt: skip
    write_table(tmp_path / "sentences.parquet", pa.Table.from_pylist(rows, schema=SENTENCES))
    article = dict.fromkeys(ARTICLES.names, "") | {"article_id": "one", "title": "T", "outlet": "O", "url": None}
    write_table(tmp_path / "articles.parquet", pa.Table.from_pylist([article], schema=ARTICLES))
    assert read_contexts(tmp_path, ["s1", "gone"]) == {
        "s1": Context(before="b", article_id="one", title="T", outlet="O")
    }
