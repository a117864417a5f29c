"""Run a command at a terminal of its own, as a user does who types at it."""

from __future__ import annotations

import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Mapping
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path


def at_terminal(
    command: list[str], folder: Path, typed: str = "", columns: int = 80, more: Mapping[str, str] | None = None
) -> str:
    """What the terminal shows of a command, with what was typed.

    Args:
        command: the command with its arguments.
        folder: working folder of the command.
        typed: keys that are pressed.
        columns: width of the terminal.
        more: variables of the environment, besides a few of this process.
    """
    keyboard, terminal = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm", **(more or {})}
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, cwd=folder, env=environment, start_new_session=True
    ):
        os.close(terminal)
        os.write(keyboard, typed.encode())
        shown = b""
        with suppress(OSError):  # the other end is closed when the command has ended
            while select.select([keyboard], [], [], 60)[0]:
                part = os.read(keyboard, 65536)
                if not part:
                    break
                shown += part
    os.close(keyboard)
    return shown.decode().replace("\r\n", "\n")
