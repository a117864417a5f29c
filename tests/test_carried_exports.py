"""Exports of newspaper databases inside of other files (zip, mail, saved pages), and of databases that are not read."""

from __future__ import annotations

import plistlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from corpus.reading.articles import in_file, read
from corpus.reading.source_files import units
from corpus.records import Article, CorpusSettings, Skipped
from tests.support.covered import check_covered
from tests.support.database_layouts import PAGES, STORIES, TEXTS
from tests.support.documents import MAIL, PORT, RAIN, paragraph, word, zipped

HEADERS = MAIL.partition("Content-Type")[0]


def _mail(text: str, kind: str = "plain") -> bytes:
    head = f"{HEADERS}Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return (head + text.replace("\n", "\r\n")).encode()


def _mhtml(page: str) -> bytes:
    return (
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/rain\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n'
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{page}\r\n--b--\r\n"
    ).encode()


def _saved(page: str) -> bytes:
    return plistlib.dumps({"WebMainResource": {"WebResourceData": page.encode(), "WebResourceURL": "https://e.org/"}})


def _word(text: str) -> bytes:
    shown = text.replace("&", "&amp;").replace("<", "&lt;")
    return word("".join(paragraph(line) for line in shown.split("\n")))


@pytest.mark.parametrize("layout", PAGES)
@pytest.mark.parametrize(
    ("kind", "carried"), [("mhtml", _mhtml), ("webarchive", _saved), ("eml", lambda page: _mail(page, "html"))]
)
def test_a_databases_page_that_was_saved_or_sent_gives_its_articles(
    layout: str, kind: str, carried: Callable[[str], bytes]
) -> None:
    page = PAGES[layout](STORIES)
    found = in_file(kind, carried(page))
    assert [one.text for one in found] == [one.text for one in in_file("html", page.encode())]
    assert [one.fields["title"] for one in found] == [story.title for story in STORIES]
    assert not [one for one in found if one.fault or not one.extractor.startswith("export of ")]
    for one in found:
        check_covered(one)


@pytest.mark.parametrize("layout", TEXTS)
def test_an_export_that_was_sent_as_the_text_of_a_mail_gives_its_articles(layout: str) -> None:
    mail = _mail(TEXTS[layout](STORIES))
    found = in_file("eml", mail)
    assert [one.fields["title"] for one in found] == [story.title for story in STORIES]
    assert all(one.extractor.endswith(", stance mail 1") for one in found)
    box = b"From ann Tue Mar  4 10:00:00 2031\n" + mail + b"\r\n\r\nFrom ann Tue Mar  4 10:00:00 2031\n" + MAIL.encode()
    assert len(in_file("mbox", box)) == len(STORIES) + 1
    (whole,) = in_file("eml", mail, "plain")
    assert whole.extractor == "stance mail 1"


def test_exports_in_an_archive_are_split_as_outside_of_it(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a/one.docx": _word(TEXTS["Nexis Uni"](STORIES)),
        "a/two.html": PAGES["Factiva"](STORIES),
        "three.ris": TEXTS["RIS"](STORIES),
        "four.bib": TEXTS["BibTeX"](STORIES),
        "five.mhtml": _mhtml(PAGES["Europresse"](STORIES)),
        "six.csv": "text\nRain.\n",
    }
    (tmp_path / "news.zip").write_bytes(zipped(files))
    chosen = CorpusSettings(root=str(tmp_path))
    found = [item for unit in units([tmp_path], chosen) for item in read(unit, chosen)]
    articles = [item for item in found if isinstance(item, Article)]
    assert len(articles) == 5 * len(STORIES)
    assert len({one.article_id for one in articles if "Factiva" in one.extractor}) == len(STORIES)
    reasons = {one.source: one.reason for one in found if isinstance(one, Skipped)}
    assert reasons == {"news.zip/six.csv": "a table or web archive inside of an archive: unpack it first"}


def test_the_setting_holds_in_an_archive_too() -> None:
    archive = zipped({"one.docx": _word(TEXTS["Nexis Uni"](STORIES)), "two.txt": TEXTS["LexisNexis"](STORIES)})
    assert len(in_file("zip", archive)) == 2 * len(STORIES)
    assert [one.extractor for one in in_file("zip", archive, "plain")] == ["stance docx 1", "plain 1"]


# Databases that are not read: each from what its pages for users and programs that read it say of its exports


def _gale(stories: Sequence[str]) -> str:
    return "\n".join(
        f"Title: Rain in Ostrel {n}\nPublication Details: The Sund Post. (Mar. {n}, 2031)\nDocument Type: Article\n\n"
        f"{text}\n\nGale Document Number:GALE|A{n}00000001\n"
        for n, text in enumerate(stories, 1)
    )


def _ebsco(stories: Sequence[str]) -> str:
    return "\n".join(
        f"Title: Rain in Ostrel {n}\nSource: The Sund Post, 03/0{n}/2031\nAccession Number: 2W6{n}00000001\n\n{text}\n"
        f"\nPersistent link to this record (Permalink): https://e.example/{n}\n"
        for n, text in enumerate(stories, 1)
    )


def _newsbank(stories: Sequence[str]) -> str:
    return "\n".join(
        f"Rain in Ostrel {n}\n\nSund Post, The - March {n}, 2031\n\nAuthor: Ann Lee\n\n{text}\n\nRecord Number: "
        f"14A5B6C7D8E9F0{n}\nCopyright (c) 2031 The Sund Post\n"
        for n, text in enumerate(stories, 1)
    )


def _genios(stories: Sequence[str]) -> str:
    return "\n".join(
        f"Regen in Ostrel {n}\n{text}\nQuelle: Sund-Post vom 0{n}.03.2031, S. 4\nRessort: Politik\n"
        f"Dokumentnummer: SUND-2031030{n}-1\nDauerhafte Adresse des Dokuments: https://w.example/{n}\n"
        "Alle Rechte vorbehalten: (c) Post\n"
        for n, text in enumerate(stories, 1)
    )


def _genios_in_cells(stories: Sequence[str]) -> str:
    return _genios(stories).replace("Dokumentnummer: ", "Dokumentnummer:\n").replace("Dokuments: ", "Dokuments:\n")


def _genios_by_address(stories: Sequence[str]) -> str:
    return "\n".join(line for line in _genios(stories).split("\n") if not line.startswith("Dokumentnummer"))


OTHERS = {
    **{"Gale": _gale, "EBSCO": _ebsco, "NewsBank": _newsbank},
    **{"Genios": _genios, "Genios, in cells": _genios_in_cells, "Genios, by address": _genios_by_address},
}


def _page(text: str) -> bytes:
    return f"<html><body>{''.join(f'<p>{line}</p>' for line in text.split(chr(10)))}</body></html>".encode()


CARRIERS: dict[str, Callable[[str], bytes]] = {
    "txt": str.encode,
    "html": _page,
    "docx": _word,
    "rtf": lambda text: ("{\\rtf1\\ansi " + "\\par ".join(text.split("\n")) + "}").encode("ascii", "replace"),
    "md": lambda text: text.replace("\n", "\n\n").encode(),
    "eml": lambda text: _mail(text.replace("\n", "\n\n")),
    "mhtml": lambda text: _mhtml(_page(text).decode()),
}


@pytest.mark.parametrize("database", OTHERS)
@pytest.mark.parametrize("kind", CARRIERS)
def test_several_articles_of_a_database_that_is_not_read_are_never_one_article(database: str, kind: str) -> None:
    (one,) = in_file(kind, CARRIERS[kind](OTHERS[database]([RAIN, PORT])))
    assert one.fault.startswith(f"several articles in one file: an export of {database.partition(',')[0]}; save each")
    (whole,) = in_file(kind, CARRIERS[kind](OTHERS[database]([RAIN * 3])))
    assert not whole.fault
    assert RAIN in " ".join(whole.text.split())


@pytest.mark.parametrize("kind", sorted(set(CARRIERS) - {"mhtml"}))
def test_with_plain_such_a_file_is_one_article(kind: str) -> None:
    (one,) = in_file(kind, CARRIERS[kind](_gale([RAIN, PORT])), "plain")
    assert not one.fault
