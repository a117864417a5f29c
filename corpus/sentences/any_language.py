"""Decide where sentences end in languages other than English: rules for scripts, and tables for languages.

A mark that ends nothing but sentences (`。`, `।`, `؟`) ends one, except where an attribution follows a quotation. A
question or exclamation mark ends one unless a word in lower case follows. A full stop does so too, unless it belongs to
an abbreviation, an initial or an ordinal number of the language (see `languages`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from corpus import words
from corpus.sentences.english_words import OPENING, QUOTES
from corpus.sentences.languages import Language
from corpus.sentences.line_ends import CLOSING, STOPS, STOPS_OF_ONE_MEANING
from corpus.sentences.tokens import last_word

_CERTAIN = frozenset(STOPS_OF_ONE_MEANING)
_WIDE = frozenset("。！？．｡!?")
_CLOSERS = re.escape(CLOSING)
STOP = re.compile(
    rf"""
    ([{STOPS}](?<![{STOPS}]{{2}})[{STOPS}]*+)  # a run of stops,
    ((?:[”’"'»›)\]}}*†‡⁰¹²³⁴-⁹」』】）〕》〉］]            # what closes with it,
      | [“„‘«‹](?![^\s”’"'»›)\]])
      | \[\w{{1,3}}\]
      | [ \u00a0\u2009\u200a\u202f][”’»](?!\w))*+)
    (?: (\s++)                                          # then a gap, or none
      | (?<=[。！？．｡।॥؟۔][{_CLOSERS}])(?=\S) | (?<=[。！？．｡।॥؟۔])(?=\S)
      | (?=[¿¡“‘"'«(\[„「『（]?[^\W\d_])
    )
    """,
    re.VERBOSE,
)
_START = re.compile(r"[“‘\"'«‹„‚(\[*_”’»›「『（《〈【¿¡]*+(?:(?:\.\.\.|…)[)\]]?\s*+)?")
_DASH = re.compile(r"[-–—―]{1,3}\s*+(?=\w)")
_ROMAN = re.compile(r"[IVXLC]{1,7}")
_LETTERS = rf"[^\W\d_](?:[^\W\d_]|[{words.MARKS}]){{0,3}}"
_DOTTED = re.compile(rf"(?:{_LETTERS}\.){{1,6}}{_LETTERS}")
_PARTICLES = tuple("と は が を に で も の な や へ て、 し、 っ と、 か ね よ だ じ みたい くらい ぐらい".split())
"""What follows a quotation in Japanese if the sentence goes on: `「…。」と述べた`."""
_GOES_ON = re.compile(
    r"と(?:[々\u30a0-\u30ff\u4e00-\u9fff]|い[うっわ]|か(?!く)|の)|って|なんて|など|みたい|[くぐ]らい|を"
)
"""What follows a question in Japanese that its sentence quotes without marks: `行くのか？と尋ねた`."""
_COMMAS = "，、,،؛;：:」』）)]】／"
_UNSPACED = re.compile(f"[{words.UNSPACED}]")
_HIRAGANA = re.compile("[\u3041-\u309f]")
_SPEECH = "说|說|道|称|稱|表示|指出|认为|認為|写道|寫道|问|問|答|喊|强调|強調|补充|補充|解释|解釋"
_SAID = re.compile(rf"(?![没沒不无無])[^。！？，\s]{{0,30}}?(?:{_SPEECH})[。，,：:]")
"""An attribution after a Chinese quotation: a name and a verb of speech, at the end of a clause."""


def decider(rules: Language) -> Callable[[str, int, re.Match[str], int, int], bool]:
    """The function that decides, by the rules of a language, whether a sentence ends at a stop with a gap after it.

    Its arguments are the text, where the sentence starts, the marks as STOP matches them, where the next sentence
    would start, and where the paragraph ends.
    """
    listed, ordinals = rules.never | rules.after, rules.ordinals

    def ends(text: str, left: int, stop: re.Match[str], after: int, end: int) -> bool:
        if after >= end:
            return False
        at, first = stop.start(), text[after]
        if first.isalpha() and stop[1] == "." and not stop[2] and not first.islower():  # decided quickly, as most are
            head = text[at - 24 : at] if at - left > 24 else text[left:at]
            token = head[head.rfind(" ") + 1 :]
            if (
                len(token) > 1
                and token.isalpha()
                and not (ordinals and token.isupper())
                and token.lower() not in listed
            ):
                return True
            return ends_full_stop(text, left, at, after, rules)
        return _ends(text, left, stop, after, end, rules)

    return ends


def _ends(text: str, left: int, stop: re.Match[str], after: int, end: int, rules: Language) -> bool:
    """Whether a sentence ends at a stop with a gap after it, whatever marks stand there."""
    at, mark, closed = stop.start(), stop[1], stop[2]
    first, begin, opened, dash = text[after], after, "", None
    if mark[-1] in _CERTAIN:
        return _ends_certainly(text, stop, after, end)
    if not first.isalnum():
        dash = _DASH.match(text, after, end)
        start = _START.match(text, after, end)
        begin = dash.end() if dash else start.end() if start else after
        if begin >= end or (begin == after and first in ",;:.!?…)]}%&،؛"):
            return False
        opened, first = text[after:begin], text[begin]
    elif mark == "." and not closed and not first.islower():  # the common case
        return ends_full_stop(text, left, at, begin, rules)
    quoting, quoted = not QUOTES.isdisjoint(opened), not QUOTES.isdisjoint(closed)
    if first.islower():
        if "¿" in opened or "¡" in opened:
            return True
        return mark != "." and quoting and quoted and not dash
    if mark == ".":
        return ends_full_stop(text, left, at, begin, rules)
    if mark[0] in "!?" or quoted or quoting:
        return True
    return not text[at - 1].isspace() or first.isupper()


def _ends_certainly(text: str, stop: re.Match[str], after: int, end: int) -> bool:
    """Whether a mark that only ends sentences ends this one: not inside a quotation that an attribution follows."""
    mark, closed = stop[1], stop[2]
    if text[after] in _COMMAS:
        return False
    if not closed:
        if mark == "．":
            return not _is_point(text, stop.start(), after)
        return mark[-1] not in "！？!?" or not _GOES_ON.match(text, after, end)
    if mark[-1] not in _WIDE:
        return True
    if closed[-1] in "」』":
        return not text.startswith(_PARTICLES, after)
    if closed[-1] in "）)":
        aside = text[stop.start() - 1] in "（(" or (mark[-1] in "！？!?" and text[after] in "はがをにでのもと")
        return not aside and text[after] not in "。、，"
    said = _SAID.match(text, after, end) if closed[-1] in '”"’' else None
    return said is None


def _is_point(text: str, at: int, after: int) -> bool:
    """Whether a wide full stop belongs to a number, an address or an abbreviation: `３．５`, `率．３`, `Ｇ．Ｗ．`."""
    before, first = text[at - 1 : at], text[after]
    if not before.isalnum() or _UNSPACED.match(before):
        return first.isdigit() and not _HIRAGANA.match(before)
    initial = before.isalpha() and not text[at - 2 : at - 1].isalpha()
    return initial or (first.isalnum() and not _UNSPACED.match(first))


def ends_full_stop(text: str, left: int, at: int, begin: int, rules: Language) -> bool:
    """Whether a single full stop ends its sentence, and not only an abbreviation, an initial or an ordinal number.

    Args:
        text: the text.
        left: where the sentence starts.
        at: where its full stop stands.
        begin: where the next word starts.
        rules: what is known about the language.
    """
    if not (text[at - 1].isalnum() or unicodedata.category(text[at - 1])[0] == "M"):
        return not (text[at - 1].isspace() and text[at - 2] == ".")
    token = last_word(text, left, at)
    low, start, digit = token.lower(), at - len(token), text[begin].isdigit()
    if len(token) > 1 and token.isalpha() and not digit and low not in rules.never and low not in rules.after:
        return not (rules.ordinals and token.isupper() and _ROMAN.fullmatch(token) and text[begin].isupper())
    if token.isdecimal():
        return not (len(token) < 3 and _is_ordinal(text, left, start, begin, rules))
    counted = text[max(left, start - 24) : start].rstrip()[-1:].isdigit()
    if low in rules.after:
        return counted and not digit
    if low in rules.never or (digit and low in rules.numbers):
        return False
    if len(token) == 1 and token.isupper():  # an initial, unless it is a unit: "2 C.", "below 2° C."
        return counted or any(sign in text[max(left, start - 2) : start] for sign in "°º˚")
    if len(token) == 1 and token.isalpha():  # "d. h." is one abbreviation
        return not digit and text[max(left, start - 2) : start][:1] != "."
    return not (_DOTTED.fullmatch(token) or (rules.ordinals and _ROMAN.fullmatch(token) and text[begin].isupper()))


def _is_ordinal(text: str, left: int, start: int, begin: int, rules: Language) -> bool:
    """Whether a number of one or two digits before a full stop is an ordinal number."""
    if start <= left:
        return True  # the number of an item
    if not rules.ordinals:
        return False
    word = text[begin : begin + 12].lower()
    if rules.months and word.startswith(rules.months):
        return True
    words = text[max(left, start - 24) : start].split()
    return bool(words) and words[-1].strip(OPENING).lower().rstrip(",") in rules.before


def ends_glued(text: str, left: int, stop: re.Match[str], after: int) -> bool:
    """Whether a stop without a space after it ends a sentence: 一。二, "am Ende.Der"."""
    at, mark = stop.start(), stop[1][-1]
    if mark in _CERTAIN:
        return _ends_certainly(text, stop, after, len(text))
    word = text[after : after + 12].lstrip(f"{OPENING}¿¡「『（")
    if mark in "!?" and _UNSPACED.match(text, at - 1) and _UNSPACED.match(word):
        return _ends_certainly(text, stop, after, len(text))
    head = text[max(left, at - 3) : at]
    if stop[1] == "." and not stop[2]:
        return len(head) == 3 and head.isalpha() and head.islower() and word[:1].isupper() and word[1:3].islower()
    if stop[1] == ".":
        return word[:1].isupper() and word[1:2].islower()
    near = text[max(left, at - 8) : after + 8]
    return word[:1].isupper() and word[1:2].islower() and not any(sign in near for sign in "/=&@")
