"""The sentences of the report, and of the paragraph for a paper, that state a number and what it means."""

from __future__ import annotations

import math
from collections.abc import Mapping

from corpus.numbers import number as counted
from labeling.statistics.agreement import ALPHA_AND_AC1, reading
from labeling.statistics.agreement_of_parts import compared
from labeling.statistics.intervals import Estimate, percent, shown
from labeling.statistics.measured_agreement import Agreement
from labeling.status import Status
from train.evaluate.analysis import Analysis
from train.evaluate.calibration import Recalibration
from train.evaluate.ceiling import Ceiling
from train.evaluate.leak_audit import Naive
from train.examples.splits import SPLITS
from train.intervals import FEWEST
from train.records import Encoder, Metrics, TargetScore, TestScores
from train.report.project_snapshot import Snapshot
from train.vote_scores import FARTHEST

UNITS = {
    "char-binary": "once-counted character",
    **{"char": "character", "char_wb": "within-word character"},
    **{"text": "word", "target": "target-word", "pairs": "pair-of-words"},
}
NEARLY_ALL = 0.8
"""Share of the corpus's different sentences from which on there are too few others for their labels to help much."""
FEW_GROUPS = 20
"""Number of groups of all splits below which new sentences of the same articles help less than other articles: then
the test split, which gets a fifth of the examples, has some four groups, too few to tell anything."""
MOST_TARGETS = 30
"""Most targets whose scores a page lists."""


def number(value: float) -> str:
    """A number with three decimal places, or `undefined`."""
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def largest(scores: Mapping[str, TargetScore]) -> list[tuple[str, TargetScore]]:
    """The scores of the MOST_TARGETS targets with most examples, in the order that they came in."""
    kept = sorted(scores, key=lambda target: (-scores[target].n, target))[:MOST_TARGETS]
    return [(target, row) for target, row in scores.items() if target in set(kept)]


def share(estimate: Estimate) -> str:
    """A value and its interval in percent, with a space that no line break can split."""
    return percent(estimate).replace(" %", "\N{NO-BREAK SPACE}%")


def points(estimate: Estimate) -> str:
    """A difference in points, which are hundredths, with its interval if it has one."""
    if not estimate.is_known:
        return f"{100 * estimate.value:+.1f} points"
    return f"{100 * estimate.value:+.1f} points [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"


def distance(value: float, low: float, high: float) -> str:
    """How far two numbers are apart in points, with the interval; the sentence says which of them is larger."""
    ends = sorted((abs(low), abs(high)))
    return f"{100 * abs(value):.1f} points [{100 * ends[0]:.1f}, {100 * ends[1]:.1f}]"


def of_range(estimate: Estimate, most: float) -> str:
    """A value with its interval, which is no interval where it is the whole range from 0 to `most`."""
    return number(estimate.value) if (estimate.low, estimate.high) == (0, most) else shown(estimate)


def intervals_sentence(test: TestScores) -> str:
    """What the brackets behind the scores are, or why there are none."""
    if test.f_avg.is_known:
        return "Brackets are 95 % intervals by bootstrap over groups."
    return (
        f"The scores have no intervals: the test split has {counted(test.groups, 'group')} of "
        f"articles, and an interval takes at least {FEWEST}."
    )


def agreement_sentence(snapshot: Snapshot) -> str:
    """Krippendorff's alpha and what its value means; "" where no sentence has two votes."""
    agreement = snapshot.status.agreement
    if not agreement.sentences:
        return ""
    return (
        f"Krippendorff’s alpha (nominal) over the {agreement.sentences:,} sentences from {agreement.articles:,} "
        f"articles that two or more annotators labelled is {shown(agreement.alpha)}{reading(agreement.alpha)}."
    )


def agreement_sentences(snapshot: Snapshot) -> str:
    """Krippendorff's alpha, what its value means, and what the brackets behind it are; "" where it is undefined."""
    said, agreement = agreement_sentence(snapshot), snapshot.status.agreement
    return f"{said} {agreement_intervals_sentence(agreement)}" if said and agreement.alpha.is_known else said


def agreement_intervals_sentence(agreement: Agreement) -> str:
    """What the brackets behind the measures of agreement are, or why there are none."""
    if agreement.alpha.is_known or agreement.raw.is_known:
        return "Brackets are 95 % intervals by bootstrap over articles."
    return f"There are no intervals: most take at least {FEWEST} articles."


def coefficients_sentence() -> str:
    """Why alpha and AC1 differ."""
    return f"{ALPHA_AND_AC1[:1].upper()}{ALPHA_AND_AC1[1:]}."


def codebooks_sentence(status: Status) -> str:
    """Whether annotators agree more under the present codebook than under the one before; "" if there is only one."""
    sentence = compared(status.codebooks)
    return f"{sentence}." if sentence else ""


def is_better(metrics: Metrics) -> bool:
    """Whether the test set shows that the model is better, in F_avg, than always giving the most frequent label."""
    ours, theirs = metrics.test.f_avg, metrics.test.majority.f_avg
    return ours.is_known and theirs.is_known and ours.low > theirs.high


def majority_sentence(metrics: Metrics) -> str:
    """Whether the model is better than always predicting the most frequent label."""
    ours, theirs = metrics.test.f_avg, metrics.test.majority.f_avg
    if is_better(metrics):
        return "In F_avg the model is above the majority label: their intervals don’t overlap."
    # Whole literals: a release knows the words of its card by them (release/contents/five_word_runs.py).
    if not ours.is_known or not theirs.is_known:
        said = (
            "Whether the model is better than always giving the most frequent label can’t be told from so few articles"
        )
    else:
        said = (
            "The test set does not show that the model is better than always giving the most frequent label: its F_avg "
            + ("is higher, but the intervals overlap" if ours.value > theirs.value else "is not higher")
        )
    right, rights = metrics.test.accuracy.value, metrics.test.majority.accuracy.value
    how = "higher" if right > rights else "lower" if right < rights else "the same"
    return f"{said}; its accuracy is {how} ({right:.3f} against {rights:.3f})."


def learned_words(metrics: Metrics) -> str:
    """What recipe and model were chosen and fitted on: the train and validation splits together, and their size."""
    names = [name for name in SPLITS if name != "test" and metrics.examples.get(name)]
    sentences, groups = (sum(of.get(name, 0) for name in names) for of in (metrics.examples, metrics.groups))
    return f"{' and '.join(names)} ({counted(sentences, 'sentence')} in {counted(groups, 'group')})"


def not_better_sentence(metrics: Metrics, analysis: Analysis | None, different: int | None = None) -> str:
    """That the model is not shown to be better than the most frequent label, and what helps; "" if it is better.

    Args:
        metrics: metrics of the model.
        analysis: analysis of the model; None if it is missing.
        different: number of different sentences of the corpus, copies counted once; None for other data than the
            project's.
    """
    if is_better(metrics):
        return ""
    curve = analysis.curve if analysis else None
    if curve and curve.more == "hardly":
        return majority_sentence(metrics)
    learned = f"the model learned from {learned_words(metrics)}"
    labelled = sum(metrics.examples.values())
    if different and labelled >= NEARLY_ALL * different:
        learned += f", and {labelled:,} of the {different:,} different sentences of the corpus are labelled"
    elif metrics.test.f_avg.is_known and sum(metrics.groups.values()) >= FEW_GROUPS:
        return f"{majority_sentence(metrics)} More labels are what usually helps: {learned}."
    return f"{majority_sentence(metrics)} Labels from more articles are what usually helps: {learned}."


def ceiling_sentence(ceiling: Ceiling | None) -> str:
    """Whether the model is near the annotators' ceiling."""
    if ceiling is None or not ceiling.annotators:
        return (
            "There is no annotators’ ceiling: it takes sentences of the test split with three or more annotators, "
            "each of whom is compared with the majority of the others."
        )
    compared = ceiling.compared
    start = (
        f"Compared with the majority of the other annotators ({compared.n:,} answers), annotators have an F_avg of "
        f"{shown(compared.second)}, the model one of {shown(compared.first)} on the same sentences; the difference is "
        f"{points(compared.f_avg)}: "
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


def votes_sentence(metrics: Metrics) -> str:
    """How far the probabilities are from the votes; "" unless the model learned from votes."""
    votes = metrics.test.votes
    if votes is None:
        return ""
    return (
        f"The model learned the shares of the votes. On the {votes.n:,} test sentences with three votes or more, in "
        f"{counted(votes.groups, 'group')}, the mean cross-entropy between votes and predicted probabilities is "
        f"{of_range(votes.cross_entropy, FARTHEST[0])} nats (the least possible is "
        f"{number(votes.entropy)}, the entropy of the votes themselves), and the mean Manhattan "
        f"distance is {of_range(votes.manhattan, FARTHEST[1])}, of at most 2. "
        "Always predicting the mean shares of the training votes has "
        f"{of_range(votes.constant.cross_entropy, FARTHEST[0])} and {of_range(votes.constant.manhattan, FARTHEST[1])}."
    )


def calibration_sentence(recalibration: Recalibration) -> str:
    """Whether the probabilities are calibrated, before and after they were rescaled by the temperature."""
    scale, before, after = recalibration.temperature, recalibration.before, recalibration.after
    made = "surer" if scale < 1 else "less sure"
    effect = "which changes next to nothing" if f"{scale:.2f}" == "1.00" else f"which makes the model {made}"
    first, second = number(before.ece.value), number(after.ece.value)
    than = "the same as" if first == second else "larger than" if second > first else "smaller than"
    if before.ece.value <= before.by_chance:
        chance = "Chance may explain it: even a perfectly calibrated model has one"
    else:
        chance = "Chance does not explain it: a perfectly calibrated model has one"
    again = "may" if after.ece.value <= after.by_chance else "does not"
    return (
        "The expected calibration error is the mean distance between how sure the model is of its predictions (its "
        "confidence) and how often they are right (its accuracy); 0 is best. As trained, the model has an error of "
        f"{shown(before.ece)}. {chance} of up to {before.by_chance:.3f} in 95 % of such test sets. "
        f"{_leaning(before.overconfidence)} The probabilities were then rescaled by one number, the temperature, which "
        "was fitted on predictions for sentences that the predicting model had not learned from; it is "
        f"{scale:.2f}, {effect}. With the rescaled probabilities the error is {shown(after.ece)}, {than} before; "
        f"chance {again} explain it (up to {after.by_chance:.3f} by chance). {_leaning(after.overconfidence, ' then')}"
    )


def _leaning(surer: Estimate, when: str = "") -> str:
    """Whether the model is too sure, or not sure enough, as a sentence; `when` stands behind its verb."""
    if not surer.is_known or surer.low <= 0 <= surer.high:
        chance = ", which may be chance" if surer.is_known else ""
        return f"Mean confidence minus accuracy is{when} {points(surer)}{chance}."
    far = distance(surer.value, surer.low, surer.high)
    if surer.low > 0:
        return f"The model is{when} too sure: its mean confidence is {far} above its accuracy."
    return f"The model is{when} not sure enough: its mean confidence is {far} below its accuracy."


def bins_sentence(recalibration: Recalibration) -> str:
    """Why points of the reliability curves have no interval; "" if all have one."""
    if all(row.accuracy.is_known for at in (recalibration.before, recalibration.after) for row in at.bins):
        return ""
    return (
        f"A share without brackets, and a point without a whisker, has no interval: its sentences are of fewer than "
        f"{FEWEST} groups of articles."
    )


def naive_sentence(split: Naive) -> str:
    """By how much a random split by sentence overestimates the score."""
    sentence = sum(split.by_sentence) / len(split.by_sentence)
    group = sum(split.by_group) / len(split.by_group)
    difference = f"{100 * split.flatters:+.1f}"
    # With as many decimal places as it takes for the two scores to have the difference that is given.
    fitting = (n for n in range(3, 9) if f"{100 * (round(sentence, n) - round(group, n)):+.1f}" == difference)
    places = next(fitting, 3)
    start = (
        f"Random splits by sentence, which let articles and near-duplicates leak, would have an F_avg of "
        f"{sentence:.{places}f} on average; random splits of whole groups, with test sets of the same size, have "
        f"{group:.{places}f}. The difference is {difference} points"
    )
    if split.low is None or split.high is None:
        return start + (" in a single draw." if len(split.by_group) == 1 else " in each draw.")
    end = (
        ", so the leak makes the scores look better than they are"
        if split.low > 0
        else ", so the leak did not raise the scores"
        if split.high < 0
        else ", which may be chance"
    )
    return f"{start} [{100 * split.low:+.1f}, {100 * split.high:+.1f}]{end}."


def audit_sentence(analysis: Analysis) -> str:
    """How many test sentences have a near-duplicate among those that were learned from, by the leak audit."""
    audit = analysis.audit
    return (
        f"Of {audit.tested:,} test sentences {len(audit.affected):,} have a near-duplicate in train or validation (all "
        f"{audit.compared:,} pairs were compared, independently of the clustering; two sentences are near-duplicates "
        f"if they are at least {audit.threshold:g} % alike)."
    )


def split_sentence(snapshot: Snapshot) -> str:
    """How the splits were made; "" where they came with the data, or before training."""
    if snapshot.analysis is None or snapshot.analysis.splits is None:
        return ""
    splits = snapshot.analysis.splits
    how = {
        "group": "at random by group",
        "date": f"by date (nothing newer than {splits.cutoff} was learned from)",
        "outlet": f"by outlet (held out for the test: {', '.join(splits.outlets)})",
    }.get(splits.by, f"by {splits.by}")
    sizes = ", ".join(
        f"{name} {count:,} in {counted(splits.groups[name], 'group')}" for name, count in splits.examples.items()
    )
    return (
        f"The splits were made {how}: {sizes} (exact copies count once). A group is a connected component of "
        "articles and near-duplicate sentences; none stands in two splits."
    )


def outside_sentence(snapshot: Snapshot) -> str:
    """That the model was trained on data from outside the project; "" where it was not."""
    if snapshot.analysis is None or not snapshot.analysis.outside:
        return ""
    return (
        "The model was trained and tested on labelled data from outside this project, not on its verdicts; all scores "
        "are of that data."
    )


def features_words(features: str) -> str:
    """The n-grams of a feature set, in words.

    >>> features_words("char_wb+word")
    'within-word character and word'
    """
    return " and ".join(UNITS.get(name, name) for name in features.split("+"))


def recipe_sentence(metrics: Metrics) -> str:
    """The recipe of the model, and how it was chosen."""
    cv = metrics.cv
    features = features_words(cv.features)
    vectors, kind = "", "recipes"
    if metrics.encoder:
        vectors = f" and {encoder_words(metrics.encoder)}, weighted {cv.vectors or 0:g},"
        kind = "recipes with sentence vectors"
    tried = [row for row in cv.tried if bool(row.recipe.vectors) == bool(metrics.encoder)]
    return (
        f"TF-IDF ({features} n-grams){vectors} with logistic regression, C = {cv.c:g}, the best of "
        f"{len(tried)} {kind} in {cv.repeats} × {cv.folds}-fold cross-validation over the groups of "
        f"{learned_words(metrics)}, with an F_avg of {cv.f_avg:.3f}; the test split had no part in the choice."
    )


def encoder_words(encoder: Encoder) -> str:
    """What sentence vectors a model reads, so that a reader can make the same ones."""
    revision = f"revision {encoder.revision}, " if encoder.revision else ""
    pooled = "the mean of the tokens" if encoder.pooling == "mean" else "the first token"
    return (
        f"sentence vectors of the frozen encoder {encoder.name} ({revision}digest {encoder.digest[:16]}; "
        f"{encoder.width} numbers from {pooled}, at most {encoder.tokens} tokens)"
    )


def vectors_sentence(analysis: Analysis | None) -> str:
    """What sentence vectors add to n-grams alone; "" for a model without them."""
    if analysis is None or not analysis.vectors:
        return ""
    gain = analysis.vectors
    apart = gain.compared.f_avg
    if not apart.is_known:
        reading = "whether the vectors help can’t be told from so few articles"
    elif apart.low > 0:
        reading = "the vectors help"
    elif apart.high < 0:
        reading = "the vectors do harm"
    else:
        reading = "whether the vectors help can’t be told from this test set"
    return (
        "The baseline, n-grams alone with the recipe that was best for them, has an F_avg of "
        f"{shown(gain.f_avg)} and a macro-F1 of {shown(gain.macro_f1)} on the same test sentences (in cross-validation "
        f"{gain.baseline.f_avg:.3f} and {gain.baseline.macro_f1:.3f}). Sentence vectors change F_avg by "
        f"{points(apart)} and macro-F1 by {points(gain.compared.macro_f1)} (paired bootstrap over groups): {reading}. "
        f"Of what moves the model’s decisions on the test split, {100 * gain.share:.0f} % is of the vectors, the rest "
        "of the n-grams."
    )
