"""Read the lowest quality that the tests accept, from `tests/floors.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path


def floor(section: str, name: str) -> float:
    """One of these lower limits, by its section and name."""
    floors = tomllib.loads((Path(__file__).parent.parent / "floors.toml").read_text("utf-8"))
    return float(floors[section][name])
