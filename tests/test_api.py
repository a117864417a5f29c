"""`import stance`: what it gives, that it loads nothing early, and that it says which file hides our packages."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stance
from corpus.errors import ConfigError
from labeling.scheme import DEFAULT, Stance
from tests.support.libraries import HEAVY
from train.records import Example

WORDS: dict[Stance, tuple[str, ...]] = {
    "favor": ("welcomed", "praised", "supported", "backed", "applauded", "endorsed"),
    "against": ("rejected", "condemned", "opposed", "refused", "attacked", "deplored"),
    "none": ("discussed", "described", "mentioned", "noted", "visited", "measured"),
}


def _examples() -> list[Example]:
    """Texts of random words, unlike each other, one word of which tells the label."""
    rng = random.Random(1)
    return [
        Example(sentence_id=f"{label} {n}", text=f"They {rng.choice(telling)} {text}.", label=label, group=str(n))
        for n in range(40)
        for label, telling in WORDS.items()
        if (text := " ".join("".join(rng.choices("abcdefghijklmnop", k=6)) for _ in range(9)))
    ]


def test_every_name_of_the_design_is_there_and_documented() -> None:
    for name in stance.__all__:
        assert name in dir(stance)
        assert callable(getattr(stance, name))
        assert "Args:" in (getattr(stance, name).__doc__ or "")
    with pytest.raises(AttributeError, match="no attribute 'sentences'; it has cohen_kappa"):
        stance.sentences  # noqa: B018


def test_importing_loads_no_heavy_library() -> None:
    code = "import sys, stance; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "stance" in loaded
    assert not loaded & {*HEAVY, "click", "train", "corpus"}


@pytest.mark.parametrize(
    ("texts", "found"),
    [("We will go.", "one text: put it into a list"), (["We will go.", None], "NoneType at position 1")],
)
def test_one_text_is_not_taken_for_a_list_of_its_characters(finished: Path, texts: Any, found: str) -> None:
    model = stance.load_model(finished / "work" / "model")
    for judge in (stance.near_duplicates, model.predict, model.probabilities):
        with pytest.raises(TypeError, match=f"expected a list of texts; found {found}"):
            judge(texts)


def test_a_language_is_given_as_a_code() -> None:
    assert stance.sentence_spans("It rained. It will rain.") == [(0, 10), (11, 24)]
    assert stance.sentence_spans("Am 3. Mai. Er kam.", "de") == [(0, 10), (11, 18)]
    with pytest.raises(ConfigError, match="found 'English'"):
        stance.sentence_spans("It rained.", language="English")


def test_splitting_training_and_predicting_in_python(tmp_path: Path) -> None:
    rows = stance.split(_examples(), test=0.25)
    assert {row.split for row in rows} == {"train", "validation", "test"}
    assert [row.sentence_id for row in rows] == [row.sentence_id for row in _examples()]
    done = stance.train(rows, tmp_path / "model", jobs=1)
    assert 0 <= done.metrics.test.f_avg.value <= 1
    model = stance.load_model(str(tmp_path / "model"))
    texts = [row.text for row in rows if row.split == "test"]
    chances = model.probabilities(texts)
    assert chances.shape == (len(texts), 3)
    assert np.allclose(chances.sum(axis=1), 1)
    assert model.predict(texts) == [DEFAULT.names[n] for n in chances.argmax(axis=1)]


HIDERS = {
    "train.py": "print('the wrong train ran')\n",
    "corpus/__init__.py": "print('the wrong corpus ran')\n",
    "labeling.py": "print('the wrong labeling ran')\n",
}
# A notebook's kernel starts with its own arguments, puts "" on the path, and then runs the user's cells.
KERNEL = (
    "import sys; sys.argv = ['ipykernel_launcher.py', '-f', 'kernel.json']; sys.path.insert(0, '')\n"
    "exec('import stance')\n"
)


@pytest.mark.parametrize("name", HIDERS)
@pytest.mark.parametrize("start", [["-c", "import stance"], ["-c", KERNEL], ["script.py"]])
def test_a_file_of_the_users_that_hides_a_package_is_named_and_not_run(
    start: list[str], name: str, tmp_path: Path
) -> None:
    hider = tmp_path / name
    hider.parent.mkdir(exist_ok=True)
    hider.write_text(HIDERS[name])
    (tmp_path / "script.py").write_text("import stance\n")
    done = subprocess.run([sys.executable, *start], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "ran" not in done.stdout
    package = name.split("/")[0].removesuffix(".py")
    assert f"ImportError: {hider}" in done.stderr
    assert f"hides the package `{package}` that stance needs: rename it, or start Python in another" in done.stderr


def test_a_package_of_the_users_that_is_imported_already_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("STEPS = 3\n")
    code = "import train, stance"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert f"{tmp_path / 'train.py'} (it is imported already) hides the package `train`" in done.stderr


def test_a_folder_without_python_files_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "notes.txt").write_text("")
    code = "import stance; print(stance.sentence_spans('It rained.'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "[(0, 10)]\n"
