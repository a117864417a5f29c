"""Write the folder of a hydrated release under another name, open it as a user would, and rename it into place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from corpus.errors import StanceError, TableError
from corpus.numbers import number
from corpus.staging import put_in_place, staging
from corpus.store import write_bytes, write_jsonl
from release.card.yaml_header import FRONT
from release.contents.dataset_folder import check_name
from release.contents.rows import parquet, quiet

if TYPE_CHECKING:
    from datasets import Features

LIST, BY_ARTICLE = "hydrate.jsonl", "hydrate-articles.jsonl"
TEXTS = {"text": "sentence_id", "before": "target", "after": "before", "title": "group"}
"""The columns that are put back, each with the column that it follows in the full release."""
FOUND = {"state": pa.string(), "found_article": pa.string(), "found_start": pa.int64(), "found_end": pa.int64()}
_WITHOUT_TEXT = re.compile(r"^\*\*This is a stand-off release\*\*: .+?\n\n", re.MULTILINE | re.DOTALL)
"""The paragraph of the card that says that the release has no text, which is no longer true."""
STALE = {"README.md", "manifest.json", "croissant.json", LIST, BY_ARTICLE}
"""Files that are not copied, because they would no longer be true; the card and the two lists are written again."""

Restored = Mapping[str, Sequence[tuple[int, Mapping[str, Any]]]]
"""Name of each Parquet file of `gold` → the rows that were found, each with its number and its new columns."""


def check_out(dataset: Path, out: Path) -> None:
    """Refuse an output folder if something other than a hydrated release would be overwritten there.

    Raises:
        StanceError: `out` is in the release or around it, holds something other than a hydrated release, or has a name
            that `load_dataset` can't open.
    """
    check_name(out.absolute())  # the absolute path, because the folder is opened beside its place
    here, there = dataset.resolve(), out.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise StanceError(
            f"--out {out}: the folder must not lie in the release {dataset} or contain it; name another folder"
        )
    if out.exists() and not (out.is_dir() and ((out / LIST).is_file() or not any(out.iterdir()))):
        raise StanceError(f"--out {out}: there is something other than a hydrated release; name another folder")


def write(
    dataset: Path,
    out: Path,
    tables: Mapping[str, pa.Table],
    restored: Restored,
    located: Sequence[msgspec.Struct],
    counts: Sequence[msgspec.Struct],
    states: Mapping[str, int],
) -> bool:
    """Write the folder, completely or not at all.

    Args:
        dataset: folder of the release; its other files are copied, except those that would no longer be true.
        out: folder to write.
        tables: Parquet files of `gold` in the release, by name.
        restored: rows that were found.
        located: lines of `hydrate.jsonl`.
        counts: lines of `hydrate-articles.jsonl`.
        states: state → number of sentences that are matched, drifted or missing.

    Returns:
        False if `out` had the same content already.

    Raises:
        TableError: the release's card or its features are malformed.
        StanceError: the folder doesn't open with `load_dataset`.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with staging(out.parent, f".{out.name}.") as folder:
        staged = folder / "new"
        for path in sorted(dataset.rglob("*")):
            inside = path.relative_to(dataset)
            hidden = any(part.startswith(".") for part in inside.parts)
            if path.is_file() and not hidden and str(inside) not in STALE and inside.parts[0] != "gold":
                write_bytes(staged / inside, path.read_bytes())
        sizes: dict[str, list[int]] = {}
        for file, table in tables.items():
            rows, kinds = _restored(dataset / "gold" / file, table, restored[file])
            if not rows:
                continue  # `datasets` doesn't open a file without rows
            data, size = parquet(rows, kinds)
            write_bytes(staged / "gold" / file, data)
            of = sizes.setdefault(re.sub(r"-\d+-of-\d+\.parquet$", "", file), [0, 0, 0])
            of[:] = (of[0] + len(rows), of[1] + size, of[2] + len(data))
        write_bytes(staged / "README.md", _card(dataset / "README.md", sizes, states))
        write_jsonl(staged / LIST, located)
        write_jsonl(staged / BY_ARTICLE, counts)
        _open(staged, folder / "cache", {split: of[0] for split, of in sizes.items()})
        return put_in_place(staged, out)


def _restored(
    path: Path, table: pa.Table, rows: Sequence[tuple[int, Mapping[str, Any]]]
) -> tuple[list[dict[str, Any]], Features]:
    from datasets import Features, Value

    try:
        kinds = Features.from_arrow_schema(table.schema)
    except Exception as error:  # whatever a malformed description of features makes the library raise
        raise TableError(f"{path}: its features cannot be read: {error}. Fetch the release again") from error
    new = {name: Value(str(FOUND.get(name, "string"))) for name in (*TEXTS, *FOUND)}
    names = _with_new(table.column_names)
    kept = table.take(pa.array([at for at, _ in rows], pa.int64())).to_pylist()
    full = [{**old, **{name: row[name] for name in new}} for old, (_, row) in zip(kept, rows, strict=True)]
    return full, Features({name: new[name] if name in new else kinds[name] for name in names})


def _with_new(names: Sequence[str]) -> list[str]:
    """The columns, with those of TEXTS where the full release has them, and those of FOUND at the end."""
    listed = [name for name in names if name not in FOUND]
    for name, behind in TEXTS.items():
        listed.insert(listed.index(behind) + 1 if behind in listed else len(listed), name)
    return [*listed, *FOUND]


def _card(path: Path, sizes: Mapping[str, Sequence[int]], states: Mapping[str, int]) -> bytes:
    """The release's card with a notice above it; its YAML has the new columns and sizes, without empty splits."""
    import yaml

    try:
        text = path.read_text("utf-8")
        match = FRONT.match(text)
        front = yaml.safe_load(match[1]) if match else None
        if not match or not isinstance(front, dict) or not isinstance(front.get("configs"), list):
            raise ValueError("no YAML with configs at its top")
        for config in front["configs"]:
            if config["config_name"] == "gold":
                config["data_files"] = [entry for entry in config["data_files"] if entry["split"] in sizes]
        information = front.get("dataset_info", [])
        for entry in information if isinstance(information, list) else [information]:
            if entry.get("config_name") == "gold":
                names = [feature["name"] for feature in entry["features"]]
                by_name = {feature["name"]: feature for feature in entry["features"]}
                new = {name: {"name": name, "dtype": str(FOUND.get(name, "string"))} for name in _with_new(names)}
                entry["features"] = [by_name.get(name, new[name]) for name in new]
                entry["splits"] = [split for split in entry["splits"] if split["name"] in sizes]
                for split in entry["splits"]:
                    split["num_examples"], split["num_bytes"] = sizes[split["name"]][:2]
                entry["download_size"] = sum(size for *_, size in sizes.values())
                entry["dataset_size"] = sum(size for _, size, _ in sizes.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise TableError(
            f"{path}: expected the card of a stand-off release; {error}. Fetch the release again"
        ) from error
    shown = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=110)
    told = _WITHOUT_TEXT.sub("", text[match.end() :].lstrip(), count=1)
    return f"---\n{shown}---\n\n{_notice(states)}\n{told}".encode()


def _notice(states: Mapping[str, int]) -> str:
    """The paragraph above the card, without the states that no sentence is in."""
    matched, drifted, missing = (states[name] for name in ("matched", "drifted", "missing"))
    found, total = matched + drifted, number(matched + drifted + missing, "sentence")
    parts = []
    if drifted:
        parts.append(f"{drifted:,} of them drifted (the same but for case, punctuation and spaces)")
    if missing:
        which = "it" if missing == 1 else "them"
        parts.append(f"{number(missing, 'sentence', 'are')} missing and left out of `gold` (`{LIST}` names {which})")
    of = f"{found:,} of {total}" if missing else total if total.startswith("1 ") else f"all {total}"
    text = (
        f"**Hydrated.** `stance hydrate` put the text of {of} back into this stand-off release from copies of the "
        f"articles{''.join(f'; {part}' for part in parts)}. What follows is the release's own card, without the "
        "paragraph on the missing text: the columns, sizes and files that it names are those of the release. In this "
        f"folder `gold` also has the columns {', '.join(f'`{name}`' for name in (*TEXTS, *FOUND))}. The text is its "
        "publishers': don't pass this folder on."
    )
    return f"> {text}\n"


def _open(folder: Path, cache: Path, counts: Mapping[str, int]) -> None:
    from datasets import load_dataset

    with quiet():
        try:
            opened = load_dataset(str(folder), "gold", cache_dir=str(cache))
        except Exception as error:  # whatever the library raises means that it doesn't open
            raise StanceError(f"nothing was written: the hydrated release doesn't open: {error}") from error
    if {name: part.num_rows for name, part in opened.items()} != counts:
        raise StanceError(f"nothing was written: expected rows by split {dict(counts)}; opened: {opened.num_rows}")
