"""Make the rows of the config `machine`: the answers of machine coders, declared as such and apart from people's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from labeling.copy_groups import read_groups
from labeling.machine.answers import PROMPTS, Series, by_series, dates, prompt_text, read_answers, sentences_of
from labeling.scheme import Scheme

MACHINE = (
    "sentence_id coder stance refused sample probabilities model prompt codebook temperature answered_by created_at"
).split()


class ReleasedCoder(msgspec.Struct, frozen=True, kw_only=True):
    """What the card says about a machine coder: who answered, to which prompt, and when.

    Attributes:
        series: coder, model, prompt and temperature.
        answers: number of its answers in the release.
        refused: number of these that give no label.
        first: day of the first answer, ISO 8601; empty if not known.
        last: day of the last answer.
        codebooks: versions of the codebook in its prompts, sorted.
    """

    series: Series
    answers: int
    refused: int
    first: str
    last: str
    codebooks: list[str]


class MachineRelease(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a release has of machine coders: rows, the coders for the card, and the prompts by their path."""

    rows: list[dict[str, Any]]
    coders: list[ReleasedCoder]
    prompts: dict[str, bytes]


def machine_release(work: Path, scheme: Scheme) -> MachineRelease:
    """The answers of machine coders to sentences of the corpus, with their prompts.

    What a model said in place of a label is not published: it may quote the article.

    Args:
        work: the project's folder of tables.
        scheme: labels of the project.

    Raises:
        TableError: the file of answers, or the table of sentences, is malformed.
    """
    rows: list[dict[str, Any]] = []
    coders: list[ReleasedCoder] = []
    prompts: dict[str, bytes] = {}
    given_by = by_series(read_answers(work, scheme))
    asked = sentences_of(given_by)
    corpus = read_groups(work, asked).in_corpus if asked else frozenset[str]()
    for series, answers in given_by.items():
        here = [row for row in answers if row.sentence_id in corpus]
        if not here:
            continue
        first, last = dates(here)
        coders.append(
            ReleasedCoder(
                series=series,
                answers=len(here),
                refused=sum(row.stance is None for row in here),
                first=first,
                last=last,
                codebooks=sorted({row.codebook for row in here if row.codebook}),
            )
        )
        if text := prompt_text(work, series.prompt):
            prompts[f"{PROMPTS}/{series.prompt}.txt"] = text.encode()
        for row in here:
            given = row.probabilities or {}
            rows.append(
                {
                    **{name: getattr(row, name) for name in MACHINE},
                    "refused": row.stance is None,
                    "probabilities": [{"stance": name, "probability": given[name]} for name in scheme.names if given],
                }
            )
    return MachineRelease(rows=_sorted(rows), coders=coders, prompts=prompts)


def _sorted(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["sentence_id"], row["coder"], row["prompt"], row["sample"], row["model"]))
