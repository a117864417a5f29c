"""Markdown that shows any text as it is, and tables in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from corpus.numbers import separated

INTERVAL = re.compile(r"(?<=.)\[[-+]?\d+(?:\.\d+)?, [-+]?\d+(?:\.\d+)?\](?![(\[])")
HIDE = str.maketrans("[]", "\x01\x02")
SHOW = str.maketrans("\x01\x02", "[]")
"""Brackets on the way through the escaping; control characters are gone by then."""


class Markdown(str):
    """Text that is Markdown already; all else is escaped when it is put into a template."""

    __slots__ = ()


def plain(text: object) -> Markdown:
    r"""Text that Markdown shows as it is, on one line: no markup, link, table cell, list or HTML comes of it.

    A whole number gets thousands separators.

    >>> plain("- a *b* <!-- c -->")
    '\\- a \\*b\\* \\<!-- c --\\>'
    """
    if isinstance(text, Markdown):
        return text
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", str(separated(text))).split())
    # Left as they are: an interval such as [0.1, 0.2], and an underscore in a word, which mean nothing to Markdown.
    line = INTERVAL.sub(lambda found: found.group().translate(HIDE), line)
    line = re.sub(r"[\\`*\[\]<>|#~$&]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", line).translate(SHOW)
    return Markdown(re.sub(r"^(?:([-+=](?!\d))|(\d+)([.)](?:\s|$)))", r"\2\\\1\3", line))


def paragraphs(text: str) -> Markdown:
    """Several paragraphs, parted by empty lines, each as by `plain`."""
    return Markdown("\n\n".join(plain(part) for part in re.split(r"\n\s*\n", text.strip())))


def table(heads: Sequence[object], rows: Iterable[Sequence[object]]) -> Markdown:
    """A table whose first column stands to the left, the others to the right."""
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    cells = ([row if n == 1 else plain(row) for row in line] for n, line in enumerate(lines))
    return Markdown("\n".join("| " + " | ".join(map(str, line)) + " |" for line in cells))
