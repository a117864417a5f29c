"""`stance pull`: answers from Label Studio, or from an export of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.project import WORK, connected, project_settings, stale_verdicts_now

if TYPE_CHECKING:
    from labeling.studio.client import Studio
    from train.settings import Settings


@click.command()
@click.option(
    "--from",
    "export",
    type=click.Path(path_type=Path),
    help="Read an export in Label Studio's JSON format instead of a server. Tasks that stance did not make are matched "
    "by their text.",
)
@click.option(
    "--annotator",
    metavar="NAME",
    help="With --from: the name of the person who gave the new answers, for an export that only has account numbers.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="With --from: delete the known answers of this project that the export no longer holds.",
)
def pull(export: Path | None, annotator: str | None, replace: bool) -> None:
    """Fetch the annotators' answers.

    Answers that are new or have changed since the last pull are fetched; what they were before is kept.
    """
    if export is None and (annotator is not None or replace):
        raise click.UsageError("--annotator and --replace need --from FILE: they say how to read an export")
    settings = project_settings()
    if export is not None:
        _pull_from(export, settings, annotator=annotator, replace=replace)
        return
    with connected() as studio:
        run_pull(studio, settings)


def run_pull(studio: Studio, settings: Settings) -> None:
    """Fetch what changed at the server, and print what was fetched."""
    from corpus.ids.labelled_sentences import remember
    from labeling.codebook import read_codebook
    from labeling.messages import pulled
    from labeling.sync.pull import pull

    done = pull(studio, settings.labeling, WORK, Path(), read_codebook(Path(settings.labeling.codebook)))
    remember(WORK)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo("\n".join(pulled(done, stale_verdicts_now(settings), WORK)))


def _pull_from(export: Path, settings: Settings, *, annotator: str | None, replace: bool) -> None:
    from corpus.ids.labelled_sentences import remember
    from corpus.store import locked
    from labeling.codebook import read_codebook
    from labeling.messages import imported
    from labeling.studio.tasks import Corpus
    from labeling.sync.export_files import UNMATCHED, read_export

    codebook = read_codebook(Path(settings.labeling.codebook))
    with locked(Path(), "pull"):
        done = read_export(export, Corpus(WORK), WORK, Path(), codebook, annotator=annotator, replace=replace)
        remember(WORK)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    if done.unmatched:
        click.echo(f"{done.unmatched} tasks or answers match nothing: listed in {WORK / UNMATCHED}", err=True)
    click.echo("\n".join(imported(done, WORK)))
