"""Compare every test sentence with the whole training set, to find leaks and measure what they would change.

The clustering of near-duplicates compares only pairs that share rare words. The audit compares all pairs, so it finds
what the clustering missed. Only among long texts does it compare candidates too, found in another way (see `audit`).
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

from corpus import words
from corpus.duplicates.queries import LETTERS, MIN_WORDS
from corpus.errors import ExamplesError
from corpus.near_duplicates import normalise
from labeling.scheme import DEFAULT, Scheme, Stance
from train.intervals import STILL
from train.metrics import evaluate, f_avg
from train.records import Example, Scores

FitPredict = Callable[[Sequence[Example], Sequence[Example]], Sequence[Stance]]
"""A function that fits on the first examples and predicts the stances of the second, in order, without their labels."""
BLOCK = 64
"""Number of test sentences that are compared at once: with 40,000 training sentences their table takes 10 MB."""
LONG = 600
"""Number of characters above which two texts are compared only if they share runs of three words."""
SHARED = 0.05
"""Share of the shorter text's runs of three words that two long texts must have in common to be compared."""
MOST, SHOWN = 10_000, 5
"""Most pairs that an audit lists, and most that the message of `check` shows."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A test and a training sentence that are near-duplicates; `ratio`, up to 100, compares their normalised texts."""

    test_id: str
    train_id: str
    ratio: float
    test_text: str
    train_text: str


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit found.

    Attributes:
        threshold: ratio, from 0 to 100, at or above which two sentences are near-duplicates.
        compared: number of pairs: test sentences times training sentences.
        found: number of pairs that are near-duplicates.
        pairs: the near-duplicates, most alike first; of more than 10,000, only the 10,000 most alike.
        affected: positions of the test sentences that have a near-duplicate in training.
        tested: number of test sentences.
    """

    threshold: float
    compared: int
    found: int
    pairs: list[Pair]
    affected: list[int]
    tested: int


class WithWithout(msgspec.Struct, frozen=True, kw_only=True):
    """Scores on all test sentences, and without those that have a near-duplicate in training; None if none is left."""

    all: Scores
    without: Scores | None
    affected: int


class Naive(msgspec.Struct, frozen=True, kw_only=True):
    """F_avg of random splits by sentence and of random splits by group of the same size, one of each per seed.

    Attributes:
        by_sentence: F_avg of each split that draws single sentences, whatever their groups.
        by_group: F_avg of each split that draws whole groups.
        flatters: mean difference of the two: by how much splits by sentence look better.
        low: lower end of the 95 % interval of `flatters`, which allows for the overlap of the training sets; None for
            fewer than two seeds, and where all differences are the same.
        high: upper end of that interval, or None.
        tested: number of examples in each test set by sentence; those by group come as near to it as groups allow.
    """

    by_sentence: list[float]
    by_group: list[float]
    flatters: float
    low: float | None
    high: float | None
    tested: int


def audit(training: Sequence[Example], testing: Sequence[Example], threshold: float = LETTERS) -> Audit:
    """Compare every test sentence with every training sentence by rapidfuzz's `ratio` of their normalised texts.

    The ratio is 100 × (1 − d / n), where d is the least number of insertions and deletions of characters that turn one
    text into the other, and n is the number of characters of both. As in `corpus.near_duplicates`, a text of fewer than
    five words is a near-duplicate only of an equal text: "Training." is not a near-duplicate of "Trading.". Apart from
    that, no pair is missed unless both texts have more than 600 characters; pairs whose lengths alone rule out a ratio
    at the threshold are skipped. 10,000 test and 40,000 training sentences of 119 characters took 40 s of CPU time and
    130 MB (November 2026, 2 cores). Two longer texts, which take a hundred times as long, are compared if they share a
    twentieth of the shorter one's runs of three words: texts that differ in one word of five share half of these runs.

    Args:
        training: examples that were learned from, including the validation split.
        testing: examples of the test split.
        threshold: least ratio of near-duplicates, from 0 to 100.

    Returns:
        The near-duplicates, and how many pairs there are.

    References:
        RapidFuzz, `rapidfuzz.fuzz.ratio`: https://rapidfuzz.github.io/RapidFuzz/Usage/fuzz.html.

    >>> seen = [Example(sentence_id="a", text="The minister said that troops would stay.", label="favor")]
    >>> asked = [Example(sentence_id="b", text="The minister said that the troops would stay.", label="favor")]
    >>> [(pair.test_id, pair.train_id, round(pair.ratio, 1)) for pair in audit(seen, asked).pairs]
    [('b', 'a', 95.2)]
    """
    tests, trains = _places(testing), _places(training)
    pairs: list[tuple[float, str, str]] = [(100.0, key, key) for key in tests.keys() & trains.keys()]
    pairs += _long_pairs(
        [key for key in tests if len(key) > LONG], [key for key in trains if len(key) > LONG], threshold
    )
    long = sorted((key for key in trains if words.count(key) >= MIN_WORDS), key=lambda key: (len(key), key))
    lengths = [len(key) for key in long]
    asked = sorted((key for key in tests if words.count(key) >= MIN_WORDS), key=lambda key: (len(key), key))
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
    # Equal texts can make millions of pairs, so of any two texts at most as many pairs are made as can be listed.
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
    """Find near-duplicates among long texts.

    Args:
        keys: normalised texts; those of up to 600 characters are left out.
        threshold: least ratio of near-duplicates, as for `audit`.

    Returns:
        The ratio and both texts of each pair of near-duplicates that are not equal; each pair once.

    References:
        RapidFuzz, as for `audit`.

    >>> texts = [("one two three four five six " * 25).strip(), "one two three four five six " * 24 + "one two three"]
    >>> [round(value, 1) for value, _, _ in near_among(texts)]
    [99.0]
    """
    long = sorted({key for key in keys if len(key) > LONG})
    return [(value, one, two) for value, one, two in _long_pairs(long, long, threshold) if one < two]


def _long_pairs(tests: Sequence[str], trains: Sequence[str], threshold: float) -> list[tuple[float, str, str]]:
    """Near-duplicates among long texts: the ratio, the test and the training text of each pair that is not equal."""
    if not tests or not trains:
        return []
    from sklearn.feature_extraction.text import HashingVectorizer

    counter = HashingVectorizer(
        ngram_range=(3, 3), token_pattern=r"\S+", lowercase=False, binary=True, norm=None, alternate_sign=False
    )
    asked, known = sorted(tests), sorted(trains)
    held = counter.transform(" ".join(words.pieces(key)) for key in known)
    rows = held if asked == known else counter.transform(" ".join(words.pieces(key)) for key in asked)
    sizes, asked_sizes = held.getnnz(axis=1), rows.getnnz(axis=1)
    # Most runs occur in only one text and so in no pair; leaving them out makes the products quick.
    shared = np.flatnonzero((held.getnnz(axis=0) > (1 if rows is held else 0)) & (rows.getnnz(axis=0) > 0))
    other = held[:, shared].T.tocsr()
    rows = rows[:, shared]
    pairs: list[tuple[float, str, str]] = []
    for start in range(0, len(asked), BLOCK):
        block = rows[start : start + BLOCK]
        common = (block @ other).tocoo()
        fewest = SHARED * np.minimum(asked_sizes[start + common.row], sizes[common.col])
        near = common.data >= np.maximum(fewest, 1)
        for row, column in zip(common.row[near].tolist(), common.col[near].tolist(), strict=True):
            test, train = asked[start + row], known[column]
            if test != train and (value := ratio(test, train, score_cutoff=threshold)) >= threshold:
                pairs.append((value, test, train))
    return pairs


def _places(rows: Sequence[Example]) -> dict[str, list[int]]:
    """The positions of each normalised text among the examples, in the order of their sentence ids."""
    places: dict[str, list[int]] = {}
    for n in sorted(range(len(rows)), key=lambda n: rows[n].sentence_id):
        places.setdefault(normalise(rows[n].text), []).append(n)
    return places


def check(leaks: Audit) -> None:
    """Refuse a split of the project's own in which a test sentence has a near-duplicate in training.

    Raises:
        ExamplesError: there is such a pair; the message names the pairs and says what to do.
    """
    if not leaks.found:
        return
    shown = leaks.pairs[:SHOWN]
    lines = [
        f"  {pair.ratio:.0f} %: test {pair.test_id} {_short(pair.test_text)}\n"
        f"        train {pair.train_id} {_short(pair.train_text)}"
        for pair in shown
    ]
    more = [f"  and {leaks.found - len(shown)} more"] if leaks.found > len(shown) else []
    together = msgspec.json.encode([[pair.test_id, pair.train_id] for pair in leaks.pairs[:100]]).decode()
    raise ExamplesError(
        "\n".join(
            [
                f"the split leaks: {len(leaks.affected)} of {leaks.tested} test sentences have a near-duplicate "
                f"(ratio {leaks.threshold:g} or more) in training:",
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


def with_and_without(
    testing: Sequence[Example], given: Sequence[Stance], leaks: Audit, seed: int, scheme: Scheme = DEFAULT
) -> WithWithout:
    """Score all test sentences by `train.metrics.evaluate`, then only those without a near-duplicate in training.

    Args:
        testing: examples of the test split, as they were given to the audit.
        given: predictions, in the same order.
        leaks: result of the audit.
        seed: seed of the bootstrap.
        scheme: labels of the examples.

    >>> seen = [Example(sentence_id="a", text="The minister said that troops would stay.", label="favor", group="1")]
    >>> asked = [
    ...     Example(sentence_id="b", text="The minister said the troops would stay.", label="favor", group="2"),
    ...     Example(sentence_id="c", text="It rained.", label="against", group="3"),
    ... ]
    >>> found = with_and_without(asked, ["favor", "none"], audit(seen, asked), seed=1)
    >>> found.all.accuracy.value, found.without.accuracy.value
    (0.5, 0.0)
    """
    leaked = set(leaks.affected)
    clean = [n for n in range(len(testing)) if n not in leaked]

    def scores(places: Sequence[int]) -> Scores:
        rows = [testing[n] for n in places]
        true, guesses = [row.label for row in rows], [given[n] for n in places]
        return evaluate(true, guesses, [row.group for row in rows], seed, scheme=scheme)

    return WithWithout(all=scores(range(len(testing))), without=scores(clean) if clean else None, affected=len(leaked))


def naive(
    examples: Sequence[Example],
    tested: int,
    fit_predict: FitPredict,
    seeds: Sequence[int],
    progress: Callable[[int, int], None] = lambda *_: None,
    jobs: int = 1,
    scheme: Scheme = DEFAULT,
) -> Naive:
    """Measure by how much a random split by sentence overestimates F_avg, compared with a random split by group.

    For each seed, `tested` sentences are drawn at random as one test set, which ignores that sentences of one article,
    and copies of a wire story, are alike. For another test set of about the same size, whole groups are drawn. A single
    split is one random draw, so the effect of the way of splitting is the mean difference over seeds. Its interval is
    d ± t · sqrt(s² (1/J + n₂/n₁)), with the mean d and the variance s² of the J differences, n₂ test and n₁ training
    examples, and the 97.5 % quantile t of Student's distribution with J − 1 degrees of freedom.

    Args:
        examples: all examples, whatever their splits.
        tested: number of examples in a test set, as in the split that was used.
        fit_predict: function that fits the recipe and predicts.
        seeds: seeds; for each, one split by sentence and one by group are made.
        progress: function that is called with each finished fit and the number of fits.
        jobs: number of threads, -1 for one per core; the result does not depend on it.
        scheme: labels of the examples.

    Raises:
        ExamplesError: there is only one group, no seed, or the size leaves nothing to train on or to test.

    References:
        Nadeau & Bengio (2003), Inference for the Generalization Error, Machine Learning 52: the interval.

    >>> rows = [
    ...     Example(sentence_id=str(n), text="", label="favor" if n < 6 else "against", group=str(n // 3))
    ...     for n in range(12)
    ... ]
    >>> def by_group(training, testing):  # knows the labels of the groups that it has seen
    ...     label_of = {row.group: row.label for row in training}
    ...     return [label_of.get(row.group, "none") for row in testing]
    >>> found = naive(rows, 3, by_group, seeds=range(1, 6))
    >>> sum(found.by_sentence) / 5, sum(found.by_group) / 5, found.flatters
    (1.0, 0.0, 1.0)
    """
    from train.model.counted_texts import spread  # which loads scikit-learn

    # Sorted by value, so that the order of the rows does not decide which are drawn.
    rows = sorted(examples, key=lambda row: (row.group, row.sentence_id, row.text, row.label))
    members: dict[str, list[int]] = {}
    for n, row in enumerate(rows):
        members.setdefault(row.group, []).append(n)
    if not 0 < tested < len(rows) or len(members) < 2 or not seeds:
        raise ExamplesError(
            f"a comparison with random splits needs two groups, a seed, and a test set smaller than all examples; "
            f"found {len(members)} groups, {len(seeds)} seeds and {tested} of {len(rows)} examples"
        )
    draws: list[tuple[Sequence[Example], Sequence[int], FitPredict, Scheme]] = []
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
        draws += [(rows, sentences, fit_predict, scheme), (rows, groups, fit_predict, scheme)]
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


def _run(rows: Sequence[Example], places: Sequence[int], fit_predict: FitPredict, scheme: Scheme) -> float:
    held = set(places)
    testing = [rows[n] for n in sorted(held)]
    training = [row for n, row in enumerate(rows) if n not in held]
    return f_avg([row.label for row in testing], list(fit_predict(training, testing)), scheme)
