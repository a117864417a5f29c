"""Documents, archives and spreadsheets on standard input: each is known by its content, or refused with the reason."""

from __future__ import annotations

import io
import sys
import tarfile

import pytest

from corpus.errors import SourceError
from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.records import Article, CorpusSettings, Noted, Skipped
from tests.support.database_layouts import STORIES, TEXTS
from tests.support.documents import PORT, RAIN, SAMPLES, paragraph, tarred, word, zipped
from tests.support.spreadsheets import container, xls, xlsx


def _stdin(data: bytes, monkeypatch: pytest.MonkeyPatch) -> list[Article | Skipped | Noted]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    return [item for unit in units(["-"], CorpusSettings()) for item in read(unit, CorpusSettings())]


@pytest.mark.parametrize("kind", sorted(set(SAMPLES) - {"md"}))
def test_a_document_of_each_kind_is_known_by_its_content(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = [item for item in _stdin(SAMPLES[kind], monkeypatch) if isinstance(item, Article)]
    assert RAIN in "\n".join(one.text for one in articles)
    assert not [one for one in articles if one.extractor == "plain 1" and kind not in ("zip", "tar")]
    assert all(one.source.startswith("stdin") for one in articles)


@pytest.mark.parametrize("data", [xlsx({"A": [["text"], [RAIN]]}), xls({"A": [["text"], [RAIN]]})], ids=["xlsx", "xls"])
def test_a_spreadsheet_is_a_table(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    (article,) = _stdin(data, monkeypatch)
    assert isinstance(article, Article)
    assert (article.source, article.text) == ("stdin:2", RAIN)


def test_an_export_of_a_database_gives_its_articles_also_in_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXTS["LexisNexis"](STORIES)
    assert len([one for one in _stdin(text.encode(), monkeypatch) if isinstance(one, Article)]) == len(STORIES)
    body = "".join(paragraph(line) for line in text.split("\n"))
    assert len([one for one in _stdin(word(body), monkeypatch) if isinstance(one, Article)]) == len(STORIES)


@pytest.mark.parametrize(
    "text",
    [
        f"Subject: the ferry\n\n{RAIN}",
        f"Question: who left?\nAnswer: two aides.\nPlace: Ostrel\n\n{RAIN}",
        f"From Monday on the ferry of 2031 is late.\nNobody knows: {PORT}",
        f"%PD is no PDF. {RAIN}",
    ],
)
def test_prose_that_begins_like_a_mail_stays_prose(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (article,) = _stdin(text.encode(), monkeypatch)
    assert isinstance(article, Article)
    assert (article.article_id, article.text, article.extractor) == ("stdin", text, "plain 1")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (container("WordDocument", b"x" * 5000), r"a Word document of the older format \(\.doc\): save it as \.docx"),
        (container("EncryptedPackage", b"x" * 5000), "encrypted: it needs a password"),
        (container("PowerPoint Document", b"x" * 5000), r"a presentation of the older format"),
        (zipped({"[Content_Types].xml": "<a/>", "ppt/presentation.xml": "<a/>"}), "found a presentation"),
        (zipped({"Index/Document.iwa": b"x"}), "a document of Pages, Numbers or Keynote: save it as"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), r"holds no text document \(spread"),
        (b"\x1f\x8b" + b"x" * 50, "packed with gzip that is no .tar.gz archive: unpack it first"),
        (b"7z\xbc\xaf\x27\x1c" + b"x" * 50, "packed with 7-Zip: unpack it first"),
        (b"\x89PNG\r\n" + b"\0" * 50, "found a picture"),
        (b"%!PS-Adobe-3.0\n", r"PostScript: save it as \.pdf"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_is_surely_of_another_kind_is_one_message(
    data: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match=rf"^standard input: expected articles; .*{reason}"):
        _stdin(data, monkeypatch)


def test_a_table_without_the_column_is_named_as_standard_input_not_as_its_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match=r"^standard input: row 1: expected the column text; found body"):
        _stdin(xlsx({"A": [["body"], [RAIN]]}), monkeypatch)
    with pytest.raises(SourceError, match=r"^standard input, line 1: expected the column text; found body"):
        _stdin(b'{"body": "It rained."}\n', monkeypatch)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archives_of_each_form_are_known(mode: str, form: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarfile.TarFile, "format", form)
    (article,) = _stdin(tarred({"in/ä.txt": RAIN.encode()}, mode), monkeypatch)
    assert (article.article_id, article.source) == ("stdin/in/ä", "stdin/in/ä.txt")
