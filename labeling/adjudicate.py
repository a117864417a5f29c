"""Turn votes into verdicts, and list the sentences that people must settle."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.errors import StanceError
from corpus.records import SENTENCES
from corpus.store import read_jsonl, read_table, table_path, write_jsonl
from labeling.dawid_skene import dawid_skene
from labeling.overlap import FewVotes, few_votes
from labeling.records import (
    STANCES,
    Adjudication,
    Annotation,
    How,
    LabelingSettings,
    Stance,
    Unsettled,
    Verdict,
    people,
)
from labeling.sampling.sample import read_sample, to_label
from labeling.votes import alike, counted, latest_answers, latest_votes

Votes = dict[str, Stance]


class AdjudicateSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What is settled and what is open.

    Attributes:
        settled: verdicts by how they came about.
        unsettled: sentences in the queue.
        few: sentences with votes, but with fewer than the project asks for.
        settled_by_few: those of these sentences that their votes settled nevertheless.
        outdated: doubts that were left out, because the verdict has other votes or another label than when the
            doubting model was trained.
        reopened: sentences that had a verdict before and have none now.
        flagged: adjudicated verdicts that stand although something has changed since they were given.
        vanished: sentences with votes that are no longer in the corpus; their answers stay in `annotations.jsonl`.
        annotators: the annotators whose votes counted.
        ignored: the annotators whose votes did not count, by `[labeling] ignore`.
        changed: whether a file changed.
    """

    settled: dict[str, int]
    unsettled: int
    few: FewVotes
    settled_by_few: FewVotes
    outdated: int
    reopened: int
    flagged: int
    vanished: int
    annotators: list[str]
    ignored: list[str]
    changed: bool


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """Verdicts by sentence, and the open sentences, those with the lowest agreement first."""

    verdicts: list[Verdict]
    queue: list[Unsettled]


def adjudicate(
    work: Path,
    settings: LabelingSettings,
    *,
    codebook: str = "",
    ignored: Collection[str] = frozenset(),
    doubts: int = 0,
) -> AdjudicateSummary:
    """Make `verdicts.jsonl` and `queue.jsonl` from `annotations.jsonl` and `adjudications.jsonl`.

    Args:
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.
        codebook: current version of the codebook; votes given under another one settle nothing. If empty, all votes do.
        ignored: annotators whose votes don't count.
        doubts: number of verdicts to put into the queue, those that the model doubts most by `doubts.jsonl`. Verdicts
            that a person settled, or that changed after the model was trained, stay.

    Raises:
        TableError: a table is missing or malformed.
        StanceError: there is no vote that counts.
    """
    inputs = _read(work, ignored, required=True)
    done = _settle(inputs, settings, codebook)
    tasks = len(to_label(read_sample(work), inputs.copy_of))
    by_votes = {row.sentence_id: len(row.votes) for row in done.verdicts if row.how != "adjudicated"}
    open_ = {row.sentence_id: len(row.votes) for row in done.queue}
    outdated = 0
    if doubts:
        done, outdated = _reopened(done, read_jsonl(work / "doubts.jsonl", _Doubt, "stance train")[:doubts])
    path = work / "verdicts.jsonl"
    before = read_jsonl(path, Verdict, "stance adjudicate") if path.is_file() else []
    now = {row.sentence_id for row in done.verdicts}
    changed = [write_jsonl(path, done.verdicts), write_jsonl(work / "queue.jsonl", done.queue)]
    return AdjudicateSummary(
        settled=dict(Counter(verdict.how for verdict in done.verdicts).most_common()),
        unsettled=len(done.queue),
        few=few_votes(by_votes | open_, settings, tasks),
        settled_by_few=few_votes(by_votes, settings, tasks),
        outdated=outdated,
        reopened=sum(row.sentence_id not in now for row in before),
        flagged=sum(bool(row.flag) for row in done.verdicts),
        vanished=len({row.sentence_id for row in inputs.votes if row.stance is not None} - inputs.copy_of.keys()),
        annotators=people(row.annotator for row in inputs.votes),
        ignored=sorted(
            ({row.annotator for row in inputs.annotations} | {row.adjudicator for row in inputs.adjudications})
            & set(ignored)
        ),
        changed=any(changed),
    )


def settled_now(
    work: Path, settings: LabelingSettings, *, codebook: str = "", ignored: Collection[str] = frozenset()
) -> Settled:
    """What `adjudicate` would settle now without `doubts`, from the same files; nothing is written."""
    return _settle(_read(work, ignored, required=False), settings, codebook)


class _Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """All answers; those that count, with the answers to exact copies put together; and the corpus."""

    annotations: list[Annotation]
    adjudications: list[Adjudication]
    votes: list[Annotation]
    people: list[Adjudication]
    copy_of: dict[str, str]


def _read(work: Path, ignored: Collection[str], *, required: bool) -> _Inputs:
    annotations = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "stance pull")
    votes = counted(annotations, ignored)
    if required and not latest_votes(votes):
        raise StanceError(
            f"{table_path(work, 'annotations.jsonl')} holds no vote that counts, only {len(annotations)} skips, "
            "control items or answers of ignored accounts: label some sentences and run `stance pull`"
        )
    asked = table_path(work, "adjudications.jsonl")
    adjudications = read_jsonl(asked, Adjudication, "stance pull") if asked.is_file() else []
    columns = pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field("copy_id")])
    copies = read_table(work / "sentences.parquet", columns, "stance build")
    copy_of = dict(zip(*(copies.column(name).to_pylist() for name in columns.names), strict=True))
    return _Inputs(
        annotations=annotations,
        adjudications=adjudications,
        votes=_pooled(votes, copy_of),
        people=[row for row in adjudications if row.adjudicator not in ignored],
        copy_of=copy_of,
    )


def _settle(inputs: _Inputs, settings: LabelingSettings, codebook: str) -> Settled:
    return settle(inputs.votes, inputs.people, settings, codebook=codebook, corpus=inputs.copy_of.keys())


def _pooled(votes: list[Annotation], copy_of: Mapping[str, str]) -> list[Annotation]:
    """Move answers to copies of a sentence to the first copy that has any, as one label holds for all copies.

    So votes on two copies count as votes on one sentence, and two unlike votes are a tie.
    """
    stands: dict[str, str] = {}
    for key in sorted({row.sentence_id for row in votes} & copy_of.keys()):
        stands.setdefault(copy_of[key], key)
    return [
        msgspec.structs.replace(row, sentence_id=stands.get(copy_of.get(row.sentence_id, ""), row.sentence_id))
        for row in votes
    ]


class _Doubt(Unsettled, frozen=True, kw_only=True):
    """A line of `doubts.jsonl`, as far as needed here; `label` is the verdict that is doubted, where known."""

    label: Stance | None = None

    def is_about(self, verdict: Verdict) -> bool:
        """Whether the verdict has the label and the votes that the model was trained on."""
        return self.label in {None, verdict.stance} and self.votes in ({}, verdict.votes)


def _reopened(done: Settled, doubts: Iterable[_Doubt]) -> tuple[Settled, int]:
    """Open the doubted verdicts again; the other result counts doubts about verdicts that have changed.

    What a person settled stays. The model knows nothing about a verdict that has changed: people would be shown a
    doubt about another label.
    """
    by_votes = {row.sentence_id: row for row in done.verdicts if row.how != "adjudicated"}
    doubted = {row.sentence_id: row for row in doubts if row.sentence_id in by_votes}
    again = {
        key: Unsettled(
            sentence_id=key,
            votes=by_votes[key].votes,
            reason=row.reason,
            agreement=row.agreement,
            confidence=row.confidence,
            doubted=True,
        )
        for key, row in doubted.items()
        if row.is_about(by_votes[key])
    }
    return (
        Settled(
            verdicts=[row for row in done.verdicts if row.sentence_id not in again],
            queue=sorted([*done.queue, *again.values()], key=_urgency),
        ),
        len(doubted) - len(again),
    )


def _urgency(row: Unsettled) -> tuple[float, float, str]:
    return row.agreement, row.confidence or 0.0, row.sentence_id


def settle(
    annotations: Iterable[Annotation],
    adjudications: Iterable[Adjudication] = (),
    settings: LabelingSettings | None = None,
    *,
    codebook: str = "",
    corpus: Collection[str] | None = None,
) -> Settled:
    """Verdicts by the votes and by what people settled, and the sentences that are left open.

    One vote is `single`, equal votes are `unanimous`, and a label with more than half of the votes is the `majority`.
    Under `[labeling] verdicts = "dawid_skene"`, that model settles unlike votes instead, and leaves open every
    sentence, also one with equal votes, of which it is less sure than `confidence`. A sentence stays open if the
    annotator of its only vote was unsure, or if it has fewer votes than `fewest_votes`.

    The order of rows, names or labels never breaks a tie. What a person settled stands, with a flag where the votes,
    the codebook or the corpus have changed since.

    Args:
        annotations: answers in any order; a person's last answer to a sentence counts, and a skip is not a vote.
        adjudications: answers in the queue; each person's last answer counts.
        settings: `[labeling]` of stance.toml.
        codebook: current version of the codebook; votes that are known to be given under another one settle nothing.
        corpus: ids of all sentences of the corpus; None stands for all that have votes.
    """
    settings = settings or LabelingSettings()
    rows = list(annotations)
    every = latest_votes(rows)
    valid = [row for row in rows if codebook in {"", row.codebook} or not row.codebook]
    current = latest_votes(valid)
    versions: dict[str, set[str]] = defaultdict(set)
    unsure: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.stance is not None and not row.control:
            versions[row.sentence_id].add(row.codebook)
    for row in latest_answers(valid).values():
        if row.unsure:
            unsure[row.sentence_id].add(row.annotator)
    model = _posteriors(current) if settings.verdicts == "dawid_skene" else {}
    by_people = _settled_by_people(adjudications)
    verdicts: list[Verdict] = []
    queue: list[Unsettled] = []
    for sentence_id in sorted(every.keys() | by_people.keys()):
        by = every.get(sentence_id, {})
        here = corpus is None or sentence_id in corpus
        if answers := by_people.get(sentence_id):
            if len({row.stance for row in answers}) == 1:
                verdicts.append(_adjudicated(answers[0], by, codebook, here))
                continue
            reason = "adjudicators disagree: " + ", ".join(f"{row.adjudicator} {row.stance}" for row in answers)
            queue.append(Unsettled(sentence_id=sentence_id, votes=by, reason=reason, agreement=alike(by)))
            continue
        if not here:
            continue
        posterior = model.get(sentence_id, {})
        decision = _decide(by, current.get(sentence_id, {}), unsure[sentence_id], posterior, settings)
        if isinstance(decision, _Open):
            reason = decision.reason
            if not current.get(sentence_id):
                reason = f"labelled under codebook {_list(versions[sentence_id])}; it is {codebook} now"
            confidence = max(posterior.values(), default=None)
            queue.append(
                Unsettled(sentence_id=sentence_id, votes=by, reason=reason, agreement=alike(by), confidence=confidence)
            )
            continue
        verdicts.append(
            Verdict(
                sentence_id=sentence_id,
                stance=decision.stance,
                how=decision.how,
                votes=current[sentence_id],
                codebook=_list(versions[sentence_id] & {"", codebook} if codebook else versions[sentence_id]),
                confidence=posterior[decision.stance] if decision.how == "dawid_skene" else None,
            )
        )
    queue.sort(key=_urgency)
    return Settled(verdicts=verdicts, queue=queue)


class _Decided(msgspec.Struct, frozen=True):
    stance: Stance
    how: How


class _Open(msgspec.Struct, frozen=True):
    reason: str


def _decide(
    everyone: Votes, by: Votes, unsure: Collection[str], posterior: Mapping[str, float], settings: LabelingSettings
) -> _Decided | _Open:
    """The label and how it was settled; otherwise, why it is open."""
    if not by:
        return _Open("no vote under this codebook")
    counts = Counter(by.values())
    shown = ", ".join(f"{counts[name]} {name}" for name in STANCES if counts[name])
    if len(by) < settings.fewest_votes:
        return _Open(f"fewer votes than the {settings.fewest_votes} of [labeling] fewest_votes: {shown}")
    most = max(counts.values())
    label = next(stance for stance in STANCES if counts[stance] == most)
    how: How = "single" if len(by) == 1 else "unanimous" if most == len(by) else "majority"
    if posterior:
        best = max(posterior.values())
        likely = [stance for stance in STANCES if math.isclose(posterior.get(stance, 0.0), best, rel_tol=1e-9)]
        if best < settings.confidence or len(likely) > 1:
            return _Open(f"Dawid and Skene's model is {best:.2f} sure of {' or '.join(likely)}: {shown}")
        if how in {"single", "unanimous"} and likely != [label]:
            return _Open(f"all votes say {label}, Dawid and Skene's model {likely[0]}")
        if how == "majority":
            label, how = likely[0], "dawid_skene"
    elif 2 * most <= len(by):
        return _Open(f"no majority: {shown}")
    if how == "single" and by.keys() <= set(unsure):
        return _Open(f"the one vote is unsure: {shown}")
    return _Decided(label, how)


def _posteriors(votes: Mapping[str, Votes]) -> dict[str, dict[str, float]]:
    if not votes:
        return {}
    return dawid_skene((item, who, label) for item, by in votes.items() for who, label in by.items()).posterior


def _settled_by_people(adjudications: Iterable[Adjudication]) -> dict[str, list[Adjudication]]:
    """The last answer of each adjudicator to each sentence; a skip withdraws earlier answers."""
    last: dict[tuple[str, str], Adjudication] = {}
    for row in sorted(adjudications, key=lambda row: (row.updated_at, row.studio_id or 0, row.stance or "")):
        last[row.sentence_id, row.adjudicator] = row
    by_sentence: dict[str, list[Adjudication]] = defaultdict(list)
    for _, row in sorted(last.items()):
        if row.stance is not None:
            by_sentence[row.sentence_id].append(row)
    return dict(by_sentence)


def _adjudicated(answer: Adjudication, by: Votes, codebook: str, here: bool) -> Verdict:
    assert answer.stance is not None  # a skip settles nothing
    flags = []
    if by != answer.votes:
        flags.append("its votes have changed since")
    if codebook and answer.codebook and answer.codebook != codebook:
        flags.append(f"settled under codebook {answer.codebook}; it is {codebook} now")
    if not here:
        flags.append("the sentence left the corpus")
    return Verdict(
        sentence_id=answer.sentence_id,
        stance=answer.stance,
        how="adjudicated",
        votes=answer.votes,
        adjudicator=answer.adjudicator,
        note=answer.note,
        codebook=answer.codebook,
        settled_at=answer.updated_at,
        flag="; ".join(flags),
    )


def _list(versions: set[str]) -> str:
    return ", ".join(sorted(versions - {""}))
