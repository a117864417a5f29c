"""Words in any script, for everything that compares or counts words.

In most scripts white space separates words. Vowel signs and other combining marks, which regular expressions do not
count as letters, belong to the word: without them a Hindi word falls apart. Chinese, Japanese, Thai, Lao, Khmer and
Burmese are written without spaces. There two characters are counted as one word, which is about right (a Chinese word
has some 1.6 characters), and words are compared by pairs of neighbouring characters.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence

UNSPACED = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\uaa60-\uaa7f"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # iteration marks, Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
"""The characters of scripts without spaces between words, as ranges of a regular expression."""


def _marks() -> str:
    """The combining marks of all scripts, as ranges of a regular expression."""
    ranges: list[list[int]] = []
    for code in range(0x300, sys.maxunicode if sys.maxunicode < 0x20000 else 0x20000):
        if unicodedata.category(chr(code))[0] == "M":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in [*ranges, (0xE0100, 0xE01EF)])


MARKS = _marks()
"""Combining marks, such as the vowel signs of Hindi, as ranges of a regular expression."""

EXTRA = re.compile(f"[{UNSPACED}{MARKS}]")
"""What counts in addition to letters, where letters are counted to see how much a text tells."""
PATTERN = rf"\w+(?:[{MARKS}]+\w*)*"
"""A word as a regular expression: letters, digits and underscores, with their combining marks."""
_WORD = re.compile(rf"[^\W_]++(?:[{MARKS}]++[^\W_]*+)*+")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_ENDS_WIDE = re.compile(r"[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef][”’\"')]?$")
_RUN = re.compile(rf"[{UNSPACED}][{UNSPACED}{MARKS}]*+|[^{UNSPACED}]++")


def joined(sentences: Sequence[str]) -> str:
    """Sentences as running text: with a space between them, but not after a Chinese or Japanese one.

    >>> joined(["It rained.", "Nobody came."]), joined(["下雨了。", "没有人来。"])
    ('It rained. Nobody came.', '下雨了。没有人来。')
    """
    if all(map(str.isascii, sentences)):
        return " ".join(sentences)
    last = len(sentences) - 1
    return "".join(one if n == last or _ENDS_WIDE.search(one) else f"{one} " for n, one in enumerate(sentences))


def is_unspaced(text: str) -> bool:
    """Whether any character of a text is of a script without spaces between words."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def in_text(text: str) -> list[str]:
    """The words of a text, without what stands between them; a run of a script without spaces is one of them.

    >>> in_text("Don't go, e.g. to हिन्दी_1!")
    ['Don', 't', 'go', 'e', 'g', 'to', 'हिन्दी', '1']
    """
    return _WORD.findall(text)


def count(text: str) -> int:
    """The number of words of a text: parts between white space, or half the characters of a script without spaces.

    >>> count("the talks ended"), count("会谈周一结束"), count("使用 GPT-4 模型")
    (3, 3, 3)
    """
    parts = text.split()
    if not is_unspaced(text):
        return len(parts)
    return sum((len(run) + 1) // 2 if is_unspaced(run) else 1 for part in parts for run in _RUN.findall(part))


def pieces(text: str) -> list[str]:
    """The pieces by which texts are compared: words, or pairs of neighbouring characters of a script without spaces.

    >>> pieces("the talks ended"), pieces("会谈周一结束"), pieces("用gpt4模型")
    (['the', 'talks', 'ended'], ['会谈', '谈周', '周一', '一结', '结束'], ['用', 'gpt4', '模型'])
    """
    parts = text.split()
    if not is_unspaced(text):
        return parts
    return [
        piece
        for part in parts
        for run in _RUN.findall(part)
        for piece in ([run[n : n + 2] for n in range(max(1, len(run) - 1))] if is_unspaced(run) else [run])
    ]


def units(text: str) -> list[str]:
    """The smallest parts that an edit changes: words, or single characters of a script without spaces.

    >>> units("use 模型 now")
    ['use', '模', '型', 'now']
    """
    parts = text.split()
    if not is_unspaced(text):
        return parts
    return [unit for part in parts for run in _RUN.findall(part) for unit in (run if is_unspaced(run) else [run])]


def check_texts(texts: Iterable[str]) -> None:
    """Make sure that a caller gives several texts: Python takes one text for a list of its characters.

    Raises:
        TypeError: `texts` is one text, or holds something else than texts.

    >>> check_texts("We will go.")
    Traceback (most recent call last):
    TypeError: expected a list of texts; found one text: put it into a list
    """
    if isinstance(texts, str):
        raise TypeError("expected a list of texts; found one text: put it into a list")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"expected a list of texts; found {type(text).__name__} at position {place}")
