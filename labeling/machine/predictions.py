"""A machine coder's labels in the form in which a push shows predictions to annotators."""

from __future__ import annotations

from pathlib import Path

from corpus.errors import ConfigError
from labeling.machine.answers import by_series, read_answers
from labeling.machine.records import FILE
from labeling.scheme import Scheme
from labeling.studio.tasks import Prediction


def coder_predictions(work: Path, coder: str, scheme: Scheme) -> dict[str, Prediction]:
    """The label of each sentence by a machine coder, with its probability where the coder gives one.

    Args:
        work: the project's folder of tables.
        coder: name of the machine coder.
        scheme: labels of the project.

    Raises:
        ConfigError: there is no such coder, or it answered by several prompts or at several temperatures.
        TableError: the file of answers is malformed.
    """
    series = by_series(read_answers(work, scheme))
    own = [rows for of, rows in series.items() if of.coder == coder]
    if not own:
        known = ", ".join(sorted({repr(of.coder) for of in series})) or "none so far"
        raise ConfigError(f"--coder {coder!r}: there is no such machine coder; those of this project are: {known}")
    if len(own) > 1:
        raise ConfigError(
            f"--coder {coder!r} has answered by {len(own)} prompts or temperatures, and it isn't known which of them "
            f"to show: delete the lines of the others from {work / FILE}, or let a coder of another name answer"
        )
    return {
        row.sentence_id: Prediction(
            stance=row.stance,
            probability=row.probabilities[row.stance] if row.probabilities else None,
            model=coder,
        )
        for row in own[0]
        if row.sample == 1 and row.stance is not None
    }
