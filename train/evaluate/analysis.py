"""Collect what belongs beside the scores: leaks, calibration, the annotators' ceiling, the learning curve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from labeling.records import STANCES, Stance
from train.evaluate.calibration import Recalibration, recalibrate
from train.evaluate.ceiling import Ceiling, ceiling
from train.evaluate.leak_audit import Audit, Naive, WithWithout, naive, with_and_without
from train.evaluate.learning_curve import LearningCurve, learning_curve
from train.examples.splits import SplitSummary
from train.model.counted_texts import Fits
from train.model.search import Searched, first_fold, is_long, part_of
from train.model.tfidf_logistic import calm
from train.records import Example, read_record

Result = TypeVar("Result")
SEEDS = range(1, 6)
"""Random splits of the naive comparison; each fits the recipe twice."""
REPEATS = 5
"""Series of the learning curve; each fits the recipe four times."""
REPEATS_LONG = 2
"""The same, where all texts together have more letters than all recipes are tried on."""


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """`analysis.json`; what could not be measured is None, and `notes` says why.

    Attributes:
        audit: test sentences beside the training set.
        ready_made: whether the splits came with the data; those that were made here have no pair.
        with_without: scores with and without the test sentences that the audit names.
        splits: what they hold, and where they could not keep their promise.
        naive: what a random split by sentence would have scored, and by how much it flatters.
        calibration: before and after recalibration by a temperature.
        curve: scores by the number of training groups.
        ceiling: the annotators' own scores beside the model's.
        notes: what could not be measured, and why; and what was measured on a part of the examples.
        outside: whether the examples came from elsewhere, and are not the project's own verdicts.
    """

    audit: Audit
    ready_made: bool
    with_without: WithWithout | None
    splits: SplitSummary | None
    naive: Naive | None
    calibration: Recalibration
    curve: LearningCurve | None
    ceiling: Ceiling | None
    notes: list[str]
    outside: bool = False


def read_analysis(folder: Path) -> Analysis:
    """The analysis in a model folder.

    Raises:
        ExamplesError: there is none, or it is of another version.
    """
    return read_record(folder / "analysis.json", Analysis)


def analyse(
    searched: Searched,
    training: Sequence[Example],
    testing: Sequence[Example],
    probabilities: NDArray[np.float64],
    found: Audit,
    seed: int,
    *,
    ready_made: bool,
    splits: SplitSummary | None = None,
    votes: Mapping[str, Mapping[str, Stance]] | None = None,
    outside: bool = False,
    progress: Callable[[int, int], None] = lambda *_: None,
    stage: Callable[[str], None] = lambda _: None,
    jobs: int = 1,
) -> Analysis:
    """Measure what stands beside the scores of a chosen recipe.

    Args:
        searched: the recipe and its out-of-fold probabilities for the training examples.
        training: the examples that were trained on.
        testing: the test split.
        probabilities: the model's for the test split, examples × stances.
        found: the audit of these two sets.
        seed: seed of draws and bootstraps.
        ready_made: whether the splits came with the data.
        splits: what is known of splits that were made here.
        votes: sentence → annotator → stance, where there are any.
        outside: whether the examples are not the project's own.
        progress: function that is called with each finished fit and the number of fits in the stage.
        stage: function that is called with the name of each stage when it begins.
        jobs: number of threads, -1 for one per core; the result does not depend on it.

    Where the texts together have more than 4 million letters, the comparison with random splits is made on a part of
    them, as the search is, and the learning curve has two series of subsets in place of five; a note says so.
    """
    groups = [row.group for row in testing]
    true: list[Stance] = [row.label for row in testing]
    given: list[Stance] = [STANCES[n] for n in probabilities.argmax(axis=1)]
    everything = [*training, *testing]
    notes: list[str] = []
    long, whole = is_long(everything), len(training)
    compared = part_of(everything)
    if len(compared) < len(everything):
        notes.append(
            f"random splits by sentence and by group were compared on {len(compared):,} of {len(everything):,} "
            "examples, as all of them have so many letters that it would take long"
        )
    tested_here = max(1, round(len(testing) * len(compared) / len(everything)))
    stage("counting n-grams")
    fits = Fits(searched.trials[0].recipe, everything)

    def fit_predict(seen: Sequence[Example], asked: Sequence[Example]) -> Sequence[Stance]:
        # On all training examples that is the model itself, which has been fitted and asked.
        return given if len(seen) == whole and asked is testing else fits(seen, asked)

    def compare_splits() -> Naive:
        stage("comparing with random splits")
        return naive(compared, tested_here, fits, SEEDS, progress, jobs)

    def draw_curve() -> LearningCurve:
        stage("drawing the learning curve")
        repeats = REPEATS_LONG if long else REPEATS
        return learning_curve(apart, testing, fit_predict, repeats, seed, progress, jobs)

    # Splits that came with the data may cut through clusters; the curve must not learn from the test's.
    tested = set(groups)
    apart = [row for row in training if row.group not in tested]
    by = [enough(votes.get(row.sentence_id, {})) for row in testing] if votes else []
    return Analysis(
        audit=found,
        ready_made=ready_made,
        with_without=with_and_without(testing, given, found, seed) if found.affected else None,
        splits=splits,
        naive=_tried(compare_splits, notes),
        curve=_tried(draw_curve, notes),
        calibration=_calibrated(searched, fits, training, true, probabilities, groups, seed, stage),
        ceiling=ceiling(by, given, groups, seed) if any(by) else None,
        notes=notes,
        outside=outside,
    )


def _calibrated(
    searched: Searched,
    fits: Fits,
    training: Sequence[Example],
    true: Sequence[Stance],
    probabilities: NDArray[np.float64],
    groups: Sequence[str],
    seed: int,
    stage: Callable[[str], None],
) -> Recalibration:
    stage("calibrating, and drawing intervals")
    held = np.flatnonzero(~np.isnan(searched.out_of_fold[:, 0])).tolist()
    chances = searched.out_of_fold[held]
    if not held:  # one fold of long texts has examples enough for one temperature
        held = first_fold(training, seed)
        others = set(held)
        with calm():
            chances = fits.probabilities(
                [row for n, row in enumerate(training) if n not in others], [training[n] for n in held]
            )
    return recalibrate([training[n].label for n in held], chances, true, probabilities, groups, seed)


def enough(votes: Mapping[str, Stance]) -> Mapping[str, Stance]:
    """The votes of three people or more: one other person alone is no majority to be measured by."""
    return votes if len(votes) > 2 else {}


def _tried(work: Callable[[], Result], notes: list[str]) -> Result | None:
    """The result; or None and a note, where the data is too small for it."""
    try:
        return work()
    except ExamplesError as error:
        notes.append(f"Not measured: {error}")
        return None
