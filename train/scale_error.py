"""How far predictions on a scale are from the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeling.statistics.bootstrap import resampled
from labeling.statistics.intervals import FEWEST_ARTICLES, Estimate, share_interval
from labeling.votes import numbered

RESAMPLES = 2000


def mean_absolute_error(
    true: Sequence[str], given: Sequence[str], groups: Sequence[str], names: Sequence[str], seed: int
) -> Estimate:
    """The mean number of steps on the scale between label and prediction, with its interval by bootstrap over groups.

    Args:
        true: labels of the examples, at least one.
        given: predictions, in the same order.
        groups: group of each example; the bootstrap draws groups.
        names: all labels, from the lowest to the highest.
        seed: seed of the bootstrap.

    Returns:
        The mean error in steps, from 0 (every prediction is right) to the number of labels less 1. With fewer than 5
        groups, the interval is the whole of that range, which means that nothing is known.

    >>> mean_absolute_error(["1", "3"], ["2", "3"], ["a", "b"], ["1", "2", "3"], seed=1)
    Estimate(value=0.5, low=0.0, high=2.0)
    """
    place = {name: number for number, name in enumerate(names)}
    steps = np.array([abs(place[a] - place[b]) for a, b in zip(true, given, strict=True)], dtype=float)
    order, at = numbered(groups)
    sums = np.zeros((len(order), 2))
    np.add.at(sums, [at[group] for group in groups], np.column_stack([steps, np.ones(len(steps))]))
    value = float(steps.mean())
    if len(order) < FEWEST_ARTICLES:
        return Estimate(value=value, low=0.0, high=float(len(names) - 1))
    if value == 0:  # all resamples are alike: each group counts as one unit, and a miss may be as far as it can be
        high = share_interval(0.0, 0.0, len(order), len(order), len(order)).high
        return Estimate(value=0.0, low=0.0, high=high * (len(names) - 1))
    drawn = resampled(sums, seed, RESAMPLES)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high))
