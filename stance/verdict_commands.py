"""`stance status` and `stance adjudicate`: how labelling goes, and what the votes settle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.project import WORK, codebook_version, project_settings, say_due

if TYPE_CHECKING:
    from train.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def status(as_json: bool) -> None:
    """Show progress and agreement.

    The tables also name the sentences that annotators disagree on, and annotators who may be careless.
    """
    run_status(project_settings(), as_json=as_json)


@click.command()
@click.option(
    "--doubts",
    default=0,
    metavar="N",
    type=click.IntRange(0),
    help="Also put into the queue the N verdicts that the model doubts most.",
)
def adjudicate(doubts: int) -> None:
    """Settle labels by the votes, and list the rest.

    The sentences that the votes leave open are for people to decide: `stance push` puts them into the queue.
    """
    run_adjudicate(project_settings(), doubts)


def run_status(settings: Settings, *, as_json: bool = False) -> None:
    """Print the status, and on standard error what is out of date."""
    import msgspec

    from corpus.errors import ConfigError
    from labeling.messages import show_status
    from labeling.status import read_status
    from labeling.sync.pseudonyms import ignored

    apart = ignored(Path(), settings.labeling.ignore)
    try:
        version = codebook_version(settings)
    except ConfigError:  # the status needs no codebook; commands that need one say what is wrong with it
        version = ""
    status = read_status(WORK, apart, settings.labeling, version)
    click.echo(msgspec.json.format(msgspec.json.encode(status)).decode() if as_json else show_status(status))
    # The status itself says whether the verdicts are out of date.
    say_due(settings, "examples", "model", "predictions", "dataset", "report")


def run_adjudicate(settings: Settings, doubts: int = 0) -> None:
    """Settle what the votes settle, and print what is left open."""
    from labeling.adjudicate import adjudicate
    from labeling.messages import adjudicated
    from labeling.sampling.rounds import queue_command
    from labeling.sampling.sample import read_sample
    from labeling.sync.pseudonyms import ignored

    apart = ignored(Path(), settings.labeling.ignore)
    done = adjudicate(WORK, settings.labeling, codebook=codebook_version(settings), ignored=apart, doubts=doubts)
    if done.outdated:
        click.echo(
            f"out of date: {done.outdated} doubts are about verdicts that have changed since the training, and were "
            "left out: run `stance train` for new ones",
            err=True,
        )
    fewest = settings.labeling.fewest_votes
    click.echo("\n".join(adjudicated(done, fewest, queue_command(read_sample(WORK)), WORK)))
