"""Votes to verdicts: unanimity and majority settle, everything else is left open and listed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import numpy as np

from corpus.records import StanceError, TableError
from corpus.store import read_jsonl, write_jsonl
from labeling.records import STANCES, Annotation, How, Stance, Unsettled, Verdict, latest_votes


class AdjudicateSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many sentences were settled, by how, and how many are open."""

    settled: dict[str, int]
    unsettled: int
    changed: bool


class DawidSkene(msgspec.Struct, frozen=True, kw_only=True):
    """What EM found: labels' posterior for each item, priors, and each annotator's confusion matrix.

    `confusion[annotator][true][given]` is the probability that the annotator gives `given` when `true` holds.
    """

    posterior: dict[str, dict[str, float]]
    priors: dict[str, float]
    confusion: dict[str, dict[str, dict[str, float]]]
    log_likelihood: float
    iterations: int


def adjudicate(work: Path) -> AdjudicateSummary:
    """Settle what the votes settle: `annotations.jsonl` to `verdicts.jsonl` and `queue.jsonl`.

    Args:
        work: the project's folder of tables.

    Raises:
        TableError: the annotations are missing or malformed.
        StanceError: there is no vote at all.
    """
    annotations = read_jsonl(work / "annotations.jsonl", Annotation, "stance pull")
    verdicts, queue = settle(annotations)
    if not verdicts and not queue:
        raise StanceError(
            f"{work / 'annotations.jsonl'} holds no vote, only {len(annotations)} skips: "
            "label some sentences and run `stance pull`"
        )
    changed = [write_jsonl(work / "verdicts.jsonl", verdicts), write_jsonl(work / "queue.jsonl", queue)]
    return AdjudicateSummary(
        settled=dict(Counter(verdict.how for verdict in verdicts).most_common()),
        unsettled=len(queue),
        changed=any(changed),
    )


def settle(annotations: list[Annotation]) -> tuple[list[Verdict], list[Unsettled]]:
    """Verdicts by the votes, and the sentences that they leave open.

    One vote is `single`, equal votes are `unanimous`, a label with more than half of the votes is the
    `majority`. Anything else stays open: no order of rows, names or labels breaks a tie.

    Args:
        annotations: in any order; the last answer of a person to a sentence counts, a skip is no vote.

    Returns:
        Verdicts and open sentences, each sorted by sentence.
    """
    versions: dict[str, set[str]] = defaultdict(set)
    for row in annotations:
        if row.stance is not None:
            versions[row.sentence_id].add(row.codebook)
    verdicts: list[Verdict] = []
    queue: list[Unsettled] = []
    for sentence_id, by in latest_votes(annotations).items():
        stance, how = _majority(by)
        if stance is None:
            counts = Counter(by.values())
            split = ", ".join(f"{counts[label]} {label}" for label in STANCES if counts[label])
            queue.append(Unsettled(sentence_id=sentence_id, votes=by, reason=f"no majority: {split}"))
        else:
            verdicts.append(
                Verdict(
                    sentence_id=sentence_id,
                    stance=stance,
                    how=how,
                    votes=by,
                    codebook=", ".join(sorted(versions[sentence_id])),
                )
            )
    return verdicts, queue


def _majority(by: Mapping[str, Stance]) -> tuple[Stance | None, How]:
    ((stance, most),) = Counter(by.values()).most_common(1)
    if len(by) == 1:
        return stance, "single"
    if most == len(by):
        return stance, "unanimous"
    return (stance if 2 * most > len(by) else None), "majority"


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
