"""Measure what sentence vectors add to n-grams alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from labeling.scheme import Scheme, Stance
from labeling.statistics.intervals import Estimate
from train.metrics import Comparison, compare, evaluate
from train.model import tfidf_logistic
from train.model.tfidf_logistic import Model
from train.records import Example, Trial


class VectorGain(msgspec.Struct, frozen=True, kw_only=True):
    """A model with sentence vectors beside the baseline, which is the best recipe of n-grams alone.

    Attributes:
        baseline: recipe and cross-validated scores of the baseline; both recipes were chosen by the same folds.
        f_avg: F_avg of the baseline on the test split.
        macro_f1: macro-F1 of the baseline on the test split.
        accuracy: accuracy of the baseline on the test split.
        compared: scores of the model minus those of the baseline, paired, on the test split.
        share: share of the vectors in what moves the model's decision values on the test split; see `vector_share`.
    """

    baseline: Trial
    f_avg: Estimate
    macro_f1: Estimate
    accuracy: Estimate
    compared: Comparison
    share: float


def vector_gain(
    model: Model,
    baseline: Trial,
    training: Sequence[Example],
    testing: Sequence[Example],
    chances: NDArray[np.float64],
    seed: int,
    scheme: Scheme,
) -> VectorGain:
    """Fit the baseline and compare it with the model on the test split.

    Args:
        model: fitted model with sentence vectors.
        baseline: best recipe of n-grams alone, with its cross-validated scores.
        training: examples that the model was fitted on, as its pipelines read them.
        testing: examples of the test split, likewise.
        chances: the model's probabilities for the test split.
        seed: seed of the bootstrap.
        scheme: labels of the examples.
    """
    fitted = tfidf_logistic.fit(baseline.recipe, training, scheme)
    alone = tfidf_logistic.probabilities(fitted, [row.text for row in testing], [row.target for row in testing])
    true: list[Stance] = [row.label for row in testing]
    ours, theirs = ([scheme.names[n] for n in found.argmax(axis=1)] for found in (chances, alone))
    groups = [row.group for row in testing]
    scores = evaluate(true, theirs, groups, seed, scheme=scheme)
    return VectorGain(
        baseline=baseline,
        f_avg=scores.f_avg,
        macro_f1=scores.macro_f1,
        accuracy=scores.accuracy,
        compared=compare(true, ours, theirs, groups, seed, scheme),
        share=vector_share(model, testing),
    )


def vector_share(model: Model, texts: Sequence[Example]) -> float:
    """The share of sentence vectors in what moves the decision values of some texts, from 0 to 1.

    A decision value is the sum of a part from n-grams, a part from the vector, and a constant. Each part counts with
    its mean absolute distance from its own mean over the texts, for each stance.

    Args:
        model: model with sentence vectors.
        texts: texts as the pipelines read them, each with its target.
    """
    by_target: dict[str, list[str]] = defaultdict(list)
    for row in texts:
        by_target[row.target].append(row.text)
    moved = np.zeros(2)
    for target, mine in by_target.items():
        pipeline = model.pipelines.get(target)
        if pipeline is None:  # a target that no training example had
            continue
        x = tfidf_logistic.features(pipeline, mine, model.vectors, model.recipe.vectors)
        coefficients = pipeline["logistic"].coef_.T
        width = x.shape[1] - (model.vectors.width if model.vectors else 0)
        for n, part in enumerate((x[:, :width] @ coefficients[:width], x[:, width:] @ coefficients[width:])):
            moved[n] += np.abs(part - part.mean(axis=0)).sum()
    return float(moved[1] / moved.sum()) if moved.sum() else 0.0
