"""Sources to articles: what is found, what it is called, how it is decoded; one bad article stops nothing."""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import json
import os
import pickle
import re
import sys
import time
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import SourceError
from corpus.ids.fingerprint import fingerprint, text_id
from corpus.reading import text_encoding
from corpus.reading.articles import front_matter_end, read
from corpus.reading.source_files import apart, units
from corpus.reading.tables import data_files
from corpus.reading.web import html_page as page
from corpus.records import ARTICLES, Article, CorpusSettings, Noted, Skipped
from corpus.sentences.cut_articles import cut_articles
from tests.conftest import REPO
from tests.support.examples import examples

PROSE = "The minister of Brennia visited the port of Ostrel on Monday morning. She spoke with the dockers for an hour. "
GERMAN = "Der Minister besuchte am Montagmorgen den Hafen und sprach eine Stunde lang mit den Hafenarbeitern. "
PAGE = "<html><head><title>T</title></head><body><article>{}</article></body></html>"


def _all(*sources: Path | str, root: Path | str = ".", **fields: str) -> list[Article | Skipped | Noted]:
    """All that is read, but for what was never taken for an article."""
    chosen = CorpusSettings(root=str(root), fields=fields)
    work = pickle.loads(pickle.dumps(units(sources, chosen)))
    return [item for unit in work for item in read(unit, chosen) if item.article_id]


def _articles(*sources: Path | str, root: Path | str = ".", **fields: str) -> list[Article]:
    found = [item for item in _all(*sources, root=root, **fields) if not _is_guess(item)]
    assert all(isinstance(item, Article) for item in found), found
    return [item for item in found if isinstance(item, Article)]


def _is_guess(item: Article | Skipped | Noted) -> bool:
    return isinstance(item, Noted) and item.note.startswith("the file's encoding was guessed")


def _one(path: Path, **fields: str) -> Article:
    (article,) = _articles(path, root=path.parent, **fields)
    return article


def _reason(path: Path, **fields: str) -> str:
    (item,) = _all(path, root=path.parent, **fields)
    assert isinstance(item, Skipped), item
    json.dumps([item.article_id, item.source, item.reason], ensure_ascii=False).encode()
    return item.reason


def _write(path: Path, content: str | bytes = PROSE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _jsonl(path: Path, *records: object) -> Path:
    return _write(path, "".join(json.dumps(record) + "\n" for record in records))


def known(text: str) -> str:
    """The id of an article that is known by its text alone."""
    return text_id(fingerprint(text))


# Sources


def test_a_folder_gives_its_articles_of_all_kinds_and_ignores_the_rest(tmp_path: Path) -> None:
    news = tmp_path / "news"
    for name in ("b.txt", "deep/er/a.TXT", "README", "picture.png", ".hidden.txt", ".git/note.txt"):
        _write(news / name)
    _write(news / "page.htm", PAGE.format(f"<p>{PROSE}</p>"))
    _jsonl(news / "rows.jsonl", {"id": "r1", "text": PROSE})
    _write(news / "table.csv", "id,text\nc1,Rain.\n")
    pq.write_table(pa.table({"id": ["p1"], "text": ["Rain."]}), news / "table.parquet")
    assert [a.article_id for a in _articles(news, root=tmp_path)] == [
        *("news/b", "news/deep/er/a", "news/page", "r1", "c1", "p1")
    ]


def test_a_glob_is_expanded_and_one_without_a_match_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("news/a.txt", "news/b.txt", "news/README", "news/deep/c.txt", "odd/[1].txt"):
        _write(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert [a.article_id for a in _articles("news/*.txt")] == ["news/a", "news/b"]
    assert [a.article_id for a in _articles(Path("news/**/*"))] == ["news/a", "news/b", "news/deep/c"]
    assert [a.article_id for a in _articles("odd/[1].txt")] == ["odd/[1]"]
    with pytest.raises(SourceError, match=r"news/\*\.html: nothing matches; expected files that end in \.bib, \.csv"):
        _all("news/*.html")


def test_what_cannot_be_a_source_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="gone: no such file or folder"):
        _all(tmp_path / "gone")
    with pytest.raises(SourceError, match=r"README: expected one of \.bib, \.csv, .*\.html"):
        _all(_write(tmp_path / "README"))
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(SourceError, match=r"pipe\.txt: expected a file or a folder"):
        _all(tmp_path / "pipe.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="empty: no article found; expected files that end in"):
        _all(tmp_path / "empty")


def test_a_file_named_in_many_ways_is_read_once_under_one_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "news" / "a.txt")
    (tmp_path / "news" / "link.txt").symlink_to(path)
    (tmp_path / "way").symlink_to(tmp_path / "news")
    monkeypatch.chdir(tmp_path / "news")
    names: list[Path | str] = [path, "a.txt", "../news/a.txt", "../way/a.txt", "link.txt", "*.txt", "."]
    for sources in (names, *([name] for name in names)):
        for root in (tmp_path, "..", tmp_path / "way" / ".."):
            (article,) = _articles(*sources, root=root)
            assert (article.article_id, article.source) == ("news/a", "news/a.txt")
    assert _one(path).article_id == "a"
    (outside,) = _articles(path, root=tmp_path / "elsewhere")
    assert (outside.article_id, outside.source) == ("a", "a.txt")


def test_loops_of_links_end_and_links_up_are_not_followed(tmp_path: Path) -> None:
    _write(tmp_path / "above.txt")
    _write(tmp_path / "news" / "x" / "a.txt")
    (tmp_path / "news" / "x" / "up").symlink_to(tmp_path)
    (tmp_path / "news" / "x" / "y").symlink_to(tmp_path / "news" / "y")
    (tmp_path / "news" / "y").mkdir()
    (tmp_path / "news" / "y" / "x").symlink_to(tmp_path / "news" / "x")
    (tmp_path / "news" / "self").symlink_to("self")
    (tmp_path / "news" / "self.txt").symlink_to("self.txt")
    found = _all(tmp_path / "news", root=tmp_path)
    assert [(type(item), item.article_id) for item in found] == [(Skipped, "news/self"), (Article, "news/x/a")]
    left = [unit.source for unit in units([tmp_path / "news"], CorpusSettings(root=str(tmp_path))) if unit.reason]
    assert left == ["news/self"]


def test_a_link_out_of_the_root_is_called_as_it_is_named(tmp_path: Path) -> None:
    _write(tmp_path / "store" / "x81.txt")
    _write(tmp_path / "root" / ".annex" / "x82.txt")
    (tmp_path / "root" / "a.txt").symlink_to(tmp_path / "store" / "x81.txt")
    (tmp_path / "root" / "b.txt").symlink_to(tmp_path / "root" / ".annex" / "x82.txt")
    assert [a.article_id for a in _articles(tmp_path / "root", root=tmp_path / "root")] == ["a", "b"]


def test_the_folder_of_the_tables_is_no_source(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt")
    pq.write_table(pa.table({"text": ["Rain."]}), _write(tmp_path / "work" / "articles.parquet"))
    found = units([tmp_path], CorpusSettings(root=str(tmp_path)), exclude=[tmp_path / "work"])
    assert [(unit.source, unit.reason) for unit in found] == [("a.txt", "")]
    assert apart([tmp_path], [tmp_path / "work", tmp_path / "labels"]) == [str(tmp_path / "work")]
    assert apart([f"{tmp_path}/w*"], [tmp_path / "work"]) == [str(tmp_path / "work")]
    assert apart([tmp_path / "a.txt"], [tmp_path / "work"]) == []


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        (PROSE, ["stdin"]),
        ('\ufeff\n {"id": "x", "text": "Rain."}\n{"text": "More rain."}\n', ["x", known("More rain.")]),
    ],
)
def test_standard_input_is_one_text_or_json_lines(data: str, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data.encode())))
    found = _articles("-", "-")
    assert [a.article_id for a in found] == ids
    assert found[0].source.partition(":")[0] == "stdin"


# Ids


def test_ids_are_data_whatever_they_hold(tmp_path: Path) -> None:
    odd = ["../../etc/passwd", "a\nb", "x" * 10_000, "/", "a\x00b", "‮‏", " ", "a#1", "NUL"]
    found = _articles(_jsonl(tmp_path / "a.jsonl", *({"id": name, "text": "Rain."} for name in odd)), root=tmp_path)
    assert [a.article_id for a in found] == odd


def test_a_row_is_called_by_its_id_else_its_url_else_its_text(tmp_path: Path) -> None:
    path = _jsonl(
        tmp_path / "sub" / "a.jsonl",
        {"text": "Rain.", "id": 7, "url": "https://a.example/1"},
        {"text": "Rain.", "id": "", "url": "https://a.example/2"},
        {"text": "Rain.", "id": None},
    )
    found = _articles(path, root=tmp_path)
    assert [a.article_id for a in found] == ["7", "https://a.example/2", known("Rain.")]
    assert [a.source for a in found] == [f"sub/a.jsonl:{row}" for row in (1, 2, 3)]


def test_a_file_name_that_is_no_unicode_is_skipped_in_words_that_can_be_written(tmp_path: Path) -> None:
    _write(tmp_path / os.fsdecode(b"caf\xe9.txt"))
    (item,) = _all(tmp_path, root=tmp_path)
    assert item == Skipped(
        article_id="caf\\udce9",
        source="caf\\udce9.txt",
        reason="id: it holds a lone surrogate or a byte that is no utf-8",
    )


# One bad article


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"", "the file is empty"),
        ("a.txt", b"\xef\xbb\xbf", "no text in it"),
        ("a.txt", b" \n\t\n", "no text in it"),
        ("a.txt", b"The port\0was closed on Monday.", "binary: it holds NUL characters"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0" + bytes(range(256)) * 9, "binary|not text in UTF-8"),
        ("a.txt", b"GIF89a" + bytes(byte for byte in range(1, 256)) * 9, "binary|not text in UTF-8"),
        ("a.txt", "Rémi’s café said “no”. ".encode() * 20 + b"\xff\xfe", "expected UTF-8, as most of it is"),
        ("a.txt", "Rémi’s café, é".encode()[:-1], "expected UTF-8, as most of it is"),
        ("a.txt", "Rain.".encode("utf-16") + b"\0", "byte 13 cannot be utf-16"),
        ("a.html", b"", "the file is empty"),
        ("a.html", b"<html><body></body></html>", "no article in the page"),
        ("a.html", b"%PDF-1.4\n\0\0\xff", "binary|not text in UTF-8"),
        ("a.jsonl", b"", "the file is empty"),
        ("a.jsonl", b"{\n", "malformed JSON: .*"),
        ("a.jsonl", b'["text"]\n', "expected a JSON object; found list"),
        ("a.jsonl", b'{"text": "caf\xe9"}\n', "byte 14 of the line is not UTF-8"),
        ("a.jsonl", b'{"text": ""}\n', "no text in it"),
        ("a.jsonl", b'{"text": null}\n', "no text in it"),
        ("a.jsonl", b'{"text": ["Rain."]}\n', "column text: expected text; found list"),
        ("a.jsonl", b'{"text": "\\ud800 rain"}\n', "text: it holds a lone surrogate"),
        ("a.jsonl", b'{"text": "Rain.", "id": "\\udc00"}\n', "id: it holds a lone surrogate"),
        ("a.jsonl", b'{"text": "Rain.", "title": "\\udc00"}\n', "title: it holds a lone surrogate"),
        ("a.jsonl", b'{"text": "Ra\\u0000in."}\n', "binary: it holds NUL characters"),
        ("a.jsonl", b'{"text": ' + b"[" * 100_000, "malformed JSON: nested too deeply"),
        ("a.jsonl", b'{"text": ' + b"1" * 10_000 + b"}", "malformed JSON: Exceeds the limit"),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"id,text\na,b,c\n", "expected as many fields as the header has; found 3"),
        ("a.csv", b'id,text\na,"b" c\n', "malformed CSV: "),
        ("a.csv", b'id,text\na,"never closed\nRain.\n', "malformed CSV, 2 lines: lines 2 to 3 .*never closed"),
    ],
)
def test_what_is_wrong_with_one_article_is_said_and_raises_nothing(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    assert re.search(reason, _reason(_write(tmp_path / name, data)))


def test_the_good_rows_around_a_bad_one_are_read(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", b'\xef\xbb\xbf{"text": "One."}\r\n\n{oops\n{"text": "Four."}')
    found = _all(path, root=tmp_path)
    assert [(item.source, isinstance(item, Article)) for item in found] == [
        *(("a.jsonl:1", True), ("a.jsonl:3", False), ("a.jsonl:4", True))
    ]
    path = _write(
        tmp_path / "a.csv", b'id,text\n1,One.\n2,"a" b\n3,caf\xc3\xa9\n4,caf\xe9\n5,Five.\n' + b"6,\xc3\xa9\n" * 9
    )
    read_on = _all(path, root=tmp_path)
    assert [item.article_id for item in read_on if isinstance(item, Skipped)] == ["a#2", "4"]
    assert [item.article_id for item in read_on if isinstance(item, Article)][:3] == ["1", "3", "5"]


def test_a_file_that_cannot_be_opened_is_skipped_and_the_others_read(tmp_path: Path) -> None:
    _write(tmp_path / "good.txt")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nothing")
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nothing.jsonl")
    (tmp_path / "folder.txt").mkdir()
    late = _write(tmp_path / "late.txt")
    work = units([tmp_path], CorpusSettings(root=str(tmp_path)))
    late.unlink()
    late.mkdir()
    found = [item for unit in work for item in read(unit, CorpusSettings())]
    assert {item.source: item.reason for item in found if isinstance(item, Skipped)} == {
        "gone.jsonl": "cannot be read: no such file",
        "gone.txt": "cannot be read: No such file or directory",
        "late.txt": "cannot be read: Is a directory",
    }
    assert [item.source for item in found if isinstance(item, Article)] == ["good.txt"]


def test_a_file_or_line_beyond_any_article_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _jsonl(tmp_path / "a.jsonl", {"text": "x " * 2_000_000}, {"text": "Rain."})
    assert [len(a.text) for a in _articles(path)] == [4_000_000, 5]
    monkeypatch.setattr(data_files, "ARTICLE_BYTES", 1 << 20)
    found = _all(path, root=tmp_path)
    assert [(item.source, type(item)) for item in found] == [("a.jsonl:1", Skipped), ("a.jsonl:2", Article)]
    monkeypatch.setattr("corpus.reading.articles.ARTICLE_BYTES", 1 << 20)
    assert _reason(_write(tmp_path / "a.txt", "x " * 1_000_000)) == "longer than 64 MB".replace("64", "1")


# Columns


def test_columns_are_mapped_and_values_become_text(tmp_path: Path) -> None:
    record = {"body": "Rain.", "nr": 3, "when": "2031-03-03", "outlet": None, "licence": float("nan")}
    article = _one(_jsonl(tmp_path / "a.jsonl", record), text="body", id="nr", published="when")
    assert (article.article_id, article.published, article.outlet, article.licence) == ("3", "2031-03-03", "", "")
    stamps = pa.array([datetime.datetime(2031, 3, 3, 9, 30)], pa.timestamp("ns")).view(pa.timestamp("ns"))
    table = pa.table({"text": ["Rain."], "published": stamps, "id": [2**63 - 1], "extra": [[1]]})
    pq.write_table(table, tmp_path / "a.parquet")
    article = _one(tmp_path / "a.parquet")
    assert (article.published, article.article_id) == ("2031-03-03T09:30:00", str(2**63 - 1))


def test_a_column_that_is_not_there_is_an_error_that_lists_those_found(tmp_path: Path) -> None:
    paths = [
        _jsonl(tmp_path / "a.jsonl", {"body": "Rain.", "headline": "Rain"}),
        tmp_path / "a.csv",
        tmp_path / "a.parquet",
    ]
    _write(paths[1], "body,headline\nRain.,Rain\n")
    pq.write_table(pa.table({"body": ["Rain."], "headline": ["Rain"]}), paths[2])
    for path in paths:
        with pytest.raises(SourceError, match=r"a\.\w+, line 1: expected the column text; found body, headline"):
            _all(path)
        with pytest.raises(SourceError, match="expected the columns content, kop; found body, headline"):
            _all(path, text="content", title="kop")
        assert _one(path, text="body", title="headline").title == "Rain"
        with pytest.raises(SourceError, match=r"\[corpus.fields\]: expected any of text, id, .*; found author"):
            _all(path, text="body", author="headline")


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("stories_id,title,url", "url"),
        ("DocumentIdentifier,Themes", "DocumentIdentifier"),
        ("20310111,https://sund.example/1", "https://sund.example/1"),
        ("id,media_url,publish_date,title,url", "url"),
        ("ImageURL,MobileURL,Title,URL", "URL"),
    ],
)
def test_a_table_of_urls_without_text_is_an_error_that_says_so(tmp_path: Path, header: str, column: str) -> None:
    path = _write(tmp_path / "a.csv", f"{header}\n1,2,3\n")
    expected = re.escape(f"the table has URLs without text (column {column}): `stance fetch`")
    with pytest.raises(SourceError, match=f"expected the column text.*{expected}"):
        _all(path)


def test_a_field_may_come_late_in_a_json_lines_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_files, "UNIT_BYTES", 64)
    path = _jsonl(tmp_path / "a.jsonl", *[{"text": "Rain."}] * 50, {"text": "Rain.", "überschrift": "Late"})
    assert _articles(path, title="überschrift")[-1].title == "Late"
    with pytest.raises(SourceError, match="expected the column kop; found text"):
        _all(path, title="kop")


def test_a_data_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a\.parquet: expected a Parquet file; found: "):
        _all(_write(tmp_path / "a.parquet", b"PAR1 not really"))
    with pytest.raises(SourceError, match=r"a\.csv: not text in UTF-8|a\.csv: binary"):
        _all(_write(tmp_path / "a.csv", b"id,text\n" + bytes(range(1, 256)) * 20))


# Rows, each once


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=30),
    size=st.integers(1, 300),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
    last=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_row_ranges_cover_every_row_once(tmp_path: Path, texts: list[str], size: int, end: str, last: bool) -> None:
    lines = [json.dumps({"id": f"r{i}", "text": f"{i}{text}".replace("\0", "")}) for i, text in enumerate(texts)]
    path = _write(tmp_path / "a.jsonl", end.join(lines) + (end if last else ""))
    table = pa.table({"id": [f"r{i}" for i in range(len(texts))], "text": [json.loads(line)["text"] for line in lines]})
    pq.write_table(
        table.cast(pa.schema([("id", pa.string()), ("text", pa.string())])), tmp_path / "a.parquet", row_group_size=3
    )
    expected = [f"r{i}" for i in range(len(texts))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data_files, "UNIT_BYTES", size)
        for source in (path, tmp_path / "a.parquet"):
            found = _all(source, root=tmp_path)
            assert [item.article_id for item in found if isinstance(item, Article)] == (expected if texts else [])
            work = units([source], CorpusSettings()) if texts else []
            whole = source.stat().st_size
            if source == path:
                assert sum(unit.size for unit in work) == (whole if texts else 0)
                assert all(unit.size <= 2 * size + max(map(len, lines)) * 4 for unit in work)
    numbers = [int(item.source.split(":")[1]) for item in _all(path, root=tmp_path) if isinstance(item, Article)]
    step = 2 if end == "\n\n" else 1
    assert numbers == [1 + step * i for i in range(len(texts))]


def test_row_groups_number_their_rows_through_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"text": [f"Rain {i}." for i in range(10)]}), tmp_path / "a.parquet", row_group_size=3)
    monkeypatch.setattr(data_files, "UNIT_BYTES", 1)
    assert len(units([tmp_path / "a.parquet"], CorpusSettings())) == 4
    assert [(a.source.rpartition(":")[2], a.text) for a in _articles(tmp_path / "a.parquet")] == [
        (str(i + 1), f"Rain {i}.") for i in range(10)
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0<&"), min_size=1), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_csv_keeps_quoted_line_breaks_and_quotes(tmp_path: Path, texts: list[str]) -> None:
    texts = [f"a{text}" for text in texts]
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["text"], *([text] for text in texts)])
    found = _articles(tmp_path / "a.csv")
    assert [a.text for a in found] == texts
    assert [a.source for a in found] == [f"a.csv:{i}" for i in range(1, len(texts) + 1)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_of_spreadsheets_is_read(tmp_path: Path, encoding: str, mark: str) -> None:
    text = "The café owner’s naïve résumé of the affair was read aloud, twice; then burnt. " * 5
    path = _write(tmp_path / "a.csv", f'id{mark}text\r\n1{mark}"{text}"\r\n'.encode(encoding))
    article = _one(path)
    assert (article.text, article.encoding) == (text, encoding)


# Metadata


def test_a_sidecar_gives_metadata_to_text_files(project: Path) -> None:
    _write(project / "news" / "articles.csv", "file,outlet,published\ngazette/visit.txt,Aldmoor Gazette,2031-03-03\n")
    articles = {a.article_id: a for a in _articles(project / "news", root=project / "news")}
    assert articles["gazette/visit"].outlet == "Aldmoor Gazette"
    assert articles["gazette/visit"].published == "2031-03-03"
    assert articles["cwa/visit"].outlet == ""
    _write(project / "news" / "gazette" / "articles.csv", "file,outlet\nvisit.txt,Nearer\n")
    articles = {a.article_id: a for a in _articles(project / "news", root=project / "news")}
    assert (articles["gazette/visit"].outlet, articles["gazette/visit"].published) == ("Nearer", "")


def test_a_sidecar_is_no_source_and_other_tables_are(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt")
    _write(tmp_path / "articles.csv", "file,outlet\na.txt,X\n")
    _write(tmp_path / "other.csv", "id,text\no,Rain.\n")
    assert [a.article_id for a in _articles(tmp_path, root=tmp_path)] == ["a", "o"]
    with pytest.raises(SourceError, match="it describes articles"):
        _all(tmp_path / "articles.csv")
    _write(tmp_path / "articles.csv", "file,author\na.txt,X\n")
    with pytest.raises(SourceError, match=r"articles\.csv, line 1: expected the columns file.*found file, author"):
        _all(tmp_path / "a.txt")
    _write(tmp_path / "articles.csv", "id,text\nx,Rain.\n")
    assert [a.article_id for a in _articles(tmp_path, root=tmp_path)] == ["a", "x", "o"]
    _write(tmp_path / "articles.csv", "path,outlet\nx,y\n")
    with pytest.raises(SourceError, match=r"articles\.csv, line 1: .*found path, outlet.*has a column file"):
        _all(tmp_path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_front_matter_is_metadata_and_stays_in_the_text(tmp_path: Path, end: str) -> None:
    text = end.join(["---", "id: visit-1", 'title: "Rain: more"', "published: 2031-03-03", "url:", "---", "", PROSE])
    article = _one(_write(tmp_path / "a.txt", text))
    assert article.text == text
    assert (article.article_id, article.title, article.published) == ("visit-1", "Rain: more", "2031-03-03")
    place = front_matter_end(text)
    assert text[:place].endswith(f"{end}---")
    assert text[place:].strip() == PROSE.strip()
    batch = pa.RecordBatch.from_pylist([msgspec.structs.asdict(article)], schema=ARTICLES)
    *sentences, front = cut_articles(batch, CorpusSettings()).to_pylist()
    assert (front["start"], front["end"], front["kind"], front["reason"]) == (0, place, "other", "front matter")
    assert [row["text"] for row in sentences] == PROSE.strip().replace(". S", ".|S").split("|")
    assert all(text[row["start"] : row["end"]] == row["text"] for row in sentences)


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nIt rained.\n---\n",
        "---\nauthor: Ada\n---\n",
        "---\ntitle: x\nIt rained.",
        " ---\ntitle: x\n---\n",
        "---\n---\n",
        "----\ntitle: x\n---\n",
    ],
)
def test_dashes_alone_are_no_front_matter(text: str) -> None:
    assert front_matter_end(text) == 0


def test_html_gives_text_and_metadata() -> None:
    path = REPO / "seeds" / "articles" / "sentinel" / "2031-03-10-drive-the-bus.html"
    (article,) = _articles(path, root=path.parent / "no-sidecar-above-here")
    assert article.article_id == "2031-03-10-drive-the-bus"
    assert (article.outlet, article.published) == ("Carrow Sentinel", "2031-03-10")
    assert article.url.startswith("https://www.carrowsentinel.example/")
    assert article.title == "Merrow Won't Go to Karsova. It Should Help Those Who Will."
    assert article.extractor.startswith("trafilatura ")
    assert "There is a respectable case" in article.text


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        "Rémi Castellane’s aides said “nothing” about it.\r\nThey left.\n\rTwice.\r\n",
        "Министр посетил порт. Никто его не ждал.",
    ],
)
def test_encodings_with_and_without_a_mark(tmp_path: Path, encoding: str, text: str) -> None:
    article = _one(_write(tmp_path / "a.txt", text.encode(encoding)))
    assert (article.text, article.encoding) == (text, encoding)


def test_big_endian_with_a_mark_is_read(tmp_path: Path) -> None:
    assert _one(_write(tmp_path / "a.txt", b"\xfe\xff" + "Rain – again.".encode("utf-16-be"))).text == "Rain – again."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (
            "The café owner’s naïve résumé of the affair was read aloud in Tereshin – twice – before midnight. ",
            "cp1252",
        ),
        ("Министр посетил порт в понедельник утром. Никто его не ждал. ", "cp1251"),
        ("Minister odwiedził port w poniedziałek rano. Zażądał wyjaśnień od związków. ", "cp1250"),
    ],
)
def test_a_legacy_code_page_is_detected_and_recorded(tmp_path: Path, text: str, encoding: str) -> None:
    article = _one(_write(tmp_path / "a.txt", (text * 5).encode(encoding)))
    assert (article.text, article.encoding) == (text * 5, encoding)
    late = "Nothing but ASCII here for very long. " * 30_000 + text * 5
    article = _one(_write(tmp_path / "b.txt", late.encode(encoding)))
    assert article.text.endswith(text)


@pytest.mark.parametrize(
    ("declared", "encoding", "recorded"),
    [
        ("windows-1251", "cp1251", "cp1251"),
        ("iso-8859-1", "cp1252", "cp1252"),
        ("Shift_JIS", "shift_jis", "cp932"),
        ("iso-2022-jp", "iso2022_jp", "iso2022_jp"),
        ("iso-8859-1", "utf-8", "utf-8"),  # saved anew by a crawler, the declaration left
        ("utf-16", "utf-8", "utf-8"),
        ("no-such-thing", "cp1252", "cp1252"),
    ],
)
def test_html_is_read_in_its_declared_charset(tmp_path: Path, declared: str, encoding: str, recorded: str) -> None:
    text = {"cp1251": "Министр посетил порт. ", "cp1252": "The café’s owner left. ", "utf-8": "The café’s owner left. "}
    prose = text.get(encoding, "大臣は月曜日の朝に港を訪れた。") * 12
    html = (
        f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={declared}"></head><body><p>{prose}'
    )
    article = _one(_write(tmp_path / "a.html", html.encode(encoding)))
    assert article.encoding == recorded
    assert prose.strip() in article.text


def test_invisible_and_right_to_left_characters_and_line_ends_are_kept(tmp_path: Path) -> None:
    text = "أعلن الوزير\u200f أمس\u200b.\u2028It\u00ad rained\u200d\ufeff.\r\n\x0cAgain.\rAnd\u0085 again\x85.\n\n"
    assert _one(_write(tmp_path / "a.txt", text)).text == text
    assert _one(_jsonl(tmp_path / "b.jsonl", {"text": text})).text == text


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_text_or_said_to_be_none(data: bytes) -> None:
    with contextlib.suppress(text_encoding.NotTextError):
        text, encoding = text_encoding.decode(data)
        assert text == data.decode(encoding)
    with contextlib.suppress(text_encoding.NotTextError):
        page = text_encoding.decode_page(data)
        assert page.text.count(page.mark) if page.mark else page.text == data.decode(page.encoding)


# HTML made to do harm


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"<p>{PROSE}</p>" * 5 + "<div>" * 100_000, "tags; expected at most"),
        (f"<p>{PROSE}</p>" * 5 + "<div>" * 40_000, "nested deeper than 255"),
        (f"<p>{PROSE}</p>" * 5 + "<div>" * 300 + f"<p>{PROSE}</p>", "nested deeper than 255"),
        ("<blockquote><ul><li>" * 5_000 + PROSE, "nested deeper than 255"),
        ("<p>" + "<b>word</b> " * 16_000, "a paragraph of 16,000 HTML elements"),
        ("<p>word <em>word</em></p>" * 12_600, "tags; expected at most"),
        ("<hr>" * 30_000 + PROSE, "elements; expected at most"),
        (
            "<p " + "".join(f"a{i}=1 " for i in range(80_000)) + f">{PROSE}",
            "a tag of more than 2,000 attributes|HTML tag",
        ),
        ("<p a=b=' " + "".join(f"a{i}" + " " for i in range(80_000)) + f"'>{PROSE}", "HTML tag of more than"),
        ("x" * 11_000_000, "characters; expected at most 10,000,000"),
    ],
    ids=range(10),
)
def test_pages_that_would_take_for_ever_are_refused_in_time(tmp_path: Path, body: str, reason: str) -> None:
    path = _write(tmp_path / "a.html", PAGE.format(body))
    before = time.process_time()
    assert re.search(reason, _reason(path))
    assert time.process_time() - before < 5


def test_an_entity_bomb_stays_small(tmp_path: Path) -> None:
    bomb = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    html = f'<!DOCTYPE html [<!ENTITY a0 "aaaaaaaaaa">{bomb}]>' + PAGE.format(f"<p>&a11; {PROSE * 3}</p>")
    assert len(_one(_write(tmp_path / "a.html", html)).text) < 1_000
    xhtml = '<?xml version="1.0" encoding="utf-8"?>' + html.replace(
        "<html>", '<html xmlns="http://www.w3.org/1999/xhtml">'
    )
    assert len(_one(_write(tmp_path / "a.htm", xhtml)).text) < 1_000


def test_an_honest_page_with_a_picture_inside_or_many_rows_is_read(tmp_path: Path) -> None:
    picture = f'<img alt="x" src="data:image/png;base64,{"QUJD" * 100_000}"><svg><path d="{"M 1 2 " * 30_000}"/></svg>'
    body = picture + "".join(f"<p>{i}: {PROSE}</p>" for i in range(400)) + "<table><tr><td>1</td></tr></table>" * 500
    assert _one(_write(tmp_path / "a.html", PAGE.format(body))).text.count("Ostrel") >= 400


def test_whatever_the_extractor_raises_is_the_pages_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("trafilatura.extract", fail)
    assert _reason(_write(tmp_path / "a.html", PAGE.format(PROSE))) == (
        "HTML that trafilatura fails on: RecursionError: too deep"
    )


@given(st.text(max_size=300), st.text(alphabet="<>/abp \"'=&;!-[]", max_size=300))
@settings(max_examples=examples(30))
def test_any_page_gives_an_article_or_a_reason(text: str, markup: str) -> None:
    with contextlib.suppress(text_encoding.NotTextError):
        assert page.extract(f"{markup}{text}{markup}").text.strip()


# Language


@pytest.mark.parametrize(
    ("text", "given_language", "expected"),
    [
        (PROSE * 4, "", "en"),
        (GERMAN * 4, "", "de"),
        (f"---\ntitle: {PROSE * 9}\n---\n" + GERMAN * 4, "", "de"),
        (GERMAN, "", ""),
        ("1 2 3 4 5 " * 200, "", ""),
        (GERMAN * 4, "en-GB", "en"),
        (GERMAN * 4, "English", "de"),
        (GERMAN, "DE_at", "de"),
    ],
)
def test_language_is_as_given_else_detected_where_there_is_enough_text(
    tmp_path: Path, text: str, given_language: str, expected: str
) -> None:
    assert _one(_jsonl(tmp_path / "a.jsonl", {"text": text, "language": given_language})).language == expected
