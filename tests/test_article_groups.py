"""How many groups the articles form, and what a project of few groups is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corpus.build import BuildSummary, build
from corpus.messages import built
from corpus.rebuild.last_build import article_groups
from corpus.records import CorpusSettings
from tests.conftest import Run
from train.model.search import FOLDS
from train.settings import FEWEST_GROUPS

SHARED = "The harbour council voted on Monday to close the old bridge to lorries."
OWN = (
    "Twelve farmers met in the town hall to talk about the price of wheat.",
    "A ferry with three hundred passengers ran aground off the southern cape.",
    "The museum will show paintings that were thought lost since the great fire.",
    "Teachers in the capital want smaller classes before the winter term begins.",
    "Snow fell on the passes early this year, and two of them stay shut.",
)


def _write(folder: Path, texts: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts):
        (folder / f"{number}.txt").write_text(text, "utf-8")


def _texts() -> list[str]:
    """Five articles, of which the first and the second share a sentence, and the second and the third another one."""
    near = SHARED.replace("bridge to", "bridge to all")
    other = "Nobody at the ministry of transport would say when the road opens again."
    return [f"{OWN[0]} {SHARED}", f"{OWN[1]} {near} {other}", f"{OWN[2]} {other}", OWN[3], OWN[4]]


def _build(folder: Path) -> BuildSummary:
    return build([str(folder / "news")], folder / "work", CorpusSettings(root=str(folder / "news")))


def test_articles_that_share_a_sentence_are_one_group_also_after_a_small_change(tmp_path: Path) -> None:
    texts = _texts()
    _write(tmp_path / "news", texts)
    done = _build(tmp_path)
    assert (done.articles, done.groups) == (5, 3)
    assert built(done, tmp_path / "work")[0] == (
        "9 sentences in 5 articles of 3 groups: articles that share a sentence, or nearly the same one, are one group, "
        "which a training keeps together"
    )
    assert article_groups(tmp_path / "work") == 3
    assert _build(tmp_path).groups == 3
    _write(tmp_path / "news", [*texts[:2], *texts[3:]])
    (tmp_path / "news" / "4.txt").unlink()
    assert _build(tmp_path).groups == article_groups(tmp_path / "work") == 3


def test_articles_that_share_nothing_are_groups_of_their_own(tmp_path: Path) -> None:
    texts = _texts()
    _write(tmp_path / "news", texts[3:])
    line = built(_build(tmp_path), tmp_path / "work")[0]
    assert line == "2 sentences in 2 articles, each a group of its own: no two of them share a sentence"
    _write(tmp_path / "one", texts[:1])
    done = build([str(tmp_path / "one")], tmp_path / "other", CorpusSettings(root=str(tmp_path)))
    assert built(done, tmp_path / "other")[0] == "2 sentences in 1 article"


def test_a_training_needs_a_group_to_test_on_beside_the_folds() -> None:
    assert FEWEST_GROUPS == FOLDS + 1


@pytest.mark.parametrize("number", [1, FEWEST_GROUPS - 1, FEWEST_GROUPS])
def test_too_few_groups_for_a_training_are_told_before_anybody_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    run = Run(tmp_path)
    run("init", "--target", "a new tunnel")
    path = tmp_path / "codebook.md"
    path.write_text(re.sub(r"\{\{.*?\}\}", "a new tunnel", path.read_text("utf-8")), "utf-8")
    texts = (
        "Seven grey herons stood in the shallow pond.",
        "Two old foxes ran over the frozen field at dawn.",
        "Many wild geese rested on the island in the lake.",
        "A lame donkey waited by the mill for its owner.",
        "Nine otters played below the weir all afternoon.",
        "The brown bears slept in a cave of the northern hills.",
    )
    _write(tmp_path / "news", list(texts[:number]))
    for said in (run("build", "news"), run(), run("doctor")):
        told = said.rstrip().rpartition("next: ")[2]
        form = "all belong to one group" if number == 1 else f"form {number} groups"
        assert (f". These articles {form}, and training a model takes at least 6 " in told) == (number < FEWEST_GROUPS)
        assert told.startswith("`stance serve` in a second terminal")
