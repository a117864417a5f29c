"""Words with full stops inside, such as "a.m." or "U.S.", whose last full stop may also end a sentence.

A time that ends a sentence elsewhere does not end one that it opens: "It began at 6 a.m. Holm was late." is two
sentences, "At 6 a.m. Holm was late." is one.
"""

from __future__ import annotations

import re

from corpus.sentences.english_words import (
    CALENDAR,
    CONTINUES,
    DEGREES,
    DETERMINERS,
    ERAS,
    FINITE,
    GRADUATES,
    NATIONS,
    OPENERS,
    OPENING,
    PLACES,
    PREPOSITIONS,
    RUNNING,
    SUBORDINATING,
    SUFFIXES,
)
from corpus.sentences.tokens import first_word, is_pronoun, is_starter

_BACK = 90  # characters of a clause that are examined: twice as many as the longest opening seen
_TIMES = ("a.m", "p.m")
_ABOUT = frozenset("at by around about before after until till from since on in shortly just soon early late".split())
_LINKS = ("and", "but", "so", "then", "yet")
_SPACED = re.compile(r"(?<![^\s(“\"])(?:[^\W\d_]{1,2}\.\s){1,3}\Z")
_HOUR = re.compile(
    r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirty|half))\s*\Z", re.IGNORECASE
)
_DAY_OF = re.compile(r"[“\"]?[OI]n the (?:day|morning|afternoon|evening|night|eve) \S")
_QUOTED = re.compile(r"[“\"][^“”\"]*[”\"]")
_BARE_TIME = re.compile(r"\d\d?(?:[:.]\d\d)?\s?")
_ZONE = re.compile(r"\w{1,24} (?:time|TIME)\b")
_DAY = re.compile(rf"\d{{1,2}}(?:st|nd|rd|th)?\s(?:{'|'.join(sorted(CALENDAR))})\b|\d{{1,2}}[./:-]\d")
_NAMED = re.compile(r"The [^\W\d_a-z]")
_YEAR = re.compile(r".*\d[a-z]{0,2},?|centur(?:y|ies)|millenni(?:um|a)", re.IGNORECASE)
_ADVERB = r"(?:(?:also|never|later|now|then|still|soon|already|often|once|only|just|[a-z]{2,20}ly)\s)?"
_SUBJECT = re.compile(rf"([^\W\d_][\w’'-]{{0,24}})\s{_ADVERB}([a-z]{{2,24}})\b")
_NAMES = re.compile(
    rf"([^\W\d_a-z][\w’'-]{{0,24}})(?:\s[^\W\d_a-z][\w.’'-]{{0,24}}){{0,3}}(?:,\s|\s{_ADVERB}([a-z]{{2,24}})\b)"
)
_ONE_CAPITAL = re.compile(r"[^\W\d_a-z][\w’'-]{0,24}\s(?:of|to|in|on|at|for|by|with|from|and)\s")
_BEFORE_PLACES = PREPOSITIONS - {"by", "of", "for", "with"} | {"like", "near", "around", "left", "visited"}
_IN_PLACE = re.compile(
    rf"[{re.escape(OPENING)}]*(?:(?:And|But|Back|Here|Over|Up|Down)\s)?(?:[Ii]n|At|From|Near|Outside|Inside|Around|Across)"
    r"\s(?:(?:the|nearby|downtown|[^\W\d_a-z][\w.’'-]{0,24}),?\s){0,4}"
)


def joined(text: str, left: int, start: int, token: str) -> tuple[str, int]:
    """An acronym that was written with spaces, and where it starts: "D. C", "p. m"; other tokens are unchanged."""
    if len(token) == 1 and (spaced := _SPACED.search(text, max(left, start - 12), start)):
        whole = "".join(spaced[0].split()) + token
        if whole.lower() in _TIMES or whole.lower() in DEGREES or whole in ERAS or whole in NATIONS:
            return whole, spaced.start()
    return token, start


def ends(text: str, left: int, start: int, token: str, begin: int, *, loud: bool) -> bool | None:
    """Whether the full stop of a time, an era, a degree or a place also ends the sentence.

    Args:
        text: the text.
        left: where the sentence starts.
        start: where the token starts.
        token: the token, without its last full stop.
        begin: where the next word starts.
        loud: whether the sentence is in capitals.

    Returns:
        None where the token is none of these, or decides nothing.
    """
    before = text[max(left, start - _BACK) : start]
    words = before.split()
    lower = token.lower()
    if lower in _TIMES and (token.islower() or _HOUR.search(before)):
        return _ends_at_time(text, left, start, begin, loud=loud)
    if not words:
        return None
    if token in ERAS and _YEAR.fullmatch(words[-1]):
        return _ends_at_era(text, left, start, begin, words, loud=loud)
    if lower in DEGREES and _ends_at_degree(text, begin, token, words):
        return True
    if len(words) < 7 and _IN_PLACE.fullmatch(text, left, start) and words[-1].endswith(","):
        return is_starter(text, begin, loud=loud) and not is_pronoun(text, begin)
    if token in PLACES and _is_place(words):
        return True if _names_subject(text, begin) or _is_common(text, begin) else None
    return None


def _ends_at_time(text: str, left: int, start: int, begin: int, *, loud: bool) -> bool:
    """Whether a time ends its sentence: not before a weekday or a zone, nor where it opens the sentence."""
    word = first_word(text, begin)
    if word in CALENDAR or _ZONE.match(text, begin) or _DAY.match(text, begin):
        return False
    if loud and (word.capitalize() in CALENDAR or word.capitalize() in RUNNING):
        return False
    if (left == 0 or text[left - 1] in "\r\n") and _BARE_TIME.fullmatch(text, left, start):
        return False  # an entry of a list of times: "9:30 a.m. The council meets."
    if _opens_clause(text, left, start):
        named = is_pronoun(text, begin) or _NAMED.match(text, begin)
        return is_starter(text, begin) and not named and not loud
    return True


def _ends_at_era(text: str, left: int, start: int, begin: int, words: list[str], *, loud: bool) -> bool:
    """Whether "753 B.C." ends its sentence: not where it opens the sentence, or goes with a noun."""
    if _opens_clause(text, left, start):
        return is_starter(text, begin) and not is_pronoun(text, begin) and not loud
    if is_starter(text, begin, loud=loud):
        return True
    adjective = words[-2:-1] != [] and words[-2].lower() in DETERMINERS | {"of"}
    return not adjective or _names_subject(text, begin)


def _ends_at_degree(text: str, begin: int, token: str, words: list[str]) -> bool:
    """Whether a degree ends its sentence before a name; in capitals it may be initials: "J.D. Vance said"."""
    word = first_word(text, begin)
    if word in GRADUATES or word in CONTINUES:
        return False
    owned = words[-1].lower() in DETERMINERS or (
        words[-1].islower() and words[-2:-1] != [] and words[-2].lower() in DETERMINERS
    )
    if max(map(len, token.split("."))) > 1:
        return owned or _names_subject(text, begin)
    held = (owned and words[-1] != "the") or (words[-1].endswith(",") and words[-1][0].isupper())
    return held and _names_subject(text, begin, with_aside=False)


def _is_place(words: list[str]) -> bool:
    """Whether these words show that a place follows, not a person's initials: "Sund,", "moved to", "in the"."""
    last = words[-2] if words[-1] == "the" and len(words) > 1 else words[-1]
    return last.endswith(",") or last.lower() in _BEFORE_PLACES


def _is_common(text: str, begin: int) -> bool:
    """Whether a single capitalised word, not part of a name, stands at `begin`: "Start of another sentence"."""
    word = first_word(text, begin)
    return word not in CONTINUES and word not in CALENDAR and _ONE_CAPITAL.match(text, begin) is not None


def _names_subject(text: str, begin: int, *, with_aside: bool = True) -> bool:
    """Whether names and a verb, or an aside, stand at `begin`: "Ruth Holm never wrote", "Berg, her husband,"."""
    names = _NAMES.match(text, begin)
    if names is None or names[1] in CONTINUES or names[1] in CALENDAR:
        return False
    if names[2] is None:
        return with_aside
    return names[2] in FINITE or names[2].endswith("ed")


def is_subject(text: str, begin: int, token: str, words: list[str]) -> bool:
    """Whether the word at `begin` is the subject of a new sentence: "in the U.S. Scientists have …"."""
    placed = words[-1:] == ["the"] and words[-2:-1] != [] and words[-2] in PREPOSITIONS
    if token not in SUFFIXES and not placed and not "".join(words[-1:]).endswith(","):
        return False
    subject = _SUBJECT.match(text, begin)
    if subject is None or subject[1] in CONTINUES or subject[1] in CALENDAR:
        return False
    return subject[2] in FINITE or subject[2].endswith("ed")


def _opens_clause(text: str, left: int, stop: int) -> bool:
    """Whether a time that ends at `stop` opens its clause, so that the subject is still to come.

    "By about 9:30", "The next day at 6", "He said that at 6" do, "It began at 6" does not.
    """
    found = text[max(left, stop - _BACK) : stop].split()
    words = [word.lstrip(OPENING).rstrip(",.") for word in found]
    first = len(words)
    while first and _is_opener(words[first - 1]):
        if found[first - 1].endswith(",") and words[first : first + 1] and words[first].lower() in _LINKS:
            break
        first -= 1
    opening = words[first:]
    if not opening:
        return False
    if _DAY_OF.match(text, left) and FINITE.isdisjoint(_QUOTED.sub("", text[left:stop][:_BACK]).split()):
        return True
    if not first:
        if stop - left > _BACK:
            return False
        on_day = opening[0].capitalize() in CALENDAR and len(opening) > 1 and opening[1] in _ABOUT
        return on_day or (opening[0].capitalize() not in CALENDAR and not opening[0][0].isdigit()) or len(opening) == 1
    before = found[first - 1]
    if before.lower() in SUBORDINATING or before.endswith((";", ":", "—", "–")):
        return opening[0].lower() in _ABOUT
    link, *rest = opening
    about = rest[:1] != [] and rest[0].lower() in _ABOUT
    return about and (link.lower() == "that" or (before.endswith(",") and link.lower() in _LINKS))


def _is_opener(word: str) -> bool:
    return word.lower() in OPENERS or word[:1].isdigit() or word.lower().rstrip(".") in _TIMES
