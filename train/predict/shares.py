"""Estimate the share of each stance: as predicted, corrected by a random sample of labels, and as settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from labeling.records import NO_OUTLET
from labeling.scheme import DEFAULT, Stance
from labeling.statistics.intervals import Estimate, over_whole_range, share_estimates
from train.predict.influence import Labels, bounded, powered_shares

FEWEST_LABELS = 50
"""Number of randomly sampled labels that a correction needs. For a stance with a share of 5 %, the intervals contained
the true share in 82 % of 400 simulated corpora with 30 labels, and in 91 % with 50 (tests/test_shares.py)."""
FEWEST_ARTICLES = 10
"""Number of articles that these labels must come from; the interval has one degree of freedom less."""
UNKNOWN = "unknown"
"""Name of the month of articles without a date; no month has this name. An outlet may have it, so a missing outlet is
"" (see `called`)."""
NO_DATE = "no date"

NO_LANGUAGE = "not known"

Codes = NDArray[np.int32]
SharesOf = Literal["all", "outlet", "month", "language"]


class Guesses(msgspec.Struct, frozen=True, kw_only=True):
    """The model's stance of each sentence, with the sentence's article, outlet and month: one entry per sentence.

    The order of the sentences does not matter, but must be the same in all arrays.

    Attributes:
        stance: position of the predicted label in the scheme.
        home: number of the article that the sentence is counted with in intervals, its `home` (see
            `train.predict.sentence_arrays.Layout`); any distinct numbers will do.
        outlet: position of the outlet in `outlets`.
        month: position of the month in `months`.
        outlets: names of the outlets.
        months: names of the months, such as 2024-05.
        language: position of the language in `languages`; None if languages are not told apart.
        languages: codes of the languages; a language that is not known is "".
    """

    stance: NDArray[np.int8]
    home: Codes
    outlet: Codes
    month: Codes
    outlets: list[str]
    months: list[str]
    language: Codes | None = None
    languages: list[str] = []


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The same as `Guesses`, but counted: one entry for all sentences of one `home` article in one outlet and month.

    Attributes:
        sentences: number of sentences with each label, shape (entries, labels).
        home: number of the article that the sentences are counted with.
        outlet: position of the outlet in `outlets`.
        month: position of the month in `months`.
        outlets: names of the outlets.
        months: names of the months.
        language: position of the language in `languages`; None if languages are not told apart.
        languages: codes of the languages; a language that is not known is "".
    """

    sentences: NDArray[np.int64]
    home: Codes
    outlet: Codes
    month: Codes
    outlets: list[str]
    months: list[str]
    language: Codes | None = None
    languages: list[str] = []


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """The labels that people settled: one entry per sentence, in the order of `Guesses`.

    Attributes:
        stance: position of the sentence's label in the scheme, the same for all its exact copies; -1 without a label.
        unit: number of the sentence's copy group.
        article: position of the sentence's article. Intervals are over these articles, as those of `stance status`.
        stands: whether the sentence stands for its copy group, as the one that was drawn or labelled.
    """

    stance: NDArray[np.int8]
    unit: Codes
    article: Codes
    stands: NDArray[np.bool_]


class ShareRow(msgspec.Struct, frozen=True, kw_only=True):
    """The share of a stance among the sentences of the corpus, of an outlet, of a month or of a language.

    Attributes:
        kind: `all`, `outlet`, `month`, or, where there are several languages, `language`.
        name: the outlet, "" for articles that name none; or the month, `unknown` for those without a date; or the code
            of the language, "" where it is not known; or "" for the whole corpus.
        n: number of sentences.
        stance: the stance.
        raw: share of the predictions, which contains the model's errors.
        corrected: share corrected by randomly sampled labels; None if there are too few of them.
        labelled: number of randomly sampled labels; exact copies count once.
        settled: share among the settled sentences, whoever drew them and why; None if there are none.
        settled_labels: number of settled sentences; exact copies count once.
    """

    kind: SharesOf
    name: str
    n: int
    stance: Stance
    raw: Estimate
    corrected: Estimate | None
    labelled: int
    settled: Estimate | None = None
    settled_labels: int = 0


class PredictionShares(msgspec.Struct, frozen=True, kw_only=True):
    """All shares of a corpus.

    Attributes:
        model: version of the model that predicted.
        power: weight of the predictions in the correction; None without a correction.
        notes: notes on the correction, or on why there is none.
        rows: the shares.
        made_of: digest of the verdicts, rounds, outlets and dates that the shares depend on; "" where the corpus does
            not belong to a project.
    """

    model: str
    power: float | None
    notes: list[str]
    rows: list[ShareRow]
    made_of: str = ""


def prediction_shares(
    guesses: Guesses, labels: Labels | None, names: Sequence[Stance] = DEFAULT.names, settled: Settled | None = None
) -> list[ShareRow]:
    """Estimate the share of each stance over all sentences, by outlet and by month.

    Raw intervals are those of `labeling.statistics.intervals.share_estimates`, with the `home` articles as clusters, so
    that the sentences of one article, and the copies of one wire story, do not count as independent. They contain the
    uncertainty of drawing articles, but not the model's errors. With fewer than 5 home articles nothing is known of how
    articles differ, and the intervals are [0, 1].

    The correction is prediction-powered inference with power tuning, cross-fitted. A cell is the whole corpus, an
    outlet or a month. With f and y as 1 or 0 for whether the model and the label say a stance, N sentences in the cell,
    and weights w of the labelled ones, the stance's share is::

        θ = λ Σ f / N  +  Σ w (y - λ f) / Σ w

    Under simple random sampling this is the estimator of PPI++. (There, f is averaged over the N' unlabelled sentences
    only, and λ is smaller by the factor 1 / (1 + n / N'), with n labelled ones; averaged over all sentences, the factor
    disappears.) All stances and cells have the same λ, since the few labels of a cell would fit their own noise. So the
    shares add up to 1, except where one is cut to 0 or 1. The f of a sentence comes from a model that has not seen its
    label: the residuals of training examples are too small, and so would be the correction. As in cross-prediction, no
    label is lost to a test set.

    The interval of θ is from its linearised variance over home articles, by Student's t distribution with one degree of
    freedom less than there are home articles with labels. At 0 and 1 it is at least the interval of the raw shares,
    with each home article counting as one unit. Like the raw interval, it is about the outlets' articles in general,
    and so rather too wide than too narrow for this corpus.

    Args:
        guesses: the predictions.
        labels: the labels; None for no correction.
        names: the labels' names, in the order of the scheme.
        settled: the settled labels, whose own shares are given beside the model's; None where there are none.

    Returns:
        One row for each cell and stance: first the whole corpus, then outlets, then months, then languages if
        there are several, sorted by name. `corrected` is None in a cell with fewer than 50 labelled units that
        were drawn at random, or if these come from fewer than 10 home articles.

    References:
        Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023), Prediction-powered inference, Science 382:669-674.
        Angelopoulos, Duchi and Zrnic (2023), PPI++: Efficient prediction-powered inference, arXiv 2311.01453.
        Zrnic and Candès (2024), Cross-prediction-powered inference, PNAS 121:e2322083121.

    >>> same, stance = np.zeros(8, np.int32), np.array([0, 0, 0, 1, 1, 2, 2, 2], np.int8)
    >>> home = np.arange(8, dtype=np.int32)
    >>> guesses = Guesses(stance=stance, home=home, outlet=same, month=same, outlets=["Gazette"], months=["2024-05"])
    >>> [(row.stance, row.raw.value) for row in prediction_shares(guesses, None) if row.kind == "all"]
    [('favor', 0.375), ('against', 0.25), ('none', 0.375)]
    """
    weight = power(labels) if labels is not None and labels.weight.any() else None
    rows: list[ShareRow] = []
    for kind, name, here in _cells(guesses):
        raw = _raw(_by_home(guesses.stance[here], guesses.home[here], len(names)))
        corrected, labelled = None, 0
        if labels is not None and weight is not None:
            corrected, labelled = _corrected(labels, here, guesses.home[here], weight, len(names))
        cell = _rows(kind, name, len(here), raw, corrected, labelled, names)
        rows += _with_settled(cell, settled, here) if settled else cell
    return rows


def counted_shares(counts: Counts, names: Sequence[Stance] = DEFAULT.names) -> list[ShareRow]:
    """The shares that `prediction_shares` returns without labels, but from counts, to save memory.

    The results are identical to the last bit; memory grows with the number of home articles only.
    """
    rows: list[ShareRow] = []
    for kind, name, here in _cells(counts):
        homes, at = np.unique(counts.home[here], return_inverse=True)
        sums = np.zeros((len(homes), len(names)), np.int64)
        np.add.at(sums, at, counts.sentences[here])
        rows += _rows(kind, name, int(sums.sum()), _raw(sums), None, 0, names)
    return rows


def power(labels: Labels) -> float:
    """The weight of the predictions in the correction: the λ of PPI++ that minimises the variances' sum over stances.

    Args:
        labels: the labels and the predictions by models that had not seen them.

    Returns:
        A number from 0 (only the labels count) to 1 (plain prediction-powered inference): the covariance of label and
        prediction among labelled sentences, divided by the variance of the prediction among all sentences, each summed
        over the stances. It is 0 where the predictions do not vary.

    References:
        Angelopoulos, Duchi and Zrnic (2023), PPI++: Efficient prediction-powered inference, arXiv 2311.01453.

    >>> stance, held = np.array([0, 0, 1, 2], np.int8), np.array([0, 1, 1, 2], np.int8)
    >>> unit, by_chance = np.arange(4, dtype=np.int32), np.ones(4, np.bool_)
    >>> round(power(Labels(stance=stance, weight=np.ones(4), unit=unit, by_chance=by_chance, held=held)), 2)
    0.7
    """
    chosen = labels.weight > 0
    weight = labels.weight[chosen] / labels.weight.sum()
    label, held = labels.stance[chosen], labels.held[chosen]
    together = spread = 0.0
    for n in range(int(max(label.max(), held.max(), labels.held.max())) + 1):
        y, f, share = label == n, held == n, float(np.mean(labels.held == n))
        together += float(weight @ (y & f) - (weight @ y) * (weight @ f))
        spread += share * (1 - share)
    return min(max(together / spread, 0.0), 1.0) if spread else 0.0


def _cells(source: Guesses | Counts) -> Iterator[tuple[SharesOf, str, NDArray[np.int64]]]:
    """The cells (the whole corpus, each outlet, month and language), sorted by name, with their entries' positions."""
    yield "all", "", np.arange(len(source.home))
    kinds: list[tuple[SharesOf, Codes, list[str]]] = [
        ("outlet", source.outlet, source.outlets),
        ("month", source.month, source.months),
    ]
    if source.language is not None and len(np.unique(source.language)) > 1:
        kinds.append(("language", source.language, source.languages))
    for kind, codes, names in kinds:
        order = np.argsort(codes, kind="stable")
        held, starts = np.unique(codes[order], return_index=True)
        cells = zip(held.tolist(), np.split(order, starts[1:]), strict=True)
        for code, here in sorted(cells, key=lambda cell: names[cell[0]]):
            yield kind, names[code], here


def _rows(
    kind: SharesOf,
    name: str,
    n: int,
    raw: list[Estimate],
    corrected: list[Estimate] | None,
    labelled: int,
    names: Sequence[Stance],
) -> list[ShareRow]:
    return [
        ShareRow(
            kind=kind,
            name=name,
            n=n,
            stance=stance,
            raw=raw[place],
            corrected=corrected[place] if corrected else None,
            labelled=labelled,
        )
        for place, stance in enumerate(names)
    ]


def _by_home(stance: NDArray[np.int8], home: Codes, count: int) -> NDArray[np.int64]:
    """The number of sentences of each home article (rows, sorted by number) with each stance (columns)."""
    homes, at = np.unique(home, return_inverse=True)
    return np.stack([np.bincount(at[stance == n], minlength=len(homes)) for n in range(count)], axis=1)


def _raw(sums: NDArray[np.int64]) -> list[Estimate]:
    """The raw shares of one cell, from the counts of its home articles, as from `_by_home`."""
    return [over_whole_range(share) for share in share_estimates(sums.astype(float), float(sums.sum()))]


def _with_settled(rows: list[ShareRow], settled: Settled, here: NDArray[np.int64]) -> list[ShareRow]:
    """The rows of one cell with the shares among its settled sentences, of exact copies one."""
    known = here[settled.stance[here] >= 0]
    if not len(known):
        return rows
    known = known[np.argsort(~settled.stands[known], kind="stable")]
    units = known[np.unique(settled.unit[known], return_index=True)[1]]
    shares = _raw(_by_home(settled.stance[units], settled.article[units], len(rows)))
    return [
        msgspec.structs.replace(row, settled=share, settled_labels=len(units))
        for row, share in zip(rows, shares, strict=True)
    ]


def _corrected(
    labels: Labels, here: NDArray[np.int64], home: Codes, trust: float, count: int
) -> tuple[list[Estimate] | None, int]:
    """The corrected shares of one cell, or None where labels are too few; and the number of randomly drawn labels."""
    weight = labels.weight[here]
    by_chance = (weight > 0) & labels.by_chance[here]
    labelled = len(np.unique(labels.unit[here][by_chance]))
    homes_with_labels = len(np.unique(home[by_chance]))
    if labelled < FEWEST_LABELS or homes_with_labels < FEWEST_ARTICLES:
        return None, labelled
    mine = labels.at(here)
    return bounded(powered_shares(mine, home, trust, count), mine, home), labelled


def called(kind: SharesOf, name: str) -> str:
    """The name of a cell as it is shown to people; an outlet may itself be called "unknown" or "all"."""
    if kind == "all":
        return "all"
    if kind == "outlet":
        return name or NO_OUTLET
    if kind == "language":
        return name or NO_LANGUAGE
    return NO_DATE if name == UNKNOWN else name
