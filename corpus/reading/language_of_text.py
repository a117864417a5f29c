"""Find the language of a text that does not say which one it is in."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from corpus import words

LETTERS = 200
"""With fewer letters than this the language is too uncertain: names and quotations outweigh the rest."""

SAMPLE = 600
"""Characters that the language is identified from; with more, the identifier is slower but no more accurate."""

ALIKE = (frozenset(("hr", "bs", "sr")), frozenset(("id", "ms")), frozenset(("no", "nn", "da")))
"""Languages so alike that the identifier divides its probability between them: a few sentences of Croatian get .5 as
Croatian and .4 as Bosnian. Their sentences are found by the same rules, but for Danish and Norwegian, which have tables
of their own with mostly the same words."""

ENGLISH = frozenset("the of and that was with which they their said this have has been were would".split())
"""Words that are this frequent in no other language: 9 to 22 % in 31 articles of the starter corpus and the seeds."""


def code_of(name: str) -> str:
    """The two letters of a language tag (en-GB, EN_us); empty for anything else, such as `English`."""
    match = re.match(r"([a-z]{2})(?:[-_]|$)", name.strip().lower())
    return match[1] if match else ""


def language_of(text: str) -> str:
    """Identify the language of a text by its beginning.

    Args:
        text: text of an article, without front matter.

    Returns:
        The code of the language, of two letters. It is empty where the text has fewer than LETTERS letters, or where no
        language, nor group of languages that are ALIKE, has a probability of .8.
    """
    sample = " ".join(text[:3000].split())[:SAMPLE]
    # Nearly always the first half of the sample already has enough letters.
    if _letters(sample[: SAMPLE // 2]) < LETTERS and _letters(sample) < LETTERS:
        return ""
    parts = sample.casefold().split()
    # With this shortcut an all-English archive never loads the identifier.
    if "the" in parts and len(list(filter(ENGLISH.__contains__, parts))) >= 0.06 * len(parts):
        return "en"
    ranked = _identifier()(sample)
    name, probability = ranked[0]
    for group in ALIKE:
        if name in group:  # the text is certainly in one of them: the most probable one is named
            probability = sum(value for other, value in ranked if other in group)
    return name if probability >= 0.8 else ""


def _letters(text: str) -> int:
    """The number of letters and vowel signs; a character of a script without spaces tells as much as two letters."""
    letters = sum(map(str.isalpha, text))
    return letters if text.isascii() else letters + len(words.EXTRA.findall(text))


@cache
def _identifier() -> Callable[[str], list[tuple[str, float]]]:
    """py3langid: pure Python and numpy, 4.6 MB with its model, released in September 2026, no download when run.

    Loading it takes 0.5 s and 105 MB, so it is loaded only when an article comes without its language; each article
    then takes 0.4 ms.
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    # `language` holds two letters, so the identifier's fifty small languages with three-letter codes are left out:
    # they would only draw texts away from other languages.
    identifier.set_languages([label for label in identifier.labels if len(label) == 2])
    rank: Callable[[str], list[tuple[str, float]]] = identifier.rank
    return rank
