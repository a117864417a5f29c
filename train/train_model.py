"""Train a model: from examples to a model folder with metrics and predictions of the test split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from corpus.store import read_jsonl, write_json, write_jsonl, write_table
from labeling.records import STANCES, Stance, Verdict
from train import input_digests
from train.evaluate.analysis import Analysis, Tested, analyse
from train.evaluate.leak_audit import Audit, audit, check
from train.evaluate.mistakes import doubts, mistakes, read_contexts, write_doubts
from train.examples.joined_groups import split_apart
from train.examples.splits import SPLITS, Origin, SplitSummary, summary
from train.forecast import forecast
from train.metrics import evaluate, f_avg, macro_f1
from train.model import tfidf_logistic
from train.model.explain import explain
from train.model.files import save
from train.model.mask import MENTION, masked
from train.model.search import Searched, check_examples, search
from train.model.tfidf_logistic import Model
from train.records import Example, Majority, Metrics, SearchScores, TargetScore, TestScores
from train.settings import TrainSettings
from train.watch import Watch

TESTED = pa.schema(
    [(name, pa.string()) for name in ("sentence_id", "target", "label", "stance")]
    + [(stance, pa.float64()) for stance in STANCES]
)


class FromVerdicts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of examples that were made from a project's verdicts.

    Attributes:
        work: the project's folder of tables. Mistakes get their contexts and votes from there, and `doubts.jsonl` is
            written there.
        splits: summary of the splits that the examples were given.
    """

    work: Path
    splits: SplitSummary


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What a training run made: scores, their analysis, the number of doubtful verdicts, and whether a file changed."""

    metrics: Metrics
    analysis: Analysis
    doubts: int
    changed: bool


def train(
    examples: Sequence[Example],
    out: Path,
    settings: TrainSettings,
    watch: Watch | None = None,
    jobs: int = -1,
    *,
    origins: Mapping[str, Origin] | None = None,
    project: FromVerdicts | None = None,
) -> Trained:
    """Search for the best recipe, fit the model, evaluate it, and write the model folder.

    Recipe and model see the training and validation splits only; the test split is scored once. Where there are
    several targets, each has its own model, and all models have the same recipe.

    Args:
        examples: labelled texts; where none has a split, groups are split here, and groups that share near-duplicates
            are joined first.
        out: folder to write to; nothing is written before all results are known.
        settings: `[train]` of stance.toml.
        watch: functions that are told how far the training is.
        jobs: number of threads, -1 for one per core; the result does not depend on it.
        origins: outlets and dates of each group, for splits by date or outlet that are made here.
        project: what is known of examples that are a project's verdicts; their splits were made before.

    Raises:
        ExamplesError: a split of the project's verdicts leaks; a target has too few examples of a label or too few
            groups; there is no test split; or `mask` is set and no text has a marked mention.
    """
    watch = watch or Watch()
    splits, work = (project.splits, project.work) if project else (None, None)
    examples = [msgspec.structs.replace(row, text=_encodable(row.text)) for row in examples]
    ready_made = splits is None and any(row.split for row in examples)
    notes: list[str] = []
    leaks: Audit | None = None
    watch.stage("looking for near-duplicates")
    if not ready_made and splits is None:
        apart = split_apart(examples, settings, origins)
        examples, leaks = apart.examples, apart.audit
        splits = summary(examples, [], settings.split, apart.origins)
        if apart.joined:
            notes.append(
                f"{apart.joined} of {apart.groups} groups share near-duplicates with another one and were joined to "
                "it, so that no test text has a near-duplicate in training"
            )
    trained_on = input_digests.of_examples(examples, settings)
    if settings.mask:
        examples, leaks = _masked(examples), None
    check_examples(examples)
    training = [row for row in examples if row.split != "test"]
    testing = [row for row in examples if row.split == "test"]
    leaks = leaks or audit(training, testing)
    if not ready_made:
        check(leaks)
    if told := forecast(training, testing, jobs, watch.stage, all_folds=bool(work)):
        watch.say(told)
    searched = search(training, settings.seed, watch.step, jobs, watch.stage, all_folds=bool(work))
    watch.stage("fitting the model")
    model = msgspec.structs.replace(tfidf_logistic.fit(searched.trials[0].recipe, training), masked=settings.mask)
    chances = tfidf_logistic.probabilities(model, [row.text for row in testing], [row.target for row in testing])
    metrics, predictions = _test(model, searched, training, testing, chances, settings.seed)
    several = len(model.pipelines) > 1
    votes, contexts = _votes(work), read_contexts(work, [row.sentence_id for row in testing]) if work else None
    tested = Tested(
        searched=searched,
        training=training,
        testing=testing,
        probabilities=chances,
        leaks=leaks,
        ready_made=ready_made,
        splits=splits,
        votes=votes,
        outside=work is None,
    )
    analysis = analyse(tested, settings.seed, watch, jobs)
    watch.stage("writing the model")

    if searched.examples < len(training):
        notes.append(
            f"the recipe was chosen by one cross-validation on {searched.examples:,} of {len(training):,} training "
            "examples, as trying all recipes on such long texts would take much time"
        )
    if notes:
        analysis = msgspec.structs.replace(analysis, notes=[*notes, *analysis.notes])

    def explained(row: Example) -> list[tuple[str, dict[Stance, float]]]:
        return explain(model, row.text, row.target) if row.target in model.pipelines or not several else []

    doubtful = doubts(training, searched.out_of_fold, votes) if work else []
    changed = [
        write_table(out / "predictions.parquet", predictions),
        write_json(out / "metrics.json", metrics),
        write_json(out / "analysis.json", analysis),
        write_jsonl(out / "mistakes.jsonl", mistakes(testing, chances, contexts, votes, explained)),
        bool(work) and write_doubts(work or out, doubtful),
        *save(model, out, trained_on),
    ]
    return Trained(metrics=metrics, analysis=analysis, doubts=len(doubtful), changed=any(changed))


def _encodable(text: str) -> str:
    """The text without lone surrogates, which a UTF-8 file cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _votes(work: Path | None) -> dict[str, dict[str, Stance]] | None:
    if work is None:
        return None
    return {row.sentence_id: row.votes for row in read_jsonl(work / "verdicts.jsonl", Verdict, "stance adjudicate")}


def _masked(examples: Sequence[Example]) -> list[Example]:
    if not any(MENTION.search(row.text) for row in examples):
        raise ExamplesError(
            "[train] mask = true, but no text marks its target's mention: write [T] before it and [/T] after it, "
            f"or leave mask out; the first text is {examples[0].text[:60]!r}"
        )
    return [msgspec.structs.replace(row, text=masked(row.text)) for row in examples]


def _test(
    model: Model,
    searched: Searched,
    training: list[Example],
    testing: list[Example],
    chances: NDArray[np.float64],
    seed: int,
) -> tuple[Metrics, pa.Table]:
    true: list[Stance] = [row.label for row in testing]
    groups = [row.group for row in testing]
    targets = [row.target for row in testing]
    given: list[Stance] = [STANCES[n] for n in chances.argmax(axis=1)]
    scores = evaluate(true, given, groups, seed)
    always = majority(training, targets)
    constant = evaluate(true, always, groups, seed, possible=set(always))
    by_target = _by_target(targets, true, given)
    everything = [*training, *testing]
    best = searched.trials[0]
    metrics = Metrics(
        test=TestScores(
            **msgspec.structs.asdict(scores),
            majority=Majority(f_avg=constant.f_avg, macro_f1=constant.macro_f1, accuracy=constant.accuracy),
            by_target=by_target,
            mean_f_avg=sum(score.f_avg for score in by_target.values()) / len(by_target),
        ),
        cv=SearchScores(
            f_avg=best.f_avg,
            macro_f1=best.macro_f1,
            features=best.recipe.features,
            c=best.recipe.c,
            folds=searched.folds,
            repeats=searched.repeats,
            tried=searched.trials,
        ),
        examples={name: sum(row.split == name for row in everything) for name in SPLITS},
        groups={name: len({row.group for row in everything if row.split == name}) for name in SPLITS},
        labels={stance: sum(row.label == stance for row in everything) for stance in STANCES},
        warnings=[*_warnings(model, targets), *_across(training, testing)],
    )
    columns: dict[str, list[object]] = defaultdict(list)
    for row, stance, chance in zip(testing, given, chances.tolist(), strict=True):
        columns["sentence_id"].append(row.sentence_id)
        columns["target"].append(row.target)
        columns["label"].append(row.label)
        columns["stance"].append(stance)
        for name, probability in zip(STANCES, chance, strict=True):
            columns[name].append(probability)
    return metrics, pa.table(dict(columns), schema=TESTED)


def _by_target(targets: list[str], true: list[Stance], given: list[Stance]) -> dict[str, TargetScore]:
    scores: dict[str, TargetScore] = {}
    for target in sorted(set(targets)):
        pairs = [(t, g) for name, t, g in zip(targets, true, given, strict=True) if name == target]
        labels, guesses = [t for t, _ in pairs], [g for _, g in pairs]
        scores[target] = TargetScore(
            f_avg=f_avg(labels, guesses),
            macro_f1=macro_f1(labels, guesses),
            accuracy=sum(t == g for t, g in pairs) / len(pairs),
            n=len(pairs),
        )
    return scores


def _warnings(model: Model, targets: Sequence[str]) -> list[str]:
    warnings = []
    if len(model.pipelines) > 1:
        warnings.append(
            "Each target has its own model, which knows nothing of other targets: on a target that is not among "
            f"the {len(model.pipelines)} trained on, a model of words is at chance."
        )
    if unseen := model.unseen(targets):
        names = ", ".join(name or "(no target given)" for name in unseen)
        count = sum(target in unseen for target in targets)
        warnings.append(f"{count} test examples are toward targets never seen in training: {names}.")
    return warnings


def _across(training: Sequence[Example], testing: Sequence[Example]) -> list[str]:
    """A warning about groups that ready-made splits cut through, target by target, as each target has its own model."""
    learned = {(row.target, row.group) for row in training}
    cut = [row.group for row in testing if (row.target, row.group) in learned]
    if not cut:
        return []
    tested, shared = {row.group for row in testing}, sorted(set(cut))
    return [
        f"The splits that came with the data cut through {len(shared)} of the test split's {len(tested)} groups "
        f"({', '.join(shared[:3])}{', …' if len(shared) > 3 else ''}), with {len(cut)} of its {len(testing)} examples: "
        "what was learned from the same groups flatters the scores."
    ]


def majority(training: Sequence[Example], targets: Sequence[str]) -> list[Stance]:
    """Predict for each target its most frequent training label; where two are equally frequent, the first in STANCES.

    A target unseen in training gets the most frequent label of all training examples. On SemEval-2016 6A this baseline
    has the published F_avg of 65.22.

    Args:
        training: training examples.
        targets: target of each text to predict.

    Returns:
        A label for each text, in the order of `targets`.
    """
    counts: dict[str, Counter[Stance]] = defaultdict(Counter)
    for row in training:
        counts[row.target][row.label] += 1
    everything: Counter[Stance] = sum(counts.values(), Counter())
    label = {target: _most_frequent(counts.get(target, everything)) for target in set(targets)}
    return [label[target] for target in targets]


def _most_frequent(counts: Counter[Stance]) -> Stance:
    return max(STANCES, key=lambda stance: (counts[stance], -STANCES.index(stance)))
