"""A new annotator labels settled sentences first: the score is shown, and the answers count nowhere."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from corpus.errors import ConfigError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.annotator_checks import control_items
from labeling.feedback.qualification import Qualification, draw_qualification, read_qualifications, scores
from labeling.identity.account_register import names_in, read_register
from labeling.records import Annotation, LabelingSettings, Verdict
from labeling.scheme import DEFAULT
from labeling.studio.answers import result
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import sign_up
from labeling.sync.known_answers import read_known, write_known
from stance.commands.push_command import _newcomer
from tests.conftest import Run, vote

SETTINGS = LabelingSettings()
SETTLED = [Verdict(sentence_id=f"s{n}", stance=DEFAULT.names[n % 3], how="unanimous", votes={}) for n in range(9)]
CORPUS = {row.sentence_id for row in SETTLED}


def _draw(earlier: list[Qualification], who: str, answers: list[Annotation], count: int = 4) -> Qualification | None:
    return draw_qualification(earlier, who, count, SETTLED, answers, CORPUS, SETTINGS)


def test_every_newcomer_gets_the_same_sentences_but_none_that_they_know() -> None:
    first, second = _draw([], "A7", []), _draw([], "A8", [])
    assert first is not None
    assert second is not None
    assert first.sentence_ids == second.sentence_ids
    third = _draw([], "A8", [vote(first.sentence_ids[0], "A8", "favor")])
    assert third is not None
    assert first.sentence_ids[0] not in third.sentence_ids
    assert len(set(third.sentence_ids)) == 4
    with pytest.raises(ConfigError, match="expected 10 settled sentences that A7 has not answered; found 9"):
        _draw([], "A7", [], 10)


def test_the_next_qualification_waits_for_the_answers_to_the_last() -> None:
    first = _draw([], "A7", [])
    assert first is not None
    answers = [vote(key, "A7", "favor", control=control) for key, control in first.keys]
    assert _draw([first], "A7", answers[1:]) is None
    other = _draw([first], "A8", answers)
    again = _draw([first], "A7", answers)
    assert other is not None
    assert again is not None
    assert (other.number, again.number) == (2, 2)
    assert not set(again.sentence_ids) & set(first.sentence_ids)


def test_a_score_counts_the_last_answers_beside_the_verdicts() -> None:
    asked = Qualification(number=2, annotator="A7", sentence_ids=["s0", "s1", "s2", "s3", "gone"])
    answers = [
        vote("s0", "A7", "against", control=-2, updated_at="1"),
        vote("s0", "A7", "favor", control=-2, updated_at="2"),
        vote("s1", "A7", "none", control=-2),
        vote("s2", "A7", None, control=-2),
        vote("gone", "A7", "favor", control=-2),
        vote("s3", "A7", "favor", control=-1),
        vote("s3", "A7", "favor"),
    ]
    (found,) = scores([asked], answers, {row.sentence_id: row.stance for row in SETTLED}, DEFAULT.names)
    assert (found.asked, found.answered, found.skipped, found.open, found.scored, found.same) == (5, 4, 1, 1, 2, 1)
    assert found.labels == {"favor": (1, 1), "against": (1, 0)}
    (nobody,) = scores([asked], [], {}, DEFAULT.names)
    assert (nobody.annotator, nobody.answered, math.isnan(nobody.kappa)) == ("A7", 0, True)
    assert control_items([vote("s0", "A7", "favor"), vote("s0", "A7", "none", control=-2)]) == []


def test_qualify_says_what_it_needs(project: object) -> None:
    from stance.command_line import cli

    for wrong in (["--qualify", "Bo"], ["--qualify", "Bo", "--limit", "3", "--control", "2"]):
        done = CliRunner().invoke(cli, ["-C", str(project), "push", *wrong])
        assert done.exit_code == 2
        assert "--qualify NAME needs --limit N" in done.output


def test_two_computers_never_give_one_pseudonym_to_two_newcomers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computers = {"bo@newsroom.org": tmp_path / "one", "cy@newsroom.org": tmp_path / "two"}
    for name, folder in computers.items():
        (folder / "labels").mkdir(parents=True)
        write_jsonl(folder / "labels" / "annotations.jsonl", [vote("s0", who, "favor") for who in ("A1", "A2")])
        monkeypatch.chdir(folder)
        assert _newcomer(name, dry_run=True) == "A3"
        assert not (folder / "labels" / "people.jsonl").exists()
        assert _newcomer(name, dry_run=False) == _newcomer("A3", dry_run=False) == "A3"
    lines = {(folder / "labels" / "people.jsonl").read_text() for folder in computers.values()}
    assert len(lines) == 2
    called = {}
    for name, folder in computers.items():
        (folder / "labels" / "people.jsonl").write_text("".join(sorted(lines)))  # as git merges them
        register = read_register(folder)
        write_known(folder / "work", folder, register, read_known(folder / "work", register))
        called[name] = names_in(read_register(folder))[name]
    assert sorted(called.values()) == ["A3", "A4"]
    merged = {(folder / "labels" / "people.jsonl").read_text() for folder in computers.values()}
    assert len(merged) == 1


@pytest.mark.slow
def test_a_newcomer_qualifies_at_the_server_and_the_answers_count_nowhere(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    work = stance.project / "work"
    title = stance.project.name[-40:]
    with Studio(server) as studio:
        project = studio.find_project(title)
        assert project is not None
        keys = [task.data["sentence_id"] for task in studio.tasks(project.id)]
    rows = [vote(key, who, "favor", codebook="1.0") for key in keys for who in ("A1", "A2")]
    write_jsonl(table_path(work, "annotations.jsonl"), rows)
    stance("adjudicate")
    settled = (work / "verdicts.jsonl").read_bytes()
    before = json.loads(stance("status", "--json"))["agreement"]

    assert "qualification 1: 3 settled sentences for A3" in stance(
        "push", "--qualify", "bo@newsroom.org", "--limit", "3", "--dry-run"
    )
    assert read_qualifications(work) == []
    said = stance("push", "--qualify", "bo@newsroom.org", "--limit", "3")
    assert "nothing to send, 12 unchanged" in said
    assert f"{title} - qualify A3: 3 to create" in said
    assert "all of its sentences have been answered" in stance("push", "--qualify", "A3", "--limit", "3")
    newcomer = Server(url=server.url, api_key=sign_up(server, "bo@newsroom.org", "a-long-password"))
    with Studio(newcomer) as studio:
        project = studio.find_project(f"{title} - qualify A3")
        assert project is not None
        tasks = studio.tasks(project.id)
        assert {task.data["control"] for task in tasks} == {-1}
        for task, label in zip(tasks, ["favor", "none", "favor"], strict=True):
            studio.answer(task.id, result(vote("", "", label)))
    stance("pull")
    answers = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "")
    assert [(row.annotator, row.control) for row in answers if row.control] == [("A3", -1)] * 3
    status = stance("status")
    assert "qualification 1: A3 has answered 3 of 3 settled sentences, 2 of 3 (66.7 %) as settled" in status
    assert "control items" not in status
    stance("adjudicate")
    assert (work / "verdicts.jsonl").read_bytes() == settled
    assert json.loads(stance("status", "--json"))["agreement"] == before
    assert "unchanged" in stance("pull")
