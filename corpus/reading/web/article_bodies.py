"""Find the bodies of text on a page that the extractor did not read, and whether they belong to the article.

Measured on 1,256 real pages (the test pages of trafilatura, newspaper4k and of the scrapinghub benchmark): see
docs/reading.md.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from corpus.reading.web.unread_prose import APART, APART_TAGS

FEWEST_WORDS = 60
"""Fewest words of prose in a body that counts: teasers and cards have fewer."""

FEWEST_READ = 25
"""Fewest words of prose, without links, of an article that was read together with others."""

MOST_LINKED = 0.3
"""Share of a body's words that may be links: lists of other articles have more."""

_PARAGRAPH = 40
"""Fewest characters of a paragraph of prose; shorter ones are labels and links."""

_BODY = re.compile(r"(?:article|entry|post|story|main|news)[-_]{0,2}(?:body|content|text)", re.I)
_LIVE = re.compile(r"LiveBlogPosting|liveBlogUpdate")
_BLOCKS = ("article", "body", "div", "header", "main", "section", "td")
_HEADINGS = ("h1", "h2", "h3")


def further_bodies(tree: Any, text: str) -> tuple[list[Any], int]:
    """Bodies of prose on a page that are not in the text, but are marked up as the text's own body is.

    Args:
        tree: the page's parsed tree.
        text: the text that was extracted from the page.

    Returns:
        The bodies that are parts of the same article, in the page's order: they are inside the same `<article>`, are
        updates of a live blog, or have no heading of their own. And the number of other bodies: further articles.
    """
    read, missed = _read_and_missed(tree, text)
    if not read or sum(map(_words, missed)) < FEWEST_WORDS:
        return [], 0
    body = _body(read)
    peers = [one for one in _peers(tree, body) if _is_missed(one, missed)]
    live = bool(peers) and any(_LIVE.search(script.text or "") for script in tree.iter("script"))
    parts = [peer for peer in peers if live or _is_part(peer, body)]
    return parts, len(peers) - len(parts)


def articles_read(tree: Any, text: str) -> int:
    """The number of articles that a text seems to hold: of `<article>` elements with a heading and prose of their own.

    Articles within articles, which are comments or updates, are not counted; nor are elements of a live blog.

    Args:
        tree: the page's parsed tree.
        text: the text that was extracted from the page.
    """
    articles = [one for one in tree.iter("article") if next(one.iterancestors("article"), None) is None]
    if len(articles) < 2 or any(_LIVE.search(script.text or "") for script in tree.iter("script")):
        return len(articles)
    read, _ = _read_and_missed(tree, text)
    words: Counter[Any] = Counter()
    for paragraph in read:
        for article in [*paragraph.iterancestors("article")][-1:]:  # the outermost
            words[article] += _words(paragraph) - sum(_words(link) for link in paragraph.iter("a"))
    headed = [one for one in articles if next(one.iter(*_HEADINGS), None) is not None]
    return sum(words[one] >= FEWEST_READ for one in headed)


def _read_and_missed(tree: Any, text: str) -> tuple[list[Any], list[Any]]:
    """The page's paragraphs of prose that are in the text, and those that are not."""
    found = " ".join(text.split())
    read, missed = list[Any](), list[Any]()
    for paragraph in tree.iter("p"):
        words = " ".join(paragraph.text_content().split())
        if len(words) >= _PARAGRAPH:
            (read if words[:200] in found else missed).append(paragraph)
    return read, missed


def _words(element: Any) -> int:
    return len(element.text_content().split())


def _body(paragraphs: list[Any]) -> Any:
    """The innermost element with a class or a role that holds all these paragraphs."""
    shared = list(paragraphs[0].iterancestors())
    for other in paragraphs[1:]:
        above = set(other.iterancestors())
        shared = [element for element in shared if element in above]
    named = (one for one in shared if one.tag == "article" or one.get("class") or one.get("itemprop"))
    return next((one for one in named if one.tag in _BLOCKS), shared[-1])


def _sign(element: Any) -> tuple[object, ...]:
    """What elements of one kind share; classes with digits are ignored, as they number elements (post-5129)."""
    names = (name for name in (element.get("class") or "").split() if not re.search(r"\d", name))
    return (element.tag, " ".join(sorted(names)), element.get("itemprop"))


def _branch(element: Any, shared: Any) -> list[Any]:
    """The element and those around it, up to (not including) the one that it shares with another element."""
    above = [element]
    while above[-1].getparent() is not shared:
        above.append(above[-1].getparent())
    return above


def _shared(one: Any, other: Any) -> Any:
    around = set(one.iterancestors())
    return next(above for above in other.iterancestors() if above in around)


def _peers(tree: Any, body: Any) -> list[Any]:
    """Elements like the body that neither hold it nor lie in it, none inside another.

    An element is like the body if it has the same sign, as do all elements around it up to the one that it shares with
    the body; or if its class calls it a body and it stands in the same `<article>`.
    """
    if body.tag in ("body", "html", "main"):
        return []
    sign, close = _sign(body), {*body.iter(), *body.iterancestors()}
    article = next(body.iterancestors("article"), None)
    peers = list[Any]()
    for one in tree.iter(body.tag):
        if one in close or _sign(one) != sign:
            continue
        shared = _shared(body, one)
        mine, its = _branch(body, shared), _branch(one, shared)
        same = len(mine) == len(its) and all(_sign(a) == _sign(b) for a, b in zip(mine, its, strict=True))
        named = article is not None and article in one.iterancestors() and _BODY.search(one.get("class") or "")
        if same or named:
            peers.append(one)
    return [one for one in peers if not any(above in peers for above in one.iterancestors())]


def _is_missed(peer: Any, missed: list[Any]) -> bool:
    """Whether a peer is a body of prose that the extractor passed over."""
    around = [peer, *peer.iterancestors()]
    names = " ".join(f"{one.get('class') or ''} {one.get('id') or ''}" for one in around if one.tag != "body")
    if APART.search(names) or any(one.tag in APART_TAGS for one in around):
        return False
    mine = [one for one in missed if peer in one.iterancestors()]
    linked = sum(_words(link) for link in peer.iter("a"))
    return sum(map(_words, mine)) >= FEWEST_WORDS and linked <= MOST_LINKED * _words(peer)


def _is_part(peer: Any, body: Any) -> bool:
    """Whether a peer continues the body's article."""
    shared = _shared(body, peer)
    around = [peer, *peer.iterancestors()]
    if any(_LIVE.search(f"{one.get('itemprop') or ''} {one.get('itemtype') or ''}") for one in around):
        return True
    if any(one.tag == "article" for one in (shared, *shared.iterancestors())):
        return True
    branch = _branch(peer, shared)
    return not any(one.tag == "article" or next(one.iter(*_HEADINGS), None) is not None for one in branch)
