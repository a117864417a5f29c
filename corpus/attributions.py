"""Who spoke: which names and verbs of speech attribute the quotation before them."""

from __future__ import annotations

import re

from corpus.full_stops import is_starter
from corpus.words import ADDRESSING, ADVERBIAL, OPENING, PARTICLES, QUESTION, REACH, SPEECH, STATEMENT

_SPOKEN = re.compile(rf"(?:(?:he|she|they|it|we|I) )?(?:{'|'.join(sorted(SPEECH))})\b")


def is_spoken(text: str, begin: int, end: int) -> bool:
    """Whether a verb of speech stands at `begin`, maybe after a pronoun: "he said", "said Holm"."""
    return _SPOKEN.match(text, begin, end) is not None


def attributes(text: str, begin: int, end: int, *, strict: bool) -> bool:
    """Whether a name and a verb of speech at `begin` attribute the quotation before them.

    "Holm asked." does, "Holm said he would go." does not. A `strict` answer is for a quotation that a full
    stop ended: only a verb that ends its own clause attributes that.
    """
    spoken = text.startswith("I ", begin)
    if is_starter(text, begin) and not spoken:
        return False
    strict = strict or spoken  # "I asked." but not "I asked him to leave."
    tokens = text[begin : min(end, begin + REACH)].split()
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


def is_attribution(text: str, start: int, stop: int, *, whole: bool) -> bool:
    """Whether what follows a quotation that ended in a comma says who spoke, or is a `whole` line with a name."""
    if stop - start > REACH or text[start] in OPENING:
        return False
    words = [word.strip(".,;:!?") for word in text[start:stop].split()]
    if not SPEECH.isdisjoint(words[:12]):
        return True
    named = 2 * sum(word[:1].isupper() for word in words) >= len(words)
    return whole and named and len(words) <= 12 and text[stop - 1] not in '.!?…”"'
