"""Measure every command on a large corpus of which few sentences are labelled, as at one's desk.

    python -m benchmarks.desk [--size SENTENCES] [--folder FOLDER] [--only "STEP;STEP"]

The corpus is made up (`benchmarks.corpus.write_articles`), in English letters but not in English; 1,000 of its
sentences are labelled by two annotators who agree on eight of ten. Each step is a whole command in a process of its
own. What a step took is kept in FOLDER, so that a run that was stopped goes on with the step that it was in; in a new
folder everything is measured. Memory is the largest resident set of a process or, where worker processes share the
work, the largest memory (PSS) of all of them. It is read from /proc, which needs Linux.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.corpus import _load, _pss, _row, _table
from labeling.scheme import DEFAULT

LABELLED = 1_000
TOML = """[target]
name = "the plan of the ministry"
[corpus]
root = "news"
[labeling]
title = "Desk"
overlap = 2
[publish]
licence = "cc-by-4.0"
"""
TABLES = ("articles.parquet", "sentences.parquet", "spans.parquet")
CHANGED = Path("news/0/0.txt")


def main() -> None:
    """Run the steps that were not measured yet, and print the table in Markdown."""
    parser = argparse.ArgumentParser(description="Measure every command on a large corpus with few labels.")
    parser.add_argument("--size", type=int, default=1_000_000, help="number of sentences (default: a million)")
    parser.add_argument("--folder", type=Path, help="where the corpus and the figures are kept (default: a new one)")
    parser.add_argument("--only", default="", help="run these steps alone, again, and show what is known of the others")
    parser.add_argument("call", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.call:  # in a new process, by `_python`
        globals()[arguments.call[0]](*arguments.call[1:])
        return
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="stance-desk-"))
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; load before: {_load()}")
    print(f"{arguments.size:,} sentences, {LABELLED:,} labelled, in {folder}\n", flush=True)
    figures = folder / f"figures-{arguments.size}.json"
    project = folder / f"{arguments.size}"
    known: dict[str, dict[str, float]] = json.loads(figures.read_text()) if figures.exists() else {}
    only = [name for name in arguments.only.split(";") if name]
    _prepare(project, arguments.size)
    _table("step", "wall s", "CPU s", "peak MB")
    for name, run in STEPS.items():
        if name in only or not (only or name in known):
            known[name] = run(project)
            figures.write_text(json.dumps(known))
        if (cells := known.get(name)) is None:
            continue
        _row(name, f"{cells['wall']:.1f}", f"{cells['cpu']:.1f}", f"{cells['peak']:.0f}" if "peak" in cells else "")
    if known.keys() >= STEPS.keys():
        print("\n" + "\n".join(_ratios(known)))
    print(f"\nLoad after: {_load()}")


def _prepare(project: Path, size: int) -> None:
    if (project / "news.whole").exists():
        return
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.corpus", "write_articles", str(project), str(size)]
    subprocess.run(command, check=True)
    (project / "stance.toml").write_text(TOML)
    (project / "codebook.md").write_text("version: 1.0\n\n# Codebook\n\nInvented, for a benchmark.\n")
    (project / "news.whole").touch()


def _ratios(known: dict[str, dict[str, float]]) -> list[str]:
    """What the goals compare: figures of one run with each other."""

    def wall(name: str) -> float:
        return known[name]["wall"]

    scored = known["scorer"]
    train, bare = known["train"], known["train, the same examples as a file"]
    changed = known["build, one article changed"]
    return [
        f"- two workers build {wall('build, one worker') / wall('build'):.2f} times as fast as one",
        f"- the scorer takes {scored['ours']:.1f} µs of CPU for a sentence, scikit-learn's pipeline "
        f"{scored['theirs']:.1f}: {scored['theirs'] / scored['ours']:.1f} times as long; "
        f"their probabilities differ by at most {scored['apart']:.1e}",
        f"- two cores predict {wall('predict, one core') / wall('predict'):.2f} times as fast as one",
        f"- training on verdicts takes {train['cpu'] - bare['cpu']:.1f} CPU s and "
        f"{train['peak'] - bare['peak']:.0f} MB more than on the same examples in a file",
        f"- after a change, the build {'is the same as' if changed['same'] else 'DIFFERS FROM'} a fresh one",
    ]


# --- measuring


def _measured(command: list[str], folder: Path, cores: set[int] | None = None) -> dict[str, float]:
    """Run a command in a folder; its wall and CPU seconds, with those of its workers, and its peak memory in MB."""

    def narrow() -> None:
        if cores:
            os.sched_setaffinity(0, cores)

    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or every command would compile all modules, as no user's does
    start, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            command, cwd=folder, stdout=told, stderr=subprocess.STDOUT, preexec_fn=narrow, env=environment
        )
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            peak = max(peak, _pss(process.pid))
            time.sleep(0.25)  # more often, and the reading of large processes slows the workers down
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        printed = told.read().decode()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{printed}")
    (folder / "printed.txt").write_text(printed)
    found = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak * 1024 / 1e6}
    lines = printed.strip().splitlines()
    return found | (json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {})


def _stance(*arguments: str) -> Callable[[Path], dict[str, float]]:
    return lambda project: _measured([sys.executable, "-m", "stance", *arguments], project)


def _python(function: str, *arguments: str) -> Callable[[Path], dict[str, float]]:
    return lambda project: _measured([sys.executable, "-m", "benchmarks.desk", "--", function, *arguments], project)


# --- steps


def _first_build(project: Path) -> dict[str, float]:
    shutil.rmtree(project / "work", ignore_errors=True)
    return _stance("build", "news", "--workers", "2")(project)


def _build_by_one(project: Path) -> dict[str, float]:
    found = _stance("build", "news", "--workers", "1", "--out", "alone")(project)
    shutil.rmtree(project / "alone")
    return found


def _changed_build(project: Path) -> dict[str, float]:
    """Build again after a change; then build afresh, to compare, and set everything back."""
    article = project / CHANGED
    before = article.read_bytes()
    shutil.rmtree(project / "changed", ignore_errors=True)
    shutil.copytree(project / "work", project / "changed")
    try:
        article.write_bytes(before + b"\nThe minister added one more sentence to it.\n")
        found = _stance("build", "news", "--workers", "2", "--out", "changed")(project)
        _stance("build", "news", "--workers", "2", "--out", "fresh")(project)
        same = _digest(project / "changed") == _digest(project / "fresh")
    finally:
        article.write_bytes(before)
        for name in ("changed", "fresh"):
            shutil.rmtree(project / name, ignore_errors=True)
    return found | {"same": same}


def _digest(folder: Path) -> str:
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in TABLES)).hexdigest()


def _pull(project: Path) -> dict[str, float]:
    tasks = json.loads((project / "tasks.json").read_text())
    (project / "export.json").write_text(json.dumps([_answered(n, task["data"]) for n, task in enumerate(tasks, 1)]))
    return _stance("pull", "--from", "export.json")(project)


def _answered(number: int, data: dict[str, Any]) -> dict[str, Any]:
    """A task with the answers of two annotators, who go by the text's first letter and agree on eight of ten."""
    drawn = hashlib.sha256(data["text"].encode()).digest()
    first = ord(data["text"][0]) % 3
    answers = []
    for who, place in enumerate((first, first if drawn[0] % 10 < 8 else (first + 1) % 3)):
        at = f"2031-01-02T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.{who}00000Z"
        answers.append(
            {
                "id": 2 * number + who,
                "completed_by": {"id": who + 1, "email": f"annotator{who}@desk.example"},
                "result": [
                    {
                        "from_name": "stance",
                        "to_name": "text",
                        "type": "choices",
                        "value": {"choices": [DEFAULT.names[place]]},
                    }
                ],
                "created_at": at,
                "updated_at": at,
                "lead_time": 9.0,
                "was_cancelled": False,
            }
        )
    made = f"2031-01-01T00:00:00.{number:06}Z"
    return {"id": number, "data": data, "annotations": answers, "created_at": made, "project": 1}


def _train(project: Path) -> dict[str, float]:
    """Train on the verdicts; near-duplicates that the made-up corpus has in two splits are put together, as told."""
    together: list[list[str]] = []  # pairs put together move groups, which can bring another pair apart
    while True:
        try:
            return _stance("train")(project)
        except SystemExit as error:
            told = re.search(r"^ *together = (.*)$", str(error), re.MULTILINE)
            if told is None or len(together) > 100:
                raise
            together += json.loads(told[1])
            (project / "stance.toml").write_text(f"{TOML}[train]\ntogether = {json.dumps(together)}\n")


def _train_on_file(project: Path) -> dict[str, float]:
    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(project / "work" / "examples.parquet"), project / "bare.parquet")
    return _stance("train", "bare.parquet", "--out", "bare")(project)


def _predict_on_one_core(project: Path) -> dict[str, float]:
    (project / "work" / "predictions.parquet").unlink(missing_ok=True)
    return _measured([sys.executable, "-m", "stance", "predict"], project, {min(os.sched_getaffinity(0))})


def _predict(project: Path) -> dict[str, float]:
    (project / "work" / "predictions.parquet").unlink(missing_ok=True)
    return _stance("predict")(project)


def scorer() -> None:
    """Compare the scorer with scikit-learn's pipeline on some sentences of the corpus, on one core."""
    import numpy as np
    import pyarrow.parquet as pq
    from threadpoolctl import threadpool_limits

    from train.model import tfidf_logistic
    from train.model.files import load_model
    from train.model.scorer import scorer as scorer_of

    loaded = load_model("work/model")
    [model] = loaded.pipelines.values()
    found = scorer_of(model)
    if found is None:
        raise SystemExit("the recipe is not covered by the scorer")
    texts = pq.ParquetFile("work/sentences.parquet").read_row_groups([0, 1], ["text"]).column(0).to_pylist()
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    given = {}
    with threadpool_limits(1):
        for name in ("ours", "theirs") * 5:
            start = time.process_time()
            given[name] = (
                found.probabilities(texts, loaded.labels)
                if name == "ours"
                else tfidf_logistic.columns(model["logistic"], model["tfidf"].transform(texts), loaded.labels)
            )
            times[name].append((time.process_time() - start) / len(texts) * 1e6)
    apart = float(np.abs(given["ours"] - given["theirs"]).max())
    print(json.dumps({name: min(taken) for name, taken in times.items()} | {"apart": apart}))


def _publish(project: Path) -> dict[str, float]:
    """Publish; the CPU seconds are those without opening the dataset again, as a check that it opens."""
    found = _python("publish")(project)
    return found | {"cpu": found["cpu"] - found["opening"]}


def publish() -> None:
    """Publish, and print the CPU seconds of opening the dataset again."""
    from release import publish as module
    from stance.command_line import cli

    open_again, seconds = module._open_again, [0.0]

    def clocked(*arguments: Any) -> None:
        start = time.process_time()
        open_again(*arguments)
        seconds[0] = time.process_time() - start

    vars(module)["_open_again"] = clocked
    cli(["publish", "--allow-open"], standalone_mode=False)
    print(json.dumps({"opening": seconds[0]}))


STEPS: dict[str, Callable[[Path], dict[str, float]]] = {
    "build": _first_build,
    "build, one worker": _build_by_one,
    "build, one article changed": _changed_build,
    "push --limit 1000 --to FILE": _stance("push", "--limit", str(LABELLED), "--to", "tasks.json"),
    "pull --from FILE": _pull,
    "status": _stance("status"),
    "adjudicate": _stance("adjudicate"),
    "train": _train,
    "train, the same examples as a file": _train_on_file,
    "scorer": _python("scorer"),
    "predict, one core": _predict_on_one_core,
    "predict": _predict,
    "report": _stance("report"),
    "publish": _publish,
    "status, with predictions": _stance("status"),
}


if __name__ == "__main__":
    main()
