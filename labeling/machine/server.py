"""The address of the chat server, and its key."""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import urlsplit

import msgspec

from corpus.errors import ConfigError


class ChatServer(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a chat server, and its key."""

    url: str
    key: str = ""

    def __repr__(self) -> str:
        """Show the address alone: a key never reaches a log or a traceback."""
        return f"ChatServer({self.url!r})"

    @property
    def warning(self) -> str:
        """What the user should know about the connection; empty if there is nothing."""
        parts = urlsplit(self.url)
        if parts.scheme == "https" or _is_here(parts.hostname or ""):
            return ""
        return f"{self.url} is not encrypted: anybody in between can read the sentences and the key; use https"


def find_chat_server(url: str | None) -> ChatServer:
    """The chat server at an address, or at that of the environment; the key is in OPENAI_API_KEY alone.

    Raises:
        ConfigError: there is no address, it is not a web address or holds a password, or the key cannot be one.
    """
    address = (url or os.environ.get("OPENAI_BASE_URL", "")).strip().rstrip("/")
    said = "--url" if url else "OPENAI_BASE_URL"
    if not address:
        raise ConfigError(
            "no chat server is known: give its address with --url or in OPENAI_BASE_URL, as "
            "http://127.0.0.1:8081/v1 for a model on this computer or https://api.openai.com/v1 for that of OpenAI"
        )
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable, parts = False, urlsplit("")
    if usable and (parts.username or parts.password):
        raise ConfigError(f"{said} for {parts.hostname} holds a user or password: take them out; use OPENAI_API_KEY")
    if not usable:
        raise ConfigError(f"{said} is {address!r}: expected the address of a chat server, as http://127.0.0.1:8081/v1")
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if key and not re.fullmatch(r"[!-~]+", key):
        raise ConfigError("OPENAI_API_KEY holds spaces, line breaks or characters that no key has: copy it again")
    return ChatServer(url=address, key=key)


def _is_here(host: str) -> bool:
    """Whether a host is this computer."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
