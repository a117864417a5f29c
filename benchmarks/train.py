"""Compare the search with scikit-learn's grid search, and measure fits, long texts and SemEval-2016 Task 6A.

    STANCE_TEST_DATA=FOLDER python -m benchmarks.train [--largest TEXTS]

Each measurement runs in a new process; its peak memory is the largest resident set size. The texts are made up, but
resemble news: they have 8 to 28 words with Zipf-like frequencies, of which one to three are cues, each of which belongs
to the text's label in seven cases of ten.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpus import _load, _row, _table

PENALTIES = (0.3, 1.0, 3.0, 10.0)
FOLDS = 3
LONG = 7000
"""Number of long texts."""
GRIDS = (("word", 100_000), ("char", 20_000))
"""Feature set and number of texts of each grid; characters have ten times as many n-grams as words."""


def main() -> None:
    """Print all tables, in Markdown."""
    parser = argparse.ArgumentParser(description="Measure the search and the fit of the model.")
    parser.add_argument("--largest", type=int, default=100_000, help="texts of the largest grid and fit")
    parser.add_argument("call", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.call:  # in a new process, by `_fresh`
        globals()[arguments.call[0]](*arguments.call[1:])
        return
    largest: int = arguments.largest
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    for title, part in (
        ("Grid search", grids),
        ("One fit", fits),
        ("Long texts", lambda _: _fresh("long_texts")),
        ("SemEval-2016 Task 6A", lambda _: _fresh("semeval")),
    ):
        print(f"\n## {title}\n\nLoad before: {_load()}\n", flush=True)
        part(largest)
        print(f"\nLoad after: {_load()}", flush=True)


def _fresh(function: str, *arguments: object) -> None:
    """Call a function of this module in a new process, with one BLAS thread."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "benchmarks.train", function, *map(str, arguments)]
    subprocess.run(command, check=True, env=os.environ | threads)


def _texts(size: int) -> tuple[list[str], list[str]]:
    """Made-up texts and their labels; see the module's docstring."""
    rng, letters, stances = random.Random(1), "etaoinshrdlucmfwypvbgkjqxz", ("favor", "against", "none")

    def word() -> str:
        return "".join(rng.choices(letters, weights=range(26, 0, -1), k=min(12, max(2, int(rng.gauss(6, 2.5))))))

    vocabulary = [word() for _ in range(30_000)]
    cues = {stance: [word() for _ in range(400)] for stance in stances}
    often, cued = (list(accumulate(1 / (rank + 2) for rank in range(count))) for count in (30_000, 400))
    texts, labels = [], []
    for _ in range(size):
        label = rng.choices(stances, weights=(3, 4, 3))[0]
        words = rng.choices(vocabulary, cum_weights=often, k=rng.randint(8, 28))
        for _ in range(rng.randint(1, 3)):
            told = label if rng.random() < 0.7 else rng.choice(stances)
            words[rng.randrange(len(words))] = rng.choices(cues[told], cum_weights=cued)[0]
        texts.append(" ".join(words))
        labels.append(label)
    return texts, labels


def grids(largest: int) -> None:
    """Compare stance's search with GridSearchCV by time, memory and predictions, each with one job."""
    _table("features", "texts", "search", "CPU s", "wall s", "peak MB", "times stance's", "labels as stance's")
    for features, size in GRIDS:
        with tempfile.TemporaryDirectory(prefix="stance-") as folder:
            found: dict[str, Any] = {}
            for way in WAYS:
                _fresh("grid", features, min(size, largest), way, Path(folder) / way)
                found[way] = np.load(Path(folder) / f"{way}.npz")
            ours = found["ours"]
            for way, row in found.items():
                cpu, wall, peak = row["cost"].tolist()
                same = [np.mean(a == b) for a, b in zip(ours["labels"], row["labels"], strict=True)]
                agreement = "" if way == "ours" else f"{min(same):.4f}"
                times = f"{cpu / ours['cost'][0]:.1f}"
                _row(
                    features,
                    f"{min(size, largest):,}",
                    WAYS[way][0],
                    f"{cpu:.0f}",
                    f"{wall:.0f}",
                    f"{peak:.0f}",
                    times,
                    agreement,
                )
    print(
        f"\n{len(PENALTIES)} values of C, {FOLDS} folds. Labels: of the held-out texts, at the C where fewest agree. "
        "At its default tolerance lbfgs stops short of the optimum."
    )


def grid(features: str, size: str, way: str, out: str) -> None:
    """Run one search, and write its costs and predictions to a file."""
    from sklearn.model_selection import StratifiedKFold

    texts, labels = _texts(int(size))
    y = np.array(labels)
    cuts = list(StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(texts, y))
    start, before = time.perf_counter(), time.process_time()
    given = WAYS[way][1](features, texts, y, cuts)
    cpu, wall = time.process_time() - before, time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    np.savez(out, cost=[cpu, wall, peak], labels=given)


def _ours(features: str, texts: list[str], y: Any, cuts: list[Any]) -> Any:
    from labeling.scheme import DEFAULT
    from train.model.counted_texts import chances, counted

    given = np.empty((len(PENALTIES), len(y)), dtype=y.dtype)
    for (_, held), found in zip(cuts, chances(counted(features, "", texts), y, cuts, PENALTIES, 1), strict=True):
        given[:, held] = np.array(DEFAULT.names)[found.argmax(axis=2)]
    return given


def _scikit_learn(more: dict[str, Any]) -> Callable[[str, list[str], Any, list[Any]], Any]:
    def run(features: str, texts: list[str], y: Any, cuts: list[Any]) -> Any:
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import accuracy_score
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import Pipeline

        from train.model.tfidf_logistic import PARTS

        seen: list[Any] = []

        def scorer(model: Any, held: list[str], true: Any) -> float:
            seen.append(model.predict(held))
            return float(accuracy_score(true, seen[-1]))

        logistic = LogisticRegression(class_weight="balanced", max_iter=1000, **more)
        pipeline = Pipeline([("tfidf", *PARTS[features].values()), ("logistic", logistic)])
        GridSearchCV(pipeline, {"logistic__C": PENALTIES}, scoring=scorer, cv=cuts, refit=False).fit(texts, y)
        given = np.empty((len(PENALTIES), len(y)), dtype=y.dtype)
        for n, labels in enumerate(seen):  # by candidate, and within it by fold
            given[n // FOLDS, cuts[n % FOLDS][1]] = labels
        return given

    return run


WAYS: dict[str, tuple[str, Callable[[str, list[str], Any, list[Any]], Any]]] = {
    "ours": ("stance", _ours),
    "exact": ("GridSearchCV, newton-cg, tol 1e-6", _scikit_learn({"solver": "newton-cg", "tol": 1e-6})),
    "default": ("GridSearchCV, defaults (lbfgs, tol 1e-4)", _scikit_learn({})),
}


def fits(largest: int) -> None:
    """Measure the fit of each feature set, including its vectorizer, and the model's file."""
    from train.model.tfidf_logistic import FEATURES

    _table("features", "texts", "n-grams", "CPU s", "wall s", "peak MB", "save s", "load s", "model.skops MB")
    for features in FEATURES:
        _fresh("fit", features, largest)


def fit(features: str, size: str) -> None:
    """Fit one recipe on made-up texts, and print its row of the table."""
    from train.model import files, tfidf_logistic
    from train.records import Example, Recipe

    texts, labels = _texts(int(size))
    rows: list[Any] = [
        Example(sentence_id=str(n), text=text, label=label)
        for n, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    start, before = time.perf_counter(), time.process_time()
    model = tfidf_logistic.fit(Recipe(features=features, c=3.0), rows)
    cpu, wall = time.process_time() - before, time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    with tempfile.TemporaryDirectory(prefix="stance-") as folder:
        start = time.perf_counter()
        files.save(model, Path(folder))
        saved = time.perf_counter()
        files.load_model(Path(folder))
        save, load = saved - start, time.perf_counter() - saved
        size_mb = (Path(folder) / "model.skops").stat().st_size / 1e6
    columns = model.pipelines[""]["logistic"].coef_.shape[1]
    seconds = (f"{value:.0f}" for value in (cpu, wall, peak))
    _row(features, f"{len(rows):,}", f"{columns:,}", *seconds, f"{save:.1f}", f"{load:.1f}", f"{size_mb:.1f}")


def long_texts() -> None:
    """Measure each stage of a training on 7,000 texts of 350 words, which are pairs of near-duplicates."""
    from train.records import Example
    from train.settings import TrainSettings
    from train.train_model import train
    from train.watch import Watch

    rng = random.Random(2)
    texts, labels = _texts(LONG * 20)
    rows: list[Any] = []
    for n in range(LONG // 2):
        words = " ".join(texts[n * 40 : n * 40 + 20]).split()[:350]
        changed = [word if rng.random() > 0.03 else "changed" for word in words]
        for side, told in (("a", words), ("b", changed)):
            name = f"{n}{side}"
            rows.append(Example(sentence_id=name, text=" ".join(told), label=labels[n * 40], group=name))
    times: list[tuple[str, float, float]] = []

    def stage(name: str) -> None:
        times.append((name, time.process_time(), time.perf_counter()))

    with tempfile.TemporaryDirectory(prefix="stance-") as folder:
        train(rows, Path(folder), TrainSettings(), Watch(stage=stage, say=print))
        stage("")
    _table("stage", "CPU s", "wall s")
    for (name, cpu, wall), (_, cpu_end, wall_end) in pairwise(times):
        _row(name, f"{cpu_end - cpu:.0f}", f"{wall_end - wall:.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    _row("all", f"{times[-1][1] - times[0][1]:.0f}", f"{times[-1][2] - times[0][2]:.0f}")
    print(f"\nPeak {peak:.0f} MB")


def semeval() -> None:
    """Print the table of the search, and the scores of the chosen recipe on the test split."""
    from labeling.statistics.intervals import shown
    from train.examples.load import load_examples
    from train.settings import TrainSettings
    from train.train_model import train

    if not (data := os.environ.get("STANCE_TEST_DATA")):
        print("Left out: STANCE_TEST_DATA is not set; it names the folder of the public test data")
        return
    rows = load_examples(Path(data) / "data" / "semeval2016_task6" / "examples.jsonl")
    start, before = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="stance-") as folder:
        metrics = train(rows, Path(folder), TrainSettings()).metrics
    cpu, wall = time.process_time() - before, time.perf_counter() - start
    print(
        f"Search, fit and evaluation: {cpu:.0f} s CPU, {wall:.0f} s; {metrics.cv.repeats} x {metrics.cv.folds} folds\n"
    )
    _table("features", "C", "CV F_avg", "CV macro-F1")
    for trial in metrics.cv.tried:
        _row(trial.recipe.features, f"{trial.recipe.c:g}", f"{trial.f_avg:.4f}", f"{trial.macro_f1:.4f}")
    print()
    _table("test", "F_avg", "macro-F1", "accuracy")
    for name, row in (
        (f"{metrics.cv.features}, C = {metrics.cv.c:g}", metrics.test),
        ("majority", metrics.test.majority),
    ):
        scores = (row.f_avg, row.macro_f1, row.accuracy)
        _row(name, *(shown(score) for score in scores))
    print()
    _table("target", "test examples", "F_avg")
    for target, score in metrics.test.by_target.items():
        _row(target, score.n, f"{score.f_avg:.4f}")
    _row("mean over targets", metrics.test.n, f"{metrics.test.mean_f_avg:.4f}")


if __name__ == "__main__":
    main()
