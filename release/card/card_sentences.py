"""Sentences of the card and the data statement that no report has: who settled labels, and what isn't known."""

from __future__ import annotations

from corpus.numbers import number
from release.card.card_facts import CardFacts
from train.report.sentences import spoken


def decided_sentence(facts: CardFacts) -> str:
    """Who decided the adjudicated sentences, and whether they are annotators; "" where no sentence was adjudicated.

    Whoever settles a disagreement between annotators and is one of them decides about their own votes.
    """
    people = facts.adjudicators
    if not people:
        return ""
    decided, copies = sum(people.values()), facts.adjudicated_copies
    if copies:
        of_them = f"{number(decided, 'sentence')} and {copies:,} exact {'copy' if copies == 1 else 'copies'}"
        what = f"The {decided + copies:,} adjudicated rows ({of_them}) were decided by"
    else:
        what = f"{number(decided, 'sentence', 'were')} decided by"
    voted = {row.annotator for row in facts.snapshot.status.annotators}
    if len(people) == 1:
        (name,) = people
        who = f"{name}, who {'is also' if name in voted else 'is not'} an annotator and"
    else:
        each = [
            f"{name} ({count:,}; {'also' if name in voted else 'not'} an annotator)" for name, count in people.items()
        ]
        who = f"{spoken(each, 'and')}, who"
    later = " Votes for labels that no longer existed were not shown." if len(facts.snapshot.codebooks) > 1 else ""
    return f"{what} {who} saw the votes that had been given by then.{later}"
