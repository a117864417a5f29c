"""Say how many labels more bring the intervals of shares and differences to a given width: a power analysis."""

from __future__ import annotations

import math
from itertools import combinations

import msgspec
import numpy as np
from scipy.special import stdtrit

from labeling.scheme import Stance
from train.estimate.annotator_spread import AnnotatorSpread
from train.estimate.formulas import difference
from train.estimate.groups import estimators
from train.estimate.inputs import Inputs
from train.estimate.refusals import advice, support
from train.predict.influence import Influenced
from train.predict.shares import power

MOST_ANNOTATORS = 100
"""Most annotators that a plan considers."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to bring the widest interval of a group, or of a difference between two, to the wanted width.

    Attributes:
        column: column that the group is of; "" for the whole corpus.
        group: the group; "" for the whole corpus.
        other: the group that it is compared with; "" for a share.
        stance: the stance whose interval is widest, or takes most labels.
        width: the width of its interval now, from end to end; None where there is no interval yet.
        more: how many sentences more to draw at random from the whole corpus and to label; None where that can't
            bring the interval to the wanted width.
        least: width of the interval if every sentence of the corpus was labelled; None where it is not known.
        reason: why `more` or `width` is None; "" where both are known.
    """

    column: str
    group: str
    other: str
    stance: Stance
    width: float | None
    more: int | None
    least: float | None
    reason: str


class ForAnnotators(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes for the shares of the whole corpus if the interval is to hold for other annotators too.

    Attributes:
        annotators: number of annotators, who share the work equally.
        more: how many sentences more to label; None where no number is enough.
    """

    annotators: int
    more: int | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan for the intervals of PPI++.

    Attributes:
        wanted: the width to reach, from end to end.
        labelled: number of labels drawn with a known probability.
        units: number of sentences of the corpus, copies counted once.
        rows: what each group and each difference takes; the whole corpus comes first.
        spread: how far annotators differ; None where no two have enough sentences in common.
        annotators: what the whole corpus takes with different numbers of annotators; empty without `spread`.
        notes: what the user should know, a line each.
    """

    wanted: float
    labelled: int
    units: int
    rows: list[Planned]
    spread: AnnotatorSpread | None
    annotators: list[ForAnnotators]
    notes: list[str]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate whose variance depends on the number of labels.

    If n labels are drawn at random from N sentences, the variance is that of the articles, which stays, and that of the
    draw, which falls as 1 / n - 1 / N::

        V(n) = V(N) + D (1/n - 1/N) / (1/m - 1/N),   V(N) = V(m) - D

    with m labels now, their variance V(m) and its part D by the draw. The Student distribution that the width comes
    from has one degree of freedom less than articles with labels, whose number grows with n until all have some.

    Attributes:
        variance: variance now.
        by_design: the part of it that is there only because not all sentences are labelled.
        degrees: degrees of freedom now.
        most_degrees: degrees of freedom if all sentences were labelled.
        labelled: number of labels now, m.
        units: number of sentences, N.

    References:
        Egami, Hinck, Stewart and Wei (2024), Using large language model annotations for the social sciences: a general
        framework of using predicted variables in downstream analyses, on predicting standard errors from a pilot.
        Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, chapter 9, on two-phase sampling.
    """

    variance: float
    by_design: float
    degrees: float
    most_degrees: float
    labelled: int
    units: int

    def width(self, labels: int, beside: float = 0.0) -> float:
        """The expected width of the 95 % interval, from end to end.

        Args:
            labels: number of labels, from the number now to that of all sentences.
            beside: variance that is added, such as that between annotators.
        """
        draw = self.by_design
        if self.labelled < self.units:
            draw *= (1 / labels - 1 / self.units) / (1 / self.labelled - 1 / self.units)
        fixed = max(self.variance - self.by_design, 0.0)
        degrees = min(self.degrees * labels / self.labelled, self.most_degrees)
        return float(2 * stdtrit(max(degrees, 1.0), 0.975) * math.sqrt(fixed + draw + beside))

    def labels(self, width: float, beside: float = 0.0) -> int | None:
        """The least number of labels for a width; None where even labels of all sentences are not enough."""
        if self.width(self.units, beside) > width:
            return None
        low, high = self.labelled - 1, self.units
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.width(middle, beside) <= width else (middle, high)
        return high


def plan(inputs: Inputs, width: float, spread: AnnotatorSpread | None) -> Plan:
    """What it takes to bring the intervals of PPI++ to a width, from the labels that there are.

    Args:
        inputs: the corpus.
        width: the width to reach, from end to end, above 0 and below 1.
        spread: how far annotators differ.
    """
    trust = power(inputs.labels) if inputs.labels is not None and inputs.labels.weight.any() else 0.0
    labelled = len(np.unique(inputs.unit[inputs.sampled]))
    rows: list[Planned] = []
    forecasts: list[Forecast] = []
    for column, groups in [("", [("", np.arange(len(inputs.given)))])] + [
        (column.name, list(column.positions())) for column in inputs.columns
    ]:
        known: list[tuple[str, Influenced]] = []
        for name, here in groups:
            held = support(inputs, here)
            if held.reason or inputs.labels is None:
                rows.append(_refused(inputs, column, name, held.draw, advice(held) or inputs.why_not))
                continue
            found = estimators(inputs, here, trust).ppi
            known.append((name, found))
            made = _forecasts(inputs, found, labelled)
            forecasts = forecasts or made
            rows.append(_planned(inputs, column, name, "", made, width))
        for (name, one), (other, two) in combinations(known, 2):
            made = _forecasts(inputs, difference(one, two), labelled)
            rows.append(_planned(inputs, column, name, other, made, width))
    return Plan(
        wanted=width,
        labelled=labelled,
        units=inputs.units,
        rows=rows,
        spread=spread,
        annotators=_for_annotators(forecasts, spread, width) if spread and forecasts else [],
        notes=inputs.notes,
    )


def _forecasts(inputs: Inputs, found: Influenced, labelled: int) -> list[Forecast]:
    return [
        Forecast(
            variance=float(variance),
            by_design=float(min(part, variance)),
            degrees=float(degrees),
            most_degrees=float(max(len(found.homes) - 1, degrees)),
            labelled=labelled,
            units=inputs.units,
        )
        for variance, part, degrees in zip(found.variance, found.by_design, found.degrees, strict=True)
    ]


def _planned(inputs: Inputs, column: str, group: str, other: str, made: list[Forecast], width: float) -> Planned:
    """What the stance takes that takes most; of equal ones the first of the scheme."""
    now = [one.width(one.labelled) for one in made]
    needs = [one.labels(width) for one in made]
    worst = max(range(len(made)), key=lambda n: (needs[n] is None, needs[n] or 0, now[n]))
    need, least = needs[worst], made[worst].width(made[worst].units)
    reason = ""
    if need is None:
        articles = math.ceil((least / width) ** 2 * (made[worst].most_degrees + 1))
        reason = (
            f"even with every sentence labelled the interval would be {least:.3f} wide, as the corpus has sentences of "
            f"only {made[worst].most_degrees + 1:,.0f} articles there; about {articles:,} articles would be needed"
        )
    return Planned(
        column=column,
        group=group,
        other=other,
        stance=inputs.names[worst],
        width=now[worst],
        more=None if need is None else need - made[worst].labelled,
        least=least,
        reason=reason,
    )


def _refused(inputs: Inputs, column: str, group: str, draw: int | None, reason: str) -> Planned:
    return Planned(
        column=column, group=group, other="", stance=inputs.names[0], width=None, more=draw or None, least=None,
        reason=reason,
    )  # fmt: skip


def _for_annotators(made: list[Forecast], spread: AnnotatorSpread, width: float) -> list[ForAnnotators]:
    """What the whole corpus takes with as many annotators as now, with the fewest that can do, and twice as many."""

    def need(annotators: int) -> int | None:
        needs = [one.labels(width, between / annotators) for one, between in zip(made, spread.variance, strict=True)]
        return None if None in needs else max(n for n in needs if n is not None) - made[0].labelled

    now = max(round(spread.effective), 1)
    fewest = next((count for count in range(1, MOST_ANNOTATORS + 1) if need(count) is not None), None)
    counts = {now, 2 * now} | ({fewest, 2 * fewest} if fewest else set())
    return [ForAnnotators(annotators=count, more=need(count)) for count in sorted(counts)]
