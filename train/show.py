"""What the stages here say when they are done: lines for the terminal, made from their records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from train import shares

if TYPE_CHECKING:
    from train.hub import Uploaded
    from train.hydrate import Hydrated
    from train.predict import Predicted
    from train.publish import PublishSummary
    from train.run import Trained


def trained(done: Trained, out: Path, doubts: Path) -> list[str]:
    """The examples, the recipe, the scores beside the majority's, the audit and the learning curve."""
    from train.intervals import shown

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
    return [*lines, _wrote(done.changed, out)]


def predicted(done: Predicted) -> list[str]:
    """Sentences by stance, and the shares."""
    counts = ", ".join(f"{name} {count}" for name, count in done.stances.items())
    return [
        f"{sum(done.stances.values())} sentences: {counts}; model {done.shares.model}\n{shares.show(done.shares)}",
        *done.shares.notes,
        f"{'wrote' if done.changed else 'unchanged:'} {done.out}, {done.shares_out}",
    ]


def published(done: PublishSummary, out: Path, opened: str, *, asked: bool) -> list[str]:
    """Rows by config and split, and what was left out.

    Args:
        done: what was published.
        out: the folder.
        opened: the expression that opens it.
        asked: whether the user wanted no text.
    """
    lines = [
        f"{config}: " + ", ".join(f"{name} {count}" for name, count in splits.items())
        for config, splits in done.rows.items()
    ]
    if done.proof:
        why = "--standoff" if asked else "[publish] licence is not set"
        lines.append(
            f"a stand-off release ({why}): no text, no five words in a row of any of {done.proof.articles} articles; "
            f"not compared: {', '.join(done.proof.exempt)}"
        )
    left_out = {
        "open sentences": done.unsettled,
        "comments of annotators": done.comments,
        "holders that neither article nor codebook names": done.holders,
    }
    if any(left_out.values()):
        lines.append("left out: " + ", ".join(f"{count} {what}" for what, count in left_out.items() if count))
    if done.few and done.few.sentences:
        least = "" if done.few.exact else "at least "
        lines.append(
            f"{least}{done.few.sentences} sentences were settled by fewer votes than the {done.few.asked} that "
            "[labeling] overlap asks for; the card says so"
        )
    if done.renamed:
        lines.append(f"{done.renamed} annotators' names were no pseudonyms; the release has new ones")
    return [*lines, f"{_wrote(done.changed, out)} (opened again with load_dataset)", f"open it with {opened}"]


def hydrated(done: Hydrated, out: Path, opened: str) -> list[str]:
    """Sentences by state, in all and by article; `opened` is the expression that opens the folder."""
    lines = []
    for row in done.articles:
        copy = "no copy" if row.found_article is None else f"copy {row.found_article}"
        elsewhere = f", {row.elsewhere} of them in another article" if row.elsewhere else ""
        lines.append(
            f"{row.article_id} ({copy}): {row.matched} matched, {row.drifted} drifted, {row.missing} missing{elsewhere}"
        )
    lines.append(f"in all: {done.matched} matched, {done.drifted} drifted, {done.missing} missing")
    if done.left_out:
        lines.append(f"left out, for none of their sentences was found: {', '.join(done.left_out)}")
    return [
        *lines,
        f"{_wrote(done.changed, out)} (every sentence's state is in {out / 'hydrate.jsonl'})",
        f"open it with {opened}",
    ]


def uploaded(done: Uploaded) -> str:
    """The address, and whether anything changed there."""
    what = f"commit {done.commit}" if done.commit else "a tag is new" if done.changed else "nothing had changed"
    return f"{done.url}: {what}"


def _wrote(changed: bool, out: Path) -> str:
    return f"{'wrote' if changed else 'unchanged:'} {out}"
