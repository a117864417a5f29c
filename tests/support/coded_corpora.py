"""Simulated corpora with a coder that errs more in one outlet, of which the true shares are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labeling.sampling.corpus_shares import weights
from labeling.sampling.sample_table import Draw
from train.estimate.inputs import Column, Inputs
from train.predict.influence import Labels

NAMES = ["favor", "against", "none"]
ARTICLES, PER_ARTICLE = 400, 8
EXPECTED = np.array([[0.15, 0.30, 0.55], [0.25, 0.30, 0.45]])
"""Expected share of each label (columns) in the articles of each of two outlets (rows)."""
WRONG = (0.1, 0.4)
"""Share of the sentences of `none` that the coder reads as `against`, in each outlet."""


class CodedCorpus:
    """Articles whose leanings differ, in two outlets; a tenth of the sentences have copies in the same article."""

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        count = ARTICLES * PER_ARTICLE
        article = np.repeat(np.arange(ARTICLES), PER_ARTICLE)
        leaning = np.stack([chance.dirichlet(8 * EXPECTED[n % 2]) for n in range(ARTICLES)])[article]
        stance = (chance.random((count, 1)) > np.cumsum(leaning, axis=1)).sum(axis=1).clip(0, 2)
        wrong = chance.random(count) < np.array(WRONG)[article % 2]
        said = np.where(wrong & (stance == 2), 1, stance)
        said = np.where(chance.random(count) < 0.05, chance.integers(0, 3, count), said)
        self.keyword = (chance.random(count) < 0.5) & (stance < 2)
        self.unit = np.repeat(np.arange(count), np.where(chance.random(count) < 0.1, 2, 1))
        self.home, self.stance, self.said = (column[self.unit] for column in (article, stance, said))
        self.outlet = self.home % 2
        self.units = count
        self.chance = chance

    def drawn_at_random(self, size: int) -> list[Draw]:
        """A simple random sample."""
        chosen = self.chance.choice(self.units, size, replace=False)
        return [_draw(n, 1, size / self.units) for n in chosen.tolist()]

    def drawn_by_keyword(self, size: int) -> list[Draw]:
        """Four fifths of a round from the sentences with a keyword, which are never `none`, and a random round."""
        draws: list[Draw] = []
        for having, part in ((True, 4 * size // 10), (False, size // 10)):
            pool = np.flatnonzero(self.keyword == having)
            chosen = self.chance.choice(pool, part, replace=False)
            draws += [_draw(n, 1, part / len(pool)) for n in chosen.tolist()]
        before = {int(row.sentence_id) for row in draws}
        left = np.array([n for n in range(self.units) if n not in before])
        chosen = self.chance.choice(left, size // 2, replace=False)
        return draws + [_draw(n, 2, size / 2 / len(left)) for n in chosen.tolist()]

    def inputs(self, draws: list[Draw], said: NDArray[np.int64] | None = None) -> Inputs:
        """What estimates are made from, where all that was drawn has its true label."""
        given = (self.said if said is None else said).astype(np.int8)
        weight_of = weights(draws, self.units)
        weight = np.array([weight_of.get(str(n), 0.0) for n in range(self.units)])[self.unit]
        chosen = {int(row.sentence_id) for row in draws if row.probability is not None}
        by_chance = np.array([n in chosen for n in range(self.units)])[self.unit]
        unit, home = self.unit.astype(np.int32), self.home.astype(np.int32)
        return Inputs(
            coder="a made-up coder",
            names=NAMES,
            given=given,
            labels=Labels(
                stance=self.stance.astype(np.int8), weight=weight, unit=unit, by_chance=by_chance, held=given
            ),
            why_not="",
            verdict=weight > 0,
            sampled=(weight > 0) & by_chance,
            unit=unit,
            home=home,
            article=home,
            columns=[Column(name="outlet", groups=["Gazette", "Sentinel"], code=self.outlet.astype(np.int32))],
            notes=[],
        )


def _draw(number: int, round_: int, probability: float) -> Draw:
    return Draw(sentence_id=str(number), round=round_, by="random", probability=probability)
