"""One static page: labels, agreement, scores, n-grams; nothing loaded from outside."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.records import ARTICLES, SPANS
from corpus.store import read_jsonl, read_table, write_bytes
from labeling.records import STANCES, Unsettled, Verdict
from labeling.status import read_status
from train.baseline import Model
from train.examples import read_examples
from train.explain import strongest
from train.model_files import load
from train.records import Example, Score, read_metrics

TEMPLATE = Path(__file__).with_name("report.html.j2")
NGRAMS = 20


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A score to draw: its name, whose it is, and its place on a line from 0 to 1."""

    name: str
    who: str
    score: Score


class Ngram(msgspec.Struct, frozen=True, kw_only=True):
    """An n-gram as the page shows it, and the length of its bar, from 0 to 1."""

    text: str
    kind: str
    weight: float
    share: float


def report(work: Path, target: str, ignored: frozenset[str] = frozenset()) -> bool:
    """Write `report.html` from the tables and the model in `work`.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        ignored: the pseudonyms whose answers don't count in progress and agreement.

    Returns:
        Whether the page changed.

    Raises:
        TableError: a stage before is missing.
        ExamplesError: there is no model yet.
    """
    from jinja2 import Environment, StrictUndefined

    status = read_status(work, ignored)
    verdicts = read_jsonl(work / "verdicts.jsonl", Verdict, "stance adjudicate")
    queue = read_jsonl(work / "queue.jsonl", Unsettled, "stance adjudicate")
    metrics = read_metrics(work / "model")
    articles = read_table(
        work / "articles.parquet",
        pa.schema([ARTICLES.field("outlet"), ARTICLES.field("published")]),
        "stance build",
    ).to_pylist()
    kinds = read_table(work / "spans.parquet", pa.schema([SPANS.field("kind")]), "stance build").to_pylist()
    model = load(work / "model")
    training = [row for row in read_examples(work) if row.split != "test"]
    page = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page.filters["number"] = _number
    text = page.from_string(TEMPLATE.read_text("utf-8")).render(
        target=target,
        stances=STANCES,
        status=status,
        articles=len(articles),
        outlets=sorted(Counter(row["outlet"] or "unknown" for row in articles).items()),
        dates=sorted(row["published"] for row in articles if row["published"]),
        kinds=sorted(Counter(row["kind"] for row in kinds).items(), key=lambda item: (-item[1], item[0])),
        verdicts=Counter(row.stance for row in verdicts),
        how=Counter(row.how for row in verdicts).most_common(),
        unsettled=len(queue),
        metrics=metrics,
        intervals=[
            Interval(name=name, who=who, score=getattr(scores, field))
            for name, field in (("F_avg", "f_avg"), ("macro-F1", "macro_f1"), ("accuracy", "accuracy"))
            for who, scores in (("baseline", metrics.test), ("majority", metrics.test.majority))
        ],
        confusion_peak=max(max(row) for row in metrics.test.confusion) or 1,
        ngrams=_ngrams(model, training),
        digest=hashlib.sha256((work / "model" / "model.skops").read_bytes()).hexdigest()[:16],
    )
    return write_bytes(work / "report.html", text.encode())


def _ngrams(model: Model, training: list[Example]) -> dict[str, list[Ngram]]:
    found = next(iter(strongest(model, training, NGRAMS).values()))
    peak = max((weight for rows in found.values() for _, weight in rows), default=1.0)
    return {
        stance: [
            Ngram(text=name, kind="pair" if " " in name else "word", weight=weight, share=weight / peak)
            for name, weight in rows
        ]
        for stance, rows in found.items()
    }


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"
