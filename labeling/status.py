"""Collect what `stance status` shows: progress, agreement, disagreements, annotators to check, label shares."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow as pa

from corpus import words
from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl, table_path
from corpus.tables import read_table
from labeling.adjudicate import settle
from labeling.annotator_checks import (
    AlwaysSame,
    AnnotatorProgress,
    ControlItems,
    TooFast,
    control_items,
    progress,
    skipped_controls,
    warnings,
)
from labeling.codebook import Codebook
from labeling.copy_groups import CopyGroups, groups_of_labels
from labeling.feedback.qualification import Score, read_qualifications, scores
from labeling.freshness import Stale, stale_verdicts
from labeling.identity.account_register import read_register
from labeling.machine.records import MachineSettings
from labeling.machine.status import MachineStatus, read_machine_status
from labeling.overlap import FewVotes, few_tasks, sentences_to_assign
from labeling.records import Annotation, LabelingSettings, Verdict
from labeling.sampling.archive_sentences import read_archived
from labeling.sampling.corpus_shares import RoundShares, Shares, known_by, shares, shares_by_round
from labeling.sampling.sample_table import Draw, drawn_sentences, read_sample, to_label
from labeling.scheme import DEFAULT, Scheme, Stance, read_labelled_if_there
from labeling.settling.carried_votes import carry
from labeling.settling.reopened import Reopened, read_reopened
from labeling.statistics.agreement_of_parts import by_codebook, by_language, by_round
from labeling.statistics.measured_agreement import Agreement, measure
from labeling.votes import alike, counted, latest_answers, latest_votes, skips

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


class AssignedProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The sentences that `[labeling] assign` gives to an annotator, and how many were answered in their project."""

    annotator: str
    sentences: int
    answered: int


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """A comment that an annotator wrote beside an answer; `text` is the sentence's, and a null stance is a skip."""

    sentence_id: str
    annotator: str
    stance: Stance | None
    comment: str
    updated_at: str
    text: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of labelling; numbers are NaN (null in JSON) where they are undefined.

    Attributes:
        sentences: the sentences to label, one for each copy group: those sampled, or all if nothing was sampled.
        different: the sentences of the corpus, one for each copy group.
        labelled: sentences to label that have a vote.
        shared: sentences to label that have votes of two or more annotators.
        unsampled: labelled sentences that are not in the sample; their votes count in everything else.
        gone: answers to sentences that are no longer in the corpus; they count nowhere.
        renounced: answers with a label that the codebook reopened and the scheme no longer has; they count nowhere.
        annotators: the annotators who count, sorted, with what they answered.
        ignored: number of answers of each annotator whom `[labeling] ignore` names; they count nowhere.
        few: sentences with a vote, but with fewer than the project asks for; None if its settings are not known.
        stale: how far the verdicts are behind the answers; None if they are up to date or the settings are not known.
        outlets: progress by outlet, sorted, with articles without an outlet last; a copy group counts for the outlet
            of its sampled copy, or else of its first.
        agreement: agreement over all sentences with two or more votes; here each copy that was labelled counts.
        languages: agreement on the sentences of each language, by its code, sorted; empty unless such sentences are of
            several languages. A language that is not known is "".
        codebooks: agreement of the votes that were given under each version of the codebook, with the labels of that
            version, the oldest version first; empty unless there are several. Answers that state no version are in "".
        rounds: agreement on the sentences of each round; empty unless there are several.
        machine: machine coders beside the people; None unless there are machine coders or suggested labels.
        contested: the ten sentences of least agreement; of equal ones, those with more votes first, then by id.
        differing: number of sentences whose votes are not all alike.
        warnings: warnings about annotators whose answers look careless.
        controls: how far annotators repeat themselves on control items.
        qualifications: how far new annotators label as was settled, in each qualification.
        assigned: progress of each annotator in `[labeling] assign`, in its order; empty without assignments.
        skipped_controls: number of control items that each annotator skipped; those who skipped none are left out.
        comments: annotators' comments on their last answers, by sentence and annotator.
        shares: share of each stance among the settled sentences, and its estimate for the corpus if rounds allow one;
            by the verdicts, or by the votes alone if no verdicts were made yet; None if nothing is settled.
        round_shares: share of each stance among the settled sentences of each round; empty unless several rounds have
            settled sentences.
        reopened: what a new version of the codebook asks annotators for again; None if there is nothing.
    """

    sentences: int
    different: int
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
    differing: int
    warnings: list[TooFast | AlwaysSame]
    controls: list[ControlItems]
    shares: Shares | None
    languages: dict[str, Agreement] = {}
    renounced: int = 0
    codebooks: dict[str, Agreement] = {}
    rounds: dict[int, Agreement] = {}
    qualifications: list[Score] = []
    machine: MachineStatus | None = None
    assigned: list[AssignedProgress] = []
    skipped_controls: dict[str, int] = {}
    comments: list[Remark] = []
    round_shares: dict[int, RoundShares] = {}
    reopened: Reopened | None = None

    @property
    def is_sample(self) -> bool:
        """Whether the sentences to label are not simply those of the corpus, but were drawn."""
        return self.sentences != self.different


def read_status(
    work: Path,
    ignored: frozenset[str] = frozenset(),
    settings: LabelingSettings | None = None,
    codebook: Codebook | None = None,
    scheme: Scheme = DEFAULT,
    machine: MachineSettings | None = None,
) -> Status:
    """Progress and agreement of the project; before anything is pulled, no sentence is labelled.

    Args:
        work: the project's folder of tables.
        ignored: pseudonyms of the annotators whose answers do not count.
        settings: `[labeling]` of stance.toml; None if not known, which leaves out what depends on it.
        codebook: the codebook; if None, votes under any version count as they are.
        scheme: labels of the project.
        machine: `[machine]` of stance.toml; None for the defaults.

    Raises:
        TableError: there is no corpus, or a table is malformed.
    """
    path = table_path(work, "annotations.jsonl")
    everything = read_labelled_if_there(path, Annotation, scheme, codebook)
    ours = counted(everything, ignored)
    draws, verdicts = read_sample(work), _verdicts(work)
    drawn = drawn_sentences(draws)
    groups = groups_of_labels(work)
    copy_of, article_of = groups.copy_of, groups.article_of
    given = [row for row in ours if row.sentence_id in copy_of]
    known = carry(given, codebook, scheme).every
    texts = _texts(work, {row.sentence_id for row in known})
    answers, votes = list(latest_answers(known).values()), latest_votes(known)

    voters: dict[str, set[str]] = defaultdict(set)
    for key, by in votes.items():
        voters[copy_of[key]] |= by.keys()
    labelled = voters.keys()
    # The groups to label: those that were drawn, in the articles of the drawn members, or else all.
    tasks = to_label(drawn, copy_of) if drawn else {copy_id: copy_id for copy_id in labelled}
    number = len(tasks) if drawn else groups.total
    of_article = Counter(article_of[member] for member in tasks.values()) if drawn else Counter(groups.first_copies)
    done_of_article = Counter(article_of[member] for copy_id, member in tasks.items() if copy_id in labelled)
    about = _articles(work, of_article.keys() | {article_of[key] for key in votes}, everywhere=not drawn)
    by_outlet: dict[str | None, list[int]] = defaultdict(lambda: [0, 0])
    for article, count in of_article.items():
        by_outlet[about[article]["outlet"] or None][0] += count
        by_outlet[about[article]["outlet"] or None][1] += done_of_article[article]
    settled = _shares(known, draws, verdicts, groups, settings, scheme)
    return Status(
        sentences=number,
        different=groups.total,
        labelled=len(labelled & tasks.keys()),
        shared=len({copy_of[key] for key, by in votes.items() if len(by) > 1} & tasks.keys()),
        unsampled=len(labelled - tasks.keys()),
        gone=len(ours) - len(given),
        renounced=len(given) - len(known),
        few=few_tasks(
            work,
            settings,
            {key: len(by) for key, by in voters.items()},
            tasks,
            number,
            skips(known, copy_of, voters),
        )
        if settings
        else None,
        stale=stale_verdicts(work, settings, codebook, ignored, scheme) if settings else None,
        reopened=read_reopened(work, codebook, ignored, scheme),
        annotators=progress({row.annotator for row in ours}, answers, scheme),
        ignored=dict(sorted(Counter(row.annotator for row in everything if row.annotator in ignored).items())),
        outlets=[
            OutletProgress(outlet=outlet, sentences=count, labelled=done)
            for outlet, (count, done) in sorted(by_outlet.items(), key=lambda pair: (pair[0] is None, pair[0] or ""))
        ],
        agreement=measure(votes, article_of, names=scheme.names, ordered=scheme.ordered),
        languages=by_language(votes, article_of, {name: row["language"] or "" for name, row in about.items()}, scheme),
        codebooks=by_codebook(given, article_of, scheme),
        rounds=by_round(votes, article_of, copy_of, draws, scheme),
        contested=_contested(votes, article_of, texts),
        differing=sum(alike(by) < 1 for by in votes.values()),
        warnings=warnings(answers, {row.sentence_id: words.count(texts[row.sentence_id]) for row in answers}),
        controls=control_items(known),
        qualifications=_qualified(work, known, verdicts or [], scheme),
        assigned=_assigned(work, settings, tasks if drawn else None, copy_of, known) if settings else [],
        skipped_controls=skipped_controls(known),
        comments=_remarks(known, texts),
        shares=settled.all,
        round_shares=settled.by_round,
        machine=read_machine_status(work, known, article_of, scheme, machine or MachineSettings()),
    )


def _qualified(work: Path, known: Sequence[Annotation], verdicts: Sequence[Verdict], scheme: Scheme) -> list[Score]:
    return scores(read_qualifications(work), known, {row.sentence_id: row.stance for row in verdicts}, scheme.names)


def _assigned(
    work: Path,
    settings: LabelingSettings,
    tasks: Mapping[str, str] | None,
    copy_of: Mapping[str, str],
    known: Sequence[Annotation],
) -> list[AssignedProgress]:
    """The progress of each annotator; `tasks` is the sentence that was sent for each group, None if all first are."""
    assignments = settings.assignments
    if assignments is None:
        return []
    sources = {
        source.title: name for place in read_register(work.parent).places for name, source in place.sources.items()
    }
    rows = [
        row
        for row in sentences_to_assign(work)
        if row["sentence_id"] == (row["copy_id"] if tasks is None else tasks.get(row["copy_id"]))
    ]
    group = {row["sentence_id"]: row["copy_id"] for row in rows}
    found: list[AssignedProgress] = []
    for name, title in zip(assignments.rules, settings.titles, strict=True):
        theirs = {group[id_] for id_ in assignments.of(name, rows)}
        answered = {copy_of[row.sentence_id] for row in known if row.source and row.source == sources.get(title)}
        found.append(AssignedProgress(annotator=name, sentences=len(theirs), answered=len(theirs & answered)))
    return found


def _remarks(known: Sequence[Annotation], texts: Mapping[str, str]) -> list[Remark]:
    """The comments on each annotator's last answer to a sentence, and on control items."""
    last = {(row.sentence_id, row.annotator): row for row in latest_answers(known).values()}
    rows = [*last.values(), *(row for row in known if row.control)]
    return [
        Remark(
            sentence_id=row.sentence_id,
            annotator=row.annotator,
            stance=row.stance,
            comment=row.comment,
            updated_at=row.updated_at,
            text=texts.get(row.sentence_id, ""),
        )
        for row in sorted(rows, key=lambda row: (row.sentence_id, row.annotator, row.control, row.updated_at))
        if row.comment
    ]


def _verdicts(work: Path) -> list[Verdict] | None:
    path = work / "verdicts.jsonl"
    return read_jsonl(path, Verdict, "stance adjudicate") if path.is_file() else None


def _texts(work: Path, sentences: Collection[str]) -> dict[str, str]:
    columns = pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field("text")])
    table = read_table(work / "sentences.parquet", columns, "stance build", ("sentence_id", sentences))
    archived = {row.sentence_id: row.text for row in read_archived(work)}
    return archived | dict(zip(*(table[name].to_pylist() for name in columns.names), strict=True))


def _articles(work: Path, names: Collection[str], *, everywhere: bool) -> dict[str, dict[str, str | None]]:
    columns = pa.schema([ARTICLES.field(name) for name in ("article_id", "outlet", "language")])
    where = None if everywhere else ("article_id", names)
    table = read_table(work / "articles.parquet", columns, "stance build", where)
    archived = {
        row.article_id: {"article_id": row.article_id, "outlet": row.outlet, "language": row.language}
        for row in read_archived(work)
    }
    return archived | {row["article_id"]: row for row in table.to_pylist()}


class _SettledShares(NamedTuple):
    """The shares among all settled sentences, and among those of each round."""

    all: Shares | None
    by_round: dict[int, RoundShares]


def _shares(
    known: Sequence[Annotation],
    draws: Sequence[Draw],
    verdicts: Sequence[Verdict] | None,
    groups: CopyGroups,
    settings: LabelingSettings | None,
    scheme: Scheme,
) -> _SettledShares:
    # Verdicts of an earlier scheme or codebook have labels that are not those of today.
    if verdicts is None or any(row.stance not in scheme.names for row in verdicts):
        verdicts = settle(known, (), settings, scheme=scheme).verdicts
    stands, stance_of = known_by({row.sentence_id: row.stance for row in verdicts}, draws, groups.copy_of)
    copies = {
        stands.get(copy_id, copy_id): count
        for copy_id, count in groups.sizes.items()
        if copy_id not in groups.archived  # sentences of an archive say nothing about the corpus
    }
    return _SettledShares(
        all=shares(draws, stance_of, copies, groups.article_of, groups.total, scheme),
        by_round=shares_by_round(draws, stance_of, copies, groups.article_of, scheme),
    )


def _contested(
    votes: Mapping[str, Mapping[str, Stance]], article_of: Mapping[str, str], texts: Mapping[str, str]
) -> list[Contested]:
    ranked = [(share, -len(by), key) for key, by in votes.items() if (share := alike(by)) < 1]
    return [
        Contested(
            sentence_id=key,
            article_id=article_of[key],
            text=texts[key],
            votes=dict(votes[key]),
            alike=share,
        )
        for share, _, key in sorted(ranked)[:CONTESTED]
    ]
