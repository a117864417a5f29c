"""Draw the sentences of a round.

A round draws units that no earlier round drew. A unit is a group of exact copies, with one sentence that stands for it.
Randomness comes from digests of the seed, the round and the id, not from a generator: so every version of every
library draws the same units, and the order of the rows cannot matter.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from corpus import words
from corpus.errors import ConfigError, TableError
from corpus.tables import strings
from labeling.records import LabelingSettings
from labeling.sampling.pool import SamplingUnit, digest, first_by_digest, ids_of
from labeling.sampling.sample_table import By, Draw

Name = TypeVar("Name", str, bool)


def draw(
    pool: Sequence[SamplingUnit],
    by: By,
    limit: int,
    *,
    earlier: Sequence[Draw],
    settings: LabelingSettings,
    target: str,
    certainty: Mapping[str, float] | None = None,
) -> list[Draw]:
    """One new round of exactly `limit` units, or of all that are left if there are fewer.

    - `random`: a simple random sample in random order, so that its beginning is a simple random sample too.
    - `stratified`: a simple random sample from each outlet, in proportion to its size, with at least one unit; in
      random order.
    - `document`: article by article, each in its own order. The order of the articles is the same in all rounds, so
      that the next round continues where this one stops.
    - `keyword`: a share of `1 - random_share` from the units with a keyword, the rest from those without. If one side
      runs out, the other makes up for it; each side that is not empty gives at least one unit; in random order.
    - `uncertainty`: `random_share`, rounded up, is drawn at random; then come the units of which the model is least
      sure, those without a prediction first. The random ones are spread evenly, so that any beginning has its share.

    Args:
        pool: all units of the corpus, in corpus order; only `document` uses that order, and only within articles.
        by: way of drawing.
        limit: number of units to draw.
        earlier: draws of all earlier rounds; what they drew is not drawn again, but control items do not count.
        settings: `[labeling]` of stance.toml, with the seed, keywords and random share.
        target: what the stance is toward, for the keywords.
        certainty: the model's highest probability for each sentence, from 0 to 1, for `uncertainty`.

    Returns:
        The round in the order in which it should be labelled. Document and uncertainty picks have no probability.

    Raises:
        ConfigError: `limit` is too small for one unit from each stratum, or no unit has a keyword.
        TableError: there are no predictions for this corpus.
    """
    left_ids = _left(pool, earlier)
    size = min(limit, len(left_ids))
    if size <= 0:
        return []
    number = _next_round(earlier)
    if by == "random":
        first = first_by_digest(left_ids, size, settings.seed, number)
        return _shuffled(first, number, by, settings.seed, size / len(left_ids))
    drawn = _drawn(earlier)
    rest = [unit for unit in pool if unit.sentence_id not in drawn]
    if by == "document":
        order = {unit.article_id: digest(settings.seed, "article", unit.article_id) for unit in rest}
        rest.sort(key=lambda unit: order[unit.article_id])
        return [Draw(sentence_id=unit.sentence_id, round=number, by=by) for unit in rest[:size]]
    rank = {unit.sentence_id: digest(settings.seed, number, unit.sentence_id) for unit in rest}
    rest.sort(key=lambda unit: rank[unit.sentence_id])
    ids = [unit.sentence_id for unit in rest]
    if by == "stratified":
        outlets = [unit.outlet for unit in rest]
        ties = {outlet: digest(settings.seed, number, "outlet", outlet) for outlet in set(outlets)}
        return _from_strata(ids, outlets, proportional(Counter(outlets), size, ties), number, by, settings.seed)
    if by == "keyword":
        words = keywords(settings, target)
        sides = _having(rest, words)
        if not any(sides) and not any(_having(pool, words)):
            raise ConfigError(
                f"no sentence of the corpus has a word that starts with one of the keywords {', '.join(words)}; "
                "set [labeling] keywords in stance.toml to words that it has"
            )
        return _from_strata(
            ids, sides, _enriched(Counter(sides), size, settings.random_share), number, by, settings.seed
        )
    if certainty is None or not any(unit.sentence_id in certainty for unit in pool):
        raise TableError(
            f"uncertainty needs predictions of this corpus; found {len(certainty or ())}, none of a sentence of it. "
            "Run `stance predict` on it first"
        )
    chance = part(size, settings.random_share)
    by_chance = _shuffled(ids[:chance], number, "random", settings.seed, chance / len(ids))
    left = [(_sureness(certainty.get(name)), rank[name], name) for name in ids[len(by_chance) :]]
    picks = [Draw(sentence_id=name, round=number, by=by) for _, _, name in sorted(left)[: size - len(by_chance)]]
    return _spread(by_chance, picks)


_PARTICLES = {"ARABIC": "(?:[وف]?(?:لل|[بكل]?(?:ال)?))", "HEBREW": "(?:ו?[שהמבלכ]{0,2})"}
_POINTS = re.compile("[\u0640\u064b-\u0652\u0670\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
"""Signs that are left out in most Arabic and Hebrew texts: vowels, doubling, and the line that stretches a word."""


def draw_all(pool: Sequence[SamplingUnit], earlier: Sequence[Draw]) -> list[Draw]:
    """A round of all units that no earlier round drew, in the order of the corpus, with probability 1."""
    names = _left(pool, earlier).to_pylist()
    number = _next_round(earlier)
    return [Draw(sentence_id=name, round=number, by="all", probability=1.0) for name in names]


def draw_controls(
    settled: Iterable[str], count: int, earlier: Sequence[Draw], settings: LabelingSettings
) -> list[Draw]:
    """A round that repeats `count` settled sentences, or all if fewer: at random, the least often repeated first."""
    number = _next_round(earlier)
    repeats = Counter(row.sentence_id for row in earlier if row.by == "control")
    names = sorted(set(settled), key=lambda name: (repeats[name], digest(settings.seed, number, "control", name)))
    return [Draw(sentence_id=name, round=number, by="control") for name in names[: max(count, 0)]]


def keywords(settings: LabelingSettings, target: str) -> list[str]:
    """The words that `keyword` looks for: those in the settings, or else the target's of four or more letters.

    Raises:
        ConfigError: a keyword is blank, or none is set and the target has no such word.

    >>> keywords(LabelingSettings(), "sending Western troops to Ukraine")
    ['sending', 'western', 'troops', 'ukraine']
    """
    plain = list(dict.fromkeys(" ".join(_plain(word).split()) for word in settings.keywords or _long_words(target)))
    if not plain or "" in plain:
        raise ConfigError(
            "[labeling] keywords: expected words, or a target that has some of four letters or more (a target in a "
            f"script without spaces between words has none); got {settings.keywords!r} and the target {target!r}"
        )
    return plain


def _long_words(target: str) -> list[str]:
    """The words of a target that have four letters or more, without digits."""
    parts = re.split(r"[\d_]", target)
    return [word for part in parts for word in words.in_text(part) if len(word) > 3 and not words.is_unspaced(word)]


def _having(units: Iterable[SamplingUnit], sought: Sequence[str]) -> list[bool]:
    """For each unit, whether a word of its text starts with one of the keywords, so that `troop` finds `troops`.

    In scripts without spaces between words, a keyword is found anywhere. In Arabic and Hebrew it is also found after
    the particles that are written as part of a word: conjunctions, prepositions and the article.
    """
    pattern = re.compile("|".join(_start(word[:1]) + re.escape(word).replace(r"\ ", r"\s+") for word in sought))
    return [pattern.search(_plain(unit.text)) is not None for unit in units]


def _start(letter: str) -> str:
    """What stands before a keyword with this first letter, as a regular expression: the start of its word."""
    if words.is_unspaced(letter):
        return ""
    particles = next((found for script, found in _PARTICLES.items() if script in unicodedata.name(letter, "")), "")
    return rf"(?<![\w{words.MARKS}]){particles}"


def _plain(text: str) -> str:
    """A text by which keywords are compared: without case, and without Arabic and Hebrew vowel signs."""
    return _POINTS.sub("", unicodedata.normalize("NFC", text)).casefold()


def _next_round(earlier: Sequence[Draw]) -> int:
    return max((row.round for row in earlier), default=0) + 1


def _sureness(chance: float | None) -> float:
    return -1.0 if chance is None or math.isnan(chance) else chance


def part(size: int, share: float) -> int:
    """The share of a size, rounded up, in decimal arithmetic: .07 × 100 is 7, but in floats a bit more."""
    return math.ceil(Fraction(str(share)) * size)


def _drawn(earlier: Iterable[Draw]) -> set[str]:
    """What earlier rounds drew from the corpus; what they drew from an archive can be drawn from the corpus, too."""
    return {row.sentence_id for row in earlier if row.is_of_corpus}


def _left(pool: Sequence[SamplingUnit], earlier: Sequence[Draw]) -> pa.ChunkedArray:
    """The ids of the units that no earlier round drew."""
    ids, drawn = ids_of(pool), _drawn(earlier)
    return ids.filter(pc.invert(pc.is_in(ids, value_set=strings(sorted(drawn))))) if drawn else ids


def _shuffled(ids: Sequence[str], number: int, by: By, seed: int, probability: float) -> list[Draw]:
    return in_order([Draw(sentence_id=id_, round=number, by=by, probability=probability) for id_ in ids], number, seed)


def in_order(draws: Sequence[Draw], number: int, seed: int) -> list[Draw]:
    """The draws of a round in the random order in which they should be labelled."""
    return sorted(draws, key=lambda row: digest(seed, number, "order", row.sentence_id))


def _from_strata(
    ids: Sequence[str], names: Sequence[Name], sizes: Mapping[Name, int], number: int, by: By, seed: int
) -> list[Draw]:
    """The first units of each stratum of `ids`, which come in random order, as many as `sizes` says; shuffled again.

    In the order of `ids`, the end would belong to the strata of which more is drawn, so that the beginning would not be
    a sample of all.
    """
    of = Counter(names)
    left = dict(sizes)
    draws: list[Draw] = []
    for sentence_id, name in zip(ids, names, strict=True):
        if left[name]:
            left[name] -= 1
            draws.append(Draw(sentence_id=sentence_id, round=number, by=by, probability=sizes[name] / of[name]))
    return in_order(draws, number, seed)


def proportional(of: Mapping[str, int], size: int, ties: Mapping[str, bytes]) -> dict[str, int]:
    """How many units to draw from each outlet: by its share and largest remainders, but at least one."""
    if size < len(of):
        raise ConfigError(
            f"stratified needs one sentence an outlet at least, {len(of):,} in all; got a limit of {size:,}. "
            f"Take --limit {len(of)} or more, or --by random"
        )
    open_ = dict(of)
    while small := [
        name for name, count in open_.items() if count * (size - len(of) + len(open_)) < sum(open_.values())
    ]:
        for name in small:
            del open_[name]
    spare, total = size - len(of) + len(open_), sum(open_.values())
    sizes = {name: open_.get(name, 0) * spare // total or 1 for name in of}
    short = sorted(open_, key=lambda name: (-(open_[name] * spare % total), ties[name]))
    for name in short[: size - sum(sizes.values())]:
        sizes[name] += 1
    return sizes


def _enriched(of: Mapping[bool, int], size: int, random_share: float) -> dict[bool, int]:
    """How many units to draw from those with a keyword (True) and without (False)."""
    both = min(of[True], of[False]) > 0
    if both and size < 2:
        raise ConfigError("keyword needs one sentence with a keyword and one without at least; got a limit of 1")
    others = min(max(part(size, random_share), int(both)), size - int(both))
    others = max(min(others, of[False]), size - of[True])
    return {True: size - others, False: others}


def _spread(few: Sequence[Draw], many: Sequence[Draw]) -> list[Draw]:
    """Both lists in one, the first at even distances, so that every beginning has its share of them, rounded up."""
    size = len(few) + len(many)
    at = {n * size // len(few): row for n, row in enumerate(few)}
    others = iter(many)
    return [at[place] if place in at else next(others) for place in range(size)]
