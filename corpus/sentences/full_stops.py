"""Decide whether a full stop ends a sentence or only an abbreviation."""

from __future__ import annotations

import re

from corpus.sentences import acronyms
from corpus.sentences.datelines import dateline_end
from corpus.sentences.english_words import (
    ABBREVIATIONS,
    BULLETS,
    CALENDAR,
    CITING,
    CONTINUES,
    LABELS,
    LEADING,
    NUMBERED,
    PREPOSITIONS,
    QUOTES,
    REACH,
    SPEECH,
    STATES,
    TITLES,
    UNITS,
)
from corpus.sentences.tokens import first_word, is_starter, last_word

_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.){1,6}[^\W\d_]{1,2}")
_NO_VOWELS = re.compile(r"[B-DF-HJ-NP-TV-XZ][b-df-hj-np-tv-xz]{1,4}")
_BULLET = rf"[§№{re.escape(BULLETS)}]{{1,6}}+\s*+"
_ITEM = re.compile(
    rf"{_BULLET}\d{{3}}|(?:{_BULLET})?[(\[]?(?:\d{{1,2}}(?:\.\d{{1,2}}){{0,3}}|[a-zA-Z]|[ivx]{{1,4}}|[IVX]{{1,4}})"
    r"|(?:Chapter|Section|Article|Appendix|Part|Step|Rule|Lesson|Item|Point)\s(?:\d{1,2}(?:\.\d{1,2})?|[IVX]{1,4}|[A-Z])"
)
_INNER_ITEM = re.compile(r"(?<=\S)\s++([•⁃▪●‣◦]\s?\d{1,3})\Z")  # bullets that have no other use
_ROMAN = re.compile(r"[IVX]{2,}\b")
_NICKNAME = re.compile(r"[“‘\"'][^\s“”\"]{1,20}[”’\"'](?=\s)")
_FOUR_DOTS = re.compile(r"(?:[.!?][”’\"')]?|\s\.)(?:\s\.){2}\s\Z")  # four with the full stop that follows
_AMOUNT = re.compile(r"[$€£¥]?\d")
_LAST_NUMBER = re.compile(r"[$€£¥]?\d[\d.,]*+(?:\s?[%\w]{1,8})?[)\]]")
_CITED = re.compile(r"\d|[A-Z](?:\.\d+)?[)\]]|[IVX]+[)\]]")
_BEFORE_NAMES = PREPOSITIONS - {"than"}


def ends_sentence(text: str, left: int, at: int, begin: int, opened: str, closed: str) -> bool:
    """Whether a full stop ends its sentence, and not just an abbreviation, an initial or the number of an item.

    Args:
        text: the text.
        left: where the sentence starts.
        at: where its full stop stands, which is not part of an ellipsis.
        begin: where the next word starts.
        opened: the marks before that word.
        closed: the marks after the full stop.
    """
    if not text[at - 1].isalnum():
        if text[at - 2 : at] in ("N°", "n°"):
            return not text[begin].isdigit()
        if text[at - 1] == "/" and at - left < REACH and dateline_end(text, left) == begin:
            return False  # "MOSCOW, January 3. /TASS/. The council …"
        apart = text[at - 2] == "." and text[at - 1].isspace() and not _FOUR_DOTS.search(text, max(left, at - 9), at)
        return not apart or is_starter(text, begin)
    token = last_word(text, left, at)
    start = at - len(token)
    plain = len(token) > 3 and token.isalpha() and token not in ABBREVIATIONS and (token.islower() or len(token) > 6)
    if plain and start - left > 1 and text[start - 1] not in "([" and text[begin].isalpha() and not token.isupper():
        return True  # checked first because it is the common case
    before = text[max(left, start - 40) : start]
    numeral = len(token) < 3 and token.isdecimal()
    if (numeral and before[-2:-1] in (":", ";")) or is_item(text, left, at) or inner_item(text, left, at):
        return False
    if token in UNITS and before[-2:-1].isdigit() and text[begin].isdigit():
        return False  # "5 ft. 3 in. 2 lb."
    follows, word = text[begin], first_word(text, begin)
    if token.isupper() and len(token) > 1 and before == before.upper() and (word.isupper() or not word):
        token = token.capitalize() if token.capitalize() in ABBREVIATIONS else token
    if (
        not opened
        and (before[-1:] in ("(", "[") or not follows.isalpha())
        and _is_within_bracket(text, before, token, begin)
    ):
        return False
    if not is_abbreviation(token):
        return True
    loud = before.isupper() and (word.isupper() or not word)
    if token in TITLES or token.lower() in ("i.e", "e.g"):
        return False
    if ("(" in opened or "[" in opened) and token in CITING:
        return not _CITED.match(text, begin)
    if token in NUMBERED:
        calendar = word in CALENDAR or (loud and word.capitalize() in CALENDAR)
        return follows.isalpha() and not calendar and not _ROMAN.match(text, begin)
    if follows.isdigit() and not opened and token.lower() in ("a.m", "p.m"):
        return acronyms.ends(text, left, start, token, begin, loud=False) is True
    if not follows.isalpha() or "(" in opened:
        return False
    words = before.split()
    if len(token) == 1 and words and _is_label(token, words):
        return True
    if (len(token) == 1 or token in LEADING) and not opened and follows.isupper() and text.startswith(".", begin + 1):
        return False  # another initial
    token, start = acronyms.joined(text, left, start, token)
    known = acronyms.ends(text, left, start, token, begin, loud=loud)
    if known is not None:
        return known
    before = text[max(left, start - 40) : start]
    if token in STATES and not before.endswith("-"):
        return not before.endswith(", ") or (not closed and word not in CONTINUES)
    words = before.split()
    if len(token) > 1 and token not in LEADING:
        if not QUOTES.isdisjoint(opened):
            return follows.isupper() and not _NICKNAME.match(text, begin - len(opened))
        if not QUOTES.isdisjoint(closed) or acronyms.is_subject(text, begin, token, words):
            return True
    return is_starter(text, begin, loud=loud)


def _is_within_bracket(text: str, before: str, token: str, begin: int) -> bool:
    """Whether the full stop is inside a bracket that goes on: "(Orig. $999)", "(2031 pop. 50)", "(ed. Ruth Holm)"."""
    opening = max(before.rfind("("), before.rfind("["))
    if opening < 0 or max(before.rfind(")"), before.rfind("]")) > opening:
        return False
    if opening + 1 < len(before):
        return _LAST_NUMBER.match(text, begin) is not None
    return bool(_AMOUNT.match(text, begin)) or (token.islower() and len(token) < 6 and not is_starter(text, begin))


def is_item(text: str, left: int, at: int) -> bool:
    """Whether only the number of an item stands before `at`, maybe after its bullet or a word for the item."""
    return at - left < 16 and _ITEM.fullmatch(text, left, at) is not None


def inner_item(text: str, left: int, at: int) -> re.Match[str] | None:
    """The bullet and number before `at` of an item of a list within a line, if any: the item starts with group 1."""
    return _INNER_ITEM.search(text, max(left, at - 9), at) if text[at - 1].isdigit() else None


def is_abbreviation(token: str) -> bool:
    """Whether a word before a full stop may be an abbreviation, an acronym or an initial."""
    if token in ABBREVIATIONS or (len(token) == 1 and token.isalpha()):
        return True
    return bool(_DOTTED.fullmatch(token) or _NO_VOWELS.fullmatch(token))


def _is_label(letter: str, words: list[str]) -> bool:
    """Whether a lone capital after these words is not an initial: "plan B", "World War I", "so do I", "posted on X"."""
    previous = words[-1]
    if letter == "I":
        if previous == "and":  # "he and I", but "C. A. Moss and I. Berg"
            return not (len(words) > 2 and len(words[-3]) == 2 and words[-3][1] == ".")
        return previous == "War" or (previous.islower() and previous not in SPEECH and previous not in _BEFORE_NAMES)
    if letter == "X" and previous in ("on", "to", "from", "via", "network"):
        return True
    return previous.lower() in LABELS
