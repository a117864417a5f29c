"""Which votes a model learns from: those for texts with three votes or more, for labels that it can learn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Scheme, Stance
from train.records import Example

FEWEST_VOTES = 3
"""Votes that a text needs, so that their shares are learned: of two people who disagree nobody knows who is alone."""


def enough_votes(votes: Iterable[Stance]) -> dict[Stance, int]:
    """The number of votes for each label, sorted by label; empty where there are fewer than three votes.

    >>> enough_votes(["none", "favor", "none"]), enough_votes(["favor", "none"])
    ({'favor': 1, 'none': 2}, {})
    """
    counts = Counter(votes)
    return dict(sorted(counts.items())) if counts.total() >= FEWEST_VOTES else {}


class Learnable(msgspec.Struct, frozen=True, kw_only=True):
    """Examples with the votes that a model learns from, and what the user should know about them."""

    examples: list[Example]
    notes: list[str]


def learnable(examples: Sequence[Example], scheme: Scheme = DEFAULT) -> Learnable:
    """Leave out votes for labels that the verdict of no training example of the target has.

    A model is trained only on labels with ten verdicts or more. A label that is known from single votes alone would
    weigh as much as any other, because labels are weighted to count the same.

    Args:
        examples: examples with their splits and votes; the votes of test examples stay as they are.
        scheme: labels of the project, in the order in which the notes list them.

    Returns:
        The examples in their order. The notes say how many are learned by their votes, and how many votes were left
        out.
    """
    known: dict[str, set[Stance]] = defaultdict(set)
    for row in examples:
        if row.split != "test":
            known[row.target].add(row.label)
    found: list[Example] = []
    lost: Counter[Stance] = Counter()
    for row in examples:
        if row.split != "test" and row.votes:
            lost.update({label: count for label, count in row.votes.items() if label not in known[row.target]})
            kept = {label: count for label, count in row.votes.items() if label in known[row.target]}
            row = msgspec.structs.replace(row, votes=kept)
        found.append(row)
    training = [row for row in found if row.split != "test"]
    by_votes = sum(bool(row.votes) for row in training)
    split = sum(len(row.votes) > 1 for row in training)
    notes = [
        f"{by_votes} of {len(training)} training examples have three votes or more and are learned by the shares of "
        f"their votes, which are for several labels in {split} of them; the others are learned by their verdict"
    ]
    if lost:
        labels = ", ".join(f"{label} {lost[label]}" for label in scheme.in_order(lost))
        notes.append(
            f"{lost.total()} votes for labels that no verdict of a training example is were left out: {labels}"
        )
    return Learnable(examples=found, notes=notes)


def check_votes(examples: Sequence[Example]) -> None:
    """Refuse to learn from votes where there are none to learn from.

    Raises:
        ExamplesError: no training example has three votes.
    """
    training = [row for row in examples if row.split != "test"]
    if not any(row.votes for row in training):
        raise ExamplesError(
            '[train] votes = "soft" learns from the shares of the votes: expected training examples with '
            f"{FEWEST_VOTES} votes or more; found none among {len(training)}. Let more annotators label the same "
            'sentences ([labeling] overlap), or set votes = "hard"'
        )
