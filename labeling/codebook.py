"""The codebook: its text, and the version that it states."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from corpus.errors import ConfigError


class Codebook(msgspec.Struct, frozen=True, kw_only=True):
    """The codebook's text and the version that it states."""

    text: str
    version: str


def read_codebook(path: Path) -> Codebook:
    """Read the codebook; its version is stated in a line such as `Version 1.0`.

    Raises:
        ConfigError: the file is missing, is not UTF-8, or states no version with a digit in it.
    """
    if not path.is_file():
        raise ConfigError(f"{path} is not there: [labeling] codebook must name the codebook's Markdown file")
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected UTF-8; {error}. Save it as UTF-8") from error
    # A version has a digit and is on the same line: a heading "Version history" states none.
    match = re.search(r"^\W*version:?[^\w\n]+(?=[\w.\-]*\d)(\w[\w.\-]*)", text, re.MULTILINE | re.IGNORECASE)
    if not match:
        raise ConfigError(f"{path}: expected a line such as `Version 1.0`; every label remembers its version")
    return Codebook(text=text, version=match.group(1))
