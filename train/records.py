"""The records of this package: examples, scores and the files beside a model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from corpus.errors import ExamplesError
from corpus.store import read_json
from labeling.scheme import Scheme, Stance
from labeling.statistics.intervals import Estimate

Record = TypeVar("Record", bound=msgspec.Struct)


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled text.

    Attributes:
        sentence_id: an id that no other example has.
        text: the text.
        label: the label of its stance toward the target.
        target: what the stance is toward; may be empty where all examples have one target.
        group: the name of the group that it must not be separated from: all examples of one group have the same split.
        split: `train`, `validation` or `test`; empty until the examples are split.
        votes: number of votes for each label, where the model is to learn from votes (`[train] votes = "soft"`) and the
            text has enough of them; else empty.
    """

    sentence_id: str
    text: str
    label: Stance
    target: str = ""
    group: str = ""
    split: str = ""
    votes: dict[Stance, int] = {}


class Encoder(msgspec.Struct, frozen=True, kw_only=True):
    """The frozen encoder whose sentence vectors a model reads beside its n-grams; its weights are not in the model.

    Attributes:
        name: id of the encoder at the Hub, or the name of its folder.
        revision: commit at the Hub; "" for a folder.
        digest: SHA-256 of everything that the vectors depend on; see `train.encoder.find_encoder`.
        pooling: how the vectors of a text's tokens become one: their mean, or that of the first token (`cls`).
        tokens: most tokens of a text that are read.
        width: number of numbers in a vector.
    """

    name: str
    revision: str
    digest: str
    pooling: str
    tokens: int
    width: int


class Recipe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The features and the regularisation (C) of a model, and whether it learns verdicts (`hard`) or votes (`soft`).

    `vectors` is the weight of sentence vectors beside the n-grams, whose texts have length 1; None means n-grams alone.
    """

    features: str
    c: float
    votes: Literal["hard", "soft"] = "hard"
    vectors: float | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe and its out-of-fold scores on all targets together, each the mean over repeated cross-validations."""

    recipe: Recipe
    f_avg: float
    macro_f1: float


class ClassScore(msgspec.Struct, frozen=True, kw_only=True):
    """Precision, recall and F1 of one stance, and the number of examples that have it."""

    precision: float
    recall: float
    f1: float
    support: int


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """All scores of one set of predictions; `confusion[true][given]` in the order of the labels, as in `by_class`."""

    f_avg: Estimate
    macro_f1: Estimate
    accuracy: Estimate
    by_class: dict[str, ClassScore]
    confusion: list[list[int]]
    n: int
    groups: int


class Majority(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Scores of always predicting the most frequent training label of the target.

    `mean_absolute_error` is in steps of the scale, and None unless the labels are a scale.
    """

    f_avg: Estimate
    macro_f1: Estimate
    accuracy: Estimate
    mean_absolute_error: Estimate | None = None


class TargetScore(msgspec.Struct, frozen=True, kw_only=True):
    """Scores on the test examples of one target, or one language, alone, and the number of these examples."""

    f_avg: float
    macro_f1: float
    accuracy: float
    n: int


class Distances(msgspec.Struct, frozen=True, kw_only=True):
    """How far predicted probabilities are from the shares of the votes: the means over the examples."""

    cross_entropy: Estimate
    manhattan: Estimate


class VoteScores(Distances, frozen=True, kw_only=True):
    """The model's distances to the votes, beside those of a constant, on the test examples with three votes or more.

    Attributes:
        constant: distances of always predicting the mean of the training examples' shares, target by target.
        entropy: the lowest cross-entropy that any prediction can have: that of the votes' own shares.
        n: number of examples.
        groups: number of groups.
    """

    constant: Distances
    entropy: float
    n: int
    groups: int


class TestScores(Scores, frozen=True, kw_only=True, omit_defaults=True):
    """Scores on the test split, with those of the majority label and those of each target alone.

    `f_avg` pools all targets, as SemEval-2016 does; `mean_f_avg` is the mean over targets, each weighted equally.
    `mean_absolute_error` is in steps of the scale, and None unless the labels are a scale.
    `by_seen` has the scores on the targets that training examples had (`seen`) and on the others (`unseen`), where
    there are others. `votes` compares the probabilities with the votes; None unless the model learned from votes.
    """

    majority: Majority
    by_target: dict[str, TargetScore]
    mean_f_avg: float
    by_seen: dict[str, TargetScore] = {}
    mean_absolute_error: Estimate | None = None
    votes: VoteScores | None = None


class SearchScores(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The chosen recipe with its cross-validated scores, and the table of everything that was tried."""

    f_avg: float
    macro_f1: float
    features: str
    c: float
    folds: int
    repeats: int
    tried: list[Trial]
    vectors: float | None = None


class Metrics(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`metrics.json`; all scores are fractions from 0 to 1.

    `labels` counts the examples of each label, in the order of the label scheme. `scored` and `ordered` are those of
    the scheme; they are left out where they are what the scheme has if `[labels]` gives its names alone.
    `left_out` has the targets that had too few examples for a model, each with the reason. `encoder` is None for a
    model of n-grams alone.
    """

    test: TestScores
    cv: SearchScores
    examples: dict[str, int]
    groups: dict[str, int]
    labels: dict[str, int]
    warnings: list[str]
    scored: list[str] = []
    ordered: bool = False
    left_out: dict[str, str] = {}
    encoder: Encoder | None = None

    @property
    def scheme(self) -> Scheme:
        """The label scheme that the scores are of; its hints are not known."""
        return Scheme(names=list(self.labels), scored=self.scored, ordered=self.ordered)


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`model.json`: what is needed to open the model files beside it.

    `trained_on` is the digest of the examples and of the settings that the fit depends on; "" in a folder that an
    earlier version wrote. A `joint` model has one pipeline for all its targets. The
    logistic regression of a model with an `encoder` has a coefficient for each number of a sentence vector, after those
    of the n-grams. The file is written last, so that an interrupted training can be recognised.
    """

    scikit_learn: str
    skops: str
    labels: list[str]
    targets: list[str]
    recipe: Recipe
    masked: bool
    trained_on: str = ""
    joint: bool = False
    encoder: Encoder | None = None


def read_metrics(folder: Path) -> Metrics:
    """The metrics of a model folder.

    Raises:
        ExamplesError: there are none, or another version wrote them.
    """
    return read_record(folder / "metrics.json", Metrics)


def read_record(path: Path, kind: type[Record]) -> Record:
    """A record that `stance train` wrote.

    Raises:
        ExamplesError: the file is missing, or another version wrote it.
    """
    if not path.is_file():
        raise ExamplesError(f"{path} is not there: run `stance train` first", missing=True)
    return read_json(path, kind, ExamplesError, "run `stance train` again")
