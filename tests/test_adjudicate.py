"""Votes to verdicts, and Dawid–Skene against published values."""

from __future__ import annotations

import csv
from itertools import permutations
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.records import StanceError, TableError
from corpus.store import write_jsonl
from labeling.adjudicate import adjudicate, dawid_skene, settle
from labeling.records import STANCES, Annotation
from tests.conftest import vote

ANNOTATIONS = st.lists(
    st.builds(
        vote,
        st.sampled_from(["s1", "s2", "s3"]),
        st.sampled_from(["A1", "A2", "A3", "A4"]),
        st.sampled_from([*STANCES, None]),
        studio_id=st.integers(1, 1000),
    ),
    max_size=12,
    unique_by=lambda row: row.studio_id,
)


def _how(*stances: str | None) -> tuple[str, str] | str:
    verdicts, queue = settle([vote("s", f"A{n}", stance) for n, stance in enumerate(stances)])  # type: ignore[arg-type]
    return queue[0].reason if queue else (verdicts[0].stance, verdicts[0].how)


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
    assert settle([second, first])[0][0].stance == "none"
    assert settle([skip, second, first]) == ([], [])


@given(ANNOTATIONS)
def test_the_order_of_rows_never_decides(rows: list[Annotation]) -> None:
    assert settle(rows) == settle(rows[::-1]) == settle(sorted(rows, key=lambda row: row.annotator))


def test_a_verdict_remembers_its_votes() -> None:
    verdicts, _ = settle([vote("s", "A2", "none", codebook="1.0"), vote("s", "A1", "none", codebook="1.0")])
    assert verdicts[0].votes == {"A1": "none", "A2": "none"}
    assert verdicts[0].codebook == "1.0"


def test_only_skips_are_an_error(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "annotations.jsonl", [vote("s", "A1", None)])
    with pytest.raises(StanceError, match="holds no vote, only 1 skips"):
        adjudicate(tmp_path)
    assert not (tmp_path / "verdicts.jsonl").exists()


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "annotations.jsonl").write_bytes(
        msgspec.json.encode(vote("s", "A1", "favor")) + b'\n{"sentence_id": "s", "annotator": "A1", "stance": "pro"}\n'
    )
    with pytest.raises(TableError, match=r"line 2: Invalid enum value 'pro'.*\$\.stance"):
        adjudicate(tmp_path)


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
