"""Which tasks showed annotators a suggested label, and how far the annotators followed it (anchoring)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from corpus.store import table_path, write_jsonl
from labeling.records import Annotation
from labeling.scheme import Scheme, Stance, read_labelled_if_there
from labeling.statistics.bootstrap import resampled
from labeling.statistics.coefficient_intervals import ratio
from labeling.statistics.intervals import Estimate, percentile_estimate, share_estimates
from labeling.votes import numbered

FILE = "suggestions.jsonl"
RESAMPLES = 1000


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A label that a task shows to annotators, or that is held back from them.

    Attributes:
        sentence_id: the sentence.
        stance: the label.
        model: version of the model, or name of the machine coder, that gives it.
        shown: whether annotators see it; if not, their answers tell what they say without it.
        since: time from which this holds, by the server's clock, ISO 8601 in UTC.
    """

    sentence_id: str
    stance: Stance
    model: str
    shown: bool
    since: str


class Anchoring(msgspec.Struct, frozen=True, kw_only=True):
    """How often annotators give the suggested label where they see it, and where it is held back.

    Attributes:
        shown: number of answers that were given with the suggestion in view.
        held_back: number of answers to tasks that held it back.
        with_suggestion: share of the former that are the suggested label.
        without: share of the latter that are the label that would have been suggested.
        difference: the former share less the latter: how far people follow what they see. The interval is by bootstrap
            over articles.
    """

    shown: int
    held_back: int
    with_suggestion: Estimate
    without: Estimate
    difference: Estimate


def is_shown(sentence_id: str, share: float, seed: int) -> bool:
    """Whether a sentence's suggestion is shown; its id and the seed decide, so that this is random and never changes.

    A larger share shows what a smaller one does, and more.

    Args:
        sentence_id: the sentence.
        share: share of the tasks that show their suggestion, from 0 to 1.
        seed: seed of the project's random draws.
    """
    drawn = hashlib.blake2b(f"suggestion {seed} {sentence_id}".encode(), digest_size=8).hexdigest()
    return int(drawn, 16) < share * 2**64


def read_suggestions(work: Path, scheme: Scheme) -> list[Suggestion]:
    """All suggestions so far, in the order in which they were made; empty if there were none.

    Raises:
        TableError: a line is not such a record, or a label is not of the scheme.
    """
    path = table_path(work, FILE)
    return read_labelled_if_there(path, Suggestion, scheme)


def add_suggestions(work: Path, scheme: Scheme, new: Iterable[Suggestion]) -> None:
    """Add suggestions to those that the project keeps, as far as they differ from each sentence's last one."""
    rows = read_suggestions(work, scheme)
    last = {row.sentence_id: row for row in rows}
    added = [
        row
        for row in new
        if row.sentence_id not in last or msgspec.structs.replace(last[row.sentence_id], since=row.since) != row
    ]
    if added:
        write_jsonl(table_path(work, FILE), [*rows, *added])


def anchoring(
    suggestions: Sequence[Suggestion], answers: Iterable[Annotation], article_of: Mapping[str, str]
) -> Anchoring | None:
    """Compare answers that were given with a suggestion in view with answers to tasks that held it back.

    An answer belongs to the latest suggestion before it; answers before any suggestion, skips, and adopted answers
    count nowhere. Chance decided which tasks show their suggestion, so that the difference is the effect of seeing it.

    Args:
        suggestions: all suggestions in the order in which they were made.
        answers: answers that count, of people.
        article_of: article of each sentence of the corpus.

    Returns:
        The comparison; None unless there are answers of both kinds.
    """
    made: dict[str, list[Suggestion]] = defaultdict(list)
    for row in suggestions:
        made[row.sentence_id].append(row)
    hits: dict[bool, list[tuple[str, bool]]] = {True: [], False: []}
    for answer in answers:
        if answer.stance is None or answer.adopted or answer.control or answer.sentence_id not in article_of:
            continue
        before = [row for row in made.get(answer.sentence_id, ()) if row.since[:19] <= answer.created_at[:19]]
        if before:
            hits[before[-1].shown].append((article_of[answer.sentence_id], answer.stance == before[-1].stance))
    if not hits[True] or not hits[False]:
        return None
    _, place = numbered(article for rows in hits.values() for article, _ in rows)
    parts = np.zeros((len(place), 2, 2))
    for shown, rows in hits.items():
        for article, hit in rows:
            parts[place[article], int(shown), int(not hit)] += 1
    sums = parts.sum(axis=0)
    held, seen = (share_estimates(part[part.sum(axis=1) > 0], float(part.sum())) for part in (parts[:, 0], parts[:, 1]))
    difference = float(sums[1, 0] / sums[1].sum() - sums[0, 0] / sums[0].sum())
    drawn = resampled(parts, 1, RESAMPLES)
    size = drawn.sum(axis=2)
    rates = ratio(drawn[:, :, 0], size)
    apart = rates[:, 1] - rates[:, 0]
    return Anchoring(
        shown=int(sums[1].sum()),
        held_back=int(sums[0].sum()),
        with_suggestion=seen[0],
        without=held[0],
        difference=percentile_estimate(difference, apart, len(place)),
    )
