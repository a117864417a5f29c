"""Find the lines of an extracted text that stand beside the article on its page: links, comments, notes on the author.

The extractor's text keeps the words of a line, but not where the line stood. What is only a link, or stands in a part
that the page itself calls a comment or a newsletter, cannot be told from the words alone.

Measured on 1,120 real pages (the test pages of trafilatura and of Mozilla's Readability), which have lines of this kind
on one page in six.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from typing import Any

from corpus.reading.web.unread_prose import PageLine, letters_of
from corpus.records import Span
from corpus.sentences.line_ends import places

LARGEST = 0.25
"""Share of a text's letters that a part beside the article may hold. Larger ones are parts of the article by another
name: some themes call the element around the whole article `sidebar` or `author`."""

MOST_BESIDE = 0.5
"""Share of a text's letters that all such parts may hold together, or all links. Where they hold more, the page's names
mislead (`comment` for each entry of a ticker), or the article is a list of links."""

LINKED = 0.9
"""Least share of a line's characters that are links, in a line that is only a link."""

_WORDS = range(4, 21)
"""Words of a line that is only a link: a name or an address has fewer, a paragraph within a link more."""

_NAMES = re.compile(
    r"(?:^|[\s_-])(?:(author|bio)|comments?|kommentare?|related|recommend\w*|newsletter|subscri\w*|read-more|see-also"
    r"|sidebar|trending|popular|modal|cookies?|consent|outbrain|taboola|disqus|promos?)(?:$|[\s_-])",
    re.I,
)
"""Names of classes and ids of parts beside an article. Cards, galleries, teasers and widgets often hold its own
text."""
_TAGS = {"aside", "nav", "footer"}
_HEADINGS = ("h1", "h2")
_SENTENCE = (".", ".”", '."', ".’", ".)")


def beside(lines: Iterable[PageLine], text: str) -> list[Span]:
    """The lines of a text that stand beside the article, in order, each with its kind and the reason.

    A line that stands in several places of the page is beside the article only if it is so in all of them.

    Args:
        lines: the page's lines.
        text: the text that was extracted from the page.
    """
    extents = places(text)
    read = [letters_of(text[start:end]) for start, end in extents]
    total, wanted = sum(map(len, read)), set(read) - {""}
    held: Counter[Any] = Counter()
    found: dict[str, list[tuple[PageLine, str]]] = defaultdict(list)
    for line in lines:
        written = line.written
        letters = letters_of(written)
        if letters in wanted:
            found[letters].append((line, written))
            for element in (line.block, *line.block.iterancestors()):
                held[element] += len(letters)
    large = {element for element, size in held.items() if size > LARGEST * total}
    known: dict[Any, tuple[str, str] | None] = {}
    links, parts = list[tuple[Span, int]](), list[tuple[Span, int]]()
    for (start, end), letters in zip(extents, read, strict=True):
        kinds = [_link(line, written) or _part(line.block, large, known) for line, written in found[letters]]
        if kinds and kinds[0] and all(kinds):
            kind, reason = kinds[0]
            (links if reason == "link" else parts).append((Span(start, end, kind, reason), len(letters)))
    kept = [one for one in (links, parts) if sum(size for _, size in one) <= MOST_BESIDE * total]
    return sorted((span for one in kept for span, _ in one), key=lambda span: span.start)


def _link(line: PageLine, written: str) -> tuple[str, str] | None:
    """The kind of a line that is only a link, as long as a headline and without a full stop; else None."""
    if line.linked < LINKED * len(written.replace(" ", "")) or written.endswith(_SENTENCE):
        return None
    if len(written.split()) not in _WORDS or line.block.tag in _HEADINGS:
        return None
    return "other", "link"


def _part(element: Any, large: Set[Any], known: dict[Any, tuple[str, str] | None]) -> tuple[str, str] | None:
    """The kind of what stands in an element that is, or lies in, a part beside the article; else None.

    Args:
        element: the element.
        large: elements that hold too much of the text to be beside the article.
        known: earlier answers.
    """
    if element is None or element.tag in ("body", "html"):
        return None
    if element not in known:
        named = _NAMES.search(f"{element.get('class') or ''} {element.get('id') or ''}")
        if (named or element.tag in _TAGS) and element not in large:
            known[element] = ("footer", "about the author") if named and named[1] else ("other", "beside the article")
        else:
            known[element] = _part(element.getparent(), large, known)
    return known[element]
