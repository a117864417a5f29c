"""Make one set of answers of files that git merged, line by line, from those of two people who both pulled.

Git keeps the lines of both sides where both changed a place (`merge=union`, see `corpus.store.ATTRIBUTES`). So an
answer can be there in two versions, or under two pseudonyms, and two people can have the same pseudonym, because both
computers gave the next free one to somebody new. What is decided here depends on the files alone, so that it is the
same on every computer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from labeling.identity.account_register import Minted, Person, Register, account_digest, lowest_first, next_name
from labeling.identity.answer_sources import AnswerRow, moment, said
from labeling.records import Superseded, is_unknown
from labeling.sync.merge_answers import by, who


class Owners(msgspec.Struct, frozen=True, kw_only=True):
    """Whose the pseudonyms are that two computers gave to different people.

    Attributes:
        kept: records of who got which pseudonym first, each pseudonym and each account once.
        renamed: new pseudonym of the answers under a pseudonym (first) from a project (second).
        names: pseudonyms that both name one account, in the order of the accounts: the one that counts comes first.
    """

    kept: list[Minted]
    renamed: dict[tuple[str, str], str]
    names: list[list[str]]


def owners(minted: Iterable[Minted], used: Collection[str]) -> Owners:
    """Decide who keeps a pseudonym that several accounts got; the others get new ones.

    An account that got several pseudonyms leaves those that another account needs. Otherwise the order of the records
    decides, which is the same on every computer.

    Args:
        minted: who got which pseudonym first.
        used: every pseudonym in use.
    """
    candidates: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in sorted(set(minted), key=_order):
        candidates[row.source, row.account].append(row.annotator)
    # Accounts with a single pseudonym first: they have no other.
    accounts = sorted(candidates, key=lambda account: (len(candidates[account]), account))
    taken: dict[str, tuple[str, str]] = {}
    renamed: dict[tuple[str, str], str] = {}
    kept: list[Minted] = []
    names: list[list[str]] = []
    every = set(used)
    for account in accounts:
        free = [name for name in candidates[account] if name not in taken]
        name = free[0] if free else next_name(every)
        every.add(name)
        taken[name] = account
        kept.append(Minted(annotator=name, source=account[0], account=account[1]))
        if not free:
            for lost in candidates[account]:
                if taken[lost][0] != account[0]:
                    renamed[lost, account[0]] = name
        names.append([name, *(other for other in candidates[account] if other != name)])
    return Owners(kept=sorted(kept, key=_order), renamed=renamed, names=[row for row in names if len(row) > 1])


def _order(row: Minted) -> tuple[object, ...]:
    return *lowest_first(row.annotator), row.source, row.account


def settle_owners(register: Register, used: Collection[str]) -> Owners:
    """Give each account one pseudonym, and each pseudonym one account, also in the private file."""
    found = owners(register.minted, used)
    register.minted = found.kept
    for place in register.places:
        for source in place.sources:
            for account in place.accounts.values():
                account.person = found.renamed.get((account.person, source), account.person)
    _move_names(register, {row.account: row.annotator for row in found.kept if not row.source})
    return found


def _move_names(register: Register, kept: Mapping[str, str]) -> None:
    """Give each name that a user gave to the pseudonym that its person keeps, by the digest of the name."""
    for name, person in list(register.people.items()):
        for given in person.names.copy():
            owner = kept.get(account_digest("", given), name)
            if register.counts(owner) != register.counts(name):
                person.names.remove(given)
                register.people.setdefault(owner, Person()).names.append(given)


def one_each(rows: Sequence[AnswerRow], found: Owners) -> tuple[list[AnswerRow], list[AnswerRow]]:
    """Each answer once, in its latest version and under one pseudonym, and the earlier versions.

    Args:
        rows: answers, of which some can be there several times.
        found: whose the pseudonyms are.
    """
    unknown_rows: list[str] = [who(row) for row in rows if is_unknown(who(row))]
    numbers: set[object] = {(row.source, row.studio_id, row.created_at) for row in rows}
    if len(numbers) == len(rows) and len({*unknown_rows}) == len(unknown_rows) and not found.renamed:
        return list(rows), []
    groups: dict[object, list[AnswerRow]] = defaultdict(list)
    for row in rows:
        identity = (row.source, row.studio_id, row.created_at)
        numbered = row.studio_id is not None and (row.source or row.created_at)
        groups[identity if numbered else msgspec.json.encode(row)].append(row)
    kept: list[AnswerRow] = []
    earlier: list[AnswerRow] = []
    unknown: set[str] = set()
    for group in groups.values():
        name = _name({who(row) for row in group}, found.names)
        if len(group) > 1:
            group = [by(row, name) for row in group]
        versions = [_renamed(row, found.renamed) for row in group]
        if len(versions) > 1:
            versions.sort(key=_version)
        latest = versions[-1]
        # Two computers count unknown people alike, so a name can stand for two of them: the second gets a new one.
        kept.append(by(latest, "") if is_unknown(who(latest)) and who(latest) in unknown else latest)
        unknown.add(who(latest))
        earlier += [row for row in versions[:-1] if (row.updated_at, said(row)) != (latest.updated_at, said(latest))]
    return kept, earlier


def history_once(rows: Iterable[Superseded], found: Owners) -> list[Superseded]:
    """Records of earlier versions, each once and under the pseudonym that its person has."""
    return list(dict.fromkeys(msgspec.structs.replace(row, answer=_renamed(row.answer, found.renamed)) for row in rows))


def _name(names: set[str], same: Sequence[Sequence[str]]) -> str:
    """The pseudonym of an answer that is there under several."""
    for row in same:
        if len(names) > 1 and names <= set(row):
            return row[0]
    known = [name for name in names if name and not is_unknown(name)] or sorted(names)
    return min(known, key=lowest_first)


def _renamed(row: AnswerRow, change: Mapping[tuple[str, str], str]) -> AnswerRow:
    name = change.get((who(row), row.source))
    return by(row, name) if name else row


def _version(row: AnswerRow) -> tuple[object, ...]:
    """The sort key of versions: the latest last; of two at one time, their content decides."""
    at = moment(row.updated_at)
    return at.timestamp() if at else 0.0, msgspec.json.encode(row)
