"""Measure the time of a computation, for tests that it grows no faster than its input."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def least_seconds(work: Callable[[], object]) -> float:
    """The least CPU time of three runs, as other work on the computer can only make a run longer.

    The garbage collector is off meanwhile: what it does depends on all that the tests before have left in memory.
    """
    taken = []
    gc.disable()
    try:
        for _ in range(3):
            start = time.process_time()
            work()
            taken.append(time.process_time() - start)
    finally:
        gc.enable()
    return min(taken)
