"""Coverage-guided fuzzing of what turns text into sentences: python tests/fuzz.py SECONDS [FOLDER].

Needs `pip install atheris`, and one core. Text is built from arbitrary code points and from what news is made
of, so that the rules are reached; now and then a piece is repeated thousands of times, so that what is not
linear shows. FOLDER keeps the inputs that reached new code, for a later run to go on from.

`CHECKS` are the claims; `tests/test_findings.py` holds what broke one of them once.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Sized
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import pyarrow as pa

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from corpus import near_duplicates
from corpus.reading.articles import PLAIN
from corpus.records import KINDS, CorpusSettings
from corpus.sentences import cut_articles, line_kinds, split
from corpus.sentences.datelines import without_dateline

Result = TypeVar("Result", bound=Sized)
BREAKS = ("\n", "\r")
#: Seconds that a function may take. Instrumented, the rules take up to 6 µs a character, four times as much as else.
BASE, A_CHARACTER, A_SPAN, A_LINE = 0.02, 8e-6, 3e-5, 1.5e-4
LONGEST = 30_000  # characters
_NEWS = (
    '\n\n|\r\n|. |? |! |... |. . . |… |?! |.” |." |.’ |,” |," |,\' |?” |!” |.) |.] |.[1] |.12 |: “|; |, |” – |'
    "— |-- |"
    "Mr. |Dr. |Lt. Gov. |St. |No. 3|Feb. 24|Inc. |U.S. |U.N. |a.m. |p.m. |e.g. |i.e. |Ph.D. |D-Conn. |"
    "Salem, Ore. |"
    "J. R. Holm |É. Roux |plan B. |World War I. |Yahoo! |on X. |(ret.) |www.sund.com |a@b.org |@jo |3.5|1,000|"
    "$5m |"
    "he said. |said Holm. |Holm said |she asked |told the crowd |Holm, the mayor, added |according to |I said |"
    "The |the |It rained|and so |In May |eBay |al-Hol |van Dyk |voted |scientists have |Senate |Council |"
    "By Jo Holm|BY ADA KERN|SUND (AP) — |(Reuters) - |Published May 3, 2024|2024-05-03|Photo: |FILE - |"
    "(AP Photo/Jo Holm)|"
    "ADVERTISEMENT|Read more: |Sign up for |1 / 5|5 min read|© 2024|Correction: |Editor’s note|About the author|"
    "Jo Holm is a reporter |contributed to this report.|reported from |Share this|- 30 -|## |** |-- |• |1. |a) |"
    "(iv) |---\n|---\ntitle: Rain\npublished: 2024-05-03\n---\n|---\nurl: x\n---"
)
FRAGMENTS = [
    *" \t\n\r\v\f\x1c\x1f\x85\xa0.!?…,;:-–—'\"“”‘’«»‹›„()[]{}*_/\\#&@%$=|<>`´^~",
    *"\u2028\u2029\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\u00ad\u3000\u2009\u202f\u180e",
    *"¹²†‡•▪►→©½①Ⅳǅßẞİıſﬁﷺ\u0301\u0327\u0345\u0338\u0130\u2024\u2025\u2026\uff0e\uff0d\u037e\u1e9e\u03a3\u03c2",
    *"אבالس٣०你好。！？한ह्🙂🏳\U000e0020\U0001d7d8\U0010ffff\ue000",
    *_NEWS.split("|"),
    *["\u0301\u0327", "\uff9e\u0301", "\u0f73", "\u0344", "\u1100\u1161\u11a8", "e\u0301"],
    "The council of the town met in the old hall on the hill above the",
    "Sund\nThe council of the town met in the old hall on the hill above\nthe river and voted on the bridge that\n",
]


class Slow(AssertionError):
    """A function took longer than its input allows."""


def in_time(text: str, function: Callable[..., Result], *arguments: object) -> Result:
    """The result of a function that must be linear in the text; a machine may stumble once, so twice counts."""
    for _ in range(2):
        start = time.process_time()
        result = function(*arguments)
        taken = time.process_time() - start
        spans = 0 if isinstance(result, str) else len(result)
        ends = sum(map(text.count, BREAKS))
        if taken <= BASE + A_CHARACTER * len(text) + A_SPAN * spans + A_LINE * ends:
            return result
    raise Slow(f"{function.__name__} is linear")


def covered(text: str, spans: Iterable[tuple[int, int]]) -> None:
    """Assert that spans are in order, without outer white space, and leave nothing but white space out."""
    previous = 0
    for start, end in spans:
        assert previous <= start < end <= len(text), "spans are in order and do not overlap"
        assert not text[start].isspace(), "no space at a span's start"
        assert not text[end - 1].isspace(), "no space at a span's end"
        assert not text[previous:start].strip(), "no character is left out"
        previous = end
    assert not text[previous:].strip(), "no character is left out"


def check_sentences(text: str) -> None:
    """Sentence spans cover the text."""
    covered(text, in_time(text, split.sentence_spans, text))


def check_lines(text: str, title: str = "") -> None:
    """A span for each line or wrapped paragraph, and for each marker of a cut text; of a known kind and reason."""
    spans = in_time(text, line_kinds.lines, text, title)
    covered(text, [(span.start, span.end) for span in spans])
    for span in spans:
        line_start = max(text.rfind(mark, 0, span.start) for mark in BREAKS) + 1
        at_line_start = not text[line_start : span.start].strip()
        assert at_line_start or span.reason == "cut short", "a span starts where a line does, unless it is a marker"
        assert span.kind in KINDS, "a known kind"
        assert span.reason, "a named reason"


def check_pieces(text: str, title: str = "") -> None:
    """The pieces of articles cover each, and sentences have ids of their own."""
    texts = {"a": text, "b": text[len(text) // 2 :]}
    articles = {
        "article_id": list(texts),
        "title": [title, ""],
        "extractor": [PLAIN, "trafilatura"],
        "text": list(texts.values()),
    }
    pieces = cut_articles.cut_articles(pa.RecordBatch.from_pydict(articles), CorpusSettings()).to_pylist()
    for name, whole in texts.items():
        own = [piece for piece in pieces if piece["article_id"] == name]
        sentences = [piece for piece in own if piece["kind"] == "sentence"]
        covered(whole, sorted((piece["start"], piece["end"]) for piece in own))
        assert [piece["index"] for piece in sentences] == list(range(len(sentences))), "sentences count up"
        starts = [piece["start"] for piece in sentences]
        assert starts == sorted(starts), "sentences are in the order of the text"
        assert len({piece["sentence_id"] for piece in sentences}) == len(sentences), "an id names one sentence"
        for piece in sentences:
            assert whole[piece["start"] : piece["end"]] == piece["text"], "offsets give the sentence"
            key = near_duplicates.compared(piece["text"], near_duplicates.normalise(piece["text"]))
            assert piece["key"] == key, "the key is of the sentence"


def check_key(text: str) -> None:
    """Normalising again changes nothing."""
    key = in_time(text, near_duplicates.normalise, text)
    assert near_duplicates.normalise(key) == key, "normalising is idempotent"
    assert key.split() == key.split(" ") or not key, "single spaces part words"
    lead = in_time(text, without_dateline, text)
    assert text.endswith(lead), "a dateline stands first"


CHECKS: dict[Callable[..., None], int] = {check_sentences: 1, check_lines: 2, check_pieces: 2, check_key: 1}
"""The claims, and how many arguments each takes: the text, and maybe a title."""


def fault(check: Callable[..., None], text: str, title: str) -> str:
    """What a text breaks of a claim, or nothing."""
    try:
        check(*(text, title)[: CHECKS[check]])
    except Exception as error:  # whatever it raises is a finding
        return f"{type(error).__name__}: {error}" if isinstance(error, AssertionError) else type(error).__name__
    return ""


def built(data: Any, hostile: bool) -> tuple[str, str]:
    """A text and a title from a FuzzedDataProvider; a hostile text is one piece, repeated."""
    if hostile:
        again, before, after = ("".join(parts(data, data.ConsumeIntInRange(0, 3))) for _ in range(3))
        return before + repeated(again) + after, repeated(again) if data.ConsumeBool() else ""
    found = parts(data, 200)
    return "".join(found[data.ConsumeBool() :]), found[0] if found else ""


def repeated(piece: str) -> str:
    """A long text."""
    return piece * (LONGEST // max(1, len(piece)))


def parts(data: Any, most: int) -> list[str]:
    """Fragments of news and arbitrary text, as many as the data gives."""
    found: list[str] = []
    while data.remaining_bytes() and len(found) < most:
        kind = data.ConsumeIntInRange(0, 31)
        if kind < 20:
            found.append(FRAGMENTS[data.ConsumeIntInRange(0, len(FRAGMENTS) - 1)])
        elif kind < 25:
            found.append(data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(1, 6)))
        elif kind < 28:
            code = data.ConsumeIntInRange(0, 0x10FFFF)
            found.append(chr(code) if not 0xD800 <= code < 0xE000 else "x")
        elif kind < 30:
            found.append(" ")
        else:
            found += found[-data.ConsumeIntInRange(1, 4) :] * data.ConsumeIntInRange(1, 3)
    return found


def smaller(text: str, fails: Callable[[str], bool]) -> str:
    """The text without all that its failure does not need; half a minute at most."""
    end = time.monotonic() + 30
    step = len(text)
    while step:
        place = 0
        while place < len(text) and time.monotonic() < end:
            less = text[:place] + text[place + step :]
            if fails(less):
                text = less
            else:
                place += step
        step //= 2
    return text


def smallest(check: Callable[..., None], text: str, title: str, what: str) -> tuple[str, str]:
    """A text and a title that break the same of a claim as these."""
    title = smaller(title, lambda less: fault(check, text, less) == what)
    return smaller(text, lambda less: fault(check, less, title) == what), title


def main() -> None:
    """Fuzz until the time is over, then say what was found."""
    import atheris

    with atheris.instrument_imports(include=["corpus"]):
        for module in (split, near_duplicates, line_kinds, cut_articles):
            importlib.reload(module)
    end = time.monotonic() + float(sys.argv[1])
    runs = 0
    found: dict[tuple[str, str], tuple[str, str]] = {}

    def try_out(text: str, title: str) -> None:
        nonlocal runs
        runs += 1
        for check in CHECKS:
            what = fault(check, text, title)
            if what and (check.__name__, what) not in found:
                print("found", check.__name__, what, flush=True)
                found[check.__name__, what] = smallest(check, text, title, what)

    def one(data: bytes) -> None:
        # Not by the data's first byte: hostile texts reach little new code, so they would be bred out.
        try_out(*built(atheris.FuzzedDataProvider(data), hostile=crc32(data) % 8 == 0))
        if time.monotonic() > end:
            print(f"{runs} runs in {sys.argv[1]} s, {time.process_time():.0f} s of them CPU: {len(found)} faults")
            for (name, what), (text, title) in found.items():
                print(f"{name}: {what}: {text!a:.400} ({len(text)} characters), title {title!a:.100}")
            sys.stdout.flush()
            os._exit(bool(found))  # libFuzzer has no other way out that is not a crash

    for fragment in FRAGMENTS:
        try_out(repeated(fragment), "")
    atheris.Setup(
        [
            sys.argv[0],
            "-max_len=1024",
            "-len_control=1",
            "-timeout=600",
            "-report_slow_units=600",
            "-rss_limit_mb=4096",
            *sys.argv[2:],
        ],
        one,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
