"""Read what the estimates for an archive are made from: its scores, and the labels of rounds that drew from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from corpus.errors import StanceError
from labeling.records import Verdict
from labeling.sampling.archive_sentences import ArchivedSentence, read_archived
from labeling.sampling.corpus_shares import weights
from labeling.sampling.sample_table import Draw, read_sample
from labeling.scheme import Scheme, Stance, read_labelled_if_there
from train.archive.scored_archive import ScoredArchive, as_archive, scored_labels
from train.estimate.inputs import Inputs, column
from train.predict.influence import Labels
from train.predict.sentence_arrays import find_sentences, read_layout


def read_archive_inputs(work: Path, scored: ScoredArchive, by: Sequence[str], scheme: Scheme) -> Inputs:
    """Read an archive's sentences, the model's labels, and the verdicts on sentences that were drawn from it.

    The model has learned from none of these verdicts, since sentences of archives are no examples. So its labels need
    no cross-fitting. Some 50 bytes for each sentence of the archive are in memory, and no text.

    Args:
        work: the project's folder of tables.
        scored: the archive.
        by: names of the columns to group by.
        scheme: labels of the project.

    Raises:
        StanceError: a table is missing or malformed, no round was drawn from the archive as it is now, its scores are
            not of its sentences, or there is no such column.
    """
    here = as_archive(scored)
    draws, sample = _drawn(work, here.digest)
    if not draws:
        raise StanceError(_no_sample(work, scored))
    layout = read_layout(scored.tables)
    given = scored_labels(scored)
    stance_of = _verdicts(work, scheme)
    known = {row.sentence_id: stance_of[row.sentence_id] for row in draws if row.sentence_id in stance_of}
    units = int(layout.unit.max(initial=-1)) + 1
    stance, weight, chance = np.zeros(units, np.int8), np.zeros(units), np.zeros(units, np.bool_)
    places = find_sentences(scored.tables / "sentences.parquet", known)
    for name, value in weights(draws, units, known.keys()).items():
        unit = layout.unit[places[name][0]]
        stance[unit], weight[unit], chance[unit] = scheme.names.index(known[name]), value, True
    notes = [f"{len(known):,} of {len(draws):,} sentences drawn from this archive have a verdict"]
    if others := sorted({row.model for row in sample} - {scored.model}):
        notes.append(
            f"the sample was drawn when the archive had been scored by the model {', '.join(others)}: its labels "
            f"correct the scores of {scored.model} as well"
        )
    return Inputs(
        coder=f"model {scored.model} on the archive {scored.folder}",
        names=list(scheme.names),
        given=given,
        labels=Labels(
            stance=stance[layout.unit],
            weight=weight[layout.unit],
            unit=layout.unit,
            by_chance=chance[layout.unit],
            held=given,
        )
        if known
        else None,
        why_not="" if known else "no sentence that was drawn from this archive has a verdict yet",
        verdict=chance[layout.unit],
        sampled=((weight > 0) & chance)[layout.unit],
        unit=layout.unit,
        home=layout.home,
        article=layout.article,
        columns=[column(scored.tables, layout, name) for name in dict.fromkeys(by)],
        notes=notes,
    )


def _drawn(work: Path, archive: str) -> tuple[list[Draw], list[ArchivedSentence]]:
    """The draws of all rounds from an archive, as draws at random from its units, and their sentences."""
    mine = {(row.sentence_id, row.round): row for row in read_archived(work) if row.archive == archive}
    rows = [row for row in read_sample(work) if row.by == "archive" and (row.sentence_id, row.round) in mine]
    draws = [msgspec.structs.replace(row, by="random") for row in rows]
    return draws, [mine[row.sentence_id, row.round] for row in rows]


def _no_sample(work: Path, scored: ScoredArchive) -> str:
    drawn = {row.archive for row in read_archived(work)}
    ask = f"`stance push --from-archive {scored.folder} --limit 300` draws one"
    if not drawn:
        return f"{scored.folder}: expected labels of a random sample of this archive; no sample was drawn. {ask}"
    return (
        f"{scored.folder}: expected labels of a random sample of this archive as it is now; found samples of "
        f"{len(drawn):,} other archives, or of earlier states of it, before articles were added or changed. {ask}"
    )


def _verdicts(work: Path, scheme: Scheme) -> dict[str, Stance]:
    path = work / "verdicts.jsonl"
    rows = read_labelled_if_there(path, Verdict, scheme)
    return {row.sentence_id: row.stance for row in rows}
