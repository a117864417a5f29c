"""Make the rows of a release, settled sentences and single answers; check them, and write them as typed Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import PublishError
from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl, table_path
from corpus.tables import read_table
from labeling.codebook import Codebook
from labeling.records import Annotation, Verdict
from labeling.scheme import DEFAULT, Scheme
from release.contents.machine_rows import MACHINE
from release.contents.text_free import columns
from train.examples.splits import SPLITS
from train.records import Example

if TYPE_CHECKING:
    from datasets import Features

GOLD = (
    "sentence_id text label target before after article_id start end cluster_id copy_of group title outlet "
    "published url how votes codebook"
).split()
ANNOTATION = "sentence_id annotator stance unsure holder seconds codebook created_at updated_at".split()

Row = dict[str, Any]


def gold_rows(work: Path, examples: Sequence[Example], names: Mapping[str, str] | None = None) -> dict[str, list[Row]]:
    """Rows of the config `gold` by split: each settled sentence, and its exact copies with `copy_of` set.

    Args:
        work: the project's folder of tables.
        examples: examples of the last `stance train`, with their splits; they must have been made from today's verdicts
            and sentences (see `release.freshness`).
        names: annotator's name in the verdicts → name in the release, for each annotator whose names differ.

    Returns:
        The rows of each split that has any, in the order of their articles and of their places in them.

    Raises:
        TableError: a table is missing.
    """
    names = names or {}
    verdicts = {row.sentence_id: row for row in read_jsonl(work / "verdicts.jsonl", Verdict, "stance adjudicate")}
    settled = {row.sentence_id: row for row in examples}
    path, column = work / "sentences.parquet", pa.schema([SENTENCES.field("copy_id")])
    groups = read_table(path, column, "stance build", ("sentence_id", settled))["copy_id"].to_pylist()
    sentences = read_table(path, SENTENCES, "stance build", ("copy_id", groups)).to_pylist()
    about = pa.schema([ARTICLES.field(name) for name in ("article_id", "title", "outlet", "published", "url")])
    where = ("article_id", {row["article_id"] for row in sentences})
    articles = {
        row["article_id"]: row
        for row in read_table(work / "articles.parquet", about, "stance build", where).to_pylist()
    }
    by_copy: dict[str, Example] = {}
    for row in sorted(sentences, key=lambda row: row["sentence_id"]):
        if row["sentence_id"] in settled:
            by_copy.setdefault(row["copy_id"], settled[row["sentence_id"]])
    rows: dict[str, list[Row]] = {name: [] for name in SPLITS}
    for row in sorted(sentences, key=lambda row: (row["article_id"], row["start"])):
        # People may have settled two copies of one sentence: each keeps its own label.
        example = settled.get(row["sentence_id"], by_copy[row["copy_id"]])
        article, verdict = articles[row["article_id"]], verdicts[example.sentence_id]
        votes = sorted((names.get(who, who), stance) for who, stance in verdict.votes.items())
        rows[example.split].append(
            {
                **{name: row[name] for name in GOLD if name in row},
                **{name: article[name] for name in ("title", "outlet", "published", "url")},
                "label": example.label,
                "target": example.target,
                "copy_of": None if row["sentence_id"] == example.sentence_id else example.sentence_id,
                "group": example.group,
                "how": verdict.how,
                "votes": [{"annotator": who, "stance": stance} for who, stance in votes],
                "codebook": verdict.codebook,
            }
        )
    return {split: [{name: row[name] for name in GOLD} for row in part] for split, part in rows.items() if part}


def check_labels(work: Path, scheme: Scheme = DEFAULT, codebook: Codebook | None = None) -> None:
    """Check that every label in verdicts and answers is one of the project's labels, or was one and became another.

    Args:
        work: the project's folder of tables.
        scheme: labels of the project.
        codebook: the codebook, whose change list says what became of labels; None if it is not known.

    Raises:
        PublishError: a label is not; the message counts each such label, and says in which line the first one is.
    """
    for name in ("verdicts.jsonl", "annotations.jsonl"):
        odd: Counter[str] = Counter()
        first = 0
        path = table_path(work, name)
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        for number, line in enumerate(lines, 1):
            try:
                row = msgspec.json.decode(line or b"{}", type=_Labelled)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # the code that reads the whole record says what is wrong
            unknown = {
                label
                for label in (row.stance, *row.votes.values())
                if label is not None
                and label not in scheme.names
                and not (codebook and codebook.accounts_for(label, row.codebook, scheme.names))
            }
            odd.update(unknown)
            first = first or (number if unknown else 0)
        if odd:
            shown = ", ".join(f"{label!r} ({count})" for label, count in sorted(odd.items()))
            raise PublishError(
                f"{path}, line {first}: labels outside the codebook: {shown}; expected {', '.join(scheme.names)}. "
                "Correct the answers at the server, then run `stance pull`, `stance adjudicate` and `stance train`"
            )


class _Labelled(msgspec.Struct):
    codebook: str = ""
    stance: str | None = None
    votes: dict[str, str] = {}


def annotation_rows(annotations: Iterable[Annotation]) -> list[Row]:
    """Rows of the config `annotations`: one for each answer, by sentence, annotator and time.

    Comments are not published: they are notes among colleagues, and nothing could prove that they name nobody.
    """
    ordered = sorted(
        annotations, key=lambda row: (row.sentence_id, row.annotator, row.created_at, row.updated_at, row.stance or "")
    )
    return [{name: getattr(row, name) for name in ANNOTATION} for row in ordered]


def features(config: str, standoff: bool = False, scheme: Scheme = DEFAULT) -> Features:
    """The typed features of a config; the labels are in the order of the scheme."""
    from datasets import ClassLabel, Features, List, Value

    text, label = Value("string"), ClassLabel(names=list(scheme.names))
    typed = {
        "label": label,
        "stance": label,
        "start": Value("int64"),
        "end": Value("int64"),
        "unsure": Value("bool"),
        "refused": Value("bool"),
        "sample": Value("int64"),
        "temperature": Value("float64"),
        "seconds": Value("float64"),
        "votes": List({"annotator": text, "stance": label}),
        "probabilities": List({"stance": label, "probability": Value("float64")}),
    }
    names = columns(config) if standoff else {"gold": GOLD, "annotations": ANNOTATION, "machine": MACHINE}[config]
    return Features({name: typed.get(name, text) for name in names})


def yaml_features(kinds: Features) -> list[dict[str, Any]]:
    """Features in the form of the Hub's YAML; class ids are strings, because YAML would make them integers."""

    def one(kind: Any) -> dict[str, Any]:
        if hasattr(kind, "names"):
            return {"dtype": {"class_label": {"names": {str(n): name for n, name in enumerate(kind.names)}}}}
        if hasattr(kind, "feature"):
            return {"list": [{"name": name, **one(inner)} for name, inner in kind.feature.items()]}
        return {"dtype": kind.dtype}

    return [{"name": name, **one(kind)} for name, kind in kinds.items()]


def encoded(config: str, rows: Sequence[Row], kinds: Features) -> list[Row]:
    """The rows in the form in which they are stored, with each label as its number.

    `datasets` would silently write and load a number that stands for no label, so numbers are made only here.

    Raises:
        PublishError: a label is none of the feature's names, or the columns of a row are not those of the features.
    """
    labels = {name: kind.names for name, kind in kinds.items() if hasattr(kind, "names")}
    inner = {
        name: {key: one.names for key, one in kind.feature.items() if hasattr(one, "names")}
        for name, kind in kinds.items()
        if hasattr(kind, "feature")
    }

    def number(names: list[str], value: str | None, row: Row, column: str) -> int | None:
        if value is None and config != "gold":
            return None  # skipped, or refused by a machine coder
        if value not in names:
            raise PublishError(
                f"{config}: sentence {row['sentence_id']} has the {column} {value!r}, which the codebook doesn't know; "
                f"expected {', '.join(names)}. Correct it at the server, then pull, adjudicate and train again"
            )
        return names.index(value)

    done: list[Row] = []
    for row in rows:
        if row.keys() != kinds.keys():
            raise PublishError(f"{config}: expected the columns {', '.join(kinds)}; found {', '.join(row)}")
        new = {name: number(labels[name], row[name], row, name) if name in labels else row[name] for name in kinds}
        for name, by in inner.items():
            new[name] = [
                {key: number(by[key], value, row, name) if key in by else value for key, value in item.items()}
                for item in row[name]
            ]
        done.append(new)
    return done


def parquet(rows: Sequence[Row], kinds: Features) -> tuple[bytes, int]:
    """Encoded rows as a Parquet file, and their size in memory as `load_dataset` counts it.

    Every option whose default may differ between versions of the library is set, so that equal rows give equal bytes.
    The features are in the file's metadata, where `datasets` looks for them. Chunks are cut by content, so that a
    changed row changes only one page, and a Hub has to store only that page.
    """
    table = pa.Table.from_pylist(rows, schema=kinds.arrow_schema)
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=3,
        use_dictionary=True,
        write_statistics=True,
        write_page_index=True,
        row_group_size=10_000,
        use_content_defined_chunking=True,
    )
    data = sink.getvalue()
    return data.to_pybytes(), int(pq.read_table(pa.BufferReader(data)).nbytes)


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the progress bars of the datasets library, which would flash up for a few milliseconds with each file."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()
