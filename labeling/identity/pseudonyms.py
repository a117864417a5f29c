"""Decide which person gave an answer, and give each person a lasting pseudonym."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import ConfigError
from labeling.identity.account_register import (
    Account,
    KnownServer,
    Person,
    Register,
    is_address,
    lowest_first,
    names_in,
    next_name,
    read_register,
)
from labeling.records import is_unknown

OURS = "stance.example"
"""The domain of the addresses that stance itself gives to accounts, which are the same on every computer."""


NO_ACCOUNT = ("Deleted", "None", "nan")
"""What stands in exports in place of an account that was deleted, or that never was."""


class Giver(msgspec.Struct, frozen=True, kw_only=True):
    """The account that gave an answer: its number, or else its address or name; nothing if the answer does not say."""

    key: str = ""
    address: str = ""


def giver(answer: Mapping[str, Any]) -> Giver:
    """Read which account gave an answer, from Label Studio's API or any form of its exports, or from another tool."""
    by = answer.get("completed_by")
    if isinstance(by, dict):
        number, address, name = by.get("id"), str(by.get("email") or "").strip(), ""
    else:
        number, address = (None, by.strip()) if isinstance(by, str) else (by, "")
        name = address if address not in NO_ACCOUNT else ""
        if name.isdecimal():
            number, address = int(name), ""
    address = address.casefold() if is_address(address) else ""
    if isinstance(number, int) and not isinstance(number, bool):
        return Giver(key=str(number), address=address)
    return Giver(key=address or name, address=address)


def portable(address: str) -> bool:
    """Whether an address is the same person's at every server, and not a local one that many servers have."""
    domain = address.rpartition("@")[2]
    return "." in domain and domain != OURS


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """The people behind the accounts of one reading.

    Attributes:
        people: the pseudonym of each account, by its key.
        new: the accounts that belong to nobody known.
        notes: what the user should know.
    """

    people: dict[str, str]
    new: list[str]
    notes: list[str]


def name_accounts(
    register: Register,
    place: KnownServer,
    givers: Mapping[str, str],
    *,
    known: Mapping[str, Counter[str]],
    taken: Collection[str],
    in_step: bool,
    source: str = "",
    older: bool = False,
    live: Mapping[str, str] | None = None,
    called: Mapping[str, str] | None = None,
) -> Naming:
    """A lasting pseudonym for each account that gave answers: A1, A2, … in the order of the accounts' numbers.

    The file says whose an account is. If the annotations were changed elsewhere since, or the file was lost, the names
    under which the account's answers are known come first, because they are what lasts. Otherwise the account's address
    decides, unless it is a local one; if nothing decides, the account is somebody new's.

    Args:
        register: the private file's content, which is changed.
        place: Label Studio server whose accounts these are.
        givers: mail address of each account, by its key; empty if not known.
        known: number of answers of each account that are known under each name.
        taken: pseudonyms that are in use elsewhere.
        in_step: whether the file belongs to the annotations as they are now.
        source: name of the first project that was read, under which new people are recorded.
        older: whether everything in an older version's file is about this place.
        live: mail address of every account that exists at the server now.
        called: accounts that the user attributes to a person.
    """
    names: dict[str, str] = {}
    new: list[str] = []
    notes: list[str] = []
    used = {*register.names(), *taken}
    for key in sorted(givers, key=lambda key: (not key.isdecimal(), int(key) if key.isdecimal() else 0, key)):
        address = givers[key]
        mine = place.accounts.get(key)
        by_answers = _most(known.get(key, Counter()), mine.person if mine else "")
        by_user = (called or {}).get(key, "")
        by_file = mine.person if mine and (in_step or not by_answers) else ""
        name = by_user or by_file or by_answers
        if address and not by_user and (not name or (mine and not mine.addresses)):
            other, note = _by_address(register, place, key, address, older=older, live=live or {})
            one, two = register.counts(name), register.counts(other)
            if name and other and one != two and not register.are_apart(one, two):
                # Known by its number so far: its address shows that this is somebody who has another pseudonym.
                notes.append(f"{note}, and {one} with them")
                register.join(one, two)
            elif note and not name:
                notes.append(note)
            name = name or other
        if not name and older:
            name = register.before.get(f"account {key}", "")
        if not name:
            name = next_name(used)
            register.mint(name, source, key)
            new.append(key)
        used.add(name)
        names[key] = name
        account = place.accounts.setdefault(key, Account(person=name))
        if not by_user:  # the user means this reading's answers, not all that the account gives
            account.person = name
        # An export may be older than what is known; a server gives the current addresses.
        if address and address not in (account.addresses if live is None else account.addresses[-1:]):
            account.addresses = [*(row for row in account.addresses if row != address), address]
    return Naming(people=names, new=new, notes=notes)


def _most(names: Counter[str], preferred: str) -> str:
    """The name under which most of an account's answers are known; of several, the preferred one or else the lowest."""
    if not names:
        return ""
    most = max(names.values())
    best = [name for name, count in names.items() if count == most]
    return preferred if preferred in best else min(best, key=lowest_first)


def _by_address(
    register: Register, place: KnownServer, key: str, address: str, *, older: bool, live: Mapping[str, str]
) -> tuple[str, str]:
    """The person whose address this is, and a note for the user."""
    for other, account in place.accounts.items():
        # Two accounts of a server never have the same address at once: so the earlier one was deleted and made again,
        # unless it still exists under another address.
        if other != key and account.addresses[-1:] == [address] and live.get(other, address) == address:
            if not key.isdecimal() or not other.isdecimal():
                return account.person, ""
            return (
                account.person,
                f"{listed(key)} has the address that {listed(other)} had: it is taken for "
                f"{register.counts(account.person)}",
            )
    earlier = next((name for old, name in register.before.items() if old.strip().casefold() == address), "")
    if earlier and (older or portable(address)):
        return earlier, ""
    if not portable(address):
        return "", ""
    for name, person in register.people.items():
        if address in person.names:
            return name, f"{listed(key)} has the address by which you named {name}: they are taken for one person"
    elsewhere = [
        account
        for other in register.places
        if other is not place
        for account in other.accounts.values()
        if address in account.addresses
    ]
    elsewhere = [account for account in elsewhere if account.addresses[-1] == address] or elsewhere
    now = {register.counts(account.person) for account in elsewhere}
    if len(now) == 1:
        # Under the pseudonym that its account had first: two people who were joined by mistake can be separated again.
        first = min((account.person for account in elsewhere), key=lowest_first)
        return first, f"{listed(key)} has an address of {now.pop()}: they are taken for one person"
    several = ", ".join(sorted(now, key=lowest_first))
    return "", f"{listed(key)} has an address that {several} had: it is taken for somebody else" if now else ""


def join_doubles(register: Register, known: Mapping[str, Counter[str]]) -> list[str]:
    """Merge people whom an older version split in two when an account's address was changed.

    These are the cases where one account's answers are known under several names, and no other account's under any of
    them.

    Args:
        register: the private file's content, which is changed.
        known: number of answers of each account that an older version knew under each name.

    Returns:
        Notes for the user.
    """
    users = Counter(name for names in known.values() for name in names)
    notes: list[str] = []
    for key, names in sorted(known.items()):
        own = sorted((name for name in names if users[name] == 1), key=lowest_first)
        for name in own[1:]:
            if register.counts(own[0]) == register.counts(name) or register.are_apart(own[0], name):
                continue
            register.join(own[0], name)
            notes.append(f"{own[0]} and {name} are both {listed(key)}: {name} is called {own[0]} now")
    return notes


def person_called(register: Register, name: str, taken: Collection[str], option: str = "--annotator") -> str:
    """The pseudonym of the person with a name, which `pull --annotator` gives; a new one if nobody has that name.

    Args:
        register: the private file's content, which is changed.
        name: name or mail address as the user writes it, or a pseudonym that is in use.
        taken: pseudonyms that are in use elsewhere.
        option: option that gives the name, for the message.

    Raises:
        ConfigError: the name is empty, or it looks like a pseudonym that nobody has.
    """
    wanted = " ".join(name.split()).casefold()
    used = {*register.names(), *taken}
    by_name = {known.casefold(): known for known in used if not is_unknown(known)}
    if wanted in by_name:
        return register.same().get(by_name[wanted], by_name[wanted])
    if not wanted or is_unknown(wanted) or (wanted[:1] == "a" and wanted[1:].isdecimal()):
        listed = ", ".join(sorted(by_name.values(), key=lowest_first)) or "none so far"
        raise ConfigError(f"{option} {name!r}: expected a person's name or a pseudonym in use; these are: {listed}")
    found = names_in(register).get(wanted, "")
    if not found:
        found = next_name(used)
        register.mint(found, "", wanted)
    person = register.people.setdefault(found, Person())
    if wanted not in person.names:
        person.names = [*person.names, wanted]
    return found


def listed(key: str) -> str:
    """An account as messages name it; its address is not shown."""
    if key.isdecimal():
        return f"account {key}"
    return f"account {key!r}" if key and not is_address(key) else "an account without a number"


def read_names(project: Path) -> dict[str, str]:
    """The pseudonym of each mail address and name, as kept in the private file.

    Raises:
        TableError: the file does not have this form.
    """
    return names_in(read_register(project))


def ignored(project: Path, ignore: Collection[str]) -> frozenset[str]:
    """The pseudonyms that `[labeling] ignore` names, by address, name or pseudonym, in upper or lower case."""
    register = read_register(project)
    names = {address.casefold(): name for address, name in names_in(register).items()}
    names |= {name.casefold(): name for name in register.names()}
    names |= {old.casefold(): name for old, name in register.same().items()}
    return frozenset(names.get(name.strip().casefold(), name) for name in ignore)
