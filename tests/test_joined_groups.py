"""Near-duplicates that cross the groups of data from outside: the groups are joined, and it is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import Run
from tests.support.examples import examples
from tests.support.labelled_texts import WORDS
from train.examples.joined_groups import split_apart
from train.examples.splits import Origin, split
from train.records import Example
from train.settings import TrainSettings

SETTINGS = TrainSettings(validation=0.2, test=0.3)


def _rows(count: int, seed: int = 1) -> list[dict[str, str]]:
    chance = np.random.default_rng(seed)
    everything = [word for words in WORDS.values() for word in words]
    rows = []
    for n in range(count):
        label = list(WORDS)[n % 3]
        words = [*chance.choice(WORDS[label], 5), *chance.choice(everything, 4), f"item{n}", f"x{n * 7919}"]
        rows.append({"text": " ".join(words), "label": label, "group": f"g{n:03}"})
    return rows


def _examples(rows: list[dict[str, str]]) -> list[Example]:
    return [
        Example(sentence_id=str(n), text=row["text"], label=row["label"], target="", group=row["group"])
        for n, row in enumerate(rows)
    ]


def test_groups_without_near_duplicates_between_them_are_split_as_ever() -> None:
    examples = _examples(_rows(90))
    found = split_apart(examples, SETTINGS)
    assert (found.joined, found.groups, found.audit.found) == (0, 90, 0)
    assert found.examples == split(examples, SETTINGS, {})[0]


@settings(max_examples=examples(20), deadline=None)
@given(copies=st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59), st.integers(0, 9)), max_size=25))
def test_no_test_text_has_a_near_duplicate_in_training(copies: list[tuple[int, int, int]]) -> None:
    rows = _rows(60)
    for source, group, word in copies:
        words = rows[source]["text"].split()
        words[word] = "edited"
        rows.append({**rows[source], "text": " ".join(words), "group": rows[group]["group"]})
    found = split_apart(_examples(rows), SETTINGS)
    assert found.audit.found == 0
    assert found.groups - found.joined == len({row.group for row in found.examples})
    by_old: dict[str, set[str]] = {}
    for row, old in zip(found.examples, rows, strict=True):
        by_old.setdefault(old["group"], set()).add(row.group)
    assert all(len(names) == 1 for names in by_old.values()), "groups are joined, never cut"
    backwards = split_apart(_examples(rows)[::-1], SETTINGS)
    assert {row.sentence_id: row.split for row in backwards.examples} == {
        row.sentence_id: row.split for row in found.examples
    }


def test_joined_groups_have_the_outlets_and_days_of_all() -> None:
    rows = _rows(40)
    rows.append({**rows[0], "group": rows[1]["group"]})
    origins = {row["group"]: Origin(outlets=[row["group"]], oldest="2031-01-05", newest="2031-01-05") for row in rows}
    origins["g001"] = Origin(outlets=["other"], oldest="", newest="")
    origins["g000"] = Origin(outlets=["one"], oldest="2031-01-02", newest="2031-02-01")
    found = split_apart(_examples(rows), TrainSettings(split="date", test=0.2), origins)
    assert found.joined == 1
    assert found.origins["g000"] == Origin(outlets=["one", "other"], oldest="2031-01-02", newest="2031-02-01")
    assert "g001" not in found.origins


def test_training_on_such_data_says_how_many_groups_were_joined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = _rows(120)
    rows += [{**rows[n], "group": rows[n + 30]["group"], "text": rows[n]["text"] + " again"} for n in range(20)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = Run(tmp_path)("train", "data.jsonl", "--out", "model")
    assert "20 of 120 groups share near-duplicates with another one and were joined" in said
    assert "audit: 0 of" in said
