"""Find Label Studio, or install it once for all of a user's projects, in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from corpus.digests import ROOT
from corpus.errors import StudioError

VERSION = "1.23.2"
"""The version of Label Studio that is installed."""
SIZE = "0.8 GB"
"""The disk space that Label Studio and everything that it depends on take."""
PROGRAM = Path("bin") / "label-studio"


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
            "Label Studio is not installed. It needs other versions of some packages than stance, so give it an "
            f"environment of its own, for all your projects: `python -m venv {folder} && "
            f"{folder / 'bin' / 'pip'} install label-studio=={VERSION}`; at a terminal `stance serve` offers to do that"
        )
    return program


def install() -> Path:
    """Install Label Studio into the user's folder; the output of the installing programs goes to the terminal.

    Returns:
        The path of the installed program.

    Raises:
        StudioError: the environment could not be made, or pip failed; running it again continues.
    """
    folder = user_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", f"label-studio=={VERSION}"],
    ):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise StudioError(f"installing Label Studio failed with status {done.returncode}: `{' '.join(command)}`")
    return executable()
