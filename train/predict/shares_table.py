"""The table of shares that `stance predict` prints."""

from __future__ import annotations

from collections.abc import Sequence

from labeling.statistics.intervals import Estimate
from labeling.text_tables import table as aligned
from train.predict.shares import PredictionShares, ShareRow, SharesOf, called

SHOWN = 12
"""Most outlets, and most months, in the printed table; the file has all of them."""


def show(shares: PredictionShares) -> str:
    """The table that `stance predict` prints, in per cent: the whole corpus, the largest outlets, the last months.

    Below it stands what its words mean.
    """
    cells: dict[tuple[SharesOf, str], list[ShareRow]] = {}
    for row in shares.rows:
        cells.setdefault((row.kind, row.name), []).append(row)
    outlets = sorted((key for key in cells if key[0] == "outlet"), key=lambda key: (-cells[key][0].n, key))
    months = [key for key in cells if key[0] == "month"]
    shown = [("all", ""), *outlets[:SHOWN], *months[-SHOWN:], *(key for key in cells if key[0] == "language")]
    # Names are not shortened, as two shortened names could be the same.
    names = list(dict.fromkeys(row.stance for row in shares.rows))
    table = [["shares in %", "", "sentences", "labels", *names]]
    before: SharesOf = "all"
    for key in shown:
        if key[0] != before:
            table.append([f"by {key[0]}", *[""] * (len(names) + 3)])
            before = key[0]
        rows = cells[key]
        head = f"{'' if key[0] == 'all' else '  '}{called(*key)}"
        table.append([head, "raw", f"{rows[0].n:,}", f"{rows[0].labelled:,}", *_cells([row.raw for row in rows])])
        settled = [row.settled for row in rows if row.settled is not None]
        if settled:
            table.append(["", "settled", "", f"{rows[0].settled_labels:,}", *_cells(settled)])
        corrected = [row.corrected for row in rows if row.corrected is not None]
        if corrected:
            table.append(["", "corrected", "", "", *_cells(corrected)])
    lines = aligned(table, left=(0, 1, *range(4, len(table[0]))))
    hidden = len(cells) - 1 - len(outlets[:SHOWN]) - len(months[-SHOWN:])
    lines += [f"and {hidden:,} more outlets and months"] * (hidden > 0)
    return "\n".join([*lines, *_legend([row for key in shown for row in cells[key]])])


def _legend(rows: Sequence[ShareRow]) -> list[str]:
    """What the columns and the words that name the rows mean, as far as the table has them."""
    lines = ["raw: as the model predicted, with its errors"]
    if any(row.corrected is not None for row in rows):
        lines[0] += "; corrected: by the labelled sentences, which show how the model errs"
    if any(row.settled is not None for row in rows):
        lines.append("settled: the shares among the sentences whose label is settled")
        lines.append(
            "labels, beside settled: all settled labels; beside raw: those of sentences drawn at random, which alone "
            "can correct the raw shares"
        )
    if not all(row.raw.is_known for row in rows):
        lines.append("no brackets: fewer than 5 articles, so there is no interval")
    labelled = {(row.kind, row.name): row.labelled for row in rows}
    parts = [sum(n for (of, _), n in labelled.items() if of == kind) for kind in ("outlet", "month", "language")]
    if max(parts) > labelled.get(("all", ""), 0):
        lines.append(
            "labels: exact copies count once in each row, so outlets or months with copies of one sentence add up to "
            "more than all"
        )
    return lines


def _cells(estimates: Sequence[Estimate]) -> list[str]:
    return [f"{100 * one.value:.1f}{_interval(one)}" for one in estimates]


def _interval(one: Estimate) -> str:
    """The interval in per cent; "" where there is none."""
    return f" [{100 * one.low:.1f}, {100 * one.high:.1f}]" if one.is_known else ""
