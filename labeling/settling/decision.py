"""Decide what the votes on one sentence settle, or why they leave it open."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from labeling.records import How, LabelingSettings
from labeling.scheme import Scheme, Stance
from labeling.statistics.dawid_skene import dawid_skene

Votes = dict[str, Stance]


class Decided(msgspec.Struct, frozen=True):
    """The label that the votes settle, and how."""

    stance: Stance
    how: How


class Open(msgspec.Struct, frozen=True):
    """Why the votes leave a sentence open."""

    reason: str


def decide(
    by: Votes,
    unsure: Collection[str],
    posterior: Mapping[str, float],
    settings: LabelingSettings,
    scheme: Scheme,
) -> Decided | Open:
    """The label and how it was settled; otherwise, why it is open."""
    if not by:
        return Open("no vote under this codebook")
    counts = Counter(by.values())
    shown = ", ".join(f"{counts[name]} {name}" for name in scheme.names if counts[name])
    if len(by) < settings.fewest_votes:
        return Open(f"fewer votes than the {settings.fewest_votes} of [labeling] fewest_votes: {shown}")
    most = max(counts.values())
    label = next(stance for stance in scheme.names if counts[stance] == most)
    how: How = "single" if len(by) == 1 else "unanimous" if most == len(by) else "majority"
    if posterior:
        best = max(posterior.values())
        likely = [stance for stance in scheme.names if math.isclose(posterior.get(stance, 0.0), best, rel_tol=1e-9)]
        if best < settings.confidence or len(likely) > 1:
            return Open(f"Dawid and Skene's model is {best:.2f} sure of {' or '.join(likely)}: {shown}")
        if how in {"single", "unanimous"} and likely != [label]:
            return Open(f"all votes say {label}, Dawid and Skene's model {likely[0]}")
        if how == "majority":
            label, how = likely[0], "dawid_skene"
    elif settings.verdicts == "median":
        middle = middle_labels(by.values(), scheme.names)
        if len(middle) > 1:
            return Open(f"the median is between {' and '.join(middle)}: {shown}")
        if how == "majority":
            label, how = middle[0], "median"
    elif 2 * most <= len(by):
        return Open(f"no majority: {shown}")
    if how == "single" and by.keys() <= set(unsure):
        return Open(f"the one vote is unsure: {shown}")
    return Decided(label, how)


def middle_labels(votes: Iterable[Stance], order: Sequence[Stance]) -> list[Stance]:
    """The median of votes on a scale: one label, or the two in the middle of an even number of votes if they differ.

    >>> middle_labels(["low", "high", "high", "middle"], ["low", "middle", "high"])
    ['middle', 'high']
    """
    places = sorted(map(order.index, votes))
    middle = {places[(len(places) - 1) // 2], places[len(places) // 2]}
    return [order[place] for place in sorted(middle)]


def posteriors(votes: Mapping[str, Votes]) -> dict[str, dict[str, float]]:
    """The probability of each label of each sentence, by the model of Dawid and Skene; empty if there is no vote."""
    if not votes:
        return {}
    return dawid_skene((item, who, label) for item, by in votes.items() for who, label in by.items()).posterior
