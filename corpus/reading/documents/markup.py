"""Read the lines of marked-up text (HTML, NITF, TEI), with the kinds that its elements tell."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any

from corpus.reading.documents.lines import Line, clean
from corpus.reading.documents.office.packages import entity_text, local
from corpus.reading.web.html_in_text import BLOCKS
from corpus.reading.web.html_parser import parsed

HTML_KINDS = {
    **{f"h{level}": ("heading", "heading") for level in range(1, 7)},
    "figcaption": ("caption", "figure"),
    "caption": ("caption", "table"),
}
HTML_HIDDEN = frozenset("script style head noscript template title svg math form button select nav".split())
_XML_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_BLANK = re.compile(r"\n[ \t\r\f]*\n")


def html_of(text: str) -> Any:
    """The tree of a piece of HTML, or of a whole page.

    Raises:
        NotTextError: it is too big, too deeply nested, or not HTML.
    """
    return parsed(f"<div>{_XML_DECLARATION.sub('', text, count=1)}</div>")


def markup_lines(
    tree: Any,
    kinds: Mapping[str, tuple[str, str]] = HTML_KINDS,
    hidden: Container[str] = HTML_HIDDEN,
    blocks: Container[str] = frozenset(BLOCKS),
    spaces: Container[str] = frozenset(),
    *,
    blank_lines: bool = False,
) -> list[Line]:
    """The lines of a tree of marked-up text, in order.

    Args:
        tree: the tree, of HTML or XML.
        kinds: kind and reason of the lines in elements with these names, and of all that such an element holds.
        hidden: names of elements that are not text.
        blocks: names of elements that begin and end a line.
        spaces: names of elements that stand for a space.
        blank_lines: whether a blank line between the tags ends a line too, as blog editors save their texts.
    """
    lines: list[Line] = []
    held: list[str] = []
    around: list[tuple[str, str]] = [("", "")]

    def end_line() -> None:
        text = "".join(held)
        held.clear()
        for one in _BLANK.split(text) if blank_lines else [text]:
            if body := clean(one):
                lines.append(Line(body, *around[-1]))

    # On the stack are elements, texts that follow one, and functions that close one.
    waiting: list[Any] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            held.append(one)
            continue
        if isinstance(one, tuple):
            if one[0]:
                end_line()
            if one[1]:
                around.pop()
            continue
        if one is not tree and one.tail:
            waiting.append(one.tail)
        name = local(one)
        if not name:
            if type(one).__name__ == "_Entity":
                held.append(entity_text(one))
            continue
        if name in spaces:
            held.append(" ")
        if name in hidden:
            continue
        known = kinds.get(name) if around[-1] == ("", "") else None
        block = known is not None or name in blocks
        if block:
            end_line()
        if known:
            around.append(known)
        waiting.append((block, known is not None))
        waiting += reversed(one)
        if one.text:
            held.append(one.text)
    end_line()
    return lines
