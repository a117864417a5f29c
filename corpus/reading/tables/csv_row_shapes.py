"""Learn from some rows of a table how its rows begin, so that a line of prose is not taken for a row."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import pairwise

from corpus.reading.tables.csv_lines import Record

LEARNT = 50
"""Number of rows that the others are compared with."""

FEW = 3
"""This many rows are too few to say that another row is unlike them."""

SHARE = 2 / 3
"""Share of these rows that must have a number, an address or a code in a column for it to mark rows."""

_KIND = re.compile(
    r"(?P<number>[+-]?\d+(?:[.,:/-]\d+)*)|(?P<address>[A-Za-z][A-Za-z+.-]*:\S+)|(?P<code>(?=\S*(?:\d|[/_]|\.\w))\S+)"
)


class Looks:
    """What the rows of one table have in common.

    The first column whose values are numbers, addresses or codes (no white space, but a digit, a slash or the like:
    `2`, `2024-03-01`, `https://…`, `news/a_17.txt`) marks a row, because a line of prose hardly ever has such a value
    there. In a table without such a column, rows that have quotation marks around every field are recognised by these.
    In a table with neither, nothing tells a row from a line of prose, and `known` is false.

    Args:
        separator: character between the fields.
        header: names of the columns.
        raw: the header as it stands in the file.
    """

    def __init__(self, separator: str, header: Sequence[str] = (), raw: str = "") -> None:
        """Begin without having seen a row."""
        self._separator = separator
        self._width = len(header)
        self.learns = True
        self.last: Sequence[str] = ()
        self._rows: list[Sequence[str]] = []
        self._column: int | None = None
        self._kinds: set[str | None] = set()
        self._numbered = False
        self._spaced: bool | None = None  # whether a space follows the separators; unknown before the first row
        mark, whole = re.escape(separator), r'"(?:[^"]|"")*+"'
        self._first = re.compile(rf'"?([^{mark}"\r\n]*)')
        self._quoted = re.compile(rf"{whole}(?:[{mark}]{whole})*[\r\n]*")
        field = rf'(?:{whole}|[^{mark}"\r\n]*+)'
        self._proper = re.compile(rf"{field}(?:[{mark}]{field})*+[\r\n]*")
        # In a table of one column, a quotation on a line of its own looks like a row.
        self._all_quoted = self._width > 1 and self._quoted.fullmatch(raw) is not None

    @property
    def known(self) -> bool:
        """Whether anything tells a row from a line of prose."""
        return self._column is not None or self._all_quoted

    def learn(self, fields: Sequence[str], raw: str) -> None:
        """Learn from a row that was read."""
        self._rows.append(fields)
        if self._spaced is None:
            self._spaced = _has_space(fields)
        self.learns = len(self._rows) < LEARNT
        self._all_quoted = self._all_quoted and self._quoted.fullmatch(raw) is not None
        self._column = None
        for column in range(self._width if self._width > 1 else 0):
            kinds = [kind_of(row[column]) for row in self._rows if row[column]]
            if kinds and sum(kind is not None for kind in kinds) >= SHARE * len(self._rows):
                self._column, self._kinds = column, set(kinds) - {None}
                numbers = [int(row[column]) for row in self._rows if _is_number(row[column])]
                self._numbered = {after - before for before, after in pairwise(numbers)} == {1}
                return

    def assume(self, line: str) -> None:
        """If no row was read yet, assume that rows begin as this malformed row does, by its first field."""
        match = self._first.match(line)
        if not self._rows and self._width > 1 and match and (kind := kind_of(match[1])):
            self._column, self._kinds, self.last = 0, {kind}, [match[1]]

    def fits(self, fields: Sequence[str], raw: str = "") -> bool:
        """Whether a row has in the marking column what rows have there; true for every row if no column marks rows.

        In a table without such a column, the quotation marks are checked if `raw` is given.
        """
        if self._column is not None:
            match = _KIND.fullmatch(fields[self._column])
            return match is not None and match.lastgroup in self._kinds
        return not (raw and self._all_quoted) or self._quoted.fullmatch(raw) is not None

    def is_proper(self, raw: str) -> bool:
        """Whether a record follows RFC 4180, with no quotation mark in an unquoted field."""
        return self._proper.fullmatch(raw) is not None

    def follows(self, fields: Sequence[str], raw: str, lines: int) -> bool:
        """Whether a row can follow lines that cannot be read: like `fits`, but stricter about numbers.

        If the rows so far are numbered one by one, its number must be higher than theirs, but not higher than that many
        lines can lead to. Otherwise its number must be about as long as theirs.
        """
        if not self.fits(fields, raw):
            return False
        if self._column is None or not fields[self._column].isdecimal():
            return True
        value, last = fields[self._column], self.last[self._column] if self.last else ""
        if self._numbered and _is_number(last) and _is_number(value):
            return int(last) < int(value) <= int(last) + lines + 1
        lengths = [len(row[self._column]) for row in [*self._rows, self.last] if row and row[self._column].isdecimal()]
        return not lengths or min(lengths) <= len(value) <= max(lengths) + 1

    def begins(self, line: str) -> bool:
        """Whether a row may begin on this line."""
        if self._column is None:
            return line.startswith('"')
        if self._column == 0:
            match = self._first.match(line)
            return match is not None and kind_of(match[1]) in self._kinds
        fields = self._alone(line)
        return fields is None or len(fields) <= self._column or self.fits(fields)

    def is_row(self, line: str) -> bool:
        """Whether a line is a whole row by itself."""
        fields = self._alone(line)
        return fields is not None and len(fields) == self._width and self.fits(fields, line)

    def hides(self, lines: Sequence[str]) -> bool:
        """Whether one of the lines inside a field may be a row that was swallowed."""
        check = self.begins if self._column == 0 else self.is_row
        return any(map(check, lines))

    def may_continue(self, before: Record, record: Record) -> bool:
        """Whether a row that does not fit may belong to the row before, whose quotation marks are missing."""
        if before.closed or '"' in record.raw:
            return False
        return len(self._rows) > FEW or self._is_prose(record.fields)

    def reads_on(self, record: Record) -> bool:
        """Whether a row may belong to the row before, in a table in which nothing tells rows from prose.

        In prose a space follows a comma; between fields a space follows in all rows of a table, or in none.
        """
        if self.known or self._spaced is not False or self._separator != "," or '"' in record.raw:
            return False
        return _has_space(record.fields)

    def _is_prose(self, fields: Sequence[str]) -> bool:
        """Whether words stand where the other rows have a number, an address or a code."""
        if self._column is None:
            return False
        return " " in fields[self._column].strip() or (self._spaced is False and _has_space(fields))

    def swallows(self, record: Record) -> bool:
        """Whether a row of several lines may hold other rows: all its lines but the first look like rows.

        Where rows have numbers, a line that begins with the next number is enough, even if the rows read so far do not
        count one by one: they would not if this row holds others.
        """
        if self._column is None:
            return False
        if self._column == 0 and _is_number(record.fields[0]):
            number = int(record.fields[0]) + 1
            if f"\n{number}{self._separator}" in record.raw or f'\n"{number}"{self._separator}' in record.raw:
                return True
        second = record.raw[record.raw.find("\n") + 1 :][:500]
        return self.begins(second) and all(map(self.is_row, record.lines[1:]))

    def _alone(self, line: str) -> list[str] | None:
        try:
            return next(csv.reader([line], delimiter=self._separator, strict=True), None)
        except csv.Error:
            return None


def _is_number(value: str) -> bool:
    """Whether a field is a whole number that may count rows; what has more digits is an identifier, or damage."""
    return value.isdecimal() and len(value) <= 18


def _has_space(fields: Sequence[str]) -> bool:
    return any(field.startswith(" ") for field in fields[1:])


def kind_of(value: str) -> str | None:
    """Whether a value is a `number`, an `address` or another `code`; None for prose.

    >>> [kind_of(value) for value in ("17", "2024-03-01", "https://a.example/1", "a_17", "The mayor stayed", "Rain")]
    ['number', 'number', 'address', 'code', None, None]
    """
    match = _KIND.fullmatch(value)
    return match.lastgroup if match else None
