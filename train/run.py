"""The stage: examples to a model folder with `metrics.json` and `predictions.parquet`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
from sklearn.pipeline import Pipeline

from corpus.records import ExamplesError
from corpus.store import write_bytes, write_table
from labeling.records import STANCES, Stance
from train import baseline
from train.evaluate import evaluate
from train.examples import SPLITS, split
from train.records import Example, Majority, Metrics, SearchScores, TestScores, TrainSettings, Trial

TESTED = pa.schema(
    [("sentence_id", pa.string()), ("label", pa.string()), ("stance", pa.string())]
    + [(stance, pa.float64()) for stance in STANCES]
)


def train(
    examples: Sequence[Example], out: Path, settings: TrainSettings, progress: Callable[[int], None]
) -> tuple[Metrics, bool]:
    """Search, fit, evaluate, and write the model folder.

    Recipe and model see the training and validation splits alone; the test split is scored once.

    Args:
        examples: labelled texts; where none has a split, groups are split here.
        out: the folder; nothing is written before everything is known.
        settings: `[train]` of stance.toml.
        progress: told of each finished fold of the search.

    Returns:
        The metrics, and whether any file of the folder changed.

    Raises:
        ExamplesError: too few examples of a label, too few groups, no test split, or several targets.
    """
    targets = sorted({row.target for row in examples})
    if len(targets) > 1:
        raise ExamplesError(
            f"expected examples of one target; found {len(targets)}: {', '.join(targets[:5])}. "
            "Train on each target's examples apart"
        )
    if not any(row.split for row in examples):
        examples, _ = split(examples, settings, {})
    baseline.check_examples(examples)
    training = [row for row in examples if row.split != "test"]
    testing = [row for row in examples if row.split == "test"]
    trials = baseline.search(training, settings.seed, progress)
    best = trials[0]
    model = baseline.fit(best.recipe, training)
    metrics, predictions = _test(model, trials, training, testing, settings.seed)
    changed = [
        *baseline.save(model, out),
        write_table(out / "predictions.parquet", predictions),
        write_bytes(out / "metrics.json", msgspec.json.format(msgspec.json.encode(metrics)) + b"\n"),
    ]
    return metrics, any(changed)


def _test(
    model: Pipeline, trials: list[Trial], training: list[Example], testing: list[Example], seed: int
) -> tuple[Metrics, pa.Table]:
    true: list[Stance] = [row.label for row in testing]
    groups = [row.group for row in testing]
    chances = baseline.probabilities(model, [row.text for row in testing])
    given: list[Stance] = [STANCES[n] for n in chances.argmax(axis=1)]
    scores = evaluate(true, given, groups, seed)
    constant = evaluate(true, [_most_frequent(training)] * len(true), groups, seed)
    everything = [*training, *testing]
    metrics = Metrics(
        test=TestScores(
            **msgspec.structs.asdict(scores),
            majority=Majority(f_avg=constant.f_avg, macro_f1=constant.macro_f1, accuracy=constant.accuracy),
        ),
        cv=SearchScores(
            f_avg=trials[0].f_avg,
            macro_f1=trials[0].macro_f1,
            features=trials[0].recipe.features,
            c=trials[0].recipe.c,
            folds=baseline.FOLDS,
            repeats=baseline.REPEATS,
            tried=trials,
        ),
        examples={name: sum(row.split == name for row in everything) for name in SPLITS},
        groups={name: len({row.group for row in everything if row.split == name}) for name in SPLITS},
        labels={stance: sum(row.label == stance for row in everything) for stance in STANCES},
    )
    columns: dict[str, list[object]] = defaultdict(list)
    for row, stance, chance in zip(testing, given, chances.tolist(), strict=True):
        columns["sentence_id"].append(row.sentence_id)
        columns["label"].append(row.label)
        columns["stance"].append(stance)
        for name, probability in zip(STANCES, chance, strict=True):
            columns[name].append(probability)
    return metrics, pa.table(dict(columns), schema=TESTED)


def _most_frequent(training: Sequence[Example]) -> Stance:
    counts = Counter(row.label for row in training)
    return max(STANCES, key=lambda stance: (counts[stance], -STANCES.index(stance)))
