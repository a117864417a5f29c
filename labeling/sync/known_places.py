"""Decide which known Label Studio project was read, or that it is a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from labeling.sync.account_register import Place, Register, Source
from labeling.sync.answer_sources import Answer, Evidence, Verdict, by_source


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one project, to be compared with the known answers of the same kind.

    Attributes:
        number: the project's number at its server; 0 if not known.
        made: the time when the project was made there; empty if not known.
        evidence: the answers and tasks that were read.
        known: the known answers to sentences, or those in the queue.
    """

    number: int
    made: str = ""
    evidence: Evidence
    known: Sequence[Answer]


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """Where a reading comes from.

    Attributes:
        place: the Label Studio server.
        sources: the name of each project that was read, in their order; empty for a project that holds nothing.
        change: old → new name of each project that turned out to be another known one.
        new: whether nothing was known of the first project.
        another: whether this is another Label Studio server than the one that was at this address before.
        notes: what the user should know, a line each.
    """

    place: Place
    sources: list[str]
    change: dict[str, str]
    new: bool
    another: bool
    notes: list[str]


def locate_export(register: Register, reading: Reading, givers: Mapping[str, str], path: Path) -> Located:
    """Decide where an export comes from, by its content.

    Its path counts only if the tasks do not say when they were made, as in files that other programs wrote. Then an
    earlier file at the same path is taken to be of the same project, unless something in it speaks against that.

    Args:
        register: the private file's content, which is changed.
        reading: the export's content.
        givers: mail address of each account in it, by the account's key.
        path: path of the export.
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
    """Decide which Label Studio server is at an address now, and which known projects its projects are.

    It is the one that was there before, unless its numbers stand for other answers or tasks than they did: then
    somebody runs another server there, whose accounts are other people. A server that moved is recognised by what it
    holds.

    Args:
        register: the private file's content, which is changed.
        url: address of the server.
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
        # The names that answers have come first: they are what lasts.
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
    """Whether another Label Studio server is at this address than before, whatever its projects' numbers."""
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
    """Whether a reading is of each known project."""
    verdicts: dict[str, Verdict] = {}
    for name, rows in by_source(reading.known).items():
        place = register.place_of(name)
        number = place.sources[name].number if place else 0
        if number and reading.number and number != reading.number:
            verdicts[name] = "other"  # a project keeps its number
            continue
        other = place is not None and place.file != file and _readdressed(place, givers)
        verdicts[name] = reading.evidence.compare(rows, readdressed=other)
    return verdicts


def _readdressed(place: Place, givers: Mapping[str, str]) -> bool:
    """Whether an account has another address in a reading than it ever had at a place."""
    return any(
        address and (account := place.accounts.get(key)) and account.addresses and address not in account.addresses
        for key, address in givers.items()
    )


def _gathered(register: Register, places: Sequence[Place]) -> tuple[Place, list[str]]:
    """Merge places that turned out to be one; make a new one if there is none."""
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
    """Merge several names of one project: all become the first."""
    for name in names[1:]:
        place.sources.pop(name, None)
    return dict.fromkeys(names[1:], names[0])
