"""Measure the cost of a sentence in builds of growing size, with one worker, two workers and Spark.

    python -m benchmarks.scale [--largest SENTENCES] [--engines one,two,spark]

Each build runs in a new process. Memory is read from /proc, which needs Linux. For each size, the tables of all engines
must have the same digest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.corpus import SIZES, _load, _row, _table, _watched
from corpus.build import TABLES
from tests.support.processes import children

ENGINES = ("one", "two", "spark")
ADDRESS = "local[2]"


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(description="Measure the build on each engine, as the corpus grows.")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="sentences of the largest build")
    parser.add_argument("--engines", default=",".join(ENGINES), help="any of one, two (workers), spark")
    parser.add_argument("call", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.call:  # in a new process, by `_build`
        globals()[arguments.call[0]](*arguments.call[1:])
        return
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; load before: {_load()}\n")
    _table(
        *("sentences", "engine", "wall s", "map s", "global s", "write s", "CPU s", "CPU µs a sentence"),
        *("peak MB", "peak bytes a sentence", "shuffle bytes a sentence", "scratch bytes a sentence"),
    )
    for size in [size for size in SIZES if size <= arguments.largest] or [arguments.largest]:
        digests = {_build(size, engine) for engine in arguments.engines.split(",")}
        if len(digests) != 1:
            raise SystemExit("the engines' tables differ")
    print(f"\nLoad after: {_load()}")


def _build(size: int, engine: str) -> str:
    """Build a corpus, print one row of the table, and return the digest of the corpus' tables."""
    with tempfile.TemporaryDirectory(prefix="stance-") as folder:
        command = [sys.executable, "-m", "benchmarks.scale"]
        subprocess.run([sys.executable, "-m", "benchmarks.corpus", "write_articles", folder, str(size)], check=True)
        printed, peak = _watched([*command, "timed", folder, engine])
        found = json.loads(printed.splitlines()[-1])
        sentences = found["sentences"]
        _row(
            f"{sentences:,}",
            {"one": "local, 1 worker", "two": "local, 2 workers", "spark": f"Spark, {ADDRESS}"}[engine],
            *(f"{found[part]:.1f}" for part in ("wall", "map", "global", "write", "cpu")),
            f"{found['cpu'] / sentences * 1e6:.0f}",
            f"{peak:.0f}",
            f"{peak * 1e6 / sentences:,.0f}",
            *(f"{found[part] / sentences:,.0f}" if engine == "spark" else "" for part in ("shuffle", "scratch")),
        )
        data = b"".join((Path(folder) / "out" / name).read_bytes() for name in TABLES)
        return hashlib.sha256(data).hexdigest()


def timed(folder: str, engine: str) -> None:
    """Build the articles in a folder, and print the time and space that it took as JSON.

    Args:
        folder: folder that `benchmarks.corpus.write_articles` made.
        engine: one of ENGINES.
    """
    import corpus.build
    from corpus import near_duplicates, spark_engine
    from corpus.records import CorpusSettings

    found: dict[str, float] = {"shuffle": 0, "scratch": 0}

    def clocked(module: Any, name: str, part: str) -> None:
        function: Callable[..., Any] = getattr(module, name)

        def wrapped(*arguments: Any) -> Any:
            start = time.perf_counter()
            result = function(*arguments)
            found[part] = time.perf_counter() - start
            return result

        setattr(module, name, wrapped)

    # The time of `write` includes that of sorting the ids, as the sort runs when the first id is read.
    clocked(corpus.build, "cut_shards", "map")
    clocked(near_duplicates, "label", "global")
    clocked(corpus.build, "write_all", "write")
    news = str(Path(folder) / "news")
    settings, out = CorpusSettings(root=news), Path(folder) / "out"
    start = time.perf_counter()
    if engine == "spark":
        _count_bytes(spark_engine, found)
        summary = spark_engine.build_spark([news], out, settings, ADDRESS)
    else:
        summary = corpus.build.build([news], out, settings, workers=ENGINES.index(engine) + 1)
    found["wall"] = time.perf_counter() - start
    found["cpu"] = sum(os.times()[:4]) + sum(map(_cpu, _below(os.getpid())))
    print(json.dumps({"sentences": summary.sentences, **found}))


def _count_bytes(module: Any, found: dict[str, float]) -> None:
    """Count the bytes that the executors shuffle, and those of the tables between the steps."""
    write = module.SparkTables._write

    def counted(self: Any, table: str, frame: Any) -> None:
        write(self, table, frame)
        found["scratch"] += sum(file.stat().st_size for file in self._made[table].iterdir())
        executors = self._spark.sparkContext._jsc.sc().statusStore().executorList(False)
        found["shuffle"] = sum(executors.apply(n).totalShuffleWrite() for n in range(executors.size()))

    module.SparkTables._write = counted


def _below(root: int) -> list[int]:
    """The ids of all descendants of a process."""
    found = children(root)
    return found + [below for pid in found for below in _below(pid)]


def _cpu(pid: int) -> float:
    """CPU seconds of a process and of those that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
