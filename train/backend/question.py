"""Find the question of a labelling page that the model can answer: the choices that are its labels, and their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from lxml import etree

from corpus.errors import StanceError
from labeling.scheme import Scheme, Stance

USUAL = "stance"
"""Name of the control on stance's own page; it goes before others that have the same choices."""
TEXTS = ("Text", "HyperText")


class QuestionError(StanceError):
    """No question of a labelling page fits the model."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question that the model can answer.

    Attributes:
        control: name of the control with the choices.
        shown: name of the object that it is about.
        field: the field of a task's data that holds the text.
        choices: label of the model → the choice as results of Label Studio name it.
    """

    control: str
    shown: str
    field: str
    choices: dict[Stance, str]


def find_question(page: str, labels: Sequence[Stance]) -> Question:
    """Find the control whose choices are the model's labels, and the text that it is about.

    Choices may be written otherwise where `[labels]` would read them as the same labels: in capitals, or as "pro".

    Args:
        page: the labelling page of a project, as XML.
        labels: labels of the model.

    Raises:
        QuestionError: the page is not XML; no control has these choices, or several have; or its text is not a field
            of the tasks.
    """
    try:
        # Entities are not expanded, and nothing is fetched: the page may come from anybody.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
        root = etree.fromstring(page.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise QuestionError(f"the labelling page is not XML: {error}") from error
    scheme = Scheme(names=list(labels))
    given = {tag.get("name", ""): _values(tag) for tag in root.iter("Choices") if tag.get("choice") != "multiple"}
    fitting = {name: read for name, values in given.items() if (read := _labels_of(values, scheme)) is not None}
    name = USUAL if USUAL in fitting else next(iter(fitting), None)
    if name is None or (len(fitting) > 1 and name != USUAL):
        raise QuestionError(_unfit(given, list(fitting), labels))
    control = next(tag for tag in root.iter("Choices") if tag.get("name", "") == name)
    shown = (control.get("toName") or "").split(",")[0].strip()
    fields = [tag.get("value") or "" for tag in root.iter(*TEXTS) if tag.get("name") == shown]
    if not fields or not fields[0].startswith("$") or len(fields[0]) < 2:
        raise QuestionError(
            f"the control {name} of the labelling page should be about a text of the tasks (a tag Text whose value is "
            f'a field, such as "$text"); it is about {shown or "nothing"}'
        )
    return Question(control=name, shown=shown, field=fields[0][1:], choices=fitting[name])


def _values(tag: etree._Element) -> list[str]:
    """The choices of a control as results name them: by their alias, where they have one."""
    return [choice.get("alias") or choice.get("value") or "" for choice in tag.iter("Choice")]


def _labels_of(values: Sequence[str], scheme: Scheme) -> dict[Stance, str] | None:
    """The choice for each label; None unless each label has just one, and each choice is a label."""
    read = [scheme.read(value) for value in values]
    if None in read or sorted(filter(None, read)) != sorted(scheme.names):
        return None
    return {label: value for label, value in zip(read, values, strict=True) if label is not None}


def _unfit(given: Mapping[str, Sequence[str]], fitting: Sequence[str], labels: Sequence[Stance]) -> str:
    if fitting:
        return (
            f"several controls of the labelling page have the model's labels as choices: {', '.join(fitting)}; name "
            f"the one that the model is to answer {USUAL}"
        )
    found = "; ".join(f"{name or '(no name)'}: {', '.join(values) or 'none'}" for name, values in given.items())
    return (
        f"the model's labels are {', '.join(labels)}, and no Choices control of the labelling page has these choices; "
        f"found {found or 'no such control'}"
    )
