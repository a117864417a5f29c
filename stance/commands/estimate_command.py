"""`stance estimate`: shares, differences and regressions of stances that are corrected for a coder's errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.progress import progress_bar
from stance.project import WORK, codebook_now, project_settings, say_due

if TYPE_CHECKING:
    from train.estimate.annotator_spread import AnnotatorSpread
    from train.settings import Settings


@click.command()
@click.option(
    "--by",
    default="",
    show_default=False,
    metavar="COLUMN,…",
    help="The properties of articles to group by: outlet, month, year, language, or another column of "
    "work/articles.parquet.",
)
@click.option(
    "--coder",
    metavar="NAME|FILE[:COLUMN]|FOLDER",
    help="Whose labels to correct, in place of the project's model: a machine coder, or a .parquet, .csv or .jsonl "
    "file with the columns sentence_id and stance (or another column, which you name), or the folder that predict "
    "wrote for an archive.",
)
@click.option(
    "--archive",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Estimate the shares in an archive that predict wrote to this folder, by the labels of rounds that push "
    "--from-archive drew from it; its model is the coder.",
)
@click.option("--plan", is_flag=True, help="Say how many sentences and annotators more a --width takes.")
@click.option(
    "--width",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="With --plan: the width of the intervals to reach, from end to end, such as 0.05.",
)
@click.option(
    "--to",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also write all figures to a .csv or .json file.",
)
def estimate(
    by: str, coder: str | None, archive: Path | None, plan: bool, width: float | None, to: Path | None
) -> None:
    """Estimate shares of stances that one may report.

    A coder's errors are corrected by the verdicts on randomly drawn sentences: shares in the corpus and in groups of
    articles, differences between the groups, and a regression of stance on the properties of articles. The naive
    estimates, which count the coder's labels as if they were right, stand beside them. Where there are too few labels
    for an interval, the command says how many it takes.
    """
    columns = [name.strip() for name in by.split(",")] if by else []
    if "" in columns:
        raise click.UsageError(f"--by {by}: expected names of columns with commas between them, such as outlet,month")
    if plan != (width is not None):
        raise click.UsageError("--plan and --width go together, as in --plan --width 0.05")
    if archive is not None and coder is not None:
        raise click.UsageError("--archive corrects the labels of the archive's own model: it does not go with --coder")
    run_estimate(project_settings(), columns, archive or coder, width, to)


def run_estimate(
    settings: Settings, by: list[str], coder: Path | str | None, width: float | None, to: Path | None
) -> None:
    """Print the estimates, or the plan for a width, and write them to a file if one is named.

    Args:
        settings: all of stance.toml.
        by: columns to group by.
        coder: a coder of the corpus by its name; None for the project's model; or the path of a scored archive.
        width: the width to plan for; None to estimate.
        to: the file to write, if any.
    """
    from corpus.store import wrote
    from train.archive.scored_archive import scored_archive
    from train.estimate.archive_inputs import read_archive_inputs
    from train.estimate.estimates import Estimates, estimates_of
    from train.estimate.inputs import read_inputs
    from train.estimate.messages import shown
    from train.estimate.output_file import check_ending, write_estimates, write_plan
    from train.estimate.plan import plan
    from train.estimate.plan_message import shown_plan

    if to is not None:
        check_ending(to)
    say_due(settings, "verdicts", *(("examples", "model", "predictions") if coder is None else ()))
    if isinstance(coder, Path):
        inputs = read_archive_inputs(WORK, scored_archive(coder, settings.labels), by, settings.labels)
    else:
        with progress_bar("sentences") as progress:
            inputs = read_inputs(WORK, settings.target.name, by, coder, settings.labels, progress)
    found = estimates_of(inputs) if width is None else plan(inputs, width, _spread(settings))
    said = "\n".join(shown(found) if isinstance(found, Estimates) else shown_plan(found))
    if isinstance(coder, Path):  # the rounds that the advice speaks of are drawn from the archive
        said = said.replace("stance push --limit", f"stance push --from-archive {coder} --limit")
    click.echo(said)
    if to is not None:
        changed = write_estimates(to, found) if isinstance(found, Estimates) else write_plan(to, found)
        click.echo(wrote(changed, to))


def _spread(settings: Settings) -> AnnotatorSpread | None:
    """How far the project's annotators differ; None where it has no answers, or no two of them can be compared."""
    from corpus.store import table_path
    from labeling.identity.pseudonyms import ignored
    from labeling.records import Annotation
    from labeling.scheme import read_labelled
    from labeling.settling.carried_votes import carry
    from labeling.votes import counted, latest_votes
    from train.estimate.annotator_spread import annotator_spread

    path = table_path(WORK, "annotations.jsonl")
    if not path.is_file():
        return None
    codebook = codebook_now(settings)
    answers = read_labelled(path, Annotation, "stance pull", settings.labels, codebook)
    present = carry(answers, codebook, settings.labels).every
    votes = latest_votes(counted(present, ignored(Path(), settings.labeling.ignore)))
    return annotator_spread(votes, settings.labels.names)
