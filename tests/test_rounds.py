"""Which sentences a push wants at the server: rounds that go on although the corpus changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from corpus.store import table_path, write_jsonl
from labeling.records import LabelingSettings, Verdict
from labeling.sampling.rounds import Drawn, draw_round
from labeling.sampling.sample_table import By, Draw, write_sample
from labeling.studio.tasks import Corpus
from tests.conftest import vote
from tests.support.corpora import TARGET, corpus_of


def _alone(ids: Iterable[str]) -> dict[str, str]:
    return {id_: id_ for id_ in ids}


def _draw(corpus: Corpus, work: Path, held: Iterable[str] = (), *, limit: int = 0, control: int = 0) -> Drawn:
    by: By = "random"
    drawn = draw_round(corpus, work, set(held), LabelingSettings(), TARGET, limit=limit, by=by, control=control)
    write_sample(work, drawn.draws)
    return drawn


def _round(work: Path, ids: Iterable[str]) -> None:
    write_sample(work, [Draw(sentence_id=id_, round=1, by="random", probability=0.5) for id_ in ids])


def test_a_round_does_not_wait_for_sentences_that_left_thecorpus_of(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, _alone("abcd"))
    _round(tmp_path, "ax")  # x was drawn, and its article was taken out before anybody labelled it
    assert _draw(corpus, tmp_path, limit=2).new == 0
    write_jsonl(table_path(tmp_path, "annotations.jsonl"), [vote("a", "A1", "favor")])
    assert _draw(corpus, tmp_path, limit=2).new == 2


def test_a_round_does_not_wait_for_a_copy_that_another_one_stands_for(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {**_alone("abcd"), "e": "a"})
    _round(tmp_path, "be")  # the server holds a, whose label holds for e
    write_jsonl(table_path(tmp_path, "annotations.jsonl"), [vote(id_, "A1", "favor") for id_ in "ab"])
    assert _draw(corpus, tmp_path, "ab", limit=2).new == 2


@pytest.mark.parametrize("asked", [2, 5])
def test_control_items_are_drawn_once_however_few_are_settled(tmp_path: Path, asked: int) -> None:
    corpus = corpus_of(tmp_path, _alone("abcd"))
    _round(tmp_path, "abcd")
    settled = [Verdict(sentence_id=id_, stance="favor", how="single", votes={"A1": "favor"}) for id_ in "abx"]
    write_jsonl(tmp_path / "verdicts.jsonl", settled)  # x left the corpus: its verdict stands, but nobody can see it
    assert _draw(corpus, tmp_path, control=asked).new == 2
    assert _draw(corpus, tmp_path, control=asked).new == 0
    write_jsonl(table_path(tmp_path, "annotations.jsonl"), [vote(id_, "A1", "favor", control=2) for id_ in "ab"])
    assert _draw(corpus, tmp_path, control=asked).new == 2
