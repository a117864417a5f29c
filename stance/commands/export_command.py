"""`stance export`: one flat table of the project, for colleagues, spreadsheets and R."""

from __future__ import annotations

from pathlib import Path

import click

from stance.progress import progress_bar
from stance.project import WORK, project_settings, say_due, say_next, this_project


@click.command()
@click.option(
    "--to",
    "out",
    metavar="FILE",
    default=WORK / "export.csv",
    type=click.Path(path_type=Path),
    help="The .csv, .xlsx, .jsonl or .parquet file to write; in the folder work its name must begin with export.",
)
@click.option("--long", is_flag=True, help="Write a row for each answer, instead of one for each sentence.")
def export(out: Path, long: bool) -> None:
    """Write one flat table of everything.

    It has all sentences with labels, votes and predictions. Annotators are called A1, A2, …, as in a release. The
    page docs/export.md says what each column holds; the command prints where it is.
    """
    from corpus.store import wrote
    from labeling.identity.pseudonyms import read_names
    from release.export.export import export
    from release.messages import exported

    settings = project_settings()
    with progress_bar("rows") as progress:
        done = export(this_project(settings), out, read_names(Path()), long=long, progress=progress)
    say_due(settings, "verdicts", "examples", "model", "predictions")
    click.echo("\n".join([*exported(done, out, long=long), wrote(done.changed, out)]))
    say_next(settings, "export")
