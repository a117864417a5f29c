"""What annotators are asked: no template's target or codebook is ever sent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigError
from labeling.codebook import Codebook, read_codebook
from labeling.scheme import DEFAULT, Scheme
from labeling.studio.connection import Server
from labeling.sync.question import TEMPLATE, Demo, check_question, target_line, template
from tests.conftest import NEWS, REPO, Run
from train.settings import read_settings
from train.starter import demo_question, write_project

TRUMP = "President Donald Trump"
DEMO = demo_question()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Run]:
    """A project as `stance init` makes it, with a corpus, and no server."""
    folder = tmp_path / "fresh"
    write_project(folder)
    (folder / "news").mkdir()
    (folder / "news" / "bill.txt").write_text(NEWS["sentinel/bill"], "utf-8")
    here = Path.cwd()
    run = Run(folder)
    run("build", "news")
    yield run
    os.chdir(here)


def _name(project: Path, target: str) -> int:
    """Give a project its target; the number of the line that names it."""
    path = project / "stance.toml"
    text = re.sub(r'(\[target\]\n(?:#.*\n)*name = )".*"', rf'\1"{target}"', path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    return text[: text.index(f'name = "{target}"')].count("\n") + 1


def _check(target: str, text: str, settings: Path = Path("nowhere.toml"), demo: Demo | None = DEMO) -> None:
    check_question(settings, target, Path("codebook.md"), Codebook(text=text, version="1"), demo)


@pytest.mark.parametrize("more", [("--dry-run",), ("--limit", "2"), ("--to", "tasks.json")])
def test_an_unedited_project_sends_nothing_and_names_the_line(
    fresh: Run, server: Server, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
    line = _name(fresh.project, "")
    with pytest.raises(ConfigError, match=rf"^stance\.toml, line {line}: \[target\] name is empty: write what"):
        fresh("push", *more)
    _name(fresh.project, TRUMP)
    with pytest.raises(
        ConfigError, match=r"^codebook\.md, lines 1, 5, 7, .*: put your own rules .* first at “\{\{your"
    ):
        fresh("push", *more)
    assert not (fresh.project / "tasks.json").exists()
    assert not (fresh.project / "labels" / "sample.parquet").exists()


def test_every_place_of_the_template_has_to_be_filled_in(fresh: Run) -> None:
    line = _name(fresh.project, TRUMP)
    path = fresh.project / "codebook.md"
    places = re.findall(r"\{\{.*?\}\}", path.read_text("utf-8"))
    assert len(places) > 5
    for left in range(len(places), 0, -1):
        assert path.read_text("utf-8").count("{{") == left
        text = path.read_text("utf-8")
        lines = [str(number) for number, written in enumerate(text.split("\n"), 1) if "{{" in written]
        named = f"lines {', '.join(lines)}:" if len(lines) > 1 else f"line {lines[0]}:"
        with pytest.raises(ConfigError, match=rf"^codebook\.md, {named} put your own rules"):
            fresh("push", "--to", "tasks.json")
        path.write_text(text.replace(next(iter(re.findall(r"\{\{.*?\}\}", text))), TRUMP, 1), "utf-8")
    assert "wrote tasks.json" in fresh("push", "--to", "tasks.json")
    path.write_text(path.read_text("utf-8").replace(f"Target: {TRUMP}", "**Target:** the new tunnel"), "utf-8")
    number = path.read_text("utf-8").splitlines().index("**Target:** the new tunnel") + 1
    said = rf"^codebook\.md, line {number}: the codebook is for the target 'the new tunnel', and \[target\] name is "
    with pytest.raises(ConfigError, match=said + rf"'{TRUMP}' \(stance\.toml, line {line}\)"):
        fresh("push", "--to", "tasks.json")


def test_the_template_is_about_no_target() -> None:
    text = TEMPLATE.read_text("utf-8")
    assert not re.search(r"troop|soldier|concord|karsova|ukraine|war\b|arms\b", text, re.IGNORECASE)
    assert read_codebook(TEMPLATE).version == "1.0"
    filled = re.sub(r"\{\{.*?\}\}", TRUMP, text)
    _check(TRUMP, filled)


@pytest.mark.parametrize("target", ["", "  ", "\n"])
def test_a_blank_target_is_refused(target: str) -> None:
    with pytest.raises(ConfigError, match=r"^nowhere\.toml: there is no \[target\] with a name: write what"):
        _check(target, "# Codebook\n\nVersion 1\n")


def test_a_project_that_names_no_target_is_refused(stance: Run, server: Server) -> None:
    path = stance.project / "stance.toml"
    path.write_text(re.sub(r"\[target\]\nname = .*\n", "", path.read_text("utf-8")), "utf-8")
    stance("build", "news")
    with pytest.raises(ConfigError, match=r"^stance\.toml: there is no \[target\] with a name"):
        stance("push")


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text,
        lambda text: text.replace("Version 1.0", "Version 1.1"),
        lambda text: text.replace("sending Concord troops to Karsova", TRUMP).replace("a target", TRUMP),
        lambda text: text.replace("Concord", "alliance").replace("Karsova", "elsewhere"),
        lambda text: "\n".join(line for line in text.splitlines() if "Concord" not in line),
        lambda text: re.sub(r"(?<=\w) (?=\w)", "\n", text),  # wrapped otherwise
        lambda text: text.upper(),
        lambda text: text.replace("`", "**").replace("*", "_"),
        lambda text: "# My rules\n\nVersion 2\n\n" + text[text.index("2. **Arms instead of troops") :][:200],
    ],
)
def test_the_demos_codebook_is_refused_for_another_target(edit: object) -> None:
    assert DEMO is not None
    text = edit(DEMO.codebook)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=r"^codebook\.md, line \d+: “.*” is from the demo's codebook") as told:
        _check(TRUMP, text)
    line = int(re.findall(r"line (\d+)", str(told.value))[0])
    assert re.search("concord|karsova|troops|sending", "\n".join(text.splitlines()[line - 1 : line + 7]), re.IGNORECASE)


@pytest.mark.parametrize("target", ["sending Concord troops to Karsova", "Sending Concord troops to Karsova, now"])
def test_the_demos_codebook_is_accepted_for_its_own_target(target: str) -> None:
    assert DEMO is not None
    _check(target, DEMO.codebook)
    settings = read_settings(REPO, required=True)
    codebook = REPO / settings.labeling.codebook
    check_question(REPO / "stance.toml", settings.target.name, codebook, read_codebook(codebook), DEMO)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("sending Western troops to Ukraine", (REPO / "seeds" / "standoff" / "codebook.md").read_text("utf-8")),
        ("sending NATO troops", "Arms instead of troops: `against` when the sentence sets one against the other."),
        (TRUMP, "One sentence, read in its article. The label is for the marked sentence alone."),
        ("a tunnel", "Target: a tunnel under the strait, in any form"),
        ("a tunnel under the strait", "- **Target**: *A tunnel*."),
        (TRUMP, "The target is named in stance.toml."),
        (TRUMP, "1. Not about the\ntarget: `none`, however strongly worded."),
        ("a tunnel", ""),
    ],
)  # fmt: skip
def test_a_codebook_of_ones_own_is_accepted(target: str, text: str) -> None:
    _check(target, f"# Codebook\n\nVersion 1\n\n{text}\n")


@given(
    before=st.lists(st.sampled_from(['[corpus]\nroot = "x"', "# [target]", "[publish]\nname = 'y'", ""]), max_size=4),
    spaced=st.sampled_from(["name = ''", '  name=""', '"name" = "z"', "# why\nname = 'w'"]),
)
def test_the_line_of_the_target_is_found_wherever_it_stands(before: list[str], spaced: str) -> None:
    text = "\n".join([*before, "[target]", spaced, "[labeling]", "title = 'name = 1'"])
    line = target_line(text)
    assert line is not None
    assert "name" in text.splitlines()[line - 1]
    assert text.splitlines()[:line].count("[target]") == 1
    assert target_line('target.name = "x"\n') == 1
    assert target_line('target = { name = "x" }\n') == 1
    assert target_line("[labeling]\nname = 3\n") is None


def test_init_says_what_to_edit(tmp_path: Path) -> None:
    from stance.command_line import cli

    said = CliRunner().invoke(cli, ["init", str(tmp_path / "new")]).output
    assert "stance.toml: give your target there, as [target] name" in said
    assert "codebook.md: put your own rules where it has double braces" in said
    assert "[target]\n# the target in the words that annotators read" in (tmp_path / "new" / "stance.toml").read_text(
        "utf-8"
    )
    named = CliRunner().invoke(cli, ["init", str(tmp_path / "named"), "--target", TRUMP]).output
    assert "give your target" not in named


@pytest.mark.parametrize("labels", [DEFAULT, Scheme(names=["support", "deny", "query"])])
def test_a_template_that_was_given_its_target_still_has_to_be_filled_in(labels: Scheme) -> None:
    text = template(labels, TRUMP).decode()
    assert f"Target: {TRUMP}\n" in text
    page = re.search(r"\((\S+) shows how\)", text)
    assert page
    assert Path(page[1]).is_absolute()
    assert Path(page[1]).read_text("utf-8").startswith("# Labeling")
    with pytest.raises(ConfigError, match="wherever the template still has double braces"):
        _check(TRUMP, text)
    _check(TRUMP, re.sub(r"\{\{.*?\}\}", "as we say", text))
