"""Near-duplicates beside datasketch and rensa: CPU seconds, recall and precision on planted edits, in one run.

    python -m benchmarks.duplicates [SENTENCES]

The sentences are made up but shaped like news: Zipf-like word frequencies, 8 to 35 words, 30 percent from six
templates, so that sentences which are no duplicates share n-grams too. One in ten is an edit of another: one
to three words replaced, inserted or deleted. Recall counts every planted pair, also the short sentences that
three edits take below any threshold; precision counts all pairs within clusters, or the pairs a peer finds.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence
from typing import Any

from rapidfuzz.fuzz import ratio

from corpus.duplicates import LETTERS, cluster, normalise
from tests.test_duplicates import planted, scores

Pair = tuple[int, int]


def datasketch_pairs(texts: Sequence[str], library: Any, verify: bool) -> set[Pair]:
    """MinHashLSH at its best: threshold .6, 128 permutations, words as tokens, updated in batches."""
    keys = [normalise(text) for text in texts]
    index = library.MinHashLSH(threshold=0.6, num_perm=128)
    found: set[Pair] = set()
    for place, key in enumerate(keys):
        sketch = library.MinHash(num_perm=128)
        sketch.update_batch([word.encode() for word in key.split()])
        found.update((other, place) for other in index.query(sketch))
        index.insert(place, sketch)
    return {(one, two) for one, two in found if not verify or ratio(keys[one], keys[two]) >= LETTERS}


def rensa_pairs(texts: Sequence[str], library: Any, verify: bool) -> set[Pair]:
    """The same tokens, and bands and rows as datasketch chooses them for .6: 18 of 7."""
    keys = [normalise(text) for text in texts]
    index = library.RMinHashLSH(threshold=0.6, num_perm=126, num_bands=18)
    found: set[Pair] = set()
    for place, key in enumerate(keys):
        sketch = library.RMinHash(num_perm=126, seed=1)
        sketch.update(key.split())
        found.update((other, place) for other in index.query(sketch))
        index.insert(place, sketch)
    return {(one, two) for one, two in found if not verify or ratio(keys[one], keys[two]) >= LETTERS}


def main() -> None:
    """Print the table."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    texts, pairs = planted(size)
    keys = [normalise(text) for text in texts]
    reach = sum(ratio(keys[one], keys[two]) >= LETTERS for one, two in pairs) / len(pairs)
    print(f"{size} sentences, {len(pairs)} planted pairs, {reach:.3f} of them at ratio {LETTERS:.0f} and above\n")
    print(f"{'method':40} {'CPU s':>6} {'recall':>7} {'precision':>9}")

    def row(name: str, cpu: float, recall: float, precision: float) -> None:
        print(f"{name:40} {cpu:6.1f} {recall:7.3f} {precision:9.3f}", flush=True)

    start = time.process_time()
    clusters = cluster(texts)
    row("ours", time.process_time() - start, *scores(clusters, pairs))
    for name, find in (("datasketch", datasketch_pairs), ("rensa", rensa_pairs)):
        try:
            library = importlib.import_module(name)
        except ImportError:
            print(f"{name:40} not installed: uv pip install {name}")
            continue
        for verify in (False, True):
            start = time.process_time()
            found = find(texts, library, verify)
            cpu, hits = time.process_time() - start, len(found & pairs)
            row(name + ", then ratio >= 80" * verify, cpu, hits / len(pairs), hits / max(1, len(found)))


if __name__ == "__main__":
    main()
