"""Take over predictions that were made anywhere else, as the answers of a machine coder."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from corpus.errors import ConfigError, SourceError, TableError
from corpus.near_duplicates import normalise
from corpus.reading.tables.whole_files import file_rows
from corpus.store import read_jsonl, table_path
from labeling.codebook import Codebook
from labeling.machine.answers import keep_prompt, read_answers, write_answers
from labeling.machine.records import MachineAnswer
from labeling.records import Annotation
from labeling.sampling.sample_table import read_sample
from labeling.scheme import Scheme
from labeling.studio.tasks import Corpus

NEARLY = 0.01
"""By how much probabilities may add up to something other than 1: other programs round them."""


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken over from a file.

    Attributes:
        labelled: number of sentences with a label.
        unlabelled: number of sentences whose row has none, which count as refused.
        repeated: number of rows that repeat another row's sentence with the same label; they count once.
        replaced: number of earlier answers of this coder, from another file, that the new ones replace.
        spellings: spelling of a label in the file → label that it was read as, where the two differ.
        notes: notes on how the file was read.
        changed: whether the file of answers changed.
    """

    labelled: int
    unlabelled: int
    repeated: int
    replaced: int
    spellings: dict[str, str]
    notes: list[str]
    changed: bool


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    sentence_id: str
    stance: str | None
    probabilities: dict[str, float] | None
    model: str


def adopt_predictions(
    path: Path,
    work: Path,
    scheme: Scheme,
    *,
    coder: str,
    description: str = "",
    codebook: Codebook | None = None,
) -> Adopted:
    """Read predictions from a file, and keep them as the answers of a machine coder.

    A row has a `sentence_id`, or a `text` that is matched with a group of exact copies; a label in the column `stance`
    or `label`, empty where the model gave none; and, where known, a `model`, and probabilities in columns with the
    labels' names or in an object `probabilities`. Other columns are left aside. The file holds all that the coder
    answered: another file of the same coder replaces the answers of the earlier one.

    Args:
        path: a `.csv`, `.jsonl` or `.parquet` file.
        work: the project's folder of tables.
        scheme: labels of the project.
        coder: name of the machine coder.
        description: how the predictions were made, in any words.
        codebook: codebook that the coder was given; None if it was given none, or that is not known.

    Raises:
        SourceError: the file cannot be read.
        TableError: columns are missing, or a row has an unknown sentence or label, or conflicts with another row; the
            message names the first such row and counts them. Nothing is written then.
        ConfigError: the coder's answers came from a server.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such file; --from takes predictions as .csv, .jsonl or .parquet")
    answers = read_answers(work, scheme)
    earlier = [row for row in answers if row.coder == coder]
    if asked := next((row for row in earlier if row.request), None):
        raise ConfigError(
            f"the name {coder!r} stands for the model {asked.model!r}, which was asked: name the coder of {path} "
            "otherwise with --coder NAME"
        )
    read = file_rows(path)
    spellings: dict[str, str] = {}
    rows = _matched(path, _rows(path, read.rows, scheme, spellings), read.rows, work)
    once, repeated = _once(path, rows)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    prompt = keep_prompt(work, description)
    new = [
        MachineAnswer(
            sentence_id=row.sentence_id,
            stance=row.stance,
            created_at=now,
            updated_at=now,
            codebook=codebook.version if codebook else "",
            coder=coder,
            model=row.model or coder,
            prompt=prompt,
            probabilities=row.probabilities,
            refused="" if row.stance is not None else "(no label in the file)",
        )
        for row in once
    ]
    blank = {"created_at": "", "updated_at": ""}
    same = {row.sentence_id: row for row in earlier}
    # A file that is read a second time changes nothing, not even the time.
    kept = [
        old
        if (old := same.get(row.sentence_id)) is not None
        and msgspec.structs.replace(old, **blank) == msgspec.structs.replace(row, **blank)
        else row
        for row in new
    ]
    now_kept = {row.sentence_id: row for row in kept}
    return Adopted(
        labelled=sum(row.stance is not None for row in new),
        unlabelled=sum(row.stance is None for row in new),
        repeated=repeated,
        replaced=sum(now_kept.get(row.sentence_id) != row for row in earlier),
        spellings=dict(sorted(spellings.items())),
        notes=read.notes,
        changed=write_answers(work, [*(row for row in answers if row.coder != coder), *kept]),
    )


def _rows(path: Path, rows: Sequence[Mapping[str, object]], scheme: Scheme, spellings: dict[str, str]) -> list[_Row]:
    """The rows with their labels and probabilities checked; `sentence_id` is as in the file, or empty."""
    if not rows:
        raise TableError(f"{path}: holds no prediction")
    columns = dict.fromkeys(name for row in rows for name in row)
    label = next((name for name in ("stance", "label") if name in columns), None)
    if label is None or not {"sentence_id", "text"} & columns.keys():
        raise TableError(
            f"{path}: expected the columns sentence_id or text, and stance or label; found {', '.join(columns)}"
        )
    unknown: dict[str, list[int]] = defaultdict(list)
    read: list[_Row] = []
    for number, row in enumerate(rows, 1):
        written = _cell(row, label)
        stance = scheme.read(written) if written else None
        if written and stance is None:
            unknown[written].append(number)
        elif stance is not None and written != stance:
            spellings[written] = stance
        read.append(
            _Row(
                sentence_id=_cell(row, "sentence_id"),
                stance=stance,
                probabilities=_probabilities(path, number, row, scheme),
                model=_cell(row, "model"),
            )
        )
    if unknown:
        first = min(numbers[0] for numbers in unknown.values())
        shown = ", ".join(f"{name!r} ({len(numbers)})" for name, numbers in sorted(unknown.items())[:20])
        raise TableError(
            f"{path}, row {first}: expected one of the labels of [labels] in stance.toml, {', '.join(scheme.names)}, "
            f"or nothing where the model gave no label; found {shown}. Nothing was taken over"
        )
    return read


def _cell(row: Mapping[str, object], name: str) -> str:
    """The value of a row in a column, as text; empty where there is none, for which pandas writes NaN."""
    value = row.get(name)
    return "" if value is None or value != value else str(value).strip()


def _probabilities(path: Path, number: int, row: Mapping[str, object], scheme: Scheme) -> dict[str, float] | None:
    """The probability of each label; None if the row gives none."""
    given: object = row.get("probabilities")
    if isinstance(given, str) and given.strip():
        try:
            given = json.loads(given)
        except ValueError:
            given = {}
    if given is None or given == "":
        cells = {name: _cell(row, name) for name in scheme.names}
        if not any(cells.values()):
            return None
        given = cells
    try:
        values = {name: float(str(value)) for name, value in dict(given).items()}  # type: ignore[call-overload]
    except (TypeError, ValueError):
        values = {}
    total = sum(values.values())
    if values.keys() != set(scheme.names) or not all(0 <= value <= 1 for value in values.values()):
        raise TableError(
            f"{path}, row {number}: expected a probability from 0 to 1 for each of {', '.join(scheme.names)}; found "
            f"{json.dumps(given, default=str)[:200]}"
        )
    if abs(total - 1) > NEARLY:
        raise TableError(f"{path}, row {number}: expected probabilities that add up to 1; they add up to {total:.3f}")
    return {name: values[name] for name in scheme.names}


def _matched(
    path: Path, rows: Sequence[_Row], given: Sequence[Mapping[str, object]], work: Path
) -> list[tuple[int, _Row]]:
    """The rows, each with its number and the sentence that it is about: by id, or else by text."""
    corpus = Corpus(work)
    answered = table_path(work, "annotations.jsonl")
    labelled = (
        {row.sentence_id for row in read_jsonl(answered, Annotation, "stance pull")} if answered.is_file() else ()
    )
    wanted = {normalise(_cell(cells, "text")) for row, cells in zip(rows, given, strict=True) if not row.sentence_id}
    # Of each group of exact copies, the sentence that people label counts. A model that saw nothing but a short text,
    # such as "No.", says the same of each sentence with that text.
    by_text = corpus.with_texts(wanted, labelled, {draw.sentence_id for draw in read_sample(work)})
    sought = [
        [row.sentence_id] if row.sentence_id else by_text.get(normalise(_cell(cells, "text")), [])
        for row, cells in zip(rows, given, strict=True)
    ]
    present = set(corpus.present({key for keys in sought for key in keys}))
    matched: list[tuple[int, _Row]] = []
    strange: list[tuple[int, str]] = []
    for number, (row, cells, keys) in enumerate(zip(rows, given, sought, strict=True), 1):
        here = [key for key in keys if key in present]
        matched += [(number, msgspec.structs.replace(row, sentence_id=key)) for key in here]
        if not here:
            strange.append((number, row.sentence_id or _cell(cells, "text")[:80]))
    if strange:
        number, found = strange[0]
        raise TableError(
            f"{path}, row {number}: expected a sentence of the corpus, by its sentence_id or its text; found {found!r} "
            f"({len(strange):,} such rows of {len(rows):,}). Remove these rows, or run `stance build` with their "
            "articles; nothing was taken over"
        )
    return matched


def _once(path: Path, rows: Sequence[tuple[int, _Row]]) -> tuple[list[_Row], int]:
    """Each sentence's row once, and how many rows repeat another."""
    first: dict[str, tuple[int, _Row]] = {}
    repeated: Counter[str] = Counter()
    for number, row in rows:
        before = first.setdefault(row.sentence_id, (number, row))
        if before[0] == number:
            continue
        if before[1].stance != row.stance:
            raise TableError(
                f"{path}, rows {before[0]} and {number}: both are about sentence {row.sentence_id}, with the labels "
                f"{before[1].stance!r} and {row.stance!r}. Keep one of them; nothing was taken over"
            )
        repeated[row.sentence_id] += 1
    return [row for _, row in first.values()], repeated.total()
