"""Unpack a web archive so that a broken stretch does not end it, and find the next record after one.

A gzip reader would stop at the first broken member. Here the records after it are read, and a file that was cut off is
told from one that is complete.
"""

from __future__ import annotations

import bisect
import re
import zlib
from typing import BinaryIO, Literal

from corpus.reading.text_encoding import BLOCK
from corpus.reading.web.zstd_frames import FRAME, Frame, is_zstd

UNPACK = 1 << 16
"""Bytes unpacked at a time. More would cost time: the rest is copied at the end of each gzip member of about 10 kB."""

RECORD = b"WARC/1."
"""What every record begins with."""

_GZIP = b"\x1f\x8b\x08"
_FIRST_LINE = re.compile(rb"WARC/1\.\d\r?\n")


Packing = Literal["", "gzip", "zstd"]
"""What a web archive is packed with, record by record or as a whole; empty if it is not packed."""


def packing_of(begin: bytes, name: str = "") -> Packing:
    """How a file is packed, by its first bytes, or by its name where they tell nothing.

    Args:
        begin: the first bytes of the file.
        name: name of the file.
    """
    if begin.startswith(_GZIP[:2]):
        return "gzip"
    if is_zstd(begin):
        return "zstd"
    if begin.startswith(RECORD):
        return ""
    return "gzip" if name.lower().endswith(".gz") else "zstd" if name.lower().endswith(".zst") else ""


class WarcStream:
    """A WARC file, unpacked from a given place on, for the parser to read.

    The stream ends where a gzip member or zstandard frame is broken, and says so in `failure`. It raises no errors, as
    they would pass through the parser: an error of the disk is kept in `unreadable`.
    """

    def __init__(self, file: BinaryIO, start: int, packing: Packing, dictionary: bytes = b"") -> None:
        """Start at a byte of the file.

        Args:
            file: the archive; it is closed by whoever opened it.
            start: first byte to read: where a record begins, by itself or as a gzip member or zstandard frame.
            packing: what the file is packed with.
            dictionary: dictionary that the file's zstandard frames need.
        """
        self.failure = ""
        self.unreadable: OSError | None = None
        self._file = file
        self._start = self._read_to = start
        self._packing, self._dictionary = packing, dictionary
        self._given = 0
        self._members: list[tuple[int, int]] = []
        self._unpacker: zlib._Decompress | None = None
        self._waiting = b""
        self._frame: Frame | None = None
        file.seek(start)

    def read(self, size: int = UNPACK) -> bytes:
        """Read some of the next bytes, at most `size`; none at the end."""
        size = min(size, UNPACK) if size > 0 else UNPACK
        if self._packing == "zstd":
            data = self._from_frames(size)
        else:
            data = self._unpacked(size) if self._packing else self._next_block(size)
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
        """Where in the file a position of the stream lies; in a packed file, where its member or frame begins."""
        if not self._packing:
            return self._start + position
        # The parser goes forward from record to record, so earlier members are not needed again.
        member = max(bisect.bisect_right(self._members, (position, self._read_to)) - 1, 0)
        del self._members[:member]
        return self._members[0][1] if self._members else self._start

    def _next_block(self, size: int) -> bytes:
        try:
            data = self._file.read(size)
        except OSError as error:
            if error.errno:
                self.unreadable = error
            else:
                self.failure = str(error)
            return b""
        self._read_to += len(data)
        return data

    def _from_frames(self, size: int) -> bytes:
        try:
            while not self.failure:
                if self._frame is None:
                    self._file.seek(self._read_to)
                    if not self._file.read(1):
                        return b""
                    self._frame = Frame(self._file, self._read_to, self._dictionary)
                    self._members.append((self._given, self._read_to))
                if unpacked := self._frame.read(size):
                    return unpacked
                if self._frame.cut:
                    self.failure = "cut off within a zstandard frame"
                self._read_to, self._frame = self._frame.end, None
        except (ValueError, OSError) as error:
            if isinstance(error, OSError) and error.errno:
                self.unreadable = error
            elif self._frame and self._frame.cut:
                self.failure = "cut off within a zstandard frame"
            else:
                self.failure = f"zstandard frame at byte {self._read_to}: {error}"
        return b""

    def _unpacked(self, size: int) -> bytes:
        while not self.failure:
            data = self._waiting or self._next_block(UNPACK)
            if not data:
                if self._unpacker and not self.failure:
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


def next_record(file: BinaryIO, start: int, packing: Packing, dictionary: bytes = b"") -> int | None:
    """Where the first record after a broken stretch begins, by itself or as a gzip member or zstandard frame.

    Args:
        file: the archive.
        start: first byte that is searched.
        packing: what the file is packed with.
        dictionary: dictionary that the file's zstandard frames need.
    """
    mark = {"gzip": _GZIP, "zstd": FRAME, "": RECORD}[packing]
    position, data = start, b""
    while True:
        file.seek(position + len(data))
        block = file.read(BLOCK)
        data += block
        at = data.find(mark)
        while at >= 0:
            if _opens(file, position + at, packing, dictionary):
                return position + at
            at = data.find(mark, at + 1)
        if not block:
            return None
        kept = data[-len(mark) :]
        position, data = position + len(data) - len(kept), kept


def _opens(file: BinaryIO, place: int, packing: Packing, dictionary: bytes) -> bool:
    """Whether a record begins at a place."""
    try:
        if packing == "zstd":
            data = Frame(file, place, dictionary).read(20)
        else:
            file.seek(place)
            data = file.read(1000)
            if packing == "gzip":
                data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, 20)
    except (zlib.error, ValueError):
        return False
    except OSError as error:
        if error.errno:
            raise
        return False
    return _FIRST_LINE.match(data) is not None
