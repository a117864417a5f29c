"""Labelled data in, ours or anyone's, and splits that don't leak."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.duplicates import cluster
from corpus.records import SENTENCES, ExamplesError, TableError
from corpus.store import read_jsonl, read_table, write_table
from labeling.records import ALIASES, STANCES, Verdict
from train.records import Example, TrainSettings

SPLITS = ("train", "validation", "test")
EXAMPLES = pa.schema([(name, pa.string()) for name in ("sentence_id", "text", "label", "target", "group", "split")])


class SplitSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Examples and groups by split, and the groups that a new article had moved to train."""

    examples: dict[str, int]
    groups: dict[str, int]
    moved: list[str]


def load(source: str | Path) -> list[Example]:
    """Labelled texts from a file, a published dataset's folder, or the Hub.

    Args:
        source: `.jsonl`, `.csv` or `.parquet` with the columns `text`, `label` and, where present, `target`,
            `group` and `split`; a folder that `stance publish` made; or a dataset's name at the Hub.

    Returns:
        Examples in the source's order, labels by the alias table, `split` empty where the source has none.
        Without a `group` each cluster of near-duplicate texts is one.

    Raises:
        ExamplesError: no such source, columns are missing, a label is unknown, or a split's name is.
    """
    path = Path(source)
    if path.is_dir():
        rows = _published(str(path.resolve()))
    elif path.is_file():
        rows = _rows(path)
    elif len(path.parts) == 2 and not path.suffix:
        rows = _published(str(source))
    else:
        raise ExamplesError(f"{source}: no such file, folder or dataset")
    if not rows:
        raise ExamplesError(f"{source}: holds no example")
    if missing := [name for name in ("text", "label") if name not in rows[0]]:
        raise ExamplesError(f"{source}: the column {' and '.join(missing)} is missing; found {', '.join(rows[0])}")
    labels = [str(row["label"]).strip().casefold() for row in rows]
    if unknown := Counter(label for label in labels if label not in ALIASES):
        found = ", ".join(f"{label!r} ({count})" for label, count in sorted(unknown.items()))
        raise ExamplesError(f"{source}: labels that are no stance: {found}; expected {', '.join(STANCES)}")
    splits = ["validation" if (split := str(row.get("split") or "")) in {"val", "dev"} else split for row in rows]
    if odd := sorted(set(splits) - {"", *SPLITS}):
        raise ExamplesError(f"{source}: unknown split {', '.join(map(repr, odd))}; expected {', '.join(SPLITS)}")
    texts = [str(row["text"] or "") for row in rows]
    groups = [str(row.get("group") or "") for row in rows]
    if not all(groups):
        clusters = cluster(texts)
        groups = [group or f"cluster {clusters[n]}" for n, group in enumerate(groups)]
    return [
        Example(
            sentence_id=str(row.get("sentence_id") or n),
            text=text,
            label=ALIASES[label],
            target=str(row.get("target") or ""),
            group=group,
            split=split,
        )
        for n, (row, text, label, group, split) in enumerate(zip(rows, texts, labels, groups, splits, strict=True))
    ]


def _rows(path: Path) -> list[dict[str, object]]:
    try:
        if path.suffix == ".jsonl":
            lines = path.read_bytes().splitlines()
            return [msgspec.json.decode(line, type=dict[str, object]) for line in lines if line.strip()]
        if path.suffix == ".csv":
            import pyarrow.csv

            # Everything is text: a column of labels 0, 1, 2 must reach the alias table as it was written.
            names = pyarrow.csv.open_csv(path).schema.names
            options = pyarrow.csv.ConvertOptions(column_types={name: pa.string() for name in names})
            found: list[dict[str, object]] = pyarrow.csv.read_csv(path, convert_options=options).to_pylist()
            return found
        if path.suffix == ".parquet":
            import pyarrow.parquet

            table: list[dict[str, object]] = pyarrow.parquet.read_table(path).to_pylist()
            return table
    except (pa.ArrowException, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ExamplesError(f"{path}: cannot be read: {error}") from error
    raise ExamplesError(f"{path}: expected .jsonl, .csv, .parquet or a dataset's folder")


def _published(name: str) -> list[dict[str, object]]:
    from datasets import load_dataset

    try:
        opened = load_dataset(name, "gold")
    except Exception as error:  # the library raises many kinds; all mean that it cannot be opened
        raise ExamplesError(f"{name}: cannot be opened as a published dataset: {error}") from error
    rows: list[dict[str, object]] = []
    for split, part in opened.items():
        label = part.features["label"]
        for row in part:
            if row.get("copy_of") is None:
                rows.append({**row, "label": label.int2str(row["label"]), "split": split, "group": row.get("group")})
    return rows


def from_verdicts(work: Path, target: str, settings: TrainSettings) -> tuple[list[Example], SplitSummary]:
    """The project's verdicts as examples, with lasting splits, also written to `examples.parquet`.

    A copy group is one example. Groups are the connected components of article and near-duplicate cluster
    over the labelled sentences and their copies. A split once given stays; a group that joins two earlier
    splits goes to train.

    Raises:
        TableError: a table is missing.
        ExamplesError: no verdict belongs to a sentence of the corpus.
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
    groups = _components([(row["article_id"], row["cluster_id"]) for row in rows if row["copy_id"] in copies])
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
    path = work / "examples.parquet"
    previous: dict[str, str] = {}
    if path.is_file():
        kept = read_table(path, EXAMPLES, "stance train").to_pylist()
        previous = {row["sentence_id"]: row["split"] for row in kept}
    examples, moved = split(examples, settings, previous)
    write_table(path, pa.Table.from_pylist([msgspec.structs.asdict(row) for row in examples], schema=EXAMPLES))
    return examples, _summary(examples, moved)


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


def split(
    examples: Sequence[Example], settings: TrainSettings, previous: Mapping[str, str]
) -> tuple[list[Example], list[str]]:
    """Give each group a split: the one it had, else the one that is furthest from its share.

    Larger groups come first; of the splits the one is taken that leaves the counts of the three labels
    nearest to the wanted shares. Ties go by a digest of the group's name, so the order of the examples
    does not matter.

    Args:
        examples: with their groups.
        settings: the shares.
        previous: sentence → split, from earlier runs.

    Returns:
        The examples with `split` set, and the groups whose members had stood in several splits: in train now.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    had: dict[str, set[str]] = defaultdict(set)
    for row in examples:
        counts[row.group][row.label] += 1
        if row.sentence_id in previous:
            had[row.group].add(previous[row.sentence_id])
    shares = {
        "train": 1 - settings.validation - settings.test,
        "validation": settings.validation,
        "test": settings.test,
    }
    total: Counter[str] = Counter(row.label for row in examples)
    given: dict[str, Counter[str]] = {name: Counter() for name in SPLITS}
    chosen: dict[str, str] = {}
    for group, names in had.items():
        chosen[group] = next(iter(names)) if len(names) == 1 else "train"
        given[chosen[group]].update(counts[group])

    def short(name: str, group: str) -> float:
        """How much nearer the split's label counts come to their wanted shares by taking the group."""
        return sum(
            (shares[name] * total[label] - given[name][label]) * counts[group][label] / total[label]
            - counts[group][label] ** 2 / (2 * total[label])
            for label in counts[group]
        )

    order = sorted(counts.keys() - chosen.keys(), key=lambda group: (-counts[group].total(), _digest(group)))
    for group in order:
        chosen[group] = max(SPLITS, key=lambda name: (short(name, group), _digest(name + group)))
        given[chosen[group]].update(counts[group])
    moved = sorted(group for group, names in had.items() if len(names) > 1)
    return [msgspec.structs.replace(row, split=chosen[row.group]) for row in examples], moved


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _summary(examples: Sequence[Example], moved: list[str]) -> SplitSummary:
    return SplitSummary(
        examples={name: sum(row.split == name for row in examples) for name in SPLITS},
        groups={name: len({row.group for row in examples if row.split == name}) for name in SPLITS},
        moved=moved,
    )
