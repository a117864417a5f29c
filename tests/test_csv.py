"""CSV files: what RFC 4180 allows is read as it stands; of the rest nothing is invented or lost in silence."""

from __future__ import annotations

import csv
import io
import itertools
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import ExamplesError, SourceError
from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.reading.tables.csv_dialects import BARE, ESCAPED
from corpus.reading.tables.csv_lines import csv_encoding
from corpus.reading.tables.csv_table import SWALLOWED, UNLIKE, Broken, CsvRow, CsvTable
from corpus.records import Article, CorpusSettings, Noted, Skipped
from train.examples.load import load_examples
from train.examples.load import read as read_examples

WRITTEN = (
    '1,"He said \\"we go\\" and left.\nThe boats sailed, and it rained all day.\nThe mayor stayed, but nobody came."\n'
)
"""A row of Spark's: of its text's lines, two look like rows of two fields."""


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _table(path: Path) -> list[CsvRow | Broken]:
    with CsvTable(path, csv_encoding(path)) as table:
        return list(table.rows())


def _rows(tmp_path: Path, content: str | bytes) -> list[list[str]]:
    """The rows of a table all of which are read, without anything to say."""
    found = _table(_write(tmp_path / "a.csv", content))
    assert all(isinstance(row, CsvRow) and not row.note for row in found), found
    return [row.fields for row in found if isinstance(row, CsvRow)]


def _read(path: Path) -> tuple[dict[str, str], list[str], list[str]]:
    """Texts by id, reasons of what is skipped, and notes."""
    chosen = CorpusSettings(root=str(path.parent))
    found = [item for unit in units([path], chosen) for item in read(unit, chosen)]
    return (
        {item.article_id: item.text for item in found if isinstance(item, Article)},
        [item.reason for item in found if isinstance(item, Skipped)],
        [item.note for item in found if isinstance(item, Noted)],
    )


# What RFC 4180 allows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_what_a_quoted_field_may_hold_is_kept(tmp_path: Path, mark: str, end: str) -> None:
    texts = [
        'He said "no". She said "yes".',
        f"One, two; three\tfour{end}{end}Five.",
        '"All of it is quoted."',
        "C:\\dir\\",
        'A backslash and a mark: \\"',
        f'The last word is "quoted"{end}And the next line, too, has a "mark".',
        "5 < 6 & 7 > 6",
        " leading and trailing ",
        '""',
    ]
    file = io.StringIO()
    csv.writer(file, delimiter=mark, lineterminator=end).writerows([["id", "text"], *enumerate(texts, 1)])
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert _rows(tmp_path, file.getvalue().encode(encoding)) == [[str(n), text] for n, text in enumerate(texts, 1)]


@given(
    rows=st.lists(
        st.lists(
            st.one_of(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
                st.text(alphabet='ab1,;\t"\n\r\\ .', max_size=20),
                st.from_regex(r"[0-9]{1,4}|https?://a\.b/[0-9]", fullmatch=True),
            ),
            min_size=3,
            max_size=3,
        ),
        max_size=8,
    ),
    mark=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    named=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_the_csv_module_writes_is_read_as_it_was(
    tmp_path: Path, rows: list[list[str]], mark: str, end: str, quoting: int, named: bool
) -> None:
    if quoting != csv.QUOTE_ALL:  # the csv module leaves a carriage return alone, which is a line's end to all others
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=mark, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([["a", "b", "c"], *rows])
    content = (f"sep={mark}{end}" if named else "") + file.getvalue()
    found = _table(_write(tmp_path / "a.csv", content))
    assert not [row for row in found if isinstance(row, Broken)]
    assert [row.fields for row in found if isinstance(row, CsvRow)] == rows
    # A text whose lines are rows of the table cannot be told from rows that were swallowed: that much is said.
    assert {row.note for row in found if isinstance(row, CsvRow)} <= {"", SWALLOWED, UNLIKE}


def test_marks_in_a_field_that_is_not_quoted_are_text(tmp_path: Path) -> None:
    assert _rows(tmp_path, 'id\ttext\n1\tHe said "no" twice.\n2\tA pipe of 5" or 6".\n3\tIt is 5" long.\n') == [
        ["1", 'He said "no" twice.'],
        ["2", 'A pipe of 5" or 6".'],
        ["3", 'It is 5" long.'],
    ]


def test_an_article_that_quotes_a_table_is_one_article_and_that_is_said(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", 'id,text\n1,"The results:\n2,Smith\n3,Jones"\n4,It rained.\n')
    texts, reasons, notes = _read(path)
    assert texts == {"1": "The results:\n2,Smith\n3,Jones", "4": "It rained."}
    assert (reasons, notes) == ([], [SWALLOWED])


# The line that names the separator


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;\r", "\ufeffsep=;"])
def test_excels_line_that_names_the_separator_is_no_header(tmp_path: Path, first: str) -> None:
    path = _write(tmp_path / "a.csv", f"{first}\nid;text\n1;The boats left, all of them. It rained.\n")
    texts, reasons, notes = _read(path)
    assert texts == {"1": "The boats left, all of them. It rained."}
    assert not reasons + notes


@pytest.mark.parametrize("mark", [",", "\t", "|", ";"])
def test_any_separator_can_be_named(tmp_path: Path, mark: str) -> None:
    content = f"sep={mark}\r\nid{mark}text\r\n1{mark}Rain.\r\n"
    assert _rows(tmp_path, content.encode("utf-16")) == [["1", "Rain."]]
    assert _table(_write(tmp_path / "a.csv", f"sep={mark}\nid{mark}text\n1{mark}a{mark}b\n")) == [
        Broken(3, 3, "expected as many fields as the header has; found 3")
    ]


def test_separators_inside_of_a_quoted_column_name_do_not_count(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", '"name, place, year";text\nx;Rain.\n')
    with CsvTable(path, "utf-8") as table:
        assert table.header == ["name, place, year", "text"]


# Marks that are not doubled: read where it is certain


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_after_a_backslash_are_read_and_it_is_said(tmp_path: Path, mark: str, end: str) -> None:
    content = f"id,text\n{WRITTEN}" + '2,"The mayor slept. It rained all day."\n3,"A path: C:\\\\dir."\n'
    content = content.replace("id,", f"id{mark}").replace("1,", f"1{mark}").replace('2,"', f'2{mark}"')
    content = content.replace('3,"', f'3{mark}"').replace("\n", end)
    texts, reasons, notes = _read(_write(tmp_path / "a.csv", content))
    assert list(texts) == ["1", "2", "3"]
    assert texts["1"].splitlines()[0] == 'He said "we go" and left.'
    assert texts["1"].splitlines()[2] == "The mayor stayed, but nobody came."
    assert (reasons, notes) == ([], [ESCAPED])


def test_a_backslash_before_the_mark_that_ends_a_field_is_told_by_the_other_rows(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", 'id,text\n1,"C:\\dir\\"\n2,"It rained, and \\"\n')
    assert _read(path)[0] == {"1": "C:\\dir\\", "2": "It rained, and \\"}
    escaped = '1,"They call him \\"Bob\\".\nThe boats sailed, all."\n2,"She asked \\"why\\",\nand he left, too."\n'
    texts, reasons, notes = _read(
        _write(tmp_path / "b.csv", f'id,text\n{escaped}3,"Who? \\"\\", she said.\nNo one."\n')
    )
    assert texts["2"] == 'She asked "why",\nand he left, too.'
    assert texts["3"] == 'Who? "", she said.\nNo one.'
    assert not reasons
    assert set(notes) == {ESCAPED}


def test_separators_after_a_backslash_are_text(tmp_path: Path) -> None:
    texts, reasons, notes = _read(_write(tmp_path / "a.csv", "id,text\n1,One\\, two.\n2,Three.\n"))
    assert (texts, reasons, notes) == ({"1": "One, two.", "2": "Three."}, [], [ESCAPED])


def test_marks_inside_of_a_quoted_field_are_read_where_they_can_be_nothing_else(tmp_path: Path) -> None:
    first = '1,"The "old" bridge is shut.\nThe clerk, who was ill, slept.\nTrucks wait, as do cars."\n'
    texts, reasons, notes = _read(_write(tmp_path / "a.csv", f'id,text\n{first}2,"It rained all day."\n'))
    assert texts["1"].splitlines()[0] == 'The "old" bridge is shut.'
    assert texts["1"].splitlines()[-1] == "Trucks wait, as do cars."
    assert list(texts) == ["1", "2"]
    assert (reasons, notes) == ([], [BARE])
    quoted = '"id","title"\n"a","He said "no" twice."\n"b","She said "yes"."\n"c","Rain."\n'
    with_names = _table(_write(tmp_path / "b.csv", quoted))
    assert [row.fields for row in with_names if isinstance(row, CsvRow)] == [
        ["a", 'He said "no" twice.'],
        ["b", 'She said "yes".'],
        ["c", "Rain."],
    ]


@pytest.mark.parametrize(
    "first",
    [
        '1,"He said "we go", and left.\nThe boats sailed, all of them.\nThe mayor stayed, but nobody came."\n',
        '1,"He said "we go.\nThe boats sailed, all of them.\nThey left", he said."\n',
        '1,"A pipe of 5"\nThe boats sailed, all of them."\n',
        '1,"She called it "great"\nThe boats sailed, all of them.\nHe left."\n',
        '1,""Go," she said.\nThe boats left, all of them.\nHe left."\n',
        '1,"The "old\n2,000 boats, or so.\nThe boats left, all."\n',
        '1, "The boats left.\nThe mayor stayed, but nobody came."\n',
        "1,The boats left.\nThe mayor stayed, but nobody came.\nNobody slept.\n",
        "1,The boats left.\nNobody slept.\nThe mayor stayed, but nobody came.\n",
    ],
    ids=range(9),
)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_lines_of_a_broken_field_are_never_articles(tmp_path: Path, first: str, mark: str) -> None:
    good = "".join(f"{n},The mayor of town {n} slept.\n" for n in range(2, 9))
    for content in (
        f"id,text\n{first}{good}",
        f"id,text\n8,Rain.\n9,Rain.\n{first}{good[:-40]}\n",
        f"id,text\n{first}",
    ):
        texts, reasons, notes = _read(_write(tmp_path / "a.csv", content.replace(",", mark)))
        assert set(texts) <= {str(n) for n in range(1, 10)}
        assert reasons + notes
        assert all("The mayor of town" not in text or "\n" not in text for text in texts.values())


@pytest.mark.parametrize("columns", ["title,text", "text", "text,label"])
def test_where_nothing_tells_a_row_from_prose_all_behind_is_refused_and_counted(tmp_path: Path, columns: str) -> None:
    good = {"title,text": "Town,It rained.", "text": "It rained.", "text,label": "It rained.,none"}[columns]
    rows = [good] * 5 + ['"He said we go.', *[good] * 40]
    path = _write(tmp_path / "a.csv", "\n".join([columns, *rows, ""]))
    *read_rows, broken = _table(path)
    assert len(read_rows) == 5
    assert isinstance(broken, Broken)
    assert (broken.first, broken.last) == (7, 47)
    assert "(41 lines)" in str(broken)
    assert "nothing in this table tells" in str(broken)


# Marks that are never closed


@pytest.mark.parametrize("behind", [1, 2, 48, 298])
@pytest.mark.parametrize("bad", ['2,"We go, he said. It rained.', '2,"', '2,"She left'])
def test_a_mark_that_is_never_closed_costs_its_own_row(tmp_path: Path, behind: int, bad: str) -> None:
    rows = ["1,The town slept. It rained.", bad]
    rows += [f"{n},Town {n} has a plan. It costs {n} crowns." for n in range(3, 3 + behind)]
    texts, reasons, notes = _read(_write(tmp_path / "a.csv", "\n".join(["id,text", *rows, ""])))
    assert list(texts) == ["1", *map(str, range(3, 3 + behind))]
    assert reasons == ["malformed CSV: line 3: a quotation mark is opened and never closed"]
    assert not notes


@pytest.mark.parametrize("closes", ['30,"A quoted, good text."', '30,"Said ""no"" twice."', '30,"",x', "30,It is 5"])
def test_a_mark_that_another_rows_mark_closes_swallows_nothing_in_silence(tmp_path: Path, closes: str) -> None:
    rows = [f"{n},Town {n} has a plan." for n in range(1, 60)]
    rows[1], rows[4], rows[29] = '2,"We go.', '5,"She left.', closes
    texts, reasons, notes = _read(_write(tmp_path / "a.csv", "\n".join(["id,text", *rows, ""])))
    assert set(texts) >= {str(n) for n in range(1, 60)} - {"2", "5", "29", "30", "31"}
    assert all("\n" not in text for text in texts.values())
    assert reasons
    assert not notes


def test_a_mark_that_ends_a_later_line_is_said_to_perhaps_swallow_rows(tmp_path: Path) -> None:
    rows = [f"{n},Town {n} has a plan." for n in range(1, 9)]
    rows[1], rows[6] = '2,"We go.', '7,A pipe of 5"'
    texts, reasons, notes = _read(_write(tmp_path / "a.csv", "\n".join(["id,text", *rows, ""])))
    assert set(texts) == {"1", "2", "8"}
    assert (reasons, notes) == ([], [SWALLOWED])


def test_a_mark_that_is_missing_in_the_first_row_is_said_to_perhaps_swallow_rows(tmp_path: Path) -> None:
    rows = ['1,"Rain.', "The mayor left.,Gazette", "2,It rained.,Herald", '3,", said mayor', '""no""', '""no""",G']
    rows += [f"{n},Snow.,Herald" for n in range(4, 8)]
    texts, reasons, notes = _read(_write(tmp_path / "a.csv", "\n".join(["id,text,outlet", *rows, ""])))
    assert set(texts) == {"1", "4", "5", "6", "7"}
    assert (len(reasons), notes) == (1, [SWALLOWED])


def test_a_row_of_another_length_costs_itself_alone(tmp_path: Path) -> None:
    content = "id,text\n1,Rain.\n2,Rain, again.\n3\n4,Rain.\n\n5,Rain.\n(4 rows)\n"
    texts, reasons, _ = _read(_write(tmp_path / "a.csv", content))
    assert list(texts) == ["1", "4", "5"]
    assert [reason.partition(": expected")[0] for reason in reasons] == [
        "malformed CSV, 2 lines: lines 3 to 4 (2 lines)",
        "malformed CSV: line 8",
    ]
    texts, reasons, _ = _read(_write(tmp_path / "b.csv", "title,text\nA b,Rain.\nC d,Rain, again.\nE f,Snow.\n"))
    assert list(texts.values()) == ["Rain.", "Snow."]
    assert len(reasons) == 1


@pytest.mark.parametrize(
    "content",
    [
        "id,text\n1,The town slept.\nIt rained, and the mayor stayed.\n2,The mayor stayed.\n3,Snow fell.\n",
        "id,text\n1,The town slept.\nThen, she left.\n2,The mayor stayed.\n3,Snow fell.\n",
        "id,day,text\n1,2020-01-02,The town slept.\nIt rained, and she stayed, too.\n2,2020-01-03,Snow fell.\n",
        "title,text\nA b,The town slept.\nIt rained, and the mayor stayed.\nC d,Snow fell.\n",
    ],
)
def test_an_unquoted_text_of_several_lines_is_spoken_of_in_a_short_table_too(tmp_path: Path, content: str) -> None:
    texts, reasons, notes = _read(_write(tmp_path / "a.csv", content))
    assert (len(texts), reasons, notes) == (content.count("\n") - 1, [], [UNLIKE])


def test_tables_that_mean_what_they_say_get_no_note(tmp_path: Path) -> None:
    for content in (
        "title,text\nA b, The town slept.\nC d, The mayor stayed.\n",
        "title,text\nRain,The town slept.\nSnow in May,The mayor stayed.\n",
        'id,text\na1,The town slept.\na2,"It rained, and she stayed."\n',
    ):
        _, reasons, notes = _read(_write(tmp_path / "a.csv", content))
        assert (reasons, notes) == ([], [])


def test_a_row_that_is_unlike_the_others_may_be_a_line_of_one_and_that_is_said(tmp_path: Path) -> None:
    rows = [f"{n},Town {n} has a plan." for n in range(1, 9)]
    rows.insert(5, "The mayor stayed, but nobody came.")
    _, reasons, notes = _read(_write(tmp_path / "a.csv", "\n".join(["id,text", *rows, ""])))
    assert (reasons, notes) == ([], [UNLIKE])


@given(
    seed=st.integers(0, 100_000), kind=st.sampled_from(["drop", "add", "bare", "slash"]), mark=st.sampled_from(",;\t")
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=120)
def test_a_damaged_table_gives_no_article_that_was_not_in_it_and_loses_none_in_silence(
    tmp_path: Path, seed: int, kind: str, mark: str
) -> None:
    chance = random.Random(seed)
    words = f'town boats left{mark} "no" mayor {mark} rain. said'.split(" ")

    def text() -> str:
        return "\n".join(" ".join(chance.choices(words, k=chance.randint(1, 6))) for _ in range(chance.randint(1, 4)))

    rows = [[str(n), text(), chance.choice(["Herald", "Gazette"])] for n in range(1, 30)]
    file = io.StringIO()
    spark = {"doublequote": False, "escapechar": "\\"} if kind == "slash" else {}
    csv.writer(file, delimiter=mark, lineterminator="\n", **spark).writerows(rows)  # type: ignore[arg-type]
    lines = file.getvalue()
    place = max(lines.find('"', chance.randrange(len(lines))), 0)
    if kind == "drop":
        lines = lines[:place].rstrip('"') + lines[place + 1 :]
    elif kind == "add":
        lines = f'{lines[:place]}"{lines[place:]}'
    elif kind == "bare":
        lines = lines.replace('""', '"')
    found = _table(_write(tmp_path / "a.csv", f"id{mark}text{mark}outlet\n{lines}"))
    kept = {row.line: row for row in found if isinstance(row, CsvRow)}
    broken = [row for row in found if isinstance(row, Broken)]
    starts = itertools.accumulate((row[1].count("\n") + 1 for row in rows[:-1]), initial=2)
    begins = dict(zip(starts, rows, strict=True))
    assert kept.keys() <= begins.keys()
    wrong = [row for line, row in kept.items() if row.fields != begins[line]]
    assert len(wrong) <= (kind in ("drop", "add")), wrong
    for line in begins.keys() - kept.keys():
        before = max((one for one in kept if one < line), default=0)
        assert any(one.first <= line <= one.last for one in broken) or kept[before].note


# Sidecars, training data, size


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('file,title\na.txt,"Rain\nb.txt,Sun\n', "line 2: a quotation mark is opened and never closed"),
        ('file,title\na.txt,"The "old", bridge"\nb.txt,Sun\n', "line 2: a quotation mark inside"),
        ("file,title,outlet\na.txt,Rain, again,Herald\n", "line 2: expected as many fields as the header has; found 4"),
    ],
)
def test_a_malformed_sidecar_is_an_error_that_names_the_line(tmp_path: Path, content: str, message: str) -> None:
    _write(tmp_path / "a.txt", "It rained all day.")
    _write(tmp_path / "b.txt", "It rained all night.")
    _write(tmp_path / "articles.csv", content)
    with pytest.raises(SourceError, match=rf"articles\.csv: {message}"):
        units([tmp_path], CorpusSettings())


def test_a_sidecar_of_excels_is_read(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt", "It rained all day.")
    _write(tmp_path / "articles.csv", 'sep=;\r\nfile;outlet;title\r\na.txt;Herald;"A ""wet"" day"\r\n'.encode("utf-16"))
    (unit,) = units([tmp_path], CorpusSettings(root=str(tmp_path)))
    assert unit.metadata == {"outlet": "Herald", "title": 'A "wet" day'}
    _write(tmp_path / "articles.csv", "file;outlet;title\na.txt;Herald\n")
    (unit,) = units([tmp_path], CorpusSettings(root=str(tmp_path)))
    assert unit.metadata == {"outlet": "Herald"}


def _examples(path: Path, *rows: str, header: str = "text;label") -> Path:
    good = [
        f"The {word} of town {n} is a {word}.;{label}"
        for n in range(6)
        for word, label in (("bad", "against"), ("good", "favor"))
    ]
    return _write(path, "\n".join([header, *good, *rows, ""]))


def test_training_data_are_read_by_the_same_rules(tmp_path: Path) -> None:
    path = _examples(tmp_path / "a.csv", '"She said ""no""; he left.";none')
    assert load_examples(path)[-1].text == 'She said "no"; he left.'
    path = _examples(tmp_path / "b.csv", '"She said \\"no\\"; he left.";none')
    read_so = read_examples(path)
    assert read_so.examples[-1].text == 'She said "no"; he left.'
    assert read_so.notes == [f"{path}: {ESCAPED} (1 row)"]
    path = _write(tmp_path / "c.csv", b"sep=;\r\n" + path.read_bytes())
    assert len(load_examples(path)) == 13
    path = _write(tmp_path / "d.csv", _examples(path).read_text().encode("utf-16"))
    assert len(load_examples(path)) == 12


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('"She left;none', r"line 14: a quotation mark is opened and never closed"),
        ("She left;he stayed;none", "line 14: expected as many fields as the header has; found 3"),
        ('"She "left"; he stayed";none', "line 14: a quotation mark inside a quoted field is not doubled"),
    ],
)
def test_malformed_training_data_are_an_error_that_names_the_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ExamplesError, match=rf"a\.csv: malformed CSV in 1 place(.|\n)*{message}"):
        load_examples(_examples(tmp_path / "a.csv", row))


def test_a_malformed_header_is_an_error_that_names_its_line(tmp_path: Path) -> None:
    for content in ('id,"text\n1,Rain.\n', 'id,"te"xt\n1,Rain.\n'):
        with pytest.raises(SourceError, match=r"a\.csv, line 1: malformed CSV: a quotation mark"):
            units([_write(tmp_path / "a.csv", content)], CorpusSettings())


def test_no_damage_makes_reading_slow(tmp_path: Path) -> None:
    before = time.process_time()
    marks = "\n".join([f'{n},"' + '"' * (n % 7) + "x" for n in range(20_000)])
    _table(_write(tmp_path / "a.csv", f"id,text\n{marks}\n"))
    _table(_write(tmp_path / "b.csv", 'id,text\n1,"' + '"' * 200_000 + "x\n2,y\n"))
    _table(_write(tmp_path / "c.csv", 'id,text\n1,"a"b' + '\n"' * 50_000 + "\n2,y\n"))
    _table(_write(tmp_path / "d.csv", 'id,text\n1,"a\\"b' + '\n"x' * 50_000 + "\n2,y\n"))
    assert time.process_time() - before < 8


def test_an_identifier_of_too_many_digits_is_text(tmp_path: Path) -> None:
    # int() refuses more than 4,300 digits.
    digits = "9" * 5000
    rows = "".join(f'{digits}{n},"The boats sailed at noon, and it rained."\n' for n in range(3))
    found = _table(_write(tmp_path / "a.csv", f"id,text\n{rows}"))
    assert [row.fields[0] for row in found if isinstance(row, CsvRow)] == [f"{digits}{n}" for n in range(3)]
