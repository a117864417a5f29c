"""Run an event loop into which no signal breaks."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine as `asyncio.run` does, but call signal handlers between two steps of the event loop.

    Python calls a handler anywhere. If it raises an exception where the loop has just taken a task from its queue, that
    task never goes on, and the loop, which waits for all of its tasks before it ends, waits for ever. Raised between
    two steps, the exception leaves the loop, and then all tasks are cancelled and do their clean-up.

    Args:
        main: the coroutine.

    Returns:
        Its result.
    """
    if threading.current_thread() is not threading.main_thread():  # where Python calls no handlers
        return asyncio.run(main)
    runner = asyncio.Runner()
    loop = runner.get_loop()
    handlers = {number: handler for number in STOPS if callable(handler := signal.getsignal(number))}

    waiting: list[signal.Signals] = []

    def heed(number: signal.Signals) -> None:
        waiting.remove(number)
        handlers[number](number, None)

    def postpone(number: int, _frame: object) -> None:
        waiting.append(signal.Signals(number))
        if loop.is_closed():
            heed(signal.Signals(number))
        else:
            loop.call_soon_threadsafe(heed, signal.Signals(number))

    try:
        for number in handlers:
            signal.signal(number, postpone)
        with runner:
            result = runner.run(main)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in waiting:  # it came when the loop had made its last step
        handlers[number](number, None)
    return result
