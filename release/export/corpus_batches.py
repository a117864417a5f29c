"""Read the sentences of the corpus with their articles' metadata and the model's predictions, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import TableError
from corpus.records import ARTICLES, SENTENCES
from corpus.tables import open_table, read_table
from labeling.scheme import Scheme
from release.export.project_labels import ByKey
from train.predict.judge import predictions

BATCH = 50_000
"""Sentences in a batch: the keys of all articles and predictions are hashed once for each batch."""
ABOUT = ("outlet", "published", "title", "url", "language", "licence")
PLACE = ("article_id", "index", "start", "end", "copy_id", "cluster_id")


def article_schema() -> pa.Schema:
    """The columns that say where a sentence is from."""
    return pa.schema([SENTENCES.field(name) for name in PLACE] + [ARTICLES.field(name) for name in ABOUT])


def prediction_schema(scheme: Scheme) -> pa.Schema:
    """The columns of the model's prediction; the probabilities are in the order of the labels."""
    return pa.schema(
        [
            ("predicted", pa.string()),
            *((chance_of(name), pa.float64()) for name in scheme.names),
            ("model", pa.string()),
        ]
    )


def chance_of(label: str) -> str:
    """The name of the column with a label's probability."""
    return f"probability_{label}"


def sentence_count(work: Path) -> int:
    """The number of sentences of the corpus."""
    with open_table(work / "sentences.parquet", SENTENCES, "stance build") as file:
        return int(file.metadata.num_rows)


def batches(work: Path) -> Iterator[dict[str, pa.Array]]:
    """The sentences of the corpus, in its order, with the metadata of their articles; what is not known is null.

    Raises:
        TableError: there is no corpus, or a sentence has no article.
    """
    schema = pa.schema([ARTICLES.field(name) for name in ("article_id", *ABOUT)])
    articles = read_table(work / "articles.parquet", schema, "stance build").combine_chunks()
    columns = {name: _known(articles[name].combine_chunks()) for name in ABOUT}
    by_article = ByKey(keys=articles["article_id"].combine_chunks(), columns=columns)
    with open_table(work / "sentences.parquet", SENTENCES, "stance build") as file:
        for batch in file.iter_batches(BATCH, columns=SENTENCES.names, use_threads=False):
            rows = {name: batch.column(name) for name in SENTENCES.names}
            if pc.index_in(rows["article_id"], value_set=by_article.keys).null_count:
                raise TableError(f"{work}: a sentence's article is not in articles.parquet. Run `stance build` again")
            yield rows | by_article.at(rows["article_id"])


def read_predictions(work: Path, scheme: Scheme) -> ByKey:
    """What the model predicted for each sentence; without any sentence if `stance predict` was not run.

    Raises:
        TableError: the table is malformed, or has other labels than the project.
    """
    path, schema = work / "predictions.parquet", predictions(scheme.names)
    table = read_table(path, schema, "stance predict") if path.is_file() else schema.empty_table()
    names = ["stance", *scheme.names, "model"]
    few = {"stance", "model"}  # few values, which as numbers take a byte or two each
    columns = {
        new.name: table[old].dictionary_encode().combine_chunks() if old in few else table[old].combine_chunks()
        for old, new in zip(names, prediction_schema(scheme), strict=True)
    }
    return ByKey(keys=table["sentence_id"].combine_chunks(), columns=columns)


def _known(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
