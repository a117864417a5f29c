"""The codebook: its text, the version that it states, and what became of the labels of earlier versions."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec

from corpus.errors import ConfigError

FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE | re.DOTALL)
VERSION = re.compile(r"^\W*version:?[^\w\n]+(?=[\w.\-]*\d)(\w[\w.\-]*)", re.MULTILINE | re.IGNORECASE)
"""A version has a digit and is on the same line: a heading "Version history" states none."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a version of the codebook changed for the labels that were given under the version before it.

    Attributes:
        version: the version that made the change.
        reopens: labels whose old votes must be given again; None stands for all that `renames` does not name.
        renames: labels whose old votes move along, each with its new name.
    """

    version: str
    reopens: frozenset[str] | None = None
    renames: dict[str, str] = {}

    def asks_again(self, label: str) -> bool:
        """Whether old votes for a label must be given again."""
        return label not in self.renames if self.reopens is None else label in self.reopens


class Codebook(msgspec.Struct, frozen=True, kw_only=True):
    """The codebook's text and the version that it states.

    Attributes:
        text: the whole file, its change list included.
        version: the present version.
        changes: the change list, the oldest version first and the present one last; if empty, every vote of another
            version must be given again.
    """

    text: str
    version: str
    changes: tuple[Change, ...] = ()

    @property
    def rules(self) -> str:
        """The text without the change list, which is for stance and not for annotators."""
        return FRONT.sub("", self.text, count=1) if self.changes else self.text

    def place(self, version: str) -> float:
        """The place of a version in the change list, from 0; the place of the present version if it is empty.

        A version that the list does not name is before its first (-1), and before every change. One of whose number
        it is plain that it is not earlier than the list's first is not known (NaN). An answer that states no version
        counts as given under the present one.
        """
        known = [change.version for change in self._changes]
        if not version:
            return len(known) - 1
        if version in known:
            return known.index(version)
        return math.nan if self.changes and _numbers(version) >= _numbers(known[0]) else -1

    def asked_again_at(self, label: str, version: str) -> int | None:
        """The place of the first change after which a vote for this label counts no more; None if it counts.

        Args:
            label: label of the vote, as it was called under its version.
            version: version that the vote was given under; "" if it states none.
        """
        place = self.place(version)
        if math.isnan(place):
            return len(self._changes) - 1
        for number, change in enumerate(self._changes):
            if number > place:
                if change.asks_again(label):
                    return number
                label = change.renames.get(label, label)
        return None

    def called_now(self, label: str, version: str) -> str:
        """The present name of a label of an earlier version, whether its votes count or not."""
        return self._renamed(label, self.place(version))

    def earlier_labels(self, names: Collection[str]) -> dict[str, str]:
        """The labels of earlier versions that exist no more, each with the last version that had it.

        If the change list does not name that version, it is "0", which comes before all others.
        """
        found: dict[str, str] = {}
        for number, change in enumerate(self.changes):
            for label in (*sorted(change.reopens or ()), *change.renames):
                if label not in names:
                    found[label] = self.changes[number - 1].version if number else "0"
        return found

    def _renamed(self, label: str, place: float) -> str:
        """The label after all changes that come after a place of the change list."""
        for number, change in enumerate(self._changes):
            if number > place:
                label = change.renames.get(label, label)
        return label

    def shown_vote_now(self, label: str, version: str, names: Collection[str]) -> str:
        """The present name of a vote that an adjudicator was shown when settling a sentence under a version.

        A task of the queue may have been made under an earlier version, and show the names of that one.

        Args:
            label: label of the vote, as the task showed it.
            version: version under which the sentence was settled.
            names: present labels.
        """
        now = self.called_now(label, version)
        return now if now in names else self._renamed(label, -1)

    def accounts_for(self, label: str, version: str, names: Collection[str]) -> bool:
        """Whether it says what became of a label of an earlier version: one of `names`, or it is asked for again."""
        return self.shown_vote_now(label, version, names) in names or self.asked_again_at(label, version) is not None

    @property
    def _changes(self) -> tuple[Change, ...]:
        return self.changes or (Change(version=self.version),)


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version as the change list states it."""

    version: Annotated[str, msgspec.Meta(pattern=r"^\w[\w.\-]*$")]
    reopens: list[str] | None = None
    renames: dict[str, str] = {}


class _Front(_Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The top of a codebook: the present version, and the earlier ones, the latest first."""

    earlier: list[_Entry] = []


def read_codebook(path: Path) -> Codebook:
    """Read the codebook; its version is stated in a line such as `Version 1.0`, or in a change list at its top.

    The change list is YAML between two lines `---`:

        ---
        version: 2.0
        reopens: [none]
        renames: {neutral: none}
        earlier:
        - version: 1.1
          reopens: []
        - version: 1.0
        ---

    Raises:
        ConfigError: the file is missing, is not UTF-8, states no version with a digit in it or two different ones, or
            its change list is malformed.
    """
    if not path.is_file():
        raise ConfigError(f"{path} is not there: [labeling] codebook must name the codebook's Markdown file")
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected UTF-8; {error}. Save it as UTF-8") from error
    front = FRONT.match(text)
    if front and (changes := _change_list(path, front.group(1))):
        said = VERSION.search(text, front.end())
        if said and said.group(1) != changes[-1].version:
            raise ConfigError(
                f"{path}: states two versions, {changes[-1].version} in the change list at its top and "
                f"{said.group(1)} below it: correct one of them, or delete the line below"
            )
        return Codebook(text=text, version=changes[-1].version, changes=tuple(changes))
    said = VERSION.search(text)
    if not said:
        raise ConfigError(f"{path}: expected a line such as `Version 1.0`; every label remembers its version")
    return Codebook(text=text, version=said.group(1))


def _change_list(path: Path, written: str) -> list[Change]:
    """The changes that the top of a codebook states, the oldest first; none if other programs' fields stand there."""
    import yaml

    where = f"{path}, the change list between two lines --- at its top"
    try:
        # The base loader reads every value as text: 1.10 stays 1.10, and a label `no` stays a label.
        fields = yaml.load(written, Loader=yaml.BaseLoader)
        if not isinstance(fields, dict) or not fields.keys() & set(_Front.__struct_fields__):
            return []
        front = msgspec.convert(fields, _Front)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        if not re.search(rf"^({'|'.join(_Front.__struct_fields__)})[ \t]*:", written, re.MULTILINE):
            return []
        raise ConfigError(
            f"{where}: {error}. Expected lines such as `version: 2.0`, `reopens: [none]` (labels whose old votes must "
            "be given again, [] for no label), `renames: {neutral: none}` and `earlier:` with a list of earlier "
            "versions, the latest first"
        ) from error
    entries: list[_Entry] = [*reversed(front.earlier), front]
    _check_order(where, [entry.version for entry in entries])
    for entry in entries:
        if both := sorted(set(entry.reopens or ()) & entry.renames.keys()):
            raise ConfigError(
                f"{where}: version {entry.version} both reopens and renames {both[0]}: its old votes either must be "
                "given again or move along"
            )
    return [
        Change(
            version=entry.version,
            reopens=None if entry.reopens is None else frozenset(entry.reopens),
            renames=entry.renames,
        )
        for entry in entries
    ]


def _check_order(where: str, versions: Sequence[str]) -> None:
    """Refuse versions without a digit, versions that are listed twice, and versions in the wrong order."""
    for before, after in pairwise(versions):
        if _numbers(before) > _numbers(after):
            raise ConfigError(
                f"{where}: expected the present version first and then `earlier` ones, the latest first; found "
                f"{after} above {before}"
            )
    for version in versions:
        if not _numbers(version):
            raise ConfigError(f"{where}: expected a version with a digit in it, such as 1.0; found {version!r}")
        if versions.count(version) > 1:
            raise ConfigError(f"{where}: version {version} is listed twice")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def version_order(version: str) -> tuple[list[int], str]:
    """The sort key of a version: by its numbers, so that 1.10 comes after 1.9; an answer without one comes first."""
    return _numbers(version), version
