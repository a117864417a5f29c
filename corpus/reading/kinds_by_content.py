"""Tell by a file's content of which kind it is: standard input has no name that would say so."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from pathlib import Path

from corpus.errors import SourceError
from corpus.reading.documents.office import compound
from corpus.reading.text_encoding import ARTICLE_BYTES, BLOCK

_MAIL = re.compile(rb"(?:[!-9;-~]{1,70}:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){3,}\r?\n")
_CARRIED = re.compile(rb"^(?:message-id|mime-version|received|return-path|delivered-to):", re.I | re.M)
"""Headers that programs write into a mail, and people do not write above a text."""
_SAVED = re.compile(rb"^(?:snapshot-content-location:|from:[ \t]*<?saved by)", re.I | re.M)
_MAILBOX = re.compile(rb"From [^\r\n]*\d{4}[^\r\n]*\r?\n[!-9;-~]{1,100}:")
_XML = re.compile(
    rb"<\?xml\b|<(?:rss|feed|nitf|newsItem|newsMessage|NewsML|TEI|TEI\.2|teiCorpus|rdf:RDF)[\s>]|<!DOCTYPE (?:nitf|TEI)"
)
_PROPERTIES = re.compile(rb"(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE plist|<plist)\b")
_PACKED = {
    **{b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!": "RAR"},
    b"\x28\xb5\x2f\xfd": "zstd",
}
_FOREIGN = {
    **dict.fromkeys((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*"), "a picture"),
    b"%!PS": "PostScript: save it as .pdf",
}


def kind_by_content(path: Path) -> str:
    """The kind of the document, archive or spreadsheet in a file; empty for what may be text, a page, JSON or CSV.

    Args:
        path: the file.

    Raises:
        SourceError: it is certainly of a kind that is not read; the message begins with what was found.
    """
    with path.open("rb") as file:
        start = file.read(BLOCK)
    if start.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if start.startswith(compound.MAGIC):
        with path.open("rb") as file:
            kind = compound.kind_of_compound(file.read(ARTICLE_BYTES))
        if kind == "xls":
            return kind
        raise SourceError(compound.why_not_compound(kind))
    if start.startswith(b"\x1f\x8b"):
        if _is_tar(_unpacked(path)):
            return "tar"
        raise SourceError("found a file packed with gzip that is no .tar.gz archive: unpack it first")
    for sign, name in _PACKED.items():
        if start.startswith(sign):
            raise SourceError(f"found a file packed with {name}: unpack it first")
    for sign, name in _FOREIGN.items():
        if start.startswith(sign):
            raise SourceError(f"found {name}")
    if b"%PDF-" in start[:1024]:
        return "pdf"
    if _is_tar(start):
        return "tar"
    if start.startswith(b"bplist00"):
        return "webarchive"
    return _of_text(start.removeprefix(b"\xef\xbb\xbf").lstrip())


def _of_text(start: bytes) -> str:
    if start.startswith(b"{\\rtf"):
        return "rtf"
    if _PROPERTIES.match(start):
        return "webarchive"
    if _XML.match(start) and not re.search(rb"<html\b", start[:2000], re.I):
        return "xml"
    if _MAILBOX.match(start):
        return "mbox"
    head = _MAIL.match(start)
    if head and _CARRIED.search(head[0]):
        return "mhtml" if _SAVED.search(head[0]) else "eml"
    return ""


def _zipped(path: Path) -> str:
    """What a zip package is; a zip archive where nothing shows that it is another kind of file."""
    try:
        with zipfile.ZipFile(path) as package:
            names = set(package.namelist())
            stated = package.read("mimetype")[:200].decode("latin-1").strip() if "mimetype" in names else ""
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError):
        return "zip"
    if stated == "application/epub+zip":
        return "epub"
    if stated.startswith("application/vnd.oasis.opendocument."):
        if stated.endswith(".text"):
            return "odt"
        raise SourceError(f"found an OpenDocument file that holds no text document ({stated.rpartition('.')[2]})")
    if names & {"[Content_Types].xml", "_rels/.rels"}:
        for folder, kind in (("word/", "docx"), ("xl/", "xlsx")):
            if any(name.startswith(folder) for name in names):
                return kind
        if any(name.startswith("ppt/") for name in names):
            raise SourceError("found a presentation: save its text as .docx or .txt")
    if any(name.startswith("Index/") and name.endswith(".iwa") for name in names):
        raise SourceError("found a document of Pages, Numbers or Keynote: save it as .docx or .xlsx")
    return "zip"


def _unpacked(path: Path) -> bytes:
    """The first bytes that a gzip file unpacks to."""
    try:
        with gzip.open(path) as file:
            return file.read(512)
    except (OSError, EOFError, zlib.error):
        return b""


def _is_tar(start: bytes) -> bool:
    return start[257:262] == b"ustar"
