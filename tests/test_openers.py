"""A release in other hands: datasets of both major versions, pandas, polars and DuckDB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from corpus.errors import ExamplesError
from corpus.records import CorpusSettings
from labeling.codebook import read_codebook
from labeling.scheme import DEFAULT
from release.hydrate.hydrate import hydrate
from release.publish import PublishInputs, publish
from tests.conftest import REPO
from train.examples.load import load_examples
from train.settings import PublishSettings

KINDS = ("text", "standoff", "hydrated")
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def releases(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the release with text, the stand-off release, and that with its text put back."""
    out = tmp_path_factory.mktemp("releases")
    codebook = read_codebook(finished / "codebook.md")
    for kind in KINDS[:2]:
        inputs = PublishInputs(standoff=kind == "standoff", allow_open=True)
        settings = PublishSettings(licence="cc-by-4.0")
        publish(finished / "work", out / kind, "a target <b>", codebook, settings, inputs=inputs)
    news = finished / "news"
    hydrate(out / "standoff", news, out / "hydrated", CorpusSettings(root=str(news)))
    return out


def test_a_hydrated_release_has_the_rows_of_the_one_with_text(releases: Path) -> None:
    for name in ("train", "validation", "test"):
        file = f"gold/{name}-00000-of-00001.parquet"
        full, hydrated = pq.read_table(releases / "text" / file), pq.read_table(releases / "hydrated" / file)
        assert hydrated.select(full.column_names).to_pylist() == full.to_pylist()


def _pandas(path: Path) -> Rows:
    rows = pd.read_parquet(path).astype(object).to_dict("records")
    return [{str(key): _plain(value) for key, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    """A value of pandas as Python has it: lists come as arrays, missing ones as NaN."""
    if hasattr(value, "tolist") and not isinstance(value, str):
        value = value.tolist()
    return None if isinstance(value, float) and value != value else value


def _polars(path: Path) -> Rows:
    return pl.read_parquet(path).to_dicts()


def _duckdb(path: Path) -> Rows:
    found = duckdb.read_parquet(str(path))
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("opener", [_pandas, _polars, _duckdb])
def test_the_parquet_files_open_alike_without_datasets(releases: Path, kind: str, opener: Any) -> None:
    paths = sorted((releases / kind).rglob("*.parquet"))
    assert len(paths) == 4
    for path in paths:
        expected = pq.read_table(path).to_pylist()
        assert expected
        assert opener(path) == expected
        column = "label" if path.parent.name == "gold" else "stance"
        assert {row[column] for row in expected} - {None} <= set(range(len(DEFAULT.names)))


@pytest.mark.parametrize("kind", KINDS)
def test_load_dataset_opens_every_config_with_names_for_the_labels(releases: Path, kind: str, tmp_path: Path) -> None:
    from datasets import ClassLabel, List, load_dataset

    for config, splits in (("gold", ["train", "validation", "test"]), ("annotations", ["train"])):
        opened = load_dataset(str(releases / kind), config, cache_dir=str(tmp_path / "cache"))
        assert list(opened) == splits
        for name, part in opened.items():
            path = releases / kind / config / f"{name}-00000-of-00001.parquet"
            assert part.to_list() == pq.read_table(path).to_pylist()
            label = part.features["label" if config == "gold" else "stance"]
            assert label == ClassLabel(names=["favor", "against", "none"])
            if config == "gold":
                assert isinstance(part.features["votes"], List)
                assert part.features["votes"].feature["stance"] == label
        streamed = load_dataset(str(releases / kind), config, streaming=True, cache_dir=str(tmp_path / "cache"))
        assert list(streamed[splits[-1]]) == opened[splits[-1]].to_list()


READ = """
import json, sys
import datasets
datasets.disable_progress_bars()
found = {"version": datasets.__version__}
for config in ("gold", "annotations"):
    for name, part in datasets.load_dataset(sys.argv[1], config, cache_dir=sys.argv[2]).items():
        label = part.features["label" if config == "gold" else "stance"]
        found[f"{config}/{name}"] = {"rows": part.to_list(), "names": label.names, "features": repr(part.features)}
print(json.dumps(found))
"""


@pytest.mark.slow
def test_datasets_4_and_5_read_the_same(releases: Path, tmp_path: Path) -> None:
    older = tmp_path / "datasets4"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, older], check=True, timeout=60)
    pinned = REPO / "requirements-datasets4.txt"
    sync: list[str | Path] = [
        uv,
        "pip",
        "sync",
        "--quiet",
        "--python",
        older / "bin" / "python",
        "--require-hashes",
        pinned,
    ]
    subprocess.run(sync, check=True, timeout=600)
    here = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"}
    for kind in KINDS:
        found: list[dict[str, Any]] = []
        for n, python in enumerate((older / "bin" / "python", Path(sys.executable))):
            arguments = [str(python), "-c", READ, str(releases / kind), str(tmp_path / f"cache{n}{kind}")]
            done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=300, env=here)
            found.append(json.loads(done.stdout.splitlines()[-1]))
        assert [one.pop("version").split(".")[0] for one in found] == ["4", "5"]
        assert found[0] == found[1]
        assert len(found[0]) == 4
        assert all(part["rows"] and part["names"] == list(DEFAULT.names) for part in found[0].values())


def test_training_on_a_release_without_text_says_how_to_put_it_back(releases: Path) -> None:
    with pytest.raises(ExamplesError, match=r"has no text; put it back .* `stance hydrate .*standoff --articles DIR"):
        load_examples(releases / "standoff")
