"""The search for a recipe, by repeated, grouped, stratified cross-validation on the training data alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.model_selection import StratifiedGroupKFold

from corpus.digests import digest
from corpus.records import ExamplesError
from labeling.records import STANCES, Stance
from train.baseline import FEATURES, calm, classifier, columns, compact, fit_logistic, no_ngrams, parts
from train.evaluate import f_avg, macro_f1
from train.records import Example, Recipe, Trial

PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Values of C; on SemEval-2016 6A the best lies inside, and the curve is flat around it."""
FOLDS = 5
REPEATS = 3
MANY = 10_000
"""Examples from which one cross-validation is enough: another cut of so many moves F_avg by some thousandths."""
LETTERS = 4_000_000
"""Letters of training text that all recipes are tried on. With more, only the best recipe sees all of it: the cost
follows the number of n-grams, which grows with the letters (`docs/benchmarks.md` has the times)."""
FEWEST = 10
"""Examples of each label that a search needs: below it, folds lack labels and scores mean nothing."""

Cut = tuple[NDArray[np.int64], NDArray[np.int64]]


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found.

    Attributes:
        trials: one a recipe, best F_avg first; of equal ones the simpler (fewer features, smaller C).
        out_of_fold: probabilities of the first trial's recipe for the training examples, in their order, in the
            columns of STANCES; each is the mean over repeats of models that had not seen the example's group.
        folds: number of folds of each cross-validation.
        repeats: number of cross-validations.
        examples: number of training examples that all recipes were tried on.
    """

    trials: list[Trial]
    out_of_fold: NDArray[np.float64]
    folds: int
    repeats: int
    examples: int


def check_examples(examples: Sequence[Example]) -> None:
    """Refuse examples that nothing can be learned or measured from.

    Raises:
        ExamplesError: for a target, fewer than FEWEST training examples of a label, all in the same words, or too
            few groups; or no test example.
    """
    rows: dict[str, list[Example]] = defaultdict(list)
    for row in examples:
        rows[row.target].append(row)
    several = len({row.target for row in examples if row.split != "test"}) > 1
    for target in sorted(rows):
        training = [row for row in rows[target] if row.split != "test"]
        if not training and any(row.split != "test" for row in examples):
            continue  # a target in the test split alone: measured, and warned of
        of = f" for the target {target!r}" if several else ""
        counts = Counter(row.label for row in training)
        if any(counts[label] < FEWEST for label in STANCES):
            found = ", ".join(f"{label} {counts[label]}" for label in STANCES if counts[label] < FEWEST)
            raise ExamplesError(
                f"too few labels to train on{of}: expected at least {FEWEST} training examples of each stance; "
                f"found {found}. Label more sentences, then pull and adjudicate again"
                + (", or leave this target out" if of else "")
            )
        if len({row.text for row in training}) == 1:
            raise ExamplesError(
                f"nothing to learn{of}: all {len(training)} training texts are the same, {training[0].text[:60]!r}"
            )
        groups = len({row.group for row in training})
        if groups < FOLDS:
            raise ExamplesError(
                f"too few groups of articles to train on{of}: cross-validation needs {FOLDS}, found {groups}"
            )
    if all(row.split != "test" for row in examples):
        raise ExamplesError("no example is in the test split: label sentences of more articles")


def search(
    training: Sequence[Example], seed: int, progress: Callable[[int, int], None] = lambda *_: None, jobs: int = -1
) -> Searched:
    """Score every recipe by repeated, grouped, stratified cross-validation.

    Each target has its own models and folds, all of the same recipe; scores are of the out-of-fold predictions of
    all targets together, and their mean over repeats. Where the training texts have more than 4 million letters
    together, recipes are tried on whole groups of some 4 million letters, drawn by a digest of their names, and the
    best recipe is then scored once on everything.

    Args:
        training: the training examples, as `check_examples` lets them pass; nothing else is looked at.
        seed: of the folds.
        progress: told of each finished fold, and of how many there are.
        jobs: threads, -1 for one a core; the result does not depend on it.

    Raises:
        ExamplesError: a fold lacks a stance, texts have no n-grams, or a fit does not converge.
    """
    part = _part(training)
    found = _search(part, seed, progress, jobs)
    if len(part) == len(training):
        return found
    best = found.trials[0].recipe
    labels = np.array([row.label for row in training])
    given = np.zeros((1, len(training), len(STANCES)))
    targets = _by_target(training)
    cuts = {target: _cuts(training, rows, seed, 1) for target, rows in targets.items()}
    total = (len(FEATURES) * found.repeats + 1) * len(targets) * FOLDS
    for target, rows in targets.items():
        texts = [training[row].text for row in rows]
        mine = chances(best.features, target, texts, labels[rows], cuts[target], (best.c,), jobs)
        for (_, held), one in zip(cuts[target], mine, strict=True):
            given[0, rows[held]] = one[0]
            progress(1, total)
    trials = [_trial(best, labels, given), *found.trials[1:]]
    return msgspec.structs.replace(found, trials=trials, out_of_fold=given[0])


def _part(training: Sequence[Example]) -> Sequence[Example]:
    """The examples that all recipes are tried on: everything, or whole groups of some LETTERS letters."""
    if sum(len(row.text) for row in training) <= LETTERS:
        return training
    size: Counter[str] = Counter()
    for row in training:
        size[row.group] += len(row.text)
    chosen, letters = set[str](), 0
    for group in sorted(size, key=lambda name: (digest(name), name)):
        if letters + size[group] <= LETTERS:
            chosen.add(group)
            letters += size[group]
    part = [row for row in training if row.group in chosen]
    labels = Counter((row.target, row.label) for row in part)
    targets = {row.target for row in training}
    groups = {target: len({row.group for row in part if row.target == target}) for target in targets}
    enough = all(labels[target, label] >= FEWEST for target in targets for label in STANCES)
    return part if enough and min(groups.values()) >= FOLDS else training


def _search(training: Sequence[Example], seed: int, progress: Callable[[int, int], None], jobs: int) -> Searched:
    labels = np.array([row.label for row in training])
    repeats = _repeats(len(training))
    cuts = {target: _cuts(training, rows, seed, repeats) for target, rows in _by_target(training).items()}
    total = len(FEATURES) * len(cuts) * repeats * FOLDS
    trials: list[Trial] = []
    best, out_of_fold = (-1.0, 0.0), np.zeros(0)
    for features in FEATURES:
        found = np.zeros((len(PENALTIES), repeats, len(training), len(STANCES)))
        for target, rows in _by_target(training).items():
            texts = [training[row].text for row in rows]
            mine = chances(features, target, texts, labels[rows], cuts[target], PENALTIES, jobs)
            for number, ((_, held), given) in enumerate(zip(cuts[target], mine, strict=True)):
                found[:, number // FOLDS, rows[held]] = given
                progress(1, total)
        for c, probabilities in zip(PENALTIES, found, strict=True):
            trial = _trial(Recipe(features=features, c=c), labels, probabilities)
            trials.append(trial)
            if (trial.f_avg, trial.macro_f1) > best:
                best, out_of_fold = (trial.f_avg, trial.macro_f1), probabilities.mean(axis=0)
    # Stable: of equal ones the first tried, which is the simpler.
    trials.sort(key=lambda trial: (-trial.f_avg, -trial.macro_f1))
    return Searched(trials=trials, out_of_fold=out_of_fold, folds=FOLDS, repeats=repeats, examples=len(training))


def _repeats(examples: int) -> int:
    return REPEATS if examples < MANY else 1


def _by_target(training: Sequence[Example]) -> dict[str, NDArray[np.int64]]:
    targets = np.array([row.target for row in training], dtype=object)
    return {target: np.flatnonzero(targets == target) for target in sorted(set(targets.tolist()))}


def _cuts(training: Sequence[Example], rows: NDArray[np.int64], seed: int, repeats: int) -> list[Cut]:
    """Positions in `rows` to fit on and to predict, for each fold of each repeat."""
    labels = np.array([training[row].label for row in rows])
    groups = np.array([training[row].group for row in rows])
    cuts: list[Cut] = []
    for repeat in range(repeats):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed + repeat)
        cuts += folds.split(rows, labels, groups)
    for seen, _ in cuts:
        if missing := [stance for stance in STANCES if stance not in labels[seen]]:
            target = training[rows[0]].target
            raise ExamplesError(
                f"cross-validation cannot hold {missing[0]} apart"
                + (f" for the target {target!r}" if target else "")
                + f": its {int((labels == missing[0]).sum())} training examples stand in "
                f"{len(set(groups[labels == missing[0]].tolist()))} groups. Label sentences of more articles"
            )
    return cuts


def _trial(recipe: Recipe, labels: NDArray[np.str_], probabilities: NDArray[np.float64]) -> Trial:
    """Mean scores over repeats, from probabilities of shape (repeats, examples, stances)."""
    true: list[Stance] = labels.tolist()
    given: list[list[Stance]] = [[STANCES[n] for n in repeat.argmax(axis=1)] for repeat in probabilities]
    return Trial(
        recipe=recipe,
        f_avg=float(np.mean([f_avg(true, one) for one in given])),
        macro_f1=float(np.mean([macro_f1(true, one) for one in given])),
    )


def chances(
    features: str,
    target: str,
    texts: Sequence[str],
    labels: NDArray[np.str_],
    cuts: Sequence[Cut],
    penalties: Sequence[float],
    jobs: int,
) -> Iterator[NDArray[np.float64]]:
    """Probabilities for the held-out texts of each cut, of shape (penalties, held-out texts, stances), in order.

    N-grams are counted once for all cuts, their weights (IDF) for each cut from its fitted part alone: exactly
    what a pipeline fitted there would have. Along growing C each fit starts from where those before it point.
    """
    vectorizers = parts(features)
    try:
        counted = [(part, weight, _counts(part, texts)) for _, part, weight in vectorizers]
    except ValueError as error:
        raise no_ngrams(target, error) from error
    with calm():
        yield from Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(
            delayed(_fold)(counted, labels, cut, penalties) for cut in cuts
        )


def _counts(part: TfidfVectorizer, texts: Sequence[str]) -> csr_matrix:
    counts = CountVectorizer.fit_transform(part, texts)
    part.vocabulary_ = {}  # often larger than the counts; nothing reads it any more
    return counts


Counted = list[tuple[TfidfVectorizer, float, csr_matrix]]


def _fold(counted: Counted, labels: NDArray[np.str_], cut: Cut, penalties: Sequence[float]) -> NDArray[np.float64]:
    seen, unseen = weighted(counted, cut)
    basis = compact(seen)
    seen, unseen = seen @ basis, unseen @ basis
    model = classifier(1.0).set_params(warm_start=True)
    found = np.zeros((len(penalties), len(cut[1]), len(STANCES)))
    before: list[tuple[float, NDArray[np.float64], NDArray[np.float64]]] = []
    for n, c in enumerate(penalties):
        if len(before) > 1:
            # Coefficients move nearly straight along log C: further on that line, the next fit is a quarter shorter.
            (c0, weights0, bias0), (c1, weights1, bias1) = before[-2:]
            on = np.log(c / c1) / np.log(c1 / c0)
            model.coef_, model.intercept_ = weights1 + on * (weights1 - weights0), bias1 + on * (bias1 - bias0)
        fit_logistic(model.set_params(C=c), seen, labels[cut[0]])
        before = [*before[-1:], (c, model.coef_, model.intercept_)]
        found[n] = columns(model, unseen)
    return found


def weighted(counted: Counted, cut: Cut) -> tuple[csr_matrix, csr_matrix]:
    """TF-IDF of the fitted and of the held-out texts; n-grams that the fitted ones lack don't exist."""
    both: tuple[list[csr_matrix], list[csr_matrix]] = ([], [])
    for part, weight, counts in counted:
        fitted = counts[cut[0]]
        known = np.flatnonzero(np.bincount(fitted.indices, minlength=counts.shape[1]))
        if not len(known):
            raise no_ngrams("", ValueError("all that do stand in one fold"))
        fitted = fitted[:, known]
        tfidf = TfidfTransformer(sublinear_tf=part.sublinear_tf).fit(fitted)
        both[0].append(tfidf.transform(fitted, copy=False))
        both[1].append(tfidf.transform(counts[cut[1]][:, known], copy=False))
        if weight != 1:
            for stack in both:
                stack[-1].data *= weight
    seen, unseen = (stack[0] if len(stack) == 1 else hstack(stack, format="csr") for stack in both)
    return seen, unseen
