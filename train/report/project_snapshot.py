"""Read everything that the report shows from the project's files."""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

import msgspec
import pyarrow as pa

from corpus.digests import version_or_absent
from corpus.errors import ExamplesError, TableError
from corpus.records import ARTICLES
from corpus.store import read_json, read_jsonl, table_path
from corpus.tables import read_table
from labeling.codebook import Codebook
from labeling.records import Annotation, Unsettled, Verdict
from labeling.sampling.archive_sentences import only_archived
from labeling.sampling.sample_table import read_sample
from labeling.scheme import Scheme, Stance, read_labelled
from labeling.status import Status, read_status
from labeling.votes import counted, latest_answers
from train import input_digests
from train.evaluate.analysis import Analysis, read_analysis
from train.evaluate.mistakes import Doubt, Mistake
from train.examples.from_verdicts import read_examples
from train.predict.shares import PredictionShares
from train.records import Metrics, ModelCard, read_metrics
from train.report.article_view import ShownCorpus, read_corpus
from train.settings import Settings

NGRAMS = 20
LIBRARIES = ("numpy", "pyarrow", "rapidfuzz", "scikit-learn", "scipy", "skops")

Record = TypeVar("Record", bound=msgspec.Struct)
Ngrams = dict[Stance, list[tuple[str, float]]]


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What an annotator wrote beside an answer."""

    annotator: str
    text: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The present state of the project: everything that the report shows.

    Attributes:
        target: what the stance is toward.
        settings: settings of the project.
        corpus: the corpus in numbers, with the articles that are shown.
        status: progress and agreement.
        answers: number of answers by annotators who count, including skips, to sentences that are or were in the
            corpus.
        codebooks: number of answers under each codebook version, sorted by version; "" where an answer has none.
        comments: the annotators' comments on each contested sentence, by its id.
        verdicts: verdicts; None before `stance adjudicate`.
        queue: sentences that wait for adjudication.
        metrics: metrics of the model; None before `stance train`.
        analysis: analysis of the model; None before `stance train`.
        card: model card; None before `stance train`.
        ngrams: strongest words and pairs of words for the project's target, or else for the model's first target; None
            without a model or its examples.
        unopened: the reason why a model has no `ngrams` here, or "".
        mistakes: the model's mistakes, most confident first.
        doubts: verdicts that the model doubts, most doubtful first.
        shares: shares of the stances; None before `stance predict`.
        files: SHA-256 of each of the project's files that exist.
        model: version of the model, as `stance predict` prints it and predictions name it; "" without a model.
        versions: versions of Python and the libraries when the page was written.
        due: sentences that each say what of all this is out of date, and which command to run.
        titles: title of each article with a contested sentence, by its id; only for the page.
        drawn: number of sentences of the corpus that were drawn to be labelled, by how they were drawn, in the order of
            the rounds.
        rounds: number of rounds that drew them.
    """

    target: str
    settings: Settings
    corpus: ShownCorpus
    status: Status
    answers: int
    codebooks: dict[str, int]
    comments: dict[str, list[Comment]]
    verdicts: list[Verdict] | None
    queue: list[Unsettled]
    metrics: Metrics | None
    analysis: Analysis | None
    card: ModelCard | None
    ngrams: Ngrams | None
    unopened: str
    mistakes: list[Mistake]
    doubts: list[Doubt]
    shares: PredictionShares | None
    files: dict[str, str]
    model: str
    versions: dict[str, str]
    due: list[str] = []
    titles: dict[str, str] = {}
    drawn: dict[str, int] = {}
    rounds: int = 0

    @property
    def made_of(self) -> str:
        """The digest of the files and settings that the page is made from, by which it is known to be up to date."""
        return input_digests.of_report(self.files, self.target, self.settings)


def gather(
    work: Path,
    target: str,
    ignored: frozenset[str],
    settings: Settings,
    *,
    codebook: Codebook | None = None,
    for_page: bool = True,
) -> Snapshot:
    """Read everything that the report shows, as far as it exists.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        ignored: pseudonyms of annotators whose answers do not count.
        settings: settings of the project.
        codebook: the codebook, which says what became of the labels of its earlier versions; None if it is not known.
        for_page: whether to read what only the page shows, too: articles, n-grams of the model, digests of the files.

    Raises:
        TableError: there is no corpus, or a file is malformed.
        ExamplesError: another version wrote the metrics or the analysis.
    """
    scheme = settings.labels
    status = read_status(work, ignored, None, codebook, scheme, settings.machine)
    checked = None if codebook and codebook.changes else scheme  # answers keep the labels of earlier codebooks
    verdicts = _lines(work / "verdicts.jsonl", Verdict, "stance adjudicate", checked)
    if verdicts is not None:  # the report is about the corpus, not about archives
        archived = {row.sentence_id for row in only_archived(work)}
        verdicts = [row for row in verdicts if row.sentence_id not in archived]
    ours = counted(_lines(table_path(work, "annotations.jsonl"), Annotation, "stance pull", checked) or [], ignored)
    latest = latest_answers(ours)
    draws = [row for row in read_sample(work) if row.is_of_corpus]
    model = work / "model"
    trained = (model / "metrics.json").is_file()
    metrics = read_metrics(model) if trained else None
    analysis = read_analysis(model) if (model / "analysis.json").is_file() else None
    ngrams, unopened = _ngrams(work, target, analysis) if trained and for_page else (None, "")
    return Snapshot(
        target=target,
        settings=settings,
        corpus=read_corpus(work, {row.sentence_id: row.stance for row in verdicts or []}, with_articles=for_page),
        status=status,
        answers=len(latest),
        codebooks=dict(sorted(Counter(row.codebook for row in latest.values()).items())),
        drawn=dict(Counter(row.by for row in sorted(draws, key=lambda row: row.round))),
        rounds=len({row.round for row in draws}),
        comments=_comments(latest.values(), {row.sentence_id for row in status.contested}),
        verdicts=verdicts,
        queue=_lines(work / "queue.jsonl", Unsettled, "stance adjudicate", scheme) or [],
        metrics=metrics,
        analysis=analysis,
        card=_record(model / "model.json", ModelCard, "stance train"),
        ngrams=ngrams,
        unopened=unopened,
        mistakes=_lines(model / "mistakes.jsonl", Mistake, "stance train", metrics.scheme if metrics else scheme) or [],
        doubts=_lines(work / "doubts.jsonl", Doubt, "stance train", scheme) or [],
        shares=_record(work / "shares.json", PredictionShares, "stance predict"),
        files=input_digests.of_files(work) if for_page else {},
        model=input_digests.of_model(model / "model.skops") if (model / "model.skops").is_file() else "",
        versions={"stance": version_or_absent("stance-corpus"), "Python": platform.python_version()}
        | {name: version_or_absent(name) for name in LIBRARIES},
        titles=_titles(work, {row.article_id for row in status.contested}) if for_page else {},
    )


def _titles(work: Path, articles: Collection[str]) -> dict[str, str]:
    schema = pa.schema([ARTICLES.field("article_id"), ARTICLES.field("title")])
    rows = read_table(work / "articles.parquet", schema, "stance build", ("article_id", articles)).to_pylist()
    return {row["article_id"]: row["title"] for row in rows if row["title"]}


def _ngrams(work: Path, target: str, analysis: Analysis | None) -> tuple[Ngrams | None, str]:
    if analysis is not None and analysis.outside:
        return None, "The model’s training texts are not in this project, so its words can’t be listed here."
    from train.model.explain import strongest
    from train.model.files import load_model

    try:
        model = load_model(work / "model")
        training = [row for row in read_examples(work) if row.split != "test"]
    except (ExamplesError, TableError) as error:  # the scores are shown all the same; the page says what is wrong
        return None, str(error)
    by_target = strongest(model, training, NGRAMS)
    return by_target.get(target, next(iter(by_target.values()))), ""


def _comments(answers: Collection[Annotation], sentences: Collection[str]) -> dict[str, list[Comment]]:
    comments: dict[str, list[Comment]] = defaultdict(list)
    for row in answers:
        if row.comment and row.sentence_id in sentences:
            comments[row.sentence_id].append(Comment(annotator=row.annotator, text=row.comment))
    return dict(comments)


def _lines(path: Path, kind: type[Record], made_by: str, scheme: Scheme | None) -> list[Record] | None:
    if not path.is_file():
        return None
    return read_labelled(path, kind, made_by, scheme) if scheme else read_jsonl(path, kind, made_by)


def _record(path: Path, kind: type[Record], made_by: str) -> Record | None:
    return read_json(path, kind, advice=f"run `{made_by}` again") if path.is_file() else None
