"""The `stance` command: one short function for each verb."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from labeling.codebook import Codebook
    from labeling.freshness import Stale
    from labeling.sampling.sample import By
    from labeling.studio.client import Studio
    from labeling.studio.connection import Server
    from labeling.sync.push_plan import Asked
    from release.freshness import Project, Stage
    from train.predict.predict import Predicted
    from train.settings import Settings

WORK = Path("work")
SOURCES = click.argument("sources", nargs=-1, required=True)
ENGINE = click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", help="Processes here, or Apache Spark."
)
ADDRESS = click.option("--address", help="Of Spark: local[N], or spark://HOST:PORT. Passed through.")
WORKERS = click.option("--workers", type=click.IntRange(1), help="Processes; default one a core.")


def main() -> None:
    """Run a command; a known error becomes one message and exit code 1, wrong usage 2."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.unraisablehook = _repeat_swallowed
    # Nothing but the server or Hub that the user named is ever called.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stance: interrupted", err=True)
        sys.exit(130)
    except OSError as error:
        # A full disk, a folder that may not be written: nothing that a traceback would explain.
        click.echo(f"stance: {error.filename or 'the system'}: {error.strerror or error}", err=True)
        sys.exit(1)
    except Exception as error:
        from corpus.errors import StanceError

        if not isinstance(error, StanceError):
            raise
        click.echo(f"stance: {error}", err=True)
        sys.exit(1)


def _terminate(_number: int, _frame: object) -> NoReturn:
    """Let a polite kill run the clean-up too: what we started stops with us."""
    sys.exit(143)


def _repeat_swallowed(swallowed: sys.UnraisableHookArgs) -> None:
    """Send ourselves a signal again whose exception was raised inside a finaliser, where Python drops it.

    Without this, Ctrl-C goes unheard when it comes while, say, a progress bar is being deleted.
    """
    for exception, number in ((KeyboardInterrupt, signal.SIGINT), (SystemExit, signal.SIGTERM)):
        if issubclass(swallowed.exc_type, exception):
            # A little later, or it would be raised inside the same finaliser.
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
            return
    sys.__unraisablehook__(swallowed)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "folder", default=".", type=click.Path(path_type=Path), help="The project folder.")
@click.version_option(package_name="stance-corpus", message="stance %(version)s")
def cli(folder: Path) -> None:
    """From news articles to a stance classifier and a citable corpus."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise click.ClickException(f"{folder}: {error.strerror}; -C names the project folder") from error


@cli.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Make a new project: stance.toml and a codebook to fill in."""
    from train.starter import write_project

    settings, codebook = write_project(folder)
    click.echo(f"wrote {settings}: give your target there, as [target] name")
    click.echo(f"wrote {codebook}: put your own rules where it has double braces")


@cli.command()
@SOURCES
@click.option("--out", default=WORK, type=click.Path(path_type=Path), help="Folder of the tables.")
@click.option("--force", is_flag=True, help="Go on even where labelled sentences vanish.")
@click.option("--strict", is_flag=True, help="An article that cannot be used is an error.")
@WORKERS
@ENGINE
@ADDRESS
def build(
    sources: tuple[str, ...],
    out: Path,
    force: bool,
    strict: bool,
    workers: int | None,
    engine: str,
    address: str | None,
) -> None:
    """Cut articles into sentences.

    SOURCES are files (.txt, .html, .jsonl, .csv, .parquet, .warc.gz, .wet.gz), folders of them, globs, or - for
    standard input. Every engine and number of workers gives the same tables.
    """
    _check_engine(engine, address, workers)
    settings = _settings(required=False)
    _build(sources, out, settings, force=force, strict=strict, workers=workers, address=address)


@cli.command()
@click.option(
    "--host", metavar="HOST", help="Where to listen: a name or address of this computer; 0.0.0.0: all of them."
)
@click.option("--port", type=click.IntRange(1, 65535), help="The port; default the one it had before, or any.")
def serve(host: str | None, port: int | None) -> None:
    """Run a local Label Studio for this project, until Ctrl-C.

    Unless --host says otherwise only this computer reaches it.
    """
    from labeling.studio.connection import read_key_file
    from labeling.studio.install import find
    from labeling.studio.local_server import answering, running

    if there := answering(Path(), host, port):
        _say_login(there)
        _say_sign_up(there)
        click.echo("It runs already, and stops where it was started: with Ctrl-C there; labels are kept.")
        return
    if find() is None and sys.stdin.isatty():
        _install()
    before = read_key_file(Path())
    with running(Path(), host, port) as server:
        if port is None and before is not None and before.port != server.port:
            click.echo(f"port {before.port}, which it had before, is taken by another program", err=True)
        _say_login(server)
        _say_sign_up(server)
        click.echo("Ctrl-C stops it; labels are kept.")
        signal.pause()


@cli.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done, and stop.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="Draw a round of N sentences; 0: no new one.")
@click.option(
    "--by",
    type=click.Choice(["random", "document", "stratified", "uncertainty", "keyword"]),
    help="How to draw them; default random. uncertainty and keyword mix in a random share, for estimates.",
)
@click.option("--control", default=0, metavar="N", type=click.IntRange(0), help="Repeat N settled sentences.")
@click.option("--all", "everything", is_flag=True, help="Draw every sentence that no round has drawn yet.")
@click.option(
    "--withdraw",
    type=click.IntRange(1),
    metavar="ROUND",
    help="Take a round back, as long as nobody has answered: its tasks and its place in the sample.",
)
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), help="Write the tasks as Label Studio JSON; no server."
)
@click.option("--prune", is_flag=True, help="Remove unanswered tasks whose sentence left the corpus.")
@click.option(
    "--predictions",
    is_flag=True,
    help="Show annotators what the model predicts. They will tend to follow it (anchoring): labels and agreement "
    "then measure the model too.",
)
@click.option("--force", is_flag=True, help="Put our interface back where it was changed at the server.")
def push(to: Path | None, dry_run: bool, limit: int | None, by: By | None, withdraw: int | None, **wishes: Any) -> None:
    """Bring the Label Studio server to what it should hold.

    That is the rounds drawn so far and, with --limit, a new one. As long as no round has drawn only some of the
    sentences, it is all of them, one task for all exact copies; after that, all of them needs --all. What is not
    settled yet goes to a second project, the queue.
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
    settings = _settings()
    if withdraw is not None:
        _withdraw(to, settings, withdraw, dry_run=dry_run)
        return
    if asked.by == "uncertainty" or asked.predictions:
        _say_due(settings, "examples", "model", "predictions")
    if to is not None:
        _push_to(to, settings, asked, dry_run=dry_run)
        return
    with _studio() as studio:
        _push(studio, settings, asked, dry_run=dry_run)


@cli.command()
@click.option(
    "--from",
    "export",
    type=click.Path(path_type=Path),
    help="Read a Label Studio JSON export instead of a server; tasks that stance didn't make are matched by text.",
)
@click.option(
    "--annotator",
    metavar="NAME",
    help="With --from: who gave the answers that are not known yet, for an export that only has the account's number.",
)
@click.option(
    "--replace", is_flag=True, help="With --from: delete answers of this project that the export no longer has."
)
def pull(export: Path | None, annotator: str | None, replace: bool) -> None:
    """Bring the annotators' answers home: those that changed since the last pull."""
    if export is None and (annotator is not None or replace):
        raise click.UsageError("--annotator and --replace need --from FILE: they say how to read an export")
    settings = _settings()
    if export is not None:
        _pull_from(export, settings, annotator=annotator, replace=replace)
        return
    with _studio() as studio:
        _pull(studio, settings)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def status(as_json: bool) -> None:
    """Show progress, agreement, who disagrees on what."""
    _status(_settings(), as_json=as_json)


@cli.command()
@click.option("--doubts", default=0, metavar="N", type=click.IntRange(0), help="Queue the N verdicts the model doubts.")
def adjudicate(doubts: int) -> None:
    """Settle what the votes settle; list what people must."""
    _adjudicate(_settings(), doubts)


@cli.command()
@click.argument("data", required=False)
@click.option("--out", default=WORK / "model", type=click.Path(path_type=Path), help="Folder of the model.")
def train(data: str | None, out: Path) -> None:
    """Choose, fit and evaluate a TF-IDF + logistic-regression baseline.

    On the project's verdicts; or on DATA: a .jsonl, .csv or .parquet file with text and label, a published
    dataset's folder, or its name at the Hub.
    """
    _train(data, out, _settings(required=data is None))


@cli.command()
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.argument("sources", nargs=-1)
@click.option("--trust", is_flag=True, help="Open model.joblib, which runs whatever code is in it.")
@click.option(
    "--out",
    metavar="FILE|FOLDER",
    type=click.Path(path_type=Path),
    help="A .parquet, .csv or .jsonl file; or, for an archive, a folder (no ending): Parquet by month and outlet.",
)
@WORKERS
@ENGINE
@ADDRESS
def predict(
    model: Path | None,
    sources: tuple[str, ...],
    out: Path | None,
    trust: bool,
    workers: int | None,
    engine: str,
    address: str | None,
) -> None:
    """Say the stance of every sentence, and the share of each by outlet and month.

    Without arguments of the whole corpus, by work/model. Else of new articles: MODEL is a model's folder, SOURCES are
    as those of build, or one folder that build wrote.
    """
    if not (model and sources and out) and (model or out):
        raise click.UsageError("expected MODEL, SOURCES and --out; or none of them, for the whole corpus")
    _check_engine(engine, address, workers)
    settings = _settings(required=False)
    if model and out and (not out.suffix or out.is_dir()):
        _predict_archive(model, sources, out, settings, trust=trust, workers=workers, address=address)
        return
    if workers or address:
        raise click.UsageError("--workers and --engine are for archives: --out must name a folder, without an ending")
    _predict(model, sources, out, settings, trust=trust)


@cli.command()
@click.option("--out", default=WORK / "dataset", type=click.Path(path_type=Path), help="Folder of the dataset.")
@click.option("--standoff", is_flag=True, help="Without the articles' text, also where there is a licence for it.")
@click.option("--allow-open", is_flag=True, help="Leave out sentences whose votes settle nothing, instead of refusing.")
@click.option("--repo", metavar="ORG/NAME", help="Upload it to this repository of a Hub, in one commit.")
@click.option("--model", is_flag=True, help="Upload work/model to --repo instead of the dataset.")
@click.option("--dataset", default="", metavar="ORG/NAME", help="With --model: where its training data are.")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option("--tag", is_flag=True, help="Tag the commit with [publish] version, as v1.0.0.")
@click.option("--force", is_flag=True, help="Overwrite what others changed in the repository.")
@click.option("--check", metavar="DATASET", type=click.Path(path_type=Path), help="Only compare it with its manifest.")
def publish(out: Path, check: Path | None, model: bool, dataset: str, repo: str | None, **wishes: bool) -> None:
    """Write the Hugging Face dataset, and open it again.

    Without a licence in [publish] it is a stand-off release: offsets, digests and labels, no text.
    """
    if check:
        _check_release(check)
        return
    upload = {name: wishes.pop(name) for name in ("private", "tag", "force")}
    if not repo and (model or any(upload.values())):
        raise click.UsageError("--model, --private, --tag and --force need --repo ORG/NAME")
    if model and any(wishes.values()):
        raise click.UsageError("--standoff and --allow-open are for a dataset, --model uploads a model")
    if dataset and not model:
        raise click.UsageError("--dataset needs --model")
    settings = _settings()
    if not model:
        _publish(out, settings, **wishes)
    if repo:
        _upload(WORK / "model" if model else out, repo, settings, dataset if model else None, **upload)


@cli.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--articles", multiple=True, required=True, help="Your copies of the articles, as for build; repeatable.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write, whole or not at all.")
def hydrate(dataset: Path, articles: tuple[str, ...], out: Path) -> None:
    """Put the text back into a stand-off release, from your own copies."""
    from corpus.messages import counts
    from release.hydrate.hydrate import hydrate
    from release.messages import hydrated

    done = hydrate(dataset, articles, out, _settings(required=False).corpus)
    if done.skipped:
        click.echo(f"skipped: {counts(done.skipped)}", err=True)
    click.echo("\n".join(hydrated(done, out, _opened(out))))
    _say_taken_for(out)


@cli.command()
def report() -> None:
    """Draw the page: labels, agreement, scores, n-grams."""
    _report(_settings())


@cli.command()
def demo() -> None:
    """Run everything on the starter corpus, with a Label Studio of its own."""
    import msgspec

    from labeling.studio.client import Studio
    from labeling.studio.local_server import running
    from labeling.sync.replay import replay
    from train.starter import write_starter

    seeds = write_starter(Path())
    settings = _settings()
    settings = msgspec.structs.replace(
        settings, corpus=msgspec.structs.replace(settings.corpus, root=str(seeds / "articles"))
    )
    _build((str(seeds / "articles"),), WORK, settings)
    click.echo("starting Label Studio (the first time takes half a minute) …")
    with running(Path()) as server, Studio(server) as studio:
        _push(studio, settings)
        with _progress("answers") as progress:
            played = replay(studio, server, settings.labeling.title, seeds / "annotations.jsonl", progress)
        click.echo(f"answers of three annotators: {played} played in through the server's API")
        _pull(studio, settings)
        _say_login(server, now=False)
    _adjudicate(settings)
    _status(settings)
    _train(None, WORK / "model", settings)
    _predict(None, (), None, settings)
    _publish(WORK / "dataset", settings)
    _report(settings)
    click.echo(
        f"\ndone. Look at {WORK / 'report.html'}; open the dataset with\n"
        f"  {_opened(WORK / 'dataset')}\n"
        "`stance serve` starts the server again."
    )


def _settings(*, required: bool = True) -> Settings:
    from corpus.store import LABELS, move_kept
    from train.settings import read_settings

    settings = read_settings(Path(), required=required)
    if moved := move_kept(WORK):
        click.echo(
            f"moved from {WORK} to {LABELS}, which is for what cannot be made again: {', '.join(moved)}", err=True
        )
    return settings


@contextmanager
def _studio() -> Iterator[Studio]:
    from labeling.studio.client import Studio
    from labeling.studio.connection import find_server

    with Studio(find_server(Path())) as studio:
        for note in studio.notes:
            click.echo(f"note: {note}", err=True)
        yield studio


@contextmanager
def _progress(unit: str) -> Iterator[Callable[..., None]]:
    """A bar on a terminal's stderr that begins with the first step; nothing elsewhere."""
    from tqdm import tqdm

    with tqdm(unit=f" {unit}", disable=None, leave=False, file=sys.stderr) as bar:

        def step(done: int, total: int | None = None) -> None:
            if total is not None:
                bar.total = total
            bar.update(done)

        yield step


class _Stages:
    """Says on stderr what a command is doing: by a bar on a terminal; elsewhere by lines, where it takes long."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._is_long = False

    def stage(self, name: str) -> None:
        """A stage begins; its bar starts when the first of its steps is done."""
        if not self._bar.disable:
            self._bar.reset()
            self._bar.total = None
            self._bar.set_description_str(name)
        elif self._is_long:
            click.echo(f"{name} …", err=True)

    def step(self, done: int, total: int) -> None:
        """So many of the stage's steps are done."""
        if self._bar.total != total:
            self._bar.total = total
        self._bar.update(done)

    def say(self, text: str) -> None:
        """Say how long it will take, in a line that stays."""
        self._is_long = True
        self._bar.write(text, file=sys.stderr)


@contextmanager
def _stages(unit: str) -> Iterator[_Stages]:
    """A bar for each stage of a command; see `_Stages`."""
    from tqdm import tqdm

    with tqdm(unit=f" {unit}", disable=None, leave=False, file=sys.stderr) as bar:
        yield _Stages(bar)


def _say_login(server: Server, *, now: bool = True) -> None:
    from labeling.studio.connection import KEY_FILE

    when = "is at" if now else "will be at"
    click.echo(f"Label Studio {when} {server.url} (account {server.username}, password in {KEY_FILE})")


def _say_sign_up(server: Server) -> None:
    from labeling.studio.address import is_loopback
    from labeling.studio.local_server import sign_up_page

    click.echo(f"others make their account at {sign_up_page(server)}")
    if is_loopback(server.host):
        click.echo("(on this computer alone; `stance serve --host 0.0.0.0` lets colleagues in the network reach it)")
    else:
        click.echo(
            f"warning: it listens at {server.host}, without encryption: whoever reaches this computer can try to log "
            "in, and passwords and labels can be read on the way; see docs/hosting.md on putting TLS in front",
            err=True,
        )


def _install() -> None:
    from labeling.studio.install import SIZE, VERSION, install, user_folder

    # Who declines is told by what follows how to install it by hand.
    if click.confirm(
        f"Label Studio is not installed. Install version {VERSION} for all your projects ({SIZE}, {user_folder()})?"
    ):
        click.echo(f"installed {install()}")


def _build(
    sources: tuple[str, ...],
    out: Path,
    settings: Settings,
    *,
    force: bool = False,
    strict: bool = False,
    workers: int | None = None,
    address: str | None = None,
) -> None:
    from tqdm import tqdm

    from corpus.build import build
    from corpus.messages import built, noted

    with tqdm(unit=" shards", disable=None, leave=False, file=sys.stderr) as bar:

        def step(finished: int, total: int, articles: int, sentences: int) -> None:
            bar.total = total
            bar.set_postfix_str(f"{articles:,} articles, {sentences:,} sentences", refresh=False)
            bar.update(finished - bar.n)

        if address:
            from corpus.spark_engine import build_spark

            done = build_spark(sources, out, settings.corpus, address, force=force, strict=strict, progress=step)
        else:
            done = build(sources, out, settings.corpus, force=force, strict=strict, workers=workers, progress=step)
    click.echo("\n".join(built(done, out)))
    for note in noted(done, out):
        click.echo(note, err=True)


def _check_engine(engine: str, address: str | None, workers: int | None) -> None:
    if (engine == "spark") != bool(address):
        raise click.UsageError("--engine spark needs --address, as local[2] or spark://HOST:PORT; local has none")
    if address and workers:
        raise click.UsageError("--workers is for --engine local; Spark has its own, as in local[2]")


def _push(studio: Studio, settings: Settings, asked: Asked | None = None, *, dry_run: bool = False) -> None:
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
        if (stale := _stale(settings)) and stale.made:
            click.echo(f"the queue is older than the answers: {stale}", err=True)
        plan = plan_push(studio, WORK, settings.labeling, settings.target.name, codebook, asked)
        click.echo(show_plan(plan))
        if dry_run:
            return
        with _progress("tasks") as progress:
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
            with _studio() as studio:
                await_import(studio, Path())
                plan = plan_withdrawal(studio, WORK, settings.labeling, number)
                click.echo(show_withdrawal(plan))
                if not dry_run:
                    with _progress("tasks") as progress:
                        apply_withdrawal(studio, plan, WORK, progress)
    if dry_run:
        return
    click.echo(f"took round {number} back, and wrote {table_path(WORK, 'sample.parquet')}")
    if to is not None:
        _push_to(to, settings, Asked(limit=0), dry_run=False)
        click.echo("remove the round's tasks by hand where the file before was imported")


def _check_question(settings: Settings, codebook: Codebook | None) -> None:
    """Refuse to send annotators a template's target or codebook."""
    from labeling.sync.question import check_question
    from train.settings import FILE
    from train.starter import demo_question

    check_question(Path(FILE), settings.target.name, Path(settings.labeling.codebook), codebook, demo_question())


def _push_to(to: Path, settings: Settings, asked: Asked, *, dry_run: bool) -> None:
    from corpus.ids.labelled_sentences import remember
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
    click.echo(f"{'wrote' if changed else 'unchanged:'} {to}, and the page beside it for the project's settings")
    click.echo("Label Studio doubles what is imported twice: import it into an empty project")


def _pull(studio: Studio, settings: Settings) -> None:
    from corpus.ids.labelled_sentences import remember
    from corpus.store import table_path
    from labeling.codebook import read_codebook
    from labeling.sync.pull import pull

    done = pull(studio, settings.labeling, WORK, Path(), read_codebook(Path(settings.labeling.codebook)))
    remember(WORK)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{done.annotations} answers of {done.annotators} annotators, {done.skips} of them skips")
    click.echo(f"{done.fetched} tasks had changed")
    if (stale := _stale(settings)) and stale.people:
        click.echo(f"{stale.people} sentences were settled in the queue: `{stale.due}` makes that their verdicts")
    _say_history(done.edited, done.deleted)
    if done.withdrawn:
        click.echo(
            f"{done.withdrawn} answers in the queue were edited or deleted there; what they were is in "
            f"{table_path(WORK, 'withdrawn.jsonl')}"
        )
    if done.without_sentence:
        click.echo(f"{done.without_sentence} of them are to sentences that the corpus doesn't have any more")
    if done.foreign:
        click.echo(f"{done.foreign} tasks there are not ours (no sentence_id): left out")
    click.echo(f"{'wrote' if done.changed else 'unchanged:'} {table_path(WORK, 'annotations.jsonl')}")


def _pull_from(export: Path, settings: Settings, *, annotator: str | None, replace: bool) -> None:
    from corpus.ids.labelled_sentences import remember
    from corpus.store import locked, table_path
    from labeling.codebook import read_codebook
    from labeling.studio.tasks import Corpus
    from labeling.sync.export_files import UNMATCHED, read_export

    codebook = read_codebook(Path(settings.labeling.codebook))
    with locked(Path(), "pull"):
        done = read_export(export, Corpus(WORK), WORK, Path(), codebook, annotator=annotator, replace=replace)
        remember(WORK)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(
        f"{done.annotations} answers to our tasks, {done.adopted} adopted by their sentence's text, "
        f"of {done.annotators} annotators"
    )
    for written, name in done.aliases.items():
        click.echo(f"read {written!r} as {name}")
    if done.unmatched:
        click.echo(f"{done.unmatched} tasks or answers match nothing: listed in {WORK / UNMATCHED}", err=True)
    _say_history(done.edited, done.deleted)
    if done.missing:
        click.echo(
            f"{done.missing} known answers of this project are not in the export: they stay; --replace deletes them"
        )
    click.echo(f"{'wrote' if done.changed else 'unchanged:'} {table_path(WORK, 'annotations.jsonl')}")


def _say_history(edited: int, deleted: int) -> None:
    from corpus.store import table_path

    if edited or deleted:
        click.echo(
            f"{edited} edited and {deleted} deleted since; what they were is in {table_path(WORK, 'history.jsonl')}"
        )


def _status(settings: Settings, *, as_json: bool = False) -> None:
    import msgspec

    from corpus.errors import ConfigError
    from labeling.messages import show_status
    from labeling.status import read_status
    from labeling.sync.pseudonyms import ignored

    apart = ignored(Path(), settings.labeling.ignore)
    try:
        version = _codebook_version(settings)
    except ConfigError:  # looking needs no codebook; the commands that do say what is wrong with it
        version = ""
    status = read_status(WORK, apart, settings.labeling, version)
    click.echo(msgspec.json.format(msgspec.json.encode(status)).decode() if as_json else show_status(status))
    # Of the verdicts the status tells itself.
    _say_due(settings, "examples", "model", "predictions", "dataset", "report")


def _codebook_version(settings: Settings) -> str:
    """The codebook's version now; empty where there is no codebook yet."""
    from labeling.codebook import read_codebook

    path = Path(settings.labeling.codebook)
    return read_codebook(path).version if path.is_file() else ""


def _project(settings: Settings) -> Project:
    """The project as `release.freshness` looks at it."""
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


def _say_due(settings: Settings, *stages: Stage) -> list[str]:
    """Say on standard error what of these stages is out of date; nothing is stopped by it."""
    from release.freshness import told

    lines = told(_project(settings), stages)
    for line in lines:
        click.echo(f"out of date: {line}", err=True)
    return lines


def _stale(settings: Settings) -> Stale | None:
    from labeling.freshness import stale_verdicts
    from labeling.sync.pseudonyms import ignored

    apart = ignored(Path(), settings.labeling.ignore)
    return stale_verdicts(WORK, settings.labeling, _codebook_version(settings), apart)


def _adjudicate(settings: Settings, doubts: int = 0) -> None:
    from labeling.adjudicate import adjudicate
    from labeling.messages import few
    from labeling.sampling.rounds import queue_command
    from labeling.sampling.sample import read_sample
    from labeling.sync.pseudonyms import ignored

    apart = ignored(Path(), settings.labeling.ignore)
    done = adjudicate(WORK, settings.labeling, codebook=_codebook_version(settings), ignored=apart, doubts=doubts)
    how = ", ".join(f"{count} {name}" for name, count in done.settled.items())
    click.echo(f"verdicts: {how or 'none'}; {done.unsettled} open, listed in {WORK / 'queue.jsonl'}")
    click.echo(f"counted: {', '.join(done.annotators)}" + (f"; not {', '.join(done.ignored)}" if done.ignored else ""))
    if done.few.sentences:
        settled = f"{'' if done.settled_by_few.exact else 'at least '}{done.settled_by_few.sentences}"
        click.echo(
            f"{few(done.few)}; {settled} of them are settled all the same "
            f"([labeling] fewest_votes is {settings.labeling.fewest_votes})"
        )
    if done.outdated:
        click.echo(
            f"out of date: {done.outdated} doubts are about verdicts that have changed since the training, and were "
            "left out: run `stance train` for new ones",
            err=True,
        )
    if done.reopened:
        click.echo(f"{done.reopened} sentences that had a verdict have none now")
    if done.flagged:
        click.echo(f"{done.flagged} adjudicated verdicts stand although something changed since: see their flag")
    if done.vanished:
        click.echo(f"{done.vanished} sentences with votes are not in the corpus any more: no verdict")
    if done.unsettled:
        click.echo(f"`{queue_command(read_sample(WORK))}` puts what is open to the queue's project at the server")
    click.echo(f"{'wrote' if done.changed else 'unchanged:'} {WORK / 'verdicts.jsonl'}")


def _train(data: str | None, out: Path, settings: Settings) -> None:
    from train.examples import from_verdicts, load
    from train.messages import trained
    from train.train_model import train

    if data is None:
        _say_due(settings, "verdicts")
    with _stages("fits") as told:
        told.stage("reading the examples")
        if data is None:
            examples, splits = from_verdicts.plan_examples(WORK, settings.target.name, settings.train)
            for group in splits.moved:
                click.echo(f"moved to train: {group}, whose articles had stood in several splits")
            done = train(
                examples,
                out,
                settings.train,
                told.step,
                splits=splits,
                work=WORK,
                stage=told.stage,
                say=told.say,
            )
            from_verdicts.keep_examples(WORK, examples, settings.train)
        else:
            loaded = load.read(data)
            for note in loaded.notes:
                click.echo(note, err=True)
            for row in loaded.spellings:
                if row.written != row.label:
                    click.echo(f"read {row.written!r} as {row.label} ({row.count})")
            done = train(
                loaded.examples,
                out,
                settings.train,
                told.step,
                origins=loaded.origins,
                stage=told.stage,
                say=told.say,
            )
    click.echo("\n".join(trained(done, out, WORK / "doubts.jsonl")))
    for note in [*done.metrics.warnings, *done.analysis.notes]:
        click.echo(note, err=True)


def _predict(
    model: Path | None, sources: tuple[str, ...], out: Path | None, settings: Settings, *, trust: bool = False
) -> None:
    from train.predict.predict import predict_articles, predict_corpus

    _say_old_model(model, settings)
    with _progress("sentences") as progress:
        if model is None or out is None:
            done = predict_corpus(WORK, settings.target.name, progress)
        else:
            done = predict_articles(
                sources, model, out, settings.corpus, progress, target=settings.target.name, trust=trust
            )
    _say_predicted(done)


def _say_old_model(model: Path | None, settings: Settings) -> None:
    """Say so where the project's own model is out of date; of another one nothing is known."""
    if model is None or model.resolve() == (WORK / "model").resolve():
        _say_due(settings, "verdicts", "examples", "model")


def _predict_archive(
    model: Path, sources: tuple[str, ...], out: Path, settings: Settings, *, trust: bool, **how: Any
) -> None:
    from train.archive.predict_archive import predict_archive

    _say_old_model(model, settings)
    with _progress("sentences") as progress:
        done = predict_archive(
            sources, model, out, settings.corpus, progress, target=settings.target.name, trust=trust, **how
        )
    _say_predicted(done)


def _say_predicted(done: Predicted) -> None:
    from corpus.messages import counts
    from train.messages import predicted

    if done.skipped:
        click.echo(f"skipped: {counts(done.skipped)}; `stance build` lists them", err=True)
    click.echo("\n".join(predicted(done)))


def _publish(out: Path, settings: Settings, *, standoff: bool = False, allow_open: bool = False) -> None:
    from corpus.store import locked
    from labeling.codebook import read_codebook
    from labeling.sync.pseudonyms import ignored, read_names
    from labeling.sync.question import check_target
    from release.card.dataset_card import missing
    from release.messages import published
    from release.publish import PublishInputs, publish
    from train.settings import FILE

    codebook = read_codebook(Path(settings.labeling.codebook))
    check_target(Path(FILE), settings.target.name)
    apart = ignored(Path(), settings.labeling.ignore)
    inputs = PublishInputs(settings=settings, accounts=read_names(Path()), standoff=standoff, allow_open=allow_open)
    with locked(Path(), "publish"):
        done = publish(WORK, out, settings.target.name, codebook, settings.publish, apart, inputs=inputs)
    click.echo("\n".join(published(done, out, _opened(out), asked=standoff)))
    _say_taken_for(out)
    if unsaid := missing(settings.publish):
        click.echo("the card names as not stated, under [publish] of stance.toml: " + "; ".join(unsaid))


def _opened(out: Path) -> str:
    """The expression that opens a dataset's folder; after -C its whole path, for whoever reads it is elsewhere."""
    from release.contents.dataset_folder import open_line

    elsewhere = click.get_current_context().find_root().params["folder"] != Path()
    return open_line(out.absolute() if elsewhere else out)


def _say_taken_for(out: Path) -> None:
    from release.contents.dataset_folder import taken_for, unopenable

    if note := taken_for(out):
        click.echo(f"note: {note}", err=True)
    if reason := unopenable(out.absolute()):
        click.echo(
            f"note: load_dataset can't open {out.absolute()}: {reason}; copy the folder to another place first",
            err=True,
        )


def _check_release(folder: Path) -> None:
    from release.contents.manifest import FILE, check_dataset

    click.echo(f"{len(check_dataset(folder).right)} files are as {folder / FILE} says")


def _upload(
    folder: Path, repo: str, settings: Settings, trained_on: str | None, *, private: bool, tag: bool, force: bool
) -> None:
    """Upload a dataset; a model where it is said what that was trained on."""
    from release.freshness import TRAINED, is_outside, refuse
    from release.hub.upload import upload_dataset, upload_model
    from release.messages import uploaded

    name = f"v{settings.publish.version}" if tag else None
    if trained_on is not None and not is_outside(folder):
        refuse(_project(settings), "stance publish --model", TRAINED)
    if trained_on is None:
        done = upload_dataset(folder, repo, private=private, tag=name, force=force)
    else:
        about = settings.publish
        done = upload_model(folder, repo, private=private, tag=name, force=force, settings=about, dataset=trained_on)
    click.echo(uploaded(done))


def _report(settings: Settings) -> None:
    from labeling.sync.pseudonyms import ignored
    from release.freshness import TRAINED
    from train.report.page import report

    due = _say_due(settings, *TRAINED, "predictions")
    changed = report(WORK, settings.target.name, ignored(Path(), settings.labeling.ignore), settings, due)
    click.echo(f"{'wrote' if changed else 'unchanged:'} {WORK / 'report.html'}")
