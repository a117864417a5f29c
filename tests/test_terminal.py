"""What a terminal shows: nothing is wider than it is, no word is lost, and colours are only there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.text_tables import table
from stance.terminal import fitted
from tests.conftest import write_news
from tests.support.terminal import at_terminal

STANCE = str(Path(sys.executable).with_name("stance"))
WORDS = st.text("ab1.-", min_size=1, max_size=12)
NUMBERS = st.text("1.-", min_size=1, max_size=12)
CELLS = st.integers(2, 9).flatmap(
    lambda columns: st.lists(st.tuples(WORDS, *[NUMBERS] * (columns - 1)).map(list), min_size=2, max_size=4)
)


@given(st.lists(st.lists(WORDS, max_size=15).map(" ".join), max_size=3), st.integers(20, 100))
def test_no_line_is_wider_and_no_word_is_lost(lines: list[str], width: int) -> None:
    found = fitted(lines, width)
    assert all(len(line) <= width for line in found)
    assert " ".join(found).split() == " ".join(lines).split()


@given(CELLS, st.integers(30, 100))
def test_a_table_keeps_its_rows_and_cells(rows: list[list[str]], width: int) -> None:
    lines = table(rows)
    found = fitted(lines, width)
    assert all(len(line) <= width for line in found)
    if max(map(len, lines)) <= width:
        assert found == lines
        return
    parts = "\n".join(found).split("\n\n")
    for number, row in enumerate(rows):
        cells = [cell for part in parts for cell in part.split("\n")[number].split()[1:]]
        assert cells == row[1:]
        assert all(part.split("\n")[number].split()[0] == row[0] for part in parts)


def test_each_part_of_a_divided_table_repeats_all_columns_that_name_its_rows() -> None:
    rows = [["shares in %", "", "sentences", "favor", "against"], ["all", "raw", "255", "14.9", "28.6"]]
    rows += [["", "settled", "160", "17.5 [8.6, 30.1]", "30.6"], ["by outlet", *[""] * 4], ["  AFP", "raw", *"678"]]
    assert fitted(table(rows, left=(0, 1, 3, 4)), 50) == [
        *("shares in %           sentences  favor", "all          raw            255  14.9"),
        *("             settled        160  17.5 [8.6, 30.1]", "by outlet", "  AFP        raw              6  7", ""),
        *("shares in %           against", "all          raw      28.6", "             settled  30.6", "by outlet"),
        "  AFP        raw      8",
    ]


def test_an_explanation_is_wrapped_beside_what_it_explains() -> None:
    lines = [
        "To begin:",
        "  stance init NAME   make a project: a folder with its settings and a codebook to fill in",
        "  stance --help      list all commands",
    ]
    assert fitted(lines, 60) == [
        "To begin:",
        "  stance init NAME   make a project: a folder with its",
        "                     settings and a codebook to fill in",
        "  stance --help      list all commands",
    ]
    assert fitted(lines, 30)[1:3] == ["  stance init NAME   make a", "    project: a folder with its"]


@given(st.lists(st.integers(0, 20), min_size=2, max_size=5, unique=True), st.integers(30, 60))
def test_an_id_behind_a_sentence_stays_with_it(lengths: list[int], width: int) -> None:
    lines = [f"  {n} ends.  3 go{' and go on' * length}  (id-{n})" for n, length in enumerate(lengths)]
    found = fitted(lines, width)
    assert all(len(line) <= width for line in found)
    assert " ".join(found).split() == " ".join(lines).split()
    assert "" not in found


def test_headings_within_a_table_stay_with_their_rows() -> None:
    lines = [
        "shares       favor    against",
        "all             10         20",
        "by outlet",
        "  Gazette        1          2",
    ]
    assert fitted(lines, 20) == [
        *("shares     favor", "all           10", "by outlet", "  Gazette      1", ""),
        *("shares     against", "all             20", "by outlet", "  Gazette        2"),
    ]


@pytest.fixture
def news(tmp_path: Path) -> Path:
    write_news(tmp_path / "news")
    for n in range(30):
        (tmp_path / "news" / f"empty {n}.txt").touch()
    return tmp_path


def test_a_terminal_gets_lines_that_fit_and_colours_and_a_file_gets_neither(news: Path) -> None:
    shown = at_terminal([STANCE, "build", "news"], news, columns=50)
    assert "\033[33m" not in shown.replace("\033[1;32mnext: \033[0m", "")
    assert "\033[1;32mnext: \033[0m" in shown
    kept = [line for line in shown.replace("\033[1;32m", "").replace("\033[0m", "").split("\n") if "\r" not in line]
    assert max(map(len, kept)) < 50
    assert any(line.startswith("  ") for line in kept)  # something was wrapped
    plain = at_terminal([STANCE, "build", "news"], news, columns=300, more={"NO_COLOR": "1"})
    assert "\033[1" not in plain
    whole = at_terminal(["sh", "-c", f"{STANCE} build news > out 2> err"], news, columns=50)
    assert not whole.strip()
    told = (news / "out").read_text("utf-8") + (news / "err").read_text("utf-8")
    assert "\033" not in told
    assert max(map(len, told.split("\n"))) > 50
    assert (
        " ".join(" ".join(kept).split())
        .replace("wrote work", "unchanged: work")
        .endswith(" ".join((news / "out").read_text("utf-8").split())[-60:])
    )


def test_an_error_is_marked_and_fits(tmp_path: Path) -> None:
    shown = at_terminal([STANCE, "push"], tmp_path, columns=40)
    assert shown.startswith("\033[1;31mstance: \033[0mstance.toml is not there")
    assert max(len(line) for line in shown.replace("\033[1;31m", "").replace("\033[0m", "").split("\n")) < 40
