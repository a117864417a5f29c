"""Check whether the verdicts still follow from the answers, and say which command is due if they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from corpus.numbers import agreeing, number
from corpus.store import read_jsonl_if_there, table_path
from labeling.adjudicate import Settled, settled_now
from labeling.codebook import Codebook
from labeling.records import LabelingSettings, Unsettled, Verdict
from labeling.scheme import DEFAULT, Scheme

DUE = "stance adjudicate"

Change = Literal["label", "settled", "opened", "more", "votes", "flag", "other", "reason"]
CHANGES: Mapping[Change, tuple[str, str]] = {
    "label": ("would get another label", "would get another label"),
    "settled": ("is open and would be settled", "are open and would be settled"),
    "opened": ("would be open", "would be open"),
    "more": ("keeps its label with more votes", "keep their label with more votes"),
    "votes": ("keeps its label with other votes", "keep their label with other votes"),
    "flag": (
        "keeps its label, with a flag that something has changed since people settled it",
        "keep their label, with a flag that something has changed since people settled them",
    ),
    "other": (
        "keeps its label, with another record of how it was settled",
        "keep their label, with another record of how it was settled",
    ),
    "reason": ("stays open with other votes or for another reason", "stay open with other votes or for another reason"),
}
"""What would become of a sentence with a verdict, or of an open one, as clauses about one sentence and about more."""


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """How far the verdicts are behind the answers; at least one of the first three numbers is not 0.

    Attributes:
        new: sentences with answers that are neither settled nor open so far.
        changed: sentences whose verdict, or whose reason for being open, would be another one now, because votes,
            answers in the queue, the codebook, the corpus or the settings have changed.
        gone: sentences with a verdict, or open ones, that no longer have an answer that counts.
        people: new and changed sentences that people have settled in the queue since.
        reopened: changed sentences that are open now because the codebook asks for their votes again.
        why_reopened: under which version of the codebook these were labelled, and which one it is now, or "".
        made: whether verdicts were made at all.
        changes: how many of the other changed sentences would change in which way.
        due: the command to run.
    """

    new: int
    changed: int
    gone: int
    people: int
    made: bool
    reopened: int = 0
    why_reopened: str = ""
    changes: dict[Change, int] = {}
    due: str = DUE

    def __str__(self) -> str:
        """One sentence for the terminal."""
        return f"`{self.due}` is due: {self.why}"

    @property
    def why(self) -> str:
        """What has changed, as a clause."""
        if not self.made:
            return f"{number(self.new, 'sentence', 'have')} answers, and no verdict has been made yet"
        counts = (
            (self.new, f"{agreeing(self.new, 'have')} answers and no verdict yet"),
            (self.reopened, f"would be open again ({self.why_reopened})"),
            *((self.changes.get(kind, 0), words[self.changes.get(kind, 0) != 1]) for kind, words in CHANGES.items()),
            (self.gone, f"{agreeing(self.gone, 'have')} no answer any more that counts"),
        )
        return "of the sentences, " + ", ".join(f"{count:,} {what}" for count, what in counts if count)


def stale_verdicts(
    work: Path,
    settings: LabelingSettings,
    codebook: Codebook | None,
    ignored: Collection[str],
    scheme: Scheme = DEFAULT,
) -> Stale | None:
    """Compare the verdicts and the queue with what `stance adjudicate` would make now.

    The verdicts are made again in memory, from the same files and by the same function, so that everything that a
    verdict depends on is compared: votes, answers in the queue, the codebook's version, the corpus, the settings and
    who is ignored. Sentences that are open because `adjudicate --doubts` was asked for them are up to date as long as
    their votes are.

    Args:
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.
        codebook: the codebook; if None, votes under any version count.
        ignored: annotators whose answers don't count.
        scheme: labels of the project.

    Returns:
        None where the verdicts are up to date, or nobody has answered yet.

    Raises:
        TableError: a table is missing or malformed.
    """
    if not table_path(work, "annotations.jsonl").is_file():
        return None
    now = settled_now(work, settings, codebook=codebook, ignored=ignored, scheme=scheme)
    verdicts, queue = work / "verdicts.jsonl", work / "queue.jsonl"
    before = Settled(
        verdicts=read_jsonl_if_there(verdicts, Verdict),
        queue=read_jsonl_if_there(queue, Unsettled),
    )
    stale = compare(before, now)
    return msgspec.structs.replace(stale, made=verdicts.is_file()) if stale else None


def compare(before: Settled, now: Settled) -> Stale | None:
    """How some verdicts and their queue differ from those that would be made now; None if they do not."""
    then, today = _by_sentence(before), _by_sentence(now)
    new = today.keys() - then.keys()
    changed = {key for key in today.keys() & then.keys() if not _same(then[key], today[key])}
    gone = then.keys() - today.keys()
    if not (new or changed or gone):
        return None
    again = changed & now.again.keys()
    reasons = [row.reason for row in now.queue if row.sentence_id in again]
    return Stale(
        new=len(new),
        changed=len(changed),
        gone=len(gone),
        people=sum(_settled_since(then.get(key), today[key]) for key in new | changed),
        made=True,
        reopened=len(reasons),
        why_reopened=" or ".join(sorted(set(reasons))),
        changes=dict(Counter(_change(then[key], today[key]) for key in sorted(changed - again))),
    )


def _change(then: Verdict | Unsettled, today: Verdict | Unsettled) -> Change:
    """What would become of a sentence whose verdict, or whose reason for being open, would be another one now."""
    if isinstance(today, Unsettled):
        return "reason" if isinstance(then, Unsettled) else "opened"
    if isinstance(then, Unsettled):
        return "settled"
    if then.stance != today.stance:
        return "label"
    if then.votes != today.votes:
        return "more" if then.votes.items() <= today.votes.items() else "votes"
    return "flag" if today.flag and today.flag != then.flag else "other"


def _by_sentence(settled: Settled) -> dict[str, Verdict | Unsettled]:
    rows: list[Verdict | Unsettled] = [*settled.verdicts, *settled.queue]
    return {row.sentence_id: row for row in rows}


def _same(then: Verdict | Unsettled, today: Verdict | Unsettled) -> bool:
    if isinstance(then, Unsettled) and then.doubted:
        return then.votes == today.votes and not _by_people(today)
    return _core(then) == _core(today)


def _core(row: Verdict | Unsettled) -> tuple[object, ...]:
    """What was decided and from what, without probabilities, whose last digit may differ between machines."""
    if isinstance(row, Unsettled):
        return row.votes, row.reason
    return row.stance, row.how, row.votes, row.adjudicator, row.note, row.codebook, row.settled_at, row.flag


def _by_people(row: Verdict | Unsettled | None) -> Verdict | None:
    return row if isinstance(row, Verdict) and row.how == "adjudicated" else None


def _settled_since(then: Verdict | Unsettled | None, today: Verdict | Unsettled) -> bool:
    """Whether people settled a sentence, and not only something else about it has changed."""
    before, now = _by_people(then), _by_people(today)
    if now is None:
        return False
    return before is None or (before.adjudicator, before.settled_at) != (now.adjudicator, now.settled_at)
