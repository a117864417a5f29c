"""Split files of reference managers in the RIS format into their records, where these have an abstract or a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.numbers import number
from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.exports.languages import language_code
from corpus.reading.exports.lines import FEWER, Kind, Line, Split, article, left_out, lines_of, without_text

NAME = "a reference manager (RIS)"
_TAG = re.compile(r"([A-Z][A-Z0-9]) {1,2}- ?(.*)")
_INLINE = re.compile(r"^(\ufeff?[ \t]*(?:AB|N2|TX) {1,2}-)[ \t]*(?=\S)", re.M)
_TEXTS = ("TX", "AB", "N2")
_FIELDS = {
    "id": ("AN", "ID"),
    "title": ("TI", "T1", "CT"),
    "outlet": ("T2", "JO", "JF", "JA", "J2", "PB"),
    "published": ("DA", "Y1", "PY"),
    "language": ("LA",),
    "url": ("UR", "L2", "LK"),
}
_KINDS: dict[str, Kind] = {
    **{tag: ("title", tag) for tag in ("TI", "T1", "CT")},
    **{tag: ("byline", tag) for tag in ("AU", "A1", "A2")},
    **{tag: ("dateline", tag) for tag in ("DA", "PY", "Y1")},
    "ER": ("footer", "ER"),
}


def split(text: str) -> Split | None:
    """The records of a file, or None where it is not in the format.

    Args:
        text: the file's text, with its line ends as they are.
    """
    text = _INLINE.sub(lambda match: f"{match[1]}\n", text)
    lines = lines_of(text)
    starts = [n for n, line in enumerate(lines) if _tag(line.body) == "TY"]
    if not starts:
        return None
    articles, outside = list[ArticleInFile](), list(lines[: starts[0]])
    open_ended = 0
    for start, behind in zip(starts, [*starts[1:], len(lines)], strict=True):
        end = next((n + 1 for n in range(start, behind) if _tag(lines[n].body) == "ER"), behind)
        open_ended += _tag(lines[end - 1].body) != "ER"
        outside += lines[end:behind]
        articles.append(_record(text, lines[start:end]))
    notes = left_out(outside)
    if open_ended:
        notes.insert(0, f"{FEWER}: {number(open_ended, 'record', 'have')} no end (ER)")
    return Split(articles=articles, notes=notes, sure=not open_ended)


def _tag(body: str) -> str:
    found = _TAG.fullmatch(body)
    return found[1] if found else ""


def _record(text: str, piece: Sequence[Line]) -> ArticleInFile:
    """One record: its abstract is prose, and each other field a line that is not."""
    has = {_tag(line.body) for line in piece}
    prose = next((tag for tag in _TEXTS if tag in has), "")
    kinds: dict[int, Kind] = {}
    values: dict[str, str] = {}
    tag = ""
    for n, line in enumerate(piece):
        found = _TAG.fullmatch(line.body)
        if found:
            tag = found[1]
            values.setdefault(tag, found[2])
        if found or tag != prose:
            kinds[n] = _KINDS.get(tag, ("other", tag))
    fields = {field: next((values[tag] for tag in tags if values.get(tag)), "") for field, tags in _FIELDS.items()}
    fields["published"] = _date(fields["published"])
    fields["language"] = language_code(fields["language"])
    if len(kinds) == len(piece):
        return without_text(NAME, fields)
    return article(text, piece, kinds, name=NAME, fields=fields)


def _date(written: str) -> str:
    """A date as RIS writes it (`2031/01/11/`, with empty parts where they are unknown), in ISO 8601.

    >>> _date("2031/01/11/"), _date("2031///"), _date("11 January 2031")
    ('2031-01-11', '2031', '11 January 2031')
    """
    found = re.fullmatch(r"(\d{4})/(\d{0,2})/(\d{0,2})(?:/.*)?", written)
    if not found:
        return written
    year, month, day = found.groups()
    return "-".join([year, *([month.zfill(2)] if month else []), *([day.zfill(2)] if month and day else [])])
