"""Argilla's exports: records as JSON, data sets of version 1 and 2 as tables, and records of version 1 before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from labeling.adopt.exported import Export, ExportTask, Unmatched, answer, number_of
from labeling.adopt.file_rows import Row
from labeling.scheme import DEFAULT, Scheme


class _Response(msgspec.Struct, frozen=True):
    """One person's answer to one question."""

    question: str
    value: Any
    user: str
    status: str


def is_row(fields: Mapping[str, Any]) -> bool:
    """Whether a row is a record of Argilla's."""
    old = "annotation" in fields and "annotation_agent" in fields
    return old or "responses" in fields or any(_is_responses(name, value) for name, value in fields.items())


def from_rows(rows: Sequence[Row], scheme: Scheme = DEFAULT) -> Export:
    """Read the responses that were submitted; discarded ones are skips, and drafts are left out.

    Of several questions that a person answered, the one counts whose answer is a label.
    """
    tasks: list[ExportTask] = []
    left_out: list[Unmatched] = []
    for row in rows:
        fields = row.fields
        data = _data(fields)
        text = str(data.get("text", next(iter(data.values()), "")))
        identity = fields.get("_server_id") or fields.get("id") or text
        people: dict[str, list[_Response]] = {}
        for response in _responses(fields):
            people.setdefault(response.user, []).append(response)
        said: list[dict[str, Any]] = []
        for user, responses in people.items():
            if any(response.status == "draft" for response in responses):
                left_out.append(Unmatched(task=row.line, text=text, reason="a draft, which was not submitted"))
                continue
            values = [value for response in responses for value in _values(response.value)]
            labels = [value for value in values if scheme.read(value)] or values
            skipped = all(response.status == "discarded" for response in responses)
            remark = "\n".join(value for value in values if labels != values and not scheme.read(value))
            said.append(answer(number_of(identity, user), user, labels, skipped=skipped, comment=remark))
        if said:
            told = _metadata(fields).get("sentence_id") or fields.get("id") or ""
            tasks.append(ExportTask(id=row.line, data=data, annotations=said, item=str(told)))
        elif not people:
            left_out.append(Unmatched(task=row.line, text=text, reason="nobody answered it"))
    return Export(tool="Argilla", tasks=tasks, left_out=left_out)


def _is_responses(name: str, value: object) -> bool:
    if name.endswith(".responses"):
        return True
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(part, dict) and {"user_id", "value", "status"} <= part.keys() for part in value)
    )


def _responses(fields: Mapping[str, Any]) -> Iterable[_Response]:
    """The answers of a record, in any of the forms that versions write."""
    given = fields.get("responses")
    if isinstance(given, dict):  # version 2, as JSON
        for question, rows in given.items():
            for row in rows or []:
                yield _response(question, row)
        return
    if isinstance(given, list):  # version 1.x, over its API: the answers of one person together
        for row in given:
            for question, value in (row.get("values") or {}).items():
                inner = value.get("value") if isinstance(value, dict) else value
                yield _response(question, {**row, "value": inner})
        return
    for name, value in fields.items():
        if name.endswith(".responses") and isinstance(value, list):  # version 2, as a table
            users = fields.get(f"{name}.users") or []
            statuses = fields.get(f"{name}.status") or []
            for place, said in enumerate(value):
                yield _response(
                    name.removesuffix(".responses"),
                    {
                        "value": said,
                        "user_id": users[place] if place < len(users) else "",
                        "status": statuses[place] if place < len(statuses) else "",
                    },
                )
        elif _is_responses(name, value):  # version 1.x, as a table
            for row in value:
                yield _response(name, row)
    if fields.get("annotation") and str(fields.get("status", "Validated")) == "Validated":
        yield _response("annotation", {"value": fields["annotation"], "user_id": fields.get("annotation_agent")})


def _response(question: str, row: Mapping[str, Any]) -> _Response:
    user = row.get("user_id")
    status = str(row.get("status") or "submitted").rpartition(".")[2].casefold()
    return _Response(question, row.get("value"), "" if user in (None, "None") else str(user), status)


def _values(value: object) -> list[str]:
    """What was answered, as texts: a label, several, or a text."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, list):
        return [text for part in value for text in _values(part)]
    return [] if value is None else [str(value)]


def _data(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What annotators saw: the fields of the record, or the columns with texts."""
    for name in ("fields", "inputs"):
        if isinstance(fields.get(name), dict):
            return dict(fields[name])
    left = {"id", "status", "_server_id", "inserted_at", "updated_at", "external_id", "annotation", "annotation_agent"}
    return {
        name: value
        for name, value in fields.items()
        if isinstance(value, str) and name not in left and ".suggestion" not in name and "-suggestion" not in name
    }


def _metadata(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    told = fields.get("metadata")
    if isinstance(told, str):
        try:
            told = msgspec.json.decode(told)
        except msgspec.DecodeError:
            told = None
    return told if isinstance(told, dict) else {}
