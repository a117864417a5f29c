"""The project in the current folder, as every command sees it: its settings, its server, and what is out of date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from labeling.freshness import Stale
    from labeling.studio.client import Studio
    from release.freshness import Project, Stage
    from train.settings import Settings


WORK = Path("work")


def project_settings(*, required: bool = True) -> Settings:
    """Read stance.toml, and move what an earlier version kept in `work/` to `labels/`.

    Args:
        required: whether a missing stance.toml is an error.
    """
    from corpus.store import LABELS, move_kept
    from train.settings import read_settings

    settings = read_settings(Path(), required=required)
    if moved := move_kept(WORK):
        click.echo(
            f"moved from {WORK} to {LABELS}, which is for what cannot be made again: {', '.join(moved)}", err=True
        )
    return settings


@contextmanager
def connected() -> Iterator[Studio]:
    """Connect to this project's Label Studio server, and print what the user should know about the connection."""
    from labeling.studio.client import Studio
    from labeling.studio.connection import find_server

    with Studio(find_server(Path())) as studio:
        for note in studio.notes:
            click.echo(f"note: {note}", err=True)
        yield studio


def codebook_version(settings: Settings) -> str:
    """The current version of the codebook; empty if there is no codebook yet."""
    from labeling.codebook import read_codebook

    path = Path(settings.labeling.codebook)
    return read_codebook(path).version if path.is_file() else ""


def this_project(settings: Settings) -> Project:
    """The project in the form that `release.freshness` checks."""
    from labeling.codebook import read_codebook
    from labeling.sync.pseudonyms import ignored
    from release.freshness import Project

    path = Path(settings.labeling.codebook)
    return Project(
        work=WORK,
        settings=settings,
        codebook=read_codebook(path) if path.is_file() else None,
        ignored=ignored(Path(), settings.labeling.ignore),
    )


def say_due(settings: Settings, *stages: Stage) -> list[str]:
    """Print on standard error which of these stages are out of date; the command continues."""
    from release.freshness import told

    lines = told(this_project(settings), stages)
    for line in lines:
        click.echo(f"out of date: {line}", err=True)
    return lines


def stale_verdicts_now(settings: Settings) -> Stale | None:
    """How far the verdicts are behind the answers; None if they are not."""
    from labeling.freshness import stale_verdicts
    from labeling.sync.pseudonyms import ignored

    apart = ignored(Path(), settings.labeling.ignore)
    return stale_verdicts(WORK, settings.labeling, codebook_version(settings), apart)
