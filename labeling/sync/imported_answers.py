"""Recognise answers that were exported from one Label Studio and imported into another, where all have new numbers.

An import gives every task, answer and project a new number and a new time, and the answers to accounts that happen to
have the numbers of the old ones, or to the account that imports. What it keeps is the answer itself, the sentence, the
seconds that it took, and, as `import_id`, the number that the answer had before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Generic

import msgspec

from labeling.identity.answer_sources import Answer, AnswerRow, said
from labeling.migration.migrated_answers import MigratedAnswers
from labeling.records import Annotation
from labeling.sync.merge_answers import is_named


class Placed(msgspec.Struct, Generic[AnswerRow], frozen=True, kw_only=True):
    """Answers that were read, where those that were imported have the identity that they had before.

    Attributes:
        rows: the answers.
        keys: key of the account that gave each; empty where the account only stands for whoever imported the answer.
        pairs: position among the known answers of each, or None.
        moved: number of known answers that were found again.
        new: number of imported answers that are not known.
        origins: each project that was read and holds imported answers, with the known one that they come from.
    """

    rows: list[AnswerRow]
    keys: list[str]
    pairs: list[int | None]
    moved: int
    new: int
    origins: set[tuple[str, str]]


def place_imported(
    known: Sequence[AnswerRow],
    fresh: Sequence[AnswerRow],
    keys: Sequence[str],
    pairs: Sequence[int | None],
    before: Sequence[int | None],
    origins: Collection[tuple[str, str]],
    migrated: MigratedAnswers,
) -> Placed[AnswerRow]:
    """Find imported answers among the known ones; they keep their identity and their person.

    An imported answer is an edit of the known one if it says something else, unless it says what a migration made of
    the known one. Its account shows nothing: if nobody knows whose it is, it stays an unknown person's.

    Args:
        known: answers so far.
        fresh: answers that were read, with their source.
        keys: key of the account that each is attributed to where it was read.
        pairs: position among the known answers of each, as `pair` returns it.
        before: the number that each had before it was imported; None if it was given where it was read.
        origins: what earlier readings found out: projects that hold imported answers, with those that they come from.
        migrated: what migrations did to answers before they were exported.
    """
    found = _find(known, fresh, pairs, before, origins, migrated)
    rows, people, places = list(fresh), list(keys), list(pairs)
    all_origins = set(origins)
    for position, place in found.items():
        all_origins.add((fresh[position].source, known[place].source))
    here = {source for source, _ in all_origins}
    for position, number in enumerate(before):
        partner = places[position]
        unknown = fresh[position].source in here if partner is None else not is_named(known[partner])
        if number is not None and unknown:
            people[position] = ""
    new = sum(number is not None and place is None for number, place in zip(before, places, strict=True)) - len(found)
    for position, place in found.items():
        was = known[place]
        rows[position] = was if _is_same(fresh[position], was, migrated) else _with_identity(fresh[position], was)
        places[position] = place
    return Placed(rows=rows, keys=people, pairs=places, moved=len(found), new=new, origins=all_origins)


def _find(
    known: Sequence[AnswerRow],
    fresh: Sequence[AnswerRow],
    pairs: Sequence[int | None],
    before: Sequence[int | None],
    origins: Collection[tuple[str, str]],
    migrated: MigratedAnswers,
) -> dict[int, int]:
    """The position among the known answers of each imported one, of those projects that were imported as a whole."""
    taken = {place for place in pairs if place is not None}
    numbered: dict[tuple[object, ...], list[int]] = defaultdict(list)
    timed: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, row in enumerate(known):
        if place not in taken:
            numbered[_key(row), row.studio_id].append(place)
            if _seconds(row):
                timed[_key(row), _seconds(row)].append(place)
    matches: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for position, number in enumerate(before):
        read = fresh[position]
        if number is None or pairs[position] is not None:
            continue
        # After a second import the number is that of the first, which another answer can have here. The seconds are
        # still the same, but do not say which of two answers it is if both took equally long.
        alike = timed[_key(read), _seconds(read)]
        for place in alike if len(alike) == 1 else numbered[_key(read), number]:
            if known[place].source != read.source:
                matches[read.source, known[place].source].append((position, place))
    found: dict[int, int] = {}
    used: set[int] = set()
    for both in sorted(matches, key=lambda both: (-len(matches[both]), both)):
        timely = [
            (position, place)
            for position, place in matches[both]
            if _seconds(known[place]) and _seconds(known[place]) == _seconds(fresh[position])
        ]
        if timely and not any(known[place].studio_id == before[position] for position, place in timely):
            matches[both] = timely  # it was imported twice, so that numbers say nothing
        rows = [(fresh[position], known[place]) for position, place in matches[both]]
        if both not in origins and not _is_moved(rows, migrated):
            continue
        for position, place in matches[both]:
            if position not in found and place not in used:
                found[position] = place
                used.add(place)
    return found


def _is_moved(matches: Sequence[tuple[AnswerRow, AnswerRow]], migrated: MigratedAnswers) -> bool:
    """Whether answers with the same numbers are the same: by the seconds that they took, or if all say the same."""
    seconds = [(_seconds(row), _seconds(was)) for row, was in matches]
    told = [now == then for now, then in seconds if now is not None or then is not None]
    if told:
        return 2 * sum(told) > len(told)
    return all(_is_same(row, was, migrated) for row, was in matches)


def _is_same(row: AnswerRow, was: AnswerRow, migrated: MigratedAnswers) -> bool:
    """Whether an imported answer says what the known one does, or what a migration made of it."""
    if said(row) == said(was):
        return True
    as_given = msgspec.structs.replace(row, stance=was.stance)
    return said(as_given) == said(was) and migrated.rewrote(was, row.stance)


def _key(row: Answer) -> tuple[str, int]:
    return row.sentence_id, row.control if isinstance(row, Annotation) else 0


def _seconds(row: Answer) -> float | None:
    return (row.seconds or None) if isinstance(row, Annotation) else None


def _with_identity(row: AnswerRow, was: AnswerRow) -> AnswerRow:
    """An edit of a known answer, with what identifies the known one."""
    names = ["studio_id", "created_at", "source", "task"] + (["unique_id"] if isinstance(row, Annotation) else [])
    return msgspec.structs.replace(row, **{name: getattr(was, name) for name in names})
