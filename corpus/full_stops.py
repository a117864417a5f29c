"""Whether a full stop ends its sentence, or an abbreviation only: what stands before it and after it decides."""

from __future__ import annotations

import re

from corpus.words import (
    ABBREVIATIONS,
    CALENDAR,
    CONTINUES,
    FINITE,
    LABELS,
    LEADING,
    NUMBERED,
    OPENING,
    PREPOSITIONS,
    QUOTES,
    STARTERS,
    STATES,
    SUFFIXES,
    TITLES,
)

_WORD = re.compile(r"[^\W\d_]{1,24}+")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.){1,6}[^\W\d_]{1,2}")
_NO_VOWELS = re.compile(r"[B-DF-HJ-NP-TV-XZ][b-df-hj-np-tv-xz]{1,4}")
_ITEM = re.compile(r"\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4}|[IVX]{1,4})")
_ROMAN = re.compile(r"[IVX]{2,}\b")
_CLOCK = re.compile(r"\w{1,24} time\b")
_NICKNAME = re.compile(r"[“‘\"'][^\s“”\"]{1,20}[”’\"'](?=\s)")
_SUBJECT = re.compile(r"([^\W\d_][\w’'-]{0,24})\s(?:also\s)?([a-z]{2,24})\b")


def ends_sentence(text: str, left: int, at: int, begin: int, opened: str, closed: str) -> bool:
    """Whether the single full stop at `at` ends its sentence, not an abbreviation only."""
    if not text[at - 1].isalnum():
        return not text[at - 2 : at].startswith(".") or is_starter(text, begin)
    token = last_word(text, left, at)
    before = text[max(left, at - len(token) - 40) : at - len(token)]
    numeral = len(token) < 3 and token.isdecimal()
    if (numeral and before[-2:-1] in (":", ";")) or (at - left < 6 and _ITEM.fullmatch(text, left, at)):
        return False
    follows, word = text[begin], first_word(text, begin)
    if token.isupper() and len(token) > 1 and (word.isupper() or not word):
        token = token.capitalize() if token.capitalize() in ABBREVIATIONS else token
    if not is_abbreviation(token):
        return True
    if token in TITLES or token.lower() in ("i.e", "e.g"):
        return False
    if token in NUMBERED:
        return follows.isalpha() and word not in CALENDAR and not _ROMAN.match(text, begin)
    if not follows.isalpha() or "(" in opened:
        return False
    if token.lower() in ("a.m", "p.m"):
        return word not in CALENDAR and not _CLOCK.match(text, begin)
    if token in STATES and not before.endswith("-"):
        return not before.endswith(", ") or (not closed and word not in CONTINUES)
    words = before.split()
    if len(token) == 1 and words and _is_label(token, words[-1]):
        return True
    if len(token) > 1 and token not in LEADING:
        if not QUOTES.isdisjoint(opened):
            return follows.isupper() and not _NICKNAME.match(text, begin - len(opened))
        if not QUOTES.isdisjoint(closed) or _is_subject(text, begin, token, words):
            return True
    return is_starter(text, begin)


def is_abbreviation(token: str) -> bool:
    """Whether a word before a full stop may be an abbreviation, an acronym or an initial."""
    if token in ABBREVIATIONS or (len(token) == 1 and token.isalpha()):
        return True
    return bool(_DOTTED.fullmatch(token) or _NO_VOWELS.fullmatch(token))


def _is_label(letter: str, previous: str) -> bool:
    """Whether a lone capital after the word `previous` is no initial: "plan B", "World War I", "posted on X"."""
    if letter == "I":
        return previous.islower() or previous == "War"
    if letter == "X" and previous in ("on", "to", "from", "via", "network"):
        return True
    return previous.lower() in LABELS


def _is_subject(text: str, begin: int, token: str, words: list[str]) -> bool:
    """Whether the word at `begin` is the subject of a new sentence: "in the U.S. Scientists have …"."""
    placed = words[-1:] == ["the"] and words[-2:-1] != [] and words[-2] in PREPOSITIONS
    if token not in SUFFIXES and not placed and not "".join(words[-1:]).endswith(","):
        return False
    subject = _SUBJECT.match(text, begin)
    if subject is None or subject[1] in CONTINUES or subject[1] in CALENDAR:
        return False
    return subject[2] in FINITE or subject[2].endswith("ed")


def last_word(text: str, left: int, at: int) -> str:
    """The word that ends at `at`, without what opens it or is hyphened to it."""
    words = text[max(left, at - 24) : at].split()
    token = words[-1].lstrip(OPENING) if words else ""
    for sign in "-–—/":
        if sign in token:
            token = token.rpartition(sign)[2]
    return token


def first_word(text: str, begin: int) -> str:
    """The letters that stand at `begin`, none where it isn't a letter."""
    word = _WORD.match(text, begin)
    return word[0] if word else ""


def is_starter(text: str, begin: int) -> bool:
    """Whether the word at `begin` is capitalised only because a sentence starts there."""
    word = first_word(text, begin)
    return word in STARTERS or (word.isupper() and word.capitalize() in STARTERS)
