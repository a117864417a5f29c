"""Intervals of scores that are the same in every resample of the bootstrap.

A test set in which the model makes no mistake gives the same score in every resample. An interval of [1, 1] would claim
that the model cannot be wrong on the next article either. Instead the interval is that of a share of 1, whose lower end
depends on the number of articles.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from labeling.statistics.intervals import FEWEST_ARTICLES, share_interval

FEWEST = FEWEST_ARTICLES
"""Number of groups of articles that an interval needs, as for shares."""
STILL = 1e-9
"""Resamples that differ by less than this differ only by rounding."""

Table = NDArray[np.float64]


def slack(hits: Table, tries: Table) -> tuple[float, float]:
    """How far below and above a share of hits the true share may be, where all resamples have the same share.

    That is so where the share is 0 or 1, or the same in all groups. The distances are those of the interval of Korn and
    Graubard that shares have (`labeling.statistics.intervals.share_interval`): a Clopper-Pearson interval on the
    effective number of groups, as if the sentences of a group were always alike.

    Args:
        hits: number of hits in each group, shape (groups,).
        tries: number of tries in each group, shape (groups,).

    Returns:
        The distances from the share down to the lower end and up to the upper end; (0, 0) without tries.

    References:
        Korn and Graubard (1998), Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data, Survey Methodology 24:193-201.

    >>> [round(distance, 4) for distance in slack(np.full(5, 2.0), np.full(5, 2.0))]
    [0.5218, 0.0]
    """
    total = float(tries.sum())
    if not total:
        return 0.0, 0.0
    alike = total**2 / float((tries**2).sum())
    value = min(1.0, float(hits.sum()) / total)
    interval = share_interval(value, 0.0, total, int((tries > 0).sum()) + 1, alike)
    return value - interval.low, interval.high - value


def f1_slack(tables: Table, place: int) -> tuple[float, float]:
    """How far below and above a class's F1 the true F1 may be, where all resamples have the same F1.

    F1 is 2J / (1 + J), where J is the share of hits among all examples that have the class or were predicted to have
    it: with h hits, F1 = 2h / (2h + errors) and J = h / (h + errors). So the ends of the interval of J (see `slack`)
    give those of F1. The F1 of a class that no example has and none was predicted to have is 0 by definition, and its
    distances are 0.

    Args:
        tables: confusion table of each group, shape (groups, classes, classes): true classes by predicted ones.
        place: position of the class in the tables.

    Returns:
        The distances from the F1 down to the lower end and up to the upper end.

    References:
        Korn and Graubard (1998), as for `slack`.

    >>> tables = np.zeros((5, 3, 3))
    >>> tables[:, 0, 0] = 2
    >>> [round(distance, 4) for distance in f1_slack(tables, 0)]
    [0.353, 0.0]
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
    """Widen a bootstrap interval by the uncertainty of parts that no resample changes, which the bootstrap cannot see.

    Args:
        value: the estimate, a weighted sum of parts.
        low: lower end of the bootstrap interval.
        high: upper end of the bootstrap interval.
        slacks: for each part that no resample changes, its weight, and how far below and above it the true value may
            be.

    Returns:
        The lower and the upper end, cut to 0 and 1.

    References:
        Zou & Donner (2008), Construction of confidence limits about effect measures: a general approach, Statistics in
        Medicine 27:1693-1702: limits of a sum from the limits of its parts.

    >>> [round(end, 4) for end in widened(0.5, 0.4, 0.6, [(1.0, 0.0, 0.1)])]
    [0.4, 0.6414]
    """
    below = math.hypot(value - low, *(weight * part for weight, part, _ in slacks))
    above = math.hypot(high - value, *(weight * part for weight, _, part in slacks))
    return max(0.0, value - below), min(1.0, value + above)
