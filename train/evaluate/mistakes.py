"""List the model's mistakes, most confident first, and the verdicts that the model doubts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from corpus.records import ARTICLES, SENTENCES
from corpus.store import write_jsonl
from corpus.tables import read_table
from labeling.records import Unsettled
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.votes import alike
from train.records import Example


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The context of a sentence: the text before and after it, and its article."""

    before: str = ""
    after: str = ""
    article_id: str = ""
    title: str = ""
    outlet: str = ""
    published: str = ""
    url: str = ""


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A word of a sentence, and how much it moved the model from the label towards the predicted stance.

    A `weight` below 0 moved it back towards the label.
    """

    piece: str
    weight: float


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """A test sentence whose predicted stance is not its label.

    `confidence` is the probability of the predicted stance, `label_probability` that of the label; `votes` are the
    annotators' votes. Context and votes are empty where the data has none. `pushes` are the words in their order, as
    `train.model.explain.explain` returns them.
    """

    sentence_id: str
    text: str
    target: str
    group: str
    label: Stance
    predicted: Stance
    confidence: float
    label_probability: float
    context: Context
    votes: dict[str, Stance]
    pushes: list[Push] = []


class Doubt(Unsettled, frozen=True, kw_only=True):
    """A verdict that the out-of-fold prediction contradicts, as a sentence for the queue with the reason.

    `confidence` is the model's probability of the `predicted` stance, `label_probability` that of the `label`;
    `margin` is the second minus the first, from -1 to 0: the lower, the more doubtful.
    """

    label: Stance
    predicted: Stance
    label_probability: float
    margin: float
    text: str


def read_contexts(work: Path, sentence_ids: Sequence[str]) -> dict[str, Context]:
    """Read the contexts of sentences from the project's tables; sentences that have left the corpus have none.

    Raises:
        TableError: a table is missing.
    """
    schema = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "article_id", "before", "after")])
    where = ("sentence_id", sentence_ids)
    rows = read_table(work / "sentences.parquet", schema, "stance build", where).to_pylist()
    ids = {row["article_id"] for row in rows}
    names = ("article_id", "title", "outlet", "published", "url")
    articles = {
        row["article_id"]: {name: row[name] or "" for name in names}
        for row in read_table(
            work / "articles.parquet",
            pa.schema([ARTICLES.field(name) for name in names]),
            "stance build",
            ("article_id", ids),
        ).to_pylist()
    }
    return {
        row["sentence_id"]: Context(
            before=row["before"] or "",
            after=row["after"] or "",
            **articles.get(row["article_id"], {"article_id": row["article_id"]}),
        )
        for row in rows
    }


def read_languages(work: Path, sentence_ids: Sequence[str]) -> dict[str, str]:
    """Read the language of the articles of sentences; sentences that have left the corpus have none.

    Raises:
        TableError: a table is missing.
    """
    sentences = read_table(
        work / "sentences.parquet",
        pa.schema([SENTENCES.field(name) for name in ("sentence_id", "article_id")]),
        "stance build",
        ("sentence_id", sentence_ids),
    ).to_pylist()
    articles = read_table(
        work / "articles.parquet",
        pa.schema([ARTICLES.field(name) for name in ("article_id", "language")]),
        "stance build",
        ("article_id", {row["article_id"] for row in sentences}),
    )
    languages = {row["article_id"]: row["language"] or "" for row in articles.to_pylist()}
    return {row["sentence_id"]: languages.get(row["article_id"], "") for row in sentences}


def mistakes(
    testing: Sequence[Example],
    probabilities: NDArray[np.float64],
    contexts: Mapping[str, Context] | None = None,
    votes: Mapping[str, Mapping[str, Stance]] | None = None,
    explained: Callable[[Example], Sequence[tuple[str, Mapping[Stance, float]]]] | None = None,
    scheme: Scheme = DEFAULT,
) -> list[Mistake]:
    """List the test sentences that the model gets wrong, most confident first.

    Args:
        testing: examples of the test split.
        probabilities: probabilities, shape (examples, labels), in the order of the scheme; the label with the largest
            is predicted, of equal ones the first.
        contexts: context of each sentence id, as from `read_contexts`.
        votes: stance by annotator for each sentence id, as in the verdicts.
        explained: function that returns what each word of an example adds to the decision value of each stance.
        scheme: labels of the examples.

    Raises:
        ExamplesError: the probabilities have another shape.
    """
    _check(testing, probabilities, scheme)
    made = [
        Mistake(
            sentence_id=row.sentence_id,
            text=row.text,
            target=row.target,
            group=row.group,
            label=row.label,
            predicted=scheme.names[max(range(len(chances)), key=lambda n: (chances[n], -n))],
            confidence=max(chances),
            label_probability=chances[scheme.names.index(row.label)],
            context=(contexts or {}).get(row.sentence_id, Context()),
            votes=dict((votes or {}).get(row.sentence_id, {})),
        )
        for row, chances in zip(testing, probabilities.tolist(), strict=True)
    ]
    wrong = [(row, example) for row, example in zip(made, testing, strict=True) if row.predicted != row.label]
    shown = [
        msgspec.structs.replace(
            row,
            pushes=[
                Push(piece=piece, weight=by[row.predicted] - by[row.label])
                for piece, by in (explained(example) if explained else ())
            ],
        )
        for row, example in wrong
    ]
    return sorted(shown, key=lambda row: (-row.confidence, row.label_probability, row.sentence_id, row.text))


def doubts(
    examples: Sequence[Example],
    probabilities: NDArray[np.float64],
    votes: Mapping[str, Mapping[str, Stance]] | None = None,
    scheme: Scheme = DEFAULT,
) -> list[Doubt]:
    """List verdicts that the model contradicts, by confident learning, as candidates for a second look.

    The model is confident of a stance for a sentence if the probability of the stance is at least its mean probability
    over the sentences that have it as their label. A verdict is doubted if the most probable of these stances is
    another one (which puts it off the diagonal of the confident joint) and more probable than the verdict's stance.
    The model makes mistakes too, so people must decide.

    Args:
        examples: training examples, with the verdicts as labels.
        probabilities: out-of-fold probabilities, shape (examples, labels), in the order of the scheme: each row is from
            models that had not seen the example's group.
        votes: stance by annotator for each sentence id, as in the verdicts.
        scheme: labels of the examples.

    Returns:
        The doubted verdicts, sorted by the label's probability minus that of the predicted stance, lowest first.

    Raises:
        ExamplesError: the probabilities have another shape.

    References:
        Northcutt, Jiang & Chuang (2021), Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70:
        equation 1 and 2 (thresholds, joint); section 3.2 (ranking by normalised margin).

    >>> rows = [
    ...     Example(sentence_id=name, text="", label=label)
    ...     for name, label in (("a", "favor"), ("b", "against"), ("c", "against"))
    ... ]
    >>> chances = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.92, 0.04, 0.04]])
    >>> [(row.sentence_id, row.predicted, round(row.margin, 2)) for row in doubts(rows, chances)]
    [('c', 'favor', -0.88)]
    """
    _check(examples, probabilities, scheme)
    if not examples:
        return []
    labels = np.array([scheme.names.index(row.label) for row in examples])
    own = probabilities[np.arange(len(labels)), labels]
    # A stance that no example has gets an infinite threshold. By fsum the order of the examples does not matter.
    means = [
        math.fsum(own[labels == n]) / int((labels == n).sum()) if (labels == n).any() else np.inf
        for n in range(len(scheme.names))
    ]
    sure = np.where(probabilities >= np.array(means), probabilities, -1.0)
    best = sure.argmax(axis=1)
    top = sure.max(axis=1)
    doubted = top > own  # a tie with the verdict's own stance is not a contradiction
    doubtful: list[Doubt] = []
    for n in np.flatnonzero(doubted).tolist():
        row, by = examples[n], dict((votes or {}).get(examples[n].sentence_id, {}))
        predicted = scheme.names[int(best[n])]
        doubtful.append(
            Doubt(
                sentence_id=row.sentence_id,
                votes=by,
                reason=f"the verdict is {row.label}; a model that had not seen the article says {predicted} "
                f"({100 * float(top[n]):.0f} %, {row.label} {100 * float(own[n]):.0f} %)",
                agreement=alike(by),
                confidence=float(top[n]),
                label=row.label,
                predicted=predicted,
                label_probability=float(own[n]),
                margin=float(own[n] - top[n]),
                text=row.text,
            )
        )
    return sorted(doubtful, key=lambda row: (row.margin, row.sentence_id, row.text))


def write_doubts(work: Path, rows: Sequence[Doubt]) -> bool:
    """Write `doubts.jsonl`; each line is also a record of the queue (`labeling.records.Unsettled`).

    Returns:
        Whether the file changed.
    """
    return write_jsonl(work / "doubts.jsonl", rows)


def _check(examples: Sequence[Example], probabilities: NDArray[np.float64], scheme: Scheme) -> None:
    if len(examples) and probabilities.shape != (len(examples), len(scheme.names)):
        raise ExamplesError(
            f"expected probabilities of {len(examples)} examples and {len(scheme.names)} labels; "
            f"got {probabilities.shape}"
        )
