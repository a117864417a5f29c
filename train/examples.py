"""Labelled data in, ours or anyone's, and splits that don't leak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.duplicates import cluster
from corpus.records import ARTICLES, SENTENCES, ExamplesError, TableError
from corpus.store import read_jsonl, read_table, write_table
from labeling.records import ALIASES, STANCES, Stance, Verdict
from train.outside import file_rows, published_rows
from train.records import Example, TrainSettings
from train.splits import SPLITS as SPLITS
from train.splits import Origin as Origin
from train.splits import SplitSummary as SplitSummary
from train.splits import origins as origins
from train.splits import split as split
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


def load(source: str | Path) -> list[Example]:
    """Labelled texts from a file, a published dataset's folder, or the Hub; see `read`."""
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
        clusters = cluster(texts)
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
    """The project's verdicts as examples, with lasting splits, also written to `examples.parquet`.

    A copy group is one example. Groups are the connected components of article and near-duplicate cluster
    over the labelled sentences and their copies, and of the sentences that `[train] together` names. A split once
    given stays, also where a verdict goes and comes back; a group that joins two earlier splits goes to train.

    Raises:
        TableError: a table is missing.
        ExamplesError: no verdict belongs to a sentence of the corpus, the earlier splits were made by something
            else than `[train] split` says, or no split can be made so.
    """
    verdicts = {row.sentence_id: row for row in read_jsonl(work / "verdicts.jsonl", Verdict, "stance adjudicate")}
    rows = read_table(work / "sentences.parquet", SENTENCES, "stance build").to_pylist()
    labelled = [row for row in rows if row["sentence_id"] in verdicts]
    if not labelled:
        raise ExamplesError(
            f"none of the {len(verdicts)} verdicts belongs to a sentence of the corpus; "
            "run `stance adjudicate` after labelling some"
        )
    copies = {row["copy_id"] for row in labelled}
    pairs = [(row["article_id"], row["cluster_id"]) for row in rows if row["copy_id"] in copies]
    articles = {row["sentence_id"]: row["article_id"] for row in labelled}
    for n, ids in enumerate(settings.together):
        pairs += [(articles[name], f"together {n}") for name in ids if name in articles]
    groups = _components(pairs)
    examples = [
        Example(
            sentence_id=row["sentence_id"],
            text=row["text"],
            label=verdicts[row["sentence_id"]].stance,
            target=target,
            group=groups[row["article_id"]],
        )
        for row in labelled
    ]
    origin_of: dict[str, Origin] = {}
    if settings.split != "group":
        schema = pa.schema([ARTICLES.field(name) for name in ("article_id", "outlet", "published")])
        known = read_table(work / "articles.parquet", schema, "stance build").to_pylist()
        origin_of = origins(
            (groups[row["article_id"]], row["outlet"] or "", row["published"] or "")
            for row in known
            if row["article_id"] in groups
        )
    path = work / "examples.parquet"
    previous = _previous(path, settings.split)
    examples, moved = split(examples, settings, previous, origin_of)
    table = pa.Table.from_pylist([msgspec.structs.asdict(row) for row in examples], schema=EXAMPLES)
    # A verdict that is open again comes back some day, and must find its split.
    gone = {name: previous[name] for name in sorted(previous.keys() - articles.keys())}
    write_table(path, table.replace_schema_metadata({"split": settings.split, "gone": msgspec.json.encode(gone)}))
    return examples, summary(examples, moved, settings.split, origin_of)


def _previous(path: Path, by: str) -> dict[str, str]:
    """The splits of earlier runs, which were made in the same way; of sentences that are no examples now, too."""
    if not path.is_file():
        return {}
    kept = read_table(path, EXAMPLES, "stance train").to_pylist()
    notes = pq.read_schema(path).metadata or {}
    made = notes.get(b"split", b"group").decode()
    if made != by:
        raise ExamplesError(
            f'{path} holds splits by {made}, and splits last; [train] split says "{by}". Set it back to "{made}", '
            "or move the file away: then all are split anew, and later scores are not comparable with earlier ones"
        )
    try:
        gone = msgspec.json.decode(notes.get(b"gone", b"{}"), type=dict[str, str])
    except msgspec.DecodeError as error:
        raise TableError(f"{path}: {error}; it was written by something else than `stance train`") from error
    return gone | {row["sentence_id"]: row["split"] for row in kept}


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


def _components(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """For each article the smallest article id among those that clusters connect with it."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    first: dict[str, str] = {}
    for article, cluster_id in pairs:
        a, b = root(article), root(first.setdefault(cluster_id, article))
        parent[max(a, b)] = min(a, b)
    return {article: root(article) for article, _ in pairs}
