"""Recognise attributions, which say who spoke the quotation before them."""

from __future__ import annotations

import re

from corpus.sentences.english_words import (
    ADDRESSING,
    ADVERBIAL,
    ASKING,
    OPENING,
    PARTICLES,
    QUESTION,
    QUOTES,
    REACH,
    SHOUTED,
    SPEECH,
    STATEMENT,
    TITLES,
)
from corpus.sentences.tokens import is_starter

_SPOKEN = re.compile(rf"(?:(?:he|she|they|it|we|I) )?(?:{'|'.join(sorted(SPEECH))})\b")


def is_spoken(text: str, begin: int, end: int) -> bool:
    """Whether a verb of speech stands at `begin`, maybe after a pronoun: "he said", "said Holm"."""
    return _SPOKEN.match(text, begin, end) is not None


def attributes(text: str, begin: int, end: int, *, mark: str, strict: bool) -> bool:
    """Whether a name and a verb of speech at `begin` attribute the quotation before them.

    "Holm asked." does. "Holm said he would go." does not, nor does "Holm replied: “No.”", which opens the next
    quotation.

    Args:
        text: the text.
        begin: where the name would start.
        end: where the line ends.
        mark: the mark that ended the quotation: full stop, question or exclamation mark, ellipsis.
        strict: whether only a verb that ends its own clause attributes the quotation, as after a full stop.
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
            if _introduces(word, tokens[place:], mark):
                return False
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


def _introduces(verb: str, tokens: list[str], mark: str) -> bool:
    """Whether a clause of speech, from its verb on, introduces the quotation after it, which has another speaker.

    A colon shows that. So does a comma where the quotation before has an end of its own and the verb does not fit its
    mark: after a question, "Berg asked, “…”" attributes the question, but "Berg replied, “…”" answers it.
    """
    for place, token in enumerate(tokens):
        if token[-1] == ":":
            return True
        after = tokens[place + 1] if place + 1 < len(tokens) else ""
        if after[:1] in QUOTES and (token[-1] == "," or token == verb):
            if not after.lstrip(OPENING)[:1].isupper() or mark[-1] == "…":
                return False
            return not (("?" in mark and verb in ASKING) or ("!" in mark and verb in SHOUTED))
        if token[-1] in ",.;?!" and token[:-1] not in TITLES:
            return False
    return False


def is_attribution(text: str, start: int, stop: int) -> bool:
    """Whether what follows a quotation that ended in a comma says, with a verb of speech, who spoke."""
    if stop - start > REACH or text[start] in OPENING:
        return False
    return not SPEECH.isdisjoint([word.strip(".,;:!?") for word in text[start:stop].split()][:12])
