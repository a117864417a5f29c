"""The tutorial's commands print what the page shows."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from labeling.studio.connection import Server
from tests.conftest import REPO

PAGE = REPO / "docs" / "tutorial.md"


@pytest.mark.slow
def test_every_command_of_the_tutorial_prints_what_the_page_shows(server: Server, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("run_tutorial", REPO / "docs" / "run_tutorial.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shown = PAGE.read_text("utf-8")
    assert _comparable(module.run(shown, tmp_path, server)) == _comparable(shown), "run docs/run_tutorial.py"


def _comparable(page: str) -> str:
    """The page without what differs from run to run: numbers of projects at the server, digests of models."""
    return re.sub(r"model [0-9a-f]{16}\b", "model …", re.sub(r"/projects/\d+/", "/projects/N/", page))
