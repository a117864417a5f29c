"""Potato's output: each annotator's file in the folder of annotations, and the tables that it exports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import TableError
from labeling.adopt.exported import Export, ExportTask, Unmatched, answer, number_of, one_answer_each
from labeling.adopt.file_rows import Row, content_of, rows_of
from labeling.scheme import DEFAULT, Scheme

STATE = "user_state.json"
INSTANCES = "annotated_instances.jsonl"
SEPARATOR = ":::"
"""What stands between a scheme and its label in the columns of tables that versions before 2 write."""


def is_folder(folder: Path) -> bool:
    """Whether a folder holds annotators' files of Potato."""
    return any(folder.rglob(STATE)) or any(folder.rglob(INSTANCES))


def is_row(fields: Mapping[str, Any]) -> bool:
    """Whether a row is one of Potato's."""
    if "label_annotations" in fields or "instance_id_to_label_to_value" in fields:
        return True
    return "instance_id" in fields and ("user_id" in fields or "user" in fields)


def from_folder(folder: Path, scheme: Scheme = DEFAULT) -> Export:
    """Read every annotator's file in a folder, and of two files of one annotator the one of the later versions.

    Raises:
        TableError: a file is malformed.
    """
    rows: list[tuple[str, Row]] = []
    for file in sorted(folder.rglob(STATE)):
        rows.append((file.parent.name, Row(1, _object(file, content_of(file)))))
    for file in sorted(folder.rglob(INSTANCES)):
        if not (file.parent / STATE).is_file():
            rows += [(file.parent.name, row) for row in rows_of(file)]
    items = _texts_of(sorted(folder.rglob("items.parquet")))
    return _export([found for name, row in rows for found in _answers(row, name)], items, scheme)


def from_rows(path: Path, rows: Sequence[Row], scheme: Scheme = DEFAULT) -> Export:
    """Read one annotator's file, or a table that Potato exported.

    The table's texts are in `items.parquet` beside it, if they were exported too. In the files of versions before 2 the
    annotator is the name of the file's folder.
    """
    beside = path.with_name("items.parquet")
    items = _texts_of([beside] if beside.is_file() else [])
    return _export([found for row in rows for found in _answers(row, path.resolve().parent.name)], items, scheme)


def _texts_of(files: Iterable[Path]) -> dict[str, str]:
    """The texts of the items in tables that Potato exported, by the items' ids."""
    return {str(row.fields.get("item_id")): str(row.fields.get("text", "")) for file in files for row in rows_of(file)}


class _Answer(msgspec.Struct, frozen=True):
    """One answer: its line, its item with its text where known, its annotator, and its labels."""

    line: int
    item: str
    text: str
    by: str
    labels: list[str]


def _answers(row: Row, folder: str) -> Iterable[_Answer]:
    fields = row.fields
    by = str(fields.get("user_id") or fields.get("user") or folder)
    if "instance_id_to_label_to_value" in fields:
        for item, given in (fields["instance_id_to_label_to_value"] or {}).items():
            yield _Answer(row.line, str(item), "", by, _labels(given))
        return
    item = str(fields.get("instance_id", fields.get("id", "")))
    text = str(fields.get("displayed_text", fields.get("text", "")) or "")
    given = fields.get("label_annotations", fields.get("labels"))
    if given is None:
        rest = ("instance_id", "user_id", "user", "displayed_text", "text", "id")
        given = {name: value for name, value in fields.items() if name not in rest}
    yield _Answer(row.line, item, text, by, _labels(given))


def _labels(given: object) -> list[str]:
    """The labels of an item, of all schemes: in lists of pairs, nested by scheme, or in columns."""
    if isinstance(given, str) and given.lstrip()[:1] in {"{", "["}:
        try:
            given = msgspec.json.decode(given)
        except msgspec.DecodeError:
            return [str(given)]
    if isinstance(given, list):
        pairs = [pair for pair in given if isinstance(pair, list) and len(pair) == 2]
        return [
            str(label.get("name") if isinstance(label, dict) else label) for label, value in pairs if _is_set(value)
        ]
    labels: list[str] = []
    for name, value in given.items() if isinstance(given, dict) else ():
        if isinstance(value, dict):
            inner = value.get("labels") if isinstance(value.get("labels"), dict) else value
            labels += [str(label) for label, chosen in inner.items() if _is_set(chosen)]  # type: ignore[union-attr]
        elif isinstance(value, list):
            labels += [str(label) for label in value]
        elif SEPARATOR in name:
            labels += [name.rpartition(SEPARATOR)[2]] if _is_set(value) else []
        elif value not in (None, ""):
            labels.append(str(value))
    return labels


def _is_set(value: object) -> bool:
    return value not in (None, "", False) and str(value).strip().casefold() not in {"false", "0", "nan"}


def _export(answers: Iterable[_Answer], items: Mapping[str, str], scheme: Scheme) -> Export:
    tasks: list[ExportTask] = []
    left_out: list[Unmatched] = []
    for row in answers:
        text = row.text or items.get(row.item, "")
        if not row.labels:
            left_out.append(Unmatched(task=row.line, text=text, reason=f"item {row.item!r}: no label"))
            continue
        # Other schemes, such as a confidence or a note, stand beside the label.
        labels = [label for label in row.labels if scheme.read(label)] or row.labels
        said = answer(number_of(row.item, row.by), row.by, labels)
        tasks.append(ExportTask(id=row.line, data={"text": text} if text else {}, annotations=[said], item=row.item))
    tasks, unclear = one_answer_each(tasks)
    return Export(tool="Potato", tasks=tasks, left_out=left_out + unclear)


def _object(path: Path, content: object) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise TableError(f"{path}: expected an annotator's file of Potato, which is a JSON object")
    return content
