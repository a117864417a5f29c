"""Read the text and metadata of the article on an HTML page, with trafilatura."""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import Any

import msgspec

from corpus.numbers import number
from corpus.reading.article_in_file import ArticleInFile, by_text
from corpus.reading.database_exports import export_of, may_be_export, not_of, several
from corpus.reading.exports.pages import articles_on
from corpus.reading.exports.split import PLAIN
from corpus.reading.text_encoding import NotTextError, decode_page
from corpus.reading.web.article_bodies import articles_read, further_bodies
from corpus.reading.web.beside_article import beside
from corpus.reading.web.html_in_text import lines
from corpus.reading.web.html_parser import check_parsed, check_size, check_tree
from corpus.reading.web.unread_prose import leftover, page_lines
from corpus.records import Span

PARTS = "its text is in several bodies on the page: they are read as one"
TOGETHER = "several articles on the page, as it seems: they are read as one"
ONE_OF = "several articles on the page, as it seems: only the first is read"
REST = "more prose on the page than was read"


class Extracted(msgspec.Struct, frozen=True, kw_only=True):
    """What is on a page: the article's text, the extractor's name and version, and the page's metadata of the article.

    `marks` are the kinds of the text's lines that stand beside the article on the page: links, comments. `note` is
    empty, or has the notes on how the page was read, each on a line of its own. `articles` are the articles of a
    database's export; then nothing else is given.
    """

    text: str
    extractor: str
    fields: dict[str, str]
    marks: list[Span] = []
    note: str = ""
    articles: list[ArticleInFile] = []

    def in_file(self, encoding: str = "utf-8") -> list[ArticleInFile]:
        """The article of the page, or the articles of the export, as the reader of a file gives them."""
        if self.articles:
            return by_text(self.articles, encoding)
        return [
            ArticleInFile(
                text=self.text,
                extractor=self.extractor,
                fields=self.fields,
                marks=self.marks,
                encoding=encoding,
                note=self.note,
            )
        ]


def read_page(data: bytes, charset: str = "", exports: str | None = None) -> tuple[Extracted, str]:
    """The article on a page, and the encoding that the page is in; see `extract`.

    Bytes that break the encoding, and NULs, do no harm outside of the text: in scripts, comments and attributes.

    Args:
        data: the page.
        charset: encoding that the HTTP header declares.
        exports: family of formats of the export that the page is; see `extract`.

    Raises:
        NotTextError: `extract` finds no text, the page is binary, or bytes within the article's text are broken.
    """
    decoded = decode_page(data, charset)
    extracted = extract(decoded.text, exports)
    if decoded.mark and extracted.articles:
        broken = f"bytes of the article's text cannot be {decoded.encoding}"
        articles = [
            msgspec.structs.replace(one, fault=broken) if decoded.mark in str(one) else one
            for one in extracted.articles
        ]
        extracted = msgspec.structs.replace(extracted, articles=articles)
    elif decoded.mark:
        if decoded.mark in extracted.text:
            count = extracted.text.count(decoded.mark)
            raise NotTextError(f"expected {decoded.encoding}; bytes of the article's text cannot be: {count} of them")
        fields = {name: value.replace(decoded.mark, "\ufffd") for name, value in extracted.fields.items()}
        extracted = msgspec.structs.replace(extracted, fields=fields)
    return extracted, decoded.encoding


def extract(page: str, exports: str | None = None) -> Extracted:
    """The article on a page.

    If there are several articles, the first is read, or all as one where the extractor does not part them, and the note
    says which. An article whose text stands in several bodies is read whole.

    Raises:
        NotTextError: the page is too big or too deeply nested, no article is found on it, or it is a database's export
            of many articles.
    """
    check_size(page)
    import trafilatura
    from trafilatura.utils import HTML_PARSER

    # The reason of the skipped article says what the log would print on standard error.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    logging.getLogger("htmldate").setLevel(logging.CRITICAL)
    try:
        tree = trafilatura.load_html(page)
        if tree is None:  # trafilatura refuses a fragment, that is paragraphs without a page around them
            tree = trafilatura.load_html(f"<html><body>{page}</body></html>")
        if tree is None:
            raise NotTextError("expected an HTML page; found none")
        check_parsed(HTML_PARSER.error_log)
        check_tree(tree)
        if exports or may_be_export(page):
            articles = articles_on(tree, exports) if exports is not None and exports != PLAIN else None
            if articles:
                return Extracted(text="", extractor="", fields={}, articles=articles)
            if exports and exports != PLAIN:
                raise NotTextError(not_of(exports))
        if exports != PLAIN and may_be_export(page) and (database := export_of(lines(tree))):
            raise NotTextError(several(database))
        text = _text(tree)
        if not text.strip():
            raise NotTextError("trafilatura finds no article in the page")
        parts, others = further_bodies(tree, text)
        together = articles_read(tree, text) > 1
        for part in parts:
            text = "\n".join(filter(None, (text, _text(_page(part)))))
        on_page = list(page_lines(tree))
        rest = leftover(on_page, text)
        note = ONE_OF if others or rest.article else PARTS if parts else TOGETHER if together else ""
        if rest.words and note != ONE_OF:
            left = f"{REST}: {number(rest.words, 'word', 'are')} left out, beginning with “{rest.begins}”"
            note = "\n".join(filter(None, (left, note)))
        version = f"trafilatura {trafilatura.__version__}"
        marks = beside(on_page, text)
        return Extracted(text=text, extractor=version, fields=_metadata(tree), marks=marks, note=note)
    except NotTextError:
        raise
    except Exception as error:  # the page may hold anything; whatever it makes the extractor raise is the page's fault
        raise NotTextError(f"HTML that trafilatura fails on: {type(error).__name__}: {error}"[:500]) from error


def _text(tree: Any) -> str:
    import trafilatura

    return trafilatura.extract(tree, fast=True, include_comments=False, include_tables=False) or ""


def _page(body: Any) -> Any:
    """A page that holds only one body."""
    from lxml.html import document_fromstring

    tree = document_fromstring("<html><body></body></html>")
    copied = deepcopy(body)
    copied.tail = None
    tree.body.append(copied)
    return tree


def _metadata(tree: Any) -> dict[str, str]:
    import trafilatura

    # By default the search for a date goes through the prose (it took 2014 from a sentence of the starter corpus)
    # and refuses dates after today, which an invented corpus has.
    dates = {"original_date": True, "extensive_search": False, "max_date": "2100-01-01"}
    metadata = trafilatura.extract_metadata(tree, date_config=dates)
    return {
        "title": metadata.title or "",
        "published": metadata.date or "",
        "outlet": metadata.sitename or "",
        "url": metadata.url or "",
        "language": metadata.language or "",
    }
