"""Read Word documents (.docx): their paragraphs, tables, text boxes and notes, in the order of the document.

The text is that of the final version: insertions are read, and what was deleted is not. Macros, embedded files and
linked data are never opened.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from corpus.reading.article_in_file import CREATED, ArticleInFile
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.lines import Line, article_of, clean, parts_at_breaks, passed_over
from corpus.reading.documents.office.packages import attribute, inner_text, local, opened_package, part, xml_tree

WORD = "stance docx 1"

_PASSED = {
    "del": "deleted text of tracked changes",
    "moveFrom": "deleted text of tracked changes",
    "commentReference": "comments",
    "altChunk": "embedded documents",
    "object": "embedded documents",
    "chart": "charts",
}
"""Elements that are not read, and what they are for the note."""
_NOTHING = set("instrText delText delInstrText rPr pPr tblPr trPr tcPr sectPr sdtPr rt softHyphen binData".split())
_HEADING = re.compile(r"heading \d|toc heading", re.I)


class _Styles(msgspec.Struct):
    """What the paragraph styles of a document mean, by their ids."""

    kinds: dict[str, tuple[str, str]]


def read_word(data: bytes) -> list[ArticleInFile]:
    """The article in a Word document.

    Raises:
        UnreadableError: it is no Word document, or a broken or encrypted one.
    """
    package = opened_package(data, "a Word document")
    with package:
        main = _main_part(package)
        root = xml_tree(_needed(package, main), "the Word document")
        related = _relations(package, main)
        reader = _Reader(_styles(package, related))
        heads = _furniture(package, related, "header", reader)
        body = list(reader.lines(root))
        for kind in ("footnotes", "endnotes"):
            for name in related.get(kind, []):
                body += _notes(part(package, name), kind, reader)
        feet = _furniture(package, related, "footer", reader)
        fields, notes = _properties(package)
    title = next((line.text for line in body if line.kind == "title"), "")
    fields["title"] = clean(title) or fields.get("title", "")
    return [article_of([*heads, *body, *feet], WORD, fields, [*notes, *passed_over(reader.passed)])]


def _main_part(package: zipfile.ZipFile) -> str:
    found = _relations(package, "").get("officeDocument", [])
    return found[0] if found else "word/document.xml"


def _needed(package: zipfile.ZipFile, name: str) -> bytes:
    data = part(package, name)
    if not data:
        raise UnreadableError("expected a Word document; found a zip package of another kind")
    return data


def _relations(package: zipfile.ZipFile, name: str) -> dict[str, list[str]]:
    """The parts that a part refers to, by the last word of their relation, without those outside of the package."""
    folder, file = posixpath.split(name)
    data = part(package, posixpath.join(folder, "_rels", f"{file}.rels"))
    found: dict[str, list[str]] = {}
    for one in xml_tree(data, "the relations") if data else ():
        if one.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/")
            found.setdefault(one.get("Type", "").rpartition("/")[2], []).append(target)
    return found


def _styles(package: zipfile.ZipFile, related: dict[str, list[str]]) -> _Styles:
    names: dict[str, str] = {}
    based: dict[str, str] = {}
    for file in related.get("styles", []):
        data = part(package, file)
        for style in xml_tree(data, "the styles") if data else ():
            key = attribute(style, "styleId")
            for child in style:
                if local(child) == "name":
                    names[key] = attribute(child, "val").lower()
                elif local(child) == "basedOn":
                    based[key] = attribute(child, "val")
    kinds: dict[str, tuple[str, str]] = {}
    for key in names:
        style, seen = key, set[str]()
        while style and style not in seen:
            seen.add(style)
            # What an author's style is based on may be the title's; headings are based on headings.
            if (kind := _style_kind(names.get(style, ""))) and (style == key or kind == "heading"):
                kinds[key] = (kind, f"style {names[key]}")
                break
            style = based.get(style, "")
    return _Styles(kinds)


def _style_kind(name: str) -> str:
    if name == "title":
        return "title"
    if name == "caption":
        return "caption"
    return "heading" if name == "subtitle" or _HEADING.fullmatch(name) else ""


class _Reader:
    """Reads lines from parts of one document, and counts what it passes over."""

    def __init__(self, styles: _Styles) -> None:
        self._styles = styles
        self.passed: Counter[str] = Counter()

    def lines(self, element: Any) -> Iterator[Line]:
        """The lines of the paragraphs below an element, in order; those of text boxes follow their paragraph."""
        waiting, initial = [element], ""
        while waiting:
            one = waiting.pop()
            name = local(one)
            if name in _PASSED:
                self.passed[_PASSED[name]] += 1
            elif name == "p":
                boxes: list[Any] = []
                text, initial = initial + self._text(one, boxes), ""
                if _is_initial(one):
                    initial = text.strip()
                    continue
                kind, reason = self._kind(one)
                yield from (Line(piece, kind, reason) for piece in parts_at_breaks(text))
                waiting += reversed(boxes)
            elif name not in _NOTHING:
                waiting += reversed(_chosen(one))

    def _kind(self, paragraph: Any) -> tuple[str, str]:
        for properties in paragraph:
            if local(properties) != "pPr":
                continue
            for one in properties:
                if local(one) == "pStyle":
                    return self._styles.kinds.get(attribute(one, "val"), ("", ""))
            for one in properties:
                if local(one) == "outlineLvl" and attribute(one, "val") != "9":
                    return "heading", "outline level"
        return "", ""

    def _text(self, paragraph: Any, boxes: list[Any]) -> str:
        """The text of a paragraph, with a line end for each break; text boxes in it are added to `boxes`."""
        parts: list[str] = []
        waiting = list(reversed(_chosen(paragraph)))
        while waiting:
            one = waiting.pop()
            name = local(one)
            if name in _PASSED:
                self.passed[_PASSED[name]] += 1
            elif name == "txbxContent":
                boxes.append(one)
            elif name == "t":
                parts.append(inner_text(one))
            elif name in ("br", "cr"):
                parts.append("\n")
            elif name in ("tab", "ptab"):
                parts.append(" ")
            elif name == "noBreakHyphen":
                parts.append("‑")
            elif name == "sym":
                parts.append(_symbol(one))
            elif name == "r" and _hidden(one):
                self.passed["hidden text"] += 1
            elif name not in _NOTHING:
                waiting += reversed(_chosen(one))
        return "".join(parts)


def _chosen(element: Any) -> list[Any]:
    """The children of an element; of alternatives, which say the same for newer and older programs, the first."""
    if local(element) == "AlternateContent":
        return list(element)[:1]
    return list(element)


def _is_initial(paragraph: Any) -> bool:
    """Whether a paragraph is the large first letter of the next one."""
    properties = next((one for one in paragraph if local(one) == "pPr"), ())
    return any(local(one) == "framePr" and attribute(one, "dropCap") in ("drop", "margin") for one in properties)


def _hidden(run: Any) -> bool:
    return any(
        local(one) == "vanish" and attribute(one, "val") not in ("0", "false", "off")
        for properties in run
        if local(properties) == "rPr"
        for one in properties
    )


def _symbol(element: Any) -> str:
    """A character of a symbol font; those in the private area stand for pictures, such as bullets, and are left out."""
    code = attribute(element, "char")
    number = int(code, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,6}", code) else 0
    return chr(number) if 32 <= number < 0xD800 else ""


def _notes(data: bytes, kind: str, reader: _Reader) -> Iterator[Line]:
    for note in xml_tree(data, kind) if data else ():
        if attribute(note, "type") in ("", "normal"):  # others draw the line above the notes
            yield from reader.lines(note)


def _furniture(package: zipfile.ZipFile, related: dict[str, list[str]], kind: str, reader: _Reader) -> list[Line]:
    """The lines of the pages' headers or footers, each once, however many sections repeat them."""
    texts: dict[str, None] = {}
    for name in related.get(kind, []):
        if data := part(package, name):
            texts |= dict.fromkeys(clean(line.text) for line in reader.lines(xml_tree(data, f"a {kind}")))
    return [Line(text, "other", f"page {kind}") for text in texts]


def _properties(package: zipfile.ZipFile) -> tuple[dict[str, str], list[str]]:
    """Title and date in the document's core properties, and the notes on them."""
    fields: dict[str, str] = {}
    for name in _relations(package, "").get("core-properties", []):
        data = part(package, name)
        for one in xml_tree(data, "the properties") if data else ():
            key = {"title": "title", "created": "published", "language": "language"}.get(local(one))
            if key and (text := clean(inner_text(one))):
                fields[key] = text
    return fields, [CREATED] * ("published" in fields)
