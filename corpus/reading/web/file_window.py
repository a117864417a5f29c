"""Read a stretch of a file as if it were a file of its own."""

from __future__ import annotations

import io
from typing import BinaryIO


class FileWindow(io.RawIOBase):
    """The bytes of a file from `start` up to `end`, to read only; the file stays open when the window is closed.

    Every read says where it begins, so several windows can lie on one file.
    """

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        """Open the window.

        Args:
            file: an open file that can be searched.
            start: first byte of the window.
            end: the byte behind its last one.
        """
        self._file, self._start, self._size = file, start, end - start
        self._place = 0

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def seekable(self) -> bool:
        """Whether it can be searched: always."""
        return True

    def tell(self) -> int:
        """The place in the window, from its start."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the window."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, origin + offset)
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed has a private name for it
        """Read the next bytes into a buffer, and say how many there were."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        """Read the next bytes, all of them if `size` is negative."""
        left = max(0, self._size - self._place)
        self._file.seek(self._start + self._place)
        data = self._file.read(left if size is None or size < 0 else min(size, left))
        self._place += len(data)
        return data
