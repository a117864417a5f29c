"""Turn sentences into tasks, one for each group of exact copies, for labelling or for the queue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpus.errors import TableError
from corpus.near_duplicates import normalise
from corpus.records import ARTICLES, SENTENCES
from corpus.tables import booleans, open_table, read_table, strings, table_parts, truths
from labeling.copy_groups import KEYS_OF_GROUPS
from labeling.records import Annotation, Task, Unsettled
from labeling.sampling.archive_sentences import read_archived
from labeling.sampling.pool import Pool
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.votes import latest_answers

SHOWN_OF_SENTENCES = ("text", "before", "after")
SHOWN_OF_ARTICLES = ("title", "outlet", "published")


class QueueTask(Task, frozen=True, kw_only=True):
    """A task of the queue: the sentence, its `votes` as the page shows them, and `given`, the votes for the verdict."""

    votes: str
    comments: str
    reason: str
    given: dict[str, Stance]


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """The stance that a model predicts for a sentence, and its probability, from 0 to 1; None if it gives none."""

    stance: Stance
    probability: float | None
    model: str


def read_predictions(work: Path, scheme: Scheme = DEFAULT) -> dict[str, Prediction]:
    """The model's prediction for each sentence, from `predictions.parquet`.

    Raises:
        TableError: the file is missing or malformed.
    """
    columns = [("sentence_id", pa.string()), ("stance", pa.string()), ("model", pa.string())]
    path = work / "predictions.parquet"
    rows = read_table(path, pa.schema([*columns, *((name, pa.float64()) for name in scheme.names)]), "stance predict")
    chances = [chance for name in scheme.names for chance in rows.column(name).to_pylist()]
    # NaN fails every comparison; JSON has no NaN, so it could not be sent to the server.
    if not all(chance is not None and 0 <= chance <= 1 for chance in chances):
        raise TableError(f"{path}: expected probabilities from 0 to 1; found others. Run `stance predict` again")
    try:
        return {
            row["sentence_id"]: msgspec.convert(
                {
                    "stance": row["stance"],
                    "probability": max(row[name] for name in scheme.names),
                    "model": row["model"],
                },
                Prediction,
            )
            for row in rows.to_pylist()
        }
    except (msgspec.ValidationError, TypeError) as error:
        raise TableError(f"{path}: {error}; run `stance predict` again") from error


class _Keys(msgspec.Struct, frozen=True):
    """The ids of all sentences, whether each is the first of its group of exact copies, and the larger groups."""

    ids: pa.ChunkedArray
    is_first: NDArray[np.bool_]
    copies: dict[str, list[str]]


class Corpus:
    """The tables of the corpus, accessed by sentence. Of sentences that nobody asks for, only the ids are in memory."""

    def __init__(self, work: Path) -> None:
        """Check that there are tables; ids and groups are read when they are first needed.

        Raises:
            TableError: there is no corpus yet.
        """
        self._work = work
        open_table(work / "articles.parquet", pa.schema([ARTICLES.field("article_id")]), "stance build").close()
        open_table(work / "sentences.parquet", KEYS_OF_GROUPS, "stance build").close()

    @cached_property
    def _keys(self) -> _Keys:
        ids: list[pa.Array] = []
        are_first: list[NDArray[np.bool_]] = []
        further: list[tuple[str, str]] = []
        for part in table_parts(self._work / "sentences.parquet", KEYS_OF_GROUPS, "stance build"):
            is_first = pc.equal(part["sentence_id"], part["copy_id"])
            others = part.filter(pc.invert(is_first))
            further += zip(others["copy_id"].to_pylist(), others["sentence_id"].to_pylist(), strict=True)
            ids += part["sentence_id"].chunks
            are_first.append(truths(is_first))
        copies: dict[str, list[str]] = {copy_id: [copy_id] for copy_id, _ in further}
        for copy_id, id_ in further:
            copies[copy_id].append(id_)
        return _Keys(pa.chunked_array(ids, pa.string()), np.concatenate([np.zeros(0, bool), *are_first]), copies)

    @property
    def copies(self) -> dict[str, list[str]]:
        """The sentences of each group of exact copies that has more than one; the first copy comes first."""
        return self._keys.copies

    def chosen(self, *preferred: Collection[str]) -> pa.ChunkedArray:
        """The sentence that stands for each group of exact copies, in corpus order.

        Args:
            preferred: sets of sentence ids that should stand for their group, the most important set first.
        """
        others = {copy_id: id_ for copy_id, id_ in self._standing(preferred).items() if copy_id != id_}
        is_chosen = self._keys.is_first.copy()
        for names, is_one in ((others.keys(), False), (others.values(), True)):
            is_chosen[self._are(names)] = is_one
        return self._keys.ids.filter(booleans(is_chosen))

    def standing(self, ids: Collection[str], *preferred: Collection[str]) -> dict[str, str]:
        """For each of these sentences that is in the corpus, the one that stands for its group; see `chosen`."""
        stands = self._standing(preferred)
        group = {id_: copy_id for copy_id, members in self.copies.items() for id_ in members}
        return {id_: stands[group[id_]] if id_ in group else id_ for id_ in self.present(ids)}

    def present(self, ids: Collection[str]) -> list[str]:
        """Those of these sentences that are in the corpus, in corpus order; then those drawn from an archive."""
        found: list[str] = self._keys.ids.filter(booleans(self._are(ids))).to_pylist()
        here, wanted = set(found), set(ids)
        return [*found, *(id_ for id_ in self._archived if id_ in wanted and id_ not in here)]

    @cached_property
    def _archived(self) -> dict[str, dict[str, Any]]:
        """What tasks show of the sentences that were drawn from archives, by id."""
        return {row.sentence_id: msgspec.structs.asdict(row) for row in read_archived(self._work)}

    def _standing(self, preferred: Sequence[Collection[str]]) -> dict[str, str]:
        return {
            copy_id: next((min(some) for among in preferred if (some := [id_ for id_ in ids if id_ in among])), copy_id)
            for copy_id, ids in self.copies.items()
        }

    def _are(self, ids: Collection[str]) -> NDArray[np.bool_]:
        wanted = strings(sorted(set(ids)))
        return truths(pc.is_in(self._keys.ids, value_set=wanted))

    def rows(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """What tasks show of these sentences, in the order given, with `article_id` and `language`."""
        sentences = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "article_id", *SHOWN_OF_SENTENCES)])
        articles = pa.schema([ARTICLES.field(name) for name in ("article_id", *SHOWN_OF_ARTICLES, "language")])
        path = self._work / "sentences.parquet"
        rows = read_table(path, sentences, "stance build", ("sentence_id", ids)).to_pylist()
        where = ("article_id", {row["article_id"] for row in rows})
        found = read_table(self._work / "articles.parquet", articles, "stance build", where).to_pylist()
        about = {row["article_id"]: row for row in found}
        whole = self._archived | {row["sentence_id"]: row | about[row["article_id"]] for row in rows}
        return [whole[id_] for id_ in ids]

    def units(self, ids: pa.ChunkedArray | Sequence[str]) -> Pool:
        """The units that rounds draw from, for these sentences."""
        return Pool(self._work, ids if isinstance(ids, pa.ChunkedArray) else pa.chunked_array([strings(ids)]))

    def with_texts(self, wanted: Collection[str], *preferred: Collection[str]) -> dict[str, list[str]]:
        """The sentences with one of these normalised texts, by text; one for each group of exact copies.

        Args:
            wanted: the texts, as `corpus.near_duplicates.normalise` gives them.
            preferred: sets of sentence ids that should stand for their group, the most important set first.
        """
        ids: dict[str, list[str]] = defaultdict(list)
        for unit in self.units(self.chosen(*preferred)) if wanted else ():
            if (text := normalise(unit.text)) in wanted:
                ids[text].append(unit.sentence_id)
        return ids

    def tasks(self, keys: Sequence[tuple[str, int]], target: str) -> list[Task]:
        """Tasks for sentences, each with the round in which it is a control item, or 0."""
        rows = self.rows([id_ for id_, _ in keys])
        return [
            Task(**_shown(row), target=target, control=control) for row, (_, control) in zip(rows, keys, strict=True)
        ]

    def queue(self, unsettled: Iterable[Unsettled], annotations: Iterable[Annotation], target: str) -> list[QueueTask]:
        """Tasks for the sentences that people must settle, in the order given, without those that left the corpus."""
        everything = list(unsettled)
        here = set(self.present([item.sentence_id for item in everything]))
        open_ = [item for item in everything if item.sentence_id in here]
        last = latest_answers(annotations)
        tasks: list[QueueTask] = []
        for row, item in zip(self.rows([item.sentence_id for item in open_]), open_, strict=True):
            answers = [(who, stance, last.get((item.sentence_id, who))) for who, stance in item.votes.items()]
            tasks.append(
                QueueTask(
                    **_shown(row),
                    target=target,
                    votes=" · ".join(
                        f"{who} {stance}{' (unsure)' if answer and answer.unsure else ''}"
                        for who, stance, answer in answers
                    ),
                    comments="\n".join(_remark(answer) for _, _, answer in answers if answer and _remark(answer)),
                    reason=item.reason,
                    given=dict(item.votes),
                )
            )
        return tasks


def data(task: Task) -> dict[str, Any]:
    """A task's `data`, as the server holds it."""
    built: dict[str, Any] = msgspec.to_builtins(task)
    return built


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("sentence_id", *SHOWN_OF_SENTENCES, *SHOWN_OF_ARTICLES)}


def _remark(row: Annotation) -> str:
    parts = [f"stance of {row.holder}"] if row.holder else []
    parts += [row.comment] if row.comment else []
    return f"{row.annotator}: {'; '.join(parts)}" if parts else ""
