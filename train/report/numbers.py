"""The numbers of the report for other programs: `report.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import fmean
from typing import Any

import msgspec

from labeling.scheme import Stance
from labeling.status import Status
from train.evaluate.analysis import Analysis
from train.evaluate.mistakes import Doubt, Mistake
from train.predict.shares import PredictionShares
from train.records import Metrics
from train.report.project_snapshot import Ngrams, Snapshot
from train.vote_scores import FARTHEST


class CorpusNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """The corpus in numbers; see `train.report.article_view.ShownCorpus`, whose names these are.

    Attributes:
        shown: ids of the articles whose text the page shows.
    """

    articles: int
    sentences: int
    copies: int
    clusters: int
    outlets: dict[str, int]
    without_outlet: int
    without_date: int
    dates: list[str]
    kinds: dict[str, int]
    shown: list[str]


class MistakeNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """A test sentence that the model predicts wrong, or a verdict that it doubts, without the text.

    Attributes:
        confidence: probability that the model gives to the label that it predicts.
        label_probability: probability that it gives to the label that the sentence has.
        words: weight of each word that speaks more for the predicted label than for the other.
    """

    sentence_id: str
    label: Stance
    predicted: Stance
    confidence: float | None
    label_probability: float
    words: dict[str, float] = {}


class ReportNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """Every number of the page.

    Fractions are from 0 to 1, and each interval is one of 95 %. A number that is undefined is null, and so are both
    ends of an interval that there is not (see `report_values`). What was not made yet is null, too, or empty.

    Attributes:
        made_of: digest of the files and settings that the page was made from; the page names the same.
        target: what the stance is toward.
        labels: labels of the project, in their order.
        due: sentences that each say what is out of date.
        corpus: the corpus in numbers.
        status: progress, agreement and shares of the labels, as `stance status --json` gives them.
        answers: number of answers by annotators who count.
        codebooks: number of answers under each version of the codebook.
        verdicts: number of settled sentences by label.
        settled: number of settled sentences by the way in which they were settled.
        queue: number of sentences that wait for people to settle them.
        model: version of the model; "" without one.
        metrics: scores of the model, as in `model/metrics.json`.
        analysis: audit, calibration, learning curve and comparison with the annotators, as in `model/analysis.json`.
        random_splits: mean F_avg of the random splits in `analysis.naive`, by `sentence` and by `group`; empty without.
        ngrams: the strongest words and pairs of words, with their weights, by label.
        mistakes: mistakes on the test split, most confident first.
        doubts: verdicts that the model doubts, most doubtful first.
        shares: shares by the predictions for the whole corpus, as in `shares.json`.
        files: SHA-256 of each file that the page was made from.
        versions: versions of Python and the libraries.
    """

    made_of: str
    target: str
    labels: list[Stance]
    due: list[str]
    corpus: CorpusNumbers
    status: Status
    answers: int
    codebooks: dict[str, int]
    verdicts: dict[Stance, int]
    settled: dict[str, int]
    queue: int
    model: str
    metrics: Metrics | None
    analysis: Analysis | None
    random_splits: dict[str, float]
    ngrams: Ngrams | None
    mistakes: list[MistakeNumbers]
    doubts: list[MistakeNumbers]
    shares: PredictionShares | None
    files: dict[str, str]
    versions: dict[str, str]


def report_numbers(snapshot: Snapshot) -> ReportNumbers:
    """The numbers of the page that shows a snapshot."""
    corpus, labels = snapshot.corpus, snapshot.settings.labels.names
    verdicts = snapshot.verdicts or []
    stances = Counter(row.stance for row in verdicts)
    naive = snapshot.analysis.naive if snapshot.analysis else None
    return ReportNumbers(
        made_of=snapshot.made_of,
        target=snapshot.target,
        labels=labels,
        due=snapshot.due,
        corpus=CorpusNumbers(
            articles=corpus.articles,
            sentences=corpus.sentences,
            copies=corpus.copies,
            clusters=corpus.clusters,
            outlets=dict(corpus.outlets),
            without_outlet=corpus.without_outlet,
            without_date=corpus.without_date,
            dates=corpus.dates,
            kinds=dict(corpus.kinds),
            shown=[row.article_id for row in corpus.drawn],
        ),
        status=snapshot.status,
        answers=snapshot.answers,
        codebooks=snapshot.codebooks,
        verdicts={name: stances[name] for name in labels},
        settled=dict(sorted(Counter(row.how for row in verdicts).items())),
        queue=len(snapshot.queue),
        model=snapshot.model,
        metrics=snapshot.metrics,
        analysis=snapshot.analysis,
        random_splits={"sentence": fmean(naive.by_sentence), "group": fmean(naive.by_group)} if naive else {},
        ngrams=snapshot.ngrams,
        mistakes=[_mistake(row, {push.piece: push.weight for push in row.pushes}) for row in snapshot.mistakes],
        doubts=[_mistake(row, {}) for row in snapshot.doubts],
        shares=snapshot.shares,
        files=snapshot.files,
        versions=snapshot.versions,
    )


def report_values(snapshot: Snapshot) -> object:
    """The numbers of the page as values of JSON, with an interval exactly where the page has one.

    The files that the page is made from have the whole range where a score has no interval; here its ends are null.
    """
    most = {"cross_entropy": FARTHEST[0], "manhattan": FARTHEST[1]}
    if snapshot.metrics is not None:
        most["mean_absolute_error"] = len(snapshot.metrics.labels) - 1
    return _with_known_intervals(msgspec.to_builtins(report_numbers(snapshot)), 1.0, most)


def _with_known_intervals(value: Any, highest: float, most: Mapping[str, float]) -> Any:
    if isinstance(value, list):
        return [_with_known_intervals(part, highest, most) for part in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"value", "low", "high"} and (value["low"], value["high"]) in ((0, highest), (-1, 1)):
        return {"value": value["value"], "low": None, "high": None}
    return {name: _with_known_intervals(part, most.get(name, 1.0), most) for name, part in value.items()}


def _mistake(row: Mistake | Doubt, words: dict[str, float]) -> MistakeNumbers:
    return MistakeNumbers(
        sentence_id=row.sentence_id,
        label=row.label,
        predicted=row.predicted,
        confidence=row.confidence,
        label_probability=row.label_probability,
        words=words,
    )
