"""What people settled in the queue, under the present codebook."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from labeling.codebook import Codebook
from labeling.records import Adjudication, Verdict
from labeling.scheme import Scheme
from labeling.settling.decision import Votes


def settled_by_people(
    adjudications: Iterable[Adjudication], codebook: Codebook | None, scheme: Scheme
) -> tuple[dict[str, list[Adjudication]], dict[str, dict[str, str]]]:
    """The last answer of each adjudicator to each sentence; a skip withdraws earlier answers.

    Returns:
        The answers by sentence; and, by sentence and adjudicator, the labels that the codebook reopened and that the
        scheme no longer has.
    """
    last: dict[tuple[str, str], Adjudication] = {}
    for row in sorted(adjudications, key=lambda row: (row.updated_at, row.studio_id or 0, row.stance or "")):
        last[row.sentence_id, row.adjudicator] = row
    by_sentence: dict[str, list[Adjudication]] = defaultdict(list)
    withdrawn: dict[str, dict[str, str]] = defaultdict(dict)
    for _, row in sorted(last.items()):
        if row.stance is None:
            continue
        gone = present_label(row, codebook) not in scheme.names
        if codebook and gone and codebook.asked_again_at(row.stance, row.codebook) is not None:
            withdrawn[row.sentence_id][row.adjudicator] = row.stance
        else:
            by_sentence[row.sentence_id].append(row)
    return dict(by_sentence), dict(withdrawn)


def present_label(answer: Adjudication, codebook: Codebook | None) -> str:
    """The present name of the label that an adjudicator gave."""
    assert answer.stance is not None  # a skip settles nothing
    return codebook.called_now(answer.stance, answer.codebook) if codebook else answer.stance


def adjudicated(
    answer: Adjudication, by: Votes, codebook: Codebook | None, scheme: Scheme, *, in_corpus: bool
) -> Verdict:
    """The verdict that an adjudicator's answer gives, with a flag that says what has changed since.

    Args:
        answer: the answer; not a skip.
        by: the present votes.
        codebook: the codebook; None if versions do not matter.
        scheme: labels of the project.
        in_corpus: whether the sentence is still in the corpus.
    """
    votes, flags = answer.votes, []
    if codebook:
        votes = {who: codebook.shown_vote_now(vote, answer.codebook, scheme.names) for who, vote in votes.items()}
        votes = {who: vote for who, vote in votes.items() if vote in scheme.names}
    if by != votes:
        flags.append("its votes have changed since")
    if codebook and codebook.asked_again_at(answer.stance or "", answer.codebook) is not None:
        flags.append(f"settled under codebook {answer.codebook}; it is {codebook.version} now")
    if not in_corpus:
        flags.append("the sentence left the corpus")
    return Verdict(
        sentence_id=answer.sentence_id,
        stance=present_label(answer, codebook),
        how="adjudicated",
        votes=votes,
        adjudicator=answer.adjudicator,
        note=answer.note,
        codebook=answer.codebook,
        settled_at=answer.updated_at,
        flag="; ".join(flags),
    )
