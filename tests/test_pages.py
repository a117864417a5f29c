"""The two pages that people work in, in a real Chromium against a real Label Studio."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from corpus.store import read_jsonl
from labeling.codebook import Codebook
from labeling.records import Annotation, Verdict
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.studio.answers import read_adjudication, read_answer
from labeling.studio.api_records import StudioTask
from labeling.studio.client import ANSWERS, Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import sign_up
from labeling.studio.project_page import INTERFACE, QUEUE, instruction
from labeling.studio.project_page import page as page_of
from tests.conftest import Run, book

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
KEYS: dict[Stance, str] = {"favor": "1", "against": "2", "none": "3"}
PEOPLE = ("ada", "ben", "cleo")
PASSWORD = "a-long-password"
EACH = 30

CURRENT = "() => [window.Htx?.task?.id, document.querySelector('.stance-sentence')?.innerText.trim()]"
NEXT = """before => { const s = window.Htx; return s && !s.isLoading && s.task && s.task.id !== before
    && s.annotationStore?.selected && document.querySelector('.stance-sentence')?.innerText.trim(); }"""


@contextmanager
def _person(browser: Browser, server: Server, email: str, password: str, *, phone: bool = False) -> Iterator[Page]:
    """A browser of their own, logged in."""
    context = browser.new_context(
        viewport=PHONE if phone else LAPTOP,  # type: ignore[arg-type]
        has_touch=phone,
        is_mobile=phone,
    )
    page = context.new_page()
    page.goto(f"{server.url}/user/login/")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")  # on a phone the form's own button lies under a picture
    page.wait_for_url(lambda url: "/user/login" not in url)
    try:
        yield page
    finally:
        context.close()


def _begin(page: Page, server: Server, project_id: int) -> None:
    """Open the labelling stream."""
    page.goto(f"{server.url}/projects/{project_id}/data?labeling=1")
    page.wait_for_function(NEXT, arg=None)


def _choose(page: Page, stance: Stance) -> None:
    page.keyboard.press(KEYS[stance])
    page.locator(f".ant-checkbox-checked input[name={stance}]").wait_for(state="attached")


def _send(page: Page, keys: str, method: str = "POST") -> None:
    with page.expect_response(
        lambda response: "/annotations" in response.url and response.request.method == method
    ) as sent:
        page.keyboard.press(keys)
    assert sent.value.ok


def _chosen(page: Page) -> list[str]:
    names: list[str] = page.locator(".ant-checkbox-checked input").evaluate_all("all => all.map(one => one.name)")
    return names


def _project(server: Server, title: str) -> int:
    with Studio(server) as studio:
        found = studio.find_project(title)
    assert found is not None
    return found.id


def _held(server: Server, project_id: int) -> list[StudioTask]:
    with Studio(server) as studio:
        return studio.tasks(project_id, ANSWERS)


def _more_news(stance: Run) -> None:
    towns = "Ostrel Varn Quill Marrow Tessen Ilk Dunmar Fell".split()
    for outlet, thing in (("gazette", "bridge"), ("cwa", "harbour"), ("sentinel", "railway")):
        sentences = [
            f"The council of {town} argued over the {thing} for {n} hours on Tuesday."
            for n, town in enumerate(towns, 2)
        ]
        (stance.project / "news" / outlet / f"{thing}.txt").write_text(" ".join(sentences) + "\n", "utf-8")


@pytest.mark.slow
def test_three_people_label_thirty_sentences_with_hotkeys(stance: Run, server: Server, browser: Browser) -> None:
    settings = stance.project / "stance.toml"
    settings.write_text(settings.read_text("utf-8").replace("overlap = 2", "overlap = 3"), "utf-8")
    _more_news(stance)
    stance("build", "news")
    assert "36 to create" in stance("push")
    project_id = _project(server, stance.project.name[-40:])
    given: dict[tuple[str, int], Stance | None] = {}
    for number, name in enumerate(PEOPLE):
        email = f"{name}@pages.example"
        sign_up(server, email, PASSWORD)
        with _person(browser, server, email, PASSWORD) as page:
            _begin(page, server, project_id)
            for turn in range(EACH):
                task, _ = page.evaluate(CURRENT)
                if turn == 7 * (number + 1):
                    given[email, task] = None
                    _send(page, "Control+Space")
                else:
                    # Unlike answers in an order that is no one else's.
                    given[email, task] = DEFAULT.names[(turn // (number + 1) + number) % 3]
                    _choose(page, given[email, task] or "none")
                    _send(page, "Control+Enter")
                page.wait_for_function(NEXT, arg=task)
            changed = min(task for (who, task), answer in given.items() if who == email and answer == "favor")
            page.goto(f"{server.url}/projects/{project_id}/data?task={changed}")
            page.locator(".ant-checkbox-checked input[name=favor]").wait_for(state="attached")
            given[email, changed] = "against"
            _choose(page, "against")
            _send(page, "Control+Enter", "PATCH")

    with Studio(server) as studio:
        accounts = studio.accounts()
    held = {
        (accounts[raw["completed_by"]], task.id): read_answer(raw, "", "", book("1.0")).stance
        for task in _held(server, project_id)
        for raw in task.annotations
    }
    assert held == given
    assert Counter(answer for answer in held.values())[None] == len(PEOPLE)
    assert sum(len(task.annotations) for task in _held(server, project_id)) == len(PEOPLE) * EACH

    assert "90 answers of 3 annotators, 3 of them skips" in stance("pull")
    ids = {task.id: str(task.data["sentence_id"]) for task in _held(server, project_id)}
    rows = read_jsonl(stance.project / "labels" / "annotations.jsonl", Annotation, "")
    assert Counter((row.sentence_id, row.stance) for row in rows) == Counter(
        (ids[task], answer) for (_, task), answer in given.items()
    )
    assert all(row.seconds is not None and row.seconds > 0 for row in rows)
    labelled = Counter(task for (_, task), answer in given.items() if answer)
    several = sum(count > 1 for count in labelled.values())
    assert f"{len(labelled)} of 36 sentences labelled, {several} by two or more" in stance("status")


@pytest.mark.slow
def test_digits_typed_into_a_text_field_choose_nothing(stance: Run, server: Server, browser: Browser) -> None:
    stance("build", "news")
    stance("push")
    project_id = _project(server, stance.project.name[-40:])
    with _person(browser, server, server.username, server.password) as page:
        _begin(page, server, project_id)
        task, _ = page.evaluate(CURRENT)
        _choose(page, "favor")
        for field, typed in (("holder", "32 deputies"), ("comment", "1, 2, 3 or 4?")):
            page.click(f"input[name={field}]")
            page.keyboard.type(typed)
            assert page.input_value(f"input[name={field}]") == typed
            assert _chosen(page) == ["favor"]
        page.keyboard.press("Enter")
        page.keyboard.press("4")
        page.locator(".ant-checkbox-checked input[name=unsure]").wait_for(state="attached")
        _send(page, "Control+Enter")
    raw = next(task_ for task_ in _held(server, project_id) if task_.id == task).annotations
    assert len(raw) == 1
    row = read_answer(raw[0], "", "", book("1.0"))
    assert (row.stance, row.unsure, row.holder, row.comment) == ("favor", True, "32 deputies", "1, 2, 3 or 4?")


QUEUED: dict[str, Any] = {
    "sentence_id": "q1",
    "text": "The council said that it would send two ships, or none at all.",
    "before": "",
    "after": "Nobody asked which.",
    "title": "",
    "outlet": "Gazette",
    "published": "",
    "target": "sending ships",
    "votes": "A1 favor · A2 against (unsure)",
    "comments": "",
    "reason": "2 votes, no majority",
}


def _queue(server: Server, title: str, tasks: int = 1) -> int:
    with Studio(server) as studio:
        codebook = Codebook(text="# Codebook\n\nVersion 1.0\n", version="1.0")
        project_id = studio.create_project(
            title, label_config=page_of(QUEUE), expert_instruction=instruction(codebook), show_instruction=False
        )
        studio.import_tasks(project_id, [{"data": {**QUEUED, "sentence_id": f"q{n}"}} for n in range(1, tasks + 1)])
    return project_id


def test_the_queue_is_answered_with_hotkeys(server: Server, browser: Browser) -> None:
    project_id = _queue(server, "Queue with hotkeys")
    with _person(browser, server, server.username, server.password) as page:
        _begin(page, server, project_id)
        shown = page.locator(".stance-card").inner_text()
        assert all(str(QUEUED[name]) in shown for name in ("target", "text", "after", "outlet", "votes", "reason"))
        assert "The codebook is under Instructions at the top." in shown
        assert "the codebook should say this: write it in the note" in shown
        assert not page.locator(".stance-said .lsf-object").is_visible()  # no comments, no empty box
        _choose(page, "against")
        page.keyboard.press("8")
        page.keyboard.press("0")
        page.click("input[name=note]")
        page.keyboard.type("rule 7, not 1")
        page.keyboard.press("Enter")
        assert sorted(_chosen(page)) == ["against", "medium", "the codebook should say"]
        _send(page, "Control+Enter")
    (task,) = _held(server, project_id)
    (raw,) = task.annotations
    row = read_adjudication(raw, "", "", book("1.0"), {})
    assert (row.stance, row.confidence, row.codebook_should_say, row.note) == (
        "against",
        "medium",
        True,
        "rule 7, not 1",
    )


@pytest.mark.slow
def test_four_labels_go_through_the_server_and_the_queue(stance: Run, server: Server, browser: Browser) -> None:
    settings = stance.project / "stance.toml"
    settings.write_text(
        settings.read_text("utf-8")
        + f"[labels]\nnames = {list(FOUR.names)}\n[labels.hints]\nquery = 'asks < \"whether\" & why'\n",
        "utf-8",
    )
    stance("build", "news", "--workers", "1")
    stance("push")
    title = stance.project.name[-40:]
    first = _project(server, title)
    given: list[tuple[str, list[str]]] = []
    for person, keys in (("scheme-ada", "1234"), ("scheme-ben", "1243")):
        sign_up(server, f"{person}@people.example", PASSWORD)
        with _person(browser, server, f"{person}@people.example", PASSWORD) as page:
            _begin(page, server, first)
            assert 'asks < "whether" & why' in page.locator(".stance-main").inner_text()
            for key in keys:
                before, _ = page.evaluate(CURRENT)
                page.keyboard.press(key)
                page.keyboard.press("5")  # the key after those of the labels
                name = FOUR.names[int(key) - 1]
                page.locator(f".ant-checkbox-checked input[name={name}]").wait_for(state="attached")
                given.append((before, sorted(_chosen(page))))
                _send(page, "Control+Enter")
                page.wait_for_function(NEXT, arg=before)
    assert all(
        chosen == sorted([FOUR.names[int(key) - 1], "unsure"])
        for (_, chosen), key in zip(given, "12341243", strict=True)
    )
    stance("pull")
    rows = read_jsonl(stance.project / "labels" / "annotations.jsonl", Annotation, "")
    assert Counter(row.stance for row in rows) == {"support": 2, "deny": 2, "query": 2, "comment": 2}
    stance("adjudicate")
    assert "support  deny  query  comment" in stance("status")
    stance("push", "--limit", "0")
    queue = _project(server, f"{title} - queue")
    with _person(browser, server, server.username, server.password) as page:
        _begin(page, server, queue)
        page.keyboard.press("3")
        page.locator(".ant-checkbox-checked input[name=query]").wait_for(state="attached")
        page.keyboard.press("8")
        _send(page, "Control+Enter")
    stance("pull")
    stance("adjudicate")
    verdicts = read_jsonl(stance.project / "work" / "verdicts.jsonl", Verdict, "")
    assert [row.stance for row in verdicts if row.how == "adjudicated"] == ["query"]


def test_a_phone_reaches_every_control_without_scrolling_sideways(server: Server, browser: Browser) -> None:
    project_id = _queue(server, "Queue on a phone")
    with _person(browser, server, server.username, server.password, phone=True) as page:
        _begin(page, server, project_id)
        width, full = page.evaluate(
            "() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]"
        )
        assert full == width
        for name in (".stance-choices label", ".stance-more input", ".lsf-controls button"):
            for control in page.locator(name).all():
                box = control.bounding_box()
                assert box is not None
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
        page.locator("label", has_text="none").tap()
        page.get_by_label("Submit current annotation").tap()
        page.wait_for_function("() => !document.querySelector('.stance-sentence')")
    (task,) = _held(server, project_id)
    assert [read_answer(raw, "", "", book("1.0")).stance for raw in task.annotations] == ["none"]


SEEN = """() => { const box = document.querySelector('.stance-sentence').getBoundingClientRect();
    return [.1, .5, .9].every(part => document.elementFromPoint(box.x + part * box.width, box.y + box.height / 2)
        ?.closest('.stance-sentence')); }"""
"""Whether nothing lies over the sentence."""


@pytest.mark.slow
@pytest.mark.parametrize("width", [1366, 1000, 800])
def test_hotkeys_never_label_a_sentence_that_the_codebook_covers(server: Server, browser: Browser, width: int) -> None:
    project_id = _queue(server, f"Queue beside the codebook, {width}", tasks=2)
    with _person(browser, server, server.username, server.password) as page:
        page.set_viewport_size({"width": width, "height": 768})
        _begin(page, server, project_id)
        page.wait_for_timeout(1500)  # a window that opens by itself did so within half a second
        assert page.locator(".stance-codebook").count() == 0
        page.get_by_role("button", name="Instructions").click()
        page.locator(".stance-codebook").wait_for()
        page.wait_for_function(SEEN)
        task, _ = page.evaluate(CURRENT)
        _choose(page, "favor")
        _send(page, "Control+Enter")
        page.wait_for_function(NEXT, arg=task)
        page.wait_for_function(SEEN)
        assert page.locator(".stance-codebook").is_visible()
        page.keyboard.press("Escape")
        page.locator(".stance-codebook").wait_for(state="detached")
        assert page.evaluate(SEEN)
    assert sorted(len(held.annotations) for held in _held(server, project_id)) == [0, 1]


def test_the_codebook_is_shown_as_html_and_html_inside_it_stays_text() -> None:
    page = instruction(
        Codebook(
            text="# Rules\n\n1. **first** <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n"
            "| label | key |\n|---|---|\n| `favor` | 1 |\n\n[here](javascript:alert(1))\n",
            version="1",
        )
    )
    assert "<h1>Rules</h1>" in page
    assert "<strong>first</strong> &lt;script&gt;" in page
    assert "<td><code>favor</code></td>" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "href" not in page


FOUR = Scheme(names=["support", "deny", "query", "comment"], hints={"query": 'asks < "whether" & why'})
NINE = Scheme(names=["-4", "-3", "-2", "-1", "0", "+1", "+2", "d'accord", "not so"])


@pytest.mark.parametrize("scheme", [DEFAULT, Scheme(names=["pro", "con"]), FOUR, NINE], ids=["3", "2", "4", "9"])
@pytest.mark.parametrize("path", [INTERFACE, QUEUE], ids=["labelling", "queue"])
def test_a_page_has_each_hotkey_once_and_the_labels_on_1_to_9(path: Any, scheme: Scheme) -> None:
    root = ET.fromstring(page_of(path, scheme))
    keys = [(choice.get("value"), choice.get("hotkey")) for choice in root.iter("Choice")]
    # A choice without a key would be given one by the server, in no order that we chose.
    assert all(key for _, key in keys)
    assert len({key for _, key in keys}) == len(keys)
    assert keys[: len(scheme.names)] == [(name, str(n)) for n, name in enumerate(scheme.names, 1)]
    shown = [choice.get("html") for choice in root.iter("Choice")][: len(scheme.names)]
    for name, text in zip(scheme.names, shown, strict=True):
        hint = scheme.hints.get(name)
        assert text == escape(name) + (f" <small>{escape(hint)}</small>" if hint else "")
    (stances,) = (control for control in root.iter("Choices") if control.get("name") == "stance")
    assert stances.get("toName") == "text"
    assert [text.get("value") for text in root.iter("Text") if text.get("name") == "text"] == ["$text"]
