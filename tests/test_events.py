"""Years of a project in random order, against a model that keeps every answer ever given and who gave it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.years import World

Event = tuple[Any, ...]
NUMBER = st.integers(0, 3)
EVENTS = st.one_of(
    st.tuples(st.just("answer"), NUMBER, st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("answer"), NUMBER, st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("edit"), NUMBER, st.integers(0, 2)),
    st.tuples(st.just("delete"), NUMBER),
    st.tuples(st.just("new_address")),
    st.tuples(st.just("new_installation")),
    st.tuples(st.just("articles"), st.integers(1, 3)),
    st.tuples(st.just("machine"), st.sampled_from(["alice", "bob"]), st.integers(0, 3), st.integers(0, 2)),
    st.tuples(st.just("pull"), st.just(0)),
    st.tuples(st.just("pull"), st.integers(1, 6)),
    st.tuples(st.just("join"), NUMBER),
    st.tuples(st.just("apart")),
    st.tuples(st.just("codebook"), st.integers(0, 2)),
    st.tuples(st.just("project_deleted")),
    st.tuples(st.just("rename_project")),
    st.tuples(st.just("settings_follow")),
)
LIMITS: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much]}


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Without waiting for the disk."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda _: None)
        yield


AT_SERVER = {"answer", "edit", "delete", "new_address", "project_deleted", "rename_project"}
HERE = {"machine", "articles"}


def commute(one: Event, other: Event) -> bool:
    """Whether two neighbouring events can change places: neither reads what the other one changes."""
    if one[0] == other[0] == "machine":
        return bool(one[1] != other[1])
    kinds = {one[0], other[0]}
    apart = (kinds & AT_SERVER and kinds & HERE) or kinds == HERE
    settings = kinds & {"codebook", "settings_follow"} and kinds & {"articles", "delete", "new_address"}
    return bool(apart or settings or kinds == {"machine", "settings_follow"})


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
        return world.tables()


@settings(max_examples=30, **LIMITS)
@given(st.lists(EVENTS, max_size=12))
def test_no_answer_is_lost_doubled_or_anothers_whatever_happens_in_years(events: list[Event]) -> None:
    live(events)


@pytest.mark.slow
@settings(max_examples=500, **LIMITS)
@given(st.lists(EVENTS, max_size=25))
def test_no_answer_is_lost_doubled_or_anothers_in_many_years(events: list[Event]) -> None:
    live(events)


@settings(max_examples=25, **LIMITS)
@given(st.lists(EVENTS, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_commuting_events_does_not_change_the_final_tables(events: list[Event], chance: Any) -> None:
    assert live(reordered(events, chance)) == live(events)


@pytest.mark.slow
@settings(max_examples=300, **LIMITS)
@given(st.lists(EVENTS, max_size=25), st.randoms(use_true_random=False))
def test_the_order_of_commuting_events_does_not_change_the_final_tables_of_years(
    events: list[Event], chance: Any
) -> None:
    assert live(reordered(events, chance)) == live(events)
