"""`stance status` and `stance adjudicate`: how labelling goes, and what the votes settle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus.numbers import number
from stance.project import WORK, codebook_now, project_settings, reopened_now, say_due, say_next, stale_verdicts_now

if TYPE_CHECKING:
    from train.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option(
    "--annotator",
    metavar="NAME",
    help="Show where this annotator's votes differ from the verdicts instead: a pseudonym, name or mail address.",
)
@click.option("--html", is_flag=True, help="With --annotator: write a page to hand to this annotator.")
def status(as_json: bool, annotator: str | None, html: bool) -> None:
    """Show progress and agreement.

    The tables also name the sentences that annotators disagree on, and annotators who may be careless. The page for an
    annotator names no other annotator.
    """
    if html and (annotator is None or as_json):
        raise click.UsageError(
            "--html writes the page for one annotator: it goes with --annotator NAME, without --json"
        )
    if annotator is not None:
        _show_annotator(project_settings(), annotator, as_json=as_json, html=html)
        return
    from corpus.store import one_state

    settings = project_settings()
    with one_state():
        run_status(settings, as_json=as_json)
        if not as_json:
            say_next(settings, "")


@click.command()
@click.option(
    "--doubts",
    default=0,
    show_default=False,
    metavar="N",
    type=click.IntRange(0),
    help="Take back the N verdicts that the model doubts most, until people decide these sentences in the queue. "
    "`stance adjudicate` without this option restores them.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be settled and what would re-open; write nothing.")
def adjudicate(doubts: int, dry_run: bool) -> None:
    """Settle labels by the votes, and list the rest.

    The sentences that the votes leave open are for people to decide: `stance push` puts them into the queue.
    """
    settings = project_settings()
    run_adjudicate(settings, doubts, dry_run=dry_run)
    if not dry_run:
        say_next(settings, "adjudicate")


def run_status(settings: Settings, *, as_json: bool = False) -> None:
    """Print the status, and on standard error what is out of date."""
    import msgspec

    from corpus.errors import ConfigError
    from corpus.store import one_state
    from labeling.identity.pseudonyms import ignored
    from labeling.messages.status import show_status
    from labeling.status import read_status

    apart = ignored(Path(), settings.labeling.ignore)
    try:
        codebook = codebook_now(settings)
    except ConfigError:  # the status needs no codebook; commands that need one say what is wrong with it
        codebook = None
    with one_state():
        status = read_status(WORK, apart, settings.labeling, codebook, settings.labels, settings.machine)
        click.echo(
            msgspec.json.format(msgspec.json.encode(status)).decode()
            if as_json
            else show_status(status, settings.labels)
        )
        # The status itself says whether the verdicts are out of date.
        say_due(settings, "examples", "model", "predictions", "dataset", "report")


def _show_annotator(settings: Settings, name: str, *, as_json: bool, html: bool) -> None:
    import msgspec

    from corpus.store import wrote
    from labeling.feedback.annotator_page import write_page
    from labeling.feedback.differences import read_feedback, show_feedback, summary
    from labeling.identity.pseudonyms import ignored, read_names

    (person,) = ignored(Path(), [name])
    feedback = read_feedback(WORK, person, read_names(Path()), codebook_now(settings), settings.labels)
    if stale := stale_verdicts_now(settings):
        click.echo(f"the verdicts are older than the answers: {stale}", err=True)
    if html:
        changed, path = write_page(WORK, feedback, settings.labels, settings.target.name)
        click.echo(f"{summary(feedback)}\n{wrote(changed, path)}")
    else:
        text = msgspec.json.format(msgspec.json.encode(feedback)).decode() if as_json else show_feedback(feedback)
        click.echo(text)


def run_adjudicate(settings: Settings, doubts: int = 0, *, dry_run: bool = False) -> None:
    """Settle what the votes settle, and print what is left open."""
    from labeling.adjudicate import adjudicate
    from labeling.identity.pseudonyms import ignored
    from labeling.messages.adjudicate import adjudicated

    apart = ignored(Path(), settings.labeling.ignore)
    done = adjudicate(
        WORK,
        settings.labeling,
        codebook=codebook_now(settings),
        ignored=apart,
        doubts=doubts,
        dry_run=dry_run,
        scheme=settings.labels,
    )
    if done.outdated:
        click.echo(
            f"out of date: left out: {number(done.outdated, 'doubt')} about verdicts that have changed since the "
            "training: run `stance train` for new ones",
            err=True,
        )
    fewest = settings.labeling.fewest_votes
    click.echo("\n".join(adjudicated(done, fewest, WORK, reopened=reopened_now(settings), dry_run=dry_run)))
