"""Explain what is wrong with a stance.toml: where, and what was probably meant."""

from __future__ import annotations

import json
import re
import tomllib
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text in quotation marks",
    "bool": "true or false",
    "array": 'a list in square brackets, such as ["one", "two"]',
    "object": "a section with keys of its own",
    "null": "nothing",
}
"""What msgspec calls a value → what a reader of TOML calls it."""
_HEADER = re.compile(r"^\s*\[+\s*([^\[\]#]+?)\s*\]+\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*("[^"]*"|'[^']*'|[A-Za-z0-9_.-]+)\s*=""")


def explain(text: str, error: Exception, settings: type[msgspec.Struct]) -> str:
    """One message for a file that could not be read.

    Args:
        text: content of the file.
        error: the error that tomllib or msgspec raised.
        settings: the record type that the file should describe.

    Returns:
        The message, with the line number where it is known.
    """
    said = str(error)
    if match := re.search(r"\(at line (\d+), column \d+\)", said):
        return _malformed(text, int(match[1]), said, settings)
    if "(at end of document)" in said:
        return "a quotation mark or a bracket is missing: the file ends within a value"
    what, _, place = said.partition(" - at `$")
    keys = [key for key in re.split(r"[.\[\]]", place.rstrip("`")) if key and not key.isdigit() and key != "..."]
    if unknown := re.match(r"Object contains unknown field `(.+)`$", what):
        return _unknown(text, keys, unknown[1], settings)
    # What a section's record itself refuses begins with the key, where one alone is wrong.
    stated = re.match(r"(\w+): ", what)
    at = _at(text, [*keys, stated[1]] if stated else keys)
    name = ".".join(keys)
    if re.match(r"Invalid enum value", what):
        values = _choices(settings, keys)
        given = re.sub("Invalid enum value ", "", what)
        meant = _meant(given.strip("'\""), values)
        return f"{at}{name}: expected one of {', '.join(map(repr, values))}; found {given}{meant}"
    if wrong := re.match(r"Expected `(.+)`, got `(\w+)`$", what):
        wanted = " or ".join(_KINDS.get(kind, kind) for kind in wrong[1].split(" | "))
        what = f"expected {wanted}; found {_found(text, place.rstrip('`'), wrong[2])}"
    return f"{at}{f'{name}: ' if name else ''}{what}"


def _found(text: str, place: str, kind: str) -> str:
    """The value at a place such as `.publish.authors[0]`, as one could write it in TOML; its kind where it is long."""
    if "..." in place:  # msgspec does not say which key of a table it is
        return _KINDS.get(kind, kind)
    value: Any = tomllib.loads(text)
    for key, number in re.findall(r"\.([^.\[]+)|\[(\d+)\]", place):
        value = value[int(number)] if number else value[key]
    short = json.dumps(value, ensure_ascii=False) if isinstance(value, str | int | float) else ""
    return short if 0 < len(short) <= 40 else _KINDS.get(kind, kind)


def _malformed(text: str, line: int, said: str, settings: type[msgspec.Struct]) -> str:
    """The message for a file that is not TOML; for a key or a table that is given twice, it names both lines."""
    plain = re.sub(r" \(at line \d+, column \d+\)", "", said)
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    tables = _tables(text)
    first = 0
    if header := _HEADER.match(here):
        name = _name(header[1])
        parent, _, key = name.rpartition(".")
        first = next((n for n, table, found in tables if n < line and (table, found) in ((name, ""), (parent, key))), 0)
        if first and _gives_key(tables, first):
            return (
                f"line {line}: [{name}] gives the keys of {key}, which line {first} has given already "
                f"({lines[first - 1].strip()}); delete line {first}"
            )
        if first:
            return f"line {line}: the section [{name}] stands twice, first in line {first}; put its keys together"
    elif key_found := _KEY.match(here):
        key = _name(key_found[1])
        table = next((table for n, table, _ in reversed(tables) if n <= line), "")
        first = next((n for n, other, found in tables if n < line and (other, found) == (table, key)), 0)
        if first:
            section = f" in [{table}]" if table else ""
            return f"line {line}: the key {key}{section} stands twice, first in line {first}; delete one of them"
    if "\\n" in plain and any(here.count(mark) % 2 for mark in "\"'"):
        return f"line {line}: a quotation mark is missing: {here.strip()}"
    if plain == "Invalid value" and (key_found := _KEY.match(here)):
        table = next((table for n, table, _ in reversed(tables) if n <= line), "")
        return (
            f"line {line}: {_invalid(here[key_found.end() :], f'{table}.{_name(key_found[1])}'.strip('.'), settings)}"
        )
    return f"line {line}: not valid TOML: {plain}"


def _invalid(written: str, name: str, settings: type[msgspec.Struct]) -> str:
    """What is wrong with a value that is none in TOML, such as a word without quotation marks."""
    found = re.sub(r"\s#.*", "", written).strip() or "nothing"
    nothing: Any = None
    for key in reversed(name.split(".")):
        nothing = {key: nothing}
    try:
        msgspec.convert(nothing, settings)
        wrong = None
    except msgspec.ValidationError as error:  # it says what belongs there
        wrong = re.match(rf"Expected `(.+)`, got `null` - at `\$\.{re.escape(name)}`$", str(error))
    if wrong is None or found[0] in "[{":
        return f"{name}: not valid TOML: found {found}; a text must stand in quotation marks"
    wanted = " or ".join(_KINDS.get(kind, kind) for kind in wrong[1].split(" | "))
    return f"{name}: expected {wanted}; found {found}"


def _gives_key(tables: list[tuple[int, str, str]], line: int) -> bool:
    """Whether a line holds a key, and not the header of a section."""
    return any(n == line and key for n, _, key in tables)


def _unknown(text: str, keys: list[str], name: str, settings: type[msgspec.Struct]) -> str:
    known = list(_record(settings, keys).__struct_fields__)
    at = _at(text, [*keys, name])
    meant = _meant(name, known)
    if keys:
        return f"{at}[{'.'.join(keys)}] has no key {name}{meant}; its keys are {', '.join(known)}"
    return f"{at}there is no section [{name}]{meant}; the sections are {', '.join(f'[{one}]' for one in known)}"


def _meant(given: str, known: list[str]) -> str:
    close = get_close_matches(given.lower(), known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def _record(settings: type[msgspec.Struct], keys: list[str]) -> type[msgspec.Struct]:
    for key in keys:
        settings = get_type_hints(settings)[key]
    return settings


def _choices(settings: type[msgspec.Struct], keys: list[str]) -> list[str]:
    kind: Any = get_type_hints(_record(settings, keys[:-1]))[keys[-1]]
    while get_origin(kind) is not Literal and get_args(kind):
        kind = get_args(kind)[0]
    return [str(value) for value in get_args(kind)]


def _at(text: str, keys: list[str]) -> str:
    """The line of a key, or of its section, as the beginning of a message; "" where neither is found."""
    tables = _tables(text)
    for depth in range(len(keys), 0, -1):
        table, key = ".".join(keys[: depth - 1]), keys[depth - 1]
        for line, section, name in tables:
            if (section, name) in ((table, key), (f"{table}.{key}".strip("."), "")):
                return f"line {line}: "
    return ""


def _tables(text: str) -> list[tuple[int, str, str]]:
    """Line number, section and key of each line that holds a key or a section's header, which has the key ""."""
    tables: list[tuple[int, str, str]] = []
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            section = _name(header[1])
            tables.append((number, section, ""))
        elif key := _KEY.match(line):
            tables.append((number, section, _name(key[1])))
    return tables


def _name(written: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in written.split("."))


def decode(data: bytes, settings: type[msgspec.Struct]) -> Any:
    """The settings in a file's bytes, which may begin with a byte order mark, as editors on Windows write it.

    Raises:
        ValueError: the bytes are not UTF-8, not TOML, or not these settings; its text is the message.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"expected UTF-8; {error}") from error
    try:
        return msgspec.convert(tomllib.loads(text), settings)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(explain(text, error, settings)) from error
