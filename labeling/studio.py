"""All that talks to a Label Studio server; nothing else does."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import msgspec

from corpus.records import ConfigError, StudioError
from labeling.records import STANCES, Annotation, Stance, Task

KEY_FILE = Path(".stance") / "server.json"
IMPORT_BATCH = 1000
"""Tasks an import: 10,000 tasks took 8.7 / 5.7 / 4.5 s in batches of 250 / 1,000 / 10,000 (docs/facts)."""
PAGE = 10_000
KEYS = "id,data"
ANSWERS = "id,data,annotations,result,completed_by,was_cancelled,lead_time,created_at,updated_at"
"""The server applies one flat list of names to tasks and to the annotations inside them alike."""
TIMEOUT = 120.0


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A server's address and the key to it; `username` and `password` where `serve` made the server."""

    url: str
    api_key: str
    username: str = ""
    password: str = ""
    port: int = 0

    def __repr__(self) -> str:
        """Show the address alone: a key never reaches a log or a traceback."""
        return f"Server({self.url!r})"


class StudioTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task as the server holds it, with the answers that were asked for."""

    id: int
    data: dict[str, Any]
    annotations: list[dict[str, Any]] = []


def find_server(project: Path) -> Server:
    """The server that the environment names, else the one that `stance serve` made for this project.

    Raises:
        ConfigError: only one of the two variables is set, or neither and no local server was made.
    """
    url, key = os.environ.get("LABEL_STUDIO_URL", ""), os.environ.get("LABEL_STUDIO_API_KEY", "")
    if url and key:
        return Server(url=url.rstrip("/"), api_key=key)
    if url or key:
        missing = "LABEL_STUDIO_API_KEY" if url else "LABEL_STUDIO_URL"
        raise ConfigError(f"{missing} is not set; LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY go together")
    if not (project / KEY_FILE).is_file():
        raise ConfigError(
            "no Label Studio server is known: set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, "
            "or run `stance serve` for a local one"
        )
    return msgspec.json.decode((project / KEY_FILE).read_bytes(), type=Server)


@contextmanager
def _speaking(url: str, doing: str) -> Iterator[None]:
    """Turn every way in which a conversation with the server fails into one clear error."""
    from label_studio_sdk.core.api_error import ApiError
    from pydantic import ValidationError

    try:
        yield
    except httpx.TimeoutException as error:
        raise StudioError(f"{doing}: {url} did not answer in time; try again") from error
    except httpx.HTTPError as error:
        raise StudioError(f"{doing}: no Label Studio answers at {url} ({error}); is it running?") from error
    except ApiError as error:
        raise StudioError(f"{doing}: {_refusal(url, error.status_code or 0, error.body)}") from error
    except (json.JSONDecodeError, ValidationError, msgspec.ValidationError, msgspec.DecodeError) as error:
        raise StudioError(f"{doing}: {url} gave an answer that Label Studio doesn't give ({error})") from error


def _refusal(url: str, status: int, body: object) -> str:
    if status == 401:
        return f"{url} does not accept the API key; take a valid one from Account & Settings there"
    if status == 403:
        return f"{url} does not let this account do that; use a key of an account with access to the project"
    if not isinstance(body, dict):
        return f"{url} answered {status}"
    detail = body.get("validation_errors") or body.get("detail") or ""
    return f"{url} answered {status}: {detail}"


class Studio:
    """A conversation with one Label Studio server, over the official SDK; a context manager."""

    def __init__(self, server: Server) -> None:
        """Connect, and check that it is a Label Studio that takes the key.

        Raises:
            StudioError: nothing answers there, it is another program, or the key is refused.
        """
        from label_studio_sdk.base_client import LabelStudioBase
        from label_studio_sdk.client import LabelStudio

        self.url = server.url
        self._web = httpx.Client(timeout=TIMEOUT, follow_redirects=True)
        try:
            with _speaking(self.url, "connecting"):
                self._client: LabelStudioBase = LabelStudio(  # type: ignore[no-untyped-call]
                    base_url=server.url, api_key=server.api_key, httpx_client=self._web
                )
                # The SDK's typed task listing spends 38 s on 10,000 tasks that the server sends in 3 s, so bulk
                # reads take its transport (address, key, token refresh) and decode the answer themselves.
                self._transport = self._client._client_wrapper.httpx_client
                account: _Account = self._get("api/current-user/whoami", _Account)
                self.account = account.email
        except StudioError:
            self.close()
            raise

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
        response = self._transport.request(path, method="GET", params=params)
        if response.status_code >= 400:
            from label_studio_sdk.core.api_error import ApiError

            try:
                body = response.json()
            except json.JSONDecodeError:
                body = None
            raise ApiError(status_code=response.status_code, body=body)
        return msgspec.json.decode(response.content, type=kind)

    def project_id(self, title: str) -> int | None:
        """The id of the project with this very title, or None.

        Raises:
            StudioError: several projects have it.
        """
        with _speaking(self.url, "looking for the project"):
            found = [
                int(project.id or 0) for project in self._client.projects.list(title=title) if project.title == title
            ]
        if len(found) > 1:
            raise StudioError(
                f"{self.url} has {len(found)} projects with the title {title!r}; rename all but one there, "
                "or set another [labeling] title"
            )
        return found[0] if found else None

    def create_project(self, title: str, interface: str, instruction: str, overlap: int) -> int:
        """Make the project: predictions hidden, the codebook shown, `overlap` answers a task."""
        with _speaking(self.url, "creating the project"):
            project = self._client.projects.create(
                title=title,
                label_config=interface,
                expert_instruction=instruction,
                show_instruction=True,
                show_collab_predictions=False,
                maximum_annotations=overlap,
            )
        return int(project.id or 0)

    def tasks(self, project_id: int, *, annotations: bool = False) -> list[StudioTask]:
        """All tasks of a project, in bulk; with their answers when asked for."""
        found: list[StudioTask] = []
        with _speaking(self.url, "reading the tasks"):
            count = self._client.projects.get(id=project_id).task_number or 0
            page = 1
            while len(found) < count:
                answer = self._get(
                    "api/tasks/",
                    _TaskPage,
                    project=project_id,
                    page=page,
                    page_size=PAGE,
                    include=ANSWERS if annotations else KEYS,
                    fields="all" if annotations else "task_only",
                )
                found += answer.tasks
                if len(answer.tasks) < PAGE:
                    break
                page += 1
        return found

    def import_tasks(self, project_id: int, tasks: Sequence[Task], progress: Callable[[int], None]) -> None:
        """Create tasks, one batch at a time, and compare each answer's count with what was sent.

        Raises:
            StudioError: the server refused, or took fewer tasks than it was sent.
        """
        from label_studio_sdk.types.import_api_request import ImportApiRequest

        for start in range(0, len(tasks), IMPORT_BATCH):
            batch = tasks[start : start + IMPORT_BATCH]
            with _speaking(self.url, "creating tasks"):
                # Never retried by the SDK: nothing on the server deduplicates, so an import whose answer
                # was lost would come twice. The next push reads the keys back first.
                answer = self._client.projects.import_tasks(
                    id=project_id,
                    request=[ImportApiRequest(data=msgspec.structs.asdict(task)) for task in batch],
                    request_options={"max_retries": 0},
                )
            if answer.task_count != len(batch):
                raise StudioError(f"{self.url} took {answer.task_count} of {len(batch)} tasks; run `stance push` again")
            progress(len(batch))

    def update_task(self, task_id: int, task: Task) -> None:
        """Give a task new data; its annotations stay."""
        with _speaking(self.url, "updating a task"):
            self._client.tasks.update(id=str(task_id), data=msgspec.structs.asdict(task))

    def answer(self, task_id: int, row: Annotation) -> None:
        """Give one answer to a task as this account."""
        with _speaking(self.url, "answering a task"):
            self._client.annotations.create(
                id=task_id,
                result=_result(row),
                was_cancelled=row.stance is None,
                lead_time=row.seconds,
            )

    def accounts(self) -> dict[int, str]:
        """The mail address of every account, by id."""
        with _speaking(self.url, "reading the accounts"):
            return {int(user.id): str(user.email) for user in self._client.users.list()}


class _Account(msgspec.Struct):
    email: str


class _Invitation(msgspec.Struct):
    invite_url: str


class _TaskPage(msgspec.Struct):
    tasks: list[StudioTask]


def _result(row: Annotation) -> list[dict[str, Any]]:
    if row.stance is None:
        return []
    choices = [("stance", row.stance)] + ([("sure", "unsure")] if row.unsure else [])
    texts = [(name, value) for name, value in (("holder", row.holder), ("comment", row.comment)) if value]
    return [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [choice]}}
        for name, choice in choices
    ] + [
        {"from_name": name, "to_name": "text", "type": "textarea", "value": {"text": [value]}} for name, value in texts
    ]


def read_answer(raw: dict[str, Any], sentence_id: str, annotator: str, codebook: str) -> Annotation:
    """One answer as the server gives it, as an annotation.

    Raises:
        StudioError: its choice is none of the codebook's, or there is none and it is no skip.
    """
    given: dict[str, list[str]] = {}
    for part in raw["result"]:
        value = part.get("value", {})
        given.setdefault(part.get("from_name", ""), []).extend(value.get("choices") or value.get("text") or [])
    stance: Stance | None = None
    if not raw.get("was_cancelled"):
        chosen = given.get("stance", [])
        matching = [known for known in STANCES if chosen == [known]]
        if not matching:
            raise StudioError(
                f"annotation {raw['id']} (sentence {sentence_id}): expected one stance of {', '.join(STANCES)}; "
                f"found {chosen or 'none'}. Correct it at the server and pull again"
            )
        stance = matching[0]
    return Annotation(
        sentence_id=sentence_id,
        annotator=annotator,
        stance=stance,
        seconds=raw.get("lead_time"),
        created_at=raw.get("created_at") or "",
        updated_at=raw.get("updated_at") or "",
        codebook=codebook,
        studio_id=raw["id"],
        unsure="unsure" in given.get("sure", []),
        comment="\n".join(given.get("comment", [])),
        holder="\n".join(given.get("holder", [])),
    )


def sign_up(server: Server, email: str, password: str) -> str:
    """Make an account that can log in, or log in to it, and give its token, on a server that `serve` made.

    An account made with the SDK's `users.create` has no password that works, so this walks the pages that a
    person would: the organisation's invitation, the sign-up form, and the (legacy) token, which unlike a
    personal access token can be read again when an interrupted run goes on.

    Raises:
        StudioError: the server refused the account or the token.
    """
    with (
        _speaking(server.url, f"signing {email} up"),
        httpx.Client(timeout=TIMEOUT, follow_redirects=True) as web,
    ):
        page = urljoin(server.url, "/user/login/")
        with Studio(server) as owner:
            if email not in owner.accounts().values():
                invitation: _Invitation = owner._get("api/invite", _Invitation)
                page = urljoin(server.url, invitation.invite_url)
        token = _csrf(web, page)
        web.post(
            page,
            data={
                "email": email,
                "password": password,
                "csrfmiddlewaretoken": token,
                "allow_newsletters": "",
            },
            headers={"Referer": page},
        )
        answer = web.get(urljoin(server.url, "/api/current-user/token"))
        if answer.status_code >= 400:
            raise StudioError(f"{server.url} gave {email} no token (status {answer.status_code})")
        return str(answer.json()["token"])


def _csrf(web: httpx.Client, page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', web.get(page).text)
    if not found:
        raise StudioError(f"{page} is no Label Studio form")
    return found.group(1)
