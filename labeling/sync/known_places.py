"""Decide which known Label Studio project was read, or that it is a new one; and tell the user what has moved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from corpus.numbers import number
from labeling.identity.account_register import KnownServer, Register, Source
from labeling.identity.answer_sources import Answer, Evidence, Verdict, by_source
from labeling.records import Adjudication, Annotation, LabelingSettings
from labeling.studio.api_records import Project
from labeling.sync.merge_answers import who


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one project, to be compared with the known answers of the same kind.

    Attributes:
        number: the project's number at its server; 0 if not known.
        made: the time when the project was made there; empty if not known.
        title: the project's title, if it is one of several; empty otherwise.
        evidence: the answers and tasks that were read.
        known: the known answers to sentences, or those in the queue.
    """

    number: int
    made: str = ""
    title: str = ""
    evidence: Evidence
    known: Sequence[Answer]


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """Where a reading comes from.

    Attributes:
        place: the Label Studio server.
        sources: the name of each project that was read, in their order; empty for a project that holds nothing.
        change: old → new name of each project that turned out to be another known one.
        new: whether nothing was known of the first project.
        contradicts: name of the project that an earlier file at this path was of, if this file has other answers and no
            times that tell which are the later ones.
        another: whether this is another Label Studio server than the one that was at this address before.
        notes: what the user should know, a line each.
    """

    place: KnownServer
    sources: list[str]
    change: dict[str, str]
    new: bool
    another: bool
    notes: list[str]
    contradicts: str = ""


def locate_export(
    register: Register,
    reading: Reading,
    givers: Mapping[str, str],
    path: Path,
    *,
    person: str = "",
    corrected: bool = False,
) -> Located:
    """Decide where an export comes from, by its content.

    Its path counts only if the tasks do not say when they were made, as in files that other programs wrote. Then an
    earlier file at the same path is taken to be of the same project, unless something in it speaks against that. Files
    at different paths that hold the same answers are one project, too, unless the user says that they are another
    person's.

    Args:
        register: the private file's content, which is changed.
        reading: the export's content.
        givers: mail address of each account in it, by the account's key.
        path: path of the export.
        person: pseudonym of the person whose answers these are, if the user says so.
        corrected: whether the user says that this is the earlier file at the same path, with corrections.
    """
    file = str(path.resolve())
    known = by_source(reading.known)
    verdicts = _verdicts(register, reading, givers, file)
    here = {name for place in register.places if place.file == file for name in place.sources}
    sure = {name for name, verdict in verdicts.items() if verdict == "same" and reading.evidence.is_sure(known[name])}
    for name, verdict in verdicts.items():
        if person and verdict == "same" and name not in sure | here:
            whose = {who(row) for row in reading.evidence.shared(known[name])}
            verdicts[name] = "same" if person in whose else "other"
    same = [name for name, verdict in verdicts.items() if verdict == "same"]
    if not sure and len(same) > 1:
        same = _apart(reading, known, sorted(same, key=lambda name: name not in here))
    every = {*verdicts, *(name for place in register.places for name in place.sources)}
    untimed = not any("@" in mark for mark in reading.evidence.tasks)
    contradicts = ""
    if not same and untimed:
        same = [name for name in verdicts if name in here and verdicts[name] == "unknown"][-1:]
        other = [name for name in verdicts if name in here and reading.evidence.shared(known[name])][-1:]
        if not same and corrected:
            same = other
        elif not same and other:
            contradicts = other[0]
    if not same:
        name = reading.evidence.name(())
        same = [name] if verdicts.get(name, "unknown") == "unknown" and name in every else []
    new = not same
    same = same or [reading.evidence.name(every)]
    place, notes = _gathered(register, [found for name in same if (found := register.place_of(name))])
    elsewhere = bool(place.file) and place.file != file and not sure and untimed and not new
    if elsewhere and not person and reading.evidence.shared(known.get(same[0], [])):
        notes.append(
            "the file has the same answers as an earlier one elsewhere, and no times or ids that tell them apart: "
            "they are counted once; if these are another person's, pull it with --annotator NAME"
        )
    place.file = file if not place.url else place.file
    source = place.sources.setdefault(same[0], Source())
    source.number = reading.number or source.number
    change = _joined(place, same)
    return Located(
        place=place, sources=same[:1], change=change, new=new, another=False, notes=notes, contradicts=contradicts
    )


def _apart(reading: Reading, known: Mapping[str, Sequence[Answer]], names: Sequence[str]) -> list[str]:
    """Of several projects with the same answers as a file, those that are parts of one: no two share an answer.

    If two share answers, they can be two people's who agree, so only the first is taken.
    """
    parts: list[str] = []
    seen: set[int | None] = set()
    for name in names:
        numbers = {row.studio_id for row in reading.evidence.shared(known[name])}
        if not numbers & seen:
            parts.append(name)
            seen |= numbers
    return parts


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
    if place.url and place.url != url:
        notes.append(f"{url} is the Label Studio that was at {place.url} before, by what it holds")
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
            imported = sorted({origin for name, origin in register.origins() if name in names})
            place.sources[names[0]] = Source(
                number=reading.number, made=reading.made, imported=imported, title=reading.title
            )
            change |= _joined(place, names)
    new = not named[0] if named else True
    return Located(place=place, sources=sources, change=change, new=new, another=another, notes=notes)


def _is_another(place: KnownServer, readings: Sequence[Reading]) -> bool:
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


def _readdressed(place: KnownServer, givers: Mapping[str, str]) -> bool:
    """Whether an account has another address in a reading than it ever had at a place."""
    return any(
        address and (account := place.accounts.get(key)) and account.addresses and address not in account.addresses
        for key, address in givers.items()
    )


def _gathered(register: Register, places: Sequence[KnownServer]) -> tuple[KnownServer, list[str]]:
    """Merge places that turned out to be one; make a new one if there is none."""
    notes: list[str] = []
    place: KnownServer | None = None
    for row in register.places.copy():
        if not any(row is found for found in places):
            continue
        if place is None:
            place = row
        else:
            notes += register.absorb(place, row)
    if place is None:
        place = KnownServer()
        register.places.append(place)
    return place, notes


def _joined(place: KnownServer, names: Sequence[str]) -> dict[str, str]:
    """Merge several names of one project: all become the first."""
    for name in names[1:]:
        place.sources.pop(name, None)
    return dict.fromkeys(names[1:], names[0])


def moved_notes(url: str, answers: int, settled: int) -> list[str]:
    """Notes on projects that were exported elsewhere and imported at this server."""
    return [
        f"{number:,} {what} at {url} were imported there from a project that is known: they are the same {what}, and "
        "stay with their people; accounts there count as other people unless their address is known"
        for number, what in ((answers, "answers"), (settled, "answers in the queue"))
        if number
    ]


def imported_notes(url: str, new: int) -> list[str]:
    """A note on answers that were given elsewhere, of which nothing is known."""
    return (
        [
            f"{number(new, 'answer')} at {url}, given elsewhere and imported there: counted for the accounts that "
            "Label Studio shows, which can be those of whoever did the import"
        ]
        if new
        else []
    )


def missing_notes(
    url: str,
    settings: LabelingSettings,
    queue: Project | None,
    located: Located,
    rows: Iterable[Annotation],
    settled: Collection[Adjudication],
) -> list[str]:
    """Notes on projects that are missing, whose answers therefore stay."""
    notes: list[str] = []
    if located.another:
        notes.append(f"{url} is another Label Studio than it was: its accounts are taken for other people")
    if elsewhere := sum(row.source in located.place.sources and row.source not in located.sources for row in rows):
        notes.append(
            f"{number(elsewhere, 'answer')} came from projects of this Label Studio that [labeling] title doesn't name "
            f"now, or that are gone there: {'it stays' if elsewhere == 1 else 'they stay'}"
        )
    present = located.sources[-1] if queue else ""
    if settled and queue is None:
        notes.append(
            f"{url} has no project {settings.queue_title!r}: {number(len(settled), 'answer', 'were')} fetched from "
            "a queue and will be kept; if it was renamed there, give it this title again, or no new ones are fetched"
        )
    elif earlier := sum(row.source != present for row in settled):
        notes.append(f"{number(earlier, 'answer', 'were')} fetched from an earlier queue, and will be kept")
    return notes
