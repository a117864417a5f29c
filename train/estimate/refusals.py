"""Decide whether a group of sentences has enough verdicts for an interval, and say how many it would take."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from corpus.numbers import agreeing, number
from train.estimate.inputs import Inputs
from train.predict.influence import Places
from train.predict.shares import FEWEST_ARTICLES, FEWEST_LABELS


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to estimate the shares of a group from.

    Attributes:
        sentences: number of sentences in the group, copies counted.
        verdicts: number of copy groups with a verdict.
        sampled: number of these that were drawn with a known probability; only they make an interval.
        articles: number of articles that the sampled ones come from.
        more: number of sampled verdicts that are missing for an interval; 0 where there is one, and None where even
            all sentences of the group would not be enough.
        draw: number of sentences that a random round of the whole corpus must draw for `more` of them to be in the
            group, on average; None where `more` is.
        reason: why there is no interval; "" if there is one.
    """

    sentences: int
    verdicts: int
    sampled: int
    articles: int
    more: int | None
    draw: int | None
    reason: str


def support(inputs: Inputs, here: Places) -> Support:
    """What there is to estimate the shares of a group from, and why there can be no interval.

    Args:
        inputs: the corpus.
        here: positions of the group's sentences.
    """
    unit, home = inputs.unit[here], inputs.home[here]
    sampled, verdict = inputs.sampled[here], inputs.verdict[here]
    units, homes = len(np.unique(unit)), len(np.unique(home))
    count, articles = len(np.unique(unit[sampled])), len(np.unique(home[sampled]))
    verdicts = len(np.unique(unit[verdict]))
    more: int | None = max(FEWEST_LABELS - count, 0)
    if articles < FEWEST_ARTICLES:
        # So many articles more at the rate at which the sampled ones were met, and one label each at the least.
        more = max(more or 0, FEWEST_ARTICLES - articles, math.ceil(count * FEWEST_ARTICLES / max(articles, 1)) - count)
    free = units - verdicts
    reason = ""
    if units < FEWEST_LABELS or homes < FEWEST_ARTICLES:
        more = None
        reason = (
            f"it takes {FEWEST_LABELS} labels in {FEWEST_ARTICLES} articles, and there are only "
            f"{number(units, 'different sentence')}, counted with {number(homes, 'article')}"
        )
    elif more:
        reason = (
            f"it takes {FEWEST_LABELS} labels in {FEWEST_ARTICLES} articles, drawn with a known probability, and there "
            f"{agreeing(count, 'are')} {number(count, 'such label')} in {number(articles, 'article')}"
        )
        if verdicts > count:
            reason += (
                f" (its other {verdicts - count:,} verdicts can't be used: nobody knows how probable it was that they "
                "were drawn, or their round does not represent the corpus)"
            )
        if more > free:
            more = None
            reason += f", and only {free:,} of its sentences have no verdict yet"
    return Support(
        sentences=len(here),
        verdicts=verdicts,
        sampled=count,
        articles=articles,
        more=more,
        draw=_draw(inputs, more, free) if more is not None else None,
        reason=reason,
    )


def _draw(inputs: Inputs, more: int, free: int) -> int:
    """How many sentences of the whole corpus a random round must draw for `more` of a group's `free` ones."""
    return min(math.ceil(more * inputs.unlabelled / free), inputs.unlabelled) if more else 0


def advice(found: Support) -> str:
    """The reason, and the number of labels that an interval would take."""
    if not found.more:
        return found.reason
    return (
        f"{found.reason}: {number(found.more, 'more label')} would be needed, for which a random round (`stance push "
        f"--limit N`) must draw about {number(found.draw or 0, 'sentence')}"
    )
