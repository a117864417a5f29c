"""Which columns of a table hold what, where files name them differently, and which columns are not used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import SourceError
from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.reading.tables.columns import meaning
from corpus.records import Article, CorpusSettings, Unit
from tests.conftest import Run
from tests.support.spreadsheets import xlsx

PROSE = "The council voted on the new tunnel on Monday."
NAMED = {"published": "date", "text": "body"}


def _table(path: Path, *records: Mapping[str, str]) -> Path:
    """A table of these records, of the kind that the file's name tells."""
    header = list(dict.fromkeys(name for record in records for name in record))
    cells = [[record.get(name, "") for name in header] for record in records]
    if path.suffix == ".csv":
        path.write_text("".join(",".join(row) + "\n" for row in [header, *cells]), "utf-8")
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(records), "utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(records)), path)
    else:
        path.write_bytes(xlsx({"Sheet": [header, *cells]}))
    return path


def _read(path: Path, fields: dict[str, str]) -> tuple[list[Article], list[Unit]]:
    chosen = CorpusSettings(root=str(path.parent), fields=fields)
    found = units([path], chosen)
    return [one for unit in found for one in read(unit, chosen) if isinstance(one, Article)], found


KINDS = pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "parquet", "xlsx"])


@KINDS
def test_a_file_with_stances_own_names_is_read_beside_those_that_the_settings_describe(
    kind: str, tmp_path: Path
) -> None:
    own = _table(tmp_path / f"own.{kind}", {"id": "a", "text": PROSE, "published": "2031-03-05"})
    articles, _ = _read(own, NAMED)
    assert [(one.article_id, one.text, one.published) for one in articles] == [("a", PROSE, "2031-03-05")]


@KINDS
def test_the_column_that_the_settings_name_goes_before_stances_own_name(kind: str, tmp_path: Path) -> None:
    both = {"id": "a", "body": PROSE, "text": "Teaser.", "published": "2001-01-01", "date": "2031-03-05"}
    articles, found = _read(_table(tmp_path / f"both.{kind}", both), NAMED)
    assert [(one.text, one.published) for one in articles] == [(PROSE, "2031-03-05")]
    assert set(found[0].unused) == {"text", "published"}


def test_in_records_a_field_that_some_lack_is_not_taken_from_another(tmp_path: Path) -> None:
    rows = [{"id": f"a{n}", "body": PROSE, "published": "2001-01-01"} for n in range(30)]
    articles, _ = _read(_table(tmp_path / "a.jsonl", *rows, {**rows[0], "id": "b", "date": "2031-03-05"}), NAMED)
    assert {one.published for one in articles} == {"", "2031-03-05"}


def test_a_column_that_is_another_fields_stands_in_for_none(tmp_path: Path) -> None:
    path = _table(tmp_path / "a.csv", {"id": "a", "text": "A tunnel"})
    with pytest.raises(SourceError, match="expected the column body; found id, text"):
        _read(path, {"text": "body", "title": "text"})


def test_a_file_without_a_column_is_told_what_concerns_it(tmp_path: Path) -> None:
    path = _table(tmp_path / "more.jsonl", {"id": "a", "text": PROSE, "Day": "Monday", "pub_date": "2031-03-05"})
    with pytest.raises(SourceError) as found:
        _read(path, {"published": "date"})
    assert str(found.value).endswith(
        "under [corpus.fields] in stance.toml in the folder where you run the command (make the file if it isn't "
        'there), as in: published = "pub_date"'
    )
    with pytest.raises(SourceError, match="If it has none of that kind, give it an empty column licence"):
        _read(path, {"licence": "rights"})
    with pytest.raises(SourceError, match=r'as in: text = "body"; an articles\.csv that describes other files'):
        _read(_table(tmp_path / "articles.csv", {"path": "a.txt", "outlet": "Gazette"}), {})
    with pytest.raises(SourceError, match=r'as in: text = "body"$'):
        _read(_table(tmp_path / "other.csv", {"path": "a.txt", "outlet": "Gazette"}), {})


@KINDS
def test_columns_that_hold_nothing_are_named_with_what_they_seem_to_mean(kind: str, tmp_path: Path) -> None:
    row = {"id": "a", "text": PROSE, "outlet": "Gazette", "date": "2031-03-05", "source": "x", "section": "Local"}
    _, found = _read(_table(tmp_path / f"a.{kind}", row), {})
    assert found[0].unused == {"date": "published", "source": "", "section": ""}


def test_names_are_known_however_they_are_written() -> None:
    assert [meaning(name) for name in ("Publication Date", "pub_date", "Headline", "LINK", "Text", "words")] == [
        *("published", "published", "title", "url", "text", ""),
    ]


def test_a_build_names_the_columns_that_it_does_not_use(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run("init", "--target", "a new tunnel")
    rows = [
        {"title": f"T{n}", "date": "2031-03-05", "newspaper": "Gazette", "text": PROSE, "n": str(n)} for n in range(3)
    ]
    _table(tmp_path / "news" / "all.csv", *rows)
    assert (
        "3 columns of all.csv are not used: date, newspaper, n. Where the name says what it holds, write under "
        '[corpus.fields] in stance.toml: published = "date", outlet = "newspaper"\n'
    ) in run("build", "news")
    assert "3 columns of all.csv are not used" in run("build", "news"), "an unchanged build has them too"
    settings = tmp_path / "stance.toml"
    settings.write_text(settings.read_text("utf-8") + '\n[corpus.fields]\npublished = "date"\noutlet = "newspaper"\n')
    more = {"id": "m", "text": "It rained.", "published": "2031-03-06", "outlet": ""}
    _table(tmp_path / "news" / "more.jsonl", more)
    assert "1 column of all.csv is not used: n\n" in run("build", "news")
    table = pq.read_table(BytesIO((tmp_path / "work" / "articles.parquet").read_bytes()))
    assert set(table.column("published").to_pylist()) == {"2031-03-05", "2031-03-06"}
