"""Choose tasks at the server, in the terms of Label Studio's filters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

Condition = tuple[str, str, str, int | bool | str]
"""A column of the server's list of tasks, an operator, the type of the column, and a value."""
UNTOUCHED: tuple[Condition, ...] = (
    ("total_annotations", "equal", "Number", 0),
    ("cancelled_annotations", "equal", "Number", 0),
    ("draft_exists", "equal", "Boolean", False),
)
"""The filter for tasks that hold no answer, no skip and no draft."""


def filters(conditions: Iterable[Condition]) -> dict[str, Any]:
    """Conditions that must all hold, in the form that the server's lists and actions take."""
    items = [
        {"filter": f"filter:tasks:{name}", "operator": operator, "type": kind, "value": value}
        for name, operator, kind, value in conditions
    ]
    return {"conjunction": "and", "items": items}


def moment(time: datetime) -> str:
    """A time in the only form that the server's filters accept."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
