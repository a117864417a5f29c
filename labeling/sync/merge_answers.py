"""Merge answers that were read with those that are known, without losing or doubling any.

A reading of a project, from an export or the server, is a partial view of it at some time. So a known answer is
replaced only by a later edit of itself, and stays with the person to whom it was first attributed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic

import msgspec

from labeling.identity.answer_sources import Answer, AnswerRow, Evidence, contradict, moment, one_answer, said
from labeling.records import Annotation, Superseded, is_unknown


class Edit(msgspec.Struct, Generic[AnswerRow], frozen=True, kw_only=True):
    """An answer as it was, and as it is after an edit."""

    was: AnswerRow
    now: AnswerRow


class Merged(msgspec.Struct, Generic[AnswerRow], frozen=True, kw_only=True):
    """All answers after a merge, in the order of the file, and the known ones that were edited or deleted."""

    rows: list[AnswerRow]
    edits: list[Edit[AnswerRow]]
    gone: list[AnswerRow]


def who(row: Answer) -> str:
    """The pseudonym of the person who gave an answer."""
    return row.annotator if isinstance(row, Annotation) else row.adjudicator


def is_named(row: Answer) -> bool:
    """Whether the person who gave an answer is known."""
    return bool(who(row)) and not is_unknown(who(row))


def by(row: AnswerRow, person: str) -> AnswerRow:
    """The answer, attributed to this person."""
    name = "annotator" if isinstance(row, Annotation) else "adjudicator"
    return msgspec.structs.replace(row, **{name: person})


def pair(known: Sequence[AnswerRow], fresh: Sequence[AnswerRow]) -> list[int | None]:
    """The position among the known answers of each answer that was read, or None if it is new.

    An answer is recognised by the id that exports give it, wherever it comes from; otherwise by its number and the time
    when it was made, within its project or if that time identifies it. The answers that were read must have their
    `source`. Known answers without a source may have come from anywhere: they are paired with these only if nothing
    speaks against it.
    """
    numbered: dict[int | None, list[int]] = defaultdict(list)
    unique: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(known):
        numbered[row.studio_id].append(place)
        unique[_unique(row)].append(place)
    evidence = Evidence(fresh, ())
    partners: list[int | None] = [None] * len(fresh)
    taken: set[int] = set()
    sourceless: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for position, row in enumerate(fresh):
        candidates = unique.get(_unique(row), []) if _unique(row) else []
        candidates = candidates or [place for place in numbered.get(row.studio_id, []) if one_answer(row, known[place])]
        if len(candidates) > 1:  # those of the same project first
            candidates = sorted(candidates, key=lambda place: known[place].source != row.source)
        for place in candidates:
            other = known[place]
            if place in taken:
                continue
            if other.source == row.source or (_unique(row) and _unique(row) == _unique(other)):
                partners[position] = place
            elif not other.source:
                if _adopted(other) == _adopted(row):
                    sourceless[row.source].append((position, place))
                continue
            elif evidence.tells(row, other) and not contradict(row, other):
                partners[position] = place
            if partners[position] is not None:
                taken.add(place)
                break
    for pairs in sourceless.values():
        unlike = sum(contradict(fresh[position], known[place]) for position, place in pairs)
        tells = any(evidence.tells(fresh[position], known[place]) for position, place in pairs)
        if 2 * unlike > len(pairs) or (unlike and not tells):
            continue
        for position, place in pairs:
            if partners[position] is None and place not in taken:
                partners[position] = place
                taken.add(place)
    return partners


def _unique(row: Answer) -> str:
    return row.unique_id if isinstance(row, Annotation) else ""


def _adopted(row: Answer) -> bool:
    return isinstance(row, Annotation) and row.adopted


def merge(
    known: Sequence[AnswerRow],
    fresh: Sequence[AnswerRow],
    pairs: Sequence[int | None],
    gone: Callable[[AnswerRow], bool] = lambda _: False,
) -> Merged[AnswerRow]:
    """Merge known answers and those that were read into one table.

    If an answer was edited, the later version counts, even if the earlier one was read last. It stays with the person
    to whom it was attributed; an answer of an unknown person gets a name as soon as any reading gives one.

    Args:
        known: answers so far.
        fresh: answers that were read, each with its person, its source, and the current codebook version.
        pairs: position among the known answers of each answer that was read, as `pair` returns it.
        gone: function that says whether a known answer that was not read has been deleted.
    """
    rows: list[AnswerRow] = []
    edits: list[Edit[AnswerRow]] = []
    for row, place in zip(fresh, pairs, strict=True):
        if place is None:
            rows.append(row)
            continue
        before = known[place]
        unlike = (before.updated_at, said(before)) != (row.updated_at, said(row))
        after = _joined(before, row) if unlike or not _whole(before, row) else before
        rows.append(after)
        if unlike:
            for version in (before, row):
                if (version.updated_at, said(version)) != (after.updated_at, said(after)):
                    was = by(version, who(after))
                    edits.append(Edit(was=_placed(was, after), now=after))
    read = set(pairs)
    left = [row for place, row in enumerate(known) if place not in read]
    deleted = [row for row in left if gone(row)]
    rows += [row for row in left if not gone(row)]
    return Merged(rows=sorted(rows, key=order), edits=edits, gone=deleted)


def _whole(before: Answer, fresh: Answer) -> bool:
    """Whether a known answer says all that another reading of the same version does."""
    placed = bool(before.source and before.task) and ("@" in before.task or "@" not in fresh.task)
    return is_named(before) and placed and bool(_unique(before) or not _unique(fresh))


def later(before: AnswerRow, fresh: AnswerRow) -> AnswerRow:
    """The version of an answer that counts: the one edited last or, if equal, the one read last."""
    then, now = moment(before.updated_at), moment(fresh.updated_at)
    return before if then and now and now < then else fresh


def _joined(before: AnswerRow, fresh: AnswerRow) -> AnswerRow:
    last = later(before, fresh)
    # A label keeps the codebook's version that it was first seen under, until it is edited.
    codebook = before.codebook if last.updated_at == before.updated_at else last.codebook
    person = who(before) if is_named(before) or not is_named(fresh) else who(fresh)
    return msgspec.structs.replace(by(_placed(last, before, fresh), person), codebook=codebook)


def _placed(row: AnswerRow, *others: AnswerRow) -> AnswerRow:
    """The answer with its origin filled in from the first of these versions that states it."""
    fields = ("source", "task", "unique_id") if isinstance(row, Annotation) else ("source", "task")
    places = {name: next(filter(None, (getattr(other, name) for other in others)), "") for name in fields}
    # An export in another format does not say when the task was made.
    places["task"] = next((other.task for other in others if "@" in other.task), places["task"])
    return msgspec.structs.replace(row, **{name: value or getattr(row, name) for name, value in places.items()})


def order(row: Answer) -> tuple[object, ...]:
    """The sort key of an answer in its file."""
    return row.sentence_id, who(row), row.studio_id or 0, row.created_at, row.source, row.updated_at


def known_names(
    known: Sequence[AnswerRow], fresh: Sequence[AnswerRow], keys: Sequence[str], pairs: Sequence[int | None]
) -> dict[str, Counter[str]]:
    """Count how many answers of each account are known under which names.

    Answers of another project do not count: in two copies of a project, one account number may be two people's.

    Args:
        known: answers so far.
        fresh: answers that were read.
        keys: key of the account that gave each of these.
        pairs: position among the known answers of each answer that was read, as `pair` returns it.
    """
    names: dict[str, Counter[str]] = defaultdict(Counter)
    for row, key, place in zip(fresh, keys, pairs, strict=True):
        if place is not None and key and is_named(known[place]) and known[place].source in {"", row.source}:
            names[key][who(known[place])] += 1
    return names


def superseded(merged: Merged[Annotation], history: Iterable[Superseded]) -> list[Superseded]:
    """What a merge adds to the history: earlier versions of answers, each version once.

    Args:
        merged: result of the merge.
        history: earlier versions that are already in the history.
    """
    kept: dict[tuple[object, ...], list[Annotation]] = defaultdict(list)
    for row in history:
        kept[row.answer.studio_id, row.answer.updated_at].append(row.answer)
    gone = [Superseded(why="edited", answer=edit.was) for edit in merged.edits]
    gone += [Superseded(why="deleted", answer=row) for row in merged.gone]
    new: list[Superseded] = []
    for row in gone:
        # `why` is not compared: after a killed pull, an answer that it saw edited may be found deleted.
        versions = kept[row.answer.studio_id, row.answer.updated_at]
        if not any(one_version(row.answer, other) for other in versions):
            versions.append(row.answer)
            new.append(row)
    return new


def one_version(first: Answer, second: Answer) -> bool:
    """Whether two rows of a history are the same version of the same answer."""
    if first.studio_id is None:
        return first == second
    same = one_answer(first, second) and len({first.source, second.source} - {""}) < 2
    return same and not contradict(first, second) and first.updated_at == second.updated_at


def renamed(row: AnswerRow, change: Mapping[str, str]) -> AnswerRow:
    """An answer under the pseudonym that replaces its person's, if there is one."""
    return by(row, change[who(row)]) if who(row) in change else row


def name_unknown(rows: Sequence[AnswerRow], taken: set[str]) -> list[AnswerRow]:
    """The answers, where each answer of an unknown person gets its own name.

    Args:
        rows: answers, some without a name.
        taken: names in use, to which the new ones are added.
    """
    numbers = [int(name.partition(" ")[2]) for name in taken if name.startswith("unknown ")]
    last = max(numbers, default=0)
    named: list[AnswerRow] = []
    for row in rows:
        if not who(row):
            last += 1
            row = by(row, f"unknown {last}")
            taken.add(who(row))
        named.append(row)
    return named


def give(
    rows: Sequence[AnswerRow],
    keys: Sequence[str],
    pairs: Sequence[int | None],
    names: Mapping[str, str],
    past: Sequence[AnswerRow],
    taken: set[str],
) -> list[AnswerRow]:
    """The answers that were read, with their people; each new answer of an unknown person gets its own name.

    Args:
        rows: answers that were read, with their source.
        keys: key of the account that gave each.
        pairs: position among the known answers of each answer that was read, as `pair` returns it.
        names: pseudonym of each account.
        past: earlier versions of answers: a deleted one that is here again is still the same person's.
        taken: names in use, to which new ones are added.
    """
    before = [past[place] if place is not None else None for place in pair(past, rows)]
    given: list[AnswerRow] = []
    for row, key, was in zip(rows, keys, before, strict=True):
        person = names.get(key, "")
        given.append(by(row, person or (who(was) if was is not None and is_named(was) else "")))
    new = [place for place, known in enumerate(pairs) if known is None]
    for place, row in zip(new, name_unknown([given[place] for place in new], taken), strict=True):
        given[place] = row
    return given
