"""Draw the sentences of a round.

A round draws units that no earlier round drew. A unit is a group of exact copies, with one sentence that stands for it.
Randomness comes from digests of the seed, the round and the id, not from a generator: so every version of every
library draws the same units, and the order of the rows cannot matter.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from corpus.errors import ConfigError, TableError
from corpus.store import read_table, table_path, write_table
from labeling.records import STANCES, LabelingSettings

By = Literal["random", "stratified", "document", "keyword", "uncertainty"]
"""The ways of drawing that a user can ask for."""
SAMPLE = pa.schema(
    [("sentence_id", pa.string()), ("round", pa.int64()), ("by", pa.string()), ("probability", pa.float64())]
)
CHANCES = pa.schema([("sentence_id", pa.string()), *((stance, pa.float64()) for stance in STANCES)])
Name = TypeVar("Name", str, bool)


class SamplingUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A group of exact copies, named by the sentence that stands for it; once drawn, that sentence never changes."""

    sentence_id: str
    article_id: str
    outlet: str
    text: str


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that a round drew.

    `probability` is the probability of being drawn in this round, given the earlier rounds; None if chance did not
    choose. The random share of an uncertainty round is marked `by` random.
    """

    sentence_id: str
    round: Annotated[int, msgspec.Meta(ge=1)]
    by: Literal[By, "all", "server", "control"]
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None


# --- tables


def read_sample(work: Path) -> list[Draw]:
    """The draws of all rounds so far, from `sample.parquet`; empty if there is no such file.

    Raises:
        TableError: the file is not a table of draws, or a sentence was drawn twice.
    """
    path = table_path(work, "sample.parquet")
    if not path.is_file():
        return []
    restore = "restore it from a copy: what it holds can't be made again, and estimates rest on it"
    try:
        draws = msgspec.convert(read_table(path, SAMPLE, "stance push").to_pylist(), list[Draw])
    except (TableError, msgspec.ValidationError) as error:
        raise TableError(
            f"{path}: expected the rounds drawn so far, in the columns {', '.join(SAMPLE.names)}; "
            f"found: {error.__cause__ or error}; {restore}"
        ) from error
    # A control item repeats a sentence, but not twice in one round.
    seen = Counter((row.sentence_id, row.round if row.by == "control" else 0) for row in draws)
    twice = sorted(key for key, count in seen.items() if count > 1)
    if twice:
        raise TableError(f"{path}: expected each sentence to be drawn once; found {twice[0][0]} twice; {restore}")
    return draws


def write_sample(work: Path, draws: Sequence[Draw]) -> bool:
    """Write the draws of all rounds, earlier ones too, as `sample.parquet`; True if the file changed."""
    rows = [msgspec.structs.asdict(row) for row in draws]
    return write_table(table_path(work, "sample.parquet"), pa.Table.from_pylist(rows, schema=SAMPLE))


def to_label(draws: Iterable[Draw], copy_of: Mapping[str, str]) -> dict[str, str]:
    """The groups of exact copies to label, each with the member that stands for it.

    Args:
        draws: draws of all rounds; if nothing was drawn, every group is to be labelled.
        copy_of: the group of each sentence of the corpus, which is called by its first copy.

    Returns:
        Group → the member that was drawn, or else the first copy.
    """
    drawn = {row.sentence_id for row in draws if row.by != "control"}
    if not drawn:
        return {copy_id: copy_id for copy_id in copy_of.values()}
    return {copy_of[key]: key for key in sorted(drawn & copy_of.keys(), reverse=True)}


def read_certainty(work: Path) -> dict[str, float]:
    """How sure the model is of each sentence: its highest probability; NaN where one is missing.

    Raises:
        TableError: `predictions.parquet` is missing or is not a table of predictions.
    """
    path = work / "predictions.parquet"
    table = read_table(path, CHANCES, "stance predict")
    ids = table.column("sentence_id").to_pylist()
    chances = np.stack([table.column(stance).to_numpy() for stance in STANCES])
    known = chances[~np.isnan(chances)]
    if len(set(ids)) < len(ids) or ((known < 0) | (known > 1)).any():
        raise TableError(
            f"{path}: expected each sentence once, with probabilities from 0 to 1; found others. "
            "Run `stance predict` again"
        )
    return dict(zip(ids, chances.max(axis=0).tolist(), strict=True))


# --- drawing


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
    drawn = {row.sentence_id for row in earlier if row.by != "control"}
    rest = [unit for unit in pool if unit.sentence_id not in drawn]
    size = min(limit, len(rest))
    if size <= 0:
        return []
    number = _next_round(earlier)
    if by == "document":
        order = {unit.article_id: _digest(settings.seed, "article", unit.article_id) for unit in rest}
        rest.sort(key=lambda unit: order[unit.article_id])
        return [Draw(sentence_id=unit.sentence_id, round=number, by=by) for unit in rest[:size]]
    rank = {unit.sentence_id: _digest(settings.seed, number, unit.sentence_id) for unit in rest}
    rest.sort(key=lambda unit: rank[unit.sentence_id])
    ids = [unit.sentence_id for unit in rest]
    if by == "stratified":
        outlets = [unit.outlet for unit in rest]
        ties = {outlet: _digest(settings.seed, number, "outlet", outlet) for outlet in set(outlets)}
        return _from_strata(ids, outlets, _proportional(Counter(outlets), size, ties), number, by, settings.seed)
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
    if by == "random":
        return _from_strata(ids, [""] * len(ids), {"": size}, number, by, settings.seed)
    if certainty is None or not any(unit.sentence_id in certainty for unit in pool):
        raise TableError(
            f"uncertainty needs predictions of this corpus; found {len(certainty or ())}, none of a sentence of it. "
            "Run `stance predict` on it first"
        )
    by_chance = _from_strata(
        ids, [""] * len(ids), {"": part(size, settings.random_share)}, number, "random", settings.seed
    )
    left = [(_sureness(certainty.get(name)), rank[name], name) for name in ids[len(by_chance) :]]
    picks = [Draw(sentence_id=name, round=number, by=by) for _, _, name in sorted(left)[: size - len(by_chance)]]
    return _spread(by_chance, picks)


def draw_all(pool: Sequence[SamplingUnit], earlier: Sequence[Draw]) -> list[Draw]:
    """A round of all units that no earlier round drew, in the order of the corpus, with probability 1."""
    drawn = {row.sentence_id for row in earlier if row.by != "control"}
    names = [unit.sentence_id for unit in pool if unit.sentence_id not in drawn]
    number = _next_round(earlier)
    return [Draw(sentence_id=name, round=number, by="all", probability=1.0) for name in names]


def draw_controls(
    settled: Iterable[str], count: int, earlier: Sequence[Draw], settings: LabelingSettings
) -> list[Draw]:
    """A round that repeats `count` settled sentences, or all if fewer: at random, the least often repeated first."""
    number = _next_round(earlier)
    repeats = Counter(row.sentence_id for row in earlier if row.by == "control")
    names = sorted(set(settled), key=lambda name: (repeats[name], _digest(settings.seed, number, "control", name)))
    return [Draw(sentence_id=name, round=number, by="control") for name in names[: max(count, 0)]]


def keywords(settings: LabelingSettings, target: str) -> list[str]:
    """The words that `keyword` looks for: those in the settings, or else the target's of four or more letters.

    Raises:
        ConfigError: a keyword is blank, or none is set and the target has no such word.

    >>> keywords(LabelingSettings(), "sending Western troops to Ukraine")
    ['sending', 'western', 'troops', 'ukraine']
    """
    words = settings.keywords or re.findall(r"[^\W\d_]{4,}", target)
    plain = list(dict.fromkeys(" ".join(_plain(word).split()) for word in words))
    if not plain or "" in plain:
        raise ConfigError(
            f"[labeling] keywords: expected words, or a target that has some of four letters or more; "
            f"got {settings.keywords!r} and the target {target!r}"
        )
    return plain


def _having(units: Iterable[SamplingUnit], words: Sequence[str]) -> list[bool]:
    """For each unit, whether a word of its text starts with one of the keywords, so that `troop` finds `troops`."""
    starts = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in words)
    pattern = re.compile(rf"(?<!\w)(?:{starts})")
    return [pattern.search(_plain(unit.text)) is not None for unit in units]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _next_round(earlier: Sequence[Draw]) -> int:
    return max((row.round for row in earlier), default=0) + 1


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _sureness(chance: float | None) -> float:
    return -1.0 if chance is None or math.isnan(chance) else chance


def part(size: int, share: float) -> int:
    """The share of a size, rounded up, in decimal arithmetic: .07 × 100 is 7, but in floats a bit more."""
    return math.ceil(Fraction(str(share)) * size)


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
    return sorted(draws, key=lambda row: _digest(seed, number, "order", row.sentence_id))


def _proportional(of: Mapping[str, int], size: int, ties: Mapping[str, bytes]) -> dict[str, int]:
    """How many units to draw from each outlet: by its share and largest remainders, but at least one."""
    if size < len(of):
        raise ConfigError(
            f"stratified needs one sentence an outlet at least, {len(of)} in all; got a limit of {size}. "
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
