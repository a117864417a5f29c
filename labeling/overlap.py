"""Count the votes that a project asks for, and the sentences that have fewer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from corpus.numbers import number
from corpus.records import ARTICLES, SENTENCES
from corpus.tables import read_table
from labeling.copy_groups import groups_of_labels
from labeling.records import LabelingSettings, Verdict
from labeling.sampling.archive_sentences import only_archived
from labeling.sampling.sample_table import drawn_sentences, read_sample


class FewVotes(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences with a vote, but with fewer than the project asks for.

    Attributes:
        asked: the number of votes that each sentence should have, by `[labeling] overlap`.
        sentences: the number of sentences that have fewer.
        exact: whether the number is exact. If not, it is a lower bound, because under `overlap_share` only the server
            knows which sentences need a single vote.
        assigned: whether `[labeling] assign` says how many votes each sentence should have; `asked` is then the highest
            number.
        skipped: how many of the sentences have fewer only because annotators skipped them; 0 if that is not known.
    """

    asked: int
    sentences: int
    exact: bool = True
    assigned: bool = False
    skipped: int = 0

    def __str__(self) -> str:
        """One sentence, without a full stop."""
        if self.assigned:
            than = "the annotators to whom [labeling] assign gives them"
        else:
            than = f"the {self.asked} that [labeling] overlap asks for"
        few = f"{'' if self.exact else 'at least '}{number(self.sentences, 'sentence', 'have')} fewer votes than {than}"
        if not self.skipped:
            return few
        which = "" if self.skipped == self.sentences else f"{self.skipped:,} of them "
        return f"{few}, {which}because annotators skipped {'it' if self.skipped == 1 else 'them'} (a skip is no vote)"


def in_share(sentence_id: str, share: float) -> bool:
    """Whether a sentence is in the share that every annotator labels; its id decides, so that this never changes."""
    return int(hashlib.blake2b(sentence_id.encode(), digest_size=8).hexdigest(), 16) < share * 2**64


def assigned_votes(work: Path, settings: LabelingSettings) -> dict[str, int] | None:
    """How many annotators each sentence is assigned to, by its id; None if `[labeling] assign` says nothing.

    Args:
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.

    Raises:
        TableError: a table is missing or malformed.
    """
    assignments = settings.assignments
    return None if assignments is None else assignments.counts(sentences_to_assign(work))


def sentences_to_assign(work: Path) -> list[dict[str, Any]]:
    """Every sentence of the corpus, and those drawn from archives, with what rules of `[labeling] assign` can name.

    Raises:
        TableError: a table is missing or malformed.
    """
    names = ("article_id", "outlet", "language")
    articles = read_table(
        work / "articles.parquet", pa.schema([ARTICLES.field(name) for name in names]), "stance build"
    )
    about = {row["article_id"]: row for row in articles.to_pylist()}
    columns = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "article_id", "copy_id")])
    sentences = read_table(work / "sentences.parquet", columns, "stance build").to_pylist()
    archived = [
        {"sentence_id": row.sentence_id, "article_id": row.article_id, "copy_id": row.sentence_id}
        | {"outlet": row.outlet, "language": row.language}
        for row in only_archived(work)
    ]
    return [*({**row, **about[row["article_id"]]} for row in sentences), *archived]


def few_votes(
    votes: Mapping[str, int],
    settings: LabelingSettings,
    tasks: int,
    assigned: Mapping[str, int] | None = None,
    skips: Mapping[str, int] | None = None,
) -> FewVotes:
    """How many of these sentences have fewer votes than the project asks for.

    With `blind` projects, a sentence's id says whether all annotators label it. In one project the server chooses
    `overlap_share` of its tasks (rounded to the nearest number). Then a sentence with several votes but fewer than
    `overlap` has too few. Of the sentences with a single vote, as many may be complete as there are tasks outside the
    share; the rest have too few.

    Args:
        votes: sentence → number of its votes; those without a vote don't count.
        settings: `[labeling]` of stance.toml.
        tasks: number of sentences that are to be labelled, answered or not.
        assigned: sentence → number of annotators to whom it is assigned; None without assignments.
        skips: sentence → number of annotators who skipped it; None if not known.

    >>> few_votes({"s1": 1, "s2": 3}, LabelingSettings(overlap=3), tasks=2)
    FewVotes(asked=3, sentences=1, exact=True, assigned=False, skipped=0)
    >>> few_votes({"s1": 1, "s2": 1, "s3": 2}, LabelingSettings(overlap=3, overlap_share=0.5), tasks=3)
    FewVotes(asked=3, sentences=1, exact=False, assigned=False, skipped=0)
    >>> str(few_votes({"s1": 1, "s2": 1}, LabelingSettings(overlap=2), tasks=2, skips={"s2": 1}))[-61:]
    ', 1 of them because annotators skipped it (a skip is no vote)'
    """

    def skipped(keys: Iterable[str]) -> int:
        due = settings.overlap
        return sum(votes[key] + (skips or {}).get(key, 0) >= (assigned or {}).get(key, due) for key in keys)

    if assigned is not None:
        few = [key for key, count in votes.items() if 0 < count < assigned.get(key, 0)]
        most = max(assigned.values(), default=0)
        return FewVotes(asked=most, sentences=len(few), assigned=True, skipped=skipped(few))
    asked, share = settings.overlap, settings.overlap_share
    fewer = {key: count for key, count in votes.items() if 0 < count < asked}
    if share == 1:
        return FewVotes(asked=asked, sentences=len(fewer), skipped=skipped(fewer))
    if settings.blind:
        few = [key for key in fewer if in_share(key, share)]
        return FewVotes(asked=asked, sentences=len(few), skipped=skipped(few))
    single = sum(count == 1 for count in fewer.values())
    outside = tasks - int(tasks * round(share * 100) / 100)
    return FewVotes(asked=asked, sentences=len(fewer) - min(single, outside), exact=False)


def few_tasks(
    work: Path,
    settings: LabelingSettings,
    votes: Mapping[str, int],
    tasks: Mapping[str, str],
    number: int,
    skips: Mapping[str, int] | None = None,
) -> FewVotes:
    """How many copy groups have fewer votes than the project asks for.

    Args:
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.
        votes: copy group → number of its votes.
        tasks: copy group → the sentence of it that was sent to annotators.
        number: number of copy groups that are to be labelled, answered or not.
        skips: copy group → number of annotators who skipped it and did not vote on it; None if not known.

    Raises:
        TableError: a table is missing or malformed.
    """
    assigned = assigned_votes(work, settings)
    if assigned is not None:
        assigned = {key: assigned.get(tasks.get(key, key), 0) for key in votes}
    return few_votes(votes, settings, number, assigned, skips)


def few_verdicts(work: Path, verdicts: Iterable[Verdict], settings: LabelingSettings) -> FewVotes:
    """How many verdicts rest on fewer votes than the project asks for; what a person settled rests on no votes.

    Args:
        work: the project's folder of tables.
        verdicts: verdicts of the project.
        settings: `[labeling]` of stance.toml.

    Raises:
        TableError: a table is missing or malformed.
    """
    votes = {row.sentence_id: len(row.votes) for row in verdicts if row.how != "adjudicated"}
    tasks = groups_of_labels(work).to_label(drawn_sentences(read_sample(work)))
    return few_votes(votes, settings, tasks, assigned_votes(work, settings))
