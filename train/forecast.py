"""Estimate how long a training will take, from one fit that is measured before the search begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from joblib import effective_n_jobs

from labeling.records import STANCES
from train.model.counted_texts import chances, counted
from train.model.search import FOLDS, PENALTIES, part_of, repeats_of
from train.records import Example

LETTERS = 500_000
"""Letters of training text from which a forecast is made: fewer take less than half a minute (November 2026)."""
TRIED = 600_000
"""Letters that the measured fit is on."""
COUNTINGS = 2.2
"""What counting the n-grams of all feature sets takes, in countings of characters; measured on texts of 350 words."""
SEARCHES = 2.5
"""The same of the fits: characters twice, words beside characters, words."""
MORE = 1.5
"""By how much a training on 13 million letters took longer than its small first fit lets expect: large fits read from
memory and not from the processor's cache, and predicting and writing are not counted here."""
SERIES = 15 / 16
"""A series of the learning curve, in fits of the whole: 1/2, 1/4, 1/8, 1/16."""


def forecast(
    training: Sequence[Example],
    testing: Sequence[Example],
    jobs: int,
    stage: Callable[[str], None] = lambda _: None,
    *,
    all_folds: bool = True,
) -> str:
    """Say how long search, fit and analysis will take; "" for fewer than half a million letters.

    One fold of the search is made on some 600,000 letters. Counting and fitting grow with the number of n-grams, hence
    with the letters, so the rest follows from how many letters each step reads. It is taken for granted that characters
    win, which cost most.

    Args:
        training: the training examples.
        testing: the test split.
        jobs: number of threads, -1 for one a core.
        stage: function that is called when the measuring begins.
        all_folds: as of `train.model.search.search`.
    """
    from train.evaluate.analysis import REPEATS, REPEATS_LONG, SEEDS

    letters = sum(len(row.text) for row in training)
    if letters < LETTERS:
        return ""
    stage("measuring how long it will take")
    tried = _tried(training)
    if tried is None:
        return ""
    size, counting, searching, fitting = tried
    everything = letters + sum(len(row.text) for row in testing)
    part = sum(len(row.text) for row in part_of(training))
    side_by_side = effective_n_jobs(jobs)
    long = part < letters
    folds = FOLDS * repeats_of(training)
    # All in letters read, then in seconds a letter.
    counted_letters = COUNTINGS * part + everything + letters * (2 if long and all_folds else 1)
    searched_letters = SEARCHES * folds * part
    fit_letters = letters * (1 + (REPEATS_LONG if long else REPEATS) * SERIES / side_by_side)
    if long:
        fit_letters += letters * ((FOLDS - 1) / side_by_side if all_folds else (FOLDS - 1) / FOLDS)
    fit_letters += 2 * len(SEEDS) * (part if long else everything) / side_by_side
    work = counted_letters * counting + (searched_letters * searching / side_by_side) + fit_letters * fitting
    seconds = MORE * work / size
    return f"this will take {_words(seconds)}: {letters:,} letters of training text, on {side_by_side} cores"


def _tried(training: Sequence[Example]) -> tuple[int, float, float, float] | None:
    """Letters of a part; seconds for counting its n-grams, for a fold of the search, for one fit; None: too few."""
    part: list[Example] = []
    size = 0
    for row in training:
        if size >= TRIED:
            break
        part.append(row)
        size += len(row.text)
    labels = np.array([row.label for row in part])
    cut = (np.arange(len(part) // FOLDS, len(part)), np.arange(len(part) // FOLDS))
    if set(labels[cut[0]].tolist()) != set(STANCES):
        return None
    times = [time.perf_counter()]
    counts = counted("char", "", [row.text for row in part])
    times.append(time.perf_counter())
    for penalties in (PENALTIES, PENALTIES[1:2]):
        list(chances(counts, labels, [cut], penalties, 1))
        times.append(time.perf_counter())
    counting, searching, fitting = np.diff(times).tolist()
    return size, counting, searching, fitting


def _words(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(10, round(seconds, -1)):.0f} seconds"
    return f"about {round(seconds / 60):.0f} minutes"
