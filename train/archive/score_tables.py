"""Join the scores of an archive with its articles, sort them into files, and count the stances.

DuckDB and Spark run the same queries (see `corpus.database`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.database import Database
from corpus.errors import TableError
from corpus.records import ARTICLES, SENTENCES
from corpus.tables import open_table
from labeling.scheme import Stance
from train.archive.hive_files import HivePart, write_parts
from train.archive.score_shards import FILE, ScoreShard
from train.predict.judge import BATCH, MADE_BY, predictions
from train.predict.sentence_arrays import month_of
from train.predict.shares import Counts

ABOUT = ("article_id", "outlet", "published", "url", "language")
ROWS = (
    "SELECT article.month, article.outlet, sentence.sentence_id, sentence.article_id, article.published, article.url, "
    "scored.label, {chances} "
    "FROM sentence JOIN scored ON scored.sentence_id = sentence.sentence_id "
    "JOIN article ON article.article_id = sentence.article_id "
    "ORDER BY article.month, article.outlet, sentence.article_id, sentence.start"
)
COUNTS = (
    "SELECT homes.home, article.month, article.outlet, article.language, {counts}"
    " FROM sentence JOIN scored ON scored.sentence_id = sentence.sentence_id "
    "JOIN article ON article.article_id = sentence.article_id "
    "JOIN (SELECT cluster_id, min(article_id) AS home FROM sentence GROUP BY cluster_id) AS homes "
    "ON homes.cluster_id = sentence.cluster_id GROUP BY homes.home, article.month, article.outlet, "
    "article.language"
)


def row_schema(labels: Sequence[Stance]) -> pa.Schema:
    """The schema of the scores; month and outlet become part of the path."""
    known = predictions(labels)
    return pa.schema(
        [
            ("month", pa.string()),
            ("outlet", pa.string()),
            *(SENTENCES.field(name) for name in ("sentence_id", "article_id")),
            *(ARTICLES.field(name) for name in ("published", "url")),
            *(known.field(name) for name in ("stance", *labels, "model")),
        ]
    )


def views(database: Database, tables: Path, new: Path, shards: list[Path]) -> None:
    """Register the three tables that the queries use: article, scored and sentence.

    Args:
        database: engine that runs the queries.
        tables: folder of the corpus' tables.
        new: temporary folder for the tables.
        shards: folders of the finished shards.
    """
    # In folders with fixed names: a user's folder may have characters that an engine does not accept in a path.
    for name in ("article", "sentence"):
        (new / name).mkdir()
    (new / "sentence" / "sentences.parquet").symlink_to(tables / "sentences.parquet")
    schema = pa.schema([ARTICLES.field(name) for name in ABOUT])
    about = schema.append(pa.field("month", pa.string()))
    with (
        open_table(tables / "articles.parquet", schema, MADE_BY) as file,
        pq.ParquetWriter(new / "article" / "articles.parquet", about) as out,
    ):
        for batch in file.iter_batches(BATCH, columns=schema.names):
            rows = [
                row
                | {
                    "outlet": row["outlet"] or "",
                    "language": row["language"] or "",
                    "month": month_of(row["published"]),
                }
                for row in batch.to_pylist()
            ]
            out.write_batch(pa.RecordBatch.from_pylist(rows, schema=about))
    database.read("article", [new / "article"], "articles.parquet")
    database.read("scored", shards, FILE)
    database.read("sentence", [new / "sentence"], "sentences.parquet")


def write_scores(
    database: Database,
    folder: Path,
    version: str,
    labels: Sequence[Stance],
    shards: list[ScoreShard],
    tables: Path,
) -> list[HivePart]:
    """Write the scores to files.

    Args:
        database: engine that has the tables of `views`.
        folder: folder to write to, which must not exist yet.
        version: version of the model.
        labels: labels of the model.
        shards: shards of the corpus, to check the number of sentences.
        tables: folder of the corpus' tables, for the message of an error.

    Raises:
        TableError: a sentence has no article or several, or two sentences have the same id.
    """

    def rows() -> Iterator[pa.RecordBatch]:
        schema, names = row_schema(labels), np.array(labels, dtype=object)
        for batch in database.stream(ROWS.format(chances=", ".join(f"scored.p{n}" for n in range(len(labels))))):
            columns = {name: batch.column(name) for name in batch.schema.names}
            columns |= {label: columns[f"p{n}"] for n, label in enumerate(labels)}
            columns["stance"] = pa.array(names[columns["label"].to_numpy(zero_copy_only=False)], pa.string())
            columns["model"] = pa.array([version] * batch.num_rows, pa.string())
            # Engines differ in the types and metadata of the columns that they return.
            yield pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in schema], schema=schema)

    folder.mkdir()
    parts = write_parts(rows(), folder)
    wanted, found = sum(shard.rows for shard in shards), sum(part.rows for part in parts)
    if found != wanted:
        raise TableError(
            f"{tables}: expected each of {wanted} sentences to have one article and an id of its own; "
            f"found {found} such pairs. Run `{MADE_BY}` again"
        )
    return parts


def count(database: Database, labels: Sequence[Stance]) -> Counts:
    """Count the sentences of each label by `home` article, outlet, month and language.

    The `home` article is explained in `train.predict.sentence_arrays`.

    Args:
        database: engine that has the tables of `views`.
        labels: labels of the model.
    """
    names = [f"n{n}" for n in range(len(labels))]
    counts = ", ".join(f"count(CASE WHEN scored.label = {n} THEN 1 END) AS {name}" for n, name in enumerate(names))
    table = pa.Table.from_batches(
        [
            batch.select(["home", "month", "outlet", "language", *names])
            for batch in database.stream(COUNTS.format(counts=counts))
        ]
    ).combine_chunks()
    # Numbered in the order of the articles' ids, so that the result does not depend on the engine's order.
    home = pc.rank(table.column("home"), tiebreaker="dense").to_numpy().astype(np.int32)
    outlet, month, language = (
        table.column(name).combine_chunks().dictionary_encode() for name in ("outlet", "month", "language")
    )
    return Counts(
        sentences=np.stack([table.column(name).to_numpy() for name in names], axis=1).astype(np.int64),
        home=home,
        outlet=outlet.indices.to_numpy(),
        month=month.indices.to_numpy(),
        outlets=outlet.dictionary.to_pylist(),
        months=month.dictionary.to_pylist(),
        language=language.indices.to_numpy(),
        languages=language.dictionary.to_pylist(),
    )
