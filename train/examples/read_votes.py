"""Read the votes that come with labelled data of other people, from the column `votes`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Stance
from train.examples.read_labels import ReadLabels
from train.examples.soft_votes import enough_votes

FORMS = (
    'a list of labels, as ["favor", "none", "favor"] or favor; none; favor; a table of annotators with their labels, '
    'as {"ann": "favor"}; a table of labels with their numbers of votes, as {"favor": 2, "none": 1}; or the column of '
    "a dataset that `stance publish` made"
)


def read_votes(source: str | Path, rows: list[dict[str, object]], labels: ReadLabels) -> list[dict[Stance, int]]:
    """The number of votes for each label, for each row; empty for a row with fewer than three votes.

    Args:
        source: file or dataset, for messages.
        rows: rows of the data; the column `votes` has one of the FORMS.
        labels: the labels of the data, and how their spellings were read.

    Raises:
        ExamplesError: there is no such column, or a value is in none of these forms; the message names the row.
    """
    if rows and not any("votes" in row for row in rows):
        raise ExamplesError(
            f'{source}: [train] votes = "soft" needs a column votes; found {", ".join(rows[0])}. Expected {FORMS}'
        )
    read_as = {spelling.written.casefold(): spelling.label for spelling in labels.spellings}

    def label_of(written: str) -> Stance | None:
        usual = DEFAULT.read(written) if set(labels.scheme.names) <= set(DEFAULT.names) else None
        known = read_as.get(written.casefold()) or labels.scheme.read(written) or usual
        return known if known in labels.scheme.names else None

    found: list[dict[Stance, int]] = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(enough_votes(_votes(row.get("votes"), label_of)))
        except ValueError as error:
            raise ExamplesError(f"{source}: the votes of row {number}: {error}. Expected {FORMS}") from error
    return found


def _votes(value: object, label_of: Callable[[str], Stance | None]) -> list[Stance]:
    """The label of each vote; a missing one, as of an annotator who skipped the text, is left out."""
    if isinstance(value, str):
        value = _parsed(value)
    if value is None or value != value:
        return []
    if isinstance(value, Mapping):
        counts = [count for count in value.values() if count is not None]
        if counts and all(isinstance(count, int | float) and not isinstance(count, bool) for count in counts):
            return [label for name, count in value.items() for label in [_label(name, label_of)] * _whole(count)]
        written = [*value.values()]
    elif isinstance(value, list | tuple):
        written = [one.get("stance") if isinstance(one, Mapping) else one for one in value]
    else:
        raise ValueError(f"found {value!r}")
    return [_label(one, label_of) for one in written if one is not None and one == one and str(one).strip()]


def _parsed(text: str) -> object:
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise ValueError(f"found {text[:60]!r}, which is not JSON: {error}") from error
    return [one for one in re.split(r"[;,]", text) if one.strip()]


def _label(written: object, label_of: Callable[[str], Stance | None]) -> Stance:
    label = label_of(str(written).strip())
    if label is None:
        raise ValueError(f"found {written!r}, which is none of the labels; [labels] names in stance.toml can name it")
    return label


def _whole(count: object) -> int:
    if count is None or count != count:  # a table of one column for each label has no value where there is no vote
        return 0
    number = float(str(count))
    if number < 0 or number != int(number):
        raise ValueError(f"found {count} votes, which is not a number of people")
    return int(number)
