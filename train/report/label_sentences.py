"""The sentences of the report and the methods paragraph about answers, annotators and how labels were settled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from corpus.numbers import agreeing
from corpus.numbers import number as counted
from labeling.records import Verdict
from labeling.sampling.sample_table import DRAWN
from labeling.scheme import Stance
from labeling.status import Status
from train.report.project_snapshot import Snapshot

DRAWN_OTHERWISE = {
    "all": "with all that were left",
    "server": "as they were on the server already",
    "archive": "from an archive",
}
"""How sentences came to be labelled that no round drew by one of the ways in `DRAWN`."""
ENDS = (".", "!", "?", "…")


def answers_words(snapshot: Snapshot) -> str:
    """How many answers there are, and how many of them are skips, which are no labels."""
    skips = sum(row.skips for row in snapshot.status.annotators)
    more = f" ({skips:,} of them {'a skip' if skips == 1 else 'skips'})" if skips else ""
    return counted(snapshot.answers, "answer") + more


def sampling_sentence(snapshot: Snapshot) -> str:
    """How many sentences were drawn to be labelled, and how; "" if none was drawn yet."""
    drawn = snapshot.drawn
    if not drawn:
        return ""
    total, different = sum(drawn.values()), snapshot.status.different
    if total == different:
        those = f"All {different:,} different sentences of the corpus were"
    else:
        of_all = f"of the {counted(different, 'different sentence')} of the corpus"
        those = f"{total:,} {of_all} {'was' if total == 1 else 'were'}"
    if drawn.keys() == {"all"}:
        return f"{those} to be labelled, without a sample."
    ways = [f"{count:,} {drawn_words(by)}" for by, count in drawn.items()]
    how = f", {ways[0].partition(' ')[2]}" if len(ways) == 1 else f" ({', '.join(ways)})"
    return f"{those} drawn to be labelled, in {counted(snapshot.rounds, 'round')}{how}."


def drawn_words(by: str) -> str:
    """How a round drew sentences, as it is said after their number."""
    return DRAWN_OTHERWISE.get(by) or DRAWN[by]


def not_counted_sentence(status: Status) -> str:
    """Which answers do not count, and why; or that all of them do."""
    parts = [f"{counted(count, 'answer')} of {name}, ignored by the settings" for name, count in status.ignored.items()]
    if status.gone:
        parts.append(f"{counted(status.gone, 'answer')} to sentences that the corpus doesn’t have any more")
    return f"Not counted: {'; '.join(parts)}." if parts else "All answers count."


def open_words(count: int) -> str:
    """How many sentences are open, as a clause.

    >>> open_words(0), open_words(1), open_words(1200)
    ('none is open', '1 is open', '1,200 are open')
    """
    return "none is open" if not count else f"{count:,} {agreeing(count, 'are')} open"


def annotators_limit(note: str) -> str:
    """What the project says of its annotators, quoted, as a whole sentence; or that it says nothing."""
    if not note:
        return "Who the annotators were, and what they were paid, the project does not say."
    return f"Of the annotators the project says: “{note}”" + ("" if note.endswith(ENDS) else ".")


def few_annotators_limit(snapshot: Snapshot) -> str:
    """What follows from there being only one annotator or two; "" if there are more, or none."""
    annotators = {row.annotator for row in snapshot.status.annotators}
    if not 0 < len(annotators) < 3:
        return ""
    if len(annotators) == 1:
        return "There was only one annotator: how far others would give the same labels is not known."
    settled = [row for row in snapshot.verdicts or [] if _differ(row.votes.values())]
    decided = [row for row in settled if row.how == "adjudicated"]
    differing = len(settled) + sum(_differ(row.votes.values()) for row in snapshot.queue)
    start = "There were only two annotators: "
    if not differing:
        return f"{start}they never differed, but how far others would give the same labels is not known."
    if not decided:
        return f"{start}where they differed, no third answer decides."
    if len(decided) == differing:
        return f"{start}where they differed, {_deciders(decided, annotators)}."
    left = differing - len(decided)
    others = "one" if left == 1 else f"{left:,}"
    return (
        f"{start}on {len(decided):,} of the {differing:,} sentences where they differed, "
        f"{_deciders(decided, annotators)}; for the other {others} there is no third answer."
    )


def _differ(votes: Iterable[Stance]) -> bool:
    return len(set(votes)) > 1


def _deciders(decided: Sequence[Verdict], annotators: set[str]) -> str:
    """Who decided, and whether they had voted too: then theirs is no third answer."""
    people = {row.adjudicator for row in decided if row.adjudicator}
    if len(people) > 1:
        some = "who" if people <= annotators else "some of whom"
        return "adjudicators decided" + (f", {some} were also annotators" if people & annotators else "")
    return "an adjudicator decided" + (", who was also one of the annotators" if people & annotators else "")
