"""`stance annotate` with bad input: one message each, and nothing half-written."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from corpus.errors import ConfigError, TableError
from corpus.store import table_path, write_jsonl
from labeling.codebook import Codebook
from labeling.machine import client
from labeling.machine.client import ModelError
from labeling.machine.prompt import make_prompt
from labeling.machine.server import ChatServer, find_chat_server
from labeling.scheme import DEFAULT
from tests.conftest import Run, vote
from tests.support.chat_server import Asked, Body, ChatServerForTests
from tests.support.machine_coders import answers, nothing_written, sentences

KEY = "sk-secret-123456789"


@pytest.mark.usefixtures("quick_retries")
def test_no_server_a_wrong_key_and_an_unknown_model_are_one_message_each(
    annotating: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="no chat server is known: give its address with --url or in OPENAI_BASE_URL"):
        annotating("annotate", "--model", "scripted")
    with pytest.raises(ModelError, match=r"http://127.0.0.1:9/v1 cannot be reached.* Nothing was asked"):
        annotating("annotate", "--model", "scripted", "--url", "http://127.0.0.1:9/v1")

    def locked(asked: Asked, body: Body, number: int) -> bool:
        if asked.headers["Authorization"] != f"Bearer {KEY}":
            asked.fail(401, f"Incorrect API key provided: {asked.headers['Authorization']}", "invalid_api_key")
        elif body["model"] != "scripted":
            asked.fail(404, f"The model {body['model']} does not exist", "model_not_found")
        else:
            return False
        return True

    with ChatServerForTests(script=locked, models=["scripted", "other"]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with pytest.raises(ModelError, match=r"asks for a key \(401\): put it into the environment as OPENAI_API_KEY"):
            annotating("annotate", "--model", "scripted")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-key-98765")
        with pytest.raises(ModelError, match=r"does not accept the key \(401\)") as caught:
            annotating("annotate", "--model", "scripted")
        assert "98765" not in str(caught.value)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        with pytest.raises(ModelError, match=r"has no model 'x'.*It has: 'scripted', 'other'"):
            annotating("annotate", "--model", "x")
        assert nothing_written(project)
        out = annotating("annotate", "--model", "scripted")
        assert "12 labels" in out
    for path in project.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_a_context_longer_than_the_model_takes_stops_before_anything_is_written(annotating: Run, project: Path) -> None:
    def script(asked: Asked, body: Body, number: int) -> bool:
        size = len(body["messages"][1]["content"])
        if size > limit:
            asked.fail(400, f"This model's maximum context length is {limit}", "context_length_exceeded")
        return size > limit

    limit = 10
    with ChatServerForTests(script=script) as server:
        with pytest.raises(ModelError, match=r"longer than the model 'scripted' takes: This model's maximum context"):
            annotating("annotate", "--model", "scripted", "--url", server.url)
        assert len(server.asked) == 1
        assert nothing_written(project)
        limit = 320
        out = annotating("annotate", "--model", "scripted", "--url", server.url)
        assert "of the refused were longer than the model takes" in out
        count = len(server.asked)
        annotating("annotate", "--model", "scripted", "--url", server.url)
        assert len(server.asked) == count
    assert any(row.refused.startswith("(not asked: ") for row in answers(project))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://x/v1", "expected the address of a chat server"),
        ("127.0.0.1:8080", "expected the address of a chat server"),
        ("http://me:pw@host/v1", "holds a user or password"),
        ("http://[::1/v1", "expected the address of a chat server"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        find_chat_server(url)
    assert "pw" not in str(caught.value)


def test_plain_http_to_another_computer_warns_and_a_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for url in ("http://127.0.0.1:1/v1", "http://localhost/v1", "http://[::1]:8/v1", "https://models.example/v1"):
        assert find_chat_server(url).warning == ""
    for url in ("http://models.example/v1", "http://192.168.0.7/v1", "http://localhost.example/v1"):
        assert "is not encrypted" in find_chat_server(url).warning
    assert KEY not in repr(ChatServer(url="http://x", key=KEY))
    monkeypatch.setenv("OPENAI_API_KEY", "two words")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY holds spaces"):
        find_chat_server("http://localhost")


@pytest.mark.parametrize("name", ["A1", "a7", "unknown 3", "A2 ", "", "annA", "Ada Lorne", "two\nlines"])
def test_a_coder_named_like_a_person_is_refused(annotating: Run, project: Path, name: str) -> None:
    private = project / ".stance"
    private.mkdir(mode=0o700)
    (private / "annotators.json").write_text(
        json.dumps({"form": 2, "people": {"A4": {"names": ["ada lorne"]}}, "places": []})
    )
    write_jsonl(table_path(project / "work", "annotations.jsonl"), [vote(next(iter(sentences(project))), "Anna", None)])
    (project / "p.csv").write_text("sentence_id,label\n")
    arguments = ["--from", str(project / "p.csv"), "--coder", name] if name else ["--model", "A9"]
    with pytest.raises(ConfigError, match=r"is a person's, or could become one|expected a name of 1 to 100"):
        annotating("annotate", *arguments)
    assert nothing_written(project)


def test_a_coder_s_name_stands_for_one_model_and_no_answer_is_paid_for_twice_under_another_name(
    annotating: Run, project: Path
) -> None:
    with ChatServerForTests() as server:
        annotating("annotate", "--model", "scripted", "--coder", "mine", "--url", server.url)
        with pytest.raises(ConfigError, match="the name 'mine' stands for the model 'scripted' already"):
            annotating("annotate", "--model", "other", "--coder", "mine", "--url", server.url)
        with pytest.raises(ConfigError, match="under the name 'mine' already, and nothing is asked twice"):
            annotating("annotate", "--model", "scripted", "--url", server.url)
        assert len(server.asked) == 12


def test_a_prompt_file_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path) -> None:
    codebook = Codebook(text="Version 1", version="1")
    path = tmp_path / "p.md"
    for text, message in (
        ("Say.\n\n{{tarket}}", r"line 3: expected one of the placeholders \{\{target\}\}, .*; found \{\{tarket\}\}"),
        (" \n", "the file is empty"),
        ("\udcff", "expected UTF-8"),
    ):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(ConfigError, match=message):
            make_prompt("t", codebook, DEFAULT, path)
    with pytest.raises(ConfigError, match="cannot be read"):
        make_prompt("t", codebook, DEFAULT, tmp_path / "none.md")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model", "x", "--from", "f.csv"],
        ["--from", "f.csv"],
        ["--from", "f.csv", "--coder", "c", "--limit", "3"],
        ["--model", "x", "--description", "d"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    annotating: Run, project: Path, arguments: Sequence[str]
) -> None:
    from click.testing import CliRunner

    from stance.command_line import cli

    here = Path.cwd()
    try:
        assert CliRunner().invoke(cli, ["-C", str(project), "annotate", *arguments]).exit_code == 2
    finally:
        os.chdir(here)


def test_a_machine_file_with_a_label_outside_the_scheme_is_refused_with_its_line(
    annotating: Run, project: Path
) -> None:
    rows = [
        {"sentence_id": "s", "stance": label, "coder": "c", "model": "m", "prompt": "p"} for label in ("none", "pro")
    ]
    path = project / "work" / "machine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(TableError, match=r"machine.jsonl, line 2: expected one of the labels .* found 'pro'"):
        annotating("status")
    path.write_text('{"sentence_id": 3}\n')
    with pytest.raises(TableError, match=r"machine.jsonl, line 1: expected an answer of a machine coder"):
        annotating("status")


def test_without_the_client_library_the_message_says_what_to_install(
    annotating: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ConfigError, match=r"pip install 'stance-corpus\[llm\]'"):
        annotating("annotate", "--model", "scripted", "--url", "http://127.0.0.1:9/v1")
    assert "requests about" in annotating("annotate", "--model", "scripted", "--dry-run")
    assert client.RETRIES >= 2
