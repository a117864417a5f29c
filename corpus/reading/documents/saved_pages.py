"""Read pages as browsers save them, in one file with all that they show: .mhtml, and Safari's .webarchive."""

from __future__ import annotations

import plistlib
from email import message_from_bytes
from typing import Any

from msgspec.structs import replace

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.lines import clean
from corpus.reading.text_encoding import NotTextError
from corpus.reading.web.html_page import read_page

PARTS = 20_000


def read_mhtml(data: bytes, family: str = "") -> list[ArticleInFile]:
    """The article on a page that was saved as .mhtml, a mail whose first part in HTML is the page; or an export's many.

    Args:
        data: the file's bytes.
        family: `[corpus] format`: the family of exports that the page belongs to.

    Raises:
        UnreadableError: it is no such file, or no article is found on the page.
    """
    data = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"content-type:" not in data[:10_000].lower():
        raise UnreadableError("expected a page saved as .mhtml; found something else")
    if data.lower().count(b"\ncontent-type:") > PARTS:
        raise UnreadableError(f"more than {PARTS:,} parts in a page")
    message = message_from_bytes(data)
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            payload = part.get_payload(decode=True)
            place = str(message.get("Snapshot-Content-Location") or part.get("Content-Location") or "")
            page = payload if isinstance(payload, bytes) else b""
            return _articles(page, part.get_content_charset() or "", place, family)
    raise UnreadableError("no page in HTML in it")


def read_web_archive(data: bytes, family: str = "") -> list[ArticleInFile]:
    """The article on a page that Safari saved, or the articles if it is a database's export.

    Args:
        data: the file's bytes.
        family: `[corpus] format`: the family of exports that the page belongs to.

    Raises:
        UnreadableError: it is no such file, or no article is found on the page.
    """
    try:
        archive: Any = plistlib.loads(data)
        main = archive["WebMainResource"]
        page, kind = bytes(main["WebResourceData"]), str(main.get("WebResourceMIMEType", "text/html"))
        charset = str(main.get("WebResourceTextEncodingName", ""))
        place = str(main.get("WebResourceURL", ""))
    except Exception as error:  # a property list may hold anything, and its reader raise anything
        raise UnreadableError(f"expected a page saved by Safari; found something else: {error}"[:300]) from error
    if "html" not in kind:
        raise UnreadableError(f"expected a page in HTML; found {clean(kind)[:100]}")
    return _articles(page, charset, place, family)


def _articles(page: bytes, charset: str, place: str, family: str) -> list[ArticleInFile]:
    try:
        found, _ = read_page(page, charset, family)
    except NotTextError as error:
        raise UnreadableError(str(error)) from error
    place = clean(place)
    if not found.articles and not found.fields.get("url") and place.startswith(("http://", "https://")):
        found = replace(found, fields={**found.fields, "url": place})
    return found.in_file()
