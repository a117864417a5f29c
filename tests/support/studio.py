"""Give a Label Studio of the tests its database, which takes Label Studio half a minute of computing to make."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import msgspec
from filelock import FileLock

import labeling.studio.local_server
from corpus.store import write_bytes
from labeling.studio.connection import KEY_FILE, read_key_file
from labeling.studio.local_server import running

REPO = Path(__file__).parent.parent.parent
MADE = REPO / ".pytest_cache" / "label-studio"


def with_database(folder: Path) -> Path:
    """Copy into a folder what Label Studio leaves there that was started once, and stopped.

    Tests of commands that start Label Studio themselves go without this, and begin with an empty folder.
    """
    made = MADE / _digest()
    MADE.mkdir(parents=True, exist_ok=True)
    with FileLock(MADE / "lock"):
        if not made.is_dir():
            _make(made)
    shutil.copytree(made / ".stance", folder / ".stance")
    server = read_key_file(folder)
    assert server is not None
    # Without its port: tests that begin at the same time would all choose that one.
    write_bytes(folder / KEY_FILE, msgspec.json.encode(msgspec.structs.replace(server, port=0)), mode=0o600)
    return folder


def without_delay(folder: Path) -> Path:
    """A folder for PYTHONPATH, by which a Label Studio sends the body of an answer at once.

    By itself it waits 40 ms each time, until the client acknowledges the headers: longer than it takes to answer.
    """
    code = "import socketserver\n\nsocketserver.StreamRequestHandler.disable_nagle_algorithm = True\n"
    (folder / "sitecustomize.py").write_text(code, "utf-8")
    return folder


def _make(made: Path) -> None:
    with tempfile.TemporaryDirectory(dir=MADE) as name:
        new = Path(name) / "new"
        new.mkdir()
        with running(new):
            pass
        new.rename(made)


def _digest() -> str:
    """Another Label Studio, or one that is started in another way, makes a database of its own."""
    files = (REPO / "requirements-studio.txt", Path(labeling.studio.local_server.__file__))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
