"""Estimate true labels and annotators' error rates from votes, with the model of Dawid and Skene."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from corpus.errors import TableError
from labeling.votes import numbered


class DawidSkene(msgspec.Struct, frozen=True, kw_only=True):
    """The estimate of Dawid and Skene's model.

    `posterior[item][label]` is the probability that the label is the item's true one, and `priors[label]` the share of
    items with that true label. `confusion[annotator][true][given]` is the probability that the annotator answers
    `given` when the true label is `true`.
    """

    posterior: dict[str, dict[str, float]]
    priors: dict[str, float]
    confusion: dict[str, dict[str, dict[str, float]]]
    log_likelihood: float
    iterations: int


def dawid_skene(votes: Iterable[tuple[str, str, str]]) -> DawidSkene:
    """Estimate true labels and annotators' error rates from votes, by expectation maximisation.

    The estimate starts from the shares of the votes on each item. It stops when a step raises the log-likelihood by
    less than 1e-10 of its value, or after 10,000 steps. Nothing is smoothed: an error that was never seen has the
    probability 0.

    Args:
        votes: triples of item, annotator and label. One annotator may vote more than once on an item.

    Returns:
        The posterior probabilities of each item's labels, the labels' prior probabilities, each annotator's confusion
        matrix, and the log-likelihood. The order of the votes does not matter.

    Raises:
        TableError: there is no vote.

    References:
        Dawid and Skene (1979), Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm,
        JRSS C 28(1), equations 2.3–2.5.

    >>> votes = [("s1", "A1", "favor"), ("s1", "A2", "favor"), ("s2", "A1", "none"), ("s2", "A2", "none")]
    >>> dawid_skene(votes).posterior["s1"]
    {'favor': 1.0, 'none': 0.0}
    """
    triples = sorted(votes)
    if not triples:
        raise TableError("Dawid–Skene needs at least one vote; got none")
    items, item_at = numbered(item for item, _, _ in triples)
    annotators, annotator_at = numbered(annotator for _, annotator, _ in triples)
    labels, label_at = numbered(label for _, _, label in triples)
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


def _named(labels: list[str], row: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> dict[str, float]:
    return dict(zip(labels, row.tolist(), strict=True))
