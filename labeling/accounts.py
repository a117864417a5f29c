"""Annotators' pseudonyms: who is who stays in one private file, and some accounts don't count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from corpus.records import TableError
from corpus.store import private_folder, write_bytes

FILE = Path(".stance") / "annotators.json"


def pseudonyms(
    project: Path,
    addresses: Mapping[int, str],
    answering: Collection[int],
    *,
    known: Mapping[int, str] | None = None,
    place: str = "",
) -> dict[int, str]:
    """A lasting pseudonym for each account that answered: A1, A2, … in the order of their account ids.

    Args:
        project: the project folder, whose private file keeps the names.
        addresses: the mail address of each account that is known, by id.
        answering: the accounts that answered; one that was deleted at the server keeps a name by its number.
        known: the pseudonyms under which answers of these accounts have come home before.
        place: which other server's numbers these are: account 7 there is somebody else than account 7 here.
    """
    known = known or {}
    names = read_names(project)
    for account in sorted(answering):
        address, number = addresses.get(account), f"account {account}{place}"
        if address is not None and number in names and address not in names:
            # Known by its number so far, from an export that gives no addresses.
            names[address] = names.pop(number)
        names.setdefault(address or number, known.get(account) or _next(names.values()))
    private_folder(project)
    write_bytes(project / FILE, msgspec.json.format(msgspec.json.encode(names)), mode=0o600)
    return {account: names[addresses.get(account) or f"account {account}{place}"] for account in answering}


def _next(taken: Collection[str]) -> str:
    """A pseudonym that nobody has; people may have been taken out of the file, or put together under one."""
    numbers = [int(name[1:]) for name in taken if name[:1] == "A" and name[1:].isdecimal()]
    return f"A{max(numbers, default=0) + 1}"


def read_names(project: Path) -> dict[str, str]:
    """The pseudonym of each mail address (or `account 7`), as kept in the private file.

    Raises:
        TableError: the file is no such mapping.
    """
    path = project / FILE
    if not path.is_file():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path}: {error}; it says which annotator is A1, A2, …: restore it from a copy, for without it "
            "the next pull names them anew"
        ) from error


def ignored(project: Path, ignore: Collection[str]) -> frozenset[str]:
    """The pseudonyms that `[labeling] ignore` names, by address or as they are; letters' case doesn't matter."""
    names = {address.casefold(): name for address, name in read_names(project).items()}
    names |= {name.casefold(): name for name in names.values()}
    return frozenset(names.get(name.strip().casefold(), name) for name in ignore)
