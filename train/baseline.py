"""TF-IDF and logistic regression: the search for a recipe on the training data, and the fit."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import joblib
import numpy as np
import skops.io
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import FeatureUnion, Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from corpus.records import ExamplesError
from corpus.store import write_bytes
from labeling.records import STANCES, Stance
from train.evaluate import f_avg, macro_f1
from train.records import Example, Recipe, Trial

FEATURES = ("word", "char", "char+word")
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Values of C; on the starter corpus the best lies inside, and the curve is flat around it."""
FOLDS = 5
REPEATS = 2
FEWEST = 10
"""Examples of each label that a search needs: below it, folds lack labels and scores mean nothing."""


def vectorizer(features: str) -> FeatureUnion:
    """The TF-IDF features of a recipe: words 1–2, characters 2–5, or both."""
    word = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    char = TfidfVectorizer(analyzer="char", ngram_range=(2, 5), sublinear_tf=True)
    parts = {"word": word, "char": char}
    return FeatureUnion([(name, parts[name]) for name in features.split("+")])


def classifier(c: float) -> LogisticRegression:
    """Class-weighted logistic regression; lbfgs at its default tolerance (a looser one changes predictions)."""
    return LogisticRegression(C=c, class_weight="balanced", max_iter=1000)


def check_examples(examples: Sequence[Example]) -> None:
    """Refuse examples that nothing can be learned or measured from.

    Raises:
        ExamplesError: fewer than FEWEST training examples of a label, no test example, or too few groups.
    """
    training = [row for row in examples if row.split != "test"]
    counts = Counter(row.label for row in training)
    few = {label: counts[label] for label in STANCES if counts[label] < FEWEST}
    if few:
        found = ", ".join(f"{label} {count}" for label, count in few.items())
        raise ExamplesError(
            f"too few labels to train on: expected at least {FEWEST} training examples of each stance; "
            f"found {found}. Label more sentences, then pull and adjudicate again"
        )
    groups = len({row.group for row in training})
    if groups < FOLDS:
        raise ExamplesError(f"too few groups of articles to train on: cross-validation needs {FOLDS}, found {groups}")
    if all(row.split != "test" for row in examples):
        raise ExamplesError("no example is in the test split: label sentences of more articles")


def search(training: Sequence[Example], seed: int, progress: Callable[[int], None]) -> list[Trial]:
    """Score every recipe by repeated, grouped, stratified cross-validation.

    Args:
        training: the training examples; nothing else is looked at.
        seed: of the folds.
        progress: told of each finished fold.

    Returns:
        One trial a recipe, best F_avg first; of equal ones the simpler (fewer features, smaller C).
    """
    texts = np.array([row.text for row in training], dtype=object)
    labels = np.array([row.label for row in training])
    groups = np.array([row.group for row in training])
    folds = [
        (features, fit, held)
        for features in FEATURES
        for repeat in range(REPEATS)
        for fit, held in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed + repeat).split(
            texts, labels, groups
        )
    ]
    scores: dict[Recipe, list[tuple[float, float]]] = {}
    jobs = (delayed(_fold)(features, texts, labels, fit, held) for features, fit, held in folds)
    for found in Parallel(n_jobs=-1, return_as="generator")(jobs):
        for recipe, f, macro in found:
            scores.setdefault(recipe, []).append((f, macro))
        progress(1)
    trials = [
        Trial(
            recipe=recipe,
            f_avg=float(np.mean([f for f, _ in found])),
            macro_f1=float(np.mean([macro for _, macro in found])),
        )
        for recipe, found in scores.items()
    ]
    return sorted(trials, key=lambda trial: (-trial.f_avg, FEATURES.index(trial.recipe.features), trial.recipe.c))


def folds_in_search() -> int:
    """How many folds `search` will report to its progress."""
    return len(FEATURES) * REPEATS * FOLDS


def _fold(
    features: str,
    texts: NDArray[np.object_],
    labels: NDArray[np.str_],
    fit: NDArray[np.int64],
    held: NDArray[np.int64],
) -> list[tuple[Recipe, float, float]]:
    """All values of C on one fold, vectorised once."""
    union = vectorizer(features)
    seen, unseen = union.fit_transform(texts[fit]), union.transform(texts[held])
    found: list[tuple[Recipe, float, float]] = []
    for c in PENALTIES:
        model = classifier(c)
        _fit(model, seen, labels[fit])
        given: list[Stance] = model.predict(unseen).tolist()
        true: list[Stance] = labels[held].tolist()
        found.append((Recipe(features=features, c=c), f_avg(true, given), macro_f1(true, given)))
    return found


def fit(recipe: Recipe, training: Sequence[Example]) -> Pipeline:
    """Fit a recipe on examples: a scikit-learn pipeline from texts to stances."""
    model = Pipeline([("tfidf", vectorizer(recipe.features)), ("logistic", classifier(recipe.c))])
    _fit(model, [row.text for row in training], [row.label for row in training])
    return model


def _fit(model: LogisticRegression | Pipeline, x: object, y: object) -> None:
    """Fit, and refuse a model that did not converge: such a one can predict anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(x, y)
        except ConvergenceWarning as warning:
            raise ExamplesError(f"the logistic regression did not converge: {warning}") from warning


def probabilities(model: Pipeline, texts: Sequence[str]) -> NDArray[np.float64]:
    """Probabilities of favor, against and none (columns, in the order of STANCES) for each text."""
    order = [list(model.classes_).index(stance) for stance in STANCES]
    found: NDArray[np.float64] = model.predict_proba(list(texts))[:, order]
    return found


def save(model: Pipeline, folder: Path) -> list[bool]:
    """Write `model.skops`, which is safe to open, and `model.joblib` for scikit-learn users.

    Equal models give equal bytes.

    Returns:
        For each of the two whether it changed.
    """
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return [
        write_bytes(folder / "model.skops", _reproducible(skops.io.dumps(model))),
        write_bytes(folder / "model.joblib", buffer.getvalue()),
    ]


def _reproducible(data: bytes) -> bytes:
    """A skops file without what differs from run to run: the clock, and memory addresses as object ids."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        schema = old.read("schema.json").decode()
        files = {name: old.read(name) for name in old.namelist() if name != "schema.json"}
    # Ids stand as `"__id__": 1403…` and name the arrays' files; each becomes its rank of appearance.
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


def load(folder: Path) -> Pipeline:
    """Open `model.skops`, which may hold scikit-learn's own types only.

    Raises:
        ExamplesError: there is none, or it holds other types.
    """
    path = folder / "model.skops"
    if not path.is_file():
        raise ExamplesError(f"{path} is not there: run `stance train` first")
    try:
        model: Pipeline = skops.io.load(path)
    except UntrustedTypesFoundException as error:
        raise ExamplesError(f"{path} holds types that are not scikit-learn's: {error}") from error
    return model


def strongest(model: Pipeline, count: int) -> dict[Stance, list[tuple[str, float]]]:
    """The n-grams with the largest weights toward each stance, largest first.

    Returns:
        stance → (n-gram, weight); characters and words alike, told apart by their prefix `char__` or `word__`.
    """
    names = model.named_steps["tfidf"].get_feature_names_out()
    logistic = model.named_steps["logistic"]
    found: dict[Stance, list[tuple[str, float]]] = {}
    for stance in STANCES:
        weights = logistic.coef_[list(logistic.classes_).index(stance)]
        order = np.lexsort((np.arange(len(weights)), -weights))[:count]
        found[stance] = [(str(names[n]), float(weights[n])) for n in order]
    return found
