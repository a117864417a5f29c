"""Labelled data in, ours or anyone's, and splits that don't leak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import ExamplesError, TableError
from corpus.near_duplicates import near_duplicates
from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl, read_table, write_table
from labeling.records import ALIASES, STANCES, Stance, Verdict
from train.lasting_splits import components, read_splits, splits_had, write_splits
from train.outside import file_rows, published_rows
from train.records import Example, TrainSettings
from train.splits import SPLITS as SPLITS
from train.splits import Origin as Origin
from train.splits import SplitSummary as SplitSummary
from train.splits import origins as origins
from train.splits import split as split
from train.splits import split_groups
from train.splits import summary as summary

SPLIT_NAMES: dict[str, str] = {
    **{name: name for name in SPLITS},
    "training": "train",
    **dict.fromkeys(("val", "valid", "dev", "development"), "validation"),
    "testing": "test",
}
"""How other data sets write the three splits; compared without regard to case and outer space."""

EXAMPLES = pa.schema([(name, pa.string()) for name in ("sentence_id", "text", "label", "target", "group", "split")])


class Spelling(msgspec.Struct, frozen=True, kw_only=True):
    """How often a label was written so, and what it was read as."""

    written: str
    label: Stance
    count: int


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Outside data as it was read.

    Attributes:
        examples: in the source's order; `split` is empty where the source has none.
        spellings: by label and spelling, every one that was found.
        ready_made: whether the source came with splits, which stay as they are.
        origins: by group, from the columns `outlet` and `published`; splits by date or outlet need them.
        notes: what is to be said of how the file was read.
    """

    examples: list[Example]
    spellings: list[Spelling]
    ready_made: bool
    origins: dict[str, Origin]
    notes: list[str] = []


def load_examples(source: str | Path) -> list[Example]:
    """Read labelled texts from a file, from the folder of a published dataset, or from the Hub.

    Args:
        source: a `.jsonl`, `.csv` or `.parquet` file with the columns `text`, `label` and, where present, `target`,
            `group` and `split`; a folder that `stance publish` made; or a dataset's name at the Hub.

    Returns:
        The examples in the order of the source. Spellings such as "pro" are read as one of the three labels. Without
        a `group` column each cluster of near-duplicate texts is one group.

    Raises:
        ExamplesError: there is no such source, or a row of it can't be used; the message names the row.
    """
    return read(source).examples


def read(source: str | Path) -> Loaded:
    """Labelled texts from a file, a published dataset's folder, or the Hub, and how they were read.

    Args:
        source: `.jsonl`, `.csv` or `.parquet` with the columns `text`, `label` and, where present, `target`,
            `group`, `split`, `outlet` and `published`; a folder that `stance publish` made; or a dataset's name
            at the Hub.

    Returns:
        Examples in the source's order, labels by the alias table, `split` empty where the source has none.
        Without a `group` each cluster of near-duplicate texts is one.

    Raises:
        ExamplesError: no such source, columns are missing, a text is empty, a label is unknown, a split's name is,
            some rows have a split and others none, or the splits leave nothing to train on or to test.
    """
    path = Path(source)
    notes: list[str] = []
    if path.is_dir():
        rows = published_rows(str(path.resolve()))
    elif path.is_file():
        read_rows = file_rows(path)
        rows, notes = read_rows.rows, read_rows.notes
    elif len(path.parts) == 2 and (not path.suffix or path.suffix[1:].isdigit()):  # a dataset's name may hold "v1.0"
        rows = published_rows(str(source))
    else:
        raise ExamplesError(f"{source}: no such file, folder or dataset")
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
    spellings = _spellings(source, Counter(_cell(row, "label") for row in rows))
    read_as = {spelling.written: spelling.label for spelling in spellings}
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
        )
        for n, (row, text, group, split) in enumerate(zip(rows, texts, groups, splits, strict=True))
    ]
    return Loaded(
        examples=examples,
        spellings=spellings,
        ready_made=any(splits),
        origins=origins(
            (group, _cell(row, "outlet"), _cell(row, "published")) for row, group in zip(rows, groups, strict=True)
        ),
        notes=notes,
    )


def _cell(row: Mapping[str, object], name: str) -> str:
    """What a row has in a column, as text; "" where it has nothing. The number 0 is a name like any other."""
    value = row.get(name)
    # No value must not be read as the word "None", which is an alias of a label; NaN is how pandas says none.
    return "" if value is None or value != value else str(value).strip()


def _splits(source: str | Path, written: Sequence[str]) -> list[str]:
    """The rows' ready-made splits by their usual names; all "" where there are none, and where all is train.

    A dataset that nobody has split is called train as a whole.
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
        found = ", ".join(f"{name} {counts[name]}" for name in SPLITS if counts[name])
        raise ExamplesError(
            f"{source}: the column split leaves nothing to {'train on' if counts['test'] else 'test'}: expected rows "
            f"of test and of train or validation; found {found}. Name the missing one so, or leave out the column, "
            "and splits are made here"
        )
    return splits


def _spellings(source: str | Path, counts: Counter[str]) -> list[Spelling]:
    if unknown := sorted(written for written in counts if written.casefold() not in ALIASES):
        shown = ", ".join(f"{written!r} ({counts[written]})" for written in unknown[:20])
        more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        known = ", ".join(f"{written!r} ({counts[written]})" for written in sorted(counts.keys() - set(unknown)))
        raise ExamplesError(
            f"{source}: labels that are no stance: {shown}{more}; expected {', '.join(STANCES)}, or an alias: "
            f"{', '.join(sorted(ALIASES.keys() - set(STANCES)))}. Known of those found: {known or 'none of them'}"
        )
    found = [Spelling(written=name, label=ALIASES[name.casefold()], count=count) for name, count in counts.items()]
    return sorted(found, key=lambda row: (STANCES.index(row.label), row.written))


def from_verdicts(work: Path, target: str, settings: TrainSettings) -> tuple[list[Example], SplitSummary]:
    """The project's verdicts as examples, which are kept with their splits; see `plan_examples`, `keep_examples`."""
    examples, found = plan_examples(work, target, settings)
    keep_examples(work, examples, settings)
    return examples, found


def plan_examples(work: Path, target: str, settings: TrainSettings) -> tuple[list[Example], SplitSummary]:
    """The project's verdicts as examples, with lasting splits; nothing is written.

    See `labelled` for what an example and a group is. A split once given to a group stays, also where verdicts go and
    come back; a group that joins two earlier splits goes to train.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        settings: `[train]` of stance.toml.

    Returns:
        The examples in the order of the corpus, and what their splits hold.

    Raises:
        TableError: a table is missing.
        ExamplesError: no verdict belongs to a sentence of the corpus, the earlier splits were made by something
            else than `[train] split` says, or no split can be made so.
    """
    remembered = read_splits(work, settings.split)
    examples, groups, article_of = _labelled(work, target, settings, remembered.keys())
    if not examples:
        raise ExamplesError(
            f"none of the verdicts in {work / 'verdicts.jsonl'} belongs to a sentence of the corpus; "
            "run `stance adjudicate` after labelling some"
        )
    origin_of: dict[str, Origin] = {}
    if settings.split != "group":
        schema = pa.schema([ARTICLES.field(name) for name in ("article_id", "outlet", "published")])
        known = read_table(work / "articles.parquet", schema, "stance build").to_pylist()
        origin_of = origins(
            (groups[row["article_id"]], row["outlet"] or "", row["published"] or "")
            for row in known
            if row["article_id"] in groups
        )
    examples, moved = split_groups(examples, settings, splits_had(remembered, groups, article_of), origin_of)
    return examples, summary(examples, moved, settings.split, origin_of)


def keep_examples(work: Path, examples: Sequence[Example], settings: TrainSettings) -> None:
    """Write examples that `plan_examples` made as `examples.parquet`, and remember their splits for good.

    It is called when training has succeeded, so that a training that fails fixes nothing.
    """
    remembered = read_splits(work, settings.split)
    _, groups, article_of = _labelled(work, "", settings, remembered.keys())
    # Those that an earlier version remembered without their article get it here.
    remembered = {
        name: msgspec.structs.replace(row, article_id=row.article_id or article_of.get(name, ""))
        for name, row in remembered.items()
    }
    split_of = {row.group: row.split for row in examples}
    placed = [(row.sentence_id, article_of[row.sentence_id], row.split) for row in examples]
    write_splits(work, remembered, placed, groups, split_of, settings)
    table = pa.Table.from_pylist([msgspec.structs.asdict(row) for row in examples], schema=EXAMPLES)
    write_table(work / "examples.parquet", table.replace_schema_metadata({"split": settings.split}))


def labelled(work: Path, target: str, settings: TrainSettings) -> tuple[list[Example], dict[str, str]]:
    """The project's verdicts as examples without splits, and the group of each article that they touch.

    A copy group is one example. Groups are the connected components of article and near-duplicate cluster over all
    sentences that are labelled or ever were an example, and their copies, and over the sentences that `[train]
    together` names.

    Raises:
        TableError: a table is missing.
        ExamplesError: the earlier splits were made by something else than `[train] split` says.
    """
    examples, groups, _ = _labelled(work, target, settings, read_splits(work, settings.split).keys())
    return examples, groups


def _labelled(
    work: Path, target: str, settings: TrainSettings, remembered: Collection[str]
) -> tuple[list[Example], dict[str, str], dict[str, str]]:
    """What `labelled` gives, and the article of each sentence that is labelled or remembered."""
    verdicts = {row.sentence_id: row for row in read_jsonl(work / "verdicts.jsonl", Verdict, "stance adjudicate")}
    table = read_table(work / "sentences.parquet", SENTENCES, "stance build")
    # Of a large corpus only these sentences and their copies become Python objects.
    is_known = pc.is_in(table["sentence_id"], pa.array(sorted(verdicts.keys() | set(remembered)), pa.string()))
    copies = table["copy_id"].filter(is_known).combine_chunks()
    pairs = [
        (row["article_id"], row["cluster_id"])
        for row in table.select(["article_id", "cluster_id"]).filter(pc.is_in(table["copy_id"], copies)).to_pylist()
    ]
    rows = table.select(["sentence_id", "article_id", "text"]).filter(is_known).to_pylist()
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
        )
        for row in rows
        if row["sentence_id"] in verdicts
    ]
    return examples, groups, article_of


def read_examples(work: Path) -> list[Example]:
    """The examples that the last `stance train` wrote.

    Raises:
        TableError: there are none.
    """
    try:
        return [
            msgspec.convert(row, Example)
            for row in read_table(work / "examples.parquet", EXAMPLES, "stance train").to_pylist()
        ]
    except msgspec.ValidationError as error:
        raise TableError(f"{work / 'examples.parquet'}: {error}; run `stance train` again") from error
