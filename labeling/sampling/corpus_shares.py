"""Estimate the share of each stance in the whole corpus from the labels of drawn sentences."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
import numpy as np

from labeling.sampling.sample_table import Draw
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.statistics.intervals import Estimate, share_estimates

Key = TypeVar("Key", bound=Hashable)

NEARLY = 1e-9
"""The relative error that sums of 1 / probability may have: less than one unit in a corpus of up to 10⁹."""
WHOLE = 0.95
"""The share of a round in corpus order, by `all`, that must be labelled: its beginning is not a random sample."""


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """The share of each stance, as labelled and as estimated for the corpus.

    Attributes:
        raw: shares among the `labelled` units, each counting once: what was labelled, not what the corpus holds.
        weighted: estimated shares among all sentences of the corpus, copies counted; None if no round allows an
            estimate.
        labelled: number of units with a label.
        carrying: number of these units that `weighted` is estimated from.
        unlabelled: number of units that were drawn and have no label yet.
    """

    raw: dict[Stance, Estimate]
    weighted: dict[Stance, Estimate] | None
    labelled: int
    carrying: int
    unlabelled: int


class RoundShares(msgspec.Struct, frozen=True, kw_only=True):
    """The share of each stance among the units that one round drew.

    Attributes:
        by: ways in which the round drew them, sorted.
        drawn: number of units that it drew and that are still in the corpus.
        labelled: number of these with a label.
        raw: shares among these, each counting once: what this round found, not what the corpus holds.
    """

    by: list[str]
    drawn: int
    labelled: int
    raw: dict[Stance, Estimate]


def known_by(
    settled: Mapping[str, Stance], draws: Iterable[Draw], unit_of: Mapping[str, Key]
) -> tuple[dict[Key, str], dict[str, Stance]]:
    """The sentence that stands for each group of exact copies, and its stance.

    Args:
        settled: stance of each settled sentence; sentences that are no longer in the corpus do not count.
        draws: draws of all rounds.
        unit_of: copy group of each sentence of the corpus that is settled or drawn.

    Returns:
        The sentence that stands for each group: the member that was drawn, or else the first that is settled; and the
        stance of each of these sentences, by its own verdict before that of a copy.
    """
    here = {name: stance for name, stance in sorted(settled.items()) if name in unit_of}
    stands = {unit_of[name]: name for name in reversed(here)}
    stands |= {unit_of[row.sentence_id]: row.sentence_id for row in draws if row.sentence_id in unit_of}
    stance_of: dict[str, Stance] = {}
    for name, stance in here.items():
        known = stands[unit_of[name]]
        stance_of.setdefault(known, here.get(known, stance))
    return stands, stance_of


def weights(draws: Iterable[Draw], population: int, labelled: Collection[str] | None = None) -> dict[str, float]:
    """A weight for each drawn unit, so that weighted sums estimate sums over the whole corpus.

    Each round r whose units of known probability, K_r, were drawn from all that was left, U_r, gives an unbiased
    estimate of a corpus total, whatever earlier rounds have chosen and why::

        T_r = Σ y_i of all units drawn before r  +  Σ y_i / p_i of K_r

    and so does a weighted mean of these estimates. A round weighs as a simple random sample of its size would,
    a_r = k_r / (|U_r| (|U_r| - k_r)) with k_r = |K_r|: that depends on sizes alone and not on what was drawn, so the
    mean stays unbiased. A round that leaves nothing over is exact, and counts alone. So the weight of a unit that
    round q drew is::

        w_i = (a_q / p_i if i in K_q  +  Σ a_r over r > q) / Σ a_r

    Where `labelled` is given, a round's units of one way of drawing stand for its unlabelled ones too: with m of n
    labelled, their 1 / p_i (and their 1 in later rounds) count n / m times, and k_r is m. That is right when chance
    decides which are labelled, as it does when a random round is labelled in its order; less so for the sentences of
    which the model was least sure, and not for the beginning of a round in corpus order (by `all`), which gives no
    estimate before 19 in 20 are labelled. Earlier picks of which none is labelled are left out of what is estimated.

    Σ 1 / p_i over K_r is |U_r| itself in all of stance's ways of drawing. Where it and the units drawn before fall
    short of the corpus (a stratum is missing, or articles were added later), the round does not represent the corpus
    and gives no estimate.

    Args:
        draws: draws of all rounds; control items and rounds of archives do not count.
        population: number of units in the corpus, drawn or not.
        labelled: ids of the units that have a label; None stands for all that were drawn.

    Returns:
        The weight of each drawn (and labelled) unit, 0 for one that does not count; empty if no round allows an
        estimate.

    References:
        Des Raj (1956), Some estimators in sampling with varying probabilities without replacement, JASA 51:269-284.
        The same idea for active learning: Farquhar, Gal and Rainforth (2021), On Statistical Bias in Active
        Learning: How and When to Fix It, ICLR.

    >>> first = Draw(sentence_id="a", round=1, by="document")
    >>> weights([first, Draw(sentence_id="b", round=2, by="random", probability=0.25)], population=5)
    {'a': 1.0, 'b': 4.0}
    """
    rounds: dict[int, list[Draw]] = defaultdict(list)
    for row in draws:
        if row.is_of_corpus:
            rounds[row.round].append(row)
    have = {
        row.sentence_id for rows in rounds.values() for row in rows if labelled is None or row.sentence_id in labelled
    }
    worth: dict[int, float] = {}
    before, exact = 0, False
    for number, rows in sorted(rounds.items()):
        size = math.fsum(1 / row.probability for row in rows if row.probability is not None)
        known = sum(row.probability is not None and row.sentence_id in have for row in rows)
        chance = rows[0].by != "all" or known >= WHOLE * len(rows)
        if known and chance and before + size >= population * (1 - NEARLY):
            left = size - known
            if exact or left <= size * NEARLY:
                worth.clear()  # after an exact round there is something to draw only where the corpus has changed
            exact = left <= size * NEARLY
            worth[number] = 1.0 if exact else known / (size * left)
        before += len(rows)
    if not worth:
        return {}
    total, later = math.fsum(worth.values()), 0.0
    result: dict[str, float] = {}
    for number, rows in sorted(rounds.items(), reverse=True):
        drawn = Counter(row.by for row in rows)
        present = Counter(row.by for row in rows if row.sentence_id in have)
        own = worth.get(number, 0.0) / total
        for row in rows:
            if row.sentence_id in have:
                one = later if row.probability is None else later + own / row.probability
                result[row.sentence_id] = one * drawn[row.by] / present[row.by]
        later += own
    return dict(sorted(result.items()))


def shares(
    draws: Sequence[Draw],
    stance_of: Mapping[str, Stance],
    copies: Mapping[str, int],
    article_of: Mapping[str, str],
    population: int,
    scheme: Scheme = DEFAULT,
) -> Shares | None:
    """The share of each stance among the labelled units, and its estimate for the whole corpus.

    The estimate is the ratio of two weighted sums (Hájek 1971), each unit counting its weight times its copies.
    It assumes that the labels are right, and that those still missing are missing by chance. Rounds have a random order
    for that reason, but sentences on which people disagree settle last, so the estimate of
    a half-settled round leans toward the easy ones.

    Intervals are those of `labeling.statistics.intervals.share_estimates`, over the articles with labels. They make no
    use of how much of the corpus is labelled, so they are rather too wide where that is a large part.

    Args:
        draws: draws of all rounds.
        stance_of: label of each unit that has one.
        copies: number of sentences of each unit that is labelled or drawn; units that are not in it have left the
            corpus and do not count.
        article_of: article of each labelled unit of the corpus.
        population: number of units of the corpus, drawn or not.
        scheme: labels of the project.

    Returns:
        The shares, from 0 to 1; None where no unit of the corpus has a label.
    """
    labelled = sorted(stance_of.keys() & copies.keys())
    if not labelled:
        return None
    weight_of = weights(draws, population, stance_of.keys())
    worth = {name: weight_of[name] * copies[name] for name in labelled if weight_of.get(name)}
    drawn = {row.sentence_id for row in draws if row.is_of_corpus} & copies.keys()
    return Shares(
        raw=_estimates(dict.fromkeys(labelled, 1.0), stance_of, article_of, scheme),
        weighted=_estimates(worth, stance_of, article_of, scheme) if worth else None,
        labelled=len(labelled),
        carrying=len(worth),
        unlabelled=len(drawn - stance_of.keys()),
    )


def shares_by_round(
    draws: Iterable[Draw],
    stance_of: Mapping[str, Stance],
    copies: Collection[str],
    article_of: Mapping[str, str],
    scheme: Scheme = DEFAULT,
) -> dict[int, RoundShares]:
    """The share of each stance among the labelled units of each round, where several rounds have some.

    Args:
        draws: draws of all rounds; control items do not count.
        stance_of: label of each unit that has one.
        copies: the units that are still in the corpus.
        article_of: article of each labelled unit of the corpus.
        scheme: labels of the project.

    Returns:
        The shares by number of the round, from 0 to 1, with intervals over articles; empty unless two rounds or more
        have a label.
    """
    rounds: dict[int, list[Draw]] = defaultdict(list)
    for row in draws:
        if row.is_sampled and row.sentence_id in copies:
            rounds[row.round].append(row)
    labelled = {
        number: [row.sentence_id for row in rows if row.sentence_id in stance_of]
        for number, rows in sorted(rounds.items())
    }
    labelled = {number: units for number, units in labelled.items() if units}
    if len(labelled) < 2:
        return {}
    return {
        number: RoundShares(
            by=sorted({row.by for row in rounds[number]}),
            drawn=len(rounds[number]),
            labelled=len(units),
            raw=_estimates(dict.fromkeys(sorted(units), 1.0), stance_of, article_of, scheme),
        )
        for number, units in labelled.items()
    }


def _estimates(
    worth: Mapping[str, float], stance_of: Mapping[str, Stance], article_of: Mapping[str, str], scheme: Scheme
) -> dict[Stance, Estimate]:
    articles = {name: n for n, name in enumerate(sorted({article_of[unit] for unit in worth}))}
    sums = np.zeros((len(articles), len(scheme.names)))
    for unit, value in worth.items():
        sums[articles[article_of[unit]], scheme.names.index(stance_of[unit])] += value
    weights = np.array(list(worth.values()))
    units = float(weights.sum() ** 2 / (weights**2).sum())
    return dict(zip(scheme.names, share_estimates(sums, units), strict=True))
