"""Check the target and the codebook before annotators see them."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from corpus.errors import ConfigError
from corpus.package_files import package_file
from labeling.codebook import Codebook
from labeling.scheme import DEFAULT, Scheme

TEMPLATE = Path(__file__).parent / "codebook.md"
"""The codebook that a new project begins with; what stands between double braces is to be replaced."""
OWN_LABELS = Path(__file__).parent / "codebook_own_labels.md"
"""The same for a project whose labels are not those of the default scheme."""
PAGE = "docs/labeling.md"
"""The page that says how a codebook lists its changes."""
TARGET_PLACE = re.compile(r"\{\{your target[^}]*\}\}")
"""A place of the templates that holds the target's name."""
NAMED = 10
"""Most lines that a message names."""
RUN = 6
"""Number of words in a row that show, if a codebook shares them with the demo's, that it was copied from there."""
TARGET_LINE = re.compile(r"(?:\A|\n[ \t]*\n|version.*\n)[ \t>#*_-]*target[*_]*[ \t]*:[ \t]*(\S.*)", re.IGNORECASE)
"""A line that names the codebook's target, only at the head of a paragraph: a line of running text may begin so too."""


def template(scheme: Scheme, target: str = "") -> bytes:
    """The codebook that a new project begins with.

    Args:
        scheme: the labels of the project.
        target: what the stance is toward; if empty, it is a place to fill in.
    """
    if scheme.names == DEFAULT.names:
        text = TEMPLATE.read_text("utf-8")
    else:
        rows = [
            f"| `{name}` | {key} | {scheme.hints.get(name) or '{{what this label means, in one line}}'} |"
            for key, name in enumerate(scheme.names, 1)
        ]
        names = ", ".join(f"`{name}`" for name in scheme.names[:-1]) + f" or `{scheme.names[-1]}`"
        text = OWN_LABELS.read_text("utf-8").replace("<!-- labels -->", "\n".join(rows))
        text = text.replace("{{which label", f"{{{{which label: {names}")
    text = text.replace("<!-- page -->", str(package_file(PAGE) or PAGE))
    return (TARGET_PLACE.sub(lambda _: target, text) if target else text).encode()


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
    check_target(settings, target)
    if codebook is None:
        return
    text = codebook.text
    if left := list(re.finditer(r"\{\{(?:.|\n)*?\}\}|\{\{|\}\}", text)):
        lines = list(dict.fromkeys(str(_line(text, place.start())) for place in left))
        shown = ", ".join(lines[:NAMED]) + (", …" if len(lines) > NAMED else "")
        raise ConfigError(
            f"{path}, {'lines' if len(lines) > 1 else 'line'} {shown}: put your own rules for the target {target!r} "
            f"wherever the template still has double braces, first at {_short(left[0].group())}; when none is left, "
            "`stance` names the next command"
        )
    check_same_target(settings, target, path, codebook)
    if demo and (at := _taken_over(text, target, demo)) is not None:
        start, end = at
        raise ConfigError(
            f"{path}, line {_line(text, start)}: {_short(text[start:end])} is from the demo's codebook, for the target "
            f"{demo.target!r}; [target] name is {target!r}: write rules and examples for that"
        )


def check_target(settings: Path, target: str) -> None:
    """Refuse a target that is missing or a template's.

    Args:
        settings: path of stance.toml, which names the target.
        target: what the stance is toward.

    Raises:
        ConfigError: the message names the file and the line to edit.
    """
    if not target.strip():
        raise ConfigError(
            f"{_where(settings)}: "
            + ("[target] name is empty" if _target_line(settings) else "there is no [target] with a name")
            + ': write what the stance is toward, in the words that annotators are to read, as in name = "a new tunnel"'
        )
    if "{{" in target:
        raise ConfigError(
            f"{_where(settings)}: [target] name is {target!r}, a template's; write what the stance is toward"
        )


def check_same_target(settings: Path, target: str, path: Path, codebook: Codebook) -> None:
    """Refuse a codebook that states another target; one that states none fits every target.

    Args:
        settings: path of stance.toml, which names the target.
        target: what the stance is toward.
        path: path of the codebook.
        codebook: the codebook.

    Raises:
        ConfigError: the message names both files and the lines to compare.
    """
    said = TARGET_LINE.search(codebook.text)
    if said and "{{" not in said.group(1) and not _alike(said.group(1), target):
        written = said.group(1).strip(" *_")
        raise ConfigError(
            f"{path}, line {_line(codebook.text, said.start(1))}: the codebook is for the target {written!r}, and "
            f"[target] name is {target!r} ({_where(settings)}): change the one that is wrong"
        )


def _where(settings: Path) -> str:
    """The file that names the target, with the line if there is one."""
    line = _target_line(settings)
    return f"{settings}, line {line}" if line else f"{settings}"


def _target_line(settings: Path) -> int | None:
    return target_line(settings.read_text("utf-8-sig")) if settings.is_file() else None


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
