"""What `tests/fuzz.py`, and a search for more of the kind, found: each of these took quadratic time once."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest

from corpus.near_duplicates import normalise
from corpus.sentences.line_kinds import lines
from tests.fuzz import CHECKS, fault
from tests.support.timing import least_seconds, takes_less

_MIXED = "\u0301\u0327"  # an accent, then a cedilla, which comes first in canonical order


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("e" + 40_000 * "\u0301" + 40_000 * "\u0327", ""),
        ("It rained. " + 40_000 * _MIXED, ""),
        (40_000 * "\uff9e\u0301", ""),  # a letter that becomes a mark
        (60_000 * "\u0f73", ""),  # a mark that becomes two
        ("It rained.", 40_000 * _MIXED),
    ],
    ids=["accents then cedillas", "in turn", "katakana", "tibetan", "in the title"],
)
@pytest.mark.parametrize("check", CHECKS)
def test_many_marks_on_one_letter_break_no_claim_and_take_linear_time(
    check: Callable[..., None], text: str, title: str
) -> None:
    assert fault(check, text, title) == ""


@pytest.mark.parametrize("marks", ["\u0301\u0327", "\u0f73\u0327", "\uff9e\u0301", "\u0344\u0327e", "\u0327\u0301é"])
def test_a_letter_means_the_same_under_many_marks_in_any_order(marks: str) -> None:
    long = 600 * marks
    assert normalise(long) == normalise(unicodedata.normalize("NFKC", long))


def test_the_names_of_many_bylines_are_found_in_linear_time() -> None:
    small, large = (
        count * "By Jo Holm\n" + "By Ada Kern\n" + count * "Ada Kern is well.\n" for count in (4_000, 32_000)
    )
    assert lines(small)[-1].reason == lines(large)[-1].reason == "about the author"
    assert takes_less(lambda: lines(large), 16 * max(least_seconds(lambda: lines(small)), 0.02))
