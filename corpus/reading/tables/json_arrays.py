"""Read the records of a JSON file: an array of objects, or an object that has one such array among its fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from corpus.numbers import number
from corpus.reading.text_encoding import ARTICLE_BYTES, BLOCK

OBJECT_BYTES = 4 * ARTICLE_BYTES
"""No object with an array of records is bigger than this, as it is read as a whole; an array alone is not."""

_FEWEST = 40
"""Fewest characters of a value that may be an article's text."""
_SPACE = re.compile(r"\s*")


def records(path: Path) -> Iterator[object]:
    """The elements of the array in a JSON file, in order.

    Raises:
        ValueError: the file is malformed, or holds no array of records, or several.
        OSError: it cannot be read.
        RecursionError: it is nested too deeply.
    """
    with path.open(encoding="utf-8-sig") as file:
        start = file.read(BLOCK).lstrip()[:1]
        file.seek(0)
        if start == "[":
            yield from elements(file.read)
            return
        if path.stat().st_size > OBJECT_BYTES:
            raise ValueError(f"an object of more than {OBJECT_BYTES >> 20} MB: write its records one a line (.jsonl)")
        whole = json.load(file)
    found = _arrays(whole)
    if len(found) != 1:
        named = f"several arrays of records: {', '.join(list(found)[:5])}" if found else "no array of records in it"
        raise ValueError(named)
    yield from next(iter(found.values()))


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a look into a JSON file finds.

    Attributes:
        why: why it gives no articles; empty where it has records with a text, or with an address to fetch it from.
        own: the fields that its records have under stance's names, and not under those that they should have.
        shown: the fields of the first records, and whether their values are plain ones.
    """

    why: str = ""
    own: list[str] = []
    shown: dict[str, bool] = {}


def looked_into(path: Path, named: Mapping[str, str]) -> Looked:
    """What a JSON file holds.

    Args:
        path: the file.
        named: which fields of the records hold what, by stance's names, where they have other names.
    """
    columns = {"text": "text", "url": "url", **named}
    missing = set(columns)
    # What is the name of another field's column is that column.
    absent = named.keys() - set(named.values())
    shown: dict[str, bool] = {}
    count = 0
    try:
        for record in records(path):
            if isinstance(record, dict):
                count += 1
                missing -= {name for name in missing if value_of(record, columns[name]) is not None}
                absent -= {name for name in absent if record.get(name) is not None}
                if len(shown) < 50:
                    shown |= plain_fields(record)
    except OSError as error:
        return Looked(why=f"cannot be read: {error.strerror}")
    except (ValueError, RecursionError) as error:
        if not count:
            found = _why(error)
            return Looked(why=found if "array" in found else f"malformed JSON: {found}")
    if not count:
        return Looked(why="no array of records in it")
    own = sorted((missing & named.keys()) - absent - set(named.values()))
    missing -= set(own)
    if "url" not in missing:
        missing.discard("text")
    missing.discard("url")
    if missing:
        return Looked(
            why=f"its records have no field {', '.join(sorted(columns[name] for name in missing))}; found "
            f"{', '.join(shown)}. Say which field is which under [corpus.fields] in a file stance.toml in this folder"
        )
    return Looked(own=own, shown=shown)


def plain_fields(record: Mapping[str, object]) -> dict[str, bool]:
    """The fields of a record, and whether their values are neither lists nor objects."""
    return {name: not isinstance(value, list | dict) for name, value in record.items()}


def wraps_records(path: Path, column: str) -> bool:
    """Whether a file is one JSON object with one array of records, and not itself a record with a text.

    Args:
        path: the file.
        column: the name of the field that holds an article's text.
    """
    try:
        if path.stat().st_size > OBJECT_BYTES:
            return False
        whole = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(whole, dict) and value_of(whole, column) is None and len(_arrays(whole)) == 1


def value_of(record: Mapping[str, object], column: str) -> object:
    """A field of a record; full stops in its name lead into objects within the record.

    >>> value_of({"source": {"name": "The Sund Post"}, "a.b": 1}, "source.name"), value_of({"a.b": 1}, "a.b")
    ('The Sund Post', 1)
    """
    if column in record or "." not in column:
        return record.get(column)
    value: object = record
    for part in column.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def texts_in(record: Mapping[str, object]) -> list[str]:
    """The fields of a record that may hold the text of an article: texts of some length that are no addresses."""
    return [
        name
        for name, value in record.items()
        if isinstance(value, str) and len(value) >= _FEWEST and " " in value and "://" not in value[:20]
    ]


def fault_of(error: Exception, count: int) -> str:
    """What is wrong with a JSON file behind so many records."""
    return f"malformed JSON, behind {number(count, 'record')}: {_why(error)}"


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _arrays(whole: object) -> dict[str, Sequence[object]]:
    """The fields of an object that are arrays of objects."""
    if not isinstance(whole, dict):
        return {}
    return {
        name: value
        for name, value in whole.items()
        if isinstance(value, list) and any(isinstance(one, dict) for one in value)
    }


def elements(read: Callable[[int], str]) -> Iterator[object]:
    """The elements of a JSON array, with one at a time in memory.

    Args:
        read: function that gives the next characters of the text, as many as it is told.

    Raises:
        ValueError: the array is malformed.
    """
    decoder = json.JSONDecoder()
    text = read(BLOCK)
    place = text.index("[") + 1
    behind = False  # whether an element was just read: then a comma follows, or the end
    while True:
        match = _SPACE.match(text, place)
        place = match.end() if match else place
        if place < len(text) and text[place] == "]":
            rest = text[place + 1 :]
            while rest and not rest.strip():
                rest = read(BLOCK)
            if rest:
                raise ValueError("something stands behind the array")
            return
        if place < len(text) and behind:
            if text[place] != ",":
                raise ValueError("expected a comma, or the array's end")
            place, behind = place + 1, False
            continue
        try:
            element, place = decoder.raw_decode(text, place)
        except ValueError:
            # If only the block ends here, the next block has the rest of the element.
            more = read(max(BLOCK, len(text) - place)) if len(text) - place <= ARTICLE_BYTES else ""
            if not more:
                raise
            text, place = text[place:] + more, 0
            continue
        yield element
        behind = True
