"""Shares of each stance in the corpus and in groups of articles, and the differences between groups."""

from __future__ import annotations

from itertools import combinations

import msgspec
import numpy as np

from labeling.scheme import Stance
from labeling.statistics.intervals import Estimate, over_whole_range, share_estimates
from train.estimate.formulas import coder_shares, correction, design_shares, difference, indicators
from train.estimate.inputs import Inputs
from train.estimate.refusals import Support, support
from train.predict.influence import Influenced, Places, bounded, intervals, powered_shares, sums_by


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """The share of a stance in a group.

    Attributes:
        column: column that the group is of; "" for the whole corpus.
        group: the group's value in this column; "" for the whole corpus.
        stance: the stance.
        naive: share of the coder's labels, which contains the coder's errors.
        ppi: share corrected by PPI++; None where there are too few labels.
        dsl: share corrected by design-based supervised learning; None where there are too few labels.
        error: how much higher the naive share is than that of PPI++; None where there are too few labels.
    """

    column: str
    group: str
    stance: Stance
    naive: Estimate
    ppi: Estimate | None
    dsl: Estimate | None
    error: Estimate | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The share of a stance in one group less that in another.

    The attributes are those of `Share`; `other` is the group whose share is subtracted.
    """

    column: str
    group: str
    other: str
    stance: Stance
    naive: Estimate
    ppi: Estimate
    dsl: Estimate
    error: Estimate


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group with its shares.

    Attributes:
        column: column that the group is of; "" for the whole corpus.
        name: the group's value in this column; "" for the whole corpus.
        support: the number of sentences and verdicts in the group, and why there is no interval.
        shares: its shares, in the order of the scheme.
    """

    column: str
    name: str
    support: Support
    shares: list[Share]


class Estimators(msgspec.Struct, frozen=True, kw_only=True):
    """The shares of a group by each estimator, with the influences of the clusters."""

    naive: Influenced
    ppi: Influenced
    dsl: Influenced


def grouped(inputs: Inputs, trust: float) -> tuple[list[Group], list[Difference]]:
    """The shares of the corpus and of each group, and all differences between groups of a column that have intervals.

    Args:
        inputs: the corpus.
        trust: weight λ of the coder in PPI++, from 0 to 1.

    Returns:
        The whole corpus first, then the groups in the order of the columns, sorted by name; and the differences in the
        same order, each pair of groups once.
    """
    whole, _ = _group(inputs, "", "", np.arange(len(inputs.given)), trust)
    groups, differences = [whole], []
    for column in inputs.columns:
        known: list[tuple[str, Estimators]] = []
        for name, here in column.positions():
            group, found = _group(inputs, column.name, name, here, trust)
            groups.append(group)
            if found is not None:
                known.append((group.name, found))
        for (first, one), (second, two) in combinations(known, 2):
            differences += _differences(inputs, column.name, first, second, one, two)
    return groups, differences


def estimators(inputs: Inputs, here: Places, trust: float) -> Estimators:
    """The shares of some sentences by each estimator.

    Args:
        inputs: the corpus, with labels.
        here: positions of the sentences, some of which have labels.
        trust: weight λ of the coder in PPI++.
    """
    assert inputs.labels is not None
    labels, home, count = inputs.labels.at(here), inputs.home[here], len(inputs.names)
    return Estimators(
        naive=coder_shares(inputs.given[here], home, count),
        ppi=powered_shares(labels, home, trust, count),
        dsl=design_shares(labels, home, count),
    )


def _group(inputs: Inputs, column: str, name: str, here: Places, trust: float) -> tuple[Group, Estimators | None]:
    held = support(inputs, here)
    found = estimators(inputs, here, trust) if inputs.labels is not None and not held.reason else None
    naive = _naive(inputs, here)
    corrected: list[list[Estimate | None]] = [[None] * len(inputs.names)] * 3
    if found is not None and inputs.labels is not None:
        mine, home = inputs.labels.at(here), inputs.home[here]
        corrected = [
            [*bounded(found.ppi, mine, home)],
            [*bounded(found.dsl, mine, home)],
            [*intervals(correction(found.naive, found.ppi), -1.0, 1.0)],
        ]
    shares = [
        Share(column=column, group=name, stance=stance, naive=naive[n], ppi=ppi, dsl=dsl, error=error)
        for n, (stance, ppi, dsl, error) in enumerate(zip(inputs.names, *corrected, strict=True))
    ]
    return Group(column=column, name=name, support=held, shares=shares), found


def _naive(inputs: Inputs, here: Places) -> list[Estimate]:
    """The coder's shares, with the intervals that `stance predict` gives for raw shares."""
    chosen = here[inputs.given[here] >= 0]
    if not len(chosen):
        return [Estimate(value=float("nan"))] * len(inputs.names)
    homes, at = np.unique(inputs.home[chosen], return_inverse=True)
    sums = sums_by(at, indicators(inputs.given[chosen], len(inputs.names)), len(homes))
    return [over_whole_range(share) for share in share_estimates(sums, float(len(chosen)))]


def _differences(
    inputs: Inputs, column: str, name: str, other: str, one: Estimators, two: Estimators
) -> list[Difference]:
    naive, ppi, dsl = (
        difference(left, right) for left, right in ((one.naive, two.naive), (one.ppi, two.ppi), (one.dsl, two.dsl))
    )
    errors = intervals(correction(naive, ppi), -2.0, 2.0)
    naives, ppis, dsls = (intervals(found, -1.0, 1.0) for found in (naive, ppi, dsl))
    return [
        Difference(
            column=column,
            group=name,
            other=other,
            stance=stance,
            naive=naives[n],
            ppi=ppis[n],
            dsl=dsls[n],
            error=errors[n],
        )
        for n, stance in enumerate(inputs.names)
    ]
