"""`stance` and `stance doctor` notice that the files of the articles are not those of the last build."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from corpus.build import build
from corpus.rebuild import source_changes
from corpus.rebuild.source_changes import changes_since
from corpus.records import CorpusSettings
from tests.conftest import Run, write_news

STEP = "next: `stance build news`: the articles' files are not those of the last build: "


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A project that is built, without a server."""
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    run = Run(tmp_path)
    run("init", "--target", "a new tunnel")
    write_news(tmp_path / "news")
    assert "the last build" not in run("build", "news")
    assert "the last build" not in run()
    return run


def _files(run: Run) -> list[Path]:
    return sorted((run.project / "news").rglob("*.txt"))


def test_new_changed_and_deleted_files_are_counted_until_the_next_build(run: Run) -> None:
    first, second, *_ = _files(run)
    first.write_text(first.read_text("utf-8") + "\n\nThe bridge stays shut for a year.\n", "utf-8")
    assert f"{STEP}1 changed file\n" in run()
    second.unlink()
    for name in ("c.txt", "d.html"):
        (run.project / "news" / name).write_text("A ship ran aground off the cape on Friday.", "utf-8")
    assert f"{STEP}2 new and 1 changed and 1 deleted files\n" in run()
    said = run("doctor")
    assert "out of date: the articles' files are not those of the last build: 2 new and 1 changed and 1 del" in said
    assert "deleted files: run `stance build news`\n" in said
    assert "everything that was made is up to date" not in said
    run("build", "news")
    assert "the last build" not in run()
    assert "everything that was made is up to date" in run("doctor")


def test_a_table_that_describes_articles_counts_and_what_is_not_read_does_not(run: Run) -> None:
    (run.project / "news" / "logo.png").write_bytes(b"PNG")
    assert "the last build" not in run()
    (run.project / "news" / "articles.csv").write_text(f"file,outlet\n{_files(run)[0].name},Gazette\n", "utf-8")
    assert f"{STEP}1 new file\n" in run()


def test_a_typing_error_that_keeps_the_size_is_noticed_and_a_copy_of_the_project_is_not_a_change(
    run: Run, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("news", "work"):
        shutil.copytree(run.project / name, copy / name, copy_function=shutil.copyfile)
    shutil.copy(run.project / "stance.toml", copy)
    shutil.copy(run.project / "codebook.md", copy)
    for file in (copy / "news").rglob("*.txt"):
        os.utime(file, (10**9, 10**9))
    assert "the last build" not in Run(copy)()
    file = _files(run)[0]
    file.write_text(file.read_text("utf-8").replace("a", "e", 1), "utf-8")
    assert f"{STEP}1 changed file\n" in run()


def test_the_only_article_edited_without_a_change_of_size_is_noticed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in (files := _files(run))[1:]:
        file.unlink()
    only = files[0]
    run("build", "news")
    os.utime(only, (10**9, 10**9))
    assert "the last build" not in run()
    text = only.read_text("utf-8")
    only.write_text(text.replace("a", "e", 1), "utf-8")
    assert f"{STEP}1 changed file\n" in run()
    # Of many files, and after a build by an earlier version, nothing is known but sizes and times.
    monkeypatch.setattr(source_changes, "READ", 0)
    only.write_text(text, "utf-8")
    run("build", "news")
    only.write_text(text.replace("a", "e", 1), "utf-8")
    assert "the last build" not in run()


def test_sources_that_are_gone_as_a_whole_and_too_many_files_are_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    news, out = tmp_path / "news", tmp_path / "work"
    write_news(news)
    build([str(news)], out, CorpusSettings(root=str(news)))
    (news / "new.txt").write_text("A ship ran aground off the cape on Friday.", "utf-8")
    changes = changes_since(out)
    assert changes is not None
    assert changes.new == 1
    monkeypatch.setattr(source_changes, "MOST", 2)
    build([str(news)], out, CorpusSettings(root=str(news)))
    assert not (out / ".build" / "sources.json").exists()
    monkeypatch.undo()
    build([str(news)], out, CorpusSettings(root=str(news)))
    shutil.rmtree(news)
    assert changes_since(out) is None


def test_a_push_that_draws_says_before_that_the_corpus_is_old(run: Run) -> None:
    book = run.project / "codebook.md"
    book.write_text(re.sub(r"\{\{.*?\}\}", "a new tunnel", book.read_text("utf-8")), "utf-8")
    assert "out of date" not in run("push", "--to", "tasks.json", "--limit", "3")
    (run.project / "news" / "new.txt").write_text("A ship ran aground off the cape on Friday.", "utf-8")
    old = "out of date: the articles' files are not those of the last build: 1 new file: run `stance build news`\n"
    assert run("push", "--to", "tasks.json", "--limit", "3").startswith(old)
    assert "out of date" not in run("push", "--to", "tasks.json"), "it draws nothing"
    said = run("build", "news")
    assert said.endswith(
        "to label sentences of the 1 new article too: `stance push --limit N`, which draws N of all that no round has "
        "drawn\n"
    )
    assert "push --limit" not in run("build", "news"), "no article is new"
    # An article that comes back, and whose sentences rounds have drawn, has nothing to draw.
    run("push", "--to", "tasks.json", "--all")
    new = run.project / "news" / "new.txt"
    text = new.read_text("utf-8")
    new.unlink()
    run("build", "news")
    new.write_text(text, "utf-8")
    assert "push --limit" not in run("build", "news")
