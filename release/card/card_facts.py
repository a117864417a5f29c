"""What the card says about a release, as data: read from the project's tables and the files that were written."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from corpus.numbers import number, spoken
from corpus.records import ARTICLES, Skipped
from corpus.store import read_jsonl_if_there, table_path
from corpus.tables import read_table
from labeling.machine.comparison import Machines
from labeling.overlap import FewVotes
from labeling.records import Annotation
from labeling.sampling.sample_table import Draw, read_sample
from labeling.scheme import Scheme, Stance, read_labelled
from labeling.status import Status
from labeling.votes import counted
from release.card.earlier_release import EarlierRelease, read_earlier_release
from release.contents.machine_rows import ReleasedCoder
from release.freshness import Project
from train.report.project_snapshot import Snapshot, gather
from train.settings import LICENCES, PublishSettings, meaning

NOBODY = "Authors not stated"

Record = TypeVar("Record", bound=msgspec.Struct)
UNNAMED = "unnamed"
READERS = {"plain": "plain text", "markup": "texts with tags", "conversion": "texts that a web archive had converted"}
"""What stance's own readers are called in the card, by the name in the table of articles."""
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
"""The keys of `[publish]` that the card lists as not stated if they are empty, each with what it should say."""

ASSUMED = ("language", "text_source")
"""The keys of `[publish]` whose defaults the card gives where nobody has stated them."""


class SplitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A split's Parquet file: its path in the release, its `size` in bytes, and its table's `num_bytes` in memory."""

    name: str
    rows: int
    num_bytes: int
    path: str
    size: int
    sha256: str


class ConfigFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A config: its splits in order, and its features in the form that the Hub's YAML has."""

    name: str
    splits: list[SplitFacts]
    features: list[dict[str, Any]]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """How many sentences one round drew in one way, how many of them are settled, and how probable each draw was.

    `low` and `high` are the lowest and the highest probability; both are None if the draw was not random.
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
        scheme: labels of the project.
        standoff: whether the release is without the articles' text.
        date: day of the newest annotation, ISO 8601; "" if no annotation has a time.
        codebook: version of the codebook.
        configs: configs of the dataset as they were written.
        labels: split → stance → number of rows of `gold`.
        how: way of settling → number of rows of `gold`, sorted.
        published: id of each sentence in `gold` → its label.
        copies: number of rows of `gold` that are exact copies of a labelled sentence.
        adjudicators: name of each adjudicator in the release → number of sentences they decided, without exact copies.
        adjudicated_copies: number of rows of `gold` that are exact copies of an adjudicated sentence.
        articles: number of articles that `gold` has sentences from.
        without_url: number of these articles that have no URL.
        rounds: rounds in which sentences were sampled; empty if all sentences were to be labelled.
        extractors: name of each extractor → number of articles that it read, sorted by name.
        skipped: number of articles that gave no sentence.
        snapshot: data of the project's report, so that card and report give the same numbers.
        before: earlier release in the same folder.
        few: verdicts that rest on fewer votes than the project asked for; None if that isn't known.
        earlier_answers: number of answers that their annotators replaced by later ones to the same sentences.
        machine: machine coders whose answers are in the config `machine`; empty if the release has none.
    """

    settings: PublishSettings
    target: str
    scheme: Scheme
    standoff: bool
    date: str
    codebook: str
    configs: list[ConfigFacts]
    labels: dict[str, dict[Stance, int]]
    how: dict[str, int]
    published: dict[str, Stance]
    copies: int
    adjudicators: dict[str, int]
    adjudicated_copies: int
    articles: int
    without_url: int
    rounds: list[Round]
    extractors: dict[str, int]
    skipped: int
    snapshot: Snapshot
    before: EarlierRelease = EarlierRelease()
    few: FewVotes | None = None
    earlier_answers: int = 0
    machine: list[ReleasedCoder] = []

    @property
    def name(self) -> str:
        """The release's name, on one line."""
        return " ".join(self.settings.name.split()) or " ".join(f"Stance toward {self.target}".split())

    @property
    def rows(self) -> int:
        """The number of rows of `gold`."""
        return len(self.published)


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """A release's tables, as they are written.

    Attributes:
        gold: rows of `gold` by split, with labels as strings; in a stand-off release, rows without text.
        configs: configs with their Parquet files.
        standoff: whether the release is without the articles' text.
        names: name of each annotator and adjudicator in the project's tables → name in the release.
        few: verdicts that rest on fewer votes than the project asked for; None if that isn't known.
        folder: folder of the release, which may hold an earlier release.
        earlier_answers: number of answers that their annotators replaced by later ones to the same sentences.
        machine: machine coders whose answers are in the release.
    """

    gold: Mapping[str, Sequence[Mapping[str, Any]]]
    configs: Sequence[ConfigFacts]
    standoff: bool
    names: Mapping[str, str]
    few: FewVotes | None
    folder: Path
    earlier_answers: int = 0
    machine: Sequence[ReleasedCoder] = ()


def read_facts(project: Project, released: Released) -> CardFacts:
    """Gather what the card says.

    Args:
        project: the project, with its settings and codebook.
        released: tables of the release.

    Raises:
        TableError: an earlier stage has not been run.
        ExamplesError: another version wrote the metrics or the analysis.
        PublishError: the earlier release can't be read.
    """
    work, ignored, scheme = project.work, project.ignored, project.settings.labels
    rows = [row for part in released.gold.values() for row in part]
    annotations = counted(
        read_labelled(table_path(work, "annotations.jsonl"), Annotation, "stance pull", scheme, project.codebook),
        ignored,
    )
    articles = read_table(work / "articles.parquet", pa.schema([ARTICLES.field("extractor")]), "stance build")
    snapshot = gather(
        work,
        project.settings.target.name,
        frozenset(ignored),
        project.settings,
        codebook=project.codebook,
        for_page=False,
    )
    snapshot = msgspec.structs.replace(snapshot, status=_renamed(snapshot.status, released.names))
    by = {row.sentence_id: row.adjudicator for row in snapshot.verdicts or [] if row.adjudicator}
    decided = Counter(by[row["sentence_id"]] for row in rows if row["copy_of"] is None and row["sentence_id"] in by)
    return CardFacts(
        settings=project.settings.publish,
        target=project.settings.target.name,
        scheme=scheme,
        standoff=released.standoff,
        date=max(filter(DAY.fullmatch, ((row.updated_at or row.created_at)[:10] for row in annotations)), default=""),
        codebook=project.codebook.version if project.codebook else "",
        configs=list(released.configs),
        labels={
            name: {stance: sum(row["label"] == stance for row in part) for stance in scheme.names}
            for name, part in released.gold.items()
        },
        how=dict(sorted(Counter(row["how"] for row in rows).items())),
        published={row["sentence_id"]: row["label"] for row in rows},
        copies=sum(row["copy_of"] is not None for row in rows),
        adjudicators={released.names.get(name, UNNAMED): count for name, count in sorted(decided.items())},
        adjudicated_copies=sum(row["copy_of"] in by for row in rows),
        articles=len({row["article_id"] for row in rows}),
        without_url=len({row["article_id"] for row in rows if not row["url"]}),
        rounds=_rounds(
            [row for row in read_sample(work) if row.by != "archive"],
            {row.sentence_id for row in snapshot.verdicts or []},
        ),
        extractors=dict(sorted(Counter(name or "" for name in articles["extractor"].to_pylist()).items())),
        skipped=_unused(work / "skipped.jsonl"),
        snapshot=snapshot,
        before=read_earlier_release(work, released.folder),
        few=released.few,
        earlier_answers=released.earlier_answers,
        machine=list(released.machine),
    )


def _unused(skipped: Path) -> int:
    """How many articles gave no sentence; the file also lists, without an id, what was not taken for an article."""
    rows = read_jsonl_if_there(skipped, Skipped)
    return sum(bool(row.article_id) for row in rows)


def missing(settings: PublishSettings) -> list[str]:
    """One line for each key that `[publish]` leaves empty, such as `pay: what the annotators were paid`."""
    return [f"{key}: {what}" for key, what in ASKED.items() if not _said(getattr(settings, key))]


def assumed(settings: PublishSettings, stated: Collection[str]) -> list[str]:
    """One line for each default that the card gives, such as `language = ["en"]: …`, without the keys in `stated`."""
    return [
        f"{key} = {json.dumps(getattr(settings, key))}: {meaning(PublishSettings, key).rstrip('.')}"
        for key in ASSUMED
        if key not in stated
    ]


def _said(value: str | list[str]) -> bool:
    return any(part.strip() for part in ([value] if isinstance(value, str) else value))


def _renamed(status: Status, called: Mapping[str, str]) -> Status:
    """The status with the annotators' names in the release, without what the card doesn't tell about them."""
    replace = msgspec.structs.replace

    def renamed(rows: Sequence[Record], *keys: str) -> list[Record]:
        return [replace(row, **{key: called.get(getattr(row, key), UNNAMED) for key in keys}) for row in rows]

    agreement = status.agreement
    return replace(
        status,
        annotators=renamed(status.annotators, "annotator"),
        controls=renamed(status.controls, "annotator"),
        ignored={},
        contested=[],
        warnings=[],
        agreement=replace(
            agreement,
            annotators=[called.get(name, UNNAMED) for name in agreement.annotators],
            pairs=renamed(agreement.pairs, "first", "second"),
            rest=renamed(agreement.rest, "annotator"),
        ),
        machine=replace(status.machine, machines=_unnamed(status.machine.machines, renamed))
        if status.machine
        else None,
    )


def _unnamed(machines: Machines | None, renamed: Callable[..., Any]) -> Machines | None:
    """The comparison of machine coders with people, with the annotators' names in the release."""
    if machines is None:
        return None
    replace = msgspec.structs.replace
    coders = [
        replace(
            coder,
            people=renamed(coder.people, "annotator"),
            test=replace(coder.test, people=renamed(coder.test.people, "annotator"), left_out={})
            if coder.test
            else None,
        )
        for coder in machines.coders
    ]
    return replace(machines, coders=coders)


def _rounds(draws: Sequence[Draw], settled: Collection[str]) -> list[Round]:
    drawn: dict[tuple[int, str], list[Draw]] = defaultdict(list)
    for row in draws:
        drawn[row.round, row.by].append(row)
    rounds: list[Round] = []
    for (drawn_in, by), rows in sorted(drawn.items()):
        chances = [row.probability for row in rows if row.probability is not None]
        rounds.append(
            Round(
                number=drawn_in,
                by=by,
                drawn=len(rows),
                settled=sum(row.sentence_id in settled for row in rows),
                low=min(chances, default=None),
                high=max(chances, default=None),
            )
        )
    return rounds


def summary(facts: CardFacts) -> str:
    """One sentence that describes the dataset."""
    return (
        f"{number(facts.rows, 'sentence')} from {number(facts.articles, 'news article')}, each labelled for its "
        f"stance toward one target, “{facts.target}”: {spoken(facts.scheme.names, 'or')}."
    )


def extractors(facts: CardFacts) -> str:
    """What read the articles, each with the number of its articles."""
    found = [f"{_reader(name)} ({number(count, 'article')})" for name, count in facts.extractors.items()]
    return spoken(found, "and") if found else ""


def _reader(extractor: str) -> str:
    """What read an article, in words.

    >>> _reader("plain 1"), _reader("trafilatura 2.0.0")
    ("stance's reader of plain text, version 1", 'trafilatura 2.0.0')
    """
    name, _, version = extractor.rpartition(" ")
    return f"stance's reader of {READERS[name]}, version {version}" if name in READERS else extractor or "unknown"


def licence(said: PublishSettings) -> str:
    """The licence's readable name; "" if no licence is set."""
    if said.licence.lower() == "other":
        return f"{said.licence_name} ({said.licence_link})"
    return LICENCES.get(said.licence.lower()) or said.licence


def authors(said: PublishSettings) -> list[str]:
    """The people and groups who made the dataset, each once; `NOBODY` if `[publish] authors` names none."""
    return list(dict.fromkeys(" ".join(name.split()) for name in said.authors if name.strip())) or [NOBODY]


def cited(facts: CardFacts) -> str:
    """The dataset's entry for a list of references, in APA style."""
    said = facts.settings
    where = f"https://doi.org/{said.doi}" if said.doi else said.url
    who = " & ".join(authors(said)).rstrip(".")
    return f"{who} ({facts.date[:4] or 'n.d.'}). {facts.name} (Version {said.version}) [Data set]. {where}".strip()
