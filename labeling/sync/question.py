"""Check the target and the codebook before annotators see them."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from corpus.errors import ConfigError
from labeling.codebook import Codebook

TEMPLATE = Path(__file__).parent / "codebook.md"
"""The codebook that a new project begins with; what stands between double braces is to be replaced."""
RUN = 6
"""Number of words in a row that show, if a codebook shares them with the demo's, that it was copied from there."""
TARGET_LINE = re.compile(r"(?:\A|\n[ \t]*\n|version.*\n)[ \t>#*_-]*target[*_]*[ \t]*:[ \t]*(\S.*)", re.IGNORECASE)
"""A line that names the codebook's target, only at the head of a paragraph: a line of running text may begin so too."""


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """The demo's target and its codebook, which earlier versions gave to every new project."""

    target: str
    codebook: str


def check_question(
    settings: Path, target: str, path: Path, codebook: Codebook | None, demo: Demo | None = None
) -> None:
    """Refuse a target or codebook that is missing or a template's, and a codebook for another target.

    Args:
        settings: path of stance.toml, which names the target.
        target: what the stance is toward.
        path: path of the codebook.
        codebook: text of the codebook; None if there is none yet.
        demo: target and codebook of the demo; None if this installation lacks them.

    Raises:
        ConfigError: the message names the file and the line to edit.
    """
    where = check_target(settings, target)
    if codebook is None:
        return
    text = codebook.text
    if left := list(re.finditer(r"\{\{(?:.|\n)*?\}\}|\{\{|\}\}", text)):
        raise ConfigError(
            f"{path}, line {_line(text, left[0].start())}: the codebook still has the template's "
            f"{_short(left[0].group())} ({len(left)} such places): put your own rules for the target {target!r} there"
        )
    said = TARGET_LINE.search(text)
    if said and not _alike(said.group(1), target):
        written = said.group(1).strip(" *_")
        raise ConfigError(
            f"{path}, line {_line(text, said.start(1))}: the codebook is for the target {written!r}, and [target] name "
            f"is {target!r} ({where}): change the one that is wrong"
        )
    if demo and (at := _taken_over(text, target, demo)) is not None:
        start, end = at
        raise ConfigError(
            f"{path}, line {_line(text, start)}: {_short(text[start:end])} is from the demo's codebook, for the target "
            f"{demo.target!r}; [target] name is {target!r}: write rules and examples for that"
        )


def check_target(settings: Path, target: str) -> str:
    """Refuse a target that is missing or a template's.

    Returns:
        The file and line that name the target.

    Raises:
        ConfigError: the message names the file and the line to edit.
    """
    line = target_line(settings.read_text("utf-8-sig")) if settings.is_file() else None
    where = f"{settings}, line {line}" if line else f"{settings}"
    if not target.strip():
        raise ConfigError(
            f"{where}: "
            + ("[target] name is empty" if line else "there is no [target] with a name")
            + ': write what the stance is toward, in the words that annotators are to read, as in name = "a new tunnel"'
        )
    if "{{" in target:
        raise ConfigError(f"{where}: [target] name is {target!r}, a template's; write what the stance is toward")
    return where


def target_line(text: str) -> int | None:
    r"""The number of the line of stance.toml that gives the target's name; None if there is none.

    >>> target_line('[corpus]\nroot = "news"\n\n[target]\n# what for\nname = ""\n')
    6
    """
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]*?)\s*\]", line):
            section = header.group(1).strip("\"'")
        elif (section == "target" and re.match(r"\s*[\"']?name[\"']?\s*=", line)) or (
            section == "" and re.match(r"\s*[\"']?target[\"']?\s*(\.\s*[\"']?name[\"']?\s*)?=", line)
        ):
            return number
    return None


def _alike(written: str, target: str) -> bool:
    """Whether the name in a codebook means the target: by the same words, or some more or fewer."""
    one, other = (" ".join(re.findall(r"\w+", words.casefold())) for words in (written, target))
    return one in other or other in one


def _taken_over(text: str, target: str, demo: Demo) -> tuple[int, int] | None:
    """The place where a codebook has the demo's words about the demo's target instead of the project's."""
    own = set(re.findall(r"\w+", target.casefold()))
    foreign = tuple(word for word in re.findall(r"[^\W\d_]{4,}", demo.target.casefold()) if word not in own)
    if not foreign:
        return None
    theirs = re.findall(r"\w+", demo.codebook.casefold())
    runs = {tuple(theirs[n : n + RUN]) for n in range(len(theirs) - RUN + 1)}
    words = list(re.finditer(r"\w+", text))
    for n in range(len(words) - RUN + 1):
        run = tuple(word.group().casefold() for word in words[n : n + RUN])
        if run in runs and any(word.startswith(foreign) for word in run):
            return words[n].start(), words[n + RUN - 1].end()
    return None


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _short(text: str) -> str:
    words = " ".join(text.split())
    return f"“{words[:60]}…”" if len(words) > 60 else f"“{words}”"
