"""Markdown that stance writes and people add to: stance's parts are between markers, everything else is theirs.

A part begins with `<!-- stance:begin NAME DIGEST -->` and ends with `<!-- stance:end NAME -->`; the digest is that of
the text that stance wrote there. Text outside the parts is kept unchanged, except that line ends become LF.
If a part was changed between its markers, the file is refused, with the line of the part: to overwrite the part would
lose what somebody wrote, and to keep it would publish numbers that may be out of date. A part that was deleted is
written again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import PublishError
from corpus.numbers import number as counted
from train.report.markdown import paragraphs, plain, table

MARKER = re.compile(r"<!-- stance:(begin|end) ([a-z-]+)(?: ([0-9a-f]{16}))? -->[ \t]*")
LINE = re.compile(r"[^\n]*\n|[^\n]+")
UNMARKED = "Built with stance (`stance-corpus`)."
"""A text in the cards that versions of stance without markers wrote."""


class Section(msgspec.Struct, kw_only=True):
    """A stretch of a text: a part that stance wrote, which has a name, or text that people wrote, which has none."""

    text: str
    name: str = ""
    digest: str = ""
    line: int = 1


def fill(template: str, **facts: Any) -> str:
    """Fill in a template of this folder with the facts; `plain` escapes every text that is not `Markdown`."""
    return str(_templates().get_template(template).render(facts))


@cache
def _templates() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        finalize=plain,
    )
    page.filters["paragraphs"] = paragraphs
    page.globals |= {"table": table, "number": counted}
    return page


def merge(fresh: str, previous: str, name: str, first: int = 1) -> str:
    """Put stance's new parts into the existing text, and leave what people wrote where it is.

    Args:
        fresh: text with stance's parts, each between its markers; text between the parts does not count.
        previous: existing text; "" if there is none.
        name: name of the file, for messages.
        first: number of the line in the file at which `previous` begins.

    Raises:
        PublishError: a marker of `previous` is missing or occurs twice, or a part was changed.
    """
    ours = {piece.name: piece.text for piece in _sections(fresh, name, 1) if piece.name}
    pieces = _sections(previous, name, first)
    if not any(piece.name for piece in pieces):
        if UNMARKED in previous:
            raise PublishError(
                f"{name}: this card was written by a version of stance that did not mark its own text, so it can't be "
                "told from what people wrote: move the card away, publish, and copy your own text from the old card "
                "into the new one"
            )
        rest = previous.strip("\n")
        return "\n\n".join([*(_part(key, text) for key, text in ours.items()), *([rest] if rest else [])]) + "\n"
    for piece in pieces:
        if piece.name and piece.digest != digest(_tidy(piece.text)):
            end = f"<!-- stance:end {piece.name} -->"
            raise PublishError(
                f"{name}, line {piece.line}: the part {piece.name!r} was changed between its markers, where every "
                f"publish overwrites the text: move your own words below the line {end}, where they are kept, delete "
                "the rest of the part with both its markers, and publish again"
            )
    kept = [piece for piece in pieces if not piece.name or piece.name in ours]
    place = 0
    for key in ours:
        there = next((n for n, piece in enumerate(kept) if piece.name == key), None)
        if there is None:
            kept[place:place] = [Section(text="\n\n" if place else ""), Section(text="", name=key)]
            if not place:
                kept.insert(2, Section(text="\n\n"))
            there = place + 1
        place = there + 1
    return "".join(_part(piece.name, ours[piece.name]) if piece.name else piece.text for piece in kept)


def marked(text: str) -> Iterator[tuple[str, str]]:
    """Split a text into stretches: each part of stance's with its name and its markers, all else with the name "".

    If a marker is missing or occurs twice, no text counts as stance's until a part begins again.
    """
    part, lines = "", list[str]()
    for line in LINE.findall(text):
        match = MARKER.fullmatch(line.rstrip("\r\n"))
        if match is None:
            lines.append(line)
        elif match[1] == "begin":
            yield "", "".join(lines)
            part, lines = match[2], [line]
        else:
            yield part if part == match[2] else "", "".join([*lines, line])
            part, lines = "", []
    yield "", "".join(lines)


def decode(data: bytes, name: str) -> str:
    """Decode a file that people may have edited on any system: drop the byte order mark, and make line ends LF.

    Raises:
        PublishError: the file is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PublishError(f"{name}, line {line}: expected UTF-8; {error}. Save it as UTF-8") from error


def digest(value: Any) -> str:
    """The digest of a value as JSON, in sixteen hexadecimal digits."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:16]


def _tidy(text: str) -> str:
    """The text without outer empty lines and without white space at line ends, which editors remove unasked."""
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def _part(name: str, text: str) -> str:
    return f"<!-- stance:begin {name} {digest(_tidy(text))} -->\n{_tidy(text)}\n<!-- stance:end {name} -->"


def _sections(text: str, name: str, first: int) -> list[Section]:
    pieces = [Section(text="")]
    seen: set[str] = set()
    for number, line in enumerate(LINE.findall(text), first):
        match = MARKER.fullmatch(line.rstrip("\n"))
        if match is None:
            pieces[-1].text += line
            continue
        kind, key, given = match.groups()
        open_part = pieces[-1].name
        wrong = (
            f"the part {open_part!r} has no end before it"
            if kind == "begin" and open_part
            else f"there is a part {key!r} before it already"
            if kind == "begin" and key in seen
            else "no part of that name is open there"
            if kind == "end" and key != open_part
            else ""
        )
        if wrong:
            raise PublishError(
                f"{name}, line {number}: found the marker {line.strip()!r}, but {wrong}; "
                "put the markers back as they were, or delete both and what is between them"
            )
        if kind == "begin":
            seen.add(key)
            pieces.append(Section(text="", name=key, digest=given or "", line=number))
        else:
            pieces.append(Section(text=line[len(line.rstrip("\n")) :]))
    if pieces[-1].name:
        raise PublishError(
            f"{name}, line {pieces[-1].line}: the part {pieces[-1].name!r} has no end: "
            f"expected a line <!-- stance:end {pieces[-1].name} -->"
        )
    return [piece for piece in pieces if piece.text or piece.name]
