"""Predict labelled sentences with models that have not seen their labels, for shares that the labels correct."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from labeling.scheme import Scheme
from train.examples.soft_votes import learnable
from train.model import tfidf_logistic
from train.predict.influence import Labels
from train.predict.judge import Judge, judge_of, open_model
from train.predict.score_corpus import Judges, Progress, score_corpus
from train.predict.sentence_arrays import FOLDS, Layout, Verdicts
from train.predict.shares import FEWEST_ARTICLES, FEWEST_LABELS
from train.records import Example


class CrossFit(msgspec.Struct, frozen=True, kw_only=True):
    """A model for each fold, or none, and a note on the correction of the shares or on why there is none."""

    of_fold: dict[int, Judge]
    note: str


def project_model(work: Path, target: str, scheme: Scheme) -> Judge:
    """Open the project's model.

    Raises:
        ExamplesError: there is no model, another version wrote it, or it has other labels than the project.
    """
    model = open_model(work / "model", target)
    if model.labels != scheme.names:
        raise ExamplesError(
            f"{work / 'model'} has the labels {', '.join(model.labels)}, and the project has "
            f"{', '.join(scheme.names)}: run `stance train` again"
        )
    return model


def cross_fit(judge: Judge, layout: Layout, verdicts: Verdicts | None, scheme: Scheme) -> CrossFit:
    """The models that a correction needs.

    The model itself has seen most verdicts. So for each fold, a model of the same recipe learns from the verdicts
    outside of the fold and predicts every sentence in it, labelled or not. No sentence is predicted from its own label.

    Args:
        judge: the model.
        layout: the sentences of the corpus.
        verdicts: the verdicts.
        scheme: labels of the project.
    """
    if verdicts is None or not verdicts.examples:
        return CrossFit(of_fold={}, note="not corrected: there are no verdicts on this corpus yet")
    sampled = len(np.unique(layout.unit[(verdicts.weight > 0) & verdicts.by_chance]))
    if sampled < FEWEST_LABELS:
        note = (
            f"not corrected: of {len(verdicts.examples):,} verdicts {sampled:,} speak for the corpus as a random "
            f"sample; {FEWEST_LABELS} are needed. `stance push --limit N` draws one"
        )
        return CrossFit(of_fold={}, note=note)
    known = {example.label for _, example in verdicts.examples}
    folds = layout.folds()
    of_fold: dict[int, Judge] = {}
    for fold in np.unique(folds).tolist():
        training = [example for place, example in verdicts.examples if folds[place] != fold]
        counts = Counter(example.label for example in training)
        # A label that no verdict has is not missed, but a model tells two labels or more apart.
        missing = [label for label in scheme.names if not counts[label] and (label in known or len(counts) < 2)]
        if missing:
            note = f"not corrected: without a fifth of the articles no verdict is {' or '.join(missing)}"
            return CrossFit(of_fold={}, note=note)
        of_fold[fold] = refit(judge, training, scheme)
    note = (
        f"corrected by {sampled:,} randomly sampled verdicts, cross-fitted in {FOLDS} folds of articles; an outlet or "
        f"month needs {FEWEST_LABELS} of its own, in {FEWEST_ARTICLES} articles"
    )
    return CrossFit(of_fold=of_fold, note=note)


def refit(judge: Judge, training: Sequence[Example], scheme: Scheme) -> Judge:
    """A model of the same recipe, fitted to other examples, which reads texts as the first one does."""
    if judge.recipe.votes == "soft":
        training = learnable(training).examples
    else:
        training = [msgspec.structs.replace(row, votes={}) for row in training]
    texts = judge.read([row.text for row in training])
    read = [msgspec.structs.replace(row, text=text) for row, text in zip(training, texts, strict=True)]
    model = tfidf_logistic.fit(judge.recipe, read, scheme, judge.vectors)
    asked = [judge.target] if judge.joint else []
    return judge_of(msgspec.structs.replace(model, masked=judge.masked, joint=asked), judge.target)


def correction(cross: CrossFit, layout: Layout, verdicts: Verdicts | None, held: NDArray[np.int8]) -> Labels | None:
    """The labels that a correction needs; None if there is none.

    Args:
        cross: the models of the folds.
        layout: the sentences of the corpus.
        verdicts: the verdicts.
        held: position of the label of each sentence that the model of its fold predicts.
    """
    if verdicts is None or not cross.of_fold:
        return None
    return Labels(
        stance=verdicts.stance, weight=verdicts.weight, unit=layout.unit, by_chance=verdicts.by_chance, held=held
    )


def cross_fitted(
    work: Path, target: str, layout: Layout, verdicts: Verdicts | None, progress: Progress, scheme: Scheme
) -> tuple[Labels | None, str]:
    """The verdicts with what a model says of each sentence that has not seen the sentence's verdict.

    Args:
        work: the project's folder of tables, with `model`.
        target: what the stance is toward.
        layout: the sentences of the corpus.
        verdicts: the verdicts.
        progress: function that is called with the number of sentences that were just predicted, and of all.
        scheme: labels of the project.

    Returns:
        The labels that a correction needs, or None; and a note on the correction or on why there can be none.

    Raises:
        ExamplesError: there is no model, or it has other labels than the project.
    """
    cross = cross_fit(project_model(work, target, scheme), layout, verdicts, scheme)
    held: list[NDArray[np.int8]] = [np.zeros(0, np.int8)]
    if cross.of_fold:
        with tempfile.TemporaryDirectory(prefix="stance-models-") as folder:
            judges = Judges(model=None, of_fold=cross.of_fold)
            held += [part.held for part in score_corpus(work, judges, layout.folds(), Path(folder), progress)]
    return correction(cross, layout, verdicts, np.concatenate(held)), cross.note
