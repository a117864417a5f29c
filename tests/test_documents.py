"""Documents of word processors, Markdown and mail: what is read of them, and that nothing is passed over unsaid."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corpus.reading.articles import read
from corpus.reading.documents.kinds import DOCUMENTS, ENDINGS, articles_in
from corpus.reading.documents.lines import Line, article_of
from corpus.reading.source_files import units
from corpus.reading.tables.columns import FIELDS
from corpus.records import Article, CorpusSettings, Noted, Skipped
from corpus.store import read_jsonl
from stance.command_line import cli
from tests.support.covered import check_covered, marked, one
from tests.support.documents import MAIL, PORT, RAIN, SAMPLES, open_document, paragraph, word, zipped
from tests.support.spreadsheets import container

# All formats


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_a_document_of_each_kind_is_read_with_every_character_covered_once(kind: str) -> None:
    articles = [article for article in articles_in(kind, SAMPLES[kind]) if not article.fault]
    text = "\n".join(article.text for article in articles)
    assert RAIN in text
    assert PORT in text
    for article in articles:
        assert article.extractor
        assert article.fields.keys() <= set(FIELDS) - {"text"}
        assert not {"\r", "\x0b", "\x0c", "\u2028", "\x00"} & set(article.text)
        check_covered(article)


@given(
    st.lists(
        st.builds(Line, st.text(max_size=30), st.sampled_from(["", "", "title", "heading", "other", "footer"])),
        max_size=12,
    )
)
def test_whatever_the_lines_are_the_text_is_covered_once_and_can_be_written(lines: list[Line]) -> None:
    article = article_of(lines, "x")
    article.text.encode()
    assert article.text.count("\n") + 1 == len(article.text.split("\n"))
    assert bool(article.fault) == (not article.text)
    check_covered(article)


def test_the_command_builds_a_corpus_of_a_folder_of_documents(tmp_path: Path) -> None:
    news = tmp_path / "news"
    news.mkdir()
    for kind, data in SAMPLES.items():
        (news / f"{kind}.{kind if kind != 'tar' else 'tar.gz'}").write_bytes(data)
    here = Path.cwd()
    try:
        done = CliRunner().invoke(cli, ["-C", str(tmp_path), "build", "news", "--workers", "1"])
    finally:
        os.chdir(here)
    assert done.exit_code == 0, done.output
    rows = read_jsonl(tmp_path / "work" / "skipped.jsonl", Skipped, "")
    assert [(row.article_id, row.source, row.reason) for row in rows] == [
        ("", "news/zip.zip/d.jpg", "of another kind (.jpg)")
    ]
    ids = pq.read_table(tmp_path / "work" / "articles.parquet").column("article_id").to_pylist()
    assert sorted(ids) == sorted(
        [
            *(f"news/{kind}" for kind in SAMPLES if kind not in ("mbox", "epub", "xml", "zip", "tar")),
            *(f"news/{kind}#{number}" for kind in ("mbox", "epub", "xml") for number in (1, 2)),
            *(f"news/zip.zip/{name}" for name in ("a", "in/b", "in/c")),
            *(f"news/tar.tar.gz/{name}" for name in ("a", "in/b")),
        ]
    )


def test_a_document_gets_its_metadata_from_the_table_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(SAMPLES["docx"])
    (tmp_path / "articles.csv").write_text("file,outlet,published\na.docx,Herald,2031-05-06\n")
    settings = CorpusSettings(root=str(tmp_path))
    (unit,) = units([tmp_path], settings)
    article = next(read(unit, settings))
    assert isinstance(article, Article)
    assert (article.article_id, article.title, article.outlet, article.published) == (
        "a",
        "Rain in Ostrel",
        "Herald",
        "2031-05-06",
    )


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_a_file_that_is_not_what_its_name_says_is_skipped_with_the_reason(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending.upper()}"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe")
    settings = CorpusSettings(root=str(tmp_path))
    (unit,) = units([path], settings)
    (skipped,) = list(read(unit, settings))
    assert isinstance(skipped, Skipped)
    assert "Error" not in skipped.reason
    assert skipped.article_id == "a"


# Word


def test_word_paragraphs_tables_and_text_boxes_come_in_the_order_of_the_document() -> None:
    box = (
        "<w:p><w:r><w:t>Before the box</w:t></w:r><w:r><mc:AlternateContent><mc:Choice><wps:txbx><w:txbxContent>"
        f"{paragraph('In the box.')}</w:txbxContent></wps:txbx></mc:Choice><mc:Fallback><v:textbox><w:txbxContent>"
        f"{paragraph('In the box.')}</w:txbxContent></v:textbox></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    table = f"<w:tbl><w:tr><w:tc>{paragraph('A1')}</w:tc><w:tc>{paragraph('B1')}</w:tc></w:tr></w:tbl>"
    article = one(
        "docx",
        word(paragraph("First.") + table + box + f"<w:sdt><w:sdtContent>{paragraph('Last.')}</w:sdtContent></w:sdt>"),
    )
    assert article.text.split("\n") == ["First.", "A1", "B1", "Before the box", "In the box.", "Last."]


def test_word_text_is_that_of_the_final_version() -> None:
    body = (
        '<w:p><w:r><w:t xml:space="preserve">The </w:t></w:r>'
        '<w:ins><w:r><w:t xml:space="preserve">old </w:t></w:r></w:ins>'
        "<w:del><w:r><w:delText>new</w:delText></w:r></w:del><w:smartTag><w:r><w:t>bridge</w:t></w:r></w:smartTag>"
        '<w:r><w:tab/><w:t>was</w:t><w:br/><w:t>shut</w:t></w:r><w:hyperlink r:id="x">'
        '<w:r><w:t xml:space="preserve"> on '
        "Monday</w:t></w:r></w:hyperlink><w:r><w:fldChar/><w:instrText>PAGE</w:instrText></w:r>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r><w:r><w:noBreakHyphen/><w:softHyphen/><w:t>x.</w:t></w:r>"
        "<w:moveFrom><w:r><w:t>gone</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t> Here.</w:t></w:r></w:moveTo></w:p>"
    )
    article = one("docx", word(body))
    assert article.text == "The old bridge was shut on Monday‑x. Here."
    assert "not read: deleted text of tracked changes (2), hidden text (1)" in article.note


def test_word_breaks_end_a_line_where_the_sentence_does_not_go_on() -> None:
    body = "<w:p><w:r><w:t>Rain in Ostrel</w:t><w:br/><w:t>By Ann Lee</w:t><w:br/><w:br/><w:t>It rained</w:t><w:br/>"
    article = one("docx", word(f"{body}<w:t>and rained.</w:t></w:r></w:p>"))
    assert article.text.split("\n") == ["Rain in Ostrel", "By Ann Lee", "It rained and rained."]


def test_word_styles_say_what_is_title_heading_and_caption() -> None:
    body = paragraph("Rain", "Titel") + paragraph("The port", "Meine") + paragraph("A boat", "Beschriftung")
    article = one("docx", word(body + paragraph("It rained.", "Unknown")))
    assert marked(article) == [("title", "Rain"), ("heading", "The port"), ("caption", "A boat"), ("", "It rained.")]
    assert article.fields == {"title": "Rain", "published": "2031-03-04T10:00:00Z"}
    assert article.note == "published is the day on which the document was made"


def test_word_notes_are_kept_and_headers_and_footers_are_told_apart() -> None:
    note = f'<w:footnote w:id="2">{paragraph("A note.")}</w:footnote>'
    article = one("docx", word(paragraph("It rained."), note, paragraph("The Sund Post"), paragraph("Page 1")))
    assert marked(article) == [
        ("other", "The Sund Post"),
        ("", "It rained."),
        ("", "A note."),
        ("other", "Page 1"),
    ]


def test_a_large_first_letter_belongs_to_its_word() -> None:
    initial = '<w:p><w:pPr><w:framePr w:dropCap="drop"/></w:pPr><w:r><w:t>I</w:t></w:r></w:p>'
    assert one("docx", word(initial + paragraph("t rained."))).text == "It rained."


def test_an_encrypted_word_document_and_an_old_one_are_faults() -> None:
    assert one("docx", container("EncryptedPackage", b"x" * 5000)).fault == "encrypted: it needs a password"
    assert one("docx", container("WordDocument", b"x" * 5000)).fault == (
        "expected a Word document; found a Word document of the older format (.doc): save it as .docx"
    )
    assert "zip package of another kind" in one("docx", zipped({"a.txt": "x"})).fault


# OpenDocument


def test_open_document_text_is_read_in_order_with_notes_at_the_end() -> None:
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>Gone.</text:p></text:deletion>"
        '</text:changed-region></text:tracked-changes><text:p text:style-name="P1">Rain</text:p>'
        '<text:h text:outline-level="2">The port</text:h>'
        '<text:p>The<text:s text:c="3"/>old <text:span>bridge</text:span><text:tab/>was\nshut<text:note>'
        "<text:note-citation>1</text:note-citation><text:note-body><text:p>A note.</text:p></text:note-body>"
        "</text:note>"
        "<text:line-break/>again.<office:annotation><text:p>A comment.</text:p></office:annotation></text:p>"
        "<table:table><table:table-row><table:table-cell><text:p>A1</text:p></table:table-cell></table:table-row>"
        "</table:table><text:list><text:list-item><text:p>An item.</text:p></text:list-item></text:list>"
    )
    article = one("odt", open_document(body))
    assert marked(article) == [
        ("other", "The Sund Post"),
        ("title", "Rain"),
        ("heading", "The port"),
        ("", "The old bridge was shut again."),
        ("", "A1"),
        ("", "An item."),
        ("", "A note."),
        ("other", "Page 1"),
    ]
    assert "not read: comments (1), deleted text of tracked changes (1)" in article.note
    assert article.fields == {"title": "Rain", "published": "2031-03-04T10:00:00"}


def test_an_encrypted_open_document_is_a_fault() -> None:
    assert one("odt", open_document("", "<encryption-data/>")).fault == "encrypted: it needs a password"


# RTF


def test_rtf_is_read_with_its_styles_notes_and_headers() -> None:
    article = one("rtf", SAMPLES["rtf"])
    assert marked(article) == [
        ("other", "The Sund Post"),
        ("title", "Rain in Ostrel"),
        ("heading", "The port"),
        ("", RAIN),
        ("", PORT),
        ("", "A note on the port."),
    ]
    assert article.fields == {"title": "Rain in Ostrel", "published": "2031-03-04"}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"caf\'e9", "café"),
        (r"{\f1 \'cf\'ee\'f0\'f2}", "Порт"),
        (r"\uc1\u1055?\u-10179?\u-8704?", "П\U0001f600"),
        (r"\uc2\u8364 EU 5", "€ 5"),
        (r"a\emdash b\~c\_d", "a—b\xa0c‑d"),
        (r"one{\*\unknown gone} two", "one two"),
        (r"a{\pict 0102}b", "ab"),
        (r"a{\v hidden}b", "ab"),
        (r"a{\deleted gone}b", "ab"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt here}}", "here"),
        (r"{\upr{gone}{\*\ud kept}}", "kept"),
        (r"a\bin3 }}}b", "ab"),
        (r"a\par b\cell c\line\line D", "a\nb\nc\nD"),
    ],
)
def test_rtf_says_characters_in_many_ways(written: str, text: str) -> None:
    head = r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 A;}{\f1\fcharset204 B;}}"
    assert one("rtf", f"{head}{written}}}").text == text


@pytest.mark.parametrize(("page", "text"), [("10000", "é"), ("1250", "Ž"), ("65001", "\ufffd"), ("9999", "Ž")])
def test_an_unknown_code_page_of_rtf_is_read_as_that_of_windows(page: str, text: str) -> None:
    assert one("rtf", rf"{{\rtf1\ansi\ansicpg{page} \'8e}}").text == text


def test_rtf_that_was_cut_short_is_noted() -> None:
    assert "cut short" in one("rtf", r"{\rtf1 It rained").note


# Markdown


def test_markdown_is_read_without_its_marks() -> None:
    text = (
        "---\ntitle: Rain\ndate: 2031-03-04\ntags: [a]\n---\n# The rain\n\nThe *old* [bridge](http://x.org) was\nshut, "
        "`now`.\nAgain.  \nBy Ann\n\n![A boat](b.png)\n\n- one\n- two\n\n> said\n\n```\ncode()\n```\n<div>Some <b>HTML"
        "</b></div>\n\n## The port\n\n| a | b |\n|---|---|\n| c | d |\n"
    )
    article = one("md", text)
    assert marked(article) == [
        ("title", "The rain"),
        ("", "The old bridge was shut, now. Again."),
        ("", "By Ann"),
        ("", "one"),
        ("", "two"),
        ("", "said"),
        ("other", "code()"),
        ("", "Some HTML"),
        ("heading", "The port"),
        *[("", cell) for cell in "abcd"],
    ]
    assert article.fields == {"title": "Rain", "published": "2031-03-04"}
    assert article.note == "front matter that is not read: tags"


# Mail


def test_a_mail_is_read_with_its_subject_and_date() -> None:
    article = one("eml", MAIL)
    assert article.text == f"{RAIN}\n{PORT}"
    assert article.fields == {"title": "Rain in Ostrël", "published": "2031-03-04T10:00:00+01:00"}


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        ("Content-Type: text/plain; charset=iso-8859-2", "Łódź left.".encode("iso-8859-2"), "Łódź left."),
        ("Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64", b"8M/S1C4=", "Порт."),
        ("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", b"It r=\nained=2E",
         "It rained."),
        ("Content-Type: text/plain; charset=nonsense", "Café.".encode("cp1252"), "Café."),
        ("X: y", "Café.".encode(), "Café."),
        ("Content-Type: text/plain; format=flowed", b"It rained \nand rained.\n\nNobody left.",
         "It rained and rained.\nNobody left."),
    ],
)  # fmt: skip
def test_mail_comes_in_many_encodings(headers: str, body: bytes, text: str) -> None:
    assert one("eml", f"Subject: a\n{headers}\n\n".encode() + body).text == text


def test_quoted_mails_and_signatures_are_told_apart() -> None:
    article = one("eml", b"Subject: a\n\nIt rained.\n> We know.\n-- \nAnn Lee\n")
    assert marked(article) == [("", "It rained."), ("other", "> We know."), ("footer", "--"), ("footer", "Ann Lee")]


def test_a_mail_in_html_is_read_as_a_page_and_attachments_are_counted() -> None:
    mail = (
        'Subject: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
        f"--b\nContent-Type: text/html\n\n<p>{RAIN}</p>\n--b\nContent-Type: application/pdf\n"
        "Content-Disposition: attachment; filename=a.pdf\n\nx\n--b--\n"
    )
    article = one("eml", mail)
    assert article.text == RAIN
    assert "attachments that are not read: 1 (application/pdf)" in article.note
    assert "no text in the mail; attachments" in one("eml", mail.replace("text/html", "image/png")).fault


def test_each_mail_of_a_mailbox_is_an_article_and_a_broken_one_hides_no_other() -> None:
    box = (
        "From ann Tue Mar  4 10:00:00 2031\nSubject: one\n\nIt rained.\n>From the pier they left.\n\n"
        "From ann Tue Mar  4 10:00:00 2031\nSubject: two\nContent-Type: image/png\n\nx\n\n"
        "From ann Tue Mar  4 10:00:00 2031\nSubject: three\n\nFrom the town came nobody.\n"
    )
    first, second, third = articles_in("mbox", box.encode())
    assert first.text == "It rained.\nFrom the pier they left."
    assert "image/png" in second.fault
    assert (third.fields["title"], third.text) == ("three", "From the town came nobody.")


def test_what_is_noted_reaches_the_notes_of_the_corpus(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(SAMPLES["docx"])
    settings = CorpusSettings(root=str(tmp_path))
    (unit,) = units([tmp_path], settings)
    assert [item.note for item in read(unit, settings) if isinstance(item, Noted)] == [
        "published is the day on which the document was made"
    ]


def test_a_date_from_the_table_of_articles_leaves_no_doubt_about_the_documents(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(word(paragraph(RAIN) + "<w:p><w:r><w:object/></w:r></w:p>"))
    (tmp_path / "b.docx").write_bytes(word(paragraph(RAIN)))
    (tmp_path / "articles.csv").write_text("file,published,outlet\na.docx,2031-02-01,\nb.docx,,Gazette\n")
    chosen = CorpusSettings(root=str(tmp_path))
    found = [item for unit in units([tmp_path], chosen) for item in read(unit, chosen)]
    assert [one.published for one in found if isinstance(one, Article)] == ["2031-02-01", "2031-03-04T10:00:00Z"]
    assert [(one.article_id, one.note) for one in found if isinstance(one, Noted)] == [
        ("a", "not read: embedded documents (1)"),
        ("b", "published is the day on which the document was made"),
    ]


def test_each_note_on_an_article_is_a_note_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(word(paragraph(RAIN) + "<w:p><w:r><w:object/></w:r></w:p>"))
    chosen = CorpusSettings(root=str(tmp_path))
    notes = [item for unit in units([tmp_path], chosen) for item in read(unit, chosen) if isinstance(item, Noted)]
    assert [one.note for one in notes] == [
        "published is the day on which the document was made",
        "not read: embedded documents (1)",
    ]
