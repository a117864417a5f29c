"""Votes to verdicts: what they settle, what people settled, and what is left open for them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from corpus.records import SENTENCES, StanceError, TableError
from corpus.store import read_jsonl, read_table, table_path, write_jsonl
from labeling.records import (
    STANCES,
    Adjudication,
    Annotation,
    How,
    LabelingSettings,
    Stance,
    Unsettled,
    Verdict,
    alike,
    counted,
    latest_answers,
    latest_votes,
    people,
)

Votes = dict[str, Stance]


class AdjudicateSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What is settled and what is open.

    Attributes:
        settled: verdicts by how they came about.
        unsettled: sentences in the queue.
        reopened: sentences that had a verdict before and have none now.
        flagged: adjudicated verdicts since which something changed; they stand.
        vanished: sentences with votes that left the corpus; their answers stay in `annotations.jsonl`.
        annotators: whose votes counted.
        ignored: whose didn't, by `[labeling] ignore`.
        changed: whether a file did.
    """

    settled: dict[str, int]
    unsettled: int
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


class DawidSkene(msgspec.Struct, frozen=True, kw_only=True):
    """What EM found: labels' posterior for each item, priors, and each annotator's confusion matrix.

    `confusion[annotator][true][given]` is the probability that the annotator gives `given` when `true` holds.
    """

    posterior: dict[str, dict[str, float]]
    priors: dict[str, float]
    confusion: dict[str, dict[str, dict[str, float]]]
    log_likelihood: float
    iterations: int


def adjudicate(
    work: Path,
    settings: LabelingSettings,
    *,
    codebook: str = "",
    ignored: Collection[str] = frozenset(),
    doubts: int = 0,
) -> AdjudicateSummary:
    """Settle what can be settled: `annotations.jsonl` and `adjudications.jsonl` to `verdicts.jsonl`, `queue.jsonl`.

    Args:
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.
        codebook: the codebook's version now; votes given under another one settle nothing. Empty: any does.
        ignored: annotators whose votes don't count.
        doubts: so many of the verdicts that the model doubts most, by `doubts.jsonl`, go to the queue; what a
            person settled stays.

    Raises:
        TableError: a table is missing or malformed.
        StanceError: there is no vote at all.
    """
    annotations = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "stance pull")
    asked = table_path(work, "adjudications.jsonl")
    adjudications = read_jsonl(asked, Adjudication, "stance pull") if asked.is_file() else []
    votes = counted(annotations, ignored)
    if not latest_votes(votes):
        raise StanceError(
            f"{work / 'annotations.jsonl'} holds no vote that counts, only {len(annotations)} skips, control items or "
            "answers of ignored accounts: label some sentences and run `stance pull`"
        )
    columns = pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field("copy_id")])
    copies = read_table(work / "sentences.parquet", columns, "stance build")
    copy_of = dict(zip(*(copies.column(name).to_pylist() for name in columns.names), strict=True))
    corpus = set(copy_of)
    votes = _pooled(votes, copy_of)
    by_people = [row for row in adjudications if row.adjudicator not in ignored]
    done = settle(votes, by_people, settings, codebook=codebook, corpus=corpus)
    if doubts:
        done = _reopened(done, read_jsonl(work / "doubts.jsonl", Unsettled, "stance train")[:doubts])
    path = work / "verdicts.jsonl"
    before = read_jsonl(path, Verdict, "stance adjudicate") if path.is_file() else []
    now = {row.sentence_id for row in done.verdicts}
    changed = [write_jsonl(path, done.verdicts), write_jsonl(work / "queue.jsonl", done.queue)]
    return AdjudicateSummary(
        settled=dict(Counter(verdict.how for verdict in done.verdicts).most_common()),
        unsettled=len(done.queue),
        reopened=sum(row.sentence_id not in now for row in before),
        flagged=sum(bool(row.flag) for row in done.verdicts),
        vanished=len({row.sentence_id for row in votes if row.stance is not None} - corpus),
        annotators=people(row.annotator for row in votes),
        ignored=sorted(
            ({row.annotator for row in annotations} | {row.adjudicator for row in adjudications}) & set(ignored)
        ),
        changed=any(changed),
    )


def _pooled(votes: list[Annotation], copy_of: Mapping[str, str]) -> list[Annotation]:
    """Answers to several copies of one sentence, as answers to the first of them that has any: one label holds for all.

    So votes on two copies are votes on one sentence, and unlike ones a tie.
    """
    stands: dict[str, str] = {}
    for key in sorted({row.sentence_id for row in votes} & copy_of.keys()):
        stands.setdefault(copy_of[key], key)
    return [
        msgspec.structs.replace(row, sentence_id=stands.get(copy_of.get(row.sentence_id, ""), row.sentence_id))
        for row in votes
    ]


def _reopened(done: Settled, doubts: Iterable[Unsettled]) -> Settled:
    doubted = {row.sentence_id: row for row in doubts}
    again = {row.sentence_id: row for row in done.verdicts if row.sentence_id in doubted and row.how != "adjudicated"}
    queue = done.queue + [msgspec.structs.replace(doubted[key], votes=row.votes) for key, row in again.items()]
    return Settled(
        verdicts=[row for row in done.verdicts if row.sentence_id not in again],
        queue=sorted(queue, key=_urgency),
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

    One vote is `single`, equal votes are `unanimous`, a label with more than half of the votes is the `majority`;
    under `[labeling] verdicts = "dawid_skene"` that model settles unlike votes instead, and leaves open whatever
    it is less sure of than `confidence`, like votes too. A single vote that its annotator was unsure of stays open.
    No order of rows, names or labels breaks a tie. What a person settled stands, with a flag where the votes, the
    codebook or the corpus have changed since.

    Args:
        annotations: in any order; the last answer of a person to a sentence counts, a skip is no vote.
        adjudications: answers in the queue; the last of each person counts.
        settings: `[labeling]` of stance.toml.
        codebook: its version now; votes that are known to be given under another one settle nothing.
        corpus: the sentences that there are; None: all that have votes.
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
        found = _decide(by, current.get(sentence_id, {}), unsure[sentence_id], posterior, settings)
        if isinstance(found, str):
            if not current.get(sentence_id):
                found = f"labelled under codebook {_list(versions[sentence_id])}; it is {codebook} now"
            confidence = max(posterior.values(), default=None)
            queue.append(
                Unsettled(sentence_id=sentence_id, votes=by, reason=found, agreement=alike(by), confidence=confidence)
            )
            continue
        stance, how = found
        verdicts.append(
            Verdict(
                sentence_id=sentence_id,
                stance=stance,
                how=how,
                votes=current[sentence_id],
                codebook=_list(versions[sentence_id] & {"", codebook} if codebook else versions[sentence_id]),
                confidence=posterior[stance] if how == "dawid_skene" else None,
            )
        )
    queue.sort(key=_urgency)
    return Settled(verdicts=verdicts, queue=queue)


def _decide(
    everyone: Votes, by: Votes, unsure: Collection[str], posterior: Mapping[str, float], settings: LabelingSettings
) -> tuple[Stance, How] | str:
    """The label and how it was settled; else why it is open."""
    if not by:
        return "no vote under this codebook"
    counts = Counter(by.values())
    most = max(counts.values())
    label = next(stance for stance in STANCES if counts[stance] == most)
    how: How = "single" if len(by) == 1 else "unanimous" if most == len(by) else "majority"
    shown = ", ".join(f"{counts[name]} {name}" for name in STANCES if counts[name])
    if posterior:
        best = max(posterior.values())
        likely = [stance for stance in STANCES if math.isclose(posterior.get(stance, 0.0), best, rel_tol=1e-9)]
        if best < settings.confidence or len(likely) > 1:
            return f"Dawid and Skene's model is {best:.2f} sure of {' or '.join(likely)}: {shown}"
        if how in {"single", "unanimous"} and likely != [label]:
            return f"all votes say {label}, Dawid and Skene's model {likely[0]}"
        if how == "majority":
            label, how = likely[0], "dawid_skene"
    elif 2 * most <= len(by):
        return f"no majority: {shown}"
    if how == "single" and by.keys() <= set(unsure):
        return f"the one vote is unsure: {shown}"
    return label, how


def _posteriors(votes: Mapping[str, Votes]) -> dict[str, dict[str, float]]:
    if not votes:
        return {}
    return dawid_skene((item, who, label) for item, by in votes.items() for who, label in by.items()).posterior


def _settled_by_people(adjudications: Iterable[Adjudication]) -> dict[str, list[Adjudication]]:
    """The last answer of each adjudicator to each sentence; a skip takes it back."""
    last: dict[tuple[str, str], Adjudication] = {}
    for row in sorted(adjudications, key=lambda row: (row.updated_at, row.studio_id or 0, row.stance or "")):
        last[row.sentence_id, row.adjudicator] = row
    found: dict[str, list[Adjudication]] = defaultdict(list)
    for _, row in sorted(last.items()):
        if row.stance is not None:
            found[row.sentence_id].append(row)
    return dict(found)


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


def dawid_skene(votes: Iterable[tuple[str, str, str]]) -> DawidSkene:
    """True labels and annotators' error rates from their votes, by expectation maximisation.

    Starts from the vote shares of each item and iterates until the log-likelihood gains less than 1e-10 of
    itself, at most 10,000 times. No smoothing: a confusion that was never seen has probability 0.

    Args:
        votes: (item, annotator, label); one annotator may vote more than once on an item.

    Returns:
        The fit; labels, items and annotators sorted, so that the order of the votes does not matter.

    Raises:
        TableError: there is no vote.

    References:
        Dawid and Skene (1979), Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm,
        JRSS C 28(1), equations 2.3–2.5.
    """
    triples = sorted(votes)
    if not triples:
        raise TableError("Dawid–Skene needs at least one vote; got none")
    items, item_at = _index(item for item, _, _ in triples)
    annotators, annotator_at = _index(annotator for _, annotator, _ in triples)
    labels, label_at = _index(label for _, _, label in triples)
    i = np.array([item_at[item] for item, _, _ in triples])
    a = np.array([annotator_at[annotator] for _, annotator, _ in triples])
    v = np.array([label_at[label] for _, _, label in triples])

    posterior = np.zeros((len(items), len(labels)))
    np.add.at(posterior, (i, v), 1.0)
    posterior /= posterior.sum(axis=1, keepdims=True)
    previous, log_likelihood, iterations = -np.inf, -np.inf, 0
    for iterations in range(1, 10_001):  # noqa: B007 - the count is part of the result
        priors = posterior.mean(axis=0)
        confusion = np.zeros((len(annotators), len(labels), len(labels)))
        np.add.at(confusion.transpose(0, 2, 1), (a, v), posterior[i])
        seen = confusion.sum(axis=2, keepdims=True)
        confusion = np.divide(confusion, seen, out=np.zeros_like(confusion), where=seen > 0)
        with np.errstate(divide="ignore"):
            log_joint = np.tile(np.log(priors), (len(items), 1))
            np.add.at(log_joint, i, np.log(confusion[a, :, v]))
        peak = log_joint.max(axis=1, keepdims=True)
        joint = np.exp(log_joint - peak)
        total = joint.sum(axis=1, keepdims=True)
        posterior = joint / total
        log_likelihood = float((peak + np.log(total)).sum())
        if log_likelihood - previous <= 1e-10 * abs(log_likelihood):
            break
        previous = log_likelihood
    return DawidSkene(
        posterior={item: _named(labels, posterior[n]) for n, item in enumerate(items)},
        priors=_named(labels, priors),
        confusion={
            annotator: {label: _named(labels, confusion[n, m]) for m, label in enumerate(labels)}
            for n, annotator in enumerate(annotators)
        },
        log_likelihood=log_likelihood,
        iterations=iterations,
    )


def _index(values: Iterable[str]) -> tuple[list[str], dict[str, int]]:
    names = sorted(set(values))
    return names, {name: position for position, name in enumerate(names)}


def _named(labels: list[str], row: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> dict[str, float]:
    return dict(zip(labels, row.tolist(), strict=True))
