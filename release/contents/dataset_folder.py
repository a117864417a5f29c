"""How a dataset's folder is opened: the line to paste, and the folders that `load_dataset` takes for something else."""

from __future__ import annotations

import os.path
import pkgutil
import re
from collections.abc import Collection
from pathlib import Path

from corpus.errors import StanceError

MAGIC = re.compile(r"[*?\[]|::")
"""What `datasets` reads as a pattern of file names, or as one address within another, anywhere in a path."""


def open_line(folder: Path, config: str = "gold") -> str:
    r"""The Python expression that opens a dataset's folder.

    The library looks a bare name up among its own loaders first, and on the Hub last, so a relative path begins with a
    dot. Python must run in the folder that a relative path starts from.

    Args:
        folder: path of the dataset's folder, relative or absolute.
        config: config of the dataset.

    >>> print(open_line(Path("text")))
    load_dataset("./text", "gold")
    >>> print(open_line(Path("it's \"new\"")))
    load_dataset('./it\'s "new"', "gold")
    """
    if str(folder).startswith("~"):  # `datasets` would read it as a home folder, even after "./"
        folder = folder.absolute()
    path = str(folder) if folder.is_absolute() or folder.parts[:1] == ("..",) else f"./{folder}"
    return f'load_dataset({_quoted("./" if path == "./." else path)}, "{config}")'


def _quoted(path: str) -> str:
    """A string literal of Python: in double quotes, as in stance's other examples, if nothing needs escaping."""
    text = repr(path)
    return f'"{path}"' if text == f"'{path}'" and '"' not in path else text


def check_name(folder: Path) -> None:
    """Refuse a folder that `load_dataset` can't open by any path.

    Args:
        folder: path of the folder, as the user gave it.

    Raises:
        StanceError: a part of the path has a special meaning to `datasets`.
    """
    if reason := unopenable(folder):
        raise StanceError(f"--out {folder}: load_dataset can't open a folder there: {reason}; name another folder")


def unopenable(folder: Path) -> str:
    """The reason why `load_dataset` can't open a folder by any path; "" if it can."""
    path = folder.as_posix()
    if match := MAGIC.search(path):
        return f"it reads {match.group()} in a path as part of a pattern or of an address"
    if folder.name.endswith(".py"):
        return "it reads a folder whose name ends in .py as a program"
    if os.path.expandvars(path) != path:
        return "it replaces the name of a variable after $ by the variable's value"
    return ""


def taken_for(folder: Path) -> str:
    """A warning about a folder whose bare name `load_dataset` takes for its own loader; "" for any other folder."""
    if folder.name not in _loaders():
        return ""
    return (
        f'load_dataset("{folder.name}") does not open this folder: it takes the bare name for its own loader of that '
        "name. Open the folder as shown, with the dot or the whole path, or name another folder"
    )


def _loaders() -> Collection[str]:
    """The names of the loaders that come with the installed version of the library."""
    from datasets import packaged_modules

    loaders: Collection[str] = getattr(packaged_modules, "_PACKAGED_DATASETS_MODULES", ())
    # A later version may have no such table. Each loader is a module of this package, as are a few other things.
    return loaders or {module.name for module in pkgutil.iter_modules(packaged_modules.__path__)}
