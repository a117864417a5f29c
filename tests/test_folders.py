"""Folders as people have them: what is not read is counted and listed, and programs' own files are no articles."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import venv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from corpus.build import build
from corpus.errors import SourceError, StanceError
from corpus.ids.fingerprint import fingerprint, text_id
from corpus.reading.articles import NOT_DESCRIBED, read
from corpus.reading.source_files import units
from corpus.reading.tables.json_arrays import elements
from corpus.records import Article, CorpusSettings, Noted, Skipped
from corpus.store import read_jsonl
from stance.command_line import cli
from tests.support.spreadsheets import xlsx

PROSE = (
    "The minister of Brennia visited the port of Ostrel on Monday morning. She spoke with the dockers for an hour.\n"
)


def _write(path: Path, content: str | bytes = PROSE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _left(*sources: Path | str, root: Path) -> dict[str, str]:
    """What is not read, and why."""
    return {unit.source: unit.reason for unit in units(sources, CorpusSettings(root=str(root))) if unit.reason}


def _found(*sources: Path | str, root: Path) -> list[str]:
    return [unit.source for unit in units(sources, CorpusSettings(root=str(root))) if not unit.reason]


def _stance(*arguments: str, cwd: Path) -> Result:
    """A command as a user types it, in this process."""
    here = Path.cwd()
    try:
        return CliRunner().invoke(cli, ["-C", str(cwd), *arguments, "--workers", "1"])
    finally:
        os.chdir(here)


# Files of other kinds


def test_files_of_other_kinds_are_listed_with_their_ending(tmp_path: Path) -> None:
    names = [
        "a.txt",
        "b.DOC",
        "deep/c.pages",
        "d.ps",
        "e.json",
        "f.tar.xz",
        "README",
        "g.v2 final",
        "h.csv.gz",
        "i.xlsb",
    ]
    for name in names:
        _write(tmp_path / name, "[]" if name == "e.json" else PROSE)
    assert _left(tmp_path, root=tmp_path) == {
        "README": "of another kind (no ending)",
        "b.DOC": "of another kind (.doc): save it as .docx",
        "d.ps": "of another kind (.ps)",
        "deep/c.pages": "of another kind (.pages): save it as .docx",
        "e.json": "of another kind (.json): no array of records in it",
        "f.tar.xz": "of another kind (.tar.xz): unpack it first",
        "g.v2 final": "of another kind (no ending)",
        "h.csv.gz": "of another kind (.csv.gz): unpack it first",
        "i.xlsb": "of another kind (.xlsb): save it as .xlsx",
    }
    assert _found(tmp_path, root=tmp_path) == ["a.txt"]


def test_the_command_counts_them_and_lists_each(tmp_path: Path) -> None:
    for name in ("a.txt", "b.doc", "c.doc", "d.ps"):
        _write(tmp_path / "news" / name)
    done = _stance("build", "news", cwd=tmp_path)
    assert done.exit_code == 0
    assert "skipped, listed in work/skipped.jsonl: 2 × of another kind (.doc); 1 × of another kind (.ps)" in done.stderr
    rows = read_jsonl(tmp_path / "work" / "skipped.jsonl", Skipped, "")
    assert [(row.article_id, row.source) for row in rows] == [
        ("", "news/b.doc"),
        ("", "news/c.doc"),
        ("", "news/d.ps"),
    ]
    again = _stance("build", "news", cwd=tmp_path)
    assert (again.stdout.splitlines()[-2], again.stderr) == ("unchanged: work", done.stderr)
    # They were never taken for articles.
    assert _stance("build", "news", "--strict", cwd=tmp_path).exit_code == 0


def test_a_folder_in_which_nothing_can_be_read_says_what_is_in_it(tmp_path: Path) -> None:
    for name in ("a.ps", "b.ps", "c.doc", "venv/x.txt"):
        _write(tmp_path / "news" / name)
    expected = (
        r"news: no article found; expected files that end in .*; found 2 of another kind \(\.ps\), "
        r"1 of another kind \(\.doc\), 1 folder not searched \(programs\)"
    )
    with pytest.raises(SourceError, match=expected):
        units([tmp_path / "news"], CorpusSettings())
    with pytest.raises(SourceError, match=r"\*\.ps: nothing matches.*; found 2 of another kind \(\.ps\)"):
        units([f"{tmp_path}/news/*.ps"], CorpusSettings())
    with pytest.raises(SourceError, match=r"a\.json: no array of records in it"):
        units([_write(tmp_path / "a.json", "{}")], CorpusSettings())


def test_a_glob_lists_what_it_matches_of_other_kinds(tmp_path: Path) -> None:
    for name in ("a.txt", "b.ps", "c/d.txt", "c/e.wpd"):
        _write(tmp_path / name)
    assert _left(f"{tmp_path}/*", root=tmp_path) == {
        "b.ps": "of another kind (.ps)",
        "c/e.wpd": "of another kind (.wpd): save it as .docx",
    }


def test_a_file_that_one_source_leaves_out_and_another_names_is_read(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt")
    _write(tmp_path / ".hidden.txt")
    _write(tmp_path / "venv" / "b.txt")
    sources = [tmp_path, tmp_path / ".hidden.txt", tmp_path / "venv" / "b.txt"]
    assert _found(*sources, root=tmp_path) == [".hidden.txt", "a.txt", "venv/b.txt"]
    assert _found(*reversed(sources), root=tmp_path) == [".hidden.txt", "a.txt", "venv/b.txt"]


# Folders that are not searched


def test_the_project_folder_as_source_gives_the_articles_alone(tmp_path: Path) -> None:
    _write(tmp_path / "news" / "a.txt")
    _write(tmp_path / "stance.toml", "")
    venv.create(tmp_path / "env", with_pip=False)
    for name in (
        *("env/lib/x/top_level.txt", "venv/licence.txt", ".venv/a.txt", ".git/b.txt", "node_modules/c/readme.txt"),
        *("work/notes.txt", "labels/notes.txt", "deep/site-packages/d.txt", "conda/e.txt", "news/.cache/f.txt"),
    ):
        _write(tmp_path / name)
    (tmp_path / "conda" / "conda-meta").mkdir()
    done = _stance("build", ".", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "in 1 article\n" in done.stdout
    rows = read_jsonl(tmp_path / "work" / "skipped.jsonl", Skipped, "")
    assert {row.source: row.reason for row in rows if "folder" in row.reason} == {
        **dict.fromkeys((".git", ".venv", "news/.cache"), "folder not searched (hidden)"),
        **dict.fromkeys(
            ("conda", "deep/site-packages", "env", "node_modules", "venv"), "folder not searched (programs)"
        ),
    }
    assert "not searched, for stance itself writes there: work, labels" in done.stderr
    assert "folder not searched (programs)" in done.stderr
    assert "unchanged: work" in _stance("build", ".", cwd=tmp_path).stdout


def test_folders_called_work_and_labels_are_searched_where_they_are_no_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("news/work/a.txt", "news/labels/b.txt", "news/env/c.txt"):
        _write(tmp_path / name)
    assert _found(tmp_path / "news", root=tmp_path) == ["news/env/c.txt", "news/labels/b.txt", "news/work/a.txt"]
    monkeypatch.chdir(tmp_path / "news")
    assert _found(".", root=tmp_path) == ["news/env/c.txt"]
    assert _found(".", "work", "labels", root=tmp_path) == ["news/env/c.txt", "news/labels/b.txt", "news/work/a.txt"]


def test_tables_of_an_earlier_build_are_no_source(tmp_path: Path) -> None:
    _write(tmp_path / "news" / "a.txt")
    build([str(tmp_path / "news")], tmp_path / "news" / "earlier", CorpusSettings(root=str(tmp_path)))
    assert _left(tmp_path / "news", root=tmp_path) == {"news/earlier": "folder not searched (what stance wrote)"}


def test_files_that_office_keeps_beside_an_open_document_are_hidden_ones(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt")
    for name in ("~$news.docx", "~$news.xlsx", "~$news.tmp"):
        _write(tmp_path / name, "x" * 162)
    assert _left(tmp_path, root=tmp_path) == {
        "~$news.docx": "of another kind (hidden)",
        "~$news.xlsx": "of another kind (hidden)",
    }


def test_hidden_files_that_could_be_articles_are_listed(tmp_path: Path) -> None:
    for name in ("a.txt", "._a.txt", ".DS_Store", ".gitignore"):
        _write(tmp_path / name)
    assert _left(tmp_path, root=tmp_path) == {"._a.txt": "of another kind (hidden)"}


# Rows of a sidecar


def test_rows_of_a_sidecar_that_name_no_file_are_listed(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt")
    _write(tmp_path / "b.ps")
    _write(tmp_path / "deep" / "c.txt")
    rows = ["file,outlet", "a.txt,Herald", "b.ps,Herald", "gone.txt,Herald", "deep/c.txt,Gazette", ",Herald", "a,X"]
    _write(tmp_path / "articles.csv", "\n".join([*rows, "a.txt,Gazette", ""]))
    assert _left(tmp_path, root=tmp_path) == {
        "articles.csv:1": "a row of articles.csv for a file that a later row is for: a.txt",
        "articles.csv:3": "a row of articles.csv for a file that is not there: gone.txt",
        "articles.csv:5": "a row of articles.csv that names no file",
        "articles.csv:6": "a row of articles.csv for a file that is not there: a",
        "b.ps": "of another kind (.ps)",
    }
    # Those of files that exist, but were not named as sources, are right.
    assert "articles.csv:4" not in _left(tmp_path / "a.txt", root=tmp_path)
    _write(tmp_path / "articles.csv", "\n".join([*rows[:2], ""]))
    assert _left(tmp_path / "a.txt", root=tmp_path) == {}


def test_the_command_counts_rows_that_name_no_file(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt")
    _write(tmp_path / "articles.csv", "file,outlet\na.txt,Herald\nb.txt,Herald\nc.txt,Herald\n")
    done = _stance("build", "a.txt", cwd=tmp_path)
    assert "2 × a row of articles.csv for a file that is not there" in done.stderr


def test_a_row_of_a_sidecar_for_a_file_of_several_articles_is_noted_once(tmp_path: Path) -> None:
    row = {"text": PROSE}
    mail = "From ann Tue Mar  4 10:00:00 2031\nSubject: {0}\n\n{0} went to the port, where it rained.\n\n"
    pq.write_table(pa.Table.from_pylist([row] * 9), tmp_path / "rows.parquet", row_group_size=1)
    _write(tmp_path / "rows.csv", f"text\n{PROSE}")
    _write(tmp_path / "rows.json", json.dumps([row, row]))
    _write(tmp_path / "rows.jsonl", json.dumps(row) + "\n")
    _write(tmp_path / "sheets.xlsx", xlsx({"one": [["text"], [PROSE]], "two": [["text"], [PROSE]]}))
    _write(tmp_path / "two.mbox", mail.format("Ann") + mail.format("Bo"))
    _write(tmp_path / "one.mbox", mail.format("Cy"))
    _write(tmp_path / "a.txt")
    files = sorted(path.name for path in tmp_path.iterdir())
    _write(tmp_path / "articles.csv", "file,outlet\n" + "".join(f"{name},Herald\n" for name in files))
    settings = CorpusSettings(root=str(tmp_path))
    found = [item for unit in units([tmp_path], settings) for item in read(unit, settings)]
    described = {one.source for one in found if isinstance(one, Article) and one.outlet == "Herald"}
    notes = [one for one in found if isinstance(one, Noted) and one.note.startswith(NOT_DESCRIBED)]
    noted = [one.source.partition(":")[0] for one in notes]  # of a workbook, the sheet is named too
    assert described == {"a.txt", "one.mbox"}
    assert sorted(noted) == [name for name in files if name not in described]
    done = _stance("build", ".", cwd=tmp_path)
    assert "6 × its row in articles.csv is not used, as the file holds several articles" in done.stderr


# Dates of publication


def test_dates_are_written_after_iso_and_those_that_could_be_two_are_named(tmp_path: Path) -> None:
    dates = {"a": "15.03.2011", "b": "March 15, 2011", "c": "03/04/2011", "d": "yesterday", "e": "2011-03-15", "f": ""}
    for name in dates:
        _write(tmp_path / f"{name}.txt")
    _write(tmp_path / "articles.csv", "\n".join(["file,published", *(f'{n}.txt,"{d}"' for n, d in dates.items()), ""]))
    front = "---\npublished: 15 March 2011\n---\n\n"
    _write(tmp_path / "g.txt", front + PROSE)
    records = [{"id": "h", "text": PROSE, "published": "Tue, 15 Mar 2011 10:20:30 GMT"}]
    _write(tmp_path / "h.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    chosen = CorpusSettings(root=str(tmp_path))
    found = [item for unit in units([tmp_path], chosen) for item in read(unit, chosen)]
    assert {item.article_id: item.published for item in found if isinstance(item, Article)} == {
        **{"a": "2011-03-15", "b": "2011-03-15", "c": "03/04/2011", "d": "yesterday", "e": "2011-03-15", "f": ""},
        **{"g": "2011-03-15", "h": "2011-03-15T10:20:30+00:00"},
    }
    assert {item.source: item.note for item in found if isinstance(item, Noted)} == {
        "c.txt": "date that can be read in two ways, and is left as it is: 03/04/2011",
        "d.txt": "published is not in a known form of date, and is left as it is: yesterday",
    }
    done = _stance("build", ".", cwd=tmp_path)
    said = "listed in work/notes.jsonl: 1 × date that can be read in two ways, and is left as it is"
    assert f"about how articles were read, {said}" in done.stderr
    assert len(read_jsonl(tmp_path / "work" / "notes.jsonl", Noted, "")) == 2


# A build that fails


@pytest.mark.parametrize(
    "sources",
    [["gone"], ["empty"], ["docs"], ["ads.txt"], ["twice"], ["bad.csv"], ["ads.txt", "--strict"]],
)
@pytest.mark.parametrize("out", ["work", "deep/er/work"])
def test_a_build_that_fails_leaves_nothing(tmp_path: Path, sources: list[str], out: str) -> None:
    (tmp_path / "empty").mkdir()
    _write(tmp_path / "docs" / "a.ps")
    _write(tmp_path / "ads.txt", "ADVERTISEMENT\n")
    _write(tmp_path / "twice" / "a.txt")
    _write(tmp_path / "twice" / "a.html", f"<p>{PROSE}</p>")
    _write(tmp_path / "bad.csv", "id,body\n1,Rain.\n")
    before = sorted(tmp_path.rglob("*"))
    done = _stance("build", *sources, "--out", out, cwd=tmp_path)
    assert isinstance(done.exception, StanceError)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_build_that_something_unforeseen_stops_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "a.txt")

    def fail(*_arguments: object, **_options: object) -> None:
        raise ImportError("lxml.html.clean is a separate project")

    monkeypatch.setattr("corpus.build.cut_shards", fail)
    with pytest.raises(ImportError):
        build([str(tmp_path / "a.txt")], tmp_path / "deep" / "work", CorpusSettings())
    assert not (tmp_path / "deep").exists()
    (tmp_path / "deep").mkdir()
    _write(tmp_path / "deep" / "mine.txt")
    with pytest.raises(ImportError):
        build([str(tmp_path / "a.txt")], tmp_path / "deep" / "work", CorpusSettings())
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "deep", "mine.txt"]


# Standard input


def _stdin(data: str | bytes, monkeypatch: pytest.MonkeyPatch, **fields: str) -> list[Article | Skipped | Noted]:
    raw = data if isinstance(data, bytes) else data.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    chosen = CorpusSettings(fields=fields)
    return [item for unit in units(["-"], chosen) for item in read(unit, chosen)]


RECORDS = [{"id": "1", "text": "The boats left. It rained."}, {"id": "2", "text": "The mayor [slept], {all} day."}]


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2) + "\n",
        "\ufeff" + json.dumps(RECORDS),
        "\n\n  [\n" + ",\n".join(map(json.dumps, RECORDS)) + "\n]  \n\n",
        "".join(json.dumps(record) + "\n" for record in RECORDS),
        'id,text\n1,The boats left. It rained.\n2,"The mayor [slept], {all} day."\n',
        "sep=;\r\nid;text\r\n1;The boats left. It rained.\r\n2;The mayor [slept], {all} day.\r\n",
        "text\tid\nThe boats left. It rained.\t1\nThe mayor [slept], {all} day.\t2\n",
    ],
    ids=range(8),
)
def test_records_on_standard_input_are_read_in_any_form(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _stdin(data, monkeypatch)
    assert [(item.article_id, item.text) for item in found if isinstance(item, Article)] == [
        (record["id"], record["text"]) for record in RECORDS
    ]
    assert len(found) == 2


def test_other_data_on_standard_input_are_known_by_their_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"<!DOCTYPE html>\n<html><body><article><p>{PROSE * 3}</p></article></body></html>"
    (article,) = _stdin(page, monkeypatch)
    assert isinstance(article, Article)
    assert article.text.startswith("The minister")
    pq.write_table(pa.table({"id": ["p"], "text": [PROSE]}), tmp_path / "a.parquet")
    (article,) = _stdin((tmp_path / "a.parquet").read_bytes(), monkeypatch)
    assert article.article_id == "p"
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}"
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: u\r\nContent-Length: {len(block)}\r\n\r\n"
    (article,) = _stdin(f"{head}{block}\r\n\r\n", monkeypatch)
    assert article.article_id == "u"
    (article,) = _stdin(json.dumps([{"body": "It rained."}]), monkeypatch, text="body")
    assert isinstance(article, Article)
    assert (article.article_id, article.source, article.text) == (
        text_id(fingerprint("It rained.")),
        "stdin:1",
        "It rained.",
    )


@pytest.mark.parametrize(
    "text",
    [
        "[LONDON] The council voted on Monday.",
        "[1] The council voted on Monday.",
        '["We go," she said.] It rained.',
        "[the council, on Monday] voted.",
        "The text, as it stands, has commas.\nText, too.",
        "[]: nothing.",
    ],
)
def test_prose_on_standard_input_stays_prose(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (article,) = _stdin(text, monkeypatch)
    assert isinstance(article, Article)
    assert (article.article_id, article.text) == ("stdin", text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('[{"id": "1", "text": "Rain."}, {"id": "2", "te', "malformed JSON, behind 1 record"),
        ("[{'id': '1', 'text': 'Rain.'}]", "malformed JSON, behind 0 records"),
        ('[{"text": "Rain."}] [{"text": "Sun."}]', "something stands behind the array"),
        ('[{"text": "Rain."} {"text": "Sun."}]', "expected a comma"),
        ('["Rain.", "Sun."]', "expected a JSON array of records; found str in it"),
        ('[{"text": "Rain."}, "Sun."]', "expected a JSON array of records; found str in it"),
        ('[{"body": "Rain."}]', "expected the column text; found body"),
        ('{"status": "ok", "articles": [{"content": "Rain."}]}', "its records have no field text; found content"),
    ],
)
def test_json_on_standard_input_that_holds_no_records_is_an_error(
    data: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match=message):
        _stdin(data, monkeypatch)


@pytest.mark.parametrize("block", [1, 2, 7, 1000])
def test_an_array_is_read_however_its_blocks_fall(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.reading.standard_input.BLOCK", block)
    records = [{"text": f"Rain {n}. " + '"[]{},' * n} for n in range(30)]
    file = io.StringIO(" " * 9 + json.dumps(records, indent=1) + " " * 9)
    file.seek(0)
    # The array's beginning is looked for in the first block, as in a file that begins with it.
    file = io.StringIO(file.getvalue().lstrip())
    assert list(elements(file.read)) == records


# What a .txt file may hold instead


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"<!DOCTYPE html><html><body><p>{PROSE}</p></body></html>", "an HTML page in a .txt file: name it .html"),
        (json.dumps(RECORDS), "JSON in a .txt file: name it .jsonl, one record a line"),
        (
            json.dumps(RECORDS[0]) + "\n" + json.dumps(RECORDS[1]),
            "JSON in a .txt file: name it .jsonl, one record a line",
        ),
        ("{\\rtf1\\ansi The council voted on Monday.}", "RTF in a .txt file: save it as plain text"),
    ],
)
def test_a_text_file_that_holds_something_else_is_skipped(tmp_path: Path, text: str, reason: str) -> None:
    chosen = CorpusSettings(root=str(tmp_path))
    (unit,) = units([_write(tmp_path / "a.txt", text)], chosen)
    assert list(read(unit, chosen)) == [Skipped(article_id="a", source="a.txt", reason=reason)]


@pytest.mark.parametrize(
    "text", ["[Applause] The council voted.", "{The council} voted.", '["We go"]', "[1, 2]", "<3 was the score."]
)
def test_a_text_file_that_begins_like_something_else_is_read(tmp_path: Path, text: str) -> None:
    chosen = CorpusSettings(root=str(tmp_path))
    (unit,) = units([_write(tmp_path / "a.txt", text)], chosen)
    (article,) = read(unit, chosen)
    assert isinstance(article, Article)
    assert article.text == text


def test_html_in_a_text_file_is_left_as_it_is_and_that_is_said(tmp_path: Path) -> None:
    chosen = CorpusSettings(root=str(tmp_path))
    text = "<p>The boats left.</p>\n<p>It rained.</p>"
    (unit,) = units([_write(tmp_path / "a.txt", text)], chosen)
    article, note = read(unit, chosen)
    assert isinstance(article, Article)
    assert article.text == text
    assert note == Noted(article_id="a", source="a.txt", note="HTML in a .txt file, whose text is never changed")


def test_a_link_to_a_file_of_another_kind_is_listed_as_it_is_named(tmp_path: Path) -> None:
    _write(tmp_path / "store" / "x.bin", gzip.compress(b"x"))
    _write(tmp_path / "news" / "a.txt")
    (tmp_path / "news" / "b.ps").symlink_to(tmp_path / "store" / "x.bin")
    assert _left(tmp_path / "news", root=tmp_path / "news") == {"b.ps": "of another kind (.ps)"}
