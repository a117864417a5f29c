"""Soft labels: let a logistic regression learn the shares of the votes for a text in place of one label.

A text with votes for several labels is fitted as several copies, one for each label with a vote. A copy weighs as much
as its label's share of the votes, so that all copies of a text together weigh as much as a text with one label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from labeling.scheme import Scheme
from train.records import Example

Shares = NDArray[np.float64]
"""The share of each label (columns, in the order of the scheme) among the votes for each text (rows)."""
Matrix = TypeVar("Matrix", csr_matrix, NDArray[np.float64])


def shares_of(examples: Sequence[Example], scheme: Scheme) -> Shares | None:
    """The shares of the votes for each example; an example without votes has a share of 1 for its label.

    Args:
        examples: the examples.
        scheme: labels of the examples.

    Returns:
        The shares, shape (examples, labels); each row sums to 1. None if no example has votes.

    >>> rows = [Example(sentence_id="1", text="", label="favor", votes={"favor": 2, "none": 1})]
    >>> shares_of(rows, Scheme()).round(3).tolist()
    [[0.667, 0.0, 0.333]]
    """
    if not any(row.votes for row in examples):
        return None
    counts = [row.votes or {row.label: 1} for row in examples]
    table = np.array([[row.get(name, 0) for name in scheme.names] for row in counts], dtype=np.float64)
    shares: Shares = table / table.sum(axis=1, keepdims=True)
    return shares


def copies(
    x: Matrix, labels: NDArray[np.str_], shares: Shares | None, scheme: Scheme
) -> tuple[Matrix, NDArray[np.str_], NDArray[np.float64] | None]:
    """The texts to fit, one copy for each label with a vote, with the label and the weight of each copy.

    N-grams must be counted and weighted before this, on each text once: copies must not make a word more frequent.

    Args:
        x: features of the texts, shape (texts, columns).
        labels: label of each text.
        shares: shares of the votes, as from `shares_of`; None if the texts have no votes.
        scheme: labels of the examples.

    Returns:
        Features, labels and weights of the copies. Without votes, these are the texts and labels as they are, and None.

    References:
        Uma, Fornaciari, Hovy, Paun, Plank & Poesio (2021), Learning from Disagreement: A Survey, JAIR 72:1385-1470,
        section 4: the loss is the cross-entropy with the distribution of the labels, as that of weighted copies is.
    """
    if shares is None:
        return x, labels, None
    rows, columns = np.nonzero(shares)
    return x[rows], np.array(scheme.names)[columns], shares[rows, columns]
