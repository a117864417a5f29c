"""Read what `stance status` and the report show of machine coders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from labeling.copy_groups import read_groups
from labeling.machine.anchoring import Anchoring, anchoring, read_suggestions
from labeling.machine.answers import by_series, read_answers, sentences_of
from labeling.machine.comparison import Machines, compare
from labeling.machine.records import MachineSettings
from labeling.records import Annotation
from labeling.scheme import Scheme
from labeling.votes import latest_answers, latest_votes


class MachineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Machine coders beside the people, and how far people follow suggested labels.

    Attributes:
        machines: all machine coders; None if there are none.
        anchoring: how far annotators follow the labels that they are shown; None unless `[labeling] assist_share` held
            some back, and both kinds of tasks have answers.
    """

    machines: Machines | None
    anchoring: Anchoring | None


def read_machine_status(
    work: Path,
    answers: Sequence[Annotation],
    article_of: Mapping[str, str],
    scheme: Scheme,
    settings: MachineSettings,
) -> MachineStatus | None:
    """Compare all machine coders of a project with its people.

    Args:
        work: the project's folder of tables.
        answers: the people's answers that count, to sentences of the corpus.
        article_of: article of each sentence of the corpus that people answered.
        scheme: labels of the project.
        settings: `[machine]` of stance.toml.

    Returns:
        The comparison; None if there is nothing to compare.

    Raises:
        TableError: a file is malformed.
    """
    series = by_series(read_answers(work, scheme))
    suggestions = read_suggestions(work, scheme)
    if series:
        asked = sentences_of(series)
        article_of = {**read_groups(work, asked - article_of.keys()).article_of, **article_of}
    machines = compare(series, latest_votes(answers), article_of, scheme, settings.epsilon) if series else None
    followed = anchoring(suggestions, latest_answers(answers).values(), article_of) if suggestions else None
    return MachineStatus(machines=machines, anchoring=followed) if machines or followed else None
