"""The starter corpus: as large and as hard as it says, labelled whole, and cut as its authors meant."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from shutil import copytree

import msgspec
import pytest

from corpus.build import build
from corpus.records import ARTICLES, SENTENCES, SPANS, CorpusSettings
from corpus.store import read_jsonl
from corpus.tables import read_table
from labeling.codebook import read_codebook
from labeling.records import Annotation
from labeling.scheme import DEFAULT
from tests.conftest import REPO
from tests.support.commands import run_command
from tests.support.floors import floor
from train.settings import read_settings

SEEDS = REPO / "seeds"


class Gold(msgspec.Struct, frozen=True):
    """A line of gold.jsonl: offsets in text files, the text in pages."""

    article_id: str
    kind: str
    start: int | None = None
    end: int | None = None
    text: str | None = None


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the starter corpus."""
    out = tmp_path_factory.mktemp("seeds")
    done = build([str(SEEDS / "articles")], out, CorpusSettings(root=str(SEEDS / "articles")))
    assert not done.skipped
    return out


def test_it_is_as_large_as_it_says(built: Path) -> None:
    articles = read_table(built / "articles.parquet", ARTICLES, "").to_pylist()
    assert len(articles) == 30
    assert len({row["outlet"] for row in articles}) == 6
    assert sum(row["extractor"].startswith("trafilatura") for row in articles) == 4
    assert all(row["title"] and row["published"].startswith("2031-") for row in articles)
    assert read_table(built / "sentences.parquet", SENTENCES, "").num_rows == 936


def test_every_sentence_is_cut_as_its_author_meant(built: Path) -> None:
    gold = read_jsonl(SEEDS / "gold.jsonl", Gold, "git")
    rows = read_table(built / "sentences.parquet", SENTENCES, "").to_pylist()
    pages = {row.article_id for row in gold if row.text is not None}
    found = {(row["article_id"], row["start"], row["end"]) for row in rows if row["article_id"] not in pages}
    assert found == {(g.article_id, g.start, g.end) for g in gold if g.kind == "sentence" and g.text is None}
    texts = [(row["article_id"], " ".join(row["text"].split())) for row in rows if row["article_id"] in pages]
    assert texts == [(g.article_id, " ".join((g.text or "").split())) for g in gold if g.text is not None]


def test_what_is_no_prose_is_found_and_nearly_always_of_the_meant_kind(built: Path) -> None:
    gold = read_jsonl(SEEDS / "gold.jsonl", Gold, "git")
    kinds = {
        (row["article_id"], row["start"], row["end"]): row["kind"]
        for row in read_table(built / "spans.parquet", SPANS, "").to_pylist()
    }
    meant = {(g.article_id, g.start, g.end): g.kind for g in gold if g.kind != "sentence" and g.text is None}
    assert meant.keys() <= kinds.keys()
    agreed = sum(kinds[place] == kind for place, kind in meant.items())
    assert agreed / len(meant) >= floor("cleaning", "agreement")


def test_three_annotators_labelled_every_sentence(built: Path) -> None:
    ids = {row["sentence_id"] for row in read_table(built / "sentences.parquet", SENTENCES, "").to_pylist()}
    by: dict[str, list[str]] = defaultdict(list)
    counts: Counter[str] = Counter()
    version = read_codebook(REPO / "docs" / "codebook.md").version
    for row in read_jsonl(SEEDS / "annotations.jsonl", Annotation, "git"):
        by[row.annotator].append(row.sentence_id)
        counts[row.stance or "skipped"] += 1
        assert row.codebook == version
    assert len(by) == 3
    assert all(sorted(given) == sorted(ids) for given in by.values())
    assert set(counts) == set(DEFAULT.names)
    assert min(counts.values()) / counts.total() > 0.2


def test_the_answers_can_be_pulled_as_the_tutorial_says(built: Path, tmp_path: Path) -> None:
    said = (REPO / "docs" / "tutorial.md").read_text("utf-8")
    assert "`stance pull --from CLONE/seeds/annotations.jsonl`" in said
    copytree(built, tmp_path / "work")
    (tmp_path / "stance.toml").write_text('[target]\nname = "sending Concord troops to Karsova"\n', "utf-8")
    (tmp_path / "codebook.md").write_bytes((REPO / "docs" / "codebook.md").read_bytes())
    pulled = run_command(tmp_path, "pull", "--from", str(SEEDS / "annotations.jsonl"))
    assert "2,808 adopted by the sentence's text or id, of 3 annotators" in pulled
    assert "It finds 2,808 answers" in said


def test_three_wire_stories_run_through_several_outlets(built: Path) -> None:
    outlets = {
        row["article_id"]: row["outlet"] for row in read_table(built / "articles.parquet", ARTICLES, "").to_pylist()
    }
    clusters: dict[str, set[str]] = defaultdict(set)
    for row in read_table(built / "sentences.parquet", SENTENCES, "").to_pylist():
        clusters[row["cluster_id"]].add(row["article_id"])
    shared: Counter[frozenset[str]] = Counter()
    for members in clusters.values():
        for origin in (article for article in members if article.startswith("cwa/")):
            shared.update(frozenset((origin, other)) for other in members - {origin})
    carried: dict[str, set[str]] = defaultdict(set)
    for pair, count in shared.items():
        if count >= 10:
            origin, other = sorted(pair, key=lambda name: not name.startswith("cwa/"))
            carried[origin].add(outlets[other])
    assert sorted(len(names) for names in carried.values()) == [2, 2, 3]


def test_the_demo_finds_its_settings_and_codebook() -> None:
    settings = read_settings(REPO, required=True)
    assert settings.target.name == "sending Concord troops to Karsova"
    assert (REPO / settings.labeling.codebook).is_file()
    assert settings.publish.licence == "cc-by-4.0"
