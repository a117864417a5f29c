"""Read the rows of other people's labelled data from a file, a published dataset's folder, or the Hub."""

from __future__ import annotations

from pathlib import Path

from corpus.errors import ExamplesError, SourceError
from corpus.reading.tables import whole_files
from corpus.reading.tables.whole_files import ENDINGS, FileRows, Rows


def file_rows(path: Path) -> FileRows:
    """The rows of a `.jsonl`, `.csv` or `.parquet` file; every value of a CSV file is text.

    Raises:
        ExamplesError: the file has another ending, or cannot be read.
    """
    if path.suffix.lower() not in ENDINGS:
        raise ExamplesError(f"{path}: expected .jsonl, .csv, .parquet or a dataset's folder")
    try:
        return whole_files.file_rows(path)
    except SourceError as error:
        raise ExamplesError(str(error)) from error


def published_rows(name: str) -> FileRows:
    """The rows of a published dataset's config `gold`, without copies, with labels as names, and with their split.

    Args:
        name: path of the dataset's folder, or its name at the Hub.

    Raises:
        ExamplesError: the dataset cannot be opened.
    """
    from datasets import ClassLabel, load_dataset

    try:
        opened = load_dataset(name, "gold")
    except Exception as error:  # the library raises many kinds; all mean that it cannot be opened
        raise ExamplesError(f"{name}: cannot be opened as a published dataset: {error}") from error
    rows: Rows = []
    labels: list[str] = []
    for name_of, part in opened.items():
        feature = part.features.get("label")
        names = feature.names if isinstance(feature, ClassLabel) else None
        labels = labels or list(names or [])
        for row in part:
            if row.get("copy_of") is None:
                code = row.get("label")
                # A test split without labels has -1. A code without a name stays as it is, and is refused later on
                # with the message for unknown labels.
                known = {"label": names[code]} if names and isinstance(code, int) and 0 <= code < len(names) else {}
                rows.append({**row, **known, "split": name_of, "group": row.get("group")})
    return FileRows(rows=rows, labels=labels)
