"""How a dataset's folder is opened: the line to paste, and the folders that `load_dataset` takes for something else."""

from __future__ import annotations

import os.path
import pkgutil
import re
from collections.abc import Collection
from pathlib import Path

from corpus.errors import StanceError

MAGIC = re.compile(r"[*?\[]|::")
"""What `datasets` reads as a pattern of file names, or as one address within another, wherever in a path it stands."""


def open_line(folder: Path, config: str = "gold") -> str:
    r"""The Python expression that opens a dataset's folder, from the folder that its path counts from.

    A bare name is looked up among the library's own loaders first and at the Hub last, so a relative path begins
    with a dot.

    Args:
        folder: relative, or absolute.
        config: the dataset's config.

    >>> print(open_line(Path("text")))
    load_dataset("./text", "gold")
    >>> print(open_line(Path("it's \"new\"")))
    load_dataset('./it\'s "new"', "gold")
    """
    if str(folder).startswith("~"):  # as a home folder's name, with a dot before it too
        folder = folder.absolute()
    path = str(folder) if folder.is_absolute() or folder.parts[:1] == ("..",) else f"./{folder}"
    return f'load_dataset({_quoted("./" if path == "./." else path)}, "{config}")'


def _quoted(path: str) -> str:
    """A string literal of Python, in double quotes, like stance's other examples, where nothing needs escaping."""
    text = repr(path)
    return f'"{path}"' if text == f"'{path}'" and '"' not in path else text


def check_name(folder: Path) -> None:
    """Refuse a folder that `load_dataset` opens by no path to it.

    Args:
        folder: as the user named it.

    Raises:
        StanceError: a part of its path has a meaning of its own to `datasets`.
    """
    if reason := unopenable(folder):
        raise StanceError(f"--out {folder}: load_dataset can't open a folder there: {reason}; name another folder")


def unopenable(folder: Path) -> str:
    """Why `load_dataset` opens a folder by no path to it; "" where it does."""
    path = folder.as_posix()
    if match := MAGIC.search(path):
        return f"it takes {match.group()} in a path for a part of a pattern or an address"
    if folder.name.endswith(".py"):
        return "it takes a name that ends in .py for a program"
    if os.path.expandvars(path) != path:
        return "it puts the value of a variable in the place of its name behind $"
    return ""


def taken_for(folder: Path) -> str:
    """What to know of a folder whose bare name `load_dataset` takes for something else; "" where it doesn't."""
    if folder.name not in _loaders():
        return ""
    return (
        f'load_dataset("{folder.name}") does not open this folder: it takes the bare name for its own loader of that '
        "name. Open it as shown, with the dot or the whole path, or name another folder"
    )


def _loaders() -> Collection[str]:
    """The names of the loaders that come with the library; those of the installed version."""
    from datasets import packaged_modules

    loaders: Collection[str] = getattr(packaged_modules, "_PACKAGED_DATASETS_MODULES", ())
    # Should a later version keep no such table: each loader is a module of this package, and a few others are too.
    return loaders or {module.name for module in pkgutil.iter_modules(packaged_modules.__path__)}
