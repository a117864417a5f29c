"""The earlier release in the folder of a new one: its labels, and the files that people may have edited.

A release that another one replaces under the same version is remembered in `work/`: somebody may have it, and if the
version is raised afterwards, the changelog has to say what differs from that one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import ConfigError, PublishError
from corpus.store import read_json, write_json
from labeling.codebook import read_codebook
from labeling.scheme import DEFAULT, Stance
from release.contents.manifest import FILE as MANIFEST

WRITTEN = ("annotators.md", "CHANGELOG.md")
"""The files of a release, besides the card, that people may edit."""
REPLACED = "replaced_release.json"
"""Name of the file in `work/` on the release that the present one replaced under the same version."""


class Replaced(msgspec.Struct, frozen=True, kw_only=True):
    """A release that another one replaced under the same version.

    Attributes:
        version: the version of both.
        labels: id of each sentence → its label.
        codebook: version of the codebook; "" if it is not known.
        changelog: `CHANGELOG.md` as it was.
        by: SHA-256 of the manifest of the release that replaced it, since datasets of one project can lie in several
            folders.
    """

    version: str
    labels: dict[str, Stance]
    codebook: str
    changelog: str
    by: str


class EarlierRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The earlier release in the folder of a new one.

    Attributes:
        files: text files that people may have edited, by name.
        labels: id of each sentence → its label; None if there is no release yet.
        codebook: version of the codebook; "" if it is not known.
        replaced: the release that one replaced under the same version, if any.
    """

    files: dict[str, bytes] = {}
    labels: dict[str, Stance] | None = None
    codebook: str = ""
    replaced: Replaced | None = None


def keep_replaced(work: Path, before: EarlierRelease, version: str, manifest: bytes) -> None:
    """Remember a release before another one replaces it under the same version.

    Args:
        work: the project's folder of tables.
        before: the release that is replaced.
        version: the version of both.
        manifest: manifest of the release that replaces it, as it is written.
    """
    changelog = before.files.get("CHANGELOG.md", b"").decode("utf-8", "replace")
    labels, codebook = before.labels or {}, before.codebook
    by = hashlib.sha256(manifest).hexdigest()
    write_json(work / REPLACED, Replaced(version=version, labels=labels, codebook=codebook, changelog=changelog, by=by))


def _replaced(work: Path, folder: Path) -> Replaced | None:
    """The release that the one in a folder has replaced; None if none is remembered."""
    if not ((kept := work / REPLACED).is_file() and (manifest := folder / MANIFEST).is_file()):
        return None
    replaced = read_json(kept, Replaced)
    return replaced if replaced.by == hashlib.sha256(manifest.read_bytes()).hexdigest() else None


def read_earlier_release(work: Path, folder: Path) -> EarlierRelease:
    """Read the parts of the earlier release that the new one keeps or is compared with.

    Args:
        work: the project's folder of tables.
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
        replaced=_replaced(work, folder),
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
