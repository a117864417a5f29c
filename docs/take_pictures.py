"""Take the pictures of the docs from the tutorial's project: `docs/run_tutorial.py` calls this at its end.

The report's pictures show the tutorial's report; those of the two pages that people label on show one article.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

from labeling.records import Annotation
from labeling.studio.answers import result
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import sign_up

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
ARTICLE = ROOT / "seeds" / "articles" / "gazette" / "2031-02-26-hartwell-no-large-force.txt"
SENTENCE = "each said they had no plan"
ABOUT = (
    "file,outlet,title,published\n"
    f"{ARTICLE.name},Aldmoor Gazette,"
    "Hartwell rules out large force for Karsova as allies round on Castellane,2031-02-26\n"
)
SETTINGS = """[target]
name = "sending Concord troops to Karsova"
[corpus]
root = "news"
[labeling]
title = "Pages"
overlap = 3
"""
LAPTOP: ViewportSize = {"width": 1366, "height": 768}
WIDTH = 1100
"""Width of the report's pictures, in pixels; a wider window would show the table of contents at the side."""
CHROMIUM = "/usr/bin/chromium"
VOTES = (
    ("A1", "favor", "Kestria's stance", False),
    ("A2", "against", 'is "had no plan" a refusal?', True),
    ("A3", "none", "a mere report", False),
)
"""Annotator, label, comment, and whether they are unsure, of the answers that the queue shows."""
READY = "() => document.querySelector('.stance-sentence')?.innerText.trim() && !window.Htx?.isLoading"


def take_pictures(tutorial: Path, empty: Path, server: Server) -> None:
    """Take all pictures, and replace the files in `docs`.

    Args:
        tutorial: the tutorial's project, with its report.
        empty: a folder for the project with one article.
        server: the Label Studio of both.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        _report(browser, tutorial / "work" / "report.html")
        _pages(browser, empty, server)
        browser.close()


def _report(browser: Browser, report: Path) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": 1250})
    page.goto(report.resolve().as_uri())
    page.screenshot(path=DOCS / "report.png")
    page.set_viewport_size({"width": WIDTH, "height": 2300})
    page.locator("#scores").evaluate("section => section.scrollIntoView()")
    page.screenshot(path=DOCS / "report-scores.png")
    page.close()


def _pages(browser: Browser, project: Path, server: Server) -> None:
    """The labelling page with its instructions, and the queue's page, each with the same sentence."""
    (project / "news").mkdir(parents=True)
    copyfile(ARTICLE, project / "news" / ARTICLE.name)
    (project / "news" / "articles.csv").write_text(ABOUT, "utf-8")
    copyfile(DOCS / "codebook.md", project / "codebook.md")
    (project / "stance.toml").write_text(SETTINGS, "utf-8")
    _stance(project, server, "build", "news")
    _stance(project, server, "push")
    context = browser.new_context(viewport=LAPTOP)
    page = context.new_page()
    page.goto(f"{server.url}/user/login/")
    page.fill("input[name=email]", server.username)
    page.fill("input[name=password]", server.password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/user/login" not in url)
    with Studio(server) as studio:
        number = _number(studio, "Pages")
        tasks = studio.tasks(number)
        shown = next(task for task in tasks if SENTENCE in task.data["text"])
        studio.remove_tasks(number, [task.id for task in tasks if task != shown])
        _picture(page, server, number, "labeling.png", instructions=True)
        studio.remove_tasks(number, [shown.id])
        answers = []
        for name, label, comment, unsure in VOTES:
            sign_up(server, f"{name.lower()}@pages.example", f"the password of {name}")
            row = Annotation(sentence_id="", annotator=name, stance=label, comment=comment, unsure=unsure)
            answers.append({"completed_by": {"email": f"{name.lower()}@pages.example"}, "result": result(row)})
        studio.import_tasks(number, [{"data": shown.data, "annotations": answers}])
        for command in ("pull", "adjudicate", "push"):
            _stance(project, server, command)
        _picture(page, server, _number(studio, "Pages - queue"), "queue.png")
    context.close()


def _number(studio: Studio, title: str) -> int:
    found = studio.find_project(title)
    if found is None:
        raise RuntimeError(f"no project is called {title}")
    return found.id


def _picture(page: Page, server: Server, project: int, name: str, *, instructions: bool = False) -> None:
    page.goto(f"{server.url}/projects/{project}/data?labeling=1")
    page.wait_for_function(READY)
    page.keyboard.press("2")
    page.locator(".ant-checkbox-checked input[name=against]").wait_for(state="attached")
    if instructions:
        page.get_by_role("button", name="Instructions").click()
        page.get_by_text("The unit is one sentence").wait_for()
    page.wait_for_timeout(1_000)  # the panel slides in
    page.screenshot(path=DOCS / name)


def _stance(project: Path, server: Server, *arguments: str) -> None:
    environment = os.environ | {"LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.api_key}
    subprocess.run([sys.executable, "-m", "stance", *arguments], cwd=project, env=environment, check=True)
