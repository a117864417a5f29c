"""Apply a fitted model to many texts at once: as scikit-learn's pipeline does, in a fraction of the time.

A TfidfVectorizer copies each n-gram of characters out of its text as a string and looks it up in a dictionary. Here the
texts of a batch are arrays: an n-gram is a number, which a `KeyTable` looks up, and its column leads directly to the
products of its IDF with the coefficients. Sums are in double precision. What is not one of `PARTS`, such as a model of
another tool, is left to scikit-learn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, repeat
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from labeling.scheme import Stance
from train.model import ngrams
from train.model.decision_values import of_decisions
from train.model.key_table import Columns, KeyTable, key_table

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import Pipeline

LETTERS = 30_000
"""Most characters of a batch of several texts: its arrays stay in the cache, and their memory serves the next one."""

Floats = NDArray[np.float64]


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """The n-grams of characters that a model knows.

    Attributes:
        alphabet: the characters of these n-grams.
        tables: the columns of the n-grams of each length, by their numbers.
        within: whether n-grams end at the ends of words.
    """

    alphabet: ngrams.Alphabet
    tables: dict[int, KeyTable]
    within: bool

    def find(self, texts: Sequence[str]) -> tuple[Columns, NDArray[np.int64]]:
        """The column of each n-gram of the texts, 0 for unknown ones, and where each text begins and the last ends."""
        letters, starts = ngrams.letters(ngrams.plain(texts, within=self.within), self.alphabet)
        found = np.zeros((len(letters), len(self.tables)), np.int32)
        for size, keys in ngrams.keys(letters, self.alphabet, min(self.tables), max(self.tables)):
            found[: len(keys), size - min(self.tables)] = self.tables[size].find(keys)
        return found.ravel(), starts * len(self.tables)


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words, and pairs of neighbouring words, that a model knows.

    Attributes:
        pattern: what is a word, as a regular expression; those of a joint model also match words of the target.
        numbers: a number, from 1 up, for each word.
        singles: column of each number's word; 0 for number 0 and for a word that is known only as part of pairs.
        pairs: the columns of the pairs; the numbers of the two words are the digits of a pair's number.
    """

    pattern: str
    numbers: dict[str, int]
    singles: Columns
    pairs: KeyTable

    def find(self, texts: Sequence[str]) -> tuple[Columns, NDArray[np.int64]]:
        """As `Signs.find`."""
        # Between two texts stands a word that is not known, so that no pair is made of words of two texts.
        words = re.compile(self.pattern).findall
        rows = [[*words(text.lower()), ""] for text in texts]
        starts = np.fromiter(accumulate(map(len, rows), initial=0), np.int64, len(rows) + 1)
        given = (number for row in rows for number in map(self.numbers.get, row, repeat(0)))
        numbers = np.fromiter(given, np.int64, starts[-1])
        found = np.zeros((len(numbers), 2), np.int32)
        found[:, 0] = self.singles.take(numbers)
        found[:-1, 1] = self.pairs.find(numbers[:-1] * len(self.singles) + numbers[1:])
        return found.ravel(), starts * 2


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One vectorizer of a model, with the part of the coefficients that belongs to it.

    Attributes:
        known: the n-grams.
        products: IDF times weight times coefficient of each column (rows) and class; 0 in the row of unknown n-grams.
        squares: the square of each column's IDF.
        binary: whether only the presence of an n-gram counts.
    """

    known: Signs | Words
    products: Floats
    squares: Floats
    binary: bool

    def decisions(self, texts: Sequence[str]) -> Floats:
        """The part's share in the decision values of the texts, shape (texts, classes)."""
        columns, starts = self.known.find(texts)
        counts = ngrams.summed(columns, starts, len(self.squares))
        counts.data = np.ones_like(counts.data) if self.binary else 1 + np.log(counts.data)
        sums: Floats = counts @ self.products
        counts.data *= counts.data
        lengths = np.sqrt(counts @ self.squares)
        sums /= np.where(lengths > 0, lengths, 1)[:, None]
        return sums


class Scorer(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted pipeline, ready for many texts."""

    parts: list[Part]
    intercept: Floats
    classes: list[str]

    def probabilities(self, texts: Sequence[str], labels: Sequence[Stance]) -> Floats:
        """As `train.model.tfidf_logistic.columns`, which differs by at most 1e-6: it computes in single precision."""
        return of_decisions(self.classes, self.decisions(texts), labels)

    def decisions(self, texts: Sequence[str]) -> Floats:
        """The decision values of the texts, as `decision_function` of the pipeline gives them.

        The shape is (texts, classes), but of two classes there is one column for both.

        Every text is computed on its own: the result does not depend on the other texts.
        """
        found = np.empty((len(texts), len(self.intercept)))
        for start, end in _batches(texts):
            found[start:end] = sum(part.decisions(texts[start:end]) for part in self.parts) + self.intercept
        return found


def _batches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Bounds of runs of texts that have some LETTERS characters together."""
    start, letters = 0, 0
    for n, text in enumerate(texts):
        if letters and letters + len(text) > LETTERS:
            yield start, n
            start, letters = n, 0
        letters += len(text)
    if start < len(texts):
        yield start, len(texts)


def scorer(pipeline: Pipeline) -> Scorer | None:
    """The scorer that applies a fitted pipeline to many texts; None if only scikit-learn can.

    That is so for vectorizers with other settings than those of `PARTS`, and for n-grams of so many different
    characters that their numbers do not fit in 63 bits: at a length of 5, more than 6,207 characters.
    """
    union, logistic = pipeline["tfidf"], pipeline["logistic"]
    weights, start = union.transformer_weights or {}, 0
    parts: list[Part] = []
    for name, part in union.transformer_list:
        if not _is_ours(name, part) or (known := _known(part)) is None:
            return None
        width = len(part.vocabulary_)
        idf = np.concatenate([[0.0], part.idf_.astype(np.float64)])
        mine = logistic.coef_[:, start : start + width].T.astype(np.float64) * weights.get(name, 1)
        products = np.concatenate([np.zeros((1, mine.shape[1])), mine]) * idf[:, None]
        parts.append(Part(known=known, products=products, squares=idf**2, binary=part.binary))
        start += width
    return Scorer(parts=parts, intercept=logistic.intercept_.astype(np.float64), classes=logistic.classes_.tolist())


def _is_ours(name: str, part: TfidfVectorizer) -> bool:
    """Whether a vectorizer has the settings of one of `PARTS`, apart from its vocabulary and precision."""
    from train.model.tfidf_logistic import PARTS

    free = dict.fromkeys(("vocabulary", "dtype"))
    mine = part.get_params() | free
    return any(
        mine == known.get_params() | free for parts in PARTS.values() for other, known in parts.items() if other == name
    )


def _known(part: TfidfVectorizer) -> Signs | Words | None:
    names = sorted(part.vocabulary_, key=part.vocabulary_.__getitem__)
    columns = np.arange(1, len(names) + 1, dtype=np.int32)
    if part.analyzer == "word":
        return _words(part.token_pattern, names, columns)
    low, high = part.ngram_range
    alphabet = ngrams.alphabet_of(names)
    if not alphabet.fits(high):
        return None
    sizes = np.fromiter(map(len, names), np.int64, len(names))
    tables = {}
    for size in range(low, high + 1):
        mine = np.flatnonzero(sizes == size)
        letters, starts = ngrams.letters([names[n] for n in mine], alphabet)
        ((_, keys),) = ngrams.keys(letters, alphabet, size, size)
        keys = keys[starts[:-1]]
        tables[size] = key_table(keys, columns[mine], alphabet.base**size)
    return Signs(alphabet=alphabet, tables=tables, within=part.analyzer == "char_wb")


def _words(pattern: str, names: Sequence[str], columns: Columns) -> Words:
    numbers = {word: n for n, word in enumerate(dict.fromkeys(word for name in names for word in name.split(" ")), 1)}
    base = len(numbers) + 1
    singles = np.zeros(base, np.int32)
    keys: list[int] = []
    of_keys: list[int] = []
    for name, column in zip(names, columns.tolist(), strict=True):
        first, *second = name.split(" ")
        if second:
            keys.append(numbers[first] * base + numbers[second[0]])
            of_keys.append(column)
        else:
            singles[numbers[first]] = column
    pairs = key_table(np.array(keys, np.int64), np.array(of_keys, np.int32), base * base)
    return Words(pattern=pattern, numbers=numbers, singles=singles, pairs=pairs)
