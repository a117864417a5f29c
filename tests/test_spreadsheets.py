"""Spreadsheets (.xlsx, .xls) as tables of articles: what is read, and what is left out with which reason."""

from __future__ import annotations

import datetime
import random
import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
import xlrd
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import SourceError
from corpus.fetch.url_table import read_urls
from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.reading.tables import xlsx as xlsx_reader
from corpus.reading.tables.cells import CELL, moment, number_text
from corpus.reading.tables.columns import ABSTRACT, PROQUEST
from corpus.reading.tables.spreadsheets import CUT, opened
from corpus.records import Article, CorpusSettings, Noted, Skipped
from corpus.store import read_jsonl
from stance.command_line import cli
from tests import fuzz_documents
from tests.support.documents import PORT, RAIN, SAMPLES, open_document, word, zipped
from tests.support.spreadsheets import Cell, container, xls, xlsx

WRITERS = {"xlsx": xlsx, "xls": xls}
NEWS: list[list[Cell]] = [
    ["id", "text", "outlet", "published"],
    ["a", RAIN, "The Sund Post", (40617.0, "yyyy-mm-dd")],
    [None],
    [17.0, PORT, None, (40617.5, "d. mmm yyyy h:mm")],
]


def _all(path: Path, **fields: str) -> list[Article | Skipped | Noted]:
    chosen = CorpusSettings(root=str(path.parent if path.is_file() else path), fields=fields)
    return [item for unit in units([path], chosen) for item in read(unit, chosen)]


def _articles(path: Path, **fields: str) -> list[Article]:
    return [item for item in _all(path, **fields) if isinstance(item, Article)]


@pytest.mark.parametrize("kind", WRITERS)
def test_the_rows_of_a_sheet_are_articles_with_their_numbers_in_the_sheet(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"news.{kind}"
    path.write_bytes(WRITERS[kind]({"News": NEWS, "Empty": []}))
    found = _articles(path)
    assert [(one.article_id, one.source, one.published, one.outlet) for one in found] == [
        ("a", f"news.{kind}:2", "2011-03-15", "The Sund Post"),
        ("17", f"news.{kind}:4", "2011-03-15T12:00:00", ""),
    ]
    assert [one.text for one in found] == [RAIN, PORT]
    assert len(_all(path)) == 2


@pytest.mark.parametrize("kind", WRITERS)
def test_each_sheet_with_the_columns_is_a_table_and_the_others_are_listed(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"news.{kind}"
    sheets: dict[str, list[list[Cell]]] = {
        "2031": [["text"], [RAIN]],
        "2032": [[None], [" text "], [PORT]],
        "Codes": [["code", "meaning"], [1.0, "x"]],
        "Secret": [["text"], ["Nobody sees this."]],
    }
    path.write_bytes(WRITERS[kind](sheets, hidden=["Secret"]))
    found = _all(path)
    assert [(one.source, one.text) for one in found if isinstance(one, Article)] == [
        (f"news.{kind}:2031:2", RAIN),
        (f"news.{kind}:2032:3", PORT),
    ]
    reasons = {one.source: one.reason for one in found if isinstance(one, Skipped)}
    assert reasons.keys() == {f"news.{kind}:Codes", f"news.{kind}:Secret"}
    assert reasons[f"news.{kind}:Codes"].startswith(
        "a sheet that is no table of articles: expected the column text; found code, meaning. Say which column"
    )
    assert reasons[f"news.{kind}:Secret"].startswith("a sheet that is hidden")


def test_the_content_decides_which_kind_of_workbook_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "news.xls"
    path.write_bytes(xlsx({"News": NEWS}))
    assert [one.text for one in _articles(path)] == [RAIN, PORT]
    path = tmp_path / "other.xlsx"
    path.write_bytes(xls({"News": NEWS}))
    assert [one.text for one in _articles(path)] == [RAIN, PORT]


@pytest.mark.parametrize("kind", WRITERS)
def test_days_since_1904_are_the_same_dates(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"news.{kind}"
    rows: list[list[Cell]] = [["text", "published"], [RAIN, (39155.0, "yyyy/m/d")], [PORT, (0.5, "yyyy/m/d")]]
    path.write_bytes(WRITERS[kind]({"News": rows}, since_1904=True))
    assert [one.published for one in _articles(path)] == ["2011-03-15", "1904-01-01T12:00:00"]


@given(
    st.floats(0, 2_958_465, exclude_max=True).filter(lambda days: not 59 <= days < 61 and days >= 1),
    st.booleans(),
)
def test_dates_are_those_that_an_independent_reader_gives(days: float, since_1904: bool) -> None:
    if since_1904 and days > 2_950_000:
        return
    # xlrd counts day 1 as 1 January 1900, too, and rounds to the nearest millisecond.
    theirs = xlrd.xldate.xldate_as_datetime(days, int(since_1904))
    ours = datetime.datetime.fromisoformat(moment(repr(days), since_1904=since_1904))
    assert abs(ours - theirs) <= datetime.timedelta(seconds=0.51)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_is_the_number(value: float) -> None:
    assert float(number_text(repr(value))) == value


@given(
    st.lists(
        st.lists(st.none() | st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"))), min_size=1),
        max_size=6,
    ),
    st.sampled_from(sorted(WRITERS)),
)
def test_whatever_cells_hold_is_found_in_their_places(rows: list[list[str | None]], kind: str) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(WRITERS[kind]({"News": rows}))
        file.flush()
        with opened(Path(file.name)) as workbook:
            found = {row.number: row.cells for row in workbook.rows(0)}
    expected = {n: {place: cell for place, cell in enumerate(row) if cell} for n, row in enumerate(rows, 1)}
    assert found == {n: cells for n, cells in expected.items() if cells}


def test_formulas_are_never_computed_and_those_without_a_value_are_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "news.xlsx"
    head = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("text", "title", "other"))
    row = (
        '<row><c t="str"><f>A1&amp;"x"</f><v>{0}</v></c><c t="str"><f>T(B9)</f><v></v></c>'
        '<c><f>1/0</f></c><c t="e"><f>NA()</f><v>#N/A</v></c></row>'
    )
    rows = f"<row>{head}</row>{row.format(RAIN)}<row><c><f>HYPERLINK(A1)</f><v/></c></row>"
    path.write_bytes(xlsx({"News": rows}))
    article, fault = _all(path)
    assert isinstance(article, Article)
    assert isinstance(fault, Skipped)
    assert (article.text, article.title) == (RAIN, "")
    assert (fault.source, fault.reason) == (
        "news.xlsx:3",
        "column text: a formula without its value: open the file in a spreadsheet program and save it",
    )


def test_a_text_that_fills_its_cell_is_noted_as_perhaps_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "news.xlsx"
    long = (RAIN + " ") * 400
    path.write_bytes(xlsx({"News": [["text"], [long[: CELL - 1]], [long[:CELL]]]}))
    notes = [one for one in _all(path) if isinstance(one, Noted)]
    assert [(one.source, one.note) for one in notes] == [("news.xlsx:3", CUT)]


def test_what_real_programs_write_against_the_rules_is_read(tmp_path: Path) -> None:
    path = tmp_path / "news.xlsx"
    path.write_bytes(
        xlsx({"News": f"<row><c t='inlineStr'><is><t>text</t></is><v>x</v></c></row><row>{_inline(RAIN)}</row>"})
    )
    parts = _parts(path.read_bytes())
    del parts["xl/sharedStrings.xml"]
    path.write_bytes(zipped({name.replace("/", "\\"): data for name, data in parts.items()}))
    assert [one.text for one in _articles(path)] == [RAIN]
    path = tmp_path / "news.xls"
    path.write_bytes(xls({"News": NEWS}).replace("Workbook".encode("utf-16-le"), "WORKBOOK".encode("utf-16-le")))
    assert [one.text for one in _articles(path)] == [RAIN, PORT]


def _inline(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def _parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


# ProQuest

PROQUEST_HEADER: list[Cell] = [
    *("Title", "Abstract", "StoreId", "ArticleType", "Authors", "documentType", "language", "pubdate", "pubtitle"),
    *("year", "DocumentURL"),
]
PROQUEST_ROWS: list[list[Cell]] = [
    [
        *("Rain in Ostrel", RAIN, 868000001.0, "News", "Lee, Ann", "News", "English", "Mar 4, 2031", "The Sund Post"),
        *(2031.0, "https://pq.example/868000001"),
    ],
    ["No abstract", None, "868000002", "News", None, "News", "English", None, "The Sund Post", 2031.0, None],
]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_of_proquest_is_known_by_its_columns(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"ProQuestDocuments-2031-04-01.{kind}"
    path.write_bytes(WRITERS[kind]({"Sheet0": [PROQUEST_HEADER, *PROQUEST_ROWS]}))
    article, note, skipped = _all(path)
    assert isinstance(article, Article)
    assert (article.article_id, article.title, article.text, article.outlet) == (
        "868000001",
        "Rain in Ostrel",
        RAIN,
        "The Sund Post",
    )
    assert (article.published, article.language, article.url) == ("2031-03-04", "en", "https://pq.example/868000001")
    assert article.extractor == PROQUEST
    assert isinstance(note, Noted)
    assert note.note == ABSTRACT
    assert isinstance(skipped, Skipped)
    assert (skipped.article_id, skipped.reason) == ("868000002", "no text in it")


def test_a_full_text_in_a_table_of_proquest_goes_before_the_abstract_and_settings_before_both(tmp_path: Path) -> None:
    path = tmp_path / "pq.xlsx"
    rows = [[*row, None] for row in PROQUEST_ROWS]
    rows[1][-1] = PORT
    path.write_bytes(xlsx({"Sheet0": [[*PROQUEST_HEADER, "Full text"], *rows]}))
    found = _all(path)
    assert [one.text for one in found if isinstance(one, Article)] == [RAIN, PORT]
    assert [one.article_id for one in found if isinstance(one, Noted)] == ["868000001"]
    assert [one.text for one in _articles(path, text="Title")] == ["Rain in Ostrel", "No abstract"]
    assert [one.outlet for one in _articles(path, outlet="Authors")] == ["Lee, Ann", ""]


def test_a_table_of_proquest_that_was_saved_as_csv_is_read_alike(tmp_path: Path) -> None:
    (tmp_path / "pq.csv").write_text(
        f'Title,Abstract,StoreId,pubtitle,pubdate\nRain,"{RAIN}",868000001,The Sund Post,"Mar 4, 2031"\n'
    )
    (article,) = _articles(tmp_path / "pq.csv")
    assert (article.article_id, article.published, article.extractor) == ("868000001", "2031-03-04", PROQUEST)
    (tmp_path / "other.csv").write_text("Title,Abstract,pubtitle\nRain,x,y\n")
    with pytest.raises(SourceError, match="expected the column text; found Title, Abstract, pubtitle"):
        _all(tmp_path / "other.csv")


def test_the_summary_counts_the_export_and_its_articles(tmp_path: Path) -> None:
    (tmp_path / "pq.xls").write_bytes(xls({"Sheet0": [PROQUEST_HEADER, *PROQUEST_ROWS]}))
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "build", str(tmp_path / "pq.xls")])
    assert done.exit_code == 0, done.output
    assert "1 file is an export of ProQuest (1 article)" in done.output
    assert "no full text" not in done.output
    assert f"1 × {ABSTRACT.partition(':')[0]}" in done.stderr


# A spreadsheet that describes files


def test_articles_xlsx_describes_files_as_articles_csv_does(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"{RAIN} {PORT} {name}")
    table: list[list[Cell]] = [
        ["file", "outlet", "published"],
        ["a.txt", "The Sund Post", (40617.0, "d.m.yyyy")],
        ["gone.txt", "The Sund Post", None],
        [None, "Nobody"],
    ]
    (tmp_path / "articles.xlsx").write_bytes(xlsx({"Notes": [["of whom"]], "Files": table}))
    found = _all(tmp_path)
    assert [(one.article_id, one.outlet, one.published) for one in found if isinstance(one, Article)] == [
        ("a", "The Sund Post", "2011-03-15"),
        ("b", "", ""),
    ]
    assert {one.source: one.reason for one in found if isinstance(one, Skipped)} == {
        "articles.xlsx:3": "a row of articles.xlsx for a file that is not there: gone.txt",
        "articles.xlsx:4": "a row of articles.xlsx that names no file",
    }
    with pytest.raises(SourceError, match="it describes articles"):
        _all(tmp_path / "articles.xlsx")
    (tmp_path / "articles.csv").write_text("file,outlet\na.txt,Herald\n")
    with pytest.raises(
        SourceError, match=r"both articles\.csv and articles\.xlsx describe its files; keep one of them"
    ):
        _all(tmp_path)
    (tmp_path / "articles.csv").unlink()
    (tmp_path / "articles.xlsx").write_bytes(xlsx({"Files": [["file", "author"], ["a.txt", "Lee"]]}))
    with pytest.raises(
        SourceError, match=r"articles\.xlsx, row 1: expected the columns file and any of language, .*author"
    ):
        _all(tmp_path)


def test_a_table_of_articles_may_be_called_articles_xlsx_and_a_broken_one_is_listed(tmp_path: Path) -> None:
    (tmp_path / "articles.xlsx").write_bytes(xlsx({"News": NEWS}))
    assert [one.text for one in _articles(tmp_path)] == [RAIN, PORT]
    (tmp_path / "articles.xlsx").write_bytes(container("EncryptedPackage", b"x" * 5000))
    (tmp_path / "a.txt").write_text(RAIN)
    assert [one.reason for one in _all(tmp_path) if isinstance(one, Skipped)] == ["encrypted: it needs a password"]


# What is not read


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        (
            "codes.xlsx",
            xlsx({"Codes": [["code", "meaning"], [1.0, "x"]]}),
            "row 1: expected the column text; found code",
        ),
        ("two.xlsx", xlsx({"A": [], "B": [["x"]], "C": [["y"]]}), "row 1 of the sheet B: expected the column text"),
        ("blank.xlsx", xlsx({"A": []}), "no sheet with a table in it"),
        ("word.xlsx", word("<w:p/>"), "expected an Excel workbook; found a zip package of another kind"),
        ("open.xlsx", open_document(""), "expected an Excel workbook; found a zip package of another kind"),
        ("locked.xlsx", container("EncryptedPackage", b"x" * 5000), "encrypted: it needs a password"),
        (
            "old.xls",
            container("WordDocument", b"x" * 5000),
            "found a Word document of the older format (.doc)",
        ),
        ("page.xls", b"<html><table><tr><td>text</td></tr></table></html>", "found a web page under this name"),
        ("tabs.xls", b"id\ttext\n1\tRain.\n", "found plain text under this name: open it in a spreadsheet program"),
        ("xml.xls", b'<?xml version="1.0"?><Workbook/>', "found XML under this name"),
        ("half.xlsx", xlsx({"News": NEWS})[:900], "expected an Excel workbook; found a broken one"),
        ("broken.xls", container("Workbook", b"x" * 5000), "a broken Excel workbook"),
        ("hidden.xlsx", xlsx({"A": [["text"], ["x"]]}, hidden=["A"]), "row 1: a sheet that is hidden: show it"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 12 else "",
)
def test_a_workbook_without_articles_is_listed_in_a_folder_and_an_error_by_name(
    name: str, data: bytes, reason: str, tmp_path: Path
) -> None:
    news = tmp_path / "news"
    news.mkdir()
    (news / name).write_bytes(data)
    (news / "a.txt").write_text(RAIN)
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "build", str(news), "--out", str(tmp_path / "work")])
    assert done.exit_code == 0, done.output
    (skipped,) = read_jsonl(tmp_path / "work" / "skipped.jsonl", Skipped, "stance build")
    assert skipped.source.endswith(name)
    known = "column" in reason or "no sheet" in reason or "hidden" in reason
    assert skipped.reason.startswith(f"of another kind ({Path(name).suffix}): ") == known
    assert skipped.article_id == ("" if known else f"news/{Path(name).stem}")
    assert reason in skipped.reason
    with pytest.raises(SourceError) as error:
        _all(news / name)
    assert reason in str(error.value)
    assert str(error.value).startswith(f"{news / name}: ")


def test_without_the_extra_xls_files_are_left_out_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.xls").write_bytes(xls({"News": NEWS}))
    (tmp_path / "b.xlsx").write_bytes(xlsx({"News": NEWS}))
    monkeypatch.setitem(sys.modules, "xlrd", None)
    found = _all(tmp_path)
    assert len([one for one in found if isinstance(one, Article)]) == 2
    (skipped,) = [one for one in found if isinstance(one, Skipped)]
    assert skipped.reason == "a workbook (.xls), which is read after `pip install 'stance-corpus[documents]'`"


def test_what_is_unpacked_of_a_workbook_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(xlsx({"News": [["text"], ["x" * 100_000]]}))
    monkeypatch.setattr(xlsx_reader, "UNPACKED", 50_000)
    with pytest.raises(SourceError, match="a workbook of more than 0 MB once unpacked: divide it, or save it as"):
        _all(path)


def test_a_far_away_cell_costs_no_memory_and_texts_that_many_cells_share_are_held_once(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    shared = '<c t="s"><v>0</v></c>'
    rows = f'<row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c></row><row r="2">{shared * 16_000}</row>'
    rows += '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    data = xlsx({"News": rows})
    parts = _parts(data)
    parts["xl/sharedStrings.xml"] = b"<sst><si><t>" + b"x " * 2_000_000 + b"</t></si></sst>"
    path.write_bytes(zipped(parts))
    with opened(path) as workbook:
        found = list(workbook.rows(0))
    assert [(row.number, len(row.cells)) for row in found] == [(1, 1), (2, 16_000), (1_048_576, 1)]
    assert len({id(text) for text in found[1].cells.values()}) == 1


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="2"><c><v>1</v></c></row><row r="2"><c><v>1</v></c></row>', "row 2 of a sheet stands behind row 2"),
        ('<row r="1048577"/>', "row 1048577 of a sheet stands behind row 0"),
        (f"<row>{'<c/>' * 16_385}</row>", "a row of a sheet has more than 16,384 columns"),
        ('<row><c t="s"><v>7</v></c></row>', "^[^:]*: a broken workbook: row 1 refers to a text that is not in it"),
        ('<row><c t="s"><v>-1</v></c></row>', "row 1 refers to a text that is not in it"),
        ("<row><c>", "^[^:]*: malformed XML in the workbook's part xl/worksheets/sheet1.xml"),
    ],
)
def test_a_broken_sheet_is_an_error_that_says_what_is_wrong(rows: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.xlsx"
    path.write_bytes(xlsx({"News": rows}))
    with pytest.raises(SourceError, match=reason):
        _all(path)


def test_a_document_type_in_a_workbook_is_refused(tmp_path: Path) -> None:
    data = xlsx({"News": NEWS})
    parts = _parts(data)
    for name in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"):
        changed = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + parts[name]
        (tmp_path / "a.xlsx").write_bytes(zipped(parts | {name: changed}))
        with pytest.raises(SourceError, match="XML with a document type in a workbook"):
            _all(tmp_path / "a.xlsx")


@pytest.mark.parametrize("kind", WRITERS)
def test_a_workbook_that_was_changed_at_random_is_read_or_one_known_error(kind: str) -> None:
    chance = random.Random(kind)
    sound = WRITERS[kind]({"News": NEWS, "More": NEWS})
    others = [sound, *SAMPLES.values()]
    for _ in range(150):
        fuzz_documents.check(kind, fuzz_documents.mutated(chance, kind, sound, others))


@pytest.mark.parametrize("kind", WRITERS)
def test_urls_to_fetch_may_stand_in_a_spreadsheet(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"urls.{kind}"
    rows: list[list[Cell]] = [["url", "title"], ["https://news.example/a", "A"], ["no address", "B"]]
    path.write_bytes(WRITERS[kind]({"Notes": [["x"]], "URLs": rows}))
    table = read_urls(path, CorpusSettings())
    assert table.urls == {"https://news.example/a": 2}
    assert [one.row for one in table.refused] == [3]


def test_urls_to_fetch_may_stand_in_a_json_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"articles": [{"url": "https://news.example/a", "title": "A"}, {"title": "B"}]}')
    table = read_urls(tmp_path / "a.json", CorpusSettings())
    assert (table.urls, [one.row for one in table.refused]) == ({"https://news.example/a": 1}, [2])
