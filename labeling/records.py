"""What labeling holds: tasks, annotations and verdicts, and the words for a stance."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Stance = Literal["favor", "against", "none"]
STANCES: tuple[Stance, ...] = get_args(Stance)
How = Literal["single", "unanimous", "majority", "dawid_skene", "adjudicated"]


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[target]` in stance.toml: what the stance is toward."""

    name: str = "sending Western troops to Ukraine"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence with its context, as a task's `data` at Label Studio."""

    sentence_id: str
    text: str
    before: str
    after: str
    title: str
    outlet: str
    published: str
    target: str


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """One person's answer to one task.

    `stance` is None where the annotator skipped the sentence; `annotator` is a pseudonym; `codebook` is the
    version that the answer was given under; times are ISO 8601 in UTC, `seconds` the time on the task.
    """

    sentence_id: str
    annotator: str
    stance: Stance | None
    seconds: float | None = None
    created_at: str = ""
    updated_at: str = ""
    codebook: str = ""
    studio_id: int | None = None
    unsure: bool = False
    comment: str = ""
    holder: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The settled label of a sentence, and how it was settled from which votes."""

    sentence_id: str
    stance: Stance
    how: How
    votes: dict[str, Stance]
    adjudicator: str | None = None
    note: str = ""
    codebook: str = ""


class Unsettled(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence whose votes settle nothing: people must."""

    sentence_id: str
    votes: dict[str, Stance]
    reason: str


def latest_votes(annotations: list[Annotation]) -> dict[str, dict[str, Stance]]:
    """The vote of each annotator on each sentence: the last answer counts, a skip is no vote.

    Returns:
        sentence_id → annotator → stance, both sorted; sentences that everyone skipped are left out.
    """
    last: dict[tuple[str, str], Annotation] = {}
    for row in sorted(annotations, key=lambda row: (row.updated_at, row.studio_id or 0)):
        last[row.sentence_id, row.annotator] = row
    votes: dict[str, dict[str, Stance]] = {}
    for (sentence_id, annotator), row in sorted(last.items()):
        if row.stance is not None:
            votes.setdefault(sentence_id, {})[annotator] = row.stance
    return votes
