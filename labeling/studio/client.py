"""The client for Label Studio's API: every request to a server is made here."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from corpus.errors import StudioError
from corpus.numbers import number
from labeling.studio.api_records import (
    Account,
    Allowed,
    Answer,
    Imported,
    Invitation,
    Project,
    ProjectPage,
    Removed,
    StudioTask,
    TaskPage,
    Version,
)
from labeling.studio.connection import TIMEOUT, Server, check, speaking
from labeling.studio.filters import UNTOUCHED, Condition, filters, moment

PAGE = 10_000
RANGE = 1_250
TIMES = "id,updated_at"
KEYS = "id,data,total_annotations,cancelled_annotations,total_predictions"
ANSWERS = "id,data,annotations,result,completed_by,was_cancelled,lead_time,created_at,updated_at,updated_by,import_id"
"""The server applies one flat list of field names both to tasks and to the annotations inside them."""
TESTED = ("1.21.0", "1.23.2")
"""The lowest and the highest version of Label Studio that the tests ran against."""


class Studio:
    """A conversation with one Label Studio server, over the official SDK; a context manager.

    `notes` holds what the user should know about the connection, such as an unencrypted key; `progress` is called with
    the number of tasks that a request has read, and how many are left.
    """

    def __init__(self, server: Server) -> None:
        """Connect, and check that it is a Label Studio that takes the key (a legacy or a personal access token).

        Raises:
            ConfigError: the address or the key is malformed.
            StudioError: nothing answers there, another program does, or the key is refused.
        """
        check(server)
        # Only the SDK's base class: what LabelStudio adds loads pandas, which takes 0.65 s at every command's start.
        from label_studio_sdk.base_client import LabelStudioBase

        self.url = server.url
        self.notes: list[str] = []
        self.progress: Callable[[int, int], None] = lambda read, left: None
        self._clock: datetime | None = None
        self._web = httpx.Client(timeout=TIMEOUT, follow_redirects=True)
        address = urlsplit(server.url)
        if address.scheme == "http" and address.hostname not in {"localhost", "127.0.0.1", "::1"}:
            self.notes.append(f"{server.url} is plain http: the key and all answers travel unencrypted")
        try:
            with speaking(self.url, "connecting"):
                self._client = LabelStudioBase(
                    base_url=f"{server.url}/", api_key=server.api_key, httpx_client=self._web
                )
                # For bulk reads: the SDK's typed listing spends 38 s on 10,000 tasks that the server sends in 3 s.
                self._transport = self._client._client_wrapper.httpx_client
                account: Account = self._get("api/current-user/whoami", Account)
                self.account = account.email
                version: Version = self._get("api/version", Version)
            self.version = version.release
        except BaseException:
            self.close()
            raise
        if not _numbers(TESTED[0]) <= _numbers(version.release) <= _numbers(TESTED[1]):
            tested = " to ".join(dict.fromkeys(TESTED))
            self.notes.append(f"{server.url} is Label Studio {version.release}; stance was tested with {tested}")

    def __enter__(self) -> Studio:
        """The studio itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._web.close()

    def _get(self, path: str, kind: type[Any], **params: Any) -> Any:
        return self._read(self._transport.request(path, method="GET", params=params), kind)

    def _send(self, path: str, kind: type[Any], body: Any, *, method: str = "POST", **params: Any) -> Any:
        # Encoded here: the SDK inspects each value, which takes half a second for 10,000 tasks.
        sent = self._transport.request(
            path,
            method=method,
            params=params,
            content=msgspec.json.encode(body),
            headers={"content-type": "application/json"},
            request_options={"max_retries": 0},
        )
        return self._read(sent, kind)

    def _read(self, response: httpx.Response, kind: type[Any]) -> Any:
        if response.status_code >= 400:
            from label_studio_sdk.core.api_error import ApiError

            try:
                body = response.json()
            except (json.JSONDecodeError, UnicodeDecodeError):
                body = None
            raise ApiError(status_code=response.status_code, body=body)
        if "date" in response.headers:
            self._clock = parsedate_to_datetime(response.headers["date"])
        return msgspec.json.decode(response.content, type=kind)

    def clock(self) -> datetime:
        """The time by the server's clock, in whole seconds."""
        with speaking(self.url, "asking for the time"):
            self._get("api/version", Version)
        if self._clock is None:
            raise StudioError(f"{self.url} gives no time with its answers (Date): look at what is in front of it")
        return self._clock

    def find_project(self, title: str) -> Project | None:
        """The project with exactly this title, or None.

        Raises:
            StudioError: several projects have this title.
        """
        with speaking(self.url, "looking for the project"):
            ids = sorted(self._titled(title))
            if len(ids) > 1:
                raise StudioError(
                    f"{self.url} has {len(ids)} projects with the title {title!r} (numbers "
                    f"{', '.join(map(str, ids))}); rename all but one there, or set another [labeling] title"
                )
            project: Project | None = self._get(f"api/projects/{ids[0]}", Project) if ids else None
            return project

    def _titled(self, title: str) -> dict[int, str]:
        """The descriptions of the projects with exactly this title, by id."""
        said: dict[int, str] = {}  # a project can move from one page to the next between two requests
        number = 1
        while True:
            page: ProjectPage = self._get("api/projects/", ProjectPage, title=title, page=number, page_size=100)
            said |= {project.id: project.description or "" for project in page.results if project.title == title}
            if page.next is None:
                return said
            number += 1

    def create_project(self, title: str, **attributes: Any) -> int:
        """Make a project with the attributes that the API names.

        On SQLite, Label Studio carries out a request again if it meets a locked database, although the first attempt
        may have made the project already. So the description holds a mark until it is known what this request made.

        Returns:
            The project's id. If two pushes made projects of this title at once, the second project is deleted and the
            id is that of the first.
        """
        description, mark = attributes.pop("description", ""), secrets.token_hex(8)
        with speaking(self.url, "creating the project"):
            project = self._client.projects.create(
                title=title, description=f"{description} {mark}", **attributes, request_options={"max_retries": 0}
            )
            there = self._titled(title)
            ours = {int(project.id or 0), *(id_ for id_, text in there.items() if mark in text)}
            first = min(ours | there.keys())
            for id_ in sorted(ours - {first}):
                self._client.projects.delete(id=id_)
            if first in ours:
                self._client.projects.update(id=first, description=description)
        return first

    def change_project(self, project_id: int, **attributes: Any) -> None:
        """Give a project other attributes."""
        with speaking(self.url, "changing the project's settings"):
            self._client.projects.update(id=project_id, **attributes)

    def task_number(self, project_id: int) -> int:
        """How many tasks a project holds."""
        with speaking(self.url, "counting the tasks"):
            project: Project = self._get(f"api/projects/{project_id}", Project)
        return project.task_number or 0

    def answer_number(self, project_id: int) -> int:
        """How many answers a project holds, skips included."""
        with speaking(self.url, "counting the answers"):
            project: Project = self._get(f"api/projects/{project_id}", Project)
        return (project.total_annotations_number or 0) + (project.skipped_annotations_number or 0)

    def tasks(
        self,
        project_id: int,
        include: str = KEYS,
        *,
        since: datetime | None = None,
        between: tuple[int, int] | None = None,
        drafts: bool = False,
    ) -> list[StudioTask]:
        """Tasks of a project in bulk, by their ids.

        Args:
            project_id: id of the project.
            include: fields to read of each task: TIMES, KEYS or ANSWERS.
            since: time by the server's clock; only tasks whose data or answers (not drafts) changed later are read.
            between: lowest and highest id of the tasks to read.
            drafts: whether only tasks are read for which somebody began an answer without submitting it.
        """
        tasks: list[StudioTask] = []
        lowest, highest = between or (0, 0)
        conditions: list[Condition] = [("draft_exists", "equal", "Boolean", True)] if drafts else []
        if highest:
            conditions.append(("id", "less_or_equal", "Number", highest))
        if since:
            conditions.append(("updated_at", "greater", "Datetime", moment(since)))
        with speaking(self.url, "reading the tasks"):
            while True:
                # By id, not by the page's number: a task deleted in the meantime would shift others off a page.
                after = tasks[-1].id if tasks else lowest - 1
                page = self._tasks(project_id, include, PAGE, ("id", "greater", "Number", after), *conditions)
                tasks += page.tasks
                self.progress(len(page.tasks), page.total - len(page.tasks))
                # The total decides, because a server may be set to give smaller pages than it is asked for.
                if len(page.tasks) >= page.total or not page.tasks:
                    return tasks

    def gone(self, project_id: int, ids: Iterable[int]) -> set[int]:
        """Which of these tasks a project no longer holds, provided that it holds no others.

        Listing 10,000 ids takes the server 2.7 s, and counting them 0.1 s: so they are counted in ranges, and listed
        only in ranges where the count is off.
        """
        ordered = sorted(ids)
        missing: set[int] = set()
        for start in range(0, len(ordered), RANGE):
            known = ordered[start : start + RANGE]
            with speaking(self.url, "counting the tasks"):
                bounds = (("id", "greater", "Number", known[0] - 1), ("id", "less_or_equal", "Number", known[-1]))
                count = self._tasks(project_id, "id", 1, *bounds).total
            if count != len(known):
                held = self.tasks(project_id, "id", between=(known[0], known[-1]))
                missing |= set(known) - {task.id for task in held}
        return missing

    def _tasks(self, project_id: int, include: str, size: int, *conditions: Condition) -> TaskPage:
        """The first page of the tasks that fulfil these conditions, by their ids."""
        page: TaskPage = self._get(
            "api/tasks/",
            TaskPage,
            project=project_id,
            page=1,
            page_size=size,
            include=include,
            fields="all" if include == ANSWERS else "task_only",
            query=json.dumps({"ordering": ["tasks:id"], "filters": filters(conditions)}),
        )
        return page

    def import_tasks(self, project_id: int, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Create tasks in one request, and compare the answer's counts with what was sent.

        Args:
            project_id: id of the project.
            tasks: tasks as in Label Studio's JSON, with `data`, and `predictions` if there are any.

        Raises:
            BrokenConnectionError: the tasks may be there or not: read the keys before sending anything again.
            StudioError: the server refused, or took fewer than it was sent.
        """
        with speaking(self.url, "creating tasks"):
            # The SDK must not retry: nothing on the server deduplicates, so an import whose answer was lost would be
            # made twice. The SDK's own method for imports takes no predictions for tasks that have no id yet.
            answer: Imported = self._send(f"api/projects/{project_id}/import", Imported, list(tasks))
        predictions = sum(len(task.get("predictions", ())) for task in tasks)
        if (answer.task_count, answer.prediction_count) != (len(tasks), predictions):
            raise StudioError(
                f"{self.url} took {answer.task_count:,} of {number(len(tasks), 'task')} and "
                f"{answer.prediction_count:,} of {number(predictions, 'prediction')}; run the same command again"
            )

    def update_task(self, task_id: int, data: Mapping[str, Any]) -> None:
        """Give a task new data; its annotations stay."""
        with speaking(self.url, "updating a task"):
            self._client.tasks.update(id=str(task_id), data=dict(data))

    def remove_tasks(self, project_id: int, ids: Sequence[int]) -> int:
        """Delete those of these tasks that hold no answer, no skip and no draft.

        The server checks what they hold and deletes them in one request, so that nobody can answer in between.

        Returns:
            Number of tasks that it deleted; another push may have deleted some before.
        """
        removed = 0
        with speaking(self.url, "removing tasks"):
            for start in range(0, len(ids), RANGE):
                selected = {"all": False, "included": list(ids[start : start + RANGE])}
                answer: Removed = self._send(
                    "api/dm/actions/",
                    Removed,
                    {"filters": filters(UNTOUCHED), "selectedItems": selected},
                    id="delete_tasks",
                    project=project_id,
                )
                removed += answer.processed_items
        return removed

    def predict(self, project_id: int, predictions: Sequence[Mapping[str, Any]]) -> None:
        """Add predictions to tasks; they are as in Label Studio's JSON, each with the id of its `task`."""
        with speaking(self.url, "adding predictions"):
            self._client.projects.import_predictions(
                id=project_id, request=[dict(row) for row in predictions], request_options={"max_retries": 0}
            )

    def answer(self, task_id: int, result: list[dict[str, Any]], *, seconds: float | None = None) -> None:
        """Give one answer to a task as this account, sent once whatever comes back; an empty one skips the task."""
        told = {"result": result, "was_cancelled": not result, "lead_time": seconds}
        with speaking(self.url, "answering a task"):
            self._client.annotations.create(id=task_id, **told, request_options={"max_retries": 0})

    def held_answer(self, answer_id: int) -> Answer | None:
        """An answer as the server holds it now; None if it is gone."""
        from label_studio_sdk.core.api_error import ApiError

        with speaking(self.url, "reading an answer"):
            try:
                answer: Answer = self._get(f"api/annotations/{answer_id}/", Answer)
            except ApiError as error:
                if error.status_code == 404:
                    return None
                raise
        return answer

    def rewrite_answer(self, answer_id: int, result: list[dict[str, Any]]) -> str:
        """Give an answer another result; it stays its annotator's.

        Returns:
            The time of the change by the server's clock.
        """
        with speaking(self.url, "rewriting an answer"):
            answer: Answer = self._send(f"api/annotations/{answer_id}/", Answer, {"result": result}, method="PATCH")
        return answer.updated_at

    def remove_answer(self, answer_id: int) -> None:
        """Delete an answer, so that its task is shown to its annotator again."""
        with speaking(self.url, "removing an answer"):
            self._client.annotations.delete(id=answer_id)

    def invitation(self) -> str:
        """The path of the page on which people can sign up."""
        with speaking(self.url, "asking for an invitation"):
            invitation: Invitation = self._get("api/invite", Invitation)
        return invitation.invite_url

    def may_create_projects(self) -> bool:
        """Whether the key allows to make projects, which the server says without making one."""
        with speaking(self.url, "asking what the key allows"):
            allowed: Allowed = self._read(self._transport.request("api/projects/", method="OPTIONS"), Allowed)
        return "POST" in allowed.actions

    def accounts(self) -> dict[int, str]:
        """The mail address of every account, by id."""
        with speaking(self.url, "reading the accounts"):
            return {int(user.id): str(user.email) for user in self._client.users.list()}


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]
