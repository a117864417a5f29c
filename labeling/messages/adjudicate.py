"""What `stance adjudicate` prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.store import number, wrote

if TYPE_CHECKING:  # each command loads only what it does, not what all commands print about
    from labeling.adjudicate import AdjudicateSummary


def adjudicated(done: AdjudicateSummary, fewest_votes: int, work: Path, *, dry_run: bool = False) -> list[str]:
    """What was settled and what is open, line by line.

    Args:
        done: what was settled.
        fewest_votes: how many votes a sentence needs before they settle it.
        work: the project's folder of tables.
        dry_run: whether nothing was written.
    """
    how = ", ".join(f"{count:,} {name}" for name, count in done.settled.items())
    lines = [
        f"{number(sum(done.settled.values()), 'sentence')} settled" + (f": {how}" if how else ""),
        f"{number(done.unsettled, 'sentence')} open" + ("" if dry_run else f", listed in {work / 'queue.jsonl'}")
        if done.unsettled
        else "no sentence is open",
        f"votes counted: those of {', '.join(done.annotators) or 'nobody'}"
        + (f"; not {', '.join(done.ignored)}" if done.ignored else ""),
    ]
    if done.few.sentences:
        settled = f"{'' if done.settled_by_few.exact else 'at least '}{done.settled_by_few.sentences}"
        lines.append(f"{done.few}; settled all the same, as [labeling] fewest_votes is {fewest_votes}: {settled}")
    if done.reopened:
        lines.append(
            f"{number(done.reopened, 'sentence')} that had a verdict "
            + ("would have none" if dry_run else f"{'has' if done.reopened == 1 else 'have'} none now")
        )
    if done.again:
        listed = ", ".join(f"{count:,} {label}" for label, count in done.again.items())
        lines.append(f"  {sum(done.again.values()):,} of them because the codebook asks for votes again: {listed}")
    if done.moved and dry_run:
        listed = ", ".join(f"{count:,} {change}" for change, count in done.moved.items())
        lines.append(f"{sum(done.moved.values()):,} verdicts would get another label: {listed}")
    if done.flagged:
        lines.append(
            f"{number(done.flagged, 'adjudicated verdict')} kept although something changed since"
            + ("" if dry_run else f": `flag` in {work / 'verdicts.jsonl'} says what")
        )
    if done.vanished:
        lines.append(f"no verdict on {number(done.vanished, 'sentence')} with votes: not in the corpus any more")
    if dry_run:
        return [*lines, "dry run: nothing was written"]
    return [*lines, wrote(done.changed, work / "verdicts.jsonl")]
