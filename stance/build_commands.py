"""`stance init` and `stance build`: a new project, and articles cut into sentences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.progress import bar
from stance.project import WORK, project_settings

if TYPE_CHECKING:
    from train.settings import Settings


SOURCES = click.argument("sources", nargs=-1, required=True)
ENGINE = click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    help="What does the work: processes on this computer, or Apache Spark.",
)
ADDRESS = click.option(
    "--address", help="The address of Spark's master, local[N] or spark://HOST:PORT; needed with --engine spark."
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1),
    help="How many processes work at once; one for each core unless you say otherwise.",
)


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write the files of a new project.

    They are stance.toml, with every setting, and a codebook for you to fill in.
    """
    from train.starter import write_project

    settings, codebook = write_project(folder)
    click.echo(f"wrote {settings}: give your target there, as [target] name")
    click.echo(f"wrote {codebook}: put your own rules where it has double braces")


@click.command()
@SOURCES
@click.option("--out", default=WORK, type=click.Path(path_type=Path), help="The folder that the tables are written to.")
@click.option(
    "--force", is_flag=True, help="Go on even if more than a tenth of the labelled sentences would leave the corpus."
)
@click.option(
    "--strict", is_flag=True, help="Stop with an error if an article cannot be used, instead of listing it as skipped."
)
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

    SOURCES are files (.txt, .html, .jsonl, .csv, .parquet, .warc.gz, .wet.gz), folders of such files, patterns such as
    'news/*.txt', or - for standard input. The tables are the same whatever engine and number of processes you choose.
    """
    check_engine(engine, address, workers)
    settings = project_settings(required=False)
    run_build(sources, out, settings, force=force, strict=strict, workers=workers, address=address)


def run_build(
    sources: tuple[str, ...],
    out: Path,
    settings: Settings,
    *,
    force: bool = False,
    strict: bool = False,
    workers: int | None = None,
    address: str | None = None,
) -> None:
    """Build the tables with a progress bar, and print what was made and what to look at."""
    from corpus.build import build
    from corpus.messages import built, noted

    with bar("shards") as drawn:

        def step(finished: int, total: int, articles: int, sentences: int) -> None:
            drawn.total = total
            drawn.set_postfix_str(f"{articles:,} articles, {sentences:,} sentences", refresh=False)
            drawn.update(finished - drawn.n)

        if address:
            from corpus.spark_engine import build_spark

            done = build_spark(sources, out, settings.corpus, address, force=force, strict=strict, progress=step)
        else:
            done = build(sources, out, settings.corpus, force=force, strict=strict, workers=workers, progress=step)
    click.echo("\n".join(built(done, out)))
    for note in noted(done, out):
        click.echo(note, err=True)


def check_engine(engine: str, address: str | None, workers: int | None) -> None:
    """Refuse options that belong to the other engine.

    Raises:
        UsageError: Spark has no address or the local engine has one, or Spark is given a number of workers.
    """
    if (engine == "spark") != bool(address):
        raise click.UsageError("--engine spark needs --address, as local[2] or spark://HOST:PORT; local has none")
    if address and workers:
        raise click.UsageError("--workers is for --engine local; Spark has its own, as in local[2]")
