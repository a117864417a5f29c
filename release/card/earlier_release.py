"""The release that stands where a new one goes: its labels, and the files that people may have written in."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import ConfigError, PublishError
from labeling.codebook import read_codebook
from labeling.records import STANCES, Stance

WRITTEN = ("annotators.md", "CHANGELOG.md")
"""Beside the card, the files of a release that people may write in."""


class EarlierRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The release that stands where a new one goes.

    Attributes:
        files: the text files that people may have written in, by name.
        labels: sentence → label; None where there is no release yet.
        codebook: its version; "" where it isn't known.
    """

    files: dict[str, bytes] = {}
    labels: dict[str, Stance] | None = None
    codebook: str = ""


def read_earlier_release(folder: Path) -> EarlierRelease:
    """Read what a new release keeps of the one in its folder, and compares itself with.

    Args:
        folder: the folder of the release; it may be missing, or hold nothing yet.

    Raises:
        PublishError: a table of the release can't be read.
    """
    labels: dict[str, Stance] = {}
    tables = sorted((folder / "gold").glob("*.parquet"))
    for path in tables:
        try:
            table = pq.read_table(path, columns=["sentence_id", "label"])
            ids, kinds = table["sentence_id"].to_pylist(), table["label"].to_pylist()
            labels |= {key: STANCES[kind] for key, kind in zip(ids, kinds, strict=True)}
        except (pa.ArrowException, KeyError, IndexError, TypeError, ValueError) as error:
            raise PublishError(
                f"{path}: expected the release before, with sentence_id and label; found: {error}. "
                "Move that folder away to start again"
            ) from error
    try:
        codebook = read_codebook(folder / "codebook.md").version
    except ConfigError:  # a release of an older version, or one cut short: then nothing is said of its codebook
        codebook = ""
    return EarlierRelease(
        files={name: (folder / name).read_bytes() for name in WRITTEN if (folder / name).is_file()},
        labels=labels if tables else None,
        codebook=codebook,
    )
