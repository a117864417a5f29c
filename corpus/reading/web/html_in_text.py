"""Recognise HTML where plain text is expected, as in a table's text column, and read it without its tags."""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5
from typing import Any

from corpus.reading.web.html_parser import parsed

TAGS = "HTML in the text: it is read without its tags"
ENTITIES = "HTML entities in the text: read as the characters that they stand for"
PERHAPS = "a tag of HTML in the text: it is left as it is, since the rest of the text is not HTML"

BLOCKS = (
    "address article aside blockquote br caption center dd details div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 head header hr html li main nav ol option p pre section summary table tbody td tfoot th thead "
    "title tr ul"
).split()
"""Tags that begin and end a line."""
_INLINE = (
    "a abbr b big button cite code del em embed font i iframe img input ins kbd label link mark meta noscript object q "
    "s script small source span strike strong style sub sup svg time tt u var video audio picture body"
).split()
_HIDDEN = {"script", "style", "head", "noscript", "template", "title"}
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*?)\]\]>\s*", re.S)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")
_ATTRIBUTE = r"""\s+[A-Za-z_:@][\w:.@-]*\s*=\s*(?:"[^"]*+"|'[^']*+'|[^\s"'<>=]++)"""
_TAG = re.compile(rf"<(/?)({'|'.join([*BLOCKS, *_INLINE])})((?:{_ATTRIBUTE})*+)\s*/?>", re.I)
_PAGE = re.compile(r"\s*+(?:<\?xml[^>]*+>|<!--.*?-->|\s)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BLANK_LINE = re.compile(r"\n[ \t\r\f]*\n")


def is_page(text: str) -> bool:
    """Whether a text is a whole HTML page, with menus and the like around the article."""
    return _PAGE.match(text) is not None


def plain(text: str) -> tuple[str, str]:
    r"""A text without its HTML, and a note on that; a text without HTML is unchanged, with an empty note.

    A `<` alone is not HTML, nor is a single tag in a text that has no others: the text may be about that tag.

    >>> plain("<p>The boats left.</p><p>The <b>mayor</b> slept &amp; it rained.</p>")[0]
    'The boats left.\nThe mayor slept & it rained.'
    >>> plain("Where a < b and c > d, AT&T slept.")
    ('Where a < b and c > d, AT&T slept.', '')
    """
    if "<" not in text and "&" not in text:
        return text, ""
    if match := _CDATA.fullmatch(text):
        text = match[1]
    tags = list(_TAG.finditer(text)) if "<" in text else []
    if tags and _is_markup(text, tags):
        return _without(text, tags), TAGS
    if not any(match[1] is None or f"{match[1]};" in html5 for match in _ENTITY.finditer(text)):
        return text, PERHAPS if tags else ""
    decoded = _ENTITY.sub(lambda match: unescape(match[0]), text)
    # Feeds escape all the HTML of an item.
    if not tags and _is_markup(decoded, tags := list(_TAG.finditer(decoded))):
        return _without(decoded, tags), TAGS
    return decoded, ENTITIES


def _is_markup(text: str, tags: list[re.Match[str]]) -> bool:
    """Whether its tags show that a text is HTML: one is closed, one opens the text, a `<br>`, or two block tags."""
    opened: set[str] = set()
    blocks = 0
    for tag in tags:
        name = tag[2].lower()
        if name == "br" or (tag[1] and name in opened):
            return True
        opened.add(name)
        blocks += name in BLOCKS or bool(tag[3])
    return blocks > 1 or (blocks == 1 and not text[: tags[0].start()].strip())


def _without(text: str, tags: list[re.Match[str]]) -> str:
    """The text of a piece of HTML. Its tags make the line breaks; if only words have tags, the text's own are kept."""
    if not any(tag[2].lower() in BLOCKS for tag in tags):
        text = text.replace("\n", "<br>")
    return lines(parsed(f"<div>{text}</div>"))


def lines(tree: Any) -> str:
    """The text of an HTML tree, a line for each paragraph, heading, list item and the like."""
    parts: list[str] = []
    _gather(tree, parts)
    # In blog editors a blank line ends a paragraph, just as tags do.
    found = (_SPACE.sub(" ", line).strip() for line in _BLANK_LINE.sub("\0", "".join(parts)).split("\0"))
    return "\n".join(line for line in found if line)


def _gather(tree: Any, parts: list[str]) -> None:
    """Collect the text of a tree, with a NUL wherever a line ends."""
    from lxml.etree import iterwalk

    hidden = 0
    for event, element in iterwalk(tree, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi"):
            if not hidden and element.tail:
                parts.append(element.tail)
            continue
        name = element.tag if isinstance(element.tag, str) else ""
        if name in BLOCKS:
            parts.append("\0")
        if event == "start":
            hidden += name in _HIDDEN
            if not hidden and element.text:
                parts.append(element.text)
        else:
            hidden -= name in _HIDDEN
            if not hidden and element.tail and element is not tree:
                parts.append(element.tail)
