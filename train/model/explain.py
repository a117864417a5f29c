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

from corpus import words
from corpus.errors import ExamplesError
from labeling.scheme import Stance
from train.model.tfidf_logistic import Model
from train.records import Example

SPOKEN = re.compile(rf"[#@]?{words.PATTERN}(?:['’-]{words.PATTERN})*")
COMMON = 3
"""Number of training texts that a word must occur in: a word of one text alone says more about that text than about a
stance."""
VECTOR = "(sentence vector)"
"""What stands for the sentence vector among the words of an explanation; no word has a space."""

Shares = dict[int, float]


def strongest(
    model: Model, training: Sequence[Example], count: int
) -> dict[str, dict[Stance, list[tuple[str, float]]]]:
    """The words, and pairs of neighbouring words, that count most for each stance.

    A word's weight is the decision value, minus the intercept, of a text that consists of this word. So it means the
    same whether the model counts words or characters, whose own n-grams ("n th") tell a reader nothing; a sentence
    vector has no part in it. Only words
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
        texts["" if model.joint else row.target].append(SPOKEN.findall(text.lower()))
    by_target: dict[str, dict[Stance, list[tuple[str, float]]]] = {}
    for target, pipeline in model.pipelines.items():
        seen = Counter(
            piece for words in texts[target] for piece in {*words, *(f"{one} {two}" for one, two in pairwise(words))}
        )
        names = sorted(name for name, times in seen.items() if times >= COMMON)
        at = {name: n for n, name in enumerate(names)}
        weights = _pushes(pipeline, names, model.labels)
        by_target[target] = {}
        for column, stance in enumerate(model.labels):
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


def _pushes(pipeline: Pipeline, texts: Sequence[str], labels: Sequence[Stance]) -> NDArray[np.float64]:
    """What n-grams add to the decision values, for each text (rows) and label (columns)."""
    if not texts:
        return np.zeros((0, len(labels)))
    x = pipeline["tfidf"].transform(texts)
    return np.asarray(x @ _coefficients(pipeline, labels, slice(0, x.shape[1])).T)


def _coefficients(
    pipeline: Pipeline, labels: Sequence[Stance], columns: Sequence[int] | slice = slice(None)
) -> NDArray[np.float64]:
    """The coefficients of each label (rows) for some features (columns); 0 for a label that the model never saw.

    Of two labels, scikit-learn has one row for both, which is divided as in `train.model.tfidf_logistic.decisions`.
    """
    logistic = pipeline["logistic"]
    known = logistic.coef_[:, columns].astype(np.float64)
    if len(known) == 1:
        known = np.concatenate([-known / 2, known / 2])
    coefficients = np.zeros((len(labels), known.shape[1]))
    coefficients[[labels.index(label) for label in logistic.classes_]] = known
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
        where the model masks mentions, they are those of the masked text. In a model with sentence vectors the last
        piece is VECTOR, with what the vector contributes.

    Raises:
        ExamplesError: the model has several targets, and `target` is not among them; or it is a joint model, whose
            features are not of the text alone.
    """
    if model.joint:
        raise ExamplesError("the words of a joint model count together with those of the target: it has no explanation")
    if target not in model.pipelines and len(model.pipelines) > 1:
        raise ExamplesError(f"expected one of the model's targets, {', '.join(model.pipelines)}; found {target!r}")
    pipeline = model.pipelines[target] if target in model.pipelines else next(iter(model.pipelines.values()))
    text = model.read([text])[0]
    pieces = text.split()
    total, offset = [[0.0] * len(model.labels) for _ in pieces], 0
    union = pipeline["tfidf"]
    for name, part in union.transformer_list:
        row = part.transform([text])
        values = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
        weight = (union.transformer_weights or {}).get(name, 1.0)
        known = part.vocabulary_
        occurrences = [(known[gram], owners) for gram, owners in _ngrams(part, text) if gram in known]
        times = Counter(column for column, _ in occurrences)
        coefficients = _coefficients(pipeline, model.labels, [offset + column for column in times])
        factors = np.array([weight * values[column] / count for column, count in times.items()])
        pushes = dict(zip(times, (coefficients * factors).T.tolist(), strict=True))
        for column, owners in occurrences:
            push = pushes[column]
            for piece, share in _shares(owners).items():
                total[piece] = [value + share * one for value, one in zip(total[piece], push)]  # noqa: B905  # quicker
        offset += len(part.vocabulary_)
    if model.vectors:
        pieces.append(VECTOR)
        known = _coefficients(pipeline, model.labels, slice(offset, None))
        total.append((known @ model.vectors.of([text])[0] * (model.recipe.vectors or 0)).tolist())
    return [(piece, dict(zip(model.labels, row, strict=True))) for piece, row in zip(pieces, total, strict=True)]


def _ngrams(part: TfidfVectorizer, text: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every occurrence of an n-gram that the vectorizer finds, with the piece of each of its characters or words."""
    low, high = part.ngram_range
    text = text.lower()
    if part.analyzer == "word":
        owner = _owners(text)
        words = [(match.group(), owner[match.start()]) for match in re.finditer(part.token_pattern, text)]
        for size in range(low, high + 1):
            for start in range(len(words) - size + 1):
                inside = words[start : start + size]
                yield " ".join(word for word, _ in inside), tuple(piece for _, piece in inside)
    elif part.analyzer == "char_wb":
        for piece, word in enumerate(text.split()):
            padded = f" {word} "
            for size in range(low, high + 1):
                for start in range(max(1, len(padded) - size + 1)):
                    yield padded[start : start + size], (piece,)
                if len(padded) <= size:
                    break
    else:
        text = re.sub(r"\s\s+", " ", text)
        owner = _owners(text)
        for size in range(low, high + 1):
            for start in range(len(text) - size + 1):
                yield text[start : start + size], owner[start : start + size]


def _owners(text: str) -> tuple[int, ...]:
    """For each character the number of the piece that it is in, or -1 for white space."""
    owner = [-1] * len(text)
    for piece, found in enumerate(re.finditer(r"\S+", text)):
        owner[found.start() : found.end()] = [piece] * (found.end() - found.start())
    return tuple(owner)  # slices of a tuple of numbers cost the garbage collector nothing


def _shares(owners: tuple[int, ...]) -> Shares:
    """The share of an n-gram in each piece, from the piece of each of its characters or words; -1 is white space."""
    if owners[0] >= 0 and owners.count(owners[0]) == len(owners):
        return {owners[0]: 1.0}  # the common case: within one piece
    times: Shares = {}
    for piece in owners:
        if piece >= 0:
            times[piece] = times.get(piece, 0) + 1
    inside = sum(times.values())
    return {piece: count / inside for piece, count in times.items()}
