"""The records of this package: examples, scores and the files beside a model."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from corpus.errors import ExamplesError
from corpus.store import read_json
from labeling.intervals import Estimate
from labeling.records import Stance

Record = TypeVar("Record", bound=msgspec.Struct)


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled text; all examples of one `group` have the same split."""

    sentence_id: str
    text: str
    label: Stance
    target: str = ""
    group: str = ""
    split: str = ""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """The features and the regularisation (C) of a model."""

    features: str
    c: float


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
    """All scores of one set of predictions; `confusion[true][given]` in the order of STANCES."""

    f_avg: Estimate
    macro_f1: Estimate
    accuracy: Estimate
    by_class: dict[str, ClassScore]
    confusion: list[list[int]]
    n: int
    groups: int


class Majority(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of always predicting the most frequent training label of the target."""

    f_avg: Estimate
    macro_f1: Estimate
    accuracy: Estimate


class TargetScore(msgspec.Struct, frozen=True, kw_only=True):
    """Scores on the test examples of one target alone, and the number of these examples."""

    f_avg: float
    macro_f1: float
    accuracy: float
    n: int


class TestScores(Scores, frozen=True, kw_only=True):
    """Scores on the test split, with those of the majority label and those of each target alone.

    `f_avg` pools all targets, as SemEval-2016 does; `mean_f_avg` is the mean over targets, each weighted equally.
    """

    majority: Majority
    by_target: dict[str, TargetScore]
    mean_f_avg: float


class SearchScores(msgspec.Struct, frozen=True, kw_only=True):
    """The chosen recipe with its cross-validated scores, and the table of everything that was tried."""

    f_avg: float
    macro_f1: float
    features: str
    c: float
    folds: int
    repeats: int
    tried: list[Trial]


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """`metrics.json`; all scores are fractions from 0 to 1."""

    test: TestScores
    cv: SearchScores
    examples: dict[str, int]
    groups: dict[str, int]
    labels: dict[str, int]
    warnings: list[str]


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """`model.json`: what is needed to open the model files beside it.

    `trained_on` is the digest of the examples and of the settings that the fit depends on; "" in a folder that an
    earlier version wrote. The file is written last, so that an interrupted training can be recognised.
    """

    scikit_learn: str
    skops: str
    labels: list[str]
    targets: list[str]
    recipe: Recipe
    masked: bool
    trained_on: str = ""


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
        raise ExamplesError(f"{path} is not there: run `stance train` first")
    return read_json(path, kind, ExamplesError, "run `stance train` again")
