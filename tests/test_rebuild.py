"""A build after a few changes: the bytes of a fresh build, whatever was changed, killed or damaged in between."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import corpus.shards
from corpus.build import FILES, BuildSummary, build
from corpus.database import duck
from corpus.duplicates.update_pairs import KEPT
from corpus.rebuild import take_over
from corpus.records import CorpusSettings
from tests.conftest import REPO
from tests.support.copies import WIRE, edited, variants

WORDS = "harbour minister council train budget river winter school market bridge doctor engine".split()
TEMPLATE = "The commission has accused {} of breaching the old {} agreement because {} {} in the {}."


def _sentence(number: int) -> str:
    """One of a million sentences: copies, versions of one story, and fillings of a template are frequent among them."""
    rng = random.Random(number)
    match number % 5:
        case 0:
            return f"{variants(1, seed=number % 200)[0]}."
        case 1:
            return TEMPLATE.format(*rng.choices(WORDS, k=5))
        case 2:
            return f"Report {number % 40}: {' '.join(rng.choices(WORDS, k=rng.randint(1, 9)))}."
        case 3:
            return f"LAKE HARBOR (AP) — {WIRE}" if number % 2 else " ".join(edited(rng, WIRE.split(), lambda: "soon"))
        case _:
            return f"{' '.join(f'{rng.randrange(900)}x' for _ in range(rng.randint(4, 12)))} ended well."


article = st.lists(st.integers(0, 1_000_000), max_size=6).map(lambda numbers: "\n\n".join(map(_sentence, numbers)))
name = st.integers(0, 39).map("{:02}.txt".format)
change = st.one_of(
    st.tuples(st.just("write"), name, article),
    st.tuples(st.just("append"), name, article),
    st.tuples(st.just("remove"), name, st.just("")),
    st.tuples(st.just("rename"), name, name),
)


def _apply(news: Path, kind: str, which: str, other: str) -> None:
    path = news / which
    if kind == "write" or (kind == "append" and not path.exists()):
        path.write_text(other + "\n", encoding="utf-8")
    elif kind == "append":
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{other}\n", encoding="utf-8")
    elif path.exists() and kind == "remove":
        path.unlink()
    elif path.exists():
        path.rename(news / other)


def _build(news: Path, out: Path) -> tuple[dict[str, bytes], BuildSummary]:
    summary = build([str(news)], out, CorpusSettings(root=str(news)), workers=1)
    return {name: (out / name).read_bytes() for name in FILES}, summary


def _kept(out: Path) -> dict[str, list[tuple[object, ...]]]:
    """What is kept of near-duplicates, except `bound`: after an update it may be lower than after a full search."""
    with duck("400MB") as tables:
        tables.attach(out / ".build" / take_over.PAIRS)
        return {table: sorted(tables.ask(f"SELECT * FROM {table}")) for table in KEPT if table != "bound"}


def _same_counts(one: BuildSummary, two: BuildSummary) -> bool:
    names = ("articles", "sentences", "copies", "clusters", "spans", "skipped", "languages", "notes", "exports")
    return all(getattr(one, name) == getattr(two, name) for name in names)


@contextmanager
def _small_shards() -> Iterator[list[bool]]:
    """Shards of four articles, and builds that take over what they can; yields whether each one could."""
    could: list[bool] = []
    real: Callable[..., take_over.Taken | None] = take_over._taken

    def watched(*arguments: object) -> take_over.Taken | None:
        could.append(False)
        taken = real(*arguments)
        could[-1] = taken is not None
        return taken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus.shards, "SHARD_FILES", 4)
        patch.setattr(take_over, "MOST", 100)
        patch.setattr(take_over, "_taken", watched)
        yield could


def _write_news(news: Path, articles: int = 40) -> Path:
    news.mkdir()
    for number in range(articles):
        text = "\n\n".join(_sentence(number * 7919 + n * 104_729) for n in range(4))
        (news / f"{number:02}.txt").write_text(text + "\n", encoding="utf-8")
    return news


def _check(steps: list[list[tuple[str, str, str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder, _small_shards() as could:
        news = _write_news(Path(folder) / "news")
        _build(news, Path(folder) / "out")
        for number, changes in enumerate(steps):
            for one in changes:
                _apply(news, *one)
            (news / "always.txt").write_text(f"{_sentence(number)}\n\nThis one is always there.\n", encoding="utf-8")
            tables, summary = _build(news, Path(folder) / "out")
            fresh, whole = _build(news, Path(folder) / f"fresh{number}")
            assert tables == fresh
            assert _same_counts(summary, whole)
            assert _kept(Path(folder) / "out") == _kept(Path(folder) / f"fresh{number}")
        assert could == [True] * len(steps)


steps = st.lists(st.lists(change, max_size=4), min_size=1, max_size=3)


@pytest.mark.slow
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_after_any_changes_the_bytes_are_those_of_a_fresh_build(steps: list[list[tuple[str, str, str]]]) -> None:
    _check(steps)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
@pytest.mark.slow
def test_after_very_many_changes_too(steps: list[list[tuple[str, str, str]]]) -> None:
    _check(steps)


@pytest.mark.slow
def test_a_build_that_was_brought_up_to_date_often_is_a_fresh_one(tmp_path: Path) -> None:
    rng = random.Random(11)
    with _small_shards() as could:
        news = _write_news(tmp_path / "news")
        _build(news, tmp_path / "out")
        for _ in range(6):
            for which in rng.sample(range(40), 3):
                text = "\n\n".join(_sentence(rng.randrange(1_000_000)) for _ in range(rng.randint(1, 6)))
                (news / f"{which:02}.txt").write_text(text + "\n", encoding="utf-8")
            tables, summary = _build(news, tmp_path / "out")
        fresh, whole = _build(news, tmp_path / "fresh")
    assert tables == fresh
    assert _same_counts(summary, whole)
    assert could == [True] * 6


def _nothing_kept(out: Path) -> None:
    (out / ".build" / take_over.PAIRS).unlink()


def _text_in_its_place(out: Path) -> None:
    (out / ".build" / take_over.PAIRS).write_text("This is no database.")


def _cut_short(out: Path) -> None:
    path = out / ".build" / take_over.PAIRS
    os.truncate(path, path.stat().st_size // 2)


def _holes_in_it(out: Path) -> None:
    path = out / ".build" / take_over.PAIRS
    data = bytearray(path.read_bytes())
    for start in range(3 * 4096, len(data), 8192):
        data[start : start + 64] = bytes(64)
    path.write_bytes(data)


def _of_another_corpus(out: Path) -> None:
    other = _write_news(out.parent / "other_news", articles=9)
    _build(other, out.parent / "other")
    shutil.copyfile(out.parent / "other" / ".build" / take_over.PAIRS, out / ".build" / take_over.PAIRS)


def _another_table(out: Path) -> None:
    shutil.copyfile(out / "spans.parquet", out / "sentences.parquet")


def _no_table(out: Path) -> None:
    (out / "articles.parquet").unlink()


def _no_shard(out: Path) -> None:
    for path in (out / ".build" / "shards").iterdir():
        shutil.rmtree(path)


@pytest.mark.parametrize(
    "damage",
    [
        _cut_short,
        *(
            pytest.param(damage, marks=pytest.mark.slow)
            for damage in (
                _nothing_kept,
                _text_in_its_place,
                _holes_in_it,
                _of_another_corpus,
                _another_table,
                _no_table,
                _no_shard,
            )
        ),
    ],
)
def test_whatever_is_missing_or_damaged_the_bytes_are_those_of_a_fresh_build(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    with _small_shards() as could:
        news = _write_news(tmp_path / "news")
        _build(news, tmp_path / "out")
        damage(tmp_path / "out")
        _apply(news, "write", "07.txt", _sentence(4))
        tables, _ = _build(news, tmp_path / "out")
        assert tables == _build(news, tmp_path / "fresh")[0]
        assert not any(could)
        _apply(news, "write", "09.txt", _sentence(9))
        tables, _ = _build(news, tmp_path / "out")
        assert tables == _build(news, tmp_path / "fresh2")[0]
        assert could[-1]


def test_after_many_changes_everything_is_found_anew(tmp_path: Path) -> None:
    with _small_shards() as could, pytest.MonkeyPatch.context() as patch:
        patch.setattr(take_over, "MOST", 0.02)
        news = _write_news(tmp_path / "news")
        _build(news, tmp_path / "out")
        for number in range(10):
            _apply(news, "write", f"{number:02}.txt", _sentence(number))
        tables, _ = _build(news, tmp_path / "out")
        assert could == [False]
        assert tables == _build(news, tmp_path / "fresh")[0]


SCRIPT = """
import sys
from pathlib import Path
import corpus.build
import corpus.shards
from corpus.rebuild import take_over
from corpus.records import CorpusSettings
corpus.shards.SHARD_FILES = 4
take_over.MOST = 100
news, out = sys.argv[1:]
corpus.build.build([news], Path(out), CorpusSettings(root=news), workers=1)
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_of_a_build_after_a_change_loses_nothing(tmp_path: Path) -> None:
    with _small_shards():
        news = _write_news(tmp_path / "news")
        before, _ = _build(news, tmp_path / "first")
        _apply(news, "write", "07.txt", f"{_sentence(0)}\n\n{_sentence(1)}")
        after, _ = _build(news, tmp_path / "fresh")
        command = [sys.executable, "-c", SCRIPT, str(news), str(tmp_path / "out")]
        shutil.copytree(tmp_path / "first", tmp_path / "out")
        started = time.monotonic()
        subprocess.run(command, check=True, cwd=REPO)
        long = time.monotonic() - started
        for n in range(10):
            shutil.rmtree(tmp_path / "out")
            shutil.copytree(tmp_path / "first", tmp_path / "out")
            process = subprocess.Popen(command, cwd=REPO, start_new_session=True)
            time.sleep(long * (n + 1) / 11)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for name in FILES:
                assert (tmp_path / "out" / name).read_bytes() in (before[name], after[name])
            assert _build(news, tmp_path / "out")[0] == after
            left = {path.name for path in (tmp_path / "out" / ".build").iterdir()}
            assert left == {"lock", "done.json", "shards", "sources.json", take_over.PAIRS}
