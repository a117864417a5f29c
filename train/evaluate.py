"""Scores with intervals: F_avg, macro-F1, accuracy, by class, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling.records import STANCES, Stance
from train.records import ClassScore, Score, Scores

REPLICATES = 2000


def evaluate(true: Sequence[Stance], given: Sequence[Stance], groups: Sequence[str], seed: int) -> Scores:
    """Score predictions, with percentile intervals by bootstrap over groups.

    F_avg is the mean of F1 of `favor` and of `against` (Mohammad et al. 2016, SemEval-2016 Task 6), macro-F1
    the mean over all three; a class that neither occurs nor is predicted counts 0, as in the task's script.
    Groups, not examples, are drawn: sentences of one article are not independent. With one group the interval
    is the value itself.

    Args:
        true: the labels.
        given: the predictions, in the same order.
        groups: each example's group.
        seed: of the bootstrap.
    """
    at = {stance: n for n, stance in enumerate(STANCES)}
    names = {group: n for n, group in enumerate(sorted(set(groups)))}
    tables = np.zeros((len(names), 3, 3))
    for label, guess, group in zip(true, given, groups, strict=True):
        tables[names[group], at[label], at[guess]] += 1
    whole = tables.sum(axis=0)
    draws = np.random.default_rng(seed).integers(0, len(names), (REPLICATES, len(names)))
    weights = np.stack([np.bincount(draw, minlength=len(names)) for draw in draws])
    drawn = np.einsum("rg,gij->rij", weights, tables)
    value, spread = _summaries(whole[None])[:, 0], _summaries(drawn)
    low, high = np.percentile(spread, [2.5, 97.5], axis=1)
    f_avg, macro_f1, accuracy = (Score(value=float(value[n]), low=float(low[n]), high=float(high[n])) for n in range(3))
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
            for n, stance in enumerate(STANCES)
        },
        confusion=whole.astype(int).tolist(),
        n=len(true),
        groups=len(names),
    )


def f_avg(true: Sequence[Stance], given: Sequence[Stance]) -> float:
    """F_avg alone, for the many folds of a search; see `evaluate`."""
    return _alone(true, given, 0)


def macro_f1(true: Sequence[Stance], given: Sequence[Stance]) -> float:
    """Macro-F1 alone, for the many folds of a search; see `evaluate`."""
    return _alone(true, given, 1)


def _alone(true: Sequence[Stance], given: Sequence[Stance], row: int) -> float:
    at = {stance: n for n, stance in enumerate(STANCES)}
    table = np.zeros((1, 3, 3))
    np.add.at(table, (0, [at[label] for label in true], [at[guess] for guess in given]), 1)
    return float(_summaries(table)[row, 0])


def _by_class(tables: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Precision, recall and F1 of each class, for a stack of confusion tables; 0 where undefined."""
    hit = np.diagonal(tables, axis1=1, axis2=2)
    given, true = tables.sum(axis=1), tables.sum(axis=2)

    def ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)

    return ratio(hit, given), ratio(hit, true), ratio(2 * hit, given + true)


def _summaries(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """F_avg, macro-F1 and accuracy (rows) of a stack of confusion tables (columns)."""
    f1 = _by_class(tables)[2]
    favor, against = STANCES.index("favor"), STANCES.index("against")
    correct = np.trace(tables, axis1=1, axis2=2) / np.maximum(tables.sum(axis=(1, 2)), 1)
    return np.stack([(f1[:, favor] + f1[:, against]) / 2, f1.mean(axis=1), correct])
