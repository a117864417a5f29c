"""The answers in a file of another tool, in one form for all tools: that of Label Studio's exports."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from labeling.identity.answer_sources import task_mark
from labeling.records import key_of

Tool = Literal["Label Studio", "Prodigy", "doccano", "Argilla", "Potato", "a table"]


class Unmatched(msgspec.Struct, frozen=True, kw_only=True):
    """A task or answer of an export that could not be adopted for a sentence of the corpus, and why.

    Attributes:
        task: number of the task, or of the line or record where the tool does not number its tasks.
        text: text of the task, empty if the file does not give it.
        reason: why the task or answer was left out.
        annotation: number of the answer; None if the whole task was left out.
    """

    task: int
    text: str
    reason: str
    annotation: int | None = None


class ExportTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task with its answers, as Label Studio exports it.

    Attributes:
        id: number of the task; of a tool without such numbers, the line or record.
        data: what annotators saw, by the name of its field.
        annotations: the answers, each with `id`, `result` and `completed_by`; see `answer`.
        item: the id that a table gives to its row, which counts if it is the id of a sentence.
    """

    id: int
    data: dict[str, Any]
    annotations: list[dict[str, Any]]
    created_at: Any = None
    project: Any = None
    item: str = ""

    @property
    def key(self) -> tuple[str, int] | None:
        """The sentence, and the round that it is a control item of; None for a task that stance did not make."""
        return key_of(self.data)

    @property
    def mark(self) -> str:
        """The task's mark, which tells it from any other task; see `labeling.identity.answer_sources`."""
        return task_mark(self.id, self.created_at if isinstance(self.created_at, str) else "")


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds: the tool that wrote it, its tasks, and what was left out already when it was read."""

    tool: Tool
    tasks: list[ExportTask]
    left_out: list[Unmatched] = []


def number_of(*parts: object) -> int:
    """A number for an answer of a tool that does not number its answers, made from what identifies the answer."""
    text = "\0".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest())


def answer(
    number: int,
    by: object,
    labels: Iterable[object],
    *,
    skipped: bool = False,
    made: str = "",
    changed: str = "",
    seconds: float | None = None,
    comment: str = "",
) -> dict[str, Any]:
    """An answer in the form of Label Studio's exports.

    Args:
        number: number that identifies the answer within its project.
        by: account that gave it: its number, name or mail address; empty if the file does not say.
        labels: labels that were chosen.
        skipped: whether the annotator skipped the task.
        made: time when the answer was given, empty if not known.
        changed: time of its last change, empty if not known.
        seconds: time spent on the task.
        comment: what the annotator remarked.
    """
    result: list[dict[str, Any]] = [{"type": "choices", "value": {"choices": [str(label) for label in labels]}}]
    if comment:
        result.append({"from_name": "comment", "type": "textarea", "value": {"text": [comment]}})
    return {
        "id": number,
        "completed_by": by,
        "result": [] if skipped else result,
        "was_cancelled": skipped,
        "lead_time": seconds,
        "created_at": made,
        "updated_at": changed or made,
    }


def moment_of(value: object) -> str:
    """A time as text in ISO 8601: tools also write it as the seconds since 1970; empty if it is neither."""
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdigit():
        value = float(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e14:
        seconds = value / 1000 if value > 1e11 else value  # JavaScript counts milliseconds
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    return value.strip() if isinstance(value, str) else ""


def seconds_of(value: object) -> float | None:
    """The time on a task as a number; None if the value is not a number."""
    try:
        return float(str(value)) if value not in (None, "") else None
    except ValueError:
        return None


def item_of(fields: Mapping[str, Any]) -> str:
    """The id of the sentence that a row names, itself or in its `meta`; empty if it names none."""
    meta = fields.get("meta")
    told = fields.get("sentence_id") or (meta.get("sentence_id") if isinstance(meta, dict) else "")
    return str(told or "")


def one_answer_each(tasks: Sequence[ExportTask]) -> tuple[list[ExportTask], list[Unmatched]]:
    """Leave out answers that one person gave to one item if they differ and nothing says which is the later.

    The same answer twice is one. Answers with times stay: the later one counts.

    Returns:
        The tasks with the other answers, and what was left out.
    """
    given: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for task in tasks:
        for row in task.annotations:
            given[row["id"]].append(row)
    unclear = {
        number
        for number, rows in given.items()
        if any(_said(row) != _said(rows[0]) and row["updated_at"] == rows[0]["updated_at"] for row in rows)
    }
    left_out = [
        Unmatched(
            task=task.id,
            text=str(task.data.get("text", "")),
            reason="one person gives this item several different answers, and nothing says which is the latest",
            annotation=row["id"],
        )
        for task in tasks
        for row in task.annotations
        if row["id"] in unclear
    ]
    kept = [
        msgspec.structs.replace(task, annotations=[row for row in task.annotations if row["id"] not in unclear])
        for task in tasks
    ]
    return kept, left_out


def _said(row: dict[str, Any]) -> tuple[object, object]:
    return row["result"], row["was_cancelled"]
