"""Open the web archives in a file: the file itself, or the members of a `.wacz` file, without unpacking it to disk.

A WACZ file (https://specs.webrecorder.net/wacz/1.1.1/) is a zip file with web archives in its folder `archive`.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from corpus.reading.web.file_window import FileWindow
from corpus.reading.web.warc_stream import RECORD, Packing, WarcStream, packing_of
from corpus.reading.web.zstd_frames import dictionary_of

_ZIP = b"PK\x03\x04"
_WARCS = (".warc", ".warc.gz", ".warc.zst")


class ArchiveFile(msgspec.Struct, frozen=True, kw_only=True):
    """An open web archive: its bytes, what it is packed with, and the dictionary that its frames need, if any.

    `start` and `end` say which of the unit's bytes are meant; a member of a `.wacz` file is always read whole.
    """

    file: BinaryIO
    packing: Packing
    dictionary: bytes = b""
    start: int
    end: int


def is_whole_only(path: Path) -> bool:
    """Whether a file can only be read as a whole: it is a `.wacz` file, or packed with zstandard.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        begin = file.read(8)
    return begin.startswith(_ZIP) or packing_of(begin, path.name) == "zstd"


def is_web_archive(path: Path) -> bool:
    """Whether what a file holds shows that it is a web archive, packed or not, or a `.wacz` file."""
    with path.open("rb") as file:
        begin = file.read(8)
        packing = packing_of(begin)
        if packing:
            dictionary = dictionary_of(file) if packing == "zstd" else b""
            begin = WarcStream(file, 0, packing, dictionary).read(len(RECORD))
        if begin.startswith(_ZIP):
            try:
                with zipfile.ZipFile(file) as archive:
                    return any(map(_is_archive, archive.namelist()))
            except (zipfile.BadZipFile, ValueError, NotImplementedError):
                return False
    return begin.startswith(RECORD)


def archive_files(path: Path, start: int, end: int) -> Iterator[ArchiveFile | str]:
    """The web archives in a file, one by one; for each that cannot be opened a message that says why.

    Args:
        path: the file.
        start: first byte of the part to read, if the file is no `.wacz` file.
        end: the byte behind that part.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        begin = file.read(8)
        if begin.startswith(_ZIP):
            yield from _members(file, end)
            return
        packing = packing_of(begin, path.name)
        dictionary = dictionary_of(file) if packing == "zstd" else b""
        yield ArchiveFile(file=file, packing=packing, dictionary=dictionary, start=start, end=end)


def _members(file: BinaryIO, size: int) -> Iterator[ArchiveFile | str]:
    try:
        archive = zipfile.ZipFile(file)
        members = [member for member in archive.infolist() if _is_archive(member.filename)]
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        yield f"the zip file is cut off or broken ({error}); records that can be found in it are read"
        # The directory of a zip file is at its end. Members are stored as they are, so their records can be found.
        yield ArchiveFile(file=file, packing="gzip", start=0, end=size)
        return
    if not members:
        yield "no web archive in the zip file; a .wacz file has archive/*.warc.gz"
    for member in members:
        try:
            data = _opened(file, archive, member)
            begin = data.read(8)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            yield f"{member.filename}: {error}"
            continue
        packing = packing_of(begin, member.filename)
        dictionary = dictionary_of(data) if packing == "zstd" else b""
        yield ArchiveFile(file=data, packing=packing, dictionary=dictionary, start=0, end=member.file_size)


def _is_archive(name: str) -> bool:
    return name.startswith("archive/") and name.lower().endswith(_WARCS)


def _opened(file: BinaryIO, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    """A member for reading. One that is stored as it is lies in the file itself, where searching costs nothing.

    Raises:
        BadZipFile: the member's head is broken.
        RuntimeError: the member is encrypted.
        NotImplementedError: the member is packed in a way that is unknown here.
    """
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        return cast("BinaryIO", _Packed(archive, member))
    file.seek(member.header_offset)
    head = file.read(30)
    if not head.startswith(_ZIP) or len(head) < 30:
        raise zipfile.BadZipFile("its head is broken")
    start = member.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    return cast("BinaryIO", FileWindow(file, start, start + member.compress_size))


class _Packed:
    """A member that the zip file has packed once more; its errors become errors of reading, without a number."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self._data = archive.open(member)

    def read(self, size: int = -1) -> bytes:
        try:
            return self._data.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise OSError(str(error)) from error

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._data.seek(offset, whence)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise OSError(str(error)) from error

    def tell(self) -> int:
        return self._data.tell()
