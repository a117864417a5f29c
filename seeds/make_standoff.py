"""How `seeds/standoff/` was made: `python seeds/make_standoff.py ARTICLES` makes it again, byte for byte.

ARTICLES is the folder of the five articles, which are not in this repository. What is: three annotators' answers
(`standoff-annotations.jsonl`), their codebook (`standoff/codebook.md`) and the card's text (`standoff-card.md`).
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import yaml

from corpus.build import build
from corpus.records import ARTICLES, CorpusSettings
from corpus.store import read_jsonl, table_path, write_bytes, write_jsonl
from corpus.tables import read_table
from labeling.adjudicate import adjudicate, settle
from labeling.codebook import read_codebook
from labeling.records import Annotation, LabelingSettings, Target
from labeling.scheme import DEFAULT
from labeling.statistics.agreement import cohen_kappa, krippendorff_alpha
from labeling.votes import latest_votes
from release.contents.manifest import FILE, Dataset, manifest, to_json
from release.contents.proof import Proof, prove
from release.contents.rows import annotation_rows, encoded, features, gold_rows, parquet, yaml_features
from release.contents.text_free import strip
from train.examples.from_verdicts import from_verdicts
from train.settings import PublishSettings, Settings, TrainSettings

HERE = Path(__file__).resolve().parent
TARGET = "sending Western troops to Ukraine"
SETTINGS = Settings(
    target=Target(name=TARGET),
    publish=PublishSettings(
        name="Stance toward sending Western troops to Ukraine: five articles, stand-off",
        version="1.0.0",
        licence="cc-by-4.0",
        authors=["The Stance developers"],
        annotation_source="machine-generated",
    ),
)


def make(articles: Path, out: Path) -> Proof:
    """Make the release in `out`, and prove that it holds nothing of the articles' text.

    The sentences of five articles make three groups, too few to hold any out: all are in one split, `train`, and the
    column `group` tells what belongs together. Every sentence is settled by its own three votes, copies too.
    """
    answers = read_jsonl(HERE / "standoff-annotations.jsonl", Annotation, "git")
    codebook = read_codebook(HERE / "standoff" / "codebook.md")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        build([articles], work, CorpusSettings(root=str(articles)), workers=1)
        write_jsonl(table_path(work, "annotations.jsonl"), answers)
        adjudicate(work, LabelingSettings(), codebook=codebook)
        examples, _ = from_verdicts(work, TARGET, TrainSettings())
        rows = gold_rows(work, [msgspec.structs.replace(row, split="train") for row in examples])["train"]
        own = {row.sentence_id: row for row in settle(answers, codebook=codebook).verdicts}
        for row in rows:
            verdict = own[row["sentence_id"]]
            if verdict.stance != row["label"]:
                raise SystemExit(f"{verdict}: its copy is {row['label']}")
            votes = [{"annotator": who, "stance": stance} for who, stance in sorted(verdict.votes.items())]
            row |= {"how": verdict.how, "votes": votes}
        tables = {"gold": strip("gold", rows), "annotations": strip("annotations", annotation_rows(answers))}
        files = {"codebook.md": codebook.text.encode()}
        sizes: dict[str, tuple[int, int]] = {}
        for config, part in tables.items():
            kinds = features(config, standoff=True)
            data, size = parquet(encoded(config, part, kinds), kinds)
            files[f"{config}/train-00000-of-00001.parquet"] = data
            sizes[config] = size, len(data)
        files["README.md"] = _card(tables, sizes, answers)
        about = Dataset(name=SETTINGS.publish.name, version=SETTINGS.publish.version, date="", standoff=True)
        files[FILE] = to_json(manifest(files, work, codebook, SETTINGS, about))
        texts = read_table(work / "articles.parquet", ARTICLES, "").to_pylist()
    for name, data in files.items():
        write_bytes(out / name, data)
    return prove(out, {row["article_id"]: f"{row['title']}\n{row['text']}" for row in texts})


def _card(
    tables: dict[str, list[dict[str, Any]]], sizes: dict[str, tuple[int, int]], answers: Sequence[Annotation]
) -> bytes:
    said = SETTINGS.publish
    front = {
        "pretty_name": said.name,
        "license": said.licence,
        "language": said.language,
        "annotations_creators": [said.annotation_source],
        "language_creators": [said.text_source],
        "source_datasets": ["original"],
        "size_categories": ["n<1K"],
        "task_categories": ["text-classification"],
        "tags": ["stance-detection", "news", "stand-off"],
        "configs": [
            {
                "config_name": config,
                **({"default": True} if config == "gold" else {}),
                "data_files": [{"split": "train", "path": f"{config}/train-*"}],
            }
            for config in tables
        ],
        "dataset_info": [
            {
                "config_name": config,
                "features": yaml_features(features(config, standoff=True)),
                "splits": [{"name": "train", "num_bytes": sizes[config][0], "num_examples": len(rows)}],
                "download_size": sizes[config][1],
                "dataset_size": sizes[config][0],
            }
            for config, rows in tables.items()
        ],
    }
    gold, votes = tables["gold"], latest_votes(answers)
    labels, how = Counter(row["label"] for row in gold), Counter(row["how"] for row in gold)
    names = sorted({row.annotator for row in answers})
    kappas = {
        f"{a} and {b}": cohen_kappa([by[a] for by in votes.values()], [by[b] for by in votes.values()])
        for a, b in combinations(names, 2)
    }
    given = {name: Counter(row.stance for row in answers if row.annotator == name) for name in names}
    unsure = Counter(row.annotator for row in answers if row.unsure)
    lines = [
        f"| {name} | {' | '.join(str(given[name][s]) for s in DEFAULT.names)} | {unsure[name]} |" for name in names
    ]
    text = (HERE / "standoff-card.md").read_text("utf-8")
    for key, value in {
        "name": said.name,
        "version": said.version,
        "target": TARGET,
        "rows": str(len(gold)),
        "articles": str(len({row["article_id"] for row in gold})),
        "groups": str(len({row["group"] for row in gold})),
        "copies": str(sum(row["copy_of"] is not None for row in gold)),
        "labels": ", ".join(f"{labels[stance]} {stance}" for stance in DEFAULT.names),
        "answers": str(len(answers)),
        "annotators": "\n".join(lines),
        "unanimous": str(how["unanimous"]),
        "majority": str(how["majority"]),
        "alpha": f"{krippendorff_alpha([list(by.values()) for by in votes.values()]):.3f}",
        "kappas": ", ".join(f"{value:.3f} ({pair})" for pair, value in kappas.items()),
    }.items():
        text = text.replace(f"{{{key}}}", value)
    shown = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{shown}---\n\n{text}".encode()


if __name__ == "__main__":
    make(Path(sys.argv[1]), HERE / "standoff")
