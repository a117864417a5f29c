"""The connection to a Hub: the token, the time limit, and one clear error for each way in which a request fails."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from corpus.errors import PublishError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PATIENCE = 120.0
"""Seconds to wait for the Hub before a request fails."""


class BrokenHubError(PublishError):
    """The connection broke, or the Hub is too busy; it may or may not have done what was asked for."""


class MovedError(PublishError):
    """The Hub has something that was not there at the last look: a repository, a tag or a newer commit."""


def connect() -> HfApi:
    """Make a client of the Hub with the token that huggingface_hub keeps; no request is sent yet.

    Raises:
        PublishError: there is no token, or it is malformed.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    try:
        token = get_token()
    except Exception as error:  # in keyless CI, where one token is exchanged for another
        raise PublishError(f"the token for the Hub cannot be obtained: {error}") from None
    if not token:
        raise PublishError(
            "there is no token for the Hub: store one with `hf auth login`, or set HF_TOKEN; the token needs write "
            "permission"
        )
    # The HTTP library would quote a malformed token in its own message.
    if not re.fullmatch(r"[!-~]+", token):
        raise PublishError(
            "the token for the Hub holds spaces or characters that no token has: store a new one with `hf auth login`"
        )
    if not sys.stderr.isatty():
        disable_progress_bars()
    return HfApi(token=token, library_name="stance")


def account(api: HfApi) -> str:
    """The name of the account that the token belongs to.

    Raises:
        PublishError: the Hub doesn't accept the token.
        BrokenHubError: the Hub cannot be reached.
    """
    with asking(api, "logging in"):
        return str(api.whoami()["name"])


@contextmanager
def asking(api: HfApi, doing: str, me: str = "") -> Iterator[None]:
    """Turn every failure of a request to the Hub into one clear error.

    The error has no `__cause__`, because the library's own errors hold the request, which holds the token.

    Args:
        api: client that `connect` made.
        doing: purpose of the request, with which the message begins.
        me: name of the account, if it is known.

    Raises:
        MovedError: the Hub says that something is there already, or that the head has changed.
        BrokenHubError: the Hub cannot be reached, breaks off, gives an answer that cannot be read, is too busy, or has
            an internal error.
        PublishError: the Hub refuses for any other reason.
    """
    from huggingface_hub import get_session
    from huggingface_hub.errors import HfHubHTTPError

    # The HTTP client has no time limit of its own; the library replaces the client after a failure.
    hooks = get_session().event_hooks
    if _patient not in hooks["request"]:
        get_session().event_hooks = {**hooks, "request": [*hooks["request"], _patient]}
    # Which library raises the HTTP errors depends on the version of huggingface_hub.
    http = cast(type[Exception], HfHubHTTPError.__bases__[0])
    try:
        yield
    except PublishError:
        raise
    except (http, OSError, ValueError, RuntimeError, LookupError) as error:
        if not isinstance(error, (http, OSError, json.JSONDecodeError)) and not _is_of_library(error):
            raise  # a bug in stance keeps its traceback, because the user cannot mend it
        cause: BaseException = error
        while not isinstance(cause, http) and cause.__cause__ is not None:
            cause = cause.__cause__
        told = " ".join(str(getattr(cause, "server_message", None) or cause).split())
        told = told.replace(str(api.token), "(token)")[:300]
        if isinstance(cause, HfHubHTTPError):
            refusal = _refusal(api.endpoint, cause.response.status_code, told, me)
        else:
            refusal = _breakdown(api.endpoint, cause, told, broken=isinstance(cause, (http, json.JSONDecodeError)))
    else:
        return
    # The library's own errors hold the request, which holds the token.
    raise type(refusal)(f"{doing}: {refusal}") from None


def _is_of_library(error: Exception) -> bool:
    """Whether an error was raised inside the Hub's library, as when it gets an answer that a Hub does not give."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return str(module).partition(".")[0] in {"huggingface_hub", "hf_xet", "httpx", "requests"}


def _patient(request: Any) -> None:
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)


def _breakdown(hub: str, cause: BaseException, told: str, *, broken: bool) -> PublishError:
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(cause, OfflineModeIsEnabled):
        return PublishError("HF_HUB_OFFLINE is set, so no request is sent to the Hub; unset it to publish")
    if isinstance(cause, OSError) and cause.filename:
        return PublishError(f"{cause.filename}: {cause.strerror}; publish again")
    if isinstance(cause, json.JSONDecodeError):
        return BrokenHubError(f"{hub} gave an answer that a Hub doesn't give ({told}); is a proxy in front of it?")
    if broken or isinstance(cause, OSError):
        return BrokenHubError(
            f"{hub} cannot be reached, or broke off the connection ({told or type(cause).__name__}); no upload is left "
            "half done: publish again"
        )
    return PublishError(f"{told or type(cause).__name__}")


def _refusal(hub: str, status: int, told: str, me: str) -> PublishError:
    if status == 401:
        where = "in HF_TOKEN" if os.environ.get("HF_TOKEN") else "that `hf auth login` stored"
        return PublishError(f"{hub} doesn't accept the token {where}: get a new one at {hub}/settings/tokens")
    if status == 403:
        return PublishError(
            f"{hub} doesn't let the account {me} do that ({told}): use a token with write permission for that "
            "repository, or publish under your own account or organisation"
        )
    if status in {409, 412}:
        return MovedError(told)
    if status == 429:
        return BrokenHubError(f"{hub} says that there were too many requests; wait some minutes, and publish again")
    if status == 408 or status >= 500:
        return BrokenHubError(
            f"{hub} answered {status}, which is a fault of the Hub or of a proxy in front of it; try again"
        )
    return PublishError(f"{hub} answered {status}: {told}")
