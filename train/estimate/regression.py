"""Regress each stance on properties of the articles, by the coder alone and by design-based supervised learning.

Sentences of one article have the same properties. So the sums of their outcomes are all that a regression needs, and
its cost grows with the number of articles.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np
from scipy.special import expit

from labeling.scheme import Stance
from labeling.statistics.intervals import Estimate
from train.estimate.formulas import correction, design_adjusted, indicators
from train.estimate.inputs import Inputs
from train.estimate.regressors import Design, design
from train.predict.influence import Floats, Influenced, Places, influenced, intervals, sums_by

Form = Literal["linear", "logistic"]
STEPS = 100
"""Most steps of Newton's method; it takes under ten where the coefficients are finite."""
FAR = 15.0
"""A coefficient beyond this belongs to a share of 0 or 1 (odds of three millions to one): it has no finite estimate."""


class Coefficient(msgspec.Struct, frozen=True, kw_only=True):
    """A coefficient of a regression of a stance on properties of articles.

    Attributes:
        form: `linear`: in shares, from -1 to 1; `logistic`: in log odds.
        stance: the stance, whose outcome is 1 for it and 0 for any other.
        column: column of the articles; `(intercept)` for the intercept.
        group: group of the column; "" for the intercept.
        other: the group of the column that it is compared with, all else equal; "" for the intercept.
        naive: coefficient by the coder's labels; without an interval, or NaN, if there is no finite estimate.
        dsl: coefficient by design-based supervised learning; None if there is no finite estimate.
        error: how much higher the naive coefficient is; None without `dsl`.
    """

    form: Form
    stance: Stance
    column: str
    group: str
    other: str
    naive: Estimate
    dsl: Estimate | None
    error: Estimate | None


def regressions(inputs: Inputs) -> tuple[list[Coefficient], list[str]]:
    """The linear and the logistic regression of each stance on the columns.

    Returns:
        The coefficients, and notes on what was left out.
    """
    found = design(inputs) if inputs.labels is not None and inputs.columns else None
    if found is None or inputs.labels is None:
        return [], ["no regression: no column has two groups with enough labels"] if inputs.columns else []
    labels, count = inputs.labels.at(found.here), len(inputs.names)
    given = inputs.given[found.here]
    clusters = len(np.unique(inputs.home[found.here][labels.sampled]))
    adjusted = sums_by(found.at, design_adjusted(labels, count), len(found.home))
    said = sums_by(found.at, indicators(given, count), len(found.home))
    everyone = np.bincount(found.at, minlength=len(found.home)).astype(np.float64)
    coded = np.bincount(found.at[given >= 0], minlength=len(found.home)).astype(np.float64)
    rows: list[Coefficient] = []
    notes = list(found.notes)
    forms: tuple[Form, ...] = ("linear", "logistic")
    for form in forms:
        for n, stance in enumerate(inputs.names):
            naive = fit(form, found.matrix, said[:, n], coded, found.home, len(np.unique(found.home)))
            dsl = fit(form, found.matrix, adjusted[:, n], everyone, found.home, clusters)
            if dsl is None:
                notes.append(f"no logistic regression of {stance}: in some group its corrected share is 0 or 1")
            rows += _coefficients(form, stance, found, naive, dsl)
    return rows, notes


def fit(form: Form, matrix: Floats, outcome: Floats, size: Floats, home: Places, clusters: int) -> Influenced | None:
    """Fit a regression whose outcome may lie outside of 0 and 1, with the influence of each cluster.

    The coefficients β solve the moment equations of the linear or logistic model, in which rows stand for `size`
    sentences with outcomes that add up to `outcome`::

        Σ x (outcome - size μ(x'β)) = 0,   μ(z) = z or 1 / (1 + exp(-z))

    The influence of a row is its summand, multiplied by the inverse of Σ size μ'(x'β) x x'; so the variance is that of
    the cluster-robust sandwich.

    Args:
        form: linear or logistic.
        matrix: regressors, of full rank.
        outcome: sum of the outcomes of each row's sentences.
        size: number of sentences of each row.
        home: cluster of each row.
        clusters: number of clusters that tell the variance; degrees of freedom are one less for each coefficient.

    Returns:
        The coefficients; None where the logistic model has no finite ones.

    References:
        Egami, Hinck, Stewart and Wei (2023), as for `train.estimate.formulas.design_adjusted`; equations of the package
        dsl for R, of the same authors.
    """
    beta = _linear(matrix, outcome, size) if form == "linear" else _newton(matrix, outcome, size)
    if beta is None:
        return None
    mean: Floats = matrix @ beta if form == "linear" else expit(matrix @ beta)
    bend = size if form == "linear" else size * mean * (1 - mean)
    information = matrix.T @ (bend[:, None] * matrix)
    scores = matrix * (outcome - size * mean)[:, None]
    homes, at = np.unique(home, return_inverse=True)
    pull = np.linalg.solve(information, sums_by(at, scores, len(homes)).T).T.astype(np.float64)
    found = influenced(beta, homes, pull, clusters, np.zeros(len(beta)))
    return msgspec.structs.replace(found, degrees=np.full(len(beta), float(clusters - len(beta))))


def _linear(matrix: Floats, outcome: Floats, size: Floats) -> Floats | None:
    """The coefficients of the linear model; None where too few rows have sentences to tell them apart."""
    information = matrix.T @ (size[:, None] * matrix)
    if np.linalg.matrix_rank(information) < matrix.shape[1]:
        return None
    return np.asarray(np.linalg.solve(information, matrix.T @ outcome))


def _newton(matrix: Floats, outcome: Floats, size: Floats) -> Floats | None:
    """The coefficients of the logistic model; None where there are no finite ones.

    They lie at the greatest value of the concave function Σ outcome x'β - size log(1 + exp(x'β)).
    """

    def height(beta: Floats) -> float:
        z = matrix @ beta
        return float(outcome @ z - size @ np.logaddexp(0, z))

    beta: Floats = np.zeros(matrix.shape[1])
    for _ in range(STEPS):
        mean = expit(matrix @ beta)
        slope = matrix.T @ (outcome - size * mean)
        information = matrix.T @ ((size * mean * (1 - mean))[:, None] * matrix)
        try:
            step = np.linalg.solve(information, slope)
        except np.linalg.LinAlgError:
            return None
        if np.abs(step).max() < 1e-10:
            return beta
        before, length = height(beta), 1.0
        while height(beta + length * step) < before - 1e-12 * abs(before) and length > 1e-6:
            length /= 2
        beta = beta + length * step
        if np.abs(beta).max() > FAR:
            return None
    return None


def _coefficients(
    form: Form, stance: Stance, found: Design, naive: Influenced | None, dsl: Influenced | None
) -> list[Coefficient]:
    naives = intervals(naive) if naive else [Estimate(value=math.nan)] * len(found.terms)
    dsls: list[Estimate | None] = [*intervals(dsl)] if dsl else [None] * len(found.terms)
    errors: list[Estimate | None] = [None] * len(found.terms)
    if naive and dsl:
        errors = [*intervals(correction(naive, dsl))]
    return [
        Coefficient(
            form=form, stance=stance, column=column, group=group, other=other,
            naive=naives[n], dsl=dsls[n], error=errors[n],
        )
        for n, (column, group, other) in enumerate(found.terms)
    ]  # fmt: skip
