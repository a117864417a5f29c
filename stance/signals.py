"""Stopping a command: Ctrl-C and a polite kill are heeded wherever they come, and all that it started stops too."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

AGAIN = 1.0
"""Seconds after which a stop that went unheard is raised again."""


class Stopping:
    """Turns SIGINT and SIGTERM into exceptions, so that every clean-up runs, until `end` is called.

    Python drops an exception that is raised inside a finaliser, and libraries catch too much. So the exception is
    raised again every second until the command has left, unless a clean-up is already under way because of it.
    """

    def __init__(self) -> None:
        """Take over the signals. A shell's background job ignores Ctrl-C, and goes on doing so."""
        self.status = 0
        """The exit status that goes with the signal that came; 0: none came."""
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._heed)
        signal.signal(signal.SIGTERM, self._heed)
        signal.signal(signal.SIGALRM, self._repeat)

    def end(self) -> None:
        """Raise nothing again: the command has left all that it had to clean up."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _heed(self, number: int, _frame: object) -> NoReturn:
        self.status = 128 + number
        # A timer of the system, not a thread: starting a thread inside a signal's handler can wait for ever.
        signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        self._raise()

    def _repeat(self, _number: int, _frame: object) -> None:
        if not _leaving(sys.exc_info()[1]):
            self._raise()

    def _raise(self) -> NoReturn:
        if self.status == 128 + signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(self.status)


def _leaving(handled: BaseException | None) -> bool:
    """Whether the exception that is being handled is that of a stop, or came while one was handled."""
    while handled is not None:
        if isinstance(handled, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            return True
        handled = handled.__context__
    return False
