"""Shares of stances: prediction-powered inference against its formulas, and against the truth of made corpora."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from labeling.records import LabelingSettings
from labeling.sampling.corpus_shares import weights
from labeling.sampling.pool import SamplingUnit
from labeling.sampling.sample import draw
from labeling.sampling.sample_table import By, Draw
from labeling.scheme import DEFAULT, Stance
from labeling.statistics.intervals import Estimate
from stance.terminal import fitted
from train.predict import shares
from train.predict.influence import Labels
from train.predict.shares import Guesses, PredictionShares, Settled, ShareRow, power, prediction_shares
from train.predict.shares_table import SHOWN, show

Ints = NDArray[np.signedinteger]
Floats = NDArray[np.floating]
FAVOR, AGAINST, NONE = range(3)


def guesses(stance: Ints, home: Ints, outlet: Ints | None = None) -> Guesses:
    outlet = np.zeros(len(stance), np.int64) if outlet is None else outlet
    return Guesses(
        stance=stance.astype(np.int8),
        home=home.astype(np.int32),
        outlet=outlet.astype(np.int32),
        month=np.zeros(len(stance), np.int32),
        outlets=["Gazette", "Sentinel"],
        months=["2024-05"],
    )


def labels(stance: Ints, weight: Floats, held: Ints, unit: Ints | None = None) -> Labels:
    return Labels(
        stance=stance.astype(np.int8),
        weight=weight.astype(np.float64),
        unit=(np.arange(len(stance)) if unit is None else unit).astype(np.int32),
        by_chance=np.ones(len(stance), np.bool_),
        held=held.astype(np.int8),
    )


def of(rows: list[ShareRow], stance: Stance, name: str = "") -> ShareRow:
    return next(row for row in rows if row.stance == stance and row.name == name)


# --- the formulas


def test_the_correction_is_the_published_estimator_on_a_worked_example(monkeypatch: pytest.MonkeyPatch) -> None:
    # 20 sentences, each an article; the first 8 are labelled, by a simple random sample of 8 of 20.
    monkeypatch.setattr(shares, "FEWEST_LABELS", 8)
    monkeypatch.setattr(shares, "FEWEST_ARTICLES", 8)
    y = np.array([0, 0, 1, 1, 1, 2, 2, 2] + [0] * 12)
    f = np.array([0, 1, 1, 1, 2, 2, 2, 1] + [0] * 2 + [1] * 6 + [2] * 4)
    weight = np.array([20 / 8] * 8 + [0.0] * 12)
    known = labels(y, weight, f)
    found = prediction_shares(guesses(f, np.arange(20)), known)

    # Covariances among the labelled, by stance, are 1/8 - 2/8 · 1/8, 2/8 - 3/8 · 4/8 and 2/8 - 3/8 · 3/8; the
    # predictions' variances among all 20 are .15 · .85, .5 · .5 and .35 · .65.
    trust = (6 + 4 + 7) / 64 / (0.1275 + 0.25 + 0.2275)
    assert power(known) == pytest.approx(trust) == pytest.approx(0.4390495868)
    # ppi_py 0.2.3 has λ · 19 / 20 (it divides the variance by n - 1) and, given this λ, .260976, .375, .364024.
    # PPI++ writes it with the mean of f over the 12 unlabelled alone, and λ / (1 + n / N').
    theirs = trust / (1 + 8 / 12)
    rest = np.array([2, 6, 4]) / 12
    means = np.array([2, 3, 3]) / 8, np.array([1, 4, 3]) / 8
    for stance, unlabelled, label, guess in zip(DEFAULT.names, rest, *means, strict=True):
        row = of(found, stance)
        assert row.corrected is not None
        assert row.corrected.value == pytest.approx(theirs * unlabelled + label - theirs * guess)
        assert row.labelled == 8
    assert [row.corrected.value for row in found[:3] if row.corrected] == pytest.approx(
        [0.26097624, 0.375, 0.36402376], abs=1e-8
    )
    # The variance of the mean of y - λ f over the labelled and of λ f over all, with what they share; t with 7.
    favor = of(found, "favor").corrected
    assert favor is not None
    error = np.array([1 - trust, 1, 0, 0, 0, 0, 0, 0])
    pull = trust * ((f == 0) - 0.15) / 20
    pull[:8] += (error - error.mean()) / 8
    half = 2.364624 * math.sqrt(8 / 7 * float(np.sum(pull**2)))
    assert favor.high == pytest.approx(favor.value + half, abs=1e-6)


def test_labels_alone_decide_where_the_model_is_useless_and_all_labels_give_the_truth() -> None:
    chance = np.random.default_rng(3)
    y, home = chance.integers(0, 3, 600), np.arange(600) // 4
    constant = labels(y, np.where(np.arange(600) < 200, 3.0, 0.0), np.zeros(600, np.int64))
    assert power(constant) == 0
    whole = labels(y, np.ones(600), chance.integers(0, 3, 600))
    for known, n in ((constant, 200), (whole, 600)):
        for stance, row in zip(DEFAULT.names, prediction_shares(guesses(known.held, home), known), strict=False):
            assert row.corrected is not None
            assert row.corrected.value == pytest.approx(np.mean(y[:n] == DEFAULT.names.index(stance)))
    assert power(labels(y, np.ones(600), y)) == pytest.approx(1)


def test_a_label_counts_for_all_its_copies() -> None:
    chance = np.random.default_rng(4)
    unit = np.repeat(np.arange(300), np.where(np.arange(300) % 10 == 0, 5, 1))
    y = np.where(unit % 10 == 0, FAVOR, NONE)
    drawn = chance.random(300) < 0.5
    known = labels(y, drawn[unit] * 2.0, np.full(len(unit), AGAINST), unit)
    favor = of(prediction_shares(guesses(known.held, unit), known), "favor")
    copied = sum(5 for n in range(0, 300, 10) if drawn[n])
    assert favor.corrected is not None
    assert favor.corrected.value == pytest.approx(copied / (copied + sum(drawn[n] for n in range(300) if n % 10)))
    assert favor.labelled == drawn.sum()
    assert favor.n == len(unit)


def test_a_cell_with_too_few_labels_says_how_many_and_is_not_corrected() -> None:
    chance = np.random.default_rng(5)
    y, outlet, home = chance.integers(0, 3, 400), (np.arange(400) % 2), np.arange(400) // 2
    weight = np.where((np.arange(400) < 180) & (outlet == 0) | (np.arange(400) < 98) & (outlet == 1), 2.0, 0.0)
    rows = prediction_shares(guesses(y, home, outlet), labels(y, weight, y))
    assert (of(rows, "favor", "Gazette").labelled, of(rows, "favor", "Sentinel").labelled) == (90, 49)
    assert of(rows, "favor", "Gazette").corrected is not None
    assert of(rows, "favor", "Sentinel").corrected is None
    assert of(rows, "favor").corrected is not None
    few = prediction_shares(guesses(y, np.minimum(home, 8), outlet), labels(y, weight, y))
    assert of(few, "favor").corrected is None, "nine articles"
    picked = msgspec.structs.replace(labels(y, weight, y), by_chance=np.zeros(400, np.bool_))
    assert of(prediction_shares(guesses(y, home, outlet), picked), "favor").labelled == 0


# --- properties

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans(), st.integers(0, 5), st.integers(0, 1)),
    min_size=1,
    max_size=60,
)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_shares_add_up(
    rows: list[tuple[int, int, bool, int, int]], mixed: object
) -> None:
    def found(order: list[int]) -> list[ShareRow]:
        y, f, has, home, outlet = (np.array(column) for column in zip(*(rows[n] for n in order), strict=True))
        return prediction_shares(guesses(f, home, outlet), labels(y, has * 2.0, (f + home) % 3))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shares, "FEWEST_LABELS", 2)
        patch.setattr(shares, "FEWEST_ARTICLES", 2)
        order = list(range(len(rows)))
        first = found(order)
        mixed.shuffle(order)  # type: ignore[attr-defined]
        second = found(order)
    assert [msgspec.structs.replace(row, corrected=None) for row in first] == [
        msgspec.structs.replace(row, corrected=None) for row in second
    ]
    assert sum(row.n for row in first if row.kind == "outlet") == 3 * len(rows)
    for one, other in zip(first, second, strict=True):
        assert (one.corrected is None) == (other.corrected is None)
        if one.corrected is not None and other.corrected is not None:
            assert msgspec.structs.astuple(one.corrected) == pytest.approx(
                msgspec.structs.astuple(other.corrected), abs=1e-12
            )
            assert 0 <= one.corrected.low <= one.corrected.value <= one.corrected.high <= 1
    for start in range(0, len(first), 3):
        cell = first[start : start + 3]
        assert sum(row.raw.value for row in cell) == pytest.approx(1)
        values = [row.corrected.value for row in cell if row.corrected is not None]
        if values and all(0 < value < 1 for value in values):
            assert sum(values) == pytest.approx(1)


def test_the_table_has_all_cells_but_not_endless_ones() -> None:
    count = 60  # articles, of which each is an outlet of its own
    many = msgspec.structs.replace(
        guesses(np.zeros(count, np.int64), np.arange(count)),
        outlet=np.arange(count, dtype=np.int32),
        outlets=[f"outlet {n:02}" for n in range(count)],
    )
    table = show(PredictionShares(model="m", power=None, notes=[], rows=prediction_shares(many, None)))
    assert len(table.splitlines()) == 1 + 1 + 1 + SHOWN + 1 + 1 + 1 + 2
    assert table.splitlines()[-2:] == [
        "raw: as the model predicted, with its errors",
        "no brackets: fewer than 5 articles, so there is no interval",
    ]
    assert "and 48 more outlets and months" in table
    assert "100.0" in table
    assert "100.0 [94.0, 100.0]" in table, "all articles"
    assert "[0.0, 100.0]" not in table, "an outlet of one article: nothing is known of how articles differ"


def test_the_table_says_why_labels_of_outlets_add_up_to_more_than_all() -> None:
    one = Estimate(value=0.5, low=0.4, high=0.6)
    cells: list[tuple[shares.SharesOf, str, int]] = [("all", "", 60), ("outlet", "A", 50), ("outlet", "B", 12)]
    rows = [
        shares.ShareRow(kind=kind, name=name, n=90, stance="favor", raw=one, corrected=one, labelled=labelled)
        for kind, name, labelled in cells
    ]
    legend = show(PredictionShares(model="m", power=1.0, notes=[], rows=rows)).splitlines()[-2:]
    assert legend[0].endswith("; corrected: by the labelled sentences, which show how the model errs")
    assert legend[1].startswith("labels: exact copies count once in each row")
    rows[2] = msgspec.structs.replace(rows[2], labelled=10)
    assert "labels: exact" not in show(PredictionShares(model="m", power=1.0, notes=[], rows=rows))


def test_settled_labels_have_their_own_shares_with_copies_counted_once() -> None:
    # Four sentences of Gazette, of which two are copies, and two of Sentinel, of which none is settled.
    found = guesses(np.array([AGAINST] * 6), np.arange(6), np.array([0, 0, 0, 0, 1, 1]))
    settled = Settled(
        stance=np.array([0, 0, 0, 1, -1, -1], np.int8),
        unit=np.array([0, 0, 1, 2, 3, 4], np.int32),
        article=np.arange(6, dtype=np.int32),
        stands=np.array([True, False, True, True, False, False]),
    )
    rows = prediction_shares(found, None, settled=settled)
    told = {
        (row.name, row.stance): (round(row.settled.value, 3) if row.settled else None, row.settled_labels)
        for row in rows
        if row.kind != "month"
    }
    assert told["Gazette", "favor"] == (0.667, 3)
    assert told["Gazette", "against"] == (0.333, 3)
    assert told["Gazette", "none"] == (0, 3)
    assert told["Sentinel", "favor"] == (None, 0)
    assert told["", "favor"] == (0.667, 3)
    assert all(row.raw.value == (row.stance == "against") for row in rows), "the model's shares are as before"
    lines = show(PredictionShares(model="m", power=None, notes=[], rows=rows)).splitlines()
    gazette = next(n for n, line in enumerate(lines) if line.startswith("  Gazette"))
    assert lines[gazette + 1].split() == ["settled", "3", "66.7", "33.3", "0.0"]
    sentinel = next(n for n, line in enumerate(lines) if line.startswith("  Sentinel"))
    assert lines[sentinel + 1] == "by month"
    assert any(line.startswith("settled: the shares among the sentences") for line in lines)
    meaning = (
        "labels, beside settled: all settled labels; beside raw: those of sentences drawn at random, which alone can"
    )
    assert f"{meaning} correct the raw shares" in lines
    for part in "\n".join(fitted(lines, 50)).split("\n\n"):
        assert any(line.split()[:2] == ["all", "raw"] for line in part.split("\n")), "each part names its rows"
        assert any(line.split()[:1] == ["settled"] for line in part.split("\n"))
    assert "settled" not in show(PredictionShares(model="m", power=None, notes=[], rows=prediction_shares(found, None)))


def test_settled_shares_have_the_intervals_of_the_articles_in_which_people_labelled() -> None:
    # Of each pair of copies the second one was labelled, all of them in article 9; the first ones are in ten articles.
    found = guesses(np.array([AGAINST] * 20), np.zeros(20, np.int64), np.array([0] * 20))
    stance = np.tile(np.repeat([0, 1], 5), 2).astype(np.int8)
    unit = np.tile(np.arange(10, dtype=np.int32), 2)
    articles = np.arange(20, dtype=np.int32) % 10
    for labelled, article, known in ((False, articles, True), (True, np.where(np.arange(20) < 10, articles, 9), False)):
        settled = Settled(
            stance=stance, unit=unit, article=article.astype(np.int32), stands=(np.arange(20) > 9) == labelled
        )
        favor = prediction_shares(found, None, settled=settled)[0].settled
        assert favor is not None
        assert (favor.value, favor.low > 0.1, favor.high < 0.9) == (0.5, known, known)


# --- coverage


class Made:
    """A corpus of 300 articles that differ in stance; some sentences have copies; two outlets."""

    def __init__(self, seed: int, favor: float = 0.15) -> None:
        chance = np.random.default_rng(seed)
        self.expected = np.array([favor, 0.3, 0.7 - favor])
        article = np.repeat(np.arange(300), 10)
        luck = chance.dirichlet(self.expected * 6, 300)[article]
        y = (chance.random((3000, 1)) > np.cumsum(luck, axis=1)).sum(axis=1).clip(0, 2)
        copies = np.where(chance.random(3000) < 0.1, chance.integers(2, 6, 3000), 1)
        self.unit = np.repeat(np.arange(3000), copies)
        self.home, self.y = article[self.unit], y[self.unit]
        self.outlet = self.home % 2
        # A word that goes with the stance, and says nothing in a fifth of the sentences; the rarer words are many.
        self.word = np.where(chance.random(3000) < 0.8, y, 3) * 40 + chance.geometric(0.1, 3000).clip(0, 39)
        self.chance = chance

    def biased(self) -> Ints:
        """The stance, but that 30 % of `none` is read as `against`, more in one outlet, and 5 % is anything."""
        unit_y, unit_outlet = np.zeros(3000, np.int64), np.zeros(3000, np.int64)
        unit_y[self.unit], unit_outlet[self.unit] = self.y, self.outlet
        wrong = self.chance.random(3000) < 0.2 + 0.2 * unit_outlet
        f = np.where(wrong & (unit_y == NONE), AGAINST, unit_y)
        return np.where(self.chance.random(3000) < 0.05, self.chance.integers(0, 3, 3000), f)[self.unit]

    def truth(self) -> NDArray[np.float64]:
        return np.bincount(self.y, minlength=3) / len(self.y)


def covers(row: ShareRow, truth: float, *, raw: bool = False) -> bool:
    estimate = row.raw if raw else row.corrected
    assert estimate is not None
    return estimate.low <= truth <= estimate.high


@pytest.mark.slow
def test_corrected_intervals_hold_the_truth_where_raw_ones_fail() -> None:
    runs, hits = 400, np.zeros((4, 3))
    for run in range(runs):
        made = Made(run)
        f = made.biased()
        drawn = made.chance.choice(3000, 200, replace=False)
        weight = np.isin(made.unit, drawn) * 15.0
        rows = prediction_shares(guesses(f, made.home, made.outlet), labels(made.y, weight, f, made.unit))
        truth = made.truth()
        here = np.bincount(made.y[made.outlet == 1], minlength=3) / np.sum(made.outlet == 1)
        for n, stance in enumerate(DEFAULT.names):
            hits[0, n] += covers(of(rows, stance), truth[n])
            hits[1, n] += covers(of(rows, stance), made.expected[n])
            hits[2, n] += covers(of(rows, stance, "Sentinel"), here[n])
            hits[3, n] += covers(of(rows, stance), truth[n], raw=True)
    assert hits[1] / runs == pytest.approx(0.95, abs=0.025), "the outlets' articles at large"
    # Of this very corpus they are rather too wide: .985, .975, .973 of 400; of one outlet of it .983, .960, .953.
    assert (hits[[0, 2]] / runs).min() >= 0.94
    assert (hits[3, AGAINST] + hits[3, NONE]) / runs < 0.05, "the model's own count"


@pytest.mark.slow
def test_with_the_fewest_labels_a_rare_stance_is_still_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[int, float] = {}
    enough = shares.FEWEST_LABELS
    for count in (30, enough):
        monkeypatch.setattr(shares, "FEWEST_LABELS", count)
        hits = 0
        for run in range(400):
            made = Made(run, favor=0.05)
            f = made.biased()
            drawn = made.chance.choice(3000, count, replace=False)
            weight = np.isin(made.unit, drawn) * 3000 / count
            rows = prediction_shares(guesses(f, made.home), labels(made.y, weight, f, made.unit))
            hits += covers(of(rows, "favor"), made.truth()[0])
        found[count] = hits / 400
    assert found[30] < 0.9 < found[enough], "of 400: .823 and .910"


@pytest.mark.slow
def test_enriched_rounds_are_weighted_back() -> None:
    made = Made(1)
    f = made.biased()
    first = np.unique(made.unit, return_index=True)[1]
    units = [
        SamplingUnit(
            sentence_id=f"s{n:04}",
            article_id=f"a{made.home[place]}",
            outlet="",
            text="Troops left." if made.word[n] < 80 else "It rained.",
        )
        for n, place in enumerate(first)
    ]
    runs, hits, plain = 300, np.zeros(3), np.zeros(3)
    for run in range(runs):
        settings = LabelingSettings(seed=run, keywords=["troops"], random_share=0.3)
        draws: list[Draw] = []
        plan: tuple[By, By] = ("keyword", "random")
        for by in plan:
            draws += draw(units, by, 120, earlier=draws, settings=settings, target="")
        found = weights(draws, 3000)
        weight = np.array([found.get(unit.sentence_id, 0.0) for unit in units])[made.unit]
        for total, known in ((hits, weight), (plain, np.where(weight > 0, 1.0, 0.0))):
            rows = prediction_shares(guesses(f, made.home), labels(made.y, known, f, made.unit))
            for n, stance in enumerate(DEFAULT.names):
                total[n] += covers(of(rows, stance), made.truth()[n])
    assert (hits / runs >= 0.92).all()
    assert (plain / runs).min() < 0.7, "labels that count alike, though chance did not choose them alike"


@pytest.mark.slow
def test_only_held_out_predictions_measure_the_models_error() -> None:
    """A model that learns each word's most frequent label is sure of rare words that it has seen once."""

    def learn(word: Ints, y: Ints) -> Ints:
        counts = np.zeros((160, 3))
        np.add.at(counts, (word, y), 1)
        return np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), AGAINST)

    runs, hits = 300, np.zeros((2, 3))
    for run in range(runs):
        made = Made(1000 + run)
        y = np.zeros(3000, np.int64)
        y[made.unit] = made.y
        # Words that say little, so that what is learned of them is noise as much as truth.
        word = np.where(made.chance.random(3000) < 0.5, made.word, made.chance.integers(0, 160, 3000))
        fold = np.zeros(3000, np.int64)
        fold[made.unit] = made.home % 5
        drawn = made.chance.choice(3000, 300, replace=False)
        weight = np.isin(made.unit, drawn) * 10.0
        seen = learn(word[drawn], y[drawn])[word]
        held = np.zeros(3000, np.int64)
        for n in range(5):
            training = drawn[fold[drawn] != n]
            held[fold == n] = learn(word[training], y[training])[word[fold == n]]
        for total, f in ((hits[0], held[made.unit]), (hits[1], seen[made.unit])):
            rows = prediction_shares(guesses(f, made.home), labels(made.y, weight, f, made.unit))
            for n, stance in enumerate(DEFAULT.names):
                total[n] += covers(of(rows, stance), made.truth()[n])
    assert (hits[0] / runs >= 0.92).all()
    assert hits[1].min() / runs < 0.75, "corrected by the labels that the model was trained on"


# --- shares of nothing and of everything


def test_labels_and_predictions_that_are_all_alike_leave_room_for_others() -> None:
    y = np.full(120, NONE)
    known = labels(y, np.full(120, 2.0), y)
    found = prediction_shares(guesses(y, np.arange(120) // 4), known)
    cases: list[tuple[Stance, float]] = [("none", 1.0), ("favor", 0.0)]
    for stance, value in cases:
        row = of(found, stance)
        assert row.corrected is not None
        assert row.raw.value == row.corrected.value == value
        # 30 articles that count as one each: a Clopper-Pearson interval of 0 or 30 of 30.
        edge = 1 - 0.025 ** (1 / 30)
        for one in (row.raw, row.corrected):
            assert (one.low, one.high) == pytest.approx((0.0, edge) if value == 0 else (1 - edge, 1.0))


def test_few_articles_say_nothing_of_how_articles_differ() -> None:
    found = prediction_shares(guesses(np.zeros(8, np.int64), np.arange(8) // 4), None)
    assert [(row.raw.low, row.raw.high) for row in found] == [(0.0, 1.0)] * len(found)
