"""The draws of all rounds as a table, and what drawing reads from the model's predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
import pyarrow as pa

from corpus.errors import TableError
from corpus.store import table_path, write_table
from corpus.tables import booleans, read_table, strings
from labeling.scheme import DEFAULT, Scheme

By = Literal["random", "stratified", "document", "keyword", "uncertainty"]
"""The ways of drawing that a user can ask for."""
DRAWN = {
    "random": "at random",
    "stratified": "at random, in proportion to the outlets",
    "document": "in whole articles",
    "keyword": "by keywords",
    "uncertainty": "by the model's uncertainty",
}
"""How a round was drawn, as it is said after the number of its sentences."""
SAMPLE = pa.schema(
    [("sentence_id", pa.string()), ("round", pa.int64()), ("by", pa.string()), ("probability", pa.float64())]
)


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that a round drew.

    `probability` is the probability of being drawn in this round, given the earlier rounds; None if chance did not
    choose. The random share of an uncertainty round is marked `by` random. A round of an archive (`by` archive) draws
    from the archive's sentences, not from the corpus, and its probabilities are about them.
    """

    sentence_id: str
    round: Annotated[int, msgspec.Meta(ge=1)]
    by: Literal[By, "all", "server", "control", "archive"]
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None

    @property
    def is_sampled(self) -> bool:
        """Whether the round draws the sentence to be labelled, and does not show a settled one again."""
        return self.by != "control"

    @property
    def is_of_corpus(self) -> bool:
        """Whether the round draws the sentence from the corpus, to be labelled."""
        return self.by not in ("control", "archive")


def read_sample(work: Path) -> list[Draw]:
    """The draws of all rounds so far, from `sample.parquet`; empty if there is no such file.

    Raises:
        TableError: the file is not a table of draws, or a sentence was drawn twice.
    """
    path = table_path(work, "sample.parquet")
    if not path.is_file():
        return []
    restore = "restore it from a copy: what it holds can't be made again, and estimates rest on it"
    try:
        draws = msgspec.convert(read_table(path, SAMPLE, "stance push").to_pylist(), list[Draw])
    except (TableError, msgspec.ValidationError) as error:
        raise TableError(
            f"{path}: expected the rounds drawn so far, in the columns {', '.join(SAMPLE.names)}; "
            f"found: {error.__cause__ or error}; {restore}"
        ) from error
    # A control item repeats a sentence, but not twice in one round; an archive may hold a sentence of the corpus, too.
    seen = Counter((row.sentence_id, 0 if row.is_of_corpus else row.round) for row in draws)
    twice = sorted(key for key, count in seen.items() if count > 1)
    if twice:
        raise TableError(f"{path}: expected each sentence to be drawn once; found {twice[0][0]} twice; {restore}")
    return draws


def write_sample(work: Path, draws: Sequence[Draw]) -> bool:
    """Write the draws of all rounds, earlier ones too, as `sample.parquet`; True if the file changed."""
    # From buffers, as `corpus.tables.strings`: everything else that makes a table of Python values imports pandas.
    rounds = np.array([row.round for row in draws], np.int64)
    chances = np.array([row.probability or np.nan for row in draws], np.float64)
    is_known = booleans(~np.isnan(chances)).buffers()[1]
    columns = [
        strings([row.sentence_id for row in draws]),
        pa.Int64Array.from_buffers(pa.int64(), len(draws), [None, pa.py_buffer(rounds)]),
        strings([row.by for row in draws]),
        pa.DoubleArray.from_buffers(pa.float64(), len(draws), [is_known, pa.py_buffer(chances)]),
    ]
    return write_table(table_path(work, "sample.parquet"), pa.Table.from_arrays(columns, schema=SAMPLE))


def drawn_sentences(draws: Iterable[Draw]) -> set[str]:
    """The sentences that a round drew to be labelled; if there are none, every group of copies is to be labelled."""
    return {row.sentence_id for row in draws if row.is_sampled}


def to_label(drawn: AbstractSet[str], copy_of: Mapping[str, str]) -> dict[str, str]:
    """The groups of exact copies to label, each with the member that was drawn.

    Args:
        drawn: sentences that were drawn.
        copy_of: the group of each of them that is in the corpus; the group is named after its first copy.
    """
    return {copy_of[key]: key for key in sorted(drawn & copy_of.keys(), reverse=True)}


def read_certainty(work: Path, scheme: Scheme = DEFAULT) -> dict[str, float]:
    """How sure the model is of each sentence: its highest probability; NaN where one is missing.

    Raises:
        TableError: `predictions.parquet` is missing or is not a table of predictions.
    """
    path = work / "predictions.parquet"
    columns = pa.schema([("sentence_id", pa.string()), *((name, pa.float64()) for name in scheme.names)])
    table = read_table(path, columns, "stance predict")
    ids = table.column("sentence_id").to_pylist()
    chances = np.stack([table.column(stance).to_numpy() for stance in scheme.names])
    known = chances[~np.isnan(chances)]
    if len(set(ids)) < len(ids) or ((known < 0) | (known > 1)).any():
        raise TableError(
            f"{path}: expected each sentence once, with probabilities from 0 to 1; found others. "
            "Run `stance predict` again"
        )
    return dict(zip(ids, chances.max(axis=0).tolist(), strict=True))
