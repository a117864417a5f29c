"""Write and read a model's files: `model.skops`, `model.joblib` and `model.json`."""

from __future__ import annotations

import io
import re
import zipfile
from copy import copy
from pathlib import Path

import joblib
import numpy as np
import sklearn
import skops
import skops.io
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from corpus.errors import ExamplesError
from corpus.store import write_bytes, write_json
from labeling.scheme import Scheme
from train.encoder.vectors import PLACE, Place, vectors_of_model
from train.model.tfidf_logistic import Model
from train.records import ModelCard, read_record

LARGEST = 1 << 26
"""Most characters that an array of n-grams may take, at four bytes each."""


def save(model: Model, folder: Path, trained_on: str = "") -> list[bool]:
    """Write the three files of a model, `model.json` last; equal models give equal bytes.

    `model.joblib` holds only scikit-learn's types: a pipeline, or, for several targets, a dict from target to
    pipeline. The pipelines predict the labels as strings, with probabilities in the order of their `classes_`.

    Args:
        model: model to write.
        folder: folder to write to.
        trained_on: digest of what the model was trained on.

    Returns:
        Whether each of the three files changed.
    """
    buffer = io.BytesIO()
    joblib.dump(_content({target: _copied(pipeline) for target, pipeline in model.pipelines.items()}), buffer)
    listed = {target: _listed(pipeline) for target, pipeline in model.pipelines.items()}
    card = ModelCard(
        scikit_learn=sklearn.__version__,
        skops=skops.__version__,
        labels=list(model.labels),
        targets=model.targets,
        recipe=model.recipe,
        masked=model.masked,
        trained_on=trained_on,
        joint=bool(model.joint),
        encoder=model.vectors.encoder if model.vectors else None,
    )
    if model.vectors:
        write_json(folder / PLACE, Place(source=model.vectors.files.source))
    else:
        (folder / PLACE).unlink(missing_ok=True)
    return [
        write_bytes(folder / "model.skops", _reproducible(skops.io.dumps(_content(listed)))),
        write_bytes(folder / "model.joblib", buffer.getvalue()),
        write_json(folder / "model.json", card),
    ]


def _content(pipelines: dict[str, Pipeline]) -> Pipeline | dict[str, Pipeline]:
    return pipelines if len(pipelines) > 1 else next(iter(pipelines.values()))


def _copied(pipeline: Pipeline) -> Pipeline:
    """A copy of a pipeline whose vectorizers may be changed, without the memory address that they keep."""
    union = copy(pipeline["tfidf"])
    union.transformer_list = [(name, copy(part)) for name, part in union.transformer_list]
    for _, part in union.transformer_list:
        vars(part).pop("_stop_words_id", None)  # marks a check as done; it differs from process to process
    return Pipeline([("tfidf", union), ("logistic", pipeline["logistic"])])


def _listed(pipeline: Pipeline) -> Pipeline:
    """A copy of a pipeline with its n-grams as a parameter of the vectorizers, in an array.

    skops takes 20 seconds to write a million n-grams as a dictionary, and as long to read them; as an array they take a
    tenth of a second. `_restored` makes the dictionary again.
    """
    pipeline = _copied(pipeline)
    for _, part in pipeline["tfidf"].transformer_list:
        ngrams = sorted(part.vocabulary_, key=part.vocabulary_.__getitem__)
        del part.vocabulary_
        # In an array every n-gram takes as much memory as the longest, and none can end in NUL.
        short = len(ngrams) * max(map(len, ngrams)) < LARGEST and not any(ngram.endswith("\0") for ngram in ngrams)
        part.vocabulary = np.array(ngrams) if short else ngrams
    return pipeline


def _restored(pipeline: Pipeline) -> Pipeline:
    """The pipeline as it was fitted, from what `_listed` made of it; it is changed in place."""
    for _, part in pipeline["tfidf"].transformer_list:
        if part.vocabulary is not None:
            part.vocabulary_ = {str(ngram): column for column, ngram in enumerate(part.vocabulary)}
            part.vocabulary = None
    return pipeline


def _reproducible(data: bytes) -> bytes:
    """A skops file without what differs from run to run: times, and memory addresses that serve as object ids."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        schema = old.read("schema.json").decode()
        files = {name: old.read(name) for name in old.namelist() if name != "schema.json"}
    # Ids are written as `"__id__": 1403…`, and name the arrays' files; each becomes its rank of appearance.
    ids = dict.fromkeys(re.findall(r'"__id__": (\d+)', schema))
    ranks = {address: str(rank) for rank, address in enumerate(ids, 1)}

    def renamed(text: str) -> str:
        return re.sub(r"\d{6,}", lambda found: ranks.get(found.group(), found.group()), text)

    contents = {"schema.json": renamed(schema).encode()} | {renamed(name): file for name, file in files.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(contents):
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), contents[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def load_model(folder: str | Path, *, trust: bool = False) -> Model:
    """Open a model that `stance train` or `stance.train` wrote.

    The file `model.skops` is read, which can hold nothing but scikit-learn's own types.

    Args:
        folder: the folder of the model.
        trust: whether to open `model.joblib` instead. Opening it runs any code that is in it, so do this only with
            models that you made yourself.

    Returns:
        The model, with the methods `predict` and `probabilities`.

    Raises:
        ExamplesError: there is no model, it was made with another version of scikit-learn, its labels are not a
            label scheme, it holds types that are not scikit-learn's, or its encoder is missing or another one.
    """
    folder = Path(folder)
    card = _card(folder)
    path = folder / ("model.joblib" if trust else "model.skops")
    if not path.is_file():
        raise ExamplesError(f"{path} is not there: run `stance train` first", missing=True)
    try:
        content = joblib.load(path) if trust else skops.io.load(path)
    except UntrustedTypesFoundException as error:
        raise ExamplesError(f"{path} holds types that are not scikit-learn's: {error}") from error
    except Exception as error:  # a damaged file can fail in zip, JSON, NumPy or pickle
        raise ExamplesError(
            f"{path} cannot be opened (written by scikit-learn {card.scikit_learn}, skops {card.skops}): {error!r}; "
            "run `stance train` again"
        ) from error
    expected = [""] if card.joint else card.targets
    pipelines = content if isinstance(content, dict) else dict.fromkeys(expected[:1], content)
    if list(pipelines) != expected or not all(isinstance(one, Pipeline) for one in pipelines.values()):
        raise ExamplesError(
            f"{path}: expected a pipeline for each of {', '.join(map(repr, expected))}, as model.json says; "
            f"found {type(content).__name__}. The files are of different runs: run `stance train` again"
        )
    for target, one in pipelines.items():
        if len(one.classes_) < 2 or not set(one.classes_) <= set(card.labels):
            raise ExamplesError(
                f"{path}: {target}: expected classes of {', '.join(card.labels)}; found {one.classes_.tolist()}"
            )
    restored = {target: _restored(one) for target, one in pipelines.items()}
    for one in restored.values():
        wide = sum(len(part.vocabulary_) for _, part in one["tfidf"].transformer_list)
        wide += card.encoder.width if card.encoder else 0
        if card.encoder and one["logistic"].coef_.shape[1] != wide:
            raise ExamplesError(
                f"{path}: expected {wide} coefficients, for n-grams and the sentence vectors that model.json names; "
                f"found {one['logistic'].coef_.shape[1]}. The files are of different runs: run `stance train` again"
            )
    return Model(
        pipelines=restored,
        recipe=card.recipe,
        masked=card.masked,
        labels=card.labels,
        joint=card.targets if card.joint else [],
        vectors=vectors_of_model(folder, card.encoder) if card.encoder else None,
    )


def _card(folder: Path) -> ModelCard:
    path = folder / "model.json"
    card = read_record(path, ModelCard)
    if _minor(card.scikit_learn) != _minor(sklearn.__version__):
        raise ExamplesError(
            f"{folder}: the model was made with scikit-learn {card.scikit_learn}, here is {sklearn.__version__}, which "
            f"may read it differently: install scikit-learn {_minor(card.scikit_learn)}.*, or run `stance train` again"
        )
    try:
        Scheme(names=card.labels)
    except ValueError as error:
        raise ExamplesError(f"{path}: labels: {error}; run `stance train` again") from error
    return card


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
