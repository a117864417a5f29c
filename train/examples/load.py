"""Read labelled data from a file, a published dataset or the Hub, and check its labels and splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from corpus.errors import ExamplesError
from corpus.near_duplicates import near_duplicates
from labeling.scheme import Scheme
from train.examples.labelled_files import file_rows, published_rows
from train.examples.read_labels import ReadLabels, read_labels
from train.examples.read_votes import read_votes
from train.examples.splits import SPLITS, Origin, origins
from train.records import Example

SPLIT_NAMES: dict[str, str] = {
    **{name: name for name in SPLITS},
    "training": "train",
    **dict.fromkeys(("val", "valid", "dev", "development"), "validation"),
    "testing": "test",
}
"""How other data sets name the three splits; case and surrounding white space do not matter."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Labelled data from outside the project, as it was read.

    Attributes:
        examples: examples in the order of the source; `split` is empty where the source has none.
        labels: the label scheme, where it comes from, and all spellings of labels that were found.
        ready_made: whether the source came with splits, which stay as they are.
        origins: origin of each group, from the columns `outlet` and `published`; splits by date or outlet need them.
        notes: notes on how the file was read.
    """

    examples: list[Example]
    labels: ReadLabels
    ready_made: bool
    origins: dict[str, Origin]
    notes: list[str] = []


def load_examples(source: str | Path, votes: Literal["hard", "soft"] = "hard") -> list[Example]:
    """Read labelled texts from a file, from the folder of a published dataset, or from the Hub.

    Args:
        source: a `.jsonl`, `.csv` or `.parquet` file with the columns `text`, `label` and, where present, `target`,
            `group` and `split`; a folder that `stance publish` made; or a dataset's name at the Hub.
        votes: "soft" reads the column `votes`, too, for a training that learns from votes.

    Returns:
        The examples in the order of the source. Where all labels are spellings of favor, against and none, such as
        "pro", they are read so; else the examples keep the data's own labels. Without a `group` column each cluster of
        near-duplicate texts is one group.

    Raises:
        ExamplesError: there is no such source, or one of its rows cannot be used; the message names the row.
    """
    return read(source, votes=votes).examples


def read(source: str | Path, given: Scheme | None = None, votes: Literal["hard", "soft"] = "hard") -> Loaded:
    """Read labelled texts from a file, the folder of a published dataset, or the Hub, and say how they were read.

    Args:
        source: a `.jsonl`, `.csv` or `.parquet` file with the columns `text`, `label` and, where present, `target`,
            `group`, `split`, `outlet` and `published`; a folder that `stance publish` made; or a dataset's name
            at the Hub.
        given: the project's label scheme, if it has one of its own.
        votes: "soft" reads the column `votes`, too, in one of the forms of `train.examples.read_votes`.

    Returns:
        Examples in the order of the source, with labels as `train.examples.read_labels` reads them and an empty `split`
        where the source has none. Rows without a `group` are grouped by clusters of near-duplicate texts.

    Raises:
        ExamplesError: there is no such source, columns are missing, a text is empty, a label or the name of a split is
            unknown, some rows have a split and others none, or the splits leave nothing to train on or to test.
    """
    path = Path(source)
    if path.is_dir():
        found = published_rows(str(path.resolve()))
    elif path.is_file():
        found = file_rows(path)
    elif len(path.parts) == 2 and (not path.suffix or path.suffix[1:].isdigit()):  # a dataset's name may hold "v1.0"
        found = published_rows(str(source))
    else:
        raise ExamplesError(f"{source}: no such file, folder or dataset", missing=True)
    rows = found.rows
    if not rows:
        raise ExamplesError(f"{source}: holds no example")
    for number, row in enumerate(rows, 1):
        if "text" not in row and "text_sha256" in row:
            raise ExamplesError(
                f"{source}: a stand-off release has no text; put it back from your own copies of the articles first: "
                f"`stance hydrate {source} --articles DIR --out DIR`"
            )
        if missing := [name for name in ("text", "label") if name not in row]:
            raise ExamplesError(
                f"{source}: the column {' and '.join(missing)} is missing; found {', '.join(row)} in row {number}"
            )
    labels = read_labels(source, Counter(_cell(row, "label") for row in rows), found.labels, given)
    read_as = {spelling.written: spelling.label for spelling in labels.spellings}
    voted = read_votes(source, rows, labels) if votes == "soft" else [{}] * len(rows)
    splits = _splits(source, [_cell(row, "split") for row in rows])
    texts = ["" if row["text"] is None else str(row["text"]) for row in rows]
    if empty := [number for number, text in enumerate(texts, 1) if not text.strip()]:
        raise ExamplesError(
            f"{source}: {len(empty)} of {len(rows)} rows have no text, the first is row {empty[0]}; fill or remove them"
        )
    groups = [_cell(row, "group") for row in rows]
    if not all(groups):
        clusters = near_duplicates(texts)
        groups = [group or f"cluster {clusters[n]}" for n, group in enumerate(groups)]
    examples = [
        Example(
            sentence_id=_cell(row, "sentence_id") or str(n),
            text=text,
            label=read_as[_cell(row, "label")],
            target=_cell(row, "target"),
            group=group,
            split=split,
            votes=counts,
        )
        for n, (row, text, group, split, counts) in enumerate(zip(rows, texts, groups, splits, voted, strict=True))
    ]
    return Loaded(
        examples=examples,
        labels=labels,
        ready_made=any(splits),
        origins=origins(
            (group, _cell(row, "outlet"), _cell(row, "published")) for row, group in zip(rows, groups, strict=True)
        ),
        notes=found.notes,
    )


def _cell(row: Mapping[str, object], name: str) -> str:
    """The value of a row in a column, as text; "" where there is none. The number 0 is a value like any other."""
    value = row.get(name)
    # A missing value must not become the word "None", which is an alias of a label; pandas writes NaN for it.
    return "" if value is None or value != value else str(value).strip()


def _splits(source: str | Path, written: Sequence[str]) -> list[str]:
    """The rows' ready-made splits, as train, validation and test; all "" where there are none, or all rows are train.

    On the Hub, a dataset that nobody has split is a single split named train.
    """
    if odd := sorted({name for name in written if name and name.casefold() not in SPLIT_NAMES}):
        raise ExamplesError(
            f"{source}: unknown split {', '.join(map(repr, odd))}; expected {', '.join(SPLITS)}, or an alias: "
            f"{', '.join(sorted(SPLIT_NAMES.keys() - set(SPLITS)))}"
        )
    splits = [SPLIT_NAMES[name.casefold()] if name else "" for name in written]
    counts = Counter(splits)
    if len(counts) > 1 and counts[""]:
        raise ExamplesError(
            f"{source}: {counts['']} of {len(splits)} rows have no split, the first is row {splits.index('') + 1}; "
            "give every row one, or leave out the column, and splits are made here"
        )
    if counts.keys() == {"train"}:
        return [""] * len(splits)
    if not counts[""] and (not counts["test"] or len(counts) == 1):
        numbers = ", ".join(f"{name} {counts[name]}" for name in SPLITS if counts[name])
        raise ExamplesError(
            f"{source}: the column split leaves nothing to {'train on' if counts['test'] else 'test'}: expected rows "
            f"of test and of train or validation; found {numbers}. Name the missing one so, or leave out the column, "
            "and splits are made here"
        )
    return splits
