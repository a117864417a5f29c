"""Split exports of Europresse that are plain text: each article ends with its number (`news·20310111·HH·0q1501`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.dates import iso_date
from corpus.reading.exports.lines import Kind, Line, Split, article, date_in, is_rights, left_out, lines_of

NAME = "Europresse"
NUMBER = re.compile(r"\b(news·(\d{4})(\d\d)(\d\d)·\w+·[\w-]+)")
_END = re.compile(rf"(?:.{{0,60}}[:\s])?{NUMBER.pattern}.{{0,60}}")
_COUNT = re.compile(r"(.*?),?\s+(?:\d{1,3}(?:\s\d{3})*|\d+)\s(?:mots|words|palabras|parole|Wörter|woorden)\b.*")


def split(text: str) -> Split | None:
    """The articles of an export, or None where they cannot be told apart for certain.

    Args:
        text: text of an export, with its line ends as they are.
    """
    lines = lines_of(text)
    articles, outside = list[ArticleInFile](), list[Line]()
    start = 0
    for n, line in enumerate(lines):
        if not _END.fullmatch(line.body):
            continue
        days = [place for place in range(start, n) if day_of(lines[place].body)]
        counted = [place for place in days if not date_in(lines[place].body)]
        days = counted or days  # a cover page, and prose, may have a line with a date, but without the number of words
        if len(days) != 1 or days[0] == start or days[0] + 1 >= n:
            return None
        first = days[0] - 1
        outside += lines[start:first]
        articles.append(_article(text, lines[first : n + 1]))
        start = n + 1
    rest = lines[start:]
    if not articles or any(day_of(line.body) for line in rest):
        return None
    return Split(articles=articles, notes=left_out([*outside, *rest]), sure=True)


def day_of(body: str) -> str:
    """The date in the line that says section, date, number of words and page; empty for any other line.

    >>> day_of("Événement, jeudi 11 janvier 2031 1 234 mots, p. 3"), day_of("Le jeudi 11 janvier 2031, il pleuvait.")
    ('2031-01-11', '')
    """
    if len(body) > 200:
        return ""
    if date := date_in(body):
        return date
    count = _COUNT.fullmatch(body)
    words = count[1].replace(",", " , ").split() if count else []
    for length in range(min(len(words), 8), 2, -1):
        date, doubt = iso_date(" ".join(words[-length:]).replace(" ,", ","))
        if not doubt and re.fullmatch(r"\d{4}-\d\d-\d\d", date):
            return date
    return ""


def _article(text: str, piece: Sequence[Line]) -> ArticleInFile:
    """One article: outlet, section and date, title, text, rights, number."""
    last = len(piece) - 1
    kinds: dict[int, Kind] = {0: ("other", "PUBLICATION"), 1: ("dateline", "DATE"), last: ("footer", "NUMBER")}
    fields = {"outlet": outlet_of(piece[0].body), "published": day_of(piece[1].body)}
    if last > 3:  # with fewer lines the third is all the text there is
        kinds[2] = ("title", "HEADLINE")
        fields["title"] = piece[2].body
    for n in range(max(3, last - 3), last):
        if is_rights(piece[n].body):
            kinds |= dict.fromkeys(range(n, last), ("footer", "COPYRIGHT"))
            break
    found = NUMBER.search(piece[last].body)
    return article(text, piece, kinds, name=NAME, fields=fields | {"id": found[1] if found else ""})


def outlet_of(written: str) -> str:
    """The outlet's name without the number of the issue.

    >>> outlet_of("La Croix, no. 43018"), outlet_of("The Harbor Herald")
    ('La Croix', 'The Harbor Herald')
    """
    return re.split(r",?\s+(?:no\.?|n°|nº)\s*\d", written, maxsplit=1)[0].strip()
