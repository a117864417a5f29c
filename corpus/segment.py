"""Prose to sentence spans: a rule splitter for English news.

Convention: a sentence inside a quotation is its own sentence; an attribution (`…," he said.`) belongs to
the sentence it follows, also over a line break; a bracketed whole sentence is its own; a colon before a
quotation ends nothing; a dateline that runs into the text stays in its sentence.

Rules of our own, because they measured best (docs/benchmarks.md): on UD PUD news F1 99.7 at 45 Mchar/s, nupunkt 99.3
at 15 to 19 in the same run. sentence-splitter makes one error less there, at 1.5 Mchar/s, and was last released in
2019; sentencex is twice as fast, with twice the errors.

One regular expression finds every place where a sentence might end, and rules then say whether it does.
Possessive quantifiers keep the expression linear on any input, and every look back or ahead from a place
is bounded, so the whole is linear too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from corpus import wrapping
from corpus.words import (
    ABBREVIATIONS,
    ADDRESSING,
    ADVERBIAL,
    CALENDAR,
    CONTINUES,
    FINITE,
    LABELS,
    LEADING,
    NUMBERED,
    PARTICLES,
    PREPOSITIONS,
    QUESTION,
    SHOUTING,
    SPEECH,
    STARTERS,
    STATEMENT,
    STATES,
    SUFFIXES,
    TITLES,
)

_WRAPPED = range(50, 101)  # widths that mail and plain text are wrapped at
_REACH = 160  # characters that a rule may look back or ahead: longer than any attribution seen
_OPENING = "“‘\"'«‹„([*_"
_QUOTES = frozenset("“”‘’\"'«»‹›")
_STOP = re.compile(
    r"""
    ([.!?…](?<![.!?…]{2})[.!?…]*+)              # a run of stops, not from its middle,
    ((?:[”’"'»›)\]}*†‡⁰¹²³⁴-⁹]                  # what closes with it: quotes, brackets, footnote marks
      | \[\w{1,3}\]
      | [ \u00a0\u2009\u200a\u202f][”’»](?!\w)  # (nested quotes may be set apart)
      | (?<=[a-z”"][.”"])\d{1,2}(?=\s[“"A-Z]))*+)
    (?: (\s++)                                  # then a gap,
      | (?=[“‘"'«(\[]?[A-ZÀ-ÖØ-Þ])              # or, by mistake, none
    )
    """,
    re.VERBOSE,
)
_DETACHED = re.compile(r"([”»\"]|\[\d{1,3}\])\s++")
_START = re.compile(r"[“‘\"'«‹„(\[*_”’»]*+(?:(?:\.\.\.|…)\s?)?")
_DASH = re.compile(r"[-–—]{1,3}\s*+(?=\w)")
_WORD = re.compile(r"[^\W\d_]{1,24}+")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.){1,6}[^\W\d_]{1,2}")
_NO_VOWELS = re.compile(r"[B-DF-HJ-NP-TV-XZ][b-df-hj-np-tv-xz]{1,4}")
_ITEM = re.compile(r"\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4}|[IVX]{1,4})")
_ROMAN = re.compile(r"[IVX]{2,}\b")
_CLOCK = re.compile(r"\w{1,24} time\b")
_NICKNAME = re.compile(r"[“‘\"'][^\s“”\"]{1,20}[”’\"'](?=\s)")
_LOWER_START = re.compile(
    r"[a-z]{1,2}[A-Z]|(?:[a-z]|[ivx]{1,4})\)\s"  # eBay; a) …
    r"|(?:al|el|de|di|da|du|la|le|von|van|bin|ibn|d|l)[-’' ](?:der )?[A-Z]"
)
_SPOKEN = re.compile(rf"(?:(?:he|she|they|it|we|I) )?(?:{'|'.join(sorted(SPEECH))})\b")
_SUBJECT = re.compile(r"([^\W\d_][\w’'-]{0,24})\s(?:also\s)?([a-z]{2,24})\b")
_DOMAIN = re.compile(r"(?i:com|org|net|gov|edu|info|co|io|tv|html?|js|pdf)\b")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text are.

    Each paragraph is cut alone: a line, or the lines of wrapped text. Then a sentence is joined over a line
    break where an attribution follows a quotation that ends in a comma (also over a blank line), where the
    next line goes on in lower case, or where a line of the width of wrapped text has no final punctuation.

    Args:
        text: English prose, a paragraph a line or wrapped to a width; blank lines between them are allowed.

    Returns:
        `[start, end)` in code points, in order, without white space at either end; every character that
        is not white space is in exactly one of them.

    >>> text = '"We go. Nobody else will," said Lt. Gov. J. R. Holm. Then he left.'
    >>> [text[start:end] for start, end in sentence_spans(text)]
    ['"We go.', 'Nobody else will," said Lt. Gov. J. R. Holm.', 'Then he left.']
    """
    return paragraph_spans(text, wrapping.paragraphs(text, wrapping.places(text)))


def paragraph_spans(text: str, paragraphs: Iterable[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Where the sentences of paragraphs are, as `sentence_spans` gives them.

    Args:
        text: the text that they stand in.
        paragraphs: where the lines of each are, without the white space around them.
    """
    spans: list[tuple[int, int]] = []
    width = 0  # of the line before
    for lines in paragraphs:
        start, end = lines[0][0], lines[-1][1]
        cut = _cut(text, start, end) if len(lines) == 1 else _cut_wrapped(text, lines)
        if spans and _runs_on(text, spans[-1], cut[0], end, wrapped=width in _WRAPPED):
            cut[0] = (spans.pop()[0], cut[0][1])
        spans += cut
        width = end - lines[-1][0]
    return spans


def _cut_wrapped(text: str, lines: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The sentences of a wrapped paragraph, cut as if it were one line."""
    joined = " ".join(text[start:end] for start, end in lines)
    heads = [0, *accumulate(end - start + 1 for start, end in lines[:-1])]  # where each line starts in it

    def place(at: int) -> int:
        line = bisect_right(heads, at) - 1
        return lines[line][0] + at - heads[line]

    return [(place(start), place(end - 1) + 1) for start, end in _cut(joined, 0, len(joined))]


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentences of one line."""
    spans = []
    left = counted = start
    straight = 0  # quotes up to `counted`: an odd one opens, an even one closes
    for stop in _STOP.finditer(text, start, end):
        right, after = stop.end(2), stop.end()
        if stop[3] is None:
            if stop[2] == '"':
                straight += text.count('"', counted, right)
                counted = right
                if straight % 2:
                    right = after = right - 1
            ends = _ends_glued(text, left, stop, after)
        else:
            while detached := _DETACHED.match(text, after, end):
                if detached[1] == '"':
                    straight += text.count('"', counted, detached.end(1))
                    counted = detached.end(1)
                    if straight % 2:
                        break
                right, after = detached.end(1), detached.end()
            ends = _ends(text, left, stop, after, end)
        if ends:
            spans.append((left, right))
            left = after
    spans.append((left, end))
    return spans


def _ends(text: str, left: int, stop: re.Match[str], after: int, end: int) -> bool:
    """Whether the sentence from `left` ends at `stop`, where the next one would start at `after`."""
    at, mark, closed = stop.start(), stop[1], stop[2]
    first, begin, opened = text[after], after, ""
    if first.isupper() and mark == "." and not closed:
        word = text[at - 6 : at] if at - 6 >= left else ""
        if word.isalpha() and word.islower():  # the common case: no abbreviation is so long
            return True
    elif not first.isalnum():
        if dash := _DASH.match(text, after, end):
            return _ends_before_dash(text, left, stop, dash.end(), end)
        start = _START.match(text, after, end)
        begin = start.end() if start else after
        if begin == end or (begin == after and first in ",;:.!?…)]}%"):
            return False
        first, opened = text[begin], text[after:begin]
    quoting, quoted = not _QUOTES.isdisjoint(opened), not _QUOTES.isdisjoint(closed)
    if first.islower() and not _LOWER_START.match(text, begin, end):
        if mark == "." and (quoting or "(" in opened):
            return not _SPOKEN.match(text, begin, end) and _full_stop(text, left, at, begin, opened, closed)
        return mark != "." and quoting and quoted
    if quoted and not quoting and _attributes(text, begin, end, strict=mark == "."):
        return False
    if mark == ".":
        return _full_stop(text, left, at, begin, opened, closed)
    if closed.endswith((")", "]")) and _is_inside(text, left, at):
        return _starts(text, begin)
    if "!" in mark or "?" in mark:
        return _starts(text, begin) or _token(text, left, at) not in SHOUTING
    spaced = text[at - 1].isspace()
    if text.startswith(("I ", "I’", "I'"), begin) and not quoting:
        return not spaced and len(text[max(left, at - 40) : at].split()) > 3
    return not spaced or quoting or quoted or _starts(text, begin)


def _ends_before_dash(text: str, left: int, stop: re.Match[str], begin: int, end: int) -> bool:
    """Whether a sentence ends at a stop with a dash after it: not before `- said Holm` or `— Jo Holm, voter`."""
    if text[begin].islower() or _attributes(text, begin, end, strict=False):
        return False
    if not _QUOTES.isdisjoint(stop[2]) and end - begin < _REACH // 2 and not _starts(text, begin):
        return any(mark in text[begin : end - 1] for mark in ".!?…")
    return stop[1] != "." or not _is_abbreviation(_token(text, left, stop.start()))


def _full_stop(text: str, left: int, at: int, begin: int, opened: str, closed: str) -> bool:
    """Whether the single full stop at `at` ends its sentence, not an abbreviation only."""
    if not text[at - 1].isalnum():
        return not text[at - 2 : at].startswith(".") or _starts(text, begin)
    token = _token(text, left, at)
    before = text[max(left, at - len(token) - 40) : at - len(token)]
    numeral = len(token) < 3 and token.isdecimal()
    if (numeral and before[-2:-1] in (":", ";")) or (at - left < 6 and _ITEM.fullmatch(text, left, at)):
        return False
    follows, word = text[begin], _word(text, begin)
    if token.isupper() and len(token) > 1 and (word.isupper() or not word):
        token = token.capitalize() if token.capitalize() in ABBREVIATIONS else token
    if not _is_abbreviation(token):
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
        if not _QUOTES.isdisjoint(opened):
            return follows.isupper() and not _NICKNAME.match(text, begin - len(opened))
        if not _QUOTES.isdisjoint(closed) or _is_subject(text, begin, token, words):
            return True
    return _starts(text, begin)


def _is_abbreviation(token: str) -> bool:
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


def _ends_glued(text: str, left: int, stop: re.Match[str], after: int) -> bool:
    """Whether a stop without a space after it ends a sentence: "at the end.The next"."""
    at = stop.start()
    chunk = "".join(text[max(left, at - 24) : at].split()[-1:]) + "".join(text[at : after + 24].split()[:1])
    word = text[after : after + 8].lstrip(_OPENING)
    if at < left + 2 or not (word[1:2].islower() or word[1:2] in (" ", "’", "'")) or _DOMAIN.match(word):
        return False
    if any(sign in chunk for sign in "@_=&#/") or "www." in chunk:
        return False
    token = _token(text, left, at)
    if stop[1] == "." and not stop[2] and not (token[-2:].isalpha() and token[-2:].islower()):
        return len(token) > 1 and token.isdecimal() and _starts(text, after)
    return token not in SHOUTING if stop[1] != "." else not _is_abbreviation(token)


def _token(text: str, left: int, at: int) -> str:
    """The word that ends at `at`, without what opens it or is hyphened to it."""
    words = text[max(left, at - 24) : at].split()
    token = words[-1].lstrip(_OPENING) if words else ""
    for sign in "-–—/":
        if sign in token:
            token = token.rpartition(sign)[2]
    return token


def _word(text: str, begin: int) -> str:
    word = _WORD.match(text, begin)
    return word[0] if word else ""


def _starts(text: str, begin: int) -> bool:
    """Whether the word at `begin` is capitalised only because a sentence starts there."""
    word = _word(text, begin)
    return word in STARTERS or (word.isupper() and word.capitalize() in STARTERS)


def _is_inside(text: str, left: int, at: int) -> bool:
    """Whether the bracket that closes after `at` was opened within the sentence, not at its start."""
    back = max(left, at - _REACH)
    opening = max(text.rfind("(", back, at), text.rfind("[", back, at))
    return opening > left and bool(text[back:opening].strip(_OPENING))


def _attributes(text: str, begin: int, end: int, *, strict: bool) -> bool:
    """Whether a name and a verb of speech at `begin` attribute the quotation before them.

    "Holm asked." does, "Holm said he would go." does not. A `strict` answer is for a quotation that a full
    stop ended: only a verb that ends its own clause attributes that.
    """
    spoken = text.startswith("I ", begin)
    if _starts(text, begin) and not spoken:
        return False
    strict = strict or spoken  # "I asked." but not "I asked him to leave."
    tokens = text[begin : min(end, begin + _REACH)].split()
    aside = False
    for place, token in enumerate(tokens[:12]):
        word = token.rstrip(".,;:!?")
        if word in SPEECH and place > 0:
            rest = tokens[place + 1 :]
            if token != word or not rest:
                return token[-1] in ".,;" or not strict
            if strict:
                return False
            if word in ADDRESSING:
                return QUESTION.isdisjoint(rest[:3])
            stops = [place for place, word in enumerate(rest) if word.endswith((".", ";"))]
            return rest[0].rstrip(".,") in ADVERBIAL and STATEMENT.isdisjoint(rest[: min(stops, default=99)])
        if not (aside or word[:1].isupper() or word in PARTICLES):
            return False
        aside ^= token.endswith(",")
    return False


def _runs_on(text: str, before: tuple[int, int], after: tuple[int, int], end: int, *, wrapped: bool) -> bool:
    """Whether a sentence goes on from one line, maybe a `wrapped` one, to the next, which ends at `end`."""
    start, stop = after
    last = text[max(before[0], before[1] - 8) : before[1]]
    bare = last.rstrip("”’\"'»")
    quoted = bare != last
    if quoted and bare.endswith(","):
        return is_attribution(text, start, stop)
    gap = text[before[1] : start].replace("\r\n", "\n").replace("\r", "\n")
    if gap.count("\n") > 1:
        return False
    if quoted and bare.endswith(("?", "!", "…")):
        return bool(_SPOKEN.match(text, start, stop)) or _attributes(text, start, stop, strict=True)
    goes_on = text[start].islower() or (wrapped and (text[start].isalnum() or text[start] in _QUOTES))
    return goes_on and not bare.endswith((".", "!", "?", "…", ":", ";"))


def is_attribution(text: str, start: int, stop: int) -> bool:
    """Whether what follows a quotation that ended in a comma says, with a verb of speech, who spoke."""
    if stop - start > _REACH or text[start] in _OPENING:
        return False
    return not SPEECH.isdisjoint([word.strip(".,;:!?") for word in text[start:stop].split()][:12])
