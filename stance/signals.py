"""Stop a command: Ctrl-C, SIGTERM and a closed terminal do so at any time.

Every process that the command started stops too.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

AGAIN = 1.0
"""Seconds after which a stop that had no effect is raised again."""


class Stopping:
    """Turns SIGINT, SIGTERM and SIGHUP into exceptions, so that every clean-up runs, until `end` is called.

    Python drops an exception that is raised inside a finaliser, and libraries catch too much. So the exception is
    raised again every second until the command has left, unless a clean-up is already under way because of it.
    """

    def __init__(self) -> None:
        """Take over the signals. What a shell's background job or `nohup` ignores, is still ignored then."""
        self.status = 0
        """The exit status that belongs to the signal received; 0 if none was."""
        handlers: dict[signal.Signals, Callable[[int, object], None]] = {
            signal.SIGTERM: self._heed,
            signal.SIGALRM: self._repeat,
        }
        for number in (signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                handlers[number] = self._heed
        self._before = {number: signal.signal(number, handler) for number, handler in handlers.items()}

    def end(self) -> None:
        """Raise no stop again, as the command has finished its clean-up, and give the signals back."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    def _heed(self, number: int, _frame: object) -> NoReturn:
        self.status = 128 + number
        # A system timer, not a thread: starting a thread inside a signal handler can wait for ever.
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
    """Whether the exception that is being handled is a stop, or was raised while a stop was handled."""
    while handled is not None:
        if isinstance(handled, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            return True
        handled = handled.__context__
    return False
