"""Where the files are that come with the package, such as the pages of the docs that messages name."""

from __future__ import annotations

from pathlib import Path

from corpus.digests import ROOT


def package_file(name: str) -> Path | None:
    """The path of a file or folder that comes with the package; None if this installation lacks it.

    Args:
        name: its path in the repository, such as "docs/labeling.md".
    """
    paths = (ROOT / name, ROOT / "stance_starter" / name)
    return next((path for path in paths if path.exists()), None)
