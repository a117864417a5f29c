"""How far the annotators of a project agree: all measures, with intervals from a bootstrap over articles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

import msgspec
import numpy as np
from numpy.typing import NDArray

from labeling.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from labeling.bootstrap import times_drawn
from labeling.intervals import FEWEST_ARTICLES, Estimate, share_interval
from labeling.records import is_unknown
from labeling.votes import numbered

RESAMPLES = 1000

UNDEFINED = Estimate(value=math.nan)


class LabelAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """One label against all others taken together: alpha, and the votes for it on shared sentences."""

    label: str
    votes: int
    alpha: Estimate


class PairAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Two annotators on the `n` sentences that both labelled.

    `raw` is the share of these sentences with the same label, and `kappa` is Cohen's kappa.
    `confusion[label of first][label of second]` counts them, for all labels that occur in the whole measurement.
    """

    first: str
    second: str
    n: int
    raw: Estimate
    kappa: Estimate
    confusion: dict[str, dict[str, int]]


class RestAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """An annotator against the majority of the others, on the `n` sentences where the others have a majority."""

    annotator: str
    n: int
    raw: Estimate
    kappa: Estimate


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How far annotators agree on the sentences with two or more votes.

    Attributes:
        annotators: the annotators who voted on a shared sentence, sorted; nobody else counts here.
        sentences: number of sentences with two or more votes.
        articles: number of articles that these sentences are from; the bootstrap draws articles.
        alpha: Krippendorff's alpha over all these sentences.
        fleiss: Fleiss's kappa over the `fleiss_sentences` with exactly `fleiss_votes` votes: the most frequent
            number of votes, the larger one where two are equally frequent; 0 and 0 where no sentence is shared.
        raw: share of pairs of votes that are alike, each sentence weighing the same (Fleiss's mean P_i).
        labels: agreement on each label against all others, sorted by label.
        pairs: every two annotators who share a sentence, sorted by name.
        rest: every annotator against the majority of the others, sorted by name.
    """

    annotators: list[str]
    sentences: int
    articles: int
    alpha: Estimate
    fleiss: Estimate
    fleiss_votes: int
    fleiss_sentences: int
    raw: Estimate
    labels: list[LabelAgreement]
    pairs: list[PairAgreement]
    rest: list[RestAgreement]


def measure(votes: Mapping[str, Mapping[str, str]], article_of: Mapping[str, str], seed: int = 1) -> Agreement:
    """Every coefficient of agreement, with 95 % percentile intervals by bootstrap over articles.

    Articles are drawn, not sentences: sentences of one article are not independent, and intervals over them would be
    too narrow. A coefficient has no interval where its sentences are from fewer than five articles, or where more than
    5 % of the 1,000 resamples leave it undefined (as with a label that occurs in one article only); fewer such
    resamples are left out. An annotator who shares no sentence with another counts nowhere. Neither do answers of
    unknown people: two of them, or one of them and a known annotator's, may be one person's.

    Args:
        votes: sentence → annotator → label, as `latest_votes` returns them; annotators need not label everything.
        article_of: the article of each sentence.
        seed: seed of the resamples.

    Returns:
        The measurement; neither the order of rows nor the annotators' names change any number.

    References:
        Field and Welsh (2007), Bootstrapping clustered data, JRSS B 69(3): the cluster bootstrap.
    """
    known = {key: {who: label for who, label in votes[key].items() if not is_unknown(who)} for key in sorted(votes)}
    shared = {key: by for key, by in known.items() if len(by) > 1}
    if not shared:
        return Agreement(
            annotators=[], sentences=0, articles=0, alpha=UNDEFINED, fleiss=UNDEFINED, fleiss_votes=0,
            fleiss_sentences=0, raw=UNDEFINED, labels=[], pairs=[], rest=[],
        )  # fmt: skip
    annotators, annotator_at = numbered(who for by in shared.values() for who in by)
    labels, label_at = numbered(label for by in shared.values() for label in by.values())
    articles, article_at = numbered(article_of[key] for key in shared)
    article = np.array([article_at[article_of[key]] for key in shared])
    codes = np.full((len(shared), len(annotators)), -1)  # sentences × annotators; -1: no answer
    codes[
        np.repeat(np.arange(len(shared)), [len(by) for by in shared.values()]),
        [annotator_at[who] for by in shared.values() for who in by],
    ] = [label_at[label] for by in shared.values() for label in by.values()]
    counts = np.stack([(codes == code).sum(axis=1) for code in range(len(labels))], axis=1)
    weights = np.concatenate([*times_drawn(len(articles), RESAMPLES, seed)]).T

    sizes = counts.sum(axis=1)
    frequency = Counter(sizes.tolist())
    most = max(frequency, key=lambda size: (frequency[size], size))
    alphas, fleiss, raws = _drawn(counts, article, weights, most)
    units = [list(by.values()) for by in shared.values()]
    alike = (counts * (counts - 1)).sum(axis=1) / (sizes * (sizes - 1))
    equal = sizes == most
    pairs: list[PairAgreement] = []
    for i, j in combinations(range(len(annotators)), 2):
        if ((codes[:, i] >= 0) & (codes[:, j] >= 0)).any():
            n, raw, kappa, table = _two(codes[:, i], codes[:, j], labels, article, weights)
            confusion = {
                label: dict(zip(labels, row, strict=True)) for label, row in zip(labels, table.tolist(), strict=True)
            }
            pairs.append(
                PairAgreement(first=annotators[i], second=annotators[j], n=n, raw=raw, kappa=kappa, confusion=confusion)
            )
    rest: list[RestAgreement] = []
    for i, name in enumerate(annotators):
        others = counts - (codes[:, i, None] == np.arange(len(labels)))
        settled = 2 * others.max(axis=1) > others.sum(axis=1)
        n, raw, kappa, _ = _two(codes[:, i], np.where(settled, others.argmax(axis=1), -1), labels, article, weights)
        rest.append(RestAgreement(annotator=name, n=n, raw=raw, kappa=kappa))
    return Agreement(
        annotators=annotators,
        sentences=len(shared),
        articles=len(articles),
        alpha=_coefficient(krippendorff_alpha(units), alphas[-1], len(articles), counts.sum(axis=0)),
        fleiss=_coefficient(
            fleiss_kappa(counts[equal].tolist()), fleiss, len(set(article[equal])), counts[equal].sum(axis=0)
        ),
        fleiss_votes=most,
        fleiss_sentences=frequency[most],
        raw=_share(math.fsum(alike.tolist()) / len(shared), raws, len(articles)),
        labels=[
            LabelAgreement(
                label=label,
                votes=int(counts[:, code].sum()),
                alpha=_coefficient(
                    krippendorff_alpha([["this" if vote == label else "other" for vote in unit] for unit in units]),
                    alphas[code],
                    len(articles),
                    np.array([counts[:, code].sum(), counts.sum() - counts[:, code].sum()]),
                ),
            )
            for code, label in enumerate(labels)
        ],
        pairs=pairs,
        rest=rest,
    )


def _drawn(
    counts: NDArray[np.int64], article: NDArray[np.int64], weights: NDArray[np.float64], most: int
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64], NDArray[np.float64]]:
    """Alpha of each label against the rest, then of all; Fleiss's kappa; raw agreement: each over all resamples.

    Whole numbers are summed by article, separately for each number of votes per sentence. So the sums are exact, and
    a resample is undefined exactly where `krippendorff_alpha` and `fleiss_kappa` would be.
    """
    sizes, kinds = counts.sum(axis=1), counts.shape[1]
    n, units, raw = (np.zeros(RESAMPLES) for _ in range(3))
    unlike, totals = np.zeros((kinds, RESAMPLES)), np.zeros((kinds, RESAMPLES))
    fleiss: NDArray[np.float64] = np.full(RESAMPLES, np.nan)
    for size in np.unique(sizes):
        rows = counts[sizes == size]
        sums = np.zeros((len(weights), 1 + 2 * kinds))
        np.add.at(sums, article[sizes == size], np.hstack([np.ones((len(rows), 1)), rows, rows * (size - rows)]))
        drawn = sums.T @ weights
        number, used, apart = drawn[0], drawn[1 : 1 + kinds], drawn[1 + kinds :]
        n += size * number
        units += number
        totals += used
        unlike += apart / (size - 1)
        alike = size * (size - 1) * number - apart.sum(axis=0)
        raw += alike / (size * (size - 1))
        if size == most:
            square, chance = (size * number) ** 2, (used**2).sum(axis=0)
            fleiss = _ratio(alike * size * number / (size - 1) - chance, square - chance)
    alphas = [1 - _ratio((n - 1) * unlike[code], totals[code] * (n - totals[code])) for code in range(kinds)]
    alphas.append(1 - _ratio((n - 1) * unlike.sum(axis=0), n**2 - (totals**2).sum(axis=0)))
    return alphas, fleiss, _ratio(raw, units)


def _two(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    labels: Sequence[str],
    article: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> tuple[int, Estimate, Estimate, NDArray[np.int64]]:
    """Compare two columns of codes where both have one: n, raw agreement, Cohen's kappa, and their table."""
    both = (first >= 0) & (second >= 0)
    a, b, kinds = first[both], second[both], len(labels)
    touched, place = np.unique(article[both], return_inverse=True)
    cells = np.bincount((place * kinds + a) * kinds + b, minlength=len(touched) * kinds**2)
    whole = cells.reshape(-1, kinds, kinds).sum(axis=0)
    if not len(a):
        return 0, UNDEFINED, UNDEFINED, whole
    drawn = (cells.reshape(-1, kinds**2).T.astype(float) @ weights[touched]).reshape(kinds, kinds, -1)
    n, agree = drawn.sum(axis=(0, 1)), np.einsum("iir->r", drawn)
    chance = (drawn.sum(axis=1) * drawn.sum(axis=0)).sum(axis=0)
    kappa = cohen_kappa([labels[code] for code in a], [labels[code] for code in b])
    return (
        len(a),
        _share(int(np.trace(whole)) / len(a), _ratio(agree, n), len(touched)),
        _coefficient(kappa, _ratio(n * agree - chance, n**2 - chance), len(touched), np.bincount(np.append(a, b))),
        whole,
    )


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quotient, NaN where the divisor is 0: there the coefficient is undefined."""
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom != 0)


def _coefficient(value: float, drawn: NDArray[np.float64], articles: int, answers: NDArray[np.int64]) -> Estimate:
    """A coefficient of agreement with its interval.

    Where annotators never disagree, every resample gives 1, which does not mean that they never will. The interval then
    follows from that of the share of equal answers, as alpha and kappa are 1 - (1 - share) / (1 - chance).

    Args:
        value: the coefficient.
        drawn: values of the coefficient in the resamples, NaN where it is undefined.
        articles: number of articles that its sentences are from.
        answers: number of answers by label, from which the agreement by chance follows.
    """
    estimate = _estimate(value, drawn, articles)
    if estimate.low < estimate.high or math.isnan(estimate.low):
        return estimate
    if value != 1:  # all articles are alike, so that resampling them tells nothing
        return Estimate(value=value)
    chance = float(((answers / answers.sum()) ** 2).sum())
    share = _share(1.0, drawn, articles)
    return Estimate(value=value, low=1 - (1 - share.low) / (1 - chance), high=1.0)


def _estimate(value: float, drawn: NDArray[np.float64], articles: int) -> Estimate:
    """The value with its percentile interval; 95 % of the resamples must have a value for there to be an interval."""
    defined = drawn[~np.isnan(drawn)]
    if math.isnan(value) or articles < FEWEST_ARTICLES or len(defined) < 0.95 * len(drawn):
        return Estimate(value=value)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high))


def _share(value: float, drawn: NDArray[np.float64], articles: int) -> Estimate:
    """A share with its interval. At 0 and 1 all resamples are alike, so that each article counts as one unit there."""
    if value in (0.0, 1.0):
        return (
            share_interval(value, 0.0, articles, articles, articles)
            if articles >= FEWEST_ARTICLES
            else Estimate(value=value)
        )
    return _estimate(value, drawn, articles)
