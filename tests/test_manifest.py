"""What a release says of itself, the check of a folder against it, and that equal inputs give equal bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from corpus.errors import PublishError
from corpus.store import table_path
from release.contents.manifest import FILE, INPUTS, check_dataset, compare, read_manifest
from tests.conftest import REPO
from tests.support.releases import publish_somebodys


@pytest.fixture(scope="module")
def release(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("release") / "dataset"
    publish_somebodys(finished, out)
    return out


def test_every_file_and_every_input_stands_with_its_digest(finished: Path, release: Path) -> None:
    found = read_manifest(release)
    files = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    assert found.files.keys() == files - {FILE}
    for name, digest in found.files.items():
        data = (release / name).read_bytes()
        assert (digest.sha256, digest.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    tables = {name for name in INPUTS if table_path(finished / "work", name).is_file()}
    assert found.inputs.keys() == tables | {"codebook", "configuration"}
    assert {"annotations.jsonl", "verdicts.jsonl", "examples.parquet", "model/metrics.json"} <= tables
    for name in tables:
        data = table_path(finished / "work", name).read_bytes()
        assert found.inputs[name].sha256 == hashlib.sha256(data).hexdigest()
    assert found.inputs["codebook"].sha256 == hashlib.sha256((finished / "codebook.md").read_bytes()).hexdigest()
    assert {"stance-corpus", "python", "datasets", "pyarrow", "scikit-learn"} <= found.versions.keys()
    assert found.configuration["publish"]["licence"] == "cc-by-4.0"


def test_a_manifest_names_no_account_and_no_folder(finished: Path, release: Path) -> None:
    text = (release / FILE).read_text("utf-8")
    for secret in ("somebody", str(finished), str(release), str(REPO), os.uname().nodename):
        assert secret.casefold() not in text.casefold()


def test_each_file_is_right_changed_missing_or_unknown(release: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(release, copy)
    for hidden in (".gitattributes", ".cache/huggingface/x.lock"):
        (copy / hidden).parent.mkdir(parents=True, exist_ok=True)
        (copy / hidden).write_text("a download's own")
    everything = sorted(read_manifest(copy).files)
    assert check_dataset(copy).right == everything
    with (copy / "codebook.md").open("a") as file:
        file.write("more\n")
    (copy / "gold" / "test-00000-of-00001.parquet").unlink()
    shutil.copy(copy / "gold" / "train-00000-of-00001.parquet", copy / "gold" / "train-00001-of-00002.parquet")
    with pytest.raises(PublishError) as told:
        check_dataset(copy)
    assert (
        "changed: codebook.md; missing: gold/test-00000-of-00001.parquet; "
        f"unknown: gold/train-00001-of-00002.parquet; {len(everything) - 2} files are right"
    ) in str(told.value)
    found = compare(copy, read_manifest(copy).files)
    assert sorted(found.right + found.changed + found.missing) == everything


def test_one_changed_bit_in_any_file_is_found(release: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(release, copy)
    for name in read_manifest(copy).files:
        data = (copy / name).read_bytes()
        (copy / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(PublishError, match=f"changed: {name};"):
            check_dataset(copy)
        (copy / name).write_bytes(data)
    check_dataset(copy)


@pytest.mark.parametrize("name", ["../outside", "/etc/hosts", "gold/../../outside", "gold//x", "..\\outside"])
def test_a_manifest_that_names_files_elsewhere_is_refused(release: Path, tmp_path: Path, name: str) -> None:
    found = read_manifest(release)
    files = found.files | {name: found.files["codebook.md"]}
    (tmp_path / FILE).write_bytes(msgspec.json.encode(msgspec.structs.replace(found, files=files)))
    with pytest.raises(PublishError, match="expected paths inside of the release"):
        check_dataset(tmp_path)


def test_a_folder_without_a_readable_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"manifest.json is not there: expected a folder that `stance publish`"):
        check_dataset(tmp_path)
    for content in (b"{", b"[]", b'{"files": 1}', b"\xff\xfe"):
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(PublishError, match="it is not a manifest of this version"):
            check_dataset(tmp_path)


CODE = """
import os, sys
os.umask(0o077)
from pathlib import Path
from tests.conftest import finish
from tests.support.releases import publish_somebodys
if not Path(sys.argv[1]).exists():
    finish(Path(sys.argv[1]))
for kind in ("text", "standoff"):
    publish_somebodys(Path(sys.argv[1]), Path(sys.argv[2]) / kind, kind == "standoff")
"""
ELSEWHERE = {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C", "LANG": "C", "HOSTNAME": "elsewhere"}


@pytest.mark.slow
def test_equal_inputs_give_equal_bytes_wherever_they_lie(finished: Path, tmp_path: Path) -> None:
    project = tmp_path / "b c" / "ü" / "project"
    # With other times of change: copytree would keep them.
    shutil.copytree(finished, project, copy_function=shutil.copy)
    _compare(finished, project, tmp_path)


@pytest.mark.slow
def test_a_project_made_anew_from_its_articles_gives_equal_bytes(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "anew").mkdir()
    _compare(finished, tmp_path / "anew" / "project", tmp_path)


def _compare(here: Path, elsewhere: Path, tmp_path: Path) -> None:
    """Publish two projects, the second in a process with other settings of everything that must not matter."""
    for standoff in (False, True):
        publish_somebodys(here, tmp_path / "here" / ("standoff" if standoff else "text"), standoff)
    arguments = [sys.executable, "-c", CODE, str(elsewhere), str(tmp_path / "elsewhere")]
    environment = {**os.environ, **ELSEWHERE, "HOME": str(tmp_path), "PYTHONPATH": str(REPO)}
    subprocess.run(arguments, env=environment, cwd=tmp_path, check=True, timeout=120)
    first, second = (
        {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
        for out in (tmp_path / "here", tmp_path / "elsewhere")
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert {"text/manifest.json", "standoff/gold/train-00000-of-00001.parquet"} <= first.keys()
    places = [str(folder).encode() for folder in (here, elsewhere, tmp_path)]
    assert [name for name, data in second.items() for place in places if place in data] == []
