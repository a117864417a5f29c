"""Translate between answers and the `result` lists of Label Studio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

import msgspec

from corpus.errors import StudioError
from labeling.records import ALIASES, STANCES, Adjudication, Annotation, Confidence, Stance


def result(row: Annotation) -> list[dict[str, Any]]:
    """An annotation's `result` as the labelling page would send it; empty for a skip."""
    if row.stance is None:
        return []
    choices = [("stance", row.stance)] + ([("sure", "unsure")] if row.unsure else [])
    texts = [(name, value) for name, value in (("holder", row.holder), ("comment", row.comment)) if value]
    return [chosen(name, choice) for name, choice in choices] + [
        {"from_name": name, "to_name": "text", "type": "textarea", "value": {"text": [value]}} for name, value in texts
    ]


def chosen(name: str, choice: str) -> dict[str, Any]:
    """One choice of a control."""
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [choice]}}


def read_answer(
    raw: Mapping[str, Any], sentence_id: str, annotator: str, codebook: str, *, control: int = 0, task: str = ""
) -> Annotation:
    """One answer in the labelling project, as an annotation.

    Raises:
        StudioError: its choice is not one of the codebook's, or it has no choice and is not a skip.
    """
    given = _given(raw)
    row = Annotation(
        sentence_id=sentence_id,
        annotator=annotator,
        stance=None if raw.get("was_cancelled") else _stance(raw, given.get("stance", []), sentence_id),
        seconds=raw.get("lead_time"),
        created_at=raw.get("created_at") or "",
        updated_at=raw.get("updated_at") or "",
        codebook=codebook,
        studio_id=raw["id"],
        unsure="unsure" in given.get("sure", []),
        comment="\n".join(given.get("comment", [])),
        holder="\n".join(given.get("holder", [])),
        control=control,
        task=task,
    )
    return checked(row, raw)


def read_adjudication(
    raw: Mapping[str, Any], sentence_id: str, adjudicator: str, codebook: str, votes: dict[str, Stance]
) -> Adjudication:
    """One answer in the queue.

    Raises:
        StudioError: its choice is not one of the codebook's, or it has no choice and is not a skip.
    """
    given = _given(raw)
    confidence: list[Confidence] = [name for name in get_args(Confidence) if name in given.get("confidence", [])]
    row = Adjudication(
        sentence_id=sentence_id,
        adjudicator=adjudicator,
        stance=None if raw.get("was_cancelled") else _stance(raw, given.get("stance", []), sentence_id),
        votes=votes,
        confidence=confidence[0] if confidence else None,
        note="\n".join(given.get("note", [])),
        codebook_should_say=bool(given.get("codebook")),
        codebook=codebook,
        created_at=raw.get("created_at") or "",
        updated_at=raw.get("updated_at") or "",
        studio_id=raw["id"],
    )
    return checked(row, raw)


Row = TypeVar("Row", Annotation, Adjudication)


def checked(row: Row, raw: Mapping[str, Any]) -> Row:
    """Check that the row can be read again once it is written: only the answer's result has been checked so far.

    Raises:
        StudioError: a field has another type.
    """
    try:
        return msgspec.convert(msgspec.to_builtins(row), type(row))
    except msgspec.ValidationError as error:
        raise _unreadable(raw, error) from error


class ForeignStance(msgspec.Struct, frozen=True, kw_only=True):
    """The stance in another project's answer, how it was written there, and, if there is no stance, why."""

    stance: Stance | None = None
    written: str = ""
    reason: str = ""


def foreign_stance(raw: Mapping[str, Any]) -> ForeignStance:
    """The stance in another project's answer: the only choice, in any control, that the alias table knows."""
    if raw.get("was_cancelled"):
        return ForeignStance()
    choices = [choice for part in _parts(raw) for choice in part.value.choices]
    known = {choice: ALIASES[folded] for choice in choices if (folded := choice.strip().casefold()) in ALIASES}
    if len(set(known.values())) == 1:
        written, stance = next(iter(known.items()))
        return ForeignStance(stance=stance, written=written)
    found = ", ".join(repr(choice) for choice in choices) or "none"
    return ForeignStance(reason=f"{'several stances' if known else 'no choice that is a stance'}: {found}")


class _Value(msgspec.Struct, frozen=True):
    choices: list[str] = []
    text: str | list[str] = []


class _Part(msgspec.Struct, frozen=True):
    """The values of one control; other projects have controls whose values hold neither choices nor text."""

    from_name: str = ""
    value: _Value = _Value()


def _parts(raw: Mapping[str, Any]) -> list[_Part]:
    try:
        return msgspec.convert(raw["result"] or [], list[_Part])
    except msgspec.ValidationError as error:
        raise _unreadable(raw, error) from error


def _given(raw: Mapping[str, Any]) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for part in _parts(raw):
        text = [part.value.text] if isinstance(part.value.text, str) else part.value.text
        given.setdefault(part.from_name, []).extend(part.value.choices or text)
    return given


def _unreadable(raw: Mapping[str, Any], error: msgspec.ValidationError) -> StudioError:
    return StudioError(
        f"annotation {raw['id']}: no answer as Label Studio gives it: {error}. Correct or delete it, and pull again"
    )


def _stance(raw: Mapping[str, Any], choices: list[str], sentence_id: str) -> Stance:
    for known in STANCES:
        if choices == [known]:
            return known
    raise StudioError(
        f"annotation {raw['id']} (sentence {sentence_id}): expected one stance of {', '.join(STANCES)}; "
        f"found {choices or 'none'}. Correct it at the server and pull again"
    )
