"""The sheets, rows and cells of spreadsheets, and how their numbers are written as text."""

from __future__ import annotations

import datetime
import math
import re

import msgspec

UNCOMPUTED = "a formula without its value: open the file in a spreadsheet program and save it"
"""What is wrong with a cell whose formula no program has computed yet."""
CELL = 32_767
"""Most characters that Excel keeps in a cell; it silently cuts off longer texts."""

_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.I | re.S)
"""What in the format of a number stands for itself: text in quotation marks, colours, conditions, languages."""


class Sheet(msgspec.Struct, frozen=True):
    """A sheet of a workbook: its name, and whether it is hidden."""

    name: str
    hidden: bool


class SheetRow(msgspec.Struct, frozen=True):
    """A row of a sheet: its number, from 1, and the text and the faults of its cells by column, from 0."""

    number: int
    cells: dict[int, str]
    faults: dict[int, str]


def shows_moment(code: str) -> bool:
    """Whether the format of a number shows a date or a time of day.

    Args:
        code: the format, as in `yyyy-mm-dd`.

    >>> shows_moment("d. mmm yyyy"), shows_moment('#,##0.00 "days"'), shows_moment("[Red]0.0"), shows_moment("[h]:mm")
    (True, False, False, False)
    """
    first = _SHOWN.sub("", code).partition(";")[0].lower()
    if re.search(r"\[[hms]+\]", first):  # a duration
        return False
    return "general" not in first and re.search(r"[dmyhs]", first) is not None


def number_text(written: str) -> str:
    """A number as people write it: 12 for 12.0 and 1.2E1; anything else stays as it is.

    >>> number_text("12.0"), number_text("2.0310111E7"), number_text("0.1"), number_text("x")
    ('12', '20310111', '0.1', 'x')
    """
    try:
        value = float(written)
    except ValueError:
        return written
    if not math.isfinite(value):
        return written
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def moment(written: str, *, since_1904: bool) -> str:
    """A date or a time in ISO 8601, from the days since the epoch; a number outside the calendar stays a number.

    Args:
        written: the number: days, of which the fraction is the time of day. Below 1 it is a time of day alone.
        since_1904: whether day 0 is 1 January 1904; otherwise day 1 is 1 January 1900, and 1900 counts as a leap year.

    >>> moment("40617", since_1904=False), moment("40617.5", since_1904=False), moment("0.25", since_1904=False)
    ('2011-03-15', '2011-03-15T12:00:00', '06:00:00')
    """
    try:
        days = float(written)
        if not math.isfinite(days) or days < 0:
            return number_text(written)
        whole, seconds = int(days), round((days - int(days)) * 86_400)
        if not whole and not since_1904:
            return (datetime.datetime.min + datetime.timedelta(seconds=min(seconds, 86_399))).time().isoformat()
        epoch = datetime.datetime(1904, 1, 1) if since_1904 else datetime.datetime(1899, 12, 30 + (whole < 60))
        found = epoch + datetime.timedelta(days=whole, seconds=seconds)
    except (ValueError, OverflowError):
        return number_text(written)
    return found.isoformat() if seconds % 86_400 else found.date().isoformat()
