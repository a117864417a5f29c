"""The stand-off release of five real articles: nothing of their text is in it, and all of it comes back."""

from __future__ import annotations

import re
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpus.build import build
from corpus.records import ARTICLES, SENTENCES, CorpusSettings
from corpus.tables import read_table
from release.contents.manifest import check_dataset
from release.contents.proof import prove
from release.contents.text_free import columns
from release.hydrate.hydrate import hydrate
from tests.conftest import REPO
from train.examples.load import load_examples

SEEDS = REPO / "seeds" / "standoff"


@pytest.fixture(scope="module")
def work(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the five articles."""
    out = tmp_path_factory.mktemp("five")
    build([shared / "seeds"], out, CorpusSettings(root=str(shared / "seeds")))
    return out


def texts(work: Path) -> dict[str, str]:
    rows = read_table(work / "articles.parquet", ARTICLES, "").to_pylist()
    return {row["article_id"]: f"{row['title']}\n{row['text']}" for row in rows}


def test_it_is_whole_and_has_only_the_columns_of_a_stand_off_release() -> None:
    assert len(check_dataset(SEEDS).right) == 4
    for config, count in (("gold", 168), ("annotations", 504)):
        table = pq.read_table(SEEDS / config)
        assert table.column_names == columns(config)
        assert table.num_rows == count


def test_every_sentence_has_the_votes_of_three_annotators() -> None:
    answers = pq.read_table(SEEDS / "annotations").to_pylist()
    by = {(row["sentence_id"], row["annotator"]): row["stance"] for row in answers}
    for row in pq.read_table(SEEDS / "gold").to_pylist():
        votes = {vote["annotator"]: vote["stance"] for vote in row["votes"]}
        assert votes == {name: by[row["sentence_id"], name] for name in ("annotator-1", "annotator-2", "annotator-3")}
        (label, count), *_ = Counter(votes.values()).most_common()
        assert (row["label"], row["how"]) == (label, {3: "unanimous", 2: "majority"}[count])


def test_no_file_of_it_has_five_words_of_an_article(work: Path) -> None:
    proof = prove(SEEDS, texts(work))
    assert (proof.files, proof.articles) == (5, 5)
    assert set(proof.exempt) == {"gold.target", "gold.outlet", "gold.url", "text files"}


def test_no_file_of_it_has_five_words_of_an_article_but_the_target_by_a_plain_search(work: Path) -> None:
    """The same claim, without any of the code that it was made with."""

    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return set(zip(words, words[1:], words[2:], words[3:], words[4:], strict=False))

    known = set[tuple[str, ...]]().union(*(runs(text) for text in texts(work).values()))
    target = ("sending", "western", "troops", "to", "ukraine")
    for path in SEEDS.rglob("*"):
        if path.suffix == ".parquet":
            for row in pq.read_table(path).to_pylist():
                assert not known & runs(repr({name: value for name, value in row.items() if name != "target"}))
        elif path.is_file():
            assert known & runs(path.read_text("utf-8")) <= {target}


def test_all_of_the_text_comes_back_from_the_articles(work: Path, shared: Path, tmp_path: Path) -> None:
    settings = CorpusSettings(root=str(shared / "seeds"))
    done = hydrate(SEEDS, shared / "seeds", tmp_path / "out", settings)
    assert (done.matched, done.drifted, done.missing) == (168, 0, 0)
    assert [row.matched for row in done.articles] == [
        count for _, count in sorted(Counter(row["article_id"] for row in sentences(work)).items())
    ]
    back = {row["sentence_id"]: row for row in pq.read_table(tmp_path / "out" / "gold").to_pylist()}
    for row in sentences(work):
        assert {name: back[row["sentence_id"]][name] for name in row} == row
    assert len(load_examples(tmp_path / "out")) == 158  # without exact copies


def test_it_comes_back_under_other_names_too(shared: Path, tmp_path: Path) -> None:
    for n, path in enumerate(sorted((shared / "seeds").glob("*.txt"), reverse=True)):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / f"{n}.txt").write_bytes(path.read_bytes())
    done = hydrate(SEEDS, tmp_path / "mine", tmp_path / "out", CorpusSettings(root=str(tmp_path / "mine")))
    assert (done.matched, sum(row.elsewhere for row in done.articles)) == (168, 0)
    assert [row.found_article for row in done.articles] == ["4", "3", "2", "1", "0"]


def test_it_is_made_again_byte_for_byte(shared: Path, tmp_path: Path) -> None:
    made = runpy.run_path(str(REPO / "seeds" / "make_standoff.py"))
    made["make"](shared / "seeds", tmp_path / "standoff")
    files = [path for path in sorted((tmp_path / "standoff").rglob("*")) if path.is_file()]
    assert len(files) == 5
    for path in files:
        # The manifest names the versions of Python and libraries that it was made with.
        if path.name != "manifest.json":
            assert path.read_bytes() == (SEEDS / path.relative_to(tmp_path / "standoff")).read_bytes()


def sentences(work: Path) -> list[dict[str, Any]]:
    rows = read_table(work / "sentences.parquet", SENTENCES, "").to_pylist()
    names = "sentence_id article_id start end text before after cluster_id".split()
    return [{name: row[name] for name in names} for row in rows]
