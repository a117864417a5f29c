"""The YAML metadata at the top of a card: stance rewrites its own keys and keeps what people added unchanged."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from corpus.errors import PublishError
from release.card.managed_markdown import digest

FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n+|\Z)", re.DOTALL | re.MULTILINE)
"""A card's metadata, in text whose line ends are LF."""
NOTE = re.compile(r"<!-- stance:metadata((?: [a-z_]+=[0-9a-f]{16})*) -->\n*")


class Front(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata of a card as it stands.

    Attributes:
        source: YAML of the metadata.
        values: values by key.
        strings: values by key, with every scalar as it is spelled: YAML 1.1 reads `no` as false, YAML 1.2 does not.
        lines: key → number of its line in the file.
        known: key → digest of the value that stance wrote; empty if stance did not write the card.
        first: number of the line in the file where the text below the metadata begins.
    """

    source: str = ""
    values: dict[Any, Any] = {}
    strings: dict[str, Any] = {}
    lines: dict[str, int] = {}
    known: dict[str, str] = {}
    first: int = 1


def split(text: str, name: str) -> tuple[Front, str]:
    """Split a card into its metadata and its text.

    Args:
        text: content of the card; "" if there is none.
        name: name of the file, for messages.

    Raises:
        PublishError: the metadata have no end, are not YAML, are not a mapping, or have a key twice.
    """
    import yaml

    if not text.startswith("---\n"):
        return Front(), text
    match = FRONT.match(text)
    if match is None:
        raise PublishError(f"{name}, line 1: the metadata begin with --- and have no end: expected a second line ---")
    source = match.group(1)
    try:
        lines = _keys(yaml.compose(source, yaml.SafeLoader))
        values = yaml.safe_load(source) or {}
        strings = yaml.load(source, yaml.BaseLoader) or {}
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error)
        raise PublishError(
            f"{name}, line {mark.line + 2 if mark else 1}: the metadata between the lines --- are not YAML: {why}. "
            "Correct that line, or delete everything up to the second --- to have stance write the metadata again"
        ) from error
    if not isinstance(values, dict):
        raise PublishError(f"{name}, line 2: expected metadata as `key: value`; found {type(values).__name__}")
    body = text[match.end() :]
    note = NOTE.match(body)
    front = Front(
        source=source,
        values=values,
        strings=strings,
        lines=lines,
        known=dict(part.split("=") for part in note.group(1).split()) if note else {},
        first=(match.group() + (note.group() if note else "")).count("\n") + 1,
    )
    return front, body[note.end() :] if note else body


def join(ours: Mapping[str, Any], front: Front, added: Collection[str], name: str) -> str:
    """Join stance's metadata with what people added, between lines of `---`, and note the digests of stance's values.

    Other keys and comment lines are kept unchanged, except keys that stance wrote earlier and has nothing to say about
    now. People may also have added items to the lists that `added` names.

    Raises:
        PublishError: people changed a value that stance wrote, or what they added conflicts with stance's metadata.
    """
    import yaml

    written = dict(ours)
    apart = {*ours, *(key for key, value in front.values.items() if digest([value]) == front.known.get(key))}
    for key, value in front.values.items():
        if key in added and isinstance(value, list):
            written[key] = [*ours[key], *(item for item in front.strings[key] if item not in ours[key])]
        elif key in ours and value != ours[key] and digest([value]) != front.known.get(key):
            raise PublishError(
                f"{name}, line {front.lines[key]}: `{key}` of the metadata was written by hand, but every publish "
                f"makes it from stance.toml and the data: set it in stance.toml, and delete `{key}` here"
            )
    text = yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=110) + _theirs(front, apart)
    whole = written | {key: value for key, value in front.values.items() if key not in apart}
    try:
        same = yaml.safe_load(text) == whole
    except (yaml.YAMLError, ValueError):
        same = False
    if not same:
        raise PublishError(
            f"{name}, line 2: what was added to the metadata can't be kept in this form: begin a line of its own with "
            "each key, and don't use anchors that refer to other keys"
        )
    note = " ".join(f"{key}={digest([value])}" for key, value in ours.items())
    return f"---\n{text}---\n\n<!-- stance:metadata {note} -->\n\n"


def _keys(node: Any) -> dict[str, int]:
    """The line of each key; a key that occurs twice is an error here, while YAML's loader silently takes the last."""
    import yaml

    lines: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else []:
        if str(key.value) in lines:
            raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} occurs twice", problem_mark=key.start_mark)
        lines[str(key.value)] = key.start_mark.line + 2
    return lines


def _theirs(front: Front, ours: Collection[str]) -> str:
    """The lines of the keys that are not stance's, and the comment lines."""
    keys = {line: key for key, line in front.lines.items()}
    kept: list[str] = []
    key = ""
    for number, line in enumerate(front.source.splitlines(keepends=True), 2):
        key = keys.get(number, key)
        if (key and key not in ours) or line.startswith("#"):
            kept.append(line)
    return "".join(kept)
