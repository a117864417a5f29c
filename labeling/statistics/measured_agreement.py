"""How far the annotators of a project agree: all measures, with intervals from a bootstrap over articles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

import msgspec
import numpy as np
from numpy.typing import NDArray

from corpus.errors import AgreementError
from labeling.records import is_unknown
from labeling.statistics.agreement import cohen_kappa, fleiss_kappa, gwet_ac1, krippendorff_alpha
from labeling.statistics.bootstrap import times_drawn
from labeling.statistics.coefficient_intervals import chance_of, coefficient, ratio, share
from labeling.statistics.intervals import Estimate
from labeling.statistics.ordered_agreement import ordinal_alpha, weighted_kappa
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

    `raw` is the share of these sentences with the same label, and `kappa` is Cohen's kappa; `linear` and `quadratic`
    are Cohen's kappa with these weights, None unless the labels are a scale.
    `confusion[label of first][label of second]` counts them, for all labels that occur in the whole measurement.
    """

    first: str
    second: str
    n: int
    raw: Estimate
    kappa: Estimate
    confusion: dict[str, dict[str, int]]
    linear: Estimate | None = None
    quadratic: Estimate | None = None


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
        alpha: Krippendorff's alpha over all these sentences, for nominal labels.
        ac1: Gwet's AC1 over all these sentences.
        ordinal: Krippendorff's alpha for ordinal labels; None unless the labels are a scale.
        fleiss: Fleiss's kappa over the `fleiss_sentences` with exactly `fleiss_votes` votes: the most frequent
            number of votes, the larger one where two are equally frequent; 0 and 0 where no sentence is shared.
        raw: share of pairs of votes that are alike, each sentence weighing the same (Fleiss's mean P_i).
        labels: agreement on each label that was used against all others, in the order of the labels.
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
    ac1: Estimate = UNDEFINED
    ordinal: Estimate | None = None


def measure(
    votes: Mapping[str, Mapping[str, str]],
    article_of: Mapping[str, str],
    seed: int = 1,
    *,
    names: Sequence[str] = (),
    ordered: bool = False,
) -> Agreement:
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
        names: all labels that annotators can choose from, in their order; if empty, those that occur. AC1 depends on
            their number.
        ordered: whether the labels are a scale, in the order of `names`.

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
    used = {label for by in shared.values() for label in by.values()}
    everything = names or sorted(used)
    if unknown := used - set(everything):
        raise AgreementError(f"expected the labels {', '.join(everything)}; found {', '.join(sorted(unknown))}")
    labels = [name for name in everything if name in used]
    label_at = {name: position for position, name in enumerate(labels)}
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
    alphas, fleiss, raws, ac1s = _drawn(counts, article, weights, most, len(everything))
    rank = np.array([everything.index(label) for label in labels])
    units = [list(by.values()) for by in shared.values()]
    alike = (counts * (counts - 1)).sum(axis=1) / (sizes * (sizes - 1))
    equal = sizes == most
    pairs: list[PairAgreement] = []
    for i, j in combinations(range(len(annotators)), 2):
        if ((codes[:, i] >= 0) & (codes[:, j] >= 0)).any():
            n, raw, kappa, table = _two(codes[:, i], codes[:, j], labels, article, weights)
            linear, quadratic = (
                weighted_kappa(codes[:, i], codes[:, j], rank, article, weights, power) if ordered else None
                for power in (1, 2)
            )
            confusion = {
                label: dict(zip(labels, row, strict=True)) for label, row in zip(labels, table.tolist(), strict=True)
            }
            pairs.append(
                PairAgreement(
                    first=annotators[i],
                    second=annotators[j],
                    n=n,
                    raw=raw,
                    kappa=kappa,
                    confusion=confusion,
                    linear=linear,
                    quadratic=quadratic,
                )
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
        alpha=coefficient(krippendorff_alpha(units), alphas[-1], len(articles), chance_of(counts.sum(axis=0))),
        ac1=coefficient(
            gwet_ac1(units, everything), ac1s, len(articles), _ac1_chance(counts / sizes[:, None], len(everything))
        ),
        ordinal=ordinal_alpha(units, counts, rank, everything, article, weights) if ordered else None,
        fleiss=coefficient(
            fleiss_kappa(counts[equal].tolist()), fleiss, len(set(article[equal])), chance_of(counts[equal].sum(axis=0))
        ),
        fleiss_votes=most,
        fleiss_sentences=frequency[most],
        raw=share(math.fsum(alike.tolist()) / len(shared), raws, len(articles)),
        labels=[
            LabelAgreement(
                label=label,
                votes=int(counts[:, code].sum()),
                alpha=coefficient(
                    krippendorff_alpha([["this" if vote == label else "other" for vote in unit] for unit in units]),
                    alphas[code],
                    len(articles),
                    chance_of(np.array([counts[:, code].sum(), counts.sum() - counts[:, code].sum()])),
                ),
            )
            for code, label in enumerate(labels)
        ],
        pairs=pairs,
        rest=rest,
    )


def _drawn(
    counts: NDArray[np.int64], article: NDArray[np.int64], weights: NDArray[np.float64], most: int, choices: int
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Alpha of each label against the rest, then of all; Fleiss's kappa; raw agreement; AC1: each over all resamples.

    Whole numbers are summed by article, separately for each number of votes per sentence. So the sums are exact, and
    a resample is undefined exactly where `krippendorff_alpha` and `fleiss_kappa` would be.
    """
    sizes, kinds = counts.sum(axis=1), counts.shape[1]
    n, units, raw = (np.zeros(RESAMPLES) for _ in range(3))
    unlike, totals, shares = (np.zeros((kinds, RESAMPLES)) for _ in range(3))
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
        shares += used / size
        unlike += apart / (size - 1)
        alike = size * (size - 1) * number - apart.sum(axis=0)
        raw += alike / (size * (size - 1))
        if size == most:
            square, chance = (size * number) ** 2, (used**2).sum(axis=0)
            fleiss = ratio(alike * size * number / (size - 1) - chance, square - chance)
    alphas = [1 - ratio((n - 1) * unlike[code], totals[code] * (n - totals[code])) for code in range(kinds)]
    alphas.append(1 - ratio((n - 1) * unlike.sum(axis=0), n**2 - (totals**2).sum(axis=0)))
    agree, used_share = ratio(raw, units), shares / units  # every resample draws a sentence
    chance = (used_share * (1 - used_share)).sum(axis=0) / max(choices - 1, 1)
    return alphas, fleiss, agree, ratio(agree - chance, 1 - chance)


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
        share(int(np.trace(whole)) / len(a), ratio(agree, n), len(touched)),
        coefficient(
            kappa, ratio(n * agree - chance, n**2 - chance), len(touched), chance_of(np.bincount(np.append(a, b)))
        ),
        whole,
    )


def _ac1_chance(shares: NDArray[np.float64], choices: int) -> float:
    """Agreement by chance as AC1 defines it, from the share of each label (column) in each sentence's votes."""
    used = shares.mean(axis=0)
    return float((used * (1 - used)).sum() / max(choices - 1, 1))
