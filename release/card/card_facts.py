"""What the card says about a release, as data: read from the project's tables and the files that were written."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from corpus.records import ARTICLES, Skipped
from corpus.store import read_jsonl, read_table, table_path
from labeling.overlap import FewVotes
from labeling.records import STANCES, Annotation, Stance
from labeling.sampling.sample import Draw, read_sample
from labeling.status import Status
from labeling.votes import counted
from release.card.earlier_release import EarlierRelease, read_earlier_release
from release.freshness import Project
from train.report.project_snapshot import Snapshot, gather
from train.settings import LICENCES, PublishSettings

NOBODY = "Authors not stated"

Record = TypeVar("Record", bound=msgspec.Struct)
UNNAMED = "unnamed"
DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
ASKED = {
    "licence": "under which licence it may be used",
    "authors": "who made it",
    "contact": "where questions go",
    "funding": "who paid for it",
    "rationale": "why these articles and this target",
    "collection": "where and how the articles were got",
    "query": "what was searched for",
    "variety": "which variety of the language the articles are in",
    "speakers": "whose language it is: outlets, journalists, those whom they quote",
    "situation": "when, where and for whom the articles were written",
    "annotators": "who the annotators were, and how they were chosen and trained",
    "annotation_source": "who made the labels, in the Hub's terms",
    "demographics": "the annotators' age, gender, languages, knowledge of the matter",
    "pay": "what the annotators were paid",
    "personal": "what personal or sensitive information there is, and what was done about it",
}
"""The keys of `[publish]` whose absence the card names."""


class SplitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A split's Parquet file: `path` is in the release, `size` the file's, `num_bytes` the table's in memory."""

    name: str
    rows: int
    num_bytes: int
    path: str
    size: int
    sha256: str


class ConfigFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A config: its splits in order, and its features as the Hub's YAML writes them."""

    name: str
    splits: list[SplitFacts]
    features: list[dict[str, Any]]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences that one round drew in one way, how many are settled, and their chances of being drawn.

    `low` and `high` bound the probabilities; None where chance did not choose.
    """

    number: int
    by: str
    drawn: int
    settled: int
    low: float | None
    high: float | None


class CardFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the card and the files beside it say.

    Attributes:
        settings: settings under `[publish]`, which people filled in.
        target: name of the target that the stance is toward.
        standoff: whether the release is without the articles' text.
        date: the day of the newest annotation, ISO 8601; "" where none has a time.
        codebook: version of the codebook.
        configs: configs of the dataset as written.
        labels: split → stance → rows of `gold`.
        how: way of settling → number of rows of `gold`, sorted.
        published: sentence → label of `gold`.
        copies: rows of `gold` that are exact copies of a labelled sentence.
        articles: number of articles that `gold` has sentences from.
        rounds: how sentences were sampled; empty where all were to be labelled.
        extractors: what read the articles → articles, sorted.
        skipped: articles that gave no sentence.
        snapshot: the project as the report shows it, for the same numbers.
        before: the earlier release in the same folder.
        few: verdicts that rest on fewer votes than the project asked for; None where that isn't known.
    """

    settings: PublishSettings
    target: str
    standoff: bool
    date: str
    codebook: str
    configs: list[ConfigFacts]
    labels: dict[str, dict[Stance, int]]
    how: dict[str, int]
    published: dict[str, Stance]
    copies: int
    articles: int
    rounds: list[Round]
    extractors: dict[str, int]
    skipped: int
    snapshot: Snapshot
    before: EarlierRelease = EarlierRelease()
    few: FewVotes | None = None

    @property
    def name(self) -> str:
        """The release's name, on one line."""
        return " ".join(self.settings.name.split()) or " ".join(f"Stance toward {self.target}".split())

    @property
    def rows(self) -> int:
        """Rows of `gold`."""
        return len(self.published)


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """A release's tables, as they are written.

    Attributes:
        gold: rows of `gold` by split, in full or stand-off, labels as strings.
        configs: configs with their Parquet files.
        standoff: whether the release is without the articles' text.
        names: what annotators are called in the release.
        few: verdicts that rest on fewer votes than the project asked for; None where that isn't known.
        folder: folder of the release, where an earlier one may be.
    """

    gold: Mapping[str, Sequence[Mapping[str, Any]]]
    configs: Sequence[ConfigFacts]
    standoff: bool
    names: Mapping[str, str]
    few: FewVotes | None
    folder: Path


def read_facts(project: Project, released: Released) -> CardFacts:
    """Gather what the card says.

    Args:
        project: the project, with its settings and codebook.
        released: tables of the release.

    Raises:
        TableError: a stage before is missing.
        ExamplesError: metrics or analysis are of another version.
        PublishError: the release before can't be read.
    """
    work, ignored = project.work, project.ignored
    rows = [row for part in released.gold.values() for row in part]
    annotations = counted(read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "stance pull"), ignored)
    articles = read_table(work / "articles.parquet", ARTICLES, "stance build")
    snapshot = gather(work, project.settings.target.name, frozenset(ignored), project.settings, with_ngrams=False)
    snapshot = msgspec.structs.replace(snapshot, status=_renamed(snapshot.status, released.names))
    return CardFacts(
        settings=project.settings.publish,
        target=project.settings.target.name,
        standoff=released.standoff,
        date=max(filter(DAY.fullmatch, ((row.updated_at or row.created_at)[:10] for row in annotations)), default=""),
        codebook=project.codebook.version if project.codebook else "",
        configs=list(released.configs),
        labels={
            name: {stance: sum(row["label"] == stance for row in part) for stance in STANCES}
            for name, part in released.gold.items()
        },
        how=dict(sorted(Counter(row["how"] for row in rows).items())),
        published={row["sentence_id"]: row["label"] for row in rows},
        copies=sum(row["copy_of"] is not None for row in rows),
        articles=len({row["article_id"] for row in rows}),
        rounds=_rounds(read_sample(work), {row.sentence_id for row in snapshot.verdicts or []}),
        extractors=dict(sorted(Counter(name or "" for name in articles["extractor"].to_pylist()).items())),
        skipped=_unused(work / "skipped.jsonl"),
        snapshot=snapshot,
        before=read_earlier_release(released.folder),
        few=released.few,
    )


def _unused(skipped: Path) -> int:
    """How many articles gave no sentence; what was never taken for an article is listed there, too, without an id."""
    rows = read_jsonl(skipped, Skipped, "stance build") if skipped.is_file() else []
    return sum(bool(row.article_id) for row in rows)


def missing(settings: PublishSettings) -> list[str]:
    """What `[publish]` leaves unsaid, a line each: `pay: what the annotators were paid`."""
    return [f"{key}: {what}" for key, what in ASKED.items() if not _said(getattr(settings, key))]


def _said(value: str | list[str]) -> bool:
    return any(part.strip() for part in ([value] if isinstance(value, str) else value))


def _renamed(status: Status, called: Mapping[str, str]) -> Status:
    """The status with annotators under their names in the release, without what the card doesn't tell of them."""
    replace = msgspec.structs.replace

    def anew(rows: Sequence[Record], *keys: str) -> list[Record]:
        return [replace(row, **{key: called.get(getattr(row, key), UNNAMED) for key in keys}) for row in rows]

    agreement = status.agreement
    return replace(
        status,
        annotators=anew(status.annotators, "annotator"),
        controls=anew(status.controls, "annotator"),
        ignored={},
        contested=[],
        warnings=[],
        agreement=replace(
            agreement,
            annotators=[called.get(name, UNNAMED) for name in agreement.annotators],
            pairs=anew(agreement.pairs, "first", "second"),
            rest=anew(agreement.rest, "annotator"),
        ),
    )


def _rounds(draws: Sequence[Draw], settled: Collection[str]) -> list[Round]:
    drawn: dict[tuple[int, str], list[Draw]] = defaultdict(list)
    for row in draws:
        drawn[row.round, row.by].append(row)
    rounds: list[Round] = []
    for (number, by), rows in sorted(drawn.items()):
        chances = [row.probability for row in rows if row.probability is not None]
        rounds.append(
            Round(
                number=number,
                by=by,
                drawn=len(rows),
                settled=sum(row.sentence_id in settled for row in rows),
                low=min(chances, default=None),
                high=max(chances, default=None),
            )
        )
    return rounds


def summary(facts: CardFacts) -> str:
    """The dataset in a sentence."""
    return (
        f"{facts.rows} sentences from {facts.articles} news articles, each labelled for its stance toward one target, "
        f"“{facts.target}”: favor, against or none."
    )


def extractors(facts: CardFacts) -> str:
    """What read the articles, with how many of them."""
    return ", ".join(f"{name or 'unknown'} ({count} articles)" for name, count in facts.extractors.items())


def licence(said: PublishSettings) -> str:
    """The licence's readable name; "" where none is set."""
    if said.licence.lower() == "other":
        return f"{said.licence_name} ({said.licence_link})"
    return LICENCES.get(said.licence.lower()) or said.licence


def authors(said: PublishSettings) -> list[str]:
    """Who made the dataset, each once; `NOBODY` where it isn't said."""
    return list(dict.fromkeys(" ".join(name.split()) for name in said.authors if name.strip())) or [NOBODY]


def cited(facts: CardFacts) -> str:
    """The dataset as a list of references names it, in the style of the APA."""
    said = facts.settings
    where = f"https://doi.org/{said.doi}" if said.doi else said.url
    who = " & ".join(authors(said)).rstrip(".")
    return f"{who} ({facts.date[:4] or 'n.d.'}). {facts.name} (Version {said.version}) [Data set]. {where}".strip()
