"""The earlier release in the folder of a new one: its labels, and the files that people may have edited."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import ConfigError, PublishError
from labeling.codebook import read_codebook
from labeling.scheme import DEFAULT, Stance

WRITTEN = ("annotators.md", "CHANGELOG.md")
"""The files of a release, besides the card, that people may edit."""


class EarlierRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The earlier release in the folder of a new one.

    Attributes:
        files: text files that people may have edited, by name.
        labels: id of each sentence → its label; None if there is no release yet.
        codebook: version of the codebook; "" if it is not known.
    """

    files: dict[str, bytes] = {}
    labels: dict[str, Stance] | None = None
    codebook: str = ""


def read_earlier_release(folder: Path) -> EarlierRelease:
    """Read the parts of the earlier release that the new one keeps or is compared with.

    Args:
        folder: folder of the release, which may be missing or empty.

    Raises:
        PublishError: a table of the release cannot be read.
    """
    labels: dict[str, Stance] = {}
    tables = sorted((folder / "gold").glob("*.parquet"))
    for path in tables:
        try:
            table = pq.read_table(path, columns=["sentence_id", "label"])
            names = _names(table.schema)
            ids, kinds = table["sentence_id"].to_pylist(), table["label"].to_pylist()
            labels |= {key: names[kind] for key, kind in zip(ids, kinds, strict=True)}
        except (pa.ArrowException, msgspec.MsgspecError, KeyError, IndexError, TypeError, ValueError) as error:
            raise PublishError(
                f"{path}: expected a table of the earlier release, with sentence_id and label; found: {error}. "
                "Move the folder of that release away, and publish again"
            ) from error
    try:
        codebook = read_codebook(folder / "codebook.md").version
    except ConfigError:  # an incomplete release, or one by an older version: its codebook is not known
        codebook = ""
    return EarlierRelease(
        files={name: (folder / name).read_bytes() for name in WRITTEN if (folder / name).is_file()},
        labels=labels if tables else None,
        codebook=codebook,
    )


class _Label(msgspec.Struct):
    names: list[Stance] = msgspec.field(default_factory=lambda: list(DEFAULT.names))


class _Features(msgspec.Struct):
    label: _Label = msgspec.field(default_factory=_Label)


class _Info(msgspec.Struct):
    features: _Features = msgspec.field(default_factory=_Features)


class _Described(msgspec.Struct):
    info: _Info = msgspec.field(default_factory=_Info)


def _names(schema: pa.Schema) -> list[Stance]:
    """The labels that the earlier release had, which may not be those of today's scheme, from the file's features."""
    described = (schema.metadata or {}).get(b"huggingface", b"{}")
    return msgspec.json.decode(described, type=_Described).info.features.label.names
