"""The reference pages are those that the code gives, and leave no command, option or setting out."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import click
import msgspec
import pytest

from stance.command_line import cli
from tests.conftest import REPO
from train.settings import Settings, meaning


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", REPO / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["commands.md", "settings.md", "api.md"])
def test_a_reference_page_is_what_make_docs_writes(generate: ModuleType, name: str) -> None:
    assert (REPO / "docs" / name).read_text("utf-8") == generate.PAGES[name](), "run `make docs`"


def test_every_command_and_option_is_on_the_page_with_its_help_and_default() -> None:
    page = (REPO / "docs" / "commands.md").read_text("utf-8")
    for name, command in cli.commands.items():
        section = page.split(f"## stance {name}\n", 1)[1].split("\n## ", 1)[0]
        for option in command.params:
            if not isinstance(option, click.Option):
                continue
            assert option.help, f"{name} {option.opts}"
            row = next(line for line in section.splitlines() if line.startswith(f"| `{', '.join(option.opts)}"))
            assert option.help.split("|")[0] in row
            default = option.get_default(click.Context(command))
            if isinstance(default, str) and default:
                assert f"`{default}`" in row


def test_every_setting_is_on_the_page_with_its_meaning_and_default() -> None:
    page = (REPO / "docs" / "settings.md").read_text("utf-8")
    for section in Settings.__struct_fields__:
        record = getattr(Settings(), section)
        text = page.split(f"## [{section}]\n", 1)[1].split("\n## ", 1)[0]
        for key, value in msgspec.structs.asdict(record).items():
            row = next(line for line in text.splitlines() if line.startswith(f"| `{key}` |"))
            assert meaning(type(record), key), f"{section}.{key} has no meaning in the docstring"
            assert row.endswith(f"| `{json.dumps(value)}` | {meaning(type(record), key)} |")


def test_the_shell_completes_commands_as_the_page_says() -> None:
    stance = str(Path(sys.executable).with_name("stance"))
    line = (REPO / "docs" / "commands.md").read_text("utf-8")
    assert 'eval "$(_STANCE_COMPLETE=bash_source stance)"' in line
    asked = os.environ | {"_STANCE_COMPLETE": "bash_complete", "COMP_WORDS": "stance pu", "COMP_CWORD": "1"}
    done = subprocess.run([stance], env=asked, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["plain,publish", "plain,pull", "plain,push"]


def test_the_readme_is_short_and_its_road_decides_what_is_open_before_the_training() -> None:
    text = (REPO / "README.md").read_text("utf-8")
    assert len(text.split()) <= 500
    road = text.split("## Use your own articles", 1)[1].split("```")[1]
    commands = re.findall(r"stance (push|pull|adjudicate|train|publish)", road)
    assert commands == ["push", "pull", "adjudicate", "push", "pull", "adjudicate", "train", "publish"]


_PAGES = [*sorted((REPO / "docs").glob("*.md")), REPO / "README.md", REPO / "CONTRIBUTING.md"]
_PACKAGES = "corpus|labeling|train|release|stance|benchmarks|tests|seeds|docs"
_PATH = re.compile(
    rf"(?<![\w/.-])(?:\.\./)?((?:{_PACKAGES})/(?:[\w-]+/)*(?:[\w-]+(?:\.[\w-]+)*\.(?:py|j2|xml|css))?)(?![\w/*])"
)
_MODULE = re.compile(r"(?<![\w/.[])((?:corpus|labeling|train|release|stance|benchmarks)(?:\.[a-z_]\w*)+)(?![\w(])")


def _modules(text: str) -> set[str]:
    """The dotted names that may be modules: those in code, less the names of files such as `stance.toml`."""
    code = " ".join(re.findall(r"`[^`\n]+`|^```.*?^```", text, re.DOTALL | re.MULTILINE))
    return {
        name
        for name in _MODULE.findall(code)
        if name.rsplit(".", 1)[1] not in {"toml", "py", "jsonl", "json", "md", "svg"}
    }


def _is_module_or_member(name: str) -> bool:
    """Whether a dotted name is a module, or a name that its parent module has."""
    with suppress(ModuleNotFoundError):
        if importlib.util.find_spec(name) is not None:
            return True
    parent, member = name.rsplit(".", 1)
    return hasattr(importlib.import_module(parent), member)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    paths = {path for path in _PATH.findall(text) if path.endswith((".py", ".j2", ".xml", ".css"))}
    paths |= set(re.findall(r"`((?:corpus|labeling|train|release|stance)/(?:[\w-]+/)*)`", text))
    assert [path for path in sorted(paths) if not (REPO / path).exists()] == []
    assert [name for name in sorted(_modules(text)) if not _is_module_or_member(name)] == []
