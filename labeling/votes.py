"""Choose the answers that count as votes: each annotator's latest, without skips and ignored people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from labeling.records import Annotation
from labeling.scheme import Stance


def counted(annotations: Iterable[Annotation], ignored: Collection[str]) -> list[Annotation]:
    """The answers that count: those of annotators whom `[labeling] ignore` doesn't name."""
    return [row for row in annotations if row.annotator not in ignored]


def latest_answers(annotations: Iterable[Annotation]) -> dict[tuple[str, str], Annotation]:
    """The last answer of each annotator to each sentence, skips included; control items are left out.

    Returns:
        (sentence_id, annotator) → answer, sorted.
    """
    last: dict[tuple[str, str], Annotation] = {}
    for row in sorted(
        annotations, key=lambda row: (row.updated_at, row.studio_id or 0, row.created_at, row.stance or "", row.unsure)
    ):
        if not row.control:
            last[row.sentence_id, row.annotator] = row
    return dict(sorted(last.items()))


def latest_votes(annotations: Iterable[Annotation]) -> dict[str, dict[str, Stance]]:
    """The vote of each annotator on each sentence: the last answer counts.

    A skip is not a vote, and neither is an answer to a control item.

    Returns:
        sentence_id → annotator → stance, both sorted; sentences that everyone skipped are left out.
    """
    votes: dict[str, dict[str, Stance]] = {}
    for (sentence_id, annotator), row in latest_answers(annotations).items():
        if row.stance is not None:
            votes.setdefault(sentence_id, {})[annotator] = row.stance
    return votes


def skips(
    annotations: Iterable[Annotation], copy_of: Mapping[str, str], voters: Mapping[str, Collection[str]]
) -> dict[str, int]:
    """How many annotators skipped each copy group, by their last answers, and did not vote on it.

    Args:
        annotations: the answers that count.
        copy_of: the copy group of each sentence.
        voters: copy group → the annotators who voted on it.
    """
    found: dict[str, set[str]] = {}
    for (key, annotator), row in latest_answers(annotations).items():
        if row.stance is None and key in copy_of and annotator not in voters.get(copy_of[key], ()):
            found.setdefault(copy_of[key], set()).add(annotator)
    return {group: len(names) for group, names in found.items()}


def alike(votes: Mapping[str, str]) -> float:
    """The share of pairs of votes that are alike; 1 for a single vote, 0 for none."""
    n = len(votes)
    if n < 2:
        return float(n)
    return sum(count * (count - 1) for count in Counter(votes.values()).values()) / (n * (n - 1))


def numbered(names: Iterable[str]) -> tuple[list[str], dict[str, int]]:
    """The names in alphabetical order, each once, and the position of each, from 0."""
    order = sorted(set(names))
    return order, {name: position for position, name in enumerate(order)}
