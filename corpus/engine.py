"""What a build runs on: who cuts the shards, and which database finds the near-duplicates.

Here one machine, with processes and DuckDB; a cluster is in `corpus.spark_engine`. Neither changes a byte of the
tables.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from corpus.database import Database, duck
from corpus.records import StanceError
from corpus.shards import Job, Made, make_shard

MEMORY = "400MB"
"""Of the global step; a first build of a million sentences then peaks at 850 MB (docs/benchmarks.md)."""
ATTEMPTS = 3
"""How often work goes on after a worker was killed: the same article may be what killed it."""


class Engine(Protocol):
    """Runs what a build hands out."""

    def cut(self, jobs: list[Job]) -> Iterator[Made]:
        """Make shards; see `corpus.shards.cut_shards`."""

    def database(self, folder: Path) -> AbstractContextManager[Database]:
        """An empty database; `folder` is for its files and removed by the caller."""


class Local:
    """Worker processes and DuckDB."""

    def __init__(self, workers: int | None) -> None:
        """Take the number of workers; none: one a core."""
        self._workers = workers or os.cpu_count() or 1

    def cut(self, jobs: list[Job]) -> Iterator[Made]:
        """See `Engine`. What a killed worker had in hand is made by another one.

        Raises:
            StanceError: workers were killed again and again.
        """
        if min(self._workers, len(jobs)) < 2:
            yield from map(make_shard, jobs)
            return
        from joblib import Parallel, delayed
        from joblib.externals.loky import get_reusable_executor
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        waiting = {job.shard.key: job for job in jobs}
        for left in reversed(range(ATTEMPTS)):
            run = Parallel(n_jobs=min(self._workers, len(waiting)), return_as="generator_unordered")
            try:
                for made in run([delayed(make_shard)(job) for job in waiting.values()]):
                    del waiting[made.key]
                    yield made
                break
            except TerminatedWorkerError as error:
                if not left:
                    raise StanceError(
                        f"a worker was killed {ATTEMPTS} times, which a machine does when its memory is full; "
                        f"{len(waiting)} of {len(jobs)} shards are left. Run it again with fewer --workers"
                    ) from error
        # Idle workers would keep 150 MB each through the global step.
        get_reusable_executor().shutdown(wait=True)

    @contextmanager
    def database(self, folder: Path) -> Iterator[Database]:
        """See `Engine`.

        Raises:
            OSError: DuckDB can't go on, as on a full disk.
        """
        import duckdb

        try:
            with duck(MEMORY, folder) as tables:
                yield tables
        except duckdb.Error as error:
            raise OSError(str(error)) from error
