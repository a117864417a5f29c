"""`stance doctor`: what is installed, what the project lacks, and whether the server can be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.project import (
    WORK,
    check_question,
    codebook_now,
    project_settings,
    projects_elsewhere,
    say_next,
    this_project,
    words_to_change,
)

if TYPE_CHECKING:
    from labeling.studio.client import Studio
    from train.settings import Settings

PACKAGE = "stance-corpus"
LIBRARIES = ("datasets", "label-studio-sdk", "pyarrow", "scikit-learn")
"""The libraries whose versions decide most of what goes wrong."""
LITTLE = 2.0
"""GB of free disk below which there is a warning: Label Studio takes 1 GB, and each table is written twice over."""


@click.command()
def doctor() -> None:
    """Check the installation, the project and the server.

    It shows versions, what is installed, the free disk, whether the server answers and what its key allows, and what
    is out of date. Nothing is changed, here or at the server.
    """
    from corpus.errors import StanceError
    from train.settings import FILE

    for line in [*_installation(), *_disk()]:
        click.echo(line)
    if not Path(FILE).is_file():
        click.echo(f"project: none in this folder, which has no {FILE}; `stance init` makes one")
        if elsewhere := projects_elsewhere():
            click.echo(f"project: {elsewhere}")
        return
    try:
        settings = project_settings()
    except StanceError as error:
        click.echo(f"project: {error}")
        return
    for line in [*_project(settings), *_server(settings), *_stale(settings)]:
        click.echo(line)
    say_next(settings, "")


def _installation() -> Iterator[str]:
    import platform
    import shutil
    from importlib.metadata import version

    from labeling.studio.install import SIZE, find

    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield f"stance {version(PACKAGE)} in Python {platform.python_version()} ({platform.system()}); {libraries}"
    extras = _extras()
    for extra, missing in extras.items():
        how = f"not installed; `pip install '{PACKAGE}[{extra}]'` adds it" if missing else "installed"
        yield f"optional extra {extra}: {how}"
    if not extras.get("spark") and shutil.which("java") is None:
        yield "optional extra spark: it needs Java, and there is no program java on the PATH"
    program = find()
    yield (
        f"Label Studio: {program}"
        if program
        else f"Label Studio: not installed; `stance serve` offers to install it ({SIZE}), or use a server elsewhere"
    )


def _extras() -> dict[str, list[str]]:
    """The packages of each extra that are not installed; the extra for our tests is nobody else's business."""
    import re
    from importlib.metadata import PackageNotFoundError, requires, version

    missing: dict[str, list[str]] = {}
    for line in requires(PACKAGE) or []:
        said = re.fullmatch(r"([\w.-]+).*?;.*\bextra == ['\"]([\w-]+)['\"].*", line)
        if said is None or said.group(2) == "test":
            continue
        name, extra = said.groups()
        missing.setdefault(extra, [])
        try:
            version(name)
        except PackageNotFoundError:
            missing[extra].append(name)
    return dict(sorted(missing.items()))


def _disk() -> Iterator[str]:
    import shutil

    free = shutil.disk_usage(Path()).free / 1e9
    yield f"disk: {free:,.1f} GB free in {Path.cwd()}"
    if free < LITTLE:
        yield f"warning: less than {LITTLE:g} GB is free"


def _project(settings: Settings) -> Iterator[str]:
    from corpus.errors import StanceError
    from corpus.numbers import number
    from train.starter import starter_path

    labels = ", ".join(settings.labels.names)
    yield f"project: stance.toml can be read; target: {settings.target.name or 'not named yet'}; labels: {labels}"
    yield f"settings: every key is explained in {starter_path('docs/settings.md')}"
    path = settings.labeling.codebook
    try:
        codebook = codebook_now(settings)
        check_question(settings, codebook)
    except StanceError as error:
        yield f"codebook: not ready for annotators: {error}"
    else:
        yield f"codebook: {path}, version {codebook.version}" if codebook else f"codebook: {path} is not there yet"
    if not (WORK / "sentences.parquet").is_file():
        yield "corpus: none yet; `stance build` makes it"
        return
    import pyarrow.parquet as pq

    yield f"corpus: {number(pq.read_metadata(WORK / 'sentences.parquet').num_rows, 'sentence')}"
    if said := words_to_change(settings):
        yield f"note: {said}"


def _server(settings: Settings) -> Iterator[str]:
    from corpus.errors import StanceError
    from labeling.studio.client import Studio
    from labeling.studio.connection import find_server

    try:
        with Studio(find_server(Path())) as studio:
            yield f"server: {studio.url} answers, Label Studio {studio.version}; the key is that of {studio.account}"
            yield from (f"note: {note}" for note in studio.notes)
            yield from _rights(studio, settings)
    except StanceError as error:
        yield f"server: {error}"


def _rights(studio: Studio, settings: Settings) -> Iterator[str]:
    """What the key may do, by asking for it; nothing is written."""
    from corpus.errors import StanceError
    from corpus.numbers import number

    yield f"key: it may {'make projects' if studio.may_create_projects() else 'not make projects, as `push` must'}"
    try:
        yield f"key: it may read the server's {number(len(studio.accounts()), 'account')}, which `pull` needs"
    except StanceError as error:
        yield f"key: it may not read who the annotators are, which `pull` needs: {error}"
    for title in settings.labeling.titles:
        try:
            project = studio.find_project(title)
            if project is None:
                yield f"project at the server: {title!r} is not there yet; `stance push` makes it"
            else:
                tasks = number(studio.task_number(project.id), "task")
                answers = number(studio.answer_number(project.id), "answer")
                yield f"project at the server: {title!r}, number {project.id}, with {tasks} and {answers}"
                wanted = settings.labeling.annotators_of_a_task
                if project.maximum_annotations != wanted:
                    yield (
                        f"note: the server asks {number(project.maximum_annotations, 'annotator')} for each sentence, "
                        f"stance.toml {wanted}: the next `stance push` changes it, also for sentences that were sent "
                        "before"
                    )
        except StanceError as error:
            yield f"project at the server: {error}"


def _is_finished(settings: Settings) -> bool:
    """Whether the last line says that nothing is left to do, and thus that everything is up to date."""
    from corpus.errors import StanceError
    from stance.next_step import next_step

    try:
        return (WORK / "dataset").exists() and not next_step(settings)
    except StanceError:
        return False


def _stale(settings: Settings) -> Iterator[str]:
    from release.freshness import STAGES, told
    from stance.next_step import build_command, source_changes

    if not (WORK / "sentences.parquet").is_file():
        return
    lines = told(this_project(settings), STAGES)
    if changes := source_changes():
        lines.insert(0, f"{changes}: run `{build_command(changes)}`")
    yield from (f"out of date: {line}" for line in lines)
    if not lines and not _is_finished(settings):
        yield "everything that was made is up to date"
