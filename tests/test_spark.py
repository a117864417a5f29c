"""The build on Spark: the tables of one machine to the byte, whatever is killed, and one message for what is wrong."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import corpus.reading.source_files
import corpus.shards
import corpus.spark_session
from corpus.build import FILES, BuildSummary, build
from corpus.database import Duck
from corpus.errors import SourceError, StanceError
from corpus.records import CorpusSettings
from corpus.spark_engine import build_spark
from corpus.spark_session import session
from tests.conftest import REPO
from tests.support.copies import DATELINES, WIRE, line, planted, variants
from tests.support.processes import Killer
from tests.support.spark import QUICK, Standalone, free_port

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pip install stance-corpus[spark]"),
    pytest.mark.skipif(
        not (os.environ.get("JAVA_HOME") or shutil.which("java")), reason="Java 17 is not installed (for Spark)"
    ),
]
STARTER = REPO / "seeds" / "articles"


@pytest.fixture(scope="module", autouse=True)
def quick_jvm() -> Iterator[None]:
    """Java is started by the first session of this process, and stays."""
    with pytest.MonkeyPatch.context() as patch:
        executors = f"--conf 'spark.executor.extraJavaOptions={QUICK}'"
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"--driver-java-options '{QUICK}' {executors} pyspark-shell")
        yield


def write(folder: Path, texts: list[str], article: int = 30) -> None:
    """Sentences as articles, a paragraph each."""
    folder.mkdir(parents=True)
    for number, start in enumerate(range(0, len(texts), article)):
        mine = (text[0].upper() + text[1:].rstrip(".") + "." for text in texts[start : start + article])
        (folder / f"{number:05}.txt").write_text("\n\n".join(mine) + "\n", "utf-8")


def on(address: str, news: Path, out: Path) -> BuildSummary:
    return build_spark([str(news)], out, CorpusSettings(root=str(news)), address)


def locally(news: Path, out: Path, workers: int = 2) -> BuildSummary:
    return build([str(news)], out, CorpusSettings(root=str(news)), workers=workers)


def content(out: Path) -> dict[str, bytes]:
    """All tables' bytes: they are the same where shards are."""
    return {name: (out / name).read_bytes() for name in FILES}


def same_rows(one: Path, two: Path) -> bool:
    """All tables have the same rows in the same order: shards of another size leave other row groups."""
    tables = [name for name in FILES if name.endswith(".parquet")]
    return all(pq.read_table(one / name).equals(pq.read_table(two / name)) for name in tables) and (
        (one / "skipped.jsonl").read_bytes() == (two / "skipped.jsonl").read_bytes()
    )


@pytest.mark.slow
def test_executors_import_the_package_that_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever is installed there, as an editable one here, or lies where the command was typed. It is the first test:
    # Java, and what it starts, stay in the folder of the first session.
    (tmp_path / "train.py").write_text("raise SystemExit('the wrong one')\n")
    monkeypatch.chdir(tmp_path)

    def files(_: int) -> list[str]:
        import labeling
        import train

        return [str(module.__file__) for module in (corpus, labeling, train)]

    with session("local[1]", "train.archive.score_shards") as spark:
        found = spark.sparkContext.parallelize([0], 1).flatMap(files).collect()
    assert ["stance-package.zip" in file for file in found] == [True] * 3
    assert "PYSPARK_PYTHON" not in os.environ


# --- the tables


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter corpus, one story of 150 outlets, also under datelines, a long chain, and an article without prose.

    The folder's name is as hostile as a file system allows.
    """
    folder = tmp_path_factory.mktemp("crowd") / "new s=1 [a-b]{c,d}*%20+ü"
    shutil.copytree(STARTER, folder / "starter")
    write(folder / "story", variants(150, seed=1))
    write(folder / "wire", [dateline + WIRE for dateline in DATELINES[:7]])
    write(folder / "chain", line(60))
    (folder / "ads.txt").write_text("ADVERTISEMENT\n")
    return folder


@pytest.mark.slow
def test_two_local_executors_make_the_tables_of_one_machine(
    crowd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(corpus.shards, "SHARD_FILES", 4)
    here, there = tmp_path / "one", Path(crowd.name)  # the latter below the working folder, which executors don't have
    summary = locally(crowd, here)
    assert (summary.sentences, len(summary.skipped)) == (936 + 150 + 7 + 60, 1)
    assert summary.clusters > 71
    assert on("local[2]", crowd, there) == summary
    assert content(there) == content(here)
    assert {path.name for path in (there / ".build").iterdir()} == {"lock", "done.json", "shards", "sources.json"}
    # Each engine takes the other's work for its own; with nothing to do no Spark is needed, let alone a cluster.
    assert not on("spark://nowhere:1", crowd, there).changed
    assert not locally(crowd, there).changed
    assert {path.name for path in tmp_path.iterdir()} == {"one", crowd.name}


@pytest.mark.slow
def test_a_known_error_on_an_executor_is_raised_here() -> None:
    def fails(numbers: Iterable[int]) -> Iterable[int]:
        raise SourceError("rows.jsonl, line 1: expected a row\nfound none")

    def job() -> None:
        with session("local[1]") as spark:
            with pytest.raises(StanceError, match="a Spark session is already open"), session("local[1]"):
                pass
            spark.sparkContext.parallelize([1], 1).mapPartitions(fails).collect()

    with pytest.raises(SourceError, match=r"^rows.jsonl, line 1: expected a row\nfound none$"):
        job()


@pytest.mark.slow
def test_what_spark_refuses_is_one_message() -> None:
    def job() -> None:
        with session("local[1]") as spark:
            spark.sql("SELECT * FROM no_such_table")

    with pytest.raises(StanceError, match=r"^local\[1\]: Spark failed: .*no_such_table.*; run it again$"):
        job()


# --- what is missing


def test_no_pyspark_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(StanceError, match=r"pip install .stance-corpus\[spark\]"), session("local[1]"):
        pass


@pytest.mark.parametrize("said", [None, 'openjdk version "1.8.0_392"', 'openjdk version "11.0.25" 2024', "no java"])
def test_no_java_or_an_old_one_is_one_message(
    said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if said is not None:
        (tmp_path / "java").write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        (tmp_path / "java").chmod(0o755)
    found = "found none on PATH" if said is None else {"n": "is none"}.get(said[0], said[8:25])
    with pytest.raises(StanceError, match=f"needs Java 17 or newer .*{found}"), session("local[1]"):
        pass


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("spark://127.0.0.1:{port}", r"no Spark master answers \(127.0.0.1:\d+: Connection refused\)"),
        ("spark://127.0.0.1:{port},127.0.0.1:{port}", "no Spark master answers .*refused; .*refused"),
        ("spark://127.0.0.1", "no Spark master answers"),
        ("spark://127.0.0.1:99999", "no Spark master answers"),
        ("local[two]", "expected local"),
    ],
)
def test_a_wrong_address_is_one_message_at_once(address: str, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(StanceError, match=message), session(address.format(port=free_port())):
        pass
    assert time.monotonic() - started < 30


# --- a cluster


@pytest.fixture(scope="module")
def empty_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A master alone."""
    cluster = Standalone(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(empty_cluster: Standalone) -> Standalone:
    """Two workers."""
    while len(empty_cluster.workers) < 2:
        empty_cluster.worker()
    return empty_cluster


@pytest.mark.slow
def test_a_cluster_without_workers_is_one_message(empty_cluster: Standalone, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not empty_cluster.workers
    monkeypatch.setattr(corpus.spark_session, "EXECUTORS", 1.0)
    message = "no executor after 1 s: the cluster has no worker"
    with pytest.raises(StanceError, match=message), session(empty_cluster.address):
        pass


FOREIGN = """#!/bin/sh
exec {python} -c '
import runpy, sys
import pyspark.worker
sys.version_info = (3, 8, 1, "final", 0)
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__")
' "$@"
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "message"),
    [
        ('#!/bin/sh\nexec {python} -S "$@"\n', "executors need the same packages as here.*msgspec is missing"),
        (FOREIGN, r"executors run Python 3.8, this is 3.\d+.\d+; set PYSPARK_PYTHON"),
        (None, "executors have no .*/python; set PYSPARK_PYTHON"),
    ],
)
def test_another_python_on_the_executors_is_one_message(
    script: str | None, message: str, cluster: Standalone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", str(tmp_path / "python"))
    if script is not None:
        (tmp_path / "python").write_text(script.format(python=sys.executable))
        (tmp_path / "python").chmod(0o755)
    with pytest.raises(StanceError, match=message), session(cluster.address):
        pass
    assert os.environ["PYSPARK_PYTHON"] == str(tmp_path / "python")


@pytest.mark.slow
def test_files_that_executors_do_not_see_are_one_message(
    cluster: Standalone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As without a shared file system: what the driver listed is not there for the executors.
    write(tmp_path / "news", variants(30, seed=1))
    listed = corpus.reading.source_files.units

    def vanishing(*arguments: object, **options: object) -> object:
        found = listed(*arguments, **options)  # type: ignore[arg-type]
        (tmp_path / "news" / "00000.txt").unlink()
        return found

    monkeypatch.setattr(corpus.shards, "units", vanishing)
    with pytest.raises(StanceError, match=r"00000\.txt is not there on .*all machines of a cluster must see"):
        on(cluster.address, tmp_path / "news", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- parity at size, and after kills


@pytest.mark.slow
def test_the_seeds_are_the_same_tables_on_a_cluster(cluster: Standalone, shared: Path, tmp_path: Path) -> None:
    locally(shared / "seeds", tmp_path / "here")
    on(cluster.address, shared / "seeds", tmp_path / "there")
    assert content(tmp_path / "there") == content(tmp_path / "here")


@pytest.mark.slow
def test_20_000_sentences_and_a_chain_are_the_same_rows_on_every_engine(
    cluster: Standalone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "news" / "generated", planted(20_000)[0])
    write(tmp_path / "news" / "chain", line(1_000))
    rounds = 0
    make = Duck.make

    def counting(self: Duck, table: str, query: str) -> None:
        nonlocal rounds
        rounds += table == "large_star"
        make(self, table, query)

    monkeypatch.setattr(Duck, "make", counting)
    runs: dict[str, tuple[int, Callable[[Path, Path], BuildSummary]]] = {
        "one": (128, lambda news, out: locally(news, out, workers=1)),
        "two": (32, lambda news, out: locally(news, out, workers=2)),
        "threads": (512, lambda news, out: on("local[2]", news, out)),
        "cluster": (64, lambda news, out: on(cluster.address, news, out)),
    }
    shards = set()
    for name, (size, run) in runs.items():
        monkeypatch.setattr(corpus.shards, "SHARD_FILES", size)
        run(tmp_path / "news", tmp_path / name)
        shards.add(len(list((tmp_path / name / ".build" / "shards").iterdir())))
        assert same_rows(tmp_path / "one", tmp_path / name), name
    assert rounds >= 2 * 8
    assert len(shards) == len(runs)
    rows = pq.read_table(tmp_path / "cluster" / "sentences.parquet", columns=["article_id", "cluster_id"]).to_pylist()
    assert len(rows) > 20_000
    assert len({row["cluster_id"] for row in rows if row["article_id"].startswith("chain/")}) == 1


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """Many small shards, and what one machine makes of them."""
    folder = tmp_path_factory.mktemp("archive")
    write(folder / "news" / "generated", planted(4_000, seed=3)[0], article=5)
    write(folder / "news" / "chain", line(60))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus.shards, "SHARD_FILES", 8)
        locally(folder / "news", folder / "out")
    return folder / "news", content(folder / "out")


def shards_made(out: Path) -> int:
    return len([path for path in out.glob(".build/shards/*") if not path.name.startswith("half.")])


def mapping(out: Path) -> bool:
    """Some shards are made, and many are not."""
    return shards_made(out) >= 5


def shuffling(out: Path) -> bool:
    """The words are there, and the joins and groupings of them under way."""
    return any(out.glob(".build/half.*/rare.*"))


@pytest.mark.slow
def test_a_killed_executor_and_a_killed_worker_change_nothing(
    cluster: Standalone, archive: tuple[Path, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus.shards, "SHARD_FILES", 8)
    news, whole = archive
    made = []

    def executor() -> None:
        made.append(shards_made(tmp_path))
        os.kill(random.choice(cluster.executors()), signal.SIGKILL)

    def worker() -> None:
        made.append(shards_made(tmp_path))
        cluster.kill_worker()

    with Killer(lambda: mapping(tmp_path), executor) as first, Killer(lambda: shuffling(tmp_path), worker) as second:
        on(cluster.address, news, tmp_path)
    assert first.acted
    assert second.acted
    assert 5 <= made[0] < made[1] == shards_made(tmp_path)
    assert content(tmp_path) == whole


SCRIPT = """
import sys
from pathlib import Path
import corpus.shards
from corpus.records import CorpusSettings
from corpus.spark_engine import build_spark
corpus.shards.SHARD_FILES = 8
news, out, address = sys.argv[1:]
build_spark([news], Path(out), CorpusSettings(root=news), address)
"""


@pytest.mark.slow
def test_a_killed_driver_is_started_again_and_goes_on(
    cluster: Standalone, archive: tuple[Path, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus.shards, "SHARD_FILES", 8)
    news, whole = archive
    made = []
    for when in (mapping, shuffling):
        arguments = [str(news), str(tmp_path), cluster.address]
        driver = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], cwd=REPO)
        with Killer(lambda when=when: when(tmp_path), driver.kill) as killer:  # type: ignore[misc]
            assert driver.wait() == -signal.SIGKILL
        assert killer.acted
        made.append(shards_made(tmp_path))
        assert not any((tmp_path / name).exists() for name in FILES)
    done = on(cluster.address, news, tmp_path)
    assert 5 <= made[0] < made[1] == shards_made(tmp_path)
    assert done.cut == 0
    assert content(tmp_path) == whole
