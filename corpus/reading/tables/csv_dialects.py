"""Read rows of CSV files that programs wrote in other ways than RFC 4180 says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

ESCAPED = "malformed CSV, read as it is meant: quotation marks are escaped by a backslash"
BARE = "malformed CSV, read as it is meant: quotation marks inside a quoted field are not doubled"


class Dialect(msgspec.Struct, frozen=True):
    """A way of writing CSV: what may stand inside a quoted field and in an unquoted one, and what it means.

    `note` is the note on each row that is read in this way.
    """

    note: str
    separator: str
    inner: re.Pattern[str]
    plain: re.Pattern[str]
    meaning: Callable[[str], str]

    def read(self, lines: Iterator[str]) -> tuple[list[str], int]:
        """The fields of the row that begins with the first of these lines, and how many lines it has.

        Without fields if the lines do not form a row. Each line is looked at once.
        """
        fields: list[str] = []
        parts: list[str] | None = None  # the text so far of a quoted field; None outside of one
        count = 0
        for count, line in enumerate(lines, 1):
            place = 0
            while True:
                if parts is None and line.startswith('"', place):
                    parts, place = [], place + 1
                match = (self.plain if parts is None else self.inner).match(line, place)
                text, place = (match[0], match.end()) if match else ("", place)
                if parts is not None:
                    parts.append(text)
                    if place == len(line):
                        break
                    if line[place] != '"':
                        return [], count
                    text, parts, place = "".join(parts), None, place + 1
                fields.append(self.meaning(text))
                if line.startswith(self.separator, place):
                    place += 1
                    continue
                return ([] if line[place:].strip("\r\n") else fields), count
        return [], count


def escaped(separator: str) -> Dialect:
    """The dialect with a backslash before quotation marks and separators, as Spark and many databases write it."""
    mark = re.escape(separator)
    escape = re.compile(rf'\\(["\\{mark}])|""')
    return Dialect(
        note=ESCAPED,
        separator=separator,
        inner=re.compile(r'(?:[^"\\]++|\\.|"")*+', re.S),
        plain=re.compile(rf'(?:[^{mark}"\r\n\\]++|\\.)*+'),
        meaning=lambda text: escape.sub(lambda match: match[1] or '"', text),
    )


def bare(separator: str) -> Dialect:
    """The dialect in which quotation marks inside a quoted field are not doubled.

    A mark before a separator or a line's end might close the field, so it is never taken for text; of two marks there,
    the first is text.
    """
    end = rf"(?:[{re.escape(separator)}\r\n]|\Z)"
    return Dialect(
        note=BARE,
        separator=separator,
        inner=re.compile(rf'(?:[^"]++|""(?!{end})|"(?!"|{end})|"(?="{end}))*+'),
        plain=re.compile(rf'[^{re.escape(separator)}"\r\n]*+'),
        meaning=lambda text: text.replace('""', '"'),
    )
