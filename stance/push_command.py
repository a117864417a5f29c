"""`stance push`: sentences to Label Studio, or to a file for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stance.progress import progress_bar
from stance.project import WORK, connected, project_settings, say_due, stale_verdicts_now

if TYPE_CHECKING:
    from labeling.codebook import Codebook
    from labeling.sampling.sample import By
    from labeling.studio.client import Studio
    from labeling.sync.push_plan import Asked
    from train.settings import Settings


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@click.option(
    "--limit", type=click.IntRange(0), metavar="N", help="Draw a new round of N sentences; with 0, draw none."
)
@click.option(
    "--by",
    type=click.Choice(["random", "document", "stratified", "uncertainty", "keyword"]),
    help="How the round is drawn: at random unless you say otherwise. Uncertainty and keyword rounds hold some random "
    "sentences too, so that label shares can be estimated.",
)
@click.option(
    "--control",
    default=0,
    metavar="N",
    type=click.IntRange(0),
    help="Show N settled sentences again, to see whether annotators still give the same answer.",
)
@click.option("--all", "everything", is_flag=True, help="Draw every sentence that no round has drawn so far.")
@click.option(
    "--withdraw",
    type=click.IntRange(1),
    metavar="ROUND",
    help="Take back the round with this number, its tasks and its place in the sample, if nobody has answered yet.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the tasks to a file in Label Studio's JSON format instead of sending them to a server.",
)
@click.option(
    "--prune", is_flag=True, help="Remove tasks that nobody has answered and whose sentence has left the corpus."
)
@click.option(
    "--predictions",
    is_flag=True,
    help="Show annotators what the model predicts. They will tend to follow it (anchoring), so that labels and "
    "agreement measure the model too.",
)
@click.option("--force", is_flag=True, help="Restore the labelling page if somebody changed it at the server.")
def push(to: Path | None, dry_run: bool, limit: int | None, by: By | None, withdraw: int | None, **wishes: Any) -> None:
    """Send sentences to Label Studio as tasks.

    Each one is sent once, however often you run this. With --limit N a round of N sentences is drawn. Without it, every
    sentence is sent if no round has been drawn yet; otherwise, only what the rounds hold, and --all adds the rest. All
    exact copies of a sentence are one task. Sentences that the votes do not settle go to a second project, the queue.
    """
    from labeling.sync.push_plan import Asked

    if by and not limit:
        raise click.UsageError("--by needs --limit N: how many sentences to draw")
    asked = Asked(limit=limit, by=by or "random", **wishes)
    if asked.everything and limit is not None:
        raise click.UsageError("--all draws all that are left, --limit some of them: give one of the two")
    if withdraw is not None and asked != Asked():
        raise click.UsageError("--withdraw takes a round back and sends nothing: it goes with --dry-run and --to alone")
    if to is not None and (asked.prune or asked.predictions or asked.force):
        raise click.UsageError("--to writes a file: --prune, --predictions and --force need a server")
    settings = project_settings()
    if withdraw is not None:
        _withdraw(to, settings, withdraw, dry_run=dry_run)
        return
    if asked.by == "uncertainty" or asked.predictions:
        say_due(settings, "examples", "model", "predictions")
    if to is not None:
        _push_to(to, settings, asked, dry_run=dry_run)
        return
    with connected() as studio:
        run_push(studio, settings, asked, dry_run=dry_run)


def run_push(studio: Studio, settings: Settings, asked: Asked | None = None, *, dry_run: bool = False) -> None:
    """Print what a push will do, then do it."""
    from contextlib import nullcontext

    from corpus.ids.labelled_sentences import remember
    from corpus.store import locked
    from labeling.codebook import read_codebook
    from labeling.messages import show_plan
    from labeling.sync.push import apply_push, await_import
    from labeling.sync.push_plan import Asked, plan_push

    asked = asked or Asked()
    codebook = read_codebook(Path(settings.labeling.codebook))
    _check_question(settings, codebook)
    with nullcontext() if dry_run else locked(Path(), "push"):
        await_import(studio, Path())
        if (stale := stale_verdicts_now(settings)) and stale.made:
            click.echo(f"the queue is older than the answers: {stale}", err=True)
        plan = plan_push(studio, WORK, settings.labeling, settings.target.name, codebook, asked)
        click.echo(show_plan(plan))
        if dry_run:
            return
        with progress_bar("tasks") as progress:
            made = apply_push(studio, plan, WORK, Path(), progress)
        remember(WORK)
    for project_id in made.labelling:
        click.echo(f"label them at {studio.url}/projects/{project_id}/data?labeling=1")
    if made.queue is not None:
        click.echo(f"settle what is open at {studio.url}/projects/{made.queue}/data?labeling=1")


def _withdraw(to: Path | None, settings: Settings, number: int, *, dry_run: bool) -> None:
    from contextlib import nullcontext

    from corpus.store import locked, table_path
    from labeling.sampling.sample import write_sample
    from labeling.sampling.withdraw import apply_withdrawal, plan_withdrawal, show_withdrawal
    from labeling.sync.push import await_import
    from labeling.sync.push_plan import Asked

    with nullcontext() if dry_run else locked(Path(), "push"):
        if to is not None:
            plan = plan_withdrawal(None, WORK, settings.labeling, number)
            click.echo(show_withdrawal(plan))
            if not dry_run:
                write_sample(WORK, plan.left)
        else:
            with connected() as studio:
                await_import(studio, Path())
                plan = plan_withdrawal(studio, WORK, settings.labeling, number)
                click.echo(show_withdrawal(plan))
                if not dry_run:
                    with progress_bar("tasks") as progress:
                        apply_withdrawal(studio, plan, WORK, progress)
    if dry_run:
        return
    click.echo(f"took round {number} back, and wrote {table_path(WORK, 'sample.parquet')}")
    if to is not None:
        _push_to(to, settings, Asked(limit=0), dry_run=False)
        click.echo("remove the round's tasks by hand where the file before was imported")


def _check_question(settings: Settings, codebook: Codebook | None) -> None:
    """Refuse to send annotators the target or codebook of a template."""
    from labeling.sync.question import check_question
    from train.settings import FILE
    from train.starter import demo_question

    check_question(Path(FILE), settings.target.name, Path(settings.labeling.codebook), codebook, demo_question())


def _push_to(to: Path, settings: Settings, asked: Asked, *, dry_run: bool) -> None:
    from corpus.ids.labelled_sentences import remember
    from corpus.store import wrote
    from labeling.codebook import read_codebook
    from labeling.sampling.rounds import draw_round
    from labeling.sampling.sample import write_sample
    from labeling.studio.tasks import Corpus
    from labeling.sync.export_files import write_tasks

    codebook = Path(settings.labeling.codebook)
    _check_question(settings, read_codebook(codebook) if codebook.is_file() else None)
    corpus, target = Corpus(WORK), settings.target.name
    drawn = draw_round(
        corpus,
        WORK,
        (),
        settings.labeling,
        target,
        limit=asked.limit,
        by=asked.by,
        control=asked.control,
        everything=asked.everything,
    )
    click.echo("\n".join([*drawn.notes, f"tasks: {len(drawn.keys)}, {drawn.new} of them new"]))
    if dry_run:
        return
    write_sample(WORK, drawn.draws)
    remember(WORK)
    changed = write_tasks(to, corpus.tasks(drawn.keys, target))
    click.echo(f"{wrote(changed, to)}, and the page beside it for the project's settings")
    click.echo("Label Studio doubles what is imported twice: import it into an empty project")
