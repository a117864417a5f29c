"""Say which prose on a page was not read, so that nothing is left out silently.

Pages hold articles in any layout, and no list of layouts is complete. So this module looks for the rest: prose that is
on the page and was not read, outside of parts whose names say that they are not an article (comments, teasers, menus).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from corpus.reading.web.html_in_text import BLOCKS

FEWEST_WORDS = 25
"""Fewest words of unread prose, in all, that are reported. A caption, a standfirst or a notice has fewer."""

MOST_LINKED = 0.3
"""Share of a line's characters that may be links: lists of other articles have more."""

_LINE = 40
"""Fewest characters of a line of prose; shorter ones are labels and links."""

APART = re.compile(
    r"(?:^|[\s_-])(?:comments?|kommentare?|repl(?:y|ies)|respon[ds]\w*|related|teasers?|promos?|cards?|recommend\w*"
    r"|sidebar|footer|newsletter|trending|popular|widget|outbrain|taboola|disqus|author|bio|gallery|read-?more"
    r"|see-?also|cookies?|consent|modal|banner|advert\w*|captions?|subscri\w*)(?:$|[\s_-])",
    re.I,
)
"""Names of classes and ids of parts that are not an article."""
APART_TAGS = {"aside", "nav", "footer", "figure"}

_ARTICLE = re.compile(r"(?:Article|BlogPosting)$")
_HIDDEN = {"script", "style", "noscript", "head", "title", "template", "iframe", "svg", "object"}
_CONTROLS = {"form", "button", "select", "option", "textarea", "dialog", "figcaption", "caption"}
_END = re.compile(r"[.!?\u2026][\"'\u201c\u201d\u2019\u00bb\u00ab)\]]*$")
_NO_LETTER = re.compile(r"[\W_]+")


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """Prose that was not read: its number of words, its beginning, and whether the page marks it as another article."""

    words: int = 0
    begins: str = ""
    article: bool = False


class PageLine(msgspec.Struct):
    """A line of a page: its text, how many of its characters are links, and the element that it stands in."""

    block: Any
    parts: list[str] = []
    linked: int = 0

    @property
    def written(self) -> str:
        """The line's text, with single spaces."""
        return " ".join("".join(self.parts).split())


def leftover(lines: Iterable[PageLine], text: str) -> Leftover:
    """The prose on a page that was not read, outside of parts whose names say that they are not an article.

    Args:
        lines: the page's lines.
        text: the text that was read from the page.

    Returns:
        The unread prose, with a count of 0 where it is too little to report.
    """
    read = letters_of(text)
    known = dict[Any, bool]()
    seen = set[str]()
    missed, around = list[tuple[Any, str]](), set[Any]()
    for line in lines:
        written = line.written
        if len(written) < _LINE or not _END.search(written) or line.linked > MOST_LINKED * len(written):
            continue
        letters = letters_of(written)
        if letters[:150] in read or letters[-150:] in read:
            around.update((line.block, *line.block.iterancestors()))
        elif letters not in seen and not _is_apart(line.block, known):
            seen.add(letters)
            missed.append((line.block, written))
    words = sum(len(written.split()) for _, written in missed)
    if words < FEWEST_WORDS:
        return Leftover()
    holders = (next(filter(is_article, (block, *block.iterancestors())), None) for block, _ in missed)
    article = any(holder is not None and holder not in around for holder in holders)
    return Leftover(words=words, begins=missed[0][1][:80], article=article)


def is_article(element: Any) -> bool:
    """Whether a page marks an element as an article, or as its main part."""
    return (
        element.tag in ("article", "main")
        or element.get("role") in ("article", "main")
        or _ARTICLE.search(element.get("itemtype") or "") is not None
    )


def letters_of(text: str) -> str:
    """The letters and digits of a text, by which a line of a page is found again in the text that was read from it."""
    return _NO_LETTER.sub("", text).casefold()


def _is_apart(element: Any, known: dict[Any, bool]) -> bool:
    """Whether an element is in a part that is not an article by its tag, class or id; `known` holds earlier answers."""
    if element is None:
        return False
    if element not in known:
        names = f"{element.get('class') or ''} {element.get('id') or ''}" if element.tag not in ("body", "html") else ""
        known[element] = (
            element.tag in APART_TAGS
            or element.get("hidden") is not None
            or APART.search(names) is not None
            or _is_apart(element.getparent(), known)
        )
    return known[element]


def page_lines(tree: Any) -> Iterator[PageLine]:
    """The lines of a page, whatever tags end them: paragraphs, table cells, `<div>` or `<br>`."""
    line = PageLine(tree)
    links = 0
    # Not recursive, as pages may be nested as deeply as the parser allows.
    todo: list[tuple[Any, bool]] = [(tree, True)]
    while todo:
        element, opening = todo.pop()
        named = isinstance(element.tag, str)
        ends_line = named and element.tag in BLOCKS
        hidden = not named or element.tag in _HIDDEN or element.tag in _CONTROLS
        if ends_line:
            yield line
            line = PageLine(element if opening and element.tag != "br" else _above(element, tree))
        if opening:
            todo.append((element, False))
            links += element.tag == "a"
            if not hidden:
                _add(line, element.text, links)
                todo += [(child, True) for child in reversed(element)]
        else:
            links -= element.tag == "a"
            if element is not tree:
                _add(line, element.tail, links)
    yield line


def _above(element: Any, tree: Any) -> Any:
    parent = element.getparent()
    return tree if parent is None else parent


def _add(line: PageLine, text: str | None, links: int) -> None:
    if text:
        line.parts.append(text)
        line.linked += len(text) if links else 0
