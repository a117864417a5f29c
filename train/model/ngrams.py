"""Count n-grams as scikit-learn's CountVectorizer does, but faster.

On long texts counting takes longer than fitting: a CountVectorizer copies each n-gram of characters out of its text as
a string. Here an n-gram is a number, and equal numbers are found by hashing and sorting. Counting the n-grams of 2 to 5
characters in 4 million characters takes 3 s instead of 17 s (November 2026, one core).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack, identity

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

LARGEST = 1 << 63
"""Numbers from this one on do not fit in a signed integer of 64 bits."""
SPACES = re.compile(r"\s\s+")
"""Runs of white space that a CountVectorizer reads as one space."""

Numbers = NDArray[np.int64]


class Alphabet(msgspec.Struct, frozen=True, kw_only=True):
    """The characters that n-grams are made of, which are the digits of the n-grams' numbers.

    Attributes:
        signs: the characters' code points, sorted; the first has digit 1.
        digits: the digit of each code point up to the last of `signs`; 0 for other characters, and at the end.
    """

    signs: NDArray[np.uint32]
    digits: Numbers

    @property
    def base(self) -> int:
        """Base of the numbers: the digits are those of the characters, and 0 for any other character."""
        return len(self.signs) + 1

    def fits(self, size: int) -> bool:
        """Whether the numbers of n-grams of this length fit in a signed integer."""
        return bool(self.base**size < LARGEST)


def alphabet_of(texts: Iterable[str]) -> Alphabet:
    """The alphabet of some texts."""
    signs = np.array(sorted(map(ord, set().union(*texts))), dtype=np.uint32)
    digits = np.zeros(int(signs.max(initial=0)) + 2, np.int64)
    digits[signs] = np.arange(1, len(signs) + 1)
    return Alphabet(signs=signs, digits=digits)


def plain(texts: Sequence[str], *, within: bool) -> list[str]:
    """The texts whose n-grams of characters count: in lower case, then with single spaces, as the vectorizer does it.

    Args:
        texts: the texts.
        within: whether n-grams end at the ends of words; then a space stands before and after each word.
    """
    lowered = [text.lower() for text in texts]
    return [f" {' '.join(text.split())} " if within else SPACES.sub(" ", text) for text in lowered]


def letters(texts: Sequence[str], alphabet: Alphabet) -> tuple[Numbers, Numbers]:
    """The digits of all characters, with a 0 after each text; and where each text begins, and the last one ends."""
    starts = np.fromiter(accumulate((len(text) + 1 for text in texts), initial=0), np.int64, len(texts) + 1)
    codes = np.frombuffer("\0".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    digits = alphabet.digits.take(np.minimum(codes, len(alphabet.digits) - 1))
    digits[starts[1:] - 1] = 0
    return digits, starts


def keys(digits: Numbers, alphabet: Alphabet, low: int, high: int) -> Iterator[tuple[int, Numbers]]:
    """For each length from `low` to `high`, the length and the number of the n-gram that begins at each place."""
    numbers = digits
    for size in range(1, high + 1):
        if size > 1:
            numbers = numbers[: max(0, len(digits) - size + 1)] * alphabet.base
            numbers += digits[size - 1 :]
        if size >= low:
            yield size, numbers


def summed(columns: NDArray[np.integer[Any]], starts: Numbers, width: int) -> csr_matrix:
    """How often each row has each column.

    Args:
        columns: the columns of all rows, one row after the other; a column may occur in a row more than once.
        starts: where each row begins in `columns`, and where the last one ends.
        width: number of columns.

    Returns:
        Counts in double precision; the columns of a row are in no order.
    """
    rows = len(starts) - 1
    repeated = csr_matrix((np.ones(len(columns)), columns, starts), shape=(rows, width))
    # The product adds equal columns up in the time of reading them; scipy's own `sum_duplicates` sorts them first.
    return identity(rows, format="csr") @ repeated


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How often each text (row) has each n-gram (column); the order of the columns is not the vectorizer's.

    Attributes:
        matrix: counts, shape (texts, n-grams); each is 0 or 1 where the vectorizer is binary.
        names: the columns' n-grams: as strings, or as their numbers with the n-grams' length, which `ngrams` decodes.
        alphabet: the characters that these numbers are made of; None where `names` has strings.
    """

    matrix: csr_matrix
    names: list[tuple[Numbers, int]] | list[str]
    alphabet: Alphabet | None = None

    def ngrams(self) -> list[str]:
        """The n-gram of each column."""
        if self.alphabet is None:
            return [name for name in self.names if isinstance(name, str)]
        grams: list[str] = []
        for part in self.names:
            if isinstance(part, str):
                continue
            numbers, size = part
            written = np.empty((len(numbers), size), dtype=np.uint32)
            rest = numbers.copy()
            for place in range(size - 1, -1, -1):
                rest, digit = np.divmod(rest, self.alphabet.base)
                written[:, place] = self.alphabet.signs[digit - 1]
            whole = written.tobytes().decode("utf-32-le", "surrogatepass")
            grams += [whole[start : start + size] for start in range(0, len(whole), size)]
        return grams


def count(part: TfidfVectorizer, texts: Sequence[str]) -> Counts:
    """Count n-grams as the vectorizer itself would.

    Args:
        part: one of `train.model.tfidf_logistic.PARTS`, not fitted; it is not changed.
        texts: the texts to count in.

    Raises:
        ValueError: no text has an n-gram.
    """
    low, high = part.ngram_range
    if part.analyzer in ("char", "char_wb"):
        within = part.analyzer == "char_wb"
        shown = plain(texts, within=within)
        alphabet = alphabet_of(shown)
        if len(alphabet.signs) and alphabet.fits(high):
            counts = _characters(shown, alphabet, low, high, within=within)
            if not counts.matrix.shape[1]:
                raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
            if part.binary:
                counts.matrix.data[:] = 1
            return counts
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    counter = TfidfVectorizer(**part.get_params())
    matrix = CountVectorizer.fit_transform(counter, texts)
    return Counts(matrix=matrix, names=sorted(counter.vocabulary_, key=counter.vocabulary_.__getitem__))


def _characters(shown: Sequence[str], alphabet: Alphabet, low: int, high: int, *, within: bool) -> Counts:
    digits, starts = letters(shown, alphabet)
    no_letter = digits == 0
    inner = alphabet.signs[digits - 1] == ord(" ") if within else np.zeros(0, dtype=bool)
    names: list[tuple[Numbers, int]] = []
    blocks: list[csr_matrix] = []
    for size, numbers in keys(digits, alphabet, low, high):
        # An n-gram ends in the text that it begins in and, where that is asked for, in the word.
        keep = ~no_letter[: len(numbers)]
        for place in range(1, size):
            keep &= ~no_letter[place : place + len(numbers)]
        for place in range(1, size - 1) if within else ():
            keep &= ~inner[place : place + len(numbers)]
        if within and size == 2:  # a text without a word has become two spaces
            keep &= ~(inner[:-1] & inner[1:])
        found, column = _numbered(numbers[keep])
        before = np.concatenate([[0], np.cumsum(keep)])
        block = summed(column, before[np.minimum(starts, len(keep))], len(found)).astype(np.float32)
        block.sort_indices()
        blocks.append(block)
        names.append((found, size))
    return Counts(matrix=hstack(blocks, format="csr"), names=names, alphabet=alphabet)


def _numbered(keys: Numbers) -> tuple[Numbers, Numbers]:
    """The distinct keys, sorted, and the place of each key among them.

    Arrow finds them by hashing, which is three times as fast as sorting all keys.
    """
    encoded = pa.array(keys).dictionary_encode()
    terms = encoded.dictionary.to_numpy()
    order = np.argsort(terms, kind="stable")
    place = np.empty(len(terms), dtype=np.int64)
    place[order] = np.arange(len(terms))
    return terms[order], place[encoded.indices.to_numpy()]
