"""Prodigy's JSON lines (`prodigy db-out`): binary questions about one label, and choices among several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from labeling.adopt.exported import (
    Export,
    ExportTask,
    Unmatched,
    answer,
    item_of,
    moment_of,
    number_of,
    one_answer_each,
)
from labeling.adopt.file_rows import Row
from labeling.scheme import DEFAULT, Scheme

_BY_TIME = re.compile(r"(?:^|-)\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d$")
"""A session that nobody named, which Prodigy names by the time when it began."""
SESSION = "a session without a name"


def is_row(fields: Mapping[str, Any]) -> bool:
    """Whether a row is one of Prodigy's."""
    return fields.get("answer") in {"accept", "reject", "ignore"} and ("_task_hash" in fields or "accept" in fields)


def from_rows(rows: Sequence[Row], scheme: Scheme = DEFAULT) -> Export:
    """Read the answers of a data set.

    Accepting a suggested label is choosing it, and ignoring a task is skipping it. Rejecting a suggested label does not
    say which other label is right, so such an answer is left out, and so are decisions of the recipe `review`, which
    no annotator gave alone.
    """
    tasks: list[ExportTask] = []
    left_out: list[Unmatched] = []
    for row in rows:
        fields, text = row.fields, str(row.fields.get("text", ""))
        reason = ""
        if "versions" in fields or fields.get("_view_id") == "review":
            reason = "a decision of a review, not the answer of one annotator"
        elif fields.get("answer") == "reject":
            reason = "a label was rejected, which doesn't say which other label is right"
        if reason:
            left_out.append(Unmatched(task=row.line, text=text, reason=reason))
            continue
        by = str(fields.get("_annotator_id") or fields.get("_session_id") or "")
        by = SESSION if not by or _BY_TIME.search(by) else by
        said = answer(
            number_of(fields.get("_input_hash", text), by),
            by,
            _labels(fields, scheme),
            skipped=fields.get("answer") == "ignore",
            made=moment_of(fields.get("_timestamp")),
            comment=str(fields.get("comment") or fields.get("user_input") or ""),
        )
        tasks.append(ExportTask(id=row.line, data={"text": text}, annotations=[said], item=item_of(fields)))
    tasks, unclear = one_answer_each(tasks)
    return Export(tool="Prodigy", tasks=tasks, left_out=left_out + unclear)


def _labels(fields: Mapping[str, Any], scheme: Scheme) -> list[str]:
    """The labels that were chosen: the suggested one, or the chosen options by their id or by their text."""
    if "accept" not in fields:
        return [str(fields["label"])] if fields.get("label") is not None else []
    shown = {
        str(option.get("id")): str(option.get("text", ""))
        for option in fields.get("options") or []
        if isinstance(option, dict)
    }
    chosen = [str(id_) for id_ in fields["accept"] or []]
    return [id_ if scheme.read(id_) else shown.get(id_, "") or id_ for id_ in chosen]
