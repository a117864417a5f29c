"""The annotators as a ceiling for the model: how well each of them meets the label of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from labeling.records import Stance, is_unknown
from train.metrics import Comparison, compare_tables, confusions, summaries


class _Answer(NamedTuple):
    """What the others say of a sentence, and what the annotator and the model do."""

    reference: Stance
    given: tuple[Stance, Stance]
    group: str


class AnnotatorScore(msgspec.Struct, frozen=True, kw_only=True):
    """An annotator against the majority of the others on `n` sentences, and the model on the same."""

    annotator: str
    n: int
    f_avg: float
    macro_f1: float
    model_f_avg: float
    model_macro_f1: float


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """The annotators' scores, by the majority of the others, beside the model's on the same sentences.

    Attributes:
        annotators: each of them, sorted by name; empty where no two people labelled a sentence.
        compared: the model (first) and all annotators together (second); `n` counts annotators' answers.
        near: `below` or `above` where the interval of the difference in F_avg leaves out 0, else `near`: they
            can't be told apart, which few sentences may also mean; `unknown` where there is no interval.
    """

    annotators: list[AnnotatorScore]
    compared: Comparison
    near: Literal["near", "below", "above", "unknown"]


def ceiling(
    votes: Sequence[Mapping[str, Stance]], given: Sequence[Stance], groups: Sequence[str], seed: int
) -> Ceiling:
    """Score annotators as the model is scored, and say whether the model is near them.

    Each annotator is scored against what more than half of the others say; the model, on the same sentences,
    against the same labels. Answers of which nobody knows who gave them are left out: they may be the annotator's own.
    Sentences where the others are split say nothing about either and are left out as well, and
    so the model's score here is not that on the verdicts: it is what compares with the annotators'. Scores of
    all annotators are from the sum of their tables: an answer counts the same whoever gave it.

    Args:
        votes: annotator → stance for each test sentence; others' data has none, which gives an empty ceiling.
        given: the model's predictions, in the same order.
        groups: each sentence's group.
        seed: seed of the bootstrap over groups, which draws annotators and model together.
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
    human, model = np.zeros((2, len(names), 3, 3))
    for who in sorted(people):
        answers = people[who]
        true, where = [row.reference for row in answers], [row.group for row in answers]
        theirs, its = (confusions(true, [row.given[n] for row in answers], where, names) for n in range(2))
        human, model = human + theirs, model + its
        f = [summaries(table.sum(axis=0)[None])[:2, 0].tolist() for table in (theirs, its)]
        rows.append(
            AnnotatorScore(
                annotator=who, n=len(true), f_avg=f[0][0], macro_f1=f[0][1], model_f_avg=f[1][0], model_macro_f1=f[1][1]
            )
        )
    touched = human.sum(axis=(1, 2)) > 0  # a group without a usable vote is no part of the sample
    compared = compare_tables(model[touched], human[touched], int(human.sum()), seed)
    return Ceiling(annotators=rows, compared=compared, near=_near(compared))


def _near(compared: Comparison) -> Literal["near", "below", "above", "unknown"]:
    if (compared.f_avg.low, compared.f_avg.high) == (-1, 1):
        return "unknown"
    if compared.f_avg.high < 0:
        return "below"
    return "above" if compared.f_avg.low > 0 else "near"
