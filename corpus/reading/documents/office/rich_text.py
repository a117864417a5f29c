r"""Read Rich Text Format (.rtf), with a small parser of our own.

The format is a stream of groups `{…}`, control words `\par` and text. Only what the text depends on is followed:
code pages, Unicode characters, paragraphs, styles, notes, page headers and footers. Pictures and embedded objects are
never decoded.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter

import msgspec

from corpus.reading.article_in_file import CREATED, ArticleInFile
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.lines import Line, article_of, clean, parts_at_breaks, passed_over
from corpus.reading.documents.office.rich_text_words import (
    CHARACTERS,
    CHARSETS,
    ENDS,
    FEET,
    HEADS,
    NOTHING,
    PASSED,
    READ_THOUGH_OPTIONAL,
)

RICH_TEXT = "stance rtf 1"
GROUPS = 10_000
"""Groups inside of each other: no document that a program wrote has a hundred."""
TOKENS = 10_000_000

_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\"
)
_HEADING = re.compile(r"heading \d|subtitle", re.I)


class _Group(msgspec.Struct):
    """What holds inside of a group: where its text goes, and how it is written there."""

    goes: str = "body"
    codec: str = ""
    skip: int = 1
    hidden: bool = False
    deleted: bool = False
    style: str = ""
    fresh: bool = True
    doubled: bool = False
    before: str = ""


def read_rich_text(data: bytes) -> list[ArticleInFile]:
    """The article in an RTF file.

    Raises:
        UnreadableError: it is no RTF, or nested too deeply.
    """
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rtf"):
        raise UnreadableError("expected RTF; found something else under this name")
    parser = _Parser()
    parser.run(data)
    fields = {"title": clean("".join(parser.info.get("title", []))), "published": _date(parser.created)}
    notes = [CREATED] * bool(fields["published"])
    notes += passed_over(parser.passed)
    if parser.cut:
        notes.append("the file ends before its last group does: it may have been cut short")
    body = parser.lines.get("body", [])
    printed = next((line.text for line in body if line.kind == "title"), "")
    fields["title"] = clean(printed) or fields["title"]
    heads, feet = (
        [Line(text, "other", f"page {kind}") for text in dict.fromkeys(clean(one.text) for one in parser.lines[kind])]
        for kind in ("header", "footer")
    )
    return [article_of([*heads, *body, *parser.lines["note"], *feet], RICH_TEXT, fields, notes)]


class _Parser:
    """Follows the stream of an RTF file once, from its beginning to its end, without recursion."""

    def __init__(self) -> None:
        self.lines: dict[str, list[Line]] = {"body": [], "note": [], "header": [], "footer": []}
        self.info: dict[str, list[str]] = {}
        self.created: dict[str, int] = {}
        self.passed: Counter[str] = Counter()
        self.cut = False
        self._group = _Group()
        self._above: list[_Group] = []
        self._open: dict[str, list[str]] = {name: [] for name in self.lines}
        self._bytes = bytearray()
        self._codec = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._styles: dict[str, str] = {}
        self._style_name: list[str] = []
        self._to_skip = 0
        self._half = 0
        self._optional = False

    def run(self, data: bytes) -> None:
        text = data.decode("latin-1")
        place = 0
        for _ in range(TOKENS):
            match = _TOKEN.match(text, place)
            if match is None:
                break
            place = match.end()
            word, number, byte, symbol, brace, plain = match.groups()
            if brace == "{":
                self._opens()
            elif brace == "}":
                if not self._above:
                    break
                self._closes()
                if not self._above:
                    break
            elif word == "bin":
                place += max(0, int(number or 0))
            elif word:
                self._word(word, int(number) if number else None)
            elif byte or plain:
                self._add_bytes(bytes.fromhex(byte) if byte else plain.encode("latin-1"), bool(byte))
            elif symbol:
                self._symbol(symbol)
        else:
            raise UnreadableError(f"more than {TOKENS:,} control words")
        self.cut = bool(self._above)
        for name in self.lines:
            self._ends(name)

    def _opens(self) -> None:
        if len(self._above) >= GROUPS:
            raise UnreadableError(f"more than {GROUPS:,} groups inside of each other")
        self._flush()
        self._above.append(self._group)
        self._group = msgspec.structs.replace(self._group, fresh=True, doubled=False)
        self._optional = False

    def _closes(self) -> None:
        self._flush()
        group, self._group = self._group, self._above.pop()
        if group.goes != self._group.goes and group.goes in self.lines and not self._group.doubled:
            self._ends(group.goes, group.style)
        if group.goes == "stylesheet" and self._style_name:
            if group.style:
                self._styles[group.style] = clean("".join(self._style_name)).rstrip(";")
            self._style_name = []
        self._optional = False

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._optional = True
        elif symbol in "\\{}":
            self._add_bytes(symbol.encode(), True)
        elif symbol == "~":
            self._add("\xa0")
        elif symbol == "_":
            self._add("‑")
        elif symbol in "\r\n":
            self._word("par", None)

    def _word(self, word: str, number: int | None) -> None:
        group = self._group
        fresh, group.fresh = group.fresh, False
        if fresh and self._destination(word):
            return
        if word == "u" and number is not None:
            self._unicode(number & 0xFFFF)
        elif word == "uc":
            group.skip = max(0, min(number or 0, 100))
        elif word in CHARACTERS:
            self._add(CHARACTERS[word])
        elif word in ENDS:
            self._flush()
            if group.goes in self.lines:
                self._ends(group.goes, group.style)
        elif word in ("pard", "sectd"):
            group.style = "" if group.goes != "stylesheet" else group.style
        elif word == "s" and number is not None:
            group.style = str(number)
        elif word == "outlinelevel" and group.goes in self.lines:
            group.style = group.style or "outline"
        elif word == "v":
            self._flush()
            group.hidden = number != 0
            self.passed["hidden text"] += group.hidden and group.goes in self.lines
        elif word == "deleted":
            self._flush()
            group.deleted = number != 0
            self.passed["deleted text of tracked changes"] += group.deleted
        elif word == "plain":
            self._flush()
            group.hidden = group.deleted = False
        elif word == "f" and number is not None:
            self._flush()
            self._font = number
            group.codec = self._fonts.get(number, "")
        elif word == "fcharset" and group.goes == "fonttbl" and number in CHARSETS:
            self._fonts[self._font] = CHARSETS[number]
        elif word == "ansicpg" and number:
            self._codec = _known(f"cp{number}") or self._codec
        elif word in ("mac", "pc", "pca"):
            self._codec = {"mac": "mac-roman", "pc": "cp437", "pca": "cp850"}[word]
        elif group.goes == "creatim" and number is not None:
            self.created[word] = number

    def _destination(self, word: str) -> bool:
        """Whether a group begins with this word that says where its text goes."""
        group, optional = self._group, self._optional
        self._optional = False
        if word == "ud" and self._above and self._above[-1].doubled:
            group.goes = self._above[-1].before
            return True
        if group.goes == "nowhere":
            return False
        if word == "upr":  # the same text twice: in a code page, then in Unicode
            group.before, group.goes, group.doubled = group.goes, "nowhere", True
            return True
        if word in PASSED:
            self.passed[PASSED[word]] += bool(PASSED[word])
            group.goes = "nowhere"
        elif word in ("fonttbl", "stylesheet", "info", "creatim"):
            group.goes = word
        elif group.goes == "info":
            group.goes = "title" if word == "title" else "nowhere"
        elif word == "footnote":
            group.goes, group.style = "note", ""
        elif word in HEADS or word in FEET:
            group.goes, group.style = (HEADS | FEET)[word], ""
        elif word in NOTHING or (optional and word not in READ_THOUGH_OPTIONAL and group.goes != "stylesheet"):
            group.goes = "nowhere"
        else:
            return False
        return True

    def _unicode(self, code: int) -> None:
        self._flush()
        self._to_skip = self._group.skip
        if 0xD800 <= code < 0xDC00:
            self._half = code
            return
        if 0xDC00 <= code < 0xE000 and self._half:
            code = 0x10000 + ((self._half - 0xD800) << 10) + (code - 0xDC00)
        elif self._half or 0xDC00 <= code < 0xE000:
            self._put("\ufffd")
        self._half = 0
        if not 0xDC00 <= code < 0xE000:
            # Symbol fonts use the private area for their bytes.
            self._put("" if 0xF000 <= code < 0xF100 else chr(code))

    def _add_bytes(self, data: bytes, single: bool) -> None:
        self._group.fresh = False
        if self._to_skip:  # characters for programs that do not know the Unicode character before them
            step = 1 if single else min(self._to_skip, len(data))
            self._to_skip -= step
            data = data[step:]
        self._bytes += data

    def _add(self, text: str) -> None:
        self._group.fresh = False
        if self._to_skip:
            self._to_skip -= 1
            return
        self._flush()
        self._put(text)

    def _flush(self) -> None:
        if self._bytes:
            data, self._bytes = bytes(self._bytes), bytearray()
            self._put(data.decode(self._group.codec or self._codec, "replace"))

    def _put(self, text: str) -> None:
        goes, group = self._group.goes, self._group
        if goes in self.lines:
            if not (group.hidden or group.deleted):
                self._open[goes].append(text)
        elif goes == "title":
            self.info.setdefault("title", []).append(text)
        elif goes == "stylesheet":
            self._style_name.append(text)

    def _ends(self, goes: str, style: str = "") -> None:
        name = "outline level" if style == "outline" else self._styles.get(style, "").lower()
        kind = "title" if name == "title" else "caption" if name == "caption" else ""
        if name == "outline level" or _HEADING.fullmatch(name):
            kind = "heading"
        text, self._open[goes] = "".join(self._open[goes]), []
        self.lines[goes] += [
            Line(part, kind, name if name == "outline level" else f"style {name}" if kind else "")
            for part in parts_at_breaks(text)
        ]


def _known(codec: str) -> str:
    try:
        codecs.lookup(codec)
    except LookupError:
        return {"cp10000": "mac-roman", "cp65001": "utf-8"}.get(codec, "")
    return codec


def _date(created: dict[str, int]) -> str:
    """The day of the document's properties, as ISO 8601; empty if there is none."""
    year, month, day = (created.get(name, 0) for name in ("yr", "mo", "dy"))
    return f"{year:04}-{month:02}-{day:02}" if year > 1980 and 0 < month < 13 and 0 < day < 32 else ""
