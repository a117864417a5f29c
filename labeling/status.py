"""Where labeling stands: progress, agreement, what is contested, who to look at, and what it says of the corpus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl, read_table, table_path
from labeling.adjudicate import settle
from labeling.agreement import Agreement, measure
from labeling.annotators import (
    AlwaysSame,
    AnnotatorProgress,
    ControlItems,
    TooFast,
    control_items,
    progress,
    warnings,
)
from labeling.estimate import Shares, known_by, shares
from labeling.records import Annotation, Stance, Verdict, alike, counted, latest_answers, latest_votes
from labeling.sample import read_sample

CONTESTED = 10


class OutletProgress(msgspec.Struct, frozen=True, kw_only=True):
    """An outlet's sentences to label, and how many of them are labelled."""

    outlet: str
    sentences: int
    labelled: int


class Contested(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that annotators differ on; `alike` is the share of pairs of its votes that are alike."""

    sentence_id: str
    article_id: str
    text: str
    votes: dict[str, Stance]
    alike: float


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where labeling stands; numbers are NaN (null in JSON) where they are undefined.

    Attributes:
        sentences: the sentences to label, one a copy group: those sampled, or all where nothing was sampled.
        labelled: those of them with a vote.
        shared: those of them with votes of two annotators and more.
        unsampled: labelled ones that the sample doesn't have; their votes count in all else.
        gone: answers to sentences that the corpus doesn't have any more, which count nowhere.
        annotators: who counts, sorted, with what they gave.
        ignored: answers of those whom `[labeling] ignore` names and who gave any, which count nowhere.
        outlets: progress by outlet, sorted; a copy group counts where its sampled or else its first copy stands.
        agreement: over all sentences with two votes and more; here copies that were labelled each count.
        contested: the ten sentences of least agreement; of equal ones those with more votes first, then by id.
        warnings: annotators to look at.
        controls: how far annotators repeat themselves on control items.
        shares: of each stance among the settled sentences, and estimated for the corpus where rounds allow it; by
            the verdicts, or by the votes alone where nothing was adjudicated yet; None where nothing is settled.
    """

    sentences: int
    labelled: int
    shared: int
    unsampled: int
    gone: int
    annotators: list[AnnotatorProgress]
    ignored: dict[str, int]
    outlets: list[OutletProgress]
    agreement: Agreement
    contested: list[Contested]
    warnings: list[TooFast | AlwaysSame]
    controls: list[ControlItems]
    shares: Shares | None


def read_status(work: Path, ignored: frozenset[str] = frozenset()) -> Status:
    """Progress and agreement of the project; before anything is pulled, no sentence is labelled.

    Args:
        work: the project's folder of tables.
        ignored: the pseudonyms whose answers don't count.

    Raises:
        TableError: there is no corpus, or a table is malformed.
    """
    columns = [SENTENCES.field(name) for name in ("sentence_id", "article_id", "copy_id", "text")]
    table = read_table(work / "sentences.parquet", pa.schema(columns), "stance build")
    sentences = {row["sentence_id"]: row for row in table.to_pylist()}
    articles = read_table(
        work / "articles.parquet",
        pa.schema([ARTICLES.field("article_id"), ARTICLES.field("outlet")]),
        "stance build",
    )
    outlets = {row["article_id"]: row["outlet"] or "unknown" for row in articles.to_pylist()}
    path = table_path(work, "annotations.jsonl")
    everything = read_jsonl(path, Annotation, "stance pull") if path.is_file() else []
    ours = counted(everything, ignored)
    known = [row for row in ours if row.sentence_id in sentences]
    answers, votes = list(latest_answers(known).values()), latest_votes(known)
    article_of = {key: row["article_id"] for key, row in sentences.items()}
    copy_of = {key: row["copy_id"] for key, row in sentences.items()}

    to_label = _to_label(work, copy_of)
    labelled = {copy_of[key] for key in votes}
    by_outlet: dict[str, list[bool]] = defaultdict(list)
    for copy_id, member in to_label.items():
        by_outlet[outlets[article_of[member]]].append(copy_id in labelled)
    return Status(
        sentences=len(to_label),
        labelled=len(labelled & to_label.keys()),
        shared=len({copy_of[key] for key, by in votes.items() if len(by) > 1} & to_label.keys()),
        unsampled=len(labelled - to_label.keys()),
        gone=len(ours) - len(known),
        annotators=progress({row.annotator for row in ours}, answers),
        ignored=dict(sorted(Counter(row.annotator for row in everything if row.annotator in ignored).items())),
        outlets=[
            OutletProgress(outlet=outlet, sentences=len(done), labelled=sum(done))
            for outlet, done in sorted(by_outlet.items())
        ],
        agreement=measure(votes, article_of),
        contested=_contested(votes, sentences),
        warnings=warnings(
            answers, {row.sentence_id: len(sentences[row.sentence_id]["text"].split()) for row in answers}
        ),
        controls=control_items(known),
        shares=_shares(work, known, copy_of, article_of),
    )


def _shares(
    work: Path, known: Sequence[Annotation], copy_of: Mapping[str, str], article_of: Mapping[str, str]
) -> Shares | None:
    path = work / "verdicts.jsonl"
    verdicts = read_jsonl(path, Verdict, "stance adjudicate") if path.is_file() else settle(known).verdicts
    draws = read_sample(work)
    stands, stance_of = known_by({row.sentence_id: row.stance for row in verdicts}, draws, copy_of)
    copies = {stands.get(copy_id, copy_id): count for copy_id, count in Counter(copy_of.values()).items()}
    return shares(draws, stance_of, copies, article_of, seed=1)


def _to_label(work: Path, copy_of: Mapping[str, str]) -> dict[str, str]:
    """The copy groups to label, each with the member that stands for it: the sampled one, or the first copy."""
    draws = [row for row in read_sample(work) if row.by != "control"]
    if not draws:
        return {copy_id: copy_id for copy_id in copy_of.values()}
    sampled = {row.sentence_id for row in draws} & copy_of.keys()
    return {copy_of[key]: key for key in sorted(sampled, reverse=True)}


def _contested(
    votes: Mapping[str, Mapping[str, Stance]], sentences: Mapping[str, Mapping[str, str]]
) -> list[Contested]:
    ranked = [(share, -len(by), key) for key, by in votes.items() if (share := alike(by)) < 1]
    return [
        Contested(
            sentence_id=key,
            article_id=sentences[key]["article_id"],
            text=sentences[key]["text"],
            votes=dict(votes[key]),
            alike=share,
        )
        for share, _, key in sorted(ranked)[:CONTESTED]
    ]
