"""Read a stand-off release: check it against its manifest, and return each sentence with its place and digests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import TableError
from corpus.store import read_json
from release.contents.manifest import FILE, FileList, compare
from release.hydrate.find_sentences import Wanted

NEEDED = {
    **dict.fromkeys(("sentence_id", "article_id", "text_sha256", "text_key"), pa.string()),
    **dict.fromkeys(("start", "end"), pa.int64()),
}

_TABLE = re.compile(r"gold/[^/]+\.parquet")


class Row(msgspec.Struct, frozen=True):
    """A sentence of the release: the row with number `at`, counted from 0, in the Parquet file `file`."""

    file: str
    at: int
    split: str
    article_id: str
    wanted: Wanted


def read_release(dataset: Path) -> tuple[dict[str, pa.Table], list[Row]]:
    """The Parquet files of `gold` by name, and each row's sentence, file by file.

    Raises:
        TableError: the folder is not a stand-off release, is not as its manifest says, or holds its text already.
    """
    if not dataset.is_dir():
        raise TableError(
            f"{dataset}: no such folder; to fetch a release from the Hugging Face Hub, run "
            "`hf download ORG/NAME --repo-type dataset --local-dir DIR`"
        )
    _check_manifest(dataset)
    tables: dict[str, pa.Table] = {}
    rows: list[Row] = []
    for path in sorted((dataset / "gold").glob("*.parquet")):
        try:
            table = pq.read_table(path)
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{path}: expected a Parquet file; found: {error}. Fetch the release again") from error
        if "text" in table.column_names:
            raise TableError(f"{path} has a column text: {dataset} is not a stand-off release, and has its text")
        columns: list[list[Any]] = []
        for name, kind in NEEDED.items():
            if name not in table.column_names or table.schema.field(name).type != kind:
                raise TableError(
                    f"{path}: expected the column {name} of type {kind}; is {dataset} a stand-off release?"
                )
            columns.append(table.column(name).to_pylist())
            if None in columns[-1]:
                raise TableError(f"{path}, row {columns[-1].index(None)}: {name} is null. Fetch the release again")
        tables[path.name] = table
        split = re.sub(r"-\d+-of-\d+$", "", path.stem)
        for at, (sentence_id, article_id, sha256, key, start, end) in enumerate(zip(*columns, strict=True)):
            wanted = Wanted(sentence_id=sentence_id, start=start, end=end, sha256=sha256, key=key)
            rows.append(Row(path.name, at, split, article_id, wanted))
    if not rows:
        raise TableError(f"{dataset / 'gold'}: expected Parquet files with sentences, as a stand-off release has them")
    return tables, rows


def _check_manifest(dataset: Path) -> None:
    """Compare the files of the folder with the digests in `manifest.json`, if there is one.

    No file may be changed. The tables of `gold` must be exactly those of the manifest; other files may be missing, and
    others may be added.
    """
    if not (dataset / FILE).is_file():
        return
    listed = read_json(
        dataset / FILE, FileList, TableError, "expected digests of the release's files. Fetch the release again"
    ).files
    checked = compare(dataset, listed)
    odd = {
        "changed": checked.changed,
        "missing": [name for name in checked.missing if _TABLE.fullmatch(name)],
        "unknown": [name for name in checked.unknown if _TABLE.fullmatch(name)],
    }
    if said := "; ".join(f"{kind}: {', '.join(names)}" for kind, names in odd.items() if names):
        raise TableError(f"{dataset} is not the release that its {FILE} describes: {said}. Fetch the release again")
