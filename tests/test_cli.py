"""The front door: exit codes, one message each, the project file."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from corpus.errors import ConfigError
from tests.conftest import NEWS
from train.settings import Settings, read_settings

STANCE = str(Path(sys.executable).with_name("stance"))


def _run(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    environment = {"PATH": str(Path(sys.executable).parent)}
    done = subprocess.run([STANCE, *arguments], capture_output=True, text=True, cwd=cwd, env=environment)
    return done.returncode, done.stdout, done.stderr


def test_init_writes_every_key_with_its_value_and_a_codebook(tmp_path: Path) -> None:
    code, out, err = _run("init", "my project", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "wrote my project/stance.toml" in out
    folder = tmp_path / "my project"
    text = (folder / "stance.toml").read_text("utf-8")
    # Tables within a section are named, to be added: TOML takes each of them only once.
    written = tomllib.loads(text.replace("# [corpus.", "[corpus."))
    expected = msgspec.to_builtins(Settings())
    assert {section: set(keys) for section, keys in written.items()} == {
        section: set(keys) for section, keys in expected.items()
    }
    assert [section for section, keys in written.items() if "title" in keys] == ["labeling"]
    assert written["labeling"]["title"] == "Stance my project"
    assert read_settings(folder, required=True).target.name == ""
    assert (folder / written["labeling"]["codebook"]).read_text("utf-8").startswith("# Codebook")
    code, _, err = _run("init", "my project", cwd=tmp_path)
    assert code == 1
    assert "is there already; nothing was written" in err


def test_a_missing_project_file_is_one_message(tmp_path: Path) -> None:
    code, out, err = _run("push", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err == "stance: stance.toml is not there: run `stance init` here, or name the project with -C\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[labeling\n", "Expected ']'"),
        ("[labelling]\n", r"line 1: there is no section \[labelling\]"),
        ("[labeling]\noverlaps = 2\n", r"line 2: \[labeling\] has no key overlaps"),
        ('[labeling]\noverlap = "2"\n', r"line 2: labeling\.overlap: expected `int`, got `str`"),
        ("[labeling]\noverlap = 0\n", "at least one annotator a sentence; got 0"),
        ('[labeling]\ntitle = "x"\n', "3 to 50 characters"),
        ("[train]\ntest = 1.5\n", "leave some for training"),
    ],
)
def test_a_malformed_project_file_says_where(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "stance.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_settings(tmp_path, required=True)


def test_wrong_usage_is_exit_code_2(tmp_path: Path) -> None:
    for arguments in (
        ["build"],
        ["frobnicate"],
        ["push", "--no-such-option"],
        ["predict", "model"],
        ["predict", "--out", "a.csv"],
    ):
        code, _, err = _run(*arguments, cwd=tmp_path)
        assert code == 2
        assert "Usage: stance" in err


def test_build_works_without_a_project_file(tmp_path: Path) -> None:
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "bill.txt").write_text(NEWS["sentinel/bill"])
    code, out, err = _run("build", "news", "--out", "tables", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "1 articles (1 newly cut), 4 sentences" in out
    assert sorted(path.name for path in (tmp_path / "tables").glob("*.parquet")) == [
        "articles.parquet",
        "sentences.parquet",
        "spans.parquet",
    ]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["build", "empty"], "empty: no article found"),
        (["build", "gone"], "gone: no such file or folder"),
        (["push"], "no Label Studio server is known"),
        (["status"], "run `stance build` first"),
        (["adjudicate"], "run `stance pull` first"),
        (["train"], "run `stance adjudicate` first"),
        (["predict"], "work/model/model.json is not there: run `stance train` first"),
        (["predict", "nowhere", "empty", "--out", "new.csv"], "nowhere/model.json is not there"),
        (["predict", "nowhere", "empty", "--out", "new.txt"], "expected a file that ends in .parquet, .csv, .jsonl"),
        (["publish"], "codebook.md is not there"),
        (["publish", "--check", "empty"], "empty"),
        (["hydrate", "empty", "--articles", "empty", "--out", "text"], "empty"),
        (["predict", "nowhere", "empty", "--out", "archive"], "nowhere/model.json is not there"),
        (["report"], "run `stance build` first"),
        (["demo"], "stance.toml is of a project of its own: run the demo in an empty folder"),
        (["-C", "nowhere", "status"], "nowhere: No such file or directory"),
    ],
)
def test_a_stage_that_cannot_run_says_what_to_do(tmp_path: Path, command: list[str], message: str) -> None:
    (tmp_path / "stance.toml").write_text("")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = _run(*command, cwd=tmp_path)
    assert (code, out) == (1, "")
    assert message in err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


def test_every_command_of_the_design_is_there(tmp_path: Path) -> None:
    code, out, _ = _run("--help", cwd=tmp_path)
    assert code == 0
    for command in "init build serve push pull status adjudicate train predict publish hydrate report demo".split():
        assert f"  {command} " in out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["build", "news", "--engine", "spark"], "--engine spark needs --address"),
        (["build", "news", "--address", "local[2]"], "local has none"),
        (["build", "news", "--engine", "spark", "--address", "local[2]", "--workers", "2"], "--workers is for"),
        (["predict", "model", "news", "--out", "new.csv", "--workers", "2"], "are for archives"),
        (["predict", "model"], "expected MODEL, SOURCES and --out"),
        (["publish", "--tag"], "need --repo ORG/NAME"),
        (["publish", "--model", "--repo", "a/b", "--standoff"], "--model uploads a model"),
        (["publish", "--repo", "a/b", "--dataset", "a/b"], "--dataset needs --model"),
    ],
)
def test_options_that_mean_nothing_together_are_wrong_usage(tmp_path: Path, command: list[str], message: str) -> None:
    code, out, err = _run(*command, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert not list(tmp_path.iterdir())
