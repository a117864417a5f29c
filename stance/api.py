"""Splitting and training on labelled texts of your own, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from labeling.scheme import Scheme
from train.examples.joined_groups import split_apart
from train.examples.read_labels import labels_of
from train.settings import TrainSettings
from train.train_model import Trained
from train.train_model import train as train_model

if TYPE_CHECKING:
    from train.records import Example


def split(examples: Sequence[Example], *, validation: float = 0.15, test: float = 0.2) -> list[Example]:
    """Give each example a split, so that no test text has a near-duplicate in training.

    Examples of one group share a split, and groups that share near-duplicates are treated as one. The shares of the
    labels in each split come as near to the wanted ones as whole groups allow. The order of the examples makes no
    difference.

    Args:
        examples: labelled texts, as `load_examples` reads them; a split that they already have is replaced.
        validation: the share of examples in the validation split, at least 0.
        test: the share of examples in the test split, above 0.

    Returns:
        The examples in their order, with `split` set to "train", "validation" or "test".

    Raises:
        ValueError: the shares leave nothing to train on.

    >>> from train.records import Example
    >>> texts = ["The talks ended on Monday without a deal.", "The talks ended Monday without a deal.", "It rained."]
    >>> rows = [Example(sentence_id=text, text=text, label="none", group=str(n)) for n, text in enumerate(texts)]
    >>> parts = split(rows, validation=0, test=0.5)
    >>> parts[0].split == parts[1].split
    True
    """
    return split_apart(examples, TrainSettings(validation=validation, test=test)).examples


def train(
    examples: Sequence[Example],
    out: str | Path,
    *,
    validation: float = 0.15,
    test: float = 0.2,
    seed: int = 1,
    mask: bool = False,
    jobs: int = -1,
    labels: Sequence[str] | None = None,
    votes: Literal["hard", "soft"] = "hard",
) -> Trained:
    """Choose, fit and evaluate the baseline, TF-IDF with logistic regression, and write it to a folder.

    The recipe (n-grams and regularisation) is chosen by cross-validation on the training and validation splits; the
    test split is scored once.

    Args:
        examples: labelled texts; where none has a split, they are split here.
        out: the folder of the model; `load_model` opens it.
        validation: the share of examples in the validation split, where the examples are split here.
        test: the share of examples in the test split, where the examples are split here.
        seed: the seed of the cross-validation folds and of the bootstrap intervals.
        mask: whether the marked mention of the target, `[T]…[/T]`, is hidden from the model.
        jobs: the number of threads, -1 for one a core; the result does not depend on it.
        labels: the labels in their order. If None, they are favor, against and none where the examples have no others,
            and else the examples' own, in alphabetical order or from the lowest number to the highest.
        votes: whether the model learns the labels ("hard"), or the shares of the votes that the examples have
            ("soft"; `load_examples` reads them with `votes="soft"`).

    Returns:
        The scores (`metrics`) and what is to be known beside them (`analysis`), as the files `metrics.json` and
        `analysis.json` in the folder hold them. `metrics.test` has the scores on the test split, such as `f_avg`, each
        with its `value` and the ends of its interval, `low` and `high`.

    Raises:
        ExamplesError: there are too few examples of a label or too few groups, or there is no test split.
    """
    settings = TrainSettings(validation=validation, test=test, seed=seed, mask=mask, votes=votes)
    scheme = Scheme(names=list(labels)) if labels else labels_of(examples)
    return train_model(examples, Path(out), settings, jobs=jobs, scheme=scheme)
