"""What commands print: numbers with separators, and what a new version of the codebook asks for again."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from corpus.store import write_jsonl
from labeling.adjudicate import adjudicate
from labeling.freshness import Stale
from labeling.machine.ask import AskSummary, Spent
from labeling.machine.messages import asked
from labeling.messages.adjudicate import adjudicated
from labeling.messages.pull import pulled
from labeling.messages.push import show_plan
from labeling.overlap import FewVotes
from labeling.records import Adjudication, LabelingSettings
from labeling.sampling.rounds import Drawn
from labeling.settling.reopened import Reopened
from labeling.studio.project_plan import ProjectPlan
from labeling.sync.pull import PullSummary
from labeling.sync.push_plan import Asked, PushPlan
from tests.conftest import book, vote
from tests.support.corpora import corpus_of

PULLED = PullSummary(
    annotations=12345, skips=1234, annotators=3, adjudications=0, queued=None, fetched=9876, edited=1001, deleted=1002,
    withdrawn=1003, without_sentence=1004, foreign=1005, notes=[], changed=[Path("labels/annotations.jsonl")],
)  # fmt: skip
VOTES = {"A1": "favor", "A2": "none"}
REOPENED = Reopened(waiting=1500, to_ask=1400, earlier=["1.0", "1.1"], version="2.0")


def test_no_number_from_a_thousand_on_is_without_a_separator() -> None:
    part = ProjectPlan(
        title="t", project=None, create=[], update=[], unchanged=1234, answered=1001, stale=[1] * 1002,
        twice=[1] * 1003,
        doubled=1004, foreign=1005, held=5000, settings={}, by_hand=False, held_back=1006,
    )  # fmt: skip
    drawn = Drawn(draws=[], new=0, keys=[], notes=[])
    plan = PushPlan(asked=Asked(), drawn=drawn, projects=[part], queue=part, predictions={})
    spent = Spent(tokens_in=123456, tokens_out=4567)
    summary = AskSummary(
        labelled=1234, refused=2345, too_long=1001, failed=0, reason="", stopped=False, constrained=True, spent=spent,
        changed=True,
    )  # fmt: skip
    said = [show_plan(plan), *pulled(PULLED, None, Path("work"), REOPENED), *asked(summary, 0.0, 1)]
    text = "\n".join(said)
    assert "1,234 unchanged" in text
    assert "12,345 answers" in text
    assert "123,456 tokens sent" in text
    assert re.findall(r"\d{4,}", text) == []


def test_one_of_a_thing_is_said_in_the_singular() -> None:
    part = ProjectPlan(
        title="t", project=None, create=[], update=[], unchanged=1, answered=1, stale=[1], twice=[1], doubled=1,
        foreign=1, held=1, settings={}, by_hand=False, predict=[(1, "s")], held_back=1,
    )  # fmt: skip
    drawn = Drawn(draws=[], new=0, keys=[], notes=[])
    one = show_plan(PushPlan(asked=Asked(), drawn=drawn, projects=[part], queue=None, predictions={})).split("\n")
    assert one[1:] == [
        "  1 of those on the server only holds answers: it stays",
        "  1 of those on the server only holds no answer: the same command with --prune removes it",
        "  1 second task of a sentence, without answers: removed",
        "  1 sentence has two tasks with answers: both stay, each annotator's last answer counts",
        "  1 task there was not made by stance (no sentence_id): left alone",
        "  1 of the tasks there gets the model's prediction",
        "  1 task is held out: its prediction is not shown ([labeling] assist_share)",
    ]
    ones = {"annotations": 1, "skips": 1, "annotators": 1, "withdrawn": 1, "without_sentence": 1, "foreign": 1}
    text = "\n".join(pulled(msgspec.structs.replace(PULLED, **ones), None, Path("work")))
    assert "1 answer of 1 annotator, 1 of them a skip" in text
    assert "1 answer in the queue was edited or deleted there; what it was is in" in text
    assert "1 of them is to a sentence that" in text
    assert "1 task there was not made by stance" in text


def test_pull_and_adjudicate_say_what_the_codebook_asks_for_again(tmp_path: Path) -> None:
    said = (
        "1,400 sentences were labelled under codebook 1.0, 1.1, now 2.0: `stance push --migrate` asks the annotators "
        "for them again"
    )
    assert said in pulled(PULLED, None, Path("work"), REOPENED)
    work = tmp_path / "work"
    corpus_of(work, {"s0": "s0"})
    (tmp_path / "labels").mkdir()
    write_jsonl(tmp_path / "labels" / "annotations.jsonl", [vote("s0", "A1", "favor")])
    done = adjudicate(work, LabelingSettings())
    assert said in adjudicated(done, 1, work, reopened=REOPENED)
    assert not any("codebook" in line for line in adjudicated(done, 1, work))


def test_a_pull_after_work_in_the_queue_says_what_it_read_and_wrote() -> None:
    done = msgspec.structs.replace(PULLED, fetched=0, queued=36, changed=[Path("labels/adjudications.jsonl")])
    stale = Stale(new=0, changed=36, gone=0, people=36, made=True)
    said = pulled(done, stale, Path("work"))
    assert said[1:4] == [
        "no task of the annotators is new or has changed since the last pull",
        "read the queue: 36 answers of adjudicators",
        "decided in the queue: 36 sentences; `stance adjudicate` makes the decisions verdicts",
    ]
    assert said[-1] == "wrote labels/adjudications.jsonl"
    assert pulled(msgspec.structs.replace(done, changed=[]), None, Path("work"))[-1] == (
        "unchanged: labels/annotations.jsonl"
    )


def test_adjudicate_says_who_decided_what_they_had_voted_on(tmp_path: Path) -> None:
    work = tmp_path / "work"
    corpus_of(work, {"s0": "s0", "s1": "s1"})
    (tmp_path / "labels").mkdir()
    rows = [vote(key, name, label) for key in ("s0", "s1") for name, label in (("A1", "favor"), ("A2", "none"))]
    write_jsonl(tmp_path / "labels" / "annotations.jsonl", rows)
    decided = [
        Adjudication(sentence_id=key, adjudicator=who, stance="none", votes=VOTES, updated_at="2031-03-01T10:00:00Z")
        for key, who in (("s0", "A3"), ("s1", "A2"))
    ]
    write_jsonl(tmp_path / "labels" / "adjudications.jsonl", decided)
    done = adjudicate(work, LabelingSettings())
    said = "decided in the queue by somebody who had voted on the same sentences: A2. Where possible, let a person "
    assert f"{said}decide who has not labelled them" in adjudicated(done, 1, work)
    again = adjudicate(work, LabelingSettings())
    assert not any("possible" in line for line in adjudicated(again, 1, work)), "it is said once"


@pytest.mark.parametrize(
    ("few", "settled", "said"),
    [
        (1, 1, "1 sentence has fewer votes than the 3 that [labeling] overlap asks for; it is settled all the same ("),
        (1, 0, "; it is not settled: the one vote is unsure: 1 favor\n"),
        (2, 0, "; none of these is settled: the one vote is unsure: 1 favor\n"),
        (2, 1, "; 1 of these is settled all the same ([labeling] fewest_votes is 1)\n"),
        (2, 2, "; all of these are settled all the same ([labeling] fewest_votes is 1)\n"),
        (2000, 1200, "; 1,200 of these are settled all the same ([labeling] fewest_votes is 1)\n"),
    ],
)
def test_sentences_settled_by_few_votes_are_counted_in_words(tmp_path: Path, few: int, settled: int, said: str) -> None:
    work = tmp_path / "work"
    corpus_of(work, {"s0": "s0"})
    (tmp_path / "labels").mkdir()
    write_jsonl(tmp_path / "labels" / "annotations.jsonl", [vote("s0", "A1", "favor", unsure=True)])
    done = msgspec.structs.replace(
        adjudicate(work, LabelingSettings()),
        few=FewVotes(asked=3, sentences=few),
        settled_by_few=FewVotes(asked=3, sentences=settled),
    )
    assert said in "\n".join(adjudicated(done, 1, work))


def test_fewest_votes_is_named_only_where_it_is_why_a_sentence_with_few_votes_is_open(tmp_path: Path) -> None:
    work = tmp_path / "work"
    corpus_of(work, {"s0": "s0"})
    (tmp_path / "labels").mkdir()
    rows = [vote("s0", "A1", "favor", codebook="1.0"), vote("s0", "A2", None, codebook="1.0")]
    write_jsonl(tmp_path / "labels" / "annotations.jsonl", rows)

    def said(fewest: int, version: str) -> str:
        settings = LabelingSettings(overlap=2, fewest_votes=fewest)
        done = adjudicate(work, settings, codebook=book(version), dry_run=True)
        return next(line for line in adjudicated(done, fewest, work, dry_run=True) if "fewer votes" in line)

    assert said(1, "1.0").endswith("; it is settled all the same ([labeling] fewest_votes is 1)")
    assert said(2, "1.0").endswith("; it is not settled ([labeling] fewest_votes is 2)")
    assert said(1, "2.0").endswith("; it is not settled: labelled under codebook 1.0; it is 2.0 now")
