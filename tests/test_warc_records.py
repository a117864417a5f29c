"""Web archives as others write them: WET files, resource records, odd content types."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from corpus.build import build
from corpus.reading.articles import CONVERTED, read
from corpus.reading.source_files import units
from corpus.records import Article, CorpusSettings, Skipped
from corpus.store import read_jsonl

LINES = (
    "The minister of Brennia visited the port of Ostrel on Monday morning.",
    "She spoke with the dockers for an hour, and nobody else was let in.",
    "“It is a waste of public money,” said the leader of the opposition.",
)
PAGE = f"<html><head><title>A visit</title></head><body><article><p>{'</p><p>'.join(LINES)}</p></article></body></html>"
TEXT = "Home\nNews\nA visit\n" + "\n".join(LINES) + "\nContact\n"


def _record(
    kind: str, content_type: str, block: bytes | str, url: str = "https://news.example/a", more: str = ""
) -> bytes:
    data = block.encode() if isinstance(block, str) else block
    declared = f"Content-Type: {content_type}\r\n" if content_type else ""
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2031-03-03T09:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:1>\r\n{declared}{more}Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data + b"\r\n\r\n"


def _response(
    *types: str, page: bytes | str = PAGE, url: str = "https://news.example/a", identified: str = ""
) -> bytes:
    data = page.encode() if isinstance(page, str) else page
    head = "HTTP/1.1 200 OK\r\n" + "".join(f"{one}\r\n" for one in types)
    more = f"WARC-Identified-Payload-Type: {identified}\r\n" if identified else ""
    return _record("response", "application/http; msgtype=response", f"{head}\r\n".encode() + data, url, more)


def _all(path: Path, *records: bytes) -> list[object]:
    path.write_bytes(b"".join(map(gzip.compress, records)))
    chosen = CorpusSettings(root=str(path.parent))
    return [item for unit in units([path], chosen) for item in read(unit, chosen)]


def _one(tmp_path: Path, record: bytes) -> Article:
    (article,) = _all(tmp_path / "a.warc.gz", record)
    assert isinstance(article, Article), article
    return article


def _reason(tmp_path: Path, record: bytes) -> str:
    (skipped,) = _all(tmp_path / "a.warc.gz", record)
    assert isinstance(skipped, Skipped), skipped
    assert skipped.article_id == "https://news.example/a"
    return skipped.reason


# WET files


@pytest.mark.parametrize("name", ["a.warc.wet.gz", "a.warc.wet", "a.wet.gz", "A.WARC.WET.GZ", "a.warc.gz"])
def test_the_texts_of_a_wet_file_are_articles(tmp_path: Path, name: str) -> None:
    info = _record("warcinfo", "application/warc-fields", "Software-Info: x\r\n")
    (article,) = _all(tmp_path / name, info, _record("conversion", "text/plain", TEXT))
    assert isinstance(article, Article)
    assert (article.article_id, article.url, article.source) == ("https://news.example/a",) * 2 + (f"{name}:2",)
    assert (article.text, article.extractor, article.outlet) == (TEXT, CONVERTED, "news.example")
    assert (article.title, article.published, article.crawled) == ("", "", "2031-03-03T09:00:00Z")


def test_the_sentences_of_a_wet_file_are_those_of_its_prose(tmp_path: Path) -> None:
    (tmp_path / "a.warc.wet.gz").write_bytes(gzip.compress(_record("conversion", "text/plain", TEXT)))
    done = build([str(tmp_path)], tmp_path / "work", CorpusSettings(root=str(tmp_path)), workers=1)
    assert (done.articles, done.sentences) == (1, 3)


@pytest.mark.parametrize(
    ("content_type", "block", "reason"),
    [
        ("image/png", b"\x89PNG\0", "conversion record, not HTML: image/png"),
        ("text/plain", b"", "conversion record: it is empty"),
        ("text/plain", b"\0\1\2" * 99, "binary: it holds NUL characters"),
        ("text/plain; charset=utf-8", b" \n", "conversion record: it is empty"),
    ],
)
def test_a_conversion_that_is_no_text_is_named(tmp_path: Path, content_type: str, block: bytes, reason: str) -> None:
    assert _reason(tmp_path, _record("conversion", content_type, block)) == reason


@pytest.mark.parametrize("first", ["conversion", "response"])
def test_a_page_goes_before_the_text_that_was_made_of_it(tmp_path: Path, first: str) -> None:
    made = {"conversion": _record("conversion", "text/plain", TEXT), "response": _response("Content-Type: text/html")}
    for number, kind in enumerate(sorted(made, reverse=first == "response")):
        (tmp_path / f"{number}.warc.gz").write_bytes(gzip.compress(made[kind]))
    done = build([str(tmp_path)], tmp_path / "work", CorpusSettings(root=str(tmp_path)), workers=1)
    assert done.articles == 1
    assert done.skipped == {"the page was crawled before": 1}
    (row,) = read_jsonl(tmp_path / "work" / "skipped.jsonl", Skipped, "")
    assert row.source == f"{int(first == 'response')}.warc.gz:1"


# Resource records


@pytest.mark.parametrize(
    "content_type", ["text/html", "text/html; charset=utf-8", "application/xhtml+xml", "TEXT/HTML", ""]
)
def test_a_page_in_a_resource_record_is_an_article(tmp_path: Path, content_type: str) -> None:
    article = _one(tmp_path, _record("resource", content_type, PAGE))
    assert (article.article_id, article.title) == ("https://news.example/a", "A visit")
    assert article.text.splitlines() == list(LINES)


def test_a_resource_records_charset_is_believed(tmp_path: Path) -> None:
    page = PAGE.replace("Brennia", "Brénnia").replace("“", "").replace("”", "").encode("latin-1")
    article = _one(tmp_path, _record("resource", "text/html; charset=iso-8859-1", page))
    assert "Brénnia" in article.text
    assert article.encoding == "cp1252"


@pytest.mark.parametrize(
    ("kind", "content_type", "block", "more", "reason"),
    [
        ("resource", "application/json", b"{}", "", "resource record, not HTML: application/json"),
        ("resource", "text/plain", TEXT.encode(), "", "resource record, not HTML: text/plain"),
        ("resource", "", b"\x89PNG", "", "resource record, not HTML: no Content-Type"),
        ("resource", "text/html", b"", "", "resource record: it is empty"),
        ("resource", "text/html", PAGE.encode(), "WARC-Truncated: length\r\n", "cut off by the crawler: length"),
        ("response", "text/html", PAGE.encode(), "", "no HTTP response: text/html"),
        (
            *(
                "response",
                "application/http; msgtype=response",
                b"HTTP/1.1 200 OK\r\n\r\n",
                "WARC-Segment-Number: 1\r\n",
            ),
            "a segment of a record: segments are not put together",
        ),
    ],
)
def test_what_is_no_page_is_named_with_its_reason(
    tmp_path: Path, kind: str, content_type: str, block: bytes, more: str, reason: str
) -> None:
    assert _reason(tmp_path, _record(kind, content_type, block, more=more)) == reason


def test_a_resource_record_that_holds_an_http_response_is_read_as_one(tmp_path: Path) -> None:
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{PAGE}"
    assert _one(tmp_path, _record("resource", "application/http", block)).text.splitlines() == list(LINES)


def test_a_record_cut_off_at_the_files_end_is_named(tmp_path: Path) -> None:
    for record in (_record("resource", "text/html", PAGE), _record("conversion", "text/plain", TEXT)):
        path = tmp_path / "a.warc"
        path.write_bytes(record[:-60])
        chosen = CorpusSettings(root=str(tmp_path))
        (item,) = [item for unit in units([path], chosen) for item in read(unit, chosen)]
        assert isinstance(item, Skipped)
        assert item.reason.startswith("cut off by the end of the file or a broken stretch")


# Content types


@pytest.mark.parametrize(
    ("types", "identified"),
    [
        (["Content-Type: application/octet-stream"], "text/html"),
        (["Content-Type: text/plain"], "application/xhtml+xml"),
        (["Content-Type: unknown"], "text/html"),
        (["Content-Type: text/plain", "Content-Type: text/html; charset=utf-8"], ""),
        (["Content-Type: text/html", "Content-Type: text/plain"], ""),
        (["content-type: text/html, text/html; charset=utf-8"], ""),
        (["Content-Type: text/html charset=utf-8"], ""),
        (["Content-Type: ;charset=utf-8"], ""),
        (["Content-Type:"], ""),
        (['Content-Type: "text/html"'], "application/pdf"),
    ],
)
def test_a_page_is_read_if_one_of_its_types_says_so(tmp_path: Path, types: list[str], identified: str) -> None:
    article = _one(tmp_path, _response(*types, identified=identified))
    assert article.text.splitlines() == list(LINES)


@pytest.mark.parametrize(
    "types",
    [
        ["Content-Type: text/html; charset=windows-1251"],
        ["Content-Type: text/html", "Content-Type: text/html; charset=windows-1251"],
        ["Content-Type: text/html; charset=windows-1251", "Content-Type: text/html"],
        ["Content-Type: text/html, text/html; charset=windows-1251"],
    ],
)
def test_the_charset_is_taken_from_whichever_names_one(tmp_path: Path, types: list[str]) -> None:
    line = "Министр посетила порт."
    page = f"<html><body><article><p>{line}</p></article></body></html>".encode("cp1251")
    article = _one(tmp_path, _response(*types, page=page))
    assert (article.text, article.encoding) == (line, "cp1251")


@pytest.mark.parametrize(
    ("types", "page", "identified", "reason"),
    [
        (["Content-Type: application/octet-stream"], PAGE, "", "not HTML: application/octet-stream"),
        (["Content-Type: application/pdf"], b"%PDF-1.4", "text/html", "not HTML: application/pdf"),
        (["Content-Type: image/png", "Content-Type: image/gif"], b"GIF89a", "", "not HTML: image/gif"),
        ([], b"%PDF-1.4", "application/pdf", "not HTML: application/pdf"),
    ],
)
def test_other_types_are_named(
    tmp_path: Path, types: list[str], page: bytes | str, identified: str, reason: str
) -> None:
    assert _reason(tmp_path, _response(*types, page=page, identified=identified)) == reason


def test_files_of_metadata_are_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "a.warc.wat.gz").write_bytes(gzip.compress(_record("metadata", "application/json", "{}")))
    (tmp_path / "b.warc.gz").write_bytes(gzip.compress(_response("Content-Type: text/html")))
    left = {unit.source: unit.reason for unit in units([tmp_path], CorpusSettings(root=str(tmp_path)))}
    assert left == {"a.warc.wat.gz": "of another kind (.wat.gz)", "b.warc.gz": ""}
