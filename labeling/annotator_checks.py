"""Check annotators: answers that are too fast or always the same, and different answers to repeated sentences."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from statistics import median

import msgspec

from labeling.records import Annotation, is_unknown
from labeling.scheme import DEFAULT, Scheme, Stance

# A choice, not a measurement: 600 words a minute is faster than anybody reads who weighs each sentence.
SECONDS_A_WORD = 0.1
# Choices as well: the fewest answers that say anything, the share of equal answers that counts as nearly all, and
# the share of the same label among the others' votes from which the annotator is not remarkable.
ENOUGH = 20
NEARLY_ALL = 0.95
OTHERS = 0.8
UNNAMED = "unknown"
"""The name under which the answers of unknown people are listed together."""


class AnnotatorProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What one annotator answered: votes by stance, sentences skipped, votes marked unsure.

    `seconds` is the median time of an answer, skips included; NaN where none was timed.
    """

    annotator: str
    votes: dict[str, int]
    skips: int
    unsure: int
    seconds: float


class TooFast(msgspec.Struct, frozen=True, kw_only=True, tag_field="warning", tag="too_fast"):
    """Most answers came faster than the sentence can be read.

    Of `answers` timed answers, `quick` took less than 0.1 s a word. `seconds` is the median time that an answer took,
    and `needed` is the median of the times that 0.1 s a word would give.
    """

    annotator: str
    answers: int
    quick: int
    seconds: float
    needed: float


class AlwaysSame(msgspec.Struct, frozen=True, kw_only=True, tag_field="warning", tag="always_same"):
    """An annotator gave one label nearly throughout, where others gave it less often.

    On sentences that others labelled as well, `same` of the annotator's `votes` are `label`, and `others_same`
    of the others' `others`.
    """

    annotator: str
    label: Stance
    votes: int
    same: int
    others: int
    others_same: int


class ControlItems(msgspec.Struct, frozen=True, kw_only=True):
    """An annotator's answers to control items: the number of repeated votes, and the share that were the same."""

    annotator: str
    repeats: int
    same: float


def progress(
    names: Collection[str], answers: Iterable[Annotation], scheme: Scheme = DEFAULT
) -> list[AnnotatorProgress]:
    """What each annotator answered, sorted by name; the answers of unknown people are listed together, last.

    Args:
        names: annotators to list, with or without an answer.
        answers: the last answer of each of these annotators to each sentence, control items left out.
        scheme: labels of the project.
    """
    given: dict[str, list[Annotation]] = {name: [] for name in sorted(names) if not is_unknown(name)}
    if any(map(is_unknown, names)):
        given[UNNAMED] = []
    for row in answers:
        given[UNNAMED if is_unknown(row.annotator) else row.annotator].append(row)
    listed: list[AnnotatorProgress] = []
    for name, rows in given.items():
        votes = Counter(row.stance for row in rows)
        listed.append(
            AnnotatorProgress(
                annotator=name,
                votes={stance: votes[stance] for stance in scheme.names},
                skips=votes[None],
                unsure=sum(row.unsure for row in rows if row.stance is not None),
                seconds=median([row.seconds for row in rows if row.seconds is not None] or [math.nan]),
            )
        )
    return listed


def warnings(answers: Collection[Annotation], words: Mapping[str, int]) -> list[TooFast | AlwaysSame]:
    """Annotators whose answers look careless, sorted by name; an annotator with fewer than 20 answers is not judged.

    Args:
        answers: the last answer of each annotator to each sentence, control items left out: a sentence that was
            read before takes less time.
        words: number of words of each sentence.
    """
    given: dict[str, list[Annotation]] = defaultdict(list)
    votes: dict[str, Counter[Stance]] = defaultdict(Counter)
    for row in answers:
        given[row.annotator].append(row)
        if row.stance is not None:
            votes[row.sentence_id][row.stance] += 1
    raised = [warning for _, rows in sorted(given.items()) for warning in (_fast(rows, words), _same(rows, votes))]
    return [warning for warning in raised if warning is not None]


def _fast(rows: list[Annotation], words: Mapping[str, int]) -> TooFast | None:
    timed = [(row.seconds, SECONDS_A_WORD * words[row.sentence_id]) for row in rows if row.seconds is not None]
    quick = sum(seconds < needed for seconds, needed in timed)
    if len(timed) < ENOUGH or 2 * quick <= len(timed):
        return None
    return TooFast(
        annotator=rows[0].annotator,
        answers=len(timed),
        quick=quick,
        seconds=median(seconds for seconds, _ in timed),
        needed=median(needed for _, needed in timed),
    )


def _same(rows: list[Annotation], votes: Mapping[str, Counter[Stance]]) -> AlwaysSame | None:
    # Only sentences on which others voted too: elsewhere nobody can say that the label was wrong.
    shared = [(row.sentence_id, row.stance) for row in rows if row.stance and votes[row.sentence_id].total() > 1]
    if len(shared) < ENOUGH:
        return None
    (label, same), *_ = Counter(stance for _, stance in shared).most_common(1)
    others = sum(votes[key].total() for key, _ in shared) - len(shared)
    others_same = sum(votes[key][label] for key, _ in shared) - same
    if same < NEARLY_ALL * len(shared) or others_same >= OTHERS * others:
        return None
    return AlwaysSame(
        annotator=rows[0].annotator,
        label=label,
        votes=len(shared),
        same=same,
        others=others,
        others_same=others_same,
    )


def skipped_controls(annotations: Iterable[Annotation]) -> dict[str, int]:
    """How many control items each annotator skipped, by name, sorted; annotators who skipped none are not listed.

    Args:
        annotations: all answers, ordinary and control.
    """
    last: dict[tuple[str, str, int], Annotation] = {}
    for row in sorted(annotations, key=lambda row: (row.updated_at, row.studio_id or 0)):
        if row.control:
            last[row.annotator, row.sentence_id, row.control] = row
    return dict(sorted(Counter(annotator for (annotator, _, _), row in last.items() if row.stance is None).items()))


def control_items(annotations: Iterable[Annotation]) -> list[ControlItems]:
    """How often each annotator answers a control item as they had voted before; sorted by name.

    The earlier vote is the annotator's last ordinary one that is not later than the answer to the control item, by
    `updated_at`. Without an earlier vote, or if either was skipped, there is no repeat; annotators without repeats are
    not listed. Of several answers to the same control item, the last one counts.

    Args:
        annotations: all answers, ordinary and control.
    """
    ordinary: dict[tuple[str, str], list[Annotation]] = defaultdict(list)
    control: dict[tuple[str, str, int], Annotation] = {}
    for row in sorted(annotations, key=lambda row: (row.updated_at, row.studio_id or 0)):
        if row.control < 0:
            continue  # a qualification, which repeats no vote of the annotator's own
        if row.control:
            control[row.annotator, row.sentence_id, row.control] = row
        else:
            ordinary[row.annotator, row.sentence_id].append(row)
    answered: dict[str, list[bool]] = defaultdict(list)
    for (annotator, sentence_id, _), again in sorted(control.items()):
        before = [row for row in ordinary[annotator, sentence_id] if row.updated_at <= again.updated_at]
        if before and before[-1].stance is not None and again.stance is not None:
            answered[annotator].append(before[-1].stance == again.stance)
    return [
        ControlItems(annotator=annotator, repeats=len(same), same=sum(same) / len(same))
        for annotator, same in answered.items()
    ]
