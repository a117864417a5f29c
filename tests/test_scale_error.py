"""The mean absolute error of predictions on a scale, against scikit-learn and its own limits."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error as of_scikit_learn

from labeling.scheme import Scheme
from tests.support.labelled_texts import made_up_examples
from train.messages import trained
from train.scale_error import mean_absolute_error
from train.settings import TrainSettings
from train.train_model import train

NAMES = ["low", "rather low", "middle", "high"]
ROWS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from("abcdefgh")), min_size=1, max_size=30
)


@given(ROWS)
def test_it_is_scikit_learns_and_its_interval_holds_it(rows: list[tuple[str, str, str]]) -> None:
    true, found, groups = (list(column) for column in zip(*rows, strict=True))
    error = mean_absolute_error(true, found, groups, NAMES, seed=1)
    expected = of_scikit_learn([NAMES.index(name) for name in true], [NAMES.index(name) for name in found])
    assert error.value == pytest.approx(expected)
    assert 0 <= error.low <= error.value + 1e-12
    assert error.value - 1e-12 <= error.high <= 3
    if len(set(groups)) < 5:
        assert (error.low, error.high) == (0, 3)
    elif error.value == 0:
        assert error.high > 0  # nobody is right for ever


def test_the_interval_is_that_of_resamples_written_out() -> None:
    random = np.random.default_rng(4)
    groups = [f"g{n // 6}" for n in range(60)]
    true = [NAMES[n] for n in random.integers(0, 4, 60)]
    found = [name if random.random() < 0.7 else NAMES[random.integers(0, 4)] for name in true]
    error = mean_absolute_error(true, found, groups, NAMES, seed=3)
    steps = [abs(NAMES.index(a) - NAMES.index(b)) for a, b in zip(true, found, strict=True)]
    draws = np.random.default_rng(3)
    means = []
    for _ in range(20):
        for chosen in draws.integers(0, 10, (100, 10)):
            means.append(np.mean([steps[6 * group + n] for group in chosen for n in range(6)]))
    assert (error.low, error.high) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])))


@pytest.mark.slow
def test_a_training_on_a_scale_gives_the_error_in_steps_and_another_training_none(tmp_path: Path) -> None:
    scale = {"favor": "2", "none": "1", "against": "0"}
    rows = made_up_examples()
    ordered = [msgspec.structs.replace(row, label=scale[row.label]) for row in rows]
    scheme = Scheme(names=["0", "1", "2"], ordered=True)
    done = train(ordered, tmp_path / "scale", TrainSettings(), scheme=scheme)
    error, majority = done.metrics.test.mean_absolute_error, done.metrics.test.majority.mean_absolute_error
    assert error is not None
    assert majority is not None
    cells = np.array(done.metrics.test.confusion)
    steps = np.abs(np.subtract.outer(range(3), range(3)))
    assert error.value == pytest.approx((cells * steps).sum() / cells.sum())
    assert error.value < majority.value
    assert any("mean absolute error" in line for line in trained(done, tmp_path, tmp_path))
    train(rows, tmp_path / "plain", TrainSettings())
    assert b"mean_absolute_error" in (tmp_path / "scale" / "metrics.json").read_bytes()
    assert b"mean_absolute_error" not in (tmp_path / "plain" / "metrics.json").read_bytes()


def test_a_model_that_is_right_throughout_may_still_be_wrong_one_day() -> None:
    error = mean_absolute_error(["low"] * 6, ["low"] * 6, list("abcdef"), NAMES, seed=1)
    assert (error.value, error.low) == (0, 0)
    # Clopper and Pearson (1934), 0 of 6: 1 - .025^(1/6); each miss is at most three steps.
    assert error.high == pytest.approx(3 * (1 - 0.025 ** (1 / 6)))
