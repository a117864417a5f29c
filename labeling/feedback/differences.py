"""Where one annotator's votes differ from the verdicts, for the annotator to read."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import ConfigError
from corpus.numbers import agreeing, number
from corpus.store import read_jsonl_if_there, table_path
from labeling.codebook import Codebook
from labeling.copy_groups import groups_of_labels
from labeling.records import Adjudication, Annotation, How, Verdict, people
from labeling.scheme import Scheme, Stance, read_labelled
from labeling.settling.carried_votes import carry
from labeling.statistics.intervals import in_percent
from labeling.studio.tasks import Corpus
from labeling.votes import latest_votes

SOMEBODY = "another annotator"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence on which the annotator's vote is not the verdict.

    Attributes:
        sentence_id: the sentence that the annotator labelled.
        text: its text, and with `before` and `after` the text around it.
        before: text before the sentence.
        after: text after the sentence.
        title: title of the article.
        given: the annotator's vote.
        verdict: label of the verdict.
        how: how the verdict was settled.
        note: what the adjudicator noted, without the names of other annotators.
    """

    sentence_id: str
    text: str
    before: str
    after: str
    title: str
    given: Stance
    verdict: Stance
    how: How
    note: str


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """An annotator's votes beside the verdicts; it names no other annotator.

    Attributes:
        annotator: the annotator's pseudonym.
        votes: number of the annotator's votes on sentences of the corpus.
        shared: those on sentences that others labelled, or an adjudicator settled.
        others: number of the others' votes on the sentences that the annotator labelled.
        alike: those of the others' votes that are the annotator's.
        compared: those of the shared ones with a verdict, which rests on more than this one vote.
        same: those of the compared ones that are the verdict.
        table: number of compared votes, by the annotator's label and the verdict's.
        differences: sentences on which they differ, those of the most frequent confusion first.
    """

    annotator: str
    votes: int
    shared: int
    others: int
    alike: int
    compared: int
    same: int
    table: dict[Stance, dict[Stance, int]]
    differences: list[Difference]


def read_feedback(
    work: Path, annotator: str, names: Collection[str], codebook: Codebook | None, scheme: Scheme
) -> Feedback:
    """Compare an annotator's votes with the verdicts.

    A verdict that rests on the annotator's vote alone says nothing and is left out. Others rest on that vote, too,
    beside those of other annotators.

    Args:
        work: the project's folder of tables.
        annotator: pseudonym of the annotator, in upper or lower case.
        names: names and mail addresses of all people, which notes must not show.
        codebook: the codebook; None if there is none yet.
        scheme: labels of the project.

    Raises:
        ConfigError: nobody of that name has answered.
        TableError: a table is missing or malformed.
    """
    rows = read_labelled(table_path(work, "annotations.jsonl"), Annotation, "stance pull", scheme, codebook)
    called = {row.annotator.casefold(): row.annotator for row in rows}
    annotator = called.get(annotator.casefold(), annotator)
    if annotator not in called.values():
        listed = ", ".join(people(row.annotator for row in rows)) or "nobody yet"
        raise ConfigError(
            f"nobody called {annotator!r} has given an answer; these have: {listed}. `stance people` says who they are"
        )
    verdicts = read_labelled(work / "verdicts.jsonl", Verdict, "stance adjudicate", scheme)
    corpus, copy_of = Corpus(work), groups_of_labels(work).copy_of
    verdict_of = {copy_of[row.sentence_id]: row for row in verdicts if row.sentence_id in copy_of}
    every = latest_votes(carry(rows, codebook, scheme).every)
    mine = {key: by[annotator] for key, by in every.items() if annotator in by and key in copy_of}
    compared = {
        key: verdict
        for key in mine
        if (verdict := verdict_of.get(copy_of[key])) and (verdict.how == "adjudicated" or len(verdict.votes) > 1)
    }
    voters: dict[str, set[str]] = defaultdict(set)
    for key, by in every.items():
        if key in copy_of:
            voters[copy_of[key]] |= by.keys()
    shared = compared.keys() | {key for key in mine if voters[copy_of[key]] - {annotator}}
    beside = [(mine[key], label) for key in mine for name, label in every[key].items() if name != annotator]
    table: dict[str, dict[str, int]] = {name: dict.fromkeys(scheme.names, 0) for name in scheme.names}
    for key, verdict in compared.items():
        table[mine[key]][verdict.stance] += 1
    place = {key: n for n, key in enumerate(corpus.present(compared))}
    apart = sorted(
        (key for key, verdict in compared.items() if mine[key] != verdict.stance),
        key=lambda key: (
            -table[mine[key]][compared[key].stance],
            scheme.names.index(mine[key]),
            scheme.names.index(compared[key].stance),
            place[key],
        ),
    )
    hidden = _pattern({*_everybody(work, rows), *names} - {annotator})
    shown = zip(corpus.rows(apart), apart, strict=True)
    return Feedback(
        annotator=annotator,
        votes=len(mine),
        shared=len(shared),
        others=len(beside),
        alike=sum(own == label for own, label in beside),
        compared=len(compared),
        same=len(compared) - len(apart),
        table=table,
        differences=[_difference(row, mine[key], compared[key], hidden) for row, key in shown],
    )


def _difference(row: Mapping[str, Any], given: Stance, verdict: Verdict, hidden: re.Pattern[str]) -> Difference:
    return Difference(
        sentence_id=row["sentence_id"],
        text=row["text"],
        before=row["before"],
        after=row["after"],
        title=row["title"],
        given=given,
        verdict=verdict.stance,
        how=verdict.how,
        note=hidden.sub(SOMEBODY, verdict.note),
    )


def _everybody(work: Path, rows: Collection[Annotation]) -> set[str]:
    path = table_path(work, "adjudications.jsonl")
    settled = read_jsonl_if_there(path, Adjudication)
    return {row.annotator for row in rows} | {row.adjudicator for row in settled}


def _pattern(names: Collection[str]) -> re.Pattern[str]:
    """What finds any of these names as whole words; longer names first, so that none is cut."""
    parts = sorted((name for name in names if name.strip()), key=lambda name: (-len(name), name))
    if not parts:
        return re.compile(r"(?!)")
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, parts))})(?!\w)", re.IGNORECASE)


def show_feedback(feedback: Feedback) -> str:
    """The comparison as text for the terminal."""
    lines = [summary(feedback)]
    for (given, verdict), rows in confusions(feedback).items():
        lines += ["", f"voted {given}, settled as {verdict}: {len(rows):,}"]
        for row in rows:
            lines.append(f"  {' '.join(row.text.split())} ({row.sentence_id})")
            lines += [f"    note: {' '.join(row.note.split())}"] if row.note else []
    text = "\n".join(lines)
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def confusions(feedback: Feedback) -> dict[tuple[Stance, Stance], list[Difference]]:
    """The differences by the annotator's label and the verdict's, the most frequent confusion first."""
    grouped: dict[tuple[Stance, Stance], list[Difference]] = defaultdict(list)
    for row in feedback.differences:
        grouped[row.given, row.verdict].append(row)
    return dict(grouped)


def summary(feedback: Feedback) -> str:
    """How often the votes are those of others, and how many are the verdict where there is one, line by line.

    Votes settle a sentence where enough of them are alike, so that the verdicts agree with an annotator more often than
    the other annotators do.
    """
    gave = f"{feedback.annotator} gave {number(feedback.votes, 'vote')}"
    if not feedback.shared:
        return f"{gave}; none is on a sentence that others have settled or labelled, too"
    lines = [f"{gave}, {feedback.shared:,} of them on sentences that others labelled or settled, too"]
    if feedback.others:
        same = (
            f"{feedback.alike:,} of {number(feedback.others, 'vote')} ({in_percent(feedback.alike, feedback.others)})"
        )
        lines.append(f"the same label as others gave there: {same}")
    if not feedback.compared:
        return "\n".join([*lines, "none of these sentences is settled yet"])
    same = f"{feedback.same:,} of {feedback.compared:,} ({in_percent(feedback.same, feedback.compared)})"
    left = f"; {left:,} {agreeing(left, 'are')} open" if (left := feedback.shared - feedback.compared) else ""
    return "\n".join(
        [*lines, f"the same label as is settled: {same}, in which the votes of {feedback.annotator} count{left}"]
    )
