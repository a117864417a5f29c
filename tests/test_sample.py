"""Drawing: who is drawn, how often, in which order, and that nothing but the seed decides."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigError, TableError
from corpus.store import table_path
from labeling.records import LabelingSettings
from labeling.sampling.pool import SamplingUnit
from labeling.sampling.sample import draw, draw_all, draw_controls, keywords
from labeling.sampling.sample_table import SAMPLE, By, Draw, read_certainty, read_sample, write_sample
from tests.support.corpora import certainties, corpus, unit

WAYS: tuple[By, ...] = get_args(By)
TARGET = "sending Western troops to Ukraine"


def one(
    pool: Sequence[SamplingUnit],
    by: By,
    limit: int,
    earlier: Sequence[Draw] = (),
    settings: LabelingSettings | None = None,
) -> list[Draw]:
    certainty = {**certainties(sorted(pool, key=lambda row: row.sentence_id)), pool[0].sentence_id: 0.5}
    return draw(
        pool,
        by,
        limit,
        earlier=earlier,
        settings=settings or LabelingSettings(),
        target=TARGET,
        certainty=certainty if by == "uncertainty" else None,
    )


def ids(draws: Sequence[Draw]) -> list[str]:
    return [row.sentence_id for row in draws]


@given(
    st.integers(8, 60),
    st.lists(st.tuples(st.sampled_from(WAYS), st.integers(3, 20)), min_size=1, max_size=6),
    st.integers(0, 9),
    st.fractions(min_value="1/100", max_value=1),
)
def test_rounds_draw_exactly_the_limit_and_nothing_twice(
    count: int, rounds: list[tuple[By, int]], seed: int, share: float
) -> None:
    pool = corpus(count)
    settings = LabelingSettings(seed=seed, random_share=float(share))
    earlier: list[Draw] = []
    for number, (by, limit) in enumerate(rounds, 1):
        rest = count - len(earlier)
        new = one(pool, by, limit, earlier, settings)
        assert len(new) == min(limit, rest)
        assert {row.round for row in new} <= {number}
        assert all(row.probability is None or 0 < row.probability <= 1 for row in new)
        known = [row.probability for row in new if row.probability is not None]
        if by in ("random", "stratified", "keyword"):
            assert len(known) == len(new)
        if new and by != "document":
            assert math.fsum(1 / p for p in known) == pytest.approx(rest, rel=1e-12)
        earlier += new
        if not new:
            break
    assert len(set(ids(earlier))) == len(earlier)
    everything = draw_all(pool, earlier)
    assert sorted(ids(earlier + everything)) == ids(draw_all(pool, []))
    assert {row.probability for row in everything} <= {1.0}


@given(st.sampled_from(WAYS), st.integers(3, 45), st.randoms(use_true_random=False))
def test_the_order_of_the_pool_decides_nothing(by: By, limit: int, chance: random.Random) -> None:
    pool = corpus(40)
    shuffled = pool[:]
    if by == "document":  # reading order is the point there, but not that of the articles
        articles = sorted({row.article_id for row in pool})
        chance.shuffle(articles)
        shuffled = [row for name in articles for row in pool if row.article_id == name]
    else:
        chance.shuffle(shuffled)
    settings = LabelingSettings()
    drawn = [
        draw(rows, by, limit, earlier=[], settings=settings, target=TARGET, certainty=certainties(pool))
        for rows in (pool, pool, shuffled)
    ]
    assert drawn[0] == drawn[1] == drawn[2]


@pytest.mark.parametrize("by", WAYS)
def test_another_seed_draws_others_and_a_limit_of_none_draws_none(by: By) -> None:
    pool = corpus(400)
    first, other = (one(pool, by, 20, settings=LabelingSettings(seed=seed)) for seed in (1, 2))
    assert set(ids(first)) != set(ids(other))
    assert one(pool, by, 0) == one(pool, by, -1) == []


@pytest.mark.parametrize("by", ["random", "stratified", "keyword", "uncertainty"])
def test_units_are_drawn_as_often_as_their_probability_says(by: By) -> None:
    pool, runs = corpus(24), 3000
    drawn: Counter[str] = Counter()
    first: Counter[str] = Counter()
    chances: dict[str, float] = {}
    for seed in range(runs):
        new = [row for row in one(pool, by, 10, settings=LabelingSettings(seed=seed)) if row.probability is not None]
        drawn.update(ids(new))
        first.update(ids(new)[: len(new) // 2])
        chances |= {row.sentence_id: row.probability or 0 for row in new}
    assert len(chances) == len(pool)
    for name, chance in chances.items():
        # Halves of a round are samples too, with half the chance: its order is random. 4.5 standard errors.
        half = chance * (len(new) // 2) / len(new)
        assert drawn[name] / runs == pytest.approx(chance, abs=4.5 * math.sqrt(chance * (1 - chance) / runs) + 1e-12)
        assert first[name] / runs == pytest.approx(half, abs=4.5 * math.sqrt(half * (1 - half) / runs))


def test_random_rounds_are_independent_of_each_other() -> None:
    # Two units in one round of two: as often as pairs of a simple random sample are, 1 in 15 of six units.
    pairs = Counter(
        tuple(sorted(ids(one(corpus(6), "random", 2, settings=LabelingSettings(seed=n))))) for n in range(3000)
    )
    assert len(pairs) == 15
    assert all(count == pytest.approx(200, abs=4.5 * math.sqrt(200)) for count in pairs.values())
    # And where the first round left all but one, the second takes each of the others alike.
    taken = [Draw(sentence_id="s00000", round=1, by="random", probability=1 / 6)]
    second = Counter(ids(one(corpus(6), "random", 1, taken, LabelingSettings(seed=n)))[0] for n in range(3000))
    assert second.keys() == {f"s{n:05}" for n in range(1, 6)}
    assert all(count == pytest.approx(600, abs=4.5 * math.sqrt(480)) for count in second.values())


def test_strata_are_outlets_in_proportion_with_one_at_least() -> None:
    sizes = {"Gazette": 70, "Sentinel": 24, "": 5, "Courier": 1}
    pool = [unit(n, name) for n, name in enumerate(name for name, size in sizes.items() for _ in range(size))]
    new = one(pool, "stratified", 12)
    outlet = {row.sentence_id: row.outlet for row in pool}
    counts = Counter(outlet[row.sentence_id] for row in new)
    # One each for the two small ones; the other ten go 70 : 24, which is 7.4 : 2.6.
    assert counts == {"Gazette": 7, "Sentinel": 3, "": 1, "Courier": 1}
    assert {row.probability for row in new if outlet[row.sentence_id] == "Gazette"} == {7 / 70}
    assert {row.probability for row in new if outlet[row.sentence_id] == "Courier"} == {1}


def test_a_tie_between_strata_goes_by_the_seed_and_not_by_the_name() -> None:
    pool = [unit(n, "AB"[n % 2]) for n in range(20)]
    outlet = {row.sentence_id: row.outlet for row in pool}
    favoured = Counter(
        Counter(
            outlet[name] for name in ids(one(pool, "stratified", 3, settings=LabelingSettings(seed=seed)))
        ).most_common(1)[0][0]
        for seed in range(100)
    )
    assert min(favoured["A"], favoured["B"]) > 25


def test_a_limit_below_the_number_of_outlets_is_refused_with_the_number() -> None:
    with pytest.raises(ConfigError, match=r"3 in all; got a limit of 2\. Take --limit 3"):
        one(corpus(40), "stratified", 2)


def test_documents_come_whole_in_reading_order_and_the_next_round_goes_on() -> None:
    pool = corpus(40)
    whole = one(pool, "document", 40)
    assert {row.probability for row in whole} == {None}
    starts = [name for name in ids(whole) if int(name[1:]) % 4 == 0]
    assert starts != sorted(starts)
    assert ids(whole) == [f"s{int(start[1:]) + n:05}" for start in starts for n in range(4)]
    first = one(pool, "document", 6)
    assert ids(first + one(pool, "document", 34, first)) == ids(whole)


def test_a_keyword_round_is_enriched_and_takes_the_rest_at_random() -> None:
    pool = corpus(90)
    matching = {row.sentence_id for row in pool if "Troops" in row.text}
    new = one(pool, "keyword", 20)
    assert Counter((row.sentence_id in matching, row.probability) for row in new) == {
        (True, 16 / 30): 16,
        (False, 4 / 60): 4,
    }
    assert sum(row.sentence_id in matching for row in new[:10]) < 10  # mixed
    second = one(pool, "keyword", 20, new)
    assert Counter((row.sentence_id in matching, row.probability) for row in second) == {
        (True, 1.0): 14,
        (False, 6 / 56): 6,
    }
    third = one(pool, "keyword", 20, new + second)
    assert {row.probability for row in third} == {20 / 50}


@pytest.mark.parametrize(("share", "limit", "others"), [(0.07, 100, 7), (0.07, 10, 1), (1.0, 10, 9), (1e-05, 10, 1)])
def test_the_random_share_is_rounded_up_as_the_decimal_that_it_is(share: float, limit: int, others: int) -> None:
    new = one(corpus(600), "keyword", limit, settings=LabelingSettings(random_share=share))
    assert sum((row.probability or 0) == others / 400 for row in new) == others


def test_a_keyword_round_without_a_keyword_or_with_room_for_one_side_is_refused() -> None:
    with pytest.raises(ConfigError, match="keywords sending, western, troops, ukraine"):
        one([unit(n) for n in range(9)], "keyword", 3)
    with pytest.raises(ConfigError, match="one sentence with a keyword and one without"):
        one(corpus(9), "keyword", 1)


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("troop", "Troops left.", True),
        ("TROOP", "the “troops”", True),
        ("troop", "the storm-troopers", True),
        ("rain", "It was a terrain.", False),
        ("boots on", "no boots\non the ground", True),
        ("#nowar", "so #NoWar it is", True),
        ("a.b", "an axb", False),
        ("café", "the cafe\u0301s", True),
    ],
)
def test_a_keyword_finds_words_that_start_with_it(word: str, text: str, found: bool) -> None:
    pool = [unit(0, text=text), unit(1, text=word), *(unit(n) for n in range(2, 9))]
    new = one(pool, "keyword", 3, settings=LabelingSettings(keywords=[word]))
    assert len(new) == 3
    assert sum((row.probability or 0) < 1 for row in new) == (1 if found else 2)


def test_keywords_are_the_set_ones_else_the_longer_words_of_the_target() -> None:
    assert keywords(LabelingSettings(keywords=[" Boots  on ", "NATO", "nato"]), TARGET) == ["boots on", "nato"]
    assert keywords(LabelingSettings(), "tax on E-cigarettes, tax-free") == ["cigarettes", "free"]
    for settings, target in ((LabelingSettings(keywords=[" "]), TARGET), (LabelingSettings(), "EU tax")):
        with pytest.raises(ConfigError, match=r"\[labeling\] keywords: expected words"):
            keywords(settings, target)


def test_an_uncertainty_round_takes_a_random_share_first_and_then_the_least_sure() -> None:
    pool = corpus(50)
    certainty = {row.sentence_id: 0.4 + n / 100 for n, row in enumerate(pool)}
    del certainty["s00049"]
    certainty["s00048"] = math.nan
    new = draw(pool, "uncertainty", 11, earlier=[], settings=LabelingSettings(), target=TARGET, certainty=certainty)
    by_chance = [row for row in new if row.by == "random"]
    picks = [row for row in new if row.by == "uncertainty"]
    assert {row.probability for row in by_chance} == {3 / 50}
    assert {row.probability for row in picks} == {None}
    assert [row.by == "random" for row in new].count(True) == 3
    assert [n for n, row in enumerate(new) if row.by == "random"] == [0, 3, 7]
    unsure = ["s00048", "s00049", *(f"s{n:05}" for n in range(48))]
    left = [name for name in unsure if name not in ids(by_chance)]
    assert sorted(ids(picks)[:2]) == sorted(left[:2])
    assert ids(picks)[2:] == left[2:8]


def test_a_tie_in_certainty_goes_by_the_seed() -> None:
    pool = [unit(n) for n in range(100)]
    certainty = {row.sentence_id: 0.5 for row in pool}
    drawn = [
        draw(pool, "uncertainty", 20, earlier=[], settings=LabelingSettings(seed=n), target="", certainty=certainty)
        for n in (1, 2)
    ]
    picks = [{row.sentence_id for row in new if row.by == "uncertainty"} for new in drawn]
    assert picks[0] != picks[1]
    assert all(max(names) > "s00050" for names in picks)


def test_uncertainty_without_predictions_of_this_corpus_is_refused() -> None:
    for certainty in (None, {}, {"elsewhere": 0.5}):
        with pytest.raises(TableError, match="Run `stance predict`"):
            draw(corpus(9), "uncertainty", 3, earlier=[], settings=LabelingSettings(), target="", certainty=certainty)


def test_controls_repeat_the_least_repeated_and_keep_nothing_from_being_drawn() -> None:
    settled = [f"s{n:05}" for n in range(10)]
    first = draw_controls(settled, 6, [], LabelingSettings())
    second = draw_controls(reversed(settled), 6, first, LabelingSettings())
    assert {(row.round, row.by, row.probability) for row in second} == {(2, "control", None)}
    assert set(ids(second)[:4]) == set(settled) - set(ids(first))
    assert len(set(ids(second))) == 6
    assert draw_controls(settled, 6, [], LabelingSettings()) == draw_controls(
        settled[::-1] * 2, 6, [], LabelingSettings()
    )
    assert {len(draw_controls(settled, n, [], LabelingSettings())) for n in (20, 99)} == {10}
    assert draw_controls(settled, 0, [], LabelingSettings()) == draw_controls([], 3, [], LabelingSettings()) == []
    drawn = one(corpus(10), "random", 10, first + second)
    assert len(drawn) == 10
    assert {row.round for row in drawn} == {3}


def test_the_sample_survives_writing_in_its_order(tmp_path: Path) -> None:
    assert read_sample(tmp_path) == []
    draws = one(corpus(40), "uncertainty", 12)
    draws += draw_controls(ids(draws), 3, draws, LabelingSettings())
    draws += draw_controls(ids(draws), 3, draws, LabelingSettings())
    assert write_sample(tmp_path, draws)
    assert not write_sample(tmp_path, draws)
    assert read_sample(tmp_path) == draws
    assert pq.read_schema(table_path(tmp_path, "sample.parquet")).equals(SAMPLE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": [0.0, None]}, "probability"),
        ({"probability": [1.5, None]}, "probability"),
        ({"probability": [math.nan, None]}, "probability"),
        ({"round": [0, 1]}, "round"),
        ({"round": [None, 1]}, "round"),
        ({"round": [1.5, 1.0]}, "found: "),
        ({"by": ["chance", "random"]}, "chance"),
        ({"sentence_id": [None, "b"]}, "sentence_id"),
        ({"sentence_id": ["b", "b"]}, "found b twice"),
    ],
)
def test_a_malformed_sample_is_refused_with_what_is_wrong(
    tmp_path: Path, change: dict[str, list[object]], message: str
) -> None:
    columns: dict[str, list[object]] = {
        "sentence_id": ["a", "b"], "round": [1, 2], "by": ["random", "random"], "probability": [0.5, None],
    }  # fmt: skip
    pq.write_table(pa.table({**columns, **change}), table_path(tmp_path, "sample.parquet"))
    with pytest.raises(TableError, match=rf"(?s){message}.*restore it from a copy"):
        read_sample(tmp_path)


def test_a_sample_that_is_no_table_or_lacks_a_column_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"sentence_id": ["a"]}), table_path(tmp_path, "sample.parquet"))
    with pytest.raises(TableError, match=r"round.*restore it from a copy"):
        read_sample(tmp_path)
    table_path(tmp_path, "sample.parquet").write_bytes(b"a,b\n")
    with pytest.raises(TableError, match=r"(?s)sample\.parquet: expected.*restore it from a copy"):
        read_sample(tmp_path)


def test_certainty_is_the_highest_probability(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="run `stance predict` first"):
        read_certainty(tmp_path)
    columns = {"sentence_id": ["a", "b"], "stance": ["none", None], "favor": [0.1, None], "against": [0.2, 0.5],
               "none": [0.7, 0.5], "model": ["m", "m"]}  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "predictions.parquet")
    found = read_certainty(tmp_path)
    assert found["a"] == 0.7
    assert math.isnan(found["b"])
    for wrong in ({"sentence_id": ["a", "a"]}, {"none": [70.0, 0.5]}):
        pq.write_table(pa.table({**columns, **wrong}), tmp_path / "predictions.parquet")
        with pytest.raises(TableError, match="Run `stance predict` again"):
            read_certainty(tmp_path)
