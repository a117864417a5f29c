"""Small corpora for drawing samples and rounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from corpus.records import ARTICLES, SENTENCES
from corpus.store import write_table
from labeling.sampling.pool import SamplingUnit
from labeling.studio.tasks import Corpus

OUTLETS = ("", "Gazette", "Sentinel")


TARGET = "sending Western troops to Ukraine"


def corpus(count: int) -> list[SamplingUnit]:
    """Sentences of articles with four each, from outlets of different sizes; one sentence in three has a keyword."""
    return [
        unit(n, OUTLETS[min(n // 4 % 5, 2)], f"Troops{n} left." if n % 3 == 0 else "It rained.") for n in range(count)
    ]


def certainties(pool: Sequence[SamplingUnit]) -> dict[str, float]:
    return {row.sentence_id: (n * 7 % 11) / 11 for n, row in enumerate(pool) if n % 5}


def corpus_of(work: Path, copy_ids: dict[str, str]) -> Corpus:
    """Write a corpus of one article with these sentence ids, each with its copy_id."""
    article = dict.fromkeys(ARTICLES.names, "") | {"article_id": "a"}
    rows = [
        dict.fromkeys(SENTENCES.names, "")
        | {"sentence_id": id_, "article_id": "a", "copy_id": copy_id, "text": f"About {copy_id}."}
        | {"index": n, "start": 0, "end": 0}
        for n, (id_, copy_id) in enumerate(copy_ids.items())
    ]
    write_table(work / "articles.parquet", pa.Table.from_pylist([article], schema=ARTICLES))
    write_table(work / "sentences.parquet", pa.Table.from_pylist(rows, schema=SENTENCES))
    return Corpus(work)


def unit(number: int, outlet: str = "", text: str = "It rained.", article: str = "") -> SamplingUnit:
    return SamplingUnit(sentence_id=f"s{number:05}", article_id=article or f"a{number // 4}", outlet=outlet, text=text)
