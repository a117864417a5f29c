"""Years of a project in random order, against a model that keeps every answer ever given and who gave it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.years import World
from tests.support.years_news import build_quickly

Event = tuple[Any, ...]
NUMBER = st.integers(0, 3)
EVENTS = st.one_of(
    st.tuples(st.just("answer"), NUMBER, st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("answer"), NUMBER, st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("edit"), NUMBER, st.integers(0, 2)),
    st.tuples(st.just("delete"), NUMBER),
    st.tuples(st.just("new_address")),
    st.tuples(st.just("new_installation"), st.integers(0, 1), st.integers(0, 1)),
    st.tuples(st.just("articles"), st.integers(1, 3), NUMBER),
    st.tuples(st.just("machine"), st.sampled_from(["alice", "bob"]), st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("pull"), st.just(0)),
    st.tuples(st.just("pull"), st.integers(1, 6)),
    st.tuples(st.just("join"), NUMBER),
    st.tuples(st.just("apart")),
    st.tuples(st.just("codebook"), st.integers(0, 5)),
    st.tuples(st.just("migrate"), st.integers(0, 2), st.booleans()),
    st.tuples(st.just("project_deleted")),
    st.tuples(st.just("rename_project")),
    st.tuples(st.just("settings_follow")),
)
BEGUN: list[Event] = [("answer", n, n % 3, label) for n, label in enumerate((2, 0, 2, 1))] + [("pull", 0)]
"""Most of what can go wrong needs answers that are known."""


def years(most: int) -> st.SearchStrategy[list[Event]]:
    """Years of a project that is new, or in which people have labelled."""
    return st.tuples(st.sampled_from([BEGUN, []]), st.lists(EVENTS, max_size=most)).map(lambda two: two[0] + two[1])


LIMITS: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much]}


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Without near-duplicates."""
    with pytest.MonkeyPatch.context() as patched:
        build_quickly(patched)
        yield


AT_SERVER = {"answer", "edit", "delete", "new_address", "project_deleted", "rename_project", "migrate"}
HERE = {"machine", "articles"}


def commute(one: Event, other: Event) -> bool:
    """Whether two neighbouring events can change places: neither reads what the other one changes."""
    if one[0] == other[0] == "machine":
        return bool(one[1] != other[1])
    kinds = {one[0], other[0]}
    apart = (kinds & AT_SERVER and kinds & HERE) or kinds == HERE
    settings = kinds & {"codebook", "settings_follow"} and kinds & {"articles", "new_address"}
    return bool(apart or settings or kinds in ({"machine", "settings_follow"}, {"delete", "settings_follow"}))


def reordered(events: list[Event], chance: Any) -> list[Event]:
    """The events in another order, by swaps of neighbours that commute."""
    order = list(events)
    for _ in range(4 * len(order)):
        place = chance.randrange(max(1, len(order) - 1))
        if place + 1 < len(order) and commute(order[place], order[place + 1]):
            order[place : place + 2] = reversed(order[place : place + 2])
    return order


def live(events: list[Event]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for what, *how in events:
            getattr(world, what)(*how)
        world.settings_follow()
        world.pull()
        world.check()
        world.pull()
        world.check()
        world.migrate()
        assert world.page == world.labels  # nothing at the server hinders the new page
        world.pull()
        world.check()
        return world.tables()


HARD_YEARS: dict[str, list[Event]] = {
    "an answer that a migration had rewritten was taken for an edit after an export": [
        *[("answer", 2, 2, 2), ("pull", 0), ("codebook", 2), ("migrate", 0, False), ("new_installation", 1, 1)],
    ],
    "imported answers could not be migrated, and hindered the new page for ever": [
        *[("answer", 0, 0, 2), ("pull", 0), ("codebook", 2), ("new_installation", 0, 1)],
    ],
    "a killed migration hid the one before it, whose label was taken for an edit": [
        *[("answer", 2, 2, 2), ("pull", 0), ("codebook", 2), ("migrate", 0, False), ("codebook", 0)],
        ("migrate", 1, False),
    ],
    "an edit to the label that a killed migration had given was lost": [
        *[("answer", 0, 0, 2), ("pull", 0), ("codebook", 5), ("migrate", 1, True), ("edit", 0, 1), ("pull", 0)],
        ("edit", 0, 0),
    ],
    "an answer that its annotator deleted stayed, because a killed migration had meant to remove it": [
        *[("answer", 0, 0, 0), ("pull", 0), ("codebook", 3), ("migrate", 1, False), ("edit", 0, 1), ("pull", 0)],
        ("delete", 0),
    ],
    "a migration after a killed pull removed the only answer that showed whose an account was": [
        *[("answer", 3, 1, 0), ("pull", 4), ("codebook", 0), ("answer", 3, 1, 1), ("migrate", 0, False)],
    ],
    "somebody who was joined with another by mistake answered elsewhere, and stayed the other one": [
        *[("answer", 0, 0, 2), ("answer", 1, 1, 0), ("pull", 0), ("join", 0), ("project_deleted",), ("new_address",)],
        ("answer", 1, 3, 0),
    ],
    "after two imports an answer had another one's number, and was counted twice": [
        *[("answer", 0, 0, 2), ("answer", 3, 0, 1), ("pull", 0), ("delete", 0), ("new_installation", 0, 0)],
        ("new_installation", 0, 1),
    ],
    "after two imports the number of an answer that was given in between hindered the others, which counted twice": [
        *[("answer", 1, 1, 0), ("answer", 2, 2, 2), ("answer", 3, 0, 1), ("pull", 0), ("delete", 0), ("delete", 0)],
        *[("new_installation", 1, 1), ("answer", 0, 2, 1), ("new_installation", 1, 1)],
    ],
    "a migration removed imported answers before a pull had recognised their project by them": [
        *[("answer", 1, 1, 0), ("pull", 0), ("answer", 2, 2, 1), ("codebook", 0), ("new_installation", 1, 0)],
        ("migrate", 0, False),
    ],
}


@pytest.mark.parametrize("events", HARD_YEARS.values(), ids=[name.replace(" ", "-") for name in HARD_YEARS])
def test_years_in_which_this_can_go_wrong(events: list[Event]) -> None:
    live(events)


@settings(max_examples=examples(60), **LIMITS)
@given(years(12))
def test_no_answer_is_lost_doubled_or_anothers_whatever_happens_in_years(events: list[Event]) -> None:
    live(events)


@pytest.mark.slow
@settings(max_examples=500, **LIMITS)
@given(years(25))
def test_no_answer_is_lost_doubled_or_anothers_in_many_years(events: list[Event]) -> None:
    live(events)


@settings(max_examples=examples(40), **LIMITS)
@given(years(12), st.randoms(use_true_random=False))
def test_the_order_of_commuting_events_does_not_change_the_final_tables(events: list[Event], chance: Any) -> None:
    assert live(reordered(events, chance)) == live(events)


@pytest.mark.slow
@settings(max_examples=300, **LIMITS)
@given(years(25), st.randoms(use_true_random=False))
def test_the_order_of_commuting_events_does_not_change_the_final_tables_of_years(
    events: list[Event], chance: Any
) -> None:
    assert live(reordered(events, chance)) == live(events)
