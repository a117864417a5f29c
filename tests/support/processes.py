"""Start commands that can be stopped, kill them at a given moment, and find the processes that they leave running."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class Killer(threading.Thread):
    """A thread that calls `act` once, as soon as `now` returns true."""

    def __init__(self, now: Callable[[], bool], act: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.now, self.act, self.acted = now, act, False

    def run(self) -> None:
        until = time.monotonic() + 600
        while not self.now() and time.monotonic() < until:
            time.sleep(0.02)
        if self.now():
            self.act()
            self.acted = True

    def __enter__(self) -> Killer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.join()


def as_at_a_terminal() -> None:
    """Heed Ctrl-C and a closed terminal, which a shell's background job or `nohup` ignores: tests may run in one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def children(pid: int) -> list[int]:
    """The ids of the processes that any thread of a process has started: Linux lists them by thread."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread ended meanwhile
            found += map(int, file.read_text().split())
    return found


def command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def workers() -> list[int]:
    """The ids of this process' workers."""
    return [pid for pid in children(os.getpid()) if b"LokyProcess" in command(pid)]
