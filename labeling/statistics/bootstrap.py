"""The cluster bootstrap: sums over articles or groups that are drawn with replacement."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CHUNK = 100
"""Number of resamples that are drawn at a time: all at once would be 160 MB for 2,000 resamples of 10,000 groups."""


def times_drawn(clusters: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each resample draws each cluster, where as many are drawn as there are.

    Args:
        clusters: number of clusters, 1 or more.
        resamples: number of resamples.
        seed: seed of the draws.

    Yields:
        Chunks of resamples × clusters, 100 resamples at a time; each row adds up to the number of clusters.
    """
    random = np.random.default_rng(seed)
    for start in range(0, resamples, CHUNK):
        # The same distribution as Generator.multinomial; measured 0.05 s against its 0.17 s for 5,000 articles.
        draws = random.integers(0, clusters, (min(CHUNK, resamples - start), clusters))
        yield np.stack([np.bincount(draw, minlength=clusters) for draw in draws]).astype(float)


def resampled(parts: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """Sums over clusters drawn with replacement, as often as there are clusters.

    Args:
        parts: array of quantities that can be added up, with one row for each cluster.
        seed: seed of the draws; the same seed and number of clusters give the same draws.
        resamples: number of resamples.

    Returns:
        The sums, with one row for each resample; zeros if there is no cluster.

    References:
        Field & Welsh (2007), Bootstrapping clustered data, JRSS B 69(3).

    >>> resampled(np.ones((3, 1)), seed=0, resamples=2)
    array([[3.],
           [3.]])
    """
    flat = parts.reshape(len(parts), math.prod(parts.shape[1:]))
    if not len(parts):
        return np.zeros((resamples, *parts.shape[1:]))
    sums = [weights @ flat for weights in times_drawn(len(parts), resamples, seed)]
    return np.concatenate(sums).reshape(resamples, *parts.shape[1:])
