"""Web archives in other wrappings: packed with zstandard, with and without a dictionary, and WACZ files."""

from __future__ import annotations

import gzip
import io
import random
import sys
import zipfile
from pathlib import Path

import pytest
from fastwarc.stream_io import ZstdWriter, zstd_train_dictionary_from_samples
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.reading.web import archive_files, warc
from corpus.reading.web.zstd_frames import FRAME
from corpus.records import Article, CorpusSettings, Noted, Skipped

URLS = [f"https://news.example/{name}" for name in ("one", "two", "three")]


def _record(url: str, kind: str = "response", length: int | None = None) -> bytes:
    chance = random.Random(url)
    lines = (f"The council met on {''.join(chance.choices('abcdefghij ', k=200))} and went home." for _ in range(5))
    page = f"<html><body><article><p>{'</p><p>'.join(lines)}</p></article></body></html>"
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}".encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2031-03-03T09:00:00Z\r\n"
        f"Content-Type: application/http\r\nContent-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


class _Sink(io.BytesIO):
    def close(self) -> None:
        """Keep the bytes."""


def _zstd(data: bytes, dictionary: bytes = b"", packed: bool = False) -> bytes:
    """One frame; with a dictionary, the dictionary's frame before it."""
    sink = _Sink()
    writer = ZstdWriter(sink, dictionary=dictionary or None, compress_dictionary_frame=packed)
    writer.write(data)
    writer.close()
    return sink.getvalue()


def _frame(data: bytes, dictionary: bytes) -> bytes:
    """One frame that needs the dictionary, without the dictionary's frame."""
    return _zstd(data, dictionary)[8 + len(dictionary) :]


def _all(path: Path) -> list[Article | Skipped | Noted]:
    chosen = CorpusSettings(root=str(path.parent))
    return [item for unit in units([path], chosen) for item in read(unit, chosen)]


def _found(path: Path) -> list[str]:
    """The URLs of articles, and the reasons of what is skipped."""
    items = _all(path)
    return [item.url if isinstance(item, Article) else item.reason for item in items if not isinstance(item, Noted)]


def _write(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path


RECORDS = [_record(url) for url in URLS]
SKIPPED = b"\x50\x2a\x4d\x18\x05\x00\x00\x00hello"
DICTIONARY = zstd_train_dictionary_from_samples([_record(f"https://news.example/{n}") for n in range(200)], 20_000)


def test_zstandard_gives_what_gzip_gives(tmp_path: Path) -> None:
    plain = _all(_write(tmp_path / "a.warc.gz", *map(gzip.compress, RECORDS)))
    assert len(plain) == 3
    for parts in (
        list(map(_zstd, RECORDS)),
        [_zstd(b"".join(RECORDS))],
        [SKIPPED, _zstd(RECORDS[0]), SKIPPED, SKIPPED, _zstd(b"".join(RECORDS[1:])), SKIPPED],
    ):
        for name in ("a.warc.zst", "a.warc.gz"):  # what it begins with counts, not its name
            found = _all(_write(tmp_path / name, *parts))
            assert [one.text for one in found if isinstance(one, Article)] == [
                one.text for one in plain if isinstance(one, Article)
            ]
            assert {one.crawled for one in found if isinstance(one, Article)} == {"2031-03-03T09:00:00Z"}


@pytest.mark.parametrize("packed", [False, True])
def test_a_dictionary_is_taken_from_the_first_frame(tmp_path: Path, packed: bool) -> None:
    first = _zstd(RECORDS[0], DICTIONARY, packed)
    frames = [_frame(record, DICTIONARY) for record in RECORDS[1:]]
    assert _found(_write(tmp_path / "a.warc.zst", first, *frames)) == URLS
    broken = bytearray(frames[0])
    broken[50:60] = b"x" * 10
    found = _found(_write(tmp_path / "a.warc.zst", first, bytes(broken), frames[1]))
    assert (found[0], found[-1], len(found)) == (URLS[0], URLS[2], 3)
    (reason,) = _found(_write(tmp_path / "a.warc.zst", *frames))
    assert reason == "broken archive: zstandard frame at byte 0: Dictionary mismatch"


def test_a_zstandard_file_that_was_cut_off_says_so(tmp_path: Path) -> None:
    frames = list(map(_zstd, RECORDS))
    whole = b"".join(frames)
    for size in range(len(whole) - len(frames[2]) + 1, len(whole)):
        found = _found(_write(tmp_path / "a.warc.zst", whole[:size]))
        assert found[:2] == URLS[:2]
        assert len(found) in (3, 4)
        assert found[-1].startswith(("broken archive: ", "cut off by the end"))
    big = _zstd(b"".join(_record(f"https://news.example/{n}") for n in range(400)))
    found = _found(_write(tmp_path / "a.warc.zst", big[:-100]))
    assert found[0] == "https://news.example/0"
    assert len(found) > 100
    assert found[-1].startswith(("cut off by the end of the file", "broken archive: cut off within a zstandard frame"))


@pytest.mark.parametrize("garbage", [b"garbage\n" * 9, bytes(900), FRAME * 90, _zstd(b"x" * 90_000)])
def test_what_stands_behind_garbage_is_read(tmp_path: Path, garbage: bytes) -> None:
    one, two, three = map(_zstd, RECORDS)
    found = _found(_write(tmp_path / "a.warc.zst", one, garbage, two, garbage, garbage, three, garbage))
    assert [one.partition(":")[0] if "broken" in one else one for one in found] == [
        URLS[0],
        "broken archive",
        URLS[1],
        "broken archive",
        URLS[2],
        "broken archive",
    ]


def test_a_wrong_content_length_costs_what_it_runs_over(tmp_path: Path) -> None:
    one, _, three = map(_zstd, RECORDS)
    for length in (0, 100, 1_000_000):
        wrong = _zstd(_record(URLS[1], length=length))
        found = _found(_write(tmp_path / "a.warc.zst", one, wrong, three))
        assert (found[0], found[-1]) == (URLS[0], URLS[2]), length
        assert len(found) > 2, length


@settings(deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_no_other_record(tmp_path_factory: pytest.TempPathFactory, place: float, bit: int) -> None:
    first, middle, last = map(_zstd, RECORDS)
    broken = bytearray(middle)
    broken[int(place * len(middle))] ^= 1 << bit
    found = _found(_write(tmp_path_factory.mktemp("bits") / "a.warc.zst", first, bytes(broken), last))
    assert (found[0], found[-1]) == (URLS[0], URLS[2])
    assert len(found) <= 4


def _wacz(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("datapackage.json", "{}")
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wacz_file_gives_the_pages_of_its_archives(tmp_path: Path, method: int) -> None:
    members = {
        "archive/a.warc.gz": b"".join(map(gzip.compress, RECORDS[:1])),
        "archive/b.warc": RECORDS[1],
        "archive/c.warc.zst": _zstd(RECORDS[2]),
        "indexes/index.cdx.gz": gzip.compress(b"com,example)/ 2031 {}"),
        "pages/pages.jsonl": b'{"url": "https://news.example/one", "text": "no article"}',
    }
    path = _wacz(tmp_path / "a.wacz", members, method)
    found = [item for item in _all(path) if isinstance(item, Article)]
    assert [item.url for item in found] == URLS
    assert [item.source for item in found] == ["a.wacz:1", "a.wacz:2", "a.wacz:3"]
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_large_wacz_file_is_one_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _wacz(tmp_path / "a.wacz", {"archive/a.warc.gz": b"".join(map(gzip.compress, RECORDS))})
    zst = _write(tmp_path / "a.warc.zst", *map(_zstd, RECORDS))
    plain = _write(tmp_path / "a.warc.gz", *map(gzip.compress, RECORDS))
    monkeypatch.setattr(warc, "PART_BYTES", 100)
    for name, count in ((path, 1), (zst, 1), (plain, 4)):
        assert len(units([name], CorpusSettings())) == count
        assert _found(name) == URLS


def test_a_broken_wacz_file_is_read_where_that_is_possible(tmp_path: Path) -> None:
    packed = list(map(gzip.compress, RECORDS))
    path = _wacz(tmp_path / "a.wacz", {"archive/a.warc.gz": packed[0], "archive/b.warc.gz": packed[1] + packed[2]})
    whole = path.read_bytes()
    # Cut off: the directory at its end is missing.
    found = _found(_write(path, whole[:-30]))
    assert "the zip file is cut off or broken" in found[0]
    assert [one for one in found if "broken" not in one] == URLS
    end = whole.index(packed[2])
    found = _found(_write(path, whole[: end + 200]))
    assert [one for one in found if "broken" not in one][:2] == URLS[:2]
    assert "cut off within a gzip member" in " ".join(found) or "cut off by the end" in found[-1]
    # A record in the middle is broken.
    at = whole.index(packed[1]) + 100
    found = _found(_write(path, whole[:at] + b"x" * 20 + whole[at + 20 :]))
    assert (found[0], found[-1], len(found)) == (URLS[0], URLS[2], 3)
    # A head of a member is broken.
    at = whole.index(packed[1]) - len("archive/b.warc.gz") - 30
    found = _found(_write(path, whole[:at] + b"x" * 4 + whole[at + 4 :]))
    assert found == [URLS[0], "broken archive: archive/b.warc.gz: its head is broken"]


def test_packed_members_that_are_broken_cost_only_themselves(tmp_path: Path) -> None:
    members = {"archive/a.warc.gz": gzip.compress(RECORDS[0]), "archive/b.warc": RECORDS[1] + RECORDS[2]}
    path = _wacz(tmp_path / "a.wacz", members, zipfile.ZIP_DEFLATED)
    whole = bytearray(path.read_bytes())
    at = bytes(whole).index(b"archive/b.warc") + 100
    whole[at : at + 10] = b"x" * 10
    found = _found(_write(path, bytes(whole)))
    assert found[0] == URLS[0]
    assert "broken" in found[-1] or "cut off" in found[-1]


def test_a_wacz_file_without_an_archive_says_so(tmp_path: Path) -> None:
    path = _wacz(tmp_path / "a.wacz", {"../archive/a.warc.gz": RECORDS[0], "elsewhere/a.warc": RECORDS[0]})
    assert _found(path) == ["broken archive: no web archive in the zip file; a .wacz file has archive/*.warc.gz"]


@pytest.mark.parametrize("kind", ["gzip", "zstd", "dictionary", "wacz", "plain"])
def test_a_packed_archive_on_standard_input_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    data = {
        "gzip": gzip.compress(RECORDS[0]),
        "zstd": _zstd(RECORDS[0]),
        "dictionary": _zstd(RECORDS[0], DICTIONARY),
        "wacz": _wacz(tmp_path / "a.wacz", {"archive/a.warc.gz": gzip.compress(RECORDS[0])}).read_bytes(),
        "plain": RECORDS[0],
    }[kind]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    found = [item for unit in units(["-"], CorpusSettings()) for item in read(unit, CorpusSettings())]
    assert [item.url for item in found if isinstance(item, Article)] == URLS[:1]


def test_what_else_is_packed_is_no_archive(tmp_path: Path) -> None:
    zipped = _wacz(tmp_path / "a.zip", {"word/document.xml": b"<w/>"}).read_bytes()
    for data in (gzip.compress(b"id,text\n1,Rain.\n"), _zstd(b"It rained."), zipped, b"PK\x03\x04", b"\x1f\x8b", b""):
        assert not archive_files.is_web_archive(_write(tmp_path / "a", data))
