"""Turn sentences into tasks, one for each group of exact copies, for labelling or for the queue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from corpus.errors import TableError
from corpus.records import ARTICLES, SENTENCES
from corpus.store import read_table
from labeling.records import STANCES, Annotation, Stance, Task, Unsettled
from labeling.sampling.sample import SamplingUnit
from labeling.votes import latest_answers


class QueueTask(Task, frozen=True, kw_only=True):
    """A task of the queue: the sentence, its `votes` as the page shows them, and `given`, the votes for the verdict."""

    votes: str
    comments: str
    reason: str
    given: dict[str, Stance]


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """The stance that the model predicts for a sentence, and its probability, from 0 to 1."""

    stance: Stance
    probability: float
    model: str


def read_predictions(work: Path) -> dict[str, Prediction]:
    """The model's prediction for each sentence, from `predictions.parquet`.

    Raises:
        TableError: the file is missing or malformed.
    """
    columns = [("sentence_id", pa.string()), ("stance", pa.string()), ("model", pa.string())]
    path = work / "predictions.parquet"
    rows = read_table(path, pa.schema([*columns, *((name, pa.float64()) for name in STANCES)]), "stance predict")
    chances = [chance for name in STANCES for chance in rows.column(name).to_pylist()]
    # NaN fails every comparison; JSON has no NaN, so it could not be sent to the server.
    if not all(chance is not None and 0 <= chance <= 1 for chance in chances):
        raise TableError(f"{path}: expected probabilities from 0 to 1; found others. Run `stance predict` again")
    try:
        return {
            row["sentence_id"]: msgspec.convert(
                {"stance": row["stance"], "probability": max(row[name] for name in STANCES), "model": row["model"]},
                Prediction,
            )
            for row in rows.to_pylist()
        }
    except (msgspec.ValidationError, TypeError) as error:
        raise TableError(f"{path}: {error}; run `stance predict` again") from error


class Corpus:
    """The tables of the corpus, accessed by sentence: rows stay in Arrow until tasks are made of them."""

    def __init__(self, work: Path) -> None:
        """Read the tables.

        Raises:
            TableError: there is no corpus yet.
        """
        columns = [ARTICLES.field(name) for name in ("article_id", "title", "outlet", "published")]
        articles = read_table(work / "articles.parquet", pa.schema(columns), "stance build").to_pylist()
        self.articles: dict[str, dict[str, Any]] = {row["article_id"]: row for row in articles}
        self._sentences = read_table(work / "sentences.parquet", SENTENCES, "stance build")
        ids: list[str] = self._sentences.column("sentence_id").to_pylist()
        self.place = {id_: place for place, id_ in enumerate(ids)}
        self.copies: dict[str, list[str]] = defaultdict(list)
        for id_, copy_id in zip(ids, self._sentences.column("copy_id").to_pylist(), strict=True):
            self.copies[copy_id].append(id_)

    def chosen(self, *preferred: Collection[str]) -> list[str]:
        """The sentence that stands for each group of exact copies, in corpus order.

        Args:
            preferred: sets of sentence ids that should stand for their group, the most important set first.
        """
        groups = [
            next((min(present) for among in preferred if (present := [id_ for id_ in ids if id_ in among])), copy_id)
            for copy_id, ids in self.copies.items()
        ]
        return sorted(groups, key=self.place.__getitem__)

    def rows(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of these sentences, in the order given, each with its article's `title`, `outlet`, `published`."""
        rows = self._sentences.take(pa.array([self.place[id_] for id_ in ids], pa.int64())).to_pylist()
        return [{**row, **self.articles[row["article_id"]]} for row in rows]

    def units(self, ids: Sequence[str]) -> list[SamplingUnit]:
        """The units that rounds draw from, for these sentences."""
        texts, articles = (self._sentences.column(name).to_pylist() for name in ("text", "article_id"))
        return [
            SamplingUnit(
                sentence_id=id_,
                article_id=articles[place],
                outlet=self.articles[articles[place]]["outlet"] or "",
                text=texts[place],
            )
            for id_ in ids
            for place in (self.place[id_],)
        ]

    def tasks(self, keys: Sequence[tuple[str, int]], target: str) -> list[Task]:
        """Tasks for sentences, each with the round in which it is a control item, or 0."""
        rows = self.rows([id_ for id_, _ in keys])
        return [
            Task(**_shown(row), target=target, control=control) for row, (_, control) in zip(rows, keys, strict=True)
        ]

    def queue(self, unsettled: Iterable[Unsettled], annotations: Iterable[Annotation], target: str) -> list[QueueTask]:
        """Tasks for the sentences that people must settle, in the order given, without those that left the corpus."""
        open_ = [item for item in unsettled if item.sentence_id in self.place]
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
                    reason=f"{item.reason} (agreement {item.agreement:.2f})",
                    given=dict(item.votes),
                )
            )
        return tasks


def data(task: Task) -> dict[str, Any]:
    """A task's `data`, as the server holds it."""
    built: dict[str, Any] = msgspec.to_builtins(task)
    return built


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("sentence_id", "text", "before", "after", "title", "outlet", "published")}


def _remark(row: Annotation) -> str:
    parts = [f"{row.holder}'s stance"] if row.holder else []
    parts += [row.comment] if row.comment else []
    return f"{row.annotator}: {'; '.join(parts)}" if parts else ""
