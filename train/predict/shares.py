"""Estimate the share of each stance: as predicted, and corrected by a random sample of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from labeling.intervals import Estimate, share_estimates, share_interval
from labeling.records import NO_OUTLET, STANCES, Stance

FEWEST_LABELS = 50
"""Randomly sampled labels that a correction needs: a stance of 5 % was held by the intervals of 82 % of 400 simulated
corpora with 30 of them, by 91 % with 50 (tests/test_shares.py)."""
FEWEST_ARTICLES = 10
"""Articles that they must come from: the interval's degrees of freedom are one less."""
SHOWN = 12
"""Outlets and months in the printed table; the file has all."""

UNKNOWN = "unknown"
"""The month of articles without a date: no month is called so. An outlet can be, so no outlet is "" (see `called`)."""
NO_DATE = "no date"

Codes = NDArray[np.int32]
Kind = Literal["all", "outlet", "month"]


class Guesses(msgspec.Struct, frozen=True, kw_only=True):
    """The model's stance of each sentence, and where the sentence counts: one entry a sentence, in any one order.

    Attributes:
        stance: place in STANCES.
        home: a number for the article that the sentence counts with in intervals, in an order of their own.
        outlet: place in `outlets`.
        month: place in `months`.
        outlets: their names.
        months: their names, such as 2024-05.
    """

    stance: NDArray[np.int8]
    home: Codes
    outlet: Codes
    month: Codes
    outlets: list[str]
    months: list[str]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The same, counted: an entry for the sentences that one home has in one outlet and month.

    Attributes:
        sentences: shape (entries, 3): how many have each stance, in the order of STANCES.
    """

    sentences: NDArray[np.int64]
    home: Codes
    outlet: Codes
    month: Codes
    outlets: list[str]
    months: list[str]


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """What people said of some of the same sentences, in the same order.

    Attributes:
        stance: place in STANCES, anything where `weight` is 0; a label holds for all copies of its sentence.
        weight: of the label, as of `labeling.sampling.corpus_shares.weights`; the same for all its copies; 0: no label.
        unit: a number for the group of copies that was labelled as one.
        by_chance: whether the unit was drawn with a known probability.
        held: the stance by a model that was trained without any label of the sentence's home.
    """

    stance: NDArray[np.int8]
    weight: NDArray[np.float64]
    unit: Codes
    by_chance: NDArray[np.bool_]
    held: NDArray[np.int8]


class ShareRow(msgspec.Struct, frozen=True, kw_only=True):
    """The share of a stance among the `n` sentences of the corpus, of an outlet or of a month.

    Attributes:
        name: the outlet, "" for articles that name none; or the month, `unknown` for those without a date.
        raw: share of the predictions, which has the model's errors in it.
        corrected: share corrected by `labelled` randomly sampled labels; None if there are too few.
    """

    kind: Kind
    name: str
    n: int
    stance: Stance
    raw: Estimate
    corrected: Estimate | None
    labelled: int


class PredictionShares(msgspec.Struct, frozen=True, kw_only=True):
    """All shares of a corpus.

    Attributes:
        model: the version of the model that predicted.
        power: the weight of the predictions in the correction; None without one.
        notes: what to know of the correction, or why there is none.
        rows: the shares.
        made_of: the digest of verdicts, rounds and dates that they rest on; "" where the corpus is no project's.
    """

    model: str
    power: float | None
    notes: list[str]
    rows: list[ShareRow]
    made_of: str = ""


def prediction_shares(guesses: Guesses, labels: Labels | None) -> list[ShareRow]:
    """The share of each stance over all sentences, by outlet and by month.

    Raw intervals are those of `labeling.sampling.corpus_shares.share_estimates` over the homes, so that sentences of
    one article, and copies of one wire story, count as the one thing they are. They hold the model's doubt about the
    articles, none about the model. With fewer than 5 homes nothing is known of how articles differ: they go from 0 to
    1.

    The correction is prediction-powered inference with power tuning, cross-fitted. With the model's stance f, the
    label y, N sentences in the cell, and weights w of the labelled ones, a stance's share is::

        θ = λ Σ f / N  +  Σ w (y - λ f) / Σ w

    Under simple random sampling that is the estimator of PPI++ (there, f is averaged over the unlabelled alone and
    λ is smaller by the factor 1 / (1 + n / N'); written over all sentences that factor goes). λ is one for all
    stances and cells (a cell's few labels would fit their own noise), so shares add up to 1 but where one is cut off
    at 0 or 1. f of a sentence comes from a model that has not seen its label: residuals of training examples are
    too small, and the correction would be too. As in cross-prediction, no label is lost to a test set.

    Its interval is the estimate's linearised variance over homes, by Student's t with one degree of freedom less than
    there are homes with labels; at 0 and 1 it is that of the raw shares, each home counting as one. Like the raw one it
    is about the outlets' articles at large, hence rather too wide than too narrow for this very corpus.

    Args:
        guesses: the predictions.
        labels: the labels; None: no correction.

    Returns:
        A row a cell and stance: first all, then outlets, then months by name. `corrected` is None in a cell with
        fewer than 50 units that chance chose and people labelled, or with such in fewer than 10 homes.

    References:
        Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (2023), Prediction-powered inference, Science 382:669-674.
        Angelopoulos, Duchi and Zrnic (2023), PPI++: Efficient prediction-powered inference, arXiv 2311.01453.
        Zrnic and Candès (2024), Cross-prediction-powered inference, PNAS 121:e2322083121.
    """
    weight = power(labels) if labels is not None and labels.weight.any() else None
    rows: list[ShareRow] = []
    for kind, name, here in _cells(guesses):
        raw = _raw(_by_home(guesses.stance[here], guesses.home[here]))
        corrected, labelled = None, 0
        if labels is not None and weight is not None:
            corrected, labelled = _corrected(labels, here, guesses.home[here], weight)
        rows += _rows(kind, name, len(here), raw, corrected, labelled)
    return rows


def counted_shares(counts: Counts) -> list[ShareRow]:
    """What `prediction_shares` gives without labels, to the last bit, from counts: memory grows with homes alone."""
    rows: list[ShareRow] = []
    for kind, name, here in _cells(counts):
        homes, at = np.unique(counts.home[here], return_inverse=True)
        sums = np.zeros((len(homes), len(STANCES)), np.int64)
        np.add.at(sums, at, counts.sentences[here])
        rows += _rows(kind, name, int(sums.sum()), _raw(sums), None, 0)
    return rows


def power(labels: Labels) -> float:
    """How far to trust the predictions: the λ of PPI++ that makes the variances' sum over the stances smallest.

    Returns:
        From 0 (the labels alone) to 1 (plain PPI): the covariance of label and prediction among the labelled, over
        the prediction's variance among all, each summed over the stances; 0 where the prediction never varies.
    """
    chosen = labels.weight > 0
    weight = labels.weight[chosen] / labels.weight.sum()
    label, held = labels.stance[chosen], labels.held[chosen]
    together = spread = 0.0
    for n in range(len(STANCES)):
        y, f, share = label == n, held == n, float(np.mean(labels.held == n))
        together += float(weight @ (y & f) - (weight @ y) * (weight @ f))
        spread += share * (1 - share)
    return min(max(together / spread, 0.0), 1.0) if spread else 0.0


def _cells(found: Guesses | Counts) -> Iterator[tuple[Kind, str, NDArray[np.int64]]]:
    """All, each outlet and each month that occur, by name, with the places where they do."""
    yield "all", "", np.arange(len(found.home))
    kinds: list[tuple[Kind, Codes, list[str]]] = [
        ("outlet", found.outlet, found.outlets),
        ("month", found.month, found.months),
    ]
    for kind, codes, names in kinds:
        order = np.argsort(codes, kind="stable")
        held, starts = np.unique(codes[order], return_index=True)
        cells = zip(held.tolist(), np.split(order, starts[1:]), strict=True)
        for code, here in sorted(cells, key=lambda cell: names[cell[0]]):
            yield kind, names[code], here


def _rows(
    kind: Kind, name: str, n: int, raw: list[Estimate], corrected: list[Estimate] | None, labelled: int
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
        for place, stance in enumerate(STANCES)
    ]


def _by_home(stance: NDArray[np.int8], home: Codes) -> NDArray[np.int64]:
    """How many sentences each home (rows, in their order) has of each stance."""
    homes, at = np.unique(home, return_inverse=True)
    return np.stack([np.bincount(at[stance == n], minlength=len(homes)) for n in range(len(STANCES))], axis=1)


def _raw(sums: NDArray[np.int64]) -> list[Estimate]:
    """The shares of one cell by its homes' counts, as `_by_home` gives them."""
    found = share_estimates(sums.astype(float), float(sums.sum()))
    return [one if one.low == one.low else Estimate(value=one.value, low=0.0, high=1.0) for one in found]


def _corrected(labels: Labels, here: NDArray[np.int64], home: Codes, trust: float) -> tuple[list[Estimate] | None, int]:
    """The corrected shares of one cell, None where labels are too few; and how many chance chose."""
    weight = labels.weight[here]
    by_chance = (weight > 0) & labels.by_chance[here]
    labelled = len(np.unique(labels.unit[here][by_chance]))
    homes_with_labels = len(np.unique(home[by_chance]))
    if labelled < FEWEST_LABELS or homes_with_labels < FEWEST_ARTICLES:
        return None, labelled
    label, held, total = labels.stance[here], labels.held[here], weight.sum()
    homes, at = np.unique(home, return_inverse=True)
    reach = stdtrit(homes_with_labels - 1, 0.975) * np.sqrt(homes_with_labels / (homes_with_labels - 1))
    by_home = np.bincount(at, weight, len(homes))
    alike = float(by_home.sum() ** 2 / (by_home**2).sum())
    found: list[Estimate] = []
    for n in range(len(STANCES)):
        f = trust * (held == n)
        error = (label == n) - f
        mean_f, mean_error = f.mean(), weight @ error / total
        pull = (f - mean_f) / len(here) + weight * (error - mean_error) / total
        half = reach * np.sqrt(np.sum(np.bincount(at, pull, len(homes)) ** 2))
        value, low, high = np.clip([mean_f + mean_error + side for side in (0.0, -half, half)], 0.0, 1.0).tolist()
        if value in (0.0, 1.0):  # where labels and predictions are all alike, their variance is 0 and says nothing
            border = share_interval(value, 0.0, float(len(here)), homes_with_labels, alike)
            low, high = min(low, border.low), max(high, border.high)
        found.append(Estimate(value=value, low=low, high=high))
    return found, labelled


def show(shares: PredictionShares) -> str:
    """The table that `stance predict` prints: all, the outlets and the last months, in per cent."""
    cells: dict[tuple[Kind, str], list[ShareRow]] = {}
    for row in shares.rows:
        cells.setdefault((row.kind, row.name), []).append(row)
    outlets = sorted((key for key in cells if key[0] == "outlet"), key=lambda key: (-cells[key][0].n, key))
    months = [key for key in cells if key[0] == "month"]
    shown = [("all", ""), *outlets[:SHOWN], *months[-SHOWN:]]
    # Names stand whole: cut ones can be the same.
    wide = max(24, *(len(called(*key)) + 4 for key in shown))
    lines = [f"{'shares in %':{wide}}{'sentences':>10}{'labelled':>9}   " + "".join(f"{name:21}" for name in STANCES)]
    before: Kind = "all"
    for key in shown:
        if key[0] != before:
            lines.append(f"by {key[0]}")
            before = key[0]
        rows = cells[key]
        head = f"{'' if key[0] == 'all' else '  '}{called(*key)}"
        lines.append(f"{head:{wide}}{rows[0].n:10,}{rows[0].labelled:9,}   {_line([row.raw for row in rows])}raw")
        corrected = [row.corrected for row in rows if row.corrected is not None]
        if corrected:
            lines.append(f"{'':{wide + 19}}   {_line(corrected)}corrected")
    hidden = len(cells) - 1 - len(outlets[:SHOWN]) - len(months[-SHOWN:])
    return "\n".join([line.rstrip() for line in lines] + [f"and {hidden} more outlets and months"] * (hidden > 0))


def called(kind: Kind, name: str) -> str:
    """What a cell is called where people read it: an outlet may be called "unknown" or "all"."""
    if kind == "all":
        return "all"
    if kind == "outlet":
        return name or NO_OUTLET
    return NO_DATE if name == UNKNOWN else name


def _line(estimates: Sequence[Estimate]) -> str:
    texts = [f"{100 * one.value:.1f}{_interval(one)}" for one in estimates]
    return "".join(f"{text:21}" for text in texts)


def _interval(one: Estimate) -> str:
    """The interval in per cent; nothing where it says nothing."""
    return "" if (one.low, one.high) == (0, 1) else f" [{100 * one.low:.1f}, {100 * one.high:.1f}]"
