"""Estimates with 95 % intervals, and the interval of a share among clustered sentences."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

FEWEST_ARTICLES = 5
"""Number of articles that an interval of a share needs: fewer say next to nothing about how articles differ."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A coefficient, share, score, or difference, with its 95 % interval.

    Attributes:
        value: the estimate; NaN (null in JSON) where it is undefined.
        low: lower end of the interval; NaN where there is none. A score of the model, which is a number in every file,
            has the interval from 0 to 1 instead, and a difference of scores that from -1 to 1.
        high: upper end of the interval, as for `low`.
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def is_known(self) -> bool:
        """Whether there is an interval: NaN stands for none, and so do 0 to 1 and, in a difference, -1 to 1.

        >>> Estimate(value=0.5, low=0.25, high=0.75).is_known, Estimate(value=0.5, low=0, high=1).is_known
        (True, False)
        """
        return not math.isnan(self.low) and (self.low, self.high) not in ((0, 1), (-1, 1))


def shown(estimate: Estimate) -> str:
    """A value to three places with its interval, or alone where there is none: the reason is said once beside all.

    >>> shown(Estimate(value=0.5, low=0.25, high=0.75)), shown(Estimate(value=0.5, low=0, high=1))
    ('0.500 [0.250, 0.750]', '0.500')
    """
    value = "undefined" if math.isnan(estimate.value) else f"{estimate.value:.3f}"
    if not estimate.is_known:
        return value
    if estimate.low == estimate.high:
        return f"{value} (in any sample)"
    return f"{value} [{estimate.low:.3f}, {estimate.high:.3f}]"


def percent(estimate: Estimate) -> str:
    """A share in percent with its interval, or alone where there is none.

    >>> percent(Estimate(value=0.5, low=0.25, high=0.75)), percent(Estimate(value=0.5, low=0, high=1))
    ('50.0 % [25.0, 75.0]', '50.0 %')
    """
    if math.isnan(estimate.value):
        return "undefined"
    interval = f" [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]" if estimate.is_known else ""
    return f"{100 * estimate.value:.1f} %{interval}"


def in_percent(part: int, whole: int) -> str:
    """What part of a whole a number is, in percent.

    >>> in_percent(1, 3)
    '33.3 %'
    """
    return f"{100 * part / whole:.1f} %"


def over_whole_range(share: Estimate) -> Estimate:
    """The share, with an interval from 0 to 1 if it has none: files of shares and scores hold numbers.

    >>> over_whole_range(Estimate(value=0.5)).high
    1.0
    """
    return Estimate(value=share.value, low=0.0, high=1.0) if math.isnan(share.low) else share


def percentile_estimate(value: float, drawn: NDArray[np.float64], clusters: int) -> Estimate:
    """A value with its percentile interval of 95 %, from a bootstrap over clusters.

    Args:
        value: the estimate; NaN where it is undefined.
        drawn: values of the estimate in the resamples, NaN where it is undefined; 95 % of them must have a value for
            there to be an interval.
        clusters: number of clusters that were drawn from; fewer than 5 give no interval.

    >>> percentile_estimate(0.5, np.array([0.25, 0.5, 0.75]), 5).high
    0.7375
    """
    defined = drawn[~np.isnan(drawn)]
    if math.isnan(value) or clusters < FEWEST_ARTICLES or len(defined) < 0.95 * len(drawn):
        return Estimate(value=value)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high))


def share_estimates(sums: NDArray[np.float64], units: float) -> list[Estimate]:
    """The share of each label among clustered units, with 95 % intervals that hold near 0 and 1 too.

    The interval is that of Korn and Graubard: a Clopper-Pearson interval on the effective sample size, which is the
    number of units divided by the design effect, the variance between clusters over that of a simple random sample.
    A design effect below 1 counts as 1. A label that all units have, or none, says nothing about how clusters differ:
    each cluster then counts as one unit, as if its units were always alike.

    Args:
        sums: weight of the units of each cluster (rows) with each label (columns); units that weigh 1 are counted.
        units: effective number of units: their number, or (Σ w)² / Σ w² where they weigh unequally.

    Returns:
        Value, low and high of each column, from 0 to 1; no interval (NaN) with fewer than 5 clusters.

    References:
        Korn and Graubard (1998), Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data, Survey Methodology 24:193-201.

    >>> [share_estimates(np.array([[5.0, 0.0]] * 10), 50)[n].low for n in (0, 1)]
    [0.6915028921812392, 0.0]
    """
    clusters, size = len(sums), sums.sum(axis=1)
    value = sums.sum(axis=0) / size.sum()
    if clusters < FEWEST_ARTICLES:
        return [Estimate(value=float(share)) for share in value]
    apart = (sums - np.outer(size, value)) / size.sum()
    variance = clusters / (clusters - 1) * (apart**2).sum(axis=0)
    alike = size.sum() ** 2 / (size**2).sum()
    return [
        share_interval(float(share), float(spread), units, clusters, float(alike))
        for share, spread in zip(value, variance, strict=True)
    ]


def share_interval(value: float, variance: float, units: float, clusters: int, alike: float) -> Estimate:
    """A share with its interval, from its variance between clusters; see `share_estimates`.

    Args:
        value: the share, from 0 to 1.
        variance: variance of the share between clusters; ignored where the share is 0 or 1.
        units: effective number of units, which the effective sample size never exceeds.
        clusters: number of clusters from which the variance is computed; 2 or more.
        alike: effective number of clusters, which is the sample size where the share is 0 or 1.
    """
    from scipy.special import betaincinv, stdtrit  # half a second, which commands without an interval need not spend

    size = alike
    if 0 < value < 1:
        reach = stdtrit(max(units - 1, 1), 0.975) / stdtrit(clusters - 1, 0.975)
        effective = min(value * (1 - value) / variance, units) if variance > 0 else units
        size = effective * reach**2
    hits = value * size
    low = float(betaincinv(hits, size - hits + 1, 0.025)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, size - hits, 0.975)) if value < 1 else 1.0
    return Estimate(value=value, low=min(low, value), high=max(high, value))
