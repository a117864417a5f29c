"""Examples, splits, scores and the baseline."""

from __future__ import annotations

import csv
import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from corpus.errors import ExamplesError
from corpus.records import ARTICLES, SENTENCES
from corpus.store import table_path, write_jsonl, write_table
from labeling.records import Verdict
from labeling.scheme import DEFAULT, Scheme, Stance
from tests.support.labelled_texts import made_up_examples
from train.examples.from_verdicts import are_known, from_verdicts
from train.examples.load import load_examples, read
from train.examples.splits import SPLITS, origins, split, summary
from train.metrics import evaluate, f_avg, macro_f1
from train.model import files
from train.records import Example, read_metrics
from train.settings import TrainSettings
from train.train_model import train
from train.watch import Watch

STANCE = st.sampled_from(DEFAULT.names)


# --- splits


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), STANCE), min_size=1, max_size=60))
def test_no_group_stands_in_two_splits_and_order_does_not_matter(rows: list[tuple[str, Stance]]) -> None:
    examples = [Example(sentence_id=str(n), text="", label=label, group=group) for n, (group, label) in enumerate(rows)]
    done, moved = split(examples, TrainSettings(), {})
    assert not moved
    by_group: dict[str, set[str]] = {}
    for row in done:
        by_group.setdefault(row.group, set()).add(row.split)
    assert all(len(names) == 1 and names <= set(SPLITS) for names in by_group.values())
    again, _ = split(examples[::-1], TrainSettings(), {})
    assert {row.sentence_id: row.split for row in again} == {row.sentence_id: row.split for row in done}


def test_splits_come_near_their_shares_by_label() -> None:
    done, _ = split(made_up_examples(groups=60), TrainSettings(validation=0.15, test=0.2), {})
    for label in DEFAULT.names:
        counts = Counter(row.split for row in done if row.label == label)
        assert counts["test"] / counts.total() == pytest.approx(0.2, abs=0.05)
        assert counts["validation"] / counts.total() == pytest.approx(0.15, abs=0.05)


def test_a_split_once_given_lasts_and_a_bridge_goes_to_train() -> None:
    examples = made_up_examples()
    first, _ = split(examples, TrainSettings(), {})
    previous = {row.sentence_id: row.split for row in first}
    more = examples + [
        msgspec.structs.replace(row, sentence_id="x" + row.sentence_id, group="new") for row in examples[:6]
    ]
    second, moved = split(more, TrainSettings(validation=0.4, test=0.5), previous)
    assert not moved
    assert all(row.split == previous[row.sentence_id] for row in second if row.sentence_id in previous)
    test_group = next(row.group for row in first if row.split == "test")
    train_group = next(row.group for row in first if row.split == "train")
    bridged = [msgspec.structs.replace(row, group=train_group) if row.group == test_group else row for row in examples]
    third, moved = split(bridged, TrainSettings(), previous)
    assert moved == [train_group]
    assert {row.split for row in third if row.group == train_group} == {"train"}


def _placed(
    rows: list[tuple[str, str, str]], settings: TrainSettings, previous: dict[str, str] | None = None
) -> tuple[dict[str, str], list[str]]:
    """The split of each group of (group, outlet, date) rows, one example a row, and what the summary calls across."""
    examples = [Example(sentence_id=str(n), text="", label="none", group=group) for n, (group, _, _) in enumerate(rows)]
    origin_of = origins(rows)
    done, moved = split(examples, settings, previous or {}, origin_of)
    return {row.group: row.split for row in done}, summary(done, moved, settings.split, origin_of).across


DAYS = [f"2026-03-{day:02}" for day in range(1, 29)]
DATED = st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.just("o"), st.sampled_from(DAYS)), min_size=1)


@given(DATED)
def test_by_date_nothing_is_learned_from_that_is_newer_than_a_test_group(rows: list[tuple[str, str, str]]) -> None:
    settings = TrainSettings(split="date")
    found, across = _placed(rows, settings)
    days = {group: sorted(day for name, _, day in rows if name == group) for group in found}
    learned = [day for group in found if found[group] != "test" for day in days[group]]
    tested = [group for group in found if found[group] == "test"]
    assert learned
    assert bool(tested) == (len(found) > 1)
    for group in tested:
        assert days[group][-1] >= max(learned)
        assert (days[group][0] < max(learned)) == (group in across)
    # As near to the share as a cut between groups gets, at least one group.
    assert _placed(rows[::-1], settings)[0] == found
    order = sorted(found, key=lambda group: (days[group][-1], days[group][0], found[group] == "test"), reverse=True)
    assert {found[group] for group in order[: len(tested)]} <= {"test"}
    sizes = [len(days[group]) for group in order]
    reach = [abs(sum(sizes[:n]) - 0.2 * len(rows)) for n in range(1, len(order))]
    if len({days[group][-1] for group in order}) == len(order) > 1:
        assert abs(sum(sizes[: len(tested)]) - 0.2 * len(rows)) == pytest.approx(min(reach))


def test_by_date_one_article_a_group_parts_past_and_future() -> None:
    rows = [(f"g{n}", "o", day) for n, day in enumerate(DAYS)] + [("undated", "o", "last spring")]
    found, across = _placed(rows, TrainSettings(split="date", test=0.25, validation=0.2))
    assert [found[f"g{n}"] for n in range(28)] == ["train"] * 15 + ["validation"] * 6 + ["test"] * 7
    assert found["undated"] == "train"
    assert not across


@given(DATED, DATED)
def test_by_date_later_articles_are_never_learned_from_before_a_kept_test(
    rows: list[tuple[str, str, str]], more: list[tuple[str, str, str]]
) -> None:
    settings = TrainSettings(split="date")
    examples = [Example(sentence_id=str(n), text="", label="none", group=row[0]) for n, row in enumerate(rows)]
    first, _ = split(examples, settings, {}, origins(rows))
    new = [(group + "2", outlet, day) for group, outlet, day in more]
    found, _ = _placed(rows + new, settings, {row.sentence_id: row.split for row in first})
    assert {row.group: row.split for row in first}.items() <= found.items()
    newest = {name: max(day for group, _, day in rows + new if group == name) for name in found}
    tested = [newest[name] for name in found if found[name] == "test"]
    learned = [newest[name] for name in found if found[name] != "test"]
    assert not tested or max(learned, default="") <= min(tested)


def test_by_date_without_dates_is_an_error_that_says_so() -> None:
    with pytest.raises(ExamplesError, match='"date" needs articles with a date'):
        _placed([("a", "o", ""), ("b", "o", "May")], TrainSettings(split="date"))


OUTLETS = st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.sampled_from("PQRST"), st.just("")), min_size=1)


@given(OUTLETS, st.floats(0.05, 0.6))
def test_by_outlet_whole_outlets_come_nearest_to_the_share(rows: list[tuple[str, str, str]], share: float) -> None:
    settings = TrainSettings(split="outlet", test=share, validation=0)
    of = {group: {outlet for name, outlet, _ in rows if name == group} for group, _, _ in rows}
    sizes = Counter(next(iter(of[group])) for group, _, _ in rows if len(of[group]) == 1)
    connect = any(len(outlets) > 1 for outlets in of.values())
    sums = {
        sum(sizes[name] for name in names)
        for count in range(1, len(sizes) + 1)
        for names in combinations(sizes, count)
        if connect or count < len(sizes)
    }
    if not sums:
        with pytest.raises(ExamplesError, match="needs an outlet to hold out and another"):
            _placed(rows, settings)
        return
    found, across = _placed(rows, settings)
    held = {outlet for group in found if found[group] == "test" for outlet in of[group]}
    for group, outlets in of.items():
        assert (found[group] == "test") == (len(outlets) == 1 and outlets <= held)
        assert (group in across) == (len(outlets) > 1 and bool(outlets & held))
    taken = sum(sizes[name] for name in held)
    assert abs(taken - share * len(rows)) == pytest.approx(min(abs(size - share * len(rows)) for size in sums))
    assert _placed(rows[::-1], settings)[0] == found


def test_by_outlet_a_kept_outlet_stays_where_it_was() -> None:
    rows = [(f"{outlet}{n}", outlet, "") for outlet in "PQRST" for n in range(4)]
    settings = TrainSettings(split="outlet")
    first, _ = _placed(rows, settings)
    more = rows + [(f"{outlet}new", outlet, "") for outlet in "PQRST"] + [("nowhere", "", "")]
    found, _ = _placed(more, settings, {str(n): first[group] for n, (group, _, _) in enumerate(rows)})
    assert Counter(first.values()) == {"train": 12, "validation": 4, "test": 4}
    assert {found[f"{outlet}new"] == found[f"{outlet}0"] == first[f"{outlet}0"] for outlet in "PQRST"} == {True}
    assert found["nowhere"] == "train"


def _corpus(work: Path, rows: list[tuple[str, str, str, str]]) -> None:
    """sentences.parquet of (sentence, article, copy group, cluster), and a verdict for each copy group."""
    table = [
        {
            "sentence_id": sentence, "article_id": article, "index": 0, "start": 0, "end": 1, "text": f"text {copy}",
            "before": "", "after": "", "copy_id": copy, "cluster_id": cluster,
        }
        for sentence, article, copy, cluster in rows
    ]  # fmt: skip
    write_table(work / "sentences.parquet", pa.Table.from_pylist(table, schema=SENTENCES))
    copies = sorted({copy for _, _, copy, _ in rows})
    verdicts = [Verdict(sentence_id=copy, stance="favor", how="single", votes={"A1": "favor"}) for copy in copies]
    write_jsonl(work / "verdicts.jsonl", verdicts)


def test_a_wire_story_in_five_outlets_lands_in_one_split(tmp_path: Path) -> None:
    rows = [(f"w{n}", f"outlet{n}", f"w{n}", "w0") for n in range(5)]  # edited a little in each: one cluster
    rows += [(f"o{n}", f"outlet{n}", f"o{n}", f"o{n}") for n in range(5)]
    rows += [(f"x{n}", f"other{n}", f"x{n}", f"x{n}") for n in range(20)]
    _corpus(tmp_path, rows)
    examples, summary = from_verdicts(tmp_path, "t", TrainSettings())
    wire = {row.group for row in examples if row.sentence_id[0] in "wo"}
    assert wire == {"outlet0"}
    assert len({row.split for row in examples if row.group == "outlet0"}) == 1
    assert sum(summary.groups.values()) == 21


def test_a_copy_group_is_one_example(tmp_path: Path) -> None:
    _corpus(tmp_path, [("a", "one", "a", "a"), ("b", "two", "a", "a"), ("c", "three", "c", "c")])
    examples, _ = from_verdicts(tmp_path, "t", TrainSettings())
    assert [(row.sentence_id, row.group) for row in examples] == [("a", "one"), ("c", "three")]


def test_examples_are_known_until_something_that_they_were_made_of_changes(tmp_path: Path) -> None:
    rows = [(f"s{n}", f"a{n}", f"s{n}", f"s{n}") for n in range(12)]
    _corpus(tmp_path, rows)
    assert not are_known(tmp_path, "t", TrainSettings())
    from_verdicts(tmp_path, "t", TrainSettings())
    assert are_known(tmp_path, "t", TrainSettings())
    assert not are_known(tmp_path, "another", TrainSettings())
    assert not are_known(tmp_path, "t", TrainSettings(together=[["s1", "s2"]]))
    assert not are_known(tmp_path, "t", TrainSettings(), Scheme(names=["favor", "against"]))
    for name in ("sentences.parquet", "verdicts.jsonl", "splits.jsonl", "examples.parquet"):
        path = table_path(tmp_path, name)
        before = path.read_bytes()
        path.write_bytes(before[:-1])
        assert not are_known(tmp_path, "t", TrainSettings()), name
        path.write_bytes(before)
    assert are_known(tmp_path, "t", TrainSettings())


def test_later_runs_keep_the_splits_on_disk(tmp_path: Path) -> None:
    _corpus(tmp_path, [(f"s{n}", f"a{n}", f"s{n}", f"s{n}") for n in range(12)])
    first, _ = from_verdicts(tmp_path, "t", TrainSettings())
    _corpus(tmp_path, [(f"s{n}", f"a{n}", f"s{n}", f"s{n}") for n in range(30)])
    second, _ = from_verdicts(tmp_path, "t", TrainSettings())
    kept = {row.sentence_id: row.split for row in second}
    assert all(kept[row.sentence_id] == row.split for row in first)


def test_a_verdict_that_goes_and_comes_back_finds_its_split(tmp_path: Path) -> None:
    rows = [(f"s{n:02}", f"a{n}", f"s{n:02}", f"s{n:02}") for n in range(60)]
    _corpus(tmp_path, rows[:30])
    first = {row.sentence_id: row.split for row in from_verdicts(tmp_path, "t", TrainSettings())[0]}
    for part in (rows[10:40], rows[20:60], rows):  # the first ten are away for two runs
        _corpus(tmp_path, part)
        found = {row.sentence_id: row.split for row in from_verdicts(tmp_path, "t", TrainSettings())[0]}
        assert {name: found[name] for name in found.keys() & first.keys()} == {
            name: first[name] for name in found.keys() & first.keys()
        }
    assert len(found) == 60


def test_a_project_splits_by_date_and_keeps_to_it(tmp_path: Path) -> None:
    _corpus(tmp_path, [(f"s{n}", f"a{n}", f"s{n}", f"s{n}") for n in range(20)])
    columns = {name: [""] * 20 for name in ARTICLES.names}
    columns |= {
        "article_id": [f"a{n}" for n in range(20)],
        "published": [f"2026-01-{n + 1:02}T08:00:00Z" for n in range(20)],
    }
    write_table(tmp_path / "articles.parquet", pa.table(columns, schema=ARTICLES))
    examples, found = from_verdicts(tmp_path, "t", TrainSettings(split="date"))
    assert {row.sentence_id for row in examples if row.split == "test"} == {f"s{n}" for n in range(16, 20)}
    assert (found.by, found.cutoff, found.across) == ("date", "2026-01-16", [])
    assert from_verdicts(tmp_path, "t", TrainSettings(split="date"))[0] == examples
    with pytest.raises(ExamplesError, match=r'splits by date, and splits last; .* says "group"'):
        from_verdicts(tmp_path, "t", TrainSettings())


def test_sentences_that_the_settings_name_share_a_split(tmp_path: Path) -> None:
    _corpus(tmp_path, [(f"s{n}", f"a{n}", f"s{n}", f"s{n}") for n in range(12)])
    examples, _ = from_verdicts(tmp_path, "t", TrainSettings())
    apart = [next(row.sentence_id for row in examples if row.split == name) for name in ("train", "test")]
    joined, found = from_verdicts(tmp_path, "t", TrainSettings(together=[[*apart, "gone"]]))
    assert {row.split for row in joined if row.sentence_id in apart} == {"train"}
    assert len(found.moved) == 1


# --- other people's data


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_labelled_files_load_with_aliases(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"data.{ending}"
    rows = [
        {"text": "Send them, all of them, now.", "label": "FAVOR", "split": "train"},
        {"text": "Send them all of them now!", "label": "pro", "split": "dev"},
        {"text": "No.", "label": "con", "split": "test"},
    ]
    if ending == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    elif ending == "csv":
        path.write_text("text,label,split\n" + "\n".join(f'"{r["text"]}",{r["label"]},{r["split"]}' for r in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    found = load_examples(path)
    assert [row.label for row in found] == ["favor", "favor", "against"]
    assert [row.split for row in found] == ["train", "validation", "test"]
    assert found[0].group == found[1].group != found[2].group


def test_unknown_labels_and_columns_are_errors_that_list_what_was_found(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\na,maybe\nb,maybe\nc,favor\n")
    with pytest.raises(ExamplesError, match=r"'maybe' \(2\).*favor, against, none"):
        read(path, DEFAULT)
    assert [row.label for row in load_examples(path)] == ["maybe", "maybe", "favor"]  # the data's own labels
    path.write_text("sentence,label\na,favor\n")
    with pytest.raises(ExamplesError, match="column text is missing; found sentence, label"):
        load_examples(path)
    with pytest.raises(ExamplesError, match="no such file"):
        load_examples(tmp_path / "gone.csv")


def test_every_spelling_of_a_label_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    labels = ["FAVOR", "pro", "pro ", "Neutral", "con", "against"]
    path.write_text("\n".join(json.dumps({"text": f"text {n}", "label": label}) for n, label in enumerate(labels)))
    found = read(path)
    assert [(row.written, row.label, row.count) for row in found.labels.spellings] == [
        ("FAVOR", "favor", 1), ("pro", "favor", 2), ("against", "against", 1), ("con", "against", 1),
        ("Neutral", "none", 1),
    ]  # fmt: skip
    assert found.examples == load_examples(path)
    assert not found.ready_made


def test_an_empty_label_is_not_the_word_none(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "a", "label": null}\n{"text": "b", "label": "none"}\n')
    with pytest.raises(ExamplesError, match="1 of 2 rows have no label; fill or remove them"):
        load_examples(path)


def test_rows_that_differ_in_columns_or_splits_are_errors_that_name_one(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "a", "label": "none", "split": "test"}\n{"text": "b", "label": "none"}\n')
    with pytest.raises(ExamplesError, match="1 of 2 rows have no split, the first is row 2"):
        load_examples(path)
    path.write_text('{"text": "a", "label": "none"}\n{"label": "none"}\n')
    with pytest.raises(ExamplesError, match="column text is missing; found label in row 2"):
        load_examples(path)


def test_a_group_called_0_is_a_group(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    rows = [{"text": f"sentence number {n}", "label": "none", "group": n % 2, "target": 0} for n in range(6)]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert [row.group for row in load_examples(path)] == ["0", "1"] * 3
    assert {row.target for row in load_examples(path)} == {"0"}


def test_a_cell_that_pandas_left_empty_is_no_group_called_nan(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    columns = {"text": ["one text", "another one"], "label": ["none"] * 2, "group": pa.array([float("nan"), 4.0])}
    pq.write_table(pa.table(columns), path)
    assert [row.group for row in load_examples(path)] == ["cluster 0", "4.0"]


def test_a_row_without_a_text_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "a", "label": "none"}\n{"text": null, "label": "pro"}\n{"text": " ", "label": "pro"}\n')
    with pytest.raises(ExamplesError, match="2 of 3 rows have no text, the first is row 2"):
        load_examples(path)


def test_files_as_windows_programs_write_them_are_read(tmp_path: Path) -> None:
    text = '{"text": "a", "label": "none"}\r\n{"text": "b", "label": "pro"}\r\n'
    (tmp_path / "data.JSONL").write_text(text, "utf-8-sig", newline="")
    (tmp_path / "data.CSV").write_text("text,label\r\na,none\r\nb,pro\r\n", "utf-8-sig", newline="")
    assert load_examples(tmp_path / "data.JSONL") == load_examples(tmp_path / "data.CSV")
    assert [row.label for row in load_examples(tmp_path / "data.CSV")] == ["none", "favor"]


def test_a_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "a", "label": "none"}\n\n["b"]\n')
    with pytest.raises(ExamplesError, match=r"line 3: expected a JSON object in UTF-8; .* got `array`"):
        load_examples(path)


def test_two_columns_of_one_name_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("text,label, label\na,none,pro\n")
    with pytest.raises(ExamplesError, match="found these twice: label"):
        load_examples(tmp_path / "data.csv")


def test_long_rows_and_line_breaks_in_a_csv_file_are_read(tmp_path: Path) -> None:
    # The reader's blocks are of 1 MB: some text lies across each border, one is longer than a block.
    texts = [f"{n} " + "word\nof " * 40_000 for n in range(5)] + ["long " * 600_000]
    with (tmp_path / "data.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *([text, "none"] for text in texts)])
    assert [row.text for row in load_examples(tmp_path / "data.csv")] == texts


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (["Train", "dev", "TEST"], ["train", "validation", "test"]),
        (["training", "valid ", "testing"], ["train", "validation", "test"]),
        (["train", "train"], ["", ""]),
    ],
)
def test_splits_are_known_by_their_usual_names(tmp_path: Path, written: list[str], found: list[str]) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(json.dumps({"text": "a", "label": "none", "split": name}) for name in written))
    assert [row.split for row in load_examples(path)] == found


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (["train", "dev"], "leaves nothing to test: .*; found train 1, validation 1"),
        (["test", "test"], "leaves nothing to train on: .*; found test 2"),
        (["train", "fold 1"], "unknown split 'fold 1'; expected train, validation, test, or an alias: dev"),
    ],
)
def test_splits_that_nothing_can_be_made_of_are_clear_errors(tmp_path: Path, written: list[str], message: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(json.dumps({"text": "a", "label": "none", "split": name}) for name in written))
    with pytest.raises(ExamplesError, match=message):
        load_examples(path)


@pytest.mark.parametrize(
    ("feature", "labels", "message"),
    [
        ("string", ["favor", "against", "none"], ""),
        ("class_label", [0, -1, 2], r"not one of the labels of the dataset's ClassLabel: '-1' \(2\)"),
        ("", [], "column label is missing"),
    ],
)
def test_a_dataset_of_others_at_the_hub_is_read_or_a_clear_error(
    tmp_path: Path, feature: str, labels: list[object], message: str
) -> None:
    columns: dict[str, Any] = {"text": ["a", "b", "c"]} | ({"label": labels} if labels else {})
    for name in ("train", "test"):
        (tmp_path / "gold").mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), tmp_path / "gold" / f"{name}.parquet")
    names = "".join(f"          '{n}': {stance}\n" for n, stance in enumerate(DEFAULT.names))
    kind = f"\n      class_label:\n        names:\n{names}" if feature == "class_label" else f" {feature}\n"
    label = f"  - name: label\n    dtype:{kind}" if feature else ""
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: gold\n  data_files:\n  - split: train\n    path: gold/train.parquet\n"
        "  - split: test\n    path: gold/test.parquet\ndataset_info:\n  config_name: gold\n  features:\n"
        f"  - name: text\n    dtype: string\n{label}---\n"
    )
    if message:
        with pytest.raises(ExamplesError, match=message):
            load_examples(tmp_path)
    else:
        assert [row.label for row in load_examples(tmp_path)] == labels * 2


def test_outlets_and_dates_of_a_file_can_be_split_by(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [f"sentence number {n},favor,g{n},o{n % 4},2026-02-{n + 1:02}" for n in range(20)]
    path.write_text("text,label,group,outlet,published\n" + "\n".join(rows))
    found = read(path)
    by_date, _ = split(found.examples, TrainSettings(split="date"), {}, found.origins)
    assert [row.split for row in by_date][15:] == ["validation", "test", "test", "test", "test"]
    by_outlet, _ = split(found.examples, TrainSettings(split="outlet", test=0.25), {}, found.origins)
    assert len({found.origins[row.group].outlets[0] for row in by_outlet if row.split == "test"}) == 1


def test_semeval_loads_as_it_is(shared: Path) -> None:
    rows = load_examples(shared / "data" / "semeval2016_task6" / "examples.jsonl")
    assert Counter(row.split for row in rows) == {"train": 2914, "test": 1249}
    assert len({row.target for row in rows}) == 5


# --- scores


@settings(deadline=None)
@given(st.lists(st.tuples(STANCE, STANCE, st.sampled_from("abc")), min_size=1, max_size=40))
def test_scores_are_scikit_learns(rows: list[tuple[Stance, Stance, str]]) -> None:
    true, given_, groups = [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    scores = evaluate(true, given_, groups, seed=1)
    order = list(DEFAULT.names)
    f1 = f1_score(true, given_, labels=order, average=None, zero_division=0)
    assert scores.macro_f1.value == pytest.approx(f1.mean()) == pytest.approx(macro_f1(true, given_))
    assert scores.f_avg.value == pytest.approx((f1[0] + f1[1]) / 2) == pytest.approx(f_avg(true, given_))
    assert scores.accuracy.value == pytest.approx(accuracy_score(true, given_))
    assert scores.confusion == confusion_matrix(true, given_, labels=order).tolist()
    precision, recall, _, support = precision_recall_fscore_support(true, given_, labels=order, zero_division=0)
    for n, stance in enumerate(DEFAULT.names):
        row = scores.by_class[stance]
        assert row.precision == pytest.approx(precision[n])
        assert row.recall == pytest.approx(recall[n])
        assert row.support == support[n]
    assert 0 <= scores.f_avg.low <= scores.f_avg.high <= 1


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    # Accuracy .7 with groups of 10 that share their luck (.5 or .9); 40 groups; 300 simulated test sets.
    random, hits = np.random.default_rng(5), 0
    for run in range(300):
        luck = random.choice([0.5, 0.9], 40).repeat(10)
        right = random.random(400) < luck
        true: list[Stance] = ["favor"] * 400
        given_: list[Stance] = ["favor" if ok else "against" for ok in right]
        groups = [str(n // 10) for n in range(400)]
        score = evaluate(true, given_, groups, seed=run).accuracy
        hits += score.low <= 0.7 <= score.high
    assert hits / 300 == pytest.approx(0.94, abs=0.03)


# --- the baseline


def test_training_writes_a_model_that_others_can_open(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    done = train(made_up_examples(), tmp_path, TrainSettings(), Watch(step=lambda *step: steps.append(step)))
    metrics, changed = done.metrics, done.changed
    assert changed
    # Folds of the search, fits of the comparison and of the curve: each step is counted once, in its own stage.
    assert Counter(total for _, total in steps) == {60: 60, 10: 10, 21: 21}
    assert {step for step, _ in steps} == {1}
    assert metrics == read_metrics(tmp_path)
    assert metrics.test.f_avg.value > metrics.test.majority.f_avg.value
    assert 0 < metrics.cv.f_avg <= 1
    written = json.loads((tmp_path / "metrics.json").read_text())
    for scores in (written["test"], written["test"]["majority"]):
        assert {"value", "low", "high"} == set(scores["f_avg"]) == set(scores["macro_f1"]) == set(scores["accuracy"])
    predicted = pq.read_table(tmp_path / "predictions.parquet").to_pylist()
    assert len(predicted) == metrics.test.n
    for row in predicted:
        assert sum(row[stance] for stance in DEFAULT.names) == pytest.approx(1)
        assert row["stance"] == max(DEFAULT.names, key=lambda stance: row[stance])
    texts = [row.text for row in made_up_examples()]
    safe, pickled = files.load_model(tmp_path), joblib.load(tmp_path / "model.joblib")
    assert set(pickled.classes_) == set(DEFAULT.names)
    assert list(safe.pipelines["t"].predict(texts)) == list(pickled.predict(texts))


@pytest.mark.slow
def test_two_runs_give_identical_files_whatever_the_number_of_jobs(tmp_path: Path) -> None:
    for name, jobs in (("a", 1), ("b", 2)):
        train(made_up_examples(), tmp_path / name, TrainSettings(), jobs=jobs)
    for name in ("model.skops", "model.joblib", "model.json", "metrics.json", "predictions.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.slow
def test_the_search_never_sees_the_test_split(tmp_path: Path) -> None:
    examples, _ = split(made_up_examples(), TrainSettings(), {})
    other = [msgspec.structs.replace(row, text="changed") if row.split == "test" else row for row in examples]
    a = train(examples, tmp_path / "a", TrainSettings()).metrics
    b = train(other, tmp_path / "b", TrainSettings()).metrics
    assert a.cv == b.cv
    assert (tmp_path / "a" / "model.skops").read_bytes() == (tmp_path / "b" / "model.skops").read_bytes()


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (made_up_examples(groups=2), "at least 10 training examples of each label that occurs"),
        ([r for r in made_up_examples() if r.label == "none"], "two labels or more, .*, all of them none"),
        (made_up_examples(groups=3, size=40), "needs 5, found"),
    ],
)
def test_too_few_labels_are_one_clear_error(tmp_path: Path, examples: list[Example], message: str) -> None:
    with pytest.raises(ExamplesError, match=message):
        train(examples, tmp_path / "model", TrainSettings())
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_groups_that_ready_made_splits_cut_through_are_warned_of(tmp_path: Path) -> None:
    examples = [
        msgspec.structs.replace(row, split="test" if n % 5 == 0 else "train")
        for n, row in enumerate(made_up_examples())
    ]
    metrics = train(examples, tmp_path, TrainSettings()).metrics
    assert "cut through 24 of the test split's 24 groups (g0, g1, g10, …)" in metrics.warnings[0]


@pytest.mark.slow
def test_a_target_of_the_test_split_alone_with_few_labels_is_measured(tmp_path: Path) -> None:
    examples, _ = split(made_up_examples(), TrainSettings(), {})
    few = [
        Example(
            sentence_id=f"x{n}", text=f"help is needed now {n}", label="favor", target="u", group=f"x{n}", split="test"
        )
        for n in range(3)
    ]
    done = train([*examples, *few], tmp_path, TrainSettings())
    assert done.metrics.test.by_target["u"].n == 3
    assert done.analysis.curve is not None
    assert done.analysis.notes[0].startswith("Not measured:")
    assert "no against for the target 'u'" in done.analysis.notes[0]
