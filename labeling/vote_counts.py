"""Count how many of the sentences to label have votes, without the statistics of `stance status`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import msgspec

from corpus.store import read_jsonl_if_there, table_path
from labeling.codebook import Codebook
from labeling.copy_groups import groups_of_labels
from labeling.overlap import few_tasks
from labeling.records import Annotation, LabelingSettings, Verdict
from labeling.sampling.sample_table import drawn_sentences, read_sample, to_label
from labeling.scheme import DEFAULT, Scheme, read_labelled_if_there
from labeling.settling.carried_votes import carry
from labeling.votes import counted, latest_votes


class VoteCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How far labelling has come.

    Attributes:
        drawn: whether rounds drew the sentences to label; if not, all are to be labelled.
        sentences: the sentences to label, exact copies counted once.
        labelled: those of them that have a vote.
        shared: those of them that have votes of two or more people.
        lacking: those of them that have no vote, or fewer than the project asks for, and are not settled by people.
        waiting: those of `lacking` that the server still offers. Who has skipped a sentence will not label it, and
            the answer of an annotator who is ignored takes a place at the server all the same.
        people: the number of people who have voted.
    """

    drawn: bool
    sentences: int
    labelled: int
    shared: int
    lacking: int
    waiting: int
    people: int


def vote_counts(
    work: Path,
    settings: LabelingSettings,
    codebook: Codebook | None,
    ignored: Collection[str],
    scheme: Scheme = DEFAULT,
) -> VoteCounts:
    """Count the sentences to label, and those that have votes.

    Args:
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.
        codebook: the codebook; if None, votes under any version count as they are.
        ignored: annotators whose answers don't count.
        scheme: labels of the project.

    Raises:
        TableError: there is no corpus, or a table is malformed.
    """
    path = table_path(work, "annotations.jsonl")
    answers = read_labelled_if_there(path, Annotation, scheme, codebook)
    groups = groups_of_labels(work)
    ours = [row for row in counted(answers, ignored) if row.sentence_id in groups.copy_of]
    voters: dict[str, set[str]] = defaultdict(set)
    for key, by in latest_votes(carry(ours, codebook, scheme).every).items():
        voters[groups.copy_of[key]] |= by.keys()
    drawn = drawn_sentences(read_sample(work))
    tasks = to_label(drawn, groups.copy_of) if drawn else {key: key for key in voters}
    number = len(tasks) if drawn else groups.total
    decided = _decided(work, groups.copy_of)
    votes = {key: len(by) for key, by in voters.items() if key in tasks and key not in decided}
    labelled = [by for key, by in voters.items() if key in tasks]
    lookers = {key: set(by) for key, by in voters.items()}
    for row in answers:
        if row.sentence_id in groups.copy_of and not row.control:
            lookers.setdefault(groups.copy_of[row.sentence_id], set()).add(row.annotator)
    looks = {key: len(by) for key, by in lookers.items() if key in tasks and key not in decided}
    unseen = number - len(lookers.keys() & tasks.keys()) if drawn else groups.total - len(lookers)
    return VoteCounts(
        drawn=bool(drawn),
        sentences=number,
        labelled=len(labelled),
        shared=sum(len(by) > 1 for by in labelled),
        lacking=number - len(labelled) + few_tasks(work, settings, votes, tasks, number).sentences,
        waiting=unseen + few_tasks(work, settings, looks, tasks, number).sentences,
        people=len(set().union(*labelled)) if labelled else 0,
    )


def _decided(work: Path, copy_of: dict[str, str]) -> set[str]:
    """The groups that people have settled in the queue: they need no more votes."""
    path = work / "verdicts.jsonl"
    rows = read_jsonl_if_there(path, Verdict)
    return {copy_of.get(row.sentence_id, row.sentence_id) for row in rows if row.how == "adjudicated"}
