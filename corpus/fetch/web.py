"""One request at a time: a response as it came over the network, or why there is none."""

from __future__ import annotations

import asyncio
import email.utils
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import msgspec

from corpus.fetch.hosts import is_private
from corpus.fetch.url_table import host_of, web_url
from corpus.reading.text_encoding import ARTICLE_BYTES

if TYPE_CHECKING:
    import httpx

CONNECT = 10.0
"""Most seconds that connecting may take."""

_MOVED = {301, 302, 303, 307, 308}


class FetchError(Exception):
    """There is no usable response; the message says why. `again` says whether trying once more could help."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        """Store the reason."""
        super().__init__(reason)
        self.again = again


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP response: `body` is as it was sent, with any Content-Encoding; `date` is when it was asked for."""

    url: str
    date: datetime
    status: int
    status_line: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str:
        """The first header of a name, or an empty string.

        Args:
            name: name of the header, in lower case.
        """
        found = (value for key, value in self.headers if key.lower() == name.encode())
        return next(found, b"").decode("utf-8", "replace").strip()

    def http(self) -> bytes:
        """The response as an archive stores it. Chunks were joined on the way, so the header about them is renamed."""
        lines = [self.status_line]
        for name, value in self.headers:
            kept = b"X-Crawler-Transfer-Encoding" if name.lower() == b"transfer-encoding" else name
            lines.append(kept + b": " + value)
        return b"\r\n".join([*lines, b"", b""]) + self.body

    @property
    def moved(self) -> bool:
        """Whether it redirects to another URL."""
        return self.status in _MOVED and bool(self.header("location"))

    def retry_after(self) -> float | None:
        """Seconds after which the server wants to be asked again; None if it does not say."""
        value = self.header("retry-after")
        if value.isdecimal():
            return float(value)
        try:
            when = email.utils.parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


class Web:
    """The connections of a run, for use in an `async with` statement. It sends no cookies and follows no redirects."""

    def __init__(self, agent: str, timeout: float) -> None:
        """Open no connection yet.

        Args:
            agent: the User-Agent of every request.
            timeout: most seconds that a request may take, to the last byte of its response.
        """
        import httpx

        self._timeout = timeout
        self._client = httpx.AsyncClient(
            headers={"User-Agent": agent, "Accept": "text/html,*/*;q=0.8", "Accept-Encoding": "gzip, deflate"},
            timeout=httpx.Timeout(timeout, connect=min(CONNECT, timeout), pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def __aenter__(self) -> Web:
        """Nothing is to be done."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def get(self, url: str) -> Response:
        """Ask for a URL once.

        Raises:
            FetchError: there is no whole response within the limits of time and size.
        """
        import httpx

        date = datetime.now(UTC)
        try:
            async with asyncio.timeout(self._timeout), self._client.stream("GET", url) as response:
                body = await _body(response)
        except TimeoutError:
            raise FetchError(f"it took longer than {self._timeout:g} s") from None
        except httpx.TimeoutException:
            raise FetchError("no connection: it took too long", again=True) from None
        except httpx.TransportError as error:
            raise FetchError(f"no connection: {error or type(error).__name__}", again=True) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise FetchError(f"not a URL: {error}") from error
        line = f"{response.http_version} {response.status_code} {response.reason_phrase}".strip()
        return Response(
            url=url,
            date=date,
            status=response.status_code,
            status_line=line.encode("ascii", "replace"),
            headers=list(response.headers.raw),
            body=body,
        )


async def next_url(response: Response) -> str:
    """Where a response redirects to.

    Raises:
        FetchError: not to a page of the web, or from a public host to an address of a private network, which a web page
            must not make this computer ask.
    """
    try:
        url = web_url(urljoin(response.url, response.header("location")))
    except ValueError:
        raise FetchError("redirect to what is no web page") from None
    host, before = urlsplit(url).hostname or "", urlsplit(response.url).hostname or ""
    if host_of(url) != host_of(response.url) and await is_private(host) and not await is_private(before):
        raise FetchError(f"redirect to a private address: {host}")
    return url


async def _body(response: httpx.Response) -> bytes:
    parts, size = list[bytes](), 0
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > ARTICLE_BYTES:
        raise FetchError(f"longer than {ARTICLE_BYTES >> 20} MB")
    async for part in response.aiter_raw():
        parts.append(part)
        size += len(part)
        if size > ARTICLE_BYTES:
            raise FetchError(f"longer than {ARTICLE_BYTES >> 20} MB")
    return b"".join(parts)
