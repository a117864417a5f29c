"""`stance pull`: answers from Label Studio or a file; `stance people`: who gave them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus.numbers import number
from stance.progress import counting_bar
from stance.project import WORK, connected, project_settings, reopened_now, say_next, stale_verdicts_now

if TYPE_CHECKING:
    from labeling.studio.client import Studio
    from labeling.sync.people import KnownPerson
    from train.settings import Settings


@click.command()
@click.option(
    "--from",
    "export",
    type=click.Path(path_type=Path),
    help="Read a file instead of a server: an export of Label Studio, Prodigy, doccano, Argilla or Potato, or a table. "
    "Tasks that stance did not make are matched by their text.",
)
@click.option(
    "--annotator",
    metavar="NAME",
    help="With --from: the name of the person who gave the new answers, for an export that only has account numbers.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="With --from: delete the known answers of this project that the export no longer holds, after saying whose "
    "they are; and take answers that differ from those of an earlier file at this path as corrections.",
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
    else:
        with connected() as studio:
            run_pull(studio, settings)
    say_next(settings, "pull")


def run_pull(studio: Studio, settings: Settings) -> None:
    """Fetch what changed at the server, and print what was fetched."""
    from corpus.ids.labelled_sentences import remember
    from labeling.codebook import read_codebook
    from labeling.messages.pull import pulled
    from labeling.sync.pull import pull

    codebook = read_codebook(Path(settings.labeling.codebook))
    with counting_bar("tasks") as studio.progress:
        done = pull(studio, settings.labeling, WORK, Path(), codebook, settings.labels)
    remember(WORK)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo("\n".join(pulled(done, stale_verdicts_now(settings), WORK, reopened_now(settings))))


def _pull_from(export: Path, settings: Settings, *, annotator: str | None, replace: bool) -> None:
    from corpus.ids.labelled_sentences import remember
    from corpus.store import locked
    from labeling.codebook import read_codebook
    from labeling.messages.pull import imported, not_adopted
    from labeling.studio.tasks import Corpus
    from labeling.sync.export_files import UNMATCHED, read_export

    codebook = read_codebook(Path(settings.labeling.codebook))
    with locked(Path(), "pull"):
        done = read_export(
            export,
            Corpus(WORK),
            WORK,
            Path(),
            codebook,
            annotator=annotator,
            replace=replace,
            scheme=settings.labels,
            say=lambda line: click.echo(line, err=True),
        )
        remember(WORK)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    for line in not_adopted(done, WORK / UNMATCHED):
        click.echo(line, err=True)
    click.echo("\n".join(imported(done, WORK)))


@click.command()
@click.option(
    "--same",
    nargs=2,
    metavar="NAME NAME",
    help="Join two pseudonyms that are one person's: the lower one counts from now on, everywhere.",
)
@click.option(
    "--apart",
    nargs=2,
    metavar="NAME NAME",
    help="Separate two pseudonyms that were joined: each answer has the pseudonym again that it had before.",
)
def people(same: tuple[str, str] | None, apart: tuple[str, str] | None) -> None:
    """List the annotators and adjudicators.

    With --same or --apart, say which pseudonyms are one person's.

    The names and addresses come from this computer's private file; nobody else who has the project can see them.
    """
    from corpus.store import wrote
    from labeling.sync.people import join_people, known_people, separate_people

    if same and apart:
        raise click.UsageError("--same and --apart are two different things: give one of them")
    settings = project_settings()
    if same or apart:
        one, two = same or apart or ("", "")
        done = (join_people if same else separate_people)(WORK, Path(), one, two)
        if same:
            click.echo(
                f"{done.keep} and {done.other} are one person, called {done.keep} now: "
                f"{number(done.answers, 'answer', 'were')} {done.other}'s; `stance people --apart {done.keep} "
                f"{done.other}` undoes this"
            )
        else:
            click.echo(
                f"{done.keep} and {done.other} are two people again: "
                f"{number(done.answers, 'answer', 'are')} {done.other}'s"
            )
        if stale := stale_verdicts_now(settings):
            click.echo(str(stale))
        click.echo(wrote(done.changed, Path("labels")))
        return
    rows = known_people(WORK, Path())
    click.echo("\n".join(line for row in rows for line in _lines(row)) or "nobody has answered yet")


def _lines(row: KnownPerson) -> list[str]:
    from corpus.numbers import number

    counts = number(row.answers, "answer") + (f", {row.settled:,} in the queue" if row.settled else "")
    if not row.pseudonym:
        return [f"unknown people: {counts}"]
    lines = [f"{row.pseudonym}: {counts}" + (f"; {', '.join(row.names)}" if row.names else "")]
    lines += [f"    {account}" for account in row.accounts]
    return lines + [f"    joined: {other} with {number(count, 'answer')}" for other, count in row.joined.items()]
