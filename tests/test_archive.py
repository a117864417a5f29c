"""`stance predict` of an archive: on every engine the same bytes, whatever is killed, whatever outlets are called."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

import duckdb
import msgspec
import numpy as np
import polars
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.build import build
from corpus.errors import ExamplesError, SourceError, StanceError, TableError
from corpus.records import CorpusSettings
from labeling.scheme import DEFAULT, Stance
from tests.conftest import REPO
from tests.support.examples import examples
from tests.support.processes import Killer, workers
from tests.support.spark import QUICK_JVM, Standalone, needs_spark
from train.archive import hive_files, score_shards
from train.archive.hive_files import encoded, write_parts
from train.archive.predict_archive import STATE, ArchiveManifest, predict_archive
from train.archive.score_shards import ModelAsked, plan, score
from train.model import tfidf_logistic
from train.model.files import save
from train.predict.judge import open_model
from train.predict.predict import Predicted, predict_articles
from train.predict.sentence_arrays import read_layout
from train.predict.shares import Counts, Guesses, counted_shares, prediction_shares
from train.records import Example, Recipe
from train.report.svg_shapes import coloured

WORDS = {
    "favor": "send soldiers now brave help allies deploy needed".split(),
    "against": "never refuse danger escalation risk war wrong warn".split(),
    "none": "harvest bridge museum weather market council price report".split(),
}
FILES = 6
TARGET = "sending troops"


def _sentence(chance: random.Random, stance: Stance) -> str:
    others = [word for words in WORDS.values() for word in words]
    return (
        f"The {' '.join([*chance.sample(WORDS[stance], 2), *chance.sample(others, 4)])} of {chance.random()} in town."
    )


def _fit(features: str, folder: Path, seed: int = 1) -> Path:
    chance = random.Random(seed)
    rows = [
        Example(
            sentence_id=str(n), text=_sentence(chance, DEFAULT.names[n % 3]), label=DEFAULT.names[n % 3], target=TARGET
        )
        for n in range(90)
    ]
    save(tfidf_logistic.fit(Recipe(features=features, c=1.0), rows), folder)
    return folder


def _news(folder: Path, outlets: Sequence[str] = ("Gazette", "Sentinel", "")) -> Path:
    """Files of a dozen articles each; one story is in all of them, some have no date."""
    chance = random.Random(3)
    wire = _sentence(chance, "against")
    folder.mkdir()
    for file in range(FILES):
        rows = [
            {
                "id": f"{file}-{n}",
                "url": f"https://news.example/{file}/{n}",
                "outlet": outlets[(file * 12 + n) % len(outlets)],
                "published": ["2031-03-09", "2031-04-01", "in spring", ""][n % 4],
                "text": "\n\n".join(
                    [_sentence(chance, chance.choice(DEFAULT.names)) for _ in range(5)] + [wire] * (n == 3)
                ),
            }
            for n in range(12)
        ]
        (folder / f"{file}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _fit("word", tmp_path_factory.mktemp("fitted") / "model")


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _news(tmp_path_factory.mktemp("articles") / "news")


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_shards, "SHARD", 1)


def _settings(news: Path) -> CorpusSettings:
    return CorpusSettings(root=str(news))


def _run(news: Path, model: Path, out: Path, workers: int = 1, address: str | None = None) -> Predicted:
    return predict_archive([news], model, out, _settings(news), workers=workers, address=address)


def _files(out: Path) -> dict[str, str]:
    """What a reader may look at, by a digest of its bytes."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and STATE not in path.parts
    }


def _times(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and path.name != "lock"}


def _rows(out: Path) -> list[dict[str, object]]:
    table = pa.dataset.dataset(out / "scores", partitioning="hive").to_table()
    rows: list[dict[str, object]] = table.sort_by("sentence_id").to_pylist()
    return rows


def _watched(patch: pytest.MonkeyPatch) -> list[int]:
    """What shards are made from now on in this process."""
    made: list[int] = []
    make = score_shards.make

    def watched(job: score_shards.ScoreJob) -> int:
        made.append(make(job))
        return made[-1]

    patch.setattr(score_shards, "make", watched)
    return made


@pytest.fixture(scope="module")
def whole(news: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive as one run makes it that nothing disturbs."""
    out = tmp_path_factory.mktemp("whole") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_shards, "SHARD", 1)
        _run(news, model, out)
    return out


# --- what it says


def test_scores_and_shares_are_those_of_predict_on_the_same_articles(
    news: Path, model: Path, whole: Path, tmp_path: Path
) -> None:
    one = predict_articles([news], model, tmp_path / "one.parquet", _settings(news))
    expected = pq.read_table(tmp_path / "one.parquet").sort_by("sentence_id").to_pylist()
    rows = _rows(whole)
    assert len(rows) == len(expected) == FILES * 61
    for row, other in zip(rows, expected, strict=True):
        assert row["outlet"] == (other["outlet"] or None), "no outlet is null, not one called unknown"
        for name in ("sentence_id", "article_id", "published", "stance", *DEFAULT.names, "model"):
            assert row[name] == other[name]
        assert row["url"] == "https://news.example/" + str(row["article_id"]).replace("-", "/")
    manifest = msgspec.json.decode((whole / "manifest.json").read_bytes(), type=ArchiveManifest)
    assert manifest.sentences == one.stances
    assert (whole / "scores" / "_SUCCESS").read_text().strip() == manifest.key
    assert [part.rows for part in manifest.parts if part.month == "unknown"]
    assert sum(part.rows for part in manifest.parts) == len(rows)
    done = _run(news, model, whole)
    assert done.stances == one.stances
    assert done.shares.rows == one.shares.rows
    assert done.shares.model == one.shares.model
    # The wire story is one thing: it counts with its first article.
    layout = read_layout(whole / ".archive" / "tables")
    assert (layout.home != layout.article).sum() == FILES - 1


@pytest.mark.parametrize("features", ["word", "char_wb+word"])
def test_how_rows_are_batched_does_not_change_a_bit(features: str, tmp_path: Path) -> None:
    judge = open_model(_fit(features, tmp_path / "model"), TARGET)
    chance = random.Random(8)
    texts = [_sentence(chance, chance.choice(DEFAULT.names)) for _ in range(300)] + ["", "?", "war " * 500]
    batch = pa.RecordBatch.from_arrays(
        [pa.array(map(str, range(len(texts)))), pa.array(texts)], schema=score_shards.READ
    )
    at_once = score(batch, judge)
    for size in (1, 7, 64):
        parts = [score(batch.slice(start, size), judge) for start in range(0, batch.num_rows, size)]
        assert pa.Table.from_batches(parts).combine_chunks().to_batches()[0].equals(at_once)


codes = st.integers(0, 3)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), codes, codes), min_size=1, max_size=60))
@settings(max_examples=15, deadline=None)
def test_counted_shares_are_those_of_the_sentences_to_the_last_bit(rows: list[tuple[int, int, int, int]]) -> None:
    stance, home, outlet, month = np.array(rows).T
    names = ["d", "b", "a", "c"]
    expected = prediction_shares(
        Guesses(
            stance=stance.astype(np.int8),
            home=home.astype(np.int32),
            outlet=outlet.astype(np.int32),
            month=month.astype(np.int32),
            outlets=names,
            months=names,
        ),
        None,
    )
    keys = sorted({row[1:] for row in rows}, key=lambda key: hash(key))
    counted = np.array([[sum(row == (n, *key) for row in rows) for n in range(3)] for key in keys])
    home, outlet, month = np.array(keys).T.astype(np.int32)
    found = counted_shares(
        # Other numbers in the same order, as another engine gives them.
        Counts(sentences=counted, home=home * 7, outlet=outlet, month=month, outlets=names, months=names)
    )
    assert found == expected


def test_the_plot_stands_alone_and_says_in_words_what_it_shows(whole: Path) -> None:
    drawing = (whole / "stance.svg").read_text("utf-8")
    assert drawing.startswith('<svg xmlns="http://www.w3.org/2000/svg" role="img"')
    told = re.search("<desc>(.*)</desc>", drawing)
    assert told
    assert re.fullmatch(r"(\w+: 2031-03 \d+ %, 2031-04 \d+ %(; )?){3}", told[1])
    assert drawing.count("<title>") == 1
    page = (REPO / "train" / "report" / "page.css").read_text("utf-8")
    style = coloured(page, DEFAULT.names).partition("@media")[0]
    for stance in DEFAULT.names:
        colour = re.search(rf"--{stance}: (#\w+)", style)
        assert colour
        assert f".{stance} {{ fill: {colour[1]}" in drawing
        assert f">{stance}</text>" in drawing


# --- the same on every engine, and again


@pytest.mark.slow
def test_two_workers_and_other_shards_write_the_same_bytes(
    news: Path, model: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(news, model, tmp_path / "two", workers=2)
    assert _files(tmp_path / "two").keys() == _files(whole).keys()
    monkeypatch.setattr(score_shards, "SHARD", 10**6)
    monkeypatch.setattr(score_shards, "BATCH", 13)
    _run(news, model, tmp_path / "one")
    for out in ("one", "two"):
        assert len(list((tmp_path / out / ".archive" / "shards").iterdir())) == (1 if out == "one" else FILES)
        same = {name: found for name, found in _files(tmp_path / out).items() if name.endswith((".parquet", ".svg"))}
        assert len(same) > 6
        assert same.items() <= _files(whole).items()
        assert (tmp_path / out / "shares.json").read_bytes() == (whole / "shares.json").read_bytes()


def test_a_built_corpus_is_read_as_it_is(news: Path, model: Path, whole: Path, tmp_path: Path) -> None:
    work = tmp_path / "my work"
    build([news], work, _settings(news))
    before = _times(work)
    _run(work, model, tmp_path / "out")
    assert _rows(tmp_path / "out") == _rows(whole)
    assert not (tmp_path / "out" / ".archive" / "tables").exists()
    assert _times(work) == before
    with pytest.raises(SourceError, match="is a built corpus: expected it alone"):
        predict_archive([work, news], model, tmp_path / "both", CorpusSettings())
    assert not (tmp_path / "both").exists()


def test_again_with_nothing_changed_nothing_changes(news: Path, model: Path, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "out")
    _run(news, model, tmp_path / "out")  # the copied tables have other times
    before = _times(tmp_path / "out")
    done = _run(news, model, tmp_path / "out")
    assert not done.changed
    assert done.out == tmp_path / "out" / "scores"
    assert _times(tmp_path / "out") == before
    (tmp_path / "out" / "scores" / "_SUCCESS").unlink()
    assert _run(news, model, tmp_path / "out").changed
    assert _files(tmp_path / "out") == _files(tmp_path / "out")
    next((tmp_path / "out" / "scores").rglob("*.parquet")).unlink()
    assert _run(news, model, tmp_path / "out").changed
    assert _rows(tmp_path / "out") == _rows(whole)


@pytest.mark.slow
def test_what_changed_is_made_anew_and_nothing_else(
    news: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, out, judge = tmp_path / "news", tmp_path / "out", tmp_path / "model"
    shutil.copytree(news, mine)
    shutil.copytree(model, judge)
    made = _watched(monkeypatch)

    def run() -> int:
        made.clear()
        assert _run(mine, judge, out).changed
        assert len(list((out / ".archive" / "shards").iterdir())) == len(list(mine.glob("*.jsonl")))
        return len(made)

    assert run() == FILES
    (mine / "zz.jsonl").write_text(json.dumps({"id": "new", "text": "The new war of the market is wrong."}) + "\n")
    assert run() == 1
    text = (mine / "0.jsonl").read_text()
    (mine / "0.jsonl").write_text(text.replace("Gazette", "Herald"))
    assert run() == 0, "another outlet: other files, the same scores"
    assert list((out / "scores").rglob("outlet=Herald"))
    # The same normalised text has the same id, but not the same characters.
    (mine / "0.jsonl").write_text(text.replace("The ", "THE ", 1))
    assert run() == 1
    _fit("word", judge, seed=2)
    assert run() == FILES + 1
    (mine / "zz.jsonl").unlink()
    assert run() == 0
    _run(mine, judge, tmp_path / "fresh")
    assert _rows(out) == _rows(tmp_path / "fresh")
    assert (out / "shares.json").read_bytes() == (tmp_path / "fresh" / "shares.json").read_bytes()
    monkeypatch.setattr(score_shards, "code_digest", lambda *_: "another version")
    assert run() == FILES


# --- names of outlets

HOSTILE = (
    "../../etc", "..", ".", "/", "a/b", "a\\b", "50%", "%2e%2e%2f", "a=b", "month=x/outlet=y", " ", "-rf", "CON",
    "a\nb", "a\x00b", "\N{RIGHT-TO-LEFT OVERRIDE}gpj", "Süddeutsche", "Su\u0308ddeutsche", "朝日新聞", "x" * 300,
    "x" * 301, "é" * 200, "Gazette", "unknown", "GAZETTE", "__HIVE_DEFAULT_PARTITION__", "~", "; DROP x", "*?[x]",
)  # fmt: skip


def test_hostile_names_of_outlets_stay_in_the_folder_and_readers_get_them_back(model: Path, tmp_path: Path) -> None:
    news = _news(tmp_path / "news", HOSTILE)
    out = tmp_path / "out"
    _run(news, model, out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["news", "out"]
    for path in out.rglob("*"):
        assert path.resolve().is_relative_to(out.resolve())
    parts = msgspec.json.decode((out / "manifest.json").read_bytes(), type=ArchiveManifest).parts
    assert {part.outlet for part in parts} == set(HOSTILE)
    assert {part.path for part in parts} == {
        path.relative_to(out / "scores").as_posix() for path in (out / "scores").rglob("*.parquet")
    }
    assert len(parts) == len({part.path.casefold() for part in parts}), "not even where case does not count"
    rows = {
        row["sentence_id"]: row
        for part in parts
        for row in pq.ParquetFile(out / "scores" / part.path).read().to_pylist()
    }
    assert len(rows) == FILES * 61
    short = {name for name in HOSTILE if len(name) < 100}
    pattern = str(out / "scores" / "**" / "*.parquet")
    for found in (
        {row["outlet"] for row in _rows(out)},
        set(polars.scan_parquet(pattern, hive_partitioning=True).collect()["outlet"].to_list()),
        {row[0] for row in duckdb.execute("SELECT outlet FROM read_parquet($1)", [pattern]).fetchall()},
    ):
        # Not every reader takes these for names; the manifest has them.
        assert short - {"a\x00b", "__HIVE_DEFAULT_PARTITION__"} <= found


@given(st.text(min_size=1), st.text(min_size=1))
@settings(max_examples=examples(300))
def test_an_encoded_name_is_one_part_of_a_path_and_no_other_names(one: str, other: str) -> None:
    found = encoded(one)
    assert not set(found) & set("/\\\0\n")
    assert len(f"outlet={found}".encode("utf-8", "surrogatepass")) <= 207
    assert Path("a", f"outlet={found}").parent == Path("a")
    if "~" not in found:
        assert unquote(found, errors="surrogatepass") == one
    assert (found == encoded(other)) == (one == other)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers()), max_size=40), st.integers(1, 9)
)
@settings(max_examples=25, deadline=None)
def test_files_do_not_depend_on_batches_and_hold_no_more_than_they_may(
    rows: list[tuple[str, str, int]], size: int
) -> None:
    rows.sort()
    table = pa.table(
        {
            "month": pa.array([row[0] for row in rows], pa.string()),
            "outlet": pa.array([row[1] for row in rows], pa.string()),
            "n": pa.array([row[2] % 2**31 for row in rows], pa.int64()),
        }
    )
    import tempfile

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        patch.setattr(hive_files, "GROUP", 3)
        patch.setattr(hive_files, "GROUPS", 2)
        folder = Path(name)
        parts = write_parts(table.to_batches(size), folder / "one")
        assert parts == write_parts(table.to_batches(), folder / "two")
        for part in parts:
            assert (folder / "one" / part.path).read_bytes() == (folder / "two" / part.path).read_bytes()
            file = pq.ParquetFile(folder / "one" / part.path)
            assert file.metadata.num_rows == part.rows <= 6
            assert file.metadata.row_group(0).num_rows <= 3
        found = [
            (part.month, part.outlet, n)
            for part in parts
            for n in pq.ParquetFile(folder / "one" / part.path).read().column("n").to_pylist()
        ]
        assert found == [tuple(row.values()) for row in table.to_pylist()]


# --- what cannot be


def test_a_model_that_cannot_be_used_is_said_before_any_work(news: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    mine = tmp_path / "model"
    with pytest.raises(ExamplesError, match=r"model\.json is not there: run `stance train` first"):
        _run(news, mine, out)
    shutil.copytree(model, mine)
    card = json.loads((mine / "model.json").read_text())
    (mine / "model.json").write_text(json.dumps(card | {"scikit_learn": "0.22.1"}))
    with pytest.raises(
        ExamplesError, match=r"made with scikit-learn 0\.22\.1, here is .*, or run `stance train` again"
    ):
        _run(news, mine, out)
    assert not out.exists()


@pytest.mark.slow
def test_a_model_or_a_table_that_changes_meanwhile_is_not_mixed_in(model: Path, news: Path, tmp_path: Path) -> None:
    work, mine = tmp_path / "work", tmp_path / "model"
    build([news], work, _settings(news))
    shutil.copytree(model, mine)
    asked = ModelAsked(folder=mine, target=TARGET, trust=False, version=open_model(mine, TARGET).version)
    (tmp_path / "shards").mkdir()
    job = score_shards.ScoreJob(shard=plan(work, asked)[1], asked=asked, folder=tmp_path / "shards")
    table = pq.read_table(work / "sentences.parquet")
    texts = [f"{text} " for text in table.column("text").to_pylist()]
    at = table.schema.get_field_index("text")
    pq.write_table(table.set_column(at, "text", pa.array(texts)), work / "sentences.parquet", row_group_size=61)
    with pytest.raises(StanceError, match=r"sentences\.parquet changed while it was read; run it again"):
        score_shards.make(job)
    score_shards._HELD.clear()
    _fit("word", mine, seed=2)
    with pytest.raises(ExamplesError, match="the model changed while it was in use"):
        score_shards.make(job)
    assert not list((tmp_path / "shards").iterdir())


def test_a_folder_that_is_not_ours_is_left_alone(news: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("Do not touch.")
    with pytest.raises(SourceError, match="found other files in it"):
        _run(news, model, tmp_path / "mine")
    with pytest.raises(SourceError, match="expected a folder; found a file"):
        _run(news, model, tmp_path / "mine" / "thesis.txt")
    with pytest.raises(SourceError, match="it lies in the sources"):
        _run(news, model, news / "out")
    with pytest.raises(SourceError, match="no such file or folder"):
        _run(tmp_path / "gone", model, tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "thesis.txt"]
    assert not (news / "out").exists()


def test_two_runs_do_not_write_to_one_folder(news: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / ".archive").mkdir(parents=True)
    with (
        FileLock(tmp_path / "out" / ".archive" / "lock"),
        pytest.raises(StanceError, match="another `stance predict` is writing to"),
    ):
        _run(news, model, tmp_path / "out")


@pytest.mark.slow
def test_sentences_without_an_article_or_with_two_are_an_error(news: Path, model: Path, tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    build([news], work, _settings(news))
    _run(work, model, out)
    before = _files(out)
    articles = pq.read_table(work / "articles.parquet")
    for broken in (articles.slice(1), pa.concat_tables([articles, articles.slice(0, 1)])):
        pq.write_table(broken, work / "articles.parquet")
        with pytest.raises(TableError, match="to have one article and an id of its own; found"):
            _run(work, model, out)
    assert _files(out) == before, "the last scores stay"
    pq.write_table(pq.read_table(work / "sentences.parquet").slice(0, 0), work / "sentences.parquet")
    with pytest.raises(ExamplesError, match="holds no sentence"):
        _run(work, model, out)
    (work / "sentences.parquet").write_bytes(b"none")
    with pytest.raises(TableError, match=r"sentences\.parquet"):
        _run(work, model, out)


# --- whoever is killed

DIE = "os.kill(os.getpid(), signal.SIGKILL)"
POINTS = {
    "in a shard": "score_shards.score = lambda batch, judge, right=score_shards.score: "
    f"right(batch, judge) if len(done) < 3 else {DIE}",
    "in the global step": f"predict_archive.count = lambda database, labels: {DIE}",
    "between the old scores and the new": f"Path.rename = lambda path, to, right=Path.rename: "
    f"right(path, to) if path.name != 'scores' or path.parent == out else {DIE}",
    "before the manifest": f"predict_archive.write_bytes = lambda *_: {DIE}",
}


def _script(code: str, news: Path, model: Path, out: Path, address: str | None = None) -> list[str]:
    return [
        sys.executable,
        "-c",
        textwrap.dedent(
            f"""
            import os, signal, sys
            from pathlib import Path
            sys.path.insert(0, {str(REPO)!r})
            from corpus.records import CorpusSettings
            from train.archive import predict_archive
            from train.archive import score_shards
            news, model, out = map(Path, {[str(news), str(model), str(out)]!r})
            score_shards.SHARD, score_shards.WAVE, done = 1, 1, []
            {code}
            predict_archive.predict_archive(
                [news], model, out, CorpusSettings(root=str(news)),
                lambda rows, total: done.append(rows), workers=1, address={address!r}
            )
            """
        ),
    ]


SOON = "in a shard"


@pytest.mark.parametrize("point", [one if one == SOON else pytest.param(one, marks=pytest.mark.slow) for one in POINTS])
def test_killed_and_started_again_it_goes_on_and_gives_the_same(
    point: str, news: Path, model: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    if point == "between the old scores and the new":
        _run(news, _fit("word", tmp_path / "other", seed=2), out)
    killed = subprocess.run(_script(POINTS[point], news, model, out), capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finished = len([path for path in (out / ".archive" / "shards").iterdir() if not path.name.startswith("half.")])
    assert finished >= 2
    made = _watched(monkeypatch)
    told: list[int] = []
    predict_archive([news], model, out, _settings(news), lambda done, _: told.append(done), workers=1)
    assert len(made) == (FILES - finished if point == SOON else 0)
    assert sum(told) == FILES * 61
    assert _rows(out) == _rows(whole)
    assert len(_rows(out)) == len({row["sentence_id"] for row in _rows(out)})
    assert (out / "shares.json").read_bytes() == (whole / "shares.json").read_bytes()
    assert sorted(path.name for path in (out / ".archive").iterdir()) == ["lock", "scored.json", "shards", "tables"]
    assert not list(out.rglob("half.*"))


def _many(folder: Path) -> Path:
    """Forty files of 500 sentences."""
    chance = random.Random(5)
    folder.mkdir()
    for file in range(40):
        lines = (
            {
                "id": f"{file}-{n}",
                "outlet": f"Outlet {n % 7}",
                "published": f"2031-{1 + file % 12:02}-01",
                "text": "\n\n".join(_sentence(chance, chance.choice(DEFAULT.names)) for _ in range(20)),
            }
            for n in range(25)
        )
        (folder / f"{file:02}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    return folder


def _some_made(out: Path) -> bool:
    return 2 <= len([path for path in out.glob(".archive/shards/*") if not path.name.startswith("half.")]) < 38


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty shards, built, a model that takes its time, and what undisturbed scoring makes of them."""
    folder = tmp_path_factory.mktemp("many")
    _fit("char", folder / "model")
    build([_many(folder / "news")], folder / "work", _settings(folder / "news"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_shards, "SHARD", 1)
        _run(folder / "work", folder / "model", folder / "out")
    return folder


@pytest.mark.slow
def test_a_killed_worker_costs_its_shard_and_nothing_else(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told: list[int] = []
    with Killer(lambda: bool(_some_made(out) and workers()), lambda: os.kill(workers()[0], signal.SIGKILL)) as killer:
        step = lambda done, _: told.append(done)  # noqa: E731
        predict_archive([many / "work"], many / "model", out, CorpusSettings(), step, workers=2)
    assert killer.acted
    assert sum(told) == 20_000
    assert _scores(tmp_path / "out") == _scores(many / "out")
    assert not list(tmp_path.rglob("half.*"))


@pytest.mark.slow
def test_the_number_of_outlets_and_shards_does_not_show_in_open_files(model: Path, tmp_path: Path) -> None:
    # DuckDB reads ahead, in some 150 files.
    news = tmp_path / "news"
    news.mkdir()
    for n in range(250):
        row = {"id": f"{n}", "outlet": f"Outlet {n}", "text": "The war is wrong, they said."}
        (news / f"{n}.jsonl").write_text(json.dumps(row))
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))"
    done = subprocess.run(_script(limit, news, model, tmp_path / "out"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out" / ".archive" / "shards").iterdir())) == 250
    assert len(list((tmp_path / "out" / "scores").rglob("*.parquet"))) == 250


# --- Spark


def _scores(out: Path) -> dict[str, str]:
    """All files but the manifest and the marker, which tell where the tables lie."""
    return {name: found for name, found in _files(out).items() if name.endswith((".parquet", ".svg", "shares.json"))}


@pytest.fixture(scope="module")
def quick_jvm() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", QUICK_JVM)
        yield


@needs_spark
@pytest.mark.slow
@pytest.mark.usefixtures("quick_jvm")
def test_spark_writes_the_same_bytes(model: Path, tmp_path: Path) -> None:
    news = _news(tmp_path / "news", HOSTILE)
    _run(news, model, tmp_path / "here")
    done = _run(news, model, tmp_path / "there", address="local[2]")
    assert done.changed
    assert _scores(tmp_path / "there") == _scores(tmp_path / "here")
    # Each takes the other's work for its own; with nothing to do no Spark is needed.
    assert not _run(news, model, tmp_path / "there", address="spark://nowhere:1").changed
    assert not _run(news, model, tmp_path / "there").changed
    (tmp_path / "there" / "scores" / "_SUCCESS").unlink()
    assert _run(news, model, tmp_path / "there", address="local[2]").changed
    assert _scores(tmp_path / "there") == _scores(tmp_path / "here")
    work = tmp_path / "my *work=%20[a] ü"
    build([news], work, _settings(news))
    _run(work, model, tmp_path / "built", address="local[2]")
    assert _scores(tmp_path / "built") == _scores(tmp_path / "here")


@needs_spark
@pytest.mark.slow
def test_a_driver_killed_on_spark_is_gone_on_with_here(
    news: Path, model: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    code = f"done = type('Mortal', (), {{'append': lambda self, rows: rows and {DIE}}})()"
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", QUICK_JVM)
    killed = subprocess.run(_script(code, news, model, out, "local[2]"), capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finished = len([path for path in (out / ".archive" / "shards").iterdir() if not path.name.startswith("half.")])
    assert 2 <= finished < FILES
    assert not (out / "scores").exists()
    made = _watched(monkeypatch)
    _run(news, model, out)
    assert len(made) == FILES - finished
    assert _scores(out) == _scores(whole)


@needs_spark
@pytest.mark.slow
@pytest.mark.usefixtures("quick_jvm")
def test_a_cluster_loses_an_executor_and_writes_the_same_bytes(many: Path, tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    cluster = Standalone(tmp_path / "cluster")
    try:
        cluster.worker()
        cluster.worker()
        out = tmp_path / "out"
        with Killer(lambda: _some_made(out), lambda: os.kill(cluster.executors()[0], signal.SIGKILL)) as killer:
            _run(many / "work", many / "model", out, address=cluster.address)
    finally:
        cluster.stop()
    assert killer.acted
    assert _scores(tmp_path / "out") == _scores(many / "out")
    assert not list(tmp_path.rglob("half.*"))


@needs_spark
@pytest.mark.slow
@pytest.mark.usefixtures("quick_jvm")
def test_a_model_that_an_executor_cannot_use_is_one_message(
    news: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "model"
    shutil.copytree(model, mine)

    def changed(tables: Path, asked: ModelAsked) -> list[score_shards.ScoreShard]:
        found = plan(tables, asked)
        card = json.loads((mine / "model.json").read_text())
        (mine / "model.json").write_text(json.dumps(card | {"scikit_learn": "0.22.1"}))
        return found

    monkeypatch.setattr("train.archive.predict_archive.plan", changed)
    with pytest.raises(
        ExamplesError, match=r"made with scikit-learn 0\.22\.1, here is .*, or run `stance train` again"
    ):
        _run(news, mine, tmp_path / "out", address="local[2]")
    assert not list((tmp_path / "out").glob(".archive/shards/*"))
