"""Split a CSV file into lines, and into records as Python's csv module reads them."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice, tee
from pathlib import Path
from typing import TextIO

import msgspec

from corpus.errors import SourceError
from corpus.reading.text_encoding import ARTICLE_BYTES, NotTextError, encoding_of_file

UNDOUBLED = "a quotation mark inside a quoted field is not doubled"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
UNCLOSED = "a quotation mark is opened and never closed"


class Record(msgspec.Struct):
    """Lines that were taken for one row, as they stand in the file: the fields, or what is wrong.

    `odd` says that the number of quotation marks is odd; `slashed` that one of them has a backslash before it.
    """

    fields: list[str]
    line: int
    count: int
    raw: str
    fault: str = ""
    note: str = ""
    odd: bool = False
    slashed: bool = False

    @property
    def lines(self) -> list[str]:
        """Its lines, cut as the csv module cuts them."""
        return _LINE.findall(self.raw)

    @property
    def closed(self) -> bool:
        """Whether the last line ends in a quotation mark."""
        return self.raw.rstrip("\r\n").endswith('"')


class Lines:
    """The lines of a CSV file, and its records as the csv module reads them; lines can be given back.

    `number` is the number of the next line, from 1.
    """

    def __init__(self, file: TextIO, separator: str) -> None:
        """Begin at the file's current position."""
        self.separator = separator
        self.number = 1
        self._file = file
        self._back: deque[str] = deque()
        self._start()

    def take(self) -> str:
        """The next line; an empty string at the end."""
        line = self._back.popleft() if self._back else next(self._file, "")
        self.number += bool(line)
        return line

    def peek(self) -> str:
        """The next line, without taking it; an empty string at the end."""
        if not self._back and (line := next(self._file, "")):
            self._back.append(line)
            self._start()
        return self._back[0] if self._back else ""

    def back(self, lines: Sequence[str]) -> None:
        """Give lines back, to be read again."""
        if lines:
            self._back.extendleft(reversed(lines))
            self.number -= len(lines)
            self._start()

    def record(self) -> Record | None:
        """The next record according to RFC 4180; None at the end. A blank line is a record without fields."""
        fault = ""
        fields: list[str] = []
        try:
            fields = next(self._reader, [])
        except csv.Error as error:
            fault = UNCLOSED if "unexpected end" in str(error) else UNDOUBLED
            if "field limit" in str(error):
                fault = f"a field is longer than {ARTICLE_BYTES >> 20} MB, or a quotation mark is never closed"
        count = self._reader.line_num - self._read
        if not count:
            return None
        self._read += count
        line = self.number
        self.number = line + count
        raw = "".join(islice(self._same, count))
        marks = raw.count('"')
        return Record(fields, line, count, raw, fault, "", marks % 2 == 1, marks > 0 and '\\"' in raw)

    def _start(self) -> None:
        """Let the csv module go on with the lines that were given back, and then with those of the file.

        The csv module takes the lines itself, which is twice as fast as handing it each one; a second iterator over
        the same lines shows afterwards which it took.
        """
        lines, self._same = tee(self._given_back() if self._back else self._file)
        # Strict, because otherwise a quotation mark that is never closed would silently make one field of all the rest.
        self._reader, self._read = csv.reader(lines, delimiter=self.separator, strict=True), 0

    def _given_back(self) -> Iterator[str]:
        while self._back:
            yield self._back.popleft()
        while line := next(self._file, ""):  # `yield from` closes the file together with this generator
            yield line


def csv_encoding(path: Path) -> str:
    """The encoding of a CSV file.

    Raises:
        SourceError: the file cannot be read, or is not text.
    """
    try:
        return encoding_of_file(path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    except NotTextError as error:
        raise SourceError(f"{path}: {error}") from error
