"""`stance init` and `stance build`: a new project, and articles cut into sentences."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.progress import bar
from stance.project import WORK, NoSourcesError, project_settings, say_next

if TYPE_CHECKING:
    from corpus.build import BuildSummary
    from corpus.records import Format
    from labeling.scheme import Scheme
    from train.settings import Settings

TARGET_QUESTION = (
    'What is the stance toward? Write it in the words that annotators are to read, such as "a new tunnel"; with Enter '
    "alone you fill it in later"
)
LABELS_QUESTION = "Which labels do annotators choose from? Separate them by commas"
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
@click.option("--target", metavar="TEXT", help="What the stance is toward, in the words that annotators are to read.")
@click.option(
    "--labels",
    metavar="NAMES",
    help='The labels that annotators choose from, in their order, such as "support,deny,query,comment"; favor, against '
    "and none unless you name others.",
)
def init(folder: Path, target: str | None, labels: str | None) -> None:
    """Write the files of a new project.

    They are stance.toml, with the settings that a project begins with, and a codebook for you to fill in. On a terminal
    you are asked for the target and the labels unless you name the target.
    """
    from train.starter import ARTICLES, check_new, write_project

    check_new(folder)  # before anything is asked
    asking = target is None and sys.stdin.isatty()
    if target is None:
        target = click.prompt(TARGET_QUESTION, default="", show_default=False) if asking else ""
    scheme = _asked_labels() if asking and labels is None else _labels(labels)
    settings, codebook = write_project(folder, scheme, _one_line(target))
    click.echo(f"wrote {settings}" + ("" if target else ": give your target there, as [target] name"))
    click.echo(f"wrote {codebook}: put your own rules where it has double braces")
    there = "" if folder == Path() else f"`cd {shlex.quote(str(folder))}`, "
    (folder / ARTICLES).mkdir(exist_ok=True)
    click.echo(
        f"next: {there}put your articles into the folder {ARTICLES} (texts, web pages, Word files, PDFs, tables and "
        f"others), then `stance build {ARTICLES}`"
    )


def _one_line(target: str) -> str:
    """The target, without outer spaces."""
    if not target.isprintable() or "{{" in target or "}}" in target:
        raise click.UsageError(f"--target: expected one line of text without double braces; got {target!r}")
    return target.strip()


def _labels(labels: str | None) -> Scheme:
    from labeling.scheme import DEFAULT, Scheme

    try:
        return DEFAULT if labels is None else Scheme(names=[name.strip() for name in labels.split(",")])
    except ValueError as error:
        raise click.UsageError(f"--labels: {error}") from error


def _asked_labels() -> Scheme:
    """The labels that the user types, asked for again until they can be used."""
    from labeling.scheme import DEFAULT

    while True:
        try:
            return _labels(click.prompt(LABELS_QUESTION, default=", ".join(DEFAULT.names)))
        except click.UsageError as error:
            click.echo(error.message, err=True)


@click.command()
@click.argument("sources", nargs=-1)
@click.option("--out", default=WORK, type=click.Path(path_type=Path), help="The folder that the tables are written to.")
@click.option(
    "--force", is_flag=True, help="Go on even if more than a tenth of the labelled sentences would leave the corpus."
)
@click.option(
    "--strict", is_flag=True, help="Stop with an error if an article cannot be used, instead of listing it as skipped."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["nexis", "factiva", "proquest", "europresse", "ris", "bibtex", "plain"]),
    help="Which database exported the .txt and .html files; their content shows it unless you say otherwise. With "
    "plain, each file is one article.",
)
@WORKERS
@ENGINE
@ADDRESS
def build(
    sources: tuple[str, ...],
    out: Path,
    force: bool,
    strict: bool,
    format_: Format | None,
    workers: int | None,
    engine: str,
    address: str | None,
) -> None:
    """Cut articles into sentences.

    SOURCES are files (.txt, .html, .docx, .pdf, .csv, .xlsx, .json, .jsonl, .parquet, .ris, .warc.gz, .zip and others),
    folders of such files, patterns such as 'news/*.txt', or - for standard input. A file that a newspaper database
    exported gives all the articles in it. Without SOURCES, build reads the folder that `[corpus] root` in stance.toml
    names. The tables are the same whatever engine and number of processes you choose.
    """
    check_engine(engine, address, workers)
    settings = project_settings(required=False)
    if not sources and settings.corpus.root == ".":
        raise NoSourcesError(
            "expected SOURCES: files or folders of articles, as in `stance build news`. They may be left out only "
            "where `[corpus] root` in stance.toml names a folder."
        )
    sources = sources or (settings.corpus.root,)
    if format_:
        import msgspec

        settings = msgspec.structs.replace(settings, corpus=msgspec.structs.replace(settings.corpus, format=format_))
    done = run_build(sources, out, settings, force=force, strict=strict, workers=workers, address=address)
    if out == WORK:
        say_next(settings, "build")
        _say_new(done.changes.articles_new)


def _say_new(articles: int) -> None:
    """Say that people may label sentences of new articles too, where rounds have drawn others and not all."""
    from corpus.numbers import number
    from labeling.copy_groups import groups_of_labels
    from labeling.sampling.sample_table import drawn_sentences, read_sample

    drawn = drawn_sentences(read_sample(WORK)) if articles else set()
    if not drawn:
        return
    groups = groups_of_labels(WORK)
    if groups.to_label(drawn) < groups.total:
        click.echo(
            f"to label sentences of the {number(articles, 'new article')} too: `stance push --limit N`, which draws N "
            "of all that no round has drawn"
        )


def run_build(
    sources: tuple[str, ...],
    out: Path,
    settings: Settings,
    *,
    force: bool = False,
    strict: bool = False,
    workers: int | None = None,
    address: str | None = None,
) -> BuildSummary:
    """Build the tables with a progress bar, and print what was made and what to look at."""
    from corpus.build import build
    from corpus.messages import built, noted
    from corpus.numbers import number

    with bar("steps") as drawn:

        def step(finished: int, total: int, articles: int, sentences: int) -> None:
            drawn.total = total
            made = f"{number(articles, 'article')}, {number(sentences, 'sentence')}"
            drawn.set_postfix_str(made, refresh=False)
            drawn.update(finished - drawn.n)

        if address:
            from corpus.spark_engine import build_spark

            done = build_spark(sources, out, settings.corpus, address, force=force, strict=strict, progress=step)
        else:
            done = build(sources, out, settings.corpus, force=force, strict=strict, workers=workers, progress=step)
    click.echo("\n".join(built(done, out)))
    for note in noted(done, out):
        click.echo(note, err=True)
    return done


def check_engine(engine: str, address: str | None, workers: int | None) -> None:
    """Refuse options that belong to the other engine.

    Raises:
        UsageError: Spark has no address or the local engine has one, or Spark is given a number of workers.
    """
    if (engine == "spark") != bool(address):
        raise click.UsageError("--engine spark needs --address, as local[2] or spark://HOST:PORT; local has none")
    if address and workers:
        raise click.UsageError("--workers is for --engine local; Spark has its own, as in local[2]")
