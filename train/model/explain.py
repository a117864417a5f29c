"""Explain a model: the strongest words of each stance, and the words that decided one text."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline

from corpus.errors import ExamplesError
from labeling.records import STANCES, Stance
from train.model.tfidf_logistic import Model
from train.records import Example

SPOKEN = re.compile(r"[#@]?\w+(?:['’-]\w+)*")
COMMON = 3
"""In so many training texts a word must stand: what is strong in one text alone tells of that text."""

Shares = dict[int, float]


def strongest(
    model: Model, training: Sequence[Example], count: int
) -> dict[str, dict[Stance, list[tuple[str, float]]]]:
    """The words, and pairs of neighbouring words, that speak most for each stance.

    A word's weight is the decision value, less the intercept, of a text that is this word alone. So it means the
    same whether the model counts words or characters, whose own n-grams ("n th") tell a reader nothing. Only words
    in at least COMMON training texts are listed, each under the stance that it speaks most for, and a pair only
    where it is stronger than both of its words.

    Args:
        model: any.
        training: the examples that it was fitted on.
        count: how many at most of each stance.

    Returns:
        target → stance → (word or pair, weight), weights above 0, largest first, equal ones by name.
    """
    texts: dict[str, list[list[str]]] = defaultdict(list)
    for row, text in zip(training, model.read(row.text for row in training), strict=True):
        texts[row.target].append(SPOKEN.findall(text.lower()))
    found: dict[str, dict[Stance, list[tuple[str, float]]]] = {}
    for target, pipeline in model.pipelines.items():
        seen = Counter(
            piece for words in texts[target] for piece in {*words, *(f"{one} {two}" for one, two in pairwise(words))}
        )
        names = sorted(name for name, times in seen.items() if times >= COMMON)
        at = {name: n for n, name in enumerate(names)}
        weights = _pushes(pipeline, names)
        found[target] = {}
        for column, stance in enumerate(STANCES):
            mine = weights[:, column]
            order = [
                n
                for n in np.lexsort((np.arange(len(names)), -mine))
                if mine[n] > 0
                and mine[n] == weights[n].max()
                and all(mine[n] > mine[at[word]] for word in names[n].split() if word != names[n])
            ]
            found[target][stance] = [(names[n], float(mine[n])) for n in order[:count]]
    return found


def _pushes(pipeline: Pipeline, texts: Sequence[str]) -> NDArray[np.float64]:
    """Decision values less the intercept, in the columns of STANCES."""
    if not texts:
        return np.zeros((0, len(STANCES)))
    return np.asarray(pipeline["tfidf"].transform(texts) @ _coefficients(pipeline).T)


def _coefficients(pipeline: Pipeline) -> NDArray[np.float64]:
    logistic = pipeline["logistic"]
    order = [list(logistic.classes_).index(stance) for stance in STANCES]
    found: NDArray[np.float64] = logistic.coef_[order].astype(np.float64)
    return found


def explain(model: Model, text: str, target: str | None = None) -> list[tuple[str, dict[Stance, float]]]:
    """What each word of a text adds to the decision value of each stance; exact, for the model is linear.

    An n-gram's contribution (its TF-IDF value times its coefficient) is shared out evenly to its occurrences, and
    of an occurrence to the words that it lies in, by the letters or words it has there; spaces get nothing.
    So over the pieces the contributions sum to the decision value less the intercept.

    Args:
        model: any.
        text: one sentence.
        target: whose model to ask; may be left out where the model has one.

    Returns:
        (piece, contribution by stance) in the order of the text; the pieces are what white space parts,
        where the model masks mentions, of the masked text.

    Raises:
        ExamplesError: the model has several targets, and this is none of them.
    """
    if target not in model.pipelines and len(model.pipelines) > 1:
        raise ExamplesError(f"expected one of the model's targets, {', '.join(model.pipelines)}; found {target!r}")
    pipeline = model.pipelines[target] if target in model.pipelines else next(iter(model.pipelines.values()))
    text = model.read([text])[0]
    pieces = text.split()
    total, offset = np.zeros((len(pieces), len(STANCES))), 0
    coefficients, union = _coefficients(pipeline), pipeline["tfidf"]
    for name, part in union.transformer_list:
        row = part.transform([text])
        values = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
        weight = (union.transformer_weights or {}).get(name, 1.0)
        occurrences = [
            (part.vocabulary_[gram], shares) for gram, shares in _ngrams(part, text) if gram in part.vocabulary_
        ]
        times = Counter(column for column, _ in occurrences)
        for column, shares in occurrences:
            push = coefficients[:, offset + column] * (weight * values[column] / times[column])
            for piece, share in shares.items():
                total[piece] += share * push
        offset += len(part.vocabulary_)
    return [(piece, dict(zip(STANCES, row.tolist(), strict=True))) for piece, row in zip(pieces, total, strict=True)]


def _ngrams(part: TfidfVectorizer, text: str) -> Iterator[tuple[str, Shares]]:
    """Every occurrence of an n-gram as the vectorizer finds it, with the share of each piece (by number) in it."""
    low, high = part.ngram_range
    text = text.lower()
    if part.analyzer == "word":
        owner = _owners(text)
        words = [(found.group(), owner[found.start()]) for found in re.finditer(part.token_pattern, text)]
        for size in range(low, high + 1):
            for start in range(len(words) - size + 1):
                inside = words[start : start + size]
                yield " ".join(word for word, _ in inside), _shares([piece for _, piece in inside])
    elif part.analyzer == "char_wb":
        for piece, word in enumerate(text.split()):
            padded = f" {word} "
            for size in range(low, high + 1):
                for start in range(max(1, len(padded) - size + 1)):
                    yield padded[start : start + size], {piece: 1.0}
                if len(padded) <= size:
                    break
    else:
        text = re.sub(r"\s\s+", " ", text)
        owner = _owners(text)
        for size in range(low, high + 1):
            for start in range(len(text) - size + 1):
                yield text[start : start + size], _shares(owner[start : start + size])


def _owners(text: str) -> list[int]:
    """For each character the number of the piece it is in; -1 for white space."""
    owner = [-1] * len(text)
    for piece, found in enumerate(re.finditer(r"\S+", text)):
        owner[found.start() : found.end()] = [piece] * (found.end() - found.start())
    return owner


def _shares(owners: Sequence[int]) -> Shares:
    inside = [piece for piece in owners if piece >= 0]
    return {piece: times / len(inside) for piece, times in Counter(inside).items()}
