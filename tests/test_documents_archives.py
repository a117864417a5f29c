"""Archives: their files are read as those of a folder, and nothing in one reaches the disk or fills the memory."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from corpus.reading.articles import read
from corpus.reading.documents import archives
from corpus.reading.documents.kinds import articles_in
from corpus.reading.source_files import units
from corpus.records import Article, CorpusSettings, Noted, Skipped
from tests.support.covered import one
from tests.support.documents import PAGE, PORT, RAIN, SAMPLES, tarred, zipped


def _read(path: Path, data: bytes) -> list[Article | Skipped | Noted]:
    path.write_bytes(data)
    settings = CorpusSettings(root=str(path.parent))
    (unit,) = units([path], settings)
    return list(read(unit, settings))


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz"])
def test_the_files_of_an_archive_are_read_by_the_readers_of_their_kinds(name: str, tmp_path: Path) -> None:
    files = {
        "town/a.txt": f"---\ntitle: Rain\n---\n{RAIN}".encode(),
        "town/b.HTML": PAGE.encode(),
        "c.docx": SAMPLES["docx"],
        "d.mbox": SAMPLES["mbox"],
        "e.txt": "Café Ostrel was closed.".encode("cp1252"),
    }
    data = zipped(files) if name == "a.zip" else tarred(files, "w" if name == "a.tar" else "w:gz")
    found = [item for item in _read(tmp_path / name, data) if isinstance(item, Article)]
    assert [(item.article_id, item.source) for item in found] == [
        (f"{name}/town/a", f"{name}/town/a.txt"),
        (f"{name}/town/b", f"{name}/town/b.HTML"),
        (f"{name}/c", f"{name}/c.docx"),
        (f"{name}/d#1", f"{name}/d.mbox:1"),
        (f"{name}/d#2", f"{name}/d.mbox:2"),
        (f"{name}/e", f"{name}/e.txt"),
    ]
    assert (found[0].title, found[0].text[-len(RAIN) :]) == ("Rain", RAIN)
    assert (found[-1].text, found[-1].encoding) == ("Café Ostrel was closed.", "cp1252")


def test_what_is_not_read_of_an_archive_is_said(tmp_path: Path) -> None:
    data = zipped(
        {
            "a.txt": RAIN,
            "b.jpg": "x",
            "c.zip": zipped({"a.txt": RAIN}),
            "d.txt.gz": "x",
            "e.csv": "text\nx",
            "__MACOSX/._a.txt": "x",
            ".DS_Store": "x",
            "f.txt": "",
            "g.docx": "x",
        }
    )
    found = {item.source: (item.article_id, item.reason) for item in _read(tmp_path / "a.zip", data)[1:]}  # type: ignore[union-attr]
    assert found == {
        "a.zip/b.jpg": ("", "of another kind (.jpg)"),
        "a.zip/c.zip": ("", "an archive inside of an archive: unpack it first"),
        "a.zip/d.txt.gz": ("", "an archive inside of an archive: unpack it first"),
        "a.zip/e.csv": ("", "a table or web archive inside of an archive: unpack it first"),
        "a.zip/__MACOSX/._a.txt": ("", "of another kind (hidden)"),
        "a.zip/f.txt": ("a.zip/f", "the file is empty"),
        "a.zip/g.docx": (
            "a.zip/g",
            "expected a Word document; found no zip package, or a broken one: File is not a zip file",
        ),
    }


def test_files_whose_names_differ_in_the_ending_only_have_ids_of_their_own(tmp_path: Path) -> None:
    found = _read(tmp_path / "a.zip", zipped({"a.txt": RAIN, "a.md": PORT}))
    assert [item.article_id for item in found] == ["a.zip/a.txt", "a.zip/a.md"]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_in_an_archive_are_no_paths(kind: str, tmp_path: Path) -> None:
    names = ["../../up.txt", "/etc/passwd.txt", "C:\\x\\y.txt"]
    files = {name: RAIN.encode() for name in names}
    folder = tmp_path / "in"
    folder.mkdir()
    found = _read(folder / f"a.{kind}", zipped(files) if kind == "zip" else tarred(files, "w"))
    assert [item.source for item in found] == [f"a.{kind}/{name}" for name in names]
    assert [path.name for path in tmp_path.rglob("*")] == ["in", f"a.{kind}"]
    assert not Path("/etc/passwd.txt").exists()


def test_links_in_a_tar_archive_are_not_followed() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (("a.txt", tarfile.SYMTYPE), ("b.txt", tarfile.LNKTYPE), ("c.txt", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert {article.fault for article in articles_in("tar", buffer.getvalue())} == {"a link or a device in an archive"}


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_file_that_is_too_long_is_a_fault_of_its_own(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "ARTICLE_BYTES", 2 << 20)
    files = {"a.txt": b"x" * (3 << 20), "b.txt": RAIN.encode()}
    first, second = articles_in(kind, zipped(files) if kind == "zip" else tarred(files))
    assert first.fault == "longer than 2 MB"
    assert second.text == RAIN


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_that_unpacks_to_too_much_gives_one_message(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "UNPACKED", 2 << 20)
    files = {f"{number}.txt": b"rain " * 100_000 for number in range(10)}
    article = one(kind, zipped(files) if kind == "zip" else tarred(files))
    assert article.fault == archives.TOO_BIG


def test_a_real_bomb_takes_little_memory() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.txt", "w") as file:
        for _ in range(300):
            file.write(b"\0" * (1 << 20))
    assert one("zip", buffer.getvalue()).fault == "longer than 64 MB"
    assert one("docx", zipped({"word/document.xml": zipped({"x": b"\0" * (1 << 20)})})).fault
    packed = io.BytesIO(buffer.getvalue())
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"{number}.txt", b"x" * (60 << 20))
    assert one("zip", packed.getvalue()).fault == "an archive of more than 256 MB once unpacked: divide it"


def test_too_many_files_are_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MEMBERS", 3)
    files = {f"{number}.txt": RAIN.encode() for number in range(4)}
    for kind, data in (("zip", zipped(files)), ("tar", tarred(files))):
        assert one(kind, data).fault == "more than 3 files in an archive: divide it"
