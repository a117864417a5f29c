"""Answers that were given in other tools: a small invented file of each tool, in the form that the tool writes."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigError, StanceError, TableError
from corpus.store import read_jsonl, table_path
from labeling.adopt.exported import Unmatched, moment_of
from labeling.adopt.read_file import read_file
from labeling.codebook import Codebook
from labeling.messages.pull import not_adopted
from labeling.records import Annotation, Superseded
from labeling.studio.answers import chosen
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from labeling.studio.tasks import Corpus
from labeling.sync.export_files import UNMATCHED, ExportSummary, read_export
from labeling.sync.known_answers import ANNOTATIONS, HISTORY
from tests.support.corpora import corpus_of

BOOK = Codebook(text="", version="1.0")
S, T, U = "About s.", "About t.", "About u."
STRANGE = "Nobody wrote this."


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A corpus of three sentences, `About s.` and so on."""
    corpus_of(tmp_path / "work", {"s": "s", "t": "t", "u": "u"})
    return tmp_path / "work"


def pulled(work: Path, name: str, **how: Any) -> ExportSummary:
    return read_export(work.parent / name, Corpus(work), work, work.parent, BOOK, **how)


def lines(work: Path, name: str, *rows: dict[str, Any]) -> None:
    path = work.parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def document(work: Path, name: str, content: object) -> None:
    path = work.parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")


def table(work: Path, name: str, *rows: dict[str, Any], separator: str = ",") -> None:
    path = work.parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator, quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        writer.writerows(rows)


def rows_of(work: Path) -> list[Annotation]:
    return read_jsonl(table_path(work, ANNOTATIONS), Annotation, "")


def votes(work: Path) -> set[tuple[str, str, str | None]]:
    return {(row.sentence_id, row.annotator, row.stance) for row in rows_of(work)}


def left_out(work: Path) -> list[tuple[int, str]]:
    return [(row.task, row.reason) for row in read_jsonl(work / UNMATCHED, Unmatched, "")]


def _line_of(work: Path, written: str) -> int:
    return next(row.task for row in read_jsonl(work / UNMATCHED, Unmatched, "") if written in row.reason)


def again(work: Path, name: str, **how: Any) -> None:
    """Pulling the same file again changes nothing."""
    before = table_path(work, ANNOTATIONS).read_bytes()
    assert not pulled(work, name, **how).changed
    assert table_path(work, ANNOTATIONS).read_bytes() == before


# --- Label Studio


def _task(number: int, text: str, *answers: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"id": number, "data": {"text": text}, "annotations": list(answers), **more}


def _answer(number: int, by: object, *choices: str, **more: object) -> dict[str, Any]:
    at = f"2021-04-02T10:00:00.{number:06}Z"
    return {
        "id": number,
        "completed_by": by,
        "result": [{"from_name": "sentiment", "to_name": "text", "type": "choices", "value": {"choices": [choice]}}
                   for choice in choices],
        "was_cancelled": False,
        "created_at": at,
        "updated_at": at,
        "lead_time": 2.5,
        **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    "by",
    [7, "kim@lab.example", {"id": 7, "email": "kim@lab.example", "first_name": "", "last_name": ""}, "7"],
    ids=["number", "address", "object", "number-as-text"],
)
def test_an_account_is_a_number_an_address_or_an_object(work: Path, by: object) -> None:
    document(work, "export.json", [_task(1, S, _answer(1, by, "Pro")), _task(2, T, _answer(2, by, "Con"))])
    assert pulled(work, "export.json").aliases == {"Con": "against", "Pro": "favor"}
    assert votes(work) == {("s", "A1", "favor"), ("t", "A1", "against")}
    again(work, "export.json")


def test_completions_of_the_versions_before_1_are_answers(work: Path) -> None:
    document(
        work,
        "completions.json",
        [
            {
                "id": 0,
                "data": {"reviewText": S},
                "completions": [
                    {
                        "id": 1001,
                        "created_at": 1600000000,
                        "created_username": " kim@lab.example, 3",
                        "lead_time": 4.0,
                        "result": [{"from_name": "c", "type": "choices", "value": {"choices": ["support"]}}],
                    },
                    {"id": 1002, "created_username": " lee@lab.example, 4", "skipped": True, "result": []},
                ],
            },
            {"id": 1, "data": {"reviewText": T}, "completions": [{"result": [chosen("c", "oppose")]}]},
        ],
    )
    pulled(work, "completions.json")
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", None), ("t", "unknown 1", "against")}
    first = next(row for row in rows_of(work) if row.stance == "favor")
    assert (first.created_at, first.seconds) == ("2020-09-13T12:26:40+00:00", 4.0)
    again(work, "completions.json")


def test_a_text_of_several_sentences_needs_the_sentences_id(tmp_path: Path) -> None:
    work = tmp_path / "work"
    corpus_of(work, {"s": "s", "S": "S", "u": "u"})
    texts = {S: "favor", U: "none", STRANGE: "none"}
    table(work, "kim.csv", *({"text": text, "label": label} for text, label in texts.items()))
    done = pulled(work, "kim.csv", annotator="Kim")
    assert (done.adopted, done.unmatched, done.ambiguous) == (1, 2, 1)
    assert not_adopted(done, Path("U")) == [
        "not adopted: 1 record of the file has the text of several different sentences, and no sentence_id that says "
        "which one is meant; listed in U",
        "not adopted: 1 record of the file has no sentence in the corpus; listed in U",
    ]
    assert left_out(work)[0][1] == "2 different sentences have its text"
    table(work, "id.csv", {"sentence_id": "S", "text": S, "label": "favor"})
    assert pulled(work, "id.csv", annotator="Kim").adopted == 1


def test_drafts_are_listed_and_ground_truth_and_accepted_predictions_are_answers(work: Path) -> None:
    prediction = {"id": 9, "result": [chosen("stance", "none")], "model_version": "m", "score": 0.9}
    document(
        work,
        "export.json",
        [
            _task(1, S, _answer(1, 1, "favor", ground_truth=True), drafts=[], predictions=[]),
            _task(2, T, _answer(2, 1, "none", parent_prediction=9), predictions=[prediction]),
            _task(3, U, drafts=[{"id": 5, "result": [chosen("stance", "favor")]}], predictions=[prediction]),
        ],
    )
    pulled(work, "export.json")
    assert votes(work) == {("s", "A1", "favor"), ("t", "A1", "none")}
    assert left_out(work) == [(3, "1 draft that nobody submitted")]


def test_of_several_controls_the_one_named_stance_counts_and_a_comment_is_kept(work: Path) -> None:
    both = _answer(1, 1)
    both["result"] = [chosen("sentiment", "neutral"), chosen("stance", "favor")]
    both["result"].append({"from_name": "comment", "type": "textarea", "value": {"text": ["Irony?"]}})
    unclear = _answer(2, 1)
    unclear["result"] = [chosen("tone", "neutral"), chosen("view", "pro")]
    document(work, "export.json", [_task(1, S, both), _task(2, T, unclear)])
    pulled(work, "export.json")
    assert [(row.sentence_id, row.stance, row.comment) for row in rows_of(work)] == [("s", "favor", "Irony?")]
    assert left_out(work) == [(2, "several stances: 'neutral', 'pro'")]


@pytest.mark.parametrize("kind", ["JSON_MIN", "CSV", "TSV"])
def test_what_a_real_label_studio_exports_in_other_formats_is_the_same_project(
    work: Path, server: Server, kind: str
) -> None:
    """JSON-MIN and CSV leave out the times of tasks and the ids of answers, and write accounts in their own way."""
    view = (
        '<View><Text name="t" value="$text"/><Choices name="view" toName="t">'
        '<Choice value="Pro"/><Choice value="Con"/></Choices></View>'
    )
    with Studio(server) as studio:
        project = studio.create_project(f"adopt {kind} {work.parent.name[-20:]}", label_config=view)
        studio.import_tasks(project, [{"data": {"text": text, "nr": 4}} for text in (S, T, STRANGE)])
        for task, choice in zip(studio.tasks(project), ("Pro", "Con", "Con"), strict=True):
            part = {"from_name": "view", "to_name": "t", "type": "choices", "value": {"choices": [choice]}}
            studio.answer(task.id, [part], seconds=1.5)
    for name, format_ in ((f"export.{kind[:4].lower().replace('_', '')}", kind), ("whole.json", "JSON")):
        found = httpx.get(
            f"{server.url}/api/projects/{project}/export",
            params={"exportType": format_},
            headers={"Authorization": f"Token {server.api_key}"},
            timeout=60,
        ).raise_for_status()
        (work.parent / name).write_bytes(found.content)
    name = {"JSON_MIN": "export.json", "CSV": "export.csv", "TSV": "export.tsv"}[kind]
    done = pulled(work, name)
    assert (done.tool, done.adopted, done.unmatched) == ("Label Studio", 2, 1)
    assert votes(work) == {("s", "A1", "favor"), ("t", "A1", "against")}
    assert {row.seconds for row in rows_of(work)} == {1.5}
    again(work, name)
    pulled(work, "whole.json")  # the same answers, with all that JSON says
    assert votes(work) == {("s", "A1", "favor"), ("t", "A1", "against")}
    assert all("@" in row.task and row.unique_id for row in rows_of(work))


# --- Prodigy


def _prodigy(text: str, by: str, answer: str = "accept", at: int = 1700000000, **more: object) -> dict[str, Any]:
    return {
        "text": text,
        "_input_hash": hash(text) % 1000,
        "_task_hash": hash(text) % 999,
        "_view_id": "choice",
        "answer": answer,
        "_timestamp": at,
        "_annotator_id": by,
        "_session_id": by,
        **more,
    }


OPTIONS = [{"id": 1, "text": "Pro"}, {"id": 2, "text": "Con"}, {"id": "none", "text": "Says nothing"}]


def test_prodigys_choices_binary_answers_and_ignored_tasks(work: Path) -> None:
    lines(
        work,
        "stance_db.jsonl",
        _prodigy(S, "db-ann", options=OPTIONS, accept=[1]),
        _prodigy(S, "db-bo", options=OPTIONS, accept=["none"]),
        _prodigy(T, "db-ann", label="AGAINST", _view_id="classification"),
        _prodigy(T, "db-bo", "reject", label="FAVOR"),
        _prodigy(U, "db-bo", "ignore", options=OPTIONS, accept=[]),
        _prodigy(STRANGE, "db-bo", options=OPTIONS, accept=[1]),
        _prodigy(U, "db-ann", _view_id="review", versions=[], label="favor"),
    )
    done = pulled(work, "stance_db.jsonl")
    assert done.tool == "Prodigy"
    assert votes(work) == {
        ("s", "A1", "favor"),
        ("s", "A2", "none"),
        ("t", "A1", "against"),
        ("u", "A2", None),
    }
    assert left_out(work) == [
        (4, "a label was rejected, which doesn't say which other label is right"),
        (7, "a decision of a review, not the answer of one annotator"),
        (6, "no sentence of the corpus has its text"),
    ]
    assert any("account 'db-ann' is A1" in note for note in done.notes)
    assert rows_of(work)[0].created_at == "2023-11-14T22:13:20+00:00"
    again(work, "stance_db.jsonl")


def test_a_prodigy_session_without_a_name_is_one_account_of_its_own_file(work: Path) -> None:
    times = ("2024-02-06_10-17-19", "db-2024-02-07_10-00-00")
    for name, at in (("ann", 1700000000), ("bo", 1800000000)):
        rows = [
            _prodigy(text, by, options=OPTIONS, accept=[1], at=at + n)
            for n, (text, by) in enumerate(zip((S, T), times, strict=True))
        ]
        lines(work, f"{name}/db.jsonl", *rows)
        pulled(work, f"{name}/db.jsonl")
    assert votes(work) == {(key, who, "favor") for key in "st" for who in ("A1", "A2")}


# --- doccano


def test_doccanos_archive_has_a_file_for_each_person(work: Path) -> None:
    path = work.parent / "project.zip"
    files = {
        "ann.jsonl": [
            {"id": 11, "text": S, "label": ["Pro"], "Comments": ["really?"]},
            {"id": 12, "text": T, "label": []},
        ],
        "bo.jsonl": [{"id": 11, "text": S, "label": ["Con"]}, {"id": 13, "text": STRANGE, "label": ["Con"]}],
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in files.items():
            archive.writestr(name, "".join(json.dumps(row) + "\n" for row in rows))
    assert pulled(work, "project.zip").tool == "doccano"
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", "against")}
    assert [row.comment for row in rows_of(work)] == ["really?", ""]
    assert left_out(work) == [(2, "no label"), (2, "no sentence of the corpus has its text")]
    again(work, "project.zip")


def test_doccanos_csv_joins_labels_and_its_json_has_data_in_older_versions(work: Path) -> None:
    with zipfile.ZipFile(work.parent / "csv.zip", "w") as archive:
        archive.writestr("ann.csv", f"id,data,label\n1,{S},Pro\n2,{T},Con#Pro\n")
        archive.writestr("bo.json", json.dumps([{"id": 1, "data": S, "label": ["neutral"]}]))
    pulled(work, "csv.zip")
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", "none")}
    assert left_out(work) == [(3, "several stances: 'Con', 'Pro'")]


def test_what_a_doccano_project_labelled_together_is_nobodys(work: Path) -> None:
    lines(work, "all.jsonl", {"id": 1, "text": S, "label": ["pro"]}, {"id": 2, "text": T, "label": ["con"]})
    pulled(work, "all.jsonl")
    assert votes(work) == {("s", "unknown 1", "favor"), ("t", "unknown 2", "against")}


def test_one_doccano_file_asks_whose_it_is(work: Path) -> None:
    lines(work, "admin.jsonl", {"id": 1, "text": S, "label": ["pro"]})
    with pytest.raises(TableError, match="name the person with --annotator NAME"):
        pulled(work, "admin.jsonl")
    assert not table_path(work, ANNOTATIONS).exists()
    pulled(work, "admin.jsonl", annotator="Ann")
    assert votes(work) == {("s", "A1", "favor")}


@pytest.mark.parametrize(
    ("label", "reason"),
    [([[0, 5, "PER"]], "labels of parts of the text"), ([{"label": 3, "user": 1}], "numbers of labels without their")],
)
def test_doccano_labels_that_are_none_of_the_text_are_listed(work: Path, label: list[object], reason: str) -> None:
    lines(work, "admin.jsonl", {"id": 1, "text": S, "annotations": label})
    pulled(work, "admin.jsonl", annotator="Ann")
    ((_, why),) = left_out(work)
    assert why.startswith(reason)


# --- Argilla

ANN, BO = "0b5a1e5e-0000-4000-8000-00000000000a", "0b5a1e5e-0000-4000-8000-00000000000b"


def _argilla(number: int, text: str, *answers: tuple[str, str, str]) -> dict[str, Any]:
    said = [{"value": value, "user_id": user, "status": status} for user, value, status in answers]
    why = [{"value": "Because.", "user_id": ANN, "status": "submitted"}]
    return {
        "id": f"rec-{number}",
        "fields": {"text": text},
        "metadata": {},
        "suggestions": {"label": {"value": "pro", "score": None, "agent": "m"}},
        "responses": {"label": said, "why": why if said else []},
        "vectors": {},
        "_server_id": f"5f5f5f5f-0000-4000-8000-{number:012}",
    }


ARGILLA = {("s", "A1", "favor"), ("s", "A2", "against"), ("t", "A1", None)}


def test_argillas_records_as_json(work: Path) -> None:
    document(
        work,
        "records.json",
        [
            _argilla(1, S, (ANN, "pro", "submitted"), (BO, "con", "submitted")),
            _argilla(2, T),
            _argilla(3, U, (BO, "con", "draft")),
        ],
    )
    done = pulled(work, "records.json")
    assert done.tool == "Argilla"
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", "against")}
    assert {row.annotator: row.comment for row in rows_of(work)} == {"A1": "Because.", "A2": ""}
    assert (2, "nobody answered it") in left_out(work)
    assert (3, "a draft, which was not submitted") in left_out(work)
    again(work, "records.json")


@pytest.mark.parametrize("form", ["parquet", "folder", "jsonl"])
def test_argillas_data_sets_of_version_2_as_tables(work: Path, form: str) -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": "1",
            "status": "completed",
            "_server_id": "x1",
            "text": S,
            "label.responses": ["pro", "con"],
            "label.responses.users": [ANN, BO],
            "label.responses.status": ["submitted", "submitted"],
            "label.suggestion": "pro",
        },
        {
            "id": "2",
            "status": "discarded",
            "_server_id": "x2",
            "text": T,
            "label.responses": [None],
            "label.responses.users": [ANN],
            "label.responses.status": ["discarded"],
            "label.suggestion": "pro",
        },
    ]
    name = f"set.{form}" if form != "folder" else "set"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), work.parent / name)
    elif form == "folder":
        from datasets import Dataset

        Dataset.from_list(rows).save_to_disk(work.parent / name)
    else:
        lines(work, name, *rows)
    assert pulled(work, name).tool == "Argilla"
    assert votes(work) == ARGILLA
    again(work, name)


def test_argillas_records_of_version_1(work: Path) -> None:
    lines(
        work,
        "feedback.jsonl",
        {
            "external_id": None,
            "text": S,
            "label": [
                {"user_id": ANN, "value": "pro", "status": "submitted"},
                {"user_id": BO, "value": "con", "status": "submitted"},
            ],
            "label-suggestion": None,
        },
        {"external_id": None, "text": T, "label": [{"user_id": ANN, "value": None, "status": "discarded"}]},
    )
    pulled(work, "feedback.jsonl")
    assert votes(work) == ARGILLA
    lines(
        work,
        "old.jsonl",
        {"id": "a", "text": U, "inputs": {"text": U}, "prediction": [{"label": "con", "score": 1.0}],
         "annotation": "neutral", "annotation_agent": "kim", "status": "Validated", "metadata": {}},
        {"id": "b", "text": T, "inputs": {"text": T}, "prediction": None, "annotation": None,
         "annotation_agent": None, "status": "Default", "metadata": {}},
    )  # fmt: skip
    pulled(work, "old.jsonl")
    assert votes(work) == {*ARGILLA, ("u", "A3", "none")}


# --- Potato


def test_potatos_folder_of_annotators_of_version_2_is_matched_by_id(work: Path) -> None:
    pairs = [[{"schema": "stance", "name": "favor"}, "favor"], [{"schema": "sure", "name": "4"}, "4"]]
    document(
        work,
        "annotation_output/ann/user_state.json",
        {"user_id": "ann", "instance_id_to_label_to_value": {"s": pairs, "t": [], "item_9": pairs}},
    )
    nested = {"stance": {"labels": {"against": True, "favor": False}}}
    document(
        work,
        "annotation_output/bo/user_state.json",
        {"user_id": "bo", "instance_id_to_label_to_value": {"s": nested}},
    )
    assert pulled(work, "annotation_output").tool == "Potato"
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", "against")}
    assert sorted(left_out(work)) == [
        (1, "item 't': no label"),
        (1, "the file gives no text for it, and no sentence of the corpus has the id 'item_9'"),
    ]
    again(work, "annotation_output")


def test_potatos_files_of_version_1_name_the_annotator_by_their_folder(work: Path) -> None:
    for who, label in (("kim@lab.example", "pro"), ("lee@lab.example", "con")):
        lines(
            work,
            f"out/{who}/annotated_instances.jsonl",
            {
                "id": "item_1",
                "displayed_text": S,
                "label_annotations": {"stance": {label: "true"}},
                "span_annotations": {},
                "behavioral_data": {"time_string": "Time spent: 0d 0h 0m 5s "},
            },
        )
    pulled(work, "out")
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", "against")}
    pulled(work, "out/kim@lab.example/annotated_instances.jsonl")  # the same answer, in the file alone
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", "against")}


@pytest.mark.parametrize("form", ["tsv", "csv", "jsonl", "parquet"])
def test_potatos_exported_tables(work: Path, form: str) -> None:
    old = [
        {"user": "ann", "instance_id": "s", "displayed_text": S, "stance:::favor": "favor", "stance:::against": ""},
        {"user": "bo", "instance_id": "s", "displayed_text": S, "stance:::favor": "", "stance:::against": "against"},
    ]
    new = [
        {"instance_id": "i1", "user_id": "ann", "stance": "favor", "sure": "4"},
        {"instance_id": "i1", "user_id": "bo", "stance": "against", "sure": "2"},
    ]
    name = f"export/annotations.{form}"
    if form == "tsv":
        table(work, name, *old, separator="\t")
    elif form == "csv":
        table(work, name, *old)
    elif form == "jsonl":
        nested = [{"instance_id": "s", "user_id": row["user_id"], "labels": {"stance": row["stance"]}} for row in new]
        lines(work, name, *nested)
    else:
        (work.parent / "export").mkdir()
        pq.write_table(pa.Table.from_pylist(new), work.parent / name)
        items = pa.Table.from_pylist([{"item_id": "i1", "text": S}])
        pq.write_table(items, work.parent / "export" / "items.parquet")
    assert pulled(work, name).tool == "Potato"
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", "against")}
    again(work, name)


# --- plain tables


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_a_plain_table_of_texts_annotators_and_labels(work: Path, form: str) -> None:
    rows = [
        {"text": S, "annotator": "ann", "label": "pro", "comment": "clear"},
        {"text": S, "annotator": "bo", "label": "Con", "comment": ""},
        {"text": "about T", "annotator": "ann", "label": "Neutral", "comment": ""},
        {"text": U, "annotator": "bo", "label": "", "comment": ""},
        {"text": U, "annotator": "ann", "label": "maybe", "comment": ""},
        {"text": STRANGE, "annotator": "ann", "label": "pro", "comment": ""},
    ]
    name = f"labels.{form}"
    if form == "csv":
        table(work, name, *rows)
    elif form == "tsv":
        table(work, name, *rows, separator="\t")
    elif form == "jsonl":
        lines(work, name, *rows)
    elif form == "json":
        document(work, name, rows)
    else:
        pq.write_table(pa.Table.from_pylist(rows), work.parent / name)
    done = pulled(work, name)
    assert (done.tool, done.adopted, done.unmatched) == ("a table", 3, 3)
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", "against"), ("t", "A1", "none")}
    assert sorted(why for _, why in left_out(work)) == [
        "its column label is empty",
        "no label of this project: 'maybe'",
        "no sentence of the corpus has its text",
    ]
    assert not_adopted(done, Path("U")) == [
        "not adopted: 1 record of the file has no sentence in the corpus; listed in U",
        f"not adopted: 1 answer of the file has not exactly one label of this project (line "
        f"{_line_of(work, 'maybe')}: no label of this project: 'maybe'); listed in U",
        "not adopted: 1 record of the file has no answer to use; listed in U",
    ]
    again(work, name)


def test_a_table_of_sentence_ids_whose_label_column_has_any_name(work: Path) -> None:
    rows = [{"sentence_id": key, "coder": "ann", "My Coding": "pro", "outlet": "Pro"} for key in "st"]
    table(work, "labels.csv", *rows)
    with pytest.raises(TableError, match="expected one column in which most values are labels; found My Coding, outle"):
        pulled(work, "labels.csv")
    table(work, "labels.csv", *({**row, "outlet": "Gazette"} for row in rows))
    pulled(work, "labels.csv")
    assert votes(work) == {("s", "A1", "favor"), ("t", "A1", "favor")}


def test_two_tables_without_people_are_two_peoples_even_if_they_agree_on_everything(work: Path) -> None:
    for name in ("alice", "bob"):
        table(work, f"{name}.csv", {"text": S, "label": "pro"}, {"text": T, "label": "con"})
    with pytest.raises(TableError, match="no column says who gave the answers"):
        pulled(work, "alice.csv")
    pulled(work, "alice.csv", annotator="Alice")
    pulled(work, "bob.csv", annotator="Bob")
    both = {(key, who, stance) for key, stance in (("s", "favor"), ("t", "against")) for who in ("A1", "A2")}
    assert votes(work) == both
    for name in ("bob", "alice"):
        again(work, f"{name}.csv", annotator=name)
    assert votes(work) == both


def test_the_same_answers_under_another_name_are_counted_once_and_it_is_said(work: Path) -> None:
    rows = [{"text": S, "annotator": "ann", "label": "pro"}, {"text": T, "annotator": "bo", "label": "con"}]
    table(work, "labels.csv", *rows)
    pulled(work, "labels.csv")
    table(work, "labels 2.csv", *rows, {"text": U, "annotator": "ann", "label": "pro"})
    assert any("they are counted once" in note for note in pulled(work, "labels 2.csv").notes)
    assert votes(work) == {("s", "A1", "favor"), ("t", "A2", "against"), ("u", "A1", "favor")}


def test_a_changed_table_without_times_asks_whether_it_was_corrected(work: Path) -> None:
    rows = [{"text": S, "annotator": "ann", "label": "pro"}, {"text": T, "annotator": "ann", "label": "con"}]
    table(work, "labels.csv", *rows)
    pulled(work, "labels.csv")
    rows[0]["label"] = "neutral"
    table(work, "labels.csv", *rows[:1])
    before = table_path(work, ANNOTATIONS).read_bytes()
    with pytest.raises(ConfigError, match="pull it with --replace; if they are another person's, with --annotator"):
        pulled(work, "labels.csv")
    assert table_path(work, ANNOTATIONS).read_bytes() == before
    said: list[str] = []
    done = pulled(work, "labels.csv", replace=True, say=said.append)
    assert said == [
        "--replace deletes 1 known answer of this file's project: 1 of A1",
        "--replace replaces by other versions 1 known answer of this file's project: 1 of A1",
    ]
    assert (done.edited, done.deleted) == (1, 1)
    assert votes(work) == {("s", "A1", "none")}
    history = read_jsonl(table_path(work, HISTORY), Superseded, "")
    assert sorted((row.why, row.answer.stance) for row in history) == [("deleted", "against"), ("edited", "favor")]


def test_two_tables_of_one_name_that_differ_are_two_projects(work: Path) -> None:
    for folder, label in (("x", "pro"), ("y", "con")):
        table(work, f"{folder}/labels.csv", {"text": S, "annotator": "ann", "label": label})
        pulled(work, f"{folder}/labels.csv")
    assert votes(work) == {("s", "A1", "favor"), ("s", "A2", "against")}


def test_one_person_with_two_labels_for_one_text_has_none_unless_times_tell_the_later(work: Path) -> None:
    rows = [
        {"text": S, "annotator": "ann", "label": "pro", "updated_at": ""},
        {"text": S, "annotator": "ann", "label": "con", "updated_at": ""},
        {"text": T, "annotator": "ann", "label": "pro", "updated_at": "2026-01-01T00:00:00Z"},
        {"text": T, "annotator": "ann", "label": "con", "updated_at": "2026-01-02T00:00:00Z"},
        {"text": U, "annotator": "ann", "label": "pro", "updated_at": ""},
        {"text": U, "annotator": "ann", "label": "pro", "updated_at": ""},
    ]
    table(work, "labels.csv", *rows)
    pulled(work, "labels.csv")
    assert votes(work) == {("t", "A1", "against"), ("u", "A1", "favor")}
    assert len(rows_of(work)) == 2
    assert [number for number, _ in left_out(work)] == [2, 3]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.csv", None, "no such file"),
        ("labels.xlsx", b"PK", "save the spreadsheet as CSV"),
        ("labels.csv", b"a,b\n1,2\n", "expected a column with the texts"),
        (
            "labels.csv",
            b"text,text,annotator\na,b,c\n",
            "expected columns with different names; found these twice: text",
        ),
        (
            "labels.csv",
            b'text,annotator,label\n"About s.,ann,pro\n',
            r"malformed CSV in 1 place(.|\n)*line 2: ",
        ),
        (
            "labels.csv",
            b"\xef\xbb\xbftext,annotator,label\nA\xff,ann,pro\n",
            "labels.csv, line 2: some bytes cannot be text",
        ),
        ("labels.jsonl", b'{"text": "a"}\n{"text"\n', "labels.jsonl, line 2: expected a JSON object"),
        ("labels.json", b"[1, 2]", "expected a list of tasks, records or rows"),
        ("labels.zip", b"no zip", "expected a zip archive that doccano exported"),
        ("labels.parquet", b"no table", "expected a Parquet file"),
        ("folder", b"", "expected a folder of annotations of Potato"),
    ],
)
def test_a_file_of_no_tool_is_one_clear_error(work: Path, name: str, content: bytes | None, message: str) -> None:
    path = work.parent / name
    if name == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(StanceError, match=message):
        pulled(work, name)
    assert not table_path(work, ANNOTATIONS).exists()


def test_an_archive_never_writes_outside_or_reads_other_files(work: Path) -> None:
    with zipfile.ZipFile(work.parent / "bad.zip", "w") as archive:
        archive.writestr("../../ann.jsonl", json.dumps({"id": 1, "text": S, "label": ["pro"]}))
    pulled(work, "bad.zip")
    assert not (work.parent.parent.parent / "ann.jsonl").exists()
    assert votes(work) == {("s", "A1", "favor")}
    with zipfile.ZipFile(work.parent / "other.zip", "w") as archive:
        archive.writestr("run.exe", "")
    with pytest.raises(TableError, match=r"expected .jsonl, .json or .csv files of doccano; found run.exe"):
        pulled(work, "other.zip")


@given(st.integers(946684800, 4102444800))
def test_a_time_is_the_same_in_seconds_milliseconds_and_text(seconds: int) -> None:
    assert moment_of(seconds) == moment_of(str(seconds)) == moment_of(seconds * 1000)
    assert moment_of(moment_of(seconds)) == moment_of(seconds)


def test_a_file_that_is_read_says_which_tool_wrote_it(work: Path) -> None:
    table(work, "labels.csv", {"text": S, "annotator": "ann", "label": "pro"})
    assert read_file(work.parent / "labels.csv").tool == "a table"
