"""Take the HTML page out of a stored HTTP response, and undo its transfer encodings."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Sequence

from corpus.reading.text_encoding import ARTICLE_BYTES

_HTML = {"text/html", "application/xhtml+xml"}
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?=[ \t\r\n]|$)")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_TYPE = re.compile(r"\s*[\"']?([\w.+-]+/[\w.+-]+)")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.I)
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,500})?\r?\n")
_LINE_END = re.compile(rb"\r?\n")


class NoHtmlError(ValueError):
    """The response holds no usable page; the message says why."""


def html_of(block: bytes, identified: str = "") -> tuple[str, bytes]:
    """The HTML page in an HTTP response.

    Args:
        block: the response's status line, header and body.
        identified: the type that the crawler found the body to have; used where the header names none.

    Returns:
        The charset that the header declares, or an empty string, and the page's bytes.

    Raises:
        NoHtmlError: the body is not a page, is empty, cannot be unpacked, or is too big for an article.
    """
    status = _STATUS.match(block)
    if not status:
        raise NoHtmlError("no HTTP response")
    if status[1] != b"200":
        raise NoHtmlError(f"HTTP status: {status[1].decode()}")
    end = _HEAD_END.search(block)
    head, body = (block[: end.start()], block[end.end() :]) if end else (block, b"")
    headers: dict[str, str] = {}
    types: list[str] = []
    for line in head.decode("latin-1").split("\n")[1:]:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
        if name.strip().lower() == "content-type":
            types += value.split(",")  # proxies join two headers by a comma
    body = decoded(body, headers)
    if not body.strip():
        raise NoHtmlError("the page is empty")
    return page_of(types, body, identified), body


def page_of(types: Sequence[str], body: bytes, identified: str = "") -> str:
    """The charset that is declared for an HTML page, or an empty string.

    Args:
        types: types declared for the body, such as `text/html; charset=utf-8`, in their order; the body counts as HTML
            if one of them says so.
        body: the page.
        identified: the type that the crawler found the body to have. It counts where no type is declared, and where
            another type is declared but the body is markup: many servers call everything that they send a binary file.

    Raises:
        NoHtmlError: the body is not HTML.
    """
    declared = [one for one in types if _essence(one)]
    for one in reversed(declared):
        if _essence(one) in _HTML:
            charset = _CHARSET.search(one) or next(filter(None, map(_CHARSET.search, declared)), None)
            return charset[1] if charset else ""
    html = _essence(identified) in _HTML if identified else _is_markup(body)
    if html and (not declared or (identified and _is_markup(body))):
        charset = next(filter(None, map(_CHARSET.search, [*declared, identified])), None)
        return charset[1] if charset else ""
    kind = (declared or [identified])[-1].partition(";")[0].strip()
    raise NoHtmlError(f"not HTML: {kind[:50] or 'no Content-Type'}")


def _essence(kind: str) -> str:
    match = _TYPE.match(kind)
    return match[1].lower() if match else ""


def _is_markup(data: bytes) -> bool:
    return data[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def decoded(body: bytes, headers: dict[str, str]) -> bytes:
    """The body without its transfer and content encodings.

    Crawlers store some pages unpacked but with the header that the server sent. So a body that cannot be unpacked, but
    is markup as it stands, is taken as it stands.

    Args:
        body: the body as it was sent.
        headers: the response's headers, by their names in lower case.

    Raises:
        NoHtmlError: the body cannot be unpacked, or is too big for an article.
    """
    transfer = headers.get("transfer-encoding", "").lower()
    names = [*headers.get("content-encoding", "").lower().split(","), *transfer.split(",")]
    for name in reversed([name.strip() for name in names]):
        if name in ("", "identity"):
            continue
        try:
            body = _without(name, body)
        except ValueError as error:
            # A crawler may have joined the chunks and nothing more: then the next decoding unpacks what they hold.
            if not (_is_markup(body) or (name == "chunked" and names[0])):
                raise NoHtmlError(f"broken HTTP encoding: {error}") from error
        if len(body) > ARTICLE_BYTES:
            raise NoHtmlError(f"longer than {ARTICLE_BYTES >> 20} MB")
    return body


def _without(encoding: str, body: bytes) -> bytes:
    """A body with one encoding undone, up to one byte more than an article may have.

    Raises:
        ValueError: the body is not in that encoding, or the encoding is unknown.
    """
    if encoding == "chunked":
        return _joined(body)
    if encoding in ("gzip", "x-gzip", "deflate"):
        # By `deflate` most servers mean the zlib format, and some the bare stream.
        kinds = (zlib.MAX_WBITS, -zlib.MAX_WBITS) if encoding == "deflate" else (zlib.MAX_WBITS | 16,)
        for kind in kinds:
            unpacker = zlib.decompressobj(kind)
            try:
                unpacked = unpacker.decompress(body, ARTICLE_BYTES + 1)
            except zlib.error:
                continue
            if unpacker.eof or len(unpacked) > ARTICLE_BYTES:
                return unpacked
        raise ValueError(encoding)
    if encoding in ("br", "zstd"):
        from fastwarc.stream_io import BrotliReader, ZstdReader

        try:
            reader = (BrotliReader if encoding == "br" else ZstdReader)(io.BytesIO(body))
            return reader.read(ARTICLE_BYTES + 1)
        except OSError as error:
            raise ValueError(encoding) from error
    raise ValueError(f"{encoding[:50]} is unknown")


def _joined(body: bytes) -> bytes:
    """The chunks of a body, joined."""
    parts, place = list[bytes](), 0
    while size := _CHUNK.match(body, place):
        count = int(size[1], 16)
        if not count:
            return b"".join(parts)
        parts.append(body[size.end() : size.end() + count])
        line = _LINE_END.match(body, size.end() + count)
        if not line:
            break
        place = line.end()
    raise ValueError("chunked")
