"""List the people of a project, and join two pseudonyms of one person, or separate them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from corpus.errors import ConfigError
from corpus.store import locked
from labeling.identity.account_register import Register, lowest_first, read_register
from labeling.identity.pseudonyms import listed
from labeling.records import is_unknown
from labeling.sync.known_answers import Known, read_known, write_known
from labeling.sync.merge_answers import who


class KnownPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a person.

    Attributes:
        pseudonym: the pseudonym that counts; empty for all unknown people together.
        answers: number of answers to sentences.
        settled: number of answers in the queue.
        joined: number of answers of each other pseudonym that was joined to this one.
        names: names and mail addresses, which only the private file on this computer knows.
        accounts: accounts, each with the server or export that it belongs to.
    """

    pseudonym: str
    answers: int
    settled: int
    joined: dict[str, int]
    names: list[str]
    accounts: list[str]


def known_people(work: Path, project: Path) -> list[KnownPerson]:
    """The people of a project by their pseudonyms, A2 before A10, unknown people last.

    Args:
        work: the project's folder of tables.
        project: the project folder, whose private file says who is who.

    Raises:
        TableError: a file is malformed.
    """
    register = read_register(project)
    known = read_known(work, register)
    answers = Counter(row.annotator for row in known.annotations)
    settled = Counter(row.adjudicator for row in known.adjudications)
    every = {*answers, *settled, *register.names()}
    same = register.same()
    people = [
        _person(register, name, answers, settled, [old for old in same if same[old] == name])
        for name in sorted({same.get(name, name) for name in every if not is_unknown(name)}, key=lowest_first)
    ]
    unknown = [name for name in every if is_unknown(name)]
    if any(answers[name] + settled[name] for name in unknown):
        people.append(
            KnownPerson(
                pseudonym="",
                answers=sum(answers[name] for name in unknown),
                settled=sum(settled[name] for name in unknown),
                joined={},
                names=[],
                accounts=[],
            )
        )
    return people


def _person(
    register: Register, name: str, answers: Mapping[str, int], settled: Mapping[str, int], others: Collection[str]
) -> KnownPerson:
    pseudonyms = [name, *sorted(others, key=lowest_first)]
    names: list[str] = []
    accounts: list[str] = []
    for place in register.places:
        for key, account in place.accounts.items():
            if account.person in pseudonyms:
                names += reversed(account.addresses)
                accounts.append(f"{listed(key)} at {place.url or place.file or 'a server that moved'}")
    names += [given for other in pseudonyms if other in register.people for given in register.people[other].names]
    names += [key for key, person in register.before.items() if person in pseudonyms]
    return KnownPerson(
        pseudonym=name,
        answers=sum(answers[other] for other in pseudonyms),
        settled=sum(settled[other] for other in pseudonyms),
        joined={other: answers[other] + settled[other] for other in pseudonyms[1:]},
        names=list(dict.fromkeys(names)),
        accounts=accounts,
    )


class Rename(msgspec.Struct, frozen=True, kw_only=True):
    """What joining or separating two pseudonyms changed: the one that counts, the other one, and its answers."""

    keep: str
    other: str
    answers: int
    changed: bool


def join_people(work: Path, project: Path, one: str, two: str) -> Rename:
    """Treat two pseudonyms as one person's, everywhere; the lower one counts from now on.

    Args:
        work: the project's folder of tables.
        project: the project folder, whose private file says who is who.
        one: a pseudonym that is in use.
        two: another one.

    Raises:
        ConfigError: one of them is not in use, or both are one person's already.
    """
    with locked(project, "pull"):
        register = read_register(project)
        known = read_known(work, register)
        for name in (one, two):
            _check(name, known, register)
        if register.counts(one) == register.counts(two):
            raise ConfigError(f"{one} and {two} are one person already, called {register.counts(one)}")
        for person, other in ((one, two), (two, one)):
            if person in register.people:
                kept = [name for name in register.people[person].apart if name != other]
                register.people[person].apart = kept
        counted = (register.counts(one), register.counts(two))
        keep = register.join(one, two)
        other = counted[1] if keep == counted[0] else counted[0]
        return _rename(work, project, register, known, keep, other)


def separate_people(work: Path, project: Path, one: str, two: str) -> Rename:
    """Undo that two pseudonyms are one person's: each answer has the pseudonym again under which it was first read.

    Args:
        work: the project's folder of tables.
        project: the project folder, whose private file says who is who.
        one: a pseudonym that counts, or one that was joined to it.
        two: the other one.

    Raises:
        ConfigError: neither was joined to the other.
    """
    with locked(project, "pull"):
        register = read_register(project)
        known = read_known(work, register)
        same = register.same()
        if not register.separate(one, two):
            pairs = ", ".join(f"{other} to {name}" for other, name in sorted(same.items())) or "none"
            raise ConfigError(f"{one} and {two} were not joined; these pseudonyms were joined to others: {pairs}")
        keep, other = (one, two) if two in same else (two, one)
        return _rename(work, project, register, known, keep, other)


def _rename(work: Path, project: Path, register: Register, known: Known, keep: str, other: str) -> Rename:
    changed = write_known(work, project, register, known)
    answers = sum(who(row) == other for row in known.annotations) + sum(
        who(row) == other for row in known.adjudications
    )
    return Rename(keep=keep, other=other, answers=answers, changed=bool(changed))


def _check(name: str, known: Known, register: Register) -> None:
    used = {found for found in known.names | register.names() if not is_unknown(found)}
    if name not in used:
        raise ConfigError(
            f"{name!r}: expected a pseudonym in use; these are: "
            f"{', '.join(sorted(used, key=lowest_first)) or 'none so far'}"
        )
