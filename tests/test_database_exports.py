"""What is read from each database's export: titles, outlets, dates, languages, ids, marks, and what is noted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corpus.reading import database_exports
from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.articles import CUT_OFF, ONLY_URL, read
from corpus.reading.exports.languages import language_code
from corpus.reading.exports.lines import FEWER, NO_HEAD, NO_TEXT, OUTSIDE
from corpus.reading.exports.split import SAME_ID, SAME_RECORD, articles_of
from corpus.reading.source_files import units
from corpus.records import Article, CorpusSettings, Format, Noted, Skipped
from stance.command_line import cli
from tests.support import database_layouts as layouts
from tests.support.database_layouts import PAGES, STORIES, TEXTS, Story

Item = Article | Skipped | Noted

IDS = {
    "Factiva": [layouts.record(number) for number in range(3)],
    "ProQuest": ["12345671", "12345672", "12345673"],
    "Europresse": ["news·20310111·HH·0q1500", "news·20310112·HH·0q1501", "news·20310115·HH·0q1502"],
    "RIS": ["ris0", "ris1", "ris2"],
    "BibTeX": ["moss0", "moss1", "moss2"],
}
NAMES = {"RIS": "a reference manager (RIS)", "BibTeX": "a reference manager (BibTeX)"}


def _items(folder: Path, format_: Format = "", **files: str) -> list[Item]:
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, "utf-8")
    chosen = CorpusSettings(root=str(folder), format=format_)
    return [item for unit in units([folder], chosen) for item in read(unit, chosen)]


def _read(folder: Path, format_: Format = "", **files: str) -> list[Article]:
    items = _items(folder, format_, **files)
    assert not any(isinstance(one, Skipped) for one in items), items
    return [one for one in items if isinstance(one, Article)]


def _notes(items: list[Item]) -> list[str]:
    return [one.note for one in items if isinstance(one, Noted)]


def _of(text: str) -> list[ArticleInFile]:
    articles = articles_of(text)
    assert articles is not None
    return articles


# Metadata


@pytest.mark.parametrize(
    ("name", "ending", "text"),
    [
        *((name, "txt", layout(STORIES)) for name, layout in TEXTS.items()),
        *((name, "html", layout(STORIES)) for name, layout in PAGES.items()),
    ],
)
def test_each_article_of_an_export_has_its_own_metadata(tmp_path: Path, name: str, ending: str, text: str) -> None:
    found = _read(tmp_path, "", **{f"a__{ending}": text})
    family = name.partition(",")[0]
    assert [one.title for one in found] == [one.title for one in STORIES]
    assert [one.outlet for one in found] == [one.outlet for one in STORIES]
    assert [one.published[:10] for one in found] == [one.date for one in STORIES]
    # Europresse does not name the language, and these articles are too short to tell.
    assert {one.language for one in found} == ({""} if family == "Europresse" else {"en"})
    assert [one.source for one in found] == [f"a.{ending}:{number}" for number in (1, 2, 3)]
    assert len({one.sha256 for one in found}) == 1
    assert {one.extractor for one in found} == {f"export of {NAMES.get(family, family)} 1"}
    if family in IDS:
        assert [one.article_id for one in found] == IDS[family]
    else:
        assert all(one.article_id.startswith("text:") for one in found)
    if family == "ProQuest":
        assert [one.url for one in found] == [f"https://pq.example/{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("layout", "marks"),
    [
        (
            "LexisNexis",
            {
                "other PUBLICATION": "The Harbor Herald",
                "dateline DATE": "January 11, 2031 Thursday",
                "other EDITION": "Late Edition - Final",
                "title HEADLINE": "Town sends boats to the islands",
                "byline BYLINE": "BYLINE: Anna Moss",
                "other SECTION": "SECTION: NEWS; Pg. 7",
                "other LENGTH": "LENGTH: 155 words",
                "footer LOAD-DATE": "LOAD-DATE: January 19, 2031",
                "other LANGUAGE": "LANGUAGE: ENGLISH",
                "caption GRAPHIC": "GRAPHIC: Photo: A boat leaves, seen from a very long way\noff. (Photo by B. Dane)",
                "other PUBLICATION-TYPE": "PUBLICATION-TYPE: Newspaper",
                "footer COPYRIGHT": "Copyright 2031 Harbor Media Ltd\nAll Rights Reserved",
            },
        ),
        (
            "Factiva, codes and tabs",
            {
                "other SE": "SE\tNews",
                "title HD": "HD\tTown sends boats to the islands",
                "byline BY": "BY\tAnna Moss",
                "other WC": "WC\t155 words",
                "dateline PD": "PD\t11 January 2031",
                "other SN": "SN\tThe Harbor Herald",
                "other SC": "SC\tHARH",
                "other LA": "LA\tEnglish",
                "footer CY": "CY\t(c) 2031 Harbor Media Ltd",
                "other LP": "LP",
                "other TD": "TD",
                "other NS": "NS\tgvote : Elections | gcat : Political/General News",
                "footer PUB": "PUB\tHarbor Media Ltd",
                "footer AN": "AN\tDocument HARH000020310111ek1100000",
            },
        ),
        (
            "Factiva, no codes",
            {
                "other SECTION": "News",
                "title HEADLINE": "Town sends boats to the islands",
                "byline BYLINE": "By Anna Moss",
                "other WORDS": "155 words",
                "dateline DATE": "11 January 2031",
                "dateline TIME": "10:15",
                "other PUBLICATION": "The Harbor Herald",
                "other HEAD": "HARH\n7",
                "other LANGUAGE": "English",
                "footer COPYRIGHT": "Copyright 2031 Harbor Media Ltd",
                "footer DOCUMENT": "Document HARH000020310111ek1100000",
            },
        ),
        (
            "RIS",
            {
                "other TY": "TY  - NEWS",
                "title TI": "TI  - Town sends boats to the islands",
                "byline AU": "AU  - Moss, Anna",
                "other T2": "T2  - The Harbor Herald",
                "dateline DA": "DA  - 2031/01/11/",
                "other AB": "AB  -",
                "other LA": "LA  - English",
                "other KW": "KW  - boats",
                "other AN": "AN  - ris0",
                "footer ER": "ER  -",
            },
        ),
    ],
)
def test_what_a_database_writes_around_an_article_is_marked_line_by_line(layout: str, marks: dict[str, str]) -> None:
    one = _of(TEXTS[layout](STORIES))[0]
    found: dict[str, list[str]] = {}
    for mark in one.marks:
        found.setdefault(f"{mark.kind} {mark.reason}", []).append(one.text[mark.start : mark.end])
    assert {name: "\n".join(lines) for name, lines in found.items()} == marks


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(("ENGLISH", "en"), ("en", "en"), ("en-GB", "en"), ("Deutsch", "de"), ("FRENCH; FRANÇAIS", "")),
        *(("Français", "fr"), ("espan\u0303ol", "es"), ("Nederlands", "nl"), ("Klingon", ""), ("", "")),
    ],
)
def test_names_of_languages_become_codes(written: str, code: str) -> None:
    assert language_code(written) == code


@pytest.mark.parametrize(
    ("date", "of", "words", "published"),
    [
        ("Donnerstag 11. März 2031", "von", "DOKUMENTEN", "2031-03-11"),
        ("jeudi 11 août 2031", "de", "DOCUMENTS", "2031-08-11"),
        ("11 de enero de 2031", "de", "DOCUMENTOS", "2031-01-11"),
        ("giovedì 11 dicembre 2031", "di", "DOCUMENTI", "2031-12-11"),
        ("11 mei 2031 donderdag", "van", "DOCUMENTEN", "2031-05-11"),
    ],
)
def test_dates_of_other_languages_are_read(date: str, of: str, words: str, published: str) -> None:
    text = layouts.lexisnexis(STORIES).replace(" of 3 DOCUMENTS", f" {of} 3 {words}")
    assert _of(text.replace("January 11, 2031 Thursday", date))[0].fields["published"] == published


# One article, ids, endings


@pytest.mark.parametrize("layout", [*TEXTS])
def test_a_single_article_keeps_the_id_of_its_file_unless_it_has_one(tmp_path: Path, layout: str) -> None:
    (one,) = _read(tmp_path, a__txt=TEXTS[layout](STORIES[:1]))
    assert one.article_id == IDS.get(layout.partition(",")[0], ["a"])[0]
    assert (one.source, one.title) == ("a.txt", STORIES[0].title)


@pytest.mark.parametrize(
    "text",
    [
        "Town\n\nThe council met. It rained.\n\nEnd of Document\n",
        "1 of 1 DOCUMENT\n\nThe council met. It rained.\n",
        "The council met.\n\nDocument HARH000020310111ek1100000\n",
        "ProQuest document ID: 12345\n\nThe council met.\n",
        "Town\n\nThe council met.\n\nnews·20310111·HH·0q1500\n",
        "155 words\n\nIs what it takes.\n",
    ],
)
def test_one_mark_alone_makes_no_export(tmp_path: Path, text: str) -> None:
    (one,) = _read(tmp_path, a__txt=text)
    assert (one.text, one.extractor, one.marks) == (text, "plain 1", "")


def test_a_record_that_is_there_twice_is_read_once_and_an_id_of_two_articles_is_given_once(tmp_path: Path) -> None:
    text = layouts.factiva_plain([STORIES[0], STORIES[1]])
    twice = text + "\n" + layouts.factiva_plain([STORIES[0], STORIES[2]])
    found = _items(tmp_path, a__txt=twice)
    assert [one.article_id for one in found if isinstance(one, Article)][:2] == IDS["Factiva"][:2]
    (skipped,) = [one for one in found if isinstance(one, Skipped)]
    assert (skipped.source, skipped.reason) == ("a.txt:3", f"{SAME_RECORD}: {IDS['Factiva'][0]}")
    assert f"{SAME_ID}: {IDS['Factiva'][1]}" in _notes(found)


def test_files_of_reference_managers_are_known_by_their_ending(tmp_path: Path) -> None:
    bare = "@book{dane,\n title = {Boats},\n}\n"
    found = _items(tmp_path, a__ris=TEXTS["RIS"](STORIES[:1]), b__bib=TEXTS["BibTeX"](STORIES[:1]) + bare)
    assert [one.article_id for one in found if isinstance(one, Article)] == ["ris0", "moss0"]
    (skipped,) = [one for one in found if isinstance(one, Skipped)]
    assert (skipped.article_id, skipped.reason) == ("dane", NO_TEXT)
    (tmp_path / "a.ris").write_text("Dear Anna, it rained.\n", "utf-8")
    assert "expected the format ris" in str(_items(tmp_path))


def test_letters_of_tex_become_letters(tmp_path: Path) -> None:
    head = '@article{a, title = "Caf{\\\'e} in {Sund}", year = 2031, month = mar, '
    text = head + r"abstract = {It r\"ained, 5\% \& more.}}"
    (one,) = _read(tmp_path, a__bib=text)
    assert (one.title, one.published) == ("Café in Sund", "2031-03")
    assert "It räined, 5% & more." in one.text


# What is not certain


def test_text_outside_of_all_articles_is_noted_with_its_length(tmp_path: Path) -> None:
    notes = _notes(_items(tmp_path, a__txt=layouts.lexisnexis(STORIES)))
    assert notes == [
        f"{OUTSIDE}: 64 characters in 3 lines, beginning with “Download Request: Selected Items: 1-3”",
    ]
    for name, layout in PAGES.items():
        notes = _notes(_items(tmp_path, a__html=layout(STORIES), a__txt=STORIES[0].body[0]))
        assert [note.partition(":")[0] for note in notes] == [OUTSIDE] * (name != "LexisNexis")


def test_fewer_articles_than_announced_are_noted(tmp_path: Path) -> None:
    text = layouts.lexisnexis([Story(title=f"Harbor day {n}", body=("It rained.",)) for n in range(12)])
    seventh = text[text.index(" 7 of 12 ") : text.index(" 8 of 12 ")]
    found = _items(tmp_path, a__txt=text.replace(seventh, ""))
    assert sum(isinstance(one, Article) for one in found) == 11
    assert f"{FEWER}: 11 of 12; number 7 missing" in _notes(found)
    many = text.replace(" of 12 ", " of 999999999 ")  # the file says so, and nothing of that length may be made
    assert f"{FEWER}: 12 of 999999999; numbers 13, 14, 15, 16, 17 and 999999982 more missing" in _notes(
        _items(tmp_path, a__txt=many)
    )
    uni = layouts.nexis_uni(STORIES)
    last = uni.rindex("Cable repairs")
    assert f"{FEWER}: 2 of 3" in _notes(_items(tmp_path, a__txt=uni[:last]))


@pytest.mark.parametrize(
    ("layout", "lost"),
    [
        ("Nexis Uni", "End of Document\n"),
        ("Factiva, codes on lines", f"AN\nDocument {IDS['Factiva'][0]}\n"),
        ("Factiva, no codes", f"Document {IDS['Factiva'][0]}\n"),
        ("ProQuest", "ProQuest document ID: 12345671\n"),
        ("Europresse", "news·20310111·HH·0q1500\n"),
    ],
)
def test_an_export_that_cannot_be_split_for_certain_is_skipped(tmp_path: Path, layout: str, lost: str) -> None:
    text = TEXTS[layout](STORIES)
    assert lost in text
    (item,) = _items(tmp_path, a__txt=text.replace(lost, "", 1))
    assert isinstance(item, Skipped)
    assert item.reason.startswith(f"several articles in one file: an export of {layout.partition(',')[0]}; save each")


def test_an_article_without_a_date_is_read_and_noted() -> None:
    articles = _of(layouts.lexisnexis(STORIES).replace("January 12, 2031 Thursday", "one day"))
    assert [NO_HEAD in one.note for one in articles] == [False, True, False]
    assert "The union spoke of a storm." in articles[1].text


# The format by hand, the command


def test_plain_never_splits_a_file(tmp_path: Path) -> None:
    text = layouts.nexis_uni(STORIES)
    (one,) = _read(tmp_path, "plain", a__txt=text)
    assert (one.text, one.article_id, one.marks) == (text, "a", "")


def test_a_format_that_does_not_fit_is_said(tmp_path: Path) -> None:
    (item,) = _items(tmp_path, "factiva", a__txt=layouts.nexis_uni(STORIES))
    assert isinstance(item, Skipped)
    assert item.reason.startswith("expected the format factiva; found no article in it")
    assert len(_read(tmp_path, "nexis", a__txt=layouts.nexis_uni(STORIES))) == 3


def test_the_command_says_which_files_are_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "a.txt").write_text(layouts.nexis_uni(STORIES[:2]), "utf-8")
    (folder / "b.txt").write_text(layouts.nexis_uni(STORIES[2:]), "utf-8")
    (folder / "c.html").write_text(layouts.factiva_html(STORIES[:1]), "utf-8")
    (folder / "d.txt").write_text("Town\n\nIt rained on Monday.\n", "utf-8")
    done = CliRunner().invoke(cli, ["build", "news"], catch_exceptions=False)
    assert "2 files are exports of Nexis Uni (3 articles)" in done.stdout
    assert "1 file is an export of Factiva (1 article)" in done.stdout
    assert "A column of ids" not in done.stderr
    plain = CliRunner().invoke(cli, ["build", "news", "--format", "plain", "--force"], catch_exceptions=False)
    assert " in 4 articles" in plain.stdout
    assert "exports of" not in plain.stdout


@pytest.mark.parametrize("layout", ["Nexis Uni", "Factiva, no codes"])
def test_a_record_that_two_exports_hold_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "a.txt").write_text(TEXTS[layout](STORIES[:2]), "utf-8")
    (tmp_path / "news" / "b.txt").write_text(TEXTS[layout](STORIES), "utf-8")
    done = CliRunner().invoke(cli, ["build", "news"], catch_exceptions=False)
    assert " in 3 articles" in done.stdout
    assert "2 × the same record was exported before" in done.stderr
    rows = [json.loads(line) for line in (tmp_path / "work" / "skipped.jsonl").read_text("utf-8").splitlines()]
    assert [(row["source"], row["reason"].partition(": ")[2]) for row in rows] == [
        ("news/b.txt:1", "news/a.txt:1"),
        ("news/b.txt:2", "news/a.txt:2"),
    ]


# JSON


NEWSAPI = {
    "status": "ok",
    "articles": [
        {
            "source": {"id": None, "name": "The Harbor Herald"},
            "title": "Rain",
            "url": f"https://sund.example/{number}",
            "publishedAt": "2031-01-11T10:20:30Z",
            "content": "The council of Lake Harbor met on Monday. It rained.",
        }
        for number in (1, 2)
    ],
}
FIELDS = {"text": "content", "outlet": "source.name", "published": "publishedAt"}


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_records_of_an_array_are_read_and_fields_within_fields(tmp_path: Path, ending: str) -> None:
    listed = "\n".join(map(json.dumps, NEWSAPI["articles"]))
    (tmp_path / f"a.{ending}").write_text(json.dumps(NEWSAPI, indent=1) if ending == "json" else listed, "utf-8")
    chosen = CorpusSettings(root=str(tmp_path), fields=FIELDS)
    found = [item for unit in units([tmp_path], chosen) for item in read(unit, chosen)]
    assert [(one.article_id, one.outlet) for one in found if isinstance(one, Article)] == [
        ("https://sund.example/1", "The Harbor Herald"),
        ("https://sund.example/2", "The Harbor Herald"),
    ]
    assert [one.source for one in found] == [f"a.{ending}:1", f"a.{ending}:2"]


def test_an_array_alone_is_read_and_a_file_that_breaks_off_says_where(tmp_path: Path) -> None:
    records = json.dumps([{"id": "r1", "text": "Rain."}, {"id": "r2", "text": "Sun."}, 3])
    found = _items(tmp_path, a__json=records)
    assert [type(one) for one in found] == [Article, Article, Skipped]
    found = _items(tmp_path, a__json=records[:-20])
    assert isinstance(found[-1], Skipped)
    assert found[-1].reason.startswith("malformed JSON, behind 1 record: ")


def test_records_with_only_a_url_say_what_they_lack(tmp_path: Path) -> None:
    stories = {"stories": [{"url": "https://sund.example/1", "title": "Rain", "media_name": "Herald"}]}
    (item,) = _items(tmp_path, a__json=json.dumps(stories))
    assert isinstance(item, Skipped)
    assert (item.article_id, item.reason) == (
        "https://sund.example/1",
        f"{ONLY_URL}: `stance fetch` fetches the pages",
    )
    item = _items(tmp_path, a__json=json.dumps(NEWSAPI))[0]
    assert isinstance(item, Skipped)
    assert item.reason == f"{ONLY_URL}: content may hold a text; name the field under [corpus.fields]"


def test_a_text_that_newsapi_cut_off_is_read_and_noted(tmp_path: Path) -> None:
    ends = ["It rained in Ost… [+2345 chars]", "It rained [+5 chars] and the sun shone."]
    records = [{"id": str(n), "text": f"The ferry left Ostrel. {end}"} for n, end in enumerate(ends)]
    found = _items(tmp_path, a__jsonl="\n".join(map(json.dumps, records)))
    assert [(one.article_id, one.note) for one in found if isinstance(one, Noted)] == [
        ("0", f"{CUT_OFF}: it ends with [+2345 chars]")
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{}", "no array of records in it"),
        ('{"a": [{"text": "Rain."}], "b": [{"text": "Sun."}]}', "several arrays of records: a, b"),
        ('[{"body": "Rain."}]', "its records have no field text; found body"),
        ('{"text": ', "malformed JSON: "),
    ],
)
def test_other_json_files_of_a_folder_are_listed_and_stop_nothing(tmp_path: Path, content: str, why: str) -> None:
    found = _items(tmp_path, a__json=content, b__txt="It rained.")
    assert isinstance(found[0], Skipped)
    assert found[0].reason.startswith(f"of another kind (.json): {why}")
    assert isinstance(found[1], Article)


@pytest.mark.parametrize("begin", ["1 of {} DOCUMENTS", "{} of 2 DOCUMENTS", "Document 1 of {}", "Documents ({})"])
def test_a_number_of_too_many_digits_is_no_count(tmp_path: Path, begin: str) -> None:
    # int() refuses more than 4,300 digits.
    body = "\n\nThe Paper\n\nMay 3, 2020\n\nA title\n\nThe boats sailed at noon, and the harbor lay still.\n"
    assert _items(tmp_path, a__txt=begin.format("9" * 5000) + body)


@pytest.mark.parametrize(
    ("words", "line"),
    [*(pair for signs in database_exports._SIGN.values() for pair in signs), *database_exports._HINTS],
    ids=lambda value: getattr(value, "pattern", "")[:60],
)
@given(data=st.data())
def test_the_words_that_are_looked_for_first_stand_in_every_line_that_counts(
    words: tuple[str, ...], line: re.Pattern[str], data: st.DataObject
) -> None:
    drawn = data.draw(st.from_regex(line))
    assert any(word in drawn.lower() for word in words)
