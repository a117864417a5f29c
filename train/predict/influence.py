"""Prediction-powered shares with the influence of each cluster of sentences on them.

The influence of a cluster is how far its sentences pull an estimate away from its expected value. The variance of an
estimate, and of a sum or a difference of estimates, is the sum of the squared influences, whatever the sentences of one
cluster have in common.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from labeling.statistics.intervals import Estimate, share_interval

Floats = NDArray[np.float64]
Places = NDArray[np.integer]


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """The labels that people gave to some of the sentences: one entry per sentence, in the order of `Guesses`.

    A label holds for all exact copies of its sentence.

    Attributes:
        stance: position of the label in the scheme; arbitrary where `weight` is 0.
        weight: weight of the label, from `labeling.sampling.corpus_shares.weights`, the same for all copies; 0 where
            there is no label.
        unit: number of the sentence's copy group, which is labelled as one unit.
        by_chance: whether the unit was drawn with a known probability.
        held: position in the scheme of the label that the coder gives without knowing any label of the sentence's
            `home` article, such as a model that was trained without them; -1 where it gives none.
    """

    stance: NDArray[np.int8]
    weight: Floats
    unit: NDArray[np.int32]
    by_chance: NDArray[np.bool_]
    held: NDArray[np.int8]

    def at(self, here: Places) -> Labels:
        """The labels of some of the sentences, by their positions."""
        return Labels(
            stance=self.stance[here],
            weight=self.weight[here],
            unit=self.unit[here],
            by_chance=self.by_chance[here],
            held=self.held[here],
        )

    @property
    def sampled(self) -> NDArray[np.bool_]:
        """Whether each sentence has a label that speaks for the corpus, as chance chose it."""
        return (self.weight > 0) & self.by_chance


class Influenced(msgspec.Struct, frozen=True, kw_only=True):
    """Estimates with the influence of each cluster on them.

    Attributes:
        value: the estimates, one for each label or coefficient.
        homes: numbers of the clusters, sorted.
        pull: influence of each cluster (rows) on each estimate (columns).
        degrees: degrees of freedom of each estimate's variance; 0 or less where nothing is known of how clusters
            differ.
        factor: what the sum of the squared influences is multiplied by: G / (G - 1) for G clusters; 1 where there are
            fewer than two, and the variance means nothing.
        by_design: the part of each variance that is there only because not all sentences are labelled.
    """

    value: Floats
    homes: Places
    pull: Floats
    degrees: Floats
    factor: float
    by_design: Floats

    @property
    def variance(self) -> Floats:
        """The variance of each estimate."""
        return np.asarray(self.factor * np.sum(self.pull**2, axis=0))


def powered_shares(labels: Labels, home: Places, trust: float, count: int) -> Influenced:
    """The share of each label by prediction-powered inference with power tuning (PPI++).

    With f and y as 1 or 0 for whether the coder and the verdict say a label, N sentences, and the verdicts' weights w,
    the share is::

        θ = λ Σ f / N  +  Σ w (y - λ f) / Σ w

    and the influence of a sentence on it is, with the weighted mean e of y - λ f::

        λ (f - Σ f / N) / N  +  w (y - λ f - e) / Σ w

    Args:
        labels: labels of the sentences, of which at least one is labelled.
        home: cluster of each sentence.
        trust: weight λ of the coder, from 0 to 1.
        count: number of labels in the scheme.

    References:
        Angelopoulos, Duchi and Zrnic (2023), PPI++: Efficient prediction-powered inference, arXiv 2311.01453.
    """
    homes, at = np.unique(home, return_inverse=True)
    total = labels.weight.sum()
    values, pulls, by_design = np.zeros(count), np.zeros((len(homes), count)), np.zeros(count)
    for n in range(count):
        f = trust * (labels.held == n)
        error = (labels.stance == n) - f
        mean_f, mean_error = f.mean(), labels.weight @ error / total
        pull = (f - mean_f) / len(home) + labels.weight * (error - mean_error) / total
        values[n] = mean_f + mean_error
        pulls[:, n] = np.bincount(at, pull, len(homes))
        by_design[n] = design_variance(labels, (error - mean_error) / total)
    clusters = len(np.unique(home[labels.sampled]))
    return influenced(values, homes, pulls, clusters, by_design)


def influenced(value: Floats, homes: Places, pull: Floats, clusters: int, by_design: Floats) -> Influenced:
    """Estimates whose degrees of freedom are one less than the number of clusters that tell their variance."""
    return Influenced(
        value=value,
        homes=homes,
        pull=pull,
        degrees=np.full(len(value), clusters - 1.0),
        factor=clusters / (clusters - 1) if clusters > 1 else 1.0,
        by_design=by_design,
    )


def design_variance(labels: Labels, error: Floats) -> float:
    """The variance of Σ w e over draws of the sample, estimated from the sentences that were drawn.

    It is Σ w (w - 1) e² over the units, as if each was drawn on its own (Poisson sampling), which comes close to simple
    random sampling where the e add up to about 0. The copies of a unit are drawn together, so their e are added first.

    Args:
        labels: labels of the sentences.
        error: what each sentence adds to the estimate for each unit of its weight.

    References:
        Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, section 3.5.
    """
    drawn = labels.weight > 0
    _, first, at = np.unique(labels.unit[drawn], return_index=True, return_inverse=True)
    weight = labels.weight[drawn][first]
    return float(np.sum(weight * np.maximum(weight - 1, 0) * np.bincount(at, error[drawn], len(first)) ** 2))


def intervals(found: Influenced, low: float = -math.inf, high: float = math.inf) -> list[Estimate]:
    """The estimates with 95 % intervals by Student's t distribution.

    Args:
        found: the estimates.
        low: least value that is possible; estimates and intervals are cut there.
        high: greatest value that is possible.

    Returns:
        One estimate for each value; without an interval (NaN) where the degrees of freedom are 0 or less.
    """
    known = found.degrees > 0
    reach = stdtrit(np.where(known, found.degrees, 1.0), 0.975)
    half = reach * np.sqrt(np.where(known, found.variance, 0.0))
    return [
        Estimate(value=min(max(value, low), high), low=max(value - side, low), high=min(value + side, high))
        if known[n]
        else Estimate(value=min(max(value, low), high))
        for n, (value, side) in enumerate(zip(found.value.tolist(), half.tolist(), strict=True))
    ]


def bounded(found: Influenced, labels: Labels, home: Places) -> list[Estimate]:
    """Corrected shares with 95 % intervals, cut to [0, 1].

    At 0 and 1 an interval is at least that of a share of as many clusters that are always alike: where all verdicts and
    predictions are alike, their variance is 0, which says nothing.

    Args:
        found: the shares, from two or more clusters with labels.
        labels: labels of the sentences that the shares are of.
        home: cluster of each of these sentences.
    """
    clusters = round(float(found.degrees[0])) + 1
    reach = stdtrit(clusters - 1, 0.975) * np.sqrt(found.factor)
    by_home = np.bincount(np.unique(home, return_inverse=True)[1], labels.weight)
    alike = float(by_home.sum() ** 2 / (by_home**2).sum())
    estimates: list[Estimate] = []
    for n, share in enumerate(found.value):
        half = reach * np.sqrt(np.sum(found.pull[:, n] ** 2))
        value, low, high = np.clip([share + side for side in (0.0, -half, half)], 0.0, 1.0).tolist()
        if value in (0.0, 1.0):
            border = share_interval(value, 0.0, float(len(home)), clusters, alike)
            low, high = min(low, border.low), max(high, border.high)
        estimates.append(Estimate(value=value, low=low, high=high))
    return estimates


def sums_by(at: Places, values: Floats, count: int) -> Floats:
    """The sums of the rows of `values` by group, whose positions `at` go from 0 to `count` - 1."""
    return np.stack([np.bincount(at, column, count) for column in values.T], axis=1)
