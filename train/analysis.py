"""What one should know beside the scores: leaks, calibration, the ceiling, whether more labels would help."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from corpus.records import ExamplesError
from labeling.records import STANCES, Stance
from train import baseline
from train.audit import Audit, FitPredict, Naive, WithWithout, naive, with_and_without
from train.calibration import Recalibration, recalibrate
from train.curve import LearningCurve, learning_curve
from train.evaluate import Ceiling, ceiling
from train.examples import SplitSummary
from train.records import Example, Recipe, read_record
from train.search import Searched

Result = TypeVar("Result")
SEEDS = range(1, 6)
"""Random splits of the naive comparison; each fits the recipe twice."""
REPEATS = 5
"""Series of the learning curve; each fits the recipe four times."""


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
        notes: what could not be measured, and why.
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


def fitting(recipe: Recipe) -> FitPredict:
    """A function that fits the recipe to examples and gives the stances of others."""

    def fit_predict(training: Sequence[Example], testing: Sequence[Example]) -> list[Stance]:
        labels: dict[str, set[Stance]] = defaultdict(set)
        for row in training:
            labels[row.target].add(row.label)
        # Those of the test part alone are judged by the models of the others, as in `baseline.probabilities`.
        for target in sorted(labels):
            if missing := [stance for stance in STANCES if stance not in labels[target]]:
                of = f" for the target {target!r}" if target else ""
                raise ExamplesError(f"a part of the training data has no {missing[0]}{of}: there are too few of them")
        model = baseline.fit(recipe, training)
        found = baseline.probabilities(model, [row.text for row in testing], [row.target for row in testing])
        return [STANCES[n] for n in found.argmax(axis=1)]

    return fit_predict


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
) -> Analysis:
    """Measure what stands beside the scores of a chosen recipe.

    Args:
        searched: the recipe and its out-of-fold probabilities for the training examples.
        training: the examples that were trained on.
        testing: the test split.
        probabilities: the model's for the test split, examples × stances.
        found: the audit of these two sets.
        seed: of draws and bootstraps.
        ready_made: whether the splits came with the data.
        splits: what is known of splits that were made here.
        votes: sentence → annotator → stance, where there are any.
        outside: whether the examples are not the project's own.
    """
    groups = [row.group for row in testing]
    true: list[Stance] = [row.label for row in testing]
    given: list[Stance] = [STANCES[n] for n in probabilities.argmax(axis=1)]
    fit_predict = fitting(searched.trials[0].recipe)
    notes: list[str] = []
    # Splits that came with the data may cut through clusters; the curve must not learn from the test's.
    tested = set(groups)
    apart = [row for row in training if row.group not in tested]
    by = [enough(votes.get(row.sentence_id, {})) for row in testing] if votes else []
    return Analysis(
        audit=found,
        ready_made=ready_made,
        with_without=with_and_without(testing, given, found, seed) if found.affected else None,
        splits=splits,
        naive=_tried(lambda: naive([*training, *testing], len(testing), fit_predict, SEEDS), notes),
        calibration=recalibrate(
            [row.label for row in training], searched.out_of_fold, true, probabilities, groups, seed
        ),
        curve=_tried(lambda: learning_curve(apart, testing, fit_predict, REPEATS, seed), notes),
        ceiling=ceiling(by, given, groups, seed) if any(by) else None,
        notes=notes,
        outside=outside,
    )


def enough(votes: Mapping[str, Stance]) -> Mapping[str, Stance]:
    """The votes of three people and more: one other person alone is no majority to be measured by."""
    return votes if len(votes) > 2 else {}


def _tried(work: Callable[[], Result], notes: list[str]) -> Result | None:
    """The result; or None and a note, where the data is too small for it."""
    try:
        return work()
    except ExamplesError as error:
        notes.append(str(error))
        return None
