"""What the labels say about the corpus: weights without bias, and shares with honest intervals."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.records import LabelingSettings
from labeling.sampling.corpus_shares import Shares, shares, weights
from labeling.sampling.pool import SamplingUnit
from labeling.sampling.sample import draw, draw_all, draw_controls
from labeling.sampling.sample_table import By, Draw
from labeling.scheme import DEFAULT, Stance
from labeling.statistics.intervals import share_estimates
from tests.support.corpora import certainties, corpus

TARGET = "sending Western troops to Ukraine"


def row(name: str, number: int, by: str, probability: float | None = None) -> Draw:
    return Draw(sentence_id=name, round=number, by=by, probability=probability)  # type: ignore[arg-type]


class World:
    """A corpus of 240 units whose labels, copies, keywords and certainty all hang together."""

    def __init__(self) -> None:
        chance = np.random.default_rng(7)
        self.units: list[SamplingUnit] = []
        self.copies: dict[str, int] = {}
        self.stance: dict[str, Stance] = {}
        self.article: dict[str, str] = {}
        self.hard: dict[str, float] = {}
        for n in range(240):
            name, match = f"s{n:04}", bool(chance.random() < 0.25)
            stance = DEFAULT.names[chance.choice(3, p=[0.6, 0.3, 0.1] if match else [0.05, 0.15, 0.8])]
            self.units.append(
                SamplingUnit(
                    sentence_id=name,
                    article_id=f"a{n // 6}",
                    outlet="",
                    text="Troops left." if match else "It rained.",
                )
            )
            self.copies[name] = int(chance.integers(4, 9)) if stance == "none" and chance.random() < 0.3 else 1
            self.stance[name] = stance
            self.article[name] = f"a{n // 6}"
            self.hard[name] = {"favor": 0.4, "against": 0.6, "none": 0.8}[stance] + float(chance.random()) / 5

    def truth(self, stance: Stance) -> float:
        return sum(count for name, count in self.copies.items() if self.stance[name] == stance)

    def rounds(self, plan: Sequence[tuple[By, int]], seed: int) -> list[Draw]:
        settings = LabelingSettings(seed=seed)
        draws: list[Draw] = []
        for by, limit in plan:
            # What is labelled so far decides what is least sure, as it does in use: the picks depend on labels.
            favor = sum(self.stance[one.sentence_id] == "favor" for one in draws)
            certainty = {name: abs(value - favor % 3 / 10) for name, value in self.hard.items()}
            draws += draw(self.units, by, limit, earlier=draws, settings=settings, target=TARGET, certainty=certainty)
        return draws


@pytest.fixture(scope="module")
def world() -> World:
    return World()


PLANS: dict[str, list[tuple[By, int]]] = {
    "enriched, uncertain, random": [("keyword", 30), ("uncertainty", 30), ("random", 20)],
    "read, enriched, enriched": [("document", 15), ("keyword", 30), ("keyword", 30)],
    "random, uncertain, uncertain": [("random", 20), ("uncertainty", 40), ("uncertainty", 20)],
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_weighted_sums_hit_the_corpus_on_average_where_raw_shares_are_far_off(
    world: World, plan: list[tuple[By, int]]
) -> None:
    totals: dict[str, list[float]] = defaultdict(list)
    raw: list[float] = []
    for seed in range(500):
        draws = world.rounds(plan, seed)
        found = weights(draws, len(world.units))
        assert found.keys() == {one.sentence_id for one in draws}
        assert math.fsum(found.values()) == pytest.approx(240)
        for stance in DEFAULT.names:
            totals[stance].append(
                sum(value * world.copies[name] for name, value in found.items() if world.stance[name] == stance)
            )
        raw.append(sum(world.stance[name] == "favor" for name in found) / len(found))
    for stance in DEFAULT.names:
        error = float(np.std(totals[stance], ddof=1)) / math.sqrt(500)
        assert float(np.mean(totals[stance])) == pytest.approx(world.truth(stance), abs=3 * error)
        assert error < 0.02 * world.truth(stance) + 1  # else the claim above says nothing
    assert float(np.mean(raw)) > 2 * world.truth("favor") / sum(world.copies.values())


def _samples(rest: Sequence[str], size: int) -> Iterator[tuple[set[str], Fraction]]:
    every = list(combinations(rest, size))
    return ((set(one), Fraction(1, len(every))) for one in every)


def _outcomes() -> Iterator[tuple[list[Draw], Fraction]]:
    """Every way in which three rounds over seven units can go, with its chance.

    An enriched round (one of a, b, c; one of d, e, f, g), an uncertain one (one at random; then the first that is
    left, or the last where the first round had drawn `a`), a random one of two of the remaining three.
    """
    names = "abcdefg"
    for match, chance_1 in _samples(names[:3], 1):
        for other, chance_2 in _samples(names[3:], 1):
            rest = [name for name in names if name not in match | other]
            first = [row(name, 1, "keyword", 1 / 3) for name in match] + [
                row(name, 1, "keyword", 1 / 4) for name in other
            ]
            for lucky, chance_3 in _samples(rest, 1):
                left = [name for name in rest if name not in lucky]
                pick = left[-1] if "a" in match else left[0]
                second = [row(name, 2, "random", 1 / 5) for name in lucky] + [row(pick, 2, "uncertainty")]
                for last, chance_4 in _samples([name for name in left if name != pick], 2):
                    third = [row(name, 3, "random", 2 / 3) for name in last]
                    yield first + second + third, chance_1 * chance_2 * chance_3 * chance_4


def test_the_expected_weight_of_every_unit_is_exactly_one_over_all_outcomes() -> None:
    expected: Counter[str] = Counter()
    total = Fraction(0)
    for draws, chance in _outcomes():
        total += chance
        for name, weight in weights(draws, 7).items():
            expected[name] += weight * float(chance)  # type: ignore[assignment]
    assert total == 1
    assert dict(expected) == pytest.approx(dict.fromkeys("abcdefg", 1), rel=1e-12)


@given(
    st.lists(
        st.tuples(st.sampled_from(["random", "stratified", "document", "keyword", "uncertainty"]), st.integers(3, 15)),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 9),
    st.booleans(),
)
def test_weights_add_up_to_the_corpus_and_heed_no_order(plan: list[tuple[By, int]], seed: int, whole: bool) -> None:
    pool, settings = corpus(90), LabelingSettings(seed=seed)
    draws: list[Draw] = []
    for by, limit in plan:
        draws += draw(pool, by, limit, earlier=draws, settings=settings, target=TARGET, certainty=certainties(pool))
        draws += draw_controls([one.sentence_id for one in draws], 2, draws, settings)
    if whole:
        draws += draw_all(pool, draws)
    found = weights(draws, len(pool))
    assert found == weights(draws[::-1], len(pool))
    if all(by == "document" for by, _ in plan) and not whole:
        assert found == {}
    else:
        assert math.fsum(found.values()) == pytest.approx(90, rel=1e-9)
        assert min(found.values()) >= 0
    if whole:  # a census: every unit is known, and counts itself
        assert found == pytest.approx({one.sentence_id: 1 for one in pool})


def test_rounds_count_for_what_a_random_sample_of_their_size_is_worth() -> None:
    draws = [row("a", 1, "random", 0.2), row("b", 2, "random", 0.5), row("c", 2, "random", 0.5)]
    one, two = 1 / (5 * 4), 2 / (4 * 2)
    assert weights(draws, 5) == pytest.approx(
        {
            "a": (5 * one + two) / (one + two),
            "b": 2 * two / (one + two),
            "c": 2 * two / (one + two),
        }
    )


def test_a_round_that_does_not_cover_the_rest_estimates_nothing() -> None:
    stratum_missing = [row("a", 1, "stratified", 0.5), row("b", 1, "stratified", 0.25)]  # speaks for six of ten
    assert weights(stratum_missing, 10) == {}
    assert weights([row("a", 1, "document"), row("b", 1, "document")], 10) == {}
    assert weights([], 10) == {}
    later = row("c", 2, "random", 1 / 8)
    assert weights([*stratum_missing, later], 10) == {"a": 1, "b": 1, "c": 8}


def test_a_round_from_before_the_corpus_grew_estimates_nothing() -> None:
    before = row("a", 1, "random", 1 / 10)
    assert weights([before], 10) == {"a": 10}
    assert weights([before], 11) == {}
    assert weights([before, row("b", 2, "random", 1 / 19)], 20) == {"a": 1, "b": 19}
    assert weights([before], 8) == {"a": 10}  # the corpus shrank: what is left was all in reach


def test_a_census_counts_alone_until_the_corpus_changes() -> None:
    census = [row("a", 1, "random", 1 / 3), row("b", 2, "all", 1.0), row("c", 2, "all", 1.0)]
    assert weights(census, 3) == {"a": 1, "b": 1, "c": 1}
    assert weights([*census, row("d", 3, "random", 0.5)], 3) == {"a": 1, "b": 1, "c": 1, "d": 2}


def test_labelled_units_stand_for_the_unlabelled_ones_of_their_round() -> None:
    draws = [row("a", 1, "random", 0.2), row("b", 1, "random", 0.2), row("c", 2, "random", 1 / 8)]
    assert weights(draws, 10, {"a"}) == {"a": 10}
    assert weights(draws, 10, {"a", "c"}) == pytest.approx(
        {"a": (10 / 90 + 2 / 56) / (1 / 90 + 1 / 56), "c": (8 / 56) / (1 / 90 + 1 / 56)}
    )
    assert weights(draws, 10, {"c"}) == {"c": 8}  # nobody labelled the first round: it is left out
    assert weights(draws, 10, set()) == {}


def test_the_beginning_of_a_round_in_corpus_order_estimates_nothing() -> None:
    draws = [row("a", 1, "random", 1 / 101), *(row(f"s{n:03}", 2, "all", 1.0) for n in range(100))]
    names = sorted(one.sentence_id for one in draws)
    found = weights(draws, 101, names[:95])
    assert found["a"] == 101
    assert set(found.values()) == {0, 101}
    assert weights(draws, 101, names[:96])["s000"] == pytest.approx(1, abs=0.1)


def test_half_labelled_rounds_estimate_the_corpus_on_average(world: World) -> None:
    # All of two rounds and the first half of the last; ratio estimates have a small bias: half a point is allowed.
    plan: list[tuple[By, int]] = [("keyword", 30), ("uncertainty", 30), ("keyword", 60)]
    values: list[float] = []
    for seed in range(300):
        draws = world.rounds(plan, seed)
        done = {one.sentence_id for one in draws[:90]}
        found = weights(draws, 240, done)
        assert found.keys() == done
        values.append(
            sum(value * world.copies[name] for name, value in found.items() if world.stance[name] == "favor")
            / sum(value * world.copies[name] for name, value in found.items())
        )
    true = world.truth("favor") / sum(world.copies.values())
    error = float(np.std(values, ddof=1)) / math.sqrt(300)
    assert float(np.mean(values)) == pytest.approx(true, abs=0.005 + 3 * error)
    assert true < 0.15


def _shares(world: World, draws: Sequence[Draw], labelled: Mapping[str, Stance] | None = None) -> Shares:
    stances = {one.sentence_id: world.stance[one.sentence_id] for one in draws} if labelled is None else labelled
    found = shares(draws, stances, world.copies, world.article, len(world.copies))
    assert found is not None
    return found


def test_shares_say_what_they_rest_on(world: World) -> None:
    draws = world.rounds([("uncertainty", 40)], 3)
    controls = draw_controls([one.sentence_id for one in draws], 5, draws, LabelingSettings())
    done = {one.sentence_id: world.stance[one.sentence_id] for one in draws[:30]}
    found = _shares(world, draws + controls, done)
    assert (found.labelled, found.carrying, found.unlabelled) == (30, 6, 10)
    assert found.weighted is not None
    for part in (found.raw, found.weighted):
        assert list(part) == list(DEFAULT.names)
        assert math.fsum(one.value for one in part.values()) == pytest.approx(1)
        assert all(0 <= one.low <= one.value <= one.high <= 1 for one in part.values())
    assert found.raw["favor"].value == sum(stance == "favor" for stance in done.values()) / 30
    backwards = dict(reversed(list(done.items())))
    assert _shares(world, (draws + controls)[::-1], backwards) == found


def test_the_estimate_lets_the_labelled_stand_for_the_unlabelled() -> None:
    # One of the four of the first round has a label. It stands for the 8 that the round spoke for, and in the second
    # round, which spoke for 4 more, for all 4 of the first.
    draws = [row(name, 1, "random", 0.5) for name in "abcd"] + [row("e", 2, "random", 0.25)]
    copies = dict.fromkeys("abcdefgh", 1)
    found = shares(draws, {"a": "favor", "e": "none"}, copies, {"a": "x", "e": "z"}, len(copies))
    assert found is not None
    assert found.weighted is not None
    one, two = 1 / (8 * 7), 1 / (4 * 3)
    assert found.weighted["favor"].value == pytest.approx((8 * one + 4 * two) / (8 * one + 8 * two))


def test_a_control_item_is_no_draw_that_waits_for_its_label(world: World) -> None:
    found = _shares(world, [row("s0002", 1, "control"), row("s0003", 2, "document")], {"s0001": "favor"})
    assert found.unlabelled == 1


def test_without_a_round_of_chance_there_is_a_raw_share_alone(world: World) -> None:
    found = _shares(world, world.rounds([("document", 20)], 1))
    assert found.weighted is None
    assert (found.labelled, found.carrying) == (20, 0)
    assert shares([], {}, world.copies, world.article, len(world.copies)) is None
    adopted = _shares(world, [], {"s0001": "favor"})  # labelled without having been drawn
    assert adopted.raw["favor"].value == 1
    assert adopted.weighted is None


def test_units_that_left_the_corpus_do_not_count(world: World) -> None:
    draws = world.rounds([("random", 60)], 1)
    gone = draws[0].sentence_id
    stances = {one.sentence_id: world.stance[one.sentence_id] for one in draws[:50]}
    copies = {name: count for name, count in world.copies.items() if name != gone}
    found = shares(draws, stances, copies, world.article, len(copies))
    assert found is not None
    assert (found.labelled, found.carrying, found.unlabelled) == (49, 49, 10)
    assert shares(draws, {gone: "favor"}, copies, world.article, len(copies)) is None


def test_a_fully_labelled_corpus_gives_its_shares_exactly(world: World) -> None:
    found = _shares(
        world, world.rounds([("keyword", 30)], 1) + draw_all(world.units, world.rounds([("keyword", 30)], 1))
    )
    assert found.weighted is not None
    for stance in DEFAULT.names:
        assert found.weighted[stance].value == pytest.approx(world.truth(stance) / sum(world.copies.values()))


def test_intervals_are_over_articles_and_those_are_wider_than_over_sentences() -> None:
    names = [f"s{n}" for n in range(120)]
    draws = [row(name, 1, "random", 0.5) for name in names]
    stances: dict[str, Stance] = {name: DEFAULT.names[n // 20 % 2] for n, name in enumerate(names)}
    copies = dict.fromkeys([*names, *(f"t{n}" for n in range(120))], 1)

    def width(size: int) -> float:
        found = shares(draws, stances, copies, {name: f"a{n // size}" for n, name in enumerate(names)}, len(copies))
        assert found is not None
        assert found.weighted is not None
        # Equal weights: the estimate is the raw share, interval and all.
        for stance in DEFAULT.names:
            one, other = found.weighted[stance], found.raw[stance]
            assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), nan_ok=True)
        return found.raw["favor"].high - found.raw["favor"].low

    # Binomial widths: 3.92 × √(¼ / 120) = .179 over sentences; over six articles of one stance each far more.
    assert width(1) == pytest.approx(0.179, abs=0.015)
    assert width(20) > 0.6
    assert math.isnan(width(120)), "one article says nothing of how articles differ"


def test_a_share_of_everything_or_nothing_keeps_an_interval() -> None:
    names = [f"s{n}" for n in range(100)]
    articles = {name: f"a{n // 5}" for n, name in enumerate(names)}
    draws = [row(name, 1, "random", 0.5) for name in names]
    found = shares(draws, dict.fromkeys(names, "none"), dict.fromkeys(names, 1), articles, len(names))
    assert found is not None
    assert found.weighted is not None
    # 20 articles whose sentences are all alike count as 20: Clopper and Pearson's 1 - .025^(1/20) = .168.
    for part in (found.raw, found.weighted):
        assert (part["none"].value, part["none"].low, part["none"].high) == pytest.approx((1, 0.8316, 1), abs=1e-4)
        assert (part["favor"].value, part["favor"].low, part["favor"].high) == pytest.approx((0, 0, 0.1684), abs=1e-4)


def test_independent_units_give_the_interval_of_clopper_and_pearson() -> None:
    # 10 of 100 with one sentence an article: [.049, .176], up to the factor of Student's t (which is 1 here).
    sums = np.array([[1.0, 0.0]] * 10 + [[0.0, 1.0]] * 90)
    found = share_estimates(sums, 100)[0]
    assert (found.low, found.high) == pytest.approx((0.0490, 0.1762), abs=2e-3)
    assert math.isnan(share_estimates(sums[:4], 4)[0].low)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("articles", [10, 40])
def test_intervals_hold_at_the_borders_where_sentences_of_an_article_are_alike(share: float, articles: int) -> None:
    # `python -m benchmarks.intervals` has the whole table; here the intraclass correlation is .2.
    chance = np.random.default_rng(int(100 * share) + articles)
    held, runs = 0, 200
    for _ in range(runs):
        sizes = chance.integers(2, 9, articles)
        each = chance.beta(4 * share, 4 * (1 - share), articles) if 0 < share < 1 else np.full(articles, share)
        hits = chance.binomial(sizes, each)
        found = share_estimates(np.stack([hits, sizes - hits], axis=1).astype(float), float(sizes.sum()))[0]
        held += found.low <= share <= found.high
    assert held >= 0.93 * runs
