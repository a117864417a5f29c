"""Measure how often intervals of shares contain the true share, also near 0 and 1: `python -m benchmarks.intervals`.

The simulated articles have 2 to 8 sentences, which are alike to a given degree (the intraclass correlation of a
beta-binomial distribution). `share_estimates` is compared with the percentile interval of the cluster bootstrap, which
the project used before: its interval has no width where every resample is the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labeling.statistics.intervals import share_estimates

RUNS = 1000
RESAMPLES = 200
SHARES = (0.0, 0.01, 0.05, 0.5, 0.95, 1.0)


def main() -> None:
    """Print the table."""
    print("| articles | correlation | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |")
    print("|---|---|" + "---|" * len(SHARES))
    for articles in (5, 10, 20, 60):
        for alike in (0.05, 0.2, 0.5):
            cells = [f"{held:.3f} ({before:.3f})" for held, before in (_held(articles, alike, one) for one in SHARES)]
            print(f"| {articles} | {alike} | " + " | ".join(cells) + " |", flush=True)


def _held(articles: int, alike: float, share: float) -> tuple[float, float]:
    """The share of runs whose interval contains the true share: for `share_estimates`, and for the bootstrap."""
    chance = np.random.default_rng([articles, int(100 * alike), int(100 * share)])
    ours = before = 0
    strength = (1 - alike) / alike
    for _ in range(RUNS):
        sizes = chance.integers(2, 9, articles)
        inner = 0 < share < 1
        each = chance.beta(strength * share, strength * (1 - share), articles) if inner else np.full(articles, share)
        hits = chance.binomial(sizes, each)
        sums = np.stack([hits, sizes - hits], axis=1).astype(float)
        found = share_estimates(sums, float(sizes.sum()))[0]
        ours += found.low <= share <= found.high
        low, high = _bootstrap(sums, chance)
        before += low <= share <= high
    return ours / RUNS, before / RUNS


def _bootstrap(sums: NDArray[np.float64], chance: np.random.Generator) -> tuple[float, float]:
    weights = chance.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES)
    drawn = weights @ sums
    low, high = np.percentile(drawn[:, 0] / drawn.sum(axis=1), [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    main()
