"""How far predicted probabilities are from the shares of the votes: cross-entropy and Manhattan distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling.scheme import Scheme
from labeling.statistics.bootstrap import resampled
from labeling.statistics.intervals import Estimate
from labeling.votes import numbered
from train.intervals import FEWEST, STILL
from train.model.soft_labels import Shares, shares_of
from train.records import Distances, Example, VoteScores

RESAMPLES = 2000
LEAST = 1e-12
"""Least probability in a logarithm, so that a prediction of 0 costs much, but not infinitely much."""
FARTHEST = (-float(np.log(LEAST)), 2.0)
"""The largest cross-entropy and Manhattan distance that there can be."""


def distances(shares: Shares, chances: NDArray[np.float64], groups: Sequence[str], seed: int) -> Distances:
    """Mean cross-entropy and mean Manhattan distance between the shares of the votes and probabilities.

    With the share q_c of the votes for label c of an example and its predicted probability p_c, the cross-entropy is
    −Σ q_c ln p_c, and the Manhattan distance is Σ |q_c − p_c|, from 0 to 2. Both are means over examples.

    Args:
        shares: shares of the votes, shape (examples, labels); at least one example.
        chances: probabilities, of the same shape.
        groups: group of each example; the bootstrap draws groups.
        seed: seed of the bootstrap.

    Returns:
        Both means with 95 % percentile intervals. With fewer than 5 groups, and where no resample changes a mean, its
        interval is the whole range of values, which means that nothing is known.

    References:
        Uma et al. (2021), SemEval-2021 Task 12: Learning with Disagreements: cross-entropy as the soft score.
        Leonardelli et al. (2023), SemEval-2023 Task 11: Learning with Disagreements (Le-Wi-Di): cross-entropy.
        Leonardelli et al. (2025), LeWiDi-2025 at NLPerspectives: Manhattan distance in its place.

    >>> found = distances(np.array([[0.75, 0.25]]), np.array([[0.5, 0.5]]), ["a"], seed=1)
    >>> round(found.cross_entropy.value, 4), found.manhattan.value
    (0.6931, 0.5)
    """
    each = np.stack([_entropy(shares, chances), np.abs(shares - chances).sum(axis=1)], axis=1)
    order, at = numbered(groups)
    sums = np.zeros((len(order), 3))
    np.add.at(sums, [at[group] for group in groups], np.column_stack([each, np.ones(len(each))]))
    drawn = resampled(sums, seed, RESAMPLES)
    found = []
    for column, farthest in enumerate(FARTHEST):
        value, spread = float(each[:, column].mean()), drawn[:, column] / drawn[:, 2]
        low, high = np.percentile(spread, [2.5, 97.5])
        if len(order) < FEWEST or np.ptp(spread) < STILL:
            low, high = 0.0, farthest
        found.append(Estimate(value=value, low=float(low), high=float(high)))
    return Distances(cross_entropy=found[0], manhattan=found[1])


def vote_scores(
    training: Sequence[Example], testing: Sequence[Example], chances: NDArray[np.float64], scheme: Scheme, seed: int
) -> VoteScores | None:
    """Compare a model's probabilities with the votes for the test examples; None where no test example has votes.

    Args:
        training: training examples with their votes.
        testing: test examples with their votes; those without votes do not count.
        chances: probabilities of the test examples, shape (examples, labels).
        scheme: labels of the examples.
        seed: seed of the bootstrap.
    """
    places = [n for n, row in enumerate(testing) if row.votes]
    voted = [testing[n] for n in places]
    shares = shares_of(voted, scheme)
    if shares is None:
        return None
    groups = [row.group for row in voted]
    model = distances(shares, chances[places], groups, seed)
    return VoteScores(
        cross_entropy=model.cross_entropy,
        manhattan=model.manhattan,
        constant=distances(shares, _constant(training, voted, scheme), groups, seed),
        entropy=float(_entropy(shares, shares).mean()),
        n=len(voted),
        groups=len(set(groups)),
    )


def _entropy(shares: Shares, chances: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = -(shares * np.log(np.maximum(chances, LEAST))).sum(axis=1)
    return found


def _constant(training: Sequence[Example], asked: Sequence[Example], scheme: Scheme) -> NDArray[np.float64]:
    """For each example the mean shares of the training examples with votes; of its target where the target has some."""
    voted = [row for row in training if row.votes]
    shares = shares_of(voted, scheme)
    if shares is None:
        return np.full((len(asked), len(scheme.names)), 1 / len(scheme.names))
    targets = np.array([row.target for row in voted], dtype=object)
    means = {target: shares[targets == target].mean(axis=0) for target in set(targets.tolist())}
    return np.array([means.get(row.target, shares.mean(axis=0)) for row in asked])
