"""The private file that says which person is behind which account, by pseudonym.

A person is an account's number at a server. Mail addresses and names change, and people at different servers can
have the same number. So the file keeps, for each server or export, its accounts by number, each with its person and
every address it ever had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import TableError
from corpus.store import private_folder, write_bytes
from labeling.records import NOBODY

FILE = Path(".stance") / "annotators.json"


class Account(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An account at one place: the person it belongs to, and every mail address it had, the latest last."""

    person: str
    addresses: list[str] = []


class Source(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A project at its Label Studio: its number and the time when it was made there; 0 and empty if not known."""

    number: int = 0
    made: str = ""


class Place(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One Label Studio server, or what an export tells of it.

    Attributes:
        url: the server's last known address; empty if none was seen.
        file: the export that the server is known from, if any.
        sources: its projects, by the name that answers have as their `source`.
        accounts: accounts by their number, or by address if answers do not give the number.
    """

    url: str = ""
    file: str = ""
    sources: dict[str, Source] = {}
    accounts: dict[str, Account] = {}


class Person(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What else is known of a person: names given with `--annotator`, and pseudonyms that turned out to be the same."""

    names: list[str] = []
    also: list[str] = []


class Register(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The private file that says who is behind which account.

    Attributes:
        form: version of the file's form.
        labels: digest of the annotations that this file was last in step with.
        people: people by pseudonym, if more is known of them than their accounts.
        places: servers and exports, in the order in which they were first seen.
        before: what an older version's file said: the pseudonym of each address, or of `account 7`.
    """

    form: int = 2
    labels: str = ""
    people: dict[str, Person] = {}
    places: list[Place] = []
    before: dict[str, str] = {}

    def place_of(self, source: str) -> Place | None:
        """The place to which a project belongs."""
        return next((place for place in self.places if source in place.sources), None)

    def place_at(self, url: str) -> Place | None:
        """The place that was last seen at an address."""
        return next((place for place in self.places if url and place.url == url), None)

    def same(self) -> dict[str, str]:
        """Pseudonyms of people who have another one that counts: old → the one that counts."""
        other = {old: name for name, person in self.people.items() for old in person.also if old != name}
        return {old: _final(other, old) for old in other}

    def apply_same(self) -> None:
        """Give every account the pseudonym of its person that counts."""
        same = self.same()
        for place in self.places:
            for account in place.accounts.values():
                account.person = same.get(account.person, account.person)
        self.before = {key: same.get(name, name) for key, name in self.before.items()}

    def nobody(self) -> set[str]:
        """Names that older versions gave to all deleted accounts, as if they were one person's."""
        return {NOBODY} | {name for key, name in self.before.items() if not is_address(key) and " " not in key}

    def names(self) -> set[str]:
        """Every pseudonym that the file knows."""
        people = {account.person for place in self.places for account in place.accounts.values()}
        people |= {*self.people, *self.before.values()}
        return people | {old for person in self.people.values() for old in person.also}

    def join(self, one: str, two: str) -> str:
        """Treat two pseudonyms as one person's; the lower one counts from now on."""
        keep, drop = sorted({one, two}, key=lowest_first) if one != two else (one, one)
        if keep != drop:
            person = self.people.setdefault(keep, Person())
            other = self.people.pop(drop, Person())
            person.names = [*person.names, *(name for name in other.names if name not in person.names)]
            person.also = sorted({*person.also, *other.also, drop}, key=lowest_first)
        for place in self.places:
            for account in place.accounts.values():
                account.person = keep if account.person == drop else account.person
        return keep

    def absorb(self, place: Place, other: Place) -> list[str]:
        """Treat two places as one Label Studio server.

        Returns:
            Notes for the user: who turned out to be one person.
        """
        notes: list[str] = []
        self.places = [row for row in self.places if row is not other]
        place.url, place.file = place.url or other.url, place.file or other.file
        place.sources = {**other.sources, **place.sources}
        for key, account in other.accounts.items():
            mine = place.accounts.setdefault(key, account)
            if mine is account:
                continue
            mine.addresses = [*account.addresses, *(row for row in mine.addresses if row not in account.addresses)]
            if mine.person != account.person:
                one, two = mine.person, account.person
                keep = self.join(one, two)
                drop = two if keep == one else one
                notes.append(
                    f"{keep} and {drop} turn out to be account {key} of one Label Studio: {drop} is called {keep} now"
                )
        return notes


def is_address(text: str) -> bool:
    """Whether a text can be a mail address; Label Studio writes `Deleted` for the address of a removed account."""
    name, _, domain = text.partition("@")
    return bool(name and domain) and not any(letter.isspace() for letter in text)


def names_in(register: Register) -> dict[str, str]:
    """The pseudonym of each mail address and name that the file knows; if several people had it, the latest's."""
    accounts = [account for place in register.places for account in place.accounts.values()]
    names = {key.strip().casefold(): name for key, name in register.before.items()}
    names |= {address: account.person for account in accounts for address in account.addresses[:-1]}
    names |= {address: account.person for account in accounts for address in account.addresses[-1:]}
    names |= {given: name for name, person in register.people.items() for given in person.names}
    same = register.same()
    return {key: same.get(name, name) for key, name in names.items()}


def next_name(taken: Iterable[str]) -> str:
    """A pseudonym that nobody has or had; people may have been removed from the file, or merged under one pseudonym."""
    numbers = [int(name[1:]) for name in taken if name[:1] == "A" and name[1:].isdecimal()]
    return f"A{max(numbers, default=0) + 1}"


def read_register(project: Path) -> Register:
    """Read the private file, also one that an older version wrote; empty if there is none.

    Raises:
        TableError: the file does not have this form.
    """
    path = project / FILE
    if not path.is_file():
        return Register()
    try:
        content = path.read_bytes()
        if isinstance(msgspec.json.decode(content, type=dict[str, Any]).get("places"), list):
            return msgspec.json.decode(content, type=Register)
        return Register(before=msgspec.json.decode(content, type=dict[str, str]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path}: {error}; it says which annotator is A1, A2, …: restore it from a copy, or delete it: people "
            "whose answers are known keep their pseudonyms then, but the file's names and addresses are lost"
        ) from error


def write_register(project: Path, register: Register) -> None:
    """Write the private file, which only its owner may read."""
    private_folder(project)
    content = msgspec.json.format(msgspec.json.encode(register))
    write_bytes(project / FILE, content, mode=0o600)


def _final(other: Mapping[str, str], name: str) -> str:
    seen: set[str] = set()
    while name in other and name not in seen:
        seen.add(name)
        name = other[name]
    return name


def lowest_first(name: str) -> tuple[bool, int, str]:
    """The sort key of pseudonyms: A2 before A10, and names of another form last."""
    plain = name[:1] == "A" and name[1:].isdecimal()
    return not plain, int(name[1:]) if plain else 0, name
