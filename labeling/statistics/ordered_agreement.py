"""Agreement on labels that are a scale, over sentences that are drawn by article."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling.statistics.agreement import cohen_kappa, krippendorff_alpha
from labeling.statistics.coefficient_intervals import chance_of, coefficient, ratio
from labeling.statistics.intervals import Estimate


def weighted_kappa(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    rank: NDArray[np.int64],
    article: NDArray[np.int64],
    weights: NDArray[np.float64],
    power: int,
) -> Estimate:
    """Cohen's weighted kappa of two annotators, with its interval.

    Args:
        first: code of the first annotator's label of each sentence; -1 where there is none.
        second: codes of the second annotator's labels, of the same sentences; at least one sentence has both.
        rank: place on the scale of each code.
        article: number of each sentence's article.
        weights: how often each resample (column) draws each article (row).
        power: 1 for linear weights, 2 for quadratic ones.
    """
    both = (first >= 0) & (second >= 0)
    a, b, kinds = first[both], second[both], len(rank)
    touched, place = np.unique(article[both], return_inverse=True)
    cells = np.bincount((place * kinds + a) * kinds + b, minlength=len(touched) * kinds**2)
    drawn = (cells.reshape(-1, kinds**2).T.astype(float) @ weights[touched]).reshape(kinds, kinds, -1)
    apart = (np.abs(rank[:, None] - rank[None, :]) ** power).astype(float)
    observed = np.einsum("ij,ijr->r", apart, drawn)
    expected = np.einsum("ij,ir,jr->r", apart, drawn.sum(axis=1), drawn.sum(axis=0))
    scale = range(int(rank.max()) + 1)
    value = cohen_kappa(rank[a].tolist(), rank[b].tolist(), "linear" if power == 1 else "quadratic", list(scale))
    kappas = 1 - ratio(drawn.sum(axis=(0, 1)) * observed, expected)
    return coefficient(value, kappas, len(touched), chance_of(np.bincount(np.append(a, b))))


def ordinal_alpha(
    units: Sequence[Sequence[str]],
    counts: NDArray[np.int64],
    rank: NDArray[np.int64],
    names: Sequence[str],
    article: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> Estimate:
    """Krippendorff's alpha for ordinal labels, with its interval.

    Each resample has its own distances, because the distance of two labels is the number of answers between them.

    Args:
        units: the labels of each sentence, two or more.
        counts: how many votes each sentence (row) has for each code (column).
        rank: place on the scale of each code.
        names: all labels, in the order of the scale.
        article: number of each sentence's article.
        weights: how often each resample (column) draws each article (row).
    """
    counts = counts[:, np.argsort(rank)]  # from here on, neighbouring columns are neighbouring labels that occur
    sizes, kinds = counts.sum(axis=1), counts.shape[1]
    together = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(kinds, dtype=int)
    sums = np.zeros((len(weights), kinds**2))
    np.add.at(sums, article, together.reshape(len(counts), -1) / (sizes - 1)[:, None])
    given = np.zeros((len(weights), kinds))
    np.add.at(given, article, counts)
    pairs, totals = (sums.T @ weights).reshape(kinds, kinds, -1), given.T @ weights
    middle = totals.cumsum(axis=0) - totals / 2  # answers below the middle of each label
    apart = (middle[:, None] - middle[None, :]) ** 2
    observed = (pairs * apart).sum(axis=(0, 1))
    expected = (totals[:, None] * totals[None, :] * apart).sum(axis=(0, 1))
    alphas = 1 - ratio((totals.sum(axis=0) - 1) * observed, expected)
    value = krippendorff_alpha(units, "ordinal", names)
    return coefficient(value, alphas, len(weights), chance_of(counts.sum(axis=0)))
