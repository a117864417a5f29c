"""Parse HTML, with limits that keep hostile pages from stopping the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from corpus.reading.text_encoding import NotTextError

# Measured with trafilatura 2.3.1 and libxml2 2.14: time grows with the square of the elements (40,000: 9 s), above
# all of those in one paragraph (16,000: 20 s; 3,000: 0.3 s), and with the cube of the attributes of one tag (20,000:
# 1 s; 80,000: 70 s). News pages have one or two thousand elements.
PAGE_CHARACTERS = 10_000_000
TAGS = 50_000
ELEMENTS = 25_000
IN_PARAGRAPH = 3_000
ATTRIBUTES = 2_000

_LONG_TAG = 20_000
"""With at most this many characters between one `<` and the next, no tag can have too many attributes."""

# Comments and tags as the HTML standard delimits them. What stands in a comment, a script or a style sheet is not a
# tag, but only if these are closed: the parser must not find a tag that was not checked here. Elsewhere what looks like
# a CDATA section is a comment that ends at the first `>`, as the standard says.
_COMMENT = re.compile(r"<!--(?:>|->|.*?--!?>)|<(?!!--)[!?][^>]*+>", re.S)
_NAME = re.compile(r"</?([A-Za-z][^\s/>]*+)")
_ATTRIBUTE = re.compile(r"[\s/]*+(?!>)=?[^\s/>=]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>]*+))?")
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])", re.I) for name in ("script", "style")}


def check_size(page: str) -> None:
    """Refuse a page that the parser would take too long for.

    Raises:
        NotTextError: it has too many characters, too many tags, or a tag with too many attributes.
    """
    if len(page) > PAGE_CHARACTERS:
        raise NotTextError(f"an HTML page of {len(page):,} characters; expected at most {PAGE_CHARACTERS:,}")
    if page.count("<") <= TAGS and all(len(part) <= _LONG_TAG for part in page.split("<")):
        return
    count = 0
    for attributes in _attributes(page):
        count += 1
        if attributes > ATTRIBUTES:
            raise NotTextError(f"an HTML tag of more than {ATTRIBUTES:,} attributes")
    if count > TAGS:
        raise NotTextError(f"an HTML page of {count:,} tags; expected at most {TAGS:,}")


def _attributes(page: str) -> Iterator[int]:
    """The number of attributes of each tag of a page, counted up to one above the limit."""
    place = page.find("<")
    while place >= 0:
        end = place + 1
        if comment := _COMMENT.match(page, place):
            end = comment.end()
        elif name := _NAME.match(page, place):
            end, count = name.end(), 0
            while count <= ATTRIBUTES and (match := _ATTRIBUTE.match(page, end)):
                end, count = match.end(), count + 1
            yield count
            raw = _RAW_END.get(name[1].lower()) if page[place + 1] != "/" else None
            if raw and (closing := raw.search(page, end)):
                end = closing.start()
        place = page.find("<", end)


def check_tree(tree: Any) -> None:
    """Refuse a parsed page that the extractor would take too long for.

    Raises:
        NotTextError: the page or one of its paragraphs has too many elements.
    """
    count = sum(1 for _ in tree.iter())
    if count > ELEMENTS:
        raise NotTextError(f"an HTML page of {count:,} elements; expected at most {ELEMENTS:,}")
    longest = max((len(paragraph) for paragraph in tree.iter("p")), default=0)
    if longest > IN_PARAGRAPH:
        raise NotTextError(f"a paragraph of {longest:,} HTML elements; expected at most {IN_PARAGRAPH:,}")


def check_parsed(log: Any) -> None:
    """Refuse a page that was not parsed to its end.

    Where elements are nested more than 255 deep or a text is longer than 10 MB, the parser drops the rest and goes on
    as if that were all.

    Args:
        log: the parser's log, the only place that shows it.

    Raises:
        NotTextError: the parser dropped something.
    """
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in log):
        raise NotTextError("HTML nested deeper than 255, or otherwise beyond what the parser takes")


def parsed(html: str) -> Any:
    """The tree of a piece of HTML.

    Raises:
        NotTextError: it is too big, too deeply nested, or not HTML.
    """
    from lxml.etree import LxmlError
    from lxml.html import HTMLParser, document_fromstring

    check_size(html)
    parser = HTMLParser(remove_comments=True, remove_pis=True)
    try:
        tree = document_fromstring(html, parser=parser)
    except (LxmlError, ValueError) as error:
        raise NotTextError(f"HTML that the parser fails on: {error}"[:500]) from error
    check_parsed(parser.error_log)
    check_tree(tree)
    return tree
