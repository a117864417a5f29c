"""Make examples of the project's own verdicts, and give them splits that last."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.digests import digest, version_or_absent
from corpus.duplicates.article_groups import components
from corpus.errors import ExamplesError, TableError
from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_json_if_whole, table_path, write_json, write_table
from corpus.tables import read_table
from labeling.records import Verdict
from labeling.scheme import DEFAULT, Scheme, read_labelled
from train.examples.lasting_splits import Placed, read_splits, splits_had, write_splits
from train.examples.soft_votes import enough_votes
from train.examples.splits import Origin, SplitSummary, origins, split_groups, summary
from train.input_digests import of_file
from train.records import Example
from train.settings import TrainSettings

EXAMPLES = pa.schema([(name, pa.string()) for name in ("sentence_id", "text", "label", "target", "group", "split")])
VOTES = pa.field("votes", pa.string())
"""A further column of `examples.parquet` where models learn from votes: the number of votes for each label, as JSON."""

KNOWN_EXAMPLES = Path(".build", "examples.json")
"""File in the folder of tables by which examples are known to be those of today without being made again."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What examples depend on besides the tables."""

    target: str
    settings: TrainSettings
    scheme: Scheme


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Examples with their splits, before they are written, and what is needed to write them.

    Attributes:
        examples: examples in the order of the corpus.
        splits: summary of the splits.
        groups: group of each article that has an example, or is connected with one that has.
        article_of: article of each sentence that is labelled or was given a split before.
        remembered: sentences that were given a split before, by their ids.
        made_of: the target, settings and labels that the plan was made for.
    """

    examples: list[Example]
    splits: SplitSummary
    groups: dict[str, str]
    article_of: dict[str, str]
    remembered: dict[str, Placed]
    made_of: Made


def from_verdicts(
    work: Path, target: str, settings: TrainSettings, scheme: Scheme = DEFAULT
) -> tuple[list[Example], SplitSummary]:
    """Plan the examples of the project's verdicts and write them; see `plan_examples` and `keep_examples`."""
    plan = plan_examples(work, target, settings, scheme)
    keep_examples(work, plan, settings)
    return plan.examples, plan.splits


def plan_examples(work: Path, target: str, settings: TrainSettings, scheme: Scheme = DEFAULT) -> Plan:
    """Make examples of the project's verdicts and give them lasting splits; nothing is written.

    `labelled` says what an example and a group are. A group keeps the split that it was once given, even if its
    verdicts are opened again and settled later; a group that joins two earlier splits goes to train.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        settings: `[train]` of stance.toml.
        scheme: labels of the project.

    Raises:
        TableError: a table is missing.
        ExamplesError: no verdict belongs to a sentence of the corpus, the earlier splits were not made by what
            `[train] split` says, or no such split can be made.
    """
    remembered = read_splits(work, settings.split)
    examples, groups, article_of = _labelled(work, target, settings, remembered.keys(), scheme)
    if not examples:
        raise ExamplesError(
            f"none of the verdicts in {work / 'verdicts.jsonl'} belongs to a sentence of the corpus; "
            "run `stance adjudicate` after labelling some"
        )
    origin_of: dict[str, Origin] = {}
    if settings.split != "group":
        schema = pa.schema([ARTICLES.field(name) for name in ("article_id", "outlet", "published")])
        where = ("article_id", groups)
        known = read_table(work / "articles.parquet", schema, "stance build", where).to_pylist()
        origin_of = origins((groups[row["article_id"]], row["outlet"] or "", row["published"] or "") for row in known)
    examples, moved = split_groups(examples, settings, splits_had(remembered, groups, article_of), origin_of)
    return Plan(
        examples=examples,
        splits=summary(examples, moved, settings.split, origin_of),
        groups=groups,
        article_of=article_of,
        remembered=remembered,
        made_of=Made(target=target, settings=settings, scheme=scheme),
    )


def keep_examples(work: Path, plan: Plan, settings: TrainSettings) -> None:
    """Write the examples of `plan_examples` to `examples.parquet`, and remember their splits for all later trainings.

    It is called after a training has succeeded, so that a failed training does not fix any split, or by a publication
    before any training.
    """
    # An earlier version remembered sentences without their article, which is added here.
    remembered = {
        name: msgspec.structs.replace(row, article_id=row.article_id or plan.article_of.get(name, ""))
        for name, row in plan.remembered.items()
    }
    split_of = {row.group: row.split for row in plan.examples}
    placed = [(row.sentence_id, plan.article_of[row.sentence_id], row.split) for row in plan.examples]
    write_splits(work, remembered, placed, plan.groups, split_of, settings)
    rows = [msgspec.structs.asdict(row) | {"votes": msgspec.json.encode(row.votes).decode()} for row in plan.examples]
    schema = EXAMPLES.append(VOTES) if any(row.votes for row in plan.examples) else EXAMPLES
    table = pa.Table.from_pylist(rows, schema=schema)
    write_table(work / "examples.parquet", table.replace_schema_metadata({"split": settings.split}))
    write_json(work / KNOWN_EXAMPLES, _Known(inputs=_inputs(work, plan.made_of)))


def are_known(work: Path, target: str, settings: TrainSettings, scheme: Scheme = DEFAULT) -> bool:
    """Whether `examples.parquet` is, byte for byte, what `keep_examples` made of today's tables and settings.

    If so, it need not be compared with what `labelled` gives, which reads the text of each labelled sentence. It may be
    the same even if this is False: after another version made it, or a sentence changed that is not labelled.
    """
    known = read_json_if_whole(work / KNOWN_EXAMPLES, _Known)
    return known is not None and known.inputs == _inputs(work, Made(target=target, settings=settings, scheme=scheme))


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """A digest of the files and settings that the examples were made of, of the examples, and of the version."""

    inputs: str


def _inputs(work: Path, made_of: Made) -> str:
    paths = [table_path(work, name) for name in ("sentences.parquet", "verdicts.jsonl", "splits.jsonl")]
    files = [of_file(path) if path.is_file() else "" for path in (*paths, work / "examples.parquet")]
    return digest(*files, msgspec.json.encode(made_of).decode(), version_or_absent("stance-corpus"))


def labelled(
    work: Path, target: str, settings: TrainSettings, scheme: Scheme = DEFAULT
) -> tuple[list[Example], dict[str, str]]:
    """Make examples of the project's verdicts, without splits.

    A copy group is one example. Groups are connected components of articles: two articles are connected where they
    share a near-duplicate cluster or a list of `[train] together`. Only sentences that are labelled or ever were an
    example, their copies, and the sentences of `together` count for this.

    Returns:
        The examples, and the group of each article that has one of these sentences.

    Raises:
        TableError: a table is missing.
        ExamplesError: the earlier splits were not made by what `[train] split` says.
    """
    examples, groups, _ = _labelled(work, target, settings, read_splits(work, settings.split).keys(), scheme)
    return examples, groups


def _labelled(
    work: Path, target: str, settings: TrainSettings, remembered: Collection[str], scheme: Scheme
) -> tuple[list[Example], dict[str, str], dict[str, str]]:
    """What `labelled` returns, and the article of each sentence that is labelled or remembered."""
    rows_of = read_labelled(work / "verdicts.jsonl", Verdict, "stance adjudicate", scheme)
    verdicts = {row.sentence_id: row for row in rows_of}
    rows = _sentences(work, ("sentence_id", "article_id", "copy_id", "text"), "sentence_id", {*verdicts, *remembered})
    copies = _sentences(work, ("article_id", "cluster_id"), "copy_id", {row["copy_id"] for row in rows})
    pairs = [(row["article_id"], row["cluster_id"]) for row in copies]
    article_of = {row["sentence_id"]: row["article_id"] for row in rows}
    for n, ids in enumerate(settings.together):
        pairs += [(article_of[name], f"together {n}") for name in ids if name in article_of]
    groups = components(pairs)
    examples = [
        Example(
            sentence_id=row["sentence_id"],
            text=row["text"],
            label=verdicts[row["sentence_id"]].stance,
            target=target,
            group=groups[row["article_id"]],
            votes=enough_votes(verdicts[row["sentence_id"]].votes.values()) if settings.votes == "soft" else {},
        )
        for row in rows
        if row["sentence_id"] in verdicts
    ]
    return examples, groups, article_of


def _sentences(work: Path, names: tuple[str, ...], column: str, values: Collection[str]) -> list[dict[str, Any]]:
    schema = pa.schema([SENTENCES.field(name) for name in names])
    table = read_table(work / "sentences.parquet", schema, "stance build", (column, values))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def read_examples(work: Path) -> list[Example]:
    """The examples that the last `stance train` wrote.

    Raises:
        TableError: there are none, or they are malformed.
    """
    path = work / "examples.parquet"
    rows = read_table(path, EXAMPLES, "stance train").to_pylist()
    voted = path.is_file() and VOTES.name in pq.read_schema(path).names
    votes = read_table(path, pa.schema([VOTES]), "stance train").column(0).to_pylist() if voted else ["{}"] * len(rows)
    try:
        return [
            msgspec.convert(row | {"votes": msgspec.json.decode(counts)}, Example)
            for row, counts in zip(rows, votes, strict=True)
        ]
    except msgspec.MsgspecError as error:
        raise TableError(f"{path}: {error}; run `stance train` again") from error
