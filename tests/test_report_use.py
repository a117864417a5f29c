"""What one can do with the page: find the way in it, save its figures, and read its numbers by a program."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import msgspec
import pytest
from markupsafe import escape

from labeling.sampling.sample_table import Draw, write_sample
from labeling.scheme import DEFAULT
from labeling.status import read_status
from tests.conftest import copy_tables
from train.predict.predict import predict_corpus
from train.report.label_sentences import drawn_words
from train.report.page import report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def work(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the finished project, with predictions and a report."""
    work = tmp_path_factory.mktemp("reported") / "work"
    copy_tables(finished / "work", work)
    predict_corpus(work, "a target <b>")
    report(work, "a target <b>")
    return work


@pytest.fixture
def page(work: Path, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    page = context.new_page()
    page.goto((work / "report.html").as_uri())
    yield page
    context.close()


def test_the_contents_stay_in_sight_on_a_wide_screen_and_show_the_section_that_is_read(page: Page) -> None:
    inside = "document.querySelector('nav').getBoundingClientRect().top >= 0"
    beside = (
        "document.querySelector('nav').getBoundingClientRect().right"
        " <= document.querySelector('main h2').getBoundingClientRect().left"
    )
    page.evaluate("document.getElementById('calibration').scrollIntoView()")
    page.wait_for_function("document.querySelector('nav a[aria-current]')?.hash === '#calibration'")
    assert page.evaluate(inside)
    assert page.evaluate(beside)
    page.set_viewport_size({"width": 820, "height": 900})
    assert not page.evaluate(inside)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_is_saved_as_svg_and_png(page: Page, tmp_path: Path, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    lines = page.locator(".save")
    assert lines.count() == page.locator(".plot svg").count() > 5
    names = set()
    for n in range(lines.count()):
        if n % 8 == 7:
            page.reload()  # Chromium ignores more than ten downloads of a page in quick succession
        with page.expect_download() as waiting:
            lines.nth(n).get_by_text("Save as SVG").click()
        names.add(waiting.value.suggested_filename)
        drawing = Path(waiting.value.path()).read_text("utf-8")
        title = lines.nth(n).evaluate("(e) => e.previousElementSibling.querySelector('title').textContent")
        root = ElementTree.fromstring(drawing)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert f">{escape(title)}</text>" in drawing
        assert "class=" not in drawing
        assert "rgb(0, 114, 178)" in drawing or "rgb(194, 78, 0)" in drawing or "rgb(107, 116, 125)" in drawing, title
    assert "Share-of-each-stance-by-month-raw-predictions-of-the-model.svg" in names
    assert "Share-of-each-stance-among-the-settled-labels-by-month.svg" in names
    page.reload()
    months = page.locator(".plot.wide + .save")
    assert months.count() == 2, "of the settled labels, and by the model"
    for month in months.all():
        with page.expect_download() as waiting:
            month.get_by_text("Save as SVG").click()
        for stance in DEFAULT.names:
            assert f">{stance}</text>" in Path(waiting.value.path()).read_text("utf-8")
    with page.expect_download() as waiting:
        month.get_by_text("Save as PNG").click()
    picture = Path(waiting.value.path()).read_bytes()
    assert picture.startswith(b"\x89PNG")
    wide, high = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
    assert wide > 900
    assert high > 300
    data = base64.b64encode(picture).decode()
    colours = page.context.new_page()
    seen: list[int] = colours.evaluate(
        """async (data) => {
            const image = new Image(); image.src = "data:image/png;base64," + data; await image.decode();
            const canvas = document.createElement("canvas");
            canvas.width = image.width; canvas.height = image.height;
            const pen = canvas.getContext("2d"); pen.drawImage(image, 0, 0);
            const points = pen.getImageData(0, 0, image.width, image.height).data;
            const count = new Set();
            for (let n = 0; n < points.length; n += 4) count.add(points[n] << 16 | points[n + 1] << 8 | points[n + 2]);
            return [points[0], points[3], count.size];
        }""",
        data,
    )
    assert seen[:2] == [255, 255], "the corner is white and opaque"
    assert seen[2] > 20, "the figure has colours"
    assert not complaints


def _spellings(value: object) -> Iterator[str]:
    """The ways in which the page may write the numbers of a JSON value."""
    if isinstance(value, dict):
        yield str(len(value))
        for part in value.values():
            yield from _spellings(part)
    elif isinstance(value, list):
        yield str(len(value))
        for part in value:
            yield from _spellings(part)
    elif isinstance(value, str):
        yield from re.findall(r"\d+(?:\.\d+)?", value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        for one in (value, 1 - value):
            yield from (f"{abs(one):.{n}f}" for n in range(5))
            yield from (f"{100 * abs(one):.{n}f}" for n in range(2))
        yield f"{value:g}"


def test_the_numbers_of_the_page_are_in_its_json_file(work: Path, page: Page) -> None:
    numbers = json.loads((work / "report.json").read_text("utf-8"))
    known = set(_spellings(numbers))
    text: str = page.evaluate(
        """() => {
            for (const gone of document.querySelectorAll(
                ".article, template, .text, .cards bdi, .date, .plot, .save, .tools, #methods ~ *"
            )) gone.remove();
            for (const one of document.querySelectorAll("details")) one.open = true;
            return document.body.innerText;
        }"""
    )
    seen = re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w.]*\w)", text)
    assert len(seen) > 250
    cited = {"95", "1998", "2004", "241"}  # of "95 % intervals", and of the works cited
    missing = {number for number in seen if number not in known} - cited
    assert not missing, [text[max(0, text.find(one) - 90) :][:150] for one in sorted(missing)]
    assert numbers["metrics"]["test"]["f_avg"].keys() >= {"value", "low", "high"}
    assert numbers["status"]["agreement"]["alpha"]["value"] > 0.5
    assert not any(
        row["text"] in json.dumps(numbers["mistakes"]) for row in _lines_of(work / "model" / "mistakes.jsonl")
    )


def _lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_shares_stand_by_round_where_there_are_several(finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    copy_tables(finished / "work", work)
    ids = sorted(row["sentence_id"] for row in _lines_of(work / "verdicts.jsonl"))
    draws = [
        Draw(sentence_id=key, round=1 + n % 2, by="random" if n % 2 else "keyword", probability=0.5)
        for n, key in enumerate(ids)
    ]
    write_sample(work, draws)
    report(work, "t")
    status = read_status(work)
    page = (work / "report.html").read_text("utf-8")
    stance_of = {row["sentence_id"]: row["stance"] for row in _lines_of(work / "verdicts.jsonl")}
    for number, way in ((1, "keyword"), (2, "random")):
        of_round = [stance_of[row.sentence_id] for row in draws if row.round == number]
        row = status.round_shares[number]
        assert (row.by, row.labelled) == ([way], len(of_round))
        for stance in DEFAULT.names:
            assert row.raw[stance].value == pytest.approx(of_round.count(stance) / len(of_round))
        assert f"<td>{number}: {drawn_words(way)}</td><td>{row.drawn}</td><td>{row.labelled}</td>" in page
    write_sample(work, [msgspec.structs.replace(row, round=1) for row in draws])
    assert read_status(work).round_shares == {}
