"""Split exports of Factiva into their articles: with a code before each field (`HD`, `LP`), or without codes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.exports.languages import language_code
from corpus.reading.exports.lines import Kind, Line, Split, article, date_in, is_rights, left_out, lines_of

NAME = "Factiva"
_RECORD = r"[A-Z][A-Z0-9]{2,11}\d{8}[0-9a-z]{6,14}"
_END = re.compile(rf"(?:AN[ \t]+)?(?:Document|Dokument|Documento) ({_RECORD})")
_CODE = re.compile(r"(SE|CLM|HD|BY|CR|WC|PD|ET|SN|SC|ED|PG|VOL|LA|CY|DLN|LP|TD|CT|RF|ART|CO|IN|NS|RE|IPC|IPD|PUB|AN)")
_CODED = re.compile(rf"{_CODE.pattern}(?:[ \t]+(.*))?")
_APART = re.compile(rf"{_CODE.pattern}(?:\t[ \t]*| {{2,}})\S.*")
_BEFORE_HEADLINE = ("SE", "CLM")
_TEXT = ("LP", "TD")
_TAIL = ("CT", "RF", "ART", "CO", "IN", "NS", "RE", "IPC", "IPD", "PUB", "AN")
_KINDS: dict[str, Kind] = {
    **{code: ("other", code) for code in (*_BEFORE_HEADLINE, *_TEXT, *_TAIL)},
    **{code: ("other", code) for code in ("WC", "SN", "SC", "ED", "PG", "VOL", "LA", "DLN")},
    **{"HD": ("title", "HD"), "BY": ("byline", "BY"), "CR": ("credit", "CR"), "CY": ("footer", "CY")},
    **{"PD": ("dateline", "PD"), "ET": ("dateline", "ET"), "AN": ("footer", "AN"), "PUB": ("footer", "PUB")},
}
_FIELDS = {"HD": "title", "SN": "outlet", "PD": "published"}
_INLINE = re.compile(r"^[ \t]*(LP|TD)(\t[ \t]*| +)(?=\S)", re.M)

_WORDS = re.compile(r"\d[\d,.\s]{0,9}\s?(?:words|Wörter|mots|palabras|parole|woorden|palavras)")
_BYLINE = re.compile(r"(?:By|BY|Von|Par|Por|Di|Door)\s[^.!?]{2,120}")
_CODE_OF_SOURCE = re.compile(r"[A-Z0-9]{3,10}")
_TIME = re.compile(r"\d{1,2}:\d\d(?:\s?[AaPp][Mm])?(?:\s[A-Z]{2,4})?")
_MOST_TITLE = 4
"""Most lines before the number of words: a section, a title of two lines, a byline."""


def split(text: str) -> Split | None:
    """The articles of an export, or None where they cannot be told apart for certain.

    Args:
        text: text of an export, with its line ends as they are.
    """
    lines = lines_of(text)
    if any(_CODED.fullmatch(line.body) and line.body[:2] == "HD" for line in lines):
        text = _broken(text)
        return _coded(text, lines_of(text))
    return _without_codes(text, lines)


def _broken(text: str) -> str:
    """The text with a line end behind each `LP` and `TD`, so that the prose has lines of its own.

    With one space behind it, `TD` may open a sentence; it is a code if it is the first after an `LP` with one space.
    """
    after_one = False

    def put(found: re.Match[str]) -> str:
        nonlocal after_one
        code, one = found[1], found[2] == " "
        if code == "TD" and one and not after_one:
            return found[0]
        after_one = code == "LP" and one
        return f"{code}\n"

    return _INLINE.sub(put, text)


def _coded(text: str, lines: Sequence[Line]) -> Split | None:
    articles, outside = list[ArticleInFile](), list[Line]()
    start = 0
    for n, line in enumerate(lines):
        if not _END.fullmatch(line.body):
            continue
        heads = [place for place in range(start, n) if _is(lines[place], "HD")]
        if len(heads) != 1:
            return None
        first = heads[0]
        while first > start and (
            any(_is(lines[first - 1], code) for code in _BEFORE_HEADLINE)
            or (first - 1 > start and any(lines[first - 2].body == code for code in _BEFORE_HEADLINE))
        ):
            first -= 1
        outside += lines[start:first]
        articles.append(_coded_article(text, lines[first : n + 1]))
        start = n + 1
    rest = lines[start:]
    if not articles or any(_is(line, "HD") for line in rest):
        return None
    return Split(articles=articles, notes=left_out([*outside, *rest]), sure=True)


def _is(line: Line, code: str) -> bool:
    found = _CODED.fullmatch(line.body)
    return found is not None and found[1] == code


def _coded_article(text: str, piece: Sequence[Line]) -> ArticleInFile:
    """One article: codes with values up to `LP` or `TD`, then the text, then codes with values again."""
    kinds: dict[int, Kind] = {}
    values: dict[str, list[str]] = {}
    tail = _tail(piece)
    code = ""
    for n, line in enumerate(piece):
        found = _CODED.fullmatch(line.body)
        awaited = code and code not in _TEXT and not any(values[code])  # the line before is a code without its value
        if found and found[2] and awaited:
            found = None
        if found and (code not in _TEXT or n >= tail or (found[1] in _TEXT and not found[2])):
            code = found[1]
            kinds[n] = _KINDS[code] if found[2] else ("other", code)
            values.setdefault(code, []).append(found[2] or "")
        elif code not in _TEXT:
            kinds[n] = _KINDS.get(code, ("other", "HEAD"))
            values.setdefault(code, []).append(line.body)
    fields = {field: " ".join(values.get(code, [])) for code, field in _FIELDS.items()}
    fields["language"] = language_code(" ".join(values.get("LA", [])))
    return article(text, piece, kinds, name=NAME, fields=fields | _id(piece))


def _tail(piece: Sequence[Line]) -> int:
    """Where the codes behind the text begin: those that stand alone, or apart, or have codes of subjects behind them.

    A line such as `IN NEW YORK` is prose, unless such codes stand before it.
    """
    body = next((n for n, line in enumerate(piece) if any(_is(line, code) for code in _TEXT)), len(piece))
    for n in range(body, len(piece)):
        line = piece[n].body
        found = _CODED.fullmatch(line)
        if found and found[1] in _TAIL and (not found[2] or _APART.fullmatch(line) or " : " in line):
            return n
    return len(piece) - 1


def _id(piece: Sequence[Line]) -> dict[str, str]:
    found = _END.fullmatch(piece[-1].body)
    return {"id": found[1]} if found else {}


def _without_codes(text: str, lines: Sequence[Line]) -> Split | None:
    articles, outside = list[ArticleInFile](), list[Line]()
    start = 0
    for n, line in enumerate(lines):
        if not _END.fullmatch(line.body):
            continue
        count = next((place for place in range(start, n) if _counts(lines, place)), -1)
        if count <= start or sum(_counts(lines, place) for place in range(start, n)) > 1:
            return None
        first = start
        if count - start > _MOST_TITLE:
            first = max((place for place in range(start, count) if lines[place].opens), default=count)
            if articles or not 0 < count - first <= _MOST_TITLE:
                return None
        outside += lines[start:first]
        articles.append(_plain_article(text, lines[first : n + 1], count - first))
        start = n + 1
    rest = lines[start:]
    if not articles or any(_counts(lines, place) for place in range(start, len(lines))):
        return None
    return Split(articles=articles, notes=left_out([*outside, *rest]), sure=True)


def _counts(lines: Sequence[Line], place: int) -> bool:
    """Whether a line is the number of an article's words, with the date behind it."""
    return (
        _WORDS.fullmatch(lines[place].body) is not None
        and place + 1 < len(lines)
        and bool(date_in(lines[place + 1].body))
    )


def _plain_article(text: str, piece: Sequence[Line], count: int) -> ArticleInFile:
    """One article: section, title, author, number of words, date, time, outlet, its code, pages, language, rights."""
    kinds: dict[int, Kind] = {count: ("other", "WORDS"), count + 1: ("dateline", "DATE")}
    fields = {"published": date_in(piece[count + 1].body)} | _id(piece)
    heads = [*range(count)]
    if len(heads) > 1 and _BYLINE.fullmatch(piece[heads[-1]].body):
        kinds[heads.pop()] = ("byline", "BYLINE")
    if len(heads) > 1 and len(piece[heads[0]].body.split()) <= 2 < len(piece[heads[1]].body.split()):
        kinds[heads.pop(0)] = ("other", "SECTION")
    kinds |= dict.fromkeys(heads, ("title", "HEADLINE"))
    fields["title"] = " ".join(piece[n].body for n in heads)
    n, last = count + 2, len(piece) - 1
    if n < last and _TIME.fullmatch(piece[n].body):
        kinds[n] = ("dateline", "TIME")
        n += 1
    if n < last:
        fields["outlet"] = piece[n].body
        kinds[n] = ("other", "PUBLICATION")
        n += 1
    # What follows varies: the outlet's code, an edition, a page. The language or the rights end it, where they are.
    known = [place for place in range(n, min(n + 7, last)) if _closes(piece[place].body)]
    while n < last and ((known and n <= known[-1]) or _CODE_OF_SOURCE.fullmatch(piece[n].body)):
        body = piece[n].body
        kinds[n] = ("footer", "COPYRIGHT") if is_rights(body) else ("other", "HEAD")
        if code := _language(body):
            fields["language"] = code
            kinds[n] = ("other", "LANGUAGE")
        n += 1
    kinds[last] = ("footer", "DOCUMENT")
    return article(text, piece, kinds, name=NAME, fields=fields)


def _closes(body: str) -> bool:
    return is_rights(body) or bool(_language(body))


def _language(body: str) -> str:
    """The code of a language whose name is all that stands in a line."""
    return language_code(body) if len(body) > 3 else ""
