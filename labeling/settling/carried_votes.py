"""Carry votes of earlier codebooks over to the present one: which still count, and what their labels are called now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from labeling.codebook import Codebook
from labeling.records import Annotation
from labeling.scheme import DEFAULT, Scheme
from labeling.votes import latest_answers


class CarriedVotes(msgspec.Struct, frozen=True, kw_only=True):
    """Answers under the present codebook.

    Attributes:
        every: all answers, their labels by their present names, without those whose label no longer exists.
        valid: those of them that count.
        again: the label that is asked for again, by sentence and annotator, where no later vote makes up for it.
    """

    every: list[Annotation]
    valid: list[Annotation]
    again: dict[str, dict[str, str]]


def carry(answers: Iterable[Annotation], codebook: Codebook | None, scheme: Scheme = DEFAULT) -> CarriedVotes:
    """Carry votes over to the present codebook.

    A vote for a label that the codebook reopened counts no more. Its sentence stays open until somebody votes on it
    under the version that reopened the label, or a later one: then the votes that count settle it.

    Args:
        answers: answers in any order, control items included.
        codebook: the codebook; if None, all answers count as they are.
        scheme: labels of the project.
    """
    rows = list(answers)
    if codebook is None:
        return CarriedVotes(every=rows, valid=rows, again={})
    every: list[Annotation] = []
    valid: list[Annotation] = []
    reopened_at: dict[tuple[str, str], tuple[int, str]] = {}
    given = {id(row) for row in latest_answers(rows).values()}
    newest: dict[str, float] = defaultdict(lambda: -1.0)
    kinds = {(row.stance, row.codebook) for row in rows if row.stance is not None}
    names = {kind: codebook.called_now(*kind) for kind in kinds}
    changes = {kind: codebook.asked_again_at(*kind) for kind in kinds}
    for row in rows:
        if row.stance is None:
            every.append(row)
            valid.append(row)
            continue
        now = names[row.stance, row.codebook]
        present = row if now == row.stance else msgspec.structs.replace(row, stance=now)
        if now in scheme.names:
            every.append(present)
        change = changes[row.stance, row.codebook]
        if change is None:
            valid.append(present)
            if not row.control:
                newest[row.sentence_id] = max(newest[row.sentence_id], codebook.place(row.codebook))
        elif id(row) in given:
            reopened_at[row.sentence_id, row.annotator] = change, row.stance
    voted = {key for key, row in latest_answers(valid).items() if row.stance is not None}
    again: dict[str, dict[str, str]] = defaultdict(dict)
    for (sentence_id, annotator), (change, label) in reopened_at.items():
        if (sentence_id, annotator) not in voted and newest[sentence_id] < change:
            again[sentence_id][annotator] = label
    return CarriedVotes(every=every, valid=valid, again=dict(again))
