"""Make files and folders under temporary names and rename them into place, so that none is ever incomplete."""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STAGED = "half."
"""Beginning of the names of folders in which something is being made, or was when a run was killed."""


@contextmanager
def staging(folder: Path, prefix: str = STAGED) -> Iterator[Path]:
    """Make an empty folder to work in, on the same disk as the result's place; it is removed when the block ends.

    Args:
        folder: an existing folder, to make the new one in.
        prefix: beginning of the new folder's name.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=prefix) as name:
        yield Path(name)


def remove_staged(folder: Path) -> None:
    """Remove the staging folders that a killed run left."""
    for left in folder.glob(f"{STAGED}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def made_once(path: Path) -> Iterator[Path]:
    """Make a folder to fill, which is renamed to its place when the block ends without an error.

    Two processes may make the same folder at once, for instance when one was taken for dead too early: the first
    folder is kept, since both have the same content.

    Args:
        path: the folder's place, in a folder that exists.

    Raises:
        OSError: the folder cannot be renamed, and no other process made it.
    """
    with staging(path.parent) as folder:
        half = folder / path.name
        half.mkdir()
        yield half
        try:
            half.rename(path)
        except OSError:
            if not path.is_dir():
                raise


def put_in_place(new: Path, path: Path) -> bool:
    """Rename a finished file or folder into its place, unless the same content is there already.

    Args:
        new: the finished file or folder, on the same disk.
        path: its place.

    Returns:
        False if the place held the same content already.
    """
    if _same(new, path):
        return False
    if new.is_dir():
        swap(new, path)
    else:
        new.replace(path)
    return True


def swap(new: Path, path: Path) -> None:
    """Put a finished folder in the place of an older one, if there is one; if that fails, the older one is restored.

    Args:
        new: the finished folder, in a staging folder; the older folder is moved into that staging folder.
        path: its place.
    """
    old = new.with_name(f"{new.name}.old")
    if path.exists():
        path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        if old.exists():
            old.rename(path)
        raise


def _same(new: Path, path: Path) -> bool:
    if new.is_file():
        return path.is_file() and filecmp.cmp(new, path, shallow=False)
    files = [{file.relative_to(folder) for file in folder.rglob("*") if file.is_file()} for folder in (new, path)]
    return files[0] == files[1] and all(filecmp.cmp(new / name, path / name, shallow=False) for name in files[0])
