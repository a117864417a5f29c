"""Measure how often the intervals of `stance estimate` hold the truth: `python -m benchmarks.estimates`.

The simulated coder reads a tenth of the sentences of `none` as `against` in one outlet, and two fifths in the other.
The truth is what the articles of each outlet have in expectation.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from scipy.special import logit

from labeling.statistics.intervals import Estimate
from tests.support.coded_corpora import EXPECTED, NAMES, CodedCorpus
from train.estimate.estimates import Estimates, estimates_of

RUNS = 1000
LABELS = {"random": 300, "keyword": 600}
"""Number of labels by design: a keyword leaves fewer labels for the sentences without one."""
Counts = dict[tuple[str, str], list[float]]


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(f"| estimate | design | naive | PPI++ | DSL | width of PPI++ | width of DSL |\n|{'---|' * 7}")
    for design in ("random", "keyword"):
        for (what, stance), row in coverage(design, runs).items():
            held, widths = (f"{share:.3f}" if not np.isnan(share) else "" for share in row[:3]), row[3:]
            wide = (f"{width:.3f}" if not np.isnan(width) else "" for width in widths)
            print(f"| {what}, {stance} | {design} | {' | '.join(held)} | {' | '.join(wide)} |", flush=True)


def coverage(design: str, runs: int) -> Counts:
    """The share of runs in which each interval holds the truth: naive, PPI++, DSL; and the mean widths of the last two.

    Args:
        design: `random`, or `keyword` for an enriched round and a random one.
        runs: number of simulated corpora.
    """
    sums: Counts = {}
    for seed in range(runs):
        made = CodedCorpus(seed)
        draws = made.drawn_at_random(LABELS[design]) if design == "random" else made.drawn_by_keyword(LABELS[design])
        for key, truth, cells in _estimates(estimates_of(made.inputs(draws))):
            row = sums.setdefault(key, [0.0] * 5)
            for n, one in enumerate(cells):
                row[n] += np.nan if one is None else one.low <= truth <= one.high
            for n, one in enumerate(cells[1:], 3):
                row[n] += np.nan if one is None else one.high - one.low
    return {key: [value / runs for value in row] for key, row in sums.items()}


def _estimates(found: Estimates) -> Iterator[tuple[tuple[str, str], float, list[Estimate | None]]]:
    """Each estimate with what it is of, its truth, and the naive, PPI++ and DSL intervals."""
    truths = {"": EXPECTED.mean(axis=0), "Gazette": EXPECTED[0], "Sentinel": EXPECTED[1]}
    for group in found.groups:
        for share in group.shares:
            truth = float(truths[group.name][NAMES.index(share.stance)])
            yield (f"share in {group.name or 'the corpus'}", share.stance), truth, [share.naive, share.ppi, share.dsl]
    for row in found.differences:
        n = NAMES.index(row.stance)
        yield (
            ("difference of shares", row.stance),
            float(EXPECTED[0, n] - EXPECTED[1, n]),
            [row.naive, row.ppi, row.dsl],
        )
    for term in found.coefficients:
        if term.group:
            n = NAMES.index(term.stance)
            here, there = (truths[name][n] for name in (term.group, term.other))
            truth = float(here - there if term.form == "linear" else logit(here) - logit(there))
            yield (f"{term.form} coefficient of the outlet", term.stance), truth * _sign(term.group), [
                _turned(term.naive, term.group), None, _turned(term.dsl, term.group)
            ]  # fmt: skip


def _sign(group: str) -> int:
    """The sign that makes a coefficient that of Sentinel: which outlet is compared with the other is chance."""
    return 1 if group == "Sentinel" else -1


def _turned(one: Estimate | None, group: str) -> Estimate | None:
    if one is None or _sign(group) == 1:
        return one
    return Estimate(value=-one.value, low=-one.high, high=-one.low)


if __name__ == "__main__":
    main()
