"""Train a model: from examples to a model folder with metrics and predictions of the test split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from corpus.numbers import number
from corpus.store import write_json, write_jsonl, write_table
from labeling.records import Verdict
from labeling.scheme import DEFAULT, Scheme, Stance, read_labelled
from train import input_digests
from train.encoder.vectors import open_vectors
from train.evaluate.analysis import Analysis, Tested, analyse
from train.evaluate.leak_audit import Audit, audit, check
from train.evaluate.majority import majority
from train.evaluate.mistakes import doubts, mistakes, read_contexts, read_languages, write_doubts
from train.evaluate.vector_gain import vector_gain
from train.examples.joined_groups import split_apart
from train.examples.soft_votes import check_votes, learnable
from train.examples.splits import SPLITS, Origin, SplitSummary, summary
from train.forecast import forecast
from train.metrics import evaluate, f_avg, macro_f1
from train.model import tfidf_logistic
from train.model.explain import explain
from train.model.files import save
from train.model.joint import joined
from train.model.mask import MENTION, masked
from train.model.search import FOLDS, Searched, check_examples, search
from train.model.tfidf_logistic import JOINT, Model
from train.records import Example, Majority, Metrics, SearchScores, TargetScore, TestScores
from train.scale_error import mean_absolute_error
from train.settings import TrainSettings
from train.vote_scores import vote_scores
from train.watch import Watch

TESTED = ("sentence_id", "target", "label", "stance")


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
    scheme: Scheme = DEFAULT,
) -> Trained:
    """Search for the best recipe, fit the model, evaluate it, and write the model folder.

    Recipe and model see the training and validation splits only; the test split is scored once. Where there are
    several targets, each has its own model, and all models have the same recipe; targets with too few examples are left
    out, which the analysis reports. Under `[train] targets = "joint"` one model reads text and target. Under
    `[train] votes = "soft"` the models learn from the examples' votes; scores and search go by the labels as ever.
    Under `[train] features = "embedding"` they read sentence vectors beside n-grams, and those alone are the baseline.

    Args:
        examples: labelled texts; where none has a split, groups are split here, and groups that share near-duplicates
            are joined first.
        out: folder to write to; nothing is written before all results are known.
        settings: `[train]` of stance.toml.
        watch: functions that are told how far the training is.
        jobs: number of threads, -1 for one per core; the result does not depend on it.
        origins: outlets and dates of each group, for splits by date or outlet that are made here.
        project: what is known of examples that are a project's verdicts; their splits were made before.
        scheme: labels of the examples.

    Raises:
        ExamplesError: a split of the project's verdicts leaks; no target has enough examples of two labels or enough
            groups; there is no test split; `mask` is set and no text has a marked mention; or the encoder cannot be
            used.
    """
    watch = watch or Watch()
    splits, work = (project.splits, project.work) if project else (None, None)
    soft = settings.votes == "soft"
    examples = [
        msgspec.structs.replace(row, text=_encodable(row.text), votes=row.votes if soft else {}) for row in examples
    ]
    ready_made = splits is None and any(row.split for row in examples)
    notes: list[str] = []
    leaks: Audit | None = None
    vectors = open_vectors(settings.encoder, jobs) if settings.features == "embedding" else None
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
    trained_on = input_digests.of_examples(examples, settings, scheme)
    if settings.mask:
        examples, leaks = _masked(examples), None
    joint = settings.targets == "joint"
    shown = [_read(row) for row in examples] if joint else examples
    usable = check_examples(shown, settings.seed, scheme)
    if usable.left_out:  # never where all targets have one model
        examples, shown, leaks = usable.examples, usable.examples, None
    if soft:
        check_votes(shown)
        by_votes = learnable(shown, scheme)
        shown = by_votes.examples
        notes += by_votes.notes
    training = [row for row in examples if row.split != "test"]
    testing = [row for row in examples if row.split == "test"]
    leaks = leaks or audit(training, testing)
    if not ready_made:
        check(leaks)
    read, asked = ([row for row in shown if (row.split == "test") == tested] for tested in (False, True))
    other = joint or vectors  # a forecast is of n-grams alone
    if not other and (told := forecast(training, testing, jobs, watch.stage, all_folds=bool(work), scheme=scheme)):
        watch.say(told)
    folded, apart_by = _folds(read, training, testing) if joint else (read, "")
    notes += [apart_by] if apart_by else []
    find = partial(search, folded, settings.seed, watch.step, jobs, watch.stage, all_folds=bool(work), scheme=scheme)
    baseline = searched = find(features=JOINT if joint else None)
    if vectors:
        watch.stage("encoding the texts")
        vectors.of([row.text for row in shown], watch.step)
        # The n-grams are chosen first, so that vectors cost a search of one feature set and not of all.
        searched = find(features=[baseline.trials[0].recipe.features], vectors=vectors)
    watch.stage("fitting the model")
    known = sorted({row.target for row in training}) if joint else []
    recipe = msgspec.structs.replace(searched.trials[0].recipe, votes=settings.votes)
    fitted = tfidf_logistic.fit(recipe, read, scheme, vectors)
    model = msgspec.structs.replace(fitted, masked=settings.mask, joint=known)
    chances = tfidf_logistic.probabilities(model, [row.text for row in testing], [row.target for row in testing])
    metrics, predictions = _test(model, searched, training, testing, chances, settings.seed, scheme)
    if vectors:
        tried = msgspec.structs.replace(metrics.cv, tried=[*searched.trials, *baseline.trials])
        metrics = msgspec.structs.replace(metrics, cv=tried, encoder=vectors.encoder)
    if usable.left_out:
        metrics = msgspec.structs.replace(
            metrics, left_out=usable.left_out, warnings=[*metrics.warnings, _left_out(usable.left_out)]
        )
    several = len(model.pipelines) > 1
    votes, contexts = _votes(work, scheme), read_contexts(work, [row.sentence_id for row in testing]) if work else None
    tested = Tested(
        searched=searched,
        training=read,
        testing=asked,
        probabilities=chances,
        leaks=leaks,
        ready_made=ready_made,
        splits=splits,
        votes=votes,
        outside=work is None,
        scheme=scheme,
        vectors=vectors,
    )
    analysis = analyse(tested, settings.seed, watch, jobs)
    if vectors:
        watch.stage("comparing with n-grams alone")
        gain = vector_gain(model, baseline.trials[0], read, asked, chances, settings.seed, scheme)
        analysis = msgspec.structs.replace(analysis, vectors=gain)
    if work:
        languages = read_languages(work, [row.sentence_id for row in testing])
        spoken = [languages.get(row.sentence_id, "") for row in testing]
        if len(set(spoken)) > 1:
            labels: list[Stance] = [row.label for row in testing]
            stances: list[Stance] = [scheme.names[n] for n in chances.argmax(axis=1)]
            analysis = msgspec.structs.replace(analysis, languages=_scores_by(spoken, labels, stances, scheme))
    watch.stage("writing the model")

    if searched.examples < len(training):
        notes.append(
            f"the recipe was chosen by one cross-validation on {searched.examples:,} of {len(training):,} "
            "examples of train and validation, as trying all recipes on such long texts would take much time"
        )
    if notes:
        analysis = msgspec.structs.replace(analysis, notes=[*notes, *analysis.notes])

    def explained(row: Example) -> list[tuple[str, dict[Stance, float]]]:
        known = row.target in model.pipelines or not (several or joint)
        return explain(model, row.text, row.target) if known else []

    doubtful = doubts(training, searched.out_of_fold, votes, scheme) if work else []
    changed = [
        write_table(out / "predictions.parquet", predictions),
        write_json(out / "metrics.json", metrics),
        write_json(out / "analysis.json", analysis),
        write_jsonl(out / "mistakes.jsonl", mistakes(testing, chances, contexts, votes, explained, scheme)),
        bool(work) and write_doubts(work or out, doubtful),
        *save(model, out, trained_on),
    ]
    return Trained(metrics=metrics, analysis=analysis, doubts=len(doubtful), changed=any(changed))


def _read(row: Example) -> Example:
    """An example of a joint model: its text as the model reads it, and one target for all."""
    return msgspec.structs.replace(row, text=joined(row.text, row.target), target="")


def _folds(
    read: Sequence[Example], training: Sequence[Example], testing: Sequence[Example]
) -> tuple[Sequence[Example], str]:
    """The examples for the cross-validation of a joint model, and a note where it holds whole targets apart.

    It does where the test split asks for targets unseen in training: then the best recipe is the one that carries over
    to another target, which folds that share their targets cannot tell.
    """
    targets = {row.target for row in training}
    unseen = sum(row.target not in targets for row in testing)
    if not unseen or len(targets) < FOLDS:
        return read, ""
    folded = [msgspec.structs.replace(row, group=row_of.target) for row, row_of in zip(read, training, strict=True)]
    return folded, (
        f"the recipe was chosen by a cross-validation that holds whole targets apart, as {unseen} of {len(testing)} "
        "test examples are toward targets unseen in training"
    )


def _left_out(reasons: Mapping[str, str]) -> str:
    return (
        f"{len(reasons)} targets are left out of training and test, as they have too few examples for a model of their "
        f'own: {_listed(sorted(reasons))}. metrics.json has the reasons; [train] targets = "joint" uses them all.'
    )


def _listed(names: Sequence[str], most: int = 10) -> str:
    shown = [name or "(no target given)" for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _encodable(text: str) -> str:
    """The text without lone surrogates, which a UTF-8 file cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _votes(work: Path | None, scheme: Scheme) -> dict[str, dict[str, Stance]] | None:
    if work is None:
        return None
    verdicts = read_labelled(work / "verdicts.jsonl", Verdict, "stance adjudicate", scheme)
    return {row.sentence_id: row.votes for row in verdicts}


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
    scheme: Scheme,
) -> tuple[Metrics, pa.Table]:
    true: list[Stance] = [row.label for row in testing]
    groups = [row.group for row in testing]
    targets = [row.target for row in testing]
    given: list[Stance] = [scheme.names[n] for n in chances.argmax(axis=1)]
    scores = evaluate(true, given, groups, seed, scheme=scheme)
    always = majority(training, targets, scheme)
    constant = evaluate(true, always, groups, seed, possible=set(always), scheme=scheme)
    by_target = _scores_by(targets, true, given, scheme)
    everything = [*training, *testing]
    unseen = set(model.unseen(targets))
    kinds = ["unseen" if target in unseen else "seen" for target in targets]
    best = searched.trials[0]
    metrics = Metrics(
        test=TestScores(
            **msgspec.structs.asdict(scores),
            majority=Majority(
                f_avg=constant.f_avg,
                macro_f1=constant.macro_f1,
                accuracy=constant.accuracy,
                mean_absolute_error=(
                    mean_absolute_error(true, always, groups, scheme.names, seed) if scheme.ordered else None
                ),
            ),
            by_target=by_target,
            mean_f_avg=sum(score.f_avg for score in by_target.values()) / len(by_target),
            by_seen=_scores_by(kinds, true, given, scheme) if unseen else {},
            mean_absolute_error=(
                mean_absolute_error(true, given, groups, scheme.names, seed) if scheme.ordered else None
            ),
            votes=vote_scores(training, testing, chances, scheme, seed),
        ),
        cv=SearchScores(
            f_avg=best.f_avg,
            macro_f1=best.macro_f1,
            features=best.recipe.features,
            c=best.recipe.c,
            vectors=best.recipe.vectors,
            folds=searched.folds,
            repeats=searched.repeats,
            tried=searched.trials,
        ),
        examples={name: sum(row.split == name for row in everything) for name in SPLITS},
        groups={name: len({row.group for row in everything if row.split == name}) for name in SPLITS},
        labels={stance: sum(row.label == stance for row in everything) for stance in scheme.names},
        warnings=[*_warnings(model, training, targets), *_across(training, testing)],
        scored=scheme.scored if scheme.scored != Scheme(names=scheme.names).scored else [],
        ordered=scheme.ordered,
    )
    columns: dict[str, list[object]] = defaultdict(list)
    for row, stance, chance in zip(testing, given, chances.tolist(), strict=True):
        columns["sentence_id"].append(row.sentence_id)
        columns["target"].append(row.target)
        columns["label"].append(row.label)
        columns["stance"].append(stance)
        for name, probability in zip(scheme.names, chance, strict=True):
            columns[name].append(probability)
    typed = [(name, pa.string()) for name in TESTED] + [(name, pa.float64()) for name in scheme.names]
    return metrics, pa.table(dict(columns), schema=pa.schema(typed))


def _scores_by(parts: Sequence[str], true: list[Stance], given: list[Stance], scheme: Scheme) -> dict[str, TargetScore]:
    """The scores on the examples of each target or language alone."""
    scores: dict[str, TargetScore] = {}
    for part in sorted(set(parts)):
        pairs = [(t, g) for name, t, g in zip(parts, true, given, strict=True) if name == part]
        labels, guesses = [t for t, _ in pairs], [g for _, g in pairs]
        scores[part] = TargetScore(
            f_avg=f_avg(labels, guesses, scheme),
            macro_f1=macro_f1(labels, guesses, scheme),
            accuracy=sum(t == g for t, g in pairs) / len(pairs),
            n=len(pairs),
        )
    return scores


def _warnings(model: Model, training: Sequence[Example], targets: Sequence[str]) -> list[str]:
    warnings = []
    if len(model.pipelines) > 1:
        warnings.append(
            "Each target has its own model, which knows nothing of other targets: on a target that is not among "
            f"the {len(model.pipelines)} trained on, a model of words is at chance."
        )
    if unseen := model.unseen(targets):
        count = sum(target in set(unseen) for target in targets)
        warnings.append(
            f"{number(count, 'test example', 'are')} toward targets never seen in training: {_listed(unseen)}."
        )
    never = [label for label in model.labels if all(row.label != label for row in training)]
    if never:
        warnings.append(f"No training example is {' or '.join(never)}: the model never predicts it.")
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
