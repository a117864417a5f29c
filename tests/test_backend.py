"""The model inside an existing Label Studio: what the server asks a backend, and what people see there."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from corpus.errors import StudioError
from labeling.studio import project_page
from labeling.studio.address import free_port
from labeling.studio.connection import Server
from tests.support.commands import run_command
from tests.support.loopback import Loopback
from train.backend.question import QuestionError, find_question
from train.backend.server import Backend
from train.model.files import load_model
from train.predict.judge import open_model

LABELS = ["favor", "against", "none"]
TEXT = "Report: deploy now send now brave weather escalation now never."
TEXTS = [
    TEXT,
    "Report: risk wrong war warn refuse council soldiers war deploy.",
    "Report: bridge council museum danger.",
]


def page(choices: list[str], control: str = "stance", shown: str = "text", field: str = "text", more: str = "") -> str:
    inner = "".join(f'<Choice value="{choice}"/>' for choice in choices)
    return (
        f'<View><Text name="{shown}" value="${field}"/>'
        f'<Choices name="{control}" toName="{shown}" choice="single">{inner}</Choices>{more}</View>'
    )


FOREIGN = page(["None", "For", "Con"], control="opinion", shown="quote", field="sentence")


# --- which question of a page the model can answer


def test_the_question_is_found_by_its_choices_whatever_its_name() -> None:
    found = find_question(page(LABELS), LABELS)
    assert (found.control, found.shown, found.field) == ("stance", "text", "text")
    assert found.choices == {label: label for label in LABELS}
    other = find_question(FOREIGN, LABELS)
    assert (other.control, other.shown, other.field) == ("opinion", "quote", "sentence")
    assert other.choices == {"none": "None", "favor": "For", "against": "Con"}


def test_results_name_a_choice_by_its_alias() -> None:
    text = page([], more="").replace(
        "</Choices>", '<Choice value="Yes" alias="pro"/><Choice value="No" alias="con"/></Choices>'
    )
    assert find_question(text, ["pro", "con"]).choices == {"pro": "pro", "con": "con"}


def test_the_project_s_own_page_fits() -> None:
    found = find_question(project_page.page(project_page.INTERFACE), LABELS)
    assert (found.control, found.shown, found.field) == ("stance", "text", "text")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (page(["yes", "no"]), "labels are favor, against, none, and no Choices control.* found stance: yes, no$"),
        (page([*LABELS, "other"]), "found stance: favor, against, none, other"),
        (page(["favor", "pro", "against", "none"]), "no Choices control"),
        ("<View/>", "found no such control"),
        ("<View>", "the labelling page is not XML"),
        ("", "the labelling page is not XML"),
        (page(LABELS, control="a", more=page(LABELS, control="b")), "several controls .* as choices: a, b; name the"),
        (page(LABELS).replace("$text", "Always this"), "should be about a text of the tasks"),
        (page(LABELS).replace("<Text", "<Image"), "should be about a text of the tasks"),
        ('<!DOCTYPE a [<!ENTITY b "favor">]><View><Choices name="&b;"/></View>', "no Choices control"),
    ],
)
def test_a_page_that_does_not_fit_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        find_question(text, LABELS)


def test_the_control_named_stance_goes_before_others_with_the_same_choices() -> None:
    text = page(LABELS, control="other", more=page(LABELS, control="stance", shown="said", field="said"))
    assert find_question(text, LABELS).field == "said"


# --- what a backend answers


@pytest.fixture
def refused() -> list[str]:
    return []


class _Backend(Backend, Loopback):
    """A backend that runs as long as a block."""


@pytest.fixture
def backend(finished: Path, refused: list[str]) -> Iterator[str]:
    """The address of a backend with the finished project's model."""
    judge = open_model(finished / "work" / "model", "")
    with _Backend(("127.0.0.1", 0), judge, None, refused.append) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}"


def test_predictions_are_those_of_the_model_with_its_probabilities(backend: str, finished: Path) -> None:
    tasks = [{"id": n, "data": {"sentence": text}} for n, text in enumerate(TEXTS)]
    tasks[1:1] = [{"id": 9, "data": {"sentence": " "}}, {"id": 10, "data": {}}]
    answer = httpx.post(
        f"{backend}/predict", json={"tasks": tasks, "label_config": FOREIGN, "params": {"context": None}}
    )
    assert answer.status_code == 200
    first, blank, missing, *rest = answer.json()["results"]
    assert blank == missing == []
    model = load_model(finished / "work" / "model")
    names = {"none": "None", "favor": "For", "against": "Con"}
    version = httpx.get(f"{backend}/health").json()["model_version"]
    for got, label, chances in zip([first, *rest], model.predict(TEXTS), model.probabilities(TEXTS), strict=True):
        (region,) = got["result"]
        assert got["score"] == region["score"] == pytest.approx(max(chances), rel=1e-5)
        assert got["model_version"] == version
        assert (region["from_name"], region["to_name"], region["type"]) == ("opinion", "quote", "choices")
        assert region["value"] == {"choices": [names[label]]}
    assert httpx.post(f"{backend}/predict", json={"tasks": [], "label_config": FOREIGN}).json() == {"results": []}


def test_a_refusal_says_why_in_the_status_line_and_never_repeats_the_servers_key(
    backend: str, refused: list[str]
) -> None:
    setup = {"project": "1.2", "schema": page(["yes", "nö"]), "access_token": "the-key", "hostname": "http://x"}
    answer = httpx.post(f"{backend}/setup", json=setup)
    assert answer.status_code == 400
    assert "the model's labels are favor, against, none, and no Choices control" in answer.reason_phrase
    assert r"n\xf6" in answer.reason_phrase
    assert "nö" in answer.json()["error"]
    assert "the-key" not in answer.text + "".join(refused)
    assert refused[0].startswith("POST /setup refused (400): the model's labels are")
    for method, path, body, status in (
        ("POST", "/predict", b"no json", 400),
        ("POST", "/predict", b'{"tasks": 3}', 400),
        ("POST", "/train", b"{}", 409),
        ("POST", "/webhook", b'{"action": "START_TRAINING"}', 409),
        ("GET", "/elsewhere", b"", 404),
    ):
        assert httpx.request(method, backend + path, content=body).status_code == status
    assert httpx.post(f"{backend}/webhook", content=b'{"action": "ANNOTATION_CREATED"}').json() == {}
    assert httpx.get(f"{backend}/versions").json()["versions"]


def test_with_a_password_only_those_who_know_it_are_answered(finished: Path) -> None:
    judge = open_model(finished / "work" / "model", "")
    with _Backend(("127.0.0.1", 0), judge, ("stance", "geheim ü"), lambda line: None) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        answer = httpx.get(f"{address}/health")
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="stance"')
        assert httpx.get(f"{address}/health", auth=("stance", "wrong")).status_code == 401
        assert httpx.get(f"{address}/health", auth=("stance", "geheim ü")).status_code == 200


def test_the_command_says_where_it_listens_and_warns_beyond_this_computer(finished: Path, tmp_path: Path) -> None:
    port = free_port("0.0.0.0", None)
    command = [str(Path(sys.executable).with_name("stance")), "backend", str(finished / "work" / "model")]
    command += ["--host", "0.0.0.0", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"PYTHONUNBUFFERED": "1"}
    ) as process:
        try:
            _wait(port)
        finally:
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert "(labels favor, against, none) answers at http://" in out
    assert "warning: it listens at 0.0.0.0, without encryption" in err
    assert "set STANCE_BACKEND_PASSWORD" in err
    assert process.returncode == 143


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health").json()["status"] == "UP":
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the backend did not answer")


def test_a_port_that_is_taken_is_one_message(backend: str, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="another program listens there"):
        run_command(tmp_path, "backend", str(finished / "work" / "model"), "--port", backend.rsplit(":", 1)[1])


# --- in a real Label Studio


@pytest.fixture
def web(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Token {server.api_key}"}, timeout=60) as client:
        yield client


def _project(web: httpx.Client, title: str, config: str, field: str) -> int:
    made = web.post("/api/projects", json={"title": title, "label_config": config})
    assert made.status_code == 201, made.text
    number = int(made.json()["id"])
    tasks = [{"data": {field: text}} for text in TEXTS]
    assert web.post(f"/api/projects/{number}/import", json=tasks).status_code == 201
    return number


def _predictions(web: httpx.Client, project: int) -> dict[str, list[dict[str, Any]]]:
    """What Label Studio holds for each text, after it was asked to retrieve predictions."""
    asked = web.post(
        "/api/dm/actions",
        params={"id": "retrieve_tasks_predictions", "project": project},
        json={"selectedItems": {"all": True, "excluded": []}},
    )
    assert asked.status_code == 200, asked.text
    tasks = web.get("/api/tasks", params={"project": project, "fields": "all"}).json()["tasks"]
    return {next(iter(task["data"].values())): task["predictions"] for task in tasks}


@pytest.mark.parametrize(
    ("config", "field", "names"),
    [
        (page(LABELS), "text", dict(zip(LABELS, LABELS, strict=True))),
        (FOREIGN, "sentence", {"none": "None", "favor": "For", "against": "Con"}),
    ],
    ids=["own page", "another project's page"],
)
def test_label_studio_shows_the_models_predictions_with_their_scores(
    web: httpx.Client, backend: str, finished: Path, config: str, field: str, names: dict[str, str], refused: list[str]
) -> None:
    number = _project(web, f"backend {field}", config, field)
    added = web.post("/api/ml", json={"url": backend, "project": number, "title": "stance"})
    assert added.status_code == 201, added.text
    assert web.get("/api/ml", params={"project": number}).json()[0]["readable_state"] == "Connected"
    shown = _predictions(web, number)
    model = load_model(finished / "work" / "model")
    for text, label, chances in zip(TEXTS, model.predict(TEXTS), model.probabilities(TEXTS), strict=True):
        (prediction,) = shown[text]
        assert prediction["result"][0]["value"]["choices"] == [names[label]]
        assert prediction["score"] == pytest.approx(max(chances), rel=1e-5)
    assert refused == []
    # Asked again, Label Studio has them all already.
    assert _predictions(web, number) == shown


def test_label_studio_tells_why_a_project_does_not_fit(web: httpx.Client, backend: str) -> None:
    number = _project(web, "backend other labels", page(["yes", "no"]), "text")
    added = web.post("/api/ml", json={"url": backend, "project": number, "title": "stance"})
    assert added.status_code == 400
    assert "the model's labels are favor, against, none, and no Choices control of the labelling page" in added.text
    assert "found stance: yes, no" in added.text


def test_label_studio_logs_in_with_the_password(web: httpx.Client, finished: Path) -> None:
    number = _project(web, "backend password", page(LABELS), "text")
    judge = open_model(finished / "work" / "model", "")
    with _Backend(("127.0.0.1", 0), judge, ("stance", "secret"), lambda line: None) as own:
        asked = {"url": f"http://127.0.0.1:{own.server_address[1]}", "project": number, "title": "stance"}
        refused = web.post("/api/ml", json=asked)
        assert refused.status_code == 400
        assert "authentication parameters" in refused.text
        login = {"auth_method": "BASIC_AUTH", "basic_auth_user": "stance", "basic_auth_pass": "secret"}
        assert web.post("/api/ml", json=asked | login).status_code == 201
        assert all(_predictions(web, number).values())
