"""Let one thread make items while another uses those made before."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterable[Item]) -> Generator[Item, None, None]:
    """The same items in the same order; the next one is made in another thread while the last one is used.

    This saves time where making or using an item is work outside of Python, such as a query or compression. At most
    one item waits. An error comes where the item would have come; if the items are not used up, the thread ends with
    the one that it is making.

    Args:
        items: the items; they are iterated in the other thread only, one at a time.

    >>> list(ahead(range(3)))
    [0, 1, 2]
    """
    source = iter(items)

    def following() -> list[Item]:
        return list(islice(source, 1))  # empty at the end; an exception StopIteration can't be given to a future

    with ThreadPoolExecutor(1, "ahead") as thread:
        waiting = thread.submit(following)
        while made := waiting.result():
            waiting = thread.submit(following)
            yield made[0]
