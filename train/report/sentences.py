"""The sentences of the report, and of the paragraph for a paper, that state a number and what it means."""

from __future__ import annotations

import math

from labeling.agreement import reading
from labeling.intervals import Estimate, percent, shown
from train.evaluate.analysis import Analysis
from train.evaluate.calibration import Recalibration
from train.evaluate.ceiling import Ceiling
from train.evaluate.leak_audit import Naive
from train.intervals import UNTOLD
from train.records import Metrics
from train.report.project_snapshot import Found

UNITS = {"char": "character", "char_wb": "within-word character"}


def number(value: float) -> str:
    """A number with three decimal places, or `undefined`."""
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def share(found: Estimate) -> str:
    """A value and its interval in percent, with a space that no line break can split."""
    return percent(found).replace(" %", "\N{NO-BREAK SPACE}%")


def points(found: Estimate) -> str:
    """A difference and its interval in points, which are hundredths."""
    if (found.low, found.high) == (-1, 1):
        return f"{100 * found.value:+.1f} points ({UNTOLD})"
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def agreement_sentence(found: Found) -> str:
    """Krippendorff's alpha and what its value means; "" where no sentence has two votes."""
    agreement = found.status.agreement
    if not agreement.sentences:
        return ""
    return (
        f"Krippendorff’s alpha (nominal) over the {agreement.sentences} sentences from {agreement.articles} articles "
        f"that two or more annotators labelled is {shown(agreement.alpha)}{reading(agreement.alpha)}."
    )


def majority_sentence(metrics: Metrics) -> str:
    """Whether the model is better than always predicting the most frequent label."""
    ours, theirs = metrics.test.f_avg, metrics.test.majority.f_avg
    if not ours.is_known or not theirs.is_known:
        return "Whether the model is above the majority label can’t be told from so few articles."
    if ours.low > theirs.high:
        return "In F_avg the model is above the majority label: their intervals don’t overlap."
    if ours.value > theirs.value:
        return "In F_avg the model is above the majority label, but their intervals overlap."
    return "In F_avg the model is not above the majority label: it has learned nothing that this test set shows."


def ceiling_sentence(ceiling: Ceiling | None) -> str:
    """Whether the model is near the annotators' ceiling."""
    if ceiling is None or not ceiling.annotators:
        return (
            "There is no annotators’ ceiling: it takes sentences of the test split with three or more annotators, "
            "each of whom is scored against the majority of the others."
        )
    found = ceiling.compared
    start = (
        f"Against the majority of the other annotators ({found.n} answers), annotators have an F_avg of "
        f"{shown(found.second)}, the model one of {shown(found.first)} on the same sentences; the difference is "
        f"{points(found.f_avg)}: "
    )
    return (
        start
        + {
            "below": "the model is not near the annotators’ ceiling but below it.",
            "near": "the model is near the annotators’ ceiling, or the sentences are too few to tell them apart.",
            "above": "the model is above the annotators’ ceiling: a single annotator differs from the majority more.",
            "unknown": "with so few articles nothing can be said of whether the model is near the ceiling.",
        }[ceiling.near]
    )


def calibration_sentence(found: Recalibration) -> str:
    """Whether the probabilities are calibrated, before and after they were rescaled by the temperature."""
    parts = []
    for when, at in (("As trained", found.before), (f"With the temperature {found.temperature:.2f}", found.after)):
        surer = at.overconfidence
        leaning = (
            f"the model is surer than it should be, by {points(surer)}"
            if surer.low > 0
            else f"the model is less sure than it could be, by {points(surer)}"
            if surer.high < 0
            else f"confidence and accuracy differ by {points(surer)}"
        )
        sign = "above" if at.ece.value > at.by_chance else "not above"
        parts.append(
            f"{when}, the expected calibration error is {shown(at.ece)}, {sign} the {at.by_chance:.3f} that a "
            f"perfectly calibrated model would exceed by chance in 5 % of such test sets; {leaning}."
        )
    return " ".join(parts)


def naive_sentence(found: Naive) -> str:
    """By how much a random split by sentence overestimates the score."""
    sentence = sum(found.by_sentence) / len(found.by_sentence)
    group = sum(found.by_group) / len(found.by_group)
    start = (
        f"Random splits by sentence, which let articles and near-duplicates leak, would have scored an F_avg of "
        f"{sentence:.3f} on average, splits of the same size by group {group:.3f}: the naive split "
        f"{'flatters' if found.flatters >= 0 else 'does not flatter; it differs'} by {100 * found.flatters:+.1f} points"
    )
    if found.low is None or found.high is None:
        return start + (" in a single draw." if len(found.by_group) == 1 else " in each draw.")
    end = "" if found.low > 0 or found.high < 0 else "; so few draws leave open whether it does at all"
    return f"{start} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]{end}."


def audit_sentence(found: Analysis) -> str:
    """How many test sentences have a near-duplicate in training, by the leak audit."""
    audit = found.audit
    return (
        f"Of {audit.tested} test sentences {len(audit.affected)} have a near-duplicate in training (all "
        f"{audit.compared:,} pairs compared, independently of the clustering; from a likeness of "
        f"{audit.threshold:g} of 100)."
    )


def split_sentence(found: Found) -> str:
    """How the splits were made; "" where they came with the data, or before training."""
    if found.analysis is None or found.analysis.splits is None:
        return ""
    splits = found.analysis.splits
    how = {
        "group": "at random by group",
        "date": f"by date (nothing newer than {splits.cutoff} was learned from)",
        "outlet": f"by outlet (held out for the test: {', '.join(splits.outlets)})",
    }.get(splits.by, f"by {splits.by}")
    sizes = ", ".join(f"{name} {count} in {splits.groups[name]} groups" for name, count in splits.examples.items())
    return (
        f"The splits were made {how}: {sizes}. A group is a connected component of articles and near-duplicate "
        "sentences; none stands in two splits."
    )


def outside_sentence(found: Found) -> str:
    """That the model was trained on data from outside the project; "" where it was not."""
    if found.analysis is None or not found.analysis.outside:
        return ""
    return (
        "The model was trained and tested on labelled data from outside this project, not on its verdicts; all scores "
        "are of that data."
    )


def recipe_sentence(metrics: Metrics) -> str:
    """The recipe of the model, and how it was chosen."""
    cv = metrics.cv
    features = " and ".join(UNITS.get(name, name) for name in cv.features.split("+"))
    return (
        f"TF-IDF ({features} n-grams) with logistic regression, C = {cv.c:g}, the best of "
        f"{len(cv.tried)} recipes in {cv.repeats} × {cv.folds}-fold cross-validation over groups of the training data "
        f"(F_avg {cv.f_avg:.3f}); the test split chose nothing."
    )


def whole_corpus(found: Found) -> bool:
    """Whether every copy group of the corpus is labelled, so that nothing has to be estimated."""
    return found.status.labelled == found.corpus.sentences - found.corpus.copies


def shares_sentence(found: Found) -> str:
    """The shares of the stances in the whole corpus; "" where this version of the model has not predicted it."""
    if found.shares is None or found.shares.model != found.model:
        return ""
    rows = [row for row in found.shares.rows if row.kind == "all"]
    if not rows:
        return ""
    corrected = all(row.corrected is not None for row in rows)
    shown = ", ".join(
        f"{row.stance} {share(row.corrected if corrected and row.corrected else row.raw)}" for row in rows
    )
    how = (
        "corrected by randomly sampled labels (prediction-powered inference)"
        if corrected
        else "as predicted; the model’s errors are in them"
    )
    return f"Over all {rows[0].n} sentences the shares are {shown} ({how})."
