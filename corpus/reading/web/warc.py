"""Read web archives (.warc, .warc.gz, .warc.wet.gz): the HTML pages and texts among their records.

fastwarc parses the records. Unpacking is done here, since a broken gzip member would otherwise end the file: this way
the records after it are read, and a file that was cut off is told from one that is complete.
"""

from __future__ import annotations

import bisect
import itertools
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from corpus.errors import SourceError
from corpus.reading.text_encoding import ARTICLE_BYTES, BLOCK
from corpus.reading.web.http_response import NoHtmlError, html_of, page_of
from corpus.records import Unit

if TYPE_CHECKING:
    from fastwarc.warc import WarcRecord

PART_BYTES = 128 << 20
PARTS = 4
"""Most parts of an archive; each has at least PART_BYTES: some 5,000 pages, a minute of work."""

UNPACK = 1 << 16
"""Bytes unpacked at a time. More would cost time: the rest is copied at the end of each gzip member of about 10 kB."""

UNKNOWN = "unknown"
"""The crawl date of a record without one; it sorts after every date."""

READ = ("response", "resource", "conversion")
"""Kinds of records that may hold an article."""

_GZIP = b"\x1f\x8b\x08"
_RECORD = b"WARC/1."
_FIRST_LINE = re.compile(rb"WARC/1\.\d\r?\n")
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


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """A record; `block` is filled only if it may hold an article, up to one byte more than an article may have."""

    kind: str
    headers: dict[str, str]
    length: int
    block: bytes


def parts_of_archive(unit: Unit) -> list[Unit]:
    """The parts of an archive, all of about the same size in bytes of the file.

    Each part is read from the file's beginning, as only that shows where a record begins. Passing over a gigabyte takes
    11 s, and extracting its pages takes some minutes; hence the parts are few and large.
    """
    count = max(1, min(PARTS, unit.size // PART_BYTES))
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
        unit: a part of a WARC file, as `parts_of_archive` gives it. The file may be compressed with gzip, record by
            record or as a whole. A record belongs to the part in which it, or the gzip member that holds it, begins.

    Raises:
        SourceError: the file cannot be read at all.
    """
    number, any_page = 0, False
    try:
        for number, (place, record) in enumerate(_records(unit), 1):
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


# --- records


def _records(unit: Unit) -> Iterator[tuple[int, _Record | str]]:
    """The records that begin before the part's end, each with its place; those before its start without their bytes.

    Each stretch of the file that is not a record gives one message, which says what is wrong there.
    """
    from fastwarc.warc import ArchiveIterator

    path = Path(unit.path)
    with path.open("rb") as file:
        begin = file.read(len(_RECORD))
        packed = begin.startswith(_GZIP[:2]) or (path.name.lower().endswith(".gz") and begin != _RECORD)
        start: int | None = 0
        told = False  # whether a reason was already given for the broken stretch: each has one
        while start is not None:
            stream = _Stream(file, start, packed)
            place, failure = start, ""
            try:
                for found in ArchiveIterator(stream, parse_http=False, stream_detect=False):
                    place = stream.place(found.stream_pos)
                    if place >= unit.end:
                        return
                    record = _record(found, place >= unit.start)
                    short = len(record.block) + found.reader.consume() < record.length
                    if short and record.kind not in READ:
                        raise ValueError("cut off within a record")
                    yield place, record
                    told = short
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
            start = _next(file, place + 1, packed)
            if start is not None and start >= unit.end:
                return


def _record(record: WarcRecord, wanted: bool) -> _Record:
    kind = str(record.record_type)
    headers: dict[str, str] = {}
    for name, value in record.headers.items():
        headers.setdefault(name.lower(), value)
    # The parser returns a header that is cut off as a record without bytes.
    if not headers.get("content-length", "").strip().isdecimal():
        raise ValueError("a record's head is cut off, or lacks its Content-Length")
    block = record.reader.read(ARTICLE_BYTES + 1) if wanted and kind in READ else b""
    return _Record(kind=kind, headers=headers, length=record.content_length, block=block)


class _Stream:
    """A WARC file, unpacked from a given place on, for the parser to read.

    The stream ends where a gzip member is broken, and says so in `failure`. It raises no errors, as they would pass
    through the parser: an error of the disk is kept in `unreadable`.
    """

    def __init__(self, file: BinaryIO, start: int, packed: bool) -> None:
        self.failure = ""
        self.unreadable: OSError | None = None
        self._file = file
        self._start = self._read_to = start
        self._packed = packed
        self._given = 0
        self._members: list[tuple[int, int]] = []
        self._unpacker: zlib._Decompress | None = None
        self._waiting = b""
        file.seek(start)

    def read(self, size: int = UNPACK) -> bytes:
        """Read some of the next bytes, at most `size`; none at the end."""
        size = min(size, UNPACK) if size > 0 else UNPACK
        data = self._unpacked(size) if self._packed else self._next_block(size)
        self._given += len(data)
        return data

    def tell(self) -> int:
        """How many bytes were read."""
        return self._given

    def seek(self, offset: int, whence: int = 0) -> int:
        """Do nothing: the parser seeks only if it is told to, which it is not."""
        return self._given

    def close(self) -> None:
        """Leave the file to whoever opened it."""

    def place(self, position: int) -> int:
        """Where in the file a position of the stream lies; in a packed file, where its gzip member begins."""
        if not self._packed:
            return self._start + position
        # The parser goes forward from record to record, so earlier members are not needed again.
        member = max(bisect.bisect_right(self._members, (position, self._read_to)) - 1, 0)
        del self._members[:member]
        return self._members[0][1] if self._members else self._start

    def _next_block(self, size: int) -> bytes:
        try:
            data = self._file.read(size)
        except OSError as error:
            self.unreadable = error
            return b""
        self._read_to += len(data)
        return data

    def _unpacked(self, size: int) -> bytes:
        while not self.failure:
            data = self._waiting or self._next_block(UNPACK)
            if not data:
                if self._unpacker:
                    self.failure = "cut off within a gzip member"
                return b""
            if self._unpacker is None:
                self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
                self._members.append((self._given, self._read_to - len(data)))
            try:
                unpacked = self._unpacker.decompress(data, size)
            except zlib.error as error:
                self.failure = f"gzip member at byte {self._members[-1][1]}: {error}"
                return b""
            self._waiting = self._unpacker.unconsumed_tail
            if self._unpacker.eof:
                self._waiting, self._unpacker = self._unpacker.unused_data, None
            if unpacked:
                return unpacked
        return b""


def _next(file: BinaryIO, start: int, packed: bool) -> int | None:
    """Where the first record after a broken stretch begins, from `start` on, by itself or as a gzip member."""
    mark = _GZIP if packed else _RECORD
    position, data = start, b""
    while True:
        file.seek(position + len(data))
        block = file.read(BLOCK)
        data += block
        at = data.find(mark)
        while at >= 0:
            if _opens(file, position + at, packed):
                return position + at
            at = data.find(mark, at + 1)
        if not block:
            return None
        kept = data[-len(mark) :]
        position, data = position + len(data) - len(kept), kept


def _opens(file: BinaryIO, place: int, packed: bool) -> bool:
    file.seek(place)
    data = file.read(1000)
    try:
        if packed:
            data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, 20)
    except zlib.error:
        return False
    return _FIRST_LINE.match(data) is not None


# --- pages


def _page(number: int, record: _Record) -> Page | NoPage:
    url = record.headers.get("warc-target-uri", "").strip().removeprefix("<").removesuffix(">")
    try:
        charset, data, converted = _payload(record)
    except NoHtmlError as error:
        return NoPage(number=number, url=url, reason=str(error))
    date = record.headers.get("warc-date", "").strip()
    crawled = date if _DATE.fullmatch(date) else UNKNOWN
    return Page(number=number, url=url, crawled=crawled, charset=charset, data=data, converted=converted)


def _payload(record: _Record) -> tuple[str, bytes, bool]:
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
