"""The front door: the `stance` command, one short function a verb."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from labeling.connection import Server
    from labeling.plan import Asked
    from labeling.sample import By
    from labeling.studio import Studio
    from train.predict import Predicted
    from train.project import Settings

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
        from corpus.records import StanceError

        if not isinstance(error, StanceError):
            raise
        click.echo(f"stance: {error}", err=True)
        sys.exit(1)


def _terminate(_number: int, _frame: object) -> NoReturn:
    """Let a polite kill run the clean-up too: what we started stops with us."""
    sys.exit(143)


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
    """Make a new project: stance.toml and a codebook to edit."""
    from train.project import write_project

    for path in write_project(folder):
        click.echo(f"wrote {path}")


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

    SOURCES are files (.txt, .html, .jsonl, .csv, .parquet, .warc.gz), folders of them, globs, or - for standard
    input. Every engine and number of workers gives the same tables.
    """
    _check_engine(engine, address, workers)
    settings = _settings(required=False)
    _build(sources, out, settings, force=force, strict=strict, workers=workers, address=address)


@cli.command()
def serve() -> None:
    """Run a local Label Studio for this project, until Ctrl-C."""
    from labeling.server import running

    with running(Path()) as server:
        _say_login(server)
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
def push(to: Path | None, dry_run: bool, limit: int | None, by: By | None, **wishes: Any) -> None:
    """Bring the Label Studio server to what it should hold.

    Without --limit that is every sentence, one task for all its exact copies; with it, the rounds drawn so far and a
    new one. What is not settled yet goes to a second project, the queue.
    """
    from labeling.plan import Asked

    if by and not limit:
        raise click.UsageError("--by needs --limit N: how many sentences to draw")
    settings = _settings()
    asked = Asked(limit=limit, by=by or "random", **wishes)
    if to is not None and (asked.prune or asked.predictions or asked.force):
        raise click.UsageError("--to writes a file: --prune, --predictions and --force need a server")
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
    from train.hydrate import hydrate
    from train.show import hydrated

    done = hydrate(dataset, articles, out, _settings(required=False).corpus)
    if done.skipped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in done.skipped.items())
        click.echo(f"skipped articles: {reasons}", err=True)
    click.echo("\n".join(hydrated(done, out)))


@cli.command()
def report() -> None:
    """Draw the page: labels, agreement, scores, n-grams."""
    _report(_settings())


@cli.command()
def demo() -> None:
    """Run everything on the starter corpus, with a Label Studio of its own."""
    import msgspec

    from labeling.replay import replay
    from labeling.server import running
    from labeling.studio import Studio
    from train.project import write_starter

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
        f'  load_dataset("./{WORK / "dataset"}", "gold")\n'
        "`stance serve` starts the server again."
    )


def _settings(*, required: bool = True) -> Settings:
    from corpus.store import LABELS, move_kept
    from train.project import read_settings

    settings = read_settings(Path(), required=required)
    if moved := move_kept(WORK):
        click.echo(
            f"moved from {WORK} to {LABELS}, which is for what cannot be made again: {', '.join(moved)}", err=True
        )
    return settings


@contextmanager
def _studio() -> Iterator[Studio]:
    from labeling.connection import find_server
    from labeling.studio import Studio

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


def _say_login(server: Server, *, now: bool = True) -> None:
    from labeling.connection import KEY_FILE

    when = "is at" if now else "will be at"
    click.echo(f"Label Studio {when} {server.url} (account {server.username}, password in {KEY_FILE})")


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
    spans = ", ".join(f"{kind} {count}" for kind, count in done.spans.items())
    click.echo(
        f"{done.articles} articles ({done.cut} cut anew), {done.sentences} sentences ({done.copies} exact copies, "
        f"{done.clusters} clusters of near-duplicates); no prose: {spans or 'nothing'}"
    )
    if done.languages:
        found = ", ".join(f"{name} {count}" for name, count in done.languages.items())
        click.echo(f"not in English, which the rules are for: {found}", err=True)
    if done.skipped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in done.skipped.items())
        click.echo(f"skipped, listed in {out / 'skipped.jsonl'}: {reasons}", err=True)
    click.echo(f"{'wrote' if done.changed else 'unchanged:'} {out}")


def _check_engine(engine: str, address: str | None, workers: int | None) -> None:
    if (engine == "spark") != bool(address):
        raise click.UsageError("--engine spark needs --address, as local[2] or spark://HOST:PORT; local has none")
    if address and workers:
        raise click.UsageError("--workers is for --engine local; Spark has its own, as in local[2]")


def _push(studio: Studio, settings: Settings, asked: Asked | None = None, *, dry_run: bool = False) -> None:
    from contextlib import nullcontext

    from corpus.store import locked
    from labeling.plan import Asked, plan_push, show
    from labeling.push import apply_push, await_import
    from labeling.records import read_codebook

    asked = asked or Asked()
    codebook = read_codebook(Path(settings.labeling.codebook))
    with nullcontext() if dry_run else locked(Path(), "push"):
        await_import(studio, Path())
        plan = plan_push(studio, WORK, settings.labeling, settings.target.name, codebook, asked)
        click.echo(show(plan))
        if dry_run:
            return
        with _progress("tasks") as progress:
            made = apply_push(studio, plan, WORK, Path(), progress)
    for project_id in made:
        click.echo(f"label them at {studio.url}/projects/{project_id}/data?labeling=1")


def _push_to(to: Path, settings: Settings, asked: Asked, *, dry_run: bool) -> None:
    from labeling.offline import write_tasks
    from labeling.rounds import draw_round
    from labeling.sample import write_sample
    from labeling.tasks import Corpus

    corpus, target = Corpus(WORK), settings.target.name
    drawn = draw_round(
        corpus, WORK, (), settings.labeling, target, limit=asked.limit, by=asked.by, control=asked.control
    )
    click.echo("\n".join([*drawn.notes, f"tasks: {len(drawn.keys)}, {drawn.new} of them new"]))
    if dry_run:
        return
    write_sample(WORK, drawn.draws)
    changed = write_tasks(to, corpus.tasks(drawn.keys, target))
    click.echo(f"{'wrote' if changed else 'unchanged:'} {to}, and the page beside it for the project's settings")
    click.echo("Label Studio doubles what is imported twice: import it into an empty project")


def _pull(studio: Studio, settings: Settings) -> None:
    from corpus.store import table_path
    from labeling.pull import pull
    from labeling.records import read_codebook

    done = pull(studio, settings.labeling, WORK, Path(), read_codebook(Path(settings.labeling.codebook)))
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{done.annotations} answers of {done.annotators} annotators, {done.skips} of them skips")
    click.echo(f"{done.fetched} tasks had changed")
    if done.adjudications:
        click.echo(f"{done.adjudications} answers in the queue: `stance adjudicate` makes them verdicts")
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
    from corpus.store import locked, table_path
    from labeling.offline import UNMATCHED, read_export
    from labeling.records import read_codebook
    from labeling.tasks import Corpus

    codebook = read_codebook(Path(settings.labeling.codebook))
    with locked(Path(), "pull"):
        done = read_export(export, Corpus(WORK), WORK, Path(), codebook, annotator=annotator, replace=replace)
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

    from labeling.accounts import ignored
    from labeling.show import show
    from labeling.status import read_status

    status = read_status(WORK, ignored(Path(), settings.labeling.ignore))
    click.echo(msgspec.json.format(msgspec.json.encode(status)).decode() if as_json else show(status))


def _adjudicate(settings: Settings, doubts: int = 0) -> None:
    from labeling.accounts import ignored
    from labeling.adjudicate import adjudicate
    from labeling.records import read_codebook

    path = Path(settings.labeling.codebook)
    version = read_codebook(path).version if path.is_file() else ""
    done = adjudicate(
        WORK, settings.labeling, codebook=version, ignored=ignored(Path(), settings.labeling.ignore), doubts=doubts
    )
    how = ", ".join(f"{count} {name}" for name, count in done.settled.items())
    click.echo(f"verdicts: {how or 'none'}; {done.unsettled} open, listed in {WORK / 'queue.jsonl'}")
    click.echo(f"counted: {', '.join(done.annotators)}" + (f"; not {', '.join(done.ignored)}" if done.ignored else ""))
    if done.reopened:
        click.echo(f"{done.reopened} sentences that had a verdict have none now")
    if done.flagged:
        click.echo(f"{done.flagged} adjudicated verdicts stand although something changed since: see their flag")
    if done.vanished:
        click.echo(f"{done.vanished} sentences with votes are not in the corpus any more: no verdict")
    if done.unsettled:
        click.echo("`stance push` puts what is open to the queue's project at the server")
    click.echo(f"{'wrote' if done.changed else 'unchanged:'} {WORK / 'verdicts.jsonl'}")


def _train(data: str | None, out: Path, settings: Settings) -> None:
    from train import examples as labelled
    from train.run import train
    from train.show import trained

    with _progress("folds") as progress:
        if data is None:
            examples, splits = labelled.from_verdicts(WORK, settings.target.name, settings.train)
            for group in splits.moved:
                click.echo(f"moved to train: {group}, whose articles had stood in several splits")
            done = train(examples, out, settings.train, progress, splits=splits, work=WORK)
        else:
            loaded = labelled.read(data)
            for row in loaded.spellings:
                if row.written != row.label:
                    click.echo(f"read {row.written!r} as {row.label} ({row.count})")
            done = train(loaded.examples, out, settings.train, progress, origins=loaded.origins)
    click.echo("\n".join(trained(done, out, WORK / "doubts.jsonl")))
    for note in [*done.metrics.warnings, *done.analysis.notes]:
        click.echo(note, err=True)


def _predict(
    model: Path | None, sources: tuple[str, ...], out: Path | None, settings: Settings, *, trust: bool = False
) -> None:
    from train.predict import predict_articles, predict_corpus

    with _progress("sentences") as progress:
        if model is None or out is None:
            done = predict_corpus(WORK, settings.target.name, progress)
        else:
            done = predict_articles(
                sources, model, out, settings.corpus, progress, target=settings.target.name, trust=trust
            )
    _say_predicted(done)


def _predict_archive(
    model: Path, sources: tuple[str, ...], out: Path, settings: Settings, *, trust: bool, **how: Any
) -> None:
    from train.archive import predict_archive

    with _progress("sentences") as progress:
        done = predict_archive(
            sources, model, out, settings.corpus, progress, target=settings.target.name, trust=trust, **how
        )
    _say_predicted(done)


def _say_predicted(done: Predicted) -> None:
    from train.show import predicted

    if done.skipped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in done.skipped.items())
        click.echo(f"skipped articles: {reasons}; `stance build` lists them", err=True)
    click.echo("\n".join(predicted(done)))


def _publish(out: Path, settings: Settings, *, standoff: bool = False, allow_open: bool = False) -> None:
    from corpus.store import locked
    from labeling.accounts import ignored, read_names
    from labeling.records import read_codebook
    from train.card import missing
    from train.publish import PublishInputs, publish
    from train.show import published

    codebook = read_codebook(Path(settings.labeling.codebook))
    apart = ignored(Path(), settings.labeling.ignore)
    inputs = PublishInputs(settings=settings, accounts=read_names(Path()), standoff=standoff, allow_open=allow_open)
    with locked(Path(), "publish"):
        done = publish(WORK, out, settings.target.name, codebook, settings.publish, apart, inputs=inputs)
    click.echo("\n".join(published(done, out, asked=standoff)))
    if unsaid := missing(settings.publish):
        click.echo("the card names as not stated, under [publish] of stance.toml: " + "; ".join(unsaid))


def _check_release(folder: Path) -> None:
    from train.manifest import FILE, check_dataset

    click.echo(f"{len(check_dataset(folder).right)} files are as {folder / FILE} says")


def _upload(
    folder: Path, repo: str, settings: Settings, trained_on: str | None, *, private: bool, tag: bool, force: bool
) -> None:
    """Upload a dataset; a model where it is said what that was trained on."""
    from train.hub import upload_dataset, upload_model
    from train.show import uploaded

    name = f"v{settings.publish.version}" if tag else None
    if trained_on is None:
        done = upload_dataset(folder, repo, private=private, tag=name, force=force)
    else:
        about = settings.publish
        done = upload_model(folder, repo, private=private, tag=name, force=force, settings=about, dataset=trained_on)
    click.echo(uploaded(done))


def _report(settings: Settings) -> None:
    from labeling.accounts import ignored
    from train.report import report

    changed = report(WORK, settings.target.name, ignored(Path(), settings.labeling.ignore), settings)
    click.echo(f"{'wrote' if changed else 'unchanged:'} {WORK / 'report.html'}")


if __name__ == "__main__":
    main()
