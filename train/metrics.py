"""Compute scores with intervals (F_avg, macro-F1, accuracy, F1 by class), and compare two models."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.statistics.bootstrap import resampled
from labeling.statistics.intervals import Estimate
from train.intervals import FEWEST, STILL, f1_slack, slack, widened
from train.records import ClassScore, Scores

RESAMPLES = 2000


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two sets of predictions on the same examples.

    Attributes:
        first: F_avg of the first set.
        second: F_avg of the second set.
        f_avg: F_avg of the first set minus that of the second.
        macro_f1: macro-F1 of the first set minus that of the second.
        accuracy: accuracy of the first set minus that of the second.
        at_most_zero: share of resamples in which the F_avg of the first set is not higher: near 0 the first set is
            better, near 1 it is not. None for fewer than 5 groups.
        n: number of examples.
        groups: number of groups, which are what the bootstrap draws.
    """

    first: Estimate
    second: Estimate
    f_avg: Estimate
    macro_f1: Estimate
    accuracy: Estimate
    at_most_zero: float | None
    n: int
    groups: int


def evaluate(
    true: Sequence[Stance],
    given: Sequence[Stance],
    groups: Sequence[str],
    seed: int,
    possible: Collection[Stance] | None = None,
    scheme: Scheme = DEFAULT,
) -> Scores:
    """Score predictions, with percentile intervals by bootstrap over groups.

    F_avg is the mean of the F1 scores of the scheme's `scored` labels (of the default scheme: favor and against, as in
    SemEval-2016 Task 6), macro-F1 the mean of the F1 scores of all labels; the F1 of a class that neither occurs nor is
    predicted is 0, as in the script of that task. The bootstrap draws groups, not examples, because sentences of one
    article are not independent. With fewer than 5 groups the intervals are [0, 1], which means that nothing is known.
    Where no resample changes a class's F1 or the accuracy, for instance because every prediction is right, the interval
    is that of a share of 0 or 1 (`train.intervals`).

    In a simulation with groups of ten examples that share their mix of labels and their difficulty, the interval of
    F_avg contained the true value in 92, 94, 95 and 95 % of 300 test sets of 10, 20, 40 and 100 groups (November 2026;
    `tests/test_evaluate.py` repeats the simulation): with ten groups or fewer it is too narrow.

    Args:
        true: labels of the examples.
        given: predictions, in the same order.
        groups: group of each example.
        seed: seed of the bootstrap.
        possible: labels that can be predicted at all, where that is known, as it is for the majority label: the F1 of
            any other label is 0 in every sample.
        scheme: labels of the examples, and which of them F_avg averages.

    Returns:
        All scores, from 0 to 1, with 95 % intervals.

    References:
        Mohammad, Kiritchenko, Sobhani, Zhu & Cherry (2016), SemEval-2016 Task 6: Detecting Stance in Tweets: F_avg.

    >>> found = evaluate(["favor", "favor", "against", "none"], ["favor", "none", "against", "none"], list("abcd"), 1)
    >>> round(found.f_avg.value, 4), round(found.macro_f1.value, 4), found.accuracy.value
    (0.8333, 0.7778, 0.75)
    """
    names = sorted(set(groups))
    tables = confusions(true, given, groups, names, scheme)
    whole = tables.sum(axis=0)
    f_avg, macro_f1, accuracy = _scores(tables, resampled(tables, seed, RESAMPLES), scheme, possible)
    precision, recall, f1 = (part[0] for part in _by_class(whole[None]))
    return Scores(
        f_avg=f_avg,
        macro_f1=macro_f1,
        accuracy=accuracy,
        by_class={
            stance: ClassScore(
                precision=float(precision[n]),
                recall=float(recall[n]),
                f1=float(f1[n]),
                support=int(whole[n].sum()),
            )
            for n, stance in enumerate(scheme.names)
        },
        confusion=whole.astype(int).tolist(),
        n=len(true),
        groups=len(names),
    )


def _scores(
    tables: NDArray[np.float64],
    drawn: NDArray[np.float64],
    scheme: Scheme,
    possible: Collection[Stance] | None = None,
) -> tuple[Estimate, Estimate, Estimate]:
    """F_avg, macro-F1 and accuracy with their intervals, from each group's confusion table and the resamples."""
    whole = tables.sum(axis=0)
    values, spread = summaries(whole[None], scheme)[:, 0], summaries(drawn, scheme)
    if len(tables) < FEWEST:
        one, two, three = (Estimate(value=float(value), low=0.0, high=1.0) for value in values)
        return one, two, three
    by_class = _by_class(drawn)[2]
    possible = scheme.names if possible is None else possible
    still = [n for n, name in enumerate(scheme.names) if name in possible and np.ptp(by_class[:, n]) < STILL]
    slacks = {n: f1_slack(tables, n) for n in still}
    right, sizes = np.trace(tables, axis1=1, axis2=2), tables.sum(axis=(1, 2))
    parts = [
        [(1 / len(scheme.scored), *slacks[n]) for n in scheme.columns if n in slacks],
        [(1 / len(scheme.names), *slacks[n]) for n in slacks],
        [(1.0, *slack(right, sizes))] if np.ptp(spread[2]) < STILL else [],
    ]
    ends = np.percentile(spread, [2.5, 97.5], axis=1).T
    found = []
    for value, (low, high), part in zip(values.tolist(), ends.tolist(), parts, strict=True):
        low, high = widened(value, low, high, part)
        found.append(Estimate(value=value, low=low, high=high))
    return found[0], found[1], found[2]


def f_avg(true: Sequence[Stance], given: Sequence[Stance], scheme: Scheme = DEFAULT) -> float:
    """F_avg alone, without an interval, for the many folds of a search; see `evaluate`.

    >>> round(f_avg(["favor", "favor", "against"], ["favor", "none", "against"]), 4)
    0.8333
    """
    return _alone(true, given, scheme, 0)


def macro_f1(true: Sequence[Stance], given: Sequence[Stance], scheme: Scheme = DEFAULT) -> float:
    """Macro-F1 alone, without an interval, for the many folds of a search; see `evaluate`.

    >>> round(macro_f1(["favor", "favor", "none"], ["favor", "none", "none"]), 4)
    0.4444
    """
    return _alone(true, given, scheme, 1)


def _alone(true: Sequence[Stance], given: Sequence[Stance], scheme: Scheme, row: int) -> float:
    return float(summaries(confusions(true, given, [""] * len(true), [""], scheme), scheme)[row, 0])


def compare(
    true: Sequence[Stance],
    first: Sequence[Stance],
    second: Sequence[Stance],
    groups: Sequence[str],
    seed: int,
    scheme: Scheme = DEFAULT,
) -> Comparison:
    """Compare two models on the same examples, by paired bootstrap over groups.

    Both are scored on the same resamples, so that examples that are hard for both do not widen the interval.

    In the simulation of `evaluate`, the interval contained the true difference in 90, 93, 95 and 93 % of the test sets.

    Args:
        true: labels of the examples.
        first: predictions of the first model, in the same order.
        second: predictions of the second model, in the same order.
        groups: group of each example.
        seed: seed of the bootstrap.
        scheme: labels of the examples.

    Returns:
        The differences of the scores, first minus second, with 95 % intervals.

    References:
        Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapters 8 and 13 (pairs; percentiles).
        Berg-Kirkpatrick, Burkett & Klein (2012), An Empirical Investigation of Statistical Significance in NLP,
        EMNLP: the paired bootstrap for test sets; here groups are drawn, and the share is of differences ≤ 0.

    >>> true = ["favor", "favor", "against", "none"]
    >>> found = compare(true, true, ["favor", "none", "against", "none"], list("abcd"), seed=1)
    >>> round(found.f_avg.value, 4), found.accuracy.value
    (0.1667, 0.25)
    """
    names = sorted(set(groups))
    one, two = (confusions(true, given, groups, names, scheme) for given in (first, second))
    return compare_tables(one, two, len(true), seed, scheme)


def difference(value: float, drawn: NDArray[np.float64], groups: int) -> Estimate:
    """A difference with its 95 % percentile interval, which is [-1, 1] where nothing is known.

    Nothing is known with fewer than 5 groups, and where no resample changes the difference: two models that never
    differ on a few articles may still differ on the next one.

    Args:
        value: difference of two fractions.
        drawn: the difference in each resample, shape (resamples,).
        groups: number of groups that the resamples draw from.

    References:
        Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13 (percentiles).

    >>> round(difference(0.1, np.linspace(0, 0.2, 2001), groups=10).low, 4)
    0.005
    """
    if groups < FEWEST or np.ptp(drawn) < STILL:
        return Estimate(value=value, low=-1.0, high=1.0)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high))


def compare_tables(
    one: NDArray[np.float64], two: NDArray[np.float64], n: int, seed: int, scheme: Scheme = DEFAULT
) -> Comparison:
    """Compare two sets of predictions from each group's confusion table; see `compare`.

    Args:
        one: confusion tables of the first set, shape (groups, stances, stances).
        two: confusion tables of the second set, of the same groups in the same order.
        n: number of examples.
        seed: seed of the bootstrap.
        scheme: labels of the examples.
    """
    both = np.stack([one, two], axis=1)
    whole = summaries(both.sum(axis=0), scheme)
    drawn = resampled(both, seed, RESAMPLES)
    first, second = summaries(drawn[:, 0], scheme), summaries(drawn[:, 1], scheme)
    apart = first - second
    f_avg, macro_f1, accuracy = (difference(float(whole[m, 0] - whole[m, 1]), apart[m], len(one)) for m in range(3))
    return Comparison(
        first=_scores(one, drawn[:, 0], scheme)[0],
        second=_scores(two, drawn[:, 1], scheme)[0],
        f_avg=f_avg,
        macro_f1=macro_f1,
        accuracy=accuracy,
        at_most_zero=float((apart[0] <= 0).mean()) if len(one) >= FEWEST else None,
        n=n,
        groups=len(one),
    )


def confusions(
    true: Sequence[Stance],
    given: Sequence[Stance],
    groups: Sequence[str],
    names: Sequence[str],
    scheme: Scheme = DEFAULT,
) -> NDArray[np.float64]:
    """A confusion table for each group: shape (groups, true stances, predicted stances), groups as in `names`."""
    place = {name: n for n, name in enumerate(names)}
    at = {label: n for n, label in enumerate(scheme.names)}
    tables = np.zeros((len(names), len(at), len(at)))
    rows = [(place[group], at[label], at[guess]) for label, guess, group in zip(true, given, groups, strict=True)]
    np.add.at(tables, tuple(np.array(rows, dtype=int).reshape(-1, 3).T), 1)
    return tables


def _by_class(tables: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Precision, recall and F1 of each class, for a stack of confusion tables; 0 where undefined."""
    hit = np.diagonal(tables, axis1=1, axis2=2)
    given, true = tables.sum(axis=1), tables.sum(axis=2)

    def ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)

    return ratio(hit, given), ratio(hit, true), ratio(2 * hit, given + true)


def summaries(tables: NDArray[np.float64], scheme: Scheme = DEFAULT) -> NDArray[np.float64]:
    """F_avg, macro-F1 and accuracy (rows) for each of a stack of confusion tables (columns)."""
    f1 = _by_class(tables)[2]
    correct = np.trace(tables, axis1=1, axis2=2) / np.maximum(tables.sum(axis=(1, 2)), 1)
    return np.stack([f1[:, scheme.columns].mean(axis=1), f1.mean(axis=1), correct])
