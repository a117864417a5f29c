"""What the bars of long commands show on a terminal, and that other streams stay empty."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from stance import progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def _stderr(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> Iterator[io.StringIO]:
    monkeypatch.setattr(sys, "stderr", stream)
    yield stream


def _count() -> None:
    with progress.counting_bar("tasks") as step:
        step(100, 300)
        step(100, 200)


def _name() -> None:
    with progress.named_steps() as begin:
        begin("making the tables", 0, 4)
        begin("writing the card", 2, 4)


@pytest.mark.parametrize(("show", "last"), [(_count, "200/400"), (_name, "writing the card:  50%")])
def test_a_bar_shows_how_much_is_done_and_left_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, show: Callable[[], None], last: str
) -> None:
    from functools import partial

    import tqdm

    # Without an interval every step is drawn.
    monkeypatch.setattr(tqdm, "tqdm", partial(tqdm.tqdm, mininterval=0, ncols=100))
    with _stderr(monkeypatch, _Terminal()) as terminal:
        show()
    assert last in terminal.getvalue().rstrip("\r ").split("\r")[-1]
    assert "<" in terminal.getvalue()  # elapsed < left
    with _stderr(monkeypatch, io.StringIO()) as file:
        show()
    assert not file.getvalue()
