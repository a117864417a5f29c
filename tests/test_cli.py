"""The front door: exit codes, one message each, the project file."""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest

from corpus.digests import ROOT
from corpus.errors import ConfigError
from corpus.records import CorpusSettings
from labeling.records import LabelingSettings, Target
from labeling.scheme import DEFAULT
from stance.command_line import main
from tests.conftest import NEWS
from tests.support.terminal import at_terminal
from train.settings import Settings, meaning, read_settings
from train.starter import BEGINNING

STANCE = str(Path(sys.executable).with_name("stance"))


ENVIRONMENT = {"PATH": str(Path(sys.executable).parent)}


def _program(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Run the installed program."""
    done = subprocess.run([STANCE, *arguments], capture_output=True, text=True, cwd=cwd, env=ENVIRONMENT)
    return done.returncode, done.stdout, done.stderr


def _run(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Do what the program does, in this process, which has imported already what takes the program a second."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: object = 0
    with (
        pytest.MonkeyPatch.context() as patched,
        patch.dict(os.environ, ENVIRONMENT, clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patched.chdir(cwd)
        patched.setattr(sys, "argv", ["stance", *arguments])
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    written = []
    for stream in (out, err):
        stream.seek(0)
        written.append(stream.read())
    assert isinstance(code, int)
    return code, written[0], written[1]


def test_init_writes_what_a_beginner_needs_and_a_codebook(tmp_path: Path) -> None:
    code, out, err = _run("init", "my project", "--target", "a new tunnel", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "wrote my project/stance.toml\n" in out
    assert "next: `cd 'my project'`, put your articles into the folder news (texts, web pages," in out
    folder = tmp_path / "my project"
    text = (folder / "stance.toml").read_text("utf-8")
    written = tomllib.loads(text)
    assert {section: tuple(keys) for section, keys in written.items()} == BEGINNING
    for section, keys in BEGINNING.items():
        for key in keys:
            assert meaning(type(getattr(Settings(), section)), key) in text
    assert written["labeling"]["title"] == "Stance my project"
    # What is written is what holds without it, but for the target, the title and the folder of the articles.
    given = read_settings(folder, required=True)
    replace = msgspec.structs.replace
    assert given == replace(
        Settings(),
        target=Target(name="a new tunnel"),
        corpus=CorpusSettings(root="news"),
        labeling=LabelingSettings(title="Stance my project"),
    )
    codebook = (folder / "codebook.md").read_text("utf-8")
    assert codebook.startswith("# Codebook: stance toward a new tunnel\n")
    assert "\nTarget: a new tunnel\n" in codebook
    assert "your target" not in codebook.replace("your target:", "").replace("your target and", "")[:200]
    code, _, err = _run("init", "my project", cwd=tmp_path)
    assert code == 1
    assert "is there already; nothing was written" in err
    # On a terminal, nothing is asked before that.
    terminal, end = pty.openpty()
    command = [STANCE, "init", "my project"]
    done = subprocess.run(command, cwd=tmp_path, stdin=end, capture_output=True, text=True, timeout=60, check=False)
    os.close(terminal)
    os.close(end)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("stance: my project/stance.toml is there already")


def test_the_codebook_of_own_labels_names_them_wherever_one_is_chosen(tmp_path: Path) -> None:
    assert _run("init", "--target", "the claim", "--labels", "true,false,open", cwd=tmp_path)[0] == 0
    codebook = (tmp_path / "codebook.md").read_text("utf-8")
    assert "| `open` | 3 |" in codebook
    assert "{{which label: `true`, `false` or `open`}}" in codebook
    assert not re.search(r"\{\{which label\}\}|favor|\{\{your target", codebook)
    assert read_settings(tmp_path, required=True).labels.names == ["true", "false", "open"]


@pytest.mark.parametrize("target", ["two\nlines", "{{your target}}", "a }} b"])
def test_a_target_that_no_page_could_show_is_wrong_usage(tmp_path: Path, target: str) -> None:
    code, _, err = _run("init", "--target", target, cwd=tmp_path)
    assert code == 2
    assert "--target: expected one line of text without double braces" in " ".join(err.split())
    assert not list(tmp_path.iterdir())


def test_init_asks_two_questions_at_a_terminal(tmp_path: Path) -> None:
    typed = 'a "new" tunnel\none\nyes, no\n'  # one label is too few: asked again
    said = at_terminal([STANCE, "init", "asked"], tmp_path, typed)
    assert "What is the stance toward?" in said
    assert said.count("Which labels do annotators choose from?") == 2
    assert "names: expected 2 to 9 labels" in said
    found = read_settings(tmp_path / "asked", required=True)
    assert (found.target.name, found.labels.names) == ('a "new" tunnel', ["yes", "no"])
    said = at_terminal([STANCE, "init", "told", "--target", "x"], tmp_path, "")
    assert "?" not in said
    at_terminal([STANCE, "init", "default"], tmp_path, "\n\n")
    found = read_settings(tmp_path / "default", required=True)
    assert (found.target.name, found.labels) == ("", DEFAULT)


def test_a_missing_project_file_is_one_message(tmp_path: Path) -> None:
    code, out, err = _program("push", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert err == "stance: stance.toml is not there: name a project with -C, or make one with `stance init`\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[labeling\n", "Expected ']'"),
        ("[labelling]\n", r"line 1: there is no section \[labelling\]"),
        ("[labeling]\noverlaps = 2\n", r"line 2: \[labeling\] has no key overlaps"),
        ('[labeling]\noverlap = "2"\n', r"line 2: labeling\.overlap: expected a whole number; found \"2\""),
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
        code, _, err = _program(*arguments, cwd=tmp_path)
        assert code == 2
        assert "Usage: stance" in err


def test_build_counts_the_articles_without_an_outlet(tmp_path: Path) -> None:
    (tmp_path / "news").mkdir()
    rows = ["id,title,outlet,text"]
    rows += [f"a{n},Title {n},{'' if n else 'Gazette'},The minister spoke of {n} bills." for n in range(3)]
    (tmp_path / "news" / "all.csv").write_text("\n".join(rows) + "\n")
    code, out, _ = _run("build", "news", "--out", "tables", cwd=tmp_path)
    assert code == 0
    assert "\n2 of 3 articles have no outlet; no article has a date; a table articles.csv beside the files" in out


def test_build_says_what_the_table_that_it_read_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "news").mkdir()
    for n in range(3):
        (tmp_path / "news" / f"{n}.txt").write_text(f"The minister spoke of {n} bills.\n")
    (tmp_path / "news" / "articles.csv").write_text("file,outlet,title\n0.txt,Gazette,\n1.txt,,Bills\n")
    _, out, _ = _run("build", "news", "--out", "tables", cwd=tmp_path)
    assert (
        "\n2 of 3 articles have no outlet; 2 of 3 articles have no title (a headline in the text is not taken for it); "
        "no article has a date; articles.csv was read, and gives none for them\n"
    ) in out
    (tmp_path / "news" / "articles.csv").write_text("file,outlet\n0.txt,A\n1.txt,A\n2.txt,A\n")
    _, out, _ = _run("build", "news", "--out", "tables", cwd=tmp_path)
    assert "\nno article has a title (a headline in the text is not taken for it); no article has a date" in out


def test_build_works_without_a_project_file(tmp_path: Path) -> None:
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "bill.txt").write_text(NEWS["sentinel/bill"])
    code, out, err = _program("build", "news", "--out", "tables", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "4 sentences in 1 article\n" in out
    assert "\nno article has an outlet; no article has a title (a headline in the text is not taken for it); no" in out
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
        (["push"], "run `stance build` first"),
        (["status"], "run `stance build` first"),
        (["adjudicate"], "run `stance pull` first"),
        (["train"], "run `stance adjudicate` first"),
        (["predict"], "work/model/model.json is not there: run `stance train` first"),
        (["predict", "nowhere", "empty", "--out", "new.csv"], "nowhere/model.json is not there"),
        (["predict", "nowhere", "empty", "--out", "new.txt"], "expected a file that ends in .parquet, .csv or .jsonl"),
        (["publish"], "codebook.md is not there"),
        (["publish", "--check", "empty"], "empty"),
        (["hydrate", "empty", "--articles", "empty", "--out", "text"], "empty"),
        (["predict", "nowhere", "empty", "--out", "archive"], "nowhere/model.json is not there"),
        (["report"], "run `stance build` first"),
        (["export"], "run `stance build` first"),
        (["backend", "nowhere"], "nowhere/model.json is not there"),
        (["demo"], "stance.toml is of a project of its own: run the demo in an empty folder"),
        (["-C", "nowhere", "status"], "nowhere: No such file or directory"),
    ],
)
def test_a_stage_that_cannot_run_says_what_to_do(
    tmp_path: Path,
    command: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "stance.toml").write_text("")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    # As the process does it, in this one: some of these commands import for seconds before they find what is missing.
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")  # the command sets it
    monkeypatch.setattr(sys, "argv", ["stance", *command])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (1, "")
    assert message in err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


def test_every_command_of_the_design_is_there(tmp_path: Path) -> None:
    code, out, _ = _run("--help", cwd=tmp_path)
    assert code == 0
    names = "init fetch build serve push pull status adjudicate train predict publish hydrate report doctor demo"
    for command in names.split():
        assert f"  {command} " in out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["build"], "expected SOURCES: files or folders of articles"),
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


@pytest.mark.parametrize(
    "command",
    [["build", "news"], ["build"], ["status"], ["train", "labels.csv"]],
)
def test_a_command_that_misses_something_says_that_there_is_no_project(tmp_path: Path, command: list[str]) -> None:
    code, _, err = _run(*command, cwd=tmp_path)
    assert code != 0
    if command != ["status"]:  # which says by itself that stance.toml is not there
        assert "\nstance: there is no project in this folder: it has no stance.toml. -C names the folder" in err
    (tmp_path / "my project").mkdir()
    (tmp_path / "my project" / "stance.toml").write_text("")
    elsewhere = "there is a project in my project: `cd 'my project'` before the command\n"
    assert _run(*command, cwd=tmp_path)[2].endswith(elsewhere)
    assert "project" not in _run("build", "gone", cwd=tmp_path / "my project")[2]
    for look in ([], ["doctor"]):
        assert elsewhere in _run(*look, cwd=tmp_path)[1]


def test_a_command_in_a_folder_of_a_project_names_the_project(tmp_path: Path) -> None:
    inner = tmp_path / "mine" / "news" / "2031"
    inner.mkdir(parents=True)
    (tmp_path / "mine" / "stance.toml").write_text("")
    said = "this folder is in the project mine: `cd ../..` before the command\n"
    err = _run("status", cwd=inner)[2]
    assert "stance.toml is not there: name a project with -C, or make one with `stance init`" in err
    assert err.endswith(said)
    for look in ([], ["doctor"]):
        assert said in _run(*look, cwd=inner)[1]
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "mine")
    assert "project mine" not in _run("status", cwd=inner)[2]


def test_a_clone_of_stance_is_not_named_as_a_project(tmp_path: Path) -> None:
    (tmp_path / "stance").mkdir()
    (tmp_path / "stance" / "stance.toml").write_text("")
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "stance")
    assert "there is a project" not in _run(cwd=tmp_path)[1]
    assert "there is a project" not in _run("status", cwd=tmp_path)[2]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "stance.toml").write_text("")
    (tmp_path / "mine" / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    assert "there is a project in mine: `cd mine`" in _run(cwd=tmp_path)[1]


def test_a_command_that_needs_no_project_does_not_ask_for_one(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    code, _, err = _run("publish", "--check", "release", cwd=tmp_path)
    assert code == 1
    assert "is not there: expected a folder that `stance publish` wrote" in err
    assert "project" not in err
    shutil.copytree(ROOT / "seeds" / "standoff", tmp_path / "dataset")
    for command in (
        ["fetch", "urls.csv", "--out", "pages"],
        ["hydrate", "dataset", "--articles", "text", "--out", "whole"],
        ["hydrate", "gone", "--articles", "text", "--out", "whole"],
    ):
        code, _, err = _run(*command, cwd=tmp_path)
        assert code == 1
        assert "project" not in err
