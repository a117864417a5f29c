"""What `stance estimate` prints: tables of shares, differences and regressions, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

from labeling.statistics.intervals import Estimate
from labeling.text_tables import table
from train.estimate.estimates import Estimates
from train.estimate.groups import Difference, Group, Share
from train.estimate.refusals import advice
from train.estimate.regression import Coefficient

SHOWN = 12
"""Most groups of a column, differences, and coefficients of a form in the terminal; `--to` writes all."""
ALL = "all"


def shown(found: Estimates) -> list[str]:
    """The lines for the terminal."""
    names = [share.stance for share in found.groups[0].shares]
    lines = [f"coder: {found.coder}" + ("" if found.power is None else f"; its weight λ in PPI++ is {found.power:.2f}")]
    if found.why_not:
        lines.append(f"not corrected: {found.why_not}")
    lines += _shares(found.groups, names)
    lines += _differences(found.differences, names)
    for form in ("linear", "logistic"):
        lines += _regression([row for row in found.coefficients if row.form == form], names)
    return [*lines, *found.notes, *conclusions(found)]


def conclusions(found: Estimates) -> list[str]:
    """Sentences that say whether the naive estimates differ from the corrected ones, and what changes."""
    shares = [share for group in found.groups for share in group.shares if share.error is not None]
    if not shares:
        return ["the naive shares contain the coder's errors, which nothing here tells: they should not be reported"]
    rows: list[Compared] = [(_named(row), row.naive, row.ppi, row.error) for row in shares]
    lines = [_compared("naive shares", rows, "PPI++")]
    if found.differences:
        rows = [(f"{_pair(row)}, {row.stance}", row.naive, row.ppi, row.error) for row in found.differences]
        lines += [_compared("naive differences between groups", rows, "PPI++"), *_reversed("differences", rows)]
    for form in ("linear", "logistic"):
        mine = [row for row in found.coefficients if row.form == form and row.group and row.dsl is not None]
        if mine:
            rows = [(f"{_term(row)}, {row.stance}", row.naive, row.dsl, row.error) for row in mine]
            unit = "points" if form == "linear" else "log odds"
            lines += [
                _compared(f"naive coefficients of the {form} regression", rows, "DSL", unit),
                *_reversed(f"coefficients of the {form} regression", rows),
            ]
    return lines


Compared = tuple[str, Estimate, Estimate | None, Estimate | None]


def tells(one: Estimate | None) -> bool:
    """Whether an interval leaves out 0, so that the estimate differs from 0 by more than chance."""
    return one is not None and (one.low > 0 or one.high < 0)


def _compared(what: str, rows: Sequence[Compared], by: str, unit: str = "points") -> str:
    apart = [row for row in rows if tells(row[3])]
    if not apart:
        return f"{what}: none of {len(rows):,} differs from the {by} estimate by more than chance"
    called, naive, better, error = max(apart, key=lambda row: abs(row[3].value) if row[3] else 0.0)
    assert better is not None
    assert error is not None
    times = 100 if unit == "points" else 1
    places = 1 if unit == "points" else 2
    return (
        f"{what}: {len(apart):,} of {len(rows):,} differ from the {by} estimate by more than chance, and should not be "
        f"reported (1 in 20 would differ by chance alone); most of all {called}: {times * naive.value:.{places}f} and "
        f"not {times * better.value:.{places}f}, which is {times * abs(error.value):.{places}f} {unit} too "
        f"{'high' if error.value > 0 else 'low'}"
    )


def _reversed(what: str, rows: Sequence[Compared]) -> list[str]:
    """A line on the estimates by which one would conclude something else."""
    lost = sum(tells(naive) and not tells(better) for _, naive, better, _ in rows)
    turned = sum(
        tells(naive) and better is not None and tells(better) and naive.value * better.value < 0
        for _, naive, better, _ in rows
    )
    new = sum(not tells(naive) and tells(better) for _, naive, better, _ in rows)
    told = ((lost, "can no longer be told from 0"), (turned, "change their sign"), (new, "can be told from 0 now"))
    parts = [f"{count:,} {words}" for count, words in told if count]
    return [f"after the correction, of the {what} {', '.join(parts)}"] if parts else []


def _shares(groups: Sequence[Group], names: Sequence[str]) -> list[str]:
    """The table of shares, and below it which groups it leaves out and which have no interval."""
    rows, notes = [["shares in %", "", "sentences", "labels", *names]], []
    for column, mine in groupby(groups, key=lambda group: group.column):
        every = list(mine)
        largest = sorted(every, key=lambda group: (-group.support.sentences, group.name))[:SHOWN]
        rows += [[f"by {column}", *[""] * (len(names) + 3)]] * bool(column)
        for group in every:
            if group in largest:
                rows += _group(group, f"  {group.name}" if column else ALL)
                if group.support.reason:
                    notes.append(f"{group.name if column else ALL}, no corrected estimate: {advice(group.support)}")
        if len(every) > SHOWN:
            notes.append(f"by {column}: {len(every) - SHOWN:,} more, which --to writes")
    if any(group.support.reason for group in groups):
        notes.insert(0, "a copied sentence is counted with the first article that has it or a near-duplicate:")
    return [*table(rows, left=_all_but(len(rows[0]), 2, 3)), *notes]


def _group(group: Group, called: str) -> list[list[str]]:
    held = group.support
    rows = [
        ["naive", f"{held.sentences:,}", f"{held.sampled:,}", *_cells([one.naive for one in group.shares], _percent)]
    ]
    rows += [[name, "", "", *_cells(cells, _percent)] for name, cells in _corrected(group.shares)]
    return [[called if n == 0 else "", *row] for n, row in enumerate(rows)]


def _corrected(rows: Sequence[Share | Difference]) -> list[tuple[str, list[Estimate]]]:
    ppi, dsl = [row.ppi for row in rows if row.ppi], [row.dsl for row in rows if row.dsl]
    return [("PPI++", ppi), ("DSL", dsl)] if ppi else []


def _differences(rows: Sequence[Difference], names: Sequence[str]) -> list[str]:
    if not rows:
        return []
    shown = [["differences in points", "", *names]]
    pairs = [list(pair) for _, pair in groupby(rows, key=lambda row: (row.column, row.group, row.other))]
    for pair in pairs[:SHOWN]:
        both = [("naive", [row.naive for row in pair]), *_corrected(pair)]
        shown += [
            [f"  {_pair(pair[0])}" if n == 0 else "", name, *_cells(cells, _percent)]
            for n, (name, cells) in enumerate(both)
        ]
    lines = table(shown, left=_all_but(len(shown[0])))
    return lines + [f"  and {len(pairs) - SHOWN:,} more pairs, which --to writes"] * (len(pairs) > SHOWN)


def _regression(rows: Sequence[Coefficient], names: Sequence[str]) -> list[str]:
    if not rows:
        return []
    form = rows[0].form
    show: Callable[[Estimate], str] = _percent if form == "linear" else _log_odds
    shown = [[f"{form} regression, in {'points' if form == 'linear' else 'log odds'}", "", *names]]
    terms = list(dict.fromkeys((row.column, row.group, row.other) for row in rows))
    for term in terms[:SHOWN]:
        mine = {row.stance: row for row in rows if (row.column, row.group, row.other) == term}
        empty = Estimate(value=math.nan)
        head = f"  {_term(next(iter(mine.values())))}"
        dsl = [mine[name].dsl or empty for name in names]
        for n, (called, cells) in enumerate((("naive", [mine[name].naive for name in names]), ("DSL", dsl))):
            shown.append([head if n == 0 else "", called, *_cells(cells, show)])
    lines = table(shown, left=_all_but(len(shown[0])))
    return lines + [f"  and {len(terms) - SHOWN:,} more coefficients, which --to writes"] * (len(terms) > SHOWN)


def _all_but(columns: int, *right: int) -> list[int]:
    """The columns that are aligned to the left: all but those of these numbers."""
    return [n for n in range(columns) if n not in right]


def _named(row: Share) -> str:
    return f"{row.column} {row.group}, {row.stance}" if row.column else f"{row.stance} in the whole corpus"


def _pair(row: Difference) -> str:
    return f"{row.group} - {row.other}"


def _term(row: Coefficient) -> str:
    return f"{row.column} {row.group}, not {row.other}" if row.group else row.column


def _cells(cells: Sequence[Estimate], show: Callable[[Estimate], str]) -> list[str]:
    return [show(cell) for cell in cells]


def _percent(one: Estimate) -> str:
    return _with_interval(one, 100, 1)


def _log_odds(one: Estimate) -> str:
    return _with_interval(one, 1, 2)


def _with_interval(one: Estimate, times: float, places: int) -> str:
    if math.isnan(one.value):
        return "–"
    interval = ""
    if not math.isnan(one.low) and (one.low, one.high) != (0, 1):
        interval = f" [{times * one.low:.{places}f}, {times * one.high:.{places}f}]"
    return f"{times * one.value:.{places}f}{interval}"
