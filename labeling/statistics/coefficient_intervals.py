"""Coefficients of agreement with the intervals that a bootstrap over articles gives them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from labeling.statistics.intervals import FEWEST_ARTICLES, Estimate, percentile_estimate, share_interval


def ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quotient, NaN where the divisor is 0: there the coefficient is undefined."""
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom != 0)


def chance_of(answers: NDArray[np.int64]) -> float:
    """Agreement by chance, where each answer is drawn from all of them; `answers` counts them by label."""
    return float(((answers / answers.sum()) ** 2).sum())


def coefficient(value: float, drawn: NDArray[np.float64], articles: int, chance: float) -> Estimate:
    """A coefficient of agreement with its interval.

    Where annotators never disagree, every resample gives 1, which does not mean that they never will. The interval then
    follows from that of the share of equal answers, as alpha, kappa and AC1 are 1 - (1 - share) / (1 - chance).

    Args:
        value: the coefficient.
        drawn: values of the coefficient in the resamples, NaN where it is undefined.
        articles: number of articles that its sentences are from.
        chance: agreement by chance, by the coefficient's own definition.
    """
    found = percentile_estimate(value, drawn, articles)
    if found.low < found.high or math.isnan(found.low):
        return found
    if value != 1:  # all articles are alike, so that resampling them tells nothing
        return Estimate(value=value)
    alike = share(1.0, drawn, articles)
    return Estimate(value=value, low=1 - (1 - alike.low) / (1 - chance), high=1.0)


def share(value: float, drawn: NDArray[np.float64], articles: int) -> Estimate:
    """A share with its interval. At 0 and 1 all resamples are alike, so that each article counts as one unit there."""
    if value in (0.0, 1.0):
        return (
            share_interval(value, 0.0, articles, articles, articles)
            if articles >= FEWEST_ARTICLES
            else Estimate(value=value)
        )
    return percentile_estimate(value, drawn, articles)
