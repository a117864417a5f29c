"""Read and write tables and record files; a file is written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from corpus.errors import StanceError, TableError

Record = TypeVar("Record", bound=msgspec.Struct)
Content = TypeVar("Content")

LABELS = "labels"
_STATE: ContextVar[dict[Any, object] | None] = ContextVar("state", default=None)
"""Contents of the files read within `one_state`, by path and reading function."""
KEPT = (
    "annotations.jsonl",
    "history.jsonl",
    "adjudications.jsonl",
    "withdrawn.jsonl",
    "joined.jsonl",
    "people.jsonl",
    "sample.parquet",
    "archive_sentences.parquet",
    "splits.jsonl",
    "moved.jsonl",
    "fingerprints.jsonl",
    "qualifications.jsonl",
    "migrated.jsonl",
    "suggestions.jsonl",
)
"""Files that no command can make again: people's answers, also withdrawn ones, the rounds' probabilities, splits, moved
articles' ids, the fingerprints by which articles with labels are recognised, what new annotators were asked, and which
tasks showed a prediction."""
ATTRIBUTES = b"""# Two people can both add answers: git keeps the lines of both, and the next pull makes one of each.
annotations.jsonl merge=union
history.jsonl merge=union
adjudications.jsonl merge=union
withdrawn.jsonl merge=union
joined.jsonl merge=union
people.jsonl merge=union
"""
NOTE = b"""# What no command can make again

The files here hold people's answers and their history, what adjudicators settled, the rounds that were drawn with
their probabilities, the splits that examples were given, what articles with labels are recognised by, the ids that
such articles keep when they move, and which tasks showed annotators a prediction. Keep this folder in git or in a
backup. Everything in `work/` can be made again from the articles and this folder; answers of machine coders would have
to be asked for again.
"""


def table_path(work: Path, name: str) -> Path:
    """The path of one of a project's tables, by its name.

    A file that no command can make again (see `KEPT`) lies in the folder `labels` beside the project's folder `work`,
    so that `work` can be deleted at any time. A folder of tables with another name, as made by `stance build --out`,
    holds all its files itself.

    Args:
        work: the project's folder of tables.
        name: name of the table's file.
    """
    return (work.parent / LABELS if name in KEPT and work.name == "work" else work) / name


def move_kept(work: Path) -> list[str]:
    """Move the files that no command can make again out of a project's folder `work`, where they used to lie.

    Returns:
        The names of the files that were moved.

    Raises:
        TableError: both folders hold a file of the same name with different content; nothing is moved then.
    """
    pairs = [(work / name, table_path(work, name)) for name in KEPT]
    old = [(path, new) for path, new in pairs if path != new and path.is_file()]
    for path, new in old:
        if new.is_file() and new.read_bytes() != path.read_bytes():
            raise TableError(
                f"{path} and {new} are both there and differ; {new} is the one that counts: compare them, "
                f"then delete {path} or put it in the place of {new}"
            )
    for path, new in old:
        new.parent.mkdir(exist_ok=True)
        path.replace(new)
    folder = work.parent / LABELS
    if folder.is_dir() and not (folder / "README.md").exists():
        write_bytes(folder / "README.md", NOTE)
    return [path.name for path, _ in old]


def write_bytes(path: Path, data: bytes, mode: int = 0o644) -> bool:
    """Write a file under a temporary name and rename it, only if its content differs.

    Args:
        path: path of the file; its folder is made if missing.
        data: the whole content.
        mode: permission bits of a new file; they are set before it has any content.

    Returns:
        True if the file was written, False if it already held these bytes.
    """
    if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def wrote(changed: bool, *paths: Path) -> str:
    """The words in which a command says that it wrote files, or that they already had the same content."""
    return f"{'wrote' if changed else 'unchanged:'} {', '.join(map(str, paths))}"


def written_to(out: Path) -> list[Path]:
    """The folders that a project's files are written to (tables, and what labels need); they are never sources."""
    return [out, table_path(out, KEPT[0]).parent]


def private_folder(project: Path) -> Path:
    """The project's `.stance` folder, which only its owner can read and git ignores; made if missing."""
    folder = project / ".stance"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_bytes(folder / ".gitignore", b"*\n")
    return folder


@contextmanager
def locked(project: Path, command: str) -> Iterator[None]:
    """Keep a second run of a command away from a project while the block runs.

    Raises:
        StanceError: another run of the command is going on.
    """
    private_folder(project)
    try:
        with FileLock(project / ".stance" / f"{command}.lock", timeout=0):
            yield
    except Timeout as error:
        raise StanceError(f"another `stance {command}` of this project is running; wait for it to end") from error


def write_table(path: Path, table: pa.Table) -> bool:
    """Write an Arrow table as Parquet, whole or not at all; see `write_bytes`."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return write_bytes(path, sink.getvalue().to_pybytes())


@contextmanager
def one_state() -> Iterator[None]:
    """Let every read of a table within the block return the same content: each file is read only once.

    This is for commands that combine many tables and write none of them. Within another such block, the outer one
    counts.
    """
    if _STATE.get() is not None:
        yield
        return
    token = _STATE.set({})
    try:
        yield
    finally:
        _STATE.reset(token)


def once(path: Path, read: Callable[[Path], Content]) -> Content:
    """What `read` makes of a file; within `one_state` it is called once for each file."""
    state = _STATE.get()
    if state is None:
        return read(path)
    key = (path.resolve(), read)
    if key not in state:
        state[key] = read(path)
    return cast("Content", state[key])


def write_jsonl(path: Path, records: Iterable[msgspec.Struct]) -> bool:
    """Write records as UTF-8 JSON, one on each line; see `write_bytes`."""
    encoder = msgspec.json.Encoder()
    return write_bytes(path, b"".join(encoder.encode(record) + b"\n" for record in records))


def read_jsonl(path: Path, kind: type[Record], made_by: str) -> list[Record]:
    """Read a file with one record on each line.

    Raises:
        TableError: the file is missing, or a line is not such a record (the message gives its number).
    """
    if not path.is_file():
        raise TableError(f"{path} is not there: run `{made_by}` first", missing=True)
    decoder = msgspec.json.Decoder(kind)
    records: list[Record] = []
    for number, line in enumerate(once(path, Path.read_bytes).split(b"\n"), 1):
        if line.strip():
            try:
                records.append(decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise TableError(f"{path}, line {number}: {error}") from error
    return records


def read_jsonl_if_there(path: Path, kind: type[Record]) -> list[Record]:
    """Read a file with one record on each line; no records where the file is missing.

    Raises:
        TableError: a line is not such a record (the message gives its number).
    """
    return read_jsonl(path, kind, "") if path.is_file() else []


def json_bytes(record: object) -> bytes:
    """A record as a JSON file: indented by two spaces, with the keys in their order and a line break at the end."""
    return msgspec.json.format(msgspec.json.encode(record)) + b"\n"


def write_json(path: Path, record: object) -> bool:
    """Write a record as a JSON file; see `json_bytes` and `write_bytes`."""
    return write_bytes(path, json_bytes(record))


def read_json(path: Path, kind: type[Content], error: type[StanceError] = TableError, advice: str = "") -> Content:
    """Read a JSON file that holds one record.

    Args:
        path: the file.
        kind: type of the record.
        error: type of the error that is raised if the file holds something else.
        advice: what the user should do then, for the end of the error's message.

    Raises:
        FileNotFoundError: the file is missing.
        StanceError: the file is not JSON, or does not hold such a record.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise error(f"{path}: {cause}{advice and '; '}{advice}") from cause


def read_json_if_whole(path: Path, kind: type[Content]) -> Content | None:
    """Read a JSON file that holds one record; None if the file is missing, cut short, or from another version."""
    try:
        return read_json(path, kind)
    except (FileNotFoundError, TableError):
        return None
