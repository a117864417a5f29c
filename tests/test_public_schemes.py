"""Public stance data in the forms in which they are distributed; the texts here are invented."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.public_schemes import SETS, Row, headlines, published, write_data
from tests.conftest import Run


def _write(path: Path, *rows: Sequence[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def _dump(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")


def test_each_set_is_read_in_the_form_in_which_it_is_distributed(tmp_path: Path) -> None:
    for split in ("train", "test"):
        _write(
            tmp_path / f"p-stance/raw_{split}_biden.csv", ["Tweet", "Target", "Stance"], ["Go!", "Joe Biden", "FAVOR"]
        )
    assert [row.split for row in SETS["p-stance"].read(tmp_path / "p-stance")] == ["test", "train"]

    claim = {"cId": 7, "text": "Tax sugar", "perspectives": [{"pids": [1, 2], "stance_label_3": "UNDERMINE"}]}
    _dump(tmp_path / "perspectrum/perspectrum_with_answers_v1.0.json", [claim])
    _dump(tmp_path / "perspectrum/perspective_pool_v1.0.json", [{"pId": n, "text": f"No {n}"} for n in (1, 2, 3)])
    _dump(tmp_path / "perspectrum/dataset_split_v1.0.json", {"7": "dev"})
    found = list(SETS["perspectrum"].read(tmp_path / "perspectrum"))
    assert found == [Row(f"No {n}", "undermine", "Tax sugar", "dev", "7") for n in (1, 2)]

    columns = ["topicId", "split", "topicText", "claims.stance", "claims.claimCorrectedText"]
    _write(tmp_path / "ibm-claims/claim_stance_dataset_v1.csv", columns, ["1", "test", "We ban it", "PRO", "It harms"])
    assert list(SETS["ibm-claims"].read(tmp_path / "ibm-claims")) == [Row("It harms", "PRO", "We ban it", "test", "1")]

    rumours = tmp_path / "rumoureval-2017"
    for n, split in enumerate(("train", "dev", "test")):
        _dump(rumours / f"{split}-annotations/subtaskA.json", {f"{n}1": "support", f"{n}2": "query"})
        for name, kind in ((f"{n}1", "source-tweet"), (f"{n}2", "replies")):
            _dump(rumours / split / f"event/{n}1/{kind}/{name}.json", {"text": f"tweet {name}"})
        _dump(rumours / split / f"event/{n}1/structure.json", {})
    found = list(SETS["rumoureval-2017"].read(rumours))
    assert {(row.text, row.label, row.group) for row in found if row.split == "train"} == {
        ("tweet 01", "support", "01"),
        ("tweet 02", "query", "01"),
    }

    _write(
        tmp_path / "fnc-1/competition_test_stances.csv", ["Headline", "Body ID", "Stance"], ["War ends", 3, "discuss"]
    )
    _write(tmp_path / "fnc-1/competition_test_bodies.csv", ["Body ID", "articleBody"], [3, "Did it?\n\nNo."])
    (one,) = SETS["fnc-1"].read(tmp_path / "fnc-1")
    assert one == Row("Did it? No.", "discuss", "War ends", "", "competition_test 3")

    header = ["Tweet", "Target 1", "Stance 1", "seen?"]
    _write(tmp_path / "vast/raw_val_all_onecol.csv", header, ["Salt is fine.", "salt", "FAVOR", "1"])
    (one,) = SETS["vast"].read(tmp_path / "vast")
    assert one == Row("Salt is fine.", "favor", "salt", "val", "")


def test_of_each_headline_of_fnc_1_one_pair_is_labelled_with_the_label_of_its_own_body() -> None:
    pairs = [
        Row(f"Body {body}.", label, headline, "", f"b{body}")
        for headline, found in {
            "War ends": {1: "agree", 2: "unrelated"},
            "war ends!": {3: "disagree"},  # the same sentence to stance, so it counts as one headline
            "Cat lost": {1: "discuss", 4: "unrelated"},
            "Cat found": {1: "agree", 4: "discuss"},
        }.items()
        for body, label in found.items()
    ]
    found = headlines(pairs)
    assert [(row.text, row.label, row.group) for row in found] == [
        ("War ends", "agree", "b1"),
        ("Cat lost", "unrelated", "b4"),
    ]
    labels = {(row.target, row.group): row.label for row in pairs}
    assert all(labels[row.text, row.group] == row.label for row in found)
    assert {row.target for row in found} == {"the headline, as the article takes it"}


@pytest.mark.slow
def test_the_labels_of_wt_wt_are_trained_published_and_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """WT-WT is distributed as numbers of tweets, so these texts are invented; its four labels are the set's own."""
    labels = {"support": "will merge", "refute": "will never merge", "comment": "is cheap", "unrelated": "sells pills"}
    random = np.random.default_rng(0)
    noise = [" ".join(f"w{k}" for k in random.integers(0, 10**6, 8)) for _ in range(160)]
    rows = [
        Row(f"Aetna {said} and {noise[n]}.", label, "CVS_AET", "", f"g{n}")
        for n, (label, said) in enumerate(list(labels.items()) * 40)
    ]
    write_data(tmp_path / "data.jsonl", rows)
    said = Run(tmp_path)("train", "data.jsonl", "--out", "model")
    first = "labels: comment, refute, support, unrelated (the data's own, in alphabetical order)"
    assert said.splitlines()[0] == first
    (tmp_path / "project").mkdir()
    published("wt-wt", ",".join(labels), rows, tmp_path / "project")
    row = capsys.readouterr().out.splitlines()[-1]
    assert "| support, refute, comment, unrelated | support, refute, comment, unrelated (from the dataset's" in row
