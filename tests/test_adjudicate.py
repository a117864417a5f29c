"""Votes to verdicts, and Dawid–Skene against published values."""

from __future__ import annotations

import csv
import statistics
from itertools import permutations
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigError, StanceError, TableError
from corpus.records import SENTENCES
from corpus.store import read_jsonl, table_path, write_jsonl, write_table
from labeling.adjudicate import Settled, adjudicate, settle
from labeling.freshness import stale_verdicts
from labeling.messages.adjudicate import adjudicated
from labeling.records import Adjudication, Annotation, LabelingSettings, Unsettled
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.statistics.dawid_skene import dawid_skene
from tests.conftest import book, vote

ANNOTATIONS = st.lists(
    st.builds(
        vote,
        st.sampled_from(["s1", "s2", "s3"]),
        st.sampled_from(["A1", "A2", "A3", "A4"]),
        st.sampled_from([*DEFAULT.names, None]),
        studio_id=st.integers(1, 1000),
    ),
    max_size=12,
    unique_by=lambda row: row.studio_id,
)


def _how(*stances: str | None) -> tuple[str, str] | str:
    done = settle([vote("s", f"A{n}", stance) for n, stance in enumerate(stances)])
    return done.queue[0].reason if done.queue else (done.verdicts[0].stance, done.verdicts[0].how)


def test_votes_settle_by_unanimity_and_majority() -> None:
    assert _how("favor") == ("favor", "single")
    assert _how("favor", None) == ("favor", "single")
    assert _how("none", "none") == ("none", "unanimous")
    assert _how("against", "favor", "against") == ("against", "majority")


def test_a_tie_and_a_mere_plurality_stay_open() -> None:
    assert _how("favor", "against") == "no majority: 1 favor, 1 against"
    assert _how("favor", "against", "none") == "no majority: 1 favor, 1 against, 1 none"
    assert _how("favor", "favor", "against", "none") == "no majority: 2 favor, 1 against, 1 none"


def test_the_last_answer_of_a_person_counts_and_a_skip_takes_it_back() -> None:
    first = vote("s", "A1", "favor", updated_at="2031-01-01T00:00:00Z", studio_id=1)
    second = vote("s", "A1", "none", updated_at="2031-01-02T00:00:00Z", studio_id=2)
    skip = vote("s", "A1", None, updated_at="2031-01-03T00:00:00Z", studio_id=3)
    assert settle([second, first]).verdicts[0].stance == "none"
    assert settle([skip, second, first]) == Settled(verdicts=[], queue=[])


@given(ANNOTATIONS)
def test_the_order_of_rows_never_decides(rows: list[Annotation]) -> None:
    assert settle(rows) == settle(rows[::-1]) == settle(sorted(rows, key=lambda row: row.annotator))


def test_a_verdict_remembers_its_votes() -> None:
    verdicts = settle([vote("s", "A2", "none", codebook="1.0"), vote("s", "A1", "none", codebook="1.0")]).verdicts
    assert verdicts[0].votes == {"A1": "none", "A2": "none"}
    assert verdicts[0].codebook == "1.0"


def test_a_single_vote_that_its_annotator_doubts_stays_open() -> None:
    doubted = vote("s", "A1", "favor", unsure=True)
    assert settle([doubted]).queue[0].reason == "the one vote is unsure: 1 favor"
    assert settle([doubted, vote("s", "A2", "favor", unsure=True)]).verdicts[0].how == "unanimous"
    again = vote("s", "A1", "favor", updated_at="2031-01-02T00:00:00Z")
    assert settle([doubted, again]).verdicts[0].how == "single"  # A1's last answer is sure


def test_the_queue_begins_with_the_lowest_agreement() -> None:
    four: list[Stance] = ["favor", "favor", "against", "none"]
    two: list[Stance] = ["favor", "favor", "against", "against"]
    rows = [vote("a", f"A{n}", stance) for n, stance in enumerate(four)]
    rows += [vote("b", f"A{n}", stance) for n, stance in enumerate(DEFAULT.names)]
    rows += [vote("c", f"A{n}", stance) for n, stance in enumerate(two)]
    found = settle(rows).queue
    assert [(row.sentence_id, round(row.agreement, 3)) for row in found] == [("b", 0.0), ("a", 0.167), ("c", 0.333)]


def test_votes_under_another_codebook_settle_nothing() -> None:
    old = [vote("s", "A1", "favor", codebook="1.0"), vote("s", "A2", "favor", codebook="1.0")]
    found = settle(old, codebook=book("2.0"))
    assert found.verdicts == []
    assert found.queue[0].reason == "labelled under codebook 1.0; it is 2.0 now"
    new = settle([*old, vote("s", "A3", "none", codebook="2.0")], codebook=book("2.0")).verdicts[0]
    assert (new.stance, new.how, new.votes, new.codebook) == ("none", "single", {"A3": "none"}, "2.0")
    assert settle(old, codebook=book("1.0")).verdicts[0].codebook == "1.0"
    assert settle([vote("s", "A1", "favor")], codebook=book("2.0")).verdicts[0].how == "single"  # no version known


def test_a_sentence_that_left_the_corpus_has_no_verdict() -> None:
    rows = [vote("s", "A1", "favor"), vote("t", "A1", "favor")]
    assert [row.sentence_id for row in settle(rows, corpus={"t"}).verdicts] == ["t"]


def _settled(stance: Stance | None, who: str = "A9", **more: object) -> Adjudication:
    given = {"votes": {"A1": "favor", "A2": "against"}, "codebook": "1.0", **more}
    return Adjudication(sentence_id="s", adjudicator=who, stance=stance, **given)  # type: ignore[arg-type]


def test_a_person_settles_a_tie_with_who_and_when() -> None:
    rows = [vote("s", "A1", "favor"), vote("s", "A2", "against")]
    answer = _settled("against", note="he means the opposite", updated_at="2031-02-03T00:00:00Z")
    verdict = settle(rows, [answer], codebook=book("1.0"), corpus={"s"}).verdicts[0]
    assert (verdict.stance, verdict.how, verdict.adjudicator, verdict.note, verdict.settled_at, verdict.flag) == (
        ("against", "adjudicated", "A9", "he means the opposite", "2031-02-03T00:00:00Z", "")
    )


def test_an_adjudicated_verdict_stands_and_is_flagged() -> None:
    rows = [vote("s", "A1", "favor"), vote("s", "A2", "favor")]
    verdict = settle(rows, [_settled("against")], codebook=book("2.0"), corpus=set()).verdicts[0]
    assert (verdict.stance, verdict.how) == ("against", "adjudicated")
    assert verdict.flag == (
        "its votes have changed since; settled under codebook 1.0; it is 2.0 now; the sentence left the corpus"
    )


def test_adjudicators_who_disagree_leave_it_open_and_the_last_answer_of_each_counts() -> None:
    rows = [vote("s", "A1", "favor"), vote("s", "A2", "against")]
    both = [_settled("favor", "A8"), _settled("none", "A9", updated_at="2031-01-01T00:00:00Z")]
    assert settle(rows, both).queue[0].reason == "adjudicators disagree: A8 favor, A9 none"
    later = _settled("favor", "A9", updated_at="2031-01-02T00:00:00Z")
    assert settle(rows, [*both, later]).verdicts[0].stance == "favor"
    assert settle(rows, [_settled(None)]).queue[0].reason == "no majority: 1 favor, 1 against"


def test_doubtful_verdicts_go_to_the_queue_but_for_those_a_person_settled(tmp_path: Path) -> None:
    rows = [
        dict.fromkeys(SENTENCES.names, "") | {"sentence_id": key, "copy_id": key, "start": 0, "end": 0} for key in "abc"
    ]
    rows = [row | {"index": n} for n, row in enumerate(rows)]
    write_table(tmp_path / "sentences.parquet", pa.Table.from_pylist(rows, schema=SENTENCES))
    write_jsonl(table_path(tmp_path, "annotations.jsonl"), [vote(key, "A1", "favor") for key in "abc"])
    settled = Adjudication(sentence_id="b", adjudicator="A9", stance="favor", votes={"A1": "favor"})
    write_jsonl(table_path(tmp_path, "adjudications.jsonl"), [settled])
    doubts = [Unsettled(sentence_id=key, votes={"A1": "favor"}, reason="the model doubts it") for key in "bca"]
    write_jsonl(tmp_path / "doubts.jsonl", doubts)
    done = adjudicate(tmp_path, LabelingSettings(), doubts=1)
    assert (done.settled, done.unsettled, done.decided) == ({"single": 1, "adjudicated": 1}, 1, 0)
    assert read_jsonl(tmp_path / "queue.jsonl", Unsettled, "")[0].sentence_id == "c"
    done = adjudicate(tmp_path, LabelingSettings(), doubts=3)
    assert (done.settled, done.doubted, done.decided) == ({"adjudicated": 1}, 2, 1)
    assert "1 doubted verdict stays: a person decided it" in adjudicated(done, 1, tmp_path)
    assert adjudicate(tmp_path, LabelingSettings()).unsettled == 0


MODEL = LabelingSettings(verdicts="dawid_skene", confidence=0.9)


def _crowd() -> list[Annotation]:
    """Three annotators on sixty sentences: A1 and A2 are nearly always right, A3 says `favor` to everything."""
    rows: list[Annotation] = []
    for n in range(60):
        truth = DEFAULT.names[n % 3]
        rows += [vote(f"s{n:02}", "A1", truth), vote(f"s{n:02}", "A2", truth), vote(f"s{n:02}", "A3", "favor")]
    return rows


def test_dawid_and_skenes_model_settles_what_a_majority_cannot() -> None:
    tie = [vote("tie", "A1", "none"), vote("tie", "A3", "favor")]
    assert settle([*_crowd(), *tie]).queue[0].sentence_id == "tie"
    verdict = next(row for row in settle([*_crowd(), *tie], settings=MODEL).verdicts if row.sentence_id == "tie")
    assert (verdict.stance, verdict.how) == ("none", "dawid_skene")
    assert verdict.confidence is not None
    assert verdict.confidence > 0.99


def test_what_the_model_is_not_sure_of_stays_open_like_votes_too() -> None:
    doubtful = [vote("d", "A3", "favor"), vote("t", "A1", "none"), vote("t", "A2", "against")]
    open_ = {row.sentence_id: row for row in settle([*_crowd(), *doubtful], settings=MODEL).queue}
    assert open_.keys() == {"d", "t"}
    assert open_["d"].reason.endswith("1 favor")  # the one who always says so tells the model nothing
    assert open_["t"].confidence == pytest.approx(0.5)
    assert "against or none" in open_["t"].reason


@settings(deadline=None)  # EM may take all of its 10,000 steps: 0.6 s on a busy machine
@given(ANNOTATIONS)
def test_the_order_of_rows_never_decides_under_the_model_either(rows: list[Annotation]) -> None:
    assert settle(rows, settings=MODEL) == settle(rows[::-1], settings=MODEL)


def test_only_skips_are_an_error(tmp_path: Path) -> None:
    write_jsonl(table_path(tmp_path, "annotations.jsonl"), [vote("s", "A1", None)])
    with pytest.raises(StanceError, match=r"holds no vote that counts, only skips, .* \(1 in all\)"):
        adjudicate(tmp_path, LabelingSettings())
    assert not (tmp_path / "verdicts.jsonl").exists()


def test_without_any_answer_it_says_that_nobody_has_answered(tmp_path: Path) -> None:
    write_jsonl(table_path(tmp_path, "annotations.jsonl"), [])
    with pytest.raises(StanceError, match=r"^nobody has answered yet: let people label .*, then run `stance pull`$"):
        adjudicate(tmp_path, LabelingSettings())


@pytest.mark.parametrize("ways", ["majority", "dawid_skene"])
@pytest.mark.parametrize("first", ["favor", "against"])
def test_what_was_settled_or_open_goes_with_the_last_vote(
    tmp_path: Path, ways: Literal["majority", "dawid_skene"], first: str
) -> None:
    settled_by, answers = LabelingSettings(verdicts=ways), table_path(tmp_path, "annotations.jsonl")
    row = dict.fromkeys(SENTENCES.names, "") | {"sentence_id": "s", "copy_id": "s", "start": 0, "end": 0, "index": 0}
    write_table(tmp_path / "sentences.parquet", pa.Table.from_pylist([row], schema=SENTENCES))
    write_jsonl(answers, [vote("s", "A1", first), vote("s", "A2", "favor")])
    adjudicate(tmp_path, settled_by)
    write_jsonl(answers, [])
    done = adjudicate(tmp_path, settled_by)
    assert (done.settled, done.unsettled) == ({}, 0)
    assert stale_verdicts(tmp_path, settled_by, None, frozenset()) is None
    with pytest.raises(StanceError, match="nobody has answered yet"):
        adjudicate(tmp_path, settled_by)


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    table_path(tmp_path, "annotations.jsonl").write_bytes(
        msgspec.json.encode(vote("s", "A1", "favor")) + b'\n{"sentence_id": "s", "annotator": "A1", "stance": "pro"}\n'
    )
    with pytest.raises(TableError, match=r"line 2: expected one of the labels .*found 'pro'"):
        adjudicate(tmp_path, LabelingSettings())


def test_dawid_skene_of_the_anaesthetists(shared: Path) -> None:
    with (shared / "data" / "dawid_skene_1979" / "responses.csv").open() as file:
        found = dawid_skene((row["patient"], row["observer"], row["label"]) for row in csv.DictReader(file))
    assert found.log_likelihood == pytest.approx(-192.8909, abs=5e-4)
    assert list(found.priors.values()) == pytest.approx([0.3996, 0.4220, 0.1118, 0.0667], abs=1e-4)
    assert found.posterior["30"]["1"] == pytest.approx(0.9991, abs=1e-4)


@pytest.mark.parametrize(("name", "accuracy", "majority"), [("rte", 0.9275, 0.8969), ("temp", 0.9416, 0.9361)])
def test_dawid_skene_beats_the_majority_on_snows_crowd(
    shared: Path, name: str, accuracy: float, majority: float
) -> None:
    with (shared / "data" / "snow2008" / f"{name}.standardized.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    gold = {row["orig_id"]: row["gold"] for row in rows}
    found = dawid_skene((row["orig_id"], row["!amt_worker_ids"], row["response"]) for row in rows)
    hits = sum(max(by, key=lambda label: by[label]) == gold[item] for item, by in found.posterior.items())
    assert hits / len(gold) == pytest.approx(accuracy, abs=5e-5)
    if name == "rte":
        assert found.log_likelihood == pytest.approx(-3679.63, abs=5e-3)
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        by = counts.setdefault(row["orig_id"], {})
        by[row["response"]] = by.get(row["response"], 0) + 1
    share = 0.0
    for item, by in counts.items():
        best = [label for label in by if by[label] == max(by.values())]
        share += (gold[item] in best) / len(best)
    assert share / len(gold) == pytest.approx(majority, abs=5e-5)


def test_dawid_skene_does_not_depend_on_the_order_of_votes() -> None:
    votes = [(f"i{n % 3}", f"a{n % 2}", "xyz"[n % 3 if n % 2 else 0]) for n in range(6)]
    assert len({msgspec.json.encode(dawid_skene(order)) for order in permutations(votes)}) == 1
    with pytest.raises(TableError, match="got none"):
        dawid_skene([])


FIVE = Scheme(names=["1", "2", "3", "4", "5"], ordered=True)
MEDIAN = LabelingSettings(verdicts="median")


@given(st.lists(st.sampled_from(FIVE.names), min_size=1, max_size=7))
def test_votes_on_a_scale_are_settled_by_their_median_and_a_median_between_two_labels_stays_open(
    labels: list[str],
) -> None:
    rows = [vote("s", f"A{n}", label) for n, label in enumerate(labels)]
    found = settle(rows, settings=MEDIAN, scheme=FIVE)
    median = statistics.median(map(int, labels))
    middle = sorted(map(int, labels))[(len(labels) - 1) // 2], sorted(map(int, labels))[len(labels) // 2]
    if middle[0] != middle[1]:
        assert found.verdicts == []
        assert found.queue[0].reason.startswith(f"the median is between {middle[0]} and {middle[1]}: ")
        return
    (verdict,) = found.verdicts
    assert verdict.stance == str(int(median))
    assert verdict.how == ("single" if len(labels) == 1 else "unanimous" if len(set(labels)) == 1 else "median")


def test_a_median_needs_labels_that_are_a_scale() -> None:
    with pytest.raises(ConfigError, match=r"set \[labels\] ordered = true"):
        settle([vote("s", "A1", "favor")], settings=MEDIAN)
