"""Measure the annotators' ceiling for the model: how often each annotator agrees with the majority of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from labeling.records import is_unknown
from labeling.scheme import DEFAULT, Scheme, Stance
from train.metrics import Comparison, compare_tables, confusions, summaries


class _Answer(NamedTuple):
    """The others' majority label of a sentence, the annotator's and the model's labels, and the sentence's group."""

    reference: Stance
    given: tuple[Stance, Stance]
    group: str


class AnnotatorScore(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of an annotator against the majority of the others on `n` sentences, and the model's on the same ones."""

    annotator: str
    n: int
    f_avg: float
    macro_f1: float
    model_f_avg: float
    model_macro_f1: float


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """The annotators' scores against the majority of the others, with the model's on the same sentences.

    Attributes:
        annotators: scores of each annotator, sorted by name; empty where no answer could be compared with a majority of
            the others.
        compared: comparison of the model (first) with all annotators together (second); `n` counts annotators' answers.
        near: `below` or `above` where the interval of the difference in F_avg excludes 0, otherwise `near`, which may
            also mean that the sentences are too few to tell; `unknown` where there is no interval.
    """

    annotators: list[AnnotatorScore]
    compared: Comparison
    near: Literal["near", "below", "above", "unknown"]


def ceiling(
    votes: Sequence[Mapping[str, Stance]],
    given: Sequence[Stance],
    groups: Sequence[str],
    seed: int,
    scheme: Scheme = DEFAULT,
) -> Ceiling:
    """Score annotators in the same way as the model, and say whether the model is near them.

    Each annotator is scored against the label that more than half of the others gave, and the model against the same
    labels on the same sentences. Answers without a known annotator are left out, as they may be the annotator's own.
    Sentences on which the others have no majority are left out too. So the model's score here is not its score on the
    verdicts; it is the one to compare with the annotators'. The score of all annotators together is computed from the
    sum of their confusion tables, so that every answer has the same weight.

    A single other annotator counts as a majority here. `train.evaluate.analysis.analyse` therefore passes only the
    votes of sentences with three or more.

    Args:
        votes: stance by annotator for each test sentence; empty for a sentence without votes.
        given: predictions of the model, in the same order.
        groups: group of each sentence.
        seed: seed of the bootstrap over groups, which draws annotators and model together.
        scheme: labels of the examples.

    References:
        Gale, Church & Yarowsky (1992), Estimating Upper and Lower Bounds on the Performance of Word-Sense
        Disambiguation Programs, ACL: human judges as an upper bound. F_avg is that of `train.metrics.evaluate`.

    >>> votes = [{"A1": "favor", "A2": "favor", "A3": "none"}, {"A1": "against", "A2": "against", "A3": "against"}]
    >>> found = ceiling(votes, ["favor", "none"], ["g1", "g2"], seed=1)
    >>> found.compared.n, found.compared.second.value, found.near
    (4, 0.5, 'unknown')
    """
    names = sorted(set(groups))
    people: dict[str, list[_Answer]] = {}
    for everyone, guess, group in zip(votes, given, groups, strict=True):
        by = {who: vote for who, vote in everyone.items() if not is_unknown(who)}
        for who, vote in by.items():
            others = Counter(label for name, label in by.items() if name != who)
            if others and 2 * max(others.values()) > others.total():
                reference = max(others, key=lambda label: others[label])
                people.setdefault(who, []).append(_Answer(reference, (vote, guess), group))
    rows: list[AnnotatorScore] = []
    human, model = np.zeros((2, len(names), len(scheme.names), len(scheme.names)))
    for who in sorted(people):
        answers = people[who]
        true, where = [row.reference for row in answers], [row.group for row in answers]
        theirs, its = (confusions(true, [row.given[n] for row in answers], where, names, scheme) for n in range(2))
        human, model = human + theirs, model + its
        f = [summaries(table.sum(axis=0)[None], scheme)[:2, 0].tolist() for table in (theirs, its)]
        rows.append(
            AnnotatorScore(
                annotator=who, n=len(true), f_avg=f[0][0], macro_f1=f[0][1], model_f_avg=f[1][0], model_macro_f1=f[1][1]
            )
        )
    touched = human.sum(axis=(1, 2)) > 0  # a group without a usable vote is not part of the sample
    compared = compare_tables(model[touched], human[touched], int(human.sum()), seed, scheme)
    return Ceiling(annotators=rows, compared=compared, near=_near(compared))


def _near(compared: Comparison) -> Literal["near", "below", "above", "unknown"]:
    if (compared.f_avg.low, compared.f_avg.high) == (-1, 1):
        return "unknown"
    if compared.f_avg.high < 0:
        return "below"
    return "above" if compared.f_avg.low > 0 else "near"
