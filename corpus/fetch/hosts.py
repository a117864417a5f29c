"""Take turns at hosts: one request at a time for each, with a pause between two, and not too many hosts at once."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from corpus.fetch.url_table import host_of


class Host:
    """A host's queue; `gone` says why it is not asked any more, and `failures` counts pages without an answer."""

    def __init__(self, delay: float) -> None:
        """Begin without a pause.

        Args:
            delay: seconds between the end of a request and the next one.
        """
        self.delay = delay
        self.gone = ""
        self.failures = 0
        self._ready = 0.0
        self._lock = asyncio.Lock()

    def pause(self, seconds: float) -> None:
        """Send the next request after this many seconds at the earliest."""
        self._ready = max(self._ready, asyncio.get_running_loop().time() + seconds)

    @asynccontextmanager
    async def turn(self, slots: asyncio.Semaphore) -> AsyncIterator[None]:
        """Wait until it is time for the next request, and keep all others waiting while the block runs.

        Args:
            slots: as many as requests may be under way at once, whatever the host.
        """
        async with self._lock:
            await asyncio.sleep(max(0.0, self._ready - asyncio.get_running_loop().time()))
            async with slots:
                try:
                    yield
                finally:
                    self.pause(self.delay)


class Hosts:
    """All hosts of a run."""

    def __init__(self, delay: float) -> None:
        """Begin without a host.

        Args:
            delay: seconds between two requests to the same host.
        """
        self._delay = delay
        self._hosts: dict[str, Host] = {}

    def of(self, url: str) -> Host:
        """The host of a URL."""
        return self._hosts.setdefault(host_of(url), Host(self._delay))


async def is_private(hostname: str) -> bool:
    """Whether a host is not in the public internet: one of its addresses is a loopback or private one.

    A host without an address is none: there is nothing to reach.

    Args:
        hostname: a name, or an address.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(hostname, None, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(address[4][0]).partition("%")[0]) for address in found]
    except (OSError, ValueError):
        return False
    return any(not (getattr(one, "ipv4_mapped", None) or one).is_global for one in addresses)
