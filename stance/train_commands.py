"""`stance train`, `stance predict` and `stance report`: the model, its predictions, and the report on the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stance.build_commands import ADDRESS, ENGINE, WORKERS, check_engine
from stance.progress import progress_bar, stage_bars
from stance.project import WORK, project_settings, say_due

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

    The model is TF-IDF with logistic regression. It is trained on the project's verdicts or, if you name one, on DATA:
    a .jsonl, .csv or .parquet file with the columns text and label, the folder of a published dataset, or the name of a
    dataset at the Hub.
    """
    run_train(data, out, project_settings(required=data is None))


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

    The share of each stance is given by outlet and month. Without arguments, work/model judges the whole corpus. To
    judge other articles, name the folder of a MODEL, the SOURCES of the articles as for build (or one folder that build
    wrote), and --out.
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


@click.command()
def report() -> None:
    """Write a page about the whole project.

    work/report.html shows labels, agreement, scores, mistakes, and the words that the model goes by.
    """
    run_report(project_settings())


def run_train(data: str | None, out: Path, settings: Settings) -> None:
    """Train, showing which stage runs, and print the scores."""
    from train.examples import from_verdicts, load
    from train.messages import trained
    from train.train_model import FromVerdicts, train
    from train.watch import Watch

    if data is None:
        say_due(settings, "verdicts")
    with stage_bars("fits") as told:
        told.stage("reading the examples")
        if data is None:
            plan = from_verdicts.plan_examples(WORK, settings.target.name, settings.train)
            for group in plan.splits.moved:
                click.echo(f"moved to train: {group}, whose articles had stood in several splits")
            examples, origins = plan.examples, None
            project = FromVerdicts(work=WORK, splits=plan.splits)
        else:
            loaded = load.read(data)
            for note in loaded.notes:
                click.echo(note, err=True)
            for row in loaded.spellings:
                if row.written != row.label:
                    click.echo(f"read {row.written!r} as {row.label} ({row.count})")
            plan, project = None, None
            examples, origins = loaded.examples, loaded.origins
        watch = Watch(step=told.step, stage=told.stage, say=told.say)
        done = train(examples, out, settings.train, watch, origins=origins, project=project)
        if plan is not None:
            from_verdicts.keep_examples(WORK, plan, settings.train)
    click.echo("\n".join(trained(done, out, WORK / "doubts.jsonl")))
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
            done = predict_corpus(WORK, settings.target.name, progress)
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
    from labeling.sync.pseudonyms import ignored
    from release.freshness import TRAINED
    from train.report.page import report

    due = say_due(settings, *TRAINED, "predictions")
    changed = report(WORK, settings.target.name, ignored(Path(), settings.labeling.ignore), settings, due)
    click.echo(wrote(changed, WORK / "report.html"))
