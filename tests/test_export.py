"""One flat table for colleagues: the same rows in every format, safe to open, and whole or not there at all."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import StanceError
from corpus.reading.tables.spreadsheets import opened
from corpus.records import SENTENCES
from corpus.store import read_jsonl, table_path, write_bytes, write_jsonl
from labeling.machine.answers import write_answers
from labeling.machine.records import MachineAnswer
from labeling.records import Annotation, Verdict
from labeling.sampling.sample_table import Draw, write_sample
from release.contents.rows import gold_rows
from tests.conftest import copy_project, vote
from tests.support.commands import run_command
from train.examples.from_verdicts import read_examples
from train.predict.formula_cells import STARTS, defused

Row = dict[str, Any]


def test_the_last_line_names_the_page_that_explains_the_columns(labelled: Path) -> None:
    said = run_command(labelled, "export", "--to", "out/table.csv")
    page = re.search(r"^what each column holds is explained in (\S+)$", said, re.MULTILINE)
    assert page
    assert "`sampling_probability`" in Path(page[1]).read_text("utf-8")


def test_labels_of_exact_copies_are_counted_apart(labelled: Path) -> None:
    said = run_command(labelled, "export", "--to", "out/table.csv")
    verdicts = len(read_jsonl(labelled / "work" / "verdicts.jsonl", Verdict, ""))
    line = f"{verdicts + 1} of them with a label (1 is an exact copy of another labelled sentence)"
    assert f"{len(corpus(labelled))} sentences, {line}\n" in said


@pytest.fixture
def labelled(tmp_path: Path, finished: Path) -> Path:
    """A copy of the finished project."""
    return copy_project(finished, tmp_path / "project")


def exported(project: Path, *options: str) -> list[Row]:
    """The rows of an export, read back from Parquet."""
    run_command(project, "export", "--to", "out/table.parquet", *options)
    rows: list[Row] = pq.read_table(project / "out" / "table.parquet").to_pylist()
    return rows


def corpus(project: Path) -> list[Row]:
    rows: list[Row] = pq.read_table(project / "work" / "sentences.parquet").to_pylist()
    return rows


def answers(project: Path) -> list[Annotation]:
    return read_jsonl(table_path(project / "work", "annotations.jsonl"), Annotation, "")


def read_csv(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(data.decode("utf-8-sig").splitlines(keepends=True)))


def read_xlsx(path: Path) -> list[dict[str, str]]:
    with opened(path) as book:
        header, *rows = [row.cells for row in book.rows(0)]
    return [{name: row.get(column, "") for column, name in header.items()} for row in rows]


def test_each_sentence_is_one_row_with_the_labels_that_a_release_gives(labelled: Path) -> None:
    rows = exported(labelled)
    sentences = corpus(labelled)
    assert [row["sentence_id"] for row in rows] == [row["sentence_id"] for row in sentences]
    for name in ("text", "article_id", "index", "start", "end", "copy_id", "cluster_id", "before", "after"):
        assert [row[name] for row in rows] == [row[name] for row in sentences]
    gold = {
        row["sentence_id"]: {**row, "split": split}
        for split, part in gold_rows(labelled / "work", read_examples(labelled / "work")).items()
        for row in part
    }
    assert len(gold) > 100
    assert any(row["copy_of"] for row in gold.values())
    for row in rows:
        expected = gold.get(row["sentence_id"])
        if expected is None:
            assert row["label"] is None
            continue
        for name in ("label", "how", "split", "group", "target", "copy_of", "outlet", "published"):
            assert row[name] == expected[name], name
        votes = {
            name.removeprefix("annotator_"): row[name] for name in row if name.startswith("annotator_") if row[name]
        }
        assert votes == {one["annotator"]: one["stance"] for one in expected["votes"]}


def test_a_label_of_any_copy_holds_for_the_others(labelled: Path) -> None:
    copies = [row for row in corpus(labelled) if row["text"].startswith("Exactly the same")]
    first, second = sorted(copies, key=lambda row: row["sentence_id"] != row["copy_id"])
    for path in (table_path(labelled / "work", "annotations.jsonl"), labelled / "work" / "verdicts.jsonl"):
        text = path.read_text("utf-8")
        assert first["sentence_id"] in text
        path.write_text(text.replace(first["sentence_id"], second["sentence_id"]), "utf-8")
    rows = {row["sentence_id"]: row for row in exported(labelled)}
    own, other = rows[second["sentence_id"]], rows[first["sentence_id"]]
    assert own["label"] is not None
    assert (own["copy_of"], other["copy_of"]) == (None, second["sentence_id"])
    assert [own[name] for name in ("label", "how", "annotator_A1")] == [
        other[name] for name in ("label", "how", "annotator_A1")
    ]


def test_predictions_are_matched_by_id_and_not_by_place(labelled: Path) -> None:
    run_command(labelled, "predict")
    path = labelled / "work" / "predictions.parquet"
    table = pq.read_table(path)
    by_id = {row["sentence_id"]: row for row in table.to_pylist()}
    pq.write_table(table.take(list(range(len(table) - 1, 4, -1))), path)
    rows = exported(labelled)
    missing = {row["sentence_id"] for row in table.slice(0, 5).to_pylist()}
    for row in rows:
        of = {} if row["sentence_id"] in missing else by_id[row["sentence_id"]]
        assert row["predicted"] == of.get("stance")
        assert row["model"] == of.get("model")
        for name in ("favor", "against", "none"):
            assert row[f"probability_{name}"] == of.get(name)


def test_all_formats_hold_the_same_rows(labelled: Path) -> None:
    run_command(labelled, "predict")
    for options in ([], ["--long"]):
        rows = exported(labelled, *options)
        for ending in ("csv", "xlsx", "jsonl"):
            run_command(labelled, "export", "--to", f"out/table.{ending}", *options)
        lines = (labelled / "out" / "table.jsonl").read_bytes().splitlines()
        assert [json.loads(line) for line in lines] == rows
        for cells in (read_csv(labelled / "out" / "table.csv"), read_xlsx(labelled / "out" / "table.xlsx")):
            assert len(cells) == len(rows)
            for row, texts in zip(rows, cells, strict=True):
                for name, value in row.items():
                    shown = texts.get(name) or ""
                    if isinstance(value, float):
                        assert float(shown) == pytest.approx(value, rel=1e-12)
                    elif isinstance(value, bool):
                        assert shown.casefold() in {str(value).casefold(), str(int(value))}
                    else:
                        assert shown == ("" if value is None else str(value)), name


def test_a_row_of_the_long_form_is_one_answer(labelled: Path) -> None:
    first = corpus(labelled)[0]["sentence_id"]
    more = [vote(first, "unknown 1", "none"), vote(first, "unknown 2", "favor"), vote(first, "A1", "none", control=2)]
    write_jsonl(table_path(labelled / "work", "annotations.jsonl"), [*answers(labelled), *more])
    machine = [
        MachineAnswer(sentence_id=first, stance="against", coder="robot", model="m", prompt="p", sample=sample)
        for sample in (1, 2)
    ]
    machine.append(MachineAnswer(sentence_id=first, stance=None, refused="no", coder="other", model="m", prompt="p"))
    write_answers(labelled / "work", machine)
    rows = exported(labelled, "--long")
    people = [(row["sentence_id"], row["annotator"], row["answer"]) for row in rows if row["annotator"]]
    given = [row for row in answers(labelled) if not row.control]
    assert sorted(people, key=str) == sorted(((row.sentence_id, row.annotator, row.stance) for row in given), key=str)
    assert any(row["answer"] is None and row["annotator"] == "A3" for row in rows)
    assert [(row["coder"], row["answer"], row["sample"], row["refused"]) for row in rows if row["coder"]] == [
        ("other", None, 1, True),
        ("robot", "against", 1, False),
        ("robot", "against", 2, False),
    ]
    places = {row["sentence_id"]: place for place, row in enumerate(corpus(labelled))}
    order = [places[row["sentence_id"]] for row in rows]
    assert order == sorted(order)
    assert {row["created_at"] for row in rows} == {None}  # not known: not an empty text
    texts = {row["sentence_id"]: row["text"] for row in corpus(labelled)}
    assert all(row["text"] == texts[row["sentence_id"]] for row in rows)


def test_votes_of_unknown_people_take_no_more_columns_than_a_sentence_has_of_them(labelled: Path) -> None:
    sentences = [row["sentence_id"] for row in corpus(labelled)]
    more = [vote(key, f"unknown {n}", "none") for n, key in enumerate([*sentences[:4], sentences[0]])]
    write_jsonl(table_path(labelled / "work", "annotations.jsonl"), [*answers(labelled), *more])
    rows = exported(labelled)
    assert [name for name in rows[0] if "unknown" in name] == ["annotator_unknown_1", "annotator_unknown_2"]
    assert (rows[0]["annotator_unknown_1"], rows[0]["annotator_unknown_2"]) == ("none", "none")


def test_nobody_is_named_and_who_is_ignored_is_left_out(labelled: Path) -> None:
    (labelled / "stance.toml").write_text('[target]\nname = "a target <b>"\n[labeling]\nignore = ["A2"]\n', "utf-8")
    address = "ann.somebody@paper.example"
    renamed = [
        vote(row.sentence_id, address if row.annotator == "A1" else row.annotator, row.stance, comment="by Ann")
        for row in answers(labelled)
    ]
    write_jsonl(table_path(labelled / "work", "annotations.jsonl"), renamed)
    for name in ("table.jsonl", "long.jsonl"):
        run_command(labelled, "export", "--to", f"out/{name}", *(["--long"] if name == "long.jsonl" else []))
        text = (labelled / "out" / name).read_text("utf-8")
        assert "paper.example" not in text
        assert "by Ann" not in text
    rows = exported(labelled)
    # The verdicts still name an A1: whoever has no pseudonym gets the next one, as in a release.
    assert [name for name in rows[0] if name.startswith("annotator_")] == ["annotator_A4"]
    assert {row["annotator"] for row in exported(labelled, "--long")} == {"A3", "A4"}


def test_machine_coders_have_columns_and_several_prompts_have_numbers(labelled: Path) -> None:
    first, second = (row["sentence_id"] for row in corpus(labelled)[:2])
    write_answers(
        labelled / "work",
        [
            MachineAnswer(sentence_id=first, stance="favor", coder="robot", model="m", prompt="p1"),
            MachineAnswer(sentence_id=first, stance="none", coder="robot", model="m", prompt="p2", temperature=0.5),
            MachineAnswer(sentence_id=first, stance="against", coder="robot_1", model="m", prompt="p1"),
            MachineAnswer(sentence_id=second, stance="none", coder="single", model="m", prompt="p1"),
        ],
    )
    said = run_command(labelled, "export", "--to", "out/table.parquet")
    rows = pq.read_table(labelled / "out" / "table.parquet").to_pylist()
    assert [name for name in rows[0] if name.startswith("machine_")] == [
        "machine_robot_1",
        "machine_robot_2",
        "machine_robot_1_1",
        "machine_single",
    ]
    assert [rows[0][name] for name in ("machine_robot_1", "machine_robot_2", "machine_robot_1_1")] == [
        "favor",
        "none",
        "against",
    ]
    assert rows[1]["machine_single"] == "none"
    assert "machine_robot_2: model m, prompt p2, temperature 0.5" in said


def test_draws_belong_to_the_copies_of_a_sentence_too(labelled: Path) -> None:
    copies = [row for row in corpus(labelled) if row["text"].startswith("Exactly the same")]
    assert len(copies) == 2
    write_sample(
        labelled / "work", [Draw(sentence_id=copies[1]["sentence_id"], round=3, by="random", probability=0.25)]
    )
    rows = {row["sentence_id"]: row for row in exported(labelled)}
    for row in copies:
        exact = rows[row["sentence_id"]]
        assert (exact["round"], exact["drawn_by"], exact["sampling_probability"]) == (3, "random", 0.25)
    assert sum(row["round"] is not None for row in rows.values()) == 2


def test_a_round_of_an_archive_gives_no_sentence_of_the_corpus_its_probability(labelled: Path) -> None:
    first, second = (row["sentence_id"] for row in corpus(labelled)[:2])
    draws = [
        Draw(sentence_id=first, round=1, by="random", probability=0.25),
        Draw(sentence_id=first, round=2, by="archive", probability=0.001),
        Draw(sentence_id=second, round=2, by="archive", probability=0.001),
    ]
    write_sample(labelled / "work", draws)
    rows = {row["sentence_id"]: row for row in exported(labelled)}
    columns = ("round", "drawn_by", "sampling_probability")
    assert [rows[first][name] for name in columns] == [1, "random", 0.25]
    assert [rows[second][name] for name in columns] == [None, None, None]


def test_a_corpus_alone_can_be_exported(labelled: Path) -> None:
    shutil.rmtree(labelled / "labels")
    for path in (labelled / "work").iterdir():
        if path.name not in {"articles.parquet", "sentences.parquet"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    rows = exported(labelled)
    assert len(rows) == len(corpus(labelled))
    assert {rows[0][name] for name in ("label", "how", "predicted", "probability_favor", "split", "round")} == {None}
    assert exported(labelled, "--long") == []


def test_answers_to_vanished_sentences_are_counted_and_left_out(labelled: Path) -> None:
    write_jsonl(table_path(labelled / "work", "annotations.jsonl"), [*answers(labelled), vote("0" * 32, "A1", "favor")])
    said = run_command(labelled, "export", "--to", "out/table.jsonl", "--long")
    assert "left out: answers to 1 sentence that is no longer in the corpus" in said
    assert "0" * 32 not in (labelled / "out" / "table.jsonl").read_text("utf-8")


def take_off(text: str) -> str:
    """What docs/export.md tells readers to do."""
    return re.sub(rf"\A'('*[{STARTS}])", r"\1", text)


@given(st.lists(st.none() | st.text(alphabet="'=+-@\t\r\n＝＠1.,a \0é\U0001f600", max_size=6)))
def test_what_a_spreadsheet_could_run_is_defused_and_can_be_restored(texts: list[str | None]) -> None:
    safe, changed = defused(pa.array(texts, pa.string()))
    shown = safe.to_pylist()
    assert changed == sum(one != other for one, other in zip(texts, shown, strict=True))
    for text, cell in zip(texts, shown, strict=True):
        if text is None:
            assert cell is None
            continue
        assert take_off(cell) == text
        assert not re.match(rf"[{STARTS}]", cell) or re.fullmatch(r"[+-]?[0-9]+([.,][0-9]+)?", cell)


def test_formulas_are_defused_in_files_for_spreadsheets_alone(tmp_path: Path) -> None:
    write_bytes(tmp_path / "news" / "a.txt", b'=HYPERLINK("https://evil.example","here") is what he wrote on Monday.\n')
    write_bytes(tmp_path / "stance.toml", b'[target]\nname = "@target"\n[corpus]\nroot = "news"\n')
    run_command(tmp_path, "build", "news")
    (row,) = exported(tmp_path)
    assert row["text"].startswith("=HYPERLINK")
    for ending, read in (("csv", read_csv), ("xlsx", read_xlsx)):
        said = run_command(tmp_path, "export", "--to", f"table.{ending}")
        assert "2 cells that a spreadsheet could run as formulas begin with an apostrophe" in said
        assert r"take one apostrophe off each text that matches ^'+[=+\-@" in said
        (cells,) = read(tmp_path / f"table.{ending}")
        assert cells["text"] == "'" + row["text"]
        assert cells["target"] == "'@target"
    said = run_command(tmp_path, "export", "--to", "table.jsonl")
    assert "apostrophe" not in said
    assert "\nnext: " in said
    said = run_command(tmp_path, "report")
    assert "Open the page in a browser." in said
    assert "\nnext: " in said
    assert json.loads((tmp_path / "table.jsonl").read_bytes())["text"] == row["text"]


def test_a_workbook_that_excel_cannot_open_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    write_bytes(tmp_path / "stance.toml", b'[target]\nname = "t"\n')
    write_bytes(tmp_path / "news" / "a.txt", b"The port was closed on Monday.\n")
    run_command(tmp_path, "build", "news")
    path = tmp_path / "work" / "sentences.parquet"
    (row,) = pq.read_table(path).to_pylist()
    many = 1_048_576
    columns = [pa.repeat(pa.scalar(row[field.name], field.type), many) for field in SENTENCES]
    pq.write_table(pa.table(columns, schema=SENTENCES), path)
    with pytest.raises(StanceError, match="holds 1,048,576 rows with the header, and there are 1,048,576 rows to"):
        run_command(tmp_path, "export", "--to", "table.xlsx")
    pq.write_table(
        pa.Table.from_pylist([row | {"text": "x" * 32_767, "before": "\U0001f600" * 16_384}], SENTENCES), path
    )
    with pytest.raises(StanceError, match=r"32,767 characters, and before of the sentence \w+ has 16,384; nothing"):
        run_command(tmp_path, "export", "--to", "table.xlsx")
    assert not list(tmp_path.glob("*.xlsx"))
    assert not list(tmp_path.glob(".table*"))
    run_command(tmp_path, "export", "--to", "table.csv")


def test_a_workbook_holds_any_character(labelled: Path) -> None:
    path = labelled / "work" / "sentences.parquet"
    rows = pq.read_table(path).to_pylist()
    odd = "a\x01b _x0041_ <&> \U0001f600 \u2028 end"
    rows[0]["text"] = odd
    pq.write_table(pa.Table.from_pylist(rows, SENTENCES), path)
    run_command(labelled, "export", "--to", "out/table.xlsx")
    assert read_xlsx(labelled / "out" / "table.xlsx")[0]["text"] == odd


@pytest.mark.parametrize(
    "name", ["a.txt", "table", "work", "work/sentences.parquet", "work/model/a.csv", "labels/a.jsonl"]
)
def test_other_endings_and_the_projects_own_files_are_refused(labelled: Path, name: str) -> None:
    before = (labelled / "work" / "sentences.parquet").read_bytes()
    with pytest.raises(StanceError, match="--to"):
        run_command(labelled, "export", "--to", name)
    assert (labelled / "work" / "sentences.parquet").read_bytes() == before
    assert not (labelled / "labels" / "a.jsonl").exists()
    run_command(labelled, "export", "--to", "work/export-1.csv")


def test_an_export_that_fails_leaves_the_earlier_one(labelled: Path) -> None:
    run_command(labelled, "export", "--to", "out/table.csv")
    before = (labelled / "out" / "table.csv").read_bytes()
    path = labelled / "work" / "sentences.parquet"
    rows = pq.read_table(path).to_pylist()
    rows[-1]["article_id"] = "nowhere"
    pq.write_table(pa.Table.from_pylist(rows, SENTENCES), path, row_group_size=10)
    with pytest.raises(StanceError, match=r"a sentence's article is not in articles\.parquet"):
        run_command(labelled, "export", "--to", "out/table.csv")
    assert (labelled / "out" / "table.csv").read_bytes() == before
    assert [path.name for path in (labelled / "out").iterdir()] == ["table.csv"]


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl", "parquet"])
def test_the_same_project_gives_the_same_bytes(labelled: Path, ending: str) -> None:
    assert f"wrote out/table.{ending}" in run_command(labelled, "export", "--to", f"out/table.{ending}")
    assert f"unchanged: out/table.{ending}" in run_command(labelled, "export", "--to", f"out/table.{ending}")
