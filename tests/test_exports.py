"""A newspaper database's export of several articles is never read as one article: it is split, or it is skipped.

What is read from exports is tested in `test_database_exports.py` and `test_database_layouts.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.reading.articles import read
from corpus.reading.database_exports import export_of, no_text
from corpus.reading.source_files import units
from corpus.records import Article, CorpusSettings, Skipped
from tests.conftest import REPO

TITLES = ("Town sends boats to the islands", "Union warns of storm risk", "Cable repairs still without a date")
BODY = (
    'The council of Lake Harbor voted on Monday to send {} boats to the northern islands. "We will not wait for the '
    'harbor board," a member told reporters. Opponents argued that the boats could not be spared in the storm season.'
)


def _lexisnexis(count: int, of: str = "of", word: str = "DOCUMENTS") -> str:
    articles = [
        f"{'':30}{n} {of} {count} {word}\n\n\n{'':25}The Harbor Herald\n\n{'':20}January 11, 2024 Thursday\n\n"
        f"{title}\n\nBYLINE: Anna Moss\n\nSECTION: NEWS; Pg. 7\n\nLENGTH: 155 words\n\n{BODY.format(n)}\n\n"
        "LOAD-DATE: January 12, 2024\n\nLANGUAGE: ENGLISH\n\nPUBLICATION-TYPE: Newspaper\n\n"
        for n, title in enumerate(TITLES[:count], 1)
    ]
    return f"\ufeff\n\nDownload Request: Selected Items: 1-{count}\n\nSend To:\nLAKE HARBOR LIBRARY\n\n" + "".join(
        articles
    )


def _nexis_uni(count: int) -> str:
    return f"Job Number: 00000001\nDocuments ({count})\n\n" + "".join(
        f"{title}\nThe Harbor Herald\nJanuary 11, 2024 Thursday\n\nCopyright 2024 Harbor Media Ltd\n\n"
        f"Length: 155 words\nBody\n\n{BODY.format(n)}\n\nClassification\n\nLanguage: ENGLISH\n\n"
        "Load-Date: January 12, 2024\n\nEnd of Document\n\n"
        for n, title in enumerate(TITLES[:count], 1)
    )


def _factiva(count: int) -> str:
    return "\n\n".join(
        f"HD\n{title}\nBY\nAnna Moss\nWC\n155 words\nPD\n11 January 2024\nSN\nThe Harbor Herald\nLP\n{BODY.format(n)}\n"
        f"AN\nDocument HARH000020240111ek110000{n}"
        for n, title in enumerate(TITLES[:count], 1)
    )


def _proquest(count: int) -> str:
    return "\n".join(
        f"{'_' * 60}\n\nDocument {n} of {count}\n\n{title}\n\nAuthor: Moss, Anna\n\nFull text: {BODY.format(n)}\n\n"
        f"Publication title: The Harbor Herald\n\nProQuest document ID: 12345678{n}\n"
        for n, title in enumerate(TITLES[:count], 1)
    )


def _unknown(count: int) -> str:
    return "\n\n".join(
        f"Title: {title}\nSource: The Harbor Herald\nDate: 11 January 2024\nSection: News\nWord count: 155\n\n"
        f"{BODY.format(n)}"
        for n, title in enumerate(TITLES[:count], 1)
    )


def _ris(count: int) -> str:
    return "\n".join(
        f"TY  - NEWS\nTI  - {title}\nAB  - {BODY.format(n)}\nER  - \n" for n, title in enumerate(TITLES[:count], 1)
    )


def _lexisnexis_html(count: int) -> str:
    articles = "".join(
        f'<A NAME="DOC_ID_0_{n}"></A><!-- Hide XML section from browser\n<DOC NUMBER={n}>\n<DOCFULL> -->\n<BR>'
        f'<DIV CLASS="c0"><P CLASS="c1"><SPAN CLASS="c2">{n} of {count} DOCUMENTS</SPAN></P>\n</DIV><BR>'
        f'<DIV CLASS="c5"><P CLASS="c6"><SPAN CLASS="c7">{title}</SPAN></P>\n</DIV>'
        f'<DIV CLASS="c5"><P CLASS="c9"><SPAN CLASS="c2">{BODY.format(n)}'
        '</SPAN></P></DIV><DIV CLASS="c5"><P CLASS="c6"><SPAN CLASS="c8">LOAD-DATE: </SPAN>'
        '<SPAN CLASS="c2">January 12, 2024</SPAN></P></DIV><!-- Hide XML section from browser\n</DOCFULL>\n</DOC> -->\n'
        for n, title in enumerate(TITLES[:count], 1)
    )
    return f"<HTML>\n<HEAD><TITLE>&nbsp;</TITLE></HEAD>\n<BODY>\n{articles}</BODY></HTML>"


def _factiva_html(count: int) -> str:
    def row(label: str, value: str) -> str:
        return f'<tr><td align="right" class="index"><b>{label}</b>&nbsp;</td><td>{value}</td></tr>'

    articles = "<br/>".join(
        f'<div class="article enArticle"><table>{row("HD", f"<b>{title}</b>")}{row("WC", "155 words")}'
        f"{row('LP', f'<p>{BODY.format(n)}</p>')}{row('AN', f'Document HARH000020240111ek110000{n}')}</table></div>"
        for n, title in enumerate(TITLES[:count], 1)
    )
    return f"<html><head><title>Factiva</title></head><body><div>{articles}</div></body></html>"


def _europresse_html(count: int) -> str:
    articles = "".join(
        '<article><header><span class="DocPublicationName">The Harbor Herald</span>'
        f'<p class="titreArticleVisu">{title}</p></header><section>'
        f'<div class="DocText clearfix"><p>{BODY.format(n)}</p></div></section><footer>'
        f"<p>Numéro de document : news·20240111·HH·0q150{n}</p></footer></article>"
        for n, title in enumerate(TITLES[:count], 1)
    )
    return f"<!DOCTYPE html><html><head><title></title></head><body>{articles}</body></html>"


TEXTS = {
    "LexisNexis": _lexisnexis(3),
    "Nexis Uni": _nexis_uni(3),
    "Factiva": _factiva(3),
    "ProQuest": _proquest(3),
    "a reference manager (RIS)": _ris(3),
}


@pytest.mark.parametrize("database", TEXTS)
def test_a_text_file_of_several_articles_is_split(tmp_path: Path, database: str) -> None:
    (tmp_path / "a.txt").write_text(TEXTS[database], "utf-8")
    _check_split(_all(tmp_path), database)


def test_a_text_file_of_an_unknown_database_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(_unknown(3), "utf-8")
    (item,) = _all(tmp_path)
    assert isinstance(item, Skipped)
    assert item.reason == (
        "several articles in one file: an export of a database; save each article as a file of its own, or as a row "
        "of a .csv or .jsonl file"
    )


@pytest.mark.parametrize(
    ("database", "page"),
    [("LexisNexis", _lexisnexis_html(3)), ("Factiva", _factiva_html(3)), ("Europresse", _europresse_html(3))],
)
def test_a_page_of_several_articles_is_split(tmp_path: Path, database: str, page: str) -> None:
    (tmp_path / "a.html").write_text(page, "utf-8")
    _check_split(_all(tmp_path), database)


def _check_split(items: list[object], database: str) -> None:
    articles = [one for one in items if isinstance(one, Article)]
    assert {one.extractor for one in articles} == {f"export of {database} 1"}
    assert not any(isinstance(one, Skipped) for one in items)
    for n, one in enumerate(articles, 1):
        assert BODY.format(n) in one.text
    assert len(articles) == 3


@pytest.mark.parametrize(
    ("database", "page"),
    [("LexisNexis", _lexisnexis_html(3)), ("Factiva", _factiva_html(3)), ("Europresse", _europresse_html(3))],
)
def test_an_export_in_a_column_of_a_table_is_skipped(tmp_path: Path, database: str, page: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "a", "text": page}), "utf-8")
    (item,) = _all(tmp_path)
    assert isinstance(item, Skipped)
    assert item.reason.startswith(f"several articles in one file: an export of {database}; save each")


@pytest.mark.parametrize(
    ("of", "word"), [("von", "DOKUMENTEN"), ("de", "DOCUMENTS"), ("van", "DOCUMENTEN"), ("of", "Documents")]
)
def test_exports_of_other_languages_are_known(of: str, word: str) -> None:
    assert export_of(_lexisnexis(2, of, word)) == "LexisNexis"
    assert export_of(_nexis_uni(2).replace("End of Document", "Ende des Dokuments")) == "Nexis Uni"


@pytest.mark.parametrize("make", [_lexisnexis, _nexis_uni, _factiva, _proquest, _unknown, _ris])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_export_of_two_articles_is_known_and_of_one_is_not(make: object, end: str) -> None:
    assert callable(make)
    assert export_of(make(1).replace("\n", end)) == ""
    assert export_of(make(2).replace("\n", end)) != ""


@pytest.mark.parametrize(
    "text",
    [
        "The clerk has 1 of 3 documents.\n\nThe mayor has 2 of 3 documents.\n",
        "He read to the end of document 3.\nThen he read to the end of document 4.",
        "Q: Why?\nA: Nobody knows.\nQ: When?\nA: On Monday.\nQ: Who?\nA: Anna Moss.\n",
        "Date: Monday\nTime: noon\nPlace: the pier\n\nDate: Friday\nTime: noon\nPlace: the hall\n",
        "Title: Boats\nAuthor: Anna Moss\nPublisher: Harbor\nPages: 30\n\n" * 3,
        "Length: 12 metres\nBeam: 4 metres\n\nLength: 14 metres\nBeam: 5 metres\n",
    ],
)
def test_lists_in_an_article_are_no_export(text: str) -> None:
    assert no_text(text) == ""


def test_no_article_of_the_starter_corpus_is_taken_for_an_export(shared: Path) -> None:
    texts = [*(REPO / "seeds" / "articles").rglob("*.txt"), *(shared / "seeds").glob("*.txt")]
    assert len(texts) > 20
    assert not [path.name for path in texts if no_text(path.read_text("utf-8"))]


def _all(folder: Path) -> list[object]:
    chosen = CorpusSettings(root=str(folder))
    return [item for unit in units([folder], chosen) for item in read(unit, chosen)]
