"""The build at scale: shards that last, workers that change nothing, kills that lose nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import corpus.shards
from corpus.build import build
from corpus.errors import SourceError, StanceError
from corpus.records import SENTENCES, SPANS, CorpusSettings, Unit
from corpus.shards import Job, make_shard, plan
from corpus.tables import read_table
from tests.conftest import REPO
from tests.support.processes import Killer, workers

TABLES = ("articles.parquet", "sentences.parquet", "spans.parquet", "skipped.jsonl", "notes.jsonl")


@pytest.fixture
def news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty articles, in shards of four on average."""
    monkeypatch.setattr(corpus.shards, "SHARD_FILES", 4)
    words = "harbour minister council train budget river winter school market bridge doctor engine".split()
    chance = random.Random(4)
    for n in range(60):
        lines = [f"Report {n}: the {' '.join(chance.choices(words, k=9))} was seen." for _ in range(6)]
        lines.append("The same wire sentence stood in every paper of the land.")
        path = tmp_path / "news" / f"{n:02}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n\n".join(lines))
    return tmp_path / "news"


def _build(news: Path, out: Path, **options: bool | int) -> dict[str, bytes]:
    build([str(news)], out, CorpusSettings(root=str(news)), **options)  # type: ignore[arg-type]
    return {name: (out / name).read_bytes() for name in TABLES}


def test_the_number_of_workers_changes_nothing(news: Path, tmp_path: Path) -> None:
    assert _build(news, tmp_path / "one", workers=1) == _build(news, tmp_path / "three", workers=3)


def test_one_changed_article_is_cut_alone(news: Path, tmp_path: Path) -> None:
    settings = CorpusSettings(root=str(news))
    assert build([str(news)], tmp_path / "out", settings, workers=1).cut == 60
    again = build([str(news)], tmp_path / "out", settings, workers=1)
    assert (again.cut, again.changed) == (0, False)
    path = news / "17.txt"
    path.write_text(path.read_text() + "\n\nOne more sentence was added at the end of it.\n")
    changed = build([str(news)], tmp_path / "out", settings, workers=1)
    assert (changed.cut, changed.changed, changed.sentences) == (1, True, again.sentences + 1)
    (news / "17a.txt").write_text("A new article came in between the others at night.\n")
    assert build([str(news)], tmp_path / "out", settings, workers=1).cut == 1
    whole = _build(news, tmp_path / "fresh", workers=1)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in TABLES} == whole


def test_an_article_that_left_is_gone_from_every_table(news: Path, tmp_path: Path) -> None:
    _build(news, tmp_path / "out")
    (news / "05.txt").unlink()
    _build(news, tmp_path / "out")
    rows = read_table(tmp_path / "out" / "sentences.parquet", SENTENCES, "").to_pylist()
    assert "05" not in {row["article_id"] for row in rows}
    assert len({row["article_id"] for row in rows}) == 59


def test_the_projects_own_patterns_come_first(news: Path, tmp_path: Path) -> None:
    settings = CorpusSettings(root=str(news), patterns={"footer": ["The same wire sentence"]})
    build([str(news)], tmp_path / "out", settings)
    spans = read_table(tmp_path / "out" / "spans.parquet", SPANS, "").to_pylist()
    assert len(spans) == 60
    assert {(row["kind"], row["reason"]) for row in spans} == {("footer", "the project's pattern")}
    for patterns, message in (({"foot": ["x"]}, "got 'foot'"), ({"ad": ["("]}, "is not a regular expression")):
        with pytest.raises(ValueError, match=message):
            CorpusSettings(patterns=patterns)


def test_changed_rules_cut_every_article_anew(news: Path, tmp_path: Path) -> None:
    plain = CorpusSettings(root=str(news))
    patterns = CorpusSettings(root=str(news), patterns={"footer": ["The same wire sentence"]})
    for settings, spans in ((plain, {}), (patterns, {"footer": 60}), (plain, {})):
        done = build([str(news)], tmp_path / "out", settings, workers=1)
        assert (done.cut, done.spans) == (60, spans)


def test_strict_makes_a_skipped_article_an_error(news: Path, tmp_path: Path) -> None:
    (news / "ads.txt").write_text("ADVERTISEMENT\n")
    with pytest.raises(SourceError, match=r"1 article cannot be used, the first: ads\.txt: no prose in it"):
        _build(news, tmp_path / "out", strict=True)
    assert not (tmp_path / "out").exists()
    _build(news, tmp_path / "out")
    with pytest.raises(SourceError, match="1 article cannot be used"):
        _build(news, tmp_path / "out", strict=True)


def test_two_builds_do_not_write_to_one_folder(news: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "out" / ".build").mkdir(parents=True)
    with FileLock(tmp_path / "out" / ".build" / "lock"), pytest.raises(StanceError, match="another build is writing"):
        _build(news, tmp_path / "out")


@pytest.mark.slow
def test_shards_hang_on_names_not_on_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    # A million names, simulated: one new file in front changes one shard, not all behind it.
    names = [f"{n:07}.txt" for n in range(1_000_000)]
    listed: list[str] = []

    def simulated(*_: object, **__: object) -> list[Unit]:
        return [Unit(path=f"/news/{name}", kind="txt", article_id=name, source=name, size=1) for name in listed]

    monkeypatch.setattr(corpus.shards, "units", simulated)
    monkeypatch.setattr(corpus.shards, "stamp", str)
    listed += names[:100_000]
    before = {shard.key for shard in corpus.shards.plan([], Path(), CorpusSettings())}
    listed.insert(0, ".first.txt")
    after = {shard.key for shard in corpus.shards.plan([], Path(), CorpusSettings())}
    assert len(after - before) <= 2
    assert 200 <= len(before) <= 600
    listed[:] = names
    assert sum(len(shard.units) for shard in corpus.shards.plan([], Path(), CorpusSettings())) == 1_000_000


@pytest.mark.slow
def test_one_line_of_25_megabytes_is_an_article_like_any_other(tmp_path: Path) -> None:
    sentence = "The minister of Brennia visited the port of Ostrel on Monday morning with item {}. "
    text = "".join(sentence.format(n) for n in range(300_000))
    assert len(text) > 25_000_000
    (tmp_path / "long.txt").write_text(text)
    done = build([str(tmp_path / "long.txt")], tmp_path / "out", CorpusSettings(root=str(tmp_path)))
    assert done.sentences == 300_000
    rows = read_table(tmp_path / "out" / "sentences.parquet", SENTENCES, "").slice(299_990).to_pylist()
    assert all(text[row["start"] : row["end"]] == row["text"] for row in rows)


def busy(pid: int) -> bool:
    """Whether a worker has a shard in hand."""
    with suppress(OSError):
        return any("/half." in str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir())
    return False


def test_a_shard_that_two_make_is_there_once(news: Path, tmp_path: Path) -> None:
    settings = CorpusSettings(root=str(news))
    shard = plan([str(news)], tmp_path, settings)[0]
    job = Job(shard=shard, folder=str(tmp_path), before=[], settings=settings)
    made = make_shard(job)
    assert made.cut == made.articles == len(shard.units)
    files = {path: path.read_bytes() for path in (tmp_path / shard.key).iterdir()}
    assert make_shard(job) == made
    assert {path: path.read_bytes() for path in (tmp_path / shard.key).iterdir()} == files
    assert [path.name for path in tmp_path.iterdir() if path != news] == [shard.key]


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["busy", "idle"])
def test_a_killed_worker_loses_nothing(victim: str, news: Path, tmp_path: Path) -> None:
    # One article takes longer than all others: who works on it is busy in the end, and the other one idle.
    sentence = "The minister of Brennia visited the port of Ostrel on Monday morning with item {}. "
    (news / "long.txt").write_text("".join(sentence.format(n) for n in range(20_000)))
    out = tmp_path / "killed"
    total = len(plan([str(news)], out, CorpusSettings(root=str(news))))
    victims: list[int] = []

    def one_is_idle() -> bool:
        made = [path for path in out.glob(".build/shards/*") if not path.name.startswith("half.")]
        if len(made) == total - 1:
            victims[:] = [pid for pid in workers() if busy(pid) == (victim == "busy")]
        return bool(victims)

    with Killer(one_is_idle, lambda: os.kill(victims[0], signal.SIGKILL)) as killer:
        tables = _build(news, out, workers=2)
    assert killer.acted
    assert tables == _build(news, tmp_path / "whole", workers=1)


def test_a_worker_that_is_killed_again_and_again_is_one_message(news: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def kill() -> None:
        while not stop.wait(0.01):
            for pid in workers():
                with suppress(ProcessLookupError):  # it ended by itself
                    os.kill(pid, signal.SIGKILL)

    with Killer(lambda: bool(workers()), kill):
        try:
            with pytest.raises(StanceError, match=r"a worker was killed 3 times.*\d+ of \d+ shards are left"):
                _build(news, tmp_path / "out", workers=2)
        finally:
            stop.set()
    assert not (tmp_path / "out").exists()


SCRIPT = """
import sys
from pathlib import Path
import corpus.build
import corpus.shards
corpus.shards.SHARD_FILES = 4
news, out = sys.argv[1:]
from corpus.records import CorpusSettings
corpus.build.build([news], Path(out), CorpusSettings(root=news), workers=2)
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_nothing(news: Path, tmp_path: Path) -> None:
    whole = _build(news, tmp_path / "whole")
    command = [sys.executable, "-c", SCRIPT, str(news), str(tmp_path / "out")]
    started = time.monotonic()
    subprocess.run([*command[:-1], str(tmp_path / "timed")], check=True, cwd=REPO)
    long = time.monotonic() - started
    for n in range(10):
        process = subprocess.Popen(command, cwd=REPO, start_new_session=True)
        time.sleep(long * (n + 1) / 11)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        there = [name for name in TABLES if (tmp_path / "out" / name).exists()]
        assert all((tmp_path / "out" / name).read_bytes() == whole[name] for name in there)
    assert _build(news, tmp_path / "out") == whole
    left = {path.name for path in (tmp_path / "out" / ".build").iterdir()}
    assert left == {"lock", "done.json", "shards", "sources.json", "pairs.duckdb"}
    assert not any(path.name.startswith("half.") for path in (tmp_path / "out" / ".build" / "shards").iterdir())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system needs the right to mount one")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_a_full_disk_is_one_message_and_leaves_the_tables_alone(news: Path, small_disk: Path) -> None:
    before = _build(news, small_disk / "out")
    chance = random.Random(5)
    for n in range(60, 200):
        noise = [f"Report {n}: {' '.join(str(chance.random()) for _ in range(20))} came." for _ in range(1000)]
        (news / f"{n}.txt").write_text("\n\n".join(noise))
    with pytest.raises(StanceError, match="cannot be written"):
        _build(news, small_disk / "out", workers=1)
    assert {name: (small_disk / "out" / name).read_bytes() for name in TABLES} == before
