"""Split exports that are HTML files into their articles, by their own markup or by the lines of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.database_exports import family_of
from corpus.reading.exports import factiva
from corpus.reading.exports.europresse import NAME, NUMBER, day_of, outlet_of
from corpus.reading.exports.lines import Kind, Split, article, is_rights, left_out, lines_of
from corpus.reading.exports.split import articles_of, finished
from corpus.reading.web.html_in_text import lines


def articles_on(tree: Any, family: str = "") -> list[ArticleInFile] | None:
    """The articles of an export that is an HTML file, or None where it is none or cannot be split for certain.

    Args:
        tree: the page's parsed tree.
        family: the family of formats, as in `[corpus] format`; if empty, the page itself shows it.
    """
    text = _spaced(lines(tree))
    wanted = family or family_of(text)
    split: Split | None = None
    if wanted == "europresse":
        split = _europresse(tree)
    elif wanted == "factiva":
        split = _factiva(tree)
    if split is not None:
        return finished(split)
    return articles_of(text, family)


def _spaced(text: str) -> str:
    """The lines of a page with a blank line after each: each is a paragraph, and belongs to no other."""
    return text.replace("\n", "\n\n")


def _classes(element: Any) -> set[str]:
    return set((element.get("class") or "").split()) if isinstance(element.tag, str) else set()


def _first(element: Any, *names: str) -> Any:
    """The first element inside of another that has one of these classes; the classes are tried in their order."""
    return next((one for name in names for one in element.iter() if name in _classes(one)), None)


def _rest(tree: Any, read: Iterable[str]) -> list[str]:
    """The note on the lines of the page that belong to no article."""
    rest = Counter(lines(tree).split("\n")) - Counter(line for text in read for line in text.split("\n") if line)
    return left_out(lines_of("\n".join(line for line, count in rest.items() for _ in range(count))))


def _factiva(tree: Any) -> Split | None:
    """Split where the page itself does; what stands outside of the articles' elements is the database's own."""
    found = [one for one in tree.iter("div") if "article" in _classes(one)]
    texts = [lines(one) for one in found]
    split = factiva.split("\n\n".join(map(_spaced, texts)))
    if split is None or len(split.articles) != len(found):
        return None
    return msgspec.structs.replace(split, notes=[*split.notes, *_rest(tree, texts)])


def _europresse(tree: Any) -> Split | None:
    articles = list[ArticleInFile]()
    for one in tree.iter("article"):
        if _first(one, "DocPublicationName") is None:
            continue
        read = _of_element(one)
        if read is None:
            return None
        articles.append(read)
    if not articles:
        return None
    return Split(articles=articles, notes=_rest(tree, (one.text for one in articles)), sure=True)


def _of_element(element: Any) -> ArticleInFile | None:
    """One article: the lines of its text are known by their element, those before and behind it are not prose."""
    container = _first(element, "docOcurrContainer", "DocText")
    if container is None:
        return None
    listed = lines(element).split("\n")
    body = lines(container).split("\n")
    start = next((n for n in range(len(listed)) if listed[n : n + len(body)] == body), -1)
    if start < 0 or body == [""]:
        return None
    title = _lines_in(element, "rdp__articletitle", "titreArticleVisu", "titreArticle")
    outlet = _lines_in(element, "DocPublicationName")
    authors = _lines_in(element, "docAuthors")
    kinds: dict[int, Kind] = {}
    published = ""
    for n, line in enumerate(listed):
        if start <= n < start + len(body):
            continue
        day = day_of(line)
        published = published or day
        kinds[n] = ("other", "HEAD") if n < start else ("footer", "COPYRIGHT" if is_rights(line) else "FOOTER")
        if line in title:
            kinds[n] = ("title", "HEADLINE")
        elif line in authors:
            kinds[n] = ("byline", "AUTHORS")
        elif line in outlet:
            kinds[n] = ("other", "PUBLICATION")
        elif day:
            kinds[n] = ("dateline", "DATE")
    text = "\n\n".join(listed)
    number = NUMBER.search(text)
    if number:
        published = published or f"{number[2]}-{number[3]}-{number[4]}"
    fields = {
        "id": number[1] if number else "",
        "title": " ".join(title),
        "outlet": outlet_of(outlet[0]) if outlet else "",
        "published": published,
    }
    return article(text, lines_of(text), kinds, name=NAME, fields=fields)


def _lines_in(element: Any, *names: str) -> list[str]:
    found = _first(element, *names)
    return [] if found is None else lines(found).split("\n")
