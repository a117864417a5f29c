"""Keep the splits that sentences were given, in `labels/splits.jsonl`.

A split belongs to a group of articles, and groups change: an article loses its only example when the verdict is opened
again, and a new article can join two groups. So the file remembers every sentence that was ever an example, with its
article. Groups are made from all of these sentences, so that no group falls apart while a verdict is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import ExamplesError, TableError
from corpus.store import read_jsonl, table_path, write_jsonl
from corpus.tables import read_table
from train.settings import TrainSettings

FILE = "splits.jsonl"
SPLIT_OF_EXAMPLES = pa.schema([("sentence_id", pa.string()), ("split", pa.string())])


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that was an example at some time, its article, the split of its group, and `[train] split` then.

    `article_id` is "" where an earlier version of this package remembered the sentence without its article.
    """

    sentence_id: str
    article_id: str
    split: Literal["train", "validation", "test"]
    by: str


def read_splits(work: Path, by: str) -> dict[str, Placed]:
    """The remembered sentences of a project by their ids; empty before the first training.

    A project of an earlier version has its splits in `work/examples.parquet`; then they are read from there.

    Args:
        work: the project's folder of tables.
        by: `[train] split` of stance.toml, by which the earlier splits must have been made too.

    Raises:
        ExamplesError: the earlier splits were made by something else than `by`.
        TableError: the file is malformed.
    """
    path = table_path(work, FILE)
    if path.is_file():
        rows: dict[str, Placed] = {row.sentence_id: row for row in read_jsonl(path, Placed, "stance train")}
    else:
        path = work / "examples.parquet"
        rows = _of_an_earlier_version(path) if path.is_file() else {}
    if odd := sorted({row.by for row in rows.values()} - {by}):
        raise ExamplesError(
            f'{path} holds splits by {odd[0]}, and splits last; [train] split says "{by}". Set it back to '
            f'"{odd[0]}", or move the file away: then everything is split again, and later scores are not comparable '
            "with earlier ones"
        )
    return rows


def write_splits(
    work: Path,
    before: Mapping[str, Placed],
    examples: Iterable[tuple[str, str, str]],
    groups: Mapping[str, str],
    split_of: Mapping[str, str],
    settings: TrainSettings,
) -> bool:
    """Remember the splits of examples, in addition to those that were remembered before.

    Args:
        work: the project's folder of tables.
        before: remembered sentences, as from `read_splits`.
        examples: sentence id, article id and split of each example.
        groups: the group of each article.
        split_of: the split of each group that has an example.
        settings: `[train]` of stance.toml.

    Returns:
        Whether the file changed.
    """
    rows: dict[str, Placed] = {
        name: msgspec.structs.replace(row, split=split_of.get(groups.get(row.article_id, ""), row.split))
        for name, row in before.items()
    }
    for name, article, split in examples:
        rows[name] = msgspec.convert(
            {"sentence_id": name, "article_id": article, "split": split, "by": settings.split}, Placed
        )
    ordered = sorted(rows.values(), key=lambda row: (row.article_id, row.sentence_id))
    return write_jsonl(table_path(work, FILE), ordered)


def splits_had(
    remembered: Mapping[str, Placed], groups: Mapping[str, str], article_of: Mapping[str, str]
) -> dict[str, set[str]]:
    """The splits that the articles of each group have had so far; a group with several splits joins earlier groups.

    Args:
        remembered: remembered sentences, as from `read_splits`.
        groups: the group of each article.
        article_of: the article of each sentence of the corpus.
    """
    had: dict[str, set[str]] = defaultdict(set)
    for name, row in remembered.items():
        if group := groups.get(row.article_id or article_of.get(name, "")):
            had[group].add(row.split)
    return dict(had)


def _of_an_earlier_version(path: Path) -> dict[str, Placed]:
    table = read_table(path, SPLIT_OF_EXAMPLES, "stance train")
    notes = pq.read_schema(path).metadata or {}
    by = notes.get(b"split", b"group").decode()
    try:
        gone = msgspec.json.decode(notes.get(b"gone", b"{}"), type=dict[str, str])
        splits = gone | dict(zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True))
        plain = [{"sentence_id": name, "article_id": "", "split": split, "by": by} for name, split in splits.items()]
        return {row["sentence_id"]: msgspec.convert(row, type=Placed) for row in plain}
    except msgspec.DecodeError as error:
        raise TableError(f"{path}: {error}; it was written by something else than `stance train`") from error
