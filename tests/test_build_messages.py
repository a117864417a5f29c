"""What `stance build` says of the articles: what they lack, which of them are copies, and what was skipped."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.build import BuildSummary
from corpus.messages import built, counts
from corpus.reading.documents import pdf
from corpus.store import table_path, write_jsonl
from tests.conftest import Run, vote

PROSE = "The council of {} voted on the new tunnel on Monday evening. It will cost {} million.\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A project with a table of three articles that have everything but dates."""
    run = Run(tmp_path)
    run("init", "--target", "a new tunnel")
    rows = ["id,title,outlet,text"]
    rows += [f'{name},Tunnel {n},Gazette,"{PROSE.format(name, n).strip()}"' for n, name in enumerate(("Ahn", "Bex"))]
    (tmp_path / "news" / "all.csv").write_text("\n".join(rows) + "\n")
    return run


def test_articles_without_a_date_are_counted(run: Run) -> None:
    assert "\nno article has a date; a table articles.csv beside the files" in run("build", "news")
    (run.project / "news" / "c.txt").write_text(f"---\npublished: 2031-03-05\n---\n{PROSE.format('Cay', 3)}")
    said = run("build", "news")
    assert (
        "\n1 of 3 articles has no outlet; 1 of 3 articles has no title (a headline in the text is not taken for it); "
        "2 of 3 articles have no date; a table" in said
    )


def test_what_new_articles_lack_is_said_after_labels_were_given_too(run: Run) -> None:
    run("build", "news")
    first = pq.read_table(run.project / "work" / "sentences.parquet").column("sentence_id")[0].as_py()
    write_jsonl(table_path(run.project / "work", "annotations.jsonl"), [vote(first, "A1", "favor")])
    (run.project / "news" / "letter.txt").write_text(PROSE.format("Dunn", 4))
    said = run("build", "news")
    assert "1 of 1 labelled sentence in the corpus" in said
    assert "\n1 of 3 articles has no outlet; 1 of 3 articles has no title" in said
    assert "no outlet" not in run("build", "news"), "nothing has changed since it was said"


def test_exact_copies_are_said_to_be_among_the_near_duplicates(run: Run) -> None:
    for name in ("c", "d"):
        (run.project / "news" / f"{name}.txt").write_text(PROSE.format("Elm", 5))
    assert "are exact copies of another sentence; near-duplicates, exact copies included, form " in run("build", "news")
    done = BuildSummary(
        articles=2, sentences=4, cut=2, copies=0, clusters=1, spans={}, skipped={}, languages={}, changed=False
    )
    assert "near-duplicates, exact copies included, form 1 cluster" in built(done, Path("work"))


def test_what_was_skipped_is_counted_so_that_each_reason_can_be_read(run: Run) -> None:
    (run.project / "news" / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (run.project / "news" / "empty.txt").touch()
    said = run("build", "news")
    listed = said.partition("2 skipped, listed in work/skipped.jsonl: ")[2].partition("\n")[0]
    assert sorted(listed.split("; ")) == ["1 × of another kind (.jpg)", "1 × the file is empty"]
    assert counts({pdf.NEEDS: 1200}) == (
        "1,200 × a document (.pdf), which is read after `pip install 'stance-corpus[documents]'`"
    )
    assert ":" not in pdf.NEEDS, "what follows a colon is not counted, and here it says what to do"


def test_the_bar_of_a_build_counts_in_words_of_the_glossary(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    class Bar:
        total, n = 0, 0

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None: ...

        def set_postfix_str(self, said: str, refresh: bool) -> None:
            drawn.append(said)

        def update(self, _: int) -> None: ...

    def bar(unit: str) -> Bar:
        drawn.append(unit)
        return Bar()

    monkeypatch.setattr("stance.commands.build_commands.bar", bar)
    (run.project / "news" / "all.csv").write_text(f"id,text\na,{PROSE.format('Ahn', 1)}")
    run("build", "news")
    assert drawn == ["steps", "1 article, 2 sentences"]
    glossary = (Path(__file__).parent.parent / "docs" / "glossary.md").read_text("utf-8")
    assert not re.search("shard", glossary)
