"""Texts with planted near-duplicates, and how many of these are found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate

_SYLLABLES = "ba ce di for gan hel in jor kel lan min nor os per qua res sal ter un vor wes xi yan zen tion ment"

_OPENINGS = [
    "the prime minister of {} said on {} that",
    "a spokesman for {} told reporters on {} that",
    "according to figures published by {} on {}",
    "police in {} said in a statement on {} that",
    "shares in {} fell by more than {} percent after",
    "the european commission has accused {} of breaching the {} agreement because",
]

_CLOSINGS = [
    "a spokesman for the ministry said in a statement",
    "according to two people familiar with the matter",
    "the agency reported citing officials in {}",
    "who spoke on condition of anonymity",
]


DATELINES = [
    "LAKE HARBOR, Northern Province, Jan. 11 (Reuters) - ",
    "LAKE HARBOR, Jan 11 (Reuters) - ",
    "LAKE HARBOR, Jan. 11. — ",
    "LAKE HARBOR (AP) — ",
    "LAKE HARBOR (AP) _ ",
    "LAKE HARBOR and PORT NORD (AP) — ",
    "ST. ORRIN, Ore. (AP) — ",
    "CARROW, D.C. (CWA) — ",
    "U.N. HEADQUARTERS (AP) — ",
    "N’DJAMENA, Chad — ",
    "AIX-EN-PROVENCE, France — ",
    "PARIS – ",
    "PARIS - ",
    "PARIS -- ",
    "PARIS—",
    "BERLIN/PARIS (Reuters) – ",
    "WASHINGTON, March 3 - ",
    "WASHINGTON, March 3, 2031 (AFP) – ",
    "WASHINGTON, D.C., March 3, 2031 – ",
    "BEIJING, Jan. 3 (Xinhua) -- ",
    "NEW YORK, Jan. 11, 2031 /PRNewswire/ -- ",
    "KUALA LUMPUR, Monday — ",
    "Washington, March 3 – ",
    "Lake Harbor, 11/01/2031 – ",
    "London (AFP) - ",
    "Washington (CNN) ",
    "(CNN)",
    "(Reuters) - ",
    "(Thomson Reuters Foundation) - ",
    "Jan 11 (Reuters) - ",
    "WASHINGTON [Reuters] — ",
    "NEW DELHI, Jan 11 (PTI): ",
    "NEW DELHI: ",
    "WASHINGTON | ",
    "Berlin (dpa) - ",
    "Berlin (dpa/lno) - ",
    "Paris, 3 mars 2031 (AFP) – ",
    "Madrid, 3 mar (EFE).- ",
    "MADRID, 3 Mar. (EUROPA PRESS) - ",
    "(ANSA) - ROMA, 03 MAR - ",
    "São Paulo, 3 de março (Lusa) – ",
    "Warszawa (PAP) - ",
    "MOSCOW, January 3. /TASS/. ",
    "МОСКВА, 3 марта. /ТАСС/. ",
    "By Ruth Holm – ",
    "By RUTH HOLM, Associated Press – ",
    "By Ruth Holm and Jo Dane, Reuters - ",
    "By Ruth Holm LAKE HARBOR (AP) — ",
]


WIRE = (
    "The finance minister told parliament on Thursday that the government would not raise the tax on diesel "
    "before the harvest, although the deficit has widened for a third year."
)


def variants(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    other = ["ministers", "officials", "Friday", "said", "fuel", "petrol", "soon", "never", "widely", "a", "these"]
    return [" ".join(edited(rng, WIRE.split(), lambda: rng.choice(other))) for _ in range(count)]


def line(length: int) -> list[str]:
    """A chain of sentences, each a near-duplicate of its two neighbours and of no other sentence, in random order.

    Each is a window of thirteen words, which moves by two words: neighbours share 85 percent of their words, a sentence
    and the next but one 69.
    """
    words = [f"{number}x{number * 7919 % 10007}" for number in range(2 * length + 12)]
    texts = [" ".join(words[2 * start : 2 * start + 13]) for start in range(length)]
    random.Random(5).shuffle(texts)
    return texts


def planted(sentences: int, seed: int = 0) -> tuple[list[str], set[tuple[int, int]]]:
    """Make sentences of which one in ten is an edit of another.

    Args:
        sentences: number of sentences to make.
        seed: seed of the random generator; the same seed gives the same sentences.

    Returns:
        The sentences in random order, and the pairs of positions (smaller first) that belong together.
    """
    rng = random.Random(seed)
    syllables = _SYLLABLES.split()
    # Frequent words are short, as in English: a sentence of 22 words comes to about 130 characters.
    sizes = [rng.choice((1, 1, 2)) if rank < 400 else rng.choice((2, 2, 3)) for rank in range(60_000)]
    vocabulary = list(dict.fromkeys("".join(rng.choices(syllables, k=size)) for size in sizes))
    cumulative = list(accumulate(1 / (rank + 2.7) for rank in range(len(vocabulary))))

    def words(count: int) -> list[str]:
        return rng.choices(vocabulary, cum_weights=cumulative, k=count)

    def sentence() -> list[str]:
        length = rng.randint(8, 35)
        if length < 16 or rng.random() < 0.6:
            return words(length)
        opening = rng.choice(_OPENINGS).format(*words(2)).split()
        closing = rng.choice(_CLOSINGS).format(*words(1)).split() if length > 24 else []
        return opening + words(length - len(opening) - len(closing)) + closing

    originals = [sentence() for _ in range(sentences - sentences // 10)]
    chosen = rng.sample(range(len(originals)), sentences // 10)
    everything = originals + [edited(rng, originals[position], lambda: words(1)[0]) for position in chosen]
    order = rng.sample(range(len(everything)), len(everything))
    place = {old: new for new, old in enumerate(order)}
    texts = [" ".join(everything[old]).capitalize() + "." for old in order]
    pairs = {(place[old], place[len(originals) + i]) for i, old in enumerate(chosen)}
    return texts, {(min(pair), max(pair)) for pair in pairs}


def edited(rng: random.Random, original: Sequence[str], word: Callable[[], str]) -> list[str]:
    """Replace, insert or delete one to three words.

    Args:
        rng: random generator that makes the choices.
        original: words of the sentence, which are not changed.
        word: function that makes a new word.

    Returns:
        The words of the edited sentence.
    """
    words = list(original)
    for _ in range(rng.randint(1, 3)):
        at, how = rng.randrange(len(words)), rng.choice(("replace", "insert", "delete"))
        words[at : at + (how != "insert")] = [] if how == "delete" else [word()]
    return words


def scores(clusters: Sequence[int], pairs: set[tuple[int, int]]) -> tuple[float, float]:
    """Recall and precision of clusters.

    Args:
        clusters: number of each sentence's cluster.
        pairs: pairs of positions that belong together.
    """
    hits = sum(clusters[one] == clusters[two] for one, two in pairs)
    made = sum(size * (size - 1) // 2 for size in Counter(clusters).values())
    return hits / len(pairs), hits / made if made else 0.0
