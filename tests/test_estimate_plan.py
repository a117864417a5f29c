"""What a plan says: labels for a width of the intervals, and how far annotators differ."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.coded_corpora import NAMES, CodedCorpus
from train.estimate.annotator_spread import AnnotatorSpread, annotator_spread
from train.estimate.estimates import estimates_of
from train.estimate.plan import Forecast, plan
from train.estimate.plan_message import shown_plan

FORECASTS = st.builds(
    Forecast,
    variance=st.floats(1e-6, 0.01),
    by_design=st.just(0.0),
    degrees=st.floats(9, 200),
    most_degrees=st.floats(200, 500),
    labelled=st.integers(50, 500),
    units=st.integers(501, 10_000),
)


@given(FORECASTS, st.floats(0, 1), st.floats(0.01, 0.5), st.floats(0, 0.001))
def test_the_number_of_labels_is_the_least_that_gives_the_width(
    one: Forecast, part: float, width: float, beside: float
) -> None:
    one = msgspec.structs.replace(one, by_design=part * one.variance)
    need = one.labels(width, beside)
    if need is None:
        assert one.width(one.units, beside) > width
        return
    assert one.labelled <= need <= one.units
    assert one.width(need, beside) <= width
    assert need == one.labelled or one.width(need - 1, beside) > width
    assert one.width(one.units, beside) <= one.width(need, beside) + 1e-12 <= one.width(one.labelled, beside) + 1e-9


def test_if_all_is_labelled_the_articles_alone_decide() -> None:
    one = Forecast(variance=0.003, by_design=0.002, degrees=199, most_degrees=199, labelled=200, units=1000)
    reach = 1.9719565
    assert one.width(200) == pytest.approx(2 * reach * math.sqrt(0.003), rel=1e-5)
    assert one.width(1000) == pytest.approx(2 * reach * math.sqrt(0.001), rel=1e-5)
    # 1/500 - 1/1000 is a quarter of 1/200 - 1/1000.
    assert one.width(500) == pytest.approx(2 * reach * math.sqrt(0.001 + 0.0005), rel=1e-5)


def test_a_forecast_from_a_pilot_comes_true() -> None:
    """The widths that 200 labels foretell for 800 are those that 800 labels give, on average over pilots."""
    foretold, real = np.zeros((12, 3)), np.zeros((12, 3))
    for seed in range(12):
        made = CodedCorpus(100 + seed)
        pilot = made.inputs(made.drawn_at_random(200))
        row = plan(pilot, 0.06, None).rows[0]
        assert row.width is not None
        full = estimates_of(made.inputs(made.drawn_at_random(800))).groups[0].shares
        real[seed] = [share.ppi.high - share.ppi.low if share.ppi else math.nan for share in full]
        foretold[seed] = [one.width(800) for one in _whole(made, 200)]
    assert foretold.mean(axis=0) == pytest.approx(real.mean(axis=0), rel=0.08)


def _whole(made: CodedCorpus, labelled: int) -> list[Forecast]:
    from train.estimate.groups import estimators
    from train.estimate.plan import _forecasts
    from train.predict.shares import power

    inputs = made.inputs(made.drawn_at_random(labelled))
    assert inputs.labels is not None
    found = estimators(inputs, np.arange(len(inputs.given)), power(inputs.labels)).ppi
    return _forecasts(inputs, found, labelled)


def test_a_plan_has_a_row_for_each_group_and_difference() -> None:
    made = CodedCorpus(3)
    found = plan(made.inputs(made.drawn_at_random(300)), 0.08, None)
    assert [(row.group, row.other) for row in found.rows] == [
        ("", ""), ("Gazette", ""), ("Sentinel", ""), ("Gazette", "Sentinel"),
    ]  # fmt: skip
    whole, *_, between = found.rows
    assert whole.more is not None
    assert whole.more > 0
    assert between.more is None
    assert between.least is not None
    assert between.least > 0.08
    assert "even with every sentence labelled the interval would be" in between.reason
    text = "\n".join(shown_plan(found))
    assert f"`stance push --limit {whole.more}`" in text or "stance push --limit" in text
    assert "how many annotators it takes is not known" in text


def test_a_plan_without_a_pilot_says_how_many_labels_the_pilot_takes() -> None:
    made = CodedCorpus(4)
    found = plan(made.inputs(made.drawn_at_random(30)), 0.05, None)
    assert [row.width for row in found.rows] == [None] * 3
    assert found.rows[0].more == 20
    assert "20 more labels would be needed" in found.rows[0].reason
    assert "20 more labels would be needed" in "\n".join(shown_plan(found))


# --- annotators


def _votes(annotators: int, sentences: int, spread: float, seed: int) -> dict[str, dict[str, str]]:
    """Annotators who each see `favor` in a share of the sentences that differs by `spread` between them."""
    chance = np.random.default_rng(seed)
    shares = 0.4 + spread * chance.standard_normal(annotators)
    return {
        f"s{n}": {f"A{k}": NAMES[0] if chance.random() < share else NAMES[2] for k, share in enumerate(shares.tolist())}
        for n in range(sentences)
    }


def test_the_spread_of_annotators_is_measured_without_that_of_chance() -> None:
    found = [annotator_spread(_votes(6, 200, spread, seed), NAMES) for seed in range(40) for spread in (0.0, 0.1)]
    none, some = ([one.variance[0] for one in found[n::2] if one] for n in (0, 1))
    assert len(none) == len(some) == 40
    assert np.mean(none) < 0.001, "without its correction for chance it would be 0.0012"
    assert np.mean(some) == pytest.approx(0.01, rel=0.25)


def test_the_spread_of_two_annotators_on_a_worked_example() -> None:
    # 40 sentences; on 10 of them the second annotator alone says favor. d = -1/4, s² = 40/39 · (1/4 - 1/16).
    votes = {f"s{n}": {"A1": "none", "A2": "favor" if n < 10 else "none"} for n in range(40)}
    found = annotator_spread(votes, NAMES)
    assert found is not None
    expected = (1 / 16 - (1 / 4 - 1 / 16) / 39) / 2
    assert found.variance == [pytest.approx(expected), 0.0, pytest.approx(expected)]
    assert (found.annotators, found.pairs) == (2, 1)
    assert found.effective == pytest.approx(2)
    assert annotator_spread({name: by for n, (name, by) in enumerate(votes.items()) if n < 19}, NAMES) is None


def test_more_annotators_take_fewer_sentences_and_too_few_can_never_do() -> None:
    made = CodedCorpus(3)
    inputs = msgspec.structs.replace(made.inputs(made.drawn_at_random(300)), columns=[])
    spread = AnnotatorSpread(annotators=3, effective=3.0, pairs=3, variance=[0.0, 0.002, 0.002])
    found = plan(inputs, 0.08, spread)
    taken = [row.more for row in found.annotators]
    assert found.annotators[0].annotators == 3
    assert found.annotators[0].more is None, "0.002 / 3 alone makes a width of 0.1"
    assert any(more is not None for more in taken)
    known = [more for more in taken if more is not None]
    assert known == sorted(known, reverse=True)
    assert (found.rows[0].more or 0) < known[-1]
    assert "no number of sentences is enough" in "\n".join(shown_plan(found))
    calm = plan(inputs, 0.08, msgspec.structs.replace(spread, variance=[0.0] * 3))
    assert {row.more for row in calm.annotators} == {calm.rows[0].more}
