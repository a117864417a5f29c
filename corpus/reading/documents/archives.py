"""Read the files inside of .zip and .tar archives, each as if it lay in a folder, without unpacking any to disk.

The names in an archive are never used as paths: they only tell of which kind a file is, and name its article.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import msgspec

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.articles import in_file
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.kinds import ENDINGS, OTHER
from corpus.reading.documents.lines import clean
from corpus.reading.documents.office.packages import member, opened_package
from corpus.reading.file_kinds import KINDS, LOCK, REFERENCES, ending_of, other_kind
from corpus.reading.text_encoding import ARTICLE_BYTES

MEMBERS = 10_000
UNPACKED = 4 * ARTICLE_BYTES
"""Bytes that the files of an archive may have together once unpacked, and characters their texts."""
TOO_BIG = f"an archive of more than {UNPACKED >> 20} MB once unpacked: divide it"
NESTED = "an archive inside of an archive: unpack it first"
TABLE = "a table or web archive inside of an archive: unpack it first"

_ARCHIVES = {"zip", "tar"}
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")
_TAR_ERRORS = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError)


class _Member(msgspec.Struct, frozen=True):
    """A file in an archive: its name, its size once unpacked, and the function that gives its bytes."""

    name: str
    size: int
    data: Callable[[], bytes]


def read_zip(data: bytes, family: str = "") -> list[ArticleInFile]:
    """The articles in a zip archive.

    Args:
        data: the archive.
        family: `[corpus] format`: the family of exports that the files in it belong to.

    Raises:
        UnreadableError: it is no archive, or too much is in it.
    """
    with opened_package(data, "a zip archive") as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if len(infos) > MEMBERS:
            raise UnreadableError(f"more than {MEMBERS:,} files in an archive: divide it")
        # The sizes stand in the archive's directory; no more than that is ever unpacked.
        if (
            sum(info.file_size for info in infos if ending_of(_path(info.filename)) and info.file_size <= ARTICLE_BYTES)
            > UNPACKED
        ):
            raise UnreadableError(TOO_BIG)
        members = (
            _Member(info.filename, info.file_size, partial(member, archive, info, ARTICLE_BYTES)) for info in infos
        )
        return _articles(members, family)


def read_tar(data: bytes, family: str = "") -> list[ArticleInFile]:
    """The articles in a tar archive, which may be compressed with gzip. Links and devices in it are never followed.

    Args:
        data: the archive.
        family: `[corpus] format`: the family of exports that the files in it belong to.

    Raises:
        UnreadableError: it is no archive, or too much is in it.
    """
    try:
        # As a stream, so that nothing is held that is not read; a stream needs no more than `read`.
        source: Any = _Unpacked(data)
        with tarfile.open(fileobj=source, mode="r|") as archive:
            return _articles(_tar_members(archive), family)
    except _TAR_ERRORS as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(f"expected a tar archive; found another kind, or a broken one: {error}"[:300]) from error


class _Unpacked:
    """The bytes of an archive, without its compression; reading more than UNPACKED of them is an error."""

    def __init__(self, data: bytes) -> None:
        packed = io.BytesIO(data)
        self._file = gzip.GzipFile(fileobj=packed) if data[:2] == b"\x1f\x8b" else packed
        self._left = UNPACKED

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise UnreadableError(TOO_BIG)
        return data


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for count, info in enumerate(archive, start=1):
        if count > MEMBERS:
            raise UnreadableError(f"more than {MEMBERS:,} files in an archive: divide it")
        if not info.isdir():
            yield _Member(info.name, info.size, partial(_tar_bytes, archive, info))


def _tar_bytes(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info) if info.isreg() else None
    if file is None:
        raise UnreadableError("a link or a device in an archive")
    return file.read(ARTICLE_BYTES)


def _articles(members: Iterable[_Member], family: str) -> list[ArticleInFile]:
    articles: list[ArticleInFile] = []
    names: set[str] = set()
    read, held = 0, 0
    for one in members:
        name = clean(one.name.encode("utf-8", "replace").decode("utf-8")) or "(no name)"
        ending = ending_of(_path(name))
        if reason := _why_not(name, ending):
            articles.append(ArticleInFile(member=name, fault=reason))
        if reason or reason is None:
            continue
        stem = name[: -len(ending)]
        fault = "the archive holds another file of this name before it" if name in names else ""
        names.add(name)
        if not fault and one.size > ARTICLE_BYTES:
            fault = f"longer than {ARTICLE_BYTES >> 20} MB"
        if fault:
            articles.append(ArticleInFile(member=name, member_id=stem, fault=fault))
            continue
        read += one.size
        if read > UNPACKED:
            raise UnreadableError(TOO_BIG)
        found = _of_member(one, name, stem, KINDS[ending], family)
        held += sum(len(article.text) for article in found)
        if held > UNPACKED:  # compressed documents in the archive
            raise UnreadableError(TOO_BIG)
        articles += found
    if not articles:
        raise UnreadableError("an archive without files")
    return _told_apart(articles)


def _path(name: str) -> str:
    """A name in an archive as a path; some programs of Windows write it with backslashes."""
    return name.replace("\\", "/")


def _why_not(name: str, ending: str) -> str | None:
    """Why a file in an archive is not read; None where that need not be said, and nothing where it is read."""
    parts = _path(name).split("/")
    if "__MACOSX" in parts or any(part.startswith((".", LOCK)) and part.strip(".") for part in parts):
        # Hidden files are what operating systems leave in every folder.
        return f"{OTHER} (hidden)" if ending else None
    kind = KINDS.get(ending, "")
    if kind in _ARCHIVES or (not kind and name.lower().endswith(_PACKED)):
        return NESTED
    if not ending:
        return other_kind(parts[-1])
    return "" if ending in ENDINGS or kind in {"txt", "html", *REFERENCES} else TABLE


def _of_member(one: _Member, name: str, stem: str, kind: str, family: str) -> list[ArticleInFile]:
    """The articles in a file of an archive, each with its place there."""
    try:
        data = one.data()
    except UnreadableError as error:
        return [ArticleInFile(member=name, member_id=stem, fault=str(error))]
    found = list(in_file(kind, data, family)) if data else [ArticleInFile(fault="the file is empty")]
    if len(found) == 1:
        return [msgspec.structs.replace(found[0], member=name, member_id=stem)]
    return [
        msgspec.structs.replace(article, member=f"{name}:{number}", member_id=f"{stem}#{number}")
        for number, article in enumerate(found, start=1)
    ]


def _told_apart(articles: list[ArticleInFile]) -> list[ArticleInFile]:
    """The articles, of which those whose names differ in the ending only are known by their whole names."""
    counts = Counter(one.member_id for one in articles)
    return [
        msgspec.structs.replace(one, member_id=one.member) if one.member_id and counts[one.member_id] > 1 else one
        for one in articles
    ]
