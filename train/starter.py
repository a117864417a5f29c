"""The files that a new project begins with, and the starter corpus of the demo."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from corpus.digests import ROOT
from corpus.errors import ConfigError
from corpus.store import write_bytes
from labeling.records import LabelingSettings
from labeling.sync.question import TEMPLATE, Demo
from train.settings import FILE, Settings, meaning


def write_project(folder: Path) -> list[Path]:
    """Make a new project: `stance.toml` with a value for every key but the target, and a codebook to fill in.

    Raises:
        ConfigError: one of the two files exists already; then nothing is written.
    """
    files = {
        folder / FILE: _template(folder),
        folder / LabelingSettings().codebook: TEMPLATE.read_bytes(),
    }
    for path in files:
        if path.exists():
            raise ConfigError(f"{path} is there already; nothing was written")
    for path, content in files.items():
        write_bytes(path, content)
    return list(files)


def write_starter(folder: Path) -> Path:
    """Make a folder the project of the starter corpus, unless it is that already.

    Returns:
        The path of the starter corpus.

    Raises:
        ConfigError: the folder holds another project, whose tables the demo would overwrite.
    """
    if (folder / FILE).exists():
        if (folder / FILE).read_bytes() != starter(FILE):
            raise ConfigError(f"{folder / FILE} is of a project of its own: run the demo in an empty folder")
    else:
        for name in (FILE, "docs/codebook.md"):
            write_bytes(folder / name, starter(name))
    return starter_path("seeds")


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
    """The path of a file or folder that comes with the package: `seeds`, stance.toml, or the codebook.

    Raises:
        ConfigError: this installation lacks it.
    """
    for path in (ROOT / name, ROOT / "stance_starter" / name):
        if path.exists():
            return path
    raise ConfigError(f"{name} is not part of this installation; clone the repository for it")


def _template(folder: Path) -> bytes:
    title = re.sub(r"\W+", " ", folder.resolve().name).strip() or "project"
    settings = Settings(labeling=LabelingSettings(title=f"Stance {title}"[:50].strip()))
    lines: list[str] = []
    for section in Settings.__struct_fields__:
        record = getattr(settings, section)
        note = (type(record).__doc__ or "").splitlines()[0]
        lines += [f"# {note.split('stance.toml: ', 1)[1]}", f"[{section}]"]
        for key, value in msgspec.structs.asdict(record).items():
            # TOML allows a table only once, so one within a section, such as [corpus.fields], is only a comment here.
            given = f"# [{section}.{key}]" if value == {} else f"{key} = {msgspec.json.encode(value).decode()}"
            lines += [*(f"# {line}" for line in [meaning(type(record), key)] if line), given]
        lines.append("")
    return "\n".join(lines).encode()
