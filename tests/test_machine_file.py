"""Predictions that were made elsewhere, taken over as the answers of a machine coder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import ConfigError, SourceError, TableError
from labeling.machine.answers import prompt_text
from tests.conftest import Run
from tests.support.chat_server import ChatServerForTests
from tests.support.machine_coders import answers, nothing_written, sentences


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    elif path.suffix == ".csv":
        import csv

        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("key", ["sentence_id", "text"])
def test_predictions_are_taken_over_by_id_or_text_from_every_kind_of_file(
    annotating: Run, project: Path, ending: str, key: str
) -> None:
    texts = sentences(project)
    chosen = [id_ for id_ in sorted(texts) if "Monday morning" not in texts[id_] and "instructors" not in texts[id_]]
    rows = [
        {key: id_ if key == "sentence_id" else texts[id_], "label": ("Pro", "against", "none")[n % 3], "favor": 0.5,
         "against": 0.3, "none": 0.2, "odd": n}
        for n, id_ in enumerate(chosen)
    ]  # fmt: skip
    path = write_rows(project / f"p{ending}", rows)
    out = annotating("annotate", "--from", str(path), "--coder", "elsewhere", "--description", "Votes of a lexicon.")
    assert f"{len(chosen)} labels taken over" in out
    assert "read 'Pro' as favor" in out
    kept = answers(project)
    assert {row.sentence_id: row.stance for row in kept} == {
        id_: ("favor", "against", "none")[n % 3] for n, id_ in enumerate(chosen)
    }
    assert kept[0].probabilities == {"favor": 0.5, "against": 0.3, "none": 0.2}
    assert prompt_text(project / "work", kept[0].prompt) == "Votes of a lexicon."
    before = (project / "work" / "machine.jsonl").read_bytes()
    again = annotating("annotate", "--from", str(path), "--coder", "elsewhere", "--description", "Votes of a lexicon.")
    assert "unchanged" in again
    assert (project / "work" / "machine.jsonl").read_bytes() == before


def test_a_later_file_of_a_coder_replaces_the_earlier_one_and_leaves_other_coders_alone(
    annotating: Run, project: Path
) -> None:
    ids = sorted(sentences(project))
    one = write_rows(
        project / "1.jsonl", [{"sentence_id": ids[0], "stance": "none"}, {"sentence_id": ids[1], "stance": None}]
    )
    two = write_rows(project / "2.jsonl", [{"sentence_id": ids[0], "stance": "favor", "model": "big"}])
    annotating("annotate", "--from", str(one), "--coder", "a")
    assert "1 sentence without a label" in annotating("annotate", "--from", str(one), "--coder", "b")
    assert "2 earlier answers of this coder replaced" in annotating("annotate", "--from", str(two), "--coder", "a")
    assert [(row.coder, row.stance, row.model) for row in answers(project)] == [
        ("a", "favor", "big"), ("b", "none", "b"), ("b", None, "b"),
    ]  # fmt: skip
    with ChatServerForTests() as server:
        with pytest.raises(ConfigError, match="the name 'a' stands for predictions that were made elsewhere already"):
            annotating("annotate", "--model", "a", "--coder", "a", "--url", server.url)
        annotating("annotate", "--model", "scripted", "--url", server.url, "--limit", "1")
    with pytest.raises(ConfigError, match="the name 'scripted' stands for the model 'scripted', which was asked"):
        annotating("annotate", "--from", str(two), "--coder", "scripted")


ID = "the id of a sentence"
BAD: dict[str, tuple[list[dict[str, Any]], str]] = {
    "unknown ids": (
        [{"sentence_id": "0", "stance": "none"}, {"sentence_id": "x", "stance": "none"}],
        r"row 1: expected a sentence of the corpus.*found '0' \(2 such rows of 2\)",
    ),
    "an unknown label": (
        [{"sentence_id": ID, "stance": "maybe"}],
        r"row 1: expected one of the labels .*found 'maybe' \(1\)",
    ),
    "two labels of a sentence": (
        [{"sentence_id": ID, "stance": "none"}, {"sentence_id": ID, "stance": "favor"}],
        r"rows 1 and 2: both are about sentence",
    ),
    "no key": (
        [{"id": ID, "stance": "none"}],
        r"expected the columns sentence_id or text, and stance or label; found id, stance",
    ),
    "an unknown text": (
        [{"text": "Nobody wrote this sentence.", "label": "none"}],
        r"row 1: expected a sentence .*found 'Nobody wrote",
    ),
    "probabilities that are none": (
        [{"sentence_id": ID, "stance": "none", "favor": 0.5, "against": 0.9, "none": 0.2}],
        r"row 1: expected probabilities that add up to 1; they add up to 1.600",
    ),
    "a probability above 1": (
        [{"sentence_id": ID, "stance": "none", "favor": 1.5, "against": 0, "none": 0}],
        r"row 1: expected a probability from 0 to 1 for each",
    ),
    "a missing probability": (
        [{"sentence_id": ID, "stance": "none", "probabilities": {"favor": 1}}],
        r"row 1: expected a probability from 0 to 1 for each",
    ),
}


@pytest.mark.parametrize(("rows", "message"), BAD.values(), ids=BAD)
def test_a_file_with_unknown_sentences_or_labels_is_refused_and_nothing_is_written(
    annotating: Run, project: Path, rows: list[dict[str, Any]], message: str
) -> None:
    known = sorted(sentences(project))[0]
    rows = [{name: known if value == ID else value for name, value in row.items()} for row in rows]
    path = write_rows(project / "p.jsonl", rows)
    with pytest.raises(TableError, match=message):
        annotating("annotate", "--from", str(path), "--coder", "c")
    assert nothing_written(project)


def test_a_file_that_is_missing_or_of_another_kind_is_refused(annotating: Run, project: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        annotating("annotate", "--from", str(project / "none.csv"), "--coder", "c")
    (project / "p.xlsx").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"expected a file that ends in \.jsonl, \.csv or \.parquet"):
        annotating("annotate", "--from", str(project / "p.xlsx"), "--coder", "c")
    (project / "p.parquet").write_bytes(b"x")
    with pytest.raises(SourceError, match="expected a Parquet file"):
        annotating("annotate", "--from", str(project / "p.parquet"), "--coder", "c")


def test_the_model_s_own_predictions_can_be_taken_over(annotating: Run, project: Path) -> None:
    rows = [
        {"sentence_id": id_, "stance": "none", "favor": 0.1, "against": 0.2, "none": 0.7, "model": "m1"}
        for id_ in sentences(project)
    ]
    path = write_rows(project / "predictions.parquet", rows)
    assert "13 labels taken over" in annotating("annotate", "--from", str(path), "--coder", "baseline")
    assert {row.model for row in answers(project)} == {"m1"}
