"""Read every string in a file of a release, for the searches for private data and for the articles' text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def strings(path: Path) -> Iterator[tuple[str, int | None, str]]:
    """Every string of a file: its field, the number of its row if it is in a table (from 0), and the string."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        for key, value in (table.schema.metadata or {}).items():
            yield "metadata", None, f"{key.decode('utf-8', 'replace')} {value.decode('utf-8', 'replace')}"
        for name in table.column_names:
            yield name, None, ""
            for row, value in enumerate(table.column(name).to_pylist()):
                yield from ((field, row, text) for field, text in leaves(name, value))
        return
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix in {".json", ".jsonl"}:
        try:
            parts = [text] if path.suffix == ".json" else text.splitlines()
            values = [json.loads(part) for part in parts if part.strip()]
        except (ValueError, RecursionError):
            pass
        else:
            yield from ((field, None, leaf) for value in values for field, leaf in leaves("", value))
            return
    yield "", None, text


def leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every string in nested lists and mappings, including the keys, each with the path to it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, bytes):
        yield name, value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield name, str(key)
            yield from leaves(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from leaves(name, inner)
