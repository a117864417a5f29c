"""Verdicts to a Hugging Face dataset: two configs, a card, and a check that it opens."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from corpus.records import ARTICLES, SENTENCES, PublishError
from corpus.store import read_jsonl, read_table, write_bytes
from labeling.agreement import krippendorff_alpha
from labeling.records import STANCES, Annotation, Codebook, Unsettled, Verdict, counted, latest_votes
from train.examples import SPLITS, read_examples
from train.records import Example, Metrics, PublishSettings, read_metrics

if TYPE_CHECKING:
    from datasets import Dataset, Features

CONFIGS = ("gold", "annotations")
GOLD = (
    "sentence_id text label target before after article_id start end cluster_id copy_of group title outlet "
    "published url how votes codebook"
).split()
ANNOTATION = ("sentence_id annotator stance unsure holder comment seconds codebook created_at updated_at").split()
TEMPLATE = Path(__file__).with_name("card.md.j2")


class PublishSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by config and split, sentences left out for want of a verdict, and whether any file changed."""

    rows: dict[str, dict[str, int]]
    unsettled: int
    changed: bool


def publish(
    work: Path,
    out: Path,
    target: str,
    codebook: Codebook,
    settings: PublishSettings,
    ignored: Collection[str] = frozenset(),
) -> PublishSummary:
    """Write the dataset, after opening it with `load_dataset` from an empty cache.

    Args:
        work: the project's folder of tables.
        out: the dataset's folder; replaced file by file, and only by a dataset that opens.
        target: what the stance is toward.
        codebook: its version and text go along.
        settings: `[publish]` of stance.toml.
        ignored: annotators whose answers don't count; they stay out.

    Raises:
        PublishError: no licence is given, a label is none of the three, a split is empty, or the dataset
            doesn't open.
        TableError: a stage before is missing.
    """
    if not settings.licence:
        raise PublishError(
            "[publish] licence is not set: publishing other people's text must be a decision; "
            'name the licence that you may give it (for instance licence = "cc-by-4.0")'
        )
    examples = read_examples(work)
    everything = read_jsonl(work / "annotations.jsonl", Annotation, "stance pull")
    annotations = [row for row in counted(everything, ignored) if not row.control]
    queue = read_jsonl(work / "queue.jsonl", Unsettled, "stance adjudicate")
    parts = {
        "gold": gold_rows(work, examples),
        "annotations": {"train": [_annotation_row(row) for row in annotations]},
    }
    for name, rows in parts["gold"].items():
        if not rows:
            raise PublishError(f"the split {name} is empty: label sentences of more articles and train again")
    card = _card_facts(parts, annotations, target, codebook, settings, read_metrics(work / "model"), len(queue))
    with tempfile.TemporaryDirectory(prefix="stance-publish-") as folder, _quiet():
        staged = Path(folder) / "dataset"
        _write(staged, parts, card, codebook)
        _open_again(staged, parts)
        changed = _replace(staged, out)
    return PublishSummary(
        rows={config: {name: len(rows) for name, rows in splits.items()} for config, splits in parts.items()},
        unsettled=len(queue),
        changed=changed,
    )


def gold_rows(work: Path, examples: Sequence[Example]) -> dict[str, list[dict[str, Any]]]:
    """Rows of the config `gold` by split: each settled sentence, and its exact copies with `copy_of` set."""
    articles = {
        row["article_id"]: row for row in read_table(work / "articles.parquet", ARTICLES, "stance build").to_pylist()
    }
    verdicts = {row.sentence_id: row for row in read_jsonl(work / "verdicts.jsonl", Verdict, "stance adjudicate")}
    sentences = read_table(work / "sentences.parquet", SENTENCES, "stance build").to_pylist()
    settled = {row.sentence_id: row for row in examples}
    by_copy = {row["copy_id"]: settled[row["sentence_id"]] for row in sentences if row["sentence_id"] in settled}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SPLITS}
    for row in sentences:
        example = by_copy.get(row["copy_id"])
        if example is None:
            continue
        if example.label not in STANCES or example.sentence_id not in verdicts:
            raise PublishError(
                f"sentence {example.sentence_id} has the label {example.label!r} without a verdict; "
                "run `stance adjudicate` and `stance train` again"
            )
        article, verdict = articles[row["article_id"]], verdicts[example.sentence_id]
        own = row["sentence_id"] == example.sentence_id
        rows[example.split].append(
            {
                "sentence_id": row["sentence_id"],
                "text": row["text"],
                "label": example.label,
                "target": example.target,
                "before": row["before"],
                "after": row["after"],
                "article_id": row["article_id"],
                "start": row["start"],
                "end": row["end"],
                "cluster_id": row["cluster_id"],
                "copy_of": None if own else example.sentence_id,
                "group": example.group,
                "title": article["title"],
                "outlet": article["outlet"],
                "published": article["published"],
                "url": article["url"],
                "how": verdict.how,
                "votes": [{"annotator": who, "stance": stance} for who, stance in sorted(verdict.votes.items())],
                "codebook": verdict.codebook,
            }
        )
    return rows


def _annotation_row(row: Annotation) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ANNOTATION}


def features(config: str) -> Features:
    """The typed features of a config; the labels' order is favor, against, none."""
    from datasets import ClassLabel, Features, List, Value

    text, label = Value("string"), ClassLabel(names=list(STANCES))
    if config == "annotations":
        types = {"stance": label, "unsure": Value("bool"), "seconds": Value("float64")}
        return Features({name: types.get(name, text) for name in ANNOTATION})
    typed = {
        "label": label,
        "start": Value("int64"),
        "end": Value("int64"),
        "votes": List({"annotator": text, "stance": label}),
    }
    return Features({name: typed.get(name, text) for name in GOLD})


def _write(
    folder: Path,
    parts: Mapping[str, Mapping[str, list[dict[str, Any]]]],
    card: dict[str, Any],
    codebook: Codebook,
) -> None:
    import yaml
    from datasets import Dataset
    from jinja2 import Environment, StrictUndefined

    information: list[dict[str, Any]] = []
    for config, splits in parts.items():
        (folder / config).mkdir(parents=True)
        sizes: list[dict[str, Any]] = []
        for name, rows in splits.items():
            data: Dataset = Dataset.from_list(rows, features=features(config))
            data.to_parquet(folder / config / f"{name}-00000-of-00001.parquet")
            sizes.append({"name": name, "num_bytes": int(data.data.nbytes), "num_examples": len(rows)})
        information.append(
            {
                "config_name": config,
                "features": _yaml_features(config),
                "splits": sizes,
                "download_size": sum(path.stat().st_size for path in (folder / config).iterdir()),
                "dataset_size": sum(size["num_bytes"] for size in sizes),
            }
        )
    front = {
        "pretty_name": card["name"],
        "license": card["licence"].lower(),
        "language": ["en"],
        "task_categories": ["text-classification"],
        "tags": ["stance-detection"],
        "size_categories": [_size_category(card["sentences"])],
        "configs": [
            {
                "config_name": config,
                **({"default": True} if config == "gold" else {}),
                "data_files": [{"split": name, "path": f"{config}/{name}-*"} for name in splits],
            }
            for config, splits in parts.items()
        ],
        "dataset_info": information,
    }
    body = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    text = body.from_string(TEMPLATE.read_text("utf-8")).render(card)
    yaml_text = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=110)
    write_bytes(folder / "README.md", f"---\n{yaml_text}---\n\n{text}".encode())
    write_bytes(folder / "codebook.md", codebook.text.encode())


def _yaml_features(config: str) -> list[dict[str, Any]]:
    """Features as the Hub's YAML writes them; class ids quoted, for YAML would make them integers."""

    def one(kind: Any) -> dict[str, Any]:
        if hasattr(kind, "names"):
            return {"dtype": {"class_label": {"names": {str(n): name for n, name in enumerate(kind.names)}}}}
        if hasattr(kind, "feature"):
            return {"list": [{"name": name, **one(inner)} for name, inner in kind.feature.items()]}
        return {"dtype": kind.dtype}

    return [{"name": name, **one(kind)} for name, kind in features(config).items()]


def _size_category(count: int) -> str:
    bounds = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for bound, name in bounds if count < bound), "1M<n<10M")


def _card_facts(
    parts: Mapping[str, Mapping[str, list[dict[str, Any]]]],
    annotations: list[Annotation],
    target: str,
    codebook: Codebook,
    settings: PublishSettings,
    metrics: Metrics,
    unsettled: int,
) -> dict[str, Any]:
    gold = [row for rows in parts["gold"].values() for row in rows]
    votes = latest_votes(annotations)
    labels: dict[str, dict[str, int]] = defaultdict(dict)
    for name, rows in parts["gold"].items():
        for stance in STANCES:
            labels[name][stance] = sum(row["label"] == stance for row in rows)
    dates = sorted(row["published"] for row in gold if row["published"])
    return {
        "name": settings.name or f"Stance toward {target}",
        "licence": settings.licence,
        "authors": settings.authors,
        "annotators_note": settings.annotators,
        "target": target,
        "codebook": codebook.version,
        "sentences": len(gold),
        "copies": sum(row["copy_of"] is not None for row in gold),
        "articles": len({row["article_id"] for row in gold}),
        "outlets": sorted({row["outlet"] for row in gold if row["outlet"]}),
        "first": dates[0] if dates else "",
        "last": dates[-1] if dates else "",
        "labels": labels,
        "stances": STANCES,
        "unsettled": unsettled,
        "annotators": sorted({row.annotator for row in annotations}),
        "annotations": len(annotations),
        "alpha": krippendorff_alpha([list(by.values()) for by in votes.values()]),
        "metrics": metrics,
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the progress bars of the datasets library, one a file of some milliseconds."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()


def _open_again(folder: Path, parts: Mapping[str, Mapping[str, list[dict[str, Any]]]]) -> None:
    """Open what was written as a user would, from an empty cache, and compare it with what was meant."""
    from datasets import ClassLabel, load_dataset

    for config, splits in parts.items():
        with tempfile.TemporaryDirectory(prefix="stance-cache-") as cache:
            try:
                opened = load_dataset(str(folder), config, cache_dir=cache)
            except Exception as error:  # the library raises many kinds; all mean that it doesn't open
                raise PublishError(f"the dataset was not published: {config} doesn't open: {error}") from error
            for name, rows in splits.items():
                label = opened[name].features["label" if config == "gold" else "stance"]
                if opened[name].to_list() != _encoded(rows, label) or not isinstance(label, ClassLabel):
                    raise PublishError(
                        f"the dataset was not published: {config}/{name} opens, but not as it was written"
                    )


def _encoded(rows: list[dict[str, Any]], label: Any) -> list[dict[str, Any]]:
    def code(name: str, value: Any) -> Any:
        if name == "votes":
            return [{**vote, "stance": label.str2int(vote["stance"])} for vote in value]
        return label.str2int(value) if name in {"label", "stance"} and value is not None else value

    return [{name: code(name, value) for name, value in row.items()} for row in rows]


def _replace(staged: Path, out: Path) -> bool:
    """Bring `out` to what `staged` holds; the card goes last, so that it never describes missing files."""
    files = [path for path in sorted(staged.rglob("*")) if path.is_file()]
    files.sort(key=lambda path: path.name == "README.md")
    changed = [write_bytes(out / path.relative_to(staged), path.read_bytes()) for path in files]
    wanted = {out / path.relative_to(staged) for path in files}
    for config in CONFIGS:
        for stale in set((out / config).glob("*.parquet")) - wanted:
            stale.unlink()
            changed.append(True)
    return any(changed)
