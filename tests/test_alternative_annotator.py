"""The alternative annotator test, by an independent computation and by simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, ttest_1samp

from corpus.errors import AgreementError
from labeling.machine.alternative_annotator import (
    alternative_annotator_test,
    on_scale,
    one_sided,
    rejected,
)
from tests.support.examples import examples

LABELS = ("favor", "against", "none")
Votes = dict[str, dict[str, str]]


def simulated(
    random: np.random.Generator, items: int, people: int, noise: float, machine: float
) -> tuple[Votes, dict[str, str]]:
    """People and a machine who each see the true label, and give one at random with the probability of their noise."""
    votes: Votes = {}
    given: dict[str, str] = {}
    for n in range(items):
        true = random.choice(LABELS)
        label = [random.choice(LABELS) if random.random() < by else true for by in [noise] * people + [machine]]
        votes[f"s{n}"] = {f"A{who}": str(label[who]) for who in range(people)}
        given[f"s{n}"] = str(label[-1])
    return votes, given


def by_the_formulas(votes: Votes, machine: Mapping[str, str], epsilon: float) -> tuple[float, float]:
    """Winning rate and average advantage probability, person by person with the tests of scipy."""
    people = sorted({who for by in votes.values() for who in by})
    p_values, advantages = [], []
    for left_out in people:
        ours, theirs = [], []
        for key, by in votes.items():
            if left_out in by and key in machine and len(by) > 1:
                others = [label for who, label in by.items() if who != left_out]
                score_machine = np.mean([machine[key] == label for label in others])
                score_person = np.mean([by[left_out] == label for label in others])
                ours.append(float(score_machine >= score_person))
                theirs.append(float(score_person >= score_machine))
        if len(ours) >= 30:
            p_values.append(ttest_1samp(np.subtract(theirs, ours), epsilon, alternative="less").pvalue)
            advantages.append(np.mean(ours))
    adjusted = false_discovery_control(p_values, method="by")
    return float(np.mean(adjusted <= 0.05)), float(np.mean(advantages))


@settings(max_examples=examples(40), deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    people=st.integers(3, 6),
    items=st.integers(40, 120),
    noise=st.floats(0.1, 0.7),
    machine=st.floats(0.1, 0.9),
    epsilon=st.sampled_from([0.0, 0.1, 0.15, 0.2]),
    kept=st.floats(0.7, 1),
)
def test_the_test_agrees_with_a_computation_by_the_formulas(
    seed: int, people: int, items: int, noise: float, machine: float, epsilon: float, kept: float
) -> None:
    random = np.random.default_rng(seed)
    votes, given_labels = simulated(random, items, people, noise, machine)
    votes = {key: {who: label for who, label in by.items() if random.random() < kept} for key, by in votes.items()}
    given_labels = {key: label for key, label in given_labels.items() if random.random() < kept}
    try:
        done = alternative_annotator_test(votes, given_labels, epsilon)
    except AgreementError:
        return  # some draws leave too few sentences
    winning, advantage = by_the_formulas(votes, given_labels, epsilon)
    assert done.winning_rate == pytest.approx(winning, abs=1e-12)
    assert done.advantage == pytest.approx(advantage, abs=1e-12)


def test_neither_the_order_of_sentences_nor_the_names_of_people_change_a_number() -> None:
    votes, machine = simulated(np.random.default_rng(3), 80, 4, 0.3, 0.4)
    other = {key: {f"B{who}": votes[key][who] for who in sorted(votes[key], reverse=True)} for key in reversed(votes)}
    one, two = alternative_annotator_test(votes, machine, 0.15), alternative_annotator_test(other, machine, 0.15)
    assert (one.winning_rate, one.advantage) == (two.winning_rate, two.advantage)
    assert [row.p for row in one.people] == [row.p for row in two.people]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_the_false_discovery_procedure_is_that_of_scipy(p_values: list[float]) -> None:
    adjusted = false_discovery_control(p_values, method="by")
    for rejects, value in zip(rejected(p_values, 0.05), adjusted, strict=True):
        assert rejects == (value <= 0.05) or math.isclose(value, 0.05, rel_tol=1e-9)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=2, max_size=60), st.floats(0, 0.9))
def test_the_p_value_is_that_of_scipy(values: list[float], least: float) -> None:
    if len(set(values)) > 1:
        expected = ttest_1samp(values, least, alternative="less").pvalue
        assert one_sided(values, least) == pytest.approx(expected, abs=1e-10)
    else:
        assert one_sided(values, least) == (0.0 if values[0] < least else 1.0)


def test_a_machine_like_everybody_wins_and_one_that_never_agrees_loses() -> None:
    votes = {f"s{n}": dict.fromkeys(("A1", "A2", "A3"), LABELS[n % 2]) for n in range(60)}
    same = alternative_annotator_test(votes, {key: by["A1"] for key, by in votes.items()}, 0.15)
    assert (same.winning_rate, same.advantage, same.passed) == (1.0, 1.0, True)
    unlike = alternative_annotator_test(votes, dict.fromkeys(votes, "none"), 0.15)
    assert (unlike.winning_rate, unlike.advantage, unlike.passed) == (0.0, 0.0, False)


def test_labels_of_a_scale_are_nearer_the_fewer_steps_they_are_apart() -> None:
    score = on_scale(["1", "2", "3", "4", "5"])
    assert score("2", ["2", "2"]) == 0
    assert score("1", ["3", "3"]) == -2
    assert score("4", ["5", "2"]) == -math.sqrt((1 + 4) / 2)
    votes = {f"s{n}": {"A1": "1", "A2": "2", "A3": "2"} for n in range(40)}
    near = alternative_annotator_test(votes, dict.fromkeys(votes, "2"), 0.1, score)
    far = alternative_annotator_test(votes, dict.fromkeys(votes, "5"), 0.1, score)
    assert near.advantage == 1
    assert far.advantage == 0


def test_too_few_people_or_sentences_are_an_error_that_says_how_many_are_needed() -> None:
    votes, machine = simulated(np.random.default_rng(1), 60, 2, 0.2, 0.2)
    with pytest.raises(AgreementError, match=r"needs 3 people who each labelled 30 or more .* 2 people did"):
        alternative_annotator_test(votes, machine, 0.15)
    votes, machine = simulated(np.random.default_rng(1), 29, 3, 0.2, 0.2)
    with pytest.raises(AgreementError, match="0 people did"):
        alternative_annotator_test(votes, machine, 0.15)


def expected_difference(noise: float, machine: float) -> float:
    """The expected difference of a person's and the machine's advantage with two other people, by enumeration."""

    def chances(by: float) -> dict[str, float]:
        return {label: by / 3 + (1 - by) * (label == "favor") for label in LABELS}

    total = 0.0
    person, model = chances(noise), chances(machine)
    for one, p_one in person.items():
        for two, p_two in person.items():
            for mine, p_mine in person.items():
                for its, p_its in model.items():
                    a, b = (mine == one) + (mine == two), (its == one) + (its == two)
                    total += p_one * p_two * p_mine * p_its * ((a >= b) - (b >= a))
    return total


def at_the_border(noise: float, epsilon: float) -> float:
    """The noise at which a machine is worse than the people by exactly epsilon."""
    low, high = noise, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if expected_difference(noise, middle) > epsilon else (middle, high)
    return low


def test_a_machine_that_is_just_too_bad_rarely_wins_and_a_good_one_mostly() -> None:
    noise, epsilon, runs, items = 0.3, 0.15, 300, 80
    random = np.random.default_rng(17)
    border = at_the_border(noise, epsilon)
    assert expected_difference(noise, border) == pytest.approx(epsilon, abs=1e-9)

    def rates(machine: float) -> tuple[float, float]:
        done = [alternative_annotator_test(*simulated(random, items, 3, noise, machine), epsilon) for _ in range(runs)]
        return sum(row.winning_rate > 0 for row in done) / runs, sum(row.passed for row in done) / runs

    any_win, passed = rates(border)
    # All hypotheses are true here, so that the rate of any false win is at most 5 %; 3 standard errors are 3.8 points.
    assert any_win <= 0.088
    assert passed <= any_win
    _, passed = rates(0.1)
    assert passed >= 0.9
    _, passed = rates(0.9)
    assert passed == 0
