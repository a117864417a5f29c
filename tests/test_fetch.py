"""Fetching: what is asked for and how politely, what is stored, and what a run that was killed leaves behind."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import SourceError
from corpus.fetch import event_loop, page_archive, polite_web, web
from corpus.fetch.fetch_pages import Fetched, fetch_pages
from corpus.fetch.page_archive import PageArchive
from corpus.fetch.polite_web import Manners
from corpus.fetch.robots import FORBIDDEN, rules_of
from corpus.fetch.url_table import read_urls, url_key, web_url
from corpus.fetch.web import Response
from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.records import ARTICLES, Article, CorpusSettings, Skipped
from corpus.store import read_jsonl
from corpus.tables import read_table
from tests.conftest import Run
from tests.support.examples import examples
from tests.support.news_host import LINES, Asked, NewsHost, article
from tests.support.processes import as_at_a_terminal

STANCE = str(Path(sys.executable).with_name("stance"))
QUICK = Manners(agent="stance/0 (test@example.org)", delay=0.0, timeout=5.0, backoff=0.02)


@pytest.fixture
def host() -> Iterator[NewsHost]:
    with NewsHost() as host:
        yield host


@pytest.fixture
def other() -> Iterator[NewsHost]:
    with NewsHost("127.0.0.2") as host:
        yield host


def _table(folder: Path, *urls: str) -> Path:
    path = folder / "urls.txt"
    path.write_text("".join(f"{url}\n" for url in urls), "utf-8")
    return path


def _fetch(folder: Path, *urls: str, manners: Manners = QUICK, retry: bool = False) -> Fetched:
    table = read_urls(_table(folder, *urls), CorpusSettings())
    return fetch_pages(table, folder / "pages", manners, retry=retry, progress=lambda _total, _failed: None)


def _reasons(folder: Path) -> dict[str, str]:
    path = folder / "pages" / "failed.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {row["url"]: row["reason"] for row in map(json.loads, lines)}


def _read(folder: Path) -> list[Article | Skipped]:
    chosen = CorpusSettings(root=str(folder))
    items = [item for unit in units([folder / "pages"], chosen) for item in read(unit, chosen)]
    return [item for item in items if isinstance(item, (Article, Skipped))]


def _articles(folder: Path) -> dict[str, Article]:
    return {item.url: item for item in _read(folder) if isinstance(item, Article)}


def _stored(folder: Path) -> list[tuple[str, int]]:
    """The responses in the archives, in their order, as fastwarc reads them: with digests that are checked."""
    found = []
    for path in sorted((folder / "pages").glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=True):
                if record.record_type == WarcRecordType.response:
                    found.append((record.headers["WARC-Target-URI"], record.http_headers.status_code or 0))
        with path.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=False):
                assert record.verify_block_digest()
    return found


# Tables


def test_urls_are_read_from_every_kind_of_table(tmp_path: Path) -> None:
    urls = [f"https://news.example/{n}" for n in range(3)]
    rows = [{"id": n, "url": url, "title": "A visit"} for n, url in enumerate(urls)]
    (tmp_path / "a.csv").write_text("id,url,title\n" + "".join(f'{n},{url},"A, b"\n' for n, url in enumerate(urls)))
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(urls).encode())
    for name in ("a.csv", "a.jsonl", "a.parquet", "a.txt"):
        assert list(read_urls(tmp_path / name, CorpusSettings()).urls) == urls, name
    (tmp_path / "b.csv").write_text("link;text\nhttps://news.example/0;x\n")
    named = CorpusSettings(fields={"url": "link", "text": "body"})
    assert list(read_urls(tmp_path / "b.csv", named).urls) == urls[:1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            "id,link\n1,https://news.example/\n",
            r"a\.csv, line 1: expected the column url; found id, link\..*url =",
        ),
        ("a.jsonl", '{"link": 1}\n', "expected the column url; found link"),
        ("a.parquet", "no table", "expected a Parquet file"),
        ("a.csv", "", "the file is empty"),
        ("a.ods", "x", r"expected a file that ends in \.txt, \.csv, \.jsonl, \.json, \.parquet, \.xlsx or \.xls"),
        ("a.txt", b"\xff\xfe\xfa", "cannot be read|expected UTF-8"),
    ],
)
def test_a_table_without_urls_is_one_message(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SourceError, match=message):
        read_urls(path, CorpusSettings())
    with pytest.raises(SourceError, match="no such file"):
        read_urls(tmp_path / "gone.csv", CorpusSettings())


def test_rows_without_a_url_are_listed_and_the_same_url_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    same = ["http://News.example:80/a#top", " http://news.example/a ", "http://news.example/a"]
    wrong = [
        "news.example/a",
        "ftp://news.example/",
        "http://",
        "javascript:alert(1)",
        "http://[::1",
        "http://a:99999/",
    ]
    path.write_text("url,id\n" + "".join(f"{url},x\n" for url in [*same, *wrong, ""]))
    found = read_urls(path, CorpusSettings())
    assert (found.urls, found.repeated) == ({"http://News.example:80/a": 1}, 2)
    assert [(one.row, one.url) for one in found.refused] == list(enumerate([*wrong, ""], 4))
    assert {one.reason.partition(":")[0] for one in found.refused} == {"not a URL"}


@given(st.text(max_size=30))
def test_a_url_stays_the_same_when_it_is_read_again(text: str) -> None:
    try:
        url = web_url(f"http://news.example/{text}")
    except ValueError:
        return
    assert web_url(url) == url
    assert url_key(url_key(url)) == url_key(url)
    assert "\n" not in url
    assert "\r" not in url


# What is stored


def test_pages_are_stored_and_build_reads_them_with_their_date(tmp_path: Path, host: NewsHost) -> None:
    urls = [host.url(f"/{n}") for n in range(3)]
    before = datetime.now(UTC).replace(microsecond=0)
    done = _fetch(tmp_path, *urls, f"{urls[0]}#top")
    assert (done.fetched, done.there, done.failed) == (3, 0, {})
    assert _stored(tmp_path) == [(url, 200) for url in urls]
    found = _articles(tmp_path)
    assert list(found) == urls
    for url in urls:
        assert found[url].text.splitlines()[:2] == list(LINES)
        assert before <= datetime.fromisoformat(found[url].crawled) <= datetime.now(UTC)
    assert host.agents == {"stance/0 (test@example.org)"}
    assert not (tmp_path / "pages" / "failed.jsonl").exists()
    asked = len(host.asked)
    done = _fetch(tmp_path, *urls)
    assert (done.fetched, done.there, len(host.asked)) == (0, 3, asked)


def test_bodies_are_kept_as_they_were_sent(tmp_path: Path, host: NewsHost) -> None:
    page = article("Orléans").replace(b"utf-8", b"x")
    latin = page.decode().encode("latin-1")

    def chunked(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Type", "text/html")
        asked.send_header("Transfer-Encoding", "chunked")
        asked.end_headers()
        for part in (page[:100], page[100:]):
            asked.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        asked.wfile.write(b"0\r\n\r\n")

    host.pages |= {
        "/gzip": lambda asked: asked.send(gzip.compress(page), content_encoding="gzip"),
        "/deflate": lambda asked: asked.send(zlib.compress(page), content_encoding="deflate"),
        "/latin": lambda asked: asked.send(latin, content_type="text/html; charset=iso-8859-1"),
        "/chunked": chunked,
        "/pdf": lambda asked: asked.send(b"%PDF-1.4", content_type="application/pdf"),
        "/broken": lambda asked: asked.send(b"no gzip", content_encoding="gzip"),
        "/empty": lambda asked: asked.send(b""),
    }
    done = _fetch(tmp_path, *map(host.url, host.pages))
    assert done.fetched == len(host.pages) - 1  # all but robots.txt, which is missing
    assert done.failed == {"HTTP status 404": 1}
    assert done.unread == {
        "not HTML: application/pdf": 1,
        "broken HTTP encoding: gzip": 1,
        "the page is empty": 1,
    }
    found = _articles(tmp_path)
    assert set(found) == {host.url(path) for path in ("/gzip", "/deflate", "/latin", "/chunked")}
    assert all("Orléans" in one.text for one in found.values())
    reasons = {item.article_id: item.reason for item in _read(tmp_path) if isinstance(item, Skipped)}
    assert reasons[host.url("/pdf")] == "not HTML: application/pdf"


def test_a_status_that_is_no_page_is_stored_and_listed(tmp_path: Path, host: NewsHost) -> None:
    host.pages |= {f"/{status}": lambda asked, s=status: asked.send(b"no", s) for status in (404, 410, 403)}  # type: ignore[misc]
    urls = [host.url(f"/{status}") for status in (404, 410, 403)]
    done = _fetch(tmp_path, *urls)
    assert (done.fetched, done.failed) == (0, {f"HTTP status {n}": 1 for n in (404, 410, 403)})
    assert _stored(tmp_path) == list(zip(urls, (404, 410, 403), strict=True))
    (tmp_path / "pages" / "failed.jsonl").unlink()
    asked = len(host.asked)
    done = _fetch(tmp_path, *urls)  # a killed run may not have listed them
    assert (done.there, done.earlier.total(), len(host.asked)) == (0, 3, asked)
    assert set(_reasons(tmp_path)) == set(urls)
    host.pages["/404"] = lambda asked: asked.send(article("the town"))
    done = _fetch(tmp_path, *urls, retry=True)
    assert (done.fetched, done.failed.total()) == (1, 2)
    assert set(_reasons(tmp_path)) == set(urls[1:])
    assert list(_articles(tmp_path)) == urls[:1]


# Redirects


def test_redirects_are_followed_and_recorded(tmp_path: Path, host: NewsHost, other: NewsHost) -> None:
    host.pages |= {
        "/a": lambda asked: asked.send(status=301, location="/b?x=1"),
        "/b?x=1": lambda asked: asked.send(status=302, location=other.url("/c")),
        "/d": lambda asked: asked.send(status=308, location=other.url("/c")),
    }
    done = _fetch(tmp_path, host.url("/a"), host.url("/d"), host.url("/a#again"))
    assert (done.fetched, done.failed) == (2, {})
    assert list(_articles(tmp_path)) == [other.url("/c")]
    stored = _stored(tmp_path)
    # The page goes first: a URL of the table is there only if its page is.
    assert stored[:3] == [(other.url("/c"), 200), (host.url("/b?x=1"), 302), (host.url("/a"), 301)]
    assert stored[3] == (host.url("/d"), 308)
    assert other.count("/c") == 1
    done = _fetch(tmp_path, host.url("/a"), host.url("/d"), other.url("/c"))
    assert (done.fetched, done.there, other.count("/c")) == (0, 3, 1)


def test_redirects_that_lead_nowhere_are_listed(tmp_path: Path, host: NewsHost) -> None:
    host.pages |= {
        "/loop": lambda asked: asked.send(status=302, location="/pool"),
        "/pool": lambda asked: asked.send(status=302, location="/loop"),
        "/ftp": lambda asked: asked.send(status=302, location="ftp://news.example/a"),
        "/file": lambda asked: asked.send(status=302, location="file:///etc/passwd"),
        "/nowhere": lambda asked: asked.send(status=302),
        "/gone": lambda asked: asked.send(status=301, location="/410"),
        "/410": lambda asked: asked.send(status=410),
    }
    host.pages |= {f"/long{n}": lambda asked, n=n: asked.send(status=301, location=f"/long{n + 1}") for n in range(20)}  # type: ignore[misc]
    host.pages |= {f"/ten{n}": lambda asked, n=n: asked.send(status=301, location=f"/ten{n + 1}") for n in range(10)}  # type: ignore[misc]
    paths = ["/loop", "/ftp", "/file", "/nowhere", "/gone", "/long0", "/ten0"]
    done = _fetch(tmp_path, *map(host.url, paths))
    assert _reasons(tmp_path) == {
        host.url("/loop"): "redirect in a circle",
        host.url("/ftp"): "redirect to what is no web page",
        host.url("/file"): "redirect to what is no web page",
        host.url("/nowhere"): "HTTP status 302",
        host.url("/gone"): "HTTP status 410",
        host.url("/long0"): "more than 10 redirects",
    }
    assert done.fetched == 1
    assert list(_articles(tmp_path)) == [host.url("/ten10")]


def test_a_public_host_cannot_redirect_into_a_private_network(
    tmp_path: Path, host: NewsHost, other: NewsHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_private(name: str) -> bool:
        return name == "127.0.0.2"

    host.pages["/a"] = lambda asked: asked.send(status=302, location=other.url("/secret"))
    monkeypatch.setattr(web, "is_private", is_private)
    _fetch(tmp_path, host.url("/a"), other.url("/own"))
    assert _reasons(tmp_path) == {host.url("/a"): "redirect to a private address: 127.0.0.2"}
    assert "/secret" not in other.asked
    assert list(_articles(tmp_path)) == [other.url("/own")]


@pytest.mark.parametrize(
    ("name", "private"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("10.1.2.3", True),
        ("169.254.169.254", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("93.184.215.14", False),
        ("2606:4700::1111", False),
        ("no-such-host.invalid", False),
    ],
)
def test_loopback_and_private_addresses_are_known(name: str, private: bool) -> None:
    from corpus.fetch.hosts import is_private

    assert asyncio.run(is_private(name)) == private


# Manners


def test_what_robots_txt_forbids_is_not_asked_for(tmp_path: Path, host: NewsHost, other: NewsHost) -> None:
    rules = (
        b"User-agent: *\nDisallow: /private\nDisallow: /*?print=\nAllow: /private/open\nUser-agent: x\nDisallow: /\n"
    )
    packed = gzip.compress(rules)
    host.pages |= {
        "/robots.txt": lambda asked: asked.send(packed, content_type="text/plain", content_encoding="gzip"),
        "/a": lambda asked: asked.send(status=302, location="/private/b"),
    }
    other.pages["/a"] = lambda asked: asked.send(status=302, location=host.url("/private/c"))
    paths = ["/private/a", "/private/open", "/news?print=1", "/news", "/a"]
    done = _fetch(tmp_path, *map(host.url, paths), other.url("/a"))
    assert (done.fetched, done.forbidden, done.failed) == (2, 4, {})
    forbidden = [host.url(path) for path in ("/private/a", "/news?print=1", "/a")]
    assert _reasons(tmp_path) == dict.fromkeys([*forbidden, other.url("/a")], FORBIDDEN)
    assert sorted(host.asked) == ["/a", "/news", "/private/open", "/robots.txt"]


def test_rules_that_name_stance_go_before_those_for_all() -> None:
    rules = rules_of(200, b"User-agent: *\nDisallow: /\n\nUser-agent: Stance\nDisallow: /no\nCrawl-delay: 999\n")
    assert (rules.refusal("http://a/yes"), rules.refusal("http://a/no"), rules.delay) == ("", FORBIDDEN, 30.0)
    for junk in (b"\xff\xfe", b"<html>", b"", b"Crawl-delay: x\n" * 9, b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n"):
        assert rules_of(200, junk).refusal("http://a/b") == (FORBIDDEN if b"Disallow" in junk else "")


@given(
    st.lists(st.sampled_from([*"* / ? # $".split(), "User-agent:", "Disallow:", "Crawl-delay:", "1e999", "nan", "\n"]))
)
def test_no_robots_txt_is_an_error(parts: list[str]) -> None:
    rules = rules_of(200, " ".join(parts).encode())
    assert rules.refusal("http://news.example/é%?x=[*$") in ("", FORBIDDEN)
    assert 0 <= rules.delay <= 30


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (401, True), (429, False), (503, False)])
def test_a_missing_robots_txt_allows_and_a_failing_one_forbids_for_now(
    tmp_path: Path, host: NewsHost, status: int, allowed: bool
) -> None:
    host.pages["/robots.txt"] = lambda asked: asked.send(status=status)
    done = _fetch(tmp_path, host.url("/a"), host.url("/b"))
    assert done.fetched == (2 if allowed else 0)
    assert host.count("/robots.txt") == (1 if allowed else polite_web.TRIES)
    if not allowed:
        assert set(_reasons(tmp_path).values()) == {f"robots.txt not known: HTTP status {status}"}
        host.pages["/robots.txt"] = lambda asked: asked.send(status=404)
        assert _fetch(tmp_path, host.url("/a"), host.url("/b"), retry=True).fetched == 2
        assert _reasons(tmp_path) == {}


def test_a_robots_txt_may_lie_elsewhere(tmp_path: Path, host: NewsHost, other: NewsHost) -> None:
    host.pages["/robots.txt"] = lambda asked: asked.send(status=301, location=other.url("/rules"))
    other.pages["/rules"] = lambda asked: asked.send(b"User-agent: *\nDisallow: /a\n", content_type="text/plain")
    done = _fetch(tmp_path, host.url("/a"), host.url("/b"))
    assert (done.fetched, done.forbidden) == (1, 1)
    other.pages["/rules"] = lambda asked: asked.send(status=301, location=host.url("/robots.txt"))
    assert _fetch(tmp_path, host.url("/a"), retry=True).fetched == 1  # in a circle: as if it were missing


def test_a_host_is_asked_once_at_a_time_and_hosts_side_by_side(tmp_path: Path, host: NewsHost, other: NewsHost) -> None:
    together = []

    def slow(asked: Asked) -> None:
        time.sleep(0.05)
        together.append(host.busy + other.busy)
        asked.send(article(asked.path))

    paths = [f"/{n}" for n in range(10)]
    host.pages |= dict.fromkeys(paths, slow)
    other.pages |= dict.fromkeys(paths, slow) | {
        f"/to{n}": lambda asked, n=n: asked.send(status=302, location=host.url(f"/{n}b")) for n in range(5)
    }
    urls = [one.url(path) for path in paths for one in (host, other)] + [other.url(f"/to{n}") for n in range(5)]
    assert _fetch(tmp_path, *urls).fetched == 25
    assert (host.most_at_once, other.most_at_once, max(together)) == (1, 1, 2)
    host.most_at_once = other.most_at_once = 0
    together.clear()
    (tmp_path / "again").mkdir()
    one_job = Manners(agent="stance", jobs=1, delay=0.0, timeout=5.0)
    assert _fetch(tmp_path / "again", *urls, manners=one_job).fetched == 25
    assert max(together) == 1


@pytest.mark.parametrize(
    ("delay", "rules", "pause"), [(0.2, b"", 0.2), (0.0, b"User-agent: *\nCrawl-delay: 0.3\n", 0.3)]
)
def test_requests_to_a_host_are_apart(tmp_path: Path, host: NewsHost, delay: float, rules: bytes, pause: float) -> None:
    host.pages["/robots.txt"] = lambda asked: asked.send(rules, content_type="text/plain")
    manners = Manners(agent="stance", delay=delay, timeout=5.0)
    assert _fetch(tmp_path, *(host.url(f"/{n}") for n in range(3)), manners=manners).fetched == 3
    first = 0 if delay else 1  # the Crawl-delay is known only when robots.txt is read
    gaps = [after - before for before, after in zip(host.times, host.times[1:], strict=False)][first:]
    assert min(gaps) >= pause


# Servers that fail


def test_a_busy_server_is_asked_again_when_it_says_so(tmp_path: Path, host: NewsHost) -> None:
    def busy(asked: Asked) -> None:
        if host.count(asked.path) == 1:
            when = (
                "1"
                if asked.path == "/seconds"
                else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
            )
            asked.send(status=429, retry_after=when)
        else:
            asked.send(article("the town"))

    def failing(asked: Asked) -> None:
        asked.send(b"", 500) if host.count(asked.path) < 3 else asked.send(article("the port"))

    host.pages |= {"/seconds": busy, "/date": busy, "/500": failing, "/503": lambda asked: asked.send(b"", 503)}
    done = _fetch(tmp_path, *map(host.url, ("/seconds", "/date", "/500", "/503")))
    assert (done.fetched, done.failed) == (3, {"HTTP status 503": 1})
    assert [host.count(path) for path in ("/seconds", "/date", "/500", "/503")] == [2, 2, 3, 3]
    waited = [after - before for before, after in zip(host.times, host.times[1:], strict=False)]
    assert waited[1] >= 1
    assert waited[3] >= 0.9
    assert _stored(tmp_path)[-1] == (host.url("/503"), 503)


def test_a_server_that_wants_to_be_left_alone_is(tmp_path: Path, host: NewsHost) -> None:
    host.pages["/0"] = lambda asked: asked.send(status=429, retry_after="86400")
    done = _fetch(tmp_path, *(host.url(f"/{n}") for n in range(9)))
    assert (done.fetched, done.failed) == (0, {"HTTP status 429": 9})
    assert host.asked == ["/robots.txt", "/0"]
    assert set(_reasons(tmp_path).values()) == {"HTTP status 429: it asks to wait for 86400 s"}


def test_connections_that_fail_are_tried_again_and_listed(tmp_path: Path, host: NewsHost) -> None:
    def cut(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Length", "1000")
        asked.end_headers()
        asked.wfile.write(b"<html>only this")
        asked.wfile.flush()
        asked.close_connection = True
        asked.connection.shutdown(2)

    def cut_once(asked: Asked) -> None:
        cut(asked) if host.count(asked.path) == 1 else asked.send(article("the town"))

    def nothing(asked: Asked) -> None:
        asked.close_connection = True
        asked.connection.shutdown(2)

    def slow(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Length", "1000")
        asked.end_headers()
        for _ in range(100):
            asked.wfile.write(b"x")
            asked.wfile.flush()
            time.sleep(0.1)

    host.pages |= {"/cut": cut, "/once": cut_once, "/nothing": nothing, "/slow": slow}
    manners = Manners(agent="stance", delay=0.0, timeout=1.0, backoff=0.02)
    done = _fetch(tmp_path, *map(host.url, ("/cut", "/once", "/nothing", "/slow")), manners=manners)
    assert (done.fetched, done.failed) == (1, {"no connection": 2, "it took longer than 1 s": 1})
    assert [host.count(path) for path in ("/cut", "/once", "/nothing", "/slow")] == [3, 2, 3, 1]
    assert list(_articles(tmp_path)) == [host.url("/once")]
    assert _stored(tmp_path) == [(host.url("/once"), 200)]


def test_no_response_ends_the_run(tmp_path: Path, host: NewsHost, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    head = b"Content-Type: text/html\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nLocation: http://x/\r\n"
    bits = [b"", b"\xff", b"\0", b"\r\n", b":", b"9999999", b"http://[::", b"//", b".."]

    def damaged(asked: Asked) -> None:
        status = chance.choice([b"200 OK", b"200 OK", b"301 Moved", b"999 \xff", b"000", b"204 None", b"101 Switching"])
        data = bytearray(b"HTTP/1.1 " + status + b"\r\n" + head + b"\r\n10\r\n<html>abcdefghij\r\n0\r\n\r\n")
        for _ in range(chance.randint(0, 4)):
            place = chance.randrange(len(data))
            data[place : place + chance.randint(0, 3)] = chance.choice(bits)
        asked.wfile.write(data)
        asked.close_connection = True

    monkeypatch.setattr(polite_web, "GONE", 1000)
    host.pages |= dict.fromkeys((f"/{n}" for n in range(60)), damaged)
    manners = Manners(agent="stance", delay=0.0, timeout=2.0, backoff=0.001)
    done = _fetch(tmp_path, *(host.url(f"/{n}") for n in range(60)), manners=manners)
    assert done.fetched + done.failed.total() == 60
    assert len(_reasons(tmp_path)) == done.failed.total()
    assert len(_stored(tmp_path)) >= done.fetched


def test_a_host_that_is_not_there_costs_little(tmp_path: Path, host: NewsHost) -> None:
    with NewsHost() as gone:
        urls = [gone.url(f"/{n}") for n in range(50)]
    done = _fetch(tmp_path, *urls, host.url("/a"), "http://no-such-host.invalid/a")
    assert (done.fetched, done.failed) == (1, {"no connection": 51})
    # A host that stops answering is left alone after some pages.
    host.pages |= dict.fromkeys((f"/{n}" for n in range(50)), lambda asked: asked.connection.shutdown(2))
    done = _fetch(tmp_path, *(host.url(f"/{n}") for n in range(50)))
    assert done.failed["no connection"] == polite_web.GONE
    assert done.failed[f"no answer from the host to {polite_web.GONE} pages before this one"] == 50 - polite_web.GONE
    assert len(host.asked) == 2 + 1 + polite_web.GONE * polite_web.TRIES


def test_a_page_that_is_too_long_is_not_read_to_its_end(
    tmp_path: Path, host: NewsHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "ARTICLE_BYTES", 1 << 20)
    sent = []

    def endless(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Type", "text/html")
        asked.send_header("Connection", "close")
        asked.end_headers()
        for _ in range(1000):
            asked.wfile.write(b"x" * (1 << 20))
            sent.append(1)

    host.pages |= {"/endless": endless, "/declared": lambda asked: asked.send(b"x" * (2 << 20))}
    done = _fetch(tmp_path, host.url("/endless"), host.url("/declared"), host.url("/a"))
    assert (done.fetched, done.failed) == (1, {"longer than 1 MB": 2})
    assert len(sent) < 100


# Runs that were stopped


def _response(url: str, status: int = 200, body: bytes = b"") -> Response:
    return Response(
        url=url,
        date=datetime.now(UTC),
        status=status,
        status_line=f"HTTP/1.1 {status} OK".encode(),
        headers=[(b"Content-Type", b"text/html")],
        body=body or article(url) + random.Random(url).randbytes(300).hex().encode(),
    )


@settings(deadline=None, max_examples=examples(40))
@given(st.floats(0, 1))
def test_a_record_that_was_cut_off_is_removed_and_all_others_stay(
    tmp_path_factory: pytest.TempPathFactory, where: float
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    urls = [f"http://news.example/{n}" for n in range(4)]
    path = folder / "pages-00001.warc.gz"
    with PageArchive(folder, "stance") as archive:
        archive.append([_response(urls[0])])
        archive.append([_response(urls[2]), _response(urls[1], 301)])
        kept = path.stat().st_size
        archive.append([_response(urls[3])])
    whole = path.read_bytes()
    size = kept + int(where * (len(whole) - kept))
    path.write_bytes(whole[:size])
    with PageArchive(folder, "stance") as archive:
        assert set(archive.stored) == set(urls[: 4 if size == len(whole) else 3])
        archive.append([_response("http://news.example/new")])
    assert sorted(folder.iterdir()) == [path]
    assert gzip.decompress(path.read_bytes()).startswith(b"WARC/1.1\r\nWARC-Type: warcinfo")
    assert path.read_bytes()[:kept] == whole[:kept]
    with PageArchive(folder, "stance") as archive:
        assert "http://news.example/new" in archive.stored


def test_a_broken_archive_is_left_as_it_is_and_a_new_one_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = [f"http://news.example/{n}" for n in range(5)]
    with PageArchive(tmp_path, "stance") as archive:
        for url in urls[:2]:
            archive.append([_response(url)])
    path = tmp_path / "pages-00001.warc.gz"
    broken = path.read_bytes() + bytes(500)
    path.write_bytes(broken)
    (tmp_path / "other.warc").write_bytes(
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: <http://news.example/4>\r\nContent-Length: 19\r\n\r\n"
        b"HTTP/1.1 200 OK\r\n\r\n\r\n\r\n"
    )
    monkeypatch.setattr(page_archive, "FILE_BYTES", 1000)
    with PageArchive(tmp_path, "stance") as archive:
        assert archive.stored.keys() == {urls[0], urls[1], urls[4]}
        archive.append([_response(urls[2], body=b"x" * 500)])
        archive.append([_response(urls[3])])
        archive.append([_response(urls[4])])
    assert path.read_bytes() == broken
    assert len(list(tmp_path.glob("pages-*.warc.gz"))) >= 3
    with PageArchive(tmp_path, "stance") as archive:
        assert archive.stored.keys() == set(urls)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_stopped_goes_on_where_it_stopped(
    tmp_path: Path, host: NewsHost, other: NewsHost, how: signal.Signals
) -> None:
    killed: list[int] = []

    def slow(asked: Asked) -> None:
        time.sleep(0.07 if len(killed) < 2 else 0)
        asked.send(article(asked.path))

    paths = [f"/{n}" for n in range(90)]
    host.pages |= dict.fromkeys(paths, slow)
    other.pages |= dict.fromkeys(paths, slow)
    table = tmp_path / "urls.csv"
    urls = [one.url(path) for path in paths for one in (host, other)]
    table.write_text("id,url\n" + "".join(f"{n},{url}\n" for n, url in enumerate(urls)))
    command = [STANCE, "fetch", "urls.csv", "--out", "pages", "--delay", "0"]
    for enough in (10, 25):  # many pages are left, so that no run ends before it is stopped
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as run:
            until = time.monotonic() + 60
            while len(host.asked) < enough and time.monotonic() < until:
                time.sleep(0.005)
            run.send_signal(how)
            try:
                _, err = run.communicate(timeout=60)
            finally:
                run.kill()  # or the suite would wait for ever
            killed.append(run.returncode)
            assert "Traceback" not in err, err
            assert err.strip() == ("stance: interrupted" if how == signal.SIGINT else "")
    assert killed == [{signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}[how]] * 2
    already = {url for url, _ in _stored(tmp_path)}
    assert 10 <= len(already) < len(urls)
    asked = {one: len(one.asked) for one in (host, other)}
    said = Run(tmp_path)(*command[1:])
    assert f"{len(urls) - len(already)} pages fetched, {len(already)} already there" in said
    again = [one.url(path) for one in (host, other) for path in one.asked[asked[one] :] if path != "/robots.txt"]
    assert not already & set(again)
    # At most what was under way when the run was stopped is asked for twice.
    assert all(one.count(path) <= 3 for one in (host, other) for path in paths)
    assert len(host.asked) + len(other.asked) <= len(urls) + 2 * 3 + 2 * 2
    assert sorted(url for url, _ in _stored(tmp_path)) == sorted(urls)
    Run(tmp_path)("build", "pages")
    rows = read_table(tmp_path / "work" / "articles.parquet", ARTICLES, "").to_pylist()
    assert {row["url"] for row in rows} == set(urls)
    assert all(row["text"].startswith("\n".join(LINES)) for row in rows)


@pytest.mark.parametrize("tries", [6, pytest.param(90, marks=pytest.mark.slow)])
def test_a_stop_reaches_a_run_whose_hosts_answer_at_once(tmp_path: Path, tries: int) -> None:
    statuses = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
    hows = list(statuses) * (tries // 3)
    folders = [tmp_path / str(number) for number in range(tries)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(_stopped, folders, hows, range(10, 10 + tries)))
    for how, (status, said) in zip(hows, done, strict=True):
        assert (status, said) == (statuses[how], "stance: interrupted" if how == signal.SIGINT else ""), how


def _stopped(folder: Path, how: signal.Signals, enough: int) -> tuple[int | str, str]:
    """Stop a run after some pages: its exit status and what it said. All pages but those under way are stored."""
    folder.mkdir()
    with NewsHost() as host, NewsHost("127.0.0.2") as other:
        urls = [one.url(f"/{number}") for number in range(1_000) for one in (host, other)]
        command = [STANCE, "fetch", str(_table(folder, *urls)), "--out", str(folder / "pages"), "--delay", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=as_at_a_terminal) as run:
            until = time.monotonic() + 60
            while len(host.asked) < enough and time.monotonic() < until:
                time.sleep(0.001)
            run.send_signal(how)
            try:
                _, said = run.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                return "it runs on", ""
            finally:
                run.kill()
    stored = {url for url, _ in _stored(folder)}
    for one in (host, other):
        asked = [path for path in one.asked if path != "/robots.txt"]
        assert {one.url(path) for path in asked[:-1]} <= stored < set(urls)
    return run.returncode, said.strip()


def test_a_stop_is_raised_between_two_steps_of_the_event_loop() -> None:
    done = []

    def stop(number: int, _frame: object) -> None:
        done.append("raised")
        sys.exit(number)

    async def main() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("this step ends")
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            done.append("cleaned up")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(SystemExit):
            event_loop.run(main())
        assert done == ["this step ends", "raised", "cleaned up"]
        assert signal.getsignal(signal.SIGTERM) is stop
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_stop_that_comes_as_the_loop_ends_is_not_lost() -> None:
    async def main() -> str:
        # After this step the loop has nothing left to do.
        os.kill(os.getpid(), signal.SIGTERM)
        return "done"

    def stop(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(SystemExit) as stopped:
            event_loop.run(main())
        assert stopped.value.code == 143
    finally:
        signal.signal(signal.SIGTERM, before)


# The command


def test_the_command_says_what_became_of_every_page(tmp_path: Path, host: NewsHost) -> None:
    host.pages |= {
        "/robots.txt": lambda asked: asked.send(b"User-agent: *\nDisallow: /private\n", content_type="text/plain"),
        "/pdf": lambda asked: asked.send(b"%PDF", content_type="application/pdf"),
        "/404": lambda asked: asked.send(status=404),
    }
    urls = [*(host.url(path) for path in ("/a", "/b", "/pdf", "/404", "/private", "/a")), "no url"]
    (tmp_path / "stance.toml").write_text('[corpus.fields]\nurl = "link"\ntext = "body"\n')
    (tmp_path / "urls.csv").write_text("link\n" + "".join(f"{url}\n" for url in urls))
    stance = Run(tmp_path)
    fetch = ("fetch", "urls.csv", "--out", "my pages", "--delay", "0", "--contact", "ada@news.example")
    failed = Path("my pages") / "failed.jsonl"
    assert stance(*fetch).splitlines() == [
        "3 pages fetched, 0 already there (1 page named twice), 2 failed (1 not a URL, 1 HTTP status 404), "
        "1 forbidden by robots.txt",
        "stored, but no article for `stance build`: 1 not HTML: application/pdf",
        f"what failed is listed in {failed}; --retry tries it again",
        "next: stance build 'my pages'",
    ]
    assert [agent.endswith(" (ada@news.example)") and agent.startswith("stance/") for agent in host.agents] == [True]
    lines = [json.loads(line) for line in (tmp_path / failed).read_text().splitlines()]
    assert [(line["row"], line["reason"].partition(":")[0]) for line in lines] == [
        (4, "HTTP status 404"),
        (5, FORBIDDEN),
        (7, "not a URL"),
    ]
    said = stance(*fetch)
    assert "0 pages fetched, 3 already there (1 page named twice), 1 failed (1 not a URL)" in said
    assert (
        f"2 pages not tried again, for they failed before (1 HTTP status 404, 1 {FORBIDDEN}); --retry tries them"
        in said
    )
    host.pages["/404"] = lambda asked: asked.send(article("the town"))
    assert "1 page fetched, 3 already there" in stance(*fetch, "--retry")
    assert "3 articles" in stance("build", "my pages")
    left = read_jsonl(tmp_path / "work" / "skipped.jsonl", Skipped, "")
    assert {(one.article_id, one.reason) for one in left} >= {
        ("", "list of pages that stance fetch could not fetch"),
        (host.url("/pdf"), "not HTML: application/pdf"),
    }


def test_wrong_input_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "urls.csv").write_text("id,link\n1,https://news.example/\n")
    for arguments, code, message in (
        (["urls.csv", "--out", "pages"], 1, "expected the column url; found id, link."),
        (["gone.csv", "--out", "pages"], 1, "gone.csv: no such file"),
        (["urls.csv"], 2, "Missing option '--out'"),
        (["urls.csv", "--out", "pages", "--contact", "a\nb"], 2, "--contact: expected a mail address or a URL"),
    ):
        done = subprocess.run([STANCE, "fetch", *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, message in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == ["urls.csv"]


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path, host: NewsHost) -> None:
    def meanwhile(asked: Asked) -> None:
        with pytest.raises(SourceError, match="another `stance fetch` writes to it"):
            _fetch(tmp_path, host.url("/b"))
        asked.send(article("the town"))

    host.pages["/a"] = meanwhile
    assert _fetch(tmp_path, host.url("/a")).fetched == 1
    assert _fetch(tmp_path, host.url("/a")).there == 1


def test_a_list_of_failures_is_told_from_a_file_of_articles(tmp_path: Path) -> None:
    (tmp_path / "failed.jsonl").write_text(json.dumps({"url": "https://news.example/", "text": " ".join(LINES)}) + "\n")
    (unit,) = units([tmp_path], CorpusSettings(root=str(tmp_path)))
    assert (unit.kind, unit.reason) == ("jsonl", "")


def test_a_full_disk_ends_the_run_with_its_reason(
    tmp_path: Path, host: NewsHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, wrote = os.write, [0]

    def full(file: int, data: bytes) -> int:
        if wrote[0] > 3000:
            raise OSError(28, "No space left on device")
        wrote[0] += 300
        return write(file, data[:300])

    monkeypatch.setattr("corpus.fetch.page_archive.os.write", full)
    with pytest.raises(OSError, match="No space left"):
        _fetch(tmp_path, *(host.url(f"/{n}") for n in range(9)))
    monkeypatch.undo()
    assert _fetch(tmp_path, *(host.url(f"/{n}") for n in range(9))).there >= 2
    assert len(_stored(tmp_path)) == 9
