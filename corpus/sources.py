"""Sources to units of work: which files there are, what they are called, and what the sidecars say of them."""

from __future__ import annotations

import atexit
import csv
import glob
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from corpus.decode import BLOCK
from corpus.records import CorpusSettings, SourceError, Unit
from corpus.rows import FIELDS, csv_encoding, csv_rows, cut
from corpus.warc import cut_archive

KINDS = {
    **{".txt": "txt", ".html": "html", ".htm": "html", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"},
    **{".warc": "warc", ".warc.gz": "warc"},
}
DATA_FILES = {"jsonl", "csv", "parquet", "warc"}
"""Kinds of which one file holds many articles."""
SIDECAR = "articles.csv"
SIDECAR_FIELDS = {"file", "url", "outlet", "title", "published", "language", "licence"}
STDIN = "stdin"


def units(sources: Sequence[Path | str], settings: CorpusSettings, exclude: Sequence[Path] = ()) -> list[Unit]:
    """All work that the sources name, sorted by the files' place below the root, each file once.

    Files and folders whose names begin with a dot are left out of a search; so are files of other kinds.

    Args:
        sources: files, folders that are searched through, globs, or `-` for standard input.
        settings: `root` is what ids are paths from; `fields` names the columns of data files.
        exclude: folders that are not searched: the one that the tables are written to.

    Raises:
        SourceError: a source does not exist, is of no kind that is read, or holds no article; a data file lacks a
            column; a sidecar is malformed.
    """
    unknown = set(settings.fields) - set(FIELDS)
    if unknown:
        raise SourceError(f"[corpus.fields]: expected any of {', '.join(FIELDS)}; found {', '.join(sorted(unknown))}")
    skip = {str(folder.resolve()) for folder in exclude}
    named: dict[str, str] = {}
    for source in dict.fromkeys(map(str, sources)):
        if source != "-":
            for real, name in _find(source, skip):
                named[real] = min(name, named.get(real, name))
    sidecars = _Sidecars()
    roots = Path(settings.root).resolve(), Path(os.path.normpath(Path(settings.root).absolute()))
    work: list[Unit] = []
    for real, name in named.items():
        place, base = _place(Path(real), Path(os.path.normpath(Path(name).absolute())), *roots)
        if place.name == SIDECAR and sidecars.has(place.parent):
            continue
        below = place.relative_to(base) if base else Path(place.name)
        unit = Unit(
            path=str(Path(name).absolute()),
            kind=KINDS[_ending(name)],
            article_id=below.as_posix()[: -len(_ending(below.name))],
            source=shown(below.as_posix()),
            size=_size(name),
            metadata=sidecars.row(place, base or place.parent),
            outside=base is None,
        )
        if unit.kind == "warc":
            work += cut_archive(unit)
        elif unit.kind in DATA_FILES:
            work += cut(unit, settings)
        else:
            work.append(unit)
    if "-" in map(str, sources):
        unit = _stdin()
        work += cut(unit, settings) if unit.kind in DATA_FILES else [unit]
    if not work:
        raise SourceError(f"no article found; {', '.join(map(str, sources))} only describes articles")
    return sorted(work, key=lambda unit: (unit.source, unit.path, unit.start))


def _find(source: str, skip: set[str]) -> Iterator[tuple[str, str]]:
    """Article files that one source names: the path with all links resolved, and as named."""
    endings = ", ".join(sorted(KINDS))
    path = Path(source)
    if path.is_dir():
        found = list(_walk(path, skip))
        if not found:
            raise SourceError(f"{source}: no article found; expected files that end in {endings}")
        yield from found
    elif os.path.lexists(source):
        if not _ending(path.name):
            raise SourceError(f"{source}: expected one of {endings}")
        if path.exists() and not path.is_file():
            raise SourceError(f"{source}: expected a file or a folder")
        if path.name == SIDECAR and _Sidecars().has(path.parent):
            raise SourceError(
                f"{source}: it describes articles (it has a column file) and holds none; name their folder"
            )
        yield os.path.realpath(source), source
    elif any(mark in source for mark in "*?["):
        found = []
        for name in sorted(glob.glob(source, recursive=True)):  # noqa: PTH207  absolute patterns too
            if Path(name).is_dir():
                found += _walk(Path(name), skip)
            elif _ending(name):
                found.append((os.path.realpath(name), name))
        if not found:
            raise SourceError(f"{source}: nothing matches; expected files that end in {endings}")
        yield from found
    else:
        raise SourceError(f"{source}: no such file or folder")


def _walk(folder: Path, skip: set[str]) -> Iterator[tuple[str, str]]:
    """Files of our kinds in a folder and those below it; each folder once, whatever links lead to it."""
    start = str(folder.resolve())
    seen: set[str] = set(skip)
    todo = [(start, str(folder))]
    while todo:
        real, name = todo.pop()
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(name) as listing:
                entries = sorted(listing, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            raise SourceError(f"{name}: cannot be searched: {error.strerror}") from error
        for entry in entries:
            if entry.name.startswith("."):
                continue
            link = entry.is_symlink()  # whose target DirEntry's own methods fail on where it is a loop
            target = os.path.realpath(entry.path) if link else f"{real.rstrip('/')}/{entry.name}"
            if Path(entry.path).is_dir() if link else entry.is_dir():
                # A link upwards is a loop, and may lead out of the named folder to everything above it.
                if not Path(real).is_relative_to(target):
                    todo.append((target, entry.path))
            elif _ending(entry.name) and (link or entry.is_file()):
                yield target, entry.path


def _ending(name: str) -> str:
    """The ending of a file that is read, in lower case; nothing where it is of no such kind."""
    path = Path(name.lower())
    ending = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    return ending if ending in KINDS else ""


def _place(real: Path, named: Path, root: Path, named_root: Path) -> tuple[Path, Path | None]:
    """Where a file counts as lying, and the root above it; none where it lies below no root.

    With all links resolved, so that every name of a file gives one place; but as named, where a link below the root
    leads out of it, into a hidden folder (git-annex, DVC), to another ending or nowhere.
    """
    options = [(real, root)] if _ending(real.name) and real.exists() else []
    options.append((named, named_root))
    below = [(path, base) for path, base in options if path.is_relative_to(base)]
    for path, base in below:
        if not any(part.startswith(".") for part in path.relative_to(base).parts):
            return path, base
    return below[0] if below else (options[0][0], None)


def _size(name: str) -> int:
    """Size in bytes; 0 of what cannot be looked at: reading it says why."""
    try:
        found = os.stat(name)  # noqa: PTH116  one call a file, of perhaps a million
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def shown(name: str) -> str:
    """A name that can be written: lone surrogates, as in file names that are no UTF-8, are spelt out."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _stdin() -> Unit:
    """Standard input, kept in a file until the process ends: workers have no share in it."""
    handle, path = tempfile.mkstemp(prefix="stance-stdin-")
    atexit.register(Path(path).unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    with Path(path).open("rb") as file:
        start = file.read(BLOCK).removeprefix(b"\xef\xbb\xbf").lstrip()
    kind = "jsonl" if start.startswith(b"{") else "txt"
    return Unit(path=path, kind=kind, article_id=STDIN, source=STDIN, size=_size(path))


class _Sidecars:
    """The tables `articles.csv` that describe files, each read once."""

    def __init__(self) -> None:
        self._read: dict[Path, Mapping[str, dict[str, str]] | None] = {}

    def has(self, folder: Path) -> bool:
        """Whether the folder has one."""
        return self._rows(folder) is not None

    def row(self, path: Path, base: Path) -> dict[str, str]:
        """The file's row in the nearest one: in its folder, or in one above it up to `base`."""
        for folder in path.parents:
            row = (self._rows(folder) or {}).get(path.relative_to(folder).as_posix())
            if row or folder == base:
                return row or {}
        return {}

    def _rows(self, folder: Path) -> Mapping[str, dict[str, str]] | None:
        if folder not in self._read:
            path = folder / SIDECAR
            self._read[folder] = _sidecar(path) if path.is_file() else None
        return self._read[folder]


def _sidecar(path: Path) -> Mapping[str, dict[str, str]] | None:
    rows = csv_rows(path, csv_encoding(path))
    header = next(rows, [])
    if isinstance(header, csv.Error):
        raise SourceError(f"{path}, line 1: {header}")
    if "file" not in header:
        return None
    if set(header) - SIDECAR_FIELDS:
        raise SourceError(
            f"{path}, line 1: expected the columns file and any of {', '.join(sorted(SIDECAR_FIELDS - {'file'}))}; "
            f"found {', '.join(header)}"
        )
    table: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, 1):
        if isinstance(row, csv.Error):
            raise SourceError(f"{path}, row {number}: {row}")
        found = dict.fromkeys(header, "") | dict(zip(header, row, strict=False))
        table[found["file"]] = {name: value for name, value in found.items() if value and name != "file"}
    return table
