"""Apply a fitted model of n-grams and sentence vectors to many texts at once; see `train.model.scorer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from labeling.scheme import Stance
from train.model.decision_values import of_decisions
from train.model.scorer import Scorer, scorer

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Floats = NDArray[np.float64]


class VectorScorer(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted pipeline with sentence vectors, ready for many texts.

    Attributes:
        ngrams: what computes the part of the n-grams and the constant; None where only scikit-learn can.
        pipeline: the pipeline, in that case.
        weights: weight times coefficient of each number of a vector (rows) and class.
        classes: classes of the logistic regression.
    """

    ngrams: Scorer | None
    pipeline: Pipeline | None
    weights: Floats
    classes: list[str]

    def probabilities(self, texts: Sequence[str], vectors: NDArray[np.float32], labels: Sequence[Stance]) -> Floats:
        """Probabilities of each text (rows) for each label (columns), as `Scorer.probabilities`.

        Args:
            texts: texts as the pipeline reads them.
            vectors: their sentence vectors.
            labels: labels of the model, in their order.
        """
        # One product for each text: a product of them all could round each text by how many there are.
        parts = [vector.astype(np.float64) @ self.weights for vector in vectors]
        found = self._of_ngrams(texts) + (np.stack(parts) if parts else np.zeros((0, self.weights.shape[1])))
        return of_decisions(self.classes, found, labels)

    def _of_ngrams(self, texts: Sequence[str]) -> Floats:
        if self.ngrams is not None:
            return self.ngrams.decisions(texts)
        assert self.pipeline is not None
        logistic = self.pipeline["logistic"]
        x = self.pipeline["tfidf"].transform(texts)
        found: Floats = x @ logistic.coef_[:, : x.shape[1]].T + logistic.intercept_
        return found


def vector_scorer(pipeline: Pipeline, weight: float, width: int) -> VectorScorer:
    """The scorer of a fitted pipeline whose last `width` coefficients are those of sentence vectors."""
    logistic = pipeline["logistic"]
    fast = scorer(pipeline)
    return VectorScorer(
        ngrams=fast,
        pipeline=None if fast else pipeline,
        weights=logistic.coef_[:, -width:].T.astype(np.float64) * weight,
        classes=logistic.classes_.tolist(),
    )
