"""Plain tables of labels: a row for each answer, with a text or a sentence's id, an annotator, and a label."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from corpus.errors import TableError
from labeling.adopt.exported import (
    Export,
    ExportTask,
    Unmatched,
    answer,
    moment_of,
    number_of,
    one_answer_each,
    seconds_of,
)
from labeling.adopt.file_rows import Row
from labeling.scheme import DEFAULT, Scheme

TEXT = ("text", "sentence", "sentence_text", "content")
ITEM = ("sentence_id", "item_id", "id")
ANNOTATOR = ("annotator", "annotator_id", "coder", "rater", "worker", "worker_id", "user", "user_id", "username")
LABEL = ("stance", "label", "annotation", "answer", "choice", "code")
MADE = ("created_at", "timestamp", "time", "date")
CHANGED = ("updated_at",)
SECONDS = ("seconds", "lead_time")
COMMENT = ("comment", "note")
"""Names of columns that are understood, whatever the case; of several that a table has, the first counts."""


def from_rows(path: Path, rows: Sequence[Row], annotator: str | None, scheme: Scheme = DEFAULT) -> Export:
    """Read a table with a row for each answer.

    Args:
        path: the file, for messages.
        rows: its rows.
        annotator: whether the user named the person, which a table without a column for it needs.
        scheme: labels of the project, by which the column of labels is recognised.

    Raises:
        TableError: a column is missing.
    """
    columns = list(rows[0].fields) if rows else []
    text, item, by = _column(columns, TEXT), _column(columns, ITEM), _column(columns, ANNOTATOR)
    if not text and not item:
        raise TableError(
            f"{path}: expected a column with the texts ({', '.join(TEXT)}) or with sentence ids ({', '.join(ITEM)}); "
            f"found: {', '.join(columns) or 'no row'}"
        )
    if not by and annotator is None:
        raise TableError(
            f"{path}: no column says who gave the answers ({', '.join(ANNOTATOR)}): name the person with "
            "--annotator NAME, or add such a column"
        )
    label = _column(columns, LABEL) or column_of_labels(path, rows, {text, item, by}, scheme)
    made, changed, seconds, comment = (_column(columns, names) for names in (MADE, CHANGED, SECONDS, COMMENT))
    tasks: list[ExportTask] = []
    left_out: list[Unmatched] = []
    for row in rows:
        fields = {name: "" if value is None else value for name, value in row.fields.items()}
        said, who = str(fields.get(label, "")).strip(), str(fields.get(by, "")).strip()
        shown = str(fields.get(text, ""))
        if not said:
            left_out.append(Unmatched(task=row.line, text=shown, reason=f"its column {label} is empty"))
            continue
        identity = shown.strip() or str(fields.get(item, ""))
        spent = fields.get(seconds, "")
        tasks.append(
            ExportTask(
                id=row.line,
                data={"text": shown} if text else {},
                item=str(fields.get(item, "")).strip(),
                annotations=[
                    answer(
                        number_of(identity, who),
                        who,
                        [said],
                        made=moment_of(fields.get(made, "")),
                        changed=moment_of(fields.get(changed, "")),
                        seconds=seconds_of(spent),
                        comment=str(fields.get(comment, "")),
                    )
                ],
            )
        )
    tasks, unclear = one_answer_each(tasks)
    return Export(tool="a table", tasks=tasks, left_out=left_out + unclear)


def _column(columns: Sequence[str], names: Sequence[str]) -> str:
    """The column with the first of these names that there is; empty if there is none."""
    folded = {column.strip().casefold().replace(" ", "_"): column for column in reversed(columns)}
    return next((folded[name] for name in names if name in folded), "")


def column_of_labels(path: Path, rows: Sequence[Row], others: Collection[str], scheme: Scheme = DEFAULT) -> str:
    """The column that holds the labels, whatever its name: most of its values are labels.

    Args:
        path: the file, for messages.
        rows: its rows.
        others: columns that hold something else.
        scheme: labels of the project.

    Raises:
        TableError: no column holds labels, or several do.
    """
    columns = dict.fromkeys(name for row in rows for name in row.fields if name not in others)
    found: list[str] = []
    for name in columns:
        values = [str(value).strip() for row in rows if (value := row.fields.get(name)) not in (None, "")]
        if values and 2 * sum(scheme.read(value) is not None for value in values) > len(values):
            found.append(name)
    for name in LABEL:
        if name in found:
            return name
    if len(found) != 1:
        raise TableError(
            f"{path}: expected one column in which most values are labels; found "
            f"{', '.join(found) or 'none'} among {', '.join(columns) or 'no columns'}. Name the right one {LABEL[0]!r}"
        )
    return found[0]
