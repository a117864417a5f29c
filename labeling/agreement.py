"""How far annotators agree: Krippendorff's alpha, Cohen's and Fleiss's kappa, for nominal labels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import msgspec

from corpus.records import AgreementError


class PairAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Two annotators on the `n` sentences that both labelled; `kappa` is NaN where it is undefined."""

    first: str
    second: str
    n: int
    raw: float
    kappa: float


def krippendorff_alpha(units: Iterable[Sequence[str]]) -> float:
    """Krippendorff's alpha for nominal labels, any number of annotators a unit.

    Units with fewer than two labels carry no pair and are left out of both terms.

    Args:
        units: one sequence of labels a sentence; lengths may differ.

    Returns:
        Alpha, at most 1: 1 perfect, 0 chance, below 0 systematic disagreement.
        NaN when only one label was ever used, where alpha is undefined.

    Raises:
        AgreementError: no unit has two labels.

    References:
        Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C.

    >>> round(krippendorff_alpha([["favor", "favor"], ["against", "against"], ["favor", "none"]]), 4)
    0.5455
    """
    totals: Counter[str] = Counter()
    observed = 0.0
    for unit in units:
        if len(unit) < 2:
            continue
        counts = Counter(unit)
        totals.update(counts)
        # Ordered pairs of unlike labels in the unit, each pair weighing 1 / (labels in the unit - 1).
        unlike = len(unit) ** 2 - sum(count * count for count in counts.values())
        observed += unlike / (len(unit) - 1)
    n = totals.total()
    if n == 0:
        raise AgreementError("agreement needs at least one sentence that two annotators labelled; found none")
    expected = n * n - sum(count * count for count in totals.values())
    return 1 - (n - 1) * observed / expected if expected else math.nan


def cohen_kappa(a: Sequence[str], b: Sequence[str]) -> float:
    """Cohen's kappa of two annotators for nominal labels.

    Args:
        a: the first annotator's labels.
        b: the second's, of the same sentences in the same order.

    Returns:
        Kappa, at most 1; NaN when both used one and the same label throughout, where it is undefined.

    Raises:
        AgreementError: the lengths differ, or nothing was labelled.

    References:
        Cohen (1960), A Coefficient of Agreement for Nominal Scales, Educ. Psychol. Meas. 20(1).

    >>> cohen_kappa(["favor", "favor", "none", "none"], ["favor", "none", "none", "none"])
    0.5
    """
    if len(a) != len(b) or not a:
        raise AgreementError(f"Cohen's kappa needs two equally long, non-empty label lists; got {len(a)} and {len(b)}")
    n = len(a)
    first, second = Counter(a), Counter(b)
    # In whole numbers up to the division, so that perfect agreement is exactly 1.
    agree = n * sum(x == y for x, y in zip(a, b, strict=True))
    chance = sum(first[label] * second[label] for label in first)
    return (agree - chance) / (n * n - chance) if chance != n * n else math.nan


def fleiss_kappa(counts: Sequence[Sequence[int]]) -> float:
    """Fleiss's kappa for nominal labels, the same number of annotators a unit.

    Args:
        counts: units × labels: how many annotators gave the unit that label.

    Returns:
        Kappa, at most 1; NaN when only one label was ever used, where it is undefined.

    Raises:
        AgreementError: no units, rows of unequal lengths or sums, a negative count, or fewer than two
            annotators a unit.

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


def pairwise(votes: Mapping[str, Mapping[str, str]]) -> list[PairAgreement]:
    """Raw agreement and Cohen's kappa of every two annotators who share a sentence.

    Args:
        votes: sentence → annotator → label.

    Returns:
        One row a pair, sorted by name.
    """
    annotators = sorted({annotator for by in votes.values() for annotator in by})
    rows: list[PairAgreement] = []
    for first, second in combinations(annotators, 2):
        shared = [(by[first], by[second]) for by in votes.values() if first in by and second in by]
        if shared:
            a, b = [x for x, _ in shared], [y for _, y in shared]
            rows.append(
                PairAgreement(
                    first=first,
                    second=second,
                    n=len(shared),
                    raw=sum(x == y for x, y in shared) / len(shared),
                    kappa=cohen_kappa(a, b),
                )
            )
    return rows
