"""Progress on a terminal, on standard error: a bar, or a bar for each stage."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click


def bar(unit: str) -> Any:
    """A bar on standard error that is drawn on a terminal only, and removed when it ends."""
    from tqdm import tqdm

    return tqdm(unit=f" {unit}", disable=None, leave=False, file=sys.stderr)


@contextmanager
def progress_bar(unit: str) -> Iterator[Callable[..., None]]:
    """A bar on a terminal's stderr that begins with the first step; nothing elsewhere."""
    with bar(unit) as drawn:

        def step(done: int, total: int | None = None) -> None:
            if total is not None:
                drawn.total = total
            drawn.update(done)

        yield step


@contextmanager
def counting_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's stderr for work of which only what is left is known, not how much it is in all."""
    with bar(unit) as drawn:

        def step(done: int, left: int) -> None:
            drawn.total = drawn.n + done + left
            drawn.update(done)

        yield step


@contextmanager
def named_steps() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal's stderr with the name of the step that begins, of how many, and the time left."""
    with bar("steps") as drawn:

        def begin(name: str, done: int, total: int) -> None:
            drawn.total = total
            drawn.set_description_str(name, refresh=False)
            drawn.update(done - drawn.n)
            drawn.refresh()

        yield begin


class Stages:
    """Shows on standard error what a command is doing: as a bar on a terminal, elsewhere as lines if it takes long."""

    def __init__(self, bar: Any) -> None:
        """Store the bar to draw."""
        self._bar = bar
        self._is_long = False

    def stage(self, name: str) -> None:
        """Begin a stage; its bar starts when the first of its steps is done."""
        if not self._bar.disable:
            self._bar.reset()
            self._bar.total = None
            self._bar.set_description_str(name)
        elif self._is_long:
            click.echo(f"{name} …", err=True)

    def step(self, done: int, total: int) -> None:
        """Show how many of the stage's steps are done."""
        if self._bar.total != total:
            self._bar.total = total
        self._bar.update(done)

    def say(self, text: str) -> None:
        """Print a line that stays, such as how long the command will take."""
        self._is_long = True
        self._bar.write(text, file=sys.stderr)


@contextmanager
def stage_bars(unit: str) -> Iterator[Stages]:
    """A bar for each stage of a command; see `Stages`."""
    with bar(unit) as drawn:
        yield Stages(drawn)
