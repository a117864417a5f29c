"""Intervals of scores that are the same in every resample of the bootstrap.

A test set in which the model errs nowhere gives the same score in every resample. An interval of [1, 1] would say that
the next article cannot be wrong either; a bound at the border, as for shares, says what so many articles can tell.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from labeling.intervals import FEWEST_ARTICLES, share_interval

FEWEST = FEWEST_ARTICLES
"""Groups of articles that an interval needs, as for shares."""
UNTOLD = "no interval: too few articles, or none that tells the two apart"
"""What is said of a difference between two models or sizes."""
STILL = 1e-9
"""Resamples that differ by less are the same but for rounding."""

Table = NDArray[np.float64]


def slack(hits: Table, tries: Table) -> tuple[float, float]:
    """How far below and above a share of hits the truth may lie, where resamples don't tell: at 0, at 1, or all alike.

    It is the interval of Korn and Graubard that shares have (`labeling.intervals`): Clopper-Pearson, at the borders
    with as many tries as there are groups, each as if its sentences were always alike.

    Args:
        hits: number of hits of each group.
        tries: number of tries of each group.
    """
    total = float(tries.sum())
    if not total:
        return 0.0, 0.0
    alike = total**2 / float((tries**2).sum())
    value = min(1.0, float(hits.sum()) / total)
    found = share_interval(value, 0.0, total, int((tries > 0).sum()) + 1, alike)
    return value - found.low, found.high - value


def f1_slack(tables: Table, place: int) -> tuple[float, float]:
    """The same of a class's F1, by the share J of hits among all examples that have or were given the class.

    F1 is 2J / (1 + J). A class that nothing has and nothing was given counts 0 by agreement, without doubt.

    Args:
        tables: a confusion table for each group.
        place: the class.
    """
    hits = tables[:, place, place]
    tries = tables[:, place, :].sum(axis=1) + tables[:, :, place].sum(axis=1) - hits
    if not tries.sum():
        return 0.0, 0.0
    below, above = slack(hits, tries)
    share = float(hits.sum() / tries.sum())
    value, low, high = (2 * j / (1 + j) for j in (share, share - below, share + above))
    return value - low, high - value


def widened(value: float, low: float, high: float, slacks: list[tuple[float, float, float]]) -> tuple[float, float]:
    """An interval by bootstrap with what the bootstrap can't see added: the parts that no resample changes.

    Args:
        value: the estimate, a weighted sum of parts.
        low: lower end by bootstrap.
        high: upper end.
        slacks: of each part that no resample changes its weight and how far below and above it the truth may lie.

    References:
        Zou & Donner (2008), Construction of confidence limits about effect measures: a general approach, Statistics in
        Medicine 27:1693-1702: limits of a sum from the limits of its parts.
    """
    below = math.hypot(value - low, *(weight * part for weight, part, _ in slacks))
    above = math.hypot(high - value, *(weight * part for weight, _, part in slacks))
    return max(0.0, value - below), min(1.0, value + above)
