"""Coverage-guided fuzzing of reading: python tests/fuzz_read.py SECONDS [FOLDER]; see `tests/fuzz.py`.

Arbitrary bytes, and bytes made of what the six kinds of files are made of, become a file. Whatever it holds,
reading gives articles that the tables can hold, skipped articles with a reason, or one SourceError. Of a table every
line is in a row or in what is refused. KIND fuzzes files of one kind alone: python tests/fuzz_read.py 60 "" csv.
"""

from __future__ import annotations

import gzip
import itertools
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

KINDS = ("txt", "html", "jsonl", "csv", "parquet", "warc")
PIECES = [
    *(b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\0", b"\r\n", b"\r", b"\n", b"\x80\x9f", b"\xe9", b"\xed\xa0\x80"),
    *(b"---\n", b"title: Rain\n", b"id: x\n", b"language: en-GB\n", b"It rained in Sund on Monday morning. " * 8),
    *(b'{"text": "It rained."}\n', b'{"id": "a", "text": "', b'"}\n', b'"\\ud800"', b"{", b"[", b"null", b"1e999"),
    *(b'"url": "u", ', b"id,text,title\n", b'a,"It ""rained"".",t\n', b'"', b",", b";", b"\t", b"PAR1", b"\x15\x04"),
    *(b"<html><head><title>T</title>", b'<meta charset="', b"utf-16", b"iso-8859-1", b'">', b"<body>", b"<p>", b"</p>"),
    *(b"<article>", b"<div>" * 300, b"<b>", b"</div>", b"<!--", b"-->", b"<![CDATA[", b"&#xD800;", b"&#0;", b"&amp;"),
    *(b"<!DOCTYPE html>", b'<script type="application/ld+json">{"datePublished": "2031-01-01"', b"</script>", b"<svg>"),
    *(
        b"WARC/1.0\r\n",
        b"WARC-Type: response\r\n",
        b"WARC-Type: revisit\r\n",
        b"WARC-Target-URI: http://a.example/\r\n",
    ),
    *(b"Content-Length: 100\r\n", b"Content-Length: 99999999999999999999\r\n", b"\r\n\r\n", b"WARC-Date: 2031\r\n"),
    *(b"HTTP/1.1 200 OK\r\n", b"Content-Type: text/html; charset=", b"Content-Encoding: ", b"gzip", b"br", b"zstd"),
    *(b"Transfer-Encoding: chunked\r\n", b"20\r\n", b"0\r\n\r\n", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"),
    *(
        b"id,text\n",
        b"sep=;\n",
        b"id;text\n",
        b'1,"',
        b"2,",
        b'\\"',
        b'""',
        b'"\n',
        b"3,The boats left, all of them.\n",
    ),
    *(b"WARC-Type: resource\r\n", b"WARC-Type: conversion\r\n", b"Content-Type: text/plain\r\n", b"<br>", b"&lt;p&gt;"),
    *(b'<div itemprop="articleBody">', b"<p>It rained in Sund on Monday, and nobody came out of doors. </p>" * 9),
    *(
        b"<style>",
        b"</style>",
        b"End of Document\n",
        b"1 of 2 DOCUMENTS\n",
        b"15.03.2011",
        b'"published": "3/4/2011", ',
    ),
    *(b'<meta property="og:title" content="', b'<time datetime="2031-13-41">', b"\xe2\x80\xa8", b"\xf0\x9f\x99\x82"),
]


def built(data: Any) -> bytes:
    """A file's content from a FuzzedDataProvider."""
    found = b""
    while data.remaining_bytes() and len(found) < 20_000:
        if data.ConsumeIntInRange(0, 3):
            found += PIECES[data.ConsumeIntInRange(0, len(PIECES) - 1)]
        else:
            found += data.ConsumeBytes(data.ConsumeIntInRange(1, 8))
    return found


def main() -> None:
    """Fuzz until the time is over, or until something breaks a claim: then it stops with the input."""
    import atheris

    with atheris.instrument_imports(include=["corpus"]):
        from corpus.errors import SourceError
        from corpus.reading import articles, source_files
        from corpus.reading.tables.csv_lines import csv_encoding
        from corpus.reading.tables.csv_table import Broken, CsvTable
        from corpus.records import Article, CorpusSettings, Noted, Skipped

    chosen = sys.argv[3:4]

    end = time.monotonic() + float(sys.argv[1])
    folder = Path(tempfile.mkdtemp(prefix="stance-fuzz-"))
    counts = {"runs": 0, "articles": 0, "skipped": 0, "refused": 0}
    slowest = 0.0

    def whole(path: Path) -> None:
        """Each line of a table is in one row, or in one stretch that is refused, in the file's order."""
        try:
            with CsvTable(path, csv_encoding(path)) as table:
                places = [(row.first, row.last) if isinstance(row, Broken) else (row.line, 0) for row in table.rows()]
        except SourceError:
            return
        for (first, last), (behind, _) in itertools.pairwise(places):
            assert first <= (last or first) < behind, "lines in their order"

    def one(raw: bytes) -> None:
        nonlocal slowest
        data = atheris.FuzzedDataProvider(raw)
        kind = chosen[0] if chosen else KINDS[data.ConsumeIntInRange(0, len(KINDS) - 1)]
        path = folder / (f"a.{kind}" if kind != "warc" or data.ConsumeBool() else "a.warc.gz")
        # Mostly under a header that is right: else few would get to a row.
        header = [b"", b"id,text\n", b"text;label\n", b'"title"\t"text"\t"url"\n'][data.ConsumeIntInRange(0, 3)]
        parts = [header if kind == "csv" else b"", built(data)]
        if kind == "warc":
            # Records whose head is right, of which some are packed: else few would get to the page.
            parts = [data.ConsumeBytes(data.ConsumeIntInRange(0, 40))]
            while data.remaining_bytes() and len(parts) < 6:
                block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" * data.ConsumeBool() + built(data)
                said = [b"response", b"resource", b"conversion"][data.ConsumeIntInRange(0, 2)]
                head = b"WARC/1.0\r\nWARC-Type: %s\r\nContent-Length: %d\r\n\r\n" % (said, len(block))
                record = head + block + b"\r\n\r\n"
                parts.append(gzip.compress(record) if data.ConsumeBool() else record)
            parts.append(data.ConsumeBytes(40))
        path.write_bytes(b"".join(parts))
        counts["runs"] += 1
        started = time.process_time()
        try:
            for unit in source_files.units([path], CorpusSettings(root=str(folder))):
                for found in articles.read(unit, CorpusSettings(root=str(folder))):
                    if isinstance(found, Skipped):
                        assert found.reason, "a reason"
                        counts["skipped"] += 1
                    elif isinstance(found, Noted):
                        assert found.note, "something to say"
                    else:
                        assert isinstance(found, Article)
                        found.text.encode("utf-8")
                        assert found.text.strip(), "some text"
                        assert found.article_id, "an id"
                        counts["articles"] += 1
        except SourceError:
            assert kind in ("jsonl", "csv", "parquet"), "a single article is skipped, never an error"
            counts["refused"] += 1
        if kind == "csv" and path.stat().st_size:
            whole(path)
        slowest = max(slowest, time.process_time() - started)
        if time.monotonic() > end:
            print(counts, f"slowest {slowest:.2f} s of CPU", flush=True)
            os._exit(0)  # libFuzzer has no other way out that is not a crash

    atheris.Setup([sys.argv[0], "-max_len=512", "-timeout=60", "-rss_limit_mb=4096", *filter(None, sys.argv[2:3])], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
