"""`stance push --from-archive`: a round of sentences that are drawn from a scored archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.project import WORK

if TYPE_CHECKING:
    from labeling.sampling.archive_round import ArchiveBy
    from labeling.sync.push_plan import Asked
    from train.settings import Settings


def archive_by(asked: Asked, withdraw: int | None, qualify: str | None) -> ArchiveBy:
    """How to draw from an archive; refuse options that do not go with it."""
    if not asked.limit:
        raise click.UsageError("--from-archive needs --limit N: how many sentences to draw from the archive")
    if asked.by not in ("random", "stratified"):
        raise click.UsageError(
            f"--from-archive draws at random or --by stratified, which give every sentence a known probability; got "
            f"--by {asked.by}"
        )
    if asked.control or asked.everything or withdraw is not None or qualify is not None:
        raise click.UsageError("--from-archive does not go with --control, --all, --withdraw and --qualify")
    return "stratified" if asked.by == "stratified" else "random"


def draw_archive_round(folder: Path, limit: int, by: ArchiveBy, settings: Settings, *, dry_run: bool) -> None:
    """Draw a round from a scored archive and keep it, or say which; if the last one still lacks answers, draw none.

    The sentences are kept before the round is, so that after an interruption the same command draws the same round.
    """
    from contextlib import nullcontext

    from corpus.store import locked
    from labeling.sampling.archive_round import draw_from_archive
    from labeling.sampling.archive_sentences import keep_archived, read_archived
    from labeling.sampling.sample_table import read_sample, write_sample
    from labeling.studio.tasks import Corpus
    from train.archive.scored_archive import as_archive, scored_archive

    archive = as_archive(scored_archive(folder, settings.labels))
    Corpus(WORK)  # without a corpus there is no project to put the sentences into
    with nullcontext() if dry_run else locked(Path(), "push"):
        draws = read_sample(WORK)
        rounds = {row.round for row in draws if row.by == "archive"}
        mine = [row for row in read_archived(WORK) if row.archive == archive.digest and row.round in rounds]
        last = [row for row in mine if row.round == max(row.round for row in mine)]
        if len(last) == limit and (waiting := _unanswered({row.sentence_id for row in last})):
            click.echo(
                f"round {last[0].round} again, {limit:,} of the archive {folder}: {waiting:,} of its sentences have no "
                "answer yet; when all have, the same command draws the next round"
            )
            return
        drawn = {row.sentence_id for row in mine}
        found = draw_from_archive(archive, limit, by, draws, drawn, settings.labeling.seed)
        size = len(found.draws)
        click.echo(
            f"round {found.draws[0].round}: {size:,} of the archive {folder}, {by}; {found.left:,} are left there"
        )
        if size < limit:
            click.echo(f"the archive has no more than these {size:,} left to draw")
        if not dry_run:
            keep_archived(WORK, found.sentences, [*draws, *found.draws])
            write_sample(WORK, [*draws, *found.draws])


def _unanswered(sentences: set[str]) -> int:
    """How many of these sentences have no answer."""
    from corpus.store import read_jsonl_if_there, table_path
    from labeling.records import Annotation

    path = table_path(WORK, "annotations.jsonl")
    answers = read_jsonl_if_there(path, Annotation)
    return len(sentences - {row.sentence_id for row in answers if not row.control})
