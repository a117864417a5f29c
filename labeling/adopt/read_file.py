"""Recognise which tool wrote a file, by its content, and read the answers in it."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from corpus.errors import TableError
from labeling.adopt import argilla, doccano, label_studio, plain_table, potato, prodigy
from labeling.adopt.exported import Export, ExportTask, Unmatched
from labeling.adopt.file_rows import Row, arrow_rows, content_of, numbered, rows_of
from labeling.scheme import DEFAULT, Scheme

MOST_MEMBERS = 10_000
MOST_BYTES = 1 << 30
"""Limits of an archive: a file for each person, and their size when unpacked."""


def read_file(path: Path, annotator: str | None = None, scheme: Scheme = DEFAULT) -> Export:
    """Read the answers of a file or folder that Label Studio or another tool wrote.

    Args:
        path: the file or folder.
        annotator: name of the person, if the user gave one.
        scheme: labels of the project, which tell a label from what else a tool writes beside it.

    Raises:
        TableError: there is no such file, it was not written by a known tool, or it is malformed.
    """
    if path.is_dir():
        return _folder(path, annotator, scheme)
    if not path.is_file():
        raise TableError(f"{path}: no such file; --from takes an export of Label Studio or of another tool")
    ending = path.suffix.lower()
    if ending == ".zip":
        return _archive(path)
    if ending != ".json":
        return _of_rows(path, rows_of(path), annotator, scheme)
    content = content_of(path)
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        raise TableError(f"{path}: expected a list of tasks, records or rows; found {type(content).__name__}")
    if not content or any(map(label_studio.is_task, content)):
        return label_studio.from_json(path, content)
    return _of_rows(path, numbered(content), annotator, scheme)


def _of_rows(path: Path, rows: Sequence[Row], annotator: str | None, scheme: Scheme) -> Export:
    """Read rows as those of the tool whose columns they have, otherwise as a plain table."""
    first = rows[0].fields if rows else {}
    if label_studio.is_task(first):
        return label_studio.from_json(path, [row.fields for row in rows])
    if label_studio.is_flat(first):
        return label_studio.from_rows(path, rows)
    if any(prodigy.is_row(row.fields) for row in rows):
        return prodigy.from_rows(rows, scheme)
    if any(argilla.is_row(row.fields) for row in rows):
        return argilla.from_rows(rows, scheme)
    if potato.is_row(first):
        return potato.from_rows(path, rows, scheme)
    if any(doccano.is_row(row.fields) for row in rows):
        together = path.stem == doccano.TOGETHER
        if annotator is None and not together:
            raise TableError(
                f"{path}: an export of doccano that doesn't say who gave the answers: name the person with "
                "--annotator NAME, or pull the archive (.zip) in which each person has a file"
            )
        return doccano.from_rows(rows, "")
    return plain_table.from_rows(path, rows, annotator, scheme)


def _folder(path: Path, annotator: str | None, scheme: Scheme) -> Export:
    if potato.is_folder(path):
        return potato.from_folder(path, scheme)
    if any(path.rglob("*.arrow")):
        return _of_rows(path, arrow_rows(path), annotator, scheme)
    raise TableError(
        f"{path}: expected a folder of annotations of Potato, or one that the library `datasets` saved; it holds "
        "neither user_state.json nor .arrow files"
    )


def _archive(path: Path) -> Export:
    """Read doccano's archive, in which each person has a file that is named after them."""
    tasks: list[ExportTask] = []
    left_out: list[Unmatched] = []
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            members = [
                row for row in archive.infolist() if not row.is_dir() and not row.filename.startswith("__MACOSX")
            ]
            if len(members) > MOST_MEMBERS or sum(row.file_size for row in members) > MOST_BYTES:
                raise TableError(f"{path}: expected a file for each person; found more than {MOST_MEMBERS} or 1 GB")
            for number, member in enumerate(members):
                name = Path(member.filename)
                if name.suffix.lower() not in {".json", ".jsonl", ".csv"}:
                    raise TableError(f"{path}: expected .jsonl, .json or .csv files of doccano; found {name.name}")
                file = Path(folder) / f"{number}{name.suffix.lower()}"  # never a path from the archive
                file.write_bytes(archive.read(member))
                by = "" if name.stem == doccano.TOGETHER else name.stem
                part = doccano.from_rows(_member(file), by, joined=file.suffix == ".csv")
                tasks += part.tasks
                left_out += part.left_out
    except (zipfile.BadZipFile, RuntimeError, OSError) as error:
        raise TableError(f"{path}: expected a zip archive that doccano exported; found: {error}") from error
    return Export(tool="doccano", tasks=tasks, left_out=left_out)


def _member(file: Path) -> list[Row]:
    if file.suffix != ".json":
        return rows_of(file)
    content = content_of(file)
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        raise TableError(f"{file.name}: expected a list of records")
    return numbered(content)
