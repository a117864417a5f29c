"""What a build runs on: what cuts the shards, and which database finds the near-duplicates.

The engine here is one machine, with processes and DuckDB; the one for a cluster is in `corpus.spark_engine`. Both give
the same tables, byte for byte.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from corpus.database import Database, Duck, duck
from corpus.errors import StanceError
from corpus.numbers import number
from corpus.shards import Job, Made, make_shard

MEMORY = "400MB"
"""Memory limit of the global step; a first build of a million sentences then peaks at 850 MB (docs/benchmarks.md)."""
ATTEMPTS = 3
"""How often work is tried, in all, when workers are killed: the same article may kill each of them."""


Work = TypeVar("Work")
Result = TypeVar("Result")


class Engine(Protocol):
    """What runs the work of a build."""

    threads: int
    """Number of threads that this machine may use for what is not done by the workers."""

    def cut(self, jobs: list[Job]) -> Iterator[Made]:
        """Make shards; see `corpus.shards.cut_shards`."""

    def database(self, folder: Path) -> AbstractContextManager[Database]:
        """An empty database; `folder` is for its files, and the caller removes it."""


def on_processes(
    function: Callable[[Work], Result], pieces: Mapping[str, Work], workers: int | None
) -> Iterator[Result]:
    """Run a function on pieces of work in worker processes; if one is killed, another does its work.

    Args:
        function: function that worker processes can import from its module. It may be run twice on one piece, which
            must do no harm.
        pieces: pieces of work, each under a name of its own. Fewer than two are done in this process.
        workers: number of worker processes, one for each core if None. With one, this process does the work.

    Yields:
        Each piece's result once, in any order.

    Raises:
        StanceError: workers were killed again and again.
    """
    count = min(workers or os.cpu_count() or 1, len(pieces))
    if count < 2:
        yield from map(function, pieces.values())
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    waiting = dict(pieces)
    for left in reversed(range(ATTEMPTS)):
        run = Parallel(n_jobs=min(count, len(waiting)), return_as="generator_unordered")
        try:
            for name, result in run([delayed(_named)(function, name, piece) for name, piece in waiting.items()]):
                del waiting[name]
                yield result
            break
        except TerminatedWorkerError as error:
            if not left:
                raise StanceError(
                    f"a worker was killed {ATTEMPTS} times, which a machine does when its memory is full; "
                    f"{len(waiting)} of {number(len(pieces), 'shard', 'are')} left. Run it again with fewer --workers"
                ) from error
    # Idle workers would keep 150 MB each, and a model, through the global step.
    get_reusable_executor().shutdown(wait=True)


def _named(function: Callable[[Work], Result], name: str, piece: Work) -> tuple[str, Result]:
    return name, function(piece)


class Local:
    """The engine on one machine: worker processes and DuckDB."""

    def __init__(self, workers: int | None) -> None:
        """Store the number of workers; None means one for each core."""
        self.threads = workers or os.cpu_count() or 1

    def cut(self, jobs: list[Job]) -> Iterator[Made]:
        """See `Engine`. If a worker is killed, another makes its shard.

        Raises:
            StanceError: workers were killed again and again.
        """
        yield from on_processes(make_shard, {job.shard.key: job for job in jobs}, self.threads)

    @contextmanager
    def database(self, folder: Path) -> Iterator[Duck]:
        """See `Engine`.

        Raises:
            OSError: DuckDB cannot go on, for instance because the disk is full.
        """
        import duckdb

        try:
            with duck(MEMORY, folder, self.threads) as tables:
                yield tables
        except duckdb.Error as error:
            raise OSError(str(error)) from error
