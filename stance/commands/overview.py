"""`stance` alone: where the project in this folder stands, and the next command; or how to begin one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.project import WORK, project_settings, projects_elsewhere, say_due, say_next

if TYPE_CHECKING:
    from train.settings import Settings

BEGIN = """There is no project in this folder: it has no stance.toml. To begin:
  stance init NAME   make a project: a folder with its settings and a codebook to fill in
  stance demo        run every step on invented articles, in an empty folder; takes a few minutes
  stance -C FOLDER   show where the project in another folder stands
  stance --help      list all commands"""


def overview() -> None:
    """Print where the project stands and what is the next step."""
    from corpus.store import one_state
    from release.freshness import STAGES
    from train.settings import FILE

    if not Path(FILE).is_file():
        click.echo(BEGIN)
        if elsewhere := projects_elsewhere():
            click.echo(elsewhere)
        return
    settings = project_settings()
    with one_state():
        click.echo("\n".join(_lines(settings)))
        if (WORK / "sentences.parquet").is_file():
            # That the verdicts are behind is what the next step says.
            say_due(settings, *(stage for stage in STAGES if stage != "verdicts"))
        say_next(settings, "")


def _lines(settings: Settings) -> list[str]:
    """What there is so far, stage by stage."""
    import pyarrow.parquet as pq

    from corpus.numbers import number
    from corpus.store import read_jsonl, read_jsonl_if_there
    from labeling.records import Unsettled, Verdict
    from stance.next_step import vote_counts_now

    target = settings.target.name or "not named yet"
    lines = [f"target: {target}; labels: {', '.join(settings.labels.names)}"]
    counts = vote_counts_now(settings)
    if counts is None:
        return lines
    articles, sentences = (pq.read_metadata(WORK / f"{name}.parquet").num_rows for name in ("articles", "sentences"))
    lines.append(f"{number(sentences, 'sentence')} in {number(articles, 'article')}")
    if counts.drawn or counts.labelled:
        those = f"{number(counts.sentences, 'sentence')} {'drawn' if counts.drawn else 'to label'}"
        answered = f"{counts.labelled:,} answered, {counts.shared:,} of them by two people or more"
        lines.append(f"{those}, {answered if counts.labelled else 'no answers fetched yet'}")
    if (WORK / "verdicts.jsonl").is_file():
        settled = len(read_jsonl(WORK / "verdicts.jsonl", Verdict, "stance adjudicate"))
        left = len(read_jsonl_if_there(WORK / "queue.jsonl", Unsettled))
        lines.append(f"{number(settled, 'sentence')} settled, {left:,} open")
    made = {
        "a model": WORK / "model" / "model.json",
        "predictions": WORK / "predictions.parquet",
        "a dataset": WORK / "dataset",
        "a report": WORK / "report.html",
    }
    if there := [f"{what} ({path})" for what, path in made.items() if path.exists()]:
        lines.append(f"made so far: {', '.join(there)}")
    return lines
