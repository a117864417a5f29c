"""Decide which labels a data set has: the project's, those of its ClassLabel, the default ones, or its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from corpus.errors import ExamplesError
from labeling.scheme import ALIASES, DEFAULT, Scheme, Stance
from train.records import Example

By = Literal["settings", "class_label", "aliases", "own"]


class Spelling(msgspec.Struct, frozen=True, kw_only=True):
    """A spelling of a label, the label that it was read as, and how often it was found."""

    written: str
    label: Stance
    count: int


class ReadLabels(msgspec.Struct, frozen=True, kw_only=True):
    """The label scheme of a data set.

    Attributes:
        scheme: the labels in their order.
        by: where they come from.
        spellings: all spellings that were found, in the order of the labels and then sorted.
    """

    scheme: Scheme
    by: By
    spellings: list[Spelling]

    @property
    def sentence(self) -> str:
        """The labels and where they come from, for the first line that a training prints."""
        origin = {
            "settings": "from [labels] in stance.toml",
            "class_label": "from the dataset's ClassLabel",
            "aliases": "all of the data's are spellings of them",
            "own": f"the data's own, {'lowest first' if _are_numbers(self.scheme.names) else 'in alphabetical order'}",
        }[self.by]
        scored = "" if self.scheme.scored == self.scheme.names else f"; F_avg averages {', '.join(self.scheme.scored)}"
        return f"labels: {', '.join(self.scheme.names)} ({origin}{scored})"


def read_labels(
    source: str | Path, counts: Mapping[str, int], class_label: Sequence[str], given: Scheme | None
) -> ReadLabels:
    """Decide which labels a data set has, and read each of its spellings as one of them.

    The labels are those of the first of these that has any: the project's `[labels]`; the names of the dataset's
    ClassLabel; the labels of the default scheme, where all spellings are aliases of them; the data's own labels, sorted
    by value if all are numbers, else by the alphabet. Of the default scheme's labels, those that do not occur are left
    out, so that scores are not averaged over them. Case does not matter.

    Args:
        source: file or dataset, for messages.
        counts: number of rows with each spelling.
        class_label: names of the dataset's ClassLabel; empty where it has none.
        given: the project's label scheme, if it has one of its own.

    Raises:
        ExamplesError: a spelling is not one of the labels, or the labels cannot be a scheme.
    """
    if blank := counts.get("", 0):
        raise ExamplesError(f"{source}: {blank} of {sum(counts.values())} rows have no label; fill or remove them")
    aliases = {written: label for written in counts if (label := DEFAULT.read(written)) is not None}
    if given is not None:
        return _read(source, counts, given, "settings")
    if class_label:
        usual = set(class_label) <= set(DEFAULT.names)
        names = [name for name in DEFAULT.names if name in class_label] if usual else list(class_label)
        return _read(source, counts, _scheme(source, names, counts), "class_label")
    if len(aliases) == len(counts):
        names = _occurring(aliases.values())
        spellings = [
            Spelling(written=written, label=label, count=counts[written]) for written, label in aliases.items()
        ]
        return ReadLabels(scheme=_scheme(source, names, counts), by="aliases", spellings=_sorted(spellings, names))
    own: dict[str, str] = {}
    for written in sorted(counts, key=lambda written: (-counts[written], written)):
        own.setdefault(written.casefold(), written)  # the most frequent of the spellings that differ in case
    return _read(source, counts, _scheme(source, _in_order(own.values()), counts), "own")


def labels_of(examples: Iterable[Example]) -> Scheme:
    """The label scheme of examples, whose labels are taken as they are written.

    It has the labels of the default scheme that occur, where there are no others; else all labels in the order that
    `read_labels` gives a data set's own.

    Raises:
        ExamplesError: the labels cannot be a scheme; there is only one, for instance.
    """
    counts = Counter(row.label for row in examples)
    names = _occurring(counts) if set(counts) <= set(DEFAULT.names) else _in_order(counts)
    return _scheme("examples", names, counts)


def _occurring(labels: Iterable[Stance]) -> list[Stance]:
    """The labels of the default scheme that occur, or all three where only one does, which is no scheme."""
    found = set(labels)
    names = [name for name in DEFAULT.names if name in found]
    return names if len(names) > 1 else DEFAULT.names


def _in_order(names: Iterable[str]) -> list[str]:
    names = list(names)
    return sorted(names, key=float) if _are_numbers(names) else sorted(names, key=lambda name: (name.casefold(), name))


def _scheme(source: str | Path, names: Sequence[str], counts: Mapping[str, int]) -> Scheme:
    scored = [name for name in names if name in DEFAULT.scored] if set(names) <= set(DEFAULT.names) else []
    try:
        return Scheme(names=list(names), scored=scored)
    except ValueError as error:
        common = Counter(dict(counts)).most_common(20)
        shown = ", ".join(f"{name!r} ({count})" for name, count in sorted(common))
        more = f" and {len(counts) - 20} more" if len(counts) > 20 else ""
        raise ExamplesError(
            f"{source}: the column label holds no label scheme: {error}. Found {shown}{more}"
        ) from error


def _read(source: str | Path, counts: Mapping[str, int], scheme: Scheme, by: By) -> ReadLabels:
    read = {written: scheme.read(written) for written in counts}
    if unknown := sorted(written for written, label in read.items() if label is None):
        shown = ", ".join(f"{written!r} ({counts[written]})" for written in unknown[:20])
        more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        known = ", ".join(f"{written!r} ({counts[written]})" for written in sorted(counts.keys() - set(unknown)))
        aliases = f", or an alias: {', '.join(sorted(ALIASES.keys() - set(scheme.names)))}" if scheme == DEFAULT else ""
        origin = {"settings": " of [labels] in stance.toml", "class_label": " of the dataset's ClassLabel"}.get(by, "")
        raise ExamplesError(
            f"{source}: labels that are not one of the labels{origin}: {shown}{more}; expected "
            f"{', '.join(scheme.names)}{aliases}. Known of those found: {known or 'none of them'}"
        )
    spellings = [
        Spelling(written=written, label=label, count=counts[written])
        for written, label in read.items()
        if label is not None
    ]
    return ReadLabels(scheme=scheme, by=by, spellings=_sorted(spellings, scheme.names))


def _sorted(spellings: Iterable[Spelling], names: Sequence[str]) -> list[Spelling]:
    return sorted(spellings, key=lambda row: (names.index(row.label), row.written))


def _are_numbers(names: Iterable[str]) -> bool:
    try:
        return bool([float(name) for name in names])
    except ValueError:
        return False
