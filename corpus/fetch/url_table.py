"""Read the URLs of a table (.csv, .jsonl, .json, .parquet, .xlsx, .xls), or of a text file with one on each line."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec

from corpus.errors import SourceError
from corpus.numbers import spoken
from corpus.reading.tables.data_files import parts_of_file, rows
from corpus.reading.text_encoding import BYTE_ORDER_MARKS
from corpus.records import CorpusSettings, Unit

KINDS = {".csv": "csv", ".jsonl": "jsonl", ".json": "json", ".parquet": "parquet", ".xlsx": "xlsx", ".xls": "xls"}

LONGEST = 8000
"""Most characters of a URL; servers refuse longer ones."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class NotFetched(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that has no page, and why; `row` is its row in the table, or 0. A line of `failed.jsonl`."""

    url: str
    reason: str
    row: int = 0


class UrlTable(msgspec.Struct, frozen=True, kw_only=True):
    """The URLs of a table, each once, with the first row that it stands in.

    `repeated` counts the rows whose URL stands in an earlier row; `refused` lists the rows that hold no URL.
    """

    urls: dict[str, int]
    repeated: int
    refused: list[NotFetched]


def read_urls(path: Path, settings: CorpusSettings) -> UrlTable:
    """Read a table's column of URLs.

    Args:
        path: the table: .csv, .jsonl, .json, .parquet, .xlsx or .xls, or .txt with a URL on each line.
        settings: `[corpus]` of stance.toml, which may give the column of URLs another name than `url`.

    Raises:
        SourceError: the file cannot be read, is of another kind, or has no column of URLs.
    """
    urls: dict[str, int] = {}
    keys: set[str] = set()
    refused: list[NotFetched] = []
    repeated = 0
    for row, text, fault in _cells(path, settings):
        try:
            if fault:
                raise ValueError(fault)
            url = web_url(text)
        except ValueError as error:
            refused.append(NotFetched(url=text[:LONGEST], row=row, reason=str(error)))
            continue
        if url_key(url) in keys:
            repeated += 1
        else:
            keys.add(url_key(url))
            urls[url] = row
    return UrlTable(urls=urls, repeated=repeated, refused=refused)


def web_url(text: str) -> str:
    """A URL as it is requested and recorded: without its fragment and the spaces around it.

    Raises:
        ValueError: the text is no URL of the web.

    >>> web_url(" https://news.example/a b#top ")
    'https://news.example/a%20b'
    """
    url = text.strip().partition("#")[0].replace(" ", "%20")
    if not url:
        raise ValueError("not a URL: it is empty")
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        url.encode()
    except ValueError:
        known = False
    if not known or _CONTROL.search(url) or len(url) > LONGEST:
        raise ValueError("not a URL: expected http://… or https://…")
    return url


def url_key(url: str) -> str:
    """What two spellings of the same URL have in common.

    Args:
        url: a URL, as `web_url` gives it.

    >>> url_key("HTTP://News.example:80?a=ü")
    'http://news.example/?a=%C3%BC'
    """
    try:
        parts = urlsplit(url)
        netloc = host_of(url)
    except ValueError:
        return url
    rest = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return f"{parts.scheme}://{netloc}{quote(rest, safe=string.punctuation)}"


def host_of(url: str) -> str:
    """A URL's host, in lower case, with the port where it is not the usual one.

    Args:
        url: a URL, as `web_url` gives it.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return host if parts.port in (None, usual) else f"{host}:{parts.port}"


def _cells(path: Path, settings: CorpusSettings) -> Iterator[tuple[int, str, str]]:
    """Each row's number, the cell in the column of URLs, and what is wrong with the row, or an empty string."""
    ending = path.suffix.lower()
    if not path.is_file():
        there = path.exists()
        raise SourceError(f"{path}: {'expected a file' if there else 'no such file'}", missing=not there)
    if ending == ".txt":
        yield from _lines(path)
        return
    if ending not in KINDS:
        raise SourceError(f"{path}: expected a file that ends in {spoken(('.txt', *KINDS), 'or')}")
    # The other columns of [corpus.fields] are those of articles, which this table need not have.
    chosen = CorpusSettings(fields={"url": settings.fields.get("url", "url")})
    unit = Unit(path=str(path), kind=KINDS[ending], article_id="", source="", size=path.stat().st_size)
    if not unit.size:
        raise SourceError(f"{path}: the file is empty")
    for part in parts_of_file(unit, chosen, needed="url"):
        if part.reason:  # a sheet of a workbook that is no table of URLs
            continue
        for row in rows(part, chosen):
            yield row.number, row.fields.get("url", ""), row.fault


def _lines(path: Path) -> Iterator[tuple[int, str, str]]:
    try:
        data = path.read_bytes()
        encoding = next((name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
        for number, line in enumerate(data.decode(encoding).splitlines(), 1):
            if line.strip():
                yield number, line, ""
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: expected UTF-8, with a URL on each line; byte {error.start + 1} is none") from error
