"""A machine coder's labels shown to annotators at a real Label Studio, with a part of the tasks held out."""

from __future__ import annotations

import json
import time

import pytest

from corpus.errors import ConfigError
from corpus.store import read_jsonl, table_path
from labeling.machine.anchoring import Suggestion
from labeling.studio.answers import result
from labeling.studio.api_records import StudioTask
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from tests.conftest import Run, vote
from tests.support.chat_server import ChatServerForTests
from tests.support.machine_coders import answers


def tasks_of(stance: Run, server: Server) -> list[StudioTask]:
    with Studio(server) as studio:
        project = studio.find_project(stance.project.name[-40:])
        assert project is not None
        return studio.tasks(project.id)


def suggestions(stance: Run) -> list[Suggestion]:
    return read_jsonl(table_path(stance.project / "work", "suggestions.jsonl"), Suggestion, "")


def hold_back(stance: Run, share: float) -> None:
    path = stance.project / "stance.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("assist_share")]
    at = lines.index("[labeling]") + 1
    path.write_text("\n".join([*lines[:at], f"assist_share = {share}", *lines[at:]]) + "\n")


def machine_says(stance: Run, label: str) -> None:
    stance("build", "news")
    with ChatServerForTests(lambda text, sample: label) as server:
        stance("annotate", "--model", "scripted", "--url", server.url)


def test_a_part_of_the_tasks_is_held_out_and_the_status_says_how_far_people_follow(stance: Run, server: Server) -> None:
    machine_says(stance, "favor")
    hold_back(stance, 0.5)
    stance("push")  # first without predictions: the tasks are there already
    assert not table_path(stance.project / "work", "suggestions.jsonl").exists()
    dry = stance("push", "--predictions", "--coder", "scripted", "--dry-run")
    assert "held out" in dry
    assert not table_path(stance.project / "work", "suggestions.jsonl").exists()
    stance("push", "--predictions", "--coder", "scripted")
    tasks = tasks_of(stance, server)
    shown = {str(task.data["sentence_id"]) for task in tasks if task.total_predictions}
    noted = {row.sentence_id: row for row in suggestions(stance)}
    assert len(tasks) == len(noted) == 12
    assert {key for key, row in noted.items() if row.shown} == shown
    assert 0 < len(shown) < 12
    assert {(row.stance, row.model) for row in noted.values()} == {("favor", "scripted")}

    # The same push again changes nothing, and neither is anything noted twice.
    before = suggestions(stance)
    stance("push", "--predictions", "--coder", "scripted")
    assert suggestions(stance) == before
    assert {str(task.data["sentence_id"]) for task in tasks_of(stance, server) if task.total_predictions} == shown

    with Studio(server) as studio:
        for task in tasks:
            label = "favor" if task.data["sentence_id"] in shown else "none"
            studio.answer(task.id, result(vote("", "", label)), seconds=3.0)
    stance("pull")
    anchoring = json.loads(stance("status", "--json"))["machine"]["anchoring"]
    assert (anchoring["shown"], anchoring["held_back"]) == (len(shown), 12 - len(shown))
    assert anchoring["difference"]["value"] == 1
    assert "anchoring: annotators gave the suggested label in 100.0 %" in stance("status")

    # A larger share shows more from then on; what was shown stays so.
    time.sleep(1)  # the server says when it is in whole seconds
    hold_back(stance, 1.0)
    stance("push", "--predictions", "--coder", "scripted")
    assert all(task.total_predictions for task in tasks_of(stance, server))
    later = suggestions(stance)
    assert later[:12] == before
    assert {row.sentence_id for row in later[12:]} == noted.keys() - shown
    # The answers came before that, so that they are counted as they were given.
    assert json.loads(stance("status", "--json"))["machine"]["anchoring"] == anchoring


def test_a_smaller_share_takes_nothing_back_that_was_shown(stance: Run, server: Server) -> None:
    machine_says(stance, "none")
    stance("push", "--predictions", "--coder", "scripted")
    before = suggestions(stance)
    assert all(row.shown for row in before)
    hold_back(stance, 0.1)
    stance("push", "--predictions", "--coder", "scripted")
    assert suggestions(stance) == before
    assert all(task.total_predictions for task in tasks_of(stance, server))


def test_without_predictions_annotators_see_nothing_of_machine_coders(stance: Run, server: Server) -> None:
    machine_says(stance, "against")
    stance("push")
    tasks = tasks_of(stance, server)
    assert not any(task.total_predictions for task in tasks)
    assert not any("against" in str(task.data.values()) or "scripted" in str(task.data.values()) for task in tasks)


def test_a_coder_who_does_not_exist_or_has_two_prompts_cannot_be_shown(stance: Run) -> None:
    machine_says(stance, "favor")
    with pytest.raises(ConfigError, match="there is no such machine coder; those of this project are: 'scripted'"):
        stance("push", "--predictions", "--coder", "robot")
    (stance.project / "codebook.md").write_text("# Codebook\n\nVersion 2.0\n")
    with ChatServerForTests() as server:
        stance("annotate", "--model", "scripted", "--url", server.url)
    assert len({row.prompt for row in answers(stance.project)}) == 2
    with pytest.raises(ConfigError, match="has answered by 2 prompts or temperatures"):
        stance("push", "--predictions", "--coder", "scripted")
