"""Tell which family of formats an export belongs to, and split its text into articles."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.database_exports import family_of
from corpus.reading.exports import bibtex, europresse, factiva, nexis, proquest, ris
from corpus.reading.exports.lines import Split

PLAIN = "plain"
"""The name in `[corpus] format` for files that are never split."""

SAME_ID = "an identifier that an article before it in the file has: it is known by its text"
SAME_RECORD = "the same record stands in the file before"
_EXTRACTOR = re.compile(r"export of (.+?) \d+(?:, .+)?")


def articles_of(text: str, family: str = "") -> list[ArticleInFile] | None:
    r"""The articles of an export, or None where a text is none or cannot be split for certain.

    A text with only one article counts as an export if the article's head is in a form that only a database writes.
    What is to be known of the file as a whole is in the first article's note, each note on a line of its own.

    Args:
        text: the text of a file, or of a document with a line for each of its paragraphs.
        family: the family of formats, as in `[corpus] format`; if empty, the text itself shows it.

    >>> text = "1 of 1 DOCUMENT\n\nThe Sund Post\n\nMay 3, 2031\n\nRain in Sund\n\nLENGTH: 2 words\n\nIt rained.\n"
    >>> [(one.fields["title"], one.fields["published"]) for one in articles_of(text) or []]
    [('Rain in Sund', '2031-05-03')]
    """
    split = split_of(text, family or family_of(text))
    if split is None or (not family and len(split.articles) == 1 and not split.sure):
        return None
    return finished(split)


def split_of(text: str, family: str) -> Split | None:
    """What the module of a family finds in a text; None for no family, or where it cannot split the text."""
    match family:
        case "nexis":
            return nexis.split(text)
        case "factiva":
            return factiva.split(text)
        case "proquest":
            return proquest.split(text)
        case "europresse":
            return europresse.split(text)
        case "ris":
            return ris.split(text)
        case "bibtex":
            return bibtex.split(text)
    return None


def finished(split: Split) -> list[ArticleInFile]:
    """The articles with the file's notes at the first of them, and with identifiers that are unique in the file."""
    articles = list(_told_apart(split.articles))
    note = "\n".join(filter(None, [*split.notes, articles[0].note]))
    return [msgspec.structs.replace(articles[0], note=note), *articles[1:]]


def _told_apart(articles: Sequence[ArticleInFile]) -> list[ArticleInFile]:
    seen: dict[str, str] = {}
    apart: list[ArticleInFile] = []
    for one in articles:
        own_id = one.fields.get("id", "")
        if own_id in seen:
            fields = {name: value for name, value in one.fields.items() if name != "id"}
            if seen[own_id] == one.text:
                one = msgspec.structs.replace(one, fields=fields, fault=f"{SAME_RECORD}: {own_id}")
            else:
                note = "\n".join(filter(None, [one.note, f"{SAME_ID}: {own_id}"]))
                one = msgspec.structs.replace(one, fields=fields, note=note)
        elif own_id:
            seen[own_id] = one.text
        apart.append(one)
    return apart


def exporter(extractor: str) -> str:
    """The database of an article that is from an export, by the name of its extractor; empty for other articles.

    >>> exporter("export of Nexis Uni 1, rtf 1"), exporter("plain 1")
    ('Nexis Uni', '')
    """
    found = _EXTRACTOR.fullmatch(extractor)
    return found[1] if found else ""
