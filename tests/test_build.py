"""Articles to tables: exact offsets, whole coverage, lasting ids, clear errors."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.build import build
from corpus.errors import SourceError, StanceError, TableError
from corpus.rebuild.write_tables import write_all
from corpus.records import ARTICLES, ARTICLES_AS_READ, SENTENCES, SPANS, Article, CorpusSettings
from corpus.sentences import line_kinds
from corpus.sentences.cut_articles import PIECES, cut_articles
from corpus.store import table_path, write_jsonl
from corpus.tables import read_table
from tests.conftest import NEWS, vote

TABLES = ("articles.parquet", "sentences.parquet", "spans.parquet", "skipped.jsonl", "notes.jsonl")
PROSE = st.lists(
    st.sampled_from(
        [
            "The ship left at 6 p.m. on Friday.",
            '"We will go," she said. "Not now."',
            "By Ada Lorne",
            "ADVERTISEMENT",
            "Nobody knew why…",
            "It rained; the talks went on – without him.",
            "Sen. J. R. Holm disagreed!",
        ]
    )
    | st.text(max_size=60),
    max_size=12,
).map("\n".join)


def _article(text: str, article_id: str = "a") -> Article:
    return Article(article_id=article_id, source="a.txt", sha256="", encoding="utf-8", extractor="plain 1", text=text)


def _pieces(text: str) -> list[dict[str, Any]]:
    row = msgspec.structs.asdict(_article(text))
    rows: list[dict[str, Any]] = cut_articles(
        pa.RecordBatch.from_pylist([row], schema=ARTICLES), CorpusSettings()
    ).to_pylist()
    return rows


def _build(out: Path, *sources: Path, root: Path, **options: Any) -> dict[str, bytes]:
    build([str(source) for source in sources], out, CorpusSettings(root=str(root)), **options)
    return {name: (out / name).read_bytes() for name in TABLES}


def _check_coverage(text: str, ranges: list[tuple[int, int]]) -> None:
    covered = [0] * len(text)
    for start, end in ranges:
        for place in range(start, end):
            covered[place] += 1
    for place, character in enumerate(text):
        if not character.isspace():
            assert covered[place] == 1, (place, text[place : place + 20])


@given(PROSE)
def test_sentences_and_spans_cover_every_character_once(text: str) -> None:
    pieces = _pieces(text)
    for row in pieces:
        assert row["kind"] != "sentence" or text[row["start"] : row["end"]] == row["text"]
    _check_coverage(text, [(row["start"], row["end"]) for row in pieces])


@given(PROSE, st.integers(0, 12))
def test_an_edit_leaves_the_ids_of_untouched_unique_sentences(text: str, place: int) -> None:
    lines = text.split("\n")
    lines.insert(min(place, len(lines)), "An entirely new paragraph was put in by the editor on Tuesday.")
    before = [row for row in _pieces(text) if row["kind"] == "sentence"]
    after = {(row["text"], row["sentence_id"]) for row in _pieces("\n".join(lines))}
    keys = [row["key"] for row in before]
    kept = {text for text, _ in after}
    for row in before:
        if keys.count(row["key"]) == 1 and row["text"] in kept:
            assert (row["text"], row["sentence_id"]) in after


def test_building_again_gives_identical_bytes_and_writes_nothing(project: Path) -> None:
    first = _build(project / "work", project / "news", root=project / "news")
    stamps = [(project / "work" / name).stat().st_mtime_ns for name in TABLES]
    assert _build(project / "work", project / "news", root=project / "news") == first
    assert [(project / "work" / name).stat().st_mtime_ns for name in TABLES] == stamps


def test_how_sources_are_named_changes_nothing(project: Path) -> None:
    news = project / "news"
    files = sorted(news.rglob("*.txt"))
    random.Random(3).shuffle(files)
    whole = _build(project / "a", news, root=news)
    assert _build(project / "b", *files, root=news) == whole
    assert _build(project / "c", news / "sentinel", news / "gazette", news / "cwa", root=news) == whole


def test_sentences_know_their_context_and_copies(project: Path) -> None:
    _build(project / "work", project / "news", root=project / "news")
    rows = read_table(project / "work" / "sentences.parquet", SENTENCES, "").to_pylist()
    middle = next(row for row in rows if row["text"] == "She spoke with the dockers for an hour.")
    assert middle["before"] == "The minister of Brennia visited the port of Ostrel on Monday morning."
    assert middle["after"].startswith('"We will send instructors and nobody else," she said. "That is')
    copies = [row for row in rows if row["text"].startswith('"We will send')]
    assert len({row["sentence_id"] for row in copies}) == 2
    assert {row["copy_id"] for row in copies} == {min(row["sentence_id"] for row in copies)}
    wire = [row for row in rows if "visited the port" in row["text"]]
    assert len({row["copy_id"] for row in wire}) == 2
    assert len({row["cluster_id"] for row in wire}) == 1


def test_non_prose_is_kept_with_kind_and_reason(project: Path) -> None:
    _build(project / "work", project / "news", root=project / "news")
    rows = read_table(project / "work" / "spans.parquet", SPANS, "").to_pylist()
    kinds = {(row["article_id"], row["kind"]) for row in rows}
    assert kinds >= {("gazette/visit", "title"), ("gazette/visit", "byline"), ("gazette/visit", "ad")}
    assert all(row["reason"] for row in rows)


def test_two_articles_with_one_id_are_an_error_that_names_both(tmp_path: Path) -> None:
    for name in ("a.txt", "a.html"):
        (tmp_path / name).write_text("<p>One full sentence stands here.</p>")
    with pytest.raises(SourceError, match=r"the id 'a': a\.html and a\.txt"):
        _build(tmp_path / "work", tmp_path, root=tmp_path)
    assert not (tmp_path / "work").exists()


def test_two_files_of_one_name_outside_the_root_are_both_named(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("One full sentence stands here.")
    with pytest.raises(SourceError, match=r"the id 'a': \S+/x/a\.txt and \S+/y/a\.txt"):
        _build(tmp_path / "work", tmp_path / "x", tmp_path / "y", root=tmp_path / "elsewhere")


def test_an_empty_folder_and_a_missing_source_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no article found; expected files that end in"):
        _build(tmp_path / "work", tmp_path, root=tmp_path)
    with pytest.raises(SourceError, match="no such file or folder"):
        _build(tmp_path / "work", tmp_path / "gone", root=tmp_path)
    assert not (tmp_path / "work").exists()


def test_an_article_without_prose_is_skipped_with_its_reason_and_alone_an_error(tmp_path: Path) -> None:
    news = tmp_path / "news"
    news.mkdir()
    (news / "ads.txt").write_text("ADVERTISEMENT\n\nRecommended Videos\n")
    with pytest.raises(SourceError, match=r"no article has any prose: ads\.txt"):
        _build(tmp_path / "work", news, root=news)
    assert not (tmp_path / "work").exists()
    (news / "good.txt").write_text(NEWS["sentinel/bill"])
    done = build([str(news)], tmp_path / "work", CorpusSettings(root=str(news)))
    assert done.skipped == {"no prose in it": 1}
    assert '"article_id":"ads"' in (tmp_path / "work" / "skipped.jsonl").read_text()


def test_labelled_sentences_do_not_vanish_unless_forced(project: Path) -> None:
    news, work = project / "news", project / "work"
    before = _build(work, news, root=news)
    rows = read_table(work / "sentences.parquet", SENTENCES, "").to_pylist()
    write_jsonl(table_path(work, "annotations.jsonl"), [vote(row["sentence_id"], "A1", "none") for row in rows])
    shutil.rmtree(news / "gazette")
    with pytest.raises(StanceError, match=r"6 of 13 labelled sentences would vanish(.|\n)*gazette/visit: The opp"):
        _build(work, news, root=news)
    assert (work / "sentences.parquet").read_bytes() == before["sentences.parquet"]
    assert _build(work, news, root=news, force=True) != before


def test_a_damaged_table_says_how_to_make_it_again(tmp_path: Path) -> None:
    (tmp_path / "sentences.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(TableError, match="run `stance build` again"):
        read_table(tmp_path / "sentences.parquet", SENTENCES, "stance build")
    with pytest.raises(TableError, match="is not there: run `stance build` first"):
        read_table(tmp_path / "gone.parquet", SENTENCES, "stance build")


def test_the_users_five_articles_build_whole(shared: Path, tmp_path: Path) -> None:
    done = build([str(shared / "seeds")], tmp_path / "work", CorpusSettings())
    assert done.articles == 5
    assert not done.skipped
    texts = {
        row["article_id"]: row["text"] for row in pq.read_table(tmp_path / "work" / "articles.parquet").to_pylist()
    }
    for article_id, text in texts.items():
        ranges = []
        for table, schema in (("sentences", SENTENCES), ("spans", SPANS)):
            for row in read_table(tmp_path / "work" / f"{table}.parquet", schema, "").to_pylist():
                if row["article_id"] == article_id:
                    ranges.append((row["start"], row["end"]))
                    assert table == "spans" or text[row["start"] : row["end"]] == row["text"]
        _check_coverage(text, ranges)
        assert text == (shared / "seeds" / f"{article_id}.txt").read_bytes().decode("utf-8")


def test_tables_have_the_columns_that_others_rely_on(project: Path) -> None:
    _build(project / "work", project / "news", root=project / "news")
    for name, schema in (("articles", ARTICLES), ("sentences", SENTENCES), ("spans", SPANS)):
        assert pq.read_schema(project / "work" / f"{name}.parquet").equals(schema)
    assert line_kinds.lines("") == []


def test_how_an_engine_cuts_its_answer_into_batches_changes_no_byte(tmp_path: Path) -> None:
    # Enough for several pages of a column: where they end is what differed at a million sentences.
    size, made = 40_000, random.Random(1)
    ids = [f"{made.getrandbits(128):032x}" for _ in range(size)]
    rows = {name: [None] * size for name in PIECES.names} | {
        "article_id": ["a"] * size,
        "kind": ["sentence"] * size,
        **{name: list(range(size)) for name in ("start", "end", "index")},
        "sentence_id": ids,
        **{name: [f"{sentence_id} stands here." for sentence_id in ids] for name in ("text", "before", "after")},
    }
    pq.write_table(pa.table(rows, schema=PIECES), tmp_path / "pieces.parquet")
    pq.write_table(ARTICLES_AS_READ.empty_table(), tmp_path / "articles.parquet")
    found = pa.table({"copy_id": ids, "cluster_id": ids})
    written = []
    for batch in (777, 3000, 50_000):
        (tmp_path / str(batch)).mkdir()
        write_all([tmp_path], tmp_path / str(batch), iter(found.to_batches(batch)))
        written.append((tmp_path / str(batch) / "sentences.parquet").read_bytes())
    assert len(set(written)) == 1
