"""Find the files to read, and give each its name and the metadata that a sidecar holds for it."""

from __future__ import annotations

import glob
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from corpus.errors import SourceError
from corpus.reading.sidecars import SIDECAR, Sidecars
from corpus.reading.standard_input import stdin_unit
from corpus.reading.tables.data_files import FIELDS, parts_of_file
from corpus.reading.web.warc import parts_of_archive
from corpus.records import CorpusSettings, Unit

KINDS = {
    **{".txt": "txt", ".html": "html", ".htm": "html", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"},
    **dict.fromkeys((".warc", ".warc.gz", ".warc.wet", ".warc.wet.gz", ".wet", ".wet.gz"), "warc"),
}
DATA_FILES = {"jsonl", "csv", "parquet", "warc"}
"""Kinds of files that hold many articles each."""
OTHER = "of another kind"
UNSEARCHED = "folder not searched"
_BY_LENGTH = sorted(KINDS, key=len, reverse=True)
_PROGRAMS = {"node_modules", "site-packages", "venv", "__pycache__"}
_PACKED = {".gz", ".bz2", ".xz", ".zst", ".zip"}


class _Found(msgspec.Struct, frozen=True):
    """A file that a source names: its path with all links resolved and as named, and why it is not read, if so."""

    real: str
    name: str
    reason: str = ""


def units(sources: Sequence[Path | str], settings: CorpusSettings, exclude: Sequence[Path] = ()) -> list[Unit]:
    """All units of work that the sources name, sorted by the files' place below the root, each file once.

    What the search leaves out is a unit too, with the reason: files of other kinds, hidden files that could be
    articles, and folders that hold programs, hidden files or what stance wrote itself. So is a sidecar's row without a
    file. The excluded folders give no unit (`apart` names them): they come and go with what is written to them, and
    the tables would change with that.

    Args:
        sources: files, folders to search, globs, or `-` for standard input.
        settings: settings, of which `root` is the folder that ids are paths from and `fields` names the columns of
            data files.
        exclude: folders that are not searched, because this command writes to them.

    Raises:
        SourceError: a source does not exist, is not of a kind that is read, or holds no article; a data file lacks a
            column; a sidecar is malformed.
    """
    unknown = set(settings.fields) - set(FIELDS)
    if unknown:
        raise SourceError(f"[corpus.fields]: expected any of {', '.join(FIELDS)}; found {', '.join(sorted(unknown))}")
    search = _Search(exclude)
    named: dict[str, _Found] = {}
    for source in dict.fromkeys(map(str, sources)):
        if source != "-":
            for candidate in search.find(source):
                before = named.get(candidate.real, candidate)
                # A file that the search of one source leaves out may be named by another source.
                named[candidate.real] = min(candidate, before, key=lambda one: (bool(one.reason), one.name))
    sidecars = Sidecars()
    roots = Path(settings.root).resolve(), Path(os.path.normpath(Path(settings.root).absolute()))
    work: list[Unit] = []
    for candidate in named.values():
        place, base = _place(candidate, *roots)
        if not candidate.reason and place.name == SIDECAR and sidecars.has(place.parent):
            continue
        below = place.relative_to(base) if base else Path(place.name)
        source = shown(below.as_posix())
        if candidate.reason:
            work.append(
                Unit(path=candidate.name, kind="", article_id="", source=source, size=0, reason=candidate.reason)
            )
            continue
        unit = Unit(
            path=str(Path(candidate.name).absolute()),
            kind=KINDS[_ending(candidate.name)],
            article_id=below.as_posix()[: -len(_ending(below.name))],
            source=source,
            size=_size(candidate.name),
            metadata=sidecars.row(place, base or place.parent),
            outside=base is None,
        )
        work += _parts(unit, settings)
    if "-" in map(str, sources):
        work += _parts(stdin_unit(settings), settings)
    if all(unit.reason for unit in work):
        raise SourceError(f"no article found; {', '.join(map(str, sources))} only describes articles")
    for folder, row, reason in sidecars.loose():
        place, base = _place(_Found(os.path.realpath(folder / SIDECAR), str(folder / SIDECAR)), *roots)
        source = shown((place.relative_to(base) if base else Path(place.name)).as_posix())
        work.append(
            Unit(path=str(place), kind="", article_id="", source=f"{source}:{row}", size=0, reason=shown(reason))
        )
    return sorted(work, key=lambda unit: (unit.source, unit.path, unit.start))


def apart(sources: Sequence[Path | str], exclude: Sequence[Path]) -> list[str]:
    """Which of the excluded folders are, or lie in, a folder that the sources name.

    Args:
        sources: files, folders and patterns that the user named.
        exclude: folders that are not searched.
    """
    names = [name for source in map(str, sources) for name in (source, *glob.glob(source, recursive=True))]  # noqa: PTH207
    searched = {Path(name).resolve() for name in names if Path(name).is_dir()}
    return [
        shown(str(folder))
        for folder in exclude
        if folder.is_dir() and any(folder.resolve().is_relative_to(one) for one in searched)
    ]


def _parts(unit: Unit, settings: CorpusSettings) -> list[Unit]:
    if unit.kind == "warc":
        return parts_of_archive(unit)
    return parts_of_file(unit, settings) if unit.kind in DATA_FILES else [unit]


class _Search:
    """The search through the sources, for files to read and for what is left out."""

    def __init__(self, exclude: Sequence[Path]) -> None:
        self._apart = {str(folder.resolve()) for folder in exclude}
        self._here = os.path.realpath(".")

    def find(self, source: str) -> Iterator[_Found]:
        """The files that one source names."""
        endings = ", ".join(sorted(KINDS))
        path = Path(source)
        if path.is_dir():
            candidates = list(self._walk(path))
            if all(one.reason for one in candidates):
                raise SourceError(
                    f"{source}: no article found; expected files that end in {endings}{_others(candidates)}"
                )
            yield from candidates
        elif os.path.lexists(source):
            if not _ending(path.name):
                raise SourceError(f"{source}: expected one of {endings}{_advice(source)}")
            if path.exists() and not path.is_file():
                raise SourceError(f"{source}: expected a file or a folder")
            if path.name == SIDECAR and Sidecars().has(path.parent):
                raise SourceError(
                    f"{source}: it describes articles (it has a column file) and holds none; name their folder"
                )
            yield _Found(os.path.realpath(source), source)
        elif any(mark in source for mark in "*?["):
            candidates = []
            for name in sorted(glob.glob(source, recursive=True)):  # noqa: PTH207  absolute patterns too
                if Path(name).is_dir():
                    candidates += self._walk(Path(name))
                else:
                    candidates.append(_Found(os.path.realpath(name), name, "" if _ending(name) else _other(name)))
            if all(one.reason for one in candidates):
                raise SourceError(
                    f"{source}: nothing matches; expected files that end in {endings}{_others(candidates)}"
                )
            yield from candidates
        else:
            raise SourceError(f"{source}: no such file or folder")

    def _walk(self, folder: Path) -> Iterator[_Found]:
        """The files in a folder and the folders below it; each folder once, whatever links lead to it."""
        start = str(folder.resolve())
        seen: set[str] = set()
        todo = [(start, str(folder))]
        while todo:
            real, name = todo.pop()
            if real in seen:
                continue
            seen.add(real)
            if real in self._apart:
                continue
            if real != start and (reason := self._why_not(real)):
                yield _Found(real, name, f"{UNSEARCHED} ({reason})")
                continue
            try:
                with os.scandir(name) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name, reverse=True)
            except OSError as error:
                raise SourceError(f"{name}: cannot be searched: {error.strerror}") from error
            for entry in entries:
                link = entry.is_symlink()  # DirEntry's other methods fail on a link that is a loop
                target = os.path.realpath(entry.path) if link else f"{real.rstrip('/')}/{entry.name}"
                hidden = entry.name.startswith(".")
                if Path(entry.path).is_dir() if link else entry.is_dir():
                    if hidden:
                        yield _Found(target, entry.path, f"{UNSEARCHED} (hidden)")
                    # A link to a folder above is a loop, and may lead out of the named folder to everything above it.
                    elif not Path(real).is_relative_to(target):
                        todo.append((target, entry.path))
                elif not _ending(entry.name):
                    if not hidden:  # hidden files are what operating systems leave in every folder
                        yield _Found(target, entry.path, _other(entry.path))
                elif hidden or not (link or entry.is_file()):
                    yield _Found(target, entry.path, f"{OTHER} ({'hidden' if hidden else 'no file'})")
                else:
                    yield _Found(target, entry.path)

    def _why_not(self, real: str) -> str:
        """Why a folder below the named one is not searched, or nothing."""
        folder, name = Path(real), os.path.basename(real)  # noqa: PTH119  of perhaps a million
        if name in _PROGRAMS or (folder / "pyvenv.cfg").is_file() or (folder / "conda-meta").is_dir():
            return "programs"
        project = name in ("work", "labels") and (
            str(folder.parent) == self._here or (folder.parent / "stance.toml").is_file()
        )
        if project or all((folder / name).is_file() for name in ("sentences.parquet", "spans.parquet")):
            return "what stance wrote"
        return ""


def _other(name: str) -> str:
    """The reason why a file of another kind is not read."""
    return f"{OTHER} ({_ending_of_any(name)}){_advice(name)}"


def _ending_of_any(name: str) -> str:
    suffixes = [one for one in Path(name.lower()).suffixes if one[1:].isalnum() and len(one) < 12]
    if not suffixes:
        return "no ending"
    return shown("".join(suffixes[-2:] if suffixes[-1] in _PACKED else suffixes[-1:]))


def _advice(name: str) -> str:
    """What to do about a file of a kind that is not read but often holds articles; empty for other kinds."""
    ending = _ending_of_any(name)
    if ending == ".json":
        try:
            with Path(name).open("rb") as file:
                start = file.read(1000).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        except OSError:
            return ""
        if start == b"[":
            return f": an array of records; `stance build - < {shown(Path(name).name)}` reads it"
        return ": write its records one a line into a .jsonl file"
    if ending != "no ending" and Path(ending).suffix in _PACKED and ending.partition(".gz")[0] in KINDS:
        return ": unpack it first"
    return ""


def _others(others: Sequence[_Found]) -> str:
    """The files that were found in place of articles, counted by ending, for the message."""
    counts = Counter(one.reason.partition(":")[0] for one in others)
    return "; found " + ", ".join(f"{count} {reason}" for reason, count in counts.most_common(20)) if counts else ""


def _ending(name: str) -> str:
    """The ending of a file that is read, in lower case; empty for a file of another kind."""
    lower = os.path.basename(name).lower()  # noqa: PTH119  of perhaps a million
    return next((one for one in _BY_LENGTH if lower.endswith(one) and len(lower) > len(one)), "")


def _place(candidate: _Found, root: Path, named_root: Path) -> tuple[Path, Path | None]:
    """The path that a file's id is made from, and the root above it; None where the file lies below no root.

    All links in the path are resolved, so that every name of a file gives the same place. The path is used as named,
    however, where a link below the root leads out of it, into a hidden folder (git-annex, DVC), to a file with another
    ending, or nowhere.
    """
    real, named = Path(candidate.real), Path(os.path.normpath(Path(candidate.name).absolute()))
    options = [(real, root)] if (candidate.reason or _ending(real.name)) and real.exists() else []
    options.append((named, named_root))
    below = [(path, base) for path, base in options if path.is_relative_to(base)]
    for path, base in below:
        if not any(part.startswith(".") for part in path.relative_to(base).parts):
            return path, base
    return below[0] if below else (options[0][0], None)


def _size(name: str) -> int:
    """Size in bytes; 0 for what cannot be looked at: reading it later gives the reason."""
    try:
        status = os.stat(name)  # noqa: PTH116  one call a file, of perhaps a million
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def shown(name: str) -> str:
    """A name that can be written: lone surrogates, as in file names that are not UTF-8, become escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
