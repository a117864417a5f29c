"""HTML pages to article text and metadata, by trafilatura, with a guard against pages made to stop it."""

from __future__ import annotations

import logging
import re
from typing import Any

from corpus.decode import NotTextError

# Measured with trafilatura 2.3.1 and libxml2 2.14: time grows with the square of the elements (40,000: 9 s), above
# all of those in one paragraph (16,000: 20 s; 3,000: 0.3 s), and with the cube of the attributes of one tag (20,000:
# 1 s; 80,000: 70 s). News pages have one or two thousand elements.
PAGE_CHARACTERS = 10_000_000
TAGS = 50_000
ELEMENTS = 25_000
IN_PARAGRAPH = 3_000
ATTRIBUTES = 2_000

_LONG_TAG = 20_000
_VALUE = re.compile(r"""(?<=\s)[^\s=<>"'/]+\s*=\s*(?:"[^"]*"|'[^']*')""")


def extract(page: str) -> tuple[str, str, dict[str, str]]:
    """Article text of a page, the extractor's name and version, and what the page says of the article.

    Raises:
        NotTextError: the page is too big, too deep, or no article is found in it.
    """
    _check_size(page)
    import trafilatura
    from trafilatura.utils import HTML_PARSER

    # What it would say on standard error, the reason of the skipped article says.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    logging.getLogger("htmldate").setLevel(logging.CRITICAL)
    try:
        tree = trafilatura.load_html(page)
        if tree is None:  # it refuses a fragment: paragraphs without a page around them
            tree = trafilatura.load_html(f"<html><body>{page}</body></html>")
        if tree is None:
            raise NotTextError("expected an HTML page; found none")
        # Where nesting passes 255 or a text 10 MB, the parser drops the rest and goes on, as if that were all.
        if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in HTML_PARSER.error_log):
            raise NotTextError("HTML nested deeper than 255, or otherwise beyond what the parser takes")
        _check_tree(tree)
        text = trafilatura.extract(tree, fast=True, include_comments=False, include_tables=False) or ""
        if not text.strip():
            raise NotTextError("trafilatura finds no article in the page")
        return text, f"trafilatura {trafilatura.__version__}", _metadata(tree)
    except NotTextError:
        raise
    except Exception as error:  # the page is anybody's: whatever it makes the extractor raise is its own fault
        raise NotTextError(f"HTML that trafilatura fails on: {type(error).__name__}: {error}"[:500]) from error


def _metadata(tree: Any) -> dict[str, str]:
    import trafilatura

    # Its own search for a date goes through the prose (it took 2014 out of a sentence of the starter corpus)
    # and refuses dates after today, which an invented corpus has.
    dates = {"original_date": True, "extensive_search": False, "max_date": "2100-01-01"}
    found = trafilatura.extract_metadata(tree, date_config=dates)
    return {
        "title": found.title or "",
        "published": found.date or "",
        "outlet": found.sitename or "",
        "url": found.url or "",
        "language": found.language or "",
    }


def _check_size(page: str) -> None:
    if len(page) > PAGE_CHARACTERS:
        raise NotTextError(f"an HTML page of {len(page):,} characters; expected at most {PAGE_CHARACTERS:,}")
    if page.count("<") > TAGS:
        raise NotTextError(f"an HTML page of {page.count('<'):,} tags; expected at most {TAGS:,}")
    for part in page.split("<"):
        # Pictures and maps inside a page are tags with few, long values.
        if len(part) > _LONG_TAG and len(_VALUE.sub("", part).partition(">")[0].split()) > ATTRIBUTES:
            raise NotTextError(f"an HTML tag of more than {ATTRIBUTES:,} attributes")


def _check_tree(tree: Any) -> None:
    count = sum(1 for _ in tree.iter())
    if count > ELEMENTS:
        raise NotTextError(f"an HTML page of {count:,} elements; expected at most {ELEMENTS:,}")
    longest = max((len(paragraph) for paragraph in tree.iter("p")), default=0)
    if longest > IN_PARAGRAPH:
        raise NotTextError(f"a paragraph of {longest:,} HTML elements; expected at most {IN_PARAGRAPH:,}")
