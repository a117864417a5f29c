"""Collect what `stance status` shows: progress, agreement, disagreements, annotators to check, label shares."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl, read_table, table_path
from labeling.adjudicate import settle
from labeling.annotator_checks import (
    AlwaysSame,
    AnnotatorProgress,
    ControlItems,
    TooFast,
    control_items,
    progress,
    warnings,
)
from labeling.freshness import Stale, stale_verdicts
from labeling.measured_agreement import Agreement, measure
from labeling.overlap import FewVotes, few_votes
from labeling.records import Annotation, LabelingSettings, Stance, Verdict
from labeling.sampling.corpus_shares import Shares, known_by, shares
from labeling.sampling.sample import read_sample, to_label
from labeling.votes import alike, counted, latest_answers, latest_votes

CONTESTED = 10


class OutletProgress(msgspec.Struct, frozen=True, kw_only=True):
    """An outlet's sentences to label, and how many of them are labelled; None stands for articles without an outlet."""

    outlet: str | None
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
    """The progress of labelling; numbers are NaN (null in JSON) where they are undefined.

    Attributes:
        sentences: the sentences to label, one for each copy group: those sampled, or all if nothing was sampled.
        labelled: those of them with a vote.
        shared: those of them with votes of two or more annotators.
        unsampled: labelled sentences that are not in the sample; their votes count in everything else.
        gone: answers to sentences that are no longer in the corpus; they count nowhere.
        annotators: the annotators who count, sorted, with what they answered.
        ignored: number of answers of each annotator whom `[labeling] ignore` names; they count nowhere.
        few: sentences with a vote, but with fewer than the project asks for; None if its settings are not known.
        stale: how far the verdicts are behind the answers; None if they are up to date or the settings are not known.
        outlets: progress by outlet, sorted, with articles without an outlet last; a copy group counts for the outlet
            of its sampled copy, or else of its first.
        agreement: agreement over all sentences with two or more votes; here each copy that was labelled counts.
        contested: the ten sentences of least agreement; of equal ones, those with more votes first, then by id.
        warnings: warnings about annotators whose answers look careless.
        controls: how far annotators repeat themselves on control items.
        shares: share of each stance among the settled sentences, and its estimate for the corpus if rounds allow one;
            by the verdicts, or by the votes alone if no verdicts were made yet; None if nothing is settled.
    """

    sentences: int
    labelled: int
    shared: int
    unsampled: int
    gone: int
    few: FewVotes | None
    stale: Stale | None
    annotators: list[AnnotatorProgress]
    ignored: dict[str, int]
    outlets: list[OutletProgress]
    agreement: Agreement
    contested: list[Contested]
    warnings: list[TooFast | AlwaysSame]
    controls: list[ControlItems]
    shares: Shares | None


def read_status(
    work: Path,
    ignored: frozenset[str] = frozenset(),
    settings: LabelingSettings | None = None,
    codebook: str = "",
) -> Status:
    """Progress and agreement of the project; before anything is pulled, no sentence is labelled.

    Args:
        work: the project's folder of tables.
        ignored: pseudonyms of the annotators whose answers do not count.
        settings: `[labeling]` of stance.toml; None if not known, which leaves out what depends on it.
        codebook: current version of the codebook; if empty, votes under any version count.

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
    outlets = {row["article_id"]: row["outlet"] or None for row in articles.to_pylist()}
    path = table_path(work, "annotations.jsonl")
    everything = read_jsonl(path, Annotation, "stance pull") if path.is_file() else []
    ours = counted(everything, ignored)
    known = [row for row in ours if row.sentence_id in sentences]
    answers, votes = list(latest_answers(known).values()), latest_votes(known)
    article_of = {key: row["article_id"] for key, row in sentences.items()}
    copy_of = {key: row["copy_id"] for key, row in sentences.items()}

    tasks = to_label(read_sample(work), copy_of)
    voters: dict[str, set[str]] = defaultdict(set)
    for key, by in votes.items():
        voters[copy_of[key]] |= by.keys()
    labelled = voters.keys()
    by_outlet: dict[str | None, list[bool]] = defaultdict(list)
    for copy_id, member in tasks.items():
        by_outlet[outlets[article_of[member]]].append(copy_id in labelled)
    return Status(
        sentences=len(tasks),
        labelled=len(labelled & tasks.keys()),
        shared=len({copy_of[key] for key, by in votes.items() if len(by) > 1} & tasks.keys()),
        unsampled=len(labelled - tasks.keys()),
        gone=len(ours) - len(known),
        few=few_votes({key: len(by) for key, by in voters.items()}, settings, len(tasks)) if settings else None,
        stale=stale_verdicts(work, settings, codebook, ignored) if settings else None,
        annotators=progress({row.annotator for row in ours}, answers),
        ignored=dict(sorted(Counter(row.annotator for row in everything if row.annotator in ignored).items())),
        outlets=[
            OutletProgress(outlet=outlet, sentences=len(done), labelled=sum(done))
            for outlet, done in sorted(by_outlet.items(), key=lambda pair: (pair[0] is None, pair[0] or ""))
        ],
        agreement=measure(votes, article_of),
        contested=_contested(votes, sentences),
        warnings=warnings(
            answers, {row.sentence_id: len(sentences[row.sentence_id]["text"].split()) for row in answers}
        ),
        controls=control_items(known),
        shares=_shares(work, known, copy_of, article_of, settings),
    )


def _shares(
    work: Path,
    known: Sequence[Annotation],
    copy_of: Mapping[str, str],
    article_of: Mapping[str, str],
    settings: LabelingSettings | None,
) -> Shares | None:
    path = work / "verdicts.jsonl"
    verdicts = (
        read_jsonl(path, Verdict, "stance adjudicate") if path.is_file() else settle(known, (), settings).verdicts
    )
    draws = read_sample(work)
    stands, stance_of = known_by({row.sentence_id: row.stance for row in verdicts}, draws, copy_of)
    copies = {stands.get(copy_id, copy_id): count for copy_id, count in Counter(copy_of.values()).items()}
    return shares(draws, stance_of, copies, article_of)


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
