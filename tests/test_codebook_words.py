"""Words that the codebook shares with an article are named before anybody labels, and by `stance doctor`."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.records import ARTICLES
from corpus.store import table_path, write_jsonl, write_table
from release.contents.codebook_words import SharedWords, shared_words
from release.contents.five_word_runs import template_runs
from tests.conftest import Run, vote

TARGET = "the long tunnel under the bay"


def _found(folder: Path, codebook: str, *texts: str, title: str = "", outlet: str = "") -> list[SharedWords]:
    rows = [
        dict.fromkeys(ARTICLES.names, "") | {"article_id": f"a{n}", "title": title, "outlet": outlet, "text": text}
        for n, text in enumerate(texts)
    ]
    write_table(folder / "articles.parquet", pa.Table.from_pylist(rows, schema=ARTICLES))
    return shared_words(folder, codebook, TARGET)


def test_each_line_is_named_once_with_its_first_words(tmp_path: Path) -> None:
    book = "Version 1.0\n\nThe mayor said: it Costs -- too much, far.\n\nNothing.\nShe will not sign the paper.\n"
    found = _found(tmp_path, book, "It rained.", "“The mayor said it costs too much.”", "will not sign the paper")
    assert found == [
        SharedWords(line=3, words="mayor said it costs too", article_id="a1"),
        SharedWords(line=6, words="will not sign the paper", article_id="a2"),
    ]


def test_words_with_hyphens_and_of_scripts_without_spaces_are_found(tmp_path: Path) -> None:
    assert _found(tmp_path, "a well known minister of state", "the well-known minister of state")[0].line == 1
    assert _found(tmp_path, "the well-known minister of state", "a well known minister of state")[0].line == 1
    assert _found(tmp_path, "如“市议会决定关闭大桥”。", "昨天市议会决定关闭大桥。")[0].line == 1


def test_a_title_counts_and_four_words_and_names_may_stand_in_both(tmp_path: Path) -> None:
    assert _found(tmp_path, "No money for the bridge", "It rained.", title="No money for the bridge")
    assert not _found(tmp_path, "no money for the river", "no money for the bridge")
    assert not _found(tmp_path, f"Is it for {TARGET} or against?", f"He is against {TARGET}.")
    news = "The Voice of the Northern Valleys"
    assert not _found(tmp_path, f"As {news} has it", f"so {news} said", outlet=news)
    assert _found(tmp_path, f"As {news} has it", f"so {news} said")


def test_the_wording_of_the_card_is_stances_own_as_in_the_proof(tmp_path: Path) -> None:
    own = next(run for run in sorted(template_runs()) if run.replace(" ", "").isalpha())
    article = f"The mayor said it costs too much. Yesterday, {own}."
    found = _found(tmp_path, f"{own}\n\nThe mayor said it costs too much.", article)
    assert [row.line for row in found] == [3]


@settings(deadline=None)
@given(words=st.lists(st.sampled_from("a bb ccc dd e'e f é".split()), min_size=5, max_size=30), at=st.integers(0, 25))
def test_any_five_words_of_an_article_are_found(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], at: int
) -> None:
    at = min(at, len(words) - 5)
    book = "Version 1.0\nxx " + "  ".join(words[at : at + 5]) + " yy"
    found = _found(tmp_path_factory.mktemp("any"), book, "nothing", ", ".join(words))
    assert found == [SharedWords(line=2, words=found[0].words, article_id="a1")]


def test_push_says_it_before_anybody_has_labelled_and_doctor_always(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run("init", "--target", TARGET)
    codebook = tmp_path / "codebook.md"
    (tmp_path / "news" / "a.txt").write_text("The mayor of Karsova signed the bill on Monday.", "utf-8")
    quoted = "the mayor of Karsova signed"
    run("build", "news")
    filled = re.sub(r"\{\{.*?\}\}", "-", codebook.read_text("utf-8"))
    codebook.write_text(filled + f"\nSuch as {quoted}.\n", "utf-8")
    line = filled.count("\n") + 2
    said = f"note: codebook.md, line {line}: the words "
    told = run("push", "--to", "tasks.json")
    assert said in told
    assert "use other words there. The codebook's version may stay if no rule changes" in told
    assert said in run("doctor")
    write_jsonl(table_path(tmp_path / "work", "annotations.jsonl"), [vote("s", "A1", "favor")])
    assert said not in run("push", "--to", "tasks.json")
    assert said in run("doctor")
    toml = tmp_path / "stance.toml"
    toml.write_text(toml.read_text("utf-8") + '\n[publish]\nlicence = "cc-by-4.0"\n', "utf-8")
    assert said not in run("doctor")
