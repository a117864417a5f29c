"""Read publication dates in the forms that people and programs write, and give them as ISO 8601."""

from __future__ import annotations

import datetime
import re
import unicodedata
from email.utils import parsedate_to_datetime
from functools import lru_cache

TWO_DATES = "date that can be read in two ways, and is left as it is"
NO_DATE = "published is not in a known form of date, and is left as it is"

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = {name[:length]: number for number, name in enumerate(_MONTHS, 1) for length in range(3, len(name) + 1)}
_OF_OTHERS = """
    januar jänner jan janvier janv enero ene gennaio gen januari
    februar feber février févr fév febrero febbraio februari
    märz mär mrz mars marzo maart mrt
    avril avr abril abr aprile
    mai mayo maggio mag mei
    juni juin junio giugno giu
    juli juillet juil juill julio luglio lug
    août aout agosto ago augustus
    septembre septiembre setiembre settembre set
    oktober okt octobre octubre ottobre ott
    novembre noviembre
    dezember dez décembre déc diciembre dic dicembre
"""
"""A line for each month: its names in German, French, Spanish, Italian and Dutch where English has another name."""
_MONTH |= {name: number for number, line in enumerate(_OF_OTHERS.split("\n")[1:], 1) for name in line.split()}
_ISO = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ].*|Z|[+-]\d\d:?\d\d)?)?)?")
_NUMBER = re.compile(r"(\d{8,14})(?:\.\d+)?")
_MAIL = re.compile(r"(?:[A-Za-z]{3}, )?\d{1,2} [A-Za-z]{3} \d{4} \d\d:\d\d.*")
_WEEKDAY = re.compile(
    r"\b(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?|(?:mon|diens|donners|frei|sams|sonn)tag"
    r"|mittwoch|sonnabend|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|lunes|martes|miércoles|jueves|viernes|sábado"
    r"|domingo|(?:lune|marte|mercole|giove|vener)dì|sabato|domenica|(?:maan|dins|woens|donder|vrij|zater|zon)dag)\b"
    r"\.?,?(?: den\b)?",
    re.I,
)
_TIME = re.compile(
    r"(?:,? at |,? - |, | |T)(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,]\d+)?)?"
    r" ?(?P<half>[ap]\.?m\.?)? ?(?P<zone>Z|[A-Z]{2,5}|[+-]\d\d:?\d\d)?",
    re.I,
)
_DAY, _WORD, _YEAR = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er)?", r"(?P<word>[^\W\d_]{3,10})\.?", r"(?P<year>\d{4})"
_FORMS = [
    re.compile(form, re.I)
    for form in (
        # The year has four digits in each form: 11.03.15 could be the 11th or the 15th, of 2015 or 2011.
        rf"{_YEAR}(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark){_DAY}",
        # Where full stops separate the parts, nobody writes the month first (no locale of the Unicode CLDR does).
        rf"{_DAY}\. ?(?P<month>\d{{1,2}})\. ?{_YEAR}",
        rf"{_DAY}\.?(?: of| de)?[ -]{_WORD},?(?: del?)?[ -]{_YEAR}",
        rf"{_WORD}[ -]{_DAY},?[ -]{_YEAR}",
        rf"{_YEAR},?[ -]{_WORD}[ -]{_DAY}",
        rf"{_WORD},? {_YEAR}",
    )
]
_TWO_WAYS = re.compile(rf"(?P<first>\d{{1,2}})(?P<mark>[-/])(?P<second>\d{{1,2}})(?P=mark){_YEAR}")


@lru_cache(maxsize=10_000)
def iso_date(written: str) -> tuple[str, str]:
    """A date of publication in ISO 8601, and a note on it, or an empty string.

    A date that is already in ISO 8601 stays as it is; so does what is not a date, or could be two dates.

    >>> iso_date("15.03.2011"), iso_date("March 15, 2011"), iso_date("2011-03-15T10:20:30Z")
    (('2011-03-15', ''), ('2011-03-15', ''), ('2011-03-15T10:20:30Z', ''))
    >>> iso_date("Tue, 15 Mar 2011 10:20:30 GMT"), iso_date("3/15/2011 4:05 PM"), iso_date("1300184430")
    (('2011-03-15T10:20:30+00:00', ''), ('2011-03-15T16:05:00', ''), ('2011-03-15T10:20:30+00:00', ''))
    >>> iso_date("Donnerstag, 11. März 2031"), iso_date("11 de agosto de 2031")
    (('2031-03-11', ''), ('2031-08-11', ''))
    >>> iso_date("03/04/2011")
    ('03/04/2011', 'date that can be read in two ways, and is left as it is')
    """
    value = unicodedata.normalize("NFC", " ".join(written.split()))
    try:
        if match := _ISO.fullmatch(value):
            datetime.date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
            return written, ""
        if match := _NUMBER.fullmatch(value):
            return _of_number(match[1]) or (written, TWO_DATES)
        if _MAIL.fullmatch(value):
            return parsedate_to_datetime(value).isoformat(), ""
        day, time = _apart(" ".join(_WEEKDAY.sub(" ", value).split()).strip(" ,"))
        return (f"{day}{time}", "") if day else (written, TWO_DATES)
    except (ValueError, OverflowError, KeyError):
        return written, NO_DATE if value else ""


def _of_number(digits: str) -> tuple[str, str] | None:
    """Read a date written without separators (20110315, 20110315102030), or as seconds or milliseconds since 1970.

    Raises:
        ValueError: the digits are none of these.
    """
    forms = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
    form = forms.get(len(digits))
    try:
        date = datetime.datetime.strptime(digits, form) if form and "1600" < digits < "2100" else None
    except ValueError:
        date = None
    seconds = {9: 1, 10: 1, 13: 1000}.get(len(digits))
    if date and seconds:
        return None
    if seconds:
        return datetime.datetime.fromtimestamp(int(digits) // seconds, datetime.UTC).isoformat(), ""
    if date is None:
        raise ValueError(digits)
    return (date.date().isoformat() if len(digits) == 8 else date.isoformat()), ""


def _apart(value: str) -> tuple[str, str]:
    """The day and the time of a date; the day is empty where it could be either of two.

    Raises:
        ValueError: the value is not a date.
        KeyError: the value has a word in place of the month that is not a month.
    """
    place = next((place for place in _TIME.finditer(value) if place.end() == len(value)), None)
    day, time = (value[: place.start()], _time(place)) if place else (value, "")
    day = day.strip(" ,")
    if match := _TWO_WAYS.fullmatch(day):
        year, first, second = int(match["year"]), int(match["first"]), int(match["second"])
        if first <= 12 and second <= 12 and first != second:
            return "", ""
        month, of_month = (first, second) if second > 12 else (second, first)
        return datetime.date(year, month, of_month).isoformat(), time
    for form in _FORMS:
        if match := form.fullmatch(day):
            parts = match.groupdict()
            month = _MONTH[parts["word"].lower()] if "word" in parts else int(parts["month"])
            if "day" not in parts:
                datetime.date(int(parts["year"]), month, 1)
                return f"{parts['year']}-{month:02}", ""
            return datetime.date(int(parts["year"]), month, int(parts["day"])).isoformat(), time
    raise ValueError(value)


def _time(match: re.Match[str]) -> str:
    """The time of day as ISO 8601 writes it after a date; empty where the name of the time zone is ambiguous."""
    hour, zone = int(match["hour"]), (match["zone"] or "").upper()
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"][0].lower() == "p")
    if zone in ("Z", "UTC", "GMT"):
        zone = "+00:00"
    elif zone and zone[0] in "+-":
        zone = f"{zone[:3]}:{zone[-2:]}"
    elif zone:
        return ""
    return f"T{datetime.time(hour, int(match['minute']), int(match['second'] or 0)).isoformat()}{zone}"
