"""Recognise the dateline of a wire story: the place, date and agency before its first sentence.

It stays in its sentence, as it is part of the article. Only the search for near-duplicates ignores it, since one outlet
prints it and the next does not.
"""

from __future__ import annotations

import re

from corpus.sentences.english_words import CALENDAR
from corpus.sentences.tokens import is_starter

_LONGEST = 130  # characters: twice as many as in the longest of the forms in the tests
_CAPITAL = r"[^\W\d_a-z]"
# Most sentences fail here, so the rest is seldom tried: capitals, a bracket, or names up to a comma or bracket.
_START = re.compile(
    rf"[(\[]|[Bb][Yy]\s|{_CAPITAL}[.’'`]?{_CAPITAL}"
    rf"|{_CAPITAL}[\w.’'-]{{0,24}}+(?:[\s/](?:[^\W_a-z][\w.’'-]{{0,24}}+|[a-z]{{1,4}}+(?=\s))){{0,5}}+\s?[,(\[/]"
)
# A set of characters first, so that the search is quick.
_END = re.compile(
    r"[–—―_|:)\]/-](?:"
    r"(?:(?<=[–—―])|(?<=[\s.)\]/][-_]))-?\s*|(?<=-)-\s*"  # PARIS – The …; (AP) _ The …; (EFE).- El …; PARIS--The …
    r"|(?<=/)\.\s+|(?<=[|:])\s+"  # /TASS/. The …; NEW DELHI: The …
    rf"|(?<=[)\]])\s*(?={_CAPITAL}|[“\"]))"  # Washington (CNN) The …
)
_AGENCY = re.compile(r"[(\[]([^()\[\]\d]{2,40})[)\]]|(?<![^\s,.])/([^/\d]{2,30})/")
_AGENCIES = frozenset(
    "Reuters Xinhua Bloomberg Interfax Kyodo Yonhap Lusa Ansa Efe Adnkronos Belga Tanjug Bernama Antara Anadolu Ritzau "
    "Sputnik Press Presse News dpa".split()
)
_DATE = re.compile(
    r"(?:[^\W\d_]{1,10}\.?\s){0,3}\d{1,4}(?:st|nd|rd|th|er|[º°.])?(?:[./-]\d{1,2}[./-]\d{1,4})?"
    r"(?:\s[^\W\d_]{1,10}\.?){0,3}(?:\s\d{4})?\.?"
)
_NUMBERS = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4}")
_MONTHS = tuple(
    "jan feb fév fev mar mär apr avr abr may mai mag maj mei jun jui giu jul lug aug aoû ago sep set oct okt ott out "
    "nov dec déc dic dez gen ene янв фев мар апр мая июн июл авг сен окт ноя дек".split()
)
_SMALL = frozenset(
    "of the and de del der den la le les el al an am sur upon on in under dos das do da di y et und".split()
)


def without_dateline(text: str) -> str:
    """A sentence without the dateline, byline or agency that it opens with.

    What only looks like a dateline stays: "The council – which met – voted", "Ruth Holm, 43 – she voted – left".

    >>> without_dateline("LAKE HARBOR, Northern Province, Jan. 11 (Reuters) - The council voted.")
    'The council voted.'
    """
    end = dateline_end(text)
    return text[end:] if end else text


def dateline_end(text: str, begin: int = 0) -> int:
    """Where the text goes on after the dateline at `begin`; `begin` itself where there is none."""
    for _ in range(3):  # "By Ruth Holm – PARIS (AP) — The …", "(ANSA) - ROMA, 03 MAR - Il …"
        if not _START.match(text, begin) or not (end := _part_end(text, begin)):
            break
        begin = end
    return begin


def _part_end(text: str, begin: int) -> int:
    """Where one part ends (a place with its date and agency, or a byline); 0 where none begins at `begin`."""
    for mark in _END.finditer(text, begin + 2, begin + _LONGEST):
        after, sign = mark.end(), mark[0][0]
        if after < len(text) and not text[after].islower() and not text[after].isspace():
            head = text[begin : mark.start() + (sign in ")]/")]
            if _is_dateline(head, text[after : after + 40], separated=sign not in ")]"):
                return after
    return 0


def _is_dateline(head: str, rest: str, *, separated: bool) -> bool:
    """Whether `head` is a dateline before `rest`; `separated` says whether a dash or a colon stands between them."""
    agencies = ["".join(found) for found in _AGENCY.findall(head)]
    known = any(agency.isupper() or not _AGENCIES.isdisjoint(re.split(r"[\s/-]", agency)) for agency in agencies)
    if not (known or separated):
        return False
    parts = [" ".join(part.split()).strip(" .") for part in _AGENCY.sub(",", head).split(",")]
    parts = [part for part in parts if part]
    if not all(map(_is_part, parts)) or len(parts) > 5:
        return False
    if known or not parts:
        return known
    place = parts[0]
    words = [word for word in place.split() if word not in _SMALL]
    if words[:1] in (["By"], ["BY"]):
        return len(words) > 2 and CALENDAR.isdisjoint(words)
    if any(character.isdigit() for character in place):
        return False
    if "".join(words).isupper():
        return len(words[0]) > 1 and len(head) < 60 and any(character.islower() for character in rest)
    return not is_starter(place, 0) and any(map(_is_dated, parts[1:]))


def _is_part(part: str) -> bool:
    """Whether a part between commas names a place or a date, or whose report it is."""
    words = part.split()
    if len(words) > 6:
        return False
    if any(map(str.isdigit, part)):
        return _DATE.fullmatch(part) is not None
    return words[0] not in _SMALL and all(word[0].isupper() or word in _SMALL for word in words)


def _is_dated(part: str) -> bool:
    """Whether a part is certainly a date, not an age: "Jan. 11", "3 mars 2031", "11/01/2031"."""
    if not any(map(str.isdigit, part)):
        return part in CALENDAR
    words = [word.strip(".") for word in part.split() if word[0].isalpha() and word not in _SMALL]
    if not words:
        return _NUMBERS.fullmatch(part) is not None
    return all(word in CALENDAR or word.lower().startswith(_MONTHS) for word in words)
