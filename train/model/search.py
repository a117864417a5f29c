"""Choose the recipe by repeated, grouped and stratified cross-validation on the training data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import product

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from corpus.digests import digest
from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Scheme, Stance
from train.encoder.vectors import Vectors
from train.metrics import f_avg, macro_f1
from train.model.counted_texts import Cut, beside, chances, counted
from train.model.soft_labels import shares_of
from train.model.tfidf_logistic import FEATURES
from train.records import Example, Recipe, Trial

PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Values of C to try; on SemEval-2016 6A the best is neither the smallest nor the largest, and scores differ little
around it."""
WEIGHTS = (0.5, 1.0, 2.0)
"""Weights of sentence vectors to try beside n-grams."""
FOLDS = 5
REPEATS = 3
MANY = 10_000
"""Number of examples from which one cross-validation is enough: with so many, other folds change F_avg by only some
thousandths."""
LETTERS = 4_000_000
"""Most characters of training text that all recipes are tried on. Of more text, only the best recipe sees all: the cost
depends on the number of n-grams, which grows with the number of characters (`docs/benchmarks.md` has the times)."""
FEWEST = 10
"""Number of examples of each label that a search needs: with fewer, folds lack labels and scores mean nothing."""


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found.

    Attributes:
        trials: one trial for each recipe, best F_avg first; of equal ones the simpler first (fewer features, smaller
            C).
        out_of_fold: probabilities of the best recipe for the training examples, shape (examples, labels), in the
            order of the scheme; each is the mean over repeats of models that had not seen the example's group. NaN
            where they were not computed.
        folds: number of folds of each cross-validation.
        repeats: number of cross-validations.
        examples: number of training examples that all recipes were tried on.
    """

    trials: list[Trial]
    out_of_fold: NDArray[np.float64]
    folds: int
    repeats: int
    examples: int


def first_fold(training: Sequence[Example], seed: int, scheme: Scheme = DEFAULT) -> list[int]:
    """The positions of the examples in one fold of each target, whose groups are in no other fold."""
    by_target = _by_target(training)
    return sorted(n for rows in by_target.values() for n in rows[_cuts(training, rows, seed, 1, scheme)[0][1]].tolist())


class Usable(msgspec.Struct, frozen=True, kw_only=True):
    """The examples of the targets that can be trained on, and why each other target cannot."""

    examples: list[Example]
    left_out: dict[str, str]


def check_examples(examples: Sequence[Example], seed: int, scheme: Scheme = DEFAULT) -> Usable:
    """Leave out targets from which nothing can be learned, and refuse examples where no target is left.

    A target needs two labels, FEWEST training examples of each label that it has, texts that differ, and enough groups.
    One that is only in the test split stays: it is scored, with a warning.

    Args:
        examples: examples with their splits.
        seed: seed of the folds of the cross-validation, which must hold every label apart.
        scheme: labels of the examples.

    Returns:
        The examples of the other targets, in their order, and the reason for each target that is left out.

    Raises:
        ExamplesError: no target is left, or there is no test example.
    """
    rows: dict[str, list[Example]] = defaultdict(list)
    for row in examples:
        rows[row.target].append(row)
    trained = [target for target in sorted(rows) if any(row.split != "test" for row in rows[target])]
    left_out: dict[str, str] = {}
    for target in trained:
        training = [row for row in rows[target] if row.split != "test"]
        if reason := _unusable(training, seed if len(trained) > 1 else None, scheme):
            left_out[target] = reason
    if left_out and len(left_out) == len(trained):
        target, reason = next(iter(left_out.items()))
        if len(trained) == 1:
            raise ExamplesError(reason)
        raise ExamplesError(
            f"none of the {len(trained)} targets has enough examples for a model of its own; of {target!r}: {reason}. "
            'For many small targets, set [train] targets = "joint" in stance.toml: one model learns from all of them'
        )
    usable = [row for row in examples if row.target not in left_out]
    if all(row.split != "test" for row in usable):
        of = " of a target that can be trained on" if left_out else ""
        raise ExamplesError(f"no example{of} is in the test split: label sentences of more articles")
    return Usable(examples=usable, left_out=left_out)


def _unusable(training: Sequence[Example], seed: int | None, scheme: Scheme) -> str:
    """Why nothing can be learned from a target's training examples; "" where something can.

    Folds that cannot hold a label apart are a reason only where `seed` is given: of a single target the search says so.
    """
    counts = Counter(row.label for row in training)
    rare = ", ".join(f"{label} {counts[label]}" for label in scheme.names if 0 < counts[label] < FEWEST)
    if rare:
        return (
            f"too few labels to train on: expected at least {FEWEST} training examples of each label that occurs; "
            f"found {rare}. Label more sentences, then pull and adjudicate again"
        )
    if len(counts) < 2:
        return (
            f"too few labels to train on: expected two labels or more, with {FEWEST} training examples each; found "
            f"{len(training)} examples, all of them {training[0].label}"
        )
    if len({row.text for row in training}) == 1:
        return f"nothing to learn: all {len(training)} training texts are the same, {training[0].text[:60]!r}"
    groups = len({row.group for row in training})
    if groups < FOLDS:
        return (
            f"too few groups of articles to train on: cross-validation needs {FOLDS}, found {groups}. Articles that "
            "share a sentence, or nearly the same one, form one group, so that no story is in both training and test: "
            "label sentences of other articles"
        )
    try:
        if seed is not None:
            _cuts(training, np.arange(len(training)), seed, repeats_of(training), scheme)
    except ExamplesError as error:
        return str(error)
    return ""


def search(
    training: Sequence[Example],
    seed: int,
    progress: Callable[[int, int], None] = lambda *_: None,
    jobs: int = -1,
    stage: Callable[[str], None] = lambda _: None,
    *,
    all_folds: bool = True,
    scheme: Scheme = DEFAULT,
    features: Sequence[str] | None = None,
    vectors: Vectors | None = None,
) -> Searched:
    """Score every recipe by repeated, grouped, stratified cross-validation.

    Each target has its own models and folds, all of the same recipe. A recipe's scores are those of the out-of-fold
    predictions of all targets together, averaged over repeats. Where the training texts together have more than
    4 million characters, recipes are tried in one cross-validation on whole groups of some 4 million characters, drawn
    by a digest of their names. The best recipe is then scored once on everything, unless `all_folds` is false.

    Args:
        training: the training examples, which `check_examples` has accepted; nothing else is used.
        seed: seed of the folds.
        progress: function that is called with each finished fold and the number of folds in the stage.
        jobs: number of threads, -1 for one per core; the result does not depend on it.
        stage: function that is called with the name of each stage when it begins.
        all_folds: whether every example's out-of-fold probabilities are needed, even where the texts are long.
        scheme: labels of the examples.
        features: feature sets to try, simplest first; None for FEATURES.
        vectors: sentence vectors to try beside each feature set, with each weight of WEIGHTS; None for n-grams alone.

    Raises:
        ExamplesError: a fold lacks a stance, the texts have no n-grams, or a fit does not converge.
    """
    part = part_of(training)
    repeats = repeats_of(training)
    stage("trying recipes")
    found = _search(part, seed, repeats, progress, jobs, scheme, features or FEATURES, vectors)
    if len(part) == len(training):
        return found
    if not all_folds:
        return msgspec.structs.replace(found, out_of_fold=np.full((len(training), len(scheme.names)), np.nan))
    stage("scoring the best recipe on all training texts")
    best = found.trials[0].recipe
    labels, shares = np.array([row.label for row in training]), shares_of(training, scheme)
    given = np.zeros((1, len(training), len(scheme.names)))
    targets = _by_target(training)
    cuts = {target: _cuts(training, rows, seed, 1, scheme) for target, rows in targets.items()}
    total = len(targets) * FOLDS
    for target, rows in targets.items():
        texts = [training[row].text for row in rows]
        votes = None if shares is None else shares[rows]
        counts = beside(counted(best.features, target, texts), vectors, texts, best.vectors)
        mine = chances(counts, labels[rows], cuts[target], (best.c,), jobs, scheme, votes)
        for (_, held), one in zip(cuts[target], mine, strict=True):
            given[0, rows[held]] = one[0]
            progress(1, total)
    trials = [_trial(best, labels, given, scheme), *found.trials[1:]]
    return msgspec.structs.replace(found, trials=trials, out_of_fold=given[0])


def is_long(examples: Sequence[Example]) -> bool:
    """Whether the texts together have more than LETTERS characters, so that not everything is tried on all of them."""
    return sum(len(row.text) for row in examples) > LETTERS


def part_of(training: Sequence[Example]) -> Sequence[Example]:
    """The examples that all recipes are tried on: everything, or whole groups with up to LETTERS characters."""
    if not is_long(training):
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
    needed = {(row.target, row.label) for row in training}
    targets = {row.target for row in training}
    groups = {target: len({row.group for row in part if row.target == target}) for target in targets}
    enough = all(labels[pair] >= FEWEST for pair in needed)
    return part if enough and min(groups.values()) >= FOLDS else training


def _search(
    training: Sequence[Example],
    seed: int,
    repeats: int,
    progress: Callable[[int, int], None],
    jobs: int,
    scheme: Scheme,
    tried: Sequence[str],
    vectors: Vectors | None,
) -> Searched:
    labels, shares = np.array([row.label for row in training]), shares_of(training, scheme)
    targets = _by_target(training)
    cuts = {target: _cuts(training, rows, seed, repeats, scheme) for target, rows in targets.items()}
    weights: Sequence[float | None] = WEIGHTS if vectors else (None,)
    total = len(tried) * len(weights) * len(cuts) * repeats * FOLDS
    trials: list[Trial] = []
    best, out_of_fold = (-1.0, 0.0), np.zeros(0)
    for features, weight in product(tried, weights):
        found = np.zeros((len(PENALTIES), repeats, len(training), len(scheme.names)))
        for target, rows in targets.items():
            texts = [training[row].text for row in rows]
            votes = None if shares is None else shares[rows]
            counts = beside(counted(features, target, texts), vectors, texts, weight)
            mine = chances(counts, labels[rows], cuts[target], PENALTIES, jobs, scheme, votes)
            for number, ((_, held), given) in enumerate(zip(cuts[target], mine, strict=True)):
                found[:, number // FOLDS, rows[held]] = given
                progress(1, total)
        for c, probabilities in zip(PENALTIES, found, strict=True):
            trial = _trial(Recipe(features=features, c=c, vectors=weight), labels, probabilities, scheme)
            trials.append(trial)
            if (trial.f_avg, trial.macro_f1) > best:
                best, out_of_fold = (trial.f_avg, trial.macro_f1), probabilities.mean(axis=0)
    # The sort is stable: of equal trials the one tried first, which is the simpler, stays first.
    trials.sort(key=lambda trial: (-trial.f_avg, -trial.macro_f1))
    return Searched(trials=trials, out_of_fold=out_of_fold, folds=FOLDS, repeats=repeats, examples=len(training))


def repeats_of(training: Sequence[Example]) -> int:
    """The number of cross-validations: one where the examples are many or long."""
    return REPEATS if len(training) < MANY and not is_long(training) else 1


def _by_target(training: Sequence[Example]) -> dict[str, NDArray[np.int64]]:
    targets = np.array([row.target for row in training], dtype=object)
    return {target: np.flatnonzero(targets == target) for target in sorted(set(targets.tolist()))}


def _cuts(training: Sequence[Example], rows: NDArray[np.int64], seed: int, repeats: int, scheme: Scheme) -> list[Cut]:
    """Positions in `rows` to fit on and to predict, for each fold of each repeat."""
    labels = np.array([training[row].label for row in rows])
    groups = np.array([training[row].group for row in rows])
    cuts: list[Cut] = []
    for repeat in range(repeats):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed + repeat)
        cuts += folds.split(rows, labels, groups)
    for seen, _ in cuts:
        lacking = set(labels.tolist()) - set(labels[seen].tolist())
        if missing := [label for label in scheme.names if label in lacking]:
            held = labels == missing[0]
            raise ExamplesError(
                f"cross-validation cannot hold {missing[0]} apart: its {int(held.sum())} training examples stand in "
                f"{len(set(groups[held].tolist()))} groups. Label sentences of more articles"
            )
    return cuts


def _trial(recipe: Recipe, labels: NDArray[np.str_], probabilities: NDArray[np.float64], scheme: Scheme) -> Trial:
    """Mean scores over repeats, from probabilities of shape (repeats, examples, stances)."""
    true: list[Stance] = labels.tolist()
    given: list[list[Stance]] = [[scheme.names[n] for n in repeat.argmax(axis=1)] for repeat in probabilities]
    return Trial(
        recipe=recipe,
        f_avg=float(np.mean([f_avg(true, one, scheme) for one in given])),
        macro_f1=float(np.mean([macro_f1(true, one, scheme) for one in given])),
    )
