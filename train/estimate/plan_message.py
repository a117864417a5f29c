"""What `stance estimate --plan` prints: how many sentences and annotators more a width of the intervals takes."""

from __future__ import annotations

import math

from train.estimate.annotator_spread import FEWEST_COMMON
from train.estimate.plan import MOST_ANNOTATORS, Plan, Planned

SHOWN = 12
"""Most rows in the terminal; `--to` writes all."""


def shown_plan(found: Plan) -> list[str]:
    """The lines for the terminal."""
    lines = [
        f"to bring each 95 % interval of PPI++ to a width of {found.wanted:g} from end to end, from {found.labelled:,} "
        f"labels drawn with a known probability, of {found.units:,} sentences (copies counted once)"
    ]
    wide = max(28, *(len(_called(row)) + 2 for row in found.rows))
    lines.append(f"{'':{wide}}{'widest':12}{'width now':>10}{'sentences more':>16}")
    for row in found.rows[:SHOWN]:
        width = "–" if row.width is None else f"{row.width:.3f}"
        more = "–" if row.more is None or row.width is None else f"{row.more:,}"
        stance = row.stance if row.width is not None else ""
        lines.append(f"{_called(row):{wide}}{stance:12}{width:>10}{more:>16}")
        if row.reason:
            lines.append(f"    {row.reason}")
    if len(found.rows) > SHOWN:
        lines.append(f"and {len(found.rows) - SHOWN:,} more rows, which --to writes")
    most = max((row.more for row in found.rows if row.more is not None and row.width is not None), default=0)
    if most:
        lines.append(f"`stance push --limit {most}` draws as many as the row that takes most")
    return [*lines, *_annotators(found), *found.notes]


def _annotators(found: Plan) -> list[str]:
    """The lines on annotators, whose differences no number of sentences removes."""
    if found.spread is None:
        return [
            f"how many annotators it takes is not known: no two of them have {FEWEST_COMMON} sentences in common; "
            "`[labeling] overlap` lets several label the same sentences"
        ]
    apart = 100 * math.sqrt(max(found.spread.variance))
    lines = [
        f"annotators: {found.spread.annotators}; on the same sentences their shares differ by a standard deviation of "
        f"up to {apart:.1f} points beyond chance. So that the intervals of the whole corpus also hold for other "
        "annotators, who share the work equally, it takes:"
    ]
    for row in found.annotators:
        more = "no number of sentences is enough" if row.more is None else f"{row.more:,} sentences more"
        lines.append(f"  {row.annotators:4} annotators: {more}")
    if all(row.more is None for row in found.annotators):
        lines.append(f"  nor with more annotators, up to {MOST_ANNOTATORS}")
    return lines


def _called(row: Planned) -> str:
    if not row.column:
        return "all"
    return f"{row.column} {row.group}" + (f" - {row.other}" if row.other else "")
