"""The rows of an export with one row for each sentence of the corpus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from labeling.scheme import Scheme
from release.export.corpus_batches import article_schema, batches, prediction_schema, read_predictions
from release.export.project_labels import Labels

TEXTS = ("before", "after")


def sentence_schema(labels: Labels, scheme: Scheme) -> pa.Schema:
    """The columns in their order: the sentence and its label, then annotators, model, machine coders, and the rest."""
    text = pa.string()
    people = [name for name in labels.of_sentence.columns if name.startswith("annotator_")]
    return pa.schema(
        [
            *((name, text) for name in ("sentence_id", "text", "label", "how")),
            *((name, text) for name in people),
            *prediction_schema(scheme),
            *((name, text) for name, *_ in labels.machine),
            *((name, text) for name in ("split", "group")),
            *(("round", pa.int64()), ("drawn_by", text), ("sampling_probability", pa.float64())),
            *((name, text) for name in ("target", "codebook", "copy_of")),
            *article_schema(),
            *((name, text) for name in TEXTS),
        ]
    )


def sentence_rows(work: Path, labels: Labels, scheme: Scheme, target: str) -> Iterator[pa.RecordBatch]:
    """One row for each sentence of the corpus, in its order.

    A sentence that nobody labelled has what is known of its exact copy; `copy_of` names the copy then.

    Args:
        work: the project's folder of tables.
        labels: what is known of labelled sentences.
        scheme: labels of the project.
        target: name of the target.

    Raises:
        TableError: a table is missing or malformed.
    """
    schema = sentence_schema(labels, scheme)
    predicted = read_predictions(work, scheme)
    for rows in batches(work):
        ids, groups = rows["sentence_id"], rows["copy_id"]
        known = labels.stands.at(ids, groups)
        columns = {
            **rows,
            **labels.of_sentence.at(known),
            **predicted.at(ids),
            **labels.draws.at(groups),
            "target": pa.repeat(target, len(ids)),
            "copy_of": pc.if_else(pc.equal(known, ids), pa.scalar(None, pa.string()), known),
        }
        for name, stands, given in labels.machine:
            columns |= {name: given.at(stands.at(ids, groups))[name]}
        yield pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in schema], schema=schema)
