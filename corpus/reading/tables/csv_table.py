"""Read CSV files row by row. A malformed row is read if its meaning is certain, and refused if it is not.

The rule is RFC 4180. Many programs write something else: quotation marks inside a quoted field are escaped by a
backslash or not at all, a mark is never closed, a comma is not quoted. The malformed row itself is the smaller loss:
once it is unknown whether a line lies inside a quoted field, lines of prose look like rows, and rows like prose. So
after a malformed row reading goes on only at a line that begins as the other rows do
(`corpus.reading.tables.csv_row_shapes`), and everything before that line is refused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TextIO

import msgspec

from corpus.errors import SourceError
from corpus.reading.tables.csv_dialects import BARE, ESCAPED, Dialect, bare, escaped
from corpus.reading.tables.csv_lines import UNDOUBLED, Lines, Record
from corpus.reading.tables.csv_row_shapes import Looks
from corpus.reading.text_encoding import ARTICLE_BYTES, BLOCK

HELD = 1000
"""Most rows that are held back until one begins like the others."""

LAST_WORDS = 40
"""Most characters of a line that a program writes below a table."""

PATIENCE = 100_000
"""Lines of a file, in all, that may be searched without success for another reading of malformed rows."""

SWALLOWED = "lines inside a quoted field look like rows: a quotation mark may be missing before them"
UNLIKE = "the row does not begin as the others do: it may be a line of the row before"
ALONE = "a quotation mark is in a field that is not quoted"
NO_ROW = "; nothing in this table tells where the next row begins, as a column of numbers or addresses would"

_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.I)
_QUOTED = re.compile(r'"(?:[^"]|"")*+"')


class CsvRow(msgspec.Struct, frozen=True):
    """A row: its fields, the line that it begins on, and a note on how it was read, or an empty string."""

    fields: list[str]
    line: int
    note: str = ""


class Broken(msgspec.Struct, frozen=True):
    """Lines that cannot be read for certain, from `first` to `last`, and what is wrong with the first row in them."""

    first: int
    last: int
    fault: str

    def __str__(self) -> str:
        """Say where the lines are, and what is wrong."""
        if self.first == self.last:
            return f"line {self.first}: {self.fault}"
        return f"lines {self.first} to {self.last} ({self.last - self.first + 1} lines): {self.fault}"


class CsvTable:
    """A CSV file that is open for reading, for use in a `with` statement: read `header`, then call `rows()` once.

    Bytes that cannot be decoded become lone surrogates, so that they spoil their own row only.

    Args:
        path: the file.
        encoding: encoding of the file, as `csv_encoding` found it.
        short: whether a row may have fewer fields than the header; the missing ones are empty.
    """

    def __init__(self, path: Path, encoding: str, *, short: bool = False) -> None:
        """Store the arguments, without opening the file."""
        self.header: list[str] = []
        self._path, self._encoding, self._short = path, encoding, short
        self._file: TextIO
        self._lines: Lines
        self._looks = Looks(",")
        self._escapes: bool | None = None
        self._patience = PATIENCE

    def __enter__(self) -> CsvTable:
        """Open the file and read its header.

        Raises:
            SourceError: the file cannot be read, or its header is malformed.
        """
        try:
            self._file = self._path.open(encoding=self._encoding, errors="surrogateescape", newline="")
            try:
                self._read_header()
            except BaseException:
                self._file.close()
                raise
        except (OSError, UnicodeError) as error:
            raise self._unreadable(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def rows(self) -> Iterator[CsvRow | Broken]:
        """The rows below the header, with `Broken` in place of refused lines: together they cover all lines.

        Raises:
            SourceError: the rest of the file cannot be read.
        """
        try:
            yield from self._rows()
        except (OSError, UnicodeError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError | UnicodeError) -> SourceError:
        if isinstance(error, OSError):
            return SourceError(f"{self._path}: cannot be read: {error.strerror}")
        return SourceError(f"{self._path}: {error}")  # UTF-16 that ends in the middle

    def _read_header(self) -> None:
        csv.field_size_limit(ARTICLE_BYTES)
        first = self._file.readline(BLOCK)
        self._file.seek(0)
        # Excel writes and expects a first line that names the separator.
        named = _SEPARATOR.fullmatch(first)
        # In half of Europe spreadsheets separate fields by semicolons.
        separator = named[1] if named else max(",;\t", key=_QUOTED.sub("", first).count)
        self._lines = Lines(self._file, separator)
        if named:
            self._lines.take()
        record = self._next()
        if record is None:
            return
        if record.fault:
            raise SourceError(f"{self._path}, line {record.line}: malformed CSV: {record.fault}")
        self.header = record.fields
        self._looks = Looks(separator, self.header, "".join(record.lines))
        self._bare, self._escaped = bare(separator), escaped(separator)
        self._sure_escape = re.compile(rf'\\"[^\s"{re.escape(separator)}]')

    # --- rows

    def _rows(self) -> Iterator[CsvRow | Broken]:
        looks = self._looks
        last: Record | None = None  # the last record that began as rows here do
        others: list[Record] = []  # the records after it, which did not
        while (record := self._next()) is not None:
            if (record.fault or (record.slashed and self._is_escaped())) and (mended := self._mended(record)):
                record = mended
            fits = not record.fault and looks.fits(record.fields)
            if not fits and not record.fault and '"' in record.raw and not looks.is_proper(record.raw):
                record.fault = ALONE
            if record.fault:
                yield from self._refused([*filter(None, (last,)), *others], record)
                last, others = None, []
            elif fits or len(others) > HELD:
                if last is not None:
                    yield self._row(last)
                if others:
                    yield from self._others(last, others)
                    others = []
                if not record.note and looks.reads_on(record):
                    record.note = UNLIKE
                if looks.learns:
                    looks.learn(record.fields, record.raw)
                last, looks.last = record, record.fields
            else:
                others.append(record)
        if last is not None:
            yield self._row(last)
        yield from self._others(last, others)

    def _row(self, record: Record) -> CsvRow:
        swallowed = not record.note and record.count > 1 and self._looks.swallows(record)
        return CsvRow(record.fields, record.line, SWALLOWED if swallowed else record.note)

    def _others(self, before: Record | None, records: list[Record]) -> Iterator[CsvRow]:
        """The rows that do not begin like the others."""
        for record in records:
            # Checked before the row is learnt from: among few rows, an unlike one hides what the others share.
            unlike = before is not None and self._looks.may_continue(before, record)
            if self._looks.learns:
                self._looks.learn(record.fields, record.raw)
            row = self._row(record)
            unlike = unlike and not row.note
            yield CsvRow(row.fields, row.line, UNLIKE) if unlike else row
            before = record

    def _released(self, held: list[Record]) -> Iterator[CsvRow]:
        if held:
            yield self._row(held[0])
            yield from self._others(held[0], held[1:])

    def _refused(self, held: list[Record], record: Record) -> Iterator[CsvRow | Broken]:
        """The rows before a malformed one, then what is refused with it; what comes next is certainly a row."""
        looks, lines = self._looks, self._lines
        looks.assume(record.lines[0])
        start, fault = record.line, record.fault
        marks = '"' in record.raw
        torn = bool(held) and self._is_torn(held, record)
        if not looks.known:
            if not marks and len(record.fields) > len(self.header):  # most likely a separator that is not quoted
                yield from self._released(held)
                yield Broken(start, start, fault)
                return
            kept = held[: not torn]
        else:
            kept = held if looks.begins(record.lines[0]) else held[: not torn]
        yield from self._released(kept)
        if len(kept) < len(held):
            start = held[len(kept)].line
        if marks:
            lines.back(record.lines[1:])
        if looks.known:
            self._search(start, sure=not marks)
        else:
            while lines.take():
                pass
            fault += NO_ROW
        yield Broken(start, lines.number - 1, fault)

    def _is_torn(self, held: list[Record], record: Record) -> bool:
        """Whether a row seems to go on in the lines after it, which do not begin as rows do, if that can be told."""
        behind = [*held[1:], record]
        odd = sum(one.odd for one in behind) % 2 == 1
        if held[0].odd or (odd and (held[0].closed or self._looks.known)):
            return True
        if held[0].closed or any('"' in one.raw for one in behind):
            return False
        # The cause is a line break that is not quoted; but not before a closing line of the table, such as `(4 rows)`.
        return bool(self._lines.peek().strip()) or len(record.raw) > LAST_WORDS

    def _search(self, start: int, *, sure: bool) -> None:
        """Skip the lines before the next row.

        Args:
            start: number of the first refused line.
            sure: whether the next line is certainly outside any quoted field, so that one row that fits is enough and
                no further row need confirm it.
        """
        looks, lines = self._looks, self._lines
        while line := lines.peek():
            if not line.strip() or not looks.begins(line):
                lines.take()
                continue
            record = self._next()
            if record is None:
                return
            mended = self._mended(record) if record.fault else record
            if mended and not mended.odd and looks.follows(mended.fields, mended.raw, mended.line - start):
                behind = lines.peek()
                if sure or not behind.strip() or looks.begins(behind):
                    lines.back(mended.lines)
                    return
            lines.back((mended or record).lines[1:])

    # --- records

    def _next(self) -> Record | None:
        """The next record according to RFC 4180; None at the end."""
        width = len(self.header)
        while (record := self._lines.record()) is not None:
            if not record.fields and not record.fault:  # a blank line
                continue
            fields = record.fields
            if width and len(fields) != width and not record.fault:
                if self._short and len(fields) < width:
                    fields += [""] * (width - len(fields))
                else:
                    record.fault = f"expected as many fields as the header has; found {len(fields)}"
            return record
        return None

    def _is_escaped(self) -> bool:
        """Whether the file escapes quotation marks by a backslash, where the csv module sees the end of a field.

        The file is searched once, when the first backslash before a mark is met.
        """
        if self._escapes is None:
            self._escapes, rest = False, ""
            with self._path.open(encoding=self._encoding, errors="surrogateescape", newline="") as file:
                while not self._escapes and (block := file.read(BLOCK)):
                    self._escapes = self._sure_escape.search(rest + block) is not None
                    rest = block[-2:]
        return self._escapes

    def _mended(self, record: Record) -> Record | None:
        """The record read in another way, if that certainly gives a row; the next line is then the one after it."""
        self._looks.assume(record.lines[0])
        reading = None
        if record.slashed or f"\\{self._lines.separator}" in record.raw:
            reading = self._read_as(record, self._escaped)
        if reading is None and record.fault == UNDOUBLED:
            reading = self._read_as(record, self._bare)
        return reading

    def _read_as(self, record: Record, dialect: Dialect) -> Record | None:
        taken = list(record.lines)

        def lines() -> Iterator[str]:
            yield from record.lines
            while len(taken) < self._patience and (line := self._lines.take()):
                taken.append(line)
                yield line

        fields, count = dialect.read(lines())
        if len(fields) == len(self.header):
            behind = taken[count] if count < len(taken) else self._lines.peek()
            read = Record(fields, record.line, count, "".join(taken[:count]), note=dialect.note)
            if self._is_certain(read, behind):
                self._lines.back(taken[count:])
                return read
        self._patience -= count
        self._lines.back(taken[len(record.lines) :])
        return None

    def _is_certain(self, record: Record, behind: str) -> bool:
        """Whether a record that was read in another way has no other possible reading."""
        looks = self._looks
        if record.note == BARE and record.raw.count('"') % 2:  # the marks do not come in pairs
            return False
        if not looks.fits(record.fields) or (looks.known and behind.strip() and not looks.begins(behind)):
            return False
        if record.note == ESCAPED:  # the backslashes are proof enough, unless the record holds rows
            return not (looks.known and any(map(looks.is_row, record.lines[1:])))
        return not looks.hides(record.lines[1:])
