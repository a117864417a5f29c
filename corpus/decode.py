"""Bytes to text: which encoding they are in, and what is no text at all."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BLOCK = 1 << 20
SAMPLE = 200_000
"""Bytes that a code page is guessed from, from about the first one on that is not ASCII: those before tell nothing."""

_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_DECLARED = re.compile(
    rb"""<meta\s[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]{1,40})|<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{1,40})""",
    re.I,
)
# What browsers take these names to mean (WHATWG Encoding): pages say Latin-1 and hold cp1252's quotation marks.
_WEB = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}


class NotTextError(ValueError):
    """These bytes are no text; the message says why."""


class BrokenUtf8Error(NotTextError):
    """They are UTF-8, but for a few bytes: read in another encoding, all else would be wrong."""


def decode(data: bytes, *, html: bool = False, charset: str = "") -> tuple[str, str]:
    """Text of a whole file, unchanged but for a byte-order mark, and the encoding it was read in.

    Args:
        data: the file's bytes.
        html: believe the charset that the page declares, where it can be true.
        charset: what the page's HTTP header declares; believed before the page, as browsers do.

    Raises:
        NotTextError: it is binary, or breaks the encoding that it is in.
    """
    encoding = encoding_of(data, html=html, charset=charset)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotTextError(f"expected text; byte {error.start + 1} cannot be {encoding}") from error
    if "\0" in text:
        raise NotTextError("binary: it holds NUL characters")
    return text, encoding


def encoding_of(data: bytes, *, html: bool = False, charset: str = "") -> str:
    """The encoding of a file's bytes: its mark, UTF-16 by its NULs, UTF-8, what HTTP or HTML declares, or a guess.

    UTF-8 that is more than ASCII comes before the declaration: nothing else looks like it by chance, and pages
    saved by a crawler often are UTF-8 under the old declaration.

    Raises:
        NotTextError: no encoding fits.
    """
    if encoding := _marked(data):
        return encoding
    declared = (_believed(charset, data) or _declared(data)) if html else ""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return declared or guess(data)
    # Encodings that switch by escapes (ISO-2022-JP) are all ASCII.
    return declared if declared and data.isascii() and declared != "cp1252" else "utf-8"


def encoding_of_file(path: Path) -> str:
    """The encoding of a file that may be too big for memory; see `encoding_of`.

    Raises:
        NotTextError: no encoding fits.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        block = file.read(BLOCK)
        if encoding := _marked(block):
            return encoding
        decoder = codecs.getincrementaldecoder("utf-8")()
        start = 0
        while True:
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError:
                file.seek(start)
                try:
                    return guess(file.read(BLOCK + SAMPLE))
                except BrokenUtf8Error:
                    return "utf-8"  # whoever reads it piece by piece finds the broken ones
            if not block:
                return "utf-8"
            start += len(block)
            block = file.read(BLOCK)


def guess(data: bytes) -> str:
    """The legacy encoding of bytes that are no UTF-8, by charset-normalizer.

    Raises:
        BrokenUtf8Error: it is UTF-8 with some broken bytes.
        NotTextError: no encoding fits.
    """
    from charset_normalizer import from_bytes

    found = _NOT_ASCII.search(data)
    start = found.start() if found else 0
    sample = data[max(0, start - 1000) : start + SAMPLE]
    soft = sample.decode("utf-8", "replace")
    broken = soft.count("\ufffd")
    if sum(character > "\x7f" for character in soft) >= 2 * broken:
        raise BrokenUtf8Error("expected UTF-8, as most of it is; some bytes of it are broken")
    guesses = from_bytes(sample)
    best = guesses.best()
    if best is None:
        raise NotTextError("expected text in UTF-8, UTF-16 or a legacy code page; found none")
    # English has few letters that tell code pages apart: cp1250 and cp1252 score the same on "naïve café".
    # Of pages that fit equally well, the one that English is written in.
    western = any("cp1252" in one.could_be_from_charset for one in guesses if one.chaos <= best.chaos)
    encoding = "cp1252" if western else best.encoding
    # A picture without a NUL fits some code page too, but text has no control characters.
    if len(_CONTROL.findall(sample.decode(encoding, "replace"))) > len(sample) // 1000:
        raise NotTextError("binary: it holds control characters")
    return encoding


def _marked(data: bytes) -> str:
    """UTF-8 or UTF-16 with a byte-order mark, or UTF-16 that its NULs give away; else nothing."""
    for mark, name in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return name
    sample = data[: 1 << 16]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    # Of UTF-16 text every other byte of ASCII is NUL: English 98 %, Russian the spaces and stops, about 18 %.
    if min(even, odd) or max(even, odd) * 10 < len(sample) // 2 or len(sample) % 2 or not sample:
        return ""
    encoding = "utf-16-le" if odd else "utf-16-be"
    start = sample[:2000].decode(encoding, "replace")
    return encoding if all(one.isprintable() or one.isspace() for one in start.rstrip("\ufffd")) else ""


def _declared(data: bytes) -> str:
    """The charset that an HTML page declares, by the name Python has for it, if the page decodes in it."""
    found = _DECLARED.search(data[:4096])
    return _believed((found[1] or found[2]).decode("ascii", "replace"), data) if found else ""


def _believed(charset: str, data: bytes) -> str:
    """Python's name of a charset that is declared for a page, if the page decodes in it."""
    try:
        name = codecs.lookup(charset).name
        name = _WEB.get(name, name)
        # A page whose declaration could be read as ASCII is in no UTF-16, and one without NULs neither.
        if name.startswith(("utf-16", "utf-32")):
            return ""
        data.decode(name)
    except (LookupError, ValueError):
        return ""
    return name
