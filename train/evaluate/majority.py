"""Predict the most frequent label, which every model must beat."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from labeling.scheme import DEFAULT, Scheme, Stance
from train.records import Example


def majority(training: Sequence[Example], targets: Sequence[str], scheme: Scheme = DEFAULT) -> list[Stance]:
    """Predict for each target its most frequent training label; of equally frequent ones the first of the scheme.

    A target unseen in training gets the most frequent label of all training examples. On SemEval-2016 6A this baseline
    has the published F_avg of 65.22.

    Args:
        training: training examples.
        targets: target of each text to predict.
        scheme: labels of the examples.

    Returns:
        A label for each text, in the order of `targets`.
    """
    counts: dict[str, Counter[Stance]] = defaultdict(Counter)
    for row in training:
        counts[row.target][row.label] += 1
    everything: Counter[Stance] = sum(counts.values(), Counter())
    label = {target: _most_frequent(counts.get(target, everything), scheme) for target in set(targets)}
    return [label[target] for target in targets]


def _most_frequent(counts: Counter[Stance], scheme: Scheme) -> Stance:
    return max(scheme.names, key=lambda label: (counts[label], -scheme.names.index(label)))
