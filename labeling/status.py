"""Where labeling stands: progress and agreement, as a record and as text."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.records import SENTENCES, AgreementError
from corpus.store import read_jsonl, read_table
from labeling.agreement import PairAgreement, krippendorff_alpha, pairwise
from labeling.records import STANCES, Annotation, Stance, latest_votes


class AnnotatorProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What one annotator gave: votes by stance, and sentences skipped."""

    annotator: str
    votes: dict[str, int]
    skips: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Progress over the sentences to label (one a copy group), and agreement; NaN where it is undefined.

    `shared` counts the sentences that two annotators and more voted on: those that alpha is measured on.
    """

    sentences: int
    labelled: int
    shared: int
    annotators: list[AnnotatorProgress]
    alpha: float
    pairs: list[PairAgreement]


def read_status(work: Path) -> Status:
    """Progress and agreement of the project.

    Raises:
        TableError: there is no corpus, or nothing was pulled yet.
    """
    rows = read_table(
        work / "sentences.parquet",
        pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field("copy_id")]),
        "stance build",
    ).to_pylist()
    annotations = read_jsonl(work / "annotations.jsonl", Annotation, "stance pull")
    copies = {row["sentence_id"]: row["copy_id"] for row in rows}
    votes = {key: by for key, by in latest_votes(annotations).items() if key in copies}
    counts: dict[str, Counter[Stance]] = {row.annotator: Counter() for row in annotations}
    for by in votes.values():
        for annotator, stance in by.items():
            counts[annotator][stance] += 1
    skips = Counter(
        annotator
        for annotator, key in {(row.annotator, row.sentence_id) for row in annotations if row.stance is None}
        if annotator not in votes.get(key, {})
    )
    try:
        alpha = krippendorff_alpha(list(by.values()) for by in votes.values())
    except AgreementError:
        alpha = math.nan
    return Status(
        sentences=len(set(copies.values())),
        labelled=len({copies[key] for key in votes}),
        shared=sum(len(by) > 1 for by in votes.values()),
        annotators=[
            AnnotatorProgress(
                annotator=name,
                votes={stance: counts[name][stance] for stance in STANCES},
                skips=skips[name],
            )
            for name in sorted(counts)
        ],
        alpha=alpha,
        pairs=pairwise(votes),
    )


def show(status: Status) -> str:
    """A status as a table for the terminal."""
    lines = [f"{status.labelled} of {status.sentences} sentences labelled, {status.shared} by two and more"]
    lines.append(f"{'annotator':<12}" + "".join(f"{name:>9}" for name in (*STANCES, "skipped")))
    for row in status.annotators:
        counts = [row.votes[stance] for stance in STANCES] + [row.skips]
        lines.append(f"{row.annotator:<12}" + "".join(f"{count:>9}" for count in counts))
    lines.append(f"Krippendorff's alpha (nominal) {_number(status.alpha)}")
    lines += [
        f"{row.first} and {row.second}: Cohen's kappa {_number(row.kappa)}, same label on {row.raw:.1%} of {row.n}"
        for row in status.pairs
    ]
    return "\n".join(lines)


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"
