"""Measure how often intervals for an archive hold the truth: `python -m benchmarks.archive_estimates [RUNS]`.

Each simulated archive is written to disk as `stance predict` leaves it, and goes the way of a real one: a round is
drawn from its tables and kept, its sentences get their true labels as verdicts, and estimates are read from there.
The articles and the errors of the model are those of `benchmarks.estimates`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.estimates import Counts
from corpus.records import ARTICLES, SENTENCES
from corpus.store import write_json, write_jsonl, write_table
from labeling.records import Verdict
from labeling.sampling.archive_round import ArchiveBy, draw_from_archive
from labeling.sampling.archive_sentences import keep_archived
from labeling.sampling.sample_table import write_sample
from labeling.scheme import DEFAULT
from labeling.statistics.intervals import Estimate
from tests.support.coded_corpora import EXPECTED, NAMES, CodedCorpus
from train.archive.predict_archive import MARKER, SCORED, SCORES, SHARDS, STATE, ArchiveManifest, ScoredTables
from train.archive.score_shards import FILE
from train.archive.scored_archive import as_archive, scored_archive
from train.estimate.archive_inputs import read_archive_inputs
from train.estimate.groups import Group, grouped
from train.predict.shares import power

RUNS = 1000
LABELS = 300
OUTLETS = ("Gazette", "Sentinel")


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(f"| share of | round | naive | PPI++ | DSL | width of PPI++ |\n|{'---|' * 6}")
    designs: tuple[ArchiveBy, ...] = ("random", "stratified")
    for by in designs:
        for (where, stance), row in coverage(by, runs).items():
            print(
                f"| {stance}, {where} | {by} | {row[0]:.3f} | {row[1]:.3f} | {row[2]:.3f} | {row[3]:.3f} |", flush=True
            )


def coverage(by: ArchiveBy, runs: int) -> Counts:
    """The share of runs in which each interval holds the truth: naive, PPI++, DSL; and the mean width of PPI++."""
    sums: dict[tuple[str, str], list[list[float]]] = {}
    for run in range(runs):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            archive = CodedCorpus(run)
            truth = {"the archive": EXPECTED.mean(axis=0), **dict(zip(OUTLETS, EXPECTED, strict=True))}
            write_archive(folder, archive)
            for group in _estimates(folder, archive, by, run):
                where = group.name or "the archive"
                for share in group.shares:
                    right = float(truth[where][NAMES.index(share.stance)])
                    assert share.ppi is not None
                    assert share.dsl is not None
                    held = [_holds(one, right) for one in (share.naive, share.ppi, share.dsl)]
                    row = [*map(float, held), share.ppi.high - share.ppi.low]
                    sums.setdefault((where, share.stance), []).append(row)
    return {key: np.mean(rows, axis=0).tolist() for key, rows in sums.items()}


def _holds(one: Estimate, truth: float) -> bool:
    return one.low <= truth <= one.high


def write_archive(folder: Path, archive: CodedCorpus) -> None:
    """Write the tables, scores and state of an archive as `stance predict` leaves them."""
    unit, home = archive.unit.tolist(), archive.home.tolist()
    first = [n == 0 or unit[n] != unit[n - 1] for n in range(len(unit))]
    ids = [f"s{number:06}{'' if is_first else 'copy'}" for number, is_first in zip(unit, first, strict=True)]
    rows = {name: [""] * len(ids) for name in SENTENCES.names if SENTENCES.field(name).type == pa.string()}
    rows |= {"sentence_id": ids, "article_id": [f"a{number:04}" for number in home]}
    rows |= {name: [f"s{number:06}" for number in unit] for name in ("copy_id", "cluster_id")}
    numbers = {name: list(range(len(ids))) for name in ("index", "start", "end")}
    tables = folder / STATE / "tables"
    write_table(tables / "sentences.parquet", pa.table({**rows, **numbers}).select(SENTENCES.names))
    articles = {name: [""] * (max(home) + 1) for name in ARTICLES.names}
    articles |= {"article_id": [f"a{n:04}" for n in range(max(home) + 1)]}
    articles |= {"outlet": [OUTLETS[n % 2] for n in range(max(home) + 1)]}
    write_table(tables / "articles.parquet", pa.table(articles))
    scores = pa.table({"sentence_id": ids, "label": pa.array(archive.said.astype(np.int32))})
    write_table(folder / STATE / SHARDS / "one" / FILE, scores)
    counts = np.bincount(archive.said, minlength=3).tolist()
    manifest = ArchiveManifest(
        key="k", model="m", scikit_learn="", sentences=dict(zip(NAMES, counts, strict=True)), parts=[]
    )
    write_json(folder / "manifest.json", manifest)
    write_json(folder / STATE / SCORED, ScoredTables(key="k", tables="", shards=["one"]))
    (folder / SCORES).mkdir()
    (folder / SCORES / MARKER).write_text("k\n")


def _estimates(folder: Path, archive: CodedCorpus, by: ArchiveBy, seed: int) -> list[Group]:
    scored = scored_archive(folder, DEFAULT)
    work = folder / "project" / "work"
    write_table(work / "sentences.parquet", SENTENCES.empty_table())
    found = draw_from_archive(as_archive(scored), LABELS, by, [], (), seed)
    keep_archived(work, found.sentences, found.draws)
    write_sample(work, found.draws)
    stance = dict(zip(archive.unit.tolist(), archive.stance.tolist(), strict=True))
    verdicts = [
        Verdict(sentence_id=row.sentence_id, stance=NAMES[stance[int(row.sentence_id[1:])]], how="single", votes={})
        for row in found.draws
    ]
    write_jsonl(work / "verdicts.jsonl", verdicts)
    inputs = read_archive_inputs(work, scored, ["outlet"], DEFAULT)
    assert inputs.labels is not None
    return grouped(inputs, power(inputs.labels))[0]


if __name__ == "__main__":
    main()
