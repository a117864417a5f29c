"""Items made ahead in another thread: the same ones, in the same order, with the same error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.read_ahead import ahead


@given(st.lists(st.integers()), st.integers(0, 5), st.booleans())
def test_the_items_come_in_order_and_an_error_in_its_place(items: list[int], used: int, fails: bool) -> None:
    def source() -> Iterator[int]:
        yield from items
        if fails:
            raise ValueError("after the last item")

    found = []
    with pytest.raises(ValueError, match="after the last item") if fails else nullcontext():
        for item in ahead(source()):
            found.append(item)
    assert found == items
    partly = ahead(source())
    assert [next(partly) for _ in range(min(used, len(items)))] == items[:used]
    partly.close()


def test_the_next_item_is_made_while_one_is_used_and_no_thread_is_left() -> None:
    made = threading.Semaphore(0)

    def source() -> Iterator[int]:
        for number in range(3):
            made.release()
            yield number

    items = ahead(source())
    assert next(items) == 0
    assert made.acquire(timeout=10)
    assert made.acquire(timeout=10), "the second item is made before it is asked for"
    items.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
