"""Split exports of ProQuest into their articles: lines between rules, each with `ProQuest document ID`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.exports.languages import language_code
from corpus.reading.exports.lines import FEWER, Kind, Line, Split, article, block_end, left_out, lines_of, with_breaks

NAME = "ProQuest"
_RULE = re.compile(r"_{20,}")
_NUMBER = re.compile(r"(?:Document|Dokument|Documento) (\d{1,9}) (?:of|von|de|sur|di) (\d{1,9})")
_ID = re.compile(r"ProQuest document ID: ?(\d+)")
_LABEL = re.compile(r"([A-Z][\w &/-]{1,40}(?: \([A-Z]+\))?):(?:\s+(.*))?")
_INLINE = re.compile(r"^((?:Full text|Abstract(?: \([A-Z]+\))?):)[ \t]+(?=\S)", re.M)
_HEAD: dict[str, Kind] = {
    **dict.fromkeys(("author", "authors"), ("byline", "AUTHOR")),
    **{name: ("other", name.upper()) for name in ("publication info", "links", "abstract", "full text")},
    "credit": ("credit", "CREDIT"),
}
_TAIL: dict[str, Kind] = {
    name.strip(): ("other", name.strip().upper())
    for name in """
        subject|location|company / organization|company|people|person|business indexing term|identifier / keyword|title
        |alternate title|publication title|publication subject|publication year|publication date|publication info|volume
        |issue|section|pages|first page|page|number of pages|year|dateline|column|edition|source type|source attribution
        |language of publication|language|document type|document feature|place of publication|country of publication
        |publisher|issn|eissn|isbn|proquest document id|accession number|document url|database|links|author|credit|dc
    """.split("|")
} | {name: ("footer", name.upper()) for name in ("copyright", "last updated")}
_SENTENCES = {"title", "alternate title", "publication info", "links", "author", "publisher", "copyright", "credit"}
"""Labels whose values may end as a sentence does."""
_FIELDS = {
    "title": ("title",),
    "outlet": ("publication title",),
    "published": ("publication date",),
    "id": ("proquest document id",),
    "url": ("document url",),
}
_LINK = re.compile(r"ProQuest document link|https?://\S+")


def split(text: str) -> Split | None:
    """The articles of an export, or None where they cannot be told apart for certain.

    Args:
        text: text of an export, with its line ends as they are.
    """
    text = with_breaks(text, _INLINE)
    lines = lines_of(text)
    pieces: list[list[Line]] = [[]]
    outside: list[Line] = []
    announced, numbered = 0, 0
    for line in lines:
        number = _NUMBER.fullmatch(line.body)
        if number:
            announced, numbered = max(announced, int(number[2])), numbered + 1
        if number or _RULE.fullmatch(line.body):
            pieces.append([])
        else:
            pieces[-1].append(line)
    articles = list[ArticleInFile]()
    for piece in pieces:
        ids = sum(_ID.fullmatch(line.body) is not None for line in piece)
        texts = sum(line.body == "Full text:" for line in piece)
        if ids > 1 or texts > 1:
            return None
        if ids:
            articles.append(_article(text, piece))
        elif texts or sum(_label(line.body) in _TAIL for line in piece) > 3:
            return None  # an article without its number
        else:
            outside += piece
    if not articles:
        return None
    notes = left_out(outside)
    if announced > len(articles) or numbered > len(articles):
        notes.insert(0, f"{FEWER}: {len(articles)} of {max(announced, numbered)}")
    return Split(articles=articles, notes=notes, sure=all("published" in one.fields for one in articles))


def _label(body: str) -> str:
    """The label that a line begins with, in lower case and without a language in brackets; or an empty string."""
    found = _LABEL.fullmatch(body) if len(body) < 5000 else None
    return re.sub(r" \([a-z]+\)$", "", found[1].lower()) if found else ""


def _article(text: str, piece: Sequence[Line]) -> ArticleInFile:
    """One article: title, labels, `Full text:`, the text, labels; without a text, its abstract is the text."""
    kinds: dict[int, Kind] = {}
    values: dict[str, str] = {}
    tail = _tail(piece)
    texts = [n for n in range(tail) if piece[n].body == "Full text:"]
    body = texts[0] if texts else next((n for n in range(tail) if _label(piece[n].body) == "abstract"), tail)
    head = next((n for n in range(body) if _label(piece[n].body) in _HEAD or _LINK.fullmatch(piece[n].body)), body)
    kinds |= dict.fromkeys(range(block_end(piece, 0) if head else 0), ("title", "TITLE"))
    title = " ".join(piece[n].body for n in sorted(kinds) if n < head)
    kinds = {n: kind for n, kind in kinds.items() if n < head}
    kind: Kind = ("other", "HEAD")
    for n in range(len(kinds), min(body + 1, len(piece))):
        name = _label(piece[n].body)
        if _LINK.fullmatch(piece[n].body):
            kind = ("other", "LINKS")
        elif name in _HEAD:
            kind = _HEAD[name]
            values.setdefault(name, piece[n].body.partition(":")[2])
        if n < tail:
            kinds[n] = kind
    for n in range(tail, len(piece)):
        name = _label(piece[n].body)
        if name in _TAIL:
            kind = _TAIL[name]
            values[name] = piece[n].body.partition(":")[2]
        elif name := next((one for one in _TAIL if one.upper() == kind[1]), ""):
            values[name] += f" {piece[n].body}"
        kinds[n] = kind
    fields = {field: values.get(names[0], "") for field, names in _FIELDS.items()}
    fields["title"] = fields["title"] or title
    fields["outlet"] = fields["outlet"] or values.get("publication info", "").partition(";")[0]
    fields["language"] = language_code(values.get("language of publication", values.get("language", "")))
    return article(text, piece, kinds, name=NAME, fields=fields)


def _tail(piece: Sequence[Line]) -> int:
    """Where the labels behind the text begin: each block from there to the end opens with a label that is known.

    The text's last paragraphs may open with such a word and a colon; they end as sentences do, and subjects do not.
    """
    tail = _labelled(piece)
    while tail < len(piece):
        end = block_end(piece, tail, lambda body: _label(body) in _TAIL)
        if _label(piece[tail].body) in _SENTENCES or not piece[end - 1].body.endswith((".", "!", "?", "”", '"')):
            break
        tail = end
    return tail


def _labelled(piece: Sequence[Line]) -> int:
    tail = len(piece)
    while tail > 0:
        first = tail - 1
        while first > 0 and not piece[first].opens and _label(piece[first].body) not in _TAIL:
            first -= 1
        if _label(piece[first].body) not in _TAIL:
            return tail
        tail = first
    return tail
