"""What `train` and `predict` print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.store import wrote
from train.predict import shares

if TYPE_CHECKING:
    from train.predict.predict import Predicted
    from train.train_model import Trained


def trained(done: Trained, out: Path, doubts: Path) -> list[str]:
    """The lines on a training: examples, recipe, scores and the majority's scores, audit and learning curve."""
    from labeling.intervals import shown

    metrics, analysis = done.metrics, done.analysis
    counts = ", ".join(f"{name} {metrics.examples[name]}" for name in metrics.examples)
    lines = [
        f"examples: {counts}; recipe: {metrics.cv.features}, C = {metrics.cv.c:g} "
        f"(cross-validation on train: F_avg {metrics.cv.f_avg:.3f})"
    ]
    for name, scores in (("test", metrics.test), ("majority", metrics.test.majority)):
        row = (("F_avg", scores.f_avg), ("macro-F1", scores.macro_f1), ("accuracy", scores.accuracy))
        lines.append(f"{name:9}" + ", ".join(f"{title} {shown(score)}" for title, score in row))
    if len(metrics.test.by_target) > 1:
        lines.append(f"mean of the targets' own F_avg on test: {metrics.test.mean_f_avg:.3f}")
    audit = analysis.audit
    lines.append(f"audit: {len(audit.affected)} of {audit.tested} test sentences have a near-duplicate in training")
    if analysis.curve:
        lines.append(analysis.curve.sentence)
    if done.doubts:
        lines.append(f"{done.doubts} verdicts that the model doubts are listed in {doubts}")
    return [*lines, wrote(done.changed, out)]


def predicted(done: Predicted) -> list[str]:
    """The lines on a prediction: the number of sentences of each stance, and the shares."""
    counts = ", ".join(f"{name} {count}" for name, count in done.stances.items())
    return [
        f"{sum(done.stances.values())} sentences: {counts}; model {done.shares.model}\n{shares.show(done.shares)}",
        *done.shares.notes,
        wrote(done.changed, done.out, done.shares_out),
    ]
