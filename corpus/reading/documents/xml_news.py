"""Read XML: news in NITF or NewsML, texts in TEI, feeds in RSS or Atom; the root element tells which it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.entities import html5
from typing import Any

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.feeds import of_atom, of_rss
from corpus.reading.documents.lines import Line, article_of, clean
from corpus.reading.documents.markup import html_of, markup_lines
from corpus.reading.documents.office.packages import attribute, inner_text, local, xml_tree
from corpus.reading.documents.tei import of_tei
from corpus.reading.text_encoding import NotTextError
from corpus.reading.web.html_page import read_page

NEWS = "stance xml 1"
REPAIRED = "the XML breaks its rules: characters that it forbids are left out, and HTML's entities are read"
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});")
_KNOWN = {b"amp", b"lt", b"gt", b"quot", b"apos"}
_NITF_BLOCKS = frozenset(
    "nitf body p hl1 hl2 hedline byline dateline distributor abstract block body.head body.content body.end tagline "
    "table tr td th ul ol li dl dt dd bq pre media media-caption media-producer note br rights caption "
    "credit fn".split()
)
_NITF_KINDS = {
    "hl1": ("title", "NITF headline"),
    "hl2": ("heading", "NITF headline"),
    "byline": ("byline", "NITF byline"),
    "dateline": ("dateline", "NITF dateline"),
    "distributor": ("other", "NITF distributor"),
    "tagline": ("footer", "NITF tagline"),
    "media-caption": ("caption", "NITF caption"),
    "media-producer": ("credit", "NITF producer"),
    "caption": ("caption", "NITF caption"),
    "rights": ("footer", "NITF rights"),
    "credit": ("credit", "NITF credit"),
}
_NITF_HIDDEN = frozenset(("head", "media-metadata", "media-object", "media-reference"))


def read_xml(data: bytes) -> list[ArticleInFile]:
    """The articles in an XML file.

    Raises:
        UnreadableError: it is malformed, or of a kind that is not known.
    """
    root, note = _parsed(data)
    name = local(root)
    readers: dict[str, Callable[[Any], list[ArticleInFile]]] = {
        "nitf": _of_nitf,
        "newsMessage": _of_newsml_g2,
        "newsItem": _of_newsml_g2,
        "packageItem": _of_newsml_g2,
        "NewsML": _of_newsml_1,
        "TEI": of_tei,
        "TEI.2": of_tei,
        "teiCorpus": of_tei,
        "teiCorpus.2": of_tei,
        "rss": of_rss,
        "RDF": of_rss,
        "feed": of_atom,
    }
    if name == "html":
        try:
            found, _ = read_page(data)
        except NotTextError as error:
            raise UnreadableError(str(error)) from error
        return found.in_file()
    if name not in readers:
        raise UnreadableError(f"XML of a kind that is not read: its root element is {clean(name)[:100]}")
    articles = readers[name](root)
    if not articles:
        raise UnreadableError(f"no article in it: the element {name} holds none with text")
    return [_noted(one, note) for one in articles] if note else articles


def _noted(article: ArticleInFile, note: str) -> ArticleInFile:
    from msgspec.structs import replace

    return replace(article, note="\n".join(filter(None, (article.note, note))))


def _parsed(data: bytes) -> tuple[Any, str]:
    """The root of the document. Feeds often break the rules of XML in two ways, which can be put right."""
    try:
        return xml_tree(data), ""
    except UnreadableError:
        mended = _ENTITY.sub(_character, _FORBIDDEN.sub(b"", data))
        if mended == data or b"<!ENTITY" in data:
            raise
        return xml_tree(mended), REPAIRED


def _character(match: re.Match[bytes]) -> bytes:
    name = match[1].decode("ascii")
    if match[1] in _KNOWN or f"{name};" not in html5:
        return match[0]
    return "".join(f"&#{ord(one)};" for one in html5[f"{name};"]).encode("ascii")


def _first(element: Any, *names: str) -> Any:
    """The first descendant with one of these names; None if there is none."""
    return next((one for one in element.iter() if local(one) in names), None)


def _text(element: Any) -> str:
    return "" if element is None else clean(inner_text(element))


def _of_nitf(root: Any) -> list[ArticleInFile]:
    lines = markup_lines(root, _NITF_KINDS, _NITF_HIDDEN, _NITF_BLOCKS)
    issued, published = _first(root, "date.issue"), ""
    if issued is not None:
        published = attribute(issued, "norm")
    elif (story := _first(root, "story.date")) is not None:
        published = attribute(story, "norm")
    source = _first(root, "pubdata")
    fields = {
        "title": _text(_first(root, "hl1")) or _text(_first(root, "title")),
        "published": _day(published),
        "outlet": "" if source is None else attribute(source, "name"),
        "url": "" if source is None else attribute(source, "ex-ref"),
    }
    return [article_of(lines, NEWS, fields)]


def _day(norm: str) -> str:
    """A date as NITF writes it (20110315T102030Z), as ISO 8601; anything else stays as it is."""
    match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})?)?", norm.strip())
    if not match:
        return norm
    day = f"{match[1]}-{match[2]}-{match[3]}"
    if not match[4]:
        return day
    zone = match[7] or ""
    return f"{day}T{match[4]}:{match[5]}:{match[6] or '00'}{zone[:3] + ':' + zone[3:] if len(zone) == 5 else zone}"


def _of_newsml_g2(root: Any) -> list[ArticleInFile]:
    """The articles of a NewsML-G2 message: each item of news with text. Items with pictures alone are faults."""
    return [_item(one) for one in root.iter() if local(one) == "newsItem"]


def _item(item: Any) -> ArticleInFile:
    about: dict[str, Any] = {}
    language = ""
    for one in item.iter():
        name = local(one)
        if name in ("headline", "contentCreated", "versionCreated", "firstCreated", "copyrightNotice"):
            about.setdefault(name, one)
        elif name == "language" and attribute(one, "tag"):
            language = language or attribute(one, "tag")
        elif name in ("provider", "contentSet"):
            about.setdefault(name, one)
    content = about.get("contentSet")
    lines = [line for one in (content if content is not None else ()) for line in _content(one)]
    provider = about.get("provider")
    outlet = next(_named(provider), "") if provider is not None else ""
    published = next(
        (_text(about[name]) for name in ("contentCreated", "firstCreated", "versionCreated") if name in about), ""
    )
    fields = {
        "title": _text(about.get("headline")) or next((line.text for line in lines if line.kind == "title"), ""),
        "published": published,
        "outlet": outlet,
        "language": language or attribute(item, "lang"),
    }
    return article_of(lines, NEWS, fields)


def _named(provider: Any) -> Iterator[str]:
    yield from (text for one in provider.iter() if local(one) == "name" and (text := _text(one)))
    if literal := attribute(provider, "literal") or attribute(provider, "qcode").rpartition(":")[2]:
        yield literal


def _content(element: Any) -> list[Line]:
    """The lines of one form of an item's content: NITF or XHTML in the XML, or a text that may be HTML."""
    name, kind = local(element), attribute(element, "contenttype")
    if name == "inlineXML" and len(element):
        if (nitf := _first(element, "nitf")) is not None:
            return markup_lines(nitf, _NITF_KINDS, _NITF_HIDDEN, _NITF_BLOCKS)
        # Results of matches and lists of events come in XML of their own, without an article's text.
        return markup_lines(element) if _first(element, "html", "body", "p") is not None else []
    if name in ("inlineXML", "inlineData"):
        text = inner_text(element)
        if "html" in kind or name == "inlineXML":
            try:
                return markup_lines(html_of(text))
            except NotTextError as error:
                raise UnreadableError(str(error)) from error
        if not kind or kind.startswith("text/"):
            return [Line(line) for line in text.splitlines()]
    return []


def _of_newsml_1(root: Any) -> list[ArticleInFile]:
    """The articles of a message in NewsML 1: each item with a text in NITF or HTML, or with paragraphs."""
    articles = []
    for item in (one for one in root.iter() if local(one) == "NewsItem"):
        contents = [one for one in item.iter() if local(one) == "DataContent"]
        lines = [line for one in contents for line in markup_lines(one, _NITF_KINDS, _NITF_HIDDEN, _NITF_BLOCKS)]
        fields = {
            "title": _text(_first(item, "HeadLine")),
            "published": _day(_text(_first(item, "FirstCreated", "ThisRevisionCreated"))),
            "outlet": _text(_first(item, "ProviderId")),
        }
        articles.append(article_of(lines, NEWS, fields))
    return articles
