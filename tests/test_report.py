"""The page: what it says at each stage, that hostile texts stay texts, and that its drawings can be read."""

from __future__ import annotations

import csv
import html
import json
import math
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.etree import ElementTree

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.build import build
from corpus.errors import TableError
from corpus.records import SENTENCES, CorpusSettings
from corpus.store import table_path, write_bytes, write_jsonl
from corpus.tables import read_table
from labeling.adjudicate import adjudicate
from labeling.codebook import Change
from labeling.copy_groups import groups_of_labels
from labeling.records import Annotation, LabelingSettings, Unsettled, Verdict
from labeling.sampling.pool import first_by_digest
from labeling.scheme import DEFAULT, Scheme
from labeling.statistics.intervals import Estimate, shown
from labeling.status import read_status
from tests.conftest import book, copy_tables, vote
from tests.support.labelled_texts import WORDS
from train.evaluate.analysis import read_analysis
from train.evaluate.leak_audit import Naive
from train.examples.from_verdicts import from_verdicts
from train.messages import trained
from train.predict.predict import predict_corpus
from train.predict.shares import PredictionShares, ShareRow, SharesOf
from train.records import Metrics
from train.report import article_view as drawing
from train.report import label_sentences, latex, methods, sentences, share_sentences, svg_plots, svg_shapes
from train.report.article_view import pieces, read_corpus, web_link
from train.report.page import render, report
from train.report.project_snapshot import Snapshot, gather
from train.settings import PublishSettings, Settings, TrainSettings
from train.train_model import FromVerdicts, Trained, train

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ATTACKS = (
    "<script>window.owned = 1</script>",
    "</script><script>window.owned = 1</script>",
    "</style><style>body { display: none }</style>",
    "<svg onload=window.owned=1><animate onbegin=window.owned=1></svg>",
    "<img src=http://127.0.0.1:9/x onerror=window.owned=1>",
    '" onmouseover="window.owned=1" style="background: url(http://127.0.0.1:9/y)',
    "{{ 7 * 191 }}{% raw %}{{ found }}",
    "</textarea></pre></details></main><!-- <iframe src=javascript:window.owned=1>",
    "\u2028]]>&lt;script&gt;\u202e",
)
TARGET = "troops " + "".join(ATTACKS)
URL = "javascript:window.owned=1//"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of hostile articles: attacks in their texts, titles, outlets and addresses."""
    project = tmp_path_factory.mktemp("built")
    chance = np.random.default_rng(2)
    everything = [word for words in WORDS.values() for word in words]
    facts = []
    for n in range(24):
        attack = ATTACKS[n % len(ATTACKS)]
        told = [f"{word}{n}" for word in chance.choice(everything, 24)]  # no two alike, or the audit finds a leak
        lines = [f"The minister wrote {attack} and {' '.join(told)}."]
        for m in range(5):
            words = [
                *chance.choice(WORDS[DEFAULT.names[(n + m) % 3]], 5),
                *chance.choice(everything, 4),
                f"item{n}x{m}",
            ]
            lines.append("Report: " + " ".join(words) + ".")
        if n in (3, 17):
            lines.append("Exactly the same sentence stands in two of the articles.")
        write_bytes(project / "news" / f"{n:02}.txt", "\n\n".join(lines).encode())
        url = URL if n % 2 else f'https://news.example/{n}?"><script>window.owned=1</script>'
        facts.append([f"{n:02}.txt", f"Outlet {n % 4} {attack}", f"2031-{n // 8 + 1:02}-11", f"Title {attack}", url])
    with (project / "news" / "articles.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "outlet", "published", "title", "url"], *facts])
    build([str(project / "news")], project / "work", CorpusSettings(root=str(project / "news")))
    return project / "work"


def _answers(work: Path) -> list[Annotation]:
    chance = np.random.default_rng(5)
    answers: list[Annotation] = []
    for n, row in enumerate(read_table(work / "sentences.parquet", SENTENCES, "").to_pylist()):
        kinds = [stance for stance in DEFAULT.names for word in row["text"].split() if word.strip(".") in WORDS[stance]]
        label = max(DEFAULT.names, key=kinds.count)
        if chance.random() < 0.2:  # so that the model errs
            label = DEFAULT.names[int(chance.integers(3))]
        for name in ("A1", "A2", "A3"):
            given = "none" if chance.random() < 0.1 else label
            answers.append(
                vote(row["sentence_id"], name, given, codebook="1.0", comment=f"hm {ATTACKS[n % len(ATTACKS)]}")
            )
    return answers


@pytest.fixture(scope="module")
def finished(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with three annotators, verdicts, a model, and shares."""
    work = tmp_path_factory.mktemp("finished") / "work"
    shutil.copytree(built, work)
    write_jsonl(table_path(work, "annotations.jsonl"), _answers(work))
    adjudicate(work, LabelingSettings())
    examples, splits = from_verdicts(work, TARGET, TrainSettings())
    train(examples, work / "model", TrainSettings(), project=FromVerdicts(work=work, splits=splits))
    places: list[tuple[SharesOf, str]] = [
        ("all", ""),
        ("outlet", ATTACKS[0]),
        ("month", "2031-01"),
        ("month", "2031-02"),
    ]
    rows = [
        ShareRow(
            kind=kind,
            name=name,
            n=9,
            stance=stance,
            raw=Estimate(value=0.3, low=0.2, high=0.4),
            corrected=None,
            labelled=0,
        )
        for kind, name in places
        for stance in DEFAULT.names
    ]
    shares = PredictionShares(model="another", power=None, notes=[ATTACKS[1]], rows=rows)
    write_bytes(work / "shares.json", msgspec.json.encode(shares))
    return work


@pytest.fixture(scope="module")
def drawn(finished: Path) -> str:
    settings = Settings(publish=PublishSettings(annotators="Students & <b>others</b> at 10 % pay"))
    report(finished, TARGET, frozenset(), settings)
    return (finished / "report.html").read_text("utf-8")


@pytest.fixture
def page(finished: Path, drawn: str, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    page = context.new_page()
    page.goto((finished / "report.html").as_uri())
    yield page
    context.close()


# --- stages


def test_without_a_corpus_it_is_the_known_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="run `stance build` first"):
        report(tmp_path, "t")
    assert not list(tmp_path.iterdir())


def test_every_stage_has_its_page_that_says_what_to_run_next(built: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(built, work)
    seen = []
    for step in (
        lambda: None,
        lambda: write_jsonl(table_path(work, "annotations.jsonl"), []),
        lambda: write_jsonl(table_path(work, "annotations.jsonl"), _answers(work)[::3]),
        lambda: write_jsonl(table_path(work, "annotations.jsonl"), _answers(work)),
        lambda: adjudicate(work, LabelingSettings()),
    ):
        step()
        report(work, "t")
        seen.append(set(re.findall("run <code>stance (.*?)</code>", (work / "report.html").read_text("utf-8"))))
    assert seen == [{"pull", "train"}] * 2 + [{"adjudicate", "train"}] * 2 + [{"train", "predict"} - {"predict"}]
    page = (work / "report.html").read_text("utf-8")
    assert "Krippendorff’s alpha (nominal) over the" in page
    assert "There is no model yet" in page


def test_agreement_stands_by_version_and_on_a_scale_and_says_why_two_coefficients_differ(
    built: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    shutil.copytree(built, work)
    rows = _answers(work)
    ids = sorted({row.sentence_id for row in rows})
    late = set(ids[: len(ids) // 2])
    rows = [msgspec.structs.replace(row, codebook="1.1" if row.sentence_id in late else "1.0") for row in rows]
    write_jsonl(table_path(work, "annotations.jsonl"), rows)
    scale = Settings(labels=Scheme(names=["favor", "none", "against"], ordered=True))
    kept = book("1.1", Change(version="1.1", reopens=frozenset()))
    report(work, "t", frozenset(), scale, (), kept)
    page = (work / "report.html").read_text("utf-8")
    status = read_status(work, frozenset(), None, kept, scale.labels)
    assert status.agreement.ordinal is not None
    for expected in (
        f"<td>Gwet’s AC1</td><td>{shown(status.agreement.ac1)}</td>",
        "Alpha and AC1 differ in the agreement that they expect by chance: where one label is rare",
        f"<td>alpha, answers under codebook 1.1</td><td>{shown(status.codebooks['1.1'].alpha)}</td>",
        "for the answers under codebook 1.1, and was",
        f"<td>Krippendorff’s alpha, ordinal</td><td>{shown(status.agreement.ordinal)}</td>",
        "kappa with linear weights, A1 and A2",
    ):
        assert expected in page, expected
    report(work, "t", frozenset(), Settings(), (), book("1.1", Change(version="1.1", reopens=frozenset())))
    assert "ordinal" not in (work / "report.html").read_text("utf-8")


def test_a_model_without_its_analysis_or_examples_still_has_its_scores(finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    copy_tables(finished, work)
    (work / "model" / "analysis.json").unlink()
    (work / "examples.parquet").unlink()
    report(work, "t")
    page = (work / "report.html").read_text("utf-8")
    assert "The audit is missing: run <code>stance train</code>" in page
    assert "examples.parquet is not there: run `stance train` first" in page
    assert "F_avg, model" in page


def test_predictions_of_another_model_are_called_so(drawn: str) -> None:
    assert "These predictions are of another model (another, now " in drawn


def test_equal_inputs_give_equal_bytes(finished: Path, drawn: str, tmp_path: Path) -> None:
    work = tmp_path / "elsewhere" / "work"
    copy_tables(finished, work)
    (work / "report.html").unlink()
    settings = Settings(publish=PublishSettings(annotators="Students & <b>others</b> at 10 % pay"))
    assert report(work, TARGET, frozenset(), settings)
    assert (work / "report.html").read_text("utf-8") == drawn
    assert not report(work, TARGET, frozenset(), settings)


def test_the_page_says_the_numbers_of_the_run(finished: Path, drawn: str) -> None:
    found = gather(finished, TARGET, frozenset(), Settings())
    assert found.metrics is not None
    assert found.analysis is not None
    for expected in (
        shown(found.metrics.test.f_avg),
        shown(found.status.agreement.alpha),
        sentences.number(found.analysis.calibration.before.by_chance),
        shown(found.analysis.calibration.after.ece),
        found.files["articles.parquet"],
        found.files["model/model.skops"],
        "version 1.0 (",
        "All answers count.",
        "ceiling",
        "the difference is",
    ):
        assert expected in drawn, expected
    assert "Students &amp; &lt;b&gt;others&lt;/b&gt;" in drawn


def test_whom_the_settings_ignore_and_where_the_project_lies_stay_private(finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    copy_tables(finished, work)
    settings = Settings(
        corpus=CorpusSettings(root="/home/somebody/secret/news"), labeling=LabelingSettings(ignore=["a@b.example"])
    )
    report(work, "t", frozenset({"A3"}), settings)
    page = (work / "report.html").read_text("utf-8")
    assert "a@b.example" not in page
    assert "somebody" not in page
    assert re.search(r"Not counted: \d+ answers of A3, ignored by the settings\.", page)
    assert "All answers count." not in page


# --- hostile texts


def test_hostile_texts_run_nothing_and_load_nothing(finished: Path, drawn: str, browser: Browser) -> None:
    page = browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto((finished / "report.html").as_uri())
    page.select_option("#chooser", "5")
    page.mouse.move(200, 300)
    page.wait_for_timeout(200)
    assert asked == [(finished / "report.html").as_uri()]
    assert complaints == []
    assert page.evaluate("window.owned") is None
    assert page.title() == f"Stance toward {TARGET}"
    counts: dict[str, int] = page.evaluate(
        """() => {
          const all = [...document.querySelectorAll("*")];
          return {
            scripts: document.scripts.length, styles: document.querySelectorAll("style, link").length,
            loaders: document.querySelectorAll("img, iframe, object, embed, animate, foreignObject, base").length,
            inline: all.filter((e) => e.getAttributeNames().some((n) => n === "style" || n.startsWith("on"))).length,
            links: [...document.links].filter((e) => !["https:", "file:"].includes(e.protocol)).length,
          };
        }"""
    )
    assert counts == {"scripts": 1, "styles": 1, "loaders": 0, "inline": 0, "links": 0}
    text = page.text_content("main") or ""
    for attack in ATTACKS:
        assert attack in text
    assert "1337" not in drawn
    page.close()


def test_the_policy_alone_would_stop_a_script_and_a_style(finished: Path, page: Page) -> None:
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.owned = 1";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", "<p id=probe style='color: rgb(1, 2, 3)'>x</p>");
        }"""
    )
    assert page.evaluate("window.owned") is None
    assert page.evaluate("getComputedStyle(document.getElementById('probe')).color") != "rgb(1, 2, 3)"
    assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("http://a.example", "http://a.example"),
        ("javascript:alert(1)", ""),
        ("JavaScript:alert(1)", ""),
        ("\x01javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("//a.example", ""),
        ("https://[", ""),
        ("", ""),
    ],
)
def test_only_addresses_of_the_web_become_links(url: str, link: str) -> None:
    assert web_link(url) == link


# --- use


def test_the_reader_chooses_articles_filters_errors_and_jumps(page: Page) -> None:
    visible = "[...document.querySelectorAll('.article')].filter((e) => !e.hidden).map((e) => e.dataset.number)"
    assert page.evaluate(visible) == ["0"]
    page.click("#back")
    assert page.evaluate(visible) == ["23"]
    page.select_option("#chooser", "4")
    assert page.evaluate(visible) == ["4"]
    link = page.locator("a[href^='#s-']").first
    href = link.get_attribute("href") or ""
    link.click()
    assert page.evaluate(f"document.getElementById('{href[1:]}').closest('.article').hidden") is False
    rows: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('#mistakes > li')].map((e) => [e.dataset.label, e.dataset.confidence])"
    )
    assert rows
    label = rows[0][0]
    page.select_option("#by-label", label)
    shown: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('#mistakes > li')].filter((e) => !e.hidden)"
        ".map((e) => [e.dataset.label, e.dataset.confidence])"
    )
    assert shown == [row for row in rows if row[0] == label][:25]
    page.select_option("#order", "unsure")
    back: list[float] = page.evaluate(
        "[...document.querySelectorAll('#mistakes > li')].map((e) => Number(e.dataset.confidence))"
    )
    assert back == sorted(back)


def test_the_copy_button_copies_the_whole_text(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("summary", has_text="LaTeX").click()
    page.locator("button[data-copy=latex]").click()
    page.get_by_text("Copied", exact=True).wait_for()
    copied: str = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.text_content("#latex")
    assert r"\begin{tabular}" in copied


@pytest.mark.parametrize("width", [1366, 820, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_the_screen(finished: Path, drawn: str, browser: Browser, width: int, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto((finished / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = [int(part) for part in re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))]
    assert (sum(paper[:3]) > 384) == (scheme == "light")
    context.close()


def test_every_drawing_says_what_it_shows(drawn: str) -> None:
    drawings = re.findall(r'<svg role="img".*?</svg>', drawn, re.S)
    assert len(drawings) >= 8
    for text in drawings:
        tree = ElementTree.fromstring(text)
        assert len(tree.findtext("title") or "") > 5
        assert len(tree.findtext("desc") or "") > 10
        assert "nan" not in text
    for text in re.findall(r"<svg.*?</svg>", drawn, re.S):
        assert 'role="img"' in text or 'aria-hidden="true"' in text


LONG_NAMES = (
    "Frankfurter Allgemeine Sonntagszeitung, Regionalausgabe Rhein-Main-Neckar",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "朝日新聞デジタル 東京本社 国際報道部 ウクライナ特集 二〇二四年版 電子版",
    "unknown",
    "all",
    "",
)
OUTSIDE = """() => {
  const wrong = [];
  for (const svg of document.querySelectorAll("svg[role=img]")) {
    const box = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map((e) => [e.textContent, e.getBoundingClientRect()]);
    for (const [text, t] of texts) {
      if (t.left < box.left - 0.5 || t.right > box.right + 0.5 || t.top < box.top - 0.5 || t.bottom > box.bottom + 0.5)
        wrong.push(["outside", text]);
    }
    for (const [n, [one, a]] of texts.entries()) for (const [two, b] of texts.slice(n + 1)) {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 4) wrong.push(["on each other", one, two]);
    }
    for (const mark of svg.querySelectorAll("circle, polygon, rect")) {
      const m = mark.getBoundingClientRect();
      if (svg.closest(".stack")) continue;
      for (const [text, t] of texts)
        if (Math.min(m.right, t.right) - Math.max(m.left, t.left) > 1 &&
            Math.min(m.bottom, t.bottom) - Math.max(m.top, t.top) > 4) wrong.push(["mark on", text]);
    }
  }
  return wrong;
}"""


def _crowded(finished: Path, months: int) -> str:
    """The page with long names of outlets, so many months and one without a date, shares of 0 and 1, few of a label."""
    found = gather(finished, TARGET, frozenset(), Settings())
    assert found.shares is not None
    assert found.verdicts is not None
    names = [f"{2020 + n // 12}-{n % 12 + 1:02}" for n in range(months)] + ["unknown"]
    places: list[tuple[SharesOf, str]] = [("all", "")]
    places += [("outlet", name) for name in LONG_NAMES] + [("month", name) for name in names]
    rows = [
        ShareRow(
            kind=kind, name=name, n=9, stance=stance, raw=Estimate(value=value, low=0.0, high=1.0), corrected=None,
            labelled=0,
        )
        for n, (kind, name) in enumerate(places)
        for stance, value in zip(DEFAULT.names, ((1.0, 0.0, 0.0), (0.3, 0.3, 0.4))[n % 2], strict=True)
    ]  # fmt: skip
    kinds = ["against"] * 14 + ["favor"] * 80 + ["none"] * 6
    verdicts = [
        msgspec.structs.replace(found.verdicts[0], sentence_id=str(n), stance=kind) for n, kind in enumerate(kinds)
    ]
    return render(
        msgspec.structs.replace(found, verdicts=verdicts, shares=msgspec.structs.replace(found.shares, rows=rows))
    )


@pytest.mark.parametrize(("months", "way"), [(1, "light"), (23, "dark"), (25, "light"), (130, "print")])
def test_no_text_of_a_drawing_is_cut_off_or_covered(
    finished: Path, browser: Browser, tmp_path: Path, months: int, way: Any
) -> None:
    path = tmp_path / "page.html"
    path.write_text(_crowded(finished, months), "utf-8")
    context = browser.new_context(viewport={"width": 1366 if way != "print" else 720, "height": 900})
    page = context.new_page()
    page.emulate_media(**({"media": "print"} if way == "print" else {"color_scheme": way}))
    page.goto(path.as_uri())
    assert page.evaluate(OUTSIDE) == []
    if way != "light" or months != 1:  # and nothing must be scrolled to be seen
        assert page.evaluate(
            "[...document.querySelectorAll('.plot')].every((e) => [...e.querySelectorAll('svg')]"
            ".every((s) => s.getBoundingClientRect().right <= e.getBoundingClientRect().right + 1))"
        )
    context.close()


def test_outlets_that_are_called_like_something_else_are_told_apart(finished: Path) -> None:
    page = _crowded(finished, 2)
    table = page[page.index('<th scope="col">by</th>') :]
    cells = re.findall(r"<tr><td>([^<]*)</td><td>([^<]*)</td><td>9</td><td>favor</td>", table)
    assert ("", "all") in cells
    assert ("outlet", "all") in cells
    assert ("outlet", "unknown") in cells
    assert ("outlet", "(no outlet given)") in cells
    assert ("month", "no date") in cells
    assert len(cells) == len(set(cells)) == 1 + len(LONG_NAMES) + 3


@given(st.text(max_size=200), st.floats(20, 400))
def test_a_wrapped_name_loses_nothing_but_its_end(text: str, width: float) -> None:
    lines = svg_shapes.wrapped(text, width)
    assert 1 <= len(lines) <= svg_shapes.LINES
    whole = "".join(text.split())
    said = "".join("".join(lines).split())
    assert said == whole or (said.endswith("…") and whole.startswith(said[:-1]))
    for line in lines:
        assert svg_shapes.text_width(line) <= width or len(line) <= 2


# --- the corpus


def test_the_drawn_articles_have_a_limit_that_the_page_names(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "MOST_ARTICLES", 7)
    found = read_corpus(built, {})
    shown = [row.article_id for row in found.drawn]
    assert shown == sorted(first_by_digest(pa.chunked_array([[f"{n:02}" for n in range(24)]]), 7, "report"))
    assert found.articles == 24
    shutil.copytree(built, tmp_path / "work")
    report(tmp_path / "work", "t")
    assert "7 of 24 articles, drawn at random" in (tmp_path / "work" / "report.html").read_text("utf-8")
    monkeypatch.setattr(drawing, "MOST_BYTES", 1000)
    fewer = [row.article_id for row in read_corpus(built, {}).drawn]
    assert 1 <= len(fewer) < 7
    assert set(fewer) < set(shown)


def test_copies_and_verdicts_are_marked_in_the_text(built: Path) -> None:
    found = read_corpus(built, {})
    copied = [(row.article_id, piece) for row in found.drawn for piece in row.pieces if piece.twin == "copy"]
    assert [name for name, _ in copied] == ["03", "17"]
    assert found.copies == 1
    ids = {piece.sentence_id for _, piece in copied}
    again = read_corpus(built, {min(ids): "against"})
    assert [piece.stance for row in again.drawn for piece in row.pieces if piece.sentence_id in ids] == [
        "against",
        "against",
    ]
    assert {name for row in found.drawn if row.article_id == "03" for name, _ in row.shared} >= {"17"}


MARKS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from(["sentence", "ad"])), max_size=8)


@given(st.text(max_size=25), MARKS, st.randoms(use_true_random=False))
def test_the_pieces_are_the_whole_text_whatever_the_marks(
    text: str, marks: list[tuple[int, int, str]], chance: random.Random
) -> None:
    rows = [{"start": start, "end": end, "kind": kind} for start, end, kind in marks]
    found = pieces(text, rows)
    assert "".join(piece.text for piece in found) == text
    assert all(piece.text for piece in found)
    chance.shuffle(rows)
    assert pieces(text, rows) == found


# --- the paragraph


@given(st.text())
def test_latex_takes_no_text_for_a_command(text: str) -> None:
    rest = latex.latex(text)
    for known in sorted({*latex.LATEX.values()}, key=len, reverse=True):
        if known.startswith("\\"):
            rest = rest.replace(known, "")
    rest = rest.replace(r"$\times$", "")
    assert not set(rest) & set("\\&%$#_{}^")
    assert "\n" not in rest


@pytest.mark.parametrize("target", ["Отправка войск_1", "派遣军队&", "إرسال قوات #1", "सैनिक % भेजना"])
def test_latex_in_other_scripts_says_what_compiles_it_and_keeps_every_letter(finished: Path, target: str) -> None:
    made = methods.methods(gather(finished, target, frozenset(), Settings()))
    assert made.latex.startswith(f"{methods.XELATEX}\n\n")
    assert latex.latex(target) in made.latex
    assert methods.methods(gather(finished, "Größe, naïve, Łódź", frozenset(), Settings())).latex[0] != "%"


def test_the_text_to_paste_holds_hostile_names_as_text(finished: Path) -> None:
    found = gather(finished, "50 % of_all {troops} & | <b>", frozenset(), Settings())
    made = methods.methods(found)
    assert r"50 \% of\_all \{troops\} \& \textbar{} \textless{}b\textgreater{}" in made.latex
    assert r"50 % of_all {troops} \& \| \<b\>" in made.markdown
    assert made.latex.count(r"\begin{table}") == made.latex.count(r"\end{table}") == len(made.tables) >= 3
    for table in made.tables:
        assert {len(row) for row in table.rows} == {len(table.heads)}


def test_the_limits_are_those_of_the_project(finished: Path, built: Path) -> None:
    def limits(work: Path, settings: Settings) -> str:
        return " ".join(methods.methods(gather(work, "t", frozenset(), settings)).limits)

    told = Settings(publish=PublishSettings(annotators="Machine-made labels."))
    assert "“Machine-made labels.”" in limits(finished, told)
    assert "achine-made" not in limits(finished, Settings())
    assert "“Machine-made labels.”." not in limits(finished, told)
    unended = Settings(publish=PublishSettings(annotators="Two members of the project, untrained"))
    assert "says: “Two members of the project, untrained”. " in limits(finished, unended)
    assert "the project does not say" in limits(finished, Settings())
    assert "The test set is small" in limits(finished, told)
    assert "The test set is small" not in limits(built, told)


def test_the_text_to_paste_says_what_its_brackets_are(finished: Path) -> None:
    found = gather(finished, "t", frozenset(), Settings())
    told = methods.methods(found).paragraphs[0]
    assert "[" in told
    assert told.count("Brackets are 95 % intervals by bootstrap over articles.") == 1
    one, wide = Estimate(value=0.3, low=0.2, high=0.4), Estimate(value=0.3, low=0.0, high=1.0)
    assert found.shares is not None
    for raw, brackets in ((one, True), (wide, False)):
        row = ShareRow(kind="all", name="", n=9, stance="favor", raw=raw, corrected=raw, labelled=60)
        made = msgspec.structs.replace(
            found,
            status=msgspec.structs.replace(found.status, shares=None),
            shares=msgspec.structs.replace(found.shares, rows=[row], model=found.model),
        )
        said = share_sentences.shares_sentence(made)
        assert ("[" in said, "brackets are 95 % intervals over articles" in said) == (brackets, brackets)


def test_the_text_to_paste_says_how_the_sentences_were_drawn(finished: Path) -> None:
    found = gather(finished, "t", frozenset(), Settings())
    status = msgspec.structs.replace(found.status, different=1221)

    def said(rounds: int, **drawn: int) -> str:
        made = msgspec.structs.replace(found, status=status, drawn=drawn, rounds=rounds)
        assert label_sentences.sampling_sentence(made) in methods.methods(made).paragraphs[0]
        return label_sentences.sampling_sentence(made)

    assert said(0) == ""
    assert said(1, all=1221) == ("All 1,221 different sentences of the corpus were to be labelled, without a sample.")
    assert said(1, random=130) == (
        "130 of the 1,221 different sentences of the corpus were drawn to be labelled, in 1 round, at random."
    )
    assert said(1, random=1).startswith("1 of the 1,221 different sentences of the corpus was drawn to be labelled, ")
    assert said(3, random=1130, server=1, keyword=30) == (
        "1,161 of the 1,221 different sentences of the corpus were drawn to be labelled, in 3 rounds (1,130 at random, "
        "1 as they were on the server already, 30 by keywords)."
    )


def test_a_full_count_is_not_called_an_estimate(finished: Path) -> None:
    found = gather(finished, "t", frozenset(), Settings())
    assert found.status.shares is not None
    different = found.corpus.sentences - found.corpus.copies
    shares = msgspec.structs.replace(found.status.shares, labelled=different, weighted=found.status.shares.raw)
    status = msgspec.structs.replace(found.status, labelled=different, shares=shares)
    whole = msgspec.structs.replace(found, status=status)
    said = share_sentences.shares_sentence(whole)
    assert said.startswith("Every sentence of the corpus was labelled, so the shares of the labels are counts of these")
    assert said in methods.methods(whole).paragraphs[-1]
    assert "prediction-powered" not in said
    # A sentence that is labelled and still open is not counted.
    part = msgspec.structs.replace(shares, labelled=different - 1)
    assert not share_sentences.whole_corpus(
        msgspec.structs.replace(whole, status=msgspec.structs.replace(status, shares=part))
    )


def test_skips_are_told_apart_from_labels(finished: Path) -> None:
    found = gather(finished, "t", frozenset(), Settings())
    first, *others = found.status.annotators
    rows = [msgspec.structs.replace(first, skips=2), *(msgspec.structs.replace(row, skips=0) for row in others)]
    made = msgspec.structs.replace(found, status=msgspec.structs.replace(found.status, annotators=rows), answers=400)
    assert "annotators gave 400 answers (2 of them skips) on the stance toward" in methods.methods(made).paragraphs[0]


def test_who_decided_where_two_annotators_differed_is_told(finished: Path) -> None:
    found = gather(finished, "t", frozenset(), Settings())
    two = msgspec.structs.replace(found.status, annotators=found.status.annotators[:2])  # A1 and A2

    def row(number: int, how: Literal["unanimous", "adjudicated"], adjudicator: str | None = None) -> Verdict:
        votes: dict[str, str] = {"A1": "favor", "A2": "none" if how == "adjudicated" else "favor"}
        return Verdict(sentence_id=str(number), stance="favor", how=how, votes=votes, adjudicator=adjudicator)

    def limit(verdicts: list[Verdict], queue: int = 0) -> str:
        waiting = [
            Unsettled(sentence_id=f"q{n}", votes={"A1": "favor", "A2": "none"}, reason="tie") for n in range(queue)
        ]
        made = msgspec.structs.replace(found, status=two, verdicts=verdicts, queue=waiting)
        return label_sentences.few_annotators_limit(made)

    same, decided = row(1, "unanimous"), row(2, "adjudicated", "B1")
    start = "There were only two annotators: "
    assert label_sentences.few_annotators_limit(found) == "", "there are three"
    assert limit([same]) == (f"{start}they never differed, but how far others would give the same labels is not known.")
    assert limit([same], 2) == f"{start}where they differed, no third answer decides."
    assert limit([same, decided]) == f"{start}where they differed, an adjudicator decided."
    own = row(3, "adjudicated", "A2")
    assert limit([same, own]) == (
        f"{start}where they differed, an adjudicator decided, who was also one of the annotators."
    )
    assert limit([decided, own]) == (
        f"{start}where they differed, adjudicators decided, some of whom were also annotators."
    )
    both = row(4, "adjudicated", "A1")
    assert limit([both, own]) == f"{start}where they differed, adjudicators decided, who were also annotators."
    assert limit([same, decided], 2) == (
        f"{start}on 1 of the 3 sentences where they differed, an adjudicator decided; for the other 2 there is no "
        "third answer."
    )
    assert limit([same, own], 1) in " ".join(
        methods.methods(
            msgspec.structs.replace(
                found,
                status=two,
                verdicts=[same, own],
                queue=[Unsettled(sentence_id="q", votes={"A1": "favor", "A2": "none"}, reason="tie")],
            )
        ).limits
    )


def test_counts_in_the_text_to_paste_are_in_the_right_number(finished: Path) -> None:
    found = gather(finished, "t", frozenset(), Settings())
    assert found.analysis is not None
    assert found.analysis.splits is not None
    splits = msgspec.structs.replace(
        found.analysis.splits,
        examples={"train": 130, "validation": 20, "test": 50},
        groups={"train": 4, "validation": 1, "test": 2},
    )
    made = msgspec.structs.replace(found, queue=[], analysis=msgspec.structs.replace(found.analysis, splits=splits))
    told = " ".join(methods.methods(made).paragraphs)
    assert "train 130 in 4 groups, validation 20 in 1 group, test 50 in 2 groups (exact copies count once). " in told
    assert "; none is open." in told
    waiting = Unsettled(sentence_id="q", votes={}, reason="tie")
    for count, said in ((1, "; 1 is open."), (2, "; 2 are open.")):
        assert said in methods.methods(msgspec.structs.replace(made, queue=[waiting] * count)).markdown
    assert found.status.shares is not None
    part = msgspec.structs.replace(found.status.shares, labelled=210, carrying=200, weighted=found.status.shares.raw)
    status = msgspec.structs.replace(found.status, shares=part, labelled=1)
    page = render(msgspec.structs.replace(found, status=status))
    assert "The estimate rests on 200 of 210 settled sentences (exact copies count once)." in page


def test_the_scores_of_random_splits_agree_with_their_difference() -> None:
    split = Naive(by_sentence=[0.4104], by_group=[0.3926], flatters=0.0178, low=None, high=None, tested=9)
    said = sentences.naive_sentence(split)
    assert (
        "F_avg of 0.4104 on average; random splits of whole groups, with test sets of the same size, have 0.3926"
        in said
    )
    assert said.endswith(". The difference is +1.8 points in a single draw.")
    even = msgspec.structs.replace(split, by_sentence=[0.41], by_group=[0.392], flatters=0.018)
    assert sentences.naive_sentence(even).endswith("have 0.392. The difference is +1.8 points in a single draw.")


def test_calibration_is_explained_and_told_before_and_after_the_temperature(finished: Path) -> None:
    found = read_analysis(finished / "model").calibration

    def said(before: float, after: float, temperature: float, surer: Estimate) -> str:
        one, two = (
            msgspec.structs.replace(found.before, ece=Estimate(value=error), by_chance=0.243, overconfidence=surer)
            for error in (before, after)
        )
        return sentences.calibration_sentence(
            msgspec.structs.replace(found, before=one, after=two, temperature=temperature)
        )

    unclear = Estimate(value=-0.115, low=-0.3, high=0.1)
    assert said(0.1, 0.3, 0.214, unclear) == (
        "The expected calibration error is the mean distance between how sure the model is of its predictions (its "
        "confidence) and how often they are right (its accuracy); 0 is best. As trained, the model has an error of "
        "0.100. Chance may explain it: even a perfectly calibrated model has one of up to 0.243 in 95 % of such test "
        "sets. Mean confidence minus accuracy is -11.5 points [-30.0, +10.0], which may be chance. The probabilities "
        "were then rescaled by one number, the temperature, which was fitted on predictions for sentences that the "
        "predicting model had not learned from; it is 0.21, which makes the model surer. With the rescaled "
        "probabilities the error is 0.300, larger than before; chance does not explain it (up to 0.243 by chance). "
        "Mean confidence minus accuracy is then -11.5 points [-30.0, +10.0], which may be chance."
    )
    sure = said(0.3, 0.1, 1.7, Estimate(value=0.2, low=0.1, high=0.3))
    assert "an error of 0.300. Chance does not explain it: a perfectly calibrated model has one of up to 0.243" in sure
    assert "it is 1.70, which makes the model less sure. " in sure
    assert "the error is 0.100, smaller than before; chance may explain it (" in sure
    assert "The model is too sure: its mean confidence is 20.0 points [10.0, 30.0] above its accuracy." in sure
    nothing = said(0.2001, 0.2, 1.001, Estimate(value=-0.2, low=-1, high=1))
    assert "it is 1.00, which changes next to nothing. " in nothing
    assert "the error is 0.200, the same as before; " in nothing
    assert nothing.endswith(" Mean confidence minus accuracy is then -20.0 points.")
    unsure = said(0.2, 0.2, 1.0, Estimate(value=-0.2, low=-0.3, high=-0.1))
    assert unsure.endswith(
        "The model is then not sure enough: its mean confidence is 20.0 points [10.0, 30.0] below its accuracy."
    )


def partly_labelled(work: Path) -> Snapshot:
    """The state of a project in which not every sentence has a settled label."""
    found = gather(work, "t", frozenset(), Settings())
    assert found.status.shares is not None
    part = msgspec.structs.replace(found.status.shares, labelled=found.status.shares.labelled - 1)
    return msgspec.structs.replace(found, status=msgspec.structs.replace(found.status, shares=part))


def test_shares_of_the_corpus_are_told_only_by_this_model(finished: Path) -> None:
    found = partly_labelled(finished)
    assert found.shares is not None
    assert share_sentences.shares_sentence(found) == ""
    ours = msgspec.structs.replace(found, shares=msgspec.structs.replace(found.shares, model=found.model))
    assert share_sentences.shares_sentence(ours).startswith("Over all 9 sentences the shares are favor 30.0")
    assert "the model’s errors are in them" in share_sentences.shares_sentence(ours)


def test_shares_by_a_model_that_is_not_better_than_one_label_are_not_given_to_paste(finished: Path) -> None:
    found = partly_labelled(finished)
    assert found.shares is not None
    assert found.metrics is not None
    shares = msgspec.structs.replace(found.shares, model=found.model)
    test = found.metrics.test
    weak = msgspec.structs.replace(found.metrics, test=msgspec.structs.replace(test, f_avg=test.majority.f_avg))
    assert not sentences.is_better(weak)
    ours = msgspec.structs.replace(found, shares=shares, metrics=weak)
    said = "The shares of the labels that it predicts over the corpus are not given here, as it is not shown to be "
    assert share_sentences.shares_sentence(ours) == f"{said}better than the majority label."
    right = [msgspec.structs.replace(row, corrected=row.raw) if row.kind == "all" else row for row in shares.rows]
    ours = msgspec.structs.replace(ours, shares=msgspec.structs.replace(shares, rows=right))
    assert "corrected by randomly sampled labels" in share_sentences.shares_sentence(ours)


def test_settled_shares_are_the_same_wherever_they_are_given(finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "project" / "work"
    copy_tables(finished, work)
    predict_corpus(work, "t")
    found = gather(work, "t", frozenset(), Settings())
    assert found.shares is not None
    assert found.status.shares is not None
    ours = {row.stance: row.settled for row in found.shares.rows if row.kind == "all"}
    assert ours == found.status.shares.raw


def test_settled_labels_are_drawn_and_listed_beside_the_models_shares(finished: Path) -> None:
    found = gather(finished, "t", frozenset(), Settings())
    assert found.shares is not None
    assert found.metrics is not None
    assert "(settled labels)" not in render(found)
    rows = [
        msgspec.structs.replace(row, settled=Estimate(value=0.875, low=0, high=1), settled_labels=8)
        for row in found.shares.rows
    ]
    settled = msgspec.structs.replace(found.shares, rows=rows, model=found.model)
    page = render(msgspec.structs.replace(found, shares=settled))
    assert "By month (settled labels)" in page
    assert "By outlet (settled labels)" in page
    assert f"{ATTACKS[0]} (8) 88 %" in html.unescape(page)
    assert "<td>87.5\u00a0%</td><td>8</td>" in page
    test = found.metrics.test
    weak = msgspec.structs.replace(found.metrics, test=msgspec.structs.replace(test, f_avg=test.majority.f_avg))
    assert "shares, not by the raw ones." not in page
    page = render(msgspec.structs.replace(found, shares=settled, metrics=weak))
    assert "So go by the settled shares, not by the raw ones." in page
    old = msgspec.structs.replace(settled, model="another")
    assert "not by the raw ones" not in render(msgspec.structs.replace(found, shares=old, metrics=weak))


def test_a_part_that_was_labelled_is_not_taken_for_the_corpus(finished: Path) -> None:
    found = gather(finished, "t", frozenset(), Settings())
    assert "not a random sample" not in " ".join(methods.methods(found).limits)
    fewer = msgspec.structs.replace(found.status, labelled=found.status.labelled - 1)
    assert "not a random sample" in " ".join(methods.methods(msgspec.structs.replace(found, status=fewer)).limits)


@pytest.mark.parametrize(
    ("near", "says"),
    [
        ("below", "not near the annotators’ ceiling but below"),
        ("near", "is near the annotators’ ceiling, or"),
        ("above", "above the annotators’ ceiling"),
        ("unknown", "nothing can be said"),
    ],
)
def test_the_page_says_whether_the_model_is_near_the_ceiling(finished: Path, near: Any, says: str) -> None:
    ceiling = read_analysis(finished / "model").ceiling
    assert ceiling is not None
    assert says in sentences.ceiling_sentence(msgspec.structs.replace(ceiling, near=near))
    assert "no annotators’ ceiling" in sentences.ceiling_sentence(None)


def test_a_model_that_is_not_shown_to_be_better_than_one_label_is_called_so(finished: Path) -> None:
    found = gather(finished, TARGET, frozenset(), Settings())
    metrics, analysis = found.metrics, found.analysis
    assert metrics is not None
    assert analysis is not None
    curve = analysis.curve
    assert curve is not None
    analysis = msgspec.structs.replace(analysis, curve=msgspec.structs.replace(curve, more="unclear"))

    examples, groups = {"train": 70, "validation": 7, "test": 24}, {"train": 17, "validation": 2, "test": 5}

    def scored(f_avg: tuple[float, float, float], accuracy: float, majority: float = 0.1) -> Metrics:
        value, low, high = f_avg
        one = Estimate(value=majority, low=majority, high=majority)
        constant = msgspec.structs.replace(metrics.test.majority, f_avg=one, accuracy=Estimate(value=0.792))
        f_avg_, right = Estimate(value=value, low=low, high=high), Estimate(value=accuracy)
        test = msgspec.structs.replace(metrics.test, f_avg=f_avg_, accuracy=right, majority=constant)
        return msgspec.structs.replace(metrics, test=test, examples=examples, groups=groups)

    better = scored((0.5, 0.2, 0.8), 0.7)
    assert sentences.not_better_sentence(better, analysis) == ""
    assert "their intervals don’t overlap" in sentences.majority_sentence(better)
    plain = (
        "The test set does not show that the model is better than always giving the most frequent label: its F_avg is"
    )
    learned = "the model learned from train and validation (77 sentences in 19 groups)"
    help_ = f" More labels are what usually helps: {learned}."
    articles = f" Labels from more articles are what usually helps: {learned}."
    for made, said, helps in (
        (
            scored((0.143, 0.1, 0.4), 0.75),
            f"{plain} higher, but the intervals overlap; its accuracy is lower (0.750 ",
            help_,
        ),
        (scored((0.1, 0.0, 0.4), 0.792), f"{plain} not higher; its accuracy is the same (0.792 ", help_),
        (
            scored((0.143, 0.0, 1.0), 0.8),
            "Whether the model is better than always giving the most frequent label can’t",
            articles,
        ),
    ):
        sentence = sentences.not_better_sentence(made, analysis)
        assert sentence.startswith(said)
        assert sentence.endswith(f"against 0.792).{helps}")
        done = Trained(metrics=made, analysis=analysis, doubts=0, changed=True)
        assert sentence in trained(done, Path("model"), Path("doubts"))
        page = render(msgspec.structs.replace(found, metrics=made, analysis=analysis))
        assert page.count(f'<p class="reading">{sentence}</p>') == 2  # below the first figures, and beside the scores
    low = scored((0.1, 0.0, 0.4), 0.7)
    few = msgspec.structs.replace(low, groups=groups | {"train": 5})
    assert "Labels from more articles" in sentences.not_better_sentence(few, analysis)
    assert sentences.not_better_sentence(low, analysis, 127).endswith(help_)
    nearly_all = (
        f" Labels from more articles are what usually helps: {learned}, and 101 of the 126 different sentences of the "
        "corpus are labelled."
    )
    assert sentences.not_better_sentence(low, analysis, 126).endswith(nearly_all)
    done = Trained(metrics=low, analysis=analysis, doubts=0, changed=True)
    assert any(line.endswith(nearly_all) for line in trained(done, Path("model"), Path("doubts"), 126))
    status = msgspec.structs.replace(found.status, different=126)
    assert nearly_all in render(msgspec.structs.replace(found, metrics=low, analysis=analysis, status=status))
    hardly = msgspec.structs.replace(analysis, curve=msgspec.structs.replace(curve, more="hardly"))
    assert not sentences.not_better_sentence(made, hardly).endswith(help_)


def test_different_sentences_are_counted_without_copies(finished: Path) -> None:
    found = gather(finished, TARGET, frozenset(), Settings())
    assert found.corpus.copies
    assert groups_of_labels(finished).total == found.status.different == found.corpus.sentences - found.corpus.copies


def test_numbers_that_are_undefined_are_called_so() -> None:
    assert sentences.number(math.nan) == "undefined"
    assert sentences.share(Estimate(value=0.5)) == "50.0\N{NO-BREAK SPACE}%"
    assert shown(Estimate(value=0.5, low=0.25, high=0.75)) == "0.500 [0.250, 0.750]"
    drawing = svg_plots.bars([svg_plots.Bar(name="alpha <b>", value=math.nan)], "t")
    assert "undefined" in drawing
    assert "nan" not in drawing
    assert "<b>" not in drawing


def test_a_model_of_other_data_is_not_told_as_one_of_the_project(finished: Path, drawn: str, tmp_path: Path) -> None:
    work = tmp_path / "work"
    copy_tables(finished, work)
    analysis = msgspec.structs.replace(read_analysis(work / "model"), outside=True)
    write_bytes(work / "model" / "analysis.json", msgspec.json.encode(analysis))
    report(work, TARGET)
    said = "trained and tested on labelled data from outside this project"
    page = (work / "report.html").read_text("utf-8")
    assert page.count(said) == 4  # beside the scores, in the paragraph, and in both texts to paste
    assert said not in drawn
    assert "can’t be listed here" in page


def test_what_has_no_date_is_no_month_after_the_last() -> None:
    months = [svg_plots.Point(place=place, value=0.5, low=0.4, high=0.6) for place in ("2031-01", "2031-02", "unknown")]
    drawing = svg_plots.over_time(dict.fromkeys(DEFAULT.names, months), svg_shapes.tones(DEFAULT.names), "t")
    lines = re.findall(r'<polyline class="\w+ path" points="([^"]*)"', drawing)
    assert [len(line.split()) for line in lines] == [2, 2, 2]
    assert "no date 50 %" in drawing


def test_each_drawing_of_shares_says_whether_they_are_corrected(finished: Path) -> None:
    found = gather(finished, TARGET, frozenset(), Settings())
    assert found.shares is not None
    rows = [
        msgspec.structs.replace(row, corrected=row.raw if row.name != "2031-02" else None) for row in found.shares.rows
    ]
    page = render(msgspec.structs.replace(found, shares=msgspec.structs.replace(found.shares, rows=rows, power=0.5)))
    assert "<h3>By month (raw)</h3>" in page
    assert "<h3>By outlet (corrected)</h3>" in page


def test_only_what_was_not_measured_is_called_so(finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "project" / "work"
    copy_tables(finished, work)
    path = work / "model" / "analysis.json"
    analysis = json.loads(path.read_bytes())
    analysis["notes"] = ["Not measured: too few groups", "the recipe was chosen on 5 of 9 examples"]
    path.write_text(json.dumps(analysis))
    report(work, TARGET)
    page = (work / "report.html").read_text("utf-8")
    assert '<p class="soft">Not measured: too few groups</p>' in page
    assert '<p class="soft">The recipe was chosen on 5 of 9 examples</p>' in page


def test_a_difference_of_confidence_and_accuracy_says_which_is_larger() -> None:
    assert sentences.distance(-0.408, -0.5, -0.3) == "40.8 points [30.0, 50.0]"
    assert sentences.distance(0.1, 0.05, 0.2) == "10.0 points [5.0, 20.0]"


def test_the_page_says_which_of_two_estimates_to_report(finished: Path) -> None:
    found = gather(finished, "troops", frozenset(), Settings())
    assert found.shares is not None
    assert found.status.shares is not None
    by_labels = msgspec.structs.replace(found.status.shares, weighted=found.status.shares.raw)
    rows = [msgspec.structs.replace(row, corrected=row.raw) for row in found.shares.rows]
    both = msgspec.structs.replace(
        found,
        status=msgspec.structs.replace(found.status, shares=by_labels, labelled=1),
        shares=msgspec.structs.replace(found.shares, rows=rows, power=0.5),
    )
    assert render(both).count("Choose the one to report before you look at them.") == 2
    plain = [msgspec.structs.replace(row, corrected=None) for row in rows]
    alone = msgspec.structs.replace(both, shares=msgspec.structs.replace(found.shares, rows=plain))
    assert "Choose the one to report" not in render(alone)
