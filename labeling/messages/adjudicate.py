"""What `stance adjudicate` prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.numbers import agreeing, number
from corpus.store import wrote

if TYPE_CHECKING:  # each command loads only what it does, not what all commands print about
    from labeling.adjudicate import AdjudicateSummary
    from labeling.settling.reopened import Reopened


def adjudicated(
    done: AdjudicateSummary,
    fewest_votes: int,
    work: Path,
    *,
    reopened: Reopened | None = None,
    dry_run: bool = False,
) -> list[str]:
    """What was settled and what is open, line by line.

    Args:
        done: what was settled.
        fewest_votes: how many votes a sentence needs before they settle it.
        work: the project's folder of tables.
        reopened: what a new version of the codebook asks for again, if anything.
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
        lines.append(f"{done.few}; {_settled_by_few(done, fewest_votes)}")
    if done.reopened:
        lines.append(
            f"{number(done.reopened, 'sentence')} that had a verdict "
            + ("would have none" if dry_run else f"{agreeing(done.reopened, 'have')} none now")
        )
    if done.again:
        listed = ", ".join(f"{count:,} {label}" for label, count in done.again.items())
        lines.append(f"  {sum(done.again.values()):,} of them because the codebook asks for votes again: {listed}")
    if done.doubted:
        lines.append(_doubted(done.doubted, dry_run=dry_run))
    if done.decided:
        stay, them = ("stays", "it") if done.decided == 1 else ("stay", "them")
        lines.append(f"{number(done.decided, 'doubted verdict')} {stay}: a person decided {them}")
    if reopened:
        lines.append(str(reopened))
    if done.moved and dry_run:
        listed = ", ".join(f"{count:,} {change}" for change, count in done.moved.items())
        lines.append(f"{number(sum(done.moved.values()), 'verdict')} would get another label: {listed}")
    if done.flagged:
        lines.append(
            f"{number(done.flagged, 'adjudicated verdict')} kept although something changed since"
            + ("" if dry_run else f": `flag` in {work / 'verdicts.jsonl'} says what")
        )
    if done.own and (done.changed or dry_run):
        lines.append(
            f"decided in the queue by somebody who had voted on the same sentences: {', '.join(done.own)}. Where "
            "possible, let a person decide who has not labelled them"
        )
    if done.vanished:
        lines.append(f"no verdict on {number(done.vanished, 'sentence')} with votes: not in the corpus any more")
    if dry_run:
        return [*lines, "dry run: nothing was written"]
    return [*lines, wrote(done.changed, work / "verdicts.jsonl")]


def _doubted(count: int, *, dry_run: bool) -> str:
    """What it means that verdicts were taken back, and how to have them again."""
    one = count == 1
    taken = "would be taken back" if dry_run else "is taken back" if one else "are taken back"
    return (
        f"{number(count, 'verdict')} that the model doubts {taken}: {'this sentence has' if one else 'these have'} no "
        f"label until people decide {'it' if one else 'them'} in the queue; `stance adjudicate` without --doubts "
        f"restores {'it' if one else 'them'}"
    )


def _settled_by_few(done: AdjudicateSummary, fewest_votes: int) -> str:
    """How many of the sentences with too few votes are settled, as a clause.

    Only where the number of votes is the reason, the setting is named that decides this.
    """
    settled, every = done.settled_by_few.sentences, done.few.sentences
    setting = f" ([labeling] fewest_votes is {fewest_votes})"
    if not settled:
        said = "it is not settled" if every == 1 else "none of these is settled"
        if any(reason.startswith("fewer votes than") for reason in done.why_open):
            return said + setting
        return f"{said}: {done.why_open[0]}" if len(done.why_open) == 1 else said
    if every == 1:
        return f"it is settled all the same{setting}"
    least = "" if done.settled_by_few.exact else "at least "
    which = "all" if settled == every and done.few.exact else f"{least}{settled:,}"
    return f"{which} of these {agreeing(settled, 'are')} settled all the same{setting}"
