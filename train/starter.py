"""The files that a new project begins with, and the starter corpus of the demo."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from corpus.errors import ConfigError
from corpus.package_files import package_file
from corpus.records import CorpusSettings
from corpus.store import write_bytes
from labeling.records import LabelingSettings, Target
from labeling.scheme import DEFAULT, Scheme
from labeling.sync.question import Demo, template
from train.settings import FILE, Settings, meaning

BEGINNING: Mapping[str, tuple[str, ...]] = {
    "target": ("name",),
    "labels": ("names", "hints"),
    "corpus": ("root",),
    "labeling": ("title", "overlap", "fewest_votes"),
    "publish": ("name", "licence", "authors"),
}
"""The settings that a new project states; every other one has its default, and `docs/settings.md` explains it."""
ARTICLES = "news"
"""The folder of a new project that its articles are put into."""


def check_new(folder: Path) -> None:
    """Refuse to make a project in a folder that is one, or has a codebook.

    Raises:
        ConfigError: the message names the file that is there.
    """
    for name in (FILE, LabelingSettings().codebook):
        if (folder / name).exists():
            raise ConfigError(f"{folder / name} is there already; nothing was written")


def write_project(folder: Path, scheme: Scheme = DEFAULT, target: str = "") -> list[Path]:
    """Make a new project: `stance.toml` with the settings of `BEGINNING`, and a codebook to fill in.

    Args:
        folder: the project's folder, which may be missing.
        scheme: the labels that annotators are to choose from.
        target: what the stance is toward; if empty, it is left for the user to fill in.

    Raises:
        ConfigError: one of the two files exists already; then nothing is written.
    """
    files = {
        folder / FILE: _template(folder, scheme, target),
        folder / LabelingSettings().codebook: template(scheme, target),
    }
    check_new(folder)
    for path, content in files.items():
        write_bytes(path, content)
    return list(files)


def write_starter(folder: Path) -> Path:
    """Make a folder the project of the starter corpus: its settings, codebook and articles. What is there stays.

    Returns:
        The path of the recorded answers, which come with the package.

    Raises:
        ConfigError: the folder holds another project, or files of one; then nothing is written.
    """
    articles = starter_path("seeds/articles")
    names = [FILE, "docs/codebook.md"]
    files = sorted(path for path in articles.rglob("*") if path.is_file())
    names += [f"seeds/articles/{path.relative_to(articles).as_posix()}" for path in files]
    missing = [name for name in names if not (folder / name).exists()]
    if FILE not in missing and (folder / FILE).read_bytes() != starter(FILE):
        raise ConfigError(f"{folder / FILE} is of a project of its own: run the demo in an empty folder")
    if FILE in missing and missing != names:
        there = next(name for name in names if name not in missing)
        raise ConfigError(f"{folder / there} is there already: run the demo in an empty folder")
    for name in missing:
        write_bytes(folder / name, starter(name))
    return starter_path("seeds/annotations.jsonl")


def demo_question() -> Demo | None:
    """The demo's target and codebook; None where this installation lacks them."""
    try:
        settings = msgspec.toml.decode(starter(FILE), type=Settings)
        return Demo(target=settings.target.name, codebook=starter(settings.labeling.codebook).decode())
    except ConfigError:
        return None


def starter(name: str) -> bytes:
    """The content of a file that comes with the package, such as the starter corpus' codebook."""
    return starter_path(name).read_bytes()


def starter_path(name: str) -> Path:
    """The path of a file or folder that comes with the package: stance.toml, the codebook, or what is in `seeds`.

    Raises:
        ConfigError: this installation lacks it.
    """
    if path := package_file(name):
        return path
    raise ConfigError(f"{name} is not part of this installation; clone the repository for it")


def _template(folder: Path, scheme: Scheme, target: str) -> bytes:
    title = re.sub(r"\W+", " ", folder.resolve().name).strip() or "project"
    settings = Settings(
        target=Target(name=target),
        labels=scheme,
        corpus=CorpusSettings(root=ARTICLES),
        labeling=LabelingSettings(title=f"Stance {title}"[:50].strip()),
    )
    lines = [
        "# The settings of this project. What is not here has its default; `stance doctor` says where it is explained.",
        "",
    ]
    for section, keys in BEGINNING.items():
        record = getattr(settings, section)
        note = (type(record).__doc__ or "").splitlines()[0]
        lines += [f"# {note.split('stance.toml: ', 1)[1]}", f"[{section}]"]
        for key in keys:
            lines += [f"# {meaning(type(record), key)}", *_given(section, key, getattr(record, key))]
        lines.append("")
    return "\n".join(lines).encode()


def _given(section: str, key: str, value: object) -> list[str]:
    """The lines that give a key its value; TOML allows a table only once, so an empty one is only a comment."""
    if not isinstance(value, dict):
        return [f"{key} = {_toml(value)}"]
    head = f"[{section}.{key}]"
    pairs = [f"{_toml(name)} = {_toml(one)}" for name, one in value.items()]
    return [head, *pairs] if pairs else [f"# {head}"]


def _toml(value: object) -> str:
    """A text, a number or a list of these: JSON writes them as TOML does."""
    return json.dumps(value, ensure_ascii=False)
