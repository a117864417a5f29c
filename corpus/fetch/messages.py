"""What `stance fetch` prints: what became of the pages, and the next command."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path

from corpus.fetch.fetch_pages import Fetched
from corpus.fetch.robots import FORBIDDEN
from corpus.fetch.url_table import UrlTable
from corpus.numbers import number
from corpus.reading.source_files import FAILED

REASONS = 12
"""Most reasons that are named in a line."""


def fetched(done: Fetched, table: UrlTable, folder: Path) -> list[str]:
    """The lines that say what became of the pages, and the next command.

    Args:
        done: what the run did.
        table: the URLs.
        folder: the folder of web archives.
    """
    twice = f" ({_pages(table.repeated)} named twice)" if table.repeated else ""
    failed = f", {done.failed.total()} failed ({_counts(done.failed)})" if done.failed else ""
    forbidden = f", {done.forbidden} {FORBIDDEN}" if done.forbidden else ""
    lines = [f"{_pages(done.fetched)} fetched, {done.there} already there{twice}{failed}{forbidden}"]
    if done.unread:
        lines.append(f"stored, but no article for `stance build`: {_counts(done.unread)}")
    if done.earlier:
        lines.append(
            f"{_pages(done.earlier.total())} not tried again, for they failed before ({_counts(done.earlier)}); "
            "--retry tries them"
        )
    if done.failed or done.forbidden:
        lines.append(f"what failed is listed in {folder / FAILED}; --retry tries it again")
    if done.fetched or done.there:
        lines.append(f"next: stance build {shlex.quote(str(folder))}")
    return ["".join(letter if letter.isprintable() else " " for letter in line) for line in lines]


def _pages(count: int) -> str:
    return f"{count:,} page{'s' if count != 1 else ''}"


def _counts(numbers: Counter[str]) -> str:
    named = [f"{count} {reason}" for reason, count in numbers.most_common(REASONS)]
    more = len(numbers) - REASONS
    return ", ".join([*named, f"and {number(more, 'more reason')}"] if more > 0 else named)
