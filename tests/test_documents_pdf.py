"""PDF files: paragraphs, columns, running heads and scanned pages, in files written by hand and by Chromium."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.reading.documents import pdf as reader
from corpus.reading.documents.kinds import articles_in
from tests.support.covered import check_covered, marked, one
from tests.support.documents import PORT, RAIN, pdf, shown

LINES = [
    "The ferry left Ostrel on Monday with two aides and nine repor-",
    "ters on board. It rained all day, and nobody on the pier spoke",
    "to the minister.",
]
FERRY = (
    "The ferry left Ostrel on Monday with two aides and nine reporters on board. It rained all day, and nobody on the "
    "pier spoke to the minister."
)
BODY = ["The council of the town met on Tuesday to talk about the port", "and the old bridge, which was shut."]
COUNCIL = "The council of the town met on Tuesday to talk about the port and the old bridge, which was shut."


def test_wrapped_lines_are_joined_to_paragraphs_and_broken_words_to_words() -> None:
    article = one("pdf", pdf([shown(LINES) + "\n" + shown(BODY, top=640)]))
    assert article.text.split("\n") == [FERRY, COUNCIL]
    assert article.extractor.startswith("pypdf ")
    assert article.note == ""


def test_a_hyphen_stays_where_the_document_has_the_word_with_it() -> None:
    lines = ["A well-known man left the port on Monday. They met the well-", "known man again."]
    assert one("pdf", pdf([shown(lines)])).text.endswith("They met the well-known man again.")


def test_running_heads_and_page_numbers_are_told_apart_and_interrupt_no_paragraph() -> None:
    head = shown(["The Sund Post, 4 March 2031"], top=800, size=9)
    pages = [
        "\n".join([head, shown(LINES[:2]), shown(["1"], top=40, left=290)]),
        "\n".join([head, shown(LINES[2:]), shown(BODY, top=660), shown(["2"], top=40, left=290)]),
    ]
    article = one("pdf", pdf(pages))
    assert sorted(marked(article)) == [
        ("", COUNCIL),
        ("", FERRY),
        ("other", "1"),
        ("other", "2"),
        ("other", "The Sund Post, 4 March 2031"),
        ("other", "The Sund Post, 4 March 2031"),
    ]
    assert {mark.reason for mark in article.marks} == {"running head", "page number"}
    check_covered(article)


@pytest.mark.parametrize("by_rows", [False, True])
def test_the_left_column_is_read_before_the_right_one(by_rows: bool) -> None:
    left = [f"left column line {number} of the text that goes on" for number in range(8)]
    right = [f"right column line {number} of the text that goes on" for number in range(8)]
    left[-1], right[-1] = "and the left column ends here.", "and the right column ends here."
    one_column, other = shown(left, 50, size=9).split("\n"), shown(right, 330, size=9).split("\n")
    rows = [draw for pair in zip(one_column, other, strict=True) for draw in pair]
    text = one("pdf", pdf(["\n".join(rows if by_rows else one_column + other)])).text
    assert text.replace("\n", " ") == " ".join(left + right)


def test_larger_type_is_a_title_or_a_heading() -> None:
    page = "\n".join(
        [
            shown(["Rain in Ostrel"], top=760, size=24),
            shown(LINES, top=700),
            shown(["The port"], top=640, size=14),
            shown(BODY, top=610),
        ]
    )
    article = one("pdf", pdf([page]))
    assert marked(article) == [("title", "Rain in Ostrel"), ("", FERRY), ("heading", "The port"), ("", COUNCIL)]
    assert article.fields == {"title": "Rain in Ostrel"}


@pytest.mark.parametrize(
    ("stated", "title"), [("Rain and wind", "Rain and wind"), ("Microsoft Word - a.doc", ""), ("x.indd", "")]
)
def test_the_title_is_the_stated_one_unless_that_is_a_file_name(stated: str, title: str) -> None:
    assert one("pdf", pdf([shown(LINES)], info=f"/Title ({stated})")).fields.get("title", "") == title


def test_pages_without_text_are_noted_and_a_file_without_any_is_a_fault() -> None:
    article = one("pdf", pdf([shown(LINES), None, None, shown(BODY), None]))
    assert article.note == "no text on page 2-3, 5: blank or scanned, and not read"
    assert one("pdf", pdf([None, None])).fault == (
        "no text layer: a scanned document, which would need text recognition"
    )


def test_an_encrypted_file_is_a_fault() -> None:
    locked = pdf(
        [shown(LINES)],
        trailer=f"/ID [<{'00' * 16}> <{'00' * 16}>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 "
        f"/O <{'11' * 32}> /U <{'22' * 32}> >>",
    )
    assert one("pdf", locked).fault == "encrypted: it needs a password"


def test_without_the_extra_the_fault_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    assert one("pdf", pdf([shown(LINES)])).fault == (
        "a document (.pdf), which is read after `pip install 'stance-corpus[documents]'`"
    )


def test_forms_that_show_each_other_without_end_stop_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "OPERATIONS", 50)
    assert "more than 50 drawing operations" in one("pdf", pdf([shown(LINES * 20)])).fault


@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no Chromium")
def test_a_page_that_chromium_prints_in_two_columns_is_read_in_order(tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {number} begins here. {RAIN} {PORT} So paragraph {number} ends." for number in range(30)]
    page = tmp_path / "page.html"
    page.write_text(
        "<meta charset=utf-8><style>@page {margin: 2cm} body {columns: 2; font: 11pt serif; hyphens: auto;"
        "text-align: justify} .head {position: fixed; top: -1cm; font-size: 9pt} h1 {column-span: all}</style>"
        "<html lang=en><body><div class=head>The Sund Post of Ostrel</div><h1>Rain in Ostrel and all of Brennia</h1>"
        + "".join(f"<p>{text}</p>" for text in paragraphs),
        "utf-8",
    )
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'page.pdf'}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (article,) = articles_in("pdf", (tmp_path / "page.pdf").read_bytes())
    lines = marked(article)
    assert ("title", "Rain in Ostrel and all of Brennia") in lines
    assert [line for kind, line in lines if not kind] == paragraphs
    assert {line for kind, line in lines if kind == "other"} <= {"The Sund Post of Ostrel"}
    check_covered(article)
