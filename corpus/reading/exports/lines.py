"""The lines of an export, the article that some of them make, and what a family's module found in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from corpus.numbers import number
from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.dates import iso_date
from corpus.records import Span
from corpus.sentences.line_ends import count_ends, places

OUTSIDE = "text outside of the articles of an export is left out"
FEWER = "an export announces more articles than were found in it"
NO_HEAD = "the head of an article in an export is not in a known form"
NO_TEXT = "no text in the record: it has no abstract"
NOTHING = "nothing stands between two marks of the export"

Kind = tuple[str, str]
"""The kind of a line and the reason, as in a `Span`."""

_DAY = re.compile(r"\d{4}-\d\d(?:-\d\d)?(?:T.*)?")
_WRITTEN = re.compile(r"[^\W\d_]{3}|\d[./-]\d")
_RIGHTS = re.compile(
    r"(?:copyright|©|\(c\))(?=\W|\d|$).{0,200}"
    r"|all rights reserved.{0,80}|alle rechte(?:n)? vorbe?h?(?:alten|ouden).{0,80}|tous droits réservés.{0,80}"
    r"|todos los derechos reservados.{0,80}|tutti i diritti riservati.{0,80}",
    re.I,
)


class Line(msgspec.Struct, frozen=True):
    """A line that is not blank: its place in the text, what stands there, and whether a blank line is before it."""

    start: int
    end: int
    body: str
    opens: bool


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """What a family's module found in a file.

    Attributes:
        articles: the articles, in the file's order.
        notes: what researchers should know of the file as a whole.
        sure: whether the articles' heads are in a known form, so that even a file with one article is surely an export.
    """

    articles: list[ArticleInFile]
    notes: list[str] = []
    sure: bool = False


def lines_of(text: str) -> list[Line]:
    r"""The lines of a text that are not blank.

    >>> [(line.body, line.opens) for line in lines_of("Town\nIt rained.\n\n  Boats\n")]
    [('Town', True), ('It rained.', False), ('Boats', True)]
    """
    lines: list[Line] = []
    before = 0
    for start, end in places(text):
        opens = not lines or count_ends(text[before:start]) > 1
        # A page feed, which some exports have at the top of each article, is white space; a byte order mark is not.
        lines.append(Line(start, end, text[start:end].strip("\ufeff\u200b \t\xa0"), opens))
        before = end
    return lines


def with_breaks(text: str, label: re.Pattern[str]) -> str:
    """The text with a line end in place of the white space behind each of these labels, which open the articles' prose.

    Marks cover whole lines, so the prose cannot stay on the label's line.

    Args:
        text: an export's text.
        label: pattern of a label with the white space that follows it, and with the label as its first group.
    """
    return label.sub(lambda match: f"{match[1]}\n", text)


def article(
    text: str,
    lines: Sequence[Line],
    kinds: Mapping[int, Kind],
    *,
    name: str,
    fields: Mapping[str, str],
    notes: Iterable[str] = (),
) -> ArticleInFile:
    """The article that neighbouring lines of an export make; its text is all from the first to the last of them.

    Args:
        text: the export's text.
        lines: the article's lines, in order.
        kinds: what is known of some of them, by their number among these lines.
        name: name of the database.
        fields: metadata of the article; empty values are left out.
        notes: notes on how it was read.
    """
    if not lines:
        return ArticleInFile(extractor=extractor(name), fields=given(fields), fault=NOTHING)
    start, end = lines[0].start, lines[-1].end
    marks = [Span(line.start - start, line.end - start, *kinds[n]) for n, line in enumerate(lines) if n in kinds]
    return ArticleInFile(
        text=text[start:end], extractor=extractor(name), fields=given(fields), marks=marks, note="\n".join(notes)
    )


def without_text(name: str, fields: Mapping[str, str]) -> ArticleInFile:
    """A record of a reference manager that holds no text."""
    return ArticleInFile(extractor=extractor(name), fields=given(fields), fault=NO_TEXT)


def extractor(name: str) -> str:
    """What the table of articles says of where a text comes from; the number changes whenever the text may."""
    return f"export of {name} 1"


def given(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields that have a value, each on one line."""
    tidy = {field: " ".join(value.split()) for field, value in fields.items()}
    return {field: value for field, value in tidy.items() if value}


def left_out(lines: Sequence[Line]) -> list[str]:
    """The note on lines that belong to no article; none if there are no such lines."""
    if not lines:
        return []
    count = sum(len(line.body) for line in lines)
    return [
        f"{OUTSIDE}: {number(count, 'character')} in {number(len(lines), 'line')}, beginning with "
        f"“{lines[0].body[:60]}”"
    ]


def date_in(body: str) -> str:
    """The date that a line consists of, in ISO 8601, perhaps without a day; empty for any other line.

    >>> date_in("January 11, 2031 Thursday"), date_in("It rained on January 11, 2031."), date_in("2031")
    ('2031-01-11', '', '')
    """
    if len(body) > 80 or not _WRITTEN.search(body):
        return ""
    date, doubt = iso_date(body)
    return date if not doubt and _DAY.fullmatch(date) else ""


def is_rights(body: str) -> bool:
    """Whether a line says who holds the rights."""
    return _RIGHTS.fullmatch(body) is not None


def block_end(lines: Sequence[Line], first: int, stops: Callable[[str], bool] = lambda body: False) -> int:
    """Where the block of a line ends: before the next blank line, or before a line that begins something else.

    Args:
        lines: lines of an article.
        first: number of the block's first line.
        stops: function that tells whether a line begins something else.

    Returns:
        The number of the first line behind the block.
    """
    last = first + 1
    while last < len(lines) and not lines[last].opens and not stops(lines[last].body):
        last += 1
    return last
