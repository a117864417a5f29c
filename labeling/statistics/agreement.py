"""Measures of agreement: Krippendorff's alpha, Cohen's and Fleiss's kappa, Gwet's AC1."""

from __future__ import annotations

import math
from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from corpus.errors import AgreementError
from labeling.statistics.intervals import Estimate

THRESHOLDS = (0.667, 0.8)
ALPHA_AND_AC1 = (
    "alpha and AC1 differ in the agreement that they expect by chance: where one label is rare, alpha expects much of "
    "it, so that alpha falls although annotators seldom differ; AC1 stays high"
)
"""Why the two coefficients that stand beside each other differ, as the beginning of a sentence."""


Label = str | float | None
"""A label, or None or NaN where an answer is missing: pandas writes NaN for an empty cell."""


def missing(label: Label) -> bool:
    """Whether an answer is missing: None, NaN (which is unlike itself), or pandas' NA."""
    return label is None or type(label).__name__ == "NAType" or bool(label != label)


def krippendorff_alpha(
    units: Iterable[Sequence[Label]],
    level: Literal["nominal", "ordinal"] = "nominal",
    labels: Sequence[Label] | None = None,
) -> float:
    """Krippendorff's alpha for any number of annotators per sentence.

    A missing answer, None or NaN, is not a label and is left out. Sentences with fewer than two labels contain no pair
    and are left out of both terms.

    Args:
        units: one sequence of labels for each sentence; lengths may differ.
        level: level of measurement: "nominal" counts labels as alike or unlike, "ordinal" weighs how far apart two
            labels are in their order.
        labels: all labels in their order, each once; needed for "ordinal", and not used for "nominal".

    Returns:
        Alpha, at most 1: 1 for perfect agreement, 0 for agreement by chance, below 0 for systematic disagreement.
        NaN if only one label was ever used, where alpha is undefined.

    Raises:
        AgreementError: no sentence has two labels; or the level is "ordinal" and `labels` is missing, names a label
            twice, or lacks a label that was used.

    References:
        Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, sections C and D.

    >>> round(krippendorff_alpha([["favor", "favor"], ["against", "against"], ["favor", "none"]]), 4)
    0.5455
    >>> round(krippendorff_alpha([[1, 2], [3, 3], [2, 2], [1, 1]], "ordinal", labels=[1, 2, 3]), 4)
    0.79
    """
    place = _places(labels, 'level "ordinal"') if level == "ordinal" else {}
    counted: list[Counter[Label]] = []
    for answers in units:
        unit = [label for label in answers if not missing(label)]
        if level == "ordinal":
            _check_known(unit, place)
        if len(unit) > 1:
            counted.append(Counter(unit))
    totals: Counter[Label] = Counter()
    for counts in counted:
        totals.update(counts)
    n = totals.total()
    if n == 0:
        raise AgreementError("agreement needs at least one sentence that two annotators labelled; found none")
    apart = _ordinal_differences(totals, list(place))

    def unlike(counts: Counter[Label]) -> float:
        """The summed distance of all ordered pairs of some answers; for nominal labels, the number of unlike pairs."""
        if level == "nominal":
            return counts.total() ** 2 - sum(count * count for count in counts.values())
        return sum(counts[c] * counts[k] * apart[c, k] for c in counts for k in counts)

    # Each pair in a unit weighs 1 / (labels in the unit - 1).
    observed = 0.0
    for counts in counted:
        observed += unlike(counts) / (counts.total() - 1)
    expected = unlike(totals)
    return 1 - (n - 1) * observed / expected if expected else math.nan


def _places(labels: Sequence[Label] | None, what: str) -> dict[Label, int]:
    if labels is None or len(set(labels)) < len(labels):
        raise AgreementError(
            f"{what} needs `labels`, all labels in their order, each once; found {labels and list(labels)}"
        )
    return {label: number for number, label in enumerate(labels)}


def _check_known(found: Iterable[Label], known: Collection[Label]) -> None:
    if unknown := [label for label in found if label not in known]:
        raise AgreementError(f"expected the labels {', '.join(map(repr, known))}; found {unknown[0]!r}")


def _ordinal_differences(totals: Mapping[Label, int], order: Sequence[Label]) -> dict[tuple[Label, Label], float]:
    """Squared differences of labels on an ordinal scale: the square of how many answers lie from one to the other."""
    differences: dict[tuple[Label, Label], float] = {}
    for first, c in enumerate(order):
        between = 0.0
        for k in order[first:]:
            between += totals.get(k, 0)
            differences[c, k] = differences[k, c] = (
                (between - (totals.get(c, 0) + totals.get(k, 0)) / 2) ** 2 if c != k else 0.0
            )
    return differences


def cohen_kappa(
    a: Sequence[Label],
    b: Sequence[Label],
    weights: Literal["linear", "quadratic"] | None = None,
    labels: Sequence[Label] | None = None,
) -> float:
    """Cohen's kappa of two annotators, for nominal labels, or weighted for labels on a scale.

    A sentence that one of the two did not label (None or NaN) is left out.

    Args:
        a: labels of the first annotator, one for each sentence.
        b: labels of the second annotator, of the same sentences in the same order.
        weights: how much a disagreement weighs: None counts each one alike, "linear" by the number of steps between
            the two labels on the scale, "quadratic" by the square of that number.
        labels: all labels in their order, each once; needed for weights, and not used without them.

    Returns:
        Kappa, at most 1. NaN if both annotators used the same single label throughout, where kappa is undefined.

    Raises:
        AgreementError: the lengths differ, or no sentence was labelled by both; or there are weights and `labels` is
            missing, names a label twice, or lacks a label that was used.

    References:
        Cohen (1960), A Coefficient of Agreement for Nominal Scales, Educ. Psychol. Meas. 20(1); Cohen (1968), Weighted
        Kappa, Psychol. Bull. 70(4).

    >>> cohen_kappa(["favor", "favor", "none", "none"], ["favor", "none", "none", "none"])
    0.5
    >>> cohen_kappa([1, 2, 3, 3], [1, 2, 2, 1], "linear", labels=[1, 2, 3])
    0.25
    """
    if len(a) != len(b) or not len(a):
        raise AgreementError(f"Cohen's kappa needs two equally long, non-empty label lists; got {len(a)} and {len(b)}")
    both = [(x, y) for x, y in zip(a, b, strict=True) if not missing(x) and not missing(y)]
    if not both:
        raise AgreementError(f"Cohen's kappa needs a sentence that both annotators labelled; found none of {len(a)}")
    n = len(both)
    first, second = Counter(x for x, _ in both), Counter(y for _, y in both)
    if weights is not None:
        place, power = _places(labels, "weighted kappa"), 1 if weights == "linear" else 2
        _check_known([label for pair in both for label in pair], place)
        observed = n * sum(abs(place[x] - place[y]) ** power for x, y in both)
        expected = sum(first[x] * second[y] * abs(place[x] - place[y]) ** power for x in first for y in second)
        return 1 - observed / expected if expected else math.nan
    # Whole numbers are used up to the division, so that perfect agreement is exactly 1.
    agree = n * sum(x == y for x, y in both)
    chance = sum(first[label] * second[label] for label in first)
    return (agree - chance) / (n * n - chance) if chance != n * n else math.nan


def fleiss_kappa(counts: Sequence[Sequence[int]]) -> float:
    """Fleiss's kappa for nominal labels, where every sentence has the same number of annotators.

    Args:
        counts: one row for each sentence and one column for each label: how many annotators gave that label.

    Returns:
        Kappa, at most 1. NaN if only one label was ever used, where kappa is undefined.

    Raises:
        AgreementError: there is no row, rows have unequal lengths or sums, a count is negative, or a sentence has
            fewer than two annotators.

    References:
        Fleiss (1971), Measuring nominal scale agreement among many raters, Psychol. Bull. 76(5).

    >>> round(fleiss_kappa([[2, 0], [0, 2], [1, 1]]), 4)
    0.3333
    """
    if not counts:
        raise AgreementError("Fleiss's kappa needs at least one unit; got none")
    raters = sum(counts[0])
    for number, row in enumerate(counts):
        if sum(row) != raters or len(row) != len(counts[0]) or min(row, default=-1) < 0:
            raise AgreementError(
                f"Fleiss's kappa needs the same number of annotators and labels in every unit; "
                f"unit 0 has {list(counts[0])}, unit {number} has {list(row)}"
            )
    if raters < 2:
        raise AgreementError(f"Fleiss's kappa needs two annotators a unit; got {raters}")
    n = len(counts)
    agree = sum(sum(count * (count - 1) for count in row) for row in counts) / (n * raters * (raters - 1))
    shares = [sum(row[label] for row in counts) / (n * raters) for label in range(len(counts[0]))]
    chance = math.fsum(share * share for share in shares)
    return (agree - chance) / (1 - chance) if max(shares) < 1 else math.nan


def gwet_ac1(units: Iterable[Sequence[Label]], labels: Sequence[Label] | None = None) -> float:
    """Gwet's AC1 for nominal labels and any number of annotators per sentence.

    A missing answer, None or NaN, is not a label and is left out. Sentences with one label contain no pair, but they
    count in how often each label is used, from which the agreement by chance follows. Unlike alpha and kappa, AC1 does
    not fall only because nearly all answers are one label.

    Args:
        units: one sequence of labels for each sentence; lengths may differ.
        labels: all labels that annotators can choose from, each once; None stands for those that were used. Agreement
            by chance depends on their number.

    Returns:
        AC1, at most 1: 1 for perfect agreement, 0 for agreement by chance. NaN if there is only one label to choose
        from, where AC1 is undefined.

    Raises:
        AgreementError: no sentence has two labels, or `labels` names a label twice or lacks a label that was used.

    References:
        Gwet (2008), Computing inter-rater reliability and its variance in the presence of high agreement, Br. J. Math.
        Stat. Psychol. 61(1).

    >>> round(gwet_ac1([["favor", "favor"], ["against", "against"], ["favor", "none"]]), 4)
    0.52
    """
    counted = [Counter(label for label in answers if not missing(label)) for answers in units]
    counted = [counts for counts in counted if counts]
    pairs = [counts for counts in counted if counts.total() > 1]
    if not pairs:
        raise AgreementError("agreement needs at least one sentence that two annotators labelled; found none")
    used = dict.fromkeys(label for counts in counted for label in counts)
    known = used if labels is None else _places(labels, "AC1")
    _check_known(used, known)
    if len(known) < 2:
        return math.nan
    agree = math.fsum(
        sum(count * (count - 1) for count in counts.values()) / (counts.total() * (counts.total() - 1))
        for counts in pairs
    ) / len(pairs)
    shares = [math.fsum(counts[label] / counts.total() for counts in counted) / len(counted) for label in used]
    chance = math.fsum(share * (1 - share) for share in shares) / (len(known) - 1)
    return (agree - chance) / (1 - chance)


def reading(alpha: Estimate) -> str:
    """What the value means by Krippendorff's own thresholds (2004, Content Analysis, p. 241)."""
    if math.isnan(alpha.value):
        return ""
    level = bisect(THRESHOLDS, alpha.value)
    text = (
        "below .667, too unreliable to draw conclusions from",
        "at least .667, for tentative conclusions only",
        "at least .800, reliable",
    )[level]
    if level and alpha.low < THRESHOLDS[level - 1]:
        text += ", but the interval reaches below that"
    return f": {text} (Krippendorff 2004, p. 241)"
