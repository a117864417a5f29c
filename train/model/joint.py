"""Write text and target into one string, which a joint model of many targets reads."""

from __future__ import annotations

import re

from corpus import words

TARGET, PAIR, WITH = "\ue000", "\ue001", "\ue002"
"""Characters for private use that stand before a word of the target, before a pair of words, and within the pair."""
MARKS = re.compile(f"[{TARGET}-{WITH}]")
WORD = re.compile(words.PATTERN)
OF_TEXT = rf"(?<![\w{TARGET}-{WITH}]){words.PATTERN}"
"""The words of the text in a string of `joined`, as a regular expression."""
OF_TARGET = rf"{TARGET}{words.PATTERN}"
"""The words of the target."""
OF_BOTH = rf"{PAIR}{words.PATTERN}{WITH}{words.PATTERN}"
"""The pairs of a word of the target and a word of the text."""


def joined(text: str, target: str) -> str:
    """A text and its target as a joint model reads them: the text, the target's words, and all pairs of words of both.

    A linear model of these features has a weight for a word of the text, one for a word of the target, and one for the
    two together; the last lets "more" speak for one target and against another one that shares no word with it. Marks
    keep the three kinds of features apart, so that scikit-learn's own vectorizers find each by a regular expression.

    >>> marks = str.maketrans({TARGET: "§", PAIR: "<", WITH: "|"})
    >>> joined("No more guns!", "gun laws").translate(marks)
    'No more guns! §gun §laws <gun|no <gun|more <gun|guns <laws|no <laws|more <laws|guns'
    """
    plain = MARKS.sub(" ", text)
    theirs = list(dict.fromkeys(WORD.findall(MARKS.sub(" ", target).lower())))
    ours = list(dict.fromkeys(WORD.findall(plain.lower())))
    pairs = [f"{PAIR}{one}{WITH}{other}" for one in theirs for other in ours]
    return " ".join([plain, *(f"{TARGET}{word}" for word in theirs), *pairs])


def parted(read: str) -> tuple[str, str]:
    """The text, and the words of its target, of a string that `joined` made; any other string is a text alone.

    >>> parted(joined("No more guns!", "gun laws"))
    ('No more guns!', 'gun laws')
    """
    place = MARKS.search(read)
    if place is None:
        return read, ""
    marked = read[place.start() :].split(" ")
    return read[: place.start()].removesuffix(" "), " ".join(
        word.removeprefix(TARGET) for word in marked if word.startswith(TARGET)
    )
