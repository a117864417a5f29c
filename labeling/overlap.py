"""Count the votes that a project asks for, and the sentences that have fewer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.records import SENTENCES
from corpus.store import read_table
from labeling.records import LabelingSettings, Verdict
from labeling.sampling.sample import read_sample, to_label


class FewVotes(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences with a vote, but with fewer than the project asks for.

    Attributes:
        asked: the number of votes that each sentence should have, by `[labeling] overlap`.
        sentences: the number of sentences that have fewer.
        exact: whether the number is exact. If not, it is a lower bound, because under `overlap_share` only the server
            knows which sentences need a single vote.
    """

    asked: int
    sentences: int
    exact: bool = True


def in_share(sentence_id: str, share: float) -> bool:
    """Whether a sentence is in the share that every annotator labels; its id decides, so that this never changes."""
    return int(hashlib.blake2b(sentence_id.encode(), digest_size=8).hexdigest(), 16) < share * 2**64


def few_votes(votes: Mapping[str, int], settings: LabelingSettings, tasks: int) -> FewVotes:
    """How many of these sentences have fewer votes than the project asks for.

    With `blind` projects, a sentence's id says whether all annotators label it. In one project the server chooses
    `overlap_share` of its tasks (rounded to the nearest number). Then a sentence with several votes but fewer than
    `overlap` has too few. Of the sentences with a single vote, as many may be complete as there are tasks outside the
    share; the rest have too few.

    Args:
        votes: sentence → number of its votes; those without a vote don't count.
        settings: `[labeling]` of stance.toml.
        tasks: number of sentences that are to be labelled, answered or not.

    >>> few_votes({"s1": 1, "s2": 3}, LabelingSettings(overlap=3), tasks=2)
    FewVotes(asked=3, sentences=1, exact=True)
    >>> few_votes({"s1": 1, "s2": 1, "s3": 2}, LabelingSettings(overlap=3, overlap_share=0.5), tasks=3)
    FewVotes(asked=3, sentences=1, exact=False)
    """
    asked, share = settings.overlap, settings.overlap_share
    fewer = {key: count for key, count in votes.items() if 0 < count < asked}
    if share == 1:
        return FewVotes(asked=asked, sentences=len(fewer))
    if settings.blind:
        return FewVotes(asked=asked, sentences=sum(in_share(key, share) for key in fewer))
    single = sum(count == 1 for count in fewer.values())
    outside = tasks - int(tasks * round(share * 100) / 100)
    return FewVotes(asked=asked, sentences=len(fewer) - min(single, outside), exact=False)


def few_verdicts(work: Path, verdicts: Iterable[Verdict], settings: LabelingSettings) -> FewVotes:
    """How many verdicts rest on fewer votes than the project asks for; what a person settled rests on no votes.

    Args:
        work: the project's folder of tables.
        verdicts: verdicts of the project.
        settings: `[labeling]` of stance.toml.

    Raises:
        TableError: a table is missing or malformed.
    """
    columns = pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field("copy_id")])
    table = read_table(work / "sentences.parquet", columns, "stance build")
    copy_of = dict(zip(*(table.column(name).to_pylist() for name in columns.names), strict=True))
    votes = {row.sentence_id: len(row.votes) for row in verdicts if row.how != "adjudicated"}
    return few_votes(votes, settings, len(to_label(read_sample(work), copy_of)))
