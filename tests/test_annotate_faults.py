"""`stance annotate` where the server fails or the run is killed."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from corpus.errors import StanceError
from corpus.store import locked
from labeling.machine.answers import answer_file, read_answers
from labeling.machine.records import MachineAnswer
from labeling.scheme import DEFAULT
from tests.conftest import REPO, Run
from tests.support.chat_server import Asked, Body, ChatServerForTests, choice, sentence_in, wait_until
from tests.support.machine_coders import add_settings, answers, by_length, sentences


def faulty(asked: Asked, body: Body, number: int) -> bool:
    """Each sentence meets one fault, or two in a row, before it gets its answer."""
    if number > 2:
        return False
    fault = len(sentence_in(body)) % 7
    if fault == 0:
        asked.fail(429, "slow down", retry_after="0.05")
    elif fault == 1:
        asked.fail(500, "a fault")
    elif fault == 2:
        asked.cut()
    elif fault == 3 and number == 1:
        asked.send(200, b'{"id": "half')
    elif fault == 4 and number == 1:
        time.sleep(1.5)
        return True
    elif fault == 5 and number == 1:
        asked.send(200, {"error": {"message": "overloaded"}})
    elif fault == 6 and number == 1:
        asked.send(502, b"<html>bad gateway</html>", content_type="text/html")
    else:
        return False
    return True


@pytest.mark.usefixtures("quick_retries")
def test_a_run_survives_every_passing_fault_and_no_answered_question_is_asked_again(
    annotating: Run, project: Path
) -> None:
    add_settings(project, "[machine]\ntimeout = 1.0\n")
    with ChatServerForTests(by_length, faulty) as server:
        out = annotating("annotate", "--model", "scripted", "--url", server.url, "--jobs", "3")
        assert "12 labels, 0 answers" in out
        assert len(server.answered) == 12
        assert set(server.answered.values()) == {1}
        assert len(server.asked) > 12
    assert len(answers(project)) == 12
    assert len({len(text) % 7 for text in sentences(project).values()}) >= 6, "the sentences meet too few of the faults"


@pytest.mark.usefixtures("quick_retries")
def test_a_question_without_an_answer_fails_alone_and_the_next_run_asks_only_that(
    annotating: Run, project: Path
) -> None:
    broken = True

    def script(asked: Asked, body: Body, number: int) -> bool:
        if broken and "harbour" in sentence_in(body):
            asked.fail(503, "not now")
            return True
        return False

    with ChatServerForTests(script=script) as server:
        with pytest.raises(StanceError, match=r"1 request got no answer; the last because .* answered 503: not now"):
            annotating("annotate", "--model", "scripted", "--url", server.url)
        assert len(answers(project)) == 11
        broken = False
        before = len(server.asked)
        annotating("annotate", "--model", "scripted", "--url", server.url)
        assert len(server.asked) == before + 1
    assert len(answers(project)) == 12


@pytest.mark.usefixtures("quick_retries")
def test_a_server_that_goes_away_stops_the_run_and_keeps_what_came(annotating: Run, project: Path) -> None:
    calls = itertools.count()

    def script(asked: Asked, body: Body, number: int) -> bool:
        if next(calls) >= 2:
            asked.fail(500, "gone")
            return True
        return False

    with (
        ChatServerForTests(script=script) as server,
        pytest.raises(StanceError, match="requests got no answer, and the run stopped because none came any more"),
    ):
        annotating("annotate", "--model", "scripted", "--url", server.url, "--jobs", "1")
    assert len(answers(project)) == 2


def test_an_answer_outside_the_scheme_is_kept_as_refused_with_its_text_and_not_asked_again(
    annotating: Run, project: Path
) -> None:
    def label(text: str, _sample: int) -> str:
        return "maybe" if "harbour" in text else "none"

    def script(asked: Asked, body: Body, number: int) -> bool:
        if "midnight" in sentence_in(body):
            asked.send(200, choice(None, refusal="I can't help with that."))
        elif "dockers" in sentence_in(body):
            asked.send(200, choice("The stance is favor, I think."))
        elif "ADVERT" in sentence_in(body) or "Friday" in sentence_in(body):
            asked.send(200, choice(""))
        elif "waste" in sentence_in(body):
            asked.fail(400, "the content was filtered", "content_filter")
        else:
            return False
        return True

    with ChatServerForTests(label, script) as server:
        out = annotating("annotate", "--model", "scripted", "--url", server.url)
        assert "7 labels, 5 answers without one" in out
        count = len(server.asked)
        annotating("annotate", "--model", "scripted", "--url", server.url)
        assert len(server.asked) == count
    refused = sorted(row.refused for row in answers(project) if row.stance is None)
    assert [text.split(";")[0] for text in refused] == [
        "(no answer",
        "(refused by the server's filter: the content was filtered)",
        "I can't help with that.",
        "The stance is favor, I think.",
        '{"stance": "maybe"}',
    ]


def test_a_server_that_cannot_constrain_answers_is_asked_without_the_schema(annotating: Run, project: Path) -> None:
    def script(asked: Asked, body: Body, number: int) -> bool:
        if "response_format" in body:
            asked.fail(400, "response_format is not supported")
            return True
        asked.send(200, choice("```json\n" + json.dumps({"stance": "Against"}) + "\n```"))
        return True

    with ChatServerForTests(script=script) as server:
        out = annotating("annotate", "--model", "scripted", "--url", server.url)
        assert "can't constrain answers to the labels" in out
        assert sum("response_format" in body for body in server.asked) == 1
    assert {row.stance for row in answers(project)} == {"against"}


@contextmanager
def started(project: Path, url: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, which is gone at the end."""
    environment = os.environ | {"OPENAI_BASE_URL": url, "PYTHONPATH": str(REPO)}
    command = [sys.executable, "-m", "stance", "-C", str(project), "annotate", "--model", "scripted", *more]
    process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_killed_run_loses_at_most_what_was_in_flight(annotating: Run, project: Path, how: signal.Signals) -> None:
    gate, calls = threading.Event(), itertools.count()

    def script(asked: Asked, body: Body, number: int) -> bool:
        if next(calls) >= 5:
            gate.wait(200)
        return False

    path = project / "work" / "machine.jsonl"
    with ChatServerForTests(by_length, script) as server:
        with started(project, server.url, "--jobs", "2") as process:
            wait_until(lambda: server.busy == 2 and path.is_file() and path.read_bytes().count(b"\n") == 5)
            process.send_signal(how)
            process.communicate(timeout=100)  # less than the server keeps its answers back: nothing waits for these
        assert process.returncode == {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}[how]
        before = {row.request for row in answers(project)}
        assert len(before) == 5
        gate.set()
        wait_until(lambda: server.busy == 0)
        count = len(server.asked)
        annotating("annotate", "--model", "scripted", "--url", server.url)
        assert len(server.asked) == count + 7
    assert len(answers(project)) == 12
    assert before < {row.request for row in answers(project)}


def test_a_line_that_a_power_cut_left_unfinished_is_removed_and_asked_again(annotating: Run, project: Path) -> None:
    with ChatServerForTests(by_length) as server:
        annotating("annotate", "--model", "scripted", "--url", server.url)
        path = project / "work" / "machine.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole[:-30])
        assert len(answers(project)) == 11
        annotating("annotate", "--model", "scripted", "--url", server.url)
        assert len(server.asked) == 13
    assert len(path.read_bytes().splitlines()) == 12
    assert [row.sentence_id for row in answers(project)] == [
        msgspec.json.decode(line)["sentence_id"] for line in whole.splitlines()
    ]


def test_an_answer_is_added_whole(tmp_path: Path) -> None:
    row = MachineAnswer(sentence_id="s", stance="none", coder="c", model="m", prompt="p", refused="é" * 5000)
    (tmp_path / "machine.jsonl").write_bytes(b'{"half')
    with answer_file(tmp_path) as file:
        file.add(row)
        assert read_answers(tmp_path, DEFAULT) == [row]


def test_a_second_run_of_the_project_at_the_same_time_is_refused(annotating: Run, project: Path) -> None:
    with locked(project, "annotate"), ChatServerForTests() as server:
        with pytest.raises(StanceError, match="another `stance annotate` of this project is running"):
            annotating("annotate", "--model", "scripted", "--url", server.url)
        assert server.asked == []
        assert "12 requests" in annotating("annotate", "--model", "scripted", "--dry-run")
