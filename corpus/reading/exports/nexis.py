"""Split exports of LexisNexis (`1 of 3 DOCUMENTS`) and of Nexis Uni (`End of Document`) into their articles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

import msgspec

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.exports.languages import language_code
from corpus.reading.exports.lines import (
    FEWER,
    NO_HEAD,
    Kind,
    Line,
    Split,
    article,
    block_end,
    date_in,
    is_rights,
    left_out,
    lines_of,
    with_breaks,
)

_NUMBER = re.compile(
    r"(?:FOCUS - )?(\d{1,9}) (?:of|von|de|sur|van|di) (\d{1,9}) "
    r"(?i:documents?|dokument(?:en?)?|documenten|documentos?|documenti)"
)
_END = re.compile(r"End of Document|Ende des Dokuments|Fin du document|Fin del documento|Einde van document")
_ANNOUNCED = re.compile(r"(?:Documents?|Dokumente?|Documentos?|Documenti|Documenten) \((\d{1,9})\)")
_LABEL = re.compile(r"([^\W\d_][^\W\d_]*(?:[- ][^\W\d_]+)?):(?:\s+(.*))?")
_LENGTH = re.compile(r"[^\W\d_]+:\s+\d[\d.,]* (?:words|Wörter|mots|palabras|parole|woorden)", re.I)
_BODY = re.compile(r"(?:Body|BODY|Volltext|Corps|Cuerpo|Corpo):?")
_INLINE = re.compile(r"^(BODY:)[ \t]+(?=\S)", re.M)
_EDITION = re.compile(r"(?i)\b(?:edition|ausgabe|édition|edición|edizione|editie)\b")
_HEAD: dict[str, Kind] = {
    **dict.fromkeys(("byline", "autor", "auteur", "autore"), ("byline", "BYLINE")),
    **dict.fromkeys(("section", "ressort", "rubrik", "rubrique", "sección", "sezione", "sectie"), ("other", "SECTION")),
    **dict.fromkeys(("length", "länge", "longueur", "longitud", "lunghezza", "lengte"), ("other", "LENGTH")),
    "dateline": ("dateline", "DATELINE"),
    "highlight": ("heading", "HIGHLIGHT"),
    "headline": ("title", "HEADLINE"),
    **{name: ("other", name.upper()) for name in ("series", "column", "distribution", "source", "edition")},
}
_SURE_TAIL: dict[str, Kind] = {
    "load-date": ("footer", "LOAD-DATE"),
    **dict.fromkeys(("language", "sprache", "langue", "idioma", "taal", "lingua"), ("other", "LANGUAGE")),
    "graphic": ("caption", "GRAPHIC"),
    **{
        name: ("other", name.upper())
        for name in ("publication-type", "publikationstyp", "document-type", "journal-code", "acc-no", "pub-type")
    },
}
_TAIL = _SURE_TAIL | {
    name: ("other", name.upper())
    for name in (
        "subject organization company ticker industry geographic person people country city state notes correction "
        "correction-date url type update"
    ).split()
}
_IN_HEAD = 25
"""Most lines of an article's head: titles and labels have fewer."""


class _Read(msgspec.Struct):
    """What is known of an article while its lines are read."""

    kinds: dict[int, Kind]
    fields: dict[str, str]
    body: int = 0
    sure: bool = False


def split(text: str) -> Split | None:
    """The articles of an export, or None where they cannot be told apart for certain.

    Args:
        text: text of an export, with its line ends as they are.
    """
    text = with_breaks(text, _INLINE)
    lines = lines_of(text)
    numbers = [place for place, line in enumerate(lines) if _NUMBER.fullmatch(line.body)]
    if numbers:
        return _numbered(text, lines, numbers)
    ends = [place for place, line in enumerate(lines) if _END.fullmatch(line.body)]
    return _ended(text, lines, ends) if ends else None


def _numbered(text: str, lines: Sequence[Line], places: list[int]) -> Split | None:
    """Split where each article begins with its number; the numbers must count upwards."""
    counted = [tuple(map(int, found.groups())) for place in places if (found := _NUMBER.fullmatch(lines[place].body))]
    runs: list[list[tuple[int, ...]]] = []
    for one in counted:
        if one[0] == 1 or not runs or runs[-1][-1][1] != one[1]:
            runs.append([])
        elif one[0] <= runs[-1][-1][0]:
            return None
        runs[-1].append(one)
    notes = left_out(lines[: places[0]])
    for run in runs:
        total, has = run[0][1], {number for number, _ in run}
        # The total is whatever the file says: the numbers up to it may be too many to list.
        if missing := list(islice((number for number in range(1, total + 1) if number not in has), 5)):
            count = total - sum(1 <= number <= total for number in has)
            named = f"number{'s' * (count > 1)} {', '.join(map(str, missing))}"
            more = f" and {count - 5} more" if count > 5 else ""
            notes.append(f"{FEWER}: {len(has)} of {total}; {named}{more} missing")
    articles, sure = list[ArticleInFile](), True
    for place, behind in zip(places, [*places[1:], len(lines)], strict=True):
        piece = lines[place + 1 : behind]
        while piece and _END.fullmatch(piece[-1].body):
            piece = piece[:-1]
        if _is_joined(piece):
            return None
        read = _old(piece)
        sure = sure and read.sure
        articles.append(_made(text, piece, read, "LexisNexis"))
    return Split(articles=articles, notes=notes, sure=sure)


def _ended(text: str, lines: Sequence[Line], ends: list[int]) -> Split | None:
    """Split where each article ends with a line that says so; the first begins behind the cover page."""
    pieces = [lines[start:end] for start, end in zip([0, *(end + 1 for end in ends)], ends, strict=False)]
    rest = list(lines[ends[-1] + 1 :])
    cut_off = [n for n, line in enumerate(rest) if _BODY.fullmatch(line.body) or _name(line.body) in _SURE_TAIL]
    notes: list[str] = []
    if cut_off:
        pieces.append(rest)
        notes.append("the last article of an export has no mark of its end, and may be cut off")
        rest = []
    if any(_is_joined(piece) for piece in pieces):
        return None
    first = _begins(pieces[0])
    outside = [*pieces[0][:first], *rest]
    announced = [int(found[1]) for line in pieces[0][:first] if (found := _ANNOUNCED.fullmatch(line.body))]
    pieces[0] = pieces[0][first:]
    if announced and announced[0] > len(pieces):
        notes.append(f"{FEWER}: {len(pieces)} of {announced[0]}")
    articles, sure = list[ArticleInFile](), True
    for piece in pieces:
        read = _new(piece)
        sure = sure and read.sure
        articles.append(_made(text, piece, read, "Nexis Uni"))
    return Split(articles=articles, notes=[*notes, *left_out(outside)], sure=sure)


def _made(text: str, piece: Sequence[Line], read: _Read, name: str) -> ArticleInFile:
    notes = [] if "published" in read.fields else [NO_HEAD]
    return article(text, piece, read.kinds, name=name, fields=read.fields, notes=notes)


def _name(body: str) -> str:
    """The label that a line begins with, in lower case; empty for other lines."""
    label = _LABEL.fullmatch(body) if len(body) < 2000 else None
    return label[1].lower() if label and label[1][0].isupper() else ""


def _is_joined(piece: Sequence[Line]) -> bool:
    """Whether a piece holds two articles, as their ends are there twice: a mark between them is missing."""
    loaded = sum(_name(line.body) == "load-date" for line in piece)
    return loaded > 1 or sum(_LENGTH.fullmatch(line.body) is not None for line in piece) > 1


def _is_head(body: str) -> bool:
    return _name(body) in _HEAD or _BODY.fullmatch(body) is not None


def _begins(piece: Sequence[Line]) -> int:
    """Where the first article begins, behind a cover page: two lines before the date that its labels follow."""
    label = next((n for n, line in enumerate(piece) if _is_head(line.body)), len(piece))
    dates = [n for n in range(label) if date_in(piece[n].body)]
    return max(0, dates[-1] - 2) if dates else 0


def _old(piece: Sequence[Line]) -> _Read:
    """Read an article of LexisNexis: outlet, date, title, labels, text, labels."""
    read = _Read(kinds={}, fields={})
    label = next((n for n, line in enumerate(piece[:_IN_HEAD]) if _is_head(line.body)), -1)
    day = next((n for n in range(min(len(piece), _IN_HEAD)) if date_in(piece[n].body)), -1)
    if day >= 0 and (label < 0 or day < label):
        read.fields["published"] = date_in(piece[day].body)
        read.kinds[day] = ("dateline", "DATE")
        for n in range(day):
            read.kinds[n] = ("footer", "COPYRIGHT") if is_rights(piece[n].body) else ("other", "PUBLICATION")
        outlet = [piece[n].body for n in range(day) if read.kinds[n][1] == "PUBLICATION"]
        read.fields["outlet"] = outlet[0] if outlet else ""
        title = _after_date(piece, day + 1, label, read)
        read.fields["title"] = " ".join(title)
    n = read.body = _labels(piece, max(label, 0) if label >= 0 else read.body, read)
    read.sure = "published" in read.fields and label >= 0
    _tail(piece, n, read, capitals=label < 0 or piece[label].body[:2].isupper())
    return read


def _after_date(piece: Sequence[Line], first: int, label: int, read: _Read) -> list[str]:
    """The title's lines, which follow the date and perhaps an edition; without labels the text begins behind them."""
    n = first
    while n < len(piece) and (_is_edition(piece[n].body) or is_rights(piece[n].body)) and n != label:
        read.kinds[n] = ("footer", "COPYRIGHT") if is_rights(piece[n].body) else ("other", "EDITION")
        n += 1
    end = block_end(piece, n, _is_head) if n < len(piece) and n != label else n
    if label < 0 and end == len(piece):  # the only block there is must be the text
        end = n
    for place in range(n, end):
        read.kinds[place] = ("title", "HEADLINE")
    read.body = end
    return [piece[place].body for place in range(n, end)]


def _is_edition(body: str) -> bool:
    return len(body) < 80 and len(body.split()) <= 8 and _EDITION.search(body) is not None


def _labels(piece: Sequence[Line], first: int, read: _Read) -> int:
    """Mark the labels before an article's text, each with the lines that belong to it; gives where the text begins."""
    n = first
    marked = [place for place in range(first, min(len(piece), first + _IN_HEAD)) if _BODY.fullmatch(piece[place].body)]
    while n < len(piece):
        body = piece[n].body
        if _BODY.fullmatch(body):
            read.kinds[n] = ("other", "BODY")
            return n + 1
        kind = _HEAD.get(_name(body))
        # All labels of an article are written alike; `Length:` behind `BYLINE:` is prose.
        if kind and body.partition(":")[0].isupper() == piece[first].body.partition(":")[0].isupper():
            # A label in capitals is from the older layout, which wraps lines: the lines up to a blank one belong to it.
            end = block_end(piece, n, _is_head) if body[:2].isupper() else n + 1
            for place in range(n, end):
                read.kinds[place] = kind
            value = " ".join(line.body for line in piece[n:end]).partition(":")[2]
            if kind[1] == "HEADLINE":
                read.fields["title"] = value
            n = end
        elif is_rights(body):
            read.kinds[n] = ("footer", "COPYRIGHT")
            n += 1
        elif marked and n < marked[0]:
            read.kinds[n] = ("other", "HEAD")
            n += 1
        else:
            return n
    return n


def _new(piece: Sequence[Line]) -> _Read:
    """Read an article of Nexis Uni: title, outlet, date, rights, labels, `Body`, text, labels."""
    read = _Read(kinds={}, fields={})
    label = next((n for n, line in enumerate(piece[:_IN_HEAD]) if _is_head(line.body)), -1)
    ahead = label if label >= 0 else min(len(piece), 6)
    day = next((n for n in range(ahead) if date_in(piece[n].body)), -1)
    n = max(label, 0)
    if day >= 0:
        read.fields["published"] = date_in(piece[day].body)
        read.kinds[day] = ("dateline", "DATE")
        names = [piece[place].body for place in range(day)]
        read.fields["title"] = " ".join(names[:-1] or names)
        read.fields["outlet"] = names[-1] if len(names) > 1 else ""
        for place in range(day):
            read.kinds[place] = ("title", "HEADLINE") if place < day - 1 or day == 1 else ("other", "PUBLICATION")
        n = day + 1
        while n < len(piece) and (n < label or is_rights(piece[n].body)):
            read.kinds[n] = ("footer", "COPYRIGHT") if is_rights(piece[n].body) else ("other", "HEAD")
            n += 1
    n = _labels(piece, n, read)
    read.sure = day >= 0 and label >= 0
    _tail(piece, n, read, capitals=label >= 0 and piece[label].body[:2].isupper())
    return read


def _tail(piece: Sequence[Line], first: int, read: _Read, *, capitals: bool) -> None:
    """Mark what stands behind an article's text: labels, the list of subjects, rights, and what pictures show.

    The labels are written as those before the text are, in capitals or not: `Language:` behind `BYLINE:` is prose.
    """
    names = [_name(line.body) if line.body[:2].isupper() == capitals else "" for line in piece]
    listed = [n for n in range(first, len(piece) - 1) if piece[n].body == "Classification" and names[n + 1] in _TAIL]
    starts = listed[-1:] or [n for n in range(first, len(piece)) if names[n] in _SURE_TAIL]
    if starts:
        tail = min(starts)
        last_label = max(n for n in range(len(piece)) if names[n] in _TAIL)
        n = tail
        while n < len(piece):
            end = n + 1
            if kind := _TAIL.get(names[n]):
                wraps = piece[n].body[:2].isupper()
                end = block_end(piece, n, lambda body: _name(body) in _TAIL) if wraps else end
                read.kinds |= dict.fromkeys(range(n, end), kind)
                if kind[1] == "LANGUAGE":
                    read.fields["language"] = language_code(piece[n].body.partition(":")[2])
            elif is_rights(piece[n].body):
                end = block_end(piece, n)
                read.kinds |= dict.fromkeys(range(n, end), ("footer", "COPYRIGHT"))
            elif listed and listed[-1] <= n < last_label:
                read.kinds[n] = ("other", "CLASSIFICATION")
            n = end
        graphics = [n for n in range(first, tail) if piece[n].body == "Graphic"]
        if graphics:
            read.kinds |= dict.fromkeys(range(graphics[-1], tail), ("caption", "GRAPHIC"))
    for n in range(max(first, len(piece) - 4), len(piece)):
        if is_rights(piece[n].body):
            read.kinds.setdefault(n, ("footer", "COPYRIGHT"))
