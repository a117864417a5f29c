"""A table from whole numbers to columns, which looks up many numbers at once."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Columns = NDArray[np.int32]

DENSE = 1 << 20
"""Numbers below this one are looked up in an array that has a place for each of them."""
ROOM = 8
"""Number of places for each stored number in a table by hash: with few numbers in a place that another one wants, nine
of ten numbers are found, or known to be missing, at the first look."""
MIX = np.uint64(0x9E3779B97F4A7C15)
"""The factor of Fibonacci hashing, 2**64 divided by the golden ratio."""


class KeyTable(msgspec.Struct, frozen=True, kw_only=True):
    """Columns by number.

    Attributes:
        keys: the number at each place, -1 where a place is free; empty where `columns` has a place for every number.
        columns: the column at each place.
        shift: number of low bits of a hash that do not count.
    """

    keys: Numbers
    columns: Columns
    shift: int

    def find(self, asked: Numbers) -> Columns:
        """The column of each number, 0 for those that the table does not hold.

        Every number is compared as a whole, so that two numbers with one hash are not mistaken for each other.

        Args:
            asked: numbers from 0 up; where the table was made dense, below its limit.
        """
        if not len(self.keys):
            return self.columns.take(asked)
        at = _places(asked, self.shift)
        held = self.keys.take(at)
        same = held == asked
        found = self.columns.take(at)
        found *= same
        waiting = np.flatnonzero((held >= 0) & ~same)
        at = at[waiting]
        while len(waiting):
            at = (at + 1) & (len(self.keys) - 1)
            held = self.keys[at]
            same = held == asked[waiting]
            found[waiting[same]] = self.columns[at[same]]
            left = (held >= 0) & ~same
            waiting, at = waiting[left], at[left]
        return found


def key_table(keys: Numbers, columns: Columns, limit: int) -> KeyTable:
    """A table of numbers.

    Args:
        keys: different numbers from 0 up.
        columns: column of each number, from 1 up.
        limit: a number above all that the table will be asked for.
    """
    if limit <= DENSE:
        every = np.zeros(limit, np.int32)
        every[keys] = columns
        return KeyTable(keys=np.zeros(0, np.int64), columns=every, shift=0)
    bits = max(1, (ROOM * len(keys) - 1).bit_length())
    held, given = np.full(1 << bits, -1, np.int64), np.zeros(1 << bits, np.int32)
    waiting, at = np.arange(len(keys)), _places(keys, 64 - bits)
    while len(waiting):
        free = held[at] < 0
        held[at[free]] = keys[waiting[free]]  # of several numbers for one place the last stays
        stayed = held[at] == keys[waiting]
        given[at[stayed]] = columns[waiting[stayed]]
        waiting, at = waiting[~stayed], (at[~stayed] + 1) & (len(held) - 1)
    return KeyTable(keys=held, columns=given, shift=64 - bits)


def _places(keys: Numbers, shift: int) -> Numbers:
    mixed = keys.view(np.uint64) * MIX
    mixed >>= np.uint64(shift)
    return mixed.view(np.int64)
