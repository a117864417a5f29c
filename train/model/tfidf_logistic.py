"""The model: TF-IDF features, logistic regression, and its probabilities."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from threadpoolctl import threadpool_limits

from corpus import words
from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Scheme, Stance
from train.encoder.vectors import Vectors
from train.model import joint, ngrams
from train.model.decision_values import of_decisions, of_each_class
from train.model.mask import masked
from train.model.soft_labels import copies, shares_of
from train.records import Example, Recipe

# A word may be a single character ("I", "X"), which scikit-learn's own pattern drops.
WORD = words.PATTERN
PARTS: dict[str, dict[str, TfidfVectorizer]] = {
    "word": {"word": TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, sublinear_tf=True)},
    "char": {"char": TfidfVectorizer(analyzer="char", ngram_range=(2, 5), sublinear_tf=True)},
    "char-binary": {"char": TfidfVectorizer(analyzer="char", ngram_range=(2, 5), binary=True)},
    "char_wb+word": {
        "char_wb": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), binary=True),
        "word": TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, binary=True),
    },
    "text": {"text": TfidfVectorizer(ngram_range=(1, 2), token_pattern=joint.OF_TEXT, sublinear_tf=True)},
    "text+target": {
        "text": TfidfVectorizer(ngram_range=(1, 2), token_pattern=joint.OF_TEXT, sublinear_tf=True),
        "target": TfidfVectorizer(ngram_range=(1, 2), token_pattern=joint.OF_TARGET, binary=True),
    },
    "text+target+pairs": {
        "text": TfidfVectorizer(ngram_range=(1, 2), token_pattern=joint.OF_TEXT, sublinear_tf=True),
        "target": TfidfVectorizer(ngram_range=(1, 2), token_pattern=joint.OF_TARGET, binary=True),
        "pairs": TfidfVectorizer(token_pattern=joint.OF_BOTH, binary=True),
    },
}
"""The feature sets that a search tries, simplest first: those of one target, then those of a joint model. Some 460
settings were compared by cross-validation on SemEval-2016 6A; those of one target are the kinds that were best there
(characters before words, binary before counts) or on news (characters and words together)."""
JOINT = ("text", "text+target", "text+target+pairs")
"""The feature sets of a joint model: text alone, with the target's n-grams, and with the pairs of words of both."""
FEATURES = tuple(name for name in PARTS if name not in JOINT)
WORD_SHARE = 0.5
"""Weight of words in a set with characters: both carry much the same information."""
TOLERANCE = 4e-6
"""Largest slope (a partial derivative of the mean loss) of a converged fit. On 20,000 texts with character features, at
least .9997 of the labels agree with those of an exact solution; lbfgs at its default of 1e-4 reached .991."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline from texts to stances for each target, in the order of their names.

    Where `masked` is true, the pipelines expect texts that `train.model.mask.masked` has masked; `read` masks them. A
    joint model has one pipeline, under the name "", for all targets; `joint` has those of its training examples. Its
    pipeline expects text and target in one string (`train.model.joint.joined`), which `read` makes, too. Where there
    are `vectors`, the logistic regressions read them after the n-grams; see `features`.
    """

    pipelines: dict[str, Pipeline]
    recipe: Recipe
    masked: bool = False
    labels: list[Stance] = msgspec.field(default_factory=lambda: list(DEFAULT.names))
    joint: list[str] = []
    vectors: Vectors | None = None

    def __repr__(self) -> str:
        """Labels, targets and recipe, and not the regular expressions of the pipelines."""
        return f"Model(labels={self.labels}, targets={self.targets}, recipe={self.recipe})"

    @property
    def targets(self) -> list[str]:
        """The targets that training examples had, sorted."""
        return self.joint or list(self.pipelines)

    def read(self, texts: Iterable[str], targets: Iterable[str] | None = None) -> list[str]:
        """The texts as the pipelines expect them; without targets, a joint model's as texts without a target."""
        read = [masked(text) for text in texts] if self.masked else list(texts)
        if not self.joint:
            return read
        asked = [""] * len(read) if targets is None else targets
        return [joint.joined(text, target) for text, target in zip(read, asked, strict=True)]

    def unseen(self, targets: Sequence[str]) -> list[str]:
        """The given targets that no training example had, sorted."""
        return sorted(set(targets) - set(self.targets))

    def probabilities(self, texts: Sequence[str], targets: Sequence[str] | None = None) -> NDArray[np.float64]:
        """The probabilities of the stances of some texts.

        Args:
            texts: texts to predict.
            targets: target of each text; needed only where the model was trained on several targets.

        Returns:
            One row for each text, with a column for each of the model's `labels`, which are favor, against and none
            unless the project has others; each row sums to 1.

        Raises:
            ExamplesError: targets are missing, and the model was trained on several.
        """
        return probabilities(self, texts, targets)

    def predict(self, texts: Sequence[str], targets: Sequence[str] | None = None) -> list[Stance]:
        """The most probable stance of each text; of equally probable ones the first of the model's `labels`.

        Args:
            texts: texts to predict.
            targets: target of each text; needed only where the model was trained on several targets.

        Raises:
            ExamplesError: targets are missing, and the model was trained on several.
        """
        return [self.labels[column] for column in self.probabilities(texts, targets).argmax(axis=1)]


def parts(features: str) -> list[tuple[str, TfidfVectorizer, float]]:
    """Name, new vectorizer and weight of each part of a feature set; single precision halves memory and time."""
    named = PARTS[features].items()
    return [
        (name, TfidfVectorizer(**{**part.get_params(), "dtype": np.float32}), _weight(features, name))
        for name, part in named
    ]


def _weight(features: str, part: str) -> float:
    return WORD_SHARE if part == "word" and len(PARTS[features]) > 1 else 1.0


def vectorizer(features: str) -> FeatureUnion:
    """The TF-IDF features of a recipe, as one transformer."""
    made = parts(features)
    return FeatureUnion(
        [(name, part) for name, part, _ in made],
        transformer_weights={name: weight for name, _, weight in made if weight != 1} or None,
    )


def classifier(c: float) -> LogisticRegression:
    """Class-weighted multinomial logistic regression.

    The solver is newton-cg because it alone is both fast and exact here: lbfgs at its default tolerance is neither, and
    saga tests convergence by the size of its steps, not by the slope. The tolerance is lower than newton-cg's default,
    at which a warm start would stop at once with the model of another C.
    """
    return LogisticRegression(C=c, class_weight="balanced", solver="newton-cg", tol=TOLERANCE / 2, max_iter=200)


def fit(recipe: Recipe, training: Sequence[Example], scheme: Scheme = DEFAULT, vectors: Vectors | None = None) -> Model:
    """Fit a recipe on examples, with one pipeline for each target.

    Examples that have votes are learned with the shares of their votes (see `train.model.soft_labels`).

    Args:
        recipe: features and regularisation.
        training: training examples; each target must have two labels or more.
        scheme: labels of the examples.
        vectors: sentence vectors, for a recipe that gives them a weight.

    Raises:
        ExamplesError: a fit did not converge, or a target's texts have no n-gram.
    """
    rows: dict[str, list[Example]] = defaultdict(list)
    for row in training:
        rows[row.target].append(row)
    with calm():
        return Model(
            pipelines={target: _pipeline(recipe, target, rows[target], scheme, vectors) for target in sorted(rows)},
            recipe=recipe,
            labels=list(scheme.names),
            vectors=vectors if recipe.vectors else None,
        )


def _pipeline(
    recipe: Recipe, target: str, rows: Sequence[Example], scheme: Scheme, vectors: Vectors | None
) -> Pipeline:
    union, logistic = vectorizer(recipe.features), classifier(recipe.c)
    texts = [row.text for row in rows]
    try:
        stacks = [
            _fitted(part, texts) * (union.transformer_weights or {}).get(name, 1)
            for name, part in union.transformer_list
        ]
    except ValueError as error:
        raise no_ngrams(target, error) from error
    if vectors and recipe.vectors:
        stacks.append(csr_matrix(vectors.of(texts)) * np.float32(recipe.vectors))
    matrix = hstack(stacks, format="csr", dtype=np.float32)
    basis = compact(matrix)
    fit_logistic(
        logistic, *copies(matrix @ basis, np.array([row.label for row in rows]), shares_of(rows, scheme), scheme)
    )
    logistic.coef_ = np.ascontiguousarray((basis @ logistic.coef_.T).T)
    logistic.n_features_in_ = matrix.shape[1]
    return Pipeline([("tfidf", union), ("logistic", logistic)])


def _fitted(part: TfidfVectorizer, texts: Sequence[str]) -> csr_matrix:
    """Fit a vectorizer and return its matrix, as its own `fit_transform` does, with the faster counts of `ngrams`."""
    counts = ngrams.count(part, texts)
    names = counts.ngrams()
    order = sorted(range(len(names)), key=names.__getitem__)
    part.fixed_vocabulary_, part.vocabulary_ = False, {names[column]: place for place, column in enumerate(order)}
    weights = {name: getattr(part, name) for name in ("norm", "use_idf", "smooth_idf", "sublinear_tf")}
    matrix = counts.matrix[:, order]
    part._tfidf = TfidfTransformer(**weights).fit(matrix)
    found: csr_matrix = part._tfidf.transform(matrix, copy=False)
    return found


def compact(x: csr_matrix) -> csr_matrix:
    """An orthonormal basis with fewer columns that loses nothing: a fit on `x @ basis` gives the same model as on `x`.

    N-grams with the same value in every text ("ollu" and "llut", and most n-grams of one text alone) get the same
    coefficient, so one column is enough for them. The new columns are sorted by frequency, so that most of what a fit
    reads is close together in memory and stays in the processor's cache. With character features, the two save half to
    two thirds of a fit's time.

    Args:
        x: features, shape (texts, columns).

    Returns:
        The basis, shape (columns, fewer columns). With coefficients c of a fit on `x @ basis`, those of `x` are
        `basis @ c`.
    """
    # Columns count as the same when two random projections of them, of 53 bits each, are the same.
    keys = x.T @ np.random.default_rng(0).random((x.shape[0], 2))
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    first = np.concatenate([[True], (np.diff(keys[order], axis=0) != 0).any(axis=1)])
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(first) - 1
    texts = np.bincount(x.indices, minlength=x.shape[1])[order[first]]
    place = np.empty_like(texts)
    place[np.argsort(-texts, kind="stable")] = np.arange(len(texts))
    entries = (1 / np.sqrt(np.bincount(group)[group])).astype(x.dtype)
    return csr_matrix((entries, (np.arange(len(group)), place[group])), shape=(len(group), len(texts)))


def no_ngrams(target: str, error: ValueError) -> ExamplesError:
    """The error for a target whose texts have no n-gram, as they are empty or only punctuation."""
    of = f" of the target {target!r}" if target else ""
    return ExamplesError(
        f"the training texts{of} hold no word or characters to learn from: {error}; check the column text"
    )


@contextmanager
def calm() -> Iterator[None]:
    """Limit BLAS to one thread, so that sums do not depend on the number of threads, and silence solver warnings.

    `fit_logistic` checks convergence itself. Filters of warnings hold for the whole process, so this must be entered
    outside of threads.
    """
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # In single precision a line search fails near the optimum; the slope shows whether the fit is near enough.
        warnings.filterwarnings(
            "ignore", "Line Search failed|The line search algorithm did not converge|Rounding errors"
        )
        yield


def fit_logistic(
    model: LogisticRegression, x: csr_matrix, y: NDArray[np.str_], weights: NDArray[np.float64] | None = None
) -> None:
    """Fit in single precision, and again in double precision if that does not converge; call it within `calm`.

    Convergence is checked by the slope, not by the solver's report: a fit that stopped early or never started can
    predict anything.

    Args:
        model: classifier to fit, in place.
        x: features, shape (texts, columns).
        y: labels of the texts.
        weights: weight of each text; None where all weigh the same.

    Raises:
        ExamplesError: the fit did not converge; the message has the slope that was left.
    """
    for precision in (np.float32, np.float64):
        model.fit(x.astype(precision, copy=False), y, sample_weight=weights)
        if (left := slope(model, x, y, weights)) <= TOLERANCE:
            return
    raise ExamplesError(
        f"the logistic regression with C = {model.C:g} did not converge: expected a slope of at most {TOLERANCE:g}, "
        f"found {left:.2g}. Are there texts of extreme length? Please report this with the data's shape {x.shape}"
    )


def slope(
    model: LogisticRegression, x: csr_matrix, y: NDArray[np.str_], weights: NDArray[np.float64] | None = None
) -> float:
    """The largest partial derivative, in absolute value, of the weighted mean loss that scikit-learn minimises.

    It is 0 at the optimum.
    """
    if weights is None:
        weights = compute_sample_weight(model.class_weight, y)
    else:
        by_class = compute_class_weight(model.class_weight, classes=model.classes_, y=y, sample_weight=weights)
        weights = weights * by_class[np.searchsorted(model.classes_, y)]
    errors = softmax(decisions(model, x), axis=1)
    errors[np.arange(len(y)), np.searchsorted(model.classes_, y)] -= 1
    errors = errors[:, -len(model.coef_) :]  # of two labels, only the second has coefficients
    errors *= (weights / weights.sum())[:, None]
    by_feature = (x.T @ errors.astype(x.dtype)).T + model.coef_ / (model.C * weights.sum())
    return float(max(np.abs(by_feature).max(), np.abs(errors.sum(axis=0)).max()))


def decisions(model: LogisticRegression, x: csr_matrix) -> NDArray[np.float64]:
    """The decision value of each text (rows) for each class (columns); their softmax is the probabilities."""
    return of_each_class(model.decision_function(x))


def features(pipeline: Pipeline, texts: Sequence[str], vectors: Vectors | None, weight: float | None) -> csr_matrix:
    """What the logistic regression of a pipeline reads: the texts' n-grams and, if there are any, weighted vectors."""
    found: csr_matrix = pipeline["tfidf"].transform(texts)
    if vectors is None or not weight:
        return found
    return hstack([found, csr_matrix(vectors.of(texts)) * np.float32(weight)], format="csr")


def columns(model: LogisticRegression, x: csr_matrix, labels: Sequence[Stance]) -> NDArray[np.float64]:
    """Probabilities of each text (rows) for each label (columns); each row sums to 1.

    A label that no training example had has probability 0.
    """
    return of_decisions(model.classes_.tolist(), model.decision_function(x), labels)


def probabilities(model: Model, texts: Sequence[str], targets: Sequence[str] | None = None) -> NDArray[np.float64]:
    """Probabilities of each label (columns, in the order of the model's labels) for each text.

    Args:
        model: model from `fit` or `load_model`.
        texts: texts to predict.
        targets: target of each text; may be left out where the model has only one. A model of one target is used for
            every text, whatever its target; with several, a text of a target unseen in training gets the mean of all
            targets' models. On an unseen target (see `Model.unseen`) both are at chance; a joint model reads all.

    Returns:
        Probabilities, shape (texts, stances); each row sums to 1.

    Raises:
        ExamplesError: targets are missing, and the model was trained on several.
        TypeError: `texts` is one text, or holds something else than texts.
    """
    words.check_texts(texts)
    if targets is None and len(model.targets) > 1:
        known = ", ".join(model.targets[:20]) + (", …" if len(model.targets) > 20 else "")
        raise ExamplesError(f"the model was trained on several targets: say which of {known} each text is about")
    if model.joint:
        texts, targets = model.read(texts, model.joint * len(texts) if targets is None else targets), None
    else:
        texts = model.read(texts)
    chances = np.zeros((len(texts), len(model.labels)))
    asked = np.array(list(targets if targets is not None else [""] * len(texts)), dtype=object)
    for target in sorted(set(asked.tolist())):
        rows = np.flatnonzero(asked == target)
        judges = [model.pipelines[target]] if target in model.pipelines else list(model.pipelines.values())
        mine = [texts[row] for row in rows]
        for judge in judges:
            x = features(judge, mine, model.vectors, model.recipe.vectors)
            chances[rows] += columns(judge["logistic"], x, model.labels) / len(judges)
    return chances
