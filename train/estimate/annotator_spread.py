"""Estimate how far annotators differ in how often they give each label, on the same sentences.

An interval of a share takes the verdicts as right. Other annotators would have given other verdicts. If some of them
see a stance more readily than others, a share depends on who labelled, and no number of sentences removes that: only
more annotators do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import msgspec
import numpy as np

from labeling.scheme import Stance
from train.predict.influence import Floats

FEWEST_COMMON = 20
"""Number of sentences that two annotators must have in common to be compared: with fewer, chance alone makes them
differ by 20 points and more."""


class AnnotatorSpread(msgspec.Struct, frozen=True, kw_only=True):
    """How far annotators differ.

    Attributes:
        annotators: number of annotators whose votes count.
        effective: the number of annotators who would give shares of the same reliability if each gave equally many
            votes: 1 / Σ q² for shares q of the votes.
        pairs: number of pairs of annotators who were compared.
        variance: variance between annotators in the share of each label, in the order of the scheme; 0 where they
            differ no more than by chance.
    """

    annotators: int
    effective: float
    pairs: int
    variance: list[float]


def annotator_spread(votes: Mapping[str, Mapping[str, Stance]], names: Sequence[Stance]) -> AnnotatorSpread | None:
    """How far annotators differ in the share of each label, from the sentences that pairs of them have in common.

    For a pair with n sentences in common, let d be the mean difference of their votes on a label (1 or 0) and s² the
    variance of the single differences. The expected value of d² - s² / n is twice the variance between annotators. The
    result is half of the mean of d² - s² / n over pairs, in which pairs count by n, or 0 where that is negative.

    Args:
        votes: sentence → annotator → label.
        names: labels in the order of the scheme.

    Returns:
        The spread; None where no two annotators have 20 sentences in common.

    References:
        Brennan (2001), Generalizability Theory, Springer: the variance component of raters, and decision studies.
    """
    given: dict[str, dict[str, int]] = {}
    for sentence, by in votes.items():
        for annotator, stance in by.items():
            given.setdefault(annotator, {})[sentence] = names.index(stance)
    total, weight, pairs = np.zeros(len(names)), 0, 0
    for one, other in combinations(sorted(given), 2):
        common = sorted(given[one].keys() & given[other].keys())
        if len(common) < FEWEST_COMMON:
            continue
        apart = _apart([given[one][name] for name in common], [given[other][name] for name in common], len(names))
        n = len(common)
        total += n * (apart.mean(axis=0) ** 2 - apart.var(axis=0, ddof=1) / n)
        weight += n
        pairs += 1
    if not pairs:
        return None
    shares = np.array([len(mine) for mine in given.values()], np.float64)
    shares /= shares.sum()
    return AnnotatorSpread(
        annotators=len(given),
        effective=float(1 / np.sum(shares**2)),
        pairs=pairs,
        variance=np.maximum(total / weight / 2, 0.0).tolist(),
    )


def _apart(one: Sequence[int], other: Sequence[int], count: int) -> Floats:
    """For each sentence (row) and label (column): 1 if only the first annotator gave it, -1 if only the other did."""
    labels = np.arange(count)
    return np.asarray((np.array(one)[:, None] == labels).astype(float) - (np.array(other)[:, None] == labels))
