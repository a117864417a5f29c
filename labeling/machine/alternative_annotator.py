"""The alternative annotator test: whether a machine coder may stand in for the people, by their own labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from corpus.errors import AgreementError

FEWEST_PEOPLE = 3
"""Number of people that the test needs: with two, it only says to which of them the machine is closer."""
FEWEST_SENTENCES = 30
"""Number of sentences that each person needs for the t-test; its authors advise 50 to 100."""
ADVISED = 50
FALSE_DISCOVERY = 0.05
PASSES = 0.5
"""Winning rate from which the test is passed."""

Score = Callable[[str, Sequence[str]], float]


class AgainstPerson(msgspec.Struct, frozen=True, kw_only=True):
    """The machine coder in the place of one person.

    Attributes:
        annotator: the person who is left out.
        sentences: number of sentences that this person, the machine and somebody else labelled.
        machine: share of these on which the machine is at least as close to the other people as the person is.
        person: share of these on which the person is at least as close to them as the machine is.
        p: p-value of the hypothesis that the machine is worse by epsilon or more.
        won: whether that hypothesis is rejected, at a false discovery rate of 5 % over all people.
    """

    annotator: str
    sentences: int
    machine: float
    person: float
    p: float
    won: bool


class AlternativeAnnotatorTest(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the test.

    Attributes:
        epsilon: by how much the machine may be worse than a person.
        winning_rate: share of the people whom the machine may replace (omega); the test is passed from 0.5 on.
        advantage: average advantage probability (rho): the mean of the shares `machine`.
        people: comparison with each person, sorted by name.
        left_out: people with too few sentences, sorted by name, each with their number of sentences.
    """

    epsilon: float
    winning_rate: float
    advantage: float
    people: list[AgainstPerson]
    left_out: dict[str, int] = {}

    @property
    def passed(self) -> bool:
        """Whether the machine wins against at least half of the people."""
        return self.winning_rate >= PASSES

    @property
    def fewest(self) -> int:
        """The smallest number of sentences that a person was compared on."""
        return min(row.sentences for row in self.people)


def same_label(label: str, others: Sequence[str]) -> float:
    """The share of the others' labels that are this label: the closeness of labels without an order."""
    return sum(label == other for other in others) / len(others)


def on_scale(names: Sequence[str]) -> Score:
    """The closeness of labels of a scale: the negative root of the mean squared distance in steps of the scale.

    Args:
        names: labels in their order.
    """
    place = {name: n for n, name in enumerate(names)}

    def closeness(label: str, others: Sequence[str]) -> float:
        return -math.sqrt(math.fsum((place[label] - place[other]) ** 2 for other in others) / len(others))

    return closeness


def alternative_annotator_test(
    votes: Mapping[str, Mapping[str, str]],
    machine: Mapping[str, str],
    epsilon: float,
    score: Score = same_label,
    fewest_people: int = FEWEST_PEOPLE,
) -> AlternativeAnnotatorTest:
    """Test whether a machine coder represents people as well as a person among them does.

    Each person is left out in turn. On every sentence that this person, the machine and at least one other person
    labelled, the machine has the advantage if its label is at least as close to the others' labels as the person's is,
    and the person if theirs is at least as close as the machine's. With the mean difference of the person's and the
    machine's advantage, d, a one-sided t-test rejects that d is epsilon or more. The p-values of all people together
    are held to a false discovery rate of 5 % by the procedure of Benjamini and Yekutieli, which allows for any
    dependence among them.

    Sentences count as independent of each other, as in the paper. In a news corpus, sentences of one article are alike,
    so that the p-values are somewhat too small.

    Args:
        votes: sentence → annotator → label.
        machine: sentence → label of the machine; sentences without a label are left out.
        epsilon: by how much the machine may be worse than a person, from 0 to below 1.
        score: closeness of a label to the labels of others; the larger, the closer.
        fewest_people: fewest people that the test is made with; the authors advise 3, and need 2.

    Raises:
        AgreementError: fewer people have 30 sentences to be compared on; the message says how many are missing.

    References:
        Calderon, Reichart and Dror (2025), The Alternative Annotator Test for LLM-as-a-Judge, ACL, sections 3 and 4.
        Benjamini and Yekutieli (2001), The control of the false discovery rate in multiple testing under dependency,
        Annals of Statistics 29(4).
    """
    advantages: dict[str, list[tuple[bool, bool]]] = {}
    for key in sorted(votes.keys() & machine.keys()):
        by = votes[key]
        if len(by) < 2:
            continue
        for person, label in by.items():
            others = [other for who, other in by.items() if who != person]
            ours, theirs = score(machine[key], others), score(label, others)
            advantages.setdefault(person, []).append((ours >= theirs, theirs >= ours))
    enough = sorted(person for person, rows in advantages.items() if len(rows) >= FEWEST_SENTENCES)
    left_out = {person: len(advantages[person]) for person in sorted(advantages.keys() - set(enough))}
    if len(enough) < fewest_people:
        raise AgreementError(
            f"the alternative annotator test needs {fewest_people} people who each labelled {FEWEST_SENTENCES} or more "
            f"sentences that the machine coder and another person labelled too ({ADVISED} to 100 are better); "
            f"{len(enough)} people did"
        )
    p_values = [one_sided([theirs - ours for ours, theirs in advantages[person]], epsilon) for person in enough]
    won = rejected(p_values, FALSE_DISCOVERY)
    people = [
        AgainstPerson(
            annotator=person,
            sentences=len(advantages[person]),
            machine=sum(ours for ours, _ in advantages[person]) / len(advantages[person]),
            person=sum(theirs for _, theirs in advantages[person]) / len(advantages[person]),
            p=p,
            won=wins,
        )
        for person, p, wins in zip(enough, p_values, won, strict=True)
    ]
    return AlternativeAnnotatorTest(
        epsilon=epsilon,
        winning_rate=sum(won) / len(people),
        advantage=math.fsum(row.machine for row in people) / len(people),
        people=people,
        left_out=left_out,
    )


def one_sided(values: Sequence[float], least: float) -> float:
    """The p-value of a one-sample t-test that the mean is `least` or more, against its being less.

    Where all values are equal the test has no variance to work with: the p-value is 0 below `least`, and 1 otherwise.

    >>> round(one_sided([0.0, 0.0, 1.0, -1.0, 0.0, 0.0], 0.5), 4)
    0.0553
    """
    from scipy.special import stdtr

    sample = np.asarray(values, float)
    deviation = float(sample.std(ddof=1))
    apart = float(sample.mean()) - least
    if deviation == 0:
        return 0.0 if apart < 0 else 1.0
    return float(stdtr(len(sample) - 1, apart / (deviation / math.sqrt(len(sample)))))


def rejected(p_values: Sequence[float], rate: float) -> list[bool]:
    """Which hypotheses the procedure of Benjamini and Yekutieli rejects, so that the false discovery rate is held.

    Args:
        p_values: p-values, which may depend on each other in any way.
        rate: false discovery rate, from 0 to 1.

    >>> rejected([0.001, 0.02, 0.5], 0.05)
    [True, False, False]
    """
    total = len(p_values)
    order = sorted(range(total), key=lambda n: p_values[n])
    harmonic = math.fsum(1 / rank for rank in range(1, total + 1))
    passing = [rank for rank, n in enumerate(order, 1) if p_values[n] <= rank * rate / (total * harmonic)]
    largest = max(passing, default=0)
    return [rank <= largest for rank in (order.index(n) + 1 for n in range(total))]
