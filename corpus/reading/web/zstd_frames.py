"""Read zstandard files frame by frame, with the dictionary that a `.warc.zst` file may begin with.

Frames are found by their own headers (RFC 8878), so that it is known in which of them a record begins, and where the
next one begins after a broken frame. The dictionary lies in a skippable frame, as the WARC-Zstandard proposal of the
IIPC says (https://iipc.github.io/warc-specifications/specifications/warc-zstd/). fastwarc unpacks.
"""

from __future__ import annotations

import io
from typing import BinaryIO

from corpus.reading.text_encoding import ARTICLE_BYTES
from corpus.reading.web.file_window import FileWindow

FRAME = b"\x28\xb5\x2f\xfd"
"""What a frame with data begins with."""

MOST_BLOCK = 1 << 17
"""Most bytes of a block, packed or not: a frame can be unpacked block by block."""

_SKIPPABLE = b"\x2a\x4d\x18"
_DICTIONARY = b"\x5d\x2a\x4d\x18"


class Frame:
    """A frame of a file, for reading what it holds."""

    def __init__(self, file: BinaryIO, start: int, dictionary: bytes) -> None:
        """Find where the frame ends.

        Args:
            file: the file.
            start: first byte of the frame.
            dictionary: dictionary of the file; empty if it has none.

        Raises:
            ValueError: no frame begins there, or it is not complete in its headers.
        """
        from fastwarc.stream_io import ZstdReader

        self.start = start
        self.skippable, self.end = _extent(file, start)
        self.cut = file.seek(0, io.SEEK_END) < self.end
        self._reader = ZstdReader(FileWindow(file, start, self.end), dictionary=dictionary or None)

    def read(self, size: int) -> bytes:
        """Read some of the next bytes, at most `size`; none at the end.

        Raises:
            OSError: the frame is broken or cut off, or the disk cannot be read.
        """
        return b"" if self.skippable else self._reader.read(size)


def is_zstd(begin: bytes) -> bool:
    """Whether a file that begins with these bytes consists of zstandard frames."""
    return begin.startswith(FRAME) or (begin[1:4] == _SKIPPABLE and begin[0] & 0xF0 == 0x50)


def dictionary_of(file: BinaryIO) -> bytes:
    """The dictionary that a file begins with, unpacked; empty if there is none, or none that can be unpacked."""
    from fastwarc.stream_io import ZstdReader

    file.seek(0)
    head = file.read(8)
    if not head.startswith(_DICTIONARY):
        return b""
    data = file.read(min(int.from_bytes(head[4:8], "little"), ARTICLE_BYTES))
    if not data.startswith(FRAME):
        return data
    try:
        return ZstdReader(io.BytesIO(data)).read(ARTICLE_BYTES)
    except OSError:
        return b""


def _extent(file: BinaryIO, start: int) -> tuple[bool, int]:
    """Whether a frame is skippable, and the byte behind it, which is beyond the end of a file that was cut off.

    Raises:
        ValueError: no frame begins there.
    """
    file.seek(start)
    head = file.read(18)
    if head[1:4] == _SKIPPABLE and head[0] & 0xF0 == 0x50:
        return True, start + 8 + int.from_bytes(head[4:8], "little")
    if not head.startswith(FRAME) or len(head) < 6:
        raise ValueError("no frame begins there")
    flags = head[4]
    single = flags >> 5 & 1
    size = (single, 2, 4, 8)[flags >> 6]
    place = start + 5 + (1 - single) + (0, 1, 2, 4)[flags & 3] + size
    while True:
        file.seek(place)
        header = file.read(3)
        if len(header) < 3:
            return False, place + 3
        block = int.from_bytes(header, "little")
        last, kind, length = block & 1, block >> 1 & 3, block >> 3
        if kind == 3 or length > MOST_BLOCK:
            # Nobody knows where this frame ends. What comes before the broken block can be unpacked.
            return False, place + 3
        place += 3 + (1 if kind == 1 else length)
        if last:
            return False, place + 4 * (flags >> 2 & 1)
