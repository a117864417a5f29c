"""Machine coders beside people: agreement, accuracy, consistency, label shares, and anchoring."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.machine.anchoring import Suggestion, anchoring, is_shown
from labeling.machine.answers import by_series
from labeling.machine.comparison import Machines, compare, majority
from labeling.machine.records import MachineAnswer
from labeling.scheme import DEFAULT
from labeling.statistics.agreement import krippendorff_alpha
from labeling.statistics.measured_agreement import measure
from tests.conftest import vote

LABELS = DEFAULT.names
Votes = Mapping[str, Mapping[str, str]]


def answer(sentence_id: str, stance: str | None, **more: object) -> MachineAnswer:
    fields: dict[str, object] = {"coder": "m", "model": "m", "prompt": "p", "temperature": 0.0} | more
    return MachineAnswer(sentence_id=sentence_id, stance=stance, **fields)  # type: ignore[arg-type]


def compared(votes: Votes, answers: list[MachineAnswer], articles: int = 8) -> Machines:
    ids = sorted({*votes, *(row.sentence_id for row in answers if row.sentence_id != "gone")})
    article_of = {key: f"a{n % articles}" for n, key in enumerate(ids)}
    return compare(by_series(answers), votes, article_of, DEFAULT, 0.15)


def people(seed: int = 1, items: int = 60, noise: float = 0.3) -> dict[str, dict[str, str]]:
    random = np.random.default_rng(seed)
    votes: dict[str, dict[str, str]] = {}
    for n in range(items):
        true = LABELS[int(random.integers(3))]
        votes[f"s{n:03}"] = {
            who: LABELS[int(random.integers(3))] if random.random() < noise else true for who in ("A1", "A2", "A3")
        }
    return votes


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_alpha_with_and_without_the_machine_is_krippendorffs(seed: int, kept: float) -> None:
    random = np.random.default_rng(seed)
    votes = people(seed, 30)
    machine = {key: LABELS[int(random.integers(3))] for key in votes if random.random() < kept}
    (coder,) = compared(
        votes, [answer("gone", "favor"), *(answer(key, label) for key, label in machine.items())]
    ).coders
    assert (coder.sentences, coder.joint, coder.gone) == (len(machine), len(machine), 1)
    if not machine:
        assert math.isnan(coder.alpha_people.value)
        return
    without = krippendorff_alpha([list(votes[key].values()) for key in machine])
    both = krippendorff_alpha([[*votes[key].values(), label] for key, label in machine.items()])
    assert coder.alpha_people.value == pytest.approx(without, nan_ok=True)
    assert coder.alpha_with.value == pytest.approx(both, nan_ok=True)
    assert coder.alpha_difference.value == pytest.approx(both - without, nan_ok=True)


def test_the_intervals_of_alpha_are_those_of_the_agreement_of_people() -> None:
    votes = people()
    (coder,) = compared(votes, [answer(key, by["A1"]) for key, by in votes.items()]).coders
    article_of = {key: f"a{n % 8}" for n, key in enumerate(sorted(votes))}
    assert coder.alpha_people.low == pytest.approx(measure(votes, article_of).alpha.low)
    assert coder.alpha_people.high == pytest.approx(measure(votes, article_of).alpha.high)
    assert coder.alpha_people.low < coder.alpha_people.value < coder.alpha_people.high
    # A copy of one annotator agrees with that one always.
    assert coder.alpha_difference.low > 0


def test_each_person_and_the_machine_are_measured_by_the_majority_of_the_same_others() -> None:
    random = np.random.default_rng(2)
    votes = {key: {who: label for who, label in by.items() if random.random() < 0.8} for key, by in people().items()}
    (coder,) = compared(votes, [answer(key, by.get("A2", "none")) for key, by in votes.items()]).coders
    rest = {row.annotator: row for row in measure(votes, dict.fromkeys(votes, "a")).rest}
    for row in coder.people:
        assert row.sentences == rest[row.annotator].n
        assert row.person.value == pytest.approx(rest[row.annotator].raw.value)
        assert row.difference.value == pytest.approx(row.machine.value - row.person.value)
    same = next(row for row in coder.people if row.annotator == "A2")
    assert (same.machine, same.difference.value) == (same.person, 0)


def test_accuracy_and_confusion_are_by_the_people_s_majority_and_a_tie_has_none() -> None:
    assert majority({"A1": "favor", "A2": "none"}) is None
    assert majority({"A1": "favor"}) is None
    assert majority({"A1": "favor", "A2": "favor", "A3": "none"}) == "favor"
    votes = {
        "s1": {"A1": "favor", "A2": "favor", "A3": "none"},
        "s2": {"A1": "favor", "A2": "against"},
        "s3": {"A1": "none", "A2": "none", "unknown 1": "favor"},
    }
    (coder,) = compared(votes, [answer("s1", "favor"), answer("s2", "favor"), answer("s3", "against")]).coders
    assert (coder.joint, coder.against_majority, coder.accuracy.value) == (3, 2, 0.5)
    assert coder.confusion["favor"] == {"favor": 1, "against": 0, "none": 0}
    assert coder.confusion["none"] == {"favor": 0, "against": 1, "none": 0}
    assert coder.test is None
    assert "needs 3 people" in coder.untested
    counts = {row.annotator: row.sentences for row in coder.people}
    assert counts == {"A1": 2, "A2": 2, "A3": 1}


def test_unknown_people_count_nowhere() -> None:
    votes = people()
    more = {key: {**by, "unknown 1": "none"} for key, by in votes.items()}
    answers = [answer(key, by["A1"]) for key, by in votes.items()]
    assert compared(votes, answers) == compared(more, answers)


def test_a_machine_like_a_person_passes_and_its_bias_shows_in_the_confusion_and_shares() -> None:
    votes = people(5, 100, 0.2)
    agreed = {key: majority(by) or "none" for key, by in votes.items()}
    good = [answer(key, label, coder="good") for key, label in agreed.items()]
    biased = [answer(key, "favor", coder="biased") for key in votes]
    found = compared(votes, [*good, *biased])
    by_name = {coder.coder: coder for coder in found.coders}
    assert by_name["good"].test is not None
    assert by_name["good"].test.passed
    assert by_name["good"].accuracy.value == 1
    assert by_name["biased"].test is not None
    assert not by_name["biased"].test.passed
    assert by_name["biased"].shares["favor"].value == 1
    assert sum(by_name["biased"].confusion[name]["favor"] for name in LABELS) == by_name["biased"].against_majority
    assert found.people is not None
    assert found.people["favor"].value == pytest.approx(
        sum(majority(by) == "favor" for by in votes.values()) / found.settled
    )
    assert by_name["biased"].alpha_difference.high < 0


def test_shares_are_compared_on_the_sentences_that_all_coders_labelled() -> None:
    found = compared({}, [answer("s1", "favor"), answer("s2", "none"), answer("s1", "against", prompt="q")])
    assert found.common == 1
    assert [coder.shares["favor"].value for coder in found.coders] == [1, 0]
    assert found.people is None


def test_consistency_is_the_share_of_pairs_alike_and_a_refusal_is_like_nothing() -> None:
    rows = [answer("s1", "favor", sample=n) for n in (1, 2, 3)]
    rows += [answer("s2", "favor"), answer("s2", "none", sample=2), answer("s2", "none", sample=3)]
    rows += [answer("s3", None, refused="?"), answer("s3", None, refused="?", sample=2), answer("s4", "none")]
    (coder,) = compared({}, rows).coders
    assert coder.consistency is not None
    assert (coder.consistency.sentences, coder.consistency.samples) == (3, 3)
    assert coder.consistency.alike.value == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert (coder.sentences, coder.refused) == (3, 1)


def test_the_latest_of_two_answers_to_one_question_counts() -> None:
    rows = [answer("s1", "favor", created_at="2026-01-02"), answer("s1", "none", created_at="2026-01-01")]
    for given_rows in (rows, rows[::-1]):
        (coder,) = compared({}, given_rows).coders
        assert (coder.sentences, coder.shares["favor"].value) == (1, 1)


def suggestion(number: int, shown: bool, since: str = "2026-01-01T00:00:00+00:00") -> Suggestion:
    return Suggestion(sentence_id=f"s{number}", stance="favor", model="m", shown=shown, since=since)


def test_anchoring_is_the_difference_between_tasks_that_show_a_label_and_tasks_that_hold_it_back() -> None:
    rows = [suggestion(n, n % 2 == 0) for n in range(40)]
    answers = [
        vote(f"s{n}", "A1", "favor" if n % 2 == 0 or n % 4 == 1 else "none", created_at="2026-01-02T00:00:00Z")
        for n in range(40)
    ]
    found = anchoring(rows, answers, {f"s{n}": f"a{n // 4}" for n in range(40)})
    assert found is not None
    assert (found.shown, found.held_back) == (20, 20)
    assert (found.with_suggestion.value, found.without.value, found.difference.value) == (1, 0.5, 0.5)
    assert found.difference.low <= 0.5 <= found.difference.high


def test_answers_before_a_suggestion_skips_control_items_and_adopted_ones_do_not_count() -> None:
    rows = [suggestion(1, True), suggestion(2, False), suggestion(2, True, "2026-03-01T00:00:00+00:00")]
    late = "2026-02-01T00:00:00Z"
    answers = [
        vote("s1", "A1", "favor", created_at=late),
        vote("s1", "A2", "favor", created_at="2025-12-31T00:00:00Z"),
        vote("s1", "A3", None, created_at=late),
        vote("s1", "A4", "favor", created_at=late, control=2),
        vote("s1", "A5", "favor", created_at=late, adopted=True),
        vote("s2", "A1", "none", created_at=late),
        vote("s2", "A2", "favor", created_at="2026-03-02T00:00:00Z"),
        vote("s3", "A1", "none", created_at=late),
    ]
    found = anchoring(rows, answers, {f"s{n}": "a" for n in range(4)})
    assert found is not None
    assert (found.shown, found.held_back) == (2, 1)
    assert anchoring(rows, answers[:1], {"s1": "a"}) is None


def test_the_interval_of_anchoring_covers_the_planted_effect() -> None:
    random = np.random.default_rng(4)
    covered, runs, effect = 0, 100, 0.2
    for _ in range(runs):
        rows, answers = [], []
        for n in range(300):
            shown = bool(random.random() < 0.5)
            rows.append(suggestion(n, shown))
            hit = random.random() < 0.5 + effect * shown
            answers.append(vote(f"s{n}", "A1", "favor" if hit else "none", created_at="2026-02-01T00:00:00Z"))
        found = anchoring(rows, answers, {f"s{n}": f"a{n // 6}" for n in range(300)})
        assert found is not None
        covered += found.difference.low <= effect <= found.difference.high
    assert covered >= 88  # of 95 expected


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 10))
def test_a_larger_share_shows_what_a_smaller_one_does(one: float, two: float, seed: int) -> None:
    ids = [f"{n:032x}" for n in range(50)]
    small, large = sorted((one, two))
    assert {key for key in ids if is_shown(key, small, seed)} <= {key for key in ids if is_shown(key, large, seed)}
    assert all(is_shown(key, 1.0, seed) for key in ids)


def test_the_share_of_shown_suggestions_is_what_was_asked_for() -> None:
    shown = sum(is_shown(f"{n:032x}", 0.3, 1) for n in range(10_000))
    assert 2_850 < shown < 3_150
    other = sum(is_shown(f"{n:032x}", 0.3, 1) == is_shown(f"{n:032x}", 0.3, 2) for n in range(10_000))
    assert other < 7_000  # another seed draws other tasks
