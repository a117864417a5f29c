"""Split English prose into sentences, by rules.

The convention: a sentence inside a quotation is a sentence of its own, and so is a whole sentence in brackets. An
attribution (`…," he said.`) belongs to the sentence that it follows, even over a line break. A colon before a
quotation does not end a sentence. A dateline that runs into the text stays in its sentence. Marks alone, such as an
ellipsis between two sentences, are not a sentence.

The rules are stance's own, because they measured best (docs/benchmarks.md): on UD PUD news they have an F1 of 99.7 at
45 Mchar/s, nupunkt 99.3 at 15 to 19 in the same run. sentence-splitter makes one error fewer there, at 1.5 Mchar/s, and
was last released in 2019; sentencex is twice as fast, with twice the errors.

One regular expression finds every place where a sentence might end, and rules then decide whether it does.
Possessive quantifiers keep the expression linear on any input, and every look back or ahead from a place
is bounded, so the whole search is linear too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from corpus.errors import ConfigError
from corpus.sentences import any_language, languages, line_ends, wrapping
from corpus.sentences.attributions import attributes, is_attribution, is_spoken
from corpus.sentences.datelines import dateline_end
from corpus.sentences.english_words import BULLETS, OPENING, QUOTES, REACH, SHOUTING
from corpus.sentences.full_stops import ends_sentence, inner_item, is_abbreviation, is_item
from corpus.sentences.languages import NEITHER
from corpus.sentences.tokens import is_pronoun, is_starter, last_word

UNKNOWN = "und"
"""Code of a language that is not known."""
# In a text whose language is not known, these marks rule out the rules for English.
_FOREIGN = re.compile(f"[{line_ends.STOPS_OF_ONE_MEANING}]")
_CODE = re.compile(r"[a-z]{2,3}|")
_FINAL = f"{line_ends.STOPS}:;：；"
_WRAPPED = range(50, 101)  # widths that mail and plain text are wrapped at
_STOP = re.compile(
    r"""
    ([.!?…](?<![.!?…]{2})[.!?…]*+)              # a run of stops, not from its middle,
    ((?:[”’"'»›)\]}*†‡⁰¹²³⁴-⁹]                  # what closes with it: quotes, brackets, footnote marks,
      | [“„‘«‹](?![^\s”’"'»›)\]])               # also quotes that open elsewhere, unless a word follows,
      | \[\w{1,3}\]
      | [ \u00a0\u2009\u200a\u202f][”’»](?!\w)  # (nested quotes may be set apart)
      | (?<=[a-z”"][.”"])\d{1,2}(?=\s[“"A-Z]))*+)
    (?: (\s++)                                  # then a gap,
      | (?=[“‘"'«(\[]?[A-ZÀ-ÖØ-Þ])              # or, by mistake, none
    )
    """,
    re.VERBOSE,
)
_DETACHED = re.compile(r"((?:\.\.\.|…)?[”»\"]|(?:\.\.\.|…)[’“«]|\[\d{1,3}\])\s++")
_DETACHABLE = frozenset('”»"[.…')  # the characters that it starts with
_START = re.compile(r"[“‘\"'«‹„‚(\[*_”’»›]*+(?:(?:\.\.\.|…)[)\]]?\s*+)?")
_ASIDE = re.compile(r"\((?:[^()]{0,78}\d{4}\)(?:[,;]|\s[a-z])|[^()]{1,80}\),|\d{4}[a-z]?\)[.:)])")
_WORDLESS = re.compile(r"(?:\[\d{1,3}\]|[\W_])++\Z")
_BULLETS = frozenset(BULLETS[:8])
_DASH = re.compile(r"[-–—]{1,3}\s*+(?=\w)")
_LOWER_START = re.compile(
    r"[a-z]{1,2}[A-Z]|(?:[a-z]|[ivx]{1,4})\)\s"  # eBay; a) …
    r"|(?:al|el|de|di|da|du|la|le|von|van|bin|ibn|d|l)[-’' ](?:der )?[A-Z]"
)
_AMOUNT = re.compile(r"[$€£¥]\d+|[$€£¥]?\d{1,3}(?:[,’]\d{3})+(?:\.\d+)?|[12]\d{3}")
_CAPITALS = re.compile(r"(?:[A-Z][a-z]?\.)+[A-Z]|[ap]\.m")
_DOMAIN = re.compile(r"(?i:com|org|net|gov|edu|info|co|io|tv|html?|js|pdf)\b")


class Rules(NamedTuple):
    """The rules of a language: where a sentence may end, and the functions that decide whether it does.

    Attributes:
        stop: regular expression of the places: marks, what closes with them, and the gap after them.
        ends: function that decides at a place with a gap.
        ends_glued: function that decides at a place without a gap.
        inner_item: function that finds the number of a list's item within a line; None where there are no such lists.
    """

    stop: re.Pattern[str]
    ends: Callable[[str, int, re.Match[str], int, int], bool]
    ends_glued: Callable[[str, int, re.Match[str], int], bool]
    inner_item: Callable[[str, int, int], re.Match[str] | None] | None


def sentence_spans(text: str, language: str = "en") -> list[tuple[int, int]]:
    """Find the sentences of a text.

    Each paragraph is cut by itself; a paragraph is one line, or several lines of text that was wrapped to a width.
    A sentence goes on over a line break in four cases: an attribution follows a quotation that ends in a comma (also
    over a blank line), the next line begins in lower case, the next line has no letter and no digit, or a line as wide
    as wrapped text has no final punctuation.

    Args:
        text: prose: one paragraph on each line, or paragraphs that were wrapped to a width. There may be blank lines
            between them.
        language: code of the text's language, of two letters. English has rules of its own; other languages share
            rules for their script, with tables for some thirty languages. Thai, Lao, Khmer, Burmese and Tibetan
            are cut into paragraphs only. An empty code means that the language is not known: the rules for English
            apply.

    Returns:
        For each sentence its start and its end (exclusive), counted in code points, in the order of the text. No
        sentence begins or ends with white space, and every other character is in exactly one sentence.

    Raises:
        ConfigError: the language is not given as a code.

    >>> text = '"We go. Nobody else will," said Lt. Gov. J. R. Holm. Then he left.'
    >>> [text[start:end] for start, end in sentence_spans(text)]
    ['"We go.', 'Nobody else will," said Lt. Gov. J. R. Holm.', 'Then he left.']
    """
    if _CODE.fullmatch(language) is None:
        raise ConfigError(f'language: expected a code of two letters, such as "en" or "de"; found {language!r}')
    return paragraph_spans(text, wrapping.paragraphs(text, line_ends.places(text)), language)


def paragraph_spans(
    text: str, paragraphs: Iterable[Sequence[tuple[int, int]]], language: str = "en"
) -> list[tuple[int, int]]:
    """Where the sentences of paragraphs are, as `sentence_spans` gives them.

    Args:
        text: the text that they stand in.
        paragraphs: where the lines of each paragraph are, without the white space around them.
        language: code of the text's language, of two letters; empty if it is not known.
    """
    spans: list[tuple[int, int]] = []
    rules = _rules(language or ("" if text.isascii() or not _FOREIGN.search(text) else UNKNOWN))
    width = 0  # width of the line before
    for lines in paragraphs:
        start, end = lines[0][0], lines[-1][1]
        cut = _cut(text, start, end, rules) if len(lines) == 1 else _cut_wrapped(text, lines, rules)
        if spans and (
            (not text[start].isalnum() and _WORDLESS.match(text, start, end))
            or _runs_on(text, spans[-1], cut[0], end, wrapped=width in _WRAPPED)
        ):
            cut[0] = (spans.pop()[0], cut[0][1])
        spans += cut
        width = end - lines[-1][0]
    return spans


@cache
def _rules(language: str) -> Rules:
    """The rules of a language; a text whose language is not known is cut as an English one."""
    if language in ("en", ""):
        return Rules(_STOP, _ends, _ends_glued, inner_item)
    if language in NEITHER:
        return Rules(re.compile(r"(?!)"), _ends, _ends_glued, inner_item)
    known = languages.language(language)
    return Rules(any_language.STOP, any_language.decider(known), any_language.ends_glued, None)


def _cut_wrapped(text: str, lines: Sequence[tuple[int, int]], rules: Rules) -> list[tuple[int, int]]:
    """The sentences of a wrapped paragraph, cut as if it were one line."""
    joined = " ".join(text[start:end] for start, end in lines)
    heads = [0, *accumulate(end - start + 1 for start, end in lines[:-1])]  # where each line starts in it

    def place(at: int) -> int:
        line = bisect_right(heads, at) - 1
        return lines[line][0] + at - heads[line]

    return [(place(start), place(end - 1) + 1) for start, end in _cut(joined, 0, len(joined), rules)]


def _cut(text: str, start: int, end: int, rules: Rules) -> list[tuple[int, int]]:
    """The sentences of one line; marks alone join the next sentence or, at the end of the line, the last one."""
    spans = []
    ends_at, ends_glued, item_before = rules.ends, rules.ends_glued, rules.inner_item
    left = counted = bare = start  # up to `bare` the sentence has no word
    straight = 0  # number of straight quotes up to `counted`: an odd one opens, an even one closes
    for stop in rules.stop.finditer(text, start, end):
        right, after = stop.end(2), stop.end()
        if after == right:  # there is no gap
            if stop[2] == '"':
                straight += text.count('"', counted, right)
                counted = right
                if straight % 2:
                    right = after = right - 1
            ends = ends_glued(text, left, stop, after)
        else:
            while text[after] in _DETACHABLE and (detached := _DETACHED.match(text, after, end)):
                if detached[1][-1] == '"':
                    straight += text.count('"', counted, detached.end(1))
                    counted = detached.end(1)
                    if straight % 2:
                        break
                right, after = detached.end(1), detached.end()
                if detached[1][0] in ".…":
                    break  # it is a stop itself: stopping here makes a row of them take linear time
            ends = ends_at(text, left, stop, after, end)
        if (
            not ends
            and text[stop.start() - 1].isdigit()
            and item_before
            and (item := item_before(text, left, stop.start()))
        ):
            spans.append((left, item.start()))
            left = item.start(1)
        if not ends or right <= left:  # the latter at a detached ellipsis that the sentence before took
            continue
        if not text[left].isalnum() and _WORDLESS.match(text, max(left, bare), right):
            bare = right
        else:
            spans.append((left, right))
            left = after
    if spans and not text[left].isalnum() and _WORDLESS.match(text, left, end):
        left = spans.pop()[0]
    spans.append((left, end))
    return spans


def _ends(text: str, left: int, stop: re.Match[str], after: int, end: int) -> bool:
    """Whether the sentence from `left` ends at `stop`, where the next one would start at `after`."""
    at, mark, closed = stop.start(), stop[1], stop[2]
    first, begin, opened = text[after], after, ""
    if first.isupper() and mark == "." and not closed:
        word = text[at - 6 : at] if at - 6 >= left else ""
        if word.isalpha() and word.islower():  # the common case: no abbreviation is this long
            return True
    elif not first.isalnum():
        if first in "–—-([/" and mark == "." and at - left < REACH and dateline_end(text, left) > after:
            return False  # "LAKE HARBOR, Jan. 11. — The council …"
        if dash := _DASH.match(text, after, end):
            return _ends_before_dash(text, left, stop, dash.end(), end)
        start = _START.match(text, after, end)
        begin = start.end() if start else after
        if begin == end or (begin == after and first in ",;:.!?…)]}%&"):
            return False
        if first == "(" and _ASIDE.match(text, after, end):
            return False
        if first in _BULLETS:
            return not is_item(text, left, at)
        first, opened = text[begin], text[after:begin]
    quoting, quoted = not QUOTES.isdisjoint(opened), not QUOTES.isdisjoint(closed)
    if first.islower() and not _LOWER_START.match(text, begin, end):
        if mark == "." and (quoting or "(" in opened or "[" in opened):
            return not is_spoken(text, begin, end) and ends_sentence(text, left, at, begin, opened, closed)
        # An ellipsis in brackets may have taken the capital with it: "Is it? [...] it is."
        return mark != "." and ((quoting and quoted) or (not quoted and opened.startswith(("[...", "[…"))))
    if quoted and not quoting and attributes(text, begin, end, mark=mark, strict=mark == "."):
        return False
    if mark == ".":
        return ends_sentence(text, left, at, begin, opened, closed)
    if closed.endswith((")", "]")) and _is_inside(text, left, at):
        return is_starter(text, begin)
    if "!" in mark or "?" in mark:
        return is_starter(text, begin) or last_word(text, left, at) not in SHOUTING
    spaced = text[at - 1].isspace()
    if is_pronoun(text, begin) and not quoting:
        return not spaced and len(text[max(left, at - 40) : at].split()) > 3
    return not spaced or quoting or quoted or is_starter(text, begin)


def _ends_before_dash(text: str, left: int, stop: re.Match[str], begin: int, end: int) -> bool:
    """Whether a sentence ends at a stop that a dash follows: not before `- said Holm` or `— Jo Holm, voter`."""
    if text[begin].islower() or attributes(text, begin, end, mark=stop[1], strict=False):
        return False
    if not QUOTES.isdisjoint(stop[2]) and end - begin < REACH // 2 and not is_starter(text, begin):
        return any(mark in text[begin : end - 1] for mark in ".!?…")
    return stop[1] != "." or not is_abbreviation(last_word(text, left, stop.start()))


def _ends_glued(text: str, left: int, stop: re.Match[str], after: int) -> bool:
    """Whether a stop without a space after it ends a sentence: "at the end.The next"."""
    at = stop.start()
    chunk = "".join(text[max(left, at - 24) : at].split()[-1:]) + "".join(text[at : after + 24].split()[:1])
    word = text[after : after + 8].lstrip(OPENING)
    if at < left + 2 or not (word[1:2].islower() or word[1:2] in (" ", "’", "'")) or _DOMAIN.match(word):
        return False
    if any(sign in chunk for sign in "@_=&#/") or "www." in chunk:
        return False
    token = last_word(text, left, at)
    if stop[1] != ".":
        return token not in SHOUTING
    if stop[2] or (token[-2:].isalpha() and token[-2:].islower()):
        return not is_abbreviation(token)
    if is_item(text, left, at):
        return False  # "10.The second point"
    begin = after + text[after : after + 8].index(word[0])
    if is_starter(text, begin) and word[1:2].islower():
        return not is_abbreviation(token) or _CAPITALS.fullmatch(token) is not None
    return word[1:3].islower() and (token[-1:] in "%‰°€$£¥)]”’\"'»“«" or _AMOUNT.fullmatch(token) is not None)


def _is_inside(text: str, left: int, at: int) -> bool:
    """Whether the bracket that closes after `at` was opened within the sentence, not at its start."""
    back = max(left, at - REACH)
    opening = max(text.rfind("(", back, at), text.rfind("[", back, at))
    return opening > left and bool(text[back:opening].strip(OPENING))


def _runs_on(text: str, before: tuple[int, int], after: tuple[int, int], end: int, *, wrapped: bool) -> bool:
    """Whether a sentence goes on from one line, maybe a `wrapped` one, to the next, which ends at `end`."""
    start, stop = after
    if text[before[1] - 1] in _FINAL:
        return False
    last = text[max(before[0], before[1] - 8) : before[1]]
    bare = last.rstrip("”“’‘\"'»«›‹")
    quoted = bare != last
    if quoted and bare.endswith(","):
        return is_attribution(text, start, stop)
    gap = text[before[1] : start].replace("\r\n", "\n").replace("\r", "\n")
    if gap.count("\n") > 1:
        return False
    if quoted and bare.endswith(("?", "!", "…")):
        return is_spoken(text, start, stop) or attributes(text, start, stop, mark=bare[-1], strict=True)
    quotes = text[start] in QUOTES and not bare.endswith(",")  # a line with a final comma introduces the quotation
    goes_on = text[start].islower() or (wrapped and (text[start].isalnum() or quotes))
    return goes_on and not bare.endswith((".", "!", "?", "…", ":", ";"))
