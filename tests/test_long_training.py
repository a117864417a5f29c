"""Training on long texts: that it says what it does and how long it will take, and stops when it is told to."""

from __future__ import annotations

import csv
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from corpus.near_duplicates import normalise
from labeling.scheme import DEFAULT
from tests.support.labelled_texts import WORDS
from train.evaluate.leak_audit import near_among
from train.forecast import forecast
from train.records import Example
from train.settings import TrainSettings
from train.train_model import train
from train.watch import Watch


def _long(count: int, words: int) -> list[Example]:
    """Texts of so many words, which are near-duplicates in pairs; each pair is called two groups."""
    chance = random.Random(4)
    vocabulary = ["".join(chance.choices("etaoinshr", k=7)) for _ in range(4000)]
    rows: list[Example] = []
    for n in range(count // 2):
        label = DEFAULT.names[n % 3]
        text = chance.choices(vocabulary, k=words - 10) + chance.choices(WORDS[label], k=10)
        other = list(text)
        other[chance.randrange(words)] = "changed"
        rows += [
            Example(sentence_id=f"{n}{side}", text=" ".join(told), label=label, group=f"{n}{side}")
            for side, told in (("a", text), ("b", other))
        ]
    return rows


def test_near_duplicates_among_long_texts_are_found_at_once_and_once() -> None:
    rows = _long(40, 120)
    keys = [normalise(row.text) for row in rows]
    found = near_among([*keys, "a short text that stands here twice", "a short text that stands here two times"])
    assert {frozenset(pair[1:]) for pair in found} == {frozenset(keys[n : n + 2]) for n in range(0, 40, 2)}
    assert len(found) == 20
    assert all(value >= 80 for value, *_ in found)


def test_a_forecast_is_made_for_many_letters_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _long(60, 120)
    stages: list[str] = []
    assert forecast(rows[:40], rows[40:], 1, stages.append) == ""
    assert stages == []
    monkeypatch.setattr("train.forecast.LETTERS", 1000)
    said = forecast(rows[:40], rows[40:], 1, stages.append)
    assert said.startswith("this will take about ")
    assert f"{sum(len(row.text) for row in rows[:40]):,} characters" in said
    assert stages == ["measuring how long it will take"]


@pytest.mark.slow
def test_each_stage_is_named_and_its_steps_are_as_many_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = _long(180, 120)
    monkeypatch.setattr("train.model.search.LETTERS", 60_000)
    told: list[tuple[str, list[int], set[int]]] = []

    def step(done: int, total: int) -> None:
        told[-1][1].append(done)
        told[-1][2].add(total)

    done = train(rows, tmp_path, TrainSettings(), Watch(step=step, stage=lambda name: told.append((name, [], set()))))
    assert [name for name, *_ in told] == [
        "looking for near-duplicates",
        "trying recipes",
        "fitting the model",
        "counting n-grams",
        "comparing with random splits",
        "drawing the learning curve",
        "calibrating, and drawing intervals",
        "writing the model",
    ]
    for name, steps, totals in told:
        assert not steps or totals == {sum(steps)}, name
    assert sum(bool(steps) for _, steps, _ in told) == 3
    notes = " ".join(done.analysis.notes)
    assert "the recipe was chosen by one cross-validation on" in notes
    assert "random splits by sentence and by group were compared on" in notes
    assert done.metrics.test.f_avg.value > 0.9
    assert np.isfinite(done.analysis.calibration.temperature)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_stopped_leaves_nothing_running_or_written(tmp_path: Path, sign: signal.Signals) -> None:
    with (tmp_path / "data.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        rows.writerows((row.text, row.label) for row in _long(900, 160))
    command = [str(Path(sys.executable).with_name("stance")), "-C", str(tmp_path), "train", "data.csv", "--out", "m"]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # As at a terminal: a shell's background job, which these tests may be in, has Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as started:
        try:
            assert started.stderr is not None
            assert any(line.startswith("trying recipes") for line in started.stderr)
            started.send_signal(sign)
            assert started.wait(timeout=60) == 128 + sign
        finally:
            started.kill()
    left = [path.parent.name for path in Path("/proc").glob("[0-9]*/stat") if _session(path) == str(started.pid)]
    assert left == []
    assert not (tmp_path / "m").exists()


def _session(path: Path) -> str:
    try:
        return path.read_text().rpartition(")")[2].split()[3]
    except OSError:  # it ended meanwhile
        return ""
