"""How much a push would send, in numbers that the user sees before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from corpus.numbers import number
from labeling.records import Task
from labeling.studio.tasks import data

LARGE = 10_000
"""Number of new tasks above which a push without a limit is not made before the user has agreed."""
SECONDS = 0.0003
"""Time that a server on the same computer takes for a new task (docs/benchmarks.md); one far away takes longer."""
MEASURED = 1_000
"""Number of tasks whose size is measured; that of the others is taken to be the same on average."""


class PushSize(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a push.

    Attributes:
        new: number of tasks that would be made.
        held: number of tasks that are there already.
        seconds: about how long it takes.
        megabytes: about how much the new tasks' data take, in 10⁶ bytes.
    """

    new: int
    held: int
    seconds: float
    megabytes: float

    @property
    def is_large(self) -> bool:
        """Whether the user should be asked first."""
        return self.new > LARGE

    def __str__(self) -> str:
        """One sentence for the terminal."""
        long = f"{self.seconds:.0f} seconds" if self.seconds < 120 else f"{self.seconds / 60:.0f} minutes"
        return (
            f"{number(self.new, 'new task')} without --limit: about {long} and {self.megabytes:,.0f} MB; the server "
            f"would then hold {number(self.held + self.new, 'task')} of this project"
        )


def push_size(tasks: Sequence[Task], new: int, held: int) -> PushSize:
    """The size of a push.

    Args:
        tasks: the new tasks, or the first of them.
        new: number of all new tasks.
        held: number of tasks that are there already.
    """
    measured = tasks[:MEASURED]
    each = sum(len(msgspec.json.encode(data(task))) for task in measured) / max(len(measured), 1)
    return PushSize(new=new, held=held, seconds=new * SECONDS, megabytes=new * each / 1e6)
