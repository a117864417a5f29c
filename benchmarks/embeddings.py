"""Measure how long an encoder takes for many sentences, the first time and the second.

    python -m benchmarks.embeddings [ENCODER] [--sentences N]

ENCODER is a folder or an id at the Hub; without one, the small encoder of the tests is used (extra `test`). The
sentences are made up, of 25 words each, and all different. Vectors are kept in a folder of their own, which is deleted
at the end.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

from benchmarks.corpus import _row, _table
from tests.support.encoder import assemble
from train.encoder.vectors import Vectors, open_vectors

WORDS = """the a of to in and that for on with as by at from it was were said after before government minister troops
border council vote parliament budget report people country city week month year election party leader president peace
agreement talks war market price workers union court law police school hospital water energy oil trade company bank
south north eastern western new old first last many few some against would could should must never again still
announced rejected supported criticised demanded defended withdrew planned feared welcomed""".split()
LENGTH = 25


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser()
    parser.add_argument("encoder", nargs="?")
    parser.add_argument("--sentences", type=int, default=10_000)
    asked = parser.parse_args()
    chance = random.Random(1)
    texts = [" ".join(chance.choices(WORDS, k=LENGTH)) for _ in range(asked.sentences)]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        encoder = open_vectors(asked.encoder or str(assemble(Path(folder) / "minilm")))
        _table(f"{len(texts):,} sentences of {LENGTH} words", "wall s", "CPU s")
        for name in ("encoded", "from the cache"):
            _row(f"{name}, {os.cpu_count()} cores", *_seconds(encoder, texts))


def _seconds(encoder: Vectors, texts: list[str]) -> tuple[str, str]:
    wall, cpu = time.perf_counter(), time.process_time()
    encoder.of(texts)
    return f"{time.perf_counter() - wall:.1f}", f"{time.process_time() - cpu:.1f}"


if __name__ == "__main__":
    main()
