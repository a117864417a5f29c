"""Fetch the pages of a table of URLs into a folder of web archives, from where the last run stopped."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from corpus.errors import SourceError
from corpus.fetch import event_loop
from corpus.fetch.page_archive import PageArchive
from corpus.fetch.polite_web import Manners, PoliteWeb
from corpus.fetch.robots import FORBIDDEN
from corpus.fetch.url_table import NotFetched, UrlTable, host_of, url_key, web_url
from corpus.fetch.web import FetchError, Response, Web, next_url
from corpus.reading.source_files import FAILED
from corpus.reading.web.http_response import NoHtmlError, html_of
from corpus.store import read_jsonl, write_jsonl

MOST_HOPS = 10
"""Redirects that are followed from one URL."""

SAVE = 10.0
"""Seconds after which the list of failures is written again, so that a killed run loses little of it."""


class Fetched(msgspec.Struct, kw_only=True):
    """What a run did, in pages: `unread` and `failed` count reasons, `earlier` those of pages that failed before.

    `fetched` were stored in this run, among them the `unread`, from which no article can be read; `there` were in the
    folder already.
    """

    fetched: int = 0
    there: int = 0
    forbidden: int = 0
    unread: Counter[str]
    failed: Counter[str]
    earlier: Counter[str]


def fetch_pages(
    table: UrlTable, folder: Path, manners: Manners, *, retry: bool = False, progress: Callable[[int, int], None]
) -> Fetched:
    """Fetch every page of a table that the folder lacks, and list those that cannot be fetched in `failed.jsonl`.

    Args:
        table: the URLs.
        folder: the folder of web archives; made if missing.
        manners: how servers are asked.
        retry: whether pages that failed in an earlier run are tried again.
        progress: called after each page with the number of pages that failed so far, and that there are in all.

    Raises:
        SourceError: another run writes to the folder.
        OSError: an archive cannot be read or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".fetch.lock", timeout=0), PageArchive(folder, manners.agent) as archive:
            return _Run(table, folder, archive, manners, retry, progress).run()
    except Timeout as error:
        raise SourceError(f"{folder}: another `stance fetch` writes to it; wait for it to end") from error


class _Run:
    """One run: which pages are still to be fetched, and what became of them."""

    def __init__(
        self,
        table: UrlTable,
        folder: Path,
        archive: PageArchive,
        manners: Manners,
        retry: bool,
        progress: Callable[[int, int], None],
    ) -> None:
        self._path = folder / FAILED
        self._archive, self._manners, self._retry, self._progress = archive, manners, retry, progress
        self._done = Fetched(unread=Counter(), failed=Counter(), earlier=Counter())
        self._rows = table.urls
        before: list[NotFetched] = []
        if self._path.is_file():
            before = read_jsonl(self._path, NotFetched, "stance fetch")
        # Rows without a URL are those of the table as it is now.
        self._failures = {one.url: one for one in before if _is_url(one.url)}
        self._refused = table.refused
        self._done.failed.update(_kind(one.reason) for one in table.refused)
        self._todo = list(self._plan(table.urls))
        self._before = frozenset(archive.stored)
        self._new: set[str] = set()
        self._ended = 0
        self._saved = time.monotonic()

    def run(self) -> Fetched:
        try:
            event_loop.run(self._all())
        finally:
            self._save()
        return self._done

    def _plan(self, urls: Iterable[str]) -> list[str]:
        """The URLs to ask for, in their order; the others are counted."""
        stored, todo = self._archive.stored, []
        for url in urls:
            status = stored.get(url_key(url), 0)
            if status >= 400 and url not in self._failures:  # the run was killed before it could list it
                self._failures[url] = NotFetched(url=url, reason=f"HTTP status {status}", row=self._rows[url])
            if url in self._failures:
                if self._retry:
                    todo.append(url)
                else:
                    self._done.earlier[_kind(self._failures[url].reason)] += 1
            elif status:
                self._done.there += 1
            else:
                todo.append(url)
        return todo

    async def _all(self) -> None:
        """Ask each host for its pages, one after another, and all hosts side by side."""
        hosts: dict[str, list[str]] = {}
        for url in self._todo:
            hosts.setdefault(host_of(url), []).append(url)
        async with Web(self._manners.agent, self._manners.timeout) as web:
            polite = PoliteWeb(web, self._manners)
            await asyncio.gather(*(self._host(polite, urls) for urls in hosts.values()))

    async def _host(self, web: PoliteWeb, urls: list[str]) -> None:
        for url in urls:
            try:
                reason = await self._page(web, url)
            except FetchError as error:
                reason = str(error)
            if reason:
                self._failures[url] = NotFetched(url=url, reason=reason, row=self._rows[url])
                if reason == FORBIDDEN:
                    self._done.forbidden += 1
                else:
                    self._done.failed[_kind(reason)] += 1
            else:
                self._failures.pop(url, None)
            self._ended += 1
            self._progress(len(self._todo), self._done.forbidden + self._done.failed.total())
            if time.monotonic() - self._saved > SAVE:
                self._save()

    async def _page(self, web: PoliteWeb, first: str) -> str:
        """Fetch a page and store it with the redirects that led to it; returns why it failed, or an empty string.

        Raises:
            FetchError: it failed; nothing is stored then.
        """
        hops: list[Response] = []
        url, passed = first, {url_key(first)}

        def skip() -> bool:
            key = url_key(url)
            return key in self._new or (bool(hops) and not self._retry and key in self._before)

        def keep(response: Response) -> None:
            if not response.moved:
                self._store([response, *reversed(hops)])

        while True:
            if refusal := await web.refusal(url):
                return refusal
            response = await web.get(url, skip, keep)
            if response is None:
                if hops:
                    self._store(hops[::-1])
                    self._done.fetched += 1
                else:
                    self._done.there += 1
                status = self._archive.stored[url_key(url)]
                return f"HTTP status {status}" if status >= 400 else ""
            if not response.moved:
                return self._judge(response)
            hops.append(response)
            url = await next_url(response)
            if url_key(url) in passed or len(hops) > MOST_HOPS:
                self._store(hops[::-1])
                return "redirect in a circle" if url_key(url) in passed else f"more than {MOST_HOPS} redirects"
            passed.add(url_key(url))

    def _store(self, responses: list[Response]) -> None:
        self._archive.append(responses)
        self._new.update(url_key(one.url) for one in responses)

    def _judge(self, response: Response) -> str:
        """Count a stored page; returns why it is none, or an empty string."""
        if response.status != 200:
            return f"HTTP status {response.status}"
        self._done.fetched += 1
        try:
            html_of(response.http())
        except NoHtmlError as error:
            self._done.unread[str(error)] += 1
        return ""

    def _save(self) -> None:
        if self._failures or self._refused or self._path.exists():
            listed: list[NotFetched] = [*self._failures.values(), *self._refused]
            listed.sort(key=lambda one: (one.row, one.url))
            write_jsonl(self._path, listed)
        self._saved = time.monotonic()


def _is_url(text: str) -> bool:
    try:
        return bool(web_url(text))
    except ValueError:
        return False


def _kind(reason: str) -> str:
    """A reason without its details, to count by."""
    return reason.partition(":")[0]
