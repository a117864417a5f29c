"""Scores and their intervals, two models compared, the annotators' ceiling, and the learning curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Stance
from labeling.statistics.bootstrap import resampled
from labeling.statistics.intervals import shown
from train import metrics as evaluation
from train.evaluate.analysis import enough
from train.evaluate.ceiling import ceiling
from train.evaluate.leak_audit import FitPredict
from train.evaluate.learning_curve import learning_curve
from train.intervals import FEWEST
from train.metrics import compare, evaluate, f_avg, macro_f1
from train.records import Example

STANCE = st.sampled_from(DEFAULT.names)
ROWS = st.lists(st.tuples(STANCE, STANCE, STANCE, st.sampled_from("abcd")), max_size=30)


def _no_nan(record: object) -> None:
    """JSON has no NaN: msgspec would write null, which no longer reads as a number."""
    for value in msgspec.to_builtins(record).values() if isinstance(record, msgspec.Struct) else []:
        for part in value.values() if isinstance(value, dict) else [value]:
            assert not (isinstance(part, float) and math.isnan(part))


# --- scores


def test_without_examples_nothing_is_known() -> None:
    scores = evaluate([], [], [], seed=1)
    assert (scores.n, scores.groups, scores.confusion) == (0, 0, [[0] * 3] * 3)
    for score in (scores.f_avg, scores.macro_f1, scores.accuracy):
        assert (score.value, score.low, score.high) == (0, 0, 1)
    assert f_avg([], []) == macro_f1([], []) == 0


@settings(deadline=None)
@given(ROWS.filter(bool).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_rows_changes_no_digit(
    orders: tuple[list[tuple[Stance, Stance, Stance, str]], list[tuple[Stance, Stance, Stance, str]]],
) -> None:
    rows, mixed = orders

    def both(rows: list[tuple[Stance, Stance, Stance, str]]) -> tuple[bytes, bytes]:
        true, one, two, groups = (list(column) for column in zip(*rows, strict=True))
        scores = evaluate(true, one, groups, 3)
        comparison = compare(true, one, two, groups, 3)
        return msgspec.json.encode(scores), msgspec.json.encode(comparison)

    assert both(rows) == both(mixed)


def test_groups_are_drawn_not_examples() -> None:
    true: list[Stance] = ["favor"] * 400
    right = [DEFAULT.names[n // 200] for n in range(400)]
    wide = evaluate(true, right, [str(n // 50) for n in range(400)], 1).accuracy
    narrow = evaluate(true, right, [str(n) for n in range(400)], 1).accuracy
    # Eight groups, each all right or all wrong: the standard error is √(.25 / 8), not √(.25 / 400).
    assert wide.high - wide.low == pytest.approx(3.92 * math.sqrt(0.25 / 8), rel=0.2)
    assert narrow.high - narrow.low == pytest.approx(3.92 * math.sqrt(0.25 / 400), rel=0.2)


@pytest.mark.parametrize("groups", [1, 4])
def test_few_groups_have_no_interval(groups: int) -> None:
    true = [DEFAULT.names[n % 3] for n in range(60)]
    given = [DEFAULT.names[(n // 2) % 3] for n in range(60)]
    scores = evaluate(true, given, [str(n % groups) for n in range(60)], 1)
    for score in (scores.f_avg, scores.macro_f1, scores.accuracy):
        assert (score.low, score.high) == (0, 1)
        assert shown(score) == f"{score.value:.3f}"


@pytest.mark.parametrize("groups", [5, 20, 100])
@pytest.mark.parametrize("wrong", [False, True])
def test_scores_that_no_resample_changes_have_an_interval_all_the_same(groups: int, wrong: bool) -> None:
    true = [DEFAULT.names[n % 3] for n in range(3 * groups)]
    given = [DEFAULT.names[(n + wrong) % 3] for n in range(3 * groups)]
    scores = evaluate(true, given, [str(n // 3) for n in range(3 * groups)], 1)
    # With k articles that are all alike, Clopper and Pearson's bound of the share of those that are not.
    bound = 1 - 0.025 ** (1 / groups)
    accuracy = scores.accuracy
    assert (accuracy.value, accuracy.low, accuracy.high) == pytest.approx((0, 0, bound) if wrong else (1, 1 - bound, 1))
    for score in (scores.f_avg, scores.macro_f1):
        assert (score.low, score.value, score.high) == (score.low, float(not wrong), score.high)
        # Of a class, F1 is 2J / (1 + J); two or three of them together are less far off than one of them alone.
        far = bound if wrong else 1 - bound
        alone = 2 * far / (1 + far)
        assert 0 < score.high - score.low < (alone if wrong else 1 - alone)
    assert evaluate(true, given, [str(n // 3) for n in range(3 * groups)], 2) == scores


def test_a_label_that_is_never_given_by_design_has_an_f1_of_0_for_certain() -> None:
    true = [DEFAULT.names[n % 3] for n in range(60)]
    groups = [str(n // 3) for n in range(60)]
    learned = evaluate(true, ["none"] * 60, groups, 1).f_avg
    assert (learned.value, learned.low) == (0, 0)
    assert 0 < learned.high < 0.4
    constant = evaluate(true, ["none"] * 60, groups, 1, possible={"none"}).f_avg
    assert (constant.value, constant.low, constant.high) == (0, 0, 0)
    assert shown(constant) == "0.000 (in any sample)"


@pytest.mark.slow
@pytest.mark.parametrize("groups", [8, 30])
@pytest.mark.parametrize("right", [0.97, 0.995])
def test_intervals_of_nearly_perfect_models_cover_the_truth(groups: int, right: float) -> None:
    random = np.random.default_rng(3)

    def world(count: int) -> tuple[list[Stance], list[Stance]]:
        """Groups of six of which a few are mostly wrong."""
        label = random.integers(0, 3, 6 * count)
        bad = (random.random(count) < 2 * (1 - right)).repeat(6) & (random.random(6 * count) < 0.5)
        return [DEFAULT.names[n] for n in label.tolist()], [DEFAULT.names[n] for n in ((label + bad) % 3).tolist()]

    truth = f_avg(*world(60_000))
    held = before = 0
    for run in range(200):
        true, given = world(groups)
        names = [str(n // 6) for n in range(6 * groups)]
        score = evaluate(true, given, names, run).f_avg
        held += score.low <= truth <= score.high
        before += true != given
    assert held / 200 >= 0.88
    assert before / 200 < held / 200, "where nothing is wrong, the bootstrap's own interval is [1, 1]"


@pytest.mark.parametrize("groups", [1, 3, 333])
def test_resamples_are_sums_of_groups_drawn_with_replacement(groups: int) -> None:
    parts = np.eye(groups)[:, :, None] * np.ones(2)
    drawn = resampled(parts, 2, evaluation.RESAMPLES)
    assert drawn.shape == (evaluation.RESAMPLES, groups, 2)
    assert (drawn.sum(axis=1) == groups).all()
    assert drawn[:, 0, 0].mean() == pytest.approx(1, abs=0.1)
    if groups > 1:  # multinomial: the variance of one group's count is 1 - 1 / groups
        assert drawn[:, 0, 0].var() == pytest.approx(1 - 1 / groups, abs=0.15)


# --- two models


@settings(deadline=None)
@given(ROWS)
def test_differences_are_those_of_scikit_learns_scores(rows: list[tuple[Stance, Stance, Stance, str]]) -> None:
    true: list[Stance] = [row[0] for row in rows]
    one: list[Stance] = [row[1] for row in rows]
    two: list[Stance] = [row[2] for row in rows]
    found = compare(true, one, two, [row[3] for row in rows], seed=1)
    _no_nan(found)
    if rows:
        f = [f1_score(true, given_, labels=list(DEFAULT.names), average=None, zero_division=0) for given_ in (one, two)]
        assert found.f_avg.value == pytest.approx(f[0][:2].mean() - f[1][:2].mean())
        assert found.macro_f1.value == pytest.approx(f[0].mean() - f[1].mean())
    assert (found.n, found.groups) == (len(rows), len({row[3] for row in rows}))
    if found.groups < FEWEST:
        assert (found.f_avg.low, found.f_avg.high, found.at_most_zero) == (-1, 1, None)


def test_what_is_hard_for_both_models_cancels() -> None:
    random = np.random.default_rng(1)
    hard = random.random(60).repeat(10)
    true = [DEFAULT.names[n] for n in random.integers(0, 3, 600)]
    first: list[Stance] = [label if chance < 0.8 else "none" for label, chance in zip(true, hard, strict=True)]
    second: list[Stance] = [guess if n % 12 else "none" for n, guess in enumerate(first)]
    groups = [str(n // 10) for n in range(600)]
    found = compare(true, first, second, groups, 1)
    assert found.at_most_zero is not None
    assert found.f_avg.low > 0
    assert found.at_most_zero < 0.01
    assert found.f_avg.high - found.f_avg.low < (found.first.high - found.first.low) / 2
    back = compare(true, second, first, groups, 1)
    assert back.f_avg.low == pytest.approx(-found.f_avg.high)
    same = compare(true, first, first, groups, 1)
    # Two that never differ here may differ on the next article: no interval, rather than one that is a point.
    assert (same.f_avg.value, same.f_avg.low, same.f_avg.high, same.at_most_zero) == (0, -1, 1, 1)


MIX = np.array([0.3, 0.45, 0.25]) * 8
SURE = np.array([[0.65, 0.15, 0.2], [0.1, 0.75, 0.15], [0.2, 0.25, 0.55]])
LESS = np.array([[0.6, 0.2, 0.2], [0.12, 0.7, 0.18], [0.2, 0.25, 0.55]])


def _world(random: np.random.Generator, groups: int) -> list[list[Stance]]:
    """Labels and two models' guesses for groups of ten that share their mix of labels and how hard they are."""
    mix = random.dirichlet(MIX, groups).repeat(10, axis=0)
    label = (random.random((len(mix), 1)) > mix.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    hard = random.random(len(mix)) < random.beta(2, 4, groups).repeat(10)

    def guesses(chances: NDArray[np.float64]) -> NDArray[np.int64]:
        found = (random.random((len(mix), 1)) > chances[label].cumsum(axis=1)).sum(axis=1).clip(0, 2)
        return np.where(hard, random.integers(0, 3, len(mix)), found)

    return [[DEFAULT.names[n] for n in codes.tolist()] for codes in (label, guesses(SURE), guesses(LESS))]


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "least"), [(20, 0.88), (100, 0.91)])
def test_intervals_of_f_avg_and_of_differences_cover_the_truth(groups: int, least: float) -> None:
    random = np.random.default_rng(0)
    true, one, two = _world(random, 20_000)
    f, difference = f_avg(true, one), f_avg(true, one) - f_avg(true, two)
    covered = np.zeros(2)
    names = [str(n // 10) for n in range(10 * groups)]
    for run in range(300):
        true, one, two = _world(random, groups)
        score, comparison = evaluate(true, one, names, run).f_avg, compare(true, one, two, names, run).f_avg
        covered += [score.low <= f <= score.high, comparison.low <= difference <= comparison.high]
    assert (covered / 300 >= least).all()
    assert (covered / 300 <= 0.985).all()


# --- the annotators as ceiling


def test_an_annotator_is_scored_against_the_majority_of_the_others() -> None:
    votes: list[dict[str, Stance]] = [
        {"A": "favor", "B": "favor", "C": "favor"},
        {"A": "against", "B": "favor", "C": "favor"},  # A differs; for B and C the others are split
        {"A": "against", "B": "none", "C": "favor"},  # split for everyone
        {"A": "against"},  # nobody else
        {"A": "against", "B": "against"},  # one other is a majority of one
    ]
    found = ceiling(votes, ["favor", "favor", "favor", "favor", "none"], ["1", "2", "3", "4", "5"], seed=1)
    assert {row.annotator: row.n for row in found.annotators} == {"A": 3, "B": 2, "C": 1}
    by = {row.annotator: row for row in found.annotators}
    assert by["A"].f_avg == pytest.approx(f_avg(["favor", "favor", "against"], ["favor", "against", "against"]))
    assert by["A"].model_f_avg == pytest.approx(f_avg(["favor", "favor", "against"], ["favor", "favor", "none"]))
    assert by["B"].macro_f1 == pytest.approx(macro_f1(["favor", "against"], ["favor", "against"]))
    reference: list[Stance] = ["favor", "favor", "against", "favor", "against", "favor"]
    people: list[Stance] = ["favor", "against", "against", "favor", "against", "favor"]
    assert found.compared.second.value == pytest.approx(f_avg(reference, people))
    assert (found.compared.n, found.compared.groups) == (6, 3)


@pytest.mark.parametrize(("model", "expected"), [(0.5, "below"), (0.8, "near"), (0.99, "above")])
def test_the_model_is_near_the_ceiling_when_it_errs_as_often_as_people(model: float, expected: str) -> None:
    random = np.random.default_rng(4)
    truth = random.integers(0, 3, 600)

    def says(share: float) -> list[Stance]:
        codes = np.where(random.random(600) < share, truth, random.integers(0, 3, 600))
        return [DEFAULT.names[n] for n in codes.tolist()]

    a, b, c = says(0.8), says(0.8), says(0.8)
    votes = [dict(zip("ABC", labels, strict=True)) for labels in zip(a, b, c, strict=True)]
    groups = [str(n // 5) for n in range(600)]
    found = ceiling(votes, says(model), groups, seed=1)
    assert found.near == expected
    # Names and the order of votes decide nothing.
    assert ceiling([dict(reversed(by.items())) for by in votes], says(model), groups, 1).compared.second == (
        found.compared.second
    )


def test_without_shared_votes_there_is_no_ceiling() -> None:
    some: list[list[dict[str, Stance]]] = [[], [{}], [{"A": "favor"}]]
    for votes in some:
        found = ceiling(votes, ["favor"] * len(votes), ["1"] * len(votes), seed=1)
        assert (found.annotators, found.near, found.compared.n) == ([], "unknown", 0)
        assert (found.compared.first.low, found.compared.first.high) == (0, 1)
        _no_nan(found)
    one = ceiling([{"A": "favor", "B": "none"}], ["favor"], ["1"], seed=1)
    assert one.near == "unknown"


def test_one_other_person_is_no_majority_for_the_ceiling_of_a_project() -> None:
    three: dict[str, Stance] = {"A": "favor", "B": "favor", "C": "none"}
    assert enough(three) == three
    assert enough({"A": "favor", "B": "favor"}) == {}


# --- the learning curve


def _examples(groups: int, name: str) -> list[Example]:
    return [
        Example(sentence_id=f"{name}{g}-{n}", text=f"{name}{g}", label=DEFAULT.names[n], group=f"{name}{g}")
        for g in range(groups)
        for n in range(3)
    ]


def _learner(per_group: float) -> tuple[FitPredict, list[set[str]]]:
    """A model that is right in a share of cases that grows with the groups that it has seen."""
    seen: list[set[str]] = []

    def fit_predict(training: Sequence[Example], testing: Sequence[Example]) -> list[Stance]:
        seen.append({row.group for row in training})
        right = 0.3 + per_group * math.log2(len(seen[-1])) + 0.003 * (len(seen[-1]) == 64)
        return [row.label if (n * 0.618) % 1 < right else "none" for n, row in enumerate(testing)]

    return fit_predict, seen


def test_the_subsets_are_nested_groups_that_double() -> None:
    fit_predict, seen = _learner(0.05)
    found = learning_curve(_examples(64, "a"), _examples(40, "b"), fit_predict, repeats=3, seed=1)
    assert [step.groups for step in found.steps] == [4, 8, 16, 32, 64]
    assert [step.examples for step in found.steps] == [12, 24, 48, 96, 192]
    assert [len(groups) for groups in seen] == [4] * 3 + [8] * 3 + [16] * 3 + [32] * 3 + [64]
    for n in range(3):
        assert seen[n] < seen[n + 3] < seen[n + 6] < seen[n + 9] < seen[12]
    assert len({frozenset(groups) for groups in seen}) == 13
    _no_nan(found)


@pytest.mark.parametrize(("per_group", "more", "words"), [
    (0.1, "yes", "would probably help"), (0.0, "hardly", "surely less than 1 point")
])  # fmt: skip
def test_the_curve_says_whether_more_labels_would_help(per_group: float, more: str, words: str) -> None:
    fit_predict, _ = _learner(per_group)
    found = learning_curve(_examples(64, "a"), _examples(300, "b"), fit_predict, repeats=3, seed=1)
    assert found.gain is not None
    assert (found.more, words in found.sentence) == (more, True)
    assert found.gain.value == pytest.approx(found.steps[-1].f_avg.value - found.steps[-2].f_avg.value)
    again = learning_curve(
        _examples(64, "a")[::-1], _examples(300, "b"), _learner(per_group)[0], repeats=3, seed=1
    )  # fmt: skip
    assert again == found


def test_the_curve_is_unclear_when_the_subsets_luck_is_larger_than_the_gain() -> None:
    def lucky(training: Sequence[Example], testing: Sequence[Example]) -> list[Stance]:
        luck = 0.3 if "a0" in {row.group for row in training} else 0.9
        right = 0.6 if len(training) == 192 else luck
        return [row.label if (n * 0.618) % 1 < right else "none" for n, row in enumerate(testing)]

    found = learning_curve(_examples(64, "a"), _examples(100, "b"), lucky, repeats=5, seed=1)
    assert found.more == "unclear"
    assert found.gain is not None
    assert found.gain.low < 0 < found.gain.high


def test_steps_that_lack_a_label_are_left_out_and_named() -> None:
    rare = _examples(32, "a")
    rare = [row for row in rare if row.label != "none" or row.group == "a0"]
    fit_predict, _ = _learner(0.05)
    found = learning_curve(rare, _examples(10, "b"), fit_predict, repeats=5, seed=1)
    assert [step.groups for step in found.steps] == [32]
    assert found.left_out == [2, 4, 8, 16]
    assert (found.gain, found.more) == (None, "unclear")
    assert "nothing can be said" in found.sentence


def test_a_curve_of_nothing_or_of_leaking_groups_is_an_error() -> None:
    fit_predict, _ = _learner(0.1)
    for training, testing in (([], _examples(2, "b")), (_examples(2, "b"), []), (_examples(2, "b"), _examples(3, "b"))):
        with pytest.raises(ExamplesError, match="examples of different groups"):
            learning_curve(training, testing, fit_predict, repeats=2, seed=1)
