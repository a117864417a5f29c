"""Decide what a line is from its neighbours: links in a list, labels, speakers, lines that introduce quotations."""

from __future__ import annotations

import re

from corpus.sentences.attributions import is_attribution
from corpus.sentences.english_words import (
    FINITE,
    IMPERATIVES,
    OPEN_LEADS,
    PREPOSITIONS,
    PRONOUNS,
    SPEECH,
    STARTERS,
    VERBS_BEFORE_LISTS,
)
from corpus.sentences.line_ends import GAP

LineKind = tuple[str, str]
"""The kind of a line, and the rule that gave it."""

_CLOSING = frozenset("”“’‘\"'»«›‹")
_ENDS_IN_QUOTE = re.compile(rf"([.,!?…]){GAP}[”“’‘\"'»«›‹]$")
_OPENING = ("“", '"', "‘", "'", "«", "„", "»")
_DASHES = "-–—― "
_ITEM = re.compile(r"(?:[•▪●‣◦·*→»>–—-]|\d{1,2}[.)])\s+(?=\S)")
_WORD = re.compile(r"[^\W\d_]+(?:[’'][^\W\d_]+)*")
_CONTRACTED = re.compile(r"(?:n[’']t|[’'](?:re|ve|ll|d|m)|(?i:it|he|she|that|here|what|there|who|let)[’']s)$")
_AFTER_NOUNS = frozenset(("", "of", "for", "from", "in", "on", "about", "by", "with", "and", "or"))
_LABEL = 8  # words: a line that ends in a colon and has more words introduces what follows
_SPEAKER = 12  # words: the longest line seen that names a speaker and an office has 9
_LINK = 20  # words: the longest headline seen


def adjacent(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether no blank line stands between two lines."""
    return text[before[1] : after[0]].replace("\r\n", "\n").replace("\r", "\n").count("\n") == 1


def is_titled(body: str) -> bool:
    """Whether a line capitalises all its long words, as headlines do in America."""
    long = [word for word in _WORD.findall(body) if len(word) > 3]
    return len(long) > 1 and all(word[0].isupper() for word in long)


def runs_on(text: str, extents: list[tuple[int, int]], bodies: list[str], kinds: list[LineKind | None]) -> None:
    """Keep as prose a line without final punctuation that goes on, in lower case, on the next line."""
    for index in range(1, len(bodies)):
        goes_on = bodies[index][:1].islower() and adjacent(text, extents[index - 1], extents[index])
        if goes_on and kinds[index - 1] is None and (kinds[index] or ("prose",))[0] == "prose":
            kinds[index - 1] = kinds[index] = ("prose", "runs on")


def leads_in(bodies: list[str], kinds: list[LineKind | None]) -> None:
    """Keep as prose a line that ends in a comma or a dash before a quotation or the rest of its sentence below."""
    for index, body in enumerate(bodies[:-1]):
        if kinds[index] is not None or not body.endswith((",", "—", "–", " -")):
            continue
        words = body.rstrip(",—–- ").split()
        after = bodies[index + 1]
        speaks = not SPEECH.isdisjoint(words[-3:])
        quotes = after.startswith(_OPENING) and len(words) > 2 and words[0] not in ("Dear", "To")
        if speaks or quotes or (after[:1].islower() and len(words) > 2):
            kinds[index] = ("prose", "leads in")


def by_quotation(text: str, extent: tuple[int, int], body: str, before: str) -> LineKind | None:
    """The kind of a line below a quotation that says who spoke: with a verb, or by name and office alone; or None."""
    quoted = _ENDS_IN_QUOTE.search(before, max(0, len(before) - 3)) if before[-1:] in _CLOSING else None
    if quoted is None:
        return None
    goes_on = quoted[1] == ","
    if goes_on and is_attribution(text, *extent):
        return "prose", "attribution"
    return ("caption", "speaker") if (goes_on or body[0] in _DASHES) and _names(body) else None


def _names(body: str) -> bool:
    """Whether a line names a person, maybe with an office: "Jo Holm Mayor of Sund", "– Ada Kern, voter"."""
    words = body.lstrip(_DASHES).split()
    if (
        not 0 < len(words) <= _SPEAKER
        or body.endswith(("?", "!", "…", ":", ";"))
        or any(mark in body for mark in '“”"')
    ):
        return False
    if not words[0][0].isupper() or (words[0] in STARTERS and words[0] != "The"):
        return False
    bare = [word.strip(".,;()") for word in words]
    low = [word for word in bare if word[:1].islower()]
    if any(word in FINITE or word.endswith("ed") for word in low):
        return False
    # A line with a full stop may be a short sentence, so only particles may be in lower case.
    most = 2 * len(low) <= len(words)
    return len(words) > 1 and PREPOSITIONS.union(("the", "and", "for")).issuperset(low) if body.endswith(".") else most


def is_label(body: str, after: str) -> bool:
    """Whether a line that ends in a colon is a label ("Send to:"), not a sentence that introduces what is below."""
    words = _WORD.findall(body)
    if len(words) > _LABEL or any(mark in body for mark in '“”".!?'):
        return False
    low = [word.lower() for word in words]
    verbs = low if body.isupper() else words  # a capitalised verb, as in a title, shows nothing
    if any(word in FINITE or _CONTRACTED.search(word) for word in verbs[1:]) or not PRONOUNS.isdisjoint(low):
        return False
    if low and (low[0] in OPEN_LEADS or (low[0] in IMPERATIVES and len(low) > 2)):
        return False
    if is_titled(body) or len(low) < 4:
        return True
    if after.startswith(_OPENING):
        return False
    return not any(_may_be_verb(low, place) for place in range(1, len(low)))


def _may_be_verb(low: list[str], place: int) -> bool:
    """Whether a word, not the first of its line, may be a verb: by its ending ("lists"), and by the word after it."""
    word, after = low[place], low[place + 1] if place + 1 < len(low) else ""
    if word in VERBS_BEFORE_LISTS:
        return True
    if word.endswith("ed"):
        return after not in ("", "by")
    return word.endswith("s") and not word.endswith(("ss", "us", "is")) and after not in _AFTER_NOUNS


def links(text: str, extents: list[tuple[int, int]], bodies: list[str], kinds: list[LineKind | None]) -> None:
    """Mark lists of links: lines below one that recommends more to read, and items that are capitalised like titles."""
    index = 0
    while index < len(bodies):
        if kinds[index] == ("ad", "recommended"):
            index = _recommended(text, extents, bodies, kinds, index + 1)
            continue
        stop = index
        while stop < len(bodies) and _ITEM.match(bodies[stop]) and _may_be_link(bodies[stop], kinds[stop]):
            stop += 1
        if stop - index > 1 and all(is_titled(body) for body in bodies[index:stop]):
            kinds[index:stop] = [("other", "list of titles")] * (stop - index)
        index = max(stop, index + 1)


def _recommended(
    text: str, extents: list[tuple[int, int]], bodies: list[str], kinds: list[LineKind | None], start: int
) -> int:
    """Mark the list right below a line that recommends more to read, and return the index of the line after it."""
    for index in range(start, len(bodies)):
        body, kind = bodies[index], kinds[index]
        if kind == ("other", "no letters"):
            continue
        if not _may_be_link(body, kind):
            return index
        listed = _ITEM.match(body) is not None
        below = adjacent(text, extents[index - 1], extents[index]) and (kind is None or is_titled(body))
        if not (listed or below):
            return index
        kinds[index] = ("ad", "recommended")
    return len(bodies)


def _may_be_link(body: str, kind: LineKind | None) -> bool:
    """Whether a line of no other kind is as short as a headline and is not a sentence with its full stop."""
    if kind is not None and kind[0] != "prose":
        return False
    return len(body.split()) <= _LINK and (not body.endswith((".", ".”", '."', ":")) or is_titled(body))
