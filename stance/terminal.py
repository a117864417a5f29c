"""What commands print on a terminal: no line is longer than the terminal is wide, and what matters has a colour.

A file or a pipe gets every line as it was printed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TextIO, cast

NARROWEST = 20
"""Columns that a line may take even if the terminal says that it has fewer."""
COLOURS = (
    (re.compile(r"next: "), "\033[1;32m"),
    (re.compile(r"note: |warning: |out of date: "), "\033[33m"),
    (re.compile(r"stance: "), "\033[1;31m"),
)
"""The colour of the words that a line begins with: green, yellow and red."""
PLAIN = "\033[0m"
GAP = re.compile(r"\S {2,}\S")
"""What rows of a table have between their cells."""


class Fitted:
    """A terminal to which every line is written so that it fits; all else is left to the terminal itself."""

    def __init__(self, terminal: TextIO) -> None:
        """Store the terminal."""
        self._terminal = terminal

    def __getattr__(self, name: str) -> Any:
        """What the terminal has of this name."""
        return getattr(self._terminal, name)

    def write(self, text: str) -> int:
        """Write lines; bars, which move the cursor, are written as they are."""
        if text.strip() and not re.search(r"[\r\033\b]", text):
            import shutil

            # One column is left free, since some terminals break a line that fills all of them.
            width = max(shutil.get_terminal_size().columns - 1, NARROWEST)
            body = text.rstrip("\n")
            text = "\n".join(map(_coloured, fitted(body.split("\n"), width))) + text[len(body) :]
        return self._terminal.write(text)


def fit_streams() -> None:
    """Make the standard output and the standard error fit their lines, each if it is a terminal."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and stream.isatty():
            setattr(sys, name, cast(TextIO, Fitted(stream)))


def fitted(lines: Sequence[str], width: int) -> list[str]:
    """The lines, none longer than a width: tables are divided by columns, all else is wrapped at spaces.

    Each part of a divided table repeats the columns that name the rows. In a list of names with their explanations,
    each explanation is wrapped beside its name.

    >>> fitted(["name  first  second", "a         1       2"], 14)
    ['name  first', 'a         1', '', 'name  second', 'a          2']
    >>> fitted(["a    the first of both", "bcd  the second"], 14)
    ['a    the first', '     of both', 'bcd  the', '     second']
    >>> fitted(["  a long line that goes on"], 14)
    ['  a long line', '    that goes', '    on']
    """
    found: list[str] = []
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and (GAP.search(lines[end]) or (end > at and _is_heading(lines, end))):
            end += 1
        if end - at > 1 and max(map(len, lines[at:end])) > width:
            found += _divided(lines[at:end], width)
        else:
            end = max(end, at + 1)
            found += [part for line in lines[at:end] for part in _wrapped(line, width)]
        at = end
    return found


def _is_heading(lines: Sequence[str], at: int) -> bool:
    """Whether a line within a table names the indented rows that follow it."""
    follows = lines[at + 1] if at + 1 < len(lines) else ""
    return (
        bool(lines[at].strip())
        and not lines[at].startswith(" ")
        and GAP.search(follows) is not None
        and (follows.startswith("  "))
    )


def _divided(rows: Sequence[str], width: int) -> list[str]:
    """A table as several, each with the columns that name the rows and as many others as fit."""
    longest = max(map(len, rows))
    padded = [row.ljust(longest) for row in rows]
    free = [all(row[column] == " " for row in padded) for column in range(longest)]
    indent = free.index(False)
    cuts = [0, *(n for n in range(indent + 2, longest) if free[n - 1] and free[n - 2] and not free[n]), longest]
    if not _are_cells(rows, cuts):
        return [piece for row in rows for piece in _wrapped(row, width)]
    columns = [[row[start:end].rstrip() for row in padded] for start, end in pairwise(cuts)]
    widths = [max(map(len, column)) for column in columns]
    if len(columns) == 2:
        return _explained(columns, cuts[1], width)
    named = _naming(columns)
    head = sum(widths[:named]) + 2 * (named - 1)
    parts: list[list[int]] = []
    taken = width + 1
    for n in range(named, len(columns)):
        if taken + 2 + widths[n] > width:
            parts.append([])
            taken = head
        parts[-1].append(n)
        taken += 2 + widths[n]
    found: list[str] = []
    for number, part in enumerate(parts):
        kept = [*range(named), *part]
        table = ["  ".join(columns[n][row].ljust(widths[n]) for n in kept).rstrip() for row in range(len(rows))]
        found += [""] * bool(number) + [piece for line in table for piece in _wrapped(line, width)]
    return found


def _are_cells(rows: Sequence[str], cuts: Sequence[int]) -> bool:
    """Whether the gaps of rows stand one below the other; in a list of sentences that end in an id they don't."""
    gaps = ((gap.start() + 1, gap.end() - 1) for row in rows for gap in GAP.finditer(row))
    return len(cuts) > 2 and all(any(start <= cut - 2 and cut <= end for cut in cuts[1:-1]) for start, end in gaps)


def _naming(columns: Sequence[Sequence[str]]) -> int:
    """How many of the first columns name the rows: the first, and those after it with words at their left edge."""
    named = 1
    while named < len(columns) - 1:
        cells = [cell for cell in columns[named][1:] if cell.strip()]
        if not cells or not all(cell[0].isalpha() for cell in cells):
            break
        named += 1
    return named


def _explained(columns: Sequence[Sequence[str]], first: int, width: int) -> list[str]:
    """Names and explanations, each wrapped beside its name; where names take more than half of a line, below it."""
    below = 0 if 2 * first > width else first
    lines = (f"{name.ljust(first)}{said}".rstrip() for name, said in zip(*columns, strict=True))
    return [piece for line in lines for piece in _wrapped(line, width, below)]


def _wrapped(line: str, width: int, below: int = 0) -> list[str]:
    """A line in pieces that fit; those after the first are indented below it, or by `below`. Words are never broken."""
    if len(line) <= width:
        return [line]
    from textwrap import wrap

    indent = line[: len(line) - len(line.lstrip())]
    return wrap(
        line.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=" " * below or f"{indent}  "[: width // 2],
        break_long_words=False,
        break_on_hyphens=False,
    )


def _coloured(line: str) -> str:
    if os.environ.get("NO_COLOR"):
        return line
    for pattern, colour in COLOURS:
        if found := pattern.match(line):
            return f"{colour}{found.group()}{PLAIN}{line[found.end() :]}"
    return line
