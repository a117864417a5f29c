"""Find Label Studio, or install it once for all of a user's projects, in an environment of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from corpus.digests import ROOT
from corpus.errors import StudioError

VERSION = "1.23.2"
"""The version of Label Studio that is installed."""
SIZE = "1.0 GB"
"""The disk space that Label Studio and everything that it depends on take."""
TIME = "a few minutes"
"""How long the installation takes: 88 s with pip on two idle cores, longer where the network is slow."""
PROGRAM = Path("bin") / "label-studio"
DOING = re.compile(r"Collecting [\w.-]+|Installing collected packages")
"""What pip says when it begins something."""


def user_folder() -> Path:
    """The folder of the user's own installation, existing or not, in `XDG_DATA_HOME` or `~/.local/share`."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "stance" / "label-studio"


def find() -> Path | None:
    """The path of the Label Studio program; None if it is not found.

    It is looked for in `.venv-studio` beside the project and beside this package, then in the user's own installation,
    then on the PATH.
    """
    here = (Path.cwd() / ".venv-studio", ROOT / ".venv-studio", user_folder())
    for folder in here:
        if (folder / PROGRAM).is_file():
            return folder / PROGRAM
    program = shutil.which(
        "label-studio", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    return Path(program) if program else None


def executable() -> Path:
    """The path of the Label Studio program.

    Raises:
        StudioError: it is not found; the message says how to install it.
    """
    program = find()
    if program is None:
        folder = user_folder()
        raise StudioError(
            f"Label Studio is not installed: `stance serve --install` installs it for all your projects ({SIZE}, "
            f"{TIME}), in an environment of its own, as it needs other versions of some packages than stance. By hand: "
            f"`python -m venv {folder} && {folder / 'bin' / 'pip'} install label-studio=={VERSION}`"
        )
    return program


def install(step: Callable[[str], None] = lambda said: None) -> Path:
    """Install Label Studio into the user's folder; what the installing programs warn of goes to the terminal.

    Args:
        step: function that is called with what is being done, such as the package that is being fetched.

    Returns:
        The path of the installed program.

    Raises:
        StudioError: the environment could not be made, or pip failed; running it again continues.
    """
    folder = user_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--progress-bar", "off", f"label-studio=={VERSION}"],
    ):
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            for line in running.stdout:
                if doing := DOING.match(line):
                    step(doing.group())
        if running.returncode:
            raise StudioError(f"installing Label Studio failed with status {running.returncode}: `{' '.join(command)}`")
    return executable()
