"""What a host's robots.txt allows, by RFC 9309, read by protego."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from protego import Protego

AGENT = "stance"
"""The name under which robots.txt files can give rules for this program."""

FORBIDDEN = "forbidden by robots.txt"

MOST_BYTES = 500 << 10
"""Bytes of a robots.txt that are read: the least that RFC 9309 asks for."""

MOST_DELAY = 30.0
"""Longest Crawl-delay in seconds that is kept to; a longer one counts as this."""


class Rules(msgspec.Struct, frozen=True):
    """The rules of an origin; `unknown` says why they are not known, in which case nothing is allowed."""

    parsed: Protego | None = None
    unknown: str = ""

    def refusal(self, url: str) -> str:
        """Why a URL must not be fetched; empty if it may be.

        Args:
            url: a URL of the origin that these rules belong to.
        """
        if self.unknown:
            return self.unknown
        return "" if self.parsed is None or self.parsed.can_fetch(url, AGENT) else FORBIDDEN

    @property
    def delay(self) -> float:
        """Seconds between two requests that the rules ask for, up to MOST_DELAY."""
        asked = self.parsed.crawl_delay(AGENT) if self.parsed else None
        return min(max(asked or 0.0, 0.0), MOST_DELAY)


def robots_url(url: str) -> str:
    """Where the rules for a URL are.

    >>> robots_url("https://news.example:8080/a?b")
    'https://news.example:8080/robots.txt'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"


def rules_of(status: int, body: bytes) -> Rules:
    """The rules that an answer to the request for a robots.txt gives.

    A missing file (4xx), or one that is not reached after some redirects, allows everything. A server that fails (5xx)
    or is asked too often (429) forbids everything for now.

    Args:
        status: status of the HTTP response.
        body: the file, unpacked.
    """
    if status < 300:
        from protego import Protego

        return Rules(Protego.parse(body[:MOST_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")))
    if status < 500 and status != 429:
        return Rules()
    return Rules(unknown=f"robots.txt not known: HTTP status {status}")
