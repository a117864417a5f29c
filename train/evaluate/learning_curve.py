"""Measure how the score grows with the number of labels, and whether more labels would help."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np

from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Scheme
from labeling.statistics.bootstrap import resampled
from labeling.statistics.intervals import Estimate
from train.evaluate.leak_audit import FitPredict
from train.intervals import FEWEST, STILL, f1_slack, widened
from train.metrics import RESAMPLES, confusions, difference, summaries
from train.records import Example

HALVINGS = 4
"""Number of steps below the whole: 1/16, 1/8, 1/4, 1/2. So the last gain is that of doubling the labels."""
WORTH = 0.01
"""Gain in F_avg that is worth the annotators' time: one point for twice as many labels."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One size of the training set, with means over the repeats.

    `f_avg` is the mean F_avg with its interval; `lowest` and `highest` are the F_avg of single repeats.
    """

    examples: float
    groups: int
    f_avg: Estimate
    lowest: float
    highest: float


class LearningCurve(msgspec.Struct, frozen=True, kw_only=True):
    """F_avg by the number of training groups, on one fixed evaluation set.

    Attributes:
        steps: steps of the curve, smallest first; the last is the whole training set.
        left_out: numbers of groups at which some subset lacked a label of a target, so that no comparable model could
            be fitted.
        gain: gain in F_avg of the last step over the one before; None where there is only one step.
        more: whether more labels would help: `yes` where the gain's interval is above 0, `hardly` where it is
            below one point, otherwise `unclear`.
        sentence: what the curve shows, as a sentence.
        repeats: number of repeats, each of which has its own nested series of subsets.
    """

    steps: list[Step]
    left_out: list[int]
    gain: Estimate | None
    more: Literal["yes", "hardly", "unclear"]
    sentence: str
    repeats: int


def learning_curve(
    training: Sequence[Example],
    testing: Sequence[Example],
    fit_predict: FitPredict,
    repeats: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda *_: None,
    jobs: int = 1,
    scheme: Scheme = DEFAULT,
) -> LearningCurve:
    """Fit on nested, growing sets of groups and score each on the same evaluation set.

    In each repeat the groups are put into another random order, and each step takes the first groups of that order,
    twice as many as the step before. Intervals are by a bootstrap that draws both groups of the evaluation set and
    repeats with replacement, so they contain the uncertainty of both. The interval of the gain is paired: it uses the
    same draws for both steps.

    Args:
        training: examples that may be learned from.
        testing: examples of the evaluation set, of other groups than the training examples.
        fit_predict: function that fits the recipe and predicts; called at most repeats × 4 + 1 times.
        repeats: number of repeats, such as 5; with one, the intervals lack the uncertainty of drawing subsets.
        seed: seed of the orders and of the bootstrap.
        progress: function that is called with each finished fit and the number of fits.
        jobs: number of threads, -1 for one per core; the result does not depend on it.
        scheme: labels of the examples.

    Raises:
        ExamplesError: there is nothing to train on or to evaluate, no repeat, or a group that is in both sets.

    References:
        Field & Welsh (2007), Bootstrapping clustered data, JRSS B 69(3): drawing groups. F_avg is that of
        `train.metrics.evaluate`.

    >>> def row(n, group):
    ...     return Example(sentence_id=str(n), text="", label=("favor", "against")[n % 2], group=group)
    >>> def learner(training, testing):  # is right once it has seen more than 8 examples
    ...     return [row.label if len(training) > 8 else "favor" for row in testing]
    >>> training, testing = [row(n, str(n // 2)) for n in range(16)], [row(n, "test") for n in range(2)]
    >>> found = learning_curve(training, testing, learner, repeats=2, seed=1)
    >>> [(step.groups, round(step.f_avg.value, 3)) for step in found.steps]
    [(1, 0.333), (2, 0.333), (4, 0.333), (8, 1.0)]
    """
    shared = {row.group for row in training} & {row.group for row in testing}
    if not training or not testing or repeats < 1 or shared:
        raise ExamplesError(
            f"a learning curve needs training and evaluation examples of different groups and a repeat; found "
            f"{len(training)} and {len(testing)}, {len(shared)} shared groups ({', '.join(sorted(shared)[:5])}), "
            f"{repeats} repeats"
        )
    from train.model.counted_texts import spread  # which loads scikit-learn

    members: dict[str, list[Example]] = defaultdict(list)
    for row in sorted(training, key=lambda row: (row.group, row.sentence_id, row.text, row.label)):
        members[row.group].append(row)
    names = list(members)
    random = np.random.default_rng(seed)
    orders = [[names[n] for n in random.permutation(len(names)).tolist()] for _ in range(repeats)]
    needed = {(row.target, row.label) for row in training}
    sizes = sorted({len(names) >> halving for halving in range(HALVINGS + 1)} - {0})
    tested, steps, left_out = sorted({row.group for row in testing}), [], []
    true, groups = [row.label for row in testing], [row.group for row in testing]
    draws = np.random.default_rng([seed, 1])
    means = []
    total = repeats * (len(sizes) - 1) + 1
    for size in sizes:
        subsets = [[row for name in order[:size] for row in members[name]] for order in orders]
        if size == len(names):
            subsets = subsets[:1]  # all repeats have the same subset here, which is everything
        if any({(row.target, row.label) for row in subset} != needed for subset in subsets):
            left_out.append(size)
            progress(len(subsets), total)
            continue
        stacked = []
        for given in spread(fit_predict, [(subset, testing) for subset in subsets], jobs):
            stacked.append(confusions(true, list(given), groups, tested, scheme))
            progress(1, total)
        tables = np.stack(stacked, axis=1)
        drawn = resampled(tables, seed, RESAMPLES)  # the same draws of groups at each step
        f = summaries(drawn.reshape(-1, *tables.shape[2:]), scheme)[0].reshape(len(drawn), -1)
        picked = draws.integers(0, len(subsets), f.shape)
        mean = np.take_along_axis(f, picked, axis=1).mean(axis=1)
        each = summaries(tables.sum(axis=0), scheme)[0]
        low, high = 0.0, 1.0
        if len(tested) >= FEWEST:
            low, high = np.percentile(mean, [2.5, 97.5])
            if np.ptp(mean) < STILL:  # for instance if all is right in every subset; F_avg is a mean of F1 scores
                slacks = [(1 / len(scheme.scored), *f1_slack(tables.mean(axis=1), n)) for n in scheme.columns]
                low, high = widened(float(each.mean()), float(low), float(high), slacks)
        steps.append(
            Step(
                examples=sum(len(subset) for subset in subsets) / len(subsets),
                groups=size,
                f_avg=Estimate(value=float(each.mean()), low=float(low), high=float(high)),
                lowest=float(each.min()),
                highest=float(each.max()),
            )
        )
        means.append(mean)
    gain = None
    if len(steps) > 1:
        gain = difference(steps[-1].f_avg.value - steps[-2].f_avg.value, means[-1] - means[-2], len(tested))
    splits = {row.split for row in training} & {"train", "validation"}
    more, sentence = _reading(steps, gain, f" of {' and '.join(sorted(splits))}" if splits else "")
    return LearningCurve(steps=steps, left_out=left_out, gain=gain, more=more, sentence=sentence, repeats=repeats)


def _reading(steps: Sequence[Step], gain: Estimate | None, of: str) -> tuple[Literal["yes", "hardly", "unclear"], str]:
    if gain is None:
        return "unclear", "Half of the labels were too few to train on, so nothing can be said about more of them."
    before, after = steps[-2], steps[-1]
    start = (
        f"From {before.examples:,.0f} to {after.examples:,.0f} labels{of} ({before.groups:,} to {after.groups:,} "
        f"groups) F_avg changed by {100 * gain.value:+.1f} points"
    )
    if not gain.is_known:
        return "unclear", start + ", but the test articles are too few to tell whether more labels would help."
    start += f" [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]: "
    if gain.low > 0:
        return "yes", start + "more labels of this kind would probably help."
    if gain.high < WORTH:
        return (
            "hardly",
            start + f"that is surely less than {100 * WORTH:.0f} point, and as many again would hardly bring more.",
        )
    return "unclear", start + "whether more labels would help can't be told from so few."
