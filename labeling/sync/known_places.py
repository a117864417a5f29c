"""Decide which known Label Studio project was read, or that it is a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from labeling.sync.account_register import Place, Register, Source
from labeling.sync.answer_sources import Answer, Evidence, Verdict, by_source


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one project, to be compared with the answers of its kind that are known.

    Attributes:
        number: the project's number at its server; 0 where it isn't known.
        made: the moment when the project was made there; empty where it isn't known.
        evidence: the answers and tasks that were read.
        known: the known answers: those to sentences, or those in the queue.
    """

    number: int
    made: str = ""
    evidence: Evidence
    known: Sequence[Answer]


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """Where a reading comes from.

    Attributes:
        place: the Label Studio.
        sources: the name of each project that was read, in their order; empty for a project that holds nothing.
        change: names of projects that have become others: two turned out to be one.
        new: whether nothing was known of the first project.
        another: whether this is another Label Studio than the one that was at this address before.
        notes: what the user should know.
    """

    place: Place
    sources: list[str]
    change: dict[str, str]
    new: bool
    another: bool
    notes: list[str]


def locate_export(register: Register, reading: Reading, givers: Mapping[str, str], path: Path) -> Located:
    """Where an export comes from, by what it holds.

    Its path counts for nothing, but where the tasks don't say when they were made, as in files that other programs
    wrote: then what is known of another file of the same path is taken for the same project, unless something in it
    speaks against that.

    Args:
        register: the private file, which is changed.
        reading: what the export holds.
        givers: the address of each account in it, by its key.
        path: the file.
    """
    file = str(path.resolve())
    verdicts = _verdicts(register, reading, givers, file)
    same = [name for name, verdict in verdicts.items() if verdict == "same"]
    every = {*verdicts, *(name for place in register.places for name in place.sources)}
    if not same and not any("@" in mark for mark in reading.evidence.tasks):
        here = {name for place in register.places if place.file == file for name in place.sources}
        same = [name for name in verdicts if name in here and verdicts[name] == "unknown"][-1:]
    if not same:
        name = reading.evidence.name(())
        same = [name] if verdicts.get(name, "unknown") == "unknown" and name in every else []
    new = not same
    same = same or [reading.evidence.name(every)]
    place, notes = _gathered(register, [found for name in same if (found := register.place_of(name))])
    place.file = file if not place.url else place.file
    source = place.sources.setdefault(same[0], Source())
    source.number = reading.number or source.number
    change = _joined(place, same)
    return Located(place=place, sources=same[:1], change=change, new=new, another=False, notes=notes)


def locate_server(register: Register, url: str, readings: Sequence[Reading]) -> Located:
    """Which Label Studio is at an address now, and which of the known projects its projects are.

    It is the one that was there before, unless its numbers stand for other answers or tasks than they did: then
    somebody runs another one there, whose accounts are other people. One that moved is known by what it holds.

    Args:
        register: the private file, which is changed.
        url: the address.
        readings: what was read of each project.
    """
    before = register.place_at(url)
    another = before is not None and _is_another(before, readings)
    if before and another:
        before.url, before = "", None
    found = [before] if before else []
    named: list[list[str]] = []
    for reading in readings:
        names = [name for name, row in before.sources.items() if row.number == reading.number][-1:] if before else []
        names += [
            name
            for row in register.places
            for name, source in row.sources.items()
            if reading.made and (source.number, source.made) == (reading.number, reading.made)
        ]
        verdicts = _verdicts(register, reading, {}, "")
        names += [name for name, verdict in verdicts.items() if verdict == "same"]
        # The names that answers bear come first: they are what lasts.
        names = sorted(dict.fromkeys(names), key=lambda name: name not in verdicts)
        found += [place for name in names if (place := register.place_of(name))]
        named.append(names)
    place, notes = _gathered(register, found)
    place.url, place.file = url, ""
    for other in register.places:
        other.url = "" if other is not place and other.url == url else other.url
    sources: list[str] = []
    change: dict[str, str] = {}
    every = {name for row in register.places for name in row.sources}
    for reading, names in zip(readings, named, strict=True):
        every |= by_source(reading.known).keys()
        if not names and (reading.evidence.tasks or reading.evidence.rows):
            names = [reading.evidence.name(every)]
        every |= {*names}
        sources.append(names[0] if names else "")
        if names:
            place.sources[names[0]] = Source(number=reading.number, made=reading.made)
            change |= _joined(place, names)
    new = not named[0] if named else True
    return Located(place=place, sources=sources, change=change, new=new, another=another, notes=notes)


def _is_another(place: Place, readings: Sequence[Reading]) -> bool:
    """Whether the Label Studio at an address is another one than it was, whatever its projects' numbers."""
    made = {
        source.made == reading.made
        for reading in readings
        for source in place.sources.values()
        if source.number == reading.number and source.made and reading.made
    }
    if made:
        return True not in made
    return any(
        reading.evidence.conflicts(rows)
        for reading in readings
        for name, rows in by_source(reading.known).items()
        if name in place.sources
    )


def _verdicts(register: Register, reading: Reading, givers: Mapping[str, str], file: str) -> dict[str, Verdict]:
    """Of each known project whether a reading is of it."""
    found: dict[str, Verdict] = {}
    for name, rows in by_source(reading.known).items():
        place = register.place_of(name)
        number = place.sources[name].number if place else 0
        if number and reading.number and number != reading.number:
            found[name] = "other"  # a project keeps its number
            continue
        other = place is not None and place.file != file and _readdressed(place, givers)
        found[name] = reading.evidence.compare(rows, readdressed=other)
    return found


def _readdressed(place: Place, givers: Mapping[str, str]) -> bool:
    """Whether an account has another address in a reading than it ever had at a place."""
    return any(
        address and (account := place.accounts.get(key)) and account.addresses and address not in account.addresses
        for key, address in givers.items()
    )


def _gathered(register: Register, places: Sequence[Place]) -> tuple[Place, list[str]]:
    """Places that turned out to be one, as one; a new one where there is none."""
    notes: list[str] = []
    place: Place | None = None
    for row in register.places.copy():
        if not any(row is found for found in places):
            continue
        if place is None:
            place = row
        else:
            notes += register.absorb(place, row)
    if place is None:
        place = Place()
        register.places.append(place)
    return place, notes


def _joined(place: Place, names: Sequence[str]) -> dict[str, str]:
    """Several names of one project: all become the first."""
    for name in names[1:]:
        place.sources.pop(name, None)
    return dict.fromkeys(names[1:], names[0])
