"""Notice that files of the sources were added, changed or deleted since the last build, without reading them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from corpus.errors import SourceError
from corpus.reading.source_files import files_there
from corpus.store import read_json_if_whole, write_bytes, written_to

FILE = "sources.json"
MOST = 200_000
"""Most files that are compared: of more, to look at them all takes too long for a command that should be instant."""


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The sources of a build as they were named, and the size and the time of change of each file that they name."""

    named: list[str]
    files: dict[str, tuple[int, int]]


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
    """The files that the sources name now.

    Args:
        sources: files, folders and patterns that the user named.
        out: the folder of the tables.

    Raises:
        SourceError: a source does not exist, or holds no file of a kind that is read.
    """
    return Sources(named=[str(one) for one in sources], files=files_there(sources, written_to(out)))


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
    change. Sources that are not there any more are no change either: without them nothing can be built again.

    Args:
        out: the folder of the tables.
    """
    last = read_json_if_whole(out / ".build" / FILE, Sources)
    if last is None:
        return None
    try:
        now = look(last.named, out).files
    except SourceError:
        return None
    both = now.keys() & last.files.keys()
    resized = {name for name in both if now[name][0] != last.files[name][0]}
    touched = {name for name in both if now[name] != last.files[name]}
    new, gone = len(now.keys() - both), len(last.files.keys() - both)
    changed = resized if len(touched) == len(both) and not resized and not new and not gone else touched
    if not (new or changed or gone):
        return None
    return SourceChanges(named=last.named, new=new, changed=len(changed), gone=gone)
