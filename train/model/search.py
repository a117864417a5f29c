"""Choose the recipe by repeated, grouped and stratified cross-validation on the training data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from corpus.digests import digest
from corpus.errors import ExamplesError
from labeling.records import STANCES, Stance
from train.metrics import f_avg, macro_f1
from train.model.counted_texts import Cut, chances, counted
from train.model.tfidf_logistic import FEATURES
from train.records import Example, Recipe, Trial

PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Values of C to try; on SemEval-2016 6A the best is neither the smallest nor the largest, and scores differ little
around it."""
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
        out_of_fold: probabilities of the best recipe for the training examples, shape (examples, stances), in the
            order of STANCES; each is the mean over repeats of models that had not seen the example's group. NaN where
            they were not computed.
        folds: number of folds of each cross-validation.
        repeats: number of cross-validations.
        examples: number of training examples that all recipes were tried on.
    """

    trials: list[Trial]
    out_of_fold: NDArray[np.float64]
    folds: int
    repeats: int
    examples: int


def first_fold(training: Sequence[Example], seed: int) -> list[int]:
    """The positions of the examples in one fold of each target, whose groups are in no other fold."""
    by_target = _by_target(training)
    return sorted(n for rows in by_target.values() for n in rows[_cuts(training, rows, seed, 1)[0][1]].tolist())


def check_examples(examples: Sequence[Example]) -> None:
    """Refuse examples from which nothing can be learned or measured.

    Raises:
        ExamplesError: a target has fewer than FEWEST training examples of a label, the same text in all of them, or too
            few groups; or there is no test example.
    """
    rows: dict[str, list[Example]] = defaultdict(list)
    for row in examples:
        rows[row.target].append(row)
    several = len({row.target for row in examples if row.split != "test"}) > 1
    for target in sorted(rows):
        training = [row for row in rows[target] if row.split != "test"]
        if not training and any(row.split != "test" for row in examples):
            continue  # a target only in the test split is scored, with a warning
        of = f" for the target {target!r}" if several else ""
        counts = Counter(row.label for row in training)
        if any(counts[label] < FEWEST for label in STANCES):
            rare = ", ".join(f"{label} {counts[label]}" for label in STANCES if counts[label] < FEWEST)
            raise ExamplesError(
                f"too few labels to train on{of}: expected at least {FEWEST} training examples of each stance; "
                f"found {rare}. Label more sentences, then pull and adjudicate again"
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
    training: Sequence[Example],
    seed: int,
    progress: Callable[[int, int], None] = lambda *_: None,
    jobs: int = -1,
    stage: Callable[[str], None] = lambda _: None,
    *,
    all_folds: bool = True,
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

    Raises:
        ExamplesError: a fold lacks a stance, the texts have no n-grams, or a fit does not converge.
    """
    part = part_of(training)
    repeats = repeats_of(training)
    stage("trying recipes")
    found = _search(part, seed, repeats, progress, jobs)
    if len(part) == len(training):
        return found
    if not all_folds:
        return msgspec.structs.replace(found, out_of_fold=np.full((len(training), len(STANCES)), np.nan))
    stage("scoring the best recipe on all training texts")
    best = found.trials[0].recipe
    labels = np.array([row.label for row in training])
    given = np.zeros((1, len(training), len(STANCES)))
    targets = _by_target(training)
    cuts = {target: _cuts(training, rows, seed, 1) for target, rows in targets.items()}
    total = len(targets) * FOLDS
    for target, rows in targets.items():
        texts = [training[row].text for row in rows]
        mine = chances(counted(best.features, target, texts), labels[rows], cuts[target], (best.c,), jobs)
        for (_, held), one in zip(cuts[target], mine, strict=True):
            given[0, rows[held]] = one[0]
            progress(1, total)
    trials = [_trial(best, labels, given), *found.trials[1:]]
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
    targets = {row.target for row in training}
    groups = {target: len({row.group for row in part if row.target == target}) for target in targets}
    enough = all(labels[target, label] >= FEWEST for target in targets for label in STANCES)
    return part if enough and min(groups.values()) >= FOLDS else training


def _search(
    training: Sequence[Example], seed: int, repeats: int, progress: Callable[[int, int], None], jobs: int
) -> Searched:
    labels = np.array([row.label for row in training])
    targets = _by_target(training)
    cuts = {target: _cuts(training, rows, seed, repeats) for target, rows in targets.items()}
    total = len(FEATURES) * len(cuts) * repeats * FOLDS
    trials: list[Trial] = []
    best, out_of_fold = (-1.0, 0.0), np.zeros(0)
    for features in FEATURES:
        found = np.zeros((len(PENALTIES), repeats, len(training), len(STANCES)))
        for target, rows in targets.items():
            texts = [training[row].text for row in rows]
            mine = chances(counted(features, target, texts), labels[rows], cuts[target], PENALTIES, jobs)
            for number, ((_, held), given) in enumerate(zip(cuts[target], mine, strict=True)):
                found[:, number // FOLDS, rows[held]] = given
                progress(1, total)
        for c, probabilities in zip(PENALTIES, found, strict=True):
            trial = _trial(Recipe(features=features, c=c), labels, probabilities)
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
