"""Compare every test sentence with the whole training set, to find leaks and measure what they would change.

The clustering finds its candidates by rare words; here there are no candidates: all pairs are compared. So the
audit can't miss what the clustering missed, nor for the same reason.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest
from itertools import islice, product

import msgspec
import numpy as np
from rapidfuzz.fuzz import ratio
from rapidfuzz.process import cdist
from sklearn.feature_extraction.text import HashingVectorizer

from corpus.errors import ExamplesError
from corpus.near_duplicates import LETTERS, MIN_WORDS, normalise
from labeling.records import Stance
from train.intervals import STILL
from train.metrics import evaluate, f_avg
from train.model.counted_texts import spread
from train.records import Example, Scores

FitPredict = Callable[[Sequence[Example], Sequence[Example]], Sequence[Stance]]
"""Fit on the first examples and give the stances of the second, in their order; their labels are not looked at."""
BLOCK = 64
"""Test sentences compared at once: with 40,000 training sentences a block's table is 2.5 MB."""
LONG = 600
"""Letters from which a pair of texts is compared only where they share runs of three words."""
SHARED = 0.05
"""Share of the shorter text's runs of three words that such a pair has in common at least."""
MOST = 10_000
SHOWN = 5


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A test and a training sentence that are nearly the same; `ratio` is of their normalised texts, up to 100."""

    test_id: str
    train_id: str
    ratio: float
    test_text: str
    train_text: str


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit found.

    Attributes:
        threshold: pairs from this ratio up are listed, 0 to 100.
        compared: how many pairs of texts there are, test times training.
        found: how many of them are from the threshold up.
        pairs: those, most alike first; the 10,000 most alike where there are more.
        affected: the test sentences with such a training sentence, by their place in the examples given.
        tested: how many test sentences there are.
    """

    threshold: float
    compared: int
    found: int
    pairs: list[Pair]
    affected: list[int]
    tested: int


class WithWithout(msgspec.Struct, frozen=True, kw_only=True):
    """Scores on all test sentences, and on those that have no near-duplicate in training; None where none is left."""

    all: Scores
    without: Scores | None
    affected: int


class Naive(msgspec.Struct, frozen=True, kw_only=True):
    """F_avg of random splits by sentence beside random splits by group of the same size, one of each a seed.

    Attributes:
        by_sentence: F_avg of each split that draws sentences, whatever group they are of.
        by_group: F_avg of each split that draws whole groups.
        flatters: the mean of the differences: by how much the naive split looks better.
        low: lower end of the 95 % interval of `flatters`, which allows for the overlap of the training sets; None for
            fewer than two seeds, and where all differences are the same.
        high: likewise.
        tested: examples in each naive test set; those by group come as near to it as groups allow.
    """

    by_sentence: list[float]
    by_group: list[float]
    flatters: float
    low: float | None
    high: float | None
    tested: int


def audit(training: Sequence[Example], testing: Sequence[Example], threshold: float = LETTERS) -> Audit:
    """Compare every test sentence with every training sentence by rapidfuzz's `ratio` of their normalised texts.

    As in `corpus.near_duplicates`, a text under five words counts only where the other one is equal: "Training." is
    not a near-duplicate of "Trading.". Of texts up to 600 letters no other pair is left out; lengths alone rule out
    some, exactly. 10,000 sentences beside 40,000, of 119 letters, took 40 s of CPU and 130 MB (November 2026, 2 cores).
    Longer texts, of which one pair takes a hundred times as long, are compared where they share a twentieth of the
    shorter one's runs of three words: of texts that differ in one word of five, half of these runs are the same.

    Args:
        training: all that was learned from, the validation split included.
        testing: the test split.
        threshold: 100 × (1 − insertions and deletions / letters of both); near-duplicates from 80 up.
    """
    tests, trains = _places(testing), _places(training)
    pairs: list[tuple[float, str, str]] = [(100.0, key, key) for key in tests.keys() & trains.keys()]
    pairs += _long_pairs(
        [key for key in tests if len(key) > LONG], [key for key in trains if len(key) > LONG], threshold
    )
    long = sorted((key for key in trains if _words(key) >= MIN_WORDS), key=lambda key: (len(key), key))
    lengths = [len(key) for key in long]
    asked = sorted((key for key in tests if _words(key) >= MIN_WORDS), key=lambda key: (len(key), key))
    # Of two strings the ratio is at most 2 × shorter / (shorter + longer).
    factor = threshold / (200 - threshold)
    for start in range(0, len(asked), BLOCK):
        block = asked[start : start + BLOCK]
        low = bisect_left(lengths, math.floor(len(block[0]) * factor))
        high = bisect_right(lengths, math.ceil(len(block[-1]) / factor)) if factor else len(long)
        if len(block[0]) > LONG:
            high = min(high, bisect_right(lengths, LONG))
        near = cdist(
            block, long[low : max(low, high)], scorer=ratio, score_cutoff=threshold, dtype=np.float32, workers=-1
        )
        for row, column in np.argwhere(near >= threshold).tolist() if near.size else []:
            test, train = block[row], long[low + column]
            if test != train and not (len(test) > LONG and len(train) > LONG):
                pairs.append((ratio(test, train), test, train))
    # Equal texts can make millions of pairs: of each two texts only so many are looked at as can be listed.
    listed = nsmallest(
        MOST,
        (
            (-value, testing[here].sentence_id, training[there].sentence_id, here, there)
            for value, test, train in pairs
            for here, there in islice(product(tests[test], trains[train]), MOST)
        ),
    )
    return Audit(
        threshold=threshold,
        compared=len(training) * len(testing),
        found=sum(len(tests[test]) * len(trains[train]) for _, test, train in pairs),
        pairs=[
            Pair(
                test_id=testing[here].sentence_id,
                train_id=training[there].sentence_id,
                ratio=-minus,
                test_text=testing[here].text,
                train_text=training[there].text,
            )
            for minus, _, _, here, there in listed
        ],
        affected=sorted({here for _, test, _ in pairs for here in tests[test]}),
        tested=len(testing),
    )


def near_among(keys: Iterable[str], threshold: float = LETTERS) -> list[tuple[float, str, str]]:
    """Near-duplicates among long texts: ratio and both texts of each pair of unlike ones, once.

    Args:
        keys: normalised texts; those up to 600 letters are left out.
        threshold: least similarity of a near-duplicate, as for `audit`.
    """
    long = sorted({key for key in keys if len(key) > LONG})
    return [(value, one, two) for value, one, two in _long_pairs(long, long, threshold) if one < two]


def _long_pairs(tests: Sequence[str], trains: Sequence[str], threshold: float) -> list[tuple[float, str, str]]:
    """Near-duplicates among long texts: ratio, test and training text of each pair of unlike ones."""
    if not tests or not trains:
        return []
    counter = HashingVectorizer(
        ngram_range=(3, 3), token_pattern=r"\S+", lowercase=False, binary=True, norm=None, alternate_sign=False
    )
    asked, known = sorted(tests), sorted(trains)
    held = counter.transform(known)
    rows = held if asked == known else counter.transform(asked)
    sizes, asked_sizes = held.getnnz(axis=1), rows.getnnz(axis=1)
    # A run that one text alone has is in no pair; most are such, and without them the products are quick.
    shared = np.flatnonzero((held.getnnz(axis=0) > (1 if rows is held else 0)) & (rows.getnnz(axis=0) > 0))
    other = held[:, shared].T.tocsr()
    rows = rows[:, shared]
    found: list[tuple[float, str, str]] = []
    for start in range(0, len(asked), BLOCK):
        block = rows[start : start + BLOCK]
        common = (block @ other).tocoo()
        fewest = SHARED * np.minimum(asked_sizes[start + common.row], sizes[common.col])
        near = common.data >= np.maximum(fewest, 1)
        for row, column in zip(common.row[near].tolist(), common.col[near].tolist(), strict=True):
            test, train = asked[start + row], known[column]
            if test != train and (value := ratio(test, train, score_cutoff=threshold)) >= threshold:
                found.append((value, test, train))
    return found


def _places(rows: Sequence[Example]) -> dict[str, list[int]]:
    """Where each normalised text stands, by the names of its sentences."""
    found: dict[str, list[int]] = {}
    for n in sorted(range(len(rows)), key=lambda n: rows[n].sentence_id):
        found.setdefault(normalise(rows[n].text), []).append(n)
    return found


def _words(key: str) -> int:
    return len(key.split())


def check(found: Audit) -> None:
    """Refuse a split made here in which a test sentence has a near-duplicate in training.

    Raises:
        ExamplesError: there is such a pair; it names them, and what to do.
    """
    if not found.found:
        return
    shown = found.pairs[:SHOWN]
    lines = [
        f"  {pair.ratio:.0f} %: test {pair.test_id} {_short(pair.test_text)}\n"
        f"        train {pair.train_id} {_short(pair.train_text)}"
        for pair in shown
    ]
    more = [f"  and {found.found - len(shown)} more"] if found.found > len(shown) else []
    together = msgspec.json.encode([[pair.test_id, pair.train_id] for pair in found.pairs[:100]]).decode()
    raise ExamplesError(
        "\n".join(
            [
                f"the split leaks: {len(found.affected)} of {found.tested} test sentences have a near-duplicate "
                f"(ratio {found.threshold:g} and more) in training:",
                *lines,
                *more,
                "If the corpus changed since, run `stance build` again. Else keep each pair in one split: in a project "
                f"by this line under [train] of stance.toml,\n  together = {together}\n"
                "in data of your own by giving both rows the same `group`",
            ]
        )
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 80 else text[:79] + "…")


def with_and_without(testing: Sequence[Example], given: Sequence[Stance], found: Audit, seed: int) -> WithWithout:
    """Score all test sentences, and those alone that have no near-duplicate in training.

    Args:
        testing: the test split, as the audit was given it.
        given: the predictions, in the same order.
        found: the audit.
        seed: seed of the intervals.
    """
    leaked = set(found.affected)
    clean = [n for n in range(len(testing)) if n not in leaked]

    def scores(places: Sequence[int]) -> Scores:
        rows = [testing[n] for n in places]
        return evaluate([row.label for row in rows], [given[n] for n in places], [row.group for row in rows], seed)

    return WithWithout(all=scores(range(len(testing))), without=scores(clean) if clean else None, affected=len(leaked))


def naive(
    examples: Sequence[Example],
    tested: int,
    fit_predict: FitPredict,
    seeds: Sequence[int],
    progress: Callable[[int, int], None] = lambda *_: None,
    jobs: int = 1,
) -> Naive:
    """What a random split by sentence would have scored, and by how much it flatters.

    For each seed, `tested` sentences are drawn at random as a test set, as people do who forget that sentences
    of one article, and copies of a wire story, are alike; beside it, whole groups are drawn up to the same size.
    One test split is but one draw, with luck of its own: the mean difference over seeds is what the way of
    splitting is worth.

    Args:
        examples: all of them, whatever their splits.
        tested: the size of the test sets, as in the split that was used.
        fit_predict: the recipe that was used.
        seeds: one pair of splits each.
        progress: function that is called with each finished fit and the number of fits.
        jobs: number of threads, -1 for one per core; the result does not depend on it.

    Raises:
        ExamplesError: there is one group only, no seed, or the size leaves nothing to train on or to test.

    References:
        Nadeau & Bengio (2003), Inference for the Generalization Error, Machine Learning 52: the interval.
    """
    # By value, so that the order of the rows does not decide which are drawn.
    rows = sorted(examples, key=lambda row: (row.group, row.sentence_id, row.text, row.label))
    members: dict[str, list[int]] = {}
    for n, row in enumerate(rows):
        members.setdefault(row.group, []).append(n)
    if not 0 < tested < len(rows) or len(members) < 2 or not seeds:
        raise ExamplesError(
            f"a comparison with random splits needs two groups, a seed, and a test set smaller than all examples; "
            f"found {len(members)} groups, {len(seeds)} seeds and {tested} of {len(rows)} examples"
        )
    draws: list[tuple[Sequence[Example], Sequence[int], FitPredict]] = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        sentences = random.permutation(len(rows))[:tested].tolist()
        drawn: list[int] = []
        names = list(members)
        for place in random.permutation(len(names)).tolist():
            size = len(drawn) + len(members[names[place]])
            if abs(size - tested) < tested - len(drawn) and size < len(rows):
                drawn += members[names[place]]
        groups = drawn or min(members.values(), key=len)
        draws += [(rows, sentences, fit_predict), (rows, groups, fit_predict)]
    scored: list[float] = []
    for value in spread(_run, draws, jobs):
        scored.append(value)
        progress(1, len(draws))
    runs = list(zip(scored[::2], scored[1::2], strict=True))
    differences = np.array([first - second for first, second in runs])
    mean, low, high = float(differences.mean()), None, None
    if len(runs) > 1:
        from scipy.stats import t

        error = math.sqrt(float(differences.var(ddof=1)) * (1 / len(runs) + tested / (len(rows) - tested)))
        width = float(t.ppf(0.975, len(runs) - 1)) * error
        if width > STILL:
            low, high = mean - width, mean + width
    return Naive(
        by_sentence=[first for first, _ in runs],
        by_group=[second for _, second in runs],
        flatters=mean,
        low=low,
        high=high,
        tested=tested,
    )


def _run(rows: Sequence[Example], places: Sequence[int], fit_predict: FitPredict) -> float:
    held = set(places)
    testing = [rows[n] for n in sorted(held)]
    training = [row for n, row in enumerate(rows) if n not in held]
    return f_avg([row.label for row in testing], list(fit_predict(training, testing)))
