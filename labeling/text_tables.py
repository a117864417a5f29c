"""Tables of text for the terminal."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence


def table(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Rows under their headings: the first column is aligned to the left, or those with the numbers `left`.

    >>> table([["name", "n"], ["a", "100"]])
    ['name    n', 'a     100']
    """
    # Two spaces within a cell would look like the gap between two cells.
    rows = [[re.sub(r"(?<=\S) {2,}(?=\S)", " ", cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if n in left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
