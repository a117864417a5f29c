"""Read TEI, the format of many text archives: an element TEI is an article."""

from __future__ import annotations

import re
from typing import Any

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.lines import article_of, clean
from corpus.reading.documents.markup import markup_lines
from corpus.reading.documents.office.packages import attribute, inner_text, local

TEI = "stance tei 1"
_BLOCKS = frozenset(
    "p ab l lg sp speaker stage div div1 div2 div3 div4 head item label list row cell table figure figDesc note byline "
    "dateline opener closer salute signed trailer argument epigraph quote cit docTitle titlePart docAuthor docDate "
    "docImprint titlePage front body back group text fw postscript floatingText castItem".split()
)
_KINDS = {
    "head": ("heading", "TEI head"),
    "titlePart": ("title", "TEI title"),
    "byline": ("byline", "TEI byline"),
    "dateline": ("dateline", "TEI dateline"),
    "fw": ("other", "running head"),
    "figDesc": ("caption", "TEI figure"),
}
_HIDDEN = frozenset("teiHeader facsimile sourceDoc standOff del gap surplus corr reg expan am certainty".split())
"""Elements that are no text of the source: of a word and its correction, the word as printed is read."""

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-‐¬]\s*$")


def of_tei(root: Any) -> list[ArticleInFile]:
    """The articles in a document in TEI, in order; a text without text is a fault."""
    return [_article(one) for one in root.iter() if local(one) in ("TEI", "TEI.2")]


def _article(root: Any) -> ArticleInFile:
    header = next((one for one in root if local(one) == "teiHeader"), None)
    fields = {"language": _language(root, header), **(_header(header) if header is not None else {})}
    texts = [one for one in root if local(one) == "text"]
    for text in texts:
        _join_broken_words(text)
    lines = [line for text in texts for line in markup_lines(text, _KINDS, _HIDDEN, _BLOCKS, {"lb", "pb", "cb"})]
    return article_of(lines, TEI, fields)


def _join_broken_words(text: Any) -> None:
    """Take the line breaks inside of words, which else count as spaces, and the hyphens before them out."""
    for one in text.iter():
        if local(one) not in ("lb", "pb", "cb"):
            continue
        earlier = one.getprevious()
        before = (one.getparent().text if earlier is None else earlier.tail) or ""
        after = (one.tail or "").lstrip()
        if attribute(one, "break") == "no" or (_HYPHEN.search(before) and after[:1].islower()):
            one.tag, one.tail, joined = "inner-break", after, _HYPHEN.sub("", before)
            if earlier is None:
                one.getparent().text = joined
            else:
                earlier.tail = joined


def _header(header: Any) -> dict[str, str]:
    """Title, date, licence and outlet of the source, as far as the header has them in their usual places."""
    fields: dict[str, str] = {}
    for one in header.iter():
        name, above = local(one), local(one.getparent()) if one.getparent() is not None else ""
        if name == "title" and above == "titleStmt":
            fields.setdefault("title", clean(inner_text(one)))
        elif name == "title" and attribute(one, "level") in ("j", "s"):
            fields.setdefault("outlet", clean(inner_text(one)))
        elif name == "licence":
            fields.setdefault("licence", attribute(one, "target") or clean(inner_text(one)))
        elif name == "date" and _within(one, "sourceDesc"):
            # The source is what was published; the date before it is that of the edition.
            fields["source date"] = fields.get("source date") or attribute(one, "when") or clean(inner_text(one))
        elif name == "date" and above == "publicationStmt":
            fields.setdefault("published", attribute(one, "when") or clean(inner_text(one)))
    if date := fields.pop("source date", ""):
        fields["published"] = date
    return fields


def _within(element: Any, name: str) -> bool:
    return any(local(above) == name for above in element.iterancestors())


def _language(root: Any, header: Any) -> str:
    text = next((one for one in root if local(one) == "text"), None)
    stated = (attribute(text, "lang") if text is not None else "") or attribute(root, "lang")
    if stated or header is None:
        return stated
    idents = [attribute(one, "ident") for one in header.iter() if local(one) == "language"]
    return idents[0] if len(idents) == 1 else ""
