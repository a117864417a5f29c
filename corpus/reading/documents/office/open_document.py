"""Read OpenDocument texts (.odt), as LibreOffice writes them, in the order of the document."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from corpus.reading.article_in_file import CREATED, ArticleInFile
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.lines import Line, article_of, clean, parts_at_breaks, passed_over
from corpus.reading.documents.office.packages import (
    attribute,
    entity_text,
    inner_text,
    local,
    opened_package,
    part,
    xml_tree,
)

OPEN_DOCUMENT = "stance odt 1"
_PASSED = {
    "tracked-changes": "deleted text of tracked changes",
    "annotation": "comments",
    "object": "embedded objects",
    "object-ole": "embedded objects",
    "hidden-text": "hidden text",
    "hidden-paragraph": "hidden text",
}
_NOTHING = {"annotation-end", "note-citation", "sequence-decls", "forms", "ruby-text", "title", "desc", "index-source"}
_KINDS = {"Title": "title", "Subtitle": "heading", "Caption": "caption", "Illustration": "caption"}


def read_open_document(data: bytes) -> list[ArticleInFile]:
    """The article in an OpenDocument text.

    Raises:
        UnreadableError: it is no OpenDocument text, or a broken or encrypted one.
    """
    with opened_package(data, "an OpenDocument text") as package:
        if b"encryption-data" in part(package, "META-INF/manifest.xml"):
            raise UnreadableError("encrypted: it needs a password")
        content = part(package, "content.xml")
        if not content:
            raise UnreadableError("expected an OpenDocument text; found a zip package of another kind")
        root = xml_tree(content, "the document")
        styles = part(package, "styles.xml")
        pages = xml_tree(styles, "the styles") if styles else None
        fields = _properties(package)
    text = next((one for one in root.iter() if local(one) == "text" and local(one.getparent()) == "body"), None)
    if text is None:
        raise UnreadableError("expected an OpenDocument text; found a table, a drawing or a presentation")
    reader = _Reader([root] if pages is None else [pages, root])
    heads, feet = (_furniture(pages, kind, reader) for kind in ("header", "footer"))
    body = list(reader.lines(text))
    while reader.notes:  # a note may hold a note
        found, reader.notes = reader.notes, []
        body += [line for note in found for line in reader.lines(note)]
    title = next((line.text for line in body if line.kind == "title"), "")
    fields["title"] = clean(title) or fields.get("title", "")
    said = [CREATED] * bool(fields.get("published")) + passed_over(reader.passed)
    return [article_of([*heads, *body, *feet], OPEN_DOCUMENT, fields, said)]


class _Reader:
    """Reads lines from a document, counts what it passes over, and keeps the notes for the end."""

    def __init__(self, trees: list[Any]) -> None:
        self._parents = {
            attribute(style, "name"): attribute(style, "parent-style-name")
            for tree in trees
            for style in tree.iter()
            if local(style) == "style"
        }
        self.passed: Counter[str] = Counter()
        self.notes: list[Any] = []

    def lines(self, element: Any) -> Iterator[Line]:
        """The lines of the paragraphs below an element, in order; text boxes follow the paragraph they stand in."""
        waiting = [element]
        while waiting:
            one = waiting.pop()
            name = local(one)
            if name in _PASSED:
                self.passed[_PASSED[name]] += 1
            elif name in ("p", "h"):
                boxes: list[Any] = []
                text = self._text(one, boxes)
                kind, reason = ("heading", "heading") if name == "h" else self._kind(attribute(one, "style-name"))
                yield from (Line(piece, kind, reason) for piece in parts_at_breaks(text))
                waiting += reversed(boxes)
            elif name not in _NOTHING:
                waiting += reversed(list(one))

    def _kind(self, style: str) -> tuple[str, str]:
        seen: set[str] = set()
        while style and style not in seen:
            seen.add(style)
            plain = style.replace("_20_", " ")
            if plain in _KINDS or plain.startswith("Heading "):
                return _KINDS.get(plain, "heading"), f"style {plain}"
            style = self._parents.get(style, "")
        return "", ""

    def _text(self, paragraph: Any, boxes: list[Any]) -> str:
        parts: list[str] = []
        # Behind each element comes its tail; a text on the stack is such a tail.
        waiting: list[Any] = [paragraph]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                parts.append(one)
                continue
            if one is not paragraph and one.tail:
                waiting.append(_spaces(one.tail))
            name = local(one)
            if not name:
                parts.append(entity_text(one))
            elif name in _PASSED:
                self.passed[_PASSED[name]] += 1
            elif name == "note":
                self.notes += [child for child in one if local(child) == "note-body"]
            elif name == "text-box" or (name == "table" and one is not paragraph):
                boxes.append(one)
            elif name == "line-break":
                parts.append("\n")
            elif name in ("s", "tab"):
                parts.append(" ")
            elif name not in _NOTHING:
                parts.append(_spaces(one.text or ""))
                waiting += reversed(list(one))
        return "".join(parts)


def _spaces(text: str) -> str:
    """Text in which line ends count as spaces, as they do in OpenDocument; breaks have an element of their own."""
    return text.replace("\n", " ").replace("\r", " ")


def _furniture(pages: Any, kind: str, reader: _Reader) -> list[Line]:
    """The lines of the pages' headers or footers, each once."""
    texts: dict[str, None] = {}
    for one in pages.iter() if pages is not None else ():
        if local(one) in (kind, f"{kind}-left", f"{kind}-first") and local(one.getparent()) == "master-page":
            texts |= dict.fromkeys(clean(line.text) for line in reader.lines(one))
    return [Line(text, "other", f"page {kind}") for text in texts]


def _properties(package: zipfile.ZipFile) -> dict[str, str]:
    data = part(package, "meta.xml")
    fields: dict[str, str] = {}
    for one in xml_tree(data, "the properties").iter() if data else ():
        key = {"title": "title", "creation-date": "published", "language": "language"}.get(local(one))
        if key and (text := clean(inner_text(one))):
            fields[key] = text
    return fields
