"""The rows of an export with one row for each answer: those of annotators, and those of machine coders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from labeling.machine.records import MachineAnswer
from labeling.records import Annotation
from labeling.scheme import Scheme
from release.export.corpus_batches import article_schema, batches, chance_of
from release.export.project_labels import Answers, Labels

OF_SENTENCE = ("label", "how", "split", "group")


def answer_schema(scheme: Scheme) -> pa.Schema:
    """The columns of an answer itself."""
    text = pa.string()
    return pa.schema(
        [
            *((name, text) for name in ("sentence_id", "annotator", "coder", "answer")),
            *(("unsure", pa.bool_()), ("seconds", pa.float64()), ("answer_codebook", text)),
            *((name, text) for name in ("created_at", "updated_at", "model", "prompt")),
            *(("temperature", pa.float64()), ("sample", pa.int64()), ("refused", pa.bool_())),
            *((chance_of(name), pa.float64()) for name in scheme.names),
        ]
    )


def long_schema(scheme: Scheme) -> pa.Schema:
    """All columns: the answer, its sentence with the label and how it was settled, and where the sentence is from."""
    text = pa.string()
    sentence = [pa.field(name, text) for name in ("text", *OF_SENTENCE, "target")]
    return pa.schema([*answer_schema(scheme), *sentence, *article_schema()])


def answer_table(answers: Answers, scheme: Scheme) -> pa.Table:
    """All answers, sorted by sentence; those of machine coders follow those of annotators."""
    rows: list[Annotation | MachineAnswer] = [*answers.people]
    for given in answers.machine.values():
        rows += given
    machine = [isinstance(row, MachineAnswer) for row in rows]
    columns = {
        "answer": [row.stance for row in rows],
        "answer_codebook": [row.codebook or None for row in rows],
        "refused": [row.stance is None if by else None for row, by in zip(rows, machine, strict=True)],
    }
    for name in answer_schema(scheme).names:
        if name not in columns and not name.startswith("probability_"):
            columns[name] = [None if value == "" else value for value in (getattr(row, name, None) for row in rows)]
    chances = [getattr(row, "probabilities", None) or {} for row in rows]
    columns |= {chance_of(name): [row.get(name) for row in chances] for name in scheme.names}
    schema = answer_schema(scheme)
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in schema}, schema=schema)


def answer_rows(work: Path, table: pa.Table, labels: Labels, scheme: Scheme, target: str) -> Iterator[pa.RecordBatch]:
    """One row for each answer to a sentence of the corpus, in the order of the sentences.

    Args:
        work: the project's folder of tables.
        table: all answers; see `answer_table`.
        labels: what is known of labelled sentences.
        scheme: labels of the project.
        target: name of the target.

    Raises:
        TableError: a table is missing or malformed.
    """
    schema = long_schema(scheme)
    asked = table["sentence_id"].combine_chunks()
    for rows in batches(work):
        places = pc.index_in(asked, value_set=rows["sentence_id"])
        # The sort is stable: the answers to one sentence keep their order.
        order = pc.array_sort_indices(places).slice(0, len(asked) - places.null_count)
        of = places.take(order)
        here = {name: column.take(of) for name, column in rows.items()}
        known = labels.stands.at(here["sentence_id"], here["copy_id"])
        settled = labels.of_sentence.at(known)
        columns = {
            **here,
            **{name: settled[name] for name in OF_SENTENCE},
            "target": pa.repeat(target, len(of)),
            **{name: table[name].combine_chunks().take(order) for name in table.column_names},
        }
        yield pa.RecordBatch.from_arrays([columns[field.name] for field in schema], schema=schema)
