"""Web archives: which records are articles, how they are decoded, what of a broken file is read, which crawl stays."""

from __future__ import annotations

import gzip
import io
import os
import random
import tempfile
import tracemalloc
import zlib
from functools import cache
from pathlib import Path

import pytest
from fastwarc.stream_io import BrotliWriter, ZstdWriter
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.build import build
from corpus.errors import SourceError
from corpus.ids.fingerprint import fingerprint, text_id
from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.reading.web import http_response as http
from corpus.reading.web import warc
from corpus.records import ARTICLES, SENTENCES, SPANS, Article, CorpusSettings, Noted, Skipped
from corpus.store import read_jsonl
from corpus.tables import read_table
from tests.conftest import REPO

TABLES = ("articles.parquet", "sentences.parquet", "spans.parquet", "skipped.jsonl")
BODY = (
    "The minister of Brennia visited the port of Ostrel on Monday morning.",
    "She spoke with the dockers for an hour, and nobody else was let in.",
    "The opposition called the visit a waste of public money.",
)
HTML = "Content-Type: text/html; charset=utf-8\r\n"


def _page(*lines: str, head: str = "", title: str = "A visit") -> str:
    prose = "".join(f"<p>{line}</p>" for line in lines or BODY)
    return f"<html><head><title>{title}</title>{head}</head><body><article>{prose}</article></body></html>"


def _record(
    url: str = "https://news.example/a",
    page: str | bytes = "",
    *,
    kind: str = "response",
    http: str = HTML,
    status: str = "HTTP/1.1 200 OK",
    date: str = "2031-03-03T09:00:00Z",
    more: str = "",
    length: int | None = None,
) -> bytes:
    payload = page if isinstance(page, bytes) else (page or _page()).encode()
    when = f"WARC-Date: {date}\r\n" if date else ""
    block = f"{status}\r\n{http}\r\n".encode() + payload
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\n{when}"
        f"WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http; msgtype={kind}\r\n{more}"
        f"Content-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def _pages(*urls: str) -> list[bytes]:
    """Records of pages that are too unlike for gzip to shrink much."""
    chance = random.Random(7)
    return [
        _record(url, _page(*BODY, f"Word of it was {''.join(chance.choices('abcdefghij ', k=300))} in the end."))
        for url in urls
    ]


def _write(path: Path, *records: bytes, pack: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(gzip.compress(record, mtime=0) if pack else record for record in records))
    return path


def _all(path: Path) -> list[Article | Skipped | Noted]:
    chosen = CorpusSettings(root=str(path.parent))
    return [item for unit in units([path], chosen) for item in read(unit, chosen)]


def _urls(path: Path) -> list[str]:
    return [item.url for item in _all(path) if isinstance(item, Article)]


def _reasons(path: Path) -> list[str]:
    return [item.reason for item in _all(path) if isinstance(item, Skipped)]


def _one(tmp_path: Path, record: bytes) -> Article:
    (article,) = _all(_write(tmp_path / "a.warc.gz", record))
    assert isinstance(article, Article), article
    return article


def _build(out: Path, *sources: Path, workers: int = 1) -> dict[str, bytes]:
    build([str(source) for source in sources], out, CorpusSettings(root=str(out.parent)), workers=workers)
    return {name: (out / name).read_bytes() for name in TABLES}


def _articles(out: Path) -> dict[str, str]:
    rows = read_table(out / "articles.parquet", ARTICLES, "").to_pylist()
    assert len({row["article_id"] for row in rows}) == len(rows)
    return {row["article_id"]: row["text"] for row in rows}


# What an article is


def test_an_archive_gives_what_the_same_pages_give_as_files(tmp_path: Path) -> None:
    records, names = [], []
    for path in sorted((REPO / "seeds").rglob("*.txt"))[:12]:
        lines = [line for line in path.read_text("utf-8").splitlines()[1:] if line.strip()]
        head = '<meta property="article:published_time" content="2031-03-03"><meta property="og:site_name" content="G">'
        page = _page(*lines, head=head, title=path.stem).encode()
        names.append(path.stem)
        (tmp_path / "pages" / f"{path.stem}.html").parent.mkdir(exist_ok=True)
        (tmp_path / "pages" / f"{path.stem}.html").write_bytes(page)
        records.append(_record(f"https://news.example/{path.stem}", page))
    assert len(set(names)) == 12
    _build(tmp_path / "one", tmp_path / "pages")
    _build(tmp_path / "two", _write(tmp_path / "a.warc.gz", *records))
    found = []
    for out in (tmp_path / "one", tmp_path / "two"):
        articles = read_table(out / "articles.parquet", ARTICLES, "").to_pylist()
        sentences = read_table(out / "sentences.parquet", SENTENCES, "").to_pylist()
        assert len(sentences) > 100
        for row in (*articles, *sentences):
            row["name"] = row["article_id"].rpartition("/")[2]
        same = [name for name in ARTICLES.names if name not in ("article_id", "source", "url")]
        found.append(
            (
                sorted((row["name"], *(row[name] for name in same)) for row in articles),
                sorted((row["name"], row["index"], row["start"], row["end"], row["text"]) for row in sentences),
            )
        )
    assert found[0] == found[1]


def test_a_page_is_called_by_the_url_that_it_was_crawled_from(tmp_path: Path) -> None:
    head = '<link rel="canonical" href="https://news.example/"><meta property="og:url" content="https://x.example/">'
    found = _one(tmp_path, _record("<https://www.news.example:443/a?b=1#c>", _page(head=head)))
    url = "https://www.news.example:443/a?b=1#c"
    assert (found.article_id, found.url, found.source) == (url, url, "a.warc.gz:1")
    assert found.text.splitlines()[0] == BODY[0]
    named = _one(
        tmp_path, _record("https://x.example/", _page(head='<meta property="og:site_name" content="Gazette">'))
    )
    assert named.outlet == "Gazette"
    for url, outlet in (("https://www.news.example/1", "news.example"), ("http://[::1", ""), ("urn:x", "")):
        assert _one(tmp_path, _record(url)).outlet == outlet
    nameless = _one(tmp_path, _record(""))
    assert nameless.article_id == text_id(fingerprint(nameless.text))


def test_the_crawl_date_is_no_publication_date(tmp_path: Path) -> None:
    found = _one(tmp_path, _record())
    assert (found.published, found.crawled) == ("", "2031-03-03T09:00:00Z")
    head = '<meta property="article:published_time" content="2031-02-01T08:00:00Z">'
    assert _one(tmp_path, _record(page=_page(head=head))).published == "2031-02-01"
    for date in ("", "yesterday", "20310303090000", "2031-03-03 09:00"):
        assert _one(tmp_path, _record(date=date)).crawled == "unknown"
    for date in ("2031", "2031-03", "2031-03-03", "2031-03-03T09:00Z", "2031-03-03T09:00:00.123456789Z"):
        assert _one(tmp_path, _record(date=date)).crawled == date


RUSSIAN = (
    "Министр посетила порт в понедельник утром. Объявление оппозиции: «Это пустая трата денег», – заявил её лидер. "
    "Жители ждут ответа, щедрых выплат и новых цехов, эхо которых слышно всюду"
)


@pytest.mark.parametrize(
    ("line", "encoding", "http", "meta", "found"),
    [
        ("Café “noir”", "utf-8", "text/html", "", "utf-8"),
        ("Café “noir”", "utf-8", "text/html; charset=iso-8859-1", "windows-1251", "utf-8"),
        ("Café noir à Orléans", "latin-1", "text/html; charset=ISO-8859-1", "", "cp1252"),
        ("Café noir à Orléans", "latin-1", "text/html", "iso-8859-1", "cp1252"),
        ("Café noir à Orléans", "latin-1", "text/html", "", "cp1252"),
        (RUSSIAN, "cp1251", 'text/html;charset="windows-1251"', "", "cp1251"),
        (RUSSIAN, "cp1251", "text/html", "windows-1251", "cp1251"),
        (RUSSIAN, "cp1251", "text/html; charset=windows-1251", "iso-8859-1", "cp1251"),
        (RUSSIAN, "cp1251", "text/html; charset=utf-8", "windows-1251", "cp1251"),
        (RUSSIAN, "cp1251", "text/html; charset=none-such", "windows-1251", "cp1251"),
        (RUSSIAN, "cp1251", "text/html", "", "cp1251"),
        ("Министр посетила порт", "koi8-r", "text/html; charset=koi8-r", "", "koi8-r"),
        (RUSSIAN, "utf-16", "text/html; charset=utf-16", "", "utf-16"),
        ("日本の港", "iso2022_jp", "text/html; charset=iso-2022-jp", "", "iso2022_jp"),
        ("日本の港", "shift_jis", "application/xhtml+xml; charset=Shift_JIS", "", "cp932"),
    ],
)
def test_the_charset_is_that_of_http_else_of_the_page_else_a_guess(
    tmp_path: Path, line: str, encoding: str, http: str, meta: str, found: str
) -> None:
    lines = [f"{line} {number}." for number in range(12)]
    page = _page(*lines, head=f'<meta charset="{meta}">' if meta else "").encode(encoding)
    article = _one(tmp_path, _record(page=page, http=f"Content-Type: {http}\r\n"))
    assert (article.encoding, article.text.splitlines()[0]) == (found, lines[0])


def _chunked(data: bytes, size: int = 100) -> bytes:
    parts = [data[n : n + size] for n in range(0, len(data), size)]
    return b"".join(b"%X;x=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _packed(data: bytes, writer: type[BrotliWriter | ZstdWriter]) -> bytes:
    file = io.BytesIO()
    with writer(file) as packer:
        packer.write(data)
    return file.getvalue()


PLAIN = _page().encode()
BARE = zlib.compress(PLAIN)[2:-4]
CONTENT, TRANSFER = "Content-Encoding: ", "Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("http", "data"),
    [
        ("", PLAIN),
        (f"{CONTENT}identity\r\n", PLAIN),
        (TRANSFER, _chunked(PLAIN)),
        (f"{CONTENT}gzip\r\n", gzip.compress(PLAIN)),
        (f"{CONTENT}GZip\r\n{TRANSFER}", _chunked(gzip.compress(PLAIN))),
        (f"{CONTENT}deflate\r\n", zlib.compress(PLAIN)),
        (f"{CONTENT}deflate\r\n", BARE),
        (f"{CONTENT}br\r\n", _packed(PLAIN, BrotliWriter)),
        (f"{CONTENT}zstd\r\n", _packed(PLAIN, ZstdWriter)),
        (f"{CONTENT}gzip, br\r\n", _packed(gzip.compress(PLAIN), BrotliWriter)),
        # Stored unpacked, under the server's header
        (f"{CONTENT}gzip\r\n", PLAIN),
        (f"{CONTENT}br\r\n", PLAIN),
        (f"{CONTENT}deflate\r\n{TRANSFER}", PLAIN),
        (f"{CONTENT}utf-8\r\n", PLAIN),
        (f"{CONTENT}gzip\r\n{TRANSFER}", gzip.compress(PLAIN)),
        (f"X-Crawler-{CONTENT}gzip\r\nX-Crawler-{TRANSFER}", PLAIN),
    ],
)
def test_http_encodings_are_taken_off_unless_the_crawler_did(tmp_path: Path, http: str, data: bytes) -> None:
    plain = _one(tmp_path, _record(page=PLAIN))
    assert _one(tmp_path, _record(page=data, http=HTML + http)) == plain


def test_an_archive_is_known_by_its_name_and_its_packing_by_its_bytes(tmp_path: Path) -> None:
    records = _pages("https://a.example/1", "https://a.example/2")
    for name in ("a.warc", "a.warc.gz", "A.WARC.GZ", "a.b.warc.gz"):
        assert len(_urls(_write(tmp_path / "packed" / name, *records))) == 2
        assert len(_urls(_write(tmp_path / "plain" / name, *records, pack=False))) == 2
        assert len(_urls(_write(tmp_path / "whole" / name, b"".join(records)))) == 2
    for name in ("b.gz", "b.txt.gz", "warc.gz"):
        _write(tmp_path / "plain" / name, *records)
    (tmp_path / "plain" / ".hidden.warc.gz").write_bytes(b"")
    found = [unit for unit in units([tmp_path / "plain"], CorpusSettings(root=str(tmp_path))) if not unit.reason]
    assert [unit.source for unit in found] == [
        f"plain/{name}" for name in ("A.WARC.GZ", "a.b.warc.gz", "a.warc", "a.warc.gz")
    ]
    assert [unit.article_id for unit in found] == ["plain/A", "plain/a.b", "plain/a", "plain/a"]
    assert units([f"{tmp_path}/pl*/*.warc.gz"], CorpusSettings(root=str(tmp_path)))[0].kind == "warc"
    with pytest.raises(SourceError, match=r"b\.gz: expected one of .*\.warc, "):
        units([tmp_path / "plain" / "b.gz"], CorpusSettings())


# What no article is


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (_record(status="HTTP/1.1 404 Not Found"), "HTTP status: 404"),
        (_record(status="HTTP/1.1 301"), "HTTP status: 301"),
        (_record(status="HTTP/2 503 "), "HTTP status: 503"),
        (_record(status="SSH-2.0"), "no HTTP response: application/http; msgtype=response"),
        (_record(http="Content-Type: application/pdf\r\n", page=b"%PDF-1.4\n\0\xff"), "not HTML: application/pdf"),
        (_record(http="Content-Type: text/plain; charset=utf-8\r\n"), "not HTML: text/plain"),
        (_record(http="", page=b"User-agent: *\n"), "not HTML: no Content-Type"),
        (_record(page=b" \r\n"), "the page is empty"),
        (_record(more="WARC-Truncated: length\r\n"), "cut off by the crawler: length"),
        (_record(kind="revisit"), "revisit record: the page is as when it was crawled before"),
        (_record(http=f"{HTML}{CONTENT}gzip\r\n", page=gzip.compress(PLAIN)[:-12]), "broken HTTP encoding: gzip"),
        (_record(http=f"{HTML}{CONTENT}gzip\r\n", page=b"\x1f\x8b\x08\0junk"), "broken HTTP encoding: gzip"),
        (_record(http=f"{HTML}{CONTENT}br\r\n", page=b"\xff\xffjunk"), "broken HTTP encoding: br"),
        (_record(http=f"{HTML}{CONTENT}br\r\n", page=_packed(PLAIN, BrotliWriter)[:-9]), "broken HTTP encoding: br"),
        (_record(http=f"{HTML}{CONTENT}zstd\r\n", page=_packed(PLAIN, ZstdWriter)[:-9]), "broken HTTP encoding: zstd"),
        (_record(http=f"{HTML}{CONTENT}compress\r\n", page=b"\x1f\x9dx"), "broken HTTP encoding: compress is unknown"),
        (_record(http=f"{HTML}{TRANSFER}", page=_chunked(PLAIN)[:-30]), "broken HTTP encoding: chunked"),
        (_record(page=b"<html><body></body></html>"), "trafilatura finds no article in the page"),
        (_record(page=b"<html>\0\0</html>"), "binary: it holds NUL characters"),
    ],
)
def test_a_response_that_is_no_page_is_skipped_with_its_reason(tmp_path: Path, record: bytes, reason: str) -> None:
    good = _record("https://news.example/good")
    found = _all(_write(tmp_path / "a.warc.gz", good, record, good))
    assert [type(item) for item in found] == [Article, Skipped, Article]
    assert found[1] == Skipped(article_id="https://news.example/a", source="a.warc.gz:2", reason=reason)


def test_a_type_that_is_not_said_is_taken_from_the_archive_or_the_page(tmp_path: Path) -> None:
    assert _one(tmp_path, _record(http="")).url
    assert _one(tmp_path, _record(http="", more="WARC-Identified-Payload-Type: text/html\r\n", page=b"x" + PLAIN)).url
    path = _write(tmp_path / "a.warc", _record(http="", more="WARC-Identified-Payload-Type: image/svg+xml\r\n"))
    assert _reasons(path) == ["not HTML: image/svg+xml"]


def test_records_that_nobody_takes_for_articles_are_not_listed(tmp_path: Path) -> None:
    kinds = ["warcinfo", "request", "metadata", "continuation", "none-such"]
    others = [_record(kind=kind) for kind in kinds]
    found = _all(_write(tmp_path / "a.warc.gz", *others, _record(), *others))
    assert [item.source for item in found] == ["a.warc.gz:6"]
    assert _all(_write(tmp_path / "a.warc.gz", *others)) == [
        Skipped(article_id="a", source="a.warc.gz", reason="no response, resource or conversion record in the archive")
    ]


def test_what_is_bigger_than_an_article_is_skipped_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (warc, http):
        monkeypatch.setattr(module, "ARTICLE_BYTES", 1 << 20)
    huge = b"<p>" + bytes(30 << 20)
    records = [
        _record(),
        _record(page=huge),
        _record(page=gzip.compress(huge), http=f"{HTML}{CONTENT}gzip\r\n"),
        _record(page=_packed(huge, BrotliWriter), http=f"{HTML}{CONTENT}br\r\n"),
        _record(page=zlib.compress(huge), http=f"{HTML}{CONTENT}deflate\r\n"),
        _record(http=HTML + f"X-Long: {'y' * 900_000}\r\n"),
        _record(),
    ]
    path = _write(tmp_path / "a.warc.gz", *records)
    del records, huge
    _all(path)
    tracemalloc.start()
    (unit,) = units([path], CorpusSettings())
    found = [page.reason if isinstance(page, warc.NoPage) else len(page.data) for page in warc.pages(unit)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [len(PLAIN), *["longer than 1 MB"] * 4, len(PLAIN), len(PLAIN)]
    assert peak < 10 << 20


# Broken files


def _found(path: Path) -> list[str]:
    """The URLs of the pages, and the first word or two of the reasons."""
    (unit,) = units([path], CorpusSettings())
    return [page.url if isinstance(page, warc.Page) else page.reason[:14] for page in warc.pages(unit)]


URLS = [f"https://a.example/{n}" for n in range(3)]


@pytest.mark.parametrize("pack", [True, False])
def test_of_a_file_that_was_cut_off_what_stands_before_is_read_and_the_rest_is_one_reason(
    tmp_path: Path, pack: bool
) -> None:
    parts = [gzip.compress(record, mtime=0) if pack else record for record in _pages(*URLS)]
    whole = b"".join(parts)
    ends = [sum(map(len, parts[:n])) for n in range(4)]
    path = tmp_path / "a.warc.gz"
    for cut in sorted({*range(1, len(whole), 37), *(end + n for end in ends for n in range(-12, 12))}):
        if not 0 < cut < len(whole):
            continue
        path.write_bytes(whole[:cut])
        found = _found(path)
        pages = [one for one in found if one in URLS]
        reasons = found[len(pages) :]
        # The last bytes of a record are no part of the page: a checksum and a length, or two line ends.
        assert sum(end <= cut for end in ends[1:]) <= len(pages) <= sum(end - 20 <= cut for end in ends[1:]), cut
        assert pages == URLS[: len(pages)]
        assert len(reasons) <= 1
        if pack:
            assert (reasons == []) == (cut in ends), cut
        elif not any(0 <= end - cut <= 4 for end in ends):
            assert reasons, cut


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), pack=st.booleans())
def test_a_flipped_bit_costs_one_record_and_says_so(place: float, bit: int, pack: bool) -> None:
    first, middle, last = (gzip.compress(record, mtime=0) if pack else record for record in _pages(*URLS))
    broken = bytearray(middle)
    broken[int(place * len(middle))] ^= 1 << bit
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.warc.gz"
        path.write_bytes(first + bytes(broken) + last)
        found = _found(path)
    assert found[0] == URLS[0]
    # Of an unpacked file a wrong Content-Length may run over the next record.
    assert found[-1] == URLS[2] or not pack
    assert len(found) <= 3 + (not pack)
    if pack and found != URLS:
        assert len(found) == 3 or (len(found) == 2 and broken[3:10] != middle[3:10]), found


@pytest.mark.parametrize("garbage", [b"garbage\n" * 9, bytes(900), b"\x1f\x8b\x08" * 90, gzip.compress(b"x" * 90_000)])
@pytest.mark.parametrize("pack", [True, False])
def test_what_stands_behind_garbage_is_read(tmp_path: Path, garbage: bytes, pack: bool) -> None:
    one, two, three = (gzip.compress(record) if pack else record for record in _pages(*URLS))
    path = tmp_path / ("a.warc.gz" if pack else "a.warc")
    path.write_bytes(one + garbage + two + garbage + garbage + three + garbage)
    assert _found(path) == [URLS[0], "broken archive", URLS[1], "broken archive", URLS[2], "broken archive"]
    path.write_bytes(garbage + one)
    # What a plain file begins with says whether it is packed.
    assert _found(path) == ["broken archive", *URLS[: pack or garbage[:2] != b"\x1f\x8b"]]


@settings(deadline=None)
@given(data=st.data(), pack=st.booleans(), parts=st.integers(2, 6))
def test_the_parts_of_an_archive_hold_what_the_whole_holds(data: st.DataObject, pack: bool, parts: int) -> None:
    pieces = [gzip.compress(record) if pack else record for record in (*_pages(*URLS), _record(kind="request"))]
    pieces += [b"garbage\n", pieces[0][:100], gzip.compress(b"".join(_pages(*URLS))), _record(URLS[0], length=3000)]
    drawn = data.draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=8))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "a.warc.gz"
        path.write_bytes(b"".join(drawn))
        (whole,) = units([path], CorpusSettings())
        patch.setattr(warc, "PART_BYTES", 100)
        patch.setattr(warc, "PARTS", parts)
        cut = units([path], CorpusSettings())
        assert len(cut) == max(1, min(parts, whole.size // 100))
        assert [page for unit in cut for page in warc.pages(unit)] == list(warc.pages(whole))


def test_a_file_that_is_no_archive_is_skipped_and_stops_nothing(tmp_path: Path) -> None:
    for data in (b"<html>404</html>", gzip.compress(b"hello" * 100), b"\x1f\x8b", b"\n", b"WARC/1.0", b"\0" * 100):
        path = tmp_path / "a.warc.gz"
        path.write_bytes(data)
        (found,) = _all(path)
        assert isinstance(found, Skipped)
        assert (found.article_id[:1], found.reason[:5]) == ("a", "broke") or found.reason == "no WARC record in it"
    path.write_bytes(b"")
    assert _reasons(path) == ["the file is empty"]


def test_a_wrong_content_length_costs_what_it_runs_over(tmp_path: Path) -> None:
    one, _, three = _pages(*URLS)
    for length in (0, 100, 10**30, "x", -1):
        wrong = _record(URLS[1], length=length)  # type: ignore[arg-type]
        found = _found(_write(tmp_path / "a.warc.gz", one, wrong, three))
        assert (found[0], found[-1]) == (URLS[0], URLS[2]), length
        assert len(found) > 2, length
    for kind, reason in (("response", "cut off by the"), ("request", "broken archive")):
        wrong = _record(URLS[1], kind=kind, length=1_000_000)
        assert _found(_write(tmp_path / "a.warc.gz", one, wrong, three)) == [URLS[0], reason, URLS[2]]


def test_huge_heads_are_read_or_skipped(tmp_path: Path) -> None:
    one, two, three = _pages(*URLS)
    long = two.replace(b"WARC-Record-ID", b"X-Long: " + b"y" * 100_000 + b"\r\nWARC-Record-ID")
    assert _found(_write(tmp_path / "a.warc.gz", one, long, three)) == [URLS[0], "broken archive", URLS[2]]
    many = _record(URLS[1], http=HTML + "".join(f"X-{n}: {n}\r\n" for n in range(50_000)))
    assert _found(_write(tmp_path / "a.warc.gz", one, many, three)) == URLS


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.warc.gz", _record())
    (unit,) = units([path], CorpusSettings())
    path.unlink()
    path.mkdir()
    with pytest.raises(SourceError, match=r"a\.warc\.gz: cannot be read: Is a directory"):
        list(warc.pages(unit))


def test_a_disk_that_fails_is_an_error_and_no_end_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        good = 0

        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= self.good:
                raise OSError(5, "Input/output error")
            return super().read(min(size or 0, self.good - self.tell()))

    for pack in (True, False):
        path = _write(tmp_path / "a.warc", *_pages(*URLS), pack=pack)
        end = len(_write(tmp_path / "first.warc", *_pages(*URLS[:1]), pack=pack).read_bytes())
        (unit,) = units([path], CorpusSettings())
        for good in (end, end + 9):
            file = Failing(path.read_bytes())
            file.good = good
            with monkeypatch.context() as patch:
                patch.setattr(Path, "open", lambda *_, file=file: file)
                with pytest.raises(SourceError, match=r"a\.warc: cannot be read: Input/output error"):
                    list(warc.pages(unit))


# Pages that were crawled more than once


def test_of_two_crawls_the_first_that_is_an_article_stays_and_the_other_is_listed(tmp_path: Path) -> None:
    url = "https://news.example/a"
    early, late = "2031-03-03T09:00:00Z", "2031-03-03T09:00:00.5Z"
    records = [
        _record(url, _page(BODY[0], "This is the third version of it."), date="2031-03-04T00:00:00Z"),
        _record(url, status="HTTP/1.1 404 Not Found", date="2031-03-01"),
        _record(url, _page("ADVERTISEMENT"), date="2031-03-02"),
        _record(url, _page(BODY[0], "This is the second version of it."), date=late),
        _record(url, _page(BODY[0], "This is an undated version of it."), date=""),
    ]
    first = _record(url, _page(BODY[0], "This is the first version of it."), date=early)
    _write(tmp_path / "in" / "b.warc.gz", *records)
    _write(tmp_path / "in" / "c.warc", first, pack=False)
    tables = _build(tmp_path / "out", tmp_path / "in")
    assert _articles(tmp_path / "out") == {url: f"{BODY[0]}\nThis is the first version of it."}
    rows = read_jsonl(tmp_path / "out" / "skipped.jsonl", Skipped, "")
    assert [(row.source, row.reason) for row in rows] == [
        ("in/b.warc.gz:2", "HTTP status: 404"),
        ("in/b.warc.gz:3", "no prose in it"),
        *((f"in/b.warc.gz:{n}", "the page was crawled before: in/c.warc:1") for n in (1, 4, 5)),
    ]
    sentences = read_table(tmp_path / "out" / "sentences.parquet", SENTENCES, "").to_pylist()
    assert [row["text"] for row in sentences] == [BODY[0], "This is the first version of it."]
    assert _build(tmp_path / "out", tmp_path / "in") == tables


RECORDS = [
    _record(
        f"https://news.example/{n % 4}",
        _page(*BODY[: n % 3 + 1], f"This is version {n} of it."),
        date=f"2031-03-0{n % 5 % 3 + 1}",
    )
    for n in range(12)
]


@cache
def _in_one_file() -> tuple[dict[str, str], list[tuple[str, int, str, str]]]:
    with tempfile.TemporaryDirectory() as name:
        return _kept(Path(name), {"all.warc": RECORDS})


def _kept(folder: Path, files: dict[str, list[bytes]]) -> tuple[dict[str, str], list[tuple[str, int, str, str]]]:
    for name, records in files.items():
        _write(folder / "in" / name, *records, pack=name.endswith("gz"))
    _build(folder / "out", folder / "in")
    sentences = read_table(folder / "out" / "sentences.parquet", SENTENCES, "").to_pylist()
    rows = sorted((row["sentence_id"], row["start"], row["copy_id"], row["cluster_id"]) for row in sentences)
    return _articles(folder / "out"), rows


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(12)), st.lists(st.integers(0, 2), min_size=12, max_size=12))
@pytest.mark.slow
def test_neither_order_nor_files_decide_which_crawl_stays(order: list[int], files: list[int]) -> None:
    split: dict[str, list[bytes]] = {}
    for number, file in zip(order, files, strict=True):
        split.setdefault(f"{file}.warc.gz", []).append(RECORDS[number])
    with tempfile.TemporaryDirectory() as name:
        found = _kept(Path(name), split)
    assert len(found[0]) == 4
    assert found == _in_one_file()


@pytest.mark.slow
def test_neither_workers_nor_parts_change_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in range(3):
        _write(tmp_path / "in" / f"{file}.warc.gz", *RECORDS[file * 4 :], *_pages(*URLS))
    one = _build(tmp_path / "one", tmp_path / "in")
    monkeypatch.setattr(warc, "PART_BYTES", 1000)
    _build(tmp_path / "two", tmp_path / "in", workers=2)
    for name, schema in (("articles", ARTICLES), ("sentences", SENTENCES), ("spans", SPANS)):
        files = [tmp_path / out / f"{name}.parquet" for out in ("one", "two")]
        assert read_table(files[0], schema, "").equals(read_table(files[1], schema, ""))
    assert sorted(one["skipped.jsonl"].split()) == sorted((tmp_path / "two" / "skipped.jsonl").read_bytes().split())
    assert len(list((tmp_path / "two" / ".build" / "shards").iterdir())) > 6
    assert len(_articles(tmp_path / "one")) == 7


def test_an_archive_that_is_added_changes_only_pages_that_it_holds_an_earlier_crawl_of(tmp_path: Path) -> None:
    old, new = "This is the old version of it.", "This is the new version of it."
    _write(tmp_path / "in" / "b.warc", _record(URLS[0], _page(BODY[0], new), date="2031-03"), *_pages(*URLS[1:]))
    _build(tmp_path / "out", tmp_path / "in")
    before = _articles(tmp_path / "out")
    _write(tmp_path / "in" / "a.warc", *(_record(url, _page(BODY[0], "Later."), date="2032") for url in URLS))
    _build(tmp_path / "out", tmp_path / "in")
    assert _articles(tmp_path / "out") == before
    _write(tmp_path / "in" / "c.warc", _record(URLS[0], _page(BODY[0], old), date="2030"))
    _build(tmp_path / "out", tmp_path / "in")
    assert _articles(tmp_path / "out") == before | {URLS[0]: f"{BODY[0]}\n{old}"}
    whole = {name: (tmp_path / "out" / name).read_bytes() for name in TABLES}
    assert _build(tmp_path / "fresh", tmp_path / "in") == whole
    shards = {path.name for path in (tmp_path / "out" / ".build" / "shards").iterdir()}
    for name in "ac":
        (tmp_path / "in" / f"{name}.warc").unlink()
    _build(tmp_path / "out", tmp_path / "in")
    assert _articles(tmp_path / "out") == before
    assert len(shards & {path.name for path in (tmp_path / "out" / ".build" / "shards").iterdir()}) == 1


def test_a_file_that_was_touched_gives_what_it_gave(tmp_path: Path) -> None:
    url = "https://news.example/a"
    texts = ("The first of all the versions.", "ADVERTISEMENT", "The second one. It has two sentences.", BODY[0])
    records = [_record(url, _page(text), date=f"203{9 - n}") for n, text in enumerate(texts * 2)]
    path = _write(tmp_path / "in" / "a.warc", *records, *_pages(*URLS))
    tables = _build(tmp_path / "out", tmp_path / "in")
    assert _articles(tmp_path / "out")[url] == BODY[0]
    os.utime(path, (0, 0))
    assert _build(tmp_path / "out", tmp_path / "in") == tables


def test_a_page_and_a_row_of_one_id_are_an_error_that_names_both(tmp_path: Path) -> None:
    _write(tmp_path / "in" / "a.warc.gz", _record(URLS[0]), _record(URLS[0]))
    (tmp_path / "in" / "b.jsonl").write_text(f'{{"url": "{URLS[0]}", "text": "{BODY[0]}"}}')
    with pytest.raises(SourceError, match=r"two articles have the id .*: in/a\.warc\.gz:1 and in/b\.jsonl:1"):
        _build(tmp_path / "out", tmp_path / "in")
