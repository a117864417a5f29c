"""Qualification: settled sentences that a new annotator labels first, scored by the verdicts.

The tasks stand in a Label Studio project of their own. Their `control` is the qualification's number, as a negative
number, so that nothing counts their answers as votes and no control round is mistaken for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from corpus.errors import ConfigError
from corpus.numbers import number as counted
from corpus.store import read_jsonl_if_there, table_path, write_jsonl
from labeling.records import Annotation, LabelingSettings, Verdict
from labeling.sampling.sample import draw_controls
from labeling.scheme import Stance
from labeling.statistics.agreement import cohen_kappa

FILE = "qualifications.jsonl"


class Qualification(msgspec.Struct, frozen=True, kw_only=True):
    """The sentences that a new annotator labels first.

    Attributes:
        number: number of the qualification, from 1.
        annotator: pseudonym of the new annotator.
        sentence_ids: the settled sentences, in the order in which they are shown.
    """

    number: int
    annotator: str
    sentence_ids: list[str]

    @property
    def keys(self) -> list[tuple[str, int]]:
        """Sentence and control number of each task."""
        return [(sentence_id, -self.number) for sentence_id in self.sentence_ids]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How far the answers to a qualification agree with the verdicts.

    Attributes:
        number: number of the qualification.
        annotator: pseudonym of the person who answered; if nobody has, of the person whom it is for.
        asked: number of its sentences.
        answered: sentences answered so far, skips included.
        skipped: those of them that were skipped.
        open: those that were labelled, but have no verdict now, so that they are not scored.
        scored: the others that were labelled.
        same: those of them whose label is the verdict.
        kappa: Cohen's kappa with the verdicts; NaN if it is undefined.
        labels: number of scored sentences and of those with the same label, by label of the verdict.
    """

    number: int
    annotator: str
    asked: int
    answered: int
    skipped: int
    open: int
    scored: int
    same: int
    kappa: float
    labels: dict[Stance, tuple[int, int]]


def read_qualifications(work: Path) -> list[Qualification]:
    """The qualifications so far, by their numbers; empty if there is none."""
    path = table_path(work, FILE)
    rows = read_jsonl_if_there(path, Qualification)
    return sorted(rows, key=lambda row: row.number)


def write_qualifications(work: Path, rows: Sequence[Qualification]) -> bool:
    """Write all qualifications; True if the file changed."""
    return write_jsonl(table_path(work, FILE), rows)


def draw_qualification(
    earlier: Sequence[Qualification],
    annotator: str,
    count: int,
    settled: Iterable[Verdict],
    answers: Collection[Annotation],
    corpus: Collection[str],
    settings: LabelingSettings,
) -> Qualification | None:
    """A qualification for an annotator, or None as long as the last one is not answered.

    As far as the verdicts are the same, every new annotator gets the same sentences, so that scores can be compared.
    Sentences that the annotator has answered are left out.

    Args:
        earlier: qualifications so far.
        annotator: pseudonym of the annotator.
        count: number of sentences.
        settled: the verdicts.
        answers: all answers so far.
        corpus: ids of the sentences of the corpus.
        settings: `[labeling]` of stance.toml.

    Raises:
        ConfigError: fewer sentences are settled than are asked for.
    """
    mine = {(row.sentence_id, row.control) for row in answers if row.annotator == annotator}
    last = next((row for row in reversed(earlier) if row.annotator == annotator), None)
    if last and any(key not in mine for key in last.keys if key[0] in corpus):
        return None
    seen = {sentence_id for sentence_id, _ in mine}
    pool = [row.sentence_id for row in settled if row.sentence_id in corpus and row.sentence_id not in seen]
    if len(pool) < count:
        raise ConfigError(
            f"--qualify: expected {counted(count, 'settled sentence')} that {annotator} has not answered; found "
            f"{len(pool)}. Take a smaller --limit, or settle more sentences with `stance adjudicate`"
        )
    drawn = draw_controls(pool, count, [], settings)
    number = max((row.number for row in earlier), default=0) + 1
    return Qualification(number=number, annotator=annotator, sentence_ids=[row.sentence_id for row in drawn])


def scores(
    qualifications: Iterable[Qualification],
    answers: Iterable[Annotation],
    verdicts: Mapping[str, Stance],
    names: Sequence[Stance],
) -> list[Score]:
    """The score of everybody who answered a qualification, by number and name.

    Args:
        qualifications: the qualifications.
        answers: all answers, with the present names of their labels; each person's last answer to a task counts.
        verdicts: the label of each settled sentence.
        names: labels of the project.
    """
    last: dict[int, dict[str, dict[str, Stance | None]]] = defaultdict(lambda: defaultdict(dict))
    for answer in sorted(answers, key=lambda row: (row.updated_at, row.studio_id or 0)):
        if answer.control < 0:
            last[-answer.control][answer.annotator][answer.sentence_id] = answer.stance
    found: list[Score] = []
    for row in qualifications:
        by_person = {
            person: {key: given[key] for key in row.sentence_ids if key in given}
            for person, given in sorted(last[row.number].items())
        }
        by_person = {person: given for person, given in by_person.items() if given} or {row.annotator: {}}
        found += [_score(row, person, given, verdicts, names) for person, given in by_person.items()]
    return found


def _score(
    row: Qualification,
    person: str,
    given: Mapping[str, Stance | None],
    verdicts: Mapping[str, Stance],
    names: Sequence[Stance],
) -> Score:
    labelled = {key: label for key, label in given.items() if label is not None}
    pairs = [(label, verdicts[key]) for key, label in labelled.items() if key in verdicts]
    ours, theirs = [label for label, _ in pairs], [verdict for _, verdict in pairs]
    return Score(
        number=row.number,
        annotator=person,
        asked=len(row.sentence_ids),
        answered=len(given),
        skipped=len(given) - len(labelled),
        open=len(labelled) - len(pairs),
        scored=len(pairs),
        same=sum(label == verdict for label, verdict in pairs),
        kappa=cohen_kappa(ours, theirs) if pairs else float("nan"),
        labels={
            name: (theirs.count(name), sum(label == verdict == name for label, verdict in pairs))
            for name in names
            if name in theirs
        },
    )
