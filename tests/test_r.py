"""The page on R runs: each block whose packages are there, on a real export. Without R there is nothing to test."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.store import read_jsonl, table_path
from labeling.machine.answers import write_answers
from labeling.machine.records import MachineAnswer
from labeling.records import Annotation
from labeling.sampling.sample_table import Draw, write_sample
from labeling.statistics.agreement import krippendorff_alpha
from labeling.votes import latest_votes
from tests.conftest import REPO, copy_tables
from tests.support.commands import run_command
from train.predict.formula_cells import defused

BLOCKS = re.findall(r"```r\n(.*?)```", (REPO / "docs" / "r.md").read_text("utf-8"), re.S)


@cache
def installed() -> frozenset[str]:
    """The packages of R on this computer; none where R is not there."""
    program = shutil.which("Rscript")
    if program is None:
        return frozenset()
    asked = "cat(rownames(installed.packages()), sep = '\\n')"
    return frozenset(subprocess.run([program, "-e", asked], capture_output=True, text=True, check=True).stdout.split())


def needed(block: str) -> list[str]:
    return re.findall(r"^library\((\w+)\)", block, re.M)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory, _finished: tuple[Path, dict[str, str]]) -> Path:
    """A folder with the files that the page reads, of a project with a random round and a machine coder."""
    finished, project = _finished[0], tmp_path_factory.mktemp("r")
    copy_tables(finished / "work", project / "work")
    for name in ("stance.toml", "codebook.md"):
        shutil.copy(finished / name, project / name)
    ids = pq.read_table(project / "work" / "sentences.parquet")["sentence_id"].to_pylist()
    draws = [Draw(sentence_id=key, round=1, by="random", probability=0.5) for key in ids[::2]]
    write_sample(project / "work", draws)
    rows = [
        MachineAnswer(sentence_id=key, stance="against" if n % 3 else "none", coder="robot", model="m", prompt="p")
        for n, key in enumerate(ids)
    ]
    write_answers(project / "work", rows)
    run_command(project, "predict")
    for options in (["sentences.csv"], ["sentences.parquet"], ["answers.csv", "--long"]):
        run_command(project, "export", "--to", *options)
    return project


def run_r(folder: Path, code: str) -> str:
    (folder / "page.R").write_text(code, "utf-8")
    done = subprocess.run(["Rscript", "--vanilla", "page.R"], cwd=folder, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_block_names_its_packages_first() -> None:
    assert [needed(block) for block in BLOCKS] == [
        ["readr"],
        ["arrow"],
        ["readr", "irr"],
        ["readr", "quanteda"],
        ["readr", "dsl"],
    ]


RUNNABLE = [block for block in BLOCKS if set(needed(block)) <= installed()]
"""The blocks whose packages are there. Without any, there is no such test: in CI, a skip counts as a failure."""

if RUNNABLE:

    @pytest.mark.parametrize("block", RUNNABLE, ids=lambda block: needed(block)[-1])
    def test_a_block_of_the_page_runs(exports: Path, block: str) -> None:
        printed = run_r(exports, block)
        assert "favor" in printed or "Krippendorff" in printed or "against" in printed


if {"readr", "irr"} <= installed():

    def test_irr_gives_the_alpha_that_stance_gives(exports: Path) -> None:
        printed = run_r(exports, BLOCKS[2] + 'cat("ALPHA", kripp.alpha(ratings)$value)')
        votes = latest_votes(read_jsonl(table_path(exports / "work", "annotations.jsonl"), Annotation, ""))
        ours = krippendorff_alpha([list(row.values()) for row in votes.values()])
        assert float(printed.rsplit("ALPHA", 1)[1]) == pytest.approx(ours, abs=1e-6)


if "readr" in installed():

    def test_texts_are_restored_as_they_were(tmp_path: Path) -> None:
        texts = ["=1+1 he wrote on Monday.", "'=1", "plain", "- so he said", "'tis", "-1"]
        safe, _ = defused(pa.array(texts))
        (tmp_path / "safe.txt").write_text("\n".join(safe.to_pylist()) + "\n", "utf-8")
        line = next(line for line in BLOCKS[0].splitlines() if line.startswith("restore <- "))
        code = f'{line}\ncat(restore(readLines("safe.txt", encoding = "UTF-8")), sep = "\\n")'
        assert run_r(tmp_path, code).splitlines() == texts
