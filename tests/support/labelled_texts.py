"""Labelled texts of made-up words, from which a model can learn."""

from __future__ import annotations

import msgspec
import numpy as np

from labeling.scheme import DEFAULT, Stance
from train.records import Example

WORDS = {
    "favor": "send soldiers now brave help allies yes deploy needed".split(),
    "against": "never refuse danger escalation no risk war wrong warn".split(),
    "none": "harvest bridge museum weather market council bus price report".split(),
}


def made_up_examples(groups: int = 24, size: int = 6, seed: int = 0) -> list[Example]:
    """Make examples in groups from which a model can learn; the same seed gives the same examples."""
    random = np.random.default_rng(seed)
    rows = []
    for group in range(groups):
        for n in range(size):
            label = DEFAULT.names[(group + n) % 3]
            words = [*random.choice(WORDS[label], 4), *random.choice([w for ws in WORDS.values() for w in ws], 3)]
            rows.append(
                Example(sentence_id=f"{group}-{n}", text=" ".join(words), label=label, target="t", group=f"g{group}")
            )
    return rows


def of_two_targets(groups: int = 24) -> list[Example]:
    """Make examples of two targets with opposite words: those for one target are against the other."""
    swapped: dict[Stance, Stance] = {"favor": "against", "against": "favor", "none": "none"}
    first = made_up_examples(groups)
    return first + [
        msgspec.structs.replace(row, sentence_id=f"u{row.sentence_id}", target="u", label=swapped[row.label])
        for row in made_up_examples(groups, seed=1)
    ]
