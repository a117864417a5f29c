"""Decision values of a logistic regression, and the probabilities that they stand for.

This module and those of the scorer work without scikit-learn: importing it would take a process that only applies a
model 120 MB more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from labeling.scheme import Stance


def of_each_class(found: NDArray[np.floating[Any]]) -> NDArray[Any]:
    """Decision values with a column for each class.

    Of two classes, scikit-learn has one decision value for both, which is divided here.
    """
    if found.ndim > 1 and found.shape[1] > 1:
        return found
    one = found.ravel()
    return np.stack([-one / 2, one / 2], axis=1)


def of_decisions(
    classes: Sequence[str], found: NDArray[np.floating[Any]], labels: Sequence[Stance]
) -> NDArray[np.float64]:
    """The probabilities that decision values (columns in the order of `classes`) stand for; see `columns`."""
    chances = softmax(of_each_class(found).astype(np.float64), axis=1)
    shown = np.zeros((len(chances), len(labels)))
    shown[:, [labels.index(label) for label in classes]] = chances
    return shown
