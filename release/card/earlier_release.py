"""The earlier release in the folder of a new one: its labels, and the files that people may have edited."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import ConfigError, PublishError
from labeling.codebook import read_codebook
from labeling.records import STANCES, Stance

WRITTEN = ("annotators.md", "CHANGELOG.md")
"""The files of a release, besides the card, that people may edit."""


class EarlierRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The earlier release in the folder of a new one.

    Attributes:
        files: the text files that people may have edited, by name.
        labels: sentence → label; None if there is no release yet.
        codebook: version of the codebook; "" if not known.
    """

    files: dict[str, bytes] = {}
    labels: dict[str, Stance] | None = None
    codebook: str = ""


def read_earlier_release(folder: Path) -> EarlierRelease:
    """Read the parts of the earlier release that the new one keeps or is compared with.

    Args:
        folder: folder of the release; it may be missing or empty.

    Raises:
        PublishError: a table of the release cannot be read.
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
    except ConfigError:  # an older version's release, or an incomplete one: its codebook is not known
        codebook = ""
    return EarlierRelease(
        files={name: (folder / name).read_bytes() for name in WRITTEN if (folder / name).is_file()},
        labels=labels if tables else None,
        codebook=codebook,
    )
