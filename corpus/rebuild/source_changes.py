"""Notice that files of the sources were added, changed or deleted since the last build, reading few or none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from corpus.errors import SourceError
from corpus.reading.source_files import files_there
from corpus.store import read_json_if_whole, write_bytes, written_to

FILE = "sources.json"
MOST = 200_000
"""Most files that are compared: of more, to look at them all takes too long for a command that should be instant."""
READ = 100
"""Most files whose content is compared, where sizes and times do not tell whether they were edited or copied."""
READ_BYTES = 20_000_000
"""Most bytes that these files may have together."""


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The sources of a build as they were named.

    Attributes:
        named: the sources.
        files: size and time of change of each file that they name.
        digests: SHA-256 of each file; empty where there are more files than are read.
    """

    named: list[str]
    files: dict[str, tuple[int, int]]
    digests: dict[str, str] = {}


class SourceChanges(msgspec.Struct, frozen=True, kw_only=True):
    """How the sources differ from what the last build read: the number of files that are new, changed and gone."""

    named: list[str]
    new: int
    changed: int
    gone: int

    def __str__(self) -> str:
        """One clause for the terminal."""
        counts = ((self.new, "new"), (self.changed, "changed"), (self.gone, "deleted"))
        told = [f"{count:,} {what}" for count, what in counts if count]
        files = "file" if self.new + self.changed + self.gone == 1 else "files"
        return f"the articles' files are not those of the last build: {' and '.join(told)} {files}"


def look(sources: Sequence[Path | str], out: Path) -> Sources:
    """The files that the sources name now, with the digests of a few files.

    Args:
        sources: files, folders and patterns that the user named.
        out: the folder of the tables.

    Raises:
        SourceError: a source does not exist, or holds no file of a kind that is read.
    """
    files = files_there(sources, written_to(out))
    return Sources(named=[str(one) for one in sources], files=files, digests=_digests(files))


def note(state: Path, seen: Sources) -> None:
    """Keep what a build has seen of its sources.

    Args:
        state: the build's own folder.
        seen: the files before the build read them.
    """
    if len(seen.files) <= MOST:
        write_bytes(state / FILE, msgspec.json.encode(seen))
    else:
        (state / FILE).unlink(missing_ok=True)


def changes_since(out: Path) -> SourceChanges | None:
    """How the sources of the last build differ from what they were then; None if they do not, or it is not known.

    Where every file has another time and no file another size, the project was copied or checked out, which is no
    change; of a few files the content is compared then, as somebody may have edited them all, or the only one. Sources
    that are not there any more are no change either: without them nothing can be built again.

    Args:
        out: the folder of the tables.
    """
    last = read_json_if_whole(out / ".build" / FILE, Sources)
    if last is None:
        return None
    try:
        now = files_there(last.named, written_to(out))
    except SourceError:
        return None
    both = now.keys() & last.files.keys()
    resized = {name for name in both if now[name][0] != last.files[name][0]}
    touched = {name for name in both if now[name] != last.files[name]}
    new, gone = len(now.keys() - both), len(last.files.keys() - both)
    if len(touched) == len(both) and not resized and not new and not gone:
        digests = _digests(now) if last.digests else {}
        changed = {name for name in touched if digests.get(name) != last.digests.get(name)}
    else:
        changed = touched
    if not (new or changed or gone):
        return None
    return SourceChanges(named=last.named, new=new, changed=len(changed), gone=gone)


def _digests(files: Mapping[str, tuple[int, int]]) -> dict[str, str]:
    """The SHA-256 of each file; none where they are too many or too large to be read by every command."""
    if len(files) > READ or sum(size for size, _ in files.values()) > READ_BYTES:
        return {}
    found: dict[str, str] = {}
    for name in files:
        try:
            found[name] = hashlib.sha256(Path(name).read_bytes()).hexdigest()
        except OSError:  # unreadable, which is for the build to say
            found[name] = ""
    return found
