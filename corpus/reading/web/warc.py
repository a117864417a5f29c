"""Read web archives (.warc, .warc.gz, .warc.zst, .wacz, .wet.gz): the HTML pages and texts among their records.

fastwarc parses the records that `warc_stream` unpacks. After a broken stretch of the file, reading goes on with the
next record.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from corpus.errors import SourceError
from corpus.reading.text_encoding import ARTICLE_BYTES
from corpus.reading.web.archive_files import ArchiveFile, archive_files, is_whole_only
from corpus.reading.web.http_response import NoHtmlError, html_of, page_of
from corpus.reading.web.warc_stream import WarcStream, next_record
from corpus.records import Unit

if TYPE_CHECKING:
    from fastwarc.warc import WarcRecord

PART_BYTES = 128 << 20
PARTS = 4
"""Most parts of an archive; each has at least PART_BYTES: some 5,000 pages, a minute of work."""

UNKNOWN = "unknown"
"""The crawl date of a record without one; it sorts after every date."""

READ = ("response", "resource", "conversion")
"""Kinds of records that may hold an article."""

_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?Z)?)?)?", re.ASCII)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """An HTML page of an archive: `number` is its record's place in the file, from 1.

    `crawled` is the record's WARC-Date, unchanged; `charset` is what the HTTP header declares, or empty; `data` holds
    the page's bytes with any Content-Encoding undone or, if `converted`, the plain text that the archive's maker made
    from the page.
    """

    number: int
    url: str
    crawled: str
    charset: str
    data: bytes
    converted: bool = False


class NoPage(msgspec.Struct, frozen=True, kw_only=True):
    """A record that is not a usable page, or a stretch of the file that is not a record, and why.

    The `number` 0 stands for the whole file.
    """

    number: int
    url: str
    reason: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A record; `block` is filled only if it may hold an article, up to as many bytes as were asked for.

    `whole` says whether all bytes of the record are in the file.
    """

    kind: str
    headers: dict[str, str]
    length: int
    block: bytes
    whole: bool = True


def parts_of_archive(unit: Unit) -> list[Unit]:
    """The parts of an archive, all of about the same size in bytes of the file.

    A `.wacz` file, or one that is packed with zstandard, is one part.

    Each part is read from the file's beginning, as only that shows where a record begins. Passing over a gigabyte takes
    11 s, and extracting its pages takes some minutes; hence the parts are few and large.
    """
    count = max(1, min(PARTS, unit.size // PART_BYTES))
    with suppress(OSError):  # reading it later gives the reason
        count = 1 if count > 1 and is_whole_only(Path(unit.path)) else count
    ends = [unit.size * number // count for number in range(count + 1)]
    return [
        msgspec.structs.replace(unit, start=start, end=end, size=end - start) for start, end in itertools.pairwise(ends)
    ]


def pages(unit: Unit) -> Iterator[Page | NoPage]:
    """The pages of an archive, or of a part of it, one by one, in their order, with bounded memory.

    A page is a `response` record with HTTP status 200 and the type HTML, a `resource` record of that type, or a
    `conversion` record, which holds a page turned into plain text, as in Common Crawl's WET files. Other records of
    these kinds, and `revisit` records, are given with a reason. Requests, metadata and the like, which nobody would
    take for articles, are left out.

    Args:
        unit: a part of a WARC file, as `parts_of_archive` gives it. The file may be compressed with gzip or zstandard,
            record by record or as a whole, or be a `.wacz` file. A record belongs to the part in which it, or the gzip
            member that holds it, begins.

    Raises:
        SourceError: the file cannot be read at all.
    """
    number, any_page = 0, False
    try:
        for number, (place, record) in enumerate(records(unit), 1):
            if isinstance(record, str):
                any_page = True
                if place >= unit.start:
                    yield NoPage(number=number, url="", reason=f"broken archive: {record}")
            elif record.kind in (*READ, "revisit"):
                any_page = True
                if place >= unit.start:
                    yield _page(number, record)
        last = unit.end >= Path(unit.path).stat().st_size
    except OSError as error:
        raise SourceError(f"{unit.path}: cannot be read: {error.strerror or error}") from error
    if last and not any_page:
        reason = "no response, resource or conversion record in the archive" if number else "no WARC record in it"
        yield NoPage(number=0, url="", reason=reason)


def records(unit: Unit, most: int | None = None) -> Iterator[tuple[int, Record | str]]:
    """The records that begin before the part's end, each with its place; those before its start without their bytes.

    Each stretch of the file that is not a record gives one message, which says what is wrong there.

    Args:
        unit: a part of a WARC file; see `pages`.
        most: how many bytes of a record's block are kept; one more than an article may have unless you say otherwise.

    Raises:
        OSError: the file cannot be read.
    """
    for archive in archive_files(Path(unit.path), unit.start, unit.end):
        if isinstance(archive, str):
            yield unit.start, archive
        else:
            yield from _records(archive, ARTICLE_BYTES + 1 if most is None else most)


def _records(archive: ArchiveFile, most: int) -> Iterator[tuple[int, Record | str]]:
    from fastwarc.warc import ArchiveIterator

    file, packing, dictionary = archive.file, archive.packing, archive.dictionary
    start: int | None = 0
    told = False  # whether a reason was already given for the broken stretch: each has one
    while start is not None:
        stream = WarcStream(file, start, packing, dictionary)
        place, failure = start, ""
        try:
            for found in ArchiveIterator(stream, parse_http=False, stream_detect=False):
                place = stream.place(found.stream_pos)
                if place >= archive.end:
                    return
                record = _record(found, most if place >= archive.start else 0)
                if not record.whole and record.kind not in READ:
                    raise ValueError("cut off within a record")
                yield place, record
                told = not record.whole
        except Exception as error:  # the file may hold anything; whatever it makes the parser raise is its fault
            failure = str(error) or type(error).__name__
        if stream.unreadable is not None:
            raise stream.unreadable
        failure = stream.failure or failure
        if not failure and not told:
            return
        if not told:
            yield place, failure
        told = True
        try:
            start = next_record(file, place + 1, packing, dictionary)
        except OSError as error:
            if error.errno:
                raise
            return  # a member of a zip file cannot be unpacked any further
        if start is not None and start >= archive.end:
            return


def _record(record: WarcRecord, most: int) -> Record:
    kind = str(record.record_type)
    headers: dict[str, str] = {}
    for name, value in record.headers.items():
        headers.setdefault(name.lower(), value)
    # The parser returns a header that is cut off as a record without bytes.
    if not headers.get("content-length", "").strip().isdecimal():
        raise ValueError("a record's head is cut off, or lacks its Content-Length")
    block = record.reader.read(most) if most and kind in READ else b""
    whole = len(block) + record.reader.consume() >= record.content_length
    return Record(kind=kind, headers=headers, length=record.content_length, block=block, whole=whole)


def _page(number: int, record: Record) -> Page | NoPage:
    url = record.headers.get("warc-target-uri", "").strip().removeprefix("<").removesuffix(">")
    try:
        charset, data, converted = _payload(record)
    except NoHtmlError as error:
        return NoPage(number=number, url=url, reason=str(error))
    date = record.headers.get("warc-date", "").strip()
    crawled = date if _DATE.fullmatch(date) else UNKNOWN
    return Page(number=number, url=url, crawled=crawled, charset=charset, data=data, converted=converted)


def _payload(record: Record) -> tuple[str, bytes, bool]:
    """A record's charset, page or text, and whether it is text."""
    headers, block = record.headers, record.block
    if record.kind == "revisit":
        raise NoHtmlError("revisit record: the page is as when it was crawled before")
    if "warc-segment-number" in headers:
        raise NoHtmlError("a segment of a record: segments are not put together")
    cut = headers.get("warc-truncated", "").strip()
    if cut:
        raise NoHtmlError(f"cut off by the crawler: {cut[:50]}")
    if len(block) > ARTICLE_BYTES:
        raise NoHtmlError(f"longer than {ARTICLE_BYTES >> 20} MB")
    if len(block) < record.length:
        raise NoHtmlError(f"cut off by the end of the file or a broken stretch: {len(block)} bytes of it")
    kind, identified = headers.get("content-type", ""), headers.get("warc-identified-payload-type", "")
    if block.startswith(b"HTTP/") and record.kind != "conversion":
        return *html_of(block, identified), False
    if record.kind == "response":
        raise NoHtmlError(f"no HTTP response: {kind[:50] or 'no Content-Type'}")
    if not block.strip():
        raise NoHtmlError(f"{record.kind} record: it is empty")
    if record.kind == "conversion" and kind.lower().startswith("text/plain"):
        return "", block, True
    try:
        return page_of([kind], block, identified), block, False
    except NoHtmlError as error:
        raise NoHtmlError(f"{record.kind} record, {error}") from error
