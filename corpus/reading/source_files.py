"""Find the files to read, and give each its name and the metadata that a sidecar holds for it."""

from __future__ import annotations

import glob
import json
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from corpus.errors import SourceError
from corpus.reading.documents.kinds import OTHER
from corpus.reading.file_kinds import DATA_FILES, KINDS, LOCK, advice, ending_of, other_kind, shown
from corpus.reading.sidecars import Sidecars
from corpus.reading.standard_input import stdin_unit
from corpus.reading.tables.columns import FIELDS
from corpus.reading.tables.data_files import parts_of_file, planned
from corpus.reading.web.warc import parts_of_archive
from corpus.records import CorpusSettings, Unit

PAGES = "pages"
"""What the names of web archives begin with that `stance fetch` writes."""
FAILED = "failed.jsonl"
"""The list beside them of pages that could not be fetched: it holds no articles."""
NOT_FETCHED = "list of pages that stance fetch could not fetch"
UNSEARCHED = "folder not searched"
_PROGRAMS = {"node_modules", "site-packages", "venv", "__pycache__"}


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
    named_files = set(map(str, sources))
    work: list[Unit] = []
    for candidate in named.values():
        place, base = _place(candidate, *roots)
        if not candidate.reason and sidecars.is_one(place):
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
            kind=KINDS[ending_of(candidate.name)],
            article_id=below.as_posix()[: -len(ending_of(below.name))],
            source=source,
            size=_size(candidate.name),
            metadata=sidecars.row(place, base or place.parent),
            outside=base is None,
        )
        plan = planned(unit, settings)
        if plan.why:
            if candidate.name in named_files:
                raise SourceError(f"{candidate.name}: {plan.why}")
            reason = shown(f"{OTHER} ({ending_of(candidate.name)}): {plan.why}" if plan.known else plan.why)
            own_id = "" if plan.known else unit.article_id
            unit = Unit(path=unit.path, kind="", article_id=own_id, source=source, size=0, reason=reason)
        work += _described_once(plan.parts or _parts(unit, settings))
    if "-" in map(str, sources):
        unit = stdin_unit(settings)
        try:
            work += _parts(unit, settings)
        except SourceError as error:  # it names the copy that was made of standard input
            raise SourceError(str(error).replace(unit.path, "standard input")) from error
    if all(unit.reason for unit in work):
        listed = next((f": {unit.source}: {unit.reason}" for unit in work if unit.reason.startswith(OTHER)), "")
        raise SourceError(f"no article found; {', '.join(map(str, sources))} only describes articles{listed}")
    for sidecar, row, reason in sidecars.loose():
        place, base = _place(_Found(os.path.realpath(sidecar), str(sidecar)), *roots)
        source = shown((place.relative_to(base) if base else Path(place.name)).as_posix())
        work.append(
            Unit(path=str(place), kind="", article_id="", source=f"{source}:{row}", size=0, reason=shown(reason))
        )
    return sorted(work, key=lambda unit: (unit.source, unit.path, unit.start))


def files_there(sources: Sequence[Path | str], exclude: Sequence[Path]) -> dict[str, tuple[int, int]]:
    """Every file that is read where these sources are, with its size and its time of change.

    Args:
        sources: files, folders and patterns that the user named; standard input is left out.
        exclude: folders that are not searched.

    Raises:
        SourceError: a source does not exist, or holds no file of a kind that is read.
    """
    search = _Search(exclude)
    found: dict[str, tuple[int, int]] = {}
    for source in dict.fromkeys(map(str, sources)):
        for one in search.find(source) if source != "-" else ():
            if not one.reason:
                try:
                    status = os.stat(one.name)  # noqa: PTH116  one call a file, of perhaps a million
                except OSError:  # a broken link
                    continue
                found[one.name] = status.st_size, status.st_mtime_ns
    return found


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


def _described_once(parts: list[Unit]) -> list[Unit]:
    """The parts of a file, of which only the first has the file's row in the sidecar."""
    return [*parts[:1], *(msgspec.structs.replace(part, metadata={}) for part in parts[1:])]


class _Search:
    """The search through the sources, for files to read and for what is left out."""

    def __init__(self, exclude: Sequence[Path]) -> None:
        self._apart = {str(folder.resolve()) for folder in exclude}
        self._here = os.path.realpath(".")

    def find(self, source: str) -> Iterator[_Found]:
        """The files that one source names."""
        endings = ", ".join(sorted({kind: ending for ending, kind in reversed(KINDS.items())}.values()))
        path = Path(source)
        if path.is_dir():
            candidates = list(self._walk(path))
            if all(one.reason for one in candidates):
                raise SourceError(
                    f"{source}: no article found; expected files that end in {endings}{_others(candidates)}"
                )
            yield from candidates
        elif os.path.lexists(source):
            if not ending_of(path.name):
                raise SourceError(f"{source}: expected one of {endings}{advice(source)}")
            if path.exists() and not path.is_file():
                raise SourceError(f"{source}: expected a file or a folder")
            if Sidecars().is_one(path):
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
                    candidates.append(_Found(os.path.realpath(name), name, "" if ending_of(name) else other_kind(name)))
            if all(one.reason for one in candidates):
                raise SourceError(
                    f"{source}: nothing matches; expected files that end in {endings}{_others(candidates)}"
                )
            yield from candidates
        else:
            raise SourceError(f"{source}: no such file or folder", missing=True)

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
                hidden = entry.name.startswith((".", LOCK))
                if Path(entry.path).is_dir() if link else entry.is_dir():
                    if hidden:
                        yield _Found(target, entry.path, f"{UNSEARCHED} (hidden)")
                    # A link to a folder above is a loop, and may lead out of the named folder to everything above it.
                    elif not Path(real).is_relative_to(target):
                        todo.append((target, entry.path))
                elif not ending_of(entry.name):
                    if not hidden:  # hidden files are what operating systems leave in every folder
                        yield _Found(target, entry.path, other_kind(entry.path))
                elif hidden or not (link or entry.is_file()):
                    yield _Found(target, entry.path, f"{OTHER} ({'hidden' if hidden else 'no file'})")
                elif entry.name == FAILED and _lists_failures(entry.path):
                    yield _Found(target, entry.path, NOT_FETCHED)
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


def _lists_failures(name: str) -> bool:
    """Whether a file is what `stance fetch` wrote about pages without success, and no file of articles."""
    try:
        with Path(name).open("rb") as file:
            first = json.loads(file.readline(1 << 16))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and first.keys() == {"url", "reason", "row"}


def _others(others: Sequence[_Found]) -> str:
    """The files that were found in place of articles, counted by ending, for the message."""
    counts = Counter(one.reason.partition(":")[0] for one in others)
    return "; found " + ", ".join(f"{count} {reason}" for reason, count in counts.most_common(20)) if counts else ""


def _place(candidate: _Found, root: Path, named_root: Path) -> tuple[Path, Path | None]:
    """The path that a file's id is made from, and the root above it; None where the file lies below no root.

    All links in the path are resolved, so that every name of a file gives the same place. The path is used as named,
    however, where a link below the root leads out of it, into a hidden folder (git-annex, DVC), to a file with another
    ending, or nowhere.
    """
    # Nearly all of perhaps a million files are below the root under their real names, which strings tell faster.
    above = os.path.join(root, "")  # noqa: PTH118
    below_root = candidate.real.startswith(above) and "/." not in candidate.real[len(above) - 1 :]
    if below_root and ending_of(candidate.real) and os.path.exists(candidate.real):  # noqa: PTH110
        return Path(candidate.real), root
    real, named = Path(candidate.real), Path(os.path.normpath(Path(candidate.name).absolute()))
    options = [(real, root)] if (candidate.reason or ending_of(real.name)) and real.exists() else []
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
