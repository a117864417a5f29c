"""Run a command of `stance` in this process."""

from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner


def run_command(folder: Path, *arguments: str) -> str:
    """A command as a user types it, in this process; known errors, and errors of usage, raise as they are."""
    from stance.command_line import cli

    here = Path.cwd()
    try:
        result = CliRunner().invoke(cli, ["-C", str(folder), *arguments], catch_exceptions=False, standalone_mode=False)
    finally:
        os.chdir(here)
    if result.exception is not None:
        raise result.exception
    return result.output
