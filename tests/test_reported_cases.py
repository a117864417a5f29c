"""Inputs that public reports on other tools describe, each with what must come out; the text is invented.

`tests/reported_cases.jsonl` holds a case a line. `input` is a call (`sentence_spans` with `text`, `cluster` with
`texts`, `build` with `files` and maybe `stdin`); all keys of `expected` must hold, or those of one of `any_of`.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import stance
from stance.command_line import cli
from tests.conftest import REPO

CASES = [json.loads(line) for line in (REPO / "tests" / "reported_cases.jsonl").read_text("utf-8").splitlines()]


class Outcome(msgspec.Struct):
    """What came out of a case."""

    call: str
    sentences: list[str] = []
    ids: list[str] = []
    says: str = ""
    groups: list[list[int]] = []


def _flat(text: str) -> str:
    return " ".join(text.split())


def _meets(expected: dict[str, Any], got: Outcome) -> bool:
    if "any_of" in expected:
        return any(_meets(one, got) for one in expected["any_of"])
    flat = [_flat(text) for text in got.sentences]

    def holds(name: str, value: Any) -> bool:
        match name:
            case "sentences" | "sentences_ws":
                wanted = [_flat(text) for text in value]
                return wanted == flat if got.call == "sentence_spans" else sorted(wanted) == sorted(flat)
            case "sentences_include" | "sentences_include_ws":
                return {_flat(text) for text in value} <= set(flat)
            case "sentences_at_least":
                return len(flat) >= int(value)
            case "sentence_part":
                return all(any(part in text for text in flat) for part in value)
            case "not_sentence_part":
                return not any(part in text for part in value for text in flat)
            case "not_sentences":
                return not set(value) & set(flat)
            case "articles":
                return bool(len(got.ids) == value)
            case "articles_at_least":
                return len(got.ids) >= int(value)
            case "ids_at_most":
                return set(got.ids) <= set(value)
            case "says":
                return re.search(value, got.says) is not None
            case "groups":
                return bool(got.groups == value)
        raise AssertionError(f"unknown key {name}")

    return all(holds(name, value) for name, value in expected.items())


def _outcome(given: dict[str, Any], folder: Path) -> Outcome:
    got = Outcome(call=given["call"])
    if got.call == "sentence_spans":
        got.sentences = [given["text"][start:end] for start, end in stance.sentence_spans(given["text"])]
    elif got.call == "cluster":
        groups: dict[int, list[int]] = defaultdict(list)
        for place, first in enumerate(stance.near_duplicates(given["texts"])):
            groups[first].append(place)
        got.groups = sorted(groups.values())
    else:
        _build(given, folder, got)
    return got


def _build(given: dict[str, Any], folder: Path, got: Outcome) -> None:
    (folder / "in").mkdir()
    for name, content in given["files"].items():
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(content["b64"]) if isinstance(content, dict) else content.encode())
    source = "-" if "stdin" in given else str(folder / "in")
    here = Path.cwd()
    try:
        CliRunner().invoke(cli, ["init", str(folder / "p")], catch_exceptions=False)
        arguments = ["-C", str(folder / "p"), "build", source, "--out", str(folder / "out"), "--workers", "1"]
        done = CliRunner().invoke(cli, arguments, input=given.get("stdin"))
    finally:
        os.chdir(here)
    got.says = done.output.replace(str(folder), "") + (str(done.exception) if done.exception else "")
    if (folder / "out" / "sentences.parquet").exists():
        rows = pq.read_table(folder / "out" / "sentences.parquet").to_pylist()
        got.sentences = [row["text"] for row in sorted(rows, key=lambda row: (row["article_id"], row["start"]))]
        got.ids = pq.read_table(folder / "out" / "articles.parquet", columns=["article_id"]).column(0).to_pylist()
        for listed in (folder / "out").rglob("skipped.jsonl"):
            got.says += listed.read_text("utf-8").replace(str(folder), "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_reported_input_comes_out_right(case: dict[str, Any], tmp_path: Path) -> None:
    got = _outcome(case["input"], tmp_path)
    assert _meets(case["expected"], got), (case["expected"], got)
