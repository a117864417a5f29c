"""Releases made for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corpus.records import CorpusSettings
from labeling.codebook import read_codebook
from labeling.records import LabelingSettings
from release.publish import PublishInputs, PublishSummary, publish
from train.settings import PublishSettings, Settings

SETTINGS = PublishSettings(licence="cc-by-4.0", authors=["Ann Author"])


def publish_release(project: Path, out: Path, settings: PublishSettings = SETTINGS, **more: Any) -> PublishSummary:
    codebook = read_codebook(project / "codebook.md")
    inputs = PublishInputs(**{"allow_open": True, **more})
    return publish(project / "work", out, "a target <b>", codebook, settings, inputs=inputs)


SOMEBODYS = Settings(
    corpus=CorpusSettings(root="/home/somebody/news"),
    labeling=LabelingSettings(ignore=["somebody@else.example"], title="Somebody's project"),
    publish=PublishSettings(licence="cc-by-4.0", name="A name"),
)
"""Settings with names that must not appear in a release."""


def publish_somebodys(project: Path, out: Path, standoff: bool = False) -> None:
    codebook = read_codebook(project / "codebook.md")
    inputs = PublishInputs(settings=SOMEBODYS, allow_open=True, standoff=standoff)
    publish(project / "work", out, "a target <b>", codebook, SOMEBODYS.publish, inputs=inputs)
