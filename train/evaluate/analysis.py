"""Collect what readers need to judge the scores: leaks, calibration, the annotators' ceiling, the learning curve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Scheme, Stance
from train.encoder.vectors import Vectors
from train.evaluate.calibration import Recalibration, recalibrate
from train.evaluate.ceiling import Ceiling, ceiling
from train.evaluate.leak_audit import Audit, Naive, WithWithout, naive, with_and_without
from train.evaluate.learning_curve import LearningCurve, learning_curve
from train.evaluate.vector_gain import VectorGain
from train.examples.splits import SplitSummary
from train.records import Example, TargetScore, read_record
from train.watch import Watch

if TYPE_CHECKING:  # scikit-learn is loaded only where something is measured, not where `analysis.json` is read
    from train.model.counted_texts import Fits
    from train.model.search import Searched

Result = TypeVar("Result")
SEEDS = range(1, 6)
"""Seeds of the random splits in the naive comparison; for each seed the recipe is fitted twice."""
REPEATS = 5
"""Number of series of subsets in the learning curve; for each series the recipe is fitted four times."""
REPEATS_LONG = 2
"""Number of such series where the texts together have more characters than all recipes are tried on."""


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """`analysis.json`; what could not be measured is None, and `notes` says why.

    Attributes:
        audit: leak audit, which compares the test split with the training data.
        ready_made: whether the splits came with the data; for splits that were made here the audit lists no pair.
        with_without: scores with and without the test sentences that the audit names; None if it names none.
        splits: summary of the splits that were made here; None if they came with the data.
        naive: scores of random splits by sentence, and by how much they exceed those of splits by group.
        calibration: calibration before and after the probabilities were rescaled by a temperature.
        curve: learning curve: scores by the number of training groups.
        ceiling: the annotators' scores, with the model's on the same sentences; None where no sentence of the test
            split has three votes.
        notes: what could not be measured, and why; and what was measured on only some of the examples.
        outside: whether the examples come from outside the project, and are not its verdicts.
        languages: scores on the test sentences of each language, by its code; empty unless there are several. A
            language that is not known is "".
        vectors: what sentence vectors add to n-grams alone; left out of the file for a model without them.
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
    languages: dict[str, TargetScore] = {}
    vectors: VectorGain | msgspec.UnsetType = msgspec.UNSET


def read_analysis(folder: Path) -> Analysis:
    """The analysis in a model folder.

    Raises:
        ExamplesError: there is none, or another version wrote it.
    """
    return read_record(folder / "analysis.json", Analysis)


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """A model's results, and what is known of its examples.

    Attributes:
        searched: result of the search: the recipe and its out-of-fold probabilities for the training examples.
        training: examples that the model was trained on.
        testing: examples of the test split.
        probabilities: the model's probabilities for the test split, shape (examples, labels).
        leaks: leak audit of the training and the test examples.
        ready_made: whether the splits came with the data.
        splits: summary of the splits, where they were made here.
        votes: stance by annotator for each sentence id, where there are votes.
        outside: whether the examples come from outside the project.
        scheme: labels of the examples.
        vectors: sentence vectors of the model, if it has any.
    """

    searched: Searched
    training: Sequence[Example]
    testing: Sequence[Example]
    probabilities: NDArray[np.float64]
    leaks: Audit
    ready_made: bool
    splits: SplitSummary | None
    votes: Mapping[str, Mapping[str, Stance]] | None
    outside: bool
    scheme: Scheme = DEFAULT
    vectors: Vectors | None = None


def analyse(tested: Tested, seed: int, watch: Watch, jobs: int) -> Analysis:
    """Measure everything in `Analysis` for a chosen recipe.

    Where the texts together have more than 4 million characters, the comparison with random splits is made on a part of
    them, as the search is, and the learning curve has two series of subsets instead of five. A note reports the first.

    Args:
        tested: the model's results.
        seed: seed of draws and bootstraps.
        watch: functions that are told how far the analysis is.
        jobs: number of threads, -1 for one per core; the result does not depend on it.
    """
    from train.model.counted_texts import Fits
    from train.model.search import is_long, part_of

    training, testing, probabilities = tested.training, tested.testing, tested.probabilities
    votes, leaks, scheme = tested.votes, tested.leaks, tested.scheme
    groups = [row.group for row in testing]
    given: list[Stance] = [scheme.names[n] for n in probabilities.argmax(axis=1)]
    everything = [*training, *testing]
    notes: list[str] = []
    long, whole = is_long(everything), len(training)
    compared = part_of(everything)
    if len(compared) < len(everything):
        notes.append(
            f"random splits by sentence and by group were compared on {len(compared):,} of {len(everything):,} "
            "examples, as all of them together are so long that it would take much time"
        )
    tested_here = max(1, round(len(testing) * len(compared) / len(everything)))
    watch.stage("counting n-grams")
    fits = Fits(tested.searched.trials[0].recipe, everything, scheme, tested.vectors)

    def fit_predict(seen: Sequence[Example], asked: Sequence[Example]) -> Sequence[Stance]:
        # A fit on all training examples is the model itself, whose predictions are known.
        return given if len(seen) == whole and asked is testing else fits(seen, asked)

    def compare_splits() -> Naive:
        watch.stage("comparing with random splits")
        return naive(compared, tested_here, fits, SEEDS, watch.step, jobs, scheme)

    def draw_curve() -> LearningCurve:
        watch.stage("drawing the learning curve")
        repeats = REPEATS_LONG if long else REPEATS
        return learning_curve(apart, testing, fit_predict, repeats, seed, watch.step, jobs, scheme)

    # Splits that came with the data may cut through groups; the curve must not learn from the test split's groups.
    held_out = set(groups)
    apart = [row for row in training if row.group not in held_out]
    by = [enough(votes.get(row.sentence_id, {})) for row in testing] if votes else []
    return Analysis(
        audit=leaks,
        ready_made=tested.ready_made,
        with_without=with_and_without(testing, given, leaks, seed, scheme) if leaks.affected else None,
        splits=tested.splits,
        naive=_tried(compare_splits, notes),
        curve=_tried(draw_curve, notes),
        calibration=_calibrated(tested, fits, seed, watch),
        ceiling=ceiling(by, given, groups, seed, scheme) if any(by) else None,
        notes=notes,
        outside=tested.outside,
    )


def _calibrated(tested: Tested, fits: Fits, seed: int, watch: Watch) -> Recalibration:
    from train.model.search import first_fold
    from train.model.tfidf_logistic import calm

    searched, training, testing = tested.searched, tested.training, tested.testing
    watch.stage("calibrating, and drawing intervals")
    held = np.flatnonzero(~np.isnan(searched.out_of_fold[:, 0])).tolist()
    chances = searched.out_of_fold[held]
    if not held:  # with long texts, one fold has enough examples to fit one temperature
        held = first_fold(training, seed, tested.scheme)
        others = set(held)
        with calm():
            chances = fits.probabilities(
                [row for n, row in enumerate(training) if n not in others], [training[n] for n in held]
            )
    return recalibrate(
        [training[n].label for n in held],
        chances,
        [row.label for row in testing],
        tested.probabilities,
        [row.group for row in testing],
        seed,
        tested.scheme,
    )


def enough(votes: Mapping[str, Stance]) -> Mapping[str, Stance]:
    """The votes, if there are three or more; none otherwise, as one other annotator alone is not a majority."""
    return votes if len(votes) > 2 else {}


def _tried(work: Callable[[], Result], notes: list[str]) -> Result | None:
    """The result of some work, or None and a note where the data are too few for it."""
    try:
        return work()
    except ExamplesError as error:
        notes.append(f"Not measured: {error}")
        return None
