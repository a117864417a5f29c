"""Stopping a command: Ctrl-C and a polite kill are heeded wherever they come, and all that it started stops too."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import NoReturn


def terminate(_number: int, _frame: object) -> NoReturn:
    """Let a polite kill run the clean-up too: what we started stops with us."""
    sys.exit(143)


def repeat_swallowed(swallowed: sys.UnraisableHookArgs) -> None:
    """Send ourselves a signal again whose exception was raised inside a finaliser, where Python drops it.

    Without this, Ctrl-C goes unheard when it comes while, say, a progress bar is being deleted.
    """
    for exception, number in ((KeyboardInterrupt, signal.SIGINT), (SystemExit, signal.SIGTERM)):
        if issubclass(swallowed.exc_type, exception):
            # A little later, or it would be raised inside the same finaliser.
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
            return
    sys.__unraisablehook__(swallowed)
