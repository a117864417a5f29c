"""Keep the vectors of texts in a file of the user's cache, so that no text is encoded twice."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ExamplesError

Floats = NDArray[np.float32]
ASKED = 500
"""Number of texts that are looked up in one query."""
PATIENCE = 60
"""Seconds that a process waits while another one writes to the file."""


def cache_file(digest: str) -> Path:
    """The file with the vectors of one encoder, in `XDG_CACHE_HOME` or `~/.cache`; it can be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "stance" / "vectors" / f"{digest}.sqlite"


def key_of(text: str) -> bytes:
    """What a text's vector is kept under; the text itself is not kept."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def look_up(path: Path, keys: Sequence[bytes], width: int) -> dict[bytes, Floats]:
    """The vectors that the file holds, of those asked for.

    Raises:
        ExamplesError: the file cannot be read.
    """
    if not path.is_file():
        return {}
    found: dict[bytes, Floats] = {}
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as base:
            for start in range(0, len(keys), ASKED):
                asked = keys[start : start + ASKED]
                marks = ", ".join("?" * len(asked))
                for key, data in base.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", asked):
                    vector = np.frombuffer(data, np.float32)
                    if len(vector) == width:
                        found[key] = vector
    except sqlite3.Error as error:
        raise _fault(path, error) from error
    return found


def keep(path: Path, keys: Sequence[bytes], vectors: Floats) -> None:
    """Add vectors to the file, in one transaction.

    Raises:
        ExamplesError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as base, base:
            base.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
            rows = ((key, vector.tobytes()) for key, vector in zip(keys, vectors, strict=True))
            base.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
    except (OSError, sqlite3.Error) as error:
        raise _fault(path, error) from error


def _fault(path: Path, error: Exception) -> ExamplesError:
    return ExamplesError(
        f"{path}, which keeps sentence vectors, cannot be used: {error}. Delete it, or set XDG_CACHE_HOME to a folder "
        "that can be written to"
    )
