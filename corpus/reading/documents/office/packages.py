"""Open the zip packages and the XML inside of them that office documents and books consist of.

Nothing is unpacked to disk, and nothing is fetched: parts are read into memory up to a limit, and entities are never
resolved.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from html import unescape
from typing import Any

from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.office import compound
from corpus.reading.text_encoding import ARTICLE_BYTES

ELEMENTS = 2_000_000
"""An XML document with more tags would fill the memory: a tag takes about 200 bytes there (War and Peace as TEI has
some 30,000)."""

ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, RuntimeError)
"""What Python's zip reader raises for a broken or encrypted package."""


def opened_package(data: bytes, name: str) -> zipfile.ZipFile:
    """The zip package that a document is.

    Args:
        data: the file's bytes.
        name: what was expected, such as "a Word document", for the message.

    Raises:
        UnreadableError: it is no zip package, or an encrypted one.
    """
    if data.startswith(compound.MAGIC):
        reason = compound.why_not_compound(compound.kind_of_compound(data))
        raise UnreadableError(reason if reason == compound.ENCRYPTED else f"expected {name}; {reason}")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except ZIP_FAULTS as error:
        raise UnreadableError(f"expected {name}; found no zip package, or a broken one: {error}"[:300]) from error


def part(package: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a part; empty if the package has none with this name.

    Raises:
        UnreadableError: it is broken, encrypted or too big.
    """
    try:
        info = package.getinfo(name)
    except KeyError:
        return b""
    return member(package, info, ARTICLE_BYTES)


def member(package: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """The unpacked bytes of a member of a package.

    Raises:
        UnreadableError: it is broken, encrypted, or longer than the limit once unpacked.
    """
    if info.flag_bits & 1:
        raise UnreadableError("encrypted: it needs a password")
    # Only that many bytes are ever unpacked, whatever size is declared.
    if info.file_size > limit:
        raise UnreadableError(f"longer than {limit >> 20} MB")
    try:
        with package.open(info) as file:
            data = file.read(limit + 1)
    except ZIP_FAULTS as error:
        raise UnreadableError(f"cannot be unpacked: {error}"[:300]) from error
    if len(data) > limit:
        raise UnreadableError(f"longer than {limit >> 20} MB")
    return data


def xml_tree(data: bytes, name: str = "the document") -> Any:
    """The root of an XML document; external entities are not fetched, and entities of its own are not resolved.

    Args:
        data: the document.
        name: what it is, for the message.

    Raises:
        UnreadableError: it is malformed, nested too deeply, or has too many tags.
    """
    from lxml import etree

    if data.count(b"<") > ELEMENTS:
        raise UnreadableError(f"{name} has more than {ELEMENTS:,} XML tags")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError) as error:
        raise UnreadableError(f"malformed XML in {name}: {error}"[:300]) from error
    if root is None:
        raise UnreadableError(f"malformed XML in {name}: it is empty")
    return root


def local(element: Any) -> str:
    """The name of an XML element without its namespace; empty for an entity."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: Any, name: str) -> str:
    """The value of the attribute with this name, in whichever namespace; empty if there is none."""
    if (plain := element.get(name)) is not None:
        return str(plain)
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def inner_text(element: Any) -> str:
    """All text inside of an XML element, with the characters that HTML's entities stand for."""
    from lxml import etree

    parts = [element.text or ""]
    for one in element.iterdescendants():
        parts.append(entity_text(one) if isinstance(one, etree._Entity) else one.text or "")
        parts.append(one.tail or "")
    return "".join(parts)


def entity_text(entity: Any) -> str:
    """What an entity that was not resolved stands for: HTML's characters only; otherwise it stays as it is written."""
    return unescape(str(entity.text))
