"""Open a model and predict the probabilities of the stances of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from labeling.records import STANCES
from train import input_digests
from train.model import tfidf_logistic
from train.model.files import load_model
from train.model.tfidf_logistic import Model

BATCH = 5_000
"""Number of sentences that are predicted at a time; their features take some 50 MB."""

CHANCES = [(stance, pa.float64()) for stance in STANCES]

PREDICTIONS = pa.schema([("sentence_id", pa.string()), ("stance", pa.string()), *CHANCES, ("model", pa.string())])

MADE_BY = "stance build"


class Judge(msgspec.Struct, frozen=True):
    """A model, its version (the first 16 hexadecimal digits of its file's SHA-256), and the target to predict for."""

    model: Model
    version: str
    target: str

    def chances(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities by text (rows) and stance (columns, in the order of STANCES)."""
        return tfidf_logistic.probabilities(self.model, texts, [self.target] * len(texts))


def open_model(folder: Path, target: str, *, trust: bool = False) -> Judge:
    """Open a model for a target.

    Args:
        folder: folder of the model.
        target: target to predict for; a model of a single target is used whatever it is.
        trust: whether to open `model.joblib` instead of `model.skops`, which runs any code that is in it.

    Raises:
        ExamplesError: there is no model, another version of stance wrote it, or it is for several other targets.
    """
    model = load_model(folder, trust=trust)
    if len(model.pipelines) > 1 and target not in model.pipelines:
        raise ExamplesError(
            f"{folder} holds a model for each of {', '.join(map(repr, model.pipelines))}; none for {target!r}: set "
            "[target] name in stance.toml to one of them"
        )
    try:
        tfidf_logistic.probabilities(model, [""], [target])
    except Exception as error:  # a file of another version or kind can raise any error
        raise ExamplesError(
            f"{folder / 'model.skops'}: expected a model that this version of stance wrote; found one that cannot "
            f"be used: {type(error).__name__}: {error}; run `stance train` again"
        ) from error
    file = folder / ("model.joblib" if trust else "model.skops")
    return Judge(model, input_digests.of_model(file), target)
