"""Fit many models on parts of the same texts, and count the n-grams of the texts only once.

Each model is exactly the one that a pipeline fitted on that part would be. Where texts have many more n-grams than
there are texts, a fit on the texts' products with each other gives the same model in a tenth of the time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import TypeVar

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer

from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Scheme, Stance
from train.encoder.vectors import Vectors
from train.model import ngrams
from train.model.soft_labels import Shares, copies, shares_of
from train.model.tfidf_logistic import calm, classifier, columns, compact, fit_logistic, no_ngrams, parts
from train.records import Example, Recipe

Result = TypeVar("Result")
Cut = tuple[NDArray[np.int64], NDArray[np.int64]]
Counted = list[tuple[TfidfVectorizer | None, float, csr_matrix]]
"""Vectorizer, weight and counts of each part of a feature set; sentence vectors have no vectorizer."""

WIDE = 2
"""Ratio of n-grams in a text to the number of texts above which a fit on the texts' products is faster."""
COMMON = 0.02
"""Share of the texts above which an n-gram's column is multiplied as a dense one. Of 1,336 texts of 2,400 characters,
35,000 of 250,000 columns are dense, with four fifths of the entries."""
BLOCK = 2048
"""Number of columns that are multiplied at once."""
LEAST = 1e-6
"""Tolerance of the Cholesky decomposition, as a share of the largest squared length of a text: a text counts only if
more than this of its squared length remains after projection on the texts before it. Of a copy nothing remains."""


def counted(features: str, target: str, texts: Sequence[str]) -> Counted:
    """Count the n-grams of each part of a feature set.

    Args:
        features: name of the feature set.
        target: target of the texts, for the message of an error.
        texts: texts to count in.

    Returns:
        Vectorizer, weight and counts of each part.

    Raises:
        ExamplesError: the texts have no n-gram.
    """
    try:
        return [(part, weight, ngrams.count(part, texts).matrix) for _, part, weight in parts(features)]
    except ValueError as error:
        raise no_ngrams(target, error) from error


def beside(counts: Counted, vectors: Vectors | None, texts: Sequence[str], weight: float | None) -> Counted:
    """Counts with the sentence vectors of the same texts as one part more; as they are without a weight."""
    if vectors is None or not weight:
        return counts
    return [*counts, (None, weight, csr_matrix(vectors.of(texts)))]


def spread(work: Callable[..., Result], calls: Sequence[tuple[object, ...]], jobs: int) -> Iterator[Result]:
    """The results of calls that run in parallel threads, in the order of the calls.

    Threads and not processes, because threads end with the process: when a training is interrupted, none runs on.

    Args:
        work: function to call.
        calls: arguments of each call.
        jobs: number of threads, -1 for one per core.
    """
    with calm():
        yield from Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(delayed(work)(*one) for one in calls)


def chances(
    counts: Counted,
    labels: NDArray[np.str_],
    cuts: Sequence[Cut],
    penalties: Sequence[float],
    jobs: int,
    scheme: Scheme = DEFAULT,
    shares: Shares | None = None,
) -> Iterator[NDArray[np.float64]]:
    """Probabilities for the held-out texts of each cut, of shape (penalties, held-out texts, stances), in order.

    C grows from fit to fit, and each fit starts from an extrapolation of the two fits before it.

    Args:
        counts: vectorizer, weight and counts of each part, as from `counted`.
        labels: labels of the texts.
        cuts: positions of the texts to fit on and of those to predict, for each fold.
        penalties: values of C, in ascending order.
        jobs: number of threads, -1 for one per core; the result does not depend on it.
        scheme: labels of the examples.
        shares: share of each label among the votes for each text, where the model learns from votes.
    """
    yield from spread(_fold, [(counts, labels, cut, penalties, scheme, shares) for cut in cuts], jobs)


def _fold(
    counts: Counted,
    labels: NDArray[np.str_],
    cut: Cut,
    penalties: Sequence[float],
    scheme: Scheme,
    shares: Shares | None,
) -> NDArray[np.float64]:
    seen, unseen = weighted(counts, cut)
    basis = compact(seen)
    seen, unseen = seen @ basis, unseen @ basis
    product = Product(seen) if len(penalties) > 1 and is_wide(seen) else None
    model = classifier(1.0).set_params(warm_start=True)
    chances = np.zeros((len(penalties), len(cut[1]), len(scheme.names)))
    before: list[tuple[float, NDArray[np.float64], NDArray[np.float64]]] = []
    fitted = copies(
        seen if product is None else product.texts,
        labels[cut[0]],
        None if shares is None else shares[cut[0]],
        scheme,
    )
    for n, c in enumerate(penalties):
        if len(before) > 1:
            # Coefficients are nearly linear in log C, so a start on that line makes the next fit a quarter shorter.
            (c0, weights0, bias0), (c1, weights1, bias1) = before[-2:]
            on = np.log(c / c1) / np.log(c1 / c0)
            model.coef_, model.intercept_ = weights1 + on * (weights1 - weights0), bias1 + on * (bias1 - bias0)
        fit_logistic(model.set_params(C=c), *fitted)
        before = [*before[-1:], (c, model.coef_, model.intercept_)]
        if product is None:
            chances[n] = columns(model, unseen, scheme.names)
        else:
            of_ngrams = copy(model)
            of_ngrams.coef_, of_ngrams.n_features_in_ = product.weights(model.coef_), unseen.shape[1]
            chances[n] = columns(of_ngrams, unseen, scheme.names)
    return chances


def weighted(counts: Counted, cut: Cut) -> tuple[csr_matrix, csr_matrix]:
    """TF-IDF of the fitted and of the held-out texts; n-grams that no fitted text has are left out."""
    both: tuple[list[csr_matrix], list[csr_matrix]] = ([], [])
    for part, weight, matrix in counts:
        if part is None:
            for stack, places in zip(both, cut, strict=True):
                stack.append(matrix[places] * np.float32(weight))
            continue
        fitted = matrix[cut[0]]
        known = np.flatnonzero(np.bincount(fitted.indices, minlength=matrix.shape[1]))
        if not len(known):
            raise no_ngrams("", ValueError("all that do are in one fold"))
        fitted = fitted[:, known]
        tfidf = TfidfTransformer(sublinear_tf=part.sublinear_tf).fit(fitted)
        both[0].append(tfidf.transform(fitted, copy=False))
        both[1].append(tfidf.transform(matrix[cut[1]][:, known], copy=False))
        if weight != 1:
            for stack in both:
                stack[-1].data *= weight
    seen, unseen = (stack[0] if len(stack) == 1 else hstack(stack, format="csr") for stack in both)
    return seen, unseen


def is_wide(x: csr_matrix) -> bool:
    """Whether texts have so many more n-grams than there are texts that a fit on their products is faster."""
    return bool(x.nnz > WIDE * x.shape[0] ** 2)


class Product:
    """Texts in as many coordinates as there are texts; a fit on these gives the same model as a fit on the n-grams.

    A fit with an L2 penalty depends on the texts only through their products with each other: its coefficients are a
    weighted sum of the texts. With P L Lᵀ Pᵀ = X Xᵀ (a Cholesky decomposition with pivots, as texts may occur twice)
    the rows of P L are the texts in other coordinates: their lengths and distances, and hence the fit, are the same.

    Attributes:
        texts: the fitted texts in the new coordinates, shape (texts, coordinates).
    """

    def __init__(self, x: csr_matrix) -> None:
        """Multiply the texts (rows) with each other; columns are sorted by frequency, as `compact` returns them."""
        gram = np.array(products(x), dtype=np.float64, order="F")
        lower, pivots, rank, _ = dpstrf(gram, tol=LEAST * float(gram.diagonal().max()), lower=1, overwrite_a=1)
        self._lower = np.tril(lower[:rank, :rank])
        self._x = x[pivots[:rank] - 1]
        self.texts = np.empty((len(pivots), rank))
        self.texts[pivots - 1] = np.tril(lower)[:, :rank]

    def weights(self, turned: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn coefficients of the new coordinates (columns) into coefficients of the n-grams."""
        texts = solve_triangular(self._lower, turned.T, lower=True, trans="T")
        found: NDArray[np.float64] = (self._x.T @ texts).T
        return found


def products(x: csr_matrix) -> NDArray[np.float32]:
    """The products of all rows with each other; the columns of `x` are sorted by frequency, most frequent first.

    Frequent columns are multiplied as dense ones, which is some fifty times as fast; the others have few entries.
    """
    often = int((np.bincount(x.indices, minlength=x.shape[1]) > COMMON * x.shape[0]).sum())
    by_column = x.tocsc()
    rest = by_column[:, often:].tocsr()
    sums: NDArray[np.float32] = (rest @ rest.T).toarray().astype(np.float32, copy=False)
    for start in range(0, often, BLOCK):
        block = by_column[:, start : min(start + BLOCK, often)].toarray()
        sums += block @ block.T
    return sums


class Fits:
    """Fit a recipe on any part of some examples, and predict any other part of them."""

    def __init__(
        self, recipe: Recipe, examples: Sequence[Example], scheme: Scheme = DEFAULT, vectors: Vectors | None = None
    ) -> None:
        """Count the n-grams of all texts, each once, and look up their sentence vectors."""
        self._recipe = recipe
        self._scheme = scheme
        self._needed: dict[str, set[Stance]] = defaultdict(set)
        for row in examples:
            if row.split != "test":
                self._needed[row.target].add(row.label)
        self._row = {text: n for n, text in enumerate(dict.fromkeys(row.text for row in examples))}
        texts = list(self._row)
        self._counts = beside(counted(recipe.features, "", texts), vectors, texts, recipe.vectors)

    def __call__(self, training: Sequence[Example], testing: Sequence[Example]) -> list[Stance]:
        """Fit on some of the examples and predict the stances of others; see `probabilities`."""
        return [self._scheme.names[n] for n in self.probabilities(training, testing).argmax(axis=1)]

    def probabilities(self, training: Sequence[Example], testing: Sequence[Example]) -> NDArray[np.float64]:
        """Fit on some of the examples and predict the probabilities of others.

        The result is that of `train.model.tfidf_logistic.fit` and `train.model.tfidf_logistic.probabilities`.

        Args:
            training: examples to fit on.
            testing: examples to predict; their labels are not used.

        Returns:
            Probabilities, shape (testing examples, stances), in the order of the labels.

        Raises:
            ExamplesError: the examples to fit on lack a label that a target has, or a fit does not converge.
        """
        rows: dict[str, list[Example]] = defaultdict(list)
        asked: dict[str, list[int]] = defaultdict(list)
        for row in training:
            rows[row.target].append(row)
        for n, row in enumerate(testing):
            asked[row.target].append(n)
        for target, mine in sorted(rows.items()):
            found = {row.label for row in mine}
            needed = self._needed[target] if len(found) > 1 else {*self._scheme.names}  # a model tells two labels apart
            if missing := [label for label in self._scheme.names if label in needed - found]:
                of = f" for the target {target!r}" if target else ""
                raise ExamplesError(f"a part of the training data has no {missing[0]}{of}: there are too few of them")
        # A target that no training example has is predicted by the models of all others.
        unseen = [n for target, places in sorted(asked.items()) if target not in rows for n in places]
        chances = np.zeros((len(testing), len(self._scheme.names)))
        for target, mine in sorted(rows.items()):
            places = [*asked.get(target, []), *unseen]
            if places:
                cut = (self._places(mine), self._places([testing[n] for n in places]))
                labels = np.array([row.label for row in mine])
                judges = np.array([1 if testing[n].target in rows else len(rows) for n in places])
                shares = shares_of(mine, self._scheme)
                found_here = _alone(self._counts, labels, cut, self._recipe.c, self._scheme, shares)
                chances[places] += found_here / judges[:, None]
        return chances

    def _places(self, rows: Sequence[Example]) -> NDArray[np.int64]:
        return np.array([self._row[row.text] for row in rows], dtype=np.int64)


def _alone(
    counts: Counted, labels: NDArray[np.str_], cut: Cut, c: float, scheme: Scheme, shares: Shares | None
) -> NDArray[np.float64]:
    seen, unseen = weighted(counts, cut)
    basis = compact(seen)
    model = classifier(c)
    fit_logistic(model, *copies(seen @ basis, labels, shares, scheme))
    return columns(model, unseen @ basis, scheme.names)
