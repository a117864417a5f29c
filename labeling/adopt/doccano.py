"""Doccano's exports of text classification: JSON lines, JSON or CSV, alone or in the archive with a file a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labeling.adopt.exported import Export, ExportTask, Unmatched, answer, item_of, number_of
from labeling.adopt.file_rows import Row

TOGETHER = "all"
"""Name of the file in which the answers of a project that everybody labelled together are, without their people."""


def is_row(fields: Mapping[str, Any]) -> bool:
    """Whether a row is one of doccano's: those of text classification hold a list of labels."""
    labels = fields.get("label", fields.get("labels", fields.get("annotations")))
    return isinstance(labels, list) and ("text" in fields or "data" in fields) and "fields" not in fields


def from_rows(rows: Sequence[Row], by: str, *, joined: bool = False) -> Export:
    """Read the file of one person.

    Args:
        rows: rows of the file; each has `text` (`data` in some versions) and the labels.
        by: name of the person; empty if they labelled together, so that nobody knows whose an answer is.
        joined: whether several labels are one text, joined by `#`, as in CSV.
    """
    tasks: list[ExportTask] = []
    left_out: list[Unmatched] = []
    for row in rows:
        fields = row.fields
        text = str(fields.get("text", fields.get("data", "")))
        labels = fields.get("label", fields.get("labels", fields.get("annotations")))
        if joined and isinstance(labels, str):
            labels = [label for label in labels.split("#") if label]
        labels = labels if isinstance(labels, list) else [] if labels in (None, "") else [labels]
        reason = ""
        if not labels:
            reason = "no label"
        elif any(isinstance(label, dict) for label in labels):
            reason = "numbers of labels without their names: export it again in a later version of doccano"
        elif any(isinstance(label, list) for label in labels):
            reason = "labels of parts of the text, not of the whole"
        if reason:
            left_out.append(Unmatched(task=row.line, text=text, reason=reason))
            continue
        said = answer(number_of(fields.get("id", text), by), by, labels, comment=_comment(fields))
        tasks.append(ExportTask(id=row.line, data={"text": text}, annotations=[said], item=item_of(fields)))
    return Export(tool="doccano", tasks=tasks, left_out=left_out)


def _comment(fields: Mapping[str, Any]) -> str:
    """What was remarked, in those versions that export it."""
    told = fields.get("Comments", fields.get("comments"))
    parts = told if isinstance(told, list) else [told]
    return "\n".join(str(part.get("text", "") if isinstance(part, dict) else part) for part in parts if part)
