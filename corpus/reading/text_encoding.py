"""Turn bytes into text: find their encoding, or find that they are not text."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import msgspec

from corpus.reading.code_pages import LATIN, LETTERS, closest

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BLOCK = 1 << 20
ARTICLE_BYTES = 64 << 20
"""No article is bigger than this: a bigger file would only fill the memory (War and Peace has 3 MB)."""
SAMPLE = 200_000
"""Bytes that a code page is guessed from, beginning near the first that is not ASCII: those before tell nothing."""

NULS = "binary: it holds NUL characters"
MOST_NULS = 0.01
"""Share of a page's characters that may be NULs, as in an attribute or a script; a file with more is binary."""

SURELY = 10
"""A page with this many multi-byte characters for each broken byte is UTF-8, whatever it declares."""

MOST_BROKEN = 0.001
"""Share of a page's bytes that may break the encoding that it declares."""

_MARKS = ["\ufffd", *map(chr, range(0x2BF0, 0x2C00))]
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_DECLARED = re.compile(
    rb"""<meta\s[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]{1,40})|<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{1,40})""",
    re.I,
)
# What browsers take these names to mean (WHATWG Encoding): pages declare Latin-1 and hold cp1252's quotation marks.
_WEB = {"iso8859-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}


class NotTextError(ValueError):
    """The bytes are not text; the message says why."""


class BrokenUtf8Error(NotTextError):
    """The bytes are UTF-8 except for a few: read in another encoding, all the others would be wrong."""


class Decoded(msgspec.Struct, frozen=True):
    """A page's text and encoding; `mark` is the character put in place of each broken byte, or empty if none is."""

    text: str
    encoding: str
    mark: str = ""


def decode(data: bytes) -> tuple[str, str]:
    """Text of a whole file, unchanged except that a byte-order mark is removed, and the encoding it was read in.

    Raises:
        NotTextError: the file is binary, or has bytes that are invalid in its encoding.
    """
    encoding = _marked(data)
    if not encoding:
        encoding = "utf-8" if _is(data, "utf-8") else guess(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotTextError(f"expected text; byte {error.start + 1} cannot be {encoding}") from error
    if "\0" in text:
        raise NotTextError(NULS)
    return text, encoding


def decode_page(data: bytes, charset: str = "") -> Decoded:
    """Text of an HTML page, in which a few bytes may be broken: the caller must check where they are.

    The encoding is the first that applies of: that of a byte-order mark; UTF-16, recognised by its NULs; UTF-8; what
    HTTP or the page declares; a guess. UTF-8 that is more than ASCII comes before the declaration: nothing else looks
    like it by chance, and pages saved by a crawler often are UTF-8 under the old declaration.

    Args:
        data: the page's bytes.
        charset: encoding that the HTTP header declares; it goes before what the page declares, as in browsers.

    Raises:
        NotTextError: the page is binary, or no encoding fits.
    """
    encoding = _marked(data) or _of_page(data, charset)
    text = data.decode(encoding, "replace")
    nuls = text.count("\0")
    if nuls > MOST_NULS * len(text):
        raise NotTextError(NULS)
    if not nuls and _is(data, encoding):
        return Decoded(text, encoding)
    # The mark is a symbol, which the extractor keeps as text; it would drop what is not a character.
    rest = data.decode(encoding, "ignore")
    mark = next(one for one in _MARKS if one not in rest)

    def marked(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        return mark, error.end

    codecs.register_error("stance.mark", marked)
    return Decoded(data.decode(encoding, "stance.mark").replace("\0", mark), encoding, mark)


def _of_page(data: bytes, charset: str) -> str:
    named = [name for name in (_python_name(charset), _python_name(_declared(data))) if name]
    declared = next((name for name in named if _is(data, name)), "")
    if _is(data, "utf-8"):
        # Encodings that switch by escape sequences (ISO-2022-JP) have ASCII bytes only.
        return declared if declared and data.isascii() and declared != "cp1252" else "utf-8"
    soft = data.decode("utf-8", "replace")
    broken = soft.count("\ufffd")
    whole = len(soft) - len(soft.encode("ascii", "ignore")) - broken
    if whole >= SURELY * broken:
        return "utf-8"
    if declared:
        return declared
    if whole >= broken:
        return "utf-8"
    for name in named:
        if data.decode(name, "replace").count("\ufffd") <= MOST_BROKEN * len(data):
            return name
    return guess(data)


def _is(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def is_encodable(text: str) -> bool:
    """Whether a text can be written: a lone surrogate, which stands for a byte that was not decoded, cannot."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def encoding_of_file(path: Path) -> str:
    """The encoding of a file that may be too big for memory.

    Raises:
        NotTextError: no encoding fits.
        OSError: the file cannot be read.
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
                    return "utf-8"  # the broken bytes are found when the file is read piece by piece
            if not block:
                return "utf-8"
            start += len(block)
            block = file.read(BLOCK)


def guess(data: bytes) -> str:
    """The legacy encoding of bytes that are not UTF-8, guessed by charset-normalizer.

    Raises:
        BrokenUtf8Error: the bytes are UTF-8, some of them broken.
        NotTextError: no encoding fits.
    """
    from charset_normalizer import from_bytes

    match = _NOT_ASCII.search(data)
    start = match.start() if match else 0
    sample = data[max(0, start - 1000) : start + SAMPLE]
    soft = sample.decode("utf-8", "replace")
    broken = soft.count("\ufffd")
    if sum(character > "\x7f" for character in soft) >= 2 * broken:
        raise BrokenUtf8Error("expected UTF-8, as most of it is; some bytes of it are broken")
    guesses = from_bytes(sample)
    best = guesses.best()
    if best is None:
        raise NotTextError("not text in UTF-8, UTF-16 or a legacy code page")
    # English has few letters that tell code pages apart: cp1250 and cp1252 score the same on "naïve café".
    # So the letters of the languages decide, and of code pages that fit equally well the one used for English is taken.
    western = any("cp1252" in one.could_be_from_charset for one in guesses if one.chaos <= best.chaos)
    latin, share = closest(sample)
    encoding = latin if western or best.encoding in LETTERS or share >= LATIN else best.encoding
    # A picture without a NUL fits some code page too, but text has no control characters.
    if len(_CONTROL.findall(sample.decode(encoding, "replace"))) > len(sample) // 1000:
        raise NotTextError("binary: it holds control characters")
    return encoding


def _marked(data: bytes) -> str:
    """UTF-8 or UTF-16 with a byte-order mark, or UTF-16 recognised by its NULs; otherwise empty."""
    for mark, name in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return name
    sample = data[: 1 << 16]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    # In UTF-16, ASCII characters have a NUL as every other byte: 98 % of English, and 18 % of Russian, which are its
    # spaces and full stops.
    if min(even, odd) or max(even, odd) * 10 < len(sample) // 2 or len(sample) % 2 or not sample:
        return ""
    encoding = "utf-16-le" if odd else "utf-16-be"
    start = sample[:2000].decode(encoding, "replace")
    return encoding if all(one.isprintable() or one.isspace() for one in start.rstrip("\ufffd")) else ""


def _declared(data: bytes) -> str:
    """The charset that an HTML page declares, by the name that the page gives it."""
    match = _DECLARED.search(data[:4096])
    return (match[1] or match[2]).decode("ascii", "replace") if match else ""


def _python_name(charset: str) -> str:
    """Python's name of a charset that is declared for a page; empty if there is none."""
    try:
        name = codecs.lookup(charset).name
        name = _WEB.get(name, name)
        b"".decode(name)
    except (LookupError, ValueError):
        return ""
    # A page whose declaration could be read as ASCII is not in UTF-16, nor is one without NULs.
    return "" if name.startswith(("utf-16", "utf-32")) else name
