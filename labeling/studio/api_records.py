"""The records that Label Studio's API sends, as far as stance reads them."""

from __future__ import annotations

from typing import Any

import msgspec

from labeling.identity.answer_sources import task_mark
from labeling.records import key_of


class StudioTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task as the server holds it, with as much of it as was asked for.

    `total_annotations` leaves out skips, which `cancelled_annotations` counts.
    """

    id: int
    data: dict[str, Any] = {}
    annotations: list[dict[str, Any]] = []
    created_at: str = ""
    updated_at: str = ""
    updated_by: Any = None
    total_annotations: int = 0
    cancelled_annotations: int = 0
    total_predictions: int = 0

    @property
    def key(self) -> tuple[str, int] | None:
        """The sentence, and the round that it is a control item of; None for a task that stance did not make."""
        return key_of(self.data)

    @property
    def mark(self) -> str:
        """The task's mark, which tells it from any other task at any server."""
        return task_mark(self.id, self.created_at)


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project as the server holds it."""

    id: int
    title: str
    created_at: str = ""
    description: str | None = None
    label_config: str | None = None
    expert_instruction: str | None = None
    maximum_annotations: int = 1
    overlap_cohort_percentage: int = 100
    show_instruction: bool = False
    show_collab_predictions: bool = False
    task_number: int | None = 0
    total_annotations_number: int | None = 0
    skipped_annotations_number: int | None = 0


class Answer(msgspec.Struct):
    """An answer at the server: its number, and when it was made and changed last."""

    id: int
    created_at: str = ""
    updated_at: str = ""


class Account(msgspec.Struct):
    """The account that a key belongs to."""

    email: str


class Allowed(msgspec.Struct):
    """What the account may do at an address, by the method of the request; one that it may not make is left out."""

    actions: dict[str, Any] = {}


class Version(msgspec.Struct):
    """The server's version."""

    release: str


class Invitation(msgspec.Struct):
    """The path of the sign-up page."""

    invite_url: str


class Imported(msgspec.Struct):
    """How many tasks and predictions an import made."""

    task_count: int
    prediction_count: int = 0


class Removed(msgspec.Struct):
    """How many tasks an action removed."""

    processed_items: int


class ProjectPage(msgspec.Struct):
    """A page of the list of projects."""

    results: list[Project]
    next: str | None = None


class TaskPage(msgspec.Struct):
    """A page of a project's tasks."""

    tasks: list[StudioTask]
    total: int
