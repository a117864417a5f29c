"""Agreement against published worked examples, and its properties."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.records import AgreementError
from labeling.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha, pairwise

LABELS = st.sampled_from(["favor", "against", "none"])


def test_alpha_of_krippendorffs_nominal_example() -> None:
    # Krippendorff (2011), section C: the table of four observers and twelve units.
    rows = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    units = [[label for label in unit if label != "."] for unit in zip(*(row.split() for row in rows), strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_alpha_of_two_observers_with_binary_labels() -> None:
    # Krippendorff (2011), section A.
    first, second = "0 1 0 0 0 0 0 0 1 0".split(), "1 1 1 0 0 1 0 0 0 0".split()
    assert krippendorff_alpha(list(zip(first, second, strict=True))) == pytest.approx(0.095, abs=5e-4)


def test_alpha_of_two_observers_with_five_labels() -> None:
    # Krippendorff (2011), section B.
    first, second = "a a b b d c c c e d d a".split(), "b a b b b c c c e d d d".split()
    assert krippendorff_alpha(list(zip(first, second, strict=True))) == pytest.approx(0.692, abs=5e-4)


def test_fleiss_kappa_of_the_ten_by_fourteen_example() -> None:
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    assert fleiss_kappa(counts) == pytest.approx(0.210, abs=5e-4)


def test_fleiss_kappa_of_the_1971_paper() -> None:
    # Fleiss (1971), table 1: 30 subjects, six psychiatrists, five diagnoses.
    table = """0 0 0 6 0/0 3 0 0 3/0 1 4 0 1/0 0 0 0 6/0 3 0 3 0/2 0 4 0 0/0 0 4 0 2/2 0 3 1 0/2 0 0 4 0/0 0 0 0 6
    1 0 0 5 0/1 1 0 4 0/0 3 3 0 0/1 0 0 5 0/0 2 0 3 1/0 0 5 0 1/3 0 0 1 2/5 1 0 0 0/0 2 0 4 0/1 0 2 0 3
    0 0 0 0 6/0 1 0 5 0/0 2 0 1 3/2 0 0 4 0/1 0 0 4 1/0 5 0 1 0/4 0 0 0 2/0 2 0 4 0/1 0 5 0 0/0 0 0 0 6"""
    counts = [[int(n) for n in row.split()] for row in table.replace("\n", "/").split("/")]
    assert len(counts) == 30
    assert fleiss_kappa(counts) == pytest.approx(0.430, abs=5e-4)


@pytest.mark.parametrize(("name", "alpha"), [("rte", 0.2415), ("temp", 0.2234)])
def test_alpha_of_snows_crowd_labels(shared: Path, name: str, alpha: float) -> None:
    units: dict[str, list[str]] = defaultdict(list)
    with (shared / "data" / "snow2008" / f"{name}.standardized.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            units[row["orig_id"]].append(row["response"])
    assert krippendorff_alpha(units.values()) == pytest.approx(alpha, abs=5e-5)


def test_cohens_kappa_of_a_two_by_two_table() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: the usual textbook table, kappa .40.
    a = ["yes"] * 25 + ["no"] * 25
    b = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(a, b) == pytest.approx(0.4)


def test_one_label_throughout_leaves_agreement_undefined() -> None:
    assert math.isnan(krippendorff_alpha([["none", "none"], ["none", "none"]]))
    assert math.isnan(cohen_kappa(["none"], ["none"]))
    assert math.isnan(fleiss_kappa([[2, 0], [2, 0]]))


def test_too_few_labels_are_an_error() -> None:
    with pytest.raises(AgreementError, match="two annotators"):
        krippendorff_alpha([["favor"], []])
    with pytest.raises(AgreementError, match="got 1 and 2"):
        cohen_kappa(["favor"], ["favor", "none"])
    with pytest.raises(AgreementError, match="unit 1 has"):
        fleiss_kappa([[2, 0], [1, 0]])


@given(st.lists(st.lists(LABELS, min_size=2, max_size=5), min_size=1, max_size=12))
def test_alpha_ignores_the_order_of_units_and_of_labels(units: list[list[str]]) -> None:
    shuffled = [sorted(unit) for unit in reversed(units)]
    a, b = krippendorff_alpha(units), krippendorff_alpha(shuffled)
    assert (math.isnan(a) and math.isnan(b)) or a == pytest.approx(b)
    assert math.isnan(a) or a <= 1


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=30))
def test_kappa_is_symmetric_and_at_most_one(pairs: list[tuple[str, str]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    kappa, mirrored = cohen_kappa(a, b), cohen_kappa(b, a)
    assert (math.isnan(kappa) and math.isnan(mirrored)) or kappa == pytest.approx(mirrored)
    assert math.isnan(kappa) or kappa <= 1


def test_pairs_count_only_what_both_labelled() -> None:
    votes = {"s1": {"A1": "favor", "A2": "favor"}, "s2": {"A1": "none", "A2": "favor"}, "s3": {"A1": "favor"}}
    (pair,) = pairwise(votes)
    assert (pair.first, pair.second, pair.n, pair.raw) == ("A1", "A2", 2, 0.5)
