"""What a release holds and what it was made from: `manifest.json`, and the check of a folder against it."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.digests import version_or_absent
from corpus.errors import PublishError
from corpus.numbers import number
from corpus.store import json_bytes, read_json, table_path
from labeling.codebook import Codebook
from train.input_digests import of_file
from train.settings import Settings, told

FILE = "manifest.json"
INPUTS = (
    *("articles.parquet", "spans.parquet", "sentences.parquet", "skipped.jsonl", "sample.parquet"),
    *("annotations.jsonl", "adjudications.jsonl", "verdicts.jsonl", "queue.jsonl", "examples.parquet"),
    *("model/metrics.json", "model/analysis.json", "machine.jsonl"),
)
"""The files that rows and card are made from, by their path in the project's folder of tables."""
LIBRARIES = ("datasets", "jinja2", "msgspec", "numpy", "pyarrow", "pyyaml", "scikit-learn", "scipy")
"""Libraries whose version may change the bytes of the release."""


class Sha256(msgspec.Struct, frozen=True, kw_only=True):
    """A file's SHA-256, in hexadecimal."""

    sha256: str


class Digest(Sha256, frozen=True, kw_only=True):
    """A file's SHA-256, and its size in bytes."""

    bytes: int


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies a release; `date` is the day of the newest answer, or "" if no answer has a time."""

    name: str
    version: str
    date: str
    standoff: bool


class FileList(msgspec.Struct, frozen=True, kw_only=True):
    """What `manifest.json` has in every version: each file of the release except the manifest itself, by its path."""

    files: dict[str, Sha256]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of `manifest.json`.

    Attributes:
        dataset: name, version and date of the release, and whether it is stand-off.
        files: digests of every file of the release except the manifest itself, by its path in the release.
        inputs: digests of every file that the release was made from, by its path in the project's folder of tables, or
            its name in `labels/`; `codebook` is the digest of the codebook's text, and `configuration` that of the JSON
            of `configuration`, sorted by key.
        versions: versions of this package, of Python (major and minor), and of the libraries that may change a byte.
        configuration: sections of stance.toml, without keys that name annotators' accounts or this machine's folders.
    """

    dataset: Dataset
    files: dict[str, Digest]
    inputs: dict[str, Digest]
    versions: dict[str, str]
    configuration: dict[str, dict[str, Any]]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a release compared with its manifest, each list sorted.

    Hidden files that the manifest does not list are ignored.

    Attributes:
        right: files that are as the manifest says.
        changed: files that are there, but with other bytes.
        missing: files that only the manifest has.
        unknown: files that only the folder has; `load_dataset` would take a Parquet file for part of the data.
    """

    right: list[str]
    changed: list[str] = []
    missing: list[str] = []
    unknown: list[str] = []


def manifest(
    files: Mapping[str, bytes], work: Path, codebook: Codebook, settings: Settings, dataset: Dataset
) -> Manifest:
    """The manifest of a release; it names no time, folder or machine, so equal inputs give equal manifests.

    Args:
        files: the release's files by path, without the manifest.
        work: the project's folder of tables.
        codebook: codebook whose text is in the release.
        settings: all settings in stance.toml.
        dataset: name, version and date of the release, and whether it is stand-off.
    """
    versions = {
        "stance-corpus": version_or_absent("stance-corpus"),
        "python": ".".join(platform.python_version_tuple()[:2]),
    }
    return Manifest(
        dataset=dataset,
        files={name: _of(files[name]) for name in sorted(files)},
        inputs=made_from(work, codebook, settings, standoff=dataset.standoff),
        versions=versions | {name: version_or_absent(name) for name in LIBRARIES},
        configuration=configuration(settings, standoff=dataset.standoff),
    )


def made_from(work: Path, codebook: Codebook, settings: Settings, *, standoff: bool) -> dict[str, Digest]:
    """The inputs of a release that would be made now, in the form of `Manifest.inputs`."""
    inputs = {name: _of_file(table_path(work, name)) for name in INPUTS if table_path(work, name).is_file()}
    inputs["codebook"] = _of(codebook.text.encode())
    inputs["configuration"] = _of(msgspec.json.encode(configuration(settings, standoff=standoff), order="sorted"))
    return dict(sorted(inputs.items()))


def differs(folder: Path, new: Manifest) -> bool:
    """Whether a folder holds a release of the same version with other tables, or another codebook."""
    try:
        old = read_manifest(folder)
    except PublishError:  # no release yet, or its manifest is damaged
        return False

    def content(of: Manifest) -> dict[str, str]:
        kept = {name: one.sha256 for name, one in of.files.items() if name.endswith(".parquet")}
        return kept | {"codebook": of.inputs["codebook"].sha256 if "codebook" in of.inputs else ""}

    return old.dataset.version == new.dataset.version and content(old) != content(new)


def to_json(record: Manifest) -> bytes:
    """The manifest as JSON in the form in which it is written: indented by two spaces, with the keys in their order."""
    return json_bytes(record)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a release.

    Raises:
        PublishError: there is no manifest, it is malformed, or it names a file outside of the folder.
    """
    path = folder / FILE
    if not path.is_file():
        raise PublishError(f"{path} is not there: expected a folder that `stance publish` wrote, or a copy of one")
    record = read_json(path, Manifest, PublishError, "it is not a manifest of this version of stance")
    for name in record.files:
        if {"..", ""} & set(name.split("/")) or "\\" in name:
            raise PublishError(f"{path} names {name!r}: expected paths inside of the release")
    return record


def check_dataset(folder: Path) -> Checked:
    """Compare every file of a release with its manifest.

    Returns:
        The comparison, in which every file is right.

    Raises:
        PublishError: there is no manifest, or a file is changed, missing or unknown; the message names them all.
    """
    checked = compare(folder, read_manifest(folder).files)
    lists = {"changed": checked.changed, "missing": checked.missing, "unknown": checked.unknown}
    if wrong := "; ".join(f"{kind}: {', '.join(names)}" for kind, names in lists.items() if names):
        raise PublishError(
            f"{folder} is not the release that its {FILE} describes: {wrong}; "
            f"{number(len(checked.right), 'file', 'are')} right. "
            "Fetch it again, or run `stance publish` again if it is yours"
        )
    return checked


def compare(folder: Path, files: Mapping[str, Sha256]) -> Checked:
    """Compare each file of a folder with `files`, which its manifest lists."""
    there = {*_files(folder), *(name for name in files if (folder / name).is_file())} - {FILE}
    same = {name for name in there & files.keys() if _of_file(folder / name).sha256 == files[name].sha256}
    return Checked(
        right=sorted(same),
        changed=sorted(there & files.keys() - same),
        missing=sorted(files.keys() - there),
        unknown=sorted(there - files.keys()),
    )


def _files(folder: Path) -> Sequence[str]:
    """Paths below the folder except hidden ones: `.git`, `.gitattributes` and `.cache` come with a download."""
    paths: list[str] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = Path(place).relative_to(folder)
        paths += [(here / name).as_posix() for name in names if not name.startswith(".")]
    return paths


def configuration(settings: Settings, *, standoff: bool) -> dict[str, dict[str, Any]]:
    """The sections of stance.toml in the form in which a release gives them.

    Accounts to ignore are mail addresses, and the corpus root is a folder of this machine, as the encoder may be, which
    the card names by its digest: they are left out. So are the title of the Label Studio project and the path of the
    codebook. Patterns for lines quote the lines of articles, so a stand-off release gives the SHA-256 of each instead.
    """
    sections = told(settings)
    kept_back = {"corpus": {"root"}, "labeling": {"ignore", "title", "codebook"}, "train": {"encoder"}}
    if standoff:
        patterns = settings.corpus.patterns
        sections["corpus"]["patterns"] = {
            kind: [_of(one.encode()).sha256 for one in patterns[kind]] for kind in patterns
        }
    return {
        section: {key: value for key, value in values.items() if key not in kept_back.get(section, set())}
        for section, values in sections.items()
    }


def _of(data: bytes) -> Digest:
    return Digest(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))


def _of_file(path: Path) -> Digest:
    return Digest(sha256=of_file(path), bytes=path.stat().st_size)
