"""Translate between answers and the `result` lists of Label Studio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

import msgspec

from corpus.errors import StudioError
from labeling.codebook import Codebook
from labeling.records import Adjudication, Annotation, Confidence
from labeling.scheme import DEFAULT, Scheme, Stance


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


def label_of(raw: Mapping[str, Any]) -> Stance | None:
    """The label that an answer holds at the server, whatever it is; None for a skip."""
    given = [] if raw.get("was_cancelled") else _given(raw).get("stance", [])
    return given[0] if given else None


def relabelled(raw: Mapping[str, Any], stance: Stance) -> list[dict[str, Any]]:
    """The `result` of an answer with another label; everything else in it stays."""
    return [
        {**part, "value": {**part["value"], "choices": [stance]}} if part.get("from_name") == "stance" else part
        for part in raw["result"]
    ]


def read_answer(
    raw: Mapping[str, Any],
    sentence_id: str,
    annotator: str,
    codebook: Codebook,
    *,
    control: int = 0,
    task: str = "",
    scheme: Scheme = DEFAULT,
) -> Annotation:
    """One answer in the labelling project, as an annotation.

    Raises:
        StudioError: its choice is not one of the project's labels, or it has no choice and is not a skip.
    """
    given = _given(raw)
    stance, version = _stance(raw, given.get("stance", []), sentence_id, codebook, scheme)
    row = Annotation(
        sentence_id=sentence_id,
        annotator=annotator,
        stance=stance,
        seconds=raw.get("lead_time"),
        created_at=raw.get("created_at") or "",
        updated_at=raw.get("updated_at") or "",
        codebook=version,
        studio_id=raw["id"],
        unsure="unsure" in given.get("sure", []),
        comment="\n".join(given.get("comment", [])),
        holder="\n".join(given.get("holder", [])),
        control=control,
        task=task,
    )
    return checked(row, raw)


def read_adjudication(
    raw: Mapping[str, Any],
    sentence_id: str,
    adjudicator: str,
    codebook: Codebook,
    votes: dict[str, Stance],
    scheme: Scheme = DEFAULT,
) -> Adjudication:
    """One answer in the queue.

    Raises:
        StudioError: its choice is not one of the project's labels, or it has no choice and is not a skip.
    """
    given = _given(raw)
    confidence: list[Confidence] = [name for name in get_args(Confidence) if name in given.get("confidence", [])]
    stance, version = _stance(raw, given.get("stance", []), sentence_id, codebook, scheme)
    row = Adjudication(
        sentence_id=sentence_id,
        adjudicator=adjudicator,
        stance=stance,
        votes=votes,
        confidence=confidence[0] if confidence else None,
        note="\n".join(given.get("note", [])),
        codebook_should_say=bool(given.get("codebook")),
        codebook=version,
        created_at=raw.get("created_at") or "",
        updated_at=raw.get("updated_at") or "",
        studio_id=raw["id"],
    )
    return checked(row, raw)


AnswerRow = TypeVar("AnswerRow", Annotation, Adjudication)


def checked(row: AnswerRow, raw: Mapping[str, Any]) -> AnswerRow:
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


def foreign_stance(raw: Mapping[str, Any], scheme: Scheme = DEFAULT) -> ForeignStance:
    """The stance in another project's answer: the only choice that is a label or an alias of one.

    If several controls have such choices, the one with stance's own name counts; otherwise there is no stance.
    """
    if raw.get("was_cancelled"):
        return ForeignStance()
    parts = _parts(raw)
    choices = [choice for part in parts for choice in part.value.choices]
    known = {choice: label for choice in choices if (label := scheme.read(choice)) is not None}
    if len(set(known.values())) > 1:
        named = {choice for part in parts if part.from_name == "stance" for choice in part.value.choices}
        known = {choice: stance for choice, stance in known.items() if choice in named} or known
    if len(set(known.values())) == 1:
        written, stance = next(iter(known.items()))
        return ForeignStance(stance=stance, written=written)
    found = ", ".join(repr(choice) for choice in choices) or "none"
    return ForeignStance(reason=f"{'several stances' if known else 'no label of this project'}: {found}")


def foreign_comment(raw: Mapping[str, Any]) -> str:
    """What the annotator remarked in another project's answer, in a control named `comment`."""
    return "\n".join(_given(raw).get("comment", []))


class _Value(msgspec.Struct, frozen=True):
    choices: list[str] = []
    text: str | list[str] = []


class _FormPart(msgspec.Struct, frozen=True):
    """The values of one control; other projects have controls whose values hold neither choices nor text."""

    from_name: str = ""
    value: _Value = _Value()


def _parts(raw: Mapping[str, Any]) -> list[_FormPart]:
    try:
        return msgspec.convert(raw["result"] or [], list[_FormPart])
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


def _stance(
    raw: Mapping[str, Any], choices: list[str], sentence_id: str, codebook: Codebook, scheme: Scheme
) -> tuple[Stance | None, str]:
    """The label, and the codebook's version: an earlier one if only that has this label, as the page had it then."""
    if raw.get("was_cancelled"):
        return None, codebook.version
    for known, version in {
        **codebook.earlier_labels(scheme.names),
        **dict.fromkeys(scheme.names, codebook.version),
    }.items():
        if choices == [known]:
            return known, version
    raise StudioError(
        f"annotation {raw['id']} (sentence {sentence_id}): expected one stance of {', '.join(scheme.names)}; "
        f"found {choices or 'none'}. Correct it at the server and pull again"
    )
