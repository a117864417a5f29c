"""The private file that says which person is behind which account, by pseudonym.

A person is an account's number at a server. Mail addresses and names change, and people at different servers can
have the same number. So the file keeps, for each server or export, its accounts by number, each with its person and
every address it ever had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import TableError
from corpus.store import LABELS, private_folder, read_jsonl_if_there, write_bytes
from labeling.records import NOBODY

JOINED = "joined.jsonl"
MINTED = "people.jsonl"
FILE = Path(".stance") / "annotators.json"


class Account(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An account at one place: the person it belongs to, and every mail address it had, the latest last."""

    person: str
    addresses: list[str] = []


class Source(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A project at its Label Studio.

    Attributes:
        number: its number there; 0 if not known.
        made: the time when it was made there; empty if not known.
        imported: names of the projects whose answers were imported into it.
        title: its title when it was last read; empty if not known.
    """

    number: int = 0
    made: str = ""
    imported: list[str] = []
    title: str = ""


class KnownServer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
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
    """What else is known of a person.

    Attributes:
        names: names given with `--annotator`.
        also: pseudonyms that turned out to be the same person's.
        apart: pseudonyms that a user separated from this one, so that no command joins them again by itself.
    """

    names: list[str] = []
    also: list[str] = []
    apart: list[str] = []


class Joined(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer whose person has another pseudonym now than when it was first read.

    These records are kept beside the answers, so that two pseudonyms can be separated again, also by colleagues.

    Attributes:
        sentence_id: with the next three, what identifies the answer.
        studio_id: number of the answer; None if it was written by hand.
        created_at: time when it was given.
        source: project that it comes from.
        was: pseudonym under which it was first read.
        annotator: pseudonym that counts now.
    """

    sentence_id: str
    studio_id: int | None
    created_at: str
    source: str
    was: str
    annotator: str


class Minted(msgspec.Struct, frozen=True, kw_only=True):
    """Who got a pseudonym first, without saying who that is.

    Two computers can give the same pseudonym to different people at the same time. These records are kept beside the
    answers, so that this is noticed when git merges both.

    Attributes:
        annotator: the pseudonym.
        source: project in which the person was first seen; empty if a user named the person.
        account: digest of the account, or of the name that the user gave.
    """

    annotator: str
    source: str
    account: str


class Register(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The private file that says who is behind which account.

    Accounts keep the pseudonym that they were first given; `same` says which one counts.

    Attributes:
        form: version of the file's form.
        labels: digest of the annotations that this file was last in step with.
        people: people by pseudonym, if more is known of them than their accounts.
        places: servers and exports, in the order in which they were first seen.
        before: what an older version's file said: the pseudonym of each address, or of `account 7`.
        shared: pseudonyms that the project's answers say are another's: old → the one that counts. Not in the file.
        minted: who got which pseudonym first. Kept beside the answers, not in the file.
    """

    form: int = 2
    labels: str = ""
    people: dict[str, Person] = {}
    places: list[KnownServer] = []
    before: dict[str, str] = {}
    shared: dict[str, str] = {}
    minted: list[Minted] = []

    def origins(self) -> set[tuple[str, str]]:
        """Each project into which answers were imported, with the one that they come from."""
        sources = [pair for place in self.places for pair in place.sources.items()]
        return {(name, origin) for name, source in sources for origin in source.imported}

    def add_origins(self, origins: Iterable[tuple[str, str]]) -> None:
        """Record projects into which answers were imported, each with the one that they come from."""
        for name, origin in origins:
            for place in self.places:
                if name in place.sources:
                    source = place.sources[name]
                    source.imported = sorted({*source.imported, origin})

    def place_of(self, source: str) -> KnownServer | None:
        """The place to which a project belongs."""
        return next((place for place in self.places if source in place.sources), None)

    def source_at(self, url: str, number: int) -> str:
        """The name of the project with a number at the server at an address; empty if it was never read."""
        place = self.place_at(url)
        names = [name for name, source in place.sources.items() if source.number == number] if place else []
        return names[-1] if names else ""

    def place_at(self, url: str) -> KnownServer | None:
        """The place that was last seen at an address."""
        return next((place for place in self.places if url and place.url == url), None)

    def mint(self, name: str, source: str, account: str) -> None:
        """Record who got a new pseudonym, so that another computer notices if it gave the same one to somebody else."""
        self.minted = [*self.minted, Minted(annotator=name, source=source, account=account_digest(source, account))]

    def same(self) -> dict[str, str]:
        """Pseudonyms of people who have another one that counts: old → the one that counts."""
        other = dict(self.shared)
        other |= {old: name for name, person in self.people.items() for old in person.also if old != name}
        return {old: _final(other, old) for old in other}

    def counts(self, name: str) -> str:
        """The pseudonym that counts for the person with this one."""
        return self.same().get(name, name)

    def nobody(self) -> set[str]:
        """Names that older versions gave to all deleted accounts, as if they were one person's."""
        return {NOBODY} | {name for key, name in self.before.items() if not is_address(key) and " " not in key}

    def names(self) -> set[str]:
        """Every pseudonym that the file knows."""
        people = {account.person for place in self.places for account in place.accounts.values()}
        people |= {*self.people, *self.before.values()} | {row.annotator for row in self.minted}
        return people | {old for person in self.people.values() for old in person.also}

    def join(self, one: str, two: str) -> str:
        """Treat two pseudonyms as one person's; of those that count for them, the lower one counts from now on.

        The other one is kept with the pseudonym that was given, even if that was joined to somebody before: when those
        two are separated again, it goes with its own.
        """
        keep, drop = sorted((self.counts(one), self.counts(two)), key=lowest_first)
        if keep != drop:
            person = self.people.setdefault(one if self.counts(one) == keep else two, Person())
            person.also = sorted({*person.also, drop}, key=lowest_first)
        return keep

    def separate(self, one: str, two: str) -> bool:
        """Undo that two pseudonyms are one person's, and let no command join them again by itself.

        Returns:
            Whether one of them had been joined to the other.
        """
        for keep, drop in ((one, two), (two, one)):
            holders = [name for name, person in self.people.items() if drop in person.also]
            if (holders and keep in (self.counts(drop), *holders)) or self.shared.get(drop) == keep:
                for name in holders:
                    self.people[name].also = [other for other in self.people[name].also if other != drop]
                person = self.people.setdefault(keep, Person())
                person.apart = sorted({*person.apart, drop}, key=lowest_first)
                self.shared = {old: name for old, name in self.shared.items() if old != drop}
                return True
        return False

    def are_apart(self, one: str, two: str) -> bool:
        """Whether a user separated two pseudonyms."""
        apart = {(name, other) for name, person in self.people.items() for other in person.apart}
        return bool(apart & {(one, two), (two, one)})

    def absorb(self, place: KnownServer, other: KnownServer) -> list[str]:
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
            one, two = self.counts(mine.person), self.counts(account.person)
            if one != two and not self.are_apart(one, two):
                keep = self.join(mine.person, account.person)
                drop = two if keep == one else one
                notes.append(
                    f"{keep} and {drop} turn out to be account {key} of one Label Studio: {drop} is called {keep} now"
                )
        return notes


def account_digest(source: str, account: str) -> str:
    """What `labels/people.jsonl` says of an account, or of a name that a user gave (which is of no source)."""
    return hashlib.blake2b(f"{source}\n{account}".encode(), digest_size=8).hexdigest()


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
    shared, minted = _shared(project), _minted(project)
    if not path.is_file():
        return Register(shared=shared, minted=minted)
    try:
        content = path.read_bytes()
        if isinstance(msgspec.json.decode(content, type=dict[str, Any]).get("places"), list):
            return msgspec.structs.replace(msgspec.json.decode(content, type=Register), shared=shared, minted=minted)
        before = msgspec.json.decode(content, type=dict[str, str])
        return Register(before=before, shared=shared, minted=minted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path}: {error}; it says which annotator is A1, A2, …: restore it from a copy, or delete it: people "
            "whose answers are known keep their pseudonyms then, but the file's names and addresses are lost"
        ) from error


def _shared(project: Path) -> dict[str, str]:
    """The pseudonyms that the project's answers say are another's; the same for everybody who has the answers."""
    path = project / LABELS / JOINED
    rows = read_jsonl_if_there(path, Joined)
    return {row.was: row.annotator for row in rows}


def _minted(project: Path) -> list[Minted]:
    path = project / LABELS / MINTED
    return read_jsonl_if_there(path, Minted)


def write_register(project: Path, register: Register) -> None:
    """Write the private file, which only its owner may read."""
    private_folder(project)
    fields = msgspec.to_builtins(register)
    del fields["shared"], fields["minted"]
    for name, person in fields["people"].items():
        fields["people"][name] = {key: value for key, value in person.items() if key != "apart" or value}
    for place in fields["places"]:
        for name, source in place["sources"].items():
            place["sources"][name] = {
                key: value for key, value in source.items() if key not in {"imported", "title"} or value
            }
    content = msgspec.json.format(msgspec.json.encode(fields))
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
