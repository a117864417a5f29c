"""Where labeling stands: who and what is counted, who is warned about, and what the terminal and JSON say."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import TableError
from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_jsonl, table_path, write_jsonl, write_table
from labeling.annotator_checks import AlwaysSame, TooFast, control_items, skipped_controls, warnings
from labeling.codebook import Change
from labeling.messages.status import show_status
from labeling.records import Annotation
from labeling.sampling.sample_table import Draw, write_sample
from labeling.scheme import DEFAULT, Stance
from labeling.statistics.agreement import gwet_ac1, krippendorff_alpha
from labeling.statistics.intervals import Estimate
from labeling.status import Status, read_status
from labeling.votes import latest_answers
from tests.conftest import book, vote


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A corpus of ten sentences, s00 to s09, in three articles of two outlets; s09 is an exact copy of s04."""
    work = tmp_path / "work"
    articles = [("a", "Gazette"), ("b", "Sentinel"), ("c", "")]
    write_table(
        work / "articles.parquet",
        pa.Table.from_pylist(
            [dict.fromkeys(ARTICLES.names, "") | {"article_id": key, "outlet": outlet} for key, outlet in articles],
            schema=ARTICLES,
        ),
    )
    rows = [
        dict.fromkeys(SENTENCES.names, "")
        | {
            "sentence_id": f"s{n:02}",
            "article_id": "abc"[n % 3],
            "copy_id": "s04" if n == 9 else f"s{n:02}",
            "text": f"Sentence number {n} has these words.",
            "index": n,
            "start": 0,
            "end": 0,
        }
        for n in range(10)
    ]
    write_table(work / "sentences.parquet", pa.Table.from_pylist(rows, schema=SENTENCES))
    return work


def _answers(work: Path, answers: Sequence[Annotation]) -> None:
    write_jsonl(table_path(work, "annotations.jsonl"), answers)


def _sample(work: Path, draws: Sequence[tuple[str, str]]) -> None:
    write_sample(work, [Draw(sentence_id=key, round=n, by=by) for n, (key, by) in enumerate(draws, 1)])  # type: ignore[arg-type]


def test_without_a_corpus_status_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="run `stance build` first"):
        read_status(tmp_path)


def test_before_the_first_pull_nothing_is_labelled(work: Path) -> None:
    status = read_status(work)
    assert (status.sentences, status.labelled, status.shared, status.annotators) == (9, 0, 0, [])
    assert math.isnan(status.agreement.alpha.value)
    assert json.loads(msgspec.json.encode(status))["agreement"]["alpha"] == {"value": None, "low": None, "high": None}
    text = show_status(status)
    assert text.startswith("0 of 9 sentences labelled, 0 by two or more (exact copies count once)\n")
    assert "Krippendorff's alpha (nominal) undefined" in text


def test_progress_counts_a_copy_group_once(work: Path) -> None:
    both = [vote(key, name, "favor") for key in ("s04", "s09") for name in ("A1", "A2")]
    _answers(work, [*both, vote("s00", "A1", "none"), vote("s01", "A1", None)])
    status = read_status(work)
    assert (status.sentences, status.labelled, status.shared) == (9, 2, 1)
    assert status.agreement.sentences == 2
    assert [(row.outlet, row.sentences, row.labelled) for row in status.outlets] == [
        ("Gazette", 3, 1),
        ("Sentinel", 3, 1),
        (None, 3, 0),
    ]


def test_a_copy_counts_for_its_group_wherever_it_was_labelled(work: Path) -> None:
    _answers(work, [vote("s09", "A1", "favor")])
    assert read_status(work).labelled == 1


def test_of_a_sample_only_what_was_drawn_for_labels_is_to_label(work: Path) -> None:
    _sample(work, [("s00", "random"), ("s01", "keyword"), ("s00", "control"), ("s05", "control"), ("gone", "random")])
    _answers(work, [vote("s00", "A1", "favor"), vote("s05", "A1", "favor"), vote("s05", "A2", "none")])
    status = read_status(work)
    assert (status.sentences, status.labelled, status.shared, status.unsampled) == (2, 1, 0, 1)
    assert status.agreement.sentences == 1
    assert [(row.outlet, row.sentences, row.labelled) for row in status.outlets] == [
        ("Gazette", 1, 1),
        ("Sentinel", 1, 0),
    ]
    text = show_status(status)
    assert (
        "1 more sentence is labelled that no round drew: its votes count, but not in estimates for the corpus" in text
    )
    first = "1 of 2 drawn sentences labelled, 0 by two or more (exact copies count once; the corpus has 9 different"
    assert text.startswith(f"{first} sentences)\n")
    assert re.search(r"^outlet +drawn sentences +labelled$", text, re.MULTILINE)
    assert re.search(r"^outlet +different sentences +labelled$", show_status(_of_all(work)), re.MULTILINE)


def _of_all(work: Path) -> Status:
    _sample(work, [])
    return read_status(work)


def test_numbers_from_a_thousand_on_have_separators(work: Path) -> None:
    status = read_status(work)
    large = {"sentences": 2345, "labelled": 1234, "shared": 1000, "different": 9999, "unsampled": 1111}
    row = msgspec.structs.replace(status.outlets[0], sentences=7654, labelled=4321)
    text = show_status(msgspec.structs.replace(status, **large, outlets=[row]))
    assert "1,234 of 2,345 drawn sentences labelled, 1,000 by two or more (exact copies count once; the corpus" in text
    assert "has 9,999 different sentences)\n1,111 more sentences are labelled that no round drew: their votes" in text
    assert re.search(r"^Gazette +7,654 +4,321$", text, re.MULTILINE)


@pytest.mark.parametrize(("sampled", "outlet"), [(["s09"], "Gazette"), (["s09", "s04"], "Sentinel")])
def test_a_copy_group_counts_for_the_outlet_of_its_first_sampled_copy(
    work: Path, sampled: list[str], outlet: str
) -> None:
    _sample(work, [(key, "random") for key in sampled])
    status = read_status(work)
    assert status.sentences == 1
    assert [row.outlet for row in status.outlets] == [outlet]


def test_ignored_accounts_count_nowhere_and_are_named(work: Path) -> None:
    kept = [vote(f"s{n:02}", name, DEFAULT.names[n % 3]) for n in range(8) for name in ("A1", "A2")]
    _answers(work, kept)
    before = read_status(work)
    trial = [vote(f"s{n:02}", "A3", "none", seconds=0.1) for n in range(9)] + [vote("s00", "A3", "favor", control=1)]
    _answers(work, [*trial, *kept])
    status = read_status(work, frozenset({"A3", "A7"}))
    assert status.ignored == {"A3": 10}
    same = msgspec.structs.replace(status, ignored={})
    assert msgspec.json.encode(same) == msgspec.json.encode(before)
    assert read_status(work).agreement.alpha.value < status.agreement.alpha.value == 1
    assert "not counted: 10 answers of A3, ignored" in show_status(status)
    assert "counted: A1, A2, on 8 sentences of 3 articles" in show_status(status)


def test_answers_to_vanished_sentences_are_counted_apart(work: Path) -> None:
    _answers(work, [vote("old", "A1", "favor"), vote("old", "A2", "favor"), vote("s00", "A1", "none")])
    status = read_status(work)
    assert (status.labelled, status.gone, status.agreement.sentences) == (1, 2, 0)
    assert [row.annotator for row in status.annotators] == ["A1", "A2"]
    assert "not counted: 2 answers to sentences that the corpus doesn't have any more" in show_status(status)


def test_an_annotators_last_answers_are_summed_up(work: Path) -> None:
    _answers(
        work,
        [
            vote("s00", "A1", "favor", updated_at="2031-01-01", seconds=100.0),
            vote("s00", "A1", "against", updated_at="2031-01-02", seconds=8.0, unsure=True),
            vote("s01", "A1", None, seconds=2.0, unsure=True),
            vote("s02", "A1", "none", seconds=4.0),
            vote("s04", "A1", "none"),
            vote("s02", "A1", "favor", seconds=1.0, control=1),
        ],
    )
    (row,) = read_status(work).annotators
    assert row.votes == {"favor": 0, "against": 1, "none": 2}
    assert (row.skips, row.unsure, row.seconds) == (1, 1, 4.0)


def test_the_least_alike_sentences_come_first_then_more_votes_then_ids(work: Path) -> None:
    labels = {
        "s04": "favor against",
        "s02": "favor against",
        "s05": "favor against none",
        "s01": "favor favor none",
        "s00": "favor favor favor",
        "s06": "favor favor favor none",
    }
    rows = [vote(key, f"A{n}", label) for key, given in labels.items() for n, label in enumerate(_stances(given))]
    _answers(work, rows)
    contested = read_status(work).contested
    assert [row.sentence_id for row in contested] == ["s05", "s02", "s04", "s01", "s06"]
    assert [row.alike for row in contested] == [0, 0, 0, pytest.approx(1 / 3), 0.5]
    assert (contested[0].article_id, contested[0].text) == ("c", "Sentence number 5 has these words.")
    assert contested[0].votes == {"A0": "favor", "A1": "against", "A2": "none"}


def _stances(text: str) -> list[Stance]:
    return [stance for word in text.split() for stance in DEFAULT.names if stance == word]


def _fast(timed: int, quick: int) -> list[TooFast | AlwaysSame]:
    # Ten words: a second is the threshold, and exactly a second is not quicker.
    answers = [vote(f"s{n}", "A1", DEFAULT.names[n % 3], seconds=0.9 if n < quick else 1.0) for n in range(timed)]
    answers.append(vote("untimed", "A1", "favor"))
    return warnings(answers, dict.fromkeys([row.sentence_id for row in answers], 10))


def test_more_than_half_of_twenty_timed_answers_quicker_than_reading_is_a_warning() -> None:
    assert _fast(20, 10) == []
    assert _fast(19, 19) == []
    assert _fast(20, 11) == [TooFast(annotator="A1", answers=20, quick=11, seconds=0.9, needed=1.0)]


def _alike(same: int, votes: int, others: str) -> list[TooFast | AlwaysSame]:
    """A1 votes none on `same` of `votes` sentences, A2 as `others` says: n none, f favor, a dot no vote."""
    answers = [vote(f"s{n:02}", "A1", "none" if n < same else "favor") for n in range(votes)]
    answers += [
        vote(f"s{n:02}", "A2", {"n": "none", "f": "favor"}[letter]) for n, letter in enumerate(others) if letter != "."
    ]
    return [row for row in warnings(answers, {}) if row.annotator == "A1"]


def test_one_label_throughout_is_a_warning_only_where_the_others_differ() -> None:
    found = AlwaysSame(annotator="A1", label="none", votes=20, same=19, others=20, others_same=15)
    assert _alike(19, 20, "n" * 15 + "f" * 5) == [found]
    assert _alike(19, 20, "n" * 16 + "f" * 4) == []
    assert _alike(18, 20, "n" * 15 + "f" * 5) == []
    assert _alike(19, 19, "n" * 10 + "f" * 9) == []
    assert _alike(40, 40, "." * 40) == []
    assert _alike(40, 40, "f" * 19 + "." * 21) == []


def test_a_control_item_is_held_against_the_own_vote_before_it() -> None:
    def at(day: int, label: Stance | None, control: int = 0, name: str = "A1", key: str = "s1") -> Annotation:
        return vote(key, name, label, control=control, updated_at=f"2031-01-{day:02}")

    def found(*answers: Annotation) -> list[tuple[str, int, float]]:
        rows = control_items(answers)
        assert rows == control_items(answers[::-1])
        return [(row.annotator, row.repeats, row.same) for row in rows]

    assert found(at(1, "favor"), at(9, "favor", 2)) == [("A1", 1, 1.0)]
    assert found(at(1, "favor"), at(9, "none", 2)) == [("A1", 1, 0.0)]
    assert found(at(1, "none"), at(5, "favor"), at(9, "favor", 2)) == [("A1", 1, 1.0)]
    assert found(at(1, "favor"), at(7, "none", 2), at(8, "favor", 2), at(9, "none", 3)) == [("A1", 2, 0.5)]
    # No vote of one's own before: later, someone else's, of another sentence, skipped.
    assert found(at(9, "favor", 2), at(10, "favor")) == []
    assert found(at(1, "favor", name="A2"), at(1, "favor", key="s2"), at(9, "favor", 2)) == []
    assert found(at(1, "favor"), at(2, None), at(9, "favor", 2)) == []
    assert found(at(1, "favor"), at(9, None, 2)) == []


def test_skipped_control_items_are_counted_by_annotator_and_shown(work: Path) -> None:
    rows = [
        vote("s", "A1", None, control=2, updated_at="2026-01-01"),
        vote("s", "A1", "favor", control=3, updated_at="2026-01-01"),
        vote("t", "A1", None, control=3, updated_at="2026-01-01"),
        vote("t", "A2", None, control=3, updated_at="2026-01-01"),
        vote("t", "A2", "none", control=3, updated_at="2026-01-02"),  # answered in the end
        vote("t", "A3", None),
    ]
    assert skipped_controls(rows) == skipped_controls(rows[::-1]) == {"A1": 2}


def test_comments_of_last_answers_are_collected_and_the_latest_are_shown(work: Path) -> None:
    ids = ["s00", "s01"]
    rows = [
        vote(ids[0], "A1", "favor", comment="First thought.", updated_at="2026-01-01"),
        vote(ids[0], "A1", "none", comment="Irony?", updated_at="2026-01-03"),
        vote(ids[1], "A2", None, comment="Torn\nsentence.", updated_at="2026-01-02"),
        vote(ids[1], "A1", "favor", updated_at="2026-01-02"),
    ]
    _answers(work, rows)
    status = read_status(work)
    assert sorted((row.annotator, row.stance, row.comment) for row in status.comments) == [
        ("A1", "none", "Irony?"),
        ("A2", None, "Torn\nsentence."),
    ]
    shown = show_status(status)
    text = {row.sentence_id: row.text for row in status.comments}
    assert all(text.values())
    assert (
        f"comments of annotators: 2\n  A1 none ({ids[0]}): Irony?\n      on: {text[ids[0]]}\n"
        f"  A2 skipped ({ids[1]}): Torn sentence.\n      on: {text[ids[1]]}"
    ) in shown


def test_control_items_are_no_votes_and_shown(work: Path) -> None:
    ordinary = [vote(f"s{n:02}", "A1", "favor", updated_at="1") for n in range(4)]
    repeats = [vote(f"s{n:02}", "A1", "none" if n else "favor", control=1, updated_at="2") for n in range(4)]
    _answers(work, [*ordinary, *repeats])
    status = read_status(work)
    assert status.annotators[0].votes == {"favor": 4, "against": 0, "none": 0}
    assert "control items: A1 repeated their own earlier vote on 25.0 % of 4" in show_status(status)


ANSWERS = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.sampled_from(["A1", "A2", "A3"]),
        st.sampled_from([*DEFAULT.names, None]),
        st.none() | st.floats(0, 60),
        st.integers(0, 1),
    ),
    max_size=40,
)


@given(ANSWERS, st.randoms())
def test_the_order_of_answers_changes_nothing(
    answers: list[tuple[int, str, Stance | None, float | None, int]], random: Random
) -> None:
    rows = [
        vote(f"s{n:02}", name, stance, seconds=seconds, control=control, updated_at=f"{time:03}")
        for time, (n, name, stance, seconds, control) in enumerate(answers)
    ]
    shuffled = rows.copy()
    random.shuffle(shuffled)
    words = {f"s{n:02}": 9 for n in range(9)}
    a, b = list(latest_answers(rows).values()), list(latest_answers(shuffled).values())
    assert a == b
    assert warnings(a, words) == warnings(b[::-1], words)
    assert control_items(rows) == control_items(shuffled)


def _labelled(work: Path) -> None:
    """Three annotators on nine sentences; A3 differs on three of them and answers at once."""
    rows = [vote(f"s{n:02}", name, DEFAULT.names[n % 2]) for n in range(9) for name in ("A1", "A2")]
    rows += [vote(f"s{n:02}", "A3", "none" if n < 3 else DEFAULT.names[n % 2], seconds=0.05) for n in range(9)]
    _answers(work, rows)


def _by_sentence(work: Path) -> list[list[Annotation]]:
    rows = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "")
    return [[row for row in rows if row.sentence_id == key] for key in sorted({row.sentence_id for row in rows})]


def test_the_terminal_shows_the_records_numbers(work: Path) -> None:
    _labelled(work)
    status = read_status(work)
    text, alpha = show_status(status), status.agreement.alpha
    lines = text.splitlines()
    assert lines[0] == "9 of 9 sentences labelled, 9 by two or more (exact copies count once)"
    assert (
        f"Krippendorff's alpha (nominal) {alpha.value:.3f}: "
        "below .667, too unreliable to draw conclusions from (Krippendorff 2004, p. 241)" in lines
    )
    (ac1,) = [line for line in lines if line.startswith("Gwet's AC1")]
    assert ac1.startswith(f"Gwet's AC1 {status.agreement.ac1.value:.3f}: alpha and AC1 differ in the agreement that")
    assert status.agreement.ac1.value == gwet_ac1(
        [[row.stance for row in rows] for rows in _by_sentence(work)], DEFAULT.names
    )
    assert "counted: A1, A2, A3, on 9 sentences of 3 articles; too few articles for intervals" in lines
    (header,) = [line for line in lines if line.startswith("the labels of a pair")]
    (cells,) = [line for line in lines if line.startswith("A1 / A3")]
    assert dict(zip(header.split()[-6:], cells.split()[-6:], strict=True)) == {
        "favor/against": "0", "favor/none": "2", "against/favor": "0",
        "against/none": "1", "none/favor": "0", "none/against": "0",
    }  # fmt: skip
    assert " 33 %  A1 favor, A2 favor, A3 none (s00 in a)" in lines


def test_tables_of_three_labels_and_annotators_fit_80_columns(work: Path) -> None:
    _labelled(work)
    status = read_status(work)
    wide = Estimate(value=0.849, low=0.775, high=0.896)
    agreement = msgspec.structs.replace(
        status.agreement,
        pairs=[msgspec.structs.replace(row, raw=wide, kappa=wide) for row in status.agreement.pairs],
        rest=[msgspec.structs.replace(row, raw=wide, kappa=wide) for row in status.agreement.rest],
    )
    assert status.shares is not None
    estimates = dict.fromkeys(DEFAULT.names, wide)
    shares = msgspec.structs.replace(status.shares, raw=estimates, weighted=estimates)
    made = msgspec.structs.replace(status, agreement=agreement, shares=shares, different=shares.labelled + 1)
    lines = show_status(made).splitlines()
    named = ("A1 and A2", "A1 and others' majority", "label shares", "as settled", "for the corpus ")
    rows = [line for line in lines if line.startswith(named)]
    assert len(rows) == 5
    assert max(map(len, rows)) < 80
    whole = show_status(msgspec.structs.replace(made, different=shares.labelled))
    assert "every sentence of the corpus is settled: the shares are counts of these articles" in whole
    assert "an estimate" not in whole


@pytest.mark.parametrize(
    ("alpha", "words"),
    [
        ((0.8, 0.8), "at least .800, reliable (K"),
        ((0.85, 0.79), "at least .800, reliable, but the interval reaches below that (K"),
        ((0.799, 0.7), "at least .667, for tentative conclusions only (K"),
        ((0.7, 0.6), "at least .667, for tentative conclusions only, but the interval reaches below that (K"),
        ((0.666, 0.5), "below .667, too unreliable to draw conclusions from (K"),
    ],
)
def test_alpha_is_read_by_krippendorffs_thresholds(work: Path, alpha: tuple[float, float], words: str) -> None:
    _labelled(work)
    status = read_status(work)
    estimate = msgspec.structs.replace(status.agreement.alpha, value=alpha[0], low=alpha[1], high=0.9)
    agreement = msgspec.structs.replace(status.agreement, alpha=estimate)
    assert words in show_status(msgspec.structs.replace(status, agreement=agreement))


def _with_outlets(work: Path, outlets: Sequence[str]) -> None:
    """The same ten sentences, each in an article of its own outlet."""
    write_table(
        work / "articles.parquet",
        pa.Table.from_pylist(
            [
                dict.fromkeys(ARTICLES.names, "") | {"article_id": f"a{n}", "outlet": outlet}
                for n, outlet in enumerate(outlets)
            ],
            schema=ARTICLES,
        ),
    )
    rows = [
        dict.fromkeys(SENTENCES.names, "")
        | {"sentence_id": f"s{n:02}", "article_id": f"a{n}", "copy_id": f"s{n:02}", "text": "Some words.", "index": 0}
        | {"start": 0, "end": 0}
        for n in range(len(outlets))
    ]
    write_table(work / "sentences.parquet", pa.Table.from_pylist(rows, schema=SENTENCES))


def test_agreement_comes_before_the_outlets_and_a_long_table_of_them_is_cut_with_its_numbers(work: Path) -> None:
    _with_outlets(work, [*(f"Paper {n:02}" for n in range(43)), "Paper 42"])
    _labelled(work)
    status = read_status(work)
    assert len(json.loads(msgspec.json.encode(status))["outlets"]) == 43
    lines = show_status(status).splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("outlet "))
    assert first > next(n for n, line in enumerate(lines) if line.startswith("Krippendorff"))
    assert [line.split()[:2] for line in lines[first + 1 : first + 3]] == [["Paper", "42"], ["Paper", "00"]]
    said = "and 33 more outlets with 33 sentences, 0 labelled; `stance status --json` lists them all"
    assert lines[first + 11] == said
    assert lines[first + 12] == "exact copies count once in this table, for the outlet that the first copy is of"
    assert sum(row.sentences for row in status.outlets) == 44


def test_an_outlet_called_unknown_is_another_than_none(work: Path) -> None:
    _with_outlets(work, ["unknown", "", "unknown", "Gazette"])
    _answers(work, [vote("s00", "A1", "favor"), vote("s01", "A1", "favor")])
    status = read_status(work)
    assert [(row.outlet, row.sentences, row.labelled) for row in status.outlets] == [
        ("Gazette", 1, 0),
        ("unknown", 2, 1),
        (None, 1, 1),
    ]
    lines = show_status(status).splitlines()
    assert [line.split() for line in lines if line.startswith(("unknown", "(no outlet"))] == [
        ["unknown", "2", "1"],
        ["(no", "outlet", "given)", "1", "1"],
    ]


def test_a_warning_is_a_plain_sentence_with_its_numbers(work: Path) -> None:
    _labelled(work)
    found: list[TooFast | AlwaysSame] = [
        TooFast(annotator="A3", answers=30, quick=25, seconds=0.8, needed=2.1),
        AlwaysSame(annotator="A2", label="none", votes=40, same=39, others=80, others_same=41),
    ]
    text = show_status(msgspec.structs.replace(read_status(work), warnings=found))
    assert (
        "warning: A3 may not be reading: 25 of 30 timed answers took less than 0.1 s a word "
        "(median 0.8 s an answer; 2.1 s by that measure)" in text
    )
    assert (
        "warning: A2 hardly ever changes the label: none on 39 of 40 sentences that others labelled too; "
        "theirs was none in 41 of 80 votes" in text
    )


def test_an_articles_text_cannot_steer_the_terminal(work: Path) -> None:
    _labelled(work)
    status = read_status(work)
    hostile = [msgspec.structs.replace(row, text="\x1b[2Jgone\x07 \u202etxet") for row in status.contested]
    text = show_status(msgspec.structs.replace(status, contested=hostile))
    assert "gone" in text
    assert all(letter.isprintable() for letter in text.replace("\n", ""))


def test_the_command_shows_a_table_or_json_and_leaves_ignored_accounts_out(work: Path) -> None:
    from stance.command_line import cli

    _labelled(work)
    (work.parent / "stance.toml").write_text('[labeling]\nignore = ["third@stance.example"]\n')
    (work.parent / ".stance").mkdir()
    (work.parent / ".stance" / "annotators.json").write_text('{"third@stance.example": "A3"}')
    here = Path.cwd()
    try:
        shown, as_json = (
            CliRunner().invoke(cli, ["-C", str(work.parent), "status", *more], catch_exceptions=False)
            for more in ((), ("--json",))
        )
    finally:
        os.chdir(here)
    assert (shown.exit_code, as_json.exit_code) == (0, 0)
    assert "not counted: 9 answers of A3, ignored" in shown.output
    record = json.loads(as_json.output)
    assert record["ignored"] == {"A3": 9}
    assert record["agreement"]["annotators"] == ["A1", "A2"]
    assert record["agreement"]["alpha"]["value"] == 1
    assert record["annotators"][0]["seconds"] is None
    assert "third@" not in shown.output + as_json.output


def test_agreement_is_given_by_codebook_version_and_by_round(work: Path) -> None:
    write_sample(work, [Draw(sentence_id=f"s{n:02}", round=1 + n // 5, by="random", probability=1.0) for n in range(9)])
    rows = [
        vote(
            f"s{n:02}",
            name,
            "none" if n < 5 and name == "A2" else DEFAULT.names[n % 2],
            codebook="1.9" if n < 5 else "1.10",
        )
        for n in range(9)
        for name in ("A1", "A2")
    ]
    _answers(work, rows)
    status = read_status(work)
    rounds = {("1.9", "1.10")[number - 1]: row for number, row in status.rounds.items()}
    for parts in (status.codebooks, rounds):
        assert list(parts) == ["1.9", "1.10"]  # in the order of versions, not of letters
        assert [row.sentences for row in parts.values()] == [5, 4]
        units = [[DEFAULT.names[n % 2], "none"] for n in range(5)]
        assert parts["1.9"].alpha.value == pytest.approx(krippendorff_alpha(units))
        assert parts["1.10"].alpha.value == parts["1.10"].ac1.value == 1
    text = show_status(status)
    assert "codebook  sentences" in text
    assert "round  sentences" in text
    assert "for the answers under codebook 1.10, and was" in text
    assert "it is higher by" in text
    _answers(work, [row for row in rows if row.codebook == "1.9"])
    assert (read_status(work).codebooks, read_status(work).rounds) == ({}, {})


def test_answers_with_a_label_that_exists_no_more_count_nowhere(work: Path) -> None:
    chain = book("2.0", Change(version="2.0", reopens=frozenset({"mixed"}), renames={"neutral": "none"}))
    rows = [vote(f"s{n:02}", name, "neutral", codebook="1.0") for n in range(3) for name in ("A1", "A2")]
    _answers(work, [*rows, vote("s03", "A1", "mixed", codebook="1.0")])
    status = read_status(work, codebook=chain)
    assert (status.labelled, status.renounced) == (3, 1)
    assert status.annotators[0].votes == {"favor": 0, "against": 0, "none": 3}
    assert "not counted: 1 answer with a label that the codebook reopened" in show_status(status)
    with pytest.raises(TableError, match=r"found 'neutral'.*change list"):
        read_status(work, codebook=book("2.0"))
