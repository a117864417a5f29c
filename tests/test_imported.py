"""Answers that were exported from one Label Studio and imported into another."""

from __future__ import annotations

import pytest

from labeling.migration.migrated_answers import Migrated, MigratedAnswers
from labeling.records import Annotation
from labeling.sync.imported_answers import Placed, place_imported


def _row(number: int, stance: str, source: str, seconds: float | None, key: str = "s", who: str = "A1") -> Annotation:
    made = f"2026-01-0{1 + len(source)}T12:00:00.{number:06}Z"
    return Annotation(
        sentence_id=key,
        annotator=who,
        stance=stance,
        seconds=seconds,
        created_at=made,
        updated_at=made,
        studio_id=number,
        source=source,
        task="1",
    )


def _placed(
    known: list[Annotation],
    fresh: list[Annotation],
    before: list[int | None],
    migrated: MigratedAnswers | None = None,
) -> Placed[Annotation]:
    nobody: list[int | None] = [None] * len(fresh)
    return place_imported(known, fresh, ["9"] * len(fresh), nobody, before, set(), migrated or MigratedAnswers([]))


def test_an_imported_answer_is_the_known_one_with_its_number_seconds_and_person() -> None:
    known = [_row(5, "favor", "p", 2.5), _row(6, "none", "p", 3.5, "t")]
    done = _placed(known, [_row(70, "favor", "qq", 2.5, who=""), _row(71, "against", "qq", 3.5, "t", who="")], [5, 6])
    assert (done.pairs, done.keys, done.moved, done.new) == ([0, 1], ["", ""], 2, 0)
    assert done.rows[0] == known[0]
    edited = done.rows[1]
    assert (edited.studio_id, edited.source, edited.created_at) == (6, "p", known[1].created_at)
    assert (edited.stance, edited.updated_at) == ("against", "2026-01-03T12:00:00.000071Z")
    assert done.origins == {("qq", "p")}


def test_a_number_that_another_colleagues_answer_has_too_is_no_evidence() -> None:
    """Alice's answer is known, and Bob imported his own: both were number 5 on servers of their own."""
    for seconds in (4.5, None):
        done = _placed([_row(5, "favor", "p", 2.5)], [_row(70, "favor", "qq", seconds)], [5])
        assert (done.pairs, done.keys, done.moved, done.new) == ([None], ["9"], 0, 1)
    done = _placed([_row(5, "favor", "p", None)], [_row(70, "favor", "qq", 2.5)], [5])
    assert done.pairs == [None]


def test_after_two_imports_the_seconds_still_tell_but_not_between_two_answers_that_took_equally_long() -> None:
    known = [_row(5, "favor", "p", 2.5)]
    assert _placed(known, [_row(70, "favor", "qq", 2.5)], [33]).pairs == [0]
    known.append(_row(6, "none", "p", 2.5, who="A2"))
    assert _placed(known, [_row(70, "favor", "qq", 2.5)], [33]).pairs == [None]


def test_after_two_imports_the_number_of_another_known_answer_says_nothing() -> None:
    known = [_row(1, "none", "p", 1.5), _row(2, "against", "p", 2.5, who="A2")]
    done = _placed(known, [_row(1, "against", "qq", 2.5)], [1])
    assert (done.pairs, done.moved, done.new) == ([1], 1, 0)


def test_after_two_imports_no_number_is_evidence_against_answers_that_took_equally_long() -> None:
    """The second answer was given at the first new server, under the number of a known one that had been deleted."""
    known = [_row(2, "none", "p", 1.5, "t"), _row(3, "against", "p", 2.5, who="A2")]
    done = _placed(known, [_row(1, "against", "qq", 2.5), _row(2, "none", "qq", 9.5, "t")], [1, 2])
    assert (done.pairs, done.moved, done.new) == ([1, None], 1, 1)


def test_an_answer_that_was_given_where_it_was_read_is_never_a_known_one_of_another_project() -> None:
    done = _placed([_row(5, "favor", "p", 2.5)], [_row(5, "favor", "qq", 2.5)], [None])
    assert (done.pairs, done.keys, done.new) == ([None], ["9"], 0)


@pytest.mark.parametrize("seconds", [2.5, None])
def test_an_answer_that_a_migration_rewrote_before_it_was_exported_is_no_edit(seconds: float | None) -> None:
    known = _row(5, "neutral", "p", seconds)
    record = Migrated(
        studio_id=5, created_at=known.created_at, updated_at=known.updated_at, was="neutral", codebook="1.0",
        now="none", to="2.0", at="later", answer={},
    )  # fmt: skip
    read = [_row(70, "none", "qq", seconds, who="")]
    assert _placed([known], read, [5], MigratedAnswers([record])).rows == [known]


def test_after_the_export_of_a_rewritten_answer_an_edit_is_an_edit() -> None:
    known = _row(5, "neutral", "p", 2.5)
    record = Migrated(
        studio_id=5, created_at=known.created_at, updated_at="earlier", was="favor", codebook="1.0", now="none",
        to="2.0", at="later", answer={},
    )  # fmt: skip
    for stance in ("none", "against"):  # the record is of an earlier version than the known one
        read = [_row(70, stance, "qq", 2.5, who="")]
        (row,) = _placed([known], read, [5], MigratedAnswers([record])).rows
        assert (row.stance, row.studio_id) == (stance, 5)
