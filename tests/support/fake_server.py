"""A Label Studio server in memory, for cases that a real server cannot be made to produce."""

from __future__ import annotations

from datetime import UTC, datetime

from labeling.studio.api_records import Project, StudioTask


class FakeServer:
    """The part of a server that a pull uses: one labelling project, with or without a queue.

    The project has whatever title is asked for, unless it is given one.
    """

    url = "http://127.0.0.1:1"
    made = ""
    title: str | None = None

    def __init__(
        self, tasks: list[StudioTask], queue: list[StudioTask] | None, accounts: dict[int, str], number: int = 1
    ) -> None:
        self.number = number
        self.held = {number: tasks, 2: queue or []}
        self.queue, self.people = queue is not None, accounts

    def find_project(self, title: str) -> Project | None:
        if title.endswith("queue"):
            return Project(id=2, title=title) if self.queue else None
        if self.title not in {None, title}:
            return None
        return Project(id=self.number, title=title, created_at=self.made)

    def clock(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def tasks(self, project_id: int, *_: object, **__: object) -> list[StudioTask]:
        return self.held[project_id]

    def task_number(self, project_id: int) -> int:
        return len(self.held[project_id])

    def answer_number(self, project_id: int) -> int:
        return sum(len(task.annotations) for task in self.held[project_id])

    def accounts(self) -> dict[int, str]:
        return self.people
