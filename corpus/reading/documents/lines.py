"""Put the text of an article together from its lines, with the marks of those whose kind the format tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from corpus.reading.article_in_file import ArticleInFile
from corpus.records import Span

SURROGATES = "halves of characters in it, which are read as U+FFFD"
_BREAKS = re.compile(r"[ \t\n\r\v\f\x1c-\x1f\x85\u2028\u2029]+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ufffe\uffff]")
_LONE = re.compile("[\ud800-\udfff]")
_FINAL = re.compile(r"[.!?…:;][”’\"'»)\]]*$")
_FULL = 60
"""A line at least this long was probably broken for its width, unless a sentence ends there."""


class Line(msgspec.Struct, frozen=True):
    """A paragraph of an article; `kind` is empty where the format does not tell it, `reason` says what told it."""

    text: str
    kind: str = ""
    reason: str = ""


def article_of(
    lines: Iterable[Line], extractor: str, fields: Mapping[str, str] | None = None, notes: Iterable[str] = ()
) -> ArticleInFile:
    """The article with these lines; white space within a line becomes a space, and empty lines are left out.

    Without any text the article has a fault.

    Args:
        lines: the article's paragraphs, in the order of the document.
        extractor: name and version of what read them.
        fields: what the document says of the article; empty values are left out.
        notes: what researchers should know of how it was read; empty ones are left out.
    """
    parts: list[str] = []
    marks: list[Span] = []
    place, broken = 0, 0
    for line in lines:
        text, lone = _LONE.subn("\ufffd", clean(line.text))
        if not text:
            continue
        broken += lone
        if line.kind:
            marks.append(Span(place, place + len(text), line.kind, line.reason))
        parts.append(text)
        place += len(text) + 1
    given = {name: _LONE.sub("\ufffd", clean(value)) for name, value in (fields or {}).items()}
    said = [*notes, f"{broken} {SURROGATES}" if broken else ""]
    return ArticleInFile(
        text="\n".join(parts),
        extractor=extractor,
        fields={name: value for name, value in given.items() if value},
        marks=marks,
        note="\n".join(filter(None, said)),
        fault="" if parts else "no text in it",
    )


def passed_over(counts: Mapping[str, int]) -> list[str]:
    """The note on parts of a document that are not read, from their number by what they are; none if there are none."""
    parts = [f"{what} ({count})" for what, count in sorted(counts.items()) if count > 0]
    return [f"not read: {', '.join(parts)}"] if parts else []


def clean(text: str) -> str:
    r"""A text on one line, without control characters; a space that does not break stays one.

    >>> clean("The\nbridge \u2028 of\x00 Sund ")
    'The bridge of Sund'
    """
    return _CONTROL.sub("", _BREAKS.sub(" ", text)).strip()


def parts_at_breaks(text: str) -> list[str]:
    r"""The paragraphs in a text with forced line breaks (`\n`), as word processors put them inside of a paragraph.

    Two breaks end a paragraph. One ends it too, as in a list of names or below a headline, unless the sentence visibly
    goes on: in a small letter, or behind a line that is full and has no final punctuation.

    >>> parts_at_breaks("Rain in Sund\nBy Ann Lee\n\nThe bridge was\nshut.")
    ['Rain in Sund', 'By Ann Lee', 'The bridge was shut.']
    """
    parts: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        begun = False
        for piece in filter(None, map(clean, block.split("\n"))):
            before = parts[-1] if begun else ""
            goes_on = piece[0].islower() or (len(before.rpartition("\n")[2]) >= _FULL)
            if before and goes_on and not _FINAL.search(before):
                parts[-1] += "\n" + piece
            else:
                parts.append(piece)
            begun = True
    return [part.replace("\n", " ") for part in parts]
