"""Estimate how long a training will take, from one fit that is measured before the search begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from joblib import effective_n_jobs

from labeling.scheme import DEFAULT, Scheme
from train.model.counted_texts import chances, counted
from train.model.search import FOLDS, PENALTIES, part_of, repeats_of
from train.records import Example

LETTERS = 500_000
"""Characters of training text from which a forecast is made: fewer take less than half a minute (November 2026)."""
TRIED = 600_000
"""Number of characters that the measured fit is made on."""
COUNTINGS = 2.2
"""Cost of counting the n-grams of all feature sets, as a multiple of counting character n-grams alone; measured on
texts of 350 words."""
SEARCHES = 2.5
"""Cost of fitting all feature sets, as a multiple of one fit on characters: the sets are characters twice, words with
characters, and words."""
MORE = 1.5
"""Factor by which a training on 13 million characters took longer than its small first fit suggests: large fits read
from memory and not from the processor's cache, and predicting and writing are not counted here."""
SERIES = 15 / 16
"""Cost of one series of the learning curve, as a multiple of one fit on everything: 1/2 + 1/4 + 1/8 + 1/16."""


def forecast(
    training: Sequence[Example],
    testing: Sequence[Example],
    jobs: int,
    stage: Callable[[str], None] = lambda _: None,
    *,
    all_folds: bool = True,
    scheme: Scheme = DEFAULT,
) -> str:
    """Say how long search, fit and analysis will take; "" for fewer than half a million characters.

    One fold of the search is run on some 600,000 characters and timed. The cost of counting and fitting grows with the
    number of n-grams, hence with the number of characters, so the rest follows from how many characters each step
    reads. The forecast assumes that the search chooses character n-grams, which cost most.

    Args:
        training: the training examples.
        testing: the test split.
        jobs: number of threads, -1 for one per core.
        stage: function that is called when the measuring begins.
        all_folds: whether every example's out-of-fold probabilities are needed, as in `train.model.search.search`.
        scheme: labels of the examples.
    """
    from train.evaluate.analysis import REPEATS, REPEATS_LONG, SEEDS

    letters = sum(len(row.text) for row in training)
    if letters < LETTERS:
        return ""
    stage("measuring how long it will take")
    tried = _tried(training, scheme)
    if tried is None:
        return ""
    size, counting, searching, fitting = tried
    everything = letters + sum(len(row.text) for row in testing)
    part = sum(len(row.text) for row in part_of(training))
    side_by_side = effective_n_jobs(jobs)
    long = part < letters
    folds = FOLDS * repeats_of(training)
    # Each step's work in characters read, which is then multiplied by the seconds that a character takes.
    counted_letters = COUNTINGS * part + everything + letters * (2 if long and all_folds else 1)
    searched_letters = SEARCHES * folds * part
    fit_letters = letters * (1 + (REPEATS_LONG if long else REPEATS) * SERIES / side_by_side)
    if long:
        fit_letters += letters * ((FOLDS - 1) / side_by_side if all_folds else (FOLDS - 1) / FOLDS)
    fit_letters += 2 * len(SEEDS) * (part if long else everything) / side_by_side
    work = counted_letters * counting + (searched_letters * searching / side_by_side) + fit_letters * fitting
    seconds = MORE * work / size
    return f"this will take {_words(seconds)}: {letters:,} characters of training text, on {side_by_side} cores"


def _tried(training: Sequence[Example], scheme: Scheme) -> tuple[int, float, float, float] | None:
    """Time a first part of the training texts.

    Returns:
        The number of characters of the part, and the seconds for counting its n-grams, for one fold of the search and
        for one fit. None where the part is too small to have every label.
    """
    part: list[Example] = []
    size = 0
    for row in training:
        if size >= TRIED:
            break
        part.append(row)
        size += len(row.text)
    labels = np.array([row.label for row in part])
    cut = (np.arange(len(part) // FOLDS, len(part)), np.arange(len(part) // FOLDS))
    if set(labels[cut[0]].tolist()) != {row.label for row in training}:
        return None
    times = [time.perf_counter()]
    counts = counted("char", "", [row.text for row in part])
    times.append(time.perf_counter())
    for penalties in (PENALTIES, PENALTIES[1:2]):
        list(chances(counts, labels, [cut], penalties, 1, scheme))
        times.append(time.perf_counter())
    counting, searching, fitting = np.diff(times).tolist()
    return size, counting, searching, fitting


def _words(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(10, round(seconds, -1)):.0f} seconds"
    return f"about {round(seconds / 60):.0f} minutes"
