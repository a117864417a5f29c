"""`stance train`, `stance predict` and `stance report`: the model, its predictions, and the report on the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stance.commands.build_commands import ADDRESS, ENGINE, WORKERS, check_engine
from stance.progress import named_steps, progress_bar, stage_bars
from stance.project import WORK, codebook_now, project_settings, say_due, say_next, this_project

if TYPE_CHECKING:
    from train.predict.predict import Predicted
    from train.settings import Settings


@click.command()
@click.argument("data", required=False)
@click.option(
    "--out", default=WORK / "model", type=click.Path(path_type=Path), help="The folder that the model is written to."
)
def train(data: str | None, out: Path) -> None:
    """Train and evaluate the baseline model.

    The model is TF-IDF with logistic regression; [train] features in stance.toml adds sentence vectors. It is trained
    on the project's verdicts or, if you name one, on DATA: a .jsonl, .csv or .parquet file with the columns text and
    label, the folder of a published dataset, or the name of a dataset at the Hub.
    """
    settings = project_settings(required=data is None)
    run_train(data, out, settings)
    if data is None:
        say_next(settings, "train")


@click.command()
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.argument("sources", nargs=-1)
@click.option(
    "--trust",
    is_flag=True,
    help="Open model.joblib, a file that can run any code: only for models that you made yourself.",
)
@click.option(
    "--out",
    metavar="FILE|FOLDER",
    type=click.Path(path_type=Path),
    help="The .parquet, .csv or .jsonl file to write. For an archive, a folder: a name without an ending, in which "
    "Parquet files are written by month and outlet.",
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
    """Predict the stance of every sentence.

    The share of each stance is given by outlet and month. Without arguments, work/model predicts the whole corpus. To
    predict other articles, name the folder of a MODEL, the SOURCES of the articles as for build (or one folder that
    build wrote), and --out.
    """
    if not (model and sources and out) and (model or out):
        raise click.UsageError("expected MODEL, SOURCES and --out; or none of them, for the whole corpus")
    check_engine(engine, address, workers)
    settings = project_settings(required=False)
    if model and out and (not out.suffix or out.is_dir()):
        _predict_archive(model, sources, out, settings, trust=trust, workers=workers, address=address)
        return
    if workers or address:
        raise click.UsageError("--workers and --engine are for archives: --out must name a folder, without an ending")
    run_predict(model, sources, out, settings, trust=trust)
    if model is None:
        say_next(settings, "predict")


@click.command()
def report() -> None:
    """Write a page about the whole project.

    work/report.html shows labels, agreement, scores, mistakes, and the words that the model goes by. work/report.json
    holds its numbers for other programs.
    """
    settings = project_settings()
    run_report(settings)
    say_next(settings, "report")


def run_train(data: str | None, out: Path, settings: Settings) -> None:
    """Train, showing which stage runs, and print the scores."""
    from labeling.copy_groups import groups_of_labels
    from labeling.scheme import DEFAULT
    from labeling.sync.question import check_same_target
    from train.examples import from_verdicts, load
    from train.messages import trained
    from train.settings import FILE
    from train.train_model import FromVerdicts, train
    from train.watch import Watch

    if data is None:
        # The target goes into every example: under another one, the labels would say what nobody was asked.
        codebook = codebook_now(settings)
        if settings.target.name.strip() and codebook:
            check_same_target(Path(FILE), settings.target.name, Path(settings.labeling.codebook), codebook)
        say_due(settings, "verdicts")
    with stage_bars("fits") as told:
        told.stage("reading the examples")
        if data is None:
            plan = from_verdicts.plan_examples(WORK, settings.target.name, settings.train, settings.labels)
            for group in plan.splits.moved:
                click.echo(f"moved to train: {group}, whose articles had stood in several splits")
            examples, origins = plan.examples, None
            project, scheme = FromVerdicts(work=WORK, splits=plan.splits), settings.labels
            different = groups_of_labels(WORK).total
        else:
            # The default scheme is what a project has that says nothing about labels.
            given = settings.labels if settings.labels != DEFAULT else None
            loaded = load.read(data, given, settings.train.votes)
            scheme = loaded.labels.scheme
            click.echo(loaded.labels.sentence)
            for note in loaded.notes:
                click.echo(note, err=True)
            for row in loaded.labels.spellings:
                if row.written != row.label:
                    click.echo(f"read {row.written!r} as {row.label} ({row.count})")
            plan, project, different = None, None, None
            examples, origins = loaded.examples, loaded.origins
        watch = Watch(step=told.step, stage=told.stage, say=told.say)
        done = train(examples, out, settings.train, watch, origins=origins, project=project, scheme=scheme)
        if plan is not None:
            from_verdicts.keep_examples(WORK, plan, settings.train)
    click.echo("\n".join(trained(done, out, WORK / "doubts.jsonl", different)))
    for note in [*done.metrics.warnings, *done.analysis.notes]:
        click.echo(note, err=True)


def run_predict(
    model: Path | None, sources: tuple[str, ...], out: Path | None, settings: Settings, *, trust: bool = False
) -> None:
    """Predict the whole corpus, or new articles, and print the shares."""
    from train.predict.predict import predict_articles, predict_corpus

    _say_old_model(model, settings)
    with progress_bar("sentences") as progress:
        if model is None or out is None:
            done = predict_corpus(WORK, settings.target.name, progress, settings.labels)
        else:
            done = predict_articles(
                sources, model, out, settings.corpus, progress, target=settings.target.name, trust=trust
            )
    _say_predicted(done)


def _say_old_model(model: Path | None, settings: Settings) -> None:
    """Warn if the project's own model is out of date; of any other model this is not known."""
    if model is None or model.resolve() == (WORK / "model").resolve():
        say_due(settings, "verdicts", "examples", "model")


def _predict_archive(
    model: Path, sources: tuple[str, ...], out: Path, settings: Settings, *, trust: bool, **how: Any
) -> None:
    from train.archive.predict_archive import predict_archive

    _say_old_model(model, settings)
    with progress_bar("sentences") as progress:
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


def run_report(settings: Settings) -> None:
    """Write the report, and print which of its parts are out of date."""
    from corpus.store import wrote
    from release.freshness import TRAINED, told
    from train.report.page import report

    with named_steps() as begin:
        begin("looking for what is out of date", 0, 3)
        project = this_project(settings)
        due = told(project, (*TRAINED, "predictions"))
        changed = report(WORK, settings.target.name, frozenset(project.ignored), settings, due, project.codebook, begin)
    for line in due:
        click.echo(f"out of date: {line}", err=True)
    click.echo(wrote(changed, WORK / "report.html"))
    click.echo(f"Open the page in a browser. Its numbers are in {WORK / 'report.json'}.")
