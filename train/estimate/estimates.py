"""Estimate shares, differences and regressions of stances, with the coder's own figures beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from labeling.scheme import DEFAULT, Scheme
from train.estimate.groups import Difference, Group, grouped
from train.estimate.inputs import Inputs, read_inputs
from train.estimate.regression import Coefficient, regressions
from train.predict.score_corpus import Progress
from train.predict.shares import power


class Estimates(msgspec.Struct, frozen=True, kw_only=True):
    """All estimates for a corpus.

    Attributes:
        coder: the coder whose errors are corrected.
        power: weight λ of the coder in PPI++, from 0 to 1; None without a correction.
        why_not: why there is no correction at all; "" if there is one.
        groups: shares of the whole corpus, then of each group.
        differences: differences of shares between groups.
        coefficients: coefficients of the regressions.
        notes: what the user should know, a line each.
    """

    coder: str
    power: float | None
    why_not: str
    groups: list[Group]
    differences: list[Difference]
    coefficients: list[Coefficient]
    notes: list[str]


def estimate(
    work: Path,
    target: str,
    by: Sequence[str] = (),
    coder: str | None = None,
    scheme: Scheme = DEFAULT,
    progress: Progress = lambda done, total: None,
) -> Estimates:
    """Estimate shares of stances in the corpus and in groups of articles, their differences, and regressions.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        by: columns to group by: outlet, month, year, language, or another column of the articles.
        coder: machine coder or file of predictions, as for `train.estimate.coder.read_coder`; None is the project's
            model.
        scheme: labels of the project.
        progress: function that is called with the number of sentences that a model has just predicted, and of all.

    Raises:
        StanceError: a table is missing or malformed, or there is no such coder or column.
    """
    return estimates_of(read_inputs(work, target, by, coder, scheme, progress))


def estimates_of(inputs: Inputs) -> Estimates:
    """All estimates from what was read; see `estimate`."""
    trust = power(inputs.labels) if inputs.labels is not None and inputs.labels.weight.any() else None
    groups, differences = grouped(inputs, trust or 0.0)
    coefficients, notes = regressions(inputs) if trust is not None else ([], [])
    return Estimates(
        coder=inputs.coder,
        power=trust,
        why_not=inputs.why_not,
        groups=groups,
        differences=differences,
        coefficients=coefficients,
        notes=[*inputs.notes, *notes],
    )
