"""Reliability, expected calibration error, and the temperature."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Stance
from tests.support.examples import examples
from train.evaluate.calibration import BINS, COLDEST, HOTTEST, calibration, recalibrate, rescaled, temperature

CHANCES = st.lists(
    st.tuples(*[st.floats(0.001, 1)] * 3, st.sampled_from(DEFAULT.names), st.sampled_from("abc")), max_size=40
)


def _drawn(n: int, hotter: float = 1.0, seed: int = 1) -> tuple[list[Stance], NDArray[np.float64], list[str]]:
    """Labels drawn from known probabilities, which are then told at another temperature; groups of five."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (n, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    codes = (random.random((n, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    return [DEFAULT.names[code] for code in codes.tolist()], rescaled(true, hotter), [str(k // 5) for k in range(n)]


def _table(rows: list[tuple[float, float, float, Stance, str]]) -> NDArray[np.float64]:
    chances = np.array([row[:3] for row in rows]).reshape(-1, 3)
    chances /= chances.sum(axis=1, keepdims=True)
    return chances


@settings(deadline=None, max_examples=examples(50))
@given(CHANCES)
def test_ece_is_its_definition_and_row_order_changes_nothing(
    rows: list[tuple[float, float, float, Stance, str]],
) -> None:
    true: list[Stance] = [row[3] for row in rows]
    chances, groups = _table(rows), [row[4] for row in rows]
    found = calibration(true, chances, groups, seed=1)
    assert b"null" not in msgspec.json.encode(found)
    assert sum(row.n for row in found.bins) == found.n == len(rows)
    assert len(found.bins) <= BINS
    by_hand = sum(row.n * abs(row.accuracy.value - row.confidence) for row in found.bins) / max(len(rows), 1)
    assert found.ece.value == pytest.approx(by_hand)
    assert 0 <= found.ece.low <= found.ece.high <= 1
    assert [row.confidence for row in found.bins] == sorted(row.confidence for row in found.bins)
    if rows:
        top = chances.max(axis=1)
        right = np.array([DEFAULT.names[n] for n in chances.argmax(axis=1)]) == np.array(true)
        assert found.overconfidence.value == pytest.approx(top.mean() - right.mean())
        assert found.log_loss == pytest.approx(log_loss(true, chances[:, [1, 0, 2]], labels=sorted(DEFAULT.names)))
    assert calibration(true[::-1], chances[::-1], groups[::-1], seed=1) == found


def test_the_curve_is_scikit_learns_quantile_curve() -> None:
    true, chances, groups = _drawn(1000)
    found = calibration(true, chances, groups, seed=1)
    right = np.array([DEFAULT.names[n] for n in chances.argmax(axis=1)]) == np.array(true)
    accuracy, confidence = calibration_curve(right, chances.max(axis=1), n_bins=BINS, strategy="quantile")
    # scikit-learn interpolates its edges, so one example may stand a bin further.
    assert [row.accuracy.value for row in found.bins] == pytest.approx(accuracy, abs=0.011)
    assert [row.confidence for row in found.bins] == pytest.approx(confidence, abs=0.011)
    assert {row.n for row in found.bins} == {100}


def test_equal_confidences_share_a_bin() -> None:
    chances = np.array([[0.6, 0.2, 0.2]] * 15 + [[0.8, 0.1, 0.1]] * 5)
    favor, _, none = DEFAULT.names
    true = [favor] * 9 + [none] * 6 + [favor] * 4 + [none]
    found = calibration(true, chances, [str(n) for n in range(20)], seed=1)
    assert [(row.n, row.accuracy.value) for row in found.bins] == [(15, 0.6), (5, 0.8)]
    assert found.ece.value == pytest.approx(0, abs=1e-9)


def test_a_calibrated_model_is_within_chance_and_an_overconfident_one_is_not() -> None:
    good = calibration(*_drawn(2000), seed=1)
    assert good.ece.value <= good.by_chance
    assert good.overconfidence.low <= 0 <= good.overconfidence.high
    # A resample's ECE is too large: the interval reaches further down than up.
    assert good.ece.value - good.ece.low > 2 * (good.ece.high - good.ece.value)
    bad = calibration(*_drawn(2000, hotter=0.5), seed=1)
    assert bad.ece.low > bad.by_chance
    assert bad.overconfidence.low > 0


@pytest.mark.slow
def test_the_intervals_of_ece_and_of_overconfidence_cover_the_truth() -> None:
    random = np.random.default_rng(1)

    def world(groups: int) -> tuple[list[Stance], NDArray[np.float64]]:
        """Groups of ten with like probabilities, told twice as sure as they are."""
        logits = random.normal(0, 0.7, (groups, 3)).repeat(10, axis=0) + random.normal(0, 1.2, (10 * groups, 3))
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        codes = (random.random((len(chances), 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
        return [DEFAULT.names[code] for code in codes.tolist()], rescaled(chances, 0.5)

    true, told = world(20_000)
    whole = calibration(true, told, ["all"] * len(true), seed=1)
    covered = np.zeros(2)
    for run in range(150):
        true, told = world(60)
        found = calibration(true, told, [str(n // 10) for n in range(600)], seed=run)
        covered[0] += found.ece.low <= whole.ece.value <= found.ece.high
        covered[1] += found.overconfidence.low <= whole.overconfidence.value <= found.overconfidence.high
    assert covered[0] / 150 >= 0.84
    assert covered[1] / 150 >= 0.88


@pytest.mark.parametrize("hotter", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_what_was_done(hotter: float) -> None:
    true, chances, groups = _drawn(6000, hotter)
    found = temperature(true, chances)
    assert found == pytest.approx(1 / hotter, rel=0.1)
    fresh, told, groups = _drawn(2000, hotter, seed=2)
    mended = recalibrate(true, chances, fresh, told, groups, seed=1)
    assert mended.temperature == found
    assert mended.after.ece.value <= mended.after.by_chance
    if hotter != 1:
        assert mended.before.ece.value > 2 * mended.after.ece.value
        assert mended.before.log_loss > mended.after.log_loss


@settings(deadline=None, max_examples=examples(50))
@given(CHANCES.filter(bool))
def test_no_other_temperature_fits_better_and_stances_stay(rows: list[tuple[float, float, float, Stance, str]]) -> None:
    true: list[Stance] = [row[3] for row in rows]
    chances = _table(rows)
    codes = [DEFAULT.names.index(label) for label in true]

    def loss(heat: float) -> float:
        return float(-np.log(np.maximum(rescaled(chances, heat)[np.arange(len(codes)), codes], 1e-300)).sum())

    found = temperature(true, chances)
    assert COLDEST <= found <= HOTTEST
    for other in (COLDEST, found * 0.9, found * 1.1, 1.0, HOTTEST):
        if COLDEST <= other <= HOTTEST:
            assert loss(found) <= loss(other) + 1e-6
    told = rescaled(chances, found)
    assert told.sum(axis=1) == pytest.approx(1)
    assert (told[np.arange(len(told)), chances.argmax(axis=1)] == told.max(axis=1)).all()


def test_degenerate_tables_have_defined_results() -> None:
    nothing = np.zeros((0, 3))
    assert calibration([], nothing, [], seed=1).ece.high == 1
    assert temperature([], nothing) == 1
    assert temperature(["favor"], np.full((1, 3), 1 / 3)) == 1
    certain = np.array([[1.0, 0.0, 0.0]] * 4)
    assert temperature(["favor"] * 4, certain) == COLDEST
    assert temperature(["none"] * 4, certain) == HOTTEST
    found = calibration(["none"] * 4, certain, ["one"] * 4, seed=1)
    assert (found.ece.value, found.ece.low, found.ece.high) == (1, 0, 1)
    assert np.isfinite(found.log_loss)
    assert recalibrate([], nothing, [], nothing, [], seed=1).temperature == 1


@pytest.mark.parametrize("table", [np.ones((2, 3)) / 3, np.ones((1, 2)) / 2, np.ones((1, 3)), np.full((1, 3), np.nan),
                                   np.array([[1.5, -0.5, 0.0]])])  # fmt: skip
def test_what_is_no_table_of_probabilities_is_refused(table: NDArray[np.float64]) -> None:
    with pytest.raises(ExamplesError, match="expected probabilities"):
        calibration(["favor"], table, ["a"], seed=1)
