"""Set each machine coder beside the people: agreement, accuracy, confusion, consistency, and what it would conclude."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from corpus.errors import AgreementError
from labeling.machine.alternative_annotator import (
    AlternativeAnnotatorTest,
    alternative_annotator_test,
    on_scale,
    same_label,
)
from labeling.machine.answers import Series, dates, labels
from labeling.machine.records import MachineAnswer
from labeling.records import is_unknown
from labeling.scheme import Scheme
from labeling.statistics.agreement import krippendorff_alpha
from labeling.statistics.bootstrap import resampled
from labeling.statistics.coefficient_intervals import ratio
from labeling.statistics.intervals import Estimate, percentile_estimate, share_estimates
from labeling.votes import numbered

RESAMPLES = 1000
SEED = 1


class BesidePerson(msgspec.Struct, frozen=True, kw_only=True):
    """A machine coder and a person, both against the majority of the other people.

    Attributes:
        annotator: the person.
        sentences: number of sentences that both labelled and for which the other people have a majority.
        machine: share of these on which the machine gives the majority's label.
        person: share of these on which the person does.
        difference: the machine's share less the person's.
    """

    annotator: str
    sentences: int
    machine: Estimate
    person: Estimate
    difference: Estimate


class Consistency(msgspec.Struct, frozen=True, kw_only=True):
    """How far a machine coder repeats itself when it is asked the same question several times.

    Attributes:
        sentences: number of sentences with two or more answers.
        samples: largest number of answers to one question.
        alike: share of pairs of answers to one question that are the same label, each sentence weighing the same; a
            refusal is like no label and like no other refusal.
    """

    sentences: int
    samples: int
    alike: Estimate


class MachineCoder(msgspec.Struct, frozen=True, kw_only=True):
    """A machine coder with one prompt, beside the people.

    Attributes:
        coder: name of the machine coder.
        model: model that was asked, or that made the predictions.
        prompt: digest of the prompt or description.
        temperature: temperature at which it answered; None if not known.
        codebooks: versions of the codebook in its prompt, sorted.
        first: day of its first answer, ISO 8601; empty if not known.
        last: day of its last answer.
        sentences: number of sentences of the corpus that it gave a label.
        refused: number of sentences of the corpus for which it gave none.
        gone: number of its sentences that are no longer in the corpus; they count nowhere.
        joint: number of sentences that it and two or more people labelled; the two values of alpha are of these.
        alpha_people: Krippendorff's alpha (nominal) of the people alone.
        alpha_with: the same with the machine coder as if it were one more annotator.
        alpha_difference: the latter less the former.
        accuracy: share of the `against_majority` sentences on which it gives the label of most people.
        against_majority: number of sentences that it labelled and on which more than half of the people, two or more of
            them, agree.
        people: comparison with each person, sorted by name.
        confusion: label of the people's majority → label of the machine → number of sentences.
        consistency: how far it repeats itself; None if it was asked each question once.
        test: the alternative annotator test; None if there is too little for it.
        untested: why there is no test; empty if there is one.
        shares: share of each label among the sentences that all machine coders labelled.
    """

    coder: str
    model: str
    prompt: str
    temperature: float | None
    codebooks: list[str]
    first: str
    last: str
    sentences: int
    refused: int
    gone: int
    joint: int
    alpha_people: Estimate
    alpha_with: Estimate
    alpha_difference: Estimate
    accuracy: Estimate
    against_majority: int
    people: list[BesidePerson]
    confusion: dict[str, dict[str, int]]
    consistency: Consistency | None
    test: AlternativeAnnotatorTest | None
    untested: str
    shares: dict[str, Estimate]


class Machines(msgspec.Struct, frozen=True, kw_only=True):
    """All machine coders of a project.

    Attributes:
        coders: coders with their prompts, sorted.
        common: number of sentences that all of them labelled; `shares` is of these.
        people: share of each label by the people's majority, among the `settled` of these sentences; None without any.
        settled: number of the common sentences on which more than half of the people agree.
    """

    coders: list[MachineCoder]
    common: int
    people: dict[str, Estimate] | None
    settled: int


def compare(
    series: Mapping[Series, Sequence[MachineAnswer]],
    votes: Mapping[str, Mapping[str, str]],
    article_of: Mapping[str, str],
    scheme: Scheme,
    epsilon: float,
) -> Machines:
    """Set each machine coder beside the people; all intervals are over articles.

    Args:
        series: answers of each coder with one prompt, as `by_series` gives them.
        votes: sentence → annotator → label, of people only; unknown people are left out.
        article_of: article of each sentence of the corpus.
        scheme: labels of the project.
        epsilon: by how much a machine coder may be worse than a person in the alternative annotator test.

    References:
        Egami, Hinck, Stewart and Wei (2023), Using Imperfect Surrogates for Downstream Inference, NeurIPS: conclusions
        from machine labels depend on the model and prompt, so that several should be shown.
    """
    people = {
        key: {who: label for who, label in by.items() if not is_unknown(who)}
        for key, by in sorted(votes.items())
        if key in article_of
    }
    machine = {
        of: {key: label for key, label in labels(rows).items() if key in article_of} for of, rows in series.items()
    }
    common = sorted(set.intersection(*map(set, machine.values()))) if machine else []
    agreed = {key: label for key in common if (label := majority(people.get(key, {})))}
    return Machines(
        coders=[
            _coder(of, series[of], machine[of], people, article_of, scheme, epsilon, common) for of in sorted(series)
        ],
        common=len(common),
        people=_shares(agreed, article_of, scheme) if agreed else None,
        settled=len(agreed),
    )


def majority(votes: Mapping[str, str], fewest: int = 2) -> str | None:
    """The label that more than half of the people gave; None if there is none.

    Args:
        votes: annotator → label.
        fewest: fewest people who can be a majority, 1 or more.
    """
    if len(votes) < fewest:
        return None
    label, count = Counter(votes.values()).most_common(1)[0]
    return label if 2 * count > len(votes) else None


def _coder(
    of: Series,
    answers: Sequence[MachineAnswer],
    machine: Mapping[str, str],
    people: Mapping[str, Mapping[str, str]],
    article_of: Mapping[str, str],
    scheme: Scheme,
    epsilon: float,
    common: Sequence[str],
) -> MachineCoder:
    joint = {key: people[key] for key in people if key in machine and len(people[key]) > 1}
    agreed = {key: label for key, by in joint.items() if (label := majority(by))}
    confusion = {row: dict.fromkeys(scheme.names, 0) for row in scheme.names} if agreed else {}
    for key, label in agreed.items():
        confusion[label][machine[key]] += 1
    alone, both, apart = _alphas(joint, machine, article_of)
    test, untested = None, ""
    try:
        score = on_scale(scheme.names) if scheme.ordered else same_label
        test = alternative_annotator_test(joint, machine, epsilon, score)
    except AgreementError as error:
        untested = str(error)
    asked = {row.sentence_id for row in answers}
    first, last = dates(answers)
    return MachineCoder(
        coder=of.coder,
        model=of.model,
        prompt=of.prompt,
        temperature=None if of.temperature < 0 else of.temperature,
        codebooks=sorted({row.codebook for row in answers if row.codebook}),
        first=first,
        last=last,
        sentences=len(machine),
        refused=len((asked & article_of.keys()) - machine.keys()),
        gone=len(asked - article_of.keys()),
        joint=len(joint),
        alpha_people=alone,
        alpha_with=both,
        alpha_difference=apart,
        accuracy=_share({key: machine[key] == label for key, label in agreed.items()}, article_of),
        against_majority=len(agreed),
        people=_beside(people, machine, article_of),
        confusion=confusion,
        consistency=_consistency(answers, article_of),
        test=test,
        untested=untested,
        shares=_shares({key: machine[key] for key in common}, article_of, scheme) if common else {},
    )


def _alphas(
    joint: Mapping[str, Mapping[str, str]], machine: Mapping[str, str], article_of: Mapping[str, str]
) -> tuple[Estimate, Estimate, Estimate]:
    """Alpha of the people on some sentences, with the machine, and the difference, all by the same resamples."""
    nothing = Estimate(value=math.nan)
    if not joint:
        return nothing, nothing, nothing
    names, place = numbered([*machine.values(), *(label for by in joint.values() for label in by.values())])
    values: list[float] = []
    drawn: list[NDArray[np.float64]] = []
    for extra in (False, True):
        units = [[*by.values(), *([machine[key]] if extra else [])] for key, by in joint.items()]
        values.append(krippendorff_alpha(units))
        parts: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(1 + len(names)))
        for key, unit in zip(joint, units, strict=True):
            counts = np.bincount([place[label] for label in unit], minlength=len(names))
            unlike = (len(unit) ** 2 - (counts**2).sum()) / (len(unit) - 1)
            parts[article_of[key]] += np.append(unlike, counts)
        drawn.append(_alpha(resampled(np.stack([parts[name] for name in sorted(parts)]), SEED, RESAMPLES)))
    articles = len({article_of[key] for key in joint})
    values.append(values[1] - values[0])
    drawn.append(drawn[1] - drawn[0])
    alone, both, apart = (percentile_estimate(value, sums, articles) for value, sums in zip(values, drawn, strict=True))
    return alone, both, apart


def _alpha(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Alpha in each resample, from the summed unlike pairs (first column) and the numbers of each label."""
    counts = sums[:, 1:]
    n = counts.sum(axis=1)
    chance = n**2 - (counts**2).sum(axis=1)
    return np.asarray(1 - ratio((n - 1) * sums[:, 0], chance))


def _share(hits: Mapping[str, bool], article_of: Mapping[str, str]) -> Estimate:
    """The share of sentences that are hits, with its interval; undefined if there are no sentences."""
    if not hits:
        return Estimate(value=math.nan)
    return share_estimates(_sums({key: int(not hit) for key, hit in hits.items()}, article_of, 2), len(hits))[0]


def _sums(codes: Mapping[str, int], article_of: Mapping[str, str], kinds: int) -> NDArray[np.float64]:
    """The number of sentences of each article (rows) with each code (columns)."""
    _, place = numbered(article_of[key] for key in codes)
    sums = np.zeros((len(place), kinds))
    for key, code in codes.items():
        sums[place[article_of[key]], code] += 1
    return sums


def _shares(given: Mapping[str, str], article_of: Mapping[str, str], scheme: Scheme) -> dict[str, Estimate]:
    codes = {key: scheme.names.index(label) for key, label in given.items()}
    sums = _sums(codes, article_of, len(scheme.names))
    return dict(zip(scheme.names, share_estimates(sums, len(given)), strict=True))


def _beside(
    people: Mapping[str, Mapping[str, str]], machine: Mapping[str, str], article_of: Mapping[str, str]
) -> list[BesidePerson]:
    """Each person and the machine against the majority of the others, on the same sentences."""
    ours: dict[str, dict[str, bool]] = defaultdict(dict)
    theirs: dict[str, dict[str, bool]] = defaultdict(dict)
    for key, by in people.items():
        for person in by if key in machine else ():
            # As in the agreement of people, a single other person is the majority of the others.
            label = majority({who: other for who, other in by.items() if who != person}, fewest=1)
            if label is not None:
                ours[person][key], theirs[person][key] = machine[key] == label, by[person] == label
    return [
        BesidePerson(
            annotator=person,
            sentences=len(ours[person]),
            machine=_share(ours[person], article_of),
            person=_share(theirs[person], article_of),
            difference=_difference(ours[person], theirs[person], article_of),
        )
        for person in sorted(ours)
    ]


def _difference(ours: Mapping[str, bool], theirs: Mapping[str, bool], article_of: Mapping[str, str]) -> Estimate:
    """The difference of two shares of the same sentences, with its bootstrap interval."""
    _, place = numbered(article_of[key] for key in ours)
    parts = np.zeros((len(place), 2))
    for key, hit in ours.items():
        parts[place[article_of[key]]] += (int(hit) - int(theirs[key]), 1)
    sums = resampled(parts, SEED, RESAMPLES)
    return percentile_estimate(float(parts[:, 0].sum() / parts[:, 1].sum()), sums[:, 0] / sums[:, 1], len(place))


def _consistency(answers: Sequence[MachineAnswer], article_of: Mapping[str, str]) -> Consistency | None:
    given: dict[str, list[str | None]] = defaultdict(list)
    for row in answers:
        if row.sentence_id in article_of:
            given[row.sentence_id].append(row.stance)
    several = {key: rows for key, rows in given.items() if len(rows) > 1}
    if not several:
        return None
    _, place = numbered(article_of[key] for key in several)
    parts = np.zeros((len(place), 2))
    for key, rows in several.items():
        counts = Counter(label for label in rows if label is not None)
        alike = sum(count * (count - 1) for count in counts.values()) / (len(rows) * (len(rows) - 1))
        parts[place[article_of[key]]] += (alike, 1 - alike)
    return Consistency(
        sentences=len(several),
        samples=max(map(len, several.values())),
        alike=share_estimates(parts, len(several))[0],
    )
