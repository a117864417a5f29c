"""Documents that were broken, cut short, or made to stop programs: each is a fault or is read, in bounded memory."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import zipfile
from io import BytesIO

import pytest

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.kinds import DOCUMENTS, articles_in
from tests.conftest import REPO
from tests.support.covered import check_covered, one
from tests.support.documents import RAIN, SAMPLES, book, open_document, paragraph, word, zipped

_NOT_FORESEEN = "cannot be read as ."


def _check(kind: str, data: bytes) -> None:
    articles = articles_in(kind, data)
    assert articles
    for article in articles:
        assert isinstance(article, ArticleInFile)
        if not article.fault:
            assert article.text.strip()
            article.text.encode()


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_a_file_that_was_cut_short_is_a_fault_or_is_read(kind: str) -> None:
    data = SAMPLES[kind]
    for length in sorted({0, 1, 5, *range(10, len(data), max(1, len(data) // 40))}):
        _check(kind, data[:length])


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_a_file_that_was_changed_at_random_is_a_fault_or_is_read(kind: str) -> None:
    chance = random.Random(kind)
    for _ in range(60):
        data = bytearray(SAMPLES[kind])
        for _ in range(chance.choice([1, 3, 30])):
            place = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randrange(1, 50)]
                case 2:
                    data[place:place] = data[max(0, place - 40) : place]
                case _:
                    data[place:place] = bytes(chance.randrange(256) for _ in range(5))
        _check(kind, bytes(data))


@pytest.mark.parametrize("kind", ["docx", "odt", "epub"])
def test_parts_that_were_changed_at_random_inside_of_a_sound_package(kind: str) -> None:
    chance = random.Random(kind)
    with zipfile.ZipFile(BytesIO(SAMPLES[kind])) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    for _ in range(60):
        changed = {name: bytearray(part) for name, part in parts.items()}
        part = changed[chance.choice([name for name, one in parts.items() if len(one) > 3])]
        place = chance.randrange(len(part))
        part[place : place + chance.randrange(8)] = bytes(chance.randrange(32, 127) for _ in range(chance.randrange(4)))
        _check(kind, zipped({name: bytes(part) for name, part in changed.items()}))


@pytest.mark.parametrize("kind", sorted(DOCUMENTS - {"zip", "tar", "webarchive"}))
def test_a_text_full_of_odd_characters_stays_covered(kind: str) -> None:
    data = SAMPLES[kind]
    for article in articles_in(kind, data.replace(b" on ", b" \xe2\x80\xa8\xc2\x85\xef\xbf\xbe ")):
        if not article.fault:
            check_covered(article)


_ENTITIES = (
    f'<!DOCTYPE x [<!ENTITY secret SYSTEM "file://{REPO / "LICENSE"}"><!ENTITY a "{"rain" * 1000}">'
    f'<!ENTITY b "{"&a;" * 1000}"><!ENTITY c "{"&b;" * 1000}">]>'
)


@pytest.mark.parametrize("name", ["secret", "c"])
def test_entities_are_neither_fetched_nor_multiplied(name: str) -> None:
    text = f"It rained. &{name};"
    documents = {
        "docx": word(paragraph(text), prefix=_ENTITIES),
        "xml": f"{_ENTITIES}<nitf><body><body.content><p>{text}</p></body.content></body></nitf>".encode(),
        "epub": book({"a.xhtml": f"<p>{text}</p>"}),
    }
    with zipfile.ZipFile(BytesIO(open_document(f"<text:p>{text}</text:p>"))) as package:
        parts: dict[str, str | bytes] = {name: package.read(name) for name in package.namelist()}
    documents["odt"] = zipped(parts | {"content.xml": _ENTITIES.encode() + bytes(parts["content.xml"])})  # type: ignore[arg-type]
    for kind, data in documents.items():
        for article in articles_in(kind, data):
            assert "Apache" not in article.text
            assert len(article.text) < 1000


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("docx", word("<w:sdt>" * 50_000 + "</w:sdt>" * 50_000)),
        ("odt", open_document("<text:section>" * 50_000)),
        ("xml", b"<rss>" * 100_000),
        ("xml", b"<rss><channel>" + b"<item/>" * 2_100_000),
        ("rtf", b"{\\rtf1 " + b"{" * 100_000 + b"x"),
        ("md", b"> " * 5_000 + b"x"),
        ("md", b"[" * 5_000 + b"x"),
        (
            "eml",
            b'Subject: a\nContent-Type: multipart/mixed; boundary="b"\n\n'
            + b"--b\nContent-Type: multipart/x\n\n" * 5000,
        ),
        ("eml", b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\n\nIt rained."),
        ("epub", book({"a.xhtml": "<div>" * 50_000})),
        ("webarchive", b"<plist>" + b"<array>" * 100_000),
        ("pdf", b"%PDF-1.4\n1 0 obj\n" + b"<<" * 50_000),
        ("pdf", b"%PDF-1.4\n1 0 obj\n" + b"[" * 50_000),
    ],
)
def test_deep_nesting_and_endless_repetition_stop_at_a_limit(kind: str, data: bytes) -> None:
    for article in articles_in(kind, data):
        assert article.fault or article.text


@pytest.mark.parametrize("kind", ["docx", "odt", "epub", "xml"])
def test_reading_takes_a_bounded_memory(kind: str) -> None:
    # A part of 300 MB of white space, and XML with 60 MB of tags, packed to less than 1 MB.
    code = (
        "import sys, resource\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({3 << 30}, {3 << 30}))\n"
        "from tests.support.documents import book, open_document, word\n"
        "from corpus.reading.documents.kinds import articles_in\n"
        "kind = sys.argv[1]\n"
        "for body in (' ' * (100 << 20), '<a/>' * (15 << 20)):\n"
        "    make = {'docx': word, 'odt': open_document, 'epub': lambda body: book({'a.xhtml': body}),\n"
        "        'xml': lambda body: f'<nitf>{body}</nitf>'.encode()[:64 << 20]}[kind]\n"
        "    (article,) = articles_in(kind, make(body))\n"
        "    assert article.fault, kind\n"
        "    print(article.fault)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, kind], capture_output=True, text=True, cwd=REPO, timeout=120)
    assert done.returncode == 0, done.stderr
    assert _NOT_FORESEEN not in done.stdout
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 3 << 20


def test_the_samples_hold_what_the_mutations_are_of() -> None:
    assert RAIN in one("docx", SAMPLES["docx"]).text
    assert SAMPLES.keys() == DOCUMENTS
