"""What `train` and `predict` print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.numbers import number, spoken
from corpus.store import wrote
from train.predict.shares_table import show

if TYPE_CHECKING:
    from train.predict.predict import Predicted
    from train.train_model import Trained


def trained(done: Trained, out: Path, doubts: Path, different: int | None = None) -> list[str]:
    """The lines on a training: examples, recipe, scores and the majority's scores, audit and learning curve.

    Args:
        done: what the training made.
        out: the model's folder.
        doubts: file with the verdicts that the model doubts.
        different: number of different sentences of the corpus; None for data from outside a project.
    """
    from labeling.statistics.intervals import shown
    from train.report.sentences import (
        features_words,
        intervals_sentence,
        learned_words,
        not_better_sentence,
        of_range,
        points,
    )
    from train.vote_scores import FARTHEST

    metrics, analysis = done.metrics, done.analysis
    counts = ", ".join(f"{count:,} in {name}" for name, count in metrics.examples.items())
    vectors = f" and vectors of {metrics.encoder.name} × {metrics.cv.vectors or 0:g}" if metrics.encoder else ""
    features = features_words(metrics.cv.features)
    lines = [
        f"{number(sum(metrics.examples.values()), 'example')}: {counts}",
        f"recipe that did best in cross-validation on {learned_words(metrics)}: {features} n-grams{vectors}, "
        f"C = {metrics.cv.c:g} (F_avg, the mean F1 of {spoken(metrics.scheme.scored, 'and')}: {metrics.cv.f_avg:.3f})",
    ]
    for name, scores in (("test", metrics.test), ("majority", metrics.test.majority)):
        row = (("F_avg", scores.f_avg), ("macro-F1", scores.macro_f1), ("accuracy", scores.accuracy))
        steps = scores.mean_absolute_error
        error = f", mean absolute error {of_range(steps, len(metrics.labels) - 1)} steps" if steps else ""
        lines.append(f"{name:9}" + ", ".join(f"{title} {shown(score)}" for title, score in row) + error)
    lines.append("(majority: the scores of giving every sentence the most frequent label)")
    if not metrics.test.f_avg.is_known:
        lines.append(f"({intervals_sentence(metrics.test)})")
    if said := not_better_sentence(metrics, analysis, different):
        lines.append(said)
    if votes := metrics.test.votes:
        for name, far in (("votes", votes), ("constant", votes.constant)):
            lines.append(
                f"{name:9}cross-entropy {of_range(far.cross_entropy, FARTHEST[0])}, Manhattan distance "
                + of_range(far.manhattan, FARTHEST[1])
                + (f" to the votes for {votes.n:,} test sentences" if far is votes else " of the mean training shares")
            )
    if gain := analysis.vectors:
        lines.append(
            f"n-grams alone: F_avg {shown(gain.f_avg)}, macro-F1 {shown(gain.macro_f1)} (in cross-validation "
            f"F_avg {gain.baseline.f_avg:.3f})"
        )
        lines.append(
            f"what the vectors add, paired: F_avg {points(gain.compared.f_avg)}, macro-F1 "
            f"{points(gain.compared.macro_f1)}"
        )
    if len(metrics.test.by_target) > 1:
        lines.append(f"mean of the targets' own F_avg on test: {metrics.test.mean_f_avg:.3f}")
    if metrics.test.by_seen:
        by_seen = (f"{name} in training {row.f_avg:.3f} ({row.n:,})" for name, row in metrics.test.by_seen.items())
        lines.append(f"F_avg on test by target (examples): {', '.join(by_seen)}")
    if analysis.languages:
        by_language = (f"{code or 'not known'} {row.f_avg:.3f} ({row.n:,})" for code, row in analysis.languages.items())
        lines.append(f"F_avg on test by language (sentences): {', '.join(by_language)}")
    audit = analysis.audit
    lines.append(
        f"audit: {len(audit.affected):,} of {number(audit.tested, 'test sentence')} have a near-duplicate in train or "
        "validation"
    )
    if analysis.curve:
        lines.append(analysis.curve.sentence)
    if done.doubts:
        lines.append(
            f"the model doubts {number(done.doubts, 'verdict')}, listed in {doubts}; `stance adjudicate --doubts N` "
            "takes back the N most doubtful until people decide them in the queue, and `stance adjudicate` alone "
            "restores them"
        )
    return [*lines, wrote(done.changed, out)]


def predicted(done: Predicted) -> list[str]:
    """The lines on a prediction: the number of sentences of each stance, the shares, and what to think of them."""
    from train.predict.formula_cells import defused_note
    from train.report.share_sentences import raw_shares_sentence

    counts = ", ".join(f"{count:,} {name}" for name, count in done.stances.items())
    return [
        f"{number(sum(done.stances.values()), 'sentence')} predicted: {counts}; by model {done.shares.model}\n"
        f"{show(done.shares)}",
        *filter(None, [raw_shares_sentence(done.metrics, done.shares) if done.metrics else ""]),
        *done.shares.notes,
        *([defused_note(done.defused, done.out.name)] if done.defused else []),
        wrote(done.changed, done.out, done.shares_out),
    ]
