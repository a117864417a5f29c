"""Write estimates, or a plan, as a flat .csv table or as .json."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from corpus.errors import StanceError
from corpus.numbers import spoken
from corpus.store import json_bytes, write_bytes
from labeling.statistics.intervals import Estimate
from train.estimate.estimates import Estimates
from train.estimate.plan import Plan
from train.estimate.refusals import advice

ENDINGS = (".csv", ".json")
COLUMNS = (
    *("estimate", "column", "group", "other", "stance", "estimator", "value", "low", "high"),
    *("sentences", "verdicts", "labels", "labels_needed", "why_no_interval"),
)
Row = dict[str, object]


def check_ending(path: Path) -> None:
    """Refuse a file of another kind before any work is done.

    Raises:
        StanceError: the file's name ends otherwise.
    """
    if path.suffix.lower() not in ENDINGS or path.is_dir():
        raise StanceError(f"--to {path}: expected a file that ends in {spoken(ENDINGS, 'or')}")


def write_estimates(path: Path, found: Estimates) -> bool:
    """Write estimates; True if the file changed.

    The table has one row for each estimate by each estimator: `naive`, `ppi`, `dsl`, and `naive - ppi` or `naive - dsl`
    for the coder's error. The JSON file has the records of `train.estimate.estimates.Estimates`.
    """
    return write_bytes(path, json_bytes(found) if path.suffix.lower() == ".json" else _csv(_rows(found)))


def write_plan(path: Path, found: Plan) -> bool:
    """Write a plan; True if the file changed."""
    if path.suffix.lower() == ".json":
        return write_bytes(path, json_bytes(found))
    rows: list[Row] = [
        {
            "column": row.column,
            "group": row.group,
            "other": row.other,
            "stance": row.stance,
            "width": row.width,
            "wanted": found.wanted,
            "sentences_more": row.more,
            "width_if_all_labelled": row.least,
            "reason": row.reason,
        }
        for row in found.rows
    ]
    return write_bytes(path, _csv(rows))


def _rows(found: Estimates) -> list[Row]:
    rows: list[Row] = []
    for group in found.groups:
        held = group.support
        counts: Row = {"sentences": held.sentences, "verdicts": held.verdicts, "labels": held.sampled}
        counts |= {"labels_needed": held.more, "why_no_interval": advice(held) or found.why_not}
        for share in group.shares:
            key: Row = {"estimate": "share", "column": share.column, "group": share.group, "stance": share.stance}
            each = [("naive", share.naive), ("ppi", share.ppi), ("dsl", share.dsl), ("naive - ppi", share.error)]
            rows += [key | counts | _cells(name, one) for name, one in each]
    for row in found.differences:
        key = {"estimate": "difference", "column": row.column, "group": row.group, "other": row.other}
        each = [("naive", row.naive), ("ppi", row.ppi), ("dsl", row.dsl), ("naive - ppi", row.error)]
        rows += [key | {"stance": row.stance} | _cells(name, one) for name, one in each]
    for term in found.coefficients:
        key = {"estimate": term.form, "column": term.column, "group": term.group, "other": term.other}
        each = [("naive", term.naive), ("dsl", term.dsl), ("naive - dsl", term.error)]
        rows += [key | {"stance": term.stance} | _cells(name, one) for name, one in each]
    return [dict.fromkeys(COLUMNS) | row for row in rows]


def _cells(estimator: str, one: Estimate | None) -> Row:
    values = {"value": one.value, "low": one.low, "high": one.high} if one else {}
    return {"estimator": estimator} | {name: None if math.isnan(value) else value for name, value in values.items()}


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
