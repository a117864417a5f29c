"""Read what a coder says about the sentences: the project's model, a machine coder, or a file of predictions."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import StanceError, TableError
from corpus.records import SENTENCES
from corpus.store import read_jsonl, table_path
from corpus.tables import read_table
from labeling.machine.records import FILE as MACHINE
from labeling.scheme import Scheme, Stance
from train.examples.labelled_files import file_rows
from train.predict.influence import Places

FILE = re.compile(r"(?P<path>.+\.(?:parquet|csv|jsonl))(?::(?P<column>.+))?")
"""A file of predictions as `--coder` names it, such as answers.csv or answers.csv:gpt."""


class MachineLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of an answer in `machine.jsonl`; `stance` is None where the coder gave no label."""

    sentence_id: str
    coder: str
    stance: Stance | None


class Coded(msgspec.Struct, frozen=True, kw_only=True):
    """What a coder says.

    Attributes:
        called: the coder, in words for the first line of the output.
        given: position of the label of each sentence in the scheme; -1 where the coder gave none.
        notes: what the user should know about the coder, a line each.
    """

    called: str
    given: NDArray[np.int8]
    notes: list[str]


def read_model_labels(work: Path, scheme: Scheme) -> Coded:
    """The labels of the project's model, from `predictions.parquet`.

    Raises:
        TableError: the file is missing or malformed, or not of this corpus.
    """
    path = work / "predictions.parquet"
    columns = pa.schema([(name, pa.string()) for name in ("sentence_id", "stance", "model")])
    table = read_table(path, columns, "stance predict")
    rows = zip(table.column("sentence_id").to_pylist(), table.column("stance").to_pylist(), strict=True)
    labels = dict(rows)
    ids = sentence_ids(work)
    at = {name: place for place, name in enumerate(scheme.names)}
    unknown = next((stance for stance in labels.values() if stance not in at), None)
    missing = sum(sentence_id not in labels for sentence_id in ids)
    if unknown is not None or missing or len(labels) != len(ids):
        found = f"the label {unknown!r}" if unknown is not None else f"{len(labels):,} sentences, {missing:,} missing"
        raise TableError(
            f"{path}: expected one of {', '.join(scheme.names)} for each of the {len(ids):,} sentences of the corpus; "
            f"found {found}. Run `stance predict` again"
        )
    versions = sorted(set(table.column("model").to_pylist()))
    return Coded(
        called=f"model {', '.join(map(str, versions))}",
        given=np.array([at[labels[id_]] for id_ in ids], np.int8),
        notes=[],
    )


def read_coder(work: Path, name: str, unit: Places, scheme: Scheme) -> Coded:
    """The labels of a machine coder, or of a file of predictions.

    A sentence with several answers of one coder has the label that most of them give; if two labels are given equally
    often, the sentence counts as one without a label. Exact copies of a sentence have its label, unless they have
    labels of their own.

    Args:
        work: the project's folder of tables.
        name: name of the machine coder; or a .parquet, .csv or .jsonl file with the columns `sentence_id` and `stance`,
            or with a column of another name, which stands after the file's name and a colon; or the folder of an
            archive that a model predicted.
        unit: copy group of each sentence.
        scheme: labels of the project.

    Raises:
        StanceError: there is no such coder or file, it has no such column, a label is not of the scheme, or none of its
            sentences is in the corpus.
    """
    match = FILE.fullmatch(name)
    notes: list[str] = []
    if Path(name).is_dir():
        labels = _of_archive(Path(name), scheme)
        called = f"the model of the archive {name}"
    elif match:
        labels, notes = _of_file(Path(match["path"]), match["column"] or "stance", scheme)
        called = f"predictions in {name}"
    else:
        labels = _of_machine(work, name, scheme)
        called = f"machine coder {name}"
    ids = sentence_ids(work)
    given, tied = _places(ids, labels, scheme)
    given = _for_copies(given, unit)
    outside = len(labels.keys() - set(ids))
    coded = int((given >= 0).sum())
    if not coded:
        raise StanceError(
            f"{called}: expected labels of this corpus' sentences, by the sentence_id of {work / 'sentences.parquet'}; "
            f"found none of its {len(ids):,} sentences among the {len(labels):,} with a label"
        )
    if outside:
        notes.append(f"{outside:,} sentences of the coder are not in the corpus, and were left out")
    if tied:
        notes.append(f"sentences with equally many answers for two labels, which count as unlabelled: {tied:,}")
    if coded < len(ids):
        notes.append(
            f"the coder gave a label to {coded:,} of {len(ids):,} sentences: the naive estimate is about these alone; "
            "the corrected ones are about all, and wider for it"
        )
    notes.append("the intervals hold only if the coder has not learned from the verdicts, in training or in its prompt")
    return Coded(called=called, given=given, notes=notes)


def sentence_ids(work: Path) -> list[str]:
    """The ids of the corpus' sentences, in the order of the table."""
    schema = pa.schema([SENTENCES.field("sentence_id")])
    ids: list[str] = read_table(work / "sentences.parquet", schema, "stance build").column(0).to_pylist()
    return ids


def _of_machine(work: Path, name: str, scheme: Scheme) -> dict[str, list[Stance]]:
    path = table_path(work, MACHINE)
    if not path.is_file():
        raise StanceError(
            f"--coder {name}: expected answers of machine coders in {path}, which is not there; or the name of a "
            ".parquet, .csv or .jsonl file with the columns sentence_id and stance"
        )
    answers = read_jsonl(path, MachineLabel, "stance annotate")
    labels: dict[str, list[Stance]] = defaultdict(list)
    for number, row in enumerate(answers, 1):
        if row.coder != name or row.stance is None:
            continue
        if row.stance not in scheme.names:
            raise TableError(
                f"{path}, answer {number}: expected one of the labels of [labels] in stance.toml, "
                f"{', '.join(scheme.names)}; found {row.stance!r}"
            )
        labels[row.sentence_id].append(row.stance)
    if not labels:
        known = ", ".join(sorted({row.coder for row in answers})) or "none"
        raise StanceError(f"--coder {name}: {path} has no label by a coder of this name; its coders are: {known}")
    return labels


def _of_archive(folder: Path, scheme: Scheme) -> dict[str, list[Stance]]:
    """The labels in the scores of an archive, as `train.archive.predict_archive` writes them."""
    scores = folder / "scores"
    if not (scores / "_SUCCESS").is_file():
        raise StanceError(
            f"--coder {folder}: expected a folder with the finished scores of an archive, which `stance predict MODEL "
            "SOURCE… --out FOLDER` writes; found no scores/_SUCCESS in it"
        )
    labels: dict[str, list[Stance]] = {}
    for path in sorted(scores.rglob("*.parquet")):
        schema = pa.schema([(name, pa.string()) for name in ("sentence_id", "stance")])
        columns = read_table(path, schema, "stance predict").to_pydict()
        if unknown := sorted(set(columns["stance"]) - set(scheme.names)):
            raise TableError(
                f"{path}: expected the labels {', '.join(scheme.names)}; found {unknown[0]!r}. The model of the "
                "archive has other labels than the project"
            )
        labels |= {key: [stance] for key, stance in zip(columns["sentence_id"], columns["stance"], strict=True)}
    return labels


def _of_file(path: Path, column: str, scheme: Scheme) -> tuple[dict[str, list[Stance]], list[str]]:
    if not path.is_file():
        raise StanceError(f"--coder {path}: the file is not there")
    rows = file_rows(path).rows
    names = list(dict.fromkeys(key for row in rows for key in row))
    for needed in ("sentence_id", column):
        if needed not in names:
            raise StanceError(
                f"{path}: expected the columns sentence_id and {column}; found {', '.join(names) or 'none'}. Name the "
                f"column of the labels after the file, as in --coder {path}:COLUMN"
            )
    labels: dict[str, list[Stance]] = {}
    spellings: Counter[tuple[str, Stance]] = Counter()
    for number, row in enumerate(rows, 1):
        sentence_id, written = str(row.get("sentence_id") or ""), str(row.get(column) or "").strip()
        if not written:
            continue
        label = scheme.read(written)
        if label is None:
            raise StanceError(
                f"{path}, row {number}, column {column}: expected one of {', '.join(scheme.names)}, or nothing; found "
                f"{written!r}"
            )
        if labels.setdefault(sentence_id, [label]) != [label]:
            raise StanceError(
                f"{path}, row {number}: expected one label for each sentence; found {labels[sentence_id][0]} and "
                f"{label} for {sentence_id}"
            )
        spellings[written, label] += written != label
    return labels, [
        f"read {written!r} as {label} ({count:,})" for (written, label), count in spellings.items() if count
    ]


def _places(ids: Sequence[str], labels: Mapping[str, Iterable[Stance]], scheme: Scheme) -> tuple[NDArray[np.int8], int]:
    """The position of the label that most answers on each sentence give, -1 for none; and the number of ties."""
    given, tied = np.full(len(ids), -1, np.int8), 0
    for place, sentence_id in enumerate(ids):
        counts = Counter(labels.get(sentence_id, ())).most_common(2)
        if len(counts) == 2 and counts[0][1] == counts[1][1]:
            tied += 1
        elif counts:
            given[place] = scheme.names.index(counts[0][0])
    return given, tied


def _for_copies(given: NDArray[np.int8], unit: Places) -> NDArray[np.int8]:
    """The labels, where exact copies without one have that of their group, if the group has only one."""
    known = given >= 0
    least, most = np.full(int(unit.max()) + 1, 127, np.int8), np.full(int(unit.max()) + 1, -1, np.int8)
    np.minimum.at(least, unit[known], given[known])
    np.maximum.at(most, unit[known], given[known])
    alike = np.where(least == most, most, -1).astype(np.int8)
    return np.where(known, given, alike[unit])
