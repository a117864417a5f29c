"""`[labeling] assign`: each annotator labels sentences of their own, in a project of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigError, StanceError
from corpus.records import ARTICLES
from corpus.tables import read_table
from labeling.assignments import Assignments, place, read_assignments, read_rule, rules_in_table
from labeling.overlap import few_votes
from labeling.records import LabelingSettings
from labeling.studio.answers import chosen
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import sign_up
from tests.conftest import Run
from tests.support.requests import call
from train.settings import read_settings

ROWS = [
    {"sentence_id": f"s{n}", "article_id": f"a{n % 40}", "outlet": ("Gazette", "Sentinel", "")[n % 3], "language": "en"}
    for n in range(600)
]


def of(**rules: list[str]) -> dict[str, set[str]]:
    assignments = read_assignments(rules)
    return {name: assignments.of(name, ROWS) for name in rules}


def test_rules_name_an_outlet_an_article_a_sentence_or_a_language() -> None:
    found = of(ann=["outlet=Gazette"], bo=["article=a3", "sentence=s0"], cy=["language=en"], di=["outlet=None"])
    assert found["ann"] == {row["sentence_id"] for row in ROWS if row["outlet"] == "Gazette"}
    assert found["bo"] == {"s0", *(row["sentence_id"] for row in ROWS if row["article_id"] == "a3")}
    assert len(found["cy"]) == len(ROWS)
    assert found["di"] == set()


def test_ranges_of_several_annotators_overlap_where_they_say_so_and_random_halves_are_independent() -> None:
    found = of(ann=["range:0-0.6"], bo=["range:0.4-1"], cy=["random:0.5"], di=["random:0.5"])
    assert found["ann"] | found["bo"] == {row["sentence_id"] for row in ROWS}
    assert 80 < len(found["ann"] & found["bo"]) < 160  # a fifth of 600 is 120
    assert 250 < len(found["cy"]) < 350
    assert 110 < len(found["cy"] & found["di"]) < 190  # a quarter is 150


@given(st.lists(st.text("abcdef0123456789", min_size=1), unique=True), st.floats(0.01, 0.99))
def test_an_assignment_depends_on_the_sentence_alone_and_parts_make_the_whole(ids: list[str], cut: float) -> None:
    rows = [{"sentence_id": id_} for id_ in ids]
    low, high = f"range:0-{cut:.4f}", f"range:{cut:.4f}-1"
    both = read_assignments({"ann": [low], "bo": [high]})
    ann, bo = both.of("ann", rows), both.of("bo", rows)
    assert ann | bo == set(ids)
    assert not ann & bo
    assert all(both.of("ann", [row]) == {row["sentence_id"]} & ann for row in rows)
    assert both.counts(rows) == dict.fromkeys(ids, 1)
    assert all(0 <= place(id_, "") < 1 for id_ in ids)


@pytest.mark.parametrize(
    "rule", ["outlet", "random:2", "range:0.6-0.4", "random:", "range:0.1", "topic=x", "random:1.2.3"]
)
def test_a_rule_that_is_none_is_one_clear_error(rule: str) -> None:
    with pytest.raises(ValueError, match="assign: ann: expected rules such as 'outlet=Gazette'"):
        read_rule("ann", rule)
    with pytest.raises(ValueError, match="assign: ann"):
        LabelingSettings(assign={"ann": [rule]})


def test_each_annotator_has_a_project_and_names_must_differ() -> None:
    settings = LabelingSettings(assign={"ann": ["random:0.5"], "bo": ["outlet=Gazette"]})
    assert settings.titles == ["Stance - ann", "Stance - bo"]
    for names in (["ann", "ANN"], ["ann", "queue"]):
        with pytest.raises(ValueError, match="expected names that differ"):
            LabelingSettings(assign={name: ["random:1"] for name in names})
    with pytest.raises(ValueError, match="assign and blind"):
        LabelingSettings(assign={"ann": ["random:1"]}, blind=True)


def _settings(folder: Path, table: str) -> LabelingSettings:
    (folder / "assign.csv").write_text(table, "utf-8")
    (folder / "stance.toml").write_text('[labeling]\nassign = "assign.csv"\n', "utf-8")
    return read_settings(folder, required=True).labeling


def test_a_table_assigns_sentences_articles_or_rules(tmp_path: Path) -> None:
    settings = _settings(tmp_path, "annotator;sentence_id;outlet;rule\nann;s1;;\nbo;;Gazette;\nann;;;random:0.5\n")
    assert settings.assign == {"ann": ["sentence=s1", "random:0.5"], "bo": ["outlet=Gazette"]}
    assert settings.titles == ["Stance - ann", "Stance - bo"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("who,sentence\nann,s1\n", "assign.csv: expected the columns annotator and sentence, article"),
        ("annotator,sentence\nann,\n", "assign.csv, line 2: expected an annotator and what is assigned to them"),
        ("annotator,rule\nann,half\n", "assign.csv: assign: ann: expected rules such as"),
        ("annotator,rule\n", "assign.csv: no row assigns anything"),
    ],
)
def test_a_table_that_assigns_nothing_is_one_clear_error(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _settings(tmp_path, table)


def test_a_table_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.csv: no such file; \[labeling\] assign names it"):
        rules_in_table(tmp_path / "none.csv")


def test_a_sentence_needs_as_many_votes_as_annotators_have_it() -> None:
    assigned = {"s1": 1, "s2": 2, "s3": 2}
    few = few_votes({"s1": 1, "s2": 1, "s3": 2, "gone": 1}, LabelingSettings(), 3, assigned)
    assert (few.asked, few.sentences, few.exact, few.assigned) == (2, 1, True, True)
    assert Assignments({}).counts([]) == {}


@pytest.mark.slow
def test_push_pull_and_status_follow_the_assignments_at_a_real_server(stance: Run, server: Server) -> None:
    stance("build", "news")
    table = read_table(stance.project / "work" / "articles.parquet", ARTICLES, "").to_pylist()
    one = table[0]["article_id"]
    text = (stance.project / "stance.toml").read_text()
    rules = f'assign = {{ann = ["range:0-0.7"], bo = ["range:0.3-1"], cy = ["article={one}"]}}'
    (stance.project / "stance.toml").write_text(text.replace("overlap = 2", rules))
    title = read_settings(stance.project, required=True).labeling.title
    said = stance("push")
    assert f"{title} - ann" in said
    held: dict[str, Any] = {}
    with Studio(server) as studio:
        for name in ("ann", "bo", "cy"):
            project = studio.find_project(f"{title} - {name}")
            assert project is not None
            assert project.maximum_annotations == 1
            held[name] = studio.tasks(project.id)
        assert studio.find_project(title) is None
    keys = {name: {task.data["sentence_id"] for task in tasks} for name, tasks in held.items()}
    assert keys["ann"] & keys["bo"]
    assert keys["ann"] - keys["bo"]
    both = sorted(keys["ann"] & keys["bo"])[0]
    for name in ("ann", "bo"):
        key = sign_up(server, f"{name}.{title[-8:]}@lab.example", "a-long-password")
        task = next(task for task in held[name] if task.data["sentence_id"] == both)
        person = Server(url=server.url, api_key=key)
        call(person, "POST", f"/api/tasks/{task.id}/annotations/", result=[chosen("stance", "favor")])
    stance("pull")
    status = json.loads(stance("status", "--json"))
    assert [(row["annotator"], row["sentences"], row["answered"]) for row in status["assigned"]] == [
        ("ann", len(keys["ann"]), 1),
        ("bo", len(keys["bo"]), 1),
        ("cy", len(keys["cy"]), 0),
    ]
    assert status["shared"] == 1
    assert f"assigned to ann: 1 of {len(keys['ann'])} sentences answered" in stance("status")


def test_a_table_of_assignments_is_an_error_of_this_package(tmp_path: Path) -> None:
    with pytest.raises(StanceError):
        _settings(tmp_path, 'annotator,rule\nann,"random\n')
