"""Read books (.epub): each chapter, which is each file of the reading order that has text, is an article."""

from __future__ import annotations

import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

import msgspec

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.lines import Line, article_of, clean
from corpus.reading.documents.markup import html_of, markup_lines
from corpus.reading.documents.office.packages import attribute, inner_text, local, opened_package, part, xml_tree
from corpus.reading.text_encoding import ARTICLE_BYTES, NotTextError, decode_page

EPUB = "stance epub 1"
CHAPTERS = 10_000
_FIELDS = {"date": "published", "language": "language", "rights": "licence"}


def read_epub(data: bytes) -> list[ArticleInFile]:
    """The chapters of a book, in the order of reading.

    Raises:
        UnreadableError: it is no book, or one that is encrypted, broken, or without text.
    """
    with opened_package(data, "a book in EPUB") as package:
        place = _content_file(package)
        root = xml_tree(part(package, place), "the list of the book's files")
        book, published = _described(root)
        items = {attribute(one, "id"): one for one in root.iter() if local(one) == "item" and attribute(one, "href")}
        order = [
            items[key] for one in root.iter() if local(one) == "itemref" and (key := attribute(one, "idref")) in items
        ]
        if len(order) > CHAPTERS:
            raise UnreadableError(f"more than {CHAPTERS:,} chapters")
        locked = _encrypted(package)
        articles: list[ArticleInFile] = []
        empty, size = 0, 0
        for item in order:
            if "nav" in attribute(item, "properties").split():
                continue
            name = posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(attribute(item, "href"))))
            if name in locked:
                articles.append(ArticleInFile(fault="encrypted: the book is protected against copying"))
                continue
            try:
                chapter = part(package, name)
                size += len(chapter)
                if size > ARTICLE_BYTES:
                    raise UnreadableError(f"the chapters so far are longer than {ARTICLE_BYTES >> 20} MB")
                lines = _lines(chapter)
            except (UnreadableError, NotTextError) as error:
                articles.append(ArticleInFile(fault=f"{name}: {error}"[:300]))
                if size > ARTICLE_BYTES:
                    break
                continue
            if not lines:
                empty += 1
                continue
            title = next((line.text for line in lines if line.kind == "heading"), "") or book
            articles.append(article_of(lines, EPUB, published | {"title": title}))
    if empty and articles:
        note = f"files of the book that hold no text: {empty}"
        articles[0] = msgspec.structs.replace(articles[0], note=note)
    if not articles:
        raise UnreadableError("no text in the book")
    return articles


def _content_file(package: zipfile.ZipFile) -> str:
    container = part(package, "META-INF/container.xml")
    if not container:
        raise UnreadableError("expected a book in EPUB; found a zip package of another kind")
    for one in xml_tree(container, "the container").iter():
        if local(one) == "rootfile" and attribute(one, "full-path"):
            return attribute(one, "full-path")
    raise UnreadableError("a book that does not list its files")


def _described(root: Any) -> tuple[str, dict[str, str]]:
    """The title of the book, and what else its description says of every chapter."""
    fields: dict[str, str] = {}
    for metadata in root:
        if local(metadata) == "metadata":
            for one in metadata.iter():
                key = "title" if local(one) == "title" else _FIELDS.get(local(one), "")
                if key and key not in fields and (text := clean(inner_text(one))):
                    fields[key] = text
    return fields.pop("title", ""), fields


def _encrypted(package: zipfile.ZipFile) -> set[str]:
    """The files of the book that are encrypted; fonts often are, only to keep them from being copied."""
    data = part(package, "META-INF/encryption.xml")
    return {
        unquote(attribute(one, "URI"))
        for one in (xml_tree(data, "the list of encrypted files").iter() if data else ())
        if local(one) == "CipherReference"
    }


def _lines(data: bytes) -> list[Line]:
    """The lines of a chapter: XHTML, which many books do not write quite as XML demands."""
    try:
        tree = xml_tree(data)
    except UnreadableError:
        tree = html_of(decode_page(data).text)
    return markup_lines(tree)
