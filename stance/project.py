"""The project in the current folder, as every command sees it: its settings, its server, and what is out of date."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from labeling.codebook import Codebook
    from labeling.freshness import Stale
    from labeling.settling.reopened import Reopened
    from labeling.studio.client import Studio
    from release.freshness import Project, Stage
    from train.settings import Settings


WORK = Path("work")
NAMED = 3
"""Most projects in folders below that a message names."""


class NoSourcesError(click.UsageError):
    """A command names no articles, and no project says where they are."""

    missing = True


def no_project(error: BaseException) -> str:
    """What to add to an error where there is no project: somebody may be in the wrong folder.

    Args:
        error: the error that ended the command.

    Returns:
        One sentence for the terminal; "" where there is a project, the command needs none, or the error is not that
        something is missing that a project has.
    """
    from train.settings import FILE

    if not getattr(error, "missing", isinstance(error, FileNotFoundError)):
        return ""
    if not Path(FILE).is_file() and str(error).startswith(f"{FILE} is not there"):
        return projects_elsewhere()
    return outside()


@contextmanager
def without_project() -> Iterator[None]:
    """For the body of a command that needs no project: what it misses is not in another folder's project."""
    try:
        yield
    except Exception as error:
        error.missing = False  # type: ignore[attr-defined]
        raise


def outside() -> str:
    """That this folder is no project, and where one is, as one sentence for the terminal; "" if it is one."""
    from train.settings import FILE

    if Path(FILE).is_file():
        return ""
    elsewhere = projects_elsewhere() or "-C names the folder of a project"
    return f"there is no project in this folder: it has no {FILE}. {elsewhere}"


def inner_projects() -> list[str]:
    """The folders in this one that are projects, without a clone of stance itself, which is an example of one."""
    from train.settings import FILE

    found = sorted(path.parent for path in Path().glob(f"*/{FILE}"))
    return [str(folder) for folder in found if not _is_stance(folder / "pyproject.toml")]


def _is_stance(path: Path) -> bool:
    """Whether a `pyproject.toml` is stance's own."""
    with suppress(OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return bool(tomllib.loads(path.read_text("utf-8")).get("project", {}).get("name") == "stance-corpus")
    return False


def outer_project() -> str:
    """The relative path of the project that this folder lies in; "" if it lies in none."""
    from train.settings import FILE

    here = Path.cwd()
    for up, folder in enumerate(here.parents, 1):
        if (folder / FILE).is_file():
            return "" if _is_stance(folder / "pyproject.toml") else "/".join([".."] * up)
    return ""


def projects_elsewhere() -> str:
    """Which folder around this one, or which folders in it, are projects, as one clause for a message; or ""."""
    if outer := outer_project():
        return f"this folder is in the project {Path(outer).resolve().name}: `cd {outer}` before the command"
    if not (inner := inner_projects()):
        return ""
    more = f" and {len(inner) - NAMED:,} more" if len(inner) > NAMED else ""
    which = "there is a project in" if len(inner) == 1 else "there are projects in"
    return f"{which} {', '.join(inner[:NAMED])}{more}: `cd {shlex.quote(inner[0])}` before the command"


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


def codebook_now(settings: Settings) -> Codebook | None:
    """The codebook; None if there is none yet."""
    from labeling.codebook import read_codebook

    path = Path(settings.labeling.codebook)
    return read_codebook(path) if path.is_file() else None


def check_question(settings: Settings, codebook: Codebook | None) -> None:
    """Refuse to send annotators, or a machine coder, the target or the codebook of a template."""
    from labeling.sync.question import check_question
    from train.settings import FILE
    from train.starter import demo_question

    check_question(Path(FILE), settings.target.name, Path(settings.labeling.codebook), codebook, demo_question())


def this_project(settings: Settings) -> Project:
    """The project in the form that `release.freshness` checks."""
    from labeling.identity.pseudonyms import ignored
    from release.freshness import Project

    return Project(
        work=WORK,
        settings=settings,
        codebook=codebook_now(settings),
        ignored=ignored(Path(), settings.labeling.ignore),
    )


def words_to_change(settings: Settings) -> str:
    """What to change in the codebook if the articles' text will not be published, as one sentence; "" for nothing."""
    from release.contents.codebook_words import shared_words

    codebook = codebook_now(settings)
    if settings.publish.licence or codebook is None or "{{" in codebook.text:
        return ""
    found = shared_words(WORK, codebook.text, settings.target.name)
    if not found:
        return ""
    path, first = settings.labeling.codebook, found[0]
    others = f" (and line{'s' * (len(found) > 2)} {', '.join(str(row.line) for row in found[1:])})" if found[1:] else ""
    return (
        f"{path}, line {first.line}: the words {first.words!r} are in the article {first.article_id!r} too{others}. "
        "While [publish] names no licence, a dataset is without text, and may have no five words in a row of any "
        "article: use other words there. The codebook's version may stay if no rule changes"
    )


def say_due(settings: Settings, *stages: Stage) -> list[str]:
    """Print on standard error which of these stages are out of date; the command continues."""
    from release.freshness import told

    lines = told(this_project(settings), stages)
    for line in lines:
        click.echo(f"out of date: {line}", err=True)
    return lines


def say_old_corpus() -> None:
    """Print on standard error that articles came, changed or went since the last build; the command continues."""
    from stance.next_step import build_command, source_changes

    if changes := source_changes():
        click.echo(f"out of date: {changes}: run `{build_command(changes)}`", err=True)


def say_next(settings: Settings, after: str, where: str = "") -> None:
    """Print what to do next, after a command that has just ended, or that nothing is left to do.

    The command has succeeded whatever the next one will say, so that a table that cannot be read is no error here.

    Args:
        settings: the project's settings.
        after: the command; "" for what `stance` alone says.
        where: where to do it, if it is not here, as in ", in another terminal".
    """
    from corpus.errors import StanceError
    from corpus.store import one_state
    from stance.next_step import next_step

    with suppress(StanceError), one_state():
        if said := next_step(settings, after):
            click.echo(f"next{where}: {said}")
        elif (WORK / "dataset").exists():
            click.echo("nothing is left to do: everything that was made is up to date")


def stale_verdicts_now(settings: Settings) -> Stale | None:
    """How far the verdicts are behind the answers; None if they are not."""
    from labeling.freshness import stale_verdicts
    from labeling.identity.pseudonyms import ignored

    apart = ignored(Path(), settings.labeling.ignore)
    return stale_verdicts(WORK, settings.labeling, codebook_now(settings), apart, settings.labels)


def reopened_now(settings: Settings) -> Reopened | None:
    """How many sentences the codebook asks annotators about again, as far as this computer knows; None for no one."""
    from labeling.identity.pseudonyms import ignored
    from labeling.settling.reopened import read_reopened

    apart = ignored(Path(), settings.labeling.ignore)
    return read_reopened(WORK, codebook_now(settings), apart, settings.labels)
