"""Tables and record files on disk: written whole or not at all, checked when read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from corpus.records import StanceError, TableError

Record = TypeVar("Record", bound=msgspec.Struct)


def write_bytes(path: Path, data: bytes, mode: int = 0o644) -> bool:
    """Write a file by a temporary name and a rename, only when its content differs.

    Args:
        path: where to write; its folder is made when missing.
        data: the whole content.
        mode: permission bits of a new file; set before any content is in it.

    Returns:
        True when the file was written, False when it already held these bytes.
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


def private_folder(project: Path) -> Path:
    """The project's `.stance` folder, for its owner's eyes alone and ignored by git; made when missing."""
    folder = project / ".stance"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    write_bytes(folder / ".gitignore", b"*\n")
    return folder


@contextmanager
def locked(project: Path, command: str) -> Iterator[None]:
    """Keep a second run of a command away from a project for as long as the block runs.

    Raises:
        StanceError: another one is running.
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


def read_table(path: Path, schema: pa.Schema, made_by: str) -> pa.Table:
    """Read a Parquet table of an earlier stage.

    Args:
        path: the file.
        schema: the columns that must be there; further ones are dropped.
        made_by: the command that makes the file, for the message.

    Returns:
        The table with exactly the columns of `schema`.

    Raises:
        TableError: the file is missing, no Parquet, or lacks a column.
    """
    if not path.is_file():
        raise TableError(f"{path} is not there: run `{made_by}` first")
    try:
        table = pq.read_table(path)
        return table.select(schema.names).cast(schema)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise TableError(
            f"{path}: expected a Parquet table with the columns {', '.join(schema.names)}; "
            f"found: {error}. Delete it and run `{made_by}` again"
        ) from error


def write_jsonl(path: Path, records: Iterable[msgspec.Struct]) -> bool:
    """Write records one a line, as UTF-8 JSON; see `write_bytes`."""
    encoder = msgspec.json.Encoder()
    return write_bytes(path, b"".join(encoder.encode(record) + b"\n" for record in records))


def read_jsonl(path: Path, kind: type[Record], made_by: str) -> list[Record]:
    """Read a file of one record a line.

    Raises:
        TableError: the file is missing, or a line is no such record (named by its number).
    """
    if not path.is_file():
        raise TableError(f"{path} is not there: run `{made_by}` first")
    decoder = msgspec.json.Decoder(kind)
    records: list[Record] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line.strip():
            try:
                records.append(decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise TableError(f"{path}, line {number}: {error}") from error
    return records
