"""Verdicts that are older than the answers, and sentences with fewer votes than a project asks for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.adjudicate import adjudicate, settle
from labeling.freshness import Stale, compare, stale_verdicts
from labeling.messages.status import show_status
from labeling.migration.migrated_answers import Migrated, write_migrated
from labeling.overlap import few_votes, in_share
from labeling.records import Adjudication, Annotation, LabelingSettings, Unsettled, Verdict
from labeling.sampling.sample_table import Draw, write_sample
from labeling.scheme import DEFAULT, Stance
from labeling.settling.reopened import Reopened, read_reopened
from labeling.status import read_status
from tests.conftest import book, vote
from tests.support.corpora import corpus_of

SETTINGS = LabelingSettings()
IDS = [f"s{n:02}" for n in range(30)]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Thirty drawn sentences, of which the first two were labelled by two people and settled."""
    work = tmp_path / "work"
    corpus_of(work, {id_: id_ for id_ in IDS})
    write_sample(work, [Draw(sentence_id=id_, round=1, by="random", probability=1.0) for id_ in IDS])
    _answers(work, IDS[:2])
    adjudicate(work, SETTINGS, codebook=book("1.0"))
    return work


def _answers(work: Path, ids: list[str], **more: object) -> list[Annotation]:
    rows = [vote(id_, who, "favor", codebook="1.0", **more) for id_ in ids for who in ("A1", "A2")]
    write_jsonl(table_path(work, "annotations.jsonl"), rows)
    return rows


def _stale(work: Path, settings: LabelingSettings = SETTINGS, codebook: str = "1.0") -> Stale | None:
    return stale_verdicts(work, settings, book(codebook), frozenset())


def _settled(work: Path, sentence_id: str, stance: Stance, **more: object) -> None:
    row = Adjudication(sentence_id=sentence_id, adjudicator="A9", stance=stance, votes={}, **more)  # type: ignore[arg-type]
    write_jsonl(table_path(work, "adjudications.jsonl"), [row])


def test_verdicts_are_up_to_date_until_something_that_they_depend_on_changes(work: Path) -> None:
    assert _stale(work) is None
    _answers(work, IDS[:2], seconds=4.0)  # nothing that a verdict depends on
    assert _stale(work) is None
    _answers(work, IDS)
    assert _stale(work) == Stale(new=28, changed=0, gone=0, people=0, made=True)
    _answers(work, IDS[1:2])
    assert _stale(work) == Stale(new=0, changed=0, gone=1, people=0, made=True)
    rows = _answers(work, IDS[:2])
    write_jsonl(table_path(work, "annotations.jsonl"), [*rows[1:], vote("s00", "A1", "none", codebook="1.0")])
    assert _stale(work) == Stale(new=0, changed=1, gone=0, people=0, made=True, changes={"opened": 1})
    _answers(work, IDS[:2])
    why = "labelled under codebook 1.0; it is 2.0 now"
    opened = _stale(work, codebook="2.0")
    assert opened == Stale(new=0, changed=2, gone=0, people=0, made=True, reopened=2, why_reopened=why)
    assert opened.why == f"of the sentences, 2 would be open again ({why})"
    strict = _stale(work, LabelingSettings(fewest_votes=3))
    assert strict == Stale(new=0, changed=2, gone=0, people=0, made=True, changes={"opened": 2})
    found = stale_verdicts(work, SETTINGS, book("1.0"), frozenset({"A2"}))
    assert found == Stale(new=0, changed=2, gone=0, people=0, made=True, changes={"votes": 2})
    corpus_of(work, {id_: id_ for id_ in IDS[1:]})
    assert _stale(work) == Stale(new=0, changed=0, gone=1, people=0, made=True)


def test_what_people_settled_in_the_queue_is_due_until_it_is_a_verdict(work: Path) -> None:
    _settled(work, "s00", "against", updated_at="2031-01-01")
    assert _stale(work) == Stale(new=0, changed=1, gone=0, people=1, made=True, changes={"label": 1})
    adjudicate(work, SETTINGS, codebook=book("1.0"))
    assert _stale(work) is None
    _answers(work, IDS[1:2])  # its votes changed: the verdict stands, and would only get a flag
    assert (_stale(work) or Stale(new=0, changed=0, gone=0, people=9, made=True)).people == 0
    _settled(work, "s00", "none", updated_at="2031-01-02")
    assert (_stale(work) or Stale(new=0, changed=0, gone=0, people=9, made=True)).people == 1


def test_before_the_first_verdict_adjudicate_is_due_once_there_are_votes(work: Path) -> None:
    (work / "verdicts.jsonl").unlink()
    (work / "queue.jsonl").unlink()
    found = _stale(work)
    assert found == Stale(new=2, changed=0, gone=0, people=0, made=False)
    assert str(found) == "`stance adjudicate` is due: 2 sentences have answers, and no verdict has been made yet"
    write_jsonl(table_path(work, "annotations.jsonl"), [vote("s00", "A1", None)])
    assert _stale(work) is None
    table_path(work, "annotations.jsonl").unlink()
    assert _stale(work) is None


def test_sentences_that_the_model_doubts_stay_open_without_a_reminder(work: Path) -> None:
    doubt = Unsettled(sentence_id="s01", votes={}, reason="the model doubts it")
    write_jsonl(work / "doubts.jsonl", [doubt])
    adjudicate(work, SETTINGS, codebook=book("1.0"), doubts=1)
    assert [row.doubted for row in read_jsonl(work / "queue.jsonl", Unsettled, "")] == [True]
    assert _stale(work) is None
    _settled(work, "s01", "none")
    assert _stale(work) == Stale(new=0, changed=1, gone=0, people=1, made=True, changes={"settled": 1})


def test_what_would_change_is_told_apart_from_labels_that_stay(work: Path) -> None:
    votes = [vote(id_, "A1", "favor", codebook="1.0") for id_ in IDS[:6]]
    write_jsonl(table_path(work, "annotations.jsonl"), votes)
    adjudicate(work, SETTINGS, codebook=book("1.0"))
    second = [vote(id_, "A2", "none" if id_ == "s05" else "favor", codebook="1.0") for id_ in IDS[:7]]
    write_jsonl(table_path(work, "annotations.jsonl"), [*votes, *second])
    found = _stale(work)
    assert found is not None
    assert found.why == (
        "of the sentences, 1 has answers and no verdict yet, 1 would be open, 5 keep their label with more votes"
    )
    adjudicate(work, SETTINGS, codebook=book("1.0"))
    _settled(work, "s05", "favor", codebook="1.0")
    assert str(_stale(work)).endswith("of the sentences, 1 is open and would be settled")
    adjudicate(work, SETTINGS, codebook=book("1.0"))
    assert _stale(work) is None
    # The codebook opens what votes have settled, and what people have settled stands with a flag.
    bumped = _stale(work, codebook="2.0")
    assert bumped is not None
    assert bumped.why == (
        "of the sentences, 6 would be open again (labelled under codebook 1.0; it is 2.0 now), 1 keeps its label, with "
        "a flag that something has changed since people settled it"
    )


VOTES = st.dictionaries(
    st.sampled_from(IDS[:5]), st.dictionaries(st.sampled_from(["A1", "A2", "A3"]), st.sampled_from(DEFAULT.names))
)


@given(VOTES, VOTES)
def test_verdicts_are_stale_exactly_where_adjudicate_would_write_others(
    before: dict[str, dict[str, Stance]], now: dict[str, dict[str, Stance]]
) -> None:
    then, today = (
        settle([vote(key, who, stance) for key, by in votes.items() for who, stance in by.items()])
        for votes in (before, now)
    )
    found = compare(then, today)
    assert (found is None) == (then == today)
    if found:
        assert found.new + found.gone + found.changed <= len(before.keys() | now.keys())
        assert sum(found.changes.values()) == found.changed - found.reopened


def test_status_says_that_adjudicate_is_due_and_of_which_verdicts_the_shares_are(work: Path) -> None:
    _answers(work, IDS)
    status = read_status(work, frozenset(), SETTINGS, book("1.0"))
    assert status.stale == Stale(new=28, changed=0, gone=0, people=0, made=True)
    text = show_status(status)
    due = "`stance adjudicate` is due: of the sentences, 28 have answers and no verdict yet"
    assert due in text
    assert text.index(due) < text.index("Krippendorff")
    assert "28 drawn sentences are not settled yet; the verdicts are older than the answers" in text
    adjudicate(work, SETTINGS, codebook=book("1.0"))
    assert "is due" not in show_status(read_status(work, frozenset(), SETTINGS, book("1.0")))


def test_what_a_new_version_of_the_codebook_asks_for_again_is_counted_without_the_server(work: Path) -> None:
    here = table_path(work, "annotations.jsonl")
    rows = [
        vote(id_, "A1", label, codebook="1.0", studio_id=n, created_at="2031-01-01")
        for n, (id_, label) in enumerate([("s00", "favor"), ("s01", "favor"), ("s02", None)])
    ]
    write_jsonl(here, [*rows, vote("s03", "A1", "favor", codebook="1.0")])  # s03 was adopted from a table
    assert read_reopened(work, book("1.0")) is None
    assert read_reopened(work, None) is None
    found = read_reopened(work, book("2.0"))
    assert found == Reopened(waiting=3, to_ask=2, earlier=["1.0"], version="2.0")
    said = "2 sentences were labelled under codebook 1.0, now 2.0: `stance push --migrate` asks the annotators for them"
    assert str(found) == f"{said} again"
    assert f"now)\n{said} again\n" in show_status(read_status(work, frozenset(), SETTINGS, book("2.0")))
    gone = [
        Migrated(studio_id=n, created_at="2031-01-01", updated_at="", was="favor", codebook="1.0", now=None, to="2.0",
                 answer={})
        for n in (0, 1)
    ]  # fmt: skip
    write_migrated(work, gone[:1])
    assert "1 sentence was labelled under codebook 1.0, now 2.0: `stance push" in str(read_reopened(work, book("2.0")))
    write_migrated(work, gone)
    waits = "3 sentences were labelled under codebook 1.0, now 2.0: they wait for new answers"
    assert str(read_reopened(work, book("2.0"))) == waits
    again = [vote(id_, "A1", "favor", codebook="2.0", updated_at="2031-01-02") for id_ in ("s00", "s01", "s03")]
    write_jsonl(here, [*rows, *again])
    assert read_reopened(work, book("2.0")) is None


# --- fewer votes than asked for


def test_a_sentence_with_fewer_votes_than_the_fewest_stays_open_with_that_reason() -> None:
    votes = [vote("s1", "A1", "favor"), *(vote("s2", who, "none") for who in ("A1", "A2"))]
    done = settle(votes, (), LabelingSettings(fewest_votes=2))
    assert [(row.sentence_id, row.how) for row in done.verdicts] == [("s2", "unanimous")]
    assert [(row.sentence_id, row.reason) for row in done.queue] == [
        ("s1", "fewer votes than the 2 of [labeling] fewest_votes: 1 favor")
    ]
    person = Adjudication(sentence_id="s1", adjudicator="A9", stance="none", votes={"A1": "favor"})
    assert settle(votes, [person], LabelingSettings(fewest_votes=3)).verdicts[0].how == "adjudicated"


@pytest.mark.parametrize("verdicts", ["majority", "dawid_skene"])
@settings(deadline=None)  # EM may take all of its steps
@given(votes=VOTES, fewest=st.integers(1, 4))
def test_no_sentence_is_settled_by_fewer_votes_than_the_fewest(
    verdicts: str, votes: dict[str, dict[str, Stance]], fewest: int
) -> None:
    rows = [vote(key, who, stance) for key, by in votes.items() for who, stance in by.items()]
    done = settle(rows, (), LabelingSettings(fewest_votes=fewest, verdicts=verdicts))  # type: ignore[arg-type]
    assert all(len(row.votes) >= fewest for row in done.verdicts)
    assert {row.sentence_id for row in done.verdicts} | {row.sentence_id for row in done.queue} == {
        key for key, by in votes.items() if by
    }
    if fewest == 1:
        assert done == settle(rows, (), LabelingSettings(verdicts=verdicts))  # type: ignore[arg-type]


def test_fewest_votes_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="fewest_votes: expected at least one vote a sentence; got 0"):
        LabelingSettings(fewest_votes=0)


@given(
    st.integers(1, 40),
    st.integers(2, 4),
    st.sampled_from([0.25, 0.3, 0.5, 0.99]),
    st.data(),
)
def test_under_an_overlap_share_the_number_is_the_least_that_it_can_be(
    tasks: int, overlap: int, share: float, data: st.DataObject
) -> None:
    """The server asks `overlap` votes of a share of the tasks, and we don't know of which."""
    asked_of_all = int(tasks * round(share * 100) / 100 + 0.5)  # as Label Studio rounds
    asks = [overlap] * asked_of_all + [1] * (tasks - asked_of_all)
    given_ = [data.draw(st.integers(0, ask)) for ask in asks]
    votes = {f"s{n}": count for n, count in enumerate(given_)}
    truth = sum(0 < count < ask for count, ask in zip(given_, asks, strict=True))
    found = few_votes(votes, LabelingSettings(overlap=overlap, overlap_share=share), tasks)
    assert not found.exact
    assert found.sentences <= truth
    if all(given_):  # every sentence has a vote: then the number differs by the server's rounding at most
        assert truth - found.sentences <= 1


def test_blind_projects_say_by_the_id_how_many_votes_a_sentence_is_asked_for() -> None:
    settings = LabelingSettings(overlap=2, overlap_share=0.5, blind=True)
    votes = dict.fromkeys(IDS, 1)
    found = few_votes(votes, settings, len(IDS))
    assert found.exact
    assert found.sentences == sum(in_share(id_, 0.5) for id_ in IDS)
    assert 0 < found.sentences < len(IDS)


SKIPPERS = ("A2", "A3")


def test_adjudicate_and_status_say_how_many_sentences_have_too_few_votes(work: Path) -> None:
    from stance.command_line import cli

    answers = [vote(id_, "A1", "favor") for id_ in IDS[:20]]
    write_jsonl(table_path(work, "annotations.jsonl"), answers)
    (work.parent / "stance.toml").write_text("[labeling]\noverlap = 3\n")
    here = Path.cwd()
    try:
        said = [
            CliRunner().invoke(cli, ["-C", str(work.parent), command], catch_exceptions=False).output
            for command in ("adjudicate", "status")
        ]
        (work.parent / "stance.toml").write_text("[labeling]\noverlap = 3\nfewest_votes = 2\n")
        strict = CliRunner().invoke(cli, ["-C", str(work.parent), "adjudicate"], catch_exceptions=False).output
        as_json = CliRunner().invoke(cli, ["-C", str(work.parent), "status", "--json"], catch_exceptions=False).output
        # Two others skipped one of them: three have answered, and there is one vote.
        write_jsonl(table_path(work, "annotations.jsonl"), [*answers, *(vote(IDS[0], who, None) for who in SKIPPERS)])
        skipped = [
            CliRunner().invoke(cli, ["-C", str(work.parent), command], catch_exceptions=False).output
            for command in ("adjudicate", "status")
        ]
    finally:
        os.chdir(here)
    for text in skipped:
        assert "overlap asks for, 1 of them because annotators skipped it (a skip is no vote)" in text
    sentence = "20 sentences have fewer votes than the 3 that [labeling] overlap asks for"
    assert f"{sentence}; all of these are settled all the same ([labeling] fewest_votes is 1)" in said[0]
    assert sentence in said[1]
    assert "0 sentences settled\n20 sentences open, listed in" in strict
    assert f"{sentence}; none of these is settled ([labeling] fewest_votes is 2)" in strict
    assert json.loads(as_json)["few"] == {"asked": 3, "sentences": 20, "exact": True, "assigned": False, "skipped": 0}
    assert read_jsonl(work / "verdicts.jsonl", Verdict, "") == []
