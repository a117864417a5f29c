"""`stance push`: sentences to Label Studio, or to a file for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stance.progress import progress_bar
from stance.project import (
    WORK,
    check_question,
    codebook_now,
    connected,
    project_settings,
    say_due,
    say_next,
    say_old_corpus,
    stale_verdicts_now,
    words_to_change,
)

if TYPE_CHECKING:
    from labeling.sampling.sample_table import By
    from labeling.studio.client import Studio
    from labeling.sync.push_plan import Asked
    from labeling.sync.push_size import PushSize
    from train.settings import Settings

MOST_ARTICLES = 10_000
"""Most articles that a first push compares the codebook with: 3,334 took .8 CPU s. `doctor` has no limit."""


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
    "--from-archive",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Draw the round of --limit N sentences from an archive that predict wrote to this folder, at random or "
    "--by stratified: `stance estimate --archive FOLDER` corrects the archive's shares by their labels.",
)
@click.option(
    "--control",
    default=0,
    show_default=False,
    metavar="N",
    type=click.IntRange(0),
    help="Show N settled sentences again, to see whether annotators still give the same answer.",
)
@click.option(
    "--qualify",
    metavar="NAME",
    help="Let a new annotator label N settled sentences first (--limit N), in a project of their own; `stance status` "
    "shows the score. Give the mail address of the annotator's account. The answers are not votes.",
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
@click.option(
    "--migrate",
    is_flag=True,
    help="Bring the answers at the server to the labels of the present codebook, by its change list: renamed labels "
    "are rewritten, and answers that must be given again are removed. Every answer is kept in labels/. Look at the "
    "plan with --dry-run first.",
)
@click.option(
    "--coder",
    default="",
    show_default=False,
    metavar="NAME",
    help="With --predictions: show the labels of this machine coder in place of the model's predictions.",
)
@click.option("--yes", is_flag=True, help="Send more than 10,000 new tasks without --limit, and do not ask first.")
@click.option("--force", is_flag=True, help="Restore the labelling page if somebody changed it at the server.")
def push(
    to: Path | None,
    dry_run: bool,
    limit: int | None,
    by: By | None,
    withdraw: int | None,
    qualify: str | None,
    from_archive: Path | None,
    yes: bool,
    **wishes: Any,
) -> None:
    """Send sentences to Label Studio as tasks.

    Each one is sent once, however often you run this. With --limit N a round of N sentences is drawn. Without it, every
    sentence is sent if no round has been drawn yet; otherwise, only what the rounds hold, and --all adds the rest. All
    exact copies of a sentence are one task. Sentences that the votes do not settle go to a second project, the queue.
    """
    import msgspec

    from corpus.store import table_path
    from labeling.studio.tasks import Corpus
    from labeling.sync.push_plan import Asked

    if by and not limit:
        raise click.UsageError("--by needs --limit N: how many sentences to draw")
    asked = Asked(limit=limit, by=by or "random", **wishes)
    if qualify is not None and (not limit or by or to or asked.control or withdraw is not None):
        raise click.UsageError(
            "--qualify NAME needs --limit N, the number of settled sentences, and sends them alone, to a server: it "
            "does not go with --by, --control, --withdraw and --to"
        )
    if from_archive is not None:
        from stance.commands.push_archive import archive_by

        drawn_by = archive_by(asked, withdraw, qualify)
    if asked.everything and limit is not None:
        raise click.UsageError("--all draws all that are left, --limit some of them: give one of the two")
    if withdraw is not None and asked != Asked():
        raise click.UsageError("--withdraw takes a round back and sends nothing: it goes with --dry-run and --to alone")
    if asked.coder and not asked.predictions:
        raise click.UsageError("--coder says whose labels --predictions shows: give both")
    if to is not None and (asked.prune or asked.predictions or asked.force or asked.migrate):
        raise click.UsageError("--to writes a file: --prune, --predictions, --migrate and --force need a server")
    settings = project_settings()
    if from_archive is not None:
        from stance.commands.push_archive import draw_archive_round

        draw_archive_round(from_archive, limit or 0, drawn_by, settings, dry_run=dry_run)
        if dry_run:
            return
        asked = msgspec.structs.replace(asked, limit=0, by="random")
    if withdraw is not None:
        _withdraw(to, settings, withdraw, dry_run=dry_run)
        return
    if asked.by == "uncertainty" or (asked.predictions and not asked.coder):
        say_due(settings, "examples", "model", "predictions")
    drawn = table_path(WORK, "sample.parquet").is_file()
    if from_archive is None and qualify is None and (asked.limit or asked.everything or not drawn):
        say_old_corpus()
    if not table_path(WORK, "annotations.jsonl").is_file():
        _say_words_to_change(settings)
    if to is not None:
        _push_to(to, settings, asked, dry_run=dry_run, yes=yes)
        return
    Corpus(WORK)  # without a corpus no server is needed either
    with connected() as studio:
        if qualify is not None:
            asked = msgspec.structs.replace(asked, qualify=_newcomer(qualify, dry_run=dry_run))
        run_push(studio, settings, asked, dry_run=dry_run, yes=yes)
    if not dry_run:
        say_next(settings, "push")


def _say_words_to_change(settings: Settings) -> None:
    """Before anybody labels: what in the codebook `stance publish` would refuse. In large corpora, `doctor` says it."""
    import pyarrow.parquet as pq

    articles = WORK / "articles.parquet"
    if (
        articles.is_file()
        and pq.read_metadata(articles).num_rows <= MOST_ARTICLES
        and (said := words_to_change(settings))
    ):
        click.echo(f"note: {said}", err=True)


def _newcomer(name: str, *, dry_run: bool) -> str:
    """The pseudonym of the annotator who is to qualify; somebody new gets one."""
    from corpus.store import locked
    from labeling.feedback.qualification import read_qualifications
    from labeling.identity.account_register import read_register
    from labeling.identity.pseudonyms import person_called
    from labeling.sync.known_answers import read_known, write_known

    with locked(Path(), "pull"):
        register = read_register(Path())
        known = read_known(WORK, register)
        taken = known.names | {row.annotator for row in read_qualifications(WORK)}
        person = person_called(register, name, taken, "--qualify")
        if not dry_run:
            write_known(WORK, Path(), register, known)
    return person


def run_push(
    studio: Studio, settings: Settings, asked: Asked | None = None, *, dry_run: bool = False, yes: bool = False
) -> None:
    """Print what a push will do, then do it."""
    from contextlib import nullcontext

    from corpus.errors import StudioError
    from corpus.ids.labelled_sentences import remember
    from corpus.numbers import number
    from corpus.store import locked, read_jsonl_if_there
    from labeling.codebook import read_codebook
    from labeling.messages.push import pushed, show_plan
    from labeling.records import Unsettled
    from labeling.sync.push import apply_push, await_import
    from labeling.sync.push_plan import Asked, plan_push
    from labeling.sync.push_size import push_size
    from labeling.sync.sent_queue import SentQueue, write_queue

    asked = asked or Asked()
    codebook = read_codebook(Path(settings.labeling.codebook))
    check_question(settings, codebook)
    with nullcontext() if dry_run else locked(Path(), "push"):
        await_import(studio, Path())
        if (stale := stale_verdicts_now(settings)) and stale.made:
            click.echo(f"the queue is older than the answers: {stale}", err=True)
        plan = plan_push(
            studio, WORK, Path(), settings.labeling, settings.target.name, codebook, asked, settings.labels
        )
        click.echo(show_plan(plan))
        if dry_run:
            return
        if asked.migrate and (unfetched := sum(row.unfetched for row in plan.migrations)):
            raise StudioError(
                f"{number(unfetched, 'answer')} at the server with a label of an earlier codebook, not fetched "
                "in the present form: run `stance pull`, then `stance push --migrate` again. Nothing was changed"
            )
        if asked.limit is None and not yes:
            new = [task for part in plan.projects for task in part.create]
            _agree(push_size(new, len(new), sum(part.held for part in plan.projects)))
        with locked(Path(), "pull") if asked.migrate else nullcontext(), progress_bar("tasks") as progress:
            made = apply_push(studio, plan, WORK, Path(), progress, settings.labels)
        remember(WORK)
    if made.migrated:
        done = made.migrated
        click.echo(f"rewrote {number(done.rewritten, 'answer')} at the server and removed {done.removed:,}")
        if done.changed:
            click.echo(
                f"{number(done.changed, 'answer', 'were')} changed meanwhile and left: pull, then push --migrate again",
                err=True,
            )
    for said in pushed(plan):
        click.echo(said)
    sends = any(part.create for part in plan.projects)
    called = "label them at" if sends else "no task is new; the project is at"
    # A push that only fills the queue has nothing to say of the other project.
    for project_id in made.labelling if sends or not (plan.queue and plan.queue.create) else []:
        click.echo(f"{called} {studio.url}/projects/{project_id}/data?labeling=1")
    for title, project_id in made.qualifying.items():
        click.echo(f"{title}: {studio.url}/projects/{project_id}/data?labeling=1")
    if made.queue is not None:
        there = f"{studio.url}/projects/{made.queue}/data?labeling=1"
        held = sorted(row.sentence_id for row in read_jsonl_if_there(WORK / "queue.jsonl", Unsettled))
        write_queue(Path(), SentQueue(url=there, sentences=held))
        click.echo(f"settle what is open at {there}" if held else f"nothing is open in the queue at {there}")


def _withdraw(to: Path | None, settings: Settings, number: int, *, dry_run: bool) -> None:
    from contextlib import nullcontext

    from corpus.store import locked, table_path
    from labeling.sampling.sample_table import write_sample
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
        _push_to(to, settings, Asked(limit=0), dry_run=False, yes=True)
        click.echo("remove the round's tasks by hand where the file before was imported")


def _agree(size: PushSize) -> None:
    """Ask whether a large push is meant; without a terminal, refuse it."""
    from corpus.errors import ConfigError

    if not size.is_large:
        return
    if not _is_terminal():
        raise ConfigError(
            f"{size}. Nothing was sent: add --yes if you mean all of them, or draw a round with --limit N"
        )
    click.confirm(f"{size}. Send them all?", abort=True)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _push_to(to: Path, settings: Settings, asked: Asked, *, dry_run: bool, yes: bool) -> None:
    from corpus.ids.labelled_sentences import remember
    from corpus.store import wrote
    from labeling.sampling.rounds import draw_round
    from labeling.sampling.sample_table import write_sample
    from labeling.studio.tasks import Corpus
    from labeling.sync.export_files import write_tasks
    from labeling.sync.push_size import MEASURED, push_size

    check_question(settings, codebook_now(settings))
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
        scheme=settings.labels,
    )
    click.echo("\n".join([*drawn.notes, f"tasks: {len(drawn.keys):,}, {drawn.new:,} of them new"]))
    if dry_run:
        return
    if asked.limit is None and not yes:
        _agree(push_size(corpus.tasks(drawn.keys[-MEASURED:], target), drawn.new, len(drawn.keys) - drawn.new))
    write_sample(WORK, drawn.draws)
    remember(WORK)
    changed = write_tasks(to, corpus.tasks(drawn.keys, target), settings.labels)
    click.echo(f"{wrote(changed, to)}, and the page beside it for the project's settings")
    click.echo("Label Studio doubles what is imported twice: import it into an empty project")
    click.echo("next: let people label there, then `stance pull --from FILE` with the project's export as JSON")
