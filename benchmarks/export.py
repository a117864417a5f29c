"""Measure `stance export` on a corpus of made-up sentences, in every format.

    python -m benchmarks.export [SENTENCES …] [--formats FORMAT …]

The tables are written directly: the content is made up, but ids, texts and contexts are as long as in news. 5,000
sentences have a verdict by three annotators, and all have a prediction.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.records import ARTICLES, SENTENCES
from labeling.scheme import DEFAULT
from train.predict.judge import predictions

ARTICLE = 30
"""Sentences of an article."""
PART = 20_000
LABELLED = 5_000
WORDS = "the minister of the republic visited port and spoke with dockers about soldiers war peace vote city".split()


def main() -> None:
    """Print a table with a row for each size and format."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sentences", nargs="*", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--formats", nargs="+", default=["parquet", "csv", "jsonl", "xlsx"])
    asked = parser.parse_args()
    print("| sentences | format | CPU s | wall s | peak MB | file MB |\n|---|---|---|---|---|---|")
    for count in asked.sentences:
        with tempfile.TemporaryDirectory() as folder:
            make_project(Path(folder), count)
            for ending in asked.formats:
                print(measured(Path(folder), count, ending), flush=True)


def make_project(folder: Path, count: int) -> None:
    """Write the tables of a project with a corpus of so many sentences."""
    work, labels = folder / "work", folder / "labels"
    work.mkdir()
    labels.mkdir()
    (folder / "stance.toml").write_text('[target]\nname = "sending troops"\n', "utf-8")
    (folder / "codebook.md").write_text("# Codebook\n\nVersion 1.0\n", "utf-8")
    names = [f"gazette/{n:07}" for n in range(count // ARTICLE + 1)]
    about = {"outlet": "Gazette", "published": "2031-01-02", "title": "A title of some length", "language": "en"}
    columns = [
        pa.array(names) if field.name == "article_id" else pa.array([about.get(field.name, "")] * len(names))
        for field in ARTICLES
    ]
    pq.write_table(pa.table(columns, schema=ARTICLES), work / "articles.parquet")
    ids = write_sentences(work, count, names)
    with (labels / "annotations.jsonl").open("w") as answers, (work / "verdicts.jsonl").open("w") as verdicts:
        for key in ids[:: max(1, count // LABELLED)]:
            votes = dict.fromkeys(("A1", "A2", "A3"), "favor")
            for who, stance in votes.items():
                answers.write(json.dumps({"sentence_id": key, "annotator": who, "stance": stance}) + "\n")
            verdict = {"sentence_id": key, "stance": "favor", "how": "unanimous", "votes": votes}
            verdicts.write(json.dumps(verdict) + "\n")


def write_sentences(work: Path, count: int, articles: list[str]) -> list[str]:
    """Write sentences and predictions; returns the sentences' ids."""
    words, numbers = random.Random(1), np.random.default_rng(1)
    known = predictions(DEFAULT.names)
    ids: list[str] = []
    with (
        pq.ParquetWriter(work / "sentences.parquet", SENTENCES, compression="zstd") as sentences,
        pq.ParquetWriter(work / "predictions.parquet", known, compression="zstd") as predicted,
    ):
        for start in range(0, count, PART):
            places = range(start, min(start + PART, count))
            mine = [numbers.bytes(16).hex() for _ in places]
            ids += mine
            texts = [" ".join(words.choices(WORDS, k=22)) for _ in places]
            around = [f"{text} {text}" for text in texts]
            index = [place % ARTICLE for place in places]
            of = [articles[place // ARTICLE] for place in places]
            values = [mine, of, index, index, index, texts, around, around, mine, mine]
            arrays = [pa.array(one, field.type) for one, field in zip(values, SENTENCES, strict=True)]
            sentences.write_table(pa.table(arrays, schema=SENTENCES))
            chances = numbers.dirichlet([1, 1, 1], len(mine))
            stances = [DEFAULT.names[n] for n in chances.argmax(axis=1)]
            given = [mine, stances, *chances.T, ["0123456789abcdef"] * len(mine)]
            arrays = [pa.array(one, field.type) for one, field in zip(given, known, strict=True)]
            predicted.write_table(pa.table(arrays, schema=known))
    return ids


def measured(folder: Path, count: int, ending: str) -> str:
    """Run the command once, and return its row of the table."""
    out = folder / f"table.{ending}"
    command = [str(Path(sys.executable).with_name("stance")), "export", "--to", out.name]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    row = [
        f"{count:,}",
        f".{ending}",
        f"{used.ru_utime + used.ru_stime:.1f}",
        f"{time.monotonic() - began:.1f}",
        f"{used.ru_maxrss / 1024:.0f}",
        f"{out.stat().st_size / 1e6:.0f}",
    ]
    return f"| {' | '.join(row)} |"


if __name__ == "__main__":
    main()
