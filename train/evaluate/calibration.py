"""Measure calibration (whether a model that says 80 % is right in 80 % of cases), and correct it by a temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.statistics.bootstrap import resampled
from labeling.statistics.intervals import Estimate, over_whole_range, share_estimates
from train.intervals import FEWEST, STILL, slack, widened
from train.metrics import RESAMPLES, difference

BINS = 10
COLDEST, HOTTEST = 0.05, 20.0
"""Limits of the temperature, which would go to 0 or to infinity if the model were right, or wrong, on every label."""
_LEAST = 1e-12


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Predictions of similar confidence.

    Attributes:
        n: number of predictions.
        confidence: mean probability of the predicted stances.
        accuracy: share of the predictions that are right, with its interval.
    """

    n: int
    confidence: float
    accuracy: Estimate


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How well the confidence in the predicted stance agrees with the share of predictions that are right.

    Attributes:
        bins: bins of the reliability curve, least confident first.
        ece: expected calibration error, 0 to 1: the mean distance between confidence and accuracy over the bins.
        by_chance: ECE that a perfectly calibrated model would exceed in 5 % of such test sets; an `ece` below it is not
            a sign of miscalibration.
        overconfidence: mean confidence minus accuracy: above 0 the model is overconfident, as it is right less often
            than it says; below 0 it is underconfident.
        log_loss: mean of −ln of the probability of the true label; 0 without examples.
        n: number of examples.
        groups: number of groups, which are what the bootstrap draws.
    """

    bins: list[Bin]
    ece: Estimate
    by_chance: float
    overconfidence: Estimate
    log_loss: float
    n: int
    groups: int


class Recalibration(msgspec.Struct, frozen=True, kw_only=True):
    """The fitted temperature, and the calibration before and after; the predicted stances stay the same."""

    temperature: float
    before: Calibration
    after: Calibration


def calibration(
    true: Sequence[Stance],
    probabilities: NDArray[np.float64],
    groups: Sequence[str],
    seed: int,
    scheme: Scheme = DEFAULT,
) -> Calibration:
    """Measure calibration: the reliability curve and the expected calibration error (ECE) of the predicted stance.

    ECE = Σ n_b / n · |accuracy_b − confidence_b| over bins b of the predicted stance's probability. Guo et al.
    use 15 bins of equal width; here up to 10 bins hold equally many examples, so that no bin has only a few, and
    examples of equal confidence are always in the same bin. Of each example only the predicted stance counts
    (top-label calibration).

    The ECE of a sample is too large on average, because distances are never negative and so do not cancel, and a
    resample adds to that. So the interval is the basic bootstrap interval (percentiles reflected at the value, cut to
    0 and 1). In a simulation with groups of ten examples it contained a true ECE of .137 in 87, 90 and 92 % of 200 test
    sets of 20, 60 and 200 groups, but a true ECE of 0 in only half of them. To see whether a model is calibrated at
    all, compare the ECE with `by_chance` (which treats examples as independent), or see `overconfidence`, whose
    interval contained the true value in 89 to 95 %.

    Args:
        true: labels of the examples.
        probabilities: probabilities, shape (examples, stances), in the order of the labels; each row sums to 1.
        groups: group of each example; the bootstrap draws groups.
        seed: seed of the bootstrap.
        scheme: labels of the examples.

    Returns:
        The calibration. Without examples it has no bin. With fewer than 5 groups the intervals are [0, 1], or [-1, 1]
        for `overconfidence`, which means that nothing is known. The intervals of the bins' accuracies are those of
        shares (`labeling.statistics.intervals`).

    Raises:
        ExamplesError: the probabilities have another shape, are negative, or do not sum to 1 in each row.

    References:
        Guo, Pleiss, Sun & Weinberger (2017), On Calibration of Modern Neural Networks, ICML, equation 3.
        Nguyen & O'Connor (2015), Posterior calibration and exploratory analysis for NLP models, EMNLP: equal mass.
        Davison & Hinkley (1997), Bootstrap Methods and their Application, section 5.2: the basic interval.

    >>> chances = np.array([[0.9, 0.05, 0.05]] * 10)
    >>> found = calibration(["favor"] * 6 + ["none"] * 4, chances, [str(n) for n in range(10)], seed=1)
    >>> round(found.ece.value, 4), round(found.overconfidence.value, 4)
    (0.3, 0.3)
    """
    _check(true, probabilities, scheme)
    names = sorted(set(groups))
    n = len(true)
    if not n:
        return Calibration(
            bins=[],
            ece=Estimate(value=0.0, low=0.0, high=1.0),
            by_chance=1.0,
            overconfidence=Estimate(value=0.0, low=-1.0, high=1.0),
            log_loss=0.0,
            n=0,
            groups=0,
        )
    codes = np.array([scheme.names.index(label) for label in true])
    at = {name: n for n, name in enumerate(names)}
    group = np.array([at[name] for name in groups])
    of_label = probabilities[np.arange(n), codes]
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == codes
    # Sorted by value, so that the order of the examples changes neither a draw nor the last bit of a sum.
    order = np.lexsort((of_label, right, confidence, group))
    group, of_label, confidence, right = group[order], of_label[order], confidence[order], right[order]
    place = _bins(confidence)
    # Shape (groups, bins, 3): number of examples, sum of confidences, number of right ones. All of these add up.
    parts = np.zeros((len(names), int(place.max()) + 1, 3))
    np.add.at(parts, (group, place), np.stack([np.ones(n), confidence, right], axis=1))
    whole, drawn = parts.sum(axis=0), resampled(parts, seed, RESAMPLES)
    value, spread = float(_ece(whole)), _ece(drawn)
    low, high = np.percentile(spread, [2.5, 97.5])
    gap, gaps = _gap(whole), _gap(drawn)
    surer = difference(float(gap), gaps, len(names))
    ece_low, ece_high = 0.0, 1.0
    if len(names) >= FEWEST:
        ece_low, ece_high = max(0.0, 2 * value - float(high)), min(1.0, max(0.0, 2 * value - float(low)))
        if np.ptp(drawn[..., 2].sum(axis=1) / drawn[..., 0].sum(axis=1)) < STILL:
            # No resample changes the accuracy, so its uncertainty, which both values share, is added here.
            below, above = slack(parts[..., 2].sum(axis=1), parts[..., 0].sum(axis=1))
            ece_low, ece_high = widened(value, ece_low, ece_high, [(1.0, max(below, above), max(below, above))])
            surer = msgspec.structs.replace(
                surer,
                low=max(-1.0, surer.value - math.hypot(surer.value - surer.low, above)),
                high=min(1.0, surer.value + math.hypot(surer.high - surer.value, below)),
            )
    random = np.random.default_rng([seed, 1])
    lucky = parts.sum(axis=0)[None].repeat(RESAMPLES, axis=0)
    for run in range(RESAMPLES):
        lucky[run, :, 2] = np.bincount(place, weights=random.random(n) < confidence, minlength=len(whole))
    return Calibration(
        bins=[
            Bin(
                n=int(whole[b, 0]),
                confidence=float(whole[b, 1] / whole[b, 0]),
                accuracy=_share(parts[:, b]),
            )
            for b in range(len(whole))
        ],
        ece=Estimate(value=value, low=ece_low, high=ece_high),
        by_chance=float(np.percentile(_ece(lucky), 95)),
        overconfidence=surer,
        log_loss=float(-np.log(np.maximum(of_label, _LEAST)).mean()),
        n=n,
        groups=len(names),
    )


def temperature(true: Sequence[Stance], probabilities: NDArray[np.float64], scheme: Scheme = DEFAULT) -> float:
    """Fit the temperature T for which the probabilities p^(1/T), normalised, have the least log loss on the labels.

    Fit it on out-of-fold probabilities of the training data, never on the test split. Log loss is convex in
    1/T, so bisection of its derivative finds its only minimum.

    Args:
        true: labels of the examples.
        probabilities: probabilities from models that had not seen the example, shape (examples, stances), in the order
            of the labels; each row sums to 1.
        scheme: labels of the examples.

    Returns:
        T from 0.05 to 20; above 1 the model was overconfident. T is 1 without examples, and where all rows are uniform.

    Raises:
        ExamplesError: the probabilities have another shape, are negative, or do not sum to 1 in each row.

    References:
        Guo, Pleiss, Sun & Weinberger (2017), On Calibration of Modern Neural Networks, ICML, section 4.2. For a
        logistic regression, p^(1/T) is the same as dividing the logits by T.

    >>> round(temperature(["favor"] * 6 + ["none"] * 4, np.array([[0.9, 0.05, 0.05]] * 10)), 4)
    2.6309
    """
    _check(true, probabilities, scheme)
    logs = np.log(np.maximum(probabilities, _LEAST))
    if not len(true) or not np.ptp(logs, axis=1).any():
        return 1.0
    of_label = logs[np.arange(len(true)), [scheme.names.index(label) for label in true]]

    def slope(inverse: float) -> float:
        return float(((_powered(logs, inverse) * logs).sum(axis=1) - of_label).sum())

    low, high = 1 / HOTTEST, 1 / COLDEST
    if slope(low) >= 0:
        return HOTTEST
    if slope(high) <= 0:
        return COLDEST
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return round(2 / (low + high), 9)  # the order of the examples changes only later digits


def rescaled(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Rescale probabilities by a temperature T to p^(1/T), normalised; the most likely stance stays the same.

    Args:
        probabilities: probabilities, shape (examples, stances).
        temperature: temperature T, above 0.

    References:
        Guo, Pleiss, Sun & Weinberger (2017), On Calibration of Modern Neural Networks, ICML, section 4.2.

    >>> rescaled(np.array([[0.9, 0.05, 0.05]]), temperature=2.0).round(3).tolist()
    [[0.68, 0.16, 0.16]]
    """
    return _powered(np.log(np.maximum(probabilities, _LEAST)), 1 / temperature)


def recalibrate(
    folds_true: Sequence[Stance],
    folds_probabilities: NDArray[np.float64],
    true: Sequence[Stance],
    probabilities: NDArray[np.float64],
    groups: Sequence[str],
    seed: int,
    scheme: Scheme = DEFAULT,
) -> Recalibration:
    """Fit a temperature on out-of-fold probabilities, and measure calibration on the test split before and after.

    Args:
        folds_true: labels of the training data.
        folds_probabilities: probabilities for the training data from models that had not seen the example, shape
            (training examples, stances).
        true: labels of the test split.
        probabilities: probabilities for the test split, shape (test examples, stances).
        groups: group of each test example.
        seed: seed of the bootstrap.
        scheme: labels of the examples.

    References:
        Guo, Pleiss, Sun & Weinberger (2017), On Calibration of Modern Neural Networks, ICML, section 4.2.

    >>> true, chances = ["favor"] * 6 + ["none"] * 4, np.array([[0.9, 0.05, 0.05]] * 10)
    >>> found = recalibrate(true, chances, true, chances, [str(n) for n in range(10)], seed=1)
    >>> round(found.before.ece.value, 4), round(found.after.ece.value, 4)
    (0.3, 0.0)
    """
    scale = temperature(folds_true, folds_probabilities, scheme)
    return Recalibration(
        temperature=scale,
        before=calibration(true, probabilities, groups, seed, scheme),
        after=calibration(true, rescaled(probabilities, scale), groups, seed, scheme),
    )


def _powered(logs: NDArray[np.float64], inverse: float) -> NDArray[np.float64]:
    powers: NDArray[np.float64] = np.exp(inverse * (logs - logs.max(axis=1, keepdims=True)))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def _bins(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each example, by the rank of its confidence, so that equal confidences share a bin."""
    # Rounded to nine digits, as the last bits depend on the order in which numbers were added up.
    values = np.round(confidence, 9)
    below = np.searchsorted(np.sort(values), values, side="left")
    places: NDArray[np.int64] = np.unique(below * BINS // len(values), return_inverse=True)[1]
    return places


def _ece(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """ECE of sums of shape (…, bins, 3), as n_b |right_b / n_b − confidence_b / n_b| is |right_b − confidence_b|."""
    apart: NDArray[np.float64] = np.abs(parts[..., 2] - parts[..., 1]).sum(axis=-1) / parts[..., 0].sum(axis=-1)
    return apart


def _gap(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    gap: NDArray[np.float64] = (parts[..., 1] - parts[..., 2]).sum(axis=-1) / parts[..., 0].sum(axis=-1)
    return gap


def _share(bin: NDArray[np.float64]) -> Estimate:
    """The accuracy of a bin with its interval, from each group's number of examples, confidence and right ones."""
    held = bin[bin[:, 0] > 0]
    right = np.stack([held[:, 2], held[:, 0] - held[:, 2]], axis=1)
    return over_whole_range(share_estimates(right, float(held[:, 0].sum()))[0])


def _check(true: Sequence[Stance], probabilities: NDArray[np.float64], scheme: Scheme) -> None:
    shape = probabilities.shape
    if shape != (len(true), len(scheme.names)) and len(true):
        raise ExamplesError(
            f"expected probabilities of {len(true)} examples and {len(scheme.names)} stances; got {shape}"
        )
    sums = probabilities.sum(axis=1) if len(true) else np.ones(0)
    odd = ~np.isfinite(sums) | (np.abs(sums - 1) > 1e-6) | ((probabilities < 0).any(axis=1) if len(true) else False)
    if odd.any():
        row = int(np.flatnonzero(odd)[0])
        raise ExamplesError(
            f"expected probabilities from 0 that sum to 1; row {row} has {probabilities[row].tolist()}, sum "
            f"{math.fsum(probabilities[row].tolist())}"
        )
