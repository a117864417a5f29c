"""A made-up corpus with verdicts on a random sample and a coder that errs more in one outlet, for the estimators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.predict.influence import Labels

SENTENCES = 4000
LABELLED = 500
LABELS = 3


def coded_example() -> tuple[Labels, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The labels, and the article, outlet (0 to 2) and year (0 or 1) of each sentence; four sentences an article.

    The generator is NumPy's old one, whose numbers are the same in every version.
    """
    chance = np.random.RandomState(2023)
    article = np.arange(SENTENCES) // 4
    outlet, year = article % 3, article // 3 % 2
    leaning = np.stack([0.1 + 0.1 * outlet, 0.3 - 0.05 * year, 0.6 - 0.1 * outlet + 0.05 * year], axis=1)
    stance = (chance.random_sample((SENTENCES, 1)) > np.cumsum(leaning, axis=1)).sum(axis=1).clip(0, 2)
    wrong = chance.random_sample(SENTENCES) < 0.1 + 0.15 * outlet
    held = np.where(wrong & (stance == 2), 1, stance)
    held = np.where(chance.random_sample(SENTENCES) < 0.1, chance.randint(0, LABELS, SENTENCES), held)
    drawn = chance.permutation(SENTENCES)[:LABELLED]
    weight = np.zeros(SENTENCES)
    weight[drawn] = SENTENCES / LABELLED
    labels = Labels(
        stance=np.where(weight > 0, stance, 0).astype(np.int8),
        weight=weight,
        unit=np.arange(SENTENCES, dtype=np.int32),
        by_chance=weight > 0,
        held=held.astype(np.int8),
    )
    return labels, article, outlet, year
