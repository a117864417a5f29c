"""Exports of newspaper databases that come as Word or RTF files."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.records import Article, CorpusSettings, Noted, Skipped
from tests.support.documents import paragraph, word

EXPORT = """Town closes old bridge
The Sund Post
January 3, 2031 Monday
Copyright 2031 The Sund Post All Rights Reserved
Length: 30 words
Byline: Ruth Holm
Body
The council of Sund voted on Monday to close the old bridge. Nobody was asked.
Load-Date: January 4, 2031
End of Document
Power is back in Orrin
The Sund Post
January 5, 2031 Wednesday
Copyright 2031 The Sund Post All Rights Reserved
Length: 22 words
Body
Power came back to Orrin on Tuesday night.
Load-Date: January 6, 2031
End of Document"""


def _rtf() -> bytes:
    return ("{\\rtf1\\ansi " + "\\par ".join(EXPORT.split("\n")) + "}").encode("ascii")


def _word() -> bytes:
    return word("".join(paragraph(line) for line in EXPORT.split("\n")))


def _read(folder: Path, **settings: str) -> list[Article | Skipped | Noted]:
    chosen = CorpusSettings(root=str(folder), **settings)  # type: ignore[arg-type]
    return [item for unit in units([folder], chosen) for item in read(unit, chosen)]


@pytest.mark.parametrize(("name", "data"), [("a.docx", _word()), ("a.rtf", _rtf())])
def test_a_documents_export_gives_all_its_articles(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    found = [item for item in _read(tmp_path) if isinstance(item, Article)]
    assert [(row.title, row.outlet, row.published) for row in found] == [
        ("Town closes old bridge", "The Sund Post", "2031-01-03"),
        ("Power is back in Orrin", "The Sund Post", "2031-01-05"),
    ]
    assert all(row.extractor.startswith("export of Nexis Uni ") and "," in row.extractor for row in found)
    assert all(row.marks for row in found)
    assert len([item for item in _read(tmp_path, format="plain") if isinstance(item, Article)]) == 1
    (refused,) = (item for item in _read(tmp_path, format="factiva") if isinstance(item, Skipped))
    assert "factiva" in refused.reason.lower()
