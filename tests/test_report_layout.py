"""How the page looks: on a phone, printed, and where its figures are saved as files."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from labeling.statistics.intervals import Estimate
from tests.conftest import copy_tables
from train.evaluate.ceiling import AnnotatorScore, Ceiling
from train.evaluate.mistakes import Context, Mistake, Push
from train.metrics import Comparison
from train.predict.predict import predict_corpus
from train.predict.shares import ShareRow
from train.report import share_sentences
from train.report.page import render
from train.report.project_snapshot import Snapshot, gather
from train.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def found(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The finished project with predictions."""
    work = tmp_path_factory.mktemp("shown") / "work"
    copy_tables(finished / "work", work)
    predict_corpus(work, "t")
    return gather(work, "t", frozenset(), Settings())


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """Opens the page of a snapshot."""
    contexts = []

    def shown(snapshot: Snapshot, **options: Any) -> Page:
        path = tmp_path / "page.html"
        path.write_text(render(snapshot), "utf-8")
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        return page

    yield shown
    for context in contexts:
        context.close()


def _erring(found: Snapshot, count: int, pushes: list[Push] | None = None) -> Snapshot:
    """The project with so many errors."""
    rows = [
        Mistake(
            sentence_id=f"{n:016x}",
            text=f"Sentence {n}.",
            target="t",
            group="g",
            label="none",
            predicted="against",
            confidence=0.364,
            label_probability=0.357,
            votes={},
            pushes=pushes or [],
            context=Context(),
        )
        for n in range(count)
    ]
    return msgspec.structs.replace(found, mistakes=rows)


def test_the_first_score_says_what_it_is(found: Snapshot) -> None:
    assert "<span>F_avg (mean F1 of favor and against) on the test split</span>" in render(found)


def test_errors_show_what_pushed_them_without_quotation_marks_and_no_tie_or_zero_by_rounding(found: Snapshot) -> None:
    pushes = [Push(piece='"estonia', weight=0.31), Push(piece="drew", weight=0.004), Push(piece="x", weight=-0.2)]
    page = render(_erring(found, 1, pushes))
    assert "36.4 % sure; none 35.7 %" in page
    assert "from none to against: <code><bdi>&#34;estonia</bdi></code> +0.31</p>" in page
    assert "drew" not in re.findall("words that pushed.*", page)[0]


# --- shares


def _shares(found: Snapshot, corrected: set[tuple[str, str]]) -> Snapshot:
    assert found.shares is not None
    one = Estimate(value=0.3, low=0.2, high=0.4)
    places: list[Any] = [("all", ""), ("outlet", "A"), ("outlet", "B"), ("month", "2031-01")]
    rows = [
        ShareRow(
            kind=kind,
            name=name,
            n=9,
            stance=stance,
            raw=one,
            corrected=one if (kind, name) in corrected else None,
            labelled=8,
            settled=one,
            settled_labels=8,
        )
        for kind, name in places
        for stance in found.settings.labels.names
    ]
    shares = msgspec.structs.replace(found.shares, rows=rows, power=0.5, notes=["corrected by 8 verdicts"])
    return msgspec.structs.replace(found, shares=shares)


def test_the_page_says_what_each_share_is_and_where_the_corrected_ones_stand(found: Snapshot) -> None:
    start = (
        "the raw share, corrected by the labels of randomly sampled sentences, which show how the model errs "
        "(prediction-powered inference). There are such shares for "
    )
    raw = {"month": "raw", "outlet": "raw"}
    some = _shares(found, {("all", ""), ("outlet", "A")})
    assert some.shares is not None
    assert share_sentences.corrected_sentence(some.shares, raw) == (
        f"{start}the whole corpus and 1 of 2 outlets. The table “The numbers” below has them, and the figures don’t: a "
        "figure shows corrected shares only if all its outlets or months have one."
    )
    assert share_sentences.corrected_sentence(some.shares, raw | {"month": "corrected"}).endswith(
        "below has them, and so has the figure by month."
    )
    none = _shares(found, set())
    assert none.shares is not None
    assert share_sentences.corrected_sentence(none.shares, raw) == (
        "there are none, as there are too few labels of randomly sampled sentences."
    )
    page = render(some)
    for said in (
        "<b>settled</b>: the share among the sentences whose label people settled.",
        "<b>raw</b>: the share among the model’s predictions for every sentence.",
        "below has them, and the figures don’t: a figure shows corrected shares only if all its outlets or months have "
        "one. <span",
        "Random labels: how many of these sentences were drawn at random and have a settled label;",
    ):
        assert said in page
    assert page.index("Note: corrected by 8 verdicts.") < page.index("<h3>By month (settled labels)</h3>")


# --- figures as files


def _saved(page: Page, title: str) -> str:
    line = page.locator(".plot", has=page.locator(f"svg > title:text-is('{title}')")).locator("+ .save")
    with page.expect_download() as waiting:
        line.get_by_text("Save as SVG").click()
    return Path(waiting.value.path()).read_text("utf-8")


def test_saved_figures_say_what_they_show_and_have_margins(found: Snapshot, show: Any, browser: Browser) -> None:
    assert found.analysis is not None
    scored = AnnotatorScore(annotator="A1", n=9, f_avg=0.9, macro_f1=0.9, model_f_avg=0.5, model_macro_f1=0.5)
    one = Estimate(value=0.4, low=0.1, high=0.7)
    compared = Comparison(
        first=one, second=one, f_avg=one, macro_f1=one, accuracy=one, at_most_zero=None, n=9, groups=5
    )
    ceiling = Ceiling(annotators=[scored], compared=compared, near="near")
    analysis = msgspec.structs.replace(found.analysis, ceiling=ceiling)
    page = show(msgspec.structs.replace(_shares(found, set()), analysis=analysis))
    model, whiskers = "raw predictions of the model", "Whiskers: 95 % intervals over articles."
    for title, notes in (
        ("Scores with 95 % intervals", ["* compared with the majority of the other"]),
        (f"Share of each stance by month, {model}", [whiskers]),
        (f"Share of favor by outlet, {model}", [whiskers]),
        ("Share of favor among the settled labels by outlet", ["In parentheses: number of settled labels."]),
    ):
        drawing = _saved(page, title)
        assert f">{title}</text>" in drawing
        for note in notes:
            assert note in drawing, title
        other = browser.new_page()
        other.set_content(f"<body style='margin: 0'>{drawing}")
        width, left, right, last, height = other.evaluate(
            """() => {
                const boxes = [...document.querySelectorAll("text")].map((one) => one.getBoundingClientRect());
                const whole = document.querySelector("svg").getBoundingClientRect();
                return [whole.width, Math.min(...boxes.map((b) => b.left)), Math.max(...boxes.map((b) => b.right)),
                    Math.max(...boxes.map((b) => b.bottom)), whole.height];
            }"""
        )
        other.close()
        assert left >= 12, title
        assert right <= width - 12, title
        assert last <= height, title


# --- scrolling


def _edge(page: Page, picture: bytes, down: bool) -> list[int]:
    """How dark the last pixels are at the right edge of a picture, or at its lower edge, far from any text."""
    other = page.context.browser.new_page()  # type: ignore[union-attr]
    found: list[int] = other.evaluate(
        """async ([data, down]) => {
            const image = new Image(); image.src = "data:image/png;base64," + data; await image.decode();
            const canvas = document.createElement("canvas");
            canvas.width = image.width; canvas.height = image.height;
            const pen = canvas.getContext("2d"); pen.drawImage(image, 0, 0);
            const at = (x, y) => pen.getImageData(x, y, 1, 1).data[0];
            return down ? [at(2, image.height - 2), at(2, image.height / 2)]
                : [at(image.width - 2, 2), at(image.width / 2, 2)];
        }""",
        [base64.b64encode(picture).decode(), down],
    )
    other.close()
    return found


@pytest.mark.parametrize("way", ["right", "down"])
def test_what_scrolls_has_a_shadow_at_the_edge_until_its_end(found: Snapshot, show: Any, way: str) -> None:
    down = way == "down"
    page = show(found, viewport=PHONE, is_mobile=True, has_touch=True)
    box = (
        page.locator(".body").first
        if down
        else page.locator(".scroll", has=page.locator("caption", has_text="with 95"))
    )
    if down:
        page.evaluate("document.querySelector('.body').textContent = '\\n'.repeat(60)")
    scrolls = "(e) => [e.scrollWidth > e.clientWidth, e.scrollHeight > e.clientHeight]"
    assert box.evaluate(scrolls)[down]
    edge, middle = _edge(page, box.screenshot(), down)
    assert middle == 255
    assert edge < 200
    box.evaluate("(e) => e.scrollTo(9999, 9999)")
    edge, middle = _edge(page, box.screenshot(), down)
    assert edge == middle == 255


def test_captions_of_wide_tables_wrap_within_the_screen(found: Snapshot, show: Any) -> None:
    page = show(found, viewport=PHONE, is_mobile=True, has_touch=True)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    rights: list[float] = page.evaluate(
        """() => [...document.querySelectorAll("caption")].map((one) => {
            const range = document.createRange();
            range.selectNodeContents(one);
            return range.getBoundingClientRect().right;
        })"""
    )
    assert len(rights) > 5
    assert max(rights) <= PHONE["width"]
    caption = page.locator("caption", has_text="with 95").first
    before = caption.evaluate("(e) => e.getBoundingClientRect().left")
    caption.evaluate("(e) => e.closest('.scroll').scrollTo(200, 0)")
    assert caption.evaluate("(e) => e.getBoundingClientRect().left") == before


def test_n_grams_are_never_cut(found: Snapshot, show: Any) -> None:
    long = [("president castellane of valdennois", 1.0)]
    assert found.ngrams is not None
    page = show(msgspec.structs.replace(found, ngrams=dict.fromkeys(found.ngrams, long)), viewport=PHONE)
    cut = "[...document.querySelectorAll('.grams bdi')].filter((e) => e.scrollWidth > e.clientWidth + 1).length"
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        assert page.evaluate("getComputedStyle(document.querySelector('.grams bdi')).whiteSpace") == "normal"
        assert page.evaluate(cut) == 0


# --- the article


def test_the_legend_shows_each_kind_that_is_not_prose_as_the_articles_do(found: Snapshot, show: Any) -> None:
    corpus = msgspec.structs.replace(found.corpus, kinds=[("heading", 2), ("caption", 1), ("byline", 1)])
    page = show(msgspec.structs.replace(found, corpus=corpus))
    names, colours, shown = page.evaluate(
        """() => {
            const items = [...document.querySelectorAll(".legend .k")];
            const colour = (one) => getComputedStyle(one).backgroundColor;
            const body = document.querySelector(".body");
            const there = items.map((one) => {
                const made = document.createElement("span");
                made.className = `k k-${one.dataset.kind}`;
                body.append(made);
                return colour(made);
            });
            return [items.map((one) => one.dataset.kind), items.map(colour), there];
        }"""
    )
    assert names == ["heading", "caption", "byline"]
    assert colours == shown
    assert len(set(colours)) == 3
    assert (
        'class="k '
        not in re.findall(
            '<ul class="legend">.*',
            render(msgspec.structs.replace(found, corpus=msgspec.structs.replace(corpus, kinds=[]))),
        )[0]
    )


# --- printed


def test_the_print_says_how_many_of_the_errors_it_has(found: Snapshot, show: Any) -> None:
    page = show(_erring(found, 83))
    page.emulate_media(media="print")
    assert page.locator("#count").is_visible()
    assert page.inner_text("#count") == "25 of 83 shown"
    page.emulate_media(media="screen")
    page.select_option("#by-label", "none")
    assert page.inner_text("#count") == "25 of 83 shown (label none)"


HEADS = {
    "Agreement": "kappa, A1 and A2",
    "Scores on the test split": "macro-F1, majority",
    "Calibration": "share right",
    "Learning curve": "labels trained on",
    "Strongest n-grams": "against",
    "By month (settled labels)": "25 %",
    "By month (raw)": "25 %",
    "By outlet (settled labels)": "50 %",
    "By outlet (raw)": "50 %",
}
"""Headings, and a text of the figure or table that follows."""


@pytest.mark.slow
def test_a_printed_heading_stands_on_the_page_of_its_figure_or_table(found: Snapshot, show: Any) -> None:
    pypdf = pytest.importorskip("pypdf")
    page = show(_shares(_erring(found, 3), set()))
    for high in range(80, 125, 5):
        made = page.pdf(width="8.27in", height=f"{high / 10}in", margin={"top": "0.4in", "bottom": "0.4in"})
        texts = [one.extract_text() for one in pypdf.PdfReader(io.BytesIO(made)).pages]
        for head, part in HEADS.items():
            place, after = next(
                (n, f"\n{text}".split(f"\n{head}\n")[1])
                for n, text in enumerate(texts)
                if f"\n{head}\n" in f"\n{text}\n\n"
            )
            assert part in after, (high, head, place)
