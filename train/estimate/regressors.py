"""The regressors of a regression of stance on properties of articles."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from corpus.numbers import agreeing, number
from train.estimate.inputs import Column, Inputs
from train.estimate.refusals import support
from train.predict.influence import Floats, Places

INTERCEPT = "(intercept)"


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a regression, with one row for all sentences of an article that are counted with one home.

    Attributes:
        matrix: the regressors: 1 in the first column, then 1 or 0 for each group that is compared with another.
        terms: column, group and other group of each regressor.
        at: the row of each sentence of `here`.
        here: positions of the sentences that the regression is of.
        home: cluster of each row.
        notes: what was left out, a line each.
    """

    matrix: Floats
    terms: list[tuple[str, str, str]]
    at: Places
    here: Places
    home: Places
    notes: list[str]


def design(inputs: Inputs) -> Design | None:
    """The regressors: one for each group but the largest of each column.

    Sentences of groups that have too few labels for an interval are left out, and so is a group that cannot be told
    apart from others, such as the only outlet in a language where the language is a column too.

    Returns:
        The design, or None where nothing is left to compare.
    """
    here: Places = np.arange(len(inputs.given))
    notes: list[str] = []
    for column in inputs.columns:
        small = [column.groups.index(name) for name, mine in column.positions() if support(inputs, mine).reason]
        if small:
            left_out = np.isin(column.code[here], small)
            here = here[~left_out]
            sentences, groups = number(int(left_out.sum()), "sentence"), number(len(small), "group")
            have = agreeing(len(small), "have")
            notes.append(
                f"the regression leaves out {sentences} of {groups} by {column.name}, which {have} too few labels"
            )
    if not len(here):
        return None
    pairs, first, at = np.unique(
        np.stack([inputs.article[here], inputs.home[here]]), axis=1, return_index=True, return_inverse=True
    )
    at = at.reshape(-1)
    size = np.bincount(at).astype(np.float64)
    root = np.sqrt(size)
    kept: list[Floats] = [np.ones(len(size))]
    basis: list[Floats] = [root / np.linalg.norm(root)]
    terms = [(INTERCEPT, "", "")]
    for column in inputs.columns:
        code = column.code[here][first]
        for group, regressor in _dummies(column, code, size):
            direction = _new_direction(basis, regressor * root)
            if direction is not None:
                basis.append(direction)
                kept.append(regressor)
                terms.append((column.name, *group))
            else:
                notes.append(
                    f"the regression leaves out {column.name} = {group[0]}, which the columns before it already tell"
                )
    if len(kept) == 1:
        return None
    return Design(matrix=np.stack(kept, axis=1), terms=terms, at=at, here=here, home=pairs[1], notes=notes)


def _dummies(column: Column, code: Places, size: Floats) -> list[tuple[tuple[str, str], Floats]]:
    """A regressor for each group but the one with the most sentences, of equally large ones the first by name."""
    counts = np.bincount(code, size, len(column.groups))
    reference = int(counts.argmax())
    return [
        ((column.groups[one], column.groups[reference]), (code == one).astype(np.float64))
        for one in np.flatnonzero(counts).tolist()
        if one != reference
    ]


def _new_direction(basis: Sequence[Floats], regressor: Floats) -> Floats | None:
    """The part of a regressor that no combination of the others gives, of length 1; None where there is none."""
    left = regressor
    for _ in range(2):  # once more takes away what rounding left in the first pass
        for known in basis:
            left = left - (known @ left) * known
    length = float(np.linalg.norm(left))
    return left / length if length > 1e-8 * np.linalg.norm(regressor) else None
