"""Find the address and key of the Label Studio server, and explain what can go wrong with a connection."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from corpus.errors import ConfigError, StudioError
from corpus.store import read_json

KEY_FILE = Path(".stance") / "server.json"
TIMEOUT = 120.0


class BrokenConnectionError(StudioError):
    """The connection broke: what was asked for may have been done or not."""


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A server's address and its API key.

    If `serve` made the server, `username` and `password` are the owner's, and it listens at `host` and `port`. `pids`
    are the processes that end it: the one that started it, and its own.
    """

    url: str
    api_key: str
    username: str = ""
    password: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    pids: list[int] = []

    def __repr__(self) -> str:
        """Show the address alone: a key never reaches a log or a traceback."""
        return f"Server({self.url!r})"


def find_server(project: Path) -> Server:
    """The server that the environment names, or else the one that `stance serve` made for this project.

    Raises:
        ConfigError: only one of the two variables is set, or neither and no local server was made; others than
            the owner may read the file with the key; or that file is malformed.
    """
    url, key = os.environ.get("LABEL_STUDIO_URL", ""), os.environ.get("LABEL_STUDIO_API_KEY", "")
    url, key = url.strip().rstrip("/"), key.strip()
    if url and key:
        return Server(url=url, api_key=key)
    if url or key:
        missing = "LABEL_STUDIO_API_KEY" if url else "LABEL_STUDIO_URL"
        raise ConfigError(f"{missing} is not set; LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY go together")
    server = read_key_file(project)
    if server is None:
        raise ConfigError(
            "no Label Studio server is known: set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, "
            "or run `stance serve` for a local one"
        )
    return server


def read_key_file(project: Path) -> Server | None:
    """The server that `stance serve` made for this project; None where it made none.

    Raises:
        ConfigError: others than the owner may read the file with the key, or that file is malformed.
    """
    if not (project / KEY_FILE).is_file():
        return None
    if (project / KEY_FILE).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{project / KEY_FILE} holds a key, and others than its owner may read it: "
            f"run `chmod 600 {project / KEY_FILE}`, and take a new key where others have an account here"
        )
    return read_json(
        project / KEY_FILE,
        Server,
        ConfigError,
        "restore it from a copy: it holds the only key to the labels in .stance/label-studio, and `stance serve` can "
        "make no other",
    )


def check(server: Server) -> None:
    """Refuse an address or key with which no request can be made; httpx would quote the key, or not notice at all."""
    try:
        address = urlsplit(server.url)
        usable = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:
        usable = False
    if usable and (address.username or address.password):
        # Refused, and not quoted, because the address appears in messages and in stance's files.
        raise ConfigError(
            f"LABEL_STUDIO_URL for {address.hostname} holds a user or password: take them out; "
            "LABEL_STUDIO_API_KEY is all that is needed"
        )
    if not usable:
        raise ConfigError(
            f"LABEL_STUDIO_URL is {server.url!r}: expected the address of a Label Studio, "
            "such as https://studio.example.org"
        )
    if not re.fullmatch(r"[!-~]+", server.api_key):
        raise ConfigError(
            f"the API key for {server.url} holds spaces, line breaks or characters that no key has: copy it again from "
            "Account & Settings there, whole and alone"
        )


@contextmanager
def speaking(url: str, doing: str) -> Iterator[None]:
    """Turn every way in which a conversation with the server fails into one clear error."""
    import httpx
    from label_studio_sdk.core.api_error import ApiError
    from label_studio_sdk.core.parse_error import ParsingError
    from pydantic import ValidationError

    try:
        yield
    except httpx.TimeoutException as error:
        raise BrokenConnectionError(f"{doing}: {url} did not answer in time; try again") from error
    except httpx.ConnectError as error:
        raise BrokenConnectionError(
            f"{doing}: no Label Studio answers at {url} ({error}); {_start_hint(url)}"
        ) from error
    except httpx.TransportError as error:
        raise BrokenConnectionError(f"{doing}: {url} broke off in the middle ({error}); try again") from error
    except httpx.HTTPError as error:
        raise StudioError(f"{doing}: {url}: {error}") from error
    except ApiError as error:
        status = error.status_code or 0
        if status < 400:  # the SDK reports an answer that is not JSON so
            raise BrokenConnectionError(f"{doing}: {_nonsense(url, 'no JSON')}") from error
        kind = BrokenConnectionError if status >= 500 or status in {408, 429} else StudioError
        raise kind(f"{doing}: {_refusal(url, status, error.body)}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BrokenConnectionError(f"{doing}: {_nonsense(url, str(error))}") from error
    except (ValidationError, ParsingError) as error:  # their messages have many lines and quote the answer
        raise BrokenConnectionError(f"{doing}: {_nonsense(url, 'other fields')}") from error


def _start_hint(url: str) -> str:
    if (urlsplit(url).hostname or "") in {"localhost", "127.0.0.1", "::1"}:
        return "`stance serve` starts this project's, in another terminal"
    return "is it running there? For one on this computer run `stance serve` in another terminal"


def _nonsense(url: str, found: str) -> str:
    return (
        f"{url} gave an answer that Label Studio doesn't give ({found}); "
        "if that is the address of one, look at what is in front of it and try again"
    )


def _refusal(url: str, status: int, body: object) -> str:
    meanings = {
        401: "does not accept the API key; take a valid one from Account & Settings there",
        403: "does not let this account do that; use a key of an account with access to the project",
        404: "answered 404, not found: is that the address of a Label Studio, and is the project still there?",
        429: "answered 429: too many requests; wait a minute and try again",
    }
    if status in meanings:
        return f"{url} {meanings[status]}"
    told = (body.get("validation_errors") or body.get("detail") or "") if isinstance(body, dict) else ""
    detail = " ".join(str(told).split())[:300]
    if status >= 500:
        return f"{url} answered {status}, a fault of its own or of what is in front of it; try again {detail}".rstrip()
    return f"{url} answered {status}: {detail or 'no reason given'}"
