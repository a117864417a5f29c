"""Ask servers as they wish to be asked: robots.txt, pauses, and another try only after a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from corpus.fetch.hosts import Host, Hosts
from corpus.fetch.robots import Rules, robots_url, rules_of
from corpus.fetch.web import FetchError, Response, Web, next_url
from corpus.reading.web.http_response import NoHtmlError, decoded

TRIES = 3
"""How often a page is asked for before it counts as failed."""

BUSY = {429, 500, 502, 503, 504}
"""Statuses after which another try may succeed."""

MOST_WAIT = 120.0
"""Most seconds that a server's Retry-After is waited for. If it asks for more, it is left alone in this run."""

GONE = 5
"""A host from which this many pages in a row got no answer at all is left alone in this run."""

ROBOTS_HOPS = 5
"""Redirects of a robots.txt that are followed."""


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How servers are asked.

    Attributes:
        agent: the User-Agent.
        jobs: how many hosts are asked at once.
        delay: seconds between two requests to the same host.
        timeout: most seconds that a request may take.
        backoff: seconds before the second try; each further try waits four times as long.
    """

    agent: str
    jobs: int = 8
    delay: float = 1.0
    timeout: float = 60.0
    backoff: float = 2.0


class PoliteWeb:
    """The web, asked politely: the rules of each origin, and the responses that hosts give when it is their turn."""

    def __init__(self, web: Web, manners: Manners) -> None:
        """Ask nothing yet.

        Args:
            web: the connections.
            manners: how servers are asked.
        """
        self._web, self._manners = web, manners
        self._hosts = Hosts(manners.delay)
        self._slots = asyncio.Semaphore(manners.jobs)
        self._rules: dict[str, Rules] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def refusal(self, url: str) -> str:
        """Why robots.txt forbids a URL; empty if it allows it. Each origin's robots.txt is fetched once.

        Args:
            url: a URL, as `web_url` gives it.
        """
        place = robots_url(url)
        async with self._asking.setdefault(place, asyncio.Lock()):
            if place not in self._rules:
                self._rules[place] = await self._ask_for_rules(place)
        host = self._hosts.of(url)
        host.delay = max(host.delay, self._rules[place].delay)
        return self._rules[place].refusal(url)

    async def get(
        self,
        url: str,
        skip: Callable[[], bool] = lambda: False,
        keep: Callable[[Response], None] = lambda _: None,
    ) -> Response | None:
        """Ask for a URL, again after a while if the server is busy or the connection fails.

        Args:
            url: a URL, as `web_url` gives it.
            skip: called when it is the host's turn; says whether the URL need not be asked for any more.
            keep: called with the last response, while the host is still this request's alone.

        Returns:
            The response, whatever its status; None if the request was skipped.

        Raises:
            FetchError: there is no response.
        """
        host = self._hosts.of(url)
        for number in range(1, TRIES + 1):
            if host.gone:
                raise FetchError(host.gone)
            async with host.turn(self._slots):
                if skip():
                    return None
                wait = self._manners.backoff * 4 ** (number - 1)
                try:
                    response = await self._web.get(url)
                except FetchError as error:
                    if not error.again or number == TRIES:
                        self._missed(host, error)
                        raise
                else:
                    host.failures = 0
                    asked = response.retry_after() if response.status in BUSY else None
                    if asked and asked > MOST_WAIT:
                        host.gone = f"HTTP status {response.status}: it asks to wait for {asked:.0f} s"
                        raise FetchError(host.gone)
                    if response.status not in BUSY or number == TRIES:
                        keep(response)
                        return response
                    wait = wait if asked is None else asked
                host.pause(wait)
        raise AssertionError(url)

    def _missed(self, host: Host, error: FetchError) -> None:
        """Count a page that got no answer."""
        if not str(error).startswith("longer than"):
            host.failures += 1
        if host.failures >= GONE:
            host.gone = f"no answer from the host to {GONE} pages before this one: {str(error).rpartition(': ')[2]}"

    async def _ask_for_rules(self, place: str) -> Rules:
        try:
            response = await self._robots(place)
            headers = {name: response.header(name) for name in ("content-encoding", "content-type")}
            return rules_of(response.status, decoded(response.body, headers))
        except FetchError as error:
            return Rules(unknown=str(error))
        except NoHtmlError as error:
            return Rules(unknown=f"robots.txt not known: {error}")

    async def _robots(self, url: str) -> Response:
        hops = 0
        while True:
            response = await self.get(url)
            assert response is not None
            if not response.moved or hops == ROBOTS_HOPS:
                return response
            hops += 1
            url = await next_url(response)
