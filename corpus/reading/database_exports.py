"""Recognise text files that are not one article: exports of newspaper databases, web pages, JSON."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

import msgspec

from corpus.reading.web.html_in_text import ENTITIES, TAGS, is_page, plain

LEFT = "HTML in a .txt file, whose text is never changed"
ADVICE = "save each article as a file of its own, or as a row of a .csv or .jsonl file"

_DOCUMENT = ("document", "dokument")
_SIGNS: dict[str, list[tuple[tuple[str, ...], str]]] = {
    "LexisNexis": [
        (
            _DOCUMENT,
            r"\d+ (?:of|von|de|sur|van|di) \d+ (?i:documents?|dokument(?:en?)?|documenten|documentos?|documenti)",
        )
    ],
    "Nexis Uni": [
        (
            _DOCUMENT,
            r"End of Document|Ende des Dokuments|Fin du document|Fin del documento|Einde van document",
        )
    ],
    "Factiva": [(_DOCUMENT, r"(?:AN\s+)?(?:Document|Dokument|Documento) [A-Z][A-Z0-9]{2,11}\d{8}[0-9a-z]{6,14}")],
    "ProQuest": [
        (_DOCUMENT, r"(?:Document|Dokument|Documento) \d+ (?:of|von|de|sur|di) \d+"),
        (("proquest document id:",), r"ProQuest document ID: ?\d+"),
    ],
    "Europresse": [(("news·",), r".{0,60}\bnews·\d{8}·\w+·\S+.{0,60}")],
    "Gale": [
        (("gale document number:",), r".{0,200}\bGale Document Number:.{0,50}"),
        (("gale|",), r"Document Number: ?GALE\|\w+"),
    ],
    "EBSCO": [
        (("accession number:",), r"Accession Number: ?\w+"),
        (("persistent link",), r"Persistent link to this record.{0,100}"),
    ],
    "NewsBank": [(("record:", "record number:"), r"Record(?: Number)?: ?[\w*-]{6,}")],
    "Genios": [
        (("dokumentnummer:",), r"Dokumentnummer:(?: ?\S+)?"),
        (("dauerhafte adresse",), r"Dauerhafte Adresse des Dokuments:.{0,200}"),
        (("gbi-genios",), r".{0,60}© GBI-Genios.{0,60}"),
    ],
    "a reference manager (RIS)": [(("ty  - ",), r"TY {2}- [A-Z]{3,8}")],
    "a reference manager (BibTeX)": [(("@",), r"@[A-Za-z]{4,20}\{[^\s,{}]+,.{0,300}")],
}
"""What each database writes once for each article, on a line of its own.

Before each such line stand words in small letters, one of which every such line holds. Looking for words in a text
takes a hundredth of the time that the line's expression takes, and nearly every text has none of them.
"""
FAMILIES = {
    **dict.fromkeys(("LexisNexis", "Nexis Uni"), "nexis"),
    **{"Factiva": "factiva", "ProQuest": "proquest", "Europresse": "europresse"},
    **{"a reference manager (RIS)": "ris", "a reference manager (BibTeX)": "bibtex"},
}
"""The families of formats that can be read, by the names of those who write them."""
_SIGN = {
    name: [(words, re.compile(rf"^[ \t\xa0\ufeff]*(?:{sign})[ \t\xa0]*$", re.M)) for words, sign in signs]
    for name, signs in _SIGNS.items()
}
_LABELS = """
    accession number|autor|author|by|byline|by-line|copyright|credit|database|date|datum|dateline|dokumenttyp|document
    type|document url|edition|fecha|headline|highlight|issn|issue|journal code|language|langue|last updated|length|länge
    |load-date|load date|longueur|page|pages|page number|place of publication|publication|publication date|publication
    info|publication subject|publication title|publication type|publication-type|publisher|quelle|ressort|rubrik|section
    |seite|source|source type|sprache|subject|title|titel|titre|volume|word count|words|wörter
"""
_KNOWN = {" ".join(label.split()) for label in _LABELS.split("|")}
_STRONG = {"accession number", "byline", "by-line", "document type", "dokumenttyp", "issn", "length", "load-date"}
_STRONG |= {"load date", "longueur", "länge", "publication type", "publication-type", "word count", "source type"}
_LABEL = re.compile(r"^[ \t\xa0]*([^\W\d_][\w -]{0,24}):(?=[ \t\xa0]*\S)", re.M)
_FEWEST_LABELS = 4


def export_of(text: str) -> str:
    r"""Which database exported a file of several articles: its name, or words for an unknown one; otherwise empty.

    At least two such lines are needed, one for each of two articles: a file with a single article is read as it is.

    >>> export_of("1 of 2 DOCUMENTS\n\nTown\n\nIt rained.\n\n2 of 2 DOCUMENTS\n\nBoats\n\nThey left.\n")
    'LexisNexis'
    >>> export_of("The document was signed. It was one of 3 DOCUMENTS.")
    ''
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lowered = text.lower()
    for name, signs in _SIGN.items():
        if any(len(sign.findall(text)) > 1 for words, sign in signs if _holds(lowered, words)):
            return name
    counts = Counter(" ".join(label.lower().split()) for label in _LABEL.findall(text))
    again = {label for label, count in counts.items() if count > 1 and label in _KNOWN}
    return "a database" if len(again) >= _FEWEST_LABELS and again & _STRONG else ""


def family_of(text: str) -> str:
    r"""The family of formats that a text may belong to, even with a single article; empty if none can be read.

    >>> family_of("1 of 1 DOCUMENT\n\nTown\n\nIt rained.\n"), family_of("It rained.")
    ('nexis', '')
    """
    if not may_be_export(text):
        return ""
    if name := export_of(text):
        return FAMILIES.get(name, "")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return next((FAMILIES[name] for name in FAMILIES if any(sign.search(text) for _, sign in _SIGN[name])), "")


def no_text(text: str, *, exports: bool = False) -> str:
    """Why the text of a .txt file is not an article, and what to do about it; empty where it can be an article.

    Args:
        text: the file's text.
        exports: whether an export of several articles may be read as one.

    >>> no_text('{"id": "1", "text": "It rained."}')
    'JSON in a .txt file: name it .jsonl, one record a line'
    >>> no_text("[It rained.]")
    ''
    """
    start = text[:2000].lstrip("\ufeff \t\r\n")
    if is_page(start):
        return "an HTML page in a .txt file: name it .html"
    if start.startswith("{\\rtf"):
        return "RTF in a .txt file: save it as plain text"
    if start.startswith(("{", "[")):
        for part in (text, next(islice(filter(str.strip, text.split("\n")), 1), "")):
            try:
                record = msgspec.json.decode(part.strip("\ufeff \t\r\n"))
            except msgspec.DecodeError:
                continue
            if isinstance(record, dict) or (isinstance(record, list) and any(isinstance(one, dict) for one in record)):
                return "JSON in a .txt file: name it .jsonl, one record a line"
    if not exports and (database := export_of(text)):
        return several(database)
    return ""


def several(database: str) -> str:
    """Why a file is skipped in which a database wrote several articles, and what to do about it."""
    return f"several articles in one file: an export of {database}; {ADVICE}"


def not_of(family: str) -> str:
    """Why a file is skipped that is not of the format that `[corpus] format` or its ending says."""
    return f"expected the format {family}; found no article in it, or articles that cannot be told apart for certain"


def note_on(text: str) -> str:
    """The note on the text of a .txt file, which is never changed; or an empty string."""
    return LEFT if plain(text)[1] in (TAGS, ENTITIES) else ""


def may_be_export(page: str) -> bool:
    """Whether a page has a word that `export_of` looks for; for other pages its lines need not be made."""
    lowered = page.lower()
    return any(_holds(lowered, words) and hint.search(page) for words, hint in _HINTS)


def _holds(lowered: str, words: tuple[str, ...]) -> bool:
    """Whether a text in small letters holds one of some words."""
    return any(word in lowered for word in words)


_HINTS = [
    (words, re.compile(hint, re.M))
    for words, hint in (
        (_DOCUMENT, r"DOCUMENT|DOKUMENT|[Ff]in d[ue]l? document|End of Document"),
        (("ende des dok", "einde van doc"), r"Ende des Dok|Einde van doc"),
        (_DOCUMENT, r"(?i:do[ck]umento?\s+(?=[a-z0-9]{2,12}\d{8}))"),
        (("docum", "dokum"), r"(?i:\d (?:of|von|de|sur|van|di) \d+ do[ck]um)"),
        (("factiva", "enarticle", "proquest"), r"[Ff]activa|enArticle|ProQuest"),
        (("·",), r"·\d{8}·"),
        (("gale|", "accession n", "gbi-genios", "ty  -"), r"GALE\||Accession N|GBI-Genios|TY {2}-"),
        (("record:", "record number:", "word count"), r"Record(?: Number)?:|word count"),
        (("dokumentnummer", "dauerhafte adresse"), r"Dokumentnummer|Dauerhafte Adresse"),
        (("@",), r"^@[A-Za-z]+\{"),
        (("load",), r"(?i:load-?\s?date)"),
        (("publication",), r"(?i:publication-? ?type)"),
    )
]
"""Words in small letters, as for the lines above, and what a page with one of them must hold."""
