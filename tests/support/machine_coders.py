"""A project with a corpus for tests of machine coders, and what they read back from it."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from labeling.machine.answers import read_answers
from labeling.machine.records import MachineAnswer
from labeling.scheme import DEFAULT


def answers(project: Path) -> list[MachineAnswer]:
    return read_answers(project / "work", DEFAULT)


def sentences(project: Path) -> dict[str, str]:
    table = pq.read_table(project / "work" / "sentences.parquet", columns=["sentence_id", "text"])
    return dict(zip(table["sentence_id"].to_pylist(), table["text"].to_pylist(), strict=True))


def add_settings(project: Path, text: str) -> None:
    """Add lines to a project's settings."""
    with (project / "stance.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def by_length(text: str, _sample: int) -> str:
    """A label that depends on the sentence alone."""
    return DEFAULT.names[len(text) % 3]


def nothing_written(project: Path) -> bool:
    return not (project / "work" / "machine.jsonl").exists() and not (project / "work" / "prompts").exists()
