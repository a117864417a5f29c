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
"""Number of training texts that a word must occur in: a word of one text alone says more about that text than about a
stance."""

Shares = dict[int, float]


def strongest(
    model: Model, training: Sequence[Example], count: int
) -> dict[str, dict[Stance, list[tuple[str, float]]]]:
    """The words, and pairs of neighbouring words, that count most for each stance.

    A word's weight is the decision value, minus the intercept, of a text that consists of this word. So it means the
    same whether the model counts words or characters, whose own n-grams ("n th") tell a reader nothing. Only words
    in at least COMMON training texts are listed, each under the stance for which its weight is largest, and a pair only
    where its weight is larger than those of both its words.

    Args:
        model: model to explain.
        training: examples that the model was fitted on.
        count: most words or pairs that are listed for each stance.

    Returns:
        For each target and each stance the words and pairs with their weights, which are above 0: largest first, equal
        ones sorted by name.
    """
    texts: dict[str, list[list[str]]] = defaultdict(list)
    for row, text in zip(training, model.read(row.text for row in training), strict=True):
        texts[row.target].append(SPOKEN.findall(text.lower()))
    by_target: dict[str, dict[Stance, list[tuple[str, float]]]] = {}
    for target, pipeline in model.pipelines.items():
        seen = Counter(
            piece for words in texts[target] for piece in {*words, *(f"{one} {two}" for one, two in pairwise(words))}
        )
        names = sorted(name for name, times in seen.items() if times >= COMMON)
        at = {name: n for n, name in enumerate(names)}
        weights = _pushes(pipeline, names)
        by_target[target] = {}
        for column, stance in enumerate(STANCES):
            mine = weights[:, column]
            order = [
                n
                for n in np.lexsort((np.arange(len(names)), -mine))
                if mine[n] > 0
                and mine[n] == weights[n].max()
                and all(mine[n] > mine[at[word]] for word in names[n].split() if word != names[n])
            ]
            by_target[target][stance] = [(names[n], float(mine[n])) for n in order[:count]]
    return by_target


def _pushes(pipeline: Pipeline, texts: Sequence[str]) -> NDArray[np.float64]:
    """Decision values minus the intercept, for each text (rows) and stance (columns, in the order of STANCES)."""
    if not texts:
        return np.zeros((0, len(STANCES)))
    return np.asarray(pipeline["tfidf"].transform(texts) @ _coefficients(pipeline).T)


def _coefficients(pipeline: Pipeline) -> NDArray[np.float64]:
    logistic = pipeline["logistic"]
    order = [list(logistic.classes_).index(stance) for stance in STANCES]
    coefficients: NDArray[np.float64] = logistic.coef_[order].astype(np.float64)
    return coefficients


def explain(model: Model, text: str, target: str | None = None) -> list[tuple[str, dict[Stance, float]]]:
    """What each word of a text adds to the decision value of each stance; it is exact, as the model is linear.

    The contribution of an n-gram (its TF-IDF value times its coefficient) is divided evenly among its occurrences, and
    that of an occurrence among the words that it overlaps, by the number of its characters or words in each; spaces
    get nothing. So the contributions of all pieces add up to the decision value minus the intercept.

    Args:
        model: model to explain.
        text: one sentence.
        target: target whose model is used; may be left out where the model has only one.

    Returns:
        Each piece of the text, in order, with its contribution to each stance. Pieces are separated by white space;
        where the model masks mentions, they are those of the masked text.

    Raises:
        ExamplesError: the model has several targets, and `target` is not among them.
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
    """Every occurrence of an n-gram that the vectorizer finds, with the share of it in each piece (by number)."""
    low, high = part.ngram_range
    text = text.lower()
    if part.analyzer == "word":
        owner = _owners(text)
        words = [(match.group(), owner[match.start()]) for match in re.finditer(part.token_pattern, text)]
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
    """For each character the number of the piece that it is in, or -1 for white space."""
    owner = [-1] * len(text)
    for piece, found in enumerate(re.finditer(r"\S+", text)):
        owner[found.start() : found.end()] = [piece] * (found.end() - found.start())
    return owner


def _shares(owners: Sequence[int]) -> Shares:
    inside = [piece for piece in owners if piece >= 0]
    return {piece: times / len(inside) for piece, times in Counter(inside).items()}
