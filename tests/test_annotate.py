"""`stance annotate`: the questions that a model is asked, and the answers that are kept."""

from __future__ import annotations

import json
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from corpus.store import table_path, write_jsonl
from labeling.codebook import Change, Codebook
from labeling.machine.answers import prompt_text
from labeling.machine.prompt import make_prompt, read_label
from labeling.scheme import DEFAULT, Scheme
from tests.conftest import TARGET, Run, vote
from tests.support.chat_server import Asked, Body, ChatServerForTests, sentence_in
from tests.support.machine_coders import add_settings, answers, by_length, sentences


def test_every_sentence_gets_the_label_that_the_model_gave_and_nothing_is_asked_twice(
    annotating: Run, project: Path
) -> None:
    with ChatServerForTests(by_length) as server:
        out = annotating("annotate", "--model", "scripted", "--url", server.url)
        assert "12 labels, 0 answers without one" in out
        assert len(server.asked) == 12
        before = (project / "work" / "machine.jsonl").read_bytes()
        again = annotating("annotate", "--model", "scripted", "--url", server.url)
        assert "0 requests" in again
        assert len(server.asked) == 12
    assert (project / "work" / "machine.jsonl").read_bytes() == before
    texts = sentences(project)
    assert {row.sentence_id: row.stance for row in answers(project)} == {
        row.sentence_id: by_length(texts[row.sentence_id], 1) for row in answers(project)
    }
    row = answers(project)[0]
    assert (row.coder, row.model, row.codebook, row.sample) == ("scripted", "scripted", "1.0", 1)
    assert (row.tokens_in, row.tokens_out, row.answered_by) == (100, 10, "scripted-1")
    assert row.created_at.endswith("Z")


def test_the_file_has_the_columns_of_the_design(annotating: Run, project: Path) -> None:
    with ChatServerForTests() as server:
        annotating("annotate", "--model", "scripted", "--url", server.url, "--limit", "1")
    (line,) = (project / "work" / "machine.jsonl").read_text().splitlines()
    columns = (
        "sentence_id annotator stance seconds created_at updated_at codebook studio_id coder model prompt probabilities"
    )
    assert set(columns.split()) <= json.loads(line).keys()
    assert json.loads(line)["annotator"] is None


def test_the_prompt_has_all_that_annotators_read_and_is_kept_once(annotating: Run, project: Path) -> None:
    (project / "codebook.md").write_text("# Codebook\n\nVersion 2.1\n\nA {text} in braces stays.\n")
    with ChatServerForTests() as server:
        annotating("annotate", "--model", "scripted", "--url", server.url)
        bodies = list(server.asked)
    system = {body["messages"][0]["content"] for body in bodies}
    assert len(system) == 1
    (text,) = system
    assert TARGET in text
    assert "A {text} in braces stays." in text
    for name, hint in DEFAULT.hints.items():
        assert f"- {name}: {hint}" in text
    asked = {sentence_in(body): body["messages"][1]["content"] for body in bodies}
    shown = asked["Several ships lay idle in the harbour at the time."]
    assert "Before the marked sentence: " in shown
    assert "The minister of Brennia visited the port of Ostrel on Monday morning." in shown
    schema = bodies[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["stance"]["enum"] == DEFAULT.names
    (kept,) = (project / "work" / "prompts").iterdir()
    assert kept.stem == answers(project)[0].prompt
    assert kept.read_text().startswith(text)
    assert prompt_text(project / "work", "../../stance") == ""


def test_a_dry_run_prints_a_whole_prompt_and_asks_and_writes_nothing(annotating: Run, project: Path) -> None:
    add_settings(project, "[machine]\ninput_price = 2.5\noutput_price = 10.0\n")
    out = annotating("annotate", "--model", "scripted", "--dry-run", "--limit", "3", "--samples", "2")
    assert "--- system ---" in out
    assert TARGET in out
    assert "6 requests about 3 sentences" in out
    assert "tokens to send" in out
    assert "cost" in out
    assert not (project / "work" / "machine.jsonl").exists()
    assert not (project / "work" / "prompts").exists()
    with ChatServerForTests() as server:
        annotating("annotate", "--model", "scripted", "--url", server.url, "--limit", "1")
    out = annotating("annotate", "--model", "scripted", "--dry-run", "--limit", "3")
    # Two are left, at the 100 and 10 tokens that the server has counted.
    assert "about 200 tokens to send, 20 to receive (as counted so far), cost 0.0007" in out


def test_requests_run_side_by_side_and_the_order_of_the_answers_makes_no_difference(
    annotating: Run, project: Path
) -> None:
    def slow(asked: Asked, body: Body, _number: int) -> bool:
        time.sleep(0.02 + 0.02 * (len(sentence_in(body)) % 5))
        return False

    with ChatServerForTests(by_length, slow) as server:
        annotating("annotate", "--model", "scripted", "--url", server.url, "--jobs", "5")
        assert 1 < server.most_at_once <= 5
    keys = [(row.coder, row.model, row.prompt, row.sentence_id) for row in answers(project)]
    assert keys == sorted(keys)


def test_a_limit_takes_first_what_most_people_labelled_and_a_larger_one_asks_only_the_rest(
    annotating: Run, project: Path
) -> None:
    ids = sorted(sentences(project))
    votes = [vote(ids[3], "A1", "favor"), vote(ids[3], "A2", "favor"), vote(ids[5], "A1", "none")]
    write_jsonl(table_path(project / "work", "annotations.jsonl"), votes)
    with ChatServerForTests() as server:
        annotating("annotate", "--model", "scripted", "--url", server.url, "--limit", "2")
        assert {row.sentence_id for row in answers(project)} == {ids[3], ids[5]}
        annotating("annotate", "--model", "scripted", "--url", server.url, "--limit", "4")
        assert len(server.asked) == 4


def test_samples_are_asked_with_seeds_of_their_own_and_the_first_is_the_label(annotating: Run, project: Path) -> None:
    with ChatServerForTests(lambda text, sample: DEFAULT.names[sample % 3]) as server:
        out = annotating("annotate", "--model", "scripted", "--url", server.url, "--limit", "2", "--samples", "3")
        assert "temperature 0" in out
        assert sorted(body["seed"] for body in server.asked) == [1, 1, 2, 2, 3, 3]
    status = json.loads(annotating("status", "--json"))["machine"]["machines"]["coders"][0]
    assert status["consistency"]["alike"]["value"] == 0
    assert status["shares"][DEFAULT.names[1]]["value"] == 1


def test_another_codebook_is_another_prompt_and_is_compared_beside_the_first(annotating: Run, project: Path) -> None:
    with ChatServerForTests() as server:
        annotating("annotate", "--model", "scripted", "--url", server.url)
        (project / "codebook.md").write_text("# Codebook\n\nVersion 1.1\n\nMore.\n")
        annotating("annotate", "--model", "scripted", "--url", server.url)
        assert len(server.asked) == 24
        (project / "mine.md").write_text("Say {{labels}} of {{target}}.")
        annotating("annotate", "--model", "scripted", "--url", server.url, "--prompt", str(project / "mine.md"))
        assert server.asked[-1]["messages"][0]["content"].startswith("Say - favor")
    machines = json.loads(annotating("status", "--json"))["machine"]["machines"]
    assert len(machines["coders"]) == 3
    assert sorted(row["codebooks"] for row in machines["coders"]) == [[], ["1.0"], ["1.1"]]
    assert machines["common"] == 12


@given(st.text(max_size=60), st.sampled_from(DEFAULT.names))
def test_only_a_label_alone_is_read_as_one(text: str, name: str) -> None:
    found = read_label(text, DEFAULT.names)
    assert found is None or found in text.casefold()
    for form in (name, name.upper(), f" {name}.\n", json.dumps({"stance": name}), f'```\n{{"stance": "{name}"}}\n```'):
        assert read_label(form, DEFAULT.names) == name
    for form in (f"{name} {text}x", json.dumps({"stance": name, "why": text}), json.dumps([name]), f"not {name}"):
        assert read_label(form, DEFAULT.names) is None


def test_labels_of_a_scale_may_come_as_numbers() -> None:
    assert read_label('{"stance": 3}', ["1", "2", "3"]) == "3"
    assert read_label("2", ["1", "2", "3"]) == "2"
    assert read_label('{"stance": true}', ["1", "2", "3"]) is None
    prompt = make_prompt("t", Codebook(text="c", version="1"), Scheme(names=["1", "2"], hints={"1": "low"}))
    assert "- 1: low\n- 2\n" in prompt.system


def test_machine_coders_read_the_codebook_that_annotators_see() -> None:
    front = "---\nversion: 2.0\nreopens: [none]\n---\n"
    book = Codebook(text=f"{front}The rules.\n", version="2.0", changes=(Change(version="2.0"),))
    prompt = make_prompt("t", book, DEFAULT)
    assert "The rules." in prompt.system
    assert "reopens" not in prompt.system
