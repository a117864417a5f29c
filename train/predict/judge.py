"""Open a model and predict the probabilities of the stances of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from labeling.scheme import Stance
from train import input_digests
from train.encoder.vectors import Vectors
from train.model.joint import joined
from train.model.mask import masked
from train.model.scorer import Scorer, scorer
from train.model.vector_scorer import VectorScorer, vector_scorer
from train.records import Recipe

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from train.model.tfidf_logistic import Model

BATCH = 5_000
"""Number of sentences that are predicted at a time."""

MADE_BY = "stance build"


def predictions(labels: Sequence[Stance]) -> pa.Schema:
    """The schema of `predictions.parquet`: one column of probabilities for each label, in their order."""
    chances = [(label, pa.float64()) for label in labels]
    return pa.schema([("sentence_id", pa.string()), ("stance", pa.string()), *chances, ("model", pa.string())])


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is ready to predict many texts for one target; worker processes receive it as it is.

    Attributes:
        judges: what predicts: one or, for a target that no training example had, the models of all targets, whose
            probabilities are averaged. Those that `train.model.scorer` does not cover are scikit-learn's pipelines.
        masked: whether marked mentions are hidden; see `train.model.mask`.
        joint: whether the model reads text and target in one string; see `train.model.joint`.
        labels: labels of the model, in their order.
        recipe: recipe of the model.
        version: the first 16 hexadecimal digits of the SHA-256 of the model's file; "" for one that was never written.
        target: target to predict for.
        vectors: the encoder of a model with sentence vectors.
    """

    judges: list[Scorer | VectorScorer | Pipeline]
    masked: bool
    joint: bool
    labels: list[Stance]
    recipe: Recipe
    version: str
    target: str
    vectors: Vectors | None = None

    def read(self, texts: Sequence[str]) -> list[str]:
        """The texts as the model expects them; see `train.model.tfidf_logistic.Model.read`."""
        read = [masked(text) for text in texts] if self.masked else list(texts)
        return [joined(text, self.target) for text in read] if self.joint else read

    def chances(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities by text (rows) and label (columns, in the order of the model's labels)."""
        read = self.read(texts)
        chances = np.zeros((len(texts), len(self.labels)))
        vectors = self.vectors.of(read) if self.vectors else np.zeros((0, 0), np.float32)
        for judge in self.judges:
            if isinstance(judge, VectorScorer):
                chances += judge.probabilities(read, vectors, self.labels) / len(self.judges)
            elif isinstance(judge, Scorer):
                chances += judge.probabilities(read, self.labels) / len(self.judges)
            else:
                from train.model.tfidf_logistic import columns

                chances += columns(judge["logistic"], judge["tfidf"].transform(read), self.labels) / len(self.judges)
        return chances


def judge_of(model: Model, target: str, version: str = "") -> Judge:
    """Make a fitted model ready to predict many texts for a target."""
    pipelines = [model.pipelines[target]] if target in model.pipelines else list(model.pipelines.values())
    judges: list[Scorer | VectorScorer | Pipeline]
    if vectors := model.vectors:
        judges = [vector_scorer(pipeline, model.recipe.vectors or 0, vectors.width) for pipeline in pipelines]
        vectors = msgspec.structs.replace(vectors, jobs=1)  # each worker process has a core to itself
    else:
        judges = [scorer(pipeline) or pipeline for pipeline in pipelines]
    return Judge(
        judges=judges,
        masked=model.masked,
        joint=bool(model.joint),
        labels=model.labels,
        recipe=model.recipe,
        version=version,
        target=target,
        vectors=vectors,
    )


def open_model(folder: Path, target: str, *, trust: bool = False) -> Judge:
    """Open a model for a target.

    Args:
        folder: folder of the model.
        target: target to predict for; a model of a single target is used whatever it is.
        trust: whether to open `model.joblib` instead of `model.skops`, which runs any code that is in it.

    Raises:
        ExamplesError: there is no model, another version of stance wrote it, or it is for several other targets.
    """
    from train.model.files import load_model
    from train.model.tfidf_logistic import probabilities

    model = load_model(folder, trust=trust)
    if len(model.pipelines) > 1 and target not in model.pipelines:
        known = ", ".join(map(repr, model.targets[:20])) + (", …" if len(model.targets) > 20 else "")
        raise ExamplesError(
            f"{folder} holds a model for each of {known}; none for {target!r}: set "
            "[target] name in stance.toml to one of them"
        )
    file = folder / ("model.joblib" if trust else "model.skops")
    try:
        # Without the cache, which not every machine of a cluster can write to.
        probabilities(msgspec.structs.replace(model, vectors=model.vectors and model.vectors.unkept()), [""], [target])
        return judge_of(model, target, input_digests.of_model(file))
    except Exception as error:  # a file of another version or kind can raise any error
        raise ExamplesError(
            f"{folder / 'model.skops'}: expected a model that this version of stance wrote; found one that cannot "
            f"be used: {type(error).__name__}: {error}; run `stance train` again"
        ) from error
