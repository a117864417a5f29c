"""Split BibTeX files into their entries, where these have an abstract or a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.exports.languages import language_code
from corpus.reading.exports.lines import Kind, Split, article, left_out, lines_of, without_text

NAME = "a reference manager (BibTeX)"
_ENTRY = re.compile(r"^[ \t]*@([A-Za-z]+)[ \t]*\{[ \t]*([^\s,{}]*)[ \t]*,", re.M)
_NAME = re.compile(r"[\s,]*([A-Za-z][\w:-]*)\s*=\s*")
_BARE = re.compile(r"[^\s,{}]+")
_NOT_ENTRIES = {"comment", "preamble", "string"}
_TEXTS = ("fulltext", "text", "body", "content", "abstract")
_FIELDS = {
    "title": ("title",),
    "outlet": ("journal", "journaltitle", "newspaper", "booktitle", "publisher"),
    "language": ("language", "langid"),
    "url": ("url",),
}
_KINDS: dict[str, Kind] = {
    "title": ("title", "TITLE"),
    "author": ("byline", "AUTHOR"),
    **{name: ("dateline", name.upper()) for name in ("date", "year", "month")},
}
_ACCENTS = dict(
    zip("`'^\"~=.uvHckr", map(chr, (768, 769, 770, 776, 771, 772, 775, 774, 780, 779, 807, 808, 778)), strict=True)
)
_ACCENT = re.compile(r"\\([`'^\"~=.])\s*\{?\\?([A-Za-zı])\}?|\\([uvHckr])(?:\s+([A-Za-z])|\{\\?([A-Za-z])\})")
_LETTERS = {"ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł"}
_LETTER = re.compile(r"\\(ss|ae|AE|oe|OE|aa|AA|o|O|l)(?![A-Za-z])\s*(?:\{\})?")
_ESCAPED = re.compile(r"\\([&%$#_{}])")


def split(text: str) -> Split | None:
    """The entries of a file, or None where it has none or one of them is malformed.

    Args:
        text: the file's text, with its line ends as they are.
    """
    articles = list[ArticleInFile]()
    rest: list[str] = []
    behind = 0
    for entry in _ENTRY.finditer(text):
        if entry.start() < behind or entry[1].lower() in _NOT_ENTRIES:
            continue
        fields: list[tuple[str, str]] = []
        end = entry.end()
        for name, value, end in _values(text, entry.end()):  # noqa: B007  the last end is used
            fields.append((name.lower(), plain(value)))
        close = re.compile(r"[\s,]*\}").match(text, end)
        if close is None:
            return None
        rest.append(text[behind : entry.start()])
        behind = close.end()
        articles.append(_record(entry[1], entry[2], fields))
    if not articles:
        return None
    outside = "\n".join([*rest, text[behind:]])
    return Split(articles=articles, notes=left_out(lines_of(outside)), sure=True)


def _values(text: str, place: int) -> Iterator[tuple[str, str, int]]:
    """The fields of an entry, each with where its value ends; it stops at what is not a field."""
    while found := _NAME.match(text, place):
        parts: list[str] = []
        place = found.end()
        while True:
            end = _value_end(text, place)
            if end <= place:
                return
            parts.append(text[place + 1 : end - 1] if text[place] in '{"' else text[place:end])
            joined = re.compile(r"\s*#\s*").match(text, end)
            if not joined:
                break
            place = joined.end()
        yield found[1], "".join(parts), end
        place = end


def _value_end(text: str, place: int) -> int:
    """Where a value in braces, in quotation marks or without either ends; its own place where it never does."""
    if place < len(text) and text[place] in '{"':
        depth = 0
        closing = text[place] == '"'
        for found in re.compile(r'\\.|[{}"]', re.S).finditer(text, place + 1 if closing else place):
            depth += (found[0] == "{") - (found[0] == "}")
            if (found[0] == '"' and closing and not depth) or (found[0] == "}" and not closing and not depth):
                return found.end()
        return place
    bare = _BARE.match(text, place)
    return bare.end() if bare else place


def _record(sort: str, key: str, fields: list[tuple[str, str]]) -> ArticleInFile:
    """One entry: its text or abstract is prose, and each other field a line `name = value` that is not.

    Of fields of one name, the first counts; the others are lines, too.
    """
    values = dict(reversed(fields))
    metadata = {field: next((values[one] for one in names if values.get(one)), "") for field, names in _FIELDS.items()}
    metadata["language"] = language_code(metadata["language"])
    metadata |= {"id": key, "published": values.get("date") or f"{values.get('month', '')} {values.get('year', '')}"}
    prose = next((name for name in _TEXTS if values.get(name, "").strip()), "")
    if not prose:
        return without_text(NAME, metadata)
    parts, kinds = [f"@{sort} {key}"], dict[int, Kind]()
    kinds[0] = ("other", "ENTRY")
    text = next(n for n, (name, _) in enumerate(fields) if name == prose)
    for n, (name, value) in enumerate(fields):
        listed = [line.strip() for line in value.splitlines() if line.strip()]
        if n != text:
            kinds[len(parts)] = _KINDS.get(name, ("other", name.upper()))
            parts.append(f"{name} = {' '.join(listed)}")
    kinds[len(parts)] = ("other", prose.upper())
    # A blank line apart, as only blank lines end the paragraphs of a text that is wrapped to a width.
    written = "\n".join([*parts, f"{prose} ="]) + "\n\n" + values[prose].strip()
    return article(written, lines_of(written), kinds, name=NAME, fields=metadata)


def plain(value: str) -> str:
    r"""A value without the braces and escapes of TeX; commands that are not letters stay as they are.

    >>> plain(r"{Caf{\'e}} \& {\ss}port, 5\%")
    'Café & ßport, 5%'
    """
    if "\\" in value:
        value = _ACCENT.sub(_accented, value)
        value = _LETTER.sub(lambda found: _LETTERS[found[1]], value)
    kept = _ESCAPED.sub(lambda found: chr(0xE000 + ord(found[1])), value)
    bare = kept.replace("{", "").replace("}", "")
    return re.sub("[\ue000-\ue07f]", lambda found: chr(ord(found[0]) - 0xE000), bare)


def _accented(found: re.Match[str]) -> str:
    letter = found[2] or found[4] or found[5]
    return unicodedata.normalize("NFC", letter + _ACCENTS[found[1] or found[3]])
