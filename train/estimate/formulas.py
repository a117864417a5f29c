"""Shares by the coder alone and by design-based supervised learning, and differences of shares.

Shares by prediction-powered inference are in `train.predict.influence`, since `stance predict` gives them too.
"""

from __future__ import annotations

import math

import numpy as np

from train.predict.influence import Floats, Influenced, Labels, Places, design_variance, influenced, sums_by


def indicators(place: Places, count: int) -> Floats:
    """One column for each label: 1 where a sentence has it, else 0. A sentence without a label (-1) has zeros only."""
    return np.asarray(place[:, None] == np.arange(count)).astype(np.float64)


def coder_shares(given: Places, home: Places, count: int) -> Influenced:
    """The share of each label among the sentences that a coder gave one: what is called the naive estimate.

    Args:
        given: position of the coder's label for each sentence; -1 where it gave none.
        home: cluster of each sentence.
        count: number of labels in the scheme.

    Returns:
        The shares; NaN if the coder gave no sentence a label.
    """
    chosen = given >= 0
    said = indicators(given[chosen], count)
    homes, at = np.unique(home[chosen], return_inverse=True)
    value = said.mean(axis=0) if len(said) else np.full(count, math.nan)
    pull = sums_by(at, (said - value) / max(len(said), 1), len(homes))
    return influenced(value, homes, pull, len(homes), np.zeros(count))


def design_adjusted(labels: Labels, count: int) -> Floats:
    """What design-based supervised learning (DSL) puts in the place of the labels, most of which are not known.

    With f and y as 1 or 0 for whether the coder and the verdict say a label, and w as 1 / p for a sentence that was
    labelled with the probability p and 0 for any other, the outcome of a sentence is::

        f + w (y - f)

    Its expected value over draws of the sample is y, whatever mistakes the coder makes. So it may stand in the place of
    y in a mean or a regression, although it can lie far below 0 and far above 1.

    Returns:
        The outcomes, with one row for each sentence and one column for each label.

    References:
        Egami, Hinck, Stewart and Wei (2023), Using imperfect surrogates for downstream inference: design-based
        supervised learning for social science applications of large language models, NeurIPS 36.

    >>> labels = Labels(
    ...     stance=np.array([0, 0], np.int8), held=np.array([1, 0], np.int8), weight=np.array([2.0, 0.0]),
    ...     unit=np.arange(2, dtype=np.int32), by_chance=np.array([True, False]),
    ... )
    >>> design_adjusted(labels, 2).tolist()
    [[2.0, -1.0], [1.0, 0.0]]
    """
    f = indicators(labels.held, count)
    return f + labels.weight[:, None] * (indicators(labels.stance, count) - f)


def design_shares(labels: Labels, home: Places, count: int) -> Influenced:
    """The share of each label by design-based supervised learning: the mean of the outcomes of `design_adjusted`.

    The coder counts in full, and the weights are used as they are: in a group, they need not add up to the number of
    its sentences.

    Args:
        labels: labels of the sentences.
        home: cluster of each sentence.
        count: number of labels in the scheme.
    """
    outcome = design_adjusted(labels, count)
    value = outcome.mean(axis=0)
    homes, at = np.unique(home, return_inverse=True)
    pull = sums_by(at, (outcome - value) / len(home), len(homes))
    error = (indicators(labels.stance, count) - indicators(labels.held, count)) / len(home)
    by_design = np.array([design_variance(labels, error[:, n]) for n in range(count)])
    return influenced(value, homes, pull, len(np.unique(home[labels.sampled])), by_design)


def difference(one: Influenced, other: Influenced) -> Influenced:
    """The difference `one` - `other` of estimates on different sentences, which may have clusters in common.

    The degrees of freedom are those of Welch and Satterthwaite, which follow from the variance of each side.

    References:
        Satterthwaite (1946), An approximate distribution of estimates of variance components, Biometrics Bulletin 2(6).
    """
    homes = np.union1d(one.homes, other.homes)
    pull = np.zeros((len(homes), len(one.value)))
    for side, sign in ((one, 1), (other, -1)):
        pull[np.searchsorted(homes, side.homes)] += sign * np.sqrt(side.factor) * side.pull
    least = np.minimum(one.degrees, other.degrees)
    parts = [(side.variance, np.maximum(side.degrees, 1.0)) for side in (one, other)]
    spread = sum(variance**2 / degrees for variance, degrees in parts)
    welch = sum(variance for variance, _ in parts) ** 2 / np.where(spread > 0, spread, 1.0)
    return Influenced(
        value=one.value - other.value,
        homes=homes,
        pull=pull,
        degrees=np.where((least > 0) & (spread > 0), welch, least),
        factor=1.0,
        by_design=one.by_design + other.by_design,
    )


def correction(coder: Influenced, corrected: Influenced) -> Influenced:
    """The difference between what the coder says and the corrected estimate, on the same sentences.

    Its variance is mostly that of the verdicts' sample, and its degrees of freedom are those of the corrected estimate:
    the uncertainty that both have in common cancels out.
    """
    homes = np.union1d(coder.homes, corrected.homes)
    pull = np.zeros((len(homes), len(coder.value)))
    pull[np.searchsorted(homes, coder.homes)] += coder.pull
    pull[np.searchsorted(homes, corrected.homes)] -= corrected.pull
    return Influenced(
        value=coder.value - corrected.value,
        homes=homes,
        pull=pull,
        degrees=corrected.degrees,
        factor=corrected.factor,
        by_design=corrected.by_design,
    )
