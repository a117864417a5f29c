"""Append pages to the web archives of a folder, and know which pages are there."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import re
import uuid
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import msgspec

from corpus.fetch.url_table import url_key
from corpus.fetch.web import Response
from corpus.reading.file_kinds import KINDS
from corpus.reading.source_files import PAGES
from corpus.reading.text_encoding import BLOCK
from corpus.reading.web.warc import Record, records
from corpus.records import Unit

FILE_BYTES = 1 << 30
"""A file that has this many bytes gets no more pages; the next file is begun."""

STATUS_BYTES = 40
"""Bytes of a stored response that are read to know its status."""

_NUMBER = re.compile(rf"{PAGES}-(\d+)\.warc\.gz")
_STATUS = re.compile(rb"HTTP/\S+\s+(\d{3})")


class _Stored(msgspec.Struct, frozen=True):
    """A response that is in an archive: where it begins, its URL's key, and its status."""

    place: int
    key: str
    status: int


class PageArchive:
    """The web archives of a folder, open for appending, for use in a `with` statement.

    Every record is a gzip member of its own, and the records of one append are written by one call of the system. What
    a killed run left of a record at the end of the last file is cut off when the folder is opened again.
    """

    def __init__(self, folder: Path, software: str) -> None:
        """Read which pages the folder has.

        Args:
            folder: the folder, which exists.
            software: name of the program that fetches, for the archives' first records.

        Raises:
            OSError: an archive cannot be read.
        """
        self.stored: dict[str, int] = {}
        """The status of the last response for each URL, by `url_key`."""
        self._folder, self._software = folder, software
        self._number, self._file = 1, -1
        self._size = 0
        self._look()

    def __enter__(self) -> PageArchive:
        """Nothing is opened before there is something to write."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file that is written to."""
        self._close()

    def append(self, responses: Sequence[Response]) -> None:
        """Append responses, all of them or, if the run is killed meanwhile, the first of them.

        Args:
            responses: the page, and after it the redirects that led to it, the last of them first: then a URL of the
                table is only there if its page is.

        Raises:
            OSError: the disk is full, for instance.
        """
        self._write(b"".join(gzip.compress(_response(one), 6) for one in responses))
        for one in responses:
            self.stored[url_key(one.url)] = one.status

    def _write(self, data: bytes) -> None:
        if self._file < 0:
            path = self._folder / f"{PAGES}-{self._number:05}.warc.gz"
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            self._size = path.stat().st_size
            if not self._size:
                data = gzip.compress(_about(path.name, self._software)) + data
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._size += len(data)
        if self._size >= FILE_BYTES:
            self._close()
            self._number += 1

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _look(self) -> None:
        """Read the archives that are there, and find the file to go on with."""
        for path in sorted(self._folder.iterdir()):
            lower = path.name.lower()
            if not path.is_file() or not any(lower.endswith(end) for end, kind in KINDS.items() if kind == "warc"):
                continue
            found = _responses(path)
            own = _NUMBER.fullmatch(path.name)
            if own:
                last = found[-1].place if found else 0
                size = _made_whole(path, last)
                found = [one for one in found if one.place < path.stat().st_size]
                whole = size is not None and size < FILE_BYTES
                self._number = max(self._number, int(own[1]) + (not whole))
            self.stored |= {one.key: one.status for one in found}


def _responses(path: Path) -> list[_Stored]:
    """The whole responses of an archive, in their order."""
    size = path.stat().st_size
    found = []
    for place, record in records(
        Unit(path=str(path), kind="warc", article_id="", source="", size=size, end=size), STATUS_BYTES
    ):
        if isinstance(record, Record) and record.whole and record.kind == "response":
            status = _STATUS.match(record.block)
            url = record.headers.get("warc-target-uri", "").strip("<> ")
            if status:
                found.append(_Stored(place, url_key(url), int(status[1])))
    return found


def _made_whole(path: Path, start: int) -> int | None:
    """Cut a gzip member that is not complete off a file's end.

    Args:
        path: the file.
        start: where a gzip member begins, or the file's start.

    Returns:
        The file's size; None if its end is broken in another way.
    """
    with path.open("r+b") as file:
        file.seek(start)
        end, unpacker, waiting = start, None, b""
        try:
            while data := waiting or file.read(BLOCK):
                unpacker = unpacker or zlib.decompressobj(zlib.MAX_WBITS | 16)
                unpacker.decompress(data, BLOCK)
                waiting = unpacker.unconsumed_tail
                if unpacker.eof:
                    waiting, unpacker = unpacker.unused_data, None
                    end = file.tell() - len(waiting)
        except zlib.error:
            return None
        if unpacker:
            file.truncate(end)
    return end


def _response(response: Response) -> bytes:
    more = [f"WARC-Target-URI: {response.url}", f"WARC-Payload-Digest: {_digest(response.body)}"]
    return _record("response", response.date, "application/http; msgtype=response", more, response.http())


def _about(name: str, software: str) -> bytes:
    text = f"software: {software}\r\nformat: WARC File Format 1.1\r\nrobots: obey\r\n"
    return _record("warcinfo", datetime.now(UTC), "application/warc-fields", [f"WARC-Filename: {name}"], text.encode())


def _record(kind: str, date: datetime, content_type: str, more: Sequence[str], block: bytes) -> bytes:
    lines = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <{uuid.uuid4().urn}>",
        f"WARC-Date: {date:%Y-%m-%dT%H:%M:%SZ}",
        *more,
        f"WARC-Block-Digest: {_digest(block)}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(block)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + block + b"\r\n\r\n"


def _digest(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
