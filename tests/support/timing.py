"""Measure the time of a computation, for tests that it grows no faster than its input."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

RUNS = 3


def least_seconds(work: Callable[[], object]) -> float:
    """The least CPU time of three runs, as other work on the computer can only make a run longer."""
    return min(_seconds(work) for _ in range(RUNS))


def takes_less(work: Callable[[], object], limit: float) -> bool:
    """Whether the least CPU time of three runs is below a limit in seconds: the first run that is settles it."""
    return any(_seconds(work) < limit for _ in range(RUNS))


def _seconds(work: Callable[[], object]) -> float:
    """The CPU time of a run; the garbage collector is off, as it goes through all that earlier tests have left."""
    gc.disable()
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        gc.enable()
