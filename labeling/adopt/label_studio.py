"""Label Studio's exports: JSON of every version since 1.0 and of the versions before it, JSON-MIN, and CSV.

The formats JSON-MIN and CSV leave out skipped tasks. Up to version 0.9, JSON has `completions` in place of
`annotations`, with times in seconds and the account in `created_username`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import TableError
from corpus.numbers import number
from labeling.adopt.exported import Export, ExportTask, Unmatched, answer, moment_of, number_of, seconds_of
from labeling.adopt.file_rows import Row
from labeling.adopt.plain_table import column_of_labels

FLAT = {"annotator", "annotation_id", "created_at", "updated_at", "lead_time"}
"""Columns that JSON-MIN and CSV add to a task's fields and answers."""


def is_task(record: object) -> bool:
    """Whether a record is a task in the format JSON."""
    return (
        isinstance(record, dict)
        and isinstance(record.get("data"), dict)
        and ("annotations" in record or "completions" in record)
    )


def is_flat(columns: Iterable[str]) -> bool:
    """Whether these are the columns of JSON-MIN or CSV."""
    return {"annotator", "annotation_id"} <= set(columns) or {"annotator", "lead_time", "created_at"} <= set(columns)


def from_json(path: Path, records: Sequence[Mapping[str, Any]]) -> Export:
    """Read an export in the format JSON.

    Raises:
        TableError: a task or an answer does not have the form of the format.
    """
    tasks: list[ExportTask] = []
    left_out: list[Unmatched] = []
    for record in records:
        fields = {**record, "annotations": _answers(record)}
        try:
            task = msgspec.convert({name: fields.get(name) for name in ("id", "data", "annotations")}, ExportTask)
        except msgspec.ValidationError as error:
            raise TableError(
                f"{path}: expected a Label Studio export in the format JSON (a list of tasks, each with id, data and "
                f"annotations); found: {error}"
            ) from error
        task = msgspec.structs.replace(task, created_at=record.get("created_at"), project=record.get("project"))
        for row in task.annotations:
            if not isinstance(row.get("id"), int) or not isinstance(row.get("result"), list):
                # The values are not shown, as they name people.
                keys = ", ".join(sorted(row)) or "nothing"
                raise TableError(f"{path}: task {task.id}: expected annotations with id and result; found {keys}")
        tasks.append(task)
        if drafts := [row for row in record.get("drafts") or [] if isinstance(row, dict)]:
            reason = f"{number(len(drafts), 'draft')} that nobody submitted"
            left_out.append(Unmatched(task=task.id, text=str(task.data.get("text", "")), reason=reason))
    return Export(tool="Label Studio", tasks=tasks, left_out=left_out)


def _answers(record: Mapping[str, Any]) -> object:
    """The answers of a task; those of a version before 1.0 in the form of later ones."""
    if "annotations" in record:
        return record["annotations"]
    rows = record["completions"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return rows
    return [_completion(record.get("id"), place, row) for place, row in enumerate(rows, 1)]


def _completion(task: object, place: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of a version before 1.0: with an id, times as text, and `completed_by`."""
    made, by = moment_of(row.get("created_at")), row.get("completed_by")
    address, _, number = str(row.get("created_username") or "").rpartition(",")
    if by is None and address.strip() and number.strip().isdecimal():
        by = {"id": int(number), "email": address.strip()}
    elif by is None:
        by = number.strip()
    return {
        **row,
        "id": row.get("id", number_of("completion", task, place)),
        "completed_by": by,
        "was_cancelled": bool(row.get("was_cancelled") or row.get("skipped")),
        "created_at": made,
        "updated_at": moment_of(row.get("updated_at")) or made,
    }


def from_rows(path: Path, rows: Sequence[Row]) -> Export:
    """Read an export in the format JSON-MIN or CSV, in which each answer is a row.

    Raises:
        TableError: no column holds the answers, or several do.
    """
    if not rows:
        return Export(tool="Label Studio", tasks=[])
    ours = all(row.fields.get("sentence_id") and row.fields.get("stance") for row in rows)
    column = "stance" if ours else column_of_labels(path, rows, FLAT | {"id"})
    tasks: dict[str, ExportTask] = {}
    for row in rows:
        fields = row.fields
        data = {name: value for name, value in fields.items() if name not in FLAT | {"id", column} and value != ""}
        if isinstance(control := data.get("control"), str) and control.isdecimal():
            data["control"] = int(control)
        number = _whole(fields.get("id"))
        said = answer(
            _whole(fields.get("annotation_id")) or number_of(number or row.line, fields.get("annotator")),
            fields.get("annotator"),
            _choices(fields.get(column)),
            made=moment_of(fields.get("created_at")),
            changed=moment_of(fields.get("updated_at")),
            seconds=seconds_of(fields.get("lead_time")),
        )
        if ours:
            said["result"] = _our_result(fields)
        task = tasks.setdefault(
            f"{number}" if number else f"line {row.line}", ExportTask(id=number or row.line, data=data, annotations=[])
        )
        task.annotations.append(said)
    return Export(tool="Label Studio", tasks=list(tasks.values()))


def _our_result(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The result of an answer to a task that stance made, from the columns of its controls."""
    result: list[dict[str, Any]] = []
    for name in ("stance", "sure", "holder", "comment"):
        if value := fields.get(name):
            kind = "choices" if name in {"stance", "sure"} else "text"
            values = _choices(value) if kind == "choices" else [str(value)]
            result.append({"from_name": name, "value": {kind: values}})
    return result


def _choices(value: object) -> list[str]:
    """The choices of a control: one as a text, several as an object, which CSV writes as JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return [str(value)]
    if isinstance(value, dict):
        value = value.get("choices", [])
    if isinstance(value, list):
        return [choice for part in value for choice in (_choices(part) if isinstance(part, dict) else [str(part)])]
    return [] if value in (None, "") else [str(value)]


def _whole(value: object) -> int:
    return int(str(value)) if str(value).isdecimal() else 0
